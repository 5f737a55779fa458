"""Calls that another element goes on with: what it has to know of them, and how it takes them up (S11).

A snapshot is taken of a call that is up, or whose other side has been heard of. Whoever takes it up has the same
addresses and ids as the element that had it before, so that neither side notices: tags, sequence numbers, routes,
targets, session timers go on as they were. What is under way is taken up by what SIP does anyway when a message is
lost: the INVITE of ours is sent again on its old branch, a response of ours again to the INVITE that it answers.

Not taken up: calls of which nothing but a 100 has been heard, calls whose answer waits for an offer in the ACK, and
requests other than INVITE that were under way.
"""

from typing import Final, NamedTuple

from sbc.decisions.session import hang_up_after, refresh_after
from sbc.decisions.table import ImpossibleEventError
from sbc.decisions.timers import T1
from sbc.sip import bridging
from sbc.sip.call import Call, Chore, Draft
from sbc.sip.core import PATIENCE, Core, Purpose, Sent, description
from sbc.sip.dialog import Dialog
from sbc.sip.dialog import State as DialogState
from sbc.sip.fields import Address
from sbc.sip.message import Request, Response
from sbc.sip.session_timer import LEAST, Terms, Timing
from sbc.sip.steps import of_server
from sbc.sip.transaction import Flow, RequestReceived, ServerTransaction
from sbc.sip.uri import Uri
from sbc.sip.usage import Event, Move, State, Turn


class Talk(NamedTuple):
    """A dialog that both sides know, and its session."""

    local: Address
    remote: Address
    target: Uri
    routes: tuple[Address, ...]
    local_cseq: int
    remote_cseq: int | None
    ours: bytes | None
    """Our session description as last agreed."""
    theirs: bytes | None
    acked: int | None
    """The number of our latest INVITE that was accepted, if there was one: its ACK may have been lost."""


class Invite(NamedTuple):
    """An INVITE, first or later, that is under way."""

    request: Request
    answer: Response | None
    """What was sent last, where the INVITE is theirs."""
    quiet: bool
    """Whether it is but a refresh."""


class Side(NamedTuple):
    """One side of a call."""

    call_id: str
    tag: str
    outgoing: bool
    state: State
    turn: Turn
    flow: Flow
    timing: Timing
    talk: Talk | None
    invite: Invite | None
    terms: Terms | None
    expires: float | None
    """When the session is over, and when it is ours to refresh it: seconds on the clock of who took the snapshot."""
    refresh: float | None


class Snapshot(NamedTuple):
    """A call passed on, as another element takes it up."""

    at: float
    """When it was taken, on the same clock."""
    state: bridging.State
    a: Side
    b: Side

    def later(self, by: float) -> "Snapshot":
        """Return the snapshot on a clock that is that many seconds ahead."""
        return self._replace(at=self.at + by, a=_later(self.a, by), b=_later(self.b, by))


# Every call that is up is written down: up to Python 3.11 to read a member takes ten times as long as a name.
_UP: Final = State.UP
_CALLING: Final = State.CALLING
_PROCEEDING: Final = State.PROCEEDING
_STILL: Final = Turn.STILL
_OWING: Final = Turn.OWING
_ASKING: Final = Turn.ASKING
_EXPIRED: Final = Event.EXPIRED
_REFRESH: Final = Chore.REFRESH

TAKEN: Final = frozenset([bridging.State.RINGING, bridging.State.JOINING, bridging.State.UP])
"""How far a call that is passed on must have come for a snapshot."""


def take(now: float, state: bridging.State, a: Call, b: Call | None) -> Snapshot | None:
    """Return a snapshot of a call that is passed on, None of one that cannot be taken up as it stands now."""
    if state not in TAKEN or b is None:
        return None
    sides = side(a), side(b)
    return None if sides[0] is None or sides[1] is None else Snapshot(now, state, sides[0], sides[1])


def side(call: Call) -> Side | None:
    """Return what is to be known of one side; None where it stands at something that is not taken up."""
    talk: Talk | None = None
    invite: Invite | None = None
    if call.state is _UP:
        if call.turn is _OWING:
            return None
        talk = _talk(call)
        if call.turn is not _STILL:
            invite = _changing(call)
    elif call.state is State.ANSWERED:
        invite = Invite(call.server.request, _accepted(call), quiet=False)
    elif call.state is State.ARRIVED:
        invite = Invite(call.server.request, _rung(call.server), quiet=False)
    elif call.state in (State.CALLING, State.PROCEEDING):
        invite = Invite(call.request, None, quiet=False)
    else:
        return None
    expires, refresh = call.appointments.get(_EXPIRED), call.appointments.get(_REFRESH)
    return Side(
        call.call_id,
        call.tag,
        call.outgoing,
        _CALLING if call.state is _PROCEEDING else call.state,
        call.turn,
        call.flow,
        call.timing,
        talk,
        invite,
        call.terms,
        None if expires is None else expires.due,
        None if refresh is None else refresh.due,
    )


def _changing(call: Call) -> Invite | None:
    """Return the re-INVITE that is under way in a call."""
    match call.turn:
        case Turn.ASKING:
            return Invite(call.request, None, call.quiet)
        case Turn.ASKED:
            return Invite(call.asked.request, None, call.quiet)
        case Turn.GRANTED:
            return Invite(call.asked.request, _accepted(call), call.quiet)
    return None


def take_up(core: Core, now: float, side: Side, at: float) -> Call:
    """Go on with one side of a call, from a snapshot taken at a moment of this clock.

    Raises ImpossibleEventError where it is known already.
    """
    if (side.call_id, side.tag) in core.by_name:
        raise ImpossibleEventError(f"a call with the Call-ID {side.call_id} is taken up twice")
    call = Call(side.call_id, side.tag, side.timing, outgoing=side.outgoing)
    call.flow = side.flow
    expires, numbers = _unheard(side, at, now)
    if side.talk is not None:
        talk = side.talk._replace(local_cseq=side.talk.local_cseq + numbers)
        _go_on(core, now, call, talk, fresh=now - at <= PATIENCE and side.turn is Turn.STILL)
        call.state = State.UP
        if side.invite is not None:
            _change(core, now, call, side.turn, side.invite)
    elif side.invite is not None:
        _set_up(core, now, call, side.state, side.invite)
    core.by_name[call.call_id, call.tag] = call
    for what, due in ((Event.EXPIRED, expires), (Chore.REFRESH, side.refresh)):
        core.call_off(call, what)
        if due is not None:
            core.at(due, call, what)
    call.terms = side.terms
    return call


def _unheard(side: Side, at: float, now: float) -> tuple[float | None, int]:
    """Return when a session is over, and how many numbers to pass over, for what was due after the snapshot.

    Whoever had the call may have seen to a refresh without a chance to tell: then the session goes on, and a request of
    ours with a number that has been used would be refused (RFC 3261 §12.2.2 takes one that leaves some out).
    """
    if side.expires is None or side.terms is None or side.turn is not Turn.STILL:
        return side.expires, 0
    interval = max(side.terms.interval, LEAST)
    pause = refresh_after(interval)
    begun = side.expires - hang_up_after(interval)
    missed = max(0, int((now - begun) // pause)) - max(0, int((at - begun) // pause))
    return side.expires + missed * pause, missed if side.terms.ours else 0


def let_go(core: Core, call: Call) -> None:
    """Forget a call without a word: another element goes on with it."""
    for what in list(call.appointments):
        core.call_off(call, what)
    call.client = call.asking = None
    call.state, call.turn = State.OVER, Turn.STILL
    core.forget(call)


def _later(side: Side, by: float) -> Side:
    return side._replace(
        expires=None if side.expires is None else side.expires + by,
        refresh=None if side.refresh is None else side.refresh + by,
    )


def _talk(call: Call) -> Talk:
    dialog, session = call.established, call.session
    ours = call.outgoing or call.request is not call.server.request
    return Talk(
        dialog.local,
        dialog.remote,
        dialog.remote_target,
        dialog.routes,
        dialog.local_cseq,
        dialog.remote_cseq,
        session.local,
        session.remote,
        call.request.cseq.number if ours and call.turn is not _ASKING else None,
    )


def _accepted(call: Call) -> Response | None:
    """Return our 2xx whose ACK has not come."""
    return None if call.kept is None else call.kept.response


def _rung(transaction: ServerTransaction) -> Response | None:
    """Return the latest provisional response other than 100."""
    kept = transaction.kept
    return kept if isinstance(kept, Response) and kept.status > 100 else None


def _go_on(core: Core, now: float, call: Call, talk: Talk, *, fresh: bool) -> None:
    """Set up the dialog of a call that is up; ``fresh``: an ACK of ours that went out lately goes out again."""
    dialog = call.dialog = Dialog()
    dialog.call_id, dialog.initiated, dialog.state = call.call_id, call.outgoing, DialogState.CONFIRMED
    dialog.local, dialog.remote, dialog.remote_target, dialog.routes = talk[:4]
    dialog.local_cseq, dialog.remote_cseq = talk.local_cseq, talk.remote_cseq
    call.session.local, call.session.remote = talk.ours, talk.theirs
    call.number = call.tries = 0
    # The number of an INVITE is all that is still asked of it.
    call.request = Request("INVITE", talk.target, [("CSeq", f"{talk.acked or 0} INVITE")])
    if not call.outgoing:
        theirs = call.request if talk.acked is None else Request("INVITE", talk.target, [("CSeq", "0 INVITE")])
        call.server = ServerTransaction(of_server("INVITE"), call.flow, theirs, ())
    if fresh and talk.acked is not None:
        core.pass_on(core.ack(dialog, call.flow, call.request))


def _change(core: Core, now: float, call: Call, turn: Turn, invite: Invite) -> None:
    """Go on with a re-INVITE that is under way."""
    call.quiet, call.turn = invite.quiet, turn
    body = description(invite.request)
    if turn is Turn.ASKING:
        call.wish = None if invite.quiet else ((), body)
        call.request = invite.request
        if body:
            call.session.sent(body)
        call.asking = core.transactions.request(now, call.flow, invite.request)
        core.sent[call.asking] = Sent(call, Purpose.CHANGE)
        return
    call.asked = call.latest = _resumed(core, now, call, invite)
    if body:
        call.session.came(body)
    if invite.answer is not None:
        core.accept(now, call, call.asked, invite.answer)
        core.at(now + T1, call, Move.RESEND)
        core.at(now + PATIENCE, call, Move.NO_ACK)


def _set_up(core: Core, now: float, call: Call, state: State, invite: Invite) -> None:
    """Go on with the first INVITE of a call."""
    request, answer = invite.request, invite.answer
    call.request, call.state = request, state
    body = description(request)
    if call.outgoing:
        call.number = request.cseq.number
        call.draft = Draft(request.uri, request.from_, request.to, request.routes, (), body)
        if body:
            call.session.sent(body)
        call.client = core.transactions.request(now, call.flow, request)
        core.sent[call.client] = Sent(call, Purpose.INVITE)
        return
    call.server = _resumed(core, now, call, invite)
    if body:
        call.session.came(body)
    if answer is not None:
        call.dialog = Dialog.as_callee(request, answer)
    if state is State.ANSWERED and answer is not None:
        core.accept(now, call, call.server, answer)
        core.at(now + T1, call, Event.RESEND)
        core.at(now + PATIENCE, call, Event.NO_ACK)
    elif answer is not None:
        core.transactions.respond(now, call.server, answer)


def _resumed(core: Core, now: float, call: Call, invite: Invite) -> ServerTransaction:
    """Return a transaction for their INVITE, as if it had come now."""
    core.transactions.receive(now, call.flow, invite.request)
    for output in core.transactions.take():
        if isinstance(output, RequestReceived):
            core.came[output.transaction] = call
            return output.transaction
    raise ImpossibleEventError("an INVITE of a call that is taken up is in progress already")
