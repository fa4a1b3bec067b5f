"""One partition end to end, in process: where the time goes, and what a second partition of the same run adds."""

from __future__ import annotations

import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import dagster as dg

from marketing_agents.days import LocalDay
from marketing_agents_tests.e2e.pipeline import make_pipeline

DAY = date(2026, 10, 15)
CHUNK = 10


def measure() -> dict[str, float]:
    """Wall seconds by step for one cold partition, the same one again (nothing new to load), and a chunk."""
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.ephemeral() as instance:
        pipeline = make_pipeline(Path(folder), instance)
        day = LocalDay("harbour-thread", DAY)
        cold, steps = _timed(pipeline, [day])
        warm, warm_steps = _timed(pipeline, [day])
        chunk, _ = _timed(pipeline, [LocalDay("harbour-thread", DAY - timedelta(days=n)) for n in range(CHUNK)])
        figures = {"cold partition, s": cold, "same partition again, s": warm, f"chunk of {CHUNK}, s per partition": chunk / CHUNK}
        figures["chunk per partition / one warm partition"] = chunk / CHUNK / warm
        figures.update({f"  cold: {name}, s": seconds for name, seconds in steps.items()})
        figures.update({f"  warm: {name}, s": seconds for name, seconds in warm_steps.items()})
        return figures


def _timed(pipeline, days):
    started = time.perf_counter()
    results = pipeline.run(days)
    seconds = time.perf_counter() - started
    assert all(r.success for r in results)
    steps: dict[str, float] = {}
    for result in results:
        for event in result.all_events:
            if event.is_step_success:
                steps[event.step_key] = steps.get(event.step_key, 0) + event.step_success_data.duration_ms / 1000
    return seconds, steps
