"""The active-standby pair: who serves the service address, as a table of states and events.

The machine takes events and returns effects; it has no clock. How long the standby needs to notice is
:func:`detection_delay`, a function of the phase at which the active node died.
"""

from enum import Enum
from typing import assert_never

from scenarios.model import OptionsDetection, VrrpDetection


class State(Enum):
    """What the two nodes are to each other."""

    REDUNDANT = "one serves, the other stands by"
    ALONE = "one serves, the other is down"
    SILENT = "none serves; one is up and waits to be sure"
    ELECTING = "none serves; one waits to be sure, the other has come back"
    DOWN = "both are down"


class Event(Enum):
    """What happens to a pair."""

    ACTIVE_LOST = "the serving node dies"
    STANDBY_LOST = "the node that does not serve dies"
    RETURNED_LOST = "the node that has come back dies before the other serves"
    DETECTED = "the waiting node has missed enough adverts or probes"
    NODE_BACK = "a dead node is up again"


class Effect(Enum):
    """What the engine has to carry out."""

    NODE_GONE = "calls on the serving node are cut or wait for the other, by what the pair keeps"
    WATCH = "start the detection time, at whatever phase the serving node died"
    WATCH_ANEW = "start the whole detection time: a node that comes up has heard nothing yet"
    TAKE_OVER = "the waiting node serves, with the calls that the pair keeps"
    CALLS_GONE = "nobody is left to keep calls"


TABLE: dict[tuple[State, Event], tuple[State, tuple[Effect, ...]]] = {
    (State.REDUNDANT, Event.ACTIVE_LOST): (State.SILENT, (Effect.NODE_GONE, Effect.WATCH)),
    (State.REDUNDANT, Event.STANDBY_LOST): (State.ALONE, ()),
    (State.ALONE, Event.ACTIVE_LOST): (State.DOWN, (Effect.NODE_GONE, Effect.CALLS_GONE)),
    (State.ALONE, Event.NODE_BACK): (State.REDUNDANT, ()),
    (State.SILENT, Event.DETECTED): (State.ALONE, (Effect.TAKE_OVER,)),
    (State.SILENT, Event.STANDBY_LOST): (State.DOWN, (Effect.CALLS_GONE,)),
    (State.SILENT, Event.NODE_BACK): (State.ELECTING, ()),
    (State.ELECTING, Event.DETECTED): (State.REDUNDANT, (Effect.TAKE_OVER,)),
    (State.ELECTING, Event.STANDBY_LOST): (State.SILENT, (Effect.CALLS_GONE, Effect.WATCH_ANEW)),
    (State.ELECTING, Event.RETURNED_LOST): (State.SILENT, ()),
    (State.DOWN, Event.NODE_BACK): (State.SILENT, (Effect.WATCH_ANEW,)),
}
"""Every transition. A node that starts is a backup first (RFC 5798 §6.4.1), so a returned node never serves at once."""


class ImpossibleEventError(ValueError):
    """An event that cannot happen in this state, such as the loss of a serving node when none serves."""


def step(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what to carry out; raises :class:`ImpossibleEventError` for a pair not in the table."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise ImpossibleEventError(f"{event.value!r} while {state.value!r}") from None


def serves(state: State) -> bool:
    """Whether a node answers at the service address."""
    return state in (State.REDUNDANT, State.ALONE)


def detection_delay(detect: VrrpDetection | OptionsDetection, phase: float) -> float:
    """Seconds from the death of the active node until the standby is sure of it.

    ``phase``, 0 to 1, is how much of the advert or probe interval had passed at that moment. VRRP waits three adverts
    and the skew time after the last advert heard (RFC 5798 §6.1); a probe fails by its own transaction time-out (S10).
    """
    match detect:
        case VrrpDetection(advert=advert, priority=priority):
            return (3 - phase) * advert + (256 - priority) / 256 * advert
        case OptionsDetection(every=every, timeout=timeout):
            return (1 - phase) * every + timeout
        case _:
            assert_never(detect)
