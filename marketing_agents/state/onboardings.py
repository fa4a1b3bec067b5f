"""Which advertisers had their history requested once, so that nobody is backfilled twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from marketing_agents.state.store import StateStore, in_utc


@dataclass(frozen=True)
class Onboarding:
    """The history that was requested for one advertiser; no days when there was nothing to request, with the reason as `note`."""

    advertiser_id: str
    first_date: date | None
    last_date: date | None
    note: str
    recorded_at: datetime | None = field(default=None, compare=False)
    """When it was first seen (UTC); set when read. No earlier day of this advertiser was ever due."""


class Onboardings:
    """The table `onboardings` of the state store."""

    def __init__(self, state: StateStore) -> None:
        self._state = state

    def record(self, onboardings: list[Onboarding], *, at: datetime | None = None) -> None:
        """Write them, all or none."""
        from marketing_agents.state.schema import ONBOARDINGS

        moment = (at or datetime.now(UTC)).astimezone(UTC)
        self._state.upsert(
            ONBOARDINGS,
            [
                {
                    "advertiser_id": o.advertiser_id,
                    "first_date": o.first_date,
                    "last_date": o.last_date,
                    "note": o.note,
                    "recorded_at": moment,
                }
                for o in onboardings
            ],
        )

    def read(self) -> dict[str, Onboarding]:
        """All of them, by advertiser."""
        import sqlalchemy as sa

        from marketing_agents.state.schema import ONBOARDINGS as T

        with self._state.engine().connect() as connection:
            rows = connection.execute(sa.select(T)).all()
        return {
            row.advertiser_id: Onboarding(row.advertiser_id, row.first_date, row.last_date, row.note, in_utc(row.recorded_at))
            for row in rows
        }
