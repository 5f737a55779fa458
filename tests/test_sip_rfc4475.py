"""RFC 4475's torture tests, every section by number.

The messages are our own and have the trait of their section, not its words. Each case asserts what is read, or the
exact refusal: its status, and that the request can be answered with it.
"""

from collections.abc import Callable

import pytest

from sbc.sip.errors import ParseError
from sbc.sip.fields import CSeq, RetryAfter
from sbc.sip.grammar import Params
from sbc.sip.message import Request, Response, parse
from sbc.sip.uri import OtherUri, SipUri, unescape
from sbc.sip.validate import validate

CASES: dict[str, Callable[[], None]] = {}

SECTIONS = (
    [f"3.1.1.{n}" for n in range(1, 14)]
    + [f"3.1.2.{n}" for n in range(1, 20)]
    + ["3.2.1"]
    + [f"3.3.{n}" for n in range(1, 16)]
    + ["3.4.1"]
)


def section(number: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def put(case: Callable[[], None]) -> Callable[[], None]:
        assert number not in CASES
        CASES[number] = case
        return case

    return put


def test_every_section_has_its_case() -> None:
    assert sorted(CASES) == sorted(SECTIONS)


@pytest.mark.parametrize("number", SECTIONS, ids=lambda number: f"{number} {CASES[number].__name__}")
def test_section(number: str) -> None:
    CASES[number]()


def wire(text: str, body: bytes = b"") -> bytes:
    """Lines as people write them, as the wire has them: line ends, and an empty line before the body."""
    return text.strip("\n").replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


CORE = """
Via: SIP/2.0/UDP pbx.tokyo.example;branch=z9hG4bK7a1
Max-Forwards: 70
From: <sip:taro@tokyo.example>;tag=f1
To: <sip:hanako@osaka.example>
Call-ID: 42@pbx.tokyo.example
CSeq: 7 {method}
"""


def request(start: str, *, method: str = "", without: tuple[str, ...] = (), more: str = "", body: bytes = b"") -> bytes:
    """A request that is right but for what is said."""
    lines = CORE.strip().format(method=method or start.split()[0]).split("\n")
    kept = [line for line in lines if line.split(":")[0] not in without]
    return wire("\n".join([start, *kept, *more.strip("\n").split("\n")]).strip("\n"), body)


def accepted(data: bytes) -> Request:
    message = parse(data)
    validate(message)
    assert isinstance(message, Request)
    return message


def refused(data: bytes, status: int, header: str | None, says: str) -> Request:
    """Check the refusal, and that it can be sent back; return the request as far as it was read."""
    with pytest.raises(ParseError, match=says) as caught:
        validate(parse(data))
    return answered(caught.value, status, header)


def answered(error: ParseError, status: int, header: str | None) -> Request:
    assert (error.status, error.header) == (status, header)
    assert isinstance(error.message, Request)
    reply = parse(Response.answer(error.message, status, to_tag="x").encode())
    assert isinstance(reply, Response)
    assert reply.status == status
    assert reply.headers.values("Via") == error.message.headers.values("Via")
    return error.message


def dropped(data: bytes, says: str) -> None:
    """Check that a response is refused, and that nothing goes back."""
    with pytest.raises(ParseError, match=says) as caught:
        validate(parse(data))
    assert caught.value.status is None


# 3.1.1 valid messages


@section("3.1.1.1")
def a_short_tortuous_invite() -> None:
    message = accepted(
        wire(
            r"""
INVITE sip:hanako@osaka.example;unknown=none SIP/2.0
TO :
 sip:hanako@osaka.example ;   tag    = 88a7s
from   : "T. \"Taro\" O\\Sato"       <sip:taro@tokyo.example>
  ;
  tag = f98
MaX-fOrWaRdS: 0068
Call-ID: twist.1@192.0.2.10
Content-Length   : 3
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   new fangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:edge.tokyo.example;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     relay.example   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \"\"" <sip:taro@phone.example> ; newparam =
      newvalue ;
  secondparam ; q = 0.33
""",
            b"v=0",
        )
    )
    assert message.uri == SipUri("osaka.example", "hanako", params=Params([("unknown", "none")]))
    assert message.to.tag == "88a7s"
    assert (message.from_.display, message.from_.tag) == ('T. "Taro" O\\Sato', "f98")
    assert message.max_forwards == 68
    assert message.cseq == CSeq(9, "INVITE")
    assert [(via.transport, via.host, via.branch) for via in message.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "relay.example", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert message.headers.get("Subject") == ""
    assert message.headers.get("newfangledheader") == "new fangled value continued newfangled value"
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    (route,) = message.routes
    assert isinstance(route.uri, SipUri)
    assert route.uri.lr
    assert route.uri.params.get("unknown-no-value") == ""
    (contact,) = message.contacts
    assert (contact.display, contact.q, contact.params.get("newparam")) == ('Quoted string ""', 0.33, "newvalue")
    assert contact.params.has("secondparam")
    assert message.body == b"v=0"


@section("3.1.1.2")
def a_wide_range_of_valid_characters() -> None:
    method = "!nterestinG-Me~hod.0%_*+'`1"
    user, secret = "1_u~ser!$&'()*+,;=/?-._", "&it+has=1,weird!*pas$wo~d_too.(that's-ok)"
    data = (
        f"{method} sip:{user}:{secret}@osaka.example SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP pbx.tokyo.example;branch=z9hG4bK-.!%66*_+`'~\r\n"
        f'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_u~s@osaka.example>\r\n'
        f"From: token1~` token2'+_ token3*%!.- <sip:m@tokyo.example>"
        f";fromParam''~+*_!.-%=\"\u4e00\u53f7\";tag=_t'~.!%*+-`\r\n"
        f"Call-ID: word%ZK-!.*_+'@word`~)(><:\\/\"][?}}{{\r\n"
        f"CSeq: 139122385 {method}\r\nMax-Forwards: 255\r\n"
        f"extensionHeader-!.%*+_`'~:\uff26\uff27\u2620\r\n\r\n"
    ).encode()
    message = accepted(data)
    assert message.method == method
    assert message.cseq == CSeq(139122385, method)
    assert isinstance(message.uri, SipUri)
    assert (message.uri.user, message.uri.password) == (user, secret)
    assert message.to.display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert message.from_.display == "token1~` token2'+_ token3*%!.-"
    assert message.from_.params.get("fromparam''~+*_!.-%") == "\u4e00\u53f7"
    assert message.from_.tag == "_t'~.!%*+-`"
    assert message.call_id == "word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.headers.get("extensionheader-!.%*+_`'~") == "\uff26\uff27\u2620"
    assert message.encode() == data.replace(b"'~:\xef", b"'~: \xef")


@section("3.1.1.3")
def percent_as_an_escape() -> None:
    message = accepted(
        request(
            "INVITE sip:sips%3Ahanako%40osaka.example@gate.example SIP/2.0",
            more="Contact: <sip:cal%6Cer@192.0.2.5;%6C%72;n%61me=v%61lue%25%34%31>",
        )
    )
    assert isinstance(message.uri, SipUri)
    assert message.uri.user_text == "sips:hanako@osaka.example"
    assert message.uri.host == "gate.example"
    contact = message.contacts[0].uri
    assert isinstance(contact, SipUri)
    assert contact.user_text == "caller"
    # %6C%72 is lr, and %25%34%31 is one level of escaping of %41: it must not be taken for "A".
    assert unescape(contact.params.get("n%61me") or "") == "value%41"
    assert contact.equivalent(SipUri("192.0.2.5", "caller", params=Params([("lr", None)])))
    assert str(contact) == "sip:cal%6Cer@192.0.2.5;%6C%72;n%61me=v%61lue%25%34%31"


@section("3.1.1.4")
def escaped_nulls() -> None:
    message = accepted(
        request(
            "REGISTER sip:osaka.example SIP/2.0", more="Contact: <sip:%00@h.example>\nContact: <sip:%00%00@h.example>"
        )
    )
    one, two = (contact.uri for contact in message.contacts)
    assert isinstance(one, SipUri)
    assert isinstance(two, SipUri)
    assert (one.user_text, two.user_text) == ("\0", "\0\0")
    assert not one.equivalent(two)


@section("3.1.1.5")
def percent_that_is_no_escape() -> None:
    message = accepted(
        request(
            "RE%47IST%45R sip:osaka.example SIP/2.0",
            without=("To",),
            more='To: "%Z%45" <sip:hanako@osaka.example>\nContact: <sip:a@1.example>\nContact: <sip:b@2.example>',
        )
    )
    assert message.method == "RE%47IST%45R"  # unknown, and not REGISTER
    assert message.to.display == "%Z%45"
    assert len(message.contacts) == 2


@section("3.1.1.6")
def no_space_before_the_bracket() -> None:
    message = accepted(
        request(
            "OPTIONS sip:hanako@osaka.example SIP/2.0", without=("From",), more="From: taro<sip:t@tokyo.example>;tag=3"
        )
    )
    assert (message.from_.display, str(message.from_.uri), message.from_.tag) == ("taro", "sip:t@tokyo.example", "3")


@section("3.1.1.7")
def long_values() -> None:
    user, value, tag = "u" * 500, "v" * 1000, "t" * 700
    vias = "\n".join(f"v: SIP/2.0/TCP sip{n}.example" for n in range(33, 0, -1))
    message = accepted(
        request(
            f"INVITE sip:{user}@osaka.example SIP/2.0",
            without=("From", "Call-ID", "Via"),
            more=f'From: "{value}" <sip:{user}@tokyo.example>;{value}={value};tag={tag}\nCall-ID: {value}\n'
            f"Via: SIP/2.0/UDP p.example;branch={value}\n{vias}\nLong{value}: {value}",
        )
    )
    assert isinstance(message.uri, SipUri)
    assert message.uri.user == user
    assert (message.from_.display, message.from_.tag, message.call_id) == (value, tag, value)
    assert message.from_.params.get(value) == value
    assert [via.host for via in message.vias[1:]] == [f"sip{n}.example" for n in range(33, 0, -1)]
    assert message.headers.get(f"LONG{value}") == value


@section("3.1.1.8")
def extra_octets_behind_a_datagram() -> None:
    first = request("REGISTER sip:osaka.example SIP/2.0", more="Content-Length: 0")
    second = request("INVITE sip:hanako@osaka.example SIP/2.0", more="Content-Length: 0")
    message = accepted(first + second)
    assert (message.method, message.body) == ("REGISTER", b"")
    assert message.encode() == first


@section("3.1.1.9")
def semicolons_in_the_user_part() -> None:
    message = accepted(request("OPTIONS sip:user;par=u%40x.example@osaka.example SIP/2.0"))
    assert isinstance(message.uri, SipUri)
    assert message.uri.user_text == "user;par=u@x.example"
    assert message.uri.host == "osaka.example"
    assert message.uri.params == ()


@section("3.1.1.10")
def varied_and_unknown_transports() -> None:
    names = ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]
    more = "\n".join(f"Via: SIP/2.0/{name} t{n}.example;branch=z9hG4bK{n}" for n, name in enumerate(names))
    message = accepted(request("OPTIONS sip:hanako@osaka.example SIP/2.0", without=("Via",), more=more))
    assert [via.transport for via in message.vias] == names
    assert message.via.branch == "z9hG4bK0"


@section("3.1.1.11")
def a_multipart_body() -> None:
    parts = [b"Content-Type: text/plain\r\n\r\nHello", b"Content-Type: x/y\r\n\r\n\x00\xff0\x82\r\n\r\n"]
    body = b"".join(b"--7a9\r\n" + part + b"\r\n" for part in parts) + b"--7a9--\r\n"
    message = accepted(
        request(
            "MESSAGE sip:hanako@osaka.example SIP/2.0",
            more=f'Content-Type: Multipart/Mixed; boundary="7a9"\nContent-Length: {len(body)}',
            body=body,
        )
    )
    assert message.content_type == "multipart/mixed"
    assert message.body == body
    assert message.encode().endswith(b"\r\n\r\n" + body)


@section("3.1.1.12")
def an_unusual_reason_phrase() -> None:
    phrase = "= 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e - \u043f\u0440\u043e\u0441\u0442\u043e\u0435"
    data = request("INVITE x SIP/2.0").replace(b"INVITE x SIP/2.0", f"SIP/2.0 200 {phrase}".encode())
    message = parse(data)
    validate(message)
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (200, phrase)
    assert message.encode() == data


@section("3.1.1.13")
def an_empty_reason_phrase() -> None:
    message = parse(request("INVITE x SIP/2.0").replace(b"INVITE x SIP/2.0", b"SIP/2.0 100 "))
    validate(message)
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (100, "")


# 3.1.2 invalid messages


@section("3.1.2.1")
def extraneous_separators() -> None:
    data = request(
        "INVITE sip:hanako@osaka.example SIP/2.0",
        without=("Via",),
        more='Via: SIP/2.0/UDP 192.0.2.15;;,;,,\nContact: "Taro" <sip:taro@tokyo.example>;;;;',
    )
    refused(data, 400, "Via", "'' is not a parameter")
    # Who does not need the Contact does not look at it; who does finds it as bad.
    message = accepted(data.replace(b"192.0.2.15;;,;,,", b"192.0.2.15"))
    with pytest.raises(ParseError, match="is not a parameter") as caught:
        _ = message.contacts
    answered(caught.value, 400, "Contact")


@section("3.1.2.2")
def a_content_length_larger_than_the_message() -> None:
    refused(
        request("INVITE sip:hanako@osaka.example SIP/2.0", more="Content-Length: 9999", body=b"v=0\r\n"),
        400,
        "Content-Length",
        "promises 9999 bytes of body, but 5 came",
    )


@section("3.1.2.3")
def a_negative_content_length() -> None:
    refused(
        request("INVITE sip:hanako@osaka.example SIP/2.0", more="Content-Length: -999"), 400, "Content-Length", "'-999'"
    )


@section("3.1.2.4")
def request_scalars_too_large() -> None:
    register = "REGISTER sip:osaka.example SIP/2.0"
    big = "36893488147419103232"
    data = request(register, without=("CSeq",), more=f"CSeq: {big} REGISTER\nExpires: 1{'0' * 300}")
    refused(data, 400, "CSeq", "more than 4294967295")
    refused(
        request(register, without=("Max-Forwards",), more="Max-Forwards: 300"), 400, "Max-Forwards", "more than 255"
    )
    # Where only the expiry is wrong, it counts as the default.
    message = accepted(
        request(register, more=f"Expires: 1{'0' * 300}\nContact: <sip:t@h.example>;expires=280297596632815")
    )
    assert (message.expires, message.contacts[0].expires) == (3600, 3600)


@section("3.1.2.5")
def response_scalars_too_large() -> None:
    def response(cseq: int, more: str = "") -> bytes:
        data = request("INVITE x SIP/2.0", without=("CSeq",), more=f"CSeq: {cseq} INVITE\n{more}")
        return data.replace(b"INVITE x SIP/2.0", b"SIP/2.0 503 Service Unavailable")

    dropped(response(9292394834772304023312), "more than 4294967295")
    message = parse(response(1, "Retry-After: 949302838503028349304023988"))
    validate(message)
    with pytest.raises(ParseError, match="more than 4294967295") as caught:
        _ = message.retry_after
    assert caught.value.status is None
    message = parse(response(1, "Retry-After: 120 (I'm; in a meeting) ;duration=3600"))
    assert message.retry_after == RetryAfter(120, 3600)


@section("3.1.2.6")
def a_quoted_string_that_is_not_closed() -> None:
    refused(
        request("INVITE sip:h@osaka.example SIP/2.0", without=("To",), more='To: "Ms H. <sip:h@osaka.example>'),
        400,
        "To",
        "is not closed",
    )


@section("3.1.2.7")
def brackets_around_the_request_uri() -> None:
    refused(request("INVITE <sip:hanako@osaka.example> SIP/2.0"), 400, "Request-URI", "no scheme")


@section("3.1.2.8")
def white_space_within_the_request_uri() -> None:
    refused(request("INVITE sip:hanako@osaka.example; lr SIP/2.0"), 400, "Request-URI", "white space")


@section("3.1.2.9")
def several_spaces_in_the_request_line() -> None:
    refused(request("INVITE  sip:hanako@osaka.example  SIP/2.0"), 400, "Request-URI", "' sip:hanako@osaka.example '")


@section("3.1.2.10")
def spaces_behind_the_request_line() -> None:
    refused(request("OPTIONS sip:hanako@osaka.example SIP/2.0  "), 400, None, "does not end in its version")


@section("3.1.2.11")
def header_fields_in_the_request_uri() -> None:
    refused(
        request("INVITE sip:h@osaka.example?Route=%3Csip:x.example%3E SIP/2.0"),
        400,
        "Request-URI",
        "carry header fields",
    )


@section("3.1.2.12")
def a_date_in_another_time_zone() -> None:
    """It may be refused or ignored; nothing here needs a Date, so it is carried."""
    message = accepted(request("INVITE sip:h@osaka.example SIP/2.0", more="Date: Fri, 01 Jan 2010 16:00:00 EST"))
    assert message.headers.get("Date") == "Fri, 01 Jan 2010 16:00:00 EST"


@section("3.1.2.13")
def a_contact_that_lacks_its_brackets() -> None:
    message = accepted(
        request("REGISTER sip:osaka.example SIP/2.0", more="Contact: sip:h@osaka.example?Route=%3Csip:x.example%3E")
    )
    with pytest.raises(ParseError, match="must stand in <>") as caught:
        _ = message.contacts
    answered(caught.value, 400, "Contact")


@section("3.1.2.14")
def spaces_within_the_brackets() -> None:
    """There is one way to read it, so it is read; a space inside the URI itself is not guessed at."""
    start = "OPTIONS sip:hanako@osaka.example SIP/2.0"
    message = accepted(request(start, without=("To",), more='To: "Sato, H." < sip:h.sato@osaka.example >'))
    assert (message.to.display, message.to.uri) == ("Sato, H.", SipUri("osaka.example", "h.sato"))
    refused(request(start, without=("To",), more="To: <sip:h. sato@osaka.example>"), 400, "To", "white space")


@section("3.1.2.15")
def a_display_name_of_more_than_tokens() -> None:
    refused(
        request(
            "OPTIONS sip:h@osaka.example SIP/2.0", without=("From",), more="From: Sato, H. <sip:h@o.example>;tag=4"
        ),
        400,
        "From",
        "must be quoted",
    )


@section("3.1.2.16")
def an_unknown_version() -> None:
    data = request("OPTIONS sip:h@osaka.example SIP/7.0").replace(b"SIP/2.0/UDP", b"SIP/7.0/UDP")
    message = refused(data, 505, None, "the version is SIP/7.0")
    assert (message.via.protocol, message.via.transport) == ("SIP/7.0", "UDP")


@section("3.1.2.17")
def a_cseq_of_another_method() -> None:
    refused(
        request("OPTIONS sip:h@osaka.example SIP/2.0", method="INVITE"), 400, "CSeq", "OPTIONS, but CSeq says INVITE"
    )


@section("3.1.2.18")
def an_unknown_method_with_a_cseq_of_another() -> None:
    refused(request("NEWMETHOD sip:h@osaka.example SIP/2.0", method="INVITE"), 400, "CSeq", "CSeq says INVITE")


@section("3.1.2.19")
def an_overlarge_status() -> None:
    data = request("INVITE x SIP/2.0").replace(b"INVITE x SIP/2.0", b"SIP/2.0 4294967301 better not break")
    dropped(data, "not a number from 100 to 699")


# 3.2 transaction layer


@section("3.2.1")
def no_transaction_identifier() -> None:
    data = request("OPTIONS sip:h@osaka.example SIP/2.0").replace(b"branch=z9hG4bK7a1", b"branch=z9hG4bK")
    message = accepted(data)
    assert message.via.branch == "z9hG4bK"
    assert not message.via.names_transaction  # matched as in RFC 2543
    assert accepted(data.replace(b"=z9hG4bK", b"=z9hG4bKa")).via.names_transaction


# 3.3 application layer


@section("3.3.1")
def missing_header_fields() -> None:
    start = "INVITE sip:h@osaka.example SIP/2.0"
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        refused(request(start, without=(name,)), 400, name, "must have one")
    # RFC 2543 had no Max-Forwards.
    assert accepted(request(start, without=("Max-Forwards",))).max_forwards is None


@section("3.3.2")
def a_request_uri_of_an_unknown_scheme() -> None:
    refused(request("OPTIONS nobodyKnowsThisScheme:totallyopaque SIP/2.0"), 416, "Request-URI", "nobodyknowsthisscheme")


@section("3.3.3")
def a_request_uri_of_an_unusual_scheme() -> None:
    refused(request("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"), 416, "Request-URI", "soap.beep")


@section("3.3.4")
def unknown_schemes_in_header_fields() -> None:
    message = accepted(
        request(
            "REGISTER sip:osaka.example SIP/2.0",
            without=("To", "From"),
            more="To: isbn:2983792873\nFrom: <http://www.tokyo.example>;tag=3\nContact: <name:John_Smith>",
        )
    )
    assert message.to.uri == OtherUri("isbn", "2983792873")
    assert message.from_.uri == OtherUri("http", "//www.tokyo.example")
    assert message.from_.tag == "3"
    assert message.contacts[0].uri == OtherUri("name", "John_Smith")


@section("3.3.5")
def extensions_required() -> None:
    """Judging them is the UAS's or the proxy's, with 420; reading them is the codec's."""
    message = accepted(
        request(
            "OPTIONS sip:h@osaka.example SIP/2.0",
            more="Require: nothingSupportsThis, nothingSupportsThisEither\nProxy-Require: noProxiesSupportThis",
        )
    )
    assert message.require == {"nothingsupportsthis", "nothingsupportsthiseither"}
    assert message.proxy_require == {"noproxiessupportthis"}


@section("3.3.6")
def an_unknown_content_type() -> None:
    message = accepted(
        request(
            "INVITE sip:h@osaka.example SIP/2.0",
            more="Content-Type: application/unknownformat\nContent-Length: 9",
            body=b"<audio />",
        )
    )
    assert (message.content_type, message.body) == ("application/unknownformat", b"<audio />")


@section("3.3.7")
def an_unknown_authorization_scheme() -> None:
    message = accepted(
        request(
            "REGISTER sip:osaka.example SIP/2.0", more='Authorization: NoOneKnowsThisScheme opaque-data="he\\"re",x=1'
        )
    )
    (credentials,) = message.auth("Authorization")
    assert credentials.scheme == "NoOneKnowsThisScheme"
    assert credentials.params == {"opaque-data": 'he"re', "x": "1"}


@section("3.3.8")
def several_values_where_one_may_be() -> None:
    start = "INVITE sip:h@osaka.example SIP/2.0"
    for line in (
        "CSeq: 8 INVITE",
        "Call-ID: 43@x",
        "To: <sip:x@y.example>",
        "From: <sip:x@y.example>",
        "Max-Forwards: 5",
    ):
        name = line.split(":")[0]
        refused(request(start, more=line), 400, name, "more than once")


@section("3.3.9")
def several_content_lengths() -> None:
    start = "OPTIONS sip:h@osaka.example SIP/2.0"
    for more in ("Content-Length: 13\nContent-Length: 5", "Content-Length: 13\nl: 13"):
        refused(request(start, more=more, body=b"There's no way"), 400, "Content-Length", "more than once")
    for value in ("13, 5", "+5", "5 5", "0x5", "5_0", "\u0665", ""):
        refused(
            request(start, more=f"Content-Length: {value}", body=b"There's no way"), 400, "Content-Length", "number"
        )


@section("3.3.10")
def a_response_that_came_by_a_broadcast_address() -> None:
    """Whether the address is one's own is for the transport, which needs it read right."""
    data = request("INVITE x SIP/2.0").replace(b"INVITE x SIP/2.0", b"SIP/2.0 200 OK")
    message = parse(
        data.replace(b"Via: ", b"Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1,SIP/2.0/UDP 255.255.255.255,")
    )
    validate(message)
    assert [via.host for via in message.vias] == ["192.0.2.198", "255.255.255.255", "pbx.tokyo.example"]


@section("3.3.11")
def max_forwards_of_zero() -> None:
    """A proxy answers 483, a user agent its own answer: both read a 0, and not that there is none."""
    message = accepted(
        request("OPTIONS sip:h@osaka.example SIP/2.0", without=("Max-Forwards",), more="Max-Forwards: 0")
    )
    assert message.max_forwards == 0


@section("3.3.12")
def a_contact_with_a_header_parameter() -> None:
    message = accepted(
        request("REGISTER sip:osaka.example SIP/2.0", more="Contact: sip:+19725552222@gw1.example;unknownparam")
    )
    (contact,) = message.contacts
    assert contact.uri == SipUri("gw1.example", "+19725552222")
    assert list(contact.params) == [("unknownparam", None)]


@section("3.3.13")
def a_contact_with_a_uri_parameter() -> None:
    message = accepted(
        request("REGISTER sip:osaka.example SIP/2.0", more="Contact: <sip:+19725552222@gw1.example;unknownparam>")
    )
    (contact,) = message.contacts
    assert isinstance(contact.uri, SipUri)
    assert list(contact.uri.params) == [("unknownparam", None)]
    assert contact.params == ()


@section("3.3.14")
def a_contact_with_escaped_header_fields() -> None:
    message = accepted(
        request("REGISTER sip:osaka.example SIP/2.0", more="Contact: <sip:h@osaka.example?Route=%3Csip:x.example%3E>")
    )
    (contact,) = message.contacts
    assert isinstance(contact.uri, SipUri)
    assert contact.uri.headers == "Route=%3Csip:x.example%3E"
    assert message.routes == ()


@section("3.3.15")
def an_accept_that_cannot_be_met() -> None:
    """A UAS whose sessions are SDP answers 406; what it judges is read."""
    message = accepted(
        request("INVITE sip:h@osaka.example SIP/2.0", more="Accept: text/nobodyKnowsThis\nAccept: a/b, c/d")
    )
    assert message.headers.all("Accept") == ("text/nobodyKnowsThis", "a/b", "c/d")


# 3.4 backward compatibility


@section("3.4.1")
def an_invite_as_rfc_2543_has_it() -> None:
    body = b"v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.5\r\ns=-\r\n"
    message = accepted(
        wire(
            """
INVITE sip:UserB@osaka.example SIP/2.0
Via: SIP/2.0/UDP iftgw.example
From: <sip:+13035551111@ift.client.example;user=phone>
Record-Route: <sip:UserB@osaka.example;maddr=ss1.osaka.example>
To: sip:+16505552222@ss1.osaka.example;user=phone
Call-ID: inv2543.1717@ift.client.example
CSeq: 56 INVITE
Content-Type: application/sdp
""",
            body,
        )
    )
    assert message.via.branch is None
    assert not message.via.names_transaction
    assert (message.from_.tag, message.max_forwards, message.content_length) == (None, None, None)
    assert isinstance(message.from_.uri, SipUri)
    assert message.from_.uri.phone == "+13035551111"
    assert message.to.params.get("user") == "phone"  # without <>, it is the header's
    assert isinstance(message.record_routes[0].uri, SipUri)
    assert message.record_routes[0].uri.params.get("maddr") == "ss1.osaka.example"
    assert message.body == body
