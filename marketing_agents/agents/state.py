"""State of one agent run. A misspelt key in a node's return would be dropped silently, so tests hold every node's keys against this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from marketing_agents.agents.analysis import DomainAnalysis, ModelUse, Proposal, Writer
from marketing_agents.agents.evidence import Evidence, EvidenceFinding
from marketing_agents.agents.wire_answer import WireAnswer
from marketing_agents.llm.port import ModelRequest, Prompt


@dataclass(frozen=True)
class Draft:
    """What the model was asked and what it said. `text` is its answer as received."""

    request: ModelRequest
    prompt: Prompt
    shown: tuple[EvidenceFinding, ...]
    text: str


class AgentState(TypedDict, total=False):
    """Filled from top to bottom. `violations` are those of the last check; `problems` is what the result reports."""

    evidence: Evidence
    groups: tuple[tuple[str, ...], ...]
    proposals: tuple[Proposal, ...]
    has_model: bool
    use: ModelUse
    draft: Draft
    answer: WireAnswer
    violations: tuple[str, ...]
    has_failed: bool
    is_repaired: bool
    writer: Writer
    problems: tuple[str, ...]
    analysis: DomainAnalysis
