"""Each of Dagster's three ways to repeat work, the queue's limits, and time limits: in real runs, with every attempt counted."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import dagster as dg
import pytest
import yaml

from marketing_agents.assets import failure_policy
from marketing_agents.automation.run_tags import FAILURE_TAG, MORNING_PRIORITY, PRIORITY_TAG
from marketing_agents.definitions import defs
from marketing_agents.ingestion.source import SourceError
from marketing_agents.partitions import partition_key
from marketing_agents.sample.agency import write_agency
from marketing_agents.settings import PROJECT_DIR, Settings
from marketing_agents.warehouse.embedded.publishing import LOCK_NAME
from marketing_agents_tests.e2e.deployment import Deployment
from marketing_agents_tests.e2e.pipeline import ANCHOR, BUSY, Pipeline
from marketing_agents_tests.e2e.small_agency import small_spec

CONFIG = yaml.safe_load((PROJECT_DIR / "dagster.yaml").read_text(encoding="utf-8"))
BACKFILL_LIMIT = next(
    limit["limit"] for limit in CONFIG["concurrency"]["runs"]["tag_concurrency_limits"] if limit["key"] == "dagster/backfill"
)
STEPS = {
    "ingest": "raw/fx_rates",
    "build_marts": "marts/campaign_features",
    "findings": "rules/findings",
    "analyse": "analysis/media_performance",
    "recommendations": "recommendations",
    "daily_report": "daily_report",
}


class Unreachable:
    """A source, or a registry, that fails the first `times` times with `error`, then is the real one."""

    def __init__(self, real, error: BaseException, times: int) -> None:
        self.real, self.error, self.times, self.calls = real, error, times, 0

    def _reach(self) -> None:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error

    def open(self):
        self._reach()
        return self.real.open()

    def load(self):
        self._reach()
        return self.real.load()


@pytest.fixture
def pipeline(tmp_path, short_input, instance, monkeypatch) -> Pipeline:
    monkeypatch.setattr(failure_policy, "FIRST_DELAY_S", 0.0)
    return Pipeline(Settings(data_dir=tmp_path, source_dir=short_input, writer="template"), instance, None)


@pytest.mark.parametrize(
    ("error", "times", "attempts", "success", "failure"),
    [
        (SourceError("BigQuery is not reached", is_transient=True), 2, 3, True, None),
        (SourceError("BigQuery is not reached", is_transient=True), 99, 3, False, "transient"),
        (SourceError("no permission"), 99, 1, False, "permanent"),
        (AttributeError("a bug in an adapter"), 99, 1, False, "permanent"),
    ],
    ids=["back in time", "never back", "configuration", "bug"],
)
def test_a_source_that_fails_is_asked_again_only_when_that_can_help(pipeline, instance, error, times, attempts, success, failure):
    from marketing_agents.resources.source import SourceOpener

    source = Unreachable(SourceOpener(pipeline.settings), error, times)
    (result,) = pipeline.run([BUSY], assets=["raw/fx_rates"], source=source)

    assert (source.calls, result.success) == (attempts, success)
    assert instance.get_run_by_id(result.run_id).tags.get(FAILURE_TAG) == failure
    if not success:
        (failed,) = [e for e in result.all_events if e.is_step_failure]
        assert str(error) in failed.step_failure_data.error.cause.message


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_held_to_the_policy(pipeline, instance, step):
    from marketing_agents.resources.platform import RegistryFile

    registry = Unreachable(RegistryFile(pipeline.settings.resolved_advertisers), ConnectionError("share not mounted"), 99)
    (result,) = pipeline.run([BUSY], assets=[STEPS[step]], registry=registry)
    assert [e.step_key for e in result.all_events if e.is_step_failure] == [step]
    assert registry.calls == 1 + failure_policy.STEP_RETRIES
    assert instance.get_run_by_id(result.run_id).tags[FAILURE_TAG] == "transient"


def test_the_instance_s_settings_say_once_for_lost_workers_and_never_for_failed_steps():
    assert CONFIG["run_retries"] == {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False}
    tags = defs.resolve_job_def("daily_analysis").tags
    assert tags["dagster/retry_on_asset_or_op_failure"] == "false"
    assert 0 < float(tags["dagster/max_runtime"]) < CONFIG["run_monitoring"]["max_runtime_seconds"]


def test_one_slot_is_left_for_mornings_and_no_pool_is_tighter_than_the_queue_until_somebody_sets_it():
    runs, pools = CONFIG["concurrency"]["runs"], CONFIG["concurrency"]["pools"]
    limits = {limit["key"]: limit["limit"] for limit in runs["tag_concurrency_limits"]}
    assert limits["dagster/backfill"] + limits["marketing_agents/trigger"] == runs["max_concurrent_runs"] - 1
    assert pools == {"default_limit": runs["max_concurrent_runs"], "granularity": "op"}


def test_every_run_of_one_partition_carries_the_advertiser_that_the_queue_counts():
    """Also a run that a schedule asked for: Dagster resolves its tags through the job."""
    tags = defs.resolve_job_def("daily_analysis").get_tags_for_partition_key(partition_key("acme", ANCHOR), selected_asset_keys=None)
    limited = [limit["key"] for limit in CONFIG["concurrency"]["runs"]["tag_concurrency_limits"]]
    assert {key: tags[key] for key in limited if key in tags} == {"dagster/partition/advertiser": "acme"}


# A real deployment. Runs are held in the middle of ingestion by the writers' lock, which costs no CPU and ends when the test wants.

FAST = {
    "run_monitoring": {"poll_interval_seconds": 2, "free_slots_after_run_end_seconds": 2},
    "run_coordinator": {"config": {"dequeue_interval_seconds": 1, "user_code_failure_retry_delay": 2}},
}
PATIENCE_S = 600  # a worker starts in 5 s on a quiet machine and in 40 s on one where others test
FX = dg.AssetKey(["raw", "fx_rates"])


@pytest.fixture
def deployment(tmp_path) -> Iterator[Deployment]:
    write_agency(tmp_path / "sample", small_spec(*ADVERTISERS, days=10))
    made = Deployment(tmp_path, tmp_path / "sample" / "input", tmp_path / "sample" / "advertisers.yaml", chunk_size=1, config=FAST)
    try:
        yield made.start()
    finally:
        made.stop()


ADVERTISERS = ("harbour-thread", "kiritimati-bonefish", "kowhai-outdoors", "ledgerline", "sol-and-sage", "vidya-path")


@contextmanager
def held(deployment: Deployment, advertiser_id: str) -> Iterator[None]:
    """Runs that load fx_rates of this advertiser wait."""
    folder = deployment.data_dir / "warehouse" / "raw" / "fx_rates" / f"advertiser_id={advertiser_id}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def launch(deployment: Deployment, key: str, **tags: str) -> str:
    """A run of one asset of one partition; its id."""
    return deployment.launch_run(key, tags, assets=[FX])


def in_flight(deployment: Deployment) -> set[str]:
    return {run.run_id for run in deployment.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))}


def waits_in_a_step(deployment: Deployment, run_id: str) -> bool:
    return bool(deployment.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_START))


def group(deployment: Deployment, run_id: str) -> list[dg.DagsterRun]:
    """A run and those that repeat it, oldest first."""
    found = deployment.instance.get_run_group(run_id)
    return sorted(found[1], key=lambda run: int(run.tags.get("dagster/retry_number", "0"))) if found else []


def warehouse_slots(deployment: Deployment) -> int:
    return deployment.instance.event_log_storage.get_concurrency_info("warehouse").active_slot_count


def test_queue_lost_workers_pool_slots_and_time_limits_under_the_real_daemon(deployment):
    instance = deployment.instance
    *backfilled, morning = ADVERTISERS
    with ExitStack() as locks:
        for advertiser_id in ADVERTISERS:
            locks.enter_context(held(deployment, advertiser_id))

        # A backfill of five runs takes no more slots than the queue gives to backfills ...
        backfill = deployment.launch_backfill([f"{a}|{ANCHOR}" for a in backfilled], assets=[FX])
        deployment.wait_until(lambda: len(in_flight(deployment)) == BACKFILL_LIMIT, "the first runs of the backfill", PATIENCE_S)
        chunks = in_flight(deployment)

        # ... and a morning takes another one, before those that queued earlier. Its advertiser's next run waits for it.
        first = launch(deployment, f"{morning}|{ANCHOR}", **{PRIORITY_TAG: MORNING_PRIORITY})
        deployment.wait_until(lambda: waits_in_a_step(deployment, first), "the morning", PATIENCE_S)
        assert in_flight(deployment) == {*chunks, first}
        assert warehouse_slots(deployment) == BACKFILL_LIMIT + 1

        # A worker that is killed: its run is repeated once, and its pool slot comes back.
        assert deployment.kill_run_worker(first) == first
        deployment.wait_until(lambda: len(group(deployment, first)) == 2, "the run that repeats the morning", PATIENCE_S)
        again = group(deployment, first)[1].run_id
        second = launch(deployment, f"{morning}|2026-10-14", **{PRIORITY_TAG: MORNING_PRIORITY, "dagster/max_runtime": "15"})
        deployment.wait_until(lambda: waits_in_a_step(deployment, again), "the repeated morning in its step", PATIENCE_S)
        assert instance.get_run_by_id(second).status == dg.DagsterRunStatus.QUEUED  # one run of an advertiser at a time
        # There are slots enough for the repeated run to start before that of the killed worker is given back.
        deployment.wait_until(lambda: warehouse_slots(deployment) == BACKFILL_LIMIT + 1, "the slot of the killed worker", PATIENCE_S)
        # Killed again, it is not repeated a third time: the advertiser's next run starts instead.
        deployment.kill_run_worker(again)
        deployment.wait_until(lambda: waits_in_a_step(deployment, second), "the advertiser's next run", PATIENCE_S)
        assert [run.status.value for run in group(deployment, first)] == ["FAILURE", "FAILURE"]
        assert instance.get_run_by_id(again).tags["dagster/will_retry"] == "false"

        # That one hangs: it is ended after its time and, as one cannot know whether it would hang again, repeated once. The daemon writes
        # that it failed while the worker writes that it was cancelled; which of both comes last, and stays, is a matter of milliseconds.
        deployment.wait_until(
            lambda: [run.status.value for run in group(deployment, second)] in (["FAILURE"] * 2, ["FAILURE", "CANCELED"], ["CANCELED"]),
            "the end of what hangs",
            PATIENCE_S,
        )
        assert any("maximum runtime of 15 seconds" in (e.message or "") for e in instance.all_logs(second) if e.is_dagster_event)

        # A code server and a worker that are killed together: nobody is left to say so but the sensor.
        lost = min(chunks)
        deployment.kill("code_server")
        assert deployment.kill_run_worker(lost) == lost
        deployment.start_code_server()
        deployment.wait_until(lambda: len(group(deployment, lost)) == 2, "the run that repeats the lost one", PATIENCE_S)
        assert any("The run was lost" in (e.message or "") for e in instance.all_logs(lost) if e.is_dagster_event)

    # When nothing is held any more, the backfill goes on to its end.
    assert deployment.wait_backfill(backfill, PATIENCE_S) == "COMPLETED_SUCCESS"
    assert set(instance.get_materialized_partitions(FX)) >= {f"{a}|{ANCHOR}" for a in backfilled}
    deployment.wait_until(lambda: warehouse_slots(deployment) == 0, "free slots", PATIENCE_S)
