"""The `calls` engine in this process, with the fold that makes the metrics of a replication, and no files."""

from benchmarks.workload import Load, Tally
from reports.fold import Fold
from reports.queries import default_queries
from scenarios.expectations import Query
from sim.engine import play


def engine(load: Load) -> Tally:
    """Play the load as one replication of the drill, and read the tally from its summary."""
    drill = load.workload.drill()
    fold = Fold(drill, default_queries(drill))
    play(drill, [iter(load.blocks)], load.seed, 0, fold)
    values = fold.summary().values
    return Tally(*(int(values[Query(metric)] or 0) for metric in METRICS))


METRICS = ("attempts", "blocked", "dropped")
"""What kirikae calls the entries of a tally."""
