"""One call as its carrier keeps it."""

from sbc.decisions.admission import Limit
from sbc.decisions.connection import State
from sbc.decisions.routing import Route
from sbc.endpoints.line import Line
from sbc.sip.agenda import Appointment
from sbc.sip.call import Call
from scenarios.evidence import Direction


class Connection:
    """A call, in or out; the carrier alone changes it. Equal only to itself."""

    __slots__ = (
        "appointment", "branch", "call", "direction", "failed_over", "key", "limits", "line", "lots", "node", "number",
        "route", "silent", "state",
    )  # fmt: skip

    number: str
    """The number dialled, of an inbound call, as the plan spells it."""
    route: Route
    """The way that is tried, of an inbound call."""

    def __init__(self, key: str, direction: Direction, line: Line, state: State = State.TRYING) -> None:
        self.key = key
        self.branch = 1
        """How many INVITEs have been sent for it, to trunks and nodes."""
        self.direction = direction
        self.line = line
        self.state = state
        self.call: Call | None = None
        """What is under way of it at the line's user agent."""
        self.limits: tuple[Limit, ...] = ()
        """Those it holds a port of."""
        self.node: int | None = None
        """The node of the pair that is tried, by index."""
        self.failed_over = False
        """Whether the other node of an active-active pair was tried before, by the same trunk."""
        self.silent = False
        """Whether a trunk before has given no answer."""
        self.lots: dict[str, bool] = {}
        """By fault, whether its restriction has hit the call."""
        self.appointment: Appointment[Connection, None] | None = None
        """The end of the wait for an answer."""
