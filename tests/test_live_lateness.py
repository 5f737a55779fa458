"""How late the generator was, against the sorted list of all that it was late."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.live.lateness import LIMIT, Lateness

STEP = 2**0.5
FINEST = 0.0001

lateness = st.lists(st.floats(0.0, 70.0), min_size=1, max_size=200)


def counted(values: list[float]) -> Lateness:
    counts = Lateness()
    for value in values:
        counts.late(value)
    return counts


@given(lateness, st.floats(0.001, 1.0))
def test_a_quantile_is_that_of_the_sorted_list_to_the_width_of_a_class(values: list[float], share: float) -> None:
    ordered = sorted(values)
    # The sum of shares is rounded: a share that falls between two values may be either's.
    exact = share * len(values)
    low, high = (ordered[max(ceil(exact * by), 1) - 1] for by in (1 - 1e-9, 1))
    told = counted(values).quantile(share)
    assert low <= told <= max(high * STEP * 1.0001, FINEST * STEP)
    assert told <= ordered[-1]


@given(lateness)
def test_the_worst_is_exact_and_no_quantile_is_above_it(values: list[float]) -> None:
    counts = counted(values)
    assert counts.worst == max(values) == counts.quantile(1.0)
    shares = [counts.quantile(k / 20) for k in range(1, 21)]
    assert shares == sorted(shares)


def test_what_is_later_than_all_classes_counts_as_the_worst() -> None:
    counts = counted([0.0] * 98 + [300.0, 1000.0])
    assert counts.quantile(0.5) <= FINEST
    assert counts.quantile(0.99) == counts.quantile(1.0) == 1000.0


def test_nothing_was_late_where_nothing_happened() -> None:
    assert Lateness().quantile(0.99) == Lateness().worst == 0.0


@pytest.mark.parametrize("worst", [0.0, 0.1, 0.25, 0.2501, 3.0])
def test_one_event_in_a_thousand_that_is_late_is_seen_in_the_worst_alone(worst: float) -> None:
    counts = counted([0.001] * 999 + [worst])
    assert counts.quantile(0.99) <= 0.001 * STEP
    assert (counts.worst > LIMIT) == (worst > LIMIT)
