"""SIP messages as values: built, written, read back."""

import pytest

from sbc.sip.errors import EncodeError, ParseError
from sbc.sip.fields import Address, CSeq, Via
from sbc.sip.grammar import Params
from sbc.sip.headers import Headers
from sbc.sip.message import Request, Response, parse
from sbc.sip.uri import SipUri

ALICE = Address(SipUri("atlanta.example", "alice"), Params([("tag", "1928301774")]), "Alice")


def invite(**more: object) -> Request:
    """RFC 3261 §7.5's example, more or less."""
    told: dict[str, object] = {
        "via": Via("UDP", "pc33.atlanta.example", None, Params([("branch", "z9hG4bK776asdhds")])),
        "from_": ALICE,
        "to": "Bob <sip:bob@biloxi.example>",
        "call_id": "a84b4c76e66710@pc33.atlanta.example",
        "cseq": 314159,
        "headers": [("Contact", "<sip:alice@pc33.atlanta.example>")],
        "body": b"v=0\r\n",
    } | more
    return Request.build("INVITE", "sip:bob@biloxi.example", **told)  # type: ignore[arg-type]


def test_a_request_is_written_in_the_order_it_was_built() -> None:
    assert invite().encode() == (
        b"INVITE sip:bob@biloxi.example SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bK776asdhds\r\n"
        b"Max-Forwards: 70\r\n"
        b'From: "Alice" <sip:alice@atlanta.example>;tag=1928301774\r\n'
        b"To: Bob <sip:bob@biloxi.example>\r\n"
        b"Call-ID: a84b4c76e66710@pc33.atlanta.example\r\n"
        b"CSeq: 314159 INVITE\r\n"
        b"Contact: <sip:alice@pc33.atlanta.example>\r\n"
        b"Content-Length: 5\r\n"
        b"\r\n"
        b"v=0\r\n"
    )


def test_what_was_written_is_read_back_as_the_same_message() -> None:
    request = invite()
    again = parse(request.encode())
    assert again == request
    assert hash(again) == hash(request)
    assert again.from_ == ALICE
    assert again.cseq == CSeq(314159, "INVITE")


def test_a_response_copies_what_it_must_and_tags_the_to() -> None:
    request = invite(
        headers=[("Record-Route", "<sip:p1.example;lr>"), ("Record-Route", "<sip:p2.example;lr>"), ("Timestamp", "54")]
    )
    ringing = Response.answer(request, 180, to_tag="a6c85cf")
    assert list(ringing.headers) == [
        ("Via", "SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bK776asdhds"),
        ("From", '"Alice" <sip:alice@atlanta.example>;tag=1928301774'),
        ("To", "Bob <sip:bob@biloxi.example>;tag=a6c85cf"),
        ("Call-ID", "a84b4c76e66710@pc33.atlanta.example"),
        ("CSeq", "314159 INVITE"),
        ("Record-Route", "<sip:p1.example;lr>"),
        ("Record-Route", "<sip:p2.example;lr>"),
        ("Content-Length", "0"),
    ]
    assert ringing.start_line == "SIP/2.0 180 Ringing"
    trying = Response.answer(request, 100, to_tag="a6c85cf")
    assert (trying.to.tag, trying.headers.get("Timestamp")) == (None, "54")
    assert trying.record_routes == ()
    assert Response.answer(request, 486).record_routes == ()
    options = Request("OPTIONS", request.uri, request.headers)
    assert Response.answer(options, 200).record_routes == ()  # no dialog begins


def test_a_to_that_has_a_tag_keeps_it() -> None:
    again = invite(to="<sip:bob@biloxi.example>;tag=old")
    assert Response.answer(again, 200, to_tag="new").to.tag == "old"


@pytest.mark.parametrize("value", ["x\r\nVia: evil", "x\nVia: evil", "x\rVia: evil", "x\r\n\r\nINVITE"])
@pytest.mark.parametrize("where", ["value", "name", "uri", "reason"])
def test_a_line_end_within_a_line_is_never_sent(where: str, value: str) -> None:
    headers = Headers([("X", value)]) if where == "value" else Headers([(value, "x")]) if where == "name" else Headers()
    wrong: Request | Response = Request("INVITE", value if where == "uri" else "sip:a@b", headers)
    if where == "reason":
        wrong = Response(200, value)
    with pytest.raises(EncodeError):
        wrong.encode()


@pytest.mark.parametrize("name", [" X", "\tX", " ", " Via"])
def test_a_field_that_would_continue_the_one_before_is_never_sent(name: str) -> None:
    with pytest.raises(EncodeError):
        Request("A", "sip:b", [("Y", "z"), (name, "evil")]).encode()
    assert b"\r\nX : y\r\n" in Request("A", "sip:b", [("X ", "y")]).encode()


def test_a_message_may_be_wrong_on_purpose() -> None:
    wrong = Request("INVITE", "<sip:not a uri>", [("CSeq", "x BYE"), ("Content-Length", 999)], b"short", "SIP/7.0")
    assert wrong.encode() == b"INVITE <sip:not a uri> SIP/7.0\r\nCSeq: x BYE\r\nContent-Length: 999\r\n\r\nshort"
    with pytest.raises(ParseError, match="promises 999 bytes"):
        parse(wrong.encode())


def test_a_message_does_not_change() -> None:
    request = invite()
    with pytest.raises(AttributeError):
        request.method = "BYE"
    with pytest.raises(AttributeError):
        del request.body
