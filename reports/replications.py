"""`replications.json`: what every single replication came to, for comparisons of runs.

`result.json` has values over all replications. Whoever compares two runs with the same callers wants differences
replication by replication, and so their values stand here; with them what an overlaid chart needs.

    version       of this format
    engine, seed  as in `result.json`
    replications  numbers of those that are done, in ascending order; all lists of values are in this order
    drill         what runs depend on of the drill, as it was read: with ledgers and `--set`, without expectations
    metrics       by query: metric, selectors, after and before (seconds, or null), and values: a number in the metric's
                  unit with nine digits, "never", or null where there was nothing to measure
    charts        lasts and width (of a bin) in minutes; calls: per outcome the attempts a minute; ports: per limit its
                  cap and the most calls at the same time; both bin by bin, and means over the replications
"""

import json
import math
from collections.abc import Sequence
from typing import Any

from reports.charts import MOST_LIMITS, calls_per_minute, peaks
from reports.charts_levels import extremes
from reports.judge import Judged
from reports.origin import Origin
from reports.summary import RunSummary, Value
from scenarios.evidence import Gauge
from scenarios.expectations import Query
from scenarios.model import Drill

FILE = "replications.json"
VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""

Json = dict[str, Any]

NEVER = "never"
_DIGITS = 9
"""Significant digits of a value: what is beyond them is no difference to anybody."""


def replications_text(judged: Judged, origin: Origin, numbers: Sequence[int] | None = None) -> str:
    """Return it as JSON text: UTF-8, one final newline, nothing that depends on when or where it was made."""
    text = json.dumps(replications(judged, origin, numbers), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"{text}\n"


def replications(judged: Judged, origin: Origin, numbers: Sequence[int] | None = None) -> Json:
    """Return it as plain data; ``numbers`` of the replications where these are not the first ones."""
    numbered = zip(range(len(judged.summaries)) if numbers is None else numbers, judged.summaries, strict=True)
    finished = {number: summary for number, summary in numbered if summary.until is None}
    summaries = tuple(finished.values())
    return {
        "version": VERSION,
        "engine": judged.engine,
        "seed": judged.seed,
        "replications": list(finished),
        "drill": dict(origin.drill),
        "metrics": {str(query): _metric(query, summaries) for query in judged.metrics},
        "charts": _charts(judged.drill, summaries) if summaries else None,
    }


def _metric(query: Query, summaries: Sequence[RunSummary]) -> Json:
    return {
        "metric": query.metric,
        "selectors": dict(query.selectors),
        "after": query.after,
        "before": query.before,
        "values": [_value(summary.values[query]) for summary in summaries],
    }


def _value(value: Value) -> float | str | None:
    if value is None:
        return None
    return NEVER if math.isinf(value) else float(f"{value:.{_DIGITS}g}")


def _charts(drill: Drill, summaries: Sequence[RunSummary]) -> Json:
    return {
        "lasts": drill.run.lasts / 60,
        "width": summaries[0].timeline.width / 60,
        "calls": calls_per_minute(drill, summaries),
        "ports": [
            {"name": limit.name, "cap": limit.cap, "mean": _mean_level(summaries, limit.name)}
            for limit in peaks(drill, summaries)[:MOST_LIMITS]
        ],
    }


def _mean_level(summaries: Sequence[RunSummary], limit: str) -> list[float]:
    _, highest = extremes(summaries, (Gauge.PORTS, limit))
    return [round(value, 3) for value in highest.mean(axis=0).tolist()]
