"""Routing: from the number dialled, through the number behind it, to trunk, pair and queue (G14, W8)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from scenarios.model import Number, Queue, Trunk
from scenarios.numberplan import forwarding, may_stand_behind


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call to a number goes."""

    number: str
    """The last number on the way."""
    trunk: str
    pair: str
    queue: str | None
    taps: tuple[str, ...]
    """The limits of numbers on the way, the dialled one first: of each that has one of its own (J7), and of each that
    is forwarded, under the name that :func:`~scenarios.numberplan.forwarding` gives (J3)."""
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
    """404 for a number nobody has, 482 for a loop (RFC 3261 §16.3), 403 for what is not contracted."""


NOT_IN_SERVICE = NoRoute("number not in service", 404)
NOT_INTELLIGENT = NoRoute("050 behind a plain free dial number", 403)
"""Only Free Dial Intelligent Service has a 050 number behind it (Z17)."""


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
        self._forwarded: dict[str, str] = {}
        self._known: dict[str, Route | NoRoute] = {}
        self._out: dict[str, Route | NoRoute] = {}

    def repoint(self, number: str, to: str) -> None:
        """Send calls to ``number`` on to ``to`` from now on (Z38)."""
        self._behind[number] = to
        self._known.clear()
        self._out.clear()

    def forward(self, number: str, to: str) -> None:
        """Let the carrier forward calls to ``number`` from now on; calls that show it leave as before (Z39)."""
        self._forwarded[number] = to
        self._known.clear()

    def route(self, dialled: str) -> Route | NoRoute:
        """Follow a number that is dialled to its trunk."""
        found = self._known.get(dialled)
        if found is None:
            found = self._known[dialled] = self._follow(dialled, {**self._behind, **self._forwarded})
        return found

    def leaving(self, shown: str) -> Route | NoRoute:
        """Follow a number that a call out shows to the trunk it leaves by: nothing forwards those calls."""
        found = self._out.get(shown)
        if found is None:
            found = self._out[shown] = self._follow(shown, self._behind, out=True)
        return found

    def _follow(self, first: str, leads_to: Mapping[str, str], *, out: bool = False) -> Route | NoRoute:
        way = [first]
        while (behind := leads_to.get(way[-1])) is not None:
            if behind in way:
                return NoRoute("routing loop", 482)
            way.append(behind)
        entry = self._numbers.get(way[-1])
        if entry is None:
            return NOT_IN_SERVICE
        if not out and any(
            not may_stand_behind(number, self._numbers[number].service, behind) for number, behind in pairwise(way)
        ):
            return NOT_INTELLIGENT
        taps = tuple(self._limits(way, out=out))
        calendars = tuple(self._hours(way, entry.queue))
        route: Route | None = None
        for trunk in reversed(entry.trunks):
            route = Route(way[-1], trunk, self._trunks[trunk].via, entry.queue, taps, route, calendars)
        return route or NOT_IN_SERVICE

    def _limits(self, way: Sequence[str], *, out: bool) -> Iterator[str]:
        for number in way:
            entry = self._numbers[number]
            if entry.tap is not None:
                yield number
            if not out and number in self._forwarded and entry.voice_warp is not None:
                yield forwarding(number)

    def _hours(self, way: Sequence[str], queue: str | None) -> Iterator[str]:
        yield from (calendar for number in way if (calendar := self._numbers[number].open) is not None)
        line = self._queues.get(queue) if queue is not None else None
        if line is not None and line.open is not None and line.ivr is None:
            yield line.open
