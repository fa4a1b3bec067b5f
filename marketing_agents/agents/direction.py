"""Words that say which way something went, held against the sign of a change and the order of two figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from marketing_agents.agents.claims import Claim

_UP = re.compile(
    r"\b(?:rose|ris(?:e[ns]?|ing)|increas\w*|grew|grow(?:n|s|ing|th)?|climb\w*|jump\w*|surg\w*|soar\w*|gain\w*|rais(?:e[sd]?|ing)|up(?!\s+to)|higher|more)\b",
    re.IGNORECASE,
)
_DOWN = re.compile(
    r"\b(?:fell|fall(?:s|en|ing)?|drop\w*|decreas\w*|declin\w*|slump\w*|sank|sink\w*|shr[aiu]nk\w*|lower\w*|reduc\w*|tight\w*|cut(?:s|ting)?|lost|los(?:s|es|ing)|collaps\w*|down|less|fewer|short(?:fall)?|behind|negative|minus|below|under)\b",
    re.IGNORECASE,
)
_ABOVE = re.compile(r"\b(?:above|over|higher than|more than|exceed(?:s|ed|ing)?|ahead of|up from|greater than)\b", re.IGNORECASE)
_BELOW = re.compile(r"\b(?:below|under|lower than|less than|short of|behind|down from|fewer than|beneath)\b", re.IGNORECASE)
_FROM = re.compile(r"\bfrom\s+$", re.IGNORECASE)


def said_direction(sentence: str, claim: Claim) -> int:
    """+1, -1, or 0 when the sentence names none: that of the nearest direction word; a written sign wins."""
    if claim.sign:
        return claim.sign
    words = [(_distance(m.span(), claim), 1) for m in _UP.finditer(sentence)] + [
        (_distance(m.span(), claim), -1) for m in _DOWN.finditer(sentence)
    ]
    return min(words)[1] if words else 0


def has_direction_word(text: str) -> bool:
    return any(pattern.search(text) for pattern in (_UP, _DOWN, _ABOVE, _BELOW))


def has_down_word(sentence: str) -> bool:
    return _DOWN.search(sentence) is not None


def order_problem(sentence: str, claims: Sequence[Claim]) -> tuple[str, str] | None:
    """`54 below 36`, `rose from 54 to 36`: two figures whose order the words between them contradict."""
    for left, right in pairwise(claims):
        if left.kind != right.kind or left.kind == "plain" or left.value == right.value:
            continue
        between, before = sentence[left.end : right.start], sentence[max(0, left.start - 60) : left.start]
        wanted = 0
        if re.fullmatch(r"\s+to\s+", between) and _FROM.search(before):
            wanted = -_nearest_before(before)
        elif len(between) <= 60 and not re.search(r"[;:]|\b(?:by|while|whereas|but|and)\b", between):
            wanted = 1 if _ABOVE.search(between) else -1 if _BELOW.search(between) else 0
        if wanted and (left.value > right.value) != (wanted > 0):
            return f"{left.token}{between}{right.token}", "the order of the two figures is the other way round"
    return None


def _nearest_before(text: str) -> int:
    ups, downs = [m.end() for m in _UP.finditer(text)], [m.end() for m in _DOWN.finditer(text)]
    if not ups and not downs:
        return 0
    return 1 if max(ups, default=-1) > max(downs, default=-1) else -1


def _distance(span: tuple[int, int], claim: Claim) -> int:
    return max(claim.start - span[1], span[0] - claim.end, 0)
