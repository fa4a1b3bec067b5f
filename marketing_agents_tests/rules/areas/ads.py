"""Cases of the rules about ads, landing pages and product feeds."""

from __future__ import annotations

from typing import Any

from marketing_agents_tests.rules.areas import RuleCases

USED_TABLES = ("ad_performance_daily", "ads", "feed_items", "product_performance_daily", "reach_window", "url_checks")

HEALTHY: dict[str, dict[str, Any]] = {
    "ad_features": {
        "platform": "meta_ads", "account_id": "111", "campaign_id": "c1", "adgroup_id": "g1", "ad_id": "a1", "ad_name": "Blue", "adgroup_name": "Running",
        "campaign_name": "Shoes", "campaign_role": "prospecting", "campaign_objective": "SALES", "ad_status": "enabled", "ad_format": "video",
        "impressions_w7": 20_000, "clicks_w7": 400, "spend_w7": 200.0, "impressions_p7": 20_000, "clicks_p7": 400, "spend_p7": 200.0,
        "impressions_b28": 80_000, "clicks_b28": 1600, "reach_w7": 14_000,
        "impressions_w28": 80_000, "clicks_w28": 1600, "spend_w28": 800.0, "conversions_w28": 40.0, "impression_days_w28": 28, "adgroup_spend_w28": 2000.0,
        "is_in_experiment": False, "siblings_w28": 2,
        "best_ctr_ad_id": "a2", "best_ctr_ad_name": "Red", "best_ctr_impressions_w28": 60_000, "best_ctr_clicks_w28": 1260, "best_ctr_spend_w28": 600.0,
        "best_ctr_conversions_w28": 30.0,
        "best_cvr_ad_id": "a3", "best_cvr_ad_name": "Green", "best_cvr_clicks_w28": 1200, "best_cvr_spend_w28": 600.0, "best_cvr_conversions_w28": 32.0,
        "spend_w14m": 200.0, "conversions_w14m": 10.0, "spend_past": 2400.0, "conversions_past": 120.0,
        "sibling_spend_w14m": 300.0, "sibling_conversions_w14m": 15.0, "sibling_spend_past": 3600.0, "sibling_conversions_past": 180.0, "target_cpa": 25.0,
        "account_ads_w7": 20, "video_impressions_w14": 40_000, "video_3s_views_w14": 12_000, "hook_rate_ads": 6, "hook_rate_median": 0.3,
        "ad_strength": "good", "n_headlines": 12, "n_descriptions": 4, "n_images": None, "n_videos": None,
    },
    "landing_page_features": {
        "page_url": "https://shop.example/tents", "live_ads": 4, "spend_w7": 700.0, "clicks_w7": 900, "checks_of_day": 8,
        "broken_checks": 0, "broken_regions": 0, "broken_minutes": 0, "gone_checks": 0, "gone_regions": 0, "gone_minutes": 0, "error_status": None,
        "lcp_checks_w7": 56, "lcp_p75_ms_w7": 1800,
    },
    "feed_features": {
        "platform": "google_ads", "account_id": "111", "account_name": "Main", "items": 140, "feed_days_w28": 28, "items_median_w28": 140.0,
        "rejected_items": 3, "out_of_stock_items": 5, "vanished_items": 0, "revenue_b28": 10_000.0, "lost_revenue_b28": 100.0,
        "top_lost_item_id": "sku-9", "top_lost_item_title": "Gaiters", "gross_margin": 0.4,
    },
}  # fmt: skip

DOWN = {
    "broken_checks": 4,
    "broken_regions": 2,
    "broken_minutes": 380,
    "gone_checks": 4,
    "gone_regions": 2,
    "gone_minutes": 380,
    "error_status": 503,
}
GONE = {"gone_checks": 4, "gone_regions": 2, "gone_minutes": 380}
TIRED = {"reach_w7": 5_500, "clicks_w7": 300}
WORN_OUT = {"spend_w14m": 2400.0, "conversions_w14m": 60.0, "spend_past": 24_000.0, "conversions_past": 1200.0}
LOSER = {"clicks_w28": 900, "conversions_w28": 20.0}
MANY = {
    "impressions_w28": 600_000,
    "best_ctr_impressions_w28": 600_000,
    "best_ctr_clicks_w28": 12_600,
    "conversions_w28": 20.0,
    "best_cvr_ad_id": None,
    "best_cvr_conversions_w28": None,
}
RSA = {"ad_format": "rsa", "ad_strength": "good", "n_headlines": 12, "n_descriptions": 4, "platform": "google_ads", "reach_w7": None}
GROUP = {"ad_format": "pmax_asset_group", "ad_strength": "good", "n_headlines": 12, "n_images": 12, "n_videos": 2}

CASES = (
    RuleCases(
        "CREATIVE-001",
        fires=(
            ("seen 3.6 times a week, a quarter fewer clicks", TIRED, "high"),
            ("seen three times, a sixth fewer", {"reach_w7": 6_600, "clicks_w7": 335}, "medium"),
            ("seen five times, a third fewer", {"reach_w7": 3_900, "clicks_w7": 270}, "critical"),
            ("on TikTok 2.5 times are many", {**TIRED, "platform": "tiktok_ads", "reach_w7": 7_900, "clicks_w7": 330}, "medium"),
            ("Google reports reach for this one", {**TIRED, "platform": "google_ads"}, "high"),
        ),
        boundary=(
            ("exactly 3.0 times and exactly 15 % fewer", {"reach_w7": 10_000, "impressions_w7": 30_000, "clicks_w7": 1_275, "clicks_p7": 1_000, "clicks_b28": 4_000}, "medium"),
            ("14.9 % fewer", {"reach_w7": 10_000, "impressions_w7": 30_000, "clicks_w7": 1_276, "clicks_p7": 1_000, "clicks_b28": 4_000}, "clear"),
            ("seen 2.99 times", {**TIRED, "reach_w7": 6_690}, "clear"),
            ("retargeting bears 8 times", {**TIRED, "campaign_role": "retargeting", "reach_w7": 2_501}, "clear"),
            ("but not more", {**TIRED, "campaign_role": "retargeting", "reach_w7": 2_500}, "medium"),
        ),
        missing=(
            ("no reach for a social ad: not guessed", {"reach_w7": None, "clicks_w7": 300}, "missing_input"),
        ),
        below_floor=(
            ("too few impressions", {**TIRED, "impressions_w7": 999, "clicks_w7": 12, "reach_w7": 200}, "below_minimum_volume"),
            ("too few clicks before", {**TIRED, "clicks_p7": 29}, "below_minimum_volume"),
        ),
        others=(
            ("one bad week after a very good one", {**TIRED, "clicks_p7": 420, "clicks_b28": 1250}, "clear"),
            ("bad for long, not getting worse", {**TIRED, "clicks_p7": 300}, "clear"),
            ("the drop may be chance", {"reach_w7": 500, "impressions_w7": 2_000, "clicks_w7": 30, "impressions_p7": 2_000, "clicks_p7": 40}, "clear"),
            ("search ads have no reach", {**TIRED, "platform": "google_ads", "reach_w7": None}, "clear"),
            ("paused", {**TIRED, "ad_status": "paused"}, "clear"),
            ("too young", {**TIRED, "history_days": 20}, "short_history"),
        ),
    ),
    RuleCases(
        "CREATIVE-002",
        fires=(
            ("twice its past", WORN_OUT, "high"),
            ("1.6 times its past", {**WORN_OUT, "spend_w14m": 6400.0, "conversions_w14m": 200.0}, "medium"),
            ("three times", {"spend_w14m": 1200.0, "conversions_w14m": 20.0}, "critical"),
            ("no result for twenty times its cost", {"spend_w14m": 600.0, "conversions_w14m": 0.0}, "critical"),
        ),
        boundary=(
            ("exactly 1.5 times", {"spend_w14m": 6000.0, "conversions_w14m": 200.0, "conversions_past": 1200.0, "spend_past": 24_000.0}, "medium"),
            ("1.49 times", {"spend_w14m": 5960.0, "conversions_w14m": 200.0, "conversions_past": 1200.0, "spend_past": 24_000.0}, "clear"),
            ("twice, but the ads beside it too", {**WORN_OUT, "sibling_spend_w14m": 600.0}, "clear"),
            ("the past of the ads beside it is too thin to explain it", {**WORN_OUT, "sibling_spend_w14m": 600.0, "sibling_conversions_past": 29.0, "sibling_spend_past": 580.0}, "high"),
            ("with so many ads it may be chance", {"spend_w14m": 600.0, "conversions_w14m": 15.0, "account_ads_w7": 2000}, "clear"),
        ),
        missing=(
            ("no rate in the past", {**WORN_OUT, "spend_past": None, "missing_fx_pair": "EUR->USD"}, "missing_input"),
            ("no results known", {**WORN_OUT, "conversions_w14m": None}, "missing_input"),
        ),
        below_floor=(
            ("too few results in the past", {**WORN_OUT, "spend_past": 580.0, "conversions_past": 29.0}, "below_minimum_volume"),
            ("too few now, and too little spent", {"spend_w14m": 124.0, "conversions_w14m": 2.0}, "below_minimum_volume"),
        ),
        others=(
            ("without a target its own past says what is much", {"spend_w14m": 400.0, "conversions_w14m": 0.0, "target_cpa": None}, "critical"),
            ("paused", {**WORN_OUT, "ad_status": "paused"}, "clear"),
            ("too young to have a past", {**WORN_OUT, "history_days": 41}, "short_history"),
        ),
    ),
    RuleCases(
        "CREATIVE-006",
        fires=(
            ("nearly half the clicks and no better results", LOSER, "medium"),
            ("less than half the clicks", {"clicks_w28": 700, "conversions_w28": 16.0}, "high"),
            ("as many clicks, a third of the results", {"conversions_w28": 12.0, "best_cvr_conversions_w28": 60.0}, "high"),
            ("no results at all", {"conversions_w28": 0.0, "best_cvr_conversions_w28": 40.0}, "high"),
        ),
        boundary=(
            ("exactly 15 % of the spend", {**LOSER, "adgroup_spend_w28": 800 / 0.15}, "medium"),
            ("exactly 30 % fewer clicks", {**MANY, "clicks_w28": 8_820}, "medium"),
            ("29.9 % fewer", {**MANY, "clicks_w28": 8_833}, "clear"),
            ("a third fewer, but it may be chance", {"impressions_w28": 10_000, "clicks_w28": 140, "best_ctr_impressions_w28": 10_000, "best_ctr_clicks_w28": 210, "conversions_w28": 4.0}, "clear"),
        ),
        missing=(("no spend without a rate", {**LOSER, "spend_w28": None, "missing_fx_pair": "EUR->USD"}, "missing_input"),),
        below_floor=(
            ("takes little of the money", {**LOSER, "adgroup_spend_w28": 5400.0}, "below_minimum_volume"),
            ("ran on few days beside its sibling", {**LOSER, "impression_days_w28": 19}, "below_minimum_volume"),
            ("too little volume", {"impressions_w28": 999, "clicks_w28": 5}, "below_minimum_volume"),
        ),
        others=(
            ("an experiment is running on it", {**LOSER, "is_in_experiment": True}, "clear"),
            ("fewer clicks, but cheaper results", {**LOSER, "conversions_w28": 45.0}, "clear"),
            ("alone in its ad group", {**LOSER, "best_ctr_ad_id": None, "best_cvr_ad_id": None}, "clear"),
            ("paused", {**LOSER, "ad_status": "paused"}, "clear"),
        ),
    ),
    RuleCases(
        "CREATIVE-007",
        fires=(
            ("two thirds of the usual share stay", {"video_3s_views_w14": 8_000}, "medium"),
            ("less than half", {"video_3s_views_w14": 5_600}, "high"),
            ("no peers: under a quarter stays", {"hook_rate_ads": 3, "video_3s_views_w14": 9_000}, "medium"),
        ),
        boundary=(
            ("exactly 70 % of the median", {"video_3s_views_w14": 8_400}, "medium"),
            ("a view more", {"video_3s_views_w14": 8_401}, "clear"),
            ("half of the median", {"video_3s_views_w14": 6_000}, "high"),
            ("just above", {"video_3s_views_w14": 6_001}, "medium"),
        ),
        missing=(("the platform reports no views", {"video_3s_views_w14": None, "video_impressions_w14": None}, "missing_input"),),
        below_floor=(("too few impressions", {"video_impressions_w14": 4_999, "video_3s_views_w14": 500}, "below_minimum_volume"),),
        others=(
            ("an image", {"ad_format": "image", "video_3s_views_w14": 5_000}, "clear"),
            ("bought for reach", {"campaign_objective": "REACH", "video_3s_views_w14": 5_000}, "clear"),
            ("no peers, a quarter stays by chance", {"hook_rate_ads": 3, "video_impressions_w14": 5_000, "video_3s_views_w14": 1_240}, "clear"),
        ),
    ),
    RuleCases(
        "CREATIVE-008",
        fires=(
            ("rated poor", {**RSA, "ad_strength": "poor"}, "high"),
            ("rated average", {**RSA, "ad_strength": "average"}, "medium"),
            ("two headlines", {**RSA, "n_headlines": 2}, "high"),
            ("an asset group without a video", {**GROUP, "n_videos": 0}, "high"),
            ("an asset group with four images", {**GROUP, "n_images": 4}, "high"),
        ),
        boundary=(
            ("three headlines", {**RSA, "n_headlines": 3}, "medium"),
            ("seven headlines", {**RSA, "n_headlines": 7}, "medium"),
            ("eight headlines", {**RSA, "n_headlines": 8}, "clear"),
            ("five images", {**GROUP, "n_images": 5}, "clear"),
        ),
        missing=(("neither rating nor counts", {"ad_format": "rsa", "ad_strength": None, "n_headlines": None}, "missing_input"),),
        below_floor=(("hardly shown", {**RSA, "ad_strength": "poor", "impressions_w28": 999}, "below_minimum_volume"),),
        others=(
            ("a good rating alone is enough", {**RSA, "n_headlines": None}, "clear"),
            ("a video ad without a rating has no parts", {"ad_strength": None, "n_headlines": 1}, "clear"),
            ("a rated video ad has", {"ad_strength": "poor"}, "high"),
            ("paused", {**RSA, "ad_strength": "poor", "ad_status": "paused"}, "clear"),
        ),
    ),
    RuleCases(
        "LP-001",
        fires=(
            ("answers with an error", DOWN, "critical"),
            ("no answer at all", {**DOWN, "error_status": None}, "critical"),
            ("leads to the home page", GONE, "high"),
            ("very slow", {"lcp_p75_ms_w7": 4_500}, "medium"),
            ("slow", {"lcp_p75_ms_w7": 3_000}, "low"),
        ),
        boundary=(
            ("two checks from two regions, a quarter of an hour apart", {**DOWN, "broken_checks": 2, "broken_minutes": 15}, "critical"),
            ("14 minutes", {**DOWN, "broken_minutes": 14, "gone_minutes": 14}, "clear"),
            ("one region only", {**DOWN, "broken_regions": 1, "gone_regions": 1}, "clear"),
            ("exactly 2.5 s", {"lcp_p75_ms_w7": 2_500}, "clear"),
            ("exactly 4 s", {"lcp_p75_ms_w7": 4_000}, "low"),
            ("exactly ten a day", {**DOWN, "spend_w7": 70.0}, "critical"),
        ),
        missing=(("the page is not checked", dict.fromkeys(("checks_of_day", *DOWN, "lcp_p75_ms_w7")), "missing_input"),),
        below_floor=(("hardly any money leads there", {**DOWN, "spend_w7": 69.0}, "below_minimum_volume"),),
        others=(
            ("slow in a few visits", {"lcp_p75_ms_w7": 9_000, "lcp_checks_w7": 19}, "clear"),
            ("speed is not measured", {"lcp_p75_ms_w7": None, "lcp_checks_w7": 0}, "clear"),
            ("first gone, then down: down", {**DOWN, "gone_checks": 9}, "critical"),
            ("first gone, then one failure: gone", {**GONE, "broken_checks": 1, "broken_regions": 1}, "high"),
        ),
    ),
    RuleCases(
        "FEED-001",
        fires=(
            ("a tenth of the revenue", {"lost_revenue_b28": 1_000.0}, "medium"),
            ("a fifth", {"lost_revenue_b28": 2_000.0}, "high"),
            ("a third", {"lost_revenue_b28": 3_300.0}, "critical"),
            ("most items are gone", {"items": 60}, "critical"),
        ),
        boundary=(
            ("exactly 5 %", {"lost_revenue_b28": 500.0}, "medium"),
            ("just below", {"lost_revenue_b28": 499.0}, "clear"),
            ("exactly 70 % of the items", {"items": 98}, "critical"),
            ("one more", {"items": 99}, "clear"),
        ),
        missing=(
            ("no list of the last week", dict.fromkeys(("items", "lost_revenue_b28", "rejected_items")), "missing_input"),
            ("no rate", {"revenue_b28": None, "lost_revenue_b28": None, "missing_fx_pair": "EUR->USD"}, "missing_input"),
        ),
        below_floor=(
            ("a small feed", {"lost_revenue_b28": 2_000.0, "items": 49, "items_median_w28": 49.0}, "below_minimum_volume"),
            ("hardly any sales", {"revenue_b28": 499.0, "lost_revenue_b28": 200.0}, "below_minimum_volume"),
        ),
        others=(
            ("a small rest of a large feed", {"items": 10}, "critical"),
            ("too few lists for a median", {"items": 60, "feed_days_w28": 13}, "clear"),
            ("margin unknown", {"lost_revenue_b28": 2_000.0, "gross_margin": None}, "high"),
            ("no sales for four weeks yet", {"lost_revenue_b28": 2_000.0, "history_days": 27}, "short_history"),
        ),
    ),
)  # fmt: skip
