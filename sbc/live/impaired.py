"""A worse network than loopback: put before a transport, it cuts, delays, loses, doubles and reorders.

It looks at the far end of each message, so that two processes of one machine are as far apart as somebody wants. What
is lost and cut never comes to the sockets, or from them to the receiver. On a connection nothing can be lost: there it
is late, in order, and waits while there is a cut, as TCP would send it again. Handshakes and acknowledgements pass.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Flag, auto
from functools import partial
from heapq import heappop, heappush
from math import inf

from sbc.decisions.link import lateness
from sbc.endpoints.endpoint import Broken
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.live.transport import QUEUE, SIP, Receiver, Transport


class Direction(Flag):
    """Which way traffic goes, as this process sees it."""

    OUT = auto()
    IN = auto()
    BOTH = OUT | IN


@dataclass(frozen=True, slots=True)
class Degraded:
    """What a way does to each message; shares are from 0 to 1."""

    delay: float = 0.0
    """Seconds that each is late."""
    jitter: float = 0.0
    """Most seconds that each is later than that, drawn evenly; datagrams may pass each other."""
    delays: tuple[float, ...] = ()
    """Seconds that each is late besides: one of these, drawn evenly, and so of any distribution."""
    loss: float = 0.0
    """Share of datagrams that never arrive."""
    doubled: float = 0.0
    """Share of datagrams that arrive twice, each as late as it happens to be."""
    overtaking: float = 0.0
    """Share of datagrams that are not late, and so pass those sent before; needs a delay."""

    def __post_init__(self) -> None:
        if self.overtaking and not self.delay:
            raise ValueError("without a delay there is nothing to overtake")


@dataclass(slots=True)
class Fates:
    """What has become of messages here, and nowhere else."""

    cut: int = 0
    lost: int = 0
    doubled: int = 0
    dropped: int = 0
    """For want of room among those that are late."""


@dataclass(slots=True, eq=False)
class _Way:
    """One direction between this process and a far host."""

    how: Degraded = field(default_factory=Degraded)
    cut: bool = False


@dataclass(slots=True, eq=False)
class _Stream:
    """What is late on a connection, in one direction: when it is to go on, and how."""

    way: _Way
    late: deque[tuple[float, Callable[[], None]]] = field(default_factory=deque)


class Impaired:
    """A transport before another one."""

    def __init__(self, transport: Transport, draw: Callable[[], float], *, room: int = QUEUE) -> None:
        """``draw`` returns numbers from 0 to 1, evenly; ``room`` is how many messages may be late at once."""
        self.fates = Fates()
        self._transport = transport
        self._draw = draw
        self._room = room
        self._late = 0
        self._loop = asyncio.get_running_loop()
        self._datagrams: list[tuple[float, int, Callable[[], None]]] = []
        """Those that are late: when each goes on, its number, how; the loop's own timers keep no order at one time."""
        self._number = 0
        self._wake_up = inf
        self._ways: dict[tuple[str, Direction], _Way] = {}
        self._streams: dict[tuple[Path, Direction], _Stream] = {}

    # What faults do.

    def degrade(self, host: str, how: Degraded, direction: Direction = Direction.BOTH) -> None:
        """Let messages to or from a far host fare so from now on; ``Degraded()`` ends it."""
        for way in self._between(host, direction):
            way.how = how

    def cut(self, host: str, direction: Direction = Direction.BOTH) -> None:
        """Let nothing pass to a far host, or from it, or either."""
        for way in self._between(host, direction):
            way.cut = True

    def heal(self, host: str, direction: Direction = Direction.BOTH) -> None:
        """Undo a cut; what waits on connections goes on."""
        for way in self._between(host, direction):
            way.cut = False
        for key in list(self._streams):
            self._go_on(key, -inf)

    # The transport.

    def hold(
        self, receiver: Receiver, address: Address, *, shared: bool = False, transports: Collection[str] = SIP
    ) -> None:
        """Open an address; raises BindError."""
        self._transport.hold(_Behind(self, receiver), address, shared=shared, transports=transports)

    def release(self, address: Address) -> None:
        """Close an address; what is late on its way from there is lost."""
        self._transport.release(address)

    def send(self, path: Path, data: bytes) -> None:
        """Send a message, if it comes through."""
        self.crosses(path, Direction.OUT, partial(self._transport.send, path, data))

    def crosses(self, path: Path, direction: Direction, action: Callable[[], None], *, doubles: bool = True) -> None:
        """Do what a message does at the end of its way: now, later, twice or never; ``path`` is this process's."""
        way = self._ways.get((path.remote.host, direction))
        if way is None:
            action()
        elif path.reliable:
            self._in_order((path, direction), way, action)
        elif way.cut:
            self.fates.cut += 1
        else:
            self._once(way.how, action)
            if doubles and self._hits(way.how.doubled):
                self.fates.doubled += 1
                self._once(way.how, action)

    def _between(self, host: str, direction: Direction) -> list[_Way]:
        return [self._ways.setdefault((host, each), _Way()) for each in Direction if each in direction]

    def _hits(self, share: float) -> bool:
        return share > 0.0 and self._draw() < share

    def _delay(self, how: Degraded) -> float:
        drawn = how.delays[int(self._draw() * len(how.delays))] if how.delays else 0.0
        return how.delay + drawn + (how.jitter * self._draw() if how.jitter else 0.0)

    # Datagrams.

    def _once(self, how: Degraded, action: Callable[[], None]) -> None:
        delay = 0.0 if self._hits(how.overtaking) else self._delay(how)
        late = lateness(how.loss, self._draw() if how.loss else 1.0, delay)
        if late == inf:
            self.fates.lost += 1
        elif late == 0.0:
            action()
        elif self._admitted():
            self._number += 1
            heappush(self._datagrams, (self._loop.time() + late, self._number, action))
            self._sleep()

    def _sleep(self) -> None:
        if self._datagrams and self._datagrams[0][0] < self._wake_up:
            self._wake_up = self._datagrams[0][0]
            self._loop.call_at(self._wake_up, self._wake, self._wake_up)

    def _wake(self, due: float) -> None:
        if due != self._wake_up:  # superseded by an earlier one, which has set another since
            return
        now = max(due, self._loop.time())
        while self._datagrams and self._datagrams[0][0] <= now:
            self._arrive(heappop(self._datagrams)[2])
        self._wake_up = inf
        self._sleep()

    def _admitted(self) -> bool:
        if self._late >= self._room:
            self.fates.dropped += 1
            return False
        self._late += 1
        return True

    def _arrive(self, action: Callable[[], None]) -> None:
        self._late -= 1
        action()

    # Connections.

    def _in_order(self, key: tuple[Path, Direction], way: _Way, action: Callable[[], None]) -> None:
        stream = self._streams.get(key)
        late = self._delay(way.how)
        if stream is None and not late and not way.cut:
            action()
        elif self._admitted():
            if stream is None:
                stream = self._streams[key] = _Stream(way)
            stream.late.append((self._loop.time() + late, action))
            if len(stream.late) == 1 and not way.cut:
                self._go_on_at(key, stream.late[0][0])

    def _go_on_at(self, key: tuple[Path, Direction], due: float) -> None:
        self._loop.call_at(due, self._go_on, key, due)

    def _go_on(self, key: tuple[Path, Direction], now: float) -> None:
        """Let all go on whose time has come; the first that waits decides for those behind it."""
        now = max(now, self._loop.time())
        stream = self._streams.get(key)
        while stream is not None and stream.late and not stream.way.cut:
            due, action = stream.late[0]
            if due > now:
                self._go_on_at(key, due)
                return
            stream.late.popleft()
            if not stream.late:
                del self._streams[key]
                stream = None
            self._arrive(action)


class _Behind:
    """A receiver at the end of a way that is worse than the real one."""

    def __init__(self, impaired: Impaired, receiver: Receiver) -> None:
        self._impaired = impaired
        self._receiver = receiver

    def receive(self, datagram: Datagram) -> None:
        """Let what has arrived come through, or not."""
        arrive = partial(self._receiver.receive, datagram)
        self._impaired.crosses(datagram.path.back(), Direction.IN, arrive)

    def tell(self, event: object) -> None:
        """Let word of a broken path come through, or not: it comes from the far end, too."""
        tell = partial(self._receiver.tell, event)
        if isinstance(event, Broken):
            self._impaired.crosses(event.path, Direction.IN, tell, doubles=False)
        else:
            tell()
