"""Runs `daily_analysis` in this process for a block of partitions, with progress on screen."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import dagster as dg

from marketing_agents.cli.errors import UsageError
from marketing_agents.days import LocalDay
from marketing_agents.partitions import ADVERTISER, partition_key

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_POLL_S = 0.3


def contiguous_blocks(days: Sequence[LocalDay], order: Sequence[str]) -> list[list[LocalDay]]:
    """Days of one date and of neighbours in the partition order: what one range run can hold, since Dagster expands a range of
    multi-partitions to the rectangle between its corners.
    """
    position = {advertiser_id: n for n, advertiser_id in enumerate(order)}
    blocks: list[list[LocalDay]] = []
    for day in sorted(days, key=lambda d: (d.day, position[d.advertiser_id])):
        last = blocks[-1][-1] if blocks else None
        if last is not None and last.day == day.day and position[day.advertiser_id] == position[last.advertiser_id] + 1:
            blocks[-1].append(day)
        else:
            blocks.append([day])
    return blocks


def register_advertisers(instance: dg.DagsterInstance, ids: Sequence[str]) -> None:
    """Add missing advertisers as dynamic partitions, in registry order.

    Dagster reads which exist and then inserts the rest without a transaction around both, so one of several commands started at the
    same moment is refused by the table's unique key. The ones another command has added are then there: read again, add what is left.
    """
    from sqlalchemy.exc import IntegrityError
    from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random

    @retry(retry=retry_if_exception_type(IntegrityError), stop=stop_after_attempt(5), wait=wait_random(0, 0.2), reraise=True)
    def add_missing() -> None:
        known = set(instance.get_dynamic_partitions(ADVERTISER.name or ""))
        missing = [advertiser_id for advertiser_id in ids if advertiser_id not in known]
        if missing:
            instance.add_dynamic_partitions(ADVERTISER.name or "", missing)

    add_missing()


def run_job(
    definitions: dg.Definitions,
    job: str,
    instance: dg.DagsterInstance,
    *,
    block: Sequence[LocalDay] = (),
    on_step: Callable[[str], None] | None = None,
) -> None:
    """Run a job in process; `on_step` is told the name of each step as it starts.

    Raises:
        UsageError: the run failed; the message holds the first error of the run, which also stands in the UI.
    """
    tags: dict[str, str] = {"marketing_agents/trigger": "cli"}
    if block:
        tags["dagster/asset_partition_range_start"] = partition_key(block[0].advertiser_id, block[0].day)
        tags["dagster/asset_partition_range_end"] = partition_key(block[-1].advertiser_id, block[-1].day)
    run_id = str(uuid.uuid4())
    finished = threading.Event()
    watcher = threading.Thread(target=_watch, args=(instance, run_id, on_step, finished), daemon=True)
    if on_step:
        watcher.start()
    try:
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance, run_id=run_id, tags=tags, run_config=QUIET, raise_on_error=False
        )
    finally:
        finished.set()
        if on_step:
            watcher.join()
    if not result.success:
        raise UsageError(f"run {run_id[:8]} of {job} failed: {_first_error(result)} (see it in the UI: make dev)")


def _watch(instance: dg.DagsterInstance, run_id: str, on_step: Callable[[str], None] | None, finished: threading.Event) -> None:
    seen: set[str] = set()
    while not finished.wait(_POLL_S):
        for record in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_START):
            name = record.dagster_event.step_key if record.dagster_event else None
            if name and name not in seen and on_step:
                seen.add(name)
                on_step(name)


def _first_error(result: Any) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause or error if error else None
            return f"step {event.step_key}: {cause.message.strip() if cause else 'no message'}"
    return "no step said why"


def days_of(ids: Sequence[str], dates: Sequence[date]) -> list[LocalDay]:
    """Pairs of advertisers and their dates."""
    return [LocalDay(advertiser_id, day) for advertiser_id, day in zip(ids, dates, strict=True)]
