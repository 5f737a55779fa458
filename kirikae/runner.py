"""One run of a drill: its replications, each folded where it is computed, so that only summaries travel."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from reports.fold import Fold
from reports.folder import Tee
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

    def run(self, replication: int, also: Recorder | None = None) -> RunSummary:
        """Play one replication and fold its evidence, which ``also`` hears too."""
        fold = Fold(self.drill, self.queries)
        record(self.drill, self.seed, replication, fold if also is None else Tee(fold, also))
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
    also: Recorder | None = None,
) -> Replications[RunSummary]:
    """Run all replications of a drill on ``workers`` processes, by default one for each core this process may use.

    The summaries are the same whatever the number of workers; one replication is played in this process, and ``also``
    may hear what happens in it. Raises what an engine raises.
    """
    workers = min(workers or len(os.sched_getaffinity(0)), replications)
    start = partial(processes, workers, "kirikae.runner") if workers > 1 else None
    task = Task(drill, seed, default_queries(drill))
    return replicate(task.run if also is None else partial(task.run, also=also), replications, start, done)
