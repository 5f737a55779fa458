"""`kirikae rules`: what plans are held to, listed and explained."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from kirikae import rule_book
from kirikae.options import OptionError
from kirikae.rule_book import Options
from reports.console import safe_console
from reports.rules_terminal import print_list, scope_of
from scenarios.catalogue import PLACES, ROWS
from scenarios.catalogue.row import Row, behaviour, metric, not_held, parameter
from scenarios.coverage import Entry, entries
from scenarios.metrics import METRICS
from scenarios.problems import Severity
from scenarios.rules import RULES, Rule
from tests.test_cli import kirikae


def told(about: str | None = None, **more: Any) -> str:
    """Return what is printed, without the breaks of its lines."""
    out = io.StringIO()
    rule_book.tell(Options(about, language="en", **more), safe_console(out))
    return " ".join(out.getvalue().split())


def asked(about: str | None = None, *, at: Path, **more: Any) -> Any:
    """Return what programs are told."""
    told(about, json=str(at / "rules.json"), **more)
    return json.loads((at / "rules.json").read_text(encoding="utf-8"))


def names(listed: list[dict[str, Any]]) -> set[str]:
    return {each["id"] for each in listed}


def test_all_checks_and_all_rows_are_listed(tmp_path: Path) -> None:
    listed = asked(at=tmp_path)
    assert [each["id"] for each in listed["checks"]] == [rule.id for rule in RULES]
    assert names(listed["rows"]) == set(ROWS)
    text = told()
    assert all(rule.id in text for rule in RULES)
    assert all(f" {row} " in f" {text} " for row in ROWS)


def test_rows_come_in_order_of_their_ids() -> None:
    ids = [each.row.id for each in entries()]
    assert ids.index("N6") < ids.index("N22") < ids.index("Z14") < ids.index("G1") < ids.index("S1") < ids.index("S10")


def test_a_letter_a_system_or_a_word_leaves_less(tmp_path: Path) -> None:
    listed = asked(letter="ｊ", at=tmp_path)
    assert names(listed["rows"]) == {row for row in ROWS if row.startswith("J")}
    assert "no-emergency-line" in names(listed["checks"])
    assert "routing-loop" not in names(listed["checks"])
    listed = asked(system="webex-cc", at=tmp_path)
    assert names(listed["rows"]) == {row for row in ROWS if row.startswith("W")}
    assert listed["checks"] == []
    listed = asked(word="VOICE warp", at=tmp_path)
    assert "J3" in names(listed["rows"])
    assert "J5" not in names(listed["rows"])
    listed = asked(letter="J", word="no such word", at=tmp_path)
    assert listed["rows"] == listed["checks"] == []
    assert told(letter="J", word="no such word") == "No rule is like that."


def test_a_system_has_the_rules_of_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new = Rule("new", Severity.NOTE, "It is new.", cites=("J5",), system="biztel", since=(3, 9))
    monkeypatch.setattr(rule_book, "RULES", (new, *RULES))
    listed = asked(system="BIZTEL-3.10", at=tmp_path)
    assert "new" in names(listed["checks"])
    assert {"Z14", "J5"} <= names(listed["rows"])
    assert "new" not in names(asked(system="biztel-3.8", at=tmp_path)["checks"])
    (check,) = [each for each in listed["checks"] if each["id"] == "new"]
    assert (check["system"], check["since"], check["before"], check["rows"]) == ("biztel", "3.9", None, ["J5"])


def test_a_row_is_explained_with_the_checks_that_cite_it() -> None:
    text = told("z34")
    assert text.startswith(f"Z34 the BIZTEL DR service {ROWS['Z34'].fact}")
    assert "check softphones-elsewhere (error, all): A phone registers only at the sites" in text
    assert "check impossible-condition (error, all)" in text


def test_a_row_is_explained_in_every_other_way_in_which_it_can_be_held(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    places = (
        parameter("Softphone.expires"),
        behaviour("Phones come late.", drill="softphone-reconnect", metric="registration_p95"),
        metric("dropped"),
        not_held("nobody can see it from outside"),
    )
    monkeypatch.setitem(PLACES, "Z34", places)
    text = told("Z34")
    assert "parameter Softphone.expires by default 5m Registration expiry; a phone refreshes at half of it" in text
    assert "behaviour Phones come late. seen in registration_p95 of the drill softphone-reconnect" in text
    assert f"metric dropped {METRICS['dropped'].definition}" in text
    assert "not held nobody can see it from outside" in text
    (row,) = asked("Z34", at=tmp_path)["rows"]
    assert {"impossible-condition", "softphones-elsewhere"} <= set(row["checks"])
    assert [place["held"] for place in row["places"]] == ["parameter", "behaviour", "metric", "not held"]
    assert row["places"][0]["default"] == "5m"
    assert row["places"][1]["metric"] == "registration_p95"
    assert row["places"][2]["definition"] == METRICS["dropped"].definition


def test_a_row_that_nothing_holds_says_so() -> None:
    bare = next(each.row.id for each in entries("S") if not each.checks and not each.places)
    assert "Nothing holds a plan to it by itself; code and documentation cite it." in told(bare)


def test_a_check_is_explained_with_the_rows_it_cites(tmp_path: Path) -> None:
    text = told("No-Emergency-Line")
    assert text.startswith("no-emergency-line warning Emergency calls leave by a fixed line at the caller's own site.")
    assert f"J5 {ROWS['J5'].fact}" in text
    assert "plans all waivable yes" in text
    listed = asked("no-emergency-line", at=tmp_path)
    assert (names(listed["checks"]), names(listed["rows"])) == ({"no-emergency-line"}, {"J5"})


@pytest.mark.parametrize(
    ("asked_for", "reason"),
    [
        ({"about": "Z92"}, "did you mean 'Z"),
        ({"about": "rooting-loop"}, "did you mean 'routing-loop'"),
        ({"about": "Z34", "letter": "Z"}, "without --letter"),
        ({"letter": "Q"}, "allowed: N, Z, G, W, P, J, S"),
        ({"system": "biztell"}, "did you mean 'biztel'"),
        ({"language": "jp"}, "allowed: en, ja"),
    ],
)
def test_what_there_is_not_is_refused(asked_for: dict[str, str], reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        rule_book.tell(Options(**asked_for), safe_console(io.StringIO()))


def test_an_unknown_rule_is_exit_code_2() -> None:
    done = kirikae("rules", "rooting-loop")
    assert done.returncode == 2
    assert b"did you mean 'routing-loop'" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_command_prints_one_rule_for_programs() -> None:
    done = kirikae("rules", "J5", "--json", "-", "--lang", "en")
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in json.loads(done.stdout)["rows"]] == ["J5"]


def test_for_which_plans_a_check_is() -> None:
    def rule(**more: Any) -> Rule:
        return Rule("x", Severity.NOTE, "Why.", **more)

    assert scope_of(rule()) == "all"
    assert scope_of(rule(system="biztel")) == "BIZTEL DR service"
    assert scope_of(rule(system="biztel", since=(3, 9))) == "BIZTEL DR service from 3.9"
    assert scope_of(rule(system="biztel", before=(3, 9))) == "BIZTEL DR service before 3.9"
    assert scope_of(rule(system="biztel", since=(3, 7), before=(3, 9))) == "BIZTEL DR service from 3.7, before 3.9"


def test_all_is_said_in_the_language_asked_for() -> None:
    out = io.StringIO()
    row = Entry(Row("J5", "It is so."), (RULES[0],), (not_held("why"),))
    print_list(safe_console(out), [], [row], lambda text: f"<{text}>")
    assert " ".join(out.getvalue().split()) == "<row> <held by> <fact> J5 <check>, <not held> <It is so.>"
