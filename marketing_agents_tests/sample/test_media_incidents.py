"""Each incident of the media rules is in the data, by plain arithmetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.incidents.registry import kinds
from marketing_agents.sample.profile import Incident
from marketing_agents_tests.sample.conftest import ANCHOR, Agency, written

if TYPE_CHECKING:
    from marketing_agents.sample.truth import PlantedTruth

META, BROAD, LOOKALIKE = "meta_ads", "Broad", "Lookalike VIP"
KINDS = (
    Incident("smaller_baskets", 0.5, META, BROAD),
    Incident("looser_bids", 1.8, META, LOOKALIKE),
    Incident("rivals_bid", 1.6, "tiktok_ads", "Spark creators"),
    Incident("dearer_places", 1.5, "tiktok_ads", "Hook tests"),
    Incident("ads_ignored", 0.5, META, "Interest: clean beauty"),
    Incident("prices_raised", 0.5, META, "Cart 7 days"),
    Incident("bid_cap_typed_wrong", 0.1, "tiktok_ads", "Video viewers"),
)
TABLES = ("ad_performance_daily", "orders_daily", "conversions_by_action_daily")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Agency:
    """One advertiser with an incident on each of seven campaigns, and two with what concerns the whole advertiser."""
    by_id = {profile.advertiser.id: profile for profile in sample_profiles()}
    advertisers = (
        replace(by_id["sol-and-sage"], incidents=KINDS),
        replace(by_id["kowhai-outdoors"], incidents=(Incident("demand_weakens", 0.5),)),
        replace(by_id["harbour-thread"], incidents=(Incident("credit_taken_twice", 3.0),)),
    )
    return written(tmp_path_factory.mktemp("media"), advertisers=advertisers, tables=TABLES)


def change(agency: Agency, incident: PlantedTruth, ratio: str, *, until: int = 8, before: int = 28) -> float:
    """A ratio of sums since the incident began / in the weeks before; the last days, whose conversions are incomplete, left out by `until`."""
    last = ANCHOR - timedelta(days=until)
    where = f"campaign_id = '{incident.entity_id}'"
    after = agency.value(f"select {ratio} from ad_performance_daily where {where} and date between '{incident.first_day}' and '{last}'")
    past = agency.value(
        f"select {ratio} from ad_performance_daily where {where}"
        f" and date between '{incident.first_day - timedelta(days=before)}' and '{incident.first_day - timedelta(days=1)}'"
    )
    return float(after) / float(past)  # type: ignore[arg-type]


def of_kind(agency: Agency, kind: str) -> PlantedTruth:
    [rule_id] = kinds()[kind].rules
    return next(iter(agency.incidents(rule_id)))


@pytest.mark.parametrize(
    ("kind", "ratio", "until", "expected"),
    [
        ("smaller_baskets", "sum(conversion_value) / sum(conversions)", 0, 0.5),
        ("smaller_baskets", "sum(clicks) / sum(impressions)", 0, 1.0),
        ("looser_bids", "sum(spend) / sum(conversions)", 7, 1.8),
        ("looser_bids", "sum(spend) / sum(impressions)", 0, 1.8**0.5),
        ("rivals_bid", "sum(spend) / sum(impressions)", 0, 1.6),
        ("rivals_bid", "sum(clicks) / sum(impressions)", 0, 1.0),
        ("dearer_places", "sum(spend) / sum(clicks)", 0, 1.5),
        ("dearer_places", "sum(clicks) / sum(impressions)", 0, 1.5**-0.5),
        ("ads_ignored", "sum(clicks) / sum(impressions)", 0, 0.5),
        ("ads_ignored", "sum(spend) / sum(impressions)", 0, 1.0),
        ("prices_raised", "sum(conversions) / sum(clicks)", 7, 0.5),
        ("prices_raised", "sum(clicks) / count(distinct date)", 0, 1.0),
        ("bid_cap_typed_wrong", "sum(impressions) / count(distinct date)", 0, 0.1),
    ],
)
def test_on_a_campaign(planted: Agency, kind: str, ratio: str, until: int, expected: float) -> None:
    assert change(planted, of_kind(planted, kind), ratio, until=until) == pytest.approx(expected, rel=0.2)


def per_day(agency: Agency, advertiser: str, sql: str, first: int, last: int) -> float:
    days = f"date between '{ANCHOR - timedelta(days=first)}' and '{ANCHOR - timedelta(days=last)}'"
    return float(agency.value(f"{sql} where advertiser_id = '{advertiser}' and {days}")) / (first - last + 1)  # type: ignore[arg-type]


def test_demand_weakens_with_and_without_ads(planted: Agency) -> None:
    for channel in ("channel_touch in ('direct', 'organic', 'email')", "channel_touch like '%_ads'"):
        sql = f"select sum(orders) filter ({channel}) from orders_daily"
        assert per_day(planted, "kowhai-outdoors", sql, 9, 0) / per_day(planted, "kowhai-outdoors", sql, 37, 10) == pytest.approx(
            0.5, rel=0.12
        )
    spend = "select sum(spend) from ad_performance_daily"
    assert per_day(planted, "kowhai-outdoors", spend, 9, 3) / per_day(planted, "kowhai-outdoors", spend, 37, 10) == pytest.approx(
        1, rel=0.12
    )


def test_credit_is_taken_for_more_than_was_sold(planted: Agency) -> None:
    claimed, sold = "select sum(conversions) from ad_performance_daily", "select sum(orders) from orders_daily"
    claim = per_day(planted, "harbour-thread", claimed, 33, 7) / per_day(planted, "harbour-thread", sold, 33, 7)
    before = per_day(planted, "harbour-thread", claimed, 80, 40) / per_day(planted, "harbour-thread", sold, 80, 40)
    assert claim > 1.5
    assert before < 0.8
    assert claim / before == pytest.approx(3, rel=0.1)


def test_every_size_moves_in_one_direction() -> None:
    for incident in (*KINDS, Incident("demand_weakens", 1), Incident("credit_taken_twice", 1)):
        sizes = kinds()[incident.kind].sizes
        assert list(sizes) in (sorted(sizes), sorted(sizes, reverse=True))
        assert len(sizes) >= 4
