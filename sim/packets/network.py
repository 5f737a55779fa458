"""The simulated network: segments, links between them, and addresses that move from one machine to another."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any

import simpy

from sbc.endpoints.endpoint import Broken, Claimed, Transmit
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.sip.transaction import Send
from scenarios.evidence import Fate, WireRecord, WireRecorder
from sim.links import Link as Degraded
from sim.log import Log
from sim.packets.host import Host
from sim.packets.kinds import met
from sim.packets.streams import Streams
from sim.timer import later

_SENT = Fate.SENT
"""Every datagram needs it, and up to Python 3.11 to read a member off its enumeration takes ten times as long."""
DELAY = 0.001
"""Seconds that a link of the plan takes, one way, unless it says otherwise."""
ARP_TIMEOUT = 30.0
"""Seconds after which a segment asks again who has an address that was taken over without announcement."""


@dataclass(slots=True, eq=False)
class Link:
    """What lies between two segments: a trunk, an office's line, the line between the nodes of a pair, a LAN."""

    delay: float = DELAY
    degraded: Degraded = field(default_factory=Degraded)
    """What faults add to it."""
    cut_by: dict[str, None] = field(default_factory=dict)
    """The faults that cut it: nothing passes."""
    cut_towards: dict[str, dict[str, None]] = field(default_factory=dict)
    """By segment, the faults that cut one direction: nothing passes to it, and all that comes from it does."""
    doubles: Callable[[], bool] | None = None
    """Draws whether the next datagram arrives twice, each copy as late as it happens to be; connections do not mind."""
    refuses: bool = False
    """Whether a cut is noticed: the sender hears at once that its target is unreachable."""

    def cut(self, towards: str) -> Collection[str]:
        """Return the faults that let nothing pass to a segment."""
        one_way = self.cut_towards.get(towards) if self.cut_towards else None
        return (*self.cut_by, *one_way) if one_way else self.cut_by


class _Crossing(simpy.Event):
    """A datagram on its way: a slim event such as :class:`~sim.timer.Timer`, scheduled but once."""

    __slots__ = ("callbacks", "datagram")

    _ok = True
    _value = None

    def __init__(self, callbacks: list[Callable[[Any], None]], datagram: Datagram) -> None:
        self.callbacks = callbacks
        self.datagram = datagram


class Network:
    """Carries datagrams between hosts; every datagram is one event."""

    def __init__(
        self, env: simpy.Environment, log: Log, *, wire: WireRecorder | None = None, strict: bool = False
    ) -> None:
        """``wire`` hears every datagram; ``strict``: receivers get bytes and parse them, whoever sent them."""
        self._env = env
        self._log = log
        self._wire = wire
        self._strict = strict
        self._segments: dict[str, str] = {}
        """By IP address."""
        self._links: dict[tuple[str, str], Link] = {}
        self._holders: dict[Address, Host] = {}
        """Whom the others take for the holder of an address: whoever announced it last."""
        self._claims: dict[Address, dict[Host, None]] = {}
        """All who hold an address, in order; more than one after a split brain."""
        self._streams = Streams(env, self)
        self._on_arrival: list[Callable[[Any], None]] = [lambda crossing: self.arrive(crossing.datagram)]

    # Topology.

    def place(self, host: str, segment: str) -> None:
        """Put an IP address into a segment."""
        self._segments[host] = segment

    def connect(self, one: str, other: str, link: Link) -> None:
        """Join two segments, or let the machines of one reach each other by a link of its own."""
        self._links[one, other] = self._links[other, one] = link

    def link(self, source: Address, target: Address) -> Link | None:
        """Return the link on the way from one address to another; None where there is no way."""
        return self._links.get((self._segments.get(source.host, ""), self._segments.get(target.host, "")))

    def segment(self, address: Address) -> str:
        """Return the segment that an address is in."""
        return self._segments[address.host]

    # Addresses.

    def hold(
        self, host: Host, address: Address, *, announce: bool = True, transports: Collection[str] | None = None
    ) -> None:
        """Let a host have an address; unannounced, the others notice when the last holder gives it up or ARP ages.

        Whoever else holds it hears the announcement: :class:`~sbc.endpoints.endpoint.Claimed`. ``transports`` are those
        that it needs, which matters where they cost something; None for all.
        """
        claims = self._claims.setdefault(address, {})
        claims.pop(host, None)
        if announce:
            for other in claims:
                later(self._env, 0.0, partial(other.tell, Claimed(address)))
        claims[host] = None
        if announce or address not in self._holders:
            self._holders[address] = host
        else:
            later(self._env, ARP_TIMEOUT, partial(self._ask_again, address, host))

    def release(self, host: Host, address: Address) -> None:
        """Let a host give an address up; if another holds it too, the others find that one now."""
        claims = self._claims.get(address, {})
        claims.pop(host, None)
        if self._holders.get(address) is host:
            if claims:
                self._holders[address] = next(reversed(claims))
            else:
                del self._holders[address]

    def holder(self, address: Address) -> Host | None:
        """Return the host that gets what is sent to an address now."""
        holder = self._holders.get(address)
        return None if holder is None else holder.behind(address)

    def _ask_again(self, address: Address, host: Host) -> None:
        if host in self._claims.get(address, {}):
            self._holders[address] = host

    # Traffic.

    def send(self, host: Host, output: Send | Transmit) -> None:
        """Carry what an endpoint sends: it arrives once, later, several times or never."""
        if type(output) is Transmit:
            datagram = Datagram(output.path, None, output.data)
        else:
            assert type(output) is Send  # noqa: S101 - one of the two it is
            assert isinstance(output.flow, Path)  # noqa: S101 - endpoints have no other flows
            datagram = Datagram(output.flow, output.message)
        path = datagram.path
        link = self.link(path.local, path.remote)
        if link is None or (link.refuses and link.cut(self._segments[path.remote.host])):
            self.note(host.name, datagram, self._over(link, path, datagram)[0])
            later(self._env, 0.0, partial(host.tell, Broken(path)))
        elif path.reliable:
            self._streams.send(host, datagram)
        else:
            self._cross(host, link, datagram)
            if link.doubles is not None and link.doubles():
                self._cross(host, link, datagram)

    def stands(self, path: Path) -> None:
        """Let a connection stand between two addresses as if it had been made before."""
        self._streams.stands(path)

    def ended(self, host: Host) -> None:
        """A process has ended; whoever had a connection with it hears so from its machine, if that is there."""
        self._streams.ended(host)

    def began(self, host: Host) -> None:
        """A process has begun on a host."""

    def _cross(self, host: Host, link: Link, datagram: Datagram) -> None:
        fate, takes = self._over(link, datagram.path, datagram)
        if self._wire is not None:
            self.note(host.name, datagram, fate)
        if fate is _SENT:
            self._env.schedule(_Crossing(self._on_arrival, datagram), delay=takes)

    def crossing(self, path: Path, of: Datagram | None) -> tuple[Fate, float]:
        """Return what becomes of the next packet on a path, and how long it takes, seconds; ``inf`` for ever.

        ``of`` is what it carries, or is sent for, and so what the journal calls it if it meets a fault.
        """
        return self._over(self.link(path.local, path.remote), path, of)

    def _over(self, link: Link | None, path: Path, of: Datagram | None) -> tuple[Fate, float]:
        if link is None:
            return Fate.UNREACHABLE, inf
        if cut := link.cut(self.segment(path.remote)):
            self._log.effect(cut, met(of))
            return Fate.CUT, inf
        late = link.degraded.crossing(self._log, met(of)) if link.degraded.degraded_by else 0.0
        return (Fate.LOST, inf) if late == inf else (_SENT, link.delay + late)

    def arrive(self, datagram: Datagram) -> None:
        """Let a datagram meet whoever holds its address."""
        holder = self.holder(datagram.path.remote)
        if holder is None:
            return
        if not holder.answers:
            self.meets(holder, datagram)
        holder.receive(Datagram(datagram.path, None, datagram.data) if self._strict else datagram)

    def meets(self, holder: Host, datagram: Datagram) -> None:
        """Write down that something has met a host that does not answer."""
        if not holder.answers:
            self._log.effect((*holder.down_by, *holder.hung_by), met(datagram))

    def there(self, address: Address) -> tuple[str, bool]:
        """Return the machine that an address leads to now, or "", and whether a process runs there that answers."""
        holder = self.holder(address)
        return ("", False) if holder is None else (holder.name, holder.answers)

    def note(self, sender: str, datagram: Datagram, fate: Fate, call: str = "") -> None:
        """Tell the wire recorder of a datagram that is sent, and by which host.

        ``call``: the attempt that it is of, where it does not say so itself.
        """
        if self._wire is not None:
            path = datagram.path
            receiver, heard = self.there(path.remote)
            self._wire.wire(
                WireRecord(
                    self._env.now,
                    path.local.host,
                    path.local.port,
                    path.remote.host,
                    path.remote.port,
                    path.transport,
                    datagram.data,
                    fate,
                    sender,
                    receiver,
                    heard,
                    call,
                )
            )
