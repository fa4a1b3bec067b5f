"""Runs from which Dagster hides partitions: what the page of a job starts when several partitions are chosen there.

Such a backfill ("job backfill") goes wrong over two dimensions in Dagster 1.13.27 without a word, measured through the real daemon:

* Every run carries the dimension tags (`dagster/partition/advertiser`, `.../date`) of the first partition of the whole backfill beside its own
  range (`job_backfill.py`, `submit_backfill_runs`). The tags win over the range, so each run computes that one partition, and the backfill
  ends as completed.
* Beyond 25 runs, partitions are dropped: the checkpoint is a position in the list of keys, the runs are not in that order.

Backfills of assets (the pages of assets, `marketing-agents backfill`, GraphQL with `assetSelection` and without `selector`) do neither.
"""

from __future__ import annotations

from collections.abc import Mapping

_START, _END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
_DIMENSION = "dagster/partition/"


def hidden_partitions(tags: Mapping[str, str]) -> str | None:
    """Why a run with these tags must not go on, or None. Tags of one partition beside a range that is exactly that partition are harmless."""
    dimensions = {key.removeprefix(_DIMENSION): value for key, value in tags.items() if key.startswith(_DIMENSION)}
    if _START not in tags or not dimensions:
        return None
    seen = "|".join(dimensions[name] for name in sorted(dimensions))
    start, end = tags[_START], tags.get(_END, tags[_START])
    if start == end == seen:
        return None
    return (
        f"this run is for {start} to {end}, but Dagster shows it {seen} only, as it does in backfills that start on the page of a job; nothing was "
        "computed. Start the backfill from Assets (select the assets, Materialize, choose partitions) or with `marketing-agents backfill`"
    )
