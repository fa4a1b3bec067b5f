"""What a backfill has to do: the asked rectangle of advertisers and days, minus what cannot or need not be computed. Pure; the clock comes in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.days import LocalDay, end_of_local_day

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class LeftOut:
    """Days `first` to `last` (both included) of one advertiser that are not computed, and why."""

    advertiser_id: str
    first: date
    last: date
    reason: str

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        span = f"{self.first}" if self.count == 1 else f"{self.first} to {self.last} ({self.count} days)"
        return f"{self.advertiser_id}: {span}: {self.reason}"


@dataclass(frozen=True)
class BackfillPlan:
    """`wanted` is sorted; `finished` counts the days that are left out because they have a result already."""

    wanted: tuple[LocalDay, ...]
    left_out: tuple[LeftOut, ...]
    finished: int = 0


def plan_backfill(
    advertisers: Sequence[Advertiser],
    first: date,
    last: date,
    *,
    now: datetime,
    paused: Mapping[str, str],
    finished: Collection[LocalDay] = (),
) -> BackfillPlan:
    """Days `first` to `last` of the advertisers, without those of paused advertisers (`paused`: reason by id), those that are not over yet
    in the advertiser's zone at `now`, and `finished` ones.

    Days in the future are never enumerated, so that `--to 9999-12-31` means "up to now".
    """
    done = frozenset(finished)
    wanted: list[LocalDay] = []
    left_out: list[LeftOut] = []
    count_finished = 0
    for advertiser in advertisers:
        reason = "paused in the registry" if advertiser.paused else paused.get(advertiser.id)
        if reason is not None:
            left_out.append(LeftOut(advertiser.id, first, last, reason))
            continue
        over = min(last, last_day_over(advertiser, now))
        days = [LocalDay(advertiser.id, first + n * _DAY) for n in range((over - first).days + 1)]
        wanted += [day for day in days if day not in done]
        count_finished += sum(day in done for day in days)
        if over < last:
            left_out.append(LeftOut(advertiser.id, max(first, over + _DAY), last, f"not over yet in {advertiser.time_zone}"))
    return BackfillPlan(tuple(sorted(wanted)), tuple(left_out), count_finished)


def last_day_over(advertiser: Advertiser, now: datetime) -> date:
    """The advertiser's last local day that is over at `now`."""
    day = now.astimezone(advertiser.zone).date()
    return day if end_of_local_day(day, advertiser.zone) <= now.astimezone(UTC) else day - _DAY


def spans(days: Sequence[LocalDay]) -> list[tuple[str, date, date]]:
    """(advertiser, first, last) of every unbroken stretch of days, for messages."""
    found: list[tuple[str, date, date]] = []
    for advertiser_id, group in groupby(sorted(days), key=lambda d: d.advertiser_id):
        for _, day in group:
            if found and found[-1][0] == advertiser_id and found[-1][2] + _DAY == day:
                found[-1] = (advertiser_id, found[-1][1], day)
            else:
                found.append((advertiser_id, day, day))
    return found
