import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from reports.alternatives import calls_alternative
from reports.charts import bins_played, charts, peaks
from reports.fold import Fold
from reports.headline import headline
from reports.html import embedded_json, report_text
from reports.judge import Judged, judge
from reports.origin import Origin
from reports.pages import source
from reports.precision import precision
from reports.queries import default_queries
from reports.reasons import reason_text
from sbc.decisions import advance, emergency, routing, trunk, ways_out
from scenarios.evidence import EventKind, Gauge, JournalEntry, Outcome, Sample
from scenarios.metrics import METRICS
from scenarios.precision import goals, parse_asked
from scenarios.text import LANGUAGES, translator
from tests.lab import peer
from tests.made_checks import judged_with_checks
from tests.made_evidence import STEPS, call, drill, fold, rehearsal

HOSTILE = '</script><script>alert(1)</script> & "東京" <!-- \''
MOST_BYTES = 6_000_000
VOID = ("meta", "br", "hr", "input", "img", "link")
SPOKEN = ("aria-label", "data-label", "data-title", "title")
WORDS = (
    *("calls", "packets", "live", "outbound", "tenant", "kirikae", "numpy", "phonenumbers", "simpy", "python"),
    *("plan.yaml", "the option is in the contract"),
)
"""Names of things of ours, and of other people's."""
CHARTS = {
    "calls": 1,
    "losses": 1,
    "runbook": 1,
    "recovery": 2,
    "outages": 1,
    "ports": 2,
    "service": 1,
    "levels": 3,
}
"""How many of each kind the page has: two limits, three kinds of levels."""
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
    "--window-size=1000,7000",
)


def judged(runs: int = 3, **changes: Any) -> Judged:
    plan = drill(expect=["asr > 50%", "recovery_time <= 30m", "ports_peak{limit=tenant} < 80%"], **changes)
    return judge(plan, [rehearsal(plan, seed) for seed in range(runs)], engine="calls", seed=7)


@pytest.fixture(scope="module")
def page() -> str:
    return report_text(judged(name=HOSTILE), Origin("plan.yaml", ("ports.tenant=60",)))


class Outline(HTMLParser):
    """What a page consists of: elements with attributes, and the text that people read, by language."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts = dict.fromkeys(LANGUAGES, "")
        """Without code, scripts and styles; with the attributes that are read out or shown."""
        self.of: dict[str, list[tuple[str, dict[str, str | None]]]] = {language: [] for language in LANGUAGES}
        """Elements by the language that their page is in."""
        self.text = ""
        self._inside: list[tuple[str, str | None]] = []
        self.feed(page)

    @property
    def _page(self) -> str | None:
        return next((page for _, page in reversed(self._inside) if page), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        if tag not in VOID:
            self._inside.append((tag, found.get("data-page")))
        if self._page:
            self.of[self._page].append((tag, found))
            self.texts[self._page] += "".join(f" {found[name]} " for name in SPOKEN if found.get(name))

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        inside = {tag for tag, _ in self._inside}
        if {"script", "style"} & inside:
            return
        self.text += data
        if self._page and not {"code", "pre"} & inside:
            self.texts[self._page] += data

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.elements)

    def attributes(self, name: str) -> list[str]:
        return [value for _, attrs in self.elements if (value := attrs.get(name))]


def test_a_report_is_one_file_that_asks_nothing_of_any_server(page: str) -> None:
    outline = Outline(page)
    assert len(page.encode()) < MOST_BYTES
    assert not [attrs for _, attrs in outline.elements if attrs.keys() & {"src", "srcset", "action"}]
    assert {link[0] for link in outline.attributes("href")} == {"#"}
    policy = next(attrs["content"] for _, attrs in outline.elements if attrs.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_text_of_a_drill_cannot_become_markup(page: str) -> None:
    outline = Outline(page)
    assert outline.count("script") == 5, "the page, data, words, plotly, charts"
    assert HOSTILE in outline.text
    assert json.loads(embedded_json({"name": HOSTILE})) == {"name": HOSTILE}
    assert "<" not in embedded_json({"name": HOSTILE})


def test_a_page_can_be_read_without_seeing_it(page: str) -> None:
    outline = Outline(page)
    assert outline.count("main") == 1
    assert outline.count("h1") == outline.count("nav") == len(LANGUAGES)
    assert outline.count("caption") == outline.count("table") > 0
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in outline.elements if tag == "th")
    images = [attrs for _, attrs in outline.elements if attrs.get("role") == "img"]
    assert len(images) == 2 * sum(CHARTS.values()), "in each language"
    assert all(attrs.get("aria-label") for attrs in images)


def test_every_part_of_a_page_is_found_by_its_name(page: str) -> None:
    outline = Outline(page)
    ids = outline.attributes("id")
    assert len(ids) == len(set(ids))
    named = [name for attribute in ("aria-labelledby", "aria-describedby") for name in outline.attributes(attribute)]
    links = [link[1:] for link in outline.attributes("href")]
    assert {*named, *links} <= set(ids)
    for language in LANGUAGES:
        sections = [attrs["id"] for tag, attrs in outline.of[language] if tag == "section"]
        linked = [attrs["href"] for tag, attrs in outline.of[language] if tag == "a"]
        assert linked == [f"#report-{language}", *(f"#{section}" for section in sections)], "past the top, the contents"
        assert len(sections) == 12


def test_headings_are_in_order(page: str) -> None:
    for elements in Outline(page).of.values():
        levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels)), levels


# In two languages


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_language_is_shown_and_the_other_is_there(language: str) -> None:
    outline = Outline(report_text(judged(), Origin("plan.yaml"), language=language))
    html = next(attrs for tag, attrs in outline.elements if tag == "html")
    pages = [attrs for _, attrs in outline.elements if "data-page" in attrs]
    assert html["lang"] == language
    assert all(attrs["lang"] == attrs["data-page"] for attrs in pages)
    assert {attrs["data-page"] for attrs in pages if "hidden" not in attrs} == {language}
    buttons = {attrs["lang"]: attrs["aria-pressed"] for tag, attrs in outline.elements if tag == "button"}
    assert buttons == {each: "true" if each == language else "false" for each in LANGUAGES}
    titles = {attrs["data-page"]: attrs["data-title"] for attrs in pages if "data-title" in attrs}
    assert titles["ja"] == "判定不能: Tokyo lost, contact centre continues in Osaka"
    assert len(titles) == len(LANGUAGES)


@cache
def reports() -> dict[str, Judged]:
    """Return runs that make a report say nearly all that it can."""
    plan = drill(
        expect=["asr > 99%", "recovery_time <= 1s", "ports_peak{limit=tenant} < 80%", "blocked_ratio < 1%"],
        run={"for": "40m", "warm": True, "seed": 7, "start": "2026-11-24 09:00", "timezone": "Asia/Tokyo"},
        expected_verdict="failed",
    )
    runs = [rehearsal(plan, seed) for seed in range(4)] * 25
    asked = goals([parse_asked("asr=1%"), parse_asked("recovery_time=1m")], plan.expect)
    quiet = drill(expect=["blocked_ratio < 1%", "recovery_time <= 10m"])
    return {
        "failed, by the clock": judge(plan, runs, engine="calls", seed=7, precision=precision(asked, runs, 100)),
        "a single run": judge(plan, runs[:1], engine="packets", seed=7),
        "interrupted": judge(plan, runs[:3], engine="live", seed=7, interrupted=True),
        "stopped at once": judge(plan, [], engine="calls", seed=7, interrupted=True),
        "nothing happens": judge(quiet, [fold(quiet)] * 3, engine="calls", seed=7),
        "plan checks": judged_with_checks(),
    }


@pytest.mark.parametrize(
    "name",
    ["failed, by the clock", "a single run", "interrupted", "stopped at once", "nothing happens", "plan checks"],
)
def test_a_report_in_japanese_has_no_english_left(name: str) -> None:
    run = reports()[name]
    page = report_text(run, Origin("plan.yaml"))
    outline = Outline(page)
    text = outline.texts["ja"]
    for name in sorted({*strings(run.drill.model_dump(warnings=False)), *METRICS, *WORDS}, key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", " ", text)
    assert re.findall(r"(?<![A-Za-z])[a-z]{2,}(?![A-Za-z])", text) == []
    kana = len(re.findall(r"[ぁ-んァ-ン一-龥]", outline.texts["ja"]))
    assert kana > 500
    assert not re.search(r"[ぁ-ん]", outline.texts["en"].replace("テスト通話", ""))


def strings(value: object) -> Iterator[str]:
    """Yield what people wrote into a drill."""
    match value:
        case str():
            yield value
        case dict():
            for key, each in value.items():
                yield from (*strings(each), *([key] if isinstance(key, str) and not key.isidentifier() else []))
        case list() | tuple():
            for each in value:
                yield from strings(each)


def test_both_languages_have_the_same_parts(page: str) -> None:
    english, japanese = (
        [(tag, sorted(attrs.keys() - {"hidden"})) for tag, attrs in elements] for elements in Outline(page).of.values()
    )
    assert english == japanese


def test_words_in_charts_are_there_in_the_other_language(page: str) -> None:
    words = json.loads(re.findall(r'<script type="application/json" id="words">(.*?)</script>', page, re.DOTALL)[0])
    data = json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[0])
    said = {*(series["name"] for series in data["calls"]), *(level["title"] for level in data["levels"])}
    assert words.keys() == {"ja"}
    assert {"completed", "failed", "Softphones registered, by site"} <= said <= words["ja"].keys()
    assert {"minutes from the start", "never finished"} <= words["ja"].keys(), "of scripts"
    assert not [english for english, japanese in words["ja"].items() if english == japanese]


def test_every_reason_that_engines_give_has_words() -> None:
    written = (
        *(advance.LEFT_ALONE, advance.NO_NODE, advance.NOTHING_ANSWERS, trunk.LOST, trunk.RESTRICTED),
        *(routing.NOT_IN_SERVICE.reason, routing.NOT_INTELLIGENT.reason, ways_out.NOT_USABLE.reason),
        *(emergency.NO_FIXED_LINE.reason, "tokyo-edge/1 lost", "edge resigned", "edge cps"),
    )
    said = translator("ja")
    for reason in written:
        assert reason_text(reason) == reason
        assert said(reason_text(reason)) != reason
    assert said(reason_text("ntt-tokyo")) == "ntt-tokyo", "a limit"


# Colours


@pytest.mark.parametrize("where", ["light", "dark", "print"])
def test_text_can_be_told_from_its_ground(where: str) -> None:
    colours = palette(where)
    pairs = [(ink, ground) for ink in ("ink", "soft", "accent", "bad", "unsure") for ground in ("ground", "surface")]
    pairs += [("fault", "surface"), ("ink", "unsure-pale"), ("surface", "accent"), ("surface", "soft")]
    pairs += [(verdict, f"{verdict}-pale") for verdict in ("good", "bad", "unsure")]
    poor = {pair: ratio for pair in pairs if (ratio := contrast(*(colours[name] for name in pair))) < 4.5}
    assert poor == {}, "WCAG 2.2, 1.4.3"
    assert contrast(colours["edge"], colours["surface"]) >= 3, "the edge of a button: WCAG 2.2, 1.4.11"


def palette(where: str) -> dict[str, str]:
    """Return the colours of the style sheet as they are in light, in the dark or on paper."""
    style = str(source("report.css"))
    light, dark = (re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block) for block in style.split("@media")[:2])
    paper = re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", style[style.index("@media print") :])
    assert len(dark) == len(light)
    return dict(light) | {"light": {}, "dark": dict(dark), "print": dict(paper)}[where]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, "relative luminance" and "contrast ratio")."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_contrasts_are_those_of_the_recommendation() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.005), "the grey that just misses it"


# What it says


@pytest.mark.parametrize(
    ("name", "kinds", "words"),
    [
        ("failed, by the clock", ["verdict", "why", "lost", "time"], "recovery_time <= 1s held in 0 of 100 runs"),
        ("interrupted", ["verdict", "why", "lost", "time"], "stopped after 3 of 100 runs"),
        ("stopped at once", ["verdict", "why"], "stopped after 0 of 100 runs"),
        ("nothing happens", ["verdict", "why", "lost"], "took no effect in 3 of 3 runs"),
    ],
)
def test_the_top_answers_four_questions(name: str, kinds: list[str], words: str) -> None:
    answers = headline(reports()[name])
    assert [answer.kind for answer in answers] == kinds
    assert any(words in line for line in answers[1].lines)


def test_the_top_names_three_reasons_and_counts_the_rest() -> None:
    plan = drill(expect=[f"asr > {share}%" for share in (95, 96, 97, 98, 99)])
    _, why, *_ = headline(judge(plan, [rehearsal(plan, 1)] * 10, engine="calls", seed=1))
    assert len(why.lines) == 4
    assert why.lines[-1] == "and 2 more"


def test_a_report_of_a_run_that_was_stopped_says_so_before_anything_else() -> None:
    outline = Outline(report_text(reports()["interrupted"], Origin("plan.yaml")))
    words = "This run was stopped before its end. What stands here is about 3 of 100 replications"
    assert outline.texts["en"].index(words) < outline.texts["en"].index("Verdict")
    assert "この実行は途中で中断された" in outline.texts["ja"]
    assert words not in Outline(report_text(judged(), Origin("plan.yaml"))).text


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
    assert outline.count("script") == 1, "that of the page"
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


def test_a_bin_in_which_the_run_ends_has_the_rate_of_its_part_and_nothing_is_lost() -> None:
    """45 s in bins of 10 s: a call every second is 60 a minute to the end."""
    plan = drill(run={"for": "45s", "warm": True}, faults=False)
    summaries = [fold(plan, *(call(at + 0.5) for at in range(45)))]
    (completed,) = charts(judge(plan, summaries, engine="calls", seed=1))["calls"]
    assert completed["mean"] == [60.0] * 5
    bins = bins_played(plan, summaries).tolist()
    assert bins == [10, 10, 10, 10, 5]
    assert "of 45 attempts" in calls_alternative([completed], bins)


def test_a_replication_that_goes_on_has_the_rate_of_what_has_been_played() -> None:
    plan = drill()
    taker = Fold(plan, default_queries(plan))
    taker.calls([call(at + 0.5) for at in range(30)])
    shown = charts(judge(plan, [taker.so_far(30)], engine="calls", seed=1))
    assert (shown["until"], shown["calls"][0]["mean"]) == (0.5, [60.0, 60.0]), "20 s and half of the next 20 s"


def test_a_peak_is_told_against_what_was_granted_in_its_run() -> None:
    asked = {"does": {"request_ports": {"tenant": 500}}, "starts": {"at": "1m"}}
    desk = {"enabled": True, "permissions": {}, "verified_after": "5m", "reviewed_after": "8h"}
    plan = drill(runbook=[{"step": "more", "by": "administrator", "takes": "1m", **asked}], port_management=desk)
    granted = JournalEntry(300, EventKind.PORTS_GRANTED, "more", {"case": 1, "tenant": 500})
    runs = [
        fold(plan, granted, Sample(600, Gauge.PORTS, "tenant", 400)),
        fold(plan, Sample(600, Gauge.PORTS, "tenant", 225)),
    ]
    tenant = next(limit for limit in peaks(plan, runs) if limit.name == "tenant")
    assert tenant == ("tenant", 250, 500, 400, 0.9), "225 of 250 in the run in which nothing was granted"
    assert "250, raised to 500" in report_text(judge(plan, runs, engine="calls", seed=1), Origin("plan.yaml"))


def test_a_recovery_time_without_anything_to_measure_has_no_table() -> None:
    plan = drill(expect=["recovery_time <= 30m"])
    outline = report_text(judge(plan, [fold(plan)], engine="calls", seed=1), Origin("plan.yaml"))
    recovery = outline[outline.index('id="recovery-en"') :]
    assert "There was nothing to measure." in recovery
    assert "<table" not in recovery[: recovery.index("</section>")]


@pytest.mark.slow
@pytest.mark.lab(needs=["chromium"])
def test_a_browser_draws_every_chart(page: str, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text(page, "utf-8")
    command = [peer("chromium"), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", report.as_uri()]
    drawn = subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.decode()
    body = drawn[: drawn.index('<script type="application/json"')]
    english = body[: body.index('id="report-ja"')]
    for chart, count in CHARTS.items():
        drawn_high = rf'data-chart="{chart}"[^>]* style="[^"]*[^-]height: \d+px[^>]*>.{{,400}}?<svg class="main-svg"'
        found = re.findall(drawn_high, english, re.DOTALL)
        assert len(found) == count, f"{chart}: drawn, as high as its drawing"
    assert "tenant: limit 250" in english
    assert "Softphones registered, by site" in english, "the last chart: nothing before it went wrong"
    for number, step in enumerate(STEPS, 1):
        assert f">{number} {step}<" in english, "the label of a bar"
    assert '<svg class="main-svg"' not in body[body.index('id="report-ja"') :], "nothing is drawn that nobody sees"
