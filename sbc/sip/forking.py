"""One branch of a request that a proxy forwards, as two tables: for INVITE, and for all other methods (RFC 3261 §16).

A row reads as in :mod:`sbc.sip.machines`. An event that is a timer runs on while the state has a row for it. A target
that is passed over is not forgotten: its phone may be ringing, and its 2xx still goes to the caller.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from sbc.decisions.timers import T1


class State(StrEnum):
    """Where a branch stands."""

    CALLING = "the request is out, and nothing was answered"
    PROCEEDING = "it was answered 100"
    RINGING = "it was answered provisionally, other than 100"
    STOPPING = "to be cancelled, and nothing was answered: the CANCEL waits for a provisional response"
    STOPPED = "the CANCEL is out, and the final response counts"
    PASSED = "passed over, and nothing was answered: the CANCEL waits for a provisional response"
    LEFT = "passed over, and the CANCEL is out"
    ANSWERED = "a 2xx has come; others may follow if the request was forked further on"
    OVER = "nothing more comes of it"


class Event(StrEnum):
    """What happens to a branch."""

    TRYING = "a 100 comes"
    PROGRESS = "another provisional response comes"
    SUCCESS = "a 2xx comes"
    FAILURE = "a 3xx, 4xx or 5xx comes"
    DECLINED = "a 6xx comes: the caller is wanted nowhere"
    TIMED_OUT = "no response came in time (Timer B, F)"
    BROKEN = "the flow failed"
    TOO_SLOW = "the branch timer fires: the target has not shown in time that it works on the call"
    TIMER_C = "the phone has rung for more than three minutes"
    NO_FINAL = "64·T1 after the CANCEL there is still no final response"
    STOP = "the caller cancels, or another branch has decided"


class Effect(StrEnum):
    """What is done about it."""

    FORWARD = "send the response to the caller's side"
    RESTART_C = "start Timer C again"
    CANCEL = "send the CANCEL, and wait 64·T1 for the final response"
    ABANDON = "wait no longer for a final response"
    SETTLE = "this is the branch's answer: the next target is tried, or the best answer goes to the caller's side"


Branches: TypeAlias = Mapping[tuple[State, Event], tuple[State, tuple[Effect, ...]]]


TIMER_C: Final = 181.0
"""Seconds that a proxy lets a phone ring after the last sign of it; §16.6 wants more than three minutes."""

LINGER: Final = 64 * T1
"""Seconds until a CANCEL without effect is given up (§9.1)."""


INVITE: Final[Branches] = {
    (State.CALLING, Event.TRYING): (State.PROCEEDING, ()),
    (State.CALLING, Event.PROGRESS): (State.RINGING, (Effect.FORWARD, Effect.RESTART_C)),
    (State.CALLING, Event.SUCCESS): (State.ANSWERED, (Effect.FORWARD,)),
    (State.CALLING, Event.FAILURE): (State.OVER, (Effect.SETTLE,)),
    (State.CALLING, Event.DECLINED): (State.OVER, (Effect.SETTLE,)),
    (State.CALLING, Event.TIMED_OUT): (State.OVER, (Effect.SETTLE,)),
    (State.CALLING, Event.BROKEN): (State.OVER, (Effect.SETTLE,)),
    (State.CALLING, Event.TOO_SLOW): (State.PASSED, (Effect.SETTLE,)),
    (State.CALLING, Event.STOP): (State.STOPPING, ()),
    #
    (State.PROCEEDING, Event.TRYING): (State.PROCEEDING, ()),
    (State.PROCEEDING, Event.PROGRESS): (State.RINGING, (Effect.FORWARD, Effect.RESTART_C)),
    (State.PROCEEDING, Event.SUCCESS): (State.ANSWERED, (Effect.FORWARD,)),
    (State.PROCEEDING, Event.FAILURE): (State.OVER, (Effect.SETTLE,)),
    (State.PROCEEDING, Event.DECLINED): (State.OVER, (Effect.SETTLE,)),
    (State.PROCEEDING, Event.BROKEN): (State.OVER, (Effect.SETTLE,)),
    (State.PROCEEDING, Event.TOO_SLOW): (State.LEFT, (Effect.CANCEL, Effect.SETTLE)),
    (State.PROCEEDING, Event.TIMER_C): (State.LEFT, (Effect.CANCEL, Effect.SETTLE)),
    (State.PROCEEDING, Event.STOP): (State.STOPPED, (Effect.CANCEL,)),
    #
    (State.RINGING, Event.TRYING): (State.RINGING, ()),
    (State.RINGING, Event.PROGRESS): (State.RINGING, (Effect.FORWARD, Effect.RESTART_C)),
    (State.RINGING, Event.SUCCESS): (State.ANSWERED, (Effect.FORWARD,)),
    (State.RINGING, Event.FAILURE): (State.OVER, (Effect.SETTLE,)),
    (State.RINGING, Event.DECLINED): (State.OVER, (Effect.SETTLE,)),
    (State.RINGING, Event.BROKEN): (State.OVER, (Effect.SETTLE,)),
    (State.RINGING, Event.TIMER_C): (State.STOPPED, (Effect.CANCEL,)),
    (State.RINGING, Event.STOP): (State.STOPPED, (Effect.CANCEL,)),
    #
    (State.STOPPING, Event.TRYING): (State.STOPPED, (Effect.CANCEL,)),
    (State.STOPPING, Event.PROGRESS): (State.STOPPED, (Effect.CANCEL,)),
    (State.STOPPING, Event.SUCCESS): (State.ANSWERED, (Effect.FORWARD,)),
    (State.STOPPING, Event.FAILURE): (State.OVER, (Effect.SETTLE,)),
    (State.STOPPING, Event.DECLINED): (State.OVER, (Effect.SETTLE,)),
    (State.STOPPING, Event.TIMED_OUT): (State.OVER, (Effect.SETTLE,)),
    (State.STOPPING, Event.BROKEN): (State.OVER, (Effect.SETTLE,)),
    (State.STOPPING, Event.STOP): (State.STOPPING, ()),
    #
    (State.STOPPED, Event.TRYING): (State.STOPPED, ()),
    (State.STOPPED, Event.PROGRESS): (State.STOPPED, ()),
    (State.STOPPED, Event.SUCCESS): (State.ANSWERED, (Effect.FORWARD,)),
    (State.STOPPED, Event.FAILURE): (State.OVER, (Effect.SETTLE,)),
    (State.STOPPED, Event.DECLINED): (State.OVER, (Effect.SETTLE,)),
    (State.STOPPED, Event.BROKEN): (State.OVER, (Effect.SETTLE,)),
    (State.STOPPED, Event.NO_FINAL): (State.OVER, (Effect.ABANDON, Effect.SETTLE)),
    (State.STOPPED, Event.STOP): (State.STOPPED, ()),
    #
    (State.PASSED, Event.TRYING): (State.LEFT, (Effect.CANCEL,)),
    (State.PASSED, Event.PROGRESS): (State.LEFT, (Effect.CANCEL,)),
    (State.PASSED, Event.SUCCESS): (State.ANSWERED, (Effect.FORWARD,)),
    (State.PASSED, Event.FAILURE): (State.OVER, ()),
    (State.PASSED, Event.DECLINED): (State.OVER, (Effect.SETTLE,)),
    (State.PASSED, Event.TIMED_OUT): (State.OVER, ()),
    (State.PASSED, Event.BROKEN): (State.OVER, ()),
    (State.PASSED, Event.STOP): (State.PASSED, ()),
    #
    (State.LEFT, Event.TRYING): (State.LEFT, ()),
    (State.LEFT, Event.PROGRESS): (State.LEFT, ()),
    (State.LEFT, Event.SUCCESS): (State.ANSWERED, (Effect.FORWARD,)),
    (State.LEFT, Event.FAILURE): (State.OVER, ()),
    (State.LEFT, Event.DECLINED): (State.OVER, (Effect.SETTLE,)),
    (State.LEFT, Event.BROKEN): (State.OVER, ()),
    (State.LEFT, Event.NO_FINAL): (State.OVER, (Effect.ABANDON,)),
    (State.LEFT, Event.STOP): (State.LEFT, ()),
    #
    (State.ANSWERED, Event.SUCCESS): (State.ANSWERED, (Effect.FORWARD,)),
    (State.ANSWERED, Event.STOP): (State.ANSWERED, ()),
    #
    (State.OVER, Event.STOP): (State.OVER, ()),
}
"""§16.7, §16.8, §16.10, §9.1; TOO_SLOW is the common timer of S9, which stops at the first sign of ringing. A 6xx
counts even from a target that was passed over (S2)."""

OTHER: Final[Branches] = {
    (State.CALLING, Event.TRYING): (State.CALLING, ()),
    (State.CALLING, Event.PROGRESS): (State.CALLING, ()),
    (State.CALLING, Event.SUCCESS): (State.OVER, (Effect.FORWARD,)),
    (State.CALLING, Event.FAILURE): (State.OVER, (Effect.SETTLE,)),
    (State.CALLING, Event.DECLINED): (State.OVER, (Effect.SETTLE,)),
    (State.CALLING, Event.TIMED_OUT): (State.OVER, (Effect.SETTLE,)),
    (State.CALLING, Event.BROKEN): (State.OVER, (Effect.SETTLE,)),
    (State.CALLING, Event.TOO_SLOW): (State.OVER, (Effect.ABANDON, Effect.SETTLE)),
}
"""Requests that cannot be cancelled, and whose provisional responses stay on their hop (RFC 4320 §4.1)."""

PENDING: Final = frozenset([State.CALLING, State.PROCEEDING, State.RINGING, State.STOPPING, State.STOPPED])
"""States in which a branch still owes its answer."""
