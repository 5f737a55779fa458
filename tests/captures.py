"""A reader of captures of our own, by the book and slow: RFC 791, RFC 768, RFC 9293, and the format of libpcap."""

import struct
from collections.abc import Iterator
from typing import NamedTuple


class Frame(NamedTuple):
    """One frame with IPv4 in it."""

    seconds: int
    micros: int
    from_mac: bytes
    to_mac: bytes
    ttl: int
    protocol: int
    source: str
    target: str
    good_header: bool
    payload: bytes
    """What comes after the header of IP."""
    good_payload: bool
    """By its checksum, of UDP and TCP."""

    @property
    def ports(self) -> tuple[int, int]:
        source, target = struct.unpack_from("!HH", self.payload)
        return source, target

    @property
    def data(self) -> bytes:
        """What UDP or TCP carries."""
        return self.payload[8 if self.protocol == 17 else (self.payload[12] >> 4) * 4 :]

    @property
    def numbers(self) -> tuple[int, int]:
        """Sequence and acknowledgement of TCP."""
        sequence, acknowledged = struct.unpack_from("!II", self.payload, 4)
        return sequence, acknowledged


def sum_of_words(data: bytes) -> int:
    """RFC 1071 §1, as it is written there: add up, and fold the carries back in."""
    data += b"\0" * (len(data) % 2)
    total = 0
    for index in range(0, len(data), 2):
        total += data[index] << 8 | data[index + 1]
        total = (total & 0xFFFF) + (total >> 16)
    return total


def frames(capture: bytes) -> Iterator[Frame]:
    """Yield the frames of a capture; AssertionError where it is not one."""
    magic, major, minor, _, _, snaplen, kind = struct.unpack_from("<IHHiIII", capture)
    assert (magic, major, minor, kind) == (0xA1B2C3D4, 2, 4, 1)
    at = 24
    while at < len(capture):
        seconds, micros, kept, length = struct.unpack_from("<IIII", capture, at)
        assert kept == length <= snaplen
        assert micros < 1_000_000
        frame = capture[at + 16 : at + 16 + kept]
        assert len(frame) == kept
        at += 16 + kept
        assert frame[12:14] == b"\x08\x00"
        header, payload = frame[14:34], frame[34:]
        assert header[0] == 0x45
        assert int.from_bytes(header[2:4], "big") == 20 + len(payload)
        protocol = header[9]
        pseudo = header[12:20] + bytes((0, protocol)) + len(payload).to_bytes(2, "big")
        if protocol == 17:
            assert int.from_bytes(payload[4:6], "big") == len(payload)
            assert payload[6:8] != b"\0\0", "0 would mean that there is no checksum"
        yield Frame(
            seconds,
            micros,
            frame[6:12],
            frame[:6],
            header[8],
            protocol,
            ".".join(map(str, header[12:16])),
            ".".join(map(str, header[16:20])),
            sum_of_words(header) == 0xFFFF,
            payload,
            protocol in (6, 17) and sum_of_words(pseudo + payload) == 0xFFFF,
        )
