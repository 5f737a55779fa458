"""`kirikae erlang`: Erlang's formulas and their relatives as a calculator, for any one unknown."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kirikae.commands.failures import stop
from kirikae.output import output, put
from reports import files
from reports.console import safe_console
from scenarios.theory.calculator import FORMULAS, QuestionError, ask

erlang_app = typer.Typer(
    help="Calculate with Erlang's formulas: give all quantities but one, and that one is found.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog="A quantity may be a list such as 10,20,30 or a range with a step such as 10..100/10; two may, for a table.",
)

Load = Annotated[str | None, typer.Option("--load", metavar="ERLANG", help="Traffic offered, such as 33.333.")]
Arrivals = Annotated[
    str | None, typer.Option("--arrivals", metavar="RATE", help="Calls per time, such as 0.5/s; with --holding a load.")
]
Holding = Annotated[str | None, typer.Option("--holding", metavar="TIME", help="Mean time of a call, such as 3m.")]
Ports = Annotated[str | None, typer.Option("--ports", metavar="N", help="Ports, lines or channels.")]
Agents = Annotated[str | None, typer.Option("--agents", metavar="N", help="Agents on duty.")]
Blocking = Annotated[
    str | None, typer.Option("--blocking", metavar="SHARE", help="Share of attempts that may be refused, such as 1%.")
]
Retry = Annotated[
    str | None, typer.Option("--retry", metavar="SHARE", help="Share of those refused who try again, such as 50%.")
]
Wait = Annotated[str | None, typer.Option("--wait", metavar="SHARE", help="Share of callers who may have to wait.")]
Asa = Annotated[
    str | None, typer.Option("--asa", metavar="TIME", help="Mean wait of all callers (average speed of answer).")
]
Level = Annotated[
    str | None,
    typer.Option("--level", metavar="SHARE", help="Service level: share answered --within a time, such as 80%."),
]
Within = Annotated[
    str | None, typer.Option("--within", metavar="TIME", help="Target time of the service level, such as 20s.")
]
Abandon = Annotated[str | None, typer.Option("--abandon", metavar="SHARE", help="Share of callers who may give up.")]
Patience = Annotated[
    str | None, typer.Option("--patience", metavar="TIME", help="Mean time that callers are ready to wait.")
]
Sources = Annotated[str | None, typer.Option("--sources", metavar="N", help="People or lines that call.")]
Each = Annotated[
    str | None,
    typer.Option("--each", metavar="ERLANG", help="Load of an idle source: its attempts per mean holding time."),
]
Csv = Annotated[str | None, typer.Option("--csv", metavar="FILE", help="Write it as CSV; - is standard output.")]
Json = Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write it as JSON; - is standard output.")]


def _epilog(*examples: str) -> str:
    return "Examples:\n\n" + "\n\n".join(f"  {example}" for example in examples)


@erlang_app.command(
    "b",
    epilog=_epilog(
        FORMULAS["b"].example,
        "kirikae erlang b --load 10 --ports 10",
        "kirikae erlang b --ports 15 --blocking 1%",
        "kirikae erlang b --load 50..300/50 --blocking 0.1%,1%,3% --pair",
    ),
)
def erlang_b_command(
    load: Load = None,
    arrivals: Arrivals = None,
    holding: Holding = None,
    ports: Ports = None,
    blocking: Blocking = None,
    pair: Annotated[
        bool, typer.Option("--pair", help="The ports are those of each node of a pair (N+1), with --load alone.")
    ] = False,
    csv: Csv = None,
    json: Json = None,
) -> None:
    """Erlang B: calls that find all ports busy are lost."""
    if pair and ports is not None:
        stop("--pair is about ports that are to be found: leave --ports out")
    given = {"load": load, "arrivals": arrivals, "holding": holding, "ports": ports, "blocking": blocking}
    _answer("b", given, csv, json, pair=pair)


@erlang_app.command(
    "c",
    epilog=_epilog(FORMULAS["c"].example, "kirikae erlang c --arrivals 200/h --holding 3m --level 80% --within 20s"),
)
def erlang_c_command(
    load: Load = None,
    arrivals: Arrivals = None,
    holding: Holding = None,
    agents: Agents = None,
    wait: Wait = None,
    asa: Asa = None,
    level: Level = None,
    within: Within = None,
    csv: Csv = None,
    json: Json = None,
) -> None:
    """Erlang C: callers wait until an agent is free, and nobody gives up."""
    given = {"load": load, "arrivals": arrivals, "holding": holding, "agents": agents}
    _answer("c", {**given, "wait": wait, "asa": asa, "level": level, "within": within}, csv, json)


@erlang_app.command(
    "a",
    epilog=_epilog(FORMULAS["a"].example, "kirikae erlang a --arrivals 200/h --holding 3m --patience 2m --abandon 3%"),
)
def erlang_a_command(
    load: Load = None,
    arrivals: Arrivals = None,
    holding: Holding = None,
    agents: Agents = None,
    patience: Patience = None,
    wait: Wait = None,
    abandon: Abandon = None,
    asa: Asa = None,
    level: Level = None,
    within: Within = None,
    csv: Csv = None,
    json: Json = None,
) -> None:
    """Erlang A: callers wait until an agent is free, or until they have had enough."""
    given = {"load": load, "arrivals": arrivals, "holding": holding, "agents": agents, "patience": patience}
    goals = {"wait": wait, "abandon": abandon, "asa": asa, "level": level, "within": within}
    _answer("a", {**given, **goals}, csv, json)


@erlang_app.command(
    "engset", epilog=_epilog(FORMULAS["engset"].example, "kirikae erlang engset --sources 20 --each 0.5 --blocking 1%")
)
def engset_command(
    sources: Sources = None,
    ports: Ports = None,
    each: Each = None,
    arrivals: Annotated[
        str | None,
        typer.Option("--arrivals", metavar="RATE", help="Calls per time of an idle source; with --holding its load."),
    ] = None,
    holding: Holding = None,
    blocking: Blocking = None,
    csv: Csv = None,
    json: Json = None,
) -> None:
    """Engset: few sources, each silent while its call is up, and lost calls."""
    given = {"sources": sources, "ports": ports, "each": each, "arrivals": arrivals, "holding": holding}
    _answer("engset", {**given, "blocking": blocking}, csv, json)


@erlang_app.command("extended-b", epilog=_epilog(FORMULAS["extended-b"].example))
def extended_b_command(
    load: Load = None,
    arrivals: Arrivals = None,
    holding: Holding = None,
    ports: Ports = None,
    blocking: Blocking = None,
    retry: Retry = None,
    csv: Csv = None,
    json: Json = None,
) -> None:
    """Extended Erlang B: some of those who were refused try again."""
    given = {"load": load, "arrivals": arrivals, "holding": holding, "ports": ports}
    _answer("extended-b", {**given, "blocking": blocking, "retry": retry}, csv, json)


def _answer(name: str, given: dict[str, str | None], csv: str | None, json: str | None, *, pair: bool = False) -> None:
    """Say and write what the formula gives; exit code 2 where it gives nothing."""
    try:
        answer = ask(FORMULAS[name], {quantity: text for quantity, text in given.items() if text is not None})
    except QuestionError as error:
        stop(str(error))
    if not any(row.found for row in answer.rows):
        stop(answer.rows[0].reason)
    from reports.calculated import csv_text, json_text, print_answer

    wanted = [(csv, csv_text), (json, json_text)]
    if [file for file, _ in wanted].count("-") > 1:
        stop("--csv - and --json -: only one of them can be standard output")
    try:
        for file, text in wanted:
            if file not in (None, "-"):
                files.write_whole(Path(str(file)), text(answer))
    except files.ReportError as error:
        stop(str(error))
    with output():
        for file, text in wanted:
            if file == "-":
                put(text(answer))
                return
        print_answer(safe_console(sys.stdout), answer, pair=pair)
