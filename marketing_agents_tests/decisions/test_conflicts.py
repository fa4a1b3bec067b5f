from dataclasses import dataclass

import pytest

from marketing_agents.decisions.conflicts import MATRIX
from marketing_agents.decisions.merge import decide
from marketing_agents.decisions.recommendation import Recommendation
from marketing_agents.rules.finding import Entity, Finding, Muted
from marketing_agents_tests.decisions.builders import (
    ACME,
    DAY,
    OPEN_POLICY,
    adgroup,
    analysis,
    budget_plan,
    calendar_event,
    campaign,
    conversion_action,
    finding,
    planned,
)  # fmt: skip


def listed(*findings: Finding) -> dict[str, Recommendation]:
    """The list by action, each finding proposed by a domain of its own."""
    analyses = [analysis(f"d{number}", item) for number, item in enumerate(findings)]
    return {r.action: r for r in decide(ACME, DAY, analyses, findings, OPEN_POLICY)}


def with_action(rule: str, action: str, entity: Entity, *, severity: str = "high", **parameters: float | str) -> Finding:
    return finding(rule, entity, planned(action, entity, **parameters), severity=severity)


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix: the finding that wins, the one whose action gives way."""

    row: str
    first: Finding
    second: Finding
    says: str


CELLS = [
    Cell("tracking_first", with_action("CONV-001", "FIX_TAG", conversion_action(), severity="critical"), with_action("MEDIA-001", "DECREASE_BUDGET", campaign(), step_pct=10.0), "until tracking is trusted"),
    Cell("tracking_first", with_action("CONV-001", "FIX_TAG", conversion_action(), severity="critical"), with_action("MEDIA-001", "ADJUST_BID_TARGET", campaign(), step_pct=10.0), "until tracking is trusted"),
    Cell("tracking_first", with_action("CONV-001", "FIX_TAG", conversion_action(), severity="critical"), with_action("MEDIA-002", "PAUSE_ENTITY", adgroup()), "until tracking is trusted"),
    Cell("tracking_first", with_action("CONV-004", "RECONCILE_CONVERSIONS", conversion_action(), severity="critical"), with_action("BUDGET-001", "DECREASE_BUDGET", budget_plan(), step_pct=10.0), "until tracking is trusted"),
    Cell("fix_before_pause", with_action("LP-001", "FIX_LANDING_PAGE", adgroup()), with_action("MEDIA-002", "PAUSE_ENTITY", adgroup()), "fix first"),
    Cell("fix_before_pause", with_action("PLAT-001", "APPEAL_POLICY", campaign()), with_action("MEDIA-002", "PAUSE_ENTITY", adgroup()), "fix first"),
    Cell("plan_before_peak", with_action("BUDGET-001", "DECREASE_BUDGET", budget_plan(), step_pct=10.0), with_action("SEAS-001", "INCREASE_BUDGET", calendar_event(), step_pct=20.0), "trade-off: GBP 1,000 against GBP 1,000"),
    Cell("plan_cap", with_action("BUDGET-001", "DECREASE_BUDGET", budget_plan(), step_pct=10.0), with_action("BUDGET-003", "INCREASE_BUDGET", campaign(), step_pct=20.0), "inside the plan"),
    Cell("efficiency_before_raise", with_action("MEDIA-001", "DECREASE_BUDGET", campaign(), step_pct=10.0), with_action("BUDGET-003", "INCREASE_BUDGET", campaign(), step_pct=20.0), "efficiency comes before volume"),
    Cell("efficiency_before_raise", with_action("MEDIA-002", "PAUSE_ENTITY", adgroup()), with_action("BUDGET-003", "INCREASE_BUDGET", campaign(), step_pct=20.0), "raise the good part only"),
    Cell("pause_before_raise", with_action("CREATIVE-001", "PAUSE_ENTITY", campaign()), with_action("BUDGET-003", "INCREASE_BUDGET", campaign(), step_pct=20.0), "gets no more money"),
    Cell("no_money_to_what_is_cut", with_action("MEDIA-001", "DECREASE_BUDGET", campaign("c2"), step_pct=10.0), with_action("BUDGET-004", "SHIFT_BUDGET", campaign("c1"), amount_per_day=10.0, receiver_campaign_id="c2"), "itself to spend less"),
    Cell("peak_before_price_alarm", with_action("SEAS-001", "INCREASE_BUDGET", calendar_event(), step_pct=20.0), with_action("MEDIA-005", "DECREASE_BUDGET", campaign(), step_pct=10.0), "expected during the event"),
    Cell("saturation_cheaper_step", with_action("CREATIVE-001", "REFRESH_CREATIVE", adgroup()), with_action("AUD-001", "EXPAND_AUDIENCE", adgroup()), "try this step first"),
    Cell("experiment_before_merge", with_action("CREATIVE-004", "RUN_EXPERIMENT", adgroup()), with_action("LEARN-001", "CONSOLIDATE_ADSETS", adgroup()), "experiment needs"),
    Cell("opposite_sign", with_action("AUD-007", "EXCLUDE_AUDIENCE", adgroup(), audience="x"), with_action("AUD-001", "EXPAND_AUDIENCE", adgroup()), "opposite is proposed"),
    Cell("opposite_sign", with_action("BUDGET-004", "DECREASE_BUDGET", campaign(), step_pct=10.0), with_action("BUDGET-003", "INCREASE_BUDGET", campaign(), step_pct=20.0), "opposite is proposed"),
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.row}-{cell.second.playbook[0].action}")
def test_the_second_gives_way_and_stays_visible_with_the_reason(cell: Cell) -> None:
    result = listed(cell.first, cell.second)
    first, second = result[cell.first.playbook[0].action], result[cell.second.playbook[0].action]
    assert first.rank is not None
    assert (second.status, second.rank) == ("held", None)
    assert cell.says in second.reasons[0]
    assert cell.first.entity.name in second.reasons[0]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.row}-{cell.second.playbook[0].action}")
def test_without_the_first_nothing_is_held(cell: Cell) -> None:
    assert listed(cell.second)[cell.second.playbook[0].action].status != "held"


def test_every_row_of_the_matrix_has_a_cell_or_a_test_of_its_own() -> None:
    assert {row.id for row in MATRIX} == {cell.row for cell in CELLS} | {"bid_against_pacing"}


def test_a_lower_bid_against_an_underspent_plan_is_a_trade_off_that_is_shown_on_both() -> None:
    result = listed(
        with_action("BUDGET-002", "INCREASE_BUDGET", budget_plan(), step_pct=10.0),
        with_action("MEDIA-003", "ADJUST_BID_TARGET", campaign(), step_pct=-10.0),
    )
    assert [r.status for r in result.values()] == ["needs_approval", "needs_approval"]
    assert any("trade-off" in reason for reason in result["ADJUST_BID_TARGET"].reasons)
    assert any("trade-off" in reason for reason in result["INCREASE_BUDGET"].reasons)


def test_the_held_peak_is_named_on_the_plan_that_holds_it() -> None:
    result = listed(
        with_action("BUDGET-001", "DECREASE_BUDGET", budget_plan(), step_pct=10.0),
        with_action("SEAS-001", "INCREASE_BUDGET", calendar_event(), step_pct=20.0),
    )
    assert any("trade-off with: Raise the budget by 20% on 'Black Friday'" in reason for reason in result["DECREASE_BUDGET"].reasons)


@pytest.mark.parametrize(
    ("changes", "entity"),
    [
        ({"severity": "high"}, conversion_action()),
        ({"severity": "critical"}, conversion_action("another account")),
        ({"severity": "critical", "episode_state": "resolved"}, conversion_action()),
        ({"severity": "critical", "suppressed_by": ("PLAT-004.x",)}, conversion_action()),
    ],
)
def test_only_an_open_unexplained_critical_tracking_finding_of_the_account_holds(changes: dict[str, object], entity: Entity) -> None:
    tracking = finding("CONV-001", entity, planned("FIX_TAG", entity), **changes)
    assert (
        listed(tracking, with_action("MEDIA-001", "DECREASE_BUDGET", campaign(), step_pct=10.0))["DECREASE_BUDGET"].status
        == "needs_approval"
    )


@pytest.mark.parametrize(
    ("verdict", "was_open", "status"), [("mute", True, "held"), ("mute", False, "needs_approval"), ("wrong", True, "needs_approval")]
)
def test_a_muted_finding_that_is_true_still_holds(verdict: str, was_open: bool, status: str) -> None:
    by = Muted(feedback_id="n1", verdict=verdict, author="jane", until=None, reason=None, was_open=was_open)
    tracking = finding("CONV-001", conversion_action(), severity="critical", episode_state="muted", muted=by)
    assert listed(tracking, with_action("MEDIA-001", "DECREASE_BUDGET", campaign(), step_pct=10.0))["DECREASE_BUDGET"].status == status


def test_tracking_holds_even_when_its_own_repair_was_refused() -> None:
    tracking = finding("CONV-001", conversion_action(), severity="critical")
    assert listed(tracking, with_action("MEDIA-001", "DECREASE_BUDGET", campaign(), step_pct=10.0))["DECREASE_BUDGET"].status == "held"


def test_what_is_held_wins_against_nobody() -> None:
    # The decrease may only be watched, so it is no reason to hold the raise.
    watched = finding("MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0), action_limit="monitor_only")
    result = listed(watched, with_action("BUDGET-003", "INCREASE_BUDGET", campaign(), step_pct=10.0))
    assert (result["DECREASE_BUDGET"].status, result["INCREASE_BUDGET"].status) == ("held", "needs_approval")


def test_a_refused_cut_holds_nothing_back() -> None:
    refused = finding("MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=-10.0))
    result = listed(refused, with_action("BUDGET-003", "INCREASE_BUDGET", campaign(), step_pct=10.0))
    assert (result["DECREASE_BUDGET"].status, result["INCREASE_BUDGET"].status) == ("blocked", "needs_approval")


def test_moving_budget_away_contradicts_raising_it() -> None:
    result = listed(
        with_action("BUDGET-004", "SHIFT_BUDGET", campaign(), amount_per_day=10.0, receiver_campaign_id="c2"),
        with_action("BUDGET-003", "INCREASE_BUDGET", campaign(), step_pct=10.0),
    )
    assert (result["SHIFT_BUDGET"].status, result["INCREASE_BUDGET"].status) == ("needs_approval", "held")


def test_creative_work_goes_on_while_tracking_is_broken() -> None:
    result = listed(
        with_action("CONV-001", "FIX_TAG", conversion_action(), severity="critical"),
        with_action("CREATIVE-004", "ROTATE_IN_NEW_VARIANT", adgroup()),
    )
    assert result["ROTATE_IN_NEW_VARIANT"].status == "needs_approval"
