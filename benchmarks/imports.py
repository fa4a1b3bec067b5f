"""Importing our definitions against importing bare Dagster: every run worker and every reload pays this. Aim: at most 1.5x."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

PAIRS = 5


def measure() -> dict[str, float]:
    """Whole-process wall seconds and peak memory, median of pairs run in turn."""
    bare, ours = [], []
    for n in range(PAIRS + 1):
        pair = (_run("import dagster"), _run("import marketing_agents.definitions"))
        if n:  # the first pair warms the file cache
            bare.append(pair[0])
            ours.append(pair[1])
    ratios = [b[0] / a[0] for a, b in zip(bare, ours, strict=True)]
    return {
        "bare dagster, s": statistics.median(s for s, _ in bare),
        "our definitions, s": statistics.median(s for s, _ in ours),
        "ratio (aim 1.5)": statistics.median(ratios),
        "bare dagster, MB": statistics.median(m for _, m in bare),
        "our definitions, MB": statistics.median(m for _, m in ours),
    }


def _run(statement: str) -> tuple[float, float]:
    script = f"{statement}\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env={**os.environ})
    return time.perf_counter() - started, float(done.stdout.split()[-1])
