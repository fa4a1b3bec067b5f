"""One action on one entity on its way to the list: the proposals that ask for it, merged, with the verdict so far."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from marketing_agents.agents.analysis import Proposal
from marketing_agents.agents.outside_text import clean
from marketing_agents.decisions.actions import ACTIONS, ActionSpec, Lever
from marketing_agents.decisions.guardrails import Guarded
from marketing_agents.decisions.recommendation import RecommendationStatus
from marketing_agents.rules.finding import SEVERITIES, Entity, Finding, Severity

# When several proposals ask for the same action, the best verdict among them is the action's: one malformed or suppressed request does not
# take away what another one supports.
_STATUS_ORDER: tuple[RecommendationStatus, ...] = ("needs_approval", "proposed", "blocked", "held", "suppressed")


@dataclass(frozen=True)
class Candidate:
    """An action on an entity. `proposals` are those that support it as it stands; `passed_over` says who else asked for it, and why that did
    not count (their findings may have no other line).
    """

    recommendation_id: str
    action: str
    entity: Entity
    parameters: dict[str, float | str]
    status: RecommendationStatus
    reasons: tuple[str, ...]
    is_in_order: bool
    proposals: tuple[Proposal, ...]
    passed_over: tuple[str, ...] = ()

    @property
    def spec(self) -> ActionSpec | None:
        return ACTIONS.get(self.action)

    @property
    def lever(self) -> Lever:
        return self.spec.lever if self.spec else "none"

    @property
    def direction(self) -> int:
        """+1 raises, -1 lowers, 0 neither. Where the action has none of its own, the sign of its step decides."""
        if self.spec is None:
            return 0
        if self.action == "SHIFT_BUDGET":
            return -1  # it is an action on the donor
        step = self.parameters.get("step_pct")
        if self.spec.direction == 0 and isinstance(step, float):
            return int(math.copysign(1, step)) if step else 0
        return self.spec.direction

    @property
    def is_active(self) -> bool:
        """True while it stands as something to do, or as advice that only the policy keeps from being done."""
        return self.status in ("proposed", "needs_approval") or (self.status == "blocked" and self.is_in_order)

    @property
    def finding_ids(self) -> tuple[str, ...]:
        return tuple(sorted({i for p in self.proposals for i in p.finding_ids}))

    @property
    def rule_ids(self) -> tuple[str, ...]:
        return tuple(sorted({i for p in self.proposals for i in p.rule_ids}))

    @property
    def domains(self) -> tuple[str, ...]:
        return tuple(sorted({p.domain for p in self.proposals}))

    @property
    def severity(self) -> Severity:
        return max((p.severity for p in self.proposals), key=SEVERITIES.index)

    @property
    def confidence(self) -> float:
        """The highest confidence among the proposals, within 0 and 1; 0 when none is a number."""
        return max((min(max(p.confidence, 0.0), 1.0) for p in self.proposals if math.isfinite(p.confidence)), default=0.0)

    @property
    def money_at_stake(self) -> float | None:
        """The largest amount, not the sum: findings on one entity count the same money."""
        return max(
            (p.money_at_stake for p in self.proposals if p.money_at_stake is not None and math.isfinite(p.money_at_stake)), default=None
        )

    @property
    def expected_effect(self) -> float | None:
        return max(
            (p.expected_effect for p in self.proposals if p.expected_effect is not None and math.isfinite(p.expected_effect)), default=None
        )

    @property
    def first_seen(self) -> date | None:
        """First day of the oldest episode; None when that one is older than the episode window."""
        opened = [p.opened_on for p in self.proposals]
        return None if not opened or None in opened else min(day for day in opened if day is not None)

    @property
    def days_open(self) -> int:
        return max(p.days_open for p in self.proposals)

    def with_status(self, status: RecommendationStatus, *reasons: str) -> Candidate:
        """The same with another status; the new reasons come first, what was said before stays."""
        return replace(self, status=status, reasons=(*reasons, *(r for r in self.reasons if r not in reasons)))

    def with_note(self, note: str) -> Candidate:
        return self if note in self.reasons else replace(self, reasons=(*self.reasons, note))


def recommendation_id(advertiser_id: str, entity: Entity, action: str) -> str:
    """Stable id of (advertiser, entity, action): the same on every day, whatever the parameters and the text."""
    return hashlib.sha256(f"{advertiser_id}\x1f{entity.key}\x1f{action}".encode()).hexdigest()[:16]


def merge_proposals(advertiser_id: str, guarded: Sequence[tuple[Proposal, Guarded]], findings: Mapping[str, Finding]) -> list[Candidate]:
    """One candidate per entity and action, sorted by id. Parameters come from the strongest proposal as a whole, never mixed.

    Strongest = the largest step within limits; of two opposite steps the lowering one, because that is the one that can be undone cheaply.
    """
    groups: dict[str, list[tuple[Proposal, Guarded]]] = {}
    for proposal, verdict in guarded:
        groups.setdefault(recommendation_id(advertiser_id, proposal.entity, proposal.action), []).append((proposal, verdict))
    return [_merge(key, group, findings) for key, group in sorted(groups.items())]


def _merge(key: str, group: list[tuple[Proposal, Guarded]], findings: Mapping[str, Finding]) -> Candidate:
    best = min(_STATUS_ORDER.index(verdict.status) for _, verdict in group)
    status = _STATUS_ORDER[best]
    # Of blocked ones, those that only the policy blocks are worth more than those that are wrong in themselves.
    is_in_order = any(v.is_in_order for _, v in group if v.status == status)
    supporting = sorted(((p, v) for p, v in group if v.status == status and v.is_in_order == is_in_order), key=_strength)
    strongest, verdict = supporting[0]
    reasons = list(verdict.reasons)
    if len({_sign(v) for _, v in supporting}) > 1:
        reasons.append("proposals disagreed on the direction; the lowering one was kept")
    passed_over = [
        f"also asked for by {_rules(proposal, findings)} ({other.status}: {other.reasons[0] if other.reasons else 'no reason given'})"
        for proposal, other in sorted(group, key=_strength)
        if other.status != status or other.is_in_order != is_in_order
    ]
    return Candidate(
        recommendation_id=key,
        action=strongest.action,
        entity=strongest.entity,
        parameters=verdict.parameters,
        status=status,
        reasons=tuple(dict.fromkeys(reasons)),
        is_in_order=is_in_order,
        proposals=tuple(proposal for proposal, _ in supporting),
        passed_over=tuple(dict.fromkeys(passed_over)),
    )


def _strength(item: tuple[Proposal, Guarded]) -> tuple[float, float, int, str, str]:
    proposal, verdict = item
    size = max((abs(v) for k, v in verdict.parameters.items() if k in ("step_pct", "amount_per_day") and isinstance(v, float)), default=0.0)
    # The last two keep the order total: two proposals that share an id differ in content.
    return (_sign(verdict), -size, -SEVERITIES.index(proposal.severity), proposal.proposal_id, proposal.model_dump_json())


def _sign(verdict: Guarded) -> float:
    step = verdict.parameters.get("step_pct")
    return math.copysign(1, step) if isinstance(step, float) else 0.0


def _rules(proposal: Proposal, findings: Mapping[str, Finding]) -> str:
    named = sorted(set(proposal.rule_ids) | {findings[i].rule_id for i in proposal.finding_ids if i in findings})
    return ", ".join(named) or proposal.domain


def name_findings(ids: Iterable[str], findings: Mapping[str, Finding]) -> str:
    """Findings as people know them: `CONV-001 Conversion flatline on 'Purchase'`; the id where the finding is not of this day."""
    return ", ".join(
        f"{findings[i].rule_id} {findings[i].rule_title} on '{clean(findings[i].entity.name)}'" if i in findings else f"finding {i}"
        for i in sorted(set(ids))
    )
