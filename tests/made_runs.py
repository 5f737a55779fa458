"""Runs of made-up values, written as `kirikae run` writes them, for tests of what compares them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reports.compare_runs import Run, run_of
from reports.folder import write_all
from reports.judge import Judged, judge
from reports.origin import Origin
from reports.queries import resolve
from reports.replications import replications
from reports.result import result
from reports.summary import Value
from scenarios.expectations import parse_query
from tests.made_evidence import drill, fold

NEVER = math.inf
ORIGIN = Origin("plan.kirikae.yaml", drill={"ports": {"tenant": 250}})
HERE = Path("made")


def judged(
    values: Mapping[str, Sequence[Value]],
    *,
    seed: int = 1,
    engine: str = "calls",
    expect: Sequence[str] = ("asr > 50%",),
    interrupted: bool = False,
    **changes: object,
) -> Judged:
    """Return a run with these values of its metrics, one for each replication, and those of no calls for the others."""
    plan = drill(expect=expect, faults=False, **changes)
    (runs,) = {len(each) for each in values.values()}
    plan = plan.model_copy(update={"run": plan.run.model_copy(update={"replications": runs})})
    usual = fold(plan)
    queries = {text: resolve(parse_query(text)) for text in values}
    summaries = [
        replace(usual, values={**usual.values, **{queries[text]: values[text][index] for text in values}})
        for index in range(runs)
    ]
    return judge(plan, summaries, engine=engine, seed=seed, interrupted=interrupted)


def made(values: Mapping[str, Sequence[Value]], origin: Origin = ORIGIN, numbers: Any = None, **asked: Any) -> Run:
    """Return such a run as its files tell of it."""
    told = judged(values, **asked)
    return run_of(result(told, origin), replications(told, origin, numbers), "made", HERE, HERE)


def write(folder: Path, values: Mapping[str, Sequence[Value]], origin: Origin = ORIGIN, **asked: Any) -> Path:
    """Write such a run into a folder, and return that."""
    write_all(folder, judged(values, **asked), origin)
    return folder
