"""The job `freshness` and its hourly schedule."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import dagster as dg

from marketing_agents.assets.freshness import FRESHNESS_KEY, SCHEDULED_FOR_TAG
from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.automation.run_tags import PRIORITY_TAG
from marketing_agents.settings import Settings


def build_freshness_job() -> Any:
    """The job `freshness`: materializes `advertiser_freshness`."""
    return dg.define_asset_job(
        "freshness",
        selection=dg.AssetSelection.assets(FRESHNESS_KEY),
        description="Looks up which advertiser is behind, since when and why. Reads the state store only; takes a second.",
        owners=OWNERS,
        # Before backfills, which may fill the queue for hours; after mornings.
        tags={PRIORITY_TAG: "5", "dagster/max_runtime": "300"},
    )


def build_freshness_schedule(settings: Settings, job: Any) -> dg.ScheduleDefinition:
    """The schedule `freshness__hourly`.

    At minute 50: reports are due at local noon, which is at minute 0, 30 or 45 of some hour in UTC, and the run that was started
    then needs a few minutes.
    """

    @dg.schedule(
        name="freshness__hourly",
        job=job,
        cron_schedule="50 * * * *",
        execution_timezone="UTC",
        description="Hourly look at who is behind; the check `advertisers_up_to_date` warns.",
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.schedules == "running" else dg.DefaultScheduleStatus.STOPPED,
        owners=OWNERS,
    )
    def freshness__hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(tags={SCHEDULED_FOR_TAG: context.scheduled_execution_time.astimezone(UTC).isoformat()})

    return freshness__hourly
