"""Levels and the service of queues over time: over the replications, bin by bin, with their extremes.

Of each bin of the time axis there are the lowest and the highest sample, so that what stands out for a moment is seen,
however long the run is; how many bins there are does not depend on the number of calls.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reports.judge import Judged
from reports.levels import PEAKS
from reports.queries import resolve
from reports.summary import RunSummary
from reports.wording import duration_text, share_text
from scenarios.evidence import Gauge, Outcome
from scenarios.model import Drill
from scenarios.text import Text

Json = dict[str, Any]
Levels = npt.NDArray[np.int64]

MOST_LINES = 8
"""Lines of a chart, those with the highest levels."""
_DIGITS = 3
_ENDS = 4
"""Digits of a share: a hundredth of a percent."""


def levels(drill: Drill, summaries: Sequence[RunSummary]) -> Iterable[Json]:
    """Yield the charts of levels: what is counted, and a line for each site, group or queue that ever has any."""
    for title, gauge, names in (
        (Text("Softphones registered, by site"), Gauge.SOFTPHONES, drill.sites),
        (Text("Most REGISTERs in one second, by site"), Gauge.REGISTERS, drill.sites),
        (Text("Agents busy, by group"), Gauge.AGENTS_BUSY, drill.agents),
        (Text("Agents on duty, by group"), Gauge.ON_DUTY, drill.agents),
        (Text("Callers waiting, by queue"), Gauge.WAITING, drill.queue_table()),
    ):
        lines = [{"name": name, **spread(summaries, (gauge, name))} for name in names]
        used = sorted((line for line in lines if any(line["most"])), key=lambda line: -max(line["most"]))
        if used:
            kept = [line for line in lines if line in used[:MOST_LINES]]
            yield {"of": gauge, "title": title, "lines": kept, "more": len(used) - len(kept)}


def spread(summaries: Sequence[RunSummary], level: tuple[Gauge, str]) -> Json:
    """Return a level by bin: the least and the most of all runs, what 10 and 90 % of the runs stay within, and the
    lowest and highest of the median run; nothing at all counts as 0."""
    lowest, highest = extremes(summaries, level)
    if level[0] in PEAKS:
        lowest = highest  # the lowest of what is the most in each 10 s says nothing
    return {
        "least": lowest.min(axis=0).tolist(),
        "p10": _over_runs(lowest, 10),
        "low": _over_runs(lowest, 50),
        "high": _over_runs(highest, 50),
        "p90": _over_runs(highest, 90),
        "most": highest.max(axis=0).tolist(),
    }


def extremes(summaries: Sequence[RunSummary], level: tuple[Gauge, str]) -> tuple[Levels, Levels]:
    """Return the lowest and the highest sample by replication and bin."""
    empty = [0] * len(summaries[0].timeline.outcomes[Outcome.COMPLETED])
    pairs = [summary.timeline.gauges.get(level, (empty, empty)) for summary in summaries]
    return np.array([lowest for lowest, _ in pairs], np.int64), np.array([highest for _, highest in pairs], np.int64)


def _over_runs(found: Levels, percent: int) -> list[int]:
    of_runs: list[int] = np.percentile(found, percent, axis=0, method="inverted_cdf").tolist()
    return of_runs


def service(judged: Judged) -> list[Json]:
    """Return the service level of each queue: of the calls of all runs that began in a bin, the share answered within
    the queue's `answer_within`, None for a bin without any; and what is expected of it."""
    return [found for queue in judged.drill.queue_table() if (found := _of_queue(judged, queue)) is not None]


def _of_queue(judged: Judged, queue: str) -> Json | None:
    answered = [summary.timeline.service[queue] for summary in judged.summaries if queue in summary.timeline.service]
    served = np.array([each.served for each in answered], np.int64).sum(axis=0)
    in_time = np.array([each.in_time for each in answered], np.int64).sum(axis=0)
    if not served.any():
        return None
    shares = [
        round(part / of, _ENDS) if of else None for part, of in zip(in_time.tolist(), served.tolist(), strict=True)
    ]
    return {
        "name": queue,
        "within": duration_text(judged.drill.queue_table()[queue].answer_within),
        "shares": shares,
        "calls": [round(calls / len(answered), _DIGITS) for calls in served.tolist()],
        "targets": list(_targets(judged, queue)),
    }


def _targets(judged: Judged, queue: str) -> Iterable[Json]:
    lasts = judged.drill.run.lasts
    for judgement in judged.judgements:
        query = resolve(judgement.expectation.query)
        if query.metric == "service_level" and dict(query.selectors) in ({}, {"queue": queue}):
            yield {
                "share": judgement.expectation.bound,
                "text": judgement.bound,
                "from": (query.after or 0.0) / 60,
                "to": (lasts if query.before is None else min(query.before, lasts)) / 60,
            }


def service_alternative(found: Json) -> Text:
    """Say how low the service of a queue was at worst."""
    return Text(
        "{queue}: at worst {least} of the callers of a bin were answered within {time}",
        queue=found["name"],
        least=share_text(min(share for share in found["shares"] if share is not None)),
        time=found["within"],
    )
