"""Connections on the simulated network: what is sent on one arrives in order, however often it takes, or it breaks.

Of TCP this has what SIP can notice: the handshake, a lost segment that is sent again, the order of arrival, a process
that has ended, a connection that one side knows nothing of. A message is one segment. Acknowledgements are not lost.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import simpy

from sbc.endpoints.endpoint import Broken
from sbc.endpoints.wire import Address, Datagram, Path
from scenarios.evidence import Fate
from sim.timer import later

if TYPE_CHECKING:
    from sim.packets.host import Host
    from sim.packets.network import Network

RTO = 1.0
"""Seconds until a segment is sent again: the first timeout and the least one (RFC 6298 §2.1, §2.4); it doubles (§5.5).
Links take milliseconds, so that it stays the least. Linux has 0.2 s as its least."""
LONGEST_RTO = 64.0
"""The last timeout: after 127 s a connection is given up; RFC 1122 §4.2.3.5 asks for 100 s at least."""

Name: TypeAlias = tuple[Address, Address, str]


class End(NamedTuple):
    """One side of a connection: a process, by its host and how many have ended there before it."""

    host: "Host"
    life: int


class Segment:
    """A message on its way."""

    __slots__ = ("arrived", "datagram")

    def __init__(self, datagram: Datagram) -> None:
        self.datagram = datagram
        self.arrived = False


class Connection:
    """Both ends that know of it, and for each direction, by its source, what has not been delivered."""

    __slots__ = ("ends", "up", "ways")

    def __init__(self) -> None:
        self.ends: dict[Address, End] = {}
        self.up = False
        """Whether the handshake is done."""
        self.ways: dict[Address, deque[Segment]] = {}


class Streams:
    """All connections; two addresses have one at most, which exists from the first message on."""

    def __init__(self, env: simpy.Environment, network: "Network") -> None:
        self._env = env
        self._network = network
        self._found: dict[Name, Connection] = {}
        self._of: dict[Host, dict[Name, None]] = {}

    def send(self, host: "Host", datagram: Datagram) -> None:
        """Send on the connection that there is, or make one: a handshake takes a round trip."""
        path = datagram.path
        name, here = _name(path), _end(host)
        connection = self._found.get(name)
        if connection is None or connection.ends.get(path.local, here) != here:
            connection = self._new(name)
            self._knock(name, connection, datagram, RTO)
        self._join(name, connection, path.local, here)
        segment = Segment(datagram)
        connection.ways.setdefault(path.local, deque()).append(segment)
        if connection.up:
            self._try(connection, segment, RTO)

    def stands(self, path: Path) -> None:
        """Let a connection stand between two addresses that are held."""
        name = _name(path)
        connection = self._new(name)
        connection.up = True
        for address in (path.local, path.remote):
            holder = self._network.holder(address)
            if holder is None:
                raise ValueError(f"nobody holds {address}")
            self._join(name, connection, address, _end(holder))

    def ended(self, host: "Host") -> None:
        """The process of a host ends now; its system says so on every connection, unless it is gone itself."""
        for name in self._of.pop(host, {}):
            connection = self._found.get(name)
            if connection is not None and not host.silent:
                near, far = name[:2] if connection.ends.get(name[0]) == _end(host) else name[1::-1]
                self._close(connection, Path(near, far, name[2]), RTO)

    # A connection comes and goes.

    def _new(self, name: Name) -> Connection:
        connection = self._found[name] = Connection()
        return connection

    def _join(self, name: Name, connection: Connection, address: Address, end: End) -> None:
        connection.ends[address] = end
        self._of.setdefault(end.host, {})[name] = None

    def _stands(self, connection: Connection, path: Path) -> bool:
        return self._found.get(_name(path)) is connection

    def _knock(self, name: Name, connection: Connection, datagram: Datagram, wait: float) -> None:
        """Send a SYN, and again until it is answered."""
        path = datagram.path
        if connection.up or not self._stands(connection, path):
            return
        if wait > LONGEST_RTO:
            self._break(connection, path)
            return
        self._after(path, datagram, partial(self._knocked, name, connection, datagram))
        later(self._env, wait, partial(self._knock, name, connection, datagram, 2 * wait))

    def _knocked(self, name: Name, connection: Connection, datagram: Datagram) -> None:
        path = datagram.path
        holder = self._network.holder(path.remote)
        if holder is None or not self._stands(connection, path):
            return
        self._network.meets(holder, datagram)
        if holder.silent:
            return
        if holder.endpoint is None:
            self._after(path.back(), datagram, partial(self._break, connection, path))
        else:
            self._join(name, connection, path.remote, _end(holder))
            self._after(path.back(), datagram, partial(self._open, connection, path))

    def _open(self, connection: Connection, path: Path) -> None:
        if not connection.up and self._stands(connection, path):
            connection.up = True
            for way in list(connection.ways.values()):
                for segment in list(way):
                    self._try(connection, segment, RTO)

    def _close(self, connection: Connection, path: Path, wait: float) -> None:
        """Tell the far end that there is no connection any more, and again if that is lost."""
        if not self._stands(connection, path) or wait > LONGEST_RTO:
            return
        fate, takes = self._network.crossing(path, None)
        if fate is Fate.SENT:
            later(self._env, takes, partial(self._break, connection, path.back()))
        else:
            later(self._env, wait, partial(self._close, connection, path, 2 * wait))

    def _break(self, connection: Connection, path: Path) -> None:
        """One side learns that the connection is none; ``path`` is that side's."""
        if self._stands(connection, path):
            name = _name(path)
            del self._found[name]
            for end in connection.ends.values():
                self._of.get(end.host, {}).pop(name, None)
            told = connection.ends.get(path.local)
            if told is not None and told == _end(told.host):
                told.host.tell(Broken(path))

    def _after(self, path: Path, datagram: Datagram, action: Callable[[], None]) -> None:
        """Let something happen when a packet that makes or ends a connection has got to the end of a path, if it does.

        ``datagram`` is what the connection is for.
        """
        fate, takes = self._network.crossing(path, datagram)
        if fate is Fate.SENT:
            later(self._env, takes, action)

    # What is sent on it.

    def _try(self, connection: Connection, segment: Segment, wait: float) -> None:
        """Send a segment, for the first time or again."""
        datagram = segment.datagram
        path = datagram.path
        sender = connection.ends[path.local]
        if not self._stands(connection, path) or sender != _end(sender.host):
            return
        if wait > LONGEST_RTO:
            self._break(connection, path)
            return
        fate, takes = self._network.crossing(path, datagram)
        self._network.note(sender.host.name, datagram, fate)
        if fate is Fate.SENT:
            later(self._env, takes, partial(self._arrive, connection, segment, self._env.now + wait, 2 * wait))
        else:
            later(self._env, wait, partial(self._try, connection, segment, 2 * wait))

    def _arrive(self, connection: Connection, segment: Segment, again: float, wait: float) -> None:
        """Let a segment meet whoever holds its address; ``again`` is when it is sent the next time, if need be."""
        datagram = segment.datagram
        path = datagram.path
        if not self._stands(connection, path):
            return
        holder = self._network.holder(path.remote)
        if holder is None or holder.silent:
            if holder is not None:
                self._network.meets(holder, datagram)
            later(self._env, max(again - self._env.now, 0.0), partial(self._try, connection, segment, wait))
        elif connection.ends.get(path.remote) != _end(holder):
            self._network.meets(holder, datagram)
            fate, takes = self._network.crossing(path.back(), datagram)
            if fate is Fate.SENT:
                later(self._env, takes, partial(self._break, connection, path))
            else:
                later(self._env, max(again - self._env.now, 0.0), partial(self._try, connection, segment, wait))
        else:
            segment.arrived = True
            self._deliver(connection, path)

    def _deliver(self, connection: Connection, path: Path) -> None:
        """Deliver what has arrived, as far as nothing before it is missing."""
        way = connection.ways[path.local]
        while way and way[0].arrived:
            self._network.arrive(way.popleft().datagram)
        if not way:
            connection.ways.pop(path.local, None)


def _name(path: Path) -> Name:
    """Return what a connection is called at both of its ends."""
    one, other = sorted((path.local, path.remote))
    return one, other, path.transport


def _end(host: "Host") -> End:
    return End(host, host.lives)
