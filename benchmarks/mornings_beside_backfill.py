"""Daily runs while a backfill runs, against the same on an idle machine: a real daemon, queue, code server and run workers.

Two advertisers get one morning run after another, as the schedule asks for them (tags, priority): first with nothing beside, then while a
backfill of two other advertisers keeps its two slots busy. Time is from the request to the end of the run: queue, start of the worker and all.
BENCH_MORNINGS says how many mornings each advertiser gets in each half (default 8).
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import numpy as np

from marketing_agents.automation.run_tags import ADVERTISER_TAG, DATE_TAG, MORNING_PRIORITY, PRIORITY_TAG, TRIGGER_TAG
from marketing_agents.partitions import partition_key
from marketing_agents.sample.agency import write_agency
from marketing_agents.sample.businesses import generated_profiles
from marketing_agents.sample.spec import AgencySpec
from marketing_agents_tests.e2e.deployment import IN_FLIGHT, Deployment

END = date(2026, 10, 15)
MORNINGS = int(os.environ.get("BENCH_MORNINGS", "8"))
BACKFILL_DAYS = 120
PATIENCE_S = 600


def measure() -> dict[str, float]:
    """Seconds of a morning, median and 95th percentile, idle and beside a backfill; and how many backfill runs were at work meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profiles = generated_profiles(4, campaigns=10)
        write_agency(folder / "source", AgencySpec(end=END, days=300, advertisers=profiles))
        ids = [p.advertiser.id for p in profiles]
        deployment = Deployment(folder, folder / "source" / "input", folder / "source" / "advertisers.yaml", chunk_size=10).start()
        try:
            return _compared(deployment, ids[:2], ids[2:])
        finally:
            deployment.stop()


def _compared(deployment: Deployment, mornings_of: Sequence[str], backfilled: Sequence[str]) -> dict[str, float]:
    first = END - timedelta(days=2 * MORNINGS)
    _mornings(deployment, mornings_of, [first])  # loads the history, once per advertiser
    days = [first + timedelta(days=1 + n) for n in range(2 * MORNINGS)]
    idle = _mornings(deployment, mornings_of, days[:MORNINGS])
    past = [END - timedelta(days=n) for n in range(BACKFILL_DAYS)]
    backfill = deployment.launch_backfill([partition_key(a, d) for a in backfilled for d in past])
    at_work: list[int] = []

    def is_at_work() -> bool:
        runs = deployment.instance.get_runs(dg.RunsFilter(statuses=IN_FLIGHT, tags={"dagster/backfill": backfill}))
        at_work.append(len(runs))
        return len(runs) == 2

    deployment.wait_until(is_at_work, "two runs of the backfill at work", PATIENCE_S)
    beside = _mornings(deployment, mornings_of, days[MORNINGS:])
    is_at_work()
    if not at_work[-1]:
        raise RuntimeError("the backfill ended before the mornings did: the figures would not mean what they say")
    return {
        "mornings, idle": len(idle),
        "mornings beside the backfill": len(beside),
        "idle: median, s": float(np.median(idle)),
        "idle: p95, s": float(np.percentile(idle, 95)),
        "beside a backfill: median, s": float(np.median(beside)),
        "beside a backfill: p95, s": float(np.percentile(beside, 95)),
        "p95 beside / p95 idle": float(np.percentile(beside, 95) / np.percentile(idle, 95)),
        "backfill runs at work at the end": at_work[-1],
    }


def _mornings(deployment: Deployment, advertisers: Sequence[str], days: Sequence[date]) -> list[float]:
    """Seconds of each morning; advertisers at the same time, each one's days one after another."""

    def of(advertiser: str) -> list[float]:
        return [_morning(deployment, advertiser, day) for day in days]

    with ThreadPoolExecutor(len(advertisers)) as pool:
        return [seconds for part in pool.map(of, advertisers) for seconds in part]


def _morning(deployment: Deployment, advertiser: str, day: date) -> float:
    key = partition_key(advertiser, day)
    tags = {ADVERTISER_TAG: advertiser, DATE_TAG: day.isoformat(), TRIGGER_TAG: "schedule", PRIORITY_TAG: MORNING_PRIORITY}
    began = time.perf_counter()
    run_id = deployment.launch_run(key, tags)
    deployment.wait_until(lambda: _is_finished(deployment, run_id), f"morning of {key}", PATIENCE_S)
    seconds = time.perf_counter() - began
    run = deployment.instance.get_run_by_id(run_id)
    if run is None or run.status != dg.DagsterRunStatus.SUCCESS:
        raise RuntimeError(f"the morning of {key} ended as {run.status if run else 'nothing'}: {deployment.printed('daemon')}")
    return seconds


def _is_finished(deployment: Deployment, run_id: str) -> bool:
    run = deployment.instance.get_run_by_id(run_id)
    return run is not None and run.is_finished
