"""`drift:` of a drill: how it is read, what it refuses, and which entry counts."""

import pytest

from scenarios.expectations import ExpectationError, Query, parse_query
from scenarios.loader import load_text
from scenarios.metrics import METRICS, Unit
from scenarios.problems import DrillError
from scenarios.tolerances import MEASURES, Measure, Tolerance, parse_compared, parse_tolerance
from scenarios.units import UnitError
from tests.test_cli import PLAN

ALLOWED = [
    ("0.2s", Tolerance(0.2, Measure.SECONDS)),
    ("２００ms", Tolerance(0.2, Measure.SECONDS)),
    ("1m", Tolerance(60, Measure.SECONDS)),
    ("2%", Tolerance(0.02, Measure.PERCENT)),
    ("0.5 points", Tolerance(0.005, Measure.POINTS)),
    ("1 point", Tolerance(0.01, Measure.POINTS)),
    (3, Tolerance(3, Measure.NUMBER)),
    ("0", Tolerance(0, Measure.NUMBER)),
    (0.5, Tolerance(0.5, Measure.NUMBER)),
    ("120/m", Tolerance(2, Measure.RATE)),
]


@pytest.mark.parametrize(("text", "meant"), ALLOWED)
def test_a_tolerance_is_read_as_people_write_it(text: object, meant: Tolerance) -> None:
    assert parse_tolerance(text) == meant


@pytest.mark.parametrize(
    "text", ["soon", "-3", "-0.2s", "1.2.3", "points", "many points", "2/fortnight", True, None, [1]]
)
def test_what_is_no_difference_is_refused(text: object) -> None:
    with pytest.raises(UnitError):
        parse_tolerance(text)


@pytest.mark.parametrize("unit", Unit)
def test_each_unit_has_a_difference_of_its_own_and_takes_percentages(unit: Unit) -> None:
    assert [measure for measure in Measure if Tolerance(1, measure).fits(unit)] == [
        measure for measure in Measure if measure in (Measure.PERCENT, MEASURES[unit])
    ]


COVERS = [
    ("asr", "asr", True),
    ("asr", "asr{number=0120-123-456}", True),
    ("asr", "asr{after=5m}", True),
    ("asr{number=0120123456}", "asr{number=0120-123-456, direction=in}", True),
    ("asr{number=0120-123-456}", "asr", False),
    ("asr{number=0120-123-456}", "asr{number=0120-123-457}", False),
    ("asr{after=5m}", "asr{after=6m}", False),
    ("asr{after=300s}", "asr{after=5m, trunk=ntt}", True),
    ("asr{before=5m}", "asr{after=5m}", False),
    ("asr", "ner", False),
    ("ports_peak", "ports_peak{limit=tenant}", True),
]


@pytest.mark.parametrize(("entry", "query", "covered"), COVERS)
def test_an_entry_is_for_all_queries_with_its_selectors_and_its_window(entry: str, query: str, covered: bool) -> None:
    assert parse_compared(entry).covers(parse_query(query)) is covered


def test_the_narrower_of_two_entries_makes_more_conditions() -> None:
    entries = ["asr", "asr{trunk=ntt}", "asr{trunk=ntt, after=5m}", "asr{trunk=ntt, after=5m, before=6m}"]
    assert [parse_compared(entry).narrow for entry in entries] == [0, 1, 2, 3]


def test_a_metric_may_stand_without_the_selectors_it_needs_in_a_value() -> None:
    assert parse_query("ports_peak") == Query("ports_peak")


@pytest.mark.parametrize("text", ["takover_time", "asr{after}", "asr{tone=high}", "asr < 5%", "", "asr{" + "x" * 400])
def test_what_is_no_metric_is_refused(text: str) -> None:
    with pytest.raises(ExpectationError):
        parse_query(text)


def test_a_drill_says_for_how_long_and_how_far_apart() -> None:
    drift = load_text(PLAN + "drift: {for: 2m, allow: {takeover_time: 0.2s, ports_peak: 2}}\n", "plan").drill.drift
    assert drift.lasts == 120
    assert {str(each.query): allowed.amount for each, allowed in drift.allow.items()} == {
        "takeover_time": 0.2,
        "ports_peak": 2,
    }


def test_a_drill_that_says_nothing_allows_what_is_usual() -> None:
    drift = load_text(PLAN, "plan").drill.drift
    assert (drift.lasts, drift.allow) == (None, {})


def test_an_entry_can_be_set_from_the_command_line() -> None:
    changes = ["drift.for=3m", "drift.allow.asr=1%", "drift.allow[asr{trunk=ntt, after=1m}]=2%"]
    drift = load_text(PLAN, "plan", changes).drill.drift
    assert [str(each.query) for each in drift.allow] == ["asr", "asr{trunk=ntt, after=1m}"]


WRONG = [
    ("allow: {takover_time: 1s}", "drift.allow.takover_time", "did you mean 'takeover_time'"),
    ("allow: {takeover_time: 3}", "drift.allow.takeover_time", "measured in seconds"),
    ("allow: {blocked: 0.2s}", "drift.allow.blocked", "measured in calls"),
    ("allow: {asr: 3}", "drift.allow.asr", "percentage points"),
    ("allow: {asr: soon}", "drift.allow.asr", "not a duration"),
    ("allow: {'asr{trunk=nt}': 3%}", "drift.allow", "did you mean 'ntt'"),
    ("allow: {'asr{trnk=ntt}': 3%}", "drift.allow", "did you mean 'trunk'"),
    ("allow: {'asr{number=0312345678}': 1%, 'asr{number=03-1234-5678}': 2%}", "drift.allow", "stands above already"),
    ("alow: {asr: 3%}", "drift.alow", "did you mean 'allow'"),
    ("for: 0s", "drift.for", "above 0"),
]


@pytest.mark.parametrize(("entry", "path", "reason"), WRONG)
def test_what_a_drill_cannot_mean_is_refused_with_its_place(entry: str, path: str, reason: str) -> None:
    with pytest.raises(DrillError) as raised:
        load_text(f"{PLAN}drift: {{{entry}}}\n", "plan")
    (problem,) = raised.value.problems
    assert problem.path.startswith(path)
    assert reason in str(problem)
    assert problem.mark is not None
    assert problem.mark.line == PLAN.count("\n") + 1


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(DrillError) as raised:
        load_text(f"{PLAN}drift: {{allow: {{takover_time: 1s, blocked: soon, asr: 3%}}}}\n", "plan")
    assert len(raised.value.problems) == 2


def test_every_unit_of_the_registry_can_be_allowed_for() -> None:
    assert {metric.unit for metric in METRICS.values()} <= MEASURES.keys()
