"""`marts/<model>`: the feature tables, built by dbt in the step and published for the asked days only.

Specs come from the models' own YAML, so that importing definitions does not import dbt (a test holds the YAML against dbt's manifest).

No postponed annotations in this module: Dagster reads the annotations of `context` and `config` as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import dagster as dg

from marketing_agents.assets.catalogue import FINDINGS_KEY
from marketing_agents.assets.column_schema import mart_metadata
from marketing_agents.assets.failure_policy import WAREHOUSE_POOL, failure_policy
from marketing_agents.assets.partition_step import OWNERS, PartitionStep
from marketing_agents.assets.raw import STEP as INGESTION_STEP
from marketing_agents.assets.raw import raw_key
from marketing_agents.checks.dbt_tests import DbtTest, FailedTest, attribute, failed_on
from marketing_agents.checks.per_partition import STATUS_CHECK, TESTS_CHECK, log_check, partition_check
from marketing_agents.days import LocalDay
from marketing_agents.partitions import ADVERTISER_DATE, chunked
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.settings import Settings
from marketing_agents.warehouse.marts import MartContract, load_marts, project_hash

if TYPE_CHECKING:
    from marketing_agents.advertisers.registry import Registry
    from marketing_agents.resources.platform import RegistryFile
    from marketing_agents.state.store import StateStore
    from marketing_agents.warehouse.store import TransformRun, Warehouse

STEP = "marts"
STATUS_MART = "campaign_features"
"""The mart whose asset carries the status check of the step (see `raw.STATUS_TABLE`)."""


def mart_key(model: str) -> dg.AssetKey:
    """`marts/<model>`"""
    return dg.AssetKey(["marts", model])


def build_mart_assets(settings: Settings) -> dg.AssetsDefinition:
    """The dbt multi-asset over all published models."""
    project = dbt_project_dir()
    marts = load_marts(project)
    specs = [_spec(mart, marts, project_hash(project)) for mart in marts.values()]
    checks = [partition_check(STATUS_CHECK, mart_key(STATUS_MART)), *(partition_check(TESTS_CHECK, spec.key) for spec in specs)]

    @dg.multi_asset(
        name="build_marts",
        specs=specs,
        check_specs=checks,
        can_subset=True,
        partitions_def=ADVERTISER_DATE,
        backfill_policy=chunked(settings.backfill_chunk_size),
        pool=WAREHOUSE_POOL,
    )
    def build_marts(  # type: ignore[no-untyped-def]  # noqa: ANN202 - Dagster refuses an annotation on several outputs
        context: dg.AssetExecutionContext, registry: dg.ResourceParam[Any], warehouse: dg.ResourceParam[Any], state: dg.ResourceParam[Any]
    ):
        """Build features for every usable partition of the run and publish the asked days."""
        with failure_policy(context):
            yield from _build(context, settings, registry, warehouse, state)

    return build_marts


def _spec(mart: MartContract, marts: dict[str, MartContract], code_version: str) -> dg.AssetSpec:
    parents = [mart_key(name) for name in mart.depends_on if name in marts]
    return dg.AssetSpec(
        mart_key(mart.name),
        deps=[*parents, *(raw_key(table) for table in mart.raw_tables)],
        description=mart.description,
        group_name="marts",
        owners=OWNERS,
        kinds={"dbt", "duckdb"},
        tags={"layer": mart.layer},
        code_version=code_version,
        metadata=mart_metadata(mart),
    )


def _build(
    context: dg.AssetExecutionContext, settings: Settings, registry: "RegistryFile", warehouse: "Warehouse", state: "StateStore"
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    step = PartitionStep.begin(STEP, context, state, registry, after=INGESTION_STEP)
    keys = [mart_key(name) for name in parents_first(load_marts(dbt_project_dir())) if mart_key(name) in context.selected_asset_keys]
    rows: dict[dg.AssetKey, dict[LocalDay, int]] = {}
    tests: list[DbtTest] = []
    failed: list[FailedTest] = []
    if step.usable:
        with warehouse.transform(step.advertisers, step.usable, run_id=context.run_id) as transform:
            tests = run_dbt(transform, settings, step.usable)
            failed = [attribute(t, transform.failed_rows(t.relation) if t.relation else None) for t in tests if t.failures]
            for day in step.usable:
                for test in failed_on(failed, day):
                    step.degrade(day, f"dbt test {test.name} on {test.model} failed")
            for key in keys:
                rows[key] = transform.publish(key.path[-1], step.usable)
            if _is_in_run(context, FINDINGS_KEY):
                transform.keep_features(tuple(load_marts(dbt_project_dir())))
    _log_tests(context, keys, step.usable, tests, failed)
    step.report(keys, rows)
    for key in keys:
        yield dg.MaterializeResult(asset_key=key)


def _is_in_run(context: dg.AssetExecutionContext, key: dg.AssetKey) -> bool:
    selection = context.run.asset_selection
    return not selection or key in selection  # empty = the whole job


def parents_first(marts: Mapping[str, MartContract]) -> list[str]:
    """Names in an order in which each model comes after those it reads: Dagster wants outputs of one step in it."""
    return list(
        TopologicalSorter({name: [p for p in mart.depends_on if p in marts] for name, mart in sorted(marts.items())}).static_order()
    )


def run_dbt(transform: "TransformRun", settings: Settings, days: Sequence[LocalDay]) -> list[DbtTest]:
    """Build the dbt project in a transform run for `days`; results of its tests."""
    from marketing_agents.assets.dbt_build import build

    what = f"marts of {days[0].key}" + (f" and {len(days) - 1} more" if len(days) > 1 else "")
    return build(dbt_project_dir(), transform.dbt_environment, cache_dir=settings.data_dir / "cache" / "dbt", what=what)


def keep_features_of(settings: Settings, warehouse: "Warehouse", registry: "Registry", days: Sequence[LocalDay], *, run_id: str) -> None:
    """Build features for `days` and keep them for the run, publishing nothing (for a step that is re-run alone)."""
    with warehouse.transform(registry, days, run_id=run_id) as transform:
        run_dbt(transform, settings, days)
        transform.keep_features(tuple(load_marts(dbt_project_dir())))


def _log_tests(
    context: dg.AssetExecutionContext,
    keys: Sequence[dg.AssetKey],
    days: Sequence[LocalDay],
    tests: Sequence[DbtTest],
    failed: Sequence[FailedTest],
) -> None:
    for key in keys:
        model = key.path[-1]
        count = sum(test.model == model for test in tests)
        for day in days:
            found = failed_on(failed, day, model)
            is_error = any(test.severity == "error" for test in found)
            log_check(
                context,
                key,
                TESTS_CHECK,
                day,
                passed=not found,
                severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
                metadata={"tests": count, "failed": ", ".join(f"{test.name} ({rows} rows)" for test, rows in found.items()) or "none"},
            )
