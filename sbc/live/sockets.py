"""The sockets of one process: which addresses it holds, and who in it gets what arrives there."""

import asyncio
from collections.abc import Collection, Iterable
from typing import Final

from sbc.endpoints.wire import VRRP, Address, Path
from sbc.live.tcp import TcpSocket
from sbc.live.transport import QUEUE, SIP, BindError, Counters, Receiver
from sbc.live.udp import Refusals, UdpSocket

LINGER: Final = 1.0
"""Seconds that the far ends of connections have to take what is sent to them before all ends."""
_DATAGRAMS: Final = frozenset(["udp", VRRP])


class Sockets:
    """The transport of a process."""

    def __init__(self, *, room: int = QUEUE) -> None:
        """``room`` is how many messages may wait on a socket; to be made while a loop runs."""
        self.counters = Counters()
        self._room = room
        self._loop = asyncio.get_running_loop()
        self._open: dict[tuple[Address, str], UdpSocket | TcpSocket] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """Of sockets that are closed."""
        self._refusals = Refusals(self._loop) if isinstance(self._loop, asyncio.BaseEventLoop) else None

    @property
    def hears_refusals(self) -> bool:
        """Whether it is told of datagrams that were refused; never on uvloop."""
        return self._refusals is not None

    def hold(
        self, receiver: Receiver, address: Address, *, shared: bool = False, transports: Collection[str] = SIP
    ) -> None:
        """Open an address; what is held already is taken anew. Raises :class:`~sbc.live.transport.BindError`."""
        self.release(address)
        opened: list[str] = []
        try:
            for transport in transports:
                self._open[address, transport] = self._opened(receiver, address, transport, shared=shared)
                opened.append(transport)
        except BindError:
            for transport in opened:
                self._close((address, transport))
            raise

    def release(self, address: Address) -> None:
        """Close an address, after what waits to be sent from it is sent."""
        for key in [each for each in self._open if each[0] == address]:
            self._close(key)

    def send(self, path: Path, data: bytes) -> None:
        """Send a message from an address that is held."""
        opened = self._open.get((path.local, path.transport))
        if opened is None:
            self.counters.homeless += 1
        else:
            opened.send(path, data)

    def buffers(self, address: Address) -> tuple[int, ...]:
        """Return how many bytes the system has granted an address for datagrams that arrive, and that are sent."""
        opened = (self._open.get((address, each)) for each in _DATAGRAMS)
        return next((each.buffers for each in opened if isinstance(each, UdpSocket)), ())

    async def close(self) -> None:
        """Close all addresses, and wait until all that waits is sent, for :data:`LINGER` seconds at most."""
        for key in list(self._open):
            self._close(key)
        if self._tasks:
            _, unsent = await asyncio.wait(self._tasks, timeout=LINGER)
            for task in unsent:
                task.cancel()
        if self._refusals is not None:
            self._refusals.close()

    def _opened(self, receiver: Receiver, address: Address, transport: str, *, shared: bool) -> UdpSocket | TcpSocket:
        if transport in _DATAGRAMS:
            return UdpSocket(
                receiver, address, transport, self.counters, self._refusals, shared=shared, room=self._room
            )
        return TcpSocket(receiver, address, self.counters, shared=shared, room=self._room)

    def _close(self, key: tuple[Address, str]) -> None:
        opened = self._open.pop(key)
        tasks: Iterable[asyncio.Task[None]] = set(opened.tasks)
        opened.close()
        for task in tasks:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
