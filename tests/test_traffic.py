"""The load against the Poisson process, the retry law and the equilibrium it has to be."""

from collections.abc import Iterator
from itertools import chain
from math import inf, sqrt

import numpy as np
import pytest
from scipy import stats

from scenarios.load import CallerBlock
from scenarios.model import Drill
from sim.traffic import load, rates, warm_up
from tests.drills import FREE_DIAL, MOBILE, OSAKA, TOKYO, drill

ODDS = 1e-4
COLD = {"for": "1h", "warm": False}


def stream(**changes: object) -> dict[str, object]:
    return {"to": TOKYO, "arrivals": "1/s", "talk": "10s", **changes}


def whole(blocks: Iterator[CallerBlock]) -> CallerBlock:
    """Join the blocks of a stream."""
    parts = list(blocks)
    return CallerBlock(*(list(chain.from_iterable(columns)) for columns in zip(*parts, strict=True)))


def arrivals(plan: Drill, replications: int) -> list[np.ndarray]:
    return [np.array(whole(load(plan, 5, k)[0]).at) for k in range(replications)]


def check_poisson(runs: list[np.ndarray], begin: float, end: float, rate: float) -> None:
    """Check the counts of a piece of constant rate over many runs, and that arrivals lie evenly in it."""
    inside = [at[(at >= begin) & (at < end)] for at in runs]
    counts = np.array([len(at) for at in inside])
    expected = rate * (end - begin)
    assert abs(counts.mean() - expected) < 4 * sqrt(expected / len(runs))
    # Index of dispersion: a Poisson count varies as much as its mean.
    dispersion = counts.var(ddof=1) / expected * (len(runs) - 1)
    assert ODDS < stats.chi2(len(runs) - 1).cdf(dispersion) < 1 - ODDS
    assert stats.kstest(np.concatenate(inside), stats.uniform(begin, end - begin).cdf).pvalue > ODDS


def test_a_constant_rate_is_a_poisson_process_from_the_first_second_to_the_last() -> None:
    runs = arrivals(drill(run=COLD, traffic=[stream(arrivals="30/m")]), 60)
    check_poisson(runs, 0, 3600, 0.5)
    gaps = np.concatenate([np.diff(at) for at in runs])
    assert stats.kstest(gaps, stats.expon(scale=2).cdf).pvalue > ODDS
    assert all(at[0] >= 0 and at[-1] < 3600 and (np.diff(at) > 0).all() for at in runs)


def test_a_profile_has_its_own_rate_in_every_piece_and_goes_on_past_midnight() -> None:
    profile = {"profile": {"08:00": "0.1/s", "23:30": "1/s", "00:15": "0/s"}}
    runs = arrivals(drill(run={"for": "2h", "warm": False, "start": "23:00"}, traffic=[stream(arrivals=profile)]), 60)
    check_poisson(runs, 0, 1800, 0.1)
    check_poisson(runs, 1800, 4500, 1.0)
    assert max(at[-1] for at in runs) < 4500, "nobody calls while the rate is 0"


def test_a_surge_multiplies_arrivals_from_its_fault_on_for_as_long_as_stated() -> None:
    plan = drill(
        run=COLD,
        traffic=[stream(arrivals="1/s", surge={"at": "lost", "factor": 3, "for": "10m"})],
        faults=[{"name": "lost", "at": "20m", "trunk": "ntt"}],
    )
    runs = arrivals(plan, 40)
    check_poisson(runs, 0, 1200, 1)
    check_poisson(runs, 1200, 1800, 3)
    check_poisson(runs, 1800, 3600, 1)


def test_a_surge_over_a_step_of_the_profile_multiplies_both_sides_of_it() -> None:
    plan = drill(
        run={"for": "1h", "warm": False, "start": "07:30"},
        traffic=[
            stream(
                arrivals={"profile": {"07:00": "1/s", "08:00": "2/s"}},
                surge={"at": "lost", "factor": 1.5, "for": "20m"},
            )
        ],
        faults=[{"name": "lost", "at": "20m", "trunk": "ntt"}],
    )
    edges, values = rates(plan, plan.traffic[0])
    assert list(zip(edges.tolist(), values.tolist(), strict=False)) == [(0, 1), (1200, 1.5), (1800, 3), (2400, 2)]
    assert edges[-1] == 3600


def test_a_surge_that_outlasts_the_run_ends_with_it() -> None:
    plan = drill(
        run=COLD,
        traffic=[stream(surge={"at": "lost", "factor": 2, "for": "9h"})],
        faults=[{"name": "lost", "at": "50m", "trunk": "ntt"}],
    )
    edges, values = rates(plan, plan.traffic[0])
    assert (edges.tolist(), values.tolist()) == ([0, 3000, 3600], [1, 2])


def test_callers_try_again_with_the_share_stated_drawn_anew_each_time_and_at_most_so_often() -> None:
    retry = {"share": "70%", "after": {"exponential": "30s"}, "times": 3}
    blocks = whole(load(drill(run={"for": "10h", "warm": False}, traffic=[stream(retry=retry)]), 5, 0)[0])
    tries = np.array(blocks.tries)
    for made, share in ((2, 0.7), (3, 0.7**2), (4, 0.7**3)):
        assert abs((tries >= made).mean() - share) < 4 * sqrt(share * (1 - share) / len(tries))
    assert set(blocks.tries) == {1, 2, 3, 4}
    assert all(len(pauses) >= made - 1 for pauses, made in zip(blocks.again, blocks.tries, strict=True))
    pauses = [pause for pauses, made in zip(blocks.again, blocks.tries, strict=True) for pause in pauses[: made - 1]]
    assert stats.kstest(pauses, stats.expon(scale=30).cdf).pvalue > ODDS


def test_talk_and_patience_follow_their_laws_and_know_nothing_of_each_other() -> None:
    traffic = [stream(talk={"gamma": {"mean": "3m", "cv": 0.5}}, patience={"exponential": "60s"})]
    blocks = whole(load(drill(run={"for": "5h", "warm": False}, traffic=traffic), 5, 0)[0])
    assert stats.kstest(blocks.talk, stats.gamma(4, scale=45).cdf).pvalue > ODDS
    assert stats.kstest(blocks.patience, stats.expon(scale=60).cdf).pvalue > ODDS
    assert abs(stats.pearsonr(blocks.talk, blocks.patience).statistic) < 4 / sqrt(len(blocks.at))


def test_callers_without_patience_or_retry_stated_wait_for_ever_and_call_once() -> None:
    blocks = whole(load(drill(run=COLD), 5, 0)[0])
    assert set(blocks.patience) == {inf}
    assert set(blocks.tries) == {1}


# A warm start


def test_calls_to_agents_are_up_before_those_that_agents_place() -> None:
    """Else who of them dials would depend on how long a call takes to get to its agent."""
    traffic = [stream(), {"from": "staff", "to": MOBILE, "arrivals": "1/s", "talk": "10s"}]
    agents = {"staff": {"count": 50, "softphone": {"sites": ["tokyo"]}}}
    there, out = (
        whole(blocks).at
        for blocks in load(drill(run={"for": "1m", "warm": True}, traffic=traffic, agents=agents), 5, 0)
    )
    assert there[0] == -20
    assert out[0] == pytest.approx(-19.9)


def test_a_warm_run_begins_two_holding_times_early_with_calls_in_progress_as_in_equilibrium() -> None:
    plan = drill(run={"for": "1m", "warm": True}, traffic=[stream(arrivals="2/s", talk={"exponential": "50s"})])
    assert warm_up(plan) == 100
    found = [next(load(plan, 5, k)[0]) for k in range(200)]
    assert {at for block in found for at in block.at} == {-100.0}
    counts = np.array([len(block.at) for block in found])
    # M/G/∞ in equilibrium: the number in progress is Poisson with mean λ E[T]; exponential calls have no memory.
    assert abs(counts.mean() - 100) < 4 * sqrt(100 / 200)
    assert ODDS < stats.chi2(199).cdf(counts.var(ddof=1) / 100 * 199) < 1 - ODDS
    assert stats.kstest([talk for block in found for talk in block.talk], stats.expon(scale=50).cdf).pvalue > ODDS


def test_the_longest_talk_decides_how_early_and_arrivals_follow_from_there() -> None:
    plan = drill(run={"for": "10m", "warm": True}, traffic=[stream(), stream(to=OSAKA, talk="5m")])
    assert warm_up(plan) == 600
    runs = [np.array(list(chain.from_iterable(b.at for b in list(load(plan, 5, k)[0])[1:]))) for k in range(40)]
    check_poisson(runs, -600, 600, 1.0)


def test_a_cold_run_begins_empty_at_zero() -> None:
    plan = drill(run=COLD)
    assert warm_up(plan) == 0
    assert min(whole(load(plan, 5, 0)[0]).at) > 0


# Seeds and streams


def test_the_same_seed_and_replication_give_the_same_load_and_others_another() -> None:
    plan = drill(run={"for": "10m", "warm": True}, traffic=[stream(patience={"exponential": "1m"})])
    once, again, seeded, replicated = (whole(load(plan, seed, k)[0]) for seed, k in ((5, 0), (5, 0), (6, 0), (5, 1)))
    assert once == again
    for other in (seeded, replicated):
        assert other.at != once.at
        assert other.talk[:50] != once.talk[:50]
        assert other.patience[-50:] != once.patience[-50:]


@pytest.mark.parametrize("added", [stream(to=OSAKA), {"from": "sales", "to": MOBILE, "arrivals": "1/s", "talk": "1m"}])
def test_a_stream_added_in_front_does_not_shift_the_others(added: dict[str, object]) -> None:
    ours = [stream(), stream(to=FREE_DIAL)]
    before = [whole(blocks) for blocks in load(drill(run=COLD, traffic=ours), 5, 0)]
    after = [whole(blocks) for blocks in load(drill(run=COLD, traffic=[added, *ours]), 5, 0)]
    assert after[1:] == before


def test_two_streams_to_one_number_are_two_different_loads() -> None:
    one, other = (whole(blocks) for blocks in load(drill(run=COLD, traffic=[stream(), stream()]), 5, 0))
    assert one.at != other.at
    assert one.at[:100] != other.at[:100]


def test_a_change_of_talk_leaves_arrivals_and_patience_as_they_were() -> None:
    """Common random numbers: a comparison of two plans compares the plans, not the callers."""
    short, long = (
        whole(load(drill(run=COLD, traffic=[stream(talk=talk, patience={"exponential": "1m"})]), 5, 0)[0])
        for talk in ("10s", {"exponential": "5m"})
    )
    assert (short.at, short.patience) == (long.at, long.patience)


def test_a_year_of_calls_is_not_drawn_before_it_is_played() -> None:
    plan = drill(run={"for": "366d", "warm": False}, traffic=[stream(arrivals="10000/s")])
    blocks = load(plan, 5, 0)[0]
    first = next(blocks)
    assert len(first.at) <= 100_000
    assert next(blocks).at[0] > first.at[-1]
