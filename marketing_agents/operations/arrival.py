"""Has an advertiser's day arrived: are its required tables complete for the morning run?

An account is due to have rows of its needed day when it had rows on one of the two days before; which day is needed follows the rule of
`int_evaluated_days`: the latest day that is over in the account's zone and past its settle lag at the morning's nominal instant, never later
than the partition's. So a UTC account of an advertiser in Auckland is not waited for until Auckland's noon, and a closed account not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.ingestion.source import AccountClock, Arrivals
from marketing_agents.warehouse.catalog import INPUT_TABLES

DAYS_BEFORE = 2
"""An account with rows on one of so many days before the needed one is expected to have rows on the needed one."""
WINDOW_DAYS = 7
"""How far back of the partition's day a source is asked: the needed day is at most 4 days earlier (settle lag 72 h, zones 26 h apart)."""
_NAMED_ACCOUNTS = 5


class Account(NamedTuple):
    """A platform account; both None for a table that knows no accounts."""

    platform: str | None
    account_id: str | None


class Arrived:
    """The answer of a source, by advertiser."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._unusable: Mapping[str, str] = arrivals.unusable
        self._days: dict[tuple[str, str], dict[Account, set[date]]] = defaultdict(lambda: defaultdict(set))
        self._zones: dict[tuple[str, Account], tuple[date, str]] = {}
        self._clocks: dict[tuple[str, Account], AccountClock] = {}
        for row in arrivals.days:
            account = Account(row.platform, row.account_id)
            if row.account_id is None and "account_id" in INPUT_TABLES[row.table].by_name:
                continue  # loading will reject it
            self._days[row.advertiser_id, row.table][account].add(row.day)
            if _zone(row.time_zone) is not None:  # the newest counts: an account that moves is judged by where it is
                key = row.advertiser_id, account
                self._zones[key] = max((row.day, str(row.time_zone)), self._zones.get(key, (date.min, "")))
        for clock in arrivals.accounts:
            self._clocks.setdefault((clock.advertiser_id, Account(clock.platform, clock.account_id)), clock)

    def missing(self, advertiser: Advertiser, day: date, instant: datetime) -> tuple[str, ...]:
        """What has not arrived for an advertiser's day, one sentence per table and day; empty when complete.

        `instant`: the morning's nominal instant, never the time of asking, so that every tick judges by the same days.
        """
        return tuple(problem for table in advertiser.required_tables for problem in self._problems(table, advertiser, day, instant))

    def _problems(self, table: str, advertiser: Advertiser, day: date, instant: datetime) -> list[str]:
        if table in self._unusable:
            return [f"{table}: {self._unusable[table]}"]
        accounts = self._days.get((advertiser.id, table), {})
        if not accounts:
            return [f"{table} has no rows of the last {WINDOW_DAYS} days"]
        missing: dict[date, list[Account]] = defaultdict(list)
        has_news = False
        for account, days in sorted(accounts.items(), key=lambda item: tuple(map(str, item[0]))):
            needed = self.needed_day(advertiser, account, day, instant)
            if needed in days:
                has_news = True
            elif any(needed - timedelta(days=n) in days for n in range(1, DAYS_BEFORE + 1)):
                missing[needed].append(account)
        if not missing and not has_news:
            newest = max(max(days) for days in accounts.values())
            return [f"{table} has no rows since {newest}"]
        return [f"{table} has no rows of {needed}{_named(late)}" for needed, late in sorted(missing.items())]

    def needed_day(self, advertiser: Advertiser, account: Account, day: date, instant: datetime) -> date:
        """The latest day of an account that the morning run may use. Zone and settle lag: as listed, else of the rows, else the advertiser's."""
        clock = self._clocks.get((advertiser.id, account))
        _, named = self._zones.get((advertiser.id, account), (day, None))
        zone = _zone(clock.time_zone if clock else None) or _zone(named) or advertiser.zone
        lag = clock.settle_lag_hours if clock else None
        hours = advertiser.settle_lag_hours if lag is None else lag
        return min(day, (instant - timedelta(hours=hours)).astimezone(zone).date() - timedelta(days=1))


def _named(accounts: list[Account]) -> str:
    names = [f"{a.platform} {a.account_id}" for a in accounts if a.account_id is not None]
    if not names:
        return ""
    more = f" and {len(names) - _NAMED_ACCOUNTS} more" if len(names) > _NAMED_ACCOUNTS else ""
    return f" for {', '.join(names[:_NAMED_ACCOUNTS])}{more}"


def _zone(name: str | None) -> ZoneInfo | None:
    """The zone of that name, or None: what an account states may be no zone, which costs it nothing but the better guess."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; names that are paths raise the others
        return None
