"""One run of `daily_analysis` over a rectangle of partitions, in a process of its own, in one of two executors; prints what it cost.

python -m benchmarks.range_run <in_process|default> <advertiser,...> <first day> <last day>

Settings come from the environment. Cost is of the run alone: wall and CPU seconds (children included: dbt, step processes) from the loaded
definitions to the end of the run, and the largest resident memory of this process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.cli.materialize import QUIET, register_advertisers
from marketing_agents.definitions import build_definitions
from marketing_agents.partitions import partition_key
from marketing_agents.settings import load_settings


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds of one run, MB of its largest resident memory (of step processes for the default executor)."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def measured(environment: dict[str, str], executor: str, advertisers: Sequence[str], first: date, last: date) -> Cost:
    """Run it in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.range_run", executor, ",".join(advertisers), str(first), str(last)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def default_executor_job() -> dg.JobDefinition:
    """The same job, one process per step: what Dagster does when nobody chooses."""
    return build_definitions(load_settings(), executor=dg.multiprocess_executor).resolve_job_def("daily_analysis")


def main(executor: str, advertisers: str, first: str, last: str) -> None:
    ids = advertisers.split(",")
    settings = load_settings()
    with dg.DagsterInstance.get() as instance:
        register_advertisers(instance, load_registry(settings.resolved_advertisers).ids)
        tags: dict[str, str] = {
            "dagster/asset_partition_range_start": partition_key(ids[0], date.fromisoformat(first)),
            "dagster/asset_partition_range_end": partition_key(ids[-1], date.fromisoformat(last)),
        }
        if executor == "in_process":
            job = build_definitions(settings).resolve_job_def("daily_analysis")
            started = time.perf_counter(), _cpu()
            result = job.execute_in_process(instance=instance, tags=tags, run_config=QUIET)
            assert result.success
        else:
            started = time.perf_counter(), _cpu()
            with dg.execute_job(dg.reconstructable(default_executor_job), instance=instance, tags=tags, run_config=QUIET) as outcome:
                assert outcome.success
        cost = Cost(time.perf_counter() - started[0], _cpu() - started[1], _peak_mb(executor))
    print(json.dumps(cost.__dict__))


def _cpu() -> float:
    return sum(u.ru_utime + u.ru_stime for u in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)))


def _peak_mb(executor: str) -> float:
    who = resource.RUSAGE_SELF if executor == "in_process" else resource.RUSAGE_CHILDREN
    return resource.getrusage(who).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def environment_of(folder: Path, source: Path) -> dict[str, str]:
    """Settings for a store and a Dagster instance in `folder`, on the agency in `source`."""
    import os
    import shutil

    from marketing_agents.settings import PROJECT_DIR

    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(PROJECT_DIR / "dagster.yaml", home)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MARKETING_AGENTS_", "GEMINI", "GOOGLE", "LANGFUSE"))}
    return {
        **kept,
        "DAGSTER_HOME": str(home),
        "MARKETING_AGENTS_DATA_DIR": str(folder / "data"),
        "MARKETING_AGENTS_SOURCE_DIR": str(source / "input"),
        "MARKETING_AGENTS_ADVERTISERS": str(source / "advertisers.yaml"),
        "MARKETING_AGENTS_WRITER": "template",
        "MARKETING_AGENTS_SCHEDULES": "stopped",
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
