"""The estimate: a line through this instance's own runs, and what it says about new ones."""

from __future__ import annotations

import pytest

from marketing_agents.operations.estimate import PastRun, RunCost, in_words, run_cost, wall_time_s


def test_nothing_on_record_is_no_estimate():
    assert run_cost([]) is None
    assert run_cost([PastRun(0, 12.0)]) is None


def test_runs_on_a_line_give_the_line():
    cost = run_cost([PastRun(n, 10 + 0.5 * n) for n in (1, 4, 10, 30)])
    assert cost is not None
    assert (cost.fixed_s, cost.each_s, cost.runs) == (pytest.approx(10), pytest.approx(0.5), 4)


def test_odd_runs_and_frequent_sizes_pull_nothing():
    mornings = [PastRun(1, 10.5)] * 50
    others = [PastRun(n, 10 + 0.5 * n) for n in (4, 10, 20, 30)]
    cost = run_cost([*mornings, *others, PastRun(1, 900.0), PastRun(30, 25.0), PastRun(30, 2000.0)])
    assert cost is not None
    assert (cost.fixed_s, cost.each_s) == (pytest.approx(10), pytest.approx(0.5))


def test_with_few_sizes_the_median_per_partition_is_taken():
    cost = run_cost([PastRun(1, 12.0), PastRun(2, 20.0), PastRun(2, 28.0)])
    assert cost == RunCost(0.0, 12.0, 3)


@pytest.mark.parametrize("past", [[PastRun(1, 50), PastRun(10, 30), PastRun(30, 10)], [PastRun(10, 1), PastRun(20, 100), PastRun(30, 200)]])
def test_no_part_of_the_cost_is_negative(past):
    cost = run_cost(past)
    assert cost is not None
    assert cost.fixed_s >= 0
    assert cost.each_s >= 0


@pytest.mark.parametrize(
    ("sizes", "parallel", "expected"),
    [
        ([30], 4, 25.0),
        ([30, 30, 30], 1, 75.0),
        ([30, 30, 30], 2, 50.0),
        ([30, 30, 30], 3, 25.0),
        ([30, 10, 10], 2, 30.0),
    ],
)
def test_runs_go_side_by_side_as_far_as_the_instance_lets_them(sizes, parallel, expected):
    assert wall_time_s(sizes, RunCost(10, 0.5, 9), parallel=parallel) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("seconds", "words"), [(3, "10 s"), (44, "40 s"), (89, "90 s"), (120, "2 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")]
)
def test_times_in_words(seconds, words):
    assert in_words(seconds) == words
