"""`kirikae number`."""

from typing import Annotated

import typer

from kirikae.commands.failures import stop
from scenarios.numberplan import NumberError, describe, parse_number

EXAMPLES = "Example:\n\n  kirikae number 0120-123-456"


def number_command(number: Annotated[str, typer.Argument(help="A number as people write it.")]) -> None:
    """Say what a Japanese number is and where it may lead."""
    try:
        rows = describe(parse_number(number))
    except NumberError as error:
        stop(f"{number}: {error.reason} (allowed: {error.allowed})")
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        typer.echo(f"{label:<{width}}  {value}")
