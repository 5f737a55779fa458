"""`report.html`: one file that shows a run to people, opens offline and asks nothing of any server."""

import json
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports import wording
from reports.charts import calls_per_minute, charts, peaks
from reports.checked import Checked
from reports.combine import Combined
from reports.judge import Judged
from reports.origin import Origin, software
from reports.runbook import step_reports
from reports.story import mean_losses, search_text, story
from scenarios.expectations import Query
from scenarios.metrics import Combine
from scenarios.problems import Mark

_TEMPLATES = "templates"


def report_text(judged: Judged, origin: Origin) -> str:
    """Return the report as HTML, plotly's library, styles and data inside."""
    drill, summaries = judged.drill, judged.summaries
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            judged=judged,
            drill=drill,
            origin=origin,
            clock=drill.run.clock,
            story=story(judged),
            steps=step_reports(drill, summaries),
            conditions=any(step.when for step in drill.runbook),
            losses=mean_losses(judged) if summaries else [],
            peaks=peaks(drill, summaries) if summaries else [],
            calls=calls_per_minute(summaries) if summaries else [],
            data=embedded_json(charts(judged)) if summaries else "",
            command=origin.command(judged.engine, judged.seed, drill.run.replications),
            software=software(),
            style=source("report.css"),
            script=source("chart.js") + source("report.js"),
            plotly=plotly(),
        )
    )


def embedded_json(data: object) -> Markup:
    """Return JSON that may stand inside a `<script>` element: no text in it can end the element or begin another."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, escape)
    return Markup(text)  # noqa: S704  # nothing is left in it that HTML could read


@cache
def environment() -> Environment:
    """Return what fills in our templates: texts are escaped, and words are put as everywhere."""
    environment = Environment(
        loader=PackageLoader("reports", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        duration=wording.duration_text,
        cost=wording.cost_text,
        count=wording.count_text,
        share=wording.share_text,
        on=lambda seconds, clock: wording.clock_text(clock, seconds),
        search=search_text,
        place=_place_words,
        metric=_metric_words,
        interval=_interval_words,
        spread=_spread_words,
    )
    return environment


def _place_words(mark: Mark | None, plan: Checked) -> str:
    """Say where something stands: the line of the drill, or that of another file."""
    if mark is None or not mark.line:
        return plan.name_of(mark)
    return f"line {mark.line}" if mark.file == plan.source else f"{mark.file}, line {mark.line}"


def _metric_words(combined: Combined, query: Query) -> str:
    """Say a combined value, and of what kind it is."""
    text = wording.value_text(combined.value, query.definition.unit)
    return f"{text} (median)" if query.definition.combine is Combine.RUNS and combined.runs > 1 else text


def _interval_words(combined: Combined, query: Query) -> str:
    """Say the interval of the mean, or that of the median."""
    interval = combined.quantiles[1].interval if combined.quantiles else combined.interval
    return "–" if interval is None else wording.interval_text(interval, query.definition.unit)


def _spread_words(combined: Combined, query: Query) -> str:
    """Say between which values most runs lie."""
    if combined.spread is None or combined.runs == 1:
        return "–"
    return wording.interval_text(combined.spread, query.definition.unit)


@cache
def source(name: str) -> Markup:
    """Return a style sheet or script of ours as it stands."""
    return Markup(files("reports").joinpath(_TEMPLATES, name).read_text("utf-8"))  # noqa: S704


@cache
def plotly() -> Markup:
    """Return plotly's library for browsers, which the Python package carries."""
    return Markup(files("plotly").joinpath("package_data", "plotly.min.js").read_text("utf-8"))  # noqa: S704
