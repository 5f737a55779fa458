"""The SIP codec beside other Python libraries: parse a 900-byte INVITE, read its core headers typed, serialise it.

A library is admitted when it reads and rewrites every message of `CASES` as RFC 3261 has it; the cases were written
down before anything was measured. Others are timed and shown too, with what they got wrong. A library that is not
installed is shown as missing. One message follows another of 64, so that nothing can be remembered from one to the
next, and no contestant hands the bytes back that it was given: all read the same values and join the text anew.
"""

import statistics
import time
from typing import NamedTuple

from benchmarks.sip_peers import PEERS, Codec, Core, Party, Place, kirikae

MESSAGES = 64
ROUNDS = 9
SIZE = 900

BODY = (
    "v=0\r\no=- {n} 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0 8 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
)


def invite(n: int) -> bytes:
    """Return an INVITE of 900 bytes as an access SBC passes it on; each `n` gives another."""
    body = BODY.format(n=3_900_000_000 + n)
    head = (
        f"INVITE sip:06123{n:05}@osaka-edge.example:5060;user=phone SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK{n * 7919:012x};rport\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK-{n:08x};received=192.0.2.10;rport=5062\r\n"
        "Max-Forwards: 69\r\n"
        "Record-Route: <sip:198.51.100.7;lr>\r\n"
        f'From: "Yamada, Taro" <sip:0312{n:06}@tokyo.example;user=phone>;tag={n:x}f98\r\n'
        f"To: <sip:06123{n:05}@osaka-edge.example;user=phone>\r\n"
        f"Call-ID: {n * 104729:016x}@192.0.2.10\r\n"
        f"CSeq: {n + 1} INVITE\r\n"
        f"Contact: <sip:0312{n:06}@192.0.2.10:5062;transport=udp>\r\n"
        "Supported: timer, 100rel, replaces\r\n"
        "Session-Expires: 1800;refresher=uac\r\n"
        "User-Agent: {}\r\n"
        "Content-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    padding = SIZE - len(head) - len(body) + 2
    return (head.format("x" * padding) + body).encode()


def expected(n: int) -> Core:
    """Return what :func:`invite` says."""
    callee, caller = f"06123{n:05}", f"0312{n:06}"
    return Core(
        "INVITE",
        Place(callee, "osaka-edge.example", 5060),
        "UDP",
        Place(None, "198.51.100.7", 5060),
        f"z9hG4bK{n * 7919:012x}",
        Party("Yamada, Taro", Place(caller, "tokyo.example", None), f"{n:x}f98"),
        Party("", Place(callee, "osaka-edge.example", None), None),
        f"{n * 104729:016x}@192.0.2.10",
        (n + 1, "INVITE"),
        69,
        Party("", Place(caller, "192.0.2.10", 5062), None),
    )


class Case(NamedTuple):
    """A message, what it says, and what must still stand in it when it is written again."""

    title: str
    data: bytes
    core: Core
    kept: tuple[bytes, ...] = ()
    gone: tuple[bytes, ...] = ()


def plain(**changes: str) -> bytes:
    """Return a small INVITE with some lines other than usual; "" leaves a line out."""
    lines = {
        "start": "INVITE sip:hanako@osaka.example SIP/2.0",
        "via": "Via: SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK1",
        "max": "Max-Forwards: 70",
        "from_": "From: Taro <sip:taro@tokyo.example>;tag=f98",
        "to": "To: <sip:hanako@osaka.example>",
        "call": "Call-ID: 1@192.0.2.10",
        "cseq": "CSeq: 1 INVITE",
        "contact": "Contact: <sip:taro@192.0.2.10:5062>",
        "more": "",
        "length": "Content-Length: 0",
    } | changes
    return ("\r\n".join(line for line in lines.values() if line) + "\r\n\r\n").encode()


PLAIN = Core(
    "INVITE",
    Place("hanako", "osaka.example", None),
    "UDP",
    Place(None, "192.0.2.10", 5062),
    "z9hG4bK1",
    Party("Taro", Place("taro", "tokyo.example", None), "f98"),
    Party("", Place("hanako", "osaka.example", None), None),
    "1@192.0.2.10",
    (1, "INVITE"),
    70,
    Party("", Place("taro", "192.0.2.10", 5062), None),
)

CASES = [
    Case(
        "the message that is timed", invite(7), expected(7), (b'"Yamada, Taro"', b"\r\n\r\nv=0\r\no=- 3900000007 1 IN")
    ),
    Case(
        "compact names (§7.3.3)",
        plain(
            via="v: SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK1",
            from_="f: Taro <sip:taro@tokyo.example>;tag=f98",
            to="t: <sip:hanako@osaka.example>",
            call="i: 1@192.0.2.10",
            contact="m: <sip:taro@192.0.2.10:5062>",
            length="l: 0",
        ),
        PLAIN,
    ),
    Case(
        "names in any case, white space before the colon (§7.3.1)",
        plain(call="CALL-id \t: 1@192.0.2.10", cseq="cseq : 1 INVITE", max="MAX-FORWARDS:70"),
        PLAIN,
    ),
    Case(
        "folded header fields (§7.3.1)",
        plain(from_="From: Taro\r\n <sip:taro@tokyo.example>\r\n\t;tag=f98", cseq="CSeq:\r\n 1\r\n  INVITE"),
        PLAIN,
    ),
    Case(
        "a quoted name with comma, semicolon, brackets and quotes (§20.10)",
        plain(from_='From: "Taro, \\"the <sip:x>;tag=0\\"" <sip:taro@tokyo.example>;tag=f98'),
        PLAIN._replace(from_=PLAIN.from_._replace(display='Taro, "the <sip:x>;tag=0"')),
    ),
    Case(
        "an addr-spec without <>: the parameter is the header's (§20)",
        plain(from_="From: sip:taro@tokyo.example;tag=f98"),
        PLAIN._replace(from_=PLAIN.from_._replace(display="")),
    ),
    Case(
        "IPv6 in Via, Contact and Request-URI (§25.1)",
        plain(
            start="INVITE sip:hanako@[2001:db8::9]:5070 SIP/2.0",
            via="Via: SIP/2.0/UDP [2001:db8::10]:5062;branch=z9hG4bK1;received=2001:db8::11",
            contact="Contact: <sip:taro@[2001:db8::10]>",
        ),
        PLAIN._replace(
            target=Place("hanako", "[2001:db8::9]", 5070),
            sent_by=Place(None, "[2001:db8::10]", 5062),
            contact=Party("", Place("taro", "[2001:db8::10]", None), None),
        ),
    ),
    Case(
        "several values in one field, and several fields (§7.3.1)",
        plain(
            via="Via: SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK1, SIP/2.0/TCP a.example;branch=z9hG4bK2\r\n"
            "Via: SIP/2.0/TLS b.example;branch=z9hG4bK3",
            contact='Contact: <sip:taro@192.0.2.10:5062>, "x, y" <sip:z@b.example>',
        ),
        PLAIN,
        (b"a.example", b"b.example;branch=z9hG4bK3", b"sip:z@b.example"),
    ),
    Case(
        "white space around the parts of a Via (§20.42)",
        plain(via="Via: SIP / 2.0 / UDP 192.0.2.10:5062 ; branch = z9hG4bK1"),
        PLAIN,
    ),
    Case(
        "semicolon, question mark and escapes in a user part (§19.1.1)",
        plain(start="INVITE sip:hana;ko?x=%2C1@osaka.example SIP/2.0"),
        PLAIN._replace(target=Place("hana;ko?x=%2C1", "osaka.example", None)),
    ),
    Case(
        "unknown header fields kept, their values untouched (§7.3.2, §16.3)",
        plain(more='X-Unknown: a  b;;,"c\r\nP-Charging-Vector: icid-value=1;orig-ioi=x\r\nX-Unknown: second'),
        PLAIN,
        (b'a  b;;,"c\r\n', b"icid-value=1;orig-ioi=x\r\n", b"second\r\n"),
    ),
    Case(
        "bytes beyond Content-Length dropped, the body kept byte for byte (§18.3)",
        plain(more="Content-Type: application/octet-stream", length="Content-Length: 6") + b"\x00\xff\r\n\x80!beyond",
        PLAIN,
        (b"\r\n\r\n\x00\xff\r\n\x80!",),
        (b"beyond",),
    ),
]


def bare(place: Place) -> Place:
    """Return a place without the brackets of an IPv6 address, and its user unescaped: both are matters of taste."""
    user = None if place.user is None else place.user.replace("%2C", ",")
    return Place(user, place.host.strip("[]"), place.port)


def alike(core: Core) -> Core:
    """Return core values so that two libraries' can be compared."""
    return core._replace(
        target=bare(core.target),
        sent_by=bare(core.sent_by),
        from_=core.from_._replace(place=bare(core.from_.place)),
        to=core.to._replace(place=bare(core.to.place)),
        contact=core.contact._replace(place=bare(core.contact.place)),
        cseq=(core.cseq[0], core.cseq[1]),
    )


def failure(codec: Codec, case: Case) -> str | None:
    """Return what a library gets wrong about a case, or None."""
    try:
        message = codec.parse(case.data)
        core = codec.core(message)
        written = codec.encode(message)
    except Exception as error:  # noqa: BLE001 whatever a library raises is its result
        return f"{type(error).__name__}: {error}"[:90]
    if alike(core) != alike(case.core):
        wrong = [name for name, a, b in zip(Core._fields, alike(core), alike(case.core), strict=True) if a != b]
        return f"read wrong: {', '.join(wrong)}"
    lost = [part for part in case.kept if part not in written] + [part for part in case.gone if part in written]
    return f"written wrong: {lost[0]!r}" if lost else None


def seconds(codec: Codec, messages: list[bytes]) -> float:
    """Return the processor time that a library takes for a message."""
    began = time.process_time()
    for data in messages:
        message = codec.parse(data)
        codec.core(message)
        codec.encode(message)
    return (time.process_time() - began) / len(messages)


def main() -> None:
    """Print which libraries are admitted, and what each takes."""
    messages = [invite(n) for n in range(MESSAGES)]
    if {len(data) for data in messages} != {SIZE}:
        raise ArithmeticError(f"a message does not have {SIZE} bytes")
    codecs = [kirikae()]
    print(
        f"sip codec: parse, read the core headers typed, serialise; INVITEs of {SIZE} bytes, median of {ROUNDS} rounds"
    )
    for name, make in PEERS.items():
        try:
            codecs.append(make())
        except ImportError as error:
            print(f"  {name:<11} missing ({error})")
    failures = {codec.name: [(case, failure(codec, case)) for case in CASES] for codec in codecs}
    wrong = {name: [(case.title, text) for case, text in found if text] for name, found in failures.items()}
    timed = [codec for codec in codecs if failure(codec, CASES[0]) is None]
    rounds = [[seconds(codec, messages * 8) for codec in timed] for _ in range(ROUNDS)]
    for place, codec in enumerate(timed):
        taken = statistics.median(row[place] for row in rounds)
        ratio = statistics.median(row[place] / row[0] for row in rounds)
        admitted = (
            "admitted" if not wrong[codec.name] else f"not admitted: {len(wrong[codec.name])} of {len(CASES)} wrong"
        )
        print(f"  {codec.name:<11} {taken * 1e6:>7.1f} µs a message, {ratio:>5.2f} of kirikae's time, {admitted}")
    for codec in codecs:
        for title, text in wrong[codec.name]:
            print(f"    {codec.name}: {title}: {text}")
        if codec not in timed:
            print(f"  {codec.name:<11} not timed: cannot take the message that is timed")
