"""Files that are whole or not there: each is written under another name and renamed when it is complete."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EISDIR
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, TextIO, cast


class ReportError(Exception):
    """A result that could not be written: which file, and why."""

    def __init__(self, file: Path, why: OSError) -> None:
        super().__init__(f"{file}: {why.strerror or why}")
        self.file = file
        self.why = why


def folder(path: Path) -> Path:
    """Make a folder for results, with all above it, and return it; raises :class:`ReportError` if not writable."""
    with _about(path):
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
    return path


def remove(path: Path) -> None:
    """Take away a result of an earlier run, if there is one; raises :class:`ReportError`."""
    with _about(path):
        path.unlink(missing_ok=True)


@contextmanager
def whole_bytes(path: Path) -> Iterator[BinaryIO]:
    """Yield a binary file that takes its place when the block ends well, and leaves nothing behind when it does not.

    Raises :class:`ReportError` when the disk is full, the folder is not writable … , also out of the block, from
    whatever writes to the file there.
    """
    with _about(path):
        if not path.name:
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
        # Of two who write the same file at a time the last one wins, and neither writes into the other's.
        part = path.with_name(f".{path.name}.{threading.get_native_id()}.part")
        raw = _Raw(part, path)
    try:
        with BufferedWriter(raw) as file:
            yield cast(BinaryIO, file)
        with _about(path):
            _to_disk(part)
            part.replace(path)
    finally:
        with _about(path):
            part.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Yield a text file, as :func:`whole_bytes` does; line ends are written as given.

    What the encoding has no letters for, as in the name of a file that is no UTF-8, becomes a question mark.
    """
    with whole_bytes(path) as file, TextIOWrapper(file, encoding, "replace", newline="") as text:
        yield text


def write_whole(path: Path, text: str) -> None:
    """Write a text file as UTF-8; raises :class:`ReportError`."""
    with whole_file(path) as file:
        file.write(text)


def _to_disk(path: Path) -> None:
    """See that a power cut finds the file whole: a rename may reach the disk before what was written does."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _about(path: Path) -> Iterator[None]:
    """Name the file in what goes wrong with it."""
    try:
        yield
    except OSError as error:
        raise ReportError(path, error) from error


class _Raw(FileIO):
    """A file whose errors name it: of several that are open at a time, only one may be on the disk that is full."""

    def __init__(self, part: Path, path: Path) -> None:
        super().__init__(part, "w")
        self._path = path

    def write(self, data: Any) -> int:
        """Write some bytes; raises :class:`ReportError`."""
        with _about(self._path):
            return super().write(data)
