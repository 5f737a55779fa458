"""SIP, SIPS and telephone URIs (RFC 3261 §19.1, RFC 3966), and whatever else stands where a URI may."""

import re
from typing import NamedTuple, TypeAlias

from sbc.sip.errors import ParseError
from sbc.sip.grammar import NO_PARAMS, Params, number, plain_params, shown

PLAIN_USER = r"A-Za-z0-9\-_.!~*'()&=+$,;?/#"  # "#" should be escaped, but phones send it as they are dialled
"""The characters of a user part without escapes, for regular expressions."""
_PLAIN_PARAM = r"A-Za-z0-9\-_.!~*'()\[\]/:&+$"
URI_PARAMS = rf"(?:;[{_PLAIN_PARAM}]++(?:=[{_PLAIN_PARAM}]++)?)*+"
"""The parameters of a URI without escapes, for regular expressions."""
_PASSWORD = r"A-Za-z0-9\-_.!~*'()&=+$,%"  # noqa: S105
_PARAMS = rf"(?:;[{_PLAIN_PARAM}%]++(?:=[{_PLAIN_PARAM}%]++)?)*+"
_HEADERS = r"A-Za-z0-9\-_.!~*'()\[\]/?:+$%&="
_HOST = r"[A-Za-z0-9\-_.]++|\[[0-9A-Fa-f:.]++\]"
_SIP = re.compile(
    rf"(?:([{PLAIN_USER}%]++)(?::([{_PASSWORD}]*+))?@)?({_HOST})(?::([0-9]{{1,5}}))?"
    rf"({_PARAMS})(?:\?([{_HEADERS}]++))?"
)
_TEL = re.compile(rf"(\+?[0-9A-Fa-f*#\-.()]++)({_PARAMS})")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*+")
_REST = re.compile(r"[!#-;=?-~]++")  # printable, without space, quotes and <>
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SEPARATORS = str.maketrans("", "", "-.()")
_HOST_ONLY = re.compile(_HOST)

MUST_MATCH = frozenset(["user", "ttl", "method", "maddr", "transport"])
"""URI parameters that make URIs differ when only one has them (RFC 3261 §19.1.4)."""


def unescape(text: str) -> str:
    """Return a text with each ``%hh`` as the octet it stands for, octets read as UTF-8."""
    if "%" not in text:
        return text
    octets = re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode("utf-8", "surrogateescape")
    )
    return octets.decode("utf-8", "surrogateescape")


def escape(text: str) -> str:
    """Return a text as the user part of a URI writes it: all but the unreserved characters as ``%HH``."""
    return re.sub(
        rb"[^A-Za-z0-9\-_.!~*'()&=+$,;?/]",
        lambda found: b"%%%02X" % found[0][0],
        text.encode("utf-8", "surrogateescape"),
    ).decode("ascii")


class SipUri(NamedTuple):
    """A ``sip:`` or ``sips:`` URI; its parts are as they came, escapes included."""

    host: str
    """A name, an IPv4 address, or an IPv6 address in brackets."""
    user: str | None = None
    port: int | None = None
    params: Params = NO_PARAMS
    scheme: str = "sip"
    password: str | None = None
    headers: str | None = None
    """What follows ``?``, without it."""

    @property
    def user_text(self) -> str | None:
        """The user part with its escapes resolved; None if there is none."""
        return None if self.user is None else unescape(self.user)

    @property
    def phone(self) -> str | None:
        """The telephone number without visual separators when ``user=phone`` says that it is one, else None."""
        if self.user is None or (self.params.get("user") or "").lower() != "phone":
            return None
        return unescape(self.user).partition(";")[0].translate(_SEPARATORS)

    @property
    def transport(self) -> str | None:
        """The ``transport`` parameter in lower case, or None."""
        value = self.params.get("transport")
        return value.lower() if value else None

    @property
    def lr(self) -> bool:
        """Whether this is a loose router's (RFC 3261 §19.1.1)."""
        return self.params.has("lr")

    @property
    def key(self) -> tuple[object, ...]:
        """What two URIs that are not told apart by a parameter only one of them has share: for look-up tables."""
        return (self.scheme, _same(self.user), _same(self.password), self.host.lower(), self.port)

    def equivalent(self, other: "Uri") -> bool:
        """Say whether two URIs are one by RFC 3261 §19.1.4; not transitive, as the RFC notes."""
        if not isinstance(other, SipUri) or self.key != other.key:
            return False
        ours, theirs = _folded(self.params), _folded(other.params)
        for name in ours.keys() | theirs.keys():
            compared = name in MUST_MATCH or (name in ours and name in theirs)
            if compared and ours.get(name) != theirs.get(name):
                return False
        return _header_set(self.headers) == _header_set(other.headers)

    def __str__(self) -> str:
        text = f"{self.scheme}:"
        if self.user is not None:
            text += f"{self.user}@" if self.password is None else f"{self.user}:{self.password}@"
        text += self.host if self.port is None else f"{self.host}:{self.port}"
        if self.params:
            text += str(self.params)
        return text if self.headers is None else f"{text}?{self.headers}"


class TelUri(NamedTuple):
    """A ``tel:`` URI; the number is as it came, visual separators included."""

    subscriber: str
    params: Params = NO_PARAMS

    @property
    def scheme(self) -> str:
        """Always ``tel``."""
        return "tel"

    @property
    def phone(self) -> str:
        """The number without visual separators: ``+81312345678``."""
        return self.subscriber.translate(_SEPARATORS)

    @property
    def is_global(self) -> bool:
        """Whether the number is complete, with its country code."""
        return self.subscriber.startswith("+")

    def equivalent(self, other: "Uri") -> bool:
        """Say whether two numbers are one by RFC 3966 §4: separators and the order of parameters do not matter."""
        return isinstance(other, TelUri) and self._folded() == other._folded()

    def _folded(self) -> tuple[str, dict[str, str]]:
        params = {name: _digits(value) for name, value in _folded(self.params).items()}
        return self.phone.lower(), params

    def __str__(self) -> str:
        return f"tel:{self.subscriber}{self.params}"


class OtherUri(NamedTuple):
    """A URI of another scheme, carried as it came."""

    scheme: str
    rest: str

    def equivalent(self, other: "Uri") -> bool:
        """Say whether two URIs are spelt alike."""
        return self == other

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


Uri: TypeAlias = SipUri | TelUri | OtherUri


def parse_uri(text: str) -> Uri:
    """Return a URI; raises :class:`ParseError` with status 400 for what is none."""
    scheme, colon, rest = text.partition(":")
    if scheme in ("sip", "sips"):
        return _sip(scheme, rest)
    scheme = scheme.lower()
    if scheme in ("sip", "sips"):
        return _sip(scheme, rest)
    if not colon or not _SCHEME.fullmatch(scheme):
        raise ParseError(f"{shown(text)} is no URI: it has no scheme")
    if scheme == "tel":
        return _tel(rest)
    if not _REST.fullmatch(rest):
        raise ParseError(f"the URI {shown(text)} has a character that must be escaped")
    return OtherUri(scheme, rest)


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Return host and port of ``host[:port]``, white space around the colon allowed; raises :class:`ParseError`."""
    host, port = text, ""
    if text.startswith("["):
        host, bracket, after = text.partition("]")
        host += bracket
        after = after.lstrip(" \t")
        if after and after[0] != ":":
            raise ParseError(f"{shown(text)} is not a host and a port")
        has_port, port = after[:1], after[1:]
    else:
        host, has_port, port = text.partition(":")
    host = host.rstrip(" \t")
    if not _HOST_ONLY.fullmatch(host):
        raise ParseError(f"{shown(text)} is not a host")
    return host, number(port.lstrip(" \t"), 65_535, "the port") if has_port else None


def parse_port(digits: str) -> int:
    """Return the port that up to five digits name; raises :class:`ParseError` beyond 65535."""
    port = int(digits)
    return port if port <= 65_535 else number(digits, 65_535, "the port")


def _sip(scheme: str, rest: str) -> SipUri:
    found = _SIP.fullmatch(rest)
    if found is None:
        raise ParseError(f"{shown(f'{scheme}:{rest}')} is not a SIP URI: {_why(rest)}")
    user, password, host, port, params, headers = found.groups()
    if "%" in rest and _BAD_ESCAPE.search(rest):
        raise ParseError(f"{shown(f'{scheme}:{rest}')} has a % without two hexadecimal digits")
    at = None if port is None else parse_port(port)
    return tuple.__new__(SipUri, (host, user, at, plain_params(params), scheme, password, headers))


def _why(rest: str) -> str:
    if " " in rest or "\t" in rest:
        return "it has white space"
    if rest.count("@") > 1:
        return "it has more than one @"
    if "<" in rest or ">" in rest:
        return "it has < or >"
    return "a part is empty or has a character that must be escaped"


def _tel(rest: str) -> TelUri:
    found = _TEL.fullmatch(rest)
    if found is None or not found[1].translate(_SEPARATORS).strip("+"):
        raise ParseError(f"{shown(f'tel:{rest}')} is not a telephone number")
    return TelUri(found[1], plain_params(found[2]))


def _same(text: str | None) -> str | None:
    """Return user or password so that equal ones compare equal: escapes of unreserved characters resolved."""
    return text if text is None or "%" not in text else escape(unescape(text))


def _folded(params: Params) -> dict[str, str]:
    return {unescape(name).lower(): unescape(value or "").lower() for name, value in params}


def _header_set(headers: str | None) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in headers.split("&")] if headers else []
    return sorted((unescape(name).lower(), unescape(value)) for name, _, value in pairs)


def _digits(value: str) -> str:
    return value.translate(_SEPARATORS) if value.startswith("+") else value
