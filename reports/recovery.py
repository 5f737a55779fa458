"""Recovery: from which second after a fault callers get through as they did before it, and go on doing so."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from reports.calltable import Block, Key
from scenarios.evidence import Outcome

WINDOW = 60
"""Seconds over which the share of attempts answered is taken."""
ENOUGH = 10
"""Attempts for which a window is extended."""
BACK = (95, 100)
"""The share of the value before the fault that counts as recovered, as a fraction."""
LASTING = 300
"""Seconds over which a relapse has to show: callers also give up in a busy minute that is no fault's doing."""
CHANCE = 3
"""Standard errors below the share that counts as recovered from which on it does: few calls make a poor share."""

_Counts = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]


class RecoveryWatch:
    """Attempts that are ``meant`` by the second, counted from the first fault.

    ``faults`` and ``lasts`` are seconds from the start of the run. Raises ValueError without a fault.
    """

    def __init__(self, meant: Callable[[Key], bool], faults: Sequence[float], lasts: float) -> None:
        self._meant = meant
        self._fault = min(faults)
        self._faults = sorted({int(fault - self._fault) for fault in faults if fault < lasts})
        seconds = max(int(lasts - self._fault), 0)
        self._attempts: _Counts = np.zeros(seconds, np.int64)
        self._answered: _Counts = np.zeros(seconds, np.int64)
        self._attempts_before = 0
        self._answered_before = 0
        self._mine: list[bool] = []
        self._pending: list[bool] = []

    def add(self, block: Block, keys: Sequence[Key]) -> None:
        """Count a block; ``keys`` are all keys known so far."""
        new = keys[len(self._mine) :]
        self._mine += (key.outcome is not Outcome.CLOSED and self._meant(key) for key in new)
        self._pending += (key.outcome is Outcome.IN_PROGRESS for key in new)
        decided = block.answered | ~np.array(self._pending, np.bool_)[block.key]
        mine = np.array(self._mine, np.bool_)[block.key] & decided & (block.start >= 0)
        start, answered = block.start[mine], block.answered[mine]
        before = start < self._fault
        self._attempts_before += int(np.count_nonzero(before))
        self._answered_before += int(np.count_nonzero(answered & before))
        second = (start - self._fault).astype(np.int64)
        after = ~before & (second < len(self._attempts))
        np.add.at(self._attempts, second[after], 1)
        np.add.at(self._answered, second[after & answered], 1)

    def value(self) -> float | None:
        """Return seconds from a fault, the most of all; ``inf`` for never, None with too few attempts to tell."""
        attempts = np.concatenate(([0], np.cumsum(self._attempts)))
        answered = np.concatenate(([0], np.cumsum(self._answered)))
        if not self._answered_before or attempts[-1] < ENOUGH:
            return None
        end = np.maximum(np.arange(len(attempts)) + WINDOW, np.searchsorted(attempts, attempts + ENOUGH))
        end = end[end < len(attempts)]
        tried, reached = attempts[end] - attempts[: len(end)], answered[end] - answered[: len(end)]
        # In whole numbers: 19 of 20 against 95 % must not hang on the last bit of a division.
        part, whole = BACK
        good = reached * self._attempts_before * whole >= part * self._answered_before * tried
        least = part / whole * self._answered_before / self._attempts_before
        back = []
        for fault, following in pairwise((*self._faults, len(self._attempts))):
            stop = int(np.searchsorted(end, following, side="right"))
            begin = np.arange(fault, stop)
            over = np.maximum(np.minimum(begin + LASTING, following), end[fault:stop])
            tries, found = attempts[over] - attempts[begin], answered[over] - answered[begin]
            relapse = found < least * tries - CHANCE * np.sqrt(least * (1 - least) * tries)
            back.append(_back_for_good(good[fault:stop], relapse) + fault)
        # Of a fault with less than a window after it, nothing can be said.
        told = [index for index, fault in enumerate(self._faults) if fault + WINDOW <= len(self._attempts)]
        return max((min(back[index:]) - self._faults[index] for index in told), default=None)


def _back_for_good(good: _Flags, relapse: _Flags) -> float:
    """Return the first good window after the last relapse, counted from the first window, or infinity."""
    relapses = np.flatnonzero(relapse)
    since = int(relapses[-1]) + 1 if len(relapses) else 0
    well = np.flatnonzero(good[since:])
    return float(since + well[0]) if len(well) else float("inf")
