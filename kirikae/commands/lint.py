"""`kirikae lint`."""

import sys
from typing import Annotated

import typer

from kirikae.commands.failures import explained
from kirikae.commands.options import LanguageOption
from reports.console import safe_console
from scenarios.problems import Severity

EXAMPLES = """
Examples:

  kirikae lint plan.kirikae.yaml

  kirikae lint plans/ tokyo-osaka-dr --strict

  kirikae lint plans/ --sarif lint.sarif --lang ja

  kirikae lint plan.kirikae.yaml --severity error --json - | jq .totals

Exit codes: 0 every plan stands (warnings and notes are allowed, warnings not with --strict), 2 a plan has an error that
is not waived, or a file cannot be read.
"""


def lint_command(
    names: Annotated[
        list[str],
        typer.Argument(help="Drill files, folders of *.kirikae.yaml, or names of bundled drills.", metavar="FILE"),
    ],
    least: Annotated[
        Severity, typer.Option("--severity", help="Show only what matters at least so much; JSON and SARIF have all.")
    ] = Severity.NOTE,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors, in the exit code.")] = False,
    language: LanguageOption = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a value of every drill; may be repeated."),
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write all of it there as JSON; - is standard output.")
    ] = None,
    sarif: Annotated[
        str | None,
        typer.Option("--sarif", metavar="FILE", help="Write it there for code hosts (SARIF 2.1.0); - as above."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No findings; the exit code says it.")] = False,
) -> None:
    """Hold plans to their rules, without running anything."""
    from kirikae import lint

    console = safe_console(sys.stderr if "-" in (json, sarif) else sys.stdout, quiet=quiet)
    with explained(", ".join(names)):
        code = lint.lint(names, lint.Options(changes or [], least, strict, language, json, sarif), console)
    raise typer.Exit(code)
