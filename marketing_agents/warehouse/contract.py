"""What a table contract says: columns, types, key, grain, and how the table arrives.

A contract is written once (`warehouse/tables/`) and feeds DDL, `dagster/column_schema`, validation of what a source delivers,
and the docs. Types are the few that DuckDB, Parquet and BigQuery share without loss: ids are strings (18-digit ids overflow
doubles), money is DECIMAL with a currency beside it, days are dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


class ColumnType(StrEnum):
    """Logical types. `MONEY` keeps the platforms' micros (6 decimals); `JSON` is text that parses."""

    STRING = "string"
    STRINGS = "strings"
    INTEGER = "integer"
    FLOAT = "float"
    MONEY = "money"
    RATE = "rate"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    JSON = "json"


class TableKind(StrEnum):
    """How rows of a source table belong to days.

    `DAILY`: facts of one day (column `date`). `HISTORY`: one row per entity and period (`valid_from`, `valid_to`; empty
    `valid_to` = still valid); the slice of a day holds the rows valid at the end of that day. `REFERENCE`: the whole list as
    known on a day (plans, calendar, audiences, accounts): the slice of a day is the list as it stood then.
    """

    DAILY = "daily"
    HISTORY = "history"
    REFERENCE = "reference"


DUCKDB_TYPES: dict[ColumnType, str] = {
    ColumnType.STRING: "VARCHAR",
    ColumnType.STRINGS: "VARCHAR[]",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.FLOAT: "DOUBLE",
    ColumnType.MONEY: "DECIMAL(18,6)",
    ColumnType.RATE: "DECIMAL(18,9)",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    ColumnType.JSON: "VARCHAR",
}

BIGQUERY_TYPES: dict[ColumnType, str] = {
    ColumnType.STRING: "STRING",
    ColumnType.STRINGS: "ARRAY<STRING>",
    ColumnType.INTEGER: "INT64",
    ColumnType.FLOAT: "FLOAT64",
    ColumnType.MONEY: "NUMERIC(18,6)",
    ColumnType.RATE: "NUMERIC(18,9)",
    ColumnType.BOOLEAN: "BOOL",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMP: "TIMESTAMP",
    ColumnType.JSON: "STRING",
}


@dataclass(frozen=True)
class Column:
    """One column. `required` = never null. `minimum`/`maximum` are inclusive bounds for numbers; `allowed` is a closed list."""

    name: str
    type: ColumnType
    description: str
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableContract:
    """One table: what a row means (`grain`), what makes it unique (`key`), its columns, and how it arrives.

    `look_back_days`: how many days before the asked one ingestion keeps loaded (windows reach back that far).
    `restates`: past days change after they were first loaded (late conversions), so the restatement window is read again.
    `currency`: name of the currency column that its MONEY columns are in, or None when there are none.
    `is_optional`: nothing is amiss where a source does not have it.
    """

    name: str
    description: str
    grain: str
    kind: TableKind
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    look_back_days: int = 0
    restates: bool = False
    currency: str | None = None
    version: int = 1
    is_optional: bool = False

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema of a stored slice, in contract order."""
        import pyarrow as pa

        types: dict[ColumnType, pa.DataType] = {
            ColumnType.STRING: pa.string(),
            ColumnType.STRINGS: pa.list_(pa.string()),
            ColumnType.INTEGER: pa.int64(),
            ColumnType.FLOAT: pa.float64(),
            ColumnType.MONEY: pa.decimal128(18, 6),
            ColumnType.RATE: pa.decimal128(18, 9),
            ColumnType.BOOLEAN: pa.bool_(),
            ColumnType.DATE: pa.date32(),
            ColumnType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
            ColumnType.JSON: pa.string(),
        }
        return pa.schema([pa.field(c.name, types[c.type], nullable=not c.required) for c in self.columns])
