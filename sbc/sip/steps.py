"""The tables of :mod:`sbc.sip.machines` with what carries them out in place of names: read once for all."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sbc.decisions.table import Table
from sbc.decisions.timers import RELIABLE, UNRELIABLE, Timer
from sbc.sip.hop import ack_for
from sbc.sip.machines import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Effect,
    Machine,
    State,
)
from sbc.sip.message import Response
from sbc.sip.transaction import (
    AckReceived,
    Alarm,
    Output,
    RequestReceived,
    ResponseReceived,
    Send,
    Step,
    Steps,
    Stray,
    TimedOut,
    Transaction,
    TransportFailed,
)


def _acknowledge(transaction: Transaction, response: Response) -> Send:
    if transaction.kept is None:
        transaction.kept = ack_for(transaction.request, response)
    return Send(transaction.flow, transaction.kept)


def _answer(transaction: Transaction, response: Response) -> Send:
    transaction.kept = response
    return Send(transaction.flow, response)


_OUTPUTS: Final[Mapping[Effect, Callable[[Any, Any], Output]]] = {
    Effect.SEND_REQUEST: lambda own, _: Send(own.flow, own.request),
    Effect.SEND_ACK: _acknowledge,
    Effect.SEND_RESPONSE: _answer,
    Effect.SEND_TRYING: lambda own, _: _answer(own, Response.answer(own.request, 100)),
    Effect.RESEND: lambda own, _: Send(own.flow, own.kept),
    Effect.REQUEST_TO_USER: lambda own, _: RequestReceived(own),
    Effect.RESPONSE_TO_USER: ResponseReceived,
    Effect.ACK_TO_USER: lambda own, ack: AckReceived(own.flow, ack, own),
    Effect.TIMED_OUT: lambda own, _: TimedOut(own),
    Effect.FAILED: lambda own, _: TransportFailed(own),
    Effect.STRAY: lambda own, message: Stray(own.flow, message),
}
"""What each effect puts out, of the transaction and the message that it follows upon."""

ALARMS: Final[Mapping[bool, Mapping[Timer, Alarm]]] = {
    reliable: {timer: (timer, length) for timer, length in lengths.items()}
    for reliable, lengths in ((True, RELIABLE), (False, UNRELIABLE))
}
"""How long each timer runs at first, by whether the transport is reliable."""


def _steps(machine: Machine) -> Steps:
    waiting: dict[State, set[Timer]] = {}
    for state, event in machine:
        if isinstance(event, Timer):
            waiting.setdefault(state, set()).add(event)
    return Table(
        {
            row: Step(
                state,
                tuple([_OUTPUTS[effect] for effect in effects if isinstance(effect, Effect)]),
                tuple([timer for timer in effects if isinstance(timer, Timer)]),
                frozenset(waiting.get(state, ())),
                Effect.SEND_RESPONSE in effects,
                state is State.TERMINATED,
            )
            for row, (state, effects) in machine.items()
        }
    )


_INVITE_CLIENT: Final = _steps(INVITE_CLIENT)
_NON_INVITE_CLIENT: Final = _steps(NON_INVITE_CLIENT)
_INVITE_SERVER: Final = _steps(INVITE_SERVER)
_NON_INVITE_SERVER: Final = _steps(NON_INVITE_SERVER)


def of_client(method: str) -> Steps:
    """Return how the client transaction of a request goes."""
    return _INVITE_CLIENT if method == "INVITE" else _NON_INVITE_CLIENT


def of_server(method: str) -> Steps:
    """Return how the server transaction of a request goes."""
    return _INVITE_SERVER if method == "INVITE" else _NON_INVITE_SERVER
