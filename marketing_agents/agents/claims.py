"""Figures in a text, read as claims: value, unit, precision, sign, how it was hedged. Only reading; `grounding.py` compares with facts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["money", "percent", "points", "multiple", "days", "hours", "period", "plain"]
Hedge = Literal["", "about", "more", "less"]
MASK = "\ue000"  # stands for a character of a known name or phrase

_DOLLARS = frozenset({"USD", "AUD", "CAD", "NZD", "HKD", "SGD", "MXN", "TWD", "CLP", "COP", "ARS"})
_SYMBOLS: dict[str, frozenset[str]] = {
    "US$": frozenset({"USD"}), "A$": frozenset({"AUD"}), "AU$": frozenset({"AUD"}), "C$": frozenset({"CAD"}), "CA$": frozenset({"CAD"}),
    "NZ$": frozenset({"NZD"}), "HK$": frozenset({"HKD"}), "S$": frozenset({"SGD"}), "R$": frozenset({"BRL"}), "$": _DOLLARS,
    "£": frozenset({"GBP"}), "€": frozenset({"EUR"}), "¥": frozenset({"JPY", "CNY"}), "₹": frozenset({"INR"}), "₩": frozenset({"KRW"}),
    "₺": frozenset({"TRY"}), "zł": frozenset({"PLN"}), "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "dollar": _DOLLARS, "dollars": _DOLLARS, "pound": frozenset({"GBP"}), "pounds": frozenset({"GBP"}), "euro": frozenset({"EUR"}),
    "euros": frozenset({"EUR"}), "yen": frozenset({"JPY"}), "rupees": frozenset({"INR"}), "cents": frozenset({"none"}),
}  # fmt: skip
_CODES = [
    "USD",
    "EUR",
    "GBP",
    "NZD",
    "AUD",
    "CAD",
    "INR",
    "JPY",
    "CHF",
    "SEK",
    "NOK",
    "DKK",
    "PLN",
    "CZK",
    "HUF",
    "SGD",
    "HKD",
    "ZAR",
    "BRL",
    "MXN",
    "CNY",
    "KRW",
    "TRY",
    "AED",
    "SAR",
    "ILS",
    "THB",
    "IDR",
    "MYR",
    "PHP",
    "VND",
    "TWD",
    "RON",
    "BGN",
    "COP",
    "CLP",
    "ARS",
    "ISK",
    "UAH",
    "EGP",
    "NGN",
    "KES",
    "PKR",
    "BDT",
    "LKR",
    "QAR",
    "KWD",
    "PEN",
    "MAD",
]
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9, "lakh": 1e5, "crore": 1e7}
_UNITS: dict[str, tuple[Kind, float]] = {
    "%": ("percent", 1), "percent": ("percent", 1), "per cent": ("percent", 1), "pct": ("percent", 1),
    "percentage point": ("points", 1), "percentage points": ("points", 1), "pp": ("points", 1), "ppt": ("points", 1), "ppts": ("points", 1),
    "bps": ("points", 0.01), "basis points": ("points", 0.01),
    "x": ("multiple", 1), "×": ("multiple", 1), "times": ("multiple", 1), "fold": ("multiple", 1),
    "day": ("days", 1), "days": ("days", 1), "week": ("days", 7), "weeks": ("days", 7),
    "hour": ("hours", 1), "hours": ("hours", 1), "h": ("hours", 1), "hr": ("hours", 1), "hrs": ("hours", 1),
    "month": ("period", 30), "months": ("period", 30), "year": ("period", 365), "years": ("period", 365), "minute": ("period", 1), "minutes": ("period", 1),
}  # fmt: skip

_NUMBER = (
    r"(?:\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?|\d{1,3}(?:[,']\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?"
    r"|\d{1,3}(?:\.\d{3})+,\d+|\d+(?:[.,]\d+)?|(?<![\d])\.\d+)(?![.,']?\d)"
)
_CURRENCY = "|".join(sorted((re.escape(s) for s in _SYMBOLS), key=len, reverse=True)) + "|" + "|".join(_CODES)
_SYMBOL_BEFORE = r"(?:[A-Z]{1,2}\$|[$£€¥₹₩₺]|(?:" + "|".join(_CODES) + r")\s?)"
_SCALE = r"\s?(?P<scale>thousand|million|billion|lakh|crore|mn|bn|[kKmMbB])(?![A-Za-z])"
_UNIT = r"[\s-]?(?P<unit>%|percentage points?|basis points|per ?cent|pct|ppts?|pp|bps|[x×](?![A-Za-z])|times|fold|days?|weeks?|hours?|hrs?|h|months?|years?|minutes?)(?![A-Za-z])"
_AFTER = r"\s?(?P<after>(?:" + _CURRENCY + r"))(?![A-Za-z])"
CLAIM = re.compile(
    rf"(?<![\w.,$£€])(?P<sign>[-+](?=[\d.$£€¥₹A-Z]))?(?P<before>{_SYMBOL_BEFORE})?(?P<sign2>[-+])?(?P<number>{_NUMBER})(?:{_SCALE})?(?:{_UNIT}|{_AFTER})?(?P<ordinal>st|nd|rd|th)?(?P<rest>[A-Za-z_][\w-]*)?"
)
_HEDGE = re.compile(
    r"(about|around|roughly|approximately|approx\.?|some|~|≈)\s*$|(more than|over|above|at least|upwards of|exceeding|>|≥)\s*$|(less than|under|below|nearly|almost|up to|at most|<|≤)\s*$",
    re.IGNORECASE,
)

_SMALL = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    word: 10 * value for value, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2)
}
_WORD = "|".join([*_SMALL, *_TENS, "hundred", "thousand", "million"])
_WORDS = re.compile(rf"\b(?P<words>(?:{_WORD})(?:(?:[\s-]|\sand\s)(?:{_WORD}))*)\b(?:{_UNIT}|{_AFTER})?", re.IGNORECASE)
_MULTIPLE_WORDS: tuple[tuple[re.Pattern[str], Kind, float], ...] = (
    (re.compile(r"\b(?:doubl(?:e[sd]?|ing)|twice|twofold)\b", re.IGNORECASE), "multiple", 2.0),
    (re.compile(r"\b(?:tripl(?:e[sd]?|ing)|threefold|thrice)\b", re.IGNORECASE), "multiple", 3.0),
    (re.compile(r"\bquadrupl(?:e[sd]?|ing)\b", re.IGNORECASE), "multiple", 4.0),
    (re.compile(r"\b(?:half|halve[sd]?|halving)\b", re.IGNORECASE), "percent", 50.0),
    (re.compile(r"\b(?:a|one)[ -]third\b", re.IGNORECASE), "percent", 33.3),
    (re.compile(r"\btwo[ -]thirds\b", re.IGNORECASE), "percent", 66.7),
    (re.compile(r"\b(?:a|one)[ -]quarter of\b", re.IGNORECASE), "percent", 25.0),
    (re.compile(r"\bthree[ -]quarters\b", re.IGNORECASE), "percent", 75.0),
)
VAGUE = re.compile(r"\b(?:dozens?|scores of|hundreds|thousands|millions|billions)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Claim:
    """One figure. `quantum` is the size of its last digit; `sign` 0 = none written; `currency` empty = none written."""

    token: str
    start: int
    end: int
    kind: Kind
    value: float
    quantum: float
    sign: Literal[-1, 0, 1] = 0
    currency: frozenset[str] = frozenset()
    hedge: Hedge = ""
    problem: str = ""


def normalise(text: str) -> str:
    """One spelling for digits, spaces, minus signs and widths; characters that cannot be seen are removed."""
    text = re.sub(r"(?<=\d)[\u00a0\u202f\u2009](?=\d{3}(?!\d))", ",", text)
    text = re.sub(r"(?<=\d)\u2019(?=\d{3})", "'", text)
    text = unicodedata.normalize("NFKC", text.replace("\ue000", ""))
    text = "".join(ch for ch in text if unicodedata.category(ch) != "Cf")
    text = "".join(str(unicodedata.digit(ch)) if ch.isdigit() and not ch.isascii() else ch for ch in text)
    return re.sub("[\u2212\u2010\u2011\ufe63\uff0d]", "-", text)


def find_claims(text: str) -> list[Claim]:
    """Claims of a normalised text, by place. Dates, names and known phrases must have been masked before."""
    digits = [_claim(match, text) for match in CLAIM.finditer(text)]
    claims = _inherit_units(digits, text)
    taken = [(claim.start, claim.end) for claim in claims]
    for pattern, kind, fixed in _MULTIPLE_WORDS:
        for match in pattern.finditer(text):
            claims.append(Claim(match.group(), *match.span(), kind=kind, value=fixed, quantum=fixed / 10))
            taken.append(match.span())
    for match in _WORDS.finditer(text):
        words = match.group("words").lower()
        value, scale = _word_value(words), 1000.0 if words.endswith("thousand") else 1e6 if words.endswith("million") else 1.0
        # A lone "one" is nearly always a pronoun.
        is_pronoun = value == 1 and match.group("unit") is None and match.group("after") is None
        if not is_pronoun and not any(start < match.end() and match.start() < end for start, end in taken):
            kind, factor = _kind(match)
            claims.append(
                Claim(
                    match.group().strip(),
                    *match.span(),
                    kind=kind,
                    value=value * factor,
                    quantum=scale * factor,
                    currency=_currency(match.group("after")),
                    hedge=_hedge(text, match.start()),
                )
            )
    return sorted(claims, key=lambda claim: (claim.start, claim.end))


def _claim(match: re.Match[str], text: str) -> Claim:
    value, decimals = _parse_number(match.group("number"))
    scale = _SCALES[match.group("scale").lower()] if match.group("scale") else 1.0
    kind, factor = _kind(match)
    written = match.group("sign") or match.group("sign2")
    problem = "an unknown code" if match.group("rest") else ""
    if match.group("before"):
        kind, problem = ("money", problem) if kind in ("plain", "money") else (kind, problem or "a currency and another unit on one figure")
    return Claim(
        token=match.group().strip(), start=match.start(), end=match.end(), kind=kind, value=value * scale * factor, quantum=10.0**-decimals * scale * factor,
        sign=0 if not written else (-1 if written == "-" else 1), currency=_currency(match.group("before") or match.group("after")),
        hedge=_hedge(text, match.start()), problem=problem,
    )  # fmt: skip


def _kind(match: re.Match[str]) -> tuple[Kind, float]:
    if match.group("after"):
        return "money", 1.0
    unit = match.group("unit")
    if unit is None:
        return "plain", 1.0
    return _UNITS[" ".join(unit.lower().split())]


def _currency(symbol: str | None) -> frozenset[str]:
    if not symbol:
        return frozenset()
    symbol = symbol.strip()
    return frozenset({symbol}) if symbol in _CODES else _SYMBOLS.get(symbol, frozenset({"unknown"}))


def _parse_number(token: str) -> tuple[float, int]:
    """Value and decimals. `1,234` is a thousand, `1.234` a decimal, `1.234,5` and `1.234.567` are continental."""
    token = token.replace("'", ",")
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}", token):
        token = token.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?", token):
        token = token.replace(",", "")
    else:
        token = token.replace(",", ".")
    return float(token), len(token.partition(".")[2])


def _inherit_units(claims: list[Claim], text: str) -> list[Claim]:
    """`14–20 days`, `£12 to 15`: a bare end of a range has the unit of the other end."""
    for place in range(len(claims) - 1):
        left, right = claims[place], claims[place + 1]
        if re.fullmatch(r"\s?[-–—]\s?|\s+to\s+", text[left.end : right.start]):
            if left.kind == "plain" and right.kind in ("percent", "points", "multiple", "days", "hours", "money"):
                factor = 7.0 if right.kind == "days" and "week" in right.token else 1.0
                claims[place] = replace(
                    left, kind=right.kind, value=left.value * factor, quantum=left.quantum * factor, currency=right.currency
                )
            elif right.kind == "plain" and left.kind == "money":
                claims[place + 1] = replace(right, kind="money", currency=left.currency)
    return claims


def _hedge(text: str, start: int) -> Hedge:
    match = _HEDGE.search(text[max(0, start - 20) : start])
    if match is None:
        return ""
    return "about" if match.group(1) else "more" if match.group(2) else "less"


def _word_value(words: str) -> float:
    total = current = 0
    for word in re.split(r"[\s-]+", words):
        if word in _SMALL or word in _TENS:
            current += _SMALL.get(word, 0) or _TENS.get(word, 0)
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in ("thousand", "million"):
            total += max(current, 1) * (1000 if word == "thousand" else 1_000_000)
            current = 0
    return float(total + current)
