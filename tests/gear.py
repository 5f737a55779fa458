"""A "real" pair whose commands write into a log; as `python -m tests.gear` a run on it, in a process of its own."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from sbc.live.gear import CommandFailedError, Gear, NotUndoneError, real_gear
from scenarios.model import Drill
from tests.made_plans import plan as made

NODES = ["udp:127.0.0.2:5070", "udp:127.0.0.3:5070"]


def logged(folder: Path, text: str, then: str = "true") -> list[str]:
    """Return a command that writes a line into the log, and then does something else."""
    return ["sh", "-c", f"echo {text} >> {folder}/log; {then}"]


def log(folder: Path) -> list[str]:
    """Return the lines of the log."""
    path = folder / "log"
    return path.read_text().splitlines() if path.exists() else []


def plan(folder: Path, **commands: Mapping[str, object]) -> Drill:
    """Return a drill whose faults, by name, have commands that write into the log, with fields changed."""
    faults = [
        {
            "name": name,
            "at": "1s",
            "pair": "tokyo-edge",
            "fails": "active",
            "command": {"run": logged(folder, f"run {name}"), "undo": logged(folder, f"undo {name}"), **changes},
        }
        for name, changes in commands.items()
    ]
    target = {"outside": {"send_to": "udp:127.0.0.1:5070"}, "nodes": NODES}
    return made(faults=faults, runbook=None, targets={"tokyo-edge": target})


async def played(gear: Gear) -> None:
    """Strike beside the loop until somebody asks to stop, and stop in good order."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    def ask() -> None:
        loop.call_soon_threadsafe(asked.set)

    gear.interrupts.ask = ask
    strike = asyncio.create_task(asyncio.to_thread(gear.strike, "second"))
    await asked.wait()
    try:
        await strike
    except CommandFailedError as error:
        print(f"in good order: {error}", flush=True)  # noqa: T201 - the test reads it


def main(folder: Path, where: str) -> None:
    """Strike twice and wait to be ended: in the second `command`, in the `run`, in the `undo` of the second, or as an
    engine does, in the second command beside a `loop`."""
    waits = f"echo here > {folder}/here; exec sleep 60"
    second = {
        "command": {"run": logged(folder, "run second", waits)},
        "loop": {"run": logged(folder, "run second", waits)},
        "run": {},
        "undo": {"undo": logged(folder, "undo second", f"echo here > {folder}/here; read go < {folder}/go")},
    }[where]
    with real_gear(
        plan(folder, first={}, second=second),
        healthy=lambda node: None,
        folder=folder / "locks",
        holder=f"process {os.getpid()}",
        say=lambda line: print(line, flush=True),  # noqa: T201 - the test reads it
    ) as gear:
        gear.strike("first")
        if where == "loop":
            asyncio.run(played(gear))
            return
        gear.strike("second")
        if where == "run":
            (folder / "here").write_text("here")
            sys.stdin.read()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except NotUndoneError as error:
        print(error, flush=True)  # noqa: T201 - the test reads it
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)
