"""The closed forms for arrays: many loads, ports or agents at once, broadcast against each other as numpy does.

Results are those of the scalar functions to rounding, and have the broadcast shape; `…_up_to` add a last axis for all
numbers of ports from 0. The scalar modules stay free of numpy, for plan checks use them.
"""

from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenarios.theory.erlang_a import LEAST_IMPATIENCE
from scenarios.theory.series import ROUNDING

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_NEWTON = 1e-14


class Retried(NamedTuple):
    """As :class:`scenarios.theory.extended_b.Retried`."""

    load: Floats
    blocking: Floats


class Congestion(NamedTuple):
    """As :class:`scenarios.theory.engset.Congestion`."""

    time: Floats
    call: Floats


class Impatience(NamedTuple):
    """As :class:`scenarios.theory.erlang_a.Impatience`."""

    wait: Floats
    abandon: Floats


def erlang_b(load: ArrayLike, ports: ArrayLike) -> Floats:
    """Return the shares of attempts lost; raises ValueError for a load or ports that are negative or not finite."""
    loads, counts = np.broadcast_arrays(_loads(load), _counts(ports))
    a, n = loads.ravel(), counts.ravel()
    return _inverses(n, lambda k, at: (n[at] - k) / a[at]).reshape(loads.shape)


def erlang_b_up_to(load: ArrayLike, ports: int) -> Floats:
    """Return the shares of attempts lost with 0, 1, … `ports` ports, on a last axis; raises as `erlang_b` does."""
    return _up_to(ports, _loads(load), lambda n, loads: n / loads)


def erlang_c(load: ArrayLike, agents: ArrayLike) -> Floats:
    """Return the shares of callers who wait, 1 where the agents cannot keep up; raises as `erlang_b` does."""
    loads, counts = np.broadcast_arrays(_loads(load), _counts(agents))
    return _waits(erlang_b(loads, counts), loads, counts)


def erlang_c_up_to(load: ArrayLike, agents: int) -> Floats:
    """Return the shares of callers who wait for 0, 1, … `agents` agents, on a last axis; raises as `erlang_b` does."""
    loads = _loads(load)
    return _waits(erlang_b_up_to(loads, agents), loads[..., np.newaxis], np.arange(agents + 1))


def extended_erlang_b(load: ArrayLike, ports: ArrayLike, retry: ArrayLike) -> Retried:
    """Return the load with retries, and the shares of attempts refused.

    Raises ValueError unless 0 ≤ `retry` < 1, or as `erlang_b` does.
    """
    retries = np.asarray(retry, dtype=np.float64)
    if not np.all((retries >= 0) & (retries < 1)):
        raise ValueError("retry must be at least 0 and below 1")
    first, counts, retries = np.broadcast_arrays(_loads(load), _counts(ports), retries)
    a, n, r = first.ravel(), counts.ravel(), retries.ravel()
    offered, blocking = a.copy(), np.empty(a.shape)
    at = np.arange(a.size)
    while at.size:  # Newton's steps from below, as in the scalar function, where they still lead anywhere.
        x, lost = offered[at], erlang_b(offered[at], n[at])
        blocking[at] = lost
        growth = lost * (1.0 + n[at] - x * (1.0 - lost))
        step = (a[at] + r[at] * x * lost - x) / np.maximum(1.0 - r[at] * growth, 1.0 - r[at])
        on = step > _NEWTON * x
        offered[at[on]] += step[on]
        at = at[on]
    return Retried(offered.reshape(first.shape), blocking.reshape(first.shape))


def engset(sources: ArrayLike, ports: ArrayLike, each: ArrayLike) -> Congestion:
    """Return the congestion in time and of calls; raises ValueError unless 1 ≤ sources, 0 ≤ ports, 0 < each < ∞."""
    callers, counts, loads = np.broadcast_arrays(_callers(sources), _counts(ports), _each(each))
    s, n, b = callers.ravel(), counts.ravel(), loads.ravel()

    def congestion(fewer: int) -> Floats:
        room = s - fewer - n + 1
        full = _inverses(np.where(room > 0, n, 0), lambda k, at: (n[at] - k) / ((room[at] + k) * b[at]))
        return np.where(room > 0, full, 0.0).reshape(callers.shape)

    return Congestion(congestion(0), congestion(1))


def engset_up_to(sources: ArrayLike, ports: int, each: ArrayLike) -> Congestion:
    """Return the congestion with 0, 1, … `ports` ports, on a last axis; raises as `engset` does."""
    callers, loads = np.broadcast_arrays(_callers(sources), _each(each))

    def congestion(fewer: int) -> Floats:
        """With more ports than sources the ratio is that of a load of 0: never full."""
        return _up_to(ports, loads, lambda n, each: n / (np.maximum(callers - fewer - n + 1, 0) * each))

    return Congestion(congestion(0), congestion(1))


@np.errstate(divide="ignore", over="ignore", invalid="ignore")
def erlang_a(load: ArrayLike, agents: ArrayLike, impatience: ArrayLike) -> Impatience:
    """Return the shares of callers who wait and who give up.

    Raises ValueError unless 1 ≤ agents and `LEAST_IMPATIENCE` ≤ `impatience` < ∞, or as `erlang_b` does.
    """
    thetas = np.asarray(impatience, dtype=np.float64)
    if not np.all((thetas >= LEAST_IMPATIENCE) & np.isfinite(thetas)) or np.any(np.asarray(agents) < 1):
        raise ValueError(f"impatience must be at least {LEAST_IMPATIENCE:g} and finite, agents at least 1")
    loads, counts, thetas = np.broadcast_arrays(_loads(load), _counts(agents), thetas)
    a, n, theta = loads.ravel(), counts.ravel(), thetas.ravel()
    loss = erlang_b(a, n)
    # As in the scalar function: from the likeliest number of callers waiting, up and down.
    likeliest = np.maximum(0.0, np.floor((a - n) / theta))
    busy, waiting, term, j = np.ones(a.shape), likeliest.copy(), np.ones(a.shape), likeliest.copy()
    at = np.arange(a.size)
    while at.size:
        j[at] += 1
        ratio = a[at] / (n[at] + j[at] * theta[at])
        term[at] *= ratio
        busy[at] += term[at]
        waiting[at] += j[at] * term[at]
        at = at[~((ratio < 1) & (j[at] * term[at] / (1 - ratio) ** 2 <= ROUNDING * waiting[at]))]
    term, j = np.ones(a.shape), likeliest.copy()
    at = np.flatnonzero(j > 0)
    while at.size:
        ratio = (n[at] + j[at] * theta[at]) / a[at]
        j[at] -= 1
        term[at] *= ratio
        busy[at] += term[at]
        waiting[at] += j[at] * term[at]
        at = at[(j[at] > 0) & ~((ratio < 1) & (term[at] <= ROUNDING * (1 - ratio) * busy[at]))]
    everything = busy + term * (1.0 / loss - 1.0)
    wait = np.where(loss == 0, 0.0, busy / everything)
    abandon = np.where(loss == 0, 0.0, theta * waiting / everything / a)
    return Impatience(wait.reshape(loads.shape), abandon.reshape(loads.shape))


@np.errstate(divide="ignore", over="ignore", invalid="ignore")
def _inverses(counts: Whole, ratio: Callable[[int, NDArray[np.intp]], Floats]) -> Floats:
    """Return 1 / (1 + r₀ + r₀r₁ + …) of `counts` ratios each, as :func:`scenarios.theory.series.total` adds them up.

    `ratio` is asked for the k-th ratio of those elements only whose sum still grows.
    """
    term, added, k = np.ones(counts.shape), np.ones(counts.shape), 0
    at = np.flatnonzero(counts > 0)
    while at.size:
        r = ratio(k, at)
        term[at] *= r
        added[at] += term[at]
        done = (r < 1) & (term[at] * r <= ROUNDING * (1 - r) * added[at])
        k += 1
        at = at[(counts[at] > k) & ~done & np.isfinite(added[at])]
    return 1.0 / added


@np.errstate(divide="ignore", over="ignore")
def _up_to(ports: int, loads: Floats, ratio: Callable[[Whole | int, Floats], Floats]) -> Floats:
    """Return 1 / I(n) for n from 0 on a last axis, by I(n) = 1 + ratio(n) · I(n-1), which all loads take at once."""
    _counts(ports)
    if loads.size == 1:  # Floats one by one are far faster than arrays of one.
        ratios = ratio(np.arange(1, ports + 1), loads).ravel().tolist()
        one = accumulate(ratios, lambda inverse, r: 1.0 + r * inverse, initial=1.0)
        return (1.0 / np.fromiter(one, np.float64, ports + 1)).reshape(*loads.shape, ports + 1)
    every = np.ones((ports + 1, *loads.shape))
    for n in range(1, ports + 1):
        every[n] = 1.0 + ratio(n, loads) * every[n - 1]
    return np.moveaxis(1.0 / every, 0, -1)


def _waits(losses: Floats, loads: Floats, agents: Whole) -> Floats:
    behind = loads >= agents
    free = np.where(behind, 0.0, agents - loads) / np.maximum(agents, 1)
    return np.where(behind, 1.0, losses / np.where(behind, 1.0, losses + free * (1.0 - losses)))


def _loads(values: ArrayLike) -> Floats:
    loads = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(loads) & (loads >= 0)):
        raise ValueError("loads must be finite and not negative")
    return loads


def _each(values: ArrayLike) -> Floats:
    loads = _loads(values)
    if not np.all(loads > 0):
        raise ValueError("the load of an idle source must be above 0")
    return loads


def _counts(values: ArrayLike) -> Whole:
    counts = np.asarray(values)
    if counts.dtype.kind not in "iu" or np.any(counts < 0):
        raise ValueError("ports and agents must be whole numbers that are not negative")
    return counts.astype(np.int64)


def _callers(values: ArrayLike) -> Whole:
    callers = _counts(values)
    if np.any(callers < 1):
        raise ValueError("a source at least")
    return callers
