"""Outages: the minutes of a run in which callers tried and nobody got through."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reports.calltable import Block, Key
from scenarios.evidence import Outcome

MINUTE = 60
"""Seconds of a window."""


class Outage(NamedTuple):
    """An outage of one replication, seconds since the start of the run."""

    minutes: list[int]
    """The beginnings of its minutes; those in which nobody tried are not among them."""
    back_by: int | None
    """The end of the minute in which somebody got through again; None where nobody did."""


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
        return float(MINUTE * np.count_nonzero(self._down))

    @property
    def _down(self) -> npt.NDArray[np.bool_]:
        """Which minutes are without service."""
        down: npt.NDArray[np.bool_] = (self._attempts > 0) & (self._answered == 0)
        return down

    def outages(self) -> list[Outage]:
        """Return the outages, the first of them first: an outage lasts until somebody gets through again."""
        found: list[Outage] = []
        back = np.flatnonzero(self._answered)
        for minute in np.flatnonzero(self._down).tolist():
            following = int(np.searchsorted(back, minute))
            until = MINUTE * (int(back[following]) + 1) if following < len(back) else None
            if found and found[-1].back_by == until:
                found[-1].minutes.append(MINUTE * minute)
            else:
                found.append(Outage([MINUTE * minute], until))
        return found
