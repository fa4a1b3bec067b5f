"""One schedule per time zone of the registry: the morning run of every advertiser in that zone.

The date comes from the scheduled time in the advertiser's zone, never from the clock: a late tick still asks for the right day. Waiting for
late tables and asking again after a failed morning come with the orchestration issue.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from marketing_agents.advertisers.registry import Advertiser, Registry, load_registry
from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.partitions import ADVERTISER, partition_key


def zone_slug(time_zone: str) -> str:
    """`Pacific/Auckland` -> `pacific_auckland`, `Etc/GMT+5` -> `etc_gmt_plus_5`: a name Dagster accepts, one per zone."""
    spelt = re.sub(r"(?<=\w)-(?=\d)", "_minus_", time_zone.lower()).replace("+", "_plus_")
    return re.sub(r"[^a-z0-9]+", "_", spelt).strip("_")


def build_schedules(registry: Registry, registry_path: Path, job: Any) -> list[dg.ScheduleDefinition]:
    """One schedule for each zone that the registry holds when definitions are loaded."""
    return [_zone_schedule(zone, registry.in_zone(zone), registry_path, job) for zone in registry.time_zones]


def due_time(moment: time, times: Sequence[time]) -> time:
    """The tick that serves a run time, or that a local time belongs to: the last one not after it (the first one, before all).

    A tick may come late (a local time that a clock change skips fires after the gap), and a run time edited since definitions were loaded
    has no tick of its own: both find the nearest tick, once.
    """
    return max((t for t in times if t <= moment), default=times[0])


def _zone_schedule(time_zone: str, advertisers: Sequence[Advertiser], registry_path: Path, job: Any) -> dg.ScheduleDefinition:
    times = sorted({a.run_time_local for a in advertisers})
    crons = [f"{t.minute} {t.hour} * * *" for t in times]

    @dg.schedule(
        name=f"daily_analysis__{zone_slug(time_zone)}",
        job=job,
        cron_schedule=crons if len(crons) > 1 else crons[0],
        execution_timezone=time_zone,
        description=f"Morning run of the advertisers in {time_zone}: yesterday's partition, at each advertiser's run time.",
        owners=OWNERS,
    )
    def daily_analysis(context: dg.ScheduleEvaluationContext) -> dg.SkipReason | list[dg.RunRequest]:
        local = context.scheduled_execution_time.astimezone(ZoneInfo(time_zone))
        yesterday = local.date() - timedelta(days=1)
        registered = set(context.instance.get_dynamic_partitions(ADVERTISER.name or ""))
        due = [
            a
            for a in load_registry(registry_path).in_zone(time_zone)
            if not a.paused and due_time(a.run_time_local, times) == due_time(local.time(), times)
        ]
        unknown = [a.id for a in due if a.id not in registered]
        if unknown:
            # One unknown key in the list would fail the whole tick for every advertiser of the zone.
            context.log.warning(
                "not requested, because the partition is not registered yet (sensor advertiser_registry): %s", ", ".join(unknown)
            )
        requests = [
            dg.RunRequest(
                run_key=f"{a.id}|{yesterday.isoformat()}",
                partition_key=partition_key(a.id, yesterday),
                tags={"marketing_agents/advertiser": a.id, "marketing_agents/trigger": "schedule"},
            )
            for a in due
            if a.id in registered
        ]
        return requests or dg.SkipReason(f"no advertiser of {time_zone} is due at {local:%H:%M}")

    return daily_analysis
