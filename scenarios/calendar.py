"""Wall-clock time: what the clock shows as a run goes on, and when a calendar is open.

Pure arithmetic. A run counts seconds from its start; days and hours are those of its time zone, daylight saving
included.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import inf
from typing import NamedTuple
from zoneinfo import ZoneInfo

import jpholiday

DAY = 86_400.0
"""Seconds of a day without a change of the clock."""
HOLIDAY = 7
"""The place of holidays in :attr:`WeeklyHours.days`, after Monday to Sunday."""
_UNDATED = date(2001, 1, 1)
"""The day that stands for any day when a run is given a time of day alone."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run begins, as people write it: date and time, or a time of day alone."""

    clock: float
    """Seconds since midnight."""
    day: date | None = None


class Window(NamedTuple):
    """Part of a day, in seconds since its midnight; it may end on the day after."""

    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Windows by the day they begin on."""

    days: tuple[tuple[Window, ...], ...]
    """Monday to Sunday, and holidays, which have only their own windows, whatever their weekday."""


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days that keep the hours of holidays."""

    japan: bool = False
    """Whether the national holidays of Japan are among them."""
    dates: frozenset[date] = frozenset()

    def __contains__(self, day: date) -> bool:
        return day in self.dates or (self.japan and jpholiday.is_holiday(day))


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock on the wall while a run goes on."""

    start: datetime
    """With its time zone."""
    dated: bool
    """Whether the day is known, and not only the time of day."""

    @classmethod
    def of(cls, moment: Moment, zone: str) -> "Clock":
        """Return the clock of a run that begins at a moment in a time zone of the IANA database."""
        if moment.day is None:
            return cls(datetime.combine(_UNDATED, time(), UTC) + timedelta(seconds=moment.clock), dated=False)
        start = datetime.combine(moment.day, time()) + timedelta(seconds=moment.clock)
        return cls(start.replace(tzinfo=ZoneInfo(zone)), dated=True)

    def at(self, seconds: float) -> datetime:
        """Return what the clock shows that many seconds after the start."""
        return (self.start.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(self.start.tzinfo)

    def seconds(self, day: date, clock: float) -> float:
        """Return the second of the run at which the clock shows a time of a day, given in seconds since midnight.

        A time that the clock shows twice is the first of both; one that it skips counts as if it had not been put
        forward yet (PEP 495).
        """
        shown = datetime.combine(day, time()) + timedelta(seconds=clock)
        return (shown.replace(tzinfo=self.start.tzinfo) - self.start.astimezone(UTC)).total_seconds()

    def profile(self, steps: Sequence[tuple[float, float]], begin: float, end: float) -> list[tuple[float, float]]:
        """Return a rate over the day, given by the second of the day from which on it holds, as it is in the run.

        Each is the second of the run from which on it holds, and the rate; the first is at ``begin`` or earlier.
        """
        return sorted((self.seconds(day, at), rate) for day in self.days(begin, end) for at, rate in steps)

    def days(self, begin: float, end: float) -> Iterator[date]:
        """Yield the days of a part of the run, and the one before, whose windows may last into it."""
        day, last = self.at(begin).date() - timedelta(days=1), self.at(end).date()
        while day <= last:
            yield day
            day += timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Openings:
    """When something is open: spans of the run in order and apart, each from its first second to before its last."""

    spans: tuple[tuple[float, float], ...]

    def is_open(self, now: float) -> bool:
        """Whether it is open ``now`` seconds after the start."""
        return self.next_open(now) == now

    def next_open(self, now: float) -> float:
        """Return ``now`` while it is open, else when it opens next; infinity for never."""
        after = bisect_right(self.spans, now, key=lambda span: span[0])
        if after and now < self.spans[after - 1][1]:
            return now
        return self.spans[after][0] if after < len(self.spans) else inf

    def changes(self, begin: float, end: float) -> list[float]:
        """Return the moments after ``begin`` and before ``end`` at which it opens or closes."""
        return [moment for span in self.spans for moment in span if begin < moment < end]


ALWAYS = Openings(((-inf, inf),))
"""Open at any time."""


def openings(hours: WeeklyHours, holidays: Holidays, clock: Clock, begin: float, end: float) -> Openings:
    """Return when something with these hours is open from ``begin`` to ``end``, in seconds of the run.

    Windows that meet or overlap are one span, so that nothing closes at midnight that opens at midnight.
    """
    windows = sorted(
        (clock.seconds(day, window.begins), clock.seconds(day, window.ends))
        for day in clock.days(begin, end)
        for window in hours.days[HOLIDAY if day in holidays else day.weekday()]
    )
    spans: list[tuple[float, float]] = []
    for opens, closes in windows:
        if spans and opens <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], closes)
        elif opens < closes:
            spans.append((opens, closes))
    return Openings(tuple(span for span in spans if span[1] > begin and span[0] < end))
