"""`calls.csv`: every attempt of one replication, written as it ends, and opened by Excel as it stands.

A byte order mark makes Excel read UTF-8; CRLF ends the lines (RFC 4180). Phone numbers are text because of their
hyphens: no date of any order has groups like theirs.
"""

import csv
import re
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from scenarios.evidence import CallRecord, JournalEntry, Sample

ENCODING = "utf-8-sig"

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
    """Safe texts by text: a plan has few names, a run many calls."""

    def __missing__(self, text: str) -> str:
        safe = self[text] = safe_text(str(text))
        return safe


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


class CallsCsv:
    """A recorder that writes calls to a file opened with :data:`ENCODING`, and passes over the rest."""

    def __init__(self, file: TextIO) -> None:
        self._rows = csv.writer(file, lineterminator="\r\n")
        self._rows.writerow(HEADER)
        special: dict[str, Callable[[Any], str]] = {
            **dict.fromkeys(_SECONDS, _seconds),
            **dict.fromkeys(_WHOLE, str),
            "final": _yes_or_no,
        }
        self._cells = tuple(special.get(field, _Texts().__getitem__) for field in CallRecord._fields)

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Write attempts that have ended."""
        cells = self._cells
        self._rows.writerows([[cell(value) for cell, value in zip(cells, record, strict=True)] for record in records])

    def entry(self, entry: JournalEntry) -> None:
        """Pass over it."""

    def sample(self, sample: Sample) -> None:
        """Pass over it."""
