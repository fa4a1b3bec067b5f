"""Asks again for the repetition of a run that Dagster did not start.

The daemon repeats a lost run when it sees the failure, and looks at each failure once. Two kinds of runs stay behind (1.13.27, seen in backfills
whose processes were killed at random):

* refused: the code server was away at that moment, restarting or killed with the worker. The daemon writes "Failed to retry run" and sets
  `dagster/will_retry` to false (7 of 12 runs of one backfill whose code server was killed ten times);
* overlooked: the failure is in the event log before the run's status says so. A daemon that looks in between takes the run for alive. It waits
  with `dagster/will_retry` true for ever, and its backfill with it.

Reporting the failure a second time puts it before the daemon again. How often a run may be repeated is still counted by `run_retries`; how
often we ask is counted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import dagster as dg

REFUSED = "Failed to retry run"
_ANSWERS = ("Retrying the run", "Not retrying run", "Run does not have an external job origin", "Could not find")
ASKED_AT_MOST = 5
OVERLOOKED_AFTER = timedelta(minutes=2)
"""The daemon looks at failures every half minute."""
_YOUNG = timedelta(hours=1)


def ask_again(instance: dg.DagsterInstance, now: datetime) -> Sequence[str]:
    """Report the failure of such runs again; their ids. Runs that failed by a step are not among them: those are not to be repeated."""
    asked = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=now - _YOUNG)):
        if "dagster/will_retry" not in run.tags or run.tags.get("dagster/failure_reason") == "STEP_FAILURE" or _is_repeated(instance, run):
            continue
        why = _left_behind(instance, run, now)
        if why is not None:
            instance.report_run_failed(run, f"Its repetition was not started ({why}); asking again.")
            asked.append(run.run_id)
    return asked


def _left_behind(instance: dg.DagsterInstance, run: dg.DagsterRun, now: datetime) -> str | None:
    """Why the last report of the failure led to nothing; None when it was answered, when the answer may still come, or after too many."""
    reports = [entry.timestamp for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)]
    if not 0 < len(reports) <= ASKED_AT_MOST:
        return None
    entries = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    since = [entry.dagster_event.message or "" for entry in entries if entry.dagster_event and entry.timestamp >= max(reports)]
    if REFUSED in since:
        return "the code server was away"
    is_answered = any(message.startswith(_ANSWERS) for message in since)
    is_awaited = run.tags["dagster/will_retry"] == "true" and now.timestamp() - max(reports) > OVERLOOKED_AFTER.total_seconds()
    return "the daemon overlooked the failure" if is_awaited and not is_answered else None


def _is_repeated(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    group = instance.get_run_group(run.run_id)
    return group is not None and any(
        other.parent_run_id == run.run_id and other.status != dg.DagsterRunStatus.NOT_STARTED for other in group[1]
    )
