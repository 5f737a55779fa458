"""Dialogs: what two user agents remember of one another between requests (RFC 3261 §12).

A :class:`Dialog` knows tags, sequence numbers, targets and routes, and whether it is early, confirmed or over. What
goes on inside it — the session, its offers and its timer — is its user's business.
"""

from enum import StrEnum
from typing import Final, Self

from sbc.decisions.table import follow
from sbc.sip.fields import Address, CSeq, Via
from sbc.sip.headers import pairs_of
from sbc.sip.message import Fields, Request, Response
from sbc.sip.uri import SipUri, Uri


class State(StrEnum):
    """Where a dialog stands."""

    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Event(StrEnum):
    """What changes a dialog's state, whichever side it comes from."""

    ACCEPTED = "a 2xx to the INVITE, or a copy of one"
    ENDED = "another final response to the INVITE, a BYE, or the other side is gone"


TABLE: dict[tuple[State, Event], State] = {
    (State.EARLY, Event.ACCEPTED): State.CONFIRMED,
    (State.EARLY, Event.ENDED): State.TERMINATED,
    (State.CONFIRMED, Event.ACCEPTED): State.CONFIRMED,
    (State.CONFIRMED, Event.ENDED): State.TERMINATED,
}
"""Every transition; a terminated dialog is forgotten by its user (§12.3, §14.1, RFC 5057)."""

# Read once: before Python 3.12 a member of an enumeration takes longer to read than a row of a table.
_EARLY: Final = State.EARLY
_CONFIRMED: Final = State.CONFIRMED
_ACCEPTED: Final = Event.ACCEPTED


class Dialog:
    """One side of a dialog."""

    __slots__ = (
        "call_id", "initiated", "local", "local_cseq", "remote", "remote_cseq", "remote_target", "routes", "state",
    )  # fmt: skip

    call_id: str
    initiated: bool
    """Whether this side sent the request that began it."""
    local: Address
    """Who we are in it, tag and all."""
    remote: Address
    remote_target: Uri
    """Where the other side wants its requests: its last Contact."""
    routes: tuple[Address, ...]
    """The proxies that requests pass, the next first."""
    local_cseq: int
    """Sequence number of the last request we sent; 0 before the first."""
    remote_cseq: int | None
    state: State

    @classmethod
    def as_caller(cls, request: Request, response: Response) -> Self:
        """Return the dialog that a response to our request begins (§12.1.2).

        A response without a Contact, as RFC 2543 allows, leaves the Request-URI as the target.
        """
        dialog = cls()
        dialog.call_id = request.call_id
        dialog.initiated = True
        dialog.local = request.from_
        dialog.remote = response.to
        dialog.remote_target = response.contacts[0].uri if response.contacts else request.uri
        dialog.routes = response.record_routes[::-1]
        dialog.local_cseq = request.cseq.number
        dialog.remote_cseq = None
        dialog.state = _CONFIRMED if response.status >= 200 else _EARLY
        return dialog

    @classmethod
    def as_callee(cls, request: Request, response: Response) -> Self:
        """Return the dialog that our response to a request begins (§12.1.1); raises ParseError without a Contact."""
        dialog = cls()
        dialog.call_id = request.call_id
        dialog.initiated = False
        dialog.local = response.to
        dialog.remote = request.from_
        dialog.remote_target = _contact(request)
        dialog.routes = request.record_routes
        dialog.local_cseq = 0
        dialog.remote_cseq = request.cseq.number
        dialog.state = _CONFIRMED if response.status >= 200 else _EARLY
        return dialog

    @property
    def next_hop(self) -> Uri:
        """Where a request is sent: the first proxy, or the other side itself (§12.2.1.1)."""
        return self.routes[0].uri if self.routes else self.remote_target

    def tell(self, event: Event) -> None:
        """Let something happen; raises ImpossibleEventError for what cannot, such as a second end."""
        self.state = follow(TABLE, self.state, event)

    def confirm(self, response: Response) -> None:
        """A 2xx has arrived for an early dialog: routes and target are those of the 2xx (§13.2.2.4)."""
        self.tell(_ACCEPTED)
        self.routes = response.record_routes[::-1]
        self.refresh_target(response)

    def request(self, method: str, via: Via, headers: Fields = (), body: bytes = b"") -> Request:
        """Return our next request (§12.2.1.1)."""
        self.local_cseq += 1
        return self._request(method, self.local_cseq, via, headers, body)

    def ack(self, invite: CSeq, via: Via, headers: Fields = (), body: bytes = b"") -> Request:
        """Return the ACK for a 2xx, which has the number of its INVITE (§13.2.2.4)."""
        return self._request("ACK", invite.number, via, headers, body)

    def _request(self, method: str, cseq: int, via: Via, headers: Fields, body: bytes) -> Request:
        uri, routes = self.remote_target, self.routes
        if routes and not _is_loose(routes[0].uri):
            # A strict router takes its own address from the Request-URI, and ours from the last Route.
            uri, routes = routes[0].uri, (*routes[1:], Address(self.remote_target))
        return Request.build(
            method,
            uri,
            via=via,
            from_=self.local,
            to=self.remote,
            call_id=self.call_id,
            cseq=cseq,
            headers=[*(("Route", route) for route in routes), *pairs_of(headers)] if routes else headers,
            body=body,
        )

    def takes(self, request: Request) -> bool:
        """Whether a request comes in its turn; one with an older number deserves a 500 (§12.2.2)."""
        number = request.cseq.number
        if request.method in ("ACK", "CANCEL"):
            return True
        if self.remote_cseq is not None and number <= self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def refresh_target(self, message: Request | Response) -> None:
        """Take the other side's new Contact, from a re-INVITE, an UPDATE or the 2xx to ours (§12.2)."""
        if message.contacts:
            self.remote_target = message.contacts[0].uri


def _contact(request: Request) -> Uri:
    if len(request.contacts) != 1:
        raise request.fault("a dialog needs exactly one", "Contact")
    return request.contacts[0].uri


def _is_loose(uri: Uri) -> bool:
    return isinstance(uri, SipUri) and uri.lr
