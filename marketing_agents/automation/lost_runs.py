"""Finds runs whose worker is gone and says so to Dagster.

Dagster's default launcher cannot check workers (`supports_check_run_worker_health` is False in 1.13): the code server that started a worker
notices its death, but when both are gone (a reboot, out of memory, `kill -9` of the group) the run stays "started" until its maximum runtime,
with its place in the queue and its pool slots. Failed here, it is repeated once by the run retries and its slots are freed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.automation.lost_retries import ask_again
from marketing_agents.automation.run_tags import WORKER_TAG
from marketing_agents.automation.run_worker import RunWorker, is_running_since

INTERVAL_S = 30
UNSTAMPED_S = 120.0
"""A run whose first step has not begun carries no stamp: it waits for a pool slot, or its worker died in the moment before. After this time
the process number that Dagster logged decides."""


def build_lost_runs_sensor(interval_s: int = INTERVAL_S) -> dg.SensorDefinition:
    """The sensor `lost_runs`."""

    @dg.sensor(
        name="lost_runs",
        minimum_interval_seconds=interval_s,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks runs as failed whose worker process on this host is gone, so that they are repeated and free their slots; asks again for repetitions that were not started.",
        owners=OWNERS,
    )
    def lost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        now = datetime.now(UTC)
        for run_id in ask_again(context.instance, now):
            context.log.warning("run %s: its repetition was not started; asked again", run_id)
        failed = fail_lost_runs(context.instance, now)
        for run_id, why in failed:
            context.log.warning("run %s: %s", run_id, why)
        return dg.SkipReason(
            f"lost: {', '.join(run_id for run_id, _ in failed)}" if failed else "every started run of this host has its worker"
        )

    return lost_runs


def fail_lost_runs(instance: dg.DagsterInstance, now: datetime) -> Sequence[tuple[str, str]]:
    """Mark started runs of this host whose worker is gone as failed; their ids, each with the reason. Runs of other hosts are left alone."""
    failed = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        why = _lost(instance, record, now)
        if why is None:
            continue
        # The code server may have said it meanwhile, and a run that ended must not be failed afterwards.
        current = instance.get_run_by_id(record.dagster_run.run_id)
        if current is not None and current.status == dg.DagsterRunStatus.STARTED:
            instance.report_run_failed(current, f"The run was lost: {why}.")
            failed.append((current.run_id, why))
    return failed


def _lost(instance: dg.DagsterInstance, record: dg.RunRecord, now: datetime) -> str | None:
    run = record.dagster_run
    worker = RunWorker.from_tag(run.tags.get(WORKER_TAG, ""))
    if worker is not None and worker.run_id == run.run_id:
        return f"its worker, process {worker.pid} on {worker.host}, is gone" if worker.is_here and worker.is_gone else None
    if record.start_time is None or now.timestamp() - record.start_time < UNSTAMPED_S:
        return None
    return _lost_before_its_first_step(instance, run)


def _lost_before_its_first_step(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """Only for runs that the default launcher started: its workers are on the host of the code server, which is where sensors run."""
    if run.remote_job_origin is None or instance.run_launcher.supports_check_run_worker_health:
        return None
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        pid = entry.dagster_event.engine_event_data.metadata.get("pid") if entry.dagster_event else None
        if pid is not None and not is_running_since(int(str(pid.value)), entry.timestamp):
            return f"its worker, process {pid.value}, ended before its first step"
    return None
