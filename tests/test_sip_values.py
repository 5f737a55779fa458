"""URIs, addresses and other values, against what the RFCs say of them."""

import pytest

from sbc.sip.errors import ParseError
from sbc.sip.fields import (
    Address,
    AuthValue,
    Reason,
    Refresher,
    RetryAfter,
    SessionExpires,
    parse_address,
    parse_auth,
    parse_reason,
    parse_retry_after,
    parse_session_expires,
    parse_via,
)
from sbc.sip.grammar import Params, quote, unquote
from sbc.sip.headers import Headers
from sbc.sip.message import Request
from sbc.sip.uri import SipUri, TelUri, escape, parse_uri, unescape

# RFC 3261 §19.1.4, the examples of that section.
EQUIVALENT = [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
    ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    ("tel:+81-3-1234-5678", "tel:+81(3)1234.5678"),
    ("tel:1234;ext=5;phone-context=+81-3", "tel:1234;phone-context=+813;ext=5"),
    ("tel:+81312345678;a=B", "TEL:+81312345678;A=b"),
    ("urn:service:sos", "URN:service:sos"),
]
DIFFERENT = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    ("sip:a@b.example", "sips:a@b.example"),
    ("sip:a@b.example", "sip:b.example"),
    ("sip:a%2Fb@c.example", "sip:a%2fc@c.example"),
    ("tel:+81312345678", "tel:0312345678"),
    ("tel:1234;ext=5", "tel:1234"),
    ("tel:+81312345678", "sip:+81312345678@b.example;user=phone"),
]


@pytest.mark.parametrize(("one", "other"), EQUIVALENT)
def test_uris_that_are_one(one: str, other: str) -> None:
    assert parse_uri(one).equivalent(parse_uri(other))
    assert parse_uri(other).equivalent(parse_uri(one))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_uris_that_are_two(one: str, other: str) -> None:
    assert not parse_uri(one).equivalent(parse_uri(other))
    assert not parse_uri(other).equivalent(parse_uri(one))


def test_the_parts_of_a_uri() -> None:
    uri = parse_uri("sips:taro:secret@[2001:db8::9]:5061;transport=TLS;lr?Subject=a%20b&x=1")
    assert uri == SipUri(
        "[2001:db8::9]",
        "taro",
        5061,
        Params([("transport", "TLS"), ("lr", None)]),
        "sips",
        "secret",
        "Subject=a%20b&x=1",
    )
    assert isinstance(uri, SipUri)
    assert (uri.transport, uri.lr) == ("tls", True)
    assert str(uri) == "sips:taro:secret@[2001:db8::9]:5061;transport=TLS;lr?Subject=a%20b&x=1"


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("sip:+81-3-1234-5678@p.example;user=phone", "+81312345678"),
        ("sip:0312345678;phone-context=+81@p.example;user=PHONE", "0312345678"),
        ("sip:0312345678@p.example", None),
        ("sip:p.example;user=phone", None),
        ("tel:(03)1234.5678", "0312345678"),
    ],
)
def test_the_telephone_number_of_a_uri(text: str, phone: str | None) -> None:
    uri = parse_uri(text)
    assert isinstance(uri, SipUri | TelUri)
    assert uri.phone == phone


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no scheme"),
        ("alice", "no scheme"),
        ("sip:", "a part is empty"),
        ("sip:a@", "a part is empty"),
        ("sip:a@b@c", "more than one @"),
        ("sip:a b@c", "white space"),
        ("sip:<a@b>", "< or >"),
        ("sip:a%4@b", "two hexadecimal digits"),
        ("sip:a@b:65536", "more than 65535"),
        ("sip:a@b;x;X=1", "comes twice"),
        ("sip:a@b;;", "a part is empty"),
        ("tel:", "not a telephone number"),
        ("tel:+", "not a telephone number"),
        ("tel:03 1234", "not a telephone number"),
        ("urn:a b", "must be escaped"),
    ],
)
def test_what_is_no_uri_is_refused_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(ParseError, match=says) as caught:
        parse_uri(text)
    assert caught.value.status == 400


def test_escapes_are_octets_of_utf_8() -> None:
    assert escape("切替 %") == "%E5%88%87%E6%9B%BF%20%25"
    assert unescape("%E5%88%87%E6%9B%BF%20%25") == "切替 %"
    assert unescape("100%") == "100%"


@pytest.mark.parametrize("text", ["", "a", 'a"b', "\\", '\\"', "a, <b>;c"])
def test_a_quoted_string_says_what_was_quoted(text: str) -> None:
    assert unquote(quote(text)) == text


def test_reasons_of_both_kinds() -> None:
    request = Request(
        "BYE", "sip:a@b", [("Reason", 'Q.850 ;cause=16 ;text="Normal, clearing"'), ("Reason", "SIP;cause=200;x=y")]
    )
    assert request.reasons == (
        Reason("Q.850", 16, "Normal, clearing"),
        Reason("SIP", 200, "", Params([("x", "y")])),
    )
    assert [str(reason) for reason in request.reasons] == [
        'Q.850;cause=16;text="Normal, clearing"',
        "SIP;cause=200;x=y",
    ]
    with pytest.raises(ParseError, match="the cause"):
        parse_reason("Q.850;cause=x")


def test_the_times_of_sessions_and_returns() -> None:
    assert parse_session_expires("1800;refresher=UAC;x=y") == SessionExpires(1800, Refresher.UAC)
    assert str(SessionExpires(90, Refresher.UAS)) == "90;refresher=uas"
    assert str(SessionExpires(90)) == "90"
    with pytest.raises(ParseError, match="neither uac nor uas"):
        parse_session_expires("1800;refresher=me")
    assert parse_retry_after("18000 ;duration=3600") == RetryAfter(18000, 3600)
    assert [str(RetryAfter(5)), str(RetryAfter(5, 6))] == ["5", "5;duration=6"]
    request = Request("INVITE", "sip:a@b", [("Min-SE", "90;x=y"), ("x", "4000"), ("Min-Expires", "60")])
    assert (request.min_se, request.session_expires, request.min_expires) == (90, SessionExpires(4000), 60)
    assert (request.retry_after, request.expires) == (None, None)


def test_identities_and_privacy_as_japanese_carriers_send_them() -> None:
    request = Request(
        "INVITE",
        "sip:0612345678@osaka.example;user=phone",
        [
            ("P-Asserted-Identity", '"Taro" <sip:+81312345678@tokyo.example;user=phone>, <tel:+81312345678>'),
            ("P-Preferred-Identity", "tel:+81-3-1234-5678"),
            ("Privacy", "id; header"),
            ("privacy", "Critical"),
        ],
    )
    sip, tel = request.asserted_identities
    assert isinstance(sip.uri, SipUri)
    assert isinstance(tel.uri, TelUri)
    assert sip.uri.phone == tel.uri.phone == "+81312345678"
    assert request.preferred_identities == (Address(TelUri("+81-3-1234-5678")),)
    assert request.privacy == {"id", "header", "critical"}


def test_a_challenge_is_taken_apart_and_not_judged() -> None:
    text = 'Digest realm="a, \\"b\\"",nonce=abc , qop="auth,auth-int", ALGORITHM=SHA-256'
    challenge = AuthValue("Digest", {"realm": 'a, "b"', "nonce": "abc", "qop": "auth,auth-int", "algorithm": "SHA-256"})
    assert parse_auth(text) == challenge
    request = Request("A", "sip:b", [("WWW-Authenticate", text), ("WWW-Authenticate", "Bearer x=1")])
    assert request.auth("www-authenticate") == (challenge, AuthValue("Bearer", {"x": "1"}))
    for wrong, says in (('Digest a="b', "not closed"), ("Digest a", "name=value"), ("Digest a=1,A=2", "comes twice")):
        with pytest.raises(ParseError, match=says):
            parse_auth(wrong)


def test_where_a_response_goes() -> None:
    via = parse_via("SIP/2.0/UDP Host.example:5070;branch=z9hG4bKa;rport=4000;received=192.0.2.1")
    assert (via.sent_by, via.rport, via.received, via.asks_rport) == ("host.example:5070", 4000, "192.0.2.1", True)
    asked = parse_via("SIP/2.0/UDP a;rport")
    assert (asked.rport, asked.asks_rport, asked.received) == (None, True, None)
    filled = asked._replace(params=asked.params.put("rport", "99").put("received", "192.0.2.1"))
    assert str(filled) == "SIP/2.0/UDP a;rport=99;received=192.0.2.1"


@pytest.mark.parametrize(("text", "q"), [("0", 0.0), ("0.5", 0.5), ("1", 1.0), ("1.000", 1.0), ("0.123", 0.123)])
def test_the_preference_of_a_contact(text: str, q: float) -> None:
    assert parse_address(f"<sip:a@b>;q={text}").q == q


@pytest.mark.parametrize("text", ["2", "1.1", "0.1234", "-1", ".5", "nan"])
def test_a_preference_that_is_none(text: str) -> None:
    with pytest.raises(ParseError, match="from 0 to 1"):
        _ = parse_address(f"<sip:a@b>;q={text}").q


def test_a_contact_of_everything() -> None:
    request = Request("REGISTER", "sip:b", [("m", "*"), ("Expires", "0")])
    assert request.wildcard_contact
    assert request.contacts == ()
    assert request.expires == 0


def test_headers_are_found_in_any_spelling_and_keep_their_order() -> None:
    headers = Headers(
        [("v", " one "), ("X-Thing", "a, b"), ("Via", 'two;x="a, b", three'), ("CONTACT", "<sip:a@b,c>, d")]
    )
    assert headers.get("VIA") == "one"
    assert headers.all("Via") == ("one", 'two;x="a, b"', "three")
    assert headers.all("x-thing") == ("a, b",)
    assert headers.all("m") == ("<sip:a@b,c>", "d")
    assert ("v" in headers, "Route" in headers, headers.get("Route"), headers.all("Route")) == (True, False, None, ())
    assert next(iter(headers.prepend("Via", "zero"))) == ("Via", "zero")
    assert list(headers.replace("via", "only")) == [("via", "only"), ("X-Thing", "a, b"), ("CONTACT", "<sip:a@b,c>, d")]
    assert list(headers.replace("New", 7))[-1] == ("New", "7")
    assert list(headers.without("m", "Via").add("Z", "")) == [("X-Thing", "a, b"), ("Z", "")]
    assert len(headers) == 4


def test_a_changed_message_is_another_one() -> None:
    request = Request("INVITE", "sip:a@b", [("Max-Forwards", "70"), ("Content-Length", "3")], b"abc")
    assert request.max_forwards == 70
    nearer = request.with_headers(request.headers.replace("Max-Forwards", 69)).with_uri("sip:c@d")
    assert (nearer.max_forwards, str(nearer.uri), nearer.body) == (69, "sip:c@d", b"abc")
    assert request.max_forwards == 70
    other = request.with_body(b"v=0", "application/sdp")
    assert (other.content_type, other.content_length, other.body, other.framed()) == (
        "application/sdp",
        3,
        b"v=0",
        other,
    )
    empty = other.with_body(b"")
    assert (empty.content_type, empty.content_length) == (None, 0)
    assert Request("A", "sip:b", (), b"xy").framed().content_length == 2
    assert nearer != request
    assert len({request, nearer, request.with_uri("sip:a@b")}) == 2
