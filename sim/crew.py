"""Replications on all cores or many machines: the same results in the same order, whoever computes them."""

import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import forkserver, resource_tracker
from typing import Generic, Self, TypeVar

from sbc.live.search_path import handed_on

R = TypeVar("R")

WORTH_A_TASK = 0.5
"""Seconds of work below which handing a task to another process is not worth it."""
TICK = 0.25
"""Seconds after which somebody who waits for results is told again how many there are."""
_AHEAD = 2
"""Tasks handed out for each that can be worked on, so that nobody waits for the next one."""


@dataclass(frozen=True, slots=True)
class Replications(Generic[R]):
    """What was computed: results by index, in order; fewer than asked when interrupted."""

    results: dict[int, R]
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Workers:
    """An executor, and how many tasks it works on at a time."""

    executor: Executor
    count: int


def processes(count: int, preload: str) -> Workers:
    """Return ``count`` processes that will have imported ``preload`` and end when this one does."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload([preload])
    if method == "forkserver":
        with handed_on():
            forkserver.ensure_running()
    return Workers(ProcessPoolExecutor(count, context, initializer=_end_with_parent), count)


def _end_with_parent() -> None:
    """End this worker as soon as its parent is gone.

    A parent that is killed cannot shut its workers down, and they would wait for their next task for ever: each holds
    both ends of the queue it reads.
    """
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait while processes are started, and count afterwards.

    Processes inherit the signal mask, and so leave Ctrl-C to their parent for good. The mask alone is not enough: a
    thread of a library may take the signal, and the executor would be left with a process it has no record of.
    """
    came: list[int] = []
    resource_tracker.ensure_running()  # it lifts the mask when it starts, and so must run before
    held = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, frame: came.append(number)) for number in held]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for number, handler in zip(held, before, strict=True):
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@dataclass(slots=True)
class _Work(Generic[R]):
    """What is left of the indices, what is handed out, and what is done."""

    run: Callable[[int], R]
    left: Sequence[int]
    kept: Callable[[dict[int, R]], None]
    results: dict[int, R] = field(default_factory=dict)
    handed: dict["Future[tuple[float, list[R]]]", Sequence[int]] = field(default_factory=dict)

    def here(self) -> float:
        """Compute the first of what is left; return what it took, in seconds."""
        seconds, results = _several(self.run, self.left[:1])
        self._take(self.left[:1], results)
        self.left = self.left[1:]
        return seconds

    def hand_out(self, executor: Executor, size: int) -> None:
        """Make a task of the next ``size`` indices."""
        self.handed[executor.submit(_several, self.run, self.left[:size])] = self.left[:size]
        self.left = self.left[size:]

    def take_back(self, tick: Callable[[int], None]) -> float:
        """Wait for a task; return what an index of it took. Raises what the task did.

        ``tick`` hears now and then how many indices are done.
        """
        while not (done := wait(self.handed, TICK, FIRST_COMPLETED).done):
            tick(len(self.results))
        future = next(iter(done))
        seconds, results = future.result()
        self._take(self.handed.pop(future), results)
        return seconds / len(results)

    def leave(self) -> None:
        """Give up what nobody has begun, and wait for the rest: what is in work is as good as done."""
        begun = [future for future in self.handed if not future.cancel()]
        for future in wait(begun).done:
            if future.exception() is None:
                self._take(self.handed[future], future.result()[1])

    def _take(self, indices: Sequence[int], results: list[R]) -> None:
        """Put results with the others."""
        new = dict(zip(indices, results, strict=True))
        self.results.update(new)
        self.kept(new)


class Crew:
    """Workers that are started when first needed and kept until closed.

    As a context manager it shuts them down when it is left, also on Ctrl-C. ``start`` gives the workers, or is None to
    compute everything in this process; with ``at_once`` it is called when the context is entered, so that what keeps
    workers from working is known before any work is done.
    """

    def __init__(self, start: Callable[[], Workers] | None = None, *, at_once: bool = False) -> None:
        self._start = start
        self._at_once = at_once
        self._workers: Workers | None = None
        self._seconds = 0.0  # what an index took last; 0 until one is computed

    def __enter__(self) -> Self:
        """Start the workers if they are wanted at once; raises what starting them raises."""
        if self._at_once and self._start is not None:
            self._started(self._start)
        return self

    def __exit__(self, *_: object) -> None:
        """Shut the workers down."""
        self.close()

    def close(self) -> None:
        """Shut the workers down; tasks in work are waited for: to leave them would be to leave processes behind."""
        if self._workers is not None:
            self._workers.executor.shutdown(cancel_futures=True)
            self._workers = None

    def compute(
        self,
        run: Callable[[int], R],
        indices: Sequence[int],
        done: Callable[[int], None] = lambda count: None,
        kept: Callable[[dict[int, R]], None] = lambda results: None,
    ) -> Replications[R]:
        """Compute ``run`` of every index; workers need it to be picklable.

        How long an index took last says how many make a task worth handing out; until that is known, and while all that
        is left is not worth a task, they are computed in this process. ``done`` hears how many are finished, the same
        more than once, and ``kept`` gets the results as they come, by index, in any order. Ctrl-C ends the work and
        keeps what is done; where there are workers, this needs the main thread. Raises what ``run`` and ``kept`` raise,
        and BrokenExecutor where a worker process is ended from outside.
        """
        work, start = _Work(run, indices, kept), self._start
        interrupted = False
        try:
            while work.left and (start is None or self._seconds * len(work.left) < WORTH_A_TASK):
                self._seconds = work.here()
                done(len(work.results))
            while start is not None and (work.left or work.handed):
                with _ctrl_c_held():
                    self._hand_out(work, self._started(start))
                self._seconds = work.take_back(done)
                done(len(work.results))
        except KeyboardInterrupt:
            interrupted = True
        finally:
            work.leave()
        return Replications(dict(sorted(work.results.items())), interrupted)

    def _started(self, start: Callable[[], Workers]) -> Workers:
        """Return the workers, who begin now if they have not yet."""
        if self._workers is None:
            self._workers = start()
        return self._workers

    def _hand_out(self, work: _Work[R], workers: Workers) -> None:
        """Give the workers as many tasks as keep them busy.

        A time that another call took may be far off: until there is one of this call, shares are even, so that none of
        them goes without.
        """
        size = max(1, math.ceil(WORTH_A_TASK / self._seconds))
        if not work.results:
            size = min(size, math.ceil(len(work.left) / workers.count))
        while work.left and len(work.handed) < _AHEAD * workers.count:
            work.hand_out(workers.executor, size)


def _several(run: Callable[[int], R], indices: Sequence[int]) -> tuple[float, list[R]]:
    """Compute some indices; return the seconds it took, and the results."""
    began = time.perf_counter()
    results = [run(index) for index in indices]
    return time.perf_counter() - began, results
