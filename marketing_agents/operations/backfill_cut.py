"""How a set of partitions becomes runs: what Dagster would make of it, and how to ask so that it makes few and none too large.

Dagster cuts a backfill over two dimensions like this (1.13, `partitions/subset/default.py`): it holds constant whichever dimension has fewer distinct
keys in the selection (the date when they are equal), makes one range of each unbroken stretch along the other, and cuts ranges at the size of
the backfill policy. The choice is made for the whole selection: five scattered dates of four advertisers become twenty runs of one
partition, although five runs of four would do. A run costs about ten seconds before its first partition, so a selection is handed over in
several backfills when that saves runs, or when runs must be smaller than the policy makes them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from marketing_agents.days import LocalDay

Run = tuple[LocalDay, ...]
Held = Literal["advertiser", "date"]


def runs_holding(days: Collection[LocalDay], held: Held, order: Sequence[str], size: int) -> list[Run]:
    """One run per unbroken stretch along the other dimension, cut at `size` partitions.

    `order`: advertisers in the order of Dagster's partitions; a stretch along them must be unbroken in it, because a run of several
    partitions is a range between two keys.
    """
    position = {advertiser_id: n for n, advertiser_id in enumerate(order)}

    def place(day: LocalDay) -> tuple[int, int]:
        """(what is held, where along the other dimension)"""
        where, when = position[day.advertiser_id], day.day.toordinal()
        return (where, when) if held == "advertiser" else (when, where)

    stretches: list[list[LocalDay]] = []
    for day in sorted(days, key=place):
        fixed, along = place(day)
        if stretches and place(stretches[-1][-1]) == (fixed, along - 1):
            stretches[-1].append(day)
        else:
            stretches.append([day])
    return [tuple(stretch[start : start + size]) for stretch in stretches for start in range(0, len(stretch), size)]


def dagster_runs(days: Collection[LocalDay], order: Sequence[str], policy_size: int) -> list[Run]:
    """The runs that Dagster makes of one backfill over these days."""
    dates, advertisers = {d.day for d in days}, {d.advertiser_id for d in days}
    return runs_holding(days, "date" if len(dates) <= len(advertisers) else "advertiser", order, policy_size)


def cut(days: Collection[LocalDay], order: Sequence[str], *, size: int, policy_size: int) -> list[list[Run]]:
    """Backfills, each with the runs that Dagster will make of it; no run holds more than `size` partitions.

    The way with the fewest runs and backfills wins: Dagster's own cut of one backfill, or pieces that hold the advertiser, or pieces that hold the
    date. On a tie it is the first of them: one backfill is plainest, and a run of one advertiser reads one look-back.

    Raises:
        ValueError: `size` is larger than `policy_size`, which belongs to the loaded definitions.
    """
    if not 1 <= size <= policy_size:
        raise ValueError(f"runs of {size} partitions cannot be made: the backfill policy cuts at {policy_size}")
    if not days:
        return []
    whole = dagster_runs(days, order, policy_size)
    dimensions: tuple[Held, Held] = ("advertiser", "date")
    pieces = [runs_holding(days, held, order, size) for held in dimensions]
    ways = [[whole]] if all(len(run) <= size for run in whole) else []
    ways += [_packed(_not_end_to_end(runs, order), order, policy_size) for runs in pieces]
    return min(ways, key=lambda backfills: len(backfills) + sum(len(runs) for runs in backfills))


def _not_end_to_end(runs: list[Run], order: Sequence[str]) -> list[Run]:
    """Every other piece of each stretch first, then the rest: Dagster would join pieces that continue each other into larger runs."""
    position = {advertiser_id: n for n, advertiser_id in enumerate(order)}
    first: list[Run] = []
    second: list[Run] = []
    is_second = False
    for n, run in enumerate(runs):
        before, after = runs[n - 1][-1], run[0]
        days_on = (after.day - before.day).days
        is_next = (position[after.advertiser_id] - position[before.advertiser_id], days_on) in {(0, 1), (1, 0)}
        is_second = n > 0 and is_next and not is_second
        (second if is_second else first).append(run)
    return first + second


def _packed(runs: list[Run], order: Sequence[str], policy_size: int) -> list[list[Run]]:
    """The runs in as few backfills as a greedy search finds: each takes as many of the next runs as Dagster would cut in the same way."""

    def is_cut_the_same(first: int, count: int) -> bool:
        together = runs[first : first + count]
        return count == 1 or sorted(dagster_runs([day for run in together for day in run], order, policy_size)) == sorted(together)

    backfills: list[list[Run]] = []
    first = 0
    while first < len(runs):
        left = len(runs) - first
        count = 1
        while count * 2 <= left and is_cut_the_same(first, count * 2):
            count *= 2
        step = count
        while step := step // 2:
            if count + step <= left and is_cut_the_same(first, count + step):
                count += step
        backfills.append(runs[first : first + count])
        first += count
    return backfills
