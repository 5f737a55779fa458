"""Faults and their repair: what breaks, what that does to calls and phones, who notices and when."""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import simpy

from sbc.decisions import pair as machine
from scenarios.evidence import EventKind
from scenarios.model import Drill, Fault, OptionsDetection
from sim.calls import Calls
from sim.draws import Draws
from sim.log import Log
from sim.people import People
from sim.phones import Phones
from sim.timer import later
from sim.world import PairState, SiteState, World

Repair = Callable[[], None]


class Faults:
    """Breaks and repairs the parts of the world on the drill's timeline."""

    def __init__(
        self,
        env: simpy.Environment,
        drill: Drill,
        world: World,
        calls: Calls,
        phones: Phones,
        people: People,
        draws: Draws,
        log: Log,
    ) -> None:
        self._env = env
        self._world = world
        self._calls = calls
        self._registrations = phones.registrations
        self._people = people
        self._log = log
        self._phase = {name: draws.uniforms(f"pair:{name}:phase") for name in world.pairs}
        for fault in drill.faults:
            env.process(self._happen(fault))

    def _happen(self, fault: Fault) -> Generator[simpy.Event, Any, None]:
        yield self._env.timeout(fault.at - self._env.now)
        target = fault.site or fault.pair or fault.trunk or fault.registrar or fault.office or "identity"
        self._log.entry(EventKind.FAULT, fault.name, target=target, fails=fault.fails)
        repair = self._break(fault)
        self._people.notice(fault.name)
        if fault.lasts is not None:
            yield self._env.timeout(fault.lasts)
            self._log.entry(EventKind.REPAIRED, fault.name, target=target)
            repair()

    def _break(self, fault: Fault) -> Repair:
        world = self._world
        if fault.trunk is not None:
            return self._lose_trunk(fault.trunk, fault.name)
        if fault.pair is not None:
            pair = world.pairs[fault.pair]
            return self._lose_nodes(pair, self._nodes(pair, fault), fault.name)
        if fault.site is not None:
            return self._lose_site(world.sites[fault.site], fault.name)
        if fault.registrar is not None:
            return self._lose_registrar(world.sites[fault.registrar], fault.name)
        if fault.office is not None:
            return self._lose_office(fault.office, fault.name)
        if fault.identity:
            self._registrations.identity_lost(fault.name)
            return partial(self._registrations.identity_back, fault.name)
        raise ValueError(f"fault {fault.name!r} has no target")

    def _lose_site(self, site: SiteState, fault: str) -> Repair:
        up_again = [_hold_down(site.down_by, fault)]
        self._registrations.registrar_lost(site.name)
        up_again += [
            self._lose_trunk(name, fault)
            for name, trunk in self._world.trunks.items()
            if trunk.site == site.name and trunk.pair.site is not site
        ]
        up_again += [
            self._lose_nodes(pair, [1 - pair.last, pair.last], fault)
            for pair in self._world.pairs.values()
            if pair.site is site
        ]

        def repair() -> None:
            for part in up_again:
                part()
            self._registrations.registrar_back(site.name)

        return repair

    def _lose_registrar(self, site: SiteState, fault: str) -> Repair:
        repair = _hold_down(site.registrar_down_by, fault)
        self._registrations.registrar_lost(site.name)

        def back() -> None:
            repair()
            self._registrations.registrar_back(site.name)

        return back

    def _lose_office(self, office: str, fault: str) -> Repair:
        self._registrations.office_lost(office, fault)
        if self._calls.hang_up(partial(self._registrations.at_office, office), f"{office} lost"):
            self._log.effect([fault], "call")
        return partial(self._registrations.office_back, office, fault)

    def _lose_trunk(self, name: str, fault: str) -> Repair:
        trunk = self._world.trunks[name]
        repair = _hold_down(trunk.down_by, fault)
        for node in trunk.pair.nodes:
            if self._calls.drop(
                node, f"{name} lost", spare=lambda call: call.route is None or call.route.trunk != name
            ):
                self._log.effect([fault], "call")
        return repair

    # Pairs

    def _nodes(self, pair: PairState, fault: Fault) -> list[int]:
        """Indices of the nodes a fault means at this moment; none when none plays that part."""
        match fault.fails:
            case "all":
                return [1 - pair.last, pair.last]
            case "active":
                return [pair.last] if pair.serving is not None else []
            case "standby":
                return [1 - pair.last]

    def _lose_nodes(self, pair: PairState, nodes: list[int], fault: str) -> Repair:
        for index in nodes:
            down_by = pair.nodes[index].down_by
            was_up = not down_by
            down_by[fault] = None
            if was_up:
                event = self._loss(pair, index)
                if event is machine.Event.ACTIVE_LOST:
                    pair.silenced_by = fault
                self._tell(pair, event)

        def repair() -> None:
            for index in nodes:
                down_by = pair.nodes[index].down_by
                del down_by[fault]
                if not down_by:
                    self._tell(pair, machine.Event.NODE_BACK)

        return repair

    def _loss(self, pair: PairState, index: int) -> machine.Event:
        """What the loss of a node means by the part it plays."""
        if pair.nodes[index] is pair.serving:
            return machine.Event.ACTIVE_LOST
        came_back = pair.state is machine.State.ELECTING and index == pair.last
        return machine.Event.RETURNED_LOST if came_back else machine.Event.STANDBY_LOST

    def _tell(self, pair: PairState, event: machine.Event) -> None:
        pair.state, effects = machine.step(pair.state, event)
        pair.settle()
        for effect in effects:
            match effect:
                case machine.Effect.NODE_GONE:
                    self._node_gone(pair)
                case machine.Effect.WATCH:
                    self._watch(pair, next(self._phase[pair.name]))
                case machine.Effect.WATCH_ANEW:
                    self._watch(pair, 0.0)
                case machine.Effect.TAKE_OVER:
                    self._take_over(pair)
                case machine.Effect.CALLS_GONE:
                    pair.watch += 1
                    self._calls.drop(pair.nodes[pair.last], self._reason(pair))

    def _watch(self, pair: PairState, phase: float) -> None:
        pair.watch += 1
        delay = machine.detection_delay(pair.plan.detect, phase)
        later(self._env, delay, partial(self._detected, pair, pair.watch))

    def _reason(self, pair: PairState) -> str:
        return f"{pair.nodes[pair.last].name} lost"

    def _node_gone(self, pair: PairState) -> None:
        node = pair.nodes[pair.last]
        pair.silent_since = self._env.now
        self._log.entry(EventKind.NODE_LOST, pair.name, node=node.name, calls=len(node.calls))
        if node.calls:
            self._log.effect(pair.broken_by, "call")
        keeps = pair.plan.keeps
        if keeps == "none":
            self._calls.drop(node, self._reason(pair))
        elif keeps == "confirmed":
            self._calls.drop(node, self._reason(pair), spare=self._calls.confirmed)

    def _detected(self, pair: PairState, watch: int) -> None:
        if watch != pair.watch:
            return
        self._log.entry(EventKind.DETECTED, pair.name, by=pair.plan.detect.by)
        if isinstance(pair.plan.detect, OptionsDetection):
            self._log.effect(pair.broken_by, "probe")
        self._tell(pair, machine.Event.DETECTED)

    def _take_over(self, pair: PairState) -> None:
        old = pair.nodes[pair.last]
        if not pair.nodes[1 - pair.last].down_by:
            pair.last = 1 - pair.last
            pair.settle()
        new = pair.nodes[pair.last]
        if new is not old:
            self._calls.carry_over(old, new)
        outage = self._env.now - pair.silent_since
        self._log.entry(EventKind.TAKEOVER, pair.name, node=new.name, outage=outage, kept=len(new.calls))


def _hold_down(down_by: dict[str, None], fault: str) -> Repair:
    """Hold a part down by a fault, beside others that may already; return what lets go of it."""
    down_by[fault] = None

    def repair() -> None:
        del down_by[fault]

    return repair
