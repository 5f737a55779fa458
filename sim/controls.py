"""Control variates: what is known of the callers of a run whatever the plan makes of them.

A run with more or busier callers than usual blocks more than usual. How much more there were is known, and so is how
Erlang's loss system would have fared with just these callers, whose blocking has a formula. Each control has a mean of
exactly 0 over all runs; the part of an estimate's noise that goes with them can be taken out (Lavenberg and Welch 1981;
Law, Simulation Modeling and Analysis, §11.4). Whatever the engine does, the estimate's mean stays what it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import accumulate

import numpy as np

from scenarios.load import CallerBlock
from scenarios.model import Drill
from scenarios.theory.erlang import erlang_b
from sim.draws import Draws
from sim.traffic import load, rates


@dataclass(frozen=True, slots=True)
class LossSystem:
    """Streams of a drill on ports of their own, without retries, failures or anything else in the way."""

    streams: tuple[int, ...]
    """By their place in the drill."""
    ports: int


def controls(
    drill: Drill,
    seed: int,
    replication: int,
    systems: Sequence[LossSystem] = (),
    after: float = 0.0,
    before: float | None = None,
) -> tuple[float, ...]:
    """Return the controls of one replication: excess of callers, excess of talk, and excess of refusals by system.

    Only callers who begin in the window count, in seconds of the run. All are shares of what is expected, and 0 where
    there is no expectation that is known exactly: of sources that wait for their calls to end, and of a loss system
    that does not begin as it goes on.
    """
    end = drill.run.lasts if before is None else min(before, drill.run.lasts)
    poisson = [index for index, stream in enumerate(drill.traffic) if stream.sources is None]
    wanted = {*poisson, *(index for system in systems for index in system.streams)}
    callers = {
        index: _Callers.of(blocks)
        for index, blocks in enumerate(load(drill, seed, replication))
        if index in wanted and index in poisson
    }
    expected = {index: _expected(drill, index, after, end) for index in poisson}
    work = sum(expected[index] * drill.traffic[index].talk.mean for index in poisson)
    if not work:
        return (0.0, 0.0, *(0.0 for _ in systems))
    more, longer = 0.0, 0.0
    for index in poisson:
        mean = drill.traffic[index].talk.mean
        talks = callers[index].talk[(callers[index].at >= after) & (callers[index].at < end)]
        more += (len(talks) - expected[index]) * mean
        longer += float(talks.sum()) - len(talks) * mean
    draws = Draws(seed, replication)
    refused = (_refused(drill, system, callers, draws, (after, end)) for system in systems)
    return (more / work, longer / work, *refused)


@dataclass(frozen=True, slots=True)
class _Callers:
    """The callers of a stream: those in a call as the run begins, then the others in order of arrival."""

    at: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    talk: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    up: int
    """How many of them are in a call from the beginning, if the run starts warm."""

    @classmethod
    def of(cls, blocks: Iterable[CallerBlock]) -> "_Callers":
        every = list(blocks)
        at = np.concatenate([np.asarray(block.at, float) for block in every])
        talk = np.concatenate([np.asarray(block.talk, float) for block in every])
        return cls(at, talk, len(every[0].at))


def _expected(drill: Drill, index: int, after: float, end: float) -> float:
    """Return how many callers of a stream are expected in a window."""
    edges, values = rates(drill, drill.traffic[index])
    passed = [0.0, *accumulate((np.diff(edges) * values).tolist())]
    until, since = np.interp([end, after], edges, passed)
    return float(until - since)


def _refused(
    drill: Drill, system: LossSystem, callers: dict[int, _Callers], draws: Draws, window: tuple[float, float]
) -> float:
    """Return how many more of those who begin in the window a loss system refuses than expected, over their number.

    It starts as it goes on: with as many calls as are found in it, the rest of each as long as renewal theory says.
    Then each of those who come by chance meets it as it is (PASTA), and the mean of refusals less Erlang's share of the
    callers is nothing.
    """
    if not drill.run.warm or not all(_steady(drill, index) for index in system.streams):
        return 0.0
    expected = sum(_expected(drill, index, *window) for index in system.streams)
    load = sum(drill.traffic[index].arrivals.peak * drill.traffic[index].talk.mean for index in system.streams)
    if not expected or not load:
        return 0.0
    share = erlang_b(load, system.ports)
    rng = draws.stream(f"control:{system.ports}")
    left = np.concatenate([callers[index].talk[: callers[index].up] for index in system.streams])
    begin = min(float(rates(drill, drill.traffic[index])[0][0]) for index in system.streams)
    up = rng.permutation(left)[: _as_found(load, system.ports, len(left), float(rng.random()))]
    ends = sorted((begin + up).tolist())
    at = np.concatenate([callers[index].at[callers[index].up :] for index in system.streams])
    talk = np.concatenate([callers[index].talk[callers[index].up :] for index in system.streams])
    order = np.argsort(at, kind="stable")
    after, before = window
    came = refused = 0
    for now, lasts in zip(at[order].tolist(), talk[order].tolist(), strict=True):
        while ends and ends[0] <= now:
            heappop(ends)
        counts = after <= now < before
        came += counts
        if len(ends) < system.ports:
            heappush(ends, now + lasts)
        else:
            refused += counts
    return (refused - share * came) / expected


def _steady(drill: Drill, index: int) -> bool:
    stream = drill.traffic[index]
    return stream.sources is None and stream.arrivals.constant and stream.surge is None


def _as_found(load: float, ports: int, calls: int, chance: float) -> int:
    """Return how many calls are up in a loss system where there are ``calls`` without any limit.

    Both are the same quantile: of a Poisson distribution, and of the one cut off at the ports; ``chance``, from 0 to 1,
    says where in the step of the former it is.
    """
    weights = [0.0]  # logarithms, for a Poisson weight of thousands is nothing
    for busy in range(1, max(ports, calls) + 1):
        weights.append(weights[-1] + float(np.log(load / busy)))
    heaps = np.exp(np.asarray(weights) - load)
    passed = np.cumsum(heaps)
    before = float(passed[calls - 1]) if calls else 0.0
    quantile = before + chance * float(heaps[calls])
    return int(np.searchsorted(passed[: ports + 1] / passed[ports], quantile, side="left").clip(0, ports))
