"""A network in memory, with a clock moved by hand, for tests of whatever speaks SIP sans-IO.

Two parties and a lost datagram::

    network = Network(delay=0.01)
    alice, bob = network.join("alice", Transactions()), network.join("bob", Transactions(), answer(180, 200))
    network.drop(nth(1, request("INVITE")))
    alice.party.request(network.now, alice.to("bob"), new_request("INVITE", "alice", "bob"))
    network.run(until=1.0)
    assert network.times("alice") == [0.0, 0.5]
    assert [type(event) for event in alice.events] == [ResponseReceived, ResponseReceived]

Messages are written and parsed on every hop, unless the network is told to hand them over. It needs no test framework.
"""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from sbc.sip.message import Request, Response, parse
from sbc.sip.transaction import Flow, RequestReceived, Send
from sbc.sip.transactions import Transactions


class Party(Protocol):
    """What can join: :class:`~sbc.sip.transactions.Transactions`, or anything that has the same interface."""

    def receive(self, now: float, flow: Flow, message: Request | Response) -> None:
        """Take in a message."""

    def transport_error(self, now: float, flow: Flow) -> None:
        """Take in that a flow is broken."""

    def fire(self, now: float) -> None:
        """Do all that is due."""

    def deadline(self) -> float:
        """Return when something is due next."""

    def take(self) -> Sequence[Any]:
        """Return outputs: each :class:`~sbc.sip.transaction.Send` is carried, all others are recorded."""


P = TypeVar("P", bound=Party)


class Link(NamedTuple):
    """A flow from one party to another; the way back is the link with the names exchanged."""

    source: str
    target: str
    reliable: bool = False

    def back(self) -> "Link":
        """Return the other direction."""
        return Link(self.target, self.source, self.reliable)


class Packet(NamedTuple):
    """A message that was sent, and what became of it."""

    at: float
    """When it was sent, seconds."""
    link: Link
    message: Request | Response
    arrivals: tuple[float, ...] = ()
    """When it arrives: once, several times, or never if it is lost."""

    @property
    def what(self) -> str:
        """Method or status, with the method that the CSeq names: ``INVITE``, ``200 INVITE``."""
        if isinstance(self.message, Request):
            return self.message.method
        return f"{self.message.status} {self.message.cseq.method}"


Rule: TypeAlias = Callable[[Packet, list[float]], list[float]]
"""Takes a packet and its delays in seconds, and returns other delays."""


class Heard(NamedTuple):
    """What a party told its user, and when."""

    at: float
    event: Any


When: TypeAlias = Callable[[Packet], bool]
"""Says which packets a rule of the network is for."""


def request(method: str) -> When:
    """Return a rule's condition: requests of that method."""
    return lambda packet: isinstance(packet.message, Request) and packet.message.method == method


def response(status: int) -> When:
    """Return a rule's condition: responses of that status."""
    return lambda packet: isinstance(packet.message, Response) and packet.message.status == status


def anything(packet: Packet) -> bool:
    """A rule's condition: every packet."""
    del packet
    return True


def sent_by(name: str, when: When = anything) -> When:
    """Return a rule's condition: of the packets that `when` is for, those from one party."""
    return lambda packet: packet.link.source == name and when(packet)


def nth(*numbers: int, when: When = anything) -> When:
    """Return a rule's condition: of the packets that `when` is for, the first, second … as the numbers say, from 1."""
    seen = count(1)
    return lambda packet: when(packet) and next(seen) in numbers


class User(Generic[P]):
    """A party on the network, and the record of what it told its user."""

    def __init__(self, name: str, party: P, network: "Network", react: "Reaction | None") -> None:
        self.name = name
        self.party = party
        self.network = network
        self.react = react
        self.heard: list[Heard] = []

    def to(self, name: str, *, reliable: bool = False) -> Link:
        """Return the flow to another party."""
        return Link(self.name, name, reliable)

    @property
    def events(self) -> list[Any]:
        """What was heard, without the times."""
        return [heard.event for heard in self.heard]


Reaction: TypeAlias = Callable[[User[Any], Any], None]
"""What a user does about an event of its party."""


class Network:
    """Parties, the packets between them, and the time.

    A packet takes `delay` seconds, unless a rule says otherwise. Rules apply in the order in which they were made, on
    unreliable links only; a reliable link keeps the order, and breaks when it is cut.
    """

    def __init__(self, delay: float = 0.0, *, on_wire: bool = True) -> None:
        """``on_wire``: whether messages are written and parsed on their way."""
        self.now = 0.0
        self.delay = delay
        self._on_wire = on_wire
        self.wire: list[Packet] = []
        """Every packet that was sent, in order."""
        self._users: dict[str, User[Any]] = {}
        self._rules: list[Rule] = []
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self._cut: set[frozenset[str]] = set()
        self._refusing: set[str] = set()

    # Who is there.

    def join(self, name: str, party: P, react: Reaction | None = None) -> User[P]:
        """Let a party join, with what its user does about each event."""
        user = User(name, party, self, react)
        self._users[name] = user
        return user

    # What happens to packets.

    def treat(self, rule: Rule) -> None:
        """Give packets other delays than those they have: several deliver copies, none loses the packet."""
        self._rules.append(rule)

    def drop(self, when: When) -> None:
        """Lose these packets."""
        self.treat(lambda packet, delays: [] if when(packet) else delays)

    def duplicate(self, when: When, after: float = 0.0) -> None:
        """Deliver these packets twice, the second time so many seconds after the first."""
        self.treat(lambda packet, delays: [*delays, *(delay + after for delay in delays)] if when(packet) else delays)

    def hold(self, when: When, seconds: float) -> None:
        """Delay these packets by so much more, so that later ones overtake them."""
        self.treat(lambda packet, delays: [delay + seconds for delay in delays] if when(packet) else delays)

    def cut(self, one: str, other: str) -> None:
        """Cut the link between two parties: what is sent vanishes, and reliable flows break at both ends."""
        self._cut.add(frozenset((one, other)))
        for flow in (Link(one, other, True), Link(other, one, True)):
            if flow.source in self._users:
                self._users[flow.source].party.transport_error(self.now, flow)

    def heal(self, one: str, other: str) -> None:
        """Repair a link; broken flows are as good as new ones."""
        self._cut.discard(frozenset((one, other)))

    def refuse(self, name: str) -> None:
        """Let a party be gone, so that its host refuses every packet: the sender's flow fails when it hears of that."""
        self._refusing.add(name)

    # Time.

    def at(self, time: float, action: Callable[[], object]) -> None:
        """Do something at a time, now at the earliest."""
        heappush(self._agenda, (max(time, self.now), next(self._numbers), action))

    def run(self, until: float) -> None:
        """Move the clock to a time, and let everything happen on the way, arrivals before timers of the same time."""
        while True:
            self._carry()
            due = self._agenda[0][0] if self._agenda else inf
            fire = min((user.party.deadline() for user in self._users.values()), default=inf)
            if min(due, fire) > until:
                break
            self.now = max(self.now, min(due, fire))
            if due <= fire:
                heappop(self._agenda)[2]()
            else:
                for user in self._users.values():
                    if user.party.deadline() <= self.now:
                        user.party.fire(self.now)
        self.now = max(self.now, until)

    def settle(self) -> None:
        """Let everything happen that happens now."""
        self.run(self.now)

    def idle(self) -> bool:
        """Say whether nothing is under way and no timer runs."""
        self._carry()
        return not self._agenda and all(user.party.deadline() == inf for user in self._users.values())

    # What happened.

    def sent(self, name: str, when: When = anything) -> list[Packet]:
        """Return the packets that a party sent."""
        return [packet for packet in self.wire if packet.link.source == name and when(packet)]

    def times(self, name: str, when: When = anything) -> list[float]:
        """Return when a party sent these packets."""
        return [packet.at for packet in self.sent(name, when)]

    def ladder(self) -> str:
        """Return the call flow, a packet a line: when, from whom to whom, what, when it arrived."""
        return "\n".join(
            f"{packet.at:10.3f}  {packet.link.source} -> {packet.link.target}  {packet.what}  "
            + (", ".join(f"{at:.3f}" for at in packet.arrivals) or "lost")
            for packet in self.wire
        )

    def _carry(self) -> None:
        """Take every party's outputs, until there are none."""
        busy = True
        while busy:
            busy = False
            for user in self._users.values():
                for output in user.party.take():
                    busy = True
                    if isinstance(output, Send):
                        self._send(output)
                    else:
                        user.heard.append(Heard(self.now, output))
                        if user.react is not None:
                            user.react(user, output)

    def _send(self, send: Send) -> None:
        link = send.flow
        if not isinstance(link, Link):
            raise TypeError(f"a party on this network sends on a Link, not on {link!r}")
        packet = Packet(self.now, link, send.message)
        delays = [self.delay]
        if not link.reliable:
            for rule in self._rules:
                delays = rule(packet, delays)
        if frozenset(link[:2]) in self._cut:
            delays = []
            if link.reliable:
                self.at(self.now, lambda: self._fail(link))
        elif link.target in self._refusing:
            delays = []
            self.at(self.now + 2 * self.delay, lambda: self._fail(link))
        arrivals = tuple(self.now + delay for delay in delays)
        self.wire.append(packet._replace(arrivals=arrivals))
        message = send.message.framed() if link.reliable else send.message
        data = message.encode() if self._on_wire else b""
        for at in arrivals:
            self.at(at, lambda: self._arrive(link, parse(data) if self._on_wire else message))

    def _arrive(self, link: Link, message: Request | Response) -> None:
        if not link.reliable or frozenset(link[:2]) not in self._cut:
            self._users[link.target].party.receive(self.now, link.back(), message)

    def _fail(self, link: Link) -> None:
        self._users[link.source].party.transport_error(self.now, link)


def new_request(
    method: str,
    source: str,
    target: str,
    *,
    branch: str = "z9hG4bK1",
    call_id: str = "1@kit",
    cseq: int = 1,
    to_tag: str | None = None,
    headers: Sequence[tuple[str, object]] = (),
) -> Request:
    """Return a request that is whole, from one party to another, as plain as can be."""
    return Request.build(
        method,
        f"sip:{target}.example",
        via=f"SIP/2.0/UDP {source}.example;branch={branch}",
        from_=f"<sip:{source}@{source}.example>;tag={source}",
        to=f"<sip:{target}@{target}.example>" + (f";tag={to_tag}" if to_tag else ""),
        call_id=call_id,
        cseq=cseq,
        headers=headers,
    )


def answer(*statuses: int) -> Reaction:
    """Return a reaction: answer every request with these statuses at once, To tag the party's name."""

    def react(user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived):
            for status in statuses:
                reply = Response.answer(event.request, status, to_tag=user.name)
                user.party.respond(user.network.now, event.transaction, reply)

    return react
