"""Erlang's loss and delay formulas (A. K. Erlang, 1917): loads in erlang, whole numbers of ports or agents.

Both rest on the recursion for the inverse of the loss probability, 1/B(n) = 1 + (n/A) · 1/B(n-1) with
1/B(0) = 1. It only adds and multiplies positive numbers, so it stays exact to rounding at thousands of ports,
where powers and factorials overflow.
"""

import math

MOST_LOAD = 1_000_000.0
"""Largest load in erlang that `ports_for` accepts: its time grows with the load."""


def offered_load(arrivals: float, holding: float) -> float:
    """Return the traffic offered in erlang: arrivals per second times mean holding time in seconds.

    Raises ValueError if either is negative or not finite.
    """
    return _load(arrivals) * _load(holding)


def erlang_b(load: float, ports: int) -> float:
    """Return the share of attempts lost (0 to 1) when `load` erlang meet `ports` ports: the loss formula.

    Raises ValueError if the load is negative or not finite, or the ports are negative.
    """
    if _load(load) == 0:
        return 0.0 if _count(ports) else 1.0
    inverse = 1.0
    for n in range(1, _count(ports) + 1):
        inverse = _next_inverse(inverse, n, load)
    return 1.0 / inverse


def erlang_c(load: float, agents: int) -> float:
    """Return the share of callers who wait (0 to 1) when none gives up: the delay formula.

    It is 1 where the agents cannot keep up (`load` ≥ `agents`). Raises ValueError as `erlang_b` does.
    """
    loss = erlang_b(load, agents)
    if load >= agents:
        return 1.0
    # The loss added to something positive keeps the share at or below 1 however the sum rounds.
    return loss / (loss + (agents - load) / agents * (1.0 - loss))


def ports_for(load: float, blocking: float) -> int:
    """Return the smallest number of ports that keeps Erlang B at or below `blocking` (0 < blocking ≤ 1).

    Raises ValueError if the load is negative, not finite or above `MOST_LOAD`, or the blocking out of range.
    """
    if not 0 < blocking <= 1:
        raise ValueError(f"blocking must be above 0 and at most 1, not {blocking}")
    if _load(load) > MOST_LOAD:
        raise ValueError(f"load must be at most {MOST_LOAD:.0f} erlang, not {load}")
    if load == 0:
        return 0 if blocking == 1 else 1
    ports, inverse = 0, 1.0
    # Compared as losses, the way erlang_b states them, so that the two never disagree by a rounding.
    while 1.0 / inverse > blocking:
        ports += 1
        inverse = _next_inverse(inverse, ports, load)
    return ports


def _next_inverse(inverse: float, n: int, load: float) -> float:
    return 1.0 + n / load * inverse


def _load(value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"load, arrivals and holding time must be finite and not negative, not {value}")
    return value


def _count(value: int) -> int:
    if value < 0:
        raise ValueError(f"ports and agents cannot be negative, not {value}")
    return value
