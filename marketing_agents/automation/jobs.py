"""The two jobs. `daily_analysis` holds partitioned assets only: mixing in unpartitioned ones splits backfills into waves."""

from __future__ import annotations

from typing import Any

import dagster as dg

from marketing_agents.assets.catalogue import CATALOGUE_KEY, DOMAINS_KEY
from marketing_agents.assets.coverage import COVERAGE_KEY
from marketing_agents.assets.evaluation import EVALUATION_KEY
from marketing_agents.assets.freshness import FRESHNESS_KEY
from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.partitions import ADVERTISER_DATE
from marketing_agents.settings import Settings

RULES = dg.AssetSelection.assets(CATALOGUE_KEY, DOMAINS_KEY)
UNPARTITIONED = RULES | dg.AssetSelection.assets(FRESHNESS_KEY, COVERAGE_KEY, EVALUATION_KEY)

DAILY_TAGS = {
    # A step that failed was repeated where it failed if that could help (`assets/failure_policy.py`); the daemon's run retries see the run
    # and not the error, so they are for lost workers only. Beside the setting of the instance, which others may have set otherwise.
    "dagster/retry_on_asset_or_op_failure": "false",
    # A morning takes half a minute, a chunk of 30 partitions a few; with a slow model a chunk may take half an hour. After an hour
    # the run hangs, and its advertiser waits behind it (one run per advertiser at a time).
    "dagster/max_runtime": "3600",
}


def build_jobs() -> list[Any]:
    """`daily_analysis` and `rules_refresh`."""
    return [
        dg.define_asset_job(
            "daily_analysis",
            selection=dg.AssetSelection.all() - UNPARTITIONED,
            partitions_def=ADVERTISER_DATE,
            description="Everything for an advertiser's day: ingestion, marts, findings, six analyses, recommendations, report.",
            owners=OWNERS,
            tags=DAILY_TAGS,
        ),
        dg.define_asset_job(
            "rules_refresh",
            selection=RULES,
            description="Validates the rule catalogue and labels rules with domains; daily and after a change of the catalogue.",
            owners=OWNERS,
        ),
    ]


def build_rules_schedule(settings: Settings, job: Any) -> dg.ScheduleDefinition:
    """Daily `rules_refresh`."""
    return dg.ScheduleDefinition(
        name="rules_refresh__daily",
        job=job,
        cron_schedule="30 0 * * *",
        execution_timezone="UTC",
        description="Labels new rules before the first morning run of the day.",
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.schedules == "running" else dg.DefaultScheduleStatus.STOPPED,
        owners=OWNERS,
    )
