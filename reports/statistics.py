"""What a sample of runs says about all runs: intervals at a confidence of 95 %, two-sided, unless asked otherwise."""

from collections.abc import Sequence
from math import ceil, fsum, sqrt
from statistics import NormalDist

from scipy.special import stdtrit

Interval = tuple[float, float]

CONFIDENCE = 0.95


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
