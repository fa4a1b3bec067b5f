"""Why a rule fired or did not, on one day, entity by entity: every gate, every value, every threshold. For people and for machines."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from marketing_agents.days import EPISODE_DAYS, LocalDay
from marketing_agents.rules.availability import InputAvailability
from marketing_agents.rules.episodes import Episode, episode_at
from marketing_agents.rules.evaluate import JudgedRule, count_outcomes, day_outcomes, judged_rules
from marketing_agents.rules.evidence import entity_at
from marketing_agents.rules.expression import Expression
from marketing_agents.rules.finding import SEVERITIES, Frozen
from marketing_agents.rules.outcomes import Code, RuleOutcome, missing_detail

if TYPE_CHECKING:
    import pandas as pd

    from marketing_agents.rules.gates import Gates
    from marketing_agents.rules.rule import Catalogue, Rule


class UnknownRuleError(KeyError):
    """There is no rule with this id."""


class Line(Frozen):
    """One thing that was computed: what it is, its expression, and the answer."""

    name: str
    expression: str
    answer: str


class EntityExplanation(Frozen):
    """One entity on the day. `checks` in order of evaluation; `figures`: named values of the rule, then the mart columns behind them."""

    entity_key: str
    entity_name: str
    outcome: str
    reason: str
    detail: str
    severity: str | None
    episode: str
    checks: tuple[Line, ...]
    figures: tuple[Line, ...]


class Explanation(Frozen):
    """A rule on a day: the gates of the advertiser, the counted outcomes, and every entity."""

    advertiser_id: str
    day: str
    rule_id: str
    title: str
    mart: str
    catalogue_hash: str
    gates: tuple[Line, ...]
    outcomes: tuple[RuleOutcome, ...]
    entities: tuple[EntityExplanation, ...]

    def to_json(self) -> str:
        return self.model_dump_json(indent=2)

    def markdown(self) -> str:
        """Readable as it is and as a rendered page. Names are outside text: cell and line breaks are neutralised."""
        lines = [
            f"# {self.rule_id} {self.title}",
            "",
            f"{self.advertiser_id}, {self.day} (rows of `{self.mart}`, catalogue {self.catalogue_hash})",
            "",
            "## Gates",
            "",
        ]
        lines += _table(("gate", "looks at", "answer"), self.gates)
        lines += ["", "## Outcomes", ""]
        lines += [
            f"- {o.outcome}{f' ({o.reason})' if o.reason else ''}: {o.entities}{f': {_cell(o.detail)}' if o.detail else ''}"
            for o in self.outcomes
        ]
        for entity in self.entities:
            verdict = f"{entity.outcome}{f' {entity.severity}' if entity.severity else ''}{f' ({entity.reason})' if entity.reason else ''}"
            lines += ["", f"## {_cell(entity.entity_name)} ({_cell(entity.entity_key)}): {verdict}", ""]
            lines += [line for line in (_cell(entity.detail), f"Episode: {entity.episode}") if line]
            lines += [
                "",
                *_table(("check", "expression", "answer"), entity.checks),
                "",
                *_table(("value", "expression", "answer"), entity.figures),
            ]
        return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """One line that stays text in a table cell, a heading and a terminal: nothing invisible, no escape sequence, no markup."""
    visible = "".join(ch if ch.isprintable() else " " for ch in text)
    return " ".join(visible.split()).replace("\\", "\\\\").replace("|", "\\|").replace("`", "'").replace("<", "&lt;").replace("[", "\\[")


def _code(text: str) -> str:
    """Our own expression inside backticks, where a backslash stands for itself."""
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")


def _table(head: tuple[str, str, str], lines: tuple[Line, ...]) -> list[str]:
    rows = [
        f"| {_cell(line.name)} | `{_code(line.expression)}` | {_cell(line.answer)} |"
        if line.expression
        else f"| {_cell(line.name)} | | {_cell(line.answer)} |"
        for line in lines
    ]
    return [f"| {' | '.join(head)} |", "|---|---|---|", *rows]


def explain(
    catalogue: Catalogue, features: Mapping[str, pd.DataFrame], day: LocalDay, rule_id: str, inputs: InputAvailability
) -> Explanation:
    """Everything one rule computed on one day.

    Raises:
        UnknownRuleError: no such rule (the message suggests the nearest id).
    """
    from marketing_agents.rules.expression import suggestion
    from marketing_agents.rules.mart_rows import Calendar

    if rule_id not in catalogue.by_id:
        raise UnknownRuleError(
            f"there is no rule '{rule_id}'{suggestion(rule_id, catalogue.by_id)}; `marketing-agents rules list` shows all"
        )
    calendar = Calendar([day])
    for judged, gates in judged_rules(catalogue, features, calendar, inputs, only=frozenset({rule_id})):
        if judged.rule.id == rule_id:
            return _explain(catalogue, judged, gates, day, count_outcomes(judged, gates, calendar))
    raise AssertionError(f"{rule_id} was not judged")


def _explain(catalogue: Catalogue, judged: JudgedRule, gates: Gates, day: LocalDay, outcomes: list[RuleOutcome]) -> Explanation:
    rule = judged.rule
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row in range(len(judged.rows)):
        rows_of[entity_at(rule, judged.scope, row).key].append(row)
    entities = (_entity(judged, gates, int(row), day, rows_of) for row in judged.rows.at(day))
    return Explanation(
        advertiser_id=day.advertiser_id,
        day=day.day.isoformat(),
        rule_id=rule.id,
        title=rule.title,
        mart=rule.mart,
        catalogue_hash=catalogue.hash,
        gates=_gate_lines(rule, gates, day),
        outcomes=tuple(outcomes),
        entities=tuple(sorted(entities, key=lambda entity: entity.entity_key)),
    )


def _gate_lines(rule: Rule, gates: Gates, day: LocalDay) -> tuple[Line, ...]:
    never, absent = gates.inputs.never_loaded(day, rule.requires), gates.inputs.not_loaded(day, rule.requires)
    lines = [
        Line(
            name="input table",
            expression=table,
            answer="never loaded: missing_input"
            if table in never
            else "not loaded for the day: blocked_by_data"
            if table in absent
            else "loaded",
        )
        for table in rule.requires
    ]
    lines += [Line(name="data gate", expression=hit.table, answer=hit.text) for hit in gates.hits(day, rule.requires)]
    return tuple(lines) or (Line(name="input table", expression="", answer="the rule requires none"),)


def _entity(judged: JudgedRule, gates: Gates, row: int, day: LocalDay, rows_of: Mapping[str, list[int]]) -> EntityExplanation:
    import numpy as np

    rule, override, outcomes = judged.rule_at(row), judged.override_at(row), judged.outcomes
    code = Code(int(outcomes.code[row]))
    scope = judged.scope.take(np.array([row]))
    checks: list[Line] = []

    def check(name: str, expression: Expression | None, note: str = "") -> None:
        if expression is not None:
            checks.append(Line(name=name, expression=expression.text, answer=f"{_text(scope.compute(expression).at(0))}{note}"))

    if override is not None:
        answer = f"{override.changes}, by {override.owner} until {override.expires}: {override.reason}"
        checks.append(Line(name="override", expression=override.place, answer=answer))
    check("applies", rule.applies)
    if rule.min_history_days:
        days = scope.get("history_days").at(0)
        checks.append(Line(name="history", expression=f"history_days >= {rule.min_history_days}", answer=f"{_text(days)} days"))
    check("floor", rule.floor)
    for severity, condition in rule.when.items():
        check(f"when {severity}", condition)
    if rule.test is not None:
        check("test", rule.test.p_value, "" if rule.test.below is None else f" (must be below {rule.test.below:g})")
    if outcomes.adjusted_p is not None and outcomes.tested is not None and not math.isnan(outcomes.adjusted_p[row]):
        adjusted = f"{outcomes.adjusted_p[row]:.6g} among {outcomes.tested[row]} tested (must be at most {rule.false_discovery:g})"
        checks.append(Line(name="false discovery", expression="", answer=adjusted))
    check("resolves when", rule.resolve_when)
    shown = [*rule.when.values(), *(e for e in (rule.applies, rule.floor, rule.impact, rule.test and rule.test.p_value) if e)]
    columns = sorted({column for expression in shown for column in rule.base_columns(expression)})
    values = [Line(name=name, expression=expression.text, answer=_text(scope.get(name).at(0))) for name, expression in rule.values.items()]  # noqa: PD011 - no dataframe
    values += [Line(name=column, expression="", answer=_text(scope.get(column).at(0))) for column in columns]
    if rule.impact is not None:
        values.append(Line(name="money at stake, 7 days", expression=rule.impact.text, answer=_text(scope.compute(rule.impact).at(0))))
    entity = entity_at(rule, scope, 0)
    return EntityExplanation(
        entity_key=entity.key,
        entity_name=entity.name,
        outcome="out of scope" if code is Code.SKIPPED else code.outcome,
        reason=code.reason,
        detail=_detail(judged, gates, row, day),
        severity=SEVERITIES[int(outcomes.severity[row]) - 1] if code is Code.FIRED else None,
        episode=_episode_text(judged, rows_of[entity.key], day),
        checks=tuple(checks),
        figures=tuple(values),
    )


def _detail(judged: JudgedRule, gates: Gates, row: int, day: LocalDay) -> str:
    """Why the row has no verdict, or none that counts."""
    import numpy as np

    match Code(int(judged.outcomes.code[row])):
        case Code.MISSING_INPUT:
            missing = missing_detail(judged.rule_at(row), judged.scope.take(np.array([row])), judged.outcomes.stage[row : row + 1])
            return missing or "; ".join(f"{table} was never loaded" for table in gates.inputs.never_loaded(day, judged.rule.requires))
        case Code.BLOCKED:
            return gates.blocked_detail(judged.rule, day)
        case Code.DISABLED:
            return "switched off by an override"
        case Code.FALSE_DISCOVERY:
            return "a severity holds, but among so many tests chance explains it"
        case _:
            return ""


def _episode_text(judged: JudgedRule, rows: list[int], day: LocalDay) -> str:
    start = day.day - timedelta(days=EPISODE_DAYS)
    days = sorted(day_outcomes(judged, rows), key=lambda item: item.day)
    episode: Episode | None = episode_at([item for item in days if start <= item.day <= day.day], day.day)
    if episode is None:
        return "none"
    since = f"since {episode.opened_on.isoformat()}" if episode.opened_on else f"for {episode.days_open} days or more"
    return f"{episode.state}, {since}"


def _text(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
