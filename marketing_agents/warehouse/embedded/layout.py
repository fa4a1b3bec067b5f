"""Where a slice lives, and what its file name says. Every path of the warehouse is made here, from checked parts only.

    <data_dir>/warehouse/raw/<table>/advertiser_id=<a>/date=<d>/<version>.parquet
    <data_dir>/warehouse/{results,marts}/<table>/advertiser_id=<a>/date=<d>/<part or 'slice'>.parquet

The name of a raw file is its entry in the ingestion log, so one rename publishes data and log together, and reading the log opens no
file: `2026-11-20~r12~h<32 hex>~l20261121T060000.123456~b0~v1.parquet` = as_of, rows, content hash, loaded at (UTC), backfilled, version
of the table contract.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

from marketing_agents.advertisers.registry import ADVERTISER_ID_PATTERN
from marketing_agents.days import LocalDay
from marketing_agents.warehouse.store import SliceVersion, WarehouseError

Area = Literal["raw", "results", "marts"]

WHOLE_SLICE = "slice"
SUFFIX = ".parquet"
TEMPORARY_PREFIX = ".tmp-"
"""Start of unfinished files. Readers skip every name with a leading dot."""

_TABLE = re.compile(r"[a-z][a-z0-9_]{0,99}")
_PART = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_GLOB_CHARACTERS = re.compile(r"[*?\[\]{}]")
_LOADED_AT = "%Y%m%dT%H%M%S.%f"


@dataclass(frozen=True)
class VersionFile:
    """One stored version of a raw slice: its log entry, the contract version it was written under, and the file."""

    entry: SliceVersion
    contract_version: int
    path: str


@dataclass(frozen=True)
class Layout:
    """Paths below one data folder.

    Raises (every method that takes a name):
        WarehouseError: a table, advertiser, part or run id that must not become a path.
    """

    data_dir: Path

    def __post_init__(self) -> None:
        if _GLOB_CHARACTERS.search(str(self.data_dir)):
            raise WarehouseError(
                f"data folder {str(self.data_dir)!r} holds one of * ? [ ] {{ }}, which DuckDB reads as a pattern; "
                "set MARKETING_AGENTS_DATA_DIR to a path without them"
            )

    @property
    def warehouse_dir(self) -> Path:
        return self.data_dir / "warehouse"

    @property
    def scratch_dir(self) -> Path:
        return self.data_dir / "scratch"

    @property
    def reports_dir(self) -> Path:
        return self.data_dir / "reports"

    def area_dir(self, area: Area) -> Path:
        return self.warehouse_dir / area

    def table_dir(self, area: Area, table: str) -> Path:
        if not _TABLE.fullmatch(table):
            raise WarehouseError(f"table name {table[:80]!r} is not of the form [a-z][a-z0-9_]*; use a name of the warehouse catalog")
        return self.area_dir(area) / table

    def advertiser_dir(self, area: Area, table: str, advertiser_id: str) -> Path:
        if not ADVERTISER_ID_PATTERN.fullmatch(advertiser_id):
            raise WarehouseError(
                f"{area}.{table}: advertiser id {advertiser_id[:80]!r} is not a slug (lower-case letters, digits, hyphens); "
                "nothing was read or written; correct the id in the registry"
            )
        return self.table_dir(area, table) / f"advertiser_id={advertiser_id}"

    def slice_dir(self, area: Area, table: str, day: LocalDay) -> Path:
        return self.advertiser_dir(area, table, day.advertiser_id) / f"date={day.day.isoformat()}"

    def part_file(self, area: Area, table: str, day: LocalDay, part: str | None) -> Path:
        return self.slice_dir(area, table, day) / f"{part_name(table, part)}{SUFFIX}"

    def kept_dir(self, run_id: str) -> Path:
        """Folder of the feature rows that a run kept."""
        if not _RUN_ID.fullmatch(run_id):
            raise WarehouseError(f"run id {run_id[:80]!r} cannot be a folder name; use letters, digits, '-' and '_' (at most 100)")
        return self.scratch_dir / run_id


def part_name(table: str, part: str | None) -> str:
    """Name of a slice's part as it appears in the file name."""
    if part is None:
        return WHOLE_SLICE
    if not _PART.fullmatch(part) or part == WHOLE_SLICE:
        raise WarehouseError(f"{table}: part {part[:80]!r} is not a name of 1 to 64 lower-case letters, digits and '_' (and not 'slice')")
    return part


def version_name(entry: SliceVersion, contract_version: int) -> str:
    """File name that carries a log entry."""
    loaded = entry.loaded_at.astimezone(UTC).strftime(_LOADED_AT)
    return (
        f"{entry.as_of.isoformat()}~r{entry.rows}~h{entry.content_hash}~l{loaded}~b{int(entry.is_backfilled)}~v{contract_version}{SUFFIX}"
    )


def parse_version(name: str, directory: str, table: str, advertiser_id: str, day: date) -> VersionFile | None:
    """The log entry in a file name; None for anything that is not a published version (temporary files, strangers)."""
    if not name.endswith(SUFFIX) or name.startswith("."):
        return None
    fields = name[: -len(SUFFIX)].split("~")
    if len(fields) != 6 or [f[:1] for f in fields[1:]] != ["r", "h", "l", "b", "v"]:
        return None
    as_of, rows, content_hash, loaded, backfilled, contract_version = fields[0], *(f[1:] for f in fields[1:])
    try:
        entry = SliceVersion(
            table=table,
            advertiser_id=advertiser_id,
            date=day,
            as_of=date.fromisoformat(as_of),
            rows=int(rows),
            content_hash=content_hash,
            loaded_at=_parse_instant(loaded),
            is_backfilled=backfilled == "1",
        )
        return VersionFile(entry, int(contract_version), f"{directory}{os.sep}{name}")
    except ValueError:
        return None


def _parse_instant(text: str) -> datetime:
    # fromisoformat takes the basic form since 3.11 and is 20 times faster than strptime, which matters for thousands of names.
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days_between(start: date, end: date) -> list[date]:
    """All days of `start <= day <= end`."""
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]
