"""`kirikae drills`."""

from pathlib import Path
from typing import Annotated

import typer

from kirikae.commands.failures import stop

drills_app = typer.Typer(help="List, show and copy the bundled drills.", invoke_without_command=True)


@drills_app.callback()
def list_drills(context: typer.Context) -> None:
    """List, show and copy the bundled drills."""
    from kirikae import drills

    if context.invoked_subcommand is None:
        for name, title in drills.bundled():
            typer.echo(f"{name:<24} {title}")


@drills_app.command("show")
def show_drill(name: Annotated[str, typer.Argument(help="A bundled drill.")]) -> None:
    """Print a bundled drill."""
    from kirikae import drills

    try:
        typer.echo(drills.text_of(name), nl=False)
    except drills.UnknownDrillError as error:
        stop(str(error))


@drills_app.command("copy")
def copy_drill(
    name: Annotated[str, typer.Argument(help="A bundled drill.")],
    folder: Annotated[Path, typer.Argument(help="Where to.")] = Path(),
) -> None:
    """Copy a bundled drill, and the schema that lets an editor complete and check it."""
    from kirikae import drills

    try:
        for path in drills.copy(name, folder):
            typer.echo(path)
    except drills.UnknownDrillError as error:
        stop(str(error))
    except OSError as error:
        stop(f"{error.filename}: {error.strerror}")
