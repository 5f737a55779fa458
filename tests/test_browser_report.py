"""Reports of five drills as a browser shows them: values of `result.json`, keys, paper, languages, darkness, phones."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page
from typer.testing import CliRunner

from kirikae.cli import app
from tests.browser import (
    AA,
    PAPER,
    PHONE,
    Browser,
    Chart,
    barriers,
    browser,
    charts,
    controls,
    draw_all,
    look,
    off_paper,
    palest,
    printed,
    result_of,
    tab_through,
    too_wide,
)

__all__ = ["browser"]  # a fixture, which tests find by its name in the module

pytestmark = [
    pytest.mark.slow,
    pytest.mark.lab(needs=["chromium", "font:ja", "pdftotext"]),
    pytest.mark.xdist_group("report"),
]

DRILLS = {
    "lost-site": ["tokyo-osaka-dr", "-n", "3", "--no-calls"],
    "packets": [
        *("sbc-pair-takeover", "-n", "2", "--engine", "packets"),
        *("--set", "run.for=20s", "--set", "traffic[0].arrivals=8/s"),
    ],
    "queue": ["softphone-reconnect", "-n", "2", "--set", "expect=['asr > 50%']", "--no-calls"],
    "port-exhaustion": ["port-exhaustion", "-n", "2", "--no-calls"],
    "biztel": ["login-at-the-lost-site", "-n", "3", "--no-calls"],
}
"""A site lost with a runbook, messages with ladders, queues and phones, more calls than ports, a biztel contract."""
MOST = list(DRILLS)[:2]
"""Those whose reports have all sections between them. The first, as pytest knows parameters of a fixture by number."""
VERDICTS = {
    "passed": ("passed", "合格"),
    "failed": ("failed", "不合格"),
    "inconclusive": ("inconclusive", "判定不能"),
}
A4 = (210 / 25.4 * 96, 297 / 25.4 * 96)
"""CSS pixels."""
MOMENTS = ("ready", "started", "finished")
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")


class Shown(NamedTuple):
    """A report that is open, what is drawn in it, and what the run has written for programs."""

    page: Page
    charts: dict[str, list[Chart]]
    """As they are in English on a desk."""
    result: dict[str, Any]

    def switch(self, language: str) -> None:
        """Press the button of a language."""
        self.page.locator(f"button[data-language={language}]").press("Enter")


@pytest.fixture(scope="module", params=DRILLS)
def shown(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    out = tmp_path_factory.mktemp("runs") / request.param
    words = ["run", *DRILLS[request.param], "--seed", "1", "--workers", "1", "--out", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code in (0, 1, 3), done.output
    with browser.open(out / "report.html") as page:
        draw_all(page)
        yield Shown(page, charts(page), result_of(out))


def metrics(shown: Shown) -> list[tuple[str, dict[str, Any]]]:
    """Return all metrics of a run with what came out."""
    return list(shown.result["metrics"].items())


def is_known(found: dict[str, Any]) -> bool:
    """Return whether a metric has a value, if only that it never happens."""
    return found["value"] is not None or found["never"]


def total(found: dict[str, Any]) -> float:
    """Return the sum of a metric over two or three runs, whose median, least and most are known."""
    ends: float = found["lowest"] + found["highest"]
    return ends + (found["value"] if found["runs"] == 3 else 0)


# What is drawn


def test_every_chart_is_drawn_and_has_a_name(shown: Shown) -> None:
    found = shown.charts
    assert found["calls"]
    assert found["ports"]
    for kind, there in (
        ("runbook", shown.result["steps"]),
        ("losses", shown.result["losses"]),
        ("recovery", any(query.startswith("recovery_time") and is_known(value) for query, value in metrics(shown))),
        ("service", any(query.startswith("service_level{queue=") for query, _ in metrics(shown))),
    ):
        assert (kind in found) == bool(there), kind
    labels = [chart.label for of_kind in found.values() for chart in of_kind]
    assert len(set(labels)) == len(labels) > 2
    for of_kind in found.values():
        for chart in of_kind:
            assert chart.data
            assert chart.texts
            assert min(chart.height, chart.width) > 100


def test_attempts_are_those_of_the_result(shown: Shown) -> None:
    """Calls that were up before the start are in the losses, but no attempts of the run."""
    runs = shown.result["replications"]["done"]
    (chart,) = shown.charts["calls"]
    drawn = {trace["name"]: sum(trace["y"]) * trace["width"] for trace in chart.data}
    nearly = 0.001 * len(chart.data[0]["y"])  # values have three digits
    lost: dict[str, float] = defaultdict(float)
    for loss in shown.result["losses"]:
        lost[loss["outcome"]] += loss["mean"]
    for outcome in ("failed", "blocked", "abandoned"):
        assert drawn.get(outcome, 0) == pytest.approx(lost[outcome], abs=nearly), outcome
    assert drawn.get("dropped", 0) <= lost["dropped"] + nearly
    assert sum(drawn.values()) == pytest.approx(total(shown.result["metrics"]["attempts"]) / runs, rel=0.05)


def test_peaks_and_limits_are_those_of_the_result(shown: Shown) -> None:
    peaks = shown.result["metrics"]
    drawn = shown.charts["ports"]
    names = [
        query[len("ports_peak{limit=") : -1] for query in peaks if re.fullmatch(r"ports_peak\{limit=[^,]+\}", query)
    ]
    assert {
        next(name for name in names if chart.layout["title"]["text"].startswith(f"{name}:")) for chart in drawn
    } == {*names}
    for chart in drawn:
        name, _, cap = chart.layout["title"]["text"].partition(": limit ")
        highest, median = chart.data
        assert max(highest["y"]) == peaks[f"ports_peak{{limit={name}}}"]["highest"]
        assert all(low <= high for low, high in zip(median["y"], highest["y"], strict=True))
        line = chart.layout["shapes"][-1]
        assert line["y0"] == line["y1"] == int(cap) < chart.layout["yaxis"]["range"][1]
    row = shown.page.locator("main [data-page]:not([hidden]) .section-ports tbody tr")
    assert row.count() == len(names)


def test_steps_are_those_of_the_result(shown: Shown) -> None:
    steps = [step for step in shown.result["steps"] if step["finished"]]
    if not steps:
        assert "runbook" not in shown.charts
        return
    (chart,) = shown.charts["runbook"]
    waits, work, _, begun, ends = chart.data
    for row, step in enumerate(steps):
        ready, started, finished = ({part: at / 60 for part, at in step[moment].items()} for moment in MOMENTS)
        assert waits["base"][row] == pytest.approx(ready["p50"], abs=0.001)
        assert waits["base"][row] + waits["x"][row] == pytest.approx(started["p50"], abs=0.002)
        assert work["base"][row] == pytest.approx(started["p50"], abs=0.001)
        assert work["base"][row] + work["x"][row] == pytest.approx(finished["p50"], abs=0.002)
        for points, moment in ((begun, started), (ends, finished)):
            at, spread = points["x"][row], points["error_x"]
            assert (at - spread["arrayminus"][row], at, at + spread["array"][row]) == pytest.approx(
                (moment["p10"], moment["p50"], moment["p90"]), abs=0.002
            )
        assert any(f" {step['step']}" in text for text in chart.texts)


def test_registers_are_those_of_the_result(shown: Shown) -> None:
    peaks = {
        query[len("register_peak{site=") : -1]: found["highest"]
        for query, found in metrics(shown)
        if query.startswith("register_peak{site=") and "," not in query
    }
    titles = {chart.layout["title"]["text"]: chart for chart in shown.charts.get("levels", [])}
    assert ("Most REGISTERs in one second, by site" in titles) == bool(peaks)
    for site, highest in peaks.items():
        lines = titles["Most REGISTERs in one second, by site"].data
        named = next(index for index, line in enumerate(lines) if line["name"] == site)
        assert max(max(line["y"]) for line in lines[named - 5 : named + 1]) == highest


def test_losses_are_those_of_the_result_by_number_and_by_cause(shown: Shown) -> None:
    by_number: dict[str, float] = defaultdict(float)
    by_cause: dict[str, float] = defaultdict(float)
    for loss in shown.result["losses"]:
        by_number[f"{loss['number'] or 'no number'} ({loss['direction']})"] += loss["mean"]
        by_cause[": ".join(filter(None, (loss["outcome"], loss["reason"])))] += loss["mean"]
    if not by_number:
        assert "losses" not in shown.charts
        return
    (chart,) = shown.charts["losses"]
    assert {trace["name"]: sum(trace["x"]) for trace in chart.data} == pytest.approx(by_cause, abs=0.01)
    names = chart.layout["yaxis"]["ticktext"]
    found = {name: sum(trace["x"][row] for trace in chart.data) for row, name in enumerate(names)}
    assert found == pytest.approx(by_number, abs=0.01)


def test_times_of_recovery_and_their_targets_are_those_of_the_result(shown: Shown) -> None:
    bounds = {
        expected["text"].partition(" ")[0]: expected["bound"] / 60
        for expected in shown.result["expectations"]
        if expected["text"].startswith("recovery_time")
    }
    whose = {
        ", ".join(re.findall(r"=([^,}]+)", query)) or "all who call": query
        for query, _ in metrics(shown)
        if re.match(r"recovery_time(\{|$)", query)
    }
    for chart in shown.charts.get("recovery", []):
        query = whose[chart.layout["title"]["text"]]
        found = shown.result["metrics"][query]
        steps, marks = chart.data
        times = steps["x"][1:-1]
        assert len(times) == found["runs"] - found["runs_never"]
        assert times[0] == pytest.approx(found["lowest"] / 60, abs=0.001)
        assert times[-1] == pytest.approx(found["highest"] / 60, abs=0.001)
        assert steps["y"][-1] == pytest.approx(1 - found["runs_never"] / found["runs"])
        assert times == sorted(times)
        assert marks["x"][0] == pytest.approx(found["quantiles"]["p50"]["value"] / 60, abs=0.001)
        drawn = [shape["x0"] for shape in chart.layout["shapes"] if shape["type"] == "line"]
        assert drawn == ([bounds.pop(query)] if query in bounds else [])
    assert not bounds


def test_minutes_of_outage_are_those_of_the_result(shown: Shown) -> None:
    means = {found["metric"]: found["mean"] / 60 for found in shown.result["outages"] if found["mean"]}
    if "outages" not in shown.charts:
        assert not means
        return
    (chart,) = shown.charts["outages"]
    for row, name in enumerate(chart.layout["yaxis"]["ticktext"]):
        drawn = sum(trace["x"][row] for trace in chart.data)
        assert any(name in metric and drawn == pytest.approx(mean, abs=0.01) for metric, mean in means.items()), name


def test_service_over_time_adds_up_to_the_service_level_of_the_result(shown: Shown) -> None:
    """Calls of all runs together, where the metric is the mean over the runs: nearly the same."""
    levels = {
        query[len("service_level{queue=") : -1]: found["value"]
        for query, found in metrics(shown)
        if re.fullmatch(r"service_level\{queue=[^,]+\}", query)
    }
    for chart in shown.charts.get("service", []):
        (line,) = chart.data
        queue = chart.layout["title"]["text"].partition(":")[0]
        shown_twice = zip(line["y"], line["customdata"], [*line["y"][1:], None], strict=True)  # at the end of a line
        parts = [(share, calls) for share, calls, more in shown_twice if share is not None and more is not None]
        answered = sum(share * calls for share, calls in parts) / sum(calls for _, calls in parts)
        assert answered == pytest.approx(levels.pop(queue), abs=0.01)
    assert not levels


def test_the_verdict_is_that_of_the_result(shown: Shown) -> None:
    look(shown.page)
    top = shown.page.locator("main [data-page]:not([hidden])")
    assert top.locator("p.verdict").inner_text() == VERDICTS[shown.result["verdict"]][0]
    assert top.locator("h1").inner_text() == shown.result["scenario"]["name"]
    assert shown.page.title().startswith(VERDICTS[shown.result["verdict"]][0])
    badges = top.locator(".section-expectations .badge")
    assert badges.all_inner_texts() == [found["verdict"] for found in shown.result["expectations"]]
    rows = top.locator(".section-expectations table").first.locator("tbody tr")
    for row, found in zip(rows.all(), shown.result["expectations"], strict=True):
        assert row.locator("code").inner_text().partition("{")[0] == re.split(r"[{ ]", found["text"])[0]
        assert row.locator("td").first.inner_text() == found["shown"]
    lost = top.locator(".section-losses tbody tr")
    assert lost.count() == len(shown.result["losses"])
    for row, loss in zip(lost.all(), shown.result["losses"], strict=True):
        told = row.inner_text()
        assert (loss["number"] or "no number") in told
        assert loss["outcome"] in told


# For whom


def test_keys_reach_everything_and_open_what_is_closed(shown: Shown) -> None:
    look(shown.page)
    stops = tab_through(shown.page)
    assert [stop.place for stop in stops] == controls(shown.page)
    assert [stop.what for stop in stops if not stop.shown] == []
    assert 'class="skip"' in stops[0].what
    closed = shown.page.locator("main [data-page]:not([hidden]) details > summary")
    assert closed.count() > 0
    for summary in (closed.first, closed.last):
        inside = summary.locator("xpath=..").locator(":scope > :not(summary)").first
        for key in ("Enter", "Space"):
            assert not inside.is_visible()
            summary.press(key)
            assert inside.is_visible()
            summary.press(key)


def test_colours_can_be_read_by_day_and_in_the_dark(shown: Shown) -> None:
    for colours in ("light", "dark"):
        look(shown.page, colours=colours)
        draw_all(shown.page)
        ratio, text = palest(shown.page)
        assert ratio >= AA, (colours, text)


@pytest.mark.parametrize("shown", MOST, indirect=True)
def test_nothing_bars_anybody_from_a_report(shown: Shown) -> None:
    look(shown.page)
    assert barriers(shown.page) == []


def test_a_phone_shows_a_report_without_scrolling_sideways(shown: Shown) -> None:
    look(shown.page, PHONE)
    draw_all(shown.page)
    assert too_wide(shown.page) == []


def test_the_other_language_says_the_same_with_the_same_numbers(shown: Shown) -> None:
    look(shown.page)
    shown.switch("ja")
    try:
        button = shown.page.locator("button[data-language=ja]")
        assert button.evaluate("(it) => it === document.activeElement && it.ariaPressed") == "true"
        assert shown.page.locator("html").get_attribute("lang") == "ja"
        assert shown.page.title().startswith(VERDICTS[shown.result["verdict"]][1])
        top = shown.page.locator("main [data-page]:not([hidden])")
        assert top.locator("p.verdict").inner_text() == VERDICTS[shown.result["verdict"]][1]
        for words in filter(None, top.locator("h2, caption, figcaption, thead, .story li").all_inner_texts()):
            assert JAPANESE.search(words), words
        draw_all(shown.page)
        japanese = charts(shown.page)
        assert list(map(len, japanese.values())) == list(map(len, shown.charts.values()))
        for kind, of_kind in japanese.items():
            for one, other in zip(of_kind, shown.charts[kind], strict=True):
                assert JAPANESE.search(one.label), one.label
                for axis in ("x", "y"):
                    assert [trace[axis] for trace in one.data] == [trace[axis] for trace in other.data]
        assert "完了" in {trace["name"] for trace in japanese["calls"][0].data}
        look(shown.page, PHONE)
        assert too_wide(shown.page) == []
    finally:
        shown.switch("en")


def test_paper_has_the_verdict_first_and_cuts_nothing(shown: Shown, tmp_path: Path) -> None:
    look(shown.page, PAPER, medium="print")
    assert too_wide(shown.page) == []
    assert not shown.page.locator("button").first.is_visible(), "nobody presses a button on paper"
    heads = shown.page.locator("main [data-page]:not([hidden]) :is(h1, h2, caption, thead):visible")
    written = [*filter(None, heads.all_inner_texts())]
    whole = {
        place.evaluate("(it) => getComputedStyle(it).breakInside") for place in shown.page.locator("[data-chart]").all()
    }
    assert whole == {"avoid"}, "no chart is torn between two sheets"
    sheets = printed(shown.page, tmp_path)
    assert off_paper(sheets) == []
    assert (sheets[0].width, sheets[0].height) == pytest.approx(A4, abs=2)
    assert VERDICTS[shown.result["verdict"]][0] in sheets[0].text
    assert len(sheets) <= 12
    for number, sheet in enumerate(sheets[:-1], 1):
        assert max(word.bottom for word in sheet.words) > 0.25 * sheet.height, f"sheet {number} is nearly empty"
    text = "".join("".join(sheet.text for sheet in sheets).split())
    for words in written:
        assert [word for word in words.split() if word not in text] == [], words
    for of_kind in shown.charts.values():
        for chart in of_kind:
            for named in (chart.layout.get("title") or {"text": ""}, *chart.data):
                words = named.get("name") or (named.get("text") if "type" not in named else "") or ""
                assert [word for word in words.split() if word not in text] == [], words
