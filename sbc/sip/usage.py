"""What an INVITE begins, as two tables: the call itself, and what either side changes while it is up.

A row reads as in :mod:`sbc.sip.machines`: in this state, upon this event, the call goes to that state and does these
things in this order. An event that is a timer runs on while the state has a row for it, and stops with the first that
has none. Where no row stands, the event cannot happen, or the user asks for what cannot be done.

What a peer, the network or a user who does not know better may bring at any time — a BYE, a lost dialog, hanging up —
has a row in every state in which it can come.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias


class State(StrEnum):
    """How far a call has come, seen from one side."""

    NEW = "not begun"
    CALLING = "our INVITE is out, and nothing was answered"
    PROCEEDING = "our INVITE was answered provisionally"
    QUITTING = "given up before anything was answered: the CANCEL waits for a provisional response"
    CANCELLED = "our CANCEL is out, and the INVITE has no final response"
    OWING = "a 2xx brought an offer: its ACK waits for our user's answer"
    ARRIVED = "their INVITE is there, and our user has not decided"
    ANSWERED = "our 2xx is out, and is repeated until the ACK comes"
    LEAVING = "the same, but our user has hung up: the BYE waits for the ACK"
    UP = "both sides know that the call stands"
    ENDING = "our BYE is out"
    OVER = "nothing is left but to acknowledge late 2xx"


class Event(StrEnum):
    """What happens to a call; also why it ended."""

    INVITE = "our user calls"
    ARRIVES = "their INVITE comes"
    PROVISIONAL = "a provisional response comes"
    SUCCESS = "the first 2xx comes"
    OFFER = "the first 2xx comes, with an offer as our INVITE had none"
    COPY = "a 2xx comes again"
    BRANCH = "a 2xx comes from another branch of a forked INVITE"
    AGAIN = "the INVITE is refused for want of what we can add: credentials, a longer session interval"
    FAILURE = "the INVITE is refused"
    TIMED_OUT = "no response comes in time"
    BROKEN = "the flow cannot carry the INVITE or its answer"
    NO_FINAL = "64·T1 after the CANCEL there is still no final response"
    ANSWER = "our user answers, or gives the answer that the ACK carries"
    REFUSE = "our user refuses"
    HANG_UP = "our user hangs up"
    CANCEL = "their CANCEL comes"
    ACK = "the ACK for our 2xx comes"
    RESEND = "it is time to send the 2xx again"
    NO_ACK = "64·T1 after the 2xx there is still no ACK"
    BYE = "their BYE comes"
    BYE_DONE = "our BYE is answered, or will not be"
    GONE = "the other side does not know the dialog any more, or answers nothing in it"
    EXPIRED = "the session has not been refreshed in time"


class Effect(StrEnum):
    """What a call does."""

    SEND_INVITE = "send the INVITE"
    SEND_CANCEL = "send the CANCEL, and wait 64·T1 for the final response"
    SEND_ACK = "acknowledge the 2xx, again if it was before"
    SEND_BYE = "send the BYE"
    END_BRANCH = "acknowledge the 2xx of another branch, and send it a BYE"
    SEND_2XX = "send the 2xx, and again until the ACK comes"
    RESEND_2XX = "send the 2xx again"
    SEND_REFUSAL = "send the user's final response"
    SEND_487 = "answer the INVITE 487"
    ABANDON = "wait no longer for the INVITE's final response"
    TELL_ARRIVED = "tell the user that a call comes in"
    TELL_PROGRESS = "tell the user of the provisional response"
    TELL_OFFER = "tell the user that an offer wants an answer"
    TELL_UP = "tell the user that the call is up"
    TELL_ENDED = "tell the user that the call has ended, and why"


Usage: TypeAlias = Mapping[tuple[State, Event], tuple[State, tuple[Effect, ...]]]


CALL: Final[Usage] = {
    (State.NEW, Event.INVITE): (State.CALLING, (Effect.SEND_INVITE,)),
    (State.NEW, Event.ARRIVES): (State.ARRIVED, (Effect.TELL_ARRIVED,)),
    # We call.
    (State.CALLING, Event.PROVISIONAL): (State.PROCEEDING, (Effect.TELL_PROGRESS,)),
    (State.CALLING, Event.SUCCESS): (State.UP, (Effect.SEND_ACK, Effect.TELL_UP)),
    (State.CALLING, Event.OFFER): (State.OWING, (Effect.TELL_OFFER,)),
    (State.CALLING, Event.AGAIN): (State.CALLING, (Effect.SEND_INVITE,)),
    (State.CALLING, Event.FAILURE): (State.OVER, (Effect.TELL_ENDED,)),
    (State.CALLING, Event.TIMED_OUT): (State.OVER, (Effect.TELL_ENDED,)),
    (State.CALLING, Event.BROKEN): (State.OVER, (Effect.TELL_ENDED,)),
    (State.CALLING, Event.HANG_UP): (State.QUITTING, ()),
    (State.CALLING, Event.BYE): (State.QUITTING, ()),  # it has overtaken the 2xx
    #
    (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (Effect.TELL_PROGRESS,)),
    (State.PROCEEDING, Event.SUCCESS): (State.UP, (Effect.SEND_ACK, Effect.TELL_UP)),
    (State.PROCEEDING, Event.OFFER): (State.OWING, (Effect.TELL_OFFER,)),
    (State.PROCEEDING, Event.AGAIN): (State.CALLING, (Effect.SEND_INVITE,)),
    (State.PROCEEDING, Event.FAILURE): (State.OVER, (Effect.TELL_ENDED,)),
    (State.PROCEEDING, Event.TIMED_OUT): (State.OVER, (Effect.TELL_ENDED,)),
    (State.PROCEEDING, Event.BROKEN): (State.OVER, (Effect.TELL_ENDED,)),
    (State.PROCEEDING, Event.HANG_UP): (State.CANCELLED, (Effect.SEND_CANCEL,)),
    (State.PROCEEDING, Event.BYE): (State.CANCELLED, (Effect.SEND_CANCEL,)),
    (State.PROCEEDING, Event.GONE): (State.CANCELLED, (Effect.SEND_CANCEL,)),
    #
    (State.QUITTING, Event.PROVISIONAL): (State.CANCELLED, (Effect.SEND_CANCEL,)),
    (State.QUITTING, Event.SUCCESS): (State.ENDING, (Effect.SEND_ACK, Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.QUITTING, Event.OFFER): (State.ENDING, (Effect.SEND_ACK, Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.QUITTING, Event.AGAIN): (State.OVER, (Effect.TELL_ENDED,)),
    (State.QUITTING, Event.FAILURE): (State.OVER, (Effect.TELL_ENDED,)),
    (State.QUITTING, Event.TIMED_OUT): (State.OVER, (Effect.TELL_ENDED,)),
    (State.QUITTING, Event.BROKEN): (State.OVER, (Effect.TELL_ENDED,)),
    (State.QUITTING, Event.HANG_UP): (State.QUITTING, ()),
    (State.QUITTING, Event.BYE): (State.QUITTING, ()),
    #
    (State.CANCELLED, Event.PROVISIONAL): (State.CANCELLED, ()),
    (State.CANCELLED, Event.SUCCESS): (State.ENDING, (Effect.SEND_ACK, Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.CANCELLED, Event.OFFER): (State.ENDING, (Effect.SEND_ACK, Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.CANCELLED, Event.AGAIN): (State.OVER, (Effect.TELL_ENDED,)),
    (State.CANCELLED, Event.FAILURE): (State.OVER, (Effect.TELL_ENDED,)),
    (State.CANCELLED, Event.TIMED_OUT): (State.OVER, (Effect.TELL_ENDED,)),
    (State.CANCELLED, Event.BROKEN): (State.OVER, (Effect.TELL_ENDED,)),
    (State.CANCELLED, Event.NO_FINAL): (State.OVER, (Effect.ABANDON, Effect.TELL_ENDED)),
    (State.CANCELLED, Event.HANG_UP): (State.CANCELLED, ()),
    (State.CANCELLED, Event.BYE): (State.CANCELLED, ()),
    (State.CANCELLED, Event.GONE): (State.CANCELLED, ()),
    #
    (State.OWING, Event.ANSWER): (State.UP, (Effect.SEND_ACK, Effect.TELL_UP)),
    (State.OWING, Event.COPY): (State.OWING, ()),
    (State.OWING, Event.BRANCH): (State.OWING, (Effect.END_BRANCH,)),
    (State.OWING, Event.HANG_UP): (State.ENDING, (Effect.SEND_ACK, Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.OWING, Event.BYE): (State.OVER, (Effect.SEND_ACK, Effect.TELL_ENDED)),
    (State.OWING, Event.GONE): (State.ENDING, (Effect.SEND_ACK, Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.OWING, Event.EXPIRED): (State.ENDING, (Effect.SEND_ACK, Effect.SEND_BYE, Effect.TELL_ENDED)),
    # They call.
    (State.ARRIVED, Event.ANSWER): (State.ANSWERED, (Effect.SEND_2XX,)),
    (State.ARRIVED, Event.REFUSE): (State.OVER, (Effect.SEND_REFUSAL, Effect.TELL_ENDED)),
    (State.ARRIVED, Event.HANG_UP): (State.OVER, (Effect.SEND_REFUSAL, Effect.TELL_ENDED)),
    (State.ARRIVED, Event.CANCEL): (State.OVER, (Effect.SEND_487, Effect.TELL_ENDED)),
    (State.ARRIVED, Event.BYE): (State.OVER, (Effect.SEND_487, Effect.TELL_ENDED)),
    (State.ARRIVED, Event.GONE): (State.OVER, (Effect.SEND_487, Effect.TELL_ENDED)),
    (State.ARRIVED, Event.BROKEN): (State.OVER, (Effect.SEND_487, Effect.TELL_ENDED)),
    #
    (State.ANSWERED, Event.ACK): (State.UP, (Effect.TELL_UP,)),
    (State.ANSWERED, Event.RESEND): (State.ANSWERED, (Effect.RESEND_2XX,)),
    (State.ANSWERED, Event.NO_ACK): (State.ENDING, (Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.ANSWERED, Event.HANG_UP): (State.LEAVING, ()),
    (State.ANSWERED, Event.CANCEL): (State.ANSWERED, ()),  # too late
    (State.ANSWERED, Event.BYE): (State.OVER, (Effect.TELL_ENDED,)),
    (State.ANSWERED, Event.GONE): (State.LEAVING, ()),
    (State.ANSWERED, Event.EXPIRED): (State.LEAVING, ()),
    #
    (State.LEAVING, Event.ACK): (State.ENDING, (Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.LEAVING, Event.RESEND): (State.LEAVING, (Effect.RESEND_2XX,)),
    (State.LEAVING, Event.NO_ACK): (State.ENDING, (Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.LEAVING, Event.HANG_UP): (State.LEAVING, ()),
    (State.LEAVING, Event.CANCEL): (State.LEAVING, ()),
    (State.LEAVING, Event.BYE): (State.OVER, (Effect.TELL_ENDED,)),
    (State.LEAVING, Event.GONE): (State.LEAVING, ()),
    # Either.
    (State.UP, Event.COPY): (State.UP, (Effect.SEND_ACK,)),
    (State.UP, Event.BRANCH): (State.UP, (Effect.END_BRANCH,)),
    (State.UP, Event.ACK): (State.UP, ()),
    (State.UP, Event.CANCEL): (State.UP, ()),
    (State.UP, Event.HANG_UP): (State.ENDING, (Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.UP, Event.BYE): (State.OVER, (Effect.TELL_ENDED,)),
    (State.UP, Event.GONE): (State.ENDING, (Effect.SEND_BYE, Effect.TELL_ENDED)),
    (State.UP, Event.EXPIRED): (State.ENDING, (Effect.SEND_BYE, Effect.TELL_ENDED)),
    #
    (State.ENDING, Event.BYE_DONE): (State.OVER, ()),
    (State.ENDING, Event.COPY): (State.ENDING, (Effect.SEND_ACK,)),
    (State.ENDING, Event.BRANCH): (State.ENDING, (Effect.END_BRANCH,)),
    (State.ENDING, Event.ACK): (State.ENDING, ()),
    (State.ENDING, Event.CANCEL): (State.ENDING, ()),
    (State.ENDING, Event.HANG_UP): (State.ENDING, ()),
    (State.ENDING, Event.BYE): (State.ENDING, ()),  # both have hung up
    (State.ENDING, Event.GONE): (State.ENDING, ()),
    #
    (State.OVER, Event.COPY): (State.OVER, (Effect.SEND_ACK,)),
    (State.OVER, Event.BRANCH): (State.OVER, (Effect.END_BRANCH,)),
    (State.OVER, Event.HANG_UP): (State.OVER, ()),
    (State.OVER, Event.CANCEL): (State.OVER, ()),
    (State.OVER, Event.GONE): (State.OVER, ()),
}
"""A call, from either side (RFC 3261 §9, §13, §15; RFC 6026 §7; RFC 4028 §10 for EXPIRED; RFC 5057 for GONE)."""


class Turn(StrEnum):
    """Whether something about a call that is up is being changed."""

    STILL = "nothing"
    ASKING = "our re-INVITE is out"
    OWING = "the 2xx to our re-INVITE brought an offer: its ACK waits for our user's answer"
    ASKED = "their re-INVITE is there, and our user has not decided"
    GRANTED = "our 2xx to their re-INVITE is out, and is repeated until the ACK comes"


class Move(StrEnum):
    """What happens to a change."""

    ASK = "our user, or the session timer, wants a re-INVITE"
    SUCCESS = "the 2xx to ours comes"
    OFFER = "the 2xx to ours comes, with an offer as ours had none"
    AGAIN = "ours is refused for want of what we can add"
    FAILURE = "ours is refused; the call goes on as it was"
    GLARE = "ours has met theirs: 491"
    DUE = "it is time to try again after such a meeting"
    INVITE = "their re-INVITE comes"
    ANSWER = "our user answers"
    REFUSE = "our user refuses"
    CANCEL = "their CANCEL comes"
    ACK = "the ACK for our 2xx comes"
    RESEND = "it is time to send the 2xx again"
    NO_ACK = "64·T1 after the 2xx there is still no ACK"
    LEFT = "the call is over"


class Deed(StrEnum):
    """What is done about a change."""

    SEND_INVITE = "send the re-INVITE"
    SEND_ACK = "acknowledge the 2xx"
    SEND_2XX = "send the 2xx, and again until the ACK comes"
    RESEND_2XX = "send the 2xx again"
    SEND_REFUSAL = "send the user's final response"
    SEND_487 = "answer the re-INVITE 487"
    SEND_491 = "answer the re-INVITE 491"
    SEND_500 = "answer the re-INVITE 500, to come back in 0 to 10 s"
    ABANDON = "wait no longer for the final response to ours"
    WAIT = "try again in 2.1 to 4 s if the Call-ID is ours, in 0 to 2 s if theirs"
    DROP = "what was offered is void: the session is what it was"
    HANG_UP = "hang up"
    TELL_ASKED = "tell the user what they want"
    TELL_OFFER = "tell the user that an offer wants an answer"
    TELL_CHANGED = "tell the user that the change is made"
    TELL_UNCHANGED = "tell the user that it is not"


Changes: TypeAlias = Mapping[tuple[Turn, Move], tuple[Turn, tuple[Deed, ...]]]


CHANGE: Final[Changes] = {
    (Turn.STILL, Move.ASK): (Turn.ASKING, (Deed.SEND_INVITE,)),
    (Turn.STILL, Move.DUE): (Turn.ASKING, (Deed.SEND_INVITE,)),
    (Turn.STILL, Move.INVITE): (Turn.ASKED, (Deed.TELL_ASKED,)),
    (Turn.STILL, Move.LEFT): (Turn.STILL, ()),
    #
    (Turn.ASKING, Move.SUCCESS): (Turn.STILL, (Deed.SEND_ACK, Deed.TELL_CHANGED)),
    (Turn.ASKING, Move.OFFER): (Turn.OWING, (Deed.TELL_OFFER,)),
    (Turn.ASKING, Move.AGAIN): (Turn.ASKING, (Deed.SEND_INVITE,)),
    (Turn.ASKING, Move.FAILURE): (Turn.STILL, (Deed.DROP, Deed.TELL_UNCHANGED)),
    (Turn.ASKING, Move.GLARE): (Turn.STILL, (Deed.DROP, Deed.WAIT)),
    (Turn.ASKING, Move.INVITE): (Turn.ASKING, (Deed.SEND_491,)),
    (Turn.ASKING, Move.LEFT): (Turn.STILL, (Deed.ABANDON, Deed.DROP)),
    #
    (Turn.OWING, Move.ANSWER): (Turn.STILL, (Deed.SEND_ACK, Deed.TELL_CHANGED)),
    (Turn.OWING, Move.INVITE): (Turn.OWING, (Deed.SEND_491,)),
    (Turn.OWING, Move.LEFT): (Turn.STILL, (Deed.SEND_ACK, Deed.DROP)),
    #
    (Turn.ASKED, Move.ANSWER): (Turn.GRANTED, (Deed.SEND_2XX,)),
    (Turn.ASKED, Move.REFUSE): (Turn.STILL, (Deed.SEND_REFUSAL, Deed.DROP)),
    (Turn.ASKED, Move.CANCEL): (Turn.STILL, (Deed.SEND_487, Deed.DROP, Deed.TELL_UNCHANGED)),
    (Turn.ASKED, Move.INVITE): (Turn.ASKED, (Deed.SEND_500,)),
    (Turn.ASKED, Move.DUE): (Turn.ASKED, (Deed.WAIT,)),
    (Turn.ASKED, Move.LEFT): (Turn.STILL, (Deed.SEND_487, Deed.DROP)),
    #
    (Turn.GRANTED, Move.ACK): (Turn.STILL, (Deed.TELL_CHANGED,)),
    (Turn.GRANTED, Move.RESEND): (Turn.GRANTED, (Deed.RESEND_2XX,)),
    (Turn.GRANTED, Move.NO_ACK): (Turn.STILL, (Deed.DROP, Deed.HANG_UP)),
    (Turn.GRANTED, Move.INVITE): (Turn.GRANTED, (Deed.SEND_491,)),
    (Turn.GRANTED, Move.CANCEL): (Turn.GRANTED, ()),
    (Turn.GRANTED, Move.DUE): (Turn.GRANTED, (Deed.WAIT,)),
    (Turn.GRANTED, Move.LEFT): (Turn.STILL, (Deed.DROP,)),
}
"""re-INVITEs in a call that is up (RFC 3261 §14; RFC 6337 §4 for an INVITE that comes before the ACK)."""
