"""`kirikae runbook`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kirikae.commands.failures import explained, workers_explained
from kirikae.commands.options import ChangesOption, LanguageOption, ReplicationsOption, SeedOption, WorkersOption
from reports.console import safe_console

EXAMPLES = """
Examples:

  kirikae runbook tokyo-osaka-dr

  kirikae runbook plan.kirikae.yaml --html sheet.html --csv sheet.csv --lang ja

  kirikae runbook plan.kirikae.yaml --set 'run.start=2026-11-24 09:00' --json - | jq .steps

Exit codes: 0 printed, 2 the file or the command line is wrong, 3 stopped before all runs were played.
"""


def runbook_command(
    file: Annotated[str, typer.Argument(help="A drill file, or the name of a bundled drill.", metavar="FILE")],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write it there for paper, made for A4.")
    ] = None,
    csv: Annotated[
        str | None,
        typer.Option("--csv", metavar="FILE", help="Write it there for a spreadsheet; - is standard output."),
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write it there as JSON; - is standard output.")
    ] = None,
    language: LanguageOption = None,
    replications: ReplicationsOption = None,
    seed: SeedOption = None,
    changes: ChangesOption = None,
    workers: WorkersOption = None,
) -> None:
    """Print the sheet that people hold on the day: steps, expected times, go/no-go points, blanks."""
    from kirikae import drills, runbook
    from kirikae.expected import Asked
    from scenarios.loader import load

    console = safe_console(sys.stderr if "-" in (csv, json) else sys.stdout)
    asked = Asked(replications, seed, workers)
    with explained(file), workers_explained():
        loaded = load(drills.find(file), changes or [])
        options = runbook.Options(tuple(changes or ()), asked, language, html, csv, json)
        code = runbook.print_runbook(loaded, file, options, console)
    raise typer.Exit(code)
