"""What calls do: the effects of the tables in :mod:`sbc.sip.usage`."""

from collections.abc import Callable
from enum import Enum, auto
from math import floor
from typing import Any, Final, NamedTuple, TypeAlias

from sbc.decisions.session import hang_up_after, refresh_after
from sbc.decisions.table import follow
from sbc.decisions.timers import T1, T2
from sbc.sip.agenda import Agenda
from sbc.sip.call import (
    Arrived,
    Call,
    ChangeAsked,
    Changed,
    Chore,
    Ended,
    Leg,
    Locate,
    Offered,
    Output,
    Progress,
    Unchanged,
    Up,
)
from sbc.sip.dialog import Dialog
from sbc.sip.dialog import Event as DialogEvent
from sbc.sip.dialog import State as DialogState
from sbc.sip.digest import FIELDS, DigestClient
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address, Via
from sbc.sip.hop import cancel_for
from sbc.sip.ids import Ids
from sbc.sip.message import Fields, Request, Response
from sbc.sip.offer import Negotiation
from sbc.sip.offer import State as OfferState
from sbc.sip.sdp import MEDIA_TYPE
from sbc.sip.session_timer import TIMER, Terms, asked, grant, granted, settled
from sbc.sip.transaction import ClientTransaction, Flow, Send, ServerTransaction
from sbc.sip.transactions import Transactions
from sbc.sip.uri import Uri
from sbc.sip.usage import CALL, CHANGE, Deed, Effect, Event, Move, State, Turn

PATIENCE: Final = 64 * T1
"""Seconds until a 2xx without ACK (§13.3.1.4), or a CANCEL without effect (§9.1), is given up."""

BRANCHES: Final = 64
"""Branches of one INVITE that are kept apart; what more there are is not answered."""

REPEATS: Final = 3
"""Times that one request is tried again with credentials or a longer interval."""

_ENDS: Final = frozenset(
    [
        Event.FAILURE, Event.TIMED_OUT, Event.BROKEN, Event.REFUSE, Event.HANG_UP, Event.CANCEL, Event.NO_ACK,
        Event.BYE, Event.GONE, Event.EXPIRED,
    ]
)  # fmt: skip
_LEFT: Final = frozenset([State.ENDING, State.OVER])


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


class Calls:
    """The calls of one user agent, led through their tables."""

    def __init__(
        self,
        transactions: Transactions,
        ids: Ids,
        locate: Locate,
        contact: Address,
        login: DigestClient | None,
        allow: str,
    ) -> None:
        self.transactions = transactions
        self.ids = ids
        self.locate = locate
        self.contact = contact
        self.login = login
        self.allow = allow
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
        state, effects = follow(CALL, before, event)
        if state is not before:
            call.state = state
            if call.why is None and event in _ENDS:
                call.why = event
            self._stop(call, Event, lambda timer: (state, timer) in CALL)
            if state in _LEFT and before not in _LEFT:
                self._leave(now, call)
        for effect in effects:
            _EFFECTS[effect](self, now, call, message)
        if state is State.OVER:
            self.forget(call)

    def change(self, now: float, call: Call, move: Move, message: Request | Response | None = None) -> None:
        """Lead a change through one row of its table; raises ImpossibleEventError where there is none."""
        before = call.turn
        turn, deeds = follow(CHANGE, before, move)
        if turn is not before:
            call.turn = turn
            self._stop(call, Move, lambda timer: timer is Move.DUE or (turn, timer) in CHANGE)
        for deed in deeds:
            _DEEDS[deed](self, now, call, message)

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
        if call.state is State.OVER and call.client is None:
            self.by_name.pop((call.call_id, call.tag), None)
            call.acks.clear()

    def _leave(self, now: float, call: Call) -> None:
        """The session ends: whatever is under way in it is put to an end."""
        for each in list(call.appointments):
            if each in (Event.EXPIRED, Chore.REFRESH, Move.DUE):
                self._call_off(call, each)
        if call.turn is not Turn.STILL:
            self.change(now, call, Move.LEFT)
        for leg in call.early.values():
            leg.dialog.tell(DialogEvent.REFUSED)
        call.early.clear()
        call.wish = None
        if call.dialog is not None and call.dialog.state is not DialogState.TERMINATED:
            call.dialog.tell(DialogEvent.BYE)

    # Time.

    def _at(self, due: float, call: Call, what: Event | Move | Chore) -> None:
        self._call_off(call, what)
        call.appointments[what] = self.agenda.set(due, call, what)

    def _call_off(self, call: Call, what: Event | Move | Chore) -> None:
        appointment = call.appointments.pop(what, None)
        if appointment is not None:
            self.agenda.call_off(appointment)

    def _stop(self, call: Call, kind: type[Event] | type[Move], stays: Callable[[Event | Move], bool]) -> None:
        for each in list(call.appointments):
            if isinstance(each, kind) and not stays(each):
                self._call_off(call, each)

    # Requests.

    def way(self, uri: Uri, flow: Flow | None) -> tuple[Flow, Via]:
        """Return the flow to a next hop, and a Via with a new branch."""
        there, via = self.locate(uri, flow)
        return there, via._replace(params=via.params.put("branch", self.ids.branch()))

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

    def _session_headers(self, call: Call, body: bytes, headers: Fields) -> list[tuple[str, object]]:
        fields: list[tuple[str, object]] = [
            ("Contact", self.contact),
            ("Allow", self.allow),
            ("Supported", TIMER),
            *asked(call.timing, call.terms),
            *headers,
        ]
        if body:
            fields.append(("Content-Type", MEDIA_TYPE))
        return fields

    def _send_invite(self, now: float, call: Call, _: object) -> None:
        draft = call.draft
        call.early.clear()
        call.number += 1
        routes = [("Route", route) for route in draft.routes]
        flow, via = self.way(draft.routes[0].uri if draft.routes else draft.uri, None)
        request = Request.build(
            "INVITE",
            draft.uri,
            via=via,
            from_=draft.from_,
            to=draft.to,
            call_id=call.call_id,
            cseq=call.number,
            headers=[*routes, *self._session_headers(call, draft.body, draft.headers)],
            body=draft.body,
        )
        call.flow, call.request = flow, self.authorized(request)
        call.session = _offering(draft.body)
        call.client = self.transactions.request(now, flow, call.request)
        self.sent[call.client] = Sent(call, Purpose.INVITE)

    def _send_cancel(self, now: float, call: Call, _: object) -> None:
        cancel = self.transactions.request(now, call.flow, cancel_for(call.request))
        self.sent[cancel] = Sent(call, Purpose.CANCEL)
        self._at(now + PATIENCE, call, Event.NO_FINAL)

    def _send_bye(self, now: float, call: Call, _: object, tries: int = 0) -> None:
        flow, request = self.request_within(call, "BYE", call.bye_headers, b"")
        self.sent[self.transactions.request(now, flow, request)] = Sent(call, Purpose.BYE, tries)

    def bye_again(self, now: float, call: Call, tries: int) -> None:
        """Send the BYE again, with credentials."""
        self._send_bye(now, call, None, tries)

    def _abandon(self, now: float, call: Call, _: object) -> None:
        if call.client is not None:
            self.transactions.abandon(now, call.client)

    # 2xx to our INVITEs.

    def succeeded(self, now: float, call: Call, response: Response) -> None:
        """Take a 2xx to our first INVITE, whichever branch and copy it is."""
        tag = response.to.tag or ""
        if call.dialog is not None:
            ours = (call.dialog.remote.tag or "") == tag
            self.lead(now, call, Event.COPY if ours else Event.BRANCH, response)
        elif call.state is State.OVER:
            self.lead(now, call, Event.BRANCH, response)
        else:
            self._confirm(call, tag, response)
            wants = self._take_answer(call.session, call.request, response)
            self._start_session(now, call, settled(response))
            call.owed = response if wants else None
            self.lead(now, call, Event.OFFER if wants else Event.SUCCESS, response)

    def _confirm(self, call: Call, tag: str, response: Response) -> None:
        leg = call.early.pop(tag, None)
        if leg is None:
            call.dialog = Dialog.as_caller(call.request, response)
            call.session = _offering(call.draft.body)
        else:
            call.dialog, call.session = leg
            call.dialog.confirm(response)

    @staticmethod
    def _take_answer(session: Negotiation, request: Request, response: Response) -> bool:
        """Take the description of a 2xx to us; say whether it is an offer, which our ACK has to answer.

        Of an answer the first counts, which a provisional response may have brought (§13.2.1).
        """
        body = description(response)
        if session.state is OfferState.OFFERED:
            if body:
                session.came(body)
            else:
                session.dropped()
        elif body and not request.body:
            session.came(body)
            return True
        return False

    def progressed(self, now: float, call: Call, response: Response) -> None:
        """Take a provisional response to our first INVITE: each branch has a dialog of its own."""
        tag = response.to.tag
        if tag and response.status > 100 and call.state in (State.CALLING, State.PROCEEDING):
            leg = call.early.get(tag)
            if leg is None and len(call.early) < BRANCHES:
                leg = call.early[tag] = Leg(Dialog.as_caller(call.request, response), _offering(call.draft.body))
            if leg is not None and leg.session.state is OfferState.OFFERED and (body := description(response)):
                leg.session.came(body)
        self.lead(now, call, Event.PROVISIONAL, response)

    def _send_ack(self, now: float, call: Call, message: Any) -> None:
        """Acknowledge a 2xx to our first INVITE or re-INVITE: with one ACK for all its copies."""
        del now
        response: Response = call.owed or message
        key = (response.cseq.number, response.to.tag or "")
        if key not in call.acks:
            body = (call.session.local or b"") if call.owed is not None else b""
            if call.session.state is not OfferState.IDLE:
                body = b""
                call.session.dropped()
            call.owed = None
            call.acks[key] = self._ack(call.established, call.flow, call.request, body)
        self._pass(call.acks[key])

    def _ack(self, dialog: Dialog, flow: Flow | None, request: Request, body: bytes = b"") -> Send:
        """Return the ACK for a 2xx: the way of the dialog, the number and the credentials of the INVITE (§13.2.2.4)."""
        flow, via = self.way(dialog.next_hop, flow)
        fields: list[tuple[str, object]] = [
            (field.answer, value) for field in FIELDS.values() for value in request.headers.values(field.answer)
        ]
        if body:
            fields.append(("Content-Type", MEDIA_TYPE))
        return Send(flow, dialog.ack(request.cseq, via, fields, body))

    def _pass(self, send: Send) -> None:
        self.transactions.send(send.flow, send.message)

    def _end_branch(self, now: float, call: Call, message: Any) -> None:
        key = (message.cseq.number, message.to.tag or "")
        if key in call.acks:
            self._pass(call.acks[key])
        elif len(call.acks) < BRANCHES:
            dialog = Dialog.as_caller(call.request, message)
            call.acks[key] = self._ack(dialog, call.flow, call.request)
            self._pass(call.acks[key])
            flow, via = self.way(dialog.next_hop, call.flow)
            bye = self.transactions.request(now, flow, self.authorized(dialog.request("BYE", via)))
            self.sent[bye] = Sent(None, Purpose.BYE)

    # Answering theirs.

    def response(
        self, call: Call, request: Request, status: int, headers: Fields, body: bytes, reason: str | None = None
    ) -> Response:
        """Return a response to their INVITE."""
        fields: list[tuple[str, object]] = []
        if status < 300:
            fields += [("Contact", self.contact), ("Allow", self.allow), ("Supported", TIMER)]
        if 200 <= status < 300:
            fields += grant(granted(call.timing, request))
        fields += headers
        if body:
            fields.append(("Content-Type", MEDIA_TYPE))
        return Response.answer(request, status, reason, to_tag=call.tag, headers=fields, body=body)

    def _send_2xx(self, now: float, call: Call, message: Any) -> None:
        if call.dialog is not None:
            call.dialog.tell(DialogEvent.ACCEPTED)
        self._give(now, call, call.server, message)
        self._at(now + T1, call, Event.RESEND)
        self._at(now + PATIENCE, call, Event.NO_ACK)

    def _give(self, now: float, call: Call, transaction: ServerTransaction, response: Response) -> None:
        call.kept, call.kept_in, call.pause = response, transaction, T1
        if body := description(response):
            call.session.sent(body)
        self._start_session(now, call, granted(call.timing, transaction.request))
        self.transactions.respond(now, transaction, response)

    def _resend(self, now: float, call: Call, again: Event | Move) -> None:
        self.transactions.respond(now, call.kept_in, call.kept)
        call.pause = min(2 * call.pause, T2)
        self._at(now + call.pause, call, again)

    def _refuse(self, now: float, call: Call, message: Any) -> None:
        self.transactions.respond(now, call.server, message)

    def _send_487(self, now: float, call: Call, _: object) -> None:
        self._refuse(now, call, Response.answer(call.server.request, 487, to_tag=call.tag))

    # Changes.

    def _ask(self, now: float, call: Call, _: object) -> None:
        headers, body = call.wish or ((), call.session.local or b"")
        if body:
            call.session.sent(body)
        flow, request = self.request_within(call, "INVITE", self._session_headers(call, body, headers), body)
        call.request = request
        call.asking = self.transactions.request(now, flow, request)
        self.sent[call.asking] = Sent(call, Purpose.CHANGE)

    def change_succeeded(self, now: float, call: Call, response: Response) -> None:
        """Take a 2xx to our re-INVITE, or a copy of it."""
        key = (response.cseq.number, response.to.tag or "")
        if key in call.acks:
            self._pass(call.acks[key])
        elif call.turn is Turn.ASKING and call.dialog is not None:
            call.dialog.refresh_target(response)
            wants = self._take_answer(call.session, call.request, response)
            self._start_session(now, call, settled(response))
            call.owed = response if wants else None
            self.change(now, call, Move.OFFER if wants else Move.SUCCESS, response)

    def _wait(self, now: float, call: Call, _: object) -> None:
        """§14.1: in steps of 10 ms, so that of two that have met one comes first."""
        draw = self.ids.uniform()
        steps = 210 + floor(draw * 191) if call.established.initiated else floor(draw * 201)
        self._at(now + min(steps / 100, 4.0), call, Move.DUE)

    def _abandon_change(self, now: float, call: Call, _: object) -> None:
        if call.asking is not None:
            self.transactions.abandon(now, call.asking)

    def _grant(self, now: float, call: Call, message: Any) -> None:
        self._give(now, call, call.asked, message)
        self._at(now + T1, call, Move.RESEND)
        self._at(now + PATIENCE, call, Move.NO_ACK)

    def reinvited(self, now: float, call: Call, transaction: ServerTransaction) -> None:
        """Take their re-INVITE; one that only refreshes what was agreed is answered at once (RFC 4028 §7.4)."""
        request = transaction.request
        call.latest = transaction
        self.came[transaction] = call
        if call.state is not State.UP:
            self._answer_latest(now, call, 491)
            return
        body = description(request)
        refreshes = call.turn is Turn.STILL and body == (call.session.remote or b"")
        call.quiet = call.quiet if call.turn is not Turn.STILL else refreshes
        self.change(now, call, Move.INVITE, request)
        if refreshes:
            answer = self.response(call, request, 200, (), call.session.local or b"" if body else b"")
            self.change(now, call, Move.ANSWER, answer)

    def _take_change(self, now: float, call: Call, message: Any) -> None:
        del now
        call.asked = call.latest
        call.established.refresh_target(message)
        if body := description(message):
            call.session.came(body)
        if not call.quiet:
            self.out.append(ChangeAsked(call, message))

    def _answer_latest(self, now: float, call: Call, status: int, headers: Fields = ()) -> None:
        reply = Response.answer(call.latest.request, status, to_tag=call.tag, headers=headers)
        self.transactions.respond(now, call.latest, reply)

    def _come_back_later(self, now: float, call: Call, _: object) -> None:
        self._answer_latest(now, call, 500, [("Retry-After", floor(self.ids.uniform() * 11))])

    def _refuse_change(self, now: float, call: Call, message: Any) -> None:
        self.transactions.respond(now, call.asked, message)

    def _terminate_change(self, now: float, call: Call, _: object) -> None:
        self.transactions.respond(now, call.asked, Response.answer(call.asked.request, 487, to_tag=call.tag))

    def _refresh(self, now: float, call: Call) -> None:
        """Refresh the session; where that leads to nothing try again, until the session has expired (RFC 4028 §10)."""
        if call.terms is None:
            return
        interval = call.terms.interval
        self._at(now + (hang_up_after(interval) - refresh_after(interval)) / 4, call, Chore.REFRESH)
        if call.turn is Turn.STILL and call.state is State.UP:
            call.wish, call.quiet = None, True
            self.change(now, call, Move.ASK)

    def _start_session(self, now: float, call: Call, terms: Terms | None) -> None:
        call.terms = terms
        self._call_off(call, Event.EXPIRED)
        self._call_off(call, Chore.REFRESH)
        if terms is not None:
            self._at(now + hang_up_after(terms.interval), call, Event.EXPIRED)
            if terms.ours:
                self._at(now + refresh_after(terms.interval), call, Chore.REFRESH)

    def _changed(self, now: float, call: Call, message: Any) -> None:
        del now
        if not call.quiet:
            self.out.append(Changed(call, message))
        call.wish, call.quiet = None, False

    def _unchanged(self, now: float, call: Call, message: Any) -> None:
        del now
        if not call.quiet:
            self.out.append(Unchanged(call, message))
        call.wish, call.quiet = None, False

    def _ended(self, now: float, call: Call, message: Any) -> None:
        del now
        if call.why is not None:
            self.out.append(Ended(call, call.why, message))


def description(message: Request | Response) -> bytes:
    """Return the session description that a message carries, empty if there is none."""
    return message.body if message.body and message.content_type == MEDIA_TYPE else b""


def _offering(body: bytes) -> Negotiation:
    session = Negotiation()
    if body:
        session.sent(body)
    return session


_Doing: TypeAlias = Callable[[Calls, float, Call, Any], None]


def _tell(event: Callable[[Call, Any], Output]) -> _Doing:
    return lambda calls, _, call, message: calls.out.append(event(call, message))


_EFFECTS: Final[dict[Effect, _Doing]] = {
    Effect.SEND_INVITE: Calls._send_invite,
    Effect.SEND_CANCEL: Calls._send_cancel,
    Effect.SEND_ACK: Calls._send_ack,
    Effect.SEND_BYE: Calls._send_bye,
    Effect.END_BRANCH: Calls._end_branch,
    Effect.SEND_2XX: Calls._send_2xx,
    Effect.RESEND_2XX: lambda calls, now, call, _: calls._resend(now, call, Event.RESEND),
    Effect.SEND_REFUSAL: Calls._refuse,
    Effect.SEND_487: Calls._send_487,
    Effect.ABANDON: Calls._abandon,
    Effect.TELL_ARRIVED: _tell(Arrived),
    Effect.TELL_PROGRESS: _tell(Progress),
    Effect.TELL_OFFER: _tell(Offered),
    Effect.TELL_UP: lambda calls, _, call, message: calls.out.append(Up(call, message)),
    Effect.TELL_ENDED: Calls._ended,
}
_DEEDS: Final[dict[Deed, _Doing]] = {
    Deed.SEND_INVITE: Calls._ask,
    Deed.SEND_ACK: Calls._send_ack,
    Deed.SEND_2XX: Calls._grant,
    Deed.RESEND_2XX: lambda calls, now, call, _: calls._resend(now, call, Move.RESEND),
    Deed.SEND_REFUSAL: Calls._refuse_change,
    Deed.SEND_487: Calls._terminate_change,
    Deed.SEND_491: lambda calls, now, call, _: calls._answer_latest(now, call, 491),
    Deed.SEND_500: Calls._come_back_later,
    Deed.ABANDON: Calls._abandon_change,
    Deed.WAIT: Calls._wait,
    Deed.DROP: lambda _, __, call, ___: call.session.dropped(),
    Deed.HANG_UP: lambda calls, now, call, _: calls.lead(now, call, Event.GONE),
    Deed.TELL_ASKED: Calls._take_change,
    Deed.TELL_OFFER: _tell(Offered),
    Deed.TELL_CHANGED: Calls._changed,
    Deed.TELL_UNCHANGED: Calls._unchanged,
}
