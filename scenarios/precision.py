"""How narrow intervals of a run are to be: `10%`, or `blocked_ratio{after=45m}: 0.1 points`, and which are meant."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scenarios.expectations import Expectation, ExpectationError, Query
from scenarios.metrics import Combine
from scenarios.tolerances import MEASURES, TOLERANCES, Compared, Measure, Tolerance, parse_compared, parse_tolerance
from scenarios.units import UnitError

PRECISIONS = (
    "a percentage such as 10% for all means that something is expected of, or metrics with how far their interval may "
    "reach either way, such as blocked_ratio: 0.1 points"
)

_FOR_ONE = re.compile(r"(?P<metric>[^={}]+(?:\{[^}]*\})?)\s*=(?P<reach>[^=]*)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One wish: how far the 95 % interval may reach from the value, either way."""

    compared: Compared | None
    """What it is for; None for all expectations that are judged by the interval of a mean."""
    reach: Tolerance
    """A percentage is of the value itself."""

    @property
    def text(self) -> str:
        """What it is for, as it was written."""
        return "" if self.compared is None else self.compared.text


@dataclass(frozen=True, slots=True)
class Goal:
    """An interval that is to be narrow enough."""

    query: Query
    reach: Tolerance


def parse_precision(value: object) -> tuple[Asked, ...]:
    """Read what stands in a file; raises :class:`~scenarios.units.UnitError`."""
    if not isinstance(value, Mapping):
        return (_of_all(value),)
    if not value:
        raise UnitError("nothing is asked for", PRECISIONS)
    return tuple(_of_one(str(metric), reach, (str(metric),)) for metric, reach in value.items())


def parse_asked(text: str) -> Asked:
    """Read what stands on a command line, `10%` or `blocked_ratio=0.1 points`; raises as :func:`parse_precision`."""
    match = _FOR_ONE.fullmatch(text.strip())
    return _of_all(text) if match is None else _of_one(match["metric"].strip(), match["reach"])


def _of_all(value: object) -> Asked:
    try:
        reach = parse_tolerance(value)
    except UnitError as error:
        raise UnitError(error.reason, PRECISIONS) from None
    if reach.measure is not Measure.PERCENT:
        raise UnitError("a width that is meant for all is a percentage", PRECISIONS)
    return Asked(None, _above_zero(reach))


def _of_one(metric: str, value: object, within: tuple[str | int, ...] = ()) -> Asked:
    try:
        compared = parse_compared(metric)
        reach = _above_zero(parse_tolerance(value))
    except (ExpectationError, UnitError) as error:
        raise UnitError(error.reason, error.allowed, within) from None
    unit = compared.query.definition.unit
    if not reach.fits(unit):
        allowed = f"a percentage of its value such as 10%, or {MEASURES[unit].value}"
        raise UnitError(f"this is no width of {metric}, which is measured in {unit}", allowed, within)
    return Asked(compared, reach)


def _above_zero(reach: Tolerance) -> Tolerance:
    if not reach.amount:
        raise UnitError("no number of runs leaves an interval without any width", TOLERANCES)
    return reach


def goals(asked: Sequence[Asked], expect: Sequence[Expectation]) -> tuple[Goal, ...]:
    """Return the intervals that are meant, each once, of several wishes for one the narrowest.

    A metric that something is expected of means those expectations that it covers, any other itself. Raises
    :class:`~scenarios.units.UnitError` for a wish that means nothing.
    """
    found: dict[Query, tuple[int, Tolerance]] = {}
    for each in asked:
        narrow = -1 if each.compared is None else each.compared.narrow
        for query in _meant(each, expect):
            if query not in found or narrow > found[query][0]:
                found[query] = (narrow, each.reach)
    return tuple(Goal(query, reach) for query, (_, reach) in found.items())


def _meant(asked: Asked, expect: Sequence[Expectation]) -> Iterator[Query]:
    queries = [expectation.query for expectation in expect]
    if asked.compared is None:
        means = [query for query in queries if query.definition.combine is Combine.INTERVAL]
        if not means:
            raise UnitError("nothing is expected of the mean of any metric", "metric=width, such as recovery_time=1m")
        yield from means
        return
    compared = asked.compared
    covered = [query for query in queries if compared.covers(query)]
    if not covered:
        selectors = dict(compared.query.selectors)
        for needed in compared.query.definition.required:
            if needed not in selectors:
                metric = compared.query.metric
                raise UnitError(f"{metric} needs the selector {needed!r}", f"{metric}{{{needed}=…}}=width")
        covered = [compared.query]
    yield from covered
