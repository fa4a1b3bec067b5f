"""The agent graph: one LangGraph state graph for all domains, compiled once per process, without a checkpointer (partitions are idempotent).

gather_evidence -> quiet | offline_writer | write -> verify -> finish | repair -> verify | offline_writer -> finish
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from marketing_agents.agents import nodes
from marketing_agents.agents.analysis import DomainAnalysis
from marketing_agents.agents.request import AgentContext, AgentDeps, AnalysisRequest
from marketing_agents.agents.state import AgentState

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

# gather, write, verify, repair, verify, offline_writer, finish: a run that takes more steps has lost its way.
MAX_STEPS = 10


@cache
def agent_graph() -> CompiledStateGraph[AgentState, AgentContext, AgentState, AgentState]:
    """The compiled graph. Tracing to LangSmith is switched off first: a stray variable must not send an advertiser's data anywhere."""
    os.environ["LANGSMITH_TRACING"] = "false"
    os.environ["LANGCHAIN_TRACING_V2"] = "false"
    from langgraph.graph import END, START, StateGraph

    graph: StateGraph[AgentState, AgentContext, AgentState, AgentState] = StateGraph(AgentState, context_schema=AgentContext)
    # No error handlers and no retries on nodes: failures of the model are caught where it is asked (agents/failure.py), bugs fail the run.
    for node in (nodes.gather_evidence, nodes.write, nodes.verify, nodes.repair, nodes.offline_writer, nodes.quiet, nodes.finish):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "gather_evidence")
    graph.add_conditional_edges("gather_evidence", nodes.after_evidence)
    graph.add_conditional_edges("write", nodes.after_answer)
    graph.add_conditional_edges("verify", nodes.after_check)
    graph.add_conditional_edges("repair", nodes.after_answer)
    graph.add_edge("offline_writer", "finish")
    graph.add_edge("quiet", "finish")
    graph.add_edge("finish", END)
    return graph.compile(name="domain_agent")


async def analyse(request: AnalysisRequest, deps: AgentDeps) -> DomainAnalysis:
    """The analysis of one partition and domain. A failing model gives `template_after_error`; only a bug raises."""
    graph = agent_graph()
    domain, advertiser = request.domain.name, request.advertiser.id
    with deps.tracer.agent(
        domain=domain, advertiser_id=advertiser, day=request.day.isoformat(), run_id=deps.run_id, tags=deps.tags
    ) as span:
        context = AgentContext(request=request, deps=deps, span=span)
        state = await graph.ainvoke({}, {"recursion_limit": MAX_STEPS, "callbacks": []}, context=context)
        analysis: DomainAnalysis = state["analysis"]
        span.finish(
            {"writer": analysis.writer, "status": analysis.status, "summary": analysis.summary, "problems": list(analysis.problems)}
        )
    return analysis


async def analyse_all(requests: Sequence[AnalysisRequest], deps: AgentDeps, *, max_concurrent: int) -> list[DomainAnalysis]:
    """All analyses, at most `max_concurrent` at once, in the order of the requests. The first bug cancels the others and is raised.

    Raises:
        ValueError: `max_concurrent` is below 1.
    """
    if max_concurrent < 1:
        raise ValueError(f"max_concurrent is {max_concurrent}; at least 1 agent must run")
    places = asyncio.Semaphore(max_concurrent)

    async def one(request: AnalysisRequest) -> DomainAnalysis:
        async with places:
            return await analyse(request, deps)

    tasks = [asyncio.create_task(one(request), name=f"{request.advertiser.id}|{request.day}|{request.domain.name}") for request in requests]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        # After a failure: stop the others and wait until they have, so that none works on in a closing loop.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
