"""`kirikae sweep`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kirikae.commands.failures import explained, workers_explained
from kirikae.commands.options import ClusterOption, DrillArgument, WorkersOption
from kirikae.engines import DEFAULT, VIRTUAL
from reports.console import safe_console

EXAMPLES = """
Examples:

  kirikae sweep plan.kirikae.yaml --vary ports.tenant=90..120:5

  kirikae sweep plan.kirikae.yaml --vary ports.tenant=90,100,110 --vary 'traffic\\[0].arrivals=0.5/s..2/s:0.25/s'

  kirikae sweep tokyo-osaka-dr --vary ports.tenant=150..250 --vary agents.sales.count=100..140 --lhs 30 --seed 1

  kirikae sweep plan.kirikae.yaml --vary ports.tenant=90..120:5 --target 'blocked_ratio < 1%' --metric caller_loss

A list has commas, a range two dots and a step; a list within brackets or braces is one value. With several --vary, all
combinations are made. The same command goes on where it was stopped, and makes no point twice.

Exit codes: 0 all points are made, whatever came out, 2 the file or the command line is wrong, 3 points are missing.
"""


def sweep_command(
    file: DrillArgument,
    varied: Annotated[
        list[str] | None,
        typer.Option(
            "--vary", metavar="PATH=VALUES", help="Values of the drill to try: a list or a range; may be repeated."
        ),
    ] = None,
    lhs: Annotated[
        int | None,
        typer.Option(
            "--lhs",
            metavar="N",
            min=1,
            help="Try N points spread over all ranges (a Latin hypercube, by --seed) in place of all combinations.",
        ),
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="METRIC", help="A metric to show; by default those of the expectations."),
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--target", metavar="EXPR", help="An expectation to judge every point by, in place of the drill's."
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(metavar=" | ".join(VIRTUAL), help="What moves: call attempts (calls) or SIP messages (packets)."),
    ] = DEFAULT,
    replications: Annotated[
        int | None,
        typer.Option(
            "--replications", "-n", min=1, max=100_000, help="Runs of each point; by default what the drill says."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="The same for all points: they get the same callers.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PATH=VALUE", help="Change a value of the drill for all points; may be repeated."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for the results; by default one under runs/, named after what is varied."
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what is finished in that folder.")] = False,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Also write sweep.json there; - is standard output.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No table.")] = False,
) -> None:
    """Run a drill at many points: every combination of some values, or a sample of them."""
    from kirikae import drills, sweep

    console = safe_console(sys.stderr if json == "-" else sys.stdout, quiet=quiet)
    options = sweep.Options(
        varied=varied or (),
        lhs=lhs,
        metrics=metrics or (),
        targets=targets or (),
        changes=changes or (),
        engine=engine,
        seed=seed,
        replications=replications,
        out=out,
        fresh=fresh,
        workers=workers,
        cluster=cluster,
        json=json,
    )
    with explained(file), workers_explained():
        code = sweep.sweep(drills.find(file), file, options, console)
    raise typer.Exit(code)
