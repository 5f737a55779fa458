"""A call as its caller lives it: from the first dial to the end of the last attempt, as a table of states and events.

The machine takes events and returns effects; it has no clock. When the next event is due is told by
:func:`setup_deadline`, :func:`waiting_deadline` and :func:`redials_at`, functions of the moments and draws they are
given. Whether an answer ends an attempt or sends it on to the next trunk is :mod:`sbc.decisions.advance`'s to say.
"""

from enum import StrEnum
from math import inf

from sbc.decisions.link import Answers, comes_first
from sbc.decisions.table import follow
from sbc.decisions.timers import TRANSACTION_TIMEOUT, invite_offsets

_OFFSETS = invite_offsets()
COPIES = len(_OFFSETS)
"""How often an INVITE that nothing answers is sent at most."""


class State(StrEnum):
    """Where a caller stands."""

    PAUSED = "not in a call: dials for the first time or again, or is about to give up"
    WANTED = "outbound work that waits for an agent"
    SETUP = "nothing has taken the INVITE yet"
    IVR = "in announcements and menus"
    QUEUED = "in a queue"
    PROMISED = "has hung up and will be called back"
    TALKING = "somebody has answered"
    SILENT = "the node in the middle has died, and people hold on in silence"
    GONE = "makes no further attempt"


class Event(StrEnum):
    """What happens to a call."""

    DIALLED = "the caller dials"
    NEEDED = "somebody is to be called, by an agent"
    AGENT_FREE = "an agent takes the call, or the work"
    RESEND = "the next offset of the INVITE is due"
    REACHED = "on a degraded trunk a copy of the INVITE has got through, and an answer to it"
    UNANSWERED = "a trunk or node has been silent for as long as anybody waits for it"
    ADVANCED = "refused, or silent for too long, with another node or trunk to try"
    REFUSED = "refused, or silent for too long, with nothing left to try"
    ANSWERED = "whoever was called answers"
    GREETED = "an IVR answers"
    DELIVERED = "the call comes to a queue"
    IVR_OVER = "announcements and menus are over"
    CONTAINED = "the IVR was all the caller needed"
    TURNED_AWAY = "the queue takes no more callers"
    CLOSED = "the queue closes, or has closed while the caller was in the IVR"
    TREATMENT_DUE = "the queue does what it does for one who has waited this long"
    CALLBACK_TAKEN = "the caller takes the offer to be called back"
    OVERFLOWED = "the external team takes the call"
    PATIENCE_OVER = "the caller, or whoever wanted the call, waits no longer"
    TALK_OVER = "the people in the call have said what they had to say"
    CLEARED = "a fault or a step cuts the call off, at all ends at once"
    NODE_LOST = "the node that carries the call dies, and nobody tells the ends"
    HUNG_UP = "whoever made the call hangs up in the silence"
    GIVEN_UP = "the caller will not try again"


class Effect(StrEnum):
    """What the engine has to carry out."""

    DIAL = "begin an attempt: route the number dialled and send the INVITE"
    SEEK_AGENT = "begin an attempt: find an agent who dials, or wait for one"
    PLACE = "the agent dials: route by the caller number shown and send the INVITE"
    SEND = "send the INVITE again"
    MEET = "see what there is at the other end of the trunk"
    COUNT_AS_408 = "take the silence for a 408, and tell whoever watches the node"
    GO_ON = "send a new INVITE to the other node or the next trunk"
    LISTEN = "let announcements and menus play"
    CHOOSE = "see whether the IVR was all the caller needed"
    QUEUE = "find an agent, or wait for one if the queue has room"
    TREAT = "widen the search, offer a callback or pass the call on, and wait on if that changed nothing"
    PROMISE = "keep the place in the queue without a line"
    CALL_BACK = "the agent dials the caller"
    TALK = "let the people talk"
    LEAVE_QUEUE = "give the place in the queue up"
    WITHDRAW = "take the work back from the agents"
    CLEAR = "free all that the call holds on its way"
    HOLD_ON = "free what the call held on the dead node; the rest stays held until each end hangs up"
    COMPLETE = "write down a call that came to its own end"
    ABANDON = "write down that the wait was too long"
    CANCEL = "write down that the caller hung up before anything answered"
    REFUSE = "write down who refused the call, and how"
    CUT = "write down that the call was cut off"
    FREE_AGENT = "the agent has done with the call"
    PAUSE = "pause until the next attempt, or make none"


TABLE: dict[tuple[State, Event], tuple[State, tuple[Effect, ...]]] = {
    (State.PAUSED, Event.DIALLED): (State.SETUP, (Effect.DIAL,)),
    (State.PAUSED, Event.NEEDED): (State.WANTED, (Effect.SEEK_AGENT,)),
    (State.PAUSED, Event.GIVEN_UP): (State.GONE, ()),
    (State.WANTED, Event.AGENT_FREE): (State.SETUP, (Effect.PLACE,)),
    (State.WANTED, Event.PATIENCE_OVER): (State.PAUSED, (Effect.WITHDRAW, Effect.ABANDON, Effect.PAUSE)),
    (State.SETUP, Event.RESEND): (State.SETUP, (Effect.SEND,)),
    (State.SETUP, Event.REACHED): (State.SETUP, (Effect.MEET,)),
    (State.SETUP, Event.UNANSWERED): (State.SETUP, (Effect.COUNT_AS_408,)),
    (State.SETUP, Event.ADVANCED): (State.SETUP, (Effect.GO_ON,)),
    (State.SETUP, Event.REFUSED): (State.PAUSED, (Effect.REFUSE, Effect.FREE_AGENT, Effect.PAUSE)),
    (State.SETUP, Event.PATIENCE_OVER): (State.PAUSED, (Effect.CANCEL, Effect.FREE_AGENT, Effect.PAUSE)),
    (State.SETUP, Event.ANSWERED): (State.TALKING, (Effect.TALK,)),
    (State.SETUP, Event.GREETED): (State.IVR, (Effect.LISTEN,)),
    (State.SETUP, Event.DELIVERED): (State.QUEUED, (Effect.QUEUE,)),
    (State.IVR, Event.IVR_OVER): (State.IVR, (Effect.CHOOSE,)),
    (State.IVR, Event.CONTAINED): (State.GONE, (Effect.CLEAR, Effect.COMPLETE)),
    (State.IVR, Event.DELIVERED): (State.QUEUED, (Effect.QUEUE,)),
    (State.IVR, Event.CLOSED): (State.PAUSED, (Effect.CLEAR, Effect.REFUSE, Effect.PAUSE)),
    (State.IVR, Event.CLEARED): (State.PAUSED, (Effect.CLEAR, Effect.CUT, Effect.PAUSE)),
    (State.IVR, Event.NODE_LOST): (State.SILENT, (Effect.HOLD_ON, Effect.CUT)),
    (State.QUEUED, Event.AGENT_FREE): (State.TALKING, (Effect.TALK,)),
    (State.QUEUED, Event.TURNED_AWAY): (State.PAUSED, (Effect.LEAVE_QUEUE, Effect.CLEAR, Effect.REFUSE, Effect.PAUSE)),
    (State.QUEUED, Event.CLOSED): (State.PAUSED, (Effect.LEAVE_QUEUE, Effect.CLEAR, Effect.REFUSE, Effect.PAUSE)),
    (State.QUEUED, Event.TREATMENT_DUE): (State.QUEUED, (Effect.TREAT,)),
    (State.QUEUED, Event.CALLBACK_TAKEN): (State.PROMISED, (Effect.CLEAR, Effect.PROMISE)),
    (State.QUEUED, Event.OVERFLOWED): (State.TALKING, (Effect.LEAVE_QUEUE, Effect.TALK)),
    (State.QUEUED, Event.PATIENCE_OVER): (
        State.PAUSED,
        (Effect.LEAVE_QUEUE, Effect.CLEAR, Effect.ABANDON, Effect.PAUSE),
    ),
    (State.QUEUED, Event.CLEARED): (State.PAUSED, (Effect.LEAVE_QUEUE, Effect.CLEAR, Effect.CUT, Effect.PAUSE)),
    (State.QUEUED, Event.NODE_LOST): (State.SILENT, (Effect.LEAVE_QUEUE, Effect.HOLD_ON, Effect.CUT)),
    (State.PROMISED, Event.TREATMENT_DUE): (State.PROMISED, (Effect.TREAT,)),
    (State.PROMISED, Event.CLOSED): (State.PAUSED, (Effect.LEAVE_QUEUE, Effect.REFUSE, Effect.PAUSE)),
    (State.PROMISED, Event.AGENT_FREE): (State.SETUP, (Effect.CALL_BACK,)),
    (State.TALKING, Event.TALK_OVER): (State.GONE, (Effect.CLEAR, Effect.COMPLETE, Effect.FREE_AGENT)),
    (State.TALKING, Event.CLEARED): (State.PAUSED, (Effect.CLEAR, Effect.CUT, Effect.FREE_AGENT, Effect.PAUSE)),
    (State.TALKING, Event.NODE_LOST): (State.SILENT, (Effect.HOLD_ON, Effect.CUT)),
    (State.SILENT, Event.HUNG_UP): (State.PAUSED, (Effect.PAUSE,)),
}
"""Every transition. An effect that may itself bring the next event stands last in its row."""


def step(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what to carry out; raises ImpossibleEventError for a pair not in the table."""
    return follow(TABLE, state, event)


def answer_within(advance_after: float, *, may_go_on: bool) -> float:
    """Seconds that an INVITE waits for any answer: Timer B, or sooner where there is another node or trunk to try."""
    return min(advance_after, TRANSACTION_TIMEOUT) if may_go_on else TRANSACTION_TIMEOUT


def setup_deadline(
    invited: float, sent: int, within: float, gives_up: float, answers: Answers = ()
) -> tuple[float, Event]:
    """Return when something happens to an INVITE that nothing has answered, and what.

    ``invited`` is when its first copy was sent, ``sent`` how many were, ``within`` how many seconds an answer is
    waited for, ``gives_up`` the moment at which the caller's patience ends, ``answers`` what is on its way. Silence is
    over before patience in a tie, and an answer is there before both.
    """
    until, brings = _unanswered(invited, sent, within, gives_up)
    return (answers[0], Event.REACHED) if comes_first(answers, until) else (until, brings)


def _unanswered(invited: float, sent: int, within: float, gives_up: float) -> tuple[float, Event]:
    offset = _OFFSETS[sent] if sent < len(_OFFSETS) else TRANSACTION_TIMEOUT
    if gives_up < invited + within and gives_up <= invited + offset:
        return gives_up, Event.PATIENCE_OVER
    if within <= offset:
        return invited + within, Event.UNANSWERED
    return invited + offset, Event.RESEND


def copies_sent(invited: float, now: float) -> int:
    """Return how many copies of an INVITE have been sent before ``now``, the first of them when ``invited``.

    One that is due at this moment is still to be sent.
    """
    return max(1, sum(invited + offset < now for offset in _OFFSETS))


def waiting_deadline(treated: float, gives_up: float) -> tuple[float, Event]:
    """Return what comes first for one who waits, the queue's next treatment or the end of patience, and when."""
    return (gives_up, Event.PATIENCE_OVER) if gives_up <= treated else (treated, Event.TREATMENT_DUE)


def redials_at(ended: float, tries: int, willing: int, pauses: list[float]) -> float:
    """Return when a caller whose attempt number ``tries`` came to nothing dials again; ``inf`` for never.

    ``ended`` is when the caller hung up; a caller is ``willing`` to make so many attempts in all.
    """
    return ended + pauses[tries - 1] if tries < willing else inf
