"""Each planted incident of conversion tracking is in the data, by plain arithmetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.incidents.registry import kinds
from marketing_agents.sample.profile import Incident
from marketing_agents_tests.sample.conftest import ANCHOR, Agency, written

DAYS = 120
TABLES = (
    "ad_performance_daily",
    "conversions_by_action_daily",
    "conversion_actions",
    "tag_health_daily",
    "web_sessions_daily",
    "change_events",
    "orders_daily",
)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Writes the agency of one advertiser with one incident of a kind; asking twice gives the same one."""
    made: dict[tuple[str, float], Agency] = {}

    def of(kind: str, size: float, platform: str = "meta_ads") -> Agency:
        if (kind, size) not in made:
            profile = replace(sample_profiles()[4], incidents=(Incident(kind, size, platform),))
            made[kind, size] = written(
                tmp_path_factory.mktemp(kind), advertisers=(profile,), days=DAYS, tables=TABLES, known_on=ANCHOR + timedelta(days=10)
            )
        return made[kind, size]

    return of


def test_contact_data_missing_lowers_the_match_quality_of_the_pixel_only(planted):
    for size in kinds()["contact_data_missing"].sizes:
        agency = planted("contact_data_missing", size)
        [incident] = agency.incidents("CONV-005")
        score = "select avg(emq_score) from tag_health_daily where event_name = 'Purchase' and source = "
        assert incident.entity_id == "pixel/Purchase"
        assert agency.value(f"{score} 'pixel' and date >= '{incident.first_day}'") == pytest.approx(size, abs=0.2)
        assert agency.value(f"{score} 'pixel' and date < '{incident.first_day}'") > 9
        assert agency.value(f"{score} 'capi' and date >= '{incident.first_day}'") > 9


def test_source_labels_lost_moves_visits_and_loses_none(planted):
    for size in kinds()["source_labels_lost"].sizes:
        agency = planted("source_labels_lost", size)
        [incident] = agency.incidents("CONV-007")
        day = f"from web_sessions_daily where date = '{ANCHOR}'"
        week_before = f"from web_sessions_daily where date = '{ANCHOR - timedelta(days=7)}'"
        assert (
            agency.value(f"select count(*) {week_before}") - agency.value(f"select count(*) {day} and source_bucket <> 'all_other'") == size
        )
        assert agency.value(f"select sum(sessions) {day}") / agency.value(f"select sum(sessions) {week_before}") == pytest.approx(
            1, abs=0.2
        )
        assert (
            agency.value(f"select count(*) from web_sessions_daily where date < '{incident.first_day}' and source_bucket = 'all_other'")
            == 0
        )


def per_order(agency: Agency, since: str, until: str) -> float:
    """Purchases that Meta claims / orders the shop saw coming from it."""
    days = f"date between '{since}' and '{until}'"
    claimed = agency.value(
        "select sum(conversions) from conversions_by_action_daily join (select distinct conversion_action_id, category from conversion_actions)"
        f" using (conversion_action_id) where platform = 'meta_ads' and category = 'purchase' and {days}"
    )
    return claimed / agency.value(f"select sum(orders) from orders_daily where channel_touch = 'meta_ads' and {days}")


@pytest.mark.parametrize(("kind", "rule"), [("signal_lost", "CONV-004"), ("second_tag", "CONV-003")])
def test_the_platform_claims_less_or_more_while_orders_stay(planted, kind, rule):
    for size in kinds()[kind].sizes:
        agency = planted(kind, size)
        [incident] = agency.incidents(rule)
        before = per_order(agency, f"{ANCHOR - timedelta(days=70)}", f"{incident.first_day - timedelta(days=1)}")
        assert before == pytest.approx(1 / 0.93, rel=0.03)
        assert per_order(agency, f"{incident.first_day}", f"{ANCHOR}") / before == pytest.approx(size, rel=0.06)


def test_action_abandoned_silences_it_for_good(planted):
    for size in kinds()["action_abandoned"].sizes:
        agency = planted("action_abandoned", size)
        [incident] = agency.incidents("CONV-002")
        rows = f"from conversions_by_action_daily where conversion_action_id = '{incident.entity_id}' and conversions > 0"
        assert agency.value(f"select max(date) {rows}") == ANCHOR - timedelta(days=int(size) + 2)


def test_value_wrong_moves_the_value_and_not_the_basket(planted):
    for size in kinds()["value_wrong"].sizes:
        agency = planted("value_wrong", size)
        [incident] = agency.incidents("CONV-006")
        value = f"select sum(conversion_value) / sum(conversions) from conversions_by_action_daily where conversion_action_id = '{incident.entity_id}'"
        basket = "select sum(revenue) / sum(orders) from orders_daily where channel_touch = 'meta_ads'"
        since, before = f" and date >= '{incident.first_day}'", f" and date < '{incident.first_day}'"
        assert float(agency.value(value + since)) / float(agency.value(value + before)) == pytest.approx(size, rel=0.05)
        assert float(agency.value(basket + since)) / float(agency.value(basket + before)) == pytest.approx(1, abs=0.1)


def test_counting_changed_is_in_the_change_log_and_in_the_counts(planted):
    for size in kinds()["counting_changed"].sizes:
        agency = planted("counting_changed", size)
        [incident] = agency.incidents("CONV-008")
        changes = agency.query("select date, entity_id, field from change_events where resource_type = 'conversion_action'")
        assert changes == [(incident.first_day, incident.entity_id, "counting_type")]
        before = per_order(agency, f"{ANCHOR - timedelta(days=70)}", f"{incident.first_day - timedelta(days=1)}")
        assert per_order(agency, f"{incident.first_day}", f"{ANCHOR}") / before == pytest.approx(size, rel=0.06)
