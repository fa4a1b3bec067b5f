from __future__ import annotations

import os
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from marketing_agents.advertisers.registry import RegistryError
from marketing_agents.days import EPISODE_DAYS, LocalDay
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents.warehouse.store import WarehouseError
from marketing_agents_tests.warehouse.rows import DAY, NOW, REGISTRY, before, rates

ONE, TWO = LocalDay("acme", before(1)), LocalDay("acme", DAY)
FEATURES = (
    "CREATE TABLE marts.rate_features AS SELECT advertiser_id, date, sum(rate) AS total, count(*) AS n FROM raw.fx_rates GROUP BY ALL"
)


@pytest.fixture
def warehouse(tmp_path):
    store = EmbeddedWarehouse(tmp_path / "it's data", is_durable=False)
    for n in (0, 1, 2, 60, 170, 190):
        store.write_version(
            "fx_rates", LocalDay("acme", before(n)), before(n), rates(before(n), "1", "2"), loaded_at=NOW, is_backfilled=n > 2
        )
    store.write_version("fx_rates", ONE, DAY, rates(before(1), "5"), loaded_at=NOW, is_backfilled=False)
    store.write_version("fx_rates", LocalDay("beta", DAY), DAY, rates(DAY, "7", advertiser_id="beta"), loaded_at=NOW, is_backfilled=False)
    return store


def dbt(run, *statements):
    """What dbt does, as far as the warehouse sees it: another connection that writes the private file."""
    with duckdb.connect(run.dbt_environment["MARKETING_AGENTS_DBT_DATABASE"]) as connection:
        return [connection.execute(s).fetchall() for s in statements]


def test_dbt_finds_the_raw_tables_of_the_asked_partitions(warehouse):
    with warehouse.transform(REGISTRY, [ONE], run_id="run-1") as run:
        days, asked, log, advertisers, tables, kept = dbt(
            run,
            "SELECT date, as_of, count(*) FROM raw.fx_rates GROUP BY ALL ORDER BY ALL",
            "SELECT * FROM raw.asked_slices",
            "SELECT table_name, advertiser_id, date, as_of, rows, is_backfilled FROM raw.ingestion_log ORDER BY date",
            "SELECT advertiser_id, time_zone, run_time_local, target_cpa, settle_lag_hours FROM raw.advertisers",
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'raw' ORDER BY 1",
            "SELECT count(*) FROM raw.campaigns WHERE list_contains(labels, 'x') AND as_of < loaded_at AND date = as_of",
        )

    # The version of `before(1)` that was loaded a day later is not known on the asked day; 176 days is past the look-back.
    assert days == [(before(n), before(n), 2) for n in (170, 60, 2, 1)]
    assert asked == [("acme", before(1), EPISODE_DAYS)]
    assert log == [("fx_rates", "acme", before(n), before(n), 2, n > 2) for n in (170, 60, 2, 1)]
    assert advertisers == [("acme", "Europe/London", "06:00", Decimal("12.500000"), 3)]
    assert [t for (t,) in tables] == sorted([*INPUT_TABLES, "ingestion_log", "advertisers", "asked_slices"])
    assert kept == [(0,)]


def test_all_versions_up_to_the_newest_asked_day_are_there(warehouse):
    with warehouse.transform(REGISTRY, [ONE, TWO], run_id="run-1") as run:
        (versions,) = dbt(run, f"SELECT as_of, sum(rate) FROM raw.fx_rates WHERE date = '{before(1)}' GROUP BY ALL ORDER BY ALL")
    assert versions == [(before(1), Decimal(3)), (DAY, Decimal(5))]


def test_versions_written_while_dbt_works_are_not_seen(warehouse):
    with warehouse.transform(REGISTRY, [TWO], run_id="run-1") as run:
        warehouse.write_version("fx_rates", TWO, DAY, rates(DAY, "9"), loaded_at=NOW + timedelta(hours=1), is_backfilled=False)
        warehouse.write_version("fx_rates", ONE, DAY, rates(before(1), "9"), loaded_at=NOW + timedelta(hours=1), is_backfilled=False)
        (rows,) = dbt(run, f"SELECT date, sum(rate) FROM raw.fx_rates WHERE as_of = '{DAY}' GROUP BY ALL ORDER BY ALL")
    assert rows == [(before(1), Decimal(5)), (DAY, Decimal(3))]


def test_publishing_exports_the_asked_days_only_and_empty_days_too(warehouse):
    older = LocalDay("acme", before(2))
    with warehouse.transform(REGISTRY, [TWO, LocalDay("beta", DAY)], run_id="run-1") as run:
        dbt(run, FEATURES, f"DELETE FROM marts.rate_features WHERE advertiser_id = 'acme' AND date = '{DAY}'")
        counts = run.publish("rate_features", [TWO, LocalDay("beta", DAY)])

    assert counts == {TWO: 0, LocalDay("beta", DAY): 1}
    assert warehouse.read_slices("rate_features", [TWO, LocalDay("beta", DAY), older]).to_pylist() == [
        {"advertiser_id": "beta", "date": DAY, "total": Decimal(7), "n": 1}
    ]


def test_features_survive_the_private_database_until_they_are_discarded(warehouse, tmp_path):
    with warehouse.transform(REGISTRY, [ONE, TWO], run_id="run-1") as run:
        dbt(run, FEATURES)
        run.keep_features(["rate_features"])
        database = run.dbt_environment["MARKETING_AGENTS_DBT_DATABASE"]

    assert not Path(database).exists()
    kept = warehouse.kept_features("run-1", [ONE, TWO])
    assert [r["date"] for r in kept["rate_features"].to_pylist()] == [before(170), before(60), before(2), before(1), DAY]
    part = warehouse.kept_features("run-1", [ONE])
    assert [r["date"] for r in part["rate_features"].to_pylist()] == [before(2), before(1)], "cut to the episode window of what is asked"
    assert warehouse.kept_features("run-1", [ONE, LocalDay("beta", DAY)]) is None, "does not cover beta"
    assert warehouse.kept_features("run-2", [ONE]) is None

    warehouse.discard_features("run-1")
    warehouse.discard_features("run-1")
    assert warehouse.kept_features("run-1", [ONE]) is None
    assert list((tmp_path / "it's data" / "scratch").iterdir()) == []


def test_failed_rows_of_a_stored_test(warehouse):
    with warehouse.transform(REGISTRY, [ONE], run_id="run-1") as run:
        dbt(
            run,
            'CREATE SCHEMA "main_audit"',
            'CREATE TABLE main_audit."not_null x" AS SELECT 7 AS n',
            "CREATE TABLE main_audit.passed(n INT)",
        )
        assert run.failed_rows('"private"."main_audit"."not_null x"').to_pylist() == [{"n": 7}]
        assert run.failed_rows("main_audit.passed") is None
        assert run.failed_rows("main_audit.never_stored") is None
        with pytest.raises(WarehouseError, match="not the name of a relation"):
            run.failed_rows("main_audit.passed; DROP TABLE x")


def test_a_mart_that_dbt_did_not_build_is_named(warehouse):
    with warehouse.transform(REGISTRY, [ONE], run_id="run-1") as run, pytest.raises(WarehouseError, match="mart 'rate_features' is not in"):
        run.publish("rate_features", [ONE])


def test_a_mart_without_a_slice_key_is_named(warehouse):
    with warehouse.transform(REGISTRY, [ONE], run_id="run-1") as run:
        dbt(run, "CREATE TABLE marts.m AS SELECT 'acme' AS advertiser_id")
        with pytest.raises(WarehouseError, match="has no column date"):
            run.publish("m", [ONE])


def test_private_databases_of_two_runs_do_not_meet_and_leave_nothing(warehouse, tmp_path):
    with warehouse.transform(REGISTRY, [ONE], run_id="run-1") as one, warehouse.transform(REGISTRY, [ONE], run_id="run-1") as other:
        assert one.dbt_environment != other.dbt_environment
        dbt(one, FEATURES)
        dbt(other, FEATURES)
    with pytest.raises(RuntimeError, match="dbt died"), warehouse.transform(REGISTRY, [ONE], run_id="run-1"):
        raise RuntimeError("dbt died")
    assert list((tmp_path / "it's data" / "scratch").iterdir()) == []


def test_day_old_scratch_is_swept(warehouse, tmp_path):
    scratch = tmp_path / "it's data" / "scratch"
    for name, age_h in (("dead-1", 25), ("alive-2", 1)):
        (scratch / name).mkdir(parents=True)
        os.utime(scratch / name, (time.time() - age_h * 3600,) * 2)
    with warehouse.transform(REGISTRY, [ONE], run_id="run-1"):
        pass
    assert [p.name for p in scratch.iterdir()] == ["alive-2"]


@pytest.mark.parametrize("run_id", ["../x", "", "a/b", ".x", "x" * 101])
def test_run_ids_are_folder_names(warehouse, run_id):
    with pytest.raises(WarehouseError, match="run id"), warehouse.transform(REGISTRY, [ONE], run_id=run_id):
        pass


def test_wrong_requests_are_refused(warehouse):
    with pytest.raises(WarehouseError, match="no partition"), warehouse.transform(REGISTRY, [], run_id="r"):
        pass
    with (
        pytest.raises(RegistryError, match="unknown advertiser 'nobody'"),
        warehouse.transform(REGISTRY, [LocalDay("nobody", DAY)], run_id="r"),
    ):
        pass


def test_a_damaged_file_is_named(warehouse, tmp_path):
    file = next((tmp_path / "it's data" / "warehouse" / "raw" / "fx_rates" / "advertiser_id=beta").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:40])
    with (
        pytest.raises(WarehouseError, match=r"raw\.fx_rates: stored slices cannot be read"),
        warehouse.transform(REGISTRY, [LocalDay("beta", DAY)], run_id="r"),
    ):
        pass


def test_lists_of_thousands_of_files_work(warehouse):
    """A view over an explicit list has no limit that 100 advertisers x 265 days would meet (20,000 names here, one file behind them)."""
    from marketing_agents.warehouse.embedded.layout import VersionFile
    from marketing_agents.warehouse.embedded.reading import select_files

    contract = INPUT_TABLES["fx_rates"]
    file = next(iter(warehouse._versions.files("fx_rates", "beta", DAY, DAY)))
    files = [VersionFile(file.entry, file.contract_version, file.path)] * 20_000
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW v AS {select_files(contract, files)}")
        assert connection.execute("SELECT count(*) FROM v").fetchall() == [(20_000,)]
