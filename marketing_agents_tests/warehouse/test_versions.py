from __future__ import annotations

import os
import time
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents.warehouse.store import SliceRows, WarehouseError
from marketing_agents_tests.warehouse.rows import DAY, NOW, before, rates


@pytest.fixture
def warehouse(tmp_path):
    return EmbeddedWarehouse(tmp_path / "data", is_durable=False)


def write(warehouse, day, as_of, *values, loaded_at=NOW):
    return warehouse.write_version("fx_rates", LocalDay("acme", day), as_of, rates(day, *values), loaded_at=loaded_at, is_backfilled=False)


def read(warehouse, known_on, start=date(2026, 10, 1), end=DAY):
    return [(r["date"], r["as_of"], r["rate"]) for r in warehouse.read_raw("fx_rates", "acme", start, end, known_on=known_on).to_pylist()]


def test_reader_gets_the_newest_version_known_on_the_day(warehouse):
    write(warehouse, before(3), before(3), "1.1")
    write(warehouse, before(3), before(1), "1.3")
    write(warehouse, before(2), before(2), "2.2")

    assert read(warehouse, before(4)) == []
    assert read(warehouse, before(2)) == [(before(3), before(3), Decimal("1.1")), (before(2), before(2), Decimal("2.2"))]
    assert read(warehouse, DAY) == [(before(3), before(1), Decimal("1.3")), (before(2), before(2), Decimal("2.2"))]
    assert read(warehouse, DAY, start=before(2)) == [(before(2), before(2), Decimal("2.2"))]


def test_stored_columns_are_the_contract_plus_lineage(warehouse):
    write(warehouse, DAY, DAY, "1")
    rows = warehouse.read_raw("fx_rates", "acme", DAY, DAY, known_on=DAY)
    assert rows.schema.names == [*INPUT_TABLES["fx_rates"].column_names, "as_of", "loaded_at"]
    assert rows.schema.field("rate").type == pa.decimal128(18, 9)

    never_loaded = warehouse.read_raw("campaigns", "acme", DAY, DAY, known_on=DAY)
    assert never_loaded.num_rows == 0
    assert never_loaded.schema.names == [*INPUT_TABLES["campaigns"].column_names, "date", "as_of", "loaded_at"]
    assert never_loaded.schema.field("labels").type == pa.list_(pa.string())


def test_equal_content_is_not_written_again_and_other_content_replaces(warehouse):
    first = write(warehouse, DAY, DAY, "1", "2")
    again = write(warehouse, DAY, DAY, "1", "2", loaded_at=NOW + timedelta(hours=1))
    assert again == first

    changed = write(warehouse, DAY, DAY, "1", "3", loaded_at=NOW + timedelta(hours=2))
    assert warehouse.ingestion_log(["acme"]) == [changed]
    assert [rate for _, _, rate in read(warehouse, DAY)] == [Decimal(1), Decimal(3)]


def test_one_call_may_write_many_versions_of_one_slice(warehouse):
    """They are written by threads, which list the slice's folder while others add to it."""
    first = before(30)
    versions = [SliceRows(first, first + timedelta(days=n), rates(first, str(n + 1)), is_backfilled=False) for n in range(30)]

    written = warehouse.write_versions("fx_rates", "acme", versions, loaded_at=NOW)

    assert all(result.is_new for result in written)
    assert [entry.as_of for entry in warehouse.ingestion_log(["acme"])] == [item.as_of for item in versions]


def test_a_clock_that_was_set_back_does_not_bring_replaced_rows_back(warehouse):
    write(warehouse, DAY, DAY, "1")
    write(warehouse, DAY, DAY, "2", loaded_at=NOW - timedelta(days=400))

    assert [rate for _, _, rate in read(warehouse, DAY)] == [Decimal(2)]


def test_a_look_back_fill_never_touches_a_day_that_has_a_version(warehouse):
    own = write(warehouse, DAY, DAY, "1")
    fill = SliceRows(DAY, DAY, rates(DAY, "9"), is_backfilled=True, keep_existing=True)

    (result,) = warehouse.write_versions("fx_rates", "acme", [fill], loaded_at=NOW + timedelta(days=1))

    assert (result.entry, result.is_new) == (own, False)
    assert warehouse.ingestion_log(["acme"]) == [own]


def test_an_empty_slice_is_a_version(warehouse):
    entry = write(warehouse, DAY, DAY)

    assert entry.rows == 0
    assert warehouse.ingestion_log(["acme"], tables=["fx_rates"]) == [entry]
    assert read(warehouse, DAY) == []


def test_log_is_what_was_written_and_nothing_is_opened_for_it(warehouse, tmp_path):
    entries = sorted([write(warehouse, before(n), before(n), "1") for n in range(3)] + [write(warehouse, before(2), before(1), "2")])
    for file in (tmp_path / "data").rglob("*.parquet"):
        file.write_bytes(b"not parquet")

    assert warehouse.ingestion_log(["acme", "beta"]) == entries
    assert warehouse.ingestion_log(["acme"], start=before(1), end=before(1)) == [e for e in entries if e.date == before(1)]
    assert warehouse.ingestion_log(["beta"]) == []


def test_leftovers_and_strangers_are_not_versions(warehouse, tmp_path):
    entry = write(warehouse, DAY, DAY, "1")
    folder = next((tmp_path / "data").rglob("*.parquet")).parent
    for name in (".tmp-1-abc", ".tmp-2-def.parquet", "notes.parquet", "2026-11-20~rX~habc~l1~b0~v1.parquet"):
        (folder / name).write_bytes(b"half a fi")
    os.utime(folder / ".tmp-1-abc", (time.time() - 7200,) * 2)

    assert warehouse.ingestion_log(["acme"]) == [entry]
    assert read(warehouse, DAY) == [(DAY, DAY, Decimal(1))]
    write(warehouse, DAY, DAY, "2", loaded_at=NOW + timedelta(hours=1))
    assert not (folder / ".tmp-1-abc").exists(), "an hour-old leftover is swept by the next writer"
    assert (folder / ".tmp-2-def.parquet").exists(), "a young one may belong to a writer at work"


def test_crash_between_publishing_and_removing_is_resolved(warehouse, tmp_path):
    """Given both files of a replacement, readers take the newer one; an hour later the next writer removes the older one."""
    write(warehouse, DAY, DAY, "1")
    write(warehouse, DAY, DAY, "2", loaded_at=NOW + timedelta(hours=1))
    files = sorted((tmp_path / "data").rglob("*.parquet"))
    assert len(files) == 2, "the replaced file stays for readers that hold its name"
    assert [rate for _, _, rate in read(warehouse, DAY)] == [Decimal(2)]

    for file in files:
        os.utime(file, (time.time() - 7200,) * 2)
    write(warehouse, DAY, DAY + timedelta(days=1), "3", loaded_at=NOW + timedelta(days=1))
    remaining = {f.name for f in (tmp_path / "data").rglob("*.parquet")}
    assert len(remaining) == 2
    assert [rate for _, _, rate in read(warehouse, DAY)] == [Decimal(2)]


def test_files_of_an_older_contract_read_with_empty_new_columns(warehouse, tmp_path):
    write(warehouse, DAY, DAY, "1")
    (file,) = (tmp_path / "data").rglob("*.parquet")
    old = pq.read_table(file, partitioning=None).drop_columns(["from_currency"])
    pq.write_table(old, file.with_name(file.name.replace("~v1", "~v0")))
    file.unlink()
    write(warehouse, before(1), before(1), "2")

    rows = warehouse.read_raw("fx_rates", "acme", before(1), DAY, known_on=DAY).to_pylist()

    assert sorted((r["date"], r["from_currency"]) for r in rows) == [(before(1), "USD"), (DAY, None)]


@pytest.mark.parametrize("advertiser_id", ["../../etc", "a/b", "", ".", "Acme", "a|b", "x" * 300, "'; DROP TABLE x; --", "acme\n"])
def test_ids_that_are_no_slugs_never_reach_the_file_system(warehouse, tmp_path, advertiser_id):
    with pytest.raises(WarehouseError, match="is not a slug"):
        warehouse.write_version("fx_rates", LocalDay(advertiser_id, DAY), DAY, rates(DAY, "1"), loaded_at=NOW, is_backfilled=False)
    with pytest.raises(WarehouseError, match="is not a slug"):
        warehouse.read_raw("fx_rates", advertiser_id, DAY, DAY, known_on=DAY)
    assert not (tmp_path / "data").exists()


def test_a_hostile_campaign_name_is_data(warehouse):
    name = "'; DROP TABLE x; -- \x00\n{{ env_var('HOME') }} <script>"
    row = {
        "advertiser_id": "acme",
        "platform": "other",
        "account_id": "1|,\"' ",
        "campaign_id": "c" * 300,
        "name": name,
        "status": "enabled",
    }
    rows = pa.Table.from_pylist([{**row, "currency_code": "EUR", "valid_from": DAY}], schema=INPUT_TABLES["campaigns"].arrow_schema())
    warehouse.write_version("campaigns", LocalDay("acme", DAY), DAY, rows, loaded_at=NOW, is_backfilled=False)

    stored = warehouse.read_raw("campaigns", "acme", DAY, DAY, known_on=DAY).to_pylist()[0]

    assert {k: stored[k] for k in row} == row
    assert warehouse.query("SELECT name FROM campaigns WHERE name = $name", {"name": name}).to_pylist() == [{"name": name}]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (rates(before(1), "1"), "another advertiser or day"),
        (rates(DAY, "1", advertiser_id="beta"), "another advertiser or day"),
        (rates(DAY, "1").drop_columns(["rate"]), r"missing \['rate'\]"),
        (rates(DAY, "1").append_column("extra", pa.array([1])), r"unknown \['extra'\]"),
        (rates(DAY, "1").set_column(4, "rate", pa.array(["abc"])), "column 'rate' is string"),
        (rates(DAY, "1").set_column(4, "rate", pa.nulls(1, pa.decimal128(18, 9))), "required by the contract"),
    ],
)
def test_rows_that_do_not_fit_are_refused(warehouse, rows, message):
    with pytest.raises(WarehouseError, match=message):
        warehouse.write_version("fx_rates", LocalDay("acme", DAY), DAY, rows, loaded_at=NOW, is_backfilled=False)
    assert warehouse.ingestion_log(["acme"]) == []


def test_unknown_tables_are_named_with_the_nearest(warehouse):
    with pytest.raises(WarehouseError, match=r"unknown input table 'fx_rate' \(did you mean 'fx_rates'\?\)"):
        warehouse.read_raw("fx_rate", "acme", DAY, DAY, known_on=DAY)


def test_no_version_lies_before_its_day(warehouse):
    with pytest.raises(WarehouseError, match="before the day itself"):
        write(warehouse, DAY, before(1), "1")


def test_loaded_at_needs_a_zone(warehouse):
    with pytest.raises(WarehouseError, match="no time zone"):
        write(warehouse, DAY, DAY, "1", loaded_at=datetime(2026, 11, 21))


def test_a_data_folder_that_is_a_pattern_is_refused(tmp_path):
    with pytest.raises(WarehouseError, match="MARKETING_AGENTS_DATA_DIR"):
        write(EmbeddedWarehouse(tmp_path / "data[1]"), DAY, DAY, "1")


def test_dates_far_away_round_trip(warehouse):
    entry = write(warehouse, date(1999, 12, 31), date(2099, 1, 1), "1")
    assert warehouse.ingestion_log(["acme"]) == [entry]
