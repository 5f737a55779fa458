"""The command line is there at once: what takes time to import is imported by the command that needs it."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from kirikae import new, runner
from kirikae.cli import app
from kirikae.commands.new import SYSTEMS
from kirikae.engines import DEFAULT, IN_REAL_TIME, NAMES, VIRTUAL, WITH_MESSAGES
from sbc.decisions.permission import CEILING

HEAVY = ("numpy", "plotly", "pydantic", "scipy", "simpy")


def imported(code: str) -> set[str]:
    """Return which of the heavy packages code imports in a process of its own."""
    shows = f"{code}; import sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", shows], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_and_small_commands_need_nothing_that_takes_long_to_import() -> None:
    assert imported("import kirikae.cli") == set()


def test_a_run_in_virtual_time_needs_no_sockets() -> None:
    others = "{'asyncio_dgram', 'sim.live.engine', 'sim.packets.engine'}"
    assert "simpy" in imported(f"import kirikae.runner, sys; assert not {others} & {{*sys.modules}}")


def test_the_names_that_help_shows_are_those_that_there_are() -> None:
    assert tuple(runner.ENGINES) == NAMES
    assert {DEFAULT, *VIRTUAL, *WITH_MESSAGES, *IN_REAL_TIME} == set(NAMES)
    assert tuple(new.QUESTIONS) == SYSTEMS


def test_help_tells_the_ceiling_there_is() -> None:
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["run", "--help"])
    assert f"by default {CEILING:g}/s off loopback" in " ".join(done.stdout.split())


@pytest.mark.parametrize("command", [command.name for command in app.registered_commands])
def test_every_command_shows_examples(command: str) -> None:
    done = CliRunner(env={"COLUMNS": "100"}).invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert f"kirikae {command}" in done.stdout.partition("Example")[2]
