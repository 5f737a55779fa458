"""Other people's SIP codecs, each read through its own typed interface; imported only here, and only if installed."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from sbc.sip.message import Request, parse
from sbc.sip.uri import SipUri


class Place(NamedTuple):
    """Where a URI points."""

    user: str | None
    host: str
    port: int | None


class Party(NamedTuple):
    """A From, To or Contact."""

    display: str
    place: Place
    tag: str | None


class Core(NamedTuple):
    """What a proxy reads of every request."""

    method: str
    target: Place
    transport: str
    sent_by: Place
    branch: str | None
    from_: Party
    to: Party
    call_id: str
    cseq: tuple[int, str]
    max_forwards: int
    contact: Party


class Codec(NamedTuple):
    """One contestant: how it parses, is read, and serialises."""

    name: str
    parse: Callable[[bytes], Any]
    core: Callable[[Any], Core]
    encode: Callable[[Any], bytes]


def kirikae() -> Codec:
    """This project."""

    def place(uri: Any) -> Place:
        return Place(uri.user, uri.host, uri.port)

    def party(address: Any) -> Party:
        return Party(address.display, place(address.uri), address.params.get("tag"))

    def core(message: Request) -> Core:
        via = message.via
        return Core(
            message.method,
            place(message.uri) if isinstance(message.uri, SipUri) else Place(None, "", None),
            via.transport,
            Place(None, via.host, via.port),
            via.branch,
            party(message.from_),
            party(message.to),
            message.call_id,
            message.cseq,
            -1 if message.max_forwards is None else message.max_forwards,
            party(message.contacts[0]),
        )

    return Codec("kirikae", parse, core, Request.encode)


def sipmessage() -> Codec:
    """The package sipmessage, BSD-2-Clause."""
    library = import_module("sipmessage")

    def place(uri: Any) -> Place:
        return Place(uri.user, uri.host, uri.port)

    def party(address: Any) -> Party:
        return Party(address.name or "", place(address.uri), address.parameters.get("tag"))

    def core(message: Any) -> Core:
        via, cseq = message.via[0], message.cseq
        return Core(
            message.method,
            place(message.uri),
            via.transport,
            Place(None, via.host, via.port),
            via.parameters.get("branch"),
            party(message.from_address),
            party(message.to_address),
            message.call_id,
            (cseq.sequence, cseq.method),
            message.max_forwards,
            party(message.contact[0]),
        )

    return Codec("sipmessage", library.Message.parse, core, bytes)


def aiosipua() -> Codec:
    """The package aiosipua, MIT."""
    messages, headers = import_module("aiosipua.message"), import_module("aiosipua.headers")

    def place(uri: Any) -> Place:
        return Place(uri.user, uri.host, uri.port)

    def party(address: Any) -> Party:
        return Party(address.display_name or "", place(address.uri), address.tag)

    def core(message: Any) -> Core:
        via, cseq = message.via[0], message.cseq
        return Core(
            message.method,
            place(headers.parse_uri(message.uri)),
            via.transport,
            Place(None, via.host, via.port),
            via.branch,
            party(message.from_addr),
            party(message.to_addr),
            message.call_id,
            (cseq.seq, cseq.method),
            int(message.get_header("Max-Forwards")),
            party(message.contact[0]),
        )

    return Codec("aiosipua", messages.SipMessage.parse, core, bytes)


def opensip() -> Codec:
    """The package opensip, MIT."""
    messages, headers = import_module("opensip.message"), import_module("opensip.headers")

    def place(uri: Any) -> Place:
        return Place(uri.user, uri.host, uri.port)

    def party(address: Any) -> Party:
        return Party(address.display or "", place(address.uri), address.params.get("tag"))

    def core(message: Any) -> Core:
        get = message.headers.get
        via = headers.parse_via_list(get("Via"))[0]
        return Core(
            message.method,
            place(headers.URI.parse(message.request_uri)),
            via.transport,
            Place(None, via.host, via.port),
            via.params.get("branch"),
            party(headers.NameAddr.parse(get("From"))),
            party(headers.NameAddr.parse(get("To"))),
            message.call_id,
            message.cseq,
            int(get("Max-Forwards")),
            party(headers.parse_address_list(get("Contact"))[0]),
        )

    return Codec("opensip", messages.parse_message, core, lambda message: message.encode())


def sippy() -> Codec:
    """The package sippy, BSD-2-Clause; it takes and gives text."""
    requests = import_module("sippy.SipRequest")

    def place(url: Any) -> Place:
        return Place(url.username, url.host, url.port)

    def party(header: Any) -> Party:
        address = header.address
        return Party(address.name or "", place(address.url), address.params.get("tag"))

    def core(message: Any) -> Core:
        body = message.getHFBody
        via = body("via")
        return Core(
            message.getMethod(),
            place(message.getRURI()),
            via.transport,
            Place(None, via.hostname, via.port),
            via.getBranch(),
            party(body("from")),
            party(body("to")),
            str(body("call-id")),
            body("cseq").getCSeq(),
            body("max-forwards").getNum(),
            party(body("contact")),
        )

    return Codec(
        "sippy",
        lambda data: requests.SipRequest(data.decode("utf-8", "surrogateescape")),
        core,
        lambda message: str(message).encode("utf-8", "surrogateescape"),
    )


PEERS = {"sipmessage": sipmessage, "aiosipua": aiosipua, "opensip": opensip, "sippy": sippy}
