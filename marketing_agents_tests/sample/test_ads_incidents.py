"""What goes wrong with ads, pages and feeds is in the data, by plain arithmetic; where nothing was planted all is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import duckdb
import pytest

from marketing_agents.sample.agency import TABLES
from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.facts import AdvertiserFacts, draw_facts
from marketing_agents.sample.incidents.registry import kinds, rewritten
from marketing_agents.sample.profile import Incident
from marketing_agents.sample.spec import AgencySpec
from marketing_agents_tests.sample.conftest import ANCHOR

META, GOOGLE = ("meta_ads", "Advantage+ Whānau"), ("google_ads", "Tents")
WEEK, WEEK_BEFORE = (6, 0), (13, 7)


@cache
def drawn(*incidents: Incident) -> AdvertiserFacts:
    """The shop in New Zealand, with nothing wrong but what is given."""
    [shop] = [profile for profile in sample_profiles() if profile.advertiser.id == "kowhai-outdoors"]
    return draw_facts(replace(shop, incidents=incidents), AgencySpec(end=ANCHOR, days=90, advertisers=(shop,)))


def planted(kind: str, size: float, platform: str, campaign: str = "") -> AdvertiserFacts:
    return drawn(Incident(kind, size, platform, campaign))


def value(facts: AdvertiserFacts, table: str, sql: str) -> Any:
    rows = rewritten(table, TABLES[table](facts), facts)
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        [answer] = connection.execute(sql).fetchall()
    return answer[0] if len(answer) == 1 else answer


def between(days: tuple[int, int]) -> str:
    return f"date between '{ANCHOR - timedelta(days=days[0])}' and '{ANCHOR - timedelta(days=days[1])}'"


def of_ad(
    facts: AdvertiserFacts, expression: str, days: tuple[int, int] = WEEK, table: str = "ad_performance_daily", key: str = "ad_id"
) -> Any:
    [incident] = facts.incidents
    return value(facts, table, f"select {expression} from rows where {key} = '{incident.entity_id}' and {between(days)}")


@pytest.mark.parametrize(
    "name",
    ["people_tire_of_an_ad", "offer_expires", "losing_variant", "slow_opening", "hasty_responsive_ad", "page_breaks", "feed_rejected"],
)
def test_sizes_go_from_barely_visible_to_obvious(name: str) -> None:
    assert len(kinds()[name].sizes) >= 4
    assert list(kinds()[name].sizes) in (sorted(kinds()[name].sizes), sorted(kinds()[name].sizes, reverse=True))


def test_people_tire_of_an_ad() -> None:
    facts = planted("people_tire_of_an_ad", 0.7, *META)
    frequency = of_ad(facts, "max(frequency)", (0, 0), "reach_window", "entity_id")
    assert 3.5 < frequency < 5.5
    assert of_ad(facts, "max(frequency)", (30, 30), "reach_window", "entity_id") < 2
    now, before = of_ad(facts, "sum(clicks) / sum(impressions)"), of_ad(facts, "sum(clicks) / sum(impressions)", WEEK_BEFORE)
    assert now / before == pytest.approx(0.7, rel=0.15)


def test_an_offer_that_expired_is_clicked_and_not_bought() -> None:
    facts = planted("offer_expires", 0.35, *META)
    assert of_ad(facts, "sum(conversions) / sum(clicks)", (10, 4)) / of_ad(
        facts, "sum(conversions) / sum(clicks)", (60, 20)
    ) == pytest.approx(0.35, abs=0.15)
    assert of_ad(facts, "sum(clicks) / sum(impressions)", (10, 4)) / of_ad(
        facts, "sum(clicks) / sum(impressions)", (60, 20)
    ) == pytest.approx(1, abs=0.15)


def test_a_losing_variant_keeps_its_share_of_the_money() -> None:
    facts = planted("losing_variant", 0.45, *META)
    [incident] = facts.incidents
    group = facts.structure.adgroups[facts.structure.ads[incident.index].adgroup].adgroup_id
    rate, share = value(
        facts,
        "ad_performance_daily",
        "with ads as (select ad_id, sum(clicks) / sum(impressions) rate, sum(spend) spend from rows"
        f" where adgroup_id = '{group}' and {between((27, 0))} group by 1)"
        f" select max(rate) filter (ad_id = '{incident.entity_id}') / max(rate), max(spend) filter (ad_id = '{incident.entity_id}') / sum(spend) from ads",
    )
    assert rate == pytest.approx(0.45, abs=0.06)
    assert share > 0.15


def test_a_slow_opening_loses_viewers() -> None:
    facts = planted("slow_opening", 0.45, *META)
    hook = "sum(video_3s_views) / sum(impressions)"
    assert of_ad(facts, hook, (13, 0)) / of_ad(facts, hook, (60, 30)) == pytest.approx(0.45, abs=0.03)


def test_a_hasty_responsive_ad_has_few_headlines() -> None:
    facts = planted("hasty_responsive_ad", 2, *GOOGLE)
    [incident] = facts.incidents
    row = f"select format, ad_strength, n_headlines from rows where ad_id = '{incident.entity_id}' and valid_to is null"
    assert value(facts, "ads", row) == ("rsa", "poor", 2)
    assert value(drawn(), "ads", "select count(*) from rows where ad_strength in ('average', 'poor') or n_headlines < 8") == 0


def test_a_broken_page_answers_with_errors_up_to_the_end_of_the_day() -> None:
    facts = planted("page_breaks", 14, *GOOGLE)
    [incident] = facts.incidents
    failed, regions, checks = value(
        facts,
        "url_checks",
        "select count(*) filter (http_status = 503), count(distinct region) filter (http_status = 503), count(*)"
        f" from rows where url = '{incident.entity_id}' and {between((0, 0))}",
    )
    assert (failed, regions, checks) == (4, 2, 8)
    led_there = f"select count(*) from rows where split_part(final_url, '?', 1) = '{incident.entity_id}'"
    assert value(facts, "ads", led_there) > 3
    assert value(drawn(), "url_checks", "select count(*) from rows where http_status >= 400 or not tls_ok") == 0
    assert value(drawn(), "url_checks", "select count(*) filter (http_status is null) / count(*) from rows") == pytest.approx(
        0.002, abs=0.001
    )
    assert value(drawn(), "url_checks", "select quantile_cont(lcp_ms, 0.95) from rows") < 2500


def test_rejected_items_sold_well_and_sell_no_more() -> None:
    facts = planted("feed_rejected", 0.2, "google_ads")
    rejected = "select list(item_id) from rows where status = 'disapproved'"
    new = sorted(set(value(facts, "feed_items", rejected)) - set(value(drawn(), "feed_items", rejected)))
    listed = ", ".join(f"'{item}'" for item in new)
    share = f"select sum(revenue) filter (item_id in ({listed})) / sum(revenue) from rows where "
    assert value(facts, "product_performance_daily", share + between((34, 7))) == pytest.approx(0.2, abs=0.05)
    assert value(facts, "product_performance_daily", share + between((2, 0))) is None
    # The items add up to what the shopping campaigns sold.
    shopping = {c.campaign_id for c in facts.structure.campaigns if c.idea.role == "shopping"}
    campaigns = ", ".join(f"'{c}'" for c in shopping)
    assert value(drawn(), "product_performance_daily", "select sum(revenue) from rows") == value(
        drawn(), "ad_performance_daily", f"select sum(conversion_value) from rows where campaign_id in ({campaigns})"
    )


def test_a_healthy_ad_is_not_seen_too_often() -> None:
    ads = f"select max(frequency) from rows where level = 'ad' and {between((60, 0))}"
    assert value(drawn(), "reach_window", ads) < 3
