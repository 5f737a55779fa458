"""What the charts of a report show: the replications brought together, as plain data for the browser.

Words are :class:`~scenarios.text.Text`, which the page says in its languages. Times are minutes from the start of the
run.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reports.charts_levels import extremes, levels, service
from reports.charts_losses import loss_chart
from reports.charts_outage import outage_chart, shown_outages
from reports.charts_recovery import recoveries, recovery_charts
from reports.judge import Judged
from reports.queries import limits
from reports.runbook import Spread, StepReport, played_until, step_reports
from reports.story import mean_losses
from reports.summary import RunSummary
from reports.wording import OUTCOMES
from scenarios.evidence import Gauge, Outcome
from scenarios.model import Drill, Fault, RequestPorts

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
LOST = (Outcome.ABANDONED, Outcome.BLOCKED, Outcome.FAILED, Outcome.DROPPED)
"""Those that are no success."""

MOST_LIMITS = 12
"""Limits that get a chart, those with the highest peaks against their caps."""

_DIGITS = 3


class Peak(NamedTuple):
    """The most that was ever held against a limit."""

    name: str
    cap: int
    """At the start."""
    raised: int
    """At its highest, where more was granted in some run."""
    peak: int
    share: float
    """The most of any run of the highest that the limit was in it."""


def charts(judged: Judged) -> Json:
    """Return the data of all charts; there must be a replication."""
    drill, summaries = judged.drill, judged.summaries
    steps = step_reports(drill, summaries)
    return {
        "lasts": drill.run.lasts / 60,
        "until": played_until(drill, summaries) / 60,
        "width": summaries[0].timeline.width / 60,
        "runs": len(summaries),
        "faults": [_fault(drill, fault) for fault in drill.faults],
        "steps": [_step(number, step) for number, step in enumerate(steps, 1)],
        "calls": calls_per_minute(drill, summaries),
        "ports": [_ports(summaries, limit) for limit in peaks(drill, summaries)[:MOST_LIMITS]],
        "levels": list(levels(drill, summaries)),
        "service": service(judged),
        "losses": loss_chart(mean_losses(judged)),
        "recovery": list(recovery_charts(recoveries(judged))),
        "outages": outage_chart(shown_outages(judged)),
    }


def bins_played(drill: Drill, summaries: Sequence[RunSummary]) -> Bins:
    """Return the seconds of each bin: fewer in the last one, where the run, or what has been played, ends in it."""
    timeline = summaries[0].timeline
    begins = np.arange(len(timeline.outcomes[Outcome.COMPLETED])) * timeline.width
    played = np.minimum(played_until(drill, summaries) - begins, timeline.width)
    return np.where(played > 0, played, timeline.width)


def calls_per_minute(drill: Drill, summaries: Sequence[RunSummary]) -> list[Json]:
    """Return, by outcome, attempts per minute in each bin: the mean over the replications."""
    per_minute = 60 / bins_played(drill, summaries)
    found = []
    for outcome in STACK:
        bins = np.array([summary.timeline.outcomes[outcome] for summary in summaries]).mean(axis=0) * per_minute
        if bins.any():
            found.append({"outcome": outcome, "name": OUTCOMES[outcome], "mean": _rounded(bins)})
    return found


def peaks(drill: Drill, summaries: Sequence[RunSummary]) -> list[Peak]:
    """Return the highest peak against each limit in any replication, the fullest limit first."""
    found = []
    for name, cap in limits(drill).items():
        if any(name in summary.peaks for summary in summaries):
            held = [(summary.peaks.get(name, 0), _raised(drill, summary, name, cap)) for summary in summaries]
            highest, share = max(raised for _, raised in held), max(peak / raised for peak, raised in held)
            found.append(Peak(name, cap, highest, max(peak for peak, _ in held), share))
    return sorted(found, key=lambda limit: limit.share, reverse=True)


def _raised(drill: Drill, summary: RunSummary, name: str, cap: int) -> int:
    """Return the highest that a limit was in a replication: at the start, or as a request was granted."""
    if name not in ("tenant", "outbound"):
        return cap
    does = [step.does for step in drill.runbook if step.step in summary.granted]
    asked = [action.request_ports for action in does if isinstance(action, RequestPorts)]
    caps = [ports.tenant if name == "tenant" else ports.outbound for ports in asked]
    return max([cap, *(more for more in caps if more is not None)])


def _ports(summaries: Sequence[RunSummary], limit: Peak) -> Json:
    _, highest = extremes(summaries, (Gauge.PORTS, limit.name))
    middle = np.percentile(highest, 50, axis=0, method="inverted_cdf")
    caps = {"cap": limit.cap, "raised": limit.raised}
    return {"name": limit.name, **caps, "p50": middle.tolist(), "p100": highest.max(axis=0).tolist()}


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
        "openIn": step.open_in,
        "openSince": _minutes(step.open_since),
        "openBegun": _minutes(step.open_begun),
        "releasedBy": step.released_by,
        "repeatedIn": step.repeated_in,
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
