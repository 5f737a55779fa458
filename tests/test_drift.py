"""How far apart engines are: by hand, by other people's statistics, and by how often it cries wolf."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from reports.assumptions import ASSUMPTIONS, likely_causes
from reports.drift import (
    Agreement,
    Difference,
    Drift,
    MetricDrift,
    Side,
    common_queries,
    difference,
    metric_drift,
    tolerance,
    usual_tolerance,
)
from reports.exit_codes import ExitCode
from reports.queries import default_queries
from reports.statistics import MOST_RUNS, runs_needed
from reports.summary import Value
from scenarios.evidence import CallRecord, EventKind, JournalEntry, Outcome
from scenarios.expectations import Query, parse_expectation, parse_query
from scenarios.metrics import METRICS, Unit
from scenarios.model import Drill
from scenarios.tolerances import LEAST, Measure, Tolerance, allowance
from tests.made_evidence import call, drill, fold

AGREES, DIFFERS, UNCLEAR = Agreement.AGREES, Agreement.DIFFERS, Agreement.UNCLEAR

# One number


# By hand: the mean of 9, 10, 11 is 10, its standard error 1/sqrt(3), t of 2 degrees of freedom 4.303: 7.516 to 12.484.
BY_HAND = [
    (12.49, AGREES),
    (12.48, UNCLEAR),
    (10.0, UNCLEAR),
    (7.52, UNCLEAR),
    (7.51, DIFFERS),
    (0.0, DIFFERS),
]


@pytest.mark.parametrize(("allowed", "agreement"), BY_HAND)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_interval_is_held_against_what_is_allowed_either_way(
    allowed: float, agreement: Agreement, sign: int
) -> None:
    found = difference([sign * 9.0, sign * 10.0, sign * 11.0], allowed)
    assert found.agreement is agreement
    assert found.mean == sign * 10
    assert found.significant


def test_an_interval_around_nothing_is_not_significant() -> None:
    found = difference([-1.0, 0.0, 1.0], 100.0)
    assert found.interval == pytest.approx((-2.484, 2.484), abs=1e-3)
    assert (found.agreement, found.significant) == (AGREES, False)


def test_engines_that_are_the_same_in_every_run_agree_even_where_nothing_is_allowed() -> None:
    assert difference([0.0] * 5, 0.0).agreement is AGREES


def test_a_single_run_has_no_interval_and_tells_nothing() -> None:
    found = difference([0.0], 5.0)
    assert (found.interval, found.agreement, found.needed, found.significant) == (None, UNCLEAR, None, False)


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_the_runs_needed_are_the_least_whose_interval_is_narrow_enough(spread: float, reach: float) -> None:
    def half_width(runs: int) -> float:
        return float(scipy.stats.t.ppf(0.975, runs - 1)) * spread / math.sqrt(runs)

    needed = runs_needed(spread, reach)
    if needed is None:
        assert half_width(MOST_RUNS) > reach
    else:
        assert half_width(needed) <= reach * (1 + 1e-9)
        assert needed == 2 or half_width(needed - 1) > reach * (1 - 1e-9)


def test_the_runs_needed_are_told_only_where_one_cannot_tell() -> None:
    told, unclear = difference([9.0, 10.0, 11.0], 13.0), difference([9.0, 10.0, 11.0], 11.0)
    assert told.needed is None
    # The mean lies 1 inside of what is allowed, the deviation is 1: 7 values reach 0.925, 6 reach 1.049.
    assert unclear.needed == 7
    assert difference([9.0, 10.0, 11.0], 10.0).needed is None, "as large as is allowed: no number of runs could tell"


@given(st.lists(st.integers(-80, 80).map(lambda n: n / 8), min_size=3, max_size=30), st.floats(0, 10))
def test_with_the_runs_that_were_needed_the_same_differences_tell(values: list[float], allowed: float) -> None:
    found = difference(values, allowed)
    assume(found.needed is not None and found.needed <= 2000)
    assert found.needed is not None
    assert found.needed > len(values)
    reach = float(scipy.stats.t.ppf(0.975, found.needed - 1)) * float(np.std(values, ddof=1)) / math.sqrt(found.needed)
    ends = found.mean - reach * (1 - 1e-9), found.mean + reach * (1 - 1e-9)
    assert Difference(found.needed, found.mean, ends, allowed, None).agreement is not UNCLEAR


# How often it is wrong


def wrong(counted: int, trials: int, share: float) -> bool:
    """Whether a count is one that chance brings less often than once in ten thousand times, either way."""
    by_chance = scipy.stats.binom(trials, share)
    return not by_chance.ppf(0.5e-4) <= counted <= by_chance.ppf(1 - 0.5e-4)


TRIALS = 4000


@pytest.mark.slow
@pytest.mark.parametrize("runs", [3, 10, 100])
def test_without_a_difference_one_in_twenty_is_called_significant(runs: int) -> None:
    draws = np.random.default_rng(runs).normal(0.0, 3.0, (TRIALS, runs))
    significant = sum(difference(row.tolist(), 1.0).significant for row in draws)
    assert not wrong(significant, TRIALS, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("runs", [3, 10, 100])
def test_a_difference_as_large_as_is_allowed_is_called_one_once_in_forty_times(runs: int) -> None:
    """It is the worst case of a false alarm: on that side, the interval leaves out the truth in 2.5 % of trials.

    The deviation is so small that the other side never matters.
    """
    draws = np.random.default_rng(runs).normal(1.0, 0.1, (TRIALS, runs))
    differs = sum(difference(row.tolist(), 1.0).agreement is DIFFERS for row in draws)
    agrees = sum(difference(row.tolist(), 1.0).agreement is AGREES for row in draws)
    assert not wrong(differs, TRIALS, 0.025)
    assert not wrong(agrees, TRIALS, 0.025)


@pytest.mark.slow
def test_counts_of_calls_cry_wolf_no_more_often_than_normal_values_do() -> None:
    """The difference of two Poisson counts is lumpy; over thirty runs that does no harm."""
    source = np.random.default_rng(5)
    pairs = source.poisson(4.0, (2, TRIALS, 30))
    significant = sum(difference(row.tolist(), 1.0).significant for row in (pairs[1] - pairs[0]).astype(float))
    assert significant <= scipy.stats.binom.ppf(1 - 1e-4, TRIALS, 0.05)


# One metric


def of(query: str, *pairs: tuple[Value, Value], allowed: Tolerance | None = None) -> MetricDrift:
    asked = parse_query(query)
    return metric_drift(asked, pairs, allowed or usual_tolerance(asked), expected=False)


def test_values_are_means_over_the_runs_in_which_both_have_one() -> None:
    found = of("asa", (4.0, 4.0), (None, 9.0), (6.0, 6.0), (8.0, None))
    assert (found.first, found.second) == (5.0, 5.0)
    assert found.value is not None
    assert found.value.runs == 2
    assert (found.nothing.first, found.nothing.second) == (1, 1)


def test_a_percentage_is_of_the_first_engine() -> None:
    pairs = [(100.0, 104.9)] * 5
    assert of("attempts", *pairs).agreement is AGREES
    assert of("attempts", *[(100.0, 105.1)] * 5).agreement is DIFFERS
    assert of("attempts", *[(second, first) for first, second in pairs]).agreement is AGREES  # 4.9 of 104.9


def test_a_percentage_of_next_to_nothing_is_not_asked_for() -> None:
    assert of("blocked_ratio", *[(0.0, 0.0009)] * 5).agreement is AGREES
    assert of("blocked_ratio", *[(0.0, 0.0011)] * 5).agreement is DIFFERS
    assert of("dropped", *[(0.0, 1.0), (0.0, 0.0)] * 50).agreement is UNCLEAR
    assert of("dropped", *[(0.0, 1.0)] * 5).agreement is DIFFERS


def test_times_told_from_counts_of_calls_are_held_against_a_percentage() -> None:
    assert of("recovery_time", *[(600.0, 629.0)] * 5).agreement is AGREES
    assert of("recovery_time", *[(600.0, 631.0)] * 5).agreement is DIFFERS


def test_times_may_be_a_tenth_of_a_second_apart_however_long_they_are() -> None:
    assert of("takeover_time", *[(600.0, 600.09)] * 5).agreement is AGREES
    assert of("takeover_time", *[(600.0, 600.11)] * 5).agreement is DIFFERS


def test_what_never_happens_in_both_engines_is_no_difference() -> None:
    found = of("recovery_time", *[(math.inf, math.inf)] * 5)
    assert (found.agreement, found.value, found.first) == (AGREES, None, None)
    assert found.identical


def test_what_never_happens_in_one_engine_alone_is_a_difference() -> None:
    found = of("recovery_time", *[(60.0, math.inf)] * 5)
    assert (found.agreement, found.value) == (DIFFERS, None)
    assert (found.never.first, found.never.second) == (0, 5)


def test_what_never_happens_now_and_then_is_held_against_a_share_of_runs() -> None:
    same = [(60.0, 60.0)]
    assert of("recovery_time", *same * 999, (60.0, math.inf)).agreement is AGREES
    assert of("recovery_time", *same * 80, *[(60.0, math.inf)] * 20).agreement is DIFFERS
    assert of("recovery_time", *same * 95, *[(60.0, math.inf)] * 5).agreement is UNCLEAR
    # As often in one as in the other: by hand, -1, 1 and 98 times 0, whose interval is 0.028 either way.
    assert of("recovery_time", *same * 98, (60.0, math.inf), (math.inf, 60.0)).agreement is AGREES


def test_nothing_to_measure_in_one_engine_alone_is_a_difference() -> None:
    assert of("takeover_time", *[(3.0, None)] * 5).agreement is DIFFERS
    assert of("takeover_time", *[(math.inf, None)] * 5).agreement is DIFFERS


def test_a_metric_is_as_bad_as_its_worst_part() -> None:
    found = of("recovery_time", *[(60.0, 60.0)] * 50, *[(60.0, math.inf)] * 50)
    assert found.value is not None
    assert (found.value.agreement, found.agreement) == (AGREES, DIFFERS)


def test_the_runs_needed_are_those_of_the_part_that_needs_most() -> None:
    pairs: list[tuple[Value, Value]] = [(60.0, 60.5), (60.0, 59.5)] * 10
    found = of("takeover_time", *pairs, (60.0, math.inf))
    parts = [part.needed for part in found.parts]
    assert len([each for each in parts if each is not None]) == 2
    assert found.needed == max(each for each in parts if each is not None)


# What is allowed


def test_the_narrowest_entry_of_a_drill_counts() -> None:
    made = drill(
        drift={"allow": {"asr": "1%", "asr{direction=in}": "2%", "asr{direction=in, after=5m}": "3%", "blocked": "4%"}}
    )
    queries = {
        "asr": 0.01,
        "asr{direction=out}": 0.01,
        "asr{direction=in}": 0.02,
        "asr{direction=in, after=5m}": 0.03,
        "ner": 0.05,
    }
    assert {text: tolerance(made, parse_query(text)).amount for text in queries} == queries


MEASURED_IN_SECONDS = (
    *("takeover_time", "time_to_detect", "softphones_back", "registration_p95", "runbook_time"),
    "time_to_grant",
    *("rpo", "unprotected"),
    *("setup_delay_p50", "setup_delay_p95", "setup_delay_p99", "setup_delay_max"),
)


@pytest.mark.parametrize("name", METRICS)
def test_unless_a_drill_says_otherwise_times_are_in_seconds_ports_in_ports_and_all_else_in_percent(name: str) -> None:
    expected = (
        Tolerance(0.5, Measure.NUMBER)
        if name == "ports_peak"
        else Tolerance(0.1, Measure.SECONDS)
        if name in MEASURED_IN_SECONDS
        else Tolerance(0.05, Measure.PERCENT)
    )
    assert usual_tolerance(Query(name)) == expected


def test_a_peak_that_is_one_port_lower_is_a_difference_however_high_it_is() -> None:
    assert of("ports_peak{limit=tenant}", *[(5000.0, 4999.0)] * 5).agreement is DIFFERS


@pytest.mark.parametrize("unit", Unit)
def test_what_is_allowed_is_in_the_unit_of_the_metric(unit: Unit) -> None:
    percent = Tolerance(0.05, Measure.PERCENT)
    assert allowance(percent, unit, 1000.0) == 50
    assert allowance(percent, unit, 0.0) == LEAST[unit]
    assert allowance(Tolerance(0.0, Measure.NUMBER), unit, 1000.0) == 0


# The whole comparison

EFFECT = JournalEntry(601, EventKind.EFFECT, "tokyo-lost", {"met": "call"})


def calls(good: int, of: int) -> list[CallRecord]:
    return [call() if i < good else call(0, Outcome.FAILED) for i in range(of)]


def side(name: str, plan: Drill, *runs: Sequence[CallRecord], effect: bool = True) -> Side:
    evidence = [EFFECT] if effect else []
    return Side(name, "calls", (), plan, tuple(fold(plan, *run, *evidence) for run in runs))


def compared(*sides: Side, interrupted: bool = False) -> Drift:
    plan = sides[0].drill
    return Drift(plan, plan.run.lasts, 1, 100, interrupted, sides)


ALIKE = [calls(9, 10), calls(8, 10), calls(9, 10)]
OTHER = [calls(5, 10), calls(4, 10), calls(5, 10)]


def test_the_exit_code_is_that_of_the_worst_metric() -> None:
    plan = drill()
    first = side("calls", plan, *ALIKE)
    assert compared(first, side("same", plan, *ALIKE)).exit_code is ExitCode.PASSED
    assert compared(first, side("other", plan, *OTHER)).exit_code is ExitCode.FAILED
    assert compared(first, side("other", plan, *ALIKE[1:], ALIKE[0])).exit_code is ExitCode.INCONCLUSIVE


def test_every_engine_is_held_against_the_first() -> None:
    plan = drill()
    drift = compared(side("a", plan, *ALIKE), side("b", plan, *ALIKE), side("c", plan, *OTHER))
    assert [(each.first.name, each.second.name, each.agreement) for each in drift.pairings] == [
        ("a", "b", AGREES),
        ("a", "c", DIFFERS),
    ]
    assert drift.agreement is DIFFERS


def test_runs_without_their_fault_are_no_evidence_that_engines_agree_but_a_difference_is_one() -> None:
    plan = drill()
    without = side("without", plan, *ALIKE, effect=False)
    drift = compared(side("calls", plan, *ALIKE), without)
    assert drift.no_evidence == ("in without, the fault tokyo-lost took no effect in 3 of 3 runs",)
    assert drift.exit_code is ExitCode.INCONCLUSIVE
    assert compared(without, side("other", plan, *OTHER)).exit_code is ExitCode.FAILED


def test_a_fault_after_the_time_that_is_played_is_not_missed() -> None:
    plan = drill()
    cut = plan.model_copy(update={"run": plan.run.model_copy(update={"lasts": 600.0})})
    drift = compared(side("a", cut, *ALIKE, effect=False), side("b", cut, *ALIKE, effect=False))
    assert (drift.no_evidence, drift.exit_code) == ((), ExitCode.PASSED)


def test_an_interrupted_comparison_does_not_say_that_engines_agree() -> None:
    plan = drill()
    drift = compared(side("a", plan, *ALIKE), side("b", plan, *ALIKE), interrupted=True)
    assert drift.no_evidence == ("stopped after 3 of 100 runs",)
    assert drift.exit_code is ExitCode.INCONCLUSIVE
    nothing = compared(side("a", plan), side("b", plan), interrupted=True)
    assert nothing.exit_code is ExitCode.INCONCLUSIVE


def test_all_queries_of_a_run_are_compared_or_have_nothing_to_measure_and_the_expected_ones_are_marked() -> None:
    plan = drill(expect=["asr{number=0120123456} > 50%"])
    (pairing,) = compared(side("a", plan, *ALIKE), side("b", plan, *ALIKE)).pairings
    assert [*sorted(map(str, [*(each.query for each in pairing.metrics), *pairing.silent]))] == sorted(
        map(str, default_queries(plan))
    )
    assert [str(each.query) for each in pairing.metrics if each.expected] == ["asr{number=0120-123-456}"]
    assert Query("asa") not in pairing.silent
    assert Query("asr", (("direction", "out"),)) in pairing.silent


def test_entries_that_cover_nothing_are_named() -> None:
    plan = drill(drift={"allow": {"asr": "1%", "asr{trunk=ntt-tokyo}": "1%"}})
    assert [each.text for each in compared(side("a", plan, *ALIKE), side("b", plan, *ALIKE)).idle] == [
        "asr{trunk=ntt-tokyo}"
    ]


def test_what_is_asked_of_two_plans_is_what_both_can_answer() -> None:
    plan, other = drill(), drill(ports={"tenant": 250})
    (lacking,) = {str(query) for query in default_queries(plan)} - {
        str(query) for query in common_queries([(plan, "calls"), (other, "calls")])
    }
    assert lacking == "ports_peak{limit=outbound}"
    assert common_queries([(plan, "calls"), (plan, "of another kind")]) == ()


def test_an_expectation_of_the_first_plan_is_asked_of_both() -> None:
    plan = drill(expect=["asr{trunk=ntt-tokyo, after=5m} > 50%"])
    asked = common_queries([(plan, "calls"), (plan, "calls")])
    assert asked[0] == parse_expectation("asr{trunk=ntt-tokyo, after=5m} > 50%").query


# Causes


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_of_both_engines_has_a_likely_cause(name: str) -> None:
    assert likely_causes(name, ("calls", "packets"))


def test_the_table_of_assumptions_names_metrics_of_the_registry_alone() -> None:
    assert {name for each in ASSUMPTIONS for name in each.metrics} <= METRICS.keys()


def test_one_engine_has_no_assumption_that_could_set_it_apart_from_itself() -> None:
    assert likely_causes("takeover_time", ("calls", "calls")) == []
    assert likely_causes("takeover_time", ("calls", "another")) == []
