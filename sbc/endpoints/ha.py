"""The HA daemon of one node of a pair: sends and hears adverts, or probes; takes the service address and gives it up.

It is a process of its own beside the SIP process on the same machine: a SIP process that hangs stops no adverts. What
it knows of the other node has come over the network.
"""

from enum import Enum
from ipaddress import IPv4Address
from math import inf
from typing import Final, Literal, NamedTuple

from sbc.decisions import probing, vrrp
from sbc.endpoints.advert import Advert, AdvertError, centiseconds, decode, encode, seconds
from sbc.endpoints.endpoint import Broken, Claimed, Hold, Release, Transmit
from sbc.endpoints.wire import VRRP, Address, Datagram, Path
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address as NameAddress
from sbc.sip.fields import Via
from sbc.sip.grammar import Params
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response, parse
from sbc.sip.transaction import ClientTransaction, ResponseReceived, Send, TimedOut, TransportFailed
from sbc.sip.transactions import Transactions
from sbc.sip.uri import SipUri
from scenarios.model import Detector, OptionsDetection, VrrpDetection


class Role(Enum):
    """What a node is to the world."""

    SERVES = "it holds the service address"
    STANDS_BY = "it waits for the other to fail"
    FAULTY = "its SIP process has failed a check"


class Seat(NamedTuple):
    """Where a node's daemon is in its pair."""

    own: Address
    """Its own address, which does not move."""
    peer: Address
    """The other daemon's."""
    service: Address
    """The address that whoever serves holds; of an active-active pair the node's own."""
    router: int
    """The number of the pair in its adverts, 1 to 255."""
    first: bool
    """Whether this is the first node, the one of higher priority."""


class Phases(NamedTuple):
    """How much of its intervals has passed when a daemon starts, shares from 0 to 1.

    The two daemons of a pair that has been in service share `interval`: the one has sent the advert that the other has
    heard. A node that comes up anew has heard nothing yet: 0.
    """

    interval: float
    """Of the advertisement or the probe interval."""
    check: float
    """Of the interval between two checks of the SIP process."""


# Its user's events.


class Switch(NamedTuple):
    """The nodes are to change roles, as planned; told to both daemons of a pair, first to the one that serves."""


class Checked(NamedTuple):
    """The answer to :class:`Check`."""

    passed: bool


# Its reports.


class Check(NamedTuple):
    """The SIP process is to be checked now: :class:`Checked` answers."""


class Became(NamedTuple):
    """The node has another role from now on."""

    role: Role
    why: vrrp.Event | probing.Event


class Noticed(NamedTuple):
    """Something is wrong with the node that serves."""

    by: Literal["vrrp", "check", "options"]
    """Adverts that fail to come, its own daemon's check, or a probe without answer."""


def ha_daemon(
    now: float, seat: Seat, detect: Detector, phases: Phases, ids: Ids, *, serves: bool
) -> "VrrpDaemon | ProbingDaemon | LoneDaemon":
    """Start the daemon that a way of detection asks for; ``serves``: its node has served all along."""
    match detect:
        case VrrpDetection():
            return VrrpDaemon(now, seat, detect, phases, serves=serves)
        case OptionsDetection():
            return ProbingDaemon(now, seat, detect, phases, ids, serves=serves)
        case _:
            return LoneDaemon(seat)


class VrrpDaemon:
    """Leads a node through the table of :mod:`sbc.decisions.vrrp`."""

    def __init__(self, now: float, seat: Seat, detect: VrrpDetection, phases: Phases, *, serves: bool) -> None:
        self._seat = seat
        self._advert = detect.advert
        self._interval = detect.advert
        """The other's, as far as it is known."""
        self._rank = vrrp.Rank(vrrp.priority(detect, first=seat.first), IPv4Address(seat.own.host))
        self._says = {each: self._written(each) for each in (self._rank.priority, vrrp.RESIGNATION)}
        """Its adverts by priority."""
        self._came: tuple[Path, bytes] | None = None
        """What came last from the other, and what that means."""
        self._said: tuple[vrrp.Event, float] | None = None
        self._preempts = vrrp.preempts(detect, first=seat.first)
        self._state = vrrp.State.INITIALIZE
        self._role: Role | None = None
        self._timer = inf
        self._rings = vrrp.Event.STARTED
        """What it means that the timer is over."""
        self._track = inf if detect.track is None else detect.track
        self._check = inf if detect.track is None else now + (1 - phases.check) * detect.track
        self._out: list[object] = []
        started = vrrp.Event.STARTED_SERVING if serves else vrrp.Event.STARTED
        self._lead(now - phases.interval * detect.advert, started)

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in an advert; what is none, or is about another pair, is dropped (RFC 5798 §7.1)."""
        came = datagram.path, datagram.data
        if came != self._came:  # nearly all are like the one before, and need not be read again
            self._came = came
            self._said = self._read(*came)
        if self._said is None:
            return
        event, interval = self._said
        if event in (vrrp.Event.HIGHER, vrrp.Event.LOWER):
            self._interval = interval
        self._lead(now, event)

    def _read(self, path: Path, data: bytes) -> tuple[vrrp.Event, float] | None:
        """Return what an advert means, and the interval that it tells in seconds; None for what is to be dropped."""
        if path.transport != VRRP:
            return None
        source = IPv4Address(path.local.host)
        try:
            advert = decode(data, source, IPv4Address(path.remote.host))
        except AdvertError:
            return None
        if advert.router != self._seat.router:
            return None
        as_ours = advert.centiseconds == centiseconds(self._advert)
        interval = self._advert if as_ours else seconds(advert.centiseconds)
        return vrrp.heard(vrrp.Rank(advert.priority, source), self._rank, preempt=self._preempts), interval

    def event(self, now: float, event: object) -> None:
        """Take in a wish or the result of a check."""
        match event:
            case Switch():
                self._lead(now, vrrp.Event.SWITCH)
            case Checked(passed):
                self._lead(now, vrrp.checked(passed=passed))

    def deadline(self) -> float:
        """Return when something is due next."""
        return min(self._timer, self._check)

    def fire(self, now: float) -> None:
        """Do all that is due."""
        while self.deadline() <= now:
            if self._timer <= self._check:
                self._lead(now, self._rings)
            else:
                self._check = now + self._track
                self._out.append(Check())

    def take(self) -> list[object]:
        """Return what has come up."""
        out, self._out = self._out, []
        return out

    def _lead(self, now: float, event: vrrp.Event) -> None:
        self._state, effects = vrrp.step(self._state, event)
        for effect in effects:
            self._do(now, effect, event)
        role = _VRRP_ROLES[self._state]
        if role is not self._role:
            self._role = role
            self._out.append(Became(role, event))

    def _do(self, now: float, effect: vrrp.Effect, event: vrrp.Event) -> None:
        match effect:
            case vrrp.Effect.HOLD | vrrp.Effect.ANNOUNCE:
                self._out.append(Hold(self._seat.service))
            case vrrp.Effect.RELEASE:
                self._out.append(Release(self._seat.service))
            case vrrp.Effect.SEND:
                self._send(self._rank.priority)
                self._start(now + self._advert, vrrp.Event.ADVERT_DUE)
            case vrrp.Effect.SEND_LATER:
                self._start(now + self._advert, vrrp.Event.ADVERT_DUE)
            case vrrp.Effect.RESIGN:
                self._send(vrrp.RESIGNATION)
            case vrrp.Effect.WATCH:
                wait = vrrp.master_down(self._rank.priority, self._interval)
                self._start(now + wait, vrrp.Event.MASTER_DOWN)
            case vrrp.Effect.WATCH_SKEW:
                wait = vrrp.skew(self._rank.priority, self._interval)
                self._start(now + wait, vrrp.Event.SKEW_OVER)
            case vrrp.Effect.CONTEST:
                self._rings = vrrp.Event.CLAIM_DUE
            case vrrp.Effect.STOP:
                self._timer = inf
            case vrrp.Effect.NOTICE:
                self._out.append(Noticed("check" if event is vrrp.Event.CHECK_FAILED else "vrrp"))

    def _start(self, due: float, rings: vrrp.Event) -> None:
        self._timer, self._rings = due, rings

    def _send(self, priority: int) -> None:
        self._out.append(Transmit(Path(self._seat.own, self._seat.peer, VRRP), self._says[priority]))

    def _written(self, priority: int) -> bytes:
        own, peer, service = (IPv4Address(address.host) for address in self._seat[:3])
        return encode(Advert(self._seat.router, priority, centiseconds(self._advert), (service,)), own, peer)


class ProbingDaemon:
    """Leads a node through the table of :mod:`sbc.decisions.probing`; its probes are OPTIONS transactions."""

    def __init__(
        self, now: float, seat: Seat, detect: OptionsDetection, phases: Phases, ids: Ids, *, serves: bool
    ) -> None:
        self._seat = seat
        self._detect = detect
        self._ids = ids
        self._state = probing.State.INITIALIZE
        self._role: Role | None = None
        self._transactions = Transactions()
        self._probes: dict[ClientTransaction, float] = {}
        """Probes without answer, and until when each is waited for; the oldest first."""
        self._probe = inf
        self._out: list[object] = []
        started = probing.Event.STARTED_SERVING if serves else probing.Event.STARTED
        self._lead(now - phases.interval * detect.every, started)

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in the answer to a probe; nothing else is for the daemon."""
        try:
            message = datagram.message or parse(datagram.data)
            if isinstance(message, Response):
                self._transactions.receive(now, datagram.path.back(), message)
        except ParseError:
            return
        self._work(now)

    def event(self, now: float, event: object) -> None:
        """Take in a wish, or what the machine tells."""
        match event:
            case Switch():
                self._lead(now, probing.Event.SWITCH)
            case Claimed(self._seat.service):
                self._lead(now, probing.Event.CLAIMED)
            case Broken(path):
                self._transactions.transport_error(now, path)
                self._work(now)

    def deadline(self) -> float:
        """Return when something is due next."""
        return min(self._transactions.deadline(), self._probe, next(iter(self._probes.values()), inf))

    def fire(self, now: float) -> None:
        """Do all that is due."""
        self._transactions.fire(now)
        self._work(now)
        while (late := next(iter(self._probes.items()), None)) is not None and late[1] <= now:
            self._transactions.abandon(now, late[0])
            self._failed(now, late[0])
        if self._probe <= now:
            self._lead(now, probing.Event.PROBE_DUE)
        self._work(now)

    def take(self) -> list[object]:
        """Return what has come up."""
        out, self._out = self._out, []
        return out

    def _work(self, now: float) -> None:
        for output in self._transactions.take():
            match output:
                case Send():
                    self._out.append(output)
                case ResponseReceived(transaction, response) if response.status >= 200:
                    self._probes.pop(transaction, None)
                case TimedOut(ClientTransaction() as own) | TransportFailed(ClientTransaction() as own):
                    self._failed(now, own)

    def _failed(self, now: float, probe: ClientTransaction) -> None:
        if self._probes.pop(probe, None) is not None:
            self._lead(now, probing.Event.UNANSWERED)

    def _lead(self, now: float, event: probing.Event) -> None:
        self._state, effects = probing.step(self._state, event)
        for effect in effects:
            self._do(now, effect)
        role = _PROBING_ROLES[self._state]
        if role is not self._role:
            self._role = role
            self._out.append(Became(role, event))

    def _do(self, now: float, effect: probing.Effect) -> None:
        match effect:
            case probing.Effect.HOLD:
                self._out.append(Hold(self._seat.service))
            case probing.Effect.RELEASE:
                self._out.append(Release(self._seat.service))
            case probing.Effect.PROBE:
                path = Path(self._seat.own, self._seat.service)
                probe = self._transactions.request(now, path, self._options())
                self._probes[probe] = now + self._detect.timeout
            case probing.Effect.PROBE_LATER:
                self._probe = now + self._detect.every
            case probing.Effect.STOP:
                self._probe = inf
                for probe in self._probes:
                    self._transactions.abandon(now, probe)
                self._probes.clear()
            case probing.Effect.NOTICE:
                self._out.append(Noticed("options"))

    def _options(self) -> Request:
        own, service = self._seat.own, self._seat.service
        here, there = SipUri(own.host, port=own.port), SipUri(service.host, port=service.port)
        return Request.build(
            "OPTIONS",
            there,
            via=Via("UDP", own.host, own.port, Params([("branch", self._ids.branch())])),
            from_=NameAddress(here).with_tag(self._ids.tag()),
            to=NameAddress(there),
            call_id=self._ids.word(),
            cseq=1,
        )


class LoneDaemon:
    """Holds a node's own address: the nodes of an active-active pair know nothing of each other."""

    def __init__(self, seat: Seat) -> None:
        self._out: list[object] = [Hold(seat.service)]

    def receive(self, now: float, datagram: Datagram) -> None:
        """Nothing is for it."""

    def event(self, now: float, event: object) -> None:
        """Nothing concerns it."""

    def deadline(self) -> float:
        """Return ``inf``."""
        return inf

    def fire(self, now: float) -> None:
        """Nothing is ever due."""

    def take(self) -> list[object]:
        """Return the address to hold, once."""
        out, self._out = self._out, []
        return out


_VRRP_ROLES: Final = {
    vrrp.State.BACKUP: Role.STANDS_BY,
    vrrp.State.RESIGNED: Role.STANDS_BY,
    vrrp.State.MASTER: Role.SERVES,
    vrrp.State.FAULT: Role.FAULTY,
}
_PROBING_ROLES: Final = {
    probing.State.STANDBY: Role.STANDS_BY,
    probing.State.SERVING: Role.SERVES,
}
