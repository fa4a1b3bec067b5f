"""One tick for 500 advertisers of a zone, files source: everything that the schedule's function does, against a bare scan of the same file.

The scan reads the five key columns of every row; the tick reads registry, runs, outcomes and pauses as well, decides, and records. Aim: 2 s.
"""

from __future__ import annotations

import logging
import tempfile
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from marketing_agents.automation.schedules import build_schedules
from marketing_agents.partitions import ADVERTISER, ADVERTISER_DATE
from marketing_agents.resources.platform import RegistryFile
from marketing_agents.resources.source import SourceOpener
from marketing_agents.settings import load_settings
from marketing_agents.state.store import StateStore
from marketing_agents_tests.automation.living_context import LivingContext

ADVERTISERS = 500
DAYS = 180
ADS = 20
END = date(2026, 11, 20)
ZONE = "Europe/London"
TABLE = "ad_performance_daily"
REPEATS = 5


@dg.asset(partitions_def=ADVERTISER_DATE)
def anything() -> None: ...


def measure() -> dict[str, float]:
    """Seconds of a tick that requests all, one in which all wait, one in which all run, and of the scan (best of five each)."""
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.ephemeral() as instance:
        root = Path(folder)
        rows = _write_rows(root)
        schedule = _schedule(root, instance)
        six = datetime(END.year, END.month, END.day, 6, tzinfo=UTC) + timedelta(days=1)
        requests, all_requested = _timed(lambda: schedule(LivingContext(instance, six)))
        _, all_wait = _timed(lambda: schedule(LivingContext(instance, six + timedelta(days=1))))
        for request in requests:
            run = dg.DagsterRun(job_name="daily_analysis", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED, tags=request.tags)
            instance.add_run(run)
        _, all_run = _timed(lambda: schedule(LivingContext(instance, six + timedelta(minutes=30))))
        _, load = _timed(lambda: RegistryFile(root / "registry.yaml").load())
        _, scan = _timed(lambda: _scan(root / f"{TABLE}.parquet"))
        return {
            "advertisers": ADVERTISERS,
            "rows": rows,
            "requests": len(requests),
            "tick that requests all, s (aim 2)": all_requested,
            "tick in which all wait, s": all_wait,
            "tick in which all run, s": all_run,
            "  of which reading the registry, s": load,
            "scan of the key columns, s": scan,
            "tick that requests all / scan": all_requested / scan,
        }


def _write_rows(root: Path) -> int:
    """Rows by day, as loaders append them: every advertiser's ads of every day."""
    per_day = ADVERTISERS * ADS
    owners = pa.array([f"adv-{n:03}" for n in range(ADVERTISERS)]).take(pa.array(np.repeat(np.arange(ADVERTISERS), ADS)))
    ads = pa.array([str(10**12 + n) for n in range(per_day)])
    chance = np.random.default_rng(1)
    with pq.ParquetWriter(root / f"{TABLE}.parquet", _day_rows(END, owners, ads, chance).schema) as writer:
        for n in range(DAYS):
            writer.write_table(_day_rows(END - timedelta(days=DAYS - 1 - n), owners, ads, chance))
    return per_day * DAYS


def _day_rows(day: date, owners: pa.Array, ads: pa.Array, chance: np.random.Generator) -> pa.Table:
    n = len(ads)
    return pa.table(
        {
            "advertiser_id": owners,
            "date": pa.repeat(pa.scalar(day), n),
            "platform": pa.repeat("google_ads", n),
            "account_id": owners,
            "account_time_zone": pa.repeat(ZONE, n),
            "ad_id": ads,
            "impressions": chance.integers(0, 10_000, n),
            "spend": chance.random(n),
        }
    )


def _schedule(root: Path, instance: dg.DagsterInstance) -> dg.ScheduleDefinition:
    ids = [f"adv-{n:03}" for n in range(ADVERTISERS)]
    registry = root / "registry.yaml"
    registry.write_text(yaml.safe_dump({"advertisers": [{"id": i, "name": i, "time_zone": ZONE} for i in ids]}), encoding="utf-8")
    instance.add_dynamic_partitions(ADVERTISER.name or "", ids)
    settings = load_settings(data_dir=root, advertisers=registry, source_dir=root)
    job = dg.define_asset_job("daily_analysis", selection=[anything], partitions_def=ADVERTISER_DATE)
    source, state = SourceOpener(settings), StateStore(settings.resolved_state_url)
    return build_schedules([ZONE], job, registry=RegistryFile(registry), source=source, state=state, settings=settings)[0]


def _scan(path: Path) -> int:
    rows = pq.read_table(path, columns=["advertiser_id", "date", "platform", "account_id", "account_time_zone"])
    return int(pc.count_distinct(rows.column("advertiser_id")).as_py())


def _timed(work):
    best, result = float("inf"), None
    for _ in range(REPEATS):
        started = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - started)
    return result, best
