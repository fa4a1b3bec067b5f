"""Conversion tracking: healthy rows and cases of CONV-002 to CONV-008."""

from __future__ import annotations

from datetime import date
from typing import Any

from marketing_agents_tests.rules.areas import RuleCases

HEALTHY: dict[str, dict[str, Any]] = {
    # Settled week: 7 days; usual: 1.05 purchases per order, 3 % of the clicks buy
    "conversion_action_features": {
        "value_mode": "dynamic", "days_since_last_conversion": 0, "expected_conversions_gap": None, "conversions_w7m_settled": 210.0,
        "conversions_b28m_settled": 840.0, "clicks_w7m_settled": 7000, "clicks_b28m_settled": 28_000, "account_spend_w7": 700.0, "orders_w7m_settled": 200,
        "order_days_w7m_settled": 7, "orders_b28m_settled": 800, "order_days_b28m_settled": 28, "ordered_conversions_w7m_settled": 210.0,
        "ratio_weeks_b28m_settled": 4, "conversions_per_order_usual": 1.05, "conversion_value_w14": 22_400.0, "conversions_valued_w14": 400.0,
        "conversions_zero_value_w14": 0.0, "value_days_w14": 14, "value_spread_w14": 0.2, "value_currencies_w14": 1, "aov_w14": 60.0, "aov_orders_w14": 400,
        "aov_spread_w14": 0.2, "changes_w14": 0,
    },
    "tag_features": {
        "platform": "meta_ads", "source": "pixel", "event_name": "Purchase", "is_result_event": True, "events_w7": 2000, "browser_events_w7": 2000,
        "server_events_w7": 0, "emq_score_w7": 9.2, "dedup_rate_w7": 0.96, "server_share_w7": 0.5, "spend_w7": 900.0,
    },
    "traffic_source_features": {
        "sessions_dow_values": 8, "sessions_d": 1500, "sessions_dow_median": 1550.0, "unassigned_share_d": 0.04, "unassigned_share_dow_median": 0.03,
        "direct_share_d": 0.15, "direct_share_dow_median": 0.14, "lost_sources": 0, "fallen_sources": 0, "paid_sessions_d": 450, "clicks_d": 500,
        "click_to_session_dow_values": 8, "click_to_session_dow_median": 0.91,
    },
    "platform_conversion_features": {
        "platform": "google_ads", "account_id": "111", "account_name": "Main", "matured_day": date(2026, 11, 17), "counts_purchases": True,
        "conversions_w7m": 210.0, "orders_w7m": 200, "order_days_w7m": 7, "ratio_weeks": 8, "ratio_median": 1.05, "ratio_mad": 0.02, "spend_w7": 700.0,
    },
}  # fmt: skip
USED_TABLES = ("change_events", "tag_health_daily", "web_sessions_daily")
SILENT = {"days_since_last_conversion": 8, "expected_conversions_gap": 6.0}
CHANGED = {"changes_w14": 1, "last_change_day": date(2026, 11, 10), "last_change_field": "counting_type"}
MANY = {
    "orders_w7m_settled": 2000,
    "orders_b28m_settled": 8000,
    "conversions_b28m_settled": 8400.0,
    "clicks_b28m_settled": 280_000,
    "clicks_w7m_settled": 70_000,
}


def counted(conversions: float, **more: Any) -> dict[str, Any]:
    """Conversions of the settled week, on all of whose days orders are known."""
    return {"conversions_w7m_settled": conversions, "ordered_conversions_w7m_settled": conversions, **more}


def worth(value: float, **more: Any) -> dict[str, Any]:
    """Value per conversion."""
    return {"conversion_value_w14": value * 400, **more}


# 22 August 2022 of the Conjura brand: all sources at zero, everything in all_other
COLLAPSED = {
    "lost_sources": 4,
    "fallen_sources": 4,
    "lost_source_names": "organic, direct, referral, email",
    "unassigned_share_d": 0.77,
    "direct_share_d": 0.0,
}
# 2 October 2022: direct times seven, organic and referral at a third
THINNED = {"fallen_sources": 2, "fallen_source_names": "organic, referral", "direct_share_d": 0.58, "sessions_d": 3148}

CASES = (
    RuleCases(
        "CONV-005",
        fires=(
            ("hard to match", {"emq_score_w7": 6.5}, "medium"),
            ("harder", {"emq_score_w7": 5.0}, "high"),
            ("hopeless", {"emq_score_w7": 3.9}, "critical"),
            ("duplicates are left", {"dedup_rate_w7": 0.85}, "medium"),
            ("many duplicates are left", {"dedup_rate_w7": 0.6}, "high"),
            ("the server sends nothing", {"server_share_w7": 0.0}, "high"),
        ),
        boundary=(
            ("good", {"emq_score_w7": 8.5}, "clear"),
            ("just below good", {"emq_score_w7": 8.49}, "low"),
            ("at the medium threshold", {"emq_score_w7": 7.0}, "low"),
            ("at the high threshold", {"emq_score_w7": 6.0}, "medium"),
            ("at the critical threshold", {"emq_score_w7": 4.0}, "high"),
            ("a hair below 90 % may be chance", {"dedup_rate_w7": 0.89}, "clear"),
            ("a hair below 90 % of many events is not", {"dedup_rate_w7": 0.89, "events_w7": 20_000}, "medium"),
        ),
        below_floor=(("few events", {"emq_score_w7": 3.0, "events_w7": 499}, "below_minimum_volume"),),
        missing=(("events unknown", {"events_w7": None}, "missing_input"),),
        others=(
            ("no match quality, the rest is fine", {"emq_score_w7": None}, "clear"),
            ("a tag that reports none of it", {"emq_score_w7": None, "dedup_rate_w7": None, "server_share_w7": None}, "clear"),
            ("the feed of the server itself", {"source": "capi", "server_share_w7": 0.0}, "clear"),
            ("one way only has no duplicates", {"server_share_w7": 1.0, "dedup_rate_w7": 0.0}, "clear"),
            ("page views", {"event_name": "PageView", "is_result_event": False, "emq_score_w7": 3.0}, "clear"),
            ("young tag", {"emq_score_w7": 3.0, "history_days": 6}, "short_history"),
        ),
    ),
    RuleCases(
        "CONV-007",
        fires=(
            ("all sources collapse", COLLAPSED, "critical"),
            ("one source collapses", {**COLLAPSED, "lost_sources": 1}, "high"),
            ("labels fall back to direct", THINNED, "medium"),
            ("clicks do not arrive as visits", {"paid_sessions_d": 300}, "medium"),
        ),
        boundary=(
            ("two sources", {**COLLAPSED, "lost_sources": 2}, "high"),
            ("three sources", {**COLLAPSED, "lost_sources": 3}, "critical"),
            ("just enough without a source", {**COLLAPSED, "unassigned_share_d": 0.34, "unassigned_share_dow_median": 0.03}, "critical"),
            ("just too few without a source", {**COLLAPSED, "unassigned_share_d": 0.32}, "clear"),
            ("all sources collapse and visits are counted twice", {**COLLAPSED, "sessions_d": 2800}, "critical"),
            (
                "one source at zero, too many visits to believe",
                {**COLLAPSED, "lost_sources": 1, "fallen_sources": 1, "sessions_d": 2800},
                "clear",
            ),
            ("the site itself was down", {**COLLAPSED, "sessions_d": 900}, "clear"),
            ("as many visits as can be believed", {**THINNED, "sessions_d": 4650}, "medium"),
            ("more than can be believed", {**THINNED, "sessions_d": 4700}, "clear"),
            ("one source at half", {**THINNED, "fallen_sources": 1}, "clear"),
            ("a little over 70 % of the usual visits per click", {"paid_sessions_d": 320}, "clear"),
        ),
        below_floor=(
            ("two weekdays", {**COLLAPSED, "sessions_dow_values": 2}, "below_minimum_volume"),
            ("a small site", {**COLLAPSED, "sessions_dow_median": 99.0}, "below_minimum_volume"),
        ),
        missing=(
            (
                "the day has no sessions",
                {"sessions_d": None, "lost_sources": None, "fallen_sources": None, "unassigned_share_d": None, "direct_share_d": None},
                "missing_input",
            ),
        ),
        others=(
            ("three weekdays are enough", {**COLLAPSED, "sessions_dow_values": 3}, "critical"),
            ("sources that are not named like platforms", {"clicks_d": None, "click_to_session_dow_median": None}, "clear"),
            ("three weekdays are too few for visits per click", {"paid_sessions_d": 300, "click_to_session_dow_values": 3}, "clear"),
            ("few clicks", {"paid_sessions_d": 10, "clicks_d": 99}, "clear"),
            ("short history", {**COLLAPSED, "history_days": 21}, "short_history"),
        ),
    ),
    RuleCases(
        "CONV-004",
        fires=(
            ("the platform hears of a third less", {"conversions_w7m": 140.0}, "medium"),
            ("of less than two thirds", {"conversions_w7m": 130.0}, "high"),
            ("of half", {"conversions_w7m": 105.0}, "critical"),
            ("of nothing", {"conversions_w7m": 0.0}, "critical"),
            ("twice as much as was sold", {"conversions_w7m": 420.0}, "critical"),
        ),
        boundary=(
            ("at 20 %, many orders", {"conversions_w7m": 2520.001, "orders_w7m": 2000}, "medium"),
            ("just below 20 %", {"conversions_w7m": 2519.0, "orders_w7m": 2000}, "clear"),
            ("at 35 %", {"conversions_w7m": 1365.0, "orders_w7m": 2000}, "high"),
            ("just below 35 %", {"conversions_w7m": 1366.0, "orders_w7m": 2000}, "medium"),
            ("at 50 %", {"conversions_w7m": 1050.0, "orders_w7m": 2000}, "critical"),
            ("25 % of few orders may be chance", {"conversions_w7m": 65.0, "orders_w7m": 50}, "clear"),
            ("25 % is usual here", {"conversions_w7m": 2625.0, "orders_w7m": 2000, "ratio_mad": 0.1}, "clear"),
        ),
        below_floor=(
            ("49 orders", {"conversions_w7m": 300.0, "orders_w7m": 49}, "below_minimum_volume"),
            ("three weeks", {"conversions_w7m": 420.0, "ratio_weeks": 3}, "below_minimum_volume"),
            ("five days of orders", {"conversions_w7m": 420.0, "order_days_w7m": 5}, "below_minimum_volume"),
            (
                "leads without a steady rate",
                {"conversions_w7m": 420.0, "counts_purchases": False, "ratio_mad": 0.12},
                "below_minimum_volume",
            ),
        ),
        missing=(
            ("orders unknown", {"orders_w7m": None}, "missing_input"),
            ("conversions unknown", {"conversions_w7m": None}, "missing_input"),
        ),
        others=(
            ("leads with a steady rate", {"conversions_w7m": 420.0, "counts_purchases": False}, "critical"),
            (
                "few orders of leads vary",
                {"conversions_w7m": 681.0, "orders_w7m": 86, "ratio_median": 11.64, "counts_purchases": False},
                "clear",
            ),
            ("no primary action", {"counts_purchases": None, "conversions_w7m": None}, "clear"),
            ("several accounts", {"conversions_w7m": 420.0, "account_id": None, "account_name": None}, "critical"),
            ("young platform", {"conversions_w7m": 420.0, "history_days": 37}, "short_history"),
        ),
    ),
    RuleCases(
        "CONV-002",
        fires=(
            ("a primary action is silent for a week", SILENT, "high"),
            ("for a fortnight", {"days_since_last_conversion": 14, "expected_conversions_gap": 6.0}, "critical"),
            ("one that is not used for bidding", {**SILENT, "is_primary": False, "expected_conversions_gap": 8.0}, "medium"),
        ),
        boundary=(
            ("six days", {"days_since_last_conversion": 6}, "clear"),
            ("seven days", {"days_since_last_conversion": 7, "expected_conversions_gap": 5.0}, "high"),
            ("thirteen days", {"days_since_last_conversion": 13, "expected_conversions_gap": 5.0}, "high"),
            ("below one a day, not used for bidding", {**SILENT, "is_primary": False, "expected_conversions_gap": 7.9}, "clear"),
        ),
        below_floor=(("it was rare before", {**SILENT, "expected_conversions_gap": 4.9}, "below_minimum_volume"),),
        missing=(("status unknown", {**SILENT, "action_status": None}, "missing_input"),),
        others=(
            ("paused", {**SILENT, "action_status": "paused"}, "clear"),
            ("never fired", {"days_since_last_conversion": None}, "clear"),
            ("young action", {**SILENT, "history_days": 13}, "short_history"),
        ),
    ),
    RuleCases(
        "CONV-003",
        fires=(
            ("twice as many", counted(420.0), "critical"),
            ("two thirds more", counted(350.0), "high"),
            ("half as many again", counted(315.0), "medium"),
            ("twice as many purchases that bidding does not use", counted(420.0, is_primary=False), "high"),
        ),
        boundary=(
            ("at 30 %", counted(2730.001, **MANY), "medium"),
            ("just below 30 %", counted(2729.0, **MANY), "clear"),
            ("at 60 %", counted(3360.001, **MANY), "high"),
            ("just below 90 %", counted(3989.0, **MANY), "high"),
            ("at 90 %", counted(3990.001, **MANY), "critical"),
            ("30 % of few may be chance", counted(275.0), "clear"),
            ("more clicks that sell as usual", counted(420.0, clicks_w7m_settled=14_000), "clear"),
        ),
        below_floor=(
            ("49 orders", counted(420.0, orders_w7m_settled=49), "below_minimum_volume"),
            ("orders rise as well", counted(420.0, orders_w7m_settled=231), "below_minimum_volume"),
            ("orders fall", counted(420.0, orders_w7m_settled=169), "below_minimum_volume"),
            ("two weeks to compare with", counted(420.0, ratio_weeks_b28m_settled=2), "below_minimum_volume"),
            ("the action is new", counted(420.0, conversions_b28m_settled=49.0), "below_minimum_volume"),
        ),
        missing=(("orders unknown", counted(420.0, orders_w7m_settled=None), "missing_input"),),
        others=(
            ("fewer", counted(105.0), "clear"),
            ("baskets filled", counted(420.0, action_category="add_to_cart", is_primary=False), "clear"),
            ("paused", counted(420.0, action_status="paused"), "clear"),
            ("young action", counted(420.0, history_days=37), "short_history"),
        ),
    ),
    RuleCases(
        "CONV-006",
        fires=(
            ("two thirds of the basket", worth(40.0), "medium"),
            ("a third of it", worth(20.0), "high"),
            ("twice the basket", worth(120.0), "high"),
            ("one in ten without value", {"conversions_zero_value_w14": 40.0}, "medium"),
            ("one in four without value", {"conversions_zero_value_w14": 100.0}, "high"),
            ("the same value every day", {"value_spread_w14": 0.0}, "critical"),
            ("the same value every day, not used for bidding", {"value_spread_w14": 0.0, "is_primary": False}, "high"),
            ("two currencies", {"value_currencies_w14": 2}, "critical"),
        ),
        boundary=(
            ("three quarters of the basket", worth(45.0), "medium"),
            ("just above three quarters", worth(45.01), "clear"),
            ("half of it", worth(30.0), "high"),
            ("just above half", worth(30.01), "medium"),
            (
                "30 % off in few baskets may be chance",
                {"conversions_valued_w14": 40.0, "conversion_value_w14": 1680.0, "aov_orders_w14": 40},
                "clear",
            ),
            ("5 % without value", {"conversions_zero_value_w14": 20.0}, "medium"),
            ("just below 5 %", {"conversions_zero_value_w14": 19.9}, "clear"),
        ),
        below_floor=(
            ("29 conversions", {"conversions_valued_w14": 29.0}, "below_minimum_volume"),
            ("29 orders", worth(20.0, aov_orders_w14=29), "below_minimum_volume"),
        ),
        missing=(("orders unknown", worth(20.0, aov_w14=None, aov_orders_w14=None), "missing_input"),),
        others=(
            ("a lead is worth what was agreed", worth(20.0, action_category="lead", value_mode="static"), "clear"),
            ("a lead with values of its own", worth(20.0, action_category="lead"), "clear"),
            ("all baskets of the shop are alike", {"value_spread_w14": 0.0, "aov_spread_w14": 0.0}, "clear"),
            ("young action", worth(20.0, history_days=13), "short_history"),
        ),
    ),
    RuleCases(
        "CONV-008",
        fires=(
            ("a primary action", CHANGED, "medium"),
            ("another one", {**CHANGED, "is_primary": False}, "low"),
            ("conversions per click have risen", {**CHANGED, "conversions_w7m_settled": 280.0}, "high"),
            ("conversions per click have fallen", {**CHANGED, "conversions_w7m_settled": 120.0}, "high"),
        ),
        boundary=(
            ("none", {"changes_w14": 0}, "clear"),
            ("20 % of many", {**CHANGED, **MANY, "conversions_w7m_settled": 2520.001}, "high"),
            ("just below 20 % of many", {**CHANGED, **MANY, "conversions_w7m_settled": 2519.0}, "medium"),
            ("20 % of few may be chance", {**CHANGED, "conversions_w7m_settled": 253.0}, "medium"),
        ),
        missing=(("changes unknown", {"changes_w14": None}, "missing_input"),),
        others=(
            ("no conversions to compare", {**CHANGED, "conversions_b28m_settled": 0.0}, "medium"),
            ("removed", {**CHANGED, "action_status": "removed"}, "clear"),
        ),
    ),
)
