"""A softphone: keeps itself registered, answers what comes and calls whom it is told to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from sbc.decisions.registration import CLIENTS, Client, State
from sbc.endpoints.charging import charging, key_of
from sbc.endpoints.endpoint import Broken
from sbc.endpoints.reading import message_of
from sbc.endpoints.wire import RELIABLE, SIP_PORT, Address, Datagram, Path
from sbc.sip import fields, registration
from sbc.sip.agent import UserAgent
from sbc.sip.call import Arrived, Call, ChangeAsked, Ended, Up, Way
from sbc.sip.errors import ParseError
from sbc.sip.fields import Via
from sbc.sip.grammar import NO_PARAMS, Params
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.registration import Register, RegistrationClient
from sbc.sip.sdp import PCMU, Origin, answer, offer, parse_sdp
from sbc.sip.session_timer import Timing
from sbc.sip.transaction import ClientTransaction, Flow, ResponseReceived, Send, TimedOut, TransportFailed
from sbc.sip.transactions import Transactions
from sbc.sip.uri import SipUri, Uri

_USUAL: Final = Timing()
_PHONE: Final = Params([("user", "phone")])
_RTP: Final = 4_000
"""The port that phones want speech on; none is sent."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What phones have in common that are set up alike."""

    registrars: Mapping[str, Address]
    """By site."""
    sites: Sequence[str] = ()
    """Those that it turns to by itself, in order; it goes round them."""
    client: Client = CLIENTS["plain"]
    expires: int = 300
    """Seconds that it asks for."""
    spread: float = 0.0
    """Most by which every wait before another try is longer, seconds."""
    transport: str = "udp"
    timing: Timing = _USUAL
    """The session timer of its calls."""


class Set(NamedTuple):
    """Event: the phone is set to a site, after it has been signed out elsewhere if need be (N22)."""

    site: str
    after: float | None = None
    """Seconds until the first REGISTER; None leaves that to the client."""


class SignOut(NamedTuple):
    """Event: the phone is taken off its site."""


class Place(NamedTuple):
    """Event: the agent dials."""

    key: str
    """What pairs the legs of the call."""
    digits: str
    shown: str
    """The caller number that it asks for, digits; empty for none."""
    centre: Address
    """The contact centre of its site."""


class HangUp(NamedTuple):
    """Event: the agent hangs up; nothing happens where the call is over already."""

    key: str


class Turned(NamedTuple):
    """Report: the phone has turned to the registrar of another site by itself."""

    site: str


class Registered(NamedTuple):
    """Report: the phone has been told that it is registered, anew or still."""

    site: str


class Disconnected(NamedTuple):
    """Report: the phone has noticed that the connection to its registrar broke."""

    site: str


class Answered(NamedTuple):
    """Report: a call is answered, by this phone or by whom it called."""

    key: str


class Over(NamedTuple):
    """Report: a call is over, or was never up; told once."""

    key: str
    status: int = 0
    """The final response to a call placed, 408 for none; 0 after one that was up, or that this phone gave up."""


Report: TypeAlias = Turned | Registered | Disconnected | Answered | Over


def address_of_record(number: int, site: str) -> SipUri:
    """Return what an agent's phone is called at a site."""
    return SipUri(site, f"agent-{number}")


class Phone:
    """One softphone at one address.

    REGISTERs have a transaction layer for as long as they need one, calls a user agent from the first call on: of ten
    thousand phones most do nothing. A response tells by its CSeq which of the two it is for.
    """

    __slots__ = (
        "_agent", "_calls", "_ids", "_keys", "_kind", "_number", "_out", "_registering", "_registration", "_site",
        "_sites", "address",
    )  # fmt: skip

    def __init__(
        self, number: int, address: Address, kind: Kind, ids: Ids, draw: Callable[[], float] | None = None
    ) -> None:
        """``draw`` as in :class:`~sbc.sip.registration.RegistrationClient`."""
        self.address = address
        self._number = number
        self._kind = kind
        self._ids = ids
        self._site = ""
        self._sites: Sequence[str] = ()
        """Those whose registrars it tries, in that order."""
        self._registration = RegistrationClient(
            address_of_record(number, ""),
            self._contact,
            (),
            ids,
            lambda: self._via(kind.transport, ids.branch()),
            expires=kind.expires,
            client=kind.client,
            spread=kind.spread,
            draw=draw,
            domains=True,
        )
        self._registering: Transactions | None = None
        self._agent: UserAgent | None = None
        self._calls: dict[str, Call] = {}
        self._keys: dict[Call, str] = {}
        self._out: list[Send | Report] = []

    def __len__(self) -> int:
        """Return how many calls and REGISTERs it has under way."""
        return len(self._calls) + (0 if self._registering is None else len(self._registering))

    # Inputs.

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in a message."""
        flow = datagram.path.back()
        try:
            message = message_of(datagram)
        except ParseError as error:
            self._caller().reject(flow, error)
            self._talk(now)
            return
        if isinstance(message, Response) and message.cseq.method == "REGISTER":
            if self._registering is not None:
                self._registering.receive(now, flow, message)
                self._hear(now)
        elif isinstance(message, Request) or (message is not None and self._agent is not None):
            self._caller().receive(now, flow, message)
            self._talk(now)

    def event(self, now: float, event: object) -> None:
        """Take in :class:`Set`, :class:`SignOut`, :class:`Place`, :class:`HangUp` or :class:`Broken`."""
        match event:
            case Set(site, after):
                self._sign_out(now)
                self._site, self._sites = site, self._from(site)
                self._registration.set(now, [SipUri(each) for each in self._sites], after=after)
            case SignOut():
                self._sign_out(now)
            case Place():
                self._place(now, event)
            case HangUp(key):
                if key in self._calls:
                    self._caller().hang_up(now, self._calls[key])
                    self._talk(now)
            case Broken(path):
                self._broken(now, path)

    def deadline(self) -> float:
        """Return when something is due: a refresh, a retransmission, a session timer."""
        due = self._registration.deadline()
        if self._registering is not None:
            due = min(due, self._registering.deadline())
        return due if self._agent is None else min(due, self._agent.deadline())

    def fire(self, now: float) -> None:
        """Do all that is due."""
        if self._registering is not None:
            self._registering.fire(now)
            self._hear(now)
        self._registration.fire(now)
        self._register(now)
        if self._agent is not None and self._agent.deadline() <= now:
            self._agent.fire(now)
            self._talk(now)

    def take(self) -> list[Send | Report]:
        """Return what is to be sent and told since the last time."""
        out, self._out = self._out, []
        return out

    # Registration.

    def _from(self, site: str) -> Sequence[str]:
        """Return the sites that it tries from one on: all of its list, or the one that it is set to by hand."""
        sites = self._kind.sites
        if site in sites:
            at = sites.index(site)
            return (*sites[at:], *sites[:at])
        return (site, *sites)

    def _sign_out(self, now: float) -> None:
        if self._registration.state is not State.OFF:
            self._registration.sign_out(now)
            self._register(now)

    def _register(self, now: float) -> None:
        """Send the REGISTERs that the registration wants sent."""
        for output in self._registration.take():
            match output:
                case Register(request, registrar):
                    self._send(now, request, self._sites[registrar])
                case registration.Up():
                    self._out.append(Registered(self._site))

    def _send(self, now: float, request: Request, site: str) -> None:
        if site != self._site:
            self._site = site
            self._out.append(Turned(site))
        if self._registering is None:
            self._registering = Transactions()
        self._registering.request(now, self._path(self._kind.registrars[site]), request)
        self._hear(now)

    def _hear(self, now: float) -> None:
        """Tell the registration what has become of its REGISTERs."""
        layer = self._registering
        if layer is None:
            return
        while outputs := layer.take():
            for output in outputs:
                match output:
                    case Send():
                        self._out.append(output)
                    case ResponseReceived(transaction, response):
                        self._registration.answered(now, transaction.request, response)
                    case TimedOut(ClientTransaction() as own) | TransportFailed(ClientTransaction() as own):
                        self._registration.unanswered(now, own.request)
            self._register(now)
        if not len(layer) and self._registering is layer:
            self._registering = None

    def _broken(self, now: float, path: Path) -> None:
        registrar = self._kind.registrars.get(self._site)
        if path.reliable and path.remote == registrar and self._registration.state is State.REGISTERED:
            self._registration.disconnected(now)
            if self._registration.state is not State.REGISTERED:
                self._out.append(Disconnected(self._site))
        if self._registering is not None:
            self._registering.transport_error(now, path)
            self._hear(now)
        if self._agent is not None:
            self._agent.transport_error(now, path)
            self._talk(now)

    # Calls.

    def _caller(self) -> UserAgent:
        """Return the user agent, which comes into being with the first call."""
        if self._agent is None:
            self._agent = UserAgent(fields.Address(self._contact), self._ids, self._locate, timing=self._kind.timing)
        return self._agent

    def _place(self, now: float, wish: Place) -> None:
        host, port = wish.centre
        own = address_of_record(self._number, self._site)
        headers = [charging(wish.key)]
        if wish.shown:
            own = SipUri(self._site, wish.shown, params=_PHONE)
            headers.append(("P-Asserted-Identity", str(fields.Address(own))))
        params = _PHONE if self._kind.transport == "udp" else _PHONE.put("transport", self._kind.transport)
        callee = SipUri(host, wish.digits, None if port == SIP_PORT else port, params)
        body = offer(self._origin, _RTP, [PCMU]).encode()
        to = fields.Address(callee._replace(params=_PHONE))
        call = self._caller().invite(now, callee, fields.Address(own), to, headers=headers, body=body)
        self._calls[wish.key], self._keys[call] = call, wish.key
        self._talk(now)

    def _talk(self, now: float) -> None:
        """Answer calls, and tell of those that are answered or over."""
        agent = self._caller()
        while outputs := agent.take():
            for output in outputs:
                match output:
                    case Send():
                        self._out.append(output)
                    case Arrived(call, request):
                        key = key_of(request) or call.call_id
                        self._calls[key], self._keys[call] = call, key
                        if self._accept(now, call, request):
                            self._out.append(Answered(key))
                    case ChangeAsked(call, request):
                        self._accept(now, call, request)
                    case Up(call) if call.outgoing:
                        self._out.append(Answered(self._keys[call]))
                    case Ended(call):
                        self._out.append(Over(self._forget(call), output.status))

    def _forget(self, call: Call) -> str:
        key = self._keys.pop(call)
        if self._calls.get(key) is call:
            del self._calls[key]
        return key

    def _accept(self, now: float, call: Call, request: Request) -> bool:
        """Answer an INVITE at once, speech as it is offered; one without a codec of ours is refused with 488."""
        agent = self._caller()
        if not request.body:
            agent.answer(now, call, body=offer(self._origin, _RTP, [PCMU]).encode())
            return True
        try:
            session = answer(parse_sdp(request.body), self._origin, _RTP, [PCMU])
        except ParseError:
            session = None
        if session is None or session.audio is None:
            agent.refuse(now, call, 488)
            return False
        agent.answer(now, call, body=session.encode())
        return True

    # Addresses.

    @property
    def _origin(self) -> Origin:
        return Origin(self.address.host, self._number)

    @property
    def _contact(self) -> SipUri:
        host, port = self.address
        tcp = Params([("transport", self._kind.transport)]) if self._kind.transport in RELIABLE else NO_PARAMS
        return SipUri(host, f"agent-{self._number}", None if port == SIP_PORT else port, tcp)

    def _path(self, target: Address) -> Path:
        return Path(self.address, target, self._kind.transport)

    def _via(self, transport: str, branch: str | None = None) -> Via:
        params = NO_PARAMS if branch is None else Params([("branch", branch)])
        return Via(transport.upper(), self.address.host, self.address.port, params)

    def _locate(self, uri: Uri, flow: Flow | None) -> Way:
        """Return the way to a next hop: the connection of the dialog, or the address that the URI names."""
        if isinstance(flow, Path) and flow.reliable:
            return Way(flow, self._via(flow.transport))
        assert isinstance(uri, SipUri)  # noqa: S101 - an endpoint is told addresses
        path = Path(self.address, Address(uri.host, uri.port or SIP_PORT), uri.transport or "udp")
        return Way(path, self._via(path.transport))
