"""Which input tables were there on a day: built from the ingestion log, read by the first data gate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from marketing_agents.days import EPISODE_DAYS, LocalDay, by_advertiser

if TYPE_CHECKING:
    from marketing_agents.warehouse.store import SliceVersion


@dataclass(frozen=True)
class InputAvailability:
    """`loaded`: tables that have a version of the day itself, known on that day. `first_loaded`: (advertiser, table) -> first day ever."""

    loaded: Mapping[LocalDay, frozenset[str]]
    first_loaded: Mapping[tuple[str, str], date]

    def never_loaded(self, day: LocalDay, tables: Iterable[str]) -> tuple[str, ...]:
        """Of `tables`, those without any version up to the day, in the given order."""
        return tuple(table for table in tables if self.first_loaded.get((day.advertiser_id, table), date.max) > day.day)

    def not_loaded(self, day: LocalDay, tables: Iterable[str]) -> tuple[str, ...]:
        """Of `tables`, those that were loaded before but have no version of this day."""
        present = self.loaded.get(day, frozenset())
        return tuple(
            table for table in tables if table not in present and self.first_loaded.get((day.advertiser_id, table), date.max) <= day.day
        )


def availability(log: Iterable[SliceVersion], days: Sequence[LocalDay]) -> InputAvailability:
    """What was loaded on the asked days and in their episode windows.

    `log` should reach back as far as the look-back of the data, so that "never loaded" means never. A version counts for its day only when
    it was known on that day (`as_of` <= day), so that a replay sees what the run saw.
    """
    wanted: set[LocalDay] = set()
    for advertiser_id, asked in by_advertiser(days).items():
        for last in asked:
            wanted.update(LocalDay(advertiser_id, last - timedelta(days=back)) for back in range(EPISODE_DAYS + 1))
    loaded: dict[LocalDay, set[str]] = defaultdict(set)
    first: dict[tuple[str, str], date] = {}
    for version in log:
        if version.as_of > version.date:
            continue
        key = (version.advertiser_id, version.table)
        first[key] = min(first.get(key, date.max), version.date)
        day = LocalDay(version.advertiser_id, version.date)
        if day in wanted:
            loaded[day].add(version.table)
    return InputAvailability({day: frozenset(tables) for day, tables in loaded.items()}, first)
