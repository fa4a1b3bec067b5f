"""Is the model's answer usable? Shape, coverage of the findings, closed lists, allowed actions, and every figure grounded."""

from __future__ import annotations

import asyncio
import re

from pydantic import ValidationError

from marketing_agents.agents.evidence import Evidence
from marketing_agents.agents.grounding import check_grounding
from marketing_agents.agents.state import Draft
from marketing_agents.agents.wire_answer import UNKNOWN_CAUSE, WireAnswer, WireGroup
from marketing_agents.decisions.actions import ACTIONS

MAX_REASONS = 20
_CODE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")


async def verify_answer(evidence: Evidence, draft: Draft) -> tuple[WireAnswer | None, tuple[str, ...]]:
    """The validated answer and no reasons, or why it is refused (at most 20 reasons, for the repair request and the record)."""
    try:
        answer = WireAnswer.model_validate_json(draft.text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        return None, tuple(f"answer: {'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in details[:MAX_REASONS])
    reasons = [*_coverage(draft, answer)]
    for number, group in enumerate(answer.groups, start=1):
        reasons.extend(f"group {number}: {reason}" for reason in _group_reasons(evidence, group))
        await asyncio.sleep(0)  # checking a long answer takes milliseconds; other agents' replies must not wait for all of it
    cited = [fact_id for group in answer.groups for fact_id in group.cited_facts]
    reasons.extend(f"summary: {reason}" for reason in text_reasons(evidence, answer.summary, cited, [item.id for item in draft.shown]))
    return (None, tuple(reasons[:MAX_REASONS])) if reasons else (answer, ())


def text_reasons(evidence: Evidence, text: str, cited: list[str], findings: list[str]) -> list[str]:
    """Why a text is refused: ungrounded tokens, and codes of actions (what may be done is decided by code, not named by text)."""
    reasons = [f"{violation.token!r}: {violation.reason}" for violation in check_grounding(text, evidence, cited, findings=findings)]
    named = {item.name for item in evidence.findings}
    codes = [code for code in dict.fromkeys(_CODE.findall(text)) if code in ACTIONS and not any(code in name for name in named)]
    return [*reasons, *(f"{code!r}: say the action in words, as the evidence does" for code in codes)]


def _coverage(draft: Draft, answer: WireAnswer) -> list[str]:
    told = [finding_id for group in answer.groups for finding_id in group.finding_ids]
    shown = [item.id for item in draft.shown]
    reasons = [f"finding {finding_id!r} is in no group" for finding_id in shown if finding_id not in told]
    reasons += [f"finding {finding_id!r} is in more than one group" for finding_id in shown if told.count(finding_id) > 1]
    reasons += [f"{finding_id!r} is no finding of the evidence" for finding_id in dict.fromkeys(told) if finding_id not in shown]
    return reasons


def _group_reasons(evidence: Evidence, group: WireGroup) -> list[str]:
    items = [evidence.by_id[finding_id] for finding_id in group.finding_ids if finding_id in evidence.by_id]
    reasons = []
    causes = {cause.id for item in items for cause in item.finding.causes}
    if group.cause_id != UNKNOWN_CAUSE and group.cause_id not in causes:
        reasons.append(f"cause {group.cause_id!r} is not among the causes of its findings")
    if "\n" in group.headline.strip():
        reasons.append("the headline is more than one line")
    ids = set(group.finding_ids)
    for fact_id in dict.fromkeys(group.cited_facts):
        owners = evidence.owners.get(fact_id)
        if owners is None:
            reasons.append(f"cited fact {fact_id!r} does not exist")
        elif owners and ids.isdisjoint(owners):
            reasons.append(f"cited fact {fact_id!r} belongs to a finding of another group")
    for part in (group.headline, group.text):
        reasons.extend(text_reasons(evidence, part, group.cited_facts, group.finding_ids))
    return reasons
