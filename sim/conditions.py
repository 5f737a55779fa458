"""The conditions that runbook steps wait for, as people see them who look whether they can begin."""

from collections.abc import Callable, Iterator, Set

from scenarios.model import Drill, Step, When
from scenarios.units import format_share
from sim.deeds import Deeds


class Conditions:
    """What people see who look whether they can begin."""

    def __init__(self, drill: Drill, deeds: Deeds, repaired: Set[str], granted: Callable[[str], bool]) -> None:
        """``repaired``: the faults that are over, which changes as the run goes on; ``granted``: whether the request
        for ports of a step has been granted."""
        self._count = {name: group.count for name, group in drill.agents.items()}
        self._deeds = deeds
        self._consoles = {name: console.places for name, console in drill.consoles.items()}
        self._losing: dict[str, str] = {
            fault.name: place
            for fault in drill.faults
            if fault.how != "degraded" and (place := fault.site or fault.office) is not None
        }
        """Faults that a site or an office is lost by, with its name."""
        self._happened: set[str] = set()
        self._repaired = repaired
        self._granted = granted

    def happened(self, fault: str) -> None:
        """A fault happens."""
        self._happened.add(fault)

    def unmet(self, step: Step) -> Iterator[str]:
        """Yield the conditions that do not hold at this moment, in words, and the consoles that are out of reach."""
        if step.when is not None:
            yield from self._unmet(step.when)
        lost = {self._losing[fault] for fault in self._happened - self._repaired if fault in self._losing}
        for console in step.consoles:
            for place in self._consoles[console]:
                if place in lost:
                    yield f"uses: {console}, which needs {place}"

    def _unmet(self, when: When) -> Iterator[str]:
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
