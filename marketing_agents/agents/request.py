"""What an agent is asked, and what it may use while answering."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.domains.registry import Domain
from marketing_agents.rules.finding import Finding

if TYPE_CHECKING:
    from marketing_agents.llm.port import AgentSpan, AgentTracer, PromptSource, TextModel


@dataclass(frozen=True)
class AnalysisRequest:
    """One partition and domain. `findings` are those of the domain's rules, ended episodes included, in any order.

    `known_gaps`: sentences about what the day's data lacks (a table that did not arrive); they go to the reader and the model as they are.
    """

    advertiser: Advertiser
    day: date
    domain: Domain
    findings: tuple[Finding, ...]
    known_gaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class AgentDeps:
    """Ports of a run. `writer_model` None means that templates write. `model_timeout_s` is the deadline around each model call."""

    writer_model: TextModel | None
    prompts: PromptSource
    tracer: AgentTracer
    default_model: str = "gemini-3.8-flash"
    model_timeout_s: float = 60.0
    run_id: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class AgentContext:
    """What the nodes of one graph run see: the request, the ports, and the trace they belong to."""

    request: AnalysisRequest
    deps: AgentDeps
    span: AgentSpan
