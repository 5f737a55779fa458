"""One node of an active-standby pair whose standby probes the service address: a table of states and events (S10).

No adverts here: whoever serves learns that it was taken over from when the other says by gratuitous ARP that it has the
address, and gives way (RFC 5227 §2.4).
"""

from enum import Enum

from sbc.decisions.table import follow


class State(Enum):
    """What a node is."""

    INITIALIZE = "not started"
    STANDBY = "stands by, and probes the address"
    SERVING = "holds the address"


class Event(Enum):
    """What happens to a node."""

    STARTED = "it starts"
    STARTED_SERVING = "it starts as the node that has served all along"
    PROBE_DUE = "a probe interval is over"
    UNANSWERED = "a probe has had no answer for its time-out"
    CLAIMED = "another has taken the address"
    SWITCH = "the nodes are to change roles, as planned"


class Effect(Enum):
    """What the node has to carry out."""

    HOLD = "take the address, and say so by gratuitous ARP"
    RELEASE = "give the address up, or what a process before it has left of it"
    PROBE = "send an OPTIONS to the address"
    PROBE_LATER = "probe an interval later"
    STOP = "probe no more, and wait for no answer"
    NOTICE = "tell that nobody answers at the address"


TABLE: dict[tuple[State, Event], tuple[State, tuple[Effect, ...]]] = {
    (State.INITIALIZE, Event.STARTED): (State.STANDBY, (Effect.RELEASE, Effect.PROBE_LATER)),
    (State.INITIALIZE, Event.STARTED_SERVING): (State.SERVING, (Effect.HOLD,)),
    (State.STANDBY, Event.PROBE_DUE): (State.STANDBY, (Effect.PROBE, Effect.PROBE_LATER)),
    (State.STANDBY, Event.UNANSWERED): (State.SERVING, (Effect.NOTICE, Effect.STOP, Effect.HOLD)),
    (State.STANDBY, Event.CLAIMED): (State.STANDBY, ()),
    (State.STANDBY, Event.SWITCH): (State.SERVING, (Effect.STOP, Effect.HOLD)),
    (State.SERVING, Event.CLAIMED): (State.STANDBY, (Effect.RELEASE, Effect.PROBE_LATER)),
    (State.SERVING, Event.SWITCH): (State.STANDBY, (Effect.RELEASE, Effect.PROBE_LATER)),
}
"""Every transition. A node that starts stands by until a probe of its own says that nobody serves."""


def step(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what to carry out; raises ImpossibleEventError for a pair not in the table."""
    return follow(TABLE, state, event)
