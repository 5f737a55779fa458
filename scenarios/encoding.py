"""From the bytes of a file to text: UTF-8, with or without a byte order mark, and CP932 of Japanese Windows."""

import codecs
import re
from pathlib import Path
from typing import NamedTuple

from scenarios.problems import DrillError, Mark, Problem, did_you_mean

MAX_BYTES = 4 * 1024 * 1024
"""Largest file that is read."""

_SAVE = "save it as UTF-8 text"

# The longer byte order mark first: UTF-32's begins with UTF-16's.
_SIGNATURES = (
    (codecs.BOM_UTF32_LE, "UTF-32 text"),
    (codecs.BOM_UTF32_BE, "UTF-32 text"),
    (codecs.BOM_UTF16_LE, "UTF-16 text, which Windows calls Unicode"),
    (codecs.BOM_UTF16_BE, "UTF-16 text, which Windows calls Unicode"),
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
)
_JIS = (b"\x1b$B", b"\x1b$@", b"\x1b(J")


_NOT_CP932 = re.compile("[\x80\uf8f0-\uf8f3\ufffd]")
"""What Python makes of bytes that CP932 does not define."""


class Decoded(NamedTuple):
    """The text of a file, and what its reader should know about it."""

    text: str
    notes: tuple[str, ...] = ()


def read_text(path: Path, name: str) -> Decoded:
    """Read a file of at most :data:`MAX_BYTES`; raises :class:`DrillError` when it is no readable text."""
    return decode(_read_bytes(path, name), name)


def decode(data: bytes, name: str) -> Decoded:
    """Return the text of a file's bytes; raises :class:`DrillError` where they are no text or in another encoding."""
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            raise _refused(name, f"the file is {what}")
    if b"\0" in data:
        guess = _wide_without_mark(data)
        raise _refused(name, f"the file is {guess}" if guess else "the file is binary, not text")
    if any(escape in data for escape in _JIS):
        raise _refused(name, "the file is ISO-2022-JP text, as old mail programs write it")
    try:
        return Decoded(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        broken = error
    text = data.decode("cp932", errors="replace")
    if _NOT_CP932.search(text):
        line = data.count(b"\n", 0, broken.start) + 1
        column = broken.start - data.rfind(b"\n", 0, broken.start)
        raise DrillError(
            [
                Problem(
                    Mark(name, line, column),
                    "",
                    "the file is neither UTF-8 nor CP932 (Shift_JIS) text",
                    f"byte 0x{data[broken.start]:02X}",
                    _SAVE,
                )
            ]
        )
    return Decoded(text, (f"{name} was read as CP932 (Shift_JIS); UTF-8 is the better choice",))


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise DrillError([Problem(Mark(name), "", f"no such file{_neighbour(path)}")]) from None
    except IsADirectoryError:
        raise DrillError([Problem(Mark(name), "", "this is a directory; name a file in it")]) from None
    except PermissionError:
        raise DrillError([Problem(Mark(name), "", "you have no permission to read this file")]) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL character
        reason = getattr(error, "strerror", None) or error
        raise DrillError([Problem(Mark(name), "", f"the file cannot be read: {reason}")]) from None
    if len(data) > MAX_BYTES:
        raise DrillError([Problem(Mark(name), "", "the file is too large", "more than 4 MiB", "at most 4 MiB")])
    return data


def _neighbour(path: Path) -> str:
    """Suggest a file beside the missing one, of the same kind."""
    try:
        return did_you_mean(path.name, (other.name for other in path.parent.glob(f"*{path.suffix}")))
    except (OSError, ValueError):
        return ""


def _wide_without_mark(data: bytes) -> str | None:
    """Name UTF-16 or UTF-32 without a byte order mark by where its zero bytes stand; None for other binary data."""
    head = data[:400]
    zeros = {offset for offset in range(4) if head[offset::4].count(0) * 10 >= 9 * len(head[offset::4]) > 0}
    if len(zeros) == 3:
        return "UTF-32 text"
    return "UTF-16 text, which Windows calls Unicode" if zeros in ({0, 2}, {1, 3}) else None


def _refused(name: str, message: str) -> DrillError:
    return DrillError([Problem(Mark(name), "", message, allowed=_SAVE)])
