"""The top of the report: four questions, each answered in a few words that are read in ten seconds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.judge import Judged
from reports.runbook import StepReport, step_reports
from reports.story import costliest, expectations_text, expected_text, failed_text, loss_text, lost_callers, mean_losses
from reports.wording import cost_text, count_text, part_of_runs, runs_text
from scenarios.evidence import Outcome
from scenarios.model import Verdict
from scenarios.text import Text
from scenarios.units import format_share

_MOST = 3
"""Lines of an answer before the rest is counted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with its answer."""

    kind: str
    """`verdict`, `why`, `lost` or `time`."""
    question: Text
    figure: str
    """What is read first; of the verdict nothing, which is shown as such."""
    lines: Sequence[Text]


def headline(judged: Judged) -> tuple[Answer, ...]:
    """Return the verdict, why, what was lost and what cost the most time, as far as there is anything to say."""
    answers = [
        Answer("verdict", Text("Verdict"), "", tuple(_verdict(judged))),
        Answer("why", Text("Why"), "", _shortened(tuple(_why(judged)))),
    ]
    if judged.summaries:
        answers.append(_lost(judged))
        worst = costliest(step_reports(judged.drill, judged.summaries))
        if worst is not None and worst.cost:
            answers.append(_time(worst, worst.cost))
    return tuple(answers)


def warnings(judged: Judged) -> Iterator[Text]:
    """Say what must be known before anything else is read: that the run is not whole."""
    if judged.unfinished:
        yield Text(
            "{how_far}. What stands here is what it had come to, and is no evidence; it goes on, or it was killed.",
            how_far=judged.how_far(),
        )
    elif judged.interrupted:
        yield Text(
            "This run was stopped before its end. What stands here is about {done} of {asked} replications, and is no "
            "evidence.",
            done=len(judged.summaries),
            asked=judged.drill.run.replications,
        )


def _verdict(judged: Judged) -> Iterator[Text]:
    match judged.verdict:
        case Verdict.PASSED:
            yield Text("The plan worked.")
        case Verdict.FAILED:
            yield Text("The plan did not work.")
        case Verdict.INCONCLUSIVE:
            yield Text("It cannot be said whether the plan works.")
    if judged.drill.expected_verdict is not Verdict.PASSED:
        yield expected_text(judged)


def _why(judged: Judged) -> Iterator[Text]:
    match judged.verdict:
        case Verdict.PASSED:
            runs = runs_text(len(judged.summaries))
            if len(judged.judgements) == 1:
                yield Text("The one expectation holds over {runs}.", runs=runs)
            else:
                yield Text("All {asked} hold over {runs}.", asked=expectations_text(len(judged.judgements)), runs=runs)
            if judged.drill.faults:
                yield Text("Every fault took effect in every run.")
        case Verdict.FAILED:
            for judgement in judged.judgements:
                if judgement.verdict is Verdict.FAILED:
                    yield failed_text(judgement)
        case Verdict.INCONCLUSIVE:
            yield from judged.no_evidence
            for judgement in judged.judgements:
                if judgement.verdict is Verdict.INCONCLUSIVE and not judged.no_evidence:
                    yield Text("open: {expectation}", expectation=judgement.expectation.text)


def _shortened(lines: tuple[Text, ...]) -> tuple[Text, ...]:
    """Return the first lines, and how many more there are."""
    if len(lines) <= _MOST:
        return lines
    return (*lines[:_MOST], Text("and {count} more", count=len(lines) - _MOST))


def _lost(judged: Judged) -> Answer:
    question = Text("What was lost")
    lost, callers = lost_callers(judged)
    losses = mean_losses(judged)
    lines = []
    if lost:
        figure = Text("{lost} of {callers} callers", lost=count_text(lost), callers=count_text(callers))
        share = format_share(round(lost / callers, 3))
        lines.append(
            Text("{share} of callers, on average over the runs", share=share)
            if len(judged.summaries) > 1
            else Text("{share} of callers", share=share)
        )
    else:
        figure = Text("no caller")
    dropped = sum(count for loss, count in losses if loss.outcome is Outcome.DROPPED)
    if dropped:
        lines.append(Text("Calls cut off by a fault: {count}.", count=count_text(dropped)))
    if losses:
        loss, count = losses[0]
        lines.append(Text("Most often: {count} {loss}.", count=count_text(count), loss=loss_text(loss)))
    return Answer("lost", question, figure, lines)


def _time(step: StepReport, cost: float) -> Answer:
    lines = [
        Text(
            "{duration} on average, {share} of the way from the fault to the end of the runbook",
            duration=cost_text(cost, least=step.open_in > 0),
            share=format_share(round(step.critical_share, 2)),
        )
    ]
    if step.open_in:
        lines.append(Text("Open at the end in {runs}.", runs=part_of_runs(step.open_in, step.runs)))
    return Answer("time", Text("What cost the most time"), step.step, lines)
