"""Runs that morning schedules requested, as Dagster has them: its runs are the truth about attempts, so that a crash between asking and noting
cannot lose or double one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import dagster as dg

from marketing_agents.automation.run_tags import ADVERTISER_TAG, ATTEMPT_TAG, DATE_TAG, FAILURE_TAG, TRIGGER_TAG
from marketing_agents.days import LocalDay
from marketing_agents.operations.morning import RequestedRun, RunState

_SCHEDULED_TIME_TAG = ".dagster/scheduled_execution_time"
_WILL_RETRY_TAG = "dagster/will_retry"
_IN_FLIGHT = frozenset(
    {
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.MANAGED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    }
)


def requested_runs(instance: dg.DagsterInstance, days: Collection[LocalDay], tick: datetime) -> dict[LocalDay, list[RequestedRun]]:
    """Runs that schedules requested for these days, newest first; one query. `tick`: scheduled time of the asking tick, UTC."""
    dates = sorted({day.day.isoformat() for day in days})
    ids = sorted({day.advertiser_id for day in days})
    wanted = {(day.advertiser_id, day.day.isoformat()): day for day in days}
    found: dict[LocalDay, list[RequestedRun]] = defaultdict(list)
    for record in instance.get_run_records(dg.RunsFilter(tags={TRIGGER_TAG: "schedule", DATE_TAG: dates, ADVERTISER_TAG: ids})):
        run = record.dagster_run
        day = wanted.get((run.tags[ADVERTISER_TAG], run.tags[DATE_TAG]))
        state = _state(run, tick)
        if day is not None and state is not None:
            attempt = run.tags.get(ATTEMPT_TAG, "")
            is_permanent = run.tags.get(FAILURE_TAG) == "permanent"
            found[day].append(
                RequestedRun(run.run_id, int(attempt) if attempt.isdecimal() else 1, state, is_permanent_failure=is_permanent)
            )
    return found


def _state(run: dg.DagsterRun, tick: datetime) -> RunState | None:
    """The state of a run for a tick; None for one that counts for nothing: created by an earlier tick that was killed before launching it.

    Such a run stays as it is for ever; only the tick that created it, evaluated again, launches it (by its run key).
    """
    if run.status is dg.DagsterRunStatus.NOT_STARTED:
        return "created" if run.tags.get(_SCHEDULED_TIME_TAG) == tick.isoformat() else None
    if run.status in _IN_FLIGHT or run.is_complete_and_waiting_to_retry:
        return "in_flight"
    if run.status is dg.DagsterRunStatus.SUCCESS:
        return "succeeded"
    # Dagster says of a failed run whether it will retry it. One that took too long fails and is cancelled at once, and the later word stays.
    is_canceled = run.status is dg.DagsterRunStatus.CANCELED and _WILL_RETRY_TAG not in run.tags
    return "canceled" if is_canceled else "failed"
