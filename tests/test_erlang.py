import math
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.theory.erlang import MOST_LOAD, erlang_b, erlang_c, offered_load, ports_for

loads = st.floats(min_value=1e-3, max_value=2_000)
port_counts = st.integers(min_value=0, max_value=500)
ROUNDING = 1e-12


def exact_loss(load: Fraction, ports: int) -> Fraction:
    """The loss formula as the textbook sum (A^n/n!) / Σ A^k/k!, with no recursion or rounding."""
    term = total = Fraction(1)
    for k in range(1, ports + 1):
        term *= load / k
        total += term
    return term / total


def exact_wait(load: Fraction, agents: int) -> Fraction:
    """Erlang's delay formula as the textbook sum over the states of M/M/n, in rationals."""
    terms = [load**k / math.factorial(k) for k in range(agents + 1)]
    waiting = terms[agents] * agents / (agents - load)
    return waiting / (sum(terms[:agents], Fraction(0)) + waiting)


@pytest.mark.parametrize(
    ("load", "ports", "published"),
    [(10, 10, 0.2145823), (5, 10, 0.018385), (20, 20, 0.158892), (100, 100, 0.075700)],
)
def test_erlang_b_gives_the_published_losses(load: float, ports: int, published: float) -> None:
    half_a_digit = 0.5 * 10.0 ** -(len(str(published)) - 2)
    assert erlang_b(load, ports) == pytest.approx(published, abs=half_a_digit)


@pytest.mark.parametrize(
    ("load", "ports"), [(8.108, 15), (4.461, 10), (12.031, 20), (20.337, 30), (37.901, 50), (84.064, 100)]
)
def test_one_percent_tables_agree_both_ways(load: float, ports: int) -> None:
    # The table rounds its loads to three decimals, so the true boundary is within half of the last one.
    assert ports_for(load - 0.0005, 0.01) == ports
    assert ports_for(load + 0.0005, 0.01) == ports + 1


@pytest.mark.parametrize(("load", "ports"), [(33.333, 45), (100, 117), (200, 221), (300, 324)])
def test_ports_at_one_percent_are_the_published_ones(load: float, ports: int) -> None:
    assert ports_for(load, 0.01) == ports


def test_erlang_c_gives_the_published_waiting_answer_speed_and_service_level() -> None:
    load, agents, handling = 10.0, 14, 180.0
    waiting = erlang_c(load, agents)
    assert waiting == pytest.approx(0.1741, abs=0.00005)
    assert waiting * handling / (agents - load) == pytest.approx(7.84, abs=0.005)
    assert 1 - waiting * math.exp(-(agents - load) * 20 / handling) == pytest.approx(0.888, abs=0.0005)


@pytest.mark.parametrize("load", [1, 9_000, 9_999, 20_000, 1_000_000])
def test_the_recursion_is_exact_to_rounding_at_9999_ports(load: int) -> None:
    with localcontext(prec=60, Emin=MIN_EMIN, Emax=MAX_EMAX):
        term = total = Decimal(1)
        for k in range(1, 10_000):
            term = term * load / k
            total += term
        textbook = float(term / total)
    assert erlang_b(load, 9_999) == pytest.approx(textbook, rel=1e-13)


@given(numerator=st.integers(1, 4_000), denominator=st.integers(1, 100), ports=st.integers(0, 40))
def test_erlang_b_equals_the_exact_rational_sum(numerator: int, denominator: int, ports: int) -> None:
    load = Fraction(numerator, denominator)
    assert erlang_b(float(load), ports) == pytest.approx(float(exact_loss(load, ports)), rel=ROUNDING)


@given(numerator=st.integers(1, 4_000), denominator=st.integers(1, 100), ports=st.integers(1, 40))
def test_the_inverse_recursion_is_an_identity_of_the_exact_sum(numerator: int, denominator: int, ports: int) -> None:
    load = Fraction(numerator, denominator)
    assert 1 / exact_loss(load, ports) == 1 + ports / load / exact_loss(load, ports - 1)


@given(agents=st.integers(1, 40), part=st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=50))
def test_erlang_c_equals_the_exact_rational_sum(agents: int, part: Fraction) -> None:
    load = agents * part
    assert erlang_c(float(load), agents) == pytest.approx(float(exact_wait(load, agents)), rel=1e-9)


@given(load=loads, ports=port_counts)
def test_losses_and_waits_are_shares_and_more_wait_than_would_be_lost(load: float, ports: int) -> None:
    assert 0 <= erlang_b(load, ports) <= 1
    assert 0 <= erlang_c(load, ports) <= 1
    assert erlang_c(load, ports) >= erlang_b(load, ports) * (1 - ROUNDING)


@given(load=loads, ports=port_counts)
def test_one_port_more_never_raises_the_loss_or_the_wait(load: float, ports: int) -> None:
    assert erlang_b(load, ports + 1) <= erlang_b(load, ports) * (1 + ROUNDING)
    assert erlang_c(load, ports + 1) <= erlang_c(load, ports) * (1 + ROUNDING)


@given(load=loads, more=st.floats(min_value=0, max_value=100), ports=port_counts)
def test_more_load_never_lowers_the_loss_or_the_wait(load: float, more: float, ports: int) -> None:
    assert erlang_b(load + more, ports) >= erlang_b(load, ports) * (1 - ROUNDING)
    assert erlang_c(load + more, ports) >= erlang_c(load, ports) * (1 - ROUNDING)


@given(load=loads, blocking=st.floats(min_value=1e-6, max_value=1))
def test_ports_for_is_the_smallest_number_that_meets_the_target(load: float, blocking: float) -> None:
    ports = ports_for(load, blocking)
    assert erlang_b(load, ports) <= blocking
    assert ports == 0 or erlang_b(load, ports - 1) > blocking


@given(load=loads, ports=port_counts)
def test_ports_never_carry_more_than_one_erlang_each(load: float, ports: int) -> None:
    assert load * (1 - erlang_b(load, ports)) <= ports * (1 + 1e-9) + 1e-9


def test_the_edges_are_those_of_an_empty_and_of_a_portless_group() -> None:
    assert erlang_b(0, 0) == 1
    assert erlang_b(0, 5) == 0
    assert erlang_b(5e-324, 9_999) == 0
    assert erlang_c(5, 5) == 1
    assert 1 - ROUNDING < erlang_c(math.nextafter(5, 0), 5) <= 1
    assert erlang_c(0, 0) == 1
    assert erlang_c(0, 3) == 0
    assert ports_for(0, 0.01) == 1
    assert ports_for(0, 1) == 0
    assert ports_for(50, 1) == 0


def test_offered_load_is_arrivals_times_holding() -> None:
    assert offered_load(0.5, 180) == 90


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_a_load_that_is_no_load_is_refused(wrong: float) -> None:
    for call in (
        lambda: erlang_b(wrong, 3),
        lambda: erlang_b(wrong, 0),
        lambda: erlang_c(wrong, 3),
        lambda: ports_for(wrong, 0.01),
        lambda: offered_load(wrong, 1),
        lambda: offered_load(1, wrong),
    ):
        with pytest.raises(ValueError, match="not negative"):
            call()


@pytest.mark.parametrize("wrong", [0.0, -0.1, 1.1, math.nan])
def test_a_blocking_out_of_range_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="blocking"):
        ports_for(10, wrong)


def test_negative_ports_and_endless_loads_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        erlang_b(1, -1)
    with pytest.raises(ValueError, match="at most"):
        ports_for(MOST_LOAD * 2, 0.01)
