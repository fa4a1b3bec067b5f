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
        # published quantiles of the standard normal
        ("normal_cdf", (-1.959963984540054,), 0.025),
        ("normal_cdf", (2.3263478740408408,), 0.99),
        ("normal_cdf", (0,), 0.5),
        # 10 against 2 events at equal exposure: P(X >= 10 of 12) = (66 + 12 + 1) / 4096
        ("poisson_rates_p", (10, 1, 2, 1), 79 / 4096),
        ("poisson_rates_p", (0, 1, 5, 1), 1.0),
        ("poisson_rates_p", (8, 100, 20, 300), 1 - binomial_sum(7, 28, 0.25)),
        ("rate_ratio_p", (10, 1, 2, 1), 79 / 4096),
        # the clover seeds of scipy's `poisson_means_test`: 3 dodder seeds against none in equal samples, (1 / 2) ** 3
        ("rate_ratio_p", (3, 100, 0, 100), 0.125),
        ("rate_ratio_p", (0, 1, 5, 1), 1.0),
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
        ("rate_ratio_p", (5, 1, 5, 0)),
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


def test_rate_ratio_p_is_the_upper_tail_of_the_conditional_binomial() -> None:
    """Against `scipy.stats.binom.sf`, row by row, on counts from none to thousands."""
    from scipy.stats import binom

    random = np.random.default_rng(7)
    successes_a, successes_b = random.integers(0, 4000, 500).astype(float), random.integers(0, 4000, 500).astype(float)
    exposure_a, exposure_b = random.uniform(0.1, 1e6, 500), random.uniform(0.1, 1e6, 500)
    expected = binom.sf(successes_a - 1, successes_a + successes_b, exposure_a / (exposure_a + exposure_b))
    np.testing.assert_allclose(statistics.rate_ratio_p(successes_a, exposure_a, successes_b, exposure_b), expected, rtol=1e-9, atol=1e-300)


def test_rate_ratio_p_lies_near_the_unconditional_e_test() -> None:
    """The conditional test is the more careful one: never far from scipy's E-test (Krishnamoorthy and Thomson 2004), rarely below it."""
    from scipy.stats import poisson_means_test

    for a, exposure_a, b, exposure_b in ((10, 1, 2, 1), (30, 100, 45, 300), (60, 17, 28, 11), (8, 100, 20, 300)):
        e_test = poisson_means_test(a, exposure_a, b, exposure_b, alternative="greater").pvalue
        p_value = one("rate_ratio_p", a, exposure_a, b, exposure_b)
        assert e_test <= p_value < 1.8 * e_test
