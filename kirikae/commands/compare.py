"""`kirikae compare`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kirikae.commands.failures import explained, stop, workers_explained
from kirikae.commands.options import ClusterOption, QuietOption, SeedOption, WorkersOption
from kirikae.engines import DEFAULT, VIRTUAL
from reports.console import safe_console

EXAMPLES = """
Examples:

  kirikae compare runs/plan-001 runs/plan-002

  kirikae compare plan.kirikae.yaml plan.kirikae.yaml --set-b ports.tenant=300 --html compared.html

  kirikae compare old.kirikae.yaml new.kirikae.yaml --tolerance 2% --tolerance recovery_time=2m --junit compared.xml

  kirikae compare plan.kirikae.yaml --against last --baseline baselines

  kirikae compare runs/night --against last --accept

Exit codes: 0 B is not worse, 1 it is worse by more than --tolerance, or fails an expectation that A meets, 2 a file or
the command line is wrong, 3 it cannot be told: no evidence, or too few runs.
"""


def compare_command(
    first: Annotated[
        str, typer.Argument(metavar="A", help="A run's folder or its result.json, a drill file, or a bundled drill.")
    ],
    second: Annotated[str | None, typer.Argument(metavar="B", help="The same; what is held against A.")] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="last", help="In place of B: hold A against the baseline of its drill and engine."),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of baselines; by default baselines/.")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Make this run the baseline, however it compares.")] = False,
    tolerances: Annotated[
        list[str] | None,
        typer.Option(
            "--tolerance",
            metavar="[METRIC=]AMOUNT",
            help="By how much B may be worse: 2% of A's value for all metrics (5% unless it is said), or "
            "'blocked_ratio=0.5 points', 'recovery_time=2m'; may be repeated.",
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar=" | ".join(VIRTUAL),
            help=f"What plays drills; by default that of the run on the other side, or {DEFAULT}.",
        ),
    ] = None,
    seed: SeedOption = None,
    replications: Annotated[
        int | None,
        typer.Option(
            "--replications",
            "-n",
            min=1,
            max=100_000,
            help="Runs of each drill; by default those of the run on the other side, or what drill A says.",
        ),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a value of both drills; may be repeated."),
    ] = None,
    changes_a: Annotated[
        list[str] | None, typer.Option("--set-a", metavar="PATH=VALUE", help="The same of drill A alone.")
    ] = None,
    changes_b: Annotated[
        list[str] | None, typer.Option("--set-b", metavar="PATH=VALUE", help="The same of drill B alone.")
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Show the metrics without a difference as well.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with the charts of both laid over each other.")
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write all of it there as JSON; - is standard output.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as JUnit there, for CI.")] = None,
    quiet: QuietOption = False,
) -> None:
    """Hold a run against another, or a plan against another version of it; say what is worse, and how sure that is."""
    from kirikae import compare
    from kirikae.options import OptionError
    from reports.compare_baseline import FOLDER
    from reports.compare_runs import RunError

    console = safe_console(sys.stderr if json == "-" else sys.stdout, quiet=quiet)
    options = compare.Options(
        against=against,
        baseline=baseline or FOLDER,
        accept=accept,
        tolerances=tolerances or (),
        engine=engine,
        seed=seed,
        replications=replications,
        changes=changes or (),
        changes_a=changes_a or (),
        changes_b=changes_b or (),
        workers=workers,
        cluster=cluster,
        everything=everything,
        html=html,
        json=json,
        junit=junit,
    )
    named = first if second is None else f"{first} or {second}"
    with explained(named), workers_explained():
        try:
            if (second is None) == (against is None):
                raise OptionError("what A is held against is B, or --against last (allowed: one of them)")
            if second is None:
                code = compare.compare_with_last(first, options, console)
            elif baseline is not None:
                raise OptionError("--baseline: there is B (allowed with --against last)")
            else:
                code = compare.compare_two(first, second, options, console)
        except RunError as error:
            stop(str(error))
    raise typer.Exit(code)
