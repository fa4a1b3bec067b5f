"""How a backfill grows: wall time from 1 to 20 advertisers (exponent of the power law), and memory of a run against its chunk size.

BENCH_COUNTS: other numbers of advertisers, separated by commas.
"""

from __future__ import annotations

import math
import os
import tempfile
from datetime import date, timedelta
from pathlib import Path

from benchmarks.range_run import environment_of, measured
from marketing_agents.sample.agency import write_agency
from marketing_agents.sample.businesses import generated_profiles
from marketing_agents.sample.spec import AgencySpec

END = date(2026, 10, 15)
COUNTS = tuple(int(count) for count in os.environ.get("BENCH_COUNTS", "1,5,20").split(","))
DAYS = 10
CHUNKS = (1, 10, 30, 60)


def measure() -> dict[str, float]:
    """Wall seconds by number of advertisers (one run over all of them for each of 10 days is what Dagster makes of more advertisers than
    days, one run per advertiser otherwise), the fitted exponent, and peak MB by chunk size.
    """
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profiles = generated_profiles(max(COUNTS), campaigns=10)
        write_agency(folder / "source", AgencySpec(end=END, advertisers=profiles))
        ids = [p.advertiser.id for p in profiles]
        points = []
        for count in COUNTS:
            environment = environment_of(folder / f"grown{count}", folder / "source")
            seconds = sum(measured(environment, "in_process", [one], END - timedelta(days=DAYS - 1), END).wall_s for one in ids[:count])
            figures[f"{count} advertisers x {DAYS} days, one run each: wall, s"] = seconds
            points.append((math.log(count), math.log(seconds)))
        figures["exponent of wall time against advertisers"] = _slope(points)
        environment = environment_of(folder / "grown1", folder / "source")
        for chunk in CHUNKS:
            cost = measured(environment, "in_process", ids[:1], END - timedelta(days=chunk - 1), END)
            figures[f"chunk of {chunk}: peak memory, MB"] = cost.peak_mb
            figures[f"chunk of {chunk}: wall per partition, s"] = cost.wall_s / chunk
    return figures


def _slope(points: list[tuple[float, float]]) -> float:
    """Least squares through the logarithms."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
