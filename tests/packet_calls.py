"""Calls on the simulated network: alice calls bob through a back-to-back user agent, and hangs up."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from random import Random
from typing import Any, TypeAlias, cast

import simpy

from kirikae import cli
from kirikae.runner import ENGINES, Play
from sbc.endpoints.endpoint import Hold
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.sip.agent import UserAgent
from sbc.sip.b2bua import BackToBack
from sbc.sip.bridge import Incoming, Onward
from sbc.sip.call import Arrived, Up, Way
from sbc.sip.fields import Address as NameAddress
from sbc.sip.fields import Via
from sbc.sip.ids import Ids
from sbc.sip.message import parse
from sbc.sip.transaction import Flow, Send
from sbc.sip.uri import SipUri, Uri
from scenarios.evidence import JournalEntry, Recorder, WireRecord, WireRecorder
from scenarios.load import CallerBlock
from scenarios.model import Drill
from sim import engine as calls
from sim.log import Log
from sim.packets.host import Host
from sim.packets.network import Link, Network
from sim.timer import later
from tests.agents import ANSWER, OFFER

TALK = 30.0
"""Seconds from the ACK to the BYE."""
EVERY = 5.0
"""Seconds between two calls."""
AGAIN = 0.5
"""T1: a datagram that is lost is sent again."""

ALICE, EDGE, BOB = Address("192.0.2.1"), Address("198.51.100.1"), Address("203.0.113.1")

Core: TypeAlias = UserAgent | BackToBack
React: TypeAlias = Callable[["Element", float, Any], None]


class Element:
    """An endpoint: a SIP core at an address, and its user."""

    def __init__(self, address: Address, make: Callable[..., Core], transport: str, react: React) -> None:
        self.address = address
        self._react = react
        self._now = 0.0
        self._first: list[object] = [Hold(address)]
        self._transport = transport
        bits = Random(str(address)).getrandbits  # noqa: S311 - a test has to be repeatable
        self.uri = SipUri(address.host, port=address.port)
        self.core: Any = make(self.uri, Ids(bits), self._locate)

    def _locate(self, uri: Uri, flow: Flow | None) -> Way:
        assert isinstance(uri, SipUri)
        way = flow or Path(self.address, Address(uri.host, uri.port or 5060), self._transport)
        return Way(way, Via(self._transport.upper(), *self.address))

    def receive(self, now: float, datagram: Datagram) -> None:
        self._now = now
        self.core.receive(now, datagram.path.back(), datagram.message or parse(datagram.data))

    def event(self, now: float, event: object) -> None:
        self._now = now
        assert callable(event)
        event(self, now)

    def fire(self, now: float) -> None:
        self._now = now
        self.core.fire(now)

    def deadline(self) -> float:
        return float(self.core.deadline())

    def take(self) -> Sequence[object]:
        out, self._first = self._first, []
        while told := self.core.take():
            for output in told:
                if isinstance(output, Send):
                    out.append(output)
                else:
                    self._react(self, self._now, output)
        return out


class Wire:
    """A wire recorder that keeps everything."""

    def __init__(self) -> None:
        self.records: list[WireRecord] = []

    def wire(self, record: WireRecord) -> None:
        self.records.append(record)


class Dropping:
    """Loses the datagrams of a link whose turn it is."""

    def __init__(self, turns: Iterable[int]) -> None:
        self._turns = frozenset(turns)
        self._turn = 0

    def crossing(self) -> float:
        self._turn += 1
        return inf if self._turn in self._turns else 0.0


class Unheard:
    """A recorder that nobody reads."""

    def calls(self, records: object) -> None:
        pass

    def entry(self, entry: JournalEntry) -> None:
        pass

    def sample(self, sample: object) -> None:
        pass


def _agent(uri: SipUri, ids: Ids, locate: Any) -> UserAgent:
    return UserAgent(NameAddress(uri), ids, locate)


def play(wire: Any, *, many: int = 3, transport: str = "udp", lost: Iterable[int] = (), strict: bool = False) -> None:
    """Let calls begin from -5 s on, one every :data:`EVERY` seconds.

    ``lost``: which datagrams between alice and the edge are lost, counted from 1.
    """
    env = simpy.Environment(initial_time=-5.0)
    network = Network(env, Log(env, Unheard()), wire=wire, strict=strict)
    first = Link()
    if lost := tuple(lost):
        first.degraded.degraded_by["loss"] = Dropping(lost)  # type: ignore[assignment] # all that a link asks of it
    network.connect("outside", "edge", first)
    network.connect("edge", "inside", Link())

    def caller(element: Element, now: float, event: Any) -> None:
        if isinstance(event, Up):
            later(env, TALK, lambda: hosts["alice"].tell(lambda it, now: it.core.hang_up(now, event.call)))

    def edge(element: Element, now: float, event: Any) -> None:
        if isinstance(event, Incoming):
            element.core.connect(now, event.bridge, [Onward(SipUri(BOB.host, "0612345678"))])

    def callee(element: Element, now: float, event: Any) -> None:
        if isinstance(event, Arrived):
            element.core.ring(now, event.call)
            element.core.answer(now, event.call, body=ANSWER)

    def dial(element: Element, now: float) -> None:
        us, them = NameAddress(element.uri), SipUri(EDGE.host, "0612345678")
        element.core.invite(now, them, us, NameAddress(them), body=OFFER)

    hosts: dict[str, Host] = {}
    for name, segment, address, make, react in (
        ("alice", "outside", ALICE, _agent, caller),
        ("edge/1", "edge", EDGE, BackToBack, edge),
        ("bob", "inside", BOB, _agent, callee),
    ):
        network.place(address.host, segment)
        hosts[name] = Host(env, network, name, lambda report: None)
        hosts[name].start(Element(address, make, transport, react))
    for number in range(many):
        later(env, number * EVERY, lambda: hosts["alice"].tell(dial))
    env.run(until=300.0)


def recorded(**options: Any) -> list[WireRecord]:
    """Return what went over the wire."""
    wire = Wire()
    play(wire, **options)
    return wire.records


def engine(
    drill: Drill,
    load: list[Iterator[CallerBlock]],
    seed: int,
    replication: int,
    recorder: Recorder,
    *,
    wire: WireRecorder | None = None,
    strict: bool = False,
) -> None:
    """Stand in for an engine with messages: the evidence of `calls`, and these few calls on the wire."""
    calls.play(drill, load, seed, replication, recorder)
    if wire is not None:
        play(wire, lost=[1], strict=strict)


def main() -> None:
    """Start the command line with the stand-in."""
    cast("dict[str, Play]", ENGINES)["packets"] = engine
    cli.main()


if __name__ == "__main__":
    main()
