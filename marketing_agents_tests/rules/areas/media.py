"""Healthy rows and cases of the media rules."""

from __future__ import annotations

from typing import Any

from marketing_agents_tests.rules.areas import RuleCases

HEALTHY: dict[str, dict[str, Any]] = {
    "campaign_features": {
        "normal_days_w7": 7, "normal_days_b28": 28, "normal_days_s7": 7, "normal_days_p28": 28,
        "impressions_w7n": 50_000, "clicks_w7n": 1000, "spend_w7n": 700.0, "impressions_b28n": 200_000, "clicks_b28n": 4000, "spend_b28n": 2800.0,
        "cpm_index_at_mix": 1.0, "ctr_index_at_mix": 1.0, "expected_cpm_index_w7": 1.0,
        "clicks_s7": 1000, "complete_clicks_s7": 975.0, "complete_spend_s7": 680.0, "conversions_s7": 34.0,
        "clicks_p28": 4000, "spend_p28": 2800.0, "conversions_p28": 140.0,
        "complete_spend_w14m": 1000.0, "conversion_value_w14m": 4000.0, "valued_conversions_w14m": 100.0, "value_spread_w14m": 0.5,
        "campaign_target_roas": 4.0, "advertiser_target_roas": 3.0, "gross_margin": 0.5, "campaign_end_date": None,
        "impressions_d": 7000, "spend_d": 100.0, "dow_values": 8, "impressions_dow_median": 7000.0, "spend_dow_median": 100.0,
        "has_event_d": False, "recent_changes": 0,
    },
    "advertiser_features": {
        "gross_margin": 0.5, "spend_w7": 10_000.0, "comparable_days_w7": 7, "comparable_days_b28": 28,
        "spend_w7c": 10_000.0, "orders_w7c": 700, "revenue_w7c": 40_000.0, "discount_share_w7c": 0.05,
        "spend_b28c": 40_000.0, "orders_b28c": 2800, "revenue_b28c": 160_000.0, "discount_share_b28c": 0.05,
        "known_days_w28": 28, "known_days_p28": 28, "orders_w28": 2800, "orders_p28": 2800, "paid_orders_w28": 1600,
        "conversions_w28": 1700.0, "conversions_p28": 1700.0, "view_through_conversions_w28": 300.0, "claiming_platforms_w28": 2,
        "top_platform": "google_ads", "top_platform_conversions_w28": 900.0, "counts_purchases_only": True,
    },
}  # fmt: skip
USED_TABLES = ("ad_performance_daily", "campaigns", "conversion_actions", "orders_daily")

# Twenty times the usual volume: what is tested is the threshold, not luck.
_MANY = {"clicks_s7": 20_000, "complete_clicks_s7": 20_000.0, "complete_spend_s7": 14_000.0, "clicks_p28": 80_000, "spend_p28": 56_000.0, "conversions_p28": 2800.0}  # fmt: skip

CASES = (
    RuleCases(
        rule_id="MEDIA-003",
        fires=(
            ("a good seventh below target", {"conversion_value_w14m": 3400.0, "valued_conversions_w14m": 1000.0}, "medium"),
            ("a third below", {"conversion_value_w14m": 2700.0}, "high"),
            ("below what the margin pays for", {"conversion_value_w14m": 1900.0}, "critical"),
            ("default target of the advertiser", {"campaign_target_roas": None, "conversion_value_w14m": 2099.0}, "high"),
        ),
        boundary=(
            ("just above 0.85", {"conversion_value_w14m": 3401.0, "valued_conversions_w14m": 1000.0}, "clear"),
            ("just above 0.70", {"conversion_value_w14m": 2801.0}, "medium"),
            ("at break-even", {"conversion_value_w14m": 2000.0}, "high"),
            (
                "below break-even with few conversions",
                {"conversion_value_w14m": 1999.0, "valued_conversions_w14m": 29.0, "value_spread_w14m": 0.2},
                "high",
            ),
        ),
        missing=(
            ("no target", {"campaign_target_roas": None, "advertiser_target_roas": None, "conversion_value_w14m": 1900.0}, "missing_input"),
            ("no spread", {"value_spread_w14m": None, "conversion_value_w14m": 1900.0}, "missing_input"),
        ),
        below_floor=(
            ("14 conversions with a value", {"valued_conversions_w14m": 14.0, "conversion_value_w14m": 1900.0}, "below_minimum_volume"),
        ),
        others=(
            ("baskets that scatter explain it", {"conversion_value_w14m": 3000.0, "value_spread_w14m": 2.0}, "clear"),
            ("no margin known", {"gross_margin": None, "conversion_value_w14m": 1900.0}, "high"),
            ("paused", {"campaign_status": "paused", "conversion_value_w14m": 1900.0}, "clear"),
        ),
    ),
    RuleCases(
        rule_id="MEDIA-004",
        fires=(
            ("a quarter dearer", {**_MANY, "conversions_s7": 560.0}, "medium"),
            ("half as dear again", {**_MANY, "conversions_s7": 466.0}, "high"),
            ("twice as dear", {**_MANY, "conversions_s7": 350.0}, "critical"),
            ("no conversion at all", {"conversions_s7": 0.0}, "critical"),
        ),
        boundary=(
            ("just below a quarter", {**_MANY, "conversions_s7": 560.5}, "clear"),
            ("just below a half", {**_MANY, "conversions_s7": 467.0}, "medium"),
            ("just below twice", {**_MANY, "conversions_s7": 351.0}, "high"),
        ),
        missing=(("no rate for the currency", {"complete_spend_s7": None, "spend_p28": None, "conversions_s7": 20.0}, "missing_input"),),
        below_floor=(
            ("29 conversions before", {"conversions_p28": 29.0, "conversions_s7": 0.0}, "below_minimum_volume"),
            ("four normal days", {"normal_days_s7": 4, "conversions_s7": 0.0}, "below_minimum_volume"),
            ("fewer than 15 expected", {"complete_spend_s7": 280.0, "conversions_s7": 2.0}, "below_minimum_volume"),
        ),
        others=(
            ("a third dearer, by luck", {"conversions_s7": 25.5}, "clear"),
            ("days whose conversions are still coming in", {"conversions_s7": 32.3, "complete_spend_s7": 646.0}, "clear"),
        ),
    ),
    RuleCases(
        rule_id="MEDIA-005",
        fires=(
            ("a quarter", {"spend_w7n": 875.0, "cpm_index_at_mix": 1.25}, "medium"),
            ("two fifths", {"spend_w7n": 980.0, "cpm_index_at_mix": 1.40}, "high"),
            ("three quarters", {"spend_w7n": 1225.0, "cpm_index_at_mix": 1.75}, "critical"),
            ("no calendar", {"spend_w7n": 875.0, "cpm_index_at_mix": 1.25, "expected_cpm_index_w7": None}, "medium"),
        ),
        boundary=(
            ("just below a quarter", {"spend_w7n": 874.0, "cpm_index_at_mix": 1.2486}, "clear"),
            ("60 % of the rise remain", {"spend_w7n": 980.0, "cpm_index_at_mix": 1.2401}, "high"),
            ("less remains at the old mix", {"spend_w7n": 980.0, "cpm_index_at_mix": 1.2399}, "clear"),
            ("as the calendar expects", {"spend_w7n": 980.0, "cpm_index_at_mix": 1.4, "expected_cpm_index_w7": 1.41}, "clear"),
        ),
        missing=(("no network in both windows", {"spend_w7n": 980.0, "cpm_index_at_mix": None}, "missing_input"),),
        below_floor=(
            ("9,999 impressions", {"impressions_w7n": 9999, "spend_w7n": 980.0, "cpm_index_at_mix": 1.4}, "below_minimum_volume"),
            ("99 of spend", {"spend_w7": 99.0, "spend_w7n": 980.0, "cpm_index_at_mix": 1.4}, "below_minimum_volume"),
        ),
    ),
    RuleCases(
        rule_id="MEDIA-006",
        fires=(
            ("a quarter", {"spend_w7n": 875.0}, "medium"),
            ("two fifths", {"spend_w7n": 980.0}, "high"),
            ("fewer clicks for the money", {"clicks_w7n": 560}, "critical"),
        ),
        boundary=(
            ("just below a quarter", {"spend_w7n": 874.0}, "clear"),
            ("just below two fifths", {"spend_w7n": 979.0}, "medium"),
            ("just below three quarters", {"spend_w7n": 1224.0}, "high"),
        ),
        missing=(("no rate for the currency", {"spend_w7n": None, "spend_b28n": None}, "missing_input"),),
        below_floor=(
            ("99 clicks", {"clicks_w7n": 99}, "below_minimum_volume"),
            ("199 clicks before", {"clicks_b28n": 199, "clicks_w7n": 100}, "below_minimum_volume"),
        ),
        others=(("by luck", {"clicks_w7n": 100, "spend_w7n": 91.0, "spend_w7": 91.0}, "clear"),),
    ),
    RuleCases(
        rule_id="MEDIA-007",
        fires=(
            ("a fifth", {"clicks_w7n": 799, "ctr_index_at_mix": 0.8}, "medium"),
            ("a third", {"clicks_w7n": 650, "ctr_index_at_mix": 0.65}, "high"),
            ("half", {"clicks_w7n": 500, "ctr_index_at_mix": 0.5}, "critical"),
        ),
        boundary=(
            ("just less than a fifth", {"clicks_w7n": 801, "ctr_index_at_mix": 0.801}, "clear"),
            ("just less than a third", {"clicks_w7n": 651, "ctr_index_at_mix": 0.651}, "medium"),
            ("40 % of the drop remain", {"clicks_w7n": 500, "ctr_index_at_mix": 0.799}, "critical"),
            ("less remains at the old mix", {"clicks_w7n": 500, "ctr_index_at_mix": 0.801}, "clear"),
        ),
        missing=(("no network in both windows", {"clicks_w7n": 500, "ctr_index_at_mix": None}, "missing_input"),),
        below_floor=(
            ("49 clicks before", {"clicks_b28n": 49, "clicks_w7n": 0}, "below_minimum_volume"),
            ("999 impressions", {"impressions_w7n": 999, "clicks_w7n": 0}, "below_minimum_volume"),
        ),
        others=(("by luck", {"impressions_w7n": 1000, "clicks_w7n": 14, "ctr_index_at_mix": 0.7}, "clear"),),
    ),
    RuleCases(
        rule_id="MEDIA-008",
        fires=(
            ("a fifth", {**_MANY, "conversions_s7": 560.0}, "medium"),
            ("a third", {**_MANY, "conversions_s7": 455.0}, "high"),
            ("half", {**_MANY, "conversions_s7": 350.0}, "critical"),
        ),
        boundary=(
            ("just less than a fifth", {**_MANY, "conversions_s7": 560.5}, "clear"),
            ("just less than a third", {**_MANY, "conversions_s7": 455.5}, "medium"),
            ("half the clicks", {**_MANY, "conversions_s7": 350.0, "clicks_s7": 10_000}, "critical"),
            ("fewer than half the clicks", {**_MANY, "conversions_s7": 350.0, "clicks_s7": 9999}, "clear"),
        ),
        missing=(
            ("more conversions than clicks before", {**_MANY, "conversions_p28": 90_000.0, "conversions_s7": 350.0}, "missing_input"),
        ),
        below_floor=(
            ("199 clicks", {"clicks_s7": 199, "conversions_s7": 0.0}, "below_minimum_volume"),
            ("19 conversions before", {"conversions_p28": 19.0, "conversions_s7": 0.0}, "below_minimum_volume"),
        ),
        others=(("a third, by luck", {"conversions_s7": 22.5}, "clear"),),
    ),
    RuleCases(
        rule_id="MEDIA-009",
        fires=(
            ("half", {"impressions_d": 3500, "spend_d": 50.0}, "medium"),
            ("a quarter", {"impressions_d": 1750, "spend_d": 25.0}, "high"),
            ("nothing at all", {"impressions_d": 0, "spend_d": 0.0}, "critical"),
            (
                "nobody keeps a history of changes",
                {"impressions_d": 0, "spend_d": 0.0, "recent_changes": None, "has_event_d": None},
                "critical",
            ),
        ),
        boundary=(
            ("just above half", {"impressions_d": 3501, "spend_d": 50.0}, "clear"),
            ("just above a quarter", {"impressions_d": 1751, "spend_d": 25.0}, "medium"),
            ("just above a tenth", {"impressions_d": 701, "spend_d": 10.0}, "high"),
            ("the money is still spent: impressions are dearer", {"impressions_d": 3000, "spend_d": 75.5}, "clear"),
        ),
        missing=(("not among the campaigns", {"campaign_status": None, "impressions_d": 0, "spend_d": 0.0}, "missing_input"),),
        below_floor=(
            ("three weekdays", {"dow_values": 3, "impressions_d": 0, "spend_d": 0.0}, "below_minimum_volume"),
            ("a small campaign", {"impressions_dow_median": 999.0, "impressions_d": 0, "spend_d": 0.0}, "below_minimum_volume"),
        ),
        others=(
            ("paused", {"campaign_status": "paused", "impressions_d": 0, "spend_d": 0.0}, "clear"),
            ("somebody changed the budget", {"recent_changes": 1, "impressions_d": 0, "spend_d": 0.0}, "clear"),
            ("a holiday", {"has_event_d": True, "impressions_d": 0, "spend_d": 0.0}, "clear"),
            ("small for a week already", {"impressions_w7": 17_500, "impressions_d": 2500, "spend_d": 36.0}, "clear"),
        ),
    ),
    RuleCases(
        rule_id="MEDIA-010",
        fires=(
            ("a seventh", {"revenue_w7c": 34_000.0, "orders_w7c": 7000, "orders_b28c": 28_000}, "medium"),
            ("a quarter", {"revenue_w7c": 30_000.0, "orders_w7c": 7000, "orders_b28c": 28_000}, "high"),
            ("two fifths", {"revenue_w7c": 24_000.0}, "critical"),
            ("less than the margin pays for", {"revenue_w7c": 30_000.0, "gross_margin": 0.33}, "critical"),
            ("no margin known", {"revenue_w7c": 28_000.0, "gross_margin": None}, "high"),
        ),
        boundary=(
            ("just above a seventh", {"revenue_w7c": 34_001.0, "orders_w7c": 7000, "orders_b28c": 28_000}, "clear"),
            ("just above a quarter", {"revenue_w7c": 30_001.0, "orders_w7c": 7000, "orders_b28c": 28_000}, "medium"),
            ("just above two fifths", {"revenue_w7c": 24_001.0}, "high"),
            ("discounts that explain it", {"revenue_w7c": 24_000.0, "discount_share_w7c": 0.16}, "clear"),
        ),
        missing=(("no rate for the currency", {"revenue_w7c": None, "revenue_b28c": None}, "missing_input"),),
        below_floor=(
            ("49 orders", {"orders_w7c": 49, "revenue_w7c": 2000.0}, "below_minimum_volume"),
            ("999 of spend", {"spend_w7": 999.0, "revenue_w7c": 2000.0}, "below_minimum_volume"),
            ("a week of promotion", {"comparable_days_w7": 4, "revenue_w7c": 2000.0}, "below_minimum_volume"),
        ),
        others=(("a fifth with few orders, by luck", {"revenue_w7c": 32_000.0, "orders_w7c": 100, "orders_b28c": 400}, "clear"),),
    ),
    RuleCases(
        rule_id="ATTR-001",
        fires=(
            ("a fifth more than was sold", {"conversions_w28": 3360.0}, "medium"),
            ("half as much again", {"conversions_w28": 4200.0}, "high"),
            ("twice", {"conversions_w28": 5600.0}, "critical"),
            ("all that was sold, and growing", {"conversions_w28": 2800.0, "conversions_p28": 2400.0}, "medium"),
        ),
        boundary=(
            ("just less than a fifth more, as ever", {"conversions_w28": 3359.0, "conversions_p28": 3359.0}, "clear"),
            ("just less than half as much again", {"conversions_w28": 4199.0}, "medium"),
            ("just less than twice", {"conversions_w28": 5599.0}, "high"),
            ("growing, but less than was sold", {"conversions_w28": 2799.0}, "clear"),
        ),
        missing=(
            ("no conversion action listed", {"counts_purchases_only": None, "conversions_w28": 5600.0}, "missing_input"),
            ("no facts of ads", {"conversions_w28": None}, "missing_input"),
        ),
        below_floor=(
            ("99 orders", {"orders_w28": 99, "conversions_w28": 5600.0}, "below_minimum_volume"),
            ("orders known on 25 days", {"known_days_w28": 25, "conversions_w28": 5600.0}, "below_minimum_volume"),
        ),
        others=(("leads are no orders", {"counts_purchases_only": False, "conversions_w28": 5600.0}, "clear"),),
    ),
)
