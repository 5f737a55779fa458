import csv
import io
import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import reports.result
from reports.calls_csv import HEADER, CallsCsv, safe_text
from reports.console import safe_console
from reports.files import ReportError, whole_file, write_whole
from reports.fold import Fold
from reports.folder import Tee, detail_files, write_all
from reports.html import report_text
from reports.judge import Judged, judge
from reports.junit import junit_text
from reports.origin import Origin
from reports.queries import default_queries
from reports.result import VERSION, result, result_text
from reports.terminal import print_summary
from scenarios.evidence import CallRecord, EventKind, Gauge, JournalEntry, Outcome, Sample
from scenarios.model import When
from tests.made_checks import judged_with_checks
from tests.made_evidence import FREE_DIAL, STEPS, call, drill, fold, rehearsal, waiting

ORIGIN = Origin("plans/東京.kirikae.yaml", ("ports.tenant=60",))


def judged(*expect: str, runs: int = 3, effect: bool = True, **changes: Any) -> Judged:
    plan = drill(expect=expect or ("asr > 50%",), **changes)
    made = [rehearsal(plan, seed) if effect else fold(plan, call()) for seed in range(runs)]
    return judge(plan, made, engine="calls", seed=7)


# result.json


def test_the_result_has_its_documented_keys() -> None:
    found = json.loads(result_text(judged("asr > 50%", "recovery_time < 30m"), ORIGIN))
    assert {"version", "verdict", "expectations", "metrics", "seed", "engine", "scenario"} <= found.keys()
    assert (found["version"], found["seed"], found["engine"]) == (VERSION, 7, "calls")
    assert found["scenario"]["file"] == ORIGIN.file
    assert found["replications"] == {"asked": 100, "done": 3}
    assert [item["text"] for item in found["expectations"]] == ["asr > 50%", "recovery_time < 30m"]
    assert found["evidence"][0] == {
        "fault": "tokyo-lost",
        "at": 600,
        "took_effect_in": 3,
        "first_effect": 601,
        "met_by": ["call"],
    }
    assert {"kirikae", "python", "simpy"} <= found["software"].keys()
    assert [step["step"] for step in found["steps"]] == list(STEPS)


def test_what_the_plan_checks_said_stands_in_the_result() -> None:
    told = result(judged_with_checks(), ORIGIN)
    (finding,) = told["findings"]
    assert (finding["id"], finding["severity"], finding["rows"]) == ("orphan-number", "warning", ["G14"])
    assert (finding["file"], finding["line"], finding["column"]) == ("plan.yaml", 9, 3)
    (waiver,) = told["waivers"]
    assert (waiver["finding"], waiver["reason"]) == ("overloaded-baseline", "the carrier adds lines in May")
    assert [each["path"] for each in waiver["findings"]] == ["trunks.ntt.channels"]
    (declared,) = told["declared"]
    assert declared == {
        "path": "sites.tokyo",
        "file": "plan.yaml",
        "line": 5,
        "column": 9,
        "rows": ["Z1"],
        "text": "the option is in the contract",
    }


def test_every_key_of_the_result_is_documented() -> None:
    documented = {line.split()[0] for line in str(reports.result.__doc__).splitlines() if line.startswith("    ")}
    assert result(judged(), ORIGIN).keys() <= documented


def test_never_is_null_and_a_flag() -> None:
    plan = drill(expect=["recovery_time < 30m"])
    lost = [*[call(float(i)) for i in range(600)], *[call(600.0 + i, Outcome.FAILED) for i in range(1800)]]
    found = json.loads(result_text(judge(plan, [fold(plan, *lost)], engine="calls", seed=1), ORIGIN))
    assert found["metrics"]["recovery_time"]["value"] is None
    assert found["metrics"]["recovery_time"]["never"] is True
    assert found["expectations"][0]["never"] is True
    nothing = found["metrics"]["service_level{queue=sales}"]
    assert nothing["never"] is False


def test_the_same_runs_give_the_same_bytes() -> None:
    assert result_text(judged(), ORIGIN) == result_text(judged(), ORIGIN)


def test_a_run_that_was_stopped_at_once_still_has_a_result() -> None:
    plan = drill()
    found = result(judge(plan, [], engine="calls", seed=1, interrupted=True), ORIGIN)
    assert (found["verdict"], found["interrupted"], found["metrics"]) == ("inconclusive", True, {})


def test_the_command_to_repeat_a_run_can_be_pasted_into_a_shell() -> None:
    origin = Origin("my plan.yaml", ("faults[tokyo-lost].at=20m",))
    words = "kirikae run 'my plan.yaml' --engine packets --seed 7 --replications 100 --set 'faults[tokyo-lost].at=20m'"
    assert origin.command("packets", 7, 100) == words


# junit.xml


def suite_of(run: Judged) -> ET.Element:
    return ET.fromstring(junit_text(run, ORIGIN))[0]  # noqa: S314  # made by ourselves


def cases(run: Judged) -> dict[str, str]:
    """Return what JUnit says of each test case: the name of its one problem, or `passed`."""
    suite = suite_of(run)
    found = {}
    for case in suite.iter("testcase"):
        problems = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        assert len(problems) <= 1
        found[str(case.get("name"))] = problems[0] if problems else "passed"
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    for attribute, tag in counts.items():
        assert int(suite.get(attribute, "")) == list(found.values()).count(tag)
    assert int(suite.get("tests", "")) == len(found)
    return found


def test_every_expectation_is_a_test_case() -> None:
    found = cases(judged("asr > 10%", "asr > 99%", "asa{queue=none} < 1s"))
    assert found == {
        "asr > 10%": "passed",
        "asr > 99%": "failure",
        "asa{queue=none} < 1s": "error",
        "the run is evidence": "passed",
    }


def test_a_fault_without_effect_is_an_error_of_its_own() -> None:
    assert cases(judged("asr > 10%", effect=False))["the run is evidence"] == "error"


def test_what_is_meant_to_fail_is_skipped_when_it_does_and_a_failure_when_not() -> None:
    assert cases(judged("asr > 99%", expected_verdict="failed")) == {
        "asr > 99%": "skipped",
        "the run is evidence": "passed",
        "the verdict is failed": "passed",
    }
    assert cases(judged("asr > 10%", expected_verdict="failed"))["the verdict is failed"] == "failure"


def test_markup_in_names_is_text() -> None:
    assert suite_of(judged("asr > 99%", name='<Tokyo> & "Osaka"')).get("name") == '<Tokyo> & "Osaka"'


# calls.csv


def rows(*calls: CallRecord) -> list[dict[str, str]]:
    file = io.StringIO(newline="")
    CallsCsv(file).calls(calls)
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


def test_a_call_is_a_row_with_every_field_in_seconds_and_plain_words() -> None:
    (row,) = rows(call(1.23456, setup=0.5))
    assert list(row) == list(HEADER)
    assert [name.split(" ")[0] for name in HEADER] == list(CallRecord._fields)
    assert (row["start (seconds)"], row["setup (seconds)"], row["final"]) == ("1.235", "0.500", "yes")
    assert row["number"] == FREE_DIAL
    (lost,) = rows(call(1, Outcome.FAILED, final=False))
    assert (lost["talk (seconds)"], lost["final"], lost["outcome"]) == ("", "no", "failed")


@pytest.mark.parametrize("text", ["a, b", 'the "DR" button', "two\nlines", "a,b\r\n", '"', "", "営業、東京"])
def test_any_text_comes_back_from_its_cell(text: str) -> None:
    (row,) = rows(call(reason=text))
    assert row["reason"] == text
    assert row["sip"] == "200"


def test_times_are_written_alike_whether_few_or_many_are_the_same() -> None:
    waits = [0.0, 0.0, None, 0.0, 2.5, 0.0004, 0.0]
    written = [row["wait (seconds)"] for row in rows(*(call(start, wait=wait) for start, wait in enumerate(waits)))]
    assert written == ["0.000", "0.000", "", "0.000", "2.500", "0.000", "0.000"]
    assert [row["start (seconds)"] for row in rows(call(1), call(2.25), call(7))] == ["1.000", "2.250", "7.000"]


def test_no_calls_are_no_rows() -> None:
    assert rows() == []


def test_excel_reads_the_file_as_utf_8_with_its_own_line_ends(tmp_path: Path) -> None:
    with detail_files(tmp_path) as recorder:
        recorder.calls([call(site="東京")])
    raw = (tmp_path / "calls.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == raw.count(b"\n") == 2
    assert "東京" in raw.decode("utf-8-sig")


@pytest.mark.parametrize(
    "number",
    ["0120-123-456", "03-1234-5678", "0422-12-3456", "04992-2-1234", "050-3123-4567", "0800-123-4567", "0570-012-345"],
)
def test_phone_numbers_stay_as_they_are(number: str) -> None:
    assert safe_text(number) == number


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+81-3-1234-5678", "-1", "@SUM(A1)", "＝1"),
        *("0120123456", "007", "1e5", "1-2", "2024-01-02", "1/2/24", "dec/1"),
    ],
)
def test_text_that_a_spreadsheet_would_calculate_or_convert_is_kept_as_text(text: str) -> None:
    assert safe_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["tokyo-edge/1", "sales", "営業", "", "tenant", "nothing answers"])
def test_ordinary_text_is_not_touched(text: str) -> None:
    assert safe_text(text) == text


# journal.jsonl, and recorders together


def test_the_journal_has_one_object_a_line(tmp_path: Path) -> None:
    with detail_files(tmp_path) as recorder:
        recorder.entry(JournalEntry(600.0, EventKind.FAULT, "東京停止", {"target": "tokyo"}))
        recorder.entry(JournalEntry(601.5, EventKind.REGISTERED, "sales", {"registered": 3}))
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text("utf-8").splitlines()]
    assert lines == [
        {"at": 600.0, "kind": "fault", "subject": "東京停止", "detail": {"target": "tokyo"}},
        {"at": 601.5, "kind": "registered", "subject": "sales", "detail": {"registered": 3}},
    ]


def test_a_tee_hands_everything_to_everyone() -> None:
    plan = drill()
    one, other = Fold(plan, default_queries(plan)), Fold(plan, default_queries(plan))
    both = Tee(one, other)
    both.calls([call(), call(3, Outcome.BLOCKED)])
    both.entry(JournalEntry(601, EventKind.EFFECT, "tokyo-lost"))
    both.sample(Sample(10, Gauge.PORTS, "tenant", 5))
    assert one.summary() == other.summary()
    assert (one.summary().records, one.summary().peaks) == (2, {"tenant": 5})


# Files


def test_a_folder_gets_all_its_files(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "東京"
    write_all(out, judged(), ORIGIN)
    names = ["junit.xml", "replications.json", "report.html", "result.json"]
    assert sorted(path.name for path in out.iterdir()) == names


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_folder_speaks_the_language_that_is_asked_for(language: str, tmp_path: Path) -> None:
    write_all(tmp_path, judged(), ORIGIN, language=language)
    assert f'<html lang="{language}">' in (tmp_path / "report.html").read_text("utf-8")
    assert result(judged(), ORIGIN)["story"][0].startswith("The plan"), "programs read English"


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("old", "utf-8")
    with whole_file(path) as file:
        file.write("new")
        assert path.read_text("utf-8") == "old"
    assert path.read_text("utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_junit_can_be_parsed_whatever_the_file_is_called() -> None:
    suite = ET.fromstring(junit_text(judged(), Origin("plan\x01 & \udc83.yaml", ()))).find("testsuite")  # noqa: S314
    assert suite is not None
    found = suite.find("properties/property[@name='file']")
    assert found is not None
    assert found.get("value") == "plan\ufffd & \ufffd.yaml"


def test_of_two_who_write_a_file_the_last_wins_and_neither_spoils_the_other(tmp_path: Path) -> None:
    path = tmp_path / "result.json"

    def other() -> None:
        with whole_file(path) as file:
            file.write("b" * 100_000)

    with whole_file(path) as file:
        file.write("a" * 50_000)
        with ThreadPoolExecutor() as elsewhere:
            elsewhere.submit(other).result()
        assert path.read_text("utf-8") == "b" * 100_000
        file.write("a" * 50_000)
    assert path.read_text("utf-8") == "a" * 100_000
    assert list(tmp_path.iterdir()) == [path]


def test_names_that_are_no_utf_8_can_be_written_about(tmp_path: Path) -> None:
    write_whole(tmp_path / "result.json", os.fsdecode(b"\x83\x65.kirikae.yaml"))
    assert (tmp_path / "result.json").read_text("utf-8") == "?e.kirikae.yaml"


@contextmanager
def interrupted() -> Iterator[None]:
    with pytest.raises(KeyboardInterrupt):
        yield


def test_a_run_that_breaks_off_leaves_no_half_written_file(tmp_path: Path) -> None:
    with interrupted(), detail_files(tmp_path) as recorder:
        recorder.calls([call()] * 5000)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", "utf-8")
    (tmp_path / "result.json").mkdir()
    with pytest.raises(ReportError, match="taken: File exists"):
        write_all(tmp_path / "taken", judged(), ORIGIN)
    with pytest.raises(ReportError, match=r"result\.json: Is a directory"):
        write_all(tmp_path, judged(), ORIGIN)
    with pytest.raises(ReportError, match="missing"):
        write_whole(tmp_path / "missing" / "file", "text")
    for path in (Path(), Path("/")):
        with pytest.raises(ReportError, match="Is a directory"):
            write_whole(path, "text")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_an_error_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "with_name", lambda path, name: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok: None)
    with pytest.raises(ReportError, match=r"result\.json: No space left"):
        write_whole(tmp_path / "result.json", "x" * 100_000)


# The terminal


def shown(run: Judged, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    print_summary(safe_console(file), run)
    file.flush()
    return raw.getvalue().decode(encoding)


def test_the_summary_answers_in_plain_text_when_piped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    text = shown(judged("asr > 10%", "asr > 99%"))
    assert "\x1b" not in text
    assert text.startswith("FAILED")
    assert "The plan did not work. 1 of 2 expectations does not hold" in text
    assert "asr > 99%" in text
    assert "is on the wrong side of the bound" in text
    for step in STEPS:
        assert step in text


def test_the_summary_counts_what_the_plan_checks_said() -> None:
    counts = "The plan: 1 warning, 1 finding waived with a reason, 1 fact declared, not checked."
    assert counts in " ".join(shown(judged_with_checks()).split())
    assert "The plan:" not in shown(judged())


def test_what_waiting_for_conditions_cost_is_shown_where_a_plan_has_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready at 600, kept from 630 to 810, begun at 840 and done at 900."""
    monkeypatch.setenv("COLUMNS", "200")
    plan = drill()
    book = [plan.runbook[0].model_copy(update={"when": When(repaired="tokyo-lost")}), *plan.runbook[1:]]
    conditional = plan.model_copy(update={"runbook": book})
    entries = [
        JournalEntry(600, EventKind.STEP_READY, STEPS[0], {"released_by": "tokyo-lost"}),
        *waiting(STEPS[0], (630, 810)),
        JournalEntry(840, EventKind.STEP_STARTED, STEPS[0]),
        JournalEntry(900, EventKind.STEP_FINISHED, STEPS[0]),
    ]
    run, without = (judge(each, [fold(each, call(), *entries)], engine="calls", seed=7) for each in (conditional, plan))
    line = next(line for line in shown(run).splitlines() if line.startswith(STEPS[0]))
    assert line.split()[-4:] == ["5m", "1m", "3m", "100%"]
    assert "waiting for conditions" in shown(run)
    assert "Waiting for conditions" in report_text(run, ORIGIN)
    assert json.loads(result_text(run, ORIGIN))["steps"][0]["waited"] == 180
    assert "waiting for conditions" not in shown(without)
    assert "Waiting for conditions" not in report_text(without, ORIGIN)


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "utf-8", "latin-1"])
def test_no_terminal_is_too_poor_to_show_a_summary(encoding: str) -> None:
    text = shown(judged(name="東京停止 🗼 “切替”"), encoding)
    assert STEPS[0] in text
    assert ("テスト通話" in text) == (encoding in ("cp932", "utf-8"))


@pytest.mark.parametrize("columns", ["20", "40", "200"])
def test_the_summary_fits_the_width_it_is_given(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert max(map(len, shown(judged()).splitlines())) <= int(columns)


def test_text_of_a_drill_is_not_taken_for_markup() -> None:
    assert "[red]:smile:[/red]" in shown(judged(name="[red]:smile:[/red]"))


def test_a_quiet_console_says_nothing() -> None:
    file = io.StringIO()
    print_summary(safe_console(file, quiet=True), judged())
    assert file.getvalue() == ""
