"""Watches a backfill until it ended: partitions by status from `partition_status`, runs from the instance."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from marketing_agents.days import LocalDay
from marketing_agents.operations.morning import LAST_STEP
from marketing_agents.state.store import StateStore
from marketing_agents.status import USABLE, PartitionStatus

GROUP_TAG = "marketing_agents/backfill"
"""One value per `marketing-agents backfill`, on all its Dagster backfills and their runs."""
DAEMONS = ("BACKFILL", "QUEUED_RUN_COORDINATOR")
LATEST_HEARTBEAT_S = (
    120  # daemons write one every 30 s; `dagster-daemon liveness-check` calls a daemon alive for half an hour after its death
)
POLL_S = 2.0
SHOWN = 20
_ENDED = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}
_WAITING = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED]
_WORKING = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_BROKEN = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dataclass(frozen=True)
class Launched:
    """A backfill that was handed to Dagster. `at`: just before that, UTC."""

    group: str
    ids: tuple[str, ...]
    wanted: tuple[LocalDay, ...]
    at: datetime


@dataclass(frozen=True)
class Seen:
    """Where a backfill stands. `broken_runs`: run id and first error of failed and cancelled runs."""

    outcomes: dict[LocalDay, PartitionStatus]
    waiting: int
    working: int
    states: dict[str, str]
    broken_runs: dict[str, str] = field(default_factory=dict)

    @property
    def by_status(self) -> Counter[str]:
        return Counter(outcome.status for outcome in self.outcomes.values())

    def is_over(self, launched: Launched) -> bool:
        """All Dagster backfills ended, or every partition has its outcome and no run is left (the daemon notices within 30 s)."""
        if all(state in _ENDED for state in self.states.values()):
            return True
        return len(self.outcomes) == len(launched.wanted) and not self.waiting and not self.working


def missing_daemons(instance: dg.DagsterInstance, now: datetime) -> list[str]:
    """The daemons a backfill needs that wrote no heartbeat lately."""
    beats = instance.get_daemon_heartbeats()
    return [name for name in DAEMONS if name not in beats or now.timestamp() - beats[name].timestamp > LATEST_HEARTBEAT_S]


def look(instance: dg.DagsterInstance, state: StateStore, launched: Launched) -> Seen:
    """One look. An outcome counts when a run of this backfill wrote it, or any run since it started (a morning that met it)."""
    ours = dg.RunsFilter(tags={GROUP_TAG: launched.group})
    runs = set(instance.get_run_ids(ours))
    wanted = frozenset(launched.wanted)
    recorded = state.recorded(
        LAST_STEP,
        advertiser_ids={day.advertiser_id for day in wanted},
        start=min(day.day for day in wanted),
        end=max(day.day for day in wanted),
    )
    outcomes = {
        LocalDay(r.outcome.advertiser_id, r.outcome.date): r.outcome for r in recorded if r.run_id in runs or r.updated_at >= launched.at
    }
    return Seen(
        outcomes={day: outcome for day, outcome in outcomes.items() if day in wanted},
        waiting=instance.get_runs_count(dg.RunsFilter(tags={GROUP_TAG: launched.group}, statuses=_WAITING)),
        working=instance.get_runs_count(dg.RunsFilter(tags={GROUP_TAG: launched.group}, statuses=_WORKING)),
        states={backfill_id: _state(instance, backfill_id) for backfill_id in launched.ids},
    )


def watch(
    instance: dg.DagsterInstance, state: StateStore, launched: Launched, console: Console, clock: Callable[[], datetime], *, is_quiet: bool
) -> Seen:
    """Look every two seconds until the backfill is over; what was seen last, with the errors of runs that broke."""
    with _Screen(console, len(launched.wanted), is_quiet=is_quiet) as screen:
        while True:
            seen = look(instance, state, launched)
            screen.show(seen, missing_daemons(instance, clock()))
            if seen.is_over(launched):
                break
            time.sleep(POLL_S)
    broken = instance.get_run_records(dg.RunsFilter(tags={GROUP_TAG: launched.group}, statuses=_BROKEN), limit=SHOWN)
    errors = {record.dagster_run.run_id: first_error(instance, record.dagster_run.run_id) for record in broken}
    return Seen(seen.outcomes, seen.waiting, seen.working, seen.states, errors)


def first_error(instance: dg.DagsterInstance, run_id: str) -> str:
    """What went wrong first in a run, in one line."""
    wanted = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_CANCELED}
    for record in instance.all_logs(run_id, of_type=wanted):
        event = record.dagster_event
        if event is None:
            continue
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = (error.cause or error) if error else None
            return f"step {event.step_key}: {_one_line(cause.message) if cause else 'no message'}"
        return _one_line(event.message or event.event_type_value)
    return "no event says why"


def problems(launched: Launched, seen: Seen) -> list[str]:
    """One line for every partition without a usable result."""
    lines = []
    for day in launched.wanted:
        outcome = seen.outcomes.get(day)
        if outcome is None:
            lines.append(f"{day.key}: no result: its run failed, was cancelled or never started, or the advertiser was paused meanwhile")
        elif outcome.status not in USABLE:
            lines.append(f"{day.key}: {outcome.status}: {outcome.reason}")
    return lines


def _state(instance: dg.DagsterInstance, backfill_id: str) -> str:
    backfill = instance.get_backfill(backfill_id)
    return str(backfill.status.value) if backfill is not None else "FAILED"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


class _Screen:
    """A progress bar on a terminal, a line per change elsewhere, nothing when quiet."""

    def __init__(self, console: Console, total: int, *, is_quiet: bool) -> None:
        self._console = console
        self._is_quiet = is_quiet
        self._last = ""
        columns = (TextColumn("partitions"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, disable=is_quiet or not console.is_terminal)
        self._task = self._progress.add_task("waiting for the daemon", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, seen: Seen, daemons: Sequence[str]) -> None:
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(seen.by_status.items())) or "none yet"
        line = f"{statuses}; runs: {seen.working} working, {seen.waiting} waiting"
        if daemons:
            line += "; no daemon answers, start it again with `make dev`"
        elif not (seen.working or seen.waiting or seen.outcomes):
            line = "waiting for the daemon, which looks every 30 s"
        self._progress.update(self._task, completed=len(seen.outcomes), description=line)
        if line != self._last and not self._is_quiet and not self._console.is_terminal:
            self._console.print(f"{len(seen.outcomes)} partitions: {line}", highlight=False)
        self._last = line
