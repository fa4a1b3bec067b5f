"""Incidents of accounts, their history and the connectors are in the data, by plain arithmetic; a healthy agency has none of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.incidents.platform import STRANGER
from marketing_agents.sample.profile import Incident
from marketing_agents_tests.sample.conftest import ANCHOR, Agency, written

KOWHAI = next(p for p in sample_profiles() if p.advertiser.id == "kowhai-outdoors")
TABLES = ("ad_performance_daily", "platform_accounts", "change_events", "connector_runs", "campaigns")


def planted(folder: Path, kind: str, size: float, platform: str = "meta_ads", campaign: str = "", **spec: object) -> Agency:
    incident = Incident(kind, size, platform, campaign)
    return written(folder, advertisers=(replace(KOWHAI, incidents=(incident,)),), tables=TABLES, days=60, **spec)


@pytest.mark.parametrize(("size", "status"), [(1, "active"), (3, "grace_period"), (6, "unsettled")])
def test_a_refused_payment_ends_in_no_delivery(tmp_path, size, status):
    agency = planted(tmp_path, "payment_refused", size)
    assert agency.query("select account_status, payment_failed from platform_accounts where platform = 'meta_ads'") == [(status, True)]
    assert agency.query("select distinct account_status, payment_failed from platform_accounts where platform <> 'meta_ads'") == [
        ("active", False)
    ]
    rows = agency.value(f"select count(*) from ad_performance_daily where platform = 'meta_ads' and date = '{ANCHOR}'")
    assert (rows == 0) == (size > 5)


@pytest.mark.parametrize("size", [6, 2, 0.5])
def test_the_balance_lasts_for_so_many_days(tmp_path, size):
    agency = planted(tmp_path, "balance_runs_out", size, "tiktok_ads")
    spend = agency.value(
        f"select sum(spend) / 7 from ad_performance_daily where platform = 'tiktok_ads' and date > '{ANCHOR - timedelta(days=7)}'"
    )
    [(balance, funding, refill)] = agency.query(
        "select balance, funding_type, auto_top_up from platform_accounts where platform = 'tiktok_ads'"
    )
    assert (funding, refill) == ("prepaid", False)
    # the newest day of a UTC account may not have been delivered yet
    assert float(balance) / float(spend) == pytest.approx(size, rel=0.2)


@pytest.mark.parametrize("size", [0.95, 2.0])
def test_history_changes_between_two_mornings(tmp_path, size):
    day = ANCHOR - timedelta(days=3)

    def spend(folder: str, end: object) -> tuple[float, float]:
        agency = planted(tmp_path / folder, "history_restated", size, anchor=ANCHOR, end=end)
        [(on_day, before)] = agency.query(
            f"select sum(spend) filter (date = '{day}'), sum(spend) filter (date < '{day}') from ad_performance_daily where platform = 'meta_ads'"
        )
        return float(on_day), float(before)

    first, now = spend("first", ANCHOR - timedelta(days=1)), spend("now", ANCHOR)
    assert now[0] / first[0] == pytest.approx(size, rel=0.001)
    assert now[1] == first[1]


def test_a_connector_fails_night_after_night(tmp_path):
    agency = planted(tmp_path, "connector_fails", 3)
    runs = agency.query(
        "select date, status, consecutive_failures, error_code is null from connector_runs where platform = 'meta_ads' order by date desc limit 4"
    )
    assert [row[1:] for row in runs] == [("failed", 3, False), ("failed", 2, False), ("failed", 1, False), ("succeeded", 0, True)]
    last = agency.value("select max(date) from ad_performance_daily where platform = 'meta_ads'")
    assert last == ANCHOR - timedelta(days=3)
    assert agency.query("select distinct status from connector_runs where platform <> 'meta_ads'") == [("succeeded",)]


@pytest.mark.parametrize("size", [12, 6, 0.1])
def test_a_token_runs_out(tmp_path, size):
    agency = planted(tmp_path, "token_expires", size)
    left = agency.value(
        f"select (epoch(token_expires_at) - epoch(last_success_at)) / 86400 from connector_runs where platform = 'meta_ads' and date = '{ANCHOR}'"
    )
    assert float(left) == pytest.approx(size)


@pytest.mark.parametrize(("size", "kinds"), [(0, {"ad"}), (1, {"ad", "campaign"}), (2.0, {"ad", "campaign", "budget"})])
def test_a_stranger_changes_settings(tmp_path, size, kinds):
    agency = planted(tmp_path, "stranger_at_work", size, "google_ads", "Tents")
    events = agency.query(f"select resource_type, old_value, new_value, date from change_events where actor = '{STRANGER}'")
    assert {event[0] for event in events} == kinds
    assert {event[3] for event in events} == {ANCHOR - timedelta(days=1)}
    if size > 1:
        [(old, new)] = [(float(event[1]), float(event[2])) for event in events if event[0] == "budget"]
        assert new / old == pytest.approx(size, rel=0.01)
        budgets = agency.query(
            "select daily_budget from campaigns where name like '%Tents%' and platform = 'google_ads' order by valid_from desc limit 2"
        )
        assert float(budgets[0][0]) / float(budgets[1][0]) == pytest.approx(size, rel=0.01)


def test_a_healthy_agency_has_none_of_it(clean_agency):
    assert clean_agency.query("select distinct account_status, payment_failed from platform_accounts") == [("active", False)]
    assert clean_agency.value("select max(amount_spent / spend_cap) from platform_accounts") < 0.5
    assert clean_agency.value("select max(consecutive_failures) from connector_runs") == 0
    assert clean_agency.value("select min(epoch(token_expires_at) - epoch(last_success_at)) / 86400 from connector_runs") > 19
    prepaid = clean_agency.query(
        f"select any_value(a.balance) / (sum(p.spend) / 7) from platform_accounts a join ad_performance_daily p using (advertiser_id, platform, account_id)"
        f" where a.funding_type = 'prepaid' and p.date > '{ANCHOR - timedelta(days=7)}' group by advertiser_id, account_id"
    )
    assert prepaid
    assert all(float(days) > 12 for (days,) in prepaid)
