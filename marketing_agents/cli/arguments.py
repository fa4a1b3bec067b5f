"""Arguments that several commands share: a day, an advertiser."""

from __future__ import annotations

from datetime import date

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.cli.errors import UsageError
from marketing_agents.days import LocalDay
from marketing_agents.settings import Settings


def local_day(settings: Settings, advertiser: str, day: str) -> LocalDay:
    """The partition that the arguments name.

    Raises:
        UsageError: the day is not a date. RegistryError: the advertiser is unknown.
    """
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        raise UsageError(f"--date {day!r} is not a date; write it as YYYY-MM-DD") from None
    load_registry(settings.resolved_advertisers).require(advertiser)
    return LocalDay(advertiser, parsed)
