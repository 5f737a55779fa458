"""SIP messages made by Hypothesis: what may be built, what may come, and what attacks."""

import string

from hypothesis import strategies as st

from sbc.sip.fields import Address, CSeq, Reason, Via
from sbc.sip.grammar import NO_PARAMS, Params, quote
from sbc.sip.headers import KEYS, Headers
from sbc.sip.message import Request, Response
from sbc.sip.uri import OtherUri, SipUri, TelUri, Uri, escape

TOKEN = string.ascii_letters + string.digits + "-.!%*_+`'~"

tokens = st.text(TOKEN, min_size=1, max_size=12)
words = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
# Anything but what ends a line; lone surrogates are no text.
texts = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
hosts = words | st.sampled_from(["sbc-1.tokyo.example", "192.0.2.7", "[2001:db8::7]", "[::ffff:192.0.2.7]"])
ports = st.none() | st.integers(0, 65_535)


def params(names: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[Params]:
    """Parameters without a name that comes twice, whatever its case."""
    pairs = st.lists(st.tuples(names, st.none() | values), max_size=3, unique_by=lambda pair: pair[0].lower())
    return pairs.map(Params)


header_params = params(tokens, tokens | texts.map(quote) | st.just("2001:db8::7"))
uri_params = params(words | st.sampled_from(["lr", "transport", "Method", "x%61"]), words | st.just("a%2Cb"))
sip_uris = st.builds(
    SipUri,
    host=hosts,
    user=st.none() | texts.filter(bool).map(escape),
    port=ports,
    params=uri_params,
    scheme=st.sampled_from(["sip", "sips"]),
    password=st.none(),
    headers=st.none() | st.just("Subject=a%20b&x=y"),
)
tel_uris = st.builds(TelUri, st.sampled_from(["+81-3-1234-5678", "110", "06.(1234)", "*#9A"]), uri_params)
uris: st.SearchStrategy[Uri] = st.one_of(sip_uris, tel_uris, st.builds(OtherUri, st.just("urn"), words))
vias = st.builds(Via, tokens, hosts, ports, header_params, st.just("SIP/2.0"))
addresses = st.builds(Address, uris, header_params, texts)
cseqs = st.builds(CSeq, st.integers(0, 2**32 - 1), tokens)
reasons = st.builds(Reason, tokens, st.none() | st.integers(0, 699), texts, st.just(NO_PARAMS))

names = st.sampled_from(sorted(KEYS)) | tokens
fields = st.lists(st.tuples(names.filter(lambda name: name.lower() not in ("content-length", "l")), texts), max_size=8)
bodies = st.binary(max_size=30)
messages: st.SearchStrategy[Request | Response] = st.one_of(
    st.builds(Request, tokens, uris | tokens, fields.map(Headers), bodies),
    st.builds(Response, st.integers(100, 699), texts, fields.map(Headers), bodies),
).map(lambda message: message.framed())


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Requests that nothing is wrong with, typed values throughout."""
    method = draw(tokens)
    return Request.build(
        method,
        draw(sip_uris)._replace(headers=None),
        via=draw(vias),
        from_=draw(addresses),
        to=draw(addresses),
        call_id=draw(words),
        cseq=draw(st.integers(0, 2**31 - 1)),
        max_forwards=draw(st.integers(0, 255)),
        headers=[
            ("Via", draw(vias)),
            ("Contact", ", ".join(map(str, draw(st.lists(addresses, min_size=1, max_size=3))))),
            ("Record-Route", draw(addresses)),
            ("Reason", draw(reasons)),
        ],
        body=draw(bodies),
    )


SPICE = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b'"',
    b"\\",
    b"<",
    b">",
    b"=",
    b"%",
    b"@",
    b"/",
    b"[",
    b"]",
]
SPICE += [
    b"\x00",
    b"\xff",
    b"0",
    b"-",
    b"l: 5\r\n",
    b"Content-Length: 1\r\n",
    b"SIP/2.0",
    b"Via",
    b"(",
    b"?",
    b"*",
    b"\r\n ",
]


_INVITE = r"""INVITE sip:06-1234;x=%2C@[2001:db8::9]:5060;user=phone SIP/2.0
Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1;rport, SIP / 2.0 / TCP b.example ; received=2001:db8::1
From: "a, \"b\" <c>" <sip:taro:pw@tokyo.example>;tag=1;x="y;z"
To: <tel:+81-6-1234-5678;phone-context=+81>
Call-ID: 1@x
CSeq: 1 INVITE
Max-Forwards: 70
Contact: sip:a@b;q=0.5;expires=60, <sips:c?d=e>
Session-Expires: 1800;refresher=uac
Require: timer, 100rel
Reason: Q.850;cause=16;text="x"
Content-Type: application/sdp
Content-Length: 64

v=0
o=- 1 1 IN IP4 192.0.2.7
s=-
m=audio 4000 RTP/AVP 0
"""
_BUSY = r"""SIP/2.0 503 Busy
v:SIP/2.0/UDP a
f:a <sip:a@b>
 ;tag=1
t: sip:b@c;tag=2
i:1
cseq:
 1
	BYE
Retry-After: 5 (a; b) ;duration=9
WWW-Authenticate: Digest realm="a, \"b", nonce=c,qop="auth"
l: 0

"""
BASES = [text.replace("\n", "\r\n").encode() for text in (_INVITE, _BUSY)]


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """Messages that were right until somebody put his fingers in."""
    data = bytearray(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 4))
        data[at : at + cut] = draw(st.sampled_from(SPICE) | st.binary(max_size=3))
    return bytes(data)
