"""A simulated month through the real schedules: 50 advertisers in 20 zones, both clock changes, and everything that goes wrong.

Every advertiser's day ran exactly once or has its reason on record; nothing is requested before its tables are there, except at noon; never two
runs of a day at once; a failing morning ends.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from marketing_agents.automation.run_tags import ADVERTISER_TAG, DATE_TAG
from marketing_agents.automation.schedules import OTHER_ZONES, build_schedules
from marketing_agents.partitions import ADVERTISER_DATE
from marketing_agents.settings import load_settings
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.mornings import Mornings
from marketing_agents.state.store import StateStore
from marketing_agents_tests.automation.living_context import LivingContext
from marketing_agents_tests.automation.simulated_world import ONE_DAY, PLANS, PlatformAccount, World, at_local

ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/Los_Angeles",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "UTC",
)
LATER_ZONE = "America/Sao_Paulo"
RUN_TIMES = ("06:00", "06:00", "06:00", "00:00", "02:30", "05:45", "07:15", "09:00", "12:00")
LAGS = (3, 3, 3, 0, 8, 48)
ATTEMPTS = 3
LAST_CALLS = (time(12, 0), time(12, 30))
PERIODS = {"spring": (date(2026, 3, 26), date(2026, 4, 8)), "autumn": (date(2026, 10, 22), date(2026, 11, 4))}


@dg.asset(partitions_def=ADVERTISER_DATE)
def anything() -> None: ...


JOB = dg.define_asset_job("daily_analysis", selection=[anything], partitions_def=ADVERTISER_DATE)


def cron_ticks(schedule, start: datetime, end: datetime):
    """The schedule's ticks as Dagster computes them: partitions made of the same cron and zone begin where its ticks are."""
    zone = ZoneInfo(schedule.execution_timezone)
    text = "%Y-%m-%dT%H:%M:%S%z"
    windows = dg.TimeWindowPartitionsDefinition(
        start=start.astimezone(zone).strftime(text), fmt=text, cron_schedule=schedule.cron_schedule, timezone=schedule.execution_timezone
    )
    return [datetime.strptime(key, text).astimezone(UTC) for key in windows.get_partition_keys(current_time=end)]


@dataclass
class Simulation:
    """A world, the schedules, and what they did. Days `first` to `last` are judged."""

    world: World
    schedules: dict[str, dg.ScheduleDefinition]
    first: date
    last: date
    down: tuple[datetime, datetime]
    crashes: list[tuple[datetime, bool]]
    waited: dict[tuple[str, date], set[str]] = field(default_factory=lambda: defaultdict(set))
    present: dict[tuple[str, date], int] = field(default_factory=Counter)

    def run(self):
        ticks = []
        for name, schedule in self.schedules.items():
            for moment in cron_ticks(schedule, at_local(self.first, "00:00", "UTC"), at_local(self.last + 2 * ONE_DAY, "14:00", "UTC")):
                heapq.heappush(ticks, (moment, name))
        missed: dict[str, datetime] = {}
        while ticks:
            moment, name = heapq.heappop(ticks)
            if self.down[0] <= moment < self.down[1]:
                missed[name] = moment
                continue
            if missed and moment >= self.down[1]:
                for late_name, late_moment in sorted(missed.items()):
                    self._tick(late_name, late_moment, self.down[1])
                missed.clear()
            self._tick(name, moment, moment)
        self.world.advance(self.world.now + ONE_DAY)

    def _tick(self, name: str, scheduled: datetime, now: datetime):
        self.world.advance(now)
        self._note_who_is_there(scheduled, name)
        result = self.schedules[name](LivingContext(self.world.instance, scheduled))
        if not isinstance(result, list):
            return
        is_back_soon = self.crashes.pop(0)[1] if self.crashes and self.crashes[0][0] <= scheduled else None
        for request in result:
            self._check(request, scheduled)
            self.world.submit(request, scheduled, dies_before_launch=is_back_soon is not None)
        if is_back_soon:  # a minute later the daemon evaluates the same tick again
            self._tick(name, scheduled, now + timedelta(minutes=1))

    def _note_who_is_there(self, scheduled: datetime, name: str):
        """An advertiser that is in the registry at a last call (the one after noon stands in for noon): its day is judged."""
        zone = self.schedules[name].execution_timezone
        if name != OTHER_ZONES and scheduled.astimezone(ZoneInfo(zone)).time() not in LAST_CALLS:
            return
        for advertiser in self.world.load().advertisers:
            local = scheduled.astimezone(advertiser.zone)
            if (advertiser.time_zone == zone or name == OTHER_ZONES) and local.time() in LAST_CALLS:
                self.present[advertiser.id, local.date() - ONE_DAY] += 1

    def _check(self, request: dg.RunRequest, scheduled: datetime):
        """No request before the tables are there except at noon, none for a held or unknown advertiser, none for a day that is not over."""
        world = self.world
        advertiser = world.load().require(request.tags[ADVERTISER_TAG])
        day = date.fromisoformat(request.tags[DATE_TAG])
        assert advertiser.id not in world.held
        assert not advertiser.paused
        noon = at_local(day + ONE_DAY, "12:00", advertiser.time_zone)
        midnight = at_local(day + ONE_DAY, "00:00", advertiser.time_zone)
        settled = midnight + timedelta(hours=advertiser.settle_lag_hours)
        opens = at_local(day + ONE_DAY, f"{advertiser.run_time_local:%H:%M}", advertiser.time_zone)
        opens = max(opens, settled) if settled <= noon else opens
        assert scheduled >= opens, f"{advertiser.id} {day}: requested at {scheduled}, before its morning"
        assert scheduled < noon or scheduled - noon < timedelta(hours=14)
        if scheduled >= noon:
            return
        assert not any(first <= world.now < last for first, last in world.source_down)
        for account in world.accounts[advertiser.id]:
            lag = advertiser.settle_lag_hours if account.lag is None else account.lag
            needed = min(day, (opens - timedelta(hours=lag)).astimezone(ZoneInfo(account.zone)).date() - ONE_DAY)
            assert world.arrives(account, needed) <= world.now, f"{advertiser.id} {day}: requested before {account} {needed} was there"


def simulate(period: str, folder) -> Simulation:
    """Build the world of a period with all its troubles, and let it run."""
    first, last = PERIODS[period]
    world = World(dg.DagsterInstance.ephemeral(), StateStore(f"sqlite:///{folder / 'state.db'}"), seed=len(period))
    world.advance(at_local(first, "00:00", "UTC") - ONE_DAY)
    for n in range(48):
        enter(world, f"adv-{n:02}", ZONES[n % len(ZONES)], n)
    world.advance(at_local(first, "00:00", "UTC") - timedelta(hours=1))
    settings = load_settings(data_dir=folder, morning_attempts=ATTEMPTS)
    schedules = {s.name: s for s in build_schedules(ZONES, JOB, registry=world, source=world, state=world.state, settings=settings)}
    middle = first + 6 * ONE_DAY
    trouble_with_data(world, first, middle)
    trouble_with_people(world, first, middle)
    simulation = Simulation(
        world,
        schedules,
        first,
        last,
        down=(at_local(middle + 2 * ONE_DAY, "09:10", "UTC"), at_local(middle + 2 * ONE_DAY, "13:10", "UTC")),
        # The daemon is killed between creating and launching runs, in the next tick that requests; is it back before the tick after that?
        crashes=[(at_local(middle + 3 * ONE_DAY, "05:00", "UTC") + timedelta(hours=2 * n), n % 2 == 0) for n in range(6)],
    )
    simulation.run()
    return simulation


def enter(world: World, advertiser_id: str, zone: str, n: int, **options):
    """An advertiser with a Google account in its own zone and, every third one, a Meta account in UTC."""
    entry = {
        "id": advertiser_id,
        "time_zone": zone,
        "run_time_local": RUN_TIMES[n % len(RUN_TIMES)],
        "settle_lag_hours": LAGS[n % len(LAGS)],
    }
    accounts = [PlatformAccount(advertiser_id, "google_ads", f"{n}1", zone, None)]
    if n % 3 == 0:
        accounts.append(PlatformAccount(advertiser_id, "meta_ads", f"{n}2", "UTC", 6))
    world.enter(entry, accounts, **options)


def trouble_with_data(world: World, first: date, middle: date):
    """Late tables, a platform that is out for two days, a source that does not answer for a morning."""
    for accounts in list(world.accounts.values()):
        for account in accounts:
            for n in range(-1, 20):
                day = first + n * ONE_DAY
                key = (account.advertiser_id, account.account_id, day)
                if account.platform == "meta_ads" and middle - ONE_DAY <= day <= middle:
                    world.late[key] = at_local(middle + 4 * ONE_DAY, "00:00", "UTC")
                elif (account.platform != "meta_ads" or abs((day - middle).days) > 4) and world.chance("late", *key).random() < 0.06:
                    # not around the outage: who has no rows for three days running is taken for closed
                    world.late[key] = at_local(day + ONE_DAY, world.chance("hour", *key).choice(["08:40", "11:20", "14:00"]), account.zone)
    down = middle + 5 * ONE_DAY
    world.source_down.append((at_local(down, "04:00", "UTC"), at_local(down, "11:15", "UTC")))


def trouble_with_people(world: World, first: date, middle: date):
    """Pauses of every kind, new and removed advertisers, an edited run time and zone."""
    switch = KillSwitch(world.state)

    def pause(advertiser_id, until=None):
        switch.pause(advertiser_id, who="ann", why="budget is gone", until=until, at=world.now)
        world.held[advertiser_id] = until

    def resume(advertiser_id):
        world.held.pop(advertiser_id)
        if advertiser_id in switch.paused(world.now):
            switch.resume(advertiser_id, who="ann", why="budget is back", at=world.now)

    zone = {n: ZONES[n % len(ZONES)] for n in range(48)}
    for n, begins, ends in (
        (1, "05:00", "05:00"),
        (4, "06:10", "09:40"),
        (9, "06:05", "20:00"),
        (13, "06:01", "06:20"),
        (20, "11:00", "13:10"),
    ):
        start, end = at_local(middle, begins, zone[n]), at_local(middle + (2 if begins == ends else 0) * ONE_DAY, ends, zone[n])
        world.schedule(start, lambda a=f"adv-{n:02}": pause(a))
        world.schedule(end, lambda a=f"adv-{n:02}": resume(a))
    until = at_local(middle, "10:00", zone[25])
    world.schedule(at_local(middle, "03:00", zone[25]), lambda: pause("adv-25", until))
    world.schedule(until, lambda: resume("adv-25"))
    world.schedule(at_local(middle, "03:00", zone[30]), lambda: world.edit("adv-30", paused=True))
    world.schedule(at_local(middle + 3 * ONE_DAY, "08:00", zone[30]), lambda: world.edit("adv-30", paused=False))

    world.schedule(at_local(middle, "15:00", zone[2]), lambda: world.leave("adv-02"))
    world.schedule(at_local(middle, "08:10", zone[6]), lambda: world.leave("adv-06"))
    world.schedule(at_local(first + 2 * ONE_DAY, "15:00", "UTC"), lambda: enter(world, "adv-48", "Europe/London", 48))
    world.schedule(at_local(first + 2 * ONE_DAY, "16:00", "UTC"), lambda: enter(world, "adv-49", LATER_ZONE, 49))
    world.schedule(
        at_local(middle, "05:10", "Asia/Tokyo"),
        lambda: enter(world, "adv-50", "Asia/Tokyo", 51, registered_after=timedelta(hours=3, minutes=5)),
    )
    world.schedule(at_local(middle, "07:00", zone[41]), lambda: world.edit("adv-41", run_time_local="10:30"))
    world.schedule(at_local(middle, "15:00", zone[44]), lambda: world.edit("adv-44", time_zone="Asia/Kathmandu"))


@pytest.fixture(scope="module")
def simulations(tmp_path_factory):
    """Every period is lived once: a parametrized fixture would be made anew each time pytest goes from one period's tests to the other's."""
    made = {}

    def of(name):
        if name not in made:
            made[name] = simulate(name, tmp_path_factory.mktemp(name))
        return made[name]

    yield of
    for simulation in made.values():
        simulation.world.instance.dispose()


@pytest.fixture(params=PERIODS)
def month(request, simulations):
    return simulations(request.param)


def on_record(month):
    return {(m.advertiser_id, m.date): m for m in Mornings(month.world.state).read()}


def judged(month):
    """Advertiser-days whose morning had its last call."""
    return sorted(key for key in month.present if month.first - ONE_DAY <= key[1] <= month.last)


def test_every_day_ran_exactly_once_or_has_its_reason_on_record(month):
    record = on_record(month)
    wrong = {}
    for key in judged(month):
        morning = record.get(key)
        ran = month.world.succeeded[key]
        ended = morning is not None and bool(morning.reason) and (morning.outcome == "done") == (ran == 1)
        if not ended or ran > 1 or morning.outcome not in {"done", "gave_up", "paused"}:
            wrong[key] = (ran, morning)
    assert not wrong
    assert len(judged(month)) > 47 * 13
    assert len({a for a, _ in judged(month)}) == 51
    assert sum(month.world.succeeded.values()) > 0.9 * len(judged(month))


def test_nothing_ran_that_is_not_judged(month):
    """Requests of advertisers that left in the morning aside, every run belongs to a morning with its last call."""
    others = {key for key in month.world.attempts if key not in month.present and key[1] <= month.last}
    assert {a for a, _ in others} <= {"adv-06"}


def test_a_day_that_goes_well_takes_one_run_and_a_failing_one_no_more_than_the_limit(month):
    world, expected = month.world, {"fails twice": 3, "fails once": 2, "succeeds without a report": 2, "fails for ever": ATTEMPTS}
    paused = {key for key, morning in on_record(month).items() if morning.outcome == "paused"}
    interrupted = {f"adv-{n:02}" for n in (4, 9, 13, 20, 25)}  # a pause in the middle of a run costs one more
    for key in judged(month):
        if key not in paused and key[0] not in interrupted:
            assert world.attempts[key] == expected.get(world.plan(key), 1), (key, world.plan(key))
    assert max(world.attempts.values()) == ATTEMPTS


def test_who_gave_up_did_so_for_a_reason(month):
    record = on_record(month)
    gave_up = Counter(month.world.plan(key) for key in judged(month) if record[key].outcome == "gave_up")
    assert set(gave_up) == {"fails for ever", "fails for good", "is canceled"}


def test_who_is_paused_says_who_and_why(month):
    record = on_record(month)
    reasons = {record[key].reason for key in judged(month) if record[key].outcome == "paused"}
    assert reasons == {"paused by ann: budget is gone", "paused in the registry"}


def test_the_month_had_all_its_troubles(month):
    world, record = month.world, on_record(month)
    assert {world.plan(key) for key in world.attempts} == set(PLANS)
    assert sum("not waited for" in record[key].reason or is_noon(world, *key, times[-1]) for key, times in world.requested.items()) > 20
    assert not month.crashes
    assert world.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED])), (
        "a run that was never launched was left behind"
    )
    assert any(now - scheduled > timedelta(hours=1) for now, scheduled in world.ticks_of_requests), "late ticks were made up for"
    assert any(key[0] == "adv-49" for key in world.attempts), "a zone that came later was served"


def is_noon(world, advertiser_id, day, moment):
    entry = world.entries.get(advertiser_id)
    return entry is not None and moment == at_local(day + ONE_DAY, "12:00", entry["time_zone"])
