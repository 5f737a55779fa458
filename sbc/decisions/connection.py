"""A call as the exchange of its carrier lives it, as a table of states and events: tried by one trunk after the other.

An outbound call is answered on arrival, and begins where an inbound one has come to: it is up.
"""

from enum import StrEnum

from sbc.decisions.table import follow


class State(StrEnum):
    """How far a call has come."""

    TRYING = "an INVITE is out, and no phone has rung"
    RINGING = "a phone has rung, or a queue has taken the call: no other trunk is tried any more"
    UP = "answered"
    OVER = "nothing of it is left but messages on their way"


class Event(StrEnum):
    """What happens to a call."""

    RUNG = "a provisional response other than 100 comes"
    ANSWERED = "the call is answered"
    UNANSWERED = "the trunk or node has been silent for as long as anybody waits for it"
    ADVANCED = "refused, or silent for too long, with another node or trunk to try"
    REFUSED = "refused, or silent for too long, with nothing left to try"
    HUNG_UP = "the subscriber hangs up"
    ENDED = "the other side hangs up, or is not heard of any more"
    LINE_LOST = "the line goes down"


class Effect(StrEnum):
    """What the carrier has to carry out."""

    TELL = "tell what has happened"
    STOP_TIMER = "wait for an answer as long as the subscriber does"
    COUNT_AS_408 = "take the silence for a 408"
    COUNT_AS_503 = "take the loss of the line for a 503"
    LEAVE = "give up what is under way: by CANCEL or BYE, as far as there is something, and free its ports"
    GO_ON = "try the other node or the next trunk"


TABLE: dict[tuple[State, Event], tuple[State, tuple[Effect, ...]]] = {
    (State.TRYING, Event.RUNG): (State.RINGING, (Effect.STOP_TIMER, Effect.TELL)),
    (State.TRYING, Event.ANSWERED): (State.UP, (Effect.STOP_TIMER, Effect.TELL)),
    (State.TRYING, Event.UNANSWERED): (State.TRYING, (Effect.COUNT_AS_408,)),
    (State.TRYING, Event.ADVANCED): (State.TRYING, (Effect.LEAVE, Effect.GO_ON)),
    (State.TRYING, Event.REFUSED): (State.OVER, (Effect.LEAVE, Effect.TELL)),
    (State.TRYING, Event.HUNG_UP): (State.OVER, (Effect.LEAVE, Effect.TELL)),
    (State.TRYING, Event.ENDED): (State.OVER, (Effect.LEAVE, Effect.TELL)),
    (State.TRYING, Event.LINE_LOST): (State.TRYING, (Effect.COUNT_AS_503,)),
    (State.RINGING, Event.RUNG): (State.RINGING, ()),
    (State.RINGING, Event.ANSWERED): (State.UP, (Effect.TELL,)),
    (State.RINGING, Event.REFUSED): (State.OVER, (Effect.LEAVE, Effect.TELL)),
    (State.RINGING, Event.HUNG_UP): (State.OVER, (Effect.LEAVE, Effect.TELL)),
    (State.RINGING, Event.ENDED): (State.OVER, (Effect.LEAVE, Effect.TELL)),
    (State.RINGING, Event.LINE_LOST): (State.OVER, (Effect.LEAVE, Effect.TELL)),
    (State.UP, Event.HUNG_UP): (State.OVER, (Effect.LEAVE, Effect.TELL)),
    (State.UP, Event.ENDED): (State.OVER, (Effect.LEAVE, Effect.TELL)),
    (State.UP, Event.LINE_LOST): (State.OVER, (Effect.LEAVE, Effect.TELL)),
}
"""Every transition. An effect that may itself bring the next event stands last in its row."""


def step(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what to carry out; raises ImpossibleEventError for a pair not in the table."""
    return follow(TABLE, state, event)
