"""The values of one query in all replications, combined in order of replication."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from reports.statistics import Interval, mean, mean_interval, quantile
from reports.summary import Value
from scenarios.metrics import Combine, Metric, Unit


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
    spread: Interval | None
    """The values that 10 % and 90 % of the runs stay within."""
    ends: Interval | None
    """The lowest and the highest value."""


def combine(metric: Metric, values: Sequence[Value]) -> Combined:
    """Combine the values of all replications."""
    measured = [value for value in values if value is not None]
    runs, nothing = len(values), len(values) - len(measured)
    never = sum(map(math.isinf, measured))
    if not measured:
        return Combined(runs, nothing, never, None, None, None, None)
    spread, ends = (quantile(measured, 0.1), quantile(measured, 0.9)), (min(measured), max(measured))
    if metric.combine is Combine.RUNS:
        return Combined(runs, nothing, never, median(measured), None, spread, ends)
    return Combined(runs, nothing, never, mean(measured), _possible(mean_interval(measured), metric), spread, ends)


def _possible(interval: Interval | None, metric: Metric) -> Interval | None:
    """Cut off what no mean of such values can be: less than nothing, more than everything."""
    if interval is None:
        return None
    low, high = interval
    return max(low, 0.0), min(high, 1.0) if metric.unit is Unit.SHARE else high
