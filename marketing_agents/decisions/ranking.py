"""The order of the list: one deterministic score whose factors can be shown. Text never changes it.

    score = severity weight x confidence x log10(1 + money at stake in 7 days) x reversibility bonus / effort

Severity weighs 1, 3, 6, 10; a reversible action gets 1.2, another 1.0; effort is 1 (minutes) to 3 (days). Source: research, rules catalogue
section 6. Where no money is known (a broken tag, late data) the amount is taken as `UNKNOWN_MONEY`: the smallest spend at which rules act at
all, so that such findings are ordered by severity and confidence, and a critical one stands above a medium one with money. An amount
that is known to be 0 scores 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from marketing_agents.decisions.candidate import Candidate
from marketing_agents.rules.finding import Severity

SEVERITY_WEIGHT: dict[Severity, float] = {"low": 1.0, "medium": 3.0, "high": 6.0, "critical": 10.0}
REVERSIBLE_BONUS = 1.2
UNKNOWN_MONEY = 100.0
_HARDEST = 3.0


def score_parts(candidate: Candidate) -> dict[str, float]:
    """The factors of the score, by name, in the order of the formula; their product, with `effort` as divisor, is the score."""
    money = candidate.money_at_stake
    spec = candidate.spec
    return {
        "severity_weight": SEVERITY_WEIGHT[candidate.severity],
        "confidence": round(candidate.confidence, 6),
        "money": round(math.log10(1 + max(UNKNOWN_MONEY if money is None else money, 0.0)), 6),
        "reversibility_bonus": REVERSIBLE_BONUS if spec is not None and spec.is_reversible else 1.0,
        "effort": float(spec.effort) if spec is not None else _HARDEST,
    }


def score_of(parts: dict[str, float]) -> float:
    """The score from its factors, to 6 decimals."""
    return round(parts["severity_weight"] * parts["confidence"] * parts["money"] * parts["reversibility_bonus"] / parts["effort"], 6)


def score(candidate: Candidate) -> float:
    return score_of(score_parts(candidate))


def in_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Highest score first; equal scores by id, so that the order never depends on the input's."""
    return sorted(candidates, key=lambda c: (-score(c), c.recommendation_id))


def limit_changes(ordered: Sequence[Candidate], max_changes: int) -> list[Candidate]:
    """The same list, where platform changes beyond the day's number are held: the highest-ranked ones keep their place."""
    changes = 0
    limited = []
    for candidate in ordered:
        if candidate.status == "needs_approval":
            changes += 1
            if changes > max_changes:
                candidate = candidate.with_status("held", f"the policy allows {max_changes} changes a day and others are worth more")  # noqa: PLW2901
        limited.append(candidate)
    return limited


def ranks(ordered: Sequence[Candidate]) -> dict[str, int]:
    """Rank by id, from 1, for what is active; held, suppressed and refused candidates have none."""
    active = [c.recommendation_id for c in ordered if c.is_active]
    return {key: rank for rank, key in enumerate(active, start=1)}
