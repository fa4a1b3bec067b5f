"""What a BigQuery server computes: GoogleSQL with named parameters, run by DuckDB through sqlglot, and rows in BigQuery's JSON form.

It is a stand-in: the dialect is what sqlglot knows of it. That a query parses as BigQuery's dialect is part of what it proves.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp


class NotFoundError(Exception):
    """`what` is Dataset or Table."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"Not found: {what} {name}")


class InvalidQueryError(Exception):
    """The text is no query that the engine can run."""


@dataclass(frozen=True)
class TableName:
    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}.{self.table}"


class BigQueryEngine:
    """Tables of any number of projects and datasets, in memory."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._lock = threading.Lock()
        self.tables: dict[TableName, pa.Table] = {}
        self.datasets: set[tuple[str, str]] = set()

    def load(self, name: TableName, rows: pa.Table) -> None:
        with self._lock:
            self.datasets.add((name.project, name.dataset))
            self.tables[name] = rows
            self._connection.register("incoming", rows)
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_schema(name)}")
            self._connection.execute(f'CREATE OR REPLACE TABLE {_schema(name)}."{name.table}" AS SELECT * FROM incoming')
            self._connection.unregister("incoming")

    def names_in(self, project: str, dataset: str) -> list[TableName]:
        if (project, dataset) not in self.datasets:
            raise NotFoundError("Dataset", f"{project}:{dataset}")
        return sorted((n for n in self.tables if (n.project, n.dataset) == (project, dataset)), key=str)

    def table(self, name: TableName) -> pa.Table:
        self.names_in(name.project, name.dataset)
        if name not in self.tables:
            raise NotFoundError("Table", str(name))
        return self.tables[name]

    def run(self, sql: str, parameters: dict[str, Any], default_project: str) -> tuple[pa.Table, int]:
        """Rows of the query and the bytes that it reads (the whole of each table: the stand-in does not prune)."""
        try:
            tree = sqlglot.parse_one(sql, read="bigquery")
        except sqlglot.errors.ParseError as error:
            raise InvalidQueryError(f"Syntax error: {error}") from error
        read = 0
        for node in list(tree.find_all(exp.Table)):
            name = TableName(node.catalog or default_project, node.db, node.name)
            read += self.table(name).nbytes
            node.replace(sqlglot.parse_one(f'SELECT * FROM {_schema(name)}."{name.table}"', read="duckdb").find(exp.Table))
        used = set()
        for node in list(tree.find_all(exp.Parameter)):
            used.add(node.name)
            node.replace(exp.Placeholder(this=node.name))
        missing = sorted(used - parameters.keys())
        if missing:
            raise InvalidQueryError(f"Query parameter '{missing[0]}' not found")
        try:
            with self._lock:
                rows = self._connection.sql(
                    tree.sql(dialect="duckdb"), params={name: parameters[name] for name in sorted(used)}
                ).to_arrow_table()
        except duckdb.Error as error:
            raise InvalidQueryError(str(error)) from error
        return rows, read


def _schema(name: TableName) -> str:
    return f'"{name.project}__{name.dataset}"'


def field_of(field: pa.Field) -> dict[str, str]:
    """A BigQuery schema field."""
    kind, mode = field.type, "NULLABLE"
    if pa.types.is_list(kind):
        kind, mode = kind.value_type, "REPEATED"
    types = [
        (pa.types.is_boolean, "BOOLEAN"),
        (pa.types.is_integer, "INTEGER"),
        (pa.types.is_floating, "FLOAT"),
        (pa.types.is_decimal, "NUMERIC"),
        (pa.types.is_date, "DATE"),
        (pa.types.is_timestamp, "TIMESTAMP"),
    ]
    return {"name": field.name, "type": next((name for matches, name in types if matches(kind)), "STRING"), "mode": mode}


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """Rows in the form of getQueryResults."""
    # BigQuery knows no empty list: what was stored as none comes back as a list of nothing.
    columns = [
        [_cell([] if value is None and pa.types.is_list(column.type) else value) for value in column.to_pylist()]
        for column in table.columns
    ]
    return [{"f": list(cells)} for cells in zip(*columns, strict=True)] if columns else []


def _cell(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"v": [_cell(item) for item in value]}
    return {"v": _text(value)}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return str(round(value.timestamp() * 1_000_000))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def parameters_of(configured: list[dict[str, Any]]) -> dict[str, Any]:
    """Named scalar and array parameters of a query job."""
    return {item["name"]: _parameter(item["parameterType"], item["parameterValue"]) for item in configured}


def _parameter(kind: dict[str, Any], value: dict[str, Any]) -> Any:
    if kind["type"] == "ARRAY":
        return [_parameter(kind["arrayType"], item) for item in value.get("arrayValues", [])]
    text = value.get("value")
    if text is None:
        return None
    convert = {"INT64": int, "FLOAT64": float, "NUMERIC": Decimal, "BOOL": lambda v: v == "true", "DATE": date.fromisoformat}
    return convert.get(kind["type"], str)(text)
