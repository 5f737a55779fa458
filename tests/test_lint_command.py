"""`kirikae lint` as a user, an editor and a code host meet it."""

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from kirikae import lint
from kirikae.lint import Options
from kirikae.options import OptionError
from kirikae.run import checked_plan
from reports.checked import Checked, unreadable
from reports.console import safe_console
from reports.exit_codes import ExitCode
from reports.lint_terminal import print_checked, totals
from reports.sarif import sarif_text
from scenarios.loader import load_text
from scenarios.problems import Mark, Problem, Severity
from scenarios.rules import packs
from scenarios.rules.rule import Declaration
from scenarios.text import Text
from tests.made_checks import BAD, GOOD, WAIVED, checks
from tests.test_cli import kirikae

LINE = re.compile(r"(?P<file>[^:]+)(:(?P<line>\d+):(?P<column>\d+))?: (?P<kind>\w+): (?P<text>.+) \[(?P<tag>[^\]]+)\]")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIRIKAE_LANG", "en")
    for name, text in (("good", GOOD), ("bad", BAD), ("waived", WAIVED)):
        (tmp_path / f"{name}.kirikae.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def linted(*names: str, least: Severity = Severity.NOTE, **more: Any) -> tuple[ExitCode, list[str]]:
    """Return the exit code, and what is printed where nobody looks on."""
    out = io.StringIO()
    options = {"changes": (), "strict": False, "language": None, "json": None, "sarif": None, **more}
    code = lint.lint(names, Options(least=least, **options), safe_console(out))
    return code, out.getvalue().splitlines()


def tags(lines: list[str]) -> list[str]:
    return [found["tag"] for line in lines if (found := LINE.match(line))]


# Lines


def test_each_finding_is_a_line_with_its_place_in_order_of_place(folder: Path) -> None:
    code, lines = linted("bad.kirikae.yaml")
    first, second, last = lines
    assert code is ExitCode.INVALID
    assert first.startswith("bad.kirikae.yaml:7:37: error: trunks.ntt.channels: 12 erlang are offered")
    assert first.endswith("(allowed at least 20 for 1%) [overloaded-baseline G7]")
    assert second.startswith("bad.kirikae.yaml:9:3: warning: numbers.03-9999-9999: nobody dials")
    assert second.endswith("[orphan-number G14]")
    assert last == "files: 1; errors: 1; warnings: 1; notes: 0; waived: 0; declared, not checked: 0"


def test_a_warning_above_an_error_comes_first(folder: Path) -> None:
    (folder / "typo.kirikae.yaml").write_text(BAD.replace("run:", "system: biztell\nrun:"), encoding="utf-8")
    _, lines = linted("typo.kirikae.yaml")
    assert tags(lines) == ["unknown-system", "overloaded-baseline G7", "orphan-number G14"]


def test_a_sound_plan_has_nothing_but_totals(folder: Path) -> None:
    zeros = "files: 1; errors: 0; warnings: 0; notes: 0; waived: 0; declared, not checked: 0"
    assert linted("good.kirikae.yaml") == (ExitCode.PASSED, [zeros])


def test_waived_findings_follow_with_their_reasons_and_are_no_errors(folder: Path) -> None:
    code, lines = linted("waived.kirikae.yaml")
    assert code is ExitCode.PASSED
    assert [LINE.match(line)["kind"] for line in lines[:2]] == ["warning", "waived"]  # type: ignore[index]  # they match
    assert lines[1].endswith("[overloaded-baseline G7]: the carrier adds lines in May")
    assert lines[2] == "files: 1; errors: 0; warnings: 1; notes: 0; waived: 1; declared, not checked: 0"


def test_with_strict_a_warning_is_enough(folder: Path) -> None:
    assert linted("waived.kirikae.yaml", strict=True)[0] is ExitCode.INVALID
    assert linted("good.kirikae.yaml", strict=True)[0] is ExitCode.PASSED


def test_only_findings_of_a_severity_are_shown_and_all_are_counted(folder: Path) -> None:
    code, lines = linted("bad.kirikae.yaml", least=Severity.ERROR)
    assert code is ExitCode.INVALID
    assert tags(lines) == ["overloaded-baseline G7"]
    assert "warnings: 1" in lines[-1]


def test_a_change_is_made_to_every_plan(folder: Path) -> None:
    _, lines = linted("good.kirikae.yaml", "bad.kirikae.yaml", changes=("trunks.ntt.channels=11",))
    about = "error: --set trunks.ntt.channels=11: trunks.ntt.channels: 12 erlang"
    assert [line.split(": ")[0] for line in lines if about in line] == ["good.kirikae.yaml", "bad.kirikae.yaml"]


# Files


def test_what_cannot_be_read_is_told_and_the_others_are_checked(folder: Path) -> None:
    (folder / "empty.kirikae.yaml").touch()
    (folder / "broken.kirikae.yaml").write_text("kirikae: [1\nname: x\n")
    (folder / "nothing").mkdir()
    code, lines = linted("nix.kirikae.yaml", "empty.kirikae.yaml", "broken.kirikae.yaml", "nothing", "bad.kirikae.yaml")
    assert code is ExitCode.INVALID
    assert lines[0].startswith("nix.kirikae.yaml: error: no such file; did you mean")
    assert lines[1].startswith("empty.kirikae.yaml: error: the file is empty")
    assert lines[2].startswith("broken.kirikae.yaml:2:")
    assert lines[3].startswith("nothing: error: there is no drill in this folder (allowed files called *.kirikae.yaml)")
    assert tags(lines[4:]) == ["overloaded-baseline G7", "orphan-number G14"]
    assert lines[-1].startswith("files: 5; errors: 5; warnings: 1;")


def test_names_that_lead_nowhere_are_findings_of_their_own_check(folder: Path) -> None:
    (folder / "typo.kirikae.yaml").write_text(GOOD.replace("via: edge", "via: egde").replace("for: 5m", "for: 5"))
    code, lines = linted("typo.kirikae.yaml")
    assert code is ExitCode.INVALID
    assert tags(lines) == ["unreadable", "dangling-reference G13"]


def test_a_folder_stands_for_the_drills_in_it_and_below_and_each_is_checked_once(folder: Path) -> None:
    (folder / "below" / ".hidden").mkdir(parents=True)
    for name in ("below/more.kirikae.yaml", "below/.hidden/no.kirikae.yaml", "below/other.yaml"):
        (folder / name).write_text(GOOD)
    _, lines = linted("good.kirikae.yaml", str(folder), ".")
    assert lines[-1].startswith("files: 4;")
    assert not any("hidden" in line for line in lines)


def test_a_bundled_drill_goes_by_its_name_and_a_misspelt_one_brings_a_proposal(folder: Path) -> None:
    assert linted("port-exhaustion")[0] is ExitCode.PASSED
    code, lines = linted("port-exhaustoin")
    assert code is ExitCode.INVALID
    assert lines[0].startswith("port-exhaustoin: error: no such file, and no bundled drill of that name; did you mean")


# Terminal


def shown(file: Checked, width: int = 90) -> str:
    out = io.StringIO()
    print_checked(Console(file=out, force_terminal=True, color_system=None, width=width), file, str)
    return out.getvalue()


def test_on_a_terminal_every_finding_says_why_and_what_instead() -> None:
    text = shown(checks(BAD, "bad.yaml"))
    words = " ".join(text.split())
    assert "bad.yaml:9:3 warning [orphan-number G14]" in words
    assert "why A number that nothing uses is a number somebody forgot, in the plan or in the traffic." in words
    assert "instead traffic to it, or a plan without it" in words


def test_text_of_a_plan_is_not_taken_for_markup_in_any_form() -> None:
    file = unreadable("x", "x", [Problem(Mark("x"), "", "[bold red]no[/] [/oops]")])
    assert "[bold red]no[/] [/oops]" in shown(file)
    out = io.StringIO()
    print_checked(safe_console(out), file, str)
    assert "[bold red]no[/] [/oops]" in out.getvalue()


# Declarations


@pytest.fixture
def stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack that takes the name of the first site at its word."""

    def look(drill: Any) -> Iterator[Declaration]:
        yield Declaration(("sites", next(iter(drill.sites))), ("G7",), Text("the contract is for {site}", site="tokyo"))

    monkeypatch.setattr("scenarios.rules.declared.DECLARED", (*packs.DECLARED, look))


@pytest.mark.usefixtures("stated")
def test_what_is_only_declared_is_listed_and_counted(folder: Path) -> None:
    code, lines = linted("good.kirikae.yaml", strict=True)
    assert code is ExitCode.PASSED
    assert lines[0] == "good.kirikae.yaml:5:9: declared: sites.tokyo: the contract is for tokyo [G7]"
    assert lines[1].endswith("declared, not checked: 1")
    text = shown(checks(GOOD, "good.yaml"))
    assert "declared, not checked: 1" in text
    assert "sites.tokyo: the contract is for tokyo [G7]" in text


@pytest.mark.usefixtures("stated")
def test_what_is_only_declared_does_not_stand_before_a_verdict() -> None:
    console = Console(file=io.StringIO(), width=200)
    plan = checked_plan(load_text(GOOD, "good.yaml"), "good.yaml", console)
    assert len(plan.declared) == 1
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == ""


# JSON


def test_the_json_has_everything_with_its_place(folder: Path) -> None:
    code, _ = linted("waived.kirikae.yaml", "nix.kirikae.yaml", least=Severity.ERROR, json="lint.json")
    told = json.loads((folder / "lint.json").read_text(encoding="utf-8"))
    assert (told["version"], told["language"], told["exit_code"]) == (1, "en", int(code))
    assert told["totals"] == {"files": 2, "errors": 1, "warnings": 1, "notes": 0, "waived": 1, "declared": 0}
    first, second = told["files"]
    (finding,) = first["findings"]
    assert finding["id"] == "orphan-number"
    assert (finding["file"], finding["line"], finding["column"]) == ("waived.kirikae.yaml", 9, 3)
    assert finding["rows"] == ["G14"]
    assert finding["why"].endswith(".")
    assert finding["remedy"] == "traffic to it, or a plan without it"
    assert first["waived"][0]["reason"] == "the carrier adds lines in May"
    assert not second["readable"]
    assert second["findings"][0]["line"] is None


def test_the_json_goes_to_a_pipe_alone_and_the_words_elsewhere(folder: Path) -> None:
    done = kirikae("lint", "bad.kirikae.yaml", "--json", "-", at=folder)
    assert done.returncode == 2
    assert json.loads(done.stdout)["totals"]["errors"] == 1
    assert b"[overloaded-baseline G7]" in done.stderr


@pytest.mark.parametrize("file", ["-", "lint.json"])
def test_two_results_cannot_go_to_one_place(folder: Path, file: str) -> None:
    with pytest.raises(OptionError, match="only one"):
        linted("good.kirikae.yaml", json=file, sarif=file)
    assert not (folder / file).exists()


def test_a_language_without_messages_is_refused(folder: Path) -> None:
    with pytest.raises(OptionError, match="allowed: en, ja"):
        linted("good.kirikae.yaml", language="jp")


# SARIF

_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_WHOLE = {"type": "integer", "minimum": 1}
SARIF: dict[str, Any] = {
    # What SARIF 2.1.0 asks of the parts that are used here, and what GitHub's upload asks beyond it.
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "rules"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"const": "kirikae"},
                                    "version": {"type": "string"},
                                    "language": {"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id", "shortDescription", "fullDescription", "help"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string", "maxLength": 255},
                                                "shortDescription": {
                                                    **_TEXT,
                                                    "properties": {"text": {"type": "string", "maxLength": 1024}},
                                                },
                                                "fullDescription": _TEXT,
                                                "help": _TEXT,
                                                "defaultConfiguration": {
                                                    "properties": {"level": {"enum": ["error", "warning", "note"]}}
                                                },
                                                "properties": {"type": "object"},
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "language": {"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "properties": {"type": "object"},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["ruleId", "ruleIndex", "level", "message", "locations", "suppressions"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["error", "warning", "note"]},
                                "message": _TEXT,
                                "properties": {"type": "object"},
                                "suppressions": {
                                    "type": "array",
                                    "maxItems": 1,
                                    "items": {
                                        "type": "object",
                                        "required": ["kind", "justification"],
                                        "additionalProperties": False,
                                        "properties": {
                                            "kind": {"enum": ["inSource", "external"]},
                                            "justification": {"type": "string", "minLength": 1},
                                        },
                                    },
                                },
                                "locations": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "type": "object",
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "required": ["artifactLocation"],
                                                "additionalProperties": False,
                                                "properties": {
                                                    "artifactLocation": {
                                                        "type": "object",
                                                        "required": ["uri"],
                                                        "additionalProperties": False,
                                                        "properties": {
                                                            "uri": {"type": "string", "pattern": "^[!-~]+$"},
                                                            "uriBaseId": {"const": "%SRCROOT%"},
                                                        },
                                                    },
                                                    "region": {
                                                        "type": "object",
                                                        "required": ["startLine", "startColumn"],
                                                        "additionalProperties": False,
                                                        "properties": {"startLine": _WHOLE, "startColumn": _WHOLE},
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_the_sarif_log_is_as_its_standard_asks(folder: Path) -> None:
    (folder / "計画 1.kirikae.yaml").write_text(WAIVED, encoding="utf-8")
    code, _ = linted("計画 1.kirikae.yaml", "bad.kirikae.yaml", "nix", "port-exhaustion", sarif="lint.sarif")
    assert code is ExitCode.INVALID
    log = json.loads((folder / "lint.sarif").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(SARIF).validate(log)
    (run,) = log["runs"]
    rules, results = run["tool"]["driver"]["rules"], run["results"]
    assert [rules[each["ruleIndex"]]["id"] for each in results] == [each["ruleId"] for each in results]
    assert len({rule["id"] for rule in rules}) == len(rules)
    found = [
        (each["ruleId"], each["level"], [why["justification"] for why in each["suppressions"]]) for each in results
    ]
    assert found == [
        ("orphan-number", "warning", []),
        ("overloaded-baseline", "error", ["the carrier adds lines in May"]),
        ("overloaded-baseline", "error", []),
        ("orphan-number", "warning", []),
        ("unreadable", "error", []),
    ]
    places = [each["locations"][0]["physicalLocation"] for each in results]
    assert places[0]["artifactLocation"] == {
        "uri": "%E8%A8%88%E7%94%BB%201.kirikae.yaml",
        "uriBaseId": "%SRCROOT%",
    }
    assert places[0]["region"] == {"startLine": 9, "startColumn": 3}
    assert "region" not in places[-1]


def test_a_plan_elsewhere_is_named_by_its_whole_path(folder: Path) -> None:
    file = checks(BAD, "/somewhere/a plan.yaml")
    log = json.loads(sarif_text([file], folder, "en", str))
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in log["runs"][0]["results"]}
    assert uris == {"file:///somewhere/a%20plan.yaml"}


def test_a_slip_in_an_option_is_put_down_to_the_plan_in_the_log(folder: Path) -> None:
    linted("good.kirikae.yaml", changes=("no assignment",), sarif="lint.sarif")
    (result,) = json.loads((folder / "lint.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "good.kirikae.yaml"


# Words of other languages


def test_every_word_around_a_finding_is_said_in_the_language_asked_for() -> None:
    """A language that puts every text it is given into brackets, and knows them all."""
    say: Callable[[str], str] = lambda text: f"<{text}>"  # noqa: E731  # it is handed on as a value
    file = checks(WAIVED, "plan.yaml")
    out = io.StringIO()
    print_checked(safe_console(out), file, say)
    first, second = out.getvalue().splitlines()
    assert "<nobody dials or shows, and nothing leads to, 03-9999-9999 (G14)>" in first
    assert "(<allowed traffic to it, or a plan without it>)" in first
    assert "warning:" in first
    assert second.endswith(": the carrier adds lines in May"), "the author's words are the author's"
    assert totals([file], say).startswith("<files>: 1; <errors>: 0; <warnings>: 1")


JAPANESE = Path(__file__).parent.parent / "scenarios" / "locale" / "ja"


@pytest.mark.skipif(not JAPANESE.exists(), reason="no Japanese catalogue in this tree")
def test_findings_are_said_in_japanese_if_asked_for_or_wanted_by_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, asked = linted("bad.kirikae.yaml", language="ja")
    assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", asked[1])
    assert tags(asked) == ["overloaded-baseline G7", "orphan-number G14"], "ids are the same in every language"
    monkeypatch.setenv("KIRIKAE_LANG", "ja_JP.UTF-8")
    assert linted("bad.kirikae.yaml") == (ExitCode.INVALID, asked)
