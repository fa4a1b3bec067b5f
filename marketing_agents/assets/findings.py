"""`rules/findings`: every rule evaluated for every partition of the run, with evidence. The evaluation itself is `rules/`.

No postponed annotations in this module: Dagster reads the annotations of `context` and `config` as they are.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from marketing_agents.assets.catalogue import CATALOGUE_KEY, FINDINGS_KEY, catalogue_version, read_catalogue
from marketing_agents.assets.column_schema import table_metadata
from marketing_agents.assets.failure_policy import WAREHOUSE_POOL, failure_policy
from marketing_agents.assets.marts import STEP as MARTS_STEP
from marketing_agents.assets.marts import keep_features_of, mart_key
from marketing_agents.assets.partition_step import OWNERS, PartitionStep
from marketing_agents.assets.raw import raw_key
from marketing_agents.checks.per_partition import STATUS_CHECK, partition_check
from marketing_agents.days import LocalDay, by_advertiser
from marketing_agents.partitions import ADVERTISER_DATE, chunked
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.settings import Settings
from marketing_agents.warehouse.catalog import RESULT_TABLES
from marketing_agents.warehouse.marts import load_marts

if TYPE_CHECKING:
    import pyarrow as pa

    from marketing_agents.advertisers.registry import Registry
    from marketing_agents.assets.retraction import Review
    from marketing_agents.resources.platform import RegistryFile
    from marketing_agents.rules.evaluate import Evaluation
    from marketing_agents.rules.muting import Feedback
    from marketing_agents.rules.rule import Catalogue
    from marketing_agents.state.store import StateStore
    from marketing_agents.warehouse.store import SliceVersion, Warehouse

STEP = "findings"
FEEDBACK = "feedback"
"""The only input table that this step reads itself: notes on findings are no features."""


def build_findings_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `rules/findings`."""
    marts = [name for name, mart in load_marts(dbt_project_dir()).items() if mart.layer == "marts"]

    spec = dg.AssetSpec(
        FINDINGS_KEY,
        deps=[CATALOGUE_KEY, raw_key(FEEDBACK), *(mart_key(name) for name in marts)],
        group_name="rules",
        owners=OWNERS,
        kinds={"python", "pandas"},
        code_version=catalogue_version(settings),
        tags={"layer": "rules"},
        metadata=table_metadata(RESULT_TABLES["findings"]),
        description="Rules that fire, as episodes with evidence: every number that may be quoted later is a fact here. Data gates run first.",
    )

    # A subsettable multi-asset of one asset: only there may checks be reported through log_event, one per partition.
    @dg.multi_asset(
        name="findings",
        specs=[spec],
        can_subset=True,
        partitions_def=ADVERTISER_DATE,
        backfill_policy=chunked(settings.backfill_chunk_size),
        pool=WAREHOUSE_POOL,  # alone, it builds features too
        check_specs=[partition_check(STATUS_CHECK, FINDINGS_KEY)],
    )
    def findings(  # type: ignore[no-untyped-def]  # noqa: ANN202 - Dagster refuses an annotation beside checks
        context: dg.AssetExecutionContext, registry: dg.ResourceParam[Any], warehouse: dg.ResourceParam[Any], state: dg.ResourceParam[Any]
    ):
        with failure_policy(context):
            try:
                _findings(context, settings, registry, warehouse, state)
            finally:
                warehouse.discard_features(context.run_id)
        yield dg.MaterializeResult(asset_key=FINDINGS_KEY)

    return findings


def _findings(
    context: dg.AssetExecutionContext, settings: Settings, registry: "RegistryFile", warehouse: "Warehouse", state: "StateStore"
) -> None:
    from marketing_agents.report.markdown import findings_markdown
    from marketing_agents.rules.overrides import expired
    from marketing_agents.rules.tables import findings_table, outcomes_table

    step = PartitionStep.begin(STEP, context, state, registry, after=MARTS_STEP)
    rows: dict[LocalDay, int] = {}
    details: dict[LocalDay, dict[str, Any]] = {}
    if step.usable:
        catalogue = read_catalogue(settings)
        evaluation, review = evaluate_days(settings, warehouse, step.advertisers, catalogue, step.usable, run_id=context.run_id)
        rows = warehouse.replace_slices(
            "findings", findings_table([f for found in evaluation.findings.values() for f in found]), step.usable
        )
        warehouse.replace_slices(
            "rule_evaluations", outcomes_table([o for found in evaluation.outcomes.values() for o in found]), step.usable
        )
        _warn_of_expired(context, catalogue, step.usable)
        _tell_failed_review(context, step, review)
        for day in step.usable:
            everything = evaluation.findings.get(day, [])
            found = [f for f in everything if not f.is_shadow]
            outcomes = evaluation.outcomes.get(day, [])
            blocked = sorted({o.rule_id for o in outcomes if o.reason == "blocked_by_data"})
            details[day] = {
                "findings": dg.MetadataValue.md(findings_markdown(found)),
                "opened": sum(f.episode_state == "opened" for f in found),
                "open": sum(f.is_open for f in found),
                "muted": sum(f.episode_state == "muted" for f in found),
                "retracted": sum(f.episode_state == "superseded" for f in found),
                "told_days_judged_again": _judged_again(review, day),
                "on_trial": len(everything) - len(found),
                "rules_blocked_by_data": ", ".join(blocked) or "none",
                "catalogue_hash": catalogue.hash,
                "overrides_applied": sum(f.override is not None for f in found),
                "overrides_expired": "; ".join(
                    f"{o.rule_id} ({o.owner}, until {o.expires})" for o in expired(catalogue.overrides, day.advertiser_id, day.day)
                )
                or "none",
            }
    step.report([FINDINGS_KEY], {FINDINGS_KEY: rows}, {FINDINGS_KEY: details})


def _warn_of_expired(context: dg.AssetExecutionContext, catalogue: "Catalogue", days: Sequence[LocalDay]) -> None:
    """One warning per entry of overrides that some day of the run no longer has."""
    from marketing_agents.rules.overrides import expired

    gone = {override: None for day in sorted(days) for override in expired(catalogue.overrides, day.advertiser_id, day.day)}
    for override in gone:
        context.log.warning(
            "override of %s expired on %s and is ignored: %s (%s, for %s): prolong or remove %s",
            override.rule_id,
            override.expires,
            override.changes,
            override.owner,
            override.reach.text,
            override.place,
        )


def _judged_again(review: "Review", day: LocalDay) -> str:
    """How the second look at what was told before went for one partition."""
    count = len(review.judged.get(day, ()))
    return f"none of {count}, the build failed: {review.failure[:500]}" if count and review.failure else str(count)


def _tell_failed_review(context: dg.AssetExecutionContext, step: PartitionStep, review: "Review") -> None:
    if review.failure is None:
        return
    context.log.warning("findings that restated data may have overturned were not judged again: %s", review.failure)
    for day in review.judged:
        step.degrade(day, "findings told before were not judged again with the data restated since; run rules/findings again")


def evaluate_days(
    settings: Settings, warehouse: "Warehouse", registry: "Registry", catalogue: "Catalogue", days: Sequence[LocalDay], *, run_id: str
) -> "tuple[Evaluation, Review]":
    """Evaluate all rules for `days`, and what they told before in the light of what was restated since.

    Uses the features that this run's marts step kept, else builds them privately.
    """
    from marketing_agents.assets.retraction import review
    from marketing_agents.rules.availability import availability
    from marketing_agents.rules.evaluate import evaluate

    features, log = features_and_log(settings, warehouse, registry, days, run_id=run_id)
    inputs, feedback = availability(log, days), known_feedback(warehouse, log, days)
    evaluation = evaluate(catalogue, features, days, inputs, feedback)
    found = review(settings, warehouse, registry, catalogue, evaluation, log, run_id=run_id)
    if found.overturned:
        evaluation = evaluate(catalogue, features, days, inputs, feedback, found.overturned)
    return evaluation, found


def known_feedback(
    warehouse: "Warehouse", log: "Sequence[SliceVersion]", days: Sequence[LocalDay]
) -> "dict[LocalDay, tuple[Feedback, ...]]":
    """What people said about findings, as known on each day."""
    from marketing_agents.rules.muting import READABLE_DAYS, TABLE, feedback_of_days

    has_any = {version.advertiser_id for version in log if version.table == TABLE and version.rows}
    rows = {
        advertiser_id: warehouse.read_raw(
            TABLE, advertiser_id, min(asked) - timedelta(days=READABLE_DAYS - 1), max(asked), known_on=max(asked)
        )
        for advertiser_id, asked in by_advertiser(days).items()
        if advertiser_id in has_any
    }
    return feedback_of_days(log, rows, days)


def features_and_log(
    settings: Settings, warehouse: "Warehouse", registry: "Registry", days: Sequence[LocalDay], *, run_id: str
) -> tuple[dict[str, Any], list[Any]]:
    """Feature frames by mart (episode look-back included) and the ingestion log of the advertisers."""
    kept = warehouse.kept_features(run_id, days)
    if kept is None:
        keep_features_of(settings, warehouse, registry, days, run_id=run_id)
        kept = warehouse.kept_features(run_id, days)
        if kept is None:
            raise RuntimeError("features were built but not kept; this is a bug in the warehouse")
    log = warehouse.ingestion_log(sorted({d.advertiser_id for d in days}))
    return to_frames(kept), log


def to_frames(tables: "Mapping[str, pa.Table]") -> dict[str, Any]:
    """Arrow tables to pandas, decimals as float64 (exact sums were made in SQL; rules compare and divide)."""
    import pyarrow as pa

    frames: dict[str, Any] = {}
    for name, table in tables.items():
        schema = pa.schema([pa.field(f.name, pa.float64()) if pa.types.is_decimal(f.type) else f for f in table.schema])
        frames[name] = table.cast(schema).to_pandas()
    return frames
