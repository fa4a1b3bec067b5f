"""`marketing-agents backfill --missing-only` on a range that is done, against starting the command line (`marketing-agents --help`)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks.range_run import environment_of
from marketing_agents.sample.agency import write_agency
from marketing_agents.sample.businesses import generated_profiles
from marketing_agents.sample.spec import AgencySpec
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus

END = date(2026, 10, 15)
ADVERTISERS = 10
DAYS = 90


def measure() -> dict[str, float]:
    """Seconds for 900 partitions that are on record as done, and the ratio to the bare command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profiles = generated_profiles(ADVERTISERS, campaigns=1)
        write_agency(folder / "source", AgencySpec(end=END, days=30, incidents=False, advertisers=profiles))
        environment = environment_of(folder / "place", folder / "source")
        state = StateStore(f"sqlite:///{folder / 'place' / 'data' / 'state.db'}")
        days = [END - timedelta(days=n) for n in range(DAYS)]
        done = [PartitionStatus("daily_report", p.advertiser.id, day, "ok") for p in profiles for day in days]
        state.record_status(done, run_id="earlier", at=datetime.now(UTC))
        state.close()
        asked = ["backfill", "--advertisers", "all", "--from", str(days[-1]), "--to", str(END), "--missing-only", "--yes"]
        bare = median(_seconds(environment, "--help") for _ in range(3))
        found = median(_seconds(environment, *asked) for _ in range(3))
        return {
            "partitions": len(done),
            "marketing-agents --help, s": bare,
            "--missing-only, nothing missing, s": found,
            "ratio": found / bare,
        }


def _seconds(environment: dict[str, str], *arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([str(Path(sys.executable).with_name("marketing-agents")), *arguments], env=environment, check=True, capture_output=True)
    return time.perf_counter() - started
