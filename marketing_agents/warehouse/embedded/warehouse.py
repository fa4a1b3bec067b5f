"""`EmbeddedWarehouse`: the warehouse interface on one data folder. No server, no account; several processes may use it at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from marketing_agents.days import LocalDay
from marketing_agents.warehouse.embedded.layout import Layout
from marketing_agents.warehouse.embedded.slices import SliceStore
from marketing_agents.warehouse.embedded.versions import VersionStore, input_contract
from marketing_agents.warehouse.store import SecondLook, SliceRows, SliceVersion, TransformRun, VersionWrite

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from marketing_agents.advertisers.registry import Registry


@dataclass(frozen=True)
class EmbeddedWarehouse:
    """Implements `warehouse.store.Warehouse` with Parquet slices below `data_dir` (layout: `layout.py`).

    `is_durable`: fsync what is published. Off only where a power cut may cost the data (tests, throw-away benchmarks).
    """

    data_dir: Path
    is_durable: bool = True

    @cached_property
    def _layout(self) -> Layout:
        return Layout(self.data_dir.absolute())

    @cached_property
    def _versions(self) -> VersionStore:
        return VersionStore(self._layout, self.is_durable)

    @cached_property
    def _slices(self) -> SliceStore:
        return SliceStore(self._layout, self.is_durable)

    def write_version(
        self, table: str, day: LocalDay, as_of: date, rows: pa.Table, *, loaded_at: datetime, is_backfilled: bool
    ) -> SliceVersion:
        item = SliceRows(day.day, as_of, rows, is_backfilled)
        return self.write_versions(table, day.advertiser_id, [item], loaded_at=loaded_at)[0].entry

    def write_versions(self, table: str, advertiser_id: str, slices: Sequence[SliceRows], *, loaded_at: datetime) -> list[VersionWrite]:
        return self._versions.write(table, advertiser_id, slices, loaded_at)

    def ingestion_log(
        self, advertiser_ids: Iterable[str], *, tables: Iterable[str] | None = None, start: date | None = None, end: date | None = None
    ) -> list[SliceVersion]:
        return self._versions.log(advertiser_ids, tables, start, end)

    def read_raw(self, table: str, advertiser_id: str, start: date, end: date, *, known_on: date) -> pa.Table:
        from marketing_agents.warehouse.embedded.reading import read_files

        contract = input_contract(table)
        files = self._versions.known(table, advertiser_id, start, end, known_on)
        return read_files(contract, files, what=f"raw.{table} of {advertiser_id}, {start} to {end}")

    def replace_slices(self, table: str, rows: pa.Table, days: Sequence[LocalDay], *, part: str | None = None) -> dict[LocalDay, int]:
        return self._slices.replace_results(table, rows, days, part)

    def read_slices(self, table: str, days: Sequence[LocalDay], *, part: str | None = None) -> pa.Table:
        return self._slices.read(table, days, part)

    def transform(self, registry: Registry, days: Sequence[LocalDay], *, run_id: str) -> AbstractContextManager[TransformRun]:
        from marketing_agents.warehouse.embedded.transform import open_transform

        return open_transform(self._layout, self._versions, self._slices, registry, days, run_id)

    def second_look(self, registry: Registry, days: Sequence[LocalDay], *, run_id: str) -> AbstractContextManager[SecondLook]:
        from marketing_agents.warehouse.embedded.relabelled import open_relabelled

        return open_relabelled(self._layout, self._versions, registry, days, run_id)

    def kept_features(self, run_id: str, days: Sequence[LocalDay]) -> dict[str, pa.Table] | None:
        from marketing_agents.warehouse.embedded.features import KeptFeatures

        return KeptFeatures(self._layout).read(run_id, days)

    def discard_features(self, run_id: str) -> None:
        from marketing_agents.warehouse.embedded.features import KeptFeatures

        KeptFeatures(self._layout).discard(run_id)

    def save_document(self, name: str, content: bytes) -> Path:
        from marketing_agents.warehouse.embedded.documents import save_document

        return save_document(self._layout, name, content, is_durable=self.is_durable)

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        from marketing_agents.warehouse.embedded.queries import run_query

        return run_query(self._versions, self._slices, sql, parameters)

    def connect_views(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection with all tables as views of this moment, for an interactive shell. Close it when done."""
        from marketing_agents.warehouse.embedded.queries import view_connection

        return view_connection(self._versions, self._slices)
