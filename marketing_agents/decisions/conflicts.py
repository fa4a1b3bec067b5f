"""Which of two actions gives way: the resolution matrix, as data.

One row per cell of the matrix (research, rules catalogue section 5), in the order in which they are applied. The left side is either a finding
that is open (its mere existence decides, whatever was proposed about it) or an action that is still active; the right side is always an action.
A row that holds an action takes it out of the game: it can no longer win against others. Nothing disappears: a held action stays in the
list with the reason.

Three cells need more than the day's proposals (past actions for cool-downs, a delivery preview for exclusions, end dates of experiments) and
are no rows yet: they need inputs that `resolve` does not get.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from marketing_agents.agents.outside_text import clean
from marketing_agents.decisions.candidate import Candidate, name_findings
from marketing_agents.decisions.scope import Scope, is_within
from marketing_agents.decisions.wording import describe_action, format_money
from marketing_agents.rules.finding import SEVERITIES, Finding, Severity


class Resolution(StrEnum):
    """`HOLD`: the right side waits. `TRADE_OFF`: both stay, each names the other and both amounts. `HOLD_TRADE_OFF`: the right side waits and both
    name each other, so that a person can decide otherwise.
    """

    HOLD = "hold"
    TRADE_OFF = "trade_off"
    HOLD_TRADE_OFF = "hold_trade_off"


@dataclass(frozen=True)
class FindingSide:
    """An open finding that nothing else explains, of one of these rules and at least this severe."""

    rules: frozenset[str]
    at_least: Severity = "low"


@dataclass(frozen=True)
class ActionSide:
    """An active action. Empty sets mean 'any'; `direction` None means any."""

    actions: frozenset[str] = frozenset()
    levers: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    direction: int | None = None

    def matches(self, candidate: Candidate) -> bool:
        return (
            (not self.actions or candidate.action in self.actions)
            and (not self.levers or candidate.lever in self.levers)
            and (not self.rules or not self.rules.isdisjoint(candidate.rule_ids))
            and (self.direction is None or candidate.direction == self.direction)
        )


@dataclass(frozen=True)
class ConflictRow:
    """One cell: when `first` and `second` meet within `scope`, `second` gives way as `resolution` says.

    `reason` may use {first} (what the left side is, with its entity). `same_lever`: only when both move the same lever. `to_receiver`: the left
    side's entity is the one that the right side would move budget to (in place of `scope`).
    """

    id: str
    first: FindingSide | ActionSide
    second: ActionSide
    scope: Scope
    resolution: Resolution
    reason: str
    same_lever: bool = False
    to_receiver: bool = False


def _of(*names: str) -> frozenset[str]:
    return frozenset(names)


TRACKING_RULES = _of("CONV-001", "CONV-003", "CONV-004", "CONV-007")
EFFICIENCY_RULES = _of("MEDIA-001", "MEDIA-002")
_RAISE = ActionSide(actions=_of("INCREASE_BUDGET"))

MATRIX: tuple[ConflictRow, ...] = (
    ConflictRow(
        "tracking_first",
        FindingSide(TRACKING_RULES, at_least="critical"),
        ActionSide(levers=_of("budget", "bid", "status")),
        Scope.ACCOUNT,
        Resolution.HOLD,
        "held until tracking is trusted: {first}",
    ),
    ConflictRow(
        "fix_before_pause",
        FindingSide(_of("PLAT-001", "LP-001")),
        ActionSide(actions=_of("PAUSE_ENTITY")),
        Scope.LINE,
        Resolution.HOLD,
        "fix first, pausing would hide the cause: {first}",
    ),
    ConflictRow(
        "plan_before_peak",
        FindingSide(_of("BUDGET-001")),
        ActionSide(actions=_of("INCREASE_BUDGET"), rules=_of("SEAS-001")),
        Scope.ACCOUNT,
        Resolution.HOLD_TRADE_OFF,
        "a peak is coming, but the plan is being overspent: agree a larger plan first, or take the money from elsewhere: {first}",
    ),
    ConflictRow(
        "plan_cap",
        FindingSide(_of("BUDGET-001")),
        _RAISE,
        Scope.ACCOUNT,
        Resolution.HOLD,
        "the plan is being overspent: move money inside the plan in place of adding to it: {first}",
    ),
    ConflictRow(
        "efficiency_before_raise",
        ActionSide(actions=_of("DECREASE_BUDGET", "PAUSE_ENTITY", "ADJUST_BID_TARGET", "SHIFT_BUDGET"), rules=EFFICIENCY_RULES),
        _RAISE,
        Scope.LINE,
        Resolution.HOLD,
        "efficiency comes before volume; where good and bad parts are mixed, raise the good part only: {first}",
    ),
    ConflictRow(
        "pause_before_raise",
        ActionSide(actions=_of("PAUSE_ENTITY")),
        _RAISE,
        Scope.ENTITY,
        Resolution.HOLD,
        "what is to be paused gets no more money: {first}",
    ),
    ConflictRow(
        "no_money_to_what_is_cut",
        ActionSide(actions=_of("DECREASE_BUDGET", "PAUSE_ENTITY", "SHIFT_BUDGET")),
        ActionSide(actions=_of("SHIFT_BUDGET")),
        Scope.ENTITY,
        Resolution.HOLD,
        "the campaign that would receive the money is itself to spend less: {first}",
        to_receiver=True,
    ),
    ConflictRow(
        "peak_before_price_alarm",
        ActionSide(actions=_of("INCREASE_BUDGET"), rules=_of("SEAS-001")),
        ActionSide(levers=_of("budget", "bid"), rules=_of("MEDIA-005"), direction=-1),
        Scope.ADVERTISER,
        Resolution.HOLD,
        "higher prices are expected during the event: {first}",
    ),
    ConflictRow(
        "bid_against_pacing",
        ActionSide(rules=_of("BUDGET-002")),
        ActionSide(actions=_of("ADJUST_BID_TARGET"), direction=-1),
        Scope.ACCOUNT,
        Resolution.TRADE_OFF,
        "a lower bid target makes an underspent plan harder to reach: {first}",
    ),
    ConflictRow(
        "saturation_cheaper_step",
        ActionSide(actions=_of("REFRESH_CREATIVE"), rules=_of("CREATIVE-001")),
        ActionSide(actions=_of("EXPAND_AUDIENCE"), rules=_of("AUD-001", "AUD-002")),
        Scope.LINE,
        Resolution.HOLD,
        "same root, people have seen it too often: try this step first: {first}",
    ),
    ConflictRow(
        "experiment_before_merge",
        ActionSide(actions=_of("RUN_EXPERIMENT")),
        ActionSide(actions=_of("CONSOLIDATE_ADSETS")),
        Scope.LINE,
        Resolution.HOLD,
        "the experiment needs the ad groups as they are: {first}",
    ),
    ConflictRow(
        "opposite_sign",
        ActionSide(direction=-1),
        ActionSide(direction=1),
        Scope.LINE,
        Resolution.HOLD,
        "the opposite is proposed for the same lever, and the careful step comes first: {first}",
        same_lever=True,
    ),
)


def resolve(
    candidates: Sequence[Candidate], findings: Mapping[str, Finding], *, currency: str, matrix: Sequence[ConflictRow] = MATRIX
) -> list[Candidate]:
    """The candidates with conflicts resolved, in id order; the same for any order of the input.

    Args:
        candidates: merged candidates, one per entity and action.
        findings: the day's findings by id.
        currency: base currency, for amounts in reasons.
        matrix: rows in the order in which they are applied.
    """
    current = {c.recommendation_id: c for c in candidates}
    for row in matrix:
        if isinstance(row.first, FindingSide):
            _apply_finding_row(row, row.first, current, findings, currency)
        else:
            _apply_action_row(row, row.first, current, currency)
    return [current[key] for key in sorted(current)]


def _apply_finding_row(
    row: ConflictRow, first: FindingSide, current: dict[str, Candidate], findings: Mapping[str, Finding], currency: str
) -> None:
    deciding = [f for _, f in sorted(findings.items()) if _decides(first, f)]
    for key in sorted(current):
        candidate = current[key]
        against = [f for f in deciding if is_within(row.scope, f.entity, candidate.entity)]
        if not against or not candidate.is_active or not row.second.matches(candidate):
            continue
        current[key] = _give_way(
            row, candidate, name_findings([f.finding_id for f in against], findings), against[0].money_at_stake, currency
        )
        if row.resolution is not Resolution.HOLD:
            own = {f.finding_id for f in against}
            for other in sorted(current):
                if own & set(current[other].finding_ids):
                    current[other] = current[other].with_note(_trade_off_note(candidate, currency))


def _apply_action_row(row: ConflictRow, first: ActionSide, current: dict[str, Candidate], currency: str) -> None:
    for key in sorted(current):
        candidate = current[key]
        if not candidate.is_active or not row.second.matches(candidate):
            continue
        for other_key in sorted(current):
            other = current[other_key]
            if other_key == key or not other.is_active or not first.matches(other) or not _meet(row, other, candidate):
                continue
            current[key] = _give_way(row, candidate, _name(other, currency), other.money_at_stake, currency)
            if row.resolution is not Resolution.HOLD:
                current[other_key] = other.with_note(_trade_off_note(candidate, currency))
            break


def _meet(row: ConflictRow, first: Candidate, second: Candidate) -> bool:
    if row.to_receiver:
        receiver = second.parameters.get("receiver_campaign_id")
        return first.entity.type == "campaign" and receiver == first.entity.id and first.entity.platform == second.entity.platform
    if row.same_lever and (first.lever != second.lever or first.lever == "none"):
        return False
    return is_within(row.scope, first.entity, second.entity)


def _decides(side: FindingSide, finding: Finding) -> bool:
    return (
        finding.rule_id in side.rules
        and finding.holds
        # Explained by another finding (stale data, say) it proves nothing by itself.
        and not finding.suppressed_by
        and SEVERITIES.index(finding.severity) >= SEVERITIES.index(side.at_least)
    )


def _give_way(row: ConflictRow, candidate: Candidate, first: str, first_money: float | None, currency: str) -> Candidate:
    reason = row.reason.format(first=first)
    if row.resolution is not Resolution.HOLD:
        reason += (
            f" (trade-off: {format_money(first_money, currency)} against {format_money(candidate.money_at_stake, currency)} in 7 days)"
        )
    return candidate.with_note(reason) if row.resolution is Resolution.TRADE_OFF else candidate.with_status("held", reason)


def _trade_off_note(candidate: Candidate, currency: str) -> str:
    return f"trade-off with: {_name(candidate, currency)}, {format_money(candidate.money_at_stake, currency)} in 7 days at stake there"


def _name(candidate: Candidate, currency: str) -> str:
    action = describe_action(candidate.action, candidate.parameters, currency)
    return f"{action} on '{clean(candidate.entity.name)}' ({', '.join(candidate.rule_ids)})"
