"""The `calls` engine without faults against teletraffic theory: Erlang's loss and delay formulas, and Erlang A.

Theory is worked out here from the balance of flows between states, independently of `scenarios.theory`. An estimate is
the mean of independent replications with a t interval; it must be narrow, and cover the right value and no neighbour's.
"""

from collections.abc import Callable
from math import exp, sqrt
from statistics import mean, stdev
from typing import NamedTuple

import pytest
from scipy import stats

from scenarios.evidence import CallRecord, Gauge, Outcome
from scenarios.model import Drill
from tests.drills import TOKYO, ListRecorder, drill, played

CONFIDENCE = 0.99


def balance(arrivals: float, departures: Callable[[int], float], states: int) -> list[float]:
    """Return the probabilities of the states of a birth-death process with a constant rate of births."""
    weights = [1.0]
    for state in range(1, states):
        weights.append(weights[-1] * arrivals / departures(state))
    total = sum(weights)
    return [weight / total for weight in weights]


def lost(load: float, ports: int) -> float:
    return balance(load, float, ports + 1)[-1]


class Interval(NamedTuple):
    """A mean over replications and the half-width of its t interval."""

    mean: float
    half: float

    def covers(self, value: float) -> bool:
        return abs(value - self.mean) <= self.half


def interval(values: list[float]) -> Interval:
    t = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return Interval(mean(values), t * stdev(values) / sqrt(len(values)))


def replications(plan: Drill, count: int) -> list[ListRecorder]:
    return [played(plan, seed=11, replication=k) for k in range(count)]


def share(recorder: ListRecorder, condition: Callable[[CallRecord], bool]) -> float:
    """Return the share of the calls begun in the run of which the condition is true."""
    begun = [record for record in recorder.records if record.start >= 0]
    return sum(map(condition, begun)) / len(begun)


def blocked(record: CallRecord) -> bool:
    return record.outcome is Outcome.BLOCKED


def waited(record: CallRecord) -> bool:
    return (record.wait or 0) > 0


def loss_system(arrivals: str, talk: object, lasts: str, limits: dict[str, object], *, warm: bool = True) -> Drill:
    stream = {"to": TOKYO, "arrivals": arrivals, "talk": talk}
    return drill(run={"for": lasts, "warm": warm}, traffic=[stream], **limits)


def delay_system(agents: int, lasts: str, **stream: object) -> Drill:
    return drill(
        run={"for": lasts, "warm": True},
        numbers={TOKYO: {"trunk": "ntt", "queue": "staff"}},
        agents={"staff": {"count": agents, "softphone": {"sites": ["tokyo"]}}},
        traffic=[{"to": TOKYO, **stream}],
    )


# Loss


def test_the_balance_of_flows_gives_the_published_losses() -> None:
    # Rule K
    assert lost(10, 10) == pytest.approx(0.2145823, abs=5e-8)
    assert lost(20, 20) == pytest.approx(0.158892, abs=5e-7)
    assert lost(100, 100) == pytest.approx(0.075700, abs=5e-7)


@pytest.mark.slow
def test_ten_erlang_on_ten_ports_lose_as_erlang_b_says_and_on_nine_as_on_nine() -> None:
    def loss(ports: int, count: int) -> Interval:
        plan = loss_system("1/s", {"exponential": "10s"}, "10000s", {"ports": {"tenant": ports}})
        return interval([share(recorder, blocked) for recorder in replications(plan, count)])

    ten, nine = loss(10, 36), loss(9, 8)
    assert ten.half <= 0.02 * ten.mean
    assert ten.covers(lost(10, 10))
    assert not ten.covers(lost(10, 9))
    assert not ten.covers(lost(10, 11))
    assert not ten.covers(lost(10.3, 10)), "talks longer by 3 %"
    assert nine.covers(lost(10, 9))
    assert not nine.covers(lost(10, 10))


EXPONENTIAL = {"exponential": "5s"}


@pytest.mark.parametrize(
    ("limit", "talk"),
    [
        ({"ports": {"tenant": 5}}, EXPONENTIAL),
        ({"trunks": {"ntt": {"via": "edge", "channels": 5}}}, EXPONENTIAL),
        ({"sbc_pairs": {"edge": {"site": "tokyo", "ports": 5}}}, EXPONENTIAL),
        ({"numbers": {TOKYO: {"trunk": "ntt", "tap": 5}}}, EXPONENTIAL),
        ({"ports": {"tenant": 5}}, "5s"),
        ({"ports": {"tenant": 5}}, {"lognormal": {"mean": "5s", "cv": 1.2}}),
    ],
    ids=["tenant", "trunk", "node", "tap", "constant talk", "lognormal talk"],
)
def test_losses_depend_on_the_load_alone_whatever_limit_refuses_and_however_talks_vary(
    limit: dict[str, object], talk: object
) -> None:
    """Erlang's loss formula is insensitive to the distribution of holding times."""
    plan = loss_system("1/s", talk, "1000s", limit)
    found = interval([share(recorder, blocked) for recorder in replications(plan, 12)])
    assert found.half < 0.12 * found.mean
    assert found.covers(lost(5, 5))
    assert not found.covers(lost(5, 4))
    assert not found.covers(lost(5, 6))


@pytest.mark.parametrize("talk", [{"exponential": "3m"}, "3m", {"lognormal": {"mean": "3m", "cv": 1.2}}], ids=str)
def test_a_warm_run_is_in_equilibrium_at_its_start_and_still_a_minute_later(talk: object) -> None:
    """18 erlang on 18 ports: 18 (1 - B) calls are up on average, by Little's law."""
    up = 18 * (1 - lost(18, 18))
    runs = replications(loss_system("6/m", talk, "1m", {"ports": {"tenant": 18}}), 150)
    at_start = interval([recorder.levels(Gauge.PORTS, "tenant")[0.0] for recorder in runs])
    at_end = interval([sum(r.outcome is Outcome.IN_PROGRESS for r in recorder.records) for recorder in runs])
    for found in (at_start, at_end):
        assert found.half < 0.05 * up
        assert found.covers(up)


def test_a_cold_run_starts_empty() -> None:
    plan = loss_system("6/m", {"exponential": "3m"}, "1m", {"ports": {"tenant": 18}}, warm=False)
    for recorder in replications(plan, 5):
        assert recorder.levels(Gauge.PORTS, "tenant")[0.0] == 0
        assert min(record.start for record in recorder.records) > 0


# Delay


def test_one_agent_busy_half_the_time_lets_every_second_caller_wait() -> None:
    """M/M/1 at a load of one half: P(wait) 1/2, mean wait as long as a talk."""
    runs = replications(delay_system(1, "8000s", arrivals="6/m", talk={"exponential": "5s"}), 12)
    p_wait = interval([share(recorder, waited) for recorder in runs])
    mean_wait = interval([mean(record.wait or 0 for record in recorder.records) for recorder in runs])
    assert p_wait.half < 0.05
    assert p_wait.covers(0.5)
    assert mean_wait.half < 1.5
    assert mean_wait.covers(5)


@pytest.mark.slow
def test_ten_erlang_wait_for_fourteen_agents_as_erlang_c_says() -> None:
    """Rule K: P(wait) .1741, ASA 7.84 s, 88.8 % within 20 s for talks of 180 s; here ten times as fast."""

    def theory(agents: int) -> tuple[float, float, float]:
        p_wait = sum(balance(10, lambda k: min(k, agents), 500)[agents:])
        return p_wait, p_wait * 18 / (agents - 10), 1 - p_wait * exp(-(agents - 10) * 2 / 18)

    p_wait, asa, within = theory(14)
    assert (round(p_wait, 4), round(asa * 10, 2), round(within, 3)) == (0.1741, 7.84, 0.888)

    runs = replications(delay_system(14, "8h", arrivals="2000/h", talk={"exponential": "18s"}), 8)
    answered = [[record for record in recorder.records if record.answered and record.start >= 0] for recorder in runs]
    found = (
        interval([share(recorder, waited) for recorder in runs]),
        interval([mean(record.wait or 0 for record in records) for records in answered]),
        interval([mean((record.wait or 0) <= 2 for record in records) for records in answered]),
    )
    for measured, right, fewer, more in zip(found, theory(14), theory(13), theory(15), strict=True):
        assert measured.covers(right)
        assert not measured.covers(fewer)
        assert not measured.covers(more)


@pytest.mark.slow
def test_callers_who_lose_patience_wait_and_abandon_as_erlang_a_says() -> None:
    """Rule K: λ 50, μ = θ = 1, 50 agents: P(wait) .518808, abandonment .056325; here a unit of time is ten seconds."""
    states = balance(50, float, 300)  # all leave at the same rate, in a talk or in the queue
    p_wait = sum(states[50:])
    abandon = sum((k - 50) * p for k, p in enumerate(states) if k > 50) / 50
    assert p_wait == pytest.approx(0.518808, abs=5e-7)
    assert abandon == pytest.approx(0.056325, abs=5e-7)

    plan = delay_system(50, "1000s", arrivals="5/s", talk={"exponential": "10s"}, patience={"exponential": "10s"})
    runs = replications(plan, 20)
    waits = interval([share(recorder, waited) for recorder in runs])
    losses = interval([share(recorder, lambda record: record.outcome is Outcome.ABANDONED) for recorder in runs])
    assert waits.covers(p_wait)
    assert not waits.covers(sum(states[49:]))
    assert not waits.covers(sum(states[51:]))
    assert losses.half < 0.15 * abandon
    assert losses.covers(abandon)
