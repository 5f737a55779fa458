"""Header fields in order, as they came, found whatever the case or the compact form of their name (RFC 3261 §7.3).

A field is given as text or as a typed value, such as a Via. Typed values are kept as they are and written when their
text is asked for: between two ends in one process that may be never.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias, cast

from sbc.sip.grammar import WHITESPACE, split

COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"""The one-letter names and what they stand for (IANA, SIP Parameters)."""

_LIST_NAMES = """
accept accept-contact accept-encoding accept-language accept-resource-priority alert-info allow allow-events call-info
contact content-encoding content-language diversion error-info history-info in-reply-to p-asserted-identity
p-asserted-service p-associated-uri p-preferred-identity path proxy-require reason record-route recv-info
reject-contact require resource-priority route security-client security-server security-verify service-route supported
unsupported via warning
"""
LISTS = frozenset(_LIST_NAMES.split())
"""Header fields whose values may stand in one field with commas between them."""

_USUAL_NAMES = """
Accept Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authorization Call-ID Call-Info Contact
Content-Disposition Content-Encoding Content-Language Content-Length Content-Type CSeq Date Diversion Error-Info Event
Expires From History-Info In-Reply-To Max-Forwards MIME-Version Min-Expires Min-SE Organization P-Access-Network-Info
P-Asserted-Identity P-Preferred-Identity Path Priority Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require RAck
Reason Record-Route Refer-To Referred-By Reply-To Require Retry-After Route RSeq Server Service-Route Session-Expires
SIP-ETag SIP-If-Match Subject Subscription-State Supported Timestamp To Unsupported User-Agent Via Warning
WWW-Authenticate
"""
_USUAL = _USUAL_NAMES.split()

KEYS = {name: name.lower() for name in _USUAL} | {name.lower(): name.lower() for name in _USUAL}
KEYS |= COMPACT | {letter.upper(): key for letter, key in COMPACT.items()}
"""Spellings seen every day and the key each stands for; others are worked out, and not remembered."""


Value: TypeAlias = str | tuple[object, ...]
"""What a field holds: its text without the white space around it, or a typed value that says the same."""

Index: TypeAlias = dict[str, Value | list[Value]]
"""Values by key: the value itself where there is one, a list where there are several."""


def key_of(name: str) -> str:
    """Return the one key of a header name: full and in lower case."""
    known = KEYS.get(name)
    if known is not None:
        return known
    lower = name.lower()
    return COMPACT.get(lower, lower)


def put(index: Index, key: str, value: Value) -> None:
    """Add a value to an index."""
    there = index.get(key)
    if there is None:
        index[key] = value
    elif isinstance(there, list):
        there.append(value)
    else:
        index[key] = [there, value]


def text_of(value: object) -> str:
    """Return a value as it is written, without the white space around it."""
    return str(value).strip(WHITESPACE)


def kept(value: object) -> Value:
    """Return a value as header fields keep it."""
    return value if isinstance(value, tuple) else str(value).strip(WHITESPACE)


def parts(key: str, text: str) -> list[str]:
    """Return a value taken apart at its commas if it is a list; raises ParseError for a quote or ``<`` left open."""
    if key in LISTS and (not text or "," in text):
        return [part for part in split(text, ",") if part]
    return [text]


class Headers:
    """Immutable header fields: pairs of the name as it came and its value, without the white space around it."""

    __slots__ = ("_index", "_pairs")
    _pairs: tuple[tuple[str, Value], ...] | None
    _index: Index | None

    def __init__(self, pairs: Iterable[tuple[str, object]] = ()) -> None:
        self._pairs = tuple(
            [(name, value.strip(WHITESPACE) if type(value) is str else kept(value)) for name, value in pairs_of(pairs)]
        )
        self._index = None

    @staticmethod
    def trusted(pairs: Iterable[tuple[str, Value]], index: Index | None = None) -> "Headers":
        """Return headers of values that are stripped already, with an index by key if there is one."""
        headers = Headers.__new__(Headers)
        headers._pairs = tuple(pairs)
        headers._index = index
        return headers

    @property
    def pairs(self) -> tuple[tuple[str, Value], ...]:
        """Names and values, typed where they were given so."""
        if self._pairs is None:
            self._pairs = self.put_together()
        return self._pairs

    def put_together(self) -> tuple[tuple[str, Value], ...]:
        """Return the pairs where they were not there from the beginning."""
        raise NotImplementedError

    @property
    def index(self) -> Index:
        """The values by key: not to be changed."""
        index = self._index
        if index is None:
            index = self._index = {}
            for name, value in self.pairs:
                key = KEYS.get(name) or key_of(name)
                if key in index:
                    put(index, key, value)
                else:
                    index[key] = value
        return index

    def find(self, key: str) -> Value | list[Value] | None:
        """Return what stands under a key: one value, a list of several, or None."""
        index = self._index
        return (self.index if index is None else index).get(key)

    def first(self, key: str) -> Value | None:
        """Return the first value under a key, or None: for a key that leads, as Via does, found without an index."""
        if self._index is None and self._pairs is not None:
            return next((value for name, value in self._pairs if key_of(name) == key), None)
        found = self.find(key)
        return found[0] if isinstance(found, list) else found

    def values(self, name: str) -> list[str]:
        """Return the value of each field of that name, commas and all."""
        found = self.find(KEYS.get(name) or key_of(name))
        if found is None:
            return []
        return [text_of(value) for value in found] if isinstance(found, list) else [text_of(found)]

    def get(self, name: str) -> str | None:
        """Return the first value as it came, or None."""
        found = self.find(key_of(name))
        if found is None:
            return None
        return text_of(found[0] if isinstance(found, list) else found)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value, lists taken apart at their commas; raises ParseError for a quote or ``<`` left open."""
        key = key_of(name)
        return tuple([part for value in self.values(name) for part in parts(key, value)])

    def replace(self, name: str, value: object) -> "Headers":
        """Return headers with one field of that name: where the first stood, or at the end."""
        key = key_of(name)
        others = [pair for pair in self.pairs if key_of(pair[0]) != key]
        at = next((i for i, pair in enumerate(self.pairs) if key_of(pair[0]) == key), len(others))
        return self.trusted([*others[:at], (name, kept(value)), *others[at:]])

    def add(self, name: str, value: object) -> "Headers":
        """Return headers with one more field, at the end."""
        return self.trusted([*self.pairs, (name, kept(value))])

    def prepend(self, name: str, value: object) -> "Headers":
        """Return headers with one more field before all others, as a Via or a Record-Route is added."""
        return self.trusted([(name, kept(value)), *self.pairs])

    def without(self, *names: str) -> "Headers":
        """Return headers without the fields of those names."""
        keys = {key_of(name) for name in names}
        return self.trusted([pair for pair in self.pairs if key_of(pair[0]) not in keys])

    def __contains__(self, name: str) -> bool:
        return self.find(KEYS.get(name) or key_of(name)) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Go through names and texts."""
        texts = [pair if type(pair[1]) is str else (pair[0], text_of(pair[1])) for pair in self.pairs]
        return iter(cast(list[tuple[str, str]], texts))

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Headers({list(self)!r})"


def pairs_of(fields: Iterable[tuple[str, object]]) -> Iterable[tuple[str, object]]:
    """Return header fields as pairs, values typed where they are given so."""
    return fields.pairs if isinstance(fields, Headers) else fields
