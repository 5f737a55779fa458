"""What one node of a pair tells the other of its calls, as a table: from the first word to the last.

A node that serves tells of all its calls, and from then on of what changes; one that steps down hands them over. What
it tells is a stream that the other follows from its beginning or not at all.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias


class State(StrEnum):
    """How far the other node has come with what it is told."""

    CLOSED = "there is nothing to tell"
    OPENING = "the beginning is out, and not acknowledged"
    OPEN = "the other node hears of all that changes"
    LEAVING = "this node has stepped down, and the beginning is not acknowledged"
    CLOSING = "this node has stepped down, and what it had to tell is out"


class Event(StrEnum):
    """What happens."""

    SERVES = "this node begins to serve"
    STEPS_DOWN = "it serves no more, in good order"
    SUPERSEDED = "it serves no more, and the other has taken over already"
    BEGUN = "the beginning is acknowledged"
    ALL_HEARD = "all that is out is acknowledged"
    ASKED = "the other node has missed the beginning"
    SILENT = "the other node acknowledges nothing any more"


class Effect(StrEnum):
    """What is done about it."""

    BEGIN = "begin anew, and repeat the beginning until it is acknowledged"
    TELL_ALL = "tell of every call"
    TELL_END = "tell, after all else, that the other node may go on with the calls"
    FORGET = "tell nothing more"
    SAY_IDLE = "say that there is nothing to tell"


Handover: TypeAlias = Mapping[tuple[State, Event], tuple[State, tuple[Effect, ...]]]


TABLE: Final[Handover] = {
    (State.CLOSED, Event.SERVES): (State.OPENING, (Effect.BEGIN,)),
    (State.CLOSED, Event.STEPS_DOWN): (State.CLOSED, ()),
    (State.CLOSED, Event.SUPERSEDED): (State.CLOSED, ()),
    (State.CLOSED, Event.ASKED): (State.CLOSED, (Effect.SAY_IDLE,)),
    #
    (State.OPENING, Event.STEPS_DOWN): (State.LEAVING, (Effect.BEGIN,)),
    (State.OPENING, Event.SUPERSEDED): (State.CLOSED, (Effect.FORGET,)),
    (State.OPENING, Event.BEGUN): (State.OPEN, (Effect.TELL_ALL,)),
    (State.OPENING, Event.ASKED): (State.OPENING, (Effect.BEGIN,)),
    (State.OPENING, Event.SILENT): (State.OPENING, ()),
    #
    (State.OPEN, Event.STEPS_DOWN): (State.CLOSING, (Effect.TELL_END,)),
    (State.OPEN, Event.SUPERSEDED): (State.CLOSED, (Effect.FORGET,)),
    (State.OPEN, Event.ALL_HEARD): (State.OPEN, ()),
    (State.OPEN, Event.ASKED): (State.OPENING, (Effect.BEGIN,)),
    (State.OPEN, Event.SILENT): (State.OPENING, (Effect.BEGIN,)),
    #
    (State.LEAVING, Event.SERVES): (State.OPENING, (Effect.BEGIN,)),
    (State.LEAVING, Event.BEGUN): (State.CLOSING, (Effect.TELL_ALL, Effect.TELL_END)),
    (State.LEAVING, Event.ASKED): (State.LEAVING, (Effect.BEGIN,)),
    (State.LEAVING, Event.SILENT): (State.CLOSED, (Effect.FORGET,)),
    #
    (State.CLOSING, Event.SERVES): (State.OPENING, (Effect.BEGIN,)),
    (State.CLOSING, Event.ALL_HEARD): (State.CLOSED, (Effect.FORGET,)),
    (State.CLOSING, Event.ASKED): (State.LEAVING, (Effect.BEGIN,)),
    (State.CLOSING, Event.SILENT): (State.CLOSED, (Effect.FORGET,)),
}
"""A node that serves is told so once, and one that has stepped down is not superseded."""
