import math
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketing_agents.agents.analysis import DomainAnalysis
from marketing_agents.decisions.actions import ACTIONS
from marketing_agents.decisions.guardrails import is_executable
from marketing_agents.decisions.merge import decide
from marketing_agents.decisions.policy import HardCaps, Policy, PolicyFile
from marketing_agents.decisions.recommendation import Recommendation
from marketing_agents.rules.finding import Entity, Finding, PlannedAction
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
    proposals_of,
)  # fmt: skip


def by_action(recommendations: Sequence[Recommendation]) -> dict[str, Recommendation]:
    return {r.action: r for r in recommendations}


def test_same_entity_and_action_from_two_domains_is_one_line_with_the_stronger_step() -> None:
    media = finding("MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0), severity="medium", money=500.0)
    plan = finding("BUDGET-004", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=18.0), severity="high", money=800.0)
    [only] = decide(ACME, DAY, [analysis("media_performance", media), analysis("budget", plan)], [media, plan], OPEN_POLICY)
    assert only.parameters == {"step_pct": 18.0}
    assert only.domains == ("budget", "media_performance")
    assert only.finding_ids == tuple(sorted((media.finding_id, plan.finding_id)))
    assert (only.severity, only.money_at_stake, only.rank) == ("high", 800.0, 1)
    assert only.headline == f"Headline of {plan.finding_id}"


def test_a_playbook_becomes_one_line_and_the_rest_is_named_beside_it() -> None:
    item = finding(
        "MEDIA-001", campaign(), planned("ADJUST_BID_TARGET", campaign(), step_pct=-15.0), planned("DECREASE_BUDGET", campaign(), step_pct=20.0),
        planned("NOTIFY_ACCOUNT_OWNER", campaign()),
    )  # fmt: skip
    [only] = decide(ACME, DAY, [analysis("media_performance", item)], [item], OPEN_POLICY)
    assert only.action == "ADJUST_BID_TARGET"
    assert [(o.action, o.relation) for o in only.other_actions] == [("DECREASE_BUDGET", "instead"), ("NOTIFY_ACCOUNT_OWNER", "also")]


def test_when_the_first_action_is_refused_the_next_one_is_the_line_and_the_refusal_is_named() -> None:
    item = finding(
        "MEDIA-001",
        campaign(),
        planned("ADJUST_BID_TARGET", campaign(), step_pct=math.nan),
        planned("DECREASE_BUDGET", campaign(), step_pct=20.0),
    )
    [only] = decide(ACME, DAY, [analysis("media_performance", item)], [item], OPEN_POLICY)
    assert only.action == "DECREASE_BUDGET"
    assert [(o.action, o.status, o.reason) for o in only.other_actions] == [
        ("ADJUST_BID_TARGET", "blocked", "parameter step_pct is not a finite number")
    ]


def test_two_actions_on_one_lever_are_one_line_the_better_one_with_the_evidence_of_both() -> None:
    for small, large in (("REFRESH_CREATIVE", "ROTATE_IN_NEW_VARIANT"), ("ROTATE_IN_NEW_VARIANT", "REFRESH_CREATIVE")):
        items = [
            finding("CREATIVE-001", adgroup(), planned(small, adgroup()), money=10.0),
            finding("CREATIVE-004", adgroup(), planned(large, adgroup()), money=1e6),
        ]
        [only] = decide(ACME, DAY, [analysis("creative", *items)], items, OPEN_POLICY)
        assert only.action == large
        assert [(o.action, o.relation) for o in only.other_actions] == [(small, "instead")]
        assert only.finding_ids == tuple(f.finding_id for f in items)
        assert only.rule_ids == ("CREATIVE-001", "CREATIVE-004")


def test_a_suppressed_request_for_an_action_that_is_only_named_is_still_said() -> None:
    first = finding("MEDIA-001", campaign(), planned("ADD_NEGATIVES", campaign()), planned("REFRESH_CREATIVE", campaign()))
    explained = finding("MEDIA-002", campaign(), planned("REFRESH_CREATIVE", campaign()), suppressed_by=(first.finding_id,))
    [only] = decide(ACME, DAY, [analysis("media_performance", first, explained)], [first, explained], OPEN_POLICY)
    assert only.action == "ADD_NEGATIVES"
    assert any(reason.startswith("also asked for by MEDIA-002 (suppressed: explained by MEDIA-001") for reason in only.reasons)


def test_a_malformed_request_does_not_take_away_what_another_supports() -> None:
    good = finding("MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0))
    bad = finding("BUDGET-004", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=-1.0))
    [only] = decide(ACME, DAY, [analysis("media_performance", good), analysis("budget", bad)], [good, bad], OPEN_POLICY)
    assert (only.status, only.parameters, only.domains) == ("needs_approval", {"step_pct": 10.0}, ("media_performance",))
    assert any("BUDGET-004 (blocked: parameter step_pct" in reason for reason in only.reasons)


def test_monitor_only_is_held_and_suppressed_names_the_finding_that_explains_it() -> None:
    tracking = finding("CONV-001", conversion_action(), planned("FIX_TAG", conversion_action()))
    watched = finding(
        "MEDIA-001",
        campaign(),
        planned("DECREASE_BUDGET", campaign(), step_pct=10.0),
        planned("NO_ACTION_MONITOR", campaign()),
        action_limit="monitor_only",
    )
    explained = finding("CREATIVE-001", adgroup(), planned("REFRESH_CREATIVE", adgroup()), suppressed_by=(tracking.finding_id,))
    found = [tracking, watched, explained]
    result = by_action(
        decide(
            ACME,
            DAY,
            [analysis("conversion", tracking), analysis("media_performance", watched), analysis("creative", explained)],
            found,
            OPEN_POLICY,
        )
    )
    assert (result["FIX_TAG"].status, result["FIX_TAG"].rank) == ("proposed", 1)
    held, suppressed = result["DECREASE_BUDGET"], result["REFRESH_CREATIVE"]
    assert (held.status, held.rank, held.other_actions[0].action) == ("held", None, "NO_ACTION_MONITOR")
    assert (suppressed.status, suppressed.rank) == ("suppressed", None)
    assert suppressed.reasons[0] == "explained by CONV-001 Title of CONV-001 on 'Purchase'"


@pytest.mark.parametrize("state", ["resolved", "superseded", "muted"])
def test_an_episode_that_is_over_asks_for_nothing(state: str) -> None:
    item = finding("MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0), episode_state=state)
    [only] = decide(ACME, DAY, [analysis("media_performance", item)], [item], OPEN_POLICY)
    assert (only.status, only.rank, only.reasons) == ("suppressed", None, (f"the episode is {state}",))


def test_under_a_broken_policy_the_list_is_still_ranked_as_advice() -> None:
    item = finding("MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0))
    [only] = decide(ACME, DAY, [analysis("media_performance", item)], [item], Policy.broken("no policy file acme.yaml"))
    assert (only.status, only.rank) == ("blocked", 1)
    assert only.reasons[0] == "advice only: no policy file acme.yaml"


def test_the_expiry_of_a_policy_follows_the_partition_not_the_clock() -> None:
    item = finding("MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0))
    policy = Policy(limits=PolicyFile(version=1, expires_on=DAY.replace(day=19)))
    [only] = decide(ACME, DAY, [analysis("media_performance", item)], [item], policy)
    assert only.reasons[0] == "advice only: policy expired on 2026-11-19"


def test_a_refused_line_has_no_rank() -> None:
    item = finding("MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0))
    [only] = decide(
        ACME, DAY, [analysis("media_performance", item)], [item], Policy(limits=PolicyFile(version=1, protected_entities=("c1",)))
    )
    assert (only.status, only.rank) == ("blocked", None)


def test_the_id_is_the_same_on_another_day_with_other_parameters_and_differs_by_advertiser_entity_and_action() -> None:
    def ids(advertiser_id: str, entity: Entity, action: PlannedAction, **changes: object) -> str:
        item = finding("MEDIA-001", entity, action, **changes).model_copy(update={"advertiser_id": advertiser_id})
        made = analysis("media_performance", item).model_copy(update={"advertiser_id": advertiser_id, "date": item.date})
        return decide(ACME.model_copy(update={"id": advertiser_id}), item.date, [made], [item], OPEN_POLICY)[0].recommendation_id

    first = ids("acme", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0))
    assert first == ids("acme", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=20.0), date=DAY.replace(day=3), severity="low")
    others = [
        ids("other", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0)),
        ids("acme", campaign("c2"), planned("DECREASE_BUDGET", campaign("c2"), step_pct=10.0)),
        ids("acme", campaign(), planned("INCREASE_BUDGET", campaign(), step_pct=10.0)),
    ]
    assert len({first, *others}) == 4


def test_the_score_is_the_formula_of_the_catalogue_and_its_parts_are_kept() -> None:
    item = finding(
        "MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=10.0), severity="high", money=999.0, confidence=0.5
    )
    [only] = decide(ACME, DAY, [analysis("media_performance", item)], [item], OPEN_POLICY)
    assert only.score_parts == {"severity_weight": 6.0, "confidence": 0.5, "money": 3.0, "reversibility_bonus": 1.2, "effort": 1.0}
    assert only.score == pytest.approx(6 * 0.5 * 3 * 1.2)


def test_a_critical_tracking_fix_without_money_stands_above_a_medium_finding_with_money() -> None:
    tracking = finding("CONV-001", conversion_action(), planned("FIX_TAG", conversion_action()), severity="critical", money=None)
    medium = finding(
        "MEDIA-001",
        campaign(account="a2"),
        planned("DECREASE_BUDGET", campaign(account="a2"), step_pct=10.0),
        severity="medium",
        money=300.0,
    )
    ranked = decide(ACME, DAY, [analysis("conversion", tracking), analysis("media_performance", medium)], [tracking, medium], OPEN_POLICY)
    assert [r.action for r in ranked] == ["FIX_TAG", "DECREASE_BUDGET"]


def test_changes_beyond_the_days_number_are_held_lowest_first() -> None:
    items = [
        finding("MEDIA-001", campaign(f"c{n}"), planned("DECREASE_BUDGET", campaign(f"c{n}"), step_pct=10.0), money=100.0 * n)
        for n in (1, 2, 3)
    ]
    policy = Policy(limits=PolicyFile(version=1, max_daily_changes=2))
    result = decide(ACME, DAY, [analysis("media_performance", *items)], items, policy)
    assert [(r.entity.id, r.rank, r.status) for r in result] == [
        ("c3", 1, "needs_approval"),
        ("c2", 2, "needs_approval"),
        ("c1", None, "held"),
    ]
    assert "2 changes a day" in result[-1].reasons[0]


def test_costs_are_shared_by_the_lines_that_use_the_words() -> None:
    items = [finding("MEDIA-001", campaign(f"c{n}"), planned("DECREASE_BUDGET", campaign(f"c{n}"), step_pct=10.0)) for n in (1, 2)]
    result = decide(ACME, DAY, [analysis("media_performance", *items, cost=0.03)], items, OPEN_POLICY)
    assert [r.cost_usd for r in result] == [0.015, 0.015]
    unknown = decide(ACME, DAY, [analysis("media_performance", *items, cost=None)], items, OPEN_POLICY)
    assert [r.cost_usd for r in unknown] == [None, None]


def test_without_an_insight_the_rule_speaks_for_itself() -> None:
    item = finding("MEDIA-001", campaign(name="Tents *new*"), planned("DECREASE_BUDGET", campaign(name="Tents *new*"), step_pct=10.0))
    silent = analysis("media_performance", proposals=proposals_of(item, "media_performance"))
    [only] = decide(ACME, DAY, [silent], [item], OPEN_POLICY)
    assert only.headline == r"Title of MEDIA-001: “Tents \*new\*”"
    assert (only.text, only.writer) == ("What the rule means.", "template")


def test_partitions_are_not_mixed() -> None:
    item = finding("MEDIA-001", campaign())
    with pytest.raises(ValueError, match="belongs to acme"):
        decide(ACME, DAY.replace(day=1), [], [item], OPEN_POLICY)


def test_nothing_found_is_an_empty_list() -> None:
    assert decide(ACME, DAY, [], [], OPEN_POLICY) == []


# Properties, over random mornings.

ENTITIES = (
    campaign("c1"),
    campaign("c2"),
    campaign("c3", account="a2"),
    adgroup("g1"),
    adgroup("g2", campaign_id="c2"),
    budget_plan(),
    calendar_event(),
    conversion_action(),
)
RULES = (
    "MEDIA-001",
    "MEDIA-002",
    "MEDIA-005",
    "CREATIVE-004",
    "BUDGET-001",
    "BUDGET-002",
    "BUDGET-003",
    "AUD-001",
    "CONV-001",
    "PLAT-004",
    "SEAS-001",
    "LP-001",
)
NUMBERS = st.one_of(st.floats(-100, 400), st.sampled_from([math.nan, math.inf, 0.0]), st.floats(0.5, 30))


@st.composite
def playbooks(draw: st.DrawFn, entity: Entity) -> tuple[PlannedAction, ...]:
    steps = []
    for action in draw(st.lists(st.sampled_from([*sorted(ACTIONS), "MADE_UP"]), min_size=1, max_size=4)):
        parameters: dict[str, float | str] = {}
        for name in ACTIONS[action].parameters if action in ACTIONS else ():
            if name in ("step_pct", "amount_per_day", "days"):
                parameters[name] = draw(NUMBERS)
            else:
                parameters[name] = draw(st.sampled_from(["c1", "c2", "", "NA", "text"]))
            if draw(st.integers(0, 9)) == 0:
                del parameters[name]
        steps.append(PlannedAction(action=action, entity=entity, parameters=parameters))
    return tuple(steps)


@st.composite
def mornings(draw: st.DrawFn) -> tuple[list[Finding], list[DomainAnalysis]]:
    findings: dict[str, Finding] = {}
    for _ in range(draw(st.integers(0, 8))):
        entity = draw(st.sampled_from(ENTITIES))
        item = finding(
            draw(st.sampled_from(RULES)), entity, *draw(playbooks(entity)),
            severity=draw(st.sampled_from(["low", "medium", "high", "critical"])),
            money=draw(st.one_of(st.none(), st.floats(-10, 1e6), st.just(math.nan))),
            confidence=draw(st.one_of(st.floats(0, 1), st.just(math.nan))),
            episode_state=draw(st.sampled_from(["opened", "ongoing", "worsened", "resolved"])),
            action_limit=draw(st.sampled_from(["none", "none", "none", "monitor_only"])),
            suppressed_by=draw(st.sampled_from([(), (), (), ("CONV-001.x",)])),
        )  # fmt: skip
        findings[item.finding_id] = item
    by_domain: dict[str, list[Finding]] = {}
    for item in findings.values():
        by_domain.setdefault(draw(st.sampled_from(["budget", "creative", "media_performance"])), []).append(item)
    return list(findings.values()), [analysis(domain, *items) for domain, items in by_domain.items()]


POLICIES = st.builds(
    lambda budget, bid, changes, cap, protected: Policy(
        limits=PolicyFile(
            version=1, autonomy="approval", max_step_pct={"INCREASE_BUDGET": budget, "DECREASE_BUDGET": budget, "ADJUST_BID_TARGET": bid},
            max_daily_changes=changes, never_above=HardCaps(budget_per_day=cap), protected_entities=protected,
        )
    ),
    st.floats(1, 50), st.floats(1, 50), st.integers(0, 20), st.one_of(st.none(), st.floats(1, 500)), st.sampled_from([(), ("c1",), ("a1",)]),
)  # fmt: skip


def stands(r: Recommendation) -> bool:
    return r.status in ("proposed", "needs_approval")


def direction(r: Recommendation) -> int:
    if r.action == "SHIFT_BUDGET":
        return -1
    step = r.parameters.get("step_pct")
    spec = ACTIONS[r.action]
    return int(math.copysign(1, step)) if spec.direction == 0 and isinstance(step, float) else spec.direction


@settings(max_examples=150, deadline=None)
@given(mornings(), POLICIES, st.randoms(use_true_random=False))
def test_any_order_of_findings_analyses_and_proposals_gives_the_same_list(
    morning: tuple[list[Finding], list[DomainAnalysis]], policy: Policy, shuffle
) -> None:
    findings, analyses = morning
    expected = decide(ACME, DAY, analyses, findings, policy)
    mixed = []
    for item in analyses:
        proposals = list(item.proposals)
        shuffle.shuffle(proposals)
        mixed.append(item.model_copy(update={"proposals": tuple(proposals)}))
    shuffled = list(findings)
    shuffle.shuffle(mixed)
    shuffle.shuffle(shuffled)
    assert [r.model_dump_json() for r in decide(ACME, DAY, mixed, shuffled, policy)] == [r.model_dump_json() for r in expected]


@settings(max_examples=150, deadline=None)
@given(mornings(), POLICIES)
def test_no_list_contradicts_itself_or_passes_a_limit(morning: tuple[list[Finding], list[DomainAnalysis]], policy: Policy) -> None:
    findings, analyses = morning
    listed = decide(ACME, DAY, analyses, findings, policy)
    active = [r for r in listed if stands(r)]

    for a, b in combinations(active, 2):
        if a.entity.key == b.entity.key:
            assert ACTIONS[a.action].lever != ACTIONS[b.action].lever
            assert {a.action, b.action} != {"PAUSE_ENTITY", "INCREASE_BUDGET"}
        for shift, other in ((a, b), (b, a)):
            if shift.action == "SHIFT_BUDGET" and shift.parameters["receiver_campaign_id"] == other.entity.id:
                assert direction(other) >= 0 or ACTIONS[other.action].lever not in ("budget", "status")
    for r in active:
        assert r.action in ACTIONS
        limit = policy.limits.max_step(r.action)
        step = r.parameters.get("step_pct")
        if limit is not None and isinstance(step, float):
            assert 0 < abs(step) <= limit
        assert not {r.entity.id, r.entity.account_id} & set(policy.limits.protected_entities) or not is_executable(r.action)
    assert sum(r.status == "needs_approval" for r in listed) <= policy.limits.max_daily_changes
    ranked = [r.rank for r in listed if r.rank is not None]
    assert ranked == list(range(1, len(ranked) + 1))
    assert all(r.rank is None for r in listed if r.status in ("held", "suppressed"))
    assert len({r.recommendation_id for r in listed}) == len(listed)
    assert all(math.isfinite(r.score) for r in listed)


@settings(max_examples=100, deadline=None)
@given(mornings())
def test_under_a_broken_policy_nothing_executable_stands(morning: tuple[list[Finding], list[DomainAnalysis]]) -> None:
    findings, analyses = morning
    for r in decide(ACME, DAY, analyses, findings, Policy.broken("malformed")):
        assert r.status != "needs_approval"
        assert not (stands(r) and is_executable(r.action))
        assert not any(o.status == "needs_approval" for o in r.other_actions)


@settings(max_examples=100, deadline=None)
@given(mornings())
def test_every_finding_with_a_playbook_is_on_the_list_or_named_in_a_reason(morning: tuple[list[Finding], list[DomainAnalysis]]) -> None:
    findings, analyses = morning
    listed = decide(ACME, DAY, analyses, findings, OPEN_POLICY)
    told = {i for r in listed for i in r.finding_ids}
    reasons = " ".join(reason for r in listed for reason in r.reasons)
    for item in findings:
        assert item.finding_id in told or f"also asked for by {item.rule_id}" in reasons
