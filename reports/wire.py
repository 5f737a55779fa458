"""`wire.jsonl`: what a capture has no room for, so that its frames can be told as calls between machines.

One JSON object a line, written when there is something new::

    {"version": 1, "clock": null}                                    first of all; the clock where the run has one
    {"machine": "edge/1", "mac": "02:06:a5:30:d0:6b"}                a machine, before its first frame
    {"at": 10.0, "machine": "edge/1", "hears": false}                no process there hears what is sent, from then on
    {"at": 4.2, "call_id": "8f…", "attempt": "17"}                   whose call it is, where the INVITE does not say so

Whoever is silent is noticed by what is sent to it: nothing is written of machines that nobody sends to.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO
from zoneinfo import ZoneInfo

from reports.pcap import mac
from reports.sip_text import call_id_of
from scenarios.calendar import Clock
from scenarios.evidence import WireRecord

VERSION: Final = 1
LATEST: Final = float(1 << 32)
"""Seconds that no moment of a capture is further from the start of its run."""


class WireError(Exception):
    """`wire.jsonl` cannot be read: which line, and why."""

    def __init__(self, file: Path, line: int, why: str) -> None:
        super().__init__(f"{file}: line {line} is none of kirikae's ({why})")


class WireFile:
    """A wire recorder that writes who is who; it keeps the names of machines, and whether they hear."""

    def __init__(self, file: TextIO, clock: Clock | None) -> None:
        """``clock``: that of the run, if it has one."""
        self._file = file
        self._hears: dict[str, bool] = {}
        self._put({"version": VERSION, "clock": None if clock is None else _written(clock)})

    def wire(self, record: WireRecord) -> None:
        """Write what a datagram tells that is new."""
        for machine in (record.sender, record.receiver):
            if machine and machine not in self._hears:
                self._hears[machine] = True
                self._put({"machine": machine, "mac": mac(machine).hex(":")})
        if record.receiver and self._hears[record.receiver] is not record.heard:
            self._hears[record.receiver] = record.heard
            self._put({"at": record.at, "machine": record.receiver, "hears": record.heard})
        if record.call and (call_id := call_id_of(record.data)) is not None:
            self._put({"at": record.at, "call_id": call_id.decode(errors="replace"), "attempt": record.call})

    def _put(self, line: Mapping[str, object]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")


@dataclass(frozen=True, slots=True)
class Wiring:
    """What `wire.jsonl` says."""

    clock: Clock | None
    machines: Mapping[bytes, str]
    """By MAC address."""
    attempts: Mapping[bytes, str]
    """By Call-ID: the key of the attempt, for INVITEs that do not have it themselves."""
    _silences: Mapping[str, list[tuple[float, bool]]] = field(default_factory=dict)

    def hears(self, receiver: bytes, at: float) -> bool:
        """Return whether a process heard what was sent to a MAC address at a moment, seconds in whole microseconds."""
        heard = any(receiver)
        for since, hears in self._silences.get(self.machines.get(receiver, ""), ()):
            if since > at + _ROUNDED:
                break
            heard = hears
        return heard


_ROUNDED: Final = 0.6e-6
"""Seconds by which the time of a frame may be before that of its datagram."""


def read_wiring(path: Path) -> Wiring:
    """Read `wire.jsonl`; raises :class:`WireError`, and OSError."""
    machines: dict[bytes, str] = {}
    attempts: dict[bytes, str] = {}
    silences: dict[str, list[tuple[float, bool]]] = {}
    clock: Clock | None = None
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            with _as_written(path, number):
                told = json.loads(line)
                if number == 1:
                    clock = _first(told)
                elif "mac" in told:
                    machines[bytes.fromhex(told["mac"].replace(":", ""))] = _text(told["machine"])
                elif "hears" in told:
                    silences.setdefault(_text(told["machine"]), []).append((float(told["at"]), bool(told["hears"])))
                else:
                    attempts[str(told["call_id"]).encode()] = _text(told["attempt"])
        if path.stat().st_size == 0:
            raise WireError(path, 1, "the file is empty")
    return Wiring(clock, machines, attempts, silences)


@contextmanager
def _as_written(path: Path, line: int) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, OSError) as error:
        # OSError: a zone with a strange name
        raise WireError(path, line, why(error)) from error


def why(error: Exception) -> str:
    """Return in a few words what is wrong with a line of JSON."""
    if isinstance(error, RecursionError):
        return "too many brackets in one another"
    if isinstance(error, UnicodeEncodeError):
        return "half a surrogate pair"
    if type(error) is KeyError:  # one of a time zone has a sentence
        return f"no {error}"
    return str(error) or type(error).__name__


def _text(told: object) -> str:
    """Return a text that can be written; raises UnicodeEncodeError for others."""
    text = str(told)
    text.encode()
    return text


def _written(clock: Clock) -> dict[str, object]:
    zone = getattr(clock.start.tzinfo, "key", None)
    return {"start": clock.start.replace(tzinfo=None).isoformat(), "zone": zone, "dated": clock.dated}


def _first(told: Any) -> Clock | None:
    if told["version"] != VERSION:
        raise ValueError(f"version {told['version']}, and this is written for {VERSION}")
    clock = told["clock"]
    if clock is None:
        return None
    zone = UTC if clock["zone"] is None else ZoneInfo(clock["zone"])
    found = Clock(datetime.fromisoformat(clock["start"]).replace(tzinfo=zone), bool(clock["dated"]))
    try:
        for seconds in (-LATEST, LATEST):
            found.at(seconds)
    except OverflowError:
        raise ValueError(f"no run begins at {clock['start']}") from None
    return found
