"""What handing replications out costs, and what it gains: this process, processes, and a cluster on this machine.

Seconds are of the clock on the wall, as work that others do is no processor time of ours.
"""

import time
from concurrent.futures import wait
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from benchmarks.local_cluster import scheduler, worker
from benchmarks.measure import Json, Options, Spread, ratios, table, turn_about
from benchmarks.truth import DisagreementError
from benchmarks.workload import Workload
from kirikae.cluster import connect
from kirikae.runner import Task
from reports.queries import default_queries
from reports.summary import RunSummary
from sim.crew import WORTH_A_TASK, Crew, Workers, processes

CALLS = 30_000
RATE = 50.0
"""Callers of the drill at most, and how many of them come in a second: 10 minutes."""
REPLICATIONS = 8
"""In one take."""
TASKS = 200
"""Empty tasks in one take."""
SEED = 1
HERE = "in this process"
ONE, TWO = "one process", "two processes"
CLUSTER = "cluster of two workers"


@dataclass(frozen=True, slots=True)
class Echo:
    """A task that carries what a replication's does, both ways, and computes nothing."""

    task: Task
    summary: RunSummary

    def run(self, replication: int) -> RunSummary:
        """Return what is there already."""
        return self.summary


def main(options: Options) -> Json:
    """Print what a task costs by each way, and replications a second; the numbers of all ways have to agree."""
    workload = Workload(min(options.calls, CALLS), rate=RATE)
    drill = workload.drill()
    task = Task(drill, SEED, default_queries(drill))
    echo = Echo(task, task.run(0))
    print(
        f"executors: {REPLICATIONS} replications of a drill of {workload.lasts:g} s with {RATE:g} calls/s, {TASKS} "
        f"empty tasks, {options.repeats} rounds, by the clock on the wall"
    )
    with ExitStack() as stack:
        begun, hands = _begun(stack, echo)
        crews = {HERE: Crew(), **{name: Crew(partial(_kept, each)) for name, each in hands.items()}}
        for crew in crews.values():
            crew.compute(task.run, [0])  # here, so that what one takes is known
        played = turn_about({name: partial(_replicate, crew, task) for name, crew in crews.items()}, options.repeats)
        alone = turn_about({name: partial(_one_by_one, each, echo) for name, each in hands.items()}, options.repeats)
        many = turn_about({name: partial(_all_at_once, each, echo) for name, each in hands.items()}, options.repeats)
    told = [results for takes in played.values() for _, results in takes]
    if any(results != told[0] for results in told):
        raise DisagreementError("replications have other numbers by one way than by another")
    rates = {name: [REPLICATIONS / seconds for seconds, _ in takes] for name, takes in played.items()}
    figures: Json = {
        name: {
            "replications_per_second": Spread.of(rates[name]).json(),
            "times_this_process": ratios(rates[name], rates[HERE]).json(),
        }
        for name in crews
    }
    for name in hands:
        figures[name] |= {
            "first_task_s": begun[name],
            "task_alone_ms": Spread.of(alone[name]).json(),
            "task_of_many_ms": Spread.of(many[name]).json(),
            "share_of_a_task": Spread.of(many[name]).median / 1000 / WORTH_A_TASK,
            "share_of_a_replication": Spread.of(many[name]).median / 1000 * Spread.of(rates[HERE]).median,
        }
    _show(figures)
    return figures


def _begun(stack: ExitStack, echo: Echo) -> tuple[dict[str, float], dict[str, Workers]]:
    """Start all workers; return them, and the seconds until each had done a task for the first time."""
    ways = {ONE: partial(processes, 1, "kirikae.runner"), TWO: partial(processes, 2, "kirikae.runner")}
    try:
        import distributed  # noqa: F401 - whether it is there
    except ImportError:
        print(f"{CLUSTER}: distributed is not installed")
    else:
        address = stack.enter_context(scheduler())
        for before in range(2):
            stack.enter_context(worker(address, before))
        ways[CLUSTER] = partial(connect, address)
    begun, hands = {}, {}
    for name, start in ways.items():
        began = time.perf_counter()
        hands[name] = start()
        stack.callback(hands[name].executor.shutdown)
        wait([hands[name].executor.submit(echo.run, index) for index in range(hands[name].count)])
        begun[name] = time.perf_counter() - began
    return begun, hands


def _kept(workers: Workers) -> Workers:
    return workers


def _replicate(crew: Crew, task: Task) -> tuple[float, dict[int, RunSummary]]:
    """Compute the replications of a take; return the seconds it took, and their summaries."""
    began = time.perf_counter()
    results = crew.compute(task.run, range(REPLICATIONS)).results
    return time.perf_counter() - began, results


def _one_by_one(workers: Workers, echo: Echo) -> float:
    """Return the milliseconds of a task where the next is handed out when it is back."""
    began = time.perf_counter()
    for index in range(TASKS):
        workers.executor.submit(echo.run, index).result()
    return (time.perf_counter() - began) * 1000 / TASKS


def _all_at_once(workers: Workers, echo: Echo) -> float:
    """Return the milliseconds of a task where all are handed out at the beginning."""
    began = time.perf_counter()
    wait([workers.executor.submit(echo.run, index) for index in range(TASKS)])
    return (time.perf_counter() - began) * 1000 / TASKS


def _show(figures: Json) -> None:
    """Print both tables."""
    rows = [
        (
            name,
            *(Spread(**each[figure]).shown(".2f") for figure in ("task_alone_ms", "task_of_many_ms")),
            *(f"{each[figure]:.1%}" for figure in ("share_of_a_task", "share_of_a_replication")),
            f"{each['first_task_s']:.1f}",
        )
        for name, each in figures.items()
        if "first_task_s" in each
    ]
    print(
        table(
            (
                "a task",
                "alone, ms",
                "of many, ms",
                f"of {WORTH_A_TASK:g} s",
                "of a replication",
                "until each has done one, s",
            ),
            rows,
        )
    )
    print()
    rows = [
        (name, *(Spread(**each[figure]).shown(".2f") for figure in ("replications_per_second", "times_this_process")))
        for name, each in figures.items()
    ]
    print(table(("the drill", "replications/s", f"{HERE} = 1"), rows))
