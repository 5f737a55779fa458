"""Recovery: from which second after a fault callers get through as they did before it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reports.calltable import Block, Key, Selectors
from scenarios.evidence import Direction, Outcome

WINDOW = 60
"""Seconds over which the share of attempts answered is taken."""
ENOUGH = 10
"""Attempts for which a window is extended."""
BACK = (95, 100)
"""The share of the value before the fault that counts as recovered, as a fraction."""

_Counts = npt.NDArray[np.int64]


class RecoveryWatch:
    """Inbound attempts of one selection by the second, counted from the first fault.

    ``faults`` and ``lasts`` are seconds from the start of the run. Raises ValueError without a fault.
    """

    def __init__(self, selectors: Selectors, faults: Sequence[float], lasts: float) -> None:
        self._selectors = selectors
        self._fault = min(faults)
        self._later = [int(fault - self._fault) for fault in faults if fault < lasts]
        seconds = max(int(lasts - self._fault), 0)
        self._attempts: _Counts = np.zeros(seconds, np.int64)
        self._answered: _Counts = np.zeros(seconds, np.int64)
        self._attempts_before = 0
        self._answered_before = 0
        self._mine: list[bool] = []

    def add(self, block: Block, keys: Sequence[Key]) -> None:
        """Count a block; ``keys`` are all keys known so far."""
        self._mine += map(self._meant, keys[len(self._mine) :])
        mine = np.array(self._mine, np.bool_)[block.key] & (block.start >= 0)
        start, answered = block.start[mine], block.answered[mine]
        before = start < self._fault
        self._attempts_before += int(np.count_nonzero(before))
        self._answered_before += int(np.count_nonzero(answered & before))
        second = (start - self._fault).astype(np.int64)
        after = ~before & (second < len(self._attempts))
        np.add.at(self._attempts, second[after], 1)
        np.add.at(self._answered, second[after & answered], 1)

    def _meant(self, key: Key) -> bool:
        due = key.direction is Direction.INBOUND and key.outcome is not Outcome.CLOSED
        return due and key.selected(self._selectors)

    def value(self) -> float | None:
        """Return seconds from a fault, the most of all; ``inf`` for never, None with too few attempts to tell."""
        attempts = np.concatenate(([0], np.cumsum(self._attempts)))
        answered = np.concatenate(([0], np.cumsum(self._answered)))
        if not self._answered_before or attempts[-1] < ENOUGH:
            return None
        begin = np.arange(len(attempts))
        end = np.maximum(begin + WINDOW, np.searchsorted(attempts, attempts + ENOUGH))
        begin, end = begin[end < len(attempts)], end[end < len(attempts)]
        tried, reached = attempts[end] - attempts[begin], answered[end] - answered[begin]
        # In whole numbers: 19 of 20 against 95 % must not hang on the last bit of a division.
        part, whole = BACK
        good = reached * self._attempts_before * whole >= part * self._answered_before * tried
        recovered = begin[good]
        # Of a fault with less than a window after it, nothing can be said.
        told = [fault for fault in self._later if fault + WINDOW <= len(self._attempts)]
        return max((self._since(fault, recovered) for fault in told), default=None)

    @staticmethod
    def _since(fault: int, recovered: _Counts) -> float:
        """Return seconds from a fault to the first of the seconds at which callers got through again."""
        first = int(np.searchsorted(recovered, fault))
        return float(recovered[first] - fault) if first < len(recovered) else float("inf")
