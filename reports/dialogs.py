"""The messages of chosen calls, taken from a capture in one go: what nobody has asked for is not kept.

The legs of a call have Call-IDs of their own (a B2BUA makes one for each side); they are known to be one call by the
charging key of the INVITEs that begin them, or by what `wire.jsonl` says of them. A registration has no such key: it is
a REGISTER and all that follows with its Call-ID, until the phone is told that it is registered.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from reports.pcap_reader import Packet
from reports.sip_text import call_id_of, cseq_of, icid_of, start_of
from reports.wire import Wiring

MOST: Final = 2_000
"""Messages that are kept of a call or a registration."""
_OPEN: Final = 256
"""Registrations under way that are looked at; others that begin meanwhile are passed over."""
_CHALLENGES: Final = (401, 407)


@dataclass(slots=True)
class Dialog:
    """The messages of one call, or of one registration."""

    packets: list[Packet] = field(default_factory=list)
    more: int = 0
    """Messages that there are beyond those."""

    def take(self, packet: Packet) -> None:
        """Keep a message, if there is room."""
        if len(self.packets) < MOST:
            self.packets.append(packet)
        else:
            self.more += 1


def attempt_in(key: str) -> str:
    """Return the attempt that the legs of a key are of: `17.2` are those of the second INVITE of attempt 17."""
    attempt, _, branch = key.partition(".")
    return attempt if branch.isdecimal() else key


class Calls:
    """Takes the messages of some attempts."""

    def __init__(self, attempts: Collection[str], wiring: Wiring) -> None:
        self.found = {attempt: Dialog() for attempt in attempts}
        self._wiring = wiring
        self._legs: dict[bytes, Dialog] = {}

    def take(self, packet: Packet) -> None:
        """Take a message, if it is of one of them; the INVITE of a leg comes before all else of it."""
        call_id = call_id_of(packet.data)
        if call_id is None:
            return
        dialog = self._legs.get(call_id)
        if dialog is None and packet.data.startswith(b"INVITE "):
            key = key_of(packet, call_id, self._wiring)
            dialog = None if key is None else self.found.get(attempt_in(key))
            if dialog is not None:
                self._legs[call_id] = dialog
        if dialog is not None:
            dialog.take(packet)


def key_of(packet: Packet, call_id: bytes, wiring: Wiring) -> str | None:
    """Return by which key the leg that an INVITE begins is known; None where nothing says so."""
    return icid_of(packet.data) or wiring.attempts.get(call_id)


class OneLeg:
    """Takes what has one Call-ID, and notes the attempt that it is of."""

    def __init__(self, call_id: str, wiring: Wiring) -> None:
        self.found = Dialog()
        self.attempt: str | None = None
        """None where it is of no call, or nothing says of which."""
        self._call_id = call_id.encode(errors="surrogateescape")  # bytes of the command line that are no UTF-8
        self._wiring = wiring

    def take(self, packet: Packet) -> None:
        """Take a message, if it has the Call-ID."""
        if call_id_of(packet.data) != self._call_id:
            return
        self.found.take(packet)
        if self.attempt is None and packet.data.startswith(b"INVITE "):
            key = key_of(packet, self._call_id, self._wiring)
            self.attempt = None if key is None else attempt_in(key)


@dataclass(slots=True)
class _Episode:
    """A phone that registers, from the first REGISTER until it is told that it is."""

    dialog: Dialog
    begun: float
    seen: set[bytes]
    troubled: bool = False


class Registrations:
    """Takes the most telling registration from a moment on: the first that met trouble, otherwise the first.

    Where there is none from then on, it is the first of all.

    Trouble is whatever needs more than a request, a challenge and an answer: a copy, a refusal, silence.
    """

    def __init__(self, since: float, wiring: Wiring) -> None:
        """``since``: when the first fault was, seconds."""
        self._since = since
        self._wiring = wiring
        self._open: dict[bytes, _Episode] = {}
        self._plain: _Episode | None = None
        self._told: Dialog | None = None

    @property
    def found(self) -> Dialog | None:
        """The registration, if there is one."""
        if self._told is not None:
            return self._told
        every = (*self._open.values(), *([] if self._plain is None else [self._plain]))
        best = min(every, key=lambda each: (not each.troubled, each.begun < self._since, each.begun), default=None)
        return None if best is None else best.dialog

    def take(self, packet: Packet) -> None:
        """Take a message, if it is of a registration that may be the one."""
        if self._told is not None:
            return
        data = packet.data
        request = data.startswith(b"REGISTER ")
        if not request and not data.startswith(b"SIP/2.0 "):
            return
        call_id = call_id_of(data)
        if call_id is None:
            return
        episode = self._open.get(call_id)
        if episode is None:
            if not request or len(self._open) >= _OPEN:
                return
            episode = self._open[call_id] = _Episode(Dialog(), packet.at, set())
        if request:
            self._sent(episode, packet)
        else:
            self._answered(call_id, episode, packet)

    def _sent(self, episode: _Episode, packet: Packet) -> None:
        episode.dialog.take(packet)
        unheard = packet.lost or not self._wiring.hears(packet.receiver, packet.at)
        if episode.begun >= self._since and (packet.data in episode.seen or unheard):
            episode.troubled = True
        episode.seen.add(packet.data)

    def _answered(self, call_id: bytes, episode: _Episode, packet: Packet) -> None:
        if cseq_of(packet.data)[1] != "REGISTER":
            return
        episode.dialog.take(packet)
        start = start_of(packet.data)
        status = 0 if start is None else start.status
        if status >= 300 and status not in _CHALLENGES and episode.begun >= self._since:
            episode.troubled = True
        if 200 <= status < 300:
            del self._open[call_id]
            if episode.troubled:
                self._told = episode.dialog
            elif self._plain is None or self._plain.begun < self._since <= episode.begun:
                self._plain = episode


def share_out(packets: Iterable[Packet], takers: Iterable[Calls | OneLeg | Registrations]) -> None:
    """Show every message to all who may take it, but for OPTIONS, which are of no call."""
    several = tuple(takers)
    for packet in packets:
        if packet.data.startswith(b"OPTIONS "):
            continue
        for taker in several:
            taker.take(packet)
