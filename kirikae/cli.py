"""The command line: options and help of each command are in :mod:`kirikae.commands`."""

import signal
import sys
from typing import Annotated

import typer

from kirikae import __version__
from kirikae.commands import (
    actuals,
    bundled,
    compare,
    drift,
    erlang,
    ladder,
    lint,
    new,
    number,
    rules,
    run,
    runbook,
    schema,
    size,
    sweep,
)
from kirikae.isolated import end_with_caller

app = typer.Typer(
    name="kirikae",
    help="Rehearse a telephony failover before you need it: one YAML file, a verdict with evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("run", epilog=run.EXAMPLES)(run.run_command)
app.command("size", epilog=size.EXAMPLES)(size.size_command)
app.command("lint", epilog=lint.EXAMPLES)(lint.lint_command)
app.command("rules", epilog=rules.EXAMPLES)(rules.rules_command)
app.command("runbook", epilog=runbook.EXAMPLES)(runbook.runbook_command)
app.command("actuals", epilog=actuals.EXAMPLES)(actuals.actuals_command)
app.command("ladder", epilog=ladder.EXAMPLES)(ladder.ladder_command)
app.command("new", epilog=new.EXAMPLES)(new.new_command)
app.command("drift", epilog=drift.EXAMPLES)(drift.drift_command)
app.command("compare", epilog=compare.EXAMPLES)(compare.compare_command)
app.command("sweep", epilog=sweep.EXAMPLES)(sweep.sweep_command)
app.command("number", epilog=number.EXAMPLES)(number.number_command)
app.command("schema", epilog=schema.EXAMPLES)(schema.schema_command)
app.add_typer(bundled.drills_app, name="drills")
app.add_typer(erlang.erlang_app, name="erlang")


def main() -> None:
    """Start the command line; output that a terminal's encoding cannot show is replaced, never a reason to stop."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what is done is kept
    end_with_caller()
    app()


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
