"""Extended Erlang B: some of those who were refused dial again at once, and so add to the load that refuses them."""

from typing import NamedTuple

from scenarios.theory.erlang import erlang_b

_ROUNDING = 1e-14


class Retried(NamedTuple):
    """A loss system whose callers come back."""

    load: float
    """Erlang offered, further attempts included."""
    blocking: float
    """Share of attempts refused (0 to 1)."""


def extended_erlang_b(load: float, ports: int, retry: float) -> Retried:
    """Return what `load` erlang of first attempts become when a share `retry` (0 ≤ retry < 1) of those refused retry.

    The load is the smallest one with load + retry · offered · B(offered) = offered. Raises ValueError for another
    `retry`, or as `erlang_b` does.
    """
    if not 0 <= retry < 1:
        raise ValueError(f"retry must be at least 0 and below 1, not {retry}")
    offered = load
    while True:
        blocking = erlang_b(offered, ports)
        # The refused load grows slower than the offered one, so each round is nearer by the factor `retry` at least.
        again = load + retry * offered * blocking
        if again - offered <= _ROUNDING * again:
            return Retried(again, blocking)
        offered = again


def ports_with_retries(load: float, blocking: float, retry: float) -> int:
    """Return the smallest number of ports that keeps the blocking of attempts at or below `blocking` (0 < it ≤ 1).

    Raises ValueError if it is out of range, or as `extended_erlang_b` does.
    """
    if not 0 < blocking <= 1:
        raise ValueError(f"blocking must be above 0 and at most 1, not {blocking}")
    ports = 0
    while extended_erlang_b(load, ports, retry).blocking > blocking:
        ports += 1
    return ports
