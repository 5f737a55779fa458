"""`kirikae ladder`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kirikae.commands.failures import explained
from kirikae.commands.options import LanguageOption
from reports.console import safe_console

EXAMPLES = """
Examples:

  kirikae ladder runs/takeover

  kirikae ladder runs/takeover delayed

  kirikae ladder runs/takeover 1290 --text

  kirikae ladder runs/takeover lost --html lost.html
"""


def ladder_command(
    folder: Annotated[Path, typer.Argument(help="The folder of a run with --engine packets or live.", metavar="RUN")],
    call: Annotated[
        str | None,
        typer.Argument(
            help="An attempt of calls.csv, a Call-ID, or delayed, lost, registration: the first such. "
            "Without it: what there is to show.",
            metavar="CALL",
        ),
    ] = None,
    texts: Annotated[bool, typer.Option("--text", help="The messages in full as well.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there as a page of its own.")] = None,
    language: LanguageOption = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write it there as JSON; - is standard output.")
    ] = None,
) -> None:
    """Show a call of a run message by message."""
    from kirikae import ladder

    with explained(str(folder)):
        options = ladder.Options(call, texts, html, json, language)
        ladder.show(folder, options, safe_console(sys.stdout))
