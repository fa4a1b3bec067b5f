"""Keeps the dynamic partitions `advertisers` equal to the registry file, and onboards advertisers that are new.

Ids are slugs (the registry refuses others), because Dagster accepts any text as a dynamic partition and then drops keys with `|` silently. A
registry that is broken or empty changes nothing: the tick fails or skips and says why. Removing a partition removes no data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.automation.onboarding import onboard, run_request
from marketing_agents.operations.onboarding import OnboardingPlan
from marketing_agents.partitions import ADVERTISER

PartitionChange = dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest
INTERVAL_S = 30
_NAMED = 10


def utc_now() -> datetime:
    return datetime.now(UTC)


def build_registry_sensor(job: Any, now: Callable[[], datetime] = utc_now) -> dg.SensorDefinition:
    """The sensor `advertiser_registry`; `job` is `daily_analysis`, which onboarding runs execute."""

    @dg.sensor(
        name="advertiser_registry",
        job=job,
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={"registry", "state", "settings"},
        description="Adds advertisers of the registry file as partitions, requests the last days of new ones once, and removes those that "
        "left the file. Their data stays.",
        owners=OWNERS,
    )
    def advertiser_registry(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        resources = context.resources
        registry = resources.registry.load()
        if not registry.ids:
            return dg.SkipReason(f"{resources.registry.path} lists nobody: taken for a mistake, nothing is removed")
        registered = set(context.instance.get_dynamic_partitions(ADVERTISER.name or ""))
        changes = partition_changes(registry.ids, registered)
        # Partitions that this tick adds exist when it is over; their first runs are the next tick's.
        present = [advertiser for advertiser in registry.advertisers if advertiser.id in registered]
        plan = onboard(present, resources.state, context.instance, resources.settings, now())
        if plan.waiting:
            context.log.info("onboarding waits: %s", _listed(plan.waiting))
        if plan.chunks:
            return dg.SensorResult(run_requests=[run_request(c) for c in plan.chunks], dynamic_partitions_requests=changes)
        return dg.SensorResult(skip_reason=dg.SkipReason(_told(changes, plan)), dynamic_partitions_requests=changes)

    return advertiser_registry


def partition_changes(wanted: Sequence[str], registered: set[str]) -> list[PartitionChange]:
    """What must change so that the instance's partitions equal the registry; nothing when the registry names nobody."""
    added = [advertiser_id for advertiser_id in wanted if advertiser_id not in registered]
    removed = sorted(registered - set(wanted)) if wanted else []
    changes: list[PartitionChange] = []
    if added:
        changes.append(ADVERTISER.build_add_request(added))
    if removed:
        changes.append(ADVERTISER.build_delete_request(removed))
    return changes


def _told(changes: Sequence[PartitionChange], plan: OnboardingPlan) -> str:
    parts = [
        f"added {_listed(c.partition_keys)}"
        if isinstance(c, dg.AddDynamicPartitionsRequest)
        else f"removed {_listed(c.partition_keys)} (data stays)"
        for c in changes
    ] or ["partitions and registry agree"]
    if plan.finished:
        parts.append(f"onboarding recorded: {_listed([o.advertiser_id for o in plan.finished])}")
    if plan.waiting:
        parts.append(f"onboarding waits: {_listed(plan.waiting)}")
    return "; ".join(parts)


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return ", ".join(items[:_NAMED]) + more
