"""Rules about ad groups and audiences: delivery without results, creatives, budgets too small, exposure, learning, refused ads, lists."""

from __future__ import annotations

from typing import Any

from marketing_agents_tests.rules.areas import RuleCases

USED_TABLES = (
    "ad_performance_daily",
    "adgroups",
    "ads",
    "audience_overlap",
    "audiences",
    "campaign_metrics_daily",
    "campaigns",
    "change_events",
    "reach_window",
)

HEALTHY: dict[str, dict[str, Any]] = {
    "adgroup_features": {
        "campaign_role": "prospecting", "campaign_objective": "sales", "campaign_type": "search", "is_evergreen": False,
        "spend_w28": 2000.0, "spend_b28": 2000.0, "conversions_w7": 25.0, "conversions_w14": 50.0, "conversions_w28": 100.0,
        "matured_days_w14": 11, "clicks_w14m": 550, "spend_w14m": 780.0, "campaign_target_cpa": 20.0, "advertiser_target_cpa": 25.0,
        "daily_budget": 75.0, "account_spend_w7": 2500.0, "account_conversions_w14": 250.0,
        "enabled_ads": 4, "enabled_rsa_ads": 3, "eligible_ads": 4, "disapproved_ads": 0, "blocked_spend_b28": 0.0,
        "days_since_new_creative": 12, "reach_w7": None, "reach_impressions_w7": None, "reach_w30": None,
        "learning_status": "learned", "account_learning_adgroups": 10, "account_limited_adgroups": 0, "days_since_edit": None,
    },
    "audience_features": {
        "platform": "meta_ads", "account_id": "111", "audience_id": "au1", "audience_name": "Visitors", "audience_type": "website",
        "audience_role": "retargeting", "audience_status": "enabled", "active_adgroups": 2, "active_lookalikes": 0, "spend_w7": 900.0,
        "reach_w30": 20_000, "size_lower": 80_000, "size_upper": 100_000, "size_upper_28d_before": 100_000, "membership_days": 30,
        "membership_days_28d_before": 30, "days_since_refresh": 3,
    },
    "audience_pair_features": {
        "platform": "meta_ads", "account_id": "111", "audience_a": "au1", "audience_b": "au2", "pair_name": "Visitors / Lookalike",
        "audience_a_name": "Visitors", "audience_b_name": "Lookalike", "audience_a_role": "prospecting", "audience_b_role": "prospecting",
        "overlap_abs": 5000, "overlap_share": 0.05, "spend_a_w7": 900.0, "spend_b_w7": 1200.0, "account_spend_w7": 4000.0,
        "has_same_objective": True,
    },
}  # fmt: skip

META = {"platform": "meta_ads", "campaign_type": "auction", "enabled_rsa_ads": 0, "enabled_ads": 6}
TIKTOK = META | {"platform": "tiktok_ads"}
NOTHING = {"conversions_w7": 0.0, "conversions_w14": 0.0, "conversions_w28": 0.0}
SHOWN = META | {"reach_w7": 10_000}
LIMITED = META | {"learning_status": "limited", "account_limited_adgroups": 1}
LIST = {"audience_type": "customer_list", "audience_role": "exclusion"}
SMALL = {"learning_status": "limited", "conversions_w14": 4.0, "conversions_w28": 8.0}

CASES = (
    RuleCases(
        "MEDIA-002",
        fires=(
            (
                "two targets in two weeks, nothing in four",
                NOTHING | {"spend_w14m": 40.0 * 2, "spend_w14": 100.0, "spend_w28": 200.0},
                "high",
            ),
            ("nothing for five targets", NOTHING | {"spend_w14m": 100.0, "spend_w14": 130.0, "spend_w28": 260.0}, "critical"),
            ("it converted before; five targets since", {"conversions_w14": 0.0, "spend_w14m": 100.0}, "critical"),
            (
                "between two and three targets, nothing in four weeks",
                NOTHING | {"spend_w14m": 59.0, "spend_w14": 75.0, "spend_w28": 150.0},
                "medium",
            ),
        ),
        boundary=(
            (
                "at the medium threshold",
                NOTHING | {"campaign_target_cpa": 50.0, "spend_w14m": 100.0, "spend_w14": 130.0, "spend_w28": 400.0},
                "medium",
            ),
            ("just below it", NOTHING | {"campaign_target_cpa": 50.0, "spend_w14m": 99.9, "spend_w14": 130.0, "spend_w28": 400.0}, "clear"),
            ("at the high threshold", NOTHING | {"spend_w14m": 60.0, "spend_w14": 80.0, "spend_w28": 160.0}, "high"),
            ("at the critical threshold", NOTHING | {"spend_w14m": 100.0, "spend_w28": 1100.0}, "critical"),
            ("just below it", NOTHING | {"spend_w14m": 99.0, "spend_w28": 1100.0}, "high"),
        ),
        below_floor=(
            ("few clicks", NOTHING | {"clicks_w14m": 29}, "below_minimum_volume"),
            ("little money", NOTHING | {"spend_w14m": 49.0, "campaign_target_cpa": 5.0}, "below_minimum_volume"),
        ),
        missing=(
            ("no target", NOTHING | {"campaign_target_cpa": None, "advertiser_target_cpa": None}, "missing_input"),
            ("no spend figure", NOTHING | {"spend_w14m": None}, "missing_input"),
        ),
        others=(
            ("three targets, but it converted two weeks before: luck", {"conversions_w14": 0.0, "spend_w14m": 60.0}, "clear"),
            ("one late conversion", NOTHING | {"conversions_w14": 1.0, "conversions_w28": 1.0}, "clear"),
            ("the whole account is silent", NOTHING | {"account_conversions_w14": 0.0}, "clear"),
            ("bought for attention", NOTHING | {"campaign_objective": "reach"}, "clear"),
            ("paused", NOTHING | {"adgroup_status": "paused"}, "clear"),
            ("six days old", NOTHING | {"history_days": 6}, "short_history"),
        ),
        firing=NOTHING,
    ),
    RuleCases(
        "CREATIVE-003",
        fires=(
            ("three months on search", {"days_since_new_creative": 120}, "medium"),
            ("half a year on search", {"days_since_new_creative": 200}, "high"),
            ("two weeks on TikTok", TIKTOK | {"days_since_new_creative": 12}, "medium"),
        ),
        boundary=(
            ("search, medium", {"days_since_new_creative": 90}, "medium"),
            ("search, a day before", {"days_since_new_creative": 89}, "clear"),
            ("search, high", {"days_since_new_creative": 180}, "high"),
            ("Meta, medium", META | {"days_since_new_creative": 21}, "medium"),
            ("Meta, a day before", META | {"days_since_new_creative": 20}, "clear"),
            ("Meta, high", META | {"days_since_new_creative": 45}, "high"),
            ("TikTok, medium", TIKTOK | {"days_since_new_creative": 10}, "medium"),
            ("TikTok, high", TIKTOK | {"days_since_new_creative": 14}, "high"),
            ("LinkedIn, medium", META | {"platform": "linkedin_ads", "days_since_new_creative": 42}, "medium"),
            ("LinkedIn, high", META | {"platform": "linkedin_ads", "days_since_new_creative": 70}, "high"),
        ),
        below_floor=(("little money", {"days_since_new_creative": 200, "spend_w28": 499.0}, "below_minimum_volume"),),
        missing=(("no dates of the ads", {"days_since_new_creative": None}, "missing_input"),),
        others=(
            ("evergreen by label", {"days_since_new_creative": 400, "is_evergreen": True}, "clear"),
            ("dynamic creative", {"days_since_new_creative": 400, "is_dynamic_creative": True}, "clear"),
            ("ads made from a feed", {"days_since_new_creative": 400, "campaign_type": "shopping"}, "clear"),
            ("a platform without a limit", {"days_since_new_creative": 400, "platform": "pinterest_ads"}, "clear"),
            ("paused", {"days_since_new_creative": 400, "adgroup_status": "paused"}, "clear"),
        ),
    ),
    RuleCases(
        "CREATIVE-005",
        fires=(
            ("four ads on Meta", META | {"enabled_ads": 4}, "medium"),
            ("one ad on Meta", META | {"enabled_ads": 1}, "high"),
            ("one responsive ad", {"enabled_rsa_ads": 1}, "medium"),
        ),
        boundary=(
            ("five ads on Meta", META | {"enabled_ads": 5}, "clear"),
            ("three ads on Meta", META | {"enabled_ads": 3}, "medium"),
            ("two ads on Meta", META | {"enabled_ads": 2}, "high"),
            ("six ads on TikTok", TIKTOK | {"enabled_ads": 6}, "clear"),
            ("five ads on TikTok", TIKTOK | {"enabled_ads": 5}, "medium"),
            ("two ads on TikTok", TIKTOK | {"enabled_ads": 2}, "high"),
            ("two responsive ads", {"enabled_rsa_ads": 2}, "clear"),
            ("no responsive ad", {"enabled_rsa_ads": 0}, "high"),
        ),
        below_floor=(("little money", META | {"enabled_ads": 1, "spend_w7": 199.0}, "below_minimum_volume"),),
        missing=(
            ("the ads are not listed", META | {"enabled_ads": None}, "missing_input"),
            ("type of a search campaign unknown", {"campaign_type": None, "enabled_rsa_ads": 0}, "missing_input"),
        ),
        others=(
            ("dynamic creative", META | {"enabled_ads": 1, "is_dynamic_creative": True}, "clear"),
            ("automatic campaign", META | {"enabled_ads": 1, "campaign_type": "advantage_plus"}, "clear"),
            ("shopping has no responsive ads", {"enabled_rsa_ads": 0, "campaign_type": "shopping"}, "clear"),
            ("another platform", META | {"platform": "linkedin_ads", "enabled_ads": 1}, "clear"),
        ),
    ),
    RuleCases(
        "BUDGET-006",
        fires=(
            ("four conversions a day on Meta", META | SMALL | {"daily_budget": 80.0}, "medium"),
            ("one conversion a day on Meta", META | SMALL | {"daily_budget": 20.0}, "high"),
            ("thirty a day on TikTok", TIKTOK | SMALL | {"daily_budget": 600.0}, "medium"),
            ("less than fifteen in a month on Google", SMALL | {"daily_budget": 8.0, "conversions_w28": 5.0}, "medium"),
        ),
        boundary=(
            ("five conversions a day on Meta", META | SMALL | {"daily_budget": 100.0}, "clear"),
            ("just below", META | SMALL | {"daily_budget": 99.0}, "medium"),
            ("two a day", META | SMALL | {"daily_budget": 40.0}, "medium"),
            ("just below two", META | SMALL | {"daily_budget": 39.0}, "high"),
            ("fifty a day on TikTok", TIKTOK | SMALL | {"daily_budget": 1000.0}, "clear"),
            ("twenty a day on TikTok", TIKTOK | SMALL | {"daily_budget": 400.0}, "medium"),
            ("just below twenty", TIKTOK | SMALL | {"daily_budget": 399.0}, "high"),
            ("fifteen in a month on Google", SMALL | {"daily_budget": 10.0}, "clear"),
        ),
        below_floor=(
            ("little money", META | SMALL | {"daily_budget": 5.0, "spend_w7": 49.0, "account_spend_w7": 100.0}, "below_minimum_volume"),
            ("a side experiment", META | SMALL | {"daily_budget": 20.0, "account_spend_w7": 60_000.0}, "below_minimum_volume"),
        ),
        missing=(
            ("no budget", META | SMALL | {"daily_budget": None}, "missing_input"),
            ("no target", META | SMALL | {"campaign_target_cpa": None, "advertiser_target_cpa": None}, "missing_input"),
        ),
        others=(
            ("it has learned", META | SMALL | {"daily_budget": 20.0, "learning_status": "learned"}, "clear"),
            ("it brings fifty a week", META | SMALL | {"daily_budget": 20.0, "conversions_w14": 100.0}, "clear"),
            ("learning state unknown", META | SMALL | {"daily_budget": 20.0, "learning_status": None}, "high"),
            ("bought for attention", META | SMALL | {"daily_budget": 20.0, "campaign_objective": "reach"}, "clear"),
            ("two days old", META | SMALL | {"daily_budget": 20.0, "history_days": 2}, "short_history"),
        ),
    ),
    RuleCases(
        "AUD-001",
        fires=(
            ("three and a half times a week", SHOWN | {"reach_impressions_w7": 35_000}, "medium"),
            ("seven times a week", SHOWN | {"reach_impressions_w7": 70_000}, "critical"),
            ("retargeting, nine times", SHOWN | {"campaign_role": "retargeting", "reach_impressions_w7": 90_000}, "medium"),
        ),
        boundary=(
            ("medium", SHOWN | {"reach_impressions_w7": 30_000}, "medium"),
            ("just below", SHOWN | {"reach_impressions_w7": 29_990}, "clear"),
            ("high", SHOWN | {"reach_impressions_w7": 40_000}, "high"),
            ("critical", SHOWN | {"reach_impressions_w7": 50_000}, "critical"),
            ("TikTok, medium", SHOWN | {"platform": "tiktok_ads", "reach_impressions_w7": 25_000}, "medium"),
            ("TikTok, just below", SHOWN | {"platform": "tiktok_ads", "reach_impressions_w7": 24_990}, "clear"),
            ("retargeting, medium", SHOWN | {"campaign_role": "retargeting", "reach_impressions_w7": 80_000}, "medium"),
            ("retargeting, just below", SHOWN | {"campaign_role": "retargeting", "reach_impressions_w7": 79_990}, "clear"),
            ("retargeting, high and never critical", SHOWN | {"campaign_role": "retargeting", "reach_impressions_w7": 120_000}, "high"),
        ),
        below_floor=(("few people", META | {"reach_w7": 999, "reach_impressions_w7": 9000}, "below_minimum_volume"),),
        missing=(
            ("no reach of the week", META, "missing_input"),
            ("role unknown", SHOWN | {"campaign_role": None, "reach_impressions_w7": 70_000}, "missing_input"),
        ),
        others=(
            ("search tells no reach", {}, "clear"),
            ("reach was bought", SHOWN | {"reach_impressions_w7": 70_000, "campaign_objective": "reach"}, "clear"),
            ("another role", SHOWN | {"reach_impressions_w7": 70_000, "campaign_role": "shopping"}, "clear"),
        ),
    ),
    RuleCases(
        "LEARN-001",
        fires=(
            ("thirty results in a week", LIMITED | {"conversions_w7": 30.0}, "low"),
            ("ten results in a week", LIMITED | {"conversions_w7": 10.0}, "medium"),
            ("a third of the account", LIMITED | {"conversions_w7": 10.0, "account_limited_adgroups": 4}, "high"),
            ("half of the account", LIMITED | {"conversions_w7": 30.0, "account_limited_adgroups": 5}, "critical"),
        ),
        boundary=(
            ("fifty results", LIMITED | {"conversions_w7": 50.0}, "clear"),
            ("one less", LIMITED | {"conversions_w7": 49.0}, "low"),
            ("twenty-five", LIMITED | {"conversions_w7": 25.0}, "low"),
            ("one less than that", LIMITED | {"conversions_w7": 24.0}, "medium"),
            (
                "Google: thirty in thirty days",
                {"learning_status": "limited", "account_limited_adgroups": 1, "conversions_w28": 28.0},
                "clear",
            ),
            ("Google: one less", {"learning_status": "limited", "account_limited_adgroups": 1, "conversions_w28": 27.0}, "low"),
            ("three limited ad groups of ten", LIMITED | {"conversions_w7": 30.0, "account_limited_adgroups": 3}, "high"),
            (
                "both ad groups of a small account",
                LIMITED | {"conversions_w7": 30.0, "account_limited_adgroups": 2, "account_learning_adgroups": 2},
                "low",
            ),
        ),
        below_floor=(
            ("little money", LIMITED | {"conversions_w7": 10.0, "spend_w7": 99.0}, "below_minimum_volume"),
            ("a side experiment", LIMITED | {"conversions_w7": 10.0, "account_spend_w7": 50_000.0}, "below_minimum_volume"),
            ("edited six days ago", LIMITED | {"conversions_w7": 10.0, "days_since_edit": 6}, "below_minimum_volume"),
        ),
        missing=(("the platform does not say", LIMITED | {"conversions_w7": 10.0, "learning_status": None}, "missing_input"),),
        others=(
            ("few results, but it has learned", META | {"conversions_w7": 10.0}, "clear"),
            ("edited seven days ago", LIMITED | {"conversions_w7": 10.0, "days_since_edit": 7}, "medium"),
            ("young", LIMITED | {"conversions_w7": 10.0, "history_days": 13}, "short_history"),
        ),
    ),
    RuleCases(
        "PLAT-001",
        fires=(
            ("a refused ad with a tenth of the spend", {"disapproved_ads": 1, "eligible_ads": 3, "blocked_spend_b28": 200.0}, "medium"),
            ("a refused ad with half of the spend", {"disapproved_ads": 1, "eligible_ads": 3, "blocked_spend_b28": 1000.0}, "high"),
            ("nothing may run", {"disapproved_ads": 4, "eligible_ads": 0, "blocked_spend_b28": 2000.0}, "critical"),
        ),
        boundary=(
            ("a little spend", {"disapproved_ads": 1, "eligible_ads": 3, "blocked_spend_b28": 1.0}, "low"),
            ("a refused ad that carried nothing", {"disapproved_ads": 1, "eligible_ads": 3, "blocked_spend_b28": 0.0}, "clear"),
            ("medium", {"disapproved_ads": 1, "eligible_ads": 3, "blocked_spend_b28": 100.0}, "medium"),
            ("just below", {"disapproved_ads": 1, "eligible_ads": 3, "blocked_spend_b28": 99.0}, "low"),
            ("high", {"disapproved_ads": 1, "eligible_ads": 3, "blocked_spend_b28": 400.0}, "high"),
        ),
        below_floor=(
            (
                "little money",
                {"disapproved_ads": 1, "eligible_ads": 3, "blocked_spend_b28": 50.0, "spend_b28": 99.0},
                "below_minimum_volume",
            ),
        ),
        missing=(
            (
                "reviews unknown",
                {"disapproved_ads": None, "eligible_ads": None, "blocked_spend_b28": None},
                "missing_input",
            ),
        ),
        others=(("paused", {"adgroup_status": "paused", "disapproved_ads": 4, "eligible_ads": 0}, "clear"),),
    ),
    RuleCases(
        "AUD-002",
        fires=(
            ("six of ten were reached", {"reach_w30": 60_000}, "medium"),
            ("nearly all were reached", {"reach_w30": 90_000}, "critical"),
        ),
        boundary=(
            ("medium", {"reach_w30": 50_000}, "medium"),
            ("just below", {"reach_w30": 49_999}, "clear"),
            ("high", {"reach_w30": 70_000}, "high"),
            ("critical", {"reach_w30": 85_000}, "critical"),
            ("just below critical", {"reach_w30": 84_999}, "high"),
        ),
        below_floor=(("a small audience", {"reach_w30": 900, "size_upper": 999}, "below_minimum_volume"),),
        missing=(
            ("no reach of 30 days", {"reach_w30": None}, "missing_input"),
            ("size unknown", {"size_upper": None}, "missing_input"),
        ),
        others=(
            ("not in use", {"reach_w30": 90_000, "active_adgroups": 0}, "clear"),
            ("a list of known people", {"reach_w30": 90_000, "audience_type": "customer_list"}, "clear"),
            ("an exclusion", {"reach_w30": 90_000, "audience_role": "exclusion"}, "clear"),
        ),
    ),
    RuleCases(
        "AUD-003",
        fires=(
            ("a quarter is in both", {"overlap_share": 0.25}, "medium"),
            ("six of ten are in both", {"overlap_share": 0.6}, "critical"),
        ),
        boundary=(
            ("medium", {"overlap_share": 0.20}, "medium"),
            ("just below", {"overlap_share": 0.199}, "clear"),
            ("high", {"overlap_share": 0.30}, "high"),
            ("critical", {"overlap_share": 0.50}, "critical"),
            ("five percent of the spend each", {"overlap_share": 0.25, "spend_a_w7": 200.0, "spend_b_w7": 200.0}, "medium"),
        ),
        below_floor=(
            ("the smaller one is hardly used", {"overlap_share": 0.6, "spend_a_w7": 199.0}, "below_minimum_volume"),
            ("the larger one is not used", {"overlap_share": 0.6, "spend_b_w7": 0.0}, "below_minimum_volume"),
        ),
        missing=(
            ("share unknown", {"overlap_share": None}, "missing_input"),
            ("no exchange rate", {"spend_a_w7": None, "missing_fx_pair": "EUR->USD"}, "missing_input"),
        ),
        others=(
            ("different objectives", {"overlap_share": 0.6, "has_same_objective": False}, "clear"),
            ("an exclusion", {"overlap_share": 0.6, "audience_b_role": "exclusion"}, "clear"),
        ),
    ),
    RuleCases(
        "AUD-004",
        fires=(
            ("a third has left", {"size_upper": 66_000}, "medium"),
            ("half has left", {"size_upper": 40_000}, "high"),
            ("too few to be shown to", {"size_upper": 80}, "critical"),
        ),
        boundary=(
            ("30 % left", {"size_upper": 70_000}, "medium"),
            ("just below", {"size_upper": 70_001}, "clear"),
            ("half left", {"size_upper": 50_000}, "high"),
            ("a thousand people", {"size_upper": 1000, "size_upper_28d_before": 1000}, "clear"),
            ("one less", {"size_upper": 999, "size_upper_28d_before": 1000}, "high"),
            ("a hundred people", {"size_upper": 100, "size_upper_28d_before": 100}, "high"),
            ("one less than that", {"size_upper": 99, "size_upper_28d_before": 100}, "critical"),
        ),
        below_floor=(("nothing is spent on it", {"size_upper": 80, "spend_w7": 0.0}, "below_minimum_volume"),),
        missing=(("size unknown", {"size_upper": None}, "missing_input"),),
        others=(
            ("not in use", {"size_upper": 80, "active_adgroups": 0}, "clear"),
            ("membership was shortened", {"size_upper": 40_000, "membership_days_28d_before": 180}, "clear"),
            ("no size four weeks before", {"size_upper": 40_000, "size_upper_28d_before": None}, "clear"),
            ("a small exclusion", LIST | {"size_upper": 500, "size_upper_28d_before": 520}, "clear"),
            ("an exclusion that loses members", LIST | {"size_upper": 40_000}, "high"),
        ),
        firing={"size_upper": 40_000},
    ),
    RuleCases(
        "AUD-005",
        fires=(
            ("three weeks old", LIST | {"days_since_refresh": 21}, "low"),
            ("two months old", LIST | {"days_since_refresh": 60}, "medium"),
            ("half a year old", LIST | {"days_since_refresh": 200}, "critical"),
        ),
        boundary=(
            ("14 days", LIST | {"days_since_refresh": 14}, "clear"),
            ("15 days", LIST | {"days_since_refresh": 15}, "low"),
            ("30 days", LIST | {"days_since_refresh": 30}, "low"),
            ("31 days", LIST | {"days_since_refresh": 31}, "medium"),
            ("91 days", LIST | {"days_since_refresh": 91}, "high"),
            ("181 days", LIST | {"days_since_refresh": 181}, "critical"),
        ),
        missing=(
            ("date of the upload unknown", LIST | {"days_since_refresh": None}, "missing_input"),
            ("kind unknown", {"audience_type": None, "days_since_refresh": 60}, "missing_input"),
        ),
        others=(
            ("a list that fills itself", {"days_since_refresh": 60}, "clear"),
            ("not in use", LIST | {"days_since_refresh": 60, "active_adgroups": 0}, "clear"),
            ("seed of a lookalike in use", LIST | {"days_since_refresh": 60, "active_adgroups": 0, "active_lookalikes": 1}, "medium"),
        ),
    ),
)
