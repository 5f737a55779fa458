"""By what the legs of a call are known to be one call: what a leg carries that is sent to a pair, and who reads it.

Emulated pairs pass on P-Charging-Vector. A real one may not, and gives each leg a Call-ID of its own; so either the
caller's number tells, of which every call then has one of its own, or a header that the pair passes on.
"""

import re
from itertools import count
from typing import Final, Protocol

from sbc.endpoints import charging
from sbc.endpoints.trunk_group import number_in
from sbc.sip.errors import ParseError
from sbc.sip.message import Request

_TOLD: Final = 10
"""Digits at the end of a number that tell it: all but the 0 in front, for which +81 may stand."""
_NOT_DIGITS: Final = re.compile(r"[^0-9]")


class Naming(Protocol):
    """One way of knowing legs; both ends of a pair share one object of it."""

    def headers(self, key: str) -> list[tuple[str, object]]:
        """Return the header fields that a leg of a call carries."""

    def caller(self, key: str) -> str:
        """Return what the From of a call has as its user: who calls from outside."""

    def key_of(self, request: Request) -> str | None:
        """Return the key of the call that a request belongs to; None where it tells nothing."""


class Charging:
    """By P-Charging-Vector: see :mod:`sbc.endpoints.charging`."""

    def headers(self, key: str) -> list[tuple[str, object]]:
        """Return the header field."""
        return [charging.charging(key)]

    def caller(self, key: str) -> str:
        """Return a name, as nothing reads it."""
        return f"caller-{key}"

    def key_of(self, request: Request) -> str | None:
        """Return its ICID."""
        return charging.key_of(request)


CHARGING: Final = Charging()
"""What emulated pairs, and phones, know legs by."""


class CallerNumbers:
    """Gives every call a caller number of its own, for as long as it lives: 090-0000-0001 and so on.

    No mobile number goes on with 0 after 090 (J1), so that nobody can be called back by mistake. There are ten million
    of them, and after that the first come again.
    """

    _SPACE: Final = 10**7

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._count = count(1)

    def number(self, key: str) -> str:
        """Return the number of a call."""
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = f"0900{next(self._count) % self._SPACE:07}"
            self._keys[number[-_TOLD:]] = key
        return number

    def key(self, number: str) -> str | None:
        """Return the key of the call that has a number, however it is written; None for the number of nobody."""
        return self._keys.get(_NOT_DIGITS.sub("", number)[-_TOLD:])


class ByNumber:
    """By the caller's number, which From or P-Asserted-Identity has; calls back to it, by the number that is called.

    Calls that agents place show a number of the plan, which many of them share, and are not told apart by it.
    """

    def __init__(self) -> None:
        self._numbers = CallerNumbers()

    def headers(self, key: str) -> list[tuple[str, object]]:
        """Return nothing: the number is in the mandatory ones."""
        del key
        return []

    def caller(self, key: str) -> str:
        """Return its number."""
        return self._numbers.number(key)

    def key_of(self, request: Request) -> str | None:
        """Return the key of the call that one of the numbers of a request is of."""
        try:
            asserted = [each.uri for each in request.asserted_identities]
        except ParseError:
            asserted = []
        uris = (*asserted, request.from_.uri, request.uri, request.to.uri)
        return next((key for uri in uris if (key := self._numbers.key(number_in(uri))) is not None), None)


class ByHeader:
    """By a header that the pair passes on as it is."""

    def __init__(self, header: str) -> None:
        self._header = header
        self._numbers = CallerNumbers()

    def headers(self, key: str) -> list[tuple[str, object]]:
        """Return the header field."""
        return [(self._header, key)]

    def caller(self, key: str) -> str:
        """Return a number, since a pair may take calls of numbers only."""
        return self._numbers.number(key)

    def key_of(self, request: Request) -> str | None:
        """Return what the header says."""
        value = request.headers.get(self._header)
        return None if value is None else value.strip() or None
