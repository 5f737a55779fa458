"""The VRRP advert on the wire: version 3 for IPv4 (RFC 5798 §5).

Version 3 is the one that knows intervals below a second, and whose skew grows with the interval.
"""

import struct
from ipaddress import IPv4Address
from typing import Final, NamedTuple

PROTOCOL: Final = 112
"""Its IP protocol number (§5.1.1.4)."""

_VERSION_AND_TYPE: Final = 0x31
_HEAD: Final = struct.Struct("!BBBBHH")
_PSEUDO: Final = struct.Struct("!4s4sBBH")
_CENTISECONDS: Final = 100
_LONGEST: Final = 0x0FFF


class AdvertError(ValueError):
    """Bytes that are no advert, or one that must be discarded (RFC 5798 §7.1)."""


class Advert(NamedTuple):
    """What a master tells."""

    router: int
    """The virtual router's number, 1 to 255: which of the pairs on a link this is about."""
    priority: int
    """0 to 255; 0 is a resignation."""
    centiseconds: int
    """The interval at which it sends adverts, 1 to 4095."""
    addresses: tuple[IPv4Address, ...]
    """The addresses that it holds."""


def centiseconds(interval: float) -> int:
    """Return an interval in seconds as adverts can tell it: 10 ms at the least, 40.95 s at the most (§5.2.7)."""
    return min(max(round(interval * _CENTISECONDS), 1), _LONGEST)


def seconds(centiseconds: int) -> float:
    """Return an interval that an advert tells, in seconds."""
    return centiseconds / _CENTISECONDS


def encode(advert: Advert, source: IPv4Address, target: IPv4Address) -> bytes:
    """Return an advert as it goes behind the IP header, from one address to another."""
    head = _HEAD.pack(_VERSION_AND_TYPE, advert.router, advert.priority, len(advert.addresses), advert.centiseconds, 0)
    data = head + b"".join(address.packed for address in advert.addresses)
    return data[:6] + _checksum(data, source, target).to_bytes(2, "big") + data[8:]


def decode(data: bytes, source: IPv4Address, target: IPv4Address) -> Advert:
    """Return the advert that came from one address to another; raises :class:`AdvertError` (§7.1)."""
    if len(data) < _HEAD.size:
        raise AdvertError(f"{len(data)} bytes are no whole advert")
    kind, router, priority, count, interval, _ = _HEAD.unpack_from(data)
    if kind != _VERSION_AND_TYPE:
        raise AdvertError(f"version {kind >> 4} and type {kind & 0xF}, where 3 and 1 are known")
    if len(data) != _HEAD.size + 4 * count:
        raise AdvertError(f"{len(data)} bytes for {count} addresses")
    if _checksum(data, source, target):
        raise AdvertError("its checksum is wrong")
    addresses = tuple(IPv4Address(data[at : at + 4]) for at in range(_HEAD.size, len(data), 4))
    return Advert(router, priority, interval & _LONGEST, addresses)


def _checksum(data: bytes, source: IPv4Address, target: IPv4Address) -> int:
    """Return the Internet checksum over data and pseudo-header (RFC 1071, RFC 5798 §5.2.8); 0 for one that is right."""
    whole = _PSEUDO.pack(source.packed, target.packed, 0, PROTOCOL, len(data)) + data
    total: int = sum(struct.unpack(f"!{len(whole) // 2}H", whole))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
