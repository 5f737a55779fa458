"""A pair of machines in virtual time, each with an HA daemon and a SIP process, for tests of takeovers."""

from collections.abc import Iterable
from functools import partial
from itertools import chain, count, repeat
from math import inf
from typing import Any, NamedTuple, TypeAlias

import simpy

from sbc.endpoints.ha import Became, Check, Checked, Phases, Role, Seat, Switch, ha_daemon
from sbc.endpoints.wire import Address, Datagram
from sbc.sip.ids import Ids
from sbc.sip.message import Response, parse
from sbc.sip.transaction import RequestReceived, Send
from sbc.sip.transactions import Transactions
from scenarios.evidence import WireRecord
from scenarios.model import Detector
from sim.links import Degradation
from sim.log import Log
from sim.packets.host import Host
from sim.packets.network import Link, Network
from tests.drills import ListRecorder

SERVICE = Address("203.0.113.1")
OWN = (Address("198.51.100.1"), Address("198.51.100.2"))
HOP = 0.001
"""Seconds that a datagram takes from one machine to another."""
Moment: TypeAlias = Any
"""Seconds; in what is expected, `pytest.approx` may stand there."""


class Heard(NamedTuple):
    """A report of a daemon."""

    at: float
    node: int
    report: object


class Sips:
    """A SIP process that answers every request with 200."""

    def __init__(self) -> None:
        self._transactions = Transactions()

    def receive(self, now: float, datagram: Datagram) -> None:
        self._transactions.receive(now, datagram.path.back(), datagram.message or parse(datagram.data))

    def event(self, now: float, event: object) -> None:
        pass

    def deadline(self) -> float:
        return self._transactions.deadline()

    def fire(self, now: float) -> None:
        self._transactions.fire(now)

    def take(self) -> list[object]:
        out: list[object] = []
        while outputs := self._transactions.take():
            for output in outputs:
                if isinstance(output, Send):
                    out.append(output)
                elif isinstance(output, RequestReceived):
                    self._transactions.respond(
                        0.0, output.transaction, Response.answer(output.request, 200, to_tag="1")
                    )
        return out


class Pattern(Degradation):
    """Loses the datagrams that a pattern says, true for lost; those after its end get through."""

    def __init__(self, lost: Iterable[bool]) -> None:
        self._lost = chain(lost, repeat(False))

    def crossing(self) -> float:
        return inf if next(self._lost) else 0.0


class HaPair:
    """Two machines; the first serves from the start on. All that the daemons report is in :attr:`heard`."""

    def __init__(self, detect: Detector, phase: float = 0.0, check: float = 0.0, *, strict: bool = False) -> None:
        """``phase``: how much of the advertisement or probe interval has passed at 0; ``check``: of the check's."""
        self.detect = detect
        self.env = simpy.Environment()
        self.recorder = ListRecorder()
        self.datagrams: list[WireRecord] = []
        self.heard: list[Heard] = []
        self.held: list[tuple[Moment, int | None]] = [(0.0, 0)]
        """Since when sends to the service address reach the process of which node; None for no node."""
        self.network = Network(self.env, Log(self.env, self.recorder), wire=self, strict=strict)
        self.link = Link(HOP)
        """Of the adverts."""
        self.lans = (Link(HOP), Link(HOP))
        """From each node to the service address and back."""
        for node, own in enumerate(OWN):
            self.network.place(own.host, f"node {node}")
            self.network.connect(f"node {node}", "lan", self.lans[node])
        self.network.place(SERVICE.host, "lan")
        self.network.connect("node 0", "node 1", self.link)
        numbers = count(1)
        self._ids = Ids(lambda bits: next(numbers))
        self.sips = [Host(self.env, self.network, f"sip {node}", print) for node in (0, 1)]
        self.daemons = [
            Host(self.env, self.network, f"daemon {node}", partial(self._hear, node), serves=self.sips[node])
            for node in (0, 1)
        ]
        for node in (0, 1):
            self.network.hold(self.daemons[node], OWN[node])
            self._start(node, Phases(phase, check), serves=node == 0)

    def _start(self, node: int, phases: Phases, *, serves: bool) -> None:
        seat = Seat(OWN[node], OWN[1 - node], SERVICE, 51, first=node == 0)
        self.sips[node].start(Sips())
        self.daemons[node].start(ha_daemon(self.env.now, seat, self.detect, phases, self._ids, serves=serves))

    def _hear(self, node: int, report: object) -> None:
        if isinstance(report, Check):
            self.daemons[node].tell(Checked(self.sips[node].answers))
        else:
            self.heard.append(Heard(self.env.now, node, report))

    def wire(self, record: WireRecord) -> None:
        self.datagrams.append(record)

    # What happens.

    def run(self, until: float) -> None:
        """Let time pass; who holds the address is looked at after every event."""
        while self.env.peek() <= until:
            self.env.step()
            holder = self.network.holder(SERVICE)
            node = None if holder is None else self.sips.index(holder)
            if node != self.held[-1][1]:
                self.held.append((self.env.now, node))
        if self.env.now < until:
            self.env.run(until=until)

    def die(self, node: int) -> None:
        """Take the power from a machine."""
        self.daemons[node].kill()
        self.sips[node].kill()

    def come_back(self, node: int) -> None:
        """Give it the power back."""
        self._start(node, Phases(0.0, 0.0), serves=False)

    def hang(self, node: int) -> None:
        """Let a SIP process hang."""
        self.sips[node].hung_by["fault"] = None

    def go_on(self, node: int) -> None:
        """Let it go on."""
        self.sips[node].hung_by.clear()
        self.sips[node].go_on()

    def switch(self) -> None:
        """Change roles as planned."""
        serving = self.serving()[0]
        for node in (serving, 1 - serving):
            self.daemons[node].tell(Switch())

    def cut(self, *ways: int) -> None:
        """Cut the link of the adverts, in the directions from these nodes."""
        for node in ways:
            self.link.cut_towards[f"node {1 - node}"] = {"fault": None}

    def heal(self) -> None:
        """Repair it."""
        self.link.cut_towards.clear()

    def lose(self, link: Link, pattern: Iterable[bool]) -> None:
        """Lose datagrams on a link as a pattern says, true for lost; after its end none is lost any more."""
        link.degraded.degraded_by["fault"] = Pattern(pattern)

    # What has happened.

    def serving(self) -> list[int]:
        """Return the nodes whose daemons say that they serve."""
        latest = {heard.node: heard.report.role for heard in self.heard if isinstance(heard.report, Became)}
        return [node for node in (0, 1) if latest[node] is Role.SERVES and self.daemons[node].answers]

    def reports(self, after: float = 0.0) -> list[tuple[Moment, int, object]]:
        """Return what was reported after a moment: when, by which node, and the role, or by what it noticed."""
        return [
            (heard.at, heard.node, heard.report.role if isinstance(heard.report, Became) else heard.report)
            for heard in self.heard
            if heard.at > after
        ]

    def takeover(self, node: int, after: float = 0.0) -> float:
        """Return when a node came to serve, for the first time after a moment; ``inf`` for never."""
        found = [at for at, who, what in self.reports(after) if who == node and what is Role.SERVES]
        return found[0] if found else inf

    def adverts(self, node: int) -> list[tuple[Moment, int]]:
        """Return when a node sent adverts, and of which priority."""
        return [(each.at, each.data[2]) for each in self.datagrams if each.source == OWN[node].host]
