"""The SBC pairs of a live run that are the user's own: seen from outside, and touched only by commands of the drill.

How many ports such a pair has in use, which of its nodes serves and what it thinks of a call, nobody tells; so nothing
of that is in the evidence.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sbc.endpoints.lookout import Heard, Lookout, Silent, missed_at
from sbc.endpoints.passing import Drain, LineDown, Resume, Service
from sbc.endpoints.subscriber import AskAround
from sbc.live.gear import Gear, GearError
from scenarios.evidence import EventKind
from scenarios.model import Drill, Fault
from sim.links import Degradation
from sim.live.aim import RealTopology
from sim.live.network import LiveNetwork
from sim.live.paced import PacedEnvironment
from sim.live.pairs import GIVEN_UP, SETTLES, LivePairs
from sim.packets.host import Host
from sim.packets.pairs import Parts
from sim.timeline import Repair
from sim.timer import later
from sim.world import PairState


@dataclass(slots=True, eq=False)
class Watched:
    """A real pair, and whether it answers."""

    state: PairState
    host: Host
    answers: bool = False
    asking: bool = False
    """Whether its calls are about to be asked for."""
    broken_by: dict[str, None] = field(default_factory=dict)
    """The faults that commands have brought about, or are about to."""


class RealPairs:
    """All real pairs of a drill."""

    def __init__(
        self,
        env: PacedEnvironment,
        network: LiveNetwork,
        drill: Drill,
        gear: Gear,
        parts: Parts,
    ) -> None:
        """``gear`` brings the faults about."""
        topology, world = parts.topology, parts.world
        assert isinstance(topology, RealTopology)  # noqa: S101 - the stage has laid it out
        self.ask_around: Callable[[AskAround], None] = lambda asked: None
        """Who asks for the calls of a pair after an outage; the engine sets it."""
        self._env = env
        self._world = world
        self._callers = parts.callers
        self._gear = gear
        self._log = parts.log
        self._working: set[asyncio.Task[None]] = set()
        """What is being done to gear."""
        self._pairs: dict[str, Watched] = {}
        for name, target in drill.targets.items():
            state, end = world.pairs[name], topology.watches[name]
            state.nodes[0].name = state.nodes[1].name = name  # whichever it is
            host = Host(env, network, f"lookout {name}", partial(self._looks, name))
            self._pairs[name] = Watched(state, host)
            network.hold(host, end.local)
            every = target.probe_every
            there = topology.pairs[name].service
            host.start(Lookout(env.now, end, there, parts.ids, every=every, missed=missed_at(every)))

    def __contains__(self, pair: str) -> bool:
        """Whether a pair is real."""
        return pair in self._pairs

    def of_site(self, site: str) -> Iterator[PairState]:
        """Yield those that stand at a site."""
        yield from (pair.state for pair in self._pairs.values() if pair.state.site.name == site)

    def through(self, leg: str, trunk: str) -> None:
        """A call has come through the pair of a trunk."""
        state = self._world.trunks[trunk].pair
        if state.name in self._pairs:
            self._callers.carried(leg, state.nodes[0])

    # Faults.

    def breaks(self, pair: str, fault: str) -> Repair:
        """Run the command of a fault; return what undoes it. A fault of several pairs is one command."""
        struck = any(fault in each.broken_by for each in self._pairs.values())
        self._pairs[pair].broken_by[fault] = None
        if not struck:
            self._work(self._gear.strike, fault)

        def repair() -> None:
            del self._pairs[pair].broken_by[fault]
            if not any(fault in each.broken_by for each in self._pairs.values()):
                self._work(self._gear.mend, fault)

        return repair

    def _work(self, does: Callable[[str], None], fault: str) -> None:
        task = asyncio.get_running_loop().create_task(self._beside(does, fault))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _beside(self, does: Callable[[str], None], fault: str) -> None:
        try:
            await asyncio.to_thread(does, fault)
        except GearError as error:
            self._env.fail(error)

    # What is seen.

    def _looks(self, name: str, report: object) -> None:
        pair = self._pairs[name]
        match report:
            case Silent(since):
                pair.answers, pair.state.silent_since = False, since
                self._log.effect(pair.broken_by, "probe")
                calls = len(pair.state.nodes[0].calls)
                self._log.noticed(since, EventKind.NODE_LOST, name, node=name, calls=calls)
                later(self._env, GIVEN_UP, partial(self._given_up, pair, since))
            case Heard(outage):
                first, pair.answers = not pair.answers and outage == 0.0, True
                if not first:
                    self._log.entry(EventKind.TAKEOVER, name, node=name, outage=outage)
                    if not pair.asking:
                        pair.asking = True
                        later(self._env, SETTLES, partial(self._ask, pair))
            case _:
                raise TypeError(f"the lookout of {name} reports {report!r}")

    def _ask(self, pair: Watched) -> None:
        pair.asking = False
        self.ask_around(AskAround(pair.state.name))

    def _given_up(self, pair: Watched, since: float) -> None:
        """Nobody has answered for so long that nobody waits any more, whatever notices failures there."""
        state = pair.state
        if not pair.answers and state.silent_since == since:
            for call in list(state.nodes[0].calls):
                self._callers.lose(call, state, state.nodes[0], f"{state.name} lost")


class MixedPairs:
    """All pairs of a drill, some emulated and some real; see :class:`sim.packets.stage.SbcPairs`."""

    def __init__(self, emulated: LivePairs, real: RealPairs) -> None:
        self._emulated = emulated
        self._real = real

    @property
    def put_into_use(self) -> Callable[[str, int], None]:
        """Who hears that a node of an active-active pair works again: no real pair is one."""
        return self._emulated.put_into_use

    @put_into_use.setter
    def put_into_use(self, hears: Callable[[str, int], None]) -> None:
        self._emulated.put_into_use = hears

    def begin(self) -> None:
        """Start the machines that are emulated."""
        self._emulated.begin()

    def can_switch(self, pair: str) -> bool:
        """Whether its nodes can be told to change roles: never those of a real pair."""
        return pair not in self._real and self._emulated.can_switch(pair)

    def switch(self, pair: str) -> None:
        """The serving node resigns, and the other takes over."""
        self._emulated.switch(pair)

    def tell(self, pair: str, event: Drain | Resume | Service | LineDown) -> None:
        """Tell both nodes of a pair something; a real one has to find out by itself."""
        if pair not in self._real:
            self._emulated.tell(pair, event)

    def of_site(self, site: str) -> Iterator[PairState]:
        """Yield the pairs that stand at a site."""
        yield from self._emulated.of_site(site)
        yield from self._real.of_site(site)

    def avoided(self, node: str) -> None:
        """A node of an active-active pair gets no calls any more."""
        self._emulated.avoided(node)

    def used(self, node: str) -> None:
        """It gets its share again."""
        self._emulated.used(node)

    def meant(self, pair: PairState, fault: Fault) -> list[int]:
        """Return indices of the nodes a fault means; of a real pair the command knows."""
        return [] if pair.name in self._real else self._emulated.meant(pair, fault)

    def lose(
        self, pair: PairState, nodes: list[int], fault: str, *, hung: bool = False, emptied: bool = False
    ) -> Repair:
        """Let machines die, or their SIP processes hang; return what repairs them."""
        if pair.name in self._real:
            return self._real.breaks(pair.name, fault)
        return self._emulated.lose(pair, nodes, fault, hung=hung, emptied=emptied)

    def cut_link(self, pair: PairState, fault: str) -> Repair:
        """Cut the link that carries adverts and replication; return what repairs it."""
        return self._real.breaks(pair.name, fault) if pair.name in self._real else self._emulated.cut_link(pair, fault)

    def degrade_link(self, pair: PairState, fault: str, degradation: Degradation) -> Repair:
        """Let adverts and replication be late or lost; return what repairs that."""
        if pair.name in self._real:
            return self._real.breaks(pair.name, fault)
        return self._emulated.degrade_link(pair, fault, degradation)
