"""The header fields that kirikae reads, typed: worked out at the first reading, and kept."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Generic, Self, TypeVar, cast, overload

from sbc.sip.errors import ParseError
from sbc.sip.fields import (
    Address,
    AuthValue,
    CSeq,
    Reason,
    RetryAfter,
    SessionExpires,
    Via,
    lenient_seconds,
    parse_address,
    parse_auth,
    parse_call_id,
    parse_cseq,
    parse_first_via,
    parse_hops,
    parse_length,
    parse_media_type,
    parse_privacy,
    parse_reason,
    parse_retry_after,
    parse_seconds,
    parse_session_expires,
    parse_tags,
    parse_via,
)
from sbc.sip.headers import Headers, key_of, parts, text_of

T = TypeVar("T")
V = TypeVar("V")


class Once(Generic[T]):
    """A property worked out once: the value then stands in the instance's own dictionary, before this descriptor."""

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self.work_out = work_out
        self.__doc__ = work_out.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name

    @overload
    def __get__(self, message: None, owner: type) -> Self: ...
    @overload
    def __get__(self, message: object, owner: type) -> T: ...
    def __get__(self, message: object | None, owner: type) -> Self | T:
        if message is None:
            return self
        value = message.__dict__[self.attribute] = self.work_out(message)
        return value


class Mandatory(Once[T]):
    """A field that must be there, once."""

    def __init__(self, name: str, parse: Callable[[str], T], kind: type | None = None) -> None:
        """``kind``: what a typed value is, where header fields may hold one."""
        self.name = name
        self.key = key_of(name)
        self.parse = parse
        self.kind = kind
        super().__init__(self.read)

    def read(self, message: "TypedHeaders") -> T:
        """Return the value; raises :class:`ParseError`."""
        found = message.headers.find(self.key)
        if found is None:
            raise message.fault("a message must have one", self.name)
        return self.only(message, found)

    def only(self, message: "TypedHeaders", found: Any) -> T:
        """Return what the one value that was found says; raises :class:`ParseError`, also where there are several."""
        if type(found) is self.kind:
            return cast(T, found)
        if isinstance(found, list):
            raise message.fault("it comes more than once", self.name)
        try:
            return self.parse(found if type(found) is str else text_of(found))
        except ParseError as error:
            raise message.fault(error.reason, self.name) from None


class Topmost(Mandatory[T]):
    """A field that must be there, of which the first counts."""

    def read(self, message: "TypedHeaders") -> T:
        """Return the first value; raises :class:`ParseError`."""
        found = message.headers.first(self.key)
        if found is None:
            raise message.fault("a message must have one", self.name)
        return self.only(message, found)


class Optional(Once[T | None]):
    """A field that may be there, but once: None if it is not."""

    def __init__(self, name: str, parse: Callable[[str], T], kind: type | None = None) -> None:
        self.value = Mandatory(name, parse, kind)
        self.key = self.value.key
        super().__init__(self.read)

    def read(self, message: "TypedHeaders") -> T | None:
        """Return the value, if there is one; raises :class:`ParseError`."""
        found = message.headers.find(self.key)
        return None if found is None else self.value.only(message, found)


class Listed(Once[tuple[T, ...]]):
    """A field with any number of values, lists taken apart: empty if it is not there."""

    def __init__(self, name: str, parse: Callable[[str], T], kind: type | None = None) -> None:
        self.name = name
        self.key = key_of(name)
        self.parse = parse
        self.kind = kind
        super().__init__(self.read)

    def read(self, message: "TypedHeaders") -> tuple[T, ...]:
        """Return all values in order; raises :class:`ParseError`."""
        found = message.headers.find(self.key)
        if found is None:
            return ()
        if type(found) is self.kind:
            return (cast(T, found),)
        try:
            if isinstance(found, str) and found and "," not in found:
                return (self.parse(found),)
            return tuple(self.each(found if isinstance(found, list) else [found]))
        except ParseError as error:
            raise message.fault(error.reason, self.name) from None

    def each(self, found: Iterable[Any]) -> Iterator[T]:
        """Go through the values; raises :class:`ParseError`."""
        for value in found:
            if type(value) is self.kind:
                yield cast(T, value)
            else:
                yield from map(self.parse, parts(self.key, text_of(value)))


class Tags(Once[frozenset[str]]):
    """A set of words from all fields of a name: empty if there is none."""

    def __init__(self, name: str, parse: Callable[[tuple[str, ...]], frozenset[str]] = parse_tags) -> None:
        self.name = name
        self.key = key_of(name)
        self.parse = parse
        super().__init__(self.read)

    def read(self, message: "TypedHeaders") -> frozenset[str]:
        """Return the words; raises :class:`ParseError`."""
        if message.headers.find(self.key) is None:
            return _NO_TAGS
        return self.parse(message.headers.all(self.name))


_NO_TAGS: Final[frozenset[str]] = frozenset()
_CONTACTS: Final = Listed("Contact", parse_address, Address)


class TypedHeaders:
    """What header fields say.

    Reading one that is missing but mandatory, comes twice where it may not, or is malformed raises :class:`ParseError`
    with the response it deserves; reading others of the same message is not disturbed.
    """

    headers: Headers

    def fault(self, reason: str, header: str | None = None, status: int = 400) -> ParseError:
        """Return the error to raise about this message."""
        raise NotImplementedError

    via = Topmost("Via", parse_first_via, Via)
    """The topmost Via."""
    vias = Listed("Via", parse_via, Via)
    """All of them, the topmost first."""

    @Once
    def branch(self) -> str | None:
        """That of the topmost Via."""
        return self.via.branch

    @Once
    def from_tag(self) -> str | None:
        """That of From."""
        return self.from_.tag

    @Once
    def to_tag(self) -> str | None:
        """That of To."""
        return self.to.tag

    from_ = Mandatory("From", parse_address, Address)
    to = Mandatory("To", parse_address, Address)
    call_id = Mandatory("Call-ID", parse_call_id)
    """Compared as it stands, case and all."""
    cseq = Mandatory("CSeq", parse_cseq, CSeq)
    max_forwards = Optional("Max-Forwards", parse_hops)
    """How many hops are left, 0 to 255."""
    routes = Listed("Route", parse_address, Address)
    """The next hop first."""
    record_routes = Listed("Record-Route", parse_address, Address)
    """The last proxy first."""
    paths = Listed("Path", parse_address, Address)
    """RFC 3327."""
    asserted_identities = Listed("P-Asserted-Identity", parse_address, Address)
    """A SIP URI, a telephone number or both (RFC 3325)."""
    preferred_identities = Listed("P-Preferred-Identity", parse_address, Address)
    """RFC 3325."""
    privacy = Tags("Privacy", parse_privacy)
    """The kinds asked for, in lower case: id, header, user, session, critical, none (RFC 3323)."""
    reasons = Listed("Reason", parse_reason, Reason)
    """A Q.850 cause, a SIP status, or both (RFC 3326)."""
    content_length = Optional("Content-Length", parse_length)
    """The length that the message claims for its body, in bytes. Two fields are refused even when they agree: where two
    readers may see two messages, there is none."""
    content_type = Optional("Content-Type", parse_media_type)
    """The media type in lower case, without parameters: ``application/sdp``."""
    expires = Optional("Expires", lenient_seconds)
    """Seconds; a malformed value counts as 3600 (RFC 4475 §3.1.2.4)."""
    min_expires = Optional("Min-Expires", parse_seconds)
    """Seconds."""
    min_se = Optional("Min-SE", parse_seconds)
    """Seconds (RFC 4028)."""
    session_expires = Optional("Session-Expires", parse_session_expires, SessionExpires)
    """RFC 4028."""
    retry_after = Optional("Retry-After", parse_retry_after, RetryAfter)
    supported = Tags("Supported")
    """Option tags in lower case, as all of these."""
    require = Tags("Require")
    proxy_require = Tags("Proxy-Require")
    unsupported = Tags("Unsupported")
    allow = Tags("Allow", frozenset)
    """Methods; their case counts."""

    @Once
    def contacts(self) -> tuple[Address, ...]:
        """The Contact values; none where the only one is ``*``."""
        found = self.headers.find("contact")
        return () if found is None or found == "*" else _CONTACTS.read(self)

    @property
    def wildcard_contact(self) -> bool:
        """Whether the only Contact is ``*``: all bindings (RFC 3261 §10.2.2)."""
        return self.headers.find("contact") == "*"

    def auth(self, name: str) -> tuple[AuthValue, ...]:
        """Return challenges or credentials from a field such as WWW-Authenticate or Proxy-Authorization, in order."""
        return Listed(name, parse_auth).read(self)
