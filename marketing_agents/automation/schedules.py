"""Morning schedules: one per time zone of the registry, and one for zones that appear later.

Ticks come every half hour up to noon; each reads the registry anew, so an edited run time, a pause or a new advertiser counts from the next
tick. What a tick decides is in `operations/morning.py`; here it is fed from Dagster's runs, the state store and the source, all with the
scheduled time and never the clock: a late tick asks for the right day.

When does Dagster see a new zone? (1.13.27, read in its source.) A `dagster-daemon` that starts the code server itself (a module in
workspace.yaml) reloads definitions every 60 s. `dg dev` and deployments with a code server of their own load them once and again only when
somebody asks to (Reload in the UI). So that nothing waits for that, `daily_analysis__other_zones` serves every zone that had no schedule when
definitions were loaded; after a reload the zone has its own and the catch-all leaves it alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg

from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.automation.morning_runs import requested_runs
from marketing_agents.automation.run_tags import (
    ADVERTISER_TAG,
    ATTEMPT_TAG,
    DATE_TAG,
    MORNING_PRIORITY,
    PRIORITY_TAG,
    TRIGGER_TAG,
)
from marketing_agents.days import LocalDay
from marketing_agents.operations.arrival import WINDOW_DAYS, Arrived
from marketing_agents.operations.morning import (
    LAST_STEP,
    DueMorning,
    Record,
    decide_with_data,
    decide_without_data,
    due_morning,
    open_morning,
    summary,
)
from marketing_agents.partitions import ADVERTISER, partition_key
from marketing_agents.resources.platform import RegistryFile
from marketing_agents.settings import Settings
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.mornings import Morning, Mornings
from marketing_agents.state.store import StateStore
from marketing_agents.warehouse.catalog import INPUT_TABLES

if TYPE_CHECKING:
    from marketing_agents.advertisers.registry import Advertiser
    from marketing_agents.ingestion.source import SourceAdapter

OTHER_ZONES = "daily_analysis__other_zones"
TICKS = "0,30 0-12 * * *"
TICK_MINUTES = (0, 30)
_NAMED_IN_SKIP = 20


class OpensSource(Protocol):
    """The resource `source`."""

    def open(self) -> AbstractContextManager[SourceAdapter]: ...


def zone_slug(time_zone: str) -> str:
    """`Pacific/Auckland` -> `pacific_auckland`, `Etc/GMT+5` -> `etc_gmt_plus_5`: a name Dagster accepts, one per zone."""
    spelt = re.sub(r"(?<=\w)-(?=\d)", "_minus_", time_zone.lower()).replace("+", "_plus_")
    return re.sub(r"[^a-z0-9]+", "_", spelt).strip("_")


def build_schedules(
    zones: Collection[str], job: Any, *, registry: RegistryFile, source: OpensSource, state: StateStore, settings: Settings
) -> list[dg.ScheduleDefinition]:
    """One schedule per zone, and the one for all other zones. Nothing is opened before the first tick."""
    tick = _Tick(registry, source, state, settings)
    default = dg.DefaultScheduleStatus.RUNNING if settings.schedules == "running" else dg.DefaultScheduleStatus.STOPPED
    return [*(_zone_schedule(zone, job, tick, default) for zone in sorted(zones)), _other_zones(frozenset(zones), job, tick, default)]


def _zone_schedule(time_zone: str, job: Any, tick: _Tick, default: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"daily_analysis__{zone_slug(time_zone)}",
        job=job,
        cron_schedule=TICKS,
        execution_timezone=time_zone,
        default_status=default,
        description=(
            f"Mornings in {time_zone}: yesterday's partition of each advertiser, once, from its run time on when its tables have arrived, "
            "at noon in any case. A skipped tick says who waits for what."
        ),
        owners=OWNERS,
    )
    def daily_analysis(context: dg.ScheduleEvaluationContext) -> dg.SkipReason | list[dg.RunRequest]:
        return tick.evaluate(context, lambda advertiser, _moment: advertiser.time_zone == time_zone)

    return daily_analysis


def _other_zones(known: frozenset[str], job: Any, tick: _Tick, default: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    def serves(advertiser: Advertiser, moment: datetime) -> bool:
        # Every quarter of an hour in UTC is a full or half hour somewhere (Kathmandu is 5:45 ahead); each zone keeps its own half hours.
        return advertiser.time_zone not in known and moment.astimezone(advertiser.zone).minute in TICK_MINUTES

    @dg.schedule(
        name=OTHER_ZONES,
        job=job,
        cron_schedule="*/15 * * * *",
        execution_timezone="UTC",
        default_status=default,
        description="Mornings of advertisers whose time zone entered the registry after definitions were loaded; skips when there are none.",
        owners=OWNERS,
    )
    def daily_analysis(context: dg.ScheduleEvaluationContext) -> dg.SkipReason | list[dg.RunRequest]:
        return tick.evaluate(context, serves)

    return daily_analysis


class _Tick:
    """What every tick reads and writes besides Dagster's instance."""

    def __init__(self, registry: RegistryFile, source: OpensSource, state: StateStore, settings: Settings) -> None:
        self._registry = registry
        self._source = source
        self._state = state
        self._settings = settings

    def evaluate(
        self, context: dg.ScheduleEvaluationContext, serves: Callable[[Advertiser, datetime], bool]
    ) -> dg.SkipReason | list[dg.RunRequest]:
        """Decide every due morning of the advertisers that this schedule serves, record the decisions, request what is to be requested.

        Raises:
            RegistryError: the registry file is broken; the tick fails and shows it, because nobody can be served.
            StateError: the state store cannot be opened.
        """
        moment = context.scheduled_execution_time.astimezone(UTC)
        advertisers = [a for a in self._registry.load().advertisers if serves(a, moment)]
        due = self._due(advertisers, moment) if advertisers else []
        if not due:
            return dg.SkipReason("no morning to decide: before the advertisers' run times, after noon, or all done")
        decided = self._decide(context, due)
        Mornings(self._state).record(decided)
        for line in summary(decided):
            context.log.info(line)
        requests = [_request(m) for m in decided if m.outcome == "requested"]
        return requests or dg.SkipReason("\n".join(summary(decided, named=_NAMED_IN_SKIP)))

    def _due(self, advertisers: Sequence[Advertiser], moment: datetime) -> list[DueMorning]:
        """Mornings whose window is open, and those of the day before that were left open; without those that are done on record."""
        yesterday = {a.id: moment.astimezone(a.zone).date() - timedelta(days=1) for a in advertisers}
        start, end = min(yesterday.values()) - timedelta(days=1), max(yesterday.values())
        earlier = {LocalDay(m.advertiser_id, m.date): m for m in Mornings(self._state).read(advertiser_ids=yesterday, start=start, end=end)}
        due = []
        for advertiser in advertisers:
            day = yesterday[advertiser.id]
            left = earlier.get(LocalDay(advertiser.id, day - timedelta(days=1)))
            due += [open_morning(advertiser, left, moment) if left else None, due_morning(advertiser, moment)]
        return [m for m in due if m is not None and not (m.local_day in earlier and earlier[m.local_day].outcome == "done")]

    def _decide(self, context: dg.ScheduleEvaluationContext, due: Sequence[DueMorning]) -> list[Morning]:
        records = self._records(context.instance, due)
        limit = self._settings.morning_attempts
        decided = {m.local_day: decide_without_data(m, records[m.local_day], limit) for m in due}
        waiting = [m for m in due if decided[m.local_day] is None]
        missing = self._missing(context, waiting)
        for morning in waiting:
            day = morning.local_day
            decided[day] = decide_with_data(morning, records[day], missing[day], limit)
        return [m for m in decided.values() if m is not None]

    def _records(self, instance: dg.DagsterInstance, due: Sequence[DueMorning]) -> dict[LocalDay, Record]:
        """What is on record about these mornings: one query each of runs, outcomes, pauses and partitions, however many advertisers."""
        days = sorted({m.day for m in due})
        ids = {m.advertiser.id for m in due}
        runs = requested_runs(instance, {m.local_day for m in due}, due[0].tick)
        reports = {
            LocalDay(r.outcome.advertiser_id, r.outcome.date): r
            for r in self._state.recorded(LAST_STEP, advertiser_ids=ids, start=days[0], end=days[-1])
        }
        switched_off = KillSwitch(self._state).paused(due[0].tick, ids)
        registered = set(instance.get_dynamic_partitions(ADVERTISER.name or ""))

        def record(morning: DueMorning) -> Record:
            entry = switched_off.get(morning.advertiser.id)
            return Record(
                obstacle=self._obstacle(morning, registered),
                paused="paused in the registry" if morning.advertiser.paused else entry.reason if entry else "",
                runs=tuple(runs.get(morning.local_day, ())),
                report=reports.get(morning.local_day),
            )

        return {m.local_day: record(m) for m in due}

    def _obstacle(self, morning: DueMorning, registered: Collection[str]) -> str:
        # One key that Dagster does not know fails the whole tick for every advertiser of the zone.
        if morning.advertiser.id not in registered:
            return "no partition yet; the sensor advertiser_registry adds it"
        if morning.day < self._settings.start_date:
            return f"before the first partition, {self._settings.start_date} (MARKETING_AGENTS_START_DATE)"
        return ""

    def _missing(self, context: dg.ScheduleEvaluationContext, due: Sequence[DueMorning]) -> dict[LocalDay, tuple[str, ...]]:
        """What has not arrived for these mornings. One question to the source for all of them."""
        asking = [m for m in due if m.advertiser.required_tables]
        nothing: dict[LocalDay, tuple[str, ...]] = {m.local_day: () for m in due}
        if not asking:
            return nothing
        tables = sorted({table for m in asking for table in m.advertiser.required_tables})
        start = min(m.day for m in asking) - timedelta(days=WINDOW_DAYS)
        end = max(m.day for m in asking)
        try:
            with self._source.open() as adapter:
                answer = adapter.arrivals([INPUT_TABLES[t] for t in tables], {m.advertiser.id for m in asking}, start, end)
        except Exception as error:
            # An adapter fails in the ways of its library, and noon must come whatever it raises. A bug of ours is not hidden: the tick and the
            # morning's record name it, the log has its traceback, and the run that starts at noon meets it and fails.
            context.log.warning("the source cannot be asked", exc_info=True)
            reason = f"the source cannot be asked: {type(error).__name__}: {str(error)[:500]}"
            return nothing | {m.local_day: (reason,) for m in asking}
        arrived = Arrived(answer)
        return nothing | {m.local_day: arrived.missing(m.advertiser, m.day, m.opened) for m in asking}


def _request(morning: Morning) -> dg.RunRequest:
    day = morning.date.isoformat()
    return dg.RunRequest(
        run_key=f"{morning.advertiser_id}|{day}|{morning.attempts}",
        partition_key=partition_key(morning.advertiser_id, morning.date),
        tags={
            ADVERTISER_TAG: morning.advertiser_id,
            DATE_TAG: day,
            ATTEMPT_TAG: str(morning.attempts),
            TRIGGER_TAG: "schedule",
            PRIORITY_TAG: MORNING_PRIORITY,
        },
    )
