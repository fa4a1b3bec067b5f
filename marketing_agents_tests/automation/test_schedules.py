"""Morning schedules against a living instance, a real state store and real files: what a tick requests, says and records."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from marketing_agents.advertisers.registry import RegistryError
from marketing_agents.automation.run_tags import ATTEMPT_TAG, DATE_TAG, FAILURE_TAG, TRIGGER_TAG
from marketing_agents.automation.schedules import OTHER_ZONES, build_schedules, zone_slug
from marketing_agents.ingestion.source import SourceError
from marketing_agents.partitions import ADVERTISER, ADVERTISER_DATE
from marketing_agents.resources.platform import RegistryFile
from marketing_agents.resources.source import SourceOpener
from marketing_agents.settings import load_settings
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.mornings import Mornings
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus
from marketing_agents_tests.automation.living_context import LivingContext

LONDON = "Europe/London"
DAY = date(2026, 11, 20)
ADS = "ad_performance_daily"
SIX, NOON = "2026-11-21T06:00", "2026-11-21T12:00"


@dg.asset(partitions_def=ADVERTISER_DATE)
def anything() -> None: ...


JOB = dg.define_asset_job("daily_analysis", selection=[anything], partitions_def=ADVERTISER_DATE)


@dataclass
class Desk:
    """A registry file, a source folder, a state store and an instance; ticks of the schedules that are built on them."""

    folder: Path
    instance: dg.DagsterInstance
    state: StateStore
    zones_at_load: tuple[str, ...] = (LONDON,)
    schedules_setting: str = "running"
    opener: object = None

    def __post_init__(self):
        self.settings = load_settings(
            data_dir=self.folder, advertisers=self.folder / "r.yaml", source_dir=self.folder / "input", schedules=self.schedules_setting
        )
        (self.folder / "input").mkdir(exist_ok=True)

    def registry(self, *entries):
        text = yaml.safe_dump({"advertisers": [{"name": e["id"], "time_zone": LONDON, **e} for e in entries]})
        (self.folder / "r.yaml").write_text(text)
        self.register(*(e["id"] for e in entries))

    def register(self, *ids):
        self.instance.add_dynamic_partitions(ADVERTISER.name, ids)

    def has_rows(self, **days):
        """Rows of the advertisers' account 1 on these days: `acme=[DAY]`."""
        rows = [
            {
                "advertiser_id": owner.replace("_", "-"),
                "date": day,
                "platform": "google_ads",
                "account_id": "1",
                "account_time_zone": LONDON,
            }
            for owner, listed in days.items()
            for day in listed
        ]
        pq.write_table(pa.Table.from_pylist(rows), self.folder / "input" / f"{ADS}.parquet")

    def schedules(self):
        return {
            s.name: s
            for s in build_schedules(
                self.zones_at_load,
                JOB,
                registry=RegistryFile(self.folder / "r.yaml"),
                source=self.opener or SourceOpener(self.settings),
                state=self.state,
                settings=self.settings,
            )
        }

    def tick(self, local_time, zone=LONDON, name=None):
        moment = datetime.fromisoformat(local_time).replace(tzinfo=ZoneInfo(zone))
        return self.schedules()[name or f"daily_analysis__{zone_slug(zone)}"](LivingContext(self.instance, moment))

    def keys(self, local_time, **where):
        result = self.tick(local_time, **where)
        return [str(r.partition_key) for r in result] if isinstance(result, list) else []

    def skipped(self, local_time, **where):
        result = self.tick(local_time, **where)
        assert isinstance(result, dg.SkipReason)
        return result.skip_message

    def launch(self, requests, status=dg.DagsterRunStatus.STARTED, scheduled_for=SIX, **tags):
        """What the daemon makes of requests: runs with the requests' tags."""
        stamp = datetime.fromisoformat(scheduled_for).replace(tzinfo=ZoneInfo(LONDON)).astimezone(UTC).isoformat()
        runs = []
        for request in requests:
            run = dg.DagsterRun(
                job_name="daily_analysis",
                run_id=str(uuid.uuid4()),
                status=status,
                tags={**request.tags, ".dagster/scheduled_execution_time": stamp, "dagster/run_key": request.run_key, **tags},
            )
            runs.append(self.instance.add_run(run))
        return runs

    def reported(self, status="ok", reason="", *, advertiser_id="acme", at=SIX, run_id="x"):
        moment = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(LONDON))
        self.state.record_status([PartitionStatus("daily_report", advertiser_id, DAY, status, reason)], run_id=run_id, at=moment)

    def on_record(self):
        return {(m.advertiser_id, m.date): m for m in Mornings(self.state).read()}


@pytest.fixture
def desk(tmp_path):
    with dg.DagsterInstance.ephemeral() as instance:
        yield Desk(tmp_path, instance, StateStore(f"sqlite:///{tmp_path / 'state.db'}"))


@pytest.fixture
def ready(desk):
    """One advertiser whose day has arrived."""
    desk.registry({"id": "acme"})
    desk.has_rows(acme=[DAY - timedelta(days=1), DAY])
    return desk


@pytest.mark.parametrize(
    ("zone", "local_time", "key"),
    [
        ("Pacific/Kiritimati", "2026-11-21T06:00", "acme|2026-11-20"),
        ("Pacific/Pago_Pago", "2026-11-21T06:00", "acme|2026-11-20"),
        ("Pacific/Auckland", "2026-11-21T06:00", "acme|2026-11-20"),
        ("Asia/Kolkata", "2026-11-21T06:00", "acme|2026-11-20"),
        ("America/Los_Angeles", "2026-11-21T06:00", "acme|2026-11-20"),
        (LONDON, "2026-03-29T06:00", "acme|2026-03-28"),  # the morning after clocks went forward
        ("America/New_York", "2026-11-01T06:00", "acme|2026-10-31"),  # and back
        (LONDON, "2027-01-01T06:00", "acme|2026-12-31"),
    ],
)
def test_a_morning_asks_for_the_local_yesterday(desk, zone, local_time, key):
    desk.zones_at_load = (zone,)
    desk.registry({"id": "acme", "time_zone": zone, "required_tables": []})
    assert desk.keys(local_time, zone=zone) == [key]


def test_a_request_carries_what_others_read(ready):
    (request,) = ready.tick(SIX)
    assert request.run_key == "acme|2026-11-20|1"
    assert request.tags == {
        "marketing_agents/advertiser": "acme",
        "marketing_agents/date": "2026-11-20",
        "marketing_agents/attempt": "1",
        "marketing_agents/trigger": "schedule",
        "dagster/priority": "10",
    }


def test_there_is_one_schedule_per_zone_and_one_for_the_others(desk):
    desk.zones_at_load = ("Asia/Kolkata", LONDON)
    schedules = desk.schedules()
    assert set(schedules) == {"daily_analysis__europe_london", "daily_analysis__asia_kolkata", OTHER_ZONES}
    assert schedules["daily_analysis__europe_london"].cron_schedule == "0,30 0-12 * * *"
    assert schedules["daily_analysis__asia_kolkata"].execution_timezone == "Asia/Kolkata"


@pytest.mark.parametrize("setting", ["running", "stopped"])
def test_the_setting_says_in_which_state_schedules_start(tmp_path, setting):
    with dg.DagsterInstance.ephemeral() as instance:
        desk = Desk(tmp_path, instance, StateStore("sqlite://"), schedules_setting=setting)
        assert {s.default_status.value.lower() for s in desk.schedules().values()} == {setting}


def test_a_day_is_requested_once(ready):
    requests = ready.tick(SIX)
    (run,) = ready.launch(requests)
    assert "running: acme 2026-11-20" in ready.skipped("2026-11-21T06:30")
    ready.instance.report_run_canceled(run)  # whatever happens later to the run
    ready.reported(run_id=run.run_id)
    assert "done: acme 2026-11-20 (ok)" in ready.skipped("2026-11-21T07:00")
    for local_time in ("2026-11-21T07:30", NOON, "2026-11-21T12:30"):
        assert "all done" in ready.skipped(local_time)
    assert ready.on_record()["acme", DAY].outcome == "done"


def test_advertisers_are_due_from_their_own_run_time_on_and_an_edit_counts_at_once(desk):
    desk.registry({"id": "a", "required_tables": []}, {"id": "b", "run_time_local": "07:30", "required_tables": []})
    assert desk.keys(SIX) == ["a|2026-11-20"]
    desk.registry(
        {"id": "a", "run_time_local": "09:00", "required_tables": []}, {"id": "b", "run_time_local": "06:30", "required_tables": []}
    )
    assert desk.keys("2026-11-21T06:30") == ["b|2026-11-20"]


def test_a_late_table_is_named_and_waited_for_until_noon(desk):
    desk.registry({"id": "acme"}, {"id": "early"})
    desk.has_rows(acme=[DAY - timedelta(days=1)], early=[DAY])
    late = f"{ADS} has no rows of 2026-11-20 for google_ads 1"
    assert desk.keys(SIX) == ["early|2026-11-20"]
    assert (desk.on_record()["acme", DAY].outcome, desk.on_record()["acme", DAY].reason) == ("waiting", late)
    desk.registry({"id": "acme"})
    assert f"waiting: acme 2026-11-20 ({late})" in desk.skipped("2026-11-21T11:30")
    assert desk.keys(NOON) == ["acme|2026-11-20"]
    assert desk.on_record()["acme", DAY].reason == f"attempt 1 of 3; not waited for any longer: {late}"


def test_a_table_that_arrives_ends_the_waiting(desk):
    desk.registry({"id": "acme"})
    desk.has_rows(acme=[DAY - timedelta(days=1)])
    assert desk.keys("2026-11-21T08:00") == []
    desk.has_rows(acme=[DAY - timedelta(days=1), DAY])
    assert desk.keys("2026-11-21T08:30") == ["acme|2026-11-20"]


class Unreachable:
    def __init__(self, error):
        self.error = error
        self.asked = 0

    @contextmanager
    def open(self):
        self.asked += 1
        raise self.error
        yield


@pytest.mark.parametrize("error", [SourceError("BigQuery is not reached"), ConnectionResetError("reset by peer"), KeyError("odd adapter")])
def test_a_source_that_cannot_be_asked_is_waited_for_until_noon(desk, error):
    desk.registry({"id": "acme"}, {"id": "free", "required_tables": []})
    desk.opener = Unreachable(error)
    assert desk.keys(SIX) == ["free|2026-11-20"]
    assert f"the source cannot be asked: {type(error).__name__}" in desk.on_record()["acme", DAY].reason
    assert "acme|2026-11-20" in desk.keys(NOON)


def test_the_source_is_asked_once_for_all_and_not_at_all_when_nobody_waits(desk):
    desk.registry({"id": "a"}, {"id": "b"}, {"id": "c"})
    desk.opener = Unreachable(SourceError("x"))
    desk.tick(SIX)
    assert desk.opener.asked == 1
    for advertiser_id in "abc":
        desk.reported(advertiser_id=advertiser_id)
    desk.tick("2026-11-21T06:30")
    desk.tick("2026-11-21T05:30")
    assert desk.opener.asked == 1


def test_a_failed_morning_is_requested_again_up_to_the_limit(ready):
    for attempt, local_time in ((1, SIX), (2, "2026-11-21T06:30"), (3, "2026-11-21T07:00")):
        (request,) = ready.tick(local_time)
        assert request.run_key == f"acme|2026-11-20|{attempt}"
        assert request.tags[ATTEMPT_TAG] == str(attempt)
        ready.launch([request], dg.DagsterRunStatus.FAILURE, local_time)
    assert "the last of 3 attempts" in ready.skipped("2026-11-21T07:30")
    assert ready.skipped(NOON)
    assert ready.on_record()["acme", DAY].outcome == "gave_up"


def test_a_failure_for_good_is_not_requested_again(ready):
    ready.launch(ready.tick(SIX), dg.DagsterRunStatus.FAILURE, **{FAILURE_TAG: "permanent"})
    assert "failed for good" in ready.skipped("2026-11-21T06:30")


def test_a_success_without_a_usable_report_is_a_failed_attempt(ready):
    (run,) = ready.launch(ready.tick(SIX), dg.DagsterRunStatus.SUCCESS)
    ready.reported("failed", "no marts", run_id=run.run_id)
    (request,) = ready.tick("2026-11-21T06:30")
    assert request.run_key == "acme|2026-11-20|2"
    assert "ended with daily_report failed: no marts" in ready.on_record()["acme", DAY].reason


@pytest.mark.parametrize(("retried", "is_requested"), [({}, False), ({"dagster/auto_retry_run_id": "r"}, True)])
def test_a_run_that_dagster_will_repeat_itself_is_left_to_it(ready, retried, is_requested):
    ready.launch(ready.tick(SIX), dg.DagsterRunStatus.FAILURE, **{"dagster/will_retry": "true", **retried})
    assert bool(ready.keys("2026-11-21T06:30")) == is_requested


def test_a_run_that_took_too_long_is_no_persons_decision(ready):
    """Dagster fails it and its worker cancels it; which of both comes last is a matter of milliseconds."""
    ready.launch(ready.tick(SIX), dg.DagsterRunStatus.CANCELED, **{"dagster/will_retry": "false"})
    assert ready.keys("2026-11-21T06:30") == [f"acme|{DAY}"]


def test_a_canceled_run_is_a_persons_decision(ready):
    ready.launch(ready.tick(SIX), dg.DagsterRunStatus.CANCELED)
    assert "was canceled" in ready.skipped("2026-11-21T06:30")


def test_an_interrupted_tick_asks_for_the_same_run_and_a_later_one_for_a_new_one(ready):
    """The daemon creates a run, then launches it; killed in between, it evaluates the tick again and finds the run by its key."""
    (request,) = ready.tick(SIX)
    ready.launch([request], dg.DagsterRunStatus.NOT_STARTED)
    (again,) = ready.tick(SIX)
    assert again.run_key == request.run_key
    (later,) = ready.tick("2026-11-21T06:30")
    assert later.run_key == request.run_key, "the run of the tick that never came back counts for nothing: the daemon makes a new one"


def test_runs_of_others_do_not_count(ready):
    (request,) = ready.tick(SIX)
    ready.launch([request], dg.DagsterRunStatus.FAILURE, **{TRIGGER_TAG: "backfill"})
    ready.launch([request], dg.DagsterRunStatus.STARTED, **{DATE_TAG: "2026-11-19"})
    (again,) = ready.tick("2026-11-21T06:30")
    assert again.tags[ATTEMPT_TAG] == "1"


def test_a_test_run_at_night_is_not_the_mornings_answer(ready):
    ready.reported(at="2026-11-21T02:00")
    assert ready.keys(SIX) == ["acme|2026-11-20"]


def test_paused_advertisers_are_skipped_with_who_and_why(desk):
    desk.registry({"id": "a", "required_tables": []}, {"id": "b", "paused": True}, {"id": "c", "required_tables": []})
    until = datetime(2026, 11, 21, 8, tzinfo=UTC)
    KillSwitch(desk.state).pause("a", who="ann", why="budget gone", until=until, at=datetime(2026, 11, 20, tzinfo=UTC))
    assert desk.keys(SIX) == ["c|2026-11-20"]
    assert desk.on_record()["a", DAY].reason == "paused by ann until 2026-11-21 08:00 UTC: budget gone"
    assert desk.on_record()["b", DAY].reason == "paused in the registry"
    assert "a|2026-11-20" in desk.keys("2026-11-21T08:00"), "a pause that ends in the morning is followed by the run"


def test_an_unregistered_advertiser_or_day_never_fails_the_tick_of_the_others(desk):
    desk.registry({"id": "a", "required_tables": []})
    desk.registry({"id": "a", "required_tables": []}, {"id": "new", "required_tables": []})
    desk.instance.delete_dynamic_partition(ADVERTISER.name, "new")
    assert desk.keys(SIX) == ["a|2026-11-20"]
    assert desk.on_record()["new", DAY].outcome == "unregistered"
    start = desk.settings.start_date
    assert desk.keys(f"{start}T06:00") == []
    assert "MARKETING_AGENTS_START_DATE" in desk.on_record()["a", start - timedelta(days=1)].reason


@pytest.mark.parametrize("text", ["advertisers: [{id: 'a|b', name: x, time_zone: UTC}]", "advertisers: [", "nothing: here"])
def test_a_broken_registry_fails_the_tick_visibly(ready, text):
    (ready.folder / "r.yaml").write_text(text)
    with pytest.raises(RegistryError):
        ready.tick(SIX)


def test_outside_of_mornings_nothing_is_asked_or_recorded(ready):
    assert "no morning to decide" in ready.skipped("2026-11-21T05:30")
    assert ready.on_record() == {}


def test_a_morning_that_failed_after_its_last_tick_is_followed_up_at_night(ready):
    requests = ready.tick("2026-11-21T12:30")
    ready.launch(requests, dg.DagsterRunStatus.FAILURE, "2026-11-21T12:30")
    (again,) = ready.tick("2026-11-22T00:00")
    assert again.run_key == "acme|2026-11-20|2"
    ready.launch([again], dg.DagsterRunStatus.SUCCESS, "2026-11-22T00:00")
    ready.reported(at="2026-11-22T00:10")
    assert "done: acme 2026-11-20" in ready.skipped("2026-11-22T00:30")
    assert "no morning" in ready.skipped("2026-11-22T01:00")


# ---- zones that appear later
def test_a_zone_that_appears_later_is_served_without_a_restart(desk):
    desk.registry({"id": "a", "required_tables": []}, {"id": "k", "time_zone": "Asia/Kathmandu", "required_tables": []})
    assert desk.keys("2026-11-21T06:00", zone="Asia/Kathmandu", name=OTHER_ZONES) == ["k|2026-11-20"]


def test_the_catch_all_leaves_zones_alone_that_have_a_schedule(desk):
    desk.registry({"id": "a", "required_tables": []})
    assert desk.keys("2026-11-21T06:00", name=OTHER_ZONES) == []


@pytest.mark.parametrize(("local_time", "is_asked"), [("06:00", True), ("06:15", False), ("06:30", True), ("13:00", False)])
def test_the_catch_all_keeps_the_half_hours_of_each_zone(desk, local_time, is_asked):
    desk.registry({"id": "k", "time_zone": "Asia/Kathmandu", "required_tables": []})
    assert bool(desk.keys(f"2026-11-21T{local_time}", zone="Asia/Kathmandu", name=OTHER_ZONES)) == is_asked


@pytest.mark.parametrize(
    ("zone", "slug"),
    [("Etc/GMT+5", "etc_gmt_plus_5"), ("Etc/GMT-5", "etc_gmt_minus_5"), ("America/Port-au-Prince", "america_port_au_prince")],
)
def test_zones_have_names_of_their_own(zone, slug):
    assert zone_slug(zone) == slug
