"""The client half of a user agent: what the responses to its requests mean (RFC 3261 §8.1.3, §12.2.1.2, §13.2.2)."""

from typing import Final

from sbc.sip.call import Asking, Call, Replied
from sbc.sip.calls import progressed, send_bye, succeeded
from sbc.sip.changes import change_succeeded
from sbc.sip.core import REPEATS, Core, Purpose
from sbc.sip.errors import ParseError
from sbc.sip.message import Request, Response
from sbc.sip.transaction import ClientTransaction, Flow
from sbc.sip.usage import CALL, Event, Move, Turn

GONE: Final = frozenset([404, 408, 410, 416, 481, 482, 483, 484, 485, 502, 604])
"""Answers to a request in a dialog that end the call (RFC 5057 §5.1; RFC 3261 §12.2.1.2)."""

# Read once: before Python 3.12 a member of an enumeration takes longer to read than a row of a table.
_INVITE: Final = Purpose.INVITE
_CHANGE: Final = Purpose.CHANGE
_BYE: Final = Purpose.BYE
_PROVISIONAL: Final = Event.PROVISIONAL
_TIMED_OUT: Final = Event.TIMED_OUT
_BYE_DONE: Final = Event.BYE_DONE


class Client:
    """Hears of the requests that were sent, for calls and for others."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.asking: dict[ClientTransaction, Asking] = {}
        """The user's own requests under way."""

    def ask(self, now: float, flow: Flow, asking: Asking) -> None:
        """Send a request of the user's."""
        self.asking[self._core.transactions.request(now, flow, asking.request)] = asking

    def answered(self, now: float, transaction: ClientTransaction, response: Response) -> None:
        """A response has come."""
        if transaction in self.asking:
            if response.status >= 200:
                self._replied(now, transaction, response)
            return
        sent = self._core.sent.get(transaction)
        if sent is None or sent.call is None:
            return
        call, purpose = sent.call, sent.purpose
        if purpose is _INVITE:
            if transaction is call.client:
                self._invite_answered(now, call, transaction.request, response)
        elif purpose is _BYE:
            if response.status >= 200:
                self._bye_answered(now, call, transaction, sent.tries, response)
        elif purpose is _CHANGE and transaction is call.asking:
            self._change_answered(now, call, transaction.request, response)

    def _bye_answered(
        self, now: float, call: Call, transaction: ClientTransaction, tries: int, response: Response
    ) -> None:
        del self._core.sent[transaction]
        if self._core.may_try_again(transaction.request, response, tries):
            send_bye(self._core, now, call, response, tries + 1)
        else:
            self._core.lead(now, call, _BYE_DONE, response)

    def _invite_answered(self, now: float, call: Call, request: Request, response: Response) -> None:
        """A response that cannot be read begins no dialog, and no 100 does; as a 2xx it counts as not come."""
        if response.status >= 300:
            call.client = None
            again = self._tries_again(call, request, response)
            self._core.lead(now, call, Event.AGAIN if again else Event.FAILURE, response)
        elif response.status > 100 and not _readable(response):
            if response.status < 200:
                self._core.lead(now, call, _PROVISIONAL, response)
        elif response.status < 200:
            progressed(self._core, now, call, response)
        else:
            succeeded(self._core, now, call, response)

    def _change_answered(self, now: float, call: Call, request: Request, response: Response) -> None:
        if response.status < 200:
            return
        if response.status < 300:
            if _readable(response):
                change_succeeded(self._core, now, call, response)
        elif call.turn is Turn.ASKING:
            if self._tries_again(call, request, response):
                call.session.dropped()
                self._core.change(now, call, Move.AGAIN, response)
            elif response.status == 491:
                self._core.change(now, call, Move.GLARE, response)
            else:
                self._core.change(now, call, Move.FAILURE, response)
                if response.status in GONE:
                    self._core.lead(now, call, Event.GONE, response)

    def _tries_again(self, call: Call, request: Request, response: Response) -> bool:
        """Take what a refused INVITE lacks; false where the refusal stands."""
        again = False
        if response.status == 422 and call.tries < REPEATS and _readable(response):
            longer = call.timing.after(response)
            again = longer is not None
            call.timing = longer or call.timing
        elif response.status != 422:
            again = self._core.may_try_again(request, response, call.tries)
        call.tries = call.tries + 1 if again else 0
        return again

    def _replied(self, now: float, transaction: ClientTransaction, response: Response | None) -> None:
        asking = self.asking.pop(transaction)
        call, request = asking.call, transaction.request
        if response is not None and self._core.may_try_again(request, response, asking.tries):
            if call is None:
                flow, via = self._core.way(request.routes[0].uri if request.routes else request.uri, transaction.flow)
                cseq = request.cseq._replace(number=request.cseq.number + 1)
                fields = request.headers.replace("Via", via).replace("CSeq", cseq)
                asking.request = self._core.authorized(request.with_headers(fields))
            else:
                flow, asking.request = self._core.request_within(call, request.method, asking.headers, asking.body)
            asking.tries += 1
            self.ask(now, flow, asking)
            return
        asking.call = None
        self._core.out.append(Replied(asking, response))
        if call is not None and (response is None or response.status in GONE):
            self._core.lead(now, call, Event.GONE, response)

    def failed(self, now: float, transaction: ClientTransaction, why: Event) -> None:
        """No response has come in time, or the flow is broken."""
        if transaction in self.asking:
            self._replied(now, transaction, None)
            return
        sent = self._core.sent.get(transaction)
        if sent is None or sent.call is None:
            return
        match sent.purpose:
            case Purpose.INVITE:
                self._invite_lost(now, sent.call, transaction, why)
            case Purpose.CHANGE:
                self._change_lost(now, sent.call, transaction)
            case Purpose.BYE:
                self._core.lead(now, sent.call, Event.BYE_DONE)

    def terminated(self, now: float, transaction: ClientTransaction) -> None:
        """Let go of a transaction; one that ends without having brought a usable final response has brought none."""
        sent = self._core.sent.pop(transaction, None)
        if sent is None or sent.call is None:
            return
        call, number = sent.call, transaction.request.cseq.number
        if sent.purpose is _INVITE or sent.purpose is _CHANGE:
            if call.acks:
                call.acks = {key: ack for key, ack in call.acks.items() if key[0] != number}
            self._invite_lost(now, call, transaction, _TIMED_OUT)
            self._change_lost(now, call, transaction)
        self._core.forget(call)

    def _invite_lost(self, now: float, call: Call, transaction: ClientTransaction, why: Event) -> None:
        if transaction is call.client:
            call.client = None
            if (call.state, why) in CALL:
                self._core.lead(now, call, why)

    def _change_lost(self, now: float, call: Call, transaction: ClientTransaction) -> None:
        if transaction is call.asking:
            call.asking = None
            if call.turn is Turn.ASKING:
                self._core.change(now, call, Move.FAILURE)
                self._core.lead(now, call, Event.GONE)


def _readable(response: Response) -> bool:
    """Say whether all can be read that a call needs of a response."""
    try:
        read = (response.contacts, response.record_routes, response.session_expires, response.min_se)
        del read
    except ParseError:
        return False
    return True
