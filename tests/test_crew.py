"""Replications: the same results whatever computes them, and nothing lost when somebody presses Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import partial
from itertools import count
from typing import Any

import pytest

from sim.crew import Crew, Workers, _ctrl_c_held, processes


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


class InWork(Future[Any]):
    """Is done only after somebody has tried to cancel it, and too late."""

    def __init__(self, finish: Callable[[], Any]) -> None:
        super().__init__()
        self._finish = finish

    def cancel(self) -> bool:
        self.set_result(self._finish())
        return False


class OneInWork(Executor):
    """Computes its first task at once, has begun the second, and never comes to the others."""

    def __init__(self) -> None:
        self._tasks = count()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        match next(self._tasks):
            case 0:
                future: Future[Any] = Future()
                future.set_result(fn(*args, **kwargs))
                return future
            case 1:
                return InWork(partial(fn, *args, **kwargs))
            case _:
                return Future()


def square(index: int) -> int:
    return index * index


@pytest.fixture
def one_takes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let whatever is timed in this process seem to take some seconds, on a clock moved by hand."""

    def take(seconds: float) -> None:
        monkeypatch.setattr(time, "perf_counter", partial(next, count(0.0, seconds)))

    return take


def never() -> Workers:
    raise AssertionError("no workers are needed")


def test_results_come_in_order_of_index_from_one_process_or_two(one_takes: Callable[[float], None]) -> None:
    one_takes(0.05)
    alone = Crew().compute(square, range(40))
    one_takes(0.05)
    with Crew(lambda: processes(2, "sim.crew")) as crew:
        together = crew.compute(square, range(40))
        assert crew.compute(square, range(100, 2000)).results == {i: i * i for i in range(100, 2000)}
    assert alone == together
    assert list(together.results.items()) == [(i, i * i) for i in range(40)]
    assert not together.interrupted


def test_short_work_is_handed_out_in_larger_tasks(one_takes: Callable[[float], None]) -> None:
    one_takes(0.02)
    executor = AtOnce()
    with Crew(lambda: Workers(executor, 2)) as crew:
        crew.compute(square, range(101))
    assert executor.sizes == [25, 25, 25, 25]
    assert executor.down


def test_workers_are_kept_and_what_an_index_took_is_known_to_the_next_call(one_takes: Callable[[float], None]) -> None:
    one_takes(1.0)
    executors: list[AtOnce] = []

    def start() -> Workers:
        executors.append(AtOnce())
        return Workers(executors[-1], 2)

    with Crew(start) as crew:
        crew.compute(square, range(5))
        assert crew.compute(square, range(5, 9)).results == {5: 25, 6: 36, 7: 49, 8: 64}
    (executor,) = executors
    assert executor.sizes == [1] * (4 + 4), "only the very first is computed here, to time it"


def test_a_time_of_another_call_leaves_no_worker_without_a_task(one_takes: Callable[[float], None]) -> None:
    one_takes(0.01)
    executor = AtOnce()
    with Crew(lambda: Workers(executor, 2)) as crew:
        crew.compute(square, range(101))
        assert executor.sizes == [50, 50]
        crew.compute(square, range(4000))  # 0.0002 s each, as the last task says: 2,500 would be worth a task
    assert executor.sizes[2:] == [2000, 2000]


def test_work_not_worth_a_process_starts_none() -> None:
    with Crew(never) as crew:
        assert crew.compute(lambda index: index, range(100)).results == {i: i for i in range(100)}
        assert crew.compute(square, []).results == {}


def test_workers_wanted_at_once_are_there_before_any_work_and_end_without_it() -> None:
    executor = AtOnce()
    with Crew(lambda: Workers(executor, 2), at_once=True):
        pass
    assert executor.down
    with pytest.raises(AssertionError, match="no workers"), Crew(never, at_once=True):
        pass


def test_progress_counts_what_is_done() -> None:
    heard: list[int] = []
    Crew().compute(lambda index: index, range(5), heard.append)
    assert heard == [1, 2, 3, 4, 5]


def test_ctrl_c_keeps_what_is_done() -> None:
    def work(index: int) -> int:
        if index == 3:
            raise KeyboardInterrupt
        return index

    stopped = Crew().compute(work, range(10))
    assert stopped.interrupted
    assert stopped.results == {0: 0, 1: 1, 2: 2}


def test_ctrl_c_keeps_the_task_in_work_and_gives_up_those_not_begun(one_takes: Callable[[float], None]) -> None:
    """Four tasks are handed out; one is done, one is in work and two are not begun when Ctrl-C comes."""
    one_takes(1.0)

    def done(count: int) -> None:
        if count == 2:
            raise KeyboardInterrupt

    with Crew(lambda: Workers(OneInWork(), 2)) as crew:
        stopped = crew.compute(square, range(9), done)
    assert stopped.interrupted
    assert stopped.results == {0: 0, 1: 1, 2: 4}


def test_an_error_in_a_replication_is_not_swallowed(one_takes: Callable[[float], None]) -> None:
    one_takes(1.0)

    def work(index: int) -> int:
        if index == 30:
            raise ValueError("broken")
        return index

    executor = AtOnce()
    with pytest.raises(ValueError, match="broken"), Crew(lambda: Workers(executor, 2)) as crew:
        crew.compute(work, range(100))
    assert executor.down


def die_at_five(index: int) -> int:
    if index == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return index


def test_a_worker_process_that_is_killed_is_not_waited_for(one_takes: Callable[[float], None]) -> None:
    one_takes(1.0)
    with pytest.raises(BrokenExecutor), Crew(lambda: processes(2, "sim.crew")) as crew:
        crew.compute(die_at_five, range(10))


_PARENT = """
import os
from sim.crew import processes

if __name__ == "__main__":
    workers = processes(2, "sim.crew").executor
    for each in [workers.submit(os.getpid) for _ in range(8)]:
        print(each.result(), flush=True)
    print("ready", flush=True)
    input()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_no_signal_comes_between_a_process_and_the_record_of_it(number: signal.Signals) -> None:
    before = signal.signal(number, signal.default_int_handler)
    done = []
    try:
        with pytest.raises(KeyboardInterrupt), _ctrl_c_held():  # noqa: PT012 - how far it comes is the test
            signal.raise_signal(number)
            done.append("all of it")
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert done == ["all of it"]


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
