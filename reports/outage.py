"""Outages: the minutes of a run in which callers tried and nobody got through."""

from collections.abc import Callable, Sequence

import numpy as np

from reports.calltable import Block, Key
from scenarios.evidence import Outcome

MINUTE = 60
"""Seconds of a window."""


class OutageWatch:
    """Attempts that are ``meant`` by the minute in which they began; a last part of a minute is left out."""

    def __init__(self, meant: Callable[[Key], bool], lasts: float) -> None:
        self._meant = meant
        minutes = int(lasts // MINUTE)
        self._attempts = np.zeros(minutes, np.int64)
        self._answered = np.zeros(minutes, np.int64)
        self._mine: list[bool] = []
        self._pending: list[bool] = []

    def add(self, block: Block, keys: Sequence[Key]) -> None:
        """Count a block; ``keys`` are all keys known so far."""
        new = keys[len(self._mine) :]
        self._mine += map(self._meant, new)
        self._pending += (key.outcome in (Outcome.IN_PROGRESS, Outcome.CLOSED) for key in new)
        decided = block.answered | ~np.array(self._pending, np.bool_)[block.key]
        minute = np.floor(block.start / MINUTE).astype(np.int64)
        counted = np.array(self._mine, np.bool_)[block.key] & decided & (minute >= 0) & (minute < len(self._attempts))
        np.add.at(self._attempts, minute[counted], 1)
        np.add.at(self._answered, minute[counted & block.answered], 1)

    def value(self) -> float | None:
        """Return seconds without service, or None without an attempt."""
        if not self._attempts.any():
            return None
        return float(MINUTE * np.count_nonzero((self._attempts > 0) & (self._answered == 0)))
