"""Brings a state database to the current schema, once, also when several processes open it at the same moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

HEAD = "0002"
_POSTGRES_LOCK = 727_501  # any number, the same in all processes


class StateError(RuntimeError):
    """The state store cannot be used; the message names the database (without credentials) and the next step."""


def shown_address(url: URL) -> str:
    """The address for messages: no password, and no query, which may hold one."""
    return url.set(query={}).render_as_string(hide_password=True)


def current_revision(connection: Connection) -> str | None:
    """Revision of the database, or None for an empty one."""
    import sqlalchemy as sa

    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("select version_num from alembic_version")).scalar()


def upgrade(engine: Engine) -> None:
    """Apply outstanding migrations under a lock. Does not import alembic when there is nothing to do.

    Raises:
        StateError: the database was written by a newer version of this project.
    """
    with engine.connect() as connection:
        found = current_revision(connection)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise StateError(f"state store {shown_address(engine.url)} has schema {found}, this version knows {HEAD}: update the project")
    if engine.dialect.name == "sqlite" and engine.url.database not in (None, "", ":memory:"):
        _upgrade_sqlite(engine)
    else:
        _upgrade_server(engine)


def _upgrade_sqlite(engine: Engine) -> None:
    import fcntl

    lock_file = Path(f"{engine.url.database}.migrating")
    with lock_file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with engine.begin() as connection:
            _run(connection)


def _upgrade_server(engine: Engine) -> None:
    import sqlalchemy as sa

    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _POSTGRES_LOCK})
        _run(connection)


def _run(connection: Connection) -> None:
    if current_revision(connection) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
