"""A backfill of 10 advertisers x 30 days, three ways: ours in chunks, one run per partition in process, one run per partition with Dagster's
default executor (a process per step).

The same store layout, agency and code; every run in a process of its own, as a daemon starts it (the process's start is not counted, it is
the same for all). The chunks are run in full. The other two would take hours, so the first partition of an advertiser (which loads its
history) and a few more are run, and `first + 29 more` stands for an advertiser: BENCH_SAMPLE says how many more (default 3).
"""

from __future__ import annotations

import os
import tempfile
from datetime import date, timedelta
from pathlib import Path
from statistics import mean

from benchmarks.range_run import Cost, environment_of, measured
from marketing_agents.sample.agency import write_agency
from marketing_agents.sample.businesses import generated_profiles
from marketing_agents.sample.spec import AgencySpec

END = date(2026, 10, 15)
ADVERTISERS = int(os.environ.get("BENCH_ADVERTISERS", "10"))
DAYS = 30
CHUNK = 30
SAMPLE = int(os.environ.get("BENCH_SAMPLE", "3"))


def measure() -> dict[str, float]:
    """Wall and CPU seconds per partition of each way, and how many times less ours takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profiles = generated_profiles(ADVERTISERS, campaigns=10)
        write_agency(folder / "source", AgencySpec(end=END, advertisers=profiles))
        ids = [p.advertiser.id for p in profiles]
        ours = _chunks(folder, ids)
        single = _singles(folder, "in_process", ids[0])
        default = _singles(folder, "default", ids[0])
        return {
            "partitions": ADVERTISERS * DAYS,
            f"ours, chunks of {CHUNK}: wall per partition, s": ours.wall_s,
            f"ours, chunks of {CHUNK}: CPU per partition, s": ours.cpu_s,
            "one run per partition, in process: wall, s": single.wall_s,
            "one run per partition, in process: CPU, s": single.cpu_s,
            "one run per partition, default executor: wall, s": default.wall_s,
            "one run per partition, default executor: CPU, s": default.cpu_s,
            "wall: in process / ours": single.wall_s / ours.wall_s,
            "wall: default executor / ours": default.wall_s / ours.wall_s,
            "CPU: in process / ours": single.cpu_s / ours.cpu_s,
            "CPU: default executor / ours": default.cpu_s / ours.cpu_s,
        }


def _chunks(folder: Path, ids: list[str]) -> Cost:
    """Mean cost of a partition when each advertiser's days are one chunk."""
    environment = environment_of(folder / "ours", folder / "source")
    costs = [measured(environment, "in_process", [one], END - timedelta(days=DAYS - 1), END) for one in ids]
    return _per_partition(costs, ADVERTISERS * DAYS)


def _singles(folder: Path, executor: str, advertiser: str) -> Cost:
    """Mean cost of a partition of one advertiser when each has a run of its own, oldest first."""
    environment = environment_of(folder / executor, folder / "source")
    days = [END - timedelta(days=DAYS - 1 - n) for n in range(SAMPLE + 1)]
    first, *more = [measured(environment, executor, [advertiser], day, day) for day in days]
    rest = Cost(mean(c.wall_s for c in more), mean(c.cpu_s for c in more), 0.0)
    return Cost((first.wall_s + (DAYS - 1) * rest.wall_s) / DAYS, (first.cpu_s + (DAYS - 1) * rest.cpu_s) / DAYS, 0.0)


def _per_partition(costs: list[Cost], partitions: int) -> Cost:
    return Cost(sum(c.wall_s for c in costs) / partitions, sum(c.cpu_s for c in costs) / partitions, max(c.peak_mb for c in costs))
