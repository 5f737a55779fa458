"""`kirikae run`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kirikae.commands.failures import explained, live_explained
from kirikae.commands.options import (
    ClusterOption,
    DrillArgument,
    LanguageOption,
    QuietOption,
    SeedOption,
    WorkersOption,
)
from kirikae.engines import DEFAULT, NAMES
from reports.console import safe_console

EXAMPLES = """
Examples:

  kirikae run tokyo-osaka-dr

  kirikae run tokyo-osaka-dr --lang ja

  kirikae run plan.kirikae.yaml --replications 200 --out runs/plan

  kirikae run tokyo-osaka-dr --set ports.tenant=200 --set 'faults\\[tokyo-lost].at=20m'

  kirikae run plan.kirikae.yaml --json - | jq .verdict

  kirikae run plan.kirikae.yaml --precision 'blocked_ratio=0.1 points' --replications 5000

  kirikae run sbc-pair-takeover --engine packets --replications 1 --out runs/takeover

  kirikae run sbc-pair-takeover --engine packets --seed 1 --detail 17 --at 12.3s

Exit codes: 0 passed, 1 failed, 2 the file or the command line is wrong, 3 inconclusive.
"""


TargetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="PAIR=ADDRESS",
        help="A real pair in place of an emulated one, such as tokyo-edge=udp:192.0.2.10:5060; may be repeated.",
    ),
]
AllowTargetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-target",
        metavar="CIDR",
        help="A network that targets may be in, such as 192.0.2.0/28; loopback is always allowed. May be repeated.",
    ),
]
AllowNumberOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-number",
        metavar="NUMBER",
        help="A number that may be dialled off loopback, or the beginning of some: '050-3123-*'. May be repeated.",
    ),
]
AllowExecOption = Annotated[bool, typer.Option("--allow-exec", help="Let the drill's commands run on this machine.")]
MaxRateOption = Annotated[
    str | None,
    typer.Option(
        "--max-rate",
        metavar="RATE",
        help="New calls at most, such as 50/s; by default 10/s off loopback, and any number on it.",
    ),
]


def run_command(
    file: DrillArgument,
    engine: Annotated[
        str,
        typer.Option(
            metavar=" | ".join(NAMES),
            help="What moves: call attempts (calls), the very SIP messages (packets), or these on real sockets (live).",
        ),
    ] = DEFAULT,
    replications: Annotated[
        int | None,
        typer.Option(
            "--replications",
            "-n",
            min=1,
            max=100_000,
            help="Runs with different draws; by default what the drill says. With --precision the most of them.",
        ),
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[METRIC=]WIDTH",
            help="Make runs until 95% intervals reach no further than this either way: 10% of each mean that something "
            "is expected of, or 'blocked_ratio=0.1 points', 'recovery_time=1m'; may be repeated.",
        ),
    ] = None,
    seed: SeedOption = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the drill for this run; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the results; by default a new one under runs/.")
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    detail: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="INDEX",
            help="Replication written in full; by default the first that misses an expectation, with --at the first.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Judge nothing, but play one replication alone and show the state and the last messages around a "
            "moment, such as 612.3s; with --out its files are written as well.",
        ),
    ] = None,
    calls: Annotated[
        bool, typer.Option("--calls/--no-calls", help="Write one replication in full: calls.csv, journal.jsonl …")
    ] = True,
    pcap: Annotated[
        bool, typer.Option("--pcap/--no-pcap", help="… and, with --engine packets, its messages to packets.pcap.")
    ] = True,
    strict_wire: Annotated[
        bool,
        typer.Option(
            "--strict-wire", help="With --engine packets: read every message anew from its bytes; slower, same result."
        ),
    ] = False,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Also write result.json there; - is standard output.")
    ] = None,
    quiet: QuietOption = False,
    language: LanguageOption = None,
    targets: TargetOption = None,
    allow_targets: AllowTargetOption = None,
    allow_numbers: AllowNumberOption = None,
    allow_exec: AllowExecOption = False,
    max_rate: MaxRateOption = None,
) -> None:
    """Run a drill and judge it: in virtual time, or live in real time."""
    from kirikae import drills, run
    from kirikae.live_options import LiveOptions
    from scenarios.loader import load

    console = safe_console(sys.stderr if json == "-" else sys.stdout, quiet=quiet)
    live = LiveOptions(targets or (), allow_targets or (), allow_numbers or (), allow_exec, max_rate)
    options = run.Options(
        engine=engine,
        seed=seed,
        replications=replications,
        out=out,
        workers=workers,
        cluster=cluster,
        detail=detail,
        calls=calls,
        pcap=pcap,
        strict=strict_wire,
        at=at,
        json=json,
        precision=precision or (),
        live=live,
        language=language,
    )
    with explained(file), live_explained():
        loaded = load(drills.find(file), changes or [])
        code = run.rehearse(loaded, file, changes or [], options, console)
    raise typer.Exit(code)
