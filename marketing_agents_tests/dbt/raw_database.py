"""The private DuckDB file that dbt finds (schema raw), written from plain Python rows. Stands in for `Warehouse.transform` in these tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa

from marketing_agents.days import EPISODE_DAYS
from marketing_agents.warehouse.catalog import INPUT_TABLES

LOADED_AT = datetime(2026, 11, 21, tzinfo=UTC)
Row = Mapping[str, object]


@dataclass(frozen=True)
class AdvertiserRow:
    advertiser_id: str
    time_zone: str = "Europe/London"
    run_time_local: str = "06:00"
    base_currency: str = "USD"
    gross_margin: Decimal | None = None
    target_cpa: Decimal | None = None
    target_roas: Decimal | None = None
    settle_lag_hours: int = 3
    brand_tokens: tuple[str, ...] = ()
    trusted_actors: tuple[str, ...] = ()


@dataclass
class Raw:
    """Versions of raw slices: (table, advertiser, date) -> {as_of: rows}; what is asked; who the advertisers are."""

    advertisers: list[AdvertiserRow] = field(default_factory=list)
    asked: list[tuple[str, date]] = field(default_factory=list)
    versions: dict[tuple[str, str, date], dict[date, list[Row]]] = field(default_factory=dict)

    def add(self, table: str, advertiser_id: str, day: date, rows: Iterable[Row], as_of: date | None = None) -> None:
        self.versions.setdefault((table, advertiser_id, day), {})[as_of or day] = [dict(row) for row in rows]

    def known(self, table: str, advertiser_id: str, day: date, known_on: date) -> list[Row] | None:
        """Rows of a slice as known on a day; None when no version is."""
        versions = self.versions.get((table, advertiser_id, day), {})
        visible = [as_of for as_of in versions if as_of <= known_on]
        return versions[max(visible)] if visible else None


def write_raw(path: Path, raw: Raw, *, since: date | None = None, known_on: date | None = None) -> None:
    """Create the file with schema raw. `since`, `known_on`: leave out older days and what was learned later, as the pipeline does."""
    path.unlink(missing_ok=True)
    if since:
        raw = Raw(raw.advertisers, raw.asked, {key: versions for key, versions in raw.versions.items() if key[2] >= since})
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw")
        for name, contract in INPUT_TABLES.items():
            rows: list[dict[str, object]] = []
            for (table, advertiser_id, day), versions in raw.versions.items():
                if table != name:
                    continue
                for as_of, version in versions.items():
                    if known_on is None or as_of <= known_on:
                        extra = {"advertiser_id": advertiser_id, "date": day, "as_of": as_of, "loaded_at": LOADED_AT}
                        rows.extend({**row, **extra} for row in version)
            fields = list(contract.arrow_schema())
            if "date" not in contract.by_name:
                fields.append(pa.field("date", pa.date32()))
            schema = pa.schema([*fields, pa.field("as_of", pa.date32()), pa.field("loaded_at", pa.timestamp("us", tz="UTC"))])
            _store(connection, f"raw.{name}", pa.Table.from_pylist(rows, schema=schema))
        log = [
            {
                "table_name": t,
                "advertiser_id": a,
                "date": d,
                "as_of": v,
                "rows": len(rows),
                "content_hash": "",
                "loaded_at": LOADED_AT,
                "is_backfilled": False,
            }
            for (t, a, d), versions in raw.versions.items()
            for v, rows in versions.items()
            if known_on is None or v <= known_on
        ]
        _store(connection, "raw.ingestion_log", pa.Table.from_pylist(log, schema=LOG_SCHEMA))
        advertisers = [{**vars(a), "name": a.advertiser_id} for a in raw.advertisers]
        _store(connection, "raw.advertisers", pa.Table.from_pylist(advertisers, schema=ADVERTISER_SCHEMA))
        asked = [{"advertiser_id": a, "date": d, "episode_days": EPISODE_DAYS} for a, d in raw.asked]
        _store(
            connection,
            "raw.asked_slices",
            pa.Table.from_pylist(
                asked, schema=pa.schema([("advertiser_id", pa.string()), ("date", pa.date32()), ("episode_days", pa.int32())])
            ),
        )


LOG_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("advertiser_id", pa.string()),
        ("date", pa.date32()),
        ("as_of", pa.date32()),
        ("rows", pa.int64()),
        ("content_hash", pa.string()),
        ("loaded_at", pa.timestamp("us", tz="UTC")),
        ("is_backfilled", pa.bool_()),
    ]
)
ADVERTISER_SCHEMA = pa.schema(
    [
        ("advertiser_id", pa.string()),
        ("name", pa.string()),
        ("time_zone", pa.string()),
        ("run_time_local", pa.string()),
        ("base_currency", pa.string()),
        ("gross_margin", pa.decimal128(9, 6)),
        ("target_cpa", pa.decimal128(18, 6)),
        ("target_roas", pa.decimal128(18, 6)),
        ("settle_lag_hours", pa.int32()),
        ("brand_tokens", pa.list_(pa.string())),
        ("trusted_actors", pa.list_(pa.string())),
    ]
)


def _store(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register("incoming", rows)
    connection.execute(f"create table {name} as select * from incoming")
    connection.unregister("incoming")


def read_mart(path: Path, mart: str, days: Sequence[tuple[str, date]] | None = None) -> list[dict[str, object]]:
    """Rows of a mart, all feature days or only some slices, in column order, sorted by all columns' text."""
    with duckdb.connect(str(path), read_only=True) as connection:
        cursor = connection.execute(f"select * from marts.{mart}")
        names = [column[0] for column in cursor.description or []]
        rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    if days is not None:
        rows = [row for row in rows if (row["advertiser_id"], row["date"]) in set(days)]
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])
