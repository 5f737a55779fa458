"""Lists and ranges of values, as people write them: `90,100,110`, `90..120:5`, `0.5/s..2/s:0.25/s`, `confirmed,none`.

What a value means is the field's affair; here it is text, and a range counts in decimals, so that the values are those
that a person expects.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from scenarios.units import UnitError, format_duration, parse_duration, parse_rate

MOST_VALUES = 1000
"""Most values of one list or range."""
RANGES = "a list such as 90,100,110, or a range with a step such as 90..120:5, 1m..5m:30s or 0.5/s..2/s:0.25/s"

_AMOUNT = re.compile(r"(-?\d+(?:\.\d+)?)\s*(\D*)", re.ASCII)
_WRITTEN_OUT = "seconds"
"""The unit of durations of several units, such as 1m30s."""
_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
    _WRITTEN_OUT: Decimal(1),
}
_OPENING, _CLOSING, _QUOTES = "[{", "]}", "\"'"


class Amount(NamedTuple):
    """A number and its unit as it is written: `90`, `70 %`, `30 s`, `0.5 /s`."""

    number: Decimal
    unit: str

    @property
    def text(self) -> str:
        """As a drill may have it."""
        if self.unit == _WRITTEN_OUT:
            return format_duration(float(self.number))
        return f"{plain(self.number)}{self.unit}"


@dataclass(frozen=True, slots=True)
class Span:
    """All values from one amount to another, both included, of the same unit."""

    low: Decimal
    high: Decimal
    unit: str

    @property
    def whole(self) -> bool:
        """Whether they are whole numbers only: counts, which are written without unit and point."""
        return not self.unit and all(end.as_tuple().exponent == 0 for end in (self.low, self.high))


@dataclass(frozen=True, slots=True)
class Axis:
    """The values that one field takes."""

    path: str
    values: tuple[str, ...]
    """Of a list or a range with a step; empty for one without."""
    span: Span | None = None
    """Of a range without a step."""


def parse_axis(text: str) -> Axis:
    """Read `path=values`; raises :class:`~scenarios.units.UnitError`."""
    depth = 0
    for index, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "=" and depth <= 0 and text[:index].strip() and text[index + 1 :].strip():
            return _axis(text[:index].strip(), text[index + 1 :].strip())
    raise UnitError("this is not PATH=VALUES", f"ports.tenant={RANGES.removeprefix('a list such as ')}")


def _axis(path: str, text: str) -> Axis:
    parts = split(text)
    alone = _ends(text) if len(parts) == 1 else None
    if alone is not None and alone[2] is None:
        low, high = _alike(text, *alone[:2])
        if low.number >= high.number:
            raise _leads_nowhere(text)
        return Axis(path, (), Span(low.number, high.number, low.unit))
    found = [value for part in parts for value in _values(part)]
    if len(found) > MOST_VALUES:
        raise UnitError(f"more than {MOST_VALUES} values", RANGES)
    return Axis(path, tuple(dict.fromkeys(found)))


def _values(part: str) -> list[str]:
    """Return the values of one part of a list."""
    if not part:
        raise UnitError("a value is missing between two commas", RANGES)
    ends = _ends(part)
    if ends is None:
        return [part]
    first, last, step = ends
    if step is None:
        raise UnitError(f"{part!r} has no step", RANGES)
    low, high, each = _alike(part, first, last, step)
    if each.number <= 0 or high.number < low.number:
        raise _leads_nowhere(part)
    count = int((high.number - low.number) / each.number)
    if count >= MOST_VALUES:
        raise UnitError(f"more than {MOST_VALUES} values", RANGES)
    return [Amount(low.number + index * each.number, low.unit).text for index in range(count + 1)]


def _leads_nowhere(text: str) -> UnitError:
    return UnitError(f"{text!r} leads nowhere: from the smaller to the larger value, by a step above 0", RANGES)


def split(text: str) -> list[str]:
    """Return the parts of a list: a comma inside brackets, braces or quotes parts nothing."""
    parts, depth, quote = [""], 0, ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
        else:
            depth += (char in _OPENING) - (char in _CLOSING)
        if char == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def parse_amount(text: str) -> Amount | None:
    """Read a number with its unit, or return None for what is neither number, duration, rate nor percentage."""
    folded = unicodedata.normalize("NFKC", text).strip().casefold()
    match = _AMOUNT.fullmatch(folded)
    if match is not None and match[2] in ("", "%"):
        return Amount(Decimal(match[1]), match[2])
    try:
        if "/" not in folded:
            seconds = parse_duration(folded)
            if match is not None and match[2] in _SECONDS:
                return Amount(Decimal(match[1]), match[2])
            return Amount(Decimal(str(seconds)), _WRITTEN_OUT)
        parse_rate(folded)
    except UnitError:
        return None
    amount, per = folded.split("/")
    return Amount(Decimal(amount.strip()), f"/{_per(per.strip())}")


def _per(unit: str) -> str:
    """Return a unit of time by its short name: `min` and `分` are `m`."""
    return next(short for short in ("s", "m", "h", "d") if parse_rate(f"1/{short}") == parse_rate(f"1/{unit}"))


def _ends(part: str) -> tuple[str, str, str | None] | None:
    """Return first, last and step of a range as they are written, or None for a single value."""
    first, dots, rest = part.partition("..")
    if not dots or part[0] in _OPENING + _QUOTES or parse_amount(first) is None:
        return None
    last, colon, step = rest.partition(":")
    if colon:
        return first, last, step
    pieces = rest.split("/")  # as `kirikae erlang` has it, though a slash may stand in a rate as well
    for cut in range(1, len(pieces)):
        last, step = "/".join(pieces[:cut]), "/".join(pieces[cut:])
        if parse_amount(last) is not None and parse_amount(step) is not None:
            return first, last, step
    return first, rest, None


def _alike(part: str, *texts: str) -> list[Amount]:
    """Return amounts in one unit; raises :class:`~scenarios.units.UnitError` where there is none."""
    amounts = [parse_amount(text) for text in texts]
    if None in amounts:
        odd = texts[amounts.index(None)].strip()
        raise UnitError(f"in {part!r}, {odd!r} is neither a number nor a duration, rate or percentage", RANGES)
    known = in_one_unit(texts)
    if known is None:
        raise UnitError(f"in {part!r}, not all are of the same kind", RANGES)
    return known


def in_one_unit(texts: Sequence[str]) -> list[Amount] | None:
    """Return amounts in the unit that all are written in, or one in which all can be said exactly.

    None where one is no amount, or not all are of the same kind.
    """
    amounts = [amount for amount in map(parse_amount, texts) if amount is not None]
    units = {amount.unit for amount in amounts}
    if len(amounts) < len(texts):
        return None
    if len(units) == 1:
        return amounts
    if all(unit in _SECONDS for unit in units):
        return [Amount(amount.number * _SECONDS[amount.unit], _WRITTEN_OUT) for amount in amounts]
    if not all(unit.startswith("/") for unit in units):
        return None
    slowest = max(units, key=lambda unit: _SECONDS[unit[1:]])
    return [Amount(amount.number * _SECONDS[slowest[1:]] / _SECONDS[amount.unit[1:]], slowest) for amount in amounts]


def plain(number: Decimal) -> str:
    """Return a decimal without trailing zeros or exponent."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
