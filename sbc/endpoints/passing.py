"""What both kinds of SBC node have in common: their events, their address, what they report and refuse."""

from collections.abc import Sequence
from typing import NamedTuple

from sbc.endpoints.gate import Carrying, Done, Gate, Pass, Post, Refusal
from sbc.endpoints.wire import SIP_PORT, Address, Datagram, Path
from sbc.sip.call import Way
from sbc.sip.errors import ParseError
from sbc.sip.fields import Via
from sbc.sip.message import Request, Response, parse
from sbc.sip.transaction import Flow
from sbc.sip.uri import SipUri, Uri


class Serve(NamedTuple):
    """The node serves at its service address, or does so no more; the address itself is for others to move."""

    serving: bool
    clears: bool = True
    """Of a node that serves no more: whether it steps down in good order, clears what is not kept and hands over what
    is. One that hung while the other took over must not: its calls are the other's."""


class Drain(NamedTuple):
    """New calls are refused from now on, as planned."""

    retry_after: float | None = None


class Resume(NamedTuple):
    """New calls are taken again."""


class Service(NamedTuple):
    """The node's site is in service, or is so no more."""

    open: bool


class LineDown(NamedTuple):
    """A trunk is lost: its calls are cleared on the other side at once."""

    trunk: str


class Node:
    """Whether a node serves, and the keys of the calls that it carries."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.gate = Gate(post)
        self.serving = False
        self._keys: dict[str, int] = {}
        self._out: list[object] = []
        self._via = Via("UDP", post.service.host, post.service.port)

    def __len__(self) -> int:
        """Return how many calls hold a port here."""
        return self.post.ports.used

    def carries(self, key: str) -> bool:
        """Whether a call of that key goes through this node now."""
        return key in self._keys

    def replicated(self, key: str) -> bool:
        """Whether this node has what it needs to go on with a call of that key that the other node carries."""
        del key
        return False

    def take(self) -> Sequence[object]:
        """Return what has come up since the last time: ``Send``, ``Transmit``, and the reports of the gate."""
        out, self._out = self._out, []
        return out

    def _message(self, datagram: Datagram) -> Request | Response:
        """Return the message of a datagram; raises ParseError for none."""
        return parse(datagram.data) if datagram.message is None else datagram.message

    def _planned(self, event: object) -> None:
        """Take in what the plan says of new calls."""
        match event:
            case Drain(retry_after):
                self.gate.drained, self.gate.retry_after = True, retry_after
            case Resume():
                self.gate.drained, self.gate.retry_after = False, None
            case Service(is_open):
                self.gate.in_service = is_open
            case _:
                raise TypeError(f"an SBC node knows no event {event!r}")

    def _ask(self, now: float, flow: Flow, request: Request) -> Pass | Refusal:
        """Ask the gate about a call that came on a path."""
        assert isinstance(flow, Path)  # noqa: S101 - endpoints have no other flows
        answer = self.gate.ask(now, flow.remote, request)
        if isinstance(answer, Pass):
            self._enter(answer.key)
        else:
            self._out.append(answer.denied)
        return answer

    def _enter(self, key: str) -> None:
        self._keys[key] = self._keys.get(key, 0) + 1
        self._out.append(Carrying(key))

    def _leave(self, key: str) -> None:
        self.gate.leave()
        left = self._keys[key] - 1
        if left:
            self._keys[key] = left
        else:
            del self._keys[key]
        self._out.append(Done(key))

    def _locate(self, uri: Uri, flow: Flow | None) -> Way:
        """Return the way to a next hop: by the connection that it made, else by UDP to the address that it names.

        A next hop with a name in place of an address is answered where it came from.
        """
        if isinstance(flow, Path) and (flow.reliable or not (isinstance(uri, SipUri) and _is_address(uri.host))):
            return Way(flow, self._via if not flow.reliable else self._via._replace(transport=flow.transport.upper()))
        if not isinstance(uri, SipUri):
            raise ParseError(f"{uri} leads nowhere", status=None)
        port = SIP_PORT if uri.port is None else uri.port
        return Way(Path(self.post.service, Address(uri.host, port)), self._via)


def _is_address(host: str) -> bool:
    """Whether a host is an IPv4 address, as all are that are no names."""
    return host[-1:].isdigit()
