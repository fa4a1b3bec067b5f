"""Roll-up: the child that explains most of a parent's money is shown, the parent is context."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from marketing_agents.rules.finding import Finding
from marketing_agents_tests.rules.builders import fact, features, row
from marketing_agents_tests.rules.small_rules import TODAY, catalogue_of, evaluated, found, on_accounts, on_adgroups, rule


def world(campaign: float, *adgroups: float, account_per_day: float = 0.0) -> Any:
    return features(
        ("platform_account_features", [row("platform_account_features", spend_per_day_w28=account_per_day)]),
        ("campaign_features", [row("campaign_features", spend_w7=campaign)]),
        ("adgroup_features", [row("adgroup_features", adgroup_id=f"g{n}", spend_w7=spend) for n, spend in enumerate(adgroups)]),
    )


def context(findings: dict[str, Finding]) -> dict[str, str]:
    """Finding -> the finding that it is context of."""
    name = {finding.finding_id: key for key, finding in findings.items()}
    return {key: name[finding.rolled_up_to] for key, finding in findings.items() if finding.rolled_up_to}


@pytest.mark.parametrize(
    ("case", "campaign", "adgroups", "expected"),
    [
        ("the child explains all", 2000.0, (2000.0,), {"MEDIA-900 c1": "MEDIA-901 g0"}),
        ("exactly 60 %", 2000.0, (1200.0,), {"MEDIA-900 c1": "MEDIA-901 g0"}),
        ("a little less", 2000.0, (1199.0,), {}),
        ("two halves: the parent is the story", 2400.0, (1200.0, 1200.0), {}),
        ("the larger of two", 2000.0, (1300.0, 1900.0), {"MEDIA-900 c1": "MEDIA-901 g1"}),
        ("the child is healthy", 2000.0, (900.0,), {}),
        ("the parent is healthy", 900.0, (1500.0,), {}),
    ],
)
def test_a_child_of_sixty_percent(
    case: str, campaign: float, adgroups: tuple[float, ...], expected: dict[str, str], tmp_path: Path
) -> None:
    rules = catalogue_of(tmp_path, rule("MEDIA-900"), on_adgroups("MEDIA-901"))
    assert context(found(evaluated(rules, world(campaign, *adgroups)))) == expected, case


def test_context_is_visible_and_only_watched(tmp_path: Path) -> None:
    rules = catalogue_of(tmp_path, rule("MEDIA-900"), on_adgroups("MEDIA-901"))
    findings = found(evaluated(rules, world(2000.0, 1500.0)))
    parent, child = findings["MEDIA-900 c1"], findings["MEDIA-901 g0"]
    assert parent.is_open
    assert [action.action for action in parent.playbook] == ["NO_ACTION_MONITOR"]
    assert parent.suppressed_by == (child.finding_id,)
    assert fact(parent, "explained_share") == "75%"
    assert [action.action for action in child.playbook] == ["DECREASE_BUDGET"]
    assert (child.rolled_up_to, child.suppressed_by) == (None, ())


def test_a_child_that_may_only_be_watched_does_not_stand_for_its_parent(tmp_path: Path) -> None:
    tracking = rule("MEDIA-902", order="tracking", limits_actions_from="medium", when={"medium": "clicks_w7 >= 1"}, observed="clicks_w7",
                    facts={"clicks_w7": {"label": "clicks", "unit": "count"}})  # fmt: skip
    rules = catalogue_of(tmp_path, rule("MEDIA-900"), on_adgroups("MEDIA-901", limited_by=["MEDIA-902"]), tracking)
    findings = found(evaluated(rules, world(2000.0, 1500.0)))
    assert findings["MEDIA-901 g0"].action_limit == "monitor_only"
    assert findings["MEDIA-900 c1"].rolled_up_to is None


def test_an_ad_group_id_that_repeats_over_campaigns_is_two_entities(tmp_path: Path) -> None:
    rows = [row("adgroup_features", campaign_id=campaign, adgroup_id="g0", spend_w7=1500.0) for campaign in ("c1", "c2")]
    evaluation = evaluated(catalogue_of(tmp_path, on_adgroups("MEDIA-901")), features(("adgroup_features", rows)))
    findings = evaluation.findings[TODAY]
    assert [finding.entity.key.split(":")[-1] for finding in findings] == ["c1/g0", "c2/g0"]
    assert len({finding.finding_id for finding in findings}) == 2


def test_a_chain_ends_in_what_is_shown(tmp_path: Path) -> None:
    rules = catalogue_of(tmp_path, on_accounts("MEDIA-902"), rule("MEDIA-900"), on_adgroups("MEDIA-901"))
    # 14000 in the account, 12000 in the campaign, 9000 in the ad group: it explains both
    findings = found(evaluated(rules, world(12_000.0, 9_000.0, account_per_day=2000.0)))
    assert context(findings) == {"MEDIA-902 111": "MEDIA-901 g0", "MEDIA-900 c1": "MEDIA-901 g0"}
    # 8000 of the campaign's 12000, but not 60 % of the account's 14000: context explains nobody
    assert context(found(evaluated(rules, world(12_000.0, 8_000.0, account_per_day=2000.0)))) == {"MEDIA-900 c1": "MEDIA-901 g0"}


@pytest.mark.parametrize(
    ("case", "parent", "child", "is_context"),
    [
        ("same category", {}, {"category": "MEDIA"}, True),
        ("a related category", {}, {"category": "CREATIVE"}, True),
        ("a stranger", {}, {"category": "CONVERSION"}, False),
        ("a new category and itself", {"category": "WEATHER"}, {"category": "WEATHER"}, True),
        ("a delivery rule is a cause, not a sum", {"order": "delivery"}, {}, False),
        ("a child of the delivery order may explain", {}, {"order": "delivery"}, True),
        ("a child that is explained itself", {}, {"suppressed_by": ["MEDIA-903"]}, False),
        ("a child without money", {}, {"impact": None}, False),
        ("a child on which nothing can be done", {}, {"playbook": [{"action": "NO_ACTION_MONITOR", "rationale": "Wait."}]}, False),
        ("a parent that is explained already", {"suppressed_by": ["MEDIA-903"]}, {}, False),
        ("a plan is no level of the tree", {"entity": {"type": "budget_plan", "id": "campaign_id", "platform": "platform", "account": "account_id"}}, {}, False),
    ],
)  # fmt: skip
def test_who_may_explain_whom(case: str, parent: dict[str, Any], child: dict[str, Any], is_context: bool, tmp_path: Path) -> None:
    rules = catalogue_of(
        tmp_path,
        rule("MEDIA-900", **parent),
        on_adgroups("MEDIA-901", **child),
        on_accounts("MEDIA-903", when={"medium": "spend_per_day_w28 >= 100"}, category="CONVERSION"),
    )
    findings = found(evaluated(rules, world(2000.0, 1900.0, account_per_day=200.0)))
    assert (findings["MEDIA-900 c1"].rolled_up_to is not None) == is_context, case
