"""Draws against the distributions they claim to be, in closed form, and streams against each other."""

from itertools import combinations, islice
from math import exp, log, sqrt

import numpy as np
import pytest
from scipy import stats

from scenarios.distributions import Distribution, Shape, parse_distribution
from sim.draws import Draws, residuals, sample

N = 100_000
ODDS = 1e-4
"""A right sample is called wrong once in so many tries; the seeds are fixed, so that it is so always or never."""


def drawn(stated: object, name: str = "x") -> np.ndarray:
    return sample(parse_distribution(stated), Draws(7, 0).stream(name), N)


def sigma(cv: float) -> float:
    return sqrt(log(1 + cv * cv))


@pytest.mark.parametrize(
    ("stated", "law"),
    [
        ({"exponential": "60s"}, stats.expon(scale=60)),
        ({"uniform": ["1m", "5m"]}, stats.uniform(60, 240)),
        ({"triangular": ["2m", "5m", "15m"]}, stats.triang(c=3 / 13, loc=120, scale=780)),
        ({"triangular": ["2m", "2m", "15m"]}, stats.triang(c=0, loc=120, scale=780)),
        ({"lognormal": {"mean": "3m", "cv": 1.2}}, stats.lognorm(sigma(1.2), scale=180 * exp(-(sigma(1.2) ** 2) / 2))),
        ({"gamma": {"mean": "3m", "cv": 0.5}}, stats.gamma(4, scale=45)),
        ({"gamma": {"mean": "3m", "cv": 2}}, stats.gamma(0.25, scale=720)),
    ],
    ids=["exponential", "uniform", "triangular", "triangular from its mode", "lognormal", "gamma", "gamma of cv 2"],
)
def test_samples_follow_the_law_they_are_named_after(stated: object, law: stats.rv_continuous) -> None:
    assert stats.kstest(drawn(stated), law.cdf).pvalue > ODDS


@pytest.mark.parametrize(
    ("stated", "mean", "cv"),
    [
        ({"exponential": "60s"}, 60, 1),
        ({"uniform": ["1m", "5m"]}, 180, 240 / sqrt(12) / 180),
        # (a + b + c) / 3 and (a² + b² + c² - ab - ac - bc) / 18, in minutes
        ({"triangular": ["2m", "5m", "15m"]}, 440, sqrt((4 + 25 + 225 - 10 - 30 - 75) / 18) / (22 / 3)),
        ({"lognormal": {"mean": "3m", "cv": 1.2}}, 180, 1.2),
        ({"gamma": {"mean": "3m", "cv": 0.5}}, 180, 0.5),
        ({"empirical": ["10s", "20s", "60s"]}, 30, sqrt((400 + 100 + 900) / 3) / 30),
    ],
    ids=str,
)
def test_means_and_coefficients_of_variation_are_those_stated(stated: object, mean: float, cv: float) -> None:
    values = drawn(stated)
    assert abs(values.mean() - mean) < 4 * mean * cv / sqrt(N)
    fourth = stats.moment(values, 4)
    error_of_variance = sqrt((fourth - values.var() ** 2) / N)
    assert abs(values.var() - (mean * cv) ** 2) < 4 * error_of_variance
    assert parse_distribution(stated).mean == pytest.approx(mean)


def test_a_constant_never_varies_and_an_empirical_value_is_one_of_those_listed_equally_often() -> None:
    assert set(drawn("90s").tolist()) == {90.0}
    values, counts = np.unique(drawn({"empirical": ["10s", "20s", "20s", "60s"]}), return_counts=True)
    assert values.tolist() == [10, 20, 60]
    assert stats.chisquare(counts, N * np.array([0.25, 0.5, 0.25])).pvalue > ODDS


# Renewal theory: the call found in progress has E[T²] / 2E[T] left on average, which is mean (1 + cv²) / 2.


@pytest.mark.parametrize(
    ("stated", "left"),
    [
        ("60s", 30),
        ({"exponential": "60s"}, 60),
        ({"uniform": ["1m", "5m"]}, (60**2 + 60 * 300 + 300**2) / 3 / 360),
        ({"lognormal": {"mean": "3m", "cv": 1.2}}, 90 * (1 + 1.2**2)),
        ({"gamma": {"mean": "3m", "cv": 0.5}}, 90 * (1 + 0.5**2)),
        ({"empirical": ["0s", "100s"]}, 50),
    ],
    ids=str,
)
def test_calls_in_progress_have_the_time_left_that_renewal_theory_gives(stated: object, left: float) -> None:
    values = residuals(parse_distribution(stated), Draws(7, 0).stream("x"), N)
    assert abs(values.mean() - left) < 4 * values.std() / sqrt(N)


def test_the_time_left_of_exponential_calls_is_exponential_and_of_constant_ones_uniform() -> None:
    for stated, law in (({"exponential": "60s"}, stats.expon(scale=60)), ("60s", stats.uniform(0, 60))):
        values = residuals(parse_distribution(stated), Draws(7, 0).stream("x"), N)
        assert stats.kstest(values, law.cdf).pvalue > ODDS


def test_calls_of_no_length_have_nothing_left_and_none_in_progress_are_none() -> None:
    nothing = Distribution(Shape.CONSTANT, (0.0,))
    assert residuals(nothing, Draws(7, 0).stream("x"), 3).tolist() == [0, 0, 0]
    assert residuals(parse_distribution("1m"), Draws(7, 0).stream("x"), 0).tolist() == []


# Streams


def first(draws: Draws, name: str, n: int = 1000) -> list[float]:
    return list(islice(draws.uniforms(name), n))


def test_a_stream_gives_the_same_numbers_whatever_else_is_drawn_before_or_between() -> None:
    alone = first(Draws(1, 0), "a")
    draws = Draws(1, 0)
    first(draws, "another")
    mine, other = draws.uniforms("a"), draws.uniforms("b")
    assert [(next(mine), next(other))[0] for _ in range(1000)] == alone
    assert first(draws, "a") == alone


def test_seed_replication_and_name_each_give_another_stream_that_knows_nothing_of_the_first() -> None:
    streams = [first(Draws(1, 0), "a", 20_000)]
    streams += [
        first(draws, name, 20_000) for draws, name in ((Draws(2, 0), "a"), (Draws(1, 1), "a"), (Draws(1, 0), "b"))
    ]
    for one, other in combinations(streams, 2):
        assert abs(stats.pearsonr(one, other).statistic) < 4 / sqrt(20_000)


def test_each_of_many_gets_the_same_draws_whatever_the_others_take_and_when() -> None:
    one, other = (Draws(1, 0).shares("a", 3) for _ in range(2))
    in_turn = [[one.next(who) for who in range(3)] for _ in range(4)]
    alone = {who: [other.next(who) for _ in range(4)] for who in (2, 0, 1)}
    assert [list(draws) for draws in zip(alone[0], alone[1], alone[2], strict=True)] == in_turn
    assert len({draw for draws in in_turn for draw in draws}) == 12
    assert in_turn[0] == first(Draws(1, 0), "a", 3)


def test_shares_follow_their_distribution_over_people_and_over_turns() -> None:
    shares = Draws(3, 0).shares("x", 200, parse_distribution({"exponential": "60s"}))
    values = [shares.next(who) for _ in range(200) for who in range(200)]
    assert stats.kstest(values, stats.expon(scale=60).cdf).pvalue > ODDS
    assert abs(stats.pearsonr(values[:-200], values[200:]).statistic) < 4 / sqrt(len(values))


def test_endless_values_follow_their_distribution_across_blocks() -> None:
    values = list(islice(Draws(3, 0).values("x", parse_distribution({"exponential": "60s"})), N))
    assert stats.kstest(values, stats.expon(scale=60).cdf).pvalue > ODDS
    assert abs(stats.pearsonr(values[:-1], values[1:]).statistic) < 4 / sqrt(N)
