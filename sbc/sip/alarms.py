"""Alarms of a few lengths for any number of owners."""

from collections import OrderedDict
from collections.abc import Hashable
from math import inf
from typing import Generic, TypeVar

Owner = TypeVar("Owner", bound=Hashable)
Name = TypeVar("Name", bound=Hashable)


class Alarms(Generic[Owner, Name]):
    """Alarms by owner, name and length in seconds; however many run, to set, cancel or find one takes the same time.

    Alarms of one length ring in the order in which they were set, so that a queue for each length is in order by
    itself, and the next to ring is the first of a queue. Time must not run backwards from one :meth:`set` to the next.
    """

    __slots__ = ("_heads", "_next", "_numbers", "_queues")

    def __init__(self) -> None:
        self._numbers: dict[tuple[Name, float], int] = {}
        """Of the queue for each alarm."""
        self._queues: list[tuple[tuple[Name, float], OrderedDict[Owner, float]]] = []
        self._heads: list[float] = []
        """When the first of each queue rings; ``inf`` where it is empty."""
        self._next = inf
        """The least of them."""

    def set(self, owner: Owner, alarm: tuple[Name, float], now: float) -> None:
        """Let an alarm, a name and a length, ring that many seconds from now; an owner may set each alarm once."""
        due = now + alarm[1]
        number = self._numbers.get(alarm)
        if number is None:
            number = self._numbers[alarm] = len(self._queues)
            self._queues.append((alarm, OrderedDict()))
            self._heads.append(inf)
        self._queues[number][1][owner] = due
        if due < self._heads[number]:
            self._heads[number] = due
            if due < self._next:
                self._next = due

    def cancel(self, owner: Owner, alarm: tuple[Name, float]) -> None:
        """Stop an alarm; raises KeyError if it is not set."""
        number = self._numbers[alarm]
        queue = self._queues[number][1]
        if queue.pop(owner) == self._heads[number]:
            self._behead(number, queue)

    def next(self) -> float:
        """Return when the next alarm rings, ``inf`` for never."""
        return self._next

    def ring(self, now: float) -> tuple[Owner, tuple[Name, float]] | None:
        """Take out the earliest alarm that is due, if there is one."""
        if self._next > now or self._next == inf:
            return None
        number = self._heads.index(self._next)
        alarm, queue = self._queues[number]
        owner, _ = queue.popitem(last=False)
        self._behead(number, queue)
        return owner, alarm

    def _behead(self, number: int, queue: OrderedDict[Owner, float]) -> None:
        """Take in that the first of a queue has gone."""
        self._heads[number] = next(iter(queue.values()), inf)
        self._next = min(self._heads)

    def __len__(self) -> int:
        return sum([len(queue) for _, queue in self._queues])
