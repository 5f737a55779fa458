import math

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from reports.combine import combine
from reports.statistics import mean_interval, quantile, share_interval
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
