"""What a shell asks of whoever carries its traffic: the real sockets, or something that is put before them."""

import asyncio
import errno
import socket
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Final, Protocol

from sbc.endpoints.wire import Address, Datagram, Path

QUEUE: Final = 4_000
"""Messages that may wait to be sent on a socket: about 4 MB, as much as its buffer is asked to hold."""

SIP: Final = ("udp", "tcp")
"""What an address is opened for unless somebody says otherwise."""


class Receiver(Protocol):
    """Whoever gets what arrives at an address."""

    def receive(self, datagram: Datagram) -> None:
        """Something has arrived; ``datagram.path`` is the sender's."""

    def tell(self, event: object) -> None:
        """Something has happened that is no datagram: :class:`~sbc.endpoints.endpoint.Broken`."""


class Transport(Protocol):
    """Carries bytes between addresses that are held and others."""

    def hold(
        self, receiver: Receiver, address: Address, *, shared: bool = False, transports: Collection[str] = SIP
    ) -> None:
        """Open an address, for all ``transports`` or for none: what arrives at it is the receiver's.

        ``vrrp`` are datagrams of UDP that arrive as adverts.
        ``shared``: another process may hold it too, and whoever has taken it last gets what arrives; so a service
        address moves although its last holder is hung. Raises :class:`BindError`.
        """

    def release(self, address: Address) -> None:
        """Close an address, after what waits to be sent from it is sent; nothing happens if it is not held."""

    def send(self, path: Path, data: bytes) -> None:
        """Send a message. It does not wait: what finds no room is dropped, and counted."""


class BindError(Exception):
    """An address cannot be held."""

    def __init__(self, address: Address, transport: str, why: str, remedy: str) -> None:
        super().__init__(f"cannot hold {transport} {address}: {why}; {remedy}")
        self.address = address
        self.transport = transport
        self.why = why
        self.remedy = remedy


@dataclass(slots=True)
class Counters:
    """What has become of messages."""

    sent: int = 0
    """Handed to the system."""
    received: int = 0
    dropped: int = 0
    """For want of room in a queue of ours."""
    homeless: int = 0
    """From an address that is not held."""
    failed: int = 0
    """What the system would not send: too large, no route, its connection broke before."""
    refused: int = 0
    """How often the other end, or the network, has said that what was sent came to nobody."""


_TROUBLES: Final = {
    errno.EADDRINUSE: (
        "another program has it, perhaps another live run",
        (
            "stop that program, or choose another port or address; live runs at the same time need a network namespace "
            "each: `unshare --net --map-root-user`, and in it `ip link set lo up`"
        ),
    ),
    errno.EADDRNOTAVAIL: (
        "no interface of this machine has that address",
        "choose one that `ip address` lists; of 127.0.0.0/8 every address is local",
    ),
    errno.EACCES: ("the port is reserved", "choose a port above 1023"),
    errno.EMFILE: ("this process may open no more files", "raise their number with `ulimit -n`"),
}


def bound(
    address: Address,
    transport: str,
    kind: socket.SocketKind,
    prepare: Callable[[socket.socket], None],
    finish: Callable[[socket.socket], None],
) -> socket.socket:
    """Return a non-blocking socket that is bound to an address; raises :class:`BindError`.

    ``prepare`` sets what has to be set before, ``finish`` does what has to be done after.
    """
    try:
        sock = socket.socket(family_of(address), kind)
        try:
            sock.setblocking(False)
            prepare(sock)
            sock.bind(address)
            finish(sock)
        except OSError:
            sock.close()
            raise
    except OSError as error:
        why, remedy = _TROUBLES.get(error.errno or 0, (error.strerror or str(error), "choose another address"))
        raise BindError(address, transport, why, remedy) from None
    return sock


def family_of(address: Address) -> socket.AddressFamily:
    """Return IPv6 for an address of it, else IPv4."""
    return socket.AF_INET6 if ":" in address.host else socket.AF_INET


def watched(work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    """Start a task whose failure the loop's exception handler hears of at once, and not when it is collected."""
    task = asyncio.create_task(work)
    task.add_done_callback(_tell_of_failure)
    return task


def _tell_of_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        told = {"message": "the traffic of an address has ended", "exception": error, "task": task}
        task.get_loop().call_exception_handler(told)
