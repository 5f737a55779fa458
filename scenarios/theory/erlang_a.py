"""Erlang A (C. Palm, 1946): callers who wait in a queue lose patience after an exponential time, M/M/n+M."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from scenarios.theory.erlang import checked_load, erlang_b
from scenarios.theory.series import ROUNDING

LEAST_IMPATIENCE = 1e-7
"""Smallest impatience: the number of states that matter grows with the root of its inverse."""

_NOTHING = -60.0
"""Logarithm of what adds nothing to an integral."""
_PARTS = 16
"""Parts of an integral on each side of the peak, before they are halved."""
_TOLERANCE = 1e-12
"""Share of an integral that a part may be wrong by."""


class Impatience(NamedTuple):
    """What impatient callers meet, as shares of all callers (0 to 1)."""

    wait: float
    """Those who find all agents busy."""
    abandon: float
    """Those who give up."""


def erlang_a(load: float, agents: int, impatience: float) -> Impatience:
    """Return what callers meet when `load` erlang come to `agents` agents.

    `impatience` is the mean talk over the mean patience, `LEAST_IMPATIENCE` at least. The mean wait of all callers is
    the share who give up times the mean patience. Raises ValueError if it is less, if there is no agent, or if the load
    is negative or not finite.
    """
    _check(agents, impatience)
    loss = erlang_b(load, agents)
    if loss == 0:
        return Impatience(0.0, 0.0)
    # Weights of the states with j callers waiting, beside the likeliest of them: they fall on both sides of it.
    likeliest = max(0, math.floor((load - agents) / impatience))
    busy, waiting, term, j = 1.0, float(likeliest), 1.0, likeliest
    while True:
        j += 1
        ratio = load / (agents + j * impatience)
        term *= ratio
        busy += term
        waiting += j * term
        if ratio < 1 and j * term / (1 - ratio) ** 2 <= ROUNDING * waiting:
            break
    term = 1.0
    for j in range(likeliest, 0, -1):
        ratio = (agents + j * impatience) / load
        term *= ratio
        busy += term
        waiting += (j - 1) * term
        if ratio < 1 and term <= ROUNDING * (1 - ratio) * busy:
            break
    below = term * (1.0 / loss - 1.0)
    return Impatience(busy / (below + busy), impatience * waiting / (below + busy) / load)


def answered_within(load: float, agents: int, impatience: float, within: float) -> float:
    """Return the share of callers (0 to 1) answered within a time, in mean talks; the others wait longer or give up.

    The wait of a caller who would never give up has the density of Baccelli and Hebuterne (1981), proportional to
    exp(A · (1 - exp(-θx)) / θ - nx) where all agents are busy; whoever is met by it after x is still there with
    probability exp(-θx). Raises ValueError as `erlang_a` does, or if the time is negative or not finite.
    """
    waits = erlang_a(load, agents, impatience).wait
    if waits == 0:
        return 1.0
    peak = math.log(load / agents) / impatience if load > agents else 0.0
    slope, bend = max(agents - load, 0.0), min(load, agents)

    def log_density(x: float) -> float:
        """The logarithm of the density `x` after its peak, less that at the peak; nothing large cancels."""
        return -slope * x - bend * (x + math.expm1(-impatience * x) / impatience)

    def answered(x: float) -> float:
        return math.exp(log_density(x) - impatience * (x + peak))

    first, end = _reach(log_density, -1.0, peak), _reach(log_density, 1.0, math.inf)
    last = max(first, min(checked_load(within) - peak, end))
    everybody = _integral(lambda x: math.exp(log_density(x)), (first, 0.0, end))
    in_time = _integral(answered, (first, min(0.0, last), last))
    return min(1.0, 1.0 - waits + waits * in_time / everybody)


def _reach(log_density: Callable[[float], float], side: float, most: float) -> float:
    """Return how far from its peak a density counts on one side, as a distance with the sign of that side."""
    distance = min(1.0, most)
    while distance < most and log_density(side * distance) > _NOTHING:
        distance = min(2 * distance, most)
    while distance and log_density(side * distance / 2) < _NOTHING:
        distance /= 2
    return side * distance


def _integral(density: Callable[[float], float], bounds: tuple[float, ...]) -> float:
    """Simpson's rule on intervals between which the density turns, halved where halving them still tells."""
    parts: list[tuple[float, float, float, float, float]] = []
    for low, high in pairwise(bounds):
        step = (high - low) / _PARTS
        parts += [_part(density, low + k * step, low + (k + 1) * step) for k in range(_PARTS) if step]
    small = _TOLERANCE * sum((high - low) / 6 * (a + 4 * b + c) for low, high, a, b, c in parts)
    found = 0.0
    while parts:
        low, high, a, b, c = parts.pop()
        middle = (low + high) / 2
        halves = [_part(density, low, middle, a, b), _part(density, middle, high, b, c)]
        coarse = (high - low) / 6 * (a + 4 * b + c)
        fine = (high - low) / 12 * (a + 4 * halves[0][3] + 2 * b + 4 * halves[1][3] + c)
        if abs(fine - coarse) <= small or middle in (low, high):
            found += fine + (fine - coarse) / 15
        else:
            parts += halves
    return found


def _part(
    density: Callable[[float], float],
    low: float,
    high: float,
    at_low: float | None = None,
    at_high: float | None = None,
) -> tuple[float, float, float, float, float]:
    """Return an interval and the density at its ends and between them."""
    first = density(low) if at_low is None else at_low
    last = density(high) if at_high is None else at_high
    return low, high, first, density((low + high) / 2), last


def _check(agents: int, impatience: float) -> None:
    if not impatience >= LEAST_IMPATIENCE or agents < 1 or impatience == math.inf:
        raise ValueError(
            f"impatience must be at least {LEAST_IMPATIENCE:g} and finite, agents at least 1, "
            f"not {impatience} and {agents}"
        )
