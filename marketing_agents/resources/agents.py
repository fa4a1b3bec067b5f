"""Opens what the domain agents need for one step: model, prompts, tracer. Each is optional; without keys nothing touches a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from marketing_agents.settings import Settings

if TYPE_CHECKING:
    from marketing_agents.agents.request import AgentDeps


class AgentRuntime:
    """Model, prompts and tracing as the settings configure them. Tests replace this object, never the graph."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def open(self, run_id: str) -> AsyncIterator[AgentDeps]:
        """Dependencies for one step; the model client lives inside the running loop and is closed on exit."""
        from marketing_agents.agents.request import AgentDeps
        from marketing_agents.llm.gemini import open_model
        from marketing_agents.llm.prompts import open_prompts
        from marketing_agents.llm.tracing import open_tracer

        settings = self._settings
        async with open_model(settings, today=datetime.now(UTC).date()) as model:  # list prices of the day; part of no result
            with open_tracer(settings, run_id) as tracer, open_prompts(settings) as prompts:
                yield AgentDeps(
                    writer_model=model,
                    prompts=prompts,
                    tracer=tracer,
                    default_model=settings.model,
                    model_timeout_s=settings.model_timeout_s,
                    run_id=run_id,
                )
