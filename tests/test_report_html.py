import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reports.charts import charts
from reports.html import embedded_json, report_text
from reports.judge import Judged, judge
from reports.origin import Origin
from scenarios.evidence import Outcome
from tests.lab import peer
from tests.made_checks import judged_with_checks
from tests.made_evidence import STEPS, call, drill, fold, rehearsal

HOSTILE = '</script><script>alert(1)</script> & "東京" <!-- \''
MOST_BYTES = 6_000_000
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=10000",
    "--window-size=1000,3000",
)


def judged(runs: int = 3, **changes: Any) -> Judged:
    plan = drill(expect=["asr > 50%", "recovery_time <= 30m", "ports_peak{limit=tenant} < 80%"], **changes)
    return judge(plan, [rehearsal(plan, seed) for seed in range(runs)], engine="calls", seed=7)


@pytest.fixture(scope="module")
def page() -> str:
    return report_text(judged(name=HOSTILE), Origin("plan.yaml", ("ports.tenant=60",)))


class Outline(HTMLParser):
    """What a page consists of: elements with attributes, and text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self._inside):
            self.text += data

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.elements)


def test_a_report_is_one_file_that_asks_nothing_of_any_server(page: str) -> None:
    outline = Outline(page)
    assert len(page.encode()) < MOST_BYTES
    assert not [attrs for _, attrs in outline.elements if attrs.keys() & {"src", "href", "srcset", "action"}]
    policy = next(attrs["content"] for _, attrs in outline.elements if attrs.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_text_of_a_drill_cannot_become_markup(page: str) -> None:
    outline = Outline(page)
    assert outline.count("script") == 3, "data, plotly, charts"
    assert HOSTILE in outline.text
    assert json.loads(embedded_json({"name": HOSTILE})) == {"name": HOSTILE}
    assert "<" not in embedded_json({"name": HOSTILE})


def test_a_page_can_be_read_without_seeing_it(page: str) -> None:
    outline = Outline(page)
    html = next(attrs for tag, attrs in outline.elements if tag == "html")
    assert html["lang"] == "en"
    assert outline.count("h1") == outline.count("main") == 1
    assert outline.count("caption") == outline.count("table")
    assert all(attrs.get("aria-label") for _, attrs in outline.elements if attrs.get("role") == "img")
    named = {attrs.get("aria-labelledby") for tag, attrs in outline.elements if tag == "section"}
    assert named <= {attrs.get("id") for tag, attrs in outline.elements if tag == "h2"}


def test_a_page_says_what_came_out_and_how_to_have_it_again(page: str) -> None:
    text = Outline(page).text
    for words in (
        "inconclusive",
        "recovery_time",
        "tokyo-lost at 10m took effect in every run",
        "nothing answers",
        "テスト通話",
        "kirikae run plan.yaml --engine calls --seed 7 --replications 100 --set ports.tenant=60",
    ):
        assert words in re.sub(r"\s+", " ", text)


def test_waivers_are_shown_with_their_reasons() -> None:
    waiver = {"finding": "baseline-overload", "reason": "the queue is meant to overflow"}
    assert "the queue is meant to overflow" in report_text(judged(waivers=[waiver]), Origin("plan.yaml"))


def test_a_page_says_what_the_plan_checks_found_waived_and_believed() -> None:
    text = " ".join(Outline(report_text(judged_with_checks(), Origin("plan.yaml"))).text.split())
    assert "What the plan checks say" in text
    for words in (
        "nobody dials or shows, and nothing leads to, 03-9999-9999 (G14)orphan-number: A number that nothing uses",
        "line 9 warning traffic to it, or a plan without it",
        "line 7 waived the carrier adds lines in May",
        "Declared, not checked: 1.",
        "sites.tokyo (line 5): the option is in the contract (Z1)",
    ):
        assert words in text
    assert "What the plan checks say" not in report_text(judged(), Origin("plan.yaml"))


def test_a_run_that_was_stopped_at_once_has_a_page_without_charts() -> None:
    stopped = judge(drill(), [], engine="calls", seed=1, interrupted=True)
    outline = Outline(report_text(stopped, Origin("plan.yaml")))
    assert outline.count("script") == 0
    assert "stopped after 0 of 100 runs" in outline.text


def test_charts_show_means_and_percentiles_over_the_replications() -> None:
    plan = drill()
    shown = charts(judge(plan, [fold(plan, call(), call(5)), fold(plan)], engine="calls", seed=1))
    (completed,) = shown["calls"]
    assert completed["outcome"] is Outcome.COMPLETED
    # Bins of 20 s: two calls in one of two runs are one call in a third of a minute.
    assert completed["mean"][:2] == [3.0, 0.0]
    assert (shown["lasts"], shown["faults"]) == (40, [{"name": "tokyo-lost", "from": 10, "to": 40}])
    assert [step["finished"] for step in shown["steps"]] == [None] * len(STEPS)


@pytest.mark.lab(needs=["chromium"])
def test_a_browser_draws_every_chart(page: str, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text(page, "utf-8")
    command = [peer("chromium"), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", report.as_uri()]
    drawn = subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.decode()
    body = drawn[: drawn.index('<script type="application/json"')]
    for chart in ("chart-calls", "chart-runbook"):
        assert re.search(rf'id="{chart}"[^>]*>.*?<svg class="main-svg"', body, re.DOTALL), chart
        assert re.search(rf'id="{chart}"[^>]* style="height: \d+px', body), f"{chart} is as high as its drawing"
    grids = {name: body[body.index(f'id="{name}"') :] for name in ("charts-ports", "charts-levels")}
    assert "tenant: limit 250" in grids["charts-ports"]
    assert "Softphones registered, by site" in grids["charts-levels"], "the last chart: nothing before it went wrong"
    for number, step in enumerate(STEPS, 1):
        assert f">{number} {step}<" in body, "the label of a bar"
