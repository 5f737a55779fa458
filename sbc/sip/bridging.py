"""A call that a back-to-back user agent joins of two, as a table: `a` is the side that calls, `b` the one called.

Each side is a call of its own, with its own table in :mod:`sbc.sip.usage`; this one says what one means to the other.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias


class State(StrEnum):
    """How far the two sides are joined."""

    ASKED = "a calls, and the user has not decided"
    TRYING = "b is called, and has not rung"
    RINGING = "b was heard of: no other target is tried"
    JOINING = "both have answered; the ACK of a is awaited"
    OWING = "the same, and b waits for the answer to its offer, which the ACK brings"
    UP = "the two are joined"
    OVER = "the sides no longer concern each other"


class Event(StrEnum):
    """What happens on either side."""

    CONNECT = "the user gives targets for b"
    REFUSE = "the user refuses"
    PROGRESS = "b answers provisionally, other than 100"
    SUCCESS = "b answers"
    OFFER = "b answers with an offer, as the INVITE of a had none"
    ACK = "the ACK of a comes"
    NEXT = "b fails or is silent, and the list of targets goes on"
    LAST = "b fails, and the list does not go on"
    A_ENDS = "the call of a is over"
    B_ENDS = "the call of b is over, having been answered"


class Effect(StrEnum):
    """What is done about it."""

    CALL_B = "call the next target"
    RING_A = "pass the provisional response to a"
    ANSWER_A = "answer a with what b has answered"
    ANSWER_B = "give b the answer that the ACK of a brought"
    REFUSE_A = "refuse a with what b's answers amount to"
    END_A = "hang up on a"
    END_B = "hang up on b"
    TELL_JOINED = "tell the user that the two are joined"


Bridging: TypeAlias = Mapping[tuple[State, Event], tuple[State, tuple[Effect, ...]]]


TABLE: Final[Bridging] = {
    (State.ASKED, Event.CONNECT): (State.TRYING, (Effect.CALL_B,)),
    (State.ASKED, Event.REFUSE): (State.OVER, (Effect.REFUSE_A,)),
    (State.ASKED, Event.A_ENDS): (State.OVER, ()),
    #
    (State.TRYING, Event.PROGRESS): (State.RINGING, (Effect.RING_A,)),
    (State.TRYING, Event.SUCCESS): (State.JOINING, (Effect.ANSWER_A,)),
    (State.TRYING, Event.OFFER): (State.OWING, (Effect.ANSWER_A,)),
    (State.TRYING, Event.NEXT): (State.TRYING, (Effect.CALL_B,)),
    (State.TRYING, Event.LAST): (State.OVER, (Effect.REFUSE_A,)),
    (State.TRYING, Event.A_ENDS): (State.OVER, (Effect.END_B,)),
    #
    (State.RINGING, Event.PROGRESS): (State.RINGING, (Effect.RING_A,)),
    (State.RINGING, Event.SUCCESS): (State.JOINING, (Effect.ANSWER_A,)),
    (State.RINGING, Event.OFFER): (State.OWING, (Effect.ANSWER_A,)),
    (State.RINGING, Event.LAST): (State.OVER, (Effect.REFUSE_A,)),
    (State.RINGING, Event.A_ENDS): (State.OVER, (Effect.END_B,)),
    #
    (State.JOINING, Event.ACK): (State.UP, (Effect.TELL_JOINED,)),
    (State.JOINING, Event.A_ENDS): (State.OVER, (Effect.END_B,)),
    (State.JOINING, Event.B_ENDS): (State.OVER, (Effect.END_A,)),
    #
    (State.OWING, Event.ACK): (State.UP, (Effect.ANSWER_B, Effect.TELL_JOINED)),
    (State.OWING, Event.A_ENDS): (State.OVER, (Effect.END_B,)),
    (State.OWING, Event.B_ENDS): (State.OVER, (Effect.END_A,)),
    #
    (State.UP, Event.SUCCESS): (State.UP, ()),  # b has the answer that it was owed
    (State.UP, Event.A_ENDS): (State.OVER, (Effect.END_B,)),
    (State.UP, Event.B_ENDS): (State.OVER, (Effect.END_A,)),
    #
    (State.OVER, Event.ACK): (State.OVER, ()),
    (State.OVER, Event.A_ENDS): (State.OVER, ()),
    (State.OVER, Event.B_ENDS): (State.OVER, ()),
}
"""What one side means to the other (RFC 7092 §3.1: a signalling-only back-to-back user agent)."""
