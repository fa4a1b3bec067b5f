"""Which advertiser is behind, since when and why. Pure: the registry, an instant and what the state store knows go in, one line each comes out.

Dagster's freshness policies look at the last materialization of an asset and never at partitions: one advertiser that is up to date would keep
all of them green.

A day is due at local noon of the day after, when mornings make their last call. A day on which the advertiser was paused at that moment, or
that was over before the advertiser was known, was never due; it may still be a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from marketing_agents.advertisers.registry import Advertiser, Registry
from marketing_agents.days import LocalDay, local_noon
from marketing_agents.operations.why_missing import why_missing
from marketing_agents.state.kill_switch import SwitchEntry
from marketing_agents.state.mornings import Morning
from marketing_agents.status import RecordedStatus

FreshnessState = Literal["behind", "paused", "new", "up to date"]
STATES: tuple[FreshnessState, ...] = ("behind", "paused", "new", "up to date")
GAP_DAYS = 14
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Progress:
    """What is on record about all advertisers, by id.

    `done`: days with a report, at least those of the last GAP_DAYS days that were due and the last one. `first_seen`: when an advertiser was
    added, as far as known. `switch`: the kill switch's entries, oldest first.
    """

    done: Mapping[str, frozenset[date]] = field(default_factory=dict)
    first_seen: Mapping[str, datetime] = field(default_factory=dict)
    switch: Mapping[str, Sequence[SwitchEntry]] = field(default_factory=dict)


@dataclass(frozen=True)
class AdvertiserFreshness:
    """One advertiser at one instant.

    `due`: the last day whose report was due. `missing`: the days since the last report that are due and not done, oldest first; `since`: the
    instant at which the first of them was due (UTC). `gaps`: other days without a report among the last GAP_DAYS. `underway`: the
    day of this morning, before noon, unless it is done. `why` and `morning` say what holds up `missing` and `underway`.
    """

    advertiser_id: str
    time_zone: str
    state: FreshnessState
    last_done: date | None
    due: date
    missing: tuple[date, ...] = ()
    since: datetime | None = None
    gaps: tuple[date, ...] = ()
    underway: date | None = None
    why: str = ""
    morning: str = ""

    @property
    def days_behind(self) -> int:
        return len(self.missing)


@dataclass(frozen=True)
class Freshness:
    """All advertisers at one instant, the most urgent first."""

    at: datetime
    advertisers: tuple[AdvertiserFreshness, ...]

    @property
    def worst_days(self) -> int:
        """Days that the worst one is behind; 0 when nobody is."""
        return max((a.days_behind for a in self.advertisers if a.state == "behind"), default=0)

    def count(self, state: FreshnessState) -> int:
        return sum(a.state == state for a in self.advertisers)


def due_at(day: date, zone: ZoneInfo) -> datetime:
    """When the report of a local day is due, in UTC."""
    return local_noon(day + _DAY, zone)


def last_due_day(now: datetime, zone: ZoneInfo) -> date:
    """The last local day whose report was due at `now`."""
    yesterday = now.astimezone(zone).date() - _DAY
    return yesterday if due_at(yesterday, zone) <= now else yesterday - _DAY


def measure(registry: Registry, now: datetime, progress: Progress) -> list[AdvertiserFreshness]:
    """Where everybody stands, in registry order; `why` is set for paused and new ones only."""
    return [_measure(advertiser, now, progress) for advertiser in registry.advertisers]


def days_to_explain(measured: Iterable[AdvertiserFreshness]) -> set[LocalDay]:
    """The days whose records `explain` wants: the first and the last missing one, and the one that is underway."""
    wanted: set[LocalDay] = set()
    for one in measured:
        missing = {one.missing[0], one.missing[-1]} if one.state == "behind" else set()
        wanted |= {LocalDay(one.advertiser_id, day) for day in missing | ({one.underway} if one.underway else set())}
    return wanted


def explain(
    measured: Iterable[AdvertiserFreshness],
    now: datetime,
    mornings: Mapping[LocalDay, Morning],
    steps: Mapping[LocalDay, Sequence[RecordedStatus]],
) -> Freshness:
    """The same with reasons, the most urgent first: behind (worst first), paused, new, up to date."""

    def reason(one: AdvertiserFreshness, day: date) -> str:
        where = LocalDay(one.advertiser_id, day)
        return why_missing(one.time_zone, mornings.get(where), steps.get(where, ()))

    told = []
    for one in measured:
        changed = one
        if one.state == "behind":
            first, last = one.missing[0], one.missing[-1]
            why = {first: reason(one, first), last: reason(one, last)}
            text = why[first] if len(set(why.values())) == 1 else f"{first}: {why[first]}; {last}: {why[last]}"
            changed = replace(changed, why=text)
        if one.underway:
            changed = replace(changed, morning=reason(one, one.underway) if _is_on_record(one, mornings, steps) else "not started")
        told.append(changed)
    return Freshness(now, tuple(sorted(told, key=lambda a: (STATES.index(a.state), -a.days_behind, a.advertiser_id))))


def _is_on_record(
    one: AdvertiserFreshness, mornings: Mapping[LocalDay, Morning], steps: Mapping[LocalDay, Sequence[RecordedStatus]]
) -> bool:
    where = LocalDay(one.advertiser_id, one.underway or one.due)
    return where in mornings or bool(steps.get(where))


def _measure(advertiser: Advertiser, now: datetime, progress: Progress) -> AdvertiserFreshness:
    zone, due = advertiser.zone, last_due_day(now, advertiser.zone)
    done = progress.done.get(advertiser.id, frozenset())
    entries = progress.switch.get(advertiser.id, ())
    first_seen = progress.first_seen.get(advertiser.id)
    last_done = max(done, default=None)
    first_due = _first_due_day(first_seen, zone) if first_seen else None
    starts = [day for day in (last_done + _DAY if last_done else None, first_due) if day is not None]
    # The morning of local yesterday is still going when that day is not due yet.
    yesterday = now.astimezone(zone).date() - _DAY
    why = _pause_reason(advertiser, entries, now)
    if why:
        return AdvertiserFreshness(advertiser.id, advertiser.time_zone, "paused", last_done, due, why=why)
    late = _days(max(starts), due) if starts else []
    missing = tuple(day for day in late if not _was_paused(entries, due_at(day, zone)))
    state: FreshnessState = "up to date"
    if missing:
        state = "behind"
    elif last_done is None or (first_due is not None and last_done < due < first_due):
        state = "new"
        why = (
            f"first report due {due_at(first_due, zone):%Y-%m-%d %H:%M} UTC"
            if first_due
            else "never seen by a schedule or the sensor: are they on?"
        )
    return AdvertiserFreshness(
        advertiser_id=advertiser.id,
        time_zone=advertiser.time_zone,
        state=state,
        last_done=last_done,
        due=due,
        missing=missing,
        since=due_at(missing[0], zone) if missing else None,
        gaps=tuple(d for d in _days(max(min(done), due - (GAP_DAYS - 1) * _DAY), due) if d not in done and d not in missing)
        if done
        else (),
        underway=yesterday if yesterday > due and yesterday not in done else None,
        why=why,
    )


def _first_due_day(first_seen: datetime, zone: ZoneInfo) -> date:
    """The first day whose report is due at or after `first_seen`."""
    day = first_seen.astimezone(zone).date() - _DAY
    return day if due_at(day, zone) >= first_seen else day + _DAY


def _pause_reason(advertiser: Advertiser, entries: Sequence[SwitchEntry], now: datetime) -> str:
    """Why nothing runs at `now`; empty when it does. As in a tick, an entry counts from when it is written, also for a `now` before that."""
    reasons = ["paused in the registry"] if advertiser.paused else []
    if entries and entries[-1].holds(now):
        reasons.append(entries[-1].reason)
    return "; ".join(reasons)


def _was_paused(entries: Sequence[SwitchEntry], at: datetime) -> bool:
    before = [entry for entry in entries if entry.at <= at]
    return bool(before) and before[-1].holds(at)


def _days(first: date, last: date) -> list[date]:
    return [first + n * _DAY for n in range((last - first).days + 1)]
