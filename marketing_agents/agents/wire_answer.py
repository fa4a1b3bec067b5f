"""The answer that a model gives, as it travels: which findings share a cause, which cause, and the words. No figure, no action, no ranking.

The ids are pinned per request in the schema that goes out; what comes back is validated again, because not every model decodes under it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from marketing_agents.agents.evidence import Evidence, EvidenceFinding

UNKNOWN_CAUSE = "unknown"
MAX_HEADLINE_CHARS = 300
MAX_TEXT_CHARS = 4000


class WireGroup(BaseModel):
    """Findings told together."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    finding_ids: list[str] = Field(min_length=1, description="findings that share this cause; each finding in exactly one group")
    cause_id: str = Field(description="most likely cause of the group, or 'unknown'")
    headline: str = Field(min_length=1, max_length=MAX_HEADLINE_CHARS, description="one sentence: what happened, where, how big")
    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARS, description="Markdown for a marketer, figures copied from `display`")
    cited_facts: list[str] = Field(description="ids of every fact that headline or text quote")


class WireAnswer(BaseModel):
    """The whole answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    groups: list[WireGroup] = Field(min_length=1)
    summary: str = Field(
        min_length=1, max_length=1000, description="one or two sentences for the whole domain; quotes only facts that a group cites"
    )


def answer_schema(evidence: Evidence, shown: tuple[EvidenceFinding, ...]) -> dict[str, object]:
    """JSON schema of the answer, with the ids of the findings that were shown, their facts and their causes as the only values."""
    from marketing_agents.llm.wire_schema import wire_schema

    causes = dict.fromkeys(cause.id for item in shown for cause in item.finding.causes)
    facts = dict.fromkeys([*(fact.id for fact in evidence.pack_facts), *(fact.id for item in shown for fact in item.facts)])
    return wire_schema(
        WireAnswer,
        enums={"finding_ids": [item.id for item in shown], "cause_id": [*causes, UNKNOWN_CAUSE], "cited_facts": list(facts)},
    )
