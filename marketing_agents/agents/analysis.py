"""What one domain agent hands to the merge: insights (findings grouped under a cause, in words) and proposals (actions)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from marketing_agents.rules.finding import Entity, Frozen, Severity

Writer = Literal["model", "model_repaired", "template", "template_after_error", "quiet"]


class Insight(Frozen):
    """Findings that share a cause, explained. `cited_facts` are the ids of the facts the text quotes."""

    insight_id: str
    finding_ids: tuple[str, ...]
    cause_id: str | None
    cause: str
    headline: str = Field(description="one sentence; inline Markdown, names quoted and escaped")
    text: str = Field(
        description="Markdown, names quoted and escaped: what happened, how big, since when, likely causes, what to do, what it is worth"
    )
    cited_facts: tuple[str, ...] = Field(
        description="ids of facts of the findings; with `#` those that agents/evidence.py derives from a finding"
    )
    severity: Severity
    money_at_stake: float | None


class Proposal(Frozen):
    """One action on one entity, chosen by code from playbooks. `parameters` as in `rules.finding.PlannedAction`."""

    proposal_id: str
    domain: str
    action: str
    entity: Entity
    parameters: dict[str, float | str]
    finding_ids: tuple[str, ...]
    rule_ids: tuple[str, ...]
    severity: Severity
    confidence: float
    money_at_stake: float | None
    expected_effect: float | None
    opened_on: date | None
    days_open: int
    action_limit: Literal["none", "monitor_only"] = "none"
    suppressed_by: tuple[str, ...] = ()
    rationale: str = ""


class ModelUse(Frozen):
    """What the model calls of one analysis used. `cost_usd` is None when the model's price is not known."""

    model: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    calls: int = 0
    cost_usd: float | None = 0.0
    latency_s: float = 0.0


class DomainAnalysis(Frozen):
    """The result of one agent for one partition. `degraded` = an error was answered by the template."""

    advertiser_id: str
    date: date
    domain: str
    status: Literal["ok", "degraded"]
    writer: Writer
    summary: str
    insights: tuple[Insight, ...]
    proposals: tuple[Proposal, ...]
    model_use: ModelUse = ModelUse()
    problems: tuple[str, ...] = Field(default=(), description="why a model text was refused, or which error occurred")
    trace_id: str | None = None
    trace_url: str | None = None
