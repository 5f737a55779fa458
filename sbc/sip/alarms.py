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

    __slots__ = ("_next", "_queues")

    def __init__(self) -> None:
        self._queues: dict[tuple[Name, float], OrderedDict[Owner, float]] = {}
        self._next: float | None = inf
        """When the next alarm rings; None while nobody has looked."""

    def set(self, owner: Owner, alarm: tuple[Name, float], now: float) -> None:
        """Let an alarm, a name and a length, ring that many seconds from now; an owner may set each alarm once."""
        due = now + alarm[1]
        queue = self._queues.get(alarm)
        if queue is None:
            queue = self._queues[alarm] = OrderedDict()
        queue[owner] = due
        if self._next is not None and due < self._next:
            self._next = due

    def cancel(self, owner: Owner, alarm: tuple[Name, float]) -> None:
        """Stop an alarm; raises KeyError if it is not set."""
        if self._queues[alarm].pop(owner) == self._next:
            self._next = None

    def next(self) -> float:
        """Return when the next alarm rings, ``inf`` for never."""
        if self._next is None:
            self._next = min([next(iter(queue.values())) for queue in self._queues.values() if queue], default=inf)
        return self._next

    def ring(self, now: float) -> tuple[Owner, tuple[Name, float]] | None:
        """Take out the earliest alarm that is due, if there is one."""
        due = self.next()
        if due <= now:
            for alarm, queue in self._queues.items():
                if queue and next(iter(queue.values())) == due:
                    self._next = None
                    return queue.popitem(last=False)[0], alarm
        return None

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))
