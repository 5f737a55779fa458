"""The answer in sentences: would this plan have worked, what was lost, which step cost the most time."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from reports.combine import kind_of
from reports.judge import Judged, Judgement
from reports.precision import FIRST, Reached
from reports.runbook import Search, StepReport, step_reports
from reports.statistics import mean
from reports.summary import Loss
from reports.wording import NEVER, cost_text, count_text, duration_text, number_of, reach_text
from scenarios.evidence import Direction, Outcome
from scenarios.model import Verdict
from scenarios.units import format_share

_TOP = 3
"""Reasons for losses that are named."""
_HESITATION = 60.0
"""Seconds before a step was begun from which on that is worth a word."""


def story(judged: Judged) -> tuple[str, ...]:
    """Return the sentences that answer what a drill is run for, the most important first."""
    if not judged.summaries:
        return tuple(_verdict(judged))
    return (*_verdict(judged), *_precision(judged), *_lost_callers(judged), *_lost_calls(judged), *_runbook(judged))


def _verdict(judged: Judged) -> Iterator[str]:
    runs = number_of(len(judged.summaries), "run")
    asked = number_of(len(judged.judgements), "expectation")
    match judged.verdict:
        case Verdict.PASSED:
            hold = "The one expectation holds" if len(judged.judgements) == 1 else f"All {asked} hold"
            effect = ", and every fault took effect in each of them" if judged.drill.faults else ""
            yield f"The plan worked. {hold} over {runs}{effect}."
        case Verdict.FAILED:
            failed = [_named(item) for item in judged.judgements if item.verdict is Verdict.FAILED]
            do = "does" if len(failed) == 1 else "do"
            yield f"The plan did not work. {len(failed)} of {asked} {do} not hold: {'; '.join(failed)}."
        case Verdict.INCONCLUSIVE:
            yield f"It cannot be said whether the plan works: {'; '.join(_doubts(judged))}."
    expected = judged.drill.expected_verdict
    if expected is not Verdict.PASSED:
        came = "and so it did" if judged.as_expected else f"but it came out {judged.verdict}"
        yield f"This drill is meant to come out {expected}, {came}."


def _named(judgement: Judgement) -> str:
    if judgement.held is not None and judgement.held.of > 1:
        return f"{judgement.expectation.text} held in {judgement.held.runs} of {judgement.held.of} runs"
    return f"{judgement.expectation.text} came out at {judgement.shown}"


def _doubts(judged: Judged) -> tuple[str, ...]:
    unclear = (item.expectation.text for item in judged.judgements if item.verdict is Verdict.INCONCLUSIVE)
    return judged.no_evidence or (f"what stays open is {', '.join(unclear)}",)


def _precision(judged: Judged) -> Iterator[str]:
    """Say whether intervals are as narrow as they were asked to be."""
    found = judged.precision
    if found is None:
        return
    runs = number_of(found.runs, "run")
    if found.reached:
        widths = "; ".join(_width(goal) for goal in found.goals)
        yield f"After {runs} the intervals are as narrow as asked for: {widths}."
        return
    open_ = "; ".join(_width(goal) for goal in found.goals if not goal.enough)
    needed = f" About {number_of(found.needed, 'run')} would do." if found.needed is not None else ""
    few = f" Widths count from {FIRST} runs on." if found.runs < FIRST else ""
    yield f"The precision asked for is not reached with {runs}: {open_}.{needed}{few}"


def _width(goal: Reached) -> str:
    query = goal.goal.query
    if goal.reach is None:
        return f"{query} has no interval"
    unit = query.definition.unit
    of = f"the {kind_of(query)} of {query}"
    if math.isinf(goal.reach):
        return f"{of} may be {NEVER}"
    reach, asked = reach_text(goal.reach, unit), reach_text(goal.asked, unit)
    return f"{of} {reach}, asked for {asked}"


def _lost_callers(judged: Judged) -> Iterator[str]:
    callers = mean([summary.callers for summary in judged.summaries])
    lost = mean([summary.callers_lost for summary in judged.summaries])
    if not lost:
        yield "No caller was lost."
    else:
        average = "On average " if len(judged.summaries) > 1 else ""
        share = format_share(round(lost / callers, 3))
        yield (
            f"{average}{count_text(lost)} of {count_text(callers)} callers ({share}) never got through, "
            "or were cut off and did not get through again."
        )


def _lost_calls(judged: Judged) -> Iterator[str]:
    losses = mean_losses(judged)
    dropped = sum(count for loss, count in losses if loss.outcome is Outcome.DROPPED)
    if dropped:
        yield f"Calls cut off by a fault: {count_text(dropped)}."
    if losses:
        top = (f"{count_text(count)} {loss_text(loss)}" for loss, count in losses[:_TOP])
        yield f"Attempts without success, most first: {'; '.join(top)}."


def mean_losses(judged: Judged) -> list[tuple[Loss, float]]:
    """Return the mean number of attempts without success in a run by what became of them, most first."""
    losses: Counter[Loss] = Counter()
    for summary in judged.summaries:
        losses.update(summary.losses)
    return [(loss, count / len(judged.summaries)) for loss, count in losses.most_common()]


def loss_text(loss: Loss) -> str:
    """Return ``failed on 0120-123-456 (nothing answers)`` and the like."""
    if loss.direction is Direction.INBOUND:
        where = f"on {loss.number}"
    else:
        where = f"going out with {loss.number}" if loss.number else "going out"
    return f"{loss.outcome} {where}" + (f" ({loss.reason})" if loss.reason else "")


def _runbook(judged: Judged) -> Iterator[str]:
    steps = step_reports(judged.drill, judged.summaries)
    least = min(steps, key=lambda step: step.finished_in, default=None)
    if least is not None and least.finished_in < least.runs:
        open_in = f"{least.runs - least.finished_in} of {number_of(least.runs, 'run')}"
        yield f"The runbook was not finished in {open_in}: “{least.step}” stood open."
    yield from _absences(steps)
    worst = max(steps, key=lambda step: step.critical, default=None)
    if worst is not None and worst.cost:
        yield _costliest(worst, worst.cost)


def _absences(steps: Sequence[StepReport]) -> Iterator[str]:
    """Tell of the step that waited longest for somebody to take it."""
    waited = [(step, step.search) for step in steps if step.search is not None]
    if waited:
        yield search_text(*max(waited, key=lambda item: item[1].mean * item[1].runs))


def search_text(step: StepReport, search: Search) -> str:
    """Say for how long nobody was there to take a step, and who was reached in the end."""
    reached = ", ".join(f"{name or 'nobody'} in {number_of(runs, 'run')}" for name, runs in search.reached.items())
    return (
        f"Nobody was there for “{step.step}” in {search.runs} of {number_of(step.runs, 'run')}: {step.by} was sought "
        f"for {duration_text(search.mean)} on average. Reached in the end: {reached}."
    )


def _costliest(step: StepReport, cost: float) -> str:
    waited, hesitated = step.waited or 0.0, step.before_start or 0.0
    parts = [f"{duration_text(hesitated)} of it before anyone began"] if hesitated >= _HESITATION else []
    parts += [f"{duration_text(waited)} of it waiting for its conditions"] if waited >= _HESITATION else []
    hesitation = "".join(f", {part}" for part in parts)
    share = format_share(round(step.critical_share, 2))
    took = cost_text(cost, least=step.open_in > 0)
    return (
        f"The step that cost the most time is “{step.step}”: {took} on average{hesitation}; "
        f"that is {share} of the way from the fault to the end of the runbook."
    )
