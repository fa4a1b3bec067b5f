"""Which rules an advertiser's data lets speak: in full, reduced, or not at all; and which missing input would unlock how many of them.

A rule is traced to input columns in three ways, the first that is stated wins: `inputs` (decisive: without them the rule is impossible) and
`better_with` (what makes it full) in its YAML; else by name: a mart column `new_customer_orders_w28` comes from `orders_daily.new_customer_orders`
when the mart's YAML lists `orders_daily` among its `raw_tables`. What the rule said on the last days has the last word: one that could judge
nothing for want of input is impossible, whatever its columns suggest.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from marketing_agents.rules.compile_rule import COMMON_COLUMNS
from marketing_agents.rules.finding import Frozen

if TYPE_CHECKING:
    from marketing_agents.rules.outcomes import RuleOutcome
    from marketing_agents.rules.rule import Catalogue, Rule
    from marketing_agents.warehouse.contract import TableContract
    from marketing_agents.warehouse.marts import MartContract

State = Literal["full", "reduced", "impossible"]
STATES: tuple[State, ...] = ("full", "reduced", "impossible")
_EMPTY = re.compile(r"(\w+) is empty")
"""Mart columns that a rule named when it could judge nothing (`outcomes.missing_detail`)."""


@dataclass(frozen=True)
class KnownInputs:
    """What an advertiser delivers. `loaded`: tables that ever had a row; `empty`: optional columns without a value, as 'table.column'."""

    loaded: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()

    def missing(self, column: str) -> str | None:
        """What is missing for a 'table.column': its table, the column itself, or nothing."""
        table = column.partition(".")[0]
        if table not in self.loaded:
            return table
        return column if column in self.empty else None


class RuleCoverage(Frozen):
    """One rule. `missing`: tables and 'table.column's; `why`: what the rule itself said of late, where it could judge nothing."""

    rule_id: str
    title: str
    category: str
    state: State
    missing: tuple[str, ...] = ()
    why: str = ""


class Unlock(Frozen):
    """One missing input. `unlocks`: impossible rules that need nothing else; `completes`: reduced ones that need nothing else; `also_for`: rules
    that miss something besides.
    """

    item: str
    unlocks: tuple[str, ...] = ()
    completes: tuple[str, ...] = ()
    also_for: tuple[str, ...] = ()


class Coverage(Frozen):
    """All rules for one advertiser, in the order of the catalogue; unlocks with the most to gain first."""

    advertiser_id: str
    rules: tuple[RuleCoverage, ...]
    unlocks: tuple[Unlock, ...]

    @property
    def counts(self) -> dict[State, int]:
        found = Counter(rule.state for rule in self.rules)
        return {state: found[state] for state in STATES}


def coverage(
    advertiser_id: str,
    catalogue: Catalogue,
    marts: Mapping[str, MartContract],
    tables: Mapping[str, TableContract],
    inputs: KnownInputs,
    outcomes: Sequence[RuleOutcome] = (),
) -> Coverage:
    """Coverage of one advertiser. `outcomes`: what rules said on its last days, if anything."""
    unjudged = could_judge_nothing(outcomes)
    rules = tuple(_of_rule(rule, marts[rule.mart], tables, inputs, unjudged.get(rule.id)) for rule in catalogue.rules)
    return Coverage(advertiser_id=advertiser_id, rules=rules, unlocks=_unlocks(rules))


def could_judge_nothing(outcomes: Iterable[RuleOutcome]) -> dict[str, str]:
    """Rules that were evaluated and said `missing_input` only, with what they said most often."""
    said: dict[str, Counter[str]] = defaultdict(Counter)
    judged: set[str] = set()
    for outcome in outcomes:
        if outcome.reason == "missing_input":
            said[outcome.rule_id][outcome.detail] += 1
        elif outcome.entities or outcome.outcome != "clear":  # "nothing to evaluate" says nothing about inputs
            judged.add(outcome.rule_id)
    return {rule_id: min(details, key=lambda text: (-details[text], text)) for rule_id, details in said.items() if rule_id not in judged}


def _of_rule(
    rule: Rule, mart: MartContract, tables: Mapping[str, TableContract], inputs: KnownInputs, unjudged: str | None
) -> RuleCoverage:
    needed = [table for table in rule.requires if table not in inputs.loaded]
    needed += [item for column in rule.inputs if (item := inputs.missing(column)) is not None]
    helpful = [item for column in rule.better_with if (item := inputs.missing(column)) is not None]
    if not rule.inputs and not rule.better_with:
        helpful = traced_missing(rule, mart, tables, inputs)
    if unjudged is not None:
        blamed = traced_missing(rule, mart, tables, inputs, among=_EMPTY.findall(unjudged))
        helpful = [item for item in helpful if item in blamed]  # nothing else would let it judge
    state: State = "impossible" if needed or unjudged is not None else "reduced" if helpful else "full"
    missing = needed or helpful
    return RuleCoverage(
        rule_id=rule.id,
        title=rule.title,
        category=rule.category,
        state=state,
        missing=tuple(dict.fromkeys(missing)),
        why=unjudged or "",
    )


def traced_missing(
    rule: Rule, mart: MartContract, tables: Mapping[str, TableContract], inputs: KnownInputs, among: Collection[str] | None = None
) -> list[str]:
    """What is missing of the input columns that the rule's mart columns come from by name; a column with several sources misses all of them.

    `among`: the mart columns to look at; None: all.
    """
    given = {*COMMON_COLUMNS, *mart.grain}
    columns = {column for expression in rule.expressions for column in rule.base_columns(expression)} - given
    found: dict[str, None] = {}
    for column in sorted(columns if among is None else columns & set(among)):
        sources = sources_of(column, mart, tables)
        items = [inputs.missing(source) for source in sources]
        if items and all(item is not None for item in items):
            found.update(dict.fromkeys(item for item in items if item is not None))
    return list(found)


def sources_of(column: str, mart: MartContract, tables: Mapping[str, TableContract]) -> list[str]:
    """Input columns that a mart column may come from, as 'table.column': the longest names that it contains as whole words.

    Where the column also names a table (`adgroup_status`), only that table counts.
    """
    words = column.split("_")
    candidates: list[tuple[int, str, str]] = []
    for table in mart.raw_tables:
        for name in tables[table].column_names if table in tables else ():
            own = name.split("_")
            if any(words[start : start + len(own)] == own for start in range(len(words) - len(own) + 1)):
                candidates.append((len(own), table, name))
    longest = max((length for length, _, _ in candidates), default=0)
    best = [(table, name) for length, table, name in candidates if length == longest]
    named = [(table, name) for table, name in best if column.startswith(f"{table.removesuffix('s')}_")]
    return [f"{table}.{name}" for table, name in (named or best)]


@dataclass
class _Gains:
    unlocks: list[str] = field(default_factory=list)
    completes: list[str] = field(default_factory=list)
    also_for: list[str] = field(default_factory=list)


def _unlocks(rules: Sequence[RuleCoverage]) -> tuple[Unlock, ...]:
    gains: dict[str, _Gains] = defaultdict(_Gains)
    for rule in rules:
        for item in rule.missing:
            if len(rule.missing) > 1:
                gains[item].also_for.append(rule.rule_id)
            elif rule.state == "impossible":
                gains[item].unlocks.append(rule.rule_id)
            else:
                gains[item].completes.append(rule.rule_id)
    found = [
        Unlock(item=item, unlocks=tuple(g.unlocks), completes=tuple(g.completes), also_for=tuple(g.also_for)) for item, g in gains.items()
    ]
    return tuple(sorted(found, key=lambda u: (-len(u.unlocks), -len(u.completes), -len(u.also_for), u.item)))
