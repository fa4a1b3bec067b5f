"""Runs: as Dagster makes them, never too large, every partition in exactly one."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketing_agents.days import LocalDay
from marketing_agents.operations.backfill_cut import cut, dagster_runs

FIRST = date(2026, 3, 1)
ADVERTISERS = [f"a{n}" for n in range(7)]


def day(advertiser: int, n: int) -> LocalDay:
    return LocalDay(f"a{advertiser}", FIRST + timedelta(days=n))


def rectangle(advertisers: int, days: int) -> list[LocalDay]:
    return [day(a, n) for a in range(advertisers) for n in range(days)]


def sizes(runs) -> list[int]:
    return sorted(len(run) for run in runs)


SELECTIONS = {
    "three advertisers, thirty days": (rectangle(3, 30), 30, [30, 30, 30]),
    "three advertisers, thirty days, small policy": (rectangle(3, 30), 20, [10, 10, 10, 20, 20, 20]),
    "one date, all": (rectangle(7, 1), 30, [7]),
    "as many dates as advertisers: the date is held": (rectangle(3, 3), 30, [3, 3, 3]),
    "five scattered dates of four advertisers: one by one": ([day(a, n) for a in range(4) for n in (0, 2, 4, 6, 8)], 30, [1] * 20),
    "five scattered dates of six advertisers": ([day(a, n) for a in range(6) for n in (0, 2, 4, 6, 8)], 30, [6] * 5),
    "a hole among the advertisers": ([day(a, 0) for a in (0, 1, 3)], 30, [1, 2]),
}


@pytest.mark.parametrize(("days", "policy", "expected"), SELECTIONS.values(), ids=SELECTIONS)
def test_dagsters_own_cut(days, policy, expected):
    assert sizes(dagster_runs(days, ADVERTISERS, policy)) == expected


any_selection = st.sets(st.builds(day, st.integers(0, 6), st.integers(0, 20)), min_size=1, max_size=60)


@given(any_selection)
@settings(max_examples=40, deadline=None)
def test_the_cut_is_told_as_dagster_computes_it(days):
    """Dagster's own partition sets, asked for their ranges."""
    partitions = dg.MultiPartitionsDefinition(
        {
            "advertiser": dg.StaticPartitionsDefinition(ADVERTISERS),
            "date": dg.DailyPartitionsDefinition(FIRST.isoformat(), end_date=(FIRST + timedelta(days=25)).isoformat()),
        }
    )
    subset = partitions.subset_with_partition_keys([d.key for d in days])
    theirs = {(str(r.start), str(r.end)) for r in subset.get_partition_key_ranges(partitions)}
    assert theirs == {(run[0].key, run[-1].key) for run in dagster_runs(days, ADVERTISERS, policy_size=1000)}


@given(any_selection, st.integers(1, 30), st.integers(0, 30))
@settings(max_examples=200, deadline=None)
def test_every_partition_is_in_exactly_one_run_and_no_run_is_too_large(days, size, more):
    backfills = cut(days, ADVERTISERS, size=size, policy_size=size + more)
    runs = [run for backfill in backfills for run in backfill]
    assert Counter(d for run in runs for d in run) == Counter(days)
    assert max(len(run) for run in runs) <= size
    for backfill in backfills:
        assert sorted(dagster_runs([d for run in backfill for d in run], ADVERTISERS, size + more)) == sorted(backfill)


@given(any_selection, st.integers(1, 30))
@settings(max_examples=200, deadline=None)
def test_never_more_runs_than_dagster_would_make_of_one_backfill(days, policy):
    ours = sum(len(backfill) for backfill in cut(days, ADVERTISERS, size=policy, policy_size=policy))
    assert ours <= len(dagster_runs(days, ADVERTISERS, policy))


def test_scattered_dates_are_handed_over_so_that_dagster_holds_the_date():
    backfills = cut([day(a, n) for a in range(4) for n in (0, 2, 4, 6, 8)], ADVERTISERS, size=30, policy_size=30)
    assert [sizes(backfill) for backfill in backfills] == [[4, 4, 4, 4], [4]]


def test_smaller_chunks_come_as_backfills_of_pieces_that_do_not_touch():
    backfills = cut(rectangle(3, 30), ADVERTISERS, size=10, policy_size=30)
    assert [sizes(backfill) for backfill in backfills] == [[10] * 6, [10] * 3]


def test_a_plain_rectangle_is_one_backfill():
    assert len(cut(rectangle(3, 30), ADVERTISERS, size=30, policy_size=30)) == 1


def test_nothing_is_nothing():
    assert cut([], ADVERTISERS, size=30, policy_size=30) == []


def test_runs_larger_than_the_policy_cannot_be_made():
    with pytest.raises(ValueError, match="policy cuts at 30"):
        cut(rectangle(1, 1), ADVERTISERS, size=31, policy_size=30)
