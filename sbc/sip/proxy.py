"""A stateful proxy over the transaction layer (RFC 3261 §16), which tries a list of targets one after the other.

    proxy = Proxy([own_uri], Ids(secrets.randbits), locate)
    proxy.receive(now, flow, parse(data))
    for output in proxy.take():
        if isinstance(output, Wanted):           # Send goes out; Tried and Done tell what became of it
            proxy.forward(now, output.passage, [Target(first), Target(second)])
    wake_at(proxy.deadline())                    # and then: proxy.fire(now)

Requests within a dialog whose route set names the proxy pass by themselves. A CANCEL without its INVITE is answered 481
rather than sent on (§16.10): with branches drawn at random, the next hop could not match it either. Where there were
503s alone, the 500 says when the first of the targets may be tried again, if each has (§20.33).
"""

from collections.abc import Sequence
from math import ceil, inf
from typing import Final

from sbc.decisions import advance
from sbc.decisions.advance import Verdict
from sbc.decisions.table import ImpossibleEventError, follow
from sbc.sip.alarms import Alarms
from sbc.sip.call import Locate
from sbc.sip.errors import ParseError
from sbc.sip.forking import INVITE, LINGER, PENDING, TIMER_C, Effect, Event
from sbc.sip.grammar import Params
from sbc.sip.hop import cancel_for
from sbc.sip.ids import Ids
from sbc.sip.message import DIALOG_METHODS, Fields, Request, Response
from sbc.sip.passage import Answer, Branch, Done, Output, Passage, Target, Tried, Wanted, best
from sbc.sip.relay import forwarded, loop_mark, next_hop, place_of, preprocessed, refusal, returned
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
from sbc.sip.uri import SipUri
from sbc.sip.validate import validate

ADVANCE_AFTER: Final = 10.0
"""The common branch timer, seconds (S9)."""

_SILENCE: Final = frozenset([Event.TIMED_OUT, Event.TOO_SLOW, Event.TIMER_C, Event.NO_FINAL])


class Proxy:
    """A proxy, and the requests that pass it."""

    def __init__(
        self,
        addresses: Sequence[SipUri],
        ids: Ids,
        locate: Locate,
        *,
        advance_after: float = ADVANCE_AFTER,
        also_advances: frozenset[int] = frozenset(),
        record_route: bool = True,
        transactions: Transactions | None = None,
    ) -> None:
        """``addresses``: what names this proxy; the first stands in its Record-Route.

        ``advance_after``: seconds until the next target is tried where one has not rung, ``inf`` for Timer B alone. The
        last target of a list has all the time of Timer B. ``also_advances``: responses that let the list go on besides
        those of S9.
        """
        self._mine = frozenset(place for uri in addresses if (place := place_of(uri)) is not None)
        self._record_route = addresses[0]._replace(params=Params([("lr", None)])) if record_route else None
        self._ids = ids
        self._locate = locate
        self._advance_after = advance_after
        self._also = also_advances
        self._transactions = Transactions() if transactions is None else transactions
        self._passages: dict[ServerTransaction, Passage] = {}
        self._branches: dict[ClientTransaction, Branch] = {}
        self._alarms: Alarms[Branch, Event] = Alarms()
        self._now = -inf
        self._out: list[Output] = []

    def __len__(self) -> int:
        """Return how many requests are on their way through."""
        return len(self._passages)

    # Inputs.

    def receive(self, now: float, flow: Flow, message: Request | Response) -> None:
        """Take in a message that came on a flow; one that cannot be taken is answered as it deserves, or dropped."""
        try:
            validate(message)
            self._transactions.receive(now, flow, message)
        except ParseError as error:
            self.reject(flow, error)
        self._work(now)

    def transport_error(self, now: float, flow: Flow) -> None:
        """Take in that a flow is broken, or that what was sent on it was refused."""
        self._transactions.transport_error(now, flow)
        self._work(now)

    def forward(self, now: float, passage: Passage, targets: Sequence[Target]) -> None:
        """Try targets one after the other for a request that Wanted has told of; without any it is answered 480.

        Nothing happens to one that was cancelled meanwhile. Raises ImpossibleEventError for one that is on its way.
        """
        if self._decides(now, passage):
            if targets:
                passage.targets.extend(targets)
                self._try_next(passage)
            else:
                self._finish(passage, Answer(480))
        self._work(now)

    def refuse(
        self, now: float, passage: Passage, status: int, reason: str | None = None, *, headers: Fields = ()
    ) -> None:
        """Answer a request that Wanted has told of with 300 to 699 instead; raises as :meth:`forward` does."""
        if self._decides(now, passage):
            request = passage.server.request
            response = Response.answer(request, status, reason, to_tag=self._ids.tag(), headers=headers)
            self._respond(passage, response)
        self._work(now)

    def _decides(self, now: float, passage: Passage) -> bool:
        """Whether there still is something to decide about a request."""
        self._advance_clock(now)
        if passage.decided and not passage.cancelled:
            raise ImpossibleEventError("a request is passed on or answered once")
        passage.decided = True
        return not passage.finished

    # Time.

    def deadline(self) -> float:
        """Return when :meth:`fire` has to be called next; ``inf`` for never."""
        return min(self._transactions.deadline(), self._alarms.next())

    def fire(self, now: float) -> None:
        """Do all that is due."""
        self._transactions.fire(now)
        self._work(now)
        while (rung := self._alarms.ring(self._now)) is not None:
            branch, alarm = rung
            branch.alarms.remove(alarm)
            self._lead(branch, alarm[0])
            self._work(now)

    # Outputs.

    def take(self) -> list[Output]:
        """Return what is to be sent and told since the last time, in order."""
        out, self._out = self._out, []
        return out

    # What the transactions tell.

    def _advance_clock(self, now: float) -> None:
        self._now = max(self._now, now)

    def _work(self, now: float) -> None:
        self._advance_clock(now)
        while outputs := self._transactions.take():
            for output in outputs:
                if isinstance(output, Send):
                    self._out.append(output)
                else:
                    self._hear(output)

    def _hear(self, event: UserEvent) -> None:
        match event:
            case RequestReceived(transaction) if transaction.request.method == "CANCEL":
                self._cancelled(transaction)
            case RequestReceived(transaction):
                self._begin(transaction)
            case ResponseReceived(transaction, response) if transaction in self._branches:
                self._answered(self._branches[transaction], response)
            case TimedOut(ClientTransaction() as own) if own in self._branches:
                self._lead(self._branches[own], Event.TIMED_OUT)
            case TransportFailed(ClientTransaction() as own) if own in self._branches:
                branch = self._branches[own]
                if (branch.state, Event.BROKEN) in branch.table:  # else it was the ACK that did not get through
                    self._lead(branch, Event.BROKEN)
            case TimedOut(ServerTransaction() as theirs) if theirs in self._passages:
                self._passages[theirs].stopped = True  # whoever asked has given it up
            case Terminated(ClientTransaction() as own) if own in self._branches:
                branch = self._branches.pop(own)
                branch.passage.branches.remove(branch)
            case Terminated(ServerTransaction() as theirs):
                self._passages.pop(theirs, None)
            case AckReceived(ack=ack):
                self._pass_ack(ack)
            case Overflow(flow, request):
                self._transactions.send(flow, Response.answer(request, 503, to_tag=self._ids.tag()))

    def reject(self, flow: Flow, error: ParseError) -> None:
        """Answer a request that could not be read with the response that it deserves, without a transaction."""
        request = error.message
        if isinstance(request, Request) and error.status is not None and "Via" in request.headers:
            self._transactions.send(flow, Response.answer(request, error.status, to_tag=self._ids.tag()))

    # Requests.

    def _begin(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        try:
            mark = loop_mark(request)
            refused = refusal(request, self._mine, mark)
            routed = preprocessed(request, self._mine)
        except ParseError as error:
            self._reply(transaction, error.status or 400)
            return
        if refused is not None:
            self._reply(transaction, refused.status, refused.headers)
            return
        passage = self._passages[transaction] = Passage(transaction, routed.request, mark)
        if routed.came_by_route and request.to.tag is not None and self._leads_on(routed.request):
            passage.decided = True
            passage.targets.append(Target(routed.request.uri))
            self._try_next(passage)
        else:
            self._out.append(Wanted(passage))

    def _leads_on(self, request: Request) -> bool:
        return bool(request.routes) or place_of(request.uri) not in self._mine

    def _cancelled(self, cancel: ServerTransaction) -> None:
        invite = cancel.cancels
        self._reply(cancel, 481 if invite is None else 200)
        passage = None if invite is None else self._passages.get(invite)
        if passage is not None and not passage.finished:
            passage.cancelled = True
            if any(branch.state in PENDING for branch in passage.branches):
                self._stop(passage)
            else:
                self._finish(passage, Answer(487))

    def _pass_ack(self, ack: Request) -> None:
        """Send the ACK for a 2xx on without state (§16.11); one that leads nowhere is dropped."""
        try:
            if refusal(ack, self._mine, loop_mark(ack)) is not None:
                return
            request = preprocessed(ack, self._mine).request
            if self._leads_on(request):
                self._transactions.send(*self._prepared(request, Target(request.uri), None, loop_mark(ack)))
        except ParseError:
            return

    def _prepared(
        self, request: Request, target: Target, record_route: SipUri | None, mark: str
    ) -> tuple[Flow, Request]:
        """Return the flow to a target, and the request as it goes there."""
        flow, via = self._locate(next_hop(request, target.uri), target.flow)
        branch = f"{self._ids.branch()}-{mark}"
        return flow, forwarded(request, target.uri, via._replace(params=via.params.put("branch", branch)), record_route)

    def _try_next(self, passage: Passage) -> None:
        target = passage.targets.popleft()
        request = passage.request
        record_route = self._record_route if request.method in DIALOG_METHODS else None
        flow, request = self._prepared(request, target, record_route, passage.mark)
        transaction = self._transactions.request(self._now, flow, request)
        branch = self._branches[transaction] = Branch(passage, target, transaction)
        passage.branches.append(branch)
        if passage.targets and self._advance_after != inf:
            self._start(branch, Event.TOO_SLOW, self._advance_after)
        if branch.table is INVITE:
            self._start(branch, Event.TIMER_C, TIMER_C)

    # Branches.

    def _answered(self, branch: Branch, response: Response) -> None:
        try:
            response = returned(response)
        except ParseError:
            return  # as if it had not come: nobody can say where it goes
        status = response.status
        if status == 100:
            self._lead(branch, Event.TRYING, response)
        elif status < 200:
            self._lead(branch, Event.PROGRESS, response)
        elif status < 300:
            self._lead(branch, Event.SUCCESS, response)
        else:
            self._lead(branch, Event.DECLINED if status >= 600 else Event.FAILURE, response)

    def _lead(self, branch: Branch, event: Event, response: Response | None = None) -> None:
        """Lead a branch through one row of its table."""
        before = branch.state
        state, effects = follow(branch.table, before, event)
        if state is not before:
            branch.state = state
            for alarm in branch.alarms[:]:
                if (state, alarm[0]) not in branch.table:
                    self._alarms.cancel(branch, alarm)
                    branch.alarms.remove(alarm)
        for effect in effects:
            match effect:
                case Effect.FORWARD if response is not None:
                    self._pass_up(branch, response)
                case Effect.RESTART_C:
                    self._restart_c(branch)
                case Effect.CANCEL:
                    own = branch.transaction
                    self._transactions.request(self._now, own.flow, cancel_for(own.request))
                    self._start(branch, Event.NO_FINAL, LINGER)
                case Effect.ABANDON:
                    self._transactions.abandon(self._now, branch.transaction)
                case Effect.SETTLE:
                    self._settle(branch, event, response)

    def _start(self, branch: Branch, event: Event, length: float) -> None:
        alarm = (event, length)
        self._alarms.set(branch, alarm, self._now)
        branch.alarms.append(alarm)

    def _restart_c(self, branch: Branch) -> None:
        alarm = (Event.TIMER_C, TIMER_C)
        self._alarms.cancel(branch, alarm)
        self._alarms.set(branch, alarm, self._now)

    def _pass_up(self, branch: Branch, response: Response) -> None:
        """Send a provisional response or a 2xx to the caller's side; a 2xx ends all other branches (§16.7 step 10)."""
        passage = branch.passage
        if response.status < 200:
            branch.rung = True
            self._transactions.respond(self._now, passage.server, response)
            return
        self._out.append(Tried(passage, branch.target, response.status))
        self._respond(passage, response)
        self._stop(passage)

    def _settle(self, branch: Branch, event: Event, response: Response | None) -> None:
        """Take a branch's answer: try the next target, or send the best answer when no other branch owes one."""
        passage = branch.passage
        status = response.status if response is not None else advance.NO_ANSWER if event in _SILENCE else 503
        passage.answers.append(Answer(status, response))
        again = self._again(response)
        passage.again = min(passage.again, -inf if again is None else again)
        self._out.append(Tried(passage, branch.target, status, again))
        if status >= 600:
            self._stop(passage)
        left = 0 if passage.stopped else len(passage.targets)
        if advance.after(status, left, rung=branch.rung, also=self._also) is Verdict.NEXT:
            self._try_next(passage)
        elif not passage.finished and not any(each.state in PENDING for each in passage.branches):
            self._finish(passage, best(passage.answers, cancelled=passage.cancelled))

    def _again(self, response: Response | None) -> float | None:
        """Return when a target wants to be tried again at the earliest; what cannot be read is no Retry-After."""
        if response is None or response.status != 503:
            return None
        try:
            wait = response.retry_after
        except ParseError:
            return None
        return None if wait is None else self._now + wait.seconds

    def _stop(self, passage: Passage) -> None:
        """Try no further target, and cancel what is under way."""
        passage.stopped = True
        if passage.request.method == "INVITE":
            for branch in passage.branches[:]:
                self._lead(branch, Event.STOP)

    # Responses.

    def _finish(self, passage: Passage, answer: Answer) -> None:
        own = answer.response
        if own is None:
            said = answer.status == advance.BEHIND_PROXY and passage.again > self._now
            headers = [("Retry-After", ceil(passage.again - self._now))] if said else ()
            own = Response.answer(passage.server.request, answer.status, to_tag=self._ids.tag(), headers=headers)
        self._respond(passage, own)

    def _respond(self, passage: Passage, response: Response) -> None:
        """Send a final response to the caller's side, which drops what may not go out after another."""
        if not passage.finished:
            passage.finished = True
            self._out.append(Done(passage, response.status))
        self._transactions.respond(self._now, passage.server, response)

    def _reply(self, transaction: ServerTransaction, status: int, headers: Fields = ()) -> None:
        response = Response.answer(transaction.request, status, to_tag=self._ids.tag(), headers=headers)
        self._transactions.respond(self._now, transaction, response)
