"""Erlang's loss and delay formulas (A. K. Erlang, 1917): loads in erlang, whole numbers of ports or agents.

Both rest on the inverse of the loss probability, 1/B(n) = 1 + (n/A) · 1/B(n-1) with 1/B(0) = 1, or written out,
1 + n/A + n(n-1)/A² + …. It only adds and multiplies positive numbers, so it stays exact to rounding at a million ports,
where powers and factorials overflow.
"""

import math

from scenarios.theory.search import smallest
from scenarios.theory.series import total

MOST_LOAD = 100_000_000.0
"""Largest load in erlang that is solved for: the time taken grows with its root."""


def offered_load(arrivals: float, holding: float) -> float:
    """Return the traffic offered in erlang: arrivals per second times mean holding time in seconds.

    Raises ValueError if either is negative or not finite.
    """
    return checked_load(arrivals) * checked_load(holding)


def erlang_b(load: float, ports: int) -> float:
    """Return the share of attempts lost (0 to 1) when `load` erlang meet `ports` ports: the loss formula.

    Raises ValueError if the load is negative or not finite, or the ports are negative.
    """
    if checked_load(load) == 0:
        return 0.0 if _count(ports) else 1.0
    return 1.0 / total(n / load for n in range(_count(ports), 0, -1))


def erlang_c(load: float, agents: int) -> float:
    """Return the share of callers who wait (0 to 1) when none gives up: the delay formula.

    It is 1 where the agents cannot keep up (`load` ≥ `agents`). Raises ValueError as `erlang_b` does.
    """
    loss = erlang_b(load, agents)
    if load >= agents:
        return 1.0
    # The loss added to something positive keeps the share at or below 1 however the sum rounds.
    return loss / (loss + (agents - load) / agents * (1.0 - loss))


def mean_wait(load: float, agents: int, holding: float) -> float:
    """Return the average speed of answer in seconds, of all callers, under Erlang's delay formula.

    `holding` is the mean holding time in seconds. It is infinite where the agents cannot keep up. Raises ValueError as
    `erlang_b` does, or if the holding time is negative or not finite.
    """
    waiting = erlang_c(load, agents) * checked_load(holding)
    return waiting / (agents - load) if load < agents else math.inf


def service_level(load: float, agents: int, holding: float, within: float) -> float:
    """Return the share of callers (0 to 1) answered `within` so many seconds, under Erlang's delay formula.

    It is 0 where the agents cannot keep up. Raises ValueError as `erlang_b` does, or unless 0 ≤ `within` < ∞ and
    0 < `holding` < ∞.
    """
    waiting = erlang_c(load, agents)
    if checked_load(holding) == 0:
        raise ValueError("holding time must be above 0")
    if load >= agents:
        return 0.0
    return 1.0 - waiting * math.exp(-(agents - load) * checked_load(within) / holding)


def ports_for(load: float, blocking: float) -> int:
    """Return the smallest number of ports that keeps Erlang B at or below `blocking` (0 < blocking ≤ 1).

    Raises ValueError if the load is negative, not finite or above `MOST_LOAD`, or the blocking out of range.
    """
    if not 0 < blocking <= 1:
        raise ValueError(f"blocking must be above 0 and at most 1, not {blocking}")
    if checked_load(load) > MOST_LOAD:
        raise ValueError(f"load must be at most {MOST_LOAD:.0f} erlang, not {load}")
    # One port more always loses less: 1/B(n) > 1/B(n-1), the next term being positive and the others larger.
    return smallest(lambda ports: erlang_b(load, ports) <= blocking)


def checked_load(value: float) -> float:
    """Return a load, rate or time that is finite and not negative; raises ValueError for any other."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"load, arrivals and holding time must be finite and not negative, not {value}")
    return value


def _count(value: int) -> int:
    if value < 0:
        raise ValueError(f"ports and agents cannot be negative, not {value}")
    return value
