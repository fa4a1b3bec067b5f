from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketing_agents.ingestion.files import FilesSource
from marketing_agents.ingestion.mapping import ColumnMapping, load_mapping
from marketing_agents.ingestion.source import DataError, SourceError, TableProblem
from marketing_agents.ingestion.validation import validate
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents_tests.ingestion.sources import DAY, before, event, order

ORDERS = INPUT_TABLES["orders_daily"]
START = before(9)


def write_parquet(folder, rows, name="orders_daily"):
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")


def write_csv(folder, rows, name="orders_daily", header=None):
    names = header or list(rows[0])
    lines = [",".join(names), *(",".join("" if row.get(n) is None else str(row[n]) for n in names) for row in rows)]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(folder, advertiser="acme", start=START, end=DAY, mapping=None, contract=ORDERS):
    return FilesSource(folder, mapping).read(contract, advertiser, start, end)


@pytest.mark.parametrize("write", [write_parquet, write_csv])
def test_rows_of_one_advertiser_and_window_with_their_place(tmp_path, write):
    rows = [order(before(20)), order(DAY, advertiser_id="beta"), order(before(9)), order(DAY), order(DAY, advertiser_id="acme2")]
    write(tmp_path, rows)

    got = read(tmp_path)

    assert validate(ORDERS, got).column("date").to_pylist() == [before(9), DAY]
    assert got.row_numbers() == [3, 4]


@pytest.mark.parametrize(
    "dates",
    [
        pa.array([before(20), DAY, None]),
        pa.array([str(before(20)), str(DAY), "soon"]),
        pa.array([before(20), DAY, None]).cast(pa.timestamp("ns")),
    ],
)
def test_rows_without_a_readable_date_are_handed_on(tmp_path, dates):
    table = pa.Table.from_pylist([order(DAY)] * 3)
    pq.write_table(table.set_column(table.schema.get_field_index("date"), "date", dates), tmp_path / "orders_daily.parquet")

    got = read(tmp_path)

    assert got.row_numbers() == [2, 3]
    with pytest.raises(DataError, match=r"orders_daily\.parquet: row 3: date"):
        validate(ORDERS, got)


def test_csv_problems_name_the_line(tmp_path):
    header = "advertiser_id,date,channel_touch,campaign_key,orders,revenue,currency_code"
    lines = [header, f'acme,{DAY},direct,"two\nlines",1,1.5,EUR', "", f"acme,{DAY},direct,c2,1,-1.5,EUR"]
    (tmp_path / "orders_daily.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())

    with pytest.raises(DataError, match=r"orders_daily\.csv: row 2 \(line 5\): revenue: '-1\.5': expected at least 0"):
        validate(ORDERS, read(tmp_path))


def test_ids_of_a_csv_stay_text(tmp_path):
    write_csv(tmp_path, [order(DAY, campaign="00120210000000000001")])
    assert validate(ORDERS, read(tmp_path)).column("campaign_key").to_pylist() == ["00120210000000000001"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: not even a header line"),
        (b"a,b\n", "column 'advertiser_id' is missing"),
        (b"advertiser_id,date,date\nx,y,z\n", "columns appear more than once: 'date'"),
        (b"advertiser_id,date\nacme,2026-11-20,5\n", "line 2: 3 values, the header has 2 columns"),
        (b"advertiser_id,date\nacme,\xff\xfe\n", r"orders_daily\.csv: "),
    ],
)
def test_files_that_cannot_be_read_say_why(tmp_path, content, message):
    (tmp_path / "orders_daily.csv").write_bytes(content)
    with pytest.raises(TableProblem, match=message):
        validate(ORDERS, read(tmp_path))


def test_a_file_that_is_not_parquet_says_so(tmp_path):
    (tmp_path / "orders_daily.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(TableProblem, match=r"orders_daily\.parquet: cannot be read as Parquet"):
        read(tmp_path)


def test_a_header_without_rows_is_an_empty_table(tmp_path):
    write_csv(tmp_path, [], header=ORDERS.column_names)
    assert validate(ORDERS, read(tmp_path)).num_rows == 0


def test_two_files_of_one_table_are_ambiguous(tmp_path):
    write_csv(tmp_path, [order(DAY)])
    write_parquet(tmp_path, [order(DAY)])
    with pytest.raises(TableProblem, match="both exist; keep one"):
        read(tmp_path)


def test_a_missing_folder_names_the_setting(tmp_path):
    with pytest.raises(SourceError, match="MARKETING_AGENTS_SOURCE_DIR"):
        FilesSource(tmp_path / "nothing").tables()


def test_tables_are_the_files_of_known_names(tmp_path):
    write_csv(tmp_path, [order(DAY)])
    write_parquet(tmp_path, [event()], "calendar_events")
    write_parquet(tmp_path, [event()], "unknown_table")
    assert FilesSource(tmp_path).tables() == {"orders_daily", "calendar_events"}


def test_a_csv_is_parsed_once_until_it_changes(tmp_path):
    source = FilesSource(tmp_path)
    write_csv(tmp_path, [order(DAY)])
    first = source._csv(tmp_path / "orders_daily.csv")
    assert source._csv(tmp_path / "orders_daily.csv") is first

    write_csv(tmp_path, [order(DAY), order(DAY, campaign="c2")])
    os.utime(tmp_path / "orders_daily.csv", (1, 1))
    assert source.read(ORDERS, "acme", DAY, DAY).table.num_rows == 2


def test_a_mapping_renames_and_adds_constants(tmp_path):
    (tmp_path / "map.yaml").write_text(
        "tables:\n  orders_daily:\n    file: shop/export.csv\n"
        "    columns: {revenue: Umsatz, date: Tag}\n    constants: {advertiser_id: acme, currency_code: EUR, channel_touch: direct}\n"
    )
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "export.csv").write_text(f"Tag,campaign_key,orders,Umsatz,revenue\n{DAY},c1,2,7.25,999\n", encoding="utf-8")
    mapping = load_mapping(tmp_path / "map.yaml")

    got = read(tmp_path, mapping=mapping)
    (row,) = validate(ORDERS, got).to_pylist()

    assert (row["advertiser_id"], row["date"], str(row["revenue"]), row["currency_code"]) == ("acme", DAY, "7.250000", "EUR")
    assert got.ignored_columns == ("revenue",)
    assert read(tmp_path, advertiser="beta", mapping=mapping).table.num_rows == 0
    assert FilesSource(tmp_path, mapping).tables() == {"orders_daily"}


def test_a_mapped_column_that_the_file_lacks_is_named(tmp_path):
    write_csv(tmp_path, [order(DAY)])
    mapping = ColumnMapping.model_validate({"tables": {"orders_daily": {"columns": {"revenue": "revenu"}}}})
    with pytest.raises(TableProblem, match=r"takes 'revenue' from 'revenu', which is not in the file \(did you mean 'revenue'\?\)"):
        read(tmp_path, mapping=mapping)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tables: {order_daily: {}}", r"tables\.order_daily: unknown table \(did you mean 'orders_daily'\?\)"),
        ("tables: {orders_daily: {columns: {revenu: x}}}", r"columns\.revenu: unknown column \(did you mean 'revenue'\?\)"),
        ("tables: {orders_daily: {constants: {foo_bar_baz: x}}}", r"constants\.foo_bar_baz: unknown column"),
        ("tables: {orders_daily: {columns: {revenue: x, refunds: x}}}", "'x' is mapped to more than one column"),
        ("tables: {orders_daily: {columns: {revenue: x}, constants: {revenue: 1}}}", "under columns and under constants"),
        ("tables: {orders_daily: {file: ../../etc/passwd.csv}}", "must lie inside the source folder"),
        ("tables: {orders_daily: {file: /etc/x.csv}}", "must lie inside the source folder"),
        ("tables: {orders_daily: {file: x.xlsx}}", r"must end in \.parquet or \.csv"),
        ("tables: {orders_daily: {column: {revenue: x}}}", r"tables\.orders_daily\.column: Extra inputs"),
        ("table: {}", "table: Extra inputs"),
        ("- a", "valid dictionary"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_wrong_mapping_is_explained(tmp_path, text, message):
    path = tmp_path / "map.yaml"
    path.write_text(text)
    with pytest.raises(SourceError, match=message):
        load_mapping(path)


def test_a_missing_mapping_names_the_setting(tmp_path):
    with pytest.raises(SourceError, match="MARKETING_AGENTS_SOURCE_MAPPING"):
        load_mapping(tmp_path / "no.yaml")
