"""`packets.pcap` read back, frame by frame: what :mod:`reports.pcap` writes, and nothing else.

Memory stays bounded however long a capture is: one frame is held at a time, and of each connection what has come of a
message of several segments.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final, NamedTuple

from reports.pcap import SNAPLEN
from reports.sip_text import is_sip, length_of

_FILE: Final = Struct("<IHHiIII")
_PACKET: Final = Struct("<IIII")
_OURS: Final = (0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, 1)
_FOREIGN: Final = {
    b"\x0a\x0d\x0d\x0a": "a capture in pcapng",
    b"\xa1\xb2\xc3\xd4": "a capture with the bytes in another order",
    b"\x4d\x3c\xb2\xa1": "a capture in nanoseconds",
    b"\xa1\xb2\x3c\x4d": "a capture in nanoseconds",
    b"\x1f\x8b": "compressed",
}
"""What others write, by how it begins."""
_IPV4: Final = b"\x08\x00\x45"
"""Ethernet with IPv4, without options."""
_HEADERS: Final = 34
"""Bytes of the headers of Ethernet and IP."""
_TCP, _UDP, _VRRP = 6, 17, 112
_DATA: Final = {_TCP: _HEADERS + 20, _UDP: _HEADERS + 8, _VRRP: _HEADERS}
"""Where what is carried begins, by protocol."""
_LONGEST: Final = 1 << 20
"""Bytes of a message on a stream: far more than any of ours."""
_MILLION: Final = 1_000_000


class CaptureError(Exception):
    """A capture that cannot be read: which file, where in it, and why."""

    def __init__(self, file: Path, why: str, at: int | None = None) -> None:
        """``at``: bytes from its beginning."""
        place = "" if at is None else f" at byte {at:,}"
        super().__init__(f"{file}{place}: {why}")


class Packet(NamedTuple):
    """A SIP message in a capture, as it was sent."""

    at: float
    """Seconds since the moment 0 of the run."""
    sender: bytes
    """A MAC address; see :func:`reports.pcap.mac`."""
    receiver: bytes
    lost: bool
    """Whether it did not come to the machine at all."""
    way: bytes
    """Addresses and ports of both ends as they stand in the frame: source and target host, source and target port."""
    protocol: str
    """`udp` or `tcp`."""
    data: bytes

    @property
    def source(self) -> str:
        """The sender's address and port."""
        return _end(self.way[:4], self.way[8:10])

    @property
    def target(self) -> str:
        """The address and port it is sent to."""
        return _end(self.way[4:8], self.way[10:12])


def sip_packets(path: Path, zero: int) -> Iterator[Packet]:
    """Yield the SIP messages of a capture, those of streams put together.

    ``zero``: see :func:`~reports.pcap.moment_zero`. Raises OSError, and :class:`CaptureError` for a file that is torn
    or somebody else's.
    """
    streams: dict[bytes, tuple[Packet, bytes]] = {}
    with path.open("rb") as file:
        for micros, frame in _frames(file, path):
            protocol = frame[23]
            data = frame[_DATA[protocol] :]
            if protocol == _VRRP or (protocol == _UDP and not is_sip(data)):
                continue
            way = frame[26:38]
            at = (micros - zero) / _MILLION
            packet = Packet(at, frame[6:12], frame[:6], frame[22] == 0, way, "udp", data)
            if protocol == _UDP:
                yield packet
                continue
            first, held = streams.pop(way) if way in streams else (packet._replace(protocol="tcp"), b"")
            messages, held = _cut(first, held + data)
            yield from messages
            if len(held) > _LONGEST:
                raise CaptureError(path, f"a message of more than {_LONGEST:,} bytes")
            if held:
                streams[way] = first, held


def _cut(first: Packet, held: bytes) -> tuple[list[Packet], bytes]:
    """Return the whole messages in what has come on a stream, and what is left; keep-alives are no messages."""
    found = []
    while held := held.lstrip(b"\r\n"):
        length = length_of(held)
        if length is None or len(held) < length:
            break
        if is_sip(held):
            found.append(first._replace(data=held[:length]))
        held = held[length:]
    return found, held


def _frames(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield when each frame was sent, microseconds since 1970, and the frame."""
    header = file.read(_FILE.size)
    if len(header) < _FILE.size or _FILE.unpack(header) != _OURS:
        raise CaptureError(path, f"this is {_foreign(header)}, and none that kirikae has written")
    at = _FILE.size
    while head := file.read(_PACKET.size):
        if len(head) < _PACKET.size:
            raise CaptureError(path, "the file ends within a frame", at)
        seconds, micros, kept, length = _PACKET.unpack(head)
        if kept != length or not _HEADERS <= kept <= SNAPLEN:
            raise CaptureError(path, f"a frame of {length} bytes of which {kept} are there", at)
        frame = file.read(kept)
        if len(frame) < kept:
            raise CaptureError(path, "the file ends within a frame", at)
        if frame[12:15] != _IPV4 or int.from_bytes(frame[16:18], "big") != kept - 14:
            raise CaptureError(path, "no IPv4 on Ethernet as kirikae writes it", at)
        begins = _DATA.get(frame[23])
        if begins is None or kept < begins:
            raise CaptureError(path, f"a frame of IP protocol {frame[23]} that kirikae does not write", at)
        yield seconds * _MILLION + micros, frame
        at += _PACKET.size + kept


def _foreign(header: bytes) -> str:
    if not header:
        return "an empty file"
    known = next((what for magic, what in _FOREIGN.items() if header.startswith(magic)), None)
    return known or ("another capture" if header[:4] == _FILE.pack(*_OURS)[:4] else "no capture")


def _end(host: bytes, port: bytes) -> str:
    return f"{IPv4Address(host)}:{int.from_bytes(port, 'big')}"
