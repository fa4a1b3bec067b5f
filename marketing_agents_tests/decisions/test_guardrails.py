import math

import pytest

from marketing_agents.decisions.actions import ACTIONS
from marketing_agents.decisions.guardrails import Guarded, guard, is_executable
from marketing_agents.decisions.policy import ApprovalLimits, HardCaps, PauseLimits, Policy, PolicyFile
from marketing_agents.rules.finding import Entity, Fact, PlannedAction, Unit
from marketing_agents_tests.decisions.builders import (
    DAY,
    OPEN_POLICY,
    budget_plan,
    calendar_event,
    campaign,
    fact,
    finding,
    planned,
    proposals_of,
)


def verdict(action: PlannedAction, policy: Policy = OPEN_POLICY, *facts: Fact, entity: Entity | None = None, **changes: object) -> Guarded:
    item = finding("MEDIA-001", entity or action.entity, action, facts=facts, **changes)
    return guard(proposals_of(item, "media_performance")[0], {item.finding_id: item}, policy, DAY)


def policy(**limits: object) -> Policy:
    return Policy(limits=PolicyFile(version=1, autonomy="approval", **limits))


COMPLETE: dict[str, dict[str, float | str]] = {
    "step_pct": {"step_pct": 10.0},
    "amount_per_day": {"amount_per_day": 50.0},
    "receiver_campaign_id": {"receiver_campaign_id": "c2"},
    "audience": {"audience": "purchasers"},
    "table": {"table": "ad_performance_daily"},
    "days": {"days": 3.0},
}


def complete(action: str) -> PlannedAction:
    parameters: dict[str, float | str] = {}
    for name in ACTIONS[action].parameters:
        parameters |= COMPLETE[name]
    return planned(action, campaign(), **parameters)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_complete_action_needs_approval_exactly_when_it_changes_a_platform(action: str) -> None:
    assert verdict(complete(action)).status == ("needs_approval" if ACTIONS[action].approval == "human" else "proposed")


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_under_a_broken_policy_nothing_that_changes_a_platform_stands(action: str) -> None:
    result = verdict(complete(action), Policy.broken("policy acme.yaml is not valid"))
    if is_executable(action):
        assert result.status == "blocked"
        assert result.reasons[0] == "advice only: policy acme.yaml is not valid"
        assert result.is_in_order
    else:
        assert result.status == "proposed"


@pytest.mark.parametrize("action", [a for a in sorted(ACTIONS) if ACTIONS[a].parameters])
def test_a_missing_parameter_blocks(action: str) -> None:
    result = verdict(planned(action, campaign()))
    assert (result.status, result.is_in_order) == ("blocked", False)
    assert f"parameter {ACTIONS[action].parameters[0]} is missing" in result.reasons


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("DECREASE_BUDGET", {"step_pct": math.nan}),
        ("DECREASE_BUDGET", {"step_pct": math.inf}),
        ("DECREASE_BUDGET", {"step_pct": -5.0}),
        ("DECREASE_BUDGET", {"step_pct": 0.0}),
        ("DECREASE_BUDGET", {"step_pct": "20"}),
        ("DECREASE_BUDGET", {"step_pct": 10.0, "extra": math.nan}),
        ("ADJUST_BID_TARGET", {"step_pct": 0.0}),
        ("SHIFT_BUDGET", {"amount_per_day": -1.0, "receiver_campaign_id": "c2"}),
        ("SHIFT_BUDGET", {"amount_per_day": 10.0, "receiver_campaign_id": ""}),
        ("SHIFT_BUDGET", {"amount_per_day": 10.0, "receiver_campaign_id": 12.0}),
        ("SHIFT_BUDGET", {"amount_per_day": 10.0, "receiver_campaign_id": "c1"}),
        ("EXCLUDE_AUDIENCE", {"audience": "  "}),
        ("RERUN_INGEST", {"table": "ad_performance_daily", "days": -1.0}),
    ],
)
def test_senseless_parameters_block_and_nothing_infinite_is_kept(action: str, parameters: dict[str, float | str]) -> None:
    result = verdict(planned(action, campaign(), **parameters))
    assert result.status == "blocked"
    assert not result.is_in_order
    assert all(isinstance(v, str) or math.isfinite(v) for v in result.parameters.values())


def test_an_unknown_action_blocks() -> None:
    result = verdict(planned("DELETE_ACCOUNT", campaign()))
    assert (result.status, result.is_in_order) == ("blocked", False)
    assert "DELETE_ACCOUNT" in result.reasons[0]


def test_a_proposal_without_a_finding_of_the_day_blocks() -> None:
    item = finding("MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0))
    assert guard(proposals_of(item, "budget")[0], {}, OPEN_POLICY, DAY).reasons == ("no finding of the day supports it",)


@pytest.mark.parametrize(
    ("action", "asked", "kept"),
    [
        ("DECREASE_BUDGET", 35.0, 20.0),
        ("INCREASE_BUDGET", 20.0, 20.0),
        ("ADJUST_BID_TARGET", 40.0, 15.0),
        ("ADJUST_BID_TARGET", -40.0, -15.0),
        ("DECREASE_BUDGET", 5.0, 5.0),
    ],
)
def test_a_step_is_cut_to_the_limit_with_a_note(action: str, asked: float, kept: float) -> None:
    result = verdict(planned(action, campaign(), step_pct=asked))
    assert result.parameters["step_pct"] == kept
    assert any("cut from" in reason for reason in result.reasons) == (asked != kept)


def test_a_shift_is_cut_to_the_share_of_a_known_budget() -> None:
    result = verdict(
        planned("SHIFT_BUDGET", campaign(), amount_per_day=90.0, receiver_campaign_id="c2"),
        OPEN_POLICY,
        fact("daily_budget", 200.0, Unit.MONEY),
    )
    assert result.parameters["amount_per_day"] == 40.0


def test_fixed_maxima_hold_for_everybody() -> None:
    result = verdict(planned("FREEZE_CHANGES", campaign(), days=90.0))
    assert (result.status, result.parameters["days"]) == ("proposed", 7)


@pytest.mark.parametrize(
    ("budget", "cap", "status"),
    [
        (100.0, 125.0, "needs_approval"),
        (100.0, 120.0, "needs_approval"),
        (100.0, 119.0, "blocked"),
        (None, 1000.0, "blocked"),
        (None, None, "needs_approval"),
    ],
)
def test_a_raise_never_passes_a_hard_cap_and_is_not_trusted_when_the_budget_is_unknown(
    budget: float | None, cap: float | None, status: str
) -> None:
    facts = [fact("daily_budget", budget, Unit.MONEY)] if budget is not None else []
    result = verdict(planned("INCREASE_BUDGET", campaign(), step_pct=20.0), policy(never_above=HardCaps(budget_per_day=cap)), *facts)
    assert result.status == status


def test_a_raise_for_an_event_is_held_against_the_total() -> None:
    caps = policy(never_above=HardCaps(budget_per_day=10, total_per_day=1100))
    action = planned("INCREASE_BUDGET", calendar_event(), step_pct=20.0)
    assert verdict(action, caps, fact("planned_spend_per_day", 900.0, Unit.MONEY)).status == "needs_approval"
    assert verdict(action, caps, fact("planned_spend_per_day", 1000.0, Unit.MONEY)).status == "blocked"


def test_a_decrease_needs_no_known_budget() -> None:
    assert (
        verdict(planned("DECREASE_BUDGET", budget_plan(), step_pct=20.0), policy(never_above=HardCaps(total_per_day=1))).status
        == "needs_approval"
    )


@pytest.mark.parametrize("protected", ["c1", "a1"])
def test_a_protected_entity_and_what_it_contains_is_left_alone(protected: str) -> None:
    result = verdict(planned("DECREASE_BUDGET", campaign(), step_pct=10.0), policy(protected_entities=(protected,)))
    assert (result.status, result.is_in_order) == ("blocked", False)


def test_a_protected_receiver_gets_no_budget() -> None:
    result = verdict(
        planned("SHIFT_BUDGET", campaign(), amount_per_day=10.0, receiver_campaign_id="c2"), policy(protected_entities=("c2",))
    )
    assert result.status == "blocked"


@pytest.mark.parametrize(
    ("age", "spend", "status", "said"),
    [
        (30.0, 500.0, "needs_approval", ""),
        (6.0, 500.0, "blocked", "too young"),
        (30.0, 99.0, "blocked", "too little spend"),
        (None, None, "needs_approval", "age and spend not known"),
    ],
)
def test_pausing_needs_age_and_spend_when_they_are_known(age: float | None, spend: float | None, status: str, said: str) -> None:
    facts = [fact(n, v) for n, v in (("history_days", age), ("spend_w28", spend)) if v is not None]
    result = verdict(planned("PAUSE_ENTITY", campaign()), policy(pause=PauseLimits()), *facts)
    assert result.status == status
    assert said in " | ".join(result.reasons)


def test_large_amounts_need_two_people() -> None:
    limits = policy(approval=ApprovalLimits(second_person_above=500))
    assert "two people" in " | ".join(verdict(planned("DECREASE_BUDGET", campaign(), step_pct=10.0), limits, money=501.0).reasons)
    assert "two people" not in " | ".join(verdict(planned("DECREASE_BUDGET", campaign(), step_pct=10.0), limits, money=500.0).reasons)


def test_read_only_says_that_it_is_advice() -> None:
    result = verdict(planned("DECREASE_BUDGET", campaign(), step_pct=10.0), Policy(limits=PolicyFile(version=1)))
    assert result.status == "needs_approval"
    assert "read-only" in result.reasons[0]
