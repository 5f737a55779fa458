"""What a comparison of two runs comes to: pairs, samples, verdicts, tolerances, and what each output says of it."""

import json
import math
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import reports.compare_result
import reports.replications
from reports import replications
from reports.compare import Comparison, Kind, compare
from reports.compare_changes import Change, Outcome
from reports.compare_html import charts, comparison_page
from reports.compare_junit import comparison_junit
from reports.compare_nights import BASELINE, ERROR, compare_nights, recent_needed
from reports.compare_result import comparison_result, comparison_text
from reports.compare_runs import Run, RunError, read_run
from reports.compare_terminal import print_comparison
from reports.compare_tolerances import Tolerances, parse_tolerances
from reports.exit_codes import ExitCode
from reports.origin import Origin
from reports.summary import Value
from scenarios.metrics import METRICS, Better
from scenarios.units import UnitError
from tests.made_runs import NEVER, judged, made, write
from tests.test_report_html import Outline

STRICT = Tolerances()


def between(
    first: Mapping[str, Sequence[Value]],
    second: Mapping[str, Sequence[Value]],
    *,
    tolerance: Sequence[str] = (),
    seeds: tuple[int, int] = (1, 1),
    **asked: Any,
) -> Comparison:
    one, other = (made(values, seed=seed, **asked) for values, seed in zip((first, second), seeds, strict=True))
    return compare(one, other, parse_tolerances(tolerance))


def of(comparison: Comparison, text: str) -> Change:
    (found,) = (change for change in comparison.changes if change.text == text)
    return found


TWENTY = [0.1, 0.12, 0.08, 0.11, 0.1, 0.13, 0.09, 0.1, 0.12, 0.1] * 2
MORE = [value + 0.05 + 0.001 * (index % 4) for index, value in enumerate(TWENTY)]


# How runs belong together


def test_with_the_same_seed_runs_are_compared_in_pairs() -> None:
    comparison = between({"blocked_ratio": TWENTY}, {"blocked_ratio": MORE})
    change = of(comparison, "blocked_ratio")
    truth = scipy.stats.ttest_rel(MORE, TWENTY).confidence_interval(comparison.confidence)
    assert comparison.kind is Kind.PAIRED
    assert change.apart is not None
    assert change.apart.interval == pytest.approx((truth.low, truth.high))
    assert change.apart.value == pytest.approx(sum(MORE) / 20 - sum(TWENTY) / 20)


def test_with_other_seeds_they_are_two_samples() -> None:
    comparison = between({"blocked_ratio": TWENTY}, {"blocked_ratio": MORE}, seeds=(1, 2))
    change = of(comparison, "blocked_ratio")
    truth = scipy.stats.ttest_ind(MORE, TWENTY, equal_var=False).confidence_interval(comparison.confidence)
    assert comparison.kind is Kind.INDEPENDENT
    assert change.apart is not None
    assert change.apart.interval == pytest.approx((truth.low, truth.high))


def test_pairs_go_by_the_number_of_the_replication() -> None:
    first = made({"blocked": [1.0, 2.0, 3.0, 4.0]})
    second = made({"blocked": [3.0, 4.0, 9.0]}, numbers=[2, 3, 7])
    comparison = compare(first, second, STRICT)
    assert comparison.runs == (2, 2)
    assert of(comparison, "blocked").identical
    assert of(comparison, "blocked").first == 3.5


def test_intervals_are_95_percent_for_all_metrics_together() -> None:
    comparison = between({"blocked_ratio": TWENTY}, {"blocked_ratio": TWENTY})
    deciding = sum(change.decides for change in comparison.changes)
    assert deciding > 1
    assert comparison.confidence == pytest.approx(1 - 0.05 / deciding)


def test_the_number_of_intervals_that_is_said_is_the_one_that_was_used() -> None:
    for values, more in (([60.0] * 20, 0), ([60.0] * 19 + [NEVER], 1)):
        comparison = between({"recovery_time": [60.0] * 20}, {"recovery_time": values})
        used = sum(change.decides for change in comparison.changes) + more
        assert used < len(comparison.changes)
        assert comparison.confidence == pytest.approx(1 - 0.05 / used)
        assert f"Intervals are 95% for the {used} that decide together." in told(comparison)


def test_of_an_older_run_only_values_over_all_runs_are_compared(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"blocked_ratio": TWENTY, "blocked": [5.0] * 20})
    other = write(tmp_path / "other", {"blocked_ratio": MORE, "blocked": [9.0] * 20})
    (one / replications.FILE).unlink()
    comparison = compare(read_run(one), read_run(other), STRICT)
    assert comparison.kind is Kind.SEPARATE
    change = of(comparison, "blocked_ratio")
    assert change.apart is not None
    assert change.apart.interval is not None
    low, high = scipy.stats.t.interval(0.95, 19, loc=0.105, scale=scipy.stats.sem(TWENTY))
    lower, higher = scipy.stats.t.interval(0.95, 19, loc=sum(MORE) / 20, scale=scipy.stats.sem(MORE))
    reach = math.hypot((high - low) / 2, (higher - lower) / 2)
    assert change.apart.interval[1] - change.apart.value == pytest.approx(reach)
    assert comparison.worse
    assert "A has no replications.json" in told(comparison)
    assert comparison.plan is None
    assert list(charts(comparison)) == []
    assert "Plotly" not in comparison_page(comparison), "no library without a chart"


# What is worse


def test_a_difference_beyond_what_is_allowed_is_worse_and_the_other_way_round_better() -> None:
    comparison, back = (
        between({"blocked_ratio": one}, {"blocked_ratio": other}) for one, other in ((TWENTY, MORE), (MORE, TWENTY))
    )
    assert of(comparison, "blocked_ratio").outcome is Outcome.WORSE
    assert comparison.exit_code is ExitCode.FAILED
    assert of(back, "blocked_ratio").outcome is Outcome.BETTER
    assert back.exit_code is ExitCode.PASSED


def test_more_may_be_better() -> None:
    comparison = between({"asr": TWENTY}, {"asr": MORE}, expect=["asr > 1%"])
    assert of(comparison, "asr").outcome is Outcome.BETTER


def test_a_difference_within_what_is_allowed_is_none_to_fail_for() -> None:
    comparison = between({"blocked_ratio": TWENTY}, {"blocked_ratio": MORE}, tolerance=["blocked_ratio=6 points"])
    assert of(comparison, "blocked_ratio").outcome is Outcome.CHANGED
    assert comparison.exit_code is ExitCode.PASSED


def test_the_whole_interval_must_lie_beyond_what_is_allowed() -> None:
    """The interval reaches from 5.0 to 5.3 points: at 5.1 points it straddles."""
    for allowed, outcome in (("4.9", Outcome.WORSE), ("5.15", Outcome.CHANGED), ("5.5", Outcome.CHANGED)):
        comparison = between(
            {"blocked_ratio": TWENTY}, {"blocked_ratio": MORE}, tolerance=[f"blocked_ratio={allowed} points"]
        )
        assert of(comparison, "blocked_ratio").outcome is outcome, allowed


def test_a_percentage_is_of_the_first_value_and_the_narrowest_entry_counts() -> None:
    tolerances = parse_tolerances(["10%", "blocked_ratio=1 points", "blocked_ratio{limit=tenant}=2 points"])
    comparison = between({"blocked_ratio": TWENTY, "asa": [20.0] * 20}, {"blocked_ratio": MORE, "asa": [21.0] * 20})
    query = of(comparison, "blocked_ratio").query
    assert tolerances.allowed(query, 0.4) == 0.01
    assert tolerances.allowed(of(comparison, "asa").query, 20.0) == 2.0
    assert tolerances.allowed(of(comparison, "asa").query, NEVER) == 0.1, "a percentage of never is the least there is"
    assert parse_tolerances(["0%"]).allowed(query, 0.4) == 0


@pytest.mark.parametrize("text", ["2m", "blockd=2%", "blocked_ratio=2m", "recovery_time=", "x", "2%=3"])
def test_a_tolerance_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(UnitError):
        parse_tolerances([text])


def test_that_something_may_never_happen_is_worse_however_rarely_it_was_so_before() -> None:
    usual = [100.0 + index for index in range(40)]
    comparison = between({"recovery_time": usual}, {"recovery_time": [*usual[:25], *[NEVER] * 15]})
    change = of(comparison, "recovery_time")
    assert change.outcome is Outcome.WORSE, "though the median of the differences is 0"
    assert change.apart is not None
    assert change.apart.value == 0
    assert (change.never.first, change.never.second) == (0, 15)
    assert "never in 0 of 40 with A, in 15 of 40 runs with B" in told(comparison)


def test_where_no_way_is_better_nothing_is_worse_unless_it_is_named() -> None:
    peaks = {"ports_peak{limit=tenant}": [100.0] * 20}, {"ports_peak{limit=tenant}": [150.0] * 20}
    assert of(between(*peaks), "ports_peak{limit=tenant}").outcome is Outcome.CHANGED
    for first, second in (peaks, peaks[::-1]):
        comparison = between(first, second, tolerance=["ports_peak=10"])
        assert of(comparison, "ports_peak{limit=tenant}").outcome is Outcome.WORSE


def test_every_metric_says_which_way_is_better() -> None:
    neither = {name for name, metric in METRICS.items() if metric.better is Better.NEITHER}
    assert neither == {"attempts", "closed", "ports_peak", "register_peak"}
    more = {name for name, metric in METRICS.items() if metric.better is Better.MORE}
    assert more == {"answered", "asr", "ner", "ser", "seer", "service_level", "softphones_least"}


def test_an_expectation_that_held_and_fails_is_worse_whatever_is_allowed() -> None:
    comparison = between(
        {"blocked_ratio": TWENTY},
        {"blocked_ratio": MORE},
        tolerance=["100%", "blocked_ratio=50 points"],
        expect=["blocked_ratio < 12%"],
    )
    assert [each.text for each in comparison.lost] == ["blocked_ratio < 12%"]
    assert comparison.exit_code is ExitCode.FAILED


def test_an_expectation_that_can_no_more_be_told_leaves_it_open() -> None:
    spread = [0.0, 0.24] * 10
    comparison = between({"blocked_ratio": TWENTY}, {"blocked_ratio": spread}, expect=["blocked_ratio < 12%"])
    assert comparison.exit_code is ExitCode.INCONCLUSIVE
    assert "cannot be told any more" in told(comparison)


# What cannot be told


def test_too_few_runs_say_nothing_but_that_something_differs() -> None:
    comparison = between({"blocked": [1.0, 2.0]}, {"blocked": [5.0, 6.0]})
    assert of(comparison, "blocked").outcome is Outcome.UNCLEAR
    assert comparison.exit_code is ExitCode.INCONCLUSIVE
    assert "too few runs to tell of blocked" in told(comparison)


@pytest.mark.parametrize("seeds", [(1, 1), (1, 2)], ids=["paired", "independent"])
@pytest.mark.parametrize("older", [False, True], ids=["", "older"])
def test_what_only_one_side_can_measure_cannot_be_told(seeds: tuple[int, int], older: bool) -> None:
    sides = {"asa": [20.0, 22.0] * 10}, {"asa": [None] * 20}
    for first, second, shown in ((*sides, (21.0, None)), (*sides[::-1], (None, 21.0))):
        runs = [made(values, seed=seed) for values, seed in zip((first, second), seeds, strict=True)]
        if older:
            runs[0] = replace(runs[0], numbers=None)
        comparison = compare(runs[0], runs[1], STRICT)
        change = of(comparison, "asa")
        assert (change.outcome, (change.first, change.second)) == (Outcome.UNCLEAR, shown)
        assert comparison.exit_code is ExitCode.INCONCLUSIVE


@pytest.mark.parametrize("seeds", [(1, 1), (1, 2)], ids=["paired", "independent"])
def test_a_difference_that_is_always_the_same_takes_enough_runs_too(seeds: tuple[int, int]) -> None:
    for runs, code in ((2, ExitCode.INCONCLUSIVE), (20, ExitCode.FAILED)):
        comparison = between({"blocked_ratio": [0.0] * runs}, {"blocked_ratio": [0.5] * runs}, seeds=seeds)
        assert comparison.exit_code is code


def test_runs_without_evidence_say_nothing_unless_they_are_worse() -> None:
    same = between({"blocked_ratio": TWENTY}, {"blocked_ratio": TWENTY}, interrupted=True)
    assert same.exit_code is ExitCode.INCONCLUSIVE
    worse = between({"blocked_ratio": TWENTY}, {"blocked_ratio": MORE}, interrupted=True)
    assert worse.exit_code is ExitCode.FAILED


RUNS = st.lists(st.one_of(st.integers(0, 9).map(float), st.none(), st.just(NEVER)), min_size=1, max_size=15)


@settings(max_examples=30, deadline=None)
@given(RUNS, st.integers(1, 2))
def test_a_run_against_itself_is_never_worse(values: list[Value], seed: int) -> None:
    comparison = between({"recovery_time": values}, {"recovery_time": values}, seeds=(1, seed))
    assert not comparison.worse
    if seed == 1:
        assert comparison.exit_code is ExitCode.PASSED
        assert all(change.outcome is Outcome.SAME for change in comparison.changes)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=15), st.integers(1, 2))
def test_the_other_way_round_worse_is_better(pairs: list[tuple[int, int]], seed: int) -> None:
    """With a tolerance in the metric's unit, which depends on no side."""
    values = [[float(pair[side]) for pair in pairs] for side in (0, 1)]
    asked: dict[str, Any] = {"tolerance": ["blocked=1"], "seeds": (1, seed)}
    one, other = (
        of(between({"blocked": first}, {"blocked": second}, **asked), "blocked")
        for first, second in (values, values[::-1])
    )
    turned = {Outcome.WORSE: Outcome.BETTER, Outcome.BETTER: Outcome.WORSE}
    assert other.outcome is turned.get(one.outcome, one.outcome)
    assert one.apart is not None
    assert other.apart is not None
    assert one.apart.value == pytest.approx(-other.apart.value)


# Live nights


def night(value: float) -> Run:
    return made({"setup_delay_p99": [value]}, engine="live", expect=["setup_delay_p99 < 10s"])


NIGHTS = [night(1.0 + index / 100) for index in range(BASELINE)]


def nights(*values: float) -> Comparison:
    recent = [night(value) for value in values]
    return compare_nights(NIGHTS, recent, recent[-1], parse_tolerances(["0%"]), ("the baseline", "this run"))


def test_three_nights_that_are_all_worse_are_a_regression_and_two_are_none() -> None:
    """One metric: 1 of the 286 orders of 13 nights has the three last ones on top, and 286 > 1/ERROR."""
    assert recent_needed(1) == 3
    assert math.comb(12, 2) < 1 / ERROR < math.comb(13, 3)
    assert nights(2.0, 2.1).exit_code is ExitCode.PASSED
    assert "NOT ENOUGH NIGHTS YET" in told(nights(2.0, 2.1))
    assert nights(2.0, 2.1, 1.9).exit_code is ExitCode.FAILED
    assert nights(1.0, 2.1, 1.05).exit_code is ExitCode.PASSED


def test_only_the_last_nights_count() -> None:
    assert nights(2.0, 2.1, 1.9, 1.03, 1.0, 1.05).exit_code is ExitCode.PASSED
    assert nights(1.03, 1.0, 1.05, 2.0, 2.1, 1.9).exit_code is ExitCode.FAILED


@pytest.mark.parametrize(("metrics", "needed"), [(1, 3), (2, 3), (3, 4), (10, 4), (11, 5), (30, 5), (31, 6)])
def test_the_more_metrics_decide_the_more_nights_it_takes(metrics: int, needed: int) -> None:
    assert recent_needed(metrics) == needed
    assert (
        metrics / math.comb(BASELINE + needed, needed) <= ERROR < metrics / math.comb(BASELINE + needed - 1, needed - 1)
    )


def test_while_the_baseline_is_being_made_nothing_is_worse() -> None:
    comparison = compare_nights(NIGHTS[:4], [], night(9.0), parse_tolerances(["0%"]), ("the baseline", "this run"))
    assert comparison.exit_code is ExitCode.PASSED
    assert "4 of 10 nights of the baseline, and then 3 nights" in told(comparison)


def test_what_only_tonight_is_asked_for_waits_for_more_nights() -> None:
    """Tonight is no evidence, so that the last of the nights that are held against the baseline is an earlier one."""
    new = "setup_delay_p99{after=2m}"
    tonight = made({new: [9.0]}, engine="live", expect=["setup_delay_p99 < 10s", f"{new} < 10s"], interrupted=True)
    recent = [*map(night, (1.03, 1.0, 1.05)), tonight]
    for before in (recent[:-1], recent):
        comparison = compare_nights(NIGHTS, before, tonight, parse_tolerances(["0%"]), ("the baseline", "this run"))
        assert of(comparison, new).expected
        assert comparison.exit_code is ExitCode.INCONCLUSIVE


def test_a_metric_that_too_few_nights_have_is_no_error_to_ci() -> None:
    new = "setup_delay_p99{after=2m}"
    asked = ["setup_delay_p99 < 10s", f"{new} < 10s"]
    has = [made({new: [value]}, engine="live", expect=asked) for value in (1.0, 2.0)]
    comparison = compare_nights([*NIGHTS[:9], has[0]], [*NIGHTS[:3], has[1]], has[1], STRICT, ("base", "this"))
    assert of(comparison, new).outcome is Outcome.UNCLEAR
    assert comparison.exit_code is ExitCode.PASSED
    suite = ET.fromstring(comparison_junit(comparison))  # noqa: S314 - it is ours
    assert suite.findall(".//error") == []
    assert suite.find(f".//testcase[@name='not worse: {new}']/skipped") is not None


# What is said


def told(comparison: Comparison, width: int = 120, *, everything: bool = False) -> str:
    console = Console(file=StringIO(), width=width)
    print_comparison(console, comparison, everything=everything)
    assert isinstance(console.file, StringIO)
    return " ".join(console.file.getvalue().split())


def rich_comparison() -> Comparison:
    first = made({"blocked_ratio": TWENTY, "recovery_time": [60.0] * 20}, expect=["asr > 50%", "blocked_ratio < 12%"])
    second = made(
        {"blocked_ratio": MORE, "recovery_time": [*[60.0] * 5, *[NEVER] * 15], "blocked": [3.0] * 20},
        Origin("plan.kirikae.yaml", ("ports.tenant=200",), drill={"ports": {"tenant": 200}}),
        expect=["blocked_ratio < 12%", "blocked_ratio < 1%"],
        name="<b>hostile</b> & longer",
    )
    return compare(first, second, STRICT)


def test_the_terminal_says_what_is_worse_first_and_folds_away_what_is_not() -> None:
    comparison = rich_comparison()
    text = told(comparison)
    assert text.startswith("B IS WORSE")
    assert "ports.tenant was 250, is 200" in text
    assert "Paired: 20 runs of each with the same callers" in text
    assert "blocked_ratio < 12% passed (10.5%) → failed (15.7%)" in text
    assert "1 new expectation: blocked_ratio < 1%." in text
    assert "1 gone expectation: asr > 50%." in text
    assert "metrics without a difference" in text
    assert "abandoned median" not in text
    assert "abandoned median" in told(comparison, everything=True)
    order = [change.outcome for change in comparison.ordered]
    assert order == sorted(order, key=list(Outcome).index)


def test_a_narrow_terminal_has_the_same_in_blocks() -> None:
    text = told(rich_comparison(), 60)
    assert "A 10.5%, B 15.7%" in text
    assert "allowed" in text


def test_the_json_has_the_keys_that_are_documented() -> None:
    found = json.loads(comparison_text(rich_comparison()))
    lines = re.findall(r"^    (\w+(?:, \w+)*)", str(reports.compare_result.__doc__), re.MULTILINE)
    assert found.keys() == {key for line in lines for key in line.split(", ")}
    assert (found["worse"], found["exit_code"], found["kind"]) == (True, 1, "paired")
    assert found["metrics"]["recovery_time"]["difference"]["interval"][1] is None
    assert found["metrics"]["recovery_time"]["second"] == {"value": None, "never": True}
    assert found["new"]["expectations"] == ["blocked_ratio < 1%"]


def test_junit_has_a_failure_for_what_is_worse() -> None:
    suite = ET.fromstring(comparison_junit(rich_comparison())).find("testsuite")  # noqa: S314 - it is ours
    assert suite is not None
    failed = [case.get("name") for case in suite.findall("testcase[failure]")]
    assert failed[0] == "still holds: blocked_ratio < 12%"
    assert "not worse: blocked_ratio" in failed
    assert "not worse: recovery_time" in failed
    assert suite.get("failures") == str(len(failed))
    assert "not worse: attempts" not in [case.get("name") for case in suite.findall("testcase")], "neither is better"


def test_junit_can_be_read_whatever_a_folder_is_called() -> None:
    comparison = rich_comparison()
    named = replace(comparison, second=replace(comparison.second, source="a\x01\udcff\ufffe"))
    text = comparison_junit(named)
    assert "a\ufffd\ufffd\ufffd" in text
    assert ET.fromstring(text.encode()).get("name") is None  # noqa: S314 - it is ours


def test_nights_that_are_too_few_are_skipped_in_junit() -> None:
    suite = ET.fromstring(comparison_junit(nights(2.0))).find("testsuite")  # noqa: S314 - it is ours
    assert suite is not None
    assert (suite.get("skipped"), suite.get("errors"), suite.get("failures")) == ("1", "0", "0")


def test_the_page_shows_both_runs_and_lets_nothing_of_a_name_through() -> None:
    comparison = rich_comparison()
    page = comparison_page(comparison)
    assert "<b>hostile</b>" not in page
    text = " ".join(Outline(page).text.split())
    assert "B IS WORSE" in text
    assert "ports.tenant was 250, is 200" in text
    drawn = list(charts(comparison))
    assert all(len(each["lines"]) == 2 for each in drawn)


def test_the_values_of_each_replication_are_written_with_never_and_nothing_told_apart() -> None:
    found = replications.replications(
        judged({"recovery_time": [60.0, NEVER, None], "blocked_ratio": [1 / 3, 0.0, 1.0]}),
        Origin("plan.yaml"),
        [0, 1, 5],
    )
    assert found["metrics"]["recovery_time"]["values"] == [60.0, "never", None]
    assert found["metrics"]["blocked_ratio"]["values"] == [0.333333333, 0.0, 1.0]
    assert found["replications"] == [0, 1, 5]
    documented = str(reports.replications.__doc__)
    assert all(key in documented for key in found)


# Files


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    values: dict[str, Sequence[Value]] = {"recovery_time": [60.0, NEVER, None], "blocked_ratio": [0.25, 0.5, 0.0]}
    folder = write(tmp_path / "out", values, seed=5)
    for path in (folder, folder / "result.json"):
        run = read_run(path)
        assert {text: list(run.metrics[text].values or ()) for text in values} == values
        assert (run.seed, run.numbers, run.drill) == (5, (0, 1, 2), {"ports": {"tenant": 250}})


def test_an_older_run_that_does_not_say_its_values_in_words_is_read(tmp_path: Path) -> None:
    file = write(tmp_path, {"blocked_ratio": [0.25, 0.5]}) / "result.json"
    data = json.loads(file.read_text("utf-8"))
    for each in data["expectations"]:
        del each["shown"]
    file.write_text(json.dumps(data), "utf-8")
    run = read_run(tmp_path)
    assert [each.shown for each in run.expectations.values()] == ["–"]
    assert "(–)" in told(compare(run, run, STRICT), everything=True)


BROKEN: dict[str, tuple[str, Callable[[str], str], str]] = {
    "no JSON": ("result.json", lambda text: text[:100], "no JSON, or only a part"),
    "of another version": ("result.json", lambda text: text.replace('"version": 1', '"version": 9', 1), "version 9"),
    "deeper than anybody writes": ("result.json", lambda text: "[" * 100_000, "no JSON"),
    "something else": ("result.json", lambda text: "[]", "not what `kirikae run` writes"),
    "a key is gone": ("result.json", lambda text: text.replace('"steps"', '"stops"'), "steps: Field required"),
    "values cut off": ("replications.json", lambda text: text[:-20], "no JSON"),
    "of another run": ("replications.json", lambda text: text.replace('"seed":1', '"seed":2'), "another run"),
    "a value is a word": ("replications.json", lambda text: text.replace("0.25", '"none"', 1), "values"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_named_with_what_is_wrong(case: str, tmp_path: Path) -> None:
    name, spoil, said = BROKEN[case]
    path = write(tmp_path, {"blocked_ratio": [0.25, 0.5]}) / name
    path.write_text(spoil(path.read_text("utf-8")), "utf-8")
    with pytest.raises(RunError, match=said) as error:
        read_run(tmp_path)
    assert name in str(error.value)


def test_a_run_that_was_killed_between_its_files_was_not_finished(tmp_path: Path) -> None:
    before = write(tmp_path / "before", {"blocked_ratio": [0.25, 0.5]}) / replications.FILE
    folder = write(tmp_path / "killed", {"blocked_ratio": [0.25, 0.5, 0.25]})
    shutil.copy(before, folder)
    result = folder / "result.json"
    result.write_text(result.read_text("utf-8").replace('"unfinished": false', '"unfinished": true'), "utf-8")
    with pytest.raises(RunError, match=r"the run was not finished, and replications\.json is of a state before"):
        read_run(folder)


def test_json_of_a_comparison_is_finite_with_any_values() -> None:
    comparison = between({"recovery_time": [NEVER] * 20}, {"recovery_time": [5.0] * 20}, seeds=(1, 2))
    json.dumps(comparison_result(comparison), allow_nan=False)
    assert of(comparison, "recovery_time").outcome is Outcome.BETTER
