"""What is said of `system:`, and which rules and statements count for it."""

from collections.abc import Iterator

import pytest

from scenarios import rules
from scenarios.model import Drill
from scenarios.problems import Severity
from scenarios.rules import packs, system
from scenarios.rules.declared import declarations
from scenarios.rules.rule import Declaration, Remark, Rule
from scenarios.systems import FOLLOWING, SYSTEMS, System
from tests.made_plans import only, plan

OF_SYSTEM = {rule.id for rule in system.SYSTEM}


def found(text: str) -> list[str]:
    """Return the findings about the system of a plan."""
    return [finding.id for finding in rules.check(plan(system=text)) if finding.id in OF_SYSTEM]


def test_a_plan_need_not_name_a_system() -> None:
    assert rules.check(plan()) == []


@pytest.mark.parametrize("text", ["biztel-3.9", "BIZTEL-3.6.10", "cxone-ports-1"])
def test_a_system_that_has_rules_is_no_finding(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "near"), [("biztell-3.9", "'biztel'"), ("cxone-port", "'cxone-ports'"), ("webex", "'webex-cc'")]
)
def test_a_misspelt_system_is_a_warning_with_a_proposal(text: str, near: str) -> None:
    finding = only(plan(system=text))
    assert (finding.id, finding.severity, finding.path) == ("unknown-system", Severity.WARNING, ("system",))
    assert f"did you mean {near}?" in finding.message
    assert all(name in finding.remedy for name in (*SYSTEMS, *FOLLOWING))


def test_a_system_like_no_other_brings_no_proposal() -> None:
    assert "did you mean" not in only(plan(system="asterisk-20")).message


@pytest.mark.parametrize("name", FOLLOWING)
def test_a_system_without_rules_yet_is_a_note(name: str) -> None:
    finding = only(plan(system=f"{name}-1.0"))
    assert (finding.id, finding.severity) == ("system-without-rules", Severity.NOTE)
    assert FOLLOWING[name] in finding.message


NEW = Rule("new", Severity.NOTE, "It is new.", cites=("Z2",), system="biztel", since=(3, 6, 10))
OLD = Rule("old", Severity.NOTE, "It is old.", cites=("Z30",), system="biztel", before=(3, 9))
OTHER = Rule("other", Severity.NOTE, "It is another.", cites=("P8",), system="cxone-ports")


def _says_nothing(drill: Drill) -> Iterator[Remark]:
    return iter(())


def test_a_version_is_asked_for_where_a_rule_depends_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "PACKS", {OTHER: _says_nothing})
    assert found("biztel") == []
    monkeypatch.setattr(system, "PACKS", {NEW: _says_nothing, OLD: _says_nothing, OTHER: _says_nothing})
    assert found("biztel") == ["system-without-version"]
    assert found("biztel-3.8") == []
    assert found("cxone-ports") == []
    (finding,) = [each for each in rules.check(plan(system="biztel")) if each.id in OF_SYSTEM]
    assert finding.severity is Severity.NOTE
    assert "3.6.10, 3.9" in finding.message


# What is only stated


def stated(drill: Drill) -> Iterator[Declaration]:
    for row in ("Z2", "Z30", "P8", "J9"):
        yield Declaration(("system",), (row,), f"as {row} asks")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("biztel-3.9", ["Z2", "J9"]),
        ("biztel-3.8", ["Z2", "Z30", "J9"]),
        ("biztel-3.6", ["Z30", "J9"]),
        ("cxone-ports", ["P8", "J9"]),
        (None, ["J9"]),
    ],
)
def test_a_statement_counts_where_a_rule_that_it_satisfies_does(
    text: str | None, rows: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.rules.declared.DECLARED", (stated,))
    found = declarations(plan(system=text), [NEW, OLD, OTHER])
    assert [declaration.cites[0] for declaration in found] == rows


def test_the_statements_of_a_plan_come_with_its_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenarios.rules.declared.DECLARED", (stated,))
    drill = plan()
    assert [each.text for each in rules.judge(drill, rules.check(drill)).declared]
    torn = plan(numbers={"03-3333-3333": {"trunk": "ntt-kyoto"}})
    assert rules.judge(torn, rules.check(torn)).declared == (), "no name is followed that leads nowhere"


def test_all_packs_are_asked_what_a_plan_states() -> None:
    parts = (packs.biztel, packs.sync, packs.numbers, packs.port_management)
    assert set(packs.DECLARED) == {look for part in parts for look in part.DECLARED}


def test_a_system_is_read_as_people_write_it() -> None:
    assert System.parse(" BizTel-v3.6.10 ") == System("biztel", (3, 6, 10))
