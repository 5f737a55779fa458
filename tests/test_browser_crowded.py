"""Charts of a report that have little room: many steps and faults in one moment of a long run, calls far apart."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page

from reports.charts_levels import MOST_LINES
from reports.html import report_text
from reports.judge import judge
from reports.origin import Origin
from scenarios.evidence import EventKind, Gauge, JournalEntry, Sample
from scenarios.model import Fault
from tests.browser import Browser, browser, charts, draw_all
from tests.made_evidence import FREE_DIAL, call, drill, fold

__all__ = ["browser"]  # a fixture, which tests find by its name in the module

pytestmark = [pytest.mark.slow, pytest.mark.lab(needs=["chromium"]), pytest.mark.xdist_group("crowded")]

FAULTS = ("tokyo-lost", "tokyo-edge-lost", "ntt-lost")
STEPS = tuple(f"step {number}" for number in range(1, 31))
LONELY = (0.0, 7200.0)
"""Two calls in bins of which the next have none."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Page]:
    usual = {"by": "administrator", "starts": {"after": FAULTS[0]}, "takes": "1m", "does": {"verify": FREE_DIAL}}
    steps = [{"step": step, **usual} for step in STEPS]
    groups = [f"group-{number}" for number in range(MOST_LINES)]
    plan = drill(
        run={"for": "24h", "warm": True},
        runbook=steps,
        agents={name: {"count": 9, "softphone": {"sites": ["tokyo"]}} for name in groups},
        queues={"sales": {"agents": groups}},
        traffic=[{"to": FREE_DIAL, "arrivals": "0.5/s", "talk": "3m", "patience": "1m"}],
    )
    lost = [
        Fault.model_validate({"name": name, "at": f"{600 + after}m", "site": "tokyo"})
        for after, name in enumerate(FAULTS)
    ]
    plan = plan.model_copy(update={"faults": lost})
    journal = [
        entry
        for step in STEPS
        for entry in (
            JournalEntry(36000, EventKind.STEP_READY, step, {"released_by": FAULTS[0]}),
            JournalEntry(36000, EventKind.STEP_STARTED, step),
            JournalEntry(36060, EventKind.STEP_FINISHED, step),
        )
    ]
    busy = [Sample(10, Gauge.AGENTS_BUSY, name, 1 + number) for number, name in enumerate(groups)]
    judged = judge(plan, [fold(plan, *map(call, LONELY), *journal, *busy)], engine="calls", seed=1)
    path = tmp_path_factory.mktemp("crowded") / "report.html"
    path.write_text(report_text(judged, Origin("plan.yaml")), "utf-8")
    with browser.open(path) as opened:
        draw_all(opened)
        yield opened


def test_strips_of_many_steps_leave_room_for_the_calls(page: Page) -> None:
    (chart,) = charts(page)["calls"]
    margin = chart.layout["margin"]
    strips = [shape["y0"] for shape in chart.layout["shapes"] if shape["y0"] > 1]
    assert len(set(strips)) == len(STEPS), "none covers another"
    assert chart.layout["height"] - margin["t"] - margin["b"] > 150


def test_faults_that_are_close_together_share_a_label(page: Page) -> None:
    for kind in ("calls", "runbook"):
        (chart,) = charts(page)[kind]
        assert [note["text"] for note in chart.layout["annotations"] if "lost" in note["text"]] == [", ".join(FAULTS)]


def test_the_service_level_of_a_bin_before_a_gap_is_drawn_to_its_end(page: Page) -> None:
    (chart,) = charts(page)["service"]
    (line,) = chart.data
    points = list(zip(line["x"], line["y"], strict=True))
    width = 15.0  # minutes of a bin: 24 h in at most 120 of them
    drawn = [(x, until) for (x, here), (until, there) in pairwise(points) if here is not None and there is not None]
    assert drawn == [(at / 60 // width * width, at / 60 // width * width + width) for at in LONELY]


def test_no_two_lines_of_a_chart_have_the_same_colour(page: Page) -> None:
    (chart,) = [chart for chart in charts(page)["levels"] if chart.label.startswith("Agents busy")]
    named: list[dict[str, Any]] = [trace for trace in chart.data if trace["name"]]
    assert len(named) == MOST_LINES
    assert len({trace["line"]["color"] for trace in named}) == MOST_LINES
