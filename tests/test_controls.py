"""Controls: their mean is nothing whatever the limit, and they go with what the engine refuses."""

from math import sqrt
from statistics import mean, stdev

import numpy as np
import pytest

from scenarios.evidence import Outcome
from scenarios.model import Drill
from sim.controls import LossSystem, _as_found, controls
from tests.drills import TOKYO, drill, played

TALK = {"exponential": "10s"}


def trunk(channels: int = 5, *, warm: bool = True, lasts: str = "5m", **stream: object) -> Drill:
    return drill(
        run={"for": lasts, "warm": warm},
        trunks={"ntt": {"via": "edge", "channels": channels}},
        traffic=[{"to": TOKYO, "arrivals": "0.4/s", "talk": TALK, **stream}],
    )


@pytest.mark.parametrize("ports", [2, 5, 9])
@pytest.mark.parametrize("talk", [TALK, "10s", {"lognormal": {"mean": "10s", "cv": 1.5}}], ids=str)
@pytest.mark.parametrize("window", [(0.0, None), (0.0, 20.0), (100.0, 200.0)])
def test_their_mean_is_nothing(ports: int, talk: object, window: tuple[float, float | None]) -> None:
    plan = trunk(talk=talk)
    found = [controls(plan, 3, k, [LossSystem((0,), ports)], *window) for k in range(250)]
    for column in zip(*found, strict=True):
        if any(column):
            assert abs(mean(column)) < 3.6 * stdev(column) / sqrt(len(column))


def test_two_streams_of_different_talks_are_one_load() -> None:
    plan = drill(
        run={"for": "5m", "warm": True},
        traffic=[
            {"to": TOKYO, "arrivals": "0.3/s", "talk": TALK},
            {"to": TOKYO, "arrivals": "0.02/s", "talk": {"exponential": "60s"}},
        ],
    )
    found = [controls(plan, 3, k, [LossSystem((0, 1), 5)])[2] for k in range(250)]
    assert abs(mean(found)) < 3.6 * stdev(found) / sqrt(len(found))


def test_they_explain_what_the_engine_refuses() -> None:
    """Where the plan is a loss system they explain all of it, but for what the ratio of two chances adds."""
    plan = trunk(lasts="10m")
    refused, known = [], []
    for k in range(30):
        records = [each for each in played(plan, seed=3, replication=k).records if each.start >= 0]
        refused.append(mean(each.outcome is Outcome.BLOCKED for each in records))
        known.append(controls(plan, 3, k, [LossSystem((0,), 5)])[2])
    assert np.corrcoef(refused, known)[0, 1] > 0.98


def test_without_an_expectation_that_is_known_there_is_no_control() -> None:
    system = [LossSystem((0,), 5)]
    for lasts in ("5m", "4h"):  # in one block of callers, and in many
        assert controls(trunk(warm=False, lasts=lasts), 1, 0, system)[2] == 0
    rising = trunk(surge={"at": "lost", "factor": 2, "for": "1m"}).model_copy(update={"faults": []})
    assert controls(rising, 1, 0, system)[2] == 0
    assert controls(trunk(sources=4), 1, 0, system) == (0, 0, 0)


def test_as_many_calls_are_found_as_in_a_loss_system_never_more_than_without_a_limit() -> None:
    """Erlang's distribution for 3 erlang on 4 ports: 3^k / k! over their sum."""
    rng = np.random.default_rng(1)
    found = [_as_found(3.0, 4, int(rng.poisson(3.0)), float(rng.random())) for _ in range(20_000)]
    weights = np.array([1, 3, 9 / 2, 27 / 6, 81 / 24])
    assert np.bincount(found) / len(found) == pytest.approx(weights / weights.sum(), abs=0.012)
    assert all(_as_found(3.0, 4, calls, 0.999) <= calls for calls in range(9))
