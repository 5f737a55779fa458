"""By how much the second run may be worse: `2%` for all metrics, `recovery_time=2m` for one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.expectations import ExpectationError, Query
from scenarios.metrics import Unit
from scenarios.tolerances import (
    LEAST,
    MEASURES,
    Compared,
    Measure,
    Tolerance,
    allowance,
    parse_compared,
    parse_tolerance,
)
from scenarios.units import UnitError

USUAL = Tolerance(0.05, Measure.PERCENT)
"""Unless somebody asks for another: what `drift` allows, too."""
_FOR_ALL = "a percentage such as 2% for all metrics, or one of them, such as recovery_time=2m"
_FOR_ONE = re.compile(r"(?P<metric>[^={}]+(?:\{[^}]*\})?)\s*=(?P<amount>[^=]*)")


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What is allowed of each metric."""

    usual: Tolerance = USUAL
    """A percentage of the first run's value."""
    named: tuple[tuple[Compared, Tolerance], ...] = ()

    def names(self, query: Query) -> bool:
        """Whether it says something of this metric by name."""
        return any(compared.covers(query) for compared, _ in self.named)

    def of(self, query: Query) -> Tolerance:
        """Return what is allowed of a metric: its narrowest entry, or that for all."""
        covering = [entry for entry in self.named if entry[0].covers(query)]
        return max(covering, key=lambda entry: entry[0].narrow)[1] if covering else self.usual

    def allowed(self, query: Query, value: float | None) -> float:
        """Return it in the metric's unit, where the first run has ``value``."""
        unit = query.definition.unit
        found, finite = self.of(query), value is not None and abs(value) != float("inf")
        if found.measure is Measure.PERCENT and found.amount == 0:
            return 0.0
        return allowance(found, unit, value if finite and value is not None else 0.0)


def parse_tolerances(texts: Sequence[str]) -> Tolerances:
    """Read what stands on a command line; raises :class:`~scenarios.units.UnitError`."""
    usual: Tolerance | None = None
    named: list[tuple[Compared, Tolerance]] = []
    for text in texts:
        match = _FOR_ONE.fullmatch(text.strip())
        if match is not None:
            named.append(_of_one(match["metric"].strip(), match["amount"]))
            continue
        amount = parse_tolerance(text)
        if amount.measure is not Measure.PERCENT:
            raise UnitError("what is meant for all metrics is a percentage", _FOR_ALL)
        if usual is not None:
            raise UnitError("there are two for all metrics", "one, and others for metrics by name")
        usual = amount
    return Tolerances(usual or USUAL, tuple(named))


def _of_one(metric: str, text: str) -> tuple[Compared, Tolerance]:
    try:
        compared = parse_compared(metric)
    except ExpectationError as error:
        raise UnitError(error.reason, error.allowed) from None
    amount, unit = parse_tolerance(text), compared.query.definition.unit
    if not amount.fits(unit):
        allowed = f"a percentage of its value such as 10%, or {MEASURES[unit].value}"
        raise UnitError(f"this is no difference of {metric}, which is measured in {unit}", allowed)
    return compared, amount


def worth(unit: Unit, allowed: float) -> float:
    """Return by what a difference is divided to say how bad it is: what is allowed, or the least that matters."""
    return max(allowed, LEAST[unit])
