"""The state store: rule labels and partition outcomes, in SQLite (WAL) by default or any database SQLAlchemy reaches."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketing_agents.days import LocalDay
from marketing_agents.state.migrate import StateError, shown_address, upgrade
from marketing_agents.status import PartitionStatus, RecordedStatus

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine, Table

    from marketing_agents.rules.classification import DomainLabel

_KEYS_PER_QUERY = 300  # three bound values a key; SQLite allows 32,766


class StateStore:
    """Opens lazily; safe to use from several threads and processes. Credentials of the URL never appear in messages."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine: Engine | None = None
        self._opening = threading.Lock()

    def record_status(self, statuses: Sequence[PartitionStatus], *, run_id: str, at: datetime | None = None) -> None:
        """Write outcomes of a step, all or none; an earlier outcome of the same (step, partition) is replaced."""
        from marketing_agents.state.schema import PARTITION_STATUS

        moment = (at or datetime.now(UTC)).astimezone(UTC)
        self.upsert(
            PARTITION_STATUS,
            [
                {
                    "advertiser_id": s.advertiser_id,
                    "date": s.date,
                    "step": s.step,
                    "status": s.status,
                    "reason": s.reason,
                    "run_id": run_id,
                    "updated_at": moment,
                }
                for s in statuses
            ],
        )

    def statuses(self, step: str, days: Iterable[LocalDay]) -> dict[LocalDay, PartitionStatus]:
        """Outcomes of one step; partitions that the step never saw are absent."""
        import sqlalchemy as sa

        from marketing_agents.state.schema import PARTITION_STATUS as T

        wanted = sorted(set(days))
        found: dict[LocalDay, PartitionStatus] = {}
        with self.engine().connect() as connection:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                keys = [(d.advertiser_id, d.day) for d in wanted[start : start + _KEYS_PER_QUERY]]
                query = sa.select(T.c.advertiser_id, T.c.date, T.c.status, T.c.reason).where(
                    T.c.step == step, sa.tuple_(T.c.advertiser_id, T.c.date).in_(keys)
                )
                for row in connection.execute(query):
                    day = LocalDay(row.advertiser_id, row.date)
                    found[day] = PartitionStatus(step, row.advertiser_id, row.date, row.status, row.reason)
        return found

    def recorded(
        self, step: str, *, advertiser_ids: Iterable[str] | None = None, start: date | None = None, end: date | None = None
    ) -> list[RecordedStatus]:
        """Outcomes of one step in `start <= date <= end` with the run that wrote them and when, by advertiser and date."""
        import sqlalchemy as sa

        from marketing_agents.state.schema import PARTITION_STATUS as T

        query = sa.select(T).where(T.c.step == step).order_by(T.c.advertiser_id, T.c.date)
        if start is not None:
            query = query.where(T.c.date >= start)
        if end is not None:
            query = query.where(T.c.date <= end)
        if advertiser_ids is not None:
            query = query.where(T.c.advertiser_id.in_(sorted(set(advertiser_ids))))
        with self.engine().connect() as connection:
            return [
                RecordedStatus(
                    PartitionStatus(row.step, row.advertiser_id, row.date, row.status, row.reason), row.run_id, in_utc(row.updated_at)
                )
                for row in connection.execute(query)
            ]

    def get_labels(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], DomainLabel]:
        """Stored labels by (rule id, text hash)."""
        import sqlalchemy as sa

        from marketing_agents.rules.classification import DomainLabel
        from marketing_agents.state.schema import RULE_LABELS as T

        wanted = sorted(set(keys))
        found: dict[tuple[str, str], DomainLabel] = {}
        with self.engine().connect() as connection:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                query = sa.select(T).where(sa.tuple_(T.c.rule_id, T.c.text_hash).in_(wanted[start : start + _KEYS_PER_QUERY]))
                for row in connection.execute(query):
                    found[row.rule_id, row.text_hash] = DomainLabel(
                        rule_id=row.rule_id,
                        text_hash=row.text_hash,
                        domain=row.domain,
                        tier=row.tier,
                        confidence=row.confidence,
                        model=row.model,
                        reason=row.reason,
                    )
        return found

    def save_labels(self, labels: Iterable[DomainLabel]) -> None:
        """Store labels by (rule id, text hash), replacing earlier ones."""
        from marketing_agents.state.schema import RULE_LABELS

        moment = datetime.now(UTC)
        self.upsert(
            RULE_LABELS,
            [
                {
                    "rule_id": label.rule_id,
                    "text_hash": label.text_hash,
                    "domain": label.domain,
                    "tier": label.tier,
                    "confidence": label.confidence,
                    "model": label.model,
                    "reason": label.reason,
                    "decided_at": moment,
                }
                for label in labels
            ],
        )

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def upsert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows, replacing those with the same primary key, all or none."""
        if not rows:
            return
        engine = self.engine()
        if engine.dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import insert as pg_insert

            statement: Any = pg_insert(table)
        else:
            from sqlalchemy.dialects.sqlite import insert as sqlite_insert

            statement = sqlite_insert(table)
        keys = [c.name for c in table.primary_key]
        changes = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with engine.begin() as connection:
                connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), rows)
        except SQLAlchemyError as error:
            raise _write_error(engine.url, table.name, keys, rows, error) from error

    def engine(self) -> Engine:
        """The engine on a migrated database, opened at the first use.

        Raises:
            StateError: the database cannot be opened.
        """
        with self._opening:
            if self._engine is None:
                self._engine = _connect(self._url)
        return self._engine


def in_utc(moment: datetime) -> datetime:
    """SQLite gives stored times back without their zone; all are stored in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _connect(url: str) -> Engine:
    """An engine on a migrated database.

    Raises:
        StateError: the URL is malformed, its dialect is not supported, or the database cannot be opened.
    """
    import sqlalchemy as sa
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    try:
        parsed = sa.engine.make_url(url)
    except (ArgumentError, ValueError):
        raise StateError("MARKETING_AGENTS_STATE_URL is not a database URL (for example postgresql+psycopg://user@host/name)") from None
    shown = shown_address(parsed)
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise StateError(f"MARKETING_AGENTS_STATE_URL: {parsed.get_backend_name()} is not supported; use sqlite or postgresql")
    is_sqlite = parsed.get_backend_name() == "sqlite"
    try:
        if is_sqlite and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed, pool_pre_ping=not is_sqlite, connect_args={"timeout": 30} if is_sqlite else {})
        if is_sqlite:
            sa.event.listen(engine, "connect", _use_wal)
        upgrade(engine)
    except NoSuchModuleError:
        raise StateError(
            f"MARKETING_AGENTS_STATE_URL: no driver for {shown}; install one (postgresql+psycopg needs the package psycopg)"
        ) from None
    except (SQLAlchemyError, OSError) as error:
        raise StateError(
            f"state store {shown} cannot be opened: {type(error).__name__}; check the address, the rights and the disk"
        ) from error
    return engine


def _write_error(url: URL, table: str, keys: Sequence[str], rows: Sequence[Mapping[str, Any]], error: Exception) -> StateError:
    """Without the statement and its values, which SQLAlchemy would print."""
    reason = str(getattr(error, "orig", None) or type(error).__name__).strip()
    first = " ".join(str(rows[0][key]) for key in keys)
    others = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    step = "free disk space where it lies, then run again" if "full" in reason or "No space left" in reason else "run again"
    return StateError(
        f"state store {shown_address(url)}: cannot write {table} of {first}{others}: {reason}; what was stored before is unchanged; {step}"
    )


def _use_wal(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers go on while one writes
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=30000")  # a chunk's outcomes are one short transaction; wait for the others
    cursor.close()
