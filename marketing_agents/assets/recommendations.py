"""`recommendations` and `daily_report`: the merged, ranked, guarded list of the day, and a page that shows it.

No postponed annotations in this module: Dagster reads the annotations of `context` and `config` as they are.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from marketing_agents.assets.analysis import analysis_key, analysis_step
from marketing_agents.assets.catalogue import FINDINGS_KEY
from marketing_agents.assets.column_schema import table_metadata
from marketing_agents.assets.failure_policy import failure_policy
from marketing_agents.assets.findings import STEP as FINDINGS_STEP
from marketing_agents.assets.partition_step import OWNERS, PartitionStep
from marketing_agents.checks.per_partition import STATUS_CHECK, partition_check
from marketing_agents.days import LocalDay
from marketing_agents.domains.registry import load_domains
from marketing_agents.partitions import ADVERTISER_DATE, chunked
from marketing_agents.settings import Settings
from marketing_agents.warehouse.catalog import RESULT_TABLES

if TYPE_CHECKING:
    from marketing_agents.agents.analysis import DomainAnalysis
    from marketing_agents.resources.platform import RegistryFile
    from marketing_agents.rules.finding import Finding
    from marketing_agents.state.store import StateStore
    from marketing_agents.warehouse.store import Warehouse

STEP = "recommendations"
RECOMMENDATIONS_KEY = dg.AssetKey(["recommendations"])


def build_recommendations_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `recommendations`."""
    names = [domain.name for domain in load_domains(settings.resolved_domains_dir)]

    spec = dg.AssetSpec(
        RECOMMENDATIONS_KEY,
        deps=[FINDINGS_KEY, *(analysis_key(name) for name in names)],
        group_name="recommendations",
        owners=OWNERS,
        kinds={"python"},
        code_version="1",
        tags={"layer": "recommendations"},
        metadata=table_metadata(RESULT_TABLES["recommendations"]),
        description="One short ranked list per advertiser and day: proposals of all domains merged, contradictions resolved, limits enforced, everything held or suppressed still visible with its reason.",
    )

    # A subsettable multi-asset of one asset: only there may checks be reported through log_event, one per partition.
    @dg.multi_asset(
        name="recommendations",
        specs=[spec],
        can_subset=True,
        partitions_def=ADVERTISER_DATE,
        backfill_policy=chunked(settings.backfill_chunk_size),
        check_specs=[partition_check(STATUS_CHECK, RECOMMENDATIONS_KEY)],
    )
    def recommendations(  # type: ignore[no-untyped-def]  # noqa: ANN202 - Dagster refuses an annotation beside checks
        context: dg.AssetExecutionContext, registry: dg.ResourceParam[Any], warehouse: dg.ResourceParam[Any], state: dg.ResourceParam[Any]
    ):
        with failure_policy(context):
            _recommend(context, settings, names, registry, warehouse, state)
        yield dg.MaterializeResult(asset_key=RECOMMENDATIONS_KEY)

    return recommendations


def _recommend(
    context: dg.AssetExecutionContext,
    settings: Settings,
    domains: Sequence[str],
    registry: "RegistryFile",
    warehouse: "Warehouse",
    state: "StateStore",
) -> None:
    from marketing_agents.decisions.merge import decide
    from marketing_agents.decisions.policy import load_policy
    from marketing_agents.decisions.tables import recommendations_table
    from marketing_agents.report.markdown import recommendations_markdown

    step = PartitionStep.begin(STEP, context, state, registry, after=FINDINGS_STEP)
    rows: dict[LocalDay, int] = {}
    details: dict[LocalDay, dict[str, Any]] = {}
    if step.usable:
        read = day_results(warehouse, step.usable)
        missing = _carry_analysis_outcomes(step, state, domains, read)
        lists = {}
        for day in step.usable:
            analyses, found = read[day]
            policy = load_policy(settings.resolved_policies_dir, day.advertiser_id)
            lists[day] = decide(
                step.advertisers.require(day.advertiser_id), day.day, [a for a in analyses if a.domain in domains], found, policy
            )
        rows = warehouse.replace_slices(
            "recommendations", recommendations_table([r for found in lists.values() for r in found]), step.usable
        )
        for day, listed in lists.items():
            details[day] = {
                "recommendations": dg.MetadataValue.md(recommendations_markdown(listed)),
                "ranked": sum(r.rank is not None for r in listed),
                "held_or_suppressed": sum(r.rank is None for r in listed),
                "domains_missing": ", ".join(missing.get(day, [])) or "none",
            }
    step.report([RECOMMENDATIONS_KEY], {RECOMMENDATIONS_KEY: rows}, {RECOMMENDATIONS_KEY: details})


def _carry_analysis_outcomes(
    step: PartitionStep, state: "StateStore", domains: Sequence[str], read: "Mapping[LocalDay, tuple[list[DomainAnalysis], list[Finding]]]"
) -> dict[LocalDay, list[str]]:
    """Degrade days with a domain that did not answer or answered after an error; the list is made from the others."""
    missing: dict[LocalDay, list[str]] = {}
    for domain in domains:
        found = state.statuses(analysis_step(domain), step.usable)
        for day in step.usable:
            outcome = found.get(day)
            if outcome is None or not outcome.is_usable:
                missing.setdefault(day, []).append(domain)
                step.degrade(day, f"no analysis of {domain}")
            elif any(a.domain == domain and a.status == "degraded" for a in read[day][0]):
                step.degrade(day, f"{domain} was written by the template after an error")
    return missing


def day_results(warehouse: "Warehouse", days: Sequence[LocalDay]) -> "dict[LocalDay, tuple[list[DomainAnalysis], list[Finding]]]":
    """Analyses and findings of each day, without those of rules on trial."""
    from marketing_agents.agents.tables import analyses_from_table
    from marketing_agents.rules.tables import told_findings

    read: dict[LocalDay, tuple[list[DomainAnalysis], list[Finding]]] = {day: ([], []) for day in days}
    for analysis in analyses_from_table(warehouse.read_slices("analyses", days)):
        read[LocalDay(analysis.advertiser_id, analysis.date)][0].append(analysis)
    for finding in told_findings(warehouse.read_slices("findings", days)):
        read[LocalDay(finding.advertiser_id, finding.date)][1].append(finding)
    return read
