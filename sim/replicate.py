"""Replications on all cores: the same results in the same order, whatever the number of workers."""

import math
import multiprocessing
import signal
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
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
    """Return an executor of ``workers`` processes that have imported ``preload`` and leave Ctrl-C to their parent."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload([preload])
    return ProcessPoolExecutor(workers, context, partial(signal.signal, signal.SIGINT, signal.SIG_IGN))


def replicate(
    run: Callable[[int], R],
    replications: int,
    start: Callable[[], Executor] | None,
    done: Callable[[int], None] = lambda count: None,
) -> Replications[R]:
    """Compute ``run(0)`` … ``run(replications - 1)``.

    The first is computed here, and its duration says how many make a task worth handing out; ``start`` gives the
    executor for the others, or is None to compute them all here. ``done`` hears how many are finished. Ctrl-C ends the
    work and keeps what is done. Raises what ``run`` raises.
    """
    results: dict[int, R] = {}
    executor: Executor | None = None
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
            executor = start()
            size = max(1, math.ceil(WORTH_A_TASK / seconds))
            tasks = [left[i : i + size] for i in range(0, len(left), size)]
            waiting: dict[Future[list[R]], range] = {executor.submit(_several, run, task): task for task in tasks}
            for future in as_completed(waiting):
                results.update(zip(waiting[future], future.result(), strict=True))
                done(len(results))
            executor.shutdown()
    except KeyboardInterrupt:
        _abandon(executor)
        return Replications(dict(sorted(results.items())), interrupted=True)
    except BaseException:
        _abandon(executor)
        raise
    return Replications(dict(sorted(results.items())), interrupted=False)


def _several(run: Callable[[int], R], indices: range) -> list[R]:
    return [run(index) for index in indices]


def _abandon(executor: Executor | None) -> None:
    if executor is not None:
        executor.shutdown(wait=False, cancel_futures=True)
