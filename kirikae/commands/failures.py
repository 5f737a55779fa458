"""What can go wrong with a command, in words and as an exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from kirikae.options import OptionError
from reports.console import safe_console
from reports.exit_codes import ExitCode
from reports.files import ReportError
from scenarios.problems import DrillError

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C ended before it had a result."""


def stop(text: str) -> NoReturn:
    """Say what is wrong and leave with exit code 2."""
    say(text)
    raise typer.Exit(ExitCode.INVALID)


def say(text: str) -> None:
    """Print on standard error."""
    safe_console(sys.stderr).print(text, soft_wrap=True)


@contextmanager
def explained(file: str) -> Iterator[None]:
    """Say what is wrong with a drill ``file``, an option, or a place for results."""
    from kirikae.drills import UnknownDrillError

    try:
        yield
    except (UnknownDrillError, OptionError, ReportError) as error:
        stop(str(error))
    except DrillError as error:
        from reports.wording import number_of

        stop(f"{error}\n{number_of(len(error.problems), 'problem')} in {file}; nothing was run.")
    except KeyboardInterrupt:
        say("Stopped; not all results are written.")
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def workers_explained() -> Iterator[None]:
    """Say what ended the workers of a command."""
    from concurrent.futures import BrokenExecutor

    from kirikae.cluster import ClusterLostError

    try:
        yield
    except ClusterLostError as error:
        _not_judged(str(error))
    except BrokenExecutor:
        say("A worker process was ended from outside, by a signal or for want of memory; nothing was judged.")
        raise typer.Exit(ExitCode.INCONCLUSIVE) from None


@contextmanager
def live_explained() -> Iterator[None]:
    """Say what ended workers, or kept a run in real time from being one."""
    from sbc.live.gear import GearError, NotReadyError, NotUndoneError
    from sbc.live.locks import LockError
    from sbc.live.transport import BindError
    from sim.live.pairs import LiveError

    try:
        with workers_explained():
            yield
    except (LockError, NotReadyError) as error:
        stop(str(error))
    except NotUndoneError as error:
        say(str(error))
        raise typer.Exit(ExitCode.INCONCLUSIVE) from None
    except (LiveError, BindError, GearError) as error:
        _not_judged(str(error))


def _not_judged(text: str) -> NoReturn:
    say(f"{text}\nNothing was judged.")
    raise typer.Exit(ExitCode.INCONCLUSIVE) from None
