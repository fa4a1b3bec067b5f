"""Documentation of the tables, written from their contracts: `python -m marketing_agents.warehouse.table_docs > docs/tables.md`."""

from __future__ import annotations

import sys

from marketing_agents.warehouse.catalog import INPUT_TABLES, RESULT_TABLES
from marketing_agents.warehouse.contract import DUCKDB_TYPES, Column, TableContract, TableKind

_KINDS = {
    TableKind.DAILY: "Facts by day: one row per key; the slice of a day holds the rows with that `date`.",
    TableKind.HISTORY: "Settings over time: one row per entity and period (`valid_from`, `valid_to` exclusive, empty = still valid); the slice of a day holds the rows valid at its end.",
    TableKind.REFERENCE: "The whole list as known on a day.",
}


def tables_markdown() -> str:
    """Both groups of tables as one Markdown page."""
    parts = [
        "# Tables",
        "Written from the contracts in `marketing_agents/warehouse/tables/`; do not edit by hand (a test compares).",
        "Input files are `<folder>/<table>.parquet` or `.csv` with these columns. Missing tables are allowed: rules that need them say so.",
        "## Input tables",
        *(_table(t) for t in INPUT_TABLES.values()),
        "## Result tables",
        "One slice per advertiser and day, replaced as a whole.",
        *(_table(t) for t in RESULT_TABLES.values()),
    ]
    return "\n\n".join(parts) + "\n"


def _table(table: TableContract) -> str:
    lines = [
        f"### `{table.name}`",
        "",
        f"{table.description} Grain: {table.grain}. {_KINDS[table.kind] if table.name in INPUT_TABLES else ''}".strip(),
        "",
        f"Key: {', '.join(f'`{name}`' for name in table.key)}."
        + (" Past days are read again in the restatement window." if table.restates else "")
        + (" Optional: nothing is amiss without it." if table.is_optional else ""),
        "",
        "| column | type | required | meaning |",
        "|---|---|---|---|",
        *(f"| `{c.name}` | {DUCKDB_TYPES[c.type]} | {'yes' if c.required else ''} | {_meaning(c)} |" for c in table.columns),
    ]
    return "\n".join(lines)


def _meaning(column: Column) -> str:
    limits = []
    if column.minimum is not None:
        limits.append(f"at least {column.minimum:g}")
    if column.maximum is not None:
        limits.append(f"at most {column.maximum:g}")
    if column.allowed:
        limits.append("one of " + ", ".join(column.allowed))
    return column.description + (f" ({'; '.join(limits)})" if limits else "")


if __name__ == "__main__":
    sys.stdout.write(tables_markdown())
