"""Wall-clock time and absent people in what a run leaves behind."""

import io
import json
import re
from pathlib import Path

import pytest

from reports.console import safe_console
from reports.folder import detail_files
from reports.html import report_text
from reports.judge import Judged, judge
from reports.origin import Origin
from reports.result import result
from reports.runbook import step_reports
from reports.story import story
from reports.terminal import print_summary
from reports.wording import clock_text
from scenarios.calendar import Clock
from scenarios.evidence import CallRecord, EventKind, JournalEntry, Outcome
from scenarios.expectations import parse_expectation
from scenarios.hours import parse_start
from tests.made_evidence import STEPS, call, drill, fold, rehearsal

ORIGIN = Origin("plan.yaml")
DATED = {"for": "40m", "warm": True, "start": "2026-11-22 02:50"}
CLOSED = {"sip": 480, "reason": "closed"}


def judged(**run: object) -> Judged:
    plan = drill(run={**DATED, **run})
    return judge(plan, [rehearsal(plan, seed) for seed in range(3)], engine="calls", seed=7)


def printed(run: Judged) -> str:
    file = io.StringIO()
    print_summary(safe_console(file), run)
    return " ".join(file.getvalue().split())


@pytest.fixture(autouse=True)
def _wide_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def text(page: str) -> str:
    return " ".join(re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL).split())


# The clock


@pytest.mark.parametrize(
    ("start", "zone", "seconds", "shown"),
    [
        ("2026-11-22 02:50", "Asia/Tokyo", 600, "Sun 2026-11-22 03:00"),
        ("2026-11-22 02:50", "Asia/Tokyo", 599.7, "Sun 2026-11-22 03:00"),
        ("2026-11-22 02:50", "Asia/Tokyo", 601, "Sun 2026-11-22 03:00:01"),
        ("2026-10-25 02:50", "Europe/Berlin", 600, "Sun 2026-10-25 02:00"),
        ("23:50", "Asia/Tokyo", 1200, "00:10"),
    ],
)
def test_a_moment_of_the_run_is_shown_as_the_clock_shows_it(start: str, zone: str, seconds: float, shown: str) -> None:
    assert clock_text(Clock.of(parse_start(start), zone), seconds) == shown


def test_the_journal_has_the_clock_beside_the_time_of_the_run(tmp_path: Path) -> None:
    def clocks(clock: Clock | None) -> list[object]:
        with detail_files(tmp_path, clock) as recorder:
            recorder.entry(JournalEntry(600.25, EventKind.FAULT, "tokyo-lost"))
        (line,) = (tmp_path / "journal.jsonl").read_text("utf-8").splitlines()
        entry = json.loads(line)
        return [entry["at"], entry.get("clock")]

    assert clocks(judged().drill.run.clock) == [600.25, "2026-11-22T03:00:00.250+09:00"]
    assert clocks(judged(start="02:50").drill.run.clock) == [600.25, "03:00:00.250"]
    assert clocks(None) == [600.25, None]


def test_terminal_report_and_result_show_the_clock() -> None:
    run = judged()
    page, shown = text(report_text(run, ORIGIN)), printed(run)
    assert "The run: Sun 2026-11-22 02:50 to Sun 2026-11-22 03:30, Asia/Tokyo." in shown
    assert "(Sun 2026-11-22 0" in shown
    assert "tokyo-lost at 10m (Sun 2026-11-22 03:00) took effect in every run" in page
    assert "Sun 2026-11-22 02:50 to Sun 2026-11-22 03:30, Asia/Tokyo" in page
    scenario = result(run, ORIGIN)["scenario"]
    assert (scenario["start"], scenario["timezone"]) == ("2026-11-22T02:50:00.000+09:00", "Asia/Tokyo")


def test_a_time_of_day_alone_has_no_day_and_no_zone() -> None:
    run = judged(start="02:50")
    assert "The run: 02:50 to 03:30." in printed(run)
    assert "tokyo-lost at 10m (03:00) took" in text(report_text(run, ORIGIN))
    scenario = result(run, ORIGIN)["scenario"]
    assert (scenario["start"], scenario["timezone"]) == ("02:50:00.000", None)


def test_without_a_start_there_is_no_clock() -> None:
    run = judged(start=None)
    assert "The run:" not in printed(run)
    assert "tokyo-lost at 10m took effect" in text(report_text(run, ORIGIN))
    assert result(run, ORIGIN)["scenario"]["start"] is None


# Who could not be reached


def rehearsed_at_night(*waited: float | None) -> Judged:
    """Return runs whose first step is sought at 900 s for so many seconds, by the stand-in; None for ever."""
    plan = drill(run=DATED)
    summaries = []
    for wait in waited:
        journal = [
            JournalEntry(600, EventKind.STEP_READY, STEPS[0], {"released_by": "tokyo-lost"}),
            JournalEntry(900, EventKind.ACTOR_SOUGHT, STEPS[0], {"by": "administrator"}),
        ]
        if wait is not None:
            journal += [
                JournalEntry(900 + wait, EventKind.ACTOR_REACHED, STEPS[0], {"by": "stand-in", "waited": wait}),
                JournalEntry(900 + wait, EventKind.STEP_STARTED, STEPS[0], {"by": "stand-in"}),
                JournalEntry(1000 + wait, EventKind.STEP_FINISHED, STEPS[0]),
            ]
        summaries.append(fold(plan, *journal))
    return judge(plan, summaries, engine="calls", seed=7)


def test_the_report_says_who_could_not_be_reached_for_how_long_and_who_came() -> None:
    run = rehearsed_at_night(300, 600, None)
    first, *others = step_reports(run.drill, run.summaries)
    assert first.search is not None
    assert (first.search.runs, first.search.reached) == (3, {"stand-in": 2, "": 1})
    assert first.search.mean == (300 + 600 + (2400 - 900)) / 3
    assert all(step.search is None for step in others)
    assert first.before_start == (600 + 900) / 2, "deciding and seeking both"
    sentence = (
        "Nobody was there for “press the DR button” in 3 of 3 runs: administrator was sought for 13m20s on average. "
        "Reached in the end: stand-in in 2 runs, nobody in 1 run."
    )
    assert sentence in story(run)
    assert sentence in text(report_text(run, ORIGIN))
    found = result(run, ORIGIN)["steps"][0]["search"]
    assert found == {"runs": 3, "mean": 800, "reached": {"stand-in": 2, "": 1}}


def test_where_everybody_was_there_nothing_is_said_of_it() -> None:
    assert not any("Nobody was there" in sentence for sentence in story(judged()))


# Closed


def asked(expectation: str, *calls: CallRecord) -> float | None:
    plan = drill(expect=[expectation])
    summary = fold(plan, *calls)
    return summary.values[parse_expectation(expectation).query]


def test_callers_who_heard_that_it_is_closed_are_no_loss_and_no_success() -> None:
    good, lost = [call(10.0) for _ in range(6)], [call(20.0, Outcome.FAILED) for _ in range(2)]
    night = [call(30.0, Outcome.CLOSED, **CLOSED) for _ in range(4)]
    assert asked("closed < 10", *good, *lost, *night) == 4
    assert asked("attempts > 1", *good, *lost, *night) == 12
    assert asked("caller_loss < 50%", *good, *lost, *night) == 2 / 8
    assert asked("ner > 50%", *good, *night) == 1.0, "480 is an answer of the far side"


def test_minutes_in_which_everybody_hears_that_it_is_closed_are_no_outage() -> None:
    night = [call(at, Outcome.CLOSED, **CLOSED) for at in (70.0, 80.0, 130.0)]
    assert asked("outage_minutes < 1m", call(10.0), *night) == 0
    assert asked("outage_minutes < 1m", call(10.0), *night, call(90.0, Outcome.FAILED)) == 60


def test_closing_time_after_a_fault_does_not_put_off_the_recovery() -> None:
    before = [call(float(at)) for at in range(0, 600, 5)]
    outage = [call(float(at), Outcome.FAILED) for at in range(600, 700, 5)]
    after = [call(float(at)) for at in range(700, 2400, 5)]
    # Every second caller dials another number, which is closed.
    night = [call(at + 2.0, Outcome.CLOSED, **CLOSED) for at in range(700, 2400, 5)]
    both = sorted([*before, *outage, *after, *night], key=lambda each: each.start)
    with_night, without = asked("recovery_time < 10m", *both), asked("recovery_time < 10m", *before, *outage, *after)
    assert with_night == without
    assert without is not None
    assert 90 <= without <= 100
