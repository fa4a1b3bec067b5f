"""`raw/<table>`: one subsettable multi-asset that loads every input table for the partitions of the run.

What belongs here: which days may load, one call per advertiser, metadata. How rows are read, checked and versioned is `ingestion/`.

No postponed annotations in this module: Dagster reads the class of the `config` parameter from the annotation itself.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg
from pydantic import Field

from marketing_agents.assets.column_schema import table_metadata
from marketing_agents.assets.failure_policy import WAREHOUSE_POOL, failure_policy
from marketing_agents.assets.partition_step import OWNERS, PartitionStep
from marketing_agents.checks.per_partition import STATUS_CHECK, partition_check
from marketing_agents.days import LocalDay, by_advertiser
from marketing_agents.partitions import ADVERTISER_DATE, chunked
from marketing_agents.settings import Settings
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableKind

if TYPE_CHECKING:
    from marketing_agents.ingestion.load import DayLoad
    from marketing_agents.resources.platform import RegistryFile
    from marketing_agents.resources.source import SourceOpener
    from marketing_agents.state.store import StateStore
    from marketing_agents.warehouse.store import Warehouse

STEP = "ingestion"
STATUS_TABLE = "ad_performance_daily"
"""The table whose asset carries the status check. The outcome is the step's, so one evaluation says it: one per table and partition was a tenth
of the time of a backfill. Every table's partition metadata has it too."""
_WHEN = {
    TableKind.DAILY: "facts by day",
    TableKind.HISTORY: "settings as they stood at the end of the day",
    TableKind.REFERENCE: "the list as known on the day",
}


class IngestConfig(dg.Config):
    """Run configuration of ingestion."""

    ingest: Literal["refresh", "frozen"] = Field(
        default="refresh",
        description="refresh: read the source and store what changed. frozen: use stored versions only, so that a past day gives the answer it gave then.",
    )


def raw_key(table: str) -> dg.AssetKey:
    """`raw/<table>`"""
    return dg.AssetKey(["raw", table])


def build_raw_assets(settings: Settings) -> dg.AssetsDefinition:
    """The ingestion multi-asset over all input tables."""
    specs = [
        dg.AssetSpec(
            raw_key(table.name),
            description=f"{table.description}\n\nGrain: {table.grain}. One versioned slice per advertiser and day: {_WHEN[table.kind]}.",
            group_name="ingestion",
            owners=OWNERS,
            kinds={"parquet", "duckdb"},
            tags={"layer": "raw", "kind": str(table.kind)},
            code_version=str(table.version),
            metadata=table_metadata(table),
            skippable=False,
        )
        for table in INPUT_TABLES.values()
    ]

    @dg.multi_asset(
        name="ingest",
        specs=specs,
        check_specs=[partition_check(STATUS_CHECK, raw_key(STATUS_TABLE))],
        can_subset=True,
        partitions_def=ADVERTISER_DATE,
        backfill_policy=chunked(settings.backfill_chunk_size),
        pool=WAREHOUSE_POOL,
    )
    def ingest(  # type: ignore[no-untyped-def]  # noqa: ANN202 - Dagster refuses an annotation on several outputs
        context: dg.AssetExecutionContext,
        config: IngestConfig,
        registry: dg.ResourceParam[Any],
        warehouse: dg.ResourceParam[Any],
        state: dg.ResourceParam[Any],
        source: dg.ResourceParam[Any],
    ):
        """Load the selected tables for every partition of the run."""
        with failure_policy(context):
            yield from _ingest(context, config, settings, registry, warehouse, state, source)

    return ingest


def _ingest(
    context: dg.AssetExecutionContext,
    config: IngestConfig,
    settings: Settings,
    registry: "RegistryFile",
    warehouse: "Warehouse",
    state: "StateStore",
    source: "SourceOpener",
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    from marketing_agents.ingestion.load import load_advertiser

    step = PartitionStep.begin(STEP, context, state, registry, after=None)
    tables = sorted(key.path[-1] for key in context.selected_asset_keys)
    # A replay reads no source and so sees no rejected rows: what was said of them when the day was loaded still holds.
    earlier = state.statuses(STEP, step.usable) if config.ingest == "frozen" else {}
    loads: dict[LocalDay, DayLoad] = {}
    with source.open() as adapter:
        for advertiser_id, days in by_advertiser(step.usable).items():
            loads.update(
                load_advertiser(
                    warehouse,
                    adapter,
                    step.advertisers.require(advertiser_id),
                    days,
                    tables=tables,
                    also_judge=sorted(set(INPUT_TABLES) - set(tables)),
                    mode=config.ingest,
                    restatement_days=settings.restatement_days,
                    now=datetime.now(UTC),
                    recorded={d: e.reason for d in days if (e := earlier.get(LocalDay(advertiser_id, d))) and e.status == "degraded"},
                )
            )
    for day, load in loads.items():
        step.set(day, load.status, load.reason)
        context.log.info("%s: %s%s", day.key, load.status, f" ({load.reason})" if load.reason else "")
    keys = [raw_key(table) for table in tables]
    rows = {raw_key(t): {day: load.tables[t].rows for day, load in loads.items() if t in load.tables} for t in tables}
    details = {raw_key(t): {day: _table_details(load, t) for day, load in loads.items() if t in load.tables} for t in tables}
    step.report(keys, rows, details)
    for key in keys:
        yield dg.MaterializeResult(asset_key=key)


def _table_details(load: "DayLoad", table: str) -> dict[str, Any]:
    found = load.tables[table]
    details: dict[str, Any] = {"versions_written": found.versions_written, "versions_kept": found.versions_kept}
    if found.is_missing:
        details["missing"] = True
    if found.problem:
        details["problem"] = dg.MetadataValue.text(found.problem)
    return details
