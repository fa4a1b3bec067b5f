"""What the morning ticks decided for each advertiser and day: every advertiser-day ran, or its reason is on record here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from marketing_agents.days import LocalDay
from marketing_agents.state.store import StateStore, in_utc

MorningOutcome = Literal["waiting", "requested", "running", "done", "paused", "unregistered", "gave_up"]
_KEYS_PER_QUERY = 5000  # two bound values a key; SQLite allows 32,766


@dataclass(frozen=True)
class Morning:
    """The decision of the last tick about one advertiser's day.

    `outcome`: waiting (for tables, `reason` names them), requested (by this tick), running, done, paused, unregistered (no partition yet),
    gave_up (failed for good, or too often). `attempts`: runs requested so far. `scheduled_for`: scheduled time of the tick, UTC.
    """

    advertiser_id: str
    date: date
    outcome: MorningOutcome
    reason: str
    attempts: int
    scheduled_for: datetime


class Mornings:
    """The table `mornings` of the state store."""

    def __init__(self, state: StateStore) -> None:
        self._state = state

    def record(self, mornings: Sequence[Morning]) -> None:
        """Write decisions, all or none; the earlier decision about the same day is replaced."""
        from marketing_agents.state.schema import MORNINGS

        self._state.upsert(
            MORNINGS,
            [
                {
                    "advertiser_id": m.advertiser_id,
                    "date": m.date,
                    "outcome": m.outcome,
                    "reason": m.reason,
                    "attempts": m.attempts,
                    "scheduled_for": m.scheduled_for,
                }
                for m in mornings
            ],
        )

    def read(self, *, advertiser_ids: Iterable[str] | None = None, start: date | None = None, end: date | None = None) -> list[Morning]:
        """Decisions in `start <= date <= end`, by advertiser and date."""
        import sqlalchemy as sa

        from marketing_agents.state.schema import MORNINGS as T

        query = sa.select(T).order_by(T.c.advertiser_id, T.c.date)
        if start is not None:
            query = query.where(T.c.date >= start)
        if end is not None:
            query = query.where(T.c.date <= end)
        if advertiser_ids is not None:
            query = query.where(T.c.advertiser_id.in_(sorted(set(advertiser_ids))))
        with self._state.engine().connect() as connection:
            return [_morning(row) for row in connection.execute(query)]

    def of(self, days: Iterable[LocalDay]) -> dict[LocalDay, Morning]:
        """Decisions about these days; days that no tick has seen are absent."""
        import sqlalchemy as sa

        from marketing_agents.state.schema import MORNINGS as T

        wanted = sorted(set(days))
        found: dict[LocalDay, Morning] = {}
        with self._state.engine().connect() as connection:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                keys = [tuple(day) for day in wanted[start : start + _KEYS_PER_QUERY]]
                for row in connection.execute(sa.select(T).where(sa.tuple_(T.c.advertiser_id, T.c.date).in_(keys))):
                    found[LocalDay(row.advertiser_id, row.date)] = _morning(row)
        return found


def _morning(row: Any) -> Morning:
    return Morning(row.advertiser_id, row.date, row.outcome, row.reason, row.attempts, in_utc(row.scheduled_for))
