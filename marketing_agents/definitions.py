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
from marketing_agents.assets.findings import build_findings_asset  # noqa: E402
from marketing_agents.assets.marts import build_mart_assets  # noqa: E402
from marketing_agents.assets.raw import build_raw_assets  # noqa: E402
from marketing_agents.assets.recommendations import build_recommendations_asset  # noqa: E402
from marketing_agents.assets.report_page import build_report_asset  # noqa: E402
from marketing_agents.automation.jobs import build_jobs, build_rules_schedule  # noqa: E402
from marketing_agents.automation.registry_sensor import build_registry_sensor  # noqa: E402
from marketing_agents.automation.schedules import build_schedules  # noqa: E402
from marketing_agents.resources.platform import RegistryFile, build_resources  # noqa: E402
from marketing_agents.settings import Settings, load_settings  # noqa: E402


def build_definitions(settings: Settings, **overrides: Any) -> dg.Definitions:
    """All assets, checks, jobs, schedules, sensors and resources for these settings.

    `overrides` replaces resources by name (`warehouse=`, `agents=`, `source=` ...): the one door for tests and other environments.

    Raises:
        SettingsError, RegistryError, CatalogueError, DomainError: configuration that cannot be used, named with place and fix.
    """
    registry_path = settings.resolved_advertisers
    registry = RegistryFile(registry_path).load()
    daily, refresh = build_jobs()
    return dg.Definitions(
        assets=[
            build_raw_assets(settings),
            build_mart_assets(settings),
            *build_catalogue_assets(settings),
            build_findings_asset(settings),
            build_analysis_assets(settings),
            build_recommendations_asset(settings),
            build_report_asset(settings),
        ],
        jobs=[daily, refresh],
        schedules=[*build_schedules(registry, registry_path, daily), build_rules_schedule(refresh)],
        sensors=[build_registry_sensor(registry_path)],
        resources=build_resources(settings, overrides),
        # One process per step costs seconds each on a trivial step; a step here is already concurrent inside.
        executor=dg.in_process_executor,
    )


defs = build_definitions(load_settings())
