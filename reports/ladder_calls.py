"""Which calls of a run are worth a ladder: read back from `calls.csv`."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from pathlib import Path
from typing import Any, Final, NamedTuple

from reports.calls_csv import ENCODING, HEADER
from reports.chronicle import PROMPT
from scenarios.evidence import Outcome

_LOST: Final = (Outcome.DROPPED, Outcome.FAILED, Outcome.BLOCKED, Outcome.ABANDONED)
"""Outcomes of a call that is lost, those first that a plan is to avoid most."""
_EACH: Final = 4
"""Candidates of a kind: a call that reached nobody at all may have no message."""


class CallsError(Exception):
    """`calls.csv` cannot be read: which line, and why."""

    def __init__(self, file: Path, line: int, why: str) -> None:
        super().__init__(f"{file}: line {line} is none of kirikae's ({why})")


class Attempt(NamedTuple):
    """What a ladder tells of an attempt besides its messages; times in seconds."""

    attempt: str
    tries: int
    direction: str
    number: str
    destination: str
    start: float
    setup: float | None
    talk: float | None
    end: float
    outcome: Outcome
    reason: str
    sip: int
    node: str

    @property
    def delayed(self) -> bool:
        """Whether it was delivered, and later than the first INVITE would have let it; as the metric `delayed`."""
        return self.setup is not None and self.setup > PROMPT

    @property
    def lost(self) -> bool:
        """Whether it came to nothing, or was cut off."""
        return self.outcome in _LOST


@dataclass(slots=True)
class Picks:
    """What there is to show of the attempts of a run."""

    attempts: int = 0
    delayed: list[Attempt] = field(default_factory=list)
    """Some, in order of their beginning."""
    delayed_of_all: int = 0
    lost: list[Attempt] = field(default_factory=list)
    """Some of each outcome, by how much they are to be avoided, then in order of their beginning."""
    lost_of_all: int = 0

    @property
    def candidates(self) -> set[str]:
        """The attempts whose messages are wanted."""
        return {each.attempt for each in (*self.delayed, *self.lost)}


def picks(path: Path) -> Picks:
    """Read through `calls.csv`; raises :class:`CallsError`, and OSError."""
    found = Picks()
    lost: dict[Outcome, list[Attempt]] = {outcome: [] for outcome in _LOST}
    for each in attempts(path):
        found.attempts += 1
        if each.delayed:
            found.delayed_of_all += 1
            found.delayed.append(each)
        if each.lost:
            found.lost_of_all += 1
            lost[each.outcome].append(each)
        for several in (found.delayed, lost.get(each.outcome, [])):
            if len(several) > 100 * _EACH:
                several[:] = _first(several)
    found.delayed = _first(found.delayed)
    found.lost = [each for outcome in _LOST for each in _first(lost[outcome])]
    return found


def attempts(path: Path) -> Iterator[Attempt]:
    """Yield the attempts of `calls.csv`; raises :class:`CallsError`, and OSError."""
    with path.open(encoding=ENCODING, newline="") as file:
        rows = csv.DictReader(file)
        line = 1
        try:
            if tuple(rows.fieldnames or ()) != HEADER:
                raise CallsError(path, line, "other columns")
            line += 1
            for row in rows:
                yield _attempt(row)
                line = rows.line_num + 1
        except UnicodeDecodeError:  # which is found before the line is read that it is in
            raise
        except (ValueError, TypeError, csv.Error) as error:
            raise CallsError(path, line, str(error)) from error


def _attempt(row: dict[str | Any, str | Any]) -> Attempt:
    if None in row or row[HEADER[-1]] is None:  # as the csv module tells of more cells, and of fewer
        raise ValueError("more or fewer cells than columns")
    return Attempt(
        str(int(row["attempt"])),
        int(row["tries"]),
        row["direction"],
        _plain(row["number"]),
        _plain(row["destination"]),
        float(row["start (seconds)"]),
        _seconds(row["setup (seconds)"]),
        _seconds(row["talk (seconds)"]),
        float(row["end (seconds)"]),
        Outcome(row["outcome"]),
        _plain(row["reason"]),
        int(row["sip"]),
        _plain(row["node"]),
    )


def _first(several: list[Attempt]) -> list[Attempt]:
    return nsmallest(_EACH, several, key=lambda each: (each.start, int(each.attempt)))


def _seconds(cell: str) -> float | None:
    return float(cell) if cell else None


def _plain(cell: str) -> str:
    """Return the text of a cell without the apostrophe that keeps spreadsheets from calculating."""
    return cell.removeprefix("'")
