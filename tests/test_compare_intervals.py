"""How far two samples are apart: against scipy, published figures, and every case there is of small ones."""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import comb, inf

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from reports.compare_intervals import (
    Sample,
    less,
    means,
    medians,
    middle,
    paired_means,
    paired_medians,
    paired_shares,
    shares,
    shift,
    shift_rank,
    sign_rank,
    together,
)

FIRST = [3.1, 4.7, 2.2, 5.9, 4.4, 3.8, 6.1, 2.9]
SECOND = [4.0, 4.9, 3.9, 5.5, 6.6, 4.1, 8.3, 3.3]


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_paired_means_are_those_of_scipy(confidence: float) -> None:
    found = paired_means(FIRST, SECOND, confidence)
    truth = scipy.stats.ttest_rel(SECOND, FIRST).confidence_interval(confidence)
    assert found.interval == pytest.approx((truth.low, truth.high))
    assert found.value == pytest.approx(np.mean(SECOND) - np.mean(FIRST))


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_independent_means_are_those_of_welch_in_scipy(confidence: float) -> None:
    found = means(FIRST, SECOND[:5], confidence)
    truth = scipy.stats.ttest_ind(SECOND[:5], FIRST, equal_var=False).confidence_interval(confidence)
    assert found.interval == pytest.approx((truth.low, truth.high))


def test_means_without_spread_or_of_one_run() -> None:
    assert means([2.0] * 6, [3.0] * 9, 0.95) == (1.0, (1.0, 1.0))
    assert means([2.0] * 5, [3.0] * 9, 0.95) == (1.0, None)
    assert means([2.0, 2.0], [2.0, 2.0], 0.95) == (0.0, (0.0, 0.0))
    assert means([2.0], [3.0, 3.0], 0.95) == (1.0, None)


@pytest.mark.parametrize("first", [[0.0] * 6, [0.1, 0.12, 0.08, 0.13, 0.09, 0.11]], ids=["none", "rounded"])
def test_pairs_that_are_all_as_far_apart_take_as_many_runs_as_the_sign_test(first: list[float]) -> None:
    second = [value + 0.05 for value in first]
    assert paired_means(first[:5], second[:5], 0.95).interval is None
    assert paired_means(first, second, 0.95).interval == pytest.approx((0.05, 0.05))
    assert paired_means(first[:2], first[:2], 0.95) == (0.0, (0.0, 0.0))


@given(st.floats(0.001, 1e6), st.integers(2, 60), st.integers(2, 60))
def test_samples_that_are_all_one_value_are_not_apart_by_how_their_sums_are_rounded(
    value: float, first: int, second: int
) -> None:
    assert means([value] * first, [value] * second, 0.95) == (0.0, (0.0, 0.0))


@given(st.integers(1, 60), st.sampled_from([0.9, 0.95, 0.999]))
def test_the_rank_of_the_sign_test_is_that_of_the_binomial(runs: int, confidence: float) -> None:
    fits = [
        rank
        for rank in range(1, runs // 2 + 1)
        if 2 * scipy.stats.binom.cdf(rank - 1, runs, 0.5) <= 1 - confidence + 1e-15
    ]
    assert sign_rank(runs, confidence) == max(fits, default=None)


def test_paired_medians_by_hand() -> None:
    # 6 pairs: the chance that all lie on one side is 2/64 = 3.1 %, so all six are the interval
    assert paired_medians([0.0] * 6, [1.0, 5.0, 2.0, 3.0, 8.0, 4.0], 0.95) == (3.5, (1.0, 8.0))
    assert paired_medians([0.0] * 5, [1.0, 5.0, 2.0, 3.0, 8.0], 0.95) == (3.0, None)


def test_never_is_the_longest_and_not_apart_from_never() -> None:
    assert less(inf, inf) == 0
    assert less(inf, 5.0) == inf
    assert less(5.0, inf) == -inf
    assert middle([-inf, inf]) == 0
    assert paired_medians([1.0, inf] * 3, [inf, inf] * 3, 0.95).interval == (0.0, inf)


def test_independent_shares_are_those_of_newcombe() -> None:
    """His example: 56 of 70 and 48 of 80 (Statistics in Medicine 17, 1998, p. 873 ff., method 10)."""
    found = shares((48, 80), (56, 70), 0.95)
    assert found.value == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_without_correlation_pairs_are_as_independent_shares() -> None:
    pairs = [(x, y) for x, y, count in ((1, 1, 1), (1, 0, 3), (0, 1, 3), (0, 0, 9)) for _ in range(count)]
    assert paired_shares([(bool(x), bool(y)) for x, y in pairs], 0.95) == shares((4, 16), (4, 16), 0.95)


@pytest.mark.parametrize("chances", [(0.3, 0.3, 0.1, 0.3), (0.05, 0.05, 0.1, 0.8), (0.6, 0.05, 0.2, 0.15)])
def test_paired_shares_are_covered_as_often_as_promised(chances: tuple[float, ...]) -> None:
    """Every table of 20 pairs with its chance; Newcombe's means are above 94 %."""
    runs, true, covered = 20, chances[2] - chances[1], 0.0
    for table in product(range(runs + 1), repeat=3):
        if sum(table) > runs:
            continue
        counts = (*table, runs - sum(table))
        both, first, second, neither = counts
        pairs = [(True, True)] * both + [(True, False)] * first + [(False, True)] * second + [(False, False)] * neither
        interval = paired_shares(pairs, 0.95).interval
        assert interval is not None
        if interval[0] <= true <= interval[1]:
            covered += scipy.stats.multinomial.pmf(counts, runs, chances)
    assert covered > 0.94


def test_independent_medians_are_covered_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        first, second = rng.exponential(size=25).tolist(), (2 * rng.exponential(size=40)).tolist()
        interval = medians(first, second, 0.95).interval
        assert interval is not None
        hits += interval[0] <= math.log(2) <= interval[1]
    assert hits > 0.95 * 400 - 3 * math.sqrt(400 * 0.95 * 0.05)


def test_an_end_that_is_never_takes_the_ends_as_far_apart_as_they_may_be() -> None:
    one, other = Sample(5.0, (4.0, 6.0)), Sample(inf, (7.0, inf))
    assert together(one, other) == (inf, (1.0, inf))
    assert together(other, one) == (-inf, (-inf, -1.0))
    assert together(other, Sample(5.0, None)).interval is None


VALUES = st.lists(st.one_of(st.integers(0, 20).map(float), st.just(inf)), min_size=1, max_size=12)
NUMBERS = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=12)


@given(VALUES, VALUES)
def test_the_other_way_round_all_signs_change_for_medians(first: list[float], second: list[float]) -> None:
    for method in (medians, lambda x, y, _: shift(x, y, 0.01)):
        _are_mirrored(method(first, second, 0.9), method(second, first, 0.9))
    pairs = list(zip(first, second, strict=False))
    one, other = [x for x, _ in pairs], [y for _, y in pairs]
    _are_mirrored(paired_medians(one, other, 0.9), paired_medians(other, one, 0.9))


@given(NUMBERS, NUMBERS)
def test_the_other_way_round_all_signs_change_for_means_and_shares(first: list[float], second: list[float]) -> None:
    _are_mirrored(means(first, second, 0.9), means(second, first, 0.9))
    pairs = list(zip(first, second, strict=False))
    one, other = [x for x, _ in pairs], [y for _, y in pairs]
    _are_mirrored(paired_means(one, other, 0.9), paired_means(other, one, 0.9))
    flags = [(x > 9, y > 9) for x, y in pairs]
    _are_mirrored(paired_shares(flags, 0.9), paired_shares([(y, x) for x, y in flags], 0.9))


def _are_mirrored(found: tuple[float, object], other: tuple[float, object]) -> None:
    assert found[0] == pytest.approx(-other[0])
    assert (found[1] is None) == (other[1] is None)
    if isinstance(found[1], tuple) and isinstance(other[1], tuple):
        assert found[1] == pytest.approx((-other[1][1], -other[1][0]))


# A few nights against a few others


@pytest.mark.parametrize(("first", "second"), [(3, 2), (6, 4), (10, 3), (10, 4)])
@pytest.mark.parametrize("error", [0.1, 0.05, 0.01, 0.0025])
def test_the_rank_of_a_shift_is_that_of_the_exact_test(first: int, second: int, error: float) -> None:
    """The smallest rank sums, as scipy has them, that together have no more than the chance asked for."""
    orders = sum(1 for _ in _orders(first, second))
    wins = [sum(x < y for x in one for y in other) for one, other in _orders(first, second)]
    fits = [rank for rank in range(1, first * second + 1) if sum(w < rank for w in wins) <= error * orders]
    assert shift_rank(first, second, error) == max(fits, default=None)
    if rank := shift_rank(first, second, error):
        one, other = next(pair for pair, won in zip(_orders(first, second), wins, strict=True) if won == rank - 1)
        assert scipy.stats.mannwhitneyu(other, one, alternative="less", method="exact").pvalue <= error


@pytest.mark.parametrize(
    "values", [range(13), [0] * 5 + [1] * 5 + [2] * 3, [0] * 12 + [1]], ids=["all other", "ties", "one"]
)
def test_of_all_orders_of_nights_no_more_are_called_worse_than_promised(values: Sequence[int]) -> None:
    """All 286 ways in which 13 nights can be ten of a baseline and three others: nothing has changed in any."""
    for error in (0.01, 0.05):
        called = 0
        for chosen in combinations(range(13), 3):
            second = [float(values[place]) for place in chosen]
            first = [float(values[place]) for place in range(13) if place not in chosen]
            interval = shift(first, second, error).interval
            called += interval is not None and interval[0] > 0
        assert called <= error * comb(13, 3)
        if values == range(13):
            assert called > 0, "it can be told at all"


def _orders(first: int, second: int) -> Iterator[tuple[list[int], list[int]]]:
    for chosen in combinations(range(first + second), second):
        yield [place for place in range(first + second) if place not in chosen], list(chosen)
