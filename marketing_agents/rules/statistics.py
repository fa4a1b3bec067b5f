"""The statistics that rules use, as functions of arrays. A missing input (NaN) gives a missing result; so does an impossible one.

All take and return float64 arrays (or scalars) of one shape. Counts may be fractional: data-driven attribution splits conversions, so
the tails are the incomplete gamma and beta functions, which agree with the sums at whole numbers and run smoothly between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

MAD_TO_SIGMA = 1.4826
"""1 / (the 75th percentile of the standard normal): makes a MAD comparable with a standard deviation."""
MAD_FLOOR_SHARE = 0.10
"""A MAD below this share of the median counts as this share: without it any wiggle of a flat series is an anomaly."""
Z_95 = 1.959963984540054
"""97.5th percentile of the standard normal."""


def _where(condition: npt.NDArray[np.bool_], value: Numbers) -> Numbers:
    """`value` where the condition holds, else missing."""
    import numpy as np

    return np.where(condition, value, np.nan)


def only_probabilities(values: Numbers) -> Numbers:
    """`values`, missing where they are not between 0 and 1."""
    return _where((values >= 0) & (values <= 1), values)


def normal_cdf(z: Numbers) -> Numbers:
    """P(Z <= z) for a standard normal variable."""
    import numpy as np
    from scipy.special import ndtr

    return np.asarray(ndtr(z))


def poisson_cdf(events: Numbers, mean: Numbers) -> Numbers:
    """P(X <= events) for a Poisson variable. Q(k + 1, mean), Abramowitz and Stegun 26.4.21."""
    from scipy.special import gammaincc

    ok = (events >= 0) & (mean >= 0)
    return _where(ok, gammaincc(_where(ok, events) + 1.0, mean))


def poisson_sf(events: Numbers, mean: Numbers) -> Numbers:
    """P(X > events) for a Poisson variable (accurate in the far tail, where 1 - cdf is not)."""
    from scipy.special import gammainc

    ok = (events >= 0) & (mean >= 0)
    return _where(ok, gammainc(_where(ok, events) + 1.0, mean))


def binomial_cdf(successes: Numbers, trials: Numbers, share: Numbers) -> Numbers:
    """P(X <= successes) of a binomial variable. I_{1-p}(n - k, k + 1), Abramowitz and Stegun 26.5.24."""
    import numpy as np
    from scipy.special import betainc

    ok = (successes >= 0) & (trials >= successes) & (share >= 0) & (share <= 1)
    inside = ok & (successes < trials)
    value = betainc(np.where(inside, trials - successes, 1.0), np.where(inside, successes + 1.0, 1.0), np.where(inside, 1.0 - share, 0.5))
    return _where(ok, np.where(successes >= trials, 1.0, value))


def binomial_sf(successes: Numbers, trials: Numbers, share: Numbers) -> Numbers:
    """P(X > successes) of a binomial variable."""
    import numpy as np
    from scipy.special import betainc

    ok = (successes >= 0) & (trials >= successes) & (share >= 0) & (share <= 1)
    inside = ok & (successes < trials)
    value = betainc(np.where(inside, successes + 1.0, 1.0), np.where(inside, trials - successes, 1.0), np.where(inside, share, 0.5))
    return _where(ok, np.where(successes >= trials, 0.0, value))


def poisson_rates_p(events_1: Numbers, exposure_1: Numbers, events_2: Numbers, exposure_2: Numbers) -> Numbers:
    """One-sided p that rate 1 is above rate 2: given the total, events 1 are binomial with share exposure_1 / total exposure.

    Exact conditional test of two Poisson rates (Przyborowski and Wilenski 1940): P(X >= events_1). No events at all give 1.
    """
    import numpy as np
    from scipy.special import betainc

    total = events_1 + events_2
    exposure = exposure_1 + exposure_2
    ok = (events_1 >= 0) & (events_2 >= 0) & (exposure_1 > 0) & (exposure_2 > 0)
    share = np.where(ok, exposure_1, 1.0) / np.where(ok, exposure, 2.0)
    inside = ok & (events_1 > 0)
    # P(X >= k) = I_p(k, n - k + 1)
    value = betainc(np.where(inside, events_1, 1.0), np.where(inside, total - events_1 + 1.0, 1.0), share)
    return _where(ok, np.where(events_1 > 0, value, 1.0))


def rate_ratio_p(successes_a: Numbers, exposure_a: Numbers, successes_b: Numbers, exposure_b: Numbers) -> Numbers:
    """One-sided conditional binomial p-value that rate a exceeds rate b: `scipy.stats.binom.sf(a - 1, a + b, share of a's exposure)`.

    The C-test of Krishnamoorthy and Thomson 2004, section 2, for a ratio of 1: `poisson_rates_p` under the names of a rate ratio.
    """
    return poisson_rates_p(successes_a, exposure_a, successes_b, exposure_b)


def two_proportion_z(successes_1: Numbers, trials_1: Numbers, successes_2: Numbers, trials_2: Numbers) -> Numbers:
    """Pooled two-proportion z (positive when share 1 is higher). 0 when neither or all succeed; missing without trials.

    Fleiss, Statistical Methods for Rates and Proportions, 2.2, without continuity correction.
    """
    import numpy as np

    ok = (trials_1 > 0) & (trials_2 > 0) & (successes_1 >= 0) & (successes_2 >= 0) & (successes_1 <= trials_1) & (successes_2 <= trials_2)
    n_1, n_2 = np.where(ok, trials_1, 1.0), np.where(ok, trials_2, 1.0)
    pooled = (successes_1 + successes_2) / (n_1 + n_2)
    variance = pooled * (1.0 - pooled) * (1.0 / n_1 + 1.0 / n_2)
    has_spread = ok & (variance > 0)
    z = (successes_1 / n_1 - successes_2 / n_2) / np.sqrt(np.where(has_spread, variance, 1.0))
    return _where(ok, np.where(has_spread, z, 0.0))


def two_proportion_p(successes_1: Numbers, trials_1: Numbers, successes_2: Numbers, trials_2: Numbers) -> Numbers:
    """Two-sided p-value of `two_proportion_z`."""
    import numpy as np
    from scipy.special import ndtr

    return np.asarray(2.0 * ndtr(-np.abs(two_proportion_z(successes_1, trials_1, successes_2, trials_2))))


def wilson_low(successes: Numbers, trials: Numbers) -> Numbers:
    """Lower bound of the 95 % Wilson score interval of a share (Wilson 1927)."""
    centre, half = _wilson(successes, trials)
    import numpy as np

    return np.maximum(centre - half, 0.0)


def wilson_high(successes: Numbers, trials: Numbers) -> Numbers:
    """Upper bound of the 95 % Wilson score interval of a share (Wilson 1927)."""
    centre, half = _wilson(successes, trials)
    import numpy as np

    return np.minimum(centre + half, 1.0)


def _wilson(successes: Numbers, trials: Numbers) -> tuple[Numbers, Numbers]:
    import numpy as np

    ok = (trials > 0) & (successes >= 0) & (successes <= trials)
    n = np.where(ok, trials, 1.0)
    share = np.where(ok, successes, 0.0) / n
    scale = 1.0 + Z_95**2 / n
    centre = (share + Z_95**2 / (2.0 * n)) / scale
    half = Z_95 * np.sqrt(share * (1.0 - share) / n + Z_95**2 / (4.0 * n**2)) / scale
    return _where(ok, centre), half


def robust_z(value: Numbers, median: Numbers, mad: Numbers) -> Numbers:
    """(value - median) / (1.4826 MAD), the MAD not below 10 % of the median (Iglewicz and Hoaglin 1993, with the floor of rules.md)."""
    import numpy as np

    spread = MAD_TO_SIGMA * np.maximum(mad, MAD_FLOOR_SHARE * np.abs(median))
    return _where(spread > 0, (value - median) / np.where(spread > 0, spread, 1.0))


def false_discovery_control(p_values: Numbers, families: Integers) -> tuple[Numbers, Integers]:
    """Benjamini-Hochberg adjusted p-values within each family, and the size of the family; NaN are no tests and stay NaN.

    `scipy.stats.false_discovery_control` (Benjamini and Hochberg 1995) for many families at once. The result of a family does not depend on
    which others are computed with it, to the last bit: a backfill must say what single days say.
    """
    import numpy as np

    adjusted = np.full(p_values.shape, np.nan)
    sizes = np.bincount(families[~np.isnan(p_values)], minlength=int(families.max(initial=0)) + 1)
    tests = np.flatnonzero(~np.isnan(p_values))
    if len(tests):
        order = tests[np.lexsort((p_values[tests], families[tests]))]
        family = families[order]
        starts = np.flatnonzero(np.diff(family, prepend=family[0] - 1))
        rank = np.arange(1, len(order) + 1) - np.repeat(starts, np.diff(starts, append=len(order)))
        values = p_values[order] * (sizes[family] / rank)
        # The smallest of the values from each rank on, within the family: by doubling strides, without a loop over families.
        stride = 1
        while stride < len(order):
            same = family[:-stride] == family[stride:]
            if not same.any():
                break
            values[:-stride] = np.where(same, np.minimum(values[:-stride], values[stride:]), values[:-stride])
            stride *= 2
        adjusted[order] = np.minimum(values, 1.0)
    return adjusted, sizes[families]
