"""The four transaction machines as tables (RFC 3261 §17, RFC 6026 §7, RFC 4320 §4).

A row reads: in this state, upon this event, the machine goes to that state and does these things in this order. A timer
among the events is one that fires; among the things done, one that starts. A timer runs on while the state that the
machine is in has a row for it, and stops with the first state that has none: nothing else stops one. Over reliable
transport some timers never fire and some fire at once; their lengths are in :mod:`sbc.decisions.timers`.

What a peer may send at any time has a row in every state between START and TERMINATED, so that no peer can do what a
machine does not know; where the figures of the RFCs draw nothing, it changes nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from sbc.decisions.timers import Timer


class State(StrEnum):
    """How far a transaction has come."""

    START = "not begun"
    CALLING = "the INVITE is out, nothing was answered"
    TRYING = "the request is there, nothing was answered"
    PROCEEDING = "a provisional response was given"
    COMPLETED = "a final response was given, to an INVITE one that is no 2xx"
    CONFIRMED = "that final response has been acknowledged"
    ACCEPTED = "the INVITE was answered 2xx"
    TERMINATED = "over and forgotten"


class Event(StrEnum):
    """What happens to a transaction, besides its timers firing."""

    REQUEST = "the request is given or comes, for the first time or again"
    PROVISIONAL = "a 1xx is given or comes"
    SUCCESS = "a 2xx to an INVITE is given or comes"
    FAILURE = "a 3xx to 6xx to an INVITE is given or comes"
    FINAL = "a final response to another request is given or comes"
    ACK = "an ACK comes"
    TRANSPORT_ERROR = "the flow cannot carry what is sent"
    ABANDONED = "the user no longer waits for a final response"


class Effect(StrEnum):
    """What a transaction does, besides starting timers."""

    SEND_REQUEST = "send the request"
    SEND_ACK = "acknowledge the final response"
    SEND_RESPONSE = "send the user's response, and keep it"
    SEND_TRYING = "send 100 Trying, and keep it"
    RESEND = "send the kept response again"
    REQUEST_TO_USER = "pass the request to the user"
    RESPONSE_TO_USER = "pass the response to the user"
    ACK_TO_USER = "pass the ACK to the user"
    TIMED_OUT = "tell the user that it took too long"
    FAILED = "tell the user that the flow failed"
    STRAY = "report a message that has no place here"


Machine: TypeAlias = Mapping[tuple[State, Event | Timer], tuple[State, tuple[Effect | Timer, ...]]]
"""A table of transitions."""


INVITE_CLIENT: Machine = {
    (State.START, Event.REQUEST): (State.CALLING, (Effect.SEND_REQUEST, Timer.A, Timer.B)),
    #
    (State.CALLING, Timer.A): (State.CALLING, (Effect.SEND_REQUEST, Timer.A)),
    (State.CALLING, Timer.B): (State.TERMINATED, (Effect.TIMED_OUT,)),
    (State.CALLING, Event.TRANSPORT_ERROR): (State.TERMINATED, (Effect.FAILED,)),
    (State.CALLING, Event.ABANDONED): (State.TERMINATED, ()),
    (State.CALLING, Event.PROVISIONAL): (State.PROCEEDING, (Effect.RESPONSE_TO_USER,)),
    (State.CALLING, Event.SUCCESS): (State.ACCEPTED, (Effect.RESPONSE_TO_USER, Timer.M)),
    (State.CALLING, Event.FAILURE): (State.COMPLETED, (Effect.SEND_ACK, Effect.RESPONSE_TO_USER, Timer.D)),
    #
    (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (Effect.RESPONSE_TO_USER,)),
    (State.PROCEEDING, Event.SUCCESS): (State.ACCEPTED, (Effect.RESPONSE_TO_USER, Timer.M)),
    (State.PROCEEDING, Event.FAILURE): (State.COMPLETED, (Effect.SEND_ACK, Effect.RESPONSE_TO_USER, Timer.D)),
    (State.PROCEEDING, Event.TRANSPORT_ERROR): (State.TERMINATED, (Effect.FAILED,)),
    (State.PROCEEDING, Event.ABANDONED): (State.TERMINATED, ()),
    #
    (State.COMPLETED, Event.FAILURE): (State.COMPLETED, (Effect.SEND_ACK,)),
    (State.COMPLETED, Event.PROVISIONAL): (State.COMPLETED, ()),
    (State.COMPLETED, Event.SUCCESS): (State.COMPLETED, (Effect.STRAY,)),
    (State.COMPLETED, Event.TRANSPORT_ERROR): (State.TERMINATED, (Effect.FAILED,)),
    (State.COMPLETED, Event.ABANDONED): (State.COMPLETED, ()),
    (State.COMPLETED, Timer.D): (State.TERMINATED, ()),
    #
    (State.ACCEPTED, Event.SUCCESS): (State.ACCEPTED, (Effect.RESPONSE_TO_USER,)),
    (State.ACCEPTED, Event.PROVISIONAL): (State.ACCEPTED, ()),
    (State.ACCEPTED, Event.FAILURE): (State.ACCEPTED, (Effect.STRAY,)),
    (State.ACCEPTED, Event.TRANSPORT_ERROR): (State.ACCEPTED, ()),
    (State.ACCEPTED, Event.ABANDONED): (State.ACCEPTED, ()),
    (State.ACCEPTED, Timer.M): (State.TERMINATED, ()),
}
"""RFC 3261 figure 5 with the Accepted state of RFC 6026. A flow that breaks while a call rings ends the transaction, as
the answer has no way back; ABANDONED is §9.1's end of a cancelled INVITE that nobody answers, or a proxy's Timer C."""

NON_INVITE_CLIENT: Machine = {
    (State.START, Event.REQUEST): (State.TRYING, (Effect.SEND_REQUEST, Timer.E, Timer.F)),
    #
    (State.TRYING, Timer.E): (State.TRYING, (Effect.SEND_REQUEST, Timer.E)),
    (State.TRYING, Timer.F): (State.TERMINATED, (Effect.TIMED_OUT,)),
    (State.TRYING, Event.TRANSPORT_ERROR): (State.TERMINATED, (Effect.FAILED,)),
    (State.TRYING, Event.ABANDONED): (State.TERMINATED, ()),
    (State.TRYING, Event.PROVISIONAL): (State.PROCEEDING, (Effect.RESPONSE_TO_USER,)),
    (State.TRYING, Event.FINAL): (State.COMPLETED, (Effect.RESPONSE_TO_USER, Timer.K)),
    #
    (State.PROCEEDING, Timer.E): (State.PROCEEDING, (Effect.SEND_REQUEST, Timer.E_SLOW)),
    (State.PROCEEDING, Timer.E_SLOW): (State.PROCEEDING, (Effect.SEND_REQUEST, Timer.E_SLOW)),
    (State.PROCEEDING, Timer.F): (State.TERMINATED, (Effect.TIMED_OUT,)),
    (State.PROCEEDING, Event.TRANSPORT_ERROR): (State.TERMINATED, (Effect.FAILED,)),
    (State.PROCEEDING, Event.ABANDONED): (State.TERMINATED, ()),
    (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (Effect.RESPONSE_TO_USER,)),
    (State.PROCEEDING, Event.FINAL): (State.COMPLETED, (Effect.RESPONSE_TO_USER, Timer.K)),
    #
    (State.COMPLETED, Event.PROVISIONAL): (State.COMPLETED, ()),
    (State.COMPLETED, Event.FINAL): (State.COMPLETED, ()),
    (State.COMPLETED, Event.TRANSPORT_ERROR): (State.COMPLETED, ()),
    (State.COMPLETED, Event.ABANDONED): (State.COMPLETED, ()),
    (State.COMPLETED, Timer.K): (State.TERMINATED, ()),
}
"""RFC 3261 figure 6."""

INVITE_SERVER: Machine = {
    (State.START, Event.REQUEST): (State.TRYING, (Effect.REQUEST_TO_USER, Timer.TRYING)),
    #
    (State.TRYING, Timer.TRYING): (State.PROCEEDING, (Effect.SEND_TRYING,)),
    (State.TRYING, Event.REQUEST): (State.TRYING, ()),
    (State.TRYING, Event.ACK): (State.TRYING, (Effect.STRAY,)),
    (State.TRYING, Event.PROVISIONAL): (State.PROCEEDING, (Effect.SEND_RESPONSE,)),
    (State.TRYING, Event.SUCCESS): (State.ACCEPTED, (Effect.SEND_RESPONSE, Timer.L)),
    (State.TRYING, Event.FAILURE): (State.COMPLETED, (Effect.SEND_RESPONSE, Timer.G, Timer.H)),
    (State.TRYING, Event.TRANSPORT_ERROR): (State.TRYING, (Effect.FAILED,)),
    #
    (State.PROCEEDING, Event.REQUEST): (State.PROCEEDING, (Effect.RESEND,)),
    (State.PROCEEDING, Event.ACK): (State.PROCEEDING, (Effect.STRAY,)),
    (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (Effect.SEND_RESPONSE,)),
    (State.PROCEEDING, Event.SUCCESS): (State.ACCEPTED, (Effect.SEND_RESPONSE, Timer.L)),
    (State.PROCEEDING, Event.FAILURE): (State.COMPLETED, (Effect.SEND_RESPONSE, Timer.G, Timer.H)),
    (State.PROCEEDING, Event.TRANSPORT_ERROR): (State.PROCEEDING, (Effect.FAILED,)),
    #
    (State.COMPLETED, Event.REQUEST): (State.COMPLETED, (Effect.RESEND,)),
    (State.COMPLETED, Timer.G): (State.COMPLETED, (Effect.RESEND, Timer.G)),
    (State.COMPLETED, Timer.H): (State.TERMINATED, (Effect.TIMED_OUT,)),
    (State.COMPLETED, Event.ACK): (State.CONFIRMED, (Timer.I,)),
    (State.COMPLETED, Event.PROVISIONAL): (State.COMPLETED, ()),
    (State.COMPLETED, Event.SUCCESS): (State.COMPLETED, ()),
    (State.COMPLETED, Event.FAILURE): (State.COMPLETED, ()),
    (State.COMPLETED, Event.TRANSPORT_ERROR): (State.COMPLETED, (Effect.FAILED,)),
    #
    (State.CONFIRMED, Event.REQUEST): (State.CONFIRMED, ()),
    (State.CONFIRMED, Event.ACK): (State.CONFIRMED, ()),
    (State.CONFIRMED, Event.PROVISIONAL): (State.CONFIRMED, ()),
    (State.CONFIRMED, Event.SUCCESS): (State.CONFIRMED, ()),
    (State.CONFIRMED, Event.FAILURE): (State.CONFIRMED, ()),
    (State.CONFIRMED, Event.TRANSPORT_ERROR): (State.CONFIRMED, ()),
    (State.CONFIRMED, Timer.I): (State.TERMINATED, ()),
    #
    (State.ACCEPTED, Event.REQUEST): (State.ACCEPTED, ()),
    (State.ACCEPTED, Event.ACK): (State.ACCEPTED, (Effect.ACK_TO_USER,)),
    (State.ACCEPTED, Event.PROVISIONAL): (State.ACCEPTED, ()),
    (State.ACCEPTED, Event.SUCCESS): (State.ACCEPTED, (Effect.SEND_RESPONSE,)),
    (State.ACCEPTED, Event.FAILURE): (State.ACCEPTED, ()),
    (State.ACCEPTED, Event.TRANSPORT_ERROR): (State.ACCEPTED, (Effect.FAILED,)),
    (State.ACCEPTED, Timer.L): (State.TERMINATED, ()),
}
"""RFC 3261 figure 7 with the Accepted state of RFC 6026; both draw TRYING and PROCEEDING as one. Final responses after
the first are dropped (§17.2.1), but a 2xx may follow a 2xx: the user sends those again (§13.3.1.4)."""

NON_INVITE_SERVER: Machine = {
    (State.START, Event.REQUEST): (State.TRYING, (Effect.REQUEST_TO_USER, Timer.LATE_TRYING)),
    #
    (State.TRYING, Timer.LATE_TRYING): (State.PROCEEDING, (Effect.SEND_TRYING, Timer.TOO_LATE)),
    (State.TRYING, Event.REQUEST): (State.TRYING, ()),
    (State.TRYING, Event.FINAL): (State.COMPLETED, (Effect.SEND_RESPONSE, Timer.J)),
    (State.TRYING, Event.TRANSPORT_ERROR): (State.TRYING, ()),
    #
    (State.PROCEEDING, Timer.TOO_LATE): (State.TERMINATED, (Effect.TIMED_OUT,)),
    (State.PROCEEDING, Event.REQUEST): (State.PROCEEDING, (Effect.RESEND,)),
    (State.PROCEEDING, Event.FINAL): (State.COMPLETED, (Effect.SEND_RESPONSE, Timer.J)),
    (State.PROCEEDING, Event.TRANSPORT_ERROR): (State.TERMINATED, (Effect.FAILED,)),
    #
    (State.COMPLETED, Event.REQUEST): (State.COMPLETED, (Effect.RESEND,)),
    (State.COMPLETED, Event.FINAL): (State.COMPLETED, ()),
    (State.COMPLETED, Event.TRANSPORT_ERROR): (State.TERMINATED, (Effect.FAILED,)),
    (State.COMPLETED, Timer.J): (State.TERMINATED, ()),
}
"""RFC 3261 figure 8 with RFC 4320: the machine itself sends the one 100 that may be sent, when the client's Timer E has
reached T2, and ends without a final response when the client's Timer F must have fired."""
