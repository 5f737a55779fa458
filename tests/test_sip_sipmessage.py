"""The codec beside sipmessage, a second reading of the same RFCs: where both agree, and where and why they do not."""

from collections.abc import Callable

import pytest
import sipmessage
from hypothesis import given, settings
from hypothesis import strategies as st

from sbc.sip.errors import ParseError
from sbc.sip.fields import Address, Via, parse_address
from sbc.sip.grammar import Params
from sbc.sip.message import Request, Response, parse
from sbc.sip.uri import SipUri, TelUri, Uri, parse_uri
from tests import sip_messages as made

# Traffic within what both read: no folding, numbers in range, parameter names in lower case, and no two quoted names in
# one field; where they differ is listed below.
tokens = st.sampled_from(["INVITE", "UDP", "x-1.y", "Tls"])
users = st.sampled_from(["taro", "0312345678", "a.b_c", "A~*x"])
hosts = st.sampled_from(["tokyo.example", "sbc-1.osaka.example", "192.0.2.7", "[2001:db8::7]"])
displays = st.sampled_from(["", "Taro", "Yamada, Taro", "a;b <c>", "x@y"])
params = made.params(st.sampled_from(["a", "tag", "x-y"]), st.sampled_from(["1", "Ab.c", "z9hG4bK7"]))
uris = st.builds(
    SipUri, hosts, st.none() | users, made.ports, params, st.sampled_from(["sip", "sips"]), st.none(), st.none()
)
vias = st.builds(Via, tokens, hosts, made.ports, params, st.just("SIP/2.0"))
addresses = st.builds(Address, uris, params, displays)
routes = st.lists(st.builds(Address, uris, params, st.just("")), min_size=1, max_size=3)
reasons = st.sampled_from(["", "OK", "Not Here"])


@st.composite
def traffic(draw: st.DrawFn) -> Request | Response:
    """Requests and responses with several Via, Route and Contact, option tags and a body."""
    request = Request.build(
        draw(tokens),
        draw(uris),
        via=draw(vias),
        from_=draw(addresses),
        to=draw(addresses),
        call_id=draw(users),
        cseq=draw(st.integers(0, 2**31 - 1)),
        max_forwards=draw(st.integers(0, 255)),
        headers=[
            ("Via", draw(vias)),
            ("v", draw(vias)),
            ("Route", ", ".join(map(str, draw(routes)))),
            ("m", draw(addresses)),
            ("k", ", ".join(draw(st.lists(tokens, min_size=1, max_size=2)))),
            ("Expires", draw(st.integers(0, 2**32 - 1))),
            ("Content-Type", "application/sdp"),
        ],
        body=draw(made.bodies),
    )
    if draw(st.booleans()):
        return request
    return Response(draw(st.integers(100, 699)), draw(reasons), request.headers, request.body)


def their_uri(uri: sipmessage.URI) -> SipUri:
    return SipUri(uri.host, uri.user, uri.port, Params(uri.parameters.items()), uri.scheme)


def their_address(address: sipmessage.Address) -> Address:
    return Address(their_uri(address.uri), Params(address.parameters.items()), address.name or "")


def their_via(via: sipmessage.Via) -> Via:
    return Via(via.transport, via.host, via.port, Params(via.parameters.items()))


@settings(max_examples=50)
@given(traffic())
def test_both_read_the_same_in_what_we_write(message: Request | Response) -> None:
    theirs = sipmessage.Message.parse(message.encode())
    ours = parse(message.encode())
    if isinstance(ours, Request):
        assert isinstance(theirs, sipmessage.Request)
        assert (theirs.method, their_uri(theirs.uri)) == (ours.method, ours.uri)
    else:
        assert isinstance(theirs, sipmessage.Response)
        assert (theirs.code, theirs.phrase) == (ours.status, ours.reason)
    assert tuple(map(their_via, theirs.via)) == ours.vias
    assert their_via(theirs.via[0]) == ours.via
    assert their_address(theirs.from_address) == ours.from_
    assert their_address(theirs.to_address) == ours.to
    assert tuple(map(their_address, theirs.route)) == ours.routes
    assert tuple(map(their_address, theirs.contact)) == ours.contacts
    assert theirs.call_id == ours.call_id
    assert (theirs.cseq.sequence, theirs.cseq.method) == ours.cseq
    assert (theirs.max_forwards, theirs.expires) == (ours.max_forwards, ours.expires)
    assert theirs.content_length == ours.content_length
    assert str(theirs.content_type) == ours.content_type
    assert {tag.lower() for tag in theirs.supported} == ours.supported
    assert theirs.body == ours.body


@settings(max_examples=50)
@given(traffic())
def test_what_they_write_we_read_as_the_same(message: Request | Response) -> None:
    """They put the values of one name together, and write compact names out; nothing else may change."""
    again = parse(bytes(sipmessage.Message.parse(message.encode())))
    assert again.start_line == message.start_line
    assert again.body == message.body
    for name in {name for name, _ in message.headers}:
        assert again.headers.all(name) == message.headers.all(name)


def theirs_address(text: str) -> object:
    return their_address(sipmessage.Address.parse(text))


def theirs_uri(text: str) -> object:
    return their_uri(sipmessage.URI.parse(text))


def parsed(text: str) -> bytes:
    return f"A sip:b SIP/2.0\r\n{text}\r\n\r\nbody".encode()


REFUSED = "refused"
AB = SipUri("b", "a")

DIFFERENCES: list[tuple[str, Callable[[str], object], object, Callable[[str], object], object, str]] = [
    # (what is read, by us, what we say, by them, what they say, what the RFC says)
    (
        "sip:a%2Cb@c.example",
        parse_uri,
        SipUri("c.example", "a%2Cb"),
        theirs_uri,
        SipUri("c.example", "a,b"),
        "RFC 3261 §19.1.4 compares escapes; we keep the spelling and resolve it in user_text and equivalent()",
    ),
    (
        "sip:a@b?Subject=x",
        parse_uri,
        SipUri("b", "a", headers="Subject=x"),
        theirs_uri,
        REFUSED,
        "RFC 3261 §19.1.1: a URI may carry header fields",
    ),
    (
        "mailto:a@b",
        lambda text: str(parse_uri(text)),
        "mailto:a@b",
        theirs_uri,
        REFUSED,
        "RFC 3261 §20.20, §20.39: From and To take any URI",
    ),
    (
        "<sip:a@b>;x=1;X=2",
        parse_address,
        REFUSED,
        theirs_address,
        Address(AB, Params([("x", "1"), ("X", "2")])),
        "RFC 3261 §7.3.1: a parameter name comes once, in whatever case",
    ),
    (
        "<sip:a@b>;x=1;x=2",
        parse_address,
        REFUSED,
        theirs_address,
        Address(AB, Params([("x", "2")])),
        "RFC 3261 §7.3.1: a parameter name comes once",
    ),
    (
        '"a\\"b" <sip:a@b>',
        lambda text: parse_address(text).display,
        'a"b',
        lambda text: sipmessage.Address.parse(text).name,
        'a"b',
        "agreed: RFC 3261 §25.1, quoted-pair",
    ),
    (
        'Contact: "a" <sip:a@b>, "c" <sip:c@d>',
        lambda text: [contact.display for contact in parse(parsed(text)).contacts],
        ["a", "c"],
        lambda text: [contact.name for contact in sipmessage.Message.parse(parsed(text)).contact],
        ['a" <sip:a@b>, "c'],
        "RFC 3261 §25.1: a quoted-string ends at the next quote that has no backslash",
    ),
    (
        "X: a\r\n b",
        lambda text: parse(parsed(text)).headers.get("X"),
        "a b",
        lambda text: sipmessage.Message.parse(parsed(text)),
        REFUSED,
        "RFC 3261 §7.3.1: a line that begins with white space goes on with the one before",
    ),
    (
        "Subject : x",
        lambda text: parse(parsed(text)).headers.get("Subject"),
        "x",
        lambda text: sipmessage.Message.parse(parsed(text)).subject,
        None,
        "RFC 3261 §7.3.1: white space may stand before the colon",
    ),
    (
        "Content-Length: 2",
        lambda text: parse(parsed(text)).body,
        b"bo",
        lambda text: sipmessage.Message.parse(parsed(text)).body,
        b"body",
        "RFC 3261 §18.3: bytes beyond the length are dropped",
    ),
    (
        "Content-Length: 9",
        lambda text: parse(parsed(text)).body,
        REFUSED,
        lambda text: sipmessage.Message.parse(parsed(text)).body,
        b"body",
        "RFC 3261 §18.3: a datagram that ends before its body does is an error",
    ),
    (
        "Content-Length: +4",
        lambda text: parse(parsed(text)).body,
        REFUSED,
        lambda text: sipmessage.Message.parse(parsed(text)).content_length,
        4,
        "RFC 3261 §25.1: a Content-Length is digits",
    ),
    (
        "Max-Forwards: 256",
        lambda text: parse(parsed(text)).max_forwards,
        REFUSED,
        lambda text: sipmessage.Message.parse(parsed(text)).max_forwards,
        256,
        "RFC 3261 §20.22: 0 to 255",
    ),
    (
        "Call-ID: a\r\nCall-ID: b",
        lambda text: parse(parsed(text)).call_id,
        REFUSED,
        lambda text: sipmessage.Message.parse(parsed(text)).call_id,
        "a",
        "RFC 3261 §7.3.1, RFC 4475 §3.3.8: one value",
    ),
    (
        "Via: SIP/2.0/UDP a.example;received=2001:db8::1",
        lambda text: parse(parsed(text)).via.received,
        "2001:db8::1",
        lambda text: sipmessage.Message.parse(parsed(text)).via,
        REFUSED,
        "RFC 3261 §25.1: via-received is an IPv6address, without brackets",
    ),
    (
        "Via: SIP/2.0/UDP a.example:99999",
        lambda text: parse(parsed(text)).via,
        REFUSED,
        lambda text: sipmessage.Message.parse(parsed(text)).via[0].port,
        99999,
        "no such port: RFC 768",
    ),
]


@pytest.mark.parametrize(("text", "ours", "we", "theirs", "they", "rfc"), DIFFERENCES, ids=[d[0] for d in DIFFERENCES])
def test_they_differ_as_listed(
    text: str,
    ours: Callable[[str], object],
    we: object,
    theirs: Callable[[str], object],
    they: object,
    rfc: str,
) -> None:
    def say(read: Callable[[str], object]) -> object:
        try:
            return read(text)
        except (ParseError, ValueError):
            return REFUSED

    assert say(ours) == we, rfc
    assert say(theirs) == they, rfc


@given(st.sampled_from(["+81312345678", "110", "+81-3-1234-5678"]), params)
def test_telephone_numbers_are_read_alike(number: str, params: Params) -> None:
    uri: Uri = parse_uri(f"tel:{number}{params}")
    theirs = sipmessage.URI.parse(f"tel:{number}{params}")
    assert uri == TelUri(theirs.user or "", Params(theirs.parameters.items()))
