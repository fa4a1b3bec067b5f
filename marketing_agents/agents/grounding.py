"""Is every figure, date and name of a text in the evidence? The check behind "no number from a model".

A figure passes when a cited fact, shown at the figure's own precision and in its unit, equals it. A sentence that names an entity may quote
only that entity's facts (and those of the partition). Known names and catalogue phrases are set aside first, so a campaign called "25% off" is
no claim. Nothing is derived from two facts. Limits: a right figure under a wrong metric of the same unit passes; weekday names and
"yesterday" are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date
from typing import NamedTuple

from marketing_agents.agents.claim_dates import find_dates
from marketing_agents.agents.claims import MASK, VAGUE, Claim, find_claims, normalise
from marketing_agents.agents.direction import has_down_word, order_problem, said_direction
from marketing_agents.agents.evidence import Evidence
from marketing_agents.agents.fact_match import is_change, matches
from marketing_agents.agents.known_text import KnownText, Mention, mask_codes, mask_known, unknown_codes
from marketing_agents.agents.outside_text import unescape_markdown
from marketing_agents.rules.finding import Fact, Unit


class Violation(NamedTuple):
    """What is not in the evidence, and why it was refused. The reason is written for whoever repairs the text."""

    token: str
    reason: str


_LINK = re.compile(
    r"https?:|www\.|\]\(|!\[|[\w.+-]+@[\w-]+\.\w|\b[\w-]+\.(?:com|net|org|io|co|uk|de|fr|eu|app|dev|shop|ai|info|biz|xyz)\b(?!\w)",
    re.IGNORECASE,
)
_HTML = re.compile(r"<\s*[A-Za-z/!]|&(?:#\d+|\w+);")
_QUOTED = re.compile(r"“([^”\n]*)”|\"([^\"\n]*)\"|«([^»\n]*)»|„([^“”\n]*)[“”]|`([^`\n]*)`|(?<![\w])[‘']([^’'\n]+)[’'](?!\w)")
_ENUMERATOR = re.compile(r"^(\s*)(\d{1,2})([.)])(?=\s)", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_MAX_ENUMERATOR = 20


def check_grounding(text: str, evidence: Evidence, cited: Iterable[str] | None = None, *, findings: Iterable[str] = ()) -> list[Violation]:
    """What of a text the evidence does not hold, in order of appearance.

    Args:
        text: Markdown, names escaped or not.
        evidence: what may be said at all.
        cited: ids of the facts that the text claims to quote; None = any fact. Unknown ids are violations.
        findings: ids of findings that the text is about, whose names may be said although none of their facts is cited.
    """
    ids = list(evidence.facts) if cited is None else list(dict.fromkeys(cited))
    violations = [Violation(fact_id, "is no fact of the evidence") for fact_id in ids if fact_id not in evidence.facts]
    pool = _pool(evidence, [fact_id for fact_id in ids if fact_id in evidence.facts])
    known = KnownText.of(evidence, [fact.id for fact in pool], findings)
    raw = normalise(text)
    plain, mentions = mask_known(normalise(unescape_markdown(text)) if "\\" in raw else raw, known)
    found: list[tuple[int, Violation]] = [
        (mention.start, Violation(mention.name, "is the name of a finding whose facts are not cited"))
        for mention in mentions
        if not mention.is_allowed
    ]
    found += _form_violations(plain)
    plain = _ENUMERATOR.sub(
        lambda m: m.group(1) + MASK * (len(m.group()) - len(m.group(1))) if int(m.group(2)) <= _MAX_ENUMERATOR else m.group(), plain
    )
    dates = _dates(pool, evidence)
    for claim in find_dates(plain, dates):
        if not claim.is_known:
            found.append((claim.start, Violation(claim.token, "is no date of the cited facts")))
        plain = plain[: claim.start] + MASK * (claim.end - claim.start) + plain[claim.end :]
    plain = mask_codes(plain, known)
    for start, token in unknown_codes(plain, dates):
        found.append((start, Violation(token, "is a code or id that the evidence does not hold")))
        plain = plain[:start] + MASK * len(token) + plain[start + len(token) :]
    found += _figure_violations(plain, mentions, evidence, pool, known, dates)
    return violations + [violation for _, violation in sorted(found, key=lambda item: item[0])]


def _pool(evidence: Evidence, ids: Collection[str]) -> list[Fact]:
    """The cited facts, and the parameters of cited actions."""
    actions = tuple(f"{fact_id}." for fact_id in ids if "#action" in fact_id)
    return [fact for fact_id, fact in evidence.facts.items() if fact_id in ids or (actions and fact_id.startswith(actions))]


def _dates(pool: Iterable[Fact], evidence: Evidence) -> set[date]:
    dates = {evidence.day}
    for fact in pool:
        if fact.unit is Unit.DATE and fact.text:
            dates.add(date.fromisoformat(fact.text[:10]))
    return dates


def _form_violations(text: str) -> list[tuple[int, Violation]]:
    found = [(m.start(), Violation(m.group(), "links and addresses are not allowed")) for m in _LINK.finditer(text)]
    found += [(m.start(), Violation(m.group(), "HTML is not allowed")) for m in _HTML.finditer(text)]
    found += [
        (m.start(), Violation(m.group(), "is no figure of the evidence; give the figure or leave it out")) for m in VAGUE.finditer(text)
    ]
    for match in _QUOTED.finditer(text):
        inside = next(group for group in match.groups() if group is not None)
        if inside.strip(MASK + " .,;:…"):
            found.append((match.start(), Violation(match.group(), "is in quotes but is no name of the evidence; quote names exactly")))
    return found


def _figure_violations(
    text: str, mentions: list[Mention], evidence: Evidence, pool: list[Fact], known: KnownText, dates: set[date]
) -> list[tuple[int, Violation]]:
    found: list[tuple[int, Violation]] = []
    for start, end in _sentences(text):
        sentence = text[start:end]
        named = {owner for mention in mentions if start <= mention.start < end for owner in mention.owners}
        facts = [fact for fact in pool if not named or not evidence.owners[fact.id] or named & set(evidence.owners[fact.id])]
        good: list[Claim] = []
        for claim in find_claims(sentence):
            reason = _reason(claim, sentence, facts, known, dates)
            if reason is None:
                good.append(claim)
            else:
                found.append((start + claim.start, Violation(claim.token, reason)))
        if problem := order_problem(sentence, good):
            found.append((start, Violation(*problem)))
    return found


def _reason(claim: Claim, sentence: str, facts: list[Fact], known: KnownText, dates: set[date]) -> str | None:
    """Why a claim is refused, or None."""
    if claim.problem:
        return claim.problem
    if known.is_window(claim, sentence) or known.is_count_of_told(claim, sentence):
        return None
    candidates = [fact for fact in facts if matches(claim, fact)]
    if not candidates:
        is_year = claim.kind == "plain" and claim.sign == 0 and claim.token.isdigit() and int(claim.value) in {day.year for day in dates}
        return None if is_year else "is not a figure of the cited facts in this precision and unit (for the entity that the sentence names)"
    if claim.value == 0:  # a small negative value is shown as 0
        return None
    for fact in candidates:
        is_negative = (fact.number or 0) < 0
        direction = said_direction(sentence, claim) if is_change(fact) else 0
        if direction and direction != (-1 if is_negative else 1):
            continue
        if is_negative and claim.sign == 0 and not has_down_word(sentence):
            continue
        return None
    return "goes in the other direction in the evidence"


def _sentences(text: str) -> list[tuple[int, int]]:
    bounds, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        bounds.append((start, match.start()))
        start = match.end()
    return [*bounds, (start, len(text))]
