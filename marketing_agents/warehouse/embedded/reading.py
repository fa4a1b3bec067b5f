"""Stored raw files as rows: explicit lists, one scan, columns of today's contract.

Files written under an older contract version lack columns that were added since; they read as empty values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from marketing_agents.warehouse.contract import DUCKDB_TYPES, ColumnType, TableContract
from marketing_agents.warehouse.embedded.layout import VersionFile
from marketing_agents.warehouse.embedded.parquet import connect, quote_name, scan, to_arrow
from marketing_agents.warehouse.embedded.versions import stored_schema
from marketing_agents.warehouse.store import SliceVersion

if TYPE_CHECKING:
    import pyarrow as pa

_FILES_PER_SCAN = 5000
"""Longest file list of one table function; a view over more is a UNION ALL."""


def stored_columns(contract: TableContract) -> dict[str, str]:
    """Columns of a stored slice with their DuckDB types."""
    columns = {c.name: DUCKDB_TYPES[c.type] for c in contract.columns}
    columns.setdefault("date", DUCKDB_TYPES[ColumnType.DATE])
    return columns | {"as_of": DUCKDB_TYPES[ColumnType.DATE], "loaded_at": DUCKDB_TYPES[ColumnType.TIMESTAMP]}


def select_files(contract: TableContract, files: Sequence[VersionFile]) -> str:
    """A SELECT over the files' rows in stored columns; typed and empty when there are no files."""
    columns = stored_columns(contract)
    # 0-row files are information for the log, not for a scan.
    groups: dict[int, list[str]] = defaultdict(list)
    for file in files:
        if file.entry.rows:
            groups[file.contract_version].append(file.path)
    selects = []
    for version, paths in sorted(groups.items()):
        present = columns if version == contract.version else _columns_of(paths[0])
        for i in range(0, len(paths), _FILES_PER_SCAN):
            selects.append(f"SELECT {_projection(columns, present)} FROM {scan(paths[i : i + _FILES_PER_SCAN])}")  # noqa: S608, PERF401 - quoted
    if not selects:
        return f"SELECT {_projection(columns, ())} WHERE false"
    return " UNION ALL ".join(selects)


def read_files(contract: TableContract, files: Sequence[VersionFile], *, what: str) -> pa.Table:
    """Rows of the files in stored columns, in the order of the list."""
    import pyarrow as pa

    schema = stored_schema(contract)
    if not any(file.entry.rows for file in files):
        return schema.empty_table()
    with connect() as connection:
        table = to_arrow(connection, select_files(contract, files), what=what)
    return pa.Table.from_arrays([table.column(f.name).cast(f.type) for f in schema], schema=schema)


def log_table(entries: Sequence[SliceVersion]) -> pa.Table:
    """The ingestion log as rows."""
    import pyarrow as pa

    schema = pa.schema(
        {
            "table_name": pa.string(),
            "advertiser_id": pa.string(),
            "date": pa.date32(),
            "as_of": pa.date32(),
            "rows": pa.int64(),
            "content_hash": pa.string(),
            "loaded_at": pa.timestamp("us", tz="UTC"),
            "is_backfilled": pa.bool_(),
        }
    )
    columns = [[getattr(e, "table" if name == "table_name" else name) for e in entries] for name in schema.names]
    return pa.Table.from_arrays([pa.array(values, type=f.type) for values, f in zip(columns, schema, strict=True)], schema=schema)


def _projection(columns: dict[str, str], present: Iterable[str]) -> str:
    known = set(present)
    return ", ".join(
        f"{quote_name(name)}::{kind} AS {quote_name(name)}" if name in known else f"NULL::{kind} AS {quote_name(name)}"
        for name, kind in columns.items()
    )


def _columns_of(path: str) -> list[str]:
    import pyarrow.parquet as pq

    return list(pq.read_schema(path).names)
