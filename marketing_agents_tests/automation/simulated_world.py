"""The world around the schedules, by the minute: a source whose tables arrive, an executor that works on runs, people who pause and edit.

It knows Dagster's rules (a daemon makes up only for the last missed tick, finds the runs of an interrupted tick by run key, repeats runs whose
worker was lost) and nothing of our schedules. What should come of each advertiser's day is decided here, beforehand.
"""

from __future__ import annotations

import heapq
import itertools
import random
import uuid
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from marketing_agents.advertisers.registry import Registry, parse_registry
from marketing_agents.automation.run_tags import ADVERTISER_TAG, ATTEMPT_TAG, DATE_TAG, FAILURE_TAG
from marketing_agents.ingestion.source import AccountClock, Arrivals, ArrivedDay, SourceError
from marketing_agents.partitions import ADVERTISER
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus

ADS = "ad_performance_daily"
ONE_DAY = timedelta(days=1)
SCHEDULED_TIME, RUN_KEY = ".dagster/scheduled_execution_time", "dagster/run_key"
PLANS = {
    # what becomes of the runs of an advertiser's day -> how many of 1000 days
    "normal": 850,
    "slow": 30,
    "fails once": 40,
    "fails twice": 20,
    "fails for ever": 15,
    "fails for good": 15,
    "succeeds without a report": 10,
    "its worker is lost": 10,
    "is canceled": 10,
}


def at_local(day: date, clock: str, zone: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True)
class PlatformAccount:
    advertiser_id: str
    platform: str
    account_id: str
    zone: str
    lag: int | None  # hours; None = not listed, the advertiser's counts


@dataclass
class World:
    """One simulated period. `now` moves on; `due` events happen when it passes them."""

    instance: dg.DagsterInstance
    state: StateStore
    seed: int
    entries: dict[str, dict] = field(default_factory=dict)
    accounts: dict[str, list[PlatformAccount]] = field(default_factory=lambda: defaultdict(list))
    now: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    late: dict[tuple[str, str, date], datetime] = field(default_factory=dict)
    source_down: list[tuple[datetime, datetime]] = field(default_factory=list)
    plans: dict[tuple[str, date], str] = field(default_factory=dict)
    held: dict[str, datetime | None] = field(default_factory=dict)
    _events: list = field(default_factory=list)
    _numbers: itertools.count = field(default_factory=itertools.count)

    def __post_init__(self):
        self._registry = Registry(advertisers=())
        self.requested: dict[tuple[str, date], list[datetime]] = defaultdict(list)  # scheduled times
        self.ticks_of_requests: set[tuple[datetime, datetime]] = set()  # (when the tick was evaluated, its scheduled time)
        self.in_flight: dict[tuple[str, date], set[str]] = defaultdict(set)
        self.succeeded: dict[tuple[str, date], int] = defaultdict(int)
        self.attempts: dict[tuple[str, date], int] = defaultdict(int)
        self.created: dict[tuple[str, str], str | bool] = {}  # (scheduled time, run key) -> launched, or the id of a run that was not

    # ---- time
    def schedule(self, moment: datetime, action) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), action))

    def advance(self, moment: datetime) -> None:
        while self._events and self._events[0][0] <= moment:
            happens, _, action = heapq.heappop(self._events)
            self.now = happens
            action()
        self.now = max(self.now, moment)

    def chance(self, *names: object) -> random.Random:
        return random.Random(f"{self.seed} {names}")

    # ---- registry (what `RegistryFile.load` gives) and people
    def load(self) -> Registry:
        return self._registry

    def enter(self, entry: dict, accounts: list[PlatformAccount], registered_after: timedelta = timedelta(minutes=1)) -> None:
        self.entries[entry["id"]] = {"name": entry["id"], **entry}
        self.accounts[entry["id"]] = accounts
        self._edited()
        self.schedule(self.now + registered_after, lambda: self.instance.add_dynamic_partitions(ADVERTISER.name, [entry["id"]]))

    def edit(self, advertiser_id: str, **fields) -> None:
        self.entries[advertiser_id] |= fields
        self._edited()

    def leave(self, advertiser_id: str) -> None:
        del self.entries[advertiser_id]
        self._edited()
        self.schedule(self.now + timedelta(minutes=1), lambda: self.instance.delete_dynamic_partition(ADVERTISER.name, advertiser_id))

    def _edited(self) -> None:
        self._registry = parse_registry(self.entries.values(), source="simulation")

    # ---- the source (`SourceOpener.open` and `SourceAdapter.arrivals`)
    @contextmanager
    def open(self):
        yield self

    def arrives(self, account: PlatformAccount, day: date) -> datetime:
        """When the rows of an account's day are there: an hour or two after its end, unless it is late."""
        key = (account.advertiser_id, account.account_id, day)
        usual = at_local(day + ONE_DAY, "00:00", account.zone) + timedelta(minutes=self.chance("arrives", *key).randint(20, 100))
        return self.late.get(key, usual)

    def arrivals(self, contracts, advertiser_ids, start: date, end: date) -> Arrivals:
        if any(first <= self.now < last for first, last in self.source_down):
            raise SourceError("the warehouse does not answer")
        assert {c.name for c in contracts} == {ADS}
        accounts = [account for advertiser_id in advertiser_ids for account in self.accounts[advertiser_id]]
        window = [start + n * ONE_DAY for n in range((end - start).days + 1)]
        days = tuple(
            ArrivedDay(ADS, a.advertiser_id, a.platform, a.account_id, day, a.zone)
            for a in accounts
            for day in window
            if self.arrives(a, day) <= self.now
        )
        clocks = tuple(AccountClock(a.advertiser_id, a.platform, a.account_id, a.zone, a.lag) for a in accounts if a.lag is not None)
        return Arrivals(days, clocks, {})

    # ---- the daemon and the executor
    def plan(self, key: tuple[str, date]) -> str:
        if key not in self.plans:
            self.plans[key] = self.chance("plan", *key).choices(list(PLANS), list(PLANS.values()))[0]
        return self.plans[key]

    def submit(self, request: dg.RunRequest, scheduled: datetime, *, dies_before_launch: bool = False) -> None:
        """What the scheduler does with a request; with `dies_before_launch` it creates the run and is killed."""
        stamp = scheduled.astimezone(UTC).isoformat()
        launched = self.created.get((stamp, request.run_key))
        if launched is True:
            return
        if launched is not None:
            self.instance.delete_run(launched)  # launching it is all that is left to do; it starts below under another id
        key = (request.tags[ADVERTISER_TAG], date.fromisoformat(request.tags[DATE_TAG]))
        tags = {**request.tags, SCHEDULED_TIME: stamp, RUN_KEY: request.run_key}
        if dies_before_launch:
            self.created[stamp, request.run_key] = self._add_run(tags, dg.DagsterRunStatus.NOT_STARTED).run_id
            return
        self.created[stamp, request.run_key] = True
        assert not self.in_flight[key], f"{key}: requested while {self.in_flight[key]} is in flight"
        self.requested[key].append(scheduled)
        self.ticks_of_requests.add((self.now, scheduled))
        self.attempts[key] += 1
        assert int(request.tags[ATTEMPT_TAG]) == self.attempts[key], f"{key}: attempts are counted wrong"
        self._start(key, tags, self.plan(key), self.attempts[key])

    def _add_run(self, tags: dict[str, str], status: dg.DagsterRunStatus) -> dg.DagsterRun:
        return self.instance.add_run(dg.DagsterRun(job_name="daily_analysis", run_id=str(uuid.uuid4()), status=status, tags=tags))

    def _start(self, key, tags, plan: str, attempt: int) -> None:
        run = self._add_run(tags, dg.DagsterRunStatus.STARTED)
        self.in_flight[key].add(run.run_id)
        chance = self.chance("minutes", run.tags[RUN_KEY])
        minutes = 190 if plan == "slow" else chance.randint(2, 25)
        self.schedule(self.now + timedelta(minutes=minutes), lambda: self._end(key, run, plan, attempt))

    def _end(self, key, run: dg.DagsterRun, plan: str, attempt: int) -> None:
        self.in_flight[key].remove(run.run_id)
        fails = {"fails once": 1, "fails twice": 2, "fails for ever": 99, "fails for good": 99, "its worker is lost": 1}.get(plan, 0)
        if plan == "is canceled":
            self._event(run, dg.DagsterEventType.RUN_CANCELED)
        elif attempt <= fails:
            tags = {"fails for good": {FAILURE_TAG: "permanent"}, "its worker is lost": {"dagster/will_retry": "true"}}.get(plan, {})
            if tags:
                self.instance.add_run_tags(run.run_id, tags)
            self._event(run, dg.DagsterEventType.RUN_FAILURE)
            if plan == "its worker is lost":  # the daemon's run retries start it again under the same tags, 40 minutes later for once
                self.in_flight[key].add("retry")
                self.schedule(self.now + timedelta(minutes=40), lambda: self._retry(key, run))
        else:
            self._report(key, run, plan, attempt)
            self._event(run, dg.DagsterEventType.RUN_SUCCESS)

    def _retry(self, key, run: dg.DagsterRun) -> None:
        self.in_flight[key].remove("retry")
        self.instance.add_run_tags(run.run_id, {"dagster/auto_retry_run_id": "known"})
        self._start(key, dict(run.tags), "normal", 1)

    def _report(self, key, run: dg.DagsterRun, plan: str, attempt: int) -> None:
        if plan == "succeeds without a report" and attempt == 1:
            return
        advertiser_id, day = key
        if advertiser_id in self.held:
            outcome = PartitionStatus("daily_report", advertiser_id, day, "paused", "paused while it ran")
        else:
            self.succeeded[key] += 1
            outcome = PartitionStatus("daily_report", advertiser_id, day, "ok")
        self.state.record_status([outcome], run_id=run.run_id, at=self.now)

    def _event(self, run: dg.DagsterRun, kind: dg.DagsterEventType) -> None:
        self.instance.report_dagster_event(dg.DagsterEvent(event_type_value=kind.value, job_name=run.job_name), run.run_id)
