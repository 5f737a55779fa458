"""Extended Erlang B: some of those who were refused dial again at once, and so add to the load that refuses them."""

from typing import NamedTuple

from scenarios.theory.erlang import checked_load, erlang_b
from scenarios.theory.search import smallest

_ROUNDING = 1e-14


class Retried(NamedTuple):
    """A loss system whose callers come back."""

    load: float
    """Erlang offered, further attempts included."""
    blocking: float
    """Share of attempts refused (0 to 1)."""


def extended_erlang_b(load: float, ports: int, retry: float) -> Retried:
    """Return what `load` erlang of first attempts become when a share `retry` (0 ≤ retry < 1) of those refused retry.

    The load is the one with load + retry · offered · B(offered) = offered. Raises ValueError for another `retry`, or as
    `erlang_b` does.
    """
    if not 0 <= retry < 1:
        raise ValueError(f"retry must be at least 0 and below 1, not {retry}")
    offered = checked_load(load)
    # Newton's steps. The refused load is convex in the offered one and grows slower than it, so that what is missing
    # falls at a rate between 1 and 1 - retry, ever more slowly, and a step from below never goes too far.
    while True:
        blocking = erlang_b(offered, ports)
        missing = load + retry * offered * blocking - offered
        growth = blocking * (1.0 + ports - offered * (1.0 - blocking))
        step = missing / max(1.0 - retry * growth, 1.0 - retry)
        if step <= _ROUNDING * offered:
            return Retried(offered, blocking)
        offered += step


def ports_with_retries(load: float, blocking: float, retry: float) -> int:
    """Return the smallest number of ports that keeps the blocking of attempts at or below `blocking` (0 < it ≤ 1).

    Raises ValueError if it is out of range, or as `extended_erlang_b` does.
    """
    if not 0 < blocking <= 1:
        raise ValueError(f"blocking must be above 0 and at most 1, not {blocking}")
    # One port more refuses less of any load, and so fewer come back, of whom it refuses less again.
    return smallest(lambda ports: extended_erlang_b(load, ports, retry).blocking <= blocking)
