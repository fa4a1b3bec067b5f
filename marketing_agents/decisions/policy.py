"""Guardrail policy of one advertiser: how far anybody may go on the strength of this list. Fails closed.

One YAML file per advertiser, `<policies_dir>/<advertiser>.yaml`. Whatever is wrong with it (not there, not YAML, an unknown field, a wrong
type, expired) gives a policy that is *broken*: everything that would change an ad platform is then advice only. A policy system that sleeps
until it is configured is worse than none, because people rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from marketing_agents.advertisers.registry import ADVERTISER_ID_PATTERN

if TYPE_CHECKING:
    from yaml import MappingNode, SafeLoader

Autonomy = Literal["read_only", "approval", "constrained"]
StepPercent = Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)]
Money = Annotated[float, Field(gt=0, allow_inf_nan=False)]

DEFAULT_MAX_STEP_PCT: dict[str, float] = {"INCREASE_BUDGET": 20.0, "DECREASE_BUDGET": 20.0, "SHIFT_BUDGET": 20.0, "ADJUST_BID_TARGET": 15.0}
_MAX_FILE_BYTES = 100_000


class _Section(BaseModel):
    # Strict: `max_daily_changes: "5"` or `true` is a mistake in a file that limits spending, not something to interpret.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class HardCaps(_Section):
    """Amounts that no change may lead above, in the advertiser's base currency."""

    budget_per_day: Money | None = Field(default=None, description="daily budget of any single campaign or ad group")
    entity_budget_per_day: dict[str, Money] = Field(
        default_factory=dict, description="daily budget by campaign or ad group id; only where lower than the general one"
    )
    total_per_day: Money | None = Field(default=None, description="planned spend a day of the whole advertiser (plans, calendar events)")

    def for_entity(self, entity_id: str) -> float | None:
        """The lower of the general and the entity's own cap; None when there is none."""
        caps = [cap for cap in (self.budget_per_day, self.entity_budget_per_day.get(entity_id)) if cap is not None]
        return min(caps) if caps else None


class PauseLimits(_Section):
    """What an entity must have behind it before pausing it may be proposed."""

    min_age_days: int = Field(default=7, ge=0, le=365)
    min_spend: float = Field(default=100.0, ge=0, allow_inf_nan=False, description="base currency")


class ApprovalLimits(_Section):
    """Who must approve."""

    second_person_above: Money | None = Field(
        default=None, description="money at stake in 7 days above which two people must approve, base currency"
    )


class PolicyFile(_Section):
    """The content of a policy file. Every default is the cautious one."""

    version: Literal[1]
    autonomy: Autonomy = Field(
        default="read_only",
        description="read_only: advice; approval: a person approves each change; constrained: reserved for small changes within limits",
    )
    max_step_pct: dict[str, StepPercent] = Field(
        default_factory=dict, description="largest single change by action, in percent of the present value"
    )
    max_daily_changes: int = Field(default=10, ge=0, le=1000, description="platform changes that one day's list may ask for")
    never_above: HardCaps = HardCaps()
    protected_entities: tuple[str, ...] = Field(
        default=(), strict=False, description="ids of accounts, campaigns, ad groups, ads that must not be changed, with all they contain"
    )
    pause: PauseLimits = PauseLimits()
    approval: ApprovalLimits = ApprovalLimits()
    expires_on: date | None = Field(default=None, strict=False, description="last day on which the policy holds")
    owner: str | None = Field(default=None, max_length=200, description="who answers for this file")
    note: str | None = Field(default=None, max_length=2000)

    @field_validator("max_step_pct")
    @classmethod
    def _known_actions(cls, value: dict[str, float]) -> dict[str, float]:
        for action in value:
            if action not in DEFAULT_MAX_STEP_PCT:
                raise ValueError(f"{action[:60]!r} has no step to limit (known: {', '.join(DEFAULT_MAX_STEP_PCT)})")
        return value

    @field_validator("protected_entities", mode="before")
    @classmethod
    def _ids_are_text(cls, value: object) -> object:
        if isinstance(value, list) and not all(isinstance(item, str) and item.strip() for item in value):
            raise ValueError("ids must be quoted text (an 18-digit number loses digits)")
        return value

    def max_step(self, action: str) -> float | None:
        """Largest step of an action in percent; None for actions that have no step."""
        default = DEFAULT_MAX_STEP_PCT.get(action)
        return None if default is None else self.max_step_pct.get(action, default)


@dataclass(frozen=True)
class Policy:
    """A policy as loaded. `problem` says why it is broken; limits of a broken policy are the defaults, but nothing is executable anyway."""

    limits: PolicyFile
    problem: str | None = None

    @classmethod
    def broken(cls, reason: str) -> Policy:
        """A policy under which nothing is executable, with the reason that people read."""
        return cls(limits=PolicyFile(version=1), problem=reason)

    def problem_on(self, day: date) -> str | None:
        """Why nothing is executable on this day; None when the policy holds. The day is the partition's, so a replay answers the same."""
        if self.problem is not None:
            return self.problem
        expires = self.limits.expires_on
        if expires is not None and day > expires:
            return f"policy expired on {expires.isoformat()}"
        return None


def load_policy(policies_dir: Path, advertiser_id: str) -> Policy:
    """The policy of an advertiser. Never raises for what is in (or missing from) the folder: that gives `Policy.broken(reason)`."""
    if not ADVERTISER_ID_PATTERN.fullmatch(advertiser_id):
        return Policy.broken(f"advertiser id {advertiser_id[:80]!r} is not a slug, so it has no policy file")
    path = policies_dir / f"{advertiser_id}.yaml"
    name = f"policy {path.name}"
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return Policy.broken(f"no policy file {path.name}: write one to make actions executable")
    except OSError as error:
        return Policy.broken(f"{name} cannot be read: {error.strerror or type(error).__name__}")
    if len(content) > _MAX_FILE_BYTES:
        return Policy.broken(f"{name} is larger than {_MAX_FILE_BYTES} bytes")
    return parse_policy(content, name=name)


def parse_policy(content: bytes, *, name: str) -> Policy:
    """A policy from the bytes of a file; broken, with what is wrong where, when they are no valid policy."""
    import yaml

    try:
        document = yaml.load(content.decode("utf-8"), Loader=_unique_key_loader())  # noqa: S506  (a SafeLoader that also refuses repeated keys)
    except UnicodeDecodeError:
        return Policy.broken(f"{name} is not UTF-8 text")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # ValueError: a date such as 2026-13-45; RecursionError: nesting without end. Both come out of the YAML reader.
        return Policy.broken(f"{name} is not valid YAML: {_one_line(error)}")
    if not isinstance(document, dict):
        return Policy.broken(f"{name} must be a mapping that starts with 'version: 1'")
    try:
        return Policy(limits=PolicyFile.model_validate(document))
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(p)[:60] for p in e['loc']) or 'file'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_url=False, include_input=False)
        ]
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        return Policy.broken(f"{name} is not valid: {shown}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _unique_key_loader() -> type[SafeLoader]:
    """A YAML reader for which a key given twice is an error: plain YAML keeps the last one, silently."""
    import yaml

    class UniqueKeyLoader(yaml.SafeLoader):
        def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[object, object]:
            seen: set[str] = set()
            for key_node, _ in node.value:
                key = str(key_node.value)
                if key in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"key {key[:60]!r} is given twice", key_node.start_mark)
                seen.add(key)
            return super().construct_mapping(node, deep=deep)  # type: ignore[no-any-return, unused-ignore]

    return UniqueKeyLoader
