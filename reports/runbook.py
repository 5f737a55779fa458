"""The runbook as it went: when each step happened, what it cost, and which steps the end had to wait for."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import fsum

from reports.statistics import mean, quantile
from reports.summary import RunSummary, StepRun
from scenarios.model import Drill, Step


@dataclass(frozen=True, slots=True)
class Spread:
    """A moment over the runs that reached it, in seconds since the start of the run."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class Search:
    """The runs in which the actor of a step was not there, and had to be reached."""

    runs: int
    mean: float
    """Mean seconds until somebody was reached, or to the end of the run."""
    reached: Mapping[str, int]
    """Who was reached and in how many runs, most first; the empty name stands for nobody."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step over all runs. Its moments are about the runs in which it was finished, what it cost about all in which
    it was ready: where it was open at the end of the run, it cost more than can be seen."""

    step: str
    by: str
    runs: int
    finished_in: int
    """Runs in which it was finished."""
    open_in: int
    """Runs in which it was ready, and open when they ended; where it is not 0, costs are the least they can be."""
    ready: Spread | None
    started: Spread | None
    finished: Spread | None
    open_since: Spread | None
    """When it was ready in the runs in which it was open at the end."""
    open_begun: Spread | None
    """When it was begun in those of them in which it was."""
    released_by: str
    """The fault or step that set it off in most runs; empty where it was never ready."""
    repeated_in: int
    """Runs in which a try had no success."""
    cost: float | None
    """Mean seconds from ready to finished, or to the end of the run."""
    before_start: float | None
    """Mean seconds, where it was begun, of that in which people had not: deciding, or busy with something else."""
    waited: float | None
    """Mean seconds of that in which its conditions kept them from it."""
    repeats: float | None
    """Mean number of tries without success."""
    search: Search | None
    """How long nobody was there to take it; None where somebody always was."""
    critical_in: int
    """Runs in which the end of the runbook had to wait for it, or waits still."""
    critical: float
    """Mean seconds that it added to the critical path, over all runs."""
    critical_share: float
    """Its share of the time on the critical paths of all runs."""


def critical_path(steps: Mapping[str, StepRun]) -> list[str]:
    """Return the steps that the end of the runbook had to wait for, the first of them first.

    The last is the one that finished last; or, of those that are open, the one that has been ready longest.
    """
    ended = {name: step.finished for name, step in steps.items() if step.finished is not None}
    waiting = {name: step.ready for name, step in steps.items() if step.open and step.ready is not None}
    if waiting:
        path = [min(waiting, key=lambda name: waiting[name])]
    elif ended:
        path = [max(ended, key=lambda name: ended[name])]
    else:
        return []
    while (before := steps[path[-1]].released_by) in ended and before not in path:
        path.append(before)
    return path[::-1]


def played_until(drill: Drill, summaries: Sequence[RunSummary]) -> float:
    """Return the end of the run, or how far one that goes on has come, in seconds."""
    return min((summary.until for summary in summaries if summary.until is not None), default=drill.run.lasts)


def step_reports(drill: Drill, summaries: Sequence[RunSummary]) -> tuple[StepReport, ...]:
    """Return the steps of the runbook in file order, over all runs; one that goes on is alone, and ends where it is."""
    end = played_until(drill, summaries)
    on_path: dict[str, list[float]] = {step.step: [] for step in drill.runbook}
    for summary in summaries:
        for name in critical_path(summary.steps):
            on_path[name].append(summary.steps[name].cost(end) or 0.0)
    whole = fsum(chain.from_iterable(on_path.values()))
    return tuple(
        _report(step, [summary.steps[step.step] for summary in summaries], on_path[step.step], whole, end)
        for step in drill.runbook
    )


def _report(step: Step, went: Sequence[StepRun], on_path: Sequence[float], whole: float, end: float) -> StepReport:
    done = [run for run in went if run.finished is not None]
    return StepReport(
        step=step.step,
        by=step.by,
        runs=len(went),
        finished_in=len(done),
        open_in=sum(run.open for run in went),
        ready=_spread(run.ready for run in done),
        started=_spread(run.started for run in done),
        finished=_spread(run.finished for run in done),
        open_since=_spread(run.ready for run in went if run.open),
        open_begun=_spread(run.started for run in went if run.open),
        released_by=_most_often(run.released_by for run in went if run.released_by),
        repeated_in=sum(run.repeats > 0 for run in went),
        cost=_mean(run.cost(end) for run in went),
        before_start=_mean(run.hesitation for run in went),
        waited=_mean(run.waiting(end) for run in went),
        repeats=_mean(run.repeats for run in went if run.ready is not None),
        search=_search(went, end),
        critical_in=len(on_path),
        critical=fsum(on_path) / max(len(went), 1),
        critical_share=fsum(on_path) / whole if whole else 0.0,
    )


def _search(went: Sequence[StepRun], lasts: float) -> Search | None:
    sought = [(run, run.sought) for run in went if run.sought is not None]
    if not sought:
        return None
    waits = [(lasts if run.reached is None else run.reached) - since for run, since in sought]
    return Search(len(sought), mean(waits), dict(Counter(run.reached_by for run, _ in sought).most_common()))


def _most_often(names: Iterable[str]) -> str:
    return next((name for name, _ in Counter(names).most_common(1)), "")


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known else None


def _spread(moments: Iterable[float | None]) -> Spread | None:
    known = [moment for moment in moments if moment is not None]
    return Spread(*(quantile(known, share) for share in (0.1, 0.5, 0.9))) if known else None
