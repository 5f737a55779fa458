"""Appointments of any length for any number of owners; :mod:`sbc.sip.alarms` is for those of a few fixed lengths."""

from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Final, Generic, TypeVar

Owner = TypeVar("Owner")
Name = TypeVar("Name", bound=Hashable)

_FEW: Final = 64


class _Entry(Generic[Owner, Name]):
    __slots__ = ("due", "name", "owner")

    def __init__(self, due: float, owner: Owner, name: Name) -> None:
        self.due = due
        """Seconds."""
        self.owner: Owner | None = owner
        self.name = name


Appointment = _Entry
"""What :meth:`Agenda.set` returns, to be called off with."""


class Agenda(Generic[Owner, Name]):
    """What is due when. Called-off entries let go of their owners at once, and of their places before they are most."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Entry[Owner, Name]]] = []
        """By time and number, so that no two compare their entries."""
        self._off = 0
        self._numbers = count()

    def set(self, due: float, owner: Owner, name: Name) -> _Entry[Owner, Name]:
        """Enter something that is due at a time, in seconds."""
        entry = _Entry(due, owner, name)
        heappush(self._heap, (due, next(self._numbers), entry))
        return entry

    def call_off(self, entry: _Entry[Owner, Name]) -> None:
        """Strike an entry out; nothing happens to one that is done."""
        if entry.owner is not None:
            entry.owner = None
            self._off += 1
            if self._off > _FEW and 2 * self._off > len(self._heap):
                self._heap = [each for each in self._heap if each[2].owner is not None]
                heapify(self._heap)
                self._off = 0

    def next(self) -> float:
        """Return when something is due next, ``inf`` for never."""
        heap = self._heap
        while heap:
            due, _, entry = heap[0]
            if entry.owner is not None:
                return due
            heappop(heap)
            self._off -= 1
        return inf

    def take(self, now: float) -> tuple[Owner, Name] | None:
        """Take out the earliest entry that is due, if there is one; of equals the one entered first."""
        if self.next() <= now and self._heap:
            entry = heappop(self._heap)[2]
            owner, entry.owner = entry.owner, None
            if owner is not None:
                return owner, entry.name
        return None

    def __len__(self) -> int:
        return len(self._heap) - self._off
