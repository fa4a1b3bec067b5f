"""`analysis/<domain>`: six (or more) assets from ONE async step, so that all domains and all partitions of a run are analysed at once.

Separate in-process steps would run one after another, and the default executor pays seconds for each; one step keeps six nodes in the
lineage, each selectable and re-runnable alone, while wall time is the slowest agent. The agent itself is `agents/`.

No postponed annotations in this module: Dagster reads the annotations of `context` and `config` as they are.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from marketing_agents.assets.catalogue import FINDINGS_KEY, label_rules, read_catalogue
from marketing_agents.assets.column_schema import table_metadata
from marketing_agents.assets.failure_policy import MODEL_POOL, failure_policy
from marketing_agents.assets.findings import STEP as FINDINGS_STEP
from marketing_agents.assets.partition_step import OWNERS, PartitionStep
from marketing_agents.assets.trend_chart import TrendCharts
from marketing_agents.checks.per_partition import STATUS_CHECK, WRITER_CHECK, log_check, partition_check
from marketing_agents.days import LocalDay
from marketing_agents.domains.registry import Domain, load_domains
from marketing_agents.partitions import ADVERTISER_DATE, chunked
from marketing_agents.settings import Settings
from marketing_agents.warehouse.catalog import RESULT_TABLES

if TYPE_CHECKING:
    from marketing_agents.agents.analysis import DomainAnalysis
    from marketing_agents.resources.agents import AgentRuntime
    from marketing_agents.resources.platform import RegistryFile
    from marketing_agents.rules.finding import Finding
    from marketing_agents.state.store import StateStore
    from marketing_agents.status import PartitionStatus
    from marketing_agents.warehouse.store import Warehouse


def analysis_key(domain: str) -> dg.AssetKey:
    """`analysis/<domain>`"""
    return dg.AssetKey(["analysis", domain])


def analysis_step(domain: str) -> str:
    """Name of the step in `partition_status`: one per domain, because each is re-runnable alone."""
    return f"analysis/{domain}"


def build_analysis_assets(settings: Settings) -> dg.AssetsDefinition:
    """One asset per domain folder, made by one subsettable async multi-asset."""
    domains = {domain.name: domain for domain in load_domains(settings.resolved_domains_dir)}
    specs = [_spec(domain) for domain in domains.values()]
    checks = [partition_check(name, spec.key) for spec in specs for name in (STATUS_CHECK, WRITER_CHECK)]

    @dg.multi_asset(
        name="analyse",
        specs=specs,
        check_specs=checks,
        can_subset=True,
        partitions_def=ADVERTISER_DATE,
        backfill_policy=chunked(settings.backfill_chunk_size),
        pool=MODEL_POOL,
    )
    async def analyse(  # type: ignore[no-untyped-def]  # noqa: ANN202 - Dagster refuses an annotation on several outputs
        context: dg.AssetExecutionContext,
        registry: dg.ResourceParam[Any],
        warehouse: dg.ResourceParam[Any],
        state: dg.ResourceParam[Any],
        agents: dg.ResourceParam[Any],
    ):
        """Run the selected domain agents on every usable partition of the run, bounded and concurrent."""
        selected = [domains[name] for name in sorted(key.path[-1] for key in context.selected_asset_keys)]
        with failure_policy(context):
            await _Analyses(context, settings, selected, registry, warehouse, state, agents).run()
        for domain in selected:
            yield dg.MaterializeResult(asset_key=analysis_key(domain.name))

    return analyse


def _spec(domain: Domain) -> dg.AssetSpec:
    return dg.AssetSpec(
        analysis_key(domain.name),
        deps=[FINDINGS_KEY],
        description=f"{domain.description}\n\nFindings of this domain grouped under causes, explained, with proposed actions. Written by the model when one is configured, else by the template.",
        group_name="analysis",
        owners=OWNERS,
        kinds={"langgraph", "gemini"},
        tags={"layer": "analysis", "domain": domain.name},
        code_version=_version(domain),
        metadata=table_metadata(RESULT_TABLES["analyses"]),
    )


def known_gaps(outcome: "PartitionStatus") -> tuple[str, ...]:
    """What readers must know about the day's data: the reason of a degraded day."""
    return (outcome.reason,) if outcome.reason else ()


def _version(domain: Domain) -> str:
    """Hash of the domain's file and prompt: a changed prompt makes its assets stale."""
    return hashlib.sha256(domain.model_dump_json().encode()).hexdigest()[:12]


@dataclass
class _Analyses:
    context: dg.AssetExecutionContext
    settings: Settings
    domains: Sequence[Domain]
    registry: "RegistryFile"
    warehouse: "Warehouse"
    state: "StateStore"
    agents: "AgentRuntime"

    async def run(self) -> None:
        """Analyse, write one slice part per domain, report every partition of every selected asset."""
        from marketing_agents.agents.graph import analyse_all
        from marketing_agents.agents.request import AnalysisRequest

        step = PartitionStep.begin("analysis", self.context, self.state, self.registry, after=FINDINGS_STEP)
        steps = {d.name: step.named(analysis_step(d.name)) for d in self.domains}
        days = step.usable
        upstream = self.state.statuses(FINDINGS_STEP, days)
        done: list[DomainAnalysis] = []
        found: Mapping[LocalDay, list[Finding]] = {}
        if days:
            found = self._findings(days)
            labels = {label.rule_id: label.domain for label in label_rules(self.settings, read_catalogue(self.settings), self.state)}
            requests = [
                AnalysisRequest(
                    advertiser=step.advertisers.require(day.advertiser_id),
                    day=day.day,
                    domain=domain,
                    findings=tuple(f for f in found[day] if labels.get(f.rule_id) == domain.name),
                    known_gaps=known_gaps(upstream[day]),
                )
                for day in days
                for domain in self.domains
            ]
            async with self.agents.open(self.context.run_id) as deps:
                done = await analyse_all(requests, deps, max_concurrent=self.settings.max_concurrent_agents)
        charts = TrendCharts(self.settings, self.warehouse, len(days))
        for domain in self.domains:
            own = {LocalDay(a.advertiser_id, a.date): a for a in done if a.domain == domain.name}
            self._publish(domain, steps[domain.name], own, found, charts)

    def _findings(self, days: Sequence[LocalDay]) -> "dict[LocalDay, list[Finding]]":
        from marketing_agents.rules.tables import told_findings

        found: dict[LocalDay, list[Finding]] = {day: [] for day in days}
        for finding in told_findings(self.warehouse.read_slices("findings", days)):
            found[LocalDay(finding.advertiser_id, finding.date)].append(finding)
        return found

    def _publish(
        self,
        domain: Domain,
        step: PartitionStep,
        analyses: "Mapping[LocalDay, DomainAnalysis]",
        found: "Mapping[LocalDay, list[Finding]]",
        charts: TrendCharts,
    ) -> None:
        from marketing_agents.agents.tables import analyses_table

        key = analysis_key(domain.name)
        rows: dict[LocalDay, int] = {}
        if step.usable:
            rows = self.warehouse.replace_slices(
                "analyses", analyses_table([analyses[day] for day in step.usable]), step.usable, part=domain.name
            )
        details = {}
        for day in step.usable:
            analysis = analyses[day]
            if analysis.status == "degraded":
                step.degrade(day, f"{domain.name} was written by the template after an error")
            details[day] = self._details(analysis, found[day], charts)
            log_check(
                self.context,
                key,
                WRITER_CHECK,
                day,
                passed=analysis.writer != "template_after_error",
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"writer": analysis.writer, "problems": "; ".join(analysis.problems) or "none"},
            )
        step.report([key], {key: rows}, {key: details})

    def _details(self, analysis: "DomainAnalysis", found: "Sequence[Finding]", charts: TrendCharts) -> dict[str, Any]:
        from marketing_agents.report.markdown import analysis_markdown

        use = analysis.model_use
        details: dict[str, Any] = {
            "writer": analysis.writer,
            "insights": len(analysis.insights),
            "proposals": len(analysis.proposals),
            "analysis": dg.MetadataValue.md(analysis_markdown(analysis)),
            "model": use.model or "none",
            "prompt_version": use.prompt_version or "none",
            "input_tokens": use.input_tokens,
            "output_tokens": use.output_tokens,
        }
        if use.cost_usd is not None:
            details["cost_usd"] = float(use.cost_usd)
        if analysis.trace_url:
            details["trace"] = dg.MetadataValue.url(analysis.trace_url)
        chart = charts.markdown(analysis, found)
        if chart:
            details["trend"] = dg.MetadataValue.md(chart)
        return details
