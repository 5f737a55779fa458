"""Replications: the same results whatever computes them, and nothing lost when somebody presses Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from sim.replicate import processes, replicate


class AtOnce(Executor):
    """Computes every task when it is submitted, and remembers how large tasks were."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.down = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.sizes.append(len(args[1]))
        try:
            future.set_result(fn(*args, **kwargs))
        except ValueError as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.down = True


def square(index: int) -> int:
    return index * index


@pytest.fixture
def first_takes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the first replication seem to take some seconds, on a clock moved by hand."""

    def take(seconds: float) -> None:
        clock = iter((0.0, seconds))
        monkeypatch.setattr(time, "perf_counter", lambda: next(clock))

    return take


def test_results_come_in_order_of_index_from_one_process_or_two(first_takes: Callable[[float], None]) -> None:
    first_takes(0.05)
    alone = replicate(square, 40, None)
    first_takes(0.05)
    together = replicate(square, 40, lambda: processes(2, "sim.replicate"))
    assert alone == together
    assert list(together.results.items()) == [(i, i * i) for i in range(40)]
    assert not together.interrupted


def test_short_work_is_handed_out_in_larger_tasks(first_takes: Callable[[float], None]) -> None:
    first_takes(0.02)
    executor = AtOnce()
    replicate(square, 101, lambda: executor)
    assert executor.sizes == [25, 25, 25, 25]
    assert executor.down


def test_work_not_worth_a_process_starts_none() -> None:
    def never() -> Executor:
        raise AssertionError("no executor is needed")

    assert replicate(lambda index: index, 100, never).results == {i: i for i in range(100)}


def test_progress_counts_what_is_done() -> None:
    heard: list[int] = []
    replicate(lambda index: index, 5, None, heard.append)
    assert heard == [1, 2, 3, 4, 5]


def test_ctrl_c_keeps_what_is_done() -> None:
    def work(index: int) -> int:
        if index == 3:
            raise KeyboardInterrupt
        return index

    stopped = replicate(work, 10, None)
    assert stopped.interrupted
    assert stopped.results == {0: 0, 1: 1, 2: 2}


def test_an_error_in_a_replication_is_not_swallowed(first_takes: Callable[[float], None]) -> None:
    first_takes(1.0)

    def work(index: int) -> int:
        if index == 30:
            raise ValueError("broken")
        return index

    executor = AtOnce()
    with pytest.raises(ValueError, match="broken"):
        replicate(work, 100, lambda: executor)
    assert executor.down


_PARENT = """
import os
from sim.replicate import processes

if __name__ == "__main__":
    workers = processes(2, "sim.replicate")
    for each in [workers.submit(os.getpid) for _ in range(8)]:
        print(each.result(), flush=True)
    print("ready", flush=True)
    input()
"""


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed() -> None:
    """The end of their common output is the end of the last of them: parent, workers, and whatever started those."""
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    workers = {int(line) for line in iter(parent.stdout.readline, "ready\n")}
    assert workers
    parent.kill()
    try:
        parent.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        raise
