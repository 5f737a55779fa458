"""The machines of the SBC pairs: killed, hung, started again. Who serves, and since when, is what their daemons say."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import simpy

from sbc.endpoints.ha import Became, Check, Checked, Noticed, Phases, Role, Seat, Switch, ha_daemon
from sbc.endpoints.node import SbcNode
from sbc.endpoints.node_plan import NodePlan
from sbc.endpoints.passing import Drain, LineDown, Resume, Serve, Service
from sbc.endpoints.proxy_node import ProxyNode
from sbc.sip.ids import Ids
from scenarios.evidence import EventKind
from scenarios.model import Detector, Fault, OptionsDetection, VrrpDetection
from sim.call import Call
from sim.draws import Draws
from sim.links import Degradation
from sim.log import Log
from sim.packets.callers import Callers
from sim.packets.host import Host
from sim.packets.network import Network
from sim.packets.topology import Topology
from sim.timeline import Repair, hold, hold_down
from sim.world import NodeState, PairState, World

Describe = Callable[[PairState, int], NodePlan]
"""Says what the SIP process of a node is started with; the engine knows."""


class Parts(NamedTuple):
    """What the pairs of a run have to do with."""

    topology: Topology
    world: World
    callers: Callers
    describe: Describe
    hear: Callable[[NodeState, object], None]
    """Gets what a node reports of calls."""
    ids: Ids
    draws: Draws
    log: Log


def meant(pair: PairState, fault: Fault, serving: int | None) -> list[int]:
    """Return indices of the nodes that a fault means at this moment; none when none plays that part."""
    match fault.fails:
        case "all":
            return [1 - pair.last, pair.last]
        case "active" if pair.shared:
            return [next((index for index, node in enumerate(pair.nodes) if node.up), 0)]
        case "active":
            return [] if serving is None else [serving]
        case "standby":
            return [1 - pair.last]
        case "link" | "503":
            raise ValueError(f"fault {fault.name!r} takes no node")


@dataclass(slots=True, eq=False)
class Machine:
    """One machine of a pair, and the two processes on it."""

    index: int
    state: NodeState
    sip: Host
    ha: Host
    node: SbcNode | ProxyNode | None = None
    """The endpoint of its SIP process while that lives."""
    role: Role | None = None
    missed: list[LineDown] = field(default_factory=list)
    """Trunks that were lost while its SIP process hung."""

    @property
    def serves(self) -> bool:
        """Whether it answers at the service address, or at its own in an active-active pair."""
        return self.role is Role.SERVES and self.state.up


@dataclass(slots=True, eq=False)
class Duo:
    """A pair, and its machines."""

    state: PairState
    router: int
    machines: tuple[Machine, Machine]
    silenced_by: int | None = None
    """The machine whose loss has left the address silent."""

    @property
    def serving(self) -> Machine | None:
        """The machine that serves; of two, as after a split brain, the one that took the address last."""
        last = self.machines[self.state.last]
        return next((each for each in (last, self.machines[1 - self.state.last]) if each.serves), None)


class Pairs:
    """All pairs of a drill."""

    def __init__(self, env: simpy.Environment, network: Network, parts: Parts) -> None:
        self.put_into_use: Callable[[str, int], None] = lambda pair, node: None
        """Who hears that a node of an active-active pair works again; whoever sends it calls sets it."""
        topology, world, draws, hear = parts.topology, parts.world, parts.draws, parts.hear
        self._env = env
        self._topology = topology
        self._callers = parts.callers
        self._describe = parts.describe
        self._ids = parts.ids
        self._log = parts.log
        self._phase = {name: draws.uniforms(f"pair:{name}:phase") for name in world.pairs}
        self._duos: dict[str, Duo] = {}
        for router, (name, state) in enumerate(world.pairs.items(), 1):
            machines = []
            for index, node in enumerate(state.nodes):
                sip = Host(env, network, node.name, partial(hear, node))
                ha = Host(env, network, f"{node.name} ha", partial(self._hear, name, index), serves=sip)
                ha.down_by = sip.down_by = node.down_by
                sip.hung_by = node.hung_by
                addresses = topology.pairs[name].nodes[index]
                for address in (addresses.ha, addresses.probe):
                    network.hold(ha, address)
                for address in (addresses.own, addresses.replication):
                    network.hold(sip, address)
                machines.append(Machine(index, node, sip, ha))
            self._duos[name] = Duo(state, (router - 1) % 255 + 1, (machines[0], machines[1]))

    def begin(self) -> None:
        """Start all machines, as pairs that have been in service: the first node serves."""
        for name, duo in self._duos.items():
            begun = phases(self._env.now, duo.state.plan.detect, self._phase[name])
            for machine in duo.machines:
                self._start(name, machine, begun, serves=machine.index == 0)

    def _start(self, name: str, machine: Machine, phases: Phases, *, serves: bool) -> None:
        duo = self._duos[name]
        machine.role = None
        machine.missed.clear()
        machine.state.limit.used = 0
        machine.node = self._describe(duo.state, machine.index).start(self._ids)
        machine.sip.start(machine.node)
        self._brief(duo, machine)
        addresses, other = (self._topology.pairs[name].nodes[index] for index in (machine.index, 1 - machine.index))
        service = addresses.own if duo.state.shared else self._topology.pairs[name].service
        detect = duo.state.plan.detect
        probes = isinstance(detect, OptionsDetection)
        own, peer = (addresses.probe, other.probe) if probes else (addresses.ha, other.ha)
        seat = Seat(own, peer, service, duo.router, first=machine.index == 0)
        machine.ha.start(ha_daemon(self._env.now, seat, detect, phases, self._ids, serves=serves))

    def _brief(self, duo: Duo, machine: Machine) -> None:
        """Tell a SIP process that has heard nothing yet, or for a while, what the plan says of new calls."""
        state = duo.state
        machine.sip.tell(Service(state.site.in_service))
        machine.sip.tell(Drain(state.retry_after) if state.drained else Resume())

    # What others ask and tell.

    def can_switch(self, pair: str) -> bool:
        """Whether both nodes work, and one stands by."""
        machines = self._duos[pair].machines
        return all(each.state.up for each in machines) and sum(each.serves for each in machines) == 1

    def switch(self, pair: str) -> None:
        """The serving node resigns, and the other takes over."""
        for machine in sorted(self._duos[pair].machines, key=lambda each: not each.serves):
            machine.ha.tell(Switch())

    def tell(self, pair: str, event: Drain | Resume | Service | LineDown) -> None:
        """Tell both nodes of a pair something; one that hangs hears of a lost trunk when it goes on."""
        for machine in self._duos[pair].machines:
            if isinstance(event, LineDown) and machine.state.hung_by:
                machine.missed.append(event)
            machine.sip.tell(event)

    def of_site(self, site: str) -> Iterator[PairState]:
        """Yield the pairs that stand at a site."""
        yield from (duo.state for duo in self._duos.values() if duo.state.site.name == site)

    def avoided(self, node: str) -> None:
        """A node of an active-active pair gets no calls any more: its probe, or a call, has found it dead."""
        duo, machine = self._named(node)
        self._log.entry(EventKind.DETECTED, duo.state.name, by=duo.state.plan.detect.by)
        self._serves(duo, duo.machines[1 - machine.index])

    def used(self, node: str) -> None:
        """It gets its share again."""
        duo, machine = self._named(node)
        self._serves(duo, machine)

    def _named(self, node: str) -> tuple[Duo, Machine]:
        pair, _, number = node.rpartition("/")
        return self._duos[pair], self._duos[pair].machines[int(number) - 1]

    # What breaks and is repaired.

    def meant(self, pair: PairState, fault: Fault) -> list[int]:
        """Return indices of the nodes a fault means at this moment; none when none plays that part."""
        serving = self._duos[pair.name].serving
        return meant(pair, fault, None if serving is None else serving.index)

    def lose(
        self, pair: PairState, nodes: list[int], fault: str, *, hung: bool = False, emptied: bool = False
    ) -> Repair:
        """Let machines die, or their SIP processes hang, in this order; return what repairs them.

        ``emptied``: the process that hangs is in truth restarted, and goes on without its calls.
        """
        duo = self._duos[pair.name]
        for index in nodes:
            machine = duo.machines[index]
            served = machine.serves
            (machine.state.hung_by if hung else machine.state.down_by)[fault] = None
            machine.state.emptied |= emptied
            if not hung:
                machine.ha.kill()
                machine.sip.kill()
                machine.node = None
                machine.state.limit.used = 0
            if served:
                self._silent(duo, machine)
            self._check_calls(duo)
        return partial(self._back, duo, nodes, fault, hung=hung)

    def _back(self, duo: Duo, nodes: list[int], fault: str, *, hung: bool) -> None:
        for index in nodes:
            machine = duo.machines[index]
            del (machine.state.hung_by if hung else machine.state.down_by)[fault]
            if machine.state.down_by:
                continue
            if machine.node is None:
                self._start(duo.state.name, machine, Phases(0.0, 0.0), serves=False)
                if duo.state.shared:
                    self.put_into_use(duo.state.name, index)
            elif not machine.state.hung_by:
                self._goes_on(duo, machine)

    def _goes_on(self, duo: Duo, machine: Machine) -> None:
        if machine.state.emptied:
            machine.state.emptied = False
            machine.sip.kill()
            machine.state.limit.used = 0
            machine.node = self._describe(duo.state, machine.index).start(self._ids)
            machine.sip.start(machine.node)
            if machine.role is Role.SERVES:  # the other has not taken over, and it saves nothing now
                for call in list(machine.state.calls):
                    self._callers.lose(call, duo.state, machine.state, f"{machine.state.name} lost")
        # Before all that waits in its buffer or has become due: the other may have its calls by now.
        machine.sip.tell(Serve(machine.role is Role.SERVES, clears=False))
        self._brief(duo, machine)
        missed, machine.missed = machine.missed, []
        for event in missed:
            machine.sip.tell(event)
        machine.sip.go_on()
        if machine.serves and duo.silenced_by == machine.index:
            self._serves(duo, machine)
        self._check_calls(duo)

    def cut_link(self, pair: PairState, fault: str) -> Repair:
        """Cut the link that carries adverts and replication; return what repairs it."""
        return hold_down(self._topology.ha_links[pair.name].cut_by, fault)

    def degrade_link(self, pair: PairState, fault: str, degradation: Degradation) -> Repair:
        """Let adverts and replication be late or lost; return what repairs that."""
        return hold(self._topology.ha_links[pair.name].degraded.degraded_by, fault, degradation)

    # What the daemons say.

    def _hear(self, name: str, index: int, report: object) -> None:
        duo = self._duos[name]
        machine = duo.machines[index]
        match report:
            case Check():
                machine.ha.tell(Checked(machine.state.up))
            case Noticed(by):
                self._log.entry(EventKind.DETECTED, name, by=duo.state.plan.detect.by)
                if by == "check":
                    self._log.effect(machine.state.failed_by, "check")
            case Became(role, _):
                self._becomes(duo, machine, role)
            case _:
                raise TypeError(f"{machine.ha.name}: {report!r}")

    def _becomes(self, duo: Duo, machine: Machine, role: Role) -> None:
        before, machine.role = machine.role, role
        machine.sip.tell(Serve(role is Role.SERVES, clears=machine.state.up))
        if role is Role.SERVES:
            if before is not None:
                self._serves(duo, machine)
        elif before is Role.SERVES and machine.state.up:
            self._log.entry(EventKind.RESIGNED, duo.state.name, node=machine.state.name, calls=len(machine.state.calls))
            duo.state.silent_since = self._env.now
            for call in list(machine.state.calls):
                if not self._kept(duo, machine, call):
                    self._callers.lose(call, duo.state, machine.state, f"{machine.state.name} resigned")

    def _silent(self, duo: Duo, machine: Machine) -> None:
        """The machine that served is gone."""
        state = machine.state
        duo.state.silent_since = self._env.now
        duo.silenced_by = machine.index
        self._log.entry(EventKind.NODE_LOST, duo.state.name, node=state.name, calls=len(state.calls))
        if state.calls:
            self._log.effect(state.failed_by, "call")

    def _serves(self, duo: Duo, machine: Machine) -> None:
        duo.state.last = machine.index
        duo.silenced_by = None
        old = duo.machines[1 - machine.index]
        if not duo.state.shared:
            for call in list(old.state.calls):
                key, node = self._callers.key(call), machine.node
                passes = isinstance(node, ProxyNode) and self._callers.confirmed(call)
                if passes or (node is not None and node.carries(key)):
                    self._callers.carried(key, machine.state)
        outage = self._env.now - duo.state.silent_since
        kept = len(machine.state.calls)
        self._log.entry(EventKind.TAKEOVER, duo.state.name, node=machine.state.name, outage=outage, kept=kept)
        self._check_calls(duo)

    # Calls.

    def _check_calls(self, duo: Duo) -> None:
        """Calls whose node is gone wait for the other if it knows them; those that nobody knows any more are lost."""
        for machine in duo.machines:
            if machine.state.up:
                continue
            for call in list(machine.state.calls):
                if not self._kept(duo, machine, call):
                    self._callers.lose(call, duo.state, machine.state, f"{machine.state.name} lost")

    def _kept(self, duo: Duo, machine: Machine, call: Call) -> bool:
        """Whether the other node can go on with a call; a proxy can with whatever is answered."""
        other = duo.machines[1 - machine.index].node
        if isinstance(other, ProxyNode):
            return not duo.state.shared and self._callers.confirmed(call)
        return other is not None and other.replicated(self._callers.key(call))


def phases(now: float, detect: Detector, draws: Iterator[float]) -> Phases:
    """Return where the intervals of a pair stand: the shares drawn are those at 0, when a run begins to count."""
    every, check = 1.0, 1.0
    match detect:
        case VrrpDetection(advert=every, track=track):
            check = check if track is None else track
        case OptionsDetection(every=every):
            pass
    return Phases((next(draws) + now / every) % 1, (next(draws) + now / check) % 1)
