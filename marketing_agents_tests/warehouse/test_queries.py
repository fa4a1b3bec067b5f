from __future__ import annotations

from decimal import Decimal

import pytest

from marketing_agents.days import LocalDay
from marketing_agents.warehouse.catalog import INPUT_TABLES, RESULT_TABLES
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents.warehouse.store import WarehouseError
from marketing_agents_tests.warehouse.rows import DAY, NOW, before, evaluations, rates


@pytest.fixture
def warehouse(tmp_path):
    store = EmbeddedWarehouse(tmp_path / "data", is_durable=False)
    store.write_version("fx_rates", LocalDay("acme", before(1)), before(1), rates(before(1), "1"), loaded_at=NOW, is_backfilled=False)
    store.write_version("fx_rates", LocalDay("acme", before(1)), DAY, rates(before(1), "2"), loaded_at=NOW, is_backfilled=False)
    store.write_version("fx_rates", LocalDay("beta", DAY), DAY, rates(DAY, "3", advertiser_id="beta"), loaded_at=NOW, is_backfilled=False)
    store.replace_slices("rule_evaluations", evaluations(LocalDay("acme", DAY)), [LocalDay("acme", DAY)])
    return store


@pytest.mark.parametrize(
    ("sql", "parameters", "expected"),
    [
        ("SELECT sum(rate) AS v FROM fx_rates", None, Decimal(5)),
        ("select rate as v from FX_RATES where advertiser_id = $who", {"who": "acme"}, Decimal(2)),
        ("SELECT count(*) AS v FROM fx_rates WHERE advertiser_id = $who", {"who": "' OR 1=1 --"}, 0),
        ("SELECT count(*) AS v FROM ingestion_log", None, 3),
        ("SELECT count(*) AS v FROM rule_evaluations", None, 1),
        ("SELECT count(*) AS v FROM findings JOIN campaigns USING (advertiser_id)", None, 0),
        ("SELECT count(*) AS v FROM results.rule_evaluations JOIN raw.fx_rates USING (advertiser_id)", None, 1),
        ("WITH x AS (SELECT * FROM fx_rates) SELECT count(*) AS v FROM x", None, 2),
    ],
)
def test_a_query_sees_the_newest_versions(warehouse, sql, parameters, expected):
    assert warehouse.query(sql, parameters).to_pylist() == [{"v": expected}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '{data}/warehouse/raw/x.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{data}/warehouse/raw/x.csv'",
        "DROP VIEW fx_rates",
        "SELECT 1; SELECT 2",
        "SET enable_external_access = true",
        "ATTACH '{data}/warehouse/x.db'",
        "INSERT INTO fx_rates SELECT * FROM fx_rates",
        "SELECT * FROM no_such_table",
        "SELEC",
        "",
    ],
)
def test_a_query_can_only_read_the_warehouse(warehouse, tmp_path, sql):
    files = sorted(tmp_path.rglob("*"))
    with pytest.raises(WarehouseError):
        warehouse.query(sql.format(data=tmp_path / "data"))
    assert sorted(tmp_path.rglob("*")) == files


def test_a_shell_has_every_table(warehouse):
    with warehouse.connect_views() as connection:
        tables = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
    assert tables == {*INPUT_TABLES, *RESULT_TABLES, "ingestion_log"}


def test_an_empty_warehouse_can_be_asked(tmp_path):
    assert EmbeddedWarehouse(tmp_path / "nothing").query("SELECT count(*) AS v FROM fx_rates").to_pylist() == [{"v": 0}]
