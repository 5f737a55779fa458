"""SBC nodes between user agents on the simulated network; links take 1 ms one way, and the takeover is the test's."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from math import inf
from random import Random
from typing import Any

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions.admission import Limit, Pace
from sbc.decisions.handover import Event
from sbc.endpoints.charging import charging
from sbc.endpoints.endpoint import Broken
from sbc.endpoints.gate import Carrying, Denied, Done, Post
from sbc.endpoints.node import Keeps, SbcNode
from sbc.endpoints.passing import Drain, LineDown, Node, Resume, Serve, Service
from sbc.endpoints.proxy_node import ProxyNode
from sbc.endpoints.replica import read, write
from sbc.endpoints.trunk_group import by_trunk, wish
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.sip.agent import UserAgent
from sbc.sip.bridging import State
from sbc.sip.call import Arrived, Call, ChangeAsked, Changed, Ended, Replied, Up, Way
from sbc.sip.fields import Address as NameAddr
from sbc.sip.fields import Via
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response, parse
from sbc.sip.session_timer import Terms, Timing
from sbc.sip.snapshot import Snapshot, take
from sbc.sip.transaction import Flow, Send
from sbc.sip.uri import SipUri, Uri
from scenarios.evidence import CallRecord, Fate, JournalEntry, Sample, WireRecord
from sim.log import Log
from sim.packets.host import Host
from sim.packets.network import Link, Network
from sim.timer import later
from tests.agents import ANSWER, OFFER

SERVICE = Address("192.0.2.10")
CENTRE = Address("192.0.2.20")
STRANGER = Address("203.0.113.66")
TRUNKS = {"ntt-tokyo": Address("198.51.100.1"), "kddi-tokyo": Address("198.51.100.2")}
HA = (
    Path(Address("10.0.0.1", 9000), Address("10.0.0.2", 9000)),
    Path(Address("10.0.0.2", 9000), Address("10.0.0.1", 9000)),
)
NUMBER = "0312345678"
MS = 0.001


class Nobody:
    """Takes evidence and keeps what was on the wire."""

    def __init__(self) -> None:
        self.records: list[WireRecord] = []

    def calls(self, records: Sequence[CallRecord]) -> None: ...
    def entry(self, entry: JournalEntry) -> None: ...
    def sample(self, sample: Sample) -> None: ...

    def wire(self, record: WireRecord) -> None:
        self.records.append(record)


class Dice:
    """Loses a share of what crosses a link."""

    def __init__(self, loss: float, seed: int) -> None:
        self._loss, self._random = loss, Random(seed)  # noqa: S311

    def crossing(self) -> float:
        return inf if self._random.random() < self._loss else 0.0


class Party:
    """A user agent with one address: answers calls as it is told, accepts every change, notes what it is told."""

    def __init__(self, address: Address, timing: Timing, status: int = 200, ring: bool = False) -> None:
        self.address = address
        self.agent = UserAgent(
            NameAddr(SipUri(address.host, "line")),
            Ids(Random(address.host).getrandbits),  # noqa: S311 - a test has to be repeatable
            self._locate,
            timing=timing,
        )
        self.status = status
        self.rings_first = ring
        self.told: list[tuple[float, Any]] = []
        self.calls: list[Call] = []
        self.requests: list[Request] = []
        self._out: list[object] = []

    def _locate(self, uri: Uri, flow: Flow | None) -> Way:
        assert isinstance(uri, SipUri)
        path = Path(self.address, Address(uri.host, uri.port or 5060))
        return Way(path, Via("UDP", self.address.host, self.address.port))

    def receive(self, now: float, datagram: Datagram) -> None:
        message = parse(datagram.data) if datagram.message is None else datagram.message
        self.agent.receive(now, datagram.path.back(), message)
        self._hear(now)

    def event(self, now: float, event: Any) -> None:
        if isinstance(event, Broken):
            self.agent.transport_error(now, event.path)
        else:
            event(now, self.agent)
        self._hear(now)

    def fire(self, now: float) -> None:
        self.agent.fire(now)
        self._hear(now)

    def deadline(self) -> float:
        return self.agent.deadline()

    def take(self) -> Sequence[object]:
        out, self._out = self._out, []
        return out

    def _hear(self, now: float) -> None:
        while outputs := self.agent.take():
            for output in outputs:
                if isinstance(output, Send):
                    self._out.append(output)
                    continue
                self.told.append((now, output))
                if isinstance(output, Arrived):
                    self.calls.append(output.call)
                    self.requests.append(output.request)
                    if self.rings_first:
                        self.agent.ring(now, output.call)
                    elif self.status < 300:
                        self.agent.answer(now, output.call, body=ANSWER)
                    else:
                        self.agent.refuse(now, output.call, self.status)
                elif isinstance(output, ChangeAsked):
                    self.agent.answer(now, output.call, body=ANSWER)

    def heard(self, kind: type[Any]) -> list[tuple[float, Any]]:
        return [(at, event) for at, event in self.told if isinstance(event, kind)]


class Rig:
    """A carrier with two lines, a contact centre, and a pair of nodes with a link of their own between."""

    def __init__(
        self,
        keeps: Keeps = "confirmed",
        *,
        ports: int = 300,
        cps: int | None = None,
        interval: int = 1800,
        status: int = 200,
        ring: bool = False,
        proxy: bool = False,
        strict: bool = False,
        allowed: frozenset[str] | None = None,
    ) -> None:
        self.env = simpy.Environment()
        self.wire = Nobody()
        self.network = Network(self.env, Log(self.env, self.wire), wire=self.wire, strict=strict)
        self.keeps: Keeps = keeps
        self.ports, self.cps, self.timing, self.proxy, self.allowed = ports, cps, Timing(interval), proxy, allowed
        self.reports: list[tuple[float, str, object]] = []
        self.machines: dict[Party, Host] = {}
        self.lines = {name: self._party(address, name) for name, address in TRUNKS.items()}
        self.centre = self._party(CENTRE, "centre", status=status, ring=ring)
        self.stranger = self._party(STRANGER, "stranger")
        self.network.place(SERVICE.host, "edge")
        self.links = {segment: Link() for segment in (*TRUNKS, "centre", "stranger")}
        self.trunk_link = self.links["ntt-tokyo"]
        for segment, link in self.links.items():
            self.network.connect("edge", segment, link)
        self.ha = Link()
        self.network.connect("ha1", "ha2", self.ha)
        self.hosts = [self._machine(index) for index in (0, 1)]
        for index in (0, 1):
            self.start(index)
        self.hold(0)

    def _party(self, address: Address, name: str, **options: Any) -> Party:
        party = Party(address, self.timing, **options)
        host = Host(self.env, self.network, name, lambda report: None)
        self.network.place(address.host, name)
        self.network.hold(host, address)
        host.start(party)
        self.machines[party] = host
        return party

    def _machine(self, index: int) -> Host:
        name = f"edge/{index + 1}"
        host = Host(self.env, self.network, name, lambda report: self.reports.append((self.env.now, name, report)))
        self.network.place(HA[index].local.host, f"ha{index + 1}")
        self.network.hold(host, HA[index].local)
        return host

    def start(self, index: int) -> None:
        """Start the process of a node, empty."""
        post = Post(
            f"edge/{index + 1}",
            SERVICE,
            TRUNKS,
            CENTRE,
            Limit("edge", self.ports, 503),
            Pace("edge cps", self.cps) if self.cps is not None else None,
            allowed=self.allowed,
            timing=self.timing,
        )
        ids = Ids(Random(f"{index}{self.env.now}").getrandbits)  # noqa: S311
        node = ProxyNode(post, ids) if self.proxy else SbcNode(post, ids, keeps=self.keeps, peer=HA[index])
        self.hosts[index].start(node)

    def node(self, index: int) -> Node:
        node = self.hosts[index].endpoint
        assert isinstance(node, Node)
        return node

    def hold(self, index: int) -> None:
        self.network.hold(self.hosts[index], SERVICE)
        self.hosts[index].tell(Serve(True))

    def release(self, index: int) -> None:
        self.hosts[index].tell(Serve(False))
        self.network.release(self.hosts[index], SERVICE)

    def lose(self, index: int = 0) -> None:
        """Kill a node; its address stays with the dead machine until another takes it."""
        self.hosts[index].kill()

    def run(self, until: float) -> None:
        self.env.run(until=until)

    def at(self, when: float, action: Callable[[], Any]) -> None:
        later(self.env, when - self.env.now, action)

    def do(self, party: Party, verb: Callable[[float, UserAgent], object]) -> None:
        self.machines[party].tell(verb)

    def call(self, key: str, trunk: str = "ntt-tokyo", to: str = NUMBER) -> list[Call]:
        """Let the carrier send a call in by a trunk; the list has it."""
        line, calls = self.lines[trunk], []
        uri = SipUri(SERVICE.host, to, SERVICE.port)
        caller = NameAddr(SipUri(line.address.host, "09011112222"), display="Suzuki")

        def dial(now: float, agent: UserAgent) -> None:
            calls.append(
                agent.invite(
                    now, uri, caller, NameAddr(SipUri(SERVICE.host, "0120123456")), headers=[charging(key)], body=OFFER
                )
            )

        self.do(line, dial)
        return calls

    def several(self, count: int) -> list[Call]:
        """Let as many calls in, one after the other, from now on."""
        calls = []
        for key in range(count):
            calls += self.call(str(key))
            self.run(self.env.now + 0.01)
        return calls

    def hang_up(self, party: Party, call: Call) -> None:
        self.do(party, lambda now, agent: agent.hang_up(now, call))

    def change(self, call: Call, body: bytes) -> None:
        self.do(self.lines["ntt-tokyo"], lambda now, agent: agent.reinvite(now, call, body=body))

    def said(self, kind: type[Any]) -> list[Any]:
        return [report for _, _, report in self.reports if isinstance(report, kind)]

    def sent(self, start: str, source: str) -> list[float]:
        """When messages that start so were sent from an address."""
        return [r.at for r in self.wire.records if r.source == source and r.data.startswith(start.encode())]

    def quiet(self) -> None:
        """Nothing is left: no call, transaction, port, replica, or anything to do."""
        for party in (*self.lines.values(), self.centre, self.stranger):
            assert len(party.agent) == 0
            assert party.deadline() == inf
        for host in self.hosts:
            node = host.endpoint
            if isinstance(node, SbcNode):
                assert len(node) == 0
                assert node.deadline() == inf
                assert not any((node._keys, node._calls, node._names, node._bridges, node._touched, node._left))
                assert len(node._middle) == len(node._middle._agent) == len(node._middle._agent._transactions) == 0
                if node._replication is not None:
                    receiver, sender = node._replication.receiver, node._replication.sender
                    assert not any(
                        (receiver.calls, receiver._keys, receiver._early, receiver._old, sender._known, sender._dirty)
                    )
            elif isinstance(node, ProxyNode):
                assert len(node) == len(node._proxy) == len(node._proxy._transactions) == len(node._dialogues) == 0
                assert node.deadline() == inf


# A call through one node


def test_a_call_from_a_trunk_passes_to_the_centre_and_back() -> None:
    rig = Rig()
    rig.run(0.1)
    calls = rig.call("7")
    rig.run(0.2)
    assert [type(event) for _, event in rig.lines["ntt-tokyo"].told][-1] is Up
    request = rig.centre.requests[0]
    assert (request.uri_text, request.headers.get("P-Charging-Vector")) == (
        f"sip:{NUMBER}@192.0.2.20:5060;user=phone",
        'icid-value="7"',
    )
    assert (request.from_.uri, request.from_.display) == (SipUri(SERVICE.host, "09011112222"), "Suzuki")
    assert isinstance(request.to.uri, SipUri)
    assert request.to.uri.user == "0120123456"
    assert rig.node(0).carries("7")
    assert not rig.node(1).carries("7")
    assert rig.node(1).replicated("7")
    assert len(rig.node(0)) == 1
    rig.hang_up(rig.lines["ntt-tokyo"], calls[0])
    rig.run(100.0)
    assert [type(report) for report in rig.said(object)] == [Carrying, Done]
    rig.quiet()


def test_set_up_takes_four_crossings_and_the_ack_two_more() -> None:
    rig = Rig()
    rig.run(1.0)
    rig.call("7")
    rig.run(2.0)
    assert rig.lines["ntt-tokyo"].heard(Up)[0][0] == pytest.approx(1.0 + 4 * MS)
    assert rig.centre.heard(Up)[0][0] == pytest.approx(1.0 + 4 * MS)  # the node acknowledges what it has heard


def test_a_call_from_the_inside_leaves_by_the_trunk_that_it_names() -> None:
    rig = Rig()
    rig.run(0.1)
    target = by_trunk("09012345678", "kddi-tokyo", SERVICE)
    rig.do(
        rig.centre,
        lambda now, agent: agent.invite(
            now, target, NameAddr(SipUri(CENTRE.host, NUMBER)), NameAddr(target), headers=[charging("9")], body=OFFER
        ),
    )
    rig.run(0.2)
    request = rig.lines["kddi-tokyo"].requests[0]
    assert request.uri_text == "sip:09012345678@198.51.100.2:5060;user=phone"
    assert isinstance(request.to.uri, SipUri)
    assert request.to.uri.user == "09012345678"
    assert b"tgrp" not in request.encode()
    assert rig.lines["ntt-tokyo"].requests == []


def test_a_call_from_a_trunk_says_to_the_inside_by_which_it_has_come() -> None:
    rig = Rig()
    (call,) = rig.call("1", "kddi-tokyo")
    rig.run(0.2)
    request = rig.centre.requests[0]
    contact = request.contacts[0].uri
    assert str(contact) == "sip:09011112222;tgrp=kddi-tokyo;trunk-context=kirikae@192.0.2.10:5060;user=phone"
    assert len(request.contacts) == 1
    assert call.dialog is not None
    assert call.dialog.remote_target == SipUri(SERVICE.host, port=SERVICE.port)  # the carrier's side sees nothing of it
    rig.do(rig.centre, lambda now, agent: agent.hang_up(now, rig.centre.calls[0]))
    rig.run(1)
    assert len(rig.node(0)) == 0


def test_a_trunk_in_a_user_part_reads_as_rfc_4904_writes_it() -> None:
    assert str(by_trunk("09012345678", "ntt tokyo", SERVICE)) == (
        "sip:09012345678;tgrp=ntt%20tokyo;trunk-context=kirikae@192.0.2.10:5060;user=phone"
    )
    assert wish(SipUri("sbc", "+16305550100;tgrp=TG-1;trunk-context=example.com")) == ("+16305550100", "TG-1")
    assert wish(SipUri("sbc", "110")) == ("110", None)


# Refusals


def refusals(rig: Rig) -> list[tuple[int, str | None]]:
    return [
        (event.message.status, event.message.headers.get("Retry-After"))
        for _, event in rig.lines["ntt-tokyo"].heard(Ended)
        if isinstance(event.message, Response)
    ]


def test_strangers_are_refused_and_may_only_ask_whether_somebody_is_there() -> None:
    rig = Rig()
    rig.run(0.1)
    target = SipUri(SERVICE.host, NUMBER)
    here = NameAddr(SipUri(STRANGER.host, "mallory"))
    rig.do(rig.stranger, lambda now, agent: agent.invite(now, target, here, NameAddr(target), body=OFFER))
    rig.do(rig.stranger, lambda now, agent: agent.request(now, "OPTIONS", target, here, NameAddr(target)))
    rig.run(100.0)
    assert [event.message.status for _, event in rig.stranger.heard(Ended)] == [403]
    assert [event.response.status for _, event in rig.stranger.heard(Replied)] == [200]
    assert [(denied.status, denied.limit) for denied in rig.said(Denied)] == [(403, False)]
    assert rig.said(Carrying) == []
    rig.quiet()


def test_a_trunk_that_is_not_allow_listed_is_a_stranger() -> None:
    rig = Rig(allowed=frozenset([CENTRE.host, "198.51.100.2"]))
    rig.run(0.1)
    rig.call("1", "ntt-tokyo")
    rig.call("2", "kddi-tokyo")
    rig.run(1.0)
    assert [(denied.key, denied.status) for denied in rig.said(Denied)] == [("1", 403)]
    assert [each.key for each in rig.said(Carrying)] == ["2"]


def test_an_unknown_trunk_is_not_found() -> None:
    rig = Rig()
    rig.run(0.1)
    for user in ("0901;tgrp=ntt-osaka;trunk-context=kirikae", "0901"):
        target = SipUri(SERVICE.host, user)
        rig.do(rig.centre, lambda now, agent, to=target: agent.invite(now, to, NameAddr(to), NameAddr(to), body=OFFER))  # type: ignore[misc]
    rig.run(1.0)
    assert [denied.status for denied in rig.said(Denied)] == [404, 404]


def test_every_call_holds_one_port_and_the_next_is_refused_by_the_name_of_the_pair() -> None:
    rig = Rig(ports=2)
    rig.run(0.1)
    first, _, _ = (rig.call(str(key)) for key in range(3))
    rig.run(1.0)
    assert rig.said(Denied) == [Denied("2", 503, "edge", limit=True)]
    assert refusals(rig) == [(503, None)]
    rig.hang_up(rig.lines["ntt-tokyo"], first[0])
    rig.run(2.0)
    rig.call("3")
    rig.run(3.0)
    assert [each.key for each in rig.said(Carrying)] == ["0", "1", "3"]
    assert len(rig.node(0)) == 2


def test_more_new_calls_than_one_second_takes_are_refused() -> None:
    rig = Rig(cps=2)
    rig.run(0.1)
    for key in range(3):
        rig.call(str(key))
    rig.run(1.0)
    assert rig.said(Denied) == [Denied("2", 503, "edge cps", limit=True)]
    rig.run(1.102)
    rig.call("3")
    rig.run(2.0)
    assert len(rig.said(Denied)) == 1


def test_a_drained_node_says_when_to_come_back_and_lets_calls_go_on() -> None:
    rig = Rig()
    rig.run(0.1)
    kept = rig.call("0")
    rig.run(1.0)
    rig.hosts[0].tell(Drain(29.2))
    rig.call("1")
    rig.run(2.0)
    rig.hosts[0].tell(Drain())
    rig.call("2")
    rig.run(3.0)
    rig.hosts[0].tell(Resume())
    rig.call("3")
    rig.run(4.0)
    assert refusals(rig) == [(503, "30"), (503, None)]
    assert rig.said(Denied) == [Denied(key, 503, "drained", limit=False) for key in ("1", "2")]
    assert rig.node(0).carries("0")
    assert rig.node(0).carries("3")
    rig.hang_up(rig.lines["ntt-tokyo"], kept[0])
    rig.run(5.0)
    assert not rig.node(0).carries("0")


def test_a_site_that_is_not_in_service_takes_no_calls() -> None:
    rig = Rig()
    rig.run(0.1)
    rig.hosts[0].tell(Service(False))
    rig.call("0")
    rig.run(1.0)
    rig.hosts[0].tell(Service(True))
    rig.call("1")
    rig.run(2.0)
    assert rig.said(Denied) == [Denied("0", 503, "site not in service", limit=False)]
    assert rig.node(0).carries("1")


def test_the_answer_of_the_centre_reaches_the_caller_and_frees_the_port() -> None:
    rig = Rig(status=486)
    rig.run(0.1)
    rig.call("0")
    rig.run(60.0)
    assert refusals(rig) == [(486, None)]
    assert [type(report) for report in rig.said(object)] == [Carrying, Done]
    rig.quiet()


def test_a_caller_who_gives_up_cancels_the_call_on_the_other_side() -> None:
    rig = Rig(ring=True)
    rig.run(0.1)
    calls = rig.call("0")
    rig.run(1.0)
    rig.hang_up(rig.lines["ntt-tokyo"], calls[0])
    rig.run(100.0)
    assert [event.why.name for _, event in rig.centre.heard(Ended)] == ["CANCEL"]
    rig.quiet()


# A lost trunk


def test_the_calls_of_a_lost_trunk_are_cleared_on_the_other_side_at_once() -> None:
    rig = Rig()
    rig.run(0.1)
    rig.call("0", "ntt-tokyo")
    rig.call("1", "kddi-tokyo")
    rig.run(10.0)
    rig.trunk_link.cut_by["cut"] = None
    rig.hosts[0].tell(LineDown("ntt-tokyo"))
    rig.run(10.0 + 2 * MS)
    assert [at for at, _ in rig.centre.heard(Ended)] == pytest.approx([10.0 + MS])
    assert not rig.node(0).carries("0")
    assert rig.node(0).carries("1")
    assert len(rig.node(0)) == 1


# Takeover


@pytest.mark.parametrize("by_carrier", [True, False])
@pytest.mark.parametrize("strict", [True, False])
def test_an_established_call_survives_and_can_be_hung_up_from_either_side(by_carrier: bool, strict: bool) -> None:
    rig = Rig(strict=strict)
    rig.run(0.1)
    calls = rig.call("7")
    rig.run(5.0)
    rig.lose()
    rig.run(8.0)
    rig.hold(1)
    assert rig.node(1).carries("7")
    assert len(rig.node(1)) == 1
    rig.run(9.0)
    line = rig.lines["ntt-tokyo"]
    assert (len(line.heard(Ended)), len(rig.centre.heard(Ended))) == (0, 0)
    if by_carrier:
        rig.hang_up(line, calls[0])
    else:
        rig.hang_up(rig.centre, rig.centre.calls[0])
    rig.run(9.0 + 2.5 * MS)
    assert (len(line.heard(Ended)), len(rig.centre.heard(Ended))) == (1, 1)
    rig.start(0)
    rig.run(200.0)
    rig.quiet()


def test_a_call_that_is_not_kept_is_unknown_to_the_next_node() -> None:
    rig = Rig("none")
    rig.run(0.1)
    calls = rig.call("7")
    rig.run(5.0)
    rig.lose()
    rig.hold(1)
    rig.hang_up(rig.lines["ntt-tokyo"], calls[0])
    rig.run(6.0)
    answers = [r.data.split(b"\r\n")[0] for r in rig.wire.records if r.at >= 5.0 and r.source == SERVICE.host]
    assert answers == [b"SIP/2.0 481 Call/Transaction Does Not Exist"]
    assert len(rig.centre.agent) == 1
    assert not any(record.source.startswith("10.") for record in rig.wire.records)


@pytest.mark.parametrize("interval", [90, 200])
@pytest.mark.parametrize("when", [30.0, 45.002, 44.9991, 45.0035])
def test_sessions_are_refreshed_through_the_next_node_and_never_expire(interval: int, when: float) -> None:
    rig = Rig(interval=interval)
    rig.at(MS, lambda: rig.call("7"))
    rig.run(when)
    rig.lose()
    rig.run(when + 0.3)
    rig.hold(1)
    rig.run(4 * interval)
    assert rig.node(1).carries("7")
    assert (rig.lines["ntt-tokyo"].heard(Ended), rig.centre.heard(Ended)) == ([], [])
    assert len(rig.sent("INVITE", SERVICE.host)) + len(rig.sent("INVITE", CENTRE.host)) > 4


@pytest.mark.parametrize("by_carrier", [True, False])
def test_a_change_passes_through_the_next_node(by_carrier: bool) -> None:
    rig = Rig()
    rig.run(0.1)
    line = rig.lines["ntt-tokyo"]
    calls = rig.call("7")
    rig.run(1.0)
    hold = OFFER + b"a=sendonly\r\n"
    rig.do(line, lambda now, agent: agent.reinvite(now, calls[0], body=hold))
    rig.run(2.0)
    rig.lose()
    rig.hold(1)
    rig.run(3.0)
    near, far, call = (line, rig.centre, calls[0]) if by_carrier else (rig.centre, line, rig.centre.calls[0])
    again = OFFER + b"a=inactive\r\n"
    rig.do(near, lambda now, agent: agent.reinvite(now, call, body=again))
    rig.run(4.0)
    assert far.heard(ChangeAsked)[-1][1].request.body == again
    assert [at for at, _ in near.heard(Changed)][-1] == pytest.approx(3.0 + 4 * MS)
    rig.hang_up(near, call)
    rig.run(5.0)
    assert len(far.heard(Ended)) == 1


@pytest.mark.parametrize("after", [0.0005, 0.0015, 0.0025, 0.0035, 0.0045, 0.0055])
def test_a_change_under_way_is_finished_by_the_next_node(after: float) -> None:
    rig = Rig()
    rig.run(0.1)
    line = rig.lines["ntt-tokyo"]
    calls = rig.call("7")
    rig.run(1.0)
    again = OFFER + b"a=inactive\r\n"
    rig.do(line, lambda now, agent: agent.reinvite(now, calls[0], body=again))
    rig.run(1.0 + after)
    rig.lose()
    rig.run(1.2)
    rig.hold(1)
    rig.run(100.0)
    assert calls[0].session.local == again
    assert rig.centre.calls[0].session.remote == again
    assert (line.heard(Ended), rig.centre.heard(Ended)) == ([], [])
    rig.hang_up(line, calls[0])
    rig.run(101.0)
    assert len(rig.centre.heard(Ended)) == 1


def test_a_call_in_the_silence_is_only_delayed_to_the_next_copy_of_its_invite() -> None:
    rig = Rig()
    rig.run(5.0)
    rig.lose()
    calls = rig.call("7")
    rig.at(8.4, lambda: rig.hold(1))
    rig.run(20.0)
    assert rig.sent("INVITE", TRUNKS["ntt-tokyo"].host) == pytest.approx([5.0, 5.5, 6.5, 8.5])
    assert rig.lines["ntt-tokyo"].heard(Up)[0][0] == pytest.approx(8.5 + 4 * MS)
    rig.hang_up(rig.lines["ntt-tokyo"], calls[0])
    rig.run(100.0)
    assert len(rig.node(1)) == 0


def test_a_bye_in_the_silence_ends_the_call_at_its_next_copy() -> None:
    rig = Rig()
    rig.run(0.1)
    calls = rig.call("7")
    rig.run(5.0)
    rig.lose()
    rig.hang_up(rig.lines["ntt-tokyo"], calls[0])
    rig.at(6.0, lambda: rig.hold(1))
    rig.run(7.0)
    assert [at for at, _ in rig.centre.heard(Ended)] == pytest.approx([6.5 + 2 * MS])
    assert not rig.node(1).carries("7")


@pytest.mark.parametrize(("keeps", "survive"), [("all", True), ("confirmed", False)])
def test_a_call_that_rings_survives_only_where_all_are_kept(keeps: Keeps, survive: bool) -> None:
    rig = Rig(keeps, ring=True)
    rig.run(0.1)
    line = rig.lines["ntt-tokyo"]
    calls = rig.call("7")
    rig.run(1.0)
    assert rig.node(1).replicated("7") is survive
    rig.lose()
    rig.run(1.3)
    rig.hold(1)
    rig.run(2.0)
    assert rig.node(1).carries("7") is survive
    rig.do(rig.centre, lambda now, agent: agent.answer(now, rig.centre.calls[0], body=ANSWER))
    rig.run(3.0)
    assert (len(line.heard(Up)) == 1) is survive
    rig.hang_up(line, calls[0])
    rig.start(0)
    rig.run(200.0)
    assert len(rig.centre.heard(Ended)) == 1
    rig.quiet()


def test_a_ringing_call_that_is_kept_can_be_cancelled_through_the_next_node() -> None:
    rig = Rig("all", ring=True)
    rig.run(0.1)
    line = rig.lines["ntt-tokyo"]
    calls = rig.call("7")
    rig.run(1.0)
    rig.lose()
    rig.hold(1)
    rig.run(2.0)
    rig.hang_up(line, calls[0])
    rig.run(3.0)
    assert [event.why.name for _, event in rig.centre.heard(Ended)] == ["CANCEL"]
    assert [event.message.status for _, event in line.heard(Ended)] == [487]


@pytest.mark.parametrize("keeps", ["all", "confirmed"])
@pytest.mark.parametrize("after", [0.0005, 0.0015, 0.0025, 0.0035, 0.0045, 0.0055, 0.0065])
def test_whenever_a_node_dies_during_set_up_nothing_is_left_behind_for_good(keeps: Keeps, after: float) -> None:
    rig = Rig(keeps, interval=90)
    rig.run(0.1)
    line = rig.lines["ntt-tokyo"]
    calls = rig.call("7")
    rig.run(0.1 + after)
    rig.lose()
    rig.run(0.4)
    rig.hold(1)
    rig.run(60.0)
    rig.hang_up(line, calls[0])
    rig.start(0)
    rig.run(400.0)
    rig.quiet()


def test_kept_calls_are_never_refused_a_port() -> None:
    rig = Rig(ports=3)
    rig.run(0.1)
    for key in range(3):
        rig.call(str(key))
    rig.run(1.0)
    rig.ports = 2
    rig.start(1)
    rig.run(2.0)
    rig.lose()
    rig.hold(1)
    assert len(rig.node(1)) == 3
    rig.call("3")
    rig.run(3.0)
    assert rig.said(Denied) == [Denied("3", 503, "edge", limit=True)]


def test_the_calls_of_a_trunk_that_is_lost_in_the_silence_are_cleared_by_the_next_node() -> None:
    rig = Rig()
    rig.run(0.1)
    rig.call("0", "ntt-tokyo")
    rig.call("1", "kddi-tokyo")
    rig.run(1.0)
    rig.lose()
    rig.hosts[1].tell(LineDown("ntt-tokyo"))
    rig.run(2.0)
    rig.hold(1)
    rig.run(3.0)
    assert [at for at, _ in rig.centre.heard(Ended)] == pytest.approx([2.0 + MS])
    assert (rig.node(1).carries("0"), rig.node(1).carries("1")) == (False, True)


def test_a_call_whose_ends_are_gone_as_well_ends_with_its_session() -> None:
    rig = Rig(interval=90)
    rig.run(0.1)
    rig.call("7")
    rig.run(10.0)
    rig.lose()
    rig.network.release(rig.machines[rig.centre], CENTRE)
    rig.network.release(rig.machines[rig.lines["ntt-tokyo"]], TRUNKS["ntt-tokyo"])
    rig.hold(1)
    rig.run(0.105 + 60.0 - 2 * MS)  # 90 s without a refresh, less a third (RFC 4028 §10)
    assert len(rig.node(1)) == 1
    rig.run(0.105 + 60.0 + 2 * MS)
    assert len(rig.node(1)) == 0


def test_an_ack_that_was_lost_with_its_node_is_sent_by_the_next() -> None:
    rig = Rig()
    rig.run(0.1)
    rig.call("7")
    rig.run(0.1 + 2.5 * MS)
    rig.links["centre"].cut_by["cut"] = None
    rig.run(0.2)
    rig.lose()
    del rig.links["centre"].cut_by["cut"]
    rig.run(0.3)
    rig.hold(1)
    rig.run(100.0)
    assert [at for at, _ in rig.centre.heard(Up)] == pytest.approx([0.3 + MS])
    assert rig.centre.heard(Ended) == []


@pytest.mark.parametrize("seed", range(3))
def test_on_a_lossy_trunk_calls_are_kept_all_the_same_and_nothing_is_left(seed: int) -> None:
    rig = Rig("all")
    rig.trunk_link.degraded.degraded_by["lossy"] = Dice(0.2, seed)  # type: ignore[assignment]
    rig.run(0.1)
    calls = rig.several(30)
    rig.run(40.0)
    line = rig.lines["ntt-tokyo"]
    assert len(line.heard(Up)) == 30
    rig.lose()
    rig.run(41.0)
    rig.hold(1)
    assert len(rig.node(1)) == 30
    for call in calls:
        rig.hang_up(line, call)
    rig.start(0)
    rig.run(300.0)
    assert len(rig.centre.heard(Ended)) == 30
    rig.quiet()


def test_a_trunk_that_is_noticed_to_be_unreachable_counts_as_503() -> None:
    rig = Rig()
    rig.trunk_link.cut_by["cut"] = None
    rig.trunk_link.refuses = True
    rig.run(0.1)
    target = by_trunk("09012345678", "ntt-tokyo", SERVICE)
    caller = NameAddr(SipUri(CENTRE.host, NUMBER))
    rig.do(rig.centre, lambda now, agent: agent.invite(now, target, caller, NameAddr(target), body=OFFER))
    rig.run(1.0)
    ((at, event),) = rig.centre.heard(Ended)
    assert event.message.status == 503
    assert at == pytest.approx(0.1 + 2 * MS)
    assert len(rig.node(0)) == 0


# Planned


def test_a_node_that_steps_down_hands_over_what_is_kept_and_clears_the_rest() -> None:
    rig = Rig(ring=True)
    rig.run(0.1)
    line = rig.lines["ntt-tokyo"]
    ringing = rig.call("0")
    rig.run(0.2)
    rig.centre.rings_first = False
    up = rig.call("1")
    rig.run(0.3)
    rig.release(0)
    assert len(rig.node(0)) == 0
    rig.hold(1)
    rig.run(1.0)
    assert [event.call for _, event in line.heard(Ended)] == ringing
    assert rig.node(1).carries("1")
    rig.hang_up(line, up[0])
    rig.run(100.0)
    assert len(rig.centre.heard(Ended)) == 2
    rig.quiet()


def test_a_call_that_has_ended_since_the_handover_does_not_come_back() -> None:
    rig = Rig()
    rig.run(0.1)
    calls = rig.call("7")
    rig.run(1.0)
    rig.ha.cut_by["cut"] = None
    rig.change(calls[0], OFFER + b"a=x\r\n")
    rig.run(1.1)
    rig.release(0)
    rig.hold(1)
    rig.hang_up(rig.centre, rig.centre.calls[0])
    rig.run(1.2)
    assert not rig.node(1).carries("7")
    del rig.ha.cut_by["cut"]
    rig.run(200.0)
    assert [type(each) for each in rig.said(object)] == [Carrying, Done, Carrying, Done]
    rig.quiet()


def test_a_node_that_hung_and_hands_over_what_it_thinks_it_has_brings_no_call_back() -> None:
    rig = Rig()
    rig.run(0.1)
    rig.call("7")
    rig.run(1.0)
    rig.hosts[0].hung_by["hung"] = None
    rig.run(2.0)
    rig.hold(1)
    rig.hang_up(rig.centre, rig.centre.calls[0])
    rig.run(3.0)
    assert not rig.node(1).carries("7")
    del rig.hosts[0].hung_by["hung"]
    rig.hosts[0].go_on()
    node = rig.node(0)
    assert isinstance(node, SbcNode)
    assert node._replication is not None
    node._replication.sender.tell(3.0, Event.ASKED)  # a stream anew, as after a long silence
    rig.run(3.1)
    rig.hosts[0].tell(Serve(False))
    rig.run(200.0)
    assert len(rig.node(1)) == 0
    rig.quiet()


def test_calls_go_to_and_fro_between_the_nodes() -> None:
    rig = Rig(interval=90)
    rig.run(0.1)
    calls = rig.several(5)
    for turn in range(1, 7):
        rig.run(40.0 * turn)
        rig.release((turn + 1) % 2)
        rig.hold(turn % 2)
    rig.run(300.0)
    assert len(rig.node(0)) == 5
    assert rig.lines["ntt-tokyo"].heard(Ended) == rig.centre.heard(Ended) == []
    for call in calls:
        rig.hang_up(rig.lines["ntt-tokyo"], call)
    rig.run(400.0)
    rig.quiet()
    assert Counter(type(each) for each in rig.said(object)) == {Carrying: 35, Done: 35}


def test_a_node_that_hung_while_the_other_took_over_lets_go_without_a_word() -> None:
    rig = Rig()
    rig.run(0.1)
    rig.call("7")
    rig.run(1.0)
    rig.hosts[0].hung_by["hung"] = None
    rig.run(2.0)
    rig.hold(1)
    rig.run(3.0)
    before = len(rig.wire.records)
    del rig.hosts[0].hung_by["hung"]
    rig.hosts[0].tell(Serve(False, clears=False))
    rig.hosts[0].go_on()
    rig.run(4.0)
    assert all(record.source.startswith("10.") for record in rig.wire.records[before:])
    assert rig.node(1).carries("7")
    assert not rig.node(0).carries("7")
    assert rig.node(0).replicated("7")


def test_a_process_that_hung_does_what_has_become_due_when_it_goes_on() -> None:
    rig = Rig(interval=90)
    rig.run(0.1)
    rig.call("7")
    rig.run(40.0)
    rig.hosts[0].hung_by["hung"] = None
    for party in (rig.lines["ntt-tokyo"], rig.centre):
        rig.machines[party].kill()
    rig.run(50.0)
    del rig.hosts[0].hung_by["hung"]
    rig.hosts[0].go_on()
    rig.run(50.1)
    assert rig.sent("INVITE", SERVICE.host) == pytest.approx([0.1 + MS, 50.0])  # its refresh of the session, 5 s late


# The link between the nodes


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("loss", [0.1, 0.5])
def test_a_lossy_link_between_the_nodes_loses_no_call(seed: int, loss: float) -> None:
    rig = Rig()
    rig.ha.degraded.degraded_by["lossy"] = Dice(loss, seed)  # type: ignore[assignment]
    calls = []
    for key in range(40):
        rig.run(0.1 + key / 20)
        calls += rig.call(str(key))
    rig.run(3.0)
    line = rig.lines["ntt-tokyo"]
    for call in calls[:10]:
        rig.hang_up(line, call)
    rig.run(20.0)
    assert [rig.node(1).replicated(str(key)) for key in range(40)] == [False] * 10 + [True] * 30
    rig.lose()
    rig.hold(1)
    assert len(rig.node(1)) == 30
    for call in calls[10:]:
        rig.hang_up(line, call)
    rig.start(0)
    rig.run(200.0)
    rig.quiet()


def test_a_node_that_comes_up_empty_is_told_of_all_calls() -> None:
    rig = Rig()
    rig.lose(1)
    rig.run(0.1)
    calls = rig.several(200)
    rig.run(30.0)
    rig.start(1)
    rig.run(31.0)
    assert all(rig.node(1).replicated(str(key)) for key in range(200))
    sizes = [len(record.data) for record in rig.wire.records if record.source == HA[0].local.host]
    assert max(sizes) < 1_472  # what an Ethernet frame carries of UDP
    rig.lose()
    rig.hold(1)
    assert len(rig.node(1)) == 200
    for call in calls:
        rig.hang_up(rig.lines["ntt-tokyo"], call)
    rig.start(0)
    rig.run(200.0)
    rig.quiet()


def test_while_the_other_node_is_gone_what_waits_for_it_is_bounded() -> None:
    rig = Rig()
    rig.lose(1)
    line = rig.lines["ntt-tokyo"]
    for key in range(300):
        rig.run(1.0 + key)
        calls = rig.call(str(key))
        rig.run(1.5 + key)
        rig.hang_up(line, calls[0])
    rig.run(400.0)
    node = rig.node(0)
    assert isinstance(node, SbcNode)
    assert node._replication is not None
    sender = node._replication.sender
    assert (len(sender._way), len(sender._dirty), len(sender._known)) == (1, 0, 0)
    rig.start(1)
    rig.run(500.0)
    rig.quiet()


def test_a_link_that_was_cut_is_made_up_for_when_it_is_back() -> None:
    rig = Rig()
    rig.run(0.1)
    gone = rig.call("0")
    rig.run(1.0)
    rig.ha.cut_by["cut"] = None
    rig.hang_up(rig.lines["ntt-tokyo"], gone[0])
    rig.call("1")
    rig.run(60.0)
    assert (rig.node(1).replicated("0"), rig.node(1).replicated("1")) == (True, False)
    del rig.ha.cut_by["cut"]
    rig.run(70.0)
    assert (rig.node(1).replicated("0"), rig.node(1).replicated("1")) == (False, True)


def test_a_restarted_node_that_serves_again_has_lost_its_calls_and_the_other_forgets_them() -> None:
    rig = Rig()
    rig.run(0.1)
    rig.call("7")
    rig.run(1.0)
    rig.lose()
    rig.run(1.5)
    rig.start(0)
    rig.hold(0)
    rig.run(2.0)
    assert not rig.node(0).carries("7")
    assert not rig.node(1).replicated("7")


def test_a_restarted_node_that_stands_by_leaves_the_other_what_it_has() -> None:
    rig = Rig()
    rig.run(0.1)
    rig.call("7")
    rig.run(1.0)
    rig.lose()
    rig.run(1.5)
    rig.start(0)
    rig.run(3.0)
    assert rig.node(1).replicated("7")
    rig.hold(1)
    rig.run(4.0)
    assert rig.node(1).carries("7")
    assert rig.node(0).replicated("7")


def test_after_a_split_the_node_that_stays_goes_on_with_the_calls_of_the_other() -> None:
    rig = Rig()
    rig.run(0.1)
    rig.call("0")
    rig.run(1.0)
    rig.ha.cut_by["cut"] = None
    rig.run(4.0)
    rig.hold(1)
    assert rig.node(1).carries("0")  # as its replica says; it has the address now
    rig.call("1")
    rig.run(30.0)
    assert rig.node(1).carries("1")
    del rig.ha.cut_by["cut"]
    rig.run(30.1)
    rig.release(1)
    rig.run(40.0)
    assert rig.node(0).carries("1")


def test_after_a_split_both_have_a_call_and_the_one_that_went_on_with_it_last_knows_how_it_stands() -> None:
    rig = Rig(interval=90)
    rig.run(0.1)
    calls = rig.call("0")
    rig.run(20.0)
    rig.ha.cut_by["cut"] = None
    rig.run(24.0)
    rig.hold(1)
    assert (len(rig.node(0)), len(rig.node(1))) == (1, 1)
    rig.run(40.0)
    del rig.ha.cut_by["cut"]
    rig.run(45.0)
    assert (len(rig.node(0)), len(rig.node(1))) == (0, 1)
    rig.run(55.0)  # refreshed through the second node, once
    rig.release(1)
    rig.run(200.0)
    assert (len(rig.node(0)), len(rig.node(1))) == (1, 0)
    assert rig.centre.heard(Ended) == rig.lines["ntt-tokyo"].heard(Ended) == []
    rig.hang_up(rig.lines["ntt-tokyo"], calls[0])
    rig.run(300.0)
    rig.quiet()


@pytest.mark.parametrize("cut", [20.0, 44.0])
@pytest.mark.parametrize("hold", [45.11, 45.3, 59.0])
@pytest.mark.parametrize("whole", [0.6, 36.0])
def test_a_refresh_that_the_next_node_has_not_heard_of_does_not_cost_the_call(
    cut: float, hold: float, whole: float
) -> None:
    """Sessions of 90 s are refreshed at 45.1; by what the second node knows they would be over at 60.1 (RFC 4028)."""
    rig = Rig(interval=90)
    rig.run(0.1)
    calls = rig.call("0")
    rig.run(cut)
    rig.ha.cut_by["cut"] = None
    rig.run(hold)
    rig.hold(1)
    rig.run(hold + whole)
    del rig.ha.cut_by["cut"]
    rig.run(200.0)
    rig.release(1)
    rig.run(400.0)
    assert rig.centre.heard(Ended) == rig.lines["ntt-tokyo"].heard(Ended) == []
    assert len(rig.node(0)) == 1
    rig.hang_up(rig.lines["ntt-tokyo"], calls[0])
    rig.run(500.0)
    rig.quiet()


def test_what_is_no_record_is_dropped() -> None:
    rig = Rig()
    rig.run(0.1)
    node = rig.node(1)
    assert isinstance(node, SbcNode)
    for data in (
        b"",
        b"[",
        b'[2,"data"]',
        b"[1]",
        b'[1,"data","x",1,1,0.0,1]\n{',
        b'[1,"ack","x",1,7]',
        b"\xff",
        b"[" * 5000,
    ):
        node.receive(0.1, Datagram(HA[0], None, data))
    rig.call("7")
    rig.run(2.0)
    rig.lose()
    rig.hold(1)
    assert rig.node(1).carries("7")


# What is kept of a call


def snapshots() -> Iterator[tuple[SbcNode, Snapshot]]:
    """Snapshots of a call at every tenth of a millisecond of its set-up, of a change and of a refresh."""
    for ring in (False, True):
        rig = Rig("all", ring=ring, interval=90)
        node = rig.node(0)
        assert isinstance(node, SbcNode)
        rig.run(0.1)
        calls = rig.call("7")
        for start in (0.1, 1.0, 46.0):
            for step in range(100):
                rig.run(start + (step + 0.5) / 10_000)
                if (start, step, ring) == (1.0, 0, False):
                    rig.change(calls[0], OFFER + b"a=x\r\n")
                for carried in node._calls.values():
                    bridge = carried.bridge
                    snapshot = take(rig.env.now, bridge.state, bridge.a, bridge.b)
                    if snapshot is not None:
                        yield node, snapshot


def test_a_snapshot_is_written_read_taken_up_and_taken_again_without_a_difference() -> None:
    seen = set()
    for node, snapshot in snapshots():
        seen.add((snapshot.state.name, snapshot.a.state.name, snapshot.a.turn.name, snapshot.b.turn.name))
        copy = read(write(snapshot))
        assert copy == snapshot
        fresh = node._fresh()
        bridge = fresh.take_up(snapshot.at, copy)
        assert take(snapshot.at, bridge.state, bridge.a, bridge.b) == snapshot
    assert seen >= {
        ("RINGING", "ARRIVED", "STILL", "STILL"),
        ("JOINING", "ANSWERED", "STILL", "STILL"),
        ("UP", "UP", "STILL", "STILL"),
        ("UP", "UP", "ASKED", "ASKING"),
        ("UP", "UP", "GRANTED", "STILL"),
    }


@cache
def an_example() -> Snapshot:
    return next(snapshot for _, snapshot in snapshots() if snapshot.state is State.UP)


FROM_1 = st.integers(1, 2**31 - 1)
WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=20)
DISPLAYS = st.text(st.characters(blacklist_categories=["Cc", "Cs"]), max_size=20)


@given(
    at=st.floats(-1e6, 1e6),
    by=st.floats(-1e6, 1e6),
    words=st.lists(WORDS, min_size=4, max_size=4),
    cseqs=st.tuples(FROM_1, FROM_1),
    body=st.binary(max_size=300),
    display=DISPLAYS,
    terms=st.none() | st.tuples(st.integers(90, 2**31), st.booleans()),
    due=st.none() | st.floats(0, 1e6),
)
def test_whatever_a_dialog_holds_comes_back_as_it_was(
    at: float,
    by: float,
    words: list[str],
    cseqs: tuple[int, int],
    body: bytes,
    display: str,
    terms: Any,
    due: float | None,
) -> None:
    example = an_example()
    assert example.a.talk is not None
    user, host, tag, call_id = words
    name = NameAddr(SipUri(f"h{host.strip('-.')}0", f"u{user}"), display=display).with_tag(f"t{tag}".replace(".", ""))
    talk = example.a.talk._replace(
        local=name, remote=name, routes=(name,), local_cseq=cseqs[0], remote_cseq=cseqs[1], ours=body, theirs=body[::2]
    )
    agreed = None if terms is None else Terms(*terms)
    side = example.a._replace(call_id=call_id, tag=tag, talk=talk, terms=agreed, expires=due, refresh=due)
    snapshot = example._replace(at=at, a=side)
    assert read(write(snapshot)) == snapshot
    assert read(write(snapshot)).later(by) == snapshot.later(by)
    assert snapshot.later(0.0) == snapshot


# A proxy


def test_a_call_through_a_proxy_survives_its_node_without_any_word_between_the_nodes() -> None:
    rig = Rig(proxy=True)
    rig.run(0.1)
    calls = rig.call("7")
    rig.run(1.0)
    assert len(rig.node(0)) == 1
    assert rig.centre.requests[0].headers.get("Record-Route") is not None
    rig.lose()
    rig.hold(1)
    assert len(rig.node(1)) == 0
    rig.do(rig.lines["ntt-tokyo"], lambda now, agent: agent.reinvite(now, calls[0], body=OFFER + b"a=x\r\n"))
    rig.run(2.0)
    assert len(rig.lines["ntt-tokyo"].heard(Changed)) == 1
    rig.hang_up(rig.centre, rig.centre.calls[0])
    rig.run(2.0 + 2.5 * MS)
    assert len(rig.lines["ntt-tokyo"].heard(Ended)) == 1
    rig.run(100.0)
    rig.quiet()
    assert not any(record.source.startswith("10.") for record in rig.wire.records)


def test_a_proxy_counts_a_call_from_its_invite_to_its_bye() -> None:
    rig = Rig(proxy=True, ports=2)
    rig.run(0.1)
    calls = [rig.call(str(key))[0] for key in range(2)]
    rig.call("2")
    rig.run(1.0)
    assert rig.said(Denied) == [Denied("2", 503, "edge", limit=True)]
    assert refusals(rig) == [(503, None)]
    rig.hang_up(rig.lines["ntt-tokyo"], calls[0])
    rig.run(2.0)
    assert [each.key for each in rig.said(Done)] == ["0"]
    rig.centre.status = 486
    rig.call("3")
    rig.run(3.0)
    assert [each.key for each in rig.said(Done)] == ["0", "3"]
    assert len(rig.node(0)) == 1


def test_a_proxy_counts_no_dialog_that_nobody_refreshes() -> None:
    rig = Rig(proxy=True, interval=90)
    rig.run(0.1)
    rig.call("0")
    rig.run(200.0)
    assert len(rig.node(0)) == 1
    rig.network.release(rig.machines[rig.centre], CENTRE)
    rig.network.release(rig.machines[rig.lines["ntt-tokyo"]], TRUNKS["ntt-tokyo"])
    rig.run(400.0)
    assert len(rig.node(0)) == 0
    rig.run(500.0)
    rig.quiet()


def test_a_proxy_lets_no_stranger_in_not_even_into_a_dialog() -> None:
    rig = Rig(proxy=True)
    rig.run(0.1)
    target = SipUri(SERVICE.host, NUMBER)
    here = NameAddr(SipUri(STRANGER.host, "mallory"))
    route = NameAddr(rig.node(0).post.contact)
    rig.do(rig.stranger, lambda now, agent: agent.invite(now, target, here, NameAddr(target), body=OFFER))
    rig.do(rig.stranger, lambda now, agent: agent.request(now, "OPTIONS", target, here, NameAddr(target)))
    rig.do(
        rig.stranger,
        lambda now, agent: agent.request(
            now, "BYE", SipUri(CENTRE.host), here, NameAddr(target).with_tag("1"), routes=[route]
        ),
    )
    rig.do(rig.stranger, lambda now, agent: agent.request(now, "MESSAGE", target, here, NameAddr(target)))
    rig.run(100.0)
    assert [event.message.status for _, event in rig.stranger.heard(Ended)] == [403]
    assert sorted(event.response.status for _, event in rig.stranger.heard(Replied)) == [200, 403, 405]
    assert rig.centre.told == []
    rig.quiet()


def test_the_wire_of_a_run_is_the_same_twice() -> None:
    def run() -> list[WireRecord]:
        rig = Rig()
        for key in range(20):
            rig.at(0.1 + key / 10, partial(rig.call, str(key)))
        rig.at(1.0, rig.lose)
        rig.at(1.7, lambda: rig.hold(1))
        rig.run(10.0)
        return rig.wire.records

    first = run()
    gc.collect()
    assert first == run()
    assert {record.fate for record in first} <= {Fate.SENT, Fate.UNREACHABLE}
