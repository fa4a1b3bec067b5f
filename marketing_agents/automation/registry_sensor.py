"""Keeps the dynamic partitions `advertisers` equal to the registry file.

Ids are slugs (the registry refuses others), because Dagster accepts any text as a dynamic partition and then drops keys with `|` silently. A
registry that is broken or empty changes nothing: the tick fails or skips and says why.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.partitions import ADVERTISER


def build_registry_sensor(path: Path) -> dg.SensorDefinition:
    """The sensor `advertiser_registry`."""

    @dg.sensor(
        name="advertiser_registry",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Adds advertisers of the registry file as partitions and removes those that left it. Their data stays.",
        owners=OWNERS,
    )
    def advertiser_registry(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        changes = partition_changes(path, context.instance)
        if not changes:
            is_empty = not load_registry(path).ids
            return dg.SkipReason(
                f"{path} lists nobody: taken for a mistake, nothing is removed" if is_empty else "partitions and registry agree"
            )
        return dg.SensorResult(dynamic_partitions_requests=changes)

    return advertiser_registry


def partition_changes(path: Path, instance: dg.DagsterInstance) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    """What must change so that the instance's partitions equal the registry.

    Raises:
        RegistryError: the registry is broken. An empty one is taken for a mistake, never for "delete all": nothing changes.
    """
    wanted = load_registry(path).ids
    known = set(instance.get_dynamic_partitions(ADVERTISER.name or ""))
    added = [advertiser_id for advertiser_id in wanted if advertiser_id not in known]
    removed = sorted(known - set(wanted)) if wanted else []
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if added:
        changes.append(ADVERTISER.build_add_request(added))
    if removed:
        changes.append(ADVERTISER.build_delete_request(removed))
    return changes
