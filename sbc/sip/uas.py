"""The server half of a user agent: what becomes of the requests that come (RFC 3261 §8.2, §9.2, §12.2.2, §15)."""

from collections.abc import Sequence
from typing import Final

from sbc.sip.call import Asked, Call
from sbc.sip.changes import reinvited
from sbc.sip.core import Core, description
from sbc.sip.duties import refusal
from sbc.sip.errors import ParseError
from sbc.sip.message import Fields, Request, Response
from sbc.sip.offer import State as OfferState
from sbc.sip.sdp import MEDIA_TYPE
from sbc.sip.session_timer import TIMER, Timing
from sbc.sip.transaction import ServerTransaction
from sbc.sip.usage import CALL, Event, Move, State, Turn

# Read once: before Python 3.12 a member of an enumeration takes longer to read than a row of a table.
_OVER: Final = State.OVER
_UP: Final = State.UP
_GRANTED: Final = Turn.GRANTED
_OFFERED: Final = OfferState.OFFERED
_ARRIVES: Final = Event.ARRIVES
_ACK: Final = Event.ACK
_CHANGE_ACK: Final = Move.ACK
_BYE: Final = Event.BYE


class Server:
    """Hears of the requests that came, for calls and for others."""

    def __init__(self, core: Core, allow: Sequence[str], timing: Timing) -> None:
        self._core = core
        self._allow = allow
        self._timing = timing

    def requested(self, now: float, transaction: ServerTransaction) -> None:
        """A request has come: refuse it, answer it, or pass it to its call or to the user."""
        request = transaction.request
        call = self._find(request)
        tag = None if call is None else call.tag
        try:
            refused = refusal(request, merged=transaction.merged, allow=self._allow, timing=self._timing)
        except ParseError as error:
            self._reply(now, transaction, error.status or 400, tag=tag)
            return
        if request.method == "CANCEL":
            self._cancelled(now, transaction)
        elif refused is not None:
            self._reply(now, transaction, refused.status, refused.headers, tag=tag)
        elif request.to_tag is None:
            self._requested_anew(now, transaction)
        elif call is None:
            self._reply(now, transaction, 481)
        else:
            self._requested_within(now, call, transaction)

    def broken(self, now: float, transaction: ServerTransaction) -> None:
        """The flow that a request came by is broken: an INVITE not yet answered never will be."""
        call = self._core.came.get(transaction)
        if call is not None and call.state is State.ARRIVED:
            self._core.lead(now, call, Event.BROKEN)

    def _requested_anew(self, now: float, transaction: ServerTransaction) -> None:
        request = transaction.request
        match request.method:
            case "INVITE":
                call = Call(request.call_id, self._core.ids.tag(), self._timing, outgoing=False)
                call.server, call.request, call.flow = transaction, request, transaction.flow
                if body := description(request):
                    call.session.came(body)
                self._core.by_name[call.call_id, call.tag] = call
                self._core.came[transaction] = call
                self._core.lead(now, call, _ARRIVES, request)
            case "OPTIONS":
                self._reply(now, transaction, 200, self._abilities)
            case "BYE":
                self._reply(now, transaction, 481)
            case _:
                self._core.out.append(Asked(transaction, None))

    @property
    def _abilities(self) -> tuple[tuple[str, object], ...]:
        return ("Allow", ", ".join(self._allow)), ("Accept", MEDIA_TYPE), ("Supported", TIMER)

    def _find(self, request: Request) -> Call | None:
        """Return the call whose other end sends a request.

        A call of ours without a dialog takes what comes from whichever branch: its 2xx may be late or lost.
        """
        call = self._core.by_name.get((request.call_id, request.to_tag or ""))
        if call is None or call.state is _OVER:
            return None
        if call.dialog is not None:
            theirs = call.dialog.remote.tag
        elif call.outgoing:
            return call
        else:
            theirs = call.request.from_tag
        return call if theirs == request.from_tag else None

    def _requested_within(self, now: float, call: Call, transaction: ServerTransaction) -> None:
        request = transaction.request
        leg = call.early.get(request.from_tag or "")
        dialog = call.dialog if leg is None else leg.dialog
        if dialog is not None and not dialog.takes(request):
            self._reply(now, transaction, 500, tag=call.tag)
            return
        match request.method:
            case "INVITE":
                reinvited(self._core, now, call, transaction)
            case "BYE":
                self._reply(now, transaction, 200, tag=call.tag)
                self._core.lead(now, call, _BYE, request)
            case "OPTIONS":
                self._reply(now, transaction, 200, self._abilities, tag=call.tag)
            case _:
                self._core.out.append(Asked(transaction, call))

    def _cancelled(self, now: float, transaction: ServerTransaction) -> None:
        invite = transaction.cancels
        call = None if invite is None else self._core.came.get(invite)
        self._reply(now, transaction, 481 if invite is None else 200, tag=call.tag if call else None)
        if call is not None:
            if invite is call.server:
                self._core.lead(now, call, Event.CANCEL, transaction.request)
            elif call.turn in (Turn.ASKED, Turn.GRANTED) and invite is call.asked:
                self._core.change(now, call, Move.CANCEL, transaction.request)

    def acknowledged(self, now: float, ack: Request) -> None:
        """An ACK has come that is not for a refusal."""
        call = self._find(ack)
        if call is None:
            return
        number = ack.cseq.number
        if call.turn is _GRANTED and call.asked.request.cseq.number == number:
            call.kept = None
            self._take_answer(call, ack)
            self._core.change(now, call, _CHANGE_ACK, ack)
        elif not call.outgoing and call.server.request.cseq.number == number and (call.state, _ACK) in CALL:
            if call.state is not _UP:
                call.kept = None
                self._take_answer(call, ack)
            self._core.lead(now, call, _ACK, ack)

    @staticmethod
    def _take_answer(call: Call, ack: Request) -> None:
        """Take the answer that an ACK carries where our 2xx made the offer; without one the offer is void."""
        if call.session.state is _OFFERED:
            if body := description(ack):
                call.session.came(body)
            else:
                call.session.dropped()

    def _reply(
        self, now: float, transaction: ServerTransaction, status: int, headers: Fields = (), tag: str | None = None
    ) -> None:
        own = tag or self._core.ids.tag()
        response = Response.answer(transaction.request, status, to_tag=own, headers=headers)
        self._core.transactions.respond(now, transaction, response)
