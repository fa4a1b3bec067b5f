"""Cases of searches, own name, rivals, segments, invalid traffic and places."""

from __future__ import annotations

from typing import Any

from marketing_agents_tests.rules.areas import RuleCases

USED_TABLES = ("search_terms_daily", "campaign_metrics_daily", "auction_insights_daily", "segment_performance_daily", "campaigns")

HEALTHY: dict[str, dict[str, Any]] = {
    "campaign_market_features": {
        "platform": "google_ads", "account_id": "111", "campaign_id": "c1", "campaign_name": "Shoes", "campaign_role": "generic", "campaign_status": "enabled",
        "impressions_w14": 100_000, "spend_w7": 700.0, "spend_w28": 2800.0, "conversions_w28": 140.0, "spend_w28m": 2500.0,
        "query_clicks_w28": 3000, "query_spend_w28m": 2000.0, "query_conversions_w28m": 100.0, "barren_queries_w28m": 10, "barren_spend_w28m": 160.0,
        "barren_expected_w28m": 8.0, "chance_expected_w28m": 8.0, "chance_log_w28m": 4.5, "top_barren_query": "cheap shoes", "top_barren_spend_w28m": 30.0,
        "brand_clicks_w7": 10, "brand_spend_w7": 7.0, "brand_clicks_b28": 40, "brand_spend_b28": 28.0, "brand_clicks_w28": 40, "brand_spend_w28": 28.0,
        "brand_conversions_w28": 4.0,
        "share_days_w14": 14, "share_days_p28": 28, "censored_days_w14": 0, "impression_share_low_w14": 0.5, "impression_share_low_p28": 0.5,
        "rank_lost_low_w14": 0.45, "rank_lost_low_p28": 0.45, "rank_lost_high_w14": 0.45, "rank_lost_high_p28": 0.45, "budget_lost_w14": 0.05, "budget_lost_p28": 0.05,
        "auction_days_w14": 14, "auction_days_p28": 28, "rival_domain": "rival.example", "rival_overlap_w14": 0.32, "rival_overlap_p28": 0.30, "rival_outranked_w14": 0.6,
        "has_allowed_geos": True, "geo_impressions_w7": 50_000, "geo_spend_w7": 700.0, "outside_impressions_w7": 100, "outside_spend_w7": 1.0, "top_outside_country": "FR",
    },
    "segment_features": {
        "platform": "meta_ads", "account_id": "111", "campaign_id": "c1", "dimension": "placement", "segment": "reels", "campaign_name": "Shoes", "campaign_status": "enabled",
        "special_ad_category": False, "spend_w7": 200.0, "spend_w14": 400.0, "impressions_w14": 50_000, "clicks_w14": 500, "landing_page_views_w14": 400,
        "clicks_with_views_known_w14": 500, "clicks_w14m": 400, "conversions_w14m": 10.0, "spend_w28m": 700.0, "conversions_w28m": 18.0,
        "campaign_spend_w14": 1600.0, "campaign_impressions_w14": 200_000, "campaign_clicks_w14": 2000, "campaign_clicks_w14m": 1600, "campaign_conversions_w14m": 40.0,
        "campaign_spend_w28m": 2800.0, "campaign_conversions_w28m": 72.0,
    },
}  # fmt: skip

_FAKE = {
    "clicks_w14": 2000,
    "clicks_w14m": 1600,
    "conversions_w14m": 1.0,
    "campaign_clicks_w14": 3500,
    "campaign_clicks_w14m": 2800,
    "campaign_conversions_w14m": 31.0,
}
"""Click rate 4 times that of the rest; 1 conversion of 40 expected."""  # fmt: skip

CASES = (
    RuleCases(
        "SEARCH-001",
        fires=(
            ("30 conversions' worth, 8 by luck", {"barren_expected_w28m": 30.0, "barren_spend_w28m": 600.0}, "high"),
            ("a third of the money", {"barren_expected_w28m": 41.0, "barren_spend_w28m": 820.0}, "critical"),
        ),
        boundary=(
            ("5 % beyond luck", {"barren_expected_w28m": 25.0, "chance_expected_w28m": 20.0, "chance_log_w28m": 7.0}, "medium"),
            ("just below 5 %", {"barren_expected_w28m": 24.99, "chance_expected_w28m": 20.0, "chance_log_w28m": 7.0}, "clear"),
            ("15 % beyond luck", {"barren_expected_w28m": 35.0, "chance_expected_w28m": 20.0, "chance_log_w28m": 7.0}, "high"),
            ("25 % beyond luck", {"barren_expected_w28m": 45.0, "chance_expected_w28m": 20.0, "chance_log_w28m": 7.0}, "critical"),
        ),
        below_floor=(
            ("less than three conversions' worth", {"barren_expected_w28m": 2.9}, "below_minimum_volume"),
            ("too few conversions to know the rate", {"barren_expected_w28m": 30.0, "query_conversions_w28m": 9.0}, "below_minimum_volume"),
        ),
        missing=(("no rate for the account's currency", {"barren_expected_w28m": None, "missing_fx_pair": "EUR->USD"}, "missing_input"),),
        others=(
            ("what luck leaves", {"barren_expected_w28m": 30.0, "chance_log_w28m": 12.0}, "clear"),
            ("a campaign without searches", {"query_clicks_w28": None, "query_spend_w28m": None, "barren_expected_w28m": None}, "clear"),
            ("paused", {"barren_expected_w28m": 41.0, "campaign_status": "paused"}, "clear"),
        ),
    ),
    RuleCases(
        "BRAND-001",
        fires=(
            ("a fifth of the conversions", {"brand_conversions_w28": 30.0}, "medium"),
            ("a third of the conversions", {"brand_conversions_w28": 50.0}, "high"),
            (
                "a fifth of the cost where conversions are few",
                {"conversions_w28": 20.0, "brand_clicks_w28": 400, "brand_spend_w28": 560.0},
                "medium",
            ),
        ),
        boundary=(
            ("15 %", {"conversions_w28": 200.0, "brand_conversions_w28": 30.0}, "clear"),  # luck: 10 % would do
            ("15 % of many", {"conversions_w28": 1000.0, "brand_conversions_w28": 150.0}, "medium"),
            ("just below 15 %", {"conversions_w28": 1000.0, "brand_conversions_w28": 149.9}, "clear"),
            ("30 %", {"conversions_w28": 1000.0, "brand_conversions_w28": 300.0}, "high"),
            ("just below 30 %", {"conversions_w28": 1000.0, "brand_conversions_w28": 299.9}, "medium"),
        ),
        below_floor=(("few conversions and few clicks", {"conversions_w28": 49.0, "brand_clicks_w28": 199}, "below_minimum_volume"),),
        missing=(
            (
                "no words for the own name",
                {"brand_clicks_w28": None, "brand_spend_w28": None, "brand_conversions_w28": None},
                "missing_input",
            ),
            ("role unknown", {"campaign_role": None, "brand_conversions_w28": 50.0}, "missing_input"),
        ),
        others=(("the brand campaign itself", {"campaign_role": "brand", "brand_conversions_w28": 120.0}, "clear"),),
    ),
    RuleCases(
        "COMP-001",
        fires=(
            (
                "12 points, a rival came closer",
                {"rank_lost_low_w14": 0.47, "rank_lost_high_p28": 0.35, "rival_overlap_w14": 0.45},
                "medium",
            ),
            ("25 points", {"rank_lost_low_w14": 0.70, "rival_overlap_w14": 0.45}, "high"),
            (
                "rivals are not named",
                {
                    "rank_lost_low_w14": 0.30,
                    "rank_lost_high_p28": 0.15,
                    "auction_days_w14": 0,
                    "auction_days_p28": 0,
                    "rival_domain": None,
                    "rival_overlap_w14": None,
                    "rival_overlap_p28": None,
                    "rival_outranked_w14": None,
                },
                "medium",
            ),
        ),
        boundary=(
            ("10 points", {"rank_lost_low_w14": 0.25, "rank_lost_high_p28": 0.125, "rival_overlap_w14": 0.45}, "medium"),
            ("9 points at a low level", {"rank_lost_low_w14": 0.25, "rank_lost_high_p28": 0.16, "rival_overlap_w14": 0.45}, "clear"),
            ("20 points", {"rank_lost_low_w14": 0.375, "rank_lost_high_p28": 0.125, "rival_overlap_w14": 0.45}, "high"),
            ("5 points at a high level", {"rank_lost_low_w14": 0.4375, "rank_lost_high_p28": 0.375, "rival_overlap_w14": 0.45}, "medium"),
        ),
        below_floor=(
            ("too few impressions", {"rank_lost_low_w14": 0.70, "impressions_w14": 999}, "below_minimum_volume"),
            ("too few days", {"rank_lost_low_w14": 0.70, "share_days_w14": 9}, "below_minimum_volume"),
        ),
        missing=(("the share before is unknown", {"rank_lost_high_p28": None, "rival_overlap_w14": 0.45}, "missing_input"),),
        others=(
            ("no rival came closer", {"rank_lost_low_w14": 0.70}, "clear"),
            (
                "the budget ran out",
                {"rank_lost_low_w14": 0.30, "rank_lost_high_p28": 0.15, "budget_lost_w14": 0.5, "rival_overlap_w14": 0.45},
                "clear",
            ),
            (
                "from 12 % to 'below 10 %' is not known to be a rise",
                {
                    "rank_lost_high_p28": 0.83,
                    "rank_lost_low_w14": 0.85,
                    "rank_lost_high_w14": 0.90,
                    "censored_days_w14": 14,
                    "rival_overlap_w14": 0.45,
                },
                "clear",
            ),
            ("not a search campaign", {"share_days_w14": 0, "rank_lost_low_w14": None, "impression_share_low_w14": None}, "clear"),
        ),
    ),
    RuleCases(
        "AUD-007",
        fires=(
            (
                "four times as dear",
                {"spend_w28m": 1400.0, "conversions_w28m": 20.0, "campaign_conversions_w28m": 100.0, "campaign_spend_w28m": 2800.0},
                "critical",
            ),
            ("no conversion at all", {"conversions_w28m": 0.0, "campaign_conversions_w28m": 54.0}, "critical"),
            ("2.6 times", {"conversions_w28m": 60.0, "campaign_conversions_w28m": 528.0}, "high"),
        ),
        boundary=(
            ("1.75 times", {"spend_w28m": 1400.0, "conversions_w28m": 800.0, "campaign_conversions_w28m": 2200.0}, "medium"),
            ("1.74 times", {"spend_w28m": 1400.0, "conversions_w28m": 806.0, "campaign_conversions_w28m": 2206.0}, "clear"),
            ("2.5 times", {"spend_w28m": 1400.0, "conversions_w28m": 400.0, "campaign_conversions_w28m": 1400.0}, "high"),
            ("4 times", {"spend_w28m": 1400.0, "conversions_w28m": 200.0, "campaign_conversions_w28m": 1000.0}, "critical"),
        ),
        below_floor=(
            ("hardly any money", {"spend_w28m": 200.0, "conversions_w28m": 0.0}, "below_minimum_volume"),
            ("too little to expect", {"conversions_w28m": 0.0, "campaign_conversions_w28m": 20.0}, "below_minimum_volume"),
        ),
        missing=(
            (
                "no rate for the account's currency",
                {"spend_w28m": None, "campaign_spend_w28m": None, "missing_fx_pair": "EUR->USD"},
                "missing_input",
            ),
        ),
        others=(
            (
                "age and gender in a special ad category",
                {"dimension": "age_gender", "special_ad_category": True, "conversions_w28m": 0.0, "campaign_conversions_w28m": 54.0},
                "clear",
            ),
            (
                "other segments of it",
                {"dimension": "device", "special_ad_category": True, "conversions_w28m": 0.0, "campaign_conversions_w28m": 54.0},
                "critical",
            ),
            ("a phone at 2.1 times", {"dimension": "device", "conversions_w28m": 60.0, "campaign_conversions_w28m": 438.0}, "clear"),
            (
                "an age group at 2.1 times",
                {"dimension": "age_gender", "conversions_w28m": 240.0, "campaign_conversions_w28m": 1752.0},
                "medium",
            ),
            ("1.9 times may be luck on top of nature", {"conversions_w28m": 18.0, "campaign_conversions_w28m": 120.0}, "clear"),
        ),
    ),
    RuleCases(
        "FRAUD-001",
        fires=(
            ("four times the click rate", _FAKE, "medium"),
            (
                "six times, and the page hardly loads",
                {**_FAKE, "clicks_w14": 3000, "campaign_clicks_w14": 4500, "landing_page_views_w14": 100, "campaign_spend_w14": 4000.0},
                "high",
            ),
            ("much of the money", {**_FAKE, "clicks_w14": 3000, "campaign_clicks_w14": 4500, "landing_page_views_w14": 100}, "critical"),
        ),
        boundary=(
            ("click rate x3", {**_FAKE, "clicks_w14": 1500, "campaign_clicks_w14": 3000}, "medium"),
            ("click rate below x3", {**_FAKE, "clicks_w14": 1499, "campaign_clicks_w14": 2999}, "clear"),
            (
                "no buyer where six are expected",
                {
                    **_FAKE,
                    "clicks_w14": 2500,
                    "campaign_clicks_w14": 4000,
                    "conversions_w14m": 0.0,
                    "campaign_conversions_w14m": 30.0,
                    "campaign_spend_w14": 4000.0,
                },
                "high",
            ),
        ),
        below_floor=(("too few clicks", {**_FAKE, "clicks_w14": 199}, "below_minimum_volume"),),
        missing=(("nothing to compare with", {**_FAKE, "clicks_w14": 3500, "impressions_w14": 200_000}, "missing_input"),),
        others=(
            ("clicks a lot and buys", {**_FAKE, "conversions_w14m": 30.0, "campaign_conversions_w14m": 60.0}, "clear"),
            ("a device is no source", {**_FAKE, "dimension": "device"}, "clear"),
            ("page views unknown", {**_FAKE, "landing_page_views_w14": None}, "medium"),
        ),
    ),
    RuleCases(
        "GEO-001",
        fires=(
            ("2 %", {"outside_impressions_w7": 1000, "outside_spend_w7": 14.0}, "medium"),
            ("8 %", {"outside_impressions_w7": 4000, "outside_spend_w7": 60.0}, "high"),
            ("a fifth", {"outside_impressions_w7": 10_000, "outside_spend_w7": 140.0}, "critical"),
        ),
        boundary=(
            ("1 %", {"outside_impressions_w7": 500}, "medium"),
            ("just below 1 %", {"outside_impressions_w7": 499}, "clear"),
            ("5 %", {"outside_impressions_w7": 2500}, "high"),
            ("15 %", {"outside_impressions_w7": 7500}, "critical"),
        ),
        below_floor=(("too few impressions", {"geo_impressions_w7": 4999, "outside_impressions_w7": 2000}, "below_minimum_volume"),),
        missing=(("the platform does not say where", {"geo_impressions_w7": None, "outside_impressions_w7": None}, "missing_input"),),
        others=(("nothing agreed", {"has_allowed_geos": False, "outside_impressions_w7": None}, "clear"),),
    ),
)
