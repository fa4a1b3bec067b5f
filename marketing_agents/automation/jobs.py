"""The two jobs. `daily_analysis` holds partitioned assets only: mixing in unpartitioned ones splits backfills into waves."""

from __future__ import annotations

from typing import Any

import dagster as dg

from marketing_agents.assets.catalogue import CATALOGUE_KEY, DOMAINS_KEY
from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.partitions import ADVERTISER_DATE

UNPARTITIONED = dg.AssetSelection.assets(CATALOGUE_KEY, DOMAINS_KEY)


def build_jobs() -> list[Any]:
    """`daily_analysis` and `rules_refresh`."""
    return [
        dg.define_asset_job(
            "daily_analysis",
            selection=dg.AssetSelection.all() - UNPARTITIONED,
            partitions_def=ADVERTISER_DATE,
            description="Everything for an advertiser's day: ingestion, marts, findings, six analyses, recommendations, report.",
            owners=OWNERS,
            # Whatever failed will fail again the same way; transient errors are retried where they happen. The run-retry
            # daemon reads this tag and not the exception.
            tags={"dagster/retry_on_asset_or_op_failure": "false"},
        ),
        dg.define_asset_job(
            "rules_refresh",
            selection=UNPARTITIONED,
            description="Validates the rule catalogue and labels rules with domains; daily and after a change of the catalogue.",
            owners=OWNERS,
        ),
    ]


def build_rules_schedule(job: Any) -> dg.ScheduleDefinition:
    """Daily `rules_refresh`."""
    return dg.ScheduleDefinition(
        name="rules_refresh__daily",
        job=job,
        cron_schedule="30 0 * * *",
        execution_timezone="UTC",
        description="Labels new rules before the first morning run of the day.",
        owners=OWNERS,
    )
