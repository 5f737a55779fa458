"""A user agent: calls and other requests over the transaction layer (RFC 3261 §8, §12 to §15).

    agent = UserAgent(contact, Ids(secrets.randbits), locate)
    call = agent.invite(now, uri, from_, to, body=offer)
    for output in agent.take(): ...              # Send goes out; the rest tells of calls: Progress, Up, Ended ...
    agent.receive(now, flow, parse(data))
    wake_at(agent.deadline())                    # and then: agent.fire(now)

Events and verbs are flat: every call is told of by `Arrived` or begun by `invite`, and ends with one `Ended`.
"""

from collections.abc import Sequence
from typing import Final

from sbc.decisions.table import ImpossibleEventError
from sbc.sip.call import Asked, Asking, Call, Draft, Locate, Output, Replied
from sbc.sip.calls import REPEATS, Calls, Purpose, description
from sbc.sip.dialog import Dialog
from sbc.sip.digest import DigestClient
from sbc.sip.duties import OWN, refusal
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address
from sbc.sip.ids import Ids
from sbc.sip.message import Fields, Request, Response
from sbc.sip.offer import State as OfferState
from sbc.sip.sdp import MEDIA_TYPE
from sbc.sip.session_timer import TIMER, Timing
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
    UserEvent,
)
from sbc.sip.transactions import Transactions
from sbc.sip.uri import Uri
from sbc.sip.usage import CALL, Event, Move, State, Turn
from sbc.sip.validate import validate

GONE: Final = frozenset([404, 408, 410, 416, 481, 482, 483, 484, 485, 502, 604])
"""Answers to a request in a dialog that end the call (RFC 5057 §5.1; RFC 3261 §12.2.1.2)."""


_USUAL: Final = Timing()


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
        self._allow = (*OWN, *allow)
        self._timing = timing
        self._calls = Calls(self._transactions, ids, locate, contact, login, ", ".join(self._allow))
        self._asking: dict[ClientTransaction, Asking] = {}

    def __len__(self) -> int:
        """Return how many calls are kept."""
        return len(self._calls.by_name)

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
        return min(self._transactions.deadline(), self._calls.agenda.next())

    def fire(self, now: float) -> None:
        """Do all that is due."""
        self._transactions.fire(now)
        self._work(now)
        while (due := self._calls.agenda.take(now)) is not None:
            self._calls.due(now, *due)
            self._work(now)

    def take(self) -> list[Output]:
        """Return what is to be sent and told since the last time, in order."""
        out, self._calls.out = self._calls.out, []
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
        """Call someone; without a body the other side is to make the offer. `routes` are proxies to pass, §8.1.2."""
        call = Call(self._ids.word(), self._ids.tag(), self._timing, outgoing=True)
        call.draft = Draft(uri, from_.with_tag(call.tag), to, routes, headers, body)
        self._calls.by_name[call.call_id, call.tag] = call
        self._calls.lead(now, call, Event.INVITE)
        self._work(now)
        return call

    def ring(self, now: float, call: Call, status: int = 180, *, headers: Fields = (), body: bytes = b"") -> None:
        """Answer a call that came in provisionally, 101 to 199; a body is the answer that the 2xx will repeat.

        Raises ImpossibleEventError for a call that is no longer to be answered, or a body where no answer is due.
        """
        if call.state is not State.ARRIVED:
            raise ImpossibleEventError(f"ringing while {call.state.value!r}")
        if body:
            call.session.preview()
        response = self._calls.response(call, call.server.request, status, headers, body)
        if call.dialog is None:
            call.dialog = Dialog.as_callee(call.server.request, response)
        self._transactions.respond(now, call.server, response)
        self._work(now)

    def answer(self, now: float, call: Call, *, headers: Fields = (), body: bytes = b"") -> None:
        """Accept what was told by Arrived, Offered or ChangeAsked; raises ImpossibleEventError where nothing was."""
        if call.state is State.OWING:
            call.session.sent(body)
            self._calls.lead(now, call, Event.ANSWER, call.owed)
        elif call.turn is Turn.OWING:
            call.session.sent(body)
            self._calls.change(now, call, Move.ANSWER, call.owed)
        elif call.turn is Turn.ASKED:
            response = self._calls.response(call, call.asked.request, 200, headers, body)
            self._calls.change(now, call, Move.ANSWER, response)
        elif call.state is State.ARRIVED:
            response = self._calls.response(call, call.server.request, 200, headers, body)
            if call.dialog is None:
                call.dialog = Dialog.as_callee(call.server.request, response)
            self._calls.lead(now, call, Event.ANSWER, response)
        else:
            raise ImpossibleEventError(f"answering while {call.state.value!r}")
        self._work(now)

    def refuse(self, now: float, call: Call, status: int, reason: str | None = None, *, headers: Fields = ()) -> None:
        """Refuse a call or a change with 300 to 699; raises ImpossibleEventError where nothing is to be refused."""
        if call.turn is Turn.ASKED:
            response = self._calls.response(call, call.asked.request, status, headers, b"", reason)
            self._calls.change(now, call, Move.REFUSE, response)
        elif call.state is State.ARRIVED:
            response = self._calls.response(call, call.server.request, status, headers, b"", reason)
            self._calls.lead(now, call, Event.REFUSE, response)
        else:
            raise ImpossibleEventError(f"refusing while {call.state.value!r}")
        self._work(now)

    def hang_up(self, now: float, call: Call, *, headers: Fields = ()) -> None:
        """End a call in whatever state it is: by CANCEL, BYE, 480, or not at all where it is ending already.

        `headers`, such as a Reason, go into a BYE or the 480.
        """
        call.bye_headers = headers
        message = None
        if call.state is State.ARRIVED:
            message = self._calls.response(call, call.server.request, 480, headers, b"")
        self._calls.lead(now, call, Event.HANG_UP, message)
        self._work(now)

    def reinvite(self, now: float, call: Call, *, headers: Fields = (), body: bytes = b"") -> None:
        """Ask for a change: Changed or Unchanged will tell. A glare is tried again without being told.

        Without a body the other side is to make the offer. Raises ImpossibleEventError unless the call is up and
        nothing else about it is being changed.
        """
        if call.state is not State.UP:
            raise ImpossibleEventError(f"a re-INVITE while {call.state.value!r}")
        call.wish, call.quiet = (headers, body), False
        self._calls.change(now, call, Move.ASK)
        self._work(now)

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
        flow, via = self._calls.way(routes[0].uri if routes else uri, None)
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
        return self._ask(now, flow, Asking(self._calls.authorized(request)))

    def request_within(self, now: float, call: Call, method: str, *, headers: Fields = (), body: bytes = b"") -> Asking:
        """Send a request within a call, such as INFO; Replied tells. Raises ImpossibleEventError unless it is up."""
        if call.state is not State.UP:
            raise ImpossibleEventError(f"{method} while {call.state.value!r}")
        flow, request = self._calls.request_within(call, method, headers, body)
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
        self._asking[self._transactions.request(now, flow, asking.request)] = asking
        self._work(now)
        return asking

    # What the transactions tell.

    def _work(self, now: float) -> None:
        while outputs := self._transactions.take():
            for output in outputs:
                if isinstance(output, Send):
                    self._calls.out.append(output)
                else:
                    self._hear(now, output)

    def _hear(self, now: float, event: UserEvent) -> None:
        match event:
            case ResponseReceived(transaction, response):
                self._answered(now, transaction, response)
            case RequestReceived(transaction):
                self._requested(now, transaction)
            case AckReceived(ack=ack):
                self._acknowledged(now, ack)
            case TimedOut(ClientTransaction() as own):
                self._failed(now, own, Event.TIMED_OUT)
            case TransportFailed(ClientTransaction() as own):
                self._failed(now, own, Event.BROKEN)
            case TransportFailed(ServerTransaction() as theirs):
                call = self._calls.came.get(theirs)
                if call is not None and call.state is State.ARRIVED:
                    self._calls.lead(now, call, Event.BROKEN)
            case Terminated(ClientTransaction() as own):
                self._terminated(now, own)
            case Terminated(ServerTransaction() as theirs):
                self._calls.came.pop(theirs, None)
            case Overflow(flow, request):
                self._transactions.send(flow, Response.answer(request, 503, to_tag=self._ids.tag()))

    # Responses.

    def _answered(self, now: float, transaction: ClientTransaction, response: Response) -> None:
        if transaction in self._asking:
            if response.status >= 200:
                self._replied(now, transaction, response)
            return
        sent = self._calls.sent.get(transaction)
        if sent is None or sent.call is None or not _readable(response):
            return
        call = sent.call
        match sent.purpose:
            case Purpose.INVITE if transaction is call.client:
                self._invite_answered(now, call, transaction, response)
            case Purpose.CHANGE:
                self._change_answered(now, call, transaction, response)
            case Purpose.BYE if response.status >= 200:
                del self._calls.sent[transaction]
                if self._calls.may_try_again(transaction.request, response, sent.tries):
                    self._calls.bye_again(now, call, sent.tries + 1)
                else:
                    self._calls.lead(now, call, Event.BYE_DONE, response)

    def _invite_answered(self, now: float, call: Call, transaction: ClientTransaction, response: Response) -> None:
        if response.status < 200:
            self._calls.progressed(now, call, response)
        elif response.status < 300:
            self._calls.succeeded(now, call, response)
        else:
            call.client = None
            again = self._tries_again(call, transaction.request, response)
            self._calls.lead(now, call, Event.AGAIN if again else Event.FAILURE, response)

    def _change_answered(self, now: float, call: Call, transaction: ClientTransaction, response: Response) -> None:
        if 200 <= response.status < 300:
            self._calls.change_succeeded(now, call, response)
        elif response.status >= 300 and transaction is call.asking and call.turn is Turn.ASKING:
            call.asking = None
            if self._tries_again(call, transaction.request, response):
                call.session.dropped()
                self._calls.change(now, call, Move.AGAIN, response)
            elif response.status == 491:
                self._calls.change(now, call, Move.GLARE, response)
            else:
                self._calls.change(now, call, Move.FAILURE, response)
                if response.status in GONE:
                    self._calls.lead(now, call, Event.GONE, response)

    def _tries_again(self, call: Call, request: Request, response: Response) -> bool:
        """Take what a refused INVITE lacks; false where the refusal stands."""
        if response.status == 422 and call.tries < REPEATS:
            longer = call.timing.after(response)
            again = longer is not None
            call.timing = longer or call.timing
        else:
            again = self._calls.may_try_again(request, response, call.tries)
        call.tries = call.tries + 1 if again else 0
        return again

    def _replied(self, now: float, transaction: ClientTransaction, response: Response | None) -> None:
        asking = self._asking.pop(transaction)
        call = asking.call
        request = transaction.request
        if response is not None and self._calls.may_try_again(request, response, asking.tries):
            if call is None or call.dialog is None:
                flow, via = self._calls.way(request.routes[0].uri if request.routes else request.uri, transaction.flow)
                cseq = request.cseq._replace(number=request.cseq.number + 1)
                fields = request.headers.replace("Via", via).replace("CSeq", cseq)
                again = self._calls.authorized(request.with_headers(fields))
            else:
                flow, again = self._calls.request_within(call, request.method, asking.headers, asking.body)
            asking.request, asking.tries = again, asking.tries + 1
            self._ask(now, flow, asking)
            return
        asking.call = None
        self._calls.out.append(Replied(asking, response))
        if call is not None and (response is None or response.status in GONE) and (call.state, Event.GONE) in CALL:
            self._calls.lead(now, call, Event.GONE, response)

    def _failed(self, now: float, transaction: ClientTransaction, why: Event) -> None:
        if transaction in self._asking:
            self._replied(now, transaction, None)
            return
        sent = self._calls.sent.get(transaction)
        if sent is None or sent.call is None:
            return
        call = sent.call
        match sent.purpose:
            case Purpose.INVITE if transaction is call.client:
                self._lead_if_drawn(now, call, why)
            case Purpose.CHANGE if transaction is call.asking and call.turn is Turn.ASKING:
                call.asking = None
                self._calls.change(now, call, Move.FAILURE)
                self._calls.lead(now, call, Event.GONE)
            case Purpose.BYE:
                self._calls.lead(now, call, Event.BYE_DONE)

    def _terminated(self, now: float, transaction: ClientTransaction) -> None:
        """Let go of a transaction; one that ends without having brought a usable final response has brought none."""
        sent = self._calls.sent.pop(transaction, None)
        if sent is None or sent.call is None or sent.purpose not in (Purpose.INVITE, Purpose.CHANGE):
            return
        call, number = sent.call, transaction.request.cseq.number
        call.acks = {key: ack for key, ack in call.acks.items() if key[0] != number}
        if transaction is call.client:
            call.client = None
            self._lead_if_drawn(now, call, Event.TIMED_OUT)
            self._calls.forget(call)

    def _lead_if_drawn(self, now: float, call: Call, event: Event, message: Request | None = None) -> None:
        if (call.state, event) in CALL:
            self._calls.lead(now, call, event, message)

    # Requests.

    def _requested(self, now: float, transaction: ServerTransaction) -> None:
        request = transaction.request
        try:
            refused = refusal(request, merged=transaction.merged, allow=self._allow, timing=self._timing)
        except ParseError as error:
            self._reply(now, transaction, error.status or 400)
            return
        call = self._find(request)
        if request.method == "CANCEL":
            self._cancelled(now, transaction)
        elif refused is not None:
            self._reply(now, transaction, refused.status, refused.headers, tag=call.tag if call else None)
        elif request.to.tag is None:
            self._requested_anew(now, transaction)
        elif call is None or (call.dialog is None and not call.early and call.state is not State.CALLING):
            self._reply(now, transaction, 481)
        else:
            self._requested_within(now, call, transaction)

    def _requested_anew(self, now: float, transaction: ServerTransaction) -> None:
        request = transaction.request
        match request.method:
            case "INVITE":
                call = Call(request.call_id, self._ids.tag(), self._timing, outgoing=False)
                call.server, call.request, call.flow = transaction, request, transaction.flow
                if body := description(request):
                    call.session.came(body)
                self._calls.by_name[call.call_id, call.tag] = call
                self._calls.came[transaction] = call
                self._calls.lead(now, call, Event.ARRIVES, request)
            case "OPTIONS":
                self._reply(now, transaction, 200, self._abilities)
            case "BYE":
                self._reply(now, transaction, 481)
            case _:
                self._calls.out.append(Asked(transaction, None))

    @property
    def _abilities(self) -> tuple[tuple[str, object], ...]:
        return ("Allow", ", ".join(self._allow)), ("Accept", MEDIA_TYPE), ("Supported", TIMER)

    def _find(self, request: Request) -> Call | None:
        """Return the call whose other end sends a request, early dialogs and those not heard of yet included."""
        call = self._calls.by_name.get((request.call_id, request.to.tag or ""))
        if call is None or call.state is State.OVER:
            return None
        theirs = request.from_.tag or ""
        if call.dialog is not None:
            return call if (call.dialog.remote.tag or "") == theirs else None
        if call.outgoing:
            return call
        return call if (call.request.from_.tag or "") == theirs else None

    def _requested_within(self, now: float, call: Call, transaction: ServerTransaction) -> None:
        request = transaction.request
        leg = call.early.get(request.from_.tag or "")
        dialog = leg.dialog if leg is not None else call.dialog
        if dialog is not None and not dialog.takes(request):
            self._reply(now, transaction, 500, tag=call.tag)
            return
        match request.method:
            case "INVITE":
                if dialog is None:
                    self._reply(now, transaction, 481)
                else:
                    self._calls.reinvited(now, call, transaction)
            case "BYE":
                self._reply(now, transaction, 200, tag=call.tag)
                self._calls.lead(now, call, Event.BYE, request)
            case "OPTIONS":
                self._reply(now, transaction, 200, self._abilities, tag=call.tag)
            case _:
                self._calls.out.append(Asked(transaction, call))

    def _cancelled(self, now: float, transaction: ServerTransaction) -> None:
        invite = transaction.cancels
        call = None if invite is None else self._calls.came.get(invite)
        self._reply(now, transaction, 481 if invite is None else 200, tag=call.tag if call else None)
        if call is not None:
            if invite is call.server:
                self._calls.lead(now, call, Event.CANCEL, transaction.request)
            elif invite is call.asked and call.turn in (Turn.ASKED, Turn.GRANTED):
                self._calls.change(now, call, Move.CANCEL, transaction.request)

    def _acknowledged(self, now: float, ack: Request) -> None:
        call = self._find(ack)
        if call is None:
            return
        number = ack.cseq.number
        if call.turn is Turn.GRANTED and call.asked.request.cseq.number == number:
            self._answer_came(call, ack)
            self._calls.change(now, call, Move.ACK, ack)
        elif not call.outgoing and call.server.request.cseq.number == number:
            self._answer_came(call, ack)
            self._lead_if_drawn(now, call, Event.ACK, ack)

    @staticmethod
    def _answer_came(call: Call, ack: Request) -> None:
        """Take the answer that an ACK carries where our 2xx made the offer; without one the offer is void."""
        if call.session.state is OfferState.OFFERED:
            if body := description(ack):
                call.session.came(body)
            else:
                call.session.dropped()

    def _reply(
        self, now: float, transaction: ServerTransaction, status: int, headers: Fields = (), tag: str | None = None
    ) -> None:
        response = Response.answer(transaction.request, status, to_tag=tag or self._ids.tag(), headers=headers)
        self._transactions.respond(now, transaction, response)


def _readable(response: Response) -> bool:
    """Say whether all that a call needs of a response can be read; one of which it cannot counts as not come."""
    try:
        read = (
            response.contacts,
            response.record_routes,
            response.session_expires,
            response.min_se,
            response.content_type,
        )
        del read
    except ParseError:
        return False
    return True
