"""Local days: when they end, also where clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from marketing_agents.days import LocalDay, by_advertiser, end_of_local_day, evaluation_instant
from marketing_agents.partitions import local_days


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("Pacific/Kiritimati", date(2026, 11, 20), datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("Pacific/Auckland", date(2026, 11, 20), datetime(2026, 11, 20, 11, tzinfo=UTC)),
        ("Asia/Kolkata", date(2026, 11, 20), datetime(2026, 11, 20, 18, 30, tzinfo=UTC)),
        ("America/Los_Angeles", date(2026, 11, 20), datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("Europe/London", date(2026, 10, 25), datetime(2026, 10, 26, 0, tzinfo=UTC)),  # 25 hours long
        ("Asia/Beirut", date(2026, 3, 28), datetime(2026, 3, 28, 22, tzinfo=UTC)),  # 00:00 of the 29th does not exist
    ],
)
def test_a_local_day_ends_at_local_midnight(zone, day, end):
    assert end_of_local_day(day, ZoneInfo(zone)) == end


@pytest.mark.parametrize(
    ("zone", "day", "run_time", "settle_lag_hours", "morning"),
    [
        # settled before the run time: at the run time, the day after
        ("Asia/Kolkata", date(2026, 11, 20), time(6, 30), 3, datetime(2026, 11, 21, 1, tzinfo=UTC)),
        ("America/Los_Angeles", date(2026, 11, 20), time(9, 30), 8, datetime(2026, 11, 21, 17, 30, tzinfo=UTC)),
        # settled later in the morning: as soon as it is
        ("Asia/Kolkata", date(2026, 11, 20), time(6, 0), 8, datetime(2026, 11, 21, 2, 30, tzinfo=UTC)),
        ("Asia/Kolkata", date(2026, 11, 20), time(6, 0), 12, datetime(2026, 11, 21, 6, 30, tzinfo=UTC)),
        # settled after noon: not waited for
        ("Asia/Kolkata", date(2026, 11, 20), time(6, 0), 13, datetime(2026, 11, 21, 0, 30, tzinfo=UTC)),
        ("Asia/Kolkata", date(2026, 11, 20), time(6, 0), 48, datetime(2026, 11, 21, 0, 30, tzinfo=UTC)),
        # elapsed hours: a clock that is put back at night shows 07:00 eight hours after midnight, one put forward 09:00
        ("Europe/London", date(2026, 10, 24), time(6, 0), 8, datetime(2026, 10, 25, 7, tzinfo=UTC)),
        ("Europe/London", date(2026, 3, 28), time(6, 0), 8, datetime(2026, 3, 29, 8, tzinfo=UTC)),
        ("Europe/London", date(2026, 10, 24), time(6, 0), 13, datetime(2026, 10, 25, 12, tzinfo=UTC)),
        ("Europe/London", date(2026, 3, 28), time(6, 0), 12, datetime(2026, 3, 29, 5, tzinfo=UTC)),
        # 00:00 of the 29th does not exist: the day before ends at 01:00, which is 22:00 UTC
        ("Asia/Beirut", date(2026, 3, 28), time(6, 0), 8, datetime(2026, 3, 29, 6, tzinfo=UTC)),
    ],
)
def test_the_morning_run_is_the_day_after_at_the_run_time_or_when_the_day_has_settled(zone, day, run_time, settle_lag_hours, morning):
    assert evaluation_instant(day, ZoneInfo(zone), run_time, settle_lag_hours) == morning


def test_keys_of_both_chunk_shapes_become_sorted_days():
    keys = ["b|2026-11-02", "a|2026-11-02", "a|2026-11-01"]
    days = local_days(keys)
    assert days == [LocalDay("a", date(2026, 11, 1)), LocalDay("a", date(2026, 11, 2)), LocalDay("b", date(2026, 11, 2))]
    assert by_advertiser(days) == {"a": [date(2026, 11, 1), date(2026, 11, 2)], "b": [date(2026, 11, 2)]}


@pytest.mark.parametrize(
    ("keys", "message"), [([], "holds no partition"), (["acme"], "not of the form"), (["acme|tomorrow"], "Invalid isoformat")]
)
def test_keys_that_cannot_be_used_are_an_error(keys, message):
    with pytest.raises(ValueError, match=message):
        local_days(keys)
