"""How far apart two samples of runs are, and between what bounds that lies.

`never` is infinite, the longest of all times; two that both never happen are not apart. Every interval has two sides
and the confidence asked for; None where there are too few runs for one.

- Means, run by run with the same callers: Student's t of the differences.
- Means of two independent samples: Welch's t (Welch 1947).
- Of values without any spread both would have an interval of no width, however few they are; it is given from as many
  runs on as the sign test takes.
- Medians, run by run: two of the differences in order, by the sign test (Conover 1999, ch. 3.4), whatever they are
  drawn from.
- Medians of two independent samples, and shares: each sample's own interval, put together by the squares of how far
  each reaches (MOVER: Zou & Donner 2008; for shares Newcombe 1998, method 10, with the correlation of the pairs where
  there are pairs).
- A few nights against a few others: two of all differences in order, by the exact distribution of the rank sum (Mann &
  Whitney 1947; Conover 1999, ch. 5.4).
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from math import comb, fsum, isinf, sqrt
from statistics import median
from typing import NamedTuple

from scipy.special import bdtr, stdtrit

from reports.statistics import Interval, deviation, mean, mean_interval, quantile_interval, share_interval

_ROUNDING = 1e-8
"""Values have nine digits, and so differences that are the same may seem to have a spread beyond them."""


class Apart(NamedTuple):
    """How much more the second sample has than the first."""

    value: float
    interval: Interval | None


class Sample(NamedTuple):
    """A number that is known of one sample, and its own interval."""

    value: float
    interval: Interval | None


def less(second: float, first: float) -> float:
    """Return the second value less the first; never is not apart from never."""
    return 0.0 if first == second else second - first


def middle(values: Sequence[float]) -> float:
    """Return the median; 0 where its two neighbours are never and minus never. Raises StatisticsError without any."""
    found = median(values)
    return 0.0 if math.isnan(found) else found


def paired_means(first: Sequence[float], second: Sequence[float], confidence: float) -> Apart:
    """Compare the means of values that belong together one by one; raises ZeroDivisionError without any."""
    differences = [y - x for x, y in zip(first, second, strict=True)]
    value, far = mean(differences), max(map(abs, (*first, *second)))
    if value and max(differences) - min(differences) <= far * _ROUNDING and not sign_rank(len(differences), confidence):
        return Apart(value, None)
    return Apart(value, mean_interval(differences, confidence))


def paired_medians(first: Sequence[float], second: Sequence[float], confidence: float) -> Apart:
    """Return the median of the differences of values that belong together one by one."""
    differences = sorted(less(y, x) for x, y in zip(first, second, strict=True))
    rank = sign_rank(len(differences), confidence)
    return Apart(middle(differences), _between(differences, rank))


def _between(ordered: Sequence[float], rank: int | None) -> Interval | None:
    return None if rank is None else (ordered[rank - 1], ordered[-rank])


def sign_rank(runs: int, confidence: float) -> int | None:
    """Return which of ``runs`` values in order, from either end, the median lies between; None for too few runs.

    It lies outside when fewer than that many are below it, or above it, each with the binomial chance of a half.
    """
    rank = 0
    while 2 * float(bdtr(rank, runs, 0.5)) <= 1 - confidence:
        rank += 1
    return rank or None


def means(first: Sequence[float], second: Sequence[float], confidence: float) -> Apart:
    """Compare the means of two independent samples; raises ZeroDivisionError where one is empty."""
    value = _mean(second) - _mean(first)
    if min(len(first), len(second)) < 2:
        return Apart(value, None)
    parts = [0.0 if min(values) == max(values) else deviation(values) ** 2 / len(values) for values in (first, second)]
    variance = fsum(parts)
    if variance == 0:
        told = value == 0 or sign_rank(min(len(first), len(second)), confidence) is not None
        return Apart(value, (value, value) if told else None)
    freedom = variance**2 / fsum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True)
    )
    reach = float(stdtrit(freedom, (1 + confidence) / 2)) * sqrt(variance)
    return Apart(value, (value - reach, value + reach))


def _mean(values: Sequence[float]) -> float:
    """Return the mean; of values that are all the same these, of which a sum divided again may be the last bit off."""
    return values[0] if values and min(values) == max(values) else mean(values)


def medians(first: Sequence[float], second: Sequence[float], confidence: float) -> Apart:
    """Compare the medians of two independent samples."""
    one, other = (Sample(middle(values), quantile_interval(values, 0.5, confidence)) for values in (first, second))
    return together(one, other)


def together(first: Sample, second: Sample, correlation: float = 0.0) -> Apart:
    """Compare two numbers that are known with their intervals; ``correlation`` is that of the two samples.

    Where something infinite is among them, their ends are taken as far apart as they may be.
    """
    value = less(second.value, first.value)
    if first.interval is None or second.interval is None:
        return Apart(value, None)
    (low, high), (lower, higher) = first.interval, second.interval
    if any(map(isinf, (value, first.value, low, high, lower, higher))):
        return Apart(value, (less(lower, high), less(higher, low)))
    down, up = second.value - lower, high - first.value
    other_up, other_down = higher - second.value, first.value - low
    return Apart(
        value,
        (
            value - sqrt(max(down**2 + up**2 - 2 * correlation * down * up, 0.0)),
            value + sqrt(max(other_up**2 + other_down**2 - 2 * correlation * other_up * other_down, 0.0)),
        ),
    )


def shares(first: tuple[int, int], second: tuple[int, int], confidence: float) -> Apart:
    """Compare two shares of independent samples, each given as hits and runs."""
    one, other = (_share(hits, runs, confidence) for hits, runs in (first, second))
    return together(one, other)


def paired_shares(pairs: Sequence[tuple[bool, bool]], confidence: float) -> Apart:
    """Compare two shares of the same runs (Newcombe 1998, of paired data, method 10)."""
    runs = len(pairs)
    both, first = sum(x and y for x, y in pairs), sum(x for x, _ in pairs)
    second = sum(y for _, y in pairs)
    neither = runs - first - second + both
    margins = first * (runs - first) * second * (runs - second)
    cross = float(both * neither - (first - both) * (second - both))
    if cross > 0:
        cross = max(cross - runs / 2, 0.0)
    correlation = cross / sqrt(margins) if margins else 0.0
    return together(_share(first, runs, confidence), _share(second, runs, confidence), correlation)


def _share(hits: int, runs: int, confidence: float) -> Sample:
    return Sample(hits / runs, share_interval(hits, runs, confidence) if runs > 1 else None)


def shift(first: Sequence[float], second: Sequence[float], error: float) -> Apart:
    """Compare two small samples that differ by where they lie, if at all; exact, and without assuming a shape.

    The value is the median of all differences (Hodges & Lehmann 1963). When nothing differs, and the order of all runs
    is chance, the interval lies above 0 with a probability of at most ``error``, and below it with the same.
    """
    differences = sorted(less(y, x) for x in first for y in second)
    rank = shift_rank(len(first), len(second), error)
    return Apart(middle(differences), _between(differences, rank))


def shift_rank(first: int, second: int, error: float) -> int | None:
    """Return which of all differences in order, from either end, the interval of a shift begins with; None for none."""
    orders, seen, rank = comb(first + second, second), 0, 0
    for count in _orders(first, second):
        seen += count
        if seen > error * orders:
            break
        rank += 1
    return rank or None


@lru_cache(maxsize=64)
def _orders(first: int, second: int) -> tuple[int, ...]:
    """Return in how many orders of two samples the second is before the first 0, 1, 2 … times, of all their pairs."""
    counts = [1] + [0] * (first * second)
    for size in range(1, second + 1):  # the Gaussian binomial coefficient, factor by factor
        for total in range(first * second, first + size - 1, -1):
            counts[total] -= counts[total - first - size]
        for total in range(size, first * second + 1):
            counts[total] += counts[total - size]
    return tuple(counts)
