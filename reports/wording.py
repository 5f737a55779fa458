"""Values as people read them, in the units of the metric registry."""

import math

from reports.statistics import Interval
from scenarios.calendar import Clock
from scenarios.metrics import Unit
from scenarios.units import format_duration, format_share

NEVER = "never"
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NOTHING = "nothing to measure"


def value_text(value: float | None, unit: Unit, *, of_limit: bool = False) -> str:
    """Return ``2.4%``, ``23m14s``, ``1,204``, ``never`` …; ports are a percentage when they are a share of a limit."""
    if value is None:
        return NOTHING
    if math.isinf(value):
        return NEVER
    if unit is Unit.SHARE or of_limit:
        return share_text(value)
    if unit is Unit.RATE:
        return f"{count_text(value)}/s"
    return duration_text(value) if unit is Unit.SECONDS else count_text(value)


def interval_text(interval: Interval, unit: Unit) -> str:
    """Return ``from … to …``."""
    low, high = (value_text(end, unit) for end in interval)
    return f"{low} to {high}"


def duration_text(seconds: float) -> str:
    """Return a duration with about three digits: to the second from a minute on, to the millisecond below 1 s."""
    if math.isinf(seconds):
        return NEVER
    size = abs(seconds)
    digits = 0 if size >= 60 else 1 if size >= 10 else 2 if size >= 1 else 3
    return format_duration(round(seconds, digits))


def cost_text(seconds: float | None, *, least: bool) -> str:
    """Return ``5m``, ``at least 5m`` for what had not ended, or a dash for what was never begun."""
    if seconds is None:
        return "–"
    return f"at least {duration_text(seconds)}" if least else duration_text(seconds)


def clock_text(clock: Clock, seconds: float) -> str:
    """Return what the clock on the wall shows: ``Tue 2026-11-24 09:10``, or ``09:10`` where the day is not known."""
    now = clock.at(round(seconds))
    text = f"{now:%H:%M:%S}".removesuffix(":00")
    return f"{_WEEKDAYS[now.weekday()]} {now:%Y-%m-%d} {text}" if clock.dated else text


def moment_text(clock: Clock, seconds: float) -> str:
    """Return date and time with its offset from UTC (ISO 8601), or the time alone where the day is not known."""
    now = clock.at(seconds)
    return now.isoformat(timespec="milliseconds") if clock.dated else now.time().isoformat("milliseconds")


def share_text(share: float) -> str:
    """Return a share of 1 as a percentage: to one decimal from 1 % on, to two below."""
    return format_share(round(share, 3 if share >= 0.01 else 4))


def count_text(count: float) -> str:
    """Return a count or a mean count: with about two digits, and thousands apart."""
    if count == int(count) or count >= 10:
        return f"{count:,.0f}"
    return f"{count:.1f}" if count >= 1 else f"{count:.2g}"


def difference_text(difference: float, unit: Unit) -> str:
    """Return a difference with its sign: ``+1.2``, ``-500ms``, ``+0.3 points`` of a percentage."""
    if unit is Unit.SHARE:
        return f"{_signed(difference * 100)} points"
    if unit is Unit.SECONDS:
        sign = "+" if difference > 0 else ""
        return sign + duration_text(difference) if abs(difference) >= _SHORTEST else "0s"
    return f"{_signed(difference)}/s" if unit is Unit.RATE else _signed(difference)


def reach_text(reach: float, unit: Unit) -> str:
    """Return how far an interval reaches either way: ``±0.3 points``, ``±12s``; infinite where never is within it."""
    return NEVER if math.isinf(reach) else f"±{difference_text(reach, unit).lstrip('+')}"


_SHORTEST = 0.0005
"""Seconds below which a duration is written as none."""
_SMALLEST = 0.0001
"""The same of other numbers."""


def _signed(number: float) -> str:
    """Return a number with its sign and about two digits."""
    size = abs(number)
    if size < _SMALLEST:
        return "0"
    if number == int(number) or size >= 10:
        return f"{number:+,.0f}"
    return f"{number:+.1f}" if size >= 1 else f"{number:+.2g}"


def number_of(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 run``, ``2 runs``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
