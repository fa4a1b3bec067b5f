"""Wide files, sums and renamed values, through the files source."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketing_agents.ingestion.files import FilesSource
from marketing_agents.ingestion.mapping import ColumnMapping, load_mapping
from marketing_agents.ingestion.source import DataError, SourceError, TableProblem
from marketing_agents.ingestion.validation import validate
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents_tests.ingestion.sources import DAY, before

SESSIONS, ORDERS = INPUT_TABLES["web_sessions_daily"], INPUT_TABLES["orders_daily"]
WIDE = [{"date": str(before(1)), "direct_n": "5", "email_n": "2"}, {"date": str(DAY), "direct_n": "7", "email_n": "x"}]
UNPIVOT = {"into": "source_bucket", "values": "sessions", "columns": {"direct_n": "direct", "email_n": "email"}}
SHOP = [{"date": str(DAY), "touch": "Google", "n": "3", "gross": "10.10", "off": "0.20"}]
SHOP_MAP = {
    "columns": {"orders": "n", "channel_touch": "touch"},
    "constants": {"advertiser_id": "acme", "campaign_key": "NA", "currency_code": "USD"},
    "values": {"channel_touch": {"Google": "google_ads"}},
    "sums": {"revenue": ["gross", "-off"]},
}


def mapping(table: str, **entry: object) -> ColumnMapping:
    return ColumnMapping.model_validate({"tables": {table: {"file": "wide.csv", **entry}}})


def write(folder, rows, name="wide.csv"):
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), folder / name)
        return
    (folder / name).write_text("\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n", encoding="utf-8")


def test_columns_become_rows_and_a_problem_names_the_line_of_the_file(tmp_path):
    write(tmp_path, WIDE)
    source = FilesSource(tmp_path, mapping("web_sessions_daily", constants={"advertiser_id": "acme"}, unpivot=UNPIVOT))

    good = validate(SESSIONS, source.read(SESSIONS, "acme", before(1), before(1)))
    assert good.select(["source_bucket", "sessions"]).to_pylist() == [
        {"source_bucket": "direct", "sessions": 5},
        {"source_bucket": "email", "sessions": 2},
    ]
    with pytest.raises(DataError, match=r"wide\.csv: row 2 \(line 3\): sessions"):
        validate(SESSIONS, source.read(SESSIONS, "acme", DAY, DAY))


@pytest.mark.parametrize("name", ["wide.csv", "wide.parquet"])
def test_sums_are_exact_and_words_are_ours(tmp_path, name):
    write(tmp_path, SHOP, name)
    source = FilesSource(tmp_path, mapping("orders_daily", **{**SHOP_MAP, "file": name}))

    [row] = validate(ORDERS, source.read(ORDERS, "acme", DAY, DAY)).to_pylist()

    assert (row["channel_touch"], row["orders"], row["revenue"]) == ("google_ads", 3, Decimal("9.900000"))
    assert source.tables() == {"orders_daily"}
    assert source.arrivals([ORDERS], ["acme"], DAY, DAY) == source.arrivals([ORDERS], ["acme"], DAY, DAY)


def test_a_part_that_is_no_number_is_told_with_its_row_and_an_absent_one_leaves_the_sum_empty(tmp_path):
    write(tmp_path, [{**SHOP[0], "off": "free"}])
    with pytest.raises(DataError, match=r"line 2\): revenue: 'free'"):
        validate(ORDERS, FilesSource(tmp_path, mapping("orders_daily", **SHOP_MAP)).read(ORDERS, "acme", DAY, DAY))
    write(tmp_path, [{**SHOP[0], "off": ""}])
    with pytest.raises(DataError, match="revenue"):
        validate(ORDERS, FilesSource(tmp_path, mapping("orders_daily", **SHOP_MAP)).read(ORDERS, "acme", DAY, DAY))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sums": {"revenue": ["gros"]}}, r"reads 'gros' under sums, which is not in the file \(did you mean 'gross'\?\)"),
        ({"sums": {"gross": ["off"]}}, "makes 'gross' under sums, but the file has such a column"),
        ({"values": {"region": {"a": "b"}}}, r"reads 'region' under values\.region"),
        ({"unpivot": {"into": "channel_touch", "values": "orders", "columns": {"m": "x"}}}, r"reads 'm' under unpivot\.columns"),
    ],
)
def test_what_the_file_lacks_is_named(tmp_path, changes, message):
    write(tmp_path, SHOP)
    with pytest.raises(TableProblem, match=message):
        FilesSource(tmp_path, mapping("orders_daily", **changes)).read(ORDERS, "acme", DAY, DAY)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{sums: {revenu: [a]}}", r"sums\.revenu: unknown column \(did you mean 'revenue'\?\)"),
        ("{values: {channel: {a: b}}}", r"values\.channel: unknown column"),
        ("{sums: {revenue: []}}", "at least 1"),
        ("{unpivot: {into: chanel_touch, values: orders, columns: {a: b}}}", r"unpivot\.chanel_touch: unknown column"),
        ("{unpivot: {into: channel_touch, values: orders, columns: {}}}", "at least 1"),
        ("{unpivot: {into: channel_touch, columns: {a: b}}}", "Field required"),
        ("{sums: {revenue: [a]}, constants: {revenue: 1}}", "is under constants and under sums; keep one"),
        ("{columns: {orders: n}, unpivot: {into: channel_touch, values: orders, columns: {a: b}}}", "is under columns and under unpivot"),
    ],
)
def test_a_wrong_mapping_is_explained(tmp_path, text, message):
    path = tmp_path / "map.yaml"
    path.write_text(f"tables: {{orders_daily: {text}}}")
    with pytest.raises(SourceError, match=message):
        load_mapping(path)
