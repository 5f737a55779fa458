"""What the nodes of a pair say to each other about their calls: records that arrive once, in order, or are given up.

Each way is a *stream* of datagrams with numbers, of at most :data:`PAYLOAD` bytes of records each:

    [1, "data", stream, number, clock, whole]    and then a record, or part of one; 1 for its last or only part
    [1, "ack", stream, number]                   all up to that number have come
    [1, "ask"]                                   whoever has just begun, or has missed the beginning, asks for a stream
    [1, "idle"]                                  and is told that there is none

A stream begins with the record ``begin``, whose acknowledgement opens it; then come all calls of the sender, ``whole``,
and from there on each call that has changed or is over. A sender that steps down ends its stream with ``released``.
What is not acknowledged is sent again; while the other node says nothing at all, only a ``begin`` goes out, ever more
rarely, so that what waits is never more than the calls there are. A call that changes twice before its record is sent
has one record.

The receiver keeps what it is told until it is told otherwise. A new stream makes all that it has of the streams before
count as old; what is old when the stream is whole is gone. So a node that was restarted and serves again tells the
other to forget the calls that it has lost, and one that was restarted and does not serve tells nothing.
"""

import json
from collections.abc import Callable, Iterable
from math import inf
from typing import Any, Final, TypeAlias

from sbc.decisions.handover import TABLE, Effect, Event, State
from sbc.decisions.table import follow
from sbc.decisions.timers import T2
from sbc.endpoints.endpoint import Transmit
from sbc.endpoints.replica import VERSION, Replica, as_json
from sbc.endpoints.wire import Path
from sbc.sip.ids import Ids

PAYLOAD: Final = 1_400
"""Bytes of records in one datagram."""

WINDOW: Final = 64
"""Datagrams that may be on their way."""

AGAIN: Final = 0.25
"""Seconds without an acknowledgement after which all on their way are sent again; for a ``begin`` each time twice as
long, up to T2."""

PATIENCE: Final = 8.0
"""Seconds without an acknowledgement after which the other node is taken for gone."""

ACK_AFTER: Final = 0.05
"""Seconds that an acknowledgement may wait for more to acknowledge, and how many datagrams it may wait for."""
ACK_EVERY: Final = WINDOW // 4

_WHOLE: Final = "whole"
_RELEASED: Final = "released"
_MARKS: Final = frozenset([_WHOLE, _RELEASED])
"""Records of the stream itself; no id of a call is one of these, for those are hexadecimal."""


Record: TypeAlias = Callable[[str], Replica | None]
Calls: TypeAlias = Callable[[], Iterable[str]]


class Sender:
    """The stream of this node: its calls, as the other is to know them."""

    def __init__(self, path: Path, ids: Ids, record: Record, calls: Calls) -> None:
        """``record`` returns a call by its id as it stands, None where it is over; ``calls`` yields the ids of all."""
        self.path = path
        self.state = State.CLOSED
        self._record = record
        self._calls = calls
        self._own = ids.word()
        """Tells this process from one before it."""
        self._count = 0
        """Streams begun."""
        self._number = 0
        self._way: dict[int, tuple[bytes, bool]] = {}
        """By number, what is not acknowledged: a payload, and whether it completes its record."""
        self._dirty: dict[str, None] = {}
        """Calls to be told of, and the marks of the stream among them."""
        self._parts: list[bytes] = []
        """What is left of a record in parts, the last first."""
        self._known: set[str] = set()
        """Calls that the other node may know."""
        self._heard = 0.0
        self._pause = AGAIN
        self.due = inf
        self.out: list[Transmit] = []

    @property
    def stream(self) -> tuple[str, int]:
        """What tells this stream from all others."""
        return self._own, self._count

    def tell(self, now: float, event: Event) -> None:
        """Lead the stream through one row of its table; raises ImpossibleEventError where there is none."""
        self.state, effects = follow(TABLE, self.state, event)
        for effect in effects:
            match effect:
                case Effect.BEGIN:
                    self._begin(now)
                case Effect.TELL_ALL:
                    self._dirty.update(dict.fromkeys(self._calls()))
                    self._dirty[_WHOLE] = None
                case Effect.TELL_END:
                    self._dirty[_RELEASED] = None
                case Effect.FORGET:
                    self._forget()
                case Effect.SAY_IDLE:
                    self.out.append(Transmit(self.path, _line(VERSION, "idle")))
        self.flush(now)

    def changed(self, call: str) -> None:
        """A call is there, has changed or is over; :meth:`flush` tells."""
        if self.state is State.OPEN:
            self._dirty[call] = None

    def drop(self, call: str) -> None:
        """A call is the other node's now, which knows more of it."""
        self._dirty.pop(call, None)
        self._known.discard(call)

    def flush(self, now: float) -> None:
        """Send what there is to tell, as far as the window lets it."""
        if not self._dirty and not self._parts:
            return
        idle = not self._way
        while len(self._way) < WINDOW and (self._parts or self._next()):
            payload = self._parts.pop()
            self._put(now, payload, whole=not self._parts)
        if idle and self._way:
            self._heard = now
            self.due = now + self._pause

    def acknowledged(self, now: float, stream: tuple[str, int], number: int) -> None:
        """All datagrams up to a number have come."""
        if stream != self.stream or not self._way or not next(iter(self._way)) <= number <= self._number:
            return
        for each in [each for each in self._way if each <= number]:
            del self._way[each]
        self._heard, self._pause = now, AGAIN
        self.due = now + AGAIN
        if self.state in (State.OPENING, State.LEAVING):
            self.tell(now, Event.BEGUN)
        else:
            self.flush(now)
        if not self._way:
            self.due = inf
            self.tell(now, Event.ALL_HEARD)

    def fire(self, now: float) -> None:
        """Send again what is on its way, or give the other node up."""
        if now < self.due:
            return
        if now - self._heard >= PATIENCE:
            self._heard = now
            self.tell(now, Event.SILENT)
        if now >= self.due:
            for number in self._way:
                self._send(now, number)
            if self.state is State.OPENING:
                self._pause = min(2 * self._pause, T2)
            self.due = now + self._pause

    def _begin(self, now: float) -> None:
        self._forget()
        self._count += 1
        self._heard, self._pause = now, AGAIN
        self._put(now, _line("begin"), whole=True)
        self.due = now + AGAIN

    def _forget(self) -> None:
        self._number, self.due = 0, inf
        for each in (self._way, self._dirty, self._parts, self._known):
            each.clear()

    def _next(self) -> bool:
        """Take the next record apart; return whether there is one."""
        while self._dirty:
            call = next(iter(self._dirty))
            del self._dirty[call]
            if call in _MARKS:
                text = _line(call)
            elif (replica := self._record(call)) is not None:
                self._known.add(call)
                text = _line("call", *replica[:4]) + b"\n" + replica.text
            elif call in self._known:
                self._known.discard(call)
                text = _line("over", call)
            else:
                continue
            self._parts = [text[at : at + PAYLOAD] for at in range(0, len(text), PAYLOAD)][::-1]
            return True
        return False

    def _put(self, now: float, payload: bytes, *, whole: bool) -> None:
        self._number += 1
        self._way[self._number] = payload, whole
        self._send(now, self._number)

    def _send(self, now: float, number: int) -> None:
        payload, whole = self._way[number]
        head = _line(VERSION, "data", *self.stream, number, now, int(whole))
        self.out.append(Transmit(self.path, head + b"\n" + payload))


class Receiver:
    """What the other node has told: its calls, for the day when it is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.calls: dict[str, Replica] = {}
        self.news: list[Replica] = []
        """What the latest datagram has completed."""
        self.released = False
        """Whether the other node has stepped down, and left its calls to this one."""
        self._taken: dict[str, int] = {}
        """Calls of the other process that this node has gone on with, and how often they had passed from node to node
        until then: what it still says of that time is out of date."""
        self._stream = ("", 0)
        self._number = 0
        """Up to which all datagrams have come."""
        self._early: dict[int, tuple[bytes, bool, float]] = {}
        self._parts: list[bytes] = []
        self._old: dict[str, None] = {}
        self._waiting = 0
        self._keys: dict[str, int] = {}
        self.due = inf
        self.out: list[Transmit] = []

    def has(self, key: str) -> bool:
        """Whether a call of that key is kept."""
        return key in self._keys

    def take(self) -> list[Replica]:
        """Return all calls and keep none; what still comes of them is dropped."""
        calls = list(self.calls.values())
        self._taken.update((call, replica.passed) for call, replica in self.calls.items())
        self.calls.clear()
        self._keys.clear()
        self._old.clear()
        self.released = False
        return calls

    def data(self, now: float, stream: tuple[str, int], number: int, by: float, payload: bytes, *, whole: bool) -> bool:
        """Take a datagram in; return whether it makes sense, or a stream has to be asked for."""
        self.news.clear()
        if stream != self._stream:
            if stream[0] == self._stream[0] and stream[1] < self._stream[1]:
                return True  # it is late
            if number != 1:
                return False
            self._begin(stream)
        if self._number < number <= self._number + WINDOW:
            self._early[number] = payload, whole, by
        while (found := self._early.pop(self._number + 1, None)) is not None:
            self._number += 1
            self._parts.append(found[0])
            if found[1]:
                text = b"".join(self._parts)
                self._parts.clear()
                self._record(text, found[2])
        self._waiting += 1
        if self._waiting >= ACK_EVERY or number == 1 or self._early:
            self._acknowledge()
        else:
            self.due = min(self.due, now + ACK_AFTER)
        return True

    def fire(self, now: float) -> None:
        """Acknowledge what has waited long enough."""
        if now >= self.due:
            self._acknowledge()

    def _begin(self, stream: tuple[str, int]) -> None:
        if stream[0] != self._stream[0]:
            self._taken.clear()
        self._stream, self._number = stream, 0
        self._early.clear()
        self._parts.clear()
        self.released = False
        self._old = dict.fromkeys([*self.calls, *self._taken])

    def _acknowledge(self) -> None:
        self._waiting, self.due = 0, inf
        self.out.append(Transmit(self.path, _line(VERSION, "ack", *self._stream, self._number)))

    def _record(self, record: bytes, by: float) -> None:
        head, _, text = record.partition(b"\n")
        match _read(head):
            case ["call", str(call), str(key), str(trunk), int(passed)]:
                self._old.pop(call, None)
                if passed > self._taken.get(call, -1):
                    self._forget(call)
                    self.calls[call] = replica = Replica(call, key, trunk, passed, text, by)
                    self.news.append(replica)
                    self._keys[key] = self._keys.get(key, 0) + 1
            case ["over", str(call)]:
                self._forget(call)
                self._taken.pop(call, None)
            case [str(mark)] if mark == _WHOLE:
                for call in list(self._old):
                    self._forget(call)
                    self._taken.pop(call, None)
            case [str(mark)] if mark == _RELEASED:
                self.released = True
            case _:
                pass

    def _forget(self, call: str) -> None:
        self._old.pop(call, None)
        replica = self.calls.pop(call, None)
        if replica is not None:
            left = self._keys[replica.key] - 1
            if left:
                self._keys[replica.key] = left
            else:
                del self._keys[replica.key]


class Replication:
    """Both ways between the two nodes of a pair."""

    def __init__(self, path: Path, ids: Ids, record: Record, calls: Calls) -> None:
        """``record`` returns a call by its id as it stands, None where it is over; ``calls`` yields the ids of all."""
        self.sender = Sender(path, ids, record, calls)
        self.receiver = Receiver(path)
        self._path = path
        self._ask_at = -inf
        """When this node asks for a stream, having heard nothing of the other."""
        self._pause = AGAIN
        self._asked = -inf

    def receive(self, now: float, data: bytes) -> None:
        """Take in what the other node says; what cannot be read is dropped."""
        head, _, payload = data.partition(b"\n")
        said = _read(head)
        match said:
            case [1, "data", str(own), int(count), int(number), float() | int() as clock, int(whole)]:
                self._ask_at = inf
                if not self.receiver.data(now, (own, count), number, now - clock, payload, whole=bool(whole)):
                    self._ask(now)
            case [1, "ack", str(own), int(count), int(number)]:
                self._ask_at = inf
                self.sender.acknowledged(now, (own, count), number)
            case [1, "ask"]:
                self.sender.tell(now, Event.ASKED)
            case [1, "idle"]:
                self._ask_at = inf
            case _:
                pass

    def deadline(self) -> float:
        """Return when :meth:`fire` is to be called next."""
        return min(self.sender.due, self.receiver.due, self._ask_at)

    def fire(self, now: float) -> None:
        """Do all that is due."""
        self.sender.fire(now)
        self.receiver.fire(now)
        if now >= self._ask_at:
            self._ask(now)
            self._ask_at = now + self._pause if self._pause < PATIENCE else inf
            self._pause *= 2

    def take(self) -> list[Transmit]:
        """Return what is to be sent."""
        receiver, sender = self.receiver, self.sender
        if not receiver.out and not sender.out:
            return []
        out = [*receiver.out, *sender.out]
        receiver.out.clear()
        sender.out.clear()
        return out

    def _ask(self, now: float) -> None:
        """Ask for a stream, once for all the datagrams that come of one whose beginning was missed."""
        if now - self._asked >= AGAIN:
            self._asked = now
            self.receiver.out.append(Transmit(self._path, _line(VERSION, "ask")))


def _line(*values: object) -> bytes:
    return as_json(values).encode()


def _read(line: bytes) -> Any:
    """Return what a line says, None for what is no JSON."""
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
