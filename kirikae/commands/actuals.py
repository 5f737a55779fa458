"""`kirikae actuals`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kirikae.commands.failures import explained, workers_explained
from kirikae.commands.options import ChangesOption, LanguageOption, ReplicationsOption, SeedOption, WorkersOption
from reports.console import safe_console

EXAMPLES = """
Examples:

  kirikae actuals plan.kirikae.yaml sheet.csv

  kirikae actuals plan.kirikae.yaml spring.csv autumn.csv --write plan-measured.kirikae.yaml

  kirikae actuals plan.kirikae.yaml sheet.csv --json - | jq .proposals

Exit codes: 0 compared, whatever came out, 2 the drill, a sheet or the command line is wrong, 3 stopped before all runs
were played.
"""


def actuals_command(
    file: Annotated[str, typer.Argument(help="A drill file, or the name of a bundled drill.", metavar="FILE")],
    sheets: Annotated[list[Path], typer.Argument(help="Sheets of kirikae runbook --csv, filled in.", metavar="SHEET")],
    write: Annotated[
        Path | None, typer.Option("--write", metavar="OUT", help="Write the drill with the proposed times there.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace that file if there is one.")] = False,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write it there as JSON; - is standard output.")
    ] = None,
    language: LanguageOption = None,
    replications: ReplicationsOption = None,
    seed: SeedOption = None,
    changes: ChangesOption = None,
    workers: WorkersOption = None,
) -> None:
    """Compare filled sheets with what the drill expects, and propose new times for it."""
    from kirikae import actuals, drills
    from kirikae.expected import Asked
    from scenarios.loader import load

    console = safe_console(sys.stderr if json == "-" else sys.stdout)
    asked = Asked(replications, seed, workers)
    with explained(file), workers_explained():
        path = drills.find(file)
        loaded = load(path, changes or [])
        options = actuals.Options(tuple(changes or ()), asked, language, json, write, force)
        code = actuals.compare_sheets(loaded, path, file, sheets, options, console)
    raise typer.Exit(code)
