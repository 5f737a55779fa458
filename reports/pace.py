"""How often something may be done beside the work, and how long the work still takes; no clock is in here."""

from collections import deque
from typing import Final

SHARE: Final = 0.01
"""The share of the time that what is done beside the work may take, each thing by itself."""
_UPDATES: Final = 64
"""As many updates as an estimate looks back on."""
_ENOUGH: Final = 1.0
"""Seconds that it must have seen."""


class Pace:
    """Spreads what is done beside the work, so that it takes its share of the time and no more."""

    def __init__(self, least: float, share: float = SHARE) -> None:
        """``least``: seconds between two times, however little one takes."""
        self._least = least
        self._share = share
        self._next: float | None = None

    def due(self, now: float) -> bool:
        """Whether it may be done; the first time at once."""
        return self._next is None or now >= self._next

    def done(self, began: float, ended: float) -> None:
        """It was done, and took so long: the next time is put off in proportion."""
        self._next = ended + max(self._least, (ended - began) / self._share)


class Estimate:
    """How long some work still takes, going by how fast it went lately; in bounded memory."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=_UPDATES)

    def take(self, now: float, done: float) -> None:
        """So much is done; what is told much more often than twice a second is thinned out."""
        if self._seen and (now - self._seen[-1][0] < _ENOUGH / 2 or done <= self._seen[-1][1]):
            return
        self._seen.append((now, done))

    def left(self, now: float, whole: float) -> float | None:
        """Return about how many seconds it is from now until all is done; None where nobody can tell yet."""
        if len(self._seen) < 2:
            return None
        (first, before), (last, done) = self._seen[0], self._seen[-1]
        if last - first < _ENOUGH:
            return None
        speed = (done - before) / (last - first)
        return max((whole - done) / speed - (now - last), 0.0)
