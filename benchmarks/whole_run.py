"""The whole of `kirikae run` as a user starts it: a process of its own, from the file to the report."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.ours import METRICS
from benchmarks.workload import Tally, Workload

ROOT = Path(__file__).parent.parent
NO_EVIDENCE = 3
"""Exit code of a run too short for its verdict, as one replication may be."""


class Cost(NamedTuple):
    """What a command took."""

    seconds: float
    """Processor time."""
    peak: int
    """Most resident memory, in bytes."""
    code: int
    """Its exit code."""


class RunError(Exception):
    """`kirikae run` did not do its work."""


def whole_run(workload: Workload, seed: int, *, calls: bool) -> tuple[Tally, Cost]:
    """Run the workload's drill once; ``calls``: with `calls.csv` and `journal.jsonl`. Raises RunError.

    The tally is read from `result.json`, and with ``calls`` the rows of `calls.csv` have to be as many as the attempts.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan, out = folder / "failover.kirikae.yaml", folder / "out"
        plan.write_text(json.dumps(workload.plan()), encoding="utf-8")  # JSON is YAML
        options = ["--seed", str(seed), "--workers", "1", "--out", str(out), "--quiet"]
        options += [] if calls else ["--no-calls"]
        cost = measured([sys.executable, "-m", "kirikae", "run", str(plan), *options])
        if cost.code not in (0, NO_EVIDENCE):
            raise RunError(f"kirikae run ended with exit code {cost.code}")
        metrics = json.loads((out / "result.json").read_text(encoding="utf-8"))["metrics"]
        tally = Tally(*(int(metrics[metric]["value"]) for metric in METRICS))
        if calls:
            with (out / "calls.csv").open("rb") as file:
                rows = sum(1 for _ in file) - 1
            if rows != tally.attempts:
                raise RunError(f"calls.csv has {rows} rows for {tally.attempts} attempts")
    return tally, cost


def measured(command: list[str]) -> Cost:
    """Run a command from the root of the project and measure it from a small process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peak", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return Cost(**json.loads(done.stdout))
