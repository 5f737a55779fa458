"""Traffic: callers of each stream as lazy blocks, with talk, patience and retry draws attached.

Every engine is handed the same blocks, so that a drill means the same load in each.
"""

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from scenarios.load import CallerBlock
from scenarios.model import Drill, Traffic
from sim.draws import Draws, Floats, residuals, sample

BLOCK = 1024
_HOLDING_TIMES = 2
"""A warm start fills the system as in equilibrium and then lets it settle for this many mean holding times."""
_WRAP_UPS = 2
"""Agents at the work after a call are not filled in, and so take longer to settle."""
_CALLS_REACH_AGENTS = 0.1
"""Seconds in which calls get to their agents, whatever is on their way."""


def warm_up(drill: Drill) -> float:
    """Seconds simulated before the run begins, so that limits and queues have marked the calls in progress."""
    if not drill.run.warm:
        return 0.0
    wrap_ups = [group.wrap_up.mean for group in drill.agents.values() if group.wrap_up is not None]
    return _HOLDING_TIMES * (max(stream.talk.mean for stream in drill.traffic) + _WRAP_UPS * max(wrap_ups, default=0.0))


def load(drill: Drill, seed: int, replication: int) -> list[Iterator[CallerBlock]]:
    """Return the callers of every traffic stream of the drill, in its order."""
    draws = Draws(seed, replication)
    return [
        _callers(drill, stream, draws, name) for name, stream in zip(stream_names(drill), drill.traffic, strict=True)
    ]


def stream_names(drill: Drill) -> list[str]:
    """Return what the draws of each traffic stream are called."""
    names = [f"{stream.from_ or 'in'}>{stream.to}" for stream in drill.traffic]
    return [f"{name}#{names[:i].count(name)}" for i, name in enumerate(names)]


def rates(drill: Drill, stream: Traffic) -> tuple[Floats, Floats]:
    """Return the edges of the run's pieces of constant rate (n + 1, seconds) and the rates between them (n, 1/s)."""
    begin, end = -warm_up(drill), drill.run.lasts
    edges = {begin, end}
    profile = [(begin, stream.arrivals.peak)]
    if not stream.arrivals.constant and (clock := drill.run.clock) is not None:
        profile = clock.profile(stream.arrivals.steps, begin, end)
        edges |= {at for at, _ in profile}
    surge = stream.surge
    surge_from = surge_to = end
    if surge is not None and (fault := drill.fault_named(surge.at)) is not None:
        surge_from, surge_to = fault.at, fault.at + surge.lasts
        edges |= {surge_from, surge_to}
    cuts = np.array(sorted(edge for edge in edges if begin <= edge <= end))
    middles = (cuts[:-1] + cuts[1:]) / 2
    values = [
        profile[bisect_right(profile, middle, key=itemgetter(0)) - 1][1]
        * (surge.factor if surge is not None and surge_from <= middle < surge_to else 1.0)
        for middle in middles.tolist()
    ]
    return cuts, np.array(values)


class _Streams(NamedTuple):
    """The random streams of a traffic stream, one for each thing that is drawn."""

    arrivals: np.random.Generator
    talk: np.random.Generator
    patience: np.random.Generator
    retry: np.random.Generator


def _callers(drill: Drill, stream: Traffic, draws: Draws, name: str) -> Iterator[CallerBlock]:
    streams = _Streams(*(draws.stream(f"{name}:{what}") for what in _Streams._fields))
    if stream.sources is not None:
        yield from _sources(drill, stream, stream.sources, streams, draws, name)
        return
    edges, values = rates(drill, stream)
    if drill.run.warm:
        n = int(draws.stream(f"{name}:warm").poisson(values[0] * stream.talk.mean))
        left = residuals(stream.talk, draws.stream(f"{name}:residual"), n)
        yield CallerBlock([_first_moment(float(edges[0]), stream)] * n, left.tolist(), [np.inf] * n, [1] * n, [[]] * n)

    # Arrivals of a Poisson process of unit rate, carried over to time by the inverse of the expected count.
    expected = np.concatenate(([0.0], np.cumsum(np.diff(edges) * values)))
    passed = 0.0
    while passed < expected[-1]:
        unit = passed + np.cumsum(streams.arrivals.exponential(1.0, BLOCK))
        passed = float(unit[-1])
        yield _block(stream, streams, np.interp(unit[unit < expected[-1]], expected, edges))


def _first_moment(begin: float, stream: Traffic) -> float:
    """Return when the calls that are up as the run begins are dialled: those to agents, then those by agents.

    So it is the same agents who do, whether or not a call takes time to get to its agent.
    """
    return begin + _CALLS_REACH_AGENTS if stream.from_ else begin


def _sources(
    drill: Drill, stream: Traffic, sources: int, streams: _Streams, draws: Draws, name: str
) -> Iterator[CallerBlock]:
    """Few callers who call again and again; a warm start begins with as many in a call as ports without end let in."""
    idle, begin = sources / stream.arrivals.peak, -warm_up(drill)
    busy = 0
    if drill.run.warm:
        in_call = stream.talk.mean / (stream.talk.mean + idle)
        busy = int(draws.stream(f"{name}:warm").binomial(sources, in_call))
    left = residuals(stream.talk, draws.stream(f"{name}:residual"), busy)
    yield CallerBlock([_first_moment(begin, stream)] * busy, left.tolist(), [np.inf] * busy, [1] * busy, [[]] * busy)
    yield _block(stream, streams, begin + np.sort(streams.arrivals.exponential(idle, sources - busy)))
    while True:
        yield _block(stream, streams, streams.arrivals.exponential(idle, BLOCK))


def _block(stream: Traffic, streams: _Streams, at: Floats) -> CallerBlock:
    """Return callers with what each will do; draws are made for a whole block, so that none depends on its length."""
    n = len(at)
    size = max(n, BLOCK)
    tries, again = _retries(stream, streams.retry, n, size)
    return CallerBlock(
        at.tolist(),
        sample(stream.talk, streams.talk, size)[:n].tolist(),
        [np.inf] * n if stream.patience is None else sample(stream.patience, streams.patience, size)[:n].tolist(),
        tries,
        again,
    )


def _retries(stream: Traffic, rng: np.random.Generator, n: int, size: int) -> tuple[list[int], list[list[float]]]:
    """Draw how many attempts ``n`` callers are ready to make, and the pauses between them, out of ``size`` draws."""
    if stream.retry is None:
        return [1] * n, [[]] * n
    times = stream.retry.times
    willing = np.cumprod(rng.random((size, times)) < stream.retry.share, axis=1)[:n]
    pauses = sample(stream.retry.after, rng, size * times).reshape(size, times)[:n]
    return (1 + willing.sum(axis=1)).astype(int).tolist(), pauses.tolist()
