"""What a drill expects of its people: runs of it, for the sheet of the day and for what is compared with it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from kirikae.options import OptionError
from kirikae.progress import progress
from kirikae.runner import run_all
from reports.checked import checked
from reports.console import safe_console
from reports.lint_terminal import print_checked
from reports.summary import RunSummary
from reports.wording import number_of
from scenarios.loader import Loaded
from scenarios.model import Drill
from scenarios.text import translator


@dataclass(frozen=True, slots=True)
class Asked:
    """How runs are asked for on the command line; None leaves it to the drill or to a default."""

    replications: int | None
    seed: int | None
    workers: int | None


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a drill, on the engine `calls`."""

    drill: Drill
    """With the seed and the number of runs that were asked for."""
    summaries: Sequence[RunSummary]
    """At least one."""
    interrupted: bool


def expected(loaded: Loaded, name: str, asked: Asked, language: str, console: Console) -> Runs | None:
    """Play a drill as often as asked; None for a plan with errors, which are printed on standard error.

    Raises :class:`~kirikae.options.OptionError` for a drill without a runbook, and KeyboardInterrupt when it is stopped
    before the first run is done.
    """
    if not loaded.drill.runbook:
        raise OptionError(
            f"{name}: this drill has no runbook, so that nobody has anything to do (allowed: one that has)"
        )
    plan = checked(loaded, name)
    if plan.errors:
        told = safe_console(sys.stderr)
        print_checked(told, plan, translator(language))
        told.print(f"The plan has {number_of(plan.errors, 'error')}; nothing was run.", soft_wrap=True)
        return None
    given = {"replications": asked.replications, "seed": asked.seed}
    run = loaded.drill.run.model_copy(update={key: value for key, value in given.items() if value is not None})
    drill = loaded.drill.model_copy(update={"run": run})
    with progress(console, "replications", run.replications) as done:
        runs = run_all(drill, seed=run.seed, replications=run.replications, workers=asked.workers, done=done)
    if not runs.results:
        raise KeyboardInterrupt
    return Runs(drill, tuple(runs.results.values()), runs.interrupted)
