"""Check evaluations of single partitions.

A check result that is yielded by a run over several partitions carries no partition, so every evaluation is logged through
`context.log_event`. Partitioned asset checks are a preview feature in Dagster 1.13; they are declared and logged here only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from marketing_agents.days import LocalDay
from marketing_agents.partitions import ADVERTISER_DATE, partition_key
from marketing_agents.status import PartitionStatus, Status

STATUS_CHECK = "partition_status"
TESTS_CHECK = "dbt_tests"
WRITER_CHECK = "writer"

_DESCRIPTIONS = {
    STATUS_CHECK: "Outcome of the partition: ok, or degraded, paused, refused, blocked, failed with the reason.",
    TESTS_CHECK: "Data tests of the dbt model: grain, keys, ranges, reconciliation.",
    WRITER_CHECK: "Warns when an error was answered by the template.",
}

_SEVERITY: dict[Status, dg.AssetCheckSeverity] = {
    "degraded": dg.AssetCheckSeverity.WARN,
    "paused": dg.AssetCheckSeverity.WARN,
    "refused": dg.AssetCheckSeverity.WARN,
    "blocked": dg.AssetCheckSeverity.ERROR,
    "failed": dg.AssetCheckSeverity.ERROR,
}


def partition_check(name: str, asset_key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The declaration of one of our checks on a partitioned asset."""
    return dg.AssetCheckSpec(name, asset=asset_key, partitions_def=ADVERTISER_DATE, description=_DESCRIPTIONS[name])


def log_check(
    context: dg.AssetExecutionContext,
    asset_key: dg.AssetKey,
    name: str,
    day: LocalDay,
    *,
    passed: bool,
    severity: dg.AssetCheckSeverity,
    metadata: Mapping[str, Any],
    description: str = "",
) -> None:
    """One evaluation of one partition, if the check is selected in this run."""
    if dg.AssetCheckKey(asset_key, name) not in context.selected_asset_check_keys:
        return
    context.log_event(
        dg.AssetCheckEvaluation(
            asset_key=asset_key,
            check_name=name,
            passed=passed,
            severity=severity,
            metadata=metadata,
            description=description or None,
            partition=partition_key(day.advertiser_id, day.day),
        )
    )


def log_status(context: dg.AssetExecutionContext, asset_key: dg.AssetKey, outcome: PartitionStatus) -> None:
    """The status check of one partition: passes when the outcome is ok."""
    log_check(
        context,
        asset_key,
        STATUS_CHECK,
        LocalDay(outcome.advertiser_id, outcome.date),
        passed=outcome.status == "ok",
        severity=_SEVERITY.get(outcome.status, dg.AssetCheckSeverity.WARN),
        metadata={"status": outcome.status, "reason": outcome.reason},
        description=outcome.reason,
    )
