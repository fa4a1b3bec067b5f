"""Which past days a new advertiser gets, when, and who gets none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.operations.onboarding import DayRange, Newcomer, OnboardingChunk, pieces, plan_onboardings
from marketing_agents.state.onboardings import Onboarding

EVENING = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
START = date(2025, 11, 1)


def acme(zone: str = "Europe/London") -> Advertiser:
    return Advertiser(id="acme", name="Acme", time_zone=zone)


def days(first: str, last: str) -> DayRange:
    return DayRange(date.fromisoformat(first), date.fromisoformat(last))


def chunk(first: str, last: str, window: DayRange) -> OnboardingChunk:
    return OnboardingChunk("acme", days(first, last), window)


def plan(newcomer: Newcomer, now: datetime = EVENING, *, count: int = 14, start: date = START, size: int = 30, limit: int = 50):
    return plan_onboardings([newcomer], now, days=count, start_date=start, chunk_size=size, limit=limit)


@pytest.mark.parametrize(
    ("zone", "now", "first", "last"),
    [
        ("Europe/London", EVENING, "2026-11-06", "2026-11-19"),
        ("Pacific/Kiritimati", datetime(2026, 11, 20, 23, 0, tzinfo=UTC), "2026-11-07", "2026-11-20"),  # 13:00 on the 21st there
        ("Pacific/Pago_Pago", datetime(2026, 11, 20, 23, 45, tzinfo=UTC), "2026-11-06", "2026-11-19"),  # 12:45 on the 20th there
        ("Asia/Kolkata", datetime(2026, 11, 20, 18, 29, tzinfo=UTC), "2026-11-06", "2026-11-19"),  # 23:59
    ],
)
def test_a_new_advertiser_gets_the_days_up_to_its_last_finished_local_day(zone, now, first, last):
    window = days(first, last)
    assert plan(Newcomer(acme(zone)), now).chunks == [OnboardingChunk("acme", window, window)]


@pytest.mark.parametrize("now", [datetime(2026, 11, 20, 0, 10, tzinfo=UTC), datetime(2026, 11, 20, 12, 29, tzinfo=UTC)])
def test_a_day_whose_morning_is_to_come_is_left_to_it_until_noon_is_past(now):
    # given an advertiser that is added at night or in the morning, its last day may still be waiting for tables
    window = days("2026-11-06", "2026-11-19")
    planned = plan(Newcomer(acme()), now)
    assert planned.chunks == [chunk("2026-11-06", "2026-11-18", window)]
    # when those runs exist, it waits for the rest, and is not on record yet
    requested = Newcomer(acme(), requested=planned.chunks)
    waits = plan(requested, now)
    assert (waits.chunks, waits.finished) == ([], [])
    assert waits.waiting == ["acme with 2026-11-19 until the morning of that day is over"]
    # then either the morning took the day, or it is requested in the afternoon
    taken = plan(Newcomer(acme(), requested=planned.chunks, taken=frozenset({date(2026, 11, 19)})), now)
    assert taken.finished == [Onboarding("acme", window.first, window.last, "requested in 1 run")]
    assert plan(requested, EVENING).chunks == [chunk("2026-11-19", "2026-11-19", window)]


def test_a_plan_that_was_cut_short_goes_on_with_its_own_days_on_a_later_day():
    window = days("2026-11-06", "2026-11-19")
    first = plan(Newcomer(acme()), size=5, limit=1).chunks
    assert first == [chunk("2026-11-06", "2026-11-10", window)]
    later = plan(Newcomer(acme(), requested=first), EVENING + timedelta(days=3), size=5)
    assert later.chunks == [chunk("2026-11-11", "2026-11-15", window), chunk("2026-11-16", "2026-11-19", window)]


def test_it_is_on_record_when_all_runs_exist():
    chunks = plan(Newcomer(acme()), size=5).chunks
    assert [c.days for c in chunks] == [
        days("2026-11-06", "2026-11-10"),
        days("2026-11-11", "2026-11-15"),
        days("2026-11-16", "2026-11-19"),
    ]
    done = plan(Newcomer(acme(), requested=chunks))
    assert done.chunks == []
    assert done.finished == [Onboarding("acme", date(2026, 11, 6), date(2026, 11, 19), "requested in 3 runs")]


def test_a_paused_advertiser_waits_and_gets_its_days_when_it_is_resumed():
    held = plan(Newcomer(acme(), pause="paused by ana: contract"))
    assert (held.chunks, held.finished) == ([], [])
    assert held.waiting == ["acme until it is resumed (paused by ana: contract)"]
    assert plan(Newcomer(acme()), EVENING + timedelta(days=30)).chunks[0].days.last == date(2026, 12, 19)


@pytest.mark.parametrize(
    ("newcomer", "count", "start", "note"),
    [
        (Newcomer(acme(), first_result=date(2026, 11, 1)), 14, START, "has results since 2026-11-01"),
        (Newcomer(acme(), first_result=date(2026, 11, 1), pause="paused in the registry"), 14, START, "has results since"),
        (Newcomer(acme()), 0, START, "MARKETING_AGENTS_ONBOARDING_DAYS is 0"),
        (Newcomer(acme()), 14, date(2026, 11, 20), "no local day was over since MARKETING_AGENTS_START_DATE"),
    ],
)
def test_who_needs_nothing_is_recorded_with_the_reason(newcomer, count, start, note):
    planned = plan(newcomer, count=count, start=start)
    assert planned.chunks == []
    [onboarding] = planned.finished
    assert (onboarding.advertiser_id, onboarding.first_date, onboarding.last_date) == ("acme", None, None)
    assert onboarding.note.startswith(note)


def test_no_day_before_the_start_date():
    assert plan(Newcomer(acme()), start=date(2026, 11, 18)).chunks[0].days == days("2026-11-18", "2026-11-19")


def test_a_morning_that_was_faster_does_not_cost_the_history():
    first = plan(Newcomer(acme(), first_result=date(2026, 11, 19), taken=frozenset({date(2026, 11, 19)})))
    assert [c.days for c in first.chunks] == [days("2026-11-06", "2026-11-18")]


def test_a_limit_serves_everybody_in_turn():
    many = [Newcomer(Advertiser(id=f"a{n}", name="A", time_zone="UTC")) for n in range(5)]
    planned = plan_onboardings(many, EVENING, days=14, start_date=START, chunk_size=30, limit=2)
    assert [c.advertiser_id for c in planned.chunks] == ["a0", "a1"]
    assert planned.waiting == [f"a{n} for its turn in the next tick" for n in (2, 3, 4)]


@given(st.sets(st.dates(date(2026, 1, 1), date(2026, 3, 31))), st.integers(1, 40))
def test_pieces_hold_every_day_once_without_gaps_and_within_the_size(chosen, size):
    ranges = pieces(sorted(chosen), size)
    assert [day for r in ranges for day in r.days] == sorted(chosen)
    assert all(len(r.days) <= size for r in ranges)
    assert DayRange.parse(str(DayRange(date(2026, 1, 1), date(2026, 1, 3)))).days[-1] == date(2026, 1, 3)
