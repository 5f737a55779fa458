"""What passes between an endpoint and the shell that carries its traffic: addresses, paths, datagrams."""

from typing import Final, NamedTuple

from sbc.sip.message import Request, Response

SIP_PORT: Final = 5060
RELIABLE: Final = frozenset(["tcp", "tls", "ws", "wss"])
"""Transports on which what is sent arrives, or the connection breaks."""
VRRP: Final = "vrrp"
"""Adverts are no UDP: they have IP protocol 112 (RFC 5798 §5.1)."""


class Address(NamedTuple):
    """Where packets go: an IP address and a port."""

    host: str
    port: int = SIP_PORT

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Path(NamedTuple):
    """The flow of :mod:`sbc.sip` with addresses on it, as one end sees it."""

    local: Address
    remote: Address
    transport: str = "udp"

    @property
    def reliable(self) -> bool:
        """Whether what is sent arrives or the flow breaks."""
        return self.transport in RELIABLE

    def back(self) -> "Path":
        """Return the same path as the other end sees it."""
        return Path(self.remote, self.local, self.transport)


class End(NamedTuple):
    """Where SIP is spoken with a real pair: an address of this machine, and what Via, Contact and SDP say of it."""

    local: Address
    shown: Address
    """The same, or that of the NAT in front of it."""
    transport: str


class Datagram:
    """What is sent at once: a SIP message, or bytes of another kind.

    Whoever gets the very object that was sent may take :attr:`message` as it is; from a socket, or to be strict, there
    are bytes only. A message is immutable, and the bytes are made when somebody asks for them.
    """

    __slots__ = ("_data", "message", "path")

    def __init__(self, path: Path, message: Request | Response | None, data: bytes | None = None) -> None:
        """``path`` is the sender's; one of ``message`` and ``data`` has to be given."""
        self.path = path
        self.message = message
        self._data = data

    @property
    def data(self) -> bytes:
        """The bytes on the wire, without the headers of IP and UDP."""
        if self._data is None:
            assert self.message is not None  # noqa: S101 - one of the two was given
            self._data = self.message.encode()
        return self._data
