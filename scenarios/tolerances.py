"""How far apart two engines may be: `takeover_time: 0.2s`, `blocked_ratio{number=0120-123-456}: 2%`."""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from scenarios.expectations import Query, parse_query
from scenarios.metrics import Unit
from scenarios.units import UnitError, parse_duration, parse_number, parse_rate, parse_share

TOLERANCES = "a percentage such as 2%, or a difference such as 0.2s, 3, 0.5 points, 2/s"

_POINTS = re.compile(r"(?P<number>\S+)\s*points?")
_NUMBER = re.compile(r"[\d.]+")


class Measure(Enum):
    """What a tolerance is written in; the value says how."""

    PERCENT = "a percentage of the first engine's value such as 2%"
    POINTS = "percentage points such as 0.5 points"
    SECONDS = "a duration such as 0.2s"
    RATE = "a rate such as 2/s"
    NUMBER = "a number such as 3"


MEASURES = {
    Unit.SHARE: Measure.POINTS,
    Unit.SECONDS: Measure.SECONDS,
    Unit.RATE: Measure.RATE,
    Unit.CALLS: Measure.NUMBER,
    Unit.PHONES: Measure.NUMBER,
    Unit.CHANGES: Measure.NUMBER,
    Unit.PORTS: Measure.NUMBER,
}
"""What a difference in each unit is written in, other than a percentage, which goes with all of them."""


LEAST = {
    Unit.SHARE: 0.001,
    Unit.SECONDS: 0.1,
    Unit.CALLS: 0.5,
    Unit.PHONES: 0.5,
    Unit.CHANGES: 0.5,
    Unit.PORTS: 0.5,
    Unit.RATE: 0.5,
}
"""The least that a percentage means, in the metric's unit: 5 % of next to nothing would ask for the impossible."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A difference that is allowed."""

    amount: float
    """A share of the first engine's value for a percentage; else in the metric's unit."""
    measure: Measure

    def fits(self, unit: Unit) -> bool:
        """Whether a difference in ``unit`` can be held against it."""
        return self.measure in (Measure.PERCENT, MEASURES[unit])


def allowance(allowed: Tolerance, unit: Unit, value: float) -> float:
    """Return a tolerance in the metric's unit, where the value that a percentage is of is ``value``."""
    if allowed.measure is Measure.PERCENT:
        return max(allowed.amount * value, LEAST[unit])
    return allowed.amount


@dataclass(frozen=True, slots=True)
class Compared:
    """A metric that a tolerance is for, with all its queries or only those of certain selectors."""

    query: Query
    """Selectors that its metric needs may be missing: then all are meant."""
    text: str
    """As it was written."""

    def covers(self, query: Query) -> bool:
        """Whether it is for ``query``: the same metric, every selector that it names, and its window if it has one."""
        own = self.query
        return (
            own.metric == query.metric
            and set(own.selectors) <= set(query.selectors)
            and (own.after is None or own.after == query.after)
            and (own.before is None or own.before == query.before)
        )

    @property
    def narrow(self) -> int:
        """How many conditions it makes; of two that cover a query, the narrower one counts."""
        return len(self.query.selectors) + sum(edge is not None for edge in (self.query.after, self.query.before))


def parse_compared(text: str) -> Compared:
    """Read `metric` or `metric{selector=value}`; raises :class:`~scenarios.expectations.ExpectationError`."""
    return Compared(parse_query(text), text)


def parse_tolerance(value: object) -> Tolerance:
    """Read a tolerance as it stands in a file; raises :class:`~scenarios.units.UnitError`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError("this is not a difference", TOLERANCES)
    text = unicodedata.normalize("NFKC", str(value)).strip().casefold()
    if text.endswith("%"):
        return Tolerance(parse_share(text), Measure.PERCENT)
    if match := _POINTS.fullmatch(text):
        return Tolerance(parse_number(match["number"], "a number of points", TOLERANCES) / 100, Measure.POINTS)
    if "/" in text:
        return Tolerance(parse_rate(text), Measure.RATE)
    if _NUMBER.fullmatch(text):
        return Tolerance(parse_number(text, "a difference", TOLERANCES), Measure.NUMBER)
    return Tolerance(parse_duration(text), Measure.SECONDS)
