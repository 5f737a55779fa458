"""`sweep.jsonl`: what a sweep has finished, kept so that nothing is computed twice, whatever ends the program.

Each line is a record with its checksum (CRC-32), appended and forced to disk. A record that was being written when the
machine stopped is seen to be torn, and taken away. The file is locked while a sweep writes (flock), so that two cannot;
the lock of a process that has died is free.

    sweep         version of this format; with it engine, seed, replications, software, and the drill as it was read
    point, set    key of a point, and the values that make it; with them the queries that its runs answer
    run           key of a point, and a replication; with it its values, `never` for an infinite one, how many attempts
                  shares are of, and its effects: when a fault first took effect, and on what
"""

import fcntl
import json
import math
import os
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from reports.files import ReportError
from reports.summary import Effect, Value

FILE = "sweep.jsonl"
VERSION = 1
"""Of the format; another is not read."""

Json = dict[str, Any]

_BEGIN, _MIDDLE, _END = b'{"crc32":"', b'","record":', b"}\n"
_DIGITS = 8
_KEPT_BACK = 0.5
"""Seconds for which runs of a point that is not finished may wait to be forced to disk."""


class JournalError(Exception):
    """A folder whose journal this sweep cannot go on with; says why, and what to do."""


class Measured(NamedTuple):
    """What is kept of one replication."""

    values: tuple[Value, ...]
    """In the order of the queries of its point."""
    parts_of: tuple[float | None, ...]
    """How many attempts, calls or callers each is a share of, in that order; None for what is no share."""
    effects: Mapping[str, Effect]
    """By fault; a fault without an entry never took effect."""


@dataclass(slots=True)
class Stored:
    """What the journal has of one point."""

    set: Mapping[str, str]
    """Values by path, as they were written."""
    queries: tuple[str, ...]
    runs: dict[int, Measured] = field(default_factory=dict)
    """By replication."""


class Journal:
    """The journal of one folder, locked and open for more while it is entered."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        """Take a folder that is there; with ``fresh``, what its journal holds is thrown away."""
        self.path = folder / FILE
        self.header: Json | None = None
        self.points: dict[str, Stored] = {}
        self.torn = False
        """Whether the last record was torn and taken away."""
        self.damaged = 0
        """Records in the middle that cannot be read, and count as not there."""
        self._fresh = fresh
        self._file = -1
        self._size = 0
        self._pending: list[bytes] = []
        self._written = time.monotonic()

    def __enter__(self) -> Self:
        """Lock the file and read it; raises :class:`JournalError` and :class:`~reports.files.ReportError`."""
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            try:
                self._locked()
                self._read()
            except BaseException:
                os.close(self._file)
                raise
            # So that the file itself is found again after a crash, not only what is in it.
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise ReportError(self.path, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not isinstance(error, ReportError):  # a disk that is full stays full
                self.flush()
        finally:
            os.close(self._file)

    def begin(self, header: Mapping[str, Any]) -> None:
        """Write down what is swept; for a journal that is empty."""
        self.header = {"sweep": VERSION, **header}
        self._append(self.header)
        self.flush()

    def point(self, key: str, values: Mapping[str, str], queries: Sequence[str]) -> None:
        """Write down that runs of a point follow, which answer ``queries``; those there are count no more."""
        self.points[key] = Stored(dict(values), tuple(queries))
        self._append({"point": key, "set": dict(values), "queries": list(queries)})

    def keep(self, key: str, runs: Mapping[int, Measured], *, last: bool) -> None:
        """Write down replications of a point; those of its ``last`` are on disk when this returns."""
        for replication, measured in runs.items():
            values = ["never" if value is not None and math.isinf(value) else value for value in measured.values]
            effects = {fault: list(effect) for fault, effect in measured.effects.items()}
            kept = {"values": values, "parts_of": list(measured.parts_of), "effects": effects}
            self._append({"run": [key, replication], **kept})
        self.points[key].runs.update(runs)
        if last or time.monotonic() - self._written > _KEPT_BACK:
            self.flush()

    def flush(self) -> None:
        """Force what was kept to disk; raises :class:`~reports.files.ReportError`."""
        if not self._pending:
            return
        data = left = b"".join(self._pending)
        try:
            os.ftruncate(self._file, self._size)  # Ctrl-C may have come into the last write
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError as error:
            raise ReportError(self.path, error) from error
        self._size += len(data)
        self._pending.clear()
        self._written = time.monotonic()

    def _append(self, record: Json) -> None:
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        self._pending.append(_BEGIN + b"%08x" % zlib.crc32(text) + _MIDDLE + text + _END)

    def _locked(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(
                f"{self.path.parent}: another sweep is writing there; wait for it, or choose another folder with --out"
            ) from None

    def _read(self) -> None:
        content = b"" if self._fresh else self._content()
        if content and not (content.startswith(_BEGIN) or _BEGIN.startswith(content)):
            raise JournalError(f"{self.path} is no journal of a sweep; choose another folder with --out")
        sound, position = 0, 0
        records: list[Json] = []
        bad = 0
        for line in content.splitlines(keepends=True):
            position += len(line)
            record = _record(line)
            if record is None:
                bad += 1
                continue
            records.append(record)
            sound, self.damaged = position, bad
        self.torn = not self._fresh and sound < len(content)
        os.ftruncate(self._file, sound)
        self._size = sound
        for record in records:
            self._take(record)
        if records and self.header is None:
            raise JournalError(f"{self.path} has lost its beginning; --fresh begins anew, --out elsewhere")

    def _content(self) -> bytes:
        with open(self._file, "rb", closefd=False) as file:
            file.seek(0)
            return file.read()

    def _take(self, record: Json) -> None:
        """Put a record where it belongs; a run of a point that is not known is as good as none."""
        with suppress(KeyError):
            if "sweep" in record:
                if record["sweep"] != VERSION:
                    raise JournalError(
                        f"{self.path} was written by another version of kirikae; --fresh begins anew, --out elsewhere"
                    )
                self.header = record
            elif "point" in record:
                self.points[record["point"]] = Stored(record["set"], tuple(record["queries"]))
            else:
                key, replication = record["run"]
                values = tuple(math.inf if value == "never" else value for value in record["values"])
                effects = {fault: Effect(*effect) for fault, effect in record["effects"].items()}
                self.points[key].runs[replication] = Measured(values, tuple(record["parts_of"]), effects)


def _record(line: bytes) -> Json | None:
    """Return the record of a line, or None for one that is not as it was written."""
    digits = line[len(_BEGIN) : len(_BEGIN) + _DIGITS]
    begin = len(_BEGIN) + _DIGITS + len(_MIDDLE)
    text = line[begin : -len(_END)]
    if line != _BEGIN + digits + _MIDDLE + text + _END or digits != b"%08x" % zlib.crc32(text):
        return None
    record: Json = json.loads(text)
    return record
