"""What a rule says about every row: fired with a severity, clear, out of scope, or not evaluable and why. Vectorised over all rows.

Order of the checks: table never loaded -> out of scope -> blocked by data -> short history -> floor -> severities -> test -> false discovery. A
check whose answer is missing makes the row `missing_input`; `stage` remembers which one, so that the missing columns can be named.

`judge` looks at rows one by one; `settle` then looks at the rows of a day together (false discovery), and so makes the outcome final.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

from marketing_agents.rules.expression import Expression
from marketing_agents.rules.finding import SEVERITIES, Frozen

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from marketing_agents.rules.interpret import Scope
    from marketing_agents.rules.rule import Rule
    from marketing_agents.rules.vectors import Mask

    Codes = npt.NDArray[np.int8]
    Numbers = npt.NDArray[np.float64]
    Positions = npt.NDArray[np.int64]

Outcome = Literal["fired", "clear", "not_evaluable"]
Reason = Literal["", "missing_input", "below_minimum_volume", "blocked_by_data", "short_history", "disabled"]


class Code(IntEnum):
    """Outcome of one row. SKIPPED = out of scope, FALSE_DISCOVERY = a severity held, but among so many tests chance explains it: both count as
    clear.
    """

    SKIPPED = 0
    CLEAR = 1
    FIRED = 2
    MISSING_INPUT = 3
    BLOCKED = 4
    BELOW_VOLUME = 5
    SHORT_HISTORY = 6
    FALSE_DISCOVERY = 7
    DISABLED = 8

    @property
    def is_clear(self) -> bool:
        return self in (Code.CLEAR, Code.SKIPPED, Code.FALSE_DISCOVERY)

    @property
    def outcome(self) -> Outcome:
        if self is Code.FIRED:
            return "fired"
        return "clear" if self.is_clear else "not_evaluable"

    @property
    def reason(self) -> Reason:
        return _REASONS.get(self, "")


CODES = tuple(Code)
_REASONS: dict[Code, Reason] = {
    Code.MISSING_INPUT: "missing_input",
    Code.BLOCKED: "blocked_by_data",
    Code.BELOW_VOLUME: "below_minimum_volume",
    Code.SHORT_HISTORY: "short_history",
    Code.DISABLED: "disabled",
}


class Stage(IntEnum):
    """The check that could not be answered (rows with MISSING_INPUT only)."""

    NONE = 0
    TABLE = 1
    APPLIES = 2
    FLOOR = 3
    WHEN = 4
    TEST = 5


@dataclass(frozen=True)
class Verdicts:
    """One entry per row, before the rows of a day are looked at together. `code`: Code; `severity`: 0 = none, 1 = low .. 4 = critical (fired
    rows only); `stage`: Stage; `resolves`: where `resolve_when` holds; `p_value`: of the rows that were tested, else NaN (rules with
    `false_discovery` only).
    """

    code: Codes
    severity: Codes
    stage: Codes
    resolves: Mask
    p_value: Numbers | None = None


@dataclass(frozen=True)
class RowOutcomes:
    """One entry per row. `code`, `severity`, `stage` as in `Verdicts`; `is_settled`: a clear day that counts towards the end of an episode.
    Of rules with `false_discovery`: `adjusted_p` (NaN where nothing was tested) and `tested`, the number of entities tested on the day.
    """

    code: Codes
    severity: Codes
    stage: Codes
    is_settled: Mask
    adjusted_p: Numbers | None = None
    tested: Positions | None = None


class RuleOutcome(Frozen):
    """One row of the result table `rule_evaluations`: entities of a day with one outcome and reason of one rule."""

    advertiser_id: str
    date: date
    rule_id: str
    outcome: Outcome
    reason: Reason
    detail: str
    entities: int
    is_shadow: bool = False


def judge(rule: Rule, scope: Scope, never_loaded: Mask, blocked: Mask) -> Verdicts:
    """What the rule says about all rows of `scope`. The masks come from the data gates (`gates.py`)."""
    import numpy as np

    from marketing_agents.rules.vectors import FALSE, TRUE, UNKNOWN

    rows = len(scope.columns)
    code = np.full(rows, -1, dtype="int8")
    stage = np.zeros(rows, dtype="int8")

    def decide(mask: Mask, outcome: Code, at: Stage = Stage.NONE) -> None:
        chosen = mask & (code < 0)
        code[chosen] = outcome
        stage[chosen] = at

    decide(never_loaded, Code.MISSING_INPUT, Stage.TABLE)
    if rule.applies is not None:
        applies = scope.compute(rule.applies).data
        decide(applies == FALSE, Code.SKIPPED)
    decide(blocked, Code.BLOCKED)
    if rule.applies is not None:
        decide(applies == UNKNOWN, Code.MISSING_INPUT, Stage.APPLIES)
    if rule.min_history_days:
        history = np.nan_to_num(scope.get("history_days").data, nan=0.0)
        decide(history < rule.min_history_days, Code.SHORT_HISTORY)
    if rule.floor is not None:
        floor = scope.compute(rule.floor).data
        decide(floor == FALSE, Code.BELOW_VOLUME)
        decide(floor == UNKNOWN, Code.MISSING_INPUT, Stage.FLOOR)

    severity = np.zeros(rows, dtype="int8")
    is_unknown = np.zeros(rows, dtype=bool)
    for name, condition in rule.when.items():
        truth = scope.compute(condition).data
        severity[truth == TRUE] = SEVERITIES.index(name) + 1
        is_unknown |= truth == UNKNOWN
    decide((severity == 0) & is_unknown, Code.MISSING_INPUT, Stage.WHEN)

    p_value = _judge_tests(rule, scope, severity, code, stage)
    decide(severity > 0, Code.FIRED)
    decide(severity == 0, Code.CLEAR)
    severity[code != Code.FIRED] = 0
    resolves = np.ones(rows, dtype=bool) if rule.resolve_when is None else scope.compute(rule.resolve_when).data == TRUE
    return Verdicts(code, severity, stage, resolves, p_value)


def _judge_tests(rule: Rule, scope: Scope, severity: Codes, code: Codes, stage: Codes) -> Numbers | None:
    """Decides undecided rows with a severity by the rule's test; the p-values of all undecided rows where `false_discovery` needs them."""
    import numpy as np

    from marketing_agents.rules.statistics import only_probabilities

    if rule.test is None:
        return None
    is_family_tested = rule.false_discovery is not None
    p_value = np.where(code < 0, only_probabilities(scope.compute(rule.test.p_value).data), np.nan) if is_family_tested else None
    candidates = np.flatnonzero((severity > 0) & (code < 0))
    if len(candidates) and (rule.test.below is not None or is_family_tested):
        # Tails are dear to compute and matter only where a severity holds.
        own = only_probabilities(scope.take(candidates).compute(rule.test.p_value).data) if p_value is None else p_value[candidates]
        if rule.test.below is not None:
            code[candidates[own >= rule.test.below]] = Code.CLEAR
        absent = candidates[np.isnan(own)]
        code[absent] = Code.MISSING_INPUT
        stage[absent] = Stage.TEST
    return p_value


def judge_variants(
    rule: Rule, variants: Sequence[Rule | None], chosen: npt.NDArray[np.int16] | None, scope: Scope, never_loaded: Mask, blocked: Mask
) -> Verdicts:
    """`judge`, where some rows have another variant of the rule. `chosen`: position in `variants` by row, -1 = the rule itself; a variant None
    is switched off.
    """
    import numpy as np

    base = judge(rule, scope, never_loaded, blocked)
    if chosen is None:
        return base
    p_value = None if base.p_value is None else base.p_value.copy()
    merged = Verdicts(base.code.copy(), base.severity.copy(), base.stage.copy(), base.resolves.copy(), p_value)
    for position, variant in enumerate(variants):
        rows = np.flatnonzero(chosen == position)
        if not len(rows):
            continue
        if variant is None:
            merged.code[rows], merged.severity[rows], merged.stage[rows] = Code.DISABLED, 0, Stage.NONE
            if merged.p_value is not None:
                merged.p_value[rows] = np.nan
            continue
        own = judge(variant, scope.take(rows), never_loaded[rows], blocked[rows])
        merged.code[rows], merged.severity[rows], merged.stage[rows], merged.resolves[rows] = (
            own.code,
            own.severity,
            own.stage,
            own.resolves,
        )
        if merged.p_value is not None and own.p_value is not None:
            merged.p_value[rows] = own.p_value
    return merged


def settle(rule: Rule, verdicts: Verdicts, families: Positions) -> RowOutcomes:
    """Final outcomes. `families`: rows with the same number were tested together (those of one advertiser and day)."""
    import numpy as np

    from marketing_agents.rules.statistics import false_discovery_control

    code, severity, adjusted, tested = verdicts.code, verdicts.severity, None, None
    if rule.false_discovery is not None and verdicts.p_value is not None:
        adjusted, tested = false_discovery_control(verdicts.p_value, families)
        by_chance = (code == Code.FIRED) & (adjusted > rule.false_discovery)
        code = np.where(by_chance, np.int8(Code.FALSE_DISCOVERY), code)
        severity = np.where(by_chance, np.int8(0), severity)
    is_clear = (code == Code.CLEAR) | (code == Code.FALSE_DISCOVERY)
    return RowOutcomes(code, severity, verdicts.stage, (is_clear & verdicts.resolves) | (code == Code.SKIPPED), adjusted, tested)


def stage_expressions(rule: Rule, stage: Stage) -> tuple[Expression, ...]:
    """The expressions of one check."""
    match stage:
        case Stage.APPLIES:
            return (rule.applies,) if rule.applies else ()
        case Stage.FLOOR:
            return (rule.floor,) if rule.floor else ()
        case Stage.WHEN:
            return tuple(rule.when.values())
        case Stage.TEST:
            return (rule.test.p_value,) if rule.test else ()
        case _:
            return ()


def missing_detail(rule: Rule, scope: Scope, stages: Codes) -> str:
    """Why rows are `missing_input`: exchange rates and empty columns, each once, with the number of rows where it is not all of them."""
    import numpy as np

    counts: dict[str, int] = {}
    pairs = scope.get("missing_fx_pair")
    has_pair = ~pairs.missing() & (pairs.spread(len(stages)).data != "")
    for pair in sorted({str(value) for value in pairs.data[has_pair]}):
        counts[f"no exchange rate {pair}"] = int((pairs.data == pair).sum())
    for stage in sorted({int(value) for value in stages}):
        at_stage = (stages == stage) & ~has_pair
        if stage == Stage.TABLE or not at_stage.any():
            continue
        columns = sorted({column for expression in stage_expressions(rule, Stage(stage)) for column in rule.base_columns(expression)})
        explained = np.zeros(len(stages), dtype=bool)
        for column in columns:
            absent = scope.get(column).missing() & at_stage
            explained |= absent
            if absent.any():
                text = f"{column} is empty"
                counts[text] = counts.get(text, 0) + int(absent.sum())
        unexplained = int((at_stage & ~explained).sum())
        if unexplained:
            names = ", ".join(sorted({name for expression in stage_expressions(rule, Stage(stage)) for name in expression.names}))
            why = "division by zero, or no probability" if stage == Stage.TEST else "division by zero"
            counts[f"{names} cannot be computed ({why})"] = unexplained
    return join_details(text if count == len(stages) else f"{text} ({count} of {len(stages)})" for text, count in counts.items())


def join_details(parts: Iterable[str], most: int = 6) -> str:
    """Parts as one line; what is beyond `most` is counted."""
    listed = list(dict.fromkeys(parts))
    shown = "; ".join(listed[:most])
    return f"{shown}; and {len(listed) - most} more" if len(listed) > most else shown
