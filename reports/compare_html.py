"""The page of a comparison: one file that opens offline and asks nothing of any server."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from reports.charts import STACK
from reports.compare import Comparison
from reports.compare_changes import Change, Outcome
from reports.compare_words import (
    allowed_shown,
    difference_shown,
    headline,
    of_what,
    remarks,
    sentences,
    shown,
)
from reports.exit_codes import ExitCode
from reports.html import embedded_json, plotly, report_environment
from reports.pages import source

Json = dict[str, Any]

_STATES = {ExitCode.PASSED: "passed", ExitCode.FAILED: "failed", ExitCode.INCONCLUSIVE: "inconclusive"}
_BADGES = {Outcome.WORSE: "failed", Outcome.BETTER: "passed", Outcome.UNCLEAR: "inconclusive"}


def comparison_page(comparison: Comparison) -> str:
    """Return the page as HTML, plotly's library, styles and data inside."""
    drawn = list(charts(comparison))
    return (
        report_environment()
        .get_template("compare.html.j2")
        .render(
            comparison=comparison,
            headline=headline(comparison),
            state=_STATES[comparison.exit_code],
            sentences=list(sentences(comparison)),
            changed=[_row(comparison, each) for each in comparison.ordered if each.outcome is not Outcome.SAME],
            same=[_row(comparison, each) for each in comparison.those(Outcome.SAME)],
            charts=drawn,
            data=embedded_json(drawn) if drawn else "",
            style=source("report.css"),
            script=source("chart.js") + source("compare.js"),
            plotly=plotly() if drawn else Markup(""),
        )
    )


def _row(comparison: Comparison, change: Change) -> Json:
    return {
        "metric": change.text,
        "is": of_what(change, comparison.kind),
        "remarks": list(remarks(change, comparison.names)),
        "first": shown(change, change.first),
        "second": shown(change, change.second),
        "difference": difference_shown(change),
        "allowed": allowed_shown(change),
        "outcome": str(change.outcome),
        "badge": _BADGES.get(change.outcome, ""),
    }


def charts(comparison: Comparison) -> Iterator[Json]:
    """Yield the charts: attempts a minute by outcome, and ports by limit, each with a line for either run.

    Nothing where values over all runs are all that is known of one of them.
    """
    sides = [run.charts for run in (comparison.first, comparison.second)]
    if any(side is None for side in sides):
        return
    known = [side for side in sides if side is not None]
    calls = [{each["outcome"]: each["mean"] for each in side["calls"]} for side in known]
    for outcome in STACK:
        if any(outcome in each for each in calls):
            yield _chart(f"Attempts a minute: {outcome}", comparison, known, [each.get(outcome) for each in calls])
    ports = [{each["name"]: each for each in side["ports"]} for side in known]
    for name in dict.fromkeys((*ports[1], *ports[0])):
        both = [each.get(name) for each in ports]
        means = [each and each["mean"] for each in both]
        yield _chart(f"Ports: {name}", comparison, known, means) | {"caps": [each and each["cap"] for each in both]}


def _chart(title: str, comparison: Comparison, sides: list[Json], means: list[list[float] | None]) -> Json:
    return {
        "title": title,
        "lines": [
            {"name": name, "y": mean or [0.0] * _bins(side), "width": side["width"]}
            for name, side, mean in zip(comparison.names, sides, means, strict=True)
        ],
        "caps": [],
    }


def _bins(side: Mapping[str, Any]) -> int:
    """Return how many bins the run of one side has."""
    return max((len(each["mean"]) for each in (*side["calls"], *side["ports"])), default=0)
