"""Reads what freshness is computed from: a handful of queries, however many advertisers there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from marketing_agents.advertisers.registry import Registry
from marketing_agents.days import LocalDay
from marketing_agents.operations.freshness import GAP_DAYS, Freshness, Progress, days_to_explain, explain, measure
from marketing_agents.operations.why_missing import LAST_STEP
from marketing_agents.state.kill_switch import KillSwitch, SwitchEntry
from marketing_agents.state.mornings import Mornings
from marketing_agents.state.onboardings import Onboardings
from marketing_agents.state.store import StateStore, in_utc
from marketing_agents.status import USABLE, PartitionStatus, RecordedStatus

_KEYS_PER_QUERY = 5000  # two bound values a key; SQLite allows 32,766


def read_freshness(registry: Registry, state: StateStore, now: datetime) -> Freshness:
    """Where every advertiser of the registry stands at `now`, with reasons."""
    measured = measure(registry, now, read_progress(state, registry.ids, now))
    wanted = days_to_explain(measured)
    return explain(measured, now, Mornings(state).of(wanted), read_steps(state, wanted))


def read_progress(state: StateStore, advertiser_ids: Sequence[str], now: datetime) -> Progress:
    """Days done, first sightings and switch entries of these advertisers."""
    # Two days more on either side than any zone can need.
    done = _done_days(state, advertiser_ids, now.date() - timedelta(days=GAP_DAYS + 4), now.date() + timedelta(days=2))
    without = [advertiser_id for advertiser_id in advertiser_ids if advertiser_id not in done]
    if without:
        done.update({a: {day} for a, day in _last_done(state, without).items()})
    entries: dict[str, list[SwitchEntry]] = defaultdict(list)
    for entry in KillSwitch(state).history(advertiser_ids):
        entries[entry.advertiser_id].append(entry)
    unseen = [advertiser_id for advertiser_id in advertiser_ids if advertiser_id not in done]
    return Progress({a: frozenset(days) for a, days in done.items()}, _first_seen(state, unseen), entries)


def read_steps(state: StateStore, days: Iterable[LocalDay]) -> dict[LocalDay, list[RecordedStatus]]:
    """Outcomes of every step on record for these days."""
    import sqlalchemy as sa

    from marketing_agents.state.schema import PARTITION_STATUS as T

    wanted = sorted(set(days))
    found: dict[LocalDay, list[RecordedStatus]] = defaultdict(list)
    with state.engine().connect() as connection:
        for start in range(0, len(wanted), _KEYS_PER_QUERY):
            keys = [tuple(day) for day in wanted[start : start + _KEYS_PER_QUERY]]
            for row in connection.execute(sa.select(T).where(sa.tuple_(T.c.advertiser_id, T.c.date).in_(keys))):
                outcome = PartitionStatus(row.step, row.advertiser_id, row.date, row.status, row.reason)
                found[LocalDay(row.advertiser_id, row.date)].append(RecordedStatus(outcome, row.run_id, in_utc(row.updated_at)))
    return dict(found)


def _done_days(state: StateStore, advertiser_ids: Sequence[str], start: date, end: date) -> dict[str, set[date]]:
    import sqlalchemy as sa

    from marketing_agents.state.schema import PARTITION_STATUS as T

    query = sa.select(T.c.advertiser_id, T.c.date).where(*_is_done(advertiser_ids), T.c.date.between(start, end))
    found: dict[str, set[date]] = defaultdict(set)
    for row in _rows(state, query):
        found[row.advertiser_id].add(row.date)
    return dict(found)


def _last_done(state: StateStore, advertiser_ids: Sequence[str]) -> dict[str, date]:
    import sqlalchemy as sa

    from marketing_agents.state.schema import PARTITION_STATUS as T

    query = sa.select(T.c.advertiser_id, sa.func.max(T.c.date).label("last")).where(*_is_done(advertiser_ids)).group_by(T.c.advertiser_id)
    return {row.advertiser_id: row.last for row in _rows(state, query)}


def _first_seen(state: StateStore, never_done: Sequence[str]) -> Mapping[str, datetime]:
    """When advertisers were added: their onboarding, else the first trace of those that have no report yet.

    An onboarding that found nothing to request for an advertiser with reports came late: it says nothing about when it was added.
    """
    import sqlalchemy as sa

    from marketing_agents.state.schema import MORNINGS, PARTITION_STATUS

    onboardings = Onboardings(state).read().values()
    seen = {o.advertiser_id: o.recorded_at for o in onboardings if o.recorded_at and (o.first_date or o.advertiser_id in never_done)}
    wanted = [advertiser_id for advertiser_id in never_done if advertiser_id not in seen]
    if not wanted:
        return seen
    traces: list[tuple[str, datetime]] = []
    for table, column in ((MORNINGS, MORNINGS.c.scheduled_for), (PARTITION_STATUS, PARTITION_STATUS.c.updated_at)):
        owner = table.c.advertiser_id
        query = sa.select(owner, sa.func.min(column).label("first")).where(owner.in_(wanted)).group_by(owner)
        traces += [(row.advertiser_id, in_utc(row.first)) for row in _rows(state, query)]
    for advertiser_id, moment in sorted(traces, key=lambda trace: trace[1]):
        seen.setdefault(advertiser_id, moment)
    return seen


def _is_done(advertiser_ids: Sequence[str]) -> tuple[Any, ...]:
    from marketing_agents.state.schema import PARTITION_STATUS as T

    return T.c.step == LAST_STEP, T.c.status.in_(sorted(USABLE)), T.c.advertiser_id.in_(sorted(advertiser_ids))


def _rows(state: StateStore, query: Any) -> list[Any]:
    with state.engine().connect() as connection:
        return list(connection.execute(query))
