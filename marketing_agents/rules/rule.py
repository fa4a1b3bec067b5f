"""A rule as the evaluator uses it: checked expressions in place of text. Made by `compile_rule.py` from `rule_file.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from marketing_agents.rules.expression import Expression
from marketing_agents.rules.finding import Cause, Severity, Unit
from marketing_agents.rules.functions import Kind

if TYPE_CHECKING:
    from marketing_agents.rules.overrides import Override
    from marketing_agents.rules.rule_file import RuleFile

Order = Literal["gate", "tracking", "delivery", "efficiency"]
ORDERS: tuple[Order, ...] = ("gate", "tracking", "delivery", "efficiency")


@dataclass(frozen=True)
class EntityColumns:
    """Which mart columns identify the entity. `id` may be several columns, joined with '/'; None = the level does not apply."""

    type: str
    id: tuple[str, ...]
    name: str | None
    platform: str | None
    account: str | None
    campaign: str | None
    adgroup: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that make the entity's key (`Entity.key`), without repetition."""
        parent = {"ad": self.adgroup, "adgroup": self.campaign}.get(self.type)
        return tuple(dict.fromkeys(c for c in (self.platform, self.account, parent, *self.id) if c is not None))


@dataclass(frozen=True)
class PValueTest:
    """The rule fires only when `p_value < below`; `below` None = the p-value is evidence, and `when` judges it."""

    p_value: Expression
    below: float | None


@dataclass(frozen=True)
class Observation:
    """What the finding shows as observed, against what, and the threshold in force by severity. `condition` None = always.

    `observed` and `baseline` are names of facts.
    """

    condition: Expression | None
    observed: str
    baseline: str | None
    thresholds: Mapping[Severity, Expression]


@dataclass(frozen=True)
class FactSpec:
    """One quotable value. `decimals` None = by unit."""

    name: str
    label: str
    unit: Unit
    value: Expression
    decimals: int | None = None


@dataclass(frozen=True)
class Peer:
    """Another entity of the same advertiser and day, for actions with a second party: best by `order_by` among those where `condition` holds.

    `names`: name in playbook and facts -> value of the peer's row.
    """

    condition: Expression
    order_by: Expression
    names: Mapping[str, Expression]


@dataclass(frozen=True)
class PlaybookStep:
    """An action with computed parameters; left out where `condition` does not hold or a parameter is missing."""

    action: str
    condition: Expression | None
    parameters: Mapping[str, Expression]
    effect: Expression | None
    rationale: str


@dataclass(frozen=True)
class Gate:
    """Findings from `severity` on block rules that require the table named in column `table`, on entities of the same account.

    `condition` None = all of them; else only those where it holds. `says`: what is wrong with the table.
    """

    severity: Severity
    table: str
    says: str
    condition: Expression | None = None


@dataclass(frozen=True)
class Rule:
    """One rule. Expressions read mart columns (`kinds`) and `values`, in that order of definition.

    `applies` False: the row is out of scope. `floor` False: too little volume. `when`: severities, low to critical. `resolve_when`: a clear
    day counts towards the end of an episode only where this holds. `text_hash`: of what classification reads. `content_hash`: of everything.
    """

    id: str
    title: str
    category: str
    description: str
    entity: EntityColumns
    mart: str
    order: Order
    requires: tuple[str, ...]
    inputs: tuple[str, ...]
    better_with: tuple[str, ...]
    min_history_days: int
    window_days: int
    values: Mapping[str, Expression]
    applies: Expression | None
    floor: Expression | None
    test: PValueTest | None
    false_discovery: float | None
    when: Mapping[Severity, Expression]
    resolve_when: Expression | None
    observations: tuple[Observation, ...]
    impact: Expression | None
    sample_size: Expression | None
    sample_floor: float | None
    quality: Expression | None
    facts: tuple[FactSpec, ...]
    peer: Peer | None
    causes: tuple[Cause, ...]
    playbook: tuple[PlaybookStep, ...]
    gate: Gate | None
    limits_actions_from: Severity | None
    suppressed_by: tuple[str, ...]
    suppressed_on_entity_by: tuple[str, ...]
    limited_by: tuple[str, ...]
    is_shadow: bool
    trend_metric: str | None
    sources: tuple[str, ...]
    pinned_domain: str | None
    kinds: Mapping[str, Kind]
    text_hash: str
    content_hash: str
    file: str = field(compare=False)
    written: RuleFile = field(compare=False, repr=False)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Every expression of the rule but its named values."""
        steps = [e for step in self.playbook for e in (step.condition, step.effect, *step.parameters.values())]
        peer = (self.peer.condition, self.peer.order_by, *self.peer.names.values()) if self.peer else ()
        p_value = self.test.p_value if self.test else None
        single = (self.applies, self.floor, p_value, self.resolve_when, self.impact, self.sample_size, self.quality)
        observed = [e for o in self.observations for e in (o.condition, *o.thresholds.values())]
        everything = (*single, *self.when.values(), *observed, *(fact.value for fact in self.facts), *steps, *peer)
        return tuple(expression for expression in everything if expression is not None)

    def base_columns(self, expression: Expression) -> tuple[str, ...]:
        """Mart columns behind an expression, through the named values, sorted."""
        found: set[str] = set()
        pending = list(expression.names)
        seen: set[str] = set()
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self.values:
                pending.extend(self.values[name].names)
            else:
                found.add(name)
        return tuple(sorted(found))


@dataclass(frozen=True)
class Catalogue:
    """All rules: gates first, then tracking, delivery, efficiency; by id within. `hash` changes with content, never with comments.

    `overrides`: in the order of their files. They are part of the hash.
    """

    rules: tuple[Rule, ...]
    hash: str
    overrides: tuple[Override, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    @cached_property
    def overrides_of(self) -> dict[str, tuple[Override, ...]]:
        """Entries by rule, the most specific first; in the order of the files where none is more specific."""
        ordered = sorted(self.overrides, key=lambda override: -override.reach.specificity)
        return {rule_id: tuple(o for o in ordered if o.rule_id == rule_id) for rule_id in {o.rule_id for o in ordered}}
