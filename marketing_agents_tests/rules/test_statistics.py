"""Statistics against published values, sums by hand, and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from marketing_agents.rules import statistics


def one(function: str, *arguments: float) -> float:
    return float(getattr(statistics, function)(*(np.array([float(argument)]) for argument in arguments))[0])


def poisson_sum(events: int, mean: float) -> float:
    return math.fsum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(events + 1))


def binomial_sum(events: int, trials: int, share: float) -> float:
    return math.fsum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(events + 1))


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        # rules.md section 3: three targets spent without a conversion, exp(-3) = 4.98 %
        ("poisson_cdf", (0, 3), math.exp(-3)),
        ("poisson_cdf", (2, 5), 0.1246520195),  # tables of the Poisson distribution: 0.1247
        ("poisson_cdf", (10, 10), 0.5830397502),
        ("poisson_cdf", (40, 55), poisson_sum(40, 55)),
        ("poisson_cdf", (0, 0), 1.0),
        ("poisson_sf", (2, 5), 1 - 0.1246520195),
        ("poisson_sf", (30, 10), 7.98e-8),  # 1 - cdf would lose these digits
        ("binomial_cdf", (2, 10, 0.5), 56 / 1024),
        ("binomial_cdf", (10, 10, 0.5), 1.0),
        ("binomial_cdf", (7, 23, 0.31), binomial_sum(7, 23, 0.31)),
        ("binomial_sf", (2, 10, 0.5), 968 / 1024),
        ("binomial_sf", (10, 10, 0.5), 0.0),
        # 10 against 2 events at equal exposure: P(X >= 10 of 12) = (66 + 12 + 1) / 4096
        ("poisson_rates_p", (10, 1, 2, 1), 79 / 4096),
        ("poisson_rates_p", (0, 1, 5, 1), 1.0),
        ("poisson_rates_p", (8, 100, 20, 300), 1 - binomial_sum(7, 28, 0.25)),
        # 15 of 100 against 5 of 100: pooled 0.1, se = sqrt(0.09 * 0.02)
        ("two_proportion_z", (15, 100, 5, 100), 0.1 / math.sqrt(0.0018)),
        ("two_proportion_z", (0, 100, 0, 100), 0.0),
        ("two_proportion_p", (15, 100, 5, 100), math.erfc(0.1 / math.sqrt(0.0018) / math.sqrt(2))),
        # Newcombe 1998, table I, 81 of 263 and 0 of 20
        ("wilson_low", (81, 263), 0.2553),
        ("wilson_high", (81, 263), 0.3662),
        ("wilson_low", (0, 20), 0.0),
        ("wilson_high", (0, 20), 0.1611),
        ("wilson_high", (20, 20), 1.0),
        ("robust_z", (160, 100, 20), 60 / (1.4826 * 20)),
        ("robust_z", (160, 100, 0), 60 / (1.4826 * 10)),  # the floor: 10 % of the median
    ],
)
def test_values(function: str, arguments: tuple[float, ...], expected: float) -> None:
    assert one(function, *arguments) == pytest.approx(
        expected,
        rel=3e-3 if function.startswith("wilson") or expected < 1e-6 else 1e-8,
        abs=6e-5 if function.startswith("wilson") else 1e-12,
    )


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("poisson_cdf", (-1, 5)),
        ("poisson_cdf", (math.nan, 5)),
        ("poisson_cdf", (5, -1)),
        ("poisson_sf", (5, math.nan)),
        ("binomial_cdf", (5, 4, 0.5)),
        ("binomial_cdf", (1, 4, 1.5)),
        ("poisson_rates_p", (5, 0, 5, 1)),
        ("two_proportion_z", (0, 0, 5, 10)),
        ("two_proportion_z", (11, 10, 5, 10)),
        ("wilson_low", (1, 0)),
        ("robust_z", (1, 0, 0)),
        ("robust_z", (math.nan, 10, 1)),
    ],
)
def test_the_impossible_is_missing(function: str, arguments: tuple[float, ...]) -> None:
    assert math.isnan(one(function, *arguments))


def test_fractional_conversions_lie_between_whole_ones() -> None:
    low, between, high = (one("poisson_cdf", events, 12.0) for events in (7, 7.4, 8))
    assert low < between < high
