"""The morning of an advertiser's day: when it is due, and what a tick decides about it.

A morning opens at its nominal instant (`days.evaluation_instant`) and is decided anew at every tick from what is on record: runs that were
requested, the outcome of the day's last step, pauses, arrived tables. From noon on nothing is waited for. Everything here is a function of its
arguments; the time is the tick's scheduled time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.days import LocalDay, evaluation_instant, local_noon
from marketing_agents.state.mornings import Morning, MorningOutcome
from marketing_agents.status import RecordedStatus

LAST_STEP = "daily_report"
"""The step whose outcome says that a day is done."""
ENDS_LOCAL = time(13, 0)
"""Ticks from 12:00 to this time are last calls. The one at 12:30 asks again after a run that failed at noon, and stands in for noon when the
daemon was down: Dagster makes up only for the last tick that was missed."""
OPEN_OUTCOMES: frozenset[MorningOutcome] = frozenset({"waiting", "requested", "running"})
"""Outcomes that are not the end of a morning: ticks of the next day follow them up."""

RunState = Literal["created", "in_flight", "succeeded", "failed", "canceled"]


@dataclass(frozen=True)
class DueMorning:
    """A morning that a tick has to decide. `opened`: its nominal instant, UTC; `tick`: the tick's scheduled time, UTC."""

    advertiser: Advertiser
    day: date
    opened: datetime
    tick: datetime
    is_last_call: bool

    @property
    def local_day(self) -> LocalDay:
        return LocalDay(self.advertiser.id, self.day)


@dataclass(frozen=True)
class RequestedRun:
    """A run that a schedule requested. `created`: this very tick created it and was then interrupted before it was launched."""

    run_id: str
    attempt: int
    state: RunState
    is_permanent_failure: bool = False


@dataclass(frozen=True)
class Record:
    """What is on record about a morning. `obstacle`: why its partition cannot be requested, or empty; `paused`: why it is paused, or empty.

    `runs`: newest first, as requested by schedules. `report`: the outcome of the day's last step.
    """

    obstacle: str = ""
    paused: str = ""
    runs: tuple[RequestedRun, ...] = ()
    report: RecordedStatus | None = None

    @property
    def attempts(self) -> int:
        return max((run.attempt for run in self.runs), default=0)


def due_morning(advertiser: Advertiser, tick: datetime) -> DueMorning | None:
    """The morning of the local yesterday, or None outside of its window (nominal instant to noon, and the ticks just after)."""
    local = tick.astimezone(advertiser.zone)
    day = local.date() - timedelta(days=1)
    due = _morning(advertiser, day, tick)
    return due if due.opened <= due.tick and local.time() < ENDS_LOCAL else None


def open_morning(advertiser: Advertiser, earlier: Morning, tick: datetime) -> DueMorning | None:
    """A morning that was still open when its ticks ended (a run that failed in the afternoon, a daemon that was down at noon), or None."""
    day = tick.astimezone(advertiser.zone).date() - timedelta(days=2)
    if earlier.advertiser_id != advertiser.id or earlier.date != day or earlier.outcome not in OPEN_OUTCOMES:
        return None
    return _morning(advertiser, day, tick)


def _morning(advertiser: Advertiser, day: date, tick: datetime) -> DueMorning:
    opened = evaluation_instant(day, advertiser.zone, advertiser.run_time_local, advertiser.settle_lag_hours)
    noon = local_noon(day + timedelta(days=1), advertiser.zone)
    moment = tick.astimezone(UTC)
    return DueMorning(advertiser, day, opened, moment, moment >= noon)


def decide_without_data(due: DueMorning, record: Record, max_attempts: int) -> Morning | None:
    """The decision that needs no look at the source; None when the day would be requested if its tables are there."""
    if _is_done(due, record):
        assert record.report is not None
        made = record.report.outcome
        return _decided(due, record, "done", f"{made.status}: {made.reason}" if made.reason else made.status)
    if record.obstacle:
        return _decided(due, record, "unregistered", record.obstacle)
    if record.paused:
        return _decided(due, record, "paused", record.paused)
    decision = _after_runs(record, max_attempts) if record.runs else None
    return _decided(due, record, *decision) if decision else None


def _after_runs(record: Record, max_attempts: int) -> tuple[MorningOutcome, str] | None:
    """What runs that did not finish the day mean for it; None when it may be requested again."""
    newest = record.runs[0]
    named = f"run {newest.run_id[:8]} (attempt {newest.attempt})"
    decision: tuple[MorningOutcome, str] | None = None
    if newest.state == "created":
        decision = "requested", f"attempt {newest.attempt} of {max_attempts}, after an interrupted tick"
    elif any(run.state == "in_flight" for run in record.runs):
        decision = "running", named
    elif newest.state == "canceled":
        decision = "gave_up", f"{named} was canceled; materialize the day when it is wanted"
    elif newest.is_permanent_failure:
        decision = "gave_up", f"{named} {_ending(record)} for good: the same again would fail the same way"
    elif record.attempts >= max_attempts:
        decision = "gave_up", f"{named} {_ending(record)}, the last of {max_attempts} attempts"
    return decision


def decide_with_data(due: DueMorning, record: Record, missing: Sequence[str], max_attempts: int) -> Morning:
    """Request, or wait for what is `missing` (sentences of `Arrived.missing`). At the last call the day is requested without it."""
    if missing and not due.is_last_call:
        return _decided(due, record, "waiting", "; ".join(missing))
    reason = f"attempt {record.attempts + 1} of {max_attempts}"
    if record.runs:
        reason += f", because run {record.runs[0].run_id[:8]} {_ending(record)}"
    if missing:
        reason += f"; not waited for any longer: {'; '.join(missing)}"
    return Morning(due.advertiser.id, due.day, "requested", reason, record.attempts + 1, due.tick)


def _is_done(due: DueMorning, record: Record) -> bool:
    """A usable report made by this morning's run, or by anybody after the morning opened: one made at night with half the data is a draft."""
    report = record.report
    if report is None or not report.outcome.is_usable:
        return False
    return report.updated_at >= due.opened or any(run.run_id == report.run_id for run in record.runs)


def _ending(record: Record) -> str:
    """How the newest run ended, given that it did not finish the day."""
    newest, report = record.runs[0], record.report
    if newest.state == "failed":
        return "failed"
    if report is not None and report.run_id == newest.run_id:
        return f"ended with {LAST_STEP} {report.outcome.status}: {report.outcome.reason}"
    return f"ended without a {LAST_STEP}"


def _decided(due: DueMorning, record: Record, outcome: MorningOutcome, reason: str) -> Morning:
    return Morning(due.advertiser.id, due.day, outcome, reason, record.attempts, due.tick)


def summary(mornings: Sequence[Morning], *, named: int | None = None) -> list[str]:
    """One line per outcome: who, and why. `named`: how many advertisers a line names at most."""
    lines = []
    for outcome in ("waiting", "paused", "gave_up", "unregistered", "running", "requested", "done"):
        found = [m for m in mornings if m.outcome == outcome]
        if found:
            shown = found if named is None else found[:named]
            parts = [f"{m.advertiser_id} {m.date} ({m.reason})" for m in shown]
            more = f"; and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
            lines.append(f"{outcome}: {'; '.join(parts)}{more}")
    return lines
