"""Engset's loss system (T. Engset, 1918): few sources, each silent while its call is up."""

from typing import NamedTuple


class Congestion(NamedTuple):
    """How full the ports of few sources are, as shares (0 to 1)."""

    time: float
    """Of the time, in which all ports are busy."""
    call: float
    """Of attempts that find them so: less, for busy sources do not call."""


def engset(sources: int, ports: int, each: float) -> Congestion:
    """Return the congestion when `sources` share `ports`.

    `each` is the load of an idle source: its attempts per mean holding time. Raises ValueError if it is not above 0, or
    unless 0 ≤ ports, 1 ≤ sources.
    """
    if not each > 0 or ports < 0 or sources < 1:
        raise ValueError(f"load above 0, ports not negative, a source at least: not {each}, {ports}, {sources}")
    return Congestion(_time_congestion(sources, ports, each), _time_congestion(sources - 1, ports, each))


def _time_congestion(sources: int, ports: int, each: float) -> float:
    """The recursion for the inverse, which only adds and multiplies positive numbers, as Erlang's does."""
    if ports > sources:
        return 0.0
    inverse = 1.0
    for n in range(1, ports + 1):
        inverse = 1.0 + n / ((sources - n + 1) * each) * inverse
    return 1.0 / inverse
