"""Few lines in place of many: which candidates become lines of the list, and which are named beside them.

A rule's playbook lists several actions for one problem. Shown one by one they would read as so many problems. So:

1. Every finding gets one line: the first action of its playbook that stands (not held, suppressed or refused); without one, the first of
   them, with the reason why it does not stand. The playbook's order is the expert's (least intrusive first). Watching, telling somebody and
   freezing changes become lines only when a finding has nothing else: they accompany.
2. Findings that choose the same action on the same entity share the line: the domains agree.
3. Active lines on the same entity and lever are one line: the highest score stays, the others are named with it.
4. What no finding chose is named with the line of its finding: `also` (it accompanies) or `instead` (another lever for the same problem).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketing_agents.decisions.candidate import Candidate
from marketing_agents.decisions.ranking import score
from marketing_agents.decisions.recommendation import OtherAction
from marketing_agents.rules.finding import Finding

_MAX_OTHERS = 4
_NOT_IN_PLAYBOOK = 1_000


@dataclass(frozen=True)
class Line:
    """A candidate that becomes a line, and the candidates that are named with it. `finding_ids`: all evidence of the line, those of lines
    folded into it included.
    """

    candidate: Candidate
    others: tuple[Candidate, ...]
    finding_ids: tuple[str, ...]

    def reasons(self) -> tuple[str, ...]:
        """Reasons of the line; with them whoever was passed over here or in an action named beside it, so that no finding goes unsaid."""
        passed_over = (note for candidate in (self.candidate, *self.others) for note in candidate.passed_over)
        return tuple(dict.fromkeys((*self.candidate.reasons, *passed_over)))

    def other_actions(self) -> tuple[OtherAction, ...]:
        return tuple(
            OtherAction(
                action=other.action,
                parameters=other.parameters,
                relation="also" if other.lever == "none" else "instead",
                status=other.status,
                reason=other.reasons[0] if other.reasons else "",
                expected_effect=other.expected_effect,
            )
            for other in self.others[:_MAX_OTHERS]
        )


def shortlist(candidates: Sequence[Candidate], findings: Mapping[str, Finding]) -> list[Line]:
    """The lines of the list, in id order; the same for any order of the candidates."""
    by_finding: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: c.recommendation_id):
        for finding_id in candidate.finding_ids or (f"none:{candidate.recommendation_id}",):
            by_finding.setdefault(finding_id, []).append(candidate)

    chosen: dict[str, Candidate] = {}
    choice_of: dict[str, str] = {}
    for finding_id, options in sorted(by_finding.items()):
        choice = min(options, key=lambda c: _preference(c, findings.get(finding_id)))
        chosen[choice.recommendation_id] = choice
        choice_of[finding_id] = choice.recommendation_id

    stays = _fold_same_lever(chosen)
    lines: dict[str, dict[str, Candidate]] = {key: {} for key in sorted(set(stays.values()))}
    evidence: dict[str, set[str]] = {key: set() for key in lines}
    for finding_id, options in sorted(by_finding.items()):
        key = stays[choice_of[finding_id]]
        evidence[key].update(i for c in (chosen[key], chosen[choice_of[finding_id]]) for i in c.finding_ids)
        for option in options:
            if option.recommendation_id not in lines:
                lines[key][option.recommendation_id] = option
    return [
        Line(candidate=chosen[key], others=tuple(sorted(others.values(), key=_naming_order)), finding_ids=tuple(sorted(evidence[key])))
        for key, others in lines.items()
    ]


def _preference(candidate: Candidate, finding: Finding | None) -> tuple[bool, bool, int, int, str]:
    place = _NOT_IN_PLAYBOOK
    if finding is not None:
        places = (
            i
            for i, planned in enumerate(finding.playbook)
            if planned.action == candidate.action and planned.entity.key == candidate.entity.key
        )
        place = next(places, _NOT_IN_PLAYBOOK)
    effort = candidate.spec.effort if candidate.spec else 3
    return (candidate.lever == "none", not candidate.is_active, place, effort, candidate.recommendation_id)


def _fold_same_lever(chosen: Mapping[str, Candidate]) -> dict[str, str]:
    """For each chosen id the id of the line it ends in: its own, or that of a better active one on the same entity and lever."""
    best: dict[tuple[str, str], Candidate] = {}
    for _, candidate in sorted(chosen.items()):
        place = (candidate.entity.key, candidate.lever)
        if candidate.is_active and (place not in best or score(candidate) > score(best[place])):
            best[place] = candidate
    return {key: best[(c.entity.key, c.lever)].recommendation_id if c.is_active else key for key, c in chosen.items()}


def _naming_order(candidate: Candidate) -> tuple[bool, bool, str, str]:
    return (not candidate.is_active, candidate.lever == "none", candidate.action, candidate.recommendation_id)
