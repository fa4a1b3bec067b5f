"""Alembic environment: migrations always run on a connection that the store opened (see `state/migrate.py`)."""

from __future__ import annotations

from alembic import context

from marketing_agents.state.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
