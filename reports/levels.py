"""Levels and the time axis: samples and attempts in bins, and the peaks against limits."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import ceil, inf

import numpy as np

from reports.calltable import Block, Ints, Key, Served
from reports.summary import Answered, Extremes, Timeline
from scenarios.evidence import SAMPLE_EVERY, Gauge, Outcome, Sample
from scenarios.expectations import Query

BINS = 120
"""About as many bins as a chart can show."""
WIDTHS = (10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
"""Widths of a bin, in seconds: multiples of the time between samples that a clock face knows."""

_OUTCOMES = tuple(Outcome)
PEAKS = (Gauge.PORTS, Gauge.REGISTERS)
"""Gauges whose sample is the most since the one before."""
_UNSEEN = -1
"""The level of a bin without a sample."""


def bin_width(lasts: float) -> float:
    """Return the narrowest width that gives a run of ``lasts`` seconds at most :data:`BINS` bins."""
    day = WIDTHS[-1]
    return float(next((width for width in WIDTHS if width * BINS >= lasts), day * ceil(lasts / day / BINS)))


class TimeAxis:
    """Attempts by outcome, levels and the service of ``queues``, in bins."""

    def __init__(self, lasts: float, queues: Iterable[str] = ()) -> None:
        self._width = bin_width(lasts)
        self._bins = max(ceil(lasts / self._width), 1)
        self._outcomes = np.zeros((len(_OUTCOMES), self._bins), np.int64)
        self._levels: dict[tuple[Gauge, str], tuple[list[int], list[int]]] = {}
        self._outcome_of: list[int] = []
        self._queues = {name: number for number, name in enumerate(queues)}
        self._queue_of: list[int] = []
        self._served = np.zeros((len(self._queues), self._bins), np.int64)
        self._in_time = np.zeros_like(self._served)

    def add(self, block: Block, keys: Sequence[Key], service: Served) -> None:
        """Count a block by the moment of its first dial; calls up at the start have none in the run."""
        new = keys[len(self._outcome_of) :]
        self._outcome_of += (_OUTCOMES.index(key.outcome) for key in new)
        self._queue_of += (self._queues.get(key.queue, -1) for key in new)
        began = block.start >= 0
        outcome = np.array(self._outcome_of, np.int64)[block.key[began]]
        at = np.minimum((block.start[began] / self._width).astype(np.int64), self._bins - 1)
        _count(self._outcomes, outcome, at)
        queue = np.array(self._queue_of, np.int64)[block.key[began]]
        for counts, chosen in ((self._served, service.served[began]), (self._in_time, service.in_time[began])):
            _count(counts, queue[chosen], at[chosen])

    def sample(self, sample: Sample) -> None:
        """Take a level into the bin of its moment; one that speaks for the time before it, into that of this time."""
        level = sample.gauge, sample.name
        if level not in self._levels:
            self._levels[level] = [_UNSEEN] * self._bins, [_UNSEEN] * self._bins
        lowest, highest = self._levels[level]
        at = ceil(sample.at / self._width) - 1 if sample.gauge in PEAKS else int(sample.at // self._width)
        at = min(max(at, 0), self._bins - 1)
        lowest[at] = sample.value if lowest[at] == _UNSEEN else min(lowest[at], sample.value)
        highest[at] = max(highest[at], sample.value)

    def timeline(self, until: float | None = None) -> Timeline:
        """Return what has been gathered; of a run that has come no further than ``until``, the bins begun by then."""
        played = self._bins if until is None else min(max(ceil(until / self._width), 1), self._bins)
        outcomes = zip(_OUTCOMES, self._outcomes.tolist(), strict=True)
        return Timeline(
            self._width,
            {outcome: array("i", bins[:played]) for outcome, bins in outcomes},
            {
                level: Extremes(_seen(lowest[:played]), _seen(highest[:played]))
                for level, (lowest, highest) in self._levels.items()
            },
            {
                name: Answered(
                    array("i", self._served[row, :played].tolist()), array("i", self._in_time[row, :played].tolist())
                )
                for name, row in self._queues.items()
            },
        )


def _count(counts: Ints, row: Ints, column: Ints) -> None:
    """Add one for each pair of a row and a column."""
    counts += np.bincount(row * counts.shape[1] + column, minlength=counts.size).reshape(counts.shape)


def _seen(bins: Sequence[int]) -> "array[int]":
    """Return the levels of bins; nothing at all counts as 0."""
    return array("i", (max(value, 0) for value in bins))


class PortPeaks:
    """Most calls at the same time against each limit, over the run and in the windows that are asked for."""

    def __init__(self, queries: Iterable[Query]) -> None:
        self._windows: defaultdict[str, dict[tuple[float, float], int | None]] = defaultdict(dict)
        for query in queries:
            if query.metric == "ports_peak":
                limit, window = _asked(query)
                self._windows[limit][window] = None
        self.overall: dict[str, int] = {}

    def sample(self, sample: Sample) -> None:
        """Take a sample; it speaks for the interval since the one before."""
        if sample.gauge is not Gauge.PORTS:
            return
        self.overall[sample.name] = max(self.overall.get(sample.name, 0), sample.value)
        windows = self._windows.get(sample.name, {})
        for window, peak in windows.items():
            after, before = window
            if max(sample.at - SAMPLE_EVERY, 0.0) >= after and sample.at <= before:
                windows[window] = max(peak or 0, sample.value)

    def value(self, query: Query) -> float | None:
        """Return the peak that ``query``, one of those given at first, asks for, or None without a sample."""
        limit, window = _asked(query)
        peak = self._windows[limit][window]
        return None if peak is None else float(peak)


class RegisterPeaks:
    """Most REGISTERs within one second at each site's registrar."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}

    def sample(self, sample: Sample) -> None:
        """Take a sample; it speaks for the interval since the one before."""
        if sample.gauge is Gauge.REGISTERS:
            self._of[sample.name] = max(self._of.get(sample.name, 0), sample.value)

    def value(self, site: str) -> float | None:
        """Return the peak at a site, or None without a sample."""
        peak = self._of.get(site)
        return None if peak is None else float(peak)


class PhonesLeast:
    """Fewest softphones at each site in the windows that are asked for."""

    def __init__(self, queries: Iterable[Query]) -> None:
        self._least: dict[Query, int | None] = {query: None for query in queries if query.metric == "softphones_least"}

    def sample(self, sample: Sample) -> None:
        """Take a sample; it speaks for its own moment."""
        if sample.gauge is not Gauge.SOFTPHONES:
            return
        for query, least in self._least.items():
            after, before = _window(query)
            if dict(query.selectors)["site"] == sample.name and after <= sample.at < before:
                self._least[query] = sample.value if least is None else min(least, sample.value)

    def value(self, query: Query) -> float | None:
        """Return the fewest that ``query``, one of those given at first, asks for, or None without a sample."""
        least = self._least[query]
        return None if least is None else float(least)


def _asked(query: Query) -> tuple[str, tuple[float, float]]:
    return dict(query.selectors)["limit"], _window(query)


def _window(query: Query) -> tuple[float, float]:
    return 0.0 if query.after is None else query.after, inf if query.before is None else query.before
