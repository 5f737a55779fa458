"""Offers and answers: who may propose a session description, and when one is agreed (RFC 3264, RFC 6337 §2)."""

from enum import StrEnum
from typing import Final

from sbc.decisions.table import follow


class State(StrEnum):
    """Whose turn it is."""

    IDLE = "nothing is proposed; what was agreed last, if anything, holds"
    OFFERED = "we have proposed and wait for the answer"
    ASKED = "the other side has proposed and waits for ours"


class Event(StrEnum):
    """What happens to the descriptions of a dialog."""

    OFFER_SENT = "we send an offer"
    OFFER_CAME = "an offer comes"
    ANSWER_SENT = "we send the answer"
    ANSWER_CAME = "the answer comes"
    DROPPED = "the request with the offer fails: what was agreed before holds on (RFC 3261 §14.1)"


TABLE: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.OFFER_SENT): State.OFFERED,
    (State.IDLE, Event.OFFER_CAME): State.ASKED,
    (State.OFFERED, Event.ANSWER_CAME): State.IDLE,
    (State.OFFERED, Event.DROPPED): State.IDLE,
    (State.ASKED, Event.ANSWER_SENT): State.IDLE,
    (State.ASKED, Event.DROPPED): State.IDLE,
}
"""Every transition; an offer that meets another is glare and never gets here: it is answered 491 (RFC 3261 §14.2)."""

# Read once: before Python 3.12 a member of an enumeration takes longer to read than a row of a table.
_IDLE: Final = State.IDLE
_OFFERED: Final = State.OFFERED
_ASKED: Final = State.ASKED
_OFFER_SENT: Final = Event.OFFER_SENT
_OFFER_CAME: Final = Event.OFFER_CAME
_ANSWER_SENT: Final = Event.ANSWER_SENT
_ANSWER_CAME: Final = Event.ANSWER_CAME
_DROPPED: Final = Event.DROPPED


class Negotiation:
    """The descriptions of one dialog."""

    __slots__ = ("_proposed", "local", "remote", "state")

    def __init__(self) -> None:
        self.state = _IDLE
        self.local: bytes | None = None
        """Our description as last agreed."""
        self.remote: bytes | None = None
        """Theirs."""
        self._proposed = b""

    def sent(self, body: bytes) -> None:
        """We send a description: an answer where one is due, else an offer."""
        if self.state is _ASKED:
            self._tell(_ANSWER_SENT)
            self.local, self.remote = body, self._proposed
        else:
            self._tell(_OFFER_SENT)
            self._proposed = body

    def came(self, body: bytes) -> None:
        """A description comes: the answer where we wait for one, else an offer.

        Raises ImpossibleEventError for a second offer before the first is answered.
        """
        if self.state is _OFFERED:
            self._tell(_ANSWER_CAME)
            self.local, self.remote = self._proposed, body
        else:
            self._tell(_OFFER_CAME)
            self._proposed = body

    def preview(self) -> None:
        """We describe the session in a provisional response, which can but be the answer to come (RFC 6337 §2.2).

        Raises ImpossibleEventError where no answer of ours is due.
        """
        follow(TABLE, self.state, _ANSWER_SENT)

    def dropped(self) -> None:
        """The request that carried an offer has failed; without an open offer nothing changes."""
        if self.state is not _IDLE:
            self._tell(_DROPPED)

    @property
    def proposed(self) -> bytes | None:
        """The offer that waits for our answer, if there is one."""
        return self._proposed if self.state is _ASKED else None

    def _tell(self, event: Event) -> None:
        self.state = follow(TABLE, self.state, event)
