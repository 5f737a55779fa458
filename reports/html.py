"""`report.html`: one file that shows a run to people, opens offline and asks nothing of any server.

The body is in the file once for each language, and only one of them is shown. How the parts go together:

- A section is an entry of :data:`reports.sections.SECTIONS` and a template ``report/<name>.html.j2``, without heading;
  values that it needs are added to :func:`reports.sections.facts`. Templates are filled in once for each language.
- What a template says by itself it says with ``say("…", name=value)``; :class:`~scenarios.text.Text` from Python is
  said as it is put out, and the filters (``| duration``, ``| count`` …) say their words too. Names in ids, and links to
  them, are ``id("calls")``, so that no id is there twice. ``python -m docs.translate`` finds all of it.
- A chart is ``{{ chart("calls", alternative, height=420) }}`` of ``report/macros.html.j2`` in a template, and
  ``chart.add("calls", (element, index) => …)`` in a script of :data:`SCRIPTS`; it is called when the container comes
  near on the page that is shown, and again when colours or the language change. ``alternative`` says what the chart
  shows to those who do not see it, the main finding first.
- Numbers of charts are in the data once, from :func:`reports.charts.charts`. Words in the data are ``Text``, and
  scripts put them out with ``say(level.title)``; their own words with ``say("minute {minute}", { minute })``. Names
  that people gave to things are no words: ``escape(name)``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from reports import wording
from reports.charts import charts
from reports.checked import Checked
from reports.combine import Combined
from reports.judge import Judged
from reports.ladder import Kind, Ladder
from reports.ladder_html import drawn_ladders, ladder_style
from reports.origin import Origin
from reports.pages import environment, said_in_script, source
from reports.reasons import reason_text
from reports.sections import SECTIONS, facts
from reports.story import search_text
from scenarios.expectations import Query
from scenarios.metrics import Combine
from scenarios.problems import Mark
from scenarios.text import LANGUAGES, Text, translator

SCRIPTS: Final = (
    "chart.js",
    "timeline.js",
    "chart_calls.js",
    "chart_runbook.js",
    "chart_levels.js",
    "chart_recovery.js",
    "chart_bars.js",
)
"""What draws charts, the one that the others use first."""
NAMES: Final = {"en": "English", "ja": "日本語"}
"""Languages as those who read them call them."""


@dataclass(frozen=True, slots=True)
class Page:
    """The report in one language."""

    language: str
    name: str
    """Of the language."""
    title: str
    skip: str
    """What the link past the language buttons says."""
    body: Markup


def report_text(
    judged: Judged,
    origin: Origin,
    ladders: Mapping[Kind, Ladder] | None = None,
    language: str = LANGUAGES[0],
) -> str:
    """Return the report as HTML, plotly's library, styles and data inside.

    ``ladders``: those of one replication, which has messages. ``language``: the one that is shown first.
    """
    told = facts(judged, origin)
    data = charts(judged) if judged.summaries else {}
    drawing = Markup("").join(map(source, SCRIPTS))
    template = report_environment().get_template("report.html.j2")
    return template.render(
        language=language,
        pages=[_page(judged, told, ladders or {}, each) for each in LANGUAGES],
        style=source("report.css") + (ladder_style() if ladders else Markup()),
        data=embedded_json(data) if data else "",
        words=embedded_json(_words((*said_in_script(drawing), *_texts(data)))),
        plotly=plotly() if data else "",
        drawing=drawing,
        script=source("page.js"),
    )


def _page(judged: Judged, told: Mapping[str, Any], ladders: Mapping[Kind, Ladder], language: str) -> Page:
    say = translator(language)
    known = {**told, "ladders": drawn_ladders(ladders, say)}
    body = (
        report_environment(language)
        .get_template("report/body.html.j2")
        .render(known, sections=[section for section in SECTIONS if section.shown(known)])
    )
    title = f"{say(wording.VERDICTS[judged.verdict])}: {judged.drill.name}"
    return Page(language, NAMES[language], title, say(Text("To what came out")), Markup(body))  # noqa: S704  # escaped


def _words(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return by language what scripts and data say; the first language is what they are written in."""
    return {
        language: {str(text): translator(language)(text) for text in dict.fromkeys(texts)} for language in LANGUAGES[1:]
    }


def _texts(data: object) -> Iterator[Text]:
    """Yield all texts in the data of charts."""
    match data:
        case Text():
            yield data
        case dict():
            for value in data.values():
                yield from _texts(value)
        case list() | tuple():
            for value in data:
                yield from _texts(value)
        case _:
            pass


def embedded_json(data: object) -> Markup:
    """Return JSON that may stand inside a `<script>` element: no text in it can end the element or begin another."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, escape)
    return Markup(text)  # noqa: S704  # nothing is left in it that HTML could read


@cache
def report_environment(language: str = LANGUAGES[0]) -> Environment:
    """Return what fills in templates about runs in a language: words are put as everywhere."""
    made = environment(translator(language))
    made.globals.update(id=lambda name: f"{name}-{language}")
    made.filters.update(
        duration=wording.duration_text,
        cost=wording.cost_text,
        count=wording.count_text,
        share=wording.share_text,
        on=lambda seconds, clock: wording.clock_text(clock, seconds),
        search=search_text,
        reason=reason_text,
        place=_place_words,
        metric=_metric_words,
        interval=_interval_words,
        spread=_spread_words,
    )
    return made


def _place_words(mark: Mark | None, plan: Checked) -> str:
    """Say where something stands: the line of the drill, or that of another file."""
    if mark is None or not mark.line:
        return plan.name_of(mark)
    if mark.file == plan.source:
        return Text("line {line}", line=mark.line)
    return Text("{file}, line {line}", file=mark.file, line=mark.line)


def _metric_words(combined: Combined, query: Query) -> str:
    """Say a combined value, and of what kind it is."""
    text = wording.value_text(combined.value, query.definition.unit)
    if query.definition.combine is not Combine.RUNS or combined.runs == 1:
        return text
    return Text("{value} (median)", value=text)


def _interval_words(combined: Combined, query: Query) -> str:
    """Say the interval of the mean, or that of the median."""
    interval = combined.quantiles[1].interval if combined.quantiles else combined.interval
    return "–" if interval is None else wording.interval_text(interval, query.definition.unit)


def _spread_words(combined: Combined, query: Query) -> str:
    """Say between which values most runs lie."""
    if combined.spread is None or combined.runs == 1:
        return "–"
    return wording.interval_text(combined.spread, query.definition.unit)


_WRAPPED: Final = re.compile(
    r"(?P<notice>/\*\*.*?\*/\n).*?, \(\) => \{\n(?P<library>.*)\nreturn Plotly;\n\}\)\);\s*", re.DOTALL
)
"""Plotly's library in a function for loaders of modules, of which a page has none."""


@cache
def plotly() -> Markup:
    """Return plotly's library for browsers, which the Python package carries.

    Taken out of the function around it, if it is the one that we know: browsers read what is in a function twice,
    first only to find its end, and with 4.6 MB that is a third of the time until a report can be used.
    """
    text = files("plotly").joinpath("package_data", "plotly.min.js").read_text("utf-8")
    if (found := _WRAPPED.fullmatch(text)) is not None:
        text = found["notice"] + found["library"]
    return Markup(text)  # noqa: S704
