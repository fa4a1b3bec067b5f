"""A private DuckDB file in which dbt works for one set of partitions, and the way its marts come out.

DuckDB lets one process write a file and shuts everybody else out, so the file belongs to one run, and no connection of ours is open while
dbt works. What dbt finds is described in `RawInputs`; what leaves is published slices and kept feature rows.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from marketing_agents.days import EPISODE_DAYS, LOOK_BACK_DAYS, LocalDay, by_advertiser
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.embedded.features import KeptFeatures, sweep_scratch
from marketing_agents.warehouse.embedded.layout import Layout, VersionFile
from marketing_agents.warehouse.embedded.parquet import connect, quote_name, to_arrow
from marketing_agents.warehouse.embedded.publishing import write_error
from marketing_agents.warehouse.embedded.reading import log_table, select_files
from marketing_agents.warehouse.embedded.slices import SliceStore
from marketing_agents.warehouse.embedded.versions import VersionStore
from marketing_agents.warehouse.store import SliceVersion, WarehouseError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from marketing_agents.advertisers.registry import Registry

DATABASE_VARIABLE = "MARKETING_AGENTS_DBT_DATABASE"
MARTS_SCHEMA = "marts"
_NAME = re.compile(r'"((?:[^"]|"")+)"|([A-Za-z_][A-Za-z0-9_]*)')
_FAILED_ROWS_LIMIT = 1000


@dataclass
class EmbeddedTransformRun:
    """See `warehouse.store.TransformRun`."""

    run_id: str
    database: Path
    days: tuple[LocalDay, ...]
    slices: SliceStore
    kept: KeptFeatures

    @property
    def dbt_environment(self) -> Mapping[str, str]:
        return {DATABASE_VARIABLE: str(self.database)}

    def publish(self, mart: str, days: Sequence[LocalDay]) -> dict[LocalDay, int]:
        rows = self._rows(mart, days)
        return self.slices.replace("marts", mart, rows, days)

    def keep_features(self, marts: Sequence[str]) -> None:
        self.kept.keep(self.run_id, {mart: self._rows(mart, None) for mart in marts}, self.days)

    def failed_rows(self, relation: str) -> pa.Table | None:
        parts = _relation_parts(relation)
        with connect(str(self.database), read_only=True) as connection:
            if not _has_relation(connection, parts):
                return None
            name = ".".join(quote_name(part) for part in parts)
            rows = to_arrow(connection, f"SELECT * FROM {name} LIMIT {_FAILED_ROWS_LIMIT}", what=f"failed rows of {relation}")  # noqa: S608 - quoted
        return rows if rows.num_rows else None

    def _rows(self, mart: str, days: Sequence[LocalDay] | None) -> pa.Table:
        """All rows of a mart, or those of `days`, in a fixed order."""
        with connect(str(self.database), read_only=True) as connection:
            if not _has_relation(connection, (MARTS_SCHEMA, mart)):
                raise WarehouseError(
                    f"mart {mart[:80]!r} is not in the private database of run {self.run_id}: dbt did not build it; see dbt's log"
                )
            name = f"{quote_name(MARTS_SCHEMA)}.{quote_name(mart)}"
            columns = [row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall()]
            missing = {"advertiser_id", "date"} - set(columns)
            if missing:
                raise WarehouseError(f"mart {mart!r} has no column {' and '.join(sorted(missing))}, so its rows belong to no slice")
            if days is None:
                source = name
            else:
                connection.register("asked", days_table(days))
                source = f"(SELECT m.* FROM {name} AS m SEMI JOIN asked USING (advertiser_id, date))"  # noqa: S608 - quoted
            first = ["advertiser_id", "date"]
            order = ", ".join(quote_name(c) for c in first + [c for c in columns if c not in first])
            return to_arrow(connection, f"SELECT * FROM {source} ORDER BY {order}", what=f"mart {mart}")  # noqa: S608 - quoted


@contextmanager
def open_transform(
    layout: Layout, versions: VersionStore, slices: SliceStore, registry: Registry, days: Sequence[LocalDay], run_id: str
) -> Iterator[EmbeddedTransformRun]:
    """The private database with its raw tables; removed when the context is left.

    Raises:
        WarehouseError: no days, a run id that is no folder name, a folder or private database that cannot be written.
        RegistryError: a day of an advertiser that is not in the registry.
    """
    if not days:
        raise WarehouseError(f"transform of run {run_id[:80]!r}: no partition was asked for")
    asked = tuple(sorted(set(days)))
    with private_database(layout, run_id) as database:
        _fill(database, versions, registry, asked, run_id)
        yield EmbeddedTransformRun(run_id, database, asked, slices, KeptFeatures(layout))


@contextmanager
def private_database(layout: Layout, run_id: str) -> Iterator[Path]:
    """Where a private database of a run is to be; its folder is removed when the context is left.

    Raises:
        WarehouseError: a run id that is no folder name, or a folder that cannot be made.
    """
    sweep_scratch(layout)
    kept_dir = layout.kept_dir(run_id)
    folder = kept_dir.with_name(f"{kept_dir.name}-{secrets.token_hex(4)}")
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise write_error(f"transform of run {run_id}", folder / "private.duckdb", error) from error
    try:
        yield folder / "private.duckdb"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """DuckDB's own errors, with the next step."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        step = "free disk space under MARKETING_AGENTS_DATA_DIR" if "No space left" in str(error) else "check the data folder"
        raise WarehouseError(
            f"{what}: cannot be written: {str(error)[:500]}; no published slice was changed; {step}, then run again"
        ) from error


@contextmanager
def new_database(database: Path, run_id: str, days: Sequence[LocalDay]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a new private database with the empty schemas `raw` and `marts`. `days`: what it is for, as messages say it."""
    others = f" and {len(days) - 1} more" if len(days) > 1 else ""
    with _explained(f"private database of run {run_id} for {days[0].key}{others}"), connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA raw")
        connection.execute(f"CREATE SCHEMA {MARTS_SCHEMA}")
        yield connection


def _fill(database: Path, versions: VersionStore, registry: Registry, days: Sequence[LocalDay], run_id: str) -> None:
    """Schema `raw`: one view per input table, `ingestion_log`, `advertisers`, `asked_slices`; and the empty schema `marts`.

    Views over explicit file lists, not copies: models scan most tables once and few columns of them, so for one partition of the sample
    agency opening took 0.5 s instead of 2.0 s and dbt's models were no slower. A run that loads meanwhile changes nothing here: new
    versions are not in the lists, and replaced files stay for an hour.
    """
    windows = {a: (min(d) - timedelta(days=EPISODE_DAYS + LOOK_BACK_DAYS), max(d)) for a, d in by_advertiser(days).items()}
    with new_database(database, run_id, days) as connection:
        log: list[VersionFile] = []
        for contract in INPUT_TABLES.values():
            files = [
                file
                for advertiser, (start, end) in windows.items()
                for file in versions.files(contract.name, advertiser, start, end)
                if file.entry.as_of <= end
            ]
            log += files
            create_view(connection, contract.name, select_files(contract, files))
        write_log_and_request(connection, [file.entry for file in log], registry, days)


def write_log_and_request(
    connection: duckdb.DuckDBPyConnection,
    log: Sequence[SliceVersion],
    registry: Registry,
    days: Sequence[LocalDay],
    *,
    episode_days: int = EPISODE_DAYS,
) -> None:
    """What models read besides the input tables: `raw.ingestion_log`, `raw.advertisers` and `raw.asked_slices`. `episode_days`: days before each
    of `days` whose features are wanted too.
    """
    _insert(connection, "ingestion_log", log_table(log))
    _insert(connection, "advertisers", _advertisers_table(registry, by_advertiser(days)))
    _insert(connection, "asked_slices", _asked_table(days, episode_days))


def create_view(connection: duckdb.DuckDBPyConnection, table: str, select: str) -> None:
    import duckdb

    try:
        connection.execute(f"CREATE VIEW raw.{quote_name(table)} AS {select}")
    except duckdb.Error as error:
        if "Could not write" in str(error):
            raise  # the private database, not a slice: `_explained` says so
        raise WarehouseError(
            f"raw.{table}: stored slices cannot be read: {str(error)[:500]}; if a file is damaged, delete it and run the partition's ingestion again"
        ) from error


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    connection.register("incoming", rows)
    connection.execute(f"CREATE TABLE raw.{quote_name(table)} AS SELECT * FROM incoming")  # noqa: S608 - names of the catalog
    connection.unregister("incoming")


def _asked_table(days: Sequence[LocalDay], episode_days: int) -> pa.Table:
    import pyarrow as pa

    return days_table(days).append_column("episode_days", pa.array([episode_days] * len(days), pa.int32()))


def days_table(days: Sequence[LocalDay]) -> pa.Table:
    """Partitions as rows (advertiser_id, date)."""
    import pyarrow as pa

    return pa.table(
        {"advertiser_id": pa.array([d.advertiser_id for d in days], pa.string()), "date": pa.array([d.day for d in days], pa.date32())}
    )


def _advertisers_table(registry: Registry, advertiser_ids: Mapping[str, object]) -> pa.Table:
    import pyarrow as pa

    chosen = [registry.require(advertiser_id) for advertiser_id in advertiser_ids]

    def money(values: list[Decimal | None], precision: int) -> pa.Array:
        step = Decimal("0.000001")
        return pa.array([None if v is None else v.quantize(step) for v in values], pa.decimal128(precision, 6))

    return pa.table(
        {
            "advertiser_id": pa.array([a.id for a in chosen], pa.string()),
            "name": pa.array([a.name for a in chosen], pa.string()),
            "time_zone": pa.array([a.time_zone for a in chosen], pa.string()),
            "run_time_local": pa.array([a.run_time_local.strftime("%H:%M") for a in chosen], pa.string()),
            "base_currency": pa.array([a.base_currency for a in chosen], pa.string()),
            "gross_margin": money([a.gross_margin for a in chosen], 9),
            "target_cpa": money([a.target_cpa for a in chosen], 18),
            "target_roas": money([a.target_roas for a in chosen], 18),
            "settle_lag_hours": pa.array([a.settle_lag_hours for a in chosen], pa.int32()),
            "brand_tokens": pa.array([list(a.brand_tokens) for a in chosen], pa.list_(pa.string())),
            "trusted_actors": pa.array([list(a.trusted_actors) for a in chosen], pa.list_(pa.string())),
        }
    )


def _relation_parts(relation: str) -> tuple[str, ...]:
    parts = tuple(quoted.replace('""', '"') or bare for quoted, bare in _NAME.findall(relation))
    if not 1 <= len(parts) <= 3 or ".".join(m.group(0) for m in _NAME.finditer(relation)) != relation.strip():
        raise WarehouseError(f"{relation[:120]!r} is not the name of a relation")
    return parts


def _has_relation(connection: duckdb.DuckDBPyConnection, parts: tuple[str, ...]) -> bool:
    sql = "SELECT count(*) FROM information_schema.tables WHERE table_name = $name AND ($schema IS NULL OR table_schema = $schema)"
    found = connection.execute(sql, {"name": parts[-1], "schema": parts[-2] if len(parts) > 1 else None}).fetchall()
    return bool(found[0][0])
