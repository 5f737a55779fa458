"""A call that a back-to-back user agent passes on: its two sides, its targets, and what the user is told of it."""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple, TypeAlias

from sbc.decisions.advance import UNAVAILABLE, meaning
from sbc.decisions.table import ImpossibleEventError
from sbc.sip.agenda import Appointment
from sbc.sip.bridging import Event, State
from sbc.sip.call import Call, Ended
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address
from sbc.sip.message import Request, Response
from sbc.sip.transaction import Send
from sbc.sip.uri import SipUri


class Onward(NamedTuple):
    """Whom a call may be passed on to: a trunk, a contact centre, a phone."""

    uri: SipUri
    routes: Sequence[Address] = ()
    """Proxies to pass on the way."""
    to: Address | None = None
    """Who stands in To, such as the number that was dialled; the target itself unless said otherwise."""
    contact: Address | None = None
    """By what it knows this element, if not as all do: by the trunk that the call came by, say."""


class Denial(NamedTuple):
    """Why a call is not admitted: the response that it gets."""

    status: int
    retry_after: int | None = None
    """Seconds after which it makes sense to call again (RFC 3261 §21.5.4)."""


class Bridge:
    """A call and what it was passed on as; the user agent alone changes it."""

    __slots__ = (
        "__weakref__", "a", "again", "appointment", "b", "request", "silent", "state", "status", "target", "targets",
    )  # fmt: skip

    target: Onward
    """The latest that was tried."""

    def __init__(self, a: Call, request: Request) -> None:
        self.a = a
        """The side that calls."""
        self.request = request
        """Its INVITE."""
        self.b: Call | None = None
        """The side called, as far as it is tried."""
        self.state = State.ASKED
        self.targets: list[Onward] = []
        """Those not tried yet."""
        self.status = 0
        """What the latest target's answer means, or what the call was refused with."""
        self.silent = False
        """Whether a target has given no answer."""
        self.again = inf
        """When the first of the targets may be tried again, seconds; -inf once one has not said."""
        self.appointment: Appointment[Bridge, Event] | None = None

    @property
    def called(self) -> Call:
        """The side called; raises ImpossibleEventError while none is."""
        if self.b is None:
            raise ImpossibleEventError(f"there is no other side while {self.state.value!r}")
        return self.b

    def __repr__(self) -> str:
        return f"<Bridge {self.a.call_id} {self.state.name}>"


class Incoming(NamedTuple):
    """A call comes in: :meth:`~.b2bua.BackToBack.connect` or :meth:`~.b2bua.BackToBack.deny` is due."""

    bridge: Bridge

    @property
    def request(self) -> Request:
        """The INVITE."""
        return self.bridge.request


class Tried(NamedTuple):
    """A target has failed, or was passed over."""

    bridge: Bridge
    target: Onward
    status: int
    """What its answer means: 408 for silence, 503 for a flow that failed."""
    again: float | None = None
    """When it may be tried again, seconds; None if it did not say."""


class Joined(NamedTuple):
    """Both sides have answered: the call is up."""

    bridge: Bridge


class Closed(NamedTuple):
    """The call is over; told once."""

    bridge: Bridge
    why: Ended | None
    """How the side that ended it has; None where it was not admitted or found nobody."""
    status: int
    """What the caller was refused with, 0 if it was not."""


Told: TypeAlias = Incoming | Tried | Joined | Closed
Output: TypeAlias = Send | Told


def retry_after(response: Response | Request | None, *, proxied: bool = False) -> int | None:
    """Return the Retry-After of a 503 in seconds, None where there is none that can be read.

    ``proxied``: whether a proxy stands between, which makes 500 of it.
    """
    if not isinstance(response, Response) or meaning(response.status, proxied=proxied) != UNAVAILABLE:
        return None
    try:
        wait = response.retry_after
    except ParseError:
        return None
    return None if wait is None else wait.seconds
