"""Dates in a text, read in the ways people write them. What is ambiguous (11/12) is right when one reading is."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_MONTH = r"(?P<month>Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)(?![a-z])"
_DAY = r"(?P<{0}>\d{{1,2}})(?:st|nd|rd|th)?"
_RANGE = r"(?:\s*(?:[-–—]|to|and|,)\s*" + _DAY.format("last") + r")?"
_YEAR = r"(?:,?\s+(?P<year>\d{4})(?!\d))?"
_FORMS = (
    re.compile(r"(?<![\w-])(?P<year>\d{4})-(?P<month_number>\d{1,2})-(?P<first>\d{1,2})(?!\w|-\d)"),
    re.compile(r"(?<![\w.,$£€-])" + _DAY.format("first") + _RANGE + r"\s+(?:of\s+)?" + _MONTH + _YEAR),
    re.compile(r"\b" + _MONTH + r"\s+" + _DAY.format("first") + _RANGE + r"(?![\d%])" + _YEAR),
    re.compile(r"(?<![\w.,/$£€-])(?P<a>\d{1,2})(?P<dot>[/.])(?P<b>\d{1,2})(?P=dot)(?P<year>\d{4}|\d{2})(?![\w/])"),
    re.compile(r"(?<![\w.,/$£€-])(?P<a>\d{1,2})/(?P<b>\d{1,2})(?![\w/%])"),
    re.compile(r"\b" + _MONTH + r",?\s+(?P<year>\d{4})(?!\d)"),
    re.compile(r"\b(?:in|of|during|since|until|for|this|last|by)\s+" + _MONTH + r"(?!\s+\d)"),
)


@dataclass(frozen=True)
class DateClaim:
    """A date as written, and whether one of the known dates is meant by it."""

    token: str
    start: int
    end: int
    is_known: bool


def find_dates(text: str, known: Collection[date]) -> list[DateClaim]:
    """Date claims of a normalised text. A range is known when both ends are; a month, when a known date lies in it."""
    claims: list[DateClaim] = []
    for form in _FORMS:
        for match in form.finditer(text):
            if match.group() != "24/7" and not any(claim.start < match.end() and match.start() < claim.end for claim in claims):
                claims.append(DateClaim(match.group(), *match.span(), is_known=_is_known(match.groupdict(), known)))
    return sorted(claims, key=lambda claim: claim.start)


def _is_known(parts: dict[str, str | None], known: Collection[date]) -> bool:
    year = _year(parts.get("year"))
    if (first_part := parts.get("a")) is not None:
        a, b = int(first_part), int(parts.get("b") or 0)
        return any((day.day, day.month) in ((a, b), (b, a)) and year in (None, day.year) for day in known)
    month = int(parts.get("month_number") or 0) or _month(parts.get("month") or "")
    days = [int(text) for text in (parts.get("first"), parts.get("last")) if text]
    in_month = [day for day in known if day.month == month and year in (None, day.year)]
    return all(any(day.day == wanted for day in in_month) for wanted in days) if days else bool(in_month)


def _month(word: str) -> int:
    prefix = word.lower().rstrip(".")[:3]
    return next(number for number, name in enumerate(_MONTHS, start=1) if name.startswith(prefix))


def _year(text: str | None) -> int | None:
    if text is None:
        return None
    return int(text) + 2000 if len(text) == 2 else int(text)
