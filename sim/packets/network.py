"""The simulated network: segments, links between them, and addresses that move from one machine to another."""

from dataclasses import dataclass, field
from functools import partial
from math import inf

import simpy

from sbc.endpoints.endpoint import Broken, Claimed, Transmit
from sbc.endpoints.wire import VRRP, Address, Datagram, Path
from sbc.sip.message import Request
from sbc.sip.transaction import Send
from scenarios.evidence import Fate, WireRecord, WireRecorder
from sim.links import Link as Degraded
from sim.log import Log
from sim.packets.host import Host
from sim.timer import later

DELAY = 0.001
"""Seconds that a link of the plan takes, one way, unless it says otherwise."""
ARP_TIMEOUT = 30.0
"""Seconds after which a segment asks again who has an address that was taken over without announcement."""

_MET = {"REGISTER": "registration", "OPTIONS": "probe"}


@dataclass(slots=True, eq=False)
class Link:
    """What lies between two segments: a trunk, an office's line, the line between the nodes of a pair, a LAN."""

    delay: float = DELAY
    degraded: Degraded = field(default_factory=Degraded)
    """What faults add to it."""
    cut_by: dict[str, None] = field(default_factory=dict)
    """The faults that cut it: nothing passes."""
    refuses: bool = False
    """Whether a cut is noticed: the sender hears at once that its target is unreachable."""


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

    # Topology.

    def place(self, host: str, segment: str) -> None:
        """Put an IP address into a segment."""
        self._segments[host] = segment

    def connect(self, one: str, other: str, link: Link, *, back: Link | None = None) -> None:
        """Join two segments, or let the machines of one reach each other by a link of its own.

        ``back``: what lies on the way from the other to the one, where that is not the same.
        """
        self._links[one, other] = link
        self._links[other, one] = link if back is None else back

    def link(self, source: Address, target: Address) -> Link | None:
        """Return the link on the way from one address to another; None where there is no way."""
        return self._links.get((self._segments[source.host], self._segments[target.host]))

    # Addresses.

    def hold(self, host: Host, address: Address, *, announce: bool = True) -> None:
        """Let a host have an address; unannounced, the others notice when the last holder gives it up or ARP ages.

        Whoever else holds it hears the announcement: :class:`~sbc.endpoints.endpoint.Claimed`.
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
        match output:
            case Transmit(path, data):
                datagram = Datagram(path, None, data)
            case Send(flow, message):
                assert isinstance(flow, Path)  # noqa: S101 - endpoints have no other flows
                datagram = Datagram(flow, message)
        path = datagram.path
        link = self.link(path.local, path.remote)
        if link is None or link.cut_by:
            if link is not None:
                self._log.effect(link.cut_by, met(datagram))
            self._note(host, datagram, Fate.UNREACHABLE if link is None else Fate.CUT)
            if link is None or link.refuses:
                later(self._env, 0.0, partial(host.tell, Broken(path)))
            return
        late = link.degraded.crossing(self._log, met(datagram)) if link.degraded.degraded_by else 0.0
        if late == inf:
            self._note(host, datagram, Fate.LOST)
            return
        self._note(host, datagram, Fate.SENT)
        later(self._env, link.delay + late, partial(self._arrive, datagram))

    def _arrive(self, datagram: Datagram) -> None:
        holder = self.holder(datagram.path.remote)
        if holder is None:
            return
        if not holder.answers:
            self._log.effect((*holder.down_by, *holder.hung_by), met(datagram))
        holder.receive(Datagram(datagram.path, None, datagram.data) if self._strict else datagram)

    def _note(self, sender: Host, datagram: Datagram, fate: Fate) -> None:
        if self._wire is not None:
            path = datagram.path
            receiver = self._holders.get(path.remote)
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
                    sender.name,
                    "" if receiver is None else receiver.name,
                )
            )


def met(datagram: Datagram) -> str:
    """Return what the journal calls a datagram that met a fault: ``call``, ``registration``, ``probe``, ``advert``."""
    if datagram.path.transport == VRRP:
        return "advert"
    message = datagram.message
    if message is None:
        return "replication"
    method = message.method if isinstance(message, Request) else message.cseq.method
    return _MET.get(method, "call")
