"""One run of a drill: its replications, each folded where it is computed, so that only summaries travel."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Protocol, TypeVar

from kirikae.cluster import check_address, connect
from kirikae.engines import DEFAULT, IN_REAL_TIME, VIRTUAL
from kirikae.options import OptionError
from reports.fold import Fold
from reports.folder import Tee
from reports.queries import default_queries
from reports.summary import RunSummary
from scenarios.evidence import Recorder, WireRecorder
from scenarios.expectations import Query
from scenarios.load import CallerBlock
from scenarios.model import Drill
from sim import engine as calls
from sim.crew import Crew, Replications, processes
from sim.traffic import load

R = TypeVar("R")


class Play(Protocol):
    """An engine."""

    def __call__(
        self,
        drill: Drill,
        load: list[Iterator[CallerBlock]],
        seed: int,
        replication: int,
        recorder: Recorder,
        *,
        wire: WireRecorder | None = None,
        strict: bool = False,
    ) -> None:
        """Play one replication and hand its evidence to ``recorder``.

        ``wire`` hears every message of an engine that has messages; ``strict`` makes receivers parse what they get.
        """


def _play_calls(
    drill: Drill,
    load: list[Iterator[CallerBlock]],
    seed: int,
    replication: int,
    recorder: Recorder,
    *,
    wire: WireRecorder | None = None,
    strict: bool = False,
) -> None:
    """Play on the `calls` engine, which has no messages."""
    calls.play(drill, load, seed, replication, recorder)


def _imported(module: str) -> Play:
    """Return how the engine of a module plays, which is imported only for those who play it."""

    def play(
        drill: Drill,
        load: list[Iterator[CallerBlock]],
        seed: int,
        replication: int,
        recorder: Recorder,
        *,
        wire: WireRecorder | None = None,
        strict: bool = False,
    ) -> None:
        engine: Play = import_module(module).play
        engine(drill, load, seed, replication, recorder, wire=wire, strict=strict)

    return play


ENGINES: Mapping[str, Play] = {
    DEFAULT: _play_calls,
    "packets": _imported("sim.packets.engine"),
    "live": _imported("sim.live.engine"),
}
"""How each of the :data:`~kirikae.engines.NAMES` plays."""


class Onlooker(Protocol):
    """Whoever looks on while a run goes on."""

    def done(self, count: float) -> None:
        """Hear how many replications are finished, or that it is still as many."""

    def kept(self, results: Mapping[int, RunSummary]) -> None:
        """Take replications that are finished, by number, in any order."""

    def begins(self, replication: int, fold: Fold) -> Recorder:
        """Return what hears the evidence of a replication that is played in this process, after its fold."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs to compute replications; picklable."""

    drill: Drill
    seed: int
    queries: tuple[Query, ...]
    engine: str = DEFAULT
    strict: bool = False

    def run(
        self,
        replication: int,
        also: Recorder | None = None,
        wire: WireRecorder | None = None,
        onlooker: Onlooker | None = None,
    ) -> RunSummary:
        """Play one replication and fold its evidence, which ``also`` hears too, and whoever looks on."""
        fold = Fold(self.drill, self.queries)
        taker = _taker(fold, also, None if onlooker is None else onlooker.begins(replication, fold))
        record(self.drill, self.seed, replication, taker, self.engine, wire=wire, strict=self.strict)
        return fold.summary()


def _taker(fold: Fold, *others: Recorder | None) -> Recorder:
    takers = [other for other in others if other is not None]
    return Tee(fold, *takers) if takers else fold


@dataclass(frozen=True, slots=True)
class Paired:
    """Several tasks whose replications are computed together, so that whatever is kept of them has its pair."""

    tasks: tuple[Task, ...]

    def run(self, replication: int) -> tuple[RunSummary, ...]:
        """Return the summaries of one replication, one for each task."""
        return tuple(task.run(replication) for task in self.tasks)


def record(
    drill: Drill,
    seed: int,
    replication: int,
    recorder: Recorder,
    engine: str = DEFAULT,
    *,
    wire: WireRecorder | None = None,
    strict: bool = False,
) -> None:
    """Play one replication on an engine and hand its evidence to ``recorder``, and its messages to ``wire``."""
    ENGINES[engine](drill, load(drill, seed, replication), seed, replication, recorder, wire=wire, strict=strict)


def crew(workers: int | None = None, cluster: str | None = None) -> Crew:
    """Return a crew of ``workers`` processes, by default one for each core this process may use, or of a cluster's.

    What it computes is the same whatever they are. A cluster is connected to when the crew's context is entered. Both
    raise :class:`~kirikae.options.OptionError` for a cluster that cannot be meant or had.
    """
    if cluster is not None:
        if workers is not None:
            raise OptionError("--workers: these are processes of this machine (allowed without --cluster)")
        check_address(cluster)
        return Crew(partial(connect, cluster), at_once=True)
    return _on_this_machine(workers)


def _on_this_machine(workers: int | None) -> Crew:
    count = workers or len(os.sched_getaffinity(0))
    return Crew(partial(processes, count, "kirikae.runner") if count > 1 else None)


def no_cluster_in_real_time(cluster: str | None, engines: Iterable[str]) -> None:
    """Raise :class:`~kirikae.options.OptionError` where a cluster is to play what this machine alone can play."""
    if cluster is not None and not IN_REAL_TIME.isdisjoint(engines):
        allowed = ", ".join(VIRTUAL)
        raise OptionError(
            f"--cluster: runs in real time are played on this machine, one at a time (allowed with: {allowed})"
        )


def run_all(
    drill: Drill,
    *,
    seed: int,
    replications: int,
    workers: int | None = None,
    crew: Crew | None = None,
    engine: str = DEFAULT,
    strict: bool = False,
    done: Callable[[int], None] = lambda count: None,
    also: Recorder | None = None,
    wire: WireRecorder | None = None,
    onlooker: Onlooker | None = None,
) -> Replications[RunSummary]:
    """Run all replications of a drill on a ``crew``, or on one of its own, of ``workers`` processes.

    ``also`` and ``wire`` may hear what happens; where they do, all of it happens in this process. ``onlooker`` hears of
    replications that are done, and of what happens in an only one. Raises what an engine raises.
    """
    task = Task(drill, seed, default_queries(drill), engine, strict)
    if also is not None or wire is not None or (onlooker is not None and replications == 1):
        return Crew().compute(partial(task.run, also=also, wire=wire, onlooker=onlooker), range(replications), done)
    with _on_this_machine(workers) if crew is None else nullcontext(crew) as hands:
        if onlooker is None:
            return hands.compute(task.run, range(replications), done)
        return hands.compute(task.run, range(replications), onlooker.done, onlooker.kept)


def run_until(
    drill: Drill,
    *,
    seed: int,
    ends: Iterable[int],
    enough: Callable[[Sequence[RunSummary]], bool],
    queries: tuple[Query, ...],
    crew: Crew,
    onlooker: Onlooker,
    engine: str = DEFAULT,
    strict: bool = False,
) -> Replications[RunSummary]:
    """Run replications up to each of ``ends``, which ascend, until those that are done are ``enough``.

    The result does not depend on the number of workers. Raises what an engine raises.
    """
    task, found = Task(drill, seed, queries, engine, strict), dict[int, RunSummary]()
    for end in ends:
        runs = crew.compute(task.run, range(len(found), end), _counted_from(len(found), onlooker.done), onlooker.kept)
        found |= runs.results
        if runs.interrupted:
            return Replications(found, interrupted=True)
        if enough(list(found.values())):
            break
    return Replications(found, interrupted=False)


def _counted_from(before: int, done: Callable[[int], None]) -> Callable[[int], None]:
    return lambda count: done(before + count)


def run_live(
    drill: Drill,
    *,
    seed: int,
    replications: int,
    play: Play,
    onlooker: Onlooker,
    also: Recorder | None = None,
    wire: WireRecorder | None = None,
) -> Replications[RunSummary]:
    """Play replications one after the other in real time, until the last or until one is stopped by its user.

    ``also`` and ``wire`` hear the first, ``onlooker`` all of them. Raises what an engine raises.
    """
    queries = default_queries(drill)

    def run(replication: int) -> RunSummary:
        fold, first = Fold(drill, queries), replication == 0
        taker = _taker(fold, also if first else None, onlooker.begins(replication, fold))
        play(drill, load(drill, seed, replication), seed, replication, taker, wire=wire if first else None)
        summary = fold.summary()
        onlooker.kept({replication: summary})
        return summary

    return in_turn(run, replications, lambda summary: summary.stopped is not None, onlooker.done)


def in_turn(
    run: Callable[[int], R],
    replications: int,
    stopped: Callable[[R], bool],
    done: Callable[[int], None] = lambda count: None,
) -> Replications[R]:
    """Compute ``run`` of every replication in this process, one after the other, until the user has ``stopped`` one."""
    results: dict[int, R] = {}
    for replication in range(replications):
        results[replication] = run(replication)
        done(len(results))
        if stopped(results[replication]):
            return Replications(results, interrupted=True)
    return Replications(results, interrupted=False)
