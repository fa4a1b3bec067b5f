"""Result tables and published marts: one file per (advertiser, date, part), replaced as a whole."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from marketing_agents.days import LocalDay
from marketing_agents.warehouse.catalog import RESULT_TABLES
from marketing_agents.warehouse.embedded.layout import SUFFIX, Area, Layout
from marketing_agents.warehouse.embedded.parquet import connect, encode, scan, to_arrow
from marketing_agents.warehouse.embedded.publishing import publish_file, sweep_temporary
from marketing_agents.warehouse.embedded.versions import fitted
from marketing_agents.warehouse.store import WarehouseError

if TYPE_CHECKING:
    import pyarrow as pa

_REPLACED_FOR_S = 30.0
"""How long a reader tries to get ahead of writers that replace what it reads; one replacement takes milliseconds."""


@dataclass
class SliceStore:
    """Slices without versions below one data folder."""

    layout: Layout
    is_durable: bool = True

    def replace_results(self, table: str, rows: pa.Table, days: Sequence[LocalDay], part: str | None) -> dict[LocalDay, int]:
        """Replace slices of a result table; rows are held to its contract first.

        Raises:
            WarehouseError: an unknown table, rows that do not fit the contract, rows of a slice that was not asked for, a failed write.
        """
        contract = RESULT_TABLES.get(table)
        if contract is None:
            raise WarehouseError(f"unknown result table {table[:80]!r} (known: {', '.join(RESULT_TABLES)})")
        return self.replace("results", table, fitted(contract, rows, what=f"results.{table}"), days, part)

    def replace(self, area: Area, table: str, rows: pa.Table, days: Sequence[LocalDay], part: str | None = None) -> dict[LocalDay, int]:
        """Replace one part of the slices of `days`; rows per slice. A day without rows gets an empty slice."""
        split = split_by_day(rows, days, what=f"{area}.{table}")
        empty = rows.slice(0, 0)
        for day in dict.fromkeys(days):
            path = self.layout.part_file(area, table, day, part)
            publish_file(path, encode(split.get(day, empty)), what=f"{area}.{table} {day.key}", is_durable=self.is_durable)
            sweep_temporary(path.parent)
        return {day: split[day].num_rows if day in split else 0 for day in days}

    def read(self, table: str, days: Sequence[LocalDay], part: str | None) -> pa.Table:
        """Rows of a result table or mart. Without any stored slice: typed and empty for result tables, no columns for a mart."""
        area = self.area_of(table)
        files = [path for day in dict.fromkeys(days) for path in self.day_files(area, table, day, part)]
        return self.read_files(area, table, files)

    def read_files(self, area: Area, table: str, files: Sequence[str]) -> pa.Table:
        import pyarrow as pa

        contract = RESULT_TABLES.get(table) if area == "results" else None
        if not files:
            return contract.arrow_schema().empty_table() if contract else pa.table({})
        rows = _read_unchanged(files, what=f"{area}.{table}")
        if contract is None:
            return rows
        schema = contract.arrow_schema()
        names = set(rows.schema.names)
        arrays = [rows.column(f.name).cast(f.type) if f.name in names else pa.nulls(rows.num_rows, f.type) for f in schema]
        return pa.Table.from_arrays(arrays, schema=schema)

    def area_of(self, table: str) -> Area:
        """Where a table lives.

        Raises:
            WarehouseError: the name is near a result table's name and no mart has it: most likely a typo.
        """
        if table in RESULT_TABLES:
            return "results"
        if not self.layout.table_dir("marts", table).is_dir():
            import difflib

            near = difflib.get_close_matches(table, RESULT_TABLES, n=1, cutoff=0.8)
            if near:
                raise WarehouseError(f"unknown table {table[:80]!r} (did you mean {near[0]!r}?)")
        return "marts"

    def day_files(self, area: Area, table: str, day: LocalDay, part: str | None) -> list[str]:
        """Files of one slice, sorted by part."""
        if part is not None:
            path = self.layout.part_file(area, table, day, part)
            return [str(path)] if path.is_file() else []
        return _parquet_files(self.layout.slice_dir(area, table, day))

    def all_files(self, area: Area, table: str) -> list[str]:
        """Files of all slices of a table (for ad hoc queries; not a hot path)."""
        return [
            file
            for advertiser in _folders(self.layout.table_dir(area, table))
            for day in _folders(advertiser)
            for file in _parquet_files(day)
        ]


def _read_unchanged(files: Sequence[str], *, what: str) -> pa.Table:
    """Rows of files none of which was replaced meanwhile.

    DuckDB opens a file once for its footer and once for its rows. Where another process replaced it in between, the rows of the new file are
    cut by the footer of the old one (seen with 2.0.0: 2,000 of 3,000 rows). So what was read counts only if the files are still the same.
    """
    # By name: a slice may have been written before a column was added.
    select = f"SELECT * FROM {scan(files, union_by_name=True)}"  # noqa: S608 - quoted paths
    deadline = time.monotonic() + _REPLACED_FOR_S
    while True:
        before = _identities(files)
        try:
            with connect() as connection:
                rows = to_arrow(connection, select, what=what)
        except WarehouseError:
            if _identities(files) == before or time.monotonic() > deadline:
                raise
            continue
        if _identities(files) == before:
            return rows
        if time.monotonic() > deadline:
            raise WarehouseError(f"{what}: was replaced again and again for {_REPLACED_FOR_S:g} s while it was read; read it again later")


def _identities(files: Sequence[str]) -> list[tuple[int, int, int, int] | None]:
    """What changes when a file is replaced: inode, size and both times; None for a file that is gone."""
    found: list[tuple[int, int, int, int] | None] = []
    for file in files:
        try:
            status = os.stat(file)  # noqa: PTH116 - measured hot path
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return found


def split_by_day(rows: pa.Table, days: Sequence[LocalDay], *, what: str) -> dict[LocalDay, pa.Table]:
    """Rows by (advertiser, date); row order inside a slice is kept.

    Raises:
        WarehouseError: no `advertiser_id` or `date` column, or rows outside `days`.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in ("advertiser_id", "date"):
        if name not in rows.schema.names:
            raise WarehouseError(f"{what}: has no column {name!r}, so its rows belong to no slice; nothing was written")
    if rows.num_rows == 0:
        return {}
    advertisers = pc.dictionary_encode(pc.cast(rows.column("advertiser_id"), pa.string())).combine_chunks()
    dates = pc.dictionary_encode(pc.cast(rows.column("date"), pa.date32())).combine_chunks()
    if advertisers.null_count or dates.null_count:
        raise WarehouseError(f"{what}: rows with an empty advertiser_id or date; nothing was written")
    codes = np.asarray(advertisers.indices, dtype=np.int64) * len(dates.dictionary) + np.asarray(dates.indices, dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    ordered = rows.take(pa.array(order))
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    stops = np.append(starts[1:], rows.num_rows)
    asked = set(days)
    slices: dict[LocalDay, pa.Table] = {}
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        advertiser_code, date_code = divmod(int(codes[order[start]]), len(dates.dictionary))
        day = LocalDay(advertisers.dictionary[advertiser_code].as_py(), dates.dictionary[date_code].as_py())
        if day not in asked:
            raise WarehouseError(f"{what}: holds rows of {day.key[:120]!r}, which is not among the slices to replace; nothing was written")
        slices[day] = ordered.slice(start, stop - start)
    return slices


def _parquet_files(folder: Path) -> list[str]:
    try:
        names = os.listdir(folder)  # noqa: PTH208 - measured hot path
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [f"{folder}{os.sep}{name}" for name in sorted(names) if name.endswith(SUFFIX) and not name.startswith(".")]


def _folders(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from (folder / name for name in names if not name.startswith("."))
