"""What calls do: the effects of the table :data:`sbc.sip.usage.CALL`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sbc.decisions.timers import T1
from sbc.sip.call import Arrived, Call, Ended, Leg, Offered, Output, Progress, Up
from sbc.sip.core import PATIENCE, Core, Doing, Purpose, Sent, description
from sbc.sip.dialog import Dialog
from sbc.sip.dialog import Event as DialogEvent
from sbc.sip.headers import Headers
from sbc.sip.hop import cancel_for
from sbc.sip.message import Request, Response
from sbc.sip.offer import Negotiation
from sbc.sip.offer import State as OfferState
from sbc.sip.session_timer import settled
from sbc.sip.usage import Effect, Event, State

BRANCHES: Final = 64
"""Branches of one INVITE that are kept apart; what more there are is not answered."""

# Read once: before Python 3.12 a member of an enumeration takes longer to read than a row of a table.
_WAITING: Final = frozenset([State.CALLING, State.PROCEEDING])
_OVER: Final = State.OVER
_OFFERED: Final = OfferState.OFFERED
_COPY: Final = Event.COPY
_BRANCH: Final = Event.BRANCH
_OFFER: Final = Event.OFFER
_SUCCESS: Final = Event.SUCCESS
_PROVISIONAL: Final = Event.PROVISIONAL
_RESEND: Final = Event.RESEND
_NO_ACK: Final = Event.NO_ACK
_INVITE: Final = Purpose.INVITE
_BYE: Final = Purpose.BYE
_ACCEPTED: Final = DialogEvent.ACCEPTED


def _send_invite(core: Core, now: float, call: Call, _: object) -> None:
    draft = call.draft
    call.early.clear()
    call.number += 1
    headers = core.session_headers(call, draft.body, draft.headers)
    if draft.routes:
        headers = Headers([*(("Route", route) for route in draft.routes), *headers.pairs])
    flow, via = core.way(draft.routes[0].uri if draft.routes else draft.uri, None)
    request = Request.build(
        "INVITE",
        draft.uri,
        via=via,
        from_=draft.from_,
        to=draft.to,
        call_id=call.call_id,
        cseq=call.number,
        headers=headers,
        body=draft.body,
    )
    call.flow, call.request = flow, core.authorized(request)
    call.session = _offering(draft.body)
    call.client = core.transactions.request(now, flow, call.request)
    core.sent[call.client] = Sent(call, _INVITE)


def _send_cancel(core: Core, now: float, call: Call, _: object) -> None:
    cancel = cancel_for(call.request)
    for name, value in call.bye_headers:
        cancel = cancel.with_headers(cancel.headers.add(name, value))
    core.sent[core.transactions.request(now, call.flow, cancel)] = Sent(call, Purpose.CANCEL)
    core.at(now + PATIENCE, call, Event.NO_FINAL)


def send_bye(core: Core, now: float, call: Call, _: object, tries: int = 0) -> None:
    """Send a BYE; `tries` is how often that was tried before."""
    flow, request = core.request_within(call, "BYE", call.bye_headers, b"")
    core.sent[core.transactions.request(now, flow, request)] = Sent(call, _BYE, tries)


def _abandon(core: Core, now: float, call: Call, _: object) -> None:
    if call.client is not None:
        core.transactions.abandon(now, call.client)


def succeeded(core: Core, now: float, call: Call, response: Response) -> None:
    """Take a 2xx to our first INVITE, whichever branch and copy it is."""
    tag = response.to_tag or ""
    if call.dialog is not None:
        ours = (call.dialog.remote.tag or "") == tag
        core.lead(now, call, _COPY if ours else _BRANCH, response)
    elif call.state is _OVER:
        core.lead(now, call, _BRANCH, response)
    else:
        _confirm(core, call, tag, response)
        wants = core.take_answer(call.session, call.request, response)
        core.start_session(now, call, settled(response))
        call.owed = response if wants else None
        core.lead(now, call, _OFFER if wants else _SUCCESS, response)


def _confirm(core: Core, call: Call, tag: str, response: Response) -> None:
    leg = call.early.pop(tag, None)
    if leg is None:
        call.dialog = Dialog.as_caller(call.request, response)
        call.session = _offering(call.draft.body)
    else:
        call.dialog, call.session = leg
        call.dialog.confirm(response)


def progressed(core: Core, now: float, call: Call, response: Response) -> None:
    """Take a provisional response to our first INVITE: each branch has a dialog of its own."""
    tag = response.to_tag
    if tag and response.status > 100 and call.state in _WAITING:
        leg = call.early.get(tag)
        if leg is None and len(call.early) < BRANCHES:
            leg = call.early[tag] = Leg(Dialog.as_caller(call.request, response), _offering(call.draft.body))
        if leg is not None and leg.session.state is _OFFERED and (body := description(response)):
            leg.session.came(body)
    core.lead(now, call, _PROVISIONAL, response)


def _end_branch(core: Core, now: float, call: Call, message: Any) -> None:
    key = (message.cseq.number, message.to_tag or "")
    if key in call.acks:
        core.pass_on(call.acks[key])
    elif len(call.acks) < BRANCHES:
        invite = call.request if call.client is None else call.client.request
        dialog = Dialog.as_caller(invite, message)
        call.acks[key] = core.ack(dialog, call.flow, invite)
        core.pass_on(call.acks[key])
        flow, via = core.way(dialog.next_hop, call.flow)
        bye = core.transactions.request(now, flow, core.authorized(dialog.request("BYE", via)))
        core.sent[bye] = Sent(None, _BYE)


def _send_2xx(core: Core, now: float, call: Call, message: Any) -> None:
    if call.dialog is not None:
        call.dialog.tell(_ACCEPTED)
    core.accept(now, call, call.server, message)
    core.at(now + T1, call, _RESEND)
    core.at(now + PATIENCE, call, _NO_ACK)


def _refuse(core: Core, now: float, call: Call, message: Any) -> None:
    core.transactions.respond(now, call.server, message)


def _send_487(core: Core, now: float, call: Call, _: object) -> None:
    _refuse(core, now, call, Response.answer(call.server.request, 487, to_tag=call.tag))


def _ended(core: Core, now: float, call: Call, message: Any) -> None:
    del now
    if call.why is not None:
        core.out.append(Ended(call, call.why, message))


def _offering(body: bytes) -> Negotiation:
    session = Negotiation()
    if body:
        session.sent(body)
    return session


def _tell(event: Callable[[Call, Any], Output]) -> Doing:
    return lambda core, _, call, message: core.out.append(event(call, message))


EFFECTS: Final[Mapping[Effect, Doing]] = {
    Effect.SEND_INVITE: _send_invite,
    Effect.SEND_CANCEL: _send_cancel,
    Effect.SEND_ACK: Core.acknowledge,
    Effect.SEND_BYE: send_bye,
    Effect.END_BRANCH: _end_branch,
    Effect.SEND_2XX: _send_2xx,
    Effect.RESEND_2XX: lambda core, now, call, _: core.resend(now, call, Event.RESEND),
    Effect.SEND_REFUSAL: _refuse,
    Effect.SEND_487: _send_487,
    Effect.ABANDON: _abandon,
    Effect.TELL_ARRIVED: _tell(Arrived),
    Effect.TELL_PROGRESS: _tell(Progress),
    Effect.TELL_OFFER: _tell(Offered),
    Effect.TELL_UP: lambda core, _, call, message: core.out.append(Up(call, message)),
    Effect.TELL_ENDED: _ended,
}
