"""The kill switch: who paused whom, why, until when. A log that is only added to; the last entry of an advertiser is in force.

It lives in the state store so that it survives restarts and reaches every process; a pause in the registry file (`paused: true`) is the other,
permanent way to hold an advertiser.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from marketing_agents.state.store import StateStore, in_utc

_WHO_CHARS, _WHY_CHARS = 200, 1000


class KillSwitchError(ValueError):
    """A pause or resume that makes no sense; the message names the advertiser and what is expected."""


@dataclass(frozen=True)
class SwitchEntry:
    """One pause or resume. Times are UTC; `until` is set for pauses that end by themselves."""

    advertiser_id: str
    action: Literal["pause", "resume"]
    who: str
    why: str
    until: datetime | None
    at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether this entry, being the last one, keeps its advertiser paused at `at`."""
        return self.action == "pause" and (self.until is None or at < self.until)

    @property
    def reason(self) -> str:
        """One sentence for status, metadata and ticks."""
        end = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"paused by {self.who}{end}: {self.why}"


class KillSwitch:
    """Pauses and resumes in the state store."""

    def __init__(self, state: StateStore) -> None:
        self._state = state

    def pause(self, advertiser_id: str, *, who: str, why: str, until: datetime | None = None, at: datetime | None = None) -> SwitchEntry:
        """Hold an advertiser: schedules skip it, and a run that works on it stops at its next step.

        Raises:
            KillSwitchError: nobody or nothing is named, or `until` has no zone or is not in the future of `at`.
        """
        moment = (at or datetime.now(UTC)).astimezone(UTC)
        if until is not None and until.tzinfo is None:
            raise KillSwitchError(
                f"pause of {advertiser_id}: `until` {until.isoformat()} has no time zone; write for example 2026-11-30T08:00+01:00"
            )
        if until is not None and until <= moment:
            raise KillSwitchError(f"pause of {advertiser_id}: `until` {until.isoformat()} is over already")
        return self._add(SwitchEntry(advertiser_id, "pause", who, why, until.astimezone(UTC) if until else None, moment))

    def resume(self, advertiser_id: str, *, who: str, why: str, at: datetime | None = None) -> SwitchEntry:
        """Let an advertiser go again.

        Raises:
            KillSwitchError: nobody or nothing is named, or the advertiser is not paused.
        """
        moment = (at or datetime.now(UTC)).astimezone(UTC)
        if advertiser_id not in self.paused(moment, [advertiser_id]):
            raise KillSwitchError(f"{advertiser_id} is not paused; `marketing-agents status` shows who is")
        return self._add(SwitchEntry(advertiser_id, "resume", who, why, None, moment))

    def paused(self, at: datetime, advertiser_ids: Iterable[str] | None = None) -> dict[str, SwitchEntry]:
        """Pauses in force at `at`, by advertiser. One query, however many advertisers.

        An entry counts from when it is written, also for an `at` before that: a late tick must not start what was stopped meanwhile.
        """
        import sqlalchemy as sa

        from marketing_agents.state.schema import KILL_SWITCH_LOG as T

        newest = sa.select(sa.func.max(T.c.id)).group_by(T.c.advertiser_id)
        if advertiser_ids is not None:
            newest = newest.where(T.c.advertiser_id.in_(sorted(set(advertiser_ids))))
        with self._state.engine().connect() as connection:
            entries = [_entry(row) for row in connection.execute(sa.select(T).where(T.c.id.in_(newest)))]
        return {entry.advertiser_id: entry for entry in entries if entry.holds(at)}

    def history(self, advertiser_ids: Iterable[str] | None = None) -> list[SwitchEntry]:
        """All entries, oldest first."""
        import sqlalchemy as sa

        from marketing_agents.state.schema import KILL_SWITCH_LOG as T

        query = sa.select(T).order_by(T.c.id)
        if advertiser_ids is not None:
            query = query.where(T.c.advertiser_id.in_(sorted(set(advertiser_ids))))
        with self._state.engine().connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def _add(self, entry: SwitchEntry) -> SwitchEntry:
        import sqlalchemy as sa

        from marketing_agents.state.schema import KILL_SWITCH_LOG

        # One line each: both are shown in ticks and tables, and Postgres stores no NUL.
        kept = replace(entry, who=_one_line(entry.who, _WHO_CHARS), why=_one_line(entry.why, _WHY_CHARS))
        if not kept.who or not kept.why:
            raise KillSwitchError(f"{kept.action} of {kept.advertiser_id}: say who and why")
        with self._state.engine().begin() as connection:
            connection.execute(sa.insert(KILL_SWITCH_LOG).values(asdict(kept)))
        return kept


def _one_line(text: str, limit: int) -> str:
    line = " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _entry(row: Any) -> SwitchEntry:
    return SwitchEntry(row.advertiser_id, row.action, row.who, row.why, in_utc(row.until) if row.until else None, in_utc(row.at))
