"""The closed forms for arrays against the scalar ones, and all ports at once against one after the other."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.theory import vectors
from scenarios.theory.engset import engset
from scenarios.theory.erlang import erlang_b, erlang_c
from scenarios.theory.erlang_a import erlang_a
from scenarios.theory.extended_b import extended_erlang_b

load_lists = st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 200)), min_size=1, max_size=4)
count_lists = st.lists(st.integers(0, 90), min_size=1, max_size=4)
SAME = 1e-11


@given(loads=load_lists, counts=count_lists)
def test_loss_and_delay_of_a_grid_are_those_of_its_points(loads: list[float], counts: list[int]) -> None:
    grid = np.array(loads)[:, np.newaxis]
    lost, waiting = vectors.erlang_b(grid, counts), vectors.erlang_c(grid, counts)
    assert lost.shape == waiting.shape == (len(loads), len(counts))
    assert lost.tolist() == [pytest.approx([erlang_b(a, n) for n in counts], rel=SAME) for a in loads]
    assert waiting.tolist() == [pytest.approx([erlang_c(a, n) for n in counts], rel=SAME) for a in loads]


@given(loads=load_lists, ports=st.integers(0, 60))
def test_all_ports_at_once_are_each_number_of_ports(loads: list[float], ports: int) -> None:
    for found, scalar in ((vectors.erlang_b_up_to, erlang_b), (vectors.erlang_c_up_to, erlang_c)):
        every = found(loads, ports)
        assert every.shape == (len(loads), ports + 1)
        assert every.tolist() == [pytest.approx([scalar(a, n) for n in range(ports + 1)], rel=SAME) for a in loads]
        assert found(loads[0], ports).tolist() == pytest.approx(every[0].tolist(), rel=SAME)


@given(loads=load_lists, ports=count_lists, retries=st.lists(st.floats(0, 0.95), min_size=1, max_size=4))
def test_retries_of_a_grid_are_those_of_its_points(loads: list[float], ports: list[int], retries: list[float]) -> None:
    a, n, r = np.meshgrid(loads, ports, retries, indexing="ij")
    found = vectors.extended_erlang_b(a, n, r)
    for at in np.ndindex(a.shape):
        one = extended_erlang_b(float(a[at]), int(n[at]), float(r[at]))
        assert (found.load[at], found.blocking[at]) == pytest.approx(one, rel=SAME)


@given(sources=st.lists(st.integers(1, 60), min_size=1, max_size=3), ports=st.integers(0, 70), each=st.floats(0.01, 9))
def test_congestion_of_a_grid_is_that_of_its_points(sources: list[int], ports: int, each: float) -> None:
    every = vectors.engset_up_to(sources, ports, each)
    grid = vectors.engset(np.array(sources)[:, np.newaxis], np.arange(ports + 1), each)
    for row, count in enumerate(sources):
        one = [engset(count, n, each) for n in range(ports + 1)]
        for found in (every, grid):
            assert found.time[row].tolist() == pytest.approx([point.time for point in one], rel=SAME)
            assert found.call[row].tolist() == pytest.approx([point.call for point in one], rel=SAME)


@given(
    loads=load_lists,
    agents=st.lists(st.integers(1, 60), min_size=1, max_size=3),
    impatience=st.lists(st.floats(0.01, 100), min_size=1, max_size=3),
)
def test_impatience_of_a_grid_is_that_of_its_points(
    loads: list[float], agents: list[int], impatience: list[float]
) -> None:
    a, n, theta = np.meshgrid(loads, agents, impatience, indexing="ij")
    found = vectors.erlang_a(a, n, theta)
    for at in np.ndindex(a.shape):
        one = erlang_a(float(a[at]), int(n[at]), float(theta[at]))
        assert (found.wait[at], found.abandon[at]) == pytest.approx(one, rel=SAME)


def test_published_values_stand_in_arrays() -> None:
    assert vectors.erlang_b([10, 5, 20, 100], [10, 10, 20, 100]) == pytest.approx(
        [0.2145823, 0.018385, 0.158892, 0.0757], abs=5e-7
    )
    assert vectors.erlang_c(10, 14) == pytest.approx(0.1741, abs=5e-5)
    assert np.array(vectors.engset(20, 10, 0.5)) == pytest.approx([0.056381, 0.041698], abs=5e-7)
    assert np.array(vectors.erlang_a(50, 50, 1)) == pytest.approx([0.518808, 0.056325], abs=5e-7)
    enough = vectors.extended_erlang_b(5.5, np.arange(20), 0.5).blocking <= 0.03
    assert int(np.argmax(enough)) == 11
    assert int(np.argmax(vectors.erlang_b_up_to(33.333, 60) <= 0.01)) == 45


@pytest.mark.parametrize("load", [1.0, 9_000.0, 9_999.0, 50_000.0])
def test_all_of_9999_ports_are_exact_to_rounding(load: float) -> None:
    every = vectors.erlang_b_up_to(load, 9_999)
    at = [0, 1, 100, 5_000, 9_000, 9_500, 9_999]
    assert every[at].tolist() == pytest.approx([erlang_b(load, n) for n in at], rel=1e-12)
    assert np.all(np.diff(every) <= 0)


def test_a_million_ports_are_finite() -> None:
    every = vectors.erlang_b_up_to(1e6, 10**6)
    assert np.all(np.isfinite(every))
    assert every[-1] == pytest.approx(erlang_b(1e6, 10**6), rel=1e-12)
    grid = vectors.erlang_b([1e5, 1e6, 1.01e6, 1e7], 10**6)
    assert grid.tolist() == pytest.approx([erlang_b(a, 10**6) for a in (1e5, 1e6, 1.01e6, 1e7)], rel=1e-12)
    impatient = vectors.erlang_a([1e6, 2e6], 10**6, 0.5)
    assert impatient.abandon[1] == pytest.approx(0.5, rel=1e-9)
    assert vectors.engset(2 * 10**6, 10**6, 1).call == pytest.approx(engset(2 * 10**6, 10**6, 1).call, rel=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda: vectors.erlang_b([1, -1], 3),
        lambda: vectors.erlang_b([1, math.nan], 3),
        lambda: vectors.erlang_b(1, [3, -1]),
        lambda: vectors.erlang_b(1, 3.5),
        lambda: vectors.erlang_b_up_to(math.inf, 3),
        lambda: vectors.erlang_c_up_to(1, -3),
        lambda: vectors.extended_erlang_b(1, 3, [0.5, 1]),
        lambda: vectors.engset(0, 3, 1),
        lambda: vectors.engset(3, 3, [1, 0]),
        lambda: vectors.erlang_a(1, [1, 0], 1),
        lambda: vectors.erlang_a(1, 1, [1, 0]),
    ],
)
def test_what_makes_no_sense_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"must be|at least"):
        call()
