"""The conditions that runbook steps wait for, as people see them who look whether they can begin."""

from collections.abc import Callable, Iterator, Set

from scenarios.model import Drill, When
from scenarios.units import format_share
from sim.deeds import Deeds


class Conditions:
    """What people see who look whether they can begin."""

    def __init__(self, drill: Drill, deeds: Deeds, repaired: Set[str], granted: Callable[[str], bool]) -> None:
        """``repaired``: the faults that are over, which changes as the run goes on; ``granted``: whether the request
        for ports of a step has been granted."""
        self._count = {name: group.count for name, group in drill.agents.items()}
        self._deeds = deeds
        self._repaired = repaired
        self._granted = granted

    def unmet(self, when: When) -> Iterator[str]:
        """Yield the conditions that do not hold at this moment, in words."""
        if when.repaired is not None and when.repaired not in self._repaired:
            yield f"repaired: {when.repaired}"
        if when.in_service is not None and not self._deeds.works(when.in_service):
            yield f"in_service: {when.in_service}"
        if when.idle is not None and not self._deeds.idle(when.idle):
            yield f"idle: {when.idle}"
        if when.granted is not None and not self._granted(when.granted):
            yield f"granted: {when.granted}"
        if when.registered is not None and when.site is not None:
            here = self._deeds.registered(when.registered, when.site)
            if here < round(when.share * self._count[when.registered], 9):
                yield f"registered: {when.registered}, site: {when.site}, share: {format_share(when.share)}"
