"""Faults and their repair: what breaks, what that does to calls and phones, who notices and when."""

from functools import partial
from typing import Any

from scenarios.model import Drill, Fault
from sim.calls import Calls
from sim.draws import Draws
from sim.links import Degradation, Restriction
from sim.log import Log
from sim.pairs import Pairs
from sim.phones import Phones
from sim.timeline import Repair, all_of, hold, hold_down, trunks_of
from sim.world import SiteState, World


class Faults:
    """Breaks and repairs the parts of the world."""

    def __init__(
        self,
        drill: Drill,
        world: World,
        calls: Calls,
        phones: Phones[Any],
        pairs: Pairs,
        draws: Draws,
        log: Log,
    ) -> None:
        self._drill = drill
        self._world = world
        self._calls = calls
        self._registrations = phones.registrations
        self._draws = draws
        self._log = log
        self._pairs = pairs

    def breaks(self, fault: Fault) -> Repair:
        """Let a fault happen now; return what repairs it."""
        repair = self._break(fault)
        self._calls.look_again()
        return all_of([repair, self._calls.look_again])

    def _break(self, fault: Fault) -> Repair:
        world = self._world
        if fault.how == "degraded":
            return self._degrade(fault)
        if trunks := trunks_of(self._drill, fault):
            if fault.refuses is not None:
                restriction = Restriction(fault, self._draws)
                return all_of([hold(world.trunks[name].restricted_by, fault.name, restriction) for name in trunks])
            if fault.fails == "503":
                return all_of([hold(world.trunks[name].refuses_by, fault.name, fault.retry_after) for name in trunks])
            return all_of([self._lose_trunk(name, fault.name) for name in trunks])
        if fault.pair is not None:
            pair = world.pairs[fault.pair]
            if fault.fails == "link":
                return self._pairs.cut_link(pair, fault.name)
            nodes, restarted = self._pairs.meant(pair, fault), fault.how == "restarted"
            return self._pairs.lose(pair, nodes, fault.name, hung=restarted or fault.how == "hung", emptied=restarted)
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

    def _degrade(self, fault: Fault) -> Repair:
        degradation = Degradation(fault, self._draws)
        if fault.pair is not None:
            return self._pairs.degrade_link(self._world.pairs[fault.pair], fault.name, degradation)
        if fault.office is not None:
            return hold(self._registrations.line_to(fault.office).degraded_by, fault.name, degradation)
        links = [self._world.trunks[name].link for name in trunks_of(self._drill, fault)]
        return all_of([hold(link.degraded_by, fault.name, degradation) for link in links])

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

        return all_of([*up_again, partial(self._registrations.registrar_back, site.name)])

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
