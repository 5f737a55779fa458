"""The values of one query in all replications, combined in order of replication."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from reports.rare import Rare, rare
from reports.statistics import Interval, mean, mean_interval, quantile, quantile_interval, quantile_reach
from reports.summary import RunSummary, Value
from scenarios.expectations import Query
from scenarios.metrics import Combine, Metric, Unit


@dataclass(frozen=True, slots=True)
class Quantile:
    """What a share of the runs stay within."""

    share: float
    value: float
    interval: Interval | None
    """Two of the values, whatever they are drawn from; None where there are too few runs for one."""
    reach: float | None
    """How far it reaches either way, as :func:`~reports.statistics.quantile_reach` tells."""


MEDIAN = 0.5
QUANTILES = (0.05, MEDIAN, 0.95)
"""Those that are told of metrics which are judged run by run."""


@dataclass(frozen=True, slots=True)
class Combined:
    """One query over all replications, in the metric's unit."""

    runs: int
    nothing: int
    """Runs in which there was nothing to measure; the rest is about the others."""
    never: int
    """Runs in which what is timed never happened."""
    value: Value
    """The mean, or, of metrics that are judged run by run, the median."""
    interval: Interval | None
    """Of the mean; None for a single run and for metrics that are judged run by run."""
    rare: Rare | None
    """How near to an end so many runs can see, where a share is 0 or 1 in nearly all of them."""
    quantiles: tuple[Quantile, ...]
    """Of several runs of a metric that is judged run by run: p5, median and p95; else empty."""
    spread: Interval | None
    """The values that 10 % and 90 % of the runs stay within."""
    ends: Interval | None
    """The lowest and the highest value."""


def combine(metric: Metric, values: Sequence[Value], parts_of: Sequence[float] = ()) -> Combined:
    """Combine the values of all replications; ``parts_of`` says of shares how many attempts each is of."""
    measured = [value for value in values if value is not None]
    runs, nothing = len(values), len(values) - len(measured)
    never = sum(map(math.isinf, measured))
    if not measured:
        return Combined(runs, nothing, never, None, None, None, (), None, None)
    spread, ends = (quantile(measured, 0.1), quantile(measured, 0.9)), (min(measured), max(measured))
    if metric.combine is Combine.RUNS:
        quantiles = _quantiles(measured) if len(measured) > 1 else ()
        return Combined(runs, nothing, never, median(measured), None, None, quantiles, spread, ends)
    found = rare(measured, mean(parts_of) if parts_of else None) if metric.unit is Unit.SHARE else None
    interval = _possible(mean_interval(measured), metric)
    if interval is not None and found is not None:
        interval = found.widened(interval)
    return Combined(runs, nothing, never, mean(measured), interval, found, (), spread, ends)


def combined(query: Query, summaries: Sequence[RunSummary]) -> Combined:
    """Combine what replications say about a query that all of them were asked."""
    values = [summary.values[query] for summary in summaries]
    parts_of = [summary.parts_of[query] for summary in summaries if query in summary.parts_of]
    return combine(query.definition, values, parts_of)


def kind_of(query: Query) -> str:
    """Return what the value of a query over all runs is."""
    return "median" if query.definition.combine is Combine.RUNS else "mean"


def _quantiles(values: Sequence[float]) -> tuple[Quantile, ...]:
    middle, ordered = median(values), sorted(values)
    return tuple(
        Quantile(
            share,
            middle if share == MEDIAN else quantile(ordered, share),
            quantile_interval(ordered, share),
            quantile_reach(ordered, share),
        )
        for share in QUANTILES
    )


def _possible(interval: Interval | None, metric: Metric) -> Interval | None:
    """Cut off what no mean of such values can be: less than nothing, more than everything."""
    if interval is None:
        return None
    low, high = interval
    return max(low, 0.0), min(high, 1.0) if metric.unit is Unit.SHARE else high
