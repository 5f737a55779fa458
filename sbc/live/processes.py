"""Commands as processes: no shell, a bounded time, nothing left running, and no secret in what is told of them."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import IO

from scenarios.commands import CommandLine, MissingSecretError, cleared
from scenarios.units import format_duration

_GRACE = 2.0
"""Seconds from SIGTERM to SIGKILL."""
_KEPT = 64 * 1024
"""Bytes from the end of what a command says that are looked at."""
_SHOWN = 10
"""Lines of them that are told."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a command."""

    done: bool
    """Whether it ended in time with exit code 0."""
    told: str
    """Why not, and the end of what it said, without secrets; empty when it is done."""


Started = Callable[[subprocess.Popen[bytes] | None], None]
"""Is told of the process while it runs, and of None when it has ended."""


def execute(line: CommandLine, timeout: float, started: Started | None = None) -> Ran:
    """Run a command for ``timeout`` seconds at most, and end it with all its children when they are over.

    It has a session of its own: Ctrl-C in the terminal does not reach it, and it cannot ask there for a password. What
    interrupts the wait ends the command as well, and is raised then.
    """
    try:
        argv = line.argv(os.environ)
    except MissingSecretError as error:
        return Ran(done=False, told=str(error))
    values = [secret.reveal(os.environ) for secret in line.secrets]
    with _kept() as said:
        problem = _run(argv, timeout, said, started)
        if problem is None:
            return Ran(done=True, told="")
        return Ran(done=False, told=cleared("\n".join([problem, *_last_lines(said)]), values))


def terminate(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process and its children to end, without waiting; safe in the handler of a signal."""
    _signal(process, signal.SIGTERM)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its children: SIGTERM, and SIGKILL for those that are still there when their time is over."""
    _signal(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    _signal(process, signal.SIGKILL)
    process.wait()


def _kept() -> AbstractContextManager[IO[bytes] | None]:
    """Return a file for what a command says, which children that outlive it may hold; a full disk stops no command."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return nullcontext()


def _run(argv: list[str], timeout: float, said: IO[bytes] | None, started: Started | None) -> str | None:
    """Return why a command did not do its work, or None."""
    out = subprocess.DEVNULL if said is None else said
    try:
        process = subprocess.Popen(  # noqa: S603 - words that the drill names and the user enabled; no shell
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    except (OSError, ValueError) as error:
        return f"could not be started: {error.strerror if isinstance(error, OSError) else error}"
    tell = started or (lambda _: None)
    try:
        tell(process)
        status = _status(process, timeout)
    except BaseException:
        end(process)
        raise
    finally:
        tell(None)
    if status is None:
        return f"was not over after {format_duration(timeout)}, and was ended"
    if status < 0:
        return f"was ended by {_named(-status)}"
    return f"failed with exit code {status}" if status else None


def _named(number: int) -> str:
    """Return what a signal is called; most real-time signals have a number only."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _status(process: "subprocess.Popen[bytes]", timeout: float) -> int | None:
    """Wait for the exit code; None when the time is over. The error of the wait would name the words, secrets too."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(timeout)
    end(process)
    return None


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _last_lines(said: IO[bytes] | None) -> list[str]:
    if said is None:
        return []
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _KEPT))
    lines = said.read().decode(errors="replace").splitlines()
    # The first line may be the rest of one, and of a secret in it.
    return [line.rstrip() for line in (lines if size <= _KEPT else lines[1:])][-_SHOWN:]
