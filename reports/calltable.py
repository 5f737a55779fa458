"""Calls, counted: one cell for each combination of where calls went and when they began.

Records are taken in blocks. Each distinct :class:`Key` gets a number once; after that a call costs one look-up
and its share of a few numpy additions, however many queries are asked of the table later.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum, auto
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reports.summary import LOST, Loss
from scenarios.evidence import CallRecord, Direction, Outcome
from scenarios.expectations import Query

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Selectors = tuple[tuple[str, str], ...]

_MS_BITS = 32


class Key(NamedTuple):
    """What calls that are counted together have in common; fields as in the call record."""

    number: str
    destination: str
    direction: Direction
    trunk: str
    site: str
    queue: str
    outcome: Outcome
    reason: str
    final: bool
    sip: int

    def selected(self, selectors: Selectors) -> bool:
        """Whether calls with this key are meant.

        A number stands for the calls that dialled or showed it and for those routed to it, a limit for the calls
        that bear it as their reason: of blocked calls, those it refused. A cause stands for the calls of which the
        reason says that it was lost or resigned; a pair for both of its nodes.
        """
        return all(value in self._names(selector) for selector, value in selectors)

    def _names(self, selector: str) -> Collection[str]:
        match selector:
            case "number":
                return (self.number, self.destination)
            case "limit":
                return (self.reason,)
            case "cause":
                part, _, became = self.reason.rpartition(" ")
                pair = part.partition("/")[0]
                return (part, pair, self.reason, f"{pair} {became}")
            case _:
                return (str(getattr(self, selector)),)


class Block(NamedTuple):
    """Calls as columns; an absent time is NaN."""

    key: Ints
    start: Floats
    setup: Floats
    wait: Floats
    talk: Floats
    end: Floats

    @property
    def answered(self) -> Mask:
        """Which of them somebody answered."""
        return ~np.isnan(self.talk)


class Served(NamedTuple):
    """Which calls of a block count for the service level, as :class:`Measure` has it."""

    served: Mask
    in_time: Mask


_key_of = itemgetter(*(CallRecord._fields.index(name) for name in Key._fields))
_times_of = itemgetter(*(CallRecord._fields.index(name) for name in Block._fields[1:]))


class KeyIndex(dict[tuple[object, ...], int]):
    """Numbers keys in the order in which they turn up."""

    def __init__(self) -> None:
        super().__init__()
        self.keys_seen: list[Key] = []

    def __missing__(self, key: tuple[object, ...]) -> int:
        self.keys_seen.append(Key(*key))  # type: ignore[arg-type]  # itemgetter keeps no types
        number = self[key] = len(self)
        return number

    def block(self, records: Sequence[CallRecord]) -> Block:
        """Turn records into columns."""
        keys = np.fromiter(map(self.__getitem__, map(_key_of, records)), np.int64, len(records))
        times = np.array(list(map(_times_of, records)), np.float64)
        return Block(keys, *np.ascontiguousarray(times.T))


class Measure(Enum):
    """What is added up in each cell."""

    ATTEMPTS = auto()
    ANSWERED = auto()
    DELIVERED = auto()
    SERVED = auto()
    """Inbound calls delivered to a queue whose fate is known: answered, ended, or past its threshold."""
    TAKEN = auto()
    """Those of them that were answered."""
    IN_TIME = auto()
    """Those of them that were answered within the threshold."""
    WAITED = auto()
    """Seconds that answered callers of a queue had waited."""


class CallTable:
    """Sums over the calls of one replication, by key and by segment of the run.

    ``edges`` are the moments at which a window of some query begins or ends, ``answer_within`` the threshold
    of each queue, both in seconds.
    """

    def __init__(self, edges: Iterable[float], answer_within: Mapping[str, float]) -> None:
        self.index = KeyIndex()
        # Calls up at the start of the run fall before the first edge, into a segment of their own.
        self._edges = np.array(sorted({0.0, *edges}))
        self._segments = len(self._edges) + 1
        self._answer_within = answer_within
        self._sums = {measure: np.zeros(0) for measure in Measure}
        self._setup_ms: Counter[int] = Counter()
        """Set-up delays, coded as cell and milliseconds in one integer."""
        self._setup_sorted: tuple[Ints, Ints, Ints] | None = None
        self._masks: dict[object, Mask] = {}

    def add(self, block: Block) -> Served:
        """Count the calls of a block made by :attr:`index`, and return which of them queues served."""
        cell = block.key * self._segments + np.searchsorted(self._edges, block.start, side="right")
        delivered, answered = ~np.isnan(block.setup), block.answered
        threshold, pending = self._key_columns()
        within = threshold[block.key]
        waited = np.where(np.isnan(block.wait), block.end - block.start - block.setup, block.wait)
        served = delivered & ~np.isnan(within) & (answered | ~pending[block.key] | (waited > within))
        taken = served & answered
        in_time = taken & (waited <= within)
        for measure, amounts in (
            (Measure.ATTEMPTS, np.ones(len(cell))),
            (Measure.ANSWERED, answered),
            (Measure.DELIVERED, delivered),
            (Measure.SERVED, served),
            (Measure.TAKEN, taken),
            (Measure.IN_TIME, in_time),
            (Measure.WAITED, np.where(taken, waited, 0.0)),
        ):
            self._accumulate(measure, np.bincount(cell, amounts, self._cells).astype(np.float64))
        codes = cell[delivered] << _MS_BITS | np.rint(block.setup[delivered] * 1000).astype(np.int64)
        distinct, counts = np.unique(codes, return_counts=True)
        self._setup_ms.update(dict(zip(distinct.tolist(), counts.tolist(), strict=True)))
        self._setup_sorted = None
        return Served(served, in_time)

    @property
    def _cells(self) -> int:
        return len(self.index) * self._segments

    def _accumulate(self, measure: Measure, more: Floats) -> None:
        sums = self._sums[measure]
        if len(sums) < len(more):
            sums = self._sums[measure] = np.pad(sums, (0, len(more) - len(sums)))
        sums += more

    def _key_columns(self) -> tuple[Floats, Mask]:
        """Return, by key, the threshold of its queue (NaN without one) and whether its calls are in progress."""
        keys = self.index.keys_seen
        inbound = (key.queue if key.direction is Direction.INBOUND else "" for key in keys)
        threshold = np.array([self._answer_within.get(queue, math.nan) for queue in inbound])
        return threshold, np.array([key.outcome is Outcome.IN_PROGRESS for key in keys], np.bool_)

    def total(
        self,
        measure: Measure,
        query: Query,
        only: Callable[[Key], bool] | None = None,
        *,
        warm: bool = False,
    ) -> float:
        """Add up what ``query`` selects in its window; ``warm`` takes in calls that were up at the start."""
        keys = self._mask(query.selectors, only)
        sums = self._sums[measure].reshape(-1, self._segments)
        return float(sums[np.ix_(keys, self._window(query, warm))].sum())

    def setup_delay(self, query: Query, share: float) -> float | None:
        """Return the set-up delay that ``share`` of delivered attempts stay within, in seconds, to the ms."""
        chosen = np.outer(self._mask(query.selectors, None), self._window(query, warm=False)).ravel()
        cells, delays, counts = self._setup_columns()
        mine = chosen[cells]
        if not mine.any():
            return None
        reached = np.cumsum(counts[mine])
        needed = math.ceil(share * reached[-1] - 1e-9)
        return float(delays[mine][np.searchsorted(reached, needed)]) / 1000

    def delayed(self, query: Query, prompt: float) -> float:
        """Count delivered attempts whose set-up took more than ``prompt`` seconds."""
        chosen = np.outer(self._mask(query.selectors, None), self._window(query, warm=False)).ravel()
        cells, delays, counts = self._setup_columns()
        return float(counts[chosen[cells] & (delays > prompt * 1000)].sum())

    def _setup_columns(self) -> tuple[Ints, Ints, Ints]:
        """Return cells, milliseconds and counts of set-up delays, in order of delay."""
        if self._setup_sorted is None:
            codes = np.array(list(self._setup_ms), np.int64)
            counts = np.array(list(self._setup_ms.values()), np.int64)
            delays = codes & ((1 << _MS_BITS) - 1)
            order = np.argsort(delays, kind="stable")
            self._setup_sorted = codes[order] >> _MS_BITS, delays[order], counts[order]
        return self._setup_sorted

    def losses(self) -> dict[Loss, int]:
        """Return attempts without success by what became of them; cut-off calls from before the start count."""
        found: Counter[Loss] = Counter()
        by_key = self._sums[Measure.ATTEMPTS].reshape(-1, self._segments)
        for key, segments in zip(self.index.keys_seen, by_key, strict=True):
            if key.outcome in LOST:
                warm = key.outcome is Outcome.DROPPED
                found[Loss(key.direction, key.number, key.outcome, key.reason)] += round(
                    segments[0 if warm else 1 :].sum()
                )
        return {loss: count for loss, count in sorted(found.items()) if count}

    def _mask(self, selectors: Selectors, only: Callable[[Key], bool] | None) -> Mask:
        asked = (selectors, only)
        if asked not in self._masks or len(self._masks[asked]) != len(self.index):
            keys = self.index.keys_seen
            self._masks[asked] = np.array(
                [key.selected(selectors) and (only is None or only(key)) for key in keys], np.bool_
            )
        return self._masks[asked]

    def _window(self, query: Query, warm: bool) -> Mask:
        after = (-math.inf if warm else 0.0) if query.after is None else query.after
        before = math.inf if query.before is None else query.before
        begins = np.concatenate(([-math.inf], self._edges))
        ends = np.concatenate((self._edges, [math.inf]))
        window: Mask = (begins >= after) & (ends <= before)
        return window
