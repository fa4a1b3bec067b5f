"""Values as people read them. The text of a report copies these forms, and the grounding check compares with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from marketing_agents.rules.finding import Unit

_CENTS_BELOW = 100.0


def display_value(value: float | bool | str | date | None, unit: Unit, currency: str | None = None, decimals: int | None = None) -> str:
    """'USD 1,234', '31.4%', '1.8x', '14 days', '37 hours', '0.013', '2026-11-20'; 'unknown' when missing."""
    if value is None:
        return "unknown"
    if isinstance(value, (str, date)):
        return str(value)
    number = float(value)
    return _money(number, currency, decimals) if unit is Unit.MONEY else _FORMS.get(unit, _count)(number, decimals)


def _count(number: float, decimals: int | None) -> str:
    return _trimmed(number, (1 if abs(number) < 100 else 0) if decimals is None else decimals)


def _percent(number: float, decimals: int | None) -> str:
    return f"{_fixed(number * 100, 1 if decimals is None else decimals)}%"


def _multiple(number: float, decimals: int | None) -> str:
    return f"{_trimmed(number, (2 if abs(number) < 10 else 1) if decimals is None else decimals)}x"


def _ratio(number: float, decimals: int | None) -> str:
    return _fixed(number, 2 if decimals is None else decimals)


def _days(number: float, decimals: int | None) -> str:  # noqa: ARG001 - one form for all units
    text = _trimmed(number, 1)
    return f"{text} day" if text == "1" else f"{text} days"


def _hours(number: float, decimals: int | None) -> str:  # noqa: ARG001 - one form for all units
    text = _trimmed(number, 1 if abs(number) < 10 else 0)
    return f"{text} hour" if text == "1" else f"{text} hours"


def _fixed(number: float, decimals: int) -> str:
    text = f"{number:,.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text  # no '-0.0'


def _trimmed(number: float, decimals: int) -> str:
    text = _fixed(number, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _money(number: float, currency: str | None, decimals: int | None) -> str:
    if decimals is None:
        decimals = 2 if abs(number) < _CENTS_BELOW and round(number, 2) != round(number) else 0
    text = _fixed(abs(number), decimals)
    sign = "-" if number < 0 and text.strip("0.,") else ""
    return f"{sign}{currency} {text}" if currency else f"{sign}{text}"


def _probability(number: float, decimals: int | None) -> str:  # noqa: ARG001 - one form for all units
    if number < 0.001:
        return "< 0.001"
    return _trimmed(number, 3 if number < 0.1 else 2)


_FORMS: dict[Unit, Callable[[float, int | None], str]] = {
    Unit.PERCENT: _percent,
    Unit.MULTIPLE: _multiple,
    Unit.RATIO: _ratio,
    Unit.DAYS: _days,
    Unit.HOURS: _hours,
    Unit.PROBABILITY: _probability,
}
"""Units that are not counted; every finding shows some twenty values, so the unit is looked up and not searched."""
