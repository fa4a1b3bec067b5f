"""Runs the real definitions on a sample agency in a folder of their own; what the end-to-end tests share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from marketing_agents.cli.materialize import QUIET, contiguous_blocks, register_advertisers
from marketing_agents.days import LocalDay
from marketing_agents.definitions import build_definitions
from marketing_agents.partitions import partition_key
from marketing_agents.resources.platform import RegistryFile, open_warehouse
from marketing_agents.sample.agency import write_agency
from marketing_agents.sample.spec import AgencySpec
from marketing_agents.sample.truth import AgencyTruth
from marketing_agents.settings import Settings
from marketing_agents.state.store import StateStore

ANCHOR = date(2026, 10, 15)  # long over in every zone, whenever the tests run
BUSY = LocalDay("sol-and-sage", ANCHOR)  # three incidents: a dear campaign, fatigued ads, a plan that runs late


@dataclass
class Pipeline:
    """Settings, instance and truth of one test agency."""

    settings: Settings
    instance: dg.DagsterInstance
    truth: AgencyTruth | None
    overrides: dict[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[str, ...]:
        return RegistryFile(self.settings.resolved_advertisers).load().ids

    @property
    def warehouse(self) -> Any:
        return open_warehouse(self.settings)

    @property
    def state(self) -> StateStore:
        return StateStore(self.settings.resolved_state_url)

    def definitions(self, **overrides: Any) -> dg.Definitions:
        return build_definitions(self.settings, **{**self.overrides, **overrides})

    def run(
        self, days: Sequence[LocalDay], *, assets: Sequence[str] | None = None, ingest: str = "refresh", **overrides: Any
    ) -> list[dg.ExecuteInProcessResult]:
        """`daily_analysis` for the days, one run per contiguous block; results of the runs, which may have failed."""
        definitions = self.definitions(**overrides)
        register_advertisers(self.instance, self.ids)
        order = list(self.instance.get_dynamic_partitions("advertisers"))
        selection = [dg.AssetKey(a.split("/")) for a in assets] if assets else None
        has_ingest = assets is None or any(a.startswith("raw/") for a in assets)
        config = {**QUIET, **({"ops": {"ingest": {"config": {"ingest": ingest}}}} if has_ingest else {})}
        results = []
        for block in _rectangles(days, order):
            tags = {
                "dagster/asset_partition_range_start": partition_key(block[0].advertiser_id, block[0].day),
                "dagster/asset_partition_range_end": partition_key(block[-1].advertiser_id, block[-1].day),
            }
            job = definitions.resolve_job_def("daily_analysis")
            results.append(
                job.execute_in_process(
                    instance=self.instance, tags=tags, run_config=config, raise_on_error=False, asset_selection=selection
                )
            )
        return results


def _rectangles(days: Sequence[LocalDay], order: list[str]) -> list[list[LocalDay]]:
    """One run for one advertiser's range of dates, else one per date and neighbours."""
    if len({d.advertiser_id for d in days}) == 1:
        return [sorted(days)]
    return contiguous_blocks(days, order)


def make_pipeline(folder: Path, instance: dg.DagsterInstance, *, spec: AgencySpec | None = None, **settings: Any) -> Pipeline:
    """A pipeline on a fresh sample agency in `folder`."""
    truth = write_agency(folder / "sample", spec or AgencySpec(end=ANCHOR))
    return Pipeline(Settings(data_dir=folder, writer="template", **settings), instance, truth)


def materializations(results: Sequence[dg.ExecuteInProcessResult]) -> list[tuple[str, str, dict[str, Any]]]:
    """(asset, partition, metadata) of every materialization."""
    return [
        (e.asset_key.to_user_string(), str(e.partition), {k: v.value for k, v in e.materialization.metadata.items()})
        for result in results
        for e in result.get_asset_materialization_events()
    ]


def check_evaluations(results: Sequence[dg.ExecuteInProcessResult]) -> list[dg.AssetCheckEvaluation]:
    """Every check evaluation, with its partition."""
    return [e for result in results for e in result.get_asset_check_evaluations()]
