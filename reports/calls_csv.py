"""`calls.csv`: every attempt of one replication, written as it ends, and opened by Excel as it stands.

A byte order mark makes Excel read UTF-8; CRLF ends the lines (RFC 4180). Phone numbers are text because of their
hyphens: no date of any order has groups like theirs.
"""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from typing import Any, TextIO

from scenarios.evidence import CallRecord, JournalEntry, Sample

ENCODING = "utf-8-sig"
_END = "\r\n"

_SECONDS = ("start", "setup", "wait", "talk", "end", "ivr", "callback")
_WHOLE = ("attempt", "caller", "tries", "sip")
HEADER = tuple(f"{field} (seconds)" if field in _SECONDS else field for field in CallRecord._fields)

_FORMULA = re.compile(r"[=+\-@＝＋－＠\t\r\n]")
_NUMBER = re.compile(r"[\d.,]+([eE]\d+)?")
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,4}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}:\d{2}(:\d{2})?"
    r"|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-/ ]?\d{1,4}|\d{1,2}[-/ ]?[a-z]{3,9}",
    re.IGNORECASE,
)


def safe_text(text: str) -> str:
    """Return ``text`` so that a spreadsheet takes it as text: with an apostrophe where it would calculate or convert.

    Text that begins like a formula is dangerous (CSV injection); text like a number or a date would be changed.
    """
    risky = _FORMULA.match(text) or _NUMBER.fullmatch(text) or _DATE.fullmatch(text)
    return f"'{text}" if risky else text


class _Texts(dict[str, str]):
    """Cells by text: a plan has few names, a run many calls."""

    def __missing__(self, text: str) -> str:
        line = StringIO()
        csv.writer(line, lineterminator=_END).writerow([safe_text(str(text)), ""])
        cell = self[text] = line.getvalue().removesuffix("," + _END)
        return cell

    def column(self, values: tuple[str, ...]) -> Iterable[str]:
        return map(self.__getitem__, values)


def _seconds(values: tuple[float | None, ...]) -> Iterable[str]:
    distinct = set(values)
    if len(distinct) * 2 > len(values):
        return ["" if value is None else f"{value:.3f}" for value in values]
    # Most waits are of no time at all, and to write a float takes longer than to look one up.
    written = {value: "" if value is None else f"{value:.3f}" for value in distinct}
    return map(written.__getitem__, values)


def _whole(values: tuple[int, ...]) -> Iterable[str]:
    return map(str, values)


def _yes_or_no(values: tuple[bool, ...]) -> Iterable[str]:
    return ["yes" if value else "no" for value in values]


class CallsCsv:
    """A recorder that writes calls to a file opened with :data:`ENCODING`, and passes over the rest."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._file.write(",".join(HEADER) + _END)
        texts = _Texts()
        special: dict[str, Callable[[tuple[Any, ...]], Iterable[str]]] = {
            **dict.fromkeys(_SECONDS, _seconds),
            **dict.fromkeys(_WHOLE, _whole),
            "final": _yes_or_no,
        }
        self._columns = tuple(special.get(field, texts.column) for field in CallRecord._fields)

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Write attempts that have ended, column by column: half the time that row by row takes."""
        if not records:
            return
        columns = (cells(values) for cells, values in zip(self._columns, zip(*records, strict=True), strict=True))
        self._file.writelines(",".join(row) + _END for row in zip(*columns, strict=True))

    def entry(self, entry: JournalEntry) -> None:
        """Pass over it."""

    def sample(self, sample: Sample) -> None:
        """Pass over it."""
