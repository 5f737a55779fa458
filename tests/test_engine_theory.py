"""The `calls` engine inside ± 2 % of theory: Erlang C with its waits, Erlang A, Engset, extended Erlang B.

Estimates are means over independent replications, corrected by how much more or less work than expected was drawn (a
control variate, whose mean is known: Law, Simulation Modeling and Analysis, §11.4), with a t interval. Erlang B is in
`test_engine_erlang`.
"""

from collections.abc import Callable, Sequence
from math import exp, sqrt

import numpy as np
import pytest
from scipy import stats

from scenarios.evidence import CallRecord, Outcome
from scenarios.model import Drill
from scenarios.theory.engset import engset
from scenarios.theory.erlang import erlang_b, erlang_c
from scenarios.theory.erlang_a import erlang_a
from scenarios.theory.extended_b import extended_erlang_b
from sim.traffic import load
from tests.drills import TOKYO, drill, played
from tests.test_engine_erlang import CONFIDENCE, Interval, blocked, delay_system

Measure = Callable[[list[CallRecord]], float]
SEED = 11


def excess(plan: Drill, replication: int) -> tuple[float, float]:
    """Return by how much, relatively, callers and their mean talk exceed what is expected of a replication."""
    (stream,) = plan.traffic
    callers, work = 0, 0.0
    for block in load(plan, SEED, replication)[0]:
        talks = [talk for at, talk in zip(block.at, block.talk, strict=True) if at >= 0]
        callers, work = callers + len(talks), work + sum(talks)
    expected = stream.arrivals.rate_at(0) * plan.run.lasts
    return callers / expected - 1, work / callers / stream.talk.mean - 1


def estimates(plan: Drill, count: int, *measures: Measure) -> list[Interval]:
    """Return an interval for each measure of the calls begun in a run, corrected by the excess of work."""
    values = []
    for k in range(count):
        begun = [record for record in played(plan, seed=SEED, replication=k).records if record.start >= 0]
        values.append([measure(begun) for measure in measures])
    return corrected(values, [excess(plan, k) for k in range(count)])


def corrected(values: Sequence[Sequence[float]], excesses: Sequence[tuple[float, float]]) -> list[Interval]:
    """Return an interval for each column: the intercept of a regression on the excess of each replication."""
    design = np.array([(1.0, *each) for each in excesses])
    inverse = np.linalg.inv(design.T @ design)
    found = []
    for column in np.array(values).T:
        weights = inverse @ design.T @ column
        residuals = column - design @ weights
        free = len(values) - design.shape[1]
        error = sqrt(float(residuals @ residuals) / free * float(inverse[0, 0]))
        found.append(Interval(float(weights[0]), float(stats.t.ppf((1 + CONFIDENCE) / 2, free)) * error))
    return found


def share(condition: Callable[[CallRecord], bool]) -> Measure:
    return lambda records: sum(map(condition, records)) / len(records)


def longer_than(seconds: float) -> Measure:
    return share(lambda record: (record.wait or 0) > seconds)


MOMENTS = (0.0, 1.0, 2.0, 4.0)
"""Waits after which to look, in seconds; talks are 18 s long, a tenth of those in rule K."""


def still_waiting(agents: int, talk: float = 18.0) -> list[float]:
    """P(W > t) = C · exp(-(nμ - λ)t) of M/M/n, for 10 erlang in talks of 18 s and somewhat longer ones."""
    erlang = 10 * talk / 18
    return [erlang_c(erlang, agents) * exp(-(agents - erlang) * moment / talk) for moment in MOMENTS]


@pytest.mark.slow
def test_waits_for_fourteen_agents_are_distributed_as_theory_says() -> None:
    plan = delay_system(14, "8h", arrivals="2000/h", talk={"exponential": "18s"})
    found = estimates(plan, 74, *map(longer_than, MOMENTS))
    assert found[0].half <= 0.02 * found[0].mean
    for others in (still_waiting(13), still_waiting(15), still_waiting(14, talk=18 * 1.03)):
        for interval, right, wrong in zip(found, still_waiting(14), others, strict=True):
            assert interval.covers(right)
            assert not interval.covers(wrong)


@pytest.mark.slow
def test_impatient_callers_wait_and_abandon_as_erlang_a_says() -> None:
    """Rule K: 50 erlang, 50 agents, patience as long as a talk."""
    stream = {"arrivals": "5/s", "talk": {"exponential": "10s"}, "patience": {"exponential": "10s"}}
    plan = delay_system(50, "2000s", **stream)
    gone = share(lambda record: record.outcome is Outcome.ABANDONED)
    found = estimates(plan, 100, longer_than(0.0), gone)
    for interval, right, *wrong in zip(
        found, erlang_a(50, 50, 1), erlang_a(50, 49, 1), erlang_a(50, 51, 1), erlang_a(51.5, 50, 1.03), strict=True
    ):
        assert interval.half <= 0.02 * interval.mean
        assert interval.covers(right)
        assert not any(map(interval.covers, wrong))


@pytest.mark.slow
def test_callers_who_retry_much_later_are_refused_as_extended_erlang_b_says() -> None:
    """Half of those refused by ten ports retry, when the busy period that refused them is long over."""
    retry = {"share": "50%", "after": {"exponential": "100s"}, "times": 20}
    stream = {"to": TOKYO, "arrivals": "1/s", "talk": {"exponential": "10s"}, "retry": retry}
    plan = drill(run={"for": "20000s", "warm": True}, traffic=[stream], ports={"tenant": 10})
    settled: Measure = lambda records: share(blocked)([each for each in records if each.start > 1000])  # noqa: E731
    (found,) = estimates(plan, 20, settled)
    assert found.half <= 0.02 * found.mean
    assert found.covers(extended_erlang_b(10, 10, 0.5).blocking)
    for wrong in (extended_erlang_b(10, 9, 0.5), extended_erlang_b(10, 11, 0.5), extended_erlang_b(10.3, 10, 0.5)):
        assert not found.covers(wrong.blocking)
    assert not found.covers(erlang_b(10, 10))


def few_sources(sources: int, ports: int, talk: str, lasts: str, **stream: object) -> Drill:
    """Return a loss system of sources that each call once in 20 s of idleness."""
    few = {"to": TOKYO, "arrivals": f"{sources / 20}/s", "talk": {"exponential": talk}, "sources": sources, **stream}
    return drill(run={"for": lasts, "warm": True}, ports={"tenant": ports}, traffic=[few])


def time_full(records: list[CallRecord], ports: int, lasts: float) -> float:
    """Return the share of the run in which so many calls were up."""
    talks = [(record.start, record.end) for record in records if record.answered]
    changes = sorted(
        [(max(start, 0.0), 1) for start, end in talks if end > 0] + [(end, -1) for _, end in talks if end > 0]
    )
    up, full, since = 0, 0.0, 0.0
    for at, change in changes:
        full += (min(at, lasts) - since) * (up == ports)
        up, since = up + change, min(at, lasts)
    return full / lasts


@pytest.mark.slow
def test_few_sources_are_refused_as_engset_says_and_with_one_port_fewer_or_longer_talks_otherwise() -> None:
    """Rule K: 20 sources of 0.5 erlang while idle on 10 ports: 5.6381 % of the time full, 4.1698 % of calls refused."""
    lasts, sources, ports = 20_000.0, 20, 10
    values, excesses = [], []
    for k in range(60):
        records = played(few_sources(sources, ports, "10s", "20000s"), seed=SEED, replication=k).records
        begun = [record for record in records if record.start >= 0]
        values.append((share(blocked)(begun), time_full(records, ports, lasts)))
        talks = [record.end - record.start for record in begun if record.answered]
        idle = (sources * lasts - sum(talks)) / len(begun)  # a source is in a call or idle
        excesses.append((idle / 20 - 1, sum(talks) / len(talks) / 10 - 1))
    call, time = corrected(values, excesses)
    theory = engset(20, 10, 0.5)
    assert theory.call == pytest.approx(0.041698, abs=5e-7)
    assert theory.time == pytest.approx(0.056381, abs=5e-7)
    for found, value, fewer, longer in (
        (call, theory.call, engset(20, 9, 0.5).call, engset(20, 10, 0.515).call),
        (time, theory.time, engset(20, 9, 0.5).time, engset(20, 10, 0.515).time),
    ):
        assert found.half <= 0.02 * found.mean
        assert found.covers(value)
        assert not found.covers(fewer)
        assert not found.covers(longer)


def test_a_source_calls_again_only_when_it_has_done_with_its_call() -> None:
    records = played(few_sources(3, 2, "20s", "2000s", retry={"share": "50%", "after": "3s"}), seed=1).records
    assert max(record.tries for record in records) > 1
    ends = sorted((record.start, record.end) for record in records)
    in_call = [sum(start <= at < end for start, end in ends) for at, _ in ends]
    assert max(in_call) <= 3
    assert {record.outcome for record in records} >= {Outcome.COMPLETED, Outcome.BLOCKED}
