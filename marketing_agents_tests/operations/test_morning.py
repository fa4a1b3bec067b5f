"""The morning of an advertiser's day: its window in every zone, and every decision a tick can take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketing_agents.advertisers.registry import parse_registry
from marketing_agents.operations.morning import (
    Record,
    RequestedRun,
    decide_with_data,
    decide_without_data,
    due_morning,
    open_morning,
    summary,
)
from marketing_agents.state.mornings import Morning
from marketing_agents.status import PartitionStatus, RecordedStatus

DAY = date(2026, 11, 20)
LIMIT = 3


def advertiser(**fields):
    return parse_registry([{"id": "acme", "name": "Acme", "time_zone": "Europe/London", **fields}], source="test").advertisers[0]


def at(text, zone="Europe/London", fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


# ---- when a morning is due: fields of the advertiser, local time of the tick, (day, is it the last call) or None
WINDOWS = {
    "before the run time": ({}, "2026-11-21T05:30", None),
    "at the run time": ({}, "2026-11-21T06:00", (DAY, False)),
    "a run time between two ticks is served by the next one, not before": ({"run_time_local": "06:10"}, "2026-11-21T06:00", None),
    "nor later": ({"run_time_local": "06:10"}, "2026-11-21T06:30", (DAY, False)),
    "just before noon": ({}, "2026-11-21T11:30", (DAY, False)),
    "noon is the last call": ({}, "2026-11-21T12:00", (DAY, True)),
    "and so is the tick after it": ({}, "2026-11-21T12:30", (DAY, True)),
    "the afternoon is nobody's morning": ({}, "2026-11-21T13:00", None),
    "the evening": ({}, "2026-11-21T23:30", None),
    "a run time at noon has one call and it is the last": ({"run_time_local": "12:00"}, "2026-11-21T12:00", (DAY, True)),
    "a run time at midnight waits for the day to settle": ({"run_time_local": "00:00"}, "2026-11-21T02:30", None),
    "and is due then": ({"run_time_local": "00:00"}, "2026-11-21T03:00", (DAY, False)),
    "a settle lag beyond the run time": ({"settle_lag_hours": 8}, "2026-11-21T07:30", None),
    "is waited for": ({"settle_lag_hours": 8}, "2026-11-21T08:00", (DAY, False)),
    "one beyond noon is not": ({"settle_lag_hours": 48}, "2026-11-21T06:00", (DAY, False)),
}


@pytest.mark.parametrize("case", WINDOWS)
def test_when_a_morning_is_due(case):
    fields, local_time, expected = WINDOWS[case]
    due = due_morning(advertiser(**fields), at(local_time))
    assert (due and (due.day, due.is_last_call)) == expected


# ---- clock changes: zone, run time, settle lag, local time of the tick, fold -> the day that is due, or None
CLOCK_CHANGES = {
    "London, the morning after spring": ("Europe/London", "06:00", 3, "2026-03-29T06:00", 0, date(2026, 3, 28)),
    "London, a run time in the gap counts as half an hour after it": (
        "Europe/London",
        "01:30",
        0,
        "2026-03-29T02:30",
        0,
        date(2026, 3, 28),
    ),
    "London, a run time that comes twice: the first time": ("Europe/London", "01:30", 0, "2026-10-25T01:30", 0, date(2026, 10, 24)),
    "and the second": ("Europe/London", "01:30", 0, "2026-10-25T01:30", 1, date(2026, 10, 24)),
    "Cairo has no midnight on that day": ("Africa/Cairo", "00:00", 0, "2026-04-24T01:00", 0, date(2026, 4, 23)),
    "Havana neither": ("America/Havana", "00:00", 0, "2026-03-08T01:00", 0, date(2026, 3, 7)),
    "Beirut neither": ("Asia/Beirut", "00:00", 0, "2026-03-29T01:00", 0, date(2026, 3, 28)),
    "three hours after such a midnight are four by the wall clock": ("Africa/Cairo", "00:00", 3, "2026-04-24T03:30", 0, None),
    "Lord Howe moves by half an hour": ("Australia/Lord_Howe", "02:00", 0, "2026-10-04T02:30", 0, date(2026, 10, 3)),
    "Kiritimati is ahead of everybody": ("Pacific/Kiritimati", "06:00", 3, "2026-11-21T06:00", 0, DAY),
    "Pago Pago behind": ("Pacific/Pago_Pago", "06:00", 3, "2026-11-21T06:00", 0, DAY),
    "Kathmandu at a quarter to the full hour UTC": ("Asia/Kathmandu", "06:00", 3, "2026-11-21T06:00", 0, DAY),
    "New Year": ("Pacific/Auckland", "06:00", 3, "2027-01-01T06:00", 0, date(2026, 12, 31)),
}


@pytest.mark.parametrize("case", CLOCK_CHANGES)
def test_clock_changes(case):
    zone, run_time, lag, local_time, fold, expected = CLOCK_CHANGES[case]
    acme = advertiser(time_zone=zone, run_time_local=run_time, settle_lag_hours=lag)
    due = due_morning(acme, at(local_time, zone, fold).astimezone(UTC))
    assert (due and due.day) == expected


# ---- what is decided
TICK = at("2026-11-21T08:00")
DUE = due_morning(advertiser(), TICK)
NOON = due_morning(advertiser(), at("2026-11-21T12:00"))
AFTER, NIGHT = datetime(2026, 11, 21, 6, 5, tzinfo=UTC), datetime(2026, 11, 21, 2, tzinfo=UTC)


def run(attempt, state, *, permanent=False):
    return RequestedRun(f"{attempt}" * 8 + "-rest", attempt, state, is_permanent_failure=permanent)


def report(status, reason="", updated_at=AFTER, run_id="somebody"):
    return RecordedStatus(PartitionStatus("daily_report", "acme", DAY, status, reason), run_id, updated_at)


WITHOUT_DATA = {
    "nothing yet": (Record(), None),
    "unregistered": (Record(obstacle="no partition yet"), ("unregistered", "no partition yet", 0)),
    "paused": (Record(paused="paused by ann: budget"), ("paused", "paused by ann: budget", 0)),
    "paused while it runs": (Record(paused="p", runs=(run(1, "in_flight"),)), ("paused", "p", 1)),
    "done": (Record(runs=(run(1, "succeeded"),), report=report("ok")), ("done", "ok", 1)),
    "done with something missing": (Record(report=report("degraded", "orders late")), ("done", "degraded: orders late", 0)),
    "done, then paused": (Record(paused="p", report=report("ok")), ("done", "ok", 0)),
    "done by hand after the morning opened": (Record(report=report("ok")), ("done", "ok", 0)),
    "a test run at night is not the morning's answer": (Record(report=report("ok", updated_at=NIGHT)), None),
    "the morning's own run is, whatever the clocks say": (
        Record(runs=(run(1, "succeeded"),), report=report("ok", updated_at=NIGHT, run_id=run(1, "succeeded").run_id)),
        ("done", "ok", 1),
    ),
    "running": (Record(runs=(run(1, "in_flight"),)), ("running", "run 11111111 (attempt 1)", 1)),
    "running again": (Record(runs=(run(2, "in_flight"), run(1, "failed"))), ("running", "run 22222222 (attempt 2)", 2)),
    "an older run still holds on": (Record(runs=(run(2, "failed"), run(1, "in_flight"))), ("running", "run 22222222 (attempt 2)", 2)),
    "failed once": (Record(runs=(run(1, "failed"),)), None),
    "failed twice": (Record(runs=(run(2, "failed"), run(1, "failed"))), None),
    "failed too often": (
        Record(runs=(run(3, "failed"), run(2, "failed"), run(1, "failed"))),
        ("gave_up", "run 33333333 (attempt 3) failed, the last of 3 attempts", 3),
    ),
    "a run that Dagster repeated is one attempt": (Record(runs=(run(1, "failed"), run(1, "failed"), run(1, "failed"))), None),
    "failed for good": (
        Record(runs=(run(1, "failed", permanent=True),)),
        ("gave_up", "run 11111111 (attempt 1) failed for good: the same again would fail the same way", 1),
    ),
    "canceled by a person": (
        Record(runs=(run(1, "canceled"),)),
        ("gave_up", "run 11111111 (attempt 1) was canceled; materialize the day when it is wanted", 1),
    ),
    "succeeded and yet no report": (Record(runs=(run(1, "succeeded"),)), None),
    "succeeded with a failed report": (Record(runs=(run(1, "succeeded"),), report=report("failed", "x")), None),
    "the same three times": (
        Record(runs=tuple(run(n, "succeeded") for n in (3, 2, 1)), report=report("failed", "x", run_id=run(3, "succeeded").run_id)),
        ("gave_up", "run 33333333 (attempt 3) ended with daily_report failed: x, the last of 3 attempts", 3),
    ),
    "created by this tick before it was interrupted": (
        Record(runs=(run(2, "created"), run(1, "failed"))),
        ("requested", "attempt 2 of 3, after an interrupted tick", 2),
    ),
}


@pytest.mark.parametrize("case", WITHOUT_DATA)
def test_decisions_that_need_no_look_at_the_source(case):
    record, expected = WITHOUT_DATA[case]
    decision = decide_without_data(DUE, record, LIMIT)
    assert (decision and (decision.outcome, decision.reason, decision.attempts)) == expected


LATE = ("ads has no rows of 2026-11-20 for google_ads 1", "orders: no file")
WITH_DATA = {
    "complete": (DUE, Record(), (), ("requested", "attempt 1 of 3", 1)),
    "late": (DUE, Record(), LATE, ("waiting", "; ".join(LATE), 0)),
    "late at noon": (NOON, Record(), LATE[:1], ("requested", f"attempt 1 of 3; not waited for any longer: {LATE[0]}", 1)),
    "again after a failure": (
        DUE,
        Record(runs=(run(1, "failed"),)),
        (),
        ("requested", "attempt 2 of 3, because run 11111111 failed", 2),
    ),
    "again after a pause in the middle": (
        DUE,
        Record(runs=(run(1, "succeeded"),), report=report("paused", "paused by ann: x", run_id=run(1, "succeeded").run_id)),
        (),
        ("requested", "attempt 2 of 3, because run 11111111 ended with daily_report paused: paused by ann: x", 2),
    ),
    "again after a run that wrote nothing": (
        DUE,
        Record(runs=(run(1, "succeeded"),)),
        (),
        ("requested", "attempt 2 of 3, because run 11111111 ended without a daily_report", 2),
    ),
}


@pytest.mark.parametrize("case", WITH_DATA)
def test_request_or_wait(case):
    due, record, missing, expected = WITH_DATA[case]
    decision = decide_with_data(due, record, missing, LIMIT)
    assert (decision.outcome, decision.reason, decision.attempts) == expected
    assert (decision.advertiser_id, decision.date, decision.scheduled_for) == ("acme", DAY, due.tick)


def earlier(outcome, **fields):
    return replace(Morning("acme", DAY, outcome, "", 1, TICK), **fields)


@pytest.mark.parametrize(
    ("left", "is_followed_up"),
    [
        (earlier("requested"), True),
        (earlier("running"), True),
        (earlier("waiting"), True),
        (earlier("done"), False),
        (earlier("gave_up"), False),
        (earlier("paused"), False),
        (earlier("unregistered"), False),
        (earlier("running", date=DAY - timedelta(days=1)), False),
        (earlier("running", advertiser_id="other"), False),
    ],
)
def test_a_morning_left_open_is_followed_up_on_the_next_day(left, is_followed_up):
    due = open_morning(advertiser(), left, at("2026-11-22T00:30"))
    assert (due is not None) == is_followed_up
    assert due is None or (due.day, due.is_last_call) == (DAY, True)


def test_the_summary_names_everybody_or_the_first_few():
    waiting = [Morning(f"a{n}", DAY, "waiting", "orders: no file", 0, TICK) for n in range(3)]
    done = Morning("b", DAY, "done", "ok", 1, TICK)
    assert summary([done, *waiting], named=2) == [
        f"waiting: a0 {DAY} (orders: no file); a1 {DAY} (orders: no file); and 1 more",
        f"done: b {DAY} (ok)",
    ]
    assert "more" not in "".join(summary(waiting))
