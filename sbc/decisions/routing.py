"""Routing: from the number dialled, through the number behind it, to trunk, pair and queue (G14, W8)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from scenarios.model import Number, Queue, Trunk


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call to a number goes."""

    number: str
    """The last number on the way."""
    trunk: str
    pair: str
    queue: str | None
    taps: tuple[str, ...]
    """The numbers on the way, the dialled one first, that have a limit of their own (J7)."""
    otherwise: "Route | None" = None
    """The same by the next trunk of the list."""
    calendars: tuple[str, ...] = ()
    """The hours of the numbers on the way and, unless an IVR comes first, of the queue."""

    @property
    def ways(self) -> "Iterator[Route]":
        """This route and those by the trunks that follow."""
        way: Route | None = self
        while way is not None:
            yield way
            way = way.otherwise


@dataclass(frozen=True, slots=True)
class NoRoute:
    """A call to this number leads nowhere."""

    reason: str
    sip: int
    """404 for a number nobody has, 482 for a loop (RFC 3261 §16.3)."""


NOT_IN_SERVICE = NoRoute("number not in service", 404)


class RoutingTable:
    """The numbers of a plan, some of which a step may re-point while calls go on."""

    def __init__(
        self,
        numbers: Mapping[str, Number],
        trunks: Mapping[str, Trunk],
        queues: Mapping[str, Queue] = MappingProxyType({}),
    ) -> None:
        self._numbers = numbers
        self._trunks = trunks
        self._queues = queues
        self._behind = {number: entry.to for number, entry in numbers.items() if entry.to is not None}
        self._known: dict[str, Route | NoRoute] = {}

    def repoint(self, number: str, to: str) -> None:
        """Send calls to ``number`` on to ``to`` from now on (Z38)."""
        self._behind[number] = to
        self._known.clear()

    def route(self, dialled: str) -> Route | NoRoute:
        """Follow a number to its trunk."""
        found = self._known.get(dialled)
        if found is None:
            found = self._known[dialled] = self._follow(dialled)
        return found

    def _follow(self, dialled: str) -> Route | NoRoute:
        way = [dialled]
        while (behind := self._behind.get(way[-1])) is not None:
            if behind in way:
                return NoRoute("routing loop", 482)
            way.append(behind)
        entry = self._numbers.get(way[-1])
        if entry is None:
            return NOT_IN_SERVICE
        taps = tuple(number for number in way if self._numbers[number].tap is not None)
        calendars = tuple(self._hours(way, entry.queue))
        route: Route | None = None
        for trunk in reversed(entry.trunks):
            route = Route(way[-1], trunk, self._trunks[trunk].via, entry.queue, taps, route, calendars)
        return route or NOT_IN_SERVICE

    def _hours(self, way: Sequence[str], queue: str | None) -> Iterator[str]:
        yield from (calendar for number in way if (calendar := self._numbers[number].open) is not None)
        line = self._queues.get(queue) if queue is not None else None
        if line is not None and line.open is not None and line.ivr is None:
            yield line.open
