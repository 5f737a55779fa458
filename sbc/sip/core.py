"""What the two tables of a call work on: all calls of one user agent, their timers and their requests."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final, NamedTuple, TypeAlias

from sbc.decisions.session import hang_up_after, refresh_after
from sbc.decisions.table import Table
from sbc.decisions.timers import T1, T2
from sbc.sip.agenda import Agenda
from sbc.sip.call import Call, Chore, Kept, Locate, Output
from sbc.sip.customary import Customary
from sbc.sip.dialog import Dialog
from sbc.sip.dialog import Event as DialogEvent
from sbc.sip.dialog import State as DialogState
from sbc.sip.digest import FIELDS, DigestClient
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address, Via
from sbc.sip.headers import Headers
from sbc.sip.ids import Ids
from sbc.sip.message import Fields, Request, Response
from sbc.sip.offer import Negotiation
from sbc.sip.offer import State as OfferState
from sbc.sip.sdp import MEDIA_TYPE
from sbc.sip.session_timer import Terms, granted
from sbc.sip.transaction import ClientTransaction, Flow, Send, ServerTransaction
from sbc.sip.transactions import Transactions
from sbc.sip.uri import Uri
from sbc.sip.usage import CALL, CHANGE, Event, Move, State, Turn

PATIENCE: Final = 64 * T1
"""Seconds until a 2xx without ACK (§13.3.1.4), or a CANCEL without effect (§9.1), is given up."""

REPEATS: Final = 3
"""Times that one request is tried again with credentials or a longer interval."""

_ENDS: Final = frozenset(
    [
        Event.FAILURE, Event.TIMED_OUT, Event.BROKEN, Event.REFUSE, Event.HANG_UP, Event.CANCEL, Event.NO_ACK,
        Event.BYE, Event.GONE, Event.EXPIRED,
    ]
)  # fmt: skip
_LEFT: Final = frozenset([State.ENDING, State.OVER])
_OF_SESSION: Final = frozenset([Event.EXPIRED, Chore.REFRESH, Move.DUE])

# Read once: before Python 3.12 a member of an enumeration takes longer to read than a row of a table.
_OVER: Final = State.OVER
_STILL: Final = Turn.STILL
_EXPIRED: Final = Event.EXPIRED
_REFRESH: Final = Chore.REFRESH
_TERMINATED: Final = DialogState.TERMINATED
_ENDED: Final = DialogEvent.ENDED
_IDLE: Final = OfferState.IDLE
_OFFERED: Final = OfferState.OFFERED


class Purpose(Enum):
    """What a request of a call is for."""

    INVITE = auto()
    CHANGE = auto()
    BYE = auto()
    CANCEL = auto()


class Sent(NamedTuple):
    """A request under way: for which call, if it is not for a branch nobody wants, and how often it was tried."""

    call: Call | None
    purpose: Purpose
    tries: int = 0


Doing: TypeAlias = "Callable[[Core, float, Call, Any], None]"
"""What an effect does: of all calls, at a time, in one of them, upon the message that the event came with."""

Calls: TypeAlias = Table[State, Event, tuple[State, tuple[Doing, ...]]]
Changes: TypeAlias = Table[Turn, Move, tuple[Turn, tuple[Doing, ...]]]


class Core:
    """The calls of one user agent, led through their tables."""

    def __init__(
        self,
        transactions: Transactions,
        ids: Ids,
        locate: Locate,
        contact: Address,
        login: DigestClient | None,
        allow: str,
        calls: Calls,
        changes: Changes,
    ) -> None:
        """``calls``, ``changes``: the tables, each effect and deed replaced by what carries it out."""
        self._calls = calls
        self._changes = changes
        self.transactions = transactions
        self.ids = ids
        self.locate = locate
        self.login = login
        self._customary = Customary(contact, allow)
        self.by_name: dict[tuple[str, str], Call] = {}
        """By Call-ID and our tag."""
        self.sent: dict[ClientTransaction, Sent] = {}
        self.came: dict[ServerTransaction, Call] = {}
        """INVITEs under way that came."""
        self.agenda: Agenda[Call, Event | Move | Chore] = Agenda()
        self.out: list[Output] = []

    # The tables.

    def lead(self, now: float, call: Call, event: Event, message: Request | Response | None = None) -> None:
        """Lead a call through one row of its table; raises ImpossibleEventError where there is none."""
        before = call.state
        state, effects = self._calls[before, event]
        if state is not before:
            call.state = state
            if call.why is None and event in _ENDS:
                call.why = event
            if call.appointments:
                for each in [each for each in call.appointments if type(each) is Event and (state, each) not in CALL]:
                    self.call_off(call, each)
            if state in _LEFT and before not in _LEFT:
                self._leave(now, call)
        for effect in effects:
            effect(self, now, call, message)
        if state is _OVER:
            self.forget(call)

    def change(self, now: float, call: Call, move: Move, message: Request | Response | None = None) -> None:
        """Lead a change through one row of its table; raises ImpossibleEventError where there is none."""
        before = call.turn
        turn, deeds = self._changes[before, move]
        if turn is not before:
            call.turn = turn
            for each in [each for each in call.appointments if type(each) is Move and (turn, each) not in CHANGE]:
                if each is not Move.DUE:
                    self.call_off(call, each)
        for deed in deeds:
            deed(self, now, call, message)

    def due(self, now: float, call: Call, what: Event | Move | Chore) -> None:
        """Do what the agenda says."""
        del call.appointments[what]
        if isinstance(what, Event):
            self.lead(now, call, what)
        elif isinstance(what, Move):
            self.change(now, call, what)
        else:
            self._refresh(now, call)

    def forget(self, call: Call) -> None:
        """Let go of a call that is over, unless 2xx to its INVITE may still come."""
        if call.state is _OVER and call.client is None:
            self.by_name.pop((call.call_id, call.tag), None)
            call.acks.clear()

    def _leave(self, now: float, call: Call) -> None:
        """The session ends: whatever is under way in it is put to an end."""
        for each in [each for each in call.appointments if each in _OF_SESSION]:
            self.call_off(call, each)
        if call.turn is not _STILL:
            self.change(now, call, Move.LEFT)
        for leg in call.early.values():
            leg.dialog.tell(_ENDED)
        call.early.clear()
        call.wish = None
        if call.dialog is not None and call.dialog.state is not _TERMINATED:
            call.dialog.tell(_ENDED)

    # Time.

    def at(self, due: float, call: Call, what: Event | Move | Chore) -> None:
        """Enter something that is due in a call, in place of what was entered under its name."""
        if what in call.appointments:
            self.call_off(call, what)
        call.appointments[what] = self.agenda.set(due, call, what)

    def call_off(self, call: Call, what: Event | Move | Chore) -> None:
        """Strike something out that is due, if it is."""
        appointment = call.appointments.pop(what, None)
        if appointment is not None:
            self.agenda.call_off(appointment)

    # Requests.

    def way(self, uri: Uri, flow: Flow | None) -> tuple[Flow, Via]:
        """Return the flow to a next hop, and a Via with a new branch."""
        there, via = self.locate(uri, flow)
        return there, via.with_branch(self.ids.branch())

    def authorized(self, request: Request) -> Request:
        """Return a request with the credentials that we have."""
        return request if self.login is None else self.login.authorize(request, self.ids.word())

    def may_try_again(self, request: Request, response: Response, tries: int) -> bool:
        """Take a challenge; say whether it makes sense to try again (§22.1)."""
        if response.status not in FIELDS or self.login is None or tries >= REPEATS:
            return False
        try:
            return self.login.take(request, response)
        except ParseError:
            return False

    def request_within(self, call: Call, method: str, headers: Fields, body: bytes) -> tuple[Flow, Request]:
        """Return our next request in a call's dialog, and the flow that it goes on."""
        flow, via = self.way(call.established.next_hop, call.flow)
        return flow, self.authorized(call.established.request(method, via, headers, body))

    # What INVITEs, first or later, have in common.

    def session_headers(self, call: Call, body: bytes, headers: Fields) -> Headers:
        """Return the header fields of an INVITE, first or later."""
        return self._customary.invite(call.timing, call.terms, headers, body)

    def acknowledge(self, now: float, call: Call, message: Any) -> None:
        """Acknowledge a 2xx to our first INVITE or re-INVITE: with one ACK for all its copies."""
        del now
        response: Response = call.owed or message
        key = (response.cseq.number, response.to_tag or "")
        if key not in call.acks:
            body = (call.session.local or b"") if call.owed is not None else b""
            if call.session.state is not _IDLE:
                body = b""
                call.session.dropped()
            call.owed = None
            call.acks[key] = self.ack(call.established, call.flow, call.request, body)
        self.pass_on(call.acks[key])

    def ack(self, dialog: Dialog, flow: Flow | None, request: Request, body: bytes = b"") -> Send:
        """Return the ACK for a 2xx: the way of the dialog, the number and the credentials of the INVITE (§13.2.2.4)."""
        flow, via = self.way(dialog.next_hop, flow)
        fields: list[tuple[str, object]] = [
            (field.answer, value) for field in FIELDS.values() for value in request.headers.values(field.answer)
        ]
        if body:
            fields.append(("Content-Type", MEDIA_TYPE))
        return Send(flow, dialog.ack(request.cseq, via, fields, body))

    def pass_on(self, send: Send) -> None:
        """Send what has no transaction."""
        self.transactions.send(send.flow, send.message)

    def response(
        self, call: Call, request: Request, status: int, headers: Fields, body: bytes, reason: str | None = None
    ) -> Response:
        """Return a response to their INVITE."""
        if 200 <= status < 300:
            headers = self._customary.success(granted(call.timing, request), headers, body)
        elif status < 200:
            headers = self._customary.provisional(headers, body)
        return Response.answer(request, status, reason, to_tag=call.tag, headers=headers, body=body)

    def accept(self, now: float, call: Call, transaction: ServerTransaction, response: Response) -> None:
        """Send a 2xx for the first time, and begin the session anew that it agrees on."""
        call.kept, call.pause = Kept(transaction, response), T1
        if body := description(response):
            call.session.sent(body)
        else:
            call.session.dropped()
        self.start_session(now, call, granted(call.timing, transaction.request))
        self.transactions.respond(now, transaction, response)

    def resend(self, now: float, call: Call, again: Event | Move) -> None:
        """Send the 2xx again, and enter the next time."""
        if call.kept is not None:
            self.transactions.respond(now, call.kept.transaction, call.kept.response)
        call.pause = min(2 * call.pause, T2)
        self.at(now + call.pause, call, again)

    def start_session(self, now: float, call: Call, terms: Terms | None) -> None:
        """Let the session timer run from now, on these terms or not at all."""
        call.terms = terms
        if call.appointments:
            self.call_off(call, _EXPIRED)
            self.call_off(call, _REFRESH)
        if terms is not None:
            self.at(now + hang_up_after(terms.interval), call, _EXPIRED)
            if terms.ours:
                self.at(now + refresh_after(terms.interval), call, _REFRESH)

    def _refresh(self, now: float, call: Call) -> None:
        """Refresh the session; where that leads to nothing try again, until the session has expired (RFC 4028 §10)."""
        if call.terms is None:
            return
        interval = call.terms.interval
        self.at(now + (hang_up_after(interval) - refresh_after(interval)) / 4, call, Chore.REFRESH)
        if call.turn is Turn.STILL and call.state is State.UP and Move.DUE not in call.appointments:
            call.wish = None
            self.change(now, call, Move.ASK)

    @staticmethod
    def take_answer(session: Negotiation, request: Request, response: Response) -> bool:
        """Take the description of a 2xx to us; say whether it is an offer, which our ACK has to answer.

        Of an answer the first counts, which a provisional response may have brought (§13.2.1).
        """
        body = description(response)
        if session.state is _OFFERED:
            if body:
                session.came(body)
            else:
                session.dropped()
        elif body and not request.body:
            session.came(body)
            return True
        return False


def description(message: Request | Response) -> bytes:
    """Return the session description that a message carries, empty if there is none."""
    return message.body if message.body and message.content_type == MEDIA_TYPE else b""
