"""What processes of one run tell each other: objects, in order, over a pair of sockets that nobody else has."""

import asyncio
import pickle
import socket
import struct
from collections.abc import Callable
from typing import Final

_LENGTH: Final = struct.Struct("!I")


class Channel:
    """One end, on the loop that is running.

    Objects are pickled: both ends are this program, and no one else can reach the sockets.
    """

    def __init__(self, sock: socket.socket, hear: Callable[[object], None], closed: Callable[[], None]) -> None:
        """``hear`` gets what the other end tells, ``closed`` is called once when that is gone."""
        self._sock = sock
        self._hear = hear
        self._closed: Callable[[], None] | None = closed
        self._loop = asyncio.get_running_loop()
        self._read = bytearray()
        self._unsent = bytearray()
        sock.setblocking(False)
        self._loop.add_reader(sock, self._readable)

    def tell(self, said: object) -> None:
        """Tell the other end something; what it has not read yet waits here, whatever the other end is doing."""
        if self._closed is None:
            return
        data = pickle.dumps(said)
        waits = bool(self._unsent)
        self._unsent += _LENGTH.pack(len(data)) + data
        if not waits:
            self._writable()

    def close(self) -> None:
        """Hang up; nothing is heard any more."""
        if self._closed is not None:
            self._closed = None
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)
            self._sock.close()

    def _readable(self) -> None:
        try:
            data = self._sock.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        self._read += data
        start = 0
        while self._closed is not None and (begin := start + _LENGTH.size) <= len(self._read):
            end = begin + _LENGTH.unpack_from(self._read, start)[0]
            if end > len(self._read):
                break
            said = pickle.loads(self._read[begin:end])  # noqa: S301 - this program has written it
            start = end
            self._hear(said)
        del self._read[:start]

    def _writable(self) -> None:
        try:
            sent = self._sock.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lost()
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._sock, self._writable)
        else:
            self._loop.remove_writer(self._sock)

    def _lost(self) -> None:
        closed = self._closed
        self.close()
        if closed is not None:
            closed()
