"""One run of a drill: its replications, each folded where it is computed, so that only summaries travel."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from reports.fold import Fold
from reports.queries import default_queries
from reports.summary import RunSummary
from scenarios.evidence import Recorder
from scenarios.expectations import Query
from scenarios.model import Drill
from sim.engine import play
from sim.replicate import Replications, processes, replicate
from sim.traffic import load


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs to compute replications; picklable."""

    drill: Drill
    seed: int
    queries: tuple[Query, ...]

    def run(self, replication: int) -> RunSummary:
        """Play one replication and fold its evidence."""
        fold = Fold(self.drill, self.queries)
        record(self.drill, self.seed, replication, fold)
        return fold.summary()


def record(drill: Drill, seed: int, replication: int, recorder: Recorder) -> None:
    """Play one replication on the `calls` engine and hand its evidence to ``recorder``."""
    play(drill, load(drill, seed, replication), seed, replication, recorder)


def run_all(
    drill: Drill,
    *,
    seed: int,
    replications: int,
    workers: int | None = None,
    done: Callable[[int], None] = lambda count: None,
) -> Replications[RunSummary]:
    """Run all replications of a drill on ``workers`` processes, by default one for each core this process may use.

    The summaries are the same whatever the number of workers. Raises what an engine raises.
    """
    workers = workers or len(os.sched_getaffinity(0))
    start = partial(processes, min(workers, replications), "kirikae.runner") if workers > 1 else None
    task = Task(drill, seed, default_queries(drill))
    return replicate(task.run, replications, start, done)
