"""Each rule: fires where it should, with the right severity, at the exact boundary, and says why when it cannot be evaluated."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pytest

from marketing_agents.days import LocalDay
from marketing_agents_tests.rules.builders import (
    ADVERTISER,
    DAY,
    HEALTHY,
    all_loaded,
    catalogue,
    fact,
    features,
    findings_of,
    outcomes_of,
    row,
    run,
    verdict,
)

MART = {rule.id: rule.mart for rule in catalogue().rules}
SEVEN = ("AUD-006", "BUDGET-001", "CONV-001", "CREATIVE-004", "MEDIA-001", "SEAS-001")
"""Those that a gate can block; PLAT-004 is the gate."""


def verdict_of(rule_id: str, **changes: Any) -> str:
    mart = MART[rule_id]
    return verdict(run(features((mart, [row(mart, **changes)]))), rule_id)


def test_a_healthy_world_raises_nothing() -> None:
    evaluation = run(features())
    assert evaluation.findings == {LocalDay(ADVERTISER, DAY): []}
    outcomes = {rule.id: outcomes_of(evaluation, rule.id)[0].outcome for rule in catalogue().rules}
    assert outcomes == dict.fromkeys(outcomes, "clear")


@pytest.mark.parametrize(
    ("case", "changes", "expected"),
    [
        # target 20: 1,100 of spend should buy 55 conversions
        ("on target", {"conversions_w14m": 55.0}, "clear"),
        ("a tenth above: luck explains it (p = 0.26)", {"conversions_w14m": 50.0}, "clear"),
        ("a tenth above with volume", {"spend_w14m": 22_000.0, "conversions_w14m": 1000.0}, "low"),
        ("just below the low threshold", {"spend_w14m": 21_999.0, "conversions_w14m": 1000.0}, "clear"),
        ("medium", {"spend_w14m": 12_000.0, "conversions_w14m": 500.0}, "medium"),
        ("high", {"spend_w14m": 15_000.0, "conversions_w14m": 500.0}, "high"),
        ("just below critical", {"spend_w14m": 19_999.0, "conversions_w14m": 500.0}, "high"),
        ("critical", {"spend_w14m": 20_000.0, "conversions_w14m": 500.0}, "critical"),
        ("no conversion at all for five targets", {"spend_w14m": 100.0, "conversions_w14m": 0.0}, "critical"),
        ("no conversion yet, too little spent", {"spend_w14m": 99.0, "conversions_w14m": 0.0}, "below_minimum_volume"),
        ("few conversions, little spent", {"spend_w14m": 90.0, "conversions_w14m": 9.0}, "below_minimum_volume"),
        ("default target of the advertiser", {"campaign_target_cpa": None, "spend_w14m": 1500.0, "conversions_w14m": 30.0}, "critical"),
        ("no target", {"campaign_target_cpa": None, "advertiser_target_cpa": None, "conversions_w14m": 9.0}, "missing_input"),
        ("young campaign", {"history_days": 6, "conversions_w14m": 10.0}, "short_history"),
        ("paused campaign", {"campaign_status": "paused", "conversions_w14m": 10.0}, "clear"),
    ],
)
def test_media_001(case: str, changes: dict[str, Any], expected: str) -> None:
    assert verdict_of("MEDIA-001", **changes) == expected, case


@pytest.mark.parametrize(
    ("case", "changes", "expected"),
    [
        ("an even spread", {}, "clear"),
        ("at the medium threshold", {"top_ad_spend_w14": 700.0}, "medium"),
        ("just below it", {"top_ad_spend_w14": 699.0}, "clear"),
        ("at the high threshold", {"top_ad_spend_w14": 850.0}, "high"),
        ("nearly all; critical needs a rule that does not exist yet", {"top_ad_spend_w14": 990.0}, "high"),
        ("the top ad is significantly better", {"top_ad_spend_w14": 850.0, "top_ad_clicks_w14": 600}, "clear"),
        ("dynamic creative", {"top_ad_spend_w14": 850.0, "is_dynamic_creative": True}, "clear"),
        ("two live ads", {"top_ad_spend_w14": 850.0, "active_ads_w14": 2}, "below_minimum_volume"),
        ("little money", {"top_ad_spend_w14": 450.0, "spend_w14": 499.0}, "below_minimum_volume"),
        ("no spend figure", {"spend_w14": None}, "missing_input"),
        ("young ad group", {"history_days": 13, "top_ad_spend_w14": 850.0}, "short_history"),
    ],
)
def test_creative_004(case: str, changes: dict[str, Any], expected: str) -> None:
    assert verdict_of("CREATIVE-004", **changes) == expected, case


@pytest.mark.parametrize(
    ("case", "changes", "expected"),
    [
        ("on plan", {}, "clear"),
        ("at the medium threshold", {"plan_amount": 5000.0, "curve_share": 0.5, "spend_mtd": 2750.0, "spend_projected": 5200.0}, "medium"),
        ("just below it", {"plan_amount": 5000.0, "curve_share": 0.5, "spend_mtd": 2749.0, "spend_projected": 5200.0}, "clear"),
        ("at the high threshold", {"plan_amount": 5000.0, "curve_share": 0.5, "spend_mtd": 3000.0, "spend_projected": 5200.0}, "high"),
        ("four days: low only", {"days_elapsed": 4, "days_left": 26, "spend_mtd": 6000.0}, "low"),
        ("five days", {"days_elapsed": 5, "days_left": 25, "spend_mtd": 6000.0}, "high"),
        ("overshoot with a week left", {"days_elapsed": 23, "days_left": 7, "spend_projected": 6900.0}, "critical"),
        ("overshoot with eight days left", {"days_elapsed": 22, "days_left": 8, "spend_projected": 6900.0}, "clear"),
        ("hard cap, ahead, projected above", {"is_hard_cap": True, "spend_mtd": 4400.0, "spend_projected": 6001.0}, "critical"),
        ("hard cap, on pace, projected a hair above", {"is_hard_cap": True, "spend_projected": 6001.0}, "clear"),
        ("small plan", {"plan_amount": 499.0}, "below_minimum_volume"),
        ("no curve", {"curve_share": None}, "missing_input"),
        ("the plan has not begun", {"days_elapsed": 0, "curve_share": 0.0, "spend_mtd": 0.0}, "clear"),
    ],
)
def test_budget_001(case: str, changes: dict[str, Any], expected: str) -> None:
    assert verdict_of("BUDGET-001", **changes) == expected, case


@pytest.mark.parametrize(
    ("case", "changes", "expected"),
    [
        ("few existing customers", {}, "clear"),
        ("at the medium threshold", {"new_customer_orders_w28": 72}, "medium"),
        ("just below it", {"new_customer_orders_w28": 73}, "clear"),
        ("at the high threshold", {"orders_known_w28": 100, "new_customer_orders_w28": 65}, "high"),
        ("at the critical threshold", {"orders_known_w28": 100, "new_customer_orders_w28": 50}, "critical"),
        ("no exclusion", {"has_purchaser_exclusion": False}, "high"),
        ("exclusion unknown is not no exclusion", {"has_purchaser_exclusion": None}, "clear"),
        ("thirty known orders", {"orders_known_w28": 30, "new_customer_orders_w28": 10}, "critical"),
        ("twenty-nine known orders", {"orders_known_w28": 29, "new_customer_orders_w28": 10}, "below_minimum_volume"),
        (
            "twenty-nine known orders, no exclusion",
            {"orders_known_w28": 29, "new_customer_orders_w28": 10, "has_purchaser_exclusion": False},
            "high",
        ),
        ("another role", {"campaign_role": "retargeting", "new_customer_orders_w28": 0}, "clear"),
        ("unknown role", {"campaign_role": None}, "missing_input"),
        ("no order data", {"orders_known_w28": None, "new_customer_orders_w28": None}, "missing_input"),
        ("nothing spent", {"spend_w7": 0.0, "new_customer_orders_w28": 0}, "below_minimum_volume"),
    ],
)
def test_aud_006(case: str, changes: dict[str, Any], expected: str) -> None:
    assert verdict_of("AUD-006", **changes) == expected, case


SILENT = {"zero_days": 2, "clicks_zero_days": 300, "expected_conversions_zero_days": 8.0}


@pytest.mark.parametrize(
    ("case", "changes", "expected"),
    [
        ("conversions arrive", {}, "clear"),
        ("exp(-2.99) = 0.0503", SILENT | {"expected_conversions_zero_days": 2.99}, "clear"),
        ("exp(-3) = 0.0498", SILENT | {"expected_conversions_zero_days": 3.0}, "medium"),
        ("exp(-4.7) = 0.0091", SILENT | {"expected_conversions_zero_days": 4.7}, "high"),
        ("exp(-6.9) = 0.0010077", SILENT | {"expected_conversions_zero_days": 6.9}, "high"),
        ("exp(-7) = 0.0009", SILENT | {"expected_conversions_zero_days": 7.0}, "critical"),
        ("not used for bidding: never critical", SILENT | {"is_primary": False}, "high"),
        ("traffic halved", SILENT | {"clicks_d": 75}, "critical"),
        ("traffic below half: the tag is not the first suspect", SILENT | {"clicks_d": 74}, "below_minimum_volume"),
        ("traffic doubled", SILENT | {"clicks_d": 300}, "critical"),
        ("traffic above double", SILENT | {"clicks_d": 301}, "below_minimum_volume"),
        ("three weekdays to compare with", SILENT | {"clicks_dow_values": 3}, "below_minimum_volume"),
        ("paused action", SILENT | {"action_status": "paused"}, "clear"),
        ("young account", SILENT | {"history_days": 34}, "short_history"),
        ("no expectation", SILENT | {"expected_conversions_zero_days": None}, "missing_input"),
    ],
)
def test_conv_001(case: str, changes: dict[str, Any], expected: str) -> None:
    assert verdict_of("CONV-001", **changes) == expected, case


LATE = {"last_day_with_rows": DAY - timedelta(days=1), "rows_d": 0, "gap_days_w14": 1}


@pytest.mark.parametrize(
    ("case", "changes", "expected"),
    [
        ("on time", {}, "clear"),
        ("a day late, 26 hours", LATE | {"age_hours": 26.0}, "clear"),
        ("a day late, more than 26 hours", LATE | {"age_hours": 26.1}, "medium"),
        ("36 hours", LATE | {"age_hours": 36.0}, "medium"),
        ("more than 36 hours", LATE | {"age_hours": 36.1}, "high"),
        ("more than 60 hours", LATE | {"age_hours": 60.1}, "critical"),
        ("old only because the account settles slowly", {"age_hours": 78.0}, "clear"),
        ("a hole", {"gap_days_w14": 1}, "high"),
        ("two holes", {"gap_days_w14": 2}, "critical"),
        ("half of the rows", {"rows_d": 20}, "critical"),
        ("more than half of the rows", {"rows_d": 21}, "clear"),
        ("half of the rows, too few weekdays to know", {"rows_d": 20, "rows_dow_values": 3}, "clear"),
        ("closed account", LATE | {"age_hours": 500.0, "account_status": "closed"}, "clear"),
        (
            "no rows in the whole look-back",
            {"last_day_with_rows": None, "age_hours": None, "rows_d": 0, "gap_days_w14": None},
            "missing_input",
        ),
    ],
)
def test_plat_004(case: str, changes: dict[str, Any], expected: str) -> None:
    assert verdict_of("PLAT-004", **changes) == expected, case


@pytest.mark.parametrize(
    ("case", "changes", "expected"),
    [
        ("small peak", {}, "clear"),
        ("at the medium threshold", {"expected_index_orders": 1.3}, "medium"),
        ("just below it", {"expected_index_orders": 1.29}, "clear"),
        ("at the high threshold", {"expected_index_orders": 1.8, "planned_spend_per_day": 240.0}, "high"),
        ("medium peak, plan raised", {"expected_index_orders": 1.5, "planned_spend_per_day": 221.0}, "clear"),
        ("high peak, plan raised enough", {"expected_index_orders": 1.8, "planned_spend_per_day": 241.0}, "clear"),
        ("last year's own orders count first", {"expected_index_orders": 1.0, "last_year_index_orders": 2.0}, "high"),
        ("seven days before", {"expected_index_orders": 2.0, "days_until_start": 7}, "high"),
        ("six days before: too late for a raise", {"expected_index_orders": 2.0, "days_until_start": 6}, "clear"),
        ("21 days before", {"expected_index_orders": 2.0, "days_until_start": 21}, "high"),
        ("22 days before", {"expected_index_orders": 2.0, "days_until_start": 22}, "clear"),
        ("no index", {"expected_index_orders": None}, "missing_input"),
        ("no plan covers it", {"expected_index_orders": 2.0, "planned_spend_per_day": None}, "missing_input"),
        (
            "hardly any spend",
            {"spend_per_day_w28": 17.0, "planned_spend_per_day": 17.0, "expected_index_orders": 2.0},
            "below_minimum_volume",
        ),
        ("young advertiser", {"expected_index_orders": 2.0, "history_days": 27}, "short_history"),
    ],
)
def test_seas_001(case: str, changes: dict[str, Any], expected: str) -> None:
    assert verdict_of("SEAS-001", **changes) == expected, case


@pytest.mark.parametrize("rule_id", SEVEN)
def test_a_table_that_was_never_loaded_is_named(rule_id: str) -> None:
    table = catalogue().by_id[rule_id].requires[-1]
    (outcome,) = outcomes_of(run(features(), all_loaded(missing=[table])), rule_id)
    assert (outcome.outcome, outcome.reason, outcome.detail) == ("not_evaluable", "missing_input", f"{table} was never loaded")


@pytest.mark.parametrize("rule_id", SEVEN)
def test_a_table_without_a_version_of_the_day_blocks(rule_id: str) -> None:
    table = catalogue().by_id[rule_id].requires[-1]
    (outcome,) = outcomes_of(run(features(), all_loaded(absent_on={table: [DAY]})), rule_id)
    assert (outcome.reason, outcome.detail) == ("blocked_by_data", f"{table} has not been loaded for the day")


@pytest.mark.parametrize(
    ("rule_id", "changes"),
    [
        (
            "MEDIA-001",
            {"spend_w14m": None, "spend_w7": None, "campaign_target_cpa": None, "advertiser_target_cpa": None, "conversions_w14m": 5.0},
        ),
        ("CREATIVE-004", {"spend_w14": None, "top_ad_spend_w14": None}),
        ("BUDGET-001", {"plan_amount": None, "spend_mtd": None}),
        ("SEAS-001", {"spend_per_day_w28": None}),
    ],
)
def test_a_missing_exchange_rate_is_named(rule_id: str, changes: dict[str, Any]) -> None:
    mart = MART[rule_id]
    (outcome,) = outcomes_of(run(features((mart, [row(mart, missing_fx_pair="EUR->USD", **changes)]))), rule_id)
    assert (outcome.reason, outcome.detail) == ("missing_input", "no exchange rate EUR->USD")


def test_missing_columns_are_named_with_their_count() -> None:
    rows = [row("campaign_features"), row("campaign_features", campaign_id="c2", campaign_role=None)]
    outcomes = outcomes_of(run(features(("campaign_features", rows))), "AUD-006")
    assert [(o.outcome, o.reason, o.detail, o.entities) for o in outcomes] == [
        ("clear", "", "", 1),
        ("not_evaluable", "missing_input", "campaign_role is empty", 1),
    ]


def test_a_finding_of_media_001_carries_what_may_be_quoted() -> None:
    # given a campaign that pays USD 30 against a target of USD 20, and a peer that pays USD 16
    rows = [
        row("campaign_features", spend_w14m=1650.0, conversions_w14m=55.0, spend_w7=1050.0),
        row("campaign_features", campaign_id="c2", campaign_name="Boots", spend_w14m=1600.0, conversions_w14m=100.0),
    ]
    # when it is evaluated
    (finding,) = findings_of(run(features(("campaign_features", rows))), "MEDIA-001")
    # then
    assert (finding.severity, finding.episode_state, finding.opened_on, finding.days_open) == ("high", "opened", DAY, 1)
    assert [fact(finding, name) for name in ("cpa_idx", "cpa", "target_cpa", "threshold", "spend_w14m", "conversions_w14m", "evaluated_day", "entity_name")] == [
        "1.5x", "USD 30", "USD 20", "1.5x", "USD 1,650", "55", "2026-11-20", "Shoes",
    ]  # fmt: skip
    assert finding.money_at_stake == 350.0  # (1650 - 55 * 20) / 11 settled days * 7
    assert finding.fact(finding.observed).name == "cpa_idx"
    assert finding.fact(finding.baseline or "").name == "target_cpa"
    by_the_sum = math.fsum(math.exp(-82.5 + k * math.log(82.5) - math.lgamma(k + 1)) for k in range(56))
    assert finding.p_value == pytest.approx(by_the_sum)  # P(X <= 55 | 82.5)
    assert [(a.action, a.parameters) for a in finding.playbook] == [
        ("ADJUST_BID_TARGET", {"step_pct": -15.0}),
        ("SHIFT_BUDGET", {"amount_per_day": 24.0, "receiver_campaign_id": "c2"}),
        ("DECREASE_BUDGET", {"step_pct": 20.0}),
    ]
    assert fact(finding, "receiver_campaign_name") == "Boots"


def test_plat_004_shows_the_reason_that_applies() -> None:
    changes = {"late": LATE | {"age_hours": 40.0}, "hole": {"gap_days_w14": 1}, "thin": {"rows_d": 10}}
    shown = {}
    for case, change in changes.items():
        (finding,) = findings_of(run(features(("platform_account_features", [row("platform_account_features", **change)]))), "PLAT-004")
        shown[case] = (
            finding.fact(finding.observed).name,
            finding.fact(finding.observed).display,
            fact(finding, "threshold"),
            finding.playbook[0].parameters,
        )
    assert shown == {
        "late": ("age_hours", "40 hours", "36 hours", {"table": "ad_performance_daily", "days": 1.0}),
        "hole": ("holes", "1 day", "1 day", {"table": "ad_performance_daily", "days": 14.0}),
        "thin": ("rows_idx", "0.25x", "0.5x", {"table": "ad_performance_daily", "days": 1.0}),
    }


def test_budget_001_steps_towards_what_still_meets_the_plan() -> None:
    changes = {"spend_mtd": 4800.0, "spend_projected": 6800.0, "spend_w7": 1400.0, "required_daily": 180.0}
    (finding,) = findings_of(run(features(("budget_plan_features", [row("budget_plan_features", **changes)]))), "BUDGET-001")
    assert finding.playbook[0].parameters == {"step_pct": 10.0}
    assert finding.money_at_stake == 560.0  # 800 above plan, 7 of the 10 days left
    assert finding.entity.key == "budget_plan:NA:NA:p1"


def test_aud_006_says_that_the_exclusion_is_missing() -> None:
    (finding,) = findings_of(run(features(("campaign_features", [row("campaign_features", has_purchaser_exclusion=False)]))), "AUD-006")
    assert (finding.fact(finding.observed).display, fact(finding, "threshold")) == ("not set", "set")


def test_every_rule_has_a_healthy_row_in_these_tests() -> None:
    assert set(MART.values()) == set(HEALTHY)


def test_dates_in_facts_are_iso() -> None:
    (finding,) = findings_of(
        run(features(("calendar_event_features", [row("calendar_event_features", expected_index_orders=2.0)]))), "SEAS-001"
    )
    assert (fact(finding, "date_from"), finding.category) == (date(2026, 11, 27).isoformat(), "SEASONALITY")
