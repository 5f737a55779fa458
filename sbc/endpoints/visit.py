"""One call that came in to the contact centre, and what is drawn and known for it."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from sbc.decisions.admission import Limit
from sbc.decisions.distribution import Agent
from sbc.decisions.routing import Route
from sbc.endpoints.centre_reports import ClosedOut, Denied, Party, TurnedAway
from sbc.endpoints.errands import Errand
from sbc.endpoints.switchboard import Acts, Leg
from sbc.endpoints.trunk_group import wish
from sbc.endpoints.visiting import State
from sbc.endpoints.wire import Path
from sbc.sip.agenda import Appointment
from sbc.sip.core import description
from sbc.sip.message import Request
from sbc.sip.uri import SipUri


class Luck(NamedTuple):
    """What is drawn for the callers of a queue, in the order in which they come to it."""

    takes: Iterator[float]
    """Seconds in the IVR."""
    contained: Iterator[float]
    """From 0 to 1: below the IVR's share nothing more is needed."""
    accepts: Iterator[float]
    """From 0 to 1: below the queue's share a callback is accepted."""


class Contact(NamedTuple):
    """Where a phone is reached: what the location service knows."""

    uri: SipUri
    path: Path
    """The way to it, as the registrar sees it."""


Locates: TypeAlias = Callable[[Agent], Contact | None]


class Visit:
    """One call that came in. It is over when its state says so, and then keeps no leg."""

    __slots__ = (
        "agent", "answer", "appointment", "by", "caller", "contact", "errand", "key", "limits", "menu", "number",
        "offer", "other", "queue", "queued", "report", "route", "since", "site", "stage", "state", "team_limits",
        "trunk",
    )  # fmt: skip

    answer: bytes
    """What the centre can say to the caller's offer; an offer where there is none."""
    contact: Contact
    """Where the agent's phone is."""
    report: Denied | ClosedOut | TurnedAway
    """Why it came to nothing."""
    route: Route
    """By which the call came."""
    since: float
    """When it came to the queue."""

    def __init__(self, key: str, caller: Leg, request: Request) -> None:
        self.key = key
        self.site = caller.line.site
        self.caller: Leg | None = caller
        self.other: Leg | None = None
        """The leg of the agent's phone."""
        self.errand: Errand | None = None
        """The leg to the external team, or back to the caller."""
        self.number = user_of(request.from_.uri)
        """The caller's; empty where it is not shown."""
        self.trunk = trunk_of(request)
        """That the call came by, if the SBC says so."""
        self.offer = description(request)
        self.state = State.ARRIVED
        self.queue = ""
        self.menu = False
        """Whether it came through an IVR."""
        self.queued = False
        """Whether anybody has been told that it waits."""
        self.stage = 0
        """Treatments of the queue so far."""
        self.agent: Agent | None = None
        self.limits: tuple[Limit, ...] = ()
        self.team_limits: tuple[Limit, ...] = ()
        """What a leg to the external team holds while nobody has answered it."""
        self.by = Party.CALLER
        """Who has ended it."""
        self.appointment: Appointment[object, Acts] | None = None


def user_of(uri: object) -> str:
    """Return the number or name in a URI without parameters of the user part; empty where there is none."""
    return (uri.user or "").partition(";")[0] if isinstance(uri, SipUri) else ""


def trunk_of(request: Request) -> str | None:
    """Return the trunk group that a call came by, which the Contact names (RFC 4904 §5)."""
    contact = request.contacts[0].uri
    return wish(contact).trunk if isinstance(contact, SipUri) else None
