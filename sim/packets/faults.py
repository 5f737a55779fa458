"""What faults do to hosts and links; what that does to calls and phones they find out by themselves."""

from functools import partial

from sbc.endpoints.passing import LineDown as OurLineDown
from sbc.endpoints.subscriber import LineDown, LineRefuses, LineRepaired, LineRestricted
from scenarios.model import Drill, Fault
from sim.draws import Draws
from sim.links import Degradation, Restriction
from sim.log import Log
from sim.packets.callers import Callers
from sim.packets.host import Host
from sim.packets.registrations import Registrations
from sim.packets.stage import SbcPairs
from sim.packets.topology import Topology
from sim.timeline import Repair, all_of, hold, hold_down, trunks_of
from sim.world import SiteState, World


class Faults:
    """Breaks and repairs the machines and lines of a plan."""

    def __init__(
        self,
        drill: Drill,
        world: World,
        topology: Topology,
        carrier: Host,
        pairs: SbcPairs,
        registrations: Registrations,
        callers: Callers,
        draws: Draws,
        log: Log,
    ) -> None:
        self._drill = drill
        self._world = world
        self._topology = topology
        self._carrier = carrier
        self._pairs = pairs
        self._registrations = registrations
        self._callers = callers
        self._draws = draws
        self._log = log

    def breaks(self, fault: Fault) -> Repair:
        """Let a fault happen now; return what repairs it."""
        if fault.how == "degraded":
            return self._degrade(fault)
        if trunks := trunks_of(self._drill, fault):
            return all_of([self._trunk(name, fault) for name in trunks])
        if fault.pair is not None:
            pair = self._world.pairs[fault.pair]
            if fault.fails == "link":
                return self._pairs.cut_link(pair, fault.name)
            nodes, restarted = self._pairs.meant(pair, fault), fault.how == "restarted"
            return self._pairs.lose(pair, nodes, fault.name, hung=restarted or fault.how == "hung", emptied=restarted)
        if fault.site is not None:
            return self._lose_site(self._world.sites[fault.site], fault.name)
        if fault.registrar is not None:
            return self._lose_registrar(self._world.sites[fault.registrar], fault.name)
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
        links = [self._topology.trunk_links[name].degraded for name in trunks_of(self._drill, fault)]
        return all_of([hold(link.degraded_by, fault.name, degradation) for link in links])

    def _trunk(self, name: str, fault: Fault) -> Repair:
        if fault.refuses is not None:
            self._carrier.tell(LineRestricted(name, fault.name, Restriction(fault, self._draws)))
        elif fault.fails == "503":
            self._carrier.tell(LineRefuses(name, fault.name, fault.retry_after))
        else:
            return self._lose_trunk(name, fault.name)
        return partial(self._carrier.tell, LineRepaired(name, fault.name))

    def _lose_trunk(self, name: str, fault: str) -> Repair:
        """Both ends see that their line is dead, and clear its calls."""
        cut = hold_down(self._topology.trunk_links[name].cut_by, fault)
        self._carrier.tell(LineDown(name, fault))
        self._pairs.tell(self._drill.trunks[name].via, OurLineDown(name))
        return all_of([cut, partial(self._carrier.tell, LineRepaired(name, fault))])

    def _lose_site(self, site: SiteState, fault: str) -> Repair:
        up_again = [hold_down(site.down_by, fault)]
        self._registrations.registrar_lost(site.name)
        up_again += [
            self._lose_trunk(name, fault)
            for name, trunk in self._world.trunks.items()
            if trunk.site == site.name and trunk.pair.site is not site
        ]
        up_again += [
            self._pairs.lose(pair, [1 - pair.last, pair.last], fault) for pair in self._pairs.of_site(site.name)
        ]
        return all_of([*up_again, partial(self._registrations.registrar_back, site.name)])

    def _lose_office(self, office: str, fault: str) -> Repair:
        self._registrations.office_lost(office, fault)
        if self._callers.cut_off(partial(self._registrations.at_office, office), f"{office} lost"):
            self._log.effect([fault], "call")
        return partial(self._registrations.office_back, office, fault)

    def _lose_registrar(self, site: SiteState, fault: str) -> Repair:
        repair = hold_down(site.registrar_down_by, fault)
        self._registrations.registrar_lost(site.name)
        return all_of([repair, partial(self._registrations.registrar_back, site.name)])
