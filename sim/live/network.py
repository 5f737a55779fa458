"""The network of the packet engine on real sockets: addresses of 127.0.0.0/8, and faults of links put in front."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Final, NamedTuple

from sbc.endpoints.endpoint import Broken, Transmit
from sbc.endpoints.naming import Naming
from sbc.endpoints.wire import RELIABLE, Address, Datagram, Path
from sbc.live.transport import SIP, Transport
from sbc.sip.errors import ParseError
from sbc.sip.message import Request, parse
from sbc.sip.transaction import Send
from scenarios.evidence import Fate, WireRecorder
from sim.live.paced import PacedEnvironment
from sim.log import Log
from sim.packets.host import Host
from sim.packets.network import Link, Network
from sim.packets.topology import Plan
from sim.timer import later

LOOPBACK: Final = Plan("127.{}", "127.250", "127.251")
"""All of it is local on Linux, so that every part of a plan has an address of its own without privileges."""


class Outlet(NamedTuple):
    """An address of this machine by which a real pair is reached."""

    transports: Collection[str]
    link: Link | None
    """The carrier's line, which faults may cut."""
    reaches: Callable[[Address], bool]
    """Whether anything may be sent to an address: what a pair answers may name others."""
    pair: str
    naming: Naming
    """By what its calls are known."""

    def whoever(self) -> tuple[str, bool]:
        """Return who is at the other end, and that it answers: which node it is, and whether it hears, nobody knows."""
        return self.pair, True

    def call(self, datagram: Datagram) -> str:
        """Return the attempt that an INVITE is of; "" for what is none, or does not tell."""
        if not datagram.data.startswith(b"INVITE "):
            return ""
        try:
            message = datagram.message or parse(datagram.data)
        except ParseError:
            return ""
        return (isinstance(message, Request) and self.naming.key_of(message)) or ""


class _Ear:
    """Gets what arrives at the addresses of a host."""

    def __init__(self, network: "LiveNetwork", host: Host) -> None:
        self._network = network
        self._host = host

    def receive(self, datagram: Datagram) -> None:
        self._network.env.outside(partial(self._network.arrived, self._host, datagram))

    def tell(self, event: object) -> None:
        self._network.env.outside(partial(self._host.tell, event))


class _Void:
    """Gets what arrives at an address of a machine that is gone."""

    def __init__(self, env: PacedEnvironment, met: Callable[[Datagram], None]) -> None:
        self._env = env
        self._met = met

    def receive(self, datagram: Datagram) -> None:
        self._env.outside(partial(self._met, datagram))

    def tell(self, event: object) -> None:
        """Nothing is sent from here."""


class LiveNetwork(Network):
    """Carries what the hosts of this process send, and what others send them."""

    def __init__(
        self, env: PacedEnvironment, log: Log, transport: Transport, *, wire: WireRecorder | None = None
    ) -> None:
        """``wire`` hears every message that is sent here or arrives here from outside."""
        super().__init__(env, log, wire=wire, strict=True)
        self.env = env
        self._transport = transport
        self._own: dict[Address, Outlet] = {}
        self._others: dict[str | Address, Callable[[], tuple[str, bool]]] = {}
        """Who is at addresses of others, or at all of an IP address, as far as anybody here knows."""
        self._opened: dict[Address, tuple[Host, Collection[str]]] = {}
        """Who has opened an address, and for what."""
        self._ended: dict[Address, Collection[str]] = {}
        """Addresses of processes that have ended, and what for they are to be opened again."""

    def let_out(self, address: Address, outlet: Outlet) -> None:
        """Let an address of this machine be one by which real pairs are reached; before a host holds it."""
        self._own[address] = outlet

    def lives_at(self, host: str | Address, who: Callable[[], tuple[str, bool]]) -> None:
        """Say which machine has an address that is none of this process's, and whether anything there answers."""
        self._others[host] = who

    def there(self, address: Address) -> tuple[str, bool]:
        """Return the machine that an address leads to now, or "", and whether a process runs there that answers."""
        if address in self._holders:
            return super().there(address)
        who = self._others.get(address) or self._others.get(address.host)
        return ("", False) if who is None else who()

    def note(self, sender: str, datagram: Datagram, fate: Fate, call: str = "") -> None:
        """Tell the wire recorder of a message, and of whose call it is by the naming of a real pair."""
        if self._wire is None:
            return
        here, there = datagram.path.local, datagram.path.remote
        outlet = self._own.get(here) or self._own.get(there)
        if outlet is not None:
            other = there if here in self._own else here
            self._others.setdefault(other, outlet.whoever)
            call = outlet.call(datagram)
        super().note(sender or self.there(here)[0], datagram, fate, call)

    def hold(
        self, host: Host, address: Address, *, announce: bool = True, transports: Collection[str] | None = None
    ) -> None:
        """Open an address for a host; raises BindError."""
        super().hold(host, address, announce=announce)
        outlet = self._own.get(address)
        opened = SIP if transports is None else transports
        self._open(host, address, opened if outlet is None else outlet.transports)

    def link(self, source: Address, target: Address) -> Link | None:
        """Return the link on the way; one that leads to a real pair is its carrier's, whatever is at its other end."""
        outlet = self._own.get(source) or self._own.get(target)
        return super().link(source, target) if outlet is None else outlet.link

    def segment(self, address: Address) -> str:
        """Return the segment that an address is in; what is out of this process is in none."""
        return self._segments.get(address.host, "")

    def haunt(self, address: Address, met: Callable[[Datagram], None]) -> None:
        """Take in what is sent to an address while nobody else has it, as a machine that is gone would: in silence.

        Otherwise the system itself would answer, by ICMP, that the port is unreachable. To be called before others take
        the address; ``met`` hears of each datagram. Raises BindError.
        """
        self._transport.hold(_Void(self.env, met), address, shared=True, transports=("udp",))

    def release(self, host: Host, address: Address) -> None:
        """Close an address."""
        super().release(host, address)
        self._opened.pop(address, None)
        self._ended.pop(address, None)
        self._transport.release(address)

    def send(self, host: Host, output: Send | Transmit) -> None:
        """Send what an endpoint sends, unless a fault of its link delays it, loses it or cuts its way."""
        match output:
            case Transmit(path, data):
                datagram = Datagram(path, None, data)
            case Send(flow, message):
                assert isinstance(flow, Path)  # noqa: S101 - endpoints have no other flows
                datagram = Datagram(flow, message)
        path = datagram.path
        outlet = self._own.get(path.local)
        if outlet is not None and not outlet.reaches(path.remote):
            self.note(host.name, datagram, Fate.UNREACHABLE)
            later(self._env, 0.0, partial(host.tell, Broken(path)))
            return
        link = self.link(path.local, path.remote)
        if link is not None and link.refuses and link.cut(self.segment(path.remote)):
            self.note(host.name, datagram, self.crossing(path, datagram)[0])
            later(self._env, 0.0, partial(host.tell, Broken(path)))
            return
        self._pass(link, datagram, partial(self._transport.send, path, datagram.data), host.name)

    def stands(self, path: Path) -> None:
        """Connections do not stand before somebody makes them: the first message does."""

    def unheard(self) -> None:
        """Tell the wire recorder nothing more."""
        self._wire = None

    def ended(self, host: Host) -> None:
        """A process has ended here: its connections are closed and new ones refused, unless the machine is gone too.

        Datagrams are taken in and lost, as on the simulated network.
        """
        for address, (owner, transports) in [] if host.silent else list(self._opened.items()):
            if owner is host and address not in self._ended and not RELIABLE.isdisjoint(transports):
                self._ended[address] = transports
                self._open(host, address, [each for each in transports if each not in RELIABLE])

    def began(self, host: Host) -> None:
        """A process begins anew, and can be connected to again."""
        for address in [each for each in self._ended if self._opened[each][0] is host]:
            self._open(host, address, self._ended.pop(address))

    def _open(self, host: Host, address: Address, transports: Collection[str]) -> None:
        self._opened[address] = host, transports
        self._transport.hold(_Ear(self, host), address, transports=transports)

    def arrived(self, host: Host, datagram: Datagram) -> None:
        """Something has arrived at an address of a host."""
        if datagram.path.local in self._holders:  # it has passed its link where it was sent
            self._reach(host, datagram)
        else:
            link = self.link(datagram.path.local, datagram.path.remote)
            self._pass(link, datagram, partial(self._reach, host, datagram), "")

    def _pass(self, link: Link | None, datagram: Datagram, go_on: Callable[[], None], sender: str) -> None:
        """Let a message cross a link as far as faults let it; the way itself is the system's."""
        if link is None:  # no way of the plan: the generator talks to itself, or the inner side of a real pair to it
            if datagram.path.local in self._own or datagram.path.remote in self._own:
                self.note(sender, datagram, Fate.SENT)
            go_on()
            return
        fate, takes = self.crossing(datagram.path, datagram)
        late = takes - link.delay
        self.note(sender, datagram, fate)
        if fate is Fate.SENT:
            if late > 0:
                later(self._env, late, go_on)
            else:
                go_on()

    def _reach(self, host: Host, datagram: Datagram) -> None:
        self.meets(host, datagram)
        host.receive(datagram)
