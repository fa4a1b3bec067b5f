"""Feature rows that one run's transform keeps for the later steps of the same run: scratch, not part of the warehouse.

A set is `<data_dir>/scratch/<run_id>/<random>/<mart>.parquet` and `coverage.json`, written last: a set without it does not exist.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from marketing_agents.days import EPISODE_DAYS, LocalDay, by_advertiser
from marketing_agents.warehouse.embedded.layout import SUFFIX, Layout
from marketing_agents.warehouse.embedded.parquet import encode
from marketing_agents.warehouse.embedded.publishing import publish_file
from marketing_agents.warehouse.store import WarehouseError

if TYPE_CHECKING:
    import pyarrow as pa

COVERAGE = "coverage.json"
SCRATCH_LIFETIME_S = 24 * 3600.0


class _Coverage(TypedDict):
    written_ns: int
    marts: list[str]
    partitions: list[list[str]]


@dataclass(frozen=True)
class KeptFeatures:
    """Kept feature rows below one data folder."""

    layout: Layout

    def keep(self, run_id: str, marts: Mapping[str, pa.Table], days: Sequence[LocalDay]) -> None:
        """Store one set: all marts and the partitions that they cover."""
        folder = self.layout.kept_dir(run_id) / secrets.token_hex(8)
        try:
            self._write(folder, run_id, marts, days)
        except WarehouseError:
            shutil.rmtree(folder, ignore_errors=True)  # on a full disk, half a set is space that the next attempt needs
            raise

    def _write(self, folder: Path, run_id: str, marts: Mapping[str, pa.Table], days: Sequence[LocalDay]) -> None:
        for name, rows in marts.items():
            publish_file(folder / f"{name}{SUFFIX}", encode(rows), what=f"features of {name} (run {run_id})", is_durable=False)
        coverage: _Coverage = {
            "written_ns": time.time_ns(),
            "marts": sorted(marts),
            "partitions": [[d.advertiser_id, d.day.isoformat()] for d in sorted(set(days))],
        }
        publish_file(folder / COVERAGE, json.dumps(coverage).encode(), what=f"features (run {run_id})", is_durable=False)

    def read(self, run_id: str, days: Sequence[LocalDay]) -> dict[str, pa.Table] | None:
        """The newest set that covers all of `days`, cut to their episode windows; None when there is none."""
        import pyarrow.parquet as pq

        asked = set(days)
        for folder, coverage in self._sets(run_id):
            covered = {LocalDay(a, date.fromisoformat(d)) for a, d in coverage["partitions"]}
            if asked <= covered:
                marts = {name: pq.read_table(folder / f"{name}{SUFFIX}", partitioning=None) for name in coverage["marts"]}
                return marts if asked == covered else {name: _within_episodes(rows, sorted(asked)) for name, rows in marts.items()}
        return None

    def discard(self, run_id: str) -> None:
        """Remove everything that a run kept."""
        shutil.rmtree(self.layout.kept_dir(run_id), ignore_errors=True)

    def _sets(self, run_id: str) -> list[tuple[Path, _Coverage]]:
        sets: list[tuple[Path, _Coverage]] = []
        for file in self.layout.kept_dir(run_id).glob(f"*/{COVERAGE}"):
            try:
                sets.append((file.parent, json.loads(file.read_bytes())))
            except (OSError, ValueError) as error:
                raise WarehouseError(
                    f"{file}: kept features cannot be read ({error}); delete {file.parent} and run the marts again"
                ) from error
        return sorted(sets, key=lambda item: item[1]["written_ns"], reverse=True)


def sweep_scratch(layout: Layout, *, older_than_s: float = SCRATCH_LIFETIME_S) -> None:
    """Remove what crashed or finished runs left under scratch/ more than a day ago."""
    limit = time.time() - older_than_s  # age of files on disk, not of data
    with suppress(FileNotFoundError), os.scandir(layout.scratch_dir) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False) and entry.stat().st_mtime < limit:
                    shutil.rmtree(entry.path, ignore_errors=True)


def _within_episodes(rows: pa.Table, days: Sequence[LocalDay]) -> pa.Table:
    import functools

    import pyarrow as pa
    import pyarrow.compute as pc

    masks = []
    for advertiser_id, dates in by_advertiser(days).items():
        wanted = sorted({d - timedelta(days=n) for d in dates for n in range(EPISODE_DAYS + 1)})
        is_wanted = pc.is_in(pc.cast(rows.column("date"), pa.date32()), value_set=pa.array(wanted, pa.date32()))
        masks.append(pc.and_(pc.equal(rows.column("advertiser_id"), advertiser_id), is_wanted))
    return rows.filter(functools.reduce(pc.or_, masks)) if masks else rows.slice(0, 0)
