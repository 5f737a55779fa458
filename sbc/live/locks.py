"""One live run at a time on a real pair: a lock for each address that something is sent to.

The locks are the kernel's (flock), so that those of a process that has died are free. What is written into them is for
people: who holds one, and what a run that died has left undone.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from scenarios.addresses import Address


class LockError(Exception):
    """A real pair that this run cannot have for itself."""


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return where the locks of a user stand: under `XDG_STATE_HOME`, or `~/.local/state` without one."""
    stated = Path(environment.get("XDG_STATE_HOME", ""))
    base = stated if stated.is_absolute() else Path.home() / ".local" / "state"
    return base / "kirikae" / "targets"


@dataclass(slots=True)
class _Note:
    """What a lock says to people."""

    holder: str = ""
    owed: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> "_Note":
        """Read a note; what is no note, as after a crash while it was written, says nothing."""
        try:
            found = json.loads(text)
        except ValueError:
            return cls()
        if not isinstance(found, dict) or not isinstance(found.get("owed"), list):
            return cls()
        return cls(str(found.get("holder", "")), [str(each) for each in found["owed"]])

    def text(self) -> str:
        return json.dumps({"holder": self.holder, "owed": self.owed}, ensure_ascii=False)


class Locks:
    """The locks of all addresses of a run, held while it is entered."""

    def __init__(self, folder: Path, addresses: Iterable[Address], holder: str) -> None:
        """Take a folder, which is made, and words that tell another run who holds the locks."""
        self._folder = folder
        self._names = sorted({f"{address.host}-{address.port}" for address in addresses})
        self._note = _Note(holder)
        self._files: list[int] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Take all locks or none; raises :class:`LockError`."""
        with ExitStack() as taken:
            for name in self._names:
                file = self._taken(name)
                taken.callback(os.close, file)
                self._files.append(file)
            for file in self._files:
                owed = _Note.read(_content(file)).owed
                self._note.owed += [each for each in owed if each not in self._note.owed]
            self._write(self._note.text())
            self._open = taken.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The files stay: another run may have opened one already, and would lock what nobody else can find.
        with self._open, suppress(OSError):
            self._write(_Note("", self._note.owed).text() if self._note.owed else "")

    @property
    def owed(self) -> tuple[str, ...]:
        """What has to be run by hand if this process dies; at first, what runs before this one have left."""
        return tuple(self._note.owed)

    def owe(self, commands: Sequence[str]) -> None:
        """Write down what is to be undone, so that it is known even if this process is killed; raises OSError."""
        self._note.owed = list(commands)
        self._write(self._note.text())

    def _taken(self, name: str) -> int:
        path = self._folder / f"{name}.lock"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LockError(f"{path}: {error.strerror}; without a lock nothing is sent to a real pair") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _Note.read(_content(file)).holder or "another run"
            os.close(file)
            raise LockError(f"{holder} is using {name}; one live run at a time on a real pair") from None
        return file

    def _write(self, text: str) -> None:
        for file in self._files:
            os.truncate(file, 0)
            os.pwrite(file, text.encode(), 0)
            os.fsync(file)


def _content(file: int) -> str:
    return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")
