"""One node of an active-active pair, as those who send it calls see it: a table of states and events.

Both nodes are in use and new calls go to them in turn. A dead node gets its share until somebody notices: a probe, the
first call that it leaves unanswered, or nobody.
"""

from collections.abc import Sequence
from enum import Enum

from sbc.decisions.table import follow


class State(Enum):
    """What a node is to its callers."""

    IN_USE = "gets its share of new calls"
    UNSEEN = "answers nothing, and still gets its share"
    AVOIDED = "answers nothing, and gets no calls"


class Event(Enum):
    """What happens to a node."""

    LOST = "it dies or hangs"
    NOTICED = "a probe, or a call, has had no answer for long enough"
    BACK = "it works again"


class Effect(Enum):
    """What the engine has to carry out."""

    NODE_GONE = "its calls are cut"
    WATCH = "start the detection time, at whatever phase it died"
    STOP_WATCH = "there is nothing left to notice"
    OTHER_SERVES = "all new calls go to the other node from now on"
    SERVE_ON = "it takes its share of calls again"


TABLE: dict[tuple[State, Event], tuple[State, tuple[Effect, ...]]] = {
    (State.IN_USE, Event.LOST): (State.UNSEEN, (Effect.NODE_GONE, Effect.WATCH)),
    (State.UNSEEN, Event.NOTICED): (State.AVOIDED, (Effect.STOP_WATCH, Effect.OTHER_SERVES)),
    (State.UNSEEN, Event.BACK): (State.IN_USE, (Effect.STOP_WATCH, Effect.SERVE_ON)),
    (State.AVOIDED, Event.BACK): (State.IN_USE, ()),
}
"""Every transition. Who repairs a node that is avoided puts it into use as well."""


def step(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what to carry out; raises ImpossibleEventError for a pair not in the table."""
    return follow(TABLE, state, event)


def heard(state: State, *, answers: bool) -> State:
    """Return what a node is to a caller who knows no more of it than whether it has just answered."""
    if answers:
        return step(state, Event.BACK)[0] if state is State.AVOIDED else state
    if state is State.IN_USE:
        state, _ = step(state, Event.LOST)
    return step(state, Event.NOTICED)[0] if state is State.UNSEEN else state


def pick(uses: Sequence[State], turn: int) -> tuple[int | None, int]:
    """Return the node that the next call is sent to, by index, None when none is in use, and whose turn is next."""
    in_use = [index for index, use in enumerate(uses) if use is not State.AVOIDED]
    if len(in_use) < len(uses):
        return next(iter(in_use), None), turn
    return turn, 1 - turn


def other(uses: Sequence[State], index: int) -> int | None:
    """Return the other node of a pair if it is in use."""
    return 1 - index if uses[1 - index] is not State.AVOIDED else None
