"""One node of an active-standby pair that sends adverts, as VRRP has it: a table of states and events (RFC 5798 §6.4).

The node knows of the other what adverts tell it, and no more: there is no formula for a takeover, but a timer that each
advert starts anew. :mod:`sbc.decisions.pair` is the same seen from above, both nodes at once.
"""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address
from typing import Final

from sbc.decisions.table import follow
from scenarios.model import VrrpDetection

RESIGNATION: Final = 0
"""The priority of the advert of a node that gives up (RFC 5798 §5.2.4)."""
MISSED: Final = 3
"""Adverts that have to fail to come before the backup waits its skew only (§6.1)."""
_STEPS: Final = 256


class State(Enum):
    """What a node is."""

    INITIALIZE = "not started"
    BACKUP = "stands by, and listens for adverts"
    RESIGNED = "stands by after it has given the address up as planned, and does not claim it back"
    MASTER = "holds the address, and sends adverts"
    FAULT = "its SIP process has failed a check; it takes no part"


class Event(Enum):
    """What happens to a node."""

    STARTED = "it starts"
    STARTED_SERVING = "it starts as the node that has served all along"
    ADVERT_DUE = "an advertisement interval is over"
    MASTER_DOWN = "no advert that counts has come for the master-down interval"
    SKEW_OVER = "the skew time after a resignation is over"
    CLAIM_DUE = "the master-down interval is over in which only contested adverts came"
    ZERO = "an advert of priority 0 comes: the master resigns"
    HIGHER = "an advert of higher priority comes"
    LOWER = "an advert comes that is not of higher priority, and may stand"
    CONTESTED = "an advert of lower priority comes to a node that preempts"
    CHECK_FAILED = "its SIP process has failed a check"
    CHECK_PASSED = "its SIP process has passed a check"
    SWITCH = "the nodes are to change roles, as planned"


class Effect(Enum):
    """What the node has to carry out; it has one timer, and whatever starts it ends what it was started for before."""

    HOLD = "take the address, and say so by gratuitous ARP"
    ANNOUNCE = "say again by gratuitous ARP that it has the address"
    RELEASE = "give the address up, or what a process before it has left of it"
    SEND = "send an advert, and the next one an interval later"
    SEND_LATER = "send an advert an interval later"
    RESIGN = "send an advert of priority 0"
    WATCH = "start the master-down interval"
    WATCH_SKEW = "start the skew time"
    CONTEST = "let the interval run on, but for a claim"
    STOP = "stop the timer"
    NOTICE = "tell that something is wrong with the master"


TABLE: dict[tuple[State, Event], tuple[State, tuple[Effect, ...]]] = {
    (State.INITIALIZE, Event.STARTED): (State.BACKUP, (Effect.RELEASE, Effect.WATCH)),
    (State.INITIALIZE, Event.STARTED_SERVING): (State.MASTER, (Effect.HOLD, Effect.SEND_LATER)),
    (State.BACKUP, Event.MASTER_DOWN): (State.MASTER, (Effect.NOTICE, Effect.SEND, Effect.HOLD)),
    (State.BACKUP, Event.SKEW_OVER): (State.MASTER, (Effect.SEND, Effect.HOLD)),
    (State.BACKUP, Event.CLAIM_DUE): (State.MASTER, (Effect.SEND, Effect.HOLD)),
    (State.BACKUP, Event.ZERO): (State.BACKUP, (Effect.WATCH_SKEW,)),
    (State.BACKUP, Event.HIGHER): (State.BACKUP, (Effect.WATCH,)),
    (State.BACKUP, Event.LOWER): (State.BACKUP, (Effect.WATCH,)),
    (State.BACKUP, Event.CONTESTED): (State.BACKUP, (Effect.CONTEST,)),
    (State.BACKUP, Event.CHECK_FAILED): (State.FAULT, (Effect.STOP,)),
    (State.BACKUP, Event.CHECK_PASSED): (State.BACKUP, ()),
    (State.BACKUP, Event.SWITCH): (State.BACKUP, ()),
    (State.RESIGNED, Event.MASTER_DOWN): (State.MASTER, (Effect.NOTICE, Effect.SEND, Effect.HOLD)),
    (State.RESIGNED, Event.SKEW_OVER): (State.MASTER, (Effect.SEND, Effect.HOLD)),
    (State.RESIGNED, Event.ZERO): (State.RESIGNED, (Effect.WATCH_SKEW,)),
    (State.RESIGNED, Event.HIGHER): (State.RESIGNED, (Effect.WATCH,)),
    (State.RESIGNED, Event.LOWER): (State.RESIGNED, (Effect.WATCH,)),
    (State.RESIGNED, Event.CONTESTED): (State.RESIGNED, (Effect.WATCH,)),
    (State.RESIGNED, Event.CHECK_FAILED): (State.FAULT, (Effect.STOP,)),
    (State.RESIGNED, Event.CHECK_PASSED): (State.RESIGNED, ()),
    (State.RESIGNED, Event.SWITCH): (State.RESIGNED, ()),
    (State.MASTER, Event.ADVERT_DUE): (State.MASTER, (Effect.SEND,)),
    (State.MASTER, Event.ZERO): (State.MASTER, (Effect.SEND,)),
    (State.MASTER, Event.HIGHER): (State.BACKUP, (Effect.RELEASE, Effect.WATCH)),
    (State.MASTER, Event.LOWER): (State.MASTER, (Effect.SEND, Effect.ANNOUNCE)),
    (State.MASTER, Event.CONTESTED): (State.MASTER, (Effect.SEND, Effect.ANNOUNCE)),
    (State.MASTER, Event.CHECK_FAILED): (State.FAULT, (Effect.NOTICE, Effect.RESIGN, Effect.RELEASE, Effect.STOP)),
    (State.MASTER, Event.CHECK_PASSED): (State.MASTER, ()),
    (State.MASTER, Event.SWITCH): (State.RESIGNED, (Effect.RESIGN, Effect.RELEASE, Effect.WATCH)),
    (State.FAULT, Event.ZERO): (State.FAULT, ()),
    (State.FAULT, Event.HIGHER): (State.FAULT, ()),
    (State.FAULT, Event.LOWER): (State.FAULT, ()),
    (State.FAULT, Event.CONTESTED): (State.FAULT, ()),
    (State.FAULT, Event.CHECK_FAILED): (State.FAULT, ()),
    (State.FAULT, Event.CHECK_PASSED): (State.BACKUP, (Effect.WATCH,)),
    (State.FAULT, Event.SWITCH): (State.FAULT, ()),
}
"""Every transition. Three things are not in RFC 5798. FAULT is keepalived's, and so is it that a master which hears a
lower priority speaks up at once (now in RFC 9568 §6.4.3 as well); RESIGNED stands for the lower priority that an
operator gives the node whose work is planned."""


def step(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what to carry out; raises ImpossibleEventError for a pair not in the table."""
    return follow(TABLE, state, event)


def checked(*, passed: bool) -> Event:
    """Return what the check of its SIP process means to a node."""
    return Event.CHECK_PASSED if passed else Event.CHECK_FAILED


@dataclass(frozen=True, slots=True)
class Rank:
    """What a node's place in an election hangs on."""

    priority: int
    address: IPv4Address
    """Its own, on the link of the adverts: of equals the greater one wins (RFC 5798 §6.4.3)."""

    @property
    def place(self) -> tuple[int, IPv4Address]:
        """What decides between two masters; the greater one stays."""
        return self.priority, self.address


def heard(theirs: Rank, own: Rank, *, preempt: bool) -> Event:
    """Return what an advert means to a node, in whatever state it is (RFC 5798 §6.4.2, §6.4.3)."""
    if theirs.priority == RESIGNATION:
        return Event.ZERO
    if theirs.place > own.place:
        return Event.HIGHER
    return Event.CONTESTED if preempt and theirs.priority < own.priority else Event.LOWER


def priority(detect: VrrpDetection, *, first: bool) -> int:
    """Return a node's priority: the plan names the standby's, and the first node's is the next higher one."""
    return detect.priority + first


def preempts(detect: VrrpDetection, *, first: bool) -> bool:
    """Whether a node claims the address from one of lower priority; what the plan says of it is about the first node.

    To the second no advert is of lower priority, as long as the two are by themselves.
    """
    return detect.preempt and first


def skew(priority: int, advert: float) -> float:
    """Return by how much longer a backup waits, so that of several the one of highest priority is first; all seconds.

    This is RFC 5798 §6.1. In version 2 (RFC 3768 §6.1) it is the same for adverts every second, and does not grow with
    their interval.
    """
    return (_STEPS - priority) / _STEPS * advert


def master_down(priority: int, advert: float) -> float:
    """Return the master-down interval, seconds (RFC 5798 §6.1); ``advert`` is the interval that the master told."""
    return MISSED * advert + skew(priority, advert)
