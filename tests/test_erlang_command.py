"""`kirikae erlang`: what a planner asks and is told, against published values (rule K), and what it refuses."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from kirikae.cli import app
from scenarios.theory.calculator import FORMULAS, QuestionError, ask
from scenarios.theory.quantities import MOST_VALUES, QUANTITIES, values
from scenarios.units import UnitError


def erlang(words: str, *more: str) -> Result:
    return CliRunner().invoke(app, ["erlang", *words.split(), *more])


def said(words: str) -> str:
    """Return the first line of an answer."""
    done = erlang(words)
    assert done.exit_code == 0, done.stderr
    return done.stdout.splitlines()[0]


def refused(words: str) -> str:
    done = erlang(words)
    assert done.exit_code == 2
    assert done.stdout == ""
    return done.stderr.removesuffix("\n")


def rows(words: str) -> list[dict[str, dict[str, float]]]:
    done = erlang(f"{words} --json -")
    assert done.exit_code == 0, done.stderr
    found: list[dict[str, dict[str, float]]] = json.loads(done.stdout)["rows"]
    return found


# One answer


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("b --load 10 --ports 10", "21.46% of attempts refused, with 10 erlang offered and 10 ports."),
        (
            "b --load 33.333 --blocking 1%",
            (
                "At least 45 ports, with 33.333 erlang offered and at most 1% of attempts refused. "
                "Then 0.9653% of attempts refused."
            ),
        ),
        (
            "b --ports 15 --blocking 1%",
            "At most 8.108 erlang offered, with 15 ports and at most 1% of attempts refused.",
        ),
        (
            "c --load 10 --agents 14 --holding 180s --within 20s",
            (
                "17.41% of callers waiting, a mean wait of 7.84s and 88.84% answered within the target time, "
                "with 10 erlang offered, calls of 3m, 14 agents and a target time of 20s."
            ),
        ),
        (
            "a --arrivals 50/s --holding 1s --patience 1s --agents 50",
            (
                "51.88% of callers waiting, 5.633% of callers giving up, a mean wait of 56ms and 50 erlang offered, "
                "with arrivals at 50/s, calls of 1s, 50 agents and a mean patience of 1s."
            ),
        ),
        (
            "engset --sources 20 --ports 10 --each 0.5",
            (
                "4.17% of attempts refused and all ports busy 5.638% of the time, "
                "with 20 sources, 10 ports and 0.5 erlang from an idle source."
            ),
        ),
        (
            "extended-b --load 5.5 --blocking 3% --retry 50%",
            (
                "At least 11 ports, with 5.5 erlang offered, at most 3% of attempts refused and 50% of those refused "
                "trying again. Then 1.504% of attempts refused and 5.542 erlang with the further attempts."
            ),
        ),
        (
            "b --load 100 --blocking 1% --pair",
            (
                "At least 117 ports on each node of a pair, which carries all calls when the other is lost, with "
                "100 erlang offered and at most 1% of attempts refused. Then 0.979% of attempts refused."
            ),
        ),
        (
            "b --ports 0 --load 3",
            "100% of attempts refused, with 3 erlang offered and 0 ports.",
        ),
        (
            "c --load 5 --agents 5 --holding 3m",
            "100% of callers waiting and a mean wait of endless time, with 5 erlang offered, calls of 3m and 5 agents.",
        ),
    ],
)
def test_a_question_is_answered_in_a_sentence(words: str, answer: str) -> None:
    assert said(words) == answer


@pytest.mark.parametrize("name", FORMULAS)
def test_the_second_line_names_the_formula_and_what_it_assumes(name: str) -> None:
    _, program, *words = FORMULAS[name].example.split()
    assert program == "erlang"
    _, second = erlang(" ".join(words)).stdout.splitlines()
    assert second == f"{FORMULAS[name].title}: {FORMULAS[name].assumes}."
    assert len(second) <= 120


def test_arrivals_and_holding_are_a_load() -> None:
    (one,) = rows("b --arrivals 0.5/s --holding 3m --ports 100")
    (same,) = rows("b --load 90 --ports 100")
    assert one["found"] == {**same["found"], "load": 90}
    (found,) = rows("b --ports 15 --blocking 1% --holding 3m")
    assert found["found"]["arrivals"] == pytest.approx(8.108 / 180, abs=1e-5)
    (idle,) = rows("engset --arrivals 10/h --holding 3m --sources 20 --ports 10")
    assert idle["found"]["each"] == 0.5


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("c --load 10 --wait 20%", {"agents": 14}),
        ("c --load 10 --asa 10s --holding 3m", {"agents": 14}),
        ("c --arrivals 200/h --holding 3m --level 80% --within 20s", {"agents": 14}),
        ("c --load 10 --agents 14 --level 88.8% --holding 180s", {"within": 19.86}),
        ("c --load 10 --agents 14 --level 88.8% --within 20s", {"holding": 181.3}),
        ("c --load 10 --agents 14 --asa 7.84s", {"holding": 180.1}),
        ("c --agents 14 --wait 17.413%", {"load": 10}),
        ("c --agents 14 --asa 7.836s --holding 3m", {"load": 10}),
        ("c --agents 14 --level 88.835% --holding 3m --within 20s", {"load": 10}),
        ("a --load 50 --holding 1m --patience 1m --abandon 5.64%", {"agents": 50}),
        ("a --load 50 --holding 1m --patience 1m --wait 52%", {"agents": 50}),
        ("a --load 50 --holding 1m --patience 1m --asa 3.4s", {"agents": 50}),
        ("a --load 50 --holding 1m --patience 1m --level 94.3% --within 5m", {"agents": 50}),
        ("a --agents 50 --holding 1m --patience 1m --abandon 5.6325%", {"load": 50}),
        ("a --agents 50 --holding 1m --patience 1m --wait 51.8808%", {"load": 50}),
        ("a --agents 50 --holding 1m --patience 1m --asa 3.3795s", {"load": 50}),
        ("a --agents 50 --holding 1m --patience 1m --level 94.36750% --within 5m", {"load": 50}),
        ("a --agents 50 --load 50 --holding 1m --abandon 5.6325%", {"patience": 60}),
        ("a --agents 50 --load 50 --holding 1m --wait 51.8808%", {"patience": 60}),
        ("a --agents 50 --load 50 --holding 1m --asa 3.3795s", {"patience": 60}),
        ("engset --sources 20 --each 0.5 --blocking 4.17%", {"ports": 10}),
        ("engset --ports 10 --each 0.5 --blocking 4.17%", {"sources": 20}),
        ("engset --sources 20 --ports 10 --blocking 4.1698%", {"each": 0.5}),
        ("extended-b --ports 11 --blocking 1.5040% --retry 50%", {"load": 5.5}),
        ("extended-b --ports 11 --load 5.5 --blocking 1.504%", {"retry": 0.5}),
        ("extended-b --ports 11 --load 5.5 --retry 50%", {"blocking": 0.01504}),
    ],
)
def test_any_one_quantity_is_found(given: str, asked: dict[str, float]) -> None:
    (row,) = rows(given)
    ((name, amount),) = asked.items()
    assert next(iter(row["found"])) == name
    assert row["found"][name] == pytest.approx(amount, rel=1e-3)


# Tables


def lines(words: str) -> list[list[str]]:
    done = erlang(words)
    assert done.exit_code == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_one_range_makes_a_line_for_each_value() -> None:
    head, _, header, *table = lines("b --load 33.333,100,200,300 --blocking 1%")
    assert " ".join(head) == "Ports at least; with at most 1% of attempts refused:"
    assert header == ["load", "ports", "blocking", "reached"]
    assert [row[:2] for row in table[:4]] == [["33.333", "45"], ["100", "117"], ["200", "221"], ["300", "324"]]


def test_two_ranges_make_a_grid_of_what_is_asked() -> None:
    _, _, header, *table = lines("b --ports 10,20,30,50,100 --blocking 0.1%,1%")
    assert header == ["0.1%", "1%"]
    published = [(10, 3.09, 4.461), (20, 9.41, 12.031), (30, 16.7, 20.337), (50, 32.5, 37.901), (100, 75.2, 84.064)]
    for row, (ports, rare, percent) in zip(table, published, strict=False):
        assert row[0::2] == [f"{ports}", f"{percent:.3f}"]
        assert f"{float(row[1]):.3g}" == f"{rare:.3g}"


def test_a_table_of_what_several_quantities_come_to_has_a_line_for_each_pair() -> None:
    table = lines("c --load 10,11 --agents 14,15 --holding 3m --within 20s")
    assert table[2] == ["load", "agents", "wait", "asa", "level"]
    assert table[3] == ["10", "14", "17.41%", "7.84s", "88.84%"]
    assert len(table[3:7]) == 4


def test_a_pair_is_named_above_a_table() -> None:
    table = lines("b --load 100..300/100 --blocking 1% --pair")
    assert " ".join(table[0]).startswith("Ports at least on each node of a pair, which carries all calls")
    assert [row[1] for row in table[3:6]] == ["117", "221", "324"]


def test_what_cannot_be_met_is_a_gap_with_its_reason() -> None:
    table = lines("b --ports 0,15 --blocking 1%")
    assert table[3:5] == [["0", "–"], ["15", "8.108"]]
    assert "– cannot be met: nothing is carried without ports or agents" in map(" ".join, table)


def test_csv_has_units_and_all_digits(tmp_path: Path) -> None:
    done = erlang("b --load 10,20 --blocking 1% --csv -")
    header, *table = csv.reader(io.StringIO(done.stdout))
    assert header == ["load (erlang)", "blocking (share)", "ports", "blocking reached (share)", "remark"]
    assert [row[:3] for row in table] == [["10.0", "0.01", "18"], ["20.0", "0.01", "30"]]
    file = tmp_path / "table.csv"
    assert erlang(f"b --load 10,20 --blocking 1% --csv {file}").stdout.startswith("Ports at least")
    assert file.read_text(encoding="utf-8") == done.stdout


def test_csv_and_json_say_why_there_is_no_answer(tmp_path: Path) -> None:
    file = tmp_path / "table.json"
    done = erlang(f"b --ports 0,15 --blocking 1% --csv - --json {file}")
    assert done.stdout.splitlines()[1] == "0,0.01,,cannot be met: nothing is carried without ports or agents"
    first, second = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert (first["found"], first["reason"]) == ({}, "cannot be met: nothing is carried without ports or agents")
    assert list(second["found"]) == ["load"]
    assert second["bound"] == "at most"


def test_endless_time_is_nothing_in_json() -> None:
    (row,) = rows("c --load 5 --agents 5 --holding 3m")
    assert row["found"] == {"wait": 1.0, "asa": None}


# What is refused


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("b", "too much is unknown; add --load and --ports, or --load and --blocking, or --ports and --blocking ("),
        ("b --load 10", "with --load alone too much is unknown; add --ports, or --blocking ("),
        (
            "b --load 10 --ports 9 --blocking 1%",
            "--load, --ports and --blocking leave nothing to find, or do not go to",
        ),
        ("b --arrivals 1/s --ports 9", "--arrivals are a load only with --holding ("),
        ("b --arrivals 1/s --holding 3m --load 5 --ports 9", "--arrivals and --load both say what is offered: leave"),
        ("b --load 10 --ports 9 --holding 3m", "--load, --holding and --ports leave nothing to find, or do not go to"),
        ("c --load 10 --level 80%", "with --load and --level alone too much is unknown; add --holding and --within"),
        ("c --arrivals 1/m --holding 3m --agents 9 --asa 9s", "--load, --holding, --agents and --asa leave nothing to"),
        ("a --load 10 --agents 9", "with --load and --agents alone too much is unknown; add --holding and --patience"),
        ("engset --load 10", "No such option"),
        ("b --load ten --ports 9", "--load ten: 'ten' is not a number (allowed: a number such as 33.333, at most 1"),
        ("b --load 10 --ports 9.5", "--ports 9.5: not a whole number, or too large (allowed: a whole number from 0"),
        ("b --load 10 --blocking 0.01", "--blocking 0.01: 0.01 has no percent sign; write 1% (allowed: a percentage"),
        ("c --load 10 --agents 14 --holding 180", "--holding 180: 180 has no unit; write 180s for seconds"),
        ("b --load 1e9 --ports 9", "--load 1e9: '1e9' is not a number"),
        ("b --load 200000000 --ports 9", "--load 200000000: a load of more than 100000000 erlang (allowed: "),
        ("b --load 10 --blocking 0%", "--load and --blocking: blocking must be above 0 and at most 1, not 0.0"),
        ("b --load 10 --blocking 0%,1% --ports 1,2", "--load, --ports and --blocking leave nothing to find"),
        ("b --ports 0 --blocking 1%", "cannot be met: nothing is carried without ports or agents"),
        ("c --load 10 --agents 10 --level 80% --holding 3m", "cannot be met: 10 agents cannot keep up with 10 erlang"),
        (
            "a --load 5 --holding 3m --patience 1m --asa 2m",
            "nothing to find: nobody waits longer on average than their",
        ),
        ("a --load 5 --agents 5 --holding 0s --patience 1m", "--load, --holding, --agents and --patience: holding ti"),
        ("extended-b --load 5 --ports 6 --retry 100%", "--load, --ports and --retry: retry must be at least 0 and bel"),
        ("b --load 10..20 --ports 9", "--load 10..20: the range ends in '20', which is not a last value, a slash and"),
        ("b --load 20..10/1 --ports 9", "--load 20..10/1: '20..10/1' leads nowhere (allowed: one value, a list such"),
        ("b --load 1..9/0 --ports 9", "--load 1..9/0: '1..9/0' leads nowhere"),
        ("b --load 0..100/0.001 --ports 9", "--load 0..100/0.001: more than 10000 values"),
        ("b --load 0..100/0.1 --ports 1..100/1", "--load, --ports: a table of more than 10000 rows"),
        ("extended-b --load 5,6 --ports 6,7 --retry 0%,50%", "--load, --ports, --retry: a table has two dimensions"),
        ("b --load 10 --ports 9 --pair", "--pair is about ports that are to be found: leave --ports out"),
        ("b --load 10 --ports 9 --csv - --json -", "--csv - and --json -: only one of them can be standard output"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(words: str, reason: str) -> None:
    assert reason in refused(words)


def test_the_refusal_names_all_quantities_and_an_example() -> None:
    assert refused("b --load 10").endswith(
        "(quantities: --load, --arrivals, --holding, --ports, --blocking; "
        "example: kirikae erlang b --load 33.333 --blocking 1%)"
    )


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    done = erlang(f"b --load 10 --ports 9 --csv {tmp_path}/nowhere/table.csv")
    assert done.exit_code == 2
    assert "table.csv: No such file" in done.stderr


# Values, lists and ranges


@pytest.mark.parametrize(
    ("name", "text", "amounts"),
    [
        ("load", "33.333", [33.333]),
        ("load", "10,20,30", [10, 20, 30]),
        ("load", "0.1..0.5/0.1", [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("load", "1,5..6/0.5,9", [1, 5, 5.5, 6, 9]),
        ("load", "1..2/3", [1]),
        ("ports", "10..30/10", [10, 20, 30]),
        ("ports", "１０", [10]),
        ("blocking", "1%..3%/1%", [0.01, 0.02, 0.03]),
        ("holding", "1m..2m/30s", [60, 90, 120]),
        ("arrivals", "0.5/s..2/s/0.5/s", [0.5, 1, 1.5, 2]),
        ("arrivals", "60/h..2/m/60/h", [1 / 60, 2 / 60]),
        ("arrivals", "10/h..50/h/10/h", [each / 3600 for each in (10, 20, 30, 40, 50)]),
    ],
)
def test_values_lists_and_ranges_are_read(name: str, text: str, amounts: Sequence[float]) -> None:
    assert values(name, text) == pytest.approx(amounts)


@given(name=st.sampled_from(sorted(QUANTITIES)), text=st.text(st.sampled_from("0123456789./,%sm -"), max_size=12))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    try:
        found = values(name, text)
    except UnitError:
        return
    assert 1 <= len(found) <= MOST_VALUES
    assert all(amount >= 0 for amount in found)


@pytest.mark.parametrize("name", FORMULAS)
def test_no_way_of_a_formula_is_hidden_behind_another(name: str) -> None:
    """What is given decides what is found; two ways that the same quantities fit would not."""
    ways = FORMULAS[name].ways
    for number, way in enumerate(ways):
        fitting = [other for other in ways[:number] if other.needs <= way.needs <= other.needs | other.extra]
        assert fitting == []


@pytest.mark.parametrize("name", FORMULAS)
def test_no_quantity_at_all_is_refused(name: str) -> None:
    with pytest.raises(QuestionError, match="example: kirikae erlang"):
        ask(FORMULAS[name], {})
