"""Cases of the budget rules, and of consent."""

from __future__ import annotations

from datetime import date
from typing import Any

from marketing_agents_tests.rules.areas import RuleCases

HEALTHY: dict[str, dict[str, Any]] = {
    "budget_plan_features": {"conversions_w14m": 100.0, "expected_conversions_w14m": 85.0},
    "campaign_budget_features": {
        "platform": "google_ads", "account_id": "111", "campaign_id": "c1", "campaign_name": "Shoes", "campaign_status": "enabled",
        "spend_w7": 700.0, "daily_budget": 130.0, "matured_days_w14": 11, "spend_w14m": 1100.0, "conversions_w14m": 55.0,
        "campaign_target_cpa": 20.0, "advertiser_target_cpa": 25.0,
        "lost_share_w7": 0.03, "capped_days_w7": 0, "capped_days_w14": 0, "is_learning": False,
        "budget_d": 130.0, "spend_d": 100.0, "clicks_d": 150, "budget_1_before": 130.0, "spend_1_before": 100.0,
        "budget_w7": 910.0, "spend_budgeted_w7": 700.0, "budget_days_w7": 7, "spend_mtd": 2000.0, "budget_per_day_mtd": 130.0,
        "lifetime_budget": 5000.0, "flight_end": date(2026, 12, 10), "flight_days_elapsed": 30, "flight_days_left": 20,
        "flight_spend": 3000.0, "flight_expected_spend": 2000.0,
        "budget_changes_w7": 0, "largest_budget_step_w7": None, "days_since_budget_change": 12,
        "raised_on": date(2026, 11, 8), "raise_ratio": 1.2, "days_before_raise": 14, "days_after_raise": 9,
        "spend_before_raise": 1400.0, "conversions_before_raise": 70.0, "spend_after_raise": 1080.0, "conversions_after_raise": 53.0,
        "other_changes_around_raise": 0, "has_event_around_raise": False, "has_event_soon": False,
    },
    "consent_features": {
        "region": "DE", "needs_consent_signal": True, "granted_w7": 6500, "denied_w7": 3400, "unset_w7": 100, "hits_w7": 10_000,
        "granted_b28": 26_000, "denied_b28": 13_600, "unset_b28": 400, "hits_b28": 40_000, "days_w7": 7, "days_b28": 28, "spend_share_w7": 2000.0,
    },
}  # fmt: skip
USED_TABLES = ("ad_performance_daily", "budget_plans", "campaign_metrics_daily", "campaigns", "change_events", "consent_daily")


def _behind(pace: float, **more: Any) -> dict[str, Any]:
    """A plan of 6,000, two thirds over by its curve (4,000 should be spent), and a projection that goes on like this."""
    return {"curve_share": 0.5, "spend_mtd": 3000.0 * pace, "spend_projected": 6000.0 * pace, "required_daily": 300.0, **more}


DEAR = {"conversions_w14m": 80.0}

WINNER = {"conversions_w14m": 75.0}
"""1,100 at a target of 20 should buy 55."""
SALES = {
    "campaign_target_cpa": None,
    "advertiser_target_cpa": None,
    "advertiser_target_roas": 4.0,
    "complete_spend_w14m": 1_100.0,
    "valued_conversions_w14m": 75.0,
    "value_spread_w14m": 0.5,
}
"""Steers by sales: 1,100 at a target of 4 should bring 4,400."""
MANY = {"spend_w14m": 11_000.0, "complete_spend_w14m": 11_000.0, "conversions_w14m": 1_000.0, "valued_conversions_w14m": 1_000.0}
SOCIAL = {"platform": "meta_ads", "lost_share_w7": None}


def _raised(spend: float, conversions: float, *, target: float = 20.0) -> dict[str, Any]:
    """Two weeks after a raise, beside two weeks before it with 840 conversions at 20; `spend` and `conversions` in tens."""
    return {
        "spend_before_raise": 16_800.0,
        "conversions_before_raise": 840.0,
        "days_after_raise": 14,
        "spend_after_raise": spend * 10,
        "conversions_after_raise": conversions * 10,
        "campaign_target_cpa": target,
        "spend_w7": spend * 5,
    }


CASES = (
    RuleCases(
        "BUDGET-002",
        fires=(
            ("a tenth behind", _behind(0.875), "medium"),
            ("a quarter behind", _behind(0.75), "high"),
            ("hopeless with ten days left", _behind(0.6), "critical"),
            ("hopeless with time left", _behind(0.6, days_left=11), "high"),
            ("behind while conversions are dear", _behind(0.875, **DEAR), "low"),
            ("far behind while conversions are dear", _behind(0.75, **DEAR), "medium"),
            ("hopeless while conversions are dear", _behind(0.6, **DEAR), "high"),
        ),
        boundary=(
            ("at the medium threshold", _behind(0.9), "medium"),
            ("just above it", _behind(0.9001), "clear"),
            ("at the high threshold", _behind(0.8), "high"),
            ("at the critical threshold", _behind(0.65), "critical"),
            ("just above it", _behind(0.6501), "high"),
        ),
        missing=(
            ("spend of the period unknown", _behind(0.8, spend_mtd=None, spend_projected=None), "missing_input"),
            ("amount without a rate", _behind(0.8, plan_amount=None), "missing_input"),
        ),
        below_floor=(
            ("four days", _behind(0.6, days_elapsed=4), "below_minimum_volume"),
            ("a tiny plan", _behind(0.6, plan_amount=499.0, spend_mtd=100.0, spend_projected=300.0), "below_minimum_volume"),
        ),
        others=(
            ("the last weeks catch up", _behind(0.85, spend_projected=5760.0), "clear"),
            ("a hard cap leaves air", _behind(0.85, is_hard_cap=True), "clear"),
            ("most of a hard cap unused", _behind(0.75, is_hard_cap=True), "high"),
            ("efficiency unknown", _behind(0.85, conversions_w14m=None, expected_conversions_w14m=None), "medium"),
        ),
    ),
    RuleCases(
        "BUDGET-003",
        fires=(
            ("a winner that loses an eighth", {**WINNER, "lost_share_w7": 0.125}, "medium"),
            ("a fifth", {**WINNER, "lost_share_w7": 0.2}, "high"),
            ("nearly half", {**WINNER, "lost_share_w7": 0.45}, "critical"),
            ("pinned to its budget on four days", {**WINNER, **SOCIAL, "capped_days_w7": 4, "capped_days_w14": 10}, "medium"),
            ("pinned to it every day", {**WINNER, **SOCIAL, "capped_days_w7": 7, "capped_days_w14": 14}, "high"),
            ("no change of the budget known", {**WINNER, "lost_share_w7": 0.125, "days_since_budget_change": None}, "medium"),
            ("sells a quarter more than agreed", {**WINNER, **SALES, "conversion_value_w14m": 5_500.0, "lost_share_w7": 0.125}, "medium"),
        ),
        boundary=(
            ("at the medium threshold", {**WINNER, "lost_share_w7": 0.1}, "medium"),
            ("just below it", {**WINNER, "lost_share_w7": 0.0999}, "clear"),
            ("a tenth below target", {"spend_w14m": 11_000.0, "conversions_w14m": 11_000 / 18, "lost_share_w7": 0.125}, "medium"),
            ("just less", {"spend_w14m": 11_000.0, "conversions_w14m": 610.0, "lost_share_w7": 0.125}, "clear"),
            ("sells a tenth more", {**SALES, **MANY, "conversion_value_w14m": 48_400.0, "lost_share_w7": 0.125}, "medium"),
            ("sells hardly a tenth more", {**SALES, **MANY, "conversion_value_w14m": 48_399.0, "lost_share_w7": 0.125}, "clear"),
            ("three days at the budget", {**WINNER, **SOCIAL, "capped_days_w7": 3, "capped_days_w14": 10}, "clear"),
        ),
        missing=(
            ("no target", {**WINNER, "lost_share_w7": 0.125, "campaign_target_cpa": None, "advertiser_target_cpa": None}, "missing_input"),
            ("neither budget nor lost share", {**WINNER, **SOCIAL, "capped_days_w7": None, "capped_days_w14": None}, "missing_input"),
        ),
        below_floor=(("few conversions", {"spend_w14m": 100.0, "conversions_w14m": 19.0, "lost_share_w7": 0.125}, "below_minimum_volume"),),
        others=(
            ("strong weekdays brush the budget", {**WINNER, **SOCIAL, "capped_days_w7": 5, "capped_days_w14": 9}, "clear"),
            ("the platform says that nothing is lost", {**WINNER, "capped_days_w7": 7, "capped_days_w14": 14}, "clear"),
            ("no winner", {"lost_share_w7": 0.3}, "clear"),
            (
                "few and uneven baskets",
                {**WINNER, **SALES, "conversion_value_w14m": 5_000.0, "value_spread_w14m": 4.0, "lost_share_w7": 0.3},
                "clear",
            ),
            ("luck", {"spend_w14m": 400.0, "conversions_w14m": 23.0, "lost_share_w7": 0.3}, "clear"),
            ("still learning", {**WINNER, "lost_share_w7": 0.3, "is_learning": True}, "clear"),
            ("changed two days ago", {**WINNER, "lost_share_w7": 0.3, "days_since_budget_change": 2}, "clear"),
            ("paused", {**WINNER, "lost_share_w7": 0.3, "campaign_status": "paused"}, "clear"),
        ),
    ),
    RuleCases(
        "BUDGET-004",
        fires=(
            ("a quarter too dear", {"conversions_w14m": 440.0, "spend_w14m": 11_000.0, "lost_share_w7": 0.15}, "medium"),
            ("half too dear", {"conversions_w14m": 36.0, "lost_share_w7": 0.15}, "high"),
            ("pinned to its budget", {"conversions_w14m": 36.0, **SOCIAL, "capped_days_w7": 5, "capped_days_w14": 11}, "high"),
        ),
        boundary=(
            ("at the medium threshold", {"spend_w14m": 11_500.0, "conversions_w14m": 500.0, "lost_share_w7": 0.1}, "medium"),
            ("just below it", {"spend_w14m": 11_499.0, "conversions_w14m": 500.0, "lost_share_w7": 0.1}, "clear"),
            ("just too little lost", {"spend_w14m": 11_500.0, "conversions_w14m": 500.0, "lost_share_w7": 0.0999}, "clear"),
            ("at the high threshold", {"spend_w14m": 13_500.0, "conversions_w14m": 500.0, "lost_share_w7": 0.1}, "high"),
        ),
        missing=(
            ("no spend figure", {"spend_w14m": None, "lost_share_w7": 0.3}, "missing_input"),
            (
                "neither budget nor lost share",
                {**SOCIAL, "conversions_w14m": 36.0, "capped_days_w7": None, "capped_days_w14": None},
                "missing_input",
            ),
        ),
        below_floor=(("little money", {"spend_w14m": 99.0, "conversions_w14m": 2.0, "lost_share_w7": 0.3}, "below_minimum_volume"),),
        others=(("a winner", {**WINNER, "lost_share_w7": 0.5}, "clear"), ("not limited", {"conversions_w14m": 30.0}, "clear")),
    ),
    RuleCases(
        "BUDGET-005",
        fires=(
            ("half beyond", {"spend_d": 208.0}, "medium"),
            ("beyond the double", {"spend_d": 261.0}, "high"),
            ("two days in a row", {"spend_d": 261.0, "spend_1_before": 261.0}, "critical"),
            ("beyond the month", {"spend_mtd": 4200.0}, "critical"),
            ("Meta beyond seven quarters", {"platform": "meta_ads", "spend_d": 230.0}, "high"),
            ("Meta beyond the week", {"platform": "meta_ads", "spend_budgeted_w7": 960.0}, "critical"),
        ),
        boundary=(
            ("at one and a half", {"spend_d": 195.0}, "clear"),
            ("just above", {"spend_d": 195.01}, "medium"),
            ("at the double", {"spend_d": 260.0}, "medium"),
            ("just above the double", {"spend_d": 260.01}, "high"),
            ("at the month's limit with air for rounding", {"spend_mtd": 1.02 * 30.4 * 130 - 0.01}, "clear"),
            ("Meta at its allowance", {"platform": "meta_ads", "spend_d": 227.5}, "clear"),
        ),
        missing=(("no budget of the day", {"budget_d": None}, "missing_input"),),
        below_floor=(
            ("a tiny budget", {"budget_d": 9.99, "spend_d": 100.0}, "below_minimum_volume"),
            ("a handful of clicks", {"spend_d": 300.0, "clicks_d": 29}, "below_minimum_volume"),
        ),
        others=(
            ("a platform without a published allowance", {"platform": "tiktok_ads", "spend_d": 300.0}, "clear"),
            ("a week with an unknown budget", {"platform": "meta_ads", "spend_budgeted_w7": 960.0, "budget_days_w7": 6}, "clear"),
        ),
    ),
    RuleCases(
        "BUDGET-007",
        fires=(
            ("two days too short", {"flight_expected_spend": 2300.0}, "medium"),
            ("five days too short", {"flight_expected_spend": 2700.0}, "high"),
            ("an eighth left", {"flight_expected_spend": 1375.0}, "medium"),
            ("a third left", {"flight_expected_spend": 300.0}, "high"),
            ("already used up", {"flight_spend": 5100.0}, "high"),
        ),
        boundary=(
            ("a tenth of the days left", {"flight_expected_spend": 2000 / 0.9 + 0.01}, "medium"),
            ("just less", {"flight_expected_spend": 2000 / 0.9 - 0.01}, "clear"),
            ("a tenth of the money left", {"flight_expected_spend": 1500.0}, "medium"),
            ("just less left", {"flight_expected_spend": 1501.0}, "clear"),
        ),
        missing=(("spend of the flight unknown", {"flight_spend": None}, "missing_input"),),
        below_floor=(
            ("the last day", {"flight_days_left": 1, "flight_expected_spend": 3000.0}, "below_minimum_volume"),
            ("six days old", {"flight_days_elapsed": 6, "flight_expected_spend": 3000.0}, "below_minimum_volume"),
        ),
        others=(
            ("no flight", {"lifetime_budget": None, "flight_expected_spend": None}, "clear"),
            ("paused", {"campaign_status": "paused", "flight_expected_spend": 3000.0}, "clear"),
        ),
    ),
    RuleCases(
        "BUDGET-008",
        fires=(
            ("a fifth dearer", _raised(2400.0, 100.0, target=120.0), "medium"),
            ("a third dearer", _raised(2700.0, 100.0, target=120.0), "high"),
            ("extra conversions at one and a half targets", _raised(2400.0, 100.0, target=29.0), "high"),
            ("extra conversions at two and a half targets", _raised(2400.0, 100.0, target=17.0), "critical"),
            ("no extra conversion at all", _raised(2400.0, 84.0, target=120.0), "critical"),
        ),
        boundary=(
            ("at the medium threshold", _raised(2760.1, 120.0, target=120.0), "medium"),
            ("just below it", _raised(2759.9, 120.0, target=120.0), "clear"),
            ("at the high threshold", _raised(3000.0, 120.0, target=120.0), "high"),
        ),
        missing=(("spend before unknown", _raised(2400.0, 100.0) | {"spend_before_raise": None}, "missing_input"),),
        below_floor=(
            ("few conversions", _raised(2400.0, 1.9), "below_minimum_volume"),
            ("a young campaign", _raised(2400.0, 90.0) | {"days_before_raise": 13}, "below_minimum_volume"),
            ("the raise was not spent", _raised(1450.0, 40.0), "below_minimum_volume"),
        ),
        others=(
            ("no raise", _raised(2400.0, 100.0) | {"raised_on": None}, "clear"),
            ("another change near it", _raised(2400.0, 100.0) | {"other_changes_around_raise": 1}, "clear"),
            ("a sale near it", _raised(2400.0, 100.0) | {"has_event_around_raise": True}, "clear"),
            ("no calendar", _raised(2400.0, 100.0, target=120.0) | {"has_event_around_raise": None}, "medium"),
            ("luck", {"spend_after_raise": 1080.0, "conversions_after_raise": 45.0}, "clear"),
        ),
    ),
    RuleCases(
        "BUDGET-009",
        fires=(
            ("a step of a quarter", {"budget_changes_w7": 1, "largest_budget_step_w7": 0.25}, "low"),
            ("a step of two fifths", {"budget_changes_w7": 1, "largest_budget_step_w7": 0.4}, "medium"),
            ("doubled", {"budget_changes_w7": 1, "largest_budget_step_w7": 1.0}, "high"),
            ("three small changes", {"budget_changes_w7": 3, "largest_budget_step_w7": 0.1}, "medium"),
            ("five small changes", {"budget_changes_w7": 5, "largest_budget_step_w7": 0.1}, "high"),
            ("three changes of unknown size", {"budget_changes_w7": 3}, "medium"),
        ),
        boundary=(
            ("a fifth", {"budget_changes_w7": 1, "largest_budget_step_w7": 0.2}, "clear"),
            ("just more", {"budget_changes_w7": 1, "largest_budget_step_w7": 0.2001}, "low"),
            ("two changes", {"budget_changes_w7": 2, "largest_budget_step_w7": 0.1}, "clear"),
            ("half", {"budget_changes_w7": 1, "largest_budget_step_w7": 0.5}, "medium"),
        ),
        missing=(
            ("no change log", {"budget_changes_w7": None}, "missing_input"),
            ("budget unknown", {"budget_d": None, "daily_budget": None, "budget_changes_w7": 5}, "missing_input"),
        ),
        below_floor=(("a tiny budget", {"budget_d": 19.99, "budget_changes_w7": 5}, "below_minimum_volume"),),
        others=(
            ("a sale is near", {"budget_changes_w7": 5, "has_event_soon": True}, "clear"),
            ("one change of unknown size", {"budget_changes_w7": 1}, "clear"),
        ),
    ),
    RuleCases(
        "COMPL-001",
        fires=(
            ("a seventh refuses", {"granted_w7": 5000, "denied_w7": 4900}, "medium"),
            ("a quarter refuses", {"granted_w7": 4000, "denied_w7": 5900}, "high"),
            ("a tenth of the hits has no answer", {"denied_w7": 2500, "unset_w7": 1000}, "high"),
            ("a quarter of the hits has none", {"granted_w7": 5000, "denied_w7": 2500, "unset_w7": 2500}, "critical"),
            (
                "elsewhere no answer is the custom",
                {"needs_consent_signal": None, "granted_w7": 5000, "denied_w7": 2500, "unset_w7": 2500},
                "medium",
            ),
        ),
        boundary=(
            ("ten points", {"granted_w7": 5499, "denied_w7": 4401}, "medium"),
            ("just less", {"granted_w7": 5501, "denied_w7": 4399}, "clear"),
            ("twenty points", {"granted_w7": 4499, "denied_w7": 5401}, "high"),
            ("five in a hundred without an answer may be chance", {"denied_w7": 3000, "unset_w7": 500}, "clear"),
        ),
        missing=(("no answers of the week", {"granted_w7": None}, "missing_input"),),
        below_floor=(
            ("few visits", {"granted_w7": 2000, "denied_w7": 2900, "hits_w7": 4999}, "below_minimum_volume"),
            ("few days before", {"days_b28": 13, "granted_w7": 4000}, "below_minimum_volume"),
        ),
        others=(
            ("no law asks for an answer", {"needs_consent_signal": False, "denied_w7": 2500, "unset_w7": 1000}, "clear"),
            ("a young banner", {"history_days": 27, "granted_w7": 4000}, "short_history"),
        ),
    ),
)
