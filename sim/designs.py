"""Which points of a space of values are tried: every combination, or a Latin hypercube."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import ceil, floor, prod
from typing import NamedTuple

from scenarios.ranges import Amount, Axis, Span
from sim.draws import Draws

Point = tuple[str, ...]
"""A value for each axis, as a drill may have it."""

_STEPS_IN_A_PART = 5
"""Values to choose from, at least, in each part of a range: with more, digits would be written that hardly matter."""


class Place(NamedTuple):
    """Where a point lies on an axis."""

    part: int
    """Which of the equal parts, from 0."""
    share: float
    """Where in it, from 0 up to 1."""


def grid_size(axes: Sequence[Axis]) -> int:
    """Return how many points :func:`grid` has."""
    return prod(len(axis.values) for axis in axes)


def grid(axes: Sequence[Axis]) -> list[Point]:
    """Return all combinations of the values, the last axis changing first; of axes with values only."""
    return list(product(*(axis.values for axis in axes)))


def latin_hypercube(axes: Sequence[Axis], count: int, seed: int) -> list[Point]:
    """Return ``count`` points such that each of ``count`` equal parts of every axis has one (McKay et al. 1979).

    A list is cut into parts by position. Whole numbers stay whole. Points that are alike, as there may be where an axis
    has fewer values than there are points, are left out but for the first. The same seed gives the same points whatever
    release of scipy there is; its own sampler also takes two seconds to import.
    """
    columns = [
        [_between(axis.span, place, count) if axis.span else _chosen(axis.values, place, count) for place in column]
        for axis, column in zip(axes, places(len(axes), count, seed), strict=True)
    ]
    return list(dict.fromkeys(zip(*columns, strict=True)))


def places(axes: int, count: int, seed: int) -> list[list[Place]]:
    """Return, for each axis, ``count`` places in random order, one in each of ``count`` parts."""
    draws = Draws(seed, 0).stream("latin hypercube")
    return [
        [Place(*each) for each in zip(draws.permutation(count).tolist(), draws.random(count).tolist(), strict=True)]
        for _ in range(axes)
    ]


def _chosen(values: Sequence[str], place: Place, count: int) -> str:
    return values[floor((place.part + Fraction(place.share)) * len(values) / count)]


def _between(span: Span, place: Place, count: int) -> str:
    """Return a value in its part of a span, with so many digits as tell points apart."""
    low, width = Fraction(span.low), Fraction(span.high - span.low + (1 if span.whole else 0))
    begin, end = (low + width * part / count for part in (place.part, place.part + 1))
    step = Decimal(1)
    if not span.whole:
        step = step.scaleb(((span.high - span.low) / count / _STEPS_IN_A_PART).adjusted())
    first, last = ceil(begin / Fraction(step)), ceil(end / Fraction(step)) - 1
    steps = first + floor(place.share * (last - first + 1)) if first <= last else floor(begin)
    return Amount(steps * step, span.unit).text
