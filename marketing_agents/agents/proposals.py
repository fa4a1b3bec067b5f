"""Proposals: the actions of the findings' playbooks, chosen and parametrised by code. No model takes part in this."""

from __future__ import annotations

import hashlib
from collections import Counter

from marketing_agents.agents.analysis import Proposal
from marketing_agents.agents.evidence import urgency
from marketing_agents.agents.request import AnalysisRequest


def propose(request: AnalysisRequest) -> tuple[tuple[Proposal, ...], tuple[str, ...]]:
    """Proposals of all open findings (most urgent first, playbook order), and a sentence per action that the domain may not propose.

    Nothing is dropped for being suppressed or limited to monitoring: the proposal carries that, and the merge decides.
    """
    proposals: list[Proposal] = []
    refused: dict[str, None] = {}
    domain = request.domain
    for finding in sorted((f for f in request.findings if f.is_open), key=urgency):
        seen: Counter[tuple[str, str]] = Counter()
        for action in finding.playbook:
            if action.action not in domain.allowed_actions:
                refused[f"{finding.rule_id}: {action.action} is not among the allowed actions of {domain.name}; left out"] = None
                continue
            place = (action.action, action.entity.key)
            proposals.append(
                Proposal(
                    proposal_id=_proposal_id(request, finding.finding_id, *place, seen[place]),
                    domain=domain.name,
                    action=action.action,
                    entity=action.entity,
                    parameters=action.parameters,
                    finding_ids=(finding.finding_id,),
                    rule_ids=(finding.rule_id,),
                    severity=finding.severity,
                    confidence=finding.confidence,
                    money_at_stake=finding.money_at_stake,
                    expected_effect=action.expected_effect,
                    opened_on=finding.opened_on,
                    days_open=finding.days_open,
                    action_limit=finding.action_limit,
                    suppressed_by=finding.suppressed_by,
                    rationale=action.rationale,
                )
            )
            seen[place] += 1
    return tuple(proposals), tuple(refused)


def _proposal_id(request: AnalysisRequest, finding_id: str, action: str, entity_key: str, number: int) -> str:
    """Stable from day to day while the finding lasts: parameters, which change daily, are not part of it."""
    parts = "\x1f".join((request.advertiser.id, request.domain.name, finding_id, action, entity_key, str(number)))
    return "p-" + hashlib.sha256(parts.encode()).hexdigest()[:16]
