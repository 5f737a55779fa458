"""`kirikae rules`."""

import sys
from typing import Annotated

import typer

from kirikae.commands.failures import explained
from kirikae.commands.options import LanguageOption
from reports.console import safe_console

EXAMPLES = """
Examples:

  kirikae rules

  kirikae rules Z29

  kirikae rules routing-loop --lang ja

  kirikae rules --letter P

  kirikae rules --system biztel --word softphone
"""


def rules_command(
    about: Annotated[
        str | None,
        typer.Argument(help="A row of the catalogue, such as Z29, or a plan check; by default all.", metavar="ID"),
    ] = None,
    letter: Annotated[
        str | None, typer.Option(metavar="LETTER", help="Only rows of this letter, and the checks that cite them.")
    ] = None,
    system: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only checks that plans for this system are held to by name.")
    ] = None,
    word: Annotated[str | None, typer.Option(metavar="WORD", help="Only what has this word in it.")] = None,
    language: LanguageOption = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write it there as JSON; - is standard output.")
    ] = None,
) -> None:
    """List the rules that plans are held to, or explain one."""
    from kirikae import rule_book

    console = safe_console(sys.stderr if json == "-" else sys.stdout)
    with explained(about or ""):
        rule_book.tell(rule_book.Options(about, letter, system, word, language, json), console)
