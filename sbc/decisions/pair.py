"""The active-standby pair: who serves the service address, as a table of states and events.

The machine takes events and returns effects; it has no clock. How long the standby needs to notice is
:func:`detection_delay`, a function of the phase at which the active node died.
"""

from enum import Enum
from math import inf
from typing import assert_never

from sbc.decisions.table import follow
from scenarios.model import Detector, FailureDetection, NoDetection, OptionsDetection, VrrpDetection


class State(Enum):
    """What the two nodes are to each other."""

    REDUNDANT = "one serves, the other stands by"
    ALONE = "one serves, the other is down"
    SILENT = "none serves; one is up and waits to be sure"
    ELECTING = "none serves; one waits to be sure, the other is up as well"
    DOWN = "both are down"
    HUNG = "one holds the address and answers nothing, the other stands by"
    STUCK = "one holds the address and answers nothing, the other is down"
    APART = "one serves, the other hears no adverts any more and waits to be sure"
    SPLIT = "both serve; new calls go to the one whose gratuitous ARP came last"


class Event(Enum):
    """What happens to a pair."""

    ACTIVE_LOST = "the serving node dies"
    STANDBY_LOST = "the node that does not serve dies"
    RETURNED_LOST = "the node that has come back dies before the other serves"
    DETECTED = "the waiting node has missed enough adverts or probes"
    NODE_BACK = "a dead node is up again"
    ACTIVE_HUNG = "the serving node answers nothing any more, but holds the address and sends its adverts"
    RECOVERED = "the node that hung answers again"
    RESTARTED = "the node that answered nothing was restarted, and answers again without its calls"
    RESIGNED = "the serving node gives the address up, as planned"
    PREEMPTED = "the node of higher priority, up again, claims the address"
    LINK_CUT = "the link that carries the adverts is cut"
    LINK_BACK = "the link is repaired"
    ADVERT_MISSED = "an advert is late or lost on a degraded link"
    ADVERT_HEARD = "an advert gets through again"


class Effect(Enum):
    """What the engine has to carry out."""

    NODE_GONE = "calls on the serving node are cut or wait for the other, by what the pair keeps"
    WATCH = "start the detection time, at whatever phase the serving node died"
    WATCH_ON = "start what is left of the detection time since the last advert heard"
    WATCH_ANEW = "start the whole detection time: a node that comes up has heard nothing yet"
    TAKE_OVER = "the waiting node serves, with the calls that the pair keeps"
    CALLS_GONE = "calls are gone that nobody is left to keep"
    STOP_WATCH = "nobody is left to notice"
    SERVE_ON = "the node that holds the address serves again, with the calls that the pair has kept"
    STEP_DOWN = "calls that the pair does not keep are cut, and the node serves no more"
    OTHER_GONE = "calls on the node that new calls do not go to are cut"
    SERVE_TOO = "the other node serves as well, and new calls go to it"
    MERGE = "the node of higher priority stays, with those of the other's calls that the pair keeps"
    WATCH_RESIGNED = "start the time that the other node waits after a resignation"


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
    (State.REDUNDANT, Event.ACTIVE_HUNG): (State.HUNG, (Effect.NODE_GONE, Effect.WATCH)),
    (State.ALONE, Event.ACTIVE_HUNG): (State.STUCK, (Effect.NODE_GONE,)),
    (State.HUNG, Event.DETECTED): (State.ALONE, (Effect.TAKE_OVER,)),
    (State.HUNG, Event.ACTIVE_LOST): (State.SILENT, (Effect.WATCH,)),
    (State.HUNG, Event.STANDBY_LOST): (State.STUCK, (Effect.STOP_WATCH,)),
    (State.HUNG, Event.RECOVERED): (State.REDUNDANT, (Effect.STOP_WATCH, Effect.SERVE_ON)),
    (State.STUCK, Event.ACTIVE_LOST): (State.DOWN, (Effect.CALLS_GONE,)),
    (State.STUCK, Event.NODE_BACK): (State.HUNG, (Effect.WATCH_ANEW,)),
    (State.STUCK, Event.RECOVERED): (State.ALONE, (Effect.SERVE_ON,)),
    (State.HUNG, Event.RESTARTED): (State.REDUNDANT, (Effect.STOP_WATCH, Effect.CALLS_GONE, Effect.SERVE_ON)),
    (State.STUCK, Event.RESTARTED): (State.ALONE, (Effect.CALLS_GONE, Effect.SERVE_ON)),
    (State.REDUNDANT, Event.RESIGNED): (State.ELECTING, (Effect.STEP_DOWN, Effect.WATCH_RESIGNED)),
    (State.REDUNDANT, Event.PREEMPTED): (State.REDUNDANT, (Effect.STEP_DOWN, Effect.TAKE_OVER)),
    (State.REDUNDANT, Event.LINK_CUT): (State.APART, (Effect.WATCH,)),
    (State.APART, Event.DETECTED): (State.SPLIT, (Effect.SERVE_TOO,)),
    (State.APART, Event.LINK_BACK): (State.REDUNDANT, (Effect.STOP_WATCH,)),
    (State.APART, Event.ACTIVE_LOST): (State.SILENT, (Effect.NODE_GONE,)),
    (State.APART, Event.STANDBY_LOST): (State.ALONE, (Effect.STOP_WATCH,)),
    (State.REDUNDANT, Event.ADVERT_MISSED): (State.APART, (Effect.WATCH_ON,)),
    (State.APART, Event.ADVERT_HEARD): (State.REDUNDANT, (Effect.STOP_WATCH,)),
    (State.SPLIT, Event.LINK_BACK): (State.REDUNDANT, (Effect.MERGE,)),
    (State.SPLIT, Event.ADVERT_HEARD): (State.REDUNDANT, (Effect.MERGE,)),
    (State.SPLIT, Event.ACTIVE_LOST): (State.ALONE, (Effect.NODE_GONE, Effect.TAKE_OVER)),
    (State.SPLIT, Event.STANDBY_LOST): (State.ALONE, (Effect.OTHER_GONE,)),
}
"""Every transition. A node that starts is a backup first (RFC 5798 §6.4.1), so a returned node never serves at once. A
hung node that is not the one to serve is to the other as good as dead."""


PARTED = (State.APART, State.SPLIT)
"""The states in which the link between the nodes lets no adverts through, and that matters."""


def step(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what to carry out; raises ImpossibleEventError for a pair not in the table."""
    return follow(TABLE, state, event)


def serves(state: State) -> bool:
    """Whether a node answers at the service address."""
    return state in (State.REDUNDANT, State.ALONE, *PARTED)


def holds(state: State) -> bool:
    """Whether a node holds the service address, be it that it answers nothing."""
    return serves(state) or state in (State.HUNG, State.STUCK)


def loss(state: State, *, last: bool, heir: bool, hung: bool) -> Event:
    """Return what it means to a pair that a node which was up dies or hangs.

    ``last``: it serves, or served last; ``heir``: it waits to be sure that nobody serves. Without the link the other
    hears no adverts in any case: there a node that hangs is as good as dead.
    """
    if last and holds(state):
        return Event.ACTIVE_HUNG if hung and state not in PARTED else Event.ACTIVE_LOST
    return Event.RETURNED_LOST if state is State.ELECTING and not heir else Event.STANDBY_LOST


def repair(state: State, *, last: bool, emptied: bool) -> Event:
    """Return what it means that a node works again; ``emptied``: its process has been restarted meanwhile."""
    if last and holds(state):
        return Event.RESTARTED if emptied else Event.RECOVERED
    return Event.NODE_BACK


def detection_delay(detect: Detector, phase: float, *, hung: bool = False) -> float:
    """Seconds from the failure of the active node until the standby is sure of it; ``inf`` for never.

    ``phase``, 0 to 1, is how much of the advert, check or probe interval had passed at that moment. VRRP waits three
    adverts and the skew time after the last advert heard (RFC 5798 §6.1). A hung node goes on with its adverts: only a
    check of its process makes it resign. A probe fails by its own transaction time-out (S10), dead or hung alike.
    """
    match detect:
        case VrrpDetection(advert=advert, track=track):
            if not hung:
                return (3 - phase) * advert + resignation_delay(detect)
            return inf if track is None else (1 - phase) * track + resignation_delay(detect)
        case OptionsDetection(every=every, timeout=timeout):
            return (1 - phase) * every + timeout
        case FailureDetection() | NoDetection():
            return inf
        case _:
            assert_never(detect)


def resignation_delay(detect: Detector) -> float:
    """Seconds from a resignation until the other node serves.

    With VRRP it is an advert of priority 0, after which the standby waits for its skew time only (RFC 5798 §6.4.2);
    without, the address is moved at once.
    """
    return (256 - detect.priority) / 256 * detect.advert if isinstance(detect, VrrpDetection) else 0.0
