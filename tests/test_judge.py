import math
from collections.abc import Sequence
from typing import Any

import pytest

from reports.exit_codes import ExitCode
from reports.judge import Judged, Judgement, judge
from reports.runbook import critical_path, step_reports
from reports.story import story
from reports.summary import RunSummary, StepRun, Value
from scenarios.evidence import CallRecord, Direction, EventKind, Gauge, JournalEntry, Outcome, Sample
from scenarios.model import Verdict
from tests.made_evidence import OSAKA, STEPS, call, drill, fold, waiting

PASSED, FAILED, INCONCLUSIVE = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE
EFFECT = JournalEntry(601, EventKind.EFFECT, "tokyo-lost", {"met": "call"})


Evidence = Sequence[CallRecord | JournalEntry | Sample]


def run_of(expect: str, *runs: Evidence, effect: bool = True, **plan: Any) -> Judged:
    """Judge runs with the evidence given, in each of which the fault took effect unless said otherwise."""
    made = drill(expect=[expect], **plan)
    summaries = [fold(made, *evidence, *([EFFECT] if effect else [])) for evidence in runs]
    return judge(made, summaries, engine="calls", seed=7)


def only(judged: Judged) -> Judgement:
    (judgement,) = judged.judgements
    return judgement


def answered(good: int, of: int) -> list[CallRecord]:
    return [call() if i < good else call(0, Outcome.FAILED) for i in range(of)]


def peak(value: int, limit: str = "tenant") -> list[Sample]:
    return [Sample(10, Gauge.PORTS, limit, value)]


# Judging by the interval of a mean


def test_an_interval_wholly_on_the_right_side_passes() -> None:
    # By hand: mean 0.9333, standard error 0.0333, t of 2 degrees of freedom 4.303: from 0.7899 on.
    judged = run_of("asr >= 78.9%", answered(9, 10), answered(9, 10), answered(10, 10))
    assert only(judged).verdict is PASSED
    assert only(judged).value == pytest.approx(2.8 / 3)


def test_an_interval_wholly_on_the_wrong_side_fails() -> None:
    assert only(run_of("asr < 50%", answered(9, 10), answered(9, 10), answered(10, 10))).verdict is FAILED


def test_a_straddling_interval_is_inconclusive_even_when_the_mean_is_right() -> None:
    judged = run_of("asr >= 79.1%", answered(9, 10), answered(9, 10), answered(10, 10))
    assert only(judged).verdict is INCONCLUSIVE
    assert "straddles" in only(judged).reason


def test_equality_holds_only_for_an_interval_without_width() -> None:
    assert only(run_of("asr == 90%", answered(9, 10), answered(9, 10))).verdict is PASSED
    assert only(run_of("asr == 90%", answered(8, 10), answered(10, 10))).verdict is INCONCLUSIVE
    assert only(run_of("asr == 90%", answered(2, 10), answered(2, 10))).verdict is FAILED


@pytest.mark.parametrize(("expect", "verdict"), [("asr < 90%", FAILED), ("asr <= 90%", PASSED), ("asr > 90%", FAILED)])
def test_a_value_on_the_bound_is_judged_by_the_operator(expect: str, verdict: Verdict) -> None:
    assert only(run_of(expect, answered(9, 10), answered(9, 10))).verdict is verdict


def test_a_single_run_is_judged_on_its_value_and_says_so() -> None:
    passed = run_of("asr > 80%", answered(9, 10))
    assert (only(passed).verdict, only(passed).interval) == (PASSED, None)
    assert "no interval" in only(passed).reason
    assert only(run_of("asr > 95%", answered(9, 10))).verdict is FAILED
    assert only(run_of("attempts >= 10", answered(9, 10))).verdict is PASSED
    assert only(run_of("attempts < 10", answered(9, 10))).verdict is FAILED


def none_in(runs: int, expect: str) -> Judgement:
    """Judge so many runs of 20 answered calls each."""
    return only(run_of(expect, *[answered(20, 20)] * runs))


@pytest.mark.parametrize(
    ("expect", "verdict"),
    [
        ("blocked_ratio < 1%", PASSED),
        ("blocked_ratio < 0.37%", PASSED),
        ("blocked_ratio < 0.36%", INCONCLUSIVE),
        ("blocked_ratio < 0.1%", INCONCLUSIVE),
        ("blocked_ratio == 0%", INCONCLUSIVE),
        ("blocked_ratio > 0.1%", INCONCLUSIVE),
        ("blocked_ratio > 1%", FAILED),
        ("asr >= 99%", PASSED),
        ("asr >= 99.9%", INCONCLUSIVE),
        ("blocked == 0", PASSED),
    ],
)
def test_100_runs_without_any_tell_what_so_many_runs_can_tell(expect: str, verdict: Verdict) -> None:
    """At most 3.62 % of all runs have any; a tenth of that is 0.362 %."""
    assert none_in(100, expect).verdict is verdict


def test_what_cannot_be_resolved_is_said_and_how_many_runs_could() -> None:
    reason = none_in(100, "blocked_ratio < 0.1%").reason
    assert reason == (
        "the 95% interval, 0% to 0.36%, straddles the bound: none of 100 runs is away from 0%, so nothing below 0.36% "
        "can be resolved; with 368 such runs it could"
    )
    assert none_in(368, "blocked_ratio < 0.1%").verdict is PASSED
    top = none_in(100, "asr >= 99.9%").reason
    assert "away from 100%, so nothing above 99.6% can be resolved; with 368 such runs it could" in top
    assert "such runs" not in none_in(100, "blocked_ratio == 0%").reason, "no number could"


def test_nearly_none_is_told_like_none() -> None:
    runs = [*[answered(20, 20)] * 98, *[[*answered(19, 19), call(0, Outcome.BLOCKED)]] * 2]
    judgement = only(run_of("blocked_ratio < 0.3%", *runs))
    assert judgement.verdict is INCONCLUSIVE
    assert "only 2 of 100 runs are away from 0%" in judgement.reason


def test_of_few_attempts_no_less_than_one_can_be_lost() -> None:
    """One call in each of 100 runs: 3.6 % of such calls may fail."""
    assert only(run_of("failed_ratio < 3.7%", *[answered(1, 1)] * 100)).verdict is PASSED
    assert only(run_of("failed_ratio < 3.6%", *[answered(1, 1)] * 100)).verdict is INCONCLUSIVE


# Judging run by run


@pytest.mark.parametrize(
    ("good", "bad", "verdict"), [(73, 0, PASSED), (72, 0, INCONCLUSIVE), (95, 5, INCONCLUSIVE), (80, 20, FAILED)]
)
def test_times_peaks_and_counts_must_hold_in_a_share_of_all_runs(good: int, bad: int, verdict: Verdict) -> None:
    judged = run_of("blocked <= 0", *([[]] * good), *([[call(0, Outcome.BLOCKED)]] * bad))
    held = only(judged).held
    assert held is not None
    assert (held.runs, held.of) == (good, good + bad)
    assert only(judged).verdict is verdict


def test_the_share_of_runs_can_be_set() -> None:
    runs: list[Evidence] = [*([[]] * 9), [call(0, Outcome.BLOCKED)]]
    assert only(run_of("blocked <= 0 in 50% of runs", *runs)).verdict is PASSED
    assert only(run_of("blocked <= 0 in 99.9% of runs", *runs)).verdict is FAILED


def test_the_value_of_a_metric_judged_run_by_run_is_the_median() -> None:
    judged = run_of("attempts >= 1", answered(1, 1), answered(1, 100), answered(1, 2))
    assert only(judged).value == 2


@pytest.mark.parametrize(
    ("limit", "cap"), [("tenant", 250), ("outbound", 50), (OSAKA, 150), ("ntt-osaka", 200), ("tokyo-edge", 300)]
)
def test_a_peak_can_be_a_share_of_any_limit(limit: str, cap: int) -> None:
    at, above = cap * 4 // 5, cap * 4 // 5 + 1
    assert only(run_of(f"ports_peak{{limit={limit}}} <= 80%", peak(at, limit))).verdict is PASSED
    judged = run_of(f"ports_peak{{limit={limit}}} <= 80%", peak(above, limit))
    assert only(judged).verdict is FAILED
    assert only(judged).value == above / cap


def test_a_peak_can_be_a_number_of_ports() -> None:
    assert only(run_of("ports_peak{limit=tenant} <= 200", peak(200))).verdict is PASSED
    assert only(run_of("ports_peak{limit=tenant} < 200", peak(200))).shown == "200"


def test_never_is_longer_than_any_bound() -> None:
    never = [call(float(i)) for i in range(600)] + [call(600.0 + i, Outcome.FAILED) for i in range(1800)]
    judged = run_of("recovery_time < 366d", never)
    assert (only(judged).verdict, only(judged).shown) == (FAILED, "never")


# Evidence


def test_nothing_to_measure_in_some_runs_is_inconclusive_and_counted() -> None:
    judged = run_of("asr > 0%", answered(1, 1), [], answered(1, 1))
    assert only(judged).verdict is INCONCLUSIVE
    assert only(judged).reason == "nothing to measure in 1 of 3 runs"


def test_a_fault_without_effect_makes_the_run_no_evidence() -> None:
    made = drill(expect=["asr > 0%"])
    summaries = [fold(made, call(), EFFECT), fold(made, call()), fold(made, call())]
    judged = judge(made, summaries, engine="calls", seed=7)
    assert only(judged).verdict is PASSED
    assert (judged.verdict, judged.exit_code) == (INCONCLUSIVE, ExitCode.INCONCLUSIVE)
    assert judged.missing_evidence == {"tokyo-lost": 2}
    assert "the fault tokyo-lost took no effect in 2 of 3 runs" in story(judged)[0]


def test_a_failed_expectation_proves_nothing_without_evidence() -> None:
    judged = run_of("asr > 50%", answered(0, 9), answered(0, 9), effect=False)
    assert only(judged).verdict is FAILED
    assert judged.verdict is INCONCLUSIVE


def test_a_drill_without_faults_needs_no_effect() -> None:
    assert run_of("asr > 50%", answered(9, 9), effect=False, faults=False).verdict is PASSED


@pytest.mark.parametrize("interrupted_after", [0, 2])
def test_an_interrupted_run_is_never_as_expected(interrupted_after: int) -> None:
    made = drill(expect=["asr > 50%"], expected_verdict="inconclusive")
    summaries = [fold(made, call(), EFFECT)] * interrupted_after
    judged = judge(made, summaries, engine="calls", seed=7, interrupted=True)
    assert (judged.verdict, judged.exit_code) == (INCONCLUSIVE, ExitCode.INCONCLUSIVE)
    assert f"stopped after {interrupted_after} of 100 runs" in story(judged)[0]


def test_one_failed_expectation_outweighs_what_is_passed_or_unclear() -> None:
    made = drill(expect=["asr > 50%", "asa < 1m", "asr > 99%"])
    runs = [fold(made, *answered(9, 10), EFFECT)] * 3
    assert judge(made, runs, engine="calls", seed=7).verdict is FAILED
    made = drill(expect=["asr > 50%", "asa{queue=none} < 1m"])
    runs = [fold(made, *answered(9, 10), EFFECT)] * 3
    assert judge(made, runs, engine="calls", seed=7).verdict is INCONCLUSIVE


@pytest.mark.parametrize(
    ("expected", "good", "code"),
    [
        ("passed", 9, ExitCode.PASSED),
        ("passed", 1, ExitCode.FAILED),
        ("failed", 9, ExitCode.FAILED),
        ("failed", 1, ExitCode.PASSED),
        ("inconclusive", 9, ExitCode.FAILED),
    ],
)
def test_the_exit_code_says_whether_the_expected_verdict_came_out(expected: str, good: int, code: ExitCode) -> None:
    judged = run_of("asr > 50%", answered(good, 10), expected_verdict=expected)
    assert judged.exit_code is code


def test_a_teaching_drill_that_passes_says_what_is_wrong_with_that() -> None:
    judged = run_of("asr > 50%", answered(9, 9), expected_verdict="failed")
    assert "This drill is meant to come out failed, but it came out passed." in story(judged)


# What it cost


def step(ready: float, started: float, finished: float | None, after: str) -> StepRun:
    return StepRun(ready, started, finished, 0, after)


def test_the_critical_path_leads_back_from_the_last_step_by_what_released_each() -> None:
    steps = {
        "a": step(600, 700, 800, "fault"),
        "b": step(800, 800, 1000, "a"),
        "c": step(800, 800, 900, "a"),
        "d": step(1000, 1000, 1100, "b"),
        "e": step(800, 800, None, "a"),
    }
    assert critical_path(steps) == ["a", "e"], "the end waits for the step that is open"
    del steps["e"]
    assert critical_path(steps) == ["a", "b", "d"]
    assert critical_path({"a": StepRun()}) == []


def journal(step: str, ready: float, started: float, finished: float, by: str) -> list[JournalEntry]:
    return [
        JournalEntry(ready, EventKind.STEP_READY, step, {"released_by": by}),
        JournalEntry(started, EventKind.STEP_STARTED, step),
        JournalEntry(finished, EventKind.STEP_FINISHED, step),
    ]


def rehearsed(switching: float, routing: float) -> list[JournalEntry]:
    """Return the journal of a runbook in which two steps run side by side, for the seconds given."""
    button, switch, point, test = STEPS
    both = 900 + max(switching, routing)
    return [
        *journal(button, 600, 780, 900, "tokyo-lost"),
        *journal(switch, 900, 900, 900 + switching, button),
        *journal(point, 900, 900, 900 + routing, button),
        *journal(test, both, both, both + 60, switch if switching > routing else point),
    ]


def test_a_step_costs_what_it_adds_to_the_way_from_the_fault_to_the_end() -> None:
    made = drill()
    summaries = [fold(made, *rehearsed(100, 40)), fold(made, *rehearsed(40, 540))]
    button, switch, point, test = step_reports(made, summaries)
    assert (button.cost, button.before_start, button.critical, button.critical_in) == (300, 180, 300, 2)
    assert (switch.cost, switch.critical, switch.critical_in) == (70, 50, 1)
    assert (point.cost, point.critical, point.critical_in) == (290, 270, 1)
    # The two ways from the fault to the end: 300 + 100 + 60 and 300 + 540 + 60.
    assert sum(one.critical for one in (button, switch, point, test)) * 2 == 460 + 900
    assert button.critical_share == pytest.approx(600 / 1360)


def test_a_step_that_stands_open_has_cost_the_time_until_the_end_of_the_run_at_least() -> None:
    """Of two runs of 40 minutes one never gets beyond the second step, which was ready at 900 s."""
    made = drill()
    stuck = [entry for entry in rehearsed(100, 40) if entry.at <= 900 and entry.kind is not EventKind.STEP_STARTED]
    button, switch, _, test = step_reports(made, [fold(made, *rehearsed(100, 40)), fold(made, *stuck)])
    assert (button.cost, button.open_in, button.finished_in) == (300, 0, 2)
    assert (switch.cost, switch.open_in, switch.finished_in) == ((100 + 1500) / 2, 1, 1)
    assert (test.cost, test.open_in, test.finished_in) == (60, 0, 1), "what was never ready cost nothing of its own"
    assert (switch.critical, switch.critical_in) == ((100 + 1500) / 2, 2)
    assert switch.before_start == 0, "of the run in which it was begun"


def test_the_story_says_that_an_open_step_cost_at_least_so_much() -> None:
    judged = run_of("asr > 50%", [call(), *rehearsed(10, 9)[:3], rehearsed(10, 9)[3]])
    told = next(sentence for sentence in story(judged) if "cost the most" in sentence)
    assert f"“{STEPS[1]}”: at least 25m on average" in told


def test_waiting_for_conditions_is_told_apart_from_deciding_and_from_waiting_for_an_actor() -> None:
    """Ready at 600, decided at 650, kept until 700 and from 720 to 790 again, begun at 800 and done at 1000."""
    button = STEPS[0]
    entries = sorted([*journal(button, 600, 800, 1000, "tokyo-lost"), *waiting(button, (650, 700), (720, 790))])
    report = step_reports(drill(), [fold(drill(), *entries)])[0]
    assert (report.cost, report.waited, report.before_start) == (400, 120, 80)
    judged = run_of("asr > 50%", [call(), *entries])
    assert any("6m40s on average, 1m20s of it before anyone began, 2m of it waiting" in told for told in story(judged))


def durations(*asked: str, journal: list[JournalEntry]) -> list[Value]:
    made = drill(expect=[f"{query} < 1h" for query in asked])
    values = fold(made, *journal).values
    return [values[each.query] for each in made.expect]


def test_the_time_between_two_steps_is_measured_from_the_end_of_one_to_that_of_the_other() -> None:
    """The button is done at 900, the switch at 1000, re-pointing at 940, the test at 1060; the fault was at 600."""
    button, switch, point, _ = STEPS
    asked = {
        "runbook_time": 460,
        f"runbook_time{{step={point}}}": 340,
        f"runbook_time{{step={switch}, since={button}}}": 100,
        f"runbook_time{{since={switch}}}": 60,
        f"runbook_time{{step={point}, since={switch}}}": 0,
        f"runbook_time{{step={STEPS[3]}, since={point}}}": 120,
    }
    assert durations(*asked, journal=rehearsed(100, 40)) == list(asked.values())


def test_the_time_from_or_to_a_step_that_was_not_finished_is_never() -> None:
    button, switch, point, _ = STEPS
    ways = (f"step={point}", f"step={button}, since={switch}")
    asked = (f"runbook_time{{{way}}}" for way in ways)
    assert durations(*asked, journal=rehearsed(100, 40)[:3]) == [math.inf, math.inf]


def test_the_story_names_the_step_that_cost_the_most() -> None:
    judged = run_of("asr > 50%", [call(), *rehearsed(1000, 900)])
    assert any(f"“{STEPS[1]}”: 16m40s" in sentence for sentence in story(judged))
    judged = run_of("asr > 50%", [call(), *rehearsed(10, 9)])
    told = next(sentence for sentence in story(judged) if STEPS[0] in sentence)
    assert "5m on average, 3m of it before anyone began" in told


def test_the_story_says_which_step_stood_open() -> None:
    judged = run_of("asr > 50%", [call(), *rehearsed(10, 9)], [call(), *rehearsed(10, 9)[:3]])
    assert f"The runbook was not finished in 1 of 2 runs: “{STEPS[1]}” stood open." in story(judged)


def test_the_story_counts_callers_calls_and_reasons_as_means_over_runs() -> None:
    lost = [
        call(1, Outcome.FAILED, reason="nothing answers"),
        call(1, Outcome.FAILED, reason="nothing answers", final=False),
        call(1, Outcome.DROPPED, reason="site lost", talk=5.0),
        call(1, Outcome.BLOCKED, reason="outbound", direction=Direction.OUTBOUND, number=OSAKA, final=False),
    ]
    told = " ".join(story(run_of("asr > 0%", [*answered(8, 8), *lost], answered(10, 10))))
    assert "On average 1 of 10 callers (10%) never got through" in told
    assert "Calls cut off by a fault: 0.5." in told
    assert "1 failed on 0120-123-456 (nothing answers)" in told
    assert f"0.5 blocked going out with {OSAKA} (outbound)" in told


def test_the_story_says_when_nobody_was_lost() -> None:
    assert "No caller was lost." in story(run_of("asr > 50%", answered(9, 9)))


def test_values_asked_differently_are_judged_by_the_same_runs() -> None:
    judged = run_of("attempts{number=+81 120-123-456} >= 3", answered(3, 3))
    assert only(judged).value == 3


def test_runs_are_kept_in_order() -> None:
    made = drill()
    runs: list[RunSummary] = [fold(made, *answered(1, n)) for n in (1, 2, 3)]
    assert judge(made, iter(runs), engine="calls", seed=7).summaries == tuple(runs)
