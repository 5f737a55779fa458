"""Options that several commands have, and what can be wrong with any."""

from typing import Annotated

import typer

WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Processes; by default one a core. The result does not depend on it.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="tcp://HOST:PORT",
        help="The scheduler of a dask cluster, whose workers compute in place of processes here; same result.",
    ),
]


class OptionError(ValueError):
    """An option that cannot be meant; says which, why, and what is allowed."""
