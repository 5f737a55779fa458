"""The conditions that runbook steps wait for, looked up in the state of the world."""

from collections.abc import Iterator

from scenarios.model import Drill, When
from scenarios.units import format_share
from sim.lines import Lines
from sim.world import World


class Conditions:
    """What people see who look whether they can begin."""

    def __init__(self, drill: Drill, world: World, registrations: Lines) -> None:
        self._count = {name: group.count for name, group in drill.agents.items()}
        self._world = world
        self._registrations = registrations

    def unmet(self, when: When) -> Iterator[str]:
        """Yield the conditions that do not hold at this moment, in words."""
        if when.repaired is not None and when.repaired not in self._world.repaired:
            yield f"repaired: {when.repaired}"
        if when.in_service is not None and not self._world.sites[when.in_service].works:
            yield f"in_service: {when.in_service}"
        if when.idle is not None and any(node.calls for node in self._world.pairs[when.idle].nodes):
            yield f"idle: {when.idle}"
        if when.registered is not None and when.site is not None:
            here = self._registrations.registered(when.registered, when.site)
            if here < round(when.share * self._count[when.registered], 9):
                yield f"registered: {when.registered}, site: {when.site}, share: {format_share(when.share)}"
