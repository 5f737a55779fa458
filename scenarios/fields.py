"""The field types of a drill: how text from a file becomes seconds, rates, names and numbers.

Every error carries what is `allowed`, and `within` where a part of a larger value is meant, in its context.
"""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from scenarios import calendar, distributions, hours, units
from scenarios.addresses import (
    ADDRESSES,
    PUBLIC_ADDRESSES,
    Address,
    AddressError,
    PublicAddress,
    parse_address,
    parse_public_address,
)
from scenarios.commands import COMMANDS, CommandError, CommandLine, parse_command
from scenarios.expectations import Expectation, ExpectationError, parse_expectation
from scenarios.numberplan import Answer, NumberError, canonical, parse_number
from scenarios.precision import PRECISIONS, Asked, parse_precision
from scenarios.tolerances import TOLERANCES, Compared, Tolerance, parse_compared, parse_tolerance

Parsed = TypeVar("Parsed")

MAX_COUNT = 1_000_000
MAX_NAME = 100
MAX_LINE = 200
MAX_PROSE = 10_000

_NAME = re.compile(r"\w[\w.-]*")
_DIGITS = re.compile(r"[0-9]{1,20}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_NAMES = "letters and digits of any script, '-', '_' and '.'"
_WHOLE = "a whole number such as 3"
_QUANTITIES = "a number such as 1.5"
_COUNTS = f"a whole number from 1 to {MAX_COUNT}"
_NUMBERS = "a phone number such as 0120-123-456"
_LINES = f"one line of text, at most {MAX_LINE} characters"
_HEADERS = "the name of a SIP header that an SBC passes on, such as X-Correlation-ID"
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,100}")
_OF_ONE_LEG = (
    "call-id",
    "contact",
    "content-length",
    "cseq",
    "from",
    "max-forwards",
    "route",
    "record-route",
    "to",
    "via",
)
_PROSE = f"text of at most {MAX_PROSE} characters"


def refuse(reason: str, allowed: str, within: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """Return the error a validator raises, with what is allowed instead."""
    return PydanticCustomError("drill", "{reason}", {"reason": reason, "allowed": allowed, "within": within})


def _reads(parse: Callable[[object], Parsed]) -> Callable[[object], Parsed]:
    """Turn the errors of a parser into those of a field."""

    def read(value: object) -> Parsed:
        try:
            return parse(value)
        except units.UnitError as error:
            raise refuse(error.reason, error.allowed, error.within) from None
        except (AddressError, CommandError, ExpectationError, NumberError) as error:
            raise refuse(error.reason, error.allowed) from None

    return read


def _whole(value: object, allowed: str = _WHOLE) -> int:
    if isinstance(value, str):
        folded = unicodedata.normalize("NFKC", value).strip()
        value = int(folded) if _DIGITS.fullmatch(folded) else value
    if isinstance(value, bool) or not isinstance(value, int):
        raise refuse("not a whole number", allowed)
    if value < 0:
        raise refuse("below 0", allowed)
    return value


def _count(value: object) -> int:
    count = _whole(value, _COUNTS)
    if not 1 <= count <= MAX_COUNT:
        raise refuse("out of range", _COUNTS)
    return count


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise refuse("neither true nor false", "true or false")
    return value


def _stated(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _source_text(value: object) -> str | None:
    """Return the text of a scalar as it stood in the file; numbers are read only where this gives it back."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value)


def as_text(value: object) -> object:
    """Return a whole number as its digits, for words of the language that look like one; anything else as it is."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def read_name(value: object) -> str:
    """Return a name in NFKC, so that full-width and half-width spellings are one; raises a pydantic error."""
    text = _source_text(value)
    if isinstance(value, bool):
        raise refuse(f"YAML takes {str(value).lower()} for yes or no; put it in quotes to make it a name", _NAMES)
    if text is None:
        raise refuse("not a name", _NAMES)
    name = unicodedata.normalize("NFKC", text).strip()
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        odd = next((char for char in name if not _NAME.fullmatch(f"x{char}")), None)
        reason = f"a name cannot contain {odd!r}" if odd else "not a name"
        raise refuse(reason, f"{_NAMES}; a letter or digit first; at most {MAX_NAME} characters")
    return name


def read_phone_number(value: object) -> str:
    """Return a phone number as people write it, hyphens in place; raises a pydantic error."""
    text = _source_text(value)
    if text is None:
        raise refuse("not a phone number", _NUMBERS)
    return _reads(lambda found: canonical(str(found)))(text)


def _without_carrier_prefix(value: object) -> object:
    """Refuse a number behind a prefix that Voice Warp cannot forward to (J3), which reading the number would drop."""
    with suppress(NumberError):
        info = parse_number(_source_text(value) or "")
        if info.prefix is not None and not info.voice_warp_target:
            raise refuse(f"Voice Warp: {info.voice_warp_reason}", f"{info.text} without {info.prefix}")
    return value


def _text(longest: int, allowed: str, *, lines: bool) -> Callable[[object], str]:
    """Return a reader of text that is safe to print: not empty, no control characters."""

    def read(value: object) -> str:
        if isinstance(value, bool | int | float):
            raise refuse("not text; put it in quotes", allowed)
        if not isinstance(value, str):
            raise refuse("not text", allowed)
        text = value.strip()
        odd = _CONTROL.search(text)
        if odd:
            raise refuse(f"the control character U+{ord(odd[0]):04X} is in the text", allowed)
        if not text or len(text) > longest or (not lines and "\n" in text):
            raise refuse("empty" if not text else "too long, or more than one line", allowed)
        return text

    return read


def _header_name(value: object) -> str:
    name = unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else ""
    if not _TOKEN.fullmatch(name):
        raise refuse("not the name of a header", _HEADERS)
    if name.casefold() in _OF_ONE_LEG:
        raise refuse(f"an SBC writes {name} anew on each side", _HEADERS)
    return name


def _expectation(value: object) -> Expectation:
    if isinstance(value, Expectation):
        return value
    if not isinstance(value, str):
        raise refuse("not an expectation; put it in quotes if it is one", "metric{selector=value} < bound")
    return parse_expectation(value)


def _compared(value: object) -> Compared:
    if isinstance(value, Compared):
        return value
    return parse_compared(str(value))


def _tolerance(value: object) -> Tolerance:
    if isinstance(value, Tolerance):
        return value
    return parse_tolerance(value)


def _precision(value: object) -> tuple[Asked, ...]:
    if isinstance(value, tuple):
        return value
    return parse_precision(value)


def _schema(description: str, *examples: object, pattern: str | None = None, **more: object) -> WithJsonSchema:
    """Return a JSON Schema of text or, for what YAML may take for a number, of both."""
    schema: dict[str, object] = {
        "type": "string",
        "description": description,
        "examples": list(examples),
        **more,
    }
    return WithJsonSchema({**schema, "pattern": pattern} if pattern else schema)


_SPACE = r"[\s\u3000]*"
_DIGIT = r"[0-9０-９]"
_DECIMAL = rf"{_DIGIT}+([.．]{_DIGIT}+)?"
DURATION_PATTERN = rf"^{_SPACE}({_DECIMAL}{_SPACE}[^\d\s.]+{_SPACE})+$|^0$"
RATE_PATTERN = rf"^{_SPACE}{_DECIMAL}{_SPACE}[/／]{_SPACE}[^\d\s]+{_SPACE}$"
SHARE_PATTERN = rf"^{_SPACE}{_DECIMAL}{_SPACE}[%％]{_SPACE}$"
CLOCK_PATTERN = rf"^{_DIGIT}{{1,2}}[:：]{_DIGIT}{{2}}([:：]{_DIGIT}{{2}})?$"

START_PATTERN = rf"^({_DIGIT}{{4}}-{_DIGIT}{{1,2}}-{_DIGIT}{{1,2}}[ Tt]+)?{CLOCK_PATTERN[1:]}"
WINDOW_PATTERN = rf"^{CLOCK_PATTERN[1:-1]}{_SPACE}[-–~～]{_SPACE}{CLOCK_PATTERN[1:]}"

_DURATION_SCHEMA: dict[str, object] = {
    "type": ["string", "integer"],
    "pattern": DURATION_PATTERN,
    "minimum": 0,
    "maximum": 0,
    "description": units.DURATIONS,
    "examples": ["90s", "3m", "1h30m", "500ms", 0],
}


def _shape_schema(shape: distributions.Shape) -> dict[str, object]:
    """Return the JSON Schema of one shape's parameters."""
    one = _DURATION_SCHEMA
    mean_cv = {
        "type": "object",
        "properties": {"mean": one, "cv": {"type": ["number", "string"]}},
        "required": ["mean", "cv"],
        "additionalProperties": False,
    }
    parameters: dict[distributions.Shape, dict[str, object]] = {
        distributions.Shape.UNIFORM: {"type": "array", "items": one, "minItems": 2, "maxItems": 2},
        distributions.Shape.TRIANGULAR: {"type": "array", "items": one, "minItems": 3, "maxItems": 3},
        distributions.Shape.EMPIRICAL: {"type": "array", "items": one, "minItems": 1},
        distributions.Shape.LOGNORMAL: mean_cv,
        distributions.Shape.GAMMA: mean_cv,
    }
    return parameters.get(shape, one)


def _distribution_schema() -> dict[str, object]:
    shapes = {
        "type": "object",
        "properties": {shape.value: _shape_schema(shape) for shape in distributions.Shape},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"description": distributions.DISTRIBUTIONS, "anyOf": [_DURATION_SCHEMA, shapes]}


def _reachable(value: object) -> float | distributions.Distribution:
    text = unicodedata.normalize("NFKC", value).rstrip() if isinstance(value, str) else ""
    if text.endswith("%"):
        return units.parse_share(value)
    try:
        return distributions.parse_distribution(value)
    except units.UnitError as error:
        if isinstance(value, dict):
            raise
        raise units.UnitError(error.reason, f"{units.SHARES}, or {error.allowed}") from None


def _one_or_more(schema: dict[str, object]) -> dict[str, object]:
    return {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1}]}


def _arrivals_schema() -> dict[str, object]:
    rate = {"type": "string", "pattern": RATE_PATTERN, "examples": ["0.5/s", "30/m", "1800/h"]}
    profile = {
        "type": "object",
        "propertyNames": {"pattern": CLOCK_PATTERN},
        "additionalProperties": rate,
        "minProperties": 1,
    }
    steps = {
        "type": "object",
        "properties": {"profile": profile},
        "required": ["profile"],
        "additionalProperties": False,
    }
    return {"description": distributions.ARRIVALS, "anyOf": [rate, steps]}


Duration = Annotated[float, PlainValidator(_reads(units.parse_duration)), WithJsonSchema(_DURATION_SCHEMA)]
"""Seconds, written as `1h30m`."""

LongerThanZero = Annotated[Duration, Field(gt=0)]
"""Seconds above 0."""

Share = Annotated[
    float,
    PlainValidator(_reads(units.parse_share)),
    _schema(units.SHARES, "70%", "0.5%", pattern=SHARE_PATTERN),
]
"""A share of 1, written as `70%`."""

Rate = Annotated[
    float,
    PlainValidator(_reads(units.parse_rate)),
    Field(gt=0),
    _schema(units.RATES, "50/s", "600/m", pattern=RATE_PATTERN),
]
"""Events per second above 0, written as `50/s`."""

Start = Annotated[
    calendar.Moment,
    PlainValidator(_reads(hours.parse_start)),
    _schema(hours.STARTS, "2026-11-24 09:00", "09:00", pattern=START_PATTERN),
]
"""A moment on the wall clock, written as `2026-11-24 09:00`, or as a time of day alone."""

TimeZone = Annotated[str, PlainValidator(_reads(hours.parse_zone)), _schema(hours.ZONES, "Asia/Tokyo")]
"""A time zone of the IANA database."""

WeeklyHours = Annotated[
    calendar.WeeklyHours,
    PlainValidator(_reads(hours.parse_hours)),
    WithJsonSchema(
        {
            "type": "object",
            "description": hours.HOURS,
            "additionalProperties": _one_or_more({"type": "string", "pattern": WINDOW_PATTERN}),
            "minProperties": 1,
        }
    ),
]
"""Opening hours by the day of the week."""

Holidays = Annotated[
    calendar.Holidays,
    PlainValidator(_reads(hours.parse_holidays)),
    WithJsonSchema({"description": hours.HOLIDAYS, **_one_or_more({"type": "string", "examples": ["japan"]})}),
]
"""Days that keep other hours than their weekday."""

Distributed = Annotated[
    distributions.Distribution,
    PlainValidator(_reads(distributions.parse_distribution)),
    WithJsonSchema(_distribution_schema()),
]
"""A time that varies."""

Reachable = Annotated[
    float | distributions.Distribution,
    PlainValidator(_reads(_reachable)),
    WithJsonSchema({"anyOf": [_distribution_schema(), {"type": "string", "pattern": SHARE_PATTERN}]}),
]
"""A share of 1, or a time that varies."""

Arrivals = Annotated[
    distributions.Arrivals,
    PlainValidator(_reads(distributions.parse_arrivals)),
    WithJsonSchema(_arrivals_schema()),
]
"""Arrivals per time, constant or over the day."""

Whole = Annotated[
    int,
    PlainValidator(_whole),
    WithJsonSchema({"type": ["integer", "string"], "pattern": rf"^{_DIGIT}+$"}),
]
"""A whole number, not negative."""

Quantity = Annotated[
    float,
    PlainValidator(_reads(lambda value: units.parse_number(value, "a number", _QUANTITIES))),
    WithJsonSchema({"type": ["number", "string"], "pattern": rf"^{_DECIMAL}$", "examples": [1.5]}),
]
"""A number without a unit, not negative."""

Flag = Annotated[bool, PlainValidator(_flag), WithJsonSchema({"type": "boolean"})]
"""Yes or no, written as `true` or `false`."""

Stated = Annotated[Answer, BeforeValidator(_stated), WithJsonSchema({"enum": ["yes", "no", "unknown", True, False]})]
"""What somebody says is so: `yes`, `no` or `unknown`, also written as `true` and `false`."""

Count = Annotated[
    int,
    PlainValidator(_count),
    WithJsonSchema(
        {
            "type": ["integer", "string"],
            "minimum": 1,
            "maximum": MAX_COUNT,
            "pattern": rf"^{_DIGIT}+$",
            "examples": [50, 300],
        }
    ),
]
"""A whole number from 1 to 1,000,000."""

Name = Annotated[
    str,
    PlainValidator(read_name),
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "pattern": r"^[^\s{}\[\],:=]+$",
            "maxLength": MAX_NAME,
            "examples": ["tokyo", "ntt-osaka", "営業"],
        }
    ),
]
"""What something is called: letters and digits of any script, `-`, `_`, `.`; NFKC."""

PhoneNumber = Annotated[
    str,
    PlainValidator(read_phone_number),
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "description": _NUMBERS,
            "pattern": r"^[^A-Za-z]*[0-9０-９][^A-Za-z]*$",
            "examples": ["0120-123-456", "03-1234-5678", "+81 3-1234-5678"],
        }
    ),
]
"""A number of the plan or outside it, as people write it."""

ForwardingTarget = Annotated[PhoneNumber, BeforeValidator(_without_carrier_prefix)]
"""A number that calls are forwarded to, without a carrier's prefix (J3)."""

Line = Annotated[
    str,
    PlainValidator(_text(MAX_LINE, _LINES, lines=False)),
    _schema(_LINES, minLength=1, maxLength=MAX_LINE),
]
"""One line of text."""

Label = Annotated[
    str,
    PlainValidator(lambda value: unicodedata.normalize("NFKC", _text(MAX_LINE, _LINES, lines=False)(value))),
    _schema(_LINES, minLength=1, maxLength=MAX_LINE),
]
"""One line of text that others refer to, in NFKC."""

Prose = Annotated[
    str,
    PlainValidator(_text(MAX_PROSE, _PROSE, lines=True)),
    _schema(_PROSE, minLength=1, maxLength=MAX_PROSE),
]
"""Lines of text."""

ExpectationField = Annotated[
    Expectation,
    PlainValidator(_reads(_expectation)),
    _schema(
        "metric{selector=value, after=45m} < bound",
        "recovery_time{number=0120-123-456} <= 30m",
        "blocked_ratio{after=45m} < 1%",
        "ports_peak{limit=tenant} < 80%",
    ),
]
"""What must come out."""

ComparedField = Annotated[
    Compared,
    PlainValidator(_reads(_compared)),
    _schema("metric or metric{selector=value}", "takeover_time", "blocked_ratio{number=0120-123-456}"),
]
"""A metric, or a part of it, that a tolerance is for."""

ToleranceField = Annotated[
    Tolerance,
    PlainValidator(_reads(_tolerance)),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "description": TOLERANCES,
            "minimum": 0,
            "examples": ["0.2s", "2%", "0.5 points", 3],
        }
    ),
]
"""How far apart engines may be."""

SipAddress = Annotated[
    Address,
    PlainValidator(_reads(parse_address)),
    _schema(
        ADDRESSES, "udp:192.0.2.10:5060", "tcp:[2001:db8::1]:5060", pattern=r"^\s*([uU][dD][pP]|[tT][cC][pP]):\S+\s*$"
    ),
]
"""Where SIP is sent to or heard at."""

PublicAddressField = Annotated[
    PublicAddress,
    PlainValidator(_reads(parse_public_address)),
    _schema(PUBLIC_ADDRESSES, "192.0.2.200:5060", "192.0.2.200"),
]
"""An address as others see it."""

HeaderName = Annotated[str, PlainValidator(_header_name), _schema(_HEADERS, "X-Correlation-ID")]
"""The name of a SIP header."""

CommandField = Annotated[
    CommandLine,
    PlainValidator(_reads(parse_command)),
    WithJsonSchema(
        {
            "description": COMMANDS,
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1},
            ],
        }
    ),
]
"""A program and its arguments."""

PrecisionField = Annotated[
    tuple[Asked, ...],
    PlainValidator(_reads(_precision)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "[%％]\\s*$"},
                {"type": "object", "minProperties": 1, "additionalProperties": {"type": ["string", "number"]}},
            ],
            "description": PRECISIONS,
            "examples": ["10%", {"blocked_ratio{after=45m}": "0.1 points", "recovery_time": "1m"}],
        }
    ),
]
"""How narrow the intervals of a run are to be."""
