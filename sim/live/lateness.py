"""How late the generator of a live run is: what it cannot do in time, it must not blame on the system under test.

Every call is dialled at the time that was drawn for it before the run, whatever became of earlier ones: so a slow
system cannot slow its load down, and a slow generator shows here and nowhere else (coordinated omission).
"""

from bisect import bisect_right
from math import inf
from typing import Final

from scenarios.evidence import EventKind
from sim.log import Log

LIMIT: Final = 0.25
"""Seconds: with half of T1 the generator still answers before the other end sends again (RFC 3261 §17.1.1.2)."""
_STEPS: Final = [0.0001 * 2 ** (k / 2) for k in range(40)]
"""Upper ends of the classes that lateness is counted in, a factor of 1.4 apart: 0.1 ms to 74 s."""


class Lateness:
    """Counts the events of a run by how late they were."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_STEPS) + 1)
        self.worst = 0.0
        """Seconds."""

    def late(self, seconds: float) -> None:
        """An event has been carried out that many seconds after it was due."""
        self._counts[bisect_right(_STEPS, seconds)] += 1
        self.worst = max(self.worst, seconds)

    def quantile(self, share: float) -> float:
        """Return what that share of all events was no later than, to the upper end of a class; 0 for no events."""
        left = share * sum(self._counts)
        for count, upper in zip(self._counts, [*_STEPS, inf], strict=True):
            left -= count
            if left <= 0:
                return min(upper, self.worst)
        return self.worst

    def tell(self, log: Log) -> None:
        """Write it down."""
        log.entry(EventKind.LATENESS, "generator", p99=self.quantile(0.99), worst=self.worst, limit=LIMIT)
