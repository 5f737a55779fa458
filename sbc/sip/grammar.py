"""The small grammar that all header fields share: tokens, quoted strings, lists, parameters (RFC 3261 §25.1).

Everything here takes time linear in the length of its text: characters are looked at once, and the regular expressions
are possessive, so that they never go back.
"""

import re
from typing import Self

from sbc.sip.errors import ParseError

WHITESPACE = " \t"
WORD = r"A-Za-z0-9\-.!%*_+`'~"
"""The characters of a token, for regular expressions."""
_TOKENS = re.compile(rf"[{WORD}]++")
_DISPLAY = re.compile(rf"[{WORD} \t]*+")
_QUOTED = re.compile(r'"(?:[^"\\\r\n]|\\[^\r\n])*+"')
# A host or an IPv6 reference may be a value; an IPv6 address without brackets is common in `received` (RFC 5118 §4.5).
_VALUE = rf"[{WORD}\[\]:]++"
PARAMS = rf"(?:;[{WORD}]++(?:={_VALUE})?)*+"
"""Parameters without quotes and white space, for regular expressions."""
_VALUES = re.compile(_VALUE)
_PLAIN_PARAMS = re.compile(PARAMS)
_PLAIN_PARAM = re.compile(r";([^;=]++)=?([^;]*+)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_QUOTABLE = re.compile(r'(["\\])')
_MARKS = re.compile(r'["\\<>,;]')


def is_token(text: str) -> bool:
    """Say whether a text is a token: a method, a header name, an option tag."""
    return _TOKENS.fullmatch(text) is not None


def shown(text: str) -> str:
    """Return a text as an error message quotes it: on one line, and not longer than 60 characters."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")


def number(text: str, most: int, what: str) -> int:
    """Return decimal digits as a number from 0 to `most`; raises :class:`ParseError`, whatever Python's `int` takes."""
    if not (text.isascii() and text.isdigit()):
        raise ParseError(f"{what} is {shown(text)}, not a number")
    # Nineteen digits hold every limit in use; more are not worth converting.
    digits = text if len(text) <= 19 else text.lstrip("0") or "0"
    if len(digits) > 19 or (value := int(digits)) > most:
        raise ParseError(f"{what} is {shown(text)}, more than {most}")
    return value


def quote(text: str) -> str:
    """Return a text as a quoted string."""
    return f'"{_QUOTABLE.sub(_BACKSLASH, text)}"' if '"' in text or "\\" in text else f'"{text}"'


_BACKSLASH = r"\\\1"


def unquote(text: str) -> str:
    """Return what a quoted string says; a text without quotes is returned as it is."""
    if len(text) < 2 or text[0] != '"':
        return text
    inner = text[1:-1]
    return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner


def end_of_quoted(text: str, start: int) -> int:
    """Return where the quoted string that begins at `start` is over; raises :class:`ParseError` if it never is."""
    found = _QUOTED.match(text, start)
    if found is None:
        raise ParseError(f"the quoted string {shown(text[start:])} is not closed")
    return found.end()


def is_display(text: str) -> bool:
    """Say whether a text may stand before ``<`` without quotes: tokens and spaces."""
    return _DISPLAY.fullmatch(text) is not None


def split(text: str, separator: str) -> list[str]:
    """Split at a separator outside quoted strings and ``<>``; raises :class:`ParseError` if one is not closed."""
    if separator not in text:
        return [text.strip(WHITESPACE)]
    if '"' not in text and "<" not in text:
        return [part.strip(WHITESPACE) for part in text.split(separator)]
    parts: list[str] = []
    begin = skip = 0
    quoted = bracketed = False
    for mark in _MARKS.finditer(text):
        at, sign = mark.start(), mark[0]
        if quoted:
            if at < skip:
                continue
            if sign == "\\":
                skip = at + 2
            elif sign == '"':
                quoted = False
        elif bracketed:
            bracketed = sign != ">"
        elif sign == '"':
            quoted = True
        elif sign == "<":
            bracketed = True
        elif sign == separator:
            parts.append(text[begin:at].strip(WHITESPACE))
            begin = at + 1
    if quoted or bracketed:
        raise ParseError(f"{shown(text)} has a {'quoted string' if quoted else '<'} that is not closed")
    parts.append(text[begin:].strip(WHITESPACE))
    return parts


class Params(tuple[tuple[str, str | None], ...]):
    """Parameters in order, names and values as they came; a name without ``=`` has the value None."""

    __slots__ = ()

    def get(self, name: str) -> str | None:
        """Return what a parameter says, without quotes; "" without value, None if absent. `name` is in lower case."""
        for key, value in self:
            if key == name or key.lower() == name:
                return "" if value is None else unquote(value) if value[:1] == '"' else value
        return None

    def has(self, name: str) -> bool:
        """Say whether a parameter is there, with or without a value; `name` is in lower case."""
        return self.get(name) is not None

    def put(self, name: str, value: str | None = None) -> Self:
        """Return the parameters with one set, where it stood before or at the end."""
        for key, _ in self:
            if key == name or key.lower() == name:
                return type(self)([(old, value) if old.lower() == name else (old, kept) for old, kept in self])
        return tuple.__new__(type(self), (*self, (name, value)))

    def without(self, name: str) -> Self:
        """Return the parameters without one; `name` is in lower case."""
        return type(self)(pair for pair in self if pair[0].lower() != name)

    def __str__(self) -> str:
        return "".join([f";{name}" if value is None else f";{name}={value}" for name, value in self])


NO_PARAMS = Params()


def plain_params(text: str) -> Params:
    """Return parameters whose grammar is known to be right, from their first semicolon on.

    Raises :class:`ParseError` if a name comes twice (RFC 3261 §7.3.1).
    """
    if not text:
        return NO_PARAMS
    # In this grammar an = has a value behind it, and neither has a semicolon in it.
    return _unique([(name, value or None) for name, value in _PLAIN_PARAM.findall(text)])


def parse_params(text: str) -> Params:
    """Return the parameters of a header value from their first semicolon on; raises :class:`ParseError`."""
    if _PLAIN_PARAMS.fullmatch(text):
        return plain_params(text)
    return _unique([_param(piece) for piece in split(text[1:], ";")])


def _unique(pairs: list[tuple[str, str | None]]) -> Params:
    if len(pairs) > 1:
        names = dict(pairs)
        if len(names) < len(pairs) or (
            # Names in lower case throughout, as nearly all are, have been compared already.
            not "".join(names).islower() and len({name.lower() for name in names}) < len(pairs)
        ):
            raise ParseError(f"a parameter comes twice in {shown(str(Params(pairs)))}")
    return tuple.__new__(Params, pairs)


def _param(piece: str) -> tuple[str, str | None]:
    name, equals, value = piece.partition("=")
    name, value = name.rstrip(WHITESPACE), value.lstrip(WHITESPACE)
    if not is_token(name):
        raise ParseError(f"{shown(piece)} is not a parameter")
    if not equals:
        return name, None
    if not (_QUOTED.fullmatch(value) or _VALUES.fullmatch(value)):
        raise ParseError(f"the parameter {name} has the value {shown(value)}, neither a token nor a quoted string")
    return name, value
