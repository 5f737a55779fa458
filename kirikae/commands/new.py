"""`kirikae new`."""

from pathlib import Path
from typing import Annotated

import typer

from kirikae.commands.failures import stop

SYSTEMS = ("biztel", "cxone-ports")
"""What there are questions for."""

EXAMPLES = """
Examples:

  kirikae new --system biztel --out plan.kirikae.yaml

  kirikae new --system biztel --out plan.kirikae.yaml --published 0120-123-456 --calls 600/h --agents 60
"""


def new_command(
    system: Annotated[str, typer.Option(metavar=" | ".join(SYSTEMS), help="What the plan is for.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to; a file that is there is not replaced.")],
    force: Annotated[bool, typer.Option("--force", help="Replace it.")] = False,
    ask: Annotated[
        bool | None,
        typer.Option("--ask/--no-ask", help="Whether to ask for what no option says; by default on a terminal."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="What happens, in one line.")] = None,
    primary: Annotated[str | None, typer.Option(help="Name of the primary site.")] = None,
    secondary: Annotated[str | None, typer.Option(help="biztel: name of the DR site.")] = None,
    published: Annotated[str | None, typer.Option(help="The number that callers dial.")] = None,
    behind: Annotated[str | None, typer.Option(help="The number behind it.")] = None,
    behind_dr: Annotated[str | None, typer.Option(help="biztel: the number behind it on the DR site.")] = None,
    calls: Annotated[str | None, typer.Option(help="Calls in a busy hour, such as 600/h.")] = None,
    talk: Annotated[str | None, typer.Option(help="How long people talk, such as 3m.")] = None,
    agents: Annotated[str | None, typer.Option(help="Agents on duty.")] = None,
    campaign: Annotated[str | None, typer.Option(help="cxone-ports: calls in the hour of the campaign.")] = None,
    daily_limit: Annotated[
        str | None, typer.Option(help="cxone-ports: growth of ports in a day that needs no review.")
    ] = None,
) -> None:
    """Write a commented drill for a system, from a few answers."""
    from kirikae import new

    given = {
        "title": title,
        "primary": primary,
        "secondary": secondary,
        "published": published,
        "behind": behind,
        "behind_dr": behind_dr,
        "calls": calls,
        "talk": talk,
        "agents": agents,
        "campaign": campaign,
        "daily_limit": daily_limit,
    }
    try:
        name = new.known(system)
        new.refuse_existing(out, force=force)
        answers, written = new.answer(name, given, ask=new.on_terminal() if ask is None else ask)
        for path in new.write(new.text_of(name, answers, written), out, force=force):
            typer.echo(path)
    except new.NewError as error:
        stop(str(error))
    except OSError as error:
        stop(f"{error.filename}: {error.strerror}")
