"""Header fields of messages that are built here: each is found at once, all are put together when they are written.

Between two ends in one process that may be never: what one has put in, the other reads field by field.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from sbc.sip.fields import CSeq
from sbc.sip.headers import KEYS, Headers, Value, kept, key_of

if TYPE_CHECKING:
    from sbc.sip.message import Request

_NAMES: Final = ("Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq")
_PLACES: Final = {key_of(name): place for place, name in enumerate(_NAMES)}
_LENGTH: Final = "content-length"
_COPIED: Final = frozenset(["via", "from", "to", "call-id", "cseq"])
_OF_REQUEST: Final = frozenset([*_PLACES, _LENGTH])
_OF_RESPONSE: Final = _COPIED | {_LENGTH, "record-route", "timestamp"}
_NOTHING: Final = Headers()


class Built(Headers):
    """The fields that every message of its kind has, then those given, then the Content-Length."""

    __slots__ = ("_given", "_length", "_others", "plain")

    def __init__(self, given: Iterable[tuple[str, object]], length: int, own: frozenset[str]) -> None:
        """``given``: header fields that may be shared by many messages; ``own``: keys of what each has by itself."""
        self._given = given if type(given) is Headers else Headers(given) if given else _NOTHING
        self._length = length
        self._pairs = None
        self._index = None
        self._others = self._given.index
        self.plain = own.isdisjoint(self._others)
        """Whether nothing was given that the message has by itself."""

    def put_together(self) -> tuple[tuple[str, Value], ...]:
        """Return all fields in order."""
        return (*self.leading(), *self._given.pairs, ("Content-Length", str(self._length)))

    def leading(self) -> Iterator[tuple[str, Value]]:
        """Go through the fields before those given."""
        raise NotImplementedError


class RequestFields(Built):
    """Those of :meth:`~.message.Request.build`."""

    __slots__ = ("_values",)

    def __init__(
        self,
        via: object,
        max_forwards: int,
        from_: object,
        to: object,
        call_id: str,
        cseq: CSeq,
        given: Iterable[tuple[str, object]],
        length: int,
    ) -> None:
        super().__init__(given, length, _OF_REQUEST)
        self._values = (via, max_forwards, from_, to, call_id, cseq)

    def leading(self) -> Iterator[tuple[str, Value]]:
        """Go through the mandatory fields."""
        return zip(_NAMES, map(kept, self._values), strict=True)

    def find(self, key: str) -> Value | list[Value] | None:
        """Return what stands under a key: one value, a list of several, or None."""
        if not self.plain:
            return super().find(key)
        place = _PLACES.get(key)
        if place is not None:
            return kept(self._values[place])
        return str(self._length) if key == _LENGTH else self._others.get(key)


class ResponseFields(Built):
    """Those of :meth:`~.message.Response.answer`: first what the request had, its To perhaps with a tag."""

    __slots__ = ("_also", "_request", "_to")

    def __init__(
        self, request: "Request", to: Value | None, also: str | None, given: Iterable[tuple[str, object]], length: int
    ) -> None:
        """``to``: in place of the request's, if it is another; ``also``: the key of one more field to take over."""
        super().__init__(given, length, _OF_RESPONSE)
        self._request = request
        self._to = to
        self._also = also

    def leading(self) -> Iterator[tuple[str, Value]]:
        """Go through what the request had, in its order."""
        for pair in self._request.headers.pairs:
            key = KEYS.get(pair[0]) or key_of(pair[0])
            if key == "to" and self._to is not None:
                yield (pair[0], self._to)
            elif key in _COPIED or key == self._also:
                yield pair

    def find(self, key: str) -> Value | list[Value] | None:
        """Return what stands under a key: one value, a list of several, or None."""
        if not self.plain:
            return super().find(key)
        if key not in _OF_RESPONSE:
            return self._others.get(key)
        if key == "to" and self._to is not None:
            return self._to
        if key == _LENGTH:
            return str(self._length)
        return self._request.headers.find(key) if key in _COPIED or key == self._also else None
