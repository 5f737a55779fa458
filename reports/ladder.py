"""A ladder: the messages of one call between the machines it came to, with what happened meanwhile and the silences.

Of :mod:`reports.dialogs` it makes rows for whoever draws them: a terminal, a page, a program.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from reports.dialogs import Dialog
from reports.ladder_calls import Attempt
from reports.pcap_reader import Packet
from reports.sip_text import call_id_of, cseq_of, printable, start_of, text_of, to_of
from reports.wire import Wiring
from scenarios.calendar import Clock
from scenarios.evidence import EventKind, JournalEntry

SILENCE: Final = 0.9
"""Seconds without a message that are shown as a silence; T1 between two copies is none."""
SHOWN: Final = frozenset(
    [
        EventKind.FAULT,
        EventKind.REPAIRED,
        EventKind.NODE_LOST,
        EventKind.DETECTED,
        EventKind.TAKEOVER,
        EventKind.RESIGNED,
        EventKind.ACTIVATED,
        EventKind.DEACTIVATED,
        EventKind.REROUTED,
    ]
)
"""What is told of the journal between two messages."""
_OPEN: Final = 3
"""Faults that are told of at most, of those that a call began in."""
_OF_PAIRS: Final = frozenset([EventKind.NODE_LOST, EventKind.DETECTED, EventKind.TAKEOVER, EventKind.RESIGNED])
"""Of these only what is of a pair that the call met."""


class Kind(StrEnum):
    """What a ladder may be chosen for."""

    DELAYED = "delayed"
    """The first attempt that was delivered late."""
    LOST = "lost"
    """The first attempt that was dropped; where none was, that failed, was blocked or abandoned."""
    REGISTRATION = "registration"
    """The first registration after a fault that did not go smoothly; where all did, the first after it, or of all."""


class Arrival(StrEnum):
    """What became of a message."""

    HEARD = "heard"
    UNHEARD = "unheard"
    """It came to a machine where no process heard it, or nobody had the address."""
    LOST = "lost"
    """It was lost on the way."""


@dataclass(frozen=True, slots=True)
class Column:
    """An end of messages: a machine, or an address of which nobody knows the machine."""

    name: str
    addresses: tuple[str, ...]
    """The IP addresses that it had here; of a service address, whoever was sent to there."""


class Message(NamedTuple):
    """One message."""

    number: int
    """From 1 on."""
    at: float
    """Seconds since the start of the run."""
    source: int
    """The column that it comes from."""
    target: int
    packet: Packet
    method: str
    """Of a response, of the request that it answers."""
    status: int
    """0 for a request."""
    reason: str
    copy: int
    """1, or of a message that was sent again, how often so far."""
    arrival: Arrival

    @property
    def call_id(self) -> str:
        """Its Call-ID."""
        return printable(call_id_of(self.packet.data) or b"")

    @property
    def cseq(self) -> int:
        """The number of its CSeq."""
        return cseq_of(self.packet.data)[0]

    @property
    def text(self) -> str:
        """The whole message."""
        return text_of(self.packet.data)


class Silence(NamedTuple):
    """A time without a message."""

    since: float
    until: float


Row: TypeAlias = Message | Silence | JournalEntry


@dataclass(frozen=True, slots=True)
class Ladder:
    """A ladder, ready to be drawn."""

    attempt: Attempt | None
    """None for a registration, and for what is in no `calls.csv`."""
    address_of_record: str
    """Of a registration; empty for others."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    more: int
    """Messages that there are beyond those shown."""
    clock: Clock | None

    @property
    def messages(self) -> list[Message]:
        """Its messages."""
        return [row for row in self.rows if isinstance(row, Message)]

    @property
    def begins(self) -> float:
        """When the first message was sent, seconds."""
        return self.messages[0].at

    @property
    def call_ids(self) -> list[str]:
        """The Call-IDs of its legs, in order."""
        return list(dict.fromkeys(each.call_id for each in self.messages))

    def first(self, count: int) -> "Ladder":
        """Return the ladder with no more than so many messages."""
        kept = self.messages[:count]
        if len(kept) == len(self.messages):
            return self
        last = self.rows.index(kept[-1])
        left = self.more + len(self.messages) - len(kept)
        return replace(self, rows=self.rows[: last + 1], more=left)


def ladder(
    dialog: Dialog, wiring: Wiring, journal: Sequence[JournalEntry] = (), attempt: Attempt | None = None
) -> Ladder:
    """Return the ladder of what a call has sent, which must be one message at least, in order of time.

    ``journal``: those entries between its first and last message are told that matter to it. A live run may write one
    later than others that it was before.
    """
    packets = dialog.packets
    columns, place = _columns(packets, wiring)
    messages = list(_messages(packets, place, wiring))
    in_order = sorted(journal, key=lambda entry: entry.at)
    rows = list(_rows(messages, list(_meanwhile(messages, columns, in_order))))
    first = packets[0].data
    record = to_of(first) if first.startswith(b"REGISTER ") else ""
    return Ladder(attempt, record, columns, tuple(rows), dialog.more, wiring.clock)


# Columns


def _columns(packets: Sequence[Packet], wiring: Wiring) -> tuple[tuple[Column, ...], dict[str, int]]:
    """Return the columns in order, and the place of each by its name."""
    addresses: dict[str, dict[str, None]] = {}
    for packet in packets:
        for name, address in ((_sender(packet, wiring), packet.source), (_receiver(packet, wiring), packet.target)):
            addresses.setdefault(name, {})[address.rpartition(":")[0]] = None
    met = list(addresses)
    order = -1 if _rank(_sender(packets[0], wiring)) >= _RANKS["contact centre"] else 1
    pairs = list(dict.fromkeys(name.partition("/")[0] for name in met))
    names = sorted(met, key=lambda name: (order * _rank(name), pairs.index(name.partition("/")[0]), name))
    columns = tuple(Column(name, tuple(each for each in addresses[name] if each != name)) for name in names)
    return columns, {name: index for index, name in enumerate(names)}


_RANKS: Final = {"carrier": 0, "contact centre": 2, "registrar": 3, "phone": 4}
"""From outside to inside; whatever else there is, the nodes of pairs above all, is between carrier and centre."""


def _rank(name: str) -> int:
    return next((rank for begins, rank in _RANKS.items() if name == begins or name.startswith(f"{begins} ")), 1)


def _sender(packet: Packet, wiring: Wiring) -> str:
    return wiring.machines.get(packet.sender) or packet.source.rpartition(":")[0]


def _receiver(packet: Packet, wiring: Wiring) -> str:
    return wiring.machines.get(packet.receiver) or packet.target.rpartition(":")[0]


# Rows


def _messages(packets: Sequence[Packet], place: dict[str, int], wiring: Wiring) -> Iterator[Message]:
    copies: dict[tuple[bytes, bytes], int] = {}
    for number, packet in enumerate(packets, 1):
        same = packet.way, packet.data
        copies[same] = copy = copies.get(same, 0) + 1
        start = start_of(packet.data)
        assert start is not None  # noqa: S101 - or it would be no message
        heard = Arrival.HEARD if wiring.hears(packet.receiver, packet.at) else Arrival.UNHEARD
        yield Message(
            number,
            packet.at,
            place[_sender(packet, wiring)],
            place[_receiver(packet, wiring)],
            packet,
            start.method or cseq_of(packet.data)[1],
            start.status,
            start.reason,
            copy,
            Arrival.LOST if packet.lost else heard,
        )


def _meanwhile(
    messages: Sequence[Message], columns: Sequence[Column], journal: Sequence[JournalEntry]
) -> Iterator[JournalEntry]:
    pairs = {column.name.partition("/")[0] for column in columns}
    faults: dict[str, JournalEntry] = {}
    for entry in journal:
        if entry.at >= messages[0].at:
            break
        if entry.kind is EventKind.FAULT:
            faults[entry.subject] = entry
        elif entry.kind is EventKind.REPAIRED:
            faults.pop(entry.subject, None)
    yield from list(faults.values())[-_OPEN:]
    for entry in journal:
        within = messages[0].at <= entry.at <= messages[-1].at
        if within and entry.kind in SHOWN and (entry.kind not in _OF_PAIRS or entry.subject in pairs):
            yield entry


def _rows(messages: Sequence[Message], events: Sequence[JournalEntry]) -> Iterator[Row]:
    """Yield messages, what happened between them, and after each how long nothing was sent."""
    left = list(reversed(events))
    before = messages[0].at
    for message in messages:
        told = []
        while left and left[-1].at <= message.at:
            told.append(left.pop())
        if message.at - before >= SILENCE:
            yield Silence(before, message.at)
        yield from told
        yield message
        before = message.at
