"""The one interface of all endpoints, which a shell in virtual time and one on sockets drive alike.

A shell hands an input over, takes the outputs, and asks for the deadline. A due moment that has passed is due.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sbc.endpoints.wire import Address, Datagram, Path


class Endpoint(Protocol):
    """Whatever has addresses on a network: it knows no clock and no socket."""

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in what has arrived; ``datagram.path`` is the sender's."""

    def event(self, now: float, event: object) -> None:
        """Take in something that is no datagram: a wish of its user, or what its machine tells.

        Of the latter the shell makes :class:`Broken` and :class:`Claimed`.
        """

    def fire(self, now: float) -> None:
        """Do all that is due."""

    def deadline(self) -> float:
        """Return when :meth:`fire` is to be called next, seconds; ``inf`` for not by itself. Cheap."""

    def take(self) -> Sequence[object]:
        """Return what has come up since the last time, in order.

        :class:`~sbc.sip.transaction.Send` on a :class:`~sbc.endpoints.wire.Path`, :class:`Transmit`, :class:`Hold` and
        :class:`Release` are the shell's to carry out; all others are reports to the endpoint's user.
        """


class Broken(NamedTuple):
    """A path is broken, or what was sent on it was refused; ``path`` is that of the end that is told."""

    path: Path


class Transmit(NamedTuple):
    """Bytes to send that are no SIP: adverts, replication."""

    path: Path
    data: bytes


class Hold(NamedTuple):
    """Take a service address over."""

    address: Address
    announce: bool = True
    """Whether to say so by gratuitous ARP; without it others go on sending to the last holder they know."""


class Release(NamedTuple):
    """Give a service address up."""

    address: Address


class Claimed(NamedTuple):
    """Told to whoever holds an address: another machine says by gratuitous ARP that it has it (RFC 5227 §2.4)."""

    address: Address
