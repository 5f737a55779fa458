"""The answer in sentences: would this plan have worked, what was lost, which step cost the most time."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from reports.judge import Judged, Judgement
from reports.precision import FIRST, Reached
from reports.reasons import reason_text
from reports.runbook import Search, StepReport, step_reports
from reports.statistics import mean
from reports.summary import Loss
from reports.wording import (
    OUTCOMES,
    VERDICTS,
    cost_text,
    count_text,
    duration_text,
    listed,
    part_of_runs,
    reach_text,
    runs_text,
    set_apart,
)
from scenarios.evidence import Direction, Outcome
from scenarios.metrics import Combine
from scenarios.model import Verdict
from scenarios.text import Text
from scenarios.units import format_share

_TOP = 3
"""Reasons for losses that are named."""
_HESITATION = 60.0
"""Seconds before a step was begun from which on that is worth a word."""


def story(judged: Judged) -> tuple[Text, ...]:
    """Return the sentences that answer what a drill is run for, the most important first."""
    if not judged.summaries:
        return tuple(_verdict(judged))
    return (*_verdict(judged), *_precision(judged), *_lost_callers(judged), *_lost_calls(judged), *_runbook(judged))


def _verdict(judged: Judged) -> Iterator[Text]:
    match judged.verdict:
        case Verdict.PASSED:
            yield _passed(judged)
        case Verdict.FAILED:
            failed = [item for item in judged.judgements if item.verdict is Verdict.FAILED]
            named = set_apart(map(failed_text, failed))
            asked = expectations_text(len(judged.judgements))
            if len(failed) == 1:
                yield Text("The plan did not work. 1 of {asked} does not hold: {failed}.", asked=asked, failed=named)
            else:
                yield Text(
                    "The plan did not work. {count} of {asked} do not hold: {failed}.",
                    count=len(failed),
                    asked=asked,
                    failed=named,
                )
        case Verdict.INCONCLUSIVE:
            yield Text("It cannot be said whether the plan works: {doubts}.", doubts=set_apart(_doubts(judged)))
    if judged.drill.expected_verdict is not Verdict.PASSED:
        yield expected_text(judged)


def _passed(judged: Judged) -> Text:
    runs = runs_text(len(judged.summaries))
    count = len(judged.judgements)
    if judged.drill.faults:
        if count == 1:
            return Text(
                "The plan worked. The one expectation holds over {runs}, and every fault took effect in each of them.",
                runs=runs,
            )
        return Text(
            "The plan worked. All {asked} hold over {runs}, and every fault took effect in each of them.",
            asked=expectations_text(count),
            runs=runs,
        )
    if count == 1:
        return Text("The plan worked. The one expectation holds over {runs}.", runs=runs)
    return Text("The plan worked. All {asked} hold over {runs}.", asked=expectations_text(count), runs=runs)


def expected_text(judged: Judged) -> Text:
    """Say which verdict a drill is meant to have, and whether it has it."""
    expected, verdict = VERDICTS[judged.drill.expected_verdict], VERDICTS[judged.verdict]
    if judged.as_expected:
        return Text("This drill is meant to come out {expected}, and so it did.", expected=expected)
    return Text(
        "This drill is meant to come out {expected}, but it came out {verdict}.", expected=expected, verdict=verdict
    )


def expectations_text(count: int) -> Text:
    """Return ``1 expectation``, ``2 expectations``."""
    return Text("1 expectation") if count == 1 else Text("{count} expectations", count=f"{count:,}")


def failed_text(judgement: Judgement) -> Text:
    """Say what an expectation that does not hold came to."""
    expectation, held = judgement.expectation.text, judgement.held
    if held is not None and held.of > 1:
        return Text(
            "{expectation} held in {part} of {runs} runs", expectation=expectation, part=held.runs, runs=held.of
        )
    return Text("{expectation} came out at {value}", expectation=expectation, value=judgement.shown)


def _doubts(judged: Judged) -> tuple[Text, ...]:
    """Say why a run without a verdict has none, one clause each."""
    if judged.no_evidence:
        return judged.no_evidence
    unclear = [item.expectation.text for item in judged.judgements if item.verdict is Verdict.INCONCLUSIVE]
    return (Text("what stays open is {expectations}", expectations=listed(unclear)),) if unclear else ()


def _precision(judged: Judged) -> Iterator[Text]:
    """Say whether intervals are as narrow as they were asked to be."""
    found = judged.precision
    if found is None:
        return
    runs = runs_text(found.runs)
    if found.reached:
        widths = set_apart(map(_width, found.goals))
        yield Text("After {runs} the intervals are as narrow as asked for: {widths}.", runs=runs, widths=widths)
        return
    open_ = set_apart(_width(goal) for goal in found.goals if not goal.enough)
    told = [Text("The precision asked for is not reached with {runs}: {widths}.", runs=runs, widths=open_)]
    if found.needed is not None:
        told.append(Text("About {runs} would do.", runs=runs_text(found.needed)))
    if found.runs < FIRST:
        told.append(Text("Widths count from {runs} runs on.", runs=FIRST))
    yield _sentences(told)


def _sentences(several: Sequence[Text]) -> Text:
    """Return sentences one after the other."""
    first, *more = several
    return Text("{one} {more}", one=first, more=_sentences(more)) if more else first


def _width(goal: Reached) -> Text:
    query = goal.goal.query
    if goal.reach is None:
        return Text("{query} has no interval", query=query)
    unit = query.definition.unit
    of = Text("the median of {query}", query=query)
    if query.definition.combine is Combine.INTERVAL:
        of = Text("the mean of {query}", query=query)
    if math.isinf(goal.reach):
        return Text("{value} may be never", value=of)
    reach, asked = reach_text(goal.reach, unit), reach_text(goal.asked, unit)
    return Text("{value} {reach}, asked for {asked}", value=of, reach=reach, asked=asked)


def lost_callers(judged: Judged) -> tuple[float, float]:
    """Return how many callers of a run were lost and how many there were, on the mean."""
    callers = mean([summary.callers for summary in judged.summaries])
    return mean([summary.callers_lost for summary in judged.summaries]), callers


def _lost_callers(judged: Judged) -> Iterator[Text]:
    lost, callers = lost_callers(judged)
    if not lost:
        yield Text("No caller was lost.")
        return
    said = {
        "lost": count_text(lost),
        "callers": count_text(callers),
        "share": format_share(round(lost / callers, 3)),
    }
    if len(judged.summaries) > 1:
        yield Text(
            "On average {lost} of {callers} callers ({share}) never got through, or were cut off and did not get "
            "through again.",
            **said,
        )
    else:
        yield Text(
            "{lost} of {callers} callers ({share}) never got through, or were cut off and did not get through again.",
            **said,
        )


def _lost_calls(judged: Judged) -> Iterator[Text]:
    losses = mean_losses(judged)
    dropped = sum(count for loss, count in losses if loss.outcome is Outcome.DROPPED)
    if dropped:
        yield Text("Calls cut off by a fault: {count}.", count=count_text(dropped))
    if losses:
        top = (Text("{count} {loss}", count=count_text(count), loss=loss_text(loss)) for loss, count in losses[:_TOP])
        yield Text("Attempts without success, most first: {losses}.", losses=set_apart(top))


def mean_losses(judged: Judged) -> list[tuple[Loss, float]]:
    """Return the mean number of attempts without success in a run by what became of them, most first."""
    losses: Counter[Loss] = Counter()
    for summary in judged.summaries:
        losses.update(summary.losses)
    return [(loss, count / len(judged.summaries)) for loss, count in losses.most_common()]


def loss_text(loss: Loss) -> Text:
    """Return ``failed on 0120-123-456 (nothing answers)`` and the like."""
    outcome, number = OUTCOMES[loss.outcome], loss.number
    if loss.direction is Direction.INBOUND:
        told = Text("{outcome} on {number}", outcome=outcome, number=number)
    elif number:
        told = Text("{outcome} going out with {number}", outcome=outcome, number=number)
    else:
        told = Text("{outcome} going out", outcome=outcome)
    return Text("{what} ({reason})", what=told, reason=reason_text(loss.reason)) if loss.reason else told


def _runbook(judged: Judged) -> Iterator[Text]:
    steps = step_reports(judged.drill, judged.summaries)
    least = min(steps, key=lambda step: step.finished_in, default=None)
    if least is not None and least.finished_in < least.runs:
        yield Text(
            "The runbook was not finished in {runs}: “{step}” stood open.",
            runs=part_of_runs(least.runs - least.finished_in, least.runs),
            step=least.step,
        )
    yield from _absences(steps)
    worst = costliest(steps)
    if worst is not None and worst.cost:
        yield _costliest(worst, worst.cost)


def costliest(steps: Sequence[StepReport]) -> StepReport | None:
    """Return the step that the end of the runbook had to wait for longest."""
    return max(steps, key=lambda step: step.critical, default=None)


def _absences(steps: Sequence[StepReport]) -> Iterator[Text]:
    """Tell of the step that waited longest for somebody to take it."""
    waited = [(step, step.search) for step in steps if step.search is not None]
    if waited:
        yield search_text(*max(waited, key=lambda item: item[1].mean * item[1].runs))


def search_text(step: StepReport, search: Search) -> Text:
    """Say for how long nobody was there to take a step, and who was reached in the end."""
    return Text(
        "Nobody was there for “{step}” in {runs}: {actor} was sought for {duration} on average. Reached in the end: "
        "{reached}.",
        step=step.step,
        runs=part_of_runs(search.runs, step.runs),
        actor=step.by,
        duration=duration_text(search.mean),
        reached=listed(
            Text("{name} in {runs}", name=name or Text("nobody"), runs=runs_text(runs))
            for name, runs in search.reached.items()
        ),
    )


def _costliest(step: StepReport, cost: float) -> Text:
    waited, hesitated = step.waited or 0.0, step.before_start or 0.0
    took = Text("{duration} on average", duration=cost_text(cost, least=step.open_in > 0))
    if hesitated >= _HESITATION:
        took = Text("{took}, {duration} of it before anyone began", took=took, duration=duration_text(hesitated))
    if waited >= _HESITATION:
        took = Text("{took}, {duration} of it waiting for its conditions", took=took, duration=duration_text(waited))
    return Text(
        "The step that cost the most time is “{step}”: {took}; that is {share} of the way from the fault to the end of "
        "the runbook.",
        step=step.step,
        took=took,
        share=format_share(round(step.critical_share, 2)),
    )
