"""Arrivals from files: which days have rows, whatever the file calls its columns and however it spells its days."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from marketing_agents.ingestion.files import FilesSource
from marketing_agents.ingestion.mapping import ColumnMapping
from marketing_agents.ingestion.source import AccountClock, ArrivedDay, SourceError
from marketing_agents.warehouse.catalog import INPUT_TABLES

ADS = "ad_performance_daily"
START, END = date(2026, 11, 14), date(2026, 11, 20)


def ad_rows():
    """Two rows per day, account and advertiser; days around the window and an empty one."""
    days = [date(2026, 11, 13), date(2026, 11, 14), date(2026, 11, 20), date(2026, 11, 21), None]
    return [
        {"advertiser_id": owner, "date": day, "platform": "google_ads", "account_id": account, "account_time_zone": "UTC", "spend": n}
        for owner, account in (("acme", "1"), ("acme", "2"), ("other", "3"), ("nobody", "4"))
        for day in days
        for n in range(2)
    ]


def write(folder, table, rows, kind="parquet"):
    columns = pa.Table.from_pylist(rows)
    if kind == "csv":
        pa_csv.write_csv(columns, folder / f"{table}.csv")
    else:
        pq.write_table(columns, folder / f"{table}.parquet")


def ask(folder, tables=(ADS,), ids=("acme", "other"), mapping=None):
    return FilesSource(folder, mapping).arrivals([INPUT_TABLES[t] for t in tables], ids, START, END)


EXPECTED = {
    ArrivedDay(ADS, owner, "google_ads", account, day, "UTC")
    for owner, account in (("acme", "1"), ("acme", "2"), ("other", "3"))
    for day in (START, END)
}


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_days_with_rows_of_the_asked_advertisers_once_each(tmp_path, kind):
    write(tmp_path, ADS, ad_rows(), kind)
    days = ask(tmp_path).days
    assert set(days) == EXPECTED
    assert len(days) == len(EXPECTED)


SPELLINGS = {
    "text": lambda column: pa.array([None if v is None else v.isoformat() for v in column], pa.string()),
    "midnights": lambda column: pa.array([None if v is None else datetime(v.year, v.month, v.day) for v in column], pa.timestamp("us")),
    "categories": lambda column: pa.array([None if v is None else v.isoformat() for v in column]).dictionary_encode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_however_parquet_holds_days(tmp_path, spelling):
    table = pa.Table.from_pylist(ad_rows())
    spelt = SPELLINGS[spelling](table.column("date").to_pylist())
    pq.write_table(table.set_column(table.schema.get_field_index("date"), "date", spelt), tmp_path / f"{ADS}.parquet")
    assert set(ask(tmp_path).days) == EXPECTED


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_numbers_as_ids_and_days_that_are_none(tmp_path, kind):
    rows = [{**row, "account_id": int(row["account_id"]), "date": str(row["date"] or "yesterday")} for row in ad_rows()]
    write(tmp_path, ADS, rows, kind)
    assert set(ask(tmp_path).days) == EXPECTED


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_renames_and_constants_of_the_mapping(tmp_path, kind):
    mapping = ColumnMapping.model_validate(
        {
            "tables": {
                ADS: {
                    "file": f"export.{kind}",
                    "columns": {"date": "day", "account_id": "customer"},
                    "constants": {"advertiser_id": "acme", "platform": "google_ads"},
                }
            }
        }
    )
    rows = [{"day": row["date"], "customer": row["account_id"], "account_time_zone": "UTC"} for row in ad_rows()]
    write(tmp_path, "export", rows, kind)
    expected = {ArrivedDay(ADS, "acme", "google_ads", str(n), day, "UTC") for n in (1, 2, 3, 4) for day in (START, END)}
    assert set(ask(tmp_path, mapping=mapping).days) == expected
    assert ask(tmp_path, mapping=mapping, ids=("other",)).days == ()


def test_tables_without_accounts(tmp_path):
    write(
        tmp_path,
        "orders_daily",
        [{"advertiser_id": "acme", "date": START, "orders": 1}, {"advertiser_id": "acme", "date": START, "orders": 2}],
    )
    assert ask(tmp_path, ["orders_daily"]).days == (ArrivedDay("orders_daily", "acme", None, None, START, None),)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_clocks_of_accounts(tmp_path, kind):
    write(tmp_path, ADS, ad_rows(), kind)
    accounts = [
        {"advertiser_id": "acme", "platform": "google_ads", "account_id": "1", "time_zone": "UTC", "settle_lag_hours": 12},
        {"advertiser_id": "acme", "platform": "google_ads", "account_id": "2", "time_zone": "Mars/Olympus", "settle_lag_hours": None},
        {"advertiser_id": "nobody", "platform": "google_ads", "account_id": "4", "time_zone": "UTC", "settle_lag_hours": 1},
    ]
    write(tmp_path, "platform_accounts", accounts, kind)
    assert set(ask(tmp_path).accounts) == {
        AccountClock("acme", "google_ads", "1", "UTC", 12),
        AccountClock("acme", "google_ads", "2", "Mars/Olympus", None),
    }


def test_what_cannot_be_used_is_said_per_table(tmp_path):
    write(tmp_path, ADS, ad_rows())
    (tmp_path / "orders_daily.parquet").write_bytes(b"no parquet")
    write(tmp_path, "web_sessions_daily", [{"date": START}])
    write(tmp_path, "campaign_metrics_daily", [{**row, "account_id": 1.5} for row in ad_rows()])
    (tmp_path / "platform_accounts.csv").write_text("")
    answer = ask(tmp_path, [ADS, "orders_daily", "web_sessions_daily", "campaign_metrics_daily", "fx_rates"])
    assert set(answer.days) == EXPECTED
    assert answer.accounts == ()
    assert {table: words for table, words in answer.unusable.items() if words} == answer.unusable
    assert "cannot be read as Parquet" in answer.unusable["orders_daily"]
    assert "advertiser_id" in answer.unusable["web_sessions_daily"]
    assert "account_id" in answer.unusable["campaign_metrics_daily"]
    assert "no file fx_rates" in answer.unusable["fx_rates"]


def test_a_folder_that_is_not_there_is_a_source_that_cannot_be_asked(tmp_path):
    with pytest.raises(SourceError, match="MARKETING_AGENTS_SOURCE_DIR"):
        ask(tmp_path / "none")
