"""Datagrams on real sockets, by asyncio-dgram; adverts go the same way, since IP protocol 112 asks for privileges.

**Who gets a datagram.** Linux lets several UDP sockets have one address if all of them have SO_REUSEADDR, and hands
each datagram to the one that was bound last; when that is closed, to the one before. So a service address moves to
whoever takes it, even if its last holder is stopped and can close nothing. An address that is not shared is bound
without, and taken is then taken.

**What is refused.** A socket that is not connected hears of an ICMP "port unreachable" only with IP_RECVERR. The
refusal is then in the socket's error queue, with the address it is about; and the next system call on the socket fails,
whatever that was for: half of what is sent to others would be lost. So what fails is sent again, and the error queue is
read to its end: while something is in it the loop never sleeps. On uvloop there is none of this: its libuv reads the
error queue itself and takes the error for a length, which ends the process (libuv pull request 5243).
"""

import asyncio
import os
import select
import socket
import struct
from collections import deque
from collections.abc import Callable
from errno import EMSGSIZE
from functools import partial
from typing import Final, cast

from asyncio_dgram import TransportClosed, from_socket
from asyncio_dgram.aio import DatagramServer

from sbc.endpoints.endpoint import Broken
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.live.transport import QUEUE, Counters, Receiver, bound, watched

AT_ONCE: Final = 50
"""Datagrams that are read before others of the process have their turn."""
LARGEST: Final = 65_535
"""Bytes of a datagram."""
BUFFER: Final = 4 * 1024 * 1024
"""Bytes that each buffer of a socket is asked to hold; the system may grant less."""
TRIES: Final = 3
"""How often a datagram is handed to the system while that speaks of errors of others."""

_IP_RECVERR: Final = 11
_IPV6_RECVERR: Final = 25
_RECVERR: Final = frozenset([(socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)])
_EXTENDED_ERROR: Final = struct.Struct("=IBBBxII")
"""struct sock_extended_err: errno, origin, type, code, info, data."""
_BY_ICMP: Final = frozenset([2, 3])
"""Origins: ICMP, ICMPv6."""


class Refusals:
    """Reads the error queues of all sockets of a process; one watcher, which only errors wake."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched: dict[int, Callable[[], None]] = {}
        self._errors = select.epoll()
        loop.add_reader(self._errors.fileno(), self._read)

    def watch(self, sock: socket.socket, read: Callable[[], None]) -> None:
        """Call ``read`` when something is in the error queue of a socket."""
        option = _IPV6_RECVERR if sock.family == socket.AF_INET6 else _IP_RECVERR
        level = socket.IPPROTO_IPV6 if sock.family == socket.AF_INET6 else socket.IPPROTO_IP
        sock.setsockopt(level, option, 1)
        self._watched[sock.fileno()] = read
        self._errors.register(sock.fileno(), 0)  # errors are told of without being asked for

    def forget(self, sock: socket.socket) -> None:
        """Watch a socket no more; before it is closed."""
        if self._watched.pop(sock.fileno(), None) is not None:
            self._errors.unregister(sock.fileno())

    def close(self) -> None:
        """Watch nothing any more."""
        self._loop.remove_reader(self._errors.fileno())
        self._errors.close()

    def _read(self) -> None:
        for number, _ in self._errors.poll(0):
            self._watched[number]()


class UdpSocket:
    """An address that datagrams come to and go from: a queue, and one task that sends what is in it."""

    def __init__(
        self,
        receiver: Receiver,
        address: Address,
        transport: str,
        counters: Counters,
        refusals: Refusals | None,
        *,
        shared: bool,
        room: int = QUEUE,
    ) -> None:
        """``refusals`` is None where nobody can hear of them; ``room`` is in messages. Raises BindError."""
        self._receiver = receiver
        self._address = address
        self._transport = transport
        self._counters = counters
        self._refusals = refusals
        self._room = room
        self._queue: deque[tuple[Path, bytes]] = deque()
        self._waiting = asyncio.Event()
        self._open = True
        self._ahead = False
        """Whether the stream holds nothing while a datagram is taken in: what is read then has come later."""
        self._socket = bound(address, transport, socket.SOCK_DGRAM, partial(_prepare, shared=shared), _keep)
        self.buffers = tuple(
            self._socket.getsockopt(socket.SOL_SOCKET, each) // 2 for each in (socket.SO_RCVBUF, socket.SO_SNDBUF)
        )
        """Bytes that the system has granted, for what arrives and what is sent; it counts twice as many, for itself."""
        if refusals is not None:
            refusals.watch(self._socket, self._read_errors)
        self._stream = asyncio.create_task(self._opened())
        self._sender = watched(self._send_all())
        self.tasks: tuple[asyncio.Task[None], ...] = (watched(self._receive_all()), self._sender)

    def send(self, path: Path, data: bytes) -> None:
        """Hand a datagram to the system, or put it into the queue if that will not take it now, or drop it."""
        if self._stream.done() and not self._queue and self._went(path, data):
            return
        if len(self._queue) >= self._room:
            self._counters.dropped += 1
        else:
            self._queue.append((path, data))
            self._waiting.set()

    def _went(self, path: Path, data: bytes) -> bool:
        """Whether the system has taken a datagram at once: that spares the task that sends and a turn of the loop."""
        try:
            self._socket.sendto(data, path.remote)
        except OSError:  # its buffer is full, or an earlier one was refused: whoever empties the queue finds out
            return False
        self._counters.sent += 1
        return True

    def close(self) -> None:
        """Send what is in the queue and close; what arrives from now on is nobody's."""
        self._open = False
        while self._queue:
            path, data = self._queue.popleft()
            try:
                self._socket.sendto(data, path.remote)
                self._counters.sent += 1
            except OSError:
                self._counters.failed += 1
        self._sender.cancel()
        if self._refusals is not None:
            self._refusals.forget(self._socket)
        # The loop closes a descriptor when it comes round; until then it has one of another socket, so that the address
        # is free at once.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            os.dup2(other.fileno(), self._socket.fileno(), inheritable=False)
        self._stream.add_done_callback(_close)

    async def _opened(self) -> DatagramServer | None:
        if not self._open:  # closed before the loop has come round
            self._socket.close()
            return None
        return cast("DatagramServer", await from_socket(self._socket))

    async def _receive_all(self) -> None:
        stream = await asyncio.shield(self._stream)
        if self._refusals is not None:  # uvloop reads many at a time
            asyncio.get_running_loop().call_soon(self._has_waited)  # when nothing is left of what came before
        while stream is not None:
            try:
                data, source = await stream.recv()
            except TransportClosed:
                return
            except OSError:  # what was refused is in the error queue
                continue
            self._arrived(data, cast("tuple[str, int]", source))
            if self._ahead:
                self._read_on()

    def _has_waited(self) -> None:
        self._ahead = True

    def _read_on(self) -> None:
        """Read what else has come: through the stream each datagram takes two turns of the loop."""
        for _ in range(AT_ONCE):
            if not self._open:
                return
            try:
                data, source = self._socket.recvfrom(LARGEST)
            except OSError:  # there is no more, or something was refused, which is in the error queue
                return
            self._arrived(data, source)

    def _arrived(self, data: bytes, source: tuple[str, int]) -> None:
        if self._open:
            self._counters.received += 1
            host, port, *_ = source
            path = Path(Address(host, port), self._address, self._transport)
            self._receiver.receive(Datagram(path, None, data))

    async def _send_all(self) -> None:
        stream = await asyncio.shield(self._stream)
        while stream is not None:
            while self._queue:
                path, data = self._queue.popleft()
                if await _handed_over(stream, path.remote, data):
                    self._counters.sent += 1
                else:
                    self._counters.failed += 1
                    self._receiver.tell(Broken(path))
            self._waiting.clear()
            await self._waiting.wait()

    def _read_errors(self) -> None:
        refused: dict[Path, None] = {}
        while True:
            try:
                _, notes, _, target = self._socket.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            except BlockingIOError:
                break
            for level, kind, note in notes:
                if (level, kind) in _RECVERR:
                    number, origin, *_ = _EXTENDED_ERROR.unpack_from(note)
                    if origin in _BY_ICMP and number != EMSGSIZE:
                        self._counters.refused += 1
                        host, port, *_ = target
                        refused[Path(self._address, Address(host, port), self._transport)] = None
        for path in refused:
            self._receiver.tell(Broken(path))


def _close(opened: asyncio.Task[DatagramServer | None]) -> None:
    stream = opened.result()
    if stream is not None:
        stream.close()


async def _handed_over(stream: DatagramServer, target: Address, data: bytes) -> bool:
    for _ in range(TRIES):
        try:
            await stream.send(data, target)  # raises what went wrong before, and sends nothing then
            stream.exception  # noqa: B018 - raises what went wrong now, which may be the fault of an earlier datagram
        except OSError:
            continue
        return True
    return False


def _prepare(sock: socket.socket, *, shared: bool) -> None:
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)


def _keep(sock: socket.socket) -> None:
    """Nothing is to be done to a UDP socket that is bound."""
    del sock
