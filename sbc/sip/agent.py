"""A user agent: calls and other requests over the transaction layer (RFC 3261 §8, §12 to §15).

    agent = UserAgent(contact, Ids(secrets.randbits), locate)
    call = agent.invite(now, uri, from_, to, body=offer)
    for output in agent.take(): ...              # Send goes out; the rest tells of calls: Progress, Up, Ended ...
    agent.receive(now, flow, parse(data))
    wake_at(agent.deadline())                    # and then: agent.fire(now)

Events and verbs are flat: every call is told of by `Arrived` or begun by `invite`, and ends with one `Ended`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sbc.decisions.table import ImpossibleEventError, bound
from sbc.sip.call import Asked, Asking, Call, Draft, Locate, Output
from sbc.sip.calls import EFFECTS
from sbc.sip.changes import DEEDS
from sbc.sip.core import Core
from sbc.sip.dialog import Dialog
from sbc.sip.digest import DigestClient
from sbc.sip.duties import OWN
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address
from sbc.sip.ids import Ids
from sbc.sip.message import Fields, Request, Response
from sbc.sip.session_timer import Timing
from sbc.sip.snapshot import Side, let_go, take_up
from sbc.sip.transaction import (
    AckReceived,
    ClientTransaction,
    Flow,
    Overflow,
    RequestReceived,
    ResponseReceived,
    Send,
    ServerTransaction,
    Terminated,
    TimedOut,
    TransportFailed,
)
from sbc.sip.transactions import Transactions
from sbc.sip.uac import Client
from sbc.sip.uas import Server
from sbc.sip.uri import Uri
from sbc.sip.usage import CALL, CHANGE, Event, Move, State, Turn
from sbc.sip.validate import validate

_USUAL: Final = Timing()
_CALLS: Final = bound(CALL, EFFECTS)
_CHANGES: Final = bound(CHANGE, DEEDS)

# Read once: before Python 3.12 a member of an enumeration takes longer to read than a row of a table.
_ARRIVED: Final = State.ARRIVED
_OWING: Final = State.OWING
_CHANGE_OWING: Final = Turn.OWING
_CHANGE_ASKED: Final = Turn.ASKED
_INVITE: Final = Event.INVITE
_ANSWER: Final = Event.ANSWER
_HANG_UP: Final = Event.HANG_UP


class UserAgent:
    """One user agent: all its calls, and requests of other kinds that its user sends and answers."""

    def __init__(
        self,
        contact: Address,
        ids: Ids,
        locate: Locate,
        *,
        allow: Sequence[str] = (),
        login: DigestClient | None = None,
        timing: Timing = _USUAL,
        transactions: Transactions | None = None,
    ) -> None:
        """``allow``: methods besides those of calls and OPTIONS that its user answers."""
        self._transactions = Transactions() if transactions is None else transactions
        self._ids = ids
        methods = (*OWN, *allow)
        self._timing = timing
        self._core = Core(self._transactions, ids, locate, contact, login, ", ".join(methods), _CALLS, _CHANGES)
        self._client = Client(self._core)
        self._server = Server(self._core, methods, timing)

    def __len__(self) -> int:
        """Return how many calls are kept."""
        return len(self._core.by_name)

    @property
    def unfinished(self) -> int:
        """How many of them have not ended yet, or wait for the answer to a BYE or CANCEL."""
        return sum(call.state is not State.OVER for call in self._core.by_name.values())

    # Inputs.

    def receive(self, now: float, flow: Flow, message: Request | Response) -> None:
        """Take in a message that came on a flow; one that cannot be taken is answered as it deserves, or dropped."""
        try:
            validate(message)
            self._transactions.receive(now, flow, message)
        except ParseError as error:
            self.reject(flow, error)
        self._work(now)

    def reject(self, flow: Flow, error: ParseError) -> None:
        """Answer a request that could not be read with the response that it deserves, without a transaction."""
        request = error.message
        if isinstance(request, Request) and error.status is not None and "Via" in request.headers:
            self._transactions.send(flow, Response.answer(request, error.status, to_tag=self._ids.tag()))

    def transport_error(self, now: float, flow: Flow) -> None:
        """Take in that a flow is broken, or that what was sent on it was refused."""
        self._transactions.transport_error(now, flow)
        self._work(now)

    def deadline(self) -> float:
        """Return when :meth:`fire` has to be called next; ``inf`` for never."""
        soonest, due = self._transactions.deadline(), self._core.agenda.next()
        return soonest if soonest < due else due

    def fire(self, now: float) -> None:
        """Do all that is due."""
        self._transactions.fire(now)
        self._work(now)
        while (due := self._core.agenda.take(now)) is not None:
            self._core.due(now, *due)
            self._work(now)

    def take(self) -> list[Output]:
        """Return what is to be sent and told since the last time, in order."""
        out, self._core.out = self._core.out, []
        return out

    # Calls.

    def invite(
        self,
        now: float,
        uri: Uri,
        from_: Address,
        to: Address,
        *,
        routes: Sequence[Address] = (),
        headers: Fields = (),
        body: bytes = b"",
    ) -> Call:
        """Call someone; without a body the other side is to make the offer. `routes` are proxies to pass, §8.1.2.

        A Contact among `headers` stands in place of the usual one.
        """
        call = Call(self._ids.word(), self._ids.tag(), self._timing, outgoing=True)
        call.draft = Draft(uri, from_.with_tag(call.tag), to, routes, headers, body)
        self._core.by_name[call.call_id, call.tag] = call
        self._core.lead(now, call, _INVITE)
        self._work(now)
        return call

    def ring(self, now: float, call: Call, status: int = 180, *, headers: Fields = (), body: bytes = b"") -> None:
        """Answer a call that came in provisionally, 101 to 199; a body is the answer that the 2xx will repeat.

        Raises ImpossibleEventError for a call that is no longer to be answered, or a body where no answer is due.
        """
        if call.state is not _ARRIVED:
            raise ImpossibleEventError(f"ringing while {call.state.value!r}")
        if body:
            call.session.preview()
        response = self._core.response(call, call.server.request, status, headers, body)
        if call.dialog is None:
            call.dialog = Dialog.as_callee(call.server.request, response)
        self._transactions.respond(now, call.server, response)
        self._work(now)

    def answer(self, now: float, call: Call, *, headers: Fields = (), body: bytes = b"") -> None:
        """Accept what was told by Arrived, Offered or ChangeAsked; raises ImpossibleEventError where nothing was."""
        if call.state is _OWING:
            call.session.sent(body)
            self._core.lead(now, call, _ANSWER, call.owed)
        elif call.turn is _CHANGE_OWING:
            call.session.sent(body)
            self._core.change(now, call, Move.ANSWER, call.owed)
        elif call.turn is _CHANGE_ASKED:
            response = self._core.response(call, call.asked.request, 200, headers, body)
            self._core.change(now, call, Move.ANSWER, response)
        elif call.state is _ARRIVED:
            response = self._core.response(call, call.server.request, 200, headers, body)
            if call.dialog is None:
                call.dialog = Dialog.as_callee(call.server.request, response)
            self._core.lead(now, call, _ANSWER, response)
        else:
            raise ImpossibleEventError(f"answering while {call.state.value!r}")
        self._work(now)

    def refuse(self, now: float, call: Call, status: int, reason: str | None = None, *, headers: Fields = ()) -> None:
        """Refuse a call or a change with 300 to 699; raises ImpossibleEventError where nothing is to be refused."""
        if call.turn is _CHANGE_ASKED:
            response = self._core.response(call, call.asked.request, status, headers, b"", reason)
            self._core.change(now, call, Move.REFUSE, response)
        elif call.state is _ARRIVED:
            response = self._core.response(call, call.server.request, status, headers, b"", reason)
            self._core.lead(now, call, Event.REFUSE, response)
        else:
            raise ImpossibleEventError(f"refusing while {call.state.value!r}")
        self._work(now)

    def hang_up(self, now: float, call: Call, *, headers: Fields = ()) -> None:
        """End a call in whatever state it is: by CANCEL, BYE, 480, or not at all where it is ending already.

        `headers`, such as a Reason, go into the CANCEL, BYE or 480.
        """
        call.bye_headers = tuple(headers)
        message = None
        if call.state is _ARRIVED:
            message = self._core.response(call, call.server.request, 480, headers, b"")
        self._core.lead(now, call, _HANG_UP, message)
        self._work(now)

    def reinvite(self, now: float, call: Call, *, headers: Fields = (), body: bytes = b"") -> None:
        """Ask for a change: Changed or Unchanged will tell. A glare is tried again without being told.

        Without a body the other side is to make the offer. Raises ImpossibleEventError unless the call is up and
        nothing else about it is being changed.
        """
        if call.state is not State.UP:
            raise ImpossibleEventError(f"a re-INVITE while {call.state.value!r}")
        call.wish = (headers, body)
        self._core.change(now, call, Move.ASK)
        self._work(now)

    def take_up(self, now: float, side: Side, at: float) -> Call:
        """Go on with a call that another user agent of the same addresses had, as it was `at` that moment.

        Raises ImpossibleEventError for one that is known already.
        """
        call = take_up(self._core, now, side, at)
        self._work(now)
        return call

    def let_go(self, call: Call) -> None:
        """Forget a call without a word, as another user agent goes on with it; nobody is told."""
        let_go(self._core, call)

    # Other requests.

    def request(
        self,
        now: float,
        method: str,
        uri: Uri,
        from_: Address,
        to: Address,
        *,
        routes: Sequence[Address] = (),
        headers: Fields = (),
        body: bytes = b"",
    ) -> Asking:
        """Send a request outside any dialog, such as OPTIONS; Replied will tell."""
        flow, via = self._core.way(routes[0].uri if routes else uri, None)
        request = Request.build(
            method,
            uri,
            via=via,
            from_=from_.with_tag(self._ids.tag()),
            to=to,
            call_id=self._ids.word(),
            cseq=1,
            headers=[*(("Route", route) for route in routes), *headers],
            body=body,
        )
        return self._ask(now, flow, Asking(self._core.authorized(request)))

    def request_within(self, now: float, call: Call, method: str, *, headers: Fields = (), body: bytes = b"") -> Asking:
        """Send a request within a call, such as INFO; Replied tells. Raises ImpossibleEventError unless it is up."""
        if call.state is not State.UP:
            raise ImpossibleEventError(f"{method} while {call.state.value!r}")
        flow, request = self._core.request_within(call, method, headers, body)
        return self._ask(now, flow, Asking(request, call, headers, body))

    def respond(
        self,
        now: float,
        asked: Asked,
        status: int,
        reason: str | None = None,
        *,
        headers: Fields = (),
        body: bytes = b"",
    ) -> None:
        """Answer a request that Asked has told of."""
        tag = self._ids.tag() if asked.call is None else asked.call.tag
        response = Response.answer(asked.request, status, reason, to_tag=tag, headers=headers, body=body)
        self._transactions.respond(now, asked.transaction, response)
        self._work(now)

    def _ask(self, now: float, flow: Flow, asking: Asking) -> Asking:
        self._client.ask(now, flow, asking)
        self._work(now)
        return asking

    # What the transactions tell.

    def _work(self, now: float) -> None:
        core, heard = self._core, True
        while heard:
            heard = False
            for output in self._transactions.take():
                if type(output) is Send:
                    core.out.append(output)
                elif (hear := _HEARING.get(type(output))) is not None:
                    heard = True
                    hear(self, now, output)

    def _timed_out(self, now: float, event: TimedOut) -> None:
        if isinstance(event.transaction, ClientTransaction):
            self._client.failed(now, event.transaction, Event.TIMED_OUT)

    def _transport_failed(self, now: float, event: TransportFailed) -> None:
        if isinstance(event.transaction, ClientTransaction):
            self._client.failed(now, event.transaction, Event.BROKEN)
        elif isinstance(event.transaction, ServerTransaction):
            self._server.broken(now, event.transaction)

    def _terminated(self, now: float, event: Terminated) -> None:
        transaction = event.transaction
        if isinstance(transaction, ClientTransaction):
            self._client.terminated(now, transaction)
        elif isinstance(transaction, ServerTransaction):
            self._core.came.pop(transaction, None)

    def _overflowed(self, _: float, event: Overflow) -> None:
        self._transactions.send(event.flow, Response.answer(event.request, 503, to_tag=self._ids.tag()))


_HEARING: Final[Mapping[type, Callable[[UserAgent, float, Any], None]]] = {
    ResponseReceived: lambda own, now, event: own._client.answered(now, event.transaction, event.response),
    RequestReceived: lambda own, now, event: own._server.requested(now, event.transaction),
    AckReceived: lambda own, now, event: own._server.acknowledged(now, event.ack),
    TimedOut: UserAgent._timed_out,
    TransportFailed: UserAgent._transport_failed,
    Terminated: UserAgent._terminated,
    Overflow: UserAgent._overflowed,
}
"""What is done about what the transactions tell."""
