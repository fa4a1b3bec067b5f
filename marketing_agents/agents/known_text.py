"""Words that a text may repeat as they stand: names of the evidence and phrases of the catalogue. They are set aside before figures are read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from marketing_agents.agents.claims import MASK, Claim, find_claims, normalise
from marketing_agents.agents.direction import has_direction_word
from marketing_agents.agents.evidence import Evidence
from marketing_agents.rules.finding import Unit

_OPEN, _CLOSE = "[“\"«„`‘']", "[”\"»“`’']"
_ENTITY_WORD = r"(?:campaign|ad group|adgroup|ad|audience|account|action|plan|event|budget|advertiser)"
_COUNTED = re.compile(
    r"\s+(?:of\s+them|(?:open\s+|such\s+)?(?:findings?|campaigns?|ad groups?|ads?|accounts?|audiences?|plans?|events?|conversion actions?|entities))\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\w-])[A-Za-z]+(?:[-_]?[A-Za-z]+)*[-_]?\d[\w-]*")
_LONG_ID = re.compile(r"(?<![\w.,])\d{6,}(?![\w.,]*\d)")
_QUARTER = re.compile(r"Q([1-4])")
_WINDOW_IN_PHRASE = re.compile(r"\b(\d+)[ -](day|week|hour|month|year)s?\b", re.IGNORECASE)
_WINDOW_BEFORE = re.compile(
    r"\b(?:last|past|previous|prior|trailing|rolling|recent|preceding|within|over|in|next|for)\s+(?:the\s+)?(?:(?:last|past|previous|next)\s+)?$",
    re.IGNORECASE,
)
_ORDINARY = frozenset(
    {"GA4", "B2B", "B2C", "D2C", "C2C", "P2P", "MP4", "HTTP2", "CO2", "IPv4", "IPv6", "UTF-8", "W3C", "Web3", "Web2", "S2S"}
)


class Mention(NamedTuple):
    """A name in the text. `owners`: ids of the findings it names; empty for the advertiser and for text facts of the partition."""

    start: int
    name: str
    owners: tuple[str, ...]
    is_allowed: bool


@dataclass(frozen=True)
class KnownText:
    """`names`: name -> findings. `phrases`: catalogue wording. `codes`: rule ids and ids of entities. `windows`: (number, unit) of phrases.

    `counts`: how many findings, and how many entities, the text is about.
    """

    names: dict[str, tuple[str, ...]]
    allowed: frozenset[str]
    phrases: tuple[str, ...]
    codes: frozenset[str]
    windows: frozenset[tuple[int, str]]
    counts: frozenset[int]

    @classmethod
    def of(cls, evidence: Evidence, cited: Collection[str], findings: Iterable[str] = ()) -> KnownText:
        """What may be repeated: all of `findings` and of those that the cited facts belong to; of other findings the names are known, but not allowed."""
        told = {owner for fact_id in cited for owner in evidence.owners[fact_id]} | (set(findings) & evidence.by_id.keys())
        names: dict[str, tuple[str, ...]] = {}
        allowed, phrases = {evidence.advertiser_name}, list(evidence.known_gaps)
        codes: set[str] = set()
        names[evidence.advertiser_name] = ()
        for item in evidence.findings:
            entity = item.finding.entity
            names[item.name] = (*names.get(item.name, ()), item.id)
            if item.id not in told:
                continue
            allowed.add(item.name)
            for fact in item.facts:
                if fact.unit is Unit.TEXT and fact.id in cited and "#" not in fact.id:
                    names[fact.display] = (*names.get(fact.display, ()), item.id)
                    allowed.add(fact.display)
            phrases.extend(item.phrases)
            codes.update((item.finding.rule_id, entity.id, entity.account_id, entity.campaign_id, entity.adgroup_id))
        windows = {(int(number), unit.lower()) for phrase in phrases for number, unit in _WINDOW_IN_PHRASE.findall(phrase)}
        phrases = [prepared for phrase in phrases if (prepared := _prepared(phrase))]
        normal = {normalise(name): owners for name, owners in names.items() if name}
        return cls(
            normal,
            frozenset(normalise(name) for name in allowed),
            tuple(sorted(set(phrases), key=lambda p: (-len(p), p))),
            frozenset(codes),
            frozenset(windows),
            _counts(evidence, told),
        )

    def is_count_of_told(self, claim: Claim, sentence: str) -> bool:
        """`Two campaigns`, where the text is about two."""
        is_bare = claim.kind == "plain" and claim.sign == 0
        return is_bare and claim.value in self.counts and _COUNTED.match(sentence[claim.end :]) is not None

    def is_window(self, claim: Claim, sentence: str) -> bool:
        """`the last 14 days`, `14-day average`, where a catalogue phrase speaks of 14 days."""
        match = _WINDOW_IN_PHRASE.fullmatch(claim.token)
        if match is None or (int(match.group(1)), match.group(2).lower()) not in self.windows:
            return False
        return "-" in claim.token or _WINDOW_BEFORE.search(sentence[: claim.start]) is not None


def _counts(evidence: Evidence, told: Collection[str]) -> frozenset[int]:
    return frozenset({len(told), len({evidence.by_id[finding_id].finding.entity.key for finding_id in told})} - {0, 1})


def mask_known(text: str, known: KnownText) -> tuple[str, list[Mention]]:
    """The text with names and phrases replaced by masks of the same length, and where names stood.

    A name that holds a digit must stand in quotes or beside a word such as "campaign": else an ad called "99% off today" would make that
    figure sayable.
    """
    mentions: list[Mention] = []
    # Longest first over both: a phrase may hold a name ("Exclude the audience 'Buyers'"), a name may hold a phrase.
    for item in sorted({*known.names, *known.phrases}, key=lambda item: (-len(item), item)):
        if item in known.names:
            if item not in text:
                continue
            for pattern in _name_patterns(item):
                for match in reversed(list(pattern.finditer(text))):
                    mentions.append(Mention(match.start("name"), item, known.names[item], item in known.allowed))
                    text = text[: match.start("name")] + MASK * len(item) + text[match.end("name") :]
        elif item.lower() in text.lower():
            # Not behind a number: in "6 days open" the label "days open" holds the unit.
            text = re.sub(rf"(?<!\w)(?<!\d ){re.escape(item)}(?!\w)", lambda m: MASK * len(m.group()), text, flags=re.IGNORECASE)
    return text, mentions


def mask_codes(text: str, known: KnownText) -> str:
    """The text without codes and ids of the evidence. Short plain numbers are no codes: an id `54` must not make 54 sayable."""
    for code in sorted(known.codes, key=lambda code: (-len(code), code)):
        if any(ch.isdigit() for ch in code) and (len(code) >= 6 or any(ch.isalpha() for ch in code)):
            text = re.sub(rf"(?<![\w-]){re.escape(code)}(?![\w-])", lambda m: MASK * len(m.group()), text)
    return text


def unknown_codes(text: str, dates: Collection[date]) -> list[tuple[int, str]]:
    """Letter-digit codes and long ids, with their places; those of the evidence must have been masked."""
    found = []
    for match in [*_CODE.finditer(text), *_LONG_ID.finditer(text)]:
        token = match.group().rstrip("-")
        quarter = _QUARTER.fullmatch(token)
        if quarter and any((day.month - 1) // 3 + 1 == int(quarter.group(1)) for day in dates):
            continue
        if token not in _ORDINARY and not _is_currency_figure(token):
            found.append((match.start(), token))
    return found


@lru_cache(maxsize=4096)
def _prepared(phrase: str) -> str:
    """A phrase as it is looked for, or nothing when it holds nothing that the check would question (a figure, a direction, quotes)."""
    phrase = normalise(phrase).rstrip(".")
    is_questionable = any(ch.isdigit() or ch in "\"“‘'`" for ch in phrase) or has_direction_word(phrase) or bool(find_claims(phrase))
    return phrase if " " in phrase and is_questionable else ""


def _is_currency_figure(token: str) -> bool:
    return re.fullmatch(r"[A-Z]{3}\d[\d,.]*[kKmMbB]?|x\d+", token) is not None


def _name_patterns(name: str) -> list[re.Pattern[str]]:
    escaped = re.escape(name)
    patterns = [re.compile(rf"{_OPEN}(?P<name>{escaped}){_CLOSE}")]
    n_letters = sum(ch.isalpha() for ch in name)
    if n_letters >= 3 and not any(ch.isdigit() for ch in name):
        patterns.append(re.compile(rf"(?<!\w)(?P<name>{escaped})(?!\w)"))
    elif n_letters >= 3:
        patterns.append(re.compile(rf"(?i:\b{_ENTITY_WORD})\s+(?P<name>{escaped})(?!\w)"))
        patterns.append(re.compile(rf"(?<!\w)(?P<name>{escaped})\s+(?i:{_ENTITY_WORD}\b)"))
    return patterns
