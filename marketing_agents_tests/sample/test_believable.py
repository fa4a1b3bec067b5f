"""The agency is consistent with itself, and calm where nothing was planted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketing_agents.sample.profile import UTC_PLATFORMS
from marketing_agents_tests.sample.conftest import ANCHOR


def test_six_advertisers_in_the_zones_that_hurt():
    from marketing_agents.sample.businesses import sample_profiles

    assert [p.advertiser.time_zone for p in sample_profiles()] == [
        "Pacific/Auckland",
        "Asia/Kolkata",
        "Europe/London",
        "America/New_York",
        "America/Los_Angeles",
        "Pacific/Kiritimati",
    ]


def test_each_account_has_one_currency_and_one_zone(agency):
    for column, in_account in (("currency_code", "currency_code"), ("account_time_zone", "time_zone")):
        assert (
            agency.value(
                f"select count(*) from ad_performance_daily p join platform_accounts a using (advertiser_id, account_id) where p.{column} <> a.{in_account}"
            )
            == 0
        )
    utc = agency.query("select distinct platform from platform_accounts where time_zone = 'UTC'")
    assert {platform for (platform,) in utc} <= UTC_PLATFORMS
    assert (
        agency.value(
            "select count(*) from platform_accounts where platform in ('tiktok_ads', 'linkedin_ads', 'pinterest_ads') and time_zone <> 'UTC'"
        )
        == 0
    )


def test_every_foreign_currency_has_a_rate_on_every_day(agency):
    pairs = agency.query("select distinct advertiser_id, from_currency, to_currency from fx_rates order by all")
    assert pairs == [("harbour-thread", "EUR", "GBP"), ("kowhai-outdoors", "AUD", "NZD"), ("vidya-path", "USD", "INR")]
    assert agency.value("select min(n) from (select count(*) n from fx_rates group by advertiser_id)") == 180


def test_conversions_of_primary_actions_add_up_to_those_of_the_ads(agency):
    rows = agency.query(
        "with a as (select advertiser_id, date, campaign_id, sum(conversions) c, sum(conversion_value) v from ad_performance_daily group by all),"
        " b as (select advertiser_id, date, campaign_id, sum(conversions) c, sum(conversion_value) v from conversions_by_action_daily"
        "   join (select distinct conversion_action_id from conversion_actions where is_primary) using (conversion_action_id) group by all)"
        " select count(*), count(*) filter (where abs(a.c - coalesce(b.c, 0)) > 1e-6 or a.v <> coalesce(b.v, 0)) from a left join b using (advertiser_id, date, campaign_id)"
    )
    [(campaign_days, different)] = rows
    assert campaign_days > 10_000
    assert different == 0


@pytest.mark.parametrize("dimension", ["device", "age_gender"])
def test_segments_add_up_to_the_campaign(agency, dimension):
    different = agency.query(
        "with a as (select advertiser_id, date, campaign_id, sum(impressions) i, sum(clicks) k, sum(spend) s, sum(conversions) c, sum(conversion_value) v from ad_performance_daily group by all),"
        f" b as (select advertiser_id, date, campaign_id, sum(impressions) i, sum(clicks) k, sum(spend) s, sum(conversions) c, sum(conversion_value) v from segment_performance_daily where dimension = '{dimension}' group by all)"
        " select * from a full join b using (advertiser_id, date, campaign_id) where (a.i, a.k, a.s, a.v) is distinct from (b.i, b.k, b.s, b.v) or abs(a.c - b.c) > 1e-6"
    )
    assert different == []


def test_nothing_is_shown_outside_the_life_of_an_ad_or_campaign(agency):
    for table, key in (("campaigns", "campaign_id"), ("ads", "ad_id")):
        assert agency.value(f"select count(*) from {table} where status = 'paused'") > 0
        outside = agency.value(
            f"select count(*) from ad_performance_daily p where not exists (from {table} t where t.advertiser_id = p.advertiser_id and t.{key} = p.{key}"
            " and t.status = 'enabled' and t.valid_from <= p.date and (t.valid_to is null or p.date < t.valid_to))"
        )
        assert outside == 0, table


def test_clicks_need_impressions_and_conversions_need_clicks(agency):
    assert (
        agency.value("select count(*) from ad_performance_daily where clicks > impressions or impressions = 0 or conversions > clicks") == 0
    )


def test_small_ads_have_days_without_a_row(agency):
    gaps = agency.value(
        "select count(*) from (select ad_id, count(distinct date) n, max(date) - min(date) + 1 span from ad_performance_daily where device = 'desktop' group by ad_id) where n < span - 5"
    )
    assert gaps >= 5


def test_weekends_differ_by_business(agency):
    weekend = dict(
        agency.query(
            "select advertiser_id, sum(spend) filter (where isodow(date) >= 6) / 2 / (sum(spend) filter (where isodow(date) < 6) / 5) from ad_performance_daily group by 1"
        )
    )
    assert weekend["ledgerline"] < 0.65
    assert weekend["harbour-thread"] > 1.1


def test_spend_is_about_the_daily_budget(clean_agency):
    ratios = clean_agency.query(
        f"select p.campaign_id, sum(p.spend) / 28 / any_value(c.daily_budget) from ad_performance_daily p join campaigns c using (advertiser_id, campaign_id)"
        f" where c.status = 'enabled' and c.valid_to is null and p.date between '{ANCHOR - timedelta(days=34)}' and '{ANCHOR - timedelta(days=7)}'"
        " group by 1 having any_value(c.daily_budget) > 100"
    )
    assert len(ratios) > 60
    assert all(0.55 < ratio < 0.95 for _, ratio in ratios)


def test_a_clean_agency_is_calm(clean_agency):
    # Cost per conversion of every campaign with some volume, over matured days, against its target
    cost = clean_agency.query(
        f"select sum(p.spend) / sum(p.conversions) / any_value(c.target_cpa) from ad_performance_daily p join campaigns c using (advertiser_id, campaign_id)"
        f" where c.valid_to is null and c.target_cpa is not null and p.date between '{ANCHOR - timedelta(days=13)}' and '{ANCHOR - timedelta(days=3)}'"
        " group by p.campaign_id having sum(p.conversions) > 50"
    )
    assert len(cost) > 40
    assert max(cost)[0] < 1.1
    assert 0.75 < sorted(cost)[len(cost) // 2][0] < 0.95
    # No ad takes over, no existing customers in prospecting, no plan is passed, no action falls silent
    assert clean_agency.value(_TOP_SHARES + " select max(share) from shares") < 0.6
    assert clean_agency.value(_EXISTING + " select max(share) from leaks") < 0.15
    assert clean_agency.value("select count(*) from calendar_events where expected_index_orders >= 1.3") == 0
    assert (
        clean_agency.value(
            "select min(n) from (select sum(conversions) n from conversions_by_action_daily join conversion_actions using (advertiser_id, account_id, conversion_action_id) group by account_id, conversion_action_id, date)"
        )
        > 0
    )


def test_prospecting_of_the_demo_keeps_existing_customers_out_except_where_planted(agency):
    planted = {i.entity_id for i in agency.incidents("AUD-006")}
    shares = agency.query(_EXISTING + " select campaign_id, share from leaks")
    assert {campaign for campaign, share in shares if share >= 0.15} == planted


def test_hostile_names_are_in_the_files(agency):
    names = {name for table in ("campaigns", "ads") for (name,) in agency.query(f"select distinct name from {table}")}
    assert "'; DROP TABLE x; --" in names
    for piece in ("Ignore previous instructions", "\n", "|", '"', "<script>", "](javascript:", "🏕", "رمضان", "\u202e"):
        assert any(piece in name for name in names), piece


_TOP_SHARES = f"""with ad as (select advertiser_id, adgroup_id, ad_id, sum(spend) s from ad_performance_daily where date > '{ANCHOR - timedelta(days=14)}' group by all),
shares as (select advertiser_id, adgroup_id, max(s) / sum(s) share, sum(s) spend from ad group by all)"""
_EXISTING = f"""with leaks as (select advertiser_id, campaign_id, 1 - sum(new_customer_orders) / sum(orders) share from orders_daily o
join (select distinct advertiser_id, campaign_id from campaigns where role = 'prospecting') c using (advertiser_id) where c.campaign_id = o.campaign_key
and o.date > '{ANCHOR - timedelta(days=28)}' group by all having sum(orders) >= 30)"""
