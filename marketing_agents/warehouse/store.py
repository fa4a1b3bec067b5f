"""The small interface between the pipeline and wherever rows live. Two implementations: embedded (Parquet + DuckDB), BigQuery.

Raw slices are versioned by `as_of`, the label of the partition whose run loaded them; a reader names the day on which it must have been
known (`known_on`) and gets, for each day, the newest version with `as_of <= known_on`. Result slices are replaced as a whole.
Every write of one slice is atomic: a reader sees the old slice or the new one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from marketing_agents.days import LocalDay

if TYPE_CHECKING:
    import pyarrow as pa

    from marketing_agents.advertisers.registry import Registry


class WarehouseError(RuntimeError):
    """A store could not do what was asked: names the table, the slice and the next step.

    `is_transient`: True when it may work a little later (a lock), None when the cause decides (see `failures.py`).
    """

    def __init__(self, message: str, *, is_transient: bool | None = None) -> None:
        super().__init__(message)
        self.is_transient = is_transient


@dataclass(frozen=True, order=True)
class SliceVersion:
    """One entry of the ingestion log: one version of one (table, advertiser, date).

    `content_hash`: hash of the rows in key order, without lineage columns. `loaded_at`: the one clock reading that is kept.
    `is_backfilled`: loaded more than 48 h after the day's end, so its age says nothing about the source.
    """

    table: str
    advertiser_id: str
    date: dt.date
    as_of: dt.date
    rows: int
    content_hash: str
    loaded_at: datetime
    is_backfilled: bool


@dataclass(frozen=True)
class SliceRows:
    """Rows for one version of a raw slice, to be written.

    `rows`: contract columns. `keep_existing`: a look-back fill; whatever version the day has stays (the first writer wins).
    `content_hash`: of `warehouse.content`, when the caller has it already.
    """

    day: date
    as_of: date
    rows: pa.Table
    is_backfilled: bool
    keep_existing: bool = False
    content_hash: str | None = None


@dataclass(frozen=True)
class VersionWrite:
    """What became of one `SliceRows`: the entry that is visible now, and whether this call wrote it."""

    entry: SliceVersion
    is_new: bool


class TransformRun(Protocol):
    """A private place in which dbt works for one set of partitions (see `Warehouse.transform`). Gone when the context is left;
    `publish` and `keep_features` decide what stays.
    """

    @property
    def dbt_environment(self) -> Mapping[str, str]:
        """Environment variables for the dbt process (profile target, database path)."""
        ...

    def publish(self, mart: str, days: Sequence[LocalDay]) -> dict[LocalDay, int]:
        """Replace the published slices of a mart for `days`; rows per slice (0 for days without a row)."""
        ...

    def keep_features(self, marts: Sequence[str]) -> None:
        """Keep all computed feature rows, episode look-back included, for later steps of the same run (`Warehouse.kept_features`)."""
        ...

    def failed_rows(self, relation: str) -> pa.Table | None:
        """Rows that a dbt test stored as failures (relation as in dbt's results), or None when there are none."""
        ...


class SecondLook(Protocol):
    """A private place in which dbt computes features of some days with what was known a day later (see `Warehouse.second_look`)."""

    @property
    def dbt_environment(self) -> Mapping[str, str]:
        """Environment variables for the dbt process."""
        ...

    def features(self, marts: Iterable[str]) -> dict[str, pa.Table]:
        """Rows of marts that dbt built, for the asked days only."""
        ...


class Warehouse(Protocol):
    """What assets and functions may ask of a store."""

    def write_version(
        self, table: str, day: LocalDay, as_of: date, rows: pa.Table, *, loaded_at: datetime, is_backfilled: bool
    ) -> SliceVersion:
        """Publish one version of a raw slice (contract columns). First version of a day: the first writer wins. An existing version of
        the same (table, day, as_of) with other content is replaced; with equal content nothing is written and the old entry returned.
        """
        ...

    def write_versions(self, table: str, advertiser_id: str, slices: Sequence[SliceRows], *, loaded_at: datetime) -> list[VersionWrite]:
        """`write_version` for many days of one table and advertiser at once (a look-back of 175 days is one call, one load job). Each
        slice is published atomically by itself.
        """
        ...

    def ingestion_log(
        self, advertiser_ids: Iterable[str], *, tables: Iterable[str] | None = None, start: date | None = None, end: date | None = None
    ) -> list[SliceVersion]:
        """Versions of raw slices in `start <= date <= end`, sorted."""
        ...

    def read_raw(self, table: str, advertiser_id: str, start: date, end: date, *, known_on: date) -> pa.Table:
        """Rows of a raw table in `start <= date <= end` as known on `known_on`: contract columns (+ `date` as slice date for
        HISTORY and REFERENCE tables) and `as_of`.
        """
        ...

    def replace_slices(self, table: str, rows: pa.Table, days: Sequence[LocalDay], *, part: str | None = None) -> dict[LocalDay, int]:
        """Replace the slices of a result table for `days` with `rows` (contract columns; rows of other days are an error).
        `part` splits a slice between writers (the domain, for `analyses`): only that part is replaced.
        """
        ...

    def read_slices(self, table: str, days: Sequence[LocalDay], *, part: str | None = None) -> pa.Table:
        """Rows of a result table or published mart for `days`, all parts unless one is named; empty table when there are none."""
        ...

    def transform(self, registry: Registry, days: Sequence[LocalDay], *, run_id: str) -> AbstractContextManager[TransformRun]:
        """Open a private place for dbt in which the raw tables are visible for these partitions' look-back."""
        ...

    def second_look(self, registry: Registry, days: Sequence[LocalDay], *, run_id: str) -> AbstractContextManager[SecondLook]:
        """Open a private place for dbt in which each of `days` sees of its past what was known on the day after it. Nothing is published."""
        ...

    def kept_features(self, run_id: str, days: Sequence[LocalDay]) -> dict[str, pa.Table] | None:
        """Feature rows by mart that the transform of this run kept, for all days in [day - 55, day] of each asked partition; None when
        that run kept none or does not cover all of `days`.
        """
        ...

    def discard_features(self, run_id: str) -> None:
        """Remove what `keep_features` kept for a run; nothing happens when there is nothing."""
        ...

    def save_document(self, name: str, content: bytes) -> Path | str:
        """Publish a document (report page, digest) under a relative name; returns where it is."""
        ...

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """A read-only query with named parameters over all tables as views."""
        ...
