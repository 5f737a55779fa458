"""Faults and their repair: what breaks, what that does to calls and phones, who notices and when."""

from collections.abc import Generator
from functools import partial
from typing import Any

import simpy

from scenarios.evidence import EventKind
from scenarios.model import Drill, Fault
from sim.calls import Calls
from sim.log import Log
from sim.pairs import Pairs, Repair, hold_down
from sim.people import People
from sim.phones import Phones
from sim.world import SiteState, World


class Faults:
    """Breaks and repairs the parts of the world on the drill's timeline."""

    def __init__(
        self,
        env: simpy.Environment,
        drill: Drill,
        world: World,
        calls: Calls,
        phones: Phones,
        pairs: Pairs,
        people: People,
        log: Log,
    ) -> None:
        self._env = env
        self._world = world
        self._calls = calls
        self._registrations = phones.registrations
        self._people = people
        self._log = log
        self._pairs = pairs
        for fault in drill.faults:
            env.process(self._happen(fault))

    def _happen(self, fault: Fault) -> Generator[simpy.Event, Any, None]:
        yield self._env.timeout(fault.at - self._env.now)
        target = fault.site or fault.pair or fault.trunk or fault.registrar or fault.office or "identity"
        self._log.entry(EventKind.FAULT, fault.name, target=target, fails=fault.fails, how=fault.how)
        repair = self._break(fault)
        self._people.notice(fault.name)
        if fault.lasts is not None:
            yield self._env.timeout(fault.lasts)
            self._log.entry(EventKind.REPAIRED, fault.name, target=target)
            repair()
            self._world.repaired.add(fault.name)

    def _break(self, fault: Fault) -> Repair:
        world = self._world
        if fault.trunk is not None:
            if fault.fails == "503":
                return hold_down(world.trunks[fault.trunk].refuses_by, fault.name)
            return self._lose_trunk(fault.trunk, fault.name)
        if fault.pair is not None:
            pair = world.pairs[fault.pair]
            if fault.fails == "link":
                return self._pairs.cut_link(pair, fault.name)
            return self._pairs.lose(pair, self._pairs.meant(pair, fault), fault.name, hung=fault.how == "hung")
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
        up_again = [hold_down(site.down_by, fault)]
        self._registrations.registrar_lost(site.name)
        up_again += [
            self._lose_trunk(name, fault)
            for name, trunk in self._world.trunks.items()
            if trunk.site == site.name and trunk.pair.site is not site
        ]
        up_again += [
            self._pairs.lose(pair, [1 - pair.last, pair.last], fault)
            for pair in self._world.pairs.values()
            if pair.site is site
        ]

        def repair() -> None:
            for part in up_again:
                part()
            self._registrations.registrar_back(site.name)

        return repair

    def _lose_registrar(self, site: SiteState, fault: str) -> Repair:
        repair = hold_down(site.registrar_down_by, fault)
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
        repair = hold_down(trunk.down_by, fault)
        for node in trunk.pair.nodes:
            if self._calls.drop(node, f"{name} lost", spare=lambda call: not call.uses(name)):
                self._log.effect([fault], "call")
        return repair
