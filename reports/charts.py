"""What the charts of a report show: the replications brought together, as plain data for the browser.

Times are minutes from the start of the run.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reports.judge import Judged
from reports.queries import limits
from reports.runbook import Spread, StepReport, step_reports
from reports.summary import RunSummary
from scenarios.evidence import Gauge, Outcome
from scenarios.model import Drill, Fault

Json = dict[str, Any]
Bins = npt.NDArray[np.float64]

STACK = (
    Outcome.COMPLETED,
    Outcome.IN_PROGRESS,
    Outcome.CLOSED,
    Outcome.ABANDONED,
    Outcome.BLOCKED,
    Outcome.FAILED,
    Outcome.DROPPED,
)
"""Outcomes from the bottom of the chart upwards."""

MOST_LIMITS = 12
"""Limits that get a chart, those with the highest peaks against their caps."""

_DIGITS = 3


class Peak(NamedTuple):
    """The most that was ever held against a limit."""

    name: str
    cap: int
    peak: int


def charts(judged: Judged) -> Json:
    """Return the data of all charts; there must be a replication."""
    drill, summaries = judged.drill, judged.summaries
    steps = step_reports(drill, summaries)
    return {
        "lasts": drill.run.lasts / 60,
        "width": summaries[0].timeline.width / 60,
        "runs": len(summaries),
        "faults": [_fault(drill, fault) for fault in drill.faults],
        "steps": [_step(number, step) for number, step in enumerate(steps, 1)],
        "calls": calls_per_minute(summaries),
        "ports": [_ports(summaries, limit) for limit in peaks(drill, summaries)[:MOST_LIMITS]],
        "levels": list(_levels(drill, summaries)),
    }


def calls_per_minute(summaries: Sequence[RunSummary]) -> list[Json]:
    """Return, by outcome, attempts per minute in each bin: the mean over the replications."""
    per_minute = 60 / summaries[0].timeline.width
    found = []
    for outcome in STACK:
        bins = np.array([summary.timeline.outcomes[outcome] for summary in summaries]).mean(axis=0) * per_minute
        if bins.any():
            found.append({"outcome": outcome, "mean": _rounded(bins)})
    return found


def peaks(drill: Drill, summaries: Sequence[RunSummary]) -> list[Peak]:
    """Return the highest peak against each limit in any replication, the fullest limit first."""
    found = [
        Peak(name, cap, max(summary.peaks.get(name, 0) for summary in summaries))
        for name, cap in limits(drill).items()
        if any(name in summary.peaks for summary in summaries)
    ]
    return sorted(found, key=lambda limit: limit.peak / limit.cap, reverse=True)


def _ports(summaries: Sequence[RunSummary], limit: Peak) -> Json:
    return {"name": limit.name, "cap": limit.cap, **_band(summaries, (Gauge.PORTS, limit.name), (50, 100))}


def _levels(drill: Drill, summaries: Sequence[RunSummary]) -> Iterable[Json]:
    """Return the charts of levels: what is counted, and a line for each site, group or queue that ever has any."""
    for title, gauge, names in (
        ("Softphones registered, by site", Gauge.SOFTPHONES, drill.sites),
        ("Most REGISTERs in one second, by site", Gauge.REGISTERS, drill.sites),
        ("Agents busy, by group", Gauge.AGENTS_BUSY, drill.agents),
        ("Agents on duty, by group", Gauge.ON_DUTY, drill.agents),
        ("Callers waiting, by queue", Gauge.WAITING, drill.queue_table()),
    ):
        lines = [{"name": name, **_band(summaries, (gauge, name), (10, 50, 90))} for name in names]
        if any(any(line["p90"]) for line in lines):
            yield {"title": title, "lines": [line for line in lines if any(line["p90"])]}


def _band(summaries: Sequence[RunSummary], level: tuple[Gauge, str], percentiles: Sequence[int]) -> Json:
    """Return percentiles over the replications of a level, bin by bin; nothing at all counts as 0."""
    empty = [0] * len(summaries[0].timeline.outcomes[Outcome.COMPLETED])
    levels = np.array([summary.timeline.gauges.get(level, empty) for summary in summaries])
    return {
        f"p{percent}": _rounded(np.percentile(levels, percent, axis=0, method="inverted_cdf"))
        for percent in percentiles
    }


def _fault(drill: Drill, fault: Fault) -> Json:
    until = drill.run.lasts if fault.lasts is None else min(fault.at + fault.lasts, drill.run.lasts)
    return {"name": fault.name, "from": fault.at / 60, "to": until / 60}


def _step(number: int, step: StepReport) -> Json:
    return {
        "number": number,
        "step": step.step,
        "by": step.by,
        "finishedIn": step.finished_in,
        "critical": step.critical_in * 2 > step.runs,
        "ready": _minutes(step.ready),
        "started": _minutes(step.started),
        "finished": _minutes(step.finished),
    }


def _minutes(spread: Spread | None) -> list[float] | None:
    if spread is None:
        return None
    return [round(moment / 60, _DIGITS) for moment in (spread.p10, spread.p50, spread.p90)]


def _rounded(bins: Bins) -> list[float]:
    return [round(value, _DIGITS) for value in bins.tolist()]
