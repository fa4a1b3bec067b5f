"""Arrivals from BigQuery: one job for all advertisers and tables, values as parameters, names from contracts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest
import sqlglot

from marketing_agents.ingestion.bigquery import BigQuerySource
from marketing_agents.ingestion.bigquery_arrivals import arrivals_query
from marketing_agents.ingestion.source import AccountClock, ArrivedDay, SourceError
from marketing_agents.resources.bigquery import BigQueryClients
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableKind
from marketing_agents_tests.wire.fake_bigquery import FAULTS, FakeBigQuery

DATASET = "p1-test.ads"
ADS = "ad_performance_daily"
START, END = date(2026, 11, 14), date(2026, 11, 20)
ODD = "o'neil; DROP TABLE x; --"


@pytest.fixture(autouse=True)
def _loopback_only_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    for name in ("BIGQUERY_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)


def ads() -> pa.Table:
    days = [date(2026, 11, 13), START, START, END, date(2026, 11, 21), None]
    rows = [
        {"advertiser_id": owner, "date": day, "platform": "google_ads", "account_id": 123456789012345678, "account_time_zone": "UTC"}
        for owner in ("acme", ODD, "nobody")
        for day in days
    ]
    types = {"date": pa.date32(), "account_id": pa.int64()}
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, types.get(name, pa.string())) for name in rows[0]]))


def orders() -> pa.Table:
    return pa.table({"advertiser_id": ["acme"], "date": pa.array([END], pa.date32()), "orders": [1]})


def accounts() -> pa.Table:
    return pa.table(
        {
            "advertiser_id": ["acme", "nobody"],
            "platform": ["google_ads", "google_ads"],
            "account_id": ["123456789012345678", "4"],
            "time_zone": ["Pacific/Auckland", "UTC"],
            "settle_lag_hours": [12, 1],
        }
    )


@pytest.fixture
def server() -> Iterator[FakeBigQuery]:
    with FakeBigQuery(page_rows=2) as fake:
        fake.load(DATASET, ADS, ads())
        fake.load(DATASET, "orders_daily", orders())
        fake.load(DATASET, "platform_accounts", accounts())
        yield fake


@pytest.fixture
def source(server: FakeBigQuery) -> Iterator[BigQuerySource]:
    with BigQueryClients(project="p1-test", emulator_host=server.url).open_source(DATASET) as opened:
        yield opened


def test_one_job_answers_for_all_advertisers_and_tables(source: BigQuerySource, server: FakeBigQuery) -> None:
    answer = source.arrivals([INPUT_TABLES[ADS], INPUT_TABLES["orders_daily"]], ["acme", ODD], START, END)
    account = "123456789012345678"
    assert sorted(answer.days) == sorted(
        [ArrivedDay(ADS, owner, "google_ads", account, day, "UTC") for owner in ("acme", ODD) for day in (START, END)]
        + [ArrivedDay("orders_daily", "acme", None, None, END, None)],
    )
    assert answer.accounts == (AccountClock("acme", "google_ads", account, "Pacific/Auckland", 12),)
    assert answer.unusable == {}
    (job,) = server.jobs.values()
    assert ODD not in job.query["query"]
    assert {p["name"] for p in job.query["queryParameters"]} == {"advertiser_ids", "start", "end"}
    assert int(job.query["maximumBytesBilled"]) == 10 * 2**30
    assert job.labels == {"app": "marketing-agents", "query": "arrivals"}


def test_tables_that_cannot_be_used_are_said_and_the_others_answered(source: BigQuerySource, server: FakeBigQuery) -> None:
    server.load(DATASET, "web_sessions_daily", pa.table({"advertiser_id": ["acme"], "date": ["2026-11-20"]}))
    contracts = [INPUT_TABLES[t] for t in ("orders_daily", "web_sessions_daily", "fx_rates")]
    answer = source.arrivals(contracts, ["acme"], START, END)
    assert [row.table for row in answer.days] == ["orders_daily"]
    assert "has no table fx_rates" in answer.unusable["fx_rates"]
    assert "column date must be DATE" in answer.unusable["web_sessions_daily"]


def test_without_a_usable_table_nothing_is_billed(source: BigQuerySource, server: FakeBigQuery) -> None:
    answer = source.arrivals([INPUT_TABLES["fx_rates"]], ["acme"], START, END)
    assert answer.days == ()
    assert set(answer.unusable) == {"fx_rates"}
    assert not server.jobs


@pytest.mark.parametrize("fault", ["403", "503"])
def test_a_service_that_is_not_there_is_a_source_error(server: FakeBigQuery, fault: str) -> None:
    server.script(FAULTS[fault])
    with BigQueryClients(project="p1-test", emulator_host=server.url).get_client() as client:
        source = BigQuerySource(lambda: client, DATASET, timeout_s=1.5)
        with pytest.raises(SourceError):
            source.arrivals([INPUT_TABLES[ADS]], ["acme"], START, END)


def test_the_query_is_valid_bigquery_sql_for_all_tables_at_once() -> None:
    tables = [t for t in INPUT_TABLES.values() if t.kind is TableKind.DAILY]
    columns = {t.name: t.column_names for t in [*tables, INPUT_TABLES["platform_accounts"]]}
    tree = sqlglot.parse_one(arrivals_query(DATASET, columns), read="bigquery")
    assert {p.name for p in tree.find_all(sqlglot.exp.Parameter)} == {"advertiser_ids", "start", "end"}
    assert {table.name for table in tree.find_all(sqlglot.exp.Table)} == set(columns)
