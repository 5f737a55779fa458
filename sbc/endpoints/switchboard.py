"""The lines and legs of the contact centre: one user agent at each site, and who hears of each of their calls."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import count
from typing import Any, Final, TypeAlias

from sbc.endpoints.line import Edge, transport_of
from sbc.endpoints.naming import CHARGING
from sbc.endpoints.wire import SIP_PORT, Address, End, Path
from sbc.sip import fields, sdp
from sbc.sip.agenda import Agenda, Appointment
from sbc.sip.agent import UserAgent
from sbc.sip.call import Arrived, Call, ChangeAsked, Ended, Offered, Progress, Up, Way
from sbc.sip.core import description
from sbc.sip.errors import ParseError
from sbc.sip.fields import Via
from sbc.sip.ids import Ids
from sbc.sip.message import Request
from sbc.sip.session_timer import Timing
from sbc.sip.transaction import Flow, Send
from sbc.sip.uri import SipUri, Uri

MEDIA_PORT: Final = 40_000
"""Where the centre's own descriptions want audio; nobody listens, as media are not simulated."""
CODECS: Final = (sdp.PCMU, sdp.PCMA, sdp.TELEPHONE_EVENT)
NOT_ACCEPTABLE: Final = 488
"""The answer to an offer without any of them (RFC 3264 §6)."""

Heard: TypeAlias = Progress | Offered | Up | Ended
Hears: TypeAlias = "Callable[[float, Leg, Heard], None]"
Acts: TypeAlias = Callable[[float, Any], None]
Arrives: TypeAlias = "Callable[[float, Leg, Request], None]"


@lru_cache(maxsize=256)
def _agreed(offer: bytes, address: str) -> sdp.Session:
    """Return the answer to an offer, whichever session it is: carriers send the same one with call after call.

    Raises :class:`~sbc.sip.errors.ParseError` for what is no session description.
    """
    return sdp.answer(sdp.parse_sdp(offer), sdp.Origin(address, 0), MEDIA_PORT, CODECS)


def _unheard(now: float, leg: "Leg", heard: Heard) -> None:
    """Nobody hears of a leg."""


def next_hop(uri: SipUri) -> Address:
    """Return where a URI leads whose host is an IP address."""
    return Address(uri.host, uri.port or SIP_PORT)


class Line:
    """The centre at one site, or where it speaks with a real pair there: an address and a user agent."""

    def __init__(self, site: str, end: End, ids: Ids, timing: Timing, edge: Edge | None = None) -> None:
        """``edge``: the real pair."""
        self.site = site
        self.edge = edge
        self.address = end.local
        self.shown = end.shown
        self.uri = SipUri(end.shown.host, port=end.shown.port)
        self._transport = end.transport
        contact = fields.Address(self.uri._replace(params=transport_of(end)))
        self.agent = UserAgent(contact, ids, self._locate, timing=timing)
        self.phones: dict[Address, Path] = {}
        """Contacts that the location service has given, and how each is reached."""

    def _locate(self, uri: Uri, flow: Flow | None) -> Way:
        if isinstance(flow, Path) and (flow.reliable or not isinstance(uri, SipUri)):
            path = flow
        else:
            assert isinstance(uri, SipUri)  # noqa: S101 - the centre calls nothing else
            remote = next_hop(uri)
            path = self.phones.get(remote) or Path(self.address, remote, self._transport)
        return Way(path, Via(path.transport.upper(), self.shown.host, self.shown.port))


class Leg:
    """One call of the centre's: with a caller, with a phone, or out by a trunk."""

    __slots__ = ("answered", "call", "hears", "line", "owner")

    def __init__(self, line: Line, call: Call, owner: object, hears: Hears) -> None:
        self.line = line
        self.call = call
        self.owner = owner
        """What it is a leg of."""
        self.hears = hears
        self.answered = call.outgoing
        """Whether a leg that came in has had its final response."""


class Switchboard:
    """Carries out what the centre does with legs, and lets each owner hear what becomes of them."""

    def __init__(
        self,
        addresses: Mapping[str, Address],
        ids: Ids,
        timing: Timing,
        arrives: Arrives,
        edges: Iterable[Edge] = (),
    ) -> None:
        """``addresses``: the centre's own at each site; ``edges``: the pairs. ``arrives`` hears of each new call."""
        self.lines = {site: Line(site, End(each, each, "udp"), ids, timing) for site, each in addresses.items()}
        self.by_pair = {
            edge.name: Line(edge.plan.site, edge.real.centre, ids, timing, edge)
            for edge in edges
            if edge.real is not None
        }
        """The lines to real pairs; to the others go those of the sites."""
        self.by_address = {line.address: line for line in (*self.lines.values(), *self.by_pair.values())}
        self.out: list[object] = []
        self._arrives = arrives
        self._legs: dict[Call, Leg] = {}
        self._agenda: Agenda[object, Acts] = Agenda()
        self._sessions = count(1)

    def __len__(self) -> int:
        """Return how many legs there are, with calls of which nothing but their last transactions is left."""
        return len(self._legs) + sum(len(line.agent) for line in self.by_address.values())

    @property
    def legs(self) -> int:
        """How many legs there are."""
        return len(self._legs)

    # Time.

    def deadline(self) -> float:
        """Return when :meth:`fire` has to be called next; ``inf`` for never."""
        return min([self._agenda.next(), *[line.agent.deadline() for line in self.by_address.values()]])

    def fire(self, now: float) -> None:
        """Do all that is due."""
        for line in self.by_address.values():
            line.agent.fire(now)
        self.work(now)
        while (due := self._agenda.take(now)) is not None:
            owner, acts = due
            acts(now, owner)
            self.work(now)

    def appoint(self, due: float, owner: Any, acts: Acts) -> Appointment[object, Acts]:
        """Let something be done at a moment, in seconds."""
        return self._agenda.set(due, owner, acts)

    def call_off(self, appointment: Appointment[object, Acts] | None) -> None:
        """Let it not be done."""
        if appointment is not None:
            self._agenda.call_off(appointment)

    # What the user agents tell.

    def work(self, now: float) -> None:
        """Pass on all that has come up, until nothing more does."""
        busy = True
        while busy:
            busy = False
            for line in self.by_address.values():
                if self._drain(now, line):
                    busy = True
                    break

    def _drain(self, now: float, line: Line) -> bool:
        outputs = line.agent.take()
        for output in outputs:
            if type(output) is Send:
                self.out.append(output)
                continue
            match output:
                case Arrived(call, request):
                    leg = self._legs[call] = Leg(line, call, None, _unheard)
                    self._arrives(now, leg, request)
                case ChangeAsked(call, request):
                    self._change(now, line, call, request)
                case Progress(call) | Offered(call) | Up(call) if call in self._legs:
                    leg = self._legs[call]
                    leg.hears(now, leg, output)
                case Ended(call) if call in self._legs:
                    leg = self._legs.pop(call)
                    leg.hears(now, leg, output)
                    self.let_go(leg)
        return bool(outputs)

    def _change(self, now: float, line: Line, call: Call, request: Request) -> None:
        """Agree to another description: the far end of a call is reached through the centre, whatever it is."""
        body = self.answering(line, description(request))
        if body is None:
            line.agent.refuse(now, call, NOT_ACCEPTABLE)
        else:
            line.agent.answer(now, call, body=body)

    # Legs.

    def invite(
        self,
        now: float,
        line: Line,
        uri: SipUri,
        from_: SipUri,
        key: str,
        body: bytes,
        headers: Collection[tuple[str, object]],
        owner: object,
        hears: Hears,
    ) -> Leg:
        """Call a phone or a number; ``key`` is that of the call which the leg belongs to."""
        to = fields.Address(uri._replace(user=None if uri.user is None else uri.user.partition(";")[0]))
        naming = CHARGING if line.edge is None else line.edge.naming
        given = [*naming.headers(key), *headers]
        call = line.agent.invite(now, uri, fields.Address(from_), to, headers=given, body=body)
        leg = self._legs[call] = Leg(line, call, owner, hears)
        return leg

    def answer(self, now: float, leg: Leg, body: bytes) -> None:
        """Answer a leg that came in, or one whose 2xx has brought an offer."""
        leg.answered = True
        leg.line.agent.answer(now, leg.call, body=body)

    def ring(self, now: float, leg: Leg, status: int = 180) -> None:
        """Let a leg that came in hear that somebody is rung."""
        leg.line.agent.ring(now, leg.call, status)

    def refuse(self, now: float, leg: Leg, status: int, reason: str | None) -> None:
        """Refuse a leg that came in; its owner hears no more of it."""
        self.let_go(leg)
        leg.line.agent.refuse(now, leg.call, status, reason)

    def hang_up(self, now: float, leg: Leg) -> None:
        """End a leg, whatever has become of it; its owner hears no more of it."""
        self.let_go(leg)
        leg.line.agent.hang_up(now, leg.call)

    def let_go(self, leg: Leg) -> None:
        """Let the owner of a leg hear no more of it, and keep no hold of it."""
        self._legs.pop(leg.call, None)
        leg.owner, leg.hears = None, _unheard

    # Descriptions.

    def offering(self, line: Line) -> bytes:
        """Return an offer of the centre's own."""
        return sdp.offer(self._origin(line), MEDIA_PORT, CODECS).encode()

    def answering(self, line: Line, body: bytes) -> bytes | None:
        """Return the centre's own answer to an offer, or an offer where there is none; None for one without use."""
        if not body:
            return self.offering(line)
        try:
            agreed = _agreed(body, line.shown.host)
        except ParseError:
            return None
        return None if agreed.audio is None else replace(agreed, origin=self._origin(line)).encode()

    def _origin(self, line: Line) -> sdp.Origin:
        return sdp.Origin(line.shown.host, next(self._sessions))
