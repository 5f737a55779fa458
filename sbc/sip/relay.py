"""What a proxy does to a message that it passes on (RFC 3261 §16.3 to §16.7); pure functions of the message."""

from collections.abc import Collection, Sequence
from hashlib import blake2s
from typing import Final, NamedTuple

from sbc.sip.fields import Address, Via, parse_address
from sbc.sip.grammar import split
from sbc.sip.headers import Headers, key_of
from sbc.sip.message import Request, Response
from sbc.sip.uri import SipUri, Uri, parse_uri

HOPS: Final = 70
"""Max-Forwards of a request that has none (§16.6 step 3)."""

Place = tuple[str, int]
"""A host in lower case and a port: what tells one element from another."""


def place(host: str, port: int | None, *, secure: bool = False) -> Place:
    """Return host and port with the port that stands for none (§19.1.2)."""
    return host.lower(), port if port is not None else 5061 if secure else 5060


def place_of(uri: Uri) -> Place | None:
    """Return where a SIP URI leads, None for a URI without a host."""
    return place(uri.host, uri.port, secure=uri.scheme == "sips") if isinstance(uri, SipUri) else None


def place_of_sender(via: Via) -> Place:
    """Return where a Via says that its sender is."""
    return place(via.host, via.port, secure=via.transport.upper() in ("TLS", "WSS"))


def loop_mark(request: Request) -> str:
    """Return a hash of all that decides where a request that came goes (§16.6 step 8).

    It ends the branch that the proxy gives the request. One that comes back with the same mark would go round for ever;
    a spiral, sent on to somewhere else meanwhile, has another. The topmost Via is left out: it differs in every round
    (RFC 5393 §4.2).
    """
    fields = [
        request.uri_text,
        request.to.tag or "",
        request.from_.tag or "",
        request.call_id,
        str(request.cseq.number),
        *request.headers.all("Route"),
        *request.headers.all("Proxy-Require"),
        *request.headers.values("Proxy-Authorization"),
    ]
    return blake2s("\n".join(fields).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


class Refusal(NamedTuple):
    """The response that a request deserves instead of being passed on."""

    status: int
    headers: tuple[tuple[str, object], ...] = ()


def refusal(request: Request, mine: Collection[Place], mark: str) -> Refusal | None:
    """Return what a request deserves in the order of §16.3, None where it may pass.

    The caller has held it against :func:`~sbc.sip.validate.validate`. Raises ParseError for a field that a proxy needs
    and cannot read.
    """
    if request.max_forwards == 0:
        return Refusal(483)
    for via in request.vias:
        if place_of_sender(via) in mine and (via.branch or "").endswith(f"-{mark}"):
            return Refusal(482)
    if request.proxy_require and request.method != "ACK":
        return Refusal(420, (("Unsupported", ", ".join(sorted(request.proxy_require))),))
    for read in (request.routes, request.uri):
        del read  # reading is the check
    return None


class Routed(NamedTuple):
    """A request as it is after its way up to here has been taken out."""

    request: Request
    came_by_route: bool
    """Whether this proxy stood in its route set: it goes on by itself."""


def preprocessed(request: Request, mine: Collection[Place]) -> Routed:
    """Return a request without what led it here (§16.4): what a strict router moved is put back, our Route removed."""
    routes = list(request.headers.all("Route"))
    came = False
    if routes and place_of(request.uri) in mine and _is_loose(request.uri):
        # A strict router has put our Record-Route into the Request-URI, and the Request-URI behind the last Route.
        request = request.with_uri(parse_address(routes.pop()).uri)
        came = True
        request = request.with_headers(_with_list(request.headers, "Route", routes))
    if routes and place_of(parse_address(routes[0]).uri) in mine:
        request = request.with_headers(_without_first(request.headers, "Route"))
        came = True
    return Routed(request, came)


def next_hop(request: Request, uri: Uri) -> Uri:
    """Return whom a request for a target is sent to: its next proxy, or the target itself (§16.6 step 7)."""
    return request.routes[0].uri if request.routes else uri


def forwarded(request: Request, uri: Uri | str, via: Via, record_route: SipUri | None) -> Request:
    """Return a preprocessed request for a target: one hop less, our Via and Record-Route, as §16.6 wants it.

    Where the next proxy is a strict router, the target goes behind the last Route.
    """
    routes = list(request.headers.all("Route"))
    if routes and not _is_loose(first := parse_address(routes[0]).uri):
        target = parse_uri(uri) if isinstance(uri, str) else uri
        routes, uri = [*routes[1:], str(Address(target))], first
        request = request.with_headers(_with_list(request.headers, "Route", routes))
    hops = request.max_forwards
    headers = request.headers.replace("Max-Forwards", HOPS if hops is None else hops - 1)
    if record_route is not None:
        headers = headers.prepend("Record-Route", f"<{record_route}>")
    return request.with_uri(uri).with_headers(headers.prepend("Via", via))


def returned(response: Response) -> Response:
    """Return a response for the hop before: without our Via (§16.7 step 3).

    Raises ParseError for Vias that cannot be told apart.
    """
    return response.with_headers(_without_first(response.headers, "Via"))


def _without_first(headers: Headers, name: str) -> Headers:
    """Return header fields without the first value of a list; all others stay as they came."""
    key = key_of(name)
    pairs = list(headers)
    at = next(i for i, pair in enumerate(pairs) if key_of(pair[0]) == key)
    rest = split(pairs[at][1], ",")[1:]
    pairs[at : at + 1] = [(pairs[at][0], ", ".join(rest))] if rest else []
    return Headers(pairs)


def _with_list(headers: Headers, name: str, values: Sequence[str]) -> Headers:
    return headers.replace(name, ", ".join(values)) if values else headers.without(name)


def _is_loose(uri: Uri) -> bool:
    return isinstance(uri, SipUri) and uri.lr
