"""A caller's visit to the contact centre as a table: what each thing that happens means for it (W9-W16).

The legs of a visit, the caller's and that of whoever is in the centre, have tables of their own in
:mod:`sbc.sip.usage`; this one says what one means to the other, and to the queue between them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias


class State(StrEnum):
    """Where a visit stands."""

    ARRIVED = "the INVITE is there"
    MENU = "in announcements and menus"
    WAITING = "in a queue"
    RINGING = "an agent's phone is rung"
    PROMISED = "the caller has hung up and keeps the place in the queue"
    REACHING = "the phone of the agent is rung who is to call back"
    DIALLING = "that agent has answered, and the caller is dialled"
    TALKING = "somebody has answered"
    OVER = "nothing is left of it"


class Event(StrEnum):
    """What happens to a visit."""

    REFUSED = "nobody has the number, it is closed, there is no port, or nothing in the caller's offer is understood"
    AT_ONCE = "the number has no queue: the far side answers"
    GREETED = "an IVR answers"
    DELIVERED = "the call comes to a queue"
    MENU_OVER = "announcements and menus are over"
    CONTAINED = "the IVR was all the caller needed"
    TURNED_AWAY = "the queue takes no more callers"
    CLOSED = "the queue closes, or has closed while the caller was in the IVR"
    TREATMENT_DUE = "the queue does what it does for one who has waited this long"
    CALLBACK_TAKEN = "the caller takes the offer to be called back"
    TEAM_ANSWERED = "the external team answers"
    TEAM_FAILED = "the external team could not be reached"
    AGENT_FOUND = "an agent is free, whose phone is registered"
    AGENT_ANSWERED = "the agent's phone answers"
    AGENT_FAILED = "the agent's phone answers nothing, or refuses"
    CALLER_ANSWERED = "the caller who was promised a call answers it"
    CALLER_FAILED = "the caller cannot be called back"
    CALLER_GONE = "the caller hangs up, or the caller's leg is lost"
    OTHER_GONE = "whoever has answered in the centre hangs up, or that leg is lost"


class Effect(StrEnum):
    """What the centre does about it."""

    ANSWER = "answer the caller with a description of its own"
    PLAY = "let announcements and menus play"
    CHOOSE = "see whether the IVR was all the caller needed"
    JOIN = "find an agent, or wait for one if the queue has room"
    TREAT = "widen the search, offer a callback or call the team, and wait on if that changed nothing"
    WAIT_ON = "wait for what the queue does next"
    LEAVE_QUEUE = "give the place in the queue up"
    DROP_TEAM = "give the leg to the external team up, and its ports back"
    RING = "ring the agent's phone"
    PUT_BACK = "the agent cannot be reached: back to the old place in the queue, or on to the next agent"
    CALL_BACK = "dial the caller"
    CONNECT = "answer the caller, if nobody has, with what the other side has answered"
    END_CALLER = "refuse the caller or hang up on them"
    END_OTHER = "hang up on whoever is rung, dialled or has answered, and release the agent"
    CLEAR = "give all ports back"
    TELL_CONNECTED = "report who has answered"
    TELL_OVERFLOWED = "report that the external team has"
    TELL_PROMISED = "report that the caller will be called back"
    TELL_WHY = "report why it came to nothing"
    TELL_LEFT = "report that the caller waits no more"
    TELL_OVER = "report that the call is over"


Visiting: TypeAlias = Mapping[tuple[State, Event], tuple[State, tuple[Effect, ...]]]


TABLE: Final[Visiting] = {
    (State.ARRIVED, Event.REFUSED): (State.OVER, (Effect.END_CALLER, Effect.CLEAR, Effect.TELL_WHY)),
    (State.ARRIVED, Event.AT_ONCE): (State.TALKING, (Effect.ANSWER, Effect.TELL_CONNECTED)),
    (State.ARRIVED, Event.GREETED): (State.MENU, (Effect.ANSWER, Effect.PLAY)),
    (State.ARRIVED, Event.DELIVERED): (State.WAITING, (Effect.JOIN,)),
    #
    (State.MENU, Event.MENU_OVER): (State.MENU, (Effect.CHOOSE,)),
    (State.MENU, Event.CONTAINED): (State.OVER, (Effect.END_CALLER, Effect.CLEAR, Effect.TELL_OVER)),
    (State.MENU, Event.CLOSED): (State.OVER, (Effect.END_CALLER, Effect.CLEAR, Effect.TELL_WHY)),
    (State.MENU, Event.DELIVERED): (State.WAITING, (Effect.JOIN,)),
    (State.MENU, Event.CALLER_GONE): (State.OVER, (Effect.CLEAR, Effect.TELL_LEFT)),
    #
    (State.WAITING, Event.TURNED_AWAY): (
        State.OVER,
        (Effect.LEAVE_QUEUE, Effect.END_CALLER, Effect.CLEAR, Effect.TELL_WHY),
    ),
    (State.WAITING, Event.CLOSED): (
        State.OVER,
        (Effect.LEAVE_QUEUE, Effect.DROP_TEAM, Effect.END_CALLER, Effect.CLEAR, Effect.TELL_WHY),
    ),
    (State.WAITING, Event.TREATMENT_DUE): (State.WAITING, (Effect.TREAT,)),
    (State.WAITING, Event.CALLBACK_TAKEN): (
        State.PROMISED,
        (Effect.DROP_TEAM, Effect.END_CALLER, Effect.CLEAR, Effect.TELL_PROMISED, Effect.WAIT_ON),
    ),
    (State.WAITING, Event.TEAM_ANSWERED): (
        State.TALKING,
        (Effect.LEAVE_QUEUE, Effect.CONNECT, Effect.TELL_OVERFLOWED),
    ),
    (State.WAITING, Event.TEAM_FAILED): (State.WAITING, (Effect.DROP_TEAM,)),
    (State.WAITING, Event.AGENT_FOUND): (State.RINGING, (Effect.DROP_TEAM, Effect.RING)),
    (State.WAITING, Event.CALLER_GONE): (
        State.OVER,
        (Effect.LEAVE_QUEUE, Effect.DROP_TEAM, Effect.CLEAR, Effect.TELL_LEFT),
    ),
    #
    (State.RINGING, Event.AGENT_ANSWERED): (State.TALKING, (Effect.CONNECT, Effect.TELL_CONNECTED)),
    (State.RINGING, Event.AGENT_FAILED): (State.WAITING, (Effect.PUT_BACK,)),
    (State.RINGING, Event.CALLER_GONE): (State.OVER, (Effect.END_OTHER, Effect.CLEAR, Effect.TELL_LEFT)),
    #
    (State.PROMISED, Event.TREATMENT_DUE): (State.PROMISED, (Effect.TREAT,)),
    (State.PROMISED, Event.CLOSED): (State.OVER, (Effect.LEAVE_QUEUE, Effect.TELL_WHY)),
    (State.PROMISED, Event.AGENT_FOUND): (State.REACHING, (Effect.RING,)),
    #
    (State.REACHING, Event.AGENT_ANSWERED): (State.DIALLING, (Effect.CALL_BACK,)),
    (State.REACHING, Event.AGENT_FAILED): (State.PROMISED, (Effect.PUT_BACK,)),
    #
    (State.DIALLING, Event.CALLER_ANSWERED): (State.TALKING, (Effect.TELL_CONNECTED,)),
    (State.DIALLING, Event.CALLER_FAILED): (State.OVER, (Effect.END_OTHER, Effect.CLEAR, Effect.TELL_WHY)),
    (State.DIALLING, Event.OTHER_GONE): (State.OVER, (Effect.END_OTHER, Effect.CLEAR, Effect.TELL_OVER)),
    #
    (State.TALKING, Event.CALLER_GONE): (State.OVER, (Effect.END_OTHER, Effect.CLEAR, Effect.TELL_OVER)),
    (State.TALKING, Event.OTHER_GONE): (
        State.OVER,
        (Effect.END_CALLER, Effect.END_OTHER, Effect.CLEAR, Effect.TELL_OVER),
    ),
}
"""Every transition. An effect that may itself bring the next event stands last in its row."""
