"""Connections on real sockets, by asyncio streams; one between two addresses, kept by its path.

A connection that is made here leaves from the port that is listened on, as far as the system lets it: then both ends
call it by the same path, and the other end finds it again for requests of its own. Where that port will not do, as
right after an earlier connection between the same two, any port does.

**Who gets a connection.** Listening sockets share an address only with SO_REUSEPORT, and Linux spreads new connections
over all of them: half would go to a holder that is stopped. A program of one instruction (SO_ATTACH_REUSEPORT_CBPF)
tells it to choose the one that began last. It says so by number: sockets are numbered in the order in which they began,
and the last one takes the number of one that goes. That is right for the two nodes of a pair. A number that is none
means any, and that is all there are when one is left. An address that is not shared begins to listen without
SO_REUSEPORT, so that taken is taken, and gets the option afterwards, for the connections that it makes itself.

**What does not move.** Connections that stand stay with the process that has them: one that is stopped goes on
acknowledging what it never reads. On two machines the new holder would reset them.
"""

import asyncio
import ctypes
import socket
import struct
from collections import deque
from functools import partial
from pathlib import Path as File
from typing import Final

from sbc.endpoints.endpoint import Broken
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.live.transport import QUEUE, Counters, Receiver, bound, family_of, watched
from sbc.sip.errors import ParseError
from sbc.sip.framing import KeepAlive, StreamFramer
from sbc.sip.message import Request, Response

UNSENT: Final = 4 * 1024 * 1024
"""Bytes that a connection may have waiting for the other end to take them."""
CHUNK: Final = 64 * 1024
"""Bytes that are read at once."""
BACKLOG: Final = 1_024
"""Connections that may wait to be accepted; the system may allow fewer."""
PAUSE: Final = 1.0
"""Seconds until connections are accepted again after the system had no room for one more."""

_SO_ATTACH_REUSEPORT_CBPF: Final = 51
_RETURN: Final = 0x06
"""BPF_RET | BPF_K: return a constant."""
_LISTENS: Final = "0A"
"""TCP_LISTEN, as /proc/net/tcp writes it."""


class TcpSocket:
    """An address that connections come to and leave from."""

    def __init__(
        self, receiver: Receiver, address: Address, counters: Counters, *, shared: bool, room: int = QUEUE
    ) -> None:
        """``room`` is in messages, and bounds what waits for a connection to stand. Raises BindError."""
        self.receiver = receiver
        self.address = address
        self.counters = counters
        self.room = room
        self.tasks: set[asyncio.Task[None]] = set()
        self._connections: dict[Path, Connection] = {}
        self._loop = asyncio.get_running_loop()
        self._socket = bound(
            address, "tcp", socket.SOCK_STREAM, partial(_reuse, port=shared), partial(_listen, address, shared=shared)
        )
        self._loop.add_reader(self._socket, self._accept)

    def send(self, path: Path, data: bytes) -> None:
        """Send a message on the connection that there is, or make one."""
        connection = self._connections.get(path)
        if connection is None:
            connection = self._new(path, None)
        connection.send(data)

    def close(self) -> None:
        """Accept nothing any more, and close all connections after what waits is sent."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for connection in list(self._connections.values()):
            connection.close()
        self._connections.clear()

    def ended(self, connection: "Connection") -> None:
        """Forget a connection that has ended by itself, and tell of it; what is sent on its path makes another one."""
        if self._connections.get(connection.path) is connection:
            del self._connections[connection.path]
            self.receiver.tell(Broken(connection.path))

    def _new(self, path: Path, accepted: socket.socket | None) -> "Connection":
        connection = self._connections[path] = Connection(self, path, accepted)
        self.tasks.add(connection.task)
        connection.task.add_done_callback(self.tasks.discard)
        return connection

    def _accept(self) -> None:
        while True:
            try:
                accepted, (host, port, *_) = self._socket.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError:  # too many open files: it would be told again at once, and for ever
                self._loop.remove_reader(self._socket)
                self._loop.call_later(PAUSE, self._again)
                return
            accepted.setblocking(False)
            path = Path(self.address, Address(host, port), "tcp")
            before = self._connections.get(path)
            self._new(path, accepted)
            if before is not None:  # the far end has forgotten it
                before.close()
                self.receiver.tell(Broken(path))

    def _again(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._accept)


class Connection:
    """One connection, made here or accepted."""

    def __init__(self, owner: TcpSocket, path: Path, accepted: socket.socket | None) -> None:
        self.path = path
        self._owner = owner
        self._framer = StreamFramer(opened_here=accepted is None)
        self._writer: asyncio.StreamWriter | None = None
        self._early: deque[bytes] = deque()
        """What is to be sent when it stands."""
        self._open = True
        self.task = watched(self._live(accepted))

    def send(self, data: bytes) -> None:
        """Send a message, or drop it where too much waits already."""
        counters, writer = self._owner.counters, self._writer
        if writer is None:
            if len(self._early) < self._owner.room:
                self._early.append(data)
            else:
                counters.dropped += 1
        elif writer.transport.get_write_buffer_size() > UNSENT:
            counters.dropped += 1
        elif writer.is_closing():
            counters.failed += 1
        else:
            counters.sent += 1
            writer.write(data)

    def close(self) -> None:
        """Close it after what waits is sent, and tell nobody."""
        self._open = False
        if self._writer is None:
            self._lose_early()
            self.task.cancel()
        else:
            self._writer.close()

    async def _live(self, sock: socket.socket | None) -> None:
        try:
            if sock is None:
                sock = await self._connect()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reader, writer = await asyncio.open_connection(sock=sock)
        except OSError:
            self._over()
            return
        self._writer = writer
        while self._early:
            self.send(self._early.popleft())
        try:
            while self._open and self._framer.dead is None and (data := await reader.read(CHUNK)):
                self._take(data)
        except OSError:  # reset, or given up by the system
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()
        self._over()

    def _lose_early(self) -> None:
        self._owner.counters.failed += len(self._early)
        self._early.clear()

    def _over(self) -> None:
        self._lose_early()
        self._open = False
        self._owner.ended(self)

    async def _connect(self) -> socket.socket:
        try:
            return await self._connected(self.path.local)
        except ConnectionRefusedError:
            raise
        except OSError:
            return await self._connected(Address(self.path.local.host, 0))

    async def _connected(self, local: Address) -> socket.socket:
        sock = socket.socket(family_of(local), socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            _reuse(sock, port=True)
            sock.bind(local)
            await asyncio.get_running_loop().sock_connect(sock, self.path.remote)
        except BaseException:
            sock.close()
            raise
        return sock

    def _take(self, data: bytes) -> None:
        counters, path = self._owner.counters, self.path.back()
        for frame in self._framer.feed(data):
            if not self._open:
                return
            match frame:
                case KeepAlive.PING:
                    self.send(KeepAlive.PONG.value)
                case Request() | Response():
                    counters.received += 1
                    self._owner.receiver.receive(Datagram(path, frame))
                case ParseError(status=int(status), message=Request() as request) if "Via" in request.headers:
                    self.send(Response.answer(request, status).encode())


def _reuse(sock: socket.socket, *, port: bool) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are over are no hindrance
    if port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def _listen(address: Address, sock: socket.socket, *, shared: bool) -> None:
    sock.listen(BACKLOG)
    if not shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return
    instruction = ctypes.create_string_buffer(struct.pack("=HBBI", _RETURN, 0, 0, listeners(address) - 1))
    program = struct.pack("HP", 1, ctypes.addressof(instruction))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, program)


def listeners(address: Address) -> int:
    """Return how many sockets of this machine listen at an address."""
    family = family_of(address)
    packed = socket.inet_pton(family, address.host)
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    sought = "".join(f"{word:08X}" for word in words) + f":{address.port:04X}"
    table = File("/proc/net/tcp6" if family == socket.AF_INET6 else "/proc/net/tcp").read_text("ascii")
    rows = (line.split() for line in table.splitlines()[1:])
    return sum(row[1] == sought and row[3] == _LISTENS for row in rows)
