"""Dates, weekly hours and holidays, as people write them: `2026-11-24 09:00`, `mon-fri: 09:00-18:00`, `japan`."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from scenarios.calendar import DAY, HOLIDAY, Holidays, Moment, WeeklyHours, Window
from scenarios.problems import did_you_mean
from scenarios.units import UnitError, parse_clock

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KANJI = str.maketrans(dict(zip("月火水木金土日", _DAYS, strict=True)))
_HOLIDAYS = ("holiday", "祝日", "祝")
_JAPAN = ("japan", "日本")
_YEARS = (1970, 2199)
"""Years whose time zones and holidays anybody can mean."""

_MACHINE = ("localtime", "posixrules", "Factory")
"""Entries of the time zone database that mean another zone on another machine, or none."""

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_CLOCK = re.compile(r"[\d:]+", re.ASCII)
_WINDOW = re.compile(r"([\d:]+)\s*[-–~]\s*([\d:]+)", re.ASCII)

STARTS = "a date and time such as 2026-11-24 09:00, or a time of day such as 09:00"
ZONES = "a time zone of the IANA database such as Asia/Tokyo"
WINDOWS = "hours such as 09:00-18:00, 22:00-06:00 or [09:00-12:00, 13:00-18:00]"
HOURS = "hours by the day, such as {mon-fri: 09:00-18:00, sat: 09:00-12:00, holiday: 10:00-16:00}"
HOLIDAYS = "japan, a date such as 2026-12-29, or a list of them"


def parse_start(value: object) -> Moment:
    """Return when a run begins from text such as ``2026-11-24 09:00`` or ``09:00``; raises :class:`UnitError`."""
    if isinstance(value, Moment):
        return value
    text = _folded(value, "a time", STARTS)
    match = _DATE.match(text)
    if match is None and _CLOCK.fullmatch(text) is None:
        raise UnitError("neither a date and time nor a time of day", STARTS)
    if match is None:
        return Moment(_inside(text, STARTS))
    clock = text[match.end() :].removeprefix("t").strip()
    if not clock:
        raise UnitError("the time of day is missing", STARTS)
    return Moment(_inside(clock, STARTS), _date(match, STARTS))


def parse_zone(value: object) -> str:
    """Return the name of a time zone; raises :class:`UnitError` for one that the database does not have."""
    name = value.strip() if isinstance(value, str) else ""
    try:
        if name not in _MACHINE:
            return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass  # a folder of the database, such as Asia, is an OSError; a path that leads out of it a ValueError
    places = (each for each in available_timezones() if "/" in each)  # nobody who writes JST means MST
    raise UnitError(f"no such time zone{did_you_mean(name, places)}", ZONES)


def parse_hours(value: object) -> WeeklyHours:
    """Read what a drill states as ``{mon-fri: 09:00-18:00}``; raises :class:`UnitError`."""
    if isinstance(value, WeeklyHours):
        return value
    if not isinstance(value, dict) or not value:
        raise UnitError("these are not hours by the day", HOURS)
    days: dict[int, tuple[Window, ...]] = {}
    for key, stated in value.items():
        windows = _windows(stated, (str(key),))
        for day in _days(str(key)):
            if day in days:
                raise UnitError(f"{(*_DAYS, *_HOLIDAYS)[day]} stands twice", "each day once", (str(key),))
            days[day] = windows
    return WeeklyHours(tuple(days.get(day, ()) for day in range(HOLIDAY + 1)))


def parse_holidays(value: object) -> Holidays:
    """Read what a drill states as ``japan``, a date, or a list of both; raises :class:`UnitError`."""
    if isinstance(value, Holidays):
        return value
    japan, dates = False, set()
    for index, stated in enumerate(value if isinstance(value, list) else [value]):
        within = (index,) if isinstance(value, list) else ()
        text = _folded(stated, "a holiday", HOLIDAYS, within)
        if text in _JAPAN:
            japan = True
        elif match := _DATE.fullmatch(text):
            dates.add(_date(match, HOLIDAYS, within))
        else:
            raise UnitError(f"{text!r} is no holiday{did_you_mean(text, _JAPAN)}", HOLIDAYS, within)
    return Holidays(japan, frozenset(dates))


def _days(key: str) -> Iterator[int]:
    text = unicodedata.normalize("NFKC", key).strip().casefold()
    if text in _HOLIDAYS:
        yield HOLIDAY
        return
    first, dash, last = (part.strip() for part in text.translate(_KANJI).partition("-"))
    for day in (first, last) if dash else (first,):
        if day not in _DAYS:
            hint = did_you_mean(day, _DAYS)
            allowed = "mon, tue, wed, thu, fri, sat, sun, a range such as mon-fri, or holiday"
            raise UnitError(f"{day!r} is no day of the week{hint}", allowed, (key,))
    begin, end = _DAYS.index(first), _DAYS.index(last if dash else first)
    yield from (day % len(_DAYS) for day in range(begin, end + 1 + (len(_DAYS) if end < begin else 0)))


def _windows(value: object, within: tuple[str | int, ...]) -> tuple[Window, ...]:
    stated = value if isinstance(value, list) else [value]
    places = [(*within, index) if isinstance(value, list) else within for index in range(len(stated))]
    windows = [_window(each, place) for each, place in zip(stated, places, strict=True)]
    for index, window in enumerate(windows):
        for before, other in enumerate(windows[:index]):
            if window.begins < other.ends and other.begins < window.ends:
                reason = f"{stated[index]} overlaps {stated[before]} on the same day"
                raise UnitError(reason, "hours that do not overlap", places[index])
    return tuple(windows)


def _window(value: object, within: tuple[str | int, ...]) -> Window:
    match = _WINDOW.fullmatch(_folded(value, "a part of a day", WINDOWS, within))
    if match is None:
        raise UnitError("these are not hours", WINDOWS, within)
    begins = _inside(match[1], WINDOWS, within)
    ends = DAY if match[2] == "24:00" else _inside(match[2], WINDOWS, within)
    if begins == ends:
        raise UnitError("hours that end when they begin; the whole day is 00:00-24:00", WINDOWS, within)
    return Window(begins, ends if ends > begins else ends + DAY)


def _inside(text: str, allowed: str, within: tuple[str | int, ...] = ()) -> float:
    try:
        return parse_clock(text)
    except UnitError as error:
        raise UnitError(f"{text!r}: {error.reason}", allowed, within) from None


def _date(match: re.Match[str], allowed: str, within: tuple[str | int, ...] = ()) -> date:
    year, month, day = map(int, match.groups())
    if not _YEARS[0] <= year <= _YEARS[1]:
        raise UnitError(f"{year} is not between {_YEARS[0]} and {_YEARS[1]}", allowed, within)
    try:
        return date(year, month, day)
    except ValueError:
        raise UnitError(f"there is no day {match[0]}", allowed, within) from None


def _folded(value: object, what: str, allowed: str, within: tuple[str | int, ...] = ()) -> str:
    if not isinstance(value, str):
        raise UnitError(f"this is not {what}", allowed, within)
    return unicodedata.normalize("NFKC", value).strip().casefold()
