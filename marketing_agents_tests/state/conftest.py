"""An empty state database on SQLite and, where a server answers, on Postgres."""

from __future__ import annotations

import os
import uuid

import pytest
import sqlalchemy as sa

from marketing_agents.state.store import StateStore


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'state.db'}"
        return
    server = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432")
    admin = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    name = f"ma_test_{uuid.uuid4().hex[:12]}"
    try:
        with admin.connect() as connection:
            connection.execute(sa.text(f"create database {name}"))
    except sa.exc.OperationalError:
        pytest.skip("not run: no Postgres on 127.0.0.1:5432 (set TEST_POSTGRES_URL)")
    yield f"{server}/{name}"
    with admin.connect() as connection:
        connection.execute(sa.text(f"drop database {name} with (force)"))


@pytest.fixture
def state(url):
    store = StateStore(url)
    yield store
    store.close()
