"""The ladders of a run, read from its folder: those that tell most, and any that somebody asks for.

The capture is read once for all that is asked, and is never held whole.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Final

from reports.dialogs import Calls, Dialog, OneLeg, Registrations, share_out
from reports.folder import CALLS, JOURNAL, PACKETS, RESULT, WIRE
from reports.ladder import SHOWN, Kind, Ladder, ladder
from reports.ladder_calls import Attempt, CallsError, Picks, attempts, picks
from reports.pcap import moment_zero
from reports.pcap_reader import CaptureError, sip_packets
from reports.wire import LATEST, WireError, read_wiring, why
from scenarios.evidence import EventKind, JournalEntry
from scenarios.paths import is_file, is_folder


class NoLadderError(Exception):
    """There is no ladder to show; the message says why, and what there is."""


@dataclass(frozen=True, slots=True)
class Telling:
    """The ladders of a run that tell most, and how much else there is."""

    ladders: dict[Kind, Ladder]
    picks: Picks


_FILES: Final = (PACKETS, WIRE, CALLS, JOURNAL)
_DIGITS: Final = 18
"""No number of an attempt has more, and int() refuses thousands of them."""
_NAMED: Final = frozenset(str(kind) for kind in SHOWN)


class RunFolder:
    """The folder of a run with messages."""

    def __init__(self, path: Path) -> None:
        """Raises :class:`NoLadderError` where files are missing or are none of ours."""
        if not is_folder(path):
            raise NoLadderError(f"{path}: there is no such folder (allowed: one that kirikae run has written)")
        missing = [name for name in _FILES if not is_file(path / name)]
        if missing and _unfinished(path):
            raise NoLadderError(f"{path}: the run was not finished, and its messages were not kept; run it again")
        if missing:
            raise NoLadderError(
                f"{path}: there is no {', no '.join(missing)}; kirikae run writes them with --engine packets or live, "
                "without --no-calls and --no-pcap"
            )
        self._path = path
        with _Told(path):
            self._wiring = read_wiring(path / WIRE)
            self._journal = list(_journal(path / JOURNAL))

    def telling(self) -> Telling:
        """Return the ladders that tell most; raises :class:`NoLadderError` for files that are none of ours."""
        with _Told(self._path):
            chosen = picks(self._path / CALLS)
            calls = Calls(chosen.candidates, self._wiring)
            first = min((entry.at for entry in self._journal if entry.kind is EventKind.FAULT), default=-inf)
            registrations = Registrations(first, self._wiring)
            self._read(calls, registrations)
        ladders: dict[Kind, Ladder] = {}
        for kind, several in ((Kind.DELAYED, chosen.delayed), (Kind.LOST, chosen.lost)):
            there = next((each for each in several if calls.found[each.attempt].packets), None)
            if there is not None:
                ladders[kind] = self._ladder(calls.found[there.attempt], there)
        if registrations.found is not None:
            ladders[Kind.REGISTRATION] = self._ladder(registrations.found)
        return Telling(ladders, chosen)

    def call(self, asked: str) -> Ladder:
        """Return the ladder of an attempt, by its number, or of the call with a Call-ID.

        Raises :class:`NoLadderError` for one that is not there.
        """
        with _Told(self._path):
            if not asked.isdecimal():
                return self._with_call_id(asked)
            found = self._attempt(asked)
            if found is not None:
                return self._of_attempt(found)
            try:
                return self._with_call_id(asked)
            except NoLadderError:
                why = f"{asked}: there is no such attempt in {self._path / CALLS}, and no such Call-ID"
                raise NoLadderError(why) from None

    def _attempt(self, number: str) -> Attempt | None:
        if len(number) > _DIGITS:
            return None
        return next((each for each in attempts(self._path / CALLS) if int(each.attempt) == int(number)), None)

    def _of_attempt(self, attempt: Attempt) -> Ladder:
        calls = Calls([attempt.attempt], self._wiring)
        self._read(calls)
        dialog = calls.found[attempt.attempt]
        if not dialog.packets:
            raise NoLadderError(
                f"attempt {attempt.attempt} has sent no message: {attempt.outcome} ({attempt.reason or 'no reason'})"
            )
        return self._ladder(dialog, attempt)

    def _with_call_id(self, call_id: str) -> Ladder:
        leg = OneLeg(call_id, self._wiring)
        self._read(leg)
        if not leg.found.packets:
            raise NoLadderError(f"{call_id}: no message in {self._path / PACKETS} has this Call-ID")
        if leg.attempt is None:
            return self._ladder(leg.found)
        calls = Calls([leg.attempt], self._wiring)
        self._read(calls)
        attempt = self._attempt(leg.attempt) if leg.attempt.isdecimal() else None
        return self._ladder(calls.found[leg.attempt], attempt)

    def _read(self, *takers: Calls | OneLeg | Registrations) -> None:
        share_out(sip_packets(self._path / PACKETS, moment_zero(self._wiring.clock)), takers)

    def _ladder(self, dialog: Dialog, attempt: Attempt | None = None) -> Ladder:
        return ladder(dialog, self._wiring, self._journal, attempt)


class _Told:
    """Says what is wrong with a file as :class:`NoLadderError`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CaptureError | WireError | CallsError):
            raise NoLadderError(str(error)) from error
        if isinstance(error, OSError):
            raise NoLadderError(f"{error.filename or self._folder}: {error.strerror or error}") from error
        if isinstance(error, UnicodeDecodeError):
            raise NoLadderError(f"{self._folder / CALLS}: no UTF-8") from error


def _unfinished(path: Path) -> bool:
    """Whether a run goes on that writes there, or was killed."""
    try:
        result = json.loads((path / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(result, dict) and result.get("unfinished") is True


def _journal(path: Path) -> Sequence[JournalEntry]:
    """Return what ladders tell of a journal."""
    found = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                told = json.loads(line)
                if told["kind"] in _NAMED:
                    found.append(_entry(told))
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
                raise NoLadderError(f"{path}: line {number} is none of kirikae's ({why(error)})") from error
    return found


_SAID: Final = {
    EventKind.FAULT: ("target", "fails"),
    EventKind.NODE_LOST: ("node",),
    EventKind.DETECTED: ("by",),
    EventKind.TAKEOVER: ("node", "outage"),
    EventKind.RESIGNED: ("node",),
    EventKind.REROUTED: ("to",),
}
"""The details that ladders tell of."""


def _entry(told: Any) -> JournalEntry:
    """Return what a line says; raises ValueError, KeyError, TypeError, OverflowError and RecursionError."""
    kind, subject, detail = EventKind(told["kind"]), told["subject"], told["detail"]
    if not isinstance(subject, str) or not isinstance(detail, dict):
        raise TypeError("subject is no text, or detail no object")
    for name in _SAID.get(kind, ()):
        if not isinstance(detail[name], str | float | int):
            raise TypeError(f"{name} is no text and no number")
    json.dumps(told, ensure_ascii=False).encode()  # half a surrogate pair could not be written
    at, outage = float(told["at"]), float(detail["outage"]) if kind is EventKind.TAKEOVER else 0.0
    if not abs(at) <= LATEST or not abs(outage) <= LATEST:
        raise ValueError("a time that is in no run")
    return JournalEntry(at, kind, subject, detail)
