"""The `bigquery` source with the real google-cloud-bigquery and dagster-gcp clients against a wire server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import sqlglot

from marketing_agents.ingestion.bigquery import BigQuerySource, query_text
from marketing_agents.ingestion.source import SourceError, TableProblem
from marketing_agents.resources.bigquery import BigQueryClients
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableKind
from marketing_agents_tests.wire.fake_bigquery import FAULTS, FakeBigQuery
from marketing_agents_tests.wire.server import refused_url

DATASET = "p1-test.ads"
START, END = date(2026, 11, 1), date(2026, 11, 3)


@pytest.fixture(autouse=True)
def _loopback_only_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    for name in ("BIGQUERY_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[FakeBigQuery]:
    with FakeBigQuery(page_rows=2) as fake:
        fake.load(DATASET, "orders_daily", orders())
        fake.load(DATASET, "campaigns", campaigns())
        fake.load(DATASET, "change_events", change_events())
        fake.load(DATASET, "not_ours", pa.table({"x": [1]}))
        yield fake


def orders() -> pa.Table:
    days = [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4), None]
    rows = [
        {
            "advertiser_id": advertiser,
            "date": day,
            "channel_touch": "direct",
            "campaign_key": "NA",
            "orders": 3,
            "new_customer_orders": None,
            "revenue": Decimal("12345678.123456"),
            "currency_code": "EUR",
            "a_column_of_theirs": "x",
        }
        for advertiser in ("acme", "other", "o'neil; DROP TABLE x; --")
        for day in days
    ]
    money = pa.decimal128(18, 6)
    types = {"date": pa.date32(), "orders": pa.int64(), "new_customer_orders": pa.int64(), "revenue": money}
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, types.get(name, pa.string())) for name in rows[0]]))


def campaigns() -> pa.Table:
    contract = INPUT_TABLES["campaigns"]
    row = dict.fromkeys(contract.column_names)
    row |= {
        "advertiser_id": "acme",
        "platform": "google_ads",
        "account_id": "1",
        "campaign_id": "123456789012345678",
        "name": "Ünïcode 'x'",
    }
    row |= {
        "status": "enabled",
        "labels": ["a", "b"],
        "currency_code": "EUR",
        "valid_from": date(2020, 1, 1),
        "daily_budget": Decimal("10.5"),
    }
    schema = pa.schema([field.with_nullable(True) for field in contract.arrow_schema()])
    return pa.Table.from_pylist([row], schema=schema)


def change_events() -> pa.Table:
    contract = INPUT_TABLES["change_events"]
    row = dict.fromkeys(contract.column_names, "x")
    row |= {"advertiser_id": "acme", "date": date(2026, 11, 2), "occurred_at": datetime(2026, 11, 2, 10, 30, 15, 123456, tzinfo=UTC)}
    return pa.Table.from_pylist([row], schema=contract.arrow_schema())


@pytest.fixture
def source(server: FakeBigQuery) -> Iterator[BigQuerySource]:
    with BigQueryClients(project="p1-test", emulator_host=server.url).open_source(DATASET) as opened:
        yield opened


def test_tables_are_the_input_tables_of_the_dataset(source: BigQuerySource) -> None:
    assert source.tables() == {"orders_daily", "campaigns", "change_events"}


def test_daily_rows_of_one_advertiser_with_both_ends_and_rows_without_a_date(source: BigQuerySource, server: FakeBigQuery) -> None:
    rows = source.read(INPUT_TABLES["orders_daily"], "acme", START, END)
    found = rows.table.to_pylist()
    assert sorted(str(row["date"]) for row in found) == ["2026-11-01", "2026-11-02", "2026-11-03", "None"]
    assert {row["advertiser_id"] for row in found} == {"acme"}
    assert {row["revenue"] for row in found} == {Decimal("12345678.123456")}, "money keeps its micros through pages and Arrow"
    assert "a_column_of_theirs" not in rows.table.column_names
    assert rows.ignored_columns == ("a_column_of_theirs",)
    assert rows.place == f"{DATASET}.orders_daily"
    assert rows.row_numbers() == [1, 2, 3, 4]
    assert len([r for r in server.requests if "/queries/" in r.path]) >= 2, "results come in pages"


def test_history_comes_whole_with_its_types(source: BigQuerySource) -> None:
    (row,) = source.read(INPUT_TABLES["campaigns"], "acme", START, END).table.to_pylist()
    assert row["campaign_id"] == "123456789012345678"
    assert row["name"] == "Ünïcode 'x'"
    assert row["labels"] == ["a", "b"]
    assert row["valid_from"] == date(2020, 1, 1)
    assert row["daily_budget"] == Decimal("10.5")


def test_instants_keep_their_microseconds(source: BigQuerySource) -> None:
    (row,) = source.read(INPUT_TABLES["change_events"], "acme", START, END).table.to_pylist()
    assert row["occurred_at"] == datetime(2026, 11, 2, 10, 30, 15, 123456, tzinfo=UTC)


@pytest.mark.parametrize("advertiser", ["o'neil; DROP TABLE x; --", "nobody' OR '1'='1", "@start", "a" * 300])
def test_values_are_parameters_and_never_text_of_the_query(source: BigQuerySource, server: FakeBigQuery, advertiser: str) -> None:
    rows = source.read(INPUT_TABLES["orders_daily"], advertiser, START, END).table
    assert rows.num_rows == (4 if advertiser.startswith("o'neil") else 0)
    (job,) = server.jobs.values()
    assert advertiser not in job.query["query"].replace("@start AND @end", "")
    assert {p["name"] for p in job.query["queryParameters"]} == {"advertiser_id", "start", "end"}


def test_jobs_carry_labels_and_a_cap_on_billed_bytes(source: BigQuerySource, server: FakeBigQuery) -> None:
    source.read(INPUT_TABLES["orders_daily"], "Acme GmbH", START, END)
    (job,) = server.jobs.values()
    assert job.labels == {"app": "marketing-agents", "table": "orders_daily", "advertiser": "acme_gmbh"}
    assert int(job.query["maximumBytesBilled"]) == 10 * 2**30


def test_a_query_above_the_cap_is_refused_with_the_reason(server: FakeBigQuery) -> None:
    clients = BigQueryClients(project="p1-test", emulator_host=server.url)
    with clients.open_source(DATASET, maximum_bytes_billed=10) as source, pytest.raises(SourceError, match="would bill more than"):
        source.read(INPUT_TABLES["orders_daily"], "acme", START, END)


FAULT_MESSAGES = {
    "401": (SourceError, "application-default login"),
    "403": (SourceError, "roles/bigquery.dataViewer"),
    "quota": (SourceError, "quota is used up"),
    "404": (SourceError, "MARKETING_AGENTS_SOURCE_DATASET"),
    "503": (SourceError, "not reached"),
    "html": (SourceError, "not reached"),
    "reset": (SourceError, "not reached"),
}


@pytest.mark.parametrize("fault", FAULT_MESSAGES)
def test_fault_that_lasts(server: FakeBigQuery, fault: str) -> None:
    server.script(FAULTS[fault])
    kind, words = FAULT_MESSAGES[fault]
    with BigQueryClients(project="p1-test", emulator_host=server.url).get_client() as client:
        source = BigQuerySource(lambda: client, DATASET, timeout_s=1.5)
        with pytest.raises(kind, match=words) as caught:
            source.tables()
    assert DATASET in str(caught.value)


@pytest.mark.parametrize("fault", ["503", "reset", "html"])
def test_fault_that_passes_is_retried(server: FakeBigQuery, source: BigQuerySource, fault: str) -> None:
    server.script(FAULTS[fault], times=1)
    assert source.read(INPUT_TABLES["orders_daily"], "acme", START, END).table.num_rows == 4


def test_refused_connection() -> None:
    clients = BigQueryClients(project="p1-test", emulator_host=refused_url())
    with clients.get_client() as client, pytest.raises(SourceError, match="not reached"):
        BigQuerySource(lambda: client, DATASET, timeout_s=1.0).tables()


def test_missing_dataset_table_and_columns_are_told_apart(server: FakeBigQuery) -> None:
    server.load(DATASET, "web_sessions_daily", pa.table({"advertiser_id": ["acme"], "date": ["2026-11-01"]}))
    server.load(DATASET, "consent_daily", pa.table({"date": [date(2026, 11, 1)]}))
    clients = BigQueryClients(project="p1-test", emulator_host=server.url)
    with clients.open_source(DATASET) as source:
        with pytest.raises(TableProblem, match=r"fx_rates: no such table"):
            source.read(INPUT_TABLES["fx_rates"], "acme", START, END)
        with pytest.raises(TableProblem, match="column date must be DATE, found STRING"):
            source.read(INPUT_TABLES["web_sessions_daily"], "acme", START, END)
        with pytest.raises(TableProblem, match="column advertiser_id must be STRING, found no such column"):
            source.read(INPUT_TABLES["consent_daily"], "acme", START, END)
    with clients.open_source("p1-test.none") as source, pytest.raises(SourceError, match=r"p1-test\.none does not exist"):
        source.tables()


@pytest.mark.parametrize("dataset", ["ads", "", "p1-test.ads; DROP TABLE x", "p1-test.ads`", "p1-test.a.b"])
def test_a_dataset_name_that_is_none_is_refused(dataset: str) -> None:
    with pytest.raises(SourceError, match=r"project\.dataset"):
        BigQuerySource(lambda: pytest.fail("no client is made"), dataset)


def test_opening_a_source_makes_no_request(server: FakeBigQuery, source: BigQuerySource) -> None:
    assert source.name == "bigquery"
    assert server.requests == []


def test_the_real_client_comes_from_dagster_gcp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without an emulator setting the client is dagster-gcp's with application default credentials: a token is fetched and sent."""
    with FakeBigQuery(needs_token=True) as server:
        server.load(DATASET, "orders_daily", orders())
        credentials = tmp_path / "adc.json"
        credentials.write_text(json.dumps({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(credentials))
        monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{server.url}/token")
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.url)  # only tells the client where the API is
        with BigQueryClients(project="p1-test").open_source(DATASET) as source:
            assert source.read(INPUT_TABLES["orders_daily"], "acme", START, END).table.num_rows == 4
        assert any(r.path == "/token" for r in server.requests)


def test_without_credentials_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with BigQueryClients(project="p1-test").open_source(DATASET) as source, pytest.raises(SourceError, match="application-default login"):
        source.tables()


@pytest.mark.parametrize("table", sorted(INPUT_TABLES))
def test_every_query_is_valid_bigquery_sql(table: str) -> None:
    contract = INPUT_TABLES[table]
    tree = sqlglot.parse_one(query_text(DATASET, contract, contract.column_names), read="bigquery")
    expected = {"advertiser_id", "start", "end"} if contract.kind is TableKind.DAILY else {"advertiser_id"}
    assert {p.name for p in tree.find_all(sqlglot.exp.Parameter)} == expected
