"""Does a fact say what a claim says: same unit and currency, equal at the claim's own precision?"""

from __future__ import annotations

import re
from functools import lru_cache

from marketing_agents.agents.claims import Claim, Kind, find_claims, normalise
from marketing_agents.rules.finding import Fact, Unit

# Rounding may hide at most this share of the value: "1x" is no way to say 1.4x.
MAX_ROUNDING = 0.10
_HEDGED = {"about": (0.95, 1.05), "more": (1.0, 1.10), "less": (0.90, 1.0)}
_KINDS: dict[Unit, dict[Kind, float]] = {
    Unit.MONEY: {"money": 1.0},
    Unit.COUNT: {"plain": 1.0},
    Unit.PERCENT: {"percent": 100.0},
    Unit.PROBABILITY: {"percent": 100.0, "plain": 1.0},
    Unit.RATIO: {"plain": 1.0, "multiple": 1.0},
    Unit.MULTIPLE: {"multiple": 1.0},
    Unit.DAYS: {"days": 1.0},
    Unit.HOURS: {"hours": 1.0},
    Unit.DATE: {},
    Unit.TEXT: {},
}
_CHANGE = re.compile(r"(?:^|_)(?:change|delta|chg|diff|growth)(?:_|$)|\b(?:change|difference|growth)\b", re.IGNORECASE)
_POINTS = re.compile(r"\bpoints?\b|(?:^|_)pp(?:_|$)", re.IGNORECASE)


def is_change(fact: Fact) -> bool:
    """True for facts whose sign is a direction."""
    return _CHANGE.search(fact.name) is not None or _CHANGE.search(fact.label) is not None


def matches(claim: Claim, fact: Fact) -> bool:
    """True when the claim is this fact, apart from the direction that words give it."""
    if any(_is_same(claim, shown) for shown in _shown(fact.display, fact.unit)):
        return claim.kind != "money" or not claim.currency or not fact.currency or fact.currency in claim.currency
    if fact.number is None:
        return False
    kinds = dict(_KINDS[fact.unit])
    if fact.unit is Unit.PERCENT and (_POINTS.search(fact.name) or _POINTS.search(fact.label)):
        kinds["points"] = 100.0
    if claim.kind not in kinds:
        return False
    if claim.kind == "money" and not (fact.currency and fact.currency in claim.currency):
        return False
    value = fact.number * kinds[claim.kind]
    if claim.sign and (value < 0) != (claim.sign < 0):
        return False
    return _is_equal(claim, abs(value))


def _is_equal(claim: Claim, value: float) -> bool:
    difference = abs(claim.value - value)
    slack = 1e-9 * max(1.0, value)
    if difference <= claim.quantum / 2 + slack:
        return difference <= MAX_ROUNDING * value + slack
    if not claim.hedge or claim.value == 0 or round(claim.value / claim.quantum) % 10:
        return False
    low, high = _HEDGED[claim.hedge]
    return low * claim.value - slack <= value <= high * claim.value + slack


def _is_same(claim: Claim, shown: Claim) -> bool:
    """The same figure as in the display. A sign that only one of the two writes is left to the direction words."""
    if claim.kind != shown.kind or abs(claim.value - shown.value) > 1e-9 * max(1.0, shown.value):
        return False
    if claim.sign and claim.sign != (shown.sign or 1):
        return False
    return not (shown.currency and claim.currency) or bool(shown.currency & claim.currency)


@lru_cache(maxsize=4096)
def _shown(display: str, unit: Unit) -> tuple[Claim, ...]:
    """The figures of a display. Text and dates have none: text facts hold outside words, which are quoted whole or not at all."""
    return () if unit in (Unit.TEXT, Unit.DATE) else tuple(find_claims(normalise(display)))
