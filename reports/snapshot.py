"""One moment of one replication: what stood then, and what came just before and after; made of the evidence alone.

What is kept while the replication goes on: a few entries and messages, the counts of calls up at the moment, and a
digest of each message of the last 32 s.
"""

import re
from collections import Counter, deque
from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b
from typing import Final, NamedTuple

from reports.state import State
from scenarios.evidence import CallRecord, Fate, Gauge, JournalEntry, Outcome, Sample, WireRecord
from scenarios.model import Drill

ENTRIES: Final = (10, 5)
"""Journal entries before and after the moment."""
MESSAGES: Final = (20, 5)
"""Messages before and after it."""
COPIES_WITHIN: Final = 32.0
"""64·T1: nothing is sent again later than that (RFC 3261 §17)."""

SHARPNESS: Final = 0.0005
"""Seconds after the moment that still belong to it: a time read to the millisecond means what it was read of."""

_CSEQ: Final = re.compile(rb"\r\ncseq[ \t]*:\s*\d+\s+(\S+)", re.IGNORECASE)


class Phase(StrEnum):
    """How far a call has come."""

    SETUP = "being set up"
    IVR = "in announcements and menus"
    WAITING = "waiting for an answer"
    TALKING = "talking"


class Up(NamedTuple):
    """What calls that are up have in common."""

    phase: Phase
    pair: str
    """That they came to, by whichever node; empty while they are being set up, or where they never came to one."""


class Message(NamedTuple):
    """A message near the moment."""

    at: float
    source: str
    """The machine, or its address where it has no name."""
    target: str
    said: str
    """The start line of a SIP message with the method that a response answers; of others, what they are."""
    again: bool
    """Whether it is a copy of one that went the same way before."""
    fate: Fate


_Kept = tuple[WireRecord, bool]
"""A message, and whether it is a copy."""


class Levels(NamedTuple):
    """The samples of one gauge on both sides of the moment; None beyond the ends of the run."""

    before: Sample | None
    """The last one, at the moment or earlier."""
    after: Sample | None
    """The first one behind it."""

    @property
    def most(self) -> Sample | None:
        """Of a gauge that tells the most since the sample before: the one that speaks for the moment."""
        return self.after or self.before


class Snapshot(State):
    """A recorder of calls, entries, samples and messages that keeps what tells of one moment."""

    def __init__(self, drill: Drill, at: float) -> None:
        """``at``: the moment, in seconds since the start of the run."""
        super().__init__(drill)
        self.at = at
        self._until = at + SHARPNESS
        self.up: Counter[Up] = Counter()
        self.entries: tuple[deque[JournalEntry], list[JournalEntry]] = deque(maxlen=ENTRIES[0]), []
        """Before and after."""
        self._messages: tuple[deque[_Kept], list[_Kept]] = deque(maxlen=MESSAGES[0]), []
        self._levels: dict[tuple[Gauge, str], Levels] = {}
        self._digests: deque[tuple[float, bytes]] = deque()
        self._seen: Counter[bytes] = Counter()

    # Evidence.

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Take attempts that have ended."""
        for call in records:
            if call.start <= self._until and (self._until < call.end or call.outcome is Outcome.IN_PROGRESS):
                phase = _phase(call, self._until)
                self.up[Up(phase, "" if phase is Phase.SETUP else call.node.partition("/")[0])] += 1

    def entry(self, entry: JournalEntry) -> None:
        """Take one journal entry."""
        before, after = self.entries
        if entry.at > self._until:
            if len(after) < ENTRIES[1]:
                after.append(entry)
            return
        before.append(entry)
        super().entry(entry)

    def sample(self, sample: Sample) -> None:
        """Take one sample."""
        levels = self._levels.setdefault((sample.gauge, sample.name), Levels(None, None))
        if sample.at <= self._until:
            self._levels[sample.gauge, sample.name] = Levels(sample, None)
        elif levels.after is None:
            self._levels[sample.gauge, sample.name] = Levels(levels.before, sample)

    def wire(self, record: WireRecord) -> None:
        """Take one datagram."""
        before, after = self._messages
        if len(after) < MESSAGES[1]:
            (before if record.at <= self._until else after).append((record, self._is_copy(record)))

    def _is_copy(self, record: WireRecord) -> bool:
        while self._digests and self._digests[0][0] < record.at - COPIES_WITHIN:
            _, old = self._digests.popleft()
            self._seen[old] -= 1
            if not self._seen[old]:
                del self._seen[old]
        if not _is_sip(_start_line(record.data)):
            return False
        way = f"{record.source}:{record.source_port} {record.target}:{record.target_port} {record.transport} "
        digest = blake2b(way.encode() + record.data, digest_size=16).digest()
        self._digests.append((record.at, digest))
        self._seen[digest] += 1
        return self._seen[digest] > 1

    # What stood at the moment.

    def levels(self, *gauges: Gauge) -> dict[tuple[Gauge, str], Levels]:
        """Return the samples of some gauges around the moment, by gauge and what was measured."""
        return {key: levels for key, levels in self._levels.items() if key[0] in gauges}

    @property
    def messages(self) -> tuple[list[Message], list[Message]]:
        """The messages before and after."""
        before, after = self._messages
        return [_message(*each) for each in before], [_message(*each) for each in after]


def _message(record: WireRecord, again: bool) -> Message:
    return Message(
        record.at,
        record.sender or f"{record.source}:{record.source_port}",
        record.receiver or f"{record.target}:{record.target_port}",
        said(record),
        again,
        record.fate,
    )


def said(record: WireRecord) -> str:
    """Return what a datagram says in one line."""
    data = record.data
    if record.transport == "vrrp" and len(data) > 2:
        return f"VRRP advertisement: router {data[1]}, priority {data[2]}"  # RFC 5798 §5.2
    line = _start_line(data)
    if not _is_sip(line):
        return f"{len(data)} bytes that are no SIP"
    text = line.decode("utf-8", "replace")
    answers = _CSEQ.search(data) if line.startswith(b"SIP/") else None
    return text if answers is None else f"{text} ({answers[1].decode('utf-8', 'replace')})"


def _start_line(data: bytes) -> bytes:
    return data.partition(b"\r\n")[0]


def _is_sip(line: bytes) -> bool:
    return line.startswith(b"SIP/2.0 ") or line.endswith(b" SIP/2.0")


def _phase(call: CallRecord, now: float) -> Phase:
    if call.setup is None:
        return Phase.SETUP
    delivered = call.start + call.setup
    queued = delivered + call.ivr
    answered = queued + (call.wait or 0.0)
    if now < delivered:
        return Phase.SETUP
    if now < queued:
        return Phase.IVR
    return Phase.TALKING if call.talk is not None and now >= answered else Phase.WAITING
