"""The carrier against scripted SBCs on a simulated network: every moment computed by hand, links of 1 ms one way."""

from collections.abc import Mapping, Sequence
from math import inf
from random import Random
from typing import Any, NamedTuple

import pytest
import simpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbc.decisions.admission import BUSY, NO_CIRCUIT, Limit
from sbc.decisions.routing import RoutingTable
from sbc.decisions.timers import TRANSACTION_TIMEOUT, invite_offsets
from sbc.endpoints.carrier import Carrier
from sbc.endpoints.charging import charging, key_of
from sbc.endpoints.endpoint import Broken
from sbc.endpoints.line import Edge, Line
from sbc.endpoints.subscriber import (
    Advanced,
    Answered,
    Avoided,
    Denied,
    Dial,
    HangUp,
    LineDown,
    LineRefuses,
    LineRepaired,
    LineRestricted,
    Met,
    Over,
    Probed,
    PutIntoUse,
    Rang,
    Refused,
    Used,
)
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.sip.agenda import Agenda
from sbc.sip.agent import UserAgent
from sbc.sip.call import Arrived, Call, Ended, Replied, Told, Up, Way
from sbc.sip.fields import Address as NameAddr
from sbc.sip.fields import Via
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response, parse
from sbc.sip.sdp import parse_sdp
from sbc.sip.session_timer import Timing
from sbc.sip.transaction import Flow, Send
from sbc.sip.uri import SipUri, Uri
from sbc.sip.usage import State as CallState
from scenarios.evidence import Direction, WireRecord
from scenarios.model import Drill
from sim.log import Log
from sim.packets.host import Host
from sim.packets.network import Link, Network
from tests.agents import ANSWER, OFFER
from tests.drills import FREE_DIAL, MOBILE, TOKYO, ListRecorder, drill

ONE_WAY = 0.001
THERE_AND_BACK = 0.002

Answers = Sequence[tuple[float, int]]
"""What an SBC answers to an INVITE: so many seconds after it came, with that status."""

RINGS_AND_ANSWERS: Answers = ((0, 180), (0, 200))
SILENT: Answers = ((0, 0),)
"""Not even the 100 that a transaction sends by itself."""


class Place(NamedTuple):
    """An SBC passes an outbound call on to the carrier."""

    key: str
    target: Address
    number: str
    shown: str = "0312345678"


class Bye(NamedTuple):
    """An SBC hangs all its calls up."""


class Ask(NamedTuple):
    """An SBC probes the carrier."""

    target: Address


class Sbc:
    """An endpoint that answers calls by a script."""

    def __init__(self, address: Address, answers: Answers, headers: Sequence[tuple[str, object]]) -> None:
        self.address = address
        self.answers = answers
        self.headers = headers
        bits = Random(str(address)).getrandbits  # noqa: S311 - a test has to be repeatable
        contact = NameAddr(SipUri(address.host))
        self.agent = UserAgent(contact, Ids(bits), self._locate, timing=Timing(None))
        self.agenda: Agenda[Call, int] = Agenda()
        self.told: list[Told] = []
        self.calls: list[Call] = []
        self.requests: list[Request] = []
        self.out: list[object] = []

    def _locate(self, uri: Uri, flow: Flow | None) -> Way:
        assert isinstance(uri, SipUri)
        path = Path(self.address, Address(uri.host, uri.port or 5060))
        return Way(path, Via("UDP", self.address.host))

    def receive(self, now: float, datagram: Datagram) -> None:
        message = datagram.message or parse(datagram.data)
        if isinstance(message, Request):
            self.requests.append(message)
            if message.method == "INVITE" and self.answers is SILENT:
                return
        self.agent.receive(now, datagram.path.back(), message)
        self._work(now)

    def event(self, now: float, event: object) -> None:
        match event:
            case Place(key, target, number, shown):
                uri = SipUri(target.host, number)
                self.calls.append(
                    self.agent.invite(
                        now,
                        uri,
                        NameAddr(SipUri(self.address.host, shown)),
                        NameAddr(uri),
                        headers=[charging(key)],
                        body=OFFER,
                    )
                )
            case Bye():
                for call in self.calls:
                    self.agent.hang_up(now, call)
            case Ask(target):
                party = NameAddr(SipUri(self.address.host))
                self.agent.request(now, "OPTIONS", SipUri(target.host), party, NameAddr(SipUri(target.host)))
            case Broken(path):
                self.agent.transport_error(now, path)
            case _:
                raise AssertionError(event)
        self._work(now)

    def fire(self, now: float) -> None:
        self.agent.fire(now)
        self._work(now)
        while (due := self.agenda.take(now)) is not None:
            call, status = due
            if call.state is not CallState.ARRIVED:
                continue
            if status < 200:
                self.agent.ring(now, call, status)
            elif status < 300:
                self.agent.answer(now, call, body=ANSWER)
            else:
                self.agent.refuse(now, call, status, headers=self.headers)
            self._work(now)

    def deadline(self) -> float:
        return min(self.agent.deadline(), self.agenda.next())

    def take(self) -> list[object]:
        out, self.out = self.out, []
        return out

    def _work(self, now: float) -> None:
        while outputs := self.agent.take():
            for output in outputs:
                if isinstance(output, Send):
                    self.out.append(output)
                    continue
                self.told.append(output)
                if isinstance(output, Arrived):
                    self.calls.append(output.call)
                    for after, status in self.answers:
                        self.agenda.set(now + after, output.call, status)


class Luck:
    """A degradation that loses datagrams as it is told, or as a die falls."""

    def __init__(self, *lost: bool, share: float = 0.0, seed: int = 0) -> None:
        self._lost = iter(lost)
        self._share = share
        self._die = Random(seed)  # noqa: S311 - a test has to be repeatable

    def crossing(self) -> float:
        return inf if next(self._lost, self._die.random() < self._share) else 0.0


class Draws:
    """A restriction that refuses as it is told, and counts how often it was asked."""

    def __init__(self, *refuses: bool, answer: int = 503, retry_after: float | None = None) -> None:
        self._refuses = iter(refuses)
        self.answer = answer
        self.retry_after = retry_after
        self.asked = 0

    def refuses(self) -> bool:
        self.asked += 1
        return next(self._refuses)


class Rig:
    """A carrier and the SBCs of a drill, each at an address of its own."""

    def __init__(
        self,
        plan: Drill,
        answers: Mapping[str, Answers] | None = None,
        *,
        headers: Sequence[tuple[str, object]] = (),
        first_probe: float = 3.0,
        strict: bool = False,
    ) -> None:
        """``answers``: by pair, or node of an active-active pair as `edge/1`; who is not named rings and answers."""
        self.env = simpy.Environment()
        self.sent: list[WireRecord] = []
        self.network = Network(self.env, Log(self.env, ListRecorder()), wire=self, strict=strict)
        self.said: list[tuple[float, object]] = []
        self.sbcs: dict[str, Sbc] = {}
        self.hosts: dict[str, Host] = {}
        self.links: dict[str, Link] = {}
        edges: dict[str, Edge] = {}
        for number, (name, pair) in enumerate(plan.sbc_pairs.items(), 1):
            nodes = [f"{name}/1", f"{name}/2"] if pair.mode == "active-active" else [name]
            addresses = [Address(f"192.0.2.{10 * number + index}") for index in range(len(nodes))]
            edges[name] = Edge(name, pair, addresses, first_probe)
            for node, address in zip(nodes, addresses, strict=True):
                self.network.place(address.host, name)
                self.sbcs[node] = Sbc(address, (answers or {}).get(node, RINGS_AND_ANSWERS), headers)
                self.hosts[node] = Host(self.env, self.network, node, lambda report: None)
                self.network.hold(self.hosts[node], address)
                self.hosts[node].start(self.sbcs[node])
        bits = Random(1).getrandbits  # noqa: S311 - a test has to be repeatable
        ids = Ids(bits)
        self.host = Host(self.env, self.network, "carrier", self._hear)
        self.lines = {}
        for number, (name, trunk) in enumerate(plan.trunks.items(), 1):
            local = Address(f"198.51.100.{number}")
            limit = Limit(name, trunk.channels, NO_CIRCUIT)
            self.lines[name] = Line(name, local, edges[trunk.via], limit, trunk.advance_after, ids)
            self.network.place(local.host, f"line {name}")
            self.network.hold(self.host, local)
            self.links[name] = Link()
            self.network.connect(f"line {name}", trunk.via, self.links[name])
        taps = {name: Limit(name, each.tap, BUSY) for name, each in plan.numbers.items() if each.tap is not None}
        self.limits = [*taps.values(), *(line.limit for line in self.lines.values())]
        self.carrier = Carrier(self.lines.values(), RoutingTable(plan.numbers, plan.trunks), taps, ids)
        self.host.start(self.carrier)

    def wire(self, record: WireRecord) -> None:
        self.sent.append(record)

    def _hear(self, report: object) -> None:
        self.said.append((round(self.env.now, 6), report))

    def at(self, when: float, *events: object, to: str = "") -> "Rig":
        """Let time pass until a moment, and let something happen then to the carrier or to an SBC."""
        self.run(when)
        for event in events:
            (self.hosts[to] if to else self.host).tell(event)
        return self

    def run(self, until: float) -> "Rig":
        if until > self.env.now:
            self.env.run(until)
        return self

    def heard(self, *kinds: type) -> list[tuple[float, Any]]:
        """What the carrier has told of some kinds, of all without any."""
        return [(at, report) for at, report in self.said if not kinds or isinstance(report, kinds)]

    def times(self, what: str, source: str) -> list[float]:
        """When a host sent messages of one kind, such as ``INVITE`` or ``200 INVITE``."""
        return [round(each.at, 6) for each in self.sent if each.source == source and kind(each) == what]

    def invites(self, trunk: str) -> list[float]:
        return self.times("INVITE", self.lines[trunk].local.host)

    def at_rest(self) -> bool:
        """Whether no port is held, no call kept, and no transaction left at either end."""
        agents = [*(line.agent for line in self.lines.values()), *(sbc.agent for sbc in self.sbcs.values())]
        return (
            len(self.carrier) == 0
            and all(limit.used == 0 for limit in self.limits)
            and all(len(agent) == 0 and agent.deadline() == inf for agent in agents)
        )


def kind(record: WireRecord) -> str:
    message = parse(record.data)
    return message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"


TWO_TRUNKS: dict[str, Any] = {
    "sites": {"tokyo": {}, "osaka": {}},
    "sbc_pairs": {"edge": {"site": "tokyo", "ports": 50}, "far": {"site": "osaka", "ports": 50}},
    "trunks": {"ntt": {"via": "edge", "channels": 9}, "kddi": {"via": "far", "channels": 9}},
    "numbers": {TOKYO: {"trunk": ["ntt", "kddi"]}},
}


def pair(trunk: dict[str, Any] | None = None, **options: Any) -> Drill:
    """Return a number with one trunk into an active-active pair."""
    options = {"detect": {"by": "options", "every": "10s", "timeout": "2s"}, **options}
    return drill(
        sbc_pairs={"edge": {"site": "tokyo", "ports": 50, "mode": "active-active", **options}},
        trunks={"ntt": {"via": "edge", "channels": 50, **(trunk or {})}},
    )


# One call.


def test_an_inbound_call_rings_is_answered_and_ends() -> None:
    rig = Rig(drill(numbers={FREE_DIAL: {"to": TOKYO}, TOKYO: {"trunk": "ntt"}}))
    rig.at(1, Dial("7", FREE_DIAL)).run(5)
    assert rig.said == [(1.002, Rang("7", "ntt", 180)), (1.002, Answered("7", "ntt"))]
    assert [limit.used for limit in rig.limits] == [1]
    (invite, _) = rig.sbcs["edge"].requests
    assert str(invite.uri) == "sip:0312345678@192.0.2.10;user=phone"
    assert str(invite.to.uri) == "sip:0120123456@192.0.2.10;user=phone"
    assert key_of(invite) == "7"
    assert parse_sdp(invite.body).audio is not None
    rig.at(10, HangUp("7"))
    assert rig.said[2:] == [(10, Over("7", "ntt", by_us=True))]
    assert [limit.used for limit in rig.limits] == [0]
    assert rig.times("BYE", "198.51.100.1") == [10]
    assert rig.run(60).at_rest()


def test_the_ports_of_a_call_are_taken_when_its_invite_is_sent() -> None:
    rig = Rig(drill(numbers={TOKYO: {"trunk": "ntt", "tap": 5}}), {"edge": SILENT})
    rig.at(1, Dial("7", TOKYO))
    assert [limit.used for limit in rig.limits] == [1, 1]
    rig.run(1 + TRANSACTION_TIMEOUT + 0.1)
    assert [limit.used for limit in rig.limits] == [0, 0]


def test_a_call_that_the_sbc_hangs_up_is_over_by_them() -> None:
    rig = Rig(drill()).at(1, Dial("7", TOKYO)).at(10, Bye(), to="edge").run(60)
    assert rig.said[-1] == (10.001, Over("7", "ntt", by_us=False))
    assert rig.at_rest()


def test_a_number_that_nobody_has_is_refused_without_a_trunk() -> None:
    rig = Rig(drill()).at(1, Dial("7", MOBILE))
    assert rig.said == [(1, Refused("7", "", 404, "number not in service", limit=False))]
    assert rig.at_rest()


def test_of_two_calls_with_one_key_the_second_is_an_error() -> None:
    rig = Rig(drill()).at(1, Dial("7", TOKYO)).run(2)
    with pytest.raises(ValueError, match="key 7"):
        rig.carrier.event(2, Dial("7", TOKYO))


def test_an_event_that_it_does_not_know_is_an_error() -> None:
    with pytest.raises(TypeError, match="no ear"):
        Rig(drill()).carrier.event(0, Bye())


# Trunk advance: S9, S2, S3.


@pytest.mark.parametrize("status", [404, 408, 480, 486, 500, 503, 504, 603])
def test_a_refusal_goes_on_to_the_next_trunk_or_to_the_caller(status: int) -> None:
    rig = Rig(drill(**TWO_TRUNKS), {"edge": [(0, status)]}).at(1, Dial("7", TOKYO)).run(2)
    if status in (408, 480, 503, 504):
        assert rig.said == [
            (1.002, Advanced("7", "ntt", status, "", "")),
            (1.004, Rang("7", "kddi", 180)),
            (1.004, Answered("7", "kddi")),
        ]
    else:
        assert rig.said == [(1.002, Refused("7", "ntt", status, "", limit=False))]


@pytest.mark.parametrize(
    ("first", "second", "heard"), [(503, 503, 503), (503, 486, 486), (408, 503, 408), (480, 480, 480), (408, 486, 486)]
)
def test_where_every_trunk_refuses_the_caller_hears_the_last_unless_one_gave_no_answer(
    first: int, second: int, heard: int
) -> None:
    rig = Rig(drill(**TWO_TRUNKS), {"edge": [(0, first)], "far": [(0, second)]}).at(1, Dial("7", TOKYO)).run(60)
    assert rig.said[-1] == (1.004, Refused("7", "kddi", heard, "", limit=False))
    assert rig.at_rest()


def test_no_other_trunk_is_tried_once_a_phone_has_rung() -> None:
    rig = Rig(drill(**TWO_TRUNKS), {"edge": [(0, 180), (20, 503)]}).at(1, Dial("7", TOKYO)).run(80)
    assert rig.said == [(1.002, Rang("7", "ntt", 180)), (21.002, Refused("7", "ntt", 503, "", limit=False))]
    assert rig.at_rest()


def test_a_trunk_that_says_no_more_than_100_is_given_up_for_the_next() -> None:
    rig = Rig(drill(**TWO_TRUNKS), {"edge": [(0, 100), (20, 200)]}).at(1, Dial("7", TOKYO)).run(80)
    assert [report for _, report in rig.said] == [
        Advanced("7", "ntt", 408, "nothing answers", ""),
        Rang("7", "kddi", 180),
        Answered("7", "kddi"),
    ]
    assert [at for at, _ in rig.said] == [11, 11.002, 11.002]
    assert rig.times("CANCEL", "198.51.100.1") == [11]
    rig.at(90, HangUp("7")).run(200)
    assert rig.at_rest()


def test_a_silent_trunk_is_given_up_after_advance_after_and_its_ports_are_free_then() -> None:
    rig = Rig(drill(**TWO_TRUNKS), {"edge": SILENT}).at(1, Dial("7", TOKYO)).run(12)
    assert rig.said[0] == (11, Advanced("7", "ntt", 408, "nothing answers", ""))
    assert rig.said[-1] == (11.002, Answered("7", "kddi"))
    assert [(limit.name, limit.used) for limit in rig.limits] == [("ntt", 0), ("kddi", 1)]
    assert rig.at(20, HangUp("7")).run(70).at_rest()
    assert rig.times("CANCEL", "198.51.100.1") == []  # nothing was answered: RFC 3261 §9.1
    assert rig.times("100 INVITE", "192.0.2.10") == []


def test_the_last_trunk_has_all_the_time_of_timer_b() -> None:
    rig = Rig(drill(), {"edge": SILENT}).at(1, Dial("7", TOKYO)).run(60)
    assert rig.said == [(33, Refused("7", "ntt", 408, "nothing answers", limit=False))]
    assert rig.invites("ntt") == [1 + offset for offset in invite_offsets()]
    assert rig.at_rest()


def test_the_last_trunk_may_take_its_time_once_it_has_said_100() -> None:
    rig = Rig(drill(), {"edge": [(0, 100), (40, 200)]}).at(1, Dial("7", TOKYO)).run(50)
    assert rig.said == [(41.002, Answered("7", "ntt"))]


@pytest.mark.parametrize("dead", [0, 1, 2, 3])
@pytest.mark.parametrize("alive", [0, 1])
@pytest.mark.parametrize("patience", ["32s", "40s", "10s"])
def test_k_dead_targets_cost_k_times_the_wait_for_an_answer(dead: int, alive: int, patience: str) -> None:
    names = [f"t{index}" for index in range(dead + alive)] or ["t0"]
    plan = drill(
        sbc_pairs={f"p-{name}": {"site": "tokyo", "ports": 9} for name in names},
        trunks={name: {"via": f"p-{name}", "channels": 9, "advance_after": patience} for name in names},
        numbers={TOKYO: {"trunk": names}},
    )
    rig = Rig(plan, {f"p-{name}": SILENT for name in names[:dead]}).at(1, Dial("7", TOKYO)).run(200)
    each = min(float(patience.removesuffix("s")), 32.0)
    if alive or not dead:
        assert rig.said[-1] == (1 + dead * each + THERE_AND_BACK, Answered("7", names[-1]))
    else:
        last = 1 + (dead - 1) * each + 32
        assert rig.said[-1] == (last, Refused("7", names[-1], 408, "nothing answers", limit=False))


# Patience: RFC 3261 §9.1.


def test_who_hangs_up_in_silence_is_out_at_once_and_no_cancel_is_sent() -> None:
    rig = Rig(drill(), {"edge": SILENT}).at(1, Dial("7", TOKYO)).at(6, HangUp("7"))
    assert rig.said == [(6, Over("7", "ntt", by_us=True))]
    assert [limit.used for limit in rig.limits] == [0]
    assert rig.run(60).at_rest()
    assert rig.times("CANCEL", "198.51.100.1") == []


def test_a_cancel_waits_for_the_first_provisional_response() -> None:
    rig = Rig(drill(), {"edge": [(0, 180), (30, 200)]}).at(1, Dial("7", TOKYO), HangUp("7")).run(60)
    assert rig.said == [(1, Over("7", "ntt", by_us=True))]
    assert rig.times("CANCEL", "198.51.100.1") == [1.002]
    assert rig.times("487 INVITE", "192.0.2.10") == [1.003]
    assert rig.at_rest()


def test_who_hangs_up_while_the_phone_rings_cancels_at_once() -> None:
    rig = Rig(drill(), {"edge": [(0, 180), (30, 200)]}).at(1, Dial("7", TOKYO)).at(6, HangUp("7")).run(60)
    assert rig.said == [(1.002, Rang("7", "ntt", 180)), (6, Over("7", "ntt", by_us=True))]
    assert rig.times("CANCEL", "198.51.100.1") == [6]
    assert rig.at_rest()


def test_a_call_that_is_answered_when_its_caller_has_gone_is_acknowledged_and_ended() -> None:
    rig = Rig(drill(), {"edge": [(0, 200)]}).at(1, Dial("7", TOKYO), HangUp("7")).run(60)
    assert rig.said == [(1, Over("7", "ntt", by_us=True))]
    assert rig.times("ACK", "198.51.100.1") == rig.times("BYE", "198.51.100.1") == [1.002]
    assert rig.at_rest()


def test_hanging_up_twice_or_on_nothing_is_harmless() -> None:
    rig = Rig(drill()).at(1, HangUp("6"), Dial("7", TOKYO)).at(2, HangUp("7"), HangUp("7")).run(60)
    assert [type(report) for _, report in rig.said] == [Rang, Answered, Over]
    assert rig.at_rest()


# Retry-After: S2, RFC 3261 §21.5.4.


def test_a_trunk_that_asks_for_it_is_left_alone_until_then() -> None:
    rig = Rig(drill(**TWO_TRUNKS), {"edge": [(0, 503)]}, headers=[("Retry-After", 30)])
    rig.at(1, Dial("1", TOKYO)).at(31, Dial("2", TOKYO)).at(31.01, Dial("3", TOKYO)).run(40)
    assert rig.heard(Advanced) == [
        (1.002, Advanced("1", "ntt", 503, "", "")),
        (31, Advanced("2", "ntt", 503, "trunk left alone (Retry-After)", "")),  # until 1.002 + 30
        (31.012, Advanced("3", "ntt", 503, "", "")),
    ]
    assert rig.invites("ntt") == [1, 31.01]


@pytest.mark.parametrize(("passes", "tried"), [("b2bua", ["ntt"]), ("proxy", ["ntt", "kddi"])])
def test_a_500_of_a_proxy_pair_counts_as_the_503_that_a_proxy_makes_it_of(passes: str, tried: list[str]) -> None:
    pairs = {"edge": {"site": "tokyo", "ports": 50, "passes": passes}, "far": {"site": "osaka", "ports": 50}}
    rig = Rig(drill(**{**TWO_TRUNKS, "sbc_pairs": pairs}), {"edge": [(0, 500)]}, headers=[("Retry-After", 30)])
    rig.at(1, Dial("1", TOKYO)).at(20, Dial("2", TOKYO)).run(40)
    assert [trunk for trunk in ("ntt", "kddi") if rig.invites(trunk)] == tried
    assert rig.invites("ntt") == ([1, 20] if passes == "b2bua" else [1])


def test_a_503_without_retry_after_speaks_for_one_call() -> None:
    rig = Rig(drill(**TWO_TRUNKS), {"edge": [(0, 503)]}).at(1, Dial("1", TOKYO)).at(2, Dial("2", TOKYO)).run(3)
    assert rig.invites("ntt") == [1, 2]


def test_where_the_only_trunk_rests_the_caller_hears_so() -> None:
    rig = Rig(drill(), {"edge": [(0, 503)]}, headers=[("Retry-After", 30)])
    rig.at(1, Dial("1", TOKYO)).at(2, Dial("2", TOKYO))
    assert rig.said[-1] == (2, Refused("2", "ntt", 503, "trunk left alone (Retry-After)", limit=False))


# Lines in trouble.


def test_a_lost_line_clears_its_calls_and_fails_new_ones_at_once() -> None:
    rig = Rig(drill(), {"edge": [(0, 180), (2, 200)]}).at(1, Dial("up", TOKYO)).at(4, Dial("rings", TOKYO))
    rig.at(5, LineDown("ntt", "cut"), Dial("new", TOKYO))
    assert rig.said[3:] == [
        (5, Met(("cut",))),
        (5, Over("rings", "ntt", by_us=True, reason="ntt lost")),
        (5, Over("up", "ntt", by_us=True, reason="ntt lost")),
        (5, Met(("cut",))),
        (5, Refused("new", "ntt", 503, "trunk lost", limit=False)),
    ]
    assert [limit.used for limit in rig.limits] == [0]
    rig.at(20, LineRepaired("ntt", "cut"), Dial("later", TOKYO)).run(30)
    assert rig.said[-1] == (22.002, Answered("later", "ntt"))
    assert rig.at(40, HangUp("later")).run(100).at_rest()


def test_a_call_that_nothing_has_answered_goes_on_when_its_line_is_lost() -> None:
    rig = Rig(drill(**TWO_TRUNKS), {"edge": SILENT}).at(1, Dial("7", TOKYO)).at(3, LineDown("ntt", "cut")).run(4)
    assert rig.said == [
        (3, Met(("cut",))),
        (3, Met(("cut",))),
        (3, Advanced("7", "ntt", 503, "trunk lost", "")),
        (3.002, Rang("7", "kddi", 180)),
        (3.002, Answered("7", "kddi")),
    ]


def test_a_line_that_two_faults_have_cut_is_back_with_the_second() -> None:
    rig = Rig(drill()).at(1, LineDown("ntt", "cut"), LineDown("ntt", "site"), LineRepaired("ntt", "cut"))
    rig.at(2, Dial("1", TOKYO)).at(3, LineRepaired("ntt", "site"), Dial("2", TOKYO)).run(4)
    assert rig.heard(Refused, Answered) == [
        (2, Refused("1", "ntt", 503, "trunk lost", limit=False)),
        (3.002, Answered("2", "ntt")),
    ]


def test_a_way_that_is_noticed_to_be_cut_counts_as_a_lost_trunk() -> None:
    rig = Rig(drill(**TWO_TRUNKS))
    rig.links["ntt"].cut_by["cut"] = None
    rig.links["ntt"].refuses = True
    rig.at(1, Dial("7", TOKYO)).run(2)
    assert rig.said[0] == (1, Advanced("7", "ntt", 503, "trunk lost", ""))
    assert rig.said[-1] == (1.002, Answered("7", "kddi"))


def test_a_trunk_that_answers_503_rests_for_the_longest_time_that_it_asks_for() -> None:
    rig = Rig(drill(**TWO_TRUNKS))
    rig.at(1, LineRefuses("ntt", "a", 5.0), LineRefuses("ntt", "b", 20.0), LineRefuses("ntt", "c"))
    rig.at(2, Dial("1", TOKYO)).at(3, *(LineRepaired("ntt", fault) for fault in "abc"))
    rig.at(21.9, Dial("2", TOKYO)).at(22, Dial("3", TOKYO)).run(30)
    assert rig.heard(Met, Advanced) == [
        (2, Met(("a", "b", "c"))),
        (2, Advanced("1", "ntt", 503, "trunk answers 503", "")),
        (21.9, Advanced("2", "ntt", 503, "trunk left alone (Retry-After)", "")),
    ]
    assert rig.invites("ntt") == [22]


def test_a_carrier_that_refuses_a_call_does_so_on_all_its_trunks_and_draws_once() -> None:
    rig = Rig(drill(**TWO_TRUNKS))
    lots = Draws(True, False, answer=503)
    rig.at(1, *(LineRestricted(name, "earthquake", lots) for name in rig.lines))
    rig.at(2, Dial("1", TOKYO)).at(3, Dial("2", TOKYO)).run(4)
    assert rig.heard(Refused, Answered) == [
        (2, Refused("1", "kddi", 503, "restricted by the carrier", limit=False)),
        (3.002, Answered("2", "ntt")),
    ]
    assert lots.asked == 2
    assert rig.heard(Met)[0] == (2, Met(("earthquake",)))


def test_a_restriction_with_retry_after_rests_the_trunk_for_inbound_calls() -> None:
    rig = Rig(drill()).at(1, LineRestricted("ntt", "earthquake", Draws(True, False, retry_after=10.0)))
    rig.at(2, Dial("1", TOKYO)).at(11.9, Dial("2", TOKYO)).at(12, Dial("3", TOKYO)).run(13)
    assert [getattr(report, "reason", "") for _, report in rig.heard(Refused, Answered)] == [
        "restricted by the carrier",
        "trunk left alone (Retry-After)",
        "",
    ]


# Limits of the contract.


def test_a_full_tap_is_busy_and_no_other_trunk_is_tried() -> None:
    plan = drill(**{**TWO_TRUNKS, "numbers": {FREE_DIAL: {"to": TOKYO, "tap": 1}, TOKYO: {"trunk": ["ntt", "kddi"]}}})
    rig = Rig(plan).at(1, Dial("1", FREE_DIAL), Dial("2", FREE_DIAL), Dial("3", TOKYO)).run(2)
    assert rig.said[0] == (1, Refused("2", "ntt", 486, FREE_DIAL, limit=True))
    assert rig.heard(Answered) == [(1.002, Answered("1", "ntt")), (1.002, Answered("3", "ntt"))]


@pytest.mark.parametrize("second", [True, False])
def test_a_full_trunk_leads_to_the_next_if_there_is_one(second: bool) -> None:
    plan = {**TWO_TRUNKS, "trunks": {"ntt": {"via": "edge", "channels": 1}, "kddi": {"via": "far", "channels": 9}}}
    if not second:
        plan["numbers"] = {TOKYO: {"trunk": "ntt"}}
    rig = Rig(drill(**plan)).at(1, Dial("1", TOKYO), Dial("2", TOKYO)).run(2)
    if second:
        assert rig.said[0] == (1, Advanced("2", "ntt", 503, "ntt", ""))
        assert rig.said[-1] == (1.002, Answered("2", "kddi"))
    else:
        assert rig.said[0] == (1, Refused("2", "ntt", 503, "ntt", limit=True))


def test_channels_carry_calls_in_and_out_together() -> None:
    rig = Rig(drill(trunks={"ntt": {"via": "edge", "channels": 1}})).at(1, Dial("in", TOKYO))
    rig.at(2, Place("out", rig.lines["ntt"].local, "09012345678"), to="edge")
    rig.at(3, HangUp("in")).at(4, Place("again", rig.lines["ntt"].local, "09012345678"), to="edge")
    rig.at(5, Dial("in too", TOKYO)).at(6, Bye(), to="edge").run(100)
    assert rig.heard(Denied, Refused) == [
        (2.001, Denied("out", 503, "ntt", True, "ntt")),
        (5, Refused("in too", "ntt", 503, "ntt", limit=True)),
    ]
    assert rig.at_rest()


def test_outbound_calls_count_for_the_number_that_they_show() -> None:
    other = "03-9876-5432"
    rig = Rig(drill(numbers={TOKYO: {"trunk": "ntt", "tap": 1}, other: {"trunk": "ntt"}}))
    line = rig.lines["ntt"].local
    shown = [("1", "0312345678"), ("2", "0312345678"), ("3", "0398765432"), ("4", "anonymous")]
    rig.at(1, *(Place(key, line, "09012345678", number) for key, number in shown), to="edge").run(2)
    assert rig.heard(Denied) == [(1.001, Denied("2", 486, TOKYO, True, "ntt"))]
    assert len(rig.heard(Answered)) == 3
    assert rig.limits[0].used == 1
    assert rig.at(3, Bye(), to="edge").run(100).at_rest()


# Outbound.


@pytest.mark.parametrize("number", ["09012345678", "110", "118", "119", "09012345678;tgrp=ntt;trunk-context=kirikae"])
def test_an_outbound_call_is_answered_at_once_and_ends_by_either_side(number: str) -> None:
    rig = Rig(drill())
    rig.at(1, Place("7", rig.lines["ntt"].local, number), to="edge").run(2)
    assert rig.said == [(1.001, Answered("7", "ntt", Direction.OUTBOUND))]
    assert rig.times("180 INVITE", "198.51.100.1") == rig.times("200 INVITE", "198.51.100.1") == [1.001]
    (up,) = [event for event in rig.sbcs["edge"].told if isinstance(event, Up)]
    assert isinstance(up.message, Response)
    assert parse_sdp(up.message.body).audio is not None
    rig.at(5, HangUp("7", Direction.OUTBOUND)).run(60)
    assert rig.said[-1] == (5, Over("7", "ntt", by_us=True, direction=Direction.OUTBOUND))
    assert rig.at_rest()


def test_an_outbound_call_that_the_sbc_ends_is_over_by_them() -> None:
    rig = Rig(drill())
    rig.at(1, Place("7", rig.lines["ntt"].local, "09012345678"), to="edge").at(5, Bye(), to="edge").run(60)
    assert rig.said[-1] == (5.001, Over("7", "ntt", by_us=False, direction=Direction.OUTBOUND))
    assert rig.at_rest()


def test_the_two_legs_of_an_overflow_have_one_key_and_end_apart() -> None:
    rig = Rig(drill()).at(1, Dial("7", TOKYO))
    rig.at(2, Place("7", rig.lines["ntt"].local, "0312340000"), to="edge")
    rig.at(3, HangUp("7", Direction.OUTBOUND)).at(4, HangUp("7")).run(60)
    assert [report.direction for _, report in rig.heard(Over)] == [Direction.OUTBOUND, Direction.INBOUND]
    assert rig.at_rest()


def test_of_two_outbound_calls_with_one_key_the_later_is_hung_up() -> None:
    rig = Rig(drill())
    for at in (1, 2):
        rig.at(at, Place("7", rig.lines["ntt"].local, "09012345678"), to="edge")
    first, _ = rig.run(3).sbcs["edge"].calls
    rig.sbcs["edge"].calls = [first]
    rig.at(4, Bye(), to="edge").at(5, HangUp("7", Direction.OUTBOUND)).run(60)
    assert [(at, report.by_us) for at, report in rig.heard(Over)] == [(4.001, False), (5, True)]
    assert rig.at_rest()


def test_an_offer_without_a_common_codec_is_not_acceptable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_packets_carrier.OFFER", OFFER.replace(b"RTP/AVP 0", b"RTP/AVP 18"))
    rig = Rig(drill())
    rig.at(1, Place("7", rig.lines["ntt"].local, "09012345678"), to="edge").run(60)
    assert rig.said == [(1.001, Denied("7", 488, "no common codec", False, "ntt"))]
    assert rig.at_rest()


@pytest.mark.parametrize(
    ("trouble", "refused"),
    [
        (LineDown("ntt", "cut"), (503, "trunk lost", None)),
        (LineRefuses("ntt", "full", 12.5), (503, "trunk answers 503", 13)),
        (LineRefuses("ntt", "full"), (503, "trunk answers 503", None)),
        (LineRestricted("ntt", "quake", Draws(True, answer=480)), (480, "restricted by the carrier", None)),
        (LineRestricted("ntt", "quake", Draws(True, retry_after=30.0)), (503, "restricted by the carrier", 30)),
    ],
)
def test_an_outbound_call_meets_the_trouble_of_its_line(trouble: object, refused: tuple[int, str, int | None]) -> None:
    status, reason, retry_after = refused
    rig = Rig(drill()).at(1, trouble)
    rig.at(2, Place("7", rig.lines["ntt"].local, "09012345678"), to="edge").run(60)
    assert rig.said[-1] == (2.001, Denied("7", status, reason, False, "ntt"))
    (ended,) = [event for event in rig.sbcs["edge"].told if isinstance(event, Ended)]
    assert isinstance(ended.message, Response)
    assert ended.status == status
    wait = ended.message.retry_after
    assert (None if wait is None else wait.seconds) == retry_after
    assert rig.at_rest()


def test_emergency_calls_are_never_restricted_and_need_a_line_all_the_same() -> None:
    rig = Rig(drill()).at(1, LineRestricted("ntt", "quake", Draws()))
    rig.at(2, *(Place(number, rig.lines["ntt"].local, number) for number in ("110", "118", "119")), to="edge").run(3)
    assert len(rig.heard(Answered)) == 3
    rig.at(4, LineDown("ntt", "cut")).at(5, Place("7", rig.lines["ntt"].local, "119"), to="edge").run(6)
    assert rig.said[-1] == (5.001, Denied("7", 503, "trunk lost", False, "ntt"))


def test_the_lot_of_an_outbound_call_holds_on_every_trunk_until_the_restriction_is_over() -> None:
    rig = Rig(drill(**TWO_TRUNKS))
    lots = Draws(True, False, True)
    rig.at(1, *(LineRestricted(name, "quake", lots) for name in rig.lines))
    for at, node, trunk in ((2, "edge", "ntt"), (3, "far", "kddi")):
        rig.at(at, Place("7", rig.lines[trunk].local, "09012345678"), to=node)
    rig.run(4)
    assert [report.trunk for _, report in rig.heard(Denied)] == ["ntt", "kddi"]
    rig.at(5, *(LineRepaired(name, "quake") for name in rig.lines), LineRestricted("ntt", "quake", lots))
    rig.at(6, Place("7", rig.lines["ntt"].local, "09012345678"), to="edge").run(7)
    assert rig.said[-1] == (6.001, Answered("7", "ntt", Direction.OUTBOUND))
    assert lots.asked == 2


@pytest.mark.parametrize(
    ("trouble", "status", "retry_after"), [(None, 200, None), (LineRefuses("ntt", "full", 5.0), 503, 5)]
)
def test_probes_of_the_pair_are_answered(trouble: object, status: int, retry_after: int | None) -> None:
    rig = Rig(drill())
    if trouble is not None:
        rig.at(1, trouble)
    rig.at(2, Ask(rig.lines["ntt"].local), to="edge").run(60)
    (replied,) = [event for event in rig.sbcs["edge"].told if isinstance(event, Replied)]
    assert replied.response is not None
    assert replied.response.status == status
    wait = replied.response.retry_after
    assert (None if wait is None else wait.seconds) == retry_after
    assert rig.at_rest()


# Active-active pairs: S10 and the table of `sbc.decisions.member`.


def test_calls_go_to_two_nodes_in_turn() -> None:
    rig = Rig(pair()).at(1, *(Dial(str(key), TOKYO) for key in range(4))).run(2)
    assert [len(sbc.calls) for sbc in rig.sbcs.values()] == [2, 2]


def test_a_probe_that_times_out_makes_a_node_avoided_and_one_that_is_answered_used() -> None:
    rig = Rig(pair()).run(10)
    rig.hosts["edge/2"].kill()
    rig.run(40)
    rig.hosts["edge/2"].start(rig.sbcs["edge/2"])
    rig.run(50)
    assert rig.heard(Avoided, Used) == [(15, Avoided("edge/2")), (43.002, Used("edge/2"))]  # probes at 3, 13, 23 …
    probes = [(at, report.node) for at, report in rig.heard(Probed) if not report.answered]
    assert probes == [(at, "edge/2") for at in (15, 25, 35)]
    assert rig.heard(Probed)[0] == (3.002, Probed("edge/1", answered=True))


def test_a_probe_is_not_sent_again_after_its_time_and_a_late_answer_does_not_count() -> None:
    rig = Rig(pair(), first_probe=3.0).run(2)
    rig.hosts["edge/2"].hung_by["hang"] = None
    rig.run(12)
    options = [each for each in rig.sent if kind(each) == "OPTIONS" and each.target == "192.0.2.11"]
    assert [round(each.at, 6) for each in options] == [3, 3.5, 4.5]  # Timer E, until 3 + 2
    del rig.hosts["edge/2"].hung_by["hang"]
    rig.hosts["edge/2"].go_on()
    rig.run(12.9)
    assert rig.heard(Avoided, Used) == [(5, Avoided("edge/2"))]
    assert rig.run(14).heard(Used) == [(13.002, Used("edge/2"))]


def test_no_probes_are_sent_by_a_line_that_is_lost() -> None:
    rig = Rig(pair()).at(1, LineDown("ntt", "cut")).run(20)
    assert rig.heard(Probed, Avoided) == []


def test_a_call_that_a_node_leaves_unanswered_goes_on_to_the_other_by_the_same_trunk() -> None:
    rig = Rig(pair(), {"edge/1": SILENT}).at(1, Dial("7", TOKYO)).run(12)
    assert rig.heard(Advanced, Answered) == [
        (11, Advanced("7", "ntt", 408, "nothing answers", "edge/1")),
        (11.002, Answered("7", "ntt")),
    ]


def test_a_call_that_both_nodes_refuse_goes_to_the_next_trunk_and_not_back() -> None:
    two = {**TWO_TRUNKS, "sbc_pairs": {**TWO_TRUNKS["sbc_pairs"]}}
    two["sbc_pairs"]["edge"] = {"site": "tokyo", "ports": 50, "mode": "active-active", "detect": {"by": "nobody"}}
    rig = Rig(drill(**two), {"edge/1": [(0, 503)], "edge/2": [(0, 503)]}).at(1, Dial("7", TOKYO)).run(2)
    assert rig.heard(Advanced, Answered) == [
        (1.002, Advanced("7", "ntt", 503, "", "edge/1")),
        (1.004, Advanced("7", "ntt", 503, "", "edge/2")),
        (1.006, Answered("7", "kddi")),
    ]


def test_the_next_trunk_has_two_nodes_of_its_own() -> None:
    edge = {"site": "tokyo", "ports": 50, "mode": "active-active", "detect": {"by": "nobody"}}
    plan = drill(**{**TWO_TRUNKS, "sites": {"tokyo": {}}, "sbc_pairs": {"edge": edge, "far": edge}})
    refusing: dict[str, Answers] = {node: [(0, 503)] for node in ("edge/1", "edge/2", "far/1")}
    rig = Rig(plan, refusing).at(1, Dial("7", TOKYO)).run(2)
    assert [report.node for _, report in rig.heard(Advanced)] == ["edge/1", "edge/2", "far/1"]
    assert rig.said[-1] == (1.008, Answered("7", "kddi"))


def test_without_failover_a_call_is_lost_with_the_node_it_was_sent_to() -> None:
    rig = Rig(pair(failover=False), {"edge/1": SILENT}).at(1, Dial("1", TOKYO), Dial("2", TOKYO)).run(12)
    assert rig.heard(Refused, Answered) == [
        (1.002, Answered("2", "ntt")),
        (11, Refused("1", "ntt", 408, "nothing answers", limit=False)),
    ]


@pytest.mark.parametrize(("by", "stalled"), [("failure", 1), ("nobody", 3)])
def test_a_node_is_avoided_from_the_first_call_it_leaves_unanswered_or_never(by: str, stalled: int) -> None:
    rig = Rig(pair(detect={"by": by}), {"edge/1": SILENT})
    for key in range(6):
        rig.at(20 * key, Dial(str(key), TOKYO))
    rig.run(130)
    assert len(rig.heard(Advanced)) == stalled
    assert rig.heard(Avoided) == ([(10, Avoided("edge/1"))] if by == "failure" else [])
    rig.sbcs["edge/1"].answers = RINGS_AND_ANSWERS
    rig.at(140, PutIntoUse("edge", 0), Dial("a", TOKYO), Dial("b", TOKYO)).run(142)
    assert len(rig.sbcs["edge/1"].calls) == 1
    assert len(rig.heard(Used)) == (by == "failure")


def test_a_node_is_avoided_as_well_when_timer_b_is_what_ends_the_wait() -> None:
    plan = pair({"advance_after": "40s"}, detect={"by": "failure"})
    rig = Rig(plan, {"edge/1": SILENT}).at(1, Dial("7", TOKYO)).run(40)
    assert rig.heard(Avoided, Answered) == [(33, Avoided("edge/1")), (33.002, Answered("7", "ntt"))]


def test_a_node_that_has_answered_100_is_not_taken_for_dead() -> None:
    rig = Rig(pair(detect={"by": "failure"}), {"edge/1": [(0, 100)]}).at(1, Dial("7", TOKYO)).run(12)
    assert len(rig.heard(Advanced)) == 1
    assert rig.heard(Avoided) == []


def test_where_both_nodes_are_avoided_nothing_is_sent() -> None:
    rig = Rig(pair())
    for host in rig.hosts.values():
        host.kill()
    rig.at(6, Dial("7", TOKYO)).run(7)
    assert rig.said[-1] == (6, Refused("7", "ntt", 503, "no node in use", limit=False))
    assert rig.invites("ntt") == []


def test_more_addresses_than_the_mode_has_are_an_error() -> None:
    plan = drill().sbc_pairs["edge"]
    with pytest.raises(ValueError, match="active-standby and has 2"):
        Edge("edge", plan, [Address("192.0.2.1"), Address("192.0.2.2")])


# Calls that lose their middle, links that lose datagrams.


def test_the_session_timer_ends_a_call_whose_sbc_has_died() -> None:
    rig = Rig(drill(sbc_pairs={"edge": {"site": "tokyo", "ports": 9, "session_timer": "90s"}}))
    rig.at(1, Dial("7", TOKYO)).run(20)
    rig.hosts["edge"].kill()
    rig.run(300)
    # Answered at 1.002; nothing answers the refresh at 46.002, and BYE is said at two thirds of 90 s (RFC 4028 §10).
    assert rig.said[-1] == (61.002, Over("7", "ntt", by_us=True))
    assert all(line.agent.deadline() == inf for line in rig.lines.values())


def test_a_session_that_is_refreshed_goes_on() -> None:
    rig = Rig(drill(sbc_pairs={"edge": {"site": "tokyo", "ports": 9, "session_timer": "90s"}}))
    rig.at(1, Dial("7", TOKYO)).run(600)
    assert rig.heard(Over) == []
    assert len(rig.invites("ntt")) == 1 + 599 // 45


def test_a_200_whose_ack_is_lost_comes_again_and_is_told_once() -> None:
    rig = Rig(drill(), {"edge": [(0, 200)]})
    rig.links["ntt"].degraded.degraded_by["loss"] = Luck(False, False, True)  # type: ignore[assignment]  # no draws
    rig.at(1, Dial("7", TOKYO)).at(10, HangUp("7")).run(60)
    assert rig.times("200 INVITE", "192.0.2.10") == [1.001, 1.501]
    assert rig.times("ACK", "198.51.100.1") == [1.002, 1.502]
    assert [type(report) for _, report in rig.said] == [Answered, Over]
    assert rig.at_rest()


def test_an_invite_that_is_lost_is_late_by_t1() -> None:
    rig = Rig(drill())
    rig.links["ntt"].degraded.degraded_by["loss"] = Luck(True)  # type: ignore[assignment]  # no draws
    rig.at(1, Dial("7", TOKYO)).run(3)
    assert rig.said[-1] == (1.502, Answered("7", "ntt"))


def test_what_is_sent_twice_on_the_way_is_told_once() -> None:
    rig = Rig(drill())
    arrive = rig.host.receive

    def twice(datagram: Datagram) -> None:
        arrive(datagram)
        arrive(datagram)

    rig.host.receive = twice  # type: ignore[method-assign]  # the network that copies
    rig.at(1, Dial("7", TOKYO)).at(2, Place("8", rig.lines["ntt"].local, "110"), to="edge").at(3, HangUp("7"))
    rig.at(4, Bye(), to="edge").run(100)
    assert [type(report) for _, report in rig.said] == [Rang, Answered, Answered, Over, Over]
    assert rig.at_rest()


@pytest.mark.parametrize("strict", [False, True])
def test_messages_mean_the_same_as_objects_and_as_bytes(strict: bool) -> None:
    rig = Rig(drill(**TWO_TRUNKS), {"edge": [(0.5, 503)]}, headers=[("Retry-After", 7)], strict=strict)
    rig.at(1, Dial("1", TOKYO)).at(2, Dial("2", TOKYO)).at(3, HangUp("1")).run(60)
    assert [type(report) for _, report in rig.said] == [Advanced, Rang, Answered, Advanced, Rang, Answered, Over]


def test_what_cannot_be_read_is_answered_as_it_deserves_or_dropped() -> None:
    rig = Rig(drill())
    path = Path(rig.sbcs["edge"].address, rig.lines["ntt"].local)
    request = b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\r\nCSeq: 1 OPTIONS\r\n\r\n"
    for data in (request, b"\x00", b"SIP/2.0 200 OK\r\nCSeq: x\r\n\r\n"):
        rig.host.receive(Datagram(path, None, data))
    rig.host.receive(Datagram(Path(path.local, Address("203.0.113.1")), None, request))
    rig.run(1)
    assert [each.data.split()[1] for each in rig.sent] == [b"400"]


def test_a_contact_that_is_no_address_is_answered_on_the_way_it_came() -> None:
    rig = Rig(drill())
    path = Path(rig.sbcs["edge"].address, rig.lines["ntt"].local)
    head = (
        "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\nFrom: <sip:a@192.0.2.10>;tag=1\r\n"
        "Call-ID: 1\r\nCSeq: 1 {method}\r\nContact: <tel:+81312345678>\r\nTo: <sip:110@198.51.100.1>{tag}\r\n\r\n"
    )
    invite = "INVITE sip:110@198.51.100.1 SIP/2.0\r\n" + head.format(branch=1, method="INVITE", tag="")
    rig.host.receive(Datagram(path, None, invite.encode()))
    (answer,) = [each for each in rig.sent if kind(each) == "200 INVITE"]
    answered = parse(answer.data)
    ack = "ACK sip:198.51.100.1 SIP/2.0\r\n" + head.format(branch=2, method="ACK", tag=f";tag={answered.to.tag}")
    rig.host.receive(Datagram(path, None, ack.encode()))
    rig.at(1, HangUp("1", Direction.OUTBOUND)).run(2)  # without a key of the plan's, the Call-ID names it
    assert [each.target for each in rig.sent if kind(each) == "BYE"] == ["192.0.2.10"]


# Whatever happens, nothing stays held.

TRUNKS = ["ntt", "kddi"]
NAMES = st.sampled_from(TRUNKS)
KEYS = st.sampled_from("abcd")
HAPPENING = st.one_of(
    st.builds(Dial, KEYS, st.sampled_from([TOKYO, FREE_DIAL, MOBILE])),
    st.builds(HangUp, KEYS, st.sampled_from(Direction)),
    st.builds(LineDown, NAMES, st.just("cut")),
    st.builds(LineRefuses, NAMES, st.just("full"), st.sampled_from([None, 3.0])),
    st.builds(lambda name: LineRestricted(name, "quake", Draws(*[True, False] * 50)), NAMES),
    st.builds(LineRepaired, NAMES, st.sampled_from(["cut", "full", "quake"])),
    st.builds(lambda name: ("out", name), NAMES),
    st.sampled_from([("bye", "edge/1"), ("bye", "edge/2"), ("bye", "far"), ("kill", "edge/2"), ("kill", "far")]),
)
SCRIPT = st.sampled_from(
    [RINGS_AND_ANSWERS, SILENT, [(0, 503)], [(0, 180), (3, 200)], [(0.3, 486)], [(4, 200)], [(1, 183), (2, 480)]]
)


class Step(NamedTuple):
    after: float
    what: Any


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    scripts=st.tuples(SCRIPT, SCRIPT, SCRIPT),
    steps=st.lists(st.builds(Step, st.sampled_from([0.0, 0.001, 0.4, 2.0, 11.0]), HAPPENING), max_size=25),
    loss=st.sampled_from([0.0, 0.2]),
    by=st.sampled_from(["failure", "nobody"]),
    seed=st.integers(0, 99),
)
def test_whatever_happens_in_whatever_order_no_port_stays_held(
    scripts: tuple[Answers, Answers, Answers], steps: list[Step], loss: float, by: str, seed: int
) -> None:
    plan = drill(
        sites={"tokyo": {}, "osaka": {}},
        sbc_pairs={
            "edge": {"site": "tokyo", "ports": 50, "mode": "active-active", "detect": {"by": by}},
            "far": {"site": "osaka", "ports": 50},
        },
        trunks={"ntt": {"via": "edge", "channels": 3}, "kddi": {"via": "far", "channels": 2}},
        numbers={TOKYO: {"trunk": TRUNKS, "tap": 3}, FREE_DIAL: {"to": TOKYO, "tap": 1}},
    )
    rig = Rig(plan, dict(zip(["edge/1", "edge/2", "far"], scripts, strict=True)))
    for link in rig.links.values():
        link.degraded.degraded_by["loss"] = Luck(share=loss, seed=seed)  # type: ignore[assignment]  # no draws
    in_progress: set[str] = set()
    for number, (after, what) in enumerate(steps):
        rig.run(rig.env.now + after)
        for _, report in rig.said:
            if isinstance(report, Refused | Over) and getattr(report, "direction", "in") == "in":
                in_progress.discard(report.key)
        rig.said.clear()
        match what:
            case Dial(key):
                if key not in in_progress:
                    in_progress.add(key)
                    rig.host.tell(what)
            case ("out", name):
                node = "edge/1" if name == "ntt" else "far"
                rig.hosts[node].tell(Place(f"out {number}", rig.lines[name].local, "0312340000"))
            case ("bye", node):
                rig.hosts[node].tell(Bye())
            case ("kill", node):
                rig.hosts[node].kill()
            case _:
                rig.host.tell(what)
        held = [limit.used for limit in rig.limits]
        assert all(0 <= used <= limit.cap for used, limit in zip(held, rig.limits, strict=True))
    rig.run(rig.env.now + TRANSACTION_TIMEOUT + 1)  # what was lost on its way has come at last, or never will
    for key in "abcd":
        rig.host.tell(HangUp(key))
    for number in range(len(steps)):
        rig.host.tell(HangUp(f"out {number}", Direction.OUTBOUND))
    rig.run(rig.env.now + 400)
    assert [limit.used for limit in rig.limits] == [0] * len(rig.limits)
    assert len(rig.carrier) == 0
    assert rig.carrier.deadline() == inf
    assert all(len(line.agent) == 0 for line in rig.lines.values())
