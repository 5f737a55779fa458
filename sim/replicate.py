"""Replications on all cores: the same results in the same order, whatever the number of workers."""

import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Generic, TypeVar

R = TypeVar("R")

WORTH_A_TASK = 0.5
"""Seconds of work below which handing a task to another process is not worth it."""


@dataclass(frozen=True, slots=True)
class Replications(Generic[R]):
    """What was computed: results by index, in order; fewer than asked when interrupted."""

    results: dict[int, R]
    interrupted: bool


def processes(workers: int, preload: str) -> Executor:
    """Return an executor of ``workers`` processes that have imported ``preload`` and end when this one does."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload([preload])
    return ProcessPoolExecutor(workers, context, initializer=_end_with_parent)


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
    """Let Ctrl-C wait while processes are started, and raise KeyboardInterrupt for it afterwards.

    Processes inherit the signal mask, and so leave Ctrl-C to their parent for good. The mask alone is not enough: a
    thread of a library may take the signal, and the executor would be left with a process it has no record of.
    """
    came: list[int] = []
    resource_tracker.ensure_running()  # it lifts the mask when it starts, and so must run before
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def replicate(
    run: Callable[[int], R],
    replications: int,
    start: Callable[[], Executor] | None,
    done: Callable[[int], None] = lambda count: None,
) -> Replications[R]:
    """Compute ``run(0)`` … ``run(replications - 1)``.

    The first is computed here, and its duration says how many make a task worth handing out; ``start`` gives the
    executor for the others, or is None to compute them all here; it needs the main thread. ``done`` hears how many are
    finished. Ctrl-C ends the work and keeps what is done. Raises what ``run`` raises.
    """
    results: dict[int, R] = {}
    waiting: dict[Future[list[R]], range] = {}
    executor: Executor | None = None
    interrupted = False
    try:
        began = time.perf_counter()
        results[0] = run(0)
        done(1)
        seconds = time.perf_counter() - began
        left = range(1, replications)
        if start is None or seconds * len(left) < WORTH_A_TASK:
            for index in left:
                results[index] = run(index)
                done(len(results))
        else:
            size = max(1, math.ceil(WORTH_A_TASK / seconds))
            with _ctrl_c_held():
                executor = start()
                waiting |= {
                    executor.submit(_several, run, left[i : i + size]): left[i : i + size]
                    for i in range(0, len(left), size)
                }
            for future in as_completed(waiting):
                results.update(zip(waiting[future], future.result(), strict=True))
                done(len(results))
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if executor is not None:
            # Tasks in work are waited for: to leave them would be to leave processes behind.
            executor.shutdown(cancel_futures=True)
    for future, indices in waiting.items():
        if not future.cancelled() and future.exception() is None:
            results.update(zip(indices, future.result(), strict=True))
    return Replications(dict(sorted(results.items())), interrupted)


def _several(run: Callable[[int], R], indices: range) -> list[R]:
    return [run(index) for index in indices]
