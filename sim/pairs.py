"""The SBC pairs: what becomes of calls when a node fails, hangs or resigns, and who serves afterwards."""

from collections.abc import Callable
from functools import partial
from math import inf

import simpy

from sbc.decisions import pair as machine
from scenarios.evidence import EventKind
from scenarios.model import Fault, OptionsDetection, VrrpDetection
from sim.adverts import Adverts
from sim.call import Call
from sim.calls import Calls
from sim.draws import Draws
from sim.links import Degradation
from sim.log import Log
from sim.members import Members
from sim.timeline import Repair, hold, hold_down
from sim.timer import later
from sim.world import PairState, World

Spare = Callable[[Call], bool]
"""Says of a call that it goes on."""


def _nobody(call: Call) -> bool:
    return False


def _everybody(call: Call) -> bool:
    return True


class Pairs:
    """Carries out the effects of the pair machine."""

    def __init__(self, env: simpy.Environment, world: World, calls: Calls, draws: Draws, log: Log) -> None:
        self._env = env
        self._calls = calls
        self._log = log
        self._phase = {name: draws.uniforms(f"pair:{name}:phase") for name in world.pairs}
        self._members = Members(env, calls, self._phase, log)
        self._adverts = Adverts(env, self._phase, self._tell, log)

    def meant(self, pair: PairState, fault: Fault) -> list[int]:
        """Return indices of the nodes a fault means at this moment; none when none plays that part."""
        match fault.fails:
            case "all":
                return [1 - pair.last, pair.last]
            case "active" if pair.shared:
                return [next((index for index, node in enumerate(pair.nodes) if node.up), 0)]
            case "active":
                return [pair.last] if machine.holds(pair.state) else []
            case "standby":
                return [1 - pair.last]
            case "link" | "503":
                raise ValueError(f"fault {fault.name!r} takes no node")

    def lose(
        self, pair: PairState, nodes: list[int], fault: str, *, hung: bool = False, emptied: bool = False
    ) -> Repair:
        """Let nodes die or hang, in this order; return what repairs them, ``emptied`` or with the calls they have."""
        for index in nodes:
            node = pair.nodes[index]
            if hung and pair.state is machine.State.APART and not pair.link_cut_by:
                self._tell(pair, machine.Event.ADVERT_HEARD)  # it goes on with its adverts, and one will get through
            holder = machine.holds(pair.state) and index == pair.last
            was_up = node.up
            (node.hung_by if hung else node.down_by)[fault] = None
            node.emptied |= emptied
            if pair.shared:
                if was_up:
                    self._members.lost(pair, node)
            elif was_up:
                event = machine.loss(pair.state, last=index == pair.last, heir=index == pair.heir, hung=hung)
                if event in (machine.Event.ACTIVE_LOST, machine.Event.ACTIVE_HUNG):
                    pair.silenced_by = fault
                self._tell(pair, event)
            elif holder and not hung:
                self._tell(pair, machine.Event.ACTIVE_LOST)

        def repair() -> None:
            for index in nodes:
                node = pair.nodes[index]
                del (node.hung_by if hung else node.down_by)[fault]
                if not node.up:
                    continue
                if pair.shared:
                    self._members.back(pair, node)
                else:
                    self._back(pair, index)

        return repair

    def cut_link(self, pair: PairState, fault: str) -> Repair:
        """Cut the link that carries the adverts, which matters while both nodes are well; return what repairs it."""
        was_whole = not pair.link_cut_by
        restore = hold_down(pair.link_cut_by, fault)
        if was_whole and pair.state is machine.State.REDUNDANT:
            self._tell(pair, machine.Event.LINK_CUT)

        def repair() -> None:
            restore()
            self._link_back(pair)

        return repair

    def degrade_link(self, pair: PairState, fault: str, degradation: Degradation) -> Repair:
        """Let adverts be late or lost; return what repairs that."""
        restore = hold(pair.link.degraded_by, fault, degradation)
        self._adverts.follow(pair)

        def repair() -> None:
            restore()
            self._link_back(pair)

        return repair

    def _link_back(self, pair: PairState) -> None:
        """A fault of the link is over; while another degrades it, the next advert that gets through says so."""
        if pair.state in machine.PARTED and not pair.link_cut_by and not pair.link.degraded_by:
            self._tell(pair, machine.Event.LINK_BACK)

    def _back(self, pair: PairState, index: int) -> None:
        node = pair.nodes[index]
        emptied, node.emptied = node.emptied, False
        event = machine.repair(pair.state, last=index == pair.last, emptied=emptied)
        if event is machine.Event.NODE_BACK:
            pair.heard = self._env.now  # a node that comes up waits its whole time
        self._tell(pair, event)
        if event is not machine.Event.NODE_BACK:
            return
        detect = pair.plan.detect
        if index == 0 and isinstance(detect, VrrpDetection) and detect.preempt:
            pair.claim += 1
            later(self._env, machine.detection_delay(detect, 0.0), partial(self._preempt, pair, pair.claim))

    def _preempt(self, pair: PairState, claim: int) -> None:
        """The first node has heard nothing but adverts of lower priority for its whole master-down interval."""
        if claim == pair.claim and pair.last == 1 and pair.state is machine.State.REDUNDANT:
            self._tell(pair, machine.Event.PREEMPTED)

    def can_switch(self, pair: PairState) -> bool:
        """Whether both nodes work, so that they can change roles."""
        return pair.state is machine.State.REDUNDANT

    def switch(self, pair: PairState) -> None:
        """The serving node resigns, and the other serves."""
        self._tell(pair, machine.Event.RESIGNED)

    def _tell(self, pair: PairState, event: machine.Event) -> None:
        pair.state, effects = machine.step(pair.state, event)
        pair.settle()
        for effect in effects:
            match effect:
                case machine.Effect.NODE_GONE:
                    self._node_gone(pair)
                case machine.Effect.WATCH:
                    pair.heir = 1 - pair.last
                    self._watch(pair, next(self._phase[pair.name]))
                case machine.Effect.WATCH_ON:
                    self._watch(pair, self._adverts.phase(pair))
                case machine.Effect.WATCH_ANEW:
                    # The only one that is up: after a loss of both it may be the one that served last.
                    pair.heir = next(index for index, node in enumerate(pair.nodes) if node.up)
                    self._watch(pair, 0.0)
                case machine.Effect.WATCH_RESIGNED:
                    pair.heir = 1 - pair.last
                    self._wait(pair, machine.resignation_delay(pair.plan.detect), told=True)
                case machine.Effect.STOP_WATCH:
                    pair.watch += 1
                case machine.Effect.TAKE_OVER:
                    self._take_over(pair, pair.heir if event is machine.Event.DETECTED else 1 - pair.last)
                case machine.Effect.SERVE_ON:
                    self._serves(pair)
                case machine.Effect.SERVE_TOO:
                    pair.last = 1 - pair.last
                    pair.settle()
                    pair.silent_since = self._env.now
                    self._serves(pair)
                case machine.Effect.MERGE:
                    self._merge(pair)
                case machine.Effect.OTHER_GONE:
                    other = pair.nodes[1 - pair.last]
                    self._calls.drop(other, f"{other.name} lost")
                case machine.Effect.STEP_DOWN:
                    self._step_down(pair)
                case machine.Effect.CALLS_GONE:
                    pair.watch += 1
                    self._lose(pair, self._reason(pair), _nobody)
        self._calls.look_again()

    def _watch(self, pair: PairState, phase: float) -> None:
        hung = pair.state is machine.State.HUNG
        self._wait(pair, machine.detection_delay(pair.plan.detect, phase, hung=hung))

    def _wait(self, pair: PairState, delay: float, *, told: bool = False) -> None:
        """Let the other node be sure after a delay; ``told``: by a resignation, so that there is nothing to detect."""
        pair.watch += 1
        if delay < inf:
            later(self._env, delay, partial(self._sure, pair, pair.watch, told))

    def _reason(self, pair: PairState) -> str:
        return f"{pair.nodes[pair.last].name} lost"

    def _node_gone(self, pair: PairState) -> None:
        node = pair.nodes[pair.last]
        pair.silent_since = self._env.now
        self._log.entry(EventKind.NODE_LOST, pair.name, node=node.name, calls=len(node.calls))
        if node.calls:
            self._log.effect(pair.broken_by, "call")
        self._lose(pair, self._reason(pair), self._kept(pair))
        self._calls.hold(node)

    def _step_down(self, pair: PairState) -> None:
        node = pair.nodes[pair.last]
        pair.silent_since = self._env.now
        self._log.entry(EventKind.RESIGNED, pair.name, node=node.name, calls=len(node.calls))
        self._calls.drop(node, f"{node.name} resigned", self._kept(pair))
        self._calls.hold(node)

    def _kept(self, pair: PairState) -> Spare:
        """Which calls of a node the pair keeps."""
        return {"none": _nobody, "confirmed": self._calls.confirmed, "all": _everybody}[pair.plan.keeps]

    def _lose(self, pair: PairState, reason: str, spare: Spare) -> None:
        self._calls.lose(pair, pair.nodes[pair.last], reason, spare)

    def _sure(self, pair: PairState, watch: int, told: bool) -> None:
        if watch != pair.watch:
            return
        if not told:
            self._log.entry(EventKind.DETECTED, pair.name, by=pair.plan.detect.by)
            if pair.in_use:  # what only a probe can see is no evidence: nobody's calls could have met it
                self._noticed(pair)
        self._tell(pair, machine.Event.DETECTED)

    def _noticed(self, pair: PairState) -> None:
        if pair.state is machine.State.APART:
            self._log.effect(pair.link_cut_by, "advert")
        elif isinstance(pair.plan.detect, OptionsDetection):
            self._log.effect(pair.broken_by, "probe")
        elif pair.state is machine.State.HUNG:
            self._log.effect(pair.broken_by, "check")

    def _take_over(self, pair: PairState, heir: int) -> None:
        old, new = pair.nodes[pair.last], pair.nodes[heir]
        pair.last = heir
        pair.settle()
        if new is not old:
            self._calls.carry_over(old, new)
        self._serves(pair)

    def _merge(self, pair: PairState) -> None:
        """The first node, of higher priority, stays; the second one resigns."""
        pair.last = 1
        self._step_down(pair)
        self._take_over(pair, 0)

    def _serves(self, pair: PairState) -> None:
        node = pair.nodes[pair.last]
        outage = self._env.now - pair.silent_since
        self._log.entry(EventKind.TAKEOVER, pair.name, node=node.name, outage=outage, kept=len(node.calls))
        self._calls.resume(node)
