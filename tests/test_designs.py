"""Designs: every combination once, and one point in every part of every axis."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.ranges import Axis, parse_axis
from scenarios.units import parse_duration, parse_rate
from sim.designs import grid, grid_size, latin_hypercube, places

levels = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5, unique=True)


@given(st.lists(levels, min_size=1, max_size=4))
def test_a_grid_has_every_combination_once_in_the_order_of_its_axes(values: list[list[str]]) -> None:
    axes = [Axis(str(index), tuple(each)) for index, each in enumerate(values)]
    points = grid(axes)
    assert len(set(points)) == len(points) == grid_size(axes)
    assert all(point[index] in axis.values for point in points for index, axis in enumerate(axes))
    ranks = [tuple(axis.values.index(value) for axis, value in zip(axes, point, strict=True)) for point in points]
    assert ranks == sorted(ranks)


@given(st.integers(1, 5), st.integers(1, 60), st.integers(0, 2**63 - 1))
def test_every_part_of_every_axis_has_exactly_one_point(axes: int, count: int, seed: int) -> None:
    for axis in places(axes, count, seed):
        assert sorted(place.part for place in axis) == list(range(count))
        assert all(0 <= place.share < 1 for place in axis)


def test_axes_are_shuffled_apart_and_seeds_give_other_points() -> None:
    assert places(3, 40, 1) == places(3, 40, 1) != places(3, 40, 2)
    orders = {tuple(place.part for place in axis) for axis in places(3, 40, 1)}
    assert len(orders) == 3


@settings(max_examples=40)
@given(st.integers(-50, 50), st.integers(1, 100), st.integers(1, 40), st.integers(0, 2**32))
def test_whole_numbers_stay_whole_and_in_their_range(low: int, width: int, count: int, seed: int) -> None:
    values = [int(value) for (value,) in latin_hypercube([parse_axis(f"a={low}..{low + width}")], count, seed)]
    assert all(low <= value <= low + width for value in values)
    if count <= width + 1:
        assert len(values) == count, "each part of the axis has one of its own"


def test_as_many_points_as_whole_numbers_are_all_of_them() -> None:
    for seed in range(20):
        points = latin_hypercube([parse_axis("a=11..30")], 20, seed)
        assert sorted(int(value) for (value,) in points) == list(range(11, 31))


@given(st.integers(1, 50), st.integers(0, 2**32))
def test_values_between_are_in_their_range_and_in_few_digits(count: int, seed: int) -> None:
    axes = [parse_axis("arrivals=0.5/s..2/s"), parse_axis("talk=1m..5m"), parse_axis("share=10%..70%")]
    points = latin_hypercube(axes, count, seed)
    assert len(points) == count
    for rate, talk, share in points:
        assert 0.5 <= parse_rate(rate) <= 2
        assert 60 <= parse_duration(talk) <= 300
        assert 10 <= Decimal(share.removesuffix("%")) <= 70
        assert len(rate) <= 8
    parts = sorted(
        int((Decimal(rate.removesuffix("/s")) - Decimal("0.5")) * count / Decimal("1.5")) for rate, *_ in points
    )
    assert parts == list(range(count)), "also when digits are cut off"


@given(st.integers(1, 12), st.integers(0, 2**32))
def test_the_values_of_a_list_come_equally_often(times: int, seed: int) -> None:
    axes = [Axis("a", ("x", "y", "z")), parse_axis("b=0.0..1000.0")]
    points = latin_hypercube(axes, 3 * times, seed)
    assert Counter(value for value, _ in points) == {"x": times, "y": times, "z": times}


@pytest.mark.parametrize("count", [1, 2])
def test_points_that_are_alike_come_once(count: int) -> None:
    assert latin_hypercube([Axis("a", ("x",))], count, 1) == [("x",)]
