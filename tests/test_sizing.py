"""The searches of sizing, against brute force over made-up targets with and without noise."""

from collections.abc import Callable
from itertools import product
from math import inf, nan
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.combining import Combining, Point
from sim.sizing import Found, Look, Search, Standing, batch_ends

ENDS = batch_ends(96)


def exact(boundary: int) -> Callable[[int, int], Look]:
    """Return a probe that needs one look: places from ``boundary`` on meet the target."""
    return lambda place, runs: Look(Standing.MEETS if place >= boundary else Standing.FAILS, float(boundary - place))


def noisy(truth: Callable[[int], float], spread: float, seed: int, confidence: float = 0.95) -> Callable[..., Look]:
    """Return a probe of a mean that runs estimate with common draws: what all of them share, and what is their own."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, spread, ENDS[-1])
    z = NormalDist().inv_cdf(1 - (1 - confidence) / len(ENDS) / 2)

    def probe(place: int, runs: int) -> Look:
        own = np.random.default_rng([seed, place + 10**6]).normal(0, spread / 3, ENDS[-1])
        values = truth(place) + shared[:runs] + own[:runs]
        mean, reach = values.mean(), z * spread * (1 + 1 / 9) ** 0.5 / runs**0.5
        standing = Standing.MEETS if mean + reach < 0 else Standing.FAILS if mean - reach > 0 else Standing.OPEN
        return Look(standing, float(mean))

    return probe


# One number


@given(low=st.integers(-50, 50), width=st.integers(0, 400), data=st.data())
def test_the_lowest_place_that_meets_the_target_is_found_from_wherever_the_search_begins(
    low: int, width: int, data: st.DataObject
) -> None:
    boundary = data.draw(st.integers(low, low + width + 5))
    start = data.draw(st.integers(-100, 600))
    found = Search(exact(boundary), ENDS, low, low + width).find(start)
    assert found.answer == (boundary if boundary <= low + width else None)
    if found.answer is not None:
        assert found.fails == (boundary - 1 if boundary > low else None)
        assert (found.irregular, found.undecided) == ((), ())


def test_a_search_that_begins_at_the_answer_settles_it_and_its_neighbour_first() -> None:
    order: list[int] = []

    def probe(place: int, runs: int) -> Look:
        order.append(place)
        return Look(Standing.OPEN, nan) if runs < ENDS[1] else exact(117)(place, runs)

    Search(probe, ENDS, 1, 9_999).find(117)
    assert list(dict.fromkeys(order))[:2] == [117, 116]


@given(boundary=st.integers(1, 5_000), start=st.integers(1, 9_999))
def test_few_places_are_looked_at(boundary: int, start: int) -> None:
    found = Search(exact(boundary), ENDS, 1, 9_999).find(start)
    assert len(found.settled) <= 40


@given(fails=st.integers(1, 200), undecided=st.integers(0, 30), start=st.integers(1, 400))
def test_places_that_cannot_be_told_are_reported_whole(fails: int, undecided: int, start: int) -> None:
    def probe(place: int, runs: int) -> Look:
        if fails < place <= fails + undecided:
            return Look(Standing.OPEN, nan)
        return Look(Standing.FAILS if place <= fails else Standing.MEETS, inf)

    found = Search(probe, ENDS, 1, 400).find(start)
    assert (found.answer, found.fails) == (fails + undecided + 1, fails)
    assert found.undecided == tuple(range(fails + 1, fails + undecided + 1))


def test_runs_are_added_at_fixed_ends_until_a_place_is_decided() -> None:
    asked: list[int] = []

    def probe(place: int, runs: int) -> Look:
        asked.append(runs)
        return Look(Standing.MEETS if runs >= 48 else Standing.OPEN, -1.0)

    assert Search(probe, ENDS, 1, 1).settle(1).runs == 48
    assert asked == [12, 24, 48]
    assert batch_ends(100) == (12, 24, 48, 96, 100)
    assert batch_ends(7) == (7,)


def test_nothing_meets_and_what_changes_nothing_is_not_tried_up_to_the_end() -> None:
    tried: list[int] = []

    def probe(place: int, runs: int) -> Look:
        tried.append(place)
        return Look(Standing.FAILS, 1.0 / min(place, 50))

    search = Search(probe, ENDS, 1, 1_000_000, alike=lambda one, other: min(one, other) >= 50)
    found = search.find(40)
    assert (found.answer, found.flat) == (None, False)
    assert max(tried) < 100
    assert 1 in tried, "a target that only lower values meet would show here"
    assert Search(probe, ENDS, 60, 1_000_000, alike=search.alike).find(70).flat


def test_a_target_that_is_missed_again_further_up_is_irregular() -> None:
    def probe(place: int, runs: int) -> Look:
        return Look(Standing.MEETS if 100 <= place < 140 else Standing.FAILS, nan)

    found = Search(probe, ENDS, 1, 400).find(100)
    assert found.answer == 100
    assert found.irregular == (150,)


def answers(seed: int, starts: tuple[int, ...]) -> list[Found]:
    """Return what is found of a boundary at 100.5 whose neighbours are a few errors of the longest look away."""
    probe = noisy(lambda place: (100.5 - place) * 0.2, spread=0.25, seed=seed)
    return [Search(probe, ENDS, 1, 1_000).find(start) for start in starts]


def test_the_answer_is_the_same_with_the_bracket_removed_halved_or_doubled() -> None:
    for seed in range(30):
        found = answers(seed, (101, 1, 50, 202, 1_000))
        assert len({(each.answer, each.fails) for each in found}) == 1
        costs = [sum(settled.runs for settled in each.settled.values()) for each in found]
        assert costs[0] <= min(costs) * 1.5


def test_the_number_is_right_as_often_as_the_confidence_says() -> None:
    """Wrong is an answer above or below the right one; one of two numbers that the runs cannot tell is not."""
    found = [each for seed in range(600) for each in answers(seed, (90,))]
    wrong = sum(each.answer is None or each.answer < 101 or (each.fails or 0) > 100 for each in found)
    decided = sum(each.answer == 101 and not each.undecided for each in found)
    assert wrong <= 0.05 * len(found)
    assert decided >= 0.8 * len(found)


# Several


def cheapest_by_force(
    meets: Callable[[Point], bool], highest: Point, prices: Point, allowed: Callable[[Point], bool] = lambda point: True
) -> int | None:
    every = product(*(range(1, most + 1) for most in highest))
    return min(
        (sum(map(int.__mul__, point, prices)) for point in every if meets(point) and allowed(point)), default=None
    )


shapes = st.integers(1, 3).flatmap(
    lambda axes: st.tuples(
        st.tuples(*[st.integers(1, 12)] * axes),
        st.tuples(*[st.integers(1, 9)] * axes),
        st.tuples(*[st.integers(1, 12)] * axes),
        st.lists(st.tuples(*[st.integers(1, 14)] * axes), min_size=1, max_size=6),
    )
)


@settings(max_examples=300)
@given(shape=shapes, odd=st.integers(2, 5), forbids=st.booleans())
def test_the_cheapest_combination_is_the_one_brute_force_finds(
    shape: tuple[Point, Point, Point, list[Point]], odd: int, forbids: bool
) -> None:
    highest, prices, start, enough = shape

    def meets(point: Point) -> bool:
        return any(all(map(int.__ge__, point, least)) for least in enough)

    def allowed(point: Point) -> bool:
        return not forbids or point == highest or sum(point) % odd != 0

    def probe(point: Point, runs: int) -> Look:
        return Look(Standing.MEETS if meets(point) else Standing.FAILS, nan)

    def cost(point: Point) -> float:
        return sum(map(int.__mul__, point, prices))

    lowest = (1,) * len(highest)
    found = Combining(probe, ENDS, lowest, highest, cost, allowed, most=10**6).find(start)
    right = cheapest_by_force(meets, highest, prices, allowed)
    assert (None if found.answer is None else cost(found.answer)) == right
    assert found.floor == right


def blocks_in_turn(point: Point) -> float:
    """Return a smooth stand-in for blocking by two limits on one way."""
    return float(0.5 ** (point[0] / 8) + 0.5 ** (point[1] / 6))


def test_two_limits_on_one_way_take_few_looks() -> None:
    def probe(point: Point, runs: int) -> Look:
        return Look(Standing.MEETS if blocks_in_turn(point) <= 0.01 else Standing.FAILS, nan)

    def cost(point: Point) -> float:
        return 3.0 * point[0] + point[1]

    found = Combining(probe, ENDS, (1, 1), (400, 400), cost).find((60, 50))
    force = min(cost(point) for point in product(range(1, 401), repeat=2) if blocks_in_turn(point) <= 0.01)
    assert found.answer is not None
    assert cost(found.answer) == force
    assert len(found.settled) < 45


def test_cheaper_combinations_that_cannot_be_told_are_named() -> None:
    def probe(point: Point, runs: int) -> Look:
        total = sum(point)
        return Look(Standing.MEETS if total > 10 else Standing.OPEN if total == 10 else Standing.FAILS, nan)

    found = Combining(probe, ENDS, (1, 1), (20, 20), lambda point: 1.0 * sum(point)).find((9, 9))
    assert found.answer is not None
    assert sum(found.answer) == 11
    assert found.undecided
    assert {sum(point) for point in found.undecided} == {10}


def test_a_search_that_is_given_up_says_what_the_answer_costs_at_least() -> None:
    def probe(point: Point, runs: int) -> Look:
        return Look(Standing.MEETS if sum(point) >= 30 else Standing.FAILS, nan)

    found = Combining(probe, ENDS, (1, 1, 1), (40, 40, 40), lambda point: 1.0 * sum(point), most=5).find((20, 20, 20))
    assert found.answer is not None
    assert found.floor is not None
    assert found.floor <= 30 <= sum(found.answer)


@pytest.mark.parametrize("start", [(1, 1), (20, 20)])
def test_nothing_is_proposed_where_not_even_the_largest_does(start: Point) -> None:
    found = Combining(lambda point, runs: Look(Standing.FAILS, 1.0), ENDS, (1, 1), (20, 20), sum).find(start)
    assert (found.answer, found.floor) == (None, None)
