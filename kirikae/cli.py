"""The command line: `kirikae new`, `run`, `lint`, `rules`, `drift`, `drills`, `number`, `erlang`, `schema`."""

import signal
import sys
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from kirikae import __version__, drift, drills, lint, new, rule_book, run
from kirikae.cluster import ClusterLostError
from kirikae.drills import schema_text
from kirikae.erlang import erlang_app
from kirikae.live_options import (
    AllowExecOption,
    AllowNumberOption,
    AllowTargetOption,
    LiveOptions,
    MaxRateOption,
    TargetOption,
)
from kirikae.options import ClusterOption, OptionError, WorkersOption
from kirikae.runner import DEFAULT, ENGINES
from reports.exit_codes import ExitCode
from reports.files import ReportError
from reports.terminal import safe_console
from reports.wording import number_of
from sbc.live.gear import GearError, NotReadyError, NotUndoneError
from sbc.live.locks import LockError
from sbc.live.transport import BindError
from scenarios.loader import load
from scenarios.numberplan import NumberError, describe, parse_number
from scenarios.problems import DrillError, Severity
from scenarios.text import LANGUAGES
from sim.live.pairs import LiveError

LanguageOption = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar=" | ".join(LANGUAGES),
        help="Language of the messages; by default what the environment asks for (KIRIKAE_LANG, LC_ALL, LANG).",
    ),
]

app = typer.Typer(
    name="kirikae",
    help="Rehearse a telephony failover before you need it: one YAML file, a verdict with evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_RUN_EXAMPLES = """
Examples:

  kirikae run tokyo-osaka-dr

  kirikae run plan.kirikae.yaml --replications 200 --out runs/plan

  kirikae run tokyo-osaka-dr --set ports.tenant=200 --set 'faults\\[tokyo-lost].at=20m'

  kirikae run plan.kirikae.yaml --json - | jq .verdict

  kirikae run plan.kirikae.yaml --precision 'blocked_ratio=0.1 points' --replications 5000

  kirikae run sbc-pair-takeover --engine packets --replications 1 --out runs/takeover

  kirikae run sbc-pair-takeover --engine packets --seed 1 --detail 17 --at 12.3s

Exit codes: 0 passed, 1 failed, 2 the file or the command line is wrong, 3 inconclusive.
"""

_NEW_EXAMPLES = """
Examples:

  kirikae new --system biztel --out plan.kirikae.yaml

  kirikae new --system biztel --out plan.kirikae.yaml --published 0120-123-456 --calls 600/h --agents 60
"""

_DRIFT_EXAMPLES = """
Examples:

  kirikae drift sbc-pair-takeover --engines calls,packets

  kirikae drift tokyo-osaka-dr --engines calls,packets --for 20m --json -

  kirikae drift sbc-pair-takeover --engines calls,slow=calls --set slow:sbc_pairs.edge.detect.advert=1.2s

Exit codes: 0 the engines agree, 1 they differ by more than the drill allows, 2 the file or the command line is wrong,
3 too few replications to tell, or no evidence.
"""


_LINT_EXAMPLES = """
Examples:

  kirikae lint plan.kirikae.yaml

  kirikae lint plans/ tokyo-osaka-dr --strict

  kirikae lint plans/ --sarif lint.sarif --lang ja

  kirikae lint plan.kirikae.yaml --severity error --json - | jq .totals

Exit codes: 0 every plan stands (warnings and notes are allowed, warnings not with --strict), 2 a plan has an error that
is not waived, or a file cannot be read.
"""

_RULES_EXAMPLES = """
Examples:

  kirikae rules

  kirikae rules Z29

  kirikae rules routing-loop --lang ja

  kirikae rules --letter P

  kirikae rules --system biztel --word softphone
"""


INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C ended before it had a result."""


def main() -> None:
    """Start the command line; output that a terminal's encoding cannot show is replaced, never a reason to stop."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what is done is kept
    app()


def _stop(text: str) -> NoReturn:
    """Say what is wrong and leave with exit code 2."""
    _say(text)
    raise typer.Exit(ExitCode.INVALID)


def _say(text: str) -> None:
    """Print on standard error."""
    safe_console(sys.stderr).print(text, soft_wrap=True)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kirikae {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    pass


@app.command("run", epilog=_RUN_EXAMPLES)
def run_command(
    file: Annotated[str, typer.Argument(help="A drill file, or the name of a bundled drill.", metavar="FILE")],
    engine: Annotated[
        str,
        typer.Option(
            metavar=" | ".join(ENGINES),
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
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Same file and seed, same result.")] = None,
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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary; the exit code says it.")] = False,
    targets: TargetOption = None,
    allow_targets: AllowTargetOption = None,
    allow_numbers: AllowNumberOption = None,
    allow_exec: AllowExecOption = False,
    max_rate: MaxRateOption = None,
) -> None:
    """Run a drill and judge it: in virtual time, or live in real time."""
    console = safe_console(sys.stderr if json == "-" else sys.stdout, quiet=quiet)
    live = LiveOptions(targets or (), allow_targets or (), allow_numbers or (), allow_exec, max_rate)
    options = run.Options(
        engine,
        seed,
        replications,
        out,
        workers,
        cluster,
        detail,
        calls,
        pcap,
        strict_wire,
        at,
        json,
        precision or (),
        live,
    )
    with _explained(file):
        loaded = load(drills.find(file), changes or [])
        code = run.rehearse(loaded, file, changes or [], options, console)
    raise typer.Exit(code)


@app.command("lint", epilog=_LINT_EXAMPLES)
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
    console = safe_console(sys.stderr if "-" in (json, sarif) else sys.stdout, quiet=quiet)
    with _explained(", ".join(names)):
        code = lint.lint(names, lint.Options(changes or [], least, strict, language, json, sarif), console)
    raise typer.Exit(code)


@app.command("rules", epilog=_RULES_EXAMPLES)
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
    console = safe_console(sys.stderr if json == "-" else sys.stdout)
    with _explained(about or ""):
        rule_book.tell(rule_book.Options(about, letter, system, word, language, json), console)


@contextmanager
def _explained(file: str) -> Iterator[None]:
    """Turn what can go wrong with a run of ``file`` into words and an exit code."""
    try:
        yield
    except (drills.UnknownDrillError, OptionError, ReportError) as error:
        _stop(str(error))
    except DrillError as error:
        _stop(f"{error}\n{number_of(len(error.problems), 'problem')} in {file}; nothing was run.")
    except (LockError, NotReadyError) as error:
        _stop(str(error))
    except NotUndoneError as error:
        _say(str(error))
        raise typer.Exit(ExitCode.INCONCLUSIVE) from None
    except (LiveError, BindError, GearError, ClusterLostError) as error:
        _say(f"{error}\nNothing was judged.")
        raise typer.Exit(ExitCode.INCONCLUSIVE) from None
    except BrokenExecutor:
        _say("A worker process was ended from outside, by a signal or for want of memory; nothing was judged.")
        raise typer.Exit(ExitCode.INCONCLUSIVE) from None
    except KeyboardInterrupt:
        _say("Stopped; not all results are written.")
        raise typer.Exit(INTERRUPTED) from None


@app.command("new", epilog=_NEW_EXAMPLES)
def new_command(
    system: Annotated[str, typer.Option(metavar=" | ".join(new.QUESTIONS), help="What the plan is for.")],
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
        _stop(str(error))
    except OSError as error:
        _stop(f"{error.filename}: {error.strerror}")


@app.command("drift", epilog=_DRIFT_EXAMPLES)
def drift_command(
    file: Annotated[str, typer.Argument(help="A drill file, or the name of a bundled drill.", metavar="FILE")],
    engines: Annotated[
        str,
        typer.Option(
            metavar="A,B",
            help="Engines, each held against the first; the same engine once more as NAME=ENGINE.",
        ),
    ] = ",".join(ENGINES),
    replications: Annotated[
        int | None,
        typer.Option(
            "--replications", "-n", min=1, max=100_000, help="Runs in each engine; by default what the drill says."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Same file and seed, same result.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="[ENGINE:]PATH=VALUE",
            help="Change a value of the drill, for all engines or for one; may be repeated.",
        ),
    ] = None,
    lasts: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="Play only so much of the run; by default what the drill says."),
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Show the metrics that agree as well.")] = False,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write all of it there as JSON; - is standard output.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary; the exit code says it.")] = False,
) -> None:
    """Play a drill with the same callers in several engines, and say how far apart they are."""
    console = safe_console(sys.stderr if json == "-" else sys.stdout, quiet=quiet)
    options = drift.Options(engines, changes or [], seed, replications, lasts, workers, cluster, json, everything)
    with _explained(file):
        code = drift.compare(drills.find(file), file, options, console)
    raise typer.Exit(code)


drills_app = typer.Typer(help="List, show and copy the bundled drills.", invoke_without_command=True)
app.add_typer(drills_app, name="drills")
app.add_typer(erlang_app, name="erlang")


@drills_app.callback()
def list_drills(context: typer.Context) -> None:
    """List, show and copy the bundled drills."""
    if context.invoked_subcommand is None:
        for name, title in drills.bundled():
            typer.echo(f"{name:<24} {title}")


@drills_app.command("show")
def show_drill(name: Annotated[str, typer.Argument(help="A bundled drill.")]) -> None:
    """Print a bundled drill."""
    try:
        typer.echo(drills.text_of(name), nl=False)
    except drills.UnknownDrillError as error:
        _stop(str(error))


@drills_app.command("copy")
def copy_drill(
    name: Annotated[str, typer.Argument(help="A bundled drill.")],
    folder: Annotated[Path, typer.Argument(help="Where to.")] = Path(),
) -> None:
    """Copy a bundled drill, and the schema that lets an editor complete and check it."""
    try:
        for path in drills.copy(name, folder):
            typer.echo(path)
    except drills.UnknownDrillError as error:
        _stop(str(error))
    except OSError as error:
        _stop(f"{error.filename}: {error.strerror}")


@app.command("number", epilog="Example:\n\n  kirikae number 0120-123-456")
def number_command(number: Annotated[str, typer.Argument(help="A number as people write it.")]) -> None:
    """Say what a Japanese number is and where it may lead."""
    try:
        rows = describe(parse_number(number))
    except NumberError as error:
        _stop(f"{number}: {error.reason} (allowed: {error.allowed})")
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        typer.echo(f"{label:<{width}}  {value}")


@app.command("schema", epilog="Example:\n\n  kirikae schema > kirikae.schema.json")
def schema_command() -> None:
    """Print the JSON Schema of drill files, for editors that complete and check."""
    run.put(schema_text())
