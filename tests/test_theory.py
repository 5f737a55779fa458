"""Erlang A, Engset and extended Erlang B against published values (rule K) and the balance of flows in rationals."""

import math
from collections.abc import Callable
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.theory.engset import engset
from scenarios.theory.erlang import erlang_b, erlang_c
from scenarios.theory.erlang_a import erlang_a
from scenarios.theory.extended_b import extended_erlang_b, ports_with_retries


def states(births: Callable[[int], Fraction], deaths: Callable[[int], Fraction], count: int) -> list[Fraction]:
    """Return the probabilities of the first states of a birth-death process, exactly."""
    weights = [Fraction(1)]
    for k in range(1, count):
        weights.append(weights[-1] * births(k - 1) / deaths(k))
    total = sum(weights)
    return [weight / total for weight in weights]


# Erlang A


def test_erlang_a_gives_the_published_waiting_and_abandonment() -> None:
    found = erlang_a(50, 50, 1)
    assert found.wait == pytest.approx(0.518808, abs=5e-7)
    assert found.abandon == pytest.approx(0.056325, abs=5e-7)


@pytest.mark.parametrize(("load", "agents", "impatience"), [(3, 2, 2), (10, 14, 1), (5, 5, 4), (12, 4, 1)])
def test_erlang_a_is_the_balance_of_flows(load: int, agents: int, impatience: int) -> None:
    p = states(
        lambda _: Fraction(load), lambda k: Fraction(min(k, agents) + max(k - agents, 0) * impatience), agents + 90
    )
    found = erlang_a(load, agents, impatience)
    gone = sum((impatience * (k - agents) * p[k] for k in range(agents, len(p))), Fraction(0)) / load
    assert found.wait == pytest.approx(float(sum(p[agents:])), rel=1e-12)
    assert found.abandon == pytest.approx(float(gone), rel=1e-12)


@given(load=st.floats(0.01, 300), agents=st.integers(1, 300), impatience=st.floats(1e-3, 1e3))
def test_abandoned_and_served_callers_are_all_callers(load: float, agents: int, impatience: float) -> None:
    found = erlang_a(load, agents, impatience)
    assert 0 <= found.abandon <= found.wait <= 1
    served = load * (1 - found.abandon)
    assert served <= agents * (1 + 1e-9)
    assert found.wait <= erlang_c(load, agents) * (1 + 1e-9)


def test_endless_patience_is_erlang_c_and_none_is_erlang_b() -> None:
    assert erlang_a(10, 14, 1e-6).wait == pytest.approx(erlang_c(10, 14), rel=1e-5)
    assert erlang_a(10, 14, 1e9).abandon == pytest.approx(erlang_b(10, 14), rel=1e-6)


def test_a_heavy_overload_of_patient_callers_does_not_overflow() -> None:
    """Twice the load of 1,000 agents: half the callers must give up, whatever their patience."""
    assert erlang_a(2000, 1000, 0.01).abandon == pytest.approx(0.5, rel=1e-9)


# Engset


def test_engset_gives_the_published_congestion() -> None:
    found = engset(20, 10, 0.5)
    assert found.time == pytest.approx(0.056381, abs=5e-7)
    assert found.call == pytest.approx(0.041698, abs=5e-7)


@pytest.mark.parametrize(("sources", "ports"), [(20, 10), (5, 5), (5, 3), (3, 5), (1, 1), (7, 0)])
def test_engset_is_the_binomial_distribution_cut_off(sources: int, ports: int) -> None:
    each = Fraction(3, 4)
    weights = [comb(sources, k) * each**k for k in range(min(ports, sources) + 1)]
    busy = weights[ports] / sum(weights) if ports <= sources else Fraction(0)
    free = [(sources - k) * weight for k, weight in enumerate(weights)]
    refused = free[ports] / sum(free) if ports <= sources else Fraction(0)
    found = engset(sources, ports, float(each))
    assert found.time == pytest.approx(float(busy), rel=1e-12)
    assert found.call == pytest.approx(float(refused), rel=1e-12)


def test_many_sources_of_little_load_are_erlang_b() -> None:
    assert engset(10**7, 20, 20e-7).time == pytest.approx(erlang_b(20, 20), rel=1e-5)


def test_engset_stays_exact_with_thousands_of_sources() -> None:
    assert 0 < engset(20_000, 9_000, 1.0).call < engset(20_000, 9_000, 1.0).time < 1


# Extended Erlang B


def test_half_of_those_refused_retry_and_eleven_lines_are_needed() -> None:
    assert ports_with_retries(5.5, 0.03, 0.5) == 11
    assert ports_with_retries(5.5, 0.03, 0.0) == 10


@given(load=st.floats(0.01, 200), ports=st.integers(0, 200), retry=st.floats(0, 0.95))
def test_the_offered_load_is_the_first_attempts_and_the_retries(load: float, ports: int, retry: float) -> None:
    found = extended_erlang_b(load, ports, retry)
    assert found.blocking == pytest.approx(erlang_b(found.load, ports), rel=1e-9)
    assert found.load == pytest.approx(load + retry * found.load * found.blocking, rel=1e-9)
    assert load <= found.load <= load / (1 - retry) * (1 + 1e-9)


def test_without_retries_it_is_erlang_b() -> None:
    assert extended_erlang_b(10, 10, 0) == (10, erlang_b(10, 10))


@pytest.mark.parametrize(
    "call",
    [
        lambda: erlang_a(1, 0, 1),
        lambda: erlang_a(1, 1, 0),
        lambda: erlang_a(-1, 1, 1),
        lambda: engset(0, 1, 1),
        lambda: engset(1, -1, 1),
        lambda: engset(1, 1, 0),
        lambda: engset(1, 1, math.nan),
        lambda: extended_erlang_b(1, 1, 1),
        lambda: extended_erlang_b(1, 1, -0.1),
        lambda: extended_erlang_b(math.inf, 1, 0.5),
        lambda: ports_with_retries(1, 0, 0.5),
    ],
)
def test_what_makes_no_sense_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"must be|above 0"):
        call()
