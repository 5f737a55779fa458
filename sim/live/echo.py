"""Sends itself datagrams, to see how long what arrives waits until somebody looks at it.

Timers alone do not tell: a loop with too much to do may keep its appointments and leave answers lying, and an answer
that is taken in late looks like a slow system.
"""

from struct import Struct
from typing import Final

from sbc.endpoints.endpoint import Transmit
from sbc.endpoints.wire import Address, Datagram, Path

EVERY: Final = 0.05
"""Seconds between two of them."""
_SENT: Final = Struct("!d")


class Echo:
    """An endpoint that talks to itself; its reports are how late what it has sent was taken in, seconds."""

    def __init__(self, now: float, own: Address) -> None:
        self._way = Path(own, own)
        self._next = now
        self._out: list[object] = []

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in what it has sent."""
        if len(datagram.data) == _SENT.size:
            self._out.append(max(now - _SENT.unpack(datagram.data)[0], 0.0))

    def event(self, now: float, event: object) -> None:
        """Nothing concerns it."""

    def deadline(self) -> float:
        """Return when the next is due."""
        return self._next

    def fire(self, now: float) -> None:
        """Send one."""
        self._out.append(Transmit(self._way, _SENT.pack(now)))
        self._next = now + EVERY

    def take(self) -> list[object]:
        """Return what is to be sent and told."""
        out, self._out = self._out, []
        return out
