"""Admission: a call holds one port of every limit on its way, or of none.

Limits nest: the contract's (tenant, outbound), a number's tap, a trunk's channels, the ports of an SBC node (J7, P15).
Counting is by integers; a call takes all its ports at once and gives all back at once.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from math import inf

BUSY = 486
"""The answer of a full contract or number: the caller hears busy (P15)."""

NO_CIRCUIT = 503
"""The answer of a full trunk or node: no circuit available, Q.850 cause 34 (S8)."""


@dataclass(slots=True, eq=False)
class Limit:
    """Calls at the same time against a cap."""

    name: str
    cap: int
    sip: int
    """The final response to a call that it refuses."""
    used: int = 0
    high: int = 0
    """Most in use since :meth:`sample` was last asked."""

    def sample(self) -> int:
        """Return the most in use since the last sample, and begin a new one."""
        high, self.high = self.high, self.used
        return high


class Pace:
    """New calls in any one second against a cap; a call refused is not counted."""

    __slots__ = ("_taken", "name")

    sip = NO_CIRCUIT

    def __init__(self, name: str, per_second: int) -> None:
        self.name = name
        self._taken: deque[float] = deque([-inf] * per_second, per_second)
        """When the last calls were taken, as many as may be in one second."""

    def full(self, now: float) -> bool:
        """Whether a call more would be one too many."""
        return now - self._taken[0] < 1.0

    def take(self, now: float) -> None:
        """Count a call."""
        self._taken.append(now)


def acquire(limits: Collection[Limit]) -> Limit | None:
    """Take one port of each limit; return None, or the first limit that refuses, and then nothing is taken."""
    for limit in limits:
        if limit.used >= limit.cap:
            return limit
    for limit in limits:
        limit.used += 1
        if limit.used > limit.high:
            limit.high = limit.used
    return None


def admit(limits: Collection[Limit], pace: Pace | None, now: float) -> Limit | Pace | None:
    """Let a call in at a node that takes so many new calls a second; return None, or what refuses it."""
    if pace is not None and pace.full(now):
        return pace
    refusing = acquire(limits)
    if refusing is None and pace is not None:
        pace.take(now)
    return refusing


def release(limits: Collection[Limit]) -> None:
    """Give back what :func:`acquire` took; raises ValueError when there is nothing to give back."""
    for limit in limits:
        if limit.used == 0:
            raise ValueError(f"{limit.name}: a port is released that nobody holds")
        limit.used -= 1


def move(calls: int, source: Limit, target: Limit) -> None:
    """Carry the ports of kept calls over to the node that took over."""
    source.used -= calls
    seize(calls, target)


def seize(calls: int, limit: Limit) -> None:
    """Take ports for calls that a node goes on with: established calls are never refused."""
    limit.used += calls
    limit.high = max(limit.high, limit.used)
