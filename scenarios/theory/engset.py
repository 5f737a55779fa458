"""Engset's loss system (T. Engset, 1918): few sources, each silent while its call is up."""

import math
from typing import NamedTuple

from scenarios.theory.series import total


class Congestion(NamedTuple):
    """How full the ports of few sources are, as shares (0 to 1)."""

    time: float
    """Of the time, in which all ports are busy."""
    call: float
    """Of attempts that find them so: less, for busy sources do not call."""


def engset(sources: int, ports: int, each: float) -> Congestion:
    """Return the congestion when `sources` share `ports`.

    `each` is the load of an idle source: its attempts per mean holding time. Raises ValueError if it is not above 0 and
    finite, or unless 0 ≤ ports, 1 ≤ sources.
    """
    if not 0 < each < math.inf or ports < 0 or sources < 1:
        raise ValueError(f"load above 0, ports not negative, a source at least: not {each}, {ports}, {sources}")
    return Congestion(_time_congestion(sources, ports, each), _time_congestion(sources - 1, ports, each))


def _time_congestion(sources: int, ports: int, each: float) -> float:
    """The inverse of the last term's share of the binomial sum, from that term down."""
    if ports > sources:
        return 0.0
    return 1.0 / total(n / ((sources - n + 1) * each) for n in range(ports, 0, -1))
