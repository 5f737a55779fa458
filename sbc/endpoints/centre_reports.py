"""What the contact centre tells its user, and what its user tells it; ``key`` is the call's (P-Charging-Vector)."""

from enum import StrEnum
from typing import NamedTuple

from sbc.decisions.distribution import Agent


class Party(StrEnum):
    """Who ends a call."""

    CALLER = "caller"
    AGENT = "agent"
    CALLED = "called"
    """The number that an agent has dialled."""
    TEAM = "team"
    """The external team."""
    CENTRE = "centre"
    """The IVR, or whoever answers a number without a queue."""


# Events.


class Serve(NamedTuple):
    """An agent has become free, and the distributor's answer was this call."""

    key: str
    agent: Agent


class Clear(NamedTuple):
    """Tell all who wait in a queue, or to be called back from it, that it is closed."""

    queue: str


class HangUp(NamedTuple):
    """Whoever has answered in the centre hangs up: for a number without a queue, where no phone does.

    A caller who is in an IVR, waits or is being put through is given up: nothing has been heard of them for long.
    """

    key: str


class Heard(NamedTuple):
    """A node of an active-active pair has answered a probe, was repaired, or is known to be gone."""

    pair: str
    node: int
    """Its index."""
    answers: bool


# Reports of calls that come in.


class Delivered(NamedTuple):
    """A call is in: it has all its ports, and a queue to go to unless the far side answers at once."""

    key: str
    queue: str | None
    site: str


class Menu(NamedTuple):
    """An IVR has answered: the caller's patience does not run meanwhile."""

    key: str


class MenuOver(NamedTuple):
    """Announcements and menus are over; ``contained``: and so is the call."""

    key: str
    contained: bool


class Queued(NamedTuple):
    """The caller waits."""

    key: str


class Ringing(NamedTuple):
    """An agent is taken: the phone is rung. One :class:`Released` or :class:`Unreachable` follows."""

    key: str
    agent: Agent


class Unreachable(NamedTuple):
    """An agent's phone is not registered, or has failed the call, which is back in its place; the agent is not free."""

    key: str
    agent: Agent


class Released(NamedTuple):
    """The agent has done with the call."""

    key: str
    agent: Agent


class Connected(NamedTuple):
    """Somebody has answered: an agent, or whoever was dialled or answers a number without a queue."""

    key: str
    agent: Agent | None


class Promised(NamedTuple):
    """The caller has hung up and will be called back."""

    key: str


class Overflowed(NamedTuple):
    """The external team has answered; ``team`` is its number."""

    key: str
    team: str


class TurnedAway(NamedTuple):
    """The queue takes no more callers; without an IVR before it the call was never delivered."""

    key: str
    status: int
    reason: str


class ClosedOut(NamedTuple):
    """The caller heard that it is closed: as a 480, or, in a call that was answered, as an announcement (200)."""

    key: str
    status: int
    reason: str = "closed"


class Left(NamedTuple):
    """The caller, or the agent who dialled, has hung up before anybody answered."""

    key: str


# Reports of calls that go out.


class Shows(NamedTuple):
    """An agent dials, and this is the number that is shown; empty for none."""

    key: str
    number: str
    site: str


class Placed(NamedTuple):
    """An INVITE goes out by a trunk: of an agent, a callback or an overflow."""

    key: str
    trunk: str
    number: str
    """That is shown."""


# Reports of both.


class Denied(NamedTuple):
    """A call is refused for good: by the centre, or with the last answer of those that it was sent to."""

    key: str
    status: int
    reason: str
    """For an answer from elsewhere, its reason phrase."""
    limit: bool
    """Whether it is a limit of the contract that refuses, whose name the reason then is."""


class Over(NamedTuple):
    """A call that was answered is over."""

    key: str
    by: Party
