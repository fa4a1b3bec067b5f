"""`marketing-agents sql`: one query, or a small shell, over all tables as views."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from marketing_agents.settings import load_settings
from marketing_agents.warehouse.embedded.queries import ask
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents.warehouse.store import WarehouseError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SHOWN_ROWS = 200


def run_sql(query: str | None) -> int:
    """0, or 1 when a single query fails."""
    connection = EmbeddedWarehouse(load_settings().data_dir).connect_views()
    if query is not None:
        try:
            _show(ask(connection, query))
        except WarehouseError as error:
            print(f"marketing-agents sql: {error}", file=sys.stderr)
            return 1
        return 0
    return _shell(connection)


def _shell(connection: duckdb.DuckDBPyConnection) -> int:
    console = Console()
    console.print(
        "Tables are read-only views: raw.<table>, marts.<model>, results.<table>. End a query with ; and leave with Ctrl-D.", style="dim"
    )
    pending: list[str] = []
    while True:
        try:
            line = input("...> " if pending else "sql> ")
        except EOFError:
            return 0
        pending.append(line)
        if not line.rstrip().endswith(";"):
            continue
        text = "\n".join(pending)
        pending = []
        try:
            _show(ask(connection, text))
        except WarehouseError as error:
            console.print(str(error), style="red", markup=False)


def _show(rows: pa.Table) -> None:
    table = Table(*rows.column_names)
    for row in rows.slice(0, _SHOWN_ROWS).to_pylist():
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console = Console()
    console.print(table, markup=False)
    if rows.num_rows > _SHOWN_ROWS:
        console.print(f"{_SHOWN_ROWS} of {rows.num_rows} rows shown", style="dim")
