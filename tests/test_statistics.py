import math
from functools import cache

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from reports.combine import combine
from reports.statistics import (
    mean_interval,
    quantile,
    quantile_interval,
    quantile_ranks,
    quantile_reach,
    runs_for_quantile,
    share_interval,
)
from scenarios.metrics import METRICS

VALUES = st.lists(st.integers(-10_000, 10_000).map(lambda n: n / 8), min_size=2, max_size=40)


@given(VALUES, st.sampled_from([0.9, 0.95, 0.99]))
def test_the_interval_of_a_mean_is_students(values: list[float], confidence: float) -> None:
    interval = mean_interval(values, confidence)
    assert interval is not None
    if min(values) == max(values):
        assert interval == (values[0], values[0])
    else:
        mean, error = scipy.stats.tmean(values), scipy.stats.sem(values)
        expected = scipy.stats.t.interval(confidence, len(values) - 1, loc=mean, scale=error)
        assert interval == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_interval_of_two_values_by_hand() -> None:
    # t of 1 degree of freedom at 97.5 % is 12.706 (any table); mean 2, standard error 1.
    assert mean_interval([1.0, 3.0]) == pytest.approx((2 - 12.706, 2 + 12.706), abs=1e-3)


def test_one_value_has_no_interval_and_equal_values_have_no_width() -> None:
    assert mean_interval([0.3]) is None
    assert mean_interval([0.1] * 7) == (0.1, 0.1)


@given(st.integers(1, 2000).flatmap(lambda runs: st.tuples(st.integers(0, runs), st.just(runs))))
def test_the_interval_of_a_share_is_wilsons(sample: tuple[int, int]) -> None:
    hits, runs = sample
    expected = scipy.stats.binomtest(hits, runs).proportion_ci(0.95, method="wilson")
    assert share_interval(hits, runs) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_73_clean_runs_show_that_95_percent_are_clean_and_72_do_not() -> None:
    assert share_interval(73, 73)[0] >= 0.95 > share_interval(72, 72)[0]


@given(VALUES, st.floats(0.01, 1))
def test_a_quantile_is_the_least_value_that_the_share_stays_within(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert sum(value < found for value in values) < share * len(values)


def test_times_that_never_end_are_the_longest() -> None:
    times = combine(METRICS["recovery_time"], [60.0, math.inf, 120.0])
    assert (times.value, times.never, times.ends) == (120.0, 1, (60.0, math.inf))
    assert combine(METRICS["recovery_time"], [60.0, math.inf]).value == math.inf


def test_an_interval_stays_within_what_is_possible() -> None:
    assert combine(METRICS["asr"], [0.9, 1.0, 1.0]).interval == pytest.approx((0.8232, 1.0), abs=1e-4)
    assert combine(METRICS["blocked_ratio"], [0.0, 0.0, 0.1]).interval == pytest.approx((0.0, 0.1768), abs=1e-4)


def test_runs_without_anything_to_measure_are_counted_apart() -> None:
    combined = combine(METRICS["asa"], [None, 4.0, 6.0, None])
    assert (combined.runs, combined.nothing, combined.value) == (4, 2, 5.0)
    nothing = combine(METRICS["asa"], [None])
    assert (nothing.nothing, nothing.value, nothing.interval) == (1, None, None)


# Quantiles


def chance(low: int, high: int, runs: int, share: float) -> float:
    """Return the chance that from ``low`` to fewer than ``high`` of the runs lie below the quantile."""
    return sum(chances(runs, share)[low:high])


@cache
def chances(runs: int, share: float) -> list[float]:
    """Return the chance of each number of runs below the quantile."""
    return [float(scipy.stats.binom.pmf(below, runs, share)) for below in range(runs + 1)]


@pytest.mark.parametrize("share", [0.05, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("runs", [1, 5, 6, 17, 58, 59, 60, 73, 100])
def test_the_ranks_are_the_nearest_that_cover_the_quantile(runs: int, share: float) -> None:
    """By trying all pairs, with the binomial of other people."""
    pairs = ((low, high) for low in range(1, runs + 1) for high in range(low + 1, runs + 1))
    fitting = {pair: chance(*pair, runs, share) for pair in pairs}
    fitting = {pair: covered for pair, covered in fitting.items() if covered >= 0.95}
    found = quantile_ranks(runs, share)
    if not fitting:
        assert found is None
        return
    assert found is not None
    nearest = min(high - low for low, high in fitting)
    assert found[1] - found[0] == nearest
    assert fitting[found] == pytest.approx(min(fitting[pair] for pair in fitting if pair[1] - pair[0] == nearest))


@pytest.mark.parametrize(
    ("runs", "ranks", "covered"), [(6, (1, 6), 0.9688), (10, (2, 9), 0.9785), (100, (40, 60), 0.954)]
)
def test_the_median_lies_between_the_ranks_that_tables_have(runs: int, ranks: tuple[int, int], covered: float) -> None:
    """Conover's table of the binomial (A3); of 100, ranks 40 and 60 and ranks 41 and 61 are the same by symmetry."""
    found = quantile_ranks(runs, 0.5)
    assert found in (ranks, (ranks[0] + 1, ranks[1] + 1))
    assert chance(*ranks, runs, 0.5) == pytest.approx(covered, abs=5e-4)


def test_the_quantile_of_so_few_runs_has_no_interval() -> None:
    """By hand: 59 values all lie below p95 with a chance of 0.95 to the power of 59, which is 4.85 %."""
    assert [runs_for_quantile(share) for share in (0.05, 0.5, 0.95)] == [59, 6, 59]
    assert quantile_interval([1.0] * 58, 0.95) is None
    assert quantile_interval([1.0] * 59, 0.95) == (1.0, 1.0)
    assert quantile_interval([], 0.5) is None


def test_the_interval_of_a_quantile_may_reach_to_never() -> None:
    times = [float(second) for second in range(1, 98)] + [math.inf] * 3
    assert quantile_interval(times, 0.95) == (90.0, math.inf)
    assert quantile_interval(times, 0.5) in ((40.0, 60.0), (41.0, 61.0))
    assert quantile_interval([math.inf] * 60, 0.95) == (math.inf, math.inf)


def test_who_asks_how_far_an_interval_reaches_is_not_told_that_some_values_lie_close_by_chance() -> None:
    """20 values in the middle are the same; 0.95 and 0.9999 of a normal distribution lie within 1.960 and 3.891."""
    times = [*range(40), *[50] * 20, *range(60, 100)]
    assert quantile_interval(times, 0.5) in ((39, 50), (50, 60))
    low, high = quantile_ranks(100, 0.5, 0.9999) or (0, 0)
    assert chance(low, high, 100, 0.5) >= 0.9999
    assert quantile_reach(times, 0.5) == pytest.approx((times[high - 1] - times[low - 1]) / 2 * 1.960 / 3.891, rel=1e-3)
    assert quantile_reach([math.inf] * 100, 0.5) == 0
    assert quantile_reach([1.0] * 6, 0.5) is None


def test_times_over_the_runs_have_quantiles_and_means_have_none() -> None:
    low, middle, high = combine(METRICS["recovery_time"], [float(second) for second in range(1, 101)]).quantiles
    assert (low.value, middle.value, high.value) == (5.0, 50.5, 95.0)
    assert high.interval == (90.0, 99.0)
    assert combine(METRICS["recovery_time"], [60.0]).quantiles == ()
    assert combine(METRICS["asr"], [0.5, 0.6]).quantiles == ()
    never = combine(METRICS["recovery_time"], [None, math.inf, math.inf, 60.0]).quantiles
    assert [each.value for each in never] == [60.0, math.inf, math.inf]
    assert [each.interval for each in never] == [None, None, None]
