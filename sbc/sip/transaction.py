"""One transaction, and what transactions put out: messages to send and events for the transaction user."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from sbc.decisions.table import Table
from sbc.decisions.timers import Timer
from sbc.sip.machines import Event, State
from sbc.sip.message import Request, Response


class Flow(Protocol):
    """Where messages come from and go to: the shell's, and opaque but for this; hashable."""

    @property
    def reliable(self) -> bool:
        """Whether what is sent arrives or the flow breaks: TCP, TLS, WebSocket."""


Key: TypeAlias = tuple[object, ...]
"""What a message has in common with its transaction, and with no other."""

Alarm: TypeAlias = tuple[Timer, float]
"""A timer, and how many seconds it runs."""

_START: Final = State.START


class Step(NamedTuple):
    """What follows upon an event in a state."""

    state: State
    outputs: "tuple[Callable[[Any, Any], Output], ...]"
    """What it puts out, before its timers start."""
    timers: tuple[Timer, ...]
    """Those that start."""
    goes_on: frozenset[Timer]
    """Those that run on if they run: the state has a row for them."""
    responds: bool
    """Whether the user's response goes out."""
    over: bool
    """Whether it is the last."""


Steps: TypeAlias = Table[State, Event | Timer, Step]
"""A machine of :mod:`sbc.sip.machines`, ready to be carried out."""


class Transaction:
    """What client and server transactions have in common; the layer alone changes it. Equal only to itself."""

    __slots__ = ("__weakref__", "alarms", "flow", "kept", "keys", "reliable", "request", "state", "steps")

    def __init__(self, steps: Steps, flow: Flow, request: Request, key: Key) -> None:
        self.steps: Final = steps
        self.flow: Final = flow
        self.reliable: Final = flow.reliable
        self.request: Final = request
        self.state = _START
        self.keys: tuple[Key, ...] = (key,)
        """Under which the layer finds it."""
        self.alarms: list[Alarm] = []
        """Its timers that run."""
        self.kept: Request | Response | None = None
        """What it sends again: the latest response, or the ACK."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.request.method} {self.state.name}>"


class ClientTransaction(Transaction):
    """A request that was sent, and its responses."""

    __slots__ = ()


class ServerTransaction(Transaction):
    """A request that came, and its responses."""

    __slots__ = ("cancels", "merged", "merging")

    def __init__(self, steps: Steps, flow: Flow, request: Request, key: Key) -> None:
        super().__init__(steps, flow, request, key)
        self.merging: Key | None = None
        """What it shares with the same request come by another way."""
        self.merged = False
        """Whether the same request came by another way and is in progress: a UAS answers 482 (RFC 3261 §8.2.2.2)."""
        self.cancels: ServerTransaction | None = None
        """Of a CANCEL: the INVITE it means; None if there is no such transaction, which deserves a 481 (§9.2)."""


class Send(NamedTuple):
    """A message to send on a flow."""

    flow: Flow
    message: Request | Response


class RequestReceived(NamedTuple):
    """A request that begins a transaction; its copies are not passed on."""

    transaction: ServerTransaction

    @property
    def request(self) -> Request:
        """The request."""
        return self.transaction.request


class ResponseReceived(NamedTuple):
    """A response to a request: each provisional one, the first final one, and every 2xx to an INVITE."""

    transaction: ClientTransaction
    response: Response


class AckReceived(NamedTuple):
    """The ACK for a 2xx, each copy of it (RFC 3261 §13.3.1.4); the ACK for another response ends in the transaction."""

    flow: Flow
    ack: Request
    transaction: ServerTransaction | None
    """Only where its branch is the INVITE's, as no ACK for a 2xx should be; its dialog is for the user to find."""


class TimedOut(NamedTuple):
    """No response came (Timer B, F), no ACK came (Timer H), or the user answered too late (RFC 4320 §4.2)."""

    transaction: Transaction


class TransportFailed(NamedTuple):
    """The flow cannot carry what the transaction sends; a client transaction has ended, a server's may go on."""

    transaction: Transaction


class Terminated(NamedTuple):
    """The transaction is over, the last that is heard of it."""

    transaction: Transaction


class Stray(NamedTuple):
    """A message without a transaction that could use it: a response to nothing, a final response after another, an ACK
    for nothing. It is to be dropped, not forwarded (RFC 6026 §7.3)."""

    flow: Flow
    message: Request | Response


class Overflow(NamedTuple):
    """A request for which there is no room: to be dropped, or answered 503 without a transaction."""

    flow: Flow
    request: Request


UserEvent: TypeAlias = (
    RequestReceived | ResponseReceived | AckReceived | TimedOut | TransportFailed | Terminated | Stray | Overflow
)
Output: TypeAlias = Send | UserEvent
