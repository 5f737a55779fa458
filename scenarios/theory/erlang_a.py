"""Erlang A (C. Palm, 1946): callers who wait in a queue lose patience after an exponential time, M/M/n+M."""

from typing import NamedTuple

from scenarios.theory.erlang import erlang_b

_HUGE = 1e200
_ROUNDING = 1e-17


class Impatience(NamedTuple):
    """What impatient callers meet, as shares of all callers (0 to 1)."""

    wait: float
    """Those who find all agents busy."""
    abandon: float
    """Those who give up."""


def erlang_a(load: float, agents: int, impatience: float) -> Impatience:
    """Return what callers meet when `load` erlang come to `agents` agents.

    `impatience` is the mean talk over the mean patience, above 0. Raises ValueError if it is not, if there is no agent,
    or if the load is negative or not finite.
    """
    if not impatience > 0 or agents < 1:
        raise ValueError(f"impatience must be above 0 and agents at least 1, not {impatience} and {agents}")
    loss = erlang_b(load, agents)
    if loss == 0:
        return Impatience(0.0, 0.0)
    # Weights of the states, that of "all agents busy, nobody waits" being 1 until all are scaled down together.
    below, term, busy, waiting = 1.0 / loss - 1.0, 1.0, 1.0, 0.0
    j = 0
    while True:
        j += 1
        ratio = load / (agents + j * impatience)
        term *= ratio
        busy += term
        waiting += j * term
        if busy > _HUGE:
            below, term, busy, waiting = (weight / _HUGE for weight in (below, term, busy, waiting))
        if ratio < 1 and j * term / (1 - ratio) ** 2 <= _ROUNDING * (below + busy):
            break
    return Impatience(busy / (below + busy), impatience * waiting / (below + busy) / load)
