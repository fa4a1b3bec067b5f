"""Dagster's instance and the state store on Postgres: the same backfill, through the real daemon."""

from __future__ import annotations

import os
import uuid
from collections import Counter
from datetime import timedelta

import dagster as dg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from marketing_agents.days import LocalDay
from marketing_agents.sample.agency import write_agency
from marketing_agents_tests.e2e.deployment import Deployment
from marketing_agents_tests.e2e.pipeline import ANCHOR
from marketing_agents_tests.e2e.small_agency import small_spec

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432")
ADVERTISERS = ("harbour-thread", "kowhai-outdoors")
DAYS = (ANCHOR - timedelta(days=1), ANCHOR)


@pytest.fixture
def databases():
    """Two empty databases, for the instance and for the state store; dropped afterwards."""
    admin = sa.create_engine(f"{SERVER}/postgres", isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    names = [f"ma_test_{kind}_{uuid.uuid4().hex[:8]}" for kind in ("instance", "state")]
    try:
        with admin.connect() as connection:
            for name in names:
                connection.execute(sa.text(f"create database {name}"))
    except sa.exc.OperationalError:
        pytest.skip("not run: no Postgres on 127.0.0.1:5432 (set TEST_POSTGRES_URL)")
    yield names
    with admin.connect() as connection:
        for name in names:
            connection.execute(sa.text(f"drop database {name} with (force)"))


@pytest.fixture
def deployment(tmp_path, databases):
    instance, state = databases
    write_agency(tmp_path / "source", small_spec(*ADVERTISERS, days=45))
    state_url = f"{SERVER}/{state}"
    made = Deployment(
        tmp_path / "place",
        tmp_path / "source" / "input",
        tmp_path / "source" / "advertisers.yaml",
        chunk_size=2,
        # The driver must be named: without it SQLAlchemy 2.1 takes psycopg 3, with which dagster-postgres finds its connections closed.
        config={"storage": {"postgres": {"postgres_url": f"{SERVER.replace('+psycopg', '+psycopg2')}/{instance}"}}},
        environment={"MARKETING_AGENTS_STATE_URL": state_url},
    )
    made.settings = made.settings.model_copy(update={"state_url": SecretStr(state_url)})
    yield made.start()
    made.stop()


def test_a_backfill_on_postgres_makes_every_partition_once(deployment, databases):
    keys = [f"{advertiser}|{day}" for advertiser in ADVERTISERS for day in DAYS]
    status = deployment.wait_backfill(deployment.launch_backfill(keys), timeout_s=1500)
    assert status == "COMPLETED_SUCCESS", deployment.printed("code_server")

    made = Counter(
        str(record.partition_key)
        for record in deployment.instance.fetch_materializations(dg.AssetKey(["recommendations"]), limit=100).records
    )
    assert made == Counter(keys)
    days = [LocalDay(advertiser, day) for advertiser in ADVERTISERS for day in DAYS]
    assert {d: s.is_usable for d, s in deployment.state.statuses("daily_report", days).items()} == dict.fromkeys(days, True)
    assert all(deployment.warehouse.read_slices("findings", [day]).num_rows for day in days)
    # and nothing of it went into files beside it
    assert not list(deployment.home.rglob("*.db"))
    assert not list(deployment.data_dir.glob("state.db*"))
    assert tables_of(databases[0]) >= {"runs", "event_logs", "dynamic_partitions"}
    assert tables_of(databases[1]) >= {"partition_status", "kill_switch_log", "mornings"}


def tables_of(database: str) -> set[str]:
    return set(sa.inspect(sa.create_engine(f"{SERVER}/{database}")).get_table_names())
