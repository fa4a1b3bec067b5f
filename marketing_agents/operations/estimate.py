"""How long a backfill will take, from how long earlier runs took. Pure.

A run costs a fixed part (starting a worker, dbt) and a part per partition: seconds = fixed + each * partitions. Both are read off this instance's
own runs, robustly, because a run that shared the machine with a build took twice as long and says nothing.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

SIZES_FOR_A_LINE = 3


@dataclass(frozen=True)
class PastRun:
    """A finished run: partitions it computed, seconds from its start to its end."""

    partitions: int
    seconds: float


@dataclass(frozen=True)
class RunCost:
    """seconds = fixed_s + each_s * partitions, from `runs` earlier runs."""

    fixed_s: float
    each_s: float
    runs: int

    def seconds(self, partitions: int) -> float:
        return self.fixed_s + self.each_s * partitions


def run_cost(past: Iterable[PastRun]) -> RunCost | None:
    """The cost of a run, or None without any run on record.

    With runs of three sizes or more: the median slope over all pairs of sizes (Theil and Sen), each size represented by its median, so that
    odd runs and frequent sizes pull nothing. With fewer sizes a line cannot be told from noise: the median per partition, which
    is too much for runs larger than those on record and too little for smaller ones.
    """
    seconds: dict[int, list[float]] = defaultdict(list)
    for run in past:
        if run.partitions > 0 and run.seconds >= 0:
            seconds[run.partitions].append(run.seconds)
    count = sum(len(found) for found in seconds.values())
    if not count:
        return None
    typical = {size: median(found) for size, found in sorted(seconds.items())}
    if len(typical) < SIZES_FOR_A_LINE:
        return RunCost(0.0, median(s / size for size, found in seconds.items() for s in found), count)
    sizes = list(typical)
    slopes = [(typical[b] - typical[a]) / (b - a) for n, a in enumerate(sizes) for b in sizes[n + 1 :]]
    each_s = max(0.0, median(slopes))
    return RunCost(max(0.0, median(typical[size] - each_s * size for size in sizes)), each_s, count)


def wall_time_s(sizes: Sequence[int], cost: RunCost, *, parallel: int) -> float:
    """Seconds until the last of runs of these sizes ended, `parallel` at a time, in the given order."""
    lanes = [0.0] * max(1, min(parallel, len(sizes)))
    for size in sizes:
        heapq.heappush(lanes, heapq.heappop(lanes) + cost.seconds(size))
    return max(lanes)


def in_words(seconds: float) -> str:
    """`40 s`, `12 min`, `2 h 5 min`: rounded as an estimate deserves."""
    if seconds < 90:
        return f"{max(10, round(seconds / 10) * 10)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
