"""Searches, rivals, placements and countries: healthy without incidents, and each incident is in the data, by plain arithmetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.profile import Incident
from marketing_agents_tests.sample.conftest import ANCHOR, Agency, written

TABLES = (
    "ad_performance_daily",
    "campaign_metrics_daily",
    "segment_performance_daily",
    "search_terms_daily",
    "auction_insights_daily",
    "campaigns",
)
PLANTED = {
    "sol-and-sage": (
        Incident("own_name_searches", 0.25, "google_ads", "Shopping"),
        Incident("accidental_clicks", 0.5, "meta_ads", "Broad"),
        Incident("wrong_places", 0.12, "tiktok_ads", "Spark creators"),
    ),
    "ledgerline": (
        Incident("useless_searches", 0.3, "google_ads", "Invoicing software"),
        Incident("rivals_outbid", 0.4, "google_ads", "QuickBooks alternative"),
        Incident("segment_takes_money", 4.0, "linkedin_ads", "Finance leads"),
    ),
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Agency:
    profiles = tuple(replace(p, incidents=PLANTED[p.advertiser.id]) for p in sample_profiles() if p.advertiser.id in PLANTED)
    return written(tmp_path_factory.mktemp("search"), advertisers=profiles, tables=TABLES, days=100)


def sums(agency: Agency, rule: str, table: str, where: str, *, before: bool = False) -> tuple[float, float, float, float]:
    """(impressions, clicks, spend, conversions) of the incident's campaign during it, or in the 28 days before it."""
    [incident] = agency.incidents(rule)
    days = (
        f"date between '{incident.first_day - timedelta(days=28)}' and '{incident.first_day - timedelta(days=1)}'"
        if before
        else f"date between '{incident.first_day}' and '{ANCHOR - timedelta(days=7)}'"
    )
    [row] = agency.query(
        f"select coalesce(sum(impressions), 0), coalesce(sum(clicks), 0), coalesce(sum(spend), 0), coalesce(sum(conversions), 0) from {table}"
        f" where campaign_id = '{incident.entity_id}' and {days} and {where}"
    )
    return tuple(float(value) for value in row)  # type: ignore[return-value]


def test_useless_searches_cost_and_bring_nothing(planted):
    useless = "search_term similar to '(free|what is) .*|.* (jobs|diy|second hand|pictures)'"
    assert sums(planted, "SEARCH-001", "search_terms_daily", useless, before=True)[1] == 0
    _, clicks, spend, conversions = sums(planted, "SEARCH-001", "search_terms_daily", useless)
    _, all_clicks, _, _ = sums(planted, "SEARCH-001", "ad_performance_daily", "true")
    assert clicks / all_clicks == pytest.approx(0.3, abs=0.04)
    assert spend > 0
    assert conversions == 0


def test_own_name_searches_convert_in_a_campaign_for_others(planted):
    own = "search_term like '%sol and sage%'"
    _, clicks, _, conversions = sums(planted, "BRAND-001", "search_terms_daily", own)
    _, all_clicks, _, all_conversions = sums(planted, "BRAND-001", "ad_performance_daily", "true")
    _, usual_clicks, _, _ = sums(planted, "BRAND-001", "search_terms_daily", own, before=True)
    _, usual_all, _, _ = sums(planted, "BRAND-001", "ad_performance_daily", "true", before=True)
    assert usual_clicks / usual_all < 0.02
    assert clicks / all_clicks > 0.12
    assert conversions / all_conversions > 1.5 * clicks / all_clicks


def test_a_rival_takes_our_place(planted):
    [incident] = planted.incidents("COMP-001")

    def share(first: int, last: int) -> float:
        return planted.value(
            f"select avg(search_impression_share) from campaign_metrics_daily where campaign_id = '{incident.entity_id}'"
            f" and date between '{ANCHOR - timedelta(days=first)}' and '{ANCHOR - timedelta(days=last)}'"
        )

    overlap = dict(
        planted.query(
            f"select date >= '{incident.first_day}', max(m) from (select date >= '{incident.first_day}' as d, date, max(overlap_rate) m from auction_insights_daily"
            f" where campaign_id = '{incident.entity_id}' and rival_domain = 'alpine-deals.example' group by all) group by 1"
        )
    )
    assert share(13, 0) / share(41, 14) == pytest.approx(0.4, abs=0.12)
    assert overlap[True] > overlap[False] + 0.2


def test_one_segment_takes_the_money(planted):
    men = "dimension = 'age_gender' and value = '35-54 male'"
    _, _, spend, conversions = sums(planted, "AUD-007", "segment_performance_daily", men)
    _, _, all_spend, all_conversions = sums(planted, "AUD-007", "segment_performance_daily", "dimension = 'age_gender'")
    assert spend / all_spend == pytest.approx(0.35, abs=0.02)
    assert (spend / conversions) / ((all_spend - spend) / (all_conversions - conversions)) == pytest.approx(4.0, rel=0.4)


def test_accidental_clicks_bring_nobody(planted):
    apps = "dimension = 'placement' and value = 'partner apps'"
    impressions, clicks, _, conversions = sums(planted, "FRAUD-001", "segment_performance_daily", apps)
    all_impressions, all_clicks, _, _ = sums(planted, "FRAUD-001", "segment_performance_daily", "dimension = 'placement'")
    assert clicks / impressions > 4 * (all_clicks - clicks) / (all_impressions - impressions)
    assert conversions == 0
    [incident] = planted.incidents("FRAUD-001")
    loaded, known = planted.query(
        f"select sum(landing_page_views), sum(clicks) from segment_performance_daily where campaign_id = '{incident.entity_id}' and {apps} and date >= '{incident.first_day}'"
    )[0]
    assert loaded / known == pytest.approx(0.1, abs=0.03)


def test_ads_run_where_nothing_is_sold(planted):
    [incident] = planted.incidents("GEO-001")
    allowed = planted.value(f"select any_value(allowed_geos) from campaigns where campaign_id = '{incident.entity_id}'")
    assert "BR" not in allowed
    abroad = sums(planted, "GEO-001", "segment_performance_daily", "dimension = 'country' and value = 'BR'")
    everywhere = sums(planted, "GEO-001", "segment_performance_daily", "dimension = 'country'")
    assert abroad[0] / everywhere[0] == pytest.approx(0.12, abs=0.01)


@pytest.mark.parametrize("dimension", ["device", "age_gender", "placement", "country"])
@pytest.mark.parametrize("name", ["clean_agency", "planted"])
def test_segments_add_up_to_the_campaign_whatever_is_planted(request, name, dimension):
    agency = request.getfixturevalue(name)
    of_kind = f"from segment_performance_daily where dimension = '{dimension}'"
    different = agency.query(
        "with a as (select advertiser_id, date, campaign_id, sum(impressions) i, sum(clicks) k, sum(spend) s, sum(conversions) c, sum(conversion_value) v from ad_performance_daily"
        f" where (advertiser_id, campaign_id) in (select (advertiser_id, campaign_id) {of_kind}) group by all),"
        f" b as (select advertiser_id, date, campaign_id, sum(impressions) i, sum(clicks) k, sum(spend) s, sum(conversions) c, sum(conversion_value) v {of_kind} group by all)"
        " select * from a full join b using (advertiser_id, date, campaign_id) where (a.i, a.k, a.s) is distinct from (b.i, b.k, b.s) or abs(a.c - b.c) > 1e-6 or abs(a.v - b.v) > 0.001"
    )
    assert different == []


def test_shown_searches_are_a_part_of_the_campaign(clean_agency):
    [(campaigns, too_much, least, most)] = clean_agency.query(
        "with a as (select campaign_id, sum(clicks) k, sum(spend) s, sum(conversions) c from ad_performance_daily group by 1),"
        " b as (select campaign_id, sum(clicks) k, sum(spend) s, sum(conversions) c from search_terms_daily group by 1)"
        " select count(*), count(*) filter (where b.k > a.k or b.s > a.s or b.c > a.c + 0.001), min(b.s / a.s), max(b.s / a.s) from b join a using (campaign_id)"
    )
    assert campaigns > 15
    assert too_much == 0
    assert 0.6 < float(least) <= float(most) < 0.95
