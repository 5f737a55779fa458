"""Live nights: how many of them call a regression, and whether they do.

A live run is noisy: no two nights are alike, though nothing has changed. So single nights are not held against each
other, but the last few against the first ones. If nothing has changed, each order of all these nights is as likely as
any other, whatever their values are drawn from, and the exact distribution of the rank sum says how often the last few
come out so much worse by chance (Mann & Whitney 1947). That chance is shared out among the metrics that decide, so that
it holds for all of them together.
"""

from collections.abc import Sequence

from reports import compare_intervals as intervals
from reports.compare import Comparison, Kind, Nights
from reports.compare_changes import Change, Counts
from reports.compare_runs import Run
from reports.compare_tolerances import Tolerances
from scenarios.expectations import Query
from scenarios.metrics import Better

BASELINE = 10
"""Nights that a baseline is made of."""
ERROR = 0.01
"""The chance that a night in which nothing has changed is called worse, or better: each once in three months."""
MOST_RECENT = 10
"""Nights that are ever waited for; so many metrics would have to decide that they are never all needed."""


def recent_needed(metrics: int, baseline: int = BASELINE, error: float = ERROR) -> int:
    """Return the fewest nights that can be told from those of the baseline, where so many metrics decide."""
    each = error / max(metrics, 1)
    return next(
        (nights for nights in range(1, MOST_RECENT) if intervals.shift_rank(baseline, nights, each)), MOST_RECENT
    )


def deciding(run: Run, tolerances: Tolerances) -> tuple[str, ...]:
    """Return the metrics that decide about live nights: those that something is expected of, and those that are named.

    All metrics of a drill would take twice as many nights.
    """

    def decides(query: Query) -> bool:
        better = query.definition.better is not Better.NEITHER
        return tolerances.names(query) or (better and query in run.expected)

    return tuple(text for text, measured in run.metrics.items() if decides(measured.query))


def compare_nights(
    baseline: Sequence[Run], recent: Sequence[Run], tonight: Run, tolerances: Tolerances, names: tuple[str, str]
) -> Comparison:
    """Hold the last nights against those of the baseline.

    ``recent``: the nights after those of the baseline, this one among them if it counts. ``tonight`` and the last night
    of the baseline stand for what else is compared: verdicts, findings, steps.
    """
    texts = deciding(tonight, tolerances)
    needed = recent_needed(len(texts))
    latest = recent[-needed:]
    nights = Nights(len(baseline), BASELINE, len(latest), needed, ERROR)
    error = ERROR / max(len(texts), 1)
    held = latest or [tonight]
    changes = tuple(_change(tonight, text, baseline, held, tolerances, error, nights) for text in texts)
    runs = (len(baseline), len(latest))
    return Comparison(baseline[-1], tonight, names, Kind.NIGHTS, 1 - 2 * error, runs, changes, nights)


def _change(
    tonight: Run,
    text: str,
    baseline: Sequence[Run],
    recent: Sequence[Run],
    tolerances: Tolerances,
    error: float,
    nights: Nights,
) -> Change:
    query = tonight.metrics[text].query  # nights before, with other expectations, may not have it
    told = [[run.metrics[text].told.value for run in runs if text in run.metrics] for runs in (baseline, recent)]
    first, second = ([value for value in values if value is not None] for values in told)
    one, other = (intervals.middle(values) if values else None for values in (first, second))
    apart = None
    if first and second:
        apart = intervals.shift(first, second, error)
        if not nights.enough:
            apart = apart._replace(interval=None)
    of = (len(baseline), len(recent))
    return Change(
        query,
        query in tonight.expected,
        True,
        one,
        other,
        apart,
        tolerances.allowed(query, one),
        Counts(sum(map(_never, first)), sum(map(_never, second)), of),
        Counts(of[0] - len(first), of[1] - len(second), of),
        identical=set(first) == set(second) and len(set(first)) <= 1,
    )


def _never(value: float) -> bool:
    return value == float("inf")
