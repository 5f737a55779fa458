"""The transaction layer: messages and time in; messages to send, events for the user and the next deadline out.

The caller does what aioquic's does: after each input it takes the outputs and looks at the deadline.

    transactions.receive(now, flow, parse(data))
    for output in transactions.take(): ...
    wake_at(transactions.deadline())      # and then: transactions.fire(now)

It has no clock and no ids: `now` is seconds since any fixed moment, and the branch is in the request. A `now` earlier
than one before counts as that one. A message that has no place is reported, never raised.
"""

from math import inf
from typing import Any, Final

from sbc.decisions.timers import LONGEST, Timer
from sbc.sip.alarms import Alarms
from sbc.sip.errors import SipError
from sbc.sip.fields import is_rfc3261
from sbc.sip.machines import Event, State
from sbc.sip.matching import client_key, merge_key, rfc2543_key, server_key
from sbc.sip.message import Request, Response
from sbc.sip.steps import ALARMS, of_client, of_server
from sbc.sip.transaction import (
    AckReceived,
    ClientTransaction,
    Flow,
    Key,
    Output,
    Overflow,
    Send,
    ServerTransaction,
    Stray,
    Terminated,
    Transaction,
)

_INVITE_RESPONSES: Final = {1: Event.PROVISIONAL, 2: Event.SUCCESS, **dict.fromkeys(range(3, 7), Event.FAILURE)}
_OTHER_RESPONSES: Final = {1: Event.PROVISIONAL, **dict.fromkeys(range(2, 7), Event.FINAL)}

_RELIABLE: Final = ALARMS[True]
_UNRELIABLE: Final = ALARMS[False]

# Reading a member of an enumeration takes longer than looking up a row (before Python 3.12), so it is done once.
_REQUEST: Final = Event.REQUEST
_PROVISIONAL: Final = Event.PROVISIONAL
_ACK: Final = Event.ACK
_ABANDONED: Final = Event.ABANDONED
_TRANSPORT_ERROR: Final = Event.TRANSPORT_ERROR
_TERMINATED: Final = State.TERMINATED


class BranchError(SipError):
    """A request to send whose topmost Via has no branch, or one that names a transaction in progress."""


class Transactions:
    """All transactions of one element, found and timed at a cost that does not grow with their number.

    A transaction is forgotten the moment it ends, and nothing refers back to it. At most `room` server transactions are
    in progress at a time, so that no flood of requests takes more memory than that; what a client has under way is for
    the user to limit.
    """

    def __init__(self, room: int = 1_000_000) -> None:
        self.room = room
        self._now = -inf
        self._clients: dict[Key, ClientTransaction] = {}
        self._servers: dict[Key, ServerTransaction] = {}
        self._merging: dict[Key, int] = {}
        self._flows: dict[Flow, dict[Transaction, None]] = {}
        self._alarms: Alarms[Transaction, Timer] = Alarms()
        self._out: list[Output] = []

    def __len__(self) -> int:
        return sum(map(len, self._flows.values()))

    # Inputs.

    def receive(self, now: float, flow: Flow, message: Request | Response) -> None:
        """Take in a message that came on a flow.

        Raises :class:`~sbc.sip.errors.ParseError`, with the response it deserves, for a message without a readable Via,
        CSeq or other field that it is matched by: whoever has held it against `validate` before will not see that.
        """
        if now > self._now:
            self._now = now
        if isinstance(message, Response):
            client = self._clients.get(client_key(message))
            if client is None:
                self._out.append(Stray(flow, message))
            else:
                self._step(client, _meaning(client, message), message)
        elif message.method == "ACK":
            server = self._find_invite(message, "ACK")
            if server is None:
                self._out.append(AckReceived(flow, message, None))
            else:
                self._step(server, _ACK, message)
        else:
            key = server_key(message, message.method)
            known = self._servers.get(key)
            if known is None:
                self._begin(flow, message, key)
            else:
                self._step(known, _REQUEST, message)

    def request(self, now: float, flow: Flow, request: Request) -> ClientTransaction:
        """Send a request other than ACK on a flow and return its transaction.

        Raises :class:`BranchError`, and ParseError for a Via that cannot be read: no response could be recognised.
        """
        if now > self._now:
            self._now = now
        key = client_key(request)
        if key[0] is None:
            raise BranchError("the topmost Via has no branch")
        if key in self._clients:
            raise BranchError(f"the branch {key[0]} names a transaction in progress")
        transaction = ClientTransaction(of_client(request.method), flow, request, key)
        self._clients[key] = transaction
        self._join(flow, transaction)
        self._step(transaction, _REQUEST, request)
        return transaction

    def respond(self, now: float, transaction: ServerTransaction, response: Response) -> bool:
        """Answer a request; say whether the response goes out, as the RFCs drop some.

        What is dropped: any response after the transaction's end or its final response, except a 2xx to an INVITE after
        another; to other requests a 1xx, as the transaction sends its own 100 when it may, and a 408 (RFC 4320 §4).
        """
        if now > self._now:
            self._now = now
        if transaction.state is _TERMINATED:
            return False
        event = _meaning(transaction, response)
        invite = transaction.request.method == "INVITE"
        if not invite and (event is _PROVISIONAL or response.status == 408):
            return False
        if invite and response.status >= 200 and not is_rfc3261(transaction.request.branch):
            self._await_rfc2543_ack(transaction, response)
        return self._step(transaction, event, response)

    def send(self, flow: Flow, message: Request | Response) -> None:
        """Send a message of no transaction, in its turn among the outputs: the ACK for a 2xx, a 503 for an Overflow."""
        self._out.append(Send(flow, message))

    def abandon(self, now: float, transaction: ClientTransaction) -> None:
        """Wait no longer for a final response: 64·T1 after a CANCEL (RFC 3261 §9.1), a proxy's Timer C, a user's own
        limit. A transaction that has had its final response ends by itself, one that has ended is left alone."""
        if now > self._now:
            self._now = now
        if transaction.state is not _TERMINATED:
            self._step(transaction, _ABANDONED, None)

    def transport_error(self, now: float, flow: Flow) -> None:
        """Take in that a flow is broken, or that what was sent on it was refused (RFC 3261 §17.1.4, §17.2.4)."""
        if now > self._now:
            self._now = now
        for transaction in list(self._flows.get(flow, ())):
            self._step(transaction, _TRANSPORT_ERROR, None)

    # Time.

    def deadline(self) -> float:
        """Return when :meth:`fire` has to be called next; ``inf`` for never."""
        return self._alarms.next()

    def fire(self, now: float) -> None:
        """Let every timer fire that is due, its deadline being `now` or earlier; harmless when none is."""
        if now > self._now:
            self._now = now
        while (rung := self._alarms.ring(self._now)) is not None:
            transaction, alarm = rung
            transaction.alarms.remove(alarm)
            self._step(transaction, alarm[0], None, alarm[1])

    # Outputs.

    def take(self) -> list[Output]:
        """Return what is to be sent and told since the last time, in order."""
        out, self._out = self._out, []
        return out

    # What a transaction goes through.

    def _begin(self, flow: Flow, request: Request, key: Key) -> None:
        if len(self._servers) >= self.room:
            self._out.append(Overflow(flow, request))
            return
        merging = merge_key(request)
        transaction = ServerTransaction(of_server(request.method), flow, request, key)
        if request.method == "CANCEL":
            transaction.cancels = self._find_invite(request, "INVITE")
        transaction.merging = merging
        if merging is not None:
            others = self._merging.get(merging, 0)
            self._merging[merging] = others + 1
            transaction.merged = others > 0
        self._servers[key] = transaction
        self._join(flow, transaction)
        self._step(transaction, _REQUEST, request)

    def _join(self, flow: Flow, transaction: Transaction) -> None:
        on_flow = self._flows.get(flow)
        if on_flow is None:
            on_flow = self._flows[flow] = {}
        on_flow[transaction] = None

    def _find_invite(self, request: Request, as_method: str) -> ServerTransaction | None:
        """Return the INVITE that an ACK or CANCEL means. Only in RFC 2543 is an ACK found under its own name."""
        if is_rfc3261(request.branch):
            as_method = "INVITE"
        return self._servers.get(server_key(request, as_method))

    def _await_rfc2543_ack(self, transaction: ServerTransaction, response: Response) -> None:
        """Let the ACK for a response be found, which has no branch to name its INVITE by but the response's To tag."""
        key = rfc2543_key(transaction.request, "ACK", response.to_tag)
        if key not in self._servers:
            self._servers[key] = transaction
            transaction.keys += (key,)

    def _step(
        self,
        transaction: Transaction,
        event: Event | Timer,
        message: Request | Response | None,
        ran: float | None = None,
    ) -> bool:
        """Lead a transaction through one row of its table; say whether the user's response goes out.

        `ran` is how many seconds the timer ran that fires.
        """
        before = transaction.state
        state, outputs, timers, goes_on, responds, over = transaction.steps[before, event]
        if state is not before:
            transaction.state = state
            if transaction.alarms:
                self._stop_timers(transaction, goes_on)
        for output in outputs:
            self._out.append(output(transaction, message))
        for timer in timers:
            self._start(transaction, timer, ran)
        if over:
            self._end(transaction)
        return responds

    def _start(self, transaction: Transaction, timer: Timer, ran: float | None) -> None:
        alarm = (_RELIABLE if transaction.reliable else _UNRELIABLE)[timer]
        if ran is not None and timer in LONGEST:
            alarm = (timer, min(2 * ran, LONGEST[timer]))
        length = alarm[1]
        if length == 0:
            self._step(transaction, timer, None)
        elif length != inf:
            self._alarms.set(transaction, alarm, self._now)
            transaction.alarms.append(alarm)

    def _stop_timers(self, transaction: Transaction, goes_on: frozenset[Timer]) -> None:
        """Stop the timers for which the state has no row."""
        for alarm in transaction.alarms[:]:
            if alarm[0] not in goes_on:
                self._alarms.cancel(transaction, alarm)
                transaction.alarms.remove(alarm)

    def _end(self, transaction: Transaction) -> None:
        found: dict[Key, Any] = self._servers
        if isinstance(transaction, ServerTransaction):
            self._unmerge(transaction.merging)
        else:
            found = self._clients
        for key in transaction.keys:
            del found[key]
        on_flow = self._flows[transaction.flow]
        del on_flow[transaction]
        if not on_flow:
            del self._flows[transaction.flow]
        transaction.kept = None
        self._out.append(Terminated(transaction))

    def _unmerge(self, merging: Key | None) -> None:
        """Count one fewer of the requests that are the same come by different ways."""
        if merging is not None:
            others = self._merging[merging] - 1
            if others:
                self._merging[merging] = others
            else:
                del self._merging[merging]


def _meaning(transaction: Transaction, response: Response) -> Event:
    kinds = _INVITE_RESPONSES if transaction.request.method == "INVITE" else _OTHER_RESPONSES
    return kinds[response.status // 100]
