"""What the model is shown: the evidence as JSON inside tags that no text in it can close, bounded in size.

`<`, `>` and `&` are written as JSON escapes, so a campaign named `</evidence>` stays inside its string.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from marketing_agents.agents.evidence import Evidence, EvidenceAction, EvidenceFinding

MAX_FINDINGS = 20
MAX_CONTENT_CHARS = 60_000


def findings_to_show(evidence: Evidence) -> tuple[EvidenceFinding, ...]:
    """The most urgent findings that fit; the template tells the others. At least one, whatever its size."""
    shown: list[EvidenceFinding] = []
    size = 0
    for item in evidence.findings[:MAX_FINDINGS]:
        size += len(_dump(_finding(item)))
        if shown and size > MAX_CONTENT_CHARS:
            break
        shown.append(item)
    return tuple(shown)


def user_content(evidence: Evidence, shown: Sequence[EvidenceFinding]) -> str:
    """The user part of the request."""
    document = {
        "advertiser": evidence.advertiser_name,
        "currency": evidence.currency,
        "facts": [_fact_row(fact.id, fact.label, fact.display) for fact in evidence.pack_facts],
        "known_gaps": list(evidence.known_gaps),
        "findings": [_finding(item) for item in shown],
        "findings_left_out": len(evidence.findings) - len(shown),
    }
    return f"<evidence>\n{_dump(document)}\n</evidence>\nAnswer for this evidence."


def repair_content(first: str, answer: str, reasons: Sequence[str]) -> str:
    """The second request: the first one, the refused answer, and why it was refused."""
    return f"{first}\n<refused_answer>\n{_dump(answer[:MAX_CONTENT_CHARS])}\n</refused_answer>\n<reasons>\n{_dump(list(reasons))}\n</reasons>\nAnswer again in full, without these mistakes."


def _finding(item: EvidenceFinding) -> dict[str, object]:
    finding = item.finding
    return {
        "finding_id": item.id,
        "title": finding.rule_title,
        "meaning": finding.description,
        "entity": {"type": finding.entity.type, "name": item.name, "platform": finding.entity.platform},
        "severity": finding.severity,
        "previous_severity": finding.previous_severity,
        "state": finding.episode_state,
        "suppressed_by": list(finding.suppressed_by),
        "tracking_is_trusted": finding.action_limit == "none",
        "observed": finding.observed,
        "compared_with": finding.baseline,
        "alarm_line": finding.threshold,
        "facts": [_fact_row(fact.id, fact.label, fact.display) for fact in item.facts],
        "causes": [{"id": cause.id, "text": cause.text} for cause in finding.causes],
        "actions": [_action(action) for action in item.actions],
    }


def _fact_row(fact_id: str, label: str, display: str) -> dict[str, str]:
    return {"id": fact_id, "label": label, "display": display}


def _action(action: EvidenceAction) -> dict[str, object]:
    return {
        "fact_id": action.fact_id,
        "what": action.text,
        "effect_fact_id": action.effect_fact_id,
        "why": action.rationale,
        "held": action.is_held,
    }


def _dump(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
