"""What people and faults tell a carrier, and what it tells of: its calls by their keys, trunks and nodes by name."""

from typing import NamedTuple

from sbc.decisions.trunk import Restriction
from scenarios.evidence import Direction

# What it is told.


class Dial(NamedTuple):
    """Somebody calls a number of the plan; Answered, Refused or Over will tell what came of it."""

    key: str
    number: str
    """As the plan spells it."""


class HangUp(NamedTuple):
    """The carrier's side of a call hangs up; nothing happens to a call that is over."""

    key: str
    direction: Direction = Direction.INBOUND
    """Inbound, its caller hangs up; outbound, whoever was called."""


class LineDown(NamedTuple):
    """A trunk is lost: its calls are cleared, new ones fail at once."""

    trunk: str
    fault: str


class LineRefuses(NamedTuple):
    """A trunk answers all new calls 503."""

    trunk: str
    fault: str
    retry_after: float | None = None
    """Seconds."""


class LineRestricted(NamedTuple):
    """A carrier refuses a share of new calls on a trunk, emergency calls excepted."""

    trunk: str
    fault: str
    restriction: Restriction


class LineRepaired(NamedTuple):
    """A fault of a trunk is over, of whichever kind."""

    trunk: str
    fault: str


class PutIntoUse(NamedTuple):
    """Who has repaired a node of an active-active pair says so: calls are sent to it again."""

    pair: str
    node: int
    """By index."""


class EndAll(NamedTuple):
    """The carrier's side of every call hangs up."""


class AskAround(NamedTuple):
    """All calls that are up through a pair are to be asked for, by an OPTIONS in each: has it forgotten them?

    An answer of 481, or none, ends the call (RFC 5057 §5.1): :class:`Over` tells.
    """

    pair: str


# What it tells.


class Rang(NamedTuple):
    """An inbound call has had its first provisional response other than 100."""

    key: str
    trunk: str
    status: int


class Answered(NamedTuple):
    """A call is answered."""

    key: str
    trunk: str
    direction: Direction = Direction.INBOUND


class Refused(NamedTuple):
    """An inbound call has come to nothing."""

    key: str
    trunk: str
    """The last that was tried; empty where there was none."""
    status: int
    """What the caller hears."""
    reason: str
    """Empty for an answer of the other side, which has its own reason."""
    limit: bool
    """Whether a limit of the carrier's has refused it; then `reason` is its name."""


class Denied(NamedTuple):
    """An outbound call has been refused by the carrier itself."""

    key: str
    status: int
    reason: str
    limit: bool
    trunk: str


class Over(NamedTuple):
    """A call is over that was answered, or that its caller has given up."""

    key: str
    trunk: str
    by_us: bool
    """Whether this side has ended it: people, faults, or the session timer."""
    direction: Direction = Direction.INBOUND
    reason: str = ""
    """What cut it off; empty where people hung up."""


class Advanced(NamedTuple):
    """A trunk or node has failed an inbound call, which goes on to another."""

    key: str
    trunk: str
    status: int
    reason: str
    node: str
    """Of an active-active pair, the node that was tried."""


class Met(NamedTuple):
    """A call has met what these faults have done."""

    faults: tuple[str, ...]


class Probed(NamedTuple):
    """A probe of a node has been answered, or has not in time."""

    node: str
    answered: bool


class Avoided(NamedTuple):
    """A node of an active-active pair gets no calls any more."""

    node: str


class Used(NamedTuple):
    """It gets its share again."""

    node: str
