"""A back-to-back user agent: each call that comes in is passed on as a call of its own (RFC 7092).

    middle = BackToBack(contact, Ids(secrets.randbits), locate)
    middle.receive(now, flow, parse(data))
    for output in middle.take():
        if isinstance(output, Incoming):         # Send goes out; Tried, Joined and Closed tell what became of it
            middle.connect(now, output.bridge, [Onward(first_trunk), Onward(second_trunk)])
    wake_at(middle.deadline())                   # and then: middle.fire(now)

Nothing that names one side's network reaches the other: Call-ID, tags, CSeq, Via, Contact and Record-Route are each
side's own, and the host in From and To is this element's or the target's. Session descriptions pass as they are. The
session timer is each side's own as well, so that the loss of either side is noticed. A caller who hears 503 is told
when to come back if every target has said so: when the first of them may be tried again (RFC 3261 §21.5.4).
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil, inf
from typing import Any, Final

from sbc.decisions import advance
from sbc.decisions.advance import Verdict
from sbc.decisions.table import bound
from sbc.sip.agenda import Agenda
from sbc.sip.agent import UserAgent
from sbc.sip.bridge import Bridge, Closed, Denial, Incoming, Joined, Onward, Output, Tried, retry_after
from sbc.sip.bridging import TABLE, Effect, Event, State
from sbc.sip.call import (
    Arrived,
    Asked,
    Call,
    ChangeAsked,
    Changed,
    Ended,
    Locate,
    Offered,
    Progress,
    Replied,
    Unchanged,
    Up,
)
from sbc.sip.causes import Causes
from sbc.sip.core import description
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.proxy import ADVANCE_AFTER
from sbc.sip.session_timer import Timing
from sbc.sip.snapshot import Snapshot
from sbc.sip.transaction import Flow, Send
from sbc.sip.transactions import Transactions
from sbc.sip.uri import SipUri, TelUri, Uri
from sbc.sip.usage import Event as CallEvent
from sbc.sip.usage import State as CallState
from sbc.sip.usage import Turn

CARRIED: Final = ("P-Asserted-Identity", "Privacy", "Priority", "P-Early-Media", "Reason")
"""Header fields that pass from one side to the other unless the user wants others (J6, S8)."""

OWN_AFFAIRS: Final[Mapping[int, int]] = {401: 403, 407: 403, 421: 500, 422: 500, 494: 500}
"""What a target asks of this element rather than of the caller, and what the caller hears instead."""

NOBODY: Final = 480
"""What the caller hears where no target has a say, or one sends the call elsewhere: redirections are not followed."""

_USUAL_CAUSES: Final = Causes()
_USUAL_TIMING: Final = Timing()

# Read once: before Python 3.12 a member of an enumeration takes longer to read than a row of a table.
_TRYING: Final = State.TRYING
_OVER: Final = State.OVER
_UNANSWERED: Final = (State.TRYING, State.RINGING)
_A_ENDS: Final = Event.A_ENDS
_B_ENDS: Final = Event.B_ENDS
_PROGRESS: Final = Event.PROGRESS
_SUCCESS: Final = Event.SUCCESS
_ACK: Final = Event.ACK


class BackToBack:
    """A back-to-back user agent, and the calls that it passes on."""

    def __init__(
        self,
        contact: SipUri,
        ids: Ids,
        locate: Locate,
        *,
        advance_after: float = ADVANCE_AFTER,
        also_advances: frozenset[int] = frozenset(),
        causes: Causes = _USUAL_CAUSES,
        carried: Sequence[str] = CARRIED,
        timing: Timing = _USUAL_TIMING,
        transactions: Transactions | None = None,
    ) -> None:
        """``contact``: what both sides know this element by; its host is that of a caller's From on the other side.

        ``advance_after``: seconds until the next target is tried where one has not rung; the last has all the time of
        Timer B. ``also_advances``: what lets the list go on besides S9. ``carried``: header fields that pass.
        """
        self._agent = UserAgent(
            Address(contact), ids, locate, allow=("INFO",), timing=timing, transactions=transactions
        )
        self._host = contact.host
        self._advance_after = advance_after
        self._also = also_advances
        self._causes = causes
        self._carried = carried
        self._bridges: dict[Call, Bridge] = {}
        self._asking: dict[object, Asked] = {}
        self._agenda: Agenda[Bridge, Event] = Agenda()
        self._out: list[Output] = []

    def __len__(self) -> int:
        """Return how many sides of calls are kept."""
        return len(self._bridges)

    # Inputs.

    def receive(self, now: float, flow: Flow, message: Request | Response) -> None:
        """Take in a message that came on a flow; one that cannot be taken is answered as it deserves, or dropped."""
        self._agent.receive(now, flow, message)
        self._work(now)

    def reject(self, now: float, flow: Flow, error: ParseError) -> None:
        """Answer a request that could not be read with the response that it deserves."""
        self._agent.reject(flow, error)
        self._work(now)

    def transport_error(self, now: float, flow: Flow) -> None:
        """Take in that a flow is broken, or that what was sent on it was refused."""
        self._agent.transport_error(now, flow)
        self._work(now)

    def connect(self, now: float, bridge: Bridge, targets: Sequence[Onward]) -> None:
        """Pass a call on to one target after the other; without any it is denied with 480.

        Nothing happens to a call whose caller has hung up meanwhile.
        """
        if not targets:
            self.deny(now, bridge, Denial(NOBODY))
        elif bridge.state is not _OVER:
            bridge.targets.extend(targets)
            self._lead(now, bridge, Event.CONNECT)
            self._work(now)

    def deny(self, now: float, bridge: Bridge, denial: Denial) -> None:
        """Refuse a call that Incoming has told of, as admission control does (300 to 699)."""
        if bridge.state is not _OVER:
            bridge.status = denial.status
            self._lead(now, bridge, Event.REFUSE, denial)
            self._work(now)

    def clear(self, now: float, bridge: Bridge) -> None:
        """Hang up on both sides of a call, in whatever state it is: by BYE, CANCEL or 480."""
        if bridge.state is not State.OVER:
            for call in (bridge.a, bridge.b):
                if call is not None:
                    self._agent.hang_up(now, call)
            self._work(now)

    def take_up(self, now: float, snapshot: Snapshot) -> Bridge:
        """Go on with a call that another element of the same address had; raises ImpossibleEventError for a known one.

        Nobody is told of it: it is up, or on its way there.
        """
        a, b = (self._agent.take_up(now, side, snapshot.at) for side in (snapshot.a, snapshot.b))
        bridge = Bridge(a, a.request)
        bridge.b, bridge.state = b, snapshot.state
        target = snapshot.b.talk.target if snapshot.b.talk is not None else b.request.uri
        bridge.target = Onward(target if isinstance(target, SipUri) else SipUri(self._host))
        self._bridges[a] = self._bridges[b] = bridge
        self._work(now)
        return bridge

    def let_go(self, bridge: Bridge) -> None:
        """Forget a call without a word, as another element goes on with it; nobody is told."""
        if bridge.appointment is not None:
            self._agenda.call_off(bridge.appointment)
            bridge.appointment = None
        bridge.state = State.OVER
        for call in (bridge.a, bridge.b):
            if call is not None and self._bridges.pop(call, None) is not None:
                self._agent.let_go(call)

    # Time.

    def deadline(self) -> float:
        """Return when :meth:`fire` has to be called next; ``inf`` for never."""
        soonest, due = self._agent.deadline(), self._agenda.next()
        return soonest if soonest < due else due

    def fire(self, now: float) -> None:
        """Do all that is due."""
        self._agent.fire(now)
        self._work(now)
        while (due := self._agenda.take(now)) is not None:
            self._too_slow(now, due[0])
            self._work(now)

    # Outputs.

    def take(self) -> list[Output]:
        """Return what is to be sent and told since the last time, in order."""
        out, self._out = self._out, []
        return out

    # What the user agent tells.

    def _work(self, now: float) -> None:
        while outputs := self._agent.take():
            for output in outputs:
                if type(output) is Send:
                    self._out.append(output)
                else:
                    self._hear(now, output)

    def _hear(self, now: float, event: Any) -> None:
        hear = _HEARING.get(type(event))
        if hear is not None:
            bridge = self._bridges.get(event.call)
            if bridge is not None:
                hear(self, now, bridge, event)
        elif isinstance(event, Arrived):
            self._arrived(now, event.call, event.request)
        elif isinstance(event, Asked):
            self._asked(now, event, None if event.call is None else self._bridges.get(event.call))
        elif isinstance(event, Replied):
            self._replied(now, event)

    def _progressed(self, now: float, bridge: Bridge, event: Progress) -> None:
        if event.response.status > 100:
            self._lead(now, bridge, _PROGRESS, event.response)

    def _offered(self, now: float, bridge: Bridge, event: Offered) -> None:
        call, response = event
        if call.turn is Turn.OWING:
            self._agent.answer(now, self._other(bridge, call), body=description(response))
        else:
            self._lead(now, bridge, Event.OFFER, response)

    def _up(self, now: float, bridge: Bridge, event: Up) -> None:
        self._lead(now, bridge, _ACK if event.call is bridge.a else _SUCCESS, event.message)

    # The table.

    def _lead(self, now: float, bridge: Bridge, event: Event, cause: object = None) -> None:
        """Lead a call through one row of the table; raises ImpossibleEventError where there is none."""
        before = bridge.state
        bridge.state, effects = _TABLE[before, event]
        if before is _TRYING and bridge.appointment is not None:
            self._agenda.call_off(bridge.appointment)
            bridge.appointment = None
        for effect in effects:
            effect(self, now, bridge, cause)
        if bridge.state is _OVER and before is not _OVER:
            refused = BackToBack._refuse_a in effects
            why = cause if isinstance(cause, Ended) and not refused else None
            self._out.append(Closed(bridge, why, bridge.status if refused else 0))

    def _arrived(self, now: float, call: Call, request: Request) -> None:
        bridge = Bridge(call, request)
        if request.max_forwards == 0:
            self._agent.refuse(now, call, 483)
        else:
            self._bridges[call] = bridge
            self._out.append(Incoming(bridge))

    def _call_b(self, now: float, bridge: Bridge, _: object) -> None:
        bridge.target = target = bridge.targets.pop(0)
        request = bridge.request
        headers = self._passing(request)
        if target.contact is not None:
            headers.append(("Contact", target.contact))
        bridge.b = self._agent.invite(
            now,
            target.uri,
            self._hidden(request.from_),
            target.to or Address(target.uri),
            routes=target.routes,
            headers=headers,
            body=description(request),
        )
        self._bridges[bridge.b] = bridge
        if bridge.targets:
            bridge.appointment = self._agenda.set(now + self._advance_after, bridge, Event.NEXT)

    def _too_slow(self, now: float, bridge: Bridge) -> None:
        bridge.appointment = None
        bridge.silent = True
        self._tried(bridge, advance.NO_ANSWER)
        b = self._forget_b(bridge)
        self._lead(now, bridge, Event.NEXT)
        self._agent.hang_up(now, b)

    def _forget_b(self, bridge: Bridge) -> Call:
        """Let go of the side called: what still comes of it no longer concerns the caller."""
        b = bridge.called
        del self._bridges[b]
        bridge.b = None
        return b

    def _ended(self, now: float, bridge: Bridge, ended: Ended) -> None:
        call = ended.call
        if call is bridge.a:
            del self._bridges[call]
            self._lead(now, bridge, _A_ENDS, ended)
        elif bridge.state in _UNANSWERED:
            self._forget_b(bridge)
            self._failed(now, bridge, ended)
        else:
            del self._bridges[call]
            self._lead(now, bridge, _B_ENDS, ended)

    def _failed(self, now: float, bridge: Bridge, ended: Ended) -> None:
        """Take a target's final answer: try the next, or tell the caller."""
        response = ended.message
        status = self._causes.status(response) if isinstance(response, Response) else ended.status or NOBODY
        bridge.silent = bridge.silent or ended.why is CallEvent.TIMED_OUT
        wait = retry_after(response)
        self._tried(bridge, status, None if wait is None else now + wait)
        rung = bridge.state is State.RINGING
        verdict = advance.after(status, len(bridge.targets), rung=rung, also=self._also)
        self._lead(now, bridge, Event.NEXT if verdict is Verdict.NEXT else Event.LAST, ended)

    def _tried(self, bridge: Bridge, status: int, again: float | None = None) -> None:
        bridge.status = status
        bridge.again = min(bridge.again, -inf if again is None else again)
        self._out.append(Tried(bridge, bridge.target, status, again))

    def _ring_a(self, now: float, bridge: Bridge, cause: Any) -> None:
        body = description(cause) if description(bridge.request) else b""
        self._agent.ring(now, bridge.a, cause.status, headers=self._passing(cause), body=body)

    def _answer_a(self, now: float, bridge: Bridge, cause: Any) -> None:
        body = description(cause) or bridge.called.session.remote or b""
        self._agent.answer(now, bridge.a, headers=self._passing(cause), body=body)

    def _answer_b(self, now: float, bridge: Bridge, cause: Any) -> None:
        self._agent.answer(now, bridge.called, body=description(cause))

    def _refuse_a(self, now: float, bridge: Bridge, cause: object) -> None:
        headers: list[tuple[str, object]] = []
        if isinstance(cause, Denial):
            if cause.retry_after is not None:
                headers.append(("Retry-After", cause.retry_after))
        else:
            status = advance.final(bridge.status, silent=bridge.silent)
            bridge.status = NOBODY if status < 400 else OWN_AFFAIRS.get(status, status)
            if bridge.status == advance.UNAVAILABLE and bridge.again > now:
                headers.append(("Retry-After", ceil(bridge.again - now)))
            if isinstance(cause, Ended) and isinstance(cause.message, Response):
                headers += self._passing(cause.message)
        if not any(name == "Reason" for name, _ in headers):
            headers += [("Reason", reason) for reason in self._causes.causes(bridge.status)]
        self._agent.refuse(now, bridge.a, bridge.status, headers=headers)

    def _end_a(self, now: float, bridge: Bridge, cause: object) -> None:
        self._agent.hang_up(now, bridge.a, headers=self._reasons(cause))

    def _end_b(self, now: float, bridge: Bridge, cause: object) -> None:
        self._agent.hang_up(now, bridge.called, headers=self._reasons(cause))

    def _reasons(self, cause: object) -> list[tuple[str, object]]:
        """Return why one side is hung up on: what the other has said, or what has happened to it."""
        if not isinstance(cause, Ended):
            return []
        if isinstance(cause.message, Request):
            return [("Reason", value) for value in cause.message.headers.values("Reason") if "Reason" in self._carried]
        return [("Reason", reason) for reason in self._causes.reasons(cause.status or advance.NO_ANSWER)]

    # What is changed while the call is up.

    def _change_asked(self, now: float, bridge: Bridge, event: ChangeAsked) -> None:
        call, request = event
        other = self._other(bridge, call)
        if other.state is CallState.UP and other.turn is Turn.STILL:
            self._agent.reinvite(now, other, body=description(request))
        else:
            self._agent.refuse(now, call, 491)

    def _changed(self, now: float, bridge: Bridge, event: Changed) -> None:
        other, message = self._other(bridge, event.call), event.message
        if other.turn in (Turn.ASKED, Turn.OWING):
            self._agent.answer(now, other, body=description(message))

    def _unchanged(self, now: float, bridge: Bridge, event: Unchanged) -> None:
        other, message = self._other(bridge, event.call), event.message
        if other.turn is Turn.ASKED:
            status = message.status if isinstance(message, Response) else advance.NO_ANSWER
            self._agent.refuse(now, other, OWN_AFFAIRS.get(status, status))

    def _asked(self, now: float, asked: Asked, bridge: Bridge | None) -> None:
        """Pass a request in a call on to the other side; one outside of calls has no one to go to."""
        if bridge is None or asked.call is None or bridge.state is not State.UP:
            self._agent.respond(now, asked, 481)
            return
        request = asked.request
        headers = self._passing(request, "Content-Type", "Info-Package")
        other = self._other(bridge, asked.call)
        asking = self._agent.request_within(now, other, request.method, headers=headers, body=request.body)
        self._asking[asking] = asked

    def _replied(self, now: float, replied: Replied) -> None:
        asked = self._asking.pop(replied.asking)
        if replied.response is not None:
            status = replied.response.status
            self._agent.respond(now, asked, OWN_AFFAIRS.get(status, status))

    # What passes.

    def _other(self, bridge: Bridge, call: Call) -> Call:
        return bridge.called if call is bridge.a else bridge.a

    def _passing(self, message: Request | Response, *also: str) -> list[tuple[str, object]]:
        """Return the fields that the other side gets to see."""
        names, there = (*self._carried, *also), message.headers
        return [(name, value) for name in names for value in there.values(name)]

    def _hidden(self, caller: Address) -> Address:
        """Return who calls, as the other side may see it: the number or name, at this element's host."""
        uri: Uri = caller.uri
        if isinstance(uri, SipUri) and uri.host.lower().endswith(".invalid"):
            return Address(uri, display=caller.display)  # RFC 3323 §4.1.1.3: anonymous
        user = uri.user if isinstance(uri, SipUri) else uri.phone if isinstance(uri, TelUri) else None
        return Address(SipUri(self._host, user=user), display=caller.display)


_HEARING: Final[Mapping[type, Callable[[BackToBack, float, Bridge, Any], None]]] = {
    Progress: BackToBack._progressed,
    Offered: BackToBack._offered,
    Up: BackToBack._up,
    ChangeAsked: BackToBack._change_asked,
    Changed: BackToBack._changed,
    Unchanged: BackToBack._unchanged,
    Ended: BackToBack._ended,
}
"""What is done about what is told of one side of a call."""

_EFFECTS: Final[Mapping[Effect, Callable[[BackToBack, float, Bridge, object], None]]] = {
    Effect.CALL_B: BackToBack._call_b,
    Effect.RING_A: BackToBack._ring_a,
    Effect.ANSWER_A: BackToBack._answer_a,
    Effect.ANSWER_B: BackToBack._answer_b,
    Effect.REFUSE_A: BackToBack._refuse_a,
    Effect.END_A: BackToBack._end_a,
    Effect.END_B: BackToBack._end_b,
    Effect.TELL_JOINED: lambda own, _, bridge, __: own._out.append(Joined(bridge)),
}

_TABLE: Final = bound(TABLE, _EFFECTS)
