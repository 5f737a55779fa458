"""`packets.pcap`: every datagram that the endpoints of one replication sent, for Wireshark, tshark and sngrep.

The classic format, in microseconds, with frames of Ethernet (decision 10). It is what captures at all senders would
have seen: a datagram stands there at the moment when it was sent, and what was lost on the way stands there too, with
a time to live of 0. A machine has one MAC address whatever IP addresses it has, so that a service address is seen to
move.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2s
from ipaddress import IPv4Address
from struct import Struct
from typing import BinaryIO, Final

from scenarios.calendar import Clock
from scenarios.evidence import Fate, WireRecord

_UNDATED: Final = Clock(datetime(2000, 1, 1, tzinfo=UTC), dated=False)
"""The start of a run that has no clock: a whole hour in UTC, and late enough for what is before it."""
_YEARS: Final = range(1971, 2106)
"""Years that the format can tell for sure, whatever their time zone."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MILLION: Final = 1_000_000

_FILE = Struct("<IHHiIII")
_MAGIC, _VERSION, _ETHERNET = 0xA1B2C3D4, (2, 4), 1
SNAPLEN: Final = 262_144
"""The longest frame that readers of the format accept."""
_PACKET = Struct("<IIII")
_FRAME = Struct("!6s6sH")
_IPV4 = 0x0800
_IP = Struct("!BBHHHBBH4s4s")
_WHOLE = 0x4000
"""Don't Fragment: an identification is of no use then (RFC 6864 §4.1)."""
_UDP_HEADER = Struct("!HHHH")
_TCP_HEADER = Struct("!HHIIHHHH")
_NO_OPTIONS, _PSH_ACK = 0x5000, 0x0018
_WINDOW = 0xFFFF

_TCP, _UDP, _VRRP = 6, 17, 112
_PROTOCOLS: Final = {"udp": _UDP, "vrrp": _VRRP}
"""By transport; every other one is a stream."""
_TTL, _TTL_VRRP, _TTL_LOST = 64, 255, 0
SEGMENT: Final = 1460
"""Bytes of a stream in one frame of Ethernet: 1500 without the headers of IP and TCP."""
LARGEST: Final = 65_535 - _IP.size - _UDP_HEADER.size
"""Bytes in the largest datagram that UDP can carry."""

_End = tuple[str, int]


class PcapFile:
    """A wire recorder that writes a capture, frame by frame.

    It keeps nothing but the sequence numbers of connections. Streams are written as TCP without their handshakes, as
    by a capture that began later, and those of TLS and WebSocket without their encryption and frames. IPv4 only.
    """

    def __init__(self, file: BinaryIO, clock: Clock | None) -> None:
        """``clock``: when the run begins; without one, or in a year unknown to the format, 2000-01-01T00:00:00Z."""
        self._file = file
        self._start = moment_zero(clock)
        self._sent: dict[tuple[_End, _End], int] = {}
        """Bytes sent on a connection in one direction."""
        file.write(_FILE.pack(_MAGIC, *_VERSION, 0, 0, SNAPLEN, _ETHERNET))

    def wire(self, record: WireRecord) -> None:
        """Write one datagram; raises ValueError for one that is larger than UDP can carry."""
        protocol = _PROTOCOLS.get(record.transport, _TCP)
        if protocol == _TCP:
            for segment in self._segments(record):
                self._frame(record, protocol, segment)
        elif len(record.data) > LARGEST:
            raise ValueError(f"a datagram of {len(record.data)} bytes cannot be sent, at most {LARGEST} can")
        else:
            self._frame(record, protocol, _datagram(record) if protocol == _UDP else record.data)

    def _segments(self, record: WireRecord) -> list[bytes]:
        here, there = (record.source, record.source_port), (record.target, record.target_port)
        sent, heard = self._sent.get((here, there), 0), self._sent.get((there, here), 0)
        self._sent[here, there] = sent + len(record.data)
        return [
            _segment(record, sent + begin, heard, record.data[begin : begin + SEGMENT])
            for begin in range(0, len(record.data), SEGMENT)
        ]

    def _frame(self, record: WireRecord, protocol: int, payload: bytes) -> None:
        (source, source_sum), (target, target_sum) = _address(record.source), _address(record.target)
        ttl = _TTL_LOST if record.fate is not Fate.SENT else _TTL_VRRP if protocol == _VRRP else _TTL
        length = _IP.size + len(payload)
        checksum = _complement(0x4500 + length + _WHOLE + (ttl << 8) + protocol + source_sum + target_sum)
        seconds, micros = divmod(self._start + round(record.at * _MILLION), _MILLION)
        size = _FRAME.size + length
        self._file.write(
            _PACKET.pack(seconds, micros, size, size)
            + _FRAME.pack(mac(record.receiver), mac(record.sender), _IPV4)
            + _IP.pack(0x45, 0, length, 0, _WHOLE, ttl, protocol, checksum, source, target)
            + payload
        )


def moment_zero(clock: Clock | None) -> int:
    """Return when the moment 0 of a run is in its capture: microseconds since 1970-01-01T00:00:00Z."""
    begins = clock if clock is not None and clock.start.year in _YEARS else _UNDATED
    return (begins.at(0.0) - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=65_536)
def mac(machine: str) -> bytes:
    """Return the MAC address of a machine, locally administered and made of its name; all zeros for nobody."""
    return b"\x02" + blake2s(machine.encode(), digest_size=5).digest() if machine else bytes(6)


@lru_cache(maxsize=65_536)
def _address(address: str) -> tuple[bytes, int]:
    """Return an address as it stands in a header, and the sum of its words."""
    packed = IPv4Address(address).packed
    return packed, _sum(packed)


def _datagram(record: WireRecord) -> bytes:
    length = _UDP_HEADER.size + len(record.data)
    checksum = _complement(_pseudo(record, _UDP, length) + length + _sum(record.data))
    # 0 would mean that there is no checksum, and is written as the other zero of one's complement (RFC 768).
    return _UDP_HEADER.pack(record.source_port, record.target_port, length, checksum or 0xFFFF) + record.data


def _segment(record: WireRecord, sent: int, heard: int, data: bytes) -> bytes:
    # Numbers begin at 1, as readers show them who have seen the handshake.
    sequence, acknowledged = (sent + 1) & 0xFFFF_FFFF, (heard + 1) & 0xFFFF_FFFF
    flags = _NO_OPTIONS | _PSH_ACK
    total = _pseudo(record, _TCP, _TCP_HEADER.size + len(data)) + sequence + acknowledged + flags + _WINDOW
    checksum = _complement(total + _sum(data))
    ports = record.source_port, record.target_port
    return _TCP_HEADER.pack(*ports, sequence, acknowledged, flags, _WINDOW, checksum, 0) + data


def _pseudo(record: WireRecord, protocol: int, length: int) -> int:
    """Return the sum of the ports and of what the checksums of UDP and TCP take from the header of IP."""
    addresses = _address(record.source)[1] + _address(record.target)[1]
    return addresses + protocol + length + record.source_port + record.target_port


def _sum(data: bytes) -> int:
    """Return a number with the same one's complement sum as the 16-bit words (RFC 1071): all that they make, as one."""
    return int.from_bytes(data, "big") << 8 * (len(data) % 2)


def _complement(total: int) -> int:
    """Return the checksum of words, or of longer numbers: 65536 leaves 1 when divided by 65535, as folding does."""
    return (0xFFFF - total % 0xFFFF) % 0xFFFF
