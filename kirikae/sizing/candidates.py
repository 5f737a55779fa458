"""The versions of a drill that a search looks at: loaded once each, held to the plan checks, priced, and in words."""

from collections.abc import Sequence
from pathlib import Path

from kirikae.sizing.measuring import Series
from scenarios import rules
from scenarios.loader import load
from scenarios.model import Drill
from scenarios.portplan import MOST_CONCURRENT, exceeds
from scenarios.problems import DrillError
from scenarios.quantity import Quantity
from scenarios.systems import System
from sim.combining import Point

_PORTS = "cxone-ports"
"""The system whose rule pack has P8 and P9; a plan that names no system is held to them here."""


class Candidates:
    """Versions of one drill, by the rungs of what is varied."""

    def __init__(self, path: Path, changes: Sequence[str], quantities: Sequence[Quantity], maximise: bool) -> None:
        self.quantities = tuple(quantities)
        self._path = path
        self._changes = tuple(changes)
        self._maximise = maximise
        self._series: dict[Point, Series] = {}
        self._forbidden: dict[Point, str] = {}

    def series(self, point: Point) -> Series:
        """Return the runs of a version; raises :class:`~scenarios.problems.DrillError` where it is no drill."""
        if point not in self._series:
            changes = [each.change(rung) for each, rung in zip(self.quantities, point, strict=True)]
            self._series[point] = Series(load(self._path, [*self._changes, *changes]).drill)
        return self._series[point]

    def nearest_drill(self) -> Drill:
        """Return the drill as it is; what it has no number for has the most of the range."""
        return self.series(tuple(each.high if each.now is None else each.now for each in self.quantities)).drill

    def allowed(self, point: Point) -> bool:
        """Whether a version may be proposed: no plan check that is not waived speaks against it."""
        return not self.why_not(point)

    def why_not(self, point: Point) -> str:
        """Return what speaks against a version, the first of it; nothing where it may be proposed."""
        if point not in self._forbidden:
            self._forbidden[point] = self._speaks_against(point)
        return self._forbidden[point]

    def _speaks_against(self, point: Point) -> str:
        ports = [index for index, each in enumerate(self.quantities) if each.place[0] == "ports"]
        try:
            drill = self.series(point).drill
        except DrillError as error:
            return str(error.problems[0])
        # What a drill expects says nothing of its numbers.
        errors = [each for each in rules.judge(drill, rules.check(drill)).errors if each.path[0] != "expect"]
        if errors:
            return f"{errors[0].message} [{errors[0].id}]"
        system = System.of(drill)
        if not ports or (system is not None and system.name != _PORTS):
            return ""
        if drill.ports.tenant is not None and drill.ports.tenant > MOST_CONCURRENT:
            return f"{drill.ports.tenant:,} concurrent ports are more than a tenant may have (P8)"
        rule = None if drill.port_management is None else drill.port_management.outbound_rule
        if exceeds(drill.ports, rule or "each"):
            return "outbound and agentless ports must not exceed the concurrent ones (P9)"
        return ""

    def ruled_out(self) -> list[str]:
        """Return what plan checks have said against versions that were thought of, each once."""
        return [f"{self.text(point)}: {why}" for point, why in sorted(self._forbidden.items()) if why][:_FEW]

    def texts(self, point: Point) -> tuple[str, ...]:
        """Return the values of a version."""
        return tuple(each.text(rung) for each, rung in zip(self.quantities, point, strict=True))

    def text(self, point: Point) -> str:
        """Return the values of a version, in one line."""
        return " + ".join(self.texts(point))

    def cost(self, point: Point) -> float | None:
        """Return what a version costs; None where nothing has a price."""
        return self.rank(point) if any(each.price is not None for each in self.quantities) else None

    def rank(self, point: Point) -> float:
        """Return what versions are compared by: the cost, in which one of what has no price counts as 1."""
        return sum(
            each.number(rung) * (1.0 if each.price is None else each.price)
            for each, rung in zip(self.quantities, point, strict=True)
        )


_FEW = 3
