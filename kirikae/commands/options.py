"""Options that several commands have."""

from typing import Annotated

import typer

from scenarios.text import LANGUAGES

DrillArgument = Annotated[str, typer.Argument(help="A drill file, or the name of a bundled drill.", metavar="FILE")]
SeedOption = Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Same file and seed, same result.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No summary; the exit code says it.")]
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
ReplicationsOption = Annotated[
    int | None,
    typer.Option(
        "--replications", "-n", min=1, max=100_000, help="Runs with different draws; by default what the drill says."
    ),
]
ChangesOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the drill for this run; may be repeated."),
]
LanguageOption = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar=" | ".join(LANGUAGES),
        help="Language of the messages; by default that of the environment (KIRIKAE_LANG, LC_ALL, LC_MESSAGES, LANG).",
    ),
]
