"""The three partition objects and the helpers around them. Used by identity everywhere: equal-looking copies fail at mapping time.

The date is a label, the advertiser's local day; the real window comes from the label and the advertiser's zone, never from
`partition_time_window` (which is UTC midnight to midnight). `end_offset=1` because at 06:00 in Auckland the local yesterday is not over
in UTC yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import dagster as dg

from marketing_agents.days import LocalDay
from marketing_agents.settings import load_settings

ADVERTISER = dg.DynamicPartitionsDefinition(name="advertisers")
# Through the settings, so that a wrong MARKETING_AGENTS_START_DATE is told as every other wrong setting is.
DATE = dg.DailyPartitionsDefinition(start_date=load_settings().start_date.isoformat(), end_offset=1)
ADVERTISER_DATE = dg.MultiPartitionsDefinition({"advertiser": ADVERTISER, "date": DATE})


def chunked(partitions_per_run: int) -> dg.BackfillPolicy:
    """Backfills in runs of several partitions. `BackfillPolicy` is beta; this is the one place that names it."""
    return dg.BackfillPolicy.multi_run(partitions_per_run)


def partition_key(advertiser_id: str, day: date) -> dg.MultiPartitionKey:
    """`acme|2026-11-20`"""
    return dg.MultiPartitionKey({"advertiser": advertiser_id, "date": day.isoformat()})


def local_days(partition_keys: Iterable[str]) -> list[LocalDay]:
    """The (advertiser, day) pairs of a run's partition keys, sorted. Both shapes of chunks come through here.

    Raises:
        ValueError: no key at all. A reversed range expands to nothing in Dagster; going on would be a silent success.
    """
    days = []
    for key in partition_keys:
        advertiser_id, separator, label = str(key).rpartition("|")
        if not separator:
            raise ValueError(f"partition key {key!r} is not of the form advertiser|YYYY-MM-DD")
        days.append(LocalDay(advertiser_id, date.fromisoformat(label)))
    if not days:
        raise ValueError("the run holds no partition; was the range given backwards (end before start)?")
    return sorted(days)
