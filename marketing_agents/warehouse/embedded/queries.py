"""Ad hoc SQL over all tables as views: raw tables (newest versions), result tables, published marts, `ingestion_log`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from marketing_agents.warehouse.catalog import INPUT_TABLES, RESULT_TABLES
from marketing_agents.warehouse.contract import DUCKDB_TYPES
from marketing_agents.warehouse.embedded.layout import VersionFile
from marketing_agents.warehouse.embedded.parquet import connect, quote_name, quote_text, scan
from marketing_agents.warehouse.embedded.reading import log_table, select_files
from marketing_agents.warehouse.embedded.slices import SliceStore
from marketing_agents.warehouse.embedded.versions import VersionStore
from marketing_agents.warehouse.store import WarehouseError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

LOG = "ingestion_log"
_SCHEMAS = ("results", "marts", "raw")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def run_query(versions: VersionStore, slices: SliceStore, sql: str, parameters: Mapping[str, object] | None) -> pa.Table:
    """One SELECT with named parameters (`$name`).

    The statement can read the warehouse's own files and nothing else: no other file, no network, no setting.

    Raises:
        WarehouseError: more than one statement, anything but a SELECT, or SQL that DuckDB refuses (its message is passed on).
    """
    with view_connection(versions, slices, mentioned=_WORD.findall(sql)) as connection:
        return ask(connection, sql, parameters)


def ask(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
    """One SELECT (also DESCRIBE, SUMMARIZE, SHOW TABLES) on a connection of `view_connection`.

    Raises:
        WarehouseError: more than one statement, anything but a SELECT, or SQL that DuckDB refuses (its message is passed on).
    """
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
        # COPY could write into the warehouse's folder, which must be open for reading; EXPLAIN ANALYZE runs what it explains.
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise WarehouseError("a query is one SELECT statement; the warehouse is written by the pipeline only")
        return connection.sql(sql, params=dict(parameters or {})).to_arrow_table()
    except duckdb.Error as error:
        raise WarehouseError(f"query failed: {str(error)[:1000]}") from error


def view_connection(versions: VersionStore, slices: SliceStore, *, mentioned: Iterable[str] | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with the tables as views, shut off from everything but the warehouse's folder.

    Views lie in the schemas `raw`, `marts` and `results`; a bare name finds them too, because names are unique among the three.

    Args:
        versions: raw slices.
        slices: result tables and marts.
        mentioned: words of the SQL to come; only tables among them get a view. None: all tables (for a shell).
    """
    words = None if mentioned is None else {word.lower() for word in mentioned}
    connection = connect()
    for schema in _SCHEMAS:
        connection.execute(f"CREATE SCHEMA {schema}")
    for table, contract in INPUT_TABLES.items():
        if words is None or table in words:
            _view(connection, "raw", table, select_files(contract, _newest(versions, table)))
    if words is None or LOG in words:
        everything = [f for table in INPUT_TABLES for a in _advertisers(versions, table) for f in versions.files(table, a, None, None)]
        connection.register("_log", log_table([file.entry for file in everything]))
        connection.execute(f"CREATE TABLE raw.{LOG} AS SELECT * FROM _log")  # noqa: S608 - constant
        connection.unregister("_log")
    for table in RESULT_TABLES:
        if words is None or table in words:
            _view(connection, "results", table, _result_select(slices, table))
    for table in _marts(slices):
        if (words is None or table in words) and (files := slices.all_files("marts", table)):
            _view(connection, "marts", table, f"SELECT * FROM {scan(files, union_by_name=True)}")  # noqa: S608 - quoted paths
    connection.execute(f"SET search_path = {quote_text(','.join(_SCHEMAS))}")
    connection.execute(f"SET allowed_directories = [{quote_text(str(slices.layout.warehouse_dir))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _view(connection: duckdb.DuckDBPyConnection, schema: str, table: str, select: str) -> None:
    connection.execute(f"CREATE VIEW {schema}.{quote_name(table)} AS {select}")


def _newest(versions: VersionStore, table: str) -> list[VersionFile]:
    newest = {}
    for advertiser in _advertisers(versions, table):
        for file in versions.files(table, advertiser, None, None):
            newest[advertiser, file.entry.date] = file  # by date and as_of: the last one is the newest
    return list(newest.values())


def _advertisers(versions: VersionStore, table: str) -> list[str]:
    folder = versions.layout.table_dir("raw", table)
    return sorted(p.name.removeprefix("advertiser_id=") for p in folder.glob("advertiser_id=*")) if folder.is_dir() else []


def _marts(slices: SliceStore) -> list[str]:
    folder = slices.layout.area_dir("marts")
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")) if folder.is_dir() else []


def _result_select(slices: SliceStore, table: str) -> str:
    contract = RESULT_TABLES[table]
    files = slices.all_files("results", table)
    if files:
        return f"SELECT * FROM {scan(files, union_by_name=True)}"  # noqa: S608 - quoted paths
    columns = ", ".join(f"NULL::{DUCKDB_TYPES[c.type]} AS {quote_name(c.name)}" for c in contract.columns)
    return f"SELECT {columns} WHERE false"
