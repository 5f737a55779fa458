"""A contact centre on the simulated network, between scripted SBCs and phones; every link takes 1 ms one way."""

from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from math import inf
from random import Random
from typing import Any, NamedTuple

import simpy

from sbc.decisions.admission import BUSY, NO_CIRCUIT, Limit
from sbc.decisions.distribution import Agent, Distributor, search
from sbc.decisions.emergency import emergency_ways
from sbc.decisions.routing import NOT_IN_SERVICE, NoRoute, Route, RoutingTable
from sbc.endpoints.centre import Centre, Ways
from sbc.endpoints.centre_reports import Released, Serve
from sbc.endpoints.charging import charging, key_of
from sbc.endpoints.endpoint import Broken
from sbc.endpoints.errands import Trunk
from sbc.endpoints.line import Edge
from sbc.endpoints.placing import Outgoing
from sbc.endpoints.queueing import Rules
from sbc.endpoints.visit import Contact, Luck
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.sip import fields
from sbc.sip.agent import UserAgent
from sbc.sip.call import Arrived, Call, Ended, Offered, Unchanged, Way
from sbc.sip.fields import Via
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response, parse
from sbc.sip.sdp import PCMA, Origin, offer
from sbc.sip.transaction import Send
from sbc.sip.uri import SipUri
from scenarios.model import Drill
from scenarios.numberplan import canonical
from sim.log import Log
from sim.packets.host import Host
from sim.packets.network import Link, Network
from sim.timer import later
from tests.drills import ListRecorder

TOKYO, OSAKA, MOBILE = "03-1234-5678", "06-1234-5678", "090-1234-5678"
TEAM = "03-9999-9999"
CENTRES = {"tokyo": Address("203.0.113.10"), "osaka": Address("203.0.113.20")}
SBCS = {"edge": Address("198.51.100.1"), "west": Address("198.51.100.2")}
OTHER_NODE = Address("198.51.100.3")
"""The second node of `edge` where it is active-active."""
AUDIO = offer(Origin("192.0.2.200", 7), 4000, [PCMA]).encode()

_PLAN: dict[str, object] = {
    "kirikae": 1,
    "name": "a contact centre",
    "run": {"for": "10m", "warm": False},
    "sites": {"tokyo": {}, "osaka": {}},
    "sbc_pairs": {"edge": {"site": "tokyo", "ports": 99}, "west": {"site": "osaka", "ports": 99}},
    "trunks": {
        "ntt": {"via": "edge", "channels": 99},
        "kddi": {"via": "edge", "channels": 99},
        "sbm": {"via": "west", "channels": 99},
    },
    "numbers": {
        TOKYO: {"trunk": ["ntt", "kddi", "sbm"], "queue": "line"},
        OSAKA: {"trunk": "sbm", "queue": "line"},
        "03-1111-1111": {"trunk": "ntt"},
    },
    "agents": {"staff": {"count": 3, "softphone": {"sites": ["tokyo"]}}},
    "traffic": [{"to": TOKYO, "arrivals": "1/s", "talk": "10s"}],
    "expect": ["asr > 50%"],
}


def plan(queue: Mapping[str, object] | None = None, **changes: object) -> Drill:
    """Return the drill above with the queue `line` as given, and whole sections replaced."""
    queues = {"queues": {"line": {"agents": ["staff"], **(queue or {})}}}
    return Drill.model_validate({**_PLAN, **queues, **changes})


class Peer:
    """A scripted user agent: an SBC with whatever is behind it, or a phone."""

    def __init__(self, address: Address, seed: int, user: str | None = None) -> None:
        """``user``: of its Contact."""
        self.address = address
        here = fields.Address(SipUri(address.host, user, address.port))
        self.agent = UserAgent(here, ids(seed), self._locate)
        self.does: Callable[[float, Call, Request], None] = self.picks_up
        """What it does with a call that comes."""
        self.calls: dict[str, Call] = {}
        """The call of each key that came or went last."""
        self.every: list[Call] = []
        self._keys: dict[str, str] = {}
        self.came: list[tuple[float, Request]] = []
        self.statuses: dict[str, list[int]] = {}
        """How the calls of each key ended: the status, 0 for a BYE."""
        self.offered: Callable[[float, Call, bytes], None] = lambda now, call, body: None
        """Who hears of an offer in a 2xx, before it is answered."""
        self.transports: set[str] = set()
        """Those that anything came by."""
        self.unchanged: list[int] = []
        """What refused the changes that it asked for."""
        self._out: list[object] = []

    def _locate(self, uri: Any, flow: object) -> Way:
        return Way(
            Path(self.address, Address(uri.host, uri.port or 5060)), Via("UDP", self.address.host, self.address.port)
        )

    # As scripts.

    def picks_up(self, now: float, call: Call, request: Request) -> None:
        self.agent.answer(now, call, body=AUDIO)

    def refuses(self, status: int, **headers: object) -> None:
        fields_ = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.does = lambda now, call, _: self.agent.refuse(now, call, status, headers=fields_)

    def rings(self) -> None:
        self.does = lambda now, call, _: self.agent.ring(now, call)

    def dial(
        self,
        now: float,
        key: str,
        to: Address,
        number: str,
        headers: Any = (),
        body: bytes = AUDIO,
        caller: str = "09012345678",
        dialled: str | None = None,
    ) -> None:
        """Call a number; ``dialled`` is what To says."""
        uri = SipUri(to.host, number.replace("-", ""), to.port)
        whom = fields.Address(uri._replace(user=(dialled or number).replace("-", "")))
        from_ = fields.Address(SipUri(self.address.host, caller or None))
        fields_ = [charging(key), *headers]
        call = self.calls[key] = self.agent.invite(now, uri, from_, whom, headers=fields_, body=body)
        self._keys[call.call_id] = key
        self.every.append(call)

    # As an endpoint.

    def receive(self, now: float, datagram: Datagram) -> None:
        self.transports.add(datagram.path.transport)
        self.agent.receive(now, datagram.path.back(), datagram.message or parse(datagram.data))
        self._work(now)

    def event(self, now: float, event: object) -> None:
        if isinstance(event, Broken):
            self.agent.transport_error(now, event.path)
        else:
            assert callable(event)
            event(now)
        self._work(now)

    def _work(self, now: float) -> None:
        while outputs := self.agent.take():
            for output in outputs:
                match output:
                    case Send():
                        self._out.append(output)
                    case Arrived(call, request):
                        self.came.append((now, request))
                        key = self._keys[call.call_id] = key_of(request) or ""
                        self.calls[key] = call
                        self.every.append(call)
                        self.does(now, call, request)
                    case Offered(call, response):
                        self.offered(now, call, response.body)
                        self.agent.answer(now, call, body=AUDIO)
                    case Unchanged(_, Response() as response):
                        self.unchanged.append(response.status)
                    case Ended(call):
                        self.statuses.setdefault(self._keys[call.call_id], []).append(output.status)

    def fire(self, now: float) -> None:
        self.agent.fire(now)
        self._work(now)

    def deadline(self) -> float:
        return self.agent.deadline()

    def take(self) -> list[object]:
        out, self._out = self._out, []
        return out


NEVER = repeat(1.0)
"""A draw that is below no share."""


def ids(seed: int) -> Ids:
    """Return identifiers that are the same in every run."""
    return Ids(Random(seed).getrandbits)  # noqa: S311 - nothing is to be guessed here


class _Lossy:
    """Stands for what a fault does to a link."""

    def __init__(self, loses: Callable[[], bool]) -> None:
        self._loses = loses

    def crossing(self) -> float:
        return inf if self._loses() else 0.0


class Told(NamedTuple):
    """A report of the centre, and when it came: in seconds."""

    at: float
    report: Any


class Scene:
    """All of it. The agents' part of the people is played here: who is released is free again at once."""

    def __init__(
        self,
        drill: Drill,
        *,
        agents: int = 0,
        tenant: int = 99,
        outbound: int = 99,
        contained: Iterator[float] = NEVER,
        accepts: Iterator[float] = NEVER,
        trunk: str | None = None,
        strict: bool = False,
        inside: frozenset[str] = frozenset(),
    ) -> None:
        """``trunk``: that the SBC at Tokyo says calls came by. Every IVR takes 5 s."""
        self.env = simpy.Environment()
        self.network = Network(self.env, Log(self.env, ListRecorder()), strict=strict)
        self._links = [Link(), Link()]
        for segment, link in zip(("sbcs", "phones"), self._links, strict=True):
            self.network.connect(segment, "centre", link)
        self.reports: list[Told] = []
        self._hosts: dict[Peer, Host] = {}
        self.closed: set[str] = set()
        self.limits = [Limit("tenant", tenant, BUSY), Limit("outbound", outbound, NO_CIRCUIT)]
        self.default: str | None = TOKYO
        queues = drill.queue_table()
        searches = {name: search(queue, drill.agents) for name, queue in queues.items()}
        self.distributor: Distributor[str] = Distributor(searches, list(drill.agents), list(drill.sites))
        self.routing = RoutingTable(drill.numbers, drill.trunks, drill.queues)
        pairs = drill.sbc_pairs
        nodes = [SBCS["edge"], OTHER_NODE][: 2 if pairs["edge"].mode == "active-active" else 1]
        edges = {"edge": Edge("edge", pairs["edge"], nodes), "west": Edge("west", pairs["west"], [SBCS["west"]])}
        group = None if trunk is None else f"x;tgrp={trunk};trunk-context=kirikae"
        self.sbc = self._peer("edge/1", SBCS["edge"], "sbcs", 1, group)
        self.other_node = self._peer("edge/2", OTHER_NODE, "sbcs", 2)
        self.west = self._peer("west", SBCS["west"], "sbcs", 3)
        self.phones: dict[Agent, Peer] = {}
        self.unregistered: set[Agent] = set()
        self.behind: dict[Agent, tuple[str, str]] = {}
        """Phones behind a NAT: the address that they take for theirs, and by which transport they are connected."""
        self.frees = True
        """Whether an agent who is released takes the next call at once."""
        self.centre = Centre(
            CENTRES,
            Ways(
                self._route,
                edges,
                {name: Trunk(each.via, each.advance_after) for name, each in drill.trunks.items()},
                self._leaves,
                inside,
            ),
            Rules(
                queues,
                dict.fromkeys(queues, Luck(repeat(5.0), contained, accepts)),
                self.closed,
                self.limits[:1],
                self.limits,
            ),
            Outgoing(
                self.limits,
                lambda: self.default,
                lambda request: OSAKA,
                {site: emergency_ways(drill, site) for site in drill.sites},
            ),
            self.distributor,
            self._contact,
            ids(9),
        )
        self.host = Host(self.env, self.network, "centre", self._hear)
        for address in CENTRES.values():
            self.network.place(address.host, "centre")
            self.network.hold(self.host, address)
        self.host.start(self.centre)
        self.agents: list[Agent] = []
        for number in range(agents):
            self.add_agent(number)

    def _peer(self, name: str, address: Address, segment: str, seed: int, user: str | None = None) -> Peer:
        peer = Peer(address, seed, user)
        host = self._hosts[peer] = Host(self.env, self.network, name, lambda _: None)
        self.network.place(address.host, segment)
        self.network.hold(host, address)
        host.start(peer)
        return peer

    def _route(self, number: str) -> Route | NoRoute:
        return self.routing.route(canonical(number)) if number[:1].isdigit() else NOT_IN_SERVICE

    def _leaves(self, number: str) -> Route | NoRoute:
        return self.routing.leaving(canonical(number)) if number[:1].isdigit() else NOT_IN_SERVICE

    def _contact(self, agent: Agent) -> Contact | None:
        if agent in self.unregistered:
            return None
        address = self.phones[agent].address
        host, transport = self.behind.get(agent, (address.host, "udp"))
        return Contact(SipUri(host, f"agent-{agent.number}"), Path(CENTRES[agent.site], address, transport))

    def free(self, agent: Agent) -> None:
        """An agent takes the next call, or is idle."""
        key = self.distributor.free(self.env.now, agent)
        if key is not None:
            self.host.tell(Serve(key, agent))

    def _hear(self, report: object) -> None:
        self.reports.append(Told(round(self.env.now, 6), report))
        if isinstance(report, Released) and self.frees:
            self.free(report.agent)

    def told(self, key: str) -> list[tuple[Any, ...]]:
        """Return what was reported of a call: when, what, and the rest of it, agents by their numbers."""
        return [
            (at, type(report).__name__, *(each.number if isinstance(each, Agent) else each for each in report[1:]))
            for at, report in self.reports
            if report.key == key
        ]

    # What a test does.

    def add_agent(self, number: int, group: str = "staff", *, site: str = "tokyo", at: float = 0.0) -> Agent:
        """Let there be an agent with a phone at a site, who is idle, or takes the next call, from a moment on."""
        agent = Agent(number, group, site)
        self.agents.append(agent)
        self.phones[agent] = self._peer(f"phone {number}", Address(f"192.0.2.{number + 1}"), "phones", 100 + number)
        if at:
            self.at(at, lambda: self.free(agent))
        else:
            self.free(agent)
        return agent

    def loses(self, share: float, seed: int) -> None:
        """Let every link lose a share of all datagrams."""
        luck = Random(seed)  # noqa: S311 - luck of the simulation
        for link in self._links:
            link.degraded.degraded_by["fault"] = _Lossy(lambda: luck.random() < share)  # type: ignore[assignment]

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something at a moment."""
        later(self.env, when - self.env.now, action)

    def arrive(self, key: str, number: str = TOKYO, *, at: float = 0.0, sbc: Peer | None = None, **more: Any) -> None:
        """Let a call come in through an SBC."""
        peer = sbc or self.sbc
        site = "osaka" if peer is self.west else "tokyo"
        self.at(at, lambda: self.do(peer, lambda now: peer.dial(now, key, CENTRES[site], number, **more)))

    def place(
        self, key: str, agent: Agent, number: str, shows: str = "default", *, at: float = 0.0, **more: Any
    ) -> None:
        """Let an agent dial."""
        wish = [("P-Preferred-Identity", f"<sip:{shows}@{CENTRES[agent.site].host}>")] if shows else []
        phone = self.phones[agent]
        to = CENTRES[agent.site]
        self.at(at, lambda: self.do(phone, lambda now: phone.dial(now, key, to, number, wish, **more)))

    def hang_up(self, peer: Peer, key: str, *, at: float) -> None:
        """Let a peer end its call of a key if there has been one, whatever has become of it."""

        def end(now: float) -> None:
            if key in peer.calls:
                peer.agent.hang_up(now, peer.calls[key])

        self.at(at, lambda: self.do(peer, end))

    def hang_up_all(self, peer: Peer, *, at: float) -> None:
        """Let a peer end all its calls."""

        def end(now: float) -> None:
            for call in peer.every:
                peer.agent.hang_up(now, call)

        self.at(at, lambda: self.do(peer, end))

    def tell(self, event: object, *, at: float) -> None:
        """Hand an event to the centre."""
        self.at(at, lambda: self.host.tell(event))

    def do(self, peer: Peer, action: Callable[[float], None]) -> None:
        """Let a peer do something now."""
        self._hosts[peer].tell(action)

    def kill(self, peer: Peer) -> None:
        """Let a peer be dead from now on."""
        self._hosts[peer].kill()

    def run(self, until: float = 600.0) -> list[Told]:
        """Let time go on, and return all reports so far."""
        self.env.run(until=until)
        return self.reports

    def left(self) -> tuple[int, list[int], float]:
        """Return what is kept, the ports in use, and when something is due: (0, zeros, inf) after a quiet run."""
        ports = [limit.used for limit in (*self.limits, *self.centre.teams)]
        return len(self.centre), ports, self.centre.deadline()
