"""A partition below Dagster: one advertiser on one of its local days, and when that day is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

EPISODE_DAYS = 55
"""The state of an episode on day D is a function of the feature rows of [D - 55, D] (DESIGN section 4)."""
LOOK_BACK_DAYS = 132
"""How far back the features of one day may read: windows of 120 days that end at the evaluated day, which zone and settle lag (72 h at most)
move up to 5 days before the partition's, and exchange rates up to 7 days older than the amounts they convert. Ingestion loads and transforms
read exactly this far, so that a day alone and in a chunk agree."""


class LocalDay(NamedTuple):
    """(advertiser, day): the unit of work everywhere below the assets. Sorts by advertiser, then day."""

    advertiser_id: str
    day: date

    @property
    def key(self) -> str:
        return f"{self.advertiser_id}|{self.day.isoformat()}"


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC.

    Where a clock change skips midnight (00:00 does not exist), this is the first instant that does: PEP 495 resolves 00:00 in
    the gap with the offset before the change, which is the same instant.
    """
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def end_of_local_day(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which the local day is over, in UTC."""
    return local_midnight(day + timedelta(days=1), zone)


def local_noon(day: date, zone: ZoneInfo) -> datetime:
    """12:00 of a local day, in UTC."""
    return datetime.combine(day, time(12), tzinfo=zone).astimezone(UTC)


def evaluation_instant(day: date, zone: ZoneInfo, run_time: time, settle_lag_hours: int) -> datetime:
    """When the morning run of a partition nominally happens, in UTC: the day after, at the advertiser's run time or when its day has settled,
    whichever is later. Mornings end at noon: a day that settles after it is not waited for.

    `settle_lag_hours` are elapsed hours after local midnight, so on a day of 23 or 25 hours the wall clock shows one more or one less.
    Everything that would ask "how late is it?" uses this instant and never the clock, so that a replay says the same.
    """
    morning = day + timedelta(days=1)
    run = datetime.combine(morning, run_time, tzinfo=zone).astimezone(UTC)
    settled = end_of_local_day(day, zone) + timedelta(hours=settle_lag_hours)
    return max(run, settled) if settled <= local_noon(morning, zone) else run


def by_advertiser(days: Iterable[LocalDay]) -> dict[str, list[date]]:
    """Days per advertiser, each list sorted."""
    grouped: dict[str, list[date]] = defaultdict(list)
    for item in sorted(days):
        grouped[item.advertiser_id].append(item.day)
    return dict(grouped)
