"""Asking a node by OPTIONS whether it is well, before a run and after it: one question, outside any event loop."""

import socket
import time
from secrets import randbits
from typing import Final, TypeGuard

from sbc.endpoints.reading import message_of
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.live.transport import family_of
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address as NameAddr
from sbc.sip.fields import Via
from sbc.sip.framing import StreamFramer
from sbc.sip.grammar import Params
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.uri import SipUri
from scenarios.addresses import Address as SipAddress
from scenarios.addresses import Transport

PATIENCE: Final = 4.0
"""Seconds that a node has to answer."""
_T1: Final = 0.5
"""Seconds after which a datagram is sent again, then twice as many (RFC 3261 §17.1.2.1)."""
_FINAL: Final = 200
_FAILING: Final = 500
"""From this status on a node says that it cannot serve; all below shows that it works, even if it likes no OPTIONS."""


def problem_of(node: SipAddress) -> str | None:
    """Return why a node is not well, or None where it is; raises OSError where nothing can be sent to it."""
    datagrams = node.transport is Transport.UDP
    there = Address(node.host, node.port)
    with socket.socket(family_of(there), socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM) as asks:
        asks.settimeout(PATIENCE)
        try:
            asks.connect(there)
            host, port, *_ = asks.getsockname()
            request = _options(Address(host, port), there, str(node.transport))
            status = _by_datagrams(asks, request) if datagrams else _by_connection(asks, request)
        except TimeoutError:
            status = None
        except ConnectionRefusedError:
            return "nothing is heard there"
    if status is None:
        return f"no answer to OPTIONS within {PATIENCE:g} s"
    return f"it answers OPTIONS by {status}" if status >= _FAILING else None


def _by_datagrams(asks: socket.socket, request: Request) -> int | None:
    until, wait = time.monotonic() + PATIENCE, _T1
    path = Path(Address(*asks.getpeername()[:2]), Address(*asks.getsockname()[:2]))
    while (left := until - time.monotonic()) > 0:
        asks.send(request.encode())
        again = time.monotonic() + min(wait, left)
        while (left := again - time.monotonic()) > 0:
            asks.settimeout(left)
            try:
                answer = message_of(Datagram(path, None, asks.recv(65_535)))
            except (TimeoutError, ParseError):
                continue
            if _answers(answer, request):
                return answer.status
        wait *= 2
    return None


def _by_connection(asks: socket.socket, request: Request) -> int | None:
    until, framer = time.monotonic() + PATIENCE, StreamFramer(opened_here=True)
    asks.sendall(request.encode())
    while (left := until - time.monotonic()) > 0:
        asks.settimeout(left)
        data = asks.recv(65_535)
        if not data:
            return None
        for frame in framer.feed(data):
            if _answers(frame, request):
                return frame.status
    return None


def _answers(message: object, request: Request) -> TypeGuard[Response]:
    return isinstance(message, Response) and message.call_id == request.call_id and message.status >= _FINAL


def _options(own: Address, there: Address, transport: str) -> Request:
    ids, uri = Ids(randbits), SipUri(there.host, port=there.port)
    return Request.build(
        "OPTIONS",
        uri,
        via=Via(transport.upper(), own.host, own.port, Params([("branch", ids.branch())])),
        from_=NameAddr(SipUri(own.host, port=own.port)).with_tag(ids.tag()),
        to=NameAddr(uri),
        call_id=ids.word(),
        cseq=1,
    )
