"""Header fields that the messages of one user agent have in common: made once, shared by all that have no others."""

from typing import Final

from sbc.sip.fields import Address
from sbc.sip.headers import Headers, pairs_of
from sbc.sip.message import Fields
from sbc.sip.sdp import MEDIA_TYPE
from sbc.sip.session_timer import TIMER, Terms, Timing, asked, grant

ROOM: Final = 64
"""How many sets of fields are kept: peers choose the terms of a session, and could choose others each time."""


class Customary:
    """Header fields by what they depend on; a Contact that is given stands in place of the usual one."""

    def __init__(self, contact: Address, allow: str) -> None:
        self._own: tuple[tuple[str, object], ...] = (("Contact", contact), ("Allow", allow), ("Supported", TIMER))
        self._made: dict[tuple[object, ...], Headers] = {}

    def invite(self, timing: Timing, terms: Terms | None, headers: Fields, body: bytes) -> Headers:
        """Return the header fields of an INVITE, first or later."""
        made = None if headers else self._made.get((timing, terms, not body))
        return made or self._make((timing, terms, not body), asked(timing, terms), headers, body)

    def provisional(self, headers: Fields, body: bytes) -> Headers:
        """Return those of a provisional response to an INVITE."""
        made = None if headers else self._made.get((not body,))
        return made or self._make((not body,), [], headers, body)

    def success(self, terms: Terms | None, headers: Fields, body: bytes) -> Headers:
        """Return those of a 2xx to an INVITE, which sets the terms of the session."""
        made = None if headers else self._made.get((terms, not body))
        return made or self._make((terms, not body), grant(terms), headers, body)

    def _make(self, key: tuple[object, ...], timer: list[tuple[str, object]], headers: Fields, body: bytes) -> Headers:
        content = [("Content-Type", MEDIA_TYPE)] if body else []
        given = [*pairs_of(headers)]
        own = self._own[1:] if any(name == "Contact" for name, _ in given) else self._own
        made = Headers([*own, *timer, *given, *content])
        if not headers and len(self._made) < ROOM:
            self._made[key] = made
        return made
