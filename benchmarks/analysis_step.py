"""Six agents with a model that takes one second each: the step against one agent alone. Sum would be 6; aim: about 1."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path

import dagster as dg

from marketing_agents.agents.request import AgentDeps
from marketing_agents.days import LocalDay
from marketing_agents.llm.port import FailureKind, LLMError
from marketing_agents.llm.prompts import PackagedPrompts
from marketing_agents.llm.tracing import NoTracer
from marketing_agents_tests.e2e.pipeline import ANCHOR, make_pipeline

DOMAINS = ("audience", "budget", "conversion", "creative", "media_performance", "platform")
LATENCY_S = 1.0


class _OneSecondModel:
    calls = 0

    async def generate(self, request):
        type(self).calls += 1
        await asyncio.sleep(LATENCY_S)
        raise LLMError(FailureKind.UNAVAILABLE, "artificial")


class _Writers:
    def __init__(self, model):
        self.model = model

    @asynccontextmanager
    async def open(self, run_id):
        yield AgentDeps(writer_model=self.model, prompts=PackagedPrompts(), tracer=NoTracer(), run_id=run_id)


def measure() -> dict[str, float]:
    """Wall seconds of the step with templates, and with a one-second model; the difference in units of one call."""
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.ephemeral() as instance:
        pipeline = make_pipeline(Path(folder), instance, max_concurrent_agents=64)
        days = [LocalDay(a, ANCHOR) for a in pipeline.ids]
        pipeline.run(days)
        assets = [f"analysis/{d}" for d in DOMAINS]
        templates = _step(pipeline, days, assets)
        slow = _step(pipeline, days, assets, agents=_Writers(_OneSecondModel()))
        return {
            "partitions": len(days),
            "model calls": _OneSecondModel.calls,
            "step with templates, s": templates,
            "step with a one-second model, s": slow,
            "added, in calls": (slow - templates) / LATENCY_S,
        }


def _step(pipeline, days, assets, **overrides):
    best = float("inf")
    for _ in range(3):
        _OneSecondModel.calls = 0
        started = time.perf_counter()
        assert all(r.success for r in pipeline.run(days, assets=assets, **overrides))
        best = min(best, time.perf_counter() - started)
    return best
