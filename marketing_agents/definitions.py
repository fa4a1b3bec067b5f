"""Everything Dagster loads, joined. The only module that knows all others; `defs` is what `dg`, the webserver and the daemon import."""

from __future__ import annotations

import warnings
from typing import Any

import dagster as dg

# BackfillPolicy is beta and partitioned asset checks are preview in 1.13; both are wanted, each is used in one place.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from marketing_agents.assets.analysis import build_analysis_assets  # noqa: E402
from marketing_agents.assets.catalogue import build_catalogue_assets  # noqa: E402
from marketing_agents.assets.coverage import build_coverage_asset  # noqa: E402
from marketing_agents.assets.evaluation import build_evaluation_asset  # noqa: E402
from marketing_agents.assets.findings import build_findings_asset  # noqa: E402
from marketing_agents.assets.freshness import build_freshness_asset  # noqa: E402
from marketing_agents.assets.marts import build_mart_assets  # noqa: E402
from marketing_agents.assets.raw import build_raw_assets  # noqa: E402
from marketing_agents.assets.recommendations import build_recommendations_asset  # noqa: E402
from marketing_agents.assets.report_page import build_report_asset  # noqa: E402
from marketing_agents.automation.freshness_schedule import build_freshness_job, build_freshness_schedule  # noqa: E402
from marketing_agents.automation.jobs import build_jobs, build_rules_schedule  # noqa: E402
from marketing_agents.automation.kill_switch_jobs import build_kill_switch_jobs  # noqa: E402
from marketing_agents.automation.lost_runs import build_lost_runs_sensor  # noqa: E402
from marketing_agents.automation.registry_sensor import build_registry_sensor  # noqa: E402
from marketing_agents.automation.schedules import build_schedules  # noqa: E402
from marketing_agents.resources.platform import RegistryFile, build_resources  # noqa: E402
from marketing_agents.resources.source import SourceOpener  # noqa: E402
from marketing_agents.settings import Settings, load_settings  # noqa: E402
from marketing_agents.state.store import StateStore  # noqa: E402


def build_definitions(settings: Settings, *, executor: dg.ExecutorDefinition = dg.in_process_executor, **overrides: Any) -> dg.Definitions:
    """All assets, checks, jobs, schedules, sensors and resources for these settings.

    `overrides` replaces resources by name (`warehouse=`, `agents=`, `source=` ...): the one door for tests and other environments. One process
    per step costs seconds each on a trivial step, and a step here is already concurrent inside: hence the executor.

    Raises:
        SettingsError, RegistryError, CatalogueError, DomainError: configuration that cannot be used, named with place and fix.
    """
    registry_path = settings.resolved_advertisers
    registry = RegistryFile(registry_path).load()
    # Schedules are no ops and get no resources by name: they share these objects with the resources.
    shared: dict[str, Any] = {
        "registry": RegistryFile(registry_path),
        "source": SourceOpener(settings),
        "state": StateStore(settings.resolved_state_url),
        **overrides,
    }
    mornings = {name: shared[name] for name in ("registry", "source", "state")}
    daily, refresh = build_jobs()
    freshness = build_freshness_job()
    return dg.Definitions(
        assets=[
            build_raw_assets(settings),
            build_mart_assets(settings),
            *build_catalogue_assets(settings),
            build_coverage_asset(settings),
            build_findings_asset(settings),
            build_evaluation_asset(settings),
            build_analysis_assets(settings),
            build_recommendations_asset(settings),
            build_report_asset(settings),
            build_freshness_asset(),
        ],
        jobs=[daily, refresh, freshness, *build_kill_switch_jobs()],
        schedules=[
            *build_schedules(registry.time_zones, daily, settings=settings, **mornings),
            build_rules_schedule(settings, refresh),
            build_freshness_schedule(settings, freshness),
        ],
        sensors=[build_lost_runs_sensor(), build_registry_sensor(daily)],
        resources=build_resources(settings, shared),
        executor=executor,
    )


defs = build_definitions(load_settings())
