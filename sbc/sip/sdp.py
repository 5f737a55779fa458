"""Session descriptions, as much as audio needs: read, written, offered and answered (RFC 8866, RFC 3264)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple, Self

from sbc.sip.errors import EncodeError, ParseError
from sbc.sip.grammar import number, shown

MEDIA_TYPE = "application/sdp"


class Direction(Enum):
    """Which way media flows, seen from whoever says so: (sends, receives)."""

    SENDRECV = (True, True)
    SENDONLY = (True, False)
    RECVONLY = (False, True)
    INACTIVE = (False, False)

    @property
    def sends(self) -> bool:
        """Whether media goes out."""
        return self.value[0]

    @property
    def receives(self) -> bool:
        """Whether media comes in."""
        return self.value[1]

    def answered(self, wish: "Direction") -> "Direction":
        """Return what may be answered to this offer by someone who wishes that (RFC 3264 §6.1)."""
        return Direction((self.receives and wish.sends, self.sends and wish.receives))

    def __str__(self) -> str:
        return self.name.lower()


_DIRECTIONS = {str(direction): direction for direction in Direction}


class Line(NamedTuple):
    """One line of a description, as it came: its letter, and what follows the equals sign."""

    letter: str
    value: str


class Origin(NamedTuple):
    """Who describes the session, and in which version (``o=``)."""

    address: str
    session: int
    version: int = 0
    username: str = "-"

    def __str__(self) -> str:
        return f"{self.username} {self.session} {self.version} IN {_family(self.address)} {self.address}"


class Codec(NamedTuple):
    """A payload type and what it stands for (``a=rtpmap`` and ``a=fmtp``)."""

    payload: int
    name: str
    rate: int = 8000
    channels: int = 1
    fmtp: str | None = None

    def same(self, other: "Codec") -> bool:
        """Say whether both are one codec, whatever payload type each side gave it."""
        ours = (self.name.lower(), self.rate, self.channels)
        return ours == (other.name.lower(), other.rate, other.channels)


PCMU = Codec(0, "PCMU")
PCMA = Codec(8, "PCMA")
TELEPHONE_EVENT = Codec(101, "telephone-event", fmtp="0-15")
STATIC = {
    codec.payload: codec
    for codec in [
        PCMU,
        Codec(3, "GSM"),
        Codec(4, "G723"),
        PCMA,
        Codec(9, "G722"),
        Codec(13, "CN"),
        Codec(15, "G728"),
        Codec(18, "G729"),
    ]
}
"""Payload types that need no ``a=rtpmap`` (RFC 3551 §6)."""


@dataclass(frozen=True, slots=True)
class Media:
    """One stream: its ``m=`` line and the lines below it."""

    kind: str
    """audio, video, image …"""
    port: int
    """0 refuses the stream, or ends it."""
    protocol: str
    """RTP/AVP and the like."""
    formats: tuple[str, ...]
    """Payload types in order of preference."""
    lines: tuple[Line, ...] = ()
    ports: int = 1

    @property
    def connection(self) -> str | None:
        """The stream's own address, if it has one."""
        return _connection(self.lines)

    @property
    def direction(self) -> Direction | None:
        """The stream's own direction, if it says one."""
        return _direction(self.lines)

    @property
    def codecs(self) -> tuple[Codec, ...]:
        """The codecs in order of preference; formats that nothing explains are left out."""
        maps, parameters = _attribute(self.lines, "rtpmap"), _attribute(self.lines, "fmtp")
        found = []
        for name in self.formats:
            payload = int(name) if name.isascii() and name.isdigit() and len(name) <= 3 else -1
            codec = _rtpmap(payload, maps[name]) if name in maps else STATIC.get(payload)
            if codec is not None:
                found.append(codec._replace(fmtp=parameters.get(name, codec.fmtp)))
        return tuple(found)

    def attribute(self, name: str) -> str | None:
        """Return what the first ``a=`` line of that name says: "" for a flag, None if there is none."""
        for letter, value in self.lines:
            key, _, said = value.partition(":")
            if letter == "a" and key == name:
                return said
        return None

    @property
    def _text(self) -> Iterable[str]:
        ports = f"{self.port}" if self.ports == 1 else f"{self.port}/{self.ports}"
        yield f"m={self.kind} {ports} {self.protocol} {' '.join(self.formats)}"
        yield from (f"{letter}={value}" for letter, value in self.lines)


@dataclass(frozen=True, slots=True)
class Session:
    """A session description; lines that kirikae does not read are carried where they stood."""

    origin: Origin
    name: str
    lines: tuple[Line, ...]
    """What stands between ``s=`` and the first ``m=``."""
    media: tuple[Media, ...]

    @property
    def audio(self) -> Media | None:
        """The first audio stream that is not refused."""
        return next((media for media in self.media if media.kind == "audio" and media.port), None)

    def address(self, media: Media) -> str | None:
        """Return where a stream is to be sent: its own address, or the session's."""
        return media.connection or _connection(self.lines)

    def direction(self, media: Media) -> Direction:
        """Return a stream's direction: its own, the session's, or both ways."""
        return media.direction or _direction(self.lines) or Direction.SENDRECV

    def on_hold(self, media: Media) -> bool:
        """Say whether whoever describes the stream does not want to hear it; an address 0.0.0.0 is the old way."""
        return not self.direction(media).receives or self.address(media) == "0.0.0.0"  # noqa: S104

    def directed(self, direction: Direction) -> Self:
        """Return the next version of the session with every stream in that direction: to hold a call, or resume it."""
        media = tuple(replace(stream, lines=_with_direction(stream.lines, direction)) for stream in self.media)
        lines = tuple(line for line in self.lines if not _is_direction(line))
        return replace(self, origin=self.origin._replace(version=self.origin.version + 1), lines=lines, media=media)

    def encode(self) -> bytes:
        """Return the description as a body; raises :class:`EncodeError` for a line end within a line."""
        lines = ["v=0", f"o={self.origin}", f"s={self.name}"]
        lines += [f"{letter}={value}" for letter, value in self.lines]
        for media in self.media:
            lines += media._text
        if any("\r" in line or "\n" in line for line in lines):
            raise EncodeError("a line of the session description has a line end in it")
        return "".join([f"{line}\r\n" for line in lines]).encode("utf-8", "surrogateescape")


def parse_sdp(body: bytes) -> Session:
    """Return a session description; raises :class:`ParseError` with status 400. Lines may end in LF alone (§5)."""
    lines = [_line(text) for text in body.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n") if text]
    letters = "".join(line.letter for line in lines[:3])
    if letters != "vos" or lines[0].value.strip() != "0":
        raise ParseError("a session description begins with v=0, o= and s=")
    places = [place for place, line in enumerate(lines) if line.letter == "m"]
    ends = [*places[1:], len(lines)]
    media = tuple(
        [_media(lines[begin].value, lines[begin + 1 : end]) for begin, end in zip(places, ends, strict=False)]
    )
    return Session(_origin(lines[1].value), lines[2].value, tuple(lines[3 : places[0] if places else None]), media)


def offer(
    origin: Origin, port: int, codecs: Sequence[Codec], direction: Direction = Direction.SENDRECV, *, name: str = "-"
) -> Session:
    """Return an offer of one audio stream at the origin's address."""
    lines = (Line("c", f"IN {_family(origin.address)} {origin.address}"), Line("t", "0 0"))
    return Session(origin, name, lines, (_stream("audio", port, "RTP/AVP", codecs, direction),))


def answer(
    offered: Session, origin: Origin, port: int, codecs: Sequence[Codec], wish: Direction = Direction.SENDRECV
) -> Session:
    """Return the answer of someone who takes one audio stream (RFC 3264 §6).

    The first audio stream with a codec in common is taken, in the offer's order and by its payload types; every other
    stream is refused with port 0. Where :attr:`Session.audio` of the answer is None, nothing was in common: answer 488.
    """
    taken = False
    media = []
    for stream in offered.media:
        common = [theirs for theirs in stream.codecs if any(theirs.same(ours) for ours in codecs)]
        speech = any(codec.name.lower() not in ("telephone-event", "cn") for codec in common)
        if taken or not speech or stream.kind != "audio" or not stream.port or stream.protocol != "RTP/AVP":
            media.append(Media(stream.kind, 0, stream.protocol, stream.formats))
            continue
        taken = True
        direction = offered.direction(stream).answered(wish)
        media.append(_stream(stream.kind, port, stream.protocol, common, direction))
    times = tuple(line for line in offered.lines if line.letter == "t") or (Line("t", "0 0"),)
    connection = Line("c", f"IN {_family(origin.address)} {origin.address}")
    return Session(origin, "-", (connection, *times), tuple(media))


def _stream(kind: str, port: int, protocol: str, codecs: Sequence[Codec], direction: Direction) -> Media:
    lines = []
    for codec in codecs:
        channels = "" if codec.channels == 1 else f"/{codec.channels}"
        lines.append(Line("a", f"rtpmap:{codec.payload} {codec.name}/{codec.rate}{channels}"))
        if codec.fmtp is not None:
            lines.append(Line("a", f"fmtp:{codec.payload} {codec.fmtp}"))
    lines.append(Line("a", str(direction)))
    return Media(kind, port, protocol, tuple(str(codec.payload) for codec in codecs), tuple(lines))


def _line(text: str) -> Line:
    if text[1:2] != "=" or not text[0].isalpha() or "\r" in text:
        raise ParseError(f"{shown(text)} is not a line of a session description")
    return Line(text[0], text[2:])


def _origin(text: str) -> Origin:
    parts = text.split()
    if len(parts) != 6 or parts[3] != "IN":
        raise ParseError(f"the origin {shown(text)} does not have its six parts")
    most = 2**63 - 1
    return Origin(parts[5], number(parts[1], most, "the session"), number(parts[2], most, "the version"), parts[0])


def _media(text: str, lines: Sequence[Line]) -> Media:
    parts = text.split()
    if len(parts) < 4:
        raise ParseError(f"the stream {shown(text)} does not have a kind, a port, a protocol and a format")
    port, slash, ports = parts[1].partition("/")
    return Media(
        parts[0],
        number(port, 65_535, "the port"),
        parts[2],
        tuple(parts[3:]),
        tuple(lines),
        number(ports, 65_535, "the number of ports") if slash else 1,
    )


def _connection(lines: Iterable[Line]) -> str | None:
    for letter, value in lines:
        if letter == "c":
            parts = value.split()
            if len(parts) != 3:
                raise ParseError(f"the connection {shown(value)} does not have its three parts")
            return parts[2].partition("/")[0]
    return None


def _is_direction(line: Line) -> bool:
    return line.letter == "a" and line.value in _DIRECTIONS


def _direction(lines: Iterable[Line]) -> Direction | None:
    return next((_DIRECTIONS[line.value] for line in lines if _is_direction(line)), None)


def _with_direction(lines: Sequence[Line], direction: Direction) -> tuple[Line, ...]:
    return (*(line for line in lines if not _is_direction(line)), Line("a", str(direction)))


def _attribute(lines: Iterable[Line], name: str) -> dict[str, str]:
    """Return what ``a=name:format …`` says of each format."""
    found: dict[str, str] = {}
    for letter, value in lines:
        if letter == "a" and value.startswith(f"{name}:"):
            form, _, said = value[len(name) + 1 :].partition(" ")
            found.setdefault(form, said)
    return found


def _rtpmap(payload: int, text: str) -> Codec | None:
    name, _, rest = text.strip().partition("/")
    rate, slash, channels = rest.partition("/")
    if payload < 0 or not name:
        return None
    clock = number(rate, 2**32 - 1, "the clock rate")
    return Codec(payload, name, clock, number(channels, 255, "the number of channels") if slash else 1)


def _family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"
