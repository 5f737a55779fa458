"""The closed forms the other way round: published tables, textbook sums in rationals, and back to the start."""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import comb

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import pdtr, pdtrc

from scenarios.theory import solve
from scenarios.theory.engset import engset
from scenarios.theory.erlang import MOST_LOAD, erlang_b, erlang_c, mean_wait, ports_for, service_level
from scenarios.theory.erlang_a import LEAST_IMPATIENCE, answered_within, erlang_a
from scenarios.theory.extended_b import extended_erlang_b, ports_with_retries
from scenarios.theory.search import largest, last, smallest
from scenarios.theory.solve import CannotBeMetError

shares = st.floats(0.001, 0.9)
loads = st.floats(0.05, 80)
servers = st.integers(1, 100)
impatiences = st.floats(0.02, 50)
NEAR = 1e-7
"""How near a real number is found again: where a share hardly depends on it, the share says no more."""


def exact_loss(load: Fraction, ports: int) -> Fraction:
    """The loss formula as the textbook sum, in rationals."""
    term = total = Fraction(1)
    for k in range(1, ports + 1):
        term *= load / k
        total += term
    return term / total


# What is published


@pytest.mark.parametrize(
    ("ports", "load"),
    [(10, 4.461), (15, 8.108), (20, 12.031), (30, 20.337), (50, 37.901), (100, 84.064)],
)
def test_ports_carry_the_published_loads_at_one_percent(ports: int, load: float) -> None:
    assert solve.most_load(solve.blocks(0.01), ports) == pytest.approx(load, abs=0.0005)


@pytest.mark.parametrize(("load", "ports"), [(33.333, 45), (100, 117), (200, 221), (300, 324)])
def test_ports_needed_at_one_percent_are_the_published_ones(load: float, ports: int) -> None:
    assert solve.fewest(solve.blocks(0.01), load) == ports


def test_eleven_lines_with_half_retrying_carry_the_published_load_and_ten_do_not() -> None:
    assert solve.load_with_retries(10, 0.03, 0.5) < 5.5 <= solve.load_with_retries(11, 0.03, 0.5)
    assert solve.retry_for(5.5, 10, 0.03) < 0.5


def test_fourteen_agents_give_the_published_service_level_back() -> None:
    level = 1 - 0.1741 * math.exp(-4 * 20 / 180)
    assert solve.fewest(solve.answers(0.888, 20, 180), 10) == 14
    assert solve.fewest(solve.waits(0.175), 10) == 14
    assert solve.fewest(solve.answers_after(7.85, 180), 10) == 14
    assert solve.target_time(10, 14, 180, level) == pytest.approx(20, abs=0.02)
    assert solve.holding_for_asa(10, 14, 7.84) == pytest.approx(180, rel=1e-3)
    assert solve.holding_for_level(10, 14, level, 20) == pytest.approx(180, rel=1e-3)


def test_fifty_impatient_agents_give_the_published_shares_back() -> None:
    assert solve.most_load(solve.impatient_wait(0.518808, 1), 50) == pytest.approx(50, abs=1e-4)
    assert solve.most_load(solve.abandons(0.056325, 1), 50) == pytest.approx(50, abs=1e-3)
    assert solve.fewest(solve.abandons(0.0564, 1), 50) == 50


def test_twenty_sources_give_the_published_congestion_back() -> None:
    assert solve.engset_each(20, 10, 0.041698) == pytest.approx(0.5, abs=1e-4)
    assert solve.engset_sources(10, 0.5, 0.0417) == 20
    assert solve.engset_ports(20, 0.5, 0.0417) == 10


# What the textbook sum says, in rationals


@given(ports=st.integers(1, 40), percent=st.integers(1, 80))
def test_the_load_found_is_the_last_that_the_textbook_sum_allows(ports: int, percent: int) -> None:
    load = Fraction(solve.most_load(solve.blocks(percent / 100), ports))
    tenth = Fraction(1, 10**10)
    goal = Fraction(percent, 100)
    assert exact_loss(load * (1 - tenth), ports) < goal < exact_loss(load * (1 + tenth), ports)


@given(tenths=st.integers(1, 400), percent=st.integers(1, 99))
def test_the_ports_found_are_the_first_that_the_textbook_sum_allows(tenths: int, percent: int) -> None:
    load, goal = Fraction(tenths, 10), Fraction(percent, 100)
    ports = next(n for n in range(1, 200) if exact_loss(load, n) <= goal)
    # Where the sum is the goal to the digit, as 1 erlang and 1 port at 50 %, rounding decides.
    assume(exact_loss(load, ports) != goal)
    assert solve.fewest(solve.blocks(percent / 100), tenths / 10) == ports


# Back to where one came from: reals


@given(load=loads, ports=servers)
def test_the_load_is_found_again_from_blocking(load: float, ports: int) -> None:
    blocking = erlang_b(load, ports)
    assume(1e-9 < blocking < 0.999)
    assert solve.most_load(solve.blocks(blocking), ports) == pytest.approx(load, rel=NEAR)


@given(load=loads, ports=servers, retry=st.floats(0.01, 0.95))
def test_load_and_retries_are_found_again_from_blocking(load: float, ports: int, retry: float) -> None:
    blocking = extended_erlang_b(load, ports, retry).blocking
    assume(0.001 < blocking < 0.999)
    assert solve.load_with_retries(ports, blocking, retry) == pytest.approx(load, rel=NEAR)
    assert solve.retry_for(load, ports, blocking) == pytest.approx(retry, rel=1e-5)


@given(part=st.floats(0.05, 0.99), agents=servers, holding=st.floats(1, 3600), within=st.floats(1, 600))
def test_load_and_times_are_found_again_from_waits(part: float, agents: int, holding: float, within: float) -> None:
    load = part * agents
    wait, asa = erlang_c(load, agents), mean_wait(load, agents, holding)
    level = service_level(load, agents, holding, within)
    assume(wait > 1e-9)
    assert solve.most_load(solve.waits(wait), agents) == pytest.approx(load, rel=NEAR)
    assert solve.most_load(solve.answers_after(asa, holding), agents) == pytest.approx(load, rel=NEAR)
    assert solve.holding_for_asa(load, agents, asa) == pytest.approx(holding)
    assume(1e-6 < 1 - level < 0.999)
    assert solve.most_load(solve.answers(level, within, holding), agents) == pytest.approx(load, rel=NEAR)
    assert solve.target_time(load, agents, holding, level) == pytest.approx(within, rel=1e-5)
    assert solve.holding_for_level(load, agents, level, within) == pytest.approx(holding, rel=1e-5)


@settings(max_examples=25)  # each is hundreds of sums
@given(load=loads, agents=servers, impatience=impatiences)
def test_load_and_patience_are_found_again_from_those_who_wait_and_give_up(
    load: float, agents: int, impatience: float
) -> None:
    found = erlang_a(load, agents, impatience)
    assume(1e-6 < found.abandon < found.wait < 0.999)
    assert solve.most_load(solve.impatient_wait(found.wait, impatience), agents) == pytest.approx(load, rel=NEAR)
    assert solve.most_load(solve.abandons(found.abandon, impatience), agents) == pytest.approx(load, rel=NEAR)
    # Patience moves the shares only between those of Erlang B and C, which may be all but one.
    nudged = erlang_a(load, agents, impatience * 1.01)
    assume(nudged.abandon - found.abandon > 1e-7 and found.wait - nudged.wait > 1e-7)
    patience = 1 / impatience
    assert solve.patience_for_abandon(load, agents, found.abandon) == pytest.approx(patience, rel=1e-4)
    assert solve.patience_for_wait(load, agents, found.wait) == pytest.approx(patience, rel=1e-4)
    assert solve.patience_for_asa(load, agents, found.abandon * patience) == pytest.approx(patience, rel=1e-4)


@given(sources=st.integers(2, 100), part=st.floats(0.01, 0.99), each=st.floats(0.01, 10))
def test_the_load_of_a_source_is_found_again_from_blocking(sources: int, part: float, each: float) -> None:
    ports = max(1, min(sources - 1, round(part * sources)))
    blocking = engset(sources, ports, each).call
    assume(1e-9 < blocking < 0.999)
    assert solve.engset_each(sources, ports, blocking) == pytest.approx(each, rel=NEAR)


# Back to where one came from: whole numbers, the smallest or largest that meet the goal


@given(load=loads, count=servers, impatience=impatiences, retry=st.floats(0, 0.95))
def test_ports_and_agents_are_found_again(load: float, count: int, impatience: float, retry: float) -> None:
    impatient = erlang_a(load, count, impatience)
    goals = [
        (erlang_b(load, count), solve.blocks),
        (erlang_c(load, count), solve.waits),
        (impatient.wait, lambda share: solve.impatient_wait(share, impatience)),
        (impatient.abandon, lambda share: solve.abandons(share, impatience)),
    ]
    for share, goal in goals:
        if 1e-9 < share < 0.999:
            assert solve.fewest(goal(share * (1 + 1e-9)), load) == count
    blocking = extended_erlang_b(load, count, retry).blocking
    assume(1e-9 < blocking < 0.999)
    assert ports_with_retries(load, blocking * (1 + 1e-9), retry) == count


@given(sources=st.integers(2, 100), part=st.floats(0.01, 0.99), each=st.floats(0.01, 10))
def test_ports_and_sources_of_few_callers_are_found_again(sources: int, part: float, each: float) -> None:
    ports = max(1, min(sources - 1, round(part * sources)))
    blocking = engset(sources, ports, each).call * (1 + 1e-9)
    assume(1e-9 < blocking < 0.999)
    assert solve.engset_ports(sources, each, blocking) == ports
    assert solve.engset_sources(ports, each, blocking) == sources


@settings(max_examples=25)  # each is hundreds of sums
@given(load=loads, part=st.floats(0.1, 3), impatience=impatiences, within=st.floats(0.001, 2))
def test_the_agents_of_an_impatient_service_level_are_the_fewest(
    load: float, part: float, impatience: float, within: float
) -> None:
    level = answered_within(load, max(1, round(load * part)), impatience, within)
    assume(0.01 < level < 0.99)
    agents = solve.fewest(solve.impatient_answers(level, within, impatience), load)
    assert answered_within(load, agents, impatience, within) >= level
    assert agents == 1 or answered_within(load, agents - 1, impatience, within) < level


# Monotone, as the search takes for granted


def goals(impatience: float, share: float) -> Iterator[solve.Goal]:
    yield solve.blocks(share)
    yield solve.waits(share)
    yield solve.answers_after(100 * share, 180)
    yield solve.answers(share, 20, 180)
    yield solve.impatient_wait(share, impatience)
    yield solve.abandons(share, impatience)
    yield solve.impatient_answers(share, 0.1, impatience)
    yield lambda load, ports: extended_erlang_b(load, ports, 0.5).blocking <= share


@given(load=loads, factor=st.floats(1, 2), count=servers, more=st.integers(0, 50), impatience=impatiences, share=shares)
def test_less_load_and_more_agents_are_never_worse(
    load: float, factor: float, count: int, more: int, impatience: float, share: float
) -> None:
    for goal in goals(impatience, share):
        if goal(load, count):
            assert goal(load / factor, count)
            assert goal(load, count + more)


@given(load=loads, agents=servers, impatience=impatiences, factor=st.floats(1, 10))
def test_the_patient_wait_more_and_give_up_less(load: float, agents: int, impatience: float, factor: float) -> None:
    hasty, patient = (erlang_a(load, agents, each) for each in (impatience * factor, impatience))
    assert patient.wait >= hasty.wait * (1 - 1e-12)
    assert patient.abandon <= hasty.abandon * (1 + 1e-12)
    assert patient.abandon / impatience >= hasty.abandon / (impatience * factor) * (1 - 1e-12)


@given(threshold=st.integers(-5, 3000), least=st.integers(0, 50))
def test_the_search_finds_what_trying_all_would(threshold: int, least: int) -> None:
    assert smallest(lambda n: n >= threshold, least) == max(threshold, least)
    assert largest(lambda n: n <= max(threshold, least), least) == max(threshold, least)


def test_halving_ends_at_rounding_on_the_side_that_meets_the_condition() -> None:
    root = last(lambda x: x * x <= 2, 0, 2)
    assert root * root <= 2 < math.nextafter(root, 2) ** 2
    assert last(lambda x: x * x >= 2, 2, 0) == math.nextafter(root, 2)


# Thousands and millions


def recursion(load: float, ports: int) -> float:
    """The recursion for 1/B over all ports, from none."""
    inverse = 1.0
    for n in range(1, ports + 1):
        inverse = 1.0 + n / load * inverse
    return 1.0 / inverse


@pytest.mark.parametrize("load", [5e5, 9.9e5, 1e6, 1.001e6, 5e6])
def test_a_million_ports_lose_what_the_full_recursion_says(load: float) -> None:
    assert erlang_b(load, 10**6) == pytest.approx(recursion(load, 10**6), rel=1e-11)


@pytest.mark.parametrize("ports", [9_999, 10**6])
def test_ports_and_loads_are_found_at_any_size(ports: int) -> None:
    load = solve.most_load(solve.blocks(0.01), ports)
    assert recursion(load, ports) == pytest.approx(0.01, rel=1e-9)
    assert ports_for(load, 0.01) == ports
    assert ports_with_retries(solve.load_with_retries(ports, 0.01, 0.5) * (1 - 1e-9), 0.01, 0.5) == ports
    assert solve.fewest(solve.answers(0.8, 20, 180), load) < ports * 1.02


@pytest.mark.parametrize("load", [9.99e5, 1e6, 1.002e6, 2e6])
def test_a_million_agents_with_callers_as_patient_as_they_talk_are_a_poisson_number(load: float) -> None:
    """Everybody leaves at the same rate, waiting or talking: the number present is Poisson."""
    n = 10**6
    found = erlang_a(load, n, 1)
    assert found.wait == pytest.approx(pdtrc(n - 1, load), rel=1e-8)
    over = load * pdtrc(n - 2, load) - n * pdtrc(n - 1, load)
    assert found.abandon * load == pytest.approx(over, rel=1e-5)


def test_two_million_sources_are_a_binomial_number_cut_off() -> None:
    inverse, sources, ports = 1.0, 2 * 10**6, 10**6
    for n in range(1, ports + 1):
        inverse = 1.0 + n / (sources - n + 1) * inverse
    assert engset(sources, ports, 1).time == pytest.approx(1 / inverse, rel=1e-10)
    assert solve.engset_ports(sources, 1, engset(sources, ports, 1).call) == ports


@pytest.mark.parametrize("retry", [0.5, 0.99, 0.9999])
def test_retries_add_up_at_a_million_ports(retry: float) -> None:
    found = extended_erlang_b(1e6, 10**6, retry)
    assert found.load * (1 - retry * recursion(found.load, 10**6)) == pytest.approx(1e6, rel=1e-9)


# Erlang A: the time until an answer


@pytest.mark.parametrize(("load", "agents", "impatience"), [(3, 2, 2), (10, 14, 1), (12, 8, 0.5), (30, 10, 0.25)])
@pytest.mark.parametrize("within", [0.01, 0.1, 0.5, 3.0])
def test_answers_within_a_time_are_those_of_the_queue_seen_on_arrival(
    load: int, agents: int, impatience: float, within: float
) -> None:
    """With j ahead in the queue, the wait is a sum of exponential times with the rates nμ + jθ … nμ.

    These are the gaps between the first j + 1 of nμ/θ + j independent patience times, put in order: the wait is over
    when j + 1 of these have run out. The caller, too, must still be there.
    """
    c = round(agents / impatience)
    weights = [load**k / math.factorial(k) for k in range(agents + 1)]
    while weights[-1] > 1e-25 * sum(weights):
        weights.append(weights[-1] * load / (agents + (len(weights) - agents) * impatience))
    steps = 400

    def density(j: int, x: float) -> float:
        """The density of the (j+1)-th of c + j patience times that run out."""
        gone = -math.expm1(-impatience * x)
        return comb(c + j, j) * c * impatience * gone**j * math.exp(-impatience * c * x)

    h = within / steps
    ends = [math.exp(-impatience * k * h) for k in range(steps + 1)]
    simpson = [1 if k in (0, steps) else 4 if k % 2 else 2 for k in range(steps + 1)]
    answered = sum(weights[:agents])
    for j, weight in enumerate(weights[agents:]):
        answered += (
            weight * h / 3 * sum(s * e * density(j, k * h) for k, (s, e) in enumerate(zip(simpson, ends, strict=True)))
        )
    assert answered_within(load, agents, impatience, within) == pytest.approx(answered / sum(weights), rel=1e-8)


@given(load=loads, agents=servers, impatience=impatiences)
def test_in_the_end_all_are_answered_who_do_not_give_up(load: float, agents: int, impatience: float) -> None:
    found = erlang_a(load, agents, impatience)
    assert answered_within(load, agents, impatience, 1e6) == pytest.approx(1 - found.abandon, rel=1e-9)
    assert answered_within(load, agents, impatience, 0) == pytest.approx(1 - found.wait, rel=1e-12)


def test_patient_callers_are_answered_as_erlang_c_says() -> None:
    assert answered_within(10, 14, 1e-6, 20 / 180) == pytest.approx(service_level(10, 14, 180, 20), rel=1e-5)
    assert answered_within(1e6, 10**6, 1, 1e-3) <= 1 - erlang_a(1e6, 10**6, 1).abandon
    assert pdtr(10**6 - 1, 1e6) <= answered_within(1e6, 10**6, 1, 1e-6)


# What has no answer


@pytest.mark.parametrize(
    "call",
    [
        lambda: solve.most_load(solve.blocks(0.01), 0),
        lambda: solve.retry_for(10, 10, 0.01),
        lambda: solve.engset_sources(0, 0.5, 0.01),
        lambda: solve.engset_each(5, 0, 0.01),
        lambda: solve.target_time(5, 5, 180, 0.8),
        lambda: solve.holding_for_asa(6, 5, 10),
        lambda: solve.holding_for_level(6, 5, 0.8, 10),
        lambda: solve.patience_for_abandon(10, 5, 0.4),
        lambda: solve.patience_for_wait(10, 5, 0.1),
    ],
)
def test_what_cannot_be_met_is_said(call: Callable[[], object]) -> None:
    with pytest.raises(CannotBeMetError, match="cannot be met: "):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: solve.retry_for(1, 10, 0.5),
        lambda: solve.engset_each(5, 5, 0.01),
        lambda: solve.holding_for_asa(0, 5, 10),
        lambda: solve.holding_for_level(1, 5, 0.8, 10),
        lambda: solve.patience_for_abandon(10, 5, 0.9),
        lambda: solve.patience_for_wait(3, 5, 0.9),
        lambda: solve.patience_for_asa(3, 5, 10),
    ],
)
def test_what_is_always_met_is_said(call: Callable[[], object]) -> None:
    with pytest.raises(CannotBeMetError, match="nothing to find: "):
        call()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.1, math.nan])
def test_a_goal_that_is_no_share_between_nothing_and_everything_is_refused(share: float) -> None:
    for call in (
        lambda: solve.blocks(share),
        lambda: solve.waits(share),
        lambda: solve.answers(share, 20, 180),
        lambda: solve.abandons(share, 1),
        lambda: solve.engset_ports(20, 0.5, share),
        lambda: solve.target_time(5, 6, 180, share),
        lambda: solve.patience_for_wait(5, 6, share),
    ):
        with pytest.raises(ValueError, match="must be above 0 and below 1"):
            call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: solve.fewest(solve.blocks(0.01), MOST_LOAD * 2),
        lambda: solve.fewest(solve.blocks(0.01), -1),
        lambda: solve.answers_after(0, 180),
        lambda: solve.answers_after(10, math.inf),
        lambda: solve.load_with_retries(5, 0.01, 1),
        lambda: erlang_a(1, 1, LEAST_IMPATIENCE / 2),
        lambda: service_level(1, 2, 0, 20),
        lambda: answered_within(5, 5, 1, -1),
    ],
)
def test_what_is_out_of_range_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        call()
