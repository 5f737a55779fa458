"""What a sample of runs says about all runs: intervals at a confidence of 95 %, two-sided, unless asked otherwise."""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, fsum, log, sqrt
from statistics import NormalDist

import numpy as np
from scipy.special import bdtr, betaincinv, stdtrit

Interval = tuple[float, float]

CONFIDENCE = 0.95
AROUND = 0.9999
"""Confidence of the wider interval that says how dense values are around a quantile: about four times as many."""
MOST_RUNS = 100_000
"""As many replications as a drill may ask for."""


def mean(values: Sequence[float]) -> float:
    """Return the mean; the same whatever the order of ``values``. Raises ZeroDivisionError without any."""
    return fsum(values) / len(values)


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """Return Student's interval for the mean of independent values, or None for fewer than two."""
    runs = len(values)
    if runs < 2:
        return None
    if min(values) == max(values):
        return values[0], values[0]
    centre, reach = mean(values), mean_reach(deviation(values), runs, confidence)
    return centre - reach, centre + reach


def mean_reach(spread: float, runs: int, confidence: float = CONFIDENCE) -> float:
    """Return how far Student's interval reaches either way, for ``runs`` values, at least two, of a deviation."""
    return float(stdtrit(runs - 1, (1 + confidence) / 2)) * spread / sqrt(runs)


def runs_needed(spread: float, reach: float) -> int | None:
    """Return how many values of a standard deviation have a 95 % interval of at most ``reach`` either way.

    None when they would be more than :data:`MOST_RUNS`.
    """

    def enough(runs: int) -> bool:
        return mean_reach(spread, runs) <= reach

    if not enough(MOST_RUNS):
        return None
    low, high = 1, MOST_RUNS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of a sample; raises ZeroDivisionError for fewer than two values."""
    centre = mean(values)
    return sqrt(fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


def share_interval(hits: int, runs: int, confidence: float = CONFIDENCE) -> Interval:
    """Return Wilson's score interval for a share of which ``hits`` of ``runs`` were seen (Wilson 1927).

    Raises ZeroDivisionError when there were no runs.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / runs
    scale = 1 + z * z / runs
    centre = (share + z * z / (2 * runs)) / scale
    reach = z * sqrt(share * (1 - share) / runs + z * z / (4 * runs * runs)) / scale
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of ``values`` stay within: one of them, so that infinite ones may be among them.

    Raises IndexError without any.
    """
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered) - 1e-9), 1) - 1]


def most_share(hits: int, runs: int, confidence: float = CONFIDENCE) -> float:
    """Return the most that a share can be of which ``hits`` of ``runs`` were seen: the upper end of the exact interval.

    Of a two-sided interval, so that the chance of being above it is half of what ``confidence`` leaves (Clopper &
    Pearson 1934). With no hits it is the rule of three, which is 3.7 two-sided.
    """
    return 1.0 if hits == runs else float(betaincinv(hits + 1, runs - hits, (1 + confidence) / 2))


def runs_without(share: float, confidence: float = CONFIDENCE) -> int:
    """Return in how many runs without a hit :func:`most_share` is at most ``share``, above 0 and below 1."""
    return ceil(log((1 - confidence) / 2) / log(1 - share) - 1e-9)


@lru_cache(maxsize=256)
def quantile_ranks(runs: int, share: float, confidence: float = CONFIDENCE) -> tuple[int, int] | None:
    """Return which of ``runs`` values in order, counted from 1, a quantile lies between, whatever they are drawn from.

    The number of values below the quantile is binomial (Conover 1999, ch. 3.2; Hahn & Meeker 1991, ch. 5): of all pairs
    of ranks that cover it with at least the confidence asked, those that are the fewest ranks apart, and of these the
    pair that covers it no more than it has to. None where there are too few runs for any.
    """
    below = np.concatenate(([0.0], bdtr(np.arange(runs + 1), runs, share)))  # below[k]: fewer than k
    low = np.arange(1, runs + 1)
    high = np.searchsorted(below, confidence + below[low])
    fits = high <= runs
    if not fits.any():
        return None
    low, high = low[fits], high[fits]
    shortest = high - low == (high - low).min()
    low, high = low[shortest], high[shortest]
    best = (below[high] - below[low]).argmin()
    return int(low[best]), int(high[best])


def quantile_interval(values: Sequence[float], share: float, confidence: float = CONFIDENCE) -> Interval | None:
    """Return two of ``values`` that a quantile of independent runs lies between; infinite ones count as they are.

    None where there are too few: see :func:`runs_for_quantile`.
    """
    ranks = quantile_ranks(len(values), share, confidence) if values else None
    if ranks is None:
        return None
    ordered = sorted(values)
    return ordered[ranks[0] - 1], ordered[ranks[1] - 1]


def quantile_reach(values: Sequence[float], share: float, confidence: float = CONFIDENCE) -> float | None:
    """Return how far the interval of a quantile reaches: half its width, or more where chance made it narrow.

    A few values may lie close together by chance, and who stops when they do has an interval that covers too little. So
    the width is told as well by an interval of :data:`AROUND`, shrunk as that of a normal mean would be, and the larger
    of both counts. Infinite where an end is never; None where there are too few values.
    """
    near, around = quantile_interval(values, share, confidence), quantile_interval(values, share, AROUND)
    if near is None or around is None:
        return None
    shrunk = NormalDist().inv_cdf((1 + confidence) / 2) / NormalDist().inv_cdf((1 + AROUND) / 2)
    return max(_half(near), _half(around) * shrunk)


def _half(interval: Interval) -> float:
    """Return half a width; never is not apart from never."""
    low, high = interval
    return 0.0 if low == high else (high - low) / 2


def runs_for_quantile(share: float, confidence: float = CONFIDENCE) -> int:
    """Return the fewest runs that give an interval for a quantile: 59 for p95, 6 for the median."""
    runs = 1
    while 1 - share**runs - (1 - share) ** runs < confidence:
        runs += 1
    return runs
