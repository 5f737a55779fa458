"""Where SIP is sent to and heard at: `udp:192.0.2.10:5060`.

Addresses are numeric: a name could lead elsewhere between the moment it is permitted and the moment it is dialled.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

from scenarios.problems import did_you_mean

SIP_PORT = 5060
"""Where SIP is heard over UDP and TCP, unless said otherwise (RFC 3261 §19.1.2)."""

ADDRESSES = "a transport, an IP address and a port, such as udp:192.0.2.10:5060 or tcp:[2001:db8::1]:5060"
PUBLIC_ADDRESSES = "an IP address, with a port or without, such as 192.0.2.200:5060"

_LATER = ("tls", "ws", "wss")
_LONGEST = 80
_TEXT = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]+)(?::(?P<port>[0-9]+))?")
_HIGHEST_PORT = 65_535


class Transport(StrEnum):
    """What carries SIP."""

    UDP = "udp"
    TCP = "tcp"


class AddressError(ValueError):
    """An address that cannot be read; `allowed` says what could stand there."""

    def __init__(self, reason: str, allowed: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.allowed = allowed


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """One end of SIP: a transport, the address of one host, and a port."""

    transport: Transport
    host: str
    """Numeric, an IPv6 address without brackets; an IPv4 address in IPv6 form is written as IPv4."""
    port: int

    @property
    def ip(self) -> IPv4Address | IPv6Address:
        """The host as a number."""
        return ip_address(self.host)

    @property
    def loopback(self) -> bool:
        """Whether nothing that is sent there leaves this machine."""
        return self.ip.is_loopback

    def __str__(self) -> str:
        return f"{self.transport}:{_bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """What a side says its own address is: that of the NAT in front of it."""

    host: str
    port: int | None
    """None: the port that is listened on."""

    def __str__(self) -> str:
        return _bracketed(self.host) + (f":{self.port}" if self.port is not None else "")


def parse_address(value: object) -> Address:
    """Read `udp:192.0.2.10:5060`, with port 5060 where none is named; raises :class:`AddressError`."""
    if isinstance(value, Address):
        return value
    text = _text(value, ADDRESSES)
    name, colon, rest = text.partition(":")
    transport = name.casefold()
    if transport in _LATER:
        raise AddressError(f"{transport} follows later; a live run speaks SIP over udp and tcp", ADDRESSES)
    if transport in ("sip", "sips"):
        raise AddressError("this is a URI; an address begins with its transport", ADDRESSES)
    if not colon or transport not in tuple(Transport):
        reason = "no transport is named" if not name.isalpha() else f"{name!r} is no transport"
        raise AddressError(f"{reason}{did_you_mean(transport, Transport)}", ADDRESSES)
    host, port = _host_and_port(rest, ADDRESSES)
    return Address(Transport(transport), host, SIP_PORT if port is None else port)


def parse_public_address(value: object) -> PublicAddress:
    """Read `192.0.2.200:5060` or the address alone; raises :class:`AddressError`."""
    if isinstance(value, PublicAddress):
        return value
    text = _text(value, PUBLIC_ADDRESSES)
    if text.partition(":")[0].casefold() in (*Transport, *_LATER):
        raise AddressError("the transport is that of 'listen_on'", PUBLIC_ADDRESSES)
    return PublicAddress(*_host_and_port(text, PUBLIC_ADDRESSES))


def _text(value: object, allowed: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise AddressError("not an address", allowed)
    return unicodedata.normalize("NFKC", value).strip()


def _host_and_port(text: str, allowed: str) -> tuple[str, int | None]:
    match = _TEXT.fullmatch(text)
    if match is None:
        hint = "; an IPv6 address stands in brackets" if text.count(":") > 1 else ""
        raise AddressError(f"{text!r} is not an address{hint}", allowed)
    try:
        ip = ip_address(match["host"].strip("[]"))
    except ValueError:
        reason = f"{match['host']!r} is no IP address; a name could lead elsewhere tomorrow"
        raise AddressError(reason, allowed) from None
    if isinstance(ip, IPv6Address):
        if ip.scope_id is not None:
            raise AddressError(f"{ip} is of one link only", allowed)
        ip = ip.ipv4_mapped or ip
    if ip.is_unspecified or ip.is_multicast or ip == IPv4Address("255.255.255.255"):
        raise AddressError(f"{ip} is not the address of one host", allowed)
    port = None if match["port"] is None else int(match["port"][:6])
    if port is not None and not 1 <= port <= _HIGHEST_PORT:
        raise AddressError(f"port {match['port'][:6]} does not exist", f"a port from 1 to {_HIGHEST_PORT}")
    return str(ip), port


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
