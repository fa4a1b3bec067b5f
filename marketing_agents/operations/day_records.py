"""Everything on record about single days: the status of every step, and what the morning ticks decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from marketing_agents.advertisers.registry import Registry
from marketing_agents.days import LocalDay
from marketing_agents.operations.freshness import due_at
from marketing_agents.operations.freshness_records import read_steps
from marketing_agents.operations.why_missing import LAST_STEP, STEPS, step_rank, why_missing
from marketing_agents.state.mornings import Morning, Mornings
from marketing_agents.state.store import StateStore
from marketing_agents.status import RecordedStatus, Status

_WORST_FIRST: tuple[Status, ...] = ("failed", "blocked", "refused", "paused", "degraded", "ok")


@dataclass(frozen=True)
class DayRecord:
    """One day of one advertiser. `due`: when its report was or will be due (UTC); `steps` in the order of work."""

    where: LocalDay
    time_zone: str
    due: datetime
    steps: tuple[RecordedStatus, ...]
    morning: Morning | None

    @property
    def is_done(self) -> bool:
        return any(s.outcome.step == LAST_STEP and s.outcome.is_usable for s in self.steps)

    def status(self, step: str) -> str:
        """Status of one of STEPS; the worst one of the domains for `analysis`; a dash when the step never ran."""
        found = [s.outcome.status for s in self.steps if step_rank(s.outcome.step) == STEPS.index(step)]
        return min(found, key=_WORST_FIRST.index) if found else "–"

    @property
    def note(self) -> str:
        """The reason of the report, or why there is none; empty when nothing is on record."""
        if not self.steps and self.morning is None:
            return ""
        if not self.is_done:
            return why_missing(self.time_zone, self.morning, self.steps)
        return next(s.outcome.reason for s in self.steps if s.outcome.step == LAST_STEP)

    def as_data(self) -> dict[str, Any]:
        """For JSON: instants in UTC."""
        return {
            "advertiser": self.where.advertiser_id,
            "date": self.where.day.isoformat(),
            "due": self.due.isoformat(),
            "is_done": self.is_done,
            "note": self.note,
            "steps": [
                {
                    "step": s.outcome.step,
                    "status": s.outcome.status,
                    "reason": s.outcome.reason,
                    "run_id": s.run_id,
                    "updated_at": s.updated_at.isoformat(),
                }
                for s in self.steps
            ],
            "morning": {
                "outcome": self.morning.outcome,
                "reason": self.morning.reason,
                "attempts": self.morning.attempts,
                "scheduled_for": self.morning.scheduled_for.isoformat(),
            }
            if self.morning
            else None,
        }


def read_days(registry: Registry, state: StateStore, days: Sequence[LocalDay]) -> list[DayRecord]:
    """What is on record about days of advertisers of the registry, in the order given. Two queries."""
    steps, mornings = read_steps(state, days), Mornings(state).of(days)
    zones = {advertiser.id: advertiser.zone for advertiser in registry.advertisers}
    return [
        DayRecord(
            where=day,
            time_zone=zones[day.advertiser_id].key,
            due=due_at(day.day, zones[day.advertiser_id]),
            steps=tuple(sorted(steps.get(day, ()), key=lambda s: (step_rank(s.outcome.step), s.outcome.step))),
            morning=mornings.get(day),
        )
        for day in days
    ]


def day_cells(record: DayRecord, label: str | date) -> tuple[str, ...]:
    """Label, the status of every step, the last tick's decision, and the note."""
    morning = f"{record.morning.outcome} {record.morning.scheduled_for:%H:%M} UTC" if record.morning else "–"
    return (str(label), *(record.status(step) for step in STEPS), morning, record.note)
