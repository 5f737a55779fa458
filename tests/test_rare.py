"""Shares that are 0 % or 100 % in nearly all runs: what so many runs can say, and that it holds."""

import numpy as np
import pytest
import scipy.stats

from reports.combine import combine
from reports.rare import AT_WORST, FEW, rare, stringer_bound
from reports.statistics import mean_interval, most_share, runs_without
from scenarios.metrics import METRICS


def exact_upper(hits: int, runs: int) -> float:
    return scipy.stats.binomtest(hits, runs).proportion_ci(0.95, method="exact").high


@pytest.mark.parametrize(("hits", "runs"), [(0, 2), (0, 100), (1, 100), (9, 100), (3, 7), (100, 100), (0, 100_000)])
def test_the_most_that_a_share_can_be_is_that_of_clopper_and_pearson(hits: int, runs: int) -> None:
    assert most_share(hits, runs) == pytest.approx(exact_upper(hits, runs), rel=1e-9)


def test_100_runs_without_any_leave_room_for_3_62_percent_of_runs() -> None:
    """By hand: 0.9638 to the power of 100 is 0.025."""
    assert most_share(0, 100) == pytest.approx(1 - 0.025**0.01, rel=1e-12)
    assert most_share(0, 100) == pytest.approx(0.0362, abs=5e-5)


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_the_runs_told_are_the_fewest_that_do(share: float) -> None:
    runs = runs_without(share)
    assert most_share(0, runs) <= share < most_share(0, runs - 1)


def test_no_run_away_from_0_leaves_what_a_rare_run_may_lose_at_worst() -> None:
    found = rare([0.0] * 100)
    assert found is not None
    assert (found.end, found.away, found.runs) == (0.0, 0, 100)
    assert found.edge == pytest.approx(exact_upper(0, 100) * AT_WORST)
    assert found.widened((0.0, 0.0)) == (0.0, found.edge)
    top = rare([1.0] * 100)
    assert top is not None
    assert top.widened((1.0, 1.0)) == pytest.approx((1 - found.edge, 1.0))


def test_the_bound_with_some_runs_away_is_stringers() -> None:
    """As auditors write it (Bickel 1992): the bound without errors, and for each error by how much that grows."""
    away, runs = [0.05, 0.02, 0.02, 0.001], 60
    steps = [exact_upper(errors, runs) - exact_upper(errors - 1, runs) for errors in range(1, len(away) + 1)]
    by_hand = exact_upper(0, runs) * 0.1 + sum(step * value for step, value in zip(steps, away, strict=True))
    assert stringer_bound(away, runs, 0.1) == pytest.approx(by_hand, rel=1e-9)


def test_a_worse_run_than_is_taken_for_the_worst_counts_as_the_worst() -> None:
    found = rare([0.0] * 99 + [0.4])
    assert found is not None
    assert found.worst == 0.4
    assert found.reach == pytest.approx(exact_upper(1, 100) * 0.4)


def test_of_few_attempts_at_least_one_is_away() -> None:
    """Of 100 runs with one emergency call each, nothing but the share of runs can be told."""
    assert rare([1.0] * 100, 1.0).edge == pytest.approx(1 - exact_upper(0, 100))  # type: ignore[union-attr]
    assert rare([1.0] * 100, 4.0).edge == pytest.approx(1 - exact_upper(0, 100) / 4)  # type: ignore[union-attr]
    assert rare([1.0] * 100, 4000.0) == rare([1.0] * 100)


@pytest.mark.parametrize(
    "values",
    [[0.0], [0.01] * (FEW + 1) + [0.0] * 89, [0.3] * 100, [0.0, 0.2], [0.2, 0.3, 0.0], [0.0, 1.0]],
    ids=["one run", "enough away", "none at an end", "half away", "most away", "one at each end"],
)
def test_runs_that_speak_for_themselves_do(values: list[float]) -> None:
    assert rare(values) is None


def test_only_shares_have_ends() -> None:
    assert combine(METRICS["asa"], [0.0] * 100).interval == (0.0, 0.0)
    high = combine(METRICS["blocked_ratio"], [0.0] * 100).interval
    assert high is not None
    assert high == pytest.approx((0.0, 0.00362), abs=5e-6)


def test_more_runs_see_nearer_and_the_number_told_is_enough() -> None:
    found = rare([0.0] * 100)
    assert found is not None
    needed = found.needed(0.001)
    assert needed == 368  # by hand: ln 0.025 / ln 0.99 = 367.04
    assert rare([0.0] * needed).edge <= 0.001 < rare([0.0] * (needed - 1)).edge  # type: ignore[union-attr]
    assert found.needed(0.0) is None, "no number of runs shows that a mean is exactly 0"
    some = rare([0.0] * 99 + [0.001])
    assert some is not None
    assert some.needed(0.001) is None


@pytest.mark.parametrize("share", [0.005, 0.02, 0.05])
def test_the_interval_covers_the_mean_where_few_runs_lose_anything_and_students_alone_does_not(share: float) -> None:
    """2,000 experiments of 100 runs; a share of all runs lose up to a tenth of their attempts."""
    draws = np.random.default_rng(8)
    truth, covered, students = share * AT_WORST / 2, 0, 0
    for _ in range(2000):
        values = ((draws.random(100) < share) * draws.uniform(0, AT_WORST, 100)).tolist()
        interval, alone = combine(METRICS["blocked_ratio"], values).interval, mean_interval(values)
        assert interval is not None
        assert alone is not None
        covered += interval[0] <= truth <= interval[1]
        students += alone[0] <= truth <= alone[1]
    assert covered >= 0.95 * 2000
    assert students < 0.9 * 2000
