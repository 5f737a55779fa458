"""The rehearsal sheet, a ladder, a sweep and a comparison as a browser shows and prints them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from typer.testing import CliRunner

from kirikae.cli import app
from reports.ladder import Kind
from reports.ladder_html import page_text
from reports.ladders import RunFolder
from scenarios.text import LANGUAGES
from tests.browser import (
    AA,
    DESKTOP,
    PHONE,
    Browser,
    barriers,
    browser,
    controls,
    look,
    off_paper,
    palest,
    printed,
    tab_through,
    too_wide,
    traces,
)
from tests.ladders import played, takeover

__all__ = ["browser"]  # a fixture, which tests find by its name in the module

pytestmark = [
    pytest.mark.slow,
    pytest.mark.lab(needs=["chromium", "font:ja", "pdftotext"]),
    pytest.mark.xdist_group("pages"),
]

A4_LANDSCAPE = (297 / 25.4 * 96, 210 / 25.4 * 96)
"""CSS pixels."""
BEFORE = {"en": "not before", "ja": "開始条件"}
POINTS = {"10", "12", "14"}
PLAN = """
kirikae: 1
name: a contract that may be too small
run: {for: 2m, warm: true, replications: 3}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 100}}
trunks: {ntt: {via: edge, channels: 100}}
numbers: {03-1234-5678: {trunk: ntt}}
ports: {tenant: 13}
traffic: [{to: 03-1234-5678, arrivals: 0.25/s, talk: {exponential: 40s}}]
expect: [blocked_ratio < 10%]
waivers: [{finding: overloaded-baseline, reason: it is meant to be too small}]
"""


def kirikae(*words: object) -> None:
    """Call it for what it writes, whatever the verdict."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code in (0, 1, 3), done.output


def bare(text: str) -> str:
    """Return text without what line breaks and typesetting add."""
    return re.sub(r"\W", "", text)


def anybody_reads(page: Page) -> None:
    """See that nothing bars anybody from a page: in the dark, on a phone, and by keyboard."""
    look(page)
    assert barriers(page) == []
    look(page, colours="dark")
    assert palest(page)[0] >= AA, palest(page)
    look(page, PHONE)
    assert too_wide(page) == []
    stops = tab_through(page)
    assert [stop.place for stop in stops] == controls(page) != []
    assert all(stop.shown for stop in stops)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


# The rehearsal sheet


@pytest.fixture(scope="module", params=LANGUAGES)
def sheet(request: pytest.FixtureRequest, folder: Path) -> tuple[str, Path, list[dict[str, Any]]]:
    """A sheet, its language, and its steps as programs read them."""
    page, data = folder / f"sheet-{request.param}.html", folder / "sheet.json"
    drill = ["tokyo-osaka-dr", "--set", "run.start=2026-11-24 09:00", "-n", 1, "--workers", 1]
    kirikae("runbook", *drill, "--html", page, "--json", data, "--lang", request.param)
    return request.param, page, json.loads(data.read_text("utf-8"))["steps"]


def test_a_sheet_stands_whole_on_landscape_paper_and_no_step_is_torn(
    browser: Browser, sheet: tuple[str, Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    _, path, steps = sheet
    with browser.open(path) as page:
        sheets = printed(page, tmp_path)
        rows = page.locator("table.sheet tbody:not(.event)").all_inner_texts()
    for each in sheets:
        assert (each.width, each.height) == pytest.approx(A4_LANDSCAPE, abs=1)
    assert len(sheets) <= 1 + len(steps) / 3, "three steps a sheet of paper at the least"
    assert off_paper(sheets) == []
    for number, each in enumerate(sheets, 1):
        assert f"{number} / {len(sheets)}" in each.text
        tops = [word.top for word in each.words]
        assert max(tops) - min(tops) > 0.1 * each.height, "no sheet for a line or two"
    whole = [bare(each.text) for each in sheets]
    for row, step in zip(rows, steps, strict=True):
        # Line by line and cell by cell: in which order pdftotext reads the cells of a line, fonts decide.
        parts = [bare(part) for part in re.split(r"[\n\t]", row)]
        assert bare(step["step"]) in bare(row)
        assert any(all(part in text for part in parts) for text in whole), step["step"]


def test_a_sheet_says_the_times_that_are_expected_in_both_languages(
    browser: Browser, sheet: tuple[str, Path, list[dict[str, Any]]]
) -> None:
    language, path, steps = sheet
    with browser.open(path) as page:
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("script").count() == 0
        rows = page.locator("table.sheet tbody:not(.event)")
        assert rows.count() == len(steps)
        for number, step in enumerate(steps):
            row = rows.nth(number)
            assert row.locator(".name").inner_text() == step["step"]
            minutes = round(step["ends"]["p50"] / 60) + 9 * 60
            assert f"{minutes // 60:02}:{minutes % 60:02}" in row.locator(".time").inner_text()
        assert BEFORE[language] in page.locator("main").inner_text()
        assert barriers(page) == []


def test_a_sheet_is_read_on_a_phone_without_scrolling_sideways(
    browser: Browser, sheet: tuple[str, Path, list[dict[str, Any]]]
) -> None:
    with browser.open(sheet[1], PHONE) as page:
        assert too_wide(page) == []


# A ladder


@pytest.fixture(scope="module")
def ladder(folder: Path, browser: Browser) -> Iterator[Page]:
    """The page of a call that meets a dead node three times; it stays open."""
    run = folder / "run"
    run.mkdir()
    call = RunFolder(played(run, *takeover())).call("0")
    for language in LANGUAGES:
        (folder / f"ladder-{language}.html").write_text(page_text(call, Kind.DELAYED, language), "utf-8")
    with browser.open(folder / "ladder-en.html") as page:
        yield page


def test_messages_of_a_ladder_open_by_mouse_and_by_keyboard(ladder: Page) -> None:
    look(ladder)
    messages = ladder.locator(".ladder details")
    assert messages.count() == 13
    first, second = messages.nth(0), messages.nth(1)
    first.locator("summary").click()
    assert first.locator("pre").is_visible()
    assert first.locator("pre").inner_text().startswith("INVITE sip:")
    first.locator("summary").click()
    assert not first.locator("pre").is_visible()
    for key in ("Enter", "Space"):
        second.locator("summary").focus()
        ladder.keyboard.press(key)
        assert second.locator("pre").is_visible(), key
        ladder.keyboard.press("Tab")
        assert second.locator("pre").evaluate("(text) => text === document.activeElement"), (
            "long messages scroll by keys"
        )
        second.locator("summary").press(key)
        assert not second.locator("pre").is_visible(), key


def test_tab_goes_from_message_to_message(ladder: Page) -> None:
    look(ladder)
    stops = tab_through(ladder)
    assert [stop.place for stop in stops] == controls(ladder)
    assert len(stops) == 13
    assert all(stop.shown for stop in stops), [stop.what for stop in stops if not stop.shown]


def test_nothing_bars_anybody_from_a_ladder(ladder: Page) -> None:
    look(ladder)
    ladder.locator(".ladder summary").first.click()
    found = barriers(ladder)
    colours = [palest(ladder)]
    look(ladder, colours="dark")
    colours.append(palest(ladder))
    ladder.locator(".ladder summary").first.click()
    assert found == []
    assert min(colours)[0] >= AA, colours


def test_a_ladder_fits_a_phone_in_both_languages(ladder: Page, folder: Path, browser: Browser) -> None:
    for language in LANGUAGES:
        with browser.open(folder / f"ladder-{language}.html", PHONE) as page:
            page.locator(".ladder summary").first.click()
            assert too_wide(page) == []
            assert ("から carrier へ" in page.locator("main").inner_text()) == (language == "ja")


def test_arrows_end_at_the_lifelines_of_those_who_speak(ladder: Page) -> None:
    """Measured in the drawing, in whatever size: nobody hears the third copy, the fourth reaches the second node."""
    look(ladder)
    ends = ladder.locator(".ladder .names .ends > span")
    middles = [box["x"] + box["width"] / 2 for box in (ends.nth(n).bounding_box() for n in range(4)) if box]
    arrows = [box for box in (each.bounding_box() for each in ladder.locator("line.arrow").all()) if box]
    assert arrows[3]["x"] == pytest.approx(middles[0], abs=1.5)
    assert arrows[3]["x"] + arrows[3]["width"] == pytest.approx(middles[2], abs=1.5)
    assert arrows[2]["x"] + arrows[2]["width"] == pytest.approx(middles[1], abs=1.5)


def test_a_ladder_prints_with_every_message_in_its_line(ladder: Page, tmp_path: Path) -> None:
    look(ladder)
    sheets = printed(ladder, tmp_path)
    assert off_paper(sheets) == []
    text = " ".join(sheet.text for sheet in sheets)
    assert text.count("INVITE") >= 4
    assert "Call-ID:" not in text, "what is closed stays closed"


# A sweep


@pytest.fixture(scope="module")
def swept(folder: Path, browser: Browser) -> Iterator[tuple[Page, dict[str, Any]]]:
    """The page of a sweep of three points, and its result; the page stays open."""
    plan = folder / "plan.kirikae.yaml"
    plan.write_text(PLAN, "utf-8")
    out = folder / "sweep"
    kirikae("sweep", plan, "--vary", "ports.tenant=10..14:2", "--metric", "asr", "--out", out, "--workers", 1)
    with browser.open(out / "sweep.html") as page:
        yield page, json.loads((out / "sweep.json").read_text("utf-8"))


def test_charts_of_a_sweep_have_the_values_of_its_result(swept: tuple[Page, dict[str, Any]]) -> None:
    page, result = swept
    titles = page.locator("main section h2").all_inner_texts()
    for index, metric in enumerate(result["points"][0]["metrics"]):
        assert metric in titles[index]
        (trace,) = traces(page, f"chart-{index}")
        measured = [point["metrics"][metric] for point in result["points"]]
        assert trace["x"] == [int(point["values"]["ports.tenant"]) for point in result["points"]] == [10, 12, 14]
        assert trace["y"] == pytest.approx([100 * value["value"] for value in measured]), "per cent"
        ends = [
            (y - down, y + up)
            for y, down, up in zip(trace["y"], trace["error_y"]["arrayminus"], trace["error_y"]["array"], strict=True)
        ]
        assert [end for pair in ends for end in pair] == pytest.approx(
            [100 * end for value in measured for end in value["interval"]]
        )


def test_a_sweep_is_read_on_a_phone_in_the_dark_and_by_keyboard(swept: tuple[Page, dict[str, Any]]) -> None:
    page, _ = swept
    anybody_reads(page)


def test_a_sweep_prints_whole(swept: tuple[Page, dict[str, Any]], tmp_path: Path) -> None:
    page, result = swept
    look(page, DESKTOP)
    sheets = printed(page, tmp_path)
    assert off_paper(sheets) == []
    assert result["points"]
    for point in POINTS:
        assert point in " ".join(sheet.text for sheet in sheets)


# A comparison


@pytest.fixture(scope="module")
def compared(folder: Path, browser: Browser) -> Iterator[tuple[Page, list[dict[str, Any]]]]:
    """The page that compares two runs, and what is known of their replications; the page stays open."""
    plan = folder / "compared.kirikae.yaml"
    plan.write_text(PLAN, "utf-8")
    runs = [folder / "ample", folder / "scarce"]
    for ports, out in zip((13, 6), runs, strict=True):
        kirikae("run", plan, "--set", f"ports.tenant={ports}", "-n", 12, "--workers", 1, "--no-calls", "--out", out)
    page = folder / "compared.html"
    kirikae("compare", *runs, "--html", page)
    known = [json.loads((run / "replications.json").read_text("utf-8"))["charts"] for run in runs]
    with browser.open(page) as opened:
        yield opened, known


def test_charts_of_a_comparison_lay_the_values_of_both_runs_over_each_other(
    compared: tuple[Page, list[dict[str, Any]]],
) -> None:
    page, known = compared
    calls = [{each["outcome"]: each["mean"] for each in side["calls"]} for side in known]
    ports = [{each["name"]: each["mean"] for each in side["ports"]} for side in known]
    titles = page.locator("figcaption").all_inner_texts()
    for name, sides in (("blocked", calls), ("tenant", ports)):
        (index,) = (number for number, title in enumerate(titles) if title.endswith(f": {name}"))
        drawn = traces(page, f"chart-{index}")
        assert [trace["y"] for trace in drawn] == [
            pytest.approx(side.get(name, [0.0] * len(drawn[0]["y"]))) for side in sides
        ]
        assert [trace["line"]["dash"] for trace in drawn] == ["dash", "solid"], "A is dashed"


def test_a_comparison_is_read_on_a_phone_in_the_dark_and_by_keyboard(
    compared: tuple[Page, list[dict[str, Any]]],
) -> None:
    page, _ = compared
    anybody_reads(page)


def test_a_comparison_prints_whole(compared: tuple[Page, list[dict[str, Any]]], tmp_path: Path) -> None:
    page, _ = compared
    look(page, DESKTOP)
    sheets = printed(page, tmp_path)
    assert off_paper(sheets) == []
    assert "worse" in sheets[0].text.lower()
