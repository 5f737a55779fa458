"""How things are timed and shown: turn about, the collector off for all, medians with the lowest and the highest.

Seconds are processor time: on a machine that others use too, the clock on the wall tells of them.
"""

import gc
import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks of every benchmark."""

    calls: int
    """Size of the workload, in callers."""
    repeats: int
    """How often each figure is taken."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Several takes of one figure."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, takes: Sequence[float]) -> "Spread":
        """Sum takes up; raises `statistics.StatisticsError` when there are none."""
        return cls(statistics.median(takes), min(takes), max(takes))

    def shown(self, form: str) -> str:
        """Return the median and, in brackets, the lowest and the highest."""
        return f"{self.median:{form}} ({self.low:{form}}–{self.high:{form}})"

    def json(self) -> Json:
        """Return it as plain data."""
        return asdict(self)


def timed(action: Callable[[], T]) -> tuple[float, T]:
    """Return the processor seconds an action takes and what it returns; no collection of garbage falls into it."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        result = action()
        return time.process_time() - began, result
    finally:
        if was_on:
            gc.enable()


def turn_about(actions: Mapping[K, Callable[[], T]], rounds: int) -> dict[K, list[T]]:
    """Carry out each action once a round, each round beginning with the next one.

    So all see the same ups and downs of a shared machine, and nobody always comes first.
    """
    names = list(actions)
    results: dict[K, list[T]] = {name: [] for name in names}
    for turn in range(rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            results[name].append(actions[name]())
    return results


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Return how many times ``ours`` is ``theirs``, round by round."""
    return Spread.of([a / b for a, b in zip(ours, theirs, strict=True)])


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text in columns: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        return "  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip()

    return "\n".join((line(header), "  ".join("-" * width for width in widths), *map(line, rows)))
