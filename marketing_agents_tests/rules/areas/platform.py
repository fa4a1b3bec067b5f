"""Platform accounts and connectors: status, money, restated history, unknown changes, tokens."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from marketing_agents_tests.rules.areas import RuleCases

DAY = date(2026, 11, 20)
DAY_BEFORE = DAY - timedelta(days=4)

HEALTHY: dict[str, dict[str, Any]] = {
    "account_features": {
        "platform": "google_ads", "account_id": "111", "table_name": "ad_performance_daily", "account_name": "Main", "account_status": "active", "is_test": False,
        "payment_failed": False, "funding_type": "prepaid", "auto_top_up": False, "spend_w7": 1400.0, "spend_w28": 5600.0, "balance": 6000.0,
        "spend_cap": 100_000.0, "amount_spent": 30_000.0, "restated_days": 0, "doubled_days": 0,
        "unknown_changes_w3": 0, "unknown_changes_w30": 0, "unknown_settings_changes_w3": 0, "unknown_money_changes_w3": 0, "top_campaign_switched": False,
        "touched_spend_w7": 0.0,
    },
    "connector_features": {
        "platform": "google_ads", "account_id": "111", "connector_id": "google-transfer", "connector_name": "Transfer", "table_name": "ad_performance_daily",
        "connector_status": "succeeded", "consecutive_failures": 0, "hours_since_success": 2.0, "has_loaded_evaluated_day": True, "days_to_token_expiry": 40.0,
        "quota_429_rate": 0.01, "spend_w28": 5600.0,
    },
}  # fmt: skip
USED_TABLES = ("platform_accounts", "change_events", "connector_runs")


def cap(share: float, days_left: float) -> dict[str, float]:
    """A cap that is used to `share` and lasts `days_left` days at 200 a day."""
    left = 200 * days_left
    return {"spend_cap": left / (1 - share), "amount_spent": left / (1 - share) * share}


def restated(before: float, now: float) -> dict[str, Any]:
    return {"restated_days": 1, "restated_day": DAY_BEFORE, "restated_spend_before": before, "restated_spend_now": now}


def doubled(spend: float) -> dict[str, Any]:
    return {"doubled_days": 1, "doubled_day": DAY_BEFORE, "doubled_spend": spend}


def unknown(*, content: int = 0, settings: int = 0, money: int = 0, **more: Any) -> dict[str, Any]:
    changes = content + settings + money
    counts = {
        "unknown_changes_w3": changes,
        "unknown_changes_w30": changes,
        "unknown_settings_changes_w3": settings,
        "unknown_money_changes_w3": money,
    }
    return counts | {"unknown_actor": "someone", "unknown_change": "campaign name", "touched_spend_w7": 500.0} | more


UNCHANGED = {"restated_days": None, "doubled_days": None}

CASES = (
    RuleCases(
        "PLAT-002",
        fires=(
            ("disabled", {"account_status": "disabled"}, "critical"),
            ("unsettled", {"account_status": "unsettled"}, "critical"),
            ("grace period", {"account_status": "grace_period"}, "high"),
            ("under review", {"account_status": "pending_review"}, "high"),
            ("payment failed", {"payment_failed": True}, "high"),
            ("the cap is near", cap(0.92, 10), "medium"),
            ("the cap is very near", cap(0.98, 5), "high"),
            (
                "the cap is reached, and nothing is spent any more",
                {"spend_cap": 500.0, "amount_spent": 500.0, "spend_w7": 0.0, "spend_w28": 0.0},
                "high",
            ),
        ),
        boundary=(
            ("90 % of the cap", {"spend_cap": 20_000.0, "amount_spent": 18_000.0}, "medium"),
            ("a little less", {"spend_cap": 20_000.0, "amount_spent": 17_999.0}, "clear"),
            ("97 % of the cap", {"spend_cap": 20_000.0, "amount_spent": 19_400.0}, "high"),
            ("a little less than 97 %", {"spend_cap": 20_000.0, "amount_spent": 19_399.0}, "medium"),
            ("14 days are left", cap(0.95, 14), "medium"),
            ("more than 14 days are left", cap(0.95, 14.1), "clear"),
        ),
        missing=(("the account is not on the list", {"account_status": None, "payment_failed": None}, "missing_input"),),
        others=(
            ("closed on purpose", {"account_status": "closed"}, "clear"),
            ("a test account", {"account_status": "disabled", "is_test": True}, "clear"),
            ("never delivered", {"account_status": "disabled", "history_days": 0}, "clear"),
            ("the source has no cap and no payments", {"spend_cap": None, "amount_spent": None, "payment_failed": None}, "clear"),
            ("a large share of a cap that lasts for a year", cap(0.98, 365), "clear"),
            ("payment failed and nothing was ever spent", {"payment_failed": True, "spend_w7": 0.0, "spend_w28": 0.0}, "high"),
        ),
    ),
    RuleCases(
        "PLAT-003",
        fires=(
            ("four days", {"balance": 800.0}, "medium"),
            ("two days", {"balance": 400.0}, "high"),
            ("hours", {"balance": 100.0}, "critical"),
            ("empty since a week", {"balance": 0.0, "spend_w7": 0.0}, "critical"),
        ),
        boundary=(
            ("five days", {"balance": 1000.0}, "clear"),
            ("a little less than five", {"balance": 999.0}, "medium"),
            ("three days", {"balance": 600.0}, "medium"),
            ("a little less than three", {"balance": 599.0}, "high"),
            ("one day", {"balance": 200.0}, "high"),
            ("a little less than one", {"balance": 199.0}, "critical"),
        ),
        below_floor=(("hardly any spend", {"balance": 10.0, "spend_w7": 139.0, "spend_w28": 560.0}, "below_minimum_volume"),),
        missing=(("no balance", {"balance": None}, "missing_input"), ("no funding", {"funding_type": None}, "missing_input")),
        others=(
            ("paid afterwards", {"balance": 100.0, "funding_type": "postpaid"}, "clear"),
            ("refilled by itself", {"balance": 100.0, "auto_top_up": True}, "clear"),
            ("not known whether it is refilled", {"balance": 100.0, "auto_top_up": None}, "critical"),
        ),
        firing={"balance": 400.0, "spend_w7": 1400.0},
    ),
    RuleCases(
        "PLAT-005",
        fires=(
            ("a small correction", restated(1000.0, 985.0), "low"),
            ("a correction", restated(1000.0, 1050.0), "medium"),
            ("a large correction", restated(1000.0, 850.0), "high"),
            ("all rows are gone", restated(1000.0, 0.0), "high"),
            ("loaded twice today", restated(1000.0, 2000.0) | doubled(2000.0), "critical"),
            ("still doubled", doubled(2000.0), "critical"),
        ),
        boundary=(
            ("1 %", restated(1000.0, 990.0), "low"),
            ("a little less than 1 %", restated(1000.0, 990.5), "clear"),
            ("3 %", restated(1000.0, 1030.0), "medium"),
            ("10 %", restated(1000.0, 1100.0), "high"),
            ("a little less than 10 %", restated(1000.0, 1099.0), "medium"),
        ),
        below_floor=(
            ("little money", restated(60.0, 90.0), "below_minimum_volume"),
            ("little money, twice", doubled(90.0), "below_minimum_volume"),
        ),
        missing=(("nothing to compare with", UNCHANGED, "missing_input"), ("no rate", {"restated_days": 1}, "missing_input")),
        firing=restated(1000.0, 850.0),
    ),
    RuleCases(
        "PLAT-006",
        fires=(
            ("failed once", {"consecutive_failures": 1, "connector_status": "failed"}, "medium"),
            ("failed twice", {"consecutive_failures": 2, "connector_status": "failed"}, "high"),
            ("failed again and again", {"consecutive_failures": 9, "connector_status": "failed"}, "critical"),
            ("failed, and the source does not count", {"connector_status": "failed"}, "medium"),
            ("the token ends in ten days", {"days_to_token_expiry": 10.0}, "medium"),
            ("the token ends in five days", {"days_to_token_expiry": 5.0}, "high"),
            ("the token has expired", {"days_to_token_expiry": -0.5}, "critical"),
            ("refused too often", {"quota_429_rate": 0.3}, "medium"),
        ),
        boundary=(
            ("14 days", {"days_to_token_expiry": 14.0}, "medium"),
            ("a little more", {"days_to_token_expiry": 14.1}, "clear"),
            ("7 days", {"days_to_token_expiry": 7.0}, "high"),
            ("now", {"days_to_token_expiry": 0.0}, "critical"),
            ("2 failures", {"consecutive_failures": 2}, "high"),
            ("3 failures", {"consecutive_failures": 3}, "critical"),
            ("20 % refused", {"quota_429_rate": 0.2}, "medium"),
            ("a little less", {"quota_429_rate": 0.199}, "clear"),
        ),
        missing=(("the run has no status", {"connector_status": None}, "missing_input"),),
        others=(
            ("a token that does not expire", {"days_to_token_expiry": None, "quota_429_rate": None, "hours_since_success": None}, "clear"),
            ("paused by people", {"connector_status": "paused", "consecutive_failures": 5}, "clear"),
        ),
    ),
    RuleCases(
        "PLAT-007",
        fires=(
            ("an ad was edited", unknown(content=2), "low"),
            ("targeting was changed", unknown(settings=1), "medium"),
            ("a bid was changed", unknown(money=1), "high"),
            ("a budget was raised a little", unknown(money=1, unknown_budget_step=0.2), "high"),
            ("a budget was doubled", unknown(money=1, unknown_budget_step=1.0), "critical"),
            ("the largest campaign was switched off", unknown(settings=1, top_campaign_switched=True), "critical"),
        ),
        boundary=(
            ("half as much again", unknown(money=1, unknown_budget_step=0.5), "high"),
            ("a little more", unknown(money=1, unknown_budget_step=0.501), "critical"),
            ("one change", unknown(content=1), "low"),
            ("none", unknown(), "clear"),
        ),
        missing=(("no change history", dict.fromkeys(unknown()) | {"top_campaign_switched": None}, "missing_input"),),
        others=(
            ("older than three days", {"unknown_changes_w30": 4}, "clear"),
            ("a test account", unknown(money=1, is_test=True), "clear"),
        ),
    ),
)
