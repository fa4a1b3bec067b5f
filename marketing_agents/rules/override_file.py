"""Reads overrides: YAML files of entries, each checked like a rule and compiled into the rule as it is for its reach.

A file holds `overrides: [...]`; what an entry may hold is `OverrideEntry`. All problems of all files are reported at once, each with file, entry,
field and fix.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from marketing_agents.rules import thresholds
from marketing_agents.rules.catalogue_error import CatalogueError, describe_problem
from marketing_agents.rules.expression import ExpressionError, parse_expression, suggestion
from marketing_agents.rules.finding import Severity
from marketing_agents.rules.overrides import Override, Reach
from marketing_agents.rules.rule_file import ExpressionText, FileModel, Prose
from marketing_agents.rules.strict_yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marketing_agents.rules.functions import Kind
    from marketing_agents.rules.rule import Rule

RESOLVE_SHARE = 0.7
"""An episode ends at 70 % of the way to the lowest threshold (rules.md 3), so this share of a shift of the threshold shifts it too."""


class OverrideError(CatalogueError):
    """The overrides cannot be used. `problems`: one line each, 'file: entry n (RULE): field: message'."""

    where = "overrides"


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Words = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], BeforeValidator(_as_list)]


class OverrideEntry(FileModel):
    """One entry as written."""

    rule: str
    advertiser: Words = Field(default=(), description="advertiser ids; left out: all")
    platform: Words = ()
    campaign_label: Words = Field(default=(), description="labels set on the platform")
    campaigns: Words = Field(default=(), description="campaign ids, quoted")
    disabled: bool = False
    thresholds: dict[Severity, float] = Field(default_factory=dict, description="the number `observed` is compared with, by severity")
    when: dict[Severity, ExpressionText] = Field(default_factory=dict, description="whole conditions, where one number is not enough")
    floor: ExpressionText | None = None
    resolve_when: ExpressionText | None = Field(default=None, description="default: shifts with the lowest threshold")
    owner: Prose = Field(max_length=200)
    reason: Prose = Field(max_length=500)
    starts: date | None = None
    expires: date = Field(description="last day on which the entry holds")


def load_overrides(path: Path, rules: Mapping[str, Rule]) -> tuple[Override, ...]:
    """All entries of a file, or of the files `*.yaml` of a folder, in their order.

    Raises:
        OverrideError: with ALL problems.
    """
    problems: list[str] = []
    found: list[Override] = []
    for file in _files(path):
        entries = _entries(file, problems)
        for number, entry in enumerate(entries, start=1):
            named = entry.get("rule") if isinstance(entry, dict) else None
            named = named[:40] if isinstance(named, str) else None
            place = f"{file.name}: entry {number}"
            own: list[str] = []
            override = _read_entry(place, entry, rules, own)
            problems += [f"{place}{f' ({named})' if named else ''}: {problem}" for problem in own]
            if override is not None and not own:
                found.append(override)
    problems += _twice(found)
    if problems:
        raise OverrideError(problems)
    return tuple(found)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(path.glob("*.yaml"))
        wrong = [f"{file.name}: is not read: name it {file.stem}.yaml" for file in sorted(path.glob("*.yml"))]
        if wrong or not files:
            raise OverrideError(wrong or [f"{path}: no override files (*.yaml) here"])
        return files
    if not path.is_file():
        raise OverrideError([f"{path}: there is no such file or folder (MARKETING_AGENTS_OVERRIDES)"])
    return [path]


def _entries(file: Path, problems: list[str]) -> list[Any]:
    content, problem = read_yaml(file)
    if problem:
        problems.append(f"{file.name}: {problem}")
        return []
    entries = content.get("overrides") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        problems.append(f"{file.name}: must hold `overrides`, a list of entries")
        return []
    problems += [f"{file.name}: unknown field '{key}'{suggestion(str(key), ('overrides',))}" for key in content if key != "overrides"]
    return entries


def _read_entry(place: str, entry: Any, rules: Mapping[str, Rule], problems: list[str]) -> Override | None:
    if not isinstance(entry, dict):
        problems.append("must be a mapping of fields")
        return None
    try:
        written = OverrideEntry.model_validate(entry)
    except ValidationError as error:
        problems += [describe_problem(dict(detail), OverrideEntry) for detail in error.errors()]
        return None
    rule = rules.get(written.rule)
    if rule is None:
        problems.append(f"rule: unknown rule '{written.rule[:40]}'{suggestion(written.rule, rules)}")
        return None
    problems += _wrong_reach(written, rule)
    if written.starts is not None and written.starts > written.expires:
        problems.append(f"expires: {written.expires} is before starts ({written.starts})")
    changes = _Changes(rule, written)
    patched = changes.patched()
    problems += changes.problems
    return Override(
        rule_id=rule.id,
        place=place,
        reach=Reach(
            frozenset(written.advertiser), frozenset(written.platform), frozenset(written.campaign_label), frozenset(written.campaigns)
        ),
        rule=patched,
        changes=changes.text,
        owner=written.owner,
        reason=written.reason,
        starts=written.starts,
        expires=written.expires,
    )


def _wrong_reach(written: OverrideEntry, rule: Rule) -> Iterable[str]:
    entity = rule.entity
    if written.platform and entity.platform is None:
        yield f"platform: the entities of {rule.id} ({entity.type}) belong to no platform, so the entry could never apply: leave it out"
    for field in ("campaign_label", "campaigns"):
        if getattr(written, field) and entity.campaign is None:
            yield f"{field}: the entities of {rule.id} ({entity.type}) belong to no campaign, so the entry could never apply: leave it out"
    if written.campaign_label and entity.campaign is not None and (entity.platform is None or entity.account is None):
        yield f"campaign_label: the entities of {rule.id} ({entity.type}) name no platform or account to look labels up by: state `campaigns` instead"


def _twice(overrides: Sequence[Override]) -> list[str]:
    """Entries for the same rule and reach whose days overlap: which one holds would be an accident."""
    problems = []
    for position, override in enumerate(overrides):
        for earlier in overrides[:position]:
            if (earlier.rule_id, earlier.reach) != (override.rule_id, override.reach):
                continue
            if (earlier.starts or date.min) <= override.expires and (override.starts or date.min) <= earlier.expires:
                problems.append(
                    f"{override.place} ({override.rule_id}): reach: {override.reach.text} has an entry already, on days that overlap: {earlier.place}"
                )
    return problems


class _Changes:
    """The rule with an entry's changes. After `patched`: `text` says what changed, `problems` what is wrong with it."""

    def __init__(self, rule: Rule, entry: OverrideEntry) -> None:
        self.rule = rule
        self.entry = entry
        self.problems: list[str] = []
        self.names: dict[str, Kind] = {**rule.kinds, **{name: value.kind for name, value in rule.values.items()}}
        self._said: list[str] = []

    @property
    def text(self) -> str:
        return "; ".join(self._said)

    def patched(self) -> Rule | None:
        from marketing_agents.rules.compile_rule import RuleCompiler

        entry, rule = self.entry, self.rule
        if entry.disabled:
            self._said.append("switched off")
            if entry.thresholds or entry.when or entry.floor or entry.resolve_when:
                self.problems.append("disabled: an entry that switches the rule off cannot change it as well")
            return None
        written = rule.written
        conditions = {**written.when, **entry.when}
        self._said += [f"{severity} when {text}" for severity, text in entry.when.items()]
        stated = dict(written.threshold) if written.threshold is not None else None
        for severity, number in entry.thresholds.items():
            self._move(severity, number, conditions, stated)
        changed: dict[str, Any] = {"when": conditions, "threshold": stated}
        if entry.floor is not None:
            self._said.append(f"floor {entry.floor}")
            changed["floor"] = entry.floor
        if entry.resolve_when is not None:
            self._said.append(f"resolves when {entry.resolve_when}")
        changed["resolve_when"] = entry.resolve_when or self._shifted_resolve(conditions)
        if not self._said and not self.problems:
            self.problems.append("changes nothing: state `thresholds`, `when`, `floor`, `resolve_when` or `disabled`")
        if self.problems:
            return None
        compiler = RuleCompiler(written.model_copy(update=changed), rule.category, rule.kinds, rule.requires, rule.file)
        patched = compiler.compile()
        self.problems += dict.fromkeys(f"{field}: {message}" for field, message in compiler.problems)
        return patched

    def _move(self, severity: Severity, number: float, conditions: dict[Severity, str], stated: dict[Severity, str] | None) -> None:
        """Puts a new number in the place of the one that `observed` is compared with."""
        written = self.rule.written
        if severity not in conditions:
            self.problems.append(f"thresholds.{severity}: {self.rule.id} has no severity '{severity}' (it has {', '.join(self.rule.when)})")
            return
        old = self._bound(conditions[severity])
        if old is None and severity not in self.entry.when:
            self.problems.append(
                f"thresholds.{severity}: `when.{severity}` does not compare '{written.observed}' with exactly one number: state `when.{severity}`"
            )
            return
        if old is not None:
            conditions[severity] = _with_number(conditions[severity], written.observed, old, number)
        if stated is not None:
            stated[severity] = str(number)
        self._said.append(f"{severity} at {number:g}{f' instead of {old:g}' if old is not None else ''}")

    def _bound(self, condition: str) -> float | None:
        try:
            bounds = thresholds.bounds_on(parse_expression(condition, self.names), self.rule.written.observed)
        except ExpressionError:
            return None  # the compiler names the problem
        return bounds[0].value if len(bounds) == 1 and isinstance(bounds[0].value, float) else None

    def _shifted_resolve(self, conditions: Mapping[Severity, str]) -> str | None:
        """`resolve_when` moved along with the lowest threshold; as it is where it is no single number."""
        written = self.rule.written
        if written.resolve_when is None or not conditions:
            return written.resolve_when
        lowest = next(iter(self.rule.when))
        old, new, resolve = (self._bound(text) for text in (written.when[lowest], conditions[lowest], written.resolve_when))
        if old is None or new is None or resolve is None or old == new:
            return written.resolve_when
        return _with_number(written.resolve_when, written.observed, resolve, resolve + RESOLVE_SHARE * (new - old))


class _NewNumber(ast.NodeTransformer):
    """Replaces the constant that a name is compared with."""

    def __init__(self, name: str, old: float, new: float) -> None:
        self.name, self.old, self.new = name, old, new

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        sides = [node.left, *node.comparators]
        replaced = [
            ast.Constant(self.new) if _number(side) == self.old and self._is_beside_name(sides, place) else self.visit(side)
            for place, side in enumerate(sides)
        ]
        return ast.Compare(replaced[0], node.ops, replaced[1:])

    def _is_beside_name(self, sides: Sequence[ast.expr], place: int) -> bool:
        return any(isinstance(other, ast.Name) and other.id == self.name for other in sides[max(place - 1, 0) : place + 2])


def _number(node: ast.expr) -> float | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _with_number(condition: str, name: str, old: float, new: float) -> str:
    tree = _NewNumber(name, old, round(new, 9)).visit(ast.parse(condition.strip(), mode="eval"))
    return " ".join(ast.unparse(ast.fix_missing_locations(tree)).split())
