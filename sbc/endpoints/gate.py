"""Who may pass an SBC node, and where to: sources, trunks, ports, calls per second, planned work (W7, S2).

The node asks for each new call; what refuses it has the name that the `calls` engine gives it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

from sbc.decisions.admission import NO_CIRCUIT, Limit, Pace, admit, release, seize
from sbc.decisions.advance import UNAVAILABLE
from sbc.endpoints.charging import key_of
from sbc.endpoints.trunk_group import PHONE, wish
from sbc.endpoints.wire import Address
from sbc.sip.message import Request
from sbc.sip.session_timer import Timing
from sbc.sip.uri import SipUri

FORBIDDEN: Final = 403
NO_SUCH_TRUNK: Final = 404

_USUAL: Final = Timing()


@dataclass(frozen=True, slots=True)
class Post:
    """What a node of a pair is set up with."""

    name: str
    """As `pair/1`."""
    service: Address
    """Where both sides find it, or the other node."""
    trunks: Mapping[str, Address]
    """By their names, the carrier's ends of the trunks that enter by the pair."""
    centre: Address
    """Where calls from trunks go on to: the contact centre of the site."""
    ports: Limit
    """Calls that the node can carry at the same time."""
    pace: Pace | None = None
    """New calls that it takes in any one second."""
    inside: frozenset[str] = frozenset()
    """IP addresses besides the centre's whose calls are let out."""
    allowed: frozenset[str] | None = None
    """IP addresses that calls are taken from (W7); None: all that are named here."""
    timing: Timing = _USUAL
    """The session timer of its calls."""

    @property
    def contact(self) -> SipUri:
        """What both sides know the node by, and the node that takes its place."""
        return SipUri(self.service.host, port=self.service.port)


class Denied(NamedTuple):
    """A call was refused."""

    key: str
    status: int
    reason: str
    limit: bool
    """Whether a limit of the node refused it; `reason` is its name."""


class Carrying(NamedTuple):
    """A call holds a port of this node from now on."""

    key: str


class Done(NamedTuple):
    """A call holds no port of this node any more: it is over, or the other node has it."""

    key: str


class Pass(NamedTuple):
    """A call may pass, and holds a port: :meth:`Gate.leave` is due when it is over."""

    key: str
    trunk: str
    uri: SipUri
    """Whom it goes on to."""
    inbound: bool
    """Whether it comes by the trunk, and does not leave by it."""


class Refusal(NamedTuple):
    """A call may not pass."""

    denied: Denied
    retry_after: int | None = None
    """Seconds after which it makes sense to call again."""


class Gate:
    """Admission to one node."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.drained = False
        self.retry_after: float | None = None
        """Of the refusals while it is drained."""
        self.in_service = True
        """Whether its site is."""
        self._by_source = {address: name for name, address in post.trunks.items()}
        self._inside = post.inside | {post.centre.host}

    def knows(self, source: Address) -> bool:
        """Whether calls are taken from an address at all."""
        allowed = self.post.allowed
        known = source in self._by_source or source.host in self._inside
        return known if allowed is None else known and source.host in allowed

    def ask(self, now: float, source: Address, request: Request) -> Pass | Refusal:
        """Decide on a new call; a :class:`Pass` has its port already."""
        key = key_of(request) or request.call_id
        if not self.knows(source):
            return Refusal(Denied(key, FORBIDDEN, "source not allowed", limit=False))
        if self.drained:
            wait = None if self.retry_after is None else ceil(self.retry_after)
            return Refusal(Denied(key, UNAVAILABLE, "drained", limit=False), wait)
        if not self.in_service:
            return Refusal(Denied(key, UNAVAILABLE, "site not in service", limit=False))
        way = self._way(source, request)
        if way is None:
            return Refusal(Denied(key, NO_SUCH_TRUNK, "no such trunk", limit=False))
        refusing = admit((self.post.ports,), self.post.pace, now)
        if refusing is not None:
            return Refusal(Denied(key, NO_CIRCUIT, refusing.name, limit=True))
        return Pass(key, *way, source in self._by_source)

    def enter(self) -> None:
        """Give a port to a call that the other node had."""
        seize(1, self.post.ports)

    def leave(self) -> None:
        """Take the port of a call back."""
        release((self.post.ports,))

    def _way(self, source: Address, request: Request) -> tuple[str, SipUri] | None:
        """Return the trunk of a call and whom it goes on to; None where it names no trunk of this node."""
        asked = request.uri
        if not isinstance(asked, SipUri):
            return None
        number, trunk = wish(asked)
        target = self.post.centre
        if (enters_by := self._by_source.get(source)) is not None:
            trunk = enters_by
        elif trunk is None or (far := self.post.trunks.get(trunk)) is None:
            return None
        else:
            target = far
        return trunk, SipUri(target.host, number or None, target.port, PHONE if number else asked.params)
