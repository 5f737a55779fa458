"""What is done about changes: the deeds of the table :data:`sbc.sip.usage.CHANGE` (RFC 3261 §14)."""

from collections.abc import Mapping
from math import floor
from typing import Any, Final

from sbc.decisions.timers import T1
from sbc.sip.call import Call, ChangeAsked, Changed, Offered, Unchanged
from sbc.sip.core import PATIENCE, Core, Doing, Purpose, Sent, description
from sbc.sip.message import Fields, Request, Response
from sbc.sip.session_timer import settled
from sbc.sip.transaction import ServerTransaction
from sbc.sip.usage import Deed, Event, Move, State, Turn


def _ask(core: Core, now: float, call: Call, _: object) -> None:
    core.call_off(call, Move.DUE)
    call.quiet = call.wish is None
    headers, body = call.wish or ((), call.session.local or b"")
    if body:
        call.session.sent(body)
    flow, request = core.request_within(call, "INVITE", core.session_headers(call, body, headers), body)
    call.request = request
    call.asking = core.transactions.request(now, flow, request)
    core.sent[call.asking] = Sent(call, Purpose.CHANGE)


def change_succeeded(core: Core, now: float, call: Call, response: Response) -> None:
    """Take a 2xx to our re-INVITE, or a copy of it."""
    key = (response.cseq.number, response.to_tag or "")
    if key in call.acks:
        core.pass_on(call.acks[key])
    elif call.turn is Turn.ASKING and call.dialog is not None:
        call.dialog.refresh_target(response)
        wants = core.take_answer(call.session, call.request, response)
        core.start_session(now, call, settled(response))
        call.owed = response if wants else None
        core.change(now, call, Move.OFFER if wants else Move.SUCCESS, response)


def _wait(core: Core, now: float, call: Call, _: object) -> None:
    """§14.1: in steps of 10 ms, so that of two that have met one comes first."""
    draw = core.ids.uniform()
    steps = 210 + floor(draw * 191) if call.established.initiated else floor(draw * 201)
    core.at(now + min(steps / 100, 4.0), call, Move.DUE)


def _abandon_change(core: Core, now: float, call: Call, _: object) -> None:
    if call.asking is not None:
        core.transactions.abandon(now, call.asking)


def _grant(core: Core, now: float, call: Call, message: Any) -> None:
    core.accept(now, call, call.asked, message)
    core.at(now + T1, call, Move.RESEND)
    core.at(now + PATIENCE, call, Move.NO_ACK)


def reinvited(core: Core, now: float, call: Call, transaction: ServerTransaction) -> None:
    """Take their re-INVITE; one that only refreshes what was agreed is answered at once (RFC 4028 §7.4)."""
    request = transaction.request
    call.latest = transaction
    core.came[transaction] = call
    if call.state is not State.UP:
        _answer_latest(core, now, call, 491)
        return
    body = description(request)
    refreshes = call.turn is Turn.STILL and body == (call.session.remote or b"")
    if call.turn is Turn.STILL:
        call.quiet = refreshes
    core.change(now, call, Move.INVITE, request)
    if refreshes:
        answer = core.response(call, request, 200, (), call.session.local or b"" if body else b"")
        core.change(now, call, Move.ANSWER, answer)


def _take_change(core: Core, now: float, call: Call, message: Any) -> None:
    del now
    call.asked = call.latest
    call.established.refresh_target(message)
    if body := description(message):
        call.session.came(body)
    if not call.quiet:
        core.out.append(ChangeAsked(call, message))


def _answer_latest(core: Core, now: float, call: Call, status: int, headers: Fields = ()) -> None:
    reply = Response.answer(call.latest.request, status, to_tag=call.tag, headers=headers)
    core.transactions.respond(now, call.latest, reply)


def _come_back_later(core: Core, now: float, call: Call, _: object) -> None:
    _answer_latest(core, now, call, 500, [("Retry-After", floor(core.ids.uniform() * 11))])


def _refuse_change(core: Core, now: float, call: Call, message: Any) -> None:
    core.transactions.respond(now, call.asked, message)


def _terminate_change(core: Core, now: float, call: Call, _: object) -> None:
    core.transactions.respond(now, call.asked, Response.answer(call.asked.request, 487, to_tag=call.tag))


def _changed(core: Core, now: float, call: Call, message: Any) -> None:
    del now
    _done(core, call, Changed(call, message), ours=isinstance(message, Response))


def _unchanged(core: Core, now: float, call: Call, message: Any) -> None:
    del now
    _done(core, call, Unchanged(call, message), ours=not isinstance(message, Request))


def _done(core: Core, call: Call, told: Changed | Unchanged, *, ours: bool) -> None:
    """Tell of a change, unless it was but a refresh; after theirs, a wish of ours that met it still stands."""
    if not call.quiet:
        core.out.append(told)
    call.quiet = False
    if ours:
        call.wish = None


DEEDS: Final[Mapping[Deed, Doing]] = {
    Deed.SEND_INVITE: _ask,
    Deed.SEND_ACK: Core.acknowledge,
    Deed.SEND_2XX: _grant,
    Deed.RESEND_2XX: lambda core, now, call, _: core.resend(now, call, Move.RESEND),
    Deed.SEND_REFUSAL: _refuse_change,
    Deed.SEND_487: _terminate_change,
    Deed.SEND_491: lambda core, now, call, _: _answer_latest(core, now, call, 491),
    Deed.SEND_500: _come_back_later,
    Deed.ABANDON: _abandon_change,
    Deed.WAIT: _wait,
    Deed.DROP: lambda _, __, call, ___: call.session.dropped(),
    Deed.HANG_UP: lambda core, now, call, _: core.lead(now, call, Event.GONE),
    Deed.TELL_ASKED: _take_change,
    Deed.TELL_OFFER: lambda core, _, call, message: core.out.append(Offered(call, message)),
    Deed.TELL_CHANGED: _changed,
    Deed.TELL_UNCHANGED: _unchanged,
}
