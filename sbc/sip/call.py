"""One call as a user agent keeps it, and what its user is told."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from sbc.decisions.table import ImpossibleEventError
from sbc.sip.agenda import Appointment
from sbc.sip.dialog import Dialog
from sbc.sip.fields import Address, Via
from sbc.sip.message import Fields, Request, Response
from sbc.sip.offer import Negotiation
from sbc.sip.session_timer import Terms, Timing
from sbc.sip.transaction import ClientTransaction, Flow, Send, ServerTransaction
from sbc.sip.uri import Uri
from sbc.sip.usage import Event, Move, State, Turn

# Read once: before Python 3.12 a member of an enumeration takes longer to read than a row of a table.
_NEW: Final = State.NEW
_STILL: Final = Turn.STILL


class Way(NamedTuple):
    """How a request goes."""

    flow: Flow
    via: Via
    """This side's address on that flow; each request adds a branch of its own."""


Locate: TypeAlias = Callable[[Uri, Flow | None], Way]
"""Returns the way to a next hop; a dialog says on which flow it lives, for a peer reached by the connection it made."""


class Chore(StrEnum):
    """What is due in a call besides the timers of its tables."""

    REFRESH = "it is our turn to refresh the session"


class Draft(NamedTuple):
    """An INVITE as its user wants it, to be sent as often as it takes."""

    uri: Uri
    from_: Address
    to: Address
    routes: Sequence[Address] = ()
    headers: Fields = ()
    body: bytes = b""


class Leg(NamedTuple):
    """One branch of an INVITE that has answered: an early dialog and its session."""

    dialog: Dialog
    session: Negotiation


class Kept(NamedTuple):
    """A 2xx of ours, and the transaction of the INVITE that it answers."""

    transaction: ServerTransaction
    response: Response


class Call:
    """A call. Its user may read it and hands it back with every verb; the agent alone changes it."""

    __slots__ = (
        "__weakref__", "acks", "appointments", "asked", "asking", "bye_headers", "call_id", "client", "dialog", "draft",
        "early", "flow", "kept", "latest", "number", "outgoing", "owed", "pause", "quiet", "request",
        "server", "session", "state", "tag", "terms", "timing", "tries", "turn", "why", "wish",
    )  # fmt: skip

    request: Request
    """The INVITE whose number the next ACK for a 2xx has, ours or theirs: the latest that was sent, else that came."""
    flow: Flow
    """On which it went or came."""
    draft: Draft
    """What our user asked for, in a call of ours."""
    server: ServerTransaction
    """Their first INVITE, in a call of theirs."""
    asked: ServerTransaction
    """Their re-INVITE that is being dealt with."""
    latest: ServerTransaction
    """Their re-INVITE that came last."""

    def __init__(self, call_id: str, tag: str, timing: Timing, *, outgoing: bool) -> None:
        self.call_id = call_id
        self.tag = tag
        """Ours: with the Call-ID it names the call."""
        self.outgoing = outgoing
        self.state = _NEW
        self.turn = _STILL
        self.dialog: Dialog | None = None
        """The dialog of the call, once there is one and no other can take its place."""
        self.session = Negotiation()
        self.early: dict[str, Leg] = {}
        """By their tags, the branches that have answered our INVITE provisionally."""
        self.terms: Terms | None = None
        """The session timer agreed on, if there is one."""
        self.why: Event | None = None
        """What ended it."""
        self.timing = timing
        self.number = 0
        """The sequence number of our latest INVITE before there is a dialog."""
        self.tries = 0
        """How often the INVITE under way was tried again."""
        self.client: ClientTransaction | None = None
        """Our first INVITE, while 2xx to it may come."""
        self.asking: ClientTransaction | None = None
        """Our re-INVITE, likewise."""
        self.wish: tuple[Fields, bytes] | None = None
        """What our user wants changed; None for a mere refresh."""
        self.quiet = False
        """Whether the change under way is but a refresh, of which the user need not know."""
        self.owed: Response | None = None
        """The 2xx with an offer whose ACK waits for the answer."""
        self.acks: dict[tuple[int, str], Send] = {}
        """By sequence number and tag, the ACKs for 2xx of which copies may come."""
        self.kept: Kept | None = None
        """What is repeated until its ACK comes."""
        self.pause = 0.0
        """Seconds until our 2xx is sent again."""
        self.bye_headers: tuple[tuple[str, object], ...] = ()
        self.appointments: dict[Event | Move | Chore, Appointment[Call, Event | Move | Chore]] = {}

    @property
    def established(self) -> Dialog:
        """The dialog; raises ImpossibleEventError before there is one."""
        if self.dialog is None:
            raise ImpossibleEventError(f"a request in a dialog while {self.state.value!r}")
        return self.dialog

    def __repr__(self) -> str:
        return f"<Call {self.call_id} {self.state.name}>"


class Asking:
    """A request of the user's that is under way, outside the calls or within one."""

    __slots__ = ("body", "call", "headers", "request", "tries")

    def __init__(self, request: Request, call: Call | None = None, headers: Fields = (), body: bytes = b"") -> None:
        self.request = request
        self.call = call
        self.headers = headers
        self.body = body
        self.tries = 0


class Arrived(NamedTuple):
    """A call comes in: to be rung, answered, refused."""

    call: Call
    request: Request


class Progress(NamedTuple):
    """Our INVITE was answered provisionally."""

    call: Call
    response: Response


class Offered(NamedTuple):
    """The 2xx to an INVITE of ours without an offer has brought one: :meth:`~.agent.UserAgent.answer` is due."""

    call: Call
    response: Response


class Up(NamedTuple):
    """The call stands."""

    call: Call
    message: Request | Response
    """The 2xx, or the ACK that came for ours."""


class ChangeAsked(NamedTuple):
    """The other side wants to change the session: to be answered or refused."""

    call: Call
    request: Request


class Changed(NamedTuple):
    """A re-INVITE, ours or theirs, is done."""

    call: Call
    message: Request | Response


class Unchanged(NamedTuple):
    """A re-INVITE has led to nothing; the session is what it was."""

    call: Call
    message: Request | Response | None
    """What refused or cancelled it; None where nothing came."""


class Ended(NamedTuple):
    """The call is over, or was never up; told once."""

    call: Call
    why: Event
    message: Request | Response | None
    """The final response, BYE or CANCEL, with its Reason and Retry-After; None where nothing came."""

    @property
    def status(self) -> int:
        """The status that stands for the end: the final response's, or what counts as one (§8.1.3.1); else 0."""
        if isinstance(self.message, Response):
            return self.message.status
        return {Event.TIMED_OUT: 408, Event.BROKEN: 503}.get(self.why, 0)


class Asked(NamedTuple):
    """A request of another kind has come, to be answered with :meth:`~.agent.UserAgent.respond`."""

    transaction: ServerTransaction
    call: Call | None
    """Within which it came."""

    @property
    def request(self) -> Request:
        """The request."""
        return self.transaction.request


class Replied(NamedTuple):
    """A request of ours has its final response."""

    asking: Asking
    response: Response | None
    """None where none came."""


Told: TypeAlias = Arrived | Progress | Offered | Up | ChangeAsked | Changed | Unchanged | Ended | Asked | Replied
Output: TypeAlias = Send | Told
