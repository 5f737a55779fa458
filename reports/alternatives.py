"""What charts show, said to those who do not see them: the main finding of each, in a sentence or two."""

from collections.abc import Iterator, Sequence

from reports.charts import LOST, Json, Peak
from reports.runbook import StepReport
from reports.story import costliest
from reports.wording import count_text, duration_text, set_apart, share_text
from scenarios.text import Text


def calls_alternative(calls: Sequence[Json], bins: Sequence[float]) -> Text:
    """Say how many attempts had no success, and when they were the most; ``bins``: the seconds of each."""
    attempts = sum(_attempts(series["mean"], bins) for series in calls)
    without = [series["mean"] for series in calls if series["outcome"] in LOST]
    per_minute = [sum(bins) for bins in zip(*without, strict=True)]
    if not per_minute:
        return Text(
            "Call attempts per minute by outcome: of {attempts} attempts in a run none was without success. The table "
            "below has the numbers.",
            attempts=count_text(round(attempts)),
        )
    most = max(per_minute)
    return Text(
        "Call attempts per minute by outcome: of {attempts} attempts in a run {lost} had no success, at worst "
        "{most} a minute, {moment} after the start. The table below has the numbers.",
        attempts=count_text(round(attempts)),
        lost=count_text(round(_attempts(per_minute, bins), 1)),
        most=count_text(round(most, 1)),
        moment=duration_text(sum(bins[: per_minute.index(most)])),
    )


def _attempts(per_minute: Sequence[float], bins: Sequence[float]) -> float:
    return sum(rate * seconds / 60 for rate, seconds in zip(per_minute, bins, strict=True))


def runbook_alternative(steps: Sequence[StepReport]) -> Text:
    """Say which step took most of the way."""
    worst = costliest(steps)
    if worst is None or not worst.critical:
        return Text("Gantt chart of the runbook: no step took any time. The table below has the numbers.")
    return Text(
        "Gantt chart of the runbook: of {count} steps “{step}” took the most time, {share} of the way from the fault "
        "to the end. The table below has the numbers.",
        count=len(steps),
        step=worst.step,
        share=share_text(worst.critical_share),
    )


def ports_alternative(peak: Peak) -> Text:
    """Say how full a limit was."""
    return Text(
        "{limit}: {peak} calls at the same time at most, {share} of the {cap} that are allowed",
        limit=peak.name,
        peak=count_text(peak.peak),
        share=share_text(peak.share),
        cap=count_text(peak.raised),
    )


def level_alternative(level: Json) -> Text:
    """Say between which numbers each line of a chart of levels lies."""
    return Text("{title}: {lines}", title=level["title"], lines=set_apart(_lines(level)))


def _lines(level: Json) -> Iterator[Text]:
    for line in level["lines"]:
        low, high = min(line["low"]), max(line["high"])
        yield Text(
            "{name} between {low} and {high} in the median run",
            name=line["name"],
            low=count_text(low),
            high=count_text(high),
        )
