"""`kirikae` as a process of its own, for programs whose packages may be called as our rooms are; none is imported."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

OWN = (sys.executable, "-P", str(Path(__file__).with_name("__main__.py")))
"""The command of the very kirikae that this module is a part of."""
_GRACE = 10.0
"""Seconds to end in, with what is done kept, before it is ended for good."""


_CALLER = "KIRIKAE_CALLER"
"""Environment variable with the process that called, by its id."""
_LOOKS_EVERY = 0.5
"""Seconds after which is looked whether it is still there."""


class NotDoneError(Exception):
    """There is no result; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to."""

    result: Json | None
    """What it wrote to standard output; None if that is no JSON."""
    said: str
    """What it wrote to standard error."""
    exit_code: int

    @property
    def must(self) -> Json:
        """The result; raises :class:`NotDoneError` where there is none."""
        if self.result is None:
            raise NotDoneError(self.said or f"kirikae ended with exit code {self.exit_code} and no result")
        return self.result


def ask(command: Sequence[str], words: Sequence[str], folder: Path) -> Answer:
    """Run `kirikae` with ``words`` in ``folder``; it is ended when the wait for it is, by Ctrl-C or otherwise.

    Raises :class:`NotDoneError` when it cannot be started.
    """
    # What the user thinks of warnings is about the user's code.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    environment[_CALLER] = str(os.getpid())
    try:
        process = subprocess.Popen(  # noqa: S603 - our own program, or the one that the user names; no shell
            [*command, *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,  # Ctrl-C comes to us alone, so that it hears of it once
        )
    except OSError as error:
        raise NotDoneError(f"{command[0]}: {error.strerror}") from error
    try:
        out, said = process.communicate()
    except BaseException:
        _end(process)
        raise
    return Answer(_json(out), said.decode(errors="replace").strip(), process.returncode)


def _json(text: bytes) -> Json | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_GRACE)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


class Answers:
    """Answers by what was asked, each worked out once, by whichever process that shares ``folder`` asks first."""

    def __init__(self, folder: Path, *, shared: bool) -> None:
        self._folder = folder
        self._shared = shared
        self._known: dict[str, Answer] = {}

    def once(self, question: str, work: Callable[[], Answer]) -> Answer:
        """Return the answer to a question; ``work`` finds it out, and others wait for it. Raises what that raises."""
        if question not in self._known:
            self._known[question] = self._among_all(question, work) if self._shared else work()
        return self._known[question]

    def _among_all(self, question: str, work: Callable[[], Answer]) -> Answer:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / hashlib.sha256(question.encode(errors="surrogateescape")).hexdigest()
        with _locked(file.with_suffix(".lock")):
            if not file.exists():
                part = file.with_suffix(".part")
                part.write_text(json.dumps(asdict(work())), encoding="utf-8")
                part.replace(file)
            return Answer(**json.loads(file.read_text(encoding="utf-8")))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that goes with the process that has it, however that ends."""
    import fcntl  # not everywhere that pytest is, and only needed where several processes share

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def end_with_caller() -> None:
    """End this process by SIGTERM as soon as the one that has called it by :func:`ask` is gone, if one has.

    One that is ended by force can end nobody, and its drills would be played for nobody.
    """
    caller = os.environ.pop(_CALLER, None)

    def watch() -> None:
        while str(os.getppid()) == caller:
            time.sleep(_LOOKS_EVERY)
        os.kill(os.getpid(), signal.SIGTERM)

    if str(os.getppid()) == caller:
        threading.Thread(target=watch, name="caller watch", daemon=True).start()
