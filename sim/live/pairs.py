"""The SBC pairs of a live run: each machine is two processes, and what becomes of a pair is seen by probing it.

A fault is a signal: SIGKILL for a machine that dies, SIGSTOP for a SIP process that hangs. Nothing here is told of it;
an outage begins with the first probe that nobody answers. What a node reports of its ports and refusals is its own log,
as a person would read it, and ends with it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import add
from typing import Final

from sbc.decisions.admission import release, seize
from sbc.decisions.pair import detection_delay
from sbc.endpoints.gate import Carrying, Done
from sbc.endpoints.ha import Became, Noticed, Phases, Role, Seat, Switch
from sbc.endpoints.lookout import Heard, Lookout, Silent
from sbc.endpoints.passing import Drain, LineDown, Resume, Service
from sbc.endpoints.subscriber import AskAround
from sbc.endpoints.wire import Address, Datagram
from sbc.live.child import Child
from sbc.live.machine_plan import MachinePlan
from sbc.live.words import Failed, Freeze, LinkFault, LinkMet, OfSip, Renew, SipPlan, Thaw, ToSip, Up
from sbc.sip.errors import ParseError
from sbc.sip.message import parse
from scenarios.evidence import EventKind
from scenarios.model import Detector, Fault, OptionsDetection
from sim.links import Degradation
from sim.live.network import LiveNetwork
from sim.live.paced import PacedEnvironment
from sim.packets.host import Host
from sim.packets.kinds import met
from sim.packets.pairs import Parts, meant, phases
from sim.timeline import Repair
from sim.timer import later
from sim.world import NodeState, PairState

MACHINE: Final = "sbc.live.machine"
"""The module that runs as a machine."""
PROBE_EVERY: Final = 0.02
"""Seconds between two probes of a pair, which is how exactly an outage is known."""
PROBE_PORT: Final = 5_090
"""From which probes are sent, at the carrier's end of a trunk of the pair: an address that a pair answers."""
DRAWN: Final = 256
"""Delays that a degraded link between two machines is given to draw from."""
SETTLES: Final = 1.0
"""Seconds that a pair has to settle: after an outage until the calls that were up are asked for, so that one that ends
and begins asks once; and for a takeover, besides what noticing takes."""
GIVEN_UP: Final = 32.0
"""Seconds of silence, 64 times T1, after which nobody waits any more, whatever a plan says of noticing a failure."""


class LiveError(Exception):
    """A live run cannot go on; the message is for people."""


@dataclass(slots=True, eq=False)
class Machine:
    """One machine of a pair as it is seen from outside."""

    index: int
    state: NodeState
    child: Child | None = None
    role: Role | None = None

    @property
    def serves(self) -> bool:
        """Whether its daemon has said so last, and nobody has harmed it since."""
        return self.role is Role.SERVES and self.state.up


@dataclass(slots=True, eq=False)
class Duo:
    """A pair, its machines, and who watches it."""

    state: PairState
    router: int
    machines: tuple[Machine, Machine]
    watchers: list[Host]
    heard: list[bool]
    """Whether each address that is watched answers now."""
    asking: bool = False
    """Whether the calls of the pair are about to be asked for."""


class LivePairs:
    """All pairs of a drill on sockets; see :class:`sim.packets.stage.SbcPairs`."""

    def __init__(
        self, env: PacedEnvironment, origin: float, stock: list[Child], network: LiveNetwork, parts: Parts
    ) -> None:
        """``origin``: the start of the clock that all processes share; ``stock``: machines that are up already."""
        self.put_into_use: Callable[[str, int], None] = lambda pair, node: None
        """Who hears that a node of an active-active pair works again."""
        self.ask_around: Callable[[AskAround], None] = lambda asked: None
        """Who asks for the calls of a pair after an outage; the engine sets it."""
        topology, world = parts.topology, parts.world
        self._env = env
        self._origin = origin
        self._stock = stock
        self._network = network
        self._topology = topology
        self._callers = parts.callers
        self._describe = parts.describe
        self._hear_node = parts.hear
        self._ids = parts.ids
        self._draws = parts.draws
        self._log = parts.log
        self._duos: dict[str, Duo] = {}
        for router, (name, state) in enumerate(world.pairs.items(), 1):
            if name in topology.reals:
                continue
            first, second = (Machine(index, node) for index, node in enumerate(state.nodes))
            self._duos[name] = Duo(state, (router - 1) % 255 + 1, (first, second), [], [])
            addresses = topology.pairs[name]
            for address in (addresses.service, *(node.own for node in addresses.nodes)):
                network.haunt(address, partial(self._met, state))
            for index, node in enumerate(addresses.nodes):
                network.lives_at(node.own.host, partial(_machine, state, index))
            network.lives_at(addresses.service.host, partial(_machine, state))
            self._watch(name, self._duos[name], next(n for n, each in world.trunks.items() if each.pair is state))

    def _watch(self, name: str, duo: Duo, trunk: str) -> None:
        addresses = self._topology.pairs[name]
        targets = [node.own for node in addresses.nodes] if duo.state.shared else [addresses.service]
        for index, target in enumerate(targets):
            own = Address(self._topology.lines[trunk].host, PROBE_PORT + index)
            host = Host(self._env, self._network, f"lookout {name}", partial(self._looks, duo, index))
            self._network.hold(host, own)
            host.start(Lookout(self._env.now, own, target, self._ids, every=PROBE_EVERY))
            duo.watchers.append(host)
            duo.heard.append(False)

    def begin(self) -> None:
        """Start all machines, as pairs that have been in service: the first node serves."""
        for name, duo in self._duos.items():
            draws = self._draws.uniforms(f"pair:{name}:phase")
            begun = phases(self._env.now, duo.state.plan.detect, draws)
            for machine in duo.machines:
                self._start(name, machine, begun, serves=machine.index == 0)

    def _start(self, name: str, machine: Machine, phases: Phases, *, serves: bool) -> None:
        duo = self._duos[name]
        machine.role = None
        self._forget_ports(machine)
        addresses, other = (self._topology.pairs[name].nodes[index] for index in (machine.index, 1 - machine.index))
        service = addresses.own if duo.state.shared else self._topology.pairs[name].service
        detect = duo.state.plan.detect
        probes = isinstance(detect, OptionsDetection)
        own, peer = (addresses.probe, other.probe) if probes else (addresses.ha, other.ha)
        held = (addresses.replication,) if duo.state.shared else (addresses.own, addresses.replication)
        plan = MachinePlan(
            SipPlan(self._origin, self._describe(duo.state, machine.index), held),
            Seat(own, peer, service, duo.router, first=machine.index == 0),
            detect,
            phases,
            serves,
        )
        machine.child = child = self._stock.pop() if self._stock else Child(MACHINE)
        child.hear, child.ended = partial(self._outside, duo, machine, child), partial(self._ended, machine)
        child.tell(plan)
        self._brief(duo, machine)

    def _brief(self, duo: Duo, machine: Machine) -> None:
        state = duo.state
        self._tell(machine, ToSip(Service(state.site.in_service)))
        self._tell(machine, ToSip(Drain(state.retry_after) if state.drained else Resume()))

    def close(self) -> None:
        """End all processes."""
        for duo in self._duos.values():
            for machine in duo.machines:
                if machine.child is not None:
                    machine.child.kill()
                    machine.child = None

    # What others ask and tell.

    def can_switch(self, pair: str) -> bool:
        """Whether both nodes work, and one stands by."""
        machines = self._duos[pair].machines
        return all(each.state.up for each in machines) and sum(each.serves for each in machines) == 1

    def switch(self, pair: str) -> None:
        """The serving node resigns, and the other takes over."""
        for machine in sorted(self._duos[pair].machines, key=lambda each: not each.serves):
            self._tell(machine, Switch())

    def tell(self, pair: str, event: Drain | Resume | Service | LineDown) -> None:
        """Tell both nodes of a pair something."""
        for machine in self._duos[pair].machines:
            self._tell(machine, ToSip(event))

    def of_site(self, site: str) -> Iterator[PairState]:
        """Yield the pairs that stand at a site."""
        yield from (duo.state for duo in self._duos.values() if duo.state.site.name == site)

    def avoided(self, node: str) -> None:
        """A node of an active-active pair gets no calls any more: its probe, or a call, has found it dead."""
        pair, _, number = node.rpartition("/")
        duo = self._duos[pair]
        self._log.entry(EventKind.DETECTED, pair, by=duo.state.plan.detect.by)
        self._took_over(duo, duo.machines[2 - int(number)], self._env.now - duo.state.silent_since)

    def used(self, node: str) -> None:
        """It gets its share again."""
        pair, _, number = node.rpartition("/")
        duo = self._duos[pair]
        self._took_over(duo, duo.machines[int(number) - 1], self._env.now - duo.state.silent_since)

    # What breaks and is repaired.

    def meant(self, pair: PairState, fault: Fault) -> list[int]:
        """Return indices of the nodes a fault means at this moment; none when none plays that part."""
        machines = self._duos[pair.name].machines
        return meant(pair, fault, next((machine.index for machine in machines if machine.serves), None))

    def lose(
        self, pair: PairState, nodes: list[int], fault: str, *, hung: bool = False, emptied: bool = False
    ) -> Repair:
        """Kill machines, or stop their SIP processes, in this order; return what repairs them."""
        duo = self._duos[pair.name]
        for index in nodes:
            machine = duo.machines[index]
            (machine.state.hung_by if hung else machine.state.down_by)[fault] = None
            machine.state.emptied |= emptied
            if hung:
                self._tell(machine, Freeze())
            elif machine.child is not None:
                machine.child.kill()
                machine.child = None
                self._forget_ports(machine)
        return partial(self._back, duo, nodes, fault, hung=hung)

    def _back(self, duo: Duo, nodes: list[int], fault: str, *, hung: bool) -> None:
        for index in nodes:
            machine = duo.machines[index]
            del (machine.state.hung_by if hung else machine.state.down_by)[fault]
            if machine.state.down_by:
                continue
            if machine.child is None:
                self._start(duo.state.name, machine, Phases(0.0, 0.0), serves=False)
                if duo.state.shared:
                    self.put_into_use(duo.state.name, index)
            elif not machine.state.hung_by:
                if machine.state.emptied:
                    machine.state.emptied = False
                    self._forget_ports(machine)
                    self._tell(machine, Renew())
                else:
                    self._tell(machine, Thaw())
                self._brief(duo, machine)

    def cut_link(self, pair: PairState, fault: str) -> Repair:
        """Cut the link that carries adverts and replication; return what repairs it."""
        pair.link_cut_by[fault] = None
        self._set_link(pair)

        def repair() -> None:
            del pair.link_cut_by[fault]
            self._set_link(pair)

        return repair

    def degrade_link(self, pair: PairState, fault: str, degradation: Degradation) -> Repair:
        """Let adverts and replication be late or lost; return what repairs that."""
        pair.link.degraded_by[fault] = degradation
        self._set_link(pair)

        def repair() -> None:
            del pair.link.degraded_by[fault]
            self._set_link(pair)

        return repair

    def _set_link(self, pair: PairState) -> None:
        kept = 1.0
        delays: tuple[float, ...] = ()
        for each in pair.link.degraded_by.values():
            kept *= 1 - each.loss
            more = each.delays(DRAWN)
            delays = tuple(map(add, delays, more)) if delays and more else delays or more
        for machine in self._duos[pair.name].machines:
            self._tell(machine, LinkFault(bool(pair.link_cut_by), 1 - kept, delays))

    # What the machines say, and what the lookouts see.

    def _tell(self, machine: Machine, said: object) -> None:
        if machine.child is not None:
            machine.child.tell(said)

    def _outside(self, duo: Duo, machine: Machine, child: Child, said: object) -> None:
        self._env.outside(partial(self._hear, duo, machine, child, said))

    def _hear(self, duo: Duo, machine: Machine, child: Child, said: object) -> None:
        if machine.child is not child:
            return  # killed by what was due before this is heard
        match said:
            case OfSip(Carrying() as report):
                seize(1, machine.state.limit)
                self._hear_node(machine.state, report)
            case OfSip(Done() as report):
                release((machine.state.limit,))
                self._hear_node(machine.state, report)
            case OfSip(report):
                self._hear_node(machine.state, report)
            case Became(role, _):
                machine.role = role
                if role is Role.SERVES:
                    duo.state.last = machine.index
            case Noticed():
                self._log.entry(EventKind.DETECTED, duo.state.name, by=duo.state.plan.detect.by)
            case LinkMet():
                self._log.effect((*duo.state.link_cut_by, *duo.state.link.degraded_by), "advert")
            case Failed(why):
                raise LiveError(f"{machine.state.name}: {why}")
            case Up():
                pass  # one that has been started anew
            case _:
                raise TypeError(f"{machine.state.name}: {said!r}")

    def _ended(self, machine: Machine) -> None:
        machine.child = None
        self._env.fail(LiveError(f"the process of {machine.state.name} has ended by itself"))

    def _looks(self, duo: Duo, index: int, report: object) -> None:
        state = duo.state
        match report:
            case Silent(since):
                duo.heard[index] = False
                state.silent_since = since
                node = state.nodes[index if state.shared else state.last]
                self._log.noticed(since, EventKind.NODE_LOST, state.name, node=node.name, calls=len(node.calls))
                left = since + _longest(state.plan.detect) - self._env.now
                later(self._env, max(left, 0.0), partial(self._given_up, duo, index, since))
            case Heard(outage):
                first, duo.heard[index] = not duo.heard[index] and outage == 0.0, True
                if not first:
                    if not state.shared:
                        self._took_over(duo, duo.machines[state.last], outage)
                    if not duo.asking:
                        duo.asking = True
                        later(self._env, SETTLES, partial(self._ask, duo))

    def _met(self, pair: PairState, datagram: Datagram) -> None:
        """Something has been sent to an address of a pair that nobody has."""
        faults = dict.fromkeys(fault for each in pair.nodes for fault in each.failed_by)
        try:
            message = parse(datagram.data)
        except ParseError:  # a stranger's
            return
        self._log.effect(faults, met(Datagram(datagram.path, message)))

    def _ask(self, duo: Duo) -> None:
        duo.asking = False
        self.ask_around(AskAround(duo.state.name))

    def _given_up(self, duo: Duo, index: int, since: float) -> None:
        """Nobody has answered for longer than a standby that works would take: people hear nothing, and hang up."""
        if not duo.heard[index] and duo.state.silent_since == since:
            for node in duo.state.nodes:
                for call in list(node.calls):
                    self._callers.lose(call, duo.state, node, f"{node.name} lost")

    def _took_over(self, duo: Duo, machine: Machine, outage: float) -> None:
        kept = len(machine.state.calls)
        self._log.entry(EventKind.TAKEOVER, duo.state.name, node=machine.state.name, outage=outage, kept=kept)

    def _forget_ports(self, machine: Machine) -> None:
        machine.state.limit.used = 0


def _machine(pair: PairState, index: int | None = None) -> tuple[str, bool]:
    """Return what a machine of a pair is called, without an index that which serves, and whether nothing is wrong."""
    node = pair.nodes[pair.last if index is None else index]
    return node.name, node.up


def _longest(detect: Detector) -> float:
    """Return the seconds within which a standby that works answers in place of the other node."""
    return min(detection_delay(detect, 0.0) + SETTLES, GIVEN_UP)
