"""Evaluates the catalogue on feature rows: gates first, then tracking, delivery, efficiency. A pure function.

The result of partition D uses only rows of the advertiser with a date in [D - 55, D]: later rows, other advertisers and the order of rows change
nothing. All rows of a rule are judged together; Python touches single rows only where an entity fired.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from marketing_agents.days import EPISODE_DAYS, LocalDay
from marketing_agents.rules.availability import InputAvailability
from marketing_agents.rules.episodes import DayOutcome, ToldDay, doubtful_days, episode_at
from marketing_agents.rules.evidence import Draft, build_findings
from marketing_agents.rules.finding import Finding
from marketing_agents.rules.interplay import seen_together
from marketing_agents.rules.outcomes import CODES, Code, RowOutcomes, RuleOutcome, join_details, missing_detail

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from marketing_agents.rules.gates import Gates
    from marketing_agents.rules.interpret import Scope
    from marketing_agents.rules.mart_rows import Calendar, MartRows
    from marketing_agents.rules.muting import Feedback
    from marketing_agents.rules.overrides import Choice, Override
    from marketing_agents.rules.rule import Catalogue, Rule


@dataclass(frozen=True)
class Evaluation:
    """Per asked partition: findings by order of rule and entity, what every rule said, counted, and the told days that decide what is told if
    restated data overturn them (`retraction.py`).
    """

    findings: dict[LocalDay, list[Finding]]
    outcomes: dict[LocalDay, list[RuleOutcome]]
    doubtful: dict[LocalDay, list[ToldDay]] = field(default_factory=dict)


@dataclass(frozen=True)
class JudgedRule:
    """One rule with its rows, their values and their outcomes. `chosen`: position in `overrides` by row, -1 = none."""

    rule: Rule
    rows: MartRows
    scope: Scope
    outcomes: RowOutcomes
    overrides: tuple[Override, ...] = ()
    chosen: Choice | None = None

    def override_at(self, row: int) -> Override | None:
        """The override that the row was judged with."""
        position = -1 if self.chosen is None else int(self.chosen[row])
        return None if position < 0 else self.overrides[position]

    def rule_at(self, row: int) -> Rule:
        """The rule as the row was judged with it (as it is in the catalogue where an override switches it off)."""
        override = self.override_at(row)
        return self.rule if override is None or override.rule is None else override.rule


def evaluate(
    catalogue: Catalogue,
    features: Mapping[str, pd.DataFrame],
    days: Sequence[LocalDay],
    inputs: InputAvailability,
    feedback: Mapping[LocalDay, Sequence[Feedback]] | None = None,
    overturned: Collection[ToldDay] = (),
) -> Evaluation:
    """Findings and outcomes of the asked partitions.

    `features`: rows by mart, columns by contract, for dates in [D - 55, D] of each asked D (more does no harm); decimals as floats. `feedback`:
    what people said about findings, as known on each day. `overturned`: told days that restated data showed to be wrong.

    Raises:
        ValueError: a mart lacks a promised column, has values of another type, or two rows for one entity and day.
    """
    from marketing_agents.rules.mart_rows import Calendar

    calendar = Calendar(days)
    findings: dict[LocalDay, list[Finding]] = {day: [] for day in calendar.asked}
    outcomes: dict[LocalDay, list[RuleOutcome]] = {day: [] for day in calendar.asked}
    doubtful: dict[LocalDay, list[ToldDay]] = {day: [] for day in calendar.asked}
    wrong_days = _days_of_entities(overturned)
    for judged, gates in judged_rules(catalogue, features, calendar, inputs):
        for outcome in count_outcomes(judged, gates, calendar):
            outcomes[LocalDay(outcome.advertiser_id, outcome.date)].append(outcome)
        drafts = []
        for seen in _seen_entities(judged, calendar):
            wrong = wrong_days.get((judged.rule.id, seen.partition.advertiser_id, seen.key), frozenset())
            doubtful[seen.partition] += seen.doubtful(judged.rule.id)
            draft = seen.draft(wrong)
            if draft is not None:
                drafts.append(draft)
        if drafts:
            for finding in build_findings(judged, catalogue, drafts):
                findings[LocalDay(finding.advertiser_id, finding.date)].append(finding)
    notes = feedback or {}
    return Evaluation({day: seen_together(found, notes.get(day, ()), catalogue) for day, found in findings.items()}, outcomes, doubtful)


def _days_of_entities(overturned: Collection[ToldDay]) -> dict[tuple[str, str, tuple[str, ...]], frozenset[date]]:
    """Overturned days by rule, advertiser and entity."""
    grouped: dict[tuple[str, str, tuple[str, ...]], set[date]] = defaultdict(set)
    for told in overturned:
        grouped[told.rule_id, told.advertiser_id, told.entity].add(told.day)
    return {entity: frozenset(days) for entity, days in grouped.items()}


def judged_rules(
    catalogue: Catalogue,
    features: Mapping[str, pd.DataFrame],
    calendar: Calendar,
    inputs: InputAvailability,
    *,
    only: frozenset[str] | None = None,
) -> Iterator[tuple[JudgedRule, Gates]]:
    """Rules in order of evaluation, each judged on all rows. `only`: ids to judge besides the gates, which are always judged."""
    from marketing_agents.rules.gates import Gates, gate_hits
    from marketing_agents.rules.interpret import Scope
    from marketing_agents.rules.mart_rows import MartRows
    from marketing_agents.rules.outcomes import judge_variants, settle
    from marketing_agents.rules.overrides import choose

    gates = Gates(calendar, inputs)
    chosen = [rule for rule in catalogue.rules if only is None or rule.gate is not None or rule.id in only]
    last_use = {rule.mart: position for position, rule in enumerate(chosen)}
    marts: dict[str, MartRows] = {}
    for position, rule in enumerate(chosen):
        if rule.mart not in marts:
            marts[rule.mart] = MartRows(rule.mart, features.get(rule.mart), rule.kinds, calendar)
        rows = marts[rule.mart]
        scope = Scope(rows.columns, rule.values)
        never, blocked = gates.masks(rule, rows)
        overrides = catalogue.overrides_of.get(rule.id, ())
        chosen_overrides = choose(rule, overrides, rows, features)
        verdicts = judge_variants(rule, [override.rule for override in overrides], chosen_overrides, scope, never, blocked)
        outcomes = settle(rule, verdicts, rows.cell)
        if not rule.is_shadow:
            gates.add(gate_hits(rule, rows, outcomes, scope))
        yield JudgedRule(rule, rows, scope, outcomes, overrides, chosen_overrides), gates
        if last_use[rule.mart] == position:
            del marts[rule.mart]  # converted columns of a large mart are worth giving back


def count_outcomes(judged: JudgedRule, gates: Gates, calendar: Calendar) -> list[RuleOutcome]:
    """Outcomes of the asked partitions, by reason. A rule without a row on a day says why, with 0 entities."""
    import numpy as np

    rule, rows = judged.rule, judged.rows
    counts = np.bincount(rows.cell * len(Code) + judged.outcomes.code, minlength=calendar.size * len(Code)).reshape(-1, len(Code))
    rows_in_cell = counts.sum(axis=1)
    asked_missing = _rows_by_cell(judged, calendar, counts)
    result = []
    for day in calendar.asked:
        cell = calendar.cell(day)
        if not rows_in_cell[cell]:
            result.append(_without_rows(rule, day, gates, has_rows_before=bool(rows_in_cell[cell - EPISODE_DAYS : cell].any())))
            continue
        found: Counter[Code] = Counter({code: int(counts[cell, code]) for code in Code if counts[cell, code]})
        skipped, by_chance = found.pop(Code.SKIPPED, 0), found.pop(Code.FALSE_DISCOVERY, 0)
        if skipped or by_chance:
            found[Code.CLEAR] += skipped + by_chance
        for code in sorted(found):
            detail = ""
            if code is Code.CLEAR:
                detail = join_details(_clear_details(judged, cell, skipped, by_chance))
            elif code is Code.MISSING_INPUT:
                detail = _missing_detail(judged, gates, day, asked_missing.get(cell))
            elif code is Code.BLOCKED:
                detail = gates.blocked_detail(rule, day)
            elif code in (Code.BELOW_VOLUME, Code.DISABLED):
                detail = join_details(_variant_details(judged, cell, code))
            elif code is Code.SHORT_HISTORY:
                detail = f"needs {rule.min_history_days} days of history"
            result.append(_outcome(rule, day, code, detail, found[code]))
    return result


def _clear_details(judged: JudgedRule, cell: int, skipped: int, by_chance: int) -> Iterator[str]:
    """Why clear entities are clear, where it is not the thresholds."""
    if skipped:
        yield f"{skipped} out of scope"
    outcomes = judged.outcomes
    if by_chance and outcomes.tested is not None:
        tested = int(outcomes.tested[judged.rows.cell == cell].max())
        yield f"{by_chance} within chance among {tested} tested (false discovery rate {judged.rule.false_discovery:g})"


def _variant_details(judged: JudgedRule, cell: int, code: Code) -> Iterator[str]:
    """Floors that were not reached, or who switched the rule off: by the override of each row."""
    import numpy as np

    for row in np.flatnonzero((judged.rows.cell == cell) & (judged.outcomes.code == code)).tolist():
        override, floor = judged.override_at(row), judged.rule_at(row).floor
        if code is Code.DISABLED and override is not None:
            yield f"switched off by {override.owner} until {override.expires}: {override.reason}"
        elif floor is not None:
            yield f"needs {floor.text}"


def _rows_by_cell(judged: JudgedRule, calendar: Calendar, counts: npt.NDArray[np.int64]) -> dict[int, npt.NDArray[np.int64]]:
    """Rows with missing input of the asked cells that have any."""
    import numpy as np

    wanted = np.zeros(calendar.size, dtype=bool)
    for day in calendar.asked:
        cell = calendar.cell(day)
        wanted[cell] = counts[cell, Code.MISSING_INPUT] > 0
    if not wanted.any():
        return {}
    chosen = np.flatnonzero(wanted[judged.rows.cell] & (judged.outcomes.code == Code.MISSING_INPUT))
    chosen = chosen[np.argsort(judged.rows.cell[chosen], kind="stable")]
    cells, starts = np.unique(judged.rows.cell[chosen], return_index=True)
    return {int(cell): part for cell, part in zip(cells, np.split(chosen, starts[1:]), strict=True)}


def _missing_detail(judged: JudgedRule, gates: Gates, day: LocalDay, rows: npt.NDArray[np.int64] | None) -> str:
    never = gates.inputs.never_loaded(day, judged.rule.requires)
    if never:
        return join_details(f"{table} was never loaded" for table in never)
    return "" if rows is None else missing_detail(judged.rule, judged.scope.take(rows), judged.outcomes.stage[rows])


def _without_rows(rule: Rule, day: LocalDay, gates: Gates, *, has_rows_before: bool) -> RuleOutcome:
    never = gates.inputs.never_loaded(day, rule.requires)
    if never:
        return _outcome(rule, day, Code.MISSING_INPUT, join_details(f"{table} was never loaded" for table in never), 0)
    if gates.inputs.not_loaded(day, rule.requires):
        return _outcome(rule, day, Code.BLOCKED, gates.blocked_detail(rule, day), 0)
    if has_rows_before:
        return _outcome(rule, day, Code.CLEAR, f"nothing to evaluate: {rule.mart} has no row on this day", 0)
    return _outcome(rule, day, Code.MISSING_INPUT, f"{rule.mart} has no row for this advertiser", 0)


def _outcome(rule: Rule, day: LocalDay, code: Code, detail: str, entities: int) -> RuleOutcome:
    return RuleOutcome(
        advertiser_id=day.advertiser_id,
        date=day.day,
        rule_id=rule.id,
        outcome=code.outcome,
        reason=code.reason,
        detail=detail,
        entities=entities,
        is_shadow=rule.is_shadow,
    )


@dataclass(frozen=True)
class _SeenEntity:
    """An entity that fired in the window of an asked partition: its days up to the partition's, and the position of its rows."""

    partition: LocalDay
    key: tuple[str, ...]
    days: list[DayOutcome]
    rows: list[int]

    def doubtful(self, rule_id: str) -> list[ToldDay]:
        on = self.partition
        return [ToldDay(on.advertiser_id, rule_id, self.key, day) for day in doubtful_days(self.days, on.day)]

    def draft(self, overturned: Collection[date]) -> Draft | None:
        episode = episode_at(self.days, self.partition.day, overturned)
        return None if episode is None else Draft(self.partition, self.rows[episode.evidence], episode, self.days[-1].code)


def _seen_entities(judged: JudgedRule, calendar: Calendar) -> list[_SeenEntity]:
    """Entities that have a row on an asked day and fired in its window; sorted by partition and entity."""
    seen: list[_SeenEntity] = []
    window = timedelta(days=EPISODE_DAYS)
    for (advertiser_id, key), positions in _rows_of_fired_entities(judged):
        days = day_outcomes(judged, positions)
        dates = [day.day for day in days]
        fired = [day.day for day in days if day.code is Code.FIRED]
        for on in calendar.by_advertiser[advertiser_id]:
            end = bisect_right(dates, on)
            if not end or dates[end - 1] != on or bisect_left(fired, on - window) == bisect_right(fired, on):
                continue
            start = bisect_left(dates, on - window)
            seen.append(_SeenEntity(LocalDay(advertiser_id, on), key, days[start:end], positions[start:end]))
    return sorted(seen, key=lambda each: (each.partition, each.key))


def day_outcomes(judged: JudgedRule, positions: list[int]) -> list[DayOutcome]:
    """What episodes are made of, for the rows of one entity in the order of days."""
    outcomes, calendar = judged.outcomes, judged.rows.calendar
    return [
        DayOutcome(calendar.dates[cell % calendar.days], CODES[code], severity, is_settled)
        for cell, code, severity, is_settled in zip(
            judged.rows.cell[positions].tolist(),
            outcomes.code[positions].tolist(),
            outcomes.severity[positions].tolist(),
            outcomes.is_settled[positions].tolist(),
            strict=True,
        )
    ]


def _rows_of_fired_entities(judged: JudgedRule) -> Iterator[tuple[tuple[str, tuple[str, ...]], list[int]]]:
    """((advertiser, key of the entity), its rows by day) for every entity with a fired row.

    The id alone narrows the rows first: hashing one column of a million rows is cheap, building a million keys is not.
    """
    import numpy as np

    rows, entity = judged.rows, judged.rule.entity
    fired = judged.outcomes.code == Code.FIRED
    if not fired.any():
        return
    identity = rows.columns.frame[entity.id[0]]
    candidates = np.flatnonzero(identity.isin(identity[fired].unique()).to_numpy())
    candidates = candidates[np.argsort(rows.cell[candidates], kind="stable")]
    part = rows.columns.take(candidates)
    keys = zip(*(part.get(column).data for column in entity.columns), strict=True)
    advertisers = rows.cell[candidates] // rows.calendar.days
    grouped: dict[tuple[int, tuple[object, ...]], list[int]] = defaultdict(list)
    wanted: set[tuple[int, tuple[object, ...]]] = set()
    for row, advertiser, key, is_fired in zip(candidates.tolist(), advertisers.tolist(), keys, fired[candidates].tolist(), strict=True):
        grouped[advertiser, key].append(row)
        if is_fired:
            wanted.add((advertiser, key))
    named = sorted(
        ((rows.calendar.advertisers[advertiser], tuple(str(value) for value in key)), grouped[advertiser, key])
        for advertiser, key in wanted
    )
    for name, positions in named:
        cells = rows.cell[positions]
        repeated = np.flatnonzero(cells[1:] == cells[:-1])
        if len(repeated):
            day = rows.local_day(positions[int(repeated[0])])
            raise ValueError(f"features of '{rows.mart}' have two rows for {'/'.join(name[1])} on {day.key}: the grain must be unique")
        yield name, positions
