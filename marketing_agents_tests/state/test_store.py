"""The state store on SQLite and, where a server answers, on Postgres."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketing_agents.days import LocalDay
from marketing_agents.state.migrate import HEAD, StateError, current_revision
from marketing_agents.state.schema import METADATA
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus

DAY = date(2026, 11, 20)


def test_outcomes_are_replaced_per_step_and_partition(url):
    store = StateStore(url)
    store.record_status(
        [PartitionStatus("ingestion", "acme", DAY, "failed", "no file"), PartitionStatus("marts", "acme", DAY, "ok")], run_id="r1"
    )
    store.record_status([PartitionStatus("ingestion", "acme", DAY, "degraded", "orders_daily is missing")], run_id="r2")

    found = store.statuses("ingestion", [LocalDay("acme", DAY), LocalDay("zeta", DAY)])

    assert found == {LocalDay("acme", DAY): PartitionStatus("ingestion", "acme", DAY, "degraded", "orders_daily is missing")}
    store.close()


def test_many_partitions_in_one_question(url):
    store = StateStore(url)
    days = [LocalDay(f"adv-{n:04d}", DAY) for n in range(1000)]
    store.record_status([PartitionStatus("findings", d.advertiser_id, d.day, "ok") for d in days], run_id="r1")
    assert len(store.statuses("findings", days)) == 1000
    store.close()


def test_migrations_make_the_schema_that_the_code_expects(url):
    store = StateStore(url)
    store.statuses("x", [])
    engine = sa.create_engine(url)
    inspector = sa.inspect(engine)
    for table in METADATA.tables.values():
        columns = {c["name"]: (c["nullable"], type(c["type"]).__name__) for c in inspector.get_columns(table.name)}
        assert set(columns) == {c.name for c in table.columns}
        assert {n for n, (nullable, _) in columns.items() if nullable} == {c.name for c in table.columns if c.nullable}
        assert set(inspector.get_pk_constraint(table.name)["constrained_columns"]) == {c.name for c in table.primary_key}
    with engine.connect() as connection:
        assert current_revision(connection) == HEAD
    engine.dispose()
    store.close()


def test_a_newer_schema_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    StateStore(url).statuses("x", [])
    with sa.create_engine(url).begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StateError, match="has schema 9999"):
        StateStore(url).statuses("x", [])


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "is not a database URL"),
        ("mysql://root:hunter2@127.0.0.1/x", "mysql is not supported"),
        ("sqlite:////proc/nowhere/state.db", "cannot be opened"),
        ("postgresql+psycopg://u:hunter2@127.0.0.1:1/x", "cannot be opened"),
        ("postgresql+psycopg://127.0.0.1:1/x?user=u&password=hunter2", "cannot be opened"),
        ("postgresql+psycopg://u:hunter2@127.0.0.1:port/x", "is not a database URL"),
    ],
)
def test_a_bad_address_is_named_without_its_password(url, message):
    with pytest.raises(StateError, match=message) as caught:
        StateStore(url).statuses("x", [])
    assert "hunter2" not in str(caught.value)


def test_four_processes_open_and_write_at_once(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    script = (
        "import sys; from datetime import date; from marketing_agents.state.store import StateStore; "
        "from marketing_agents.status import PartitionStatus as P\n"
        "s = StateStore(sys.argv[1])\n"
        "for n in range(20): s.record_status([P('ingestion', f'a-{sys.argv[2]}-{n}', date(2026, 11, 20), 'ok')], run_id='r')"
    )
    processes = [subprocess.Popen([sys.executable, "-c", script, url, str(n)], cwd=Path(__file__).parents[2]) for n in range(4)]
    assert [p.wait(timeout=60) for p in processes] == [0, 0, 0, 0]
    wanted = [LocalDay(f"a-{p}-{n}", DAY) for p in range(4) for n in range(20)]
    assert len(StateStore(url).statuses("ingestion", wanted)) == 80
