"""Typed header values: what the raw text of a header field says, and how to write it (RFC 3261 §20 and others)."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from sbc.sip.errors import ParseError
from sbc.sip.grammar import (
    NO_PARAMS,
    PARAMS,
    WHITESPACE,
    WORD,
    Params,
    end_of_quoted,
    is_display,
    is_token,
    number,
    parse_params,
    plain_params,
    quote,
    shown,
    split,
    unquote,
)
from sbc.sip.uri import PLAIN_USER, URI_PARAMS, SipUri, Uri, parse_host_port, parse_port, parse_uri

MAGIC = "z9hG4bK"
"""What a branch begins with when its sender follows RFC 3261 rather than RFC 2543 (§8.1.1.7)."""

_MAGIC = MAGIC.lower()

DEFAULT_EXPIRES = 3600
"""Seconds that an expiry stands for when it is malformed or too large (RFC 3261 §10.2.1.1, RFC 4475 §3.1.2.4)."""

SECONDS = 2**32 - 1
"""The largest delta-seconds (RFC 3261 §20.19)."""

# The shapes that nearly all values have are read in one go. What they do not match is read step by step, with the same
# result where both can; a test holds them together.
_USUAL_VIA = re.compile(rf"SIP/2\.0/([{WORD}]++) ([A-Za-z0-9\-._]++)(?::([0-9]{{1,5}}))?({PARAMS})")
_USUAL_ADDRESS = re.compile(
    rf'(?:"([^"\\\r\n]*+)"[ \t]*+|([{WORD} \t]*+))<(sips?):(?:([{PLAIN_USER}]++)@)?'
    rf"([A-Za-z0-9\-._]++)(?::([0-9]{{1,5}}))?({URI_PARAMS})>({PARAMS})"
)
_USUAL_CSEQ = re.compile(rf"([0-9]{{1,9}}) ([{WORD}]++)")


class Via(NamedTuple):
    """One hop that a request went by, and where its response goes."""

    transport: str
    """As it came: UDP, TCP, TLS, WSS, or a name nobody knows."""
    host: str
    port: int | None = None
    params: Params = NO_PARAMS
    protocol: str = "SIP/2.0"

    @property
    def branch(self) -> str | None:
        """The transaction's name, or None as in RFC 2543."""
        return self.params.get("branch")

    @property
    def names_transaction(self) -> bool:
        """Whether the branch is RFC 3261's: the magic cookie, and something behind it."""
        return is_rfc3261(self.branch)

    def with_branch(self, branch: str) -> "Via":
        """Return the Via of a new transaction."""
        transport, host, port, params, protocol = self
        return tuple.__new__(Via, (transport, host, port, params.put("branch", branch), protocol))

    @property
    def sent_by(self) -> str:
        """Host, and port if there is one, in lower case: the part of a transaction's key beside the branch."""
        return (self.host if self.port is None else f"{self.host}:{self.port}").lower()

    @property
    def received(self) -> str | None:
        """The address that the request really came from."""
        return self.params.get("received")

    @property
    def rport(self) -> int | None:
        """The port that the request really came from; None when absent or only asked for (RFC 3581)."""
        value = self.params.get("rport")
        return number(value, 65_535, "rport") if value else None

    @property
    def asks_rport(self) -> bool:
        """Whether the sender wants its port filled in."""
        return self.params.has("rport")

    def __str__(self) -> str:
        sent_by = self.host if self.port is None else f"{self.host}:{self.port}"
        return f"{self.protocol}/{self.transport} {sent_by}{self.params}"


def is_rfc3261(branch: str | None) -> bool:
    """Say whether a branch is RFC 3261's: the magic cookie, and something behind it."""
    return branch is not None and len(branch) > len(MAGIC) and branch[: len(MAGIC)].lower() == _MAGIC


def parse_via(text: str) -> Via:
    """Return one Via value; raises :class:`ParseError`."""
    usual = _USUAL_VIA.fullmatch(text)
    if usual is not None:
        transport, host, digits, params = usual.groups()
        port = None if digits is None else parse_port(digits)
        return tuple.__new__(Via, (transport, host, port, plain_params(params), "SIP/2.0"))
    return parse_any_via(text)


def parse_any_via(text: str) -> Via:
    """Return one Via value step by step, as :func:`parse_via` does where the shape is unusual."""
    head, semicolon, tail = text.partition(";")
    parts = head.split("/", 2)
    if len(parts) == 3:
        sent = parts[2].split(None, 1)
        name, version = parts[0].rstrip(WHITESPACE), parts[1].strip(WHITESPACE)
        if len(sent) == 2 and is_token(sent[0]) and is_token(name) and is_token(version):
            host, port = parse_host_port(sent[1].rstrip(WHITESPACE))
            return Via(sent[0], host, port, parse_params(semicolon + tail), f"{name}/{version}")
    raise ParseError(f"{shown(text)} does not read SIP/2.0/transport host")


class Address(NamedTuple):
    """Whom or what a header names: From, To, Contact, Route, P-Asserted-Identity …"""

    uri: Uri
    params: Params = NO_PARAMS
    display: str = ""
    """What a person reads, without quotes; "" if there is nothing."""

    @property
    def tag(self) -> str | None:
        """The tag of a From or To."""
        return self.params.get("tag")

    @property
    def expires(self) -> int | None:
        """A Contact's own lifetime in seconds; a malformed one counts as 3600 (RFC 3261 §10.2.1.1)."""
        value = self.params.get("expires")
        return None if value is None else lenient_seconds(value)

    @property
    def q(self) -> float | None:
        """A Contact's preference from 0 to 1; raises :class:`ParseError` for what is none."""
        value = self.params.get("q")
        if value is None:
            return None
        if not re.fullmatch(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", value):
            raise ParseError(f"q is {shown(value)}, not a number from 0 to 1 with three decimals at most")
        return float(value)

    def with_tag(self, tag: str) -> "Address":
        """Return the address with that tag."""
        uri, params, display = self
        return tuple.__new__(Address, (uri, params.put("tag", tag), display))

    def __str__(self) -> str:
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{self.params}"


def parse_address(text: str) -> Address:
    """Return a name-addr or addr-spec with its parameters; raises :class:`ParseError`."""
    usual = _USUAL_ADDRESS.fullmatch(text)
    if usual is not None:
        quoted, words, scheme, user, host, digits, uri_params, params = usual.groups()
        port = None if digits is None else parse_port(digits)
        uri = tuple.__new__(SipUri, (host, user, port, plain_params(uri_params), scheme, None, None))
        display = words.rstrip(WHITESPACE) if quoted is None else quoted
        return tuple.__new__(Address, (uri, plain_params(params), display))
    return parse_any_address(text)


def parse_any_address(text: str) -> Address:
    """Return an address step by step, as :func:`parse_address` does where the shape is unusual."""
    display = ""
    if text[:1] == '"':
        end = end_of_quoted(text, 0)
        display = unquote(text[:end])
        begin = text.find("<", end)
        if begin < 0 or text[end:begin].strip(WHITESPACE):
            raise ParseError(f"{shown(text)} has no <URI> after the quoted name")
    else:
        begin = text.find("<")
        if begin < 0:
            return _addr_spec(text)
        if begin:
            display = text[:begin].rstrip(WHITESPACE)
            if not is_display(display):
                raise ParseError(f"the name {shown(display)} must be quoted")
    close = text.find(">", begin)
    if close < 0:
        raise ParseError(f"{shown(text)} has a < that is not closed")
    # White space inside <> breaks the grammar, but there is only one way to read it (RFC 4475 §3.1.2.14).
    uri = parse_uri(text[begin + 1 : close].strip(WHITESPACE))
    tail = text[close + 1 :].lstrip(WHITESPACE)
    if tail and tail[0] != ";":
        raise ParseError(f"{shown(tail)} follows >, where only parameters may")
    return Address(uri, parse_params(tail), display)


def _addr_spec(text: str) -> Address:
    """Without <>, what follows a semicolon is the header's; a URI with a question mark or comma needs them (§20)."""
    uri, semicolon, params = text.partition(";")
    if "?" in uri or "," in uri:
        raise ParseError(f"the URI {shown(uri)} must stand in <>")
    return Address(parse_uri(uri.rstrip(WHITESPACE)), parse_params(semicolon + params))


class CSeq(NamedTuple):
    """The order of requests in a dialog."""

    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def parse_cseq(text: str) -> CSeq:
    """Return a CSeq; raises :class:`ParseError`, also when the number needs more than 32 bits."""
    usual = _USUAL_CSEQ.fullmatch(text)
    if usual is not None:
        return tuple.__new__(CSeq, (int(usual[1]), usual[2]))
    return parse_any_cseq(text)


def parse_any_cseq(text: str) -> CSeq:
    """Return a CSeq step by step, as :func:`parse_cseq` does where the shape is unusual."""
    parts = text.split()
    if len(parts) != 2 or not is_token(parts[1]):
        raise ParseError(f"{shown(text)} is not a number and a method")
    return CSeq(number(parts[0], SECONDS, "the sequence number"), parts[1])


class Reason(NamedTuple):
    """Why a request was sent (RFC 3326): a Q.850 cause or a SIP status."""

    protocol: str
    cause: int | None = None
    text: str = ""
    params: Params = NO_PARAMS
    """Whatever else there is."""

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        text = f";text={quote(self.text)}" if self.text else ""
        return f"{self.protocol}{cause}{text}{self.params}"


def parse_reason(text: str) -> Reason:
    """Return one Reason value; raises :class:`ParseError`."""
    protocol, params = _value_and_params(text)
    cause = params.get("cause")
    return Reason(
        protocol,
        None if cause is None else number(cause, 65_535, "the cause"),
        params.get("text") or "",
        params.without("cause").without("text"),
    )


class RetryAfter(NamedTuple):
    """When to come back, in seconds (RFC 3261 §20.33)."""

    seconds: int
    duration: int | None = None
    """For how long one can then be reached."""

    def __str__(self) -> str:
        return str(self.seconds) if self.duration is None else f"{self.seconds};duration={self.duration}"


def parse_retry_after(text: str) -> RetryAfter:
    """Return a Retry-After, its comment dropped; raises :class:`ParseError`."""
    value, semicolon, tail = text.partition(";")
    seconds, bracket, _ = value.partition("(")
    if bracket:
        # A comment may hold semicolons; what counts comes after its last bracket.
        tail = text[len(seconds) :].rpartition(")")[2].lstrip(WHITESPACE)
        semicolon, tail = tail[:1], tail[1:]
    params = parse_params(semicolon + tail)
    duration = params.get("duration")
    return RetryAfter(
        number(seconds.strip(WHITESPACE), SECONDS, "the delay"),
        None if duration is None else number(duration, SECONDS, "duration"),
    )


class Refresher(StrEnum):
    """Which side keeps a session alive, seen from the request that asks (RFC 4028)."""

    UAC = "uac"
    UAS = "uas"


class SessionExpires(NamedTuple):
    """A session's lifetime in seconds, and who renews it (RFC 4028 §4)."""

    seconds: int
    refresher: Refresher | None = None

    def __str__(self) -> str:
        return str(self.seconds) if self.refresher is None else f"{self.seconds};refresher={self.refresher}"


def parse_session_expires(text: str) -> SessionExpires:
    """Return a Session-Expires; raises :class:`ParseError`."""
    seconds, params = _value_and_params(text)
    who = params.get("refresher")
    if who is not None and who.lower() not in ("uac", "uas"):
        raise ParseError(f"refresher is {shown(who)}, neither uac nor uas")
    return SessionExpires(number(seconds, SECONDS, "the interval"), None if who is None else Refresher(who.lower()))


def parse_seconds(text: str) -> int:
    """Return the number of a Min-SE or Min-Expires, its parameters dropped; raises :class:`ParseError`."""
    return number(text.partition(";")[0].strip(WHITESPACE), SECONDS, "the time")


def lenient_seconds(text: str) -> int:
    """Return an expiry in seconds; a malformed or too large one counts as 3600."""
    try:
        return number(text, SECONDS, "the expiry")
    except ParseError:
        return DEFAULT_EXPIRES


class AuthValue(NamedTuple):
    """A challenge or credentials, taken apart but not judged (RFC 7235, RFC 7616)."""

    scheme: str
    """As it came: Digest, Bearer, or a name nobody knows."""
    params: Mapping[str, str]
    """By name in lower case; quoted strings without quotes and backslashes."""


def parse_auth(text: str) -> AuthValue:
    """Return a challenge or credentials; raises :class:`ParseError`."""
    scheme, _, rest = text.partition(" ")
    if not is_token(scheme):
        raise ParseError(f"{shown(text)} names no authentication scheme")
    params: dict[str, str] = {}
    for piece in split(rest, ","):
        name, equals, value = piece.partition("=")
        name = name.rstrip(WHITESPACE).lower()
        if not piece:
            continue
        if not equals or not is_token(name):
            raise ParseError(f"{shown(piece)} is not name=value")
        if name in params:
            raise ParseError(f"{name} comes twice")
        value = value.lstrip(WHITESPACE)
        if value[:1] == '"' and end_of_quoted(value, 0) != len(value):
            raise ParseError(f"{shown(value)} follows {name}=, more than a quoted string")
        params[name] = unquote(value)
    return AuthValue(scheme, params)


def _value_and_params(text: str) -> tuple[str, Params]:
    value, semicolon, tail = text.partition(";")
    value = value.rstrip(WHITESPACE)
    if not is_token(value):
        raise ParseError(f"{shown(text)} does not begin with a word")
    return value, parse_params(semicolon + tail)


def parse_first_via(text: str) -> Via:
    """Return the first of a list of Via values; raises :class:`ParseError`."""
    return parse_via(split(text, ",")[0] if "," in text else text)


def parse_call_id(text: str) -> str:
    """Return a Call-ID; raises :class:`ParseError` unless it is one word."""
    if not text or " " in text or "\t" in text:
        raise ParseError(f"{shown(text)} is not one word")
    return text


def parse_hops(text: str) -> int:
    """Return a Max-Forwards; raises :class:`ParseError`."""
    return number(text, 255, "the number of hops")


def parse_length(text: str) -> int:
    """Return a Content-Length; raises :class:`ParseError`."""
    return number(text, SECONDS, "the length")


def parse_media_type(text: str) -> str:
    """Return the media type of a Content-Type in lower case, without parameters and white space."""
    return "".join(text.partition(";")[0].split()).lower()


def parse_tags(values: tuple[str, ...]) -> frozenset[str]:
    """Return option tags in lower case."""
    return frozenset([value.lower() for value in values])


def parse_privacy(values: tuple[str, ...]) -> frozenset[str]:
    """Return the kinds of privacy, in lower case; between commas too, which RFC 3323 does not have."""
    kinds = [kind.strip(WHITESPACE).lower() for value in values for kind in value.replace(",", ";").split(";")]
    return frozenset([kind for kind in kinds if kind])
