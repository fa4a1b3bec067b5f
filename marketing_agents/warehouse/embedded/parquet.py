"""Tables to Parquet bytes and back: one way of writing, one way of reading many small files.

Measured on 2 cores with slices of 150 rows x 19 columns: encoding 0.35 ms with snappy and no statistics (0.9 ms with zstd); one DuckDB scan
over many files 0.4 ms a file, 1.1 ms when every footer also carries the Arrow schema, 0.8 ms when pyarrow opens them one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from marketing_agents.warehouse.store import WarehouseError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def encode(table: pa.Table) -> memoryview:
    """One Parquet file in memory. Statistics are left out: a file is one slice, so there is nothing to prune inside it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="snappy", write_statistics=False, store_schema=False)
    return memoryview(sink.getvalue())


def connect(database: str = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection that answers the same on every machine: instants in UTC, nothing loaded from elsewhere."""
    import duckdb

    connection = duckdb.connect(database, read_only=read_only)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute(
        "SET disabled_optimizers = 'statistics_propagation'"
    )  # wrong sums of decimals in 2.0.0: see dbt_project/profiles.yml
    return connection


def scan(files: Sequence[str], *, union_by_name: bool = False) -> str:
    """SQL table function over an explicit list of files. Folder names are not parsed: the rows carry advertiser and date themselves."""
    quoted = ", ".join(quote_text(file) for file in files)
    return f"read_parquet([{quoted}], hive_partitioning = false, union_by_name = {str(union_by_name).lower()})"


def quote_text(text: str) -> str:
    """A SQL string literal. Only for paths, which DuckDB takes no parameters for inside views."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def to_arrow(connection: duckdb.DuckDBPyConnection, sql: str, *, what: str) -> pa.Table:
    """Result of a query of ours as Arrow.

    Raises:
        WarehouseError: a file that DuckDB cannot read, named.
    """
    import duckdb

    try:
        return connection.sql(sql).to_arrow_table()
    except duckdb.Error as error:
        raise WarehouseError(
            f"{what}: cannot be read: {str(error)[:500]}; if a file is damaged, delete it and run the partition's ingestion again"
        ) from error
