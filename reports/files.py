"""Files that are whole or not there: each is written under another name and renamed when it is complete."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO


class ReportError(Exception):
    """A result that could not be written: which file, and why."""

    def __init__(self, file: Path, why: OSError) -> None:
        super().__init__(f"{file}: {why.strerror or why}")
        self.file = file
        self.why = why


def folder(path: Path) -> Path:
    """Make a folder for results, with all above it, and return it; raises :class:`ReportError` if not writable."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ReportError(path, error) from error
    return path


def remove(path: Path) -> None:
    """Take away a result of an earlier run, if there is one; raises :class:`ReportError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(path, error) from error


@contextmanager
def whole_file(path: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Yield a text file that takes its place when the block ends well, and leaves nothing behind when it does not.

    Line ends are written as given. Raises :class:`ReportError` when the disk is full, the folder is not writable …
    """
    part = path.with_name(f".{path.name}.part")
    try:
        try:
            with open(part, "w", encoding=encoding, newline="") as file:
                yield file
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(path, error) from error


def write_whole(path: Path, text: str) -> None:
    """Write a text file as UTF-8; raises :class:`ReportError`."""
    with whole_file(path) as file:
        file.write(text)
