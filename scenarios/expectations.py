"""What must come out: `metric{selector=value, after=45m} op bound [in 95% of runs]`, checked against the registry."""

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from scenarios.evidence import Direction
from scenarios.metrics import METRICS, Combine, Metric, Unit
from scenarios.numberplan import NumberError, canonical
from scenarios.parties import Owner
from scenarios.problems import did_you_mean
from scenarios.units import UnitError, format_duration, parse_duration, parse_rate, parse_share

Operator = Literal["<", "<=", ">", ">=", "=="]

DEFAULT_RUNS_SHARE = 0.95
"""Share of runs in which a time, peak or count must hold unless the expectation says otherwise."""

_QUERY = r"\s*(?P<metric>[\w-]+)\s*(?:\{(?P<selectors>[^}]*)\})?\s*"
_GRAMMAR = re.compile(_QUERY + r"(?P<op><=|>=|==|<|>)\s*(?P<bound>[^\s].*?)(?:\s+in\s+(?P<runs>\S+)\s+of\s+runs)?\s*")
_ALONE = re.compile(_QUERY)
_LONGEST = 300
_SHAPE = "metric{selector=value, after=45m} < bound, such as blocked_ratio{after=45m} < 1%"


class ExpectationError(ValueError):
    """An expectation that cannot be read; `allowed` says what could stand there."""

    def __init__(self, reason: str, allowed: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Query:
    """A metric narrowed down: what one number of a result is the value of."""

    metric: str
    selectors: tuple[tuple[str, str], ...] = ()
    """Sorted by name; a query means the same whatever order it was written in."""
    after: float | None = None
    before: float | None = None

    @property
    def definition(self) -> Metric:
        """The registry's entry."""
        return METRICS[self.metric]

    def __str__(self) -> str:
        inside = [f"{key}={value}" for key, value in self.selectors]
        inside += [f"after={format_duration(self.after)}"] if self.after is not None else []
        inside += [f"before={format_duration(self.before)}"] if self.before is not None else []
        return self.metric + (f"{{{', '.join(inside)}}}" if inside else "")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must come out of a run."""

    query: Query
    op: Operator
    bound: float
    """In the metric's unit; for ports a share of the limit when :attr:`of_limit`."""
    of_limit: bool
    runs_share: float
    """Share of runs in which a metric that combines by runs must hold."""
    text: str
    """As it was written."""

    def holds(self, value: float) -> bool:
        """Whether ``value``, in the unit of :attr:`bound`, satisfies it."""
        match self.op:
            case "<":
                return value < self.bound
            case "<=":
                return value <= self.bound
            case ">":
                return value > self.bound
            case ">=":
                return value >= self.bound
            case "==":
                return value == self.bound


def parse_expectation(text: str) -> Expectation:
    """Read one expectation, full-width characters included; raises :class:`ExpectationError`."""
    match = _GRAMMAR.fullmatch(unicodedata.normalize("NFKC", text)) if len(text) <= _LONGEST else None
    if match is None:
        raise ExpectationError("this is not an expectation", _SHAPE)
    query = _query(match["metric"], match["selectors"] or "")
    metric = query.definition
    _see_that_all_needed_stand(query)
    op: Operator = match["op"]  # type: ignore[assignment]  # the grammar admits no other text
    bound, of_limit = _bound(metric, match["bound"])
    runs = match["runs"]
    if runs is not None and metric.combine is not Combine.RUNS:
        raise ExpectationError(
            f"{metric.name} is judged by its interval over all runs, not run by run",
            f"{metric.name} {op} bound",
        )
    share = DEFAULT_RUNS_SHARE if runs is None else _read(parse_share, runs)
    if not 0 < share < 1:
        raise ExpectationError(f"'in {runs} of runs' can never be shown by counting runs", "above 0% and below 100%")
    return Expectation(query, op, bound, of_limit, share, text.strip())


def parse_query(text: str) -> Query:
    """Read a metric with any of its selectors, even without those it needs; raises :class:`ExpectationError`."""
    match = _ALONE.fullmatch(unicodedata.normalize("NFKC", text)) if len(text) <= _LONGEST else None
    if match is None:
        raise ExpectationError("this is not a metric", "metric or metric{selector=value, after=45m}")
    return _query(match["metric"], match["selectors"] or "")


def _query(name: str, inside: str) -> Query:
    metric = METRICS.get(name)
    if metric is None:
        raise ExpectationError(f"unknown metric {name!r}{did_you_mean(name, METRICS)}", ", ".join(METRICS))
    found: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in inside.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            raise ExpectationError(f"{part!r} is not selector=value", _SHAPE)
        if key in found:
            raise ExpectationError(f"selector {key!r} stands twice", "each selector once")
        found[key] = _selected(key, value)
    known = (*metric.selectors, *(("after", "before") if metric.windows else ()))
    for key in found:
        if key not in known:
            allowed = ", ".join(known) or "no selector"
            raise ExpectationError(f"{metric.name} has no selector {key!r}{did_you_mean(key, known)}", allowed)
    window = {key: _read(parse_duration, found.pop(key)) for key in ("after", "before") if key in found}
    if window.get("before", math.inf) <= window.get("after", 0.0):
        raise ExpectationError("the window ends before it begins", "after=… earlier than before=…")
    return Query(metric.name, tuple(sorted(found.items())), window.get("after"), window.get("before"))


def _see_that_all_needed_stand(query: Query) -> None:
    for key in query.definition.required:
        if key not in dict(query.selectors):
            raise ExpectationError(f"{query.metric} needs the selector {key!r}", f"{query.metric}{{{key}=…}}")


def _selected(key: str, value: str) -> str:
    """Return a selector's value as the drill's own names and numbers are written."""
    if key == "direction" and value not in tuple(Direction):
        raise ExpectationError(f"unknown direction {value!r}", " or ".join(Direction))
    if key == "owner" and value not in get_args(Owner):
        raise ExpectationError(f"unknown owner {value!r}", " or ".join(get_args(Owner)))
    if key not in ("number", "limit"):
        return value
    try:
        return canonical(value)
    except NumberError as error:
        if key == "limit":
            return value  # most limits are not numbers
        raise ExpectationError(error.reason, error.allowed) from None


def _bound(metric: Metric, text: str) -> tuple[float, bool]:
    """Read a bound in the metric's unit; the flag says that it is a share of a limit."""
    match metric.unit:
        case Unit.SHARE:
            return _read(parse_share, text), False
        case Unit.SECONDS:
            return _read(parse_duration, text), False
        case Unit.RATE:
            return _read(parse_rate, text), False
        case Unit.PORTS if "%" in text or "％" in text:
            return _read(parse_share, text), True
        case Unit.PORTS | Unit.CALLS | Unit.PHONES | Unit.CHANGES:
            try:
                return float(int(text)), False
            except ValueError:
                allowed = "a whole number" + (" or a percentage of the limit" if metric.unit is Unit.PORTS else "")
                raise ExpectationError(f"{text!r} is not a number of {metric.unit}", allowed) from None


def _read(parse: Callable[[object], float], text: str) -> float:
    try:
        return parse(text)
    except UnitError as error:
        raise ExpectationError(error.reason, error.allowed) from None
