"""What ticks decided: one row per advertiser and day, the last decision counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketing_agents.days import LocalDay
from marketing_agents.state.migrate import StateError
from marketing_agents.state.mornings import Morning, Mornings

DAY = date(2026, 11, 20)
TICK = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
WAITING = Morning("acme", DAY, "waiting", "ad_performance_daily has no rows", 0, TICK)


@pytest.fixture
def mornings(state):
    return Mornings(state)


def test_a_later_tick_replaces_the_decision_about_the_same_day_only(mornings):
    other = replace(WAITING, date=DAY - timedelta(days=1), outcome="done", reason="")
    mornings.record([WAITING, other])
    requested = replace(WAITING, outcome="requested", reason="", attempts=1, scheduled_for=TICK + timedelta(minutes=30))
    mornings.record([requested])
    assert mornings.read() == [other, requested]


def test_times_come_back_in_utc(mornings):
    mornings.record([replace(WAITING, scheduled_for=datetime(2026, 11, 21, 19, 0, tzinfo=ZoneInfo("Pacific/Auckland")).astimezone(UTC))])
    [found] = mornings.read()
    assert (found.scheduled_for, found.scheduled_for.tzinfo) == (TICK, UTC)


def test_decisions_are_read_by_advertiser_and_range(mornings):
    mornings.record([replace(WAITING, advertiser_id=a, date=DAY - timedelta(days=n)) for a in ("zeta", "acme") for n in range(4)])
    found = mornings.read(advertiser_ids=["acme"], start=DAY - timedelta(days=2), end=DAY - timedelta(days=1))
    assert [(m.advertiser_id, m.date) for m in found] == [("acme", DAY - timedelta(days=2)), ("acme", DAY - timedelta(days=1))]
    assert len(mornings.read(start=DAY)) == 2
    assert mornings.read(advertiser_ids=[]) == []


def test_decisions_about_scattered_days(mornings):
    mornings.record([replace(WAITING, advertiser_id=a, date=DAY - timedelta(days=n)) for a in ("zeta", "acme") for n in range(4)])
    wanted = [LocalDay("acme", DAY), LocalDay("zeta", DAY - timedelta(days=3)), LocalDay("nobody", DAY)]
    assert set(mornings.of(wanted)) == set(wanted[:2])
    assert mornings.of([]) == {}


def test_as_many_days_as_an_agency_has(mornings):
    days = [LocalDay(f"adv-{n:03d}", DAY - timedelta(days=d)) for n in range(100) for d in range(60)]
    mornings.record([replace(WAITING, advertiser_id=d.advertiser_id, date=d.day) for d in days])
    assert len(mornings.of(days)) == len(days)


def test_decisions_of_a_tick_are_written_all_or_none(mornings):
    with pytest.raises(StateError, match="mornings of acme"):
        mornings.record([WAITING, replace(WAITING, advertiser_id="zeta", reason=None)])
    assert mornings.read() == []
    mornings.record([])
    assert mornings.read() == []
