"""The catalogue of rules: every id that is cited is a row, and what is said to hold a row does."""

import ast
import re
import tokenize
from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from kirikae import drills
from kirikae.runner import Task
from reports.judge import judge
from reports.queries import default_queries, resolve
from reports.summary import Value
from scenarios import model
from scenarios.catalogue import PLACES, ROWS
from scenarios.catalogue.row import Held, Place
from scenarios.coverage import LETTERS, ROW_ID, entries, field
from scenarios.expectations import Query, parse_query
from scenarios.loader import load
from scenarios.metrics import METRICS
from scenarios.model import Drill, Verdict
from scenarios.model_fields import named_fields
from scenarios.rules import RULES
from tests.rule_switches import Switch

ROOT = Path(__file__).parent.parent
CITED = re.compile(r"\b[NZGWPJSK]\d{1,2}\b")
ROOMS = ("scenarios", "sbc", "sim", "reports", "kirikae")
REPLICATIONS = 3


def switches() -> Iterator[tuple[str, Switch]]:
    """Yield every way of switching a row off, of all areas."""
    for path in sorted(Path(__file__).parent.glob("rule_switches_*.py")):
        yield from import_module(f"tests.{path.stem}").SWITCHES.items()


SWITCHES = [pytest.param(row, switch, id=f"{row} {switch.drill}") for row, switch in switches()]
SWITCHED = {row for row, _ in switches()}


def held(how: Held) -> list[Any]:
    """Return all places of a kind, each with its row, for a test of each."""
    return [
        pytest.param(row, place, id=f"{row} {place.where}"[:40])
        for row, places in PLACES.items()
        for place in places
        if place.held is how
    ]


# Rows


def test_every_row_has_an_id_of_its_letter_and_a_fact() -> None:
    for row in ROWS.values():
        assert ROW_ID.fullmatch(row.id), row.id
        assert row.fact.endswith("."), row.id
    assert {each.row.id for each in entries()} == set(ROWS)


def test_every_id_that_is_cited_anywhere_is_a_row() -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    files += [*(ROOT / "scenarios" / "drills").glob("*.yaml"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    files += (ROOT / "docs").glob("*.py")
    found = {row: path.name for path in files for row in CITED.findall(path.read_text(encoding="utf-8"))}
    assert {row: where for row, where in found.items() if row not in ROWS} == {}


def test_every_id_that_a_test_cites_is_a_row() -> None:
    """In what it says of itself; in its code P8 may be a name."""
    found = {row: path.name for path in (ROOT / "tests").glob("*.py") for row in CITED.findall(" ".join(said_by(path)))}
    assert "S6" in found
    assert {row: where for row, where in found.items() if row not in ROWS} == {}


def said_by(path: Path) -> Iterator[str]:
    """Yield the comments and longer docstrings of a module."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT or token.string.startswith('"""'):
                yield token.string


def test_every_row_that_a_check_cites_is_there_and_stands_once() -> None:
    assert {row for rule in RULES for row in rule.cites} <= set(ROWS)
    for rule in RULES:
        assert len(set(rule.cites)) == len(rule.cites), rule.id


def ids_of(path: Path) -> tuple[set[str], set[str]]:
    """Return the rows that the texts of a module name, and those that its rules cite."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    # A string after an assignment is its documentation.
    skipped |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    citing = {
        constant
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "cites"
        for constant in ast.walk(node.value)
        if isinstance(constant, ast.Constant)
    }
    texts = {node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    named = {row for node in texts - citing - skipped for row in CITED.findall(str(node.value))}
    return named, {str(node.value) for node in citing}


def test_checks_cite_the_rows_that_their_messages_name() -> None:
    every = {row for rule in RULES for row in rule.cites}
    for path in sorted((ROOT / "scenarios" / "rules").rglob("*.py")):
        named, cited = ids_of(path)
        assert named <= every, path.name
        if cited:
            assert named <= cited, path.name


# Places


def test_every_place_is_of_a_row() -> None:
    assert set(PLACES) <= set(ROWS)


@pytest.mark.parametrize(("row", "place"), held(Held.PARAMETER))
def test_a_parameter_is_a_field_of_the_language(row: str, place: Place) -> None:
    part, _, name = place.where.partition(".")
    (kind,) = {each for each in parts(model.Part) if each.__name__ == part}
    assert name in named_fields(kind)
    assert field(place.where).meaning


def parts(kind: type[model.Part]) -> Iterator[type[model.Part]]:
    for each in kind.__subclasses__():
        yield each
        yield from parts(each)


def test_fields_are_found_as_their_reference_has_them() -> None:
    assert field("Softphone.expires").default == "5m"
    assert field("Drill.waivers").meaning == "Findings accepted with a reason."
    assert field("Run.for").default is None
    for unknown in ("Softphone.expiry", "Sofphone.expires", "Softphone"):
        with pytest.raises(KeyError):
            field(unknown)


@pytest.mark.parametrize(("row", "place"), held(Held.METRIC))
def test_a_metric_is_one_of_the_registry(row: str, place: Place) -> None:
    assert place.where in METRICS


@pytest.mark.parametrize(("row", "place"), held(Held.BEHAVIOUR))
def test_a_behaviour_is_one_sentence_with_a_drill_a_metric_and_a_switch(row: str, place: Place) -> None:
    assert place.where.endswith(".")
    assert place.drill in dict(drills.bundled())
    if place.metric != "verdict":
        parse_query(place.metric)
    assert row in SWITCHED


@pytest.mark.parametrize(("row", "place"), held(Held.NOT))
def test_what_is_not_held_has_a_reason(row: str, place: Place) -> None:
    assert len(place.where.split()) >= 4


@pytest.mark.parametrize(("row", "switch"), SWITCHES)
def test_a_switch_shows_what_the_row_says(row: str, switch: Switch) -> None:
    shown = [(place.drill, place.metric) for place in PLACES.get(row, ()) if place.held is Held.BEHAVIOUR]
    assert (switch.drill, switch.sees) in shown
    assert bool(switch.changes) != (switch.patch is not None), "either the drill is changed or a decision"


@pytest.mark.parametrize(("letter", "last"), [("Z", 51), ("P", 17), ("J", 7)])
def test_every_row_of_the_packs_has_a_place(letter: str, last: int) -> None:
    placed = {each.row.id for each in entries(letter) if each.checks or each.places}
    assert [row for row in (f"{letter}{number}" for number in range(1, last + 1)) if row not in placed] == []


def test_the_page_has_every_row_once() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| ([A-Z]\d+) \|", page, re.MULTILINE)) == sorted(ROWS)
    assert all(f"<!-- begin catalogue {letter} -->" in page for letter in LETTERS)


# Behaviour


@cache
def as_it_is(name: str, sees: str) -> tuple[Verdict, list[Value]]:
    return _played(load(drills.find(name), [f"run.replications={REPLICATIONS}"]).drill, sees)


def switched_off(switch: Switch) -> tuple[Verdict, list[Value]]:
    with switch.patch() if switch.patch is not None else nullcontext():
        changes = [f"run.replications={REPLICATIONS}", *switch.changes]
        return _played(load(drills.find(switch.drill), changes).drill, switch.sees)


def _played(drill: Drill, sees: str) -> tuple[Verdict, list[Value]]:
    """Play a few replications in this process, and return the verdict and the values that are looked at."""
    query = resolve(parse_query("attempts" if sees == "verdict" else sees))
    queries: tuple[Query, ...] = tuple(dict.fromkeys((*default_queries(drill), query)))
    task = Task(drill, drill.run.seed, queries)
    summaries = [task.run(replication) for replication in range(REPLICATIONS)]
    judged = judge(drill, summaries, engine=task.engine, seed=drill.run.seed)
    return judged.verdict, [summary.values[query] for summary in summaries]


def seen(switch: Switch) -> bool:
    """Whether what is looked at comes out otherwise without the row."""
    (verdict, values), (other_verdict, others) = as_it_is(switch.drill, switch.sees), switched_off(switch)
    return verdict is not other_verdict if switch.sees == "verdict" else values != others


@pytest.mark.slow
@pytest.mark.parametrize(("row", "switch"), SWITCHES)
def test_without_a_row_something_comes_out_otherwise(row: str, switch: Switch) -> None:
    assert seen(switch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("switch", "differs"),
    [
        (Switch("port-exhaustion", "blocked_ratio{limit=tenant}", ("ports.tenant=9999",)), True),
        (Switch("port-exhaustion", "verdict", ("ports.tenant=9999",)), True),
        (Switch("port-exhaustion", "answered", ("name=the same by another name",)), False),
        (Switch("port-exhaustion", "verdict", ("ports.tenant=98",)), False),
    ],
    ids=str,
)
def test_a_switch_is_seen_where_it_does_something(switch: Switch, differs: bool) -> None:
    assert seen(switch) is differs
