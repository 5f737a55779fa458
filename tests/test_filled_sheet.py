"""Sheets that people filled in: what is read, in which spellings, and everything that is wrong with them at once."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from reports.filled_sheet import Actual, Filled, Stamp, read_sheet
from reports.sheet import events_of, sheet_of
from reports.sheet_csv import HEADERS, sheet_csv
from scenarios.problems import DrillError
from scenarios.text import LANGUAGES, translator
from tests.rehearsed import STEPS, summaries, taking, tiny

Times = Mapping[str, tuple[str, str]]


def filled_text(times: Times, language: str = "en", delimiter: str = ",") -> str:
    """Return the sheet of the tiny drill with times by the number of their line."""
    say = translator(language)
    text = sheet_csv(sheet_of(tiny(), summaries({"re-point": taking(60.0)}), asked=1), say)
    header, *rows = csv.reader(io.StringIO(text))
    began, ended = (header.index(say(HEADERS[field])) for field in ("began", "ended"))
    for row in rows:
        row[began], row[ended] = times.get(row[0], ("", ""))
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    return out.getvalue()


def read(folder: Path, text: str, encoding: str = "utf-8-sig") -> Filled:
    path = folder / "sheet.csv"
    path.write_bytes(text.encode(encoding))
    return read_sheet(path, STEPS, events_of(tiny())[1])


def wrong(folder: Path, text: str) -> list[tuple[int, str, str, str | None]]:
    """Return line, field, message and what was found of all that is wrong."""
    with pytest.raises(DrillError) as refused:
        read(folder, text)
    return [
        (problem.mark.line if problem.mark else 0, problem.path, problem.message, problem.found)
        for problem in refused.value.problems
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sheet_that_nobody_filled_in_has_no_times(tmp_path: Path, language: str) -> None:
    found = read(tmp_path, filled_text({}, language))
    assert (found.steps, found.missing) == ({}, ())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_sheets_as_spreadsheets_save_them(tmp_path: Path, language: str, encoding: str, delimiter: str) -> None:
    text = filled_text({"F1": ("10:00", ""), "2": ("10:05", "10:07:30")}, language, delimiter)
    found = read(tmp_path, text, encoding)
    assert found.steps == {"re-point": Actual(Stamp(300, 60), Stamp(450, 1))}
    assert found.anchored
    assert bool(found.notes) == (encoding == "cp932" and language == "ja")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_spreadsheet_may_quote_all_cells(tmp_path: Path, delimiter: str) -> None:
    text = filled_text({"F1": ("10:00", ""), "2": ("10:05", "10:07:30")})
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(csv.reader(io.StringIO(text)))
    assert read(tmp_path, out.getvalue()).steps == {"re-point": Actual(Stamp(300, 60), Stamp(450, 1))}


@pytest.mark.parametrize(
    ("cell", "stamp"),
    [
        ("10:32", Stamp(1920, 60)),
        ("10:32:05", Stamp(1925, 1)),
        ("１０：３２", Stamp(1920, 60)),
        ("10時32分", Stamp(1920, 60)),
        ("10時32分05秒", Stamp(1925, 1)),
        (" 10:32 ", Stamp(1920, 60)),
        ("09:30", Stamp(-1800, 60)),  # half an hour before
        ("08:59", Stamp(82_740, 60)),  # the next morning
        ("32m", Stamp(1920, 60)),
        ("+32m", Stamp(1920, 60)),
        ("32分", Stamp(1920, 60)),
        ("1h2m3s", Stamp(3723, 1)),
        ("120s", Stamp(120, 1)),
        ("'10:32", Stamp(1920, 60)),
    ],
)
def test_times_as_people_write_them(tmp_path: Path, cell: str, stamp: Stamp) -> None:
    found = read(tmp_path, filled_text({"F1": ("10:00", ""), "1": ("", cell)}))
    assert found.steps == {"press the button": Actual(None, stamp)}


@pytest.mark.parametrize("cell", ["", "-", "–", "—", "ー", "  "])
def test_a_dash_is_a_time_that_nobody_wrote_down(tmp_path: Path, cell: str) -> None:
    assert read(tmp_path, filled_text({"1": (cell, cell)})).steps == {}


@pytest.mark.parametrize("dates", [("2026-11-24 ", "2026-11-25 "), ("2026/11/24 ", "2026/11/25 "), ("", "")])
def test_a_rehearsal_goes_past_midnight(tmp_path: Path, dates: tuple[str, str]) -> None:
    before, after = dates
    found = read(tmp_path, filled_text({"F1": (f"{before}23:50", ""), "1": (f"{before}23:58", f"{after}00:10")}))
    assert found.steps["press the button"] == Actual(Stamp(480, 60), Stamp(1200, 60))


def test_a_date_tells_days_apart_that_the_clock_does_not(tmp_path: Path) -> None:
    found = read(tmp_path, filled_text({"F1": ("2026-11-24 10:00", ""), "1": ("", "2026-11-26 11:00")}))
    assert found.steps["press the button"].ended == Stamp(2 * 86_400 + 3600, 60)


def test_without_the_time_of_the_first_line_only_durations_are_known(tmp_path: Path) -> None:
    found = read(tmp_path, filled_text({"1": ("10:04", "10:09"), "2": ("10:09", "10:20")}))
    assert not found.anchored
    for step, length in (("press the button", 300), ("re-point", 660)):
        began, ended = found.steps[step].began, found.steps[step].ended
        assert began is not None
        assert ended is not None
        assert ended.at - began.at == length


def test_minutes_since_the_first_line_need_no_clock(tmp_path: Path) -> None:
    assert read(tmp_path, filled_text({"1": ("3m", "5m")})).anchored


def test_lines_may_be_missing_moved_and_known_by_name_alone(tmp_path: Path) -> None:
    text = "step,actual begin,actual end,remarks,ours\nＧＯ HOME,28m,29m,,x\n'press the button,3m,5m,well done,\n"
    found = read(tmp_path, text)
    assert set(found.steps) == {"go home", "press the button"}
    assert found.missing == ("re-point", "test call")


@pytest.mark.parametrize(
    ("first", "press", "point", "stamps"),
    [
        ("", ("12:00", "12:10"), ("10:50", "11:05"), (82_200, 83_100)),
        ("10:00", ("", ""), ("08:50", "09:10"), (82_200, 83_400)),
        ("2026-11-24 10:00", ("", ""), ("2026-11-26 11:00", "11:30"), (176_400, 178_200)),
        ("2026-11-24 10:00", ("", ""), ("2026-11-23 23:50", "00:10"), (-36_600, -35_400)),
        ("10:00", ("", ""), ("14:00", "08:30"), (14_400, 81_000)),
    ],
)
def test_a_step_is_finished_in_the_hours_after_it_was_begun(
    tmp_path: Path, first: str, press: tuple[str, str], point: tuple[str, str], stamps: tuple[float, float]
) -> None:
    found = read(tmp_path, filled_text({"F1": (first, ""), "1": press, "2": point}))
    assert found.steps["re-point"] == Actual(Stamp(stamps[0], 60), Stamp(stamps[1], 60))


@pytest.mark.parametrize(("began", "ended"), [("14:00", "13:59"), ("14:00", "10:30"), ("09:30", "09:05")])
def test_what_would_have_taken_nearly_a_day_was_finished_before_it_was_begun(
    tmp_path: Path, began: str, ended: str
) -> None:
    text = filled_text({"F1": ("10:00", ""), "1": (began, ended)})
    assert [found[2] for found in wrong(tmp_path, text)] == ["finished before it was begun"]


# What is wrong


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = (
        "no.,step,actual begin,actual end\n"
        "F1,tokyo-lost,10:00,\n"
        "1,press the button,10:61,10:09\n"
        "2,repoint,32,10:20\n"
        "3,test call,10:25,10:21\n"
        "9,something else,10:00,\n"
        "4,re-point,10:00,\n"
        "4,go home,soon,\n"
        "1,press the button,,\n"
        ",press the buton,10:00,\n"
        ",,10:00,\n"
        "4,go home,,,10:30\n"
    )
    assert wrong(tmp_path, text) == [
        (3, "actual begin", "no such time", "'10:61'"),
        (4, "step", "the drill has no step of this name", "'repoint'"),
        (4, "actual begin", "not a time: 32 has no unit; write 32s for seconds or 32m for minutes", "'32'"),
        (5, "actual end", "finished before it was begun", "'10:21'"),
        (6, "no.", "the drill has no such line", "'9'"),
        (7, "step", "number 4 is another step: this sheet is of another version of the drill", "'re-point'"),
        (8, "actual begin", "not a time: 'soon' is not a duration", "'soon'"),
        (9, "no.", "this line stands twice", "'1'"),
        (10, "step", "the drill has no step of this name", "'press the buton'"),
        (11, "step", "nobody knows which step this line is about", None),
        (12, "no.", "this line stands twice", "'4'"),
        (12, "", "more cells than the first line has columns", "'10:30'"),
    ]


def test_problems_say_where_they_stand_and_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(DrillError) as refused:
        read(tmp_path, "no.,step,actual begin,actual end\n1,press the button,10:04,later\n")
    (problem,) = refused.value.problems
    assert str(problem.mark).endswith("sheet.csv:2:26")
    assert problem.allowed == "a time by the clock such as 10:32 or 10:32:05, or since line F1 such as 32m"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["the sheet is empty"]),
        ("a,b\n1,2\n", ["no column 'step'", "no column 'actual begin'", "no column 'actual end'"]),
        ("step,actual begin,actual ende\n", ["no column 'actual end'; did you mean 'actual ende'?"]),
        ("step,actual begin,actual end,actual end\n", ["two columns mean the same"]),
        ('"step;actual begin', ["not CSV: unexpected end of data"]),
        ('step,actual begin,actual end\n"go home,10:00\n', ["not CSV: unexpected end of data"]),
    ],
)
def test_a_sheet_without_its_columns(tmp_path: Path, text: str, messages: list[str]) -> None:
    assert [message for _, _, message, _ in wrong(tmp_path, text)] == messages


def test_minutes_and_the_clock_need_the_time_of_the_first_line(tmp_path: Path) -> None:
    text = filled_text({"1": ("3m", "10:09")})
    (found,) = wrong(tmp_path, text)
    assert found[2].startswith("some times are by the clock")
    assert read(tmp_path, filled_text({"F1": ("10:00", ""), "1": ("3m", "10:09")})).steps == {
        "press the button": Actual(Stamp(180, 60), Stamp(540, 60))
    }


def test_the_first_line_is_where_counting_begins(tmp_path: Path) -> None:
    assert [found[2] for found in wrong(tmp_path, filled_text({"F1": ("2m", "")}))] == [
        "times are counted from this line"
    ]
    assert read(tmp_path, filled_text({"F1": ("0m", ""), "1": ("3m", "5m")})).anchored


def test_the_time_of_the_first_line_may_stand_in_either_column(tmp_path: Path) -> None:
    times = {"1": ("10:04", "10:09")}
    found = read(tmp_path, filled_text({"F1": ("", "10:00:30"), **times}))
    assert found == read(tmp_path, filled_text({"F1": ("10:00:30", ""), **times}))
    assert (found.anchored, found.first_within) == (True, 1)
    assert found == read(tmp_path, filled_text({"F1": ("10:00:30", "10:28"), **times})), "the begin goes first"
    (problem,) = wrong(tmp_path, filled_text({"F1": ("", "2m")}))
    assert problem[1:3] == ("actual end", "times are counted from this line")


def test_a_date_in_some_times_only(tmp_path: Path) -> None:
    text = filled_text({"F1": ("10:00", ""), "1": ("2026-11-24 10:04", "10:09")})
    assert [found[2] for found in wrong(tmp_path, text)] == [
        "a date, where the time that others are counted from has none"
    ]
    assert wrong(tmp_path, filled_text({"F1": ("2026-02-30 10:00", "")}))[0][2] == "no such time"


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sheet.xlsx"
    path.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(DrillError, match="an Excel workbook"):
        read_sheet(path, STEPS, events_of(tiny())[1])
