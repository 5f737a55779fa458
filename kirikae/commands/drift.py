"""`kirikae drift`."""

import sys
from typing import Annotated

import typer

from kirikae.commands.failures import explained, live_explained
from kirikae.commands.options import ClusterOption, DrillArgument, QuietOption, SeedOption, WorkersOption
from kirikae.engines import NAMES
from reports.console import safe_console

EXAMPLES = """
Examples:

  kirikae drift sbc-pair-takeover --engines calls,packets

  kirikae drift tokyo-osaka-dr --engines calls,packets --for 20m --json -

  kirikae drift sbc-pair-takeover --engines calls,slow=calls --set slow:sbc_pairs.edge.detect.advert=1.2s

Exit codes: 0 the engines agree, 1 they differ by more than the drill allows, 2 the file or the command line is wrong,
3 too few replications to tell, or no evidence.
"""


def drift_command(
    file: DrillArgument,
    engines: Annotated[
        str,
        typer.Option(
            metavar="A,B",
            help="Engines, each held against the first; the same engine once more as NAME=ENGINE.",
        ),
    ] = ",".join(NAMES),
    replications: Annotated[
        int | None,
        typer.Option(
            "--replications", "-n", min=1, max=100_000, help="Runs in each engine; by default what the drill says."
        ),
    ] = None,
    seed: SeedOption = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="[ENGINE:]PATH=VALUE",
            help="Change a value of the drill, for all engines or for one; may be repeated.",
        ),
    ] = None,
    lasts: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="Play only so much of the run; by default what the drill says."),
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Show the metrics that agree as well.")] = False,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write all of it there as JSON; - is standard output.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Play a drill with the same callers in several engines, and say how far apart they are."""
    from kirikae import drift, drills

    console = safe_console(sys.stderr if json == "-" else sys.stdout, quiet=quiet)
    options = drift.Options(
        engines=engines,
        changes=changes or [],
        seed=seed,
        replications=replications,
        lasts=lasts,
        workers=workers,
        cluster=cluster,
        json=json,
        everything=everything,
    )
    with explained(file), live_explained():
        code = drift.compare(drills.find(file), file, options, console)
    raise typer.Exit(code)
