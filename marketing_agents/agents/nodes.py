"""The nodes of the agent graph and the routes between them. Each node reads the state, does one thing, and returns what it changed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from marketing_agents.agents.analysis import DomainAnalysis, Insight, ModelUse
from marketing_agents.agents.evidence import gather
from marketing_agents.agents.failure import Failure
from marketing_agents.agents.grouping import group_findings
from marketing_agents.agents.offline_writer import quiet_summary, write_insight, write_summary
from marketing_agents.agents.proposals import propose
from marketing_agents.agents.request import AgentContext
from marketing_agents.agents.state import AgentState
from marketing_agents.agents.told import escape_names, sorted_insights, told_insights
from marketing_agents.agents.verification import verify_answer
from marketing_agents.agents.writing import add_use, ask, first_request, repair_request

if TYPE_CHECKING:
    from langgraph.runtime import Runtime


async def gather_evidence(state: AgentState, runtime: Runtime[AgentContext]) -> AgentState:  # noqa: ARG001 - the first node has nothing to read
    """Evidence, groups and proposals: all that is decided by code."""
    request = runtime.context.request
    evidence = gather(request)
    await asyncio.sleep(0)  # each of these takes milliseconds where findings are many; other agents of the loop go on in between
    proposals, refused = propose(request)
    await asyncio.sleep(0)
    groups = tuple(group_findings([item.finding for item in evidence.findings]))
    has_model = runtime.context.deps.writer_model is not None
    return {"evidence": evidence, "groups": groups, "proposals": proposals, "has_model": has_model, "use": ModelUse(), "problems": refused}


async def write(state: AgentState, runtime: Runtime[AgentContext]) -> AgentState:
    """The first answer of the model, or the failure."""
    context = runtime.context
    model = context.deps.writer_model
    if model is None:
        raise RuntimeError("the route to `write` was taken without a model; this is a bug in the graph's routes")
    draft, problems = first_request(context, state["evidence"])
    outcome, reply = await ask(model, draft.request, draft, context)
    use = add_use(state["use"], draft.request, draft.prompt, reply)
    problems = (*state["problems"], *problems)
    if isinstance(outcome, Failure):
        return {"draft": draft, "use": use, "has_failed": True, "problems": (*problems, f"model: {outcome}")}
    return {"draft": replace(draft, text=outcome.text), "use": use, "has_failed": False, "problems": problems}


async def verify(state: AgentState, runtime: Runtime[AgentContext]) -> AgentState:
    """Schema, coverage, grounding, allowed actions. The reasons of a refusal are kept for the repair and for the result."""
    answer, violations = await verify_answer(state["evidence"], state["draft"])
    runtime.context.span.score("grounded", 0.0 if violations else 1.0, "; ".join(violations)[:500])
    if answer is None:
        label = "repaired answer" if state.get("is_repaired") else "answer"
        return {"violations": violations, "problems": (*state["problems"], *(f"{label} refused: {reason}" for reason in violations))}
    return {"violations": (), "answer": answer, "writer": "model_repaired" if state.get("is_repaired") else "model"}


async def repair(state: AgentState, runtime: Runtime[AgentContext]) -> AgentState:
    """The second and last answer, asked for with the reasons of the refusal."""
    context, draft = runtime.context, state["draft"]
    model = context.deps.writer_model
    if model is None:
        raise RuntimeError("the route to `repair` was taken without a model; this is a bug in the graph's routes")
    request = repair_request(draft, state["violations"])
    outcome, reply = await ask(model, request, draft, context)
    use = add_use(state["use"], request, draft.prompt, reply)
    if isinstance(outcome, Failure):
        return {"use": use, "is_repaired": True, "has_failed": True, "problems": (*state["problems"], f"model, at the repair: {outcome}")}
    return {"use": use, "is_repaired": True, "has_failed": False, "draft": replace(draft, text=outcome.text)}


async def offline_writer(state: AgentState, runtime: Runtime[AgentContext]) -> AgentState:
    """Templates write: by configuration (`template`), or because the model failed or was refused twice (`template_after_error`)."""
    request, evidence = runtime.context.request, state["evidence"]
    insights: list[Insight] = []
    for group in state["groups"]:
        insights.append(write_insight(evidence, group))
        await asyncio.sleep(0)
    ordered = sorted_insights(evidence, insights)
    after_error = "draft" in state
    analysis = _analysis(state, runtime.context, ordered, write_summary(request.domain, evidence, ordered))
    return {"writer": "template_after_error" if after_error else "template", "analysis": analysis}


async def quiet(state: AgentState, runtime: Runtime[AgentContext]) -> AgentState:
    """Nothing is open and nothing has just ended: one sentence, no model call."""
    return {"writer": "quiet", "analysis": _analysis(state, runtime.context, (), quiet_summary(runtime.context.request.domain))}


async def finish(state: AgentState, runtime: Runtime[AgentContext]) -> AgentState:
    """The result with its writer, status and problems."""
    analysis = state.get("analysis")
    if analysis is None:
        evidence, answer = state["evidence"], state["answer"]
        insights = told_insights(evidence, answer, state["groups"])
        analysis = _analysis(state, runtime.context, insights, escape_names(evidence, answer.summary.strip()))
    writer = state["writer"]
    status: Literal["ok", "degraded"] = "degraded" if writer == "template_after_error" else "ok"
    return {
        "analysis": analysis.model_copy(
            update={"writer": writer, "status": status, "problems": state["problems"], "model_use": state["use"]}
        )
    }


def after_evidence(state: AgentState) -> Literal["quiet", "write", "offline_writer"]:
    if not state["evidence"].findings:
        return "quiet"
    return "write" if state["has_model"] else "offline_writer"


def after_answer(state: AgentState) -> Literal["verify", "offline_writer"]:
    return "offline_writer" if state["has_failed"] else "verify"


def after_check(state: AgentState) -> Literal["finish", "repair", "offline_writer"]:
    if not state["violations"]:
        return "finish"
    return "offline_writer" if state.get("is_repaired") else "repair"


def _analysis(state: AgentState, context: AgentContext, insights: tuple[Insight, ...], summary: str) -> DomainAnalysis:
    request = context.request
    return DomainAnalysis(
        advertiser_id=request.advertiser.id,
        date=request.day,
        domain=request.domain.name,
        status="ok",
        writer="template",
        summary=summary,
        insights=insights,
        proposals=state["proposals"],
        trace_id=context.span.trace_id,
        trace_url=context.span.trace_url,
    )
