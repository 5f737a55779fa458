"""The `packets` engine: one replication of a drill with real SIP messages, in virtual time."""

from collections.abc import Generator, Iterator
from functools import partial
from itertools import repeat
from typing import Any

import simpy

from sbc.decisions.distribution import Agent, Distributor, search
from sbc.decisions.emergency import emergency_ways
from sbc.decisions.functions import refused
from sbc.decisions.routing import NoRoute, Route
from sbc.endpoints.carrier import Carrier
from sbc.endpoints.centre import Centre, Ways
from sbc.endpoints.centre_reports import Clear, Serve
from sbc.endpoints.centre_reports import HangUp as HangUpThere
from sbc.endpoints.errands import Trunk
from sbc.endpoints.gate import Post
from sbc.endpoints.line import Edge, Line
from sbc.endpoints.node_plan import NodePlan
from sbc.endpoints.phone import HangUp, Place, address_of_record
from sbc.endpoints.placing import Outgoing
from sbc.endpoints.queueing import Rules
from sbc.endpoints.subscriber import Dial, PutIntoUse
from sbc.endpoints.subscriber import HangUp as HangUpFar
from sbc.endpoints.visit import Contact, Luck
from sbc.endpoints.wire import SIP_PORT, Address, Path
from sbc.quiet import collector_off
from sbc.sip.ids import Ids
from sbc.sip.message import Request
from sbc.sip.session_timer import Timing
from sbc.sip.uri import SipUri
from scenarios.evidence import SAMPLE_EVERY, Gauge, Recorder, Sample, WireRecorder
from scenarios.load import CallerBlock
from scenarios.model import Drill, Queue
from sim.call import Call, Stream
from sim.draws import Draws
from sim.hours import Hours, keep_hours
from sim.lines import everybody
from sim.log import Log
from sim.packets.callers import Callers, attempt_of
from sim.packets.deeds import Deeds
from sim.packets.faults import Faults
from sim.packets.hearing import Hearing
from sim.packets.host import Host
from sim.packets.pairs import Parts
from sim.packets.registrations import Registrations
from sim.packets.stage import Stage
from sim.people import People
from sim.phones import Phones
from sim.sync import Sync
from sim.timeline import play_faults
from sim.traffic import stream_names, warm_up
from sim.world import PairState, World


def play(
    drill: Drill,
    load: list[Iterator[CallerBlock]],
    seed: int,
    replication: int,
    recorder: Recorder,
    *,
    wire: WireRecorder | None = None,
    strict: bool = False,
) -> None:
    """Play one replication from its warm-up to the end of the run, and hand all evidence to ``recorder``.

    As :func:`sim.engine.play`, and besides: ``wire`` hears every datagram, and ``strict`` lets whoever gets a message
    parse it from its bytes, even in virtual time. Neither makes a difference to what happens.
    """
    staged = Replication(drill, seed, replication, recorder, Stage(-warm_up(drill), wire, strict=strict))
    staged.begin(load)
    with collector_off():
        staged.stage.env.run(until=drill.run.lasts)
    staged.close()


class Replication:
    """All parts of one replication, put together."""

    def __init__(
        self,
        drill: Drill,
        seed: int,
        replication: int,
        recorder: Recorder,
        stage: Stage,
    ) -> None:
        self._drill = drill
        self._recorder = recorder
        self.stage = stage
        self.env = env = stage.env
        self._draws = draws = Draws(seed, replication)
        self._ids = Ids(draws.bits("ids"))
        self.log = log = Log(env, recorder)
        self._hours = hours = Hours(env, drill)
        self.world = world = World(drill, hours.closed)
        self._queues = queues = drill.queue_table()
        network = stage.network(log)
        self._topology = topology = stage.topology(network, drill)
        searches = {name: search(queue, drill.agents) for name, queue in queues.items()}
        self._distributor: Distributor[str] = Distributor(searches, list(drill.agents), list(drill.sites))
        self.callers = Callers(env, world, queues, self._distributor, log, drill.run.lasts)
        self.hearing = Hearing(world, self.callers, {name for name, each in queues.items() if each.ivr}, log)
        agents = everybody(drill)
        sync = Sync(env, drill, world, draws, log)
        self._lines = Registrations(env, network, drill, world, agents, draws, log, stage.addresses, sync.admits)
        self._agents = {str(address_of_record(agent.number, "").user): agent for agent in agents}
        self.carrier = Host(env, network, "carrier", self.hearing.carrier)
        for address in topology.lines.values():
            network.hold(self.carrier, address)
        self.centre = Host(env, network, "contact centre", self.hearing.centre)
        for address in (*topology.centres.values(), *(real.centre.local for real in topology.reals.values())):
            network.hold(self.centre, address)
        parts = Parts(topology, world, self.callers, self._node, self.hearing.node, self._ids, draws, log)
        self.pairs = stage.pairs(network, parts)
        self._tell_each_other()
        self._edges = self._make_edges()
        self.carrier.start(self._make_carrier())
        self.centre.start(self._make_centre())
        self.pairs.begin()
        self._phones = Phones(env, drill, agents, self._lines, self._distributor, self.hearing, hours, draws, log)
        deeds = Deeds(
            world, self.carrier, self.pairs, self._phones, self._lines, drill, topology.centres, log, stage.place
        )
        self.hearing.tested = deeds.tested
        people = People(env, drill, deeds, sync, self._phones, world.repaired, hours, draws, log)
        keep_hours(drill, hours, lambda queue: self.centre.tell(Clear(queue)), log)
        faults = Faults(drill, world, topology, self.carrier, self.pairs, self._lines, self.callers, draws, log)
        play_faults(env, drill, log, sync.seen_by(faults.breaks), people.notice, world.repaired)

    def begin(self, load: list[Iterator[CallerBlock]]) -> None:
        """Let callers arrive from the first moment on."""
        drill = self._drill
        for name, stream, blocks in zip(stream_names(drill), drill.traffic, load, strict=True):
            self.callers.play(Stream.of(stream, name, drill, self._draws), blocks)
        self.env.process(self._watch())

    def close(self) -> None:
        """Write down how things stand at the end."""
        self._sample()
        self.callers.close()

    def in_progress(self) -> int:
        """Return how many calls the carrier has in progress, those included whose BYE is not answered yet."""
        endpoint = self.carrier.endpoint
        return endpoint.unfinished if isinstance(endpoint, Carrier) else 0

    def inside(self) -> int:
        """Return how many legs the contact centre has."""
        endpoint = self.centre.endpoint
        return endpoint.legs if isinstance(endpoint, Centre) else 0

    # Who tells whom.

    def _tell_each_other(self) -> None:
        callers, hearing = self.callers, self.hearing
        callers.dial = self._dial
        callers.place = self._place
        self.pairs.put_into_use = lambda pair, node: self.carrier.tell(PutIntoUse(pair, node))
        callers.hang_up_far = lambda key, direction: self.carrier.tell(HangUpFar(key, direction))
        callers.hang_up_near = self._hang_up_near
        self._lines.phone_tells = hearing.phone
        hearing.ask_centre = self._serve
        hearing.avoid = self.pairs.avoided
        hearing.use = self.pairs.used

    def _dial(self, call: Call, number: str) -> None:
        key = attempt_of(call)

        def dial() -> None:
            if self.callers.call(key) is call:  # who had to wait may have given up
                call.dialled = self.env.now
                self.carrier.tell(Dial(key, number))

        self.stage.place(dial)

    def _serve(self, key: str, agent: Agent) -> None:
        """Let the centre join a caller and an agent; to call one back is a call of its own."""
        serve, call = partial(self.centre.tell, Serve(key, agent)), self.callers.call(key)
        if call is None or call.promised is None:
            serve()
        else:
            self.stage.place(serve)

    def _place(self, call: Call, number: str) -> None:
        agent = call.agent
        assert agent is not None  # noqa: S101 - nobody else has a phone
        self.hearing.engage(attempt_of(call), agent)
        centre = self._topology.centres[agent.site]
        shown = call.stream.plan.shows or "default"
        key = attempt_of(call)

        def place() -> None:
            if self.callers.call(key) is call:
                call.dialled = self.env.now
                self._lines.tell(agent, Place(key, _digits(number), shown, centre))
            else:
                self.hearing.disengage(key)

        self.stage.place(place)

    def _hang_up_near(self, key: str, agent: Agent | None) -> None:
        if agent is not None:
            self._lines.tell(agent, HangUp(key))
        self.centre.tell(HangUpThere(key))

    # Endpoints.

    def _make_edges(self) -> dict[str, Edge]:
        """Return the pairs as whoever sends them calls knows them: carrier and contact centre take turns together."""
        phases = self._draws.uniforms("carrier:probes")
        edges = {}
        for name, plan in self._drill.sbc_pairs.items():
            addresses = self._topology.pairs[name]
            nodes = [node.own for node in addresses.nodes] if self.world.pairs[name].shared else [addresses.service]
            every = plan.detect.every if plan.detect.by == "options" else 0.0
            edges[name] = Edge(name, plan, nodes, self.env.now + next(phases) * every, self._topology.reals.get(name))
        return edges

    def _make_carrier(self) -> Carrier:
        lines = [
            Line(
                name=name,
                local=self._topology.lines[name],
                edge=self._edges[trunk.via],
                limit=self.world.trunks[name].limit,
                advance_after=trunk.advance_after,
                ids=self._ids,
                end=self._topology.ends.get(name),
            )
            for name, trunk in self._drill.trunks.items()
        ]
        return Carrier(lines, self.world.routing, self.world.taps, self._ids)

    def _node(self, pair: PairState, index: int) -> NodePlan:
        addresses = self._topology.pairs[pair.name]
        own, other = addresses.nodes[index], addresses.nodes[1 - index]
        state = pair.nodes[index]
        trunks = {
            name: self._topology.lines[name] for name, each in self._drill.trunks.items() if each.via == pair.name
        }
        post = Post(
            name=state.name,
            service=own.own if pair.shared else addresses.service,
            trunks=trunks,
            centre=self._topology.centres[pair.plan.site],
            ports=state.limit,
            pace=state.pace,
            timing=Timing(int(pair.plan.session_timer)),
        )
        peer = None if pair.shared else Path(own.replication, other.replication)
        return NodePlan(post, pair.plan.keeps, peer, proxies=pair.plan.passes == "proxy")

    def _make_centre(self) -> Centre:
        world, drill = self.world, self._drill
        numbers = {_digits(number): number for number in drill.numbers}

        def route(number: str) -> Route | NoRoute:
            return world.routing.route(numbers.get(number, number))

        def leaves(number: str) -> Route | NoRoute:
            return world.routing.leaving(numbers.get(number, number))

        def terminal(request: Request) -> str | None:
            contact = request.contacts[0].uri
            agent = self._agents.get(contact.user or "") if isinstance(contact, SipUri) else None
            return None if agent is None else world.caller_numbers[agent.group]

        trunks = {name: Trunk(trunk.via, trunk.advance_after) for name, trunk in drill.trunks.items()}
        luck = {name: self._luck(name, queue) for name, queue in self._queues.items()}
        rules = Rules(self._queues, luck, world.closed, world.tenant, (*world.tenant, *world.outbound), self._refused)
        outgoing = Outgoing(
            rules.outbound,
            lambda: world.default_caller,
            terminal,
            {site: emergency_ways(drill, site) for site in drill.sites},
            self._refused,
        )
        longest = max(pair.session_timer for pair in drill.sbc_pairs.values())
        return Centre(
            self._topology.centres,
            Ways(route, self._edges, trunks, leaves),
            rules,
            outgoing,
            self._distributor,
            self._locate,
            self._ids,
            Timing(int(longest)),
        )

    def _refused(self, key: str, site: str) -> NoRoute | None:
        """Say why a call finds not what it needs at a site; what a call needs is in no message."""
        call = self.callers.call(key)
        return None if call is None else refused(site, call.stream.plan.needs, self.world.lacks[site])

    def _luck(self, name: str, queue: Queue) -> Luck:
        draws = self._draws
        takes = repeat(0.0) if queue.ivr is None else draws.values(f"queue:{name}:ivr", queue.ivr.takes)
        return Luck(takes, draws.uniforms(f"queue:{name}:contained"), draws.uniforms(f"queue:{name}:callback"))

    def _locate(self, agent: Agent) -> Contact | None:
        """Return where an agent's phone is reached, as the location service of its site has it."""
        found = self._lines.locations[agent.site].contact_of(address_of_record(agent.number, agent.site))
        if found is None or not isinstance(found.contact, SipUri):
            return None
        there = Address(found.contact.host, found.contact.port or SIP_PORT)
        return Contact(found.contact, Path(self._topology.centres[agent.site], there, found.contact.transport or "udp"))

    # What is measured.

    def _gauges(self) -> Iterator[tuple[Gauge, str, int]]:
        drill, phones, lines = self._drill, self._phones, self._lines
        ports = self.world.high_ports().items()
        yield from ((Gauge.PORTS, name, high) for name, high in ports if name not in self._topology.reals)
        yield from ((Gauge.SOFTPHONES, site, lines.at_site(site)) for site in drill.sites)
        yield from ((Gauge.REGISTERS, site, high) for site, high in lines.high_registers().items())
        yield from ((Gauge.AGENTS_BUSY, group, phones.busy(group)) for group in drill.agents)
        yield from ((Gauge.ON_DUTY, name, phones.on_duty(name)) for name, group in drill.agents.items() if group.shifts)
        yield from ((Gauge.WAITING, queue, self._distributor.waiting(queue)) for queue in self._queues)

    def _sample(self) -> None:
        self.log.flush()  # who follows the run sees what had ended by then
        for gauge, name, value in self._gauges():
            self._recorder.sample(Sample(self.env.now, gauge, name, value))

    def _watch(self) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(-self.env.now)
        self.world.high_ports()
        self._lines.high_registers()
        while True:
            self._sample()
            yield self.env.timeout(SAMPLE_EVERY)


def _digits(number: str) -> str:
    """Return a number as it is dialled: without separators."""
    return number.replace("-", "")
