"""Durations, rates, shares and times of day, as people write them.

Full-width digits and letters are read like their ASCII forms (Unicode NFKC), and 日 時間 分 秒 like d h m s.
"""

import re
import unicodedata
from decimal import Decimal

from scenarios.problems import did_you_mean

MAX_DURATION = 366 * 86_400.0
"""Longest duration, in seconds."""
MAX_RATE = 10_000.0
"""Highest rate, per second."""

_UNITS = {
    "d": ("d", "day", "days", "日"),
    "h": ("h", "hr", "hrs", "hour", "hours", "時間"),
    "m": ("m", "min", "mins", "minute", "minutes", "分"),
    "s": ("s", "sec", "secs", "second", "seconds", "秒"),
    "ms": ("ms", "msec", "millisecond", "milliseconds", "ミリ秒"),
}
_MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_UNIT_OF = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings}
_ORDER = tuple(_UNITS)
_PER_SECOND = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_PIECE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([^\W\d_]+)\s*")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_LONGEST_TEXT = 60

DURATIONS = "a duration such as 90s, 3m, 1h30m or 500ms"
RATES = "a rate such as 0.5/s, 30/m or 1800/h"
SHARES = "a percentage from 0% to 100%"
CLOCKS = "a time of day such as 09:00, from 00:00 to 23:59"


class UnitError(ValueError):
    """A quantity that cannot be read.

    ``reason`` says why, ``allowed`` what could stand there, ``within`` leads to the part of a larger value.
    """

    def __init__(self, reason: str, allowed: str, within: tuple[str | int, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.allowed = allowed
        self.within = within


def parse_duration(value: object) -> float:
    """Return seconds from text such as ``1h30m``; raises :class:`UnitError`, also without a unit."""
    text = _text(value, "a duration", DURATIONS)
    if text == "0":
        return 0.0
    if _NUMBER.fullmatch(text):
        _refuse_negative(text, "a duration", DURATIONS)
        raise UnitError(f"{text} has no unit; write {text}s for seconds or {text}m for minutes", DURATIONS)
    if text.startswith("-"):
        raise UnitError("a duration cannot be negative", DURATIONS)
    milliseconds, position, rank = Decimal(0), 0, -1
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            raise UnitError(f"{text!r} is not a duration", DURATIONS)
        unit = _UNIT_OF.get(piece[2])
        if unit is None:
            raise UnitError(
                f"{piece[2]!r} is not a unit of time{did_you_mean(piece[2], _UNIT_OF)}", "d, h, m, s or ms, as in 1h30m"
            )
        if _ORDER.index(unit) <= rank:
            raise UnitError("each unit stands once, the largest first", DURATIONS)
        rank = _ORDER.index(unit)
        milliseconds += Decimal(piece[1]) * _MILLISECONDS[unit]
        position = piece.end()
    seconds = float(milliseconds / 1000)
    if seconds > MAX_DURATION:
        raise UnitError("a duration of more than 366 days", f"{DURATIONS}, at most 366d")
    return seconds


def parse_rate(value: object) -> float:
    """Return events per second from text such as ``30/m``; raises :class:`UnitError`."""
    text = _text(value, "a rate", RATES)
    if _NUMBER.fullmatch(text):
        _refuse_negative(text, "a rate", RATES)
        raise UnitError(f"{text} has no unit; write {text}/s, {text}/m or {text}/h", RATES)
    amount, slash, per = (part.strip() for part in text.partition("/"))
    if not slash:
        raise UnitError(f"{text!r} is not a rate", RATES)
    number = _plain_number(amount, "a rate", RATES)
    unit = _UNIT_OF.get(per)
    if unit not in _PER_SECOND:
        raise UnitError(f"{per!r} is not a unit of time for a rate", "/s, /m, /h or /d, as in 30/m")
    rate = float(number / _PER_SECOND[unit])
    if rate > MAX_RATE:
        raise UnitError(f"a rate of more than {MAX_RATE:.0f}/s", RATES)
    return rate


def parse_share(value: object) -> float:
    """Return a share of 1 from text such as ``70%``; a bare number raises :class:`UnitError`."""
    text = _text(value, "a percentage", SHARES)
    if _NUMBER.fullmatch(text):
        _refuse_negative(text, "a percentage", SHARES)
        number = Decimal(text)
        guess = f"{_short(number * 100 if 0 < number <= 1 else number)}%"
        raise UnitError(f"{text} has no percent sign; write {guess}", SHARES)
    if not text.endswith("%"):
        raise UnitError(f"{text!r} is not a percentage", SHARES)
    share = float(_plain_number(text[:-1].strip(), "a percentage", SHARES) / 100)
    if share > 1:
        raise UnitError(f"{text} is more than everything", SHARES)
    return share


def parse_clock(value: object) -> float:
    """Return seconds since midnight from text such as ``09:00``; raises :class:`UnitError`."""
    match = _CLOCK.fullmatch(_text(value, "a time of day", CLOCKS))
    if match is None:
        raise UnitError("not a time of day", CLOCKS)
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise UnitError("no such time of day", CLOCKS)
    return float(hours * 3600 + minutes * 60 + seconds)


def format_duration(seconds: float) -> str:
    """Return ``1h30m``, ``1.5s`` or ``450ms``: to the millisecond, as :func:`parse_duration` reads it."""
    rest = round(abs(seconds) * 1000)
    if 0 < rest < 1000:
        text = f"{rest}ms"
    else:
        text = ""
        for unit in ("d", "h", "m"):
            amount, rest = divmod(rest, _MILLISECONDS[unit])
            text += f"{amount}{unit}" if amount else ""
        text += f"{_short(Decimal(rest) / 1000)}s" if rest or not text else ""
    return f"-{text}" if seconds < 0 and text != "0s" else text


def format_share(share: float) -> str:
    """Return a share of 1 as a percentage to two decimals, such as ``1.25%``."""
    return f"{_short(round(Decimal(str(share)) * 100, 2))}%"


def parse_number(value: object, what: str, allowed: str) -> float:
    """Return a number without unit or sign, such as a coefficient; raises :class:`UnitError`."""
    return float(_plain_number(_text(value, what, allowed), what, allowed))


def _text(value: object, what: str, allowed: str) -> str:
    """Return a value read from a file as folded text; numbers are only written differently."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError(f"this is not {what}", allowed)
    text = value if isinstance(value, str) else str(value)
    if len(text) > _LONGEST_TEXT or not text.strip():
        raise UnitError(f"this is not {what}", allowed)
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _plain_number(text: str, what: str, allowed: str) -> Decimal:
    if not _PLAIN_NUMBER.fullmatch(text):
        _refuse_negative(text, what, allowed)
        raise UnitError(f"{text!r} is not a number", allowed)
    return Decimal(text)


def _refuse_negative(text: str, what: str, allowed: str) -> None:
    if text.startswith("-"):
        raise UnitError(f"{what} cannot be negative", allowed)


def _short(number: Decimal) -> str:
    """Return a decimal without trailing zeros or exponent."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
