"""Values as people read them, in the units of the metric registry.

What has words in it is a :class:`~scenarios.text.Text`: English as it stands, and said otherwise in other languages.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from reports.statistics import Interval
from scenarios.calendar import Clock
from scenarios.evidence import Direction, Outcome
from scenarios.metrics import Unit
from scenarios.model import Verdict
from scenarios.text import Text
from scenarios.units import format_duration, format_share

NEVER: Final = Text("never")
NOTHING: Final = Text("nothing to measure")
_WEEKDAYS = (Text("Mon"), Text("Tue"), Text("Wed"), Text("Thu"), Text("Fri"), Text("Sat"), Text("Sun"))

# The empty value keeps the verdict apart, for catalogues, from the outcome of a call that has the same name.
VERDICTS: Final = {
    Verdict.PASSED: Text("{verdict}passed", verdict=""),
    Verdict.FAILED: Text("{verdict}failed", verdict=""),
    Verdict.INCONCLUSIVE: Text("{verdict}inconclusive", verdict=""),
}
"""Verdicts in words."""
OUTCOMES: Final = {
    Outcome.COMPLETED: Text("completed"),
    Outcome.BLOCKED: Text("blocked"),
    Outcome.FAILED: Text("failed"),
    Outcome.ABANDONED: Text("abandoned"),
    Outcome.DROPPED: Text("dropped"),
    Outcome.CLOSED: Text("closed"),
    Outcome.IN_PROGRESS: Text("in progress"),
}
"""Outcomes of attempts in words."""
DIRECTIONS: Final = {Direction.INBOUND: Text("in"), Direction.OUTBOUND: Text("out")}
"""Which way a call is set up, in words."""


def value_text(value: float | None, unit: Unit, *, of_limit: bool = False) -> str:
    """Return ``2.4%``, ``23m14s``, ``1,204``, ``never`` …; ports are a percentage when they are a share of a limit."""
    if value is None:
        return NOTHING
    if math.isinf(value):
        return NEVER
    if unit is Unit.SHARE or of_limit:
        return share_text(value)
    if unit is Unit.RATE:
        return Text("{count}/s", count=count_text(value))
    return duration_text(value) if unit is Unit.SECONDS else count_text(value)


def interval_text(interval: Interval, unit: Unit) -> Text:
    """Return ``… to …``."""
    low, high = (value_text(end, unit) for end in interval)
    return span_text(low, high)


def span_text(low: str, high: str) -> Text:
    """Return ``… to …``."""
    return Text("{low} to {high}", low=low, high=high)


def duration_text(seconds: float) -> Text:
    """Return a duration with about three digits: to the second from a minute on, to the millisecond below 1 s."""
    if math.isinf(seconds):
        return NEVER
    size = abs(seconds)
    digits = 0 if size >= 60 else 1 if size >= 10 else 2 if size >= 1 else 3
    return spoken(format_duration(round(seconds, digits)))


def spoken(duration: str) -> Text:
    """Return a duration such as ``1h30m`` as a text, whose units are words."""
    pieces = [_PARTS[unit](amount) for amount, unit in _PIECE.findall(duration)]
    whole = pieces[-1]
    for piece in reversed(pieces[:-1]):
        whole = Text("{one}{more}", one=piece, more=whole)
    return Text("-{duration}", duration=whole) if duration.startswith("-") else whole


_PIECE = re.compile(r"([0-9.,]+)(ms|[dhms])")
_PARTS: Final[Mapping[str, Callable[[str], Text]]] = {
    "d": lambda amount: Text("{amount}d", amount=amount),
    "h": lambda amount: Text("{amount}h", amount=amount),
    "m": lambda amount: Text("{amount}m", amount=amount),
    "s": lambda amount: Text("{amount}s", amount=amount),
    "ms": lambda amount: Text("{amount}ms", amount=amount),
}


def listed(texts: Iterable[str]) -> Text:
    """Return ``one, two, three``."""
    half, *rest = _halves(texts)
    return Text("{one}, {more}", one=listed(half), more=listed(*rest)) if rest else Text("{one}", one=half[0])


def set_apart(texts: Iterable[str]) -> Text:
    """Return ``one; two; three``, for what is longer than a word."""
    half, *rest = _halves(texts)
    return Text("{one}; {more}", one=set_apart(half), more=set_apart(*rest)) if rest else Text("{one}", one=half[0])


def _halves(texts: Iterable[str]) -> list[list[str]]:
    """Return one half and the other, or a single text alone: texts within texts stay shallow, however many they are."""
    each = list(texts)
    half = len(each) // 2
    return [each[:half], each[half:]] if half else [each]


def runs_text(count: int) -> Text:
    """Return ``1 run``, ``2 runs``."""
    return Text("1 run") if count == 1 else Text("{count} runs", count=f"{count:,}")


def replications_text(count: int) -> Text:
    """Return ``1 replication``, ``2 replications``."""
    return Text("1 replication") if count == 1 else Text("{count} replications", count=f"{count:,}")


def part_of_runs(part: int, runs: int) -> Text:
    """Return ``3 of 5 runs``."""
    return Text("{part} of {runs}", part=part, runs=runs_text(runs))


def cost_text(seconds: float | None, *, least: bool) -> str:
    """Return ``5m``, ``at least 5m`` for what had not ended, or a dash for what was never begun."""
    if seconds is None:
        return "–"
    return Text("at least {duration}", duration=duration_text(seconds)) if least else duration_text(seconds)


def clock_text(clock: Clock, seconds: float) -> str:
    """Return what the clock on the wall shows: ``Tue 2026-11-24 09:10``, or ``09:10`` where the day is not known."""
    now = clock.at(round(seconds))
    text = f"{now:%H:%M:%S}".removesuffix(":00")
    if not clock.dated:
        return text
    return Text("{weekday} {date} {time}", weekday=_WEEKDAYS[now.weekday()], date=f"{now:%Y-%m-%d}", time=text)


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
    return _difference_text(difference, unit, "+")


def reach_text(reach: float, unit: Unit) -> Text:
    """Return how far an interval reaches either way: ``±0.3 points``, ``±12s``; infinite where never is within it."""
    return NEVER if math.isinf(reach) else Text("±{reach}", reach=_difference_text(reach, unit, ""))


def _difference_text(difference: float, unit: Unit, plus: str) -> str:
    if unit is Unit.SHARE:
        return Text("{number} points", number=_signed(difference * 100, plus))
    if unit is Unit.SECONDS:
        if abs(difference) < _SHORTEST:
            return spoken("0s")
        duration = duration_text(difference)
        return Text("+{duration}", duration=duration) if difference > 0 and plus else duration
    number = _signed(difference, plus)
    return Text("{count}/s", count=number) if unit is Unit.RATE else number


_SHORTEST = 0.0005
"""Seconds below which a duration is written as none."""
_SMALLEST = 0.0001
"""The same of other numbers."""


def _signed(number: float, plus: str) -> str:
    """Return a number with its sign and about two digits."""
    size = abs(number)
    if size < _SMALLEST:
        return "0"
    sign = plus if number > 0 else ""
    if number == int(number) or size >= 10:
        return f"{sign}{number:,.0f}"
    return f"{sign}{number:.1f}" if size >= 1 else f"{sign}{number:.2g}"


def number_of(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 run``, ``2 runs``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
