"""The sheet that people hold on the day: what it says, in which words, and in which forms."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from kirikae import drills, runbook
from kirikae.expected import Asked, expected
from kirikae.options import OptionError
from reports.console import safe_console
from reports.exit_codes import ExitCode
from reports.origin import Origin
from reports.sheet import Anchor, events_of, moment_text, sheet_of
from reports.sheet_csv import HEADERS, sheet_csv
from reports.sheet_html import sheet_html
from reports.sheet_labels import never_text, reading
from reports.sheet_result import sheet_text
from reports.sheet_terminal import print_sheet
from reports.sheet_words import decisions, deeds, numbered, waits
from reports.summary import RunSummary, StepRun
from scenarios.loader import load, load_text
from scenarios.text import LANGUAGES, translator
from scenarios.units import parse_duration
from tests.rehearsed import STEPS, TINY, summaries, taking, tiny
from tests.test_cli import kirikae

BUNDLED = [name for name, _ in drills.bundled() if load(drills.find(name)).drill.runbook]
ENGLISH, JAPANESE = map(translator, LANGUAGES)


def minutes(seconds: float) -> str:
    return f"{seconds / 60:g}m"


# What is expected


def test_of_fixed_times_the_moments_are_those_worked_out_by_hand() -> None:
    """Fault at 120 s, 180 s to decide, 120, 240 and 60 s of work; the last waits for the repair at 1790 s, too late."""
    loaded = load_text(TINY, "tiny")
    runs = expected(loaded, "tiny", Asked(3, 1, 1), "en", safe_console(io.StringIO()))
    assert runs is not None
    sheet = sheet_of(runs.drill, runs.summaries, asked=3)
    press, route, test, home = sheet.steps
    assert (press.begins.p50, press.ends.p50, press.ends.p90) == (300, 420, 420)
    assert (route.begins.p50, route.ends.p50, route.ends.p90) == (420, 660, 660)
    assert (test.begins.p90, test.ends.p50, test.ends.p90) == (660, 720, 720)
    assert 1790 <= home.begins.p50 <= 1791
    assert (home.begun_in, home.finished_in, home.never_in) == (3, 0, 3)
    assert [sheet.moment(step.ends.p50) for step in sheet.steps] == ["5m", "9m", "10m", ">28m"]


def test_runs_that_did_not_finish_count_as_later_than_any_moment() -> None:
    went = [*taking(*range(100, 900, 100)), StepRun(ready=300.0, started=300.0), StepRun(ready=300.0)]
    sheet = sheet_of(tiny(), summaries({"press the button": went}), asked=10)
    press, route, *_ = sheet.steps
    assert (press.begins.p50, press.begins.p90) == (300, 300)
    assert press.ends.p50 == 300 + 500  # the fifth of ten
    assert sheet.moment(press.ends.p90) == ">28m"  # 30 minutes of run from the fault at 2
    assert press.takes.p50 == 500  # of the nine that were begun
    assert never_text(press) == "in 2 of 10 runs never"
    assert (route.begun_in, route.never_in) == (0, 10)
    told = json.loads(sheet_text(sheet, Origin("tiny"), "en", ENGLISH))
    assert told["steps"][0]["ends"] == {"p50": 800, "p90": None}
    assert told["steps"][1]["takes"] == {"p50": None, "p90": None}
    assert any("count as later" in sentence for sentence in reading(sheet))


def test_a_sheet_of_fewer_runs_than_asked_says_so() -> None:
    sheet = sheet_of(tiny(), summaries({"re-point": taking(60.0)}), asked=100, interrupted=True)
    assert "Stopped: only 1 of 100 runs were played." in list(reading(sheet))


def test_nothing_can_be_said_without_a_run_or_a_runbook() -> None:
    with pytest.raises(ValueError, match="a runbook and a run"):
        sheet_of(tiny(), [], asked=1)


def test_moments_are_by_the_clock_where_the_run_has_one() -> None:
    drill = tiny("run.start=2026-11-24 23:50")
    sheet = sheet_of(drill, summaries({"press the button": taking(120.0), "re-point": taking(400.0)}), asked=1)
    assert sheet.moment(sheet.zero) == "23:52"
    assert sheet.moment(sheet.steps[0].ends.p50) == "23:57"
    assert sheet.moment(sheet.steps[1].ends.p50) == "11-25 00:02"  # 23:50 and 700 s, to the minute
    undated = sheet_of(tiny("run.start=09:00"), summaries({"re-point": taking(60.0)}), asked=1)
    assert undated.moment(undated.steps[1].ends.p50) == "09:06"


@pytest.mark.parametrize(
    ("start", "fault", "said"),
    [
        ("10:00:55", "5m", "10:06"),
        ("10:00:29", "5m", "10:05"),
        ("10:00:40", "80s", "10:02"),
        ("10:00:00", "330s", "10:06"),
        ("2026-11-24 23:54:50", "4m45s", "11-25 00:00"),
    ],
)
def test_moments_are_rounded_on_the_clock_and_not_from_the_start(start: str, fault: str, said: str) -> None:
    drill = tiny(f"run.start={start}")
    assert moment_text(drill, 0.0, 60.0, parse_duration(fault)) == said


def test_moments_have_seconds_where_a_step_takes_less_than_a_minute() -> None:
    sheet = sheet_of(tiny(), summaries({"press the button": taking(10.0), "re-point": taking(400.0)}), asked=1)
    assert sheet.moment(sheet.steps[0].ends.p50) == "3m10s"
    drill = tiny("run.start=09:00")
    sheet = sheet_of(drill, summaries({"press the button": taking(10.0)}), asked=1)
    assert sheet.moment(sheet.steps[0].ends.p50) == "09:05:10"


@pytest.mark.parametrize(
    ("name", "anchor", "keys", "at"),
    [
        ("tokyo-osaka-dr", Anchor.FAULT, ["F1"], 600),
        ("planned-maintenance", Anchor.PLANNED, ["P"], 600),
    ],
)
def test_moments_are_counted_from_the_fault_or_the_planned_work(
    name: str, anchor: Anchor, keys: list[str], at: float
) -> None:
    kind, events = events_of(load(drills.find(name)).drill)
    assert (kind, [event.key for event in events], events[0].at) == (anchor, keys, at)


def test_the_fault_that_steps_wait_for_comes_before_earlier_ones() -> None:
    text = TINY.replace("faults:\n", "faults:\n  - {name: jitter, at: 1m, for: 10s, trunk: ntt-osaka}\n")
    _, events = events_of(load_text(text, "two").drill)
    assert [(event.key, event.name) for event in events] == [("F2", "tokyo-lost"), ("F1", "jitter")]


# Words


def test_what_a_step_waits_for_and_does() -> None:
    drill = tiny()
    press, _, test, home = drill.runbook
    assert waits(drill, press, minutes) == (
        "tokyo-lost has happened, and somebody has decided to act",
        "dr-console can be reached, for which osaka must be up",
    )
    assert waits(drill, test, minutes) == ("step 2, re-point, is finished",)
    assert deeds(drill, test) == ("A test call to 0120-123-456; it is repeated until it reaches somebody.",)
    assert deeds(drill, home) == ()
    assert list(map(JAPANESE, waits(drill, test, minutes))) == ["手順 2「re-point」が完了"]


def points(name: str) -> list[int]:
    drill = load(drills.find(name)).drill
    numbers = numbered(drill)
    return [numbers[step.step] for step in drill.runbook if decisions(drill, step, minutes)]


def test_go_no_go_points_are_decisions_conditions_and_tests() -> None:
    drill = tiny()
    found = {step.step: decisions(drill, step, minutes) for step in drill.runbook}
    assert found == {
        "press the button": ("Act on tokyo-lost, or wait for its end?",),
        "re-point": (),
        "test call": ("Did the call get through? If not, find out why; do not begin with step 4.",),
        "go home": (f"Go only when: tokyo-lost is over (expected {minutes(1790)}).",),
    }


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("tokyo-osaka-dr", [1, 6, 7]),  # the button, and both tests
        ("failback-under-load", [1, 5, 6, 7, 8, 10, 11]),  # and on the way back: its first step, and conditions
        ("planned-maintenance", [1, 6, 7]),  # the beginning, the pair that takes calls again, the test
        ("dr-edited-in-peace", [1, 6, 7, 8, 10, 13]),  # and the resync, which overwrites
    ],
)
def test_go_no_go_points_of_bundled_drills(name: str, numbers: list[int]) -> None:
    assert points(name) == numbers


def test_the_way_back_is_decided_on_once() -> None:
    drill = load(drills.find("failback-under-load")).drill
    asked = [
        step.step for step in drill.runbook if "Go back now, or stay for today?" in decisions(drill, step, minutes)
    ]
    assert asked == ["first half back"]


@pytest.mark.parametrize("name", BUNDLED)
def test_every_step_of_every_bundled_drill_is_said_in_both_languages(name: str) -> None:
    drill = load(drills.find(name)).drill
    for step in drill.runbook:
        said = [*waits(drill, step, minutes), *deeds(drill, step), *decisions(drill, step, minutes)]
        assert said
        for text in said:
            assert JAPANESE(text) != ENGLISH(text) == text


# Forms


def renamed(old: str, new: str) -> RunSummary:
    """Return a run in which one step of the tiny drill has another name."""
    (run,) = summaries({"re-point": taking(60.0)})
    return replace(run, steps={new if step == old else step: went for step, went in run.steps.items()})


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_spreadsheet_gets_a_line_for_each_step_and_blanks() -> None:
    sheet = sheet_of(tiny(), summaries({"re-point": taking(60.0, 120.0)}), asked=2)
    for say in (ENGLISH, JAPANESE):
        rows = cells(sheet_csv(sheet, say))
        header = {field: say(name) for field, name in HEADERS.items()}
        assert list(rows[0]) == list(header.values())
        assert [row[header["no"]] for row in rows] == ["F1", "1", "2", "3", "4"]
        assert [row[header["step"]] for row in rows] == ["tokyo-lost", *STEPS]
        assert {row[header[field]] for row in rows for field in ("began", "ended", "initials", "remarks")} == {""}
        assert rows[2][header["ends_p50"]] == "4m"  # 300 and 60 s, from the fault at 120
        assert rows[2][header["takes_p90"]] == "2m"


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@sum"])
def test_no_step_becomes_a_formula(name: str) -> None:
    drill = load_text(TINY.replace("re-point", f"'{name}'"), "risky").drill
    text = sheet_csv(sheet_of(drill, [renamed("re-point", name)], asked=1), ENGLISH)
    for row in cells(text):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())
    assert f"'{name}" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_for_paper_has_everything_and_needs_nothing(language: str) -> None:
    drill = load_text(TINY.replace("press the button", "'press <b>the</b> button'"), "tiny").drill
    sheet = sheet_of(drill, [renamed("press the button", "press <b>the</b> button")], asked=1)
    say = translator(language)
    page = sheet_html(sheet, Origin("tiny", ("run.seed=2",)), language, say)
    assert f'<html lang="{language}">' in page
    assert "press &lt;b&gt;the&lt;/b&gt; button" in page
    assert page.count('<tbody class="decision">') == 3
    assert page.count('class="tick"') == 2 * 3
    assert "<script" not in page
    assert set(re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s]+)""", page)) == set()
    assert "kirikae runbook tiny --seed 1 --replications 3 --set run.seed=2" in page
    for text in ("dr-console", "https://dr.example.jp", "0120-123-456", "vendor"):
        assert text in page
    for field in ("began", "ended", "initials"):
        assert say(HEADERS[field]) in page
    assert "@page" in page
    assert "break-inside: avoid" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_a_terminal_each_step_is_a_block(language: str) -> None:
    out = io.StringIO()
    sheet = sheet_of(tiny(), summaries({"re-point": taking(60.0)}), asked=1)
    print_sheet(Console(file=out, width=80, force_terminal=False), sheet, translator(language))
    text = out.getvalue()
    assert [text.index(f"{number}  {step}") for number, step in enumerate(STEPS, 1)] == sorted(
        text.index(f"{number}  {step}") for number, step in enumerate(STEPS, 1)
    )
    assert text.count("________   ") >= 2 * len(STEPS)
    assert "dr-console https://dr.example.jp" in text


# The command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.kirikae.yaml").write_text(TINY, encoding="utf-8")
    return tmp_path


def test_the_command_writes_files_and_names_them(folder: Path) -> None:
    done = kirikae(
        "runbook", "tiny.kirikae.yaml", "-n", "1", "--lang", "ja",
        "--html", "sheet.html", "--csv", "sheet.csv", "--json", "sheet.json", at=folder,
    )  # fmt: skip
    assert (done.returncode, done.stdout.decode()) == (0, "sheet.html\nsheet.csv\nsheet.json\n"), done.stderr.decode()
    assert (folder / "sheet.csv").read_bytes().startswith("\ufeff番号,手順,担当,".encode())
    assert json.loads((folder / "sheet.json").read_text("utf-8"))["language"] == "ja"
    assert "訓練シート" in (folder / "sheet.html").read_text("utf-8")


def printed(folder: Path, **more: object) -> ExitCode:
    asked = {"changes": (), "asked": Asked(1, None, 1), "language": "en", "html": None, "csv": None, "json": None}
    options = runbook.Options(**{**asked, **more})  # type: ignore[arg-type]  # by name, as the command line does
    path = folder / "tiny.kirikae.yaml"
    return runbook.print_runbook(load(path), path.name, options, safe_console(io.StringIO()))


def test_what_goes_to_standard_output_is_for_programs(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert printed(folder, csv="-") is ExitCode.PASSED
    assert capfdbinary.readouterr().out.startswith("\ufeffno.,step,who,".encode())
    assert printed(folder, json="-") is ExitCode.PASSED
    assert json.loads(capfdbinary.readouterr().out)["runs"] == 1
    with pytest.raises(OptionError, match="only one of them"):
        printed(folder, csv="-", json="-")


def test_a_drill_without_a_runbook_has_no_sheet(folder: Path) -> None:
    path = folder / "tiny.kirikae.yaml"
    path.write_text(TINY[: TINY.index("runbook:")] + TINY[TINY.index("expect:") :], encoding="utf-8")
    with pytest.raises(OptionError, match="no runbook"):
        printed(folder)


def test_a_plan_with_errors_has_no_sheet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "tiny.kirikae.yaml"
    path.write_text(TINY.replace("for: 1670s, ", ""), encoding="utf-8")
    assert printed(folder) is ExitCode.INVALID
    assert "The plan has 1 error; nothing was run." in capsys.readouterr().err
