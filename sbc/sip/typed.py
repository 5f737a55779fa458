"""The header fields that kirikae reads, typed: worked out at the first reading, and kept."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

from sbc.sip.errors import ParseError
from sbc.sip.fields import (
    SECONDS,
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
    parse_cseq,
    parse_reason,
    parse_retry_after,
    parse_seconds,
    parse_session_expires,
    parse_via,
)
from sbc.sip.grammar import number, split
from sbc.sip.headers import Headers

T = TypeVar("T")
V = TypeVar("V")


class Once(Generic[T]):
    """A property worked out once: the value then stands in the instance's own dictionary, before this descriptor."""

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self.work_out = work_out
        self.name = work_out.__name__
        self.__doc__ = work_out.__doc__

    @overload
    def __get__(self, message: None, owner: type) -> Self: ...
    @overload
    def __get__(self, message: object, owner: type) -> T: ...
    def __get__(self, message: object | None, owner: type) -> Self | T:
        if message is None:
            return self
        value = message.__dict__[self.name] = self.work_out(message)
        return value


class TypedHeaders:
    """What header fields say.

    Reading one that is missing but mandatory, comes twice where it may not, or is malformed raises :class:`ParseError`
    with the response it deserves; reading others of the same message is not disturbed.
    """

    headers: Headers

    def fault(self, reason: str, header: str | None = None, status: int = 400) -> ParseError:
        """Return the error to raise about this message."""
        raise NotImplementedError

    # Header fields that every message has to have.

    @Once
    def via(self) -> Via:
        """The topmost Via."""
        values = self.headers.values("via")
        if not values:
            raise self.fault("a message must have one", "Via")
        first = values[0]
        return self._typed("Via", _parse_first_via, first)

    @Once
    def vias(self) -> tuple[Via, ...]:
        """All Via values, the topmost first."""
        return self._many("Via", parse_via)

    @Once
    def from_(self) -> Address:
        """The From."""
        return self._typed("From", parse_address, self._one("From", "from"))

    @Once
    def to(self) -> Address:
        """The To."""
        return self._typed("To", parse_address, self._one("To", "to"))

    @Once
    def call_id(self) -> str:
        """The Call-ID; compared as it stands, case and all."""
        value = self._one("Call-ID", "call-id")
        if not value or " " in value or "\t" in value:
            raise self.fault("it must be one word", "Call-ID")
        return value

    @Once
    def cseq(self) -> CSeq:
        """The CSeq."""
        return self._typed("CSeq", parse_cseq, self._one("CSeq", "cseq"))

    # Header fields that a message may have: None or an empty tuple if it does not.

    @Once
    def max_forwards(self) -> int | None:
        """How many hops are left, 0 to 255."""
        return self._optional("Max-Forwards", lambda text: number(text, 255, "the number of hops"))

    @Once
    def contacts(self) -> tuple[Address, ...]:
        """The Contact values; empty for ``*`` too."""
        return () if self.wildcard_contact else self._many("Contact", parse_address)

    @property
    def wildcard_contact(self) -> bool:
        """Whether the only Contact is ``*``: all bindings (RFC 3261 §10.2.2)."""
        return self.headers.values("contact") == ["*"]

    @Once
    def routes(self) -> tuple[Address, ...]:
        """The Route values, the next hop first."""
        return self._many("Route", parse_address)

    @Once
    def record_routes(self) -> tuple[Address, ...]:
        """The Record-Route values, the last proxy first."""
        return self._many("Record-Route", parse_address)

    @Once
    def paths(self) -> tuple[Address, ...]:
        """The Path values (RFC 3327)."""
        return self._many("Path", parse_address)

    @Once
    def asserted_identities(self) -> tuple[Address, ...]:
        """The P-Asserted-Identity values: a SIP URI, a telephone number or both (RFC 3325)."""
        return self._many("P-Asserted-Identity", parse_address)

    @Once
    def preferred_identities(self) -> tuple[Address, ...]:
        """The P-Preferred-Identity values (RFC 3325)."""
        return self._many("P-Preferred-Identity", parse_address)

    @Once
    def privacy(self) -> frozenset[str]:
        """The kinds of privacy asked for, in lower case: id, header, user, session, critical, none (RFC 3323)."""
        values = self.headers.values("privacy")
        kinds = [part.strip().lower() for value in values for part in value.replace(",", ";").split(";")]
        return frozenset(kind for kind in kinds if kind)

    @Once
    def reasons(self) -> tuple[Reason, ...]:
        """The Reason values, such as a Q.850 cause."""
        return self._many("Reason", parse_reason)

    @Once
    def content_length(self) -> int | None:
        """The length that the message claims for its body, in bytes."""
        return self._optional("Content-Length", lambda text: number(text, SECONDS, "the length"))

    @Once
    def content_type(self) -> str | None:
        """The media type in lower case, without parameters: ``application/sdp``."""
        value = self._optional("Content-Type", str)
        return None if value is None else "".join(value.partition(";")[0].split()).lower()

    @Once
    def expires(self) -> int | None:
        """The Expires in seconds; a malformed one counts as 3600 (RFC 4475 §3.1.2.4)."""
        return self._optional("Expires", lenient_seconds)

    @Once
    def min_expires(self) -> int | None:
        """The Min-Expires in seconds."""
        return self._optional("Min-Expires", parse_seconds)

    @Once
    def min_se(self) -> int | None:
        """The Min-SE in seconds (RFC 4028)."""
        return self._optional("Min-SE", parse_seconds)

    @Once
    def session_expires(self) -> SessionExpires | None:
        """The Session-Expires (RFC 4028)."""
        return self._optional("Session-Expires", parse_session_expires)

    @Once
    def retry_after(self) -> RetryAfter | None:
        """The Retry-After."""
        return self._optional("Retry-After", parse_retry_after)

    @Once
    def supported(self) -> frozenset[str]:
        """Option tags in Supported, in lower case."""
        return self._tags("Supported")

    @Once
    def require(self) -> frozenset[str]:
        """Option tags in Require, in lower case."""
        return self._tags("Require")

    @Once
    def proxy_require(self) -> frozenset[str]:
        """Option tags in Proxy-Require, in lower case."""
        return self._tags("Proxy-Require")

    @Once
    def unsupported(self) -> frozenset[str]:
        """Option tags in Unsupported, in lower case."""
        return self._tags("Unsupported")

    @Once
    def allow(self) -> frozenset[str]:
        """Methods in Allow; their case counts."""
        return frozenset(self.headers.all("Allow"))

    def auth(self, name: str) -> tuple[AuthValue, ...]:
        """Return challenges or credentials from a field such as WWW-Authenticate or Proxy-Authorization, in order."""
        return tuple([self._typed(name, parse_auth, value) for value in self.headers.values(name)])

    def _one(self, name: str, key: str) -> str:
        values = self.headers.values(key)
        if len(values) != 1:
            raise self.fault("it comes more than once" if values else "a message must have one", name)
        return values[0]

    def _optional(self, name: str, parse: Callable[[str], V]) -> V | None:
        return self._typed(name, parse, self._one(name, name)) if self.headers.values(name) else None

    def _many(self, name: str, parse: Callable[[str], V]) -> tuple[V, ...]:
        try:
            return tuple([parse(value) for value in self.headers.all(name)])
        except ParseError as error:
            raise self.fault(error.reason, name) from None

    def _typed(self, name: str, parse: Callable[[str], V], text: str) -> V:
        try:
            return parse(text)
        except ParseError as error:
            raise self.fault(error.reason, name) from None

    def _tags(self, name: str) -> frozenset[str]:
        return frozenset(tag.lower() for tag in self.headers.all(name))


def _parse_first_via(text: str) -> Via:
    return parse_via(split(text, ",")[0] if "," in text else text)
