"""Where one message ends and the next begins, and what keeps a flow open (RFC 3261 §18.3, RFC 5626 §4.4)."""

from enum import Enum
from typing import TypeAlias

from sbc.sip.errors import ParseError
from sbc.sip.limits import Limits
from sbc.sip.message import Request, Response, body_length, cut_short, parse, parse_head, with_received_body


class KeepAlive(Enum):
    """What keeps a flow open between messages."""

    PING = b"\r\n\r\n"
    """To be answered with a pong."""
    PONG = b"\r\n"


Frame: TypeAlias = Request | Response | KeepAlive | ParseError
"""What a stream may bring; a ParseError is always the last."""

_LIMITS = Limits()
_KEEP_ALIVES = frozenset(kind.value for kind in KeepAlive)


def datagram(data: bytes, limits: Limits = _LIMITS) -> Request | Response | KeepAlive:
    """Return what a datagram holds: one message, or a keep-alive; line ends before a message are skipped (§7.5).

    Raises :class:`ParseError`, with as much of the message as could be read.
    """
    if data.startswith(b"\r\n"):
        if data in _KEEP_ALIVES:
            return KeepAlive(data)
        data = data.lstrip(b"\r\n")
    return parse(data, limits)


class StreamFramer:
    """Cuts a stream into messages, the same ones however it arrives in pieces.

    A message on a stream has one Content-Length, or nobody can say where it ends: a message without, or with a fault
    that leaves its end in doubt, kills the stream. :attr:`dead` is then the error, to be answered if it has a status
    before the connection is closed; what arrives later is dropped. At most one message is held.
    """

    def __init__(self, limits: Limits = _LIMITS, *, opened_here: bool = False) -> None:
        """Make a framer for one direction; only who opened a connection is sent pongs, only the other pings."""
        self.dead: ParseError | None = None
        self._limits = limits
        self._opened_here = opened_here
        self._buffer = bytearray()
        self._looked = 0  # no end of the header fields before this place
        self._head: Request | Response | None = None  # a message that still lacks its body …
        self._length = 0  # … of so many bytes
        self._blank = False  # half a ping has come

    def feed(self, data: bytes) -> list[Frame]:
        """Take what has arrived and return what is complete now."""
        frames: list[Frame] = []
        if self.dead is not None:
            return frames
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while True:
                head = self._head
                if head is None:
                    at = self._skip_keep_alives(at, frames)
                    end = self._end_of_head(at)
                    if end < 0:
                        break
                    head = self._head = self._take_head(bytes(buffer[at:end]))
                    at = end + 4
                end = at + self._length
                if end > len(buffer):
                    break
                frames.append(with_received_body(head, bytes(buffer[at:end])))
                at = end
                self._head = None
        except ParseError as error:
            self.dead = error
            self._head = None
            frames.append(error)
            buffer.clear()
            return frames
        del buffer[:at]
        self._looked = max(0, self._looked - at)
        return frames

    def _skip_keep_alives(self, at: int, frames: list[Frame]) -> int:
        """Return where the next message begins, or may begin once more has come."""
        buffer = self._buffer
        while buffer.startswith(b"\r\n", at):
            at += 2
            if self._opened_here:
                frames.append(KeepAlive.PONG)
            elif self._blank:
                frames.append(KeepAlive.PING)
            self._blank = not self._blank and not self._opened_here
        begin = buffer[at : at + 2]
        if begin[:1] == b"\n" or (begin[:1] == b"\r" and len(begin) == 2):
            raise ParseError("a lone CR or LF stands between messages", status=None)
        return at

    def _end_of_head(self, at: int) -> int:
        buffer, most = self._buffer, self._limits.head
        end = buffer.find(b"\r\n\r\n", max(at, self._looked), at + most + 4)
        if end < 0:
            if len(buffer) - at > most + 3:
                raise cut_short(buffer[at:], self._limits)
            self._looked = max(at, len(buffer) - 3)
        return end

    def _take_head(self, data: bytes) -> Request | Response:
        self._blank = False
        head = parse_head(data, self._limits)
        length = body_length(head, self._limits)
        if length is None:
            raise head.fault("a message on a stream must have one", "Content-Length")
        self._length = length
        return head
