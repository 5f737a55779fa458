"""A rehearsal sheet that people have filled in: CSV as a spreadsheet saves it, UTF-8 or CP932, by `,`, `;` or tabs.

Times are by the clock (`10:32`, `10:32:05`, `2026-11-24 10:32`, `10時32分`), or counted from the first line (`32m`).
Cells left empty, or with a dash, are times that nobody wrote down.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from reports.sheet import Event
from reports.sheet_csv import HEADERS
from scenarios.encoding import read_text
from scenarios.problems import DrillError, Mark, Problem, did_you_mean, fold, show
from scenarios.rows import rows
from scenarios.text import LANGUAGES, Text, translator
from scenarios.units import UnitError, parse_duration

_DAY = 86_400.0
_BEFORE = 3600.0
"""Seconds by which a time without a date may lie before the first line; all others are in the day after it."""
_MINUTE = 60.0

_CLOCK = re.compile(
    r"(?:(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[ t]\s*)?"
    r"(?P<hour>\d{1,2})(?::|時)\s*(?P<minute>\d{1,2})(?:(?::|分)(?P<second>\d{2})秒?|分)?",
    re.ASCII,
)
_SECONDS = re.compile(r"(?<!m)s|秒")
_DASHES = frozenset("-–—―−ー")
_DELIMITERS = (",", ";", "\t")
_NEEDED = ("step", "began", "ended")


class Stamp(NamedTuple):
    """A moment that somebody wrote down."""

    at: float
    """Seconds since the first line of the sheet."""
    within: float
    """Seconds by which it may be later: a minute where no seconds are given."""


@dataclass(frozen=True, slots=True)
class Actual:
    """When a step was begun and finished; None where nobody wrote it down."""

    began: Stamp | None
    ended: Stamp | None


@dataclass(frozen=True, slots=True)
class Filled:
    """A sheet that was filled in."""

    file: str
    steps: Mapping[str, Actual]
    """By step; those with a time only."""
    anchored: bool
    """Whether it is known when the first line happened, so that moments can be compared and not only how long steps
    took."""
    missing: tuple[str, ...]
    """Steps of the drill that the sheet has no line for."""
    notes: tuple[str, ...]
    """What people should know about how it was read."""
    first_within: float | None = None
    """Seconds by which the first line may be later than it was written; None where it has no time by the clock."""


class _Time(NamedTuple):
    """A cell with a time, not yet counted from anywhere."""

    mark: Mark
    text: str
    seconds: float
    """Since midnight, or since the first line."""
    within: float
    by_clock: bool
    day: date | None


class _Line(NamedTuple):
    mark: Mark
    cells: Mapping[str, tuple[Mark, str]]
    """What is not empty, by column."""


def read_sheet(path: Path, steps: Sequence[str], events: Sequence[Event]) -> Filled:
    """Read a sheet of a drill with these steps and events; raises :class:`DrillError` with all that is wrong."""
    decoded = read_text(path, str(path))
    return _Reader(str(path), steps, events).read(decoded.text, decoded.notes)


class _Reader:
    def __init__(self, name: str, steps: Sequence[str], events: Sequence[Event]) -> None:
        self._name = name
        self._steps = steps
        self._events = events
        self._problems: list[Problem] = []
        self._keys = {**{event.key: None for event in events}, **{str(n): step for n, step in enumerate(steps, 1)}}
        """What each number of a line stands for: a step, or None for what happens by itself."""

    def read(self, text: str, notes: Sequence[str]) -> Filled:
        """Return what a text says; raises :class:`DrillError`."""
        times: dict[str, dict[str, _Time]] = {}
        first: dict[str, _Time] = {}
        seen: dict[str, int] = {}
        for line in self._lines(text):
            key = self._key(line)
            if key is None:
                continue
            if key in seen:
                self._problem(
                    line.mark,
                    HEADERS["no"],
                    Text("this line stands twice"),
                    key,
                    Text("once, as in line {line}", line=seen[key]),
                )
                continue
            seen[key] = line.mark.line
            found = {field: time for field in ("began", "ended") if (time := self._time(line, field)) is not None}
            step = self._keys[key]
            if step is not None:
                times[step] = found
            elif key == self._events[0].key:
                first = found
        field = "began" if "began" in first else "ended"  # what happens at one moment may stand in either column
        resolved, anchored = self._resolved(times, first.get(field), field)
        if self._problems:
            raise DrillError(self._problems)
        missing = tuple(step for step in self._steps if step not in times)
        within = first[field].within if field in first and first[field].by_clock else None
        return Filled(self._name, resolved, anchored, missing, tuple(notes), within)

    def _lines(self, text: str) -> Iterator[_Line]:
        """Iterate over the lines below the header; raises :class:`DrillError` when there is none."""
        known = {fold(said): field for said, field in _names()}
        for delimiter in _DELIMITERS:
            found = rows(text, self._name, "", delimiter)
            try:
                header = next(found, None)
            except DrillError:  # quoted cells are no CSV by another delimiter
                continue
            if header is not None and any(fold(cell.strip()) in known for cell in header[1]):
                break
        else:
            header, found = next(rows(text, self._name, ""), None), iter(())
        if header is None:
            raise DrillError([Problem(Mark(self._name), "", Text("the sheet is empty"), allowed=_example())])
        fields = self._fields(header[0], header[1], header[2], known)
        for mark, cells, columns in found:
            if len(cells) > len(fields) and any(cell.strip() for cell in cells[len(fields) :]):
                extra = Mark(mark.file, mark.line, columns[len(fields)])
                self._problem(extra, "", Text("more cells than the first line has columns"), cells[len(fields)])
            filled = {
                field: (Mark(mark.file, mark.line, column), cell.strip())
                for field, cell, column in zip(fields, cells, columns, strict=False)
                if field is not None and cell.strip()
            }
            yield _Line(mark, filled)

    def _fields(
        self, mark: Mark, cells: Sequence[str], columns: Sequence[int], known: Mapping[str, str]
    ) -> list[str | None]:
        fields: list[str | None] = []
        for text, column in zip(cells, columns, strict=True):
            field = known.get(fold(text.strip()))
            if field is not None and field in fields:
                self._problem(
                    Mark(mark.file, mark.line, column), "", Text("two columns mean the same"), text, Text("one of them")
                )
                field = None
            fields.append(field)
        for field in _NEEDED:
            if field not in fields:
                header = HEADERS[field]
                others = [cell.strip() for cell, there in zip(cells, fields, strict=True) if there is None]
                near = did_you_mean(str(header), others)
                self._problem(
                    mark, "", Text("no column {name!r}{near}", name=header, near=near), ",".join(cells), _example()
                )
        if self._problems:
            raise DrillError(self._problems)
        return fields

    def _key(self, line: _Line) -> str | None:
        """Return the number of what a line is about; None, with a problem, for what the drill does not have."""
        number, named = line.cells.get("no"), line.cells.get("step")
        key = None if number is None else unicodedata.normalize("NFKC", number[1]).upper()
        if number is not None and key not in self._keys:
            self._problem(
                number[0], HEADERS["no"], Text("the drill has no such line"), number[1], ", ".join(self._keys)
            )
            return None
        if key is None and named is None:
            if "began" in line.cells or "ended" in line.cells:
                self._problem(line.mark, HEADERS["step"], Text("nobody knows which step this line is about"))
            return None
        if named is None or (key is not None and self._keys[key] is None):
            return key
        mark, name = named
        by_name = self._named(name) or self._named(_unescaped(name))
        if by_name is None:
            allowed = Text("a step of the drill{near}", near=did_you_mean(_unescaped(name), self._steps))
            self._problem(mark, HEADERS["step"], Text("the drill has no step of this name"), name, allowed)
        elif key not in (None, by_name):
            message = Text("number {key} is another step: this sheet is of another version of the drill", key=key)
            self._problem(mark, HEADERS["step"], message, name, self._keys[str(key)])
            return None
        return by_name or key

    def _named(self, name: str) -> str | None:
        """Return the number of a step, or of what happens by itself, by its name; width and case do not matter."""
        for key, step in self._keys.items():
            if step is not None and fold(step) == fold(name):
                return key
        return next((event.key for event in self._events if fold(event.name) == fold(name)), None)

    def _time(self, line: _Line, field: str) -> _Time | None:
        if field not in line.cells:
            return None
        mark, cell = line.cells[field]
        text = unicodedata.normalize("NFKC", _unescaped(cell)).strip().casefold()
        if set(text) <= _DASHES:
            return None
        first = self._events[0].key
        allowed = Text("a time by the clock such as 10:32 or 10:32:05, or since line {key} such as 32m", key=first)
        if match := _CLOCK.fullmatch(text):
            seconds = _clock_seconds(match)
            day = _day(match)
            if seconds is None or (match["year"] and day is None):
                self._problem(mark, HEADERS[field], Text("no such time"), cell, allowed)
                return None
            return _Time(mark, cell, seconds, 1.0 if match["second"] else _MINUTE, by_clock=True, day=day)
        try:
            seconds = parse_duration(text.removeprefix("+"))
        except UnitError as error:
            self._problem(mark, HEADERS[field], Text("not a time: {reason}", reason=error.reason), cell, allowed)
            return None
        exact = seconds % _MINUTE or _SECONDS.search(text)
        return _Time(mark, cell, seconds, 1.0 if exact else _MINUTE, by_clock=False, day=None)

    def _resolved(
        self, times: Mapping[str, Mapping[str, _Time]], first: _Time | None, field: str
    ) -> tuple[dict[str, Actual], bool]:
        """Return all times counted from the first line, and whether it is known when that happened.

        ``field``: the column that ``first`` stands in.
        """
        by_clock = [time for found in times.values() for time in found.values() if time.by_clock]
        if first is not None and not first.by_clock:
            if first.seconds:
                allowed = Text("a time by the clock such as 10:32, or nothing")
                self._problem(first.mark, HEADERS[field], Text("times are counted from this line"), first.text, allowed)
            first = None
        relative = any(not time.by_clock for found in times.values() for time in found.values())
        if by_clock and relative and first is None:
            self._problem(
                by_clock[0].mark,
                "",
                Text("some times are by the clock and some are counted, and nobody knows from when"),
                by_clock[0].text,
                Text("the time by the clock in line {key}", key=self._events[0].key),
            )
            return {}, False
        base = first or (by_clock[0] if by_clock else None)
        steps = {}
        for step, found in times.items():
            began, ended = (self._since(found.get(each), base) for each in ("began", "ended"))
            if began is not None and ended is not None:
                ended = _after(began, ended, found["began"], found["ended"])
            if began is not None and ended is not None and ended.at + ended.within <= began.at:
                late, early = found["ended"], found["began"]
                allowed = Text("not before {begin}; with the date where it was on another day", begin=early.text)
                self._problem(late.mark, HEADERS["ended"], Text("finished before it was begun"), late.text, allowed)
            if began is not None or ended is not None:
                steps[step] = Actual(began, ended)
        return steps, first is not None or not by_clock

    def _since(self, time: _Time | None, base: _Time | None) -> Stamp | None:
        if time is None:
            return None
        if not time.by_clock or base is None:
            return Stamp(time.seconds, time.within)
        at = time.seconds - base.seconds
        if time.day is not None and base.day is not None:
            return Stamp(at + (time.day - base.day).days * _DAY, time.within)
        if time.day is not None:
            allowed = Text("a date in the first line that has a time, or in none")
            self._problem(
                time.mark, "", Text("a date, where the time that others are counted from has none"), time.text, allowed
            )
        at %= _DAY
        return Stamp(at - _DAY if at >= _DAY - _BEFORE else at, time.within)

    def _problem(
        self, mark: Mark, path: str, message: str, found: str | None = None, allowed: str | None = None
    ) -> None:
        self._problems.append(Problem(mark, path, message, None if found is None else show(found), allowed))


def _after(began: Stamp, ended: Stamp, early: _Time, late: _Time) -> Stamp:
    """Return when a step was finished: by the clock and without a date, in the hours after it was begun.

    In the day after the first line it may be a day off. What would have taken more than half a day stays as it is: more
    likely somebody has written a wrong time.
    """
    apart = ended.at - began.at
    if -ended.within < apart < _DAY or not (early.by_clock and late.by_clock) or late.day is not None:
        return ended
    took = apart % _DAY
    return ended._replace(at=began.at + took) if took <= _DAY / 2 else ended


def _names() -> Iterator[tuple[str, str]]:
    """Yield what each column may be called, in any language."""
    for field, header in HEADERS.items():
        for language in LANGUAGES:
            yield translator(language)(header), field


def _example() -> Text:
    return Text("the columns of kirikae runbook --csv: {names}", names=", ".join(HEADERS[field] for field in _NEEDED))


def _unescaped(text: str) -> str:
    """Return a cell without the apostrophe that keeps a spreadsheet from calculating."""
    return text.removeprefix("'")


def _clock_seconds(match: re.Match[str]) -> float | None:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    return None if hour > 23 or minute > 59 or second > 59 else float(hour * 3600 + minute * 60 + second)


def _day(match: re.Match[str]) -> date | None:
    if not match["year"]:
        return None
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None
