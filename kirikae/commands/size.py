"""`kirikae size`."""

import sys
from typing import Annotated

import typer

from kirikae.commands.failures import explained, workers_explained
from kirikae.commands.options import ClusterOption, DrillArgument, QuietOption, SeedOption, WorkersOption
from kirikae.engines import DEFAULT, VIRTUAL
from reports.console import safe_console
from sim.sizing import MOST

EXAMPLES = """
Examples:

  kirikae size port-exhaustion --vary ports.tenant --target 'blocked_ratio < 1%' --most 384

  kirikae size plan.kirikae.yaml --vary agents.sales.count --target 'service_level{queue=sales} > 80%'

  kirikae size plan.kirikae.yaml --vary 'traffic\\[0].arrivals' --maximise --target 'blocked_ratio < 1%'

  kirikae size plan.kirikae.yaml --vary sbc_pairs.edge.ports=50..200@1200 --vary trunks.ntt.channels=50..200@900
      --target 'blocked_ratio < 1%'

  kirikae size plan.kirikae.yaml --vary trunks.ntt.channels --confidence 99% --json - | jq .answer.values

Exit codes: 0 found, 1 cannot be met, 2 the file or the command line is wrong, 3 the runs cannot tell, or stopped.
"""


def size_command(
    file: DrillArgument,
    vary: Annotated[
        list[str],
        typer.Option(
            "--vary",
            metavar="PATH[=LOW..HIGH][@PRICE]",
            help="The number to find; may be repeated, with the price of one, for the cheapest combination.",
        ),
    ],
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="EXPR",
            help="What has to be met, such as 'blocked_ratio < 1%'; may be repeated; by default what is expected.",
        ),
    ] = None,
    maximise: Annotated[
        bool, typer.Option("--maximise", help="Find the largest value instead of the smallest, such as of arrivals.")
    ] = False,
    confidence: Annotated[str, typer.Option(metavar="SHARE", help="How sure the answer has to be.")] = "95%",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the drill for this search."),
    ] = None,
    engine: Annotated[str, typer.Option(metavar=" | ".join(VIRTUAL), help="What moves, as in run.")] = DEFAULT,
    seed: SeedOption = None,
    most: Annotated[
        int, typer.Option("--most", min=1, max=100_000, metavar="RUNS", help="Runs that one value is worth.")
    ] = MOST,
    start: Annotated[
        str | None,
        typer.Option(metavar="VALUE", help="Where to begin; by default at the closed form. The answer is the same."),
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    beside: Annotated[
        bool, typer.Option("--beside/--alone", help="Also why a formula says otherwise, and what other days need.")
    ] = True,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write all of it there as JSON; - is standard output.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Find the smallest number of a drill that meets a target, or the cheapest combination of several."""
    from kirikae import drills, size

    console = safe_console(sys.stderr if json == "-" else sys.stdout, quiet=quiet)
    options = size.Options(
        vary=vary,
        targets=targets or [],
        maximise=maximise,
        confidence=confidence,
        changes=changes or [],
        engine=engine,
        seed=seed,
        most=most,
        start=start,
        workers=workers,
        cluster=cluster,
        beside=beside,
        json=json,
    )
    with explained(file), workers_explained():
        code = size.size(drills.find(file), file, options, console)
    raise typer.Exit(code)
