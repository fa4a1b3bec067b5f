"""Raw slices: their versions on disk, the ingestion log, and the write that decides what becomes visible.

Several files of one (slice, as_of) can exist for a while: a replaced version and its successor. The newest `loaded_at` is the version,
for every reader; the others stay an hour for readers that already hold their names, then the next writer removes them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from marketing_agents.days import LocalDay
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.content import content_hash
from marketing_agents.warehouse.contract import TableContract, TableKind
from marketing_agents.warehouse.embedded.layout import Layout, VersionFile, parse_version, version_name
from marketing_agents.warehouse.embedded.parquet import encode
from marketing_agents.warehouse.embedded.publishing import publish_file, sweep_temporary, sync_folder, write_error, writer_lock
from marketing_agents.warehouse.store import SliceRows, SliceVersion, VersionWrite, WarehouseError

if TYPE_CHECKING:
    import pyarrow as pa

SUPERSEDED_GRACE_S = 3600.0
_THREADS = 4


def input_contract(table: str) -> TableContract:
    """The contract of an input table.

    Raises:
        WarehouseError: unknown table, with the nearest known name.
    """
    contract = INPUT_TABLES.get(table)
    if contract is None:
        import difflib

        near = difflib.get_close_matches(table, INPUT_TABLES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(INPUT_TABLES)}"
        raise WarehouseError(f"unknown input table {table[:80]!r} ({hint})")
    return contract


def stored_schema(contract: TableContract) -> pa.Schema:
    """Columns of a stored raw slice: contract columns, `date` where the contract has none, `as_of`, `loaded_at`."""
    import pyarrow as pa

    schema = contract.arrow_schema()
    if "date" not in contract.by_name:
        schema = schema.append(pa.field("date", pa.date32(), nullable=False))
    schema = schema.append(pa.field("as_of", pa.date32(), nullable=False))
    return schema.append(pa.field("loaded_at", pa.timestamp("us", tz="UTC"), nullable=False))


@dataclass
class VersionStore:
    """Versions of raw slices below one data folder."""

    layout: Layout
    is_durable: bool = True
    _empty_files: dict[str, memoryview] = field(default_factory=dict, repr=False)

    def log(self, advertiser_ids: Iterable[str], tables: Iterable[str] | None, start: date | None, end: date | None) -> list[SliceVersion]:
        """Log entries in `start <= date <= end`, sorted."""
        names = INPUT_TABLES if tables is None else {name: input_contract(name) for name in tables}
        advertisers = sorted(set(advertiser_ids))
        return sorted(f.entry for name in names for advertiser in advertisers for f in self.files(name, advertiser, start, end))

    def files(self, table: str, advertiser_id: str, start: date | None, end: date | None) -> Iterator[VersionFile]:
        """Visible versions of one table and advertiser, by date and as_of. One folder listing per day; no file is opened."""
        folder = str(self.layout.advertiser_dir("raw", table, advertiser_id))
        low, high = (f"date={bound.isoformat()}" if bound else None for bound in (start, end))
        try:
            names = sorted(name for name in os.listdir(folder) if name.startswith("date="))  # noqa: PTH208 - measured hot path
        except FileNotFoundError:
            return
        for name in names:
            if (low is None or name >= low) and (high is None or name <= high):
                yield from sorted(_visible(f"{folder}{os.sep}{name}", table, advertiser_id).values(), key=lambda f: f.entry.as_of)

    def known(self, table: str, advertiser_id: str, start: date, end: date, known_on: date) -> list[VersionFile]:
        """For each day the newest version with `as_of <= known_on`."""
        newest: dict[date, VersionFile] = {}
        for file in self.files(table, advertiser_id, start, end):
            if file.entry.as_of <= known_on:
                newest[file.entry.date] = file  # files come by date and as_of
        return list(newest.values())

    def write(self, table: str, advertiser_id: str, slices: Sequence[SliceRows], loaded_at: datetime) -> list[VersionWrite]:
        """Publish versions; see `Warehouse.write_versions`.

        Raises:
            WarehouseError: rows that do not fit the contract or the slice, or a failed write (named; nothing half-written is visible).
        """
        if loaded_at.tzinfo is None:
            raise WarehouseError(f"raw.{table}: loaded_at has no time zone")
        contract = input_contract(table)
        folder = self.layout.advertiser_dir("raw", table, advertiser_id)
        prepared = [(item, *self._prepare(contract, advertiser_id, item)) for item in slices]
        with writer_lock(folder, what=f"raw.{table} of {advertiser_id}"):
            self._make_folders(table, advertiser_id, slices)
            if len(prepared) < _THREADS:
                return [self._write_one(contract, advertiser_id, loaded_at, *each) for each in prepared]
            # Encoding, fsync and rename leave Python: four threads halve the time of a look-back.
            with ThreadPoolExecutor(_THREADS) as pool:
                return list(pool.map(lambda each: self._write_one(contract, advertiser_id, loaded_at, *each), prepared))

    def _make_folders(self, table: str, advertiser_id: str, slices: Sequence[SliceRows]) -> None:
        """Folders of all slices, made durable by one sync of their parent."""
        parent = self.layout.advertiser_dir("raw", table, advertiser_id)
        try:
            for item in slices:
                self.layout.slice_dir("raw", table, LocalDay(advertiser_id, item.day)).mkdir(parents=True, exist_ok=True)
            if self.is_durable and slices:
                sync_folder(parent)
        except OSError as error:
            raise write_error(f"raw.{table} of {advertiser_id}", parent, error) from error

    def _prepare(self, contract: TableContract, advertiser_id: str, item: SliceRows) -> tuple[pa.Table, str]:
        if item.as_of < item.day:
            raise WarehouseError(f"raw.{contract.name} {advertiser_id}|{item.day}: version as_of {item.as_of} lies before the day itself")
        rows = fitted(contract, item.rows, what=f"raw.{contract.name} {advertiser_id}|{item.day}")
        _check_membership(contract, advertiser_id, item.day, rows)
        return rows, item.content_hash or content_hash(rows, contract.key)

    def _write_one(
        self, contract: TableContract, advertiser_id: str, loaded_at: datetime, item: SliceRows, rows: pa.Table, digest: str
    ) -> VersionWrite:
        loaded_at = loaded_at.astimezone(UTC)
        day = LocalDay(advertiser_id, item.day)
        folder = self.layout.slice_dir("raw", contract.name, day)
        present = _visible(str(folder), contract.name, advertiser_id)
        if item.keep_existing and present:
            return VersionWrite(present[min(present)].entry, is_new=False)
        old = present.get(item.as_of)
        if old is not None:
            if old.entry.content_hash == digest:
                return VersionWrite(old.entry, is_new=False)
            # The newest loaded_at wins; a clock that was set back must not let the replaced rows win.
            loaded_at = max(loaded_at, old.entry.loaded_at + timedelta(microseconds=1))
        entry = SliceVersion(contract.name, advertiser_id, item.day, item.as_of, rows.num_rows, digest, loaded_at, item.is_backfilled)
        path = folder / version_name(entry, contract.version)
        publish_file(
            path, self._encoded(contract, rows, entry), what=f"raw.{contract.name} {day.key} as of {item.as_of}", is_durable=self.is_durable
        )
        if present:
            sweep_temporary(folder)
            _remove_superseded(folder, contract.name, advertiser_id)
        return VersionWrite(entry, is_new=True)

    def _encoded(self, contract: TableContract, rows: pa.Table, entry: SliceVersion) -> memoryview:
        if rows.num_rows == 0:
            # Empty slices of a table are the same bytes; sparse tables have hundreds of them.
            if contract.name not in self._empty_files:
                self._empty_files[contract.name] = encode(stored_schema(contract).empty_table())
            return self._empty_files[contract.name]
        import pyarrow as pa

        schema = stored_schema(contract)
        constants = {"date": entry.date, "as_of": entry.as_of, "loaded_at": entry.loaded_at}
        arrays = [
            rows.column(f.name) if f.name in contract.by_name else pa.repeat(pa.scalar(constants[f.name], f.type), rows.num_rows)
            for f in schema
        ]
        return encode(pa.Table.from_arrays(arrays, schema=schema))


def fitted(contract: TableContract, rows: pa.Table, *, what: str) -> pa.Table:
    """The rows in contract order and types.

    Raises:
        WarehouseError: a missing or unknown column, a type that cannot be cast without loss, or a null in a required column.
    """
    import pyarrow as pa

    schema = contract.arrow_schema()
    if rows.schema != schema:
        missing = [n for n in contract.column_names if n not in rows.schema.names]
        unknown = [n for n in rows.schema.names if n not in contract.by_name]
        if missing or unknown or len(rows.schema.names) != len(schema):
            raise WarehouseError(f"{what}: columns do not fit the contract of {contract.name}: missing {missing}, unknown {unknown}")
        arrays = []
        for target in schema:
            try:
                arrays.append(rows.column(target.name).cast(target.type))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise WarehouseError(
                    f"{what}: column {target.name!r} is {rows.schema.field(target.name).type}, the contract of {contract.name} says {target.type}: {str(error)[:200]}"
                ) from None
        rows = pa.Table.from_arrays(arrays, schema=schema)
    for column in contract.columns:
        if column.required and (nulls := rows.column(column.name).null_count):
            raise WarehouseError(
                f"{what}: column {column.name!r} is required by the contract of {contract.name} and has {nulls} empty values"
            )
    return rows


def _check_membership(contract: TableContract, advertiser_id: str, day: date, rows: pa.Table) -> None:
    import pyarrow.compute as pc

    if rows.num_rows == 0:
        return
    bounds = pc.min_max(rows.column("advertiser_id")).as_py()
    strangers = bounds["min"] != advertiser_id or bounds["max"] != advertiser_id
    if contract.kind is TableKind.DAILY:
        dates = pc.min_max(rows.column("date")).as_py()
        strangers = strangers or dates["min"] != day or dates["max"] != day
    if strangers:
        raise WarehouseError(f"raw.{contract.name} {advertiser_id}|{day}: holds rows of another advertiser or day; nothing was written")


def _visible(folder: str, table: str, advertiser_id: str) -> dict[date, VersionFile]:
    """Newest file per as_of in one slice folder."""
    return _newest(_parsed(folder, table, advertiser_id))


def _newest(files: Iterable[VersionFile]) -> dict[date, VersionFile]:
    winners: dict[date, VersionFile] = {}
    for file in files:
        other = winners.get(file.entry.as_of)
        if other is None or _precedence(other) < _precedence(file):
            winners[file.entry.as_of] = file
    return winners


def _precedence(file: VersionFile) -> tuple[datetime, str]:
    return file.entry.loaded_at, file.entry.content_hash


def _parsed(folder: str, table: str, advertiser_id: str) -> Iterator[VersionFile]:
    try:
        day = date.fromisoformat(folder.rpartition("date=")[2])
        names = os.listdir(folder)  # noqa: PTH208 - measured hot path
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return
    for name in names:
        file = parse_version(name, folder, table, advertiser_id, day)
        if file is not None:
            yield file


def _remove_superseded(folder: Path, table: str, advertiser_id: str) -> None:
    files = list(_parsed(str(folder), table, advertiser_id))  # listed once: another thread may be writing the next version of the slice
    winners = _newest(files)
    limit = time.time() - SUPERSEDED_GRACE_S  # age of files on disk, not of data
    for file in files:
        winner = winners[file.entry.as_of]
        if file.path != winner.path:
            with suppress(OSError):
                if os.stat(winner.path).st_mtime < limit:  # noqa: PTH116
                    os.unlink(file.path)  # noqa: PTH108
