"""Keyword patterns of a domain: regular expressions that stay cheap on any text.

Python's matcher backtracks, and a pattern such as `(a+)+b` takes exponential time. Patterns come from files that people edit, so their shape is
bounded before they run: no repeat of a group, no back-reference, no look-around, at most two open repeats per alternative.
"""

from __future__ import annotations

import re

MAX_PATTERN_CHARS = 2000
MAX_OPEN_REPEATS = 2
_OPEN_REPEAT = re.compile(r"[*+]|\{\d*,\}")
_CHARACTER_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")


def pattern_problem(regex: str) -> str | None:
    """Why a keyword pattern is refused, with the fix, or None when it is fine."""
    if not regex.strip():
        return "is empty; remove the entry or give a pattern"
    if len(regex) > MAX_PATTERN_CHARS:
        return f"has {len(regex)} characters; at most {MAX_PATTERN_CHARS} are allowed, split it into several entries"
    try:
        compiled = re.compile(regex, re.IGNORECASE)
    except re.error as error:
        return f"is not a regular expression: {error}"
    if compiled.search(""):
        return "matches the empty text, so it would match every rule; make one part of it required"
    return _complexity_problem(regex)


def _complexity_problem(regex: str) -> str | None:
    plain = _CHARACTER_CLASS.sub("C", re.sub(r"\\[\\\[\]]", "E", regex))
    if re.search(r"\\[1-9]|\(\?P=|\(\?\(", plain):
        return "uses a back-reference; write the alternatives out"
    if re.search(r"\(\?(?:<?[=!])", plain):
        return "uses look-around; use \\b for word boundaries"
    plain = re.sub(r"\\.", "E", plain)
    if re.search(r"\)(?:[*+]|\{\d*,?\d*\})", plain):
        return "repeats a group, which can take exponential time; repeat single characters only (`\\w*`)"
    worst = max(len(_OPEN_REPEAT.findall(part)) for part in plain.split("|"))
    if worst > MAX_OPEN_REPEATS:
        return f"has {worst} open repeats (* or +) in one alternative; at most {MAX_OPEN_REPEATS} are allowed"
    return None
