"""How numbers stand to targets: decisions are right as often as they say, and controls take noise out of a mean."""

from math import inf, isnan, log

import numpy as np
import pytest

from reports.standing import confidence_of_a_look, corrected, sight
from scenarios.expectations import parse_expectation
from scenarios.model import Verdict

BLOCKED = parse_expectation("blocked_ratio < 1%")


def test_a_mean_far_from_the_bound_is_decided_and_one_near_it_is_not() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.002, 24)
    cases = {0.004: Verdict.PASSED, 0.02: Verdict.FAILED, 0.0101: Verdict.INCONCLUSIVE}
    for centre, verdict in cases.items():
        assert sight(BLOCKED, list(centre + noise), [()] * 24, 0.95).verdict is verdict


def test_what_controls_explain_is_taken_out_and_the_mean_stays() -> None:
    rng = np.random.default_rng(2)
    controls = rng.normal(0, 1, (24, 2))
    values = 0.0099 + 0.003 * controls[:, 0] - 0.002 * controls[:, 1] + rng.normal(0, 0.00001, 24)
    found = corrected(list(values), controls.tolist())
    assert found is not None
    assert found.value == pytest.approx(0.0099, abs=0.00001)
    assert found.free == 21
    assert sight(BLOCKED, list(values), [()] * 24, 0.99).verdict is Verdict.INCONCLUSIVE
    assert sight(BLOCKED, list(values), controls.tolist(), 0.99).verdict is Verdict.PASSED


def test_controls_that_are_constant_alike_or_too_many_are_no_help() -> None:
    values = [0.01, 0.02, 0.03, 0.02, 0.01, 0.02, 0.03, 0.04, 0.05, 0.01]
    assert corrected(values, [(0.0, 0.0)] * 10) is None
    assert corrected(values, [(value, 2 * value) for value in values]) is None
    assert corrected(values, [tuple(row) for row in np.eye(10)[:, :6].tolist()]) is None


def test_intervals_of_corrected_means_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(2_000):
        controls = rng.normal(0, 1, (12, 3))
        values = 0.01 + controls @ [0.002, -0.001, 0.0005] + rng.normal(0, 0.001, 12)
        found = sight(BLOCKED, list(values), controls.tolist(), 0.95)
        assert found.interval is not None
        covered += found.interval[0] <= 0.01 <= found.interval[1]
    assert 0.94 <= covered / 2_000 <= 0.96


def test_runs_without_a_blocked_call_do_not_show_that_there_are_none() -> None:
    few, many = (sight(BLOCKED, [0.0] * runs, [()] * runs, 0.99) for runs in (12, 200))
    assert (few.verdict, many.verdict) == (Verdict.INCONCLUSIVE, Verdict.PASSED)
    one_bad_night = sight(BLOCKED, [0.0] * 199 + [0.9], [()] * 200, 0.99)
    assert one_bad_night.verdict is Verdict.INCONCLUSIVE


def test_a_share_of_runs_is_judged_by_wilson() -> None:
    target = parse_expectation("recovery_time <= 30m in 90% of runs")
    assert sight(target, [60.0] * 48, [()] * 48, 0.95).verdict is Verdict.PASSED
    assert sight(target, [60.0] * 30 + [inf] * 18, [()] * 48, 0.95).verdict is Verdict.FAILED
    assert sight(target, [60.0] * 43 + [inf] * 5, [()] * 48, 0.95).verdict is Verdict.INCONCLUSIVE


def test_peaks_are_shares_of_their_limit() -> None:
    target = parse_expectation("ports_peak{limit=tenant} < 80%")
    assert sight(target, [79.0] * 200, [()] * 200, 0.95, cap=100).verdict is Verdict.PASSED
    assert sight(target, [79.0] * 200, [()] * 200, 0.95, cap=90).verdict is Verdict.FAILED


def test_a_run_with_nothing_to_measure_decides_nothing() -> None:
    found = sight(BLOCKED, [0.0, None, 0.0], [()] * 3, 0.95)
    assert (found.verdict, found.nothing) == (Verdict.INCONCLUSIVE, 1)


def test_the_gap_is_a_logarithm_above_nothing_on_the_wrong_side() -> None:
    worse = sight(BLOCKED, [0.02, 0.02001] * 12, [()] * 24, 0.95)
    assert worse.gap == pytest.approx(log(2), abs=0.01)
    level = parse_expectation("service_level > 80%")
    assert sight(level, [0.9, 0.90001] * 12, [()] * 24, 0.95).gap == pytest.approx(log(0.5), abs=0.01)
    assert isnan(sight(parse_expectation("blocked == 3"), [3.0], [()], 0.95).gap)


def test_looks_share_the_doubt() -> None:
    assert confidence_of_a_look(0.95, 5) == pytest.approx(0.99)
