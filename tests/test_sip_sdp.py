"""Session descriptions: read, written, offered, answered, held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.sip.errors import EncodeError, ParseError
from sbc.sip.sdp import PCMA, PCMU, TELEPHONE_EVENT, Codec, Direction, Line, Origin, answer, offer, parse_sdp

SENDRECV, SENDONLY, RECVONLY, INACTIVE = Direction
HERE, THERE = Origin("192.0.2.1", 1), Origin("192.0.2.2", 2)

PHONE = """v=0
o=taro 2890844526 2890842807 IN IP4 192.0.2.10
s=Call
i=of no interest
c=IN IP4 192.0.2.11
b=AS:64
t=2873397496 2873404696
a=recvonly
m=audio 49170 RTP/AVP 0 9 96 101 77
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=rtpmap:101 telephone-event/8000
a=ptime:20
a=sendonly
m=video 51372/2 RTP/AVP 31
c=IN IP6 2001:db8::1
"""


def test_a_description_says_what_stands_in_it() -> None:
    session = parse_sdp(PHONE.encode())
    assert session.origin == Origin("192.0.2.10", 2890844526, 2890842807, "taro")
    audio, video = session.media
    assert session.audio is audio
    assert audio.codecs == (
        PCMU,
        Codec(9, "G722"),
        Codec(96, "opus", 48000, 2, "useinbandfec=1"),
        Codec(101, "telephone-event"),
    )
    assert audio.attribute("ptime") == "20"
    assert audio.attribute("sendonly") == ""
    assert audio.attribute("maxptime") is None
    assert (session.address(audio), session.address(video)) == ("192.0.2.11", "2001:db8::1")
    assert (session.direction(audio), session.direction(video)) == (SENDONLY, RECVONLY)
    assert (video.port, video.ports, video.codecs) == (51372, 2, ())


def test_lines_nobody_reads_are_carried_where_they_stood() -> None:
    session = parse_sdp(PHONE.encode())
    assert session.encode() == PHONE.replace("\n", "\r\n").encode()
    assert parse_sdp(session.encode()) == session


@given(st.sampled_from(PHONE.splitlines()), st.binary(max_size=20))
def test_nothing_but_a_parse_error_comes_of_a_broken_description(line: str, junk: bytes) -> None:
    try:
        session = parse_sdp(PHONE.encode().replace(line.encode(), junk, 1))
    except ParseError:
        return
    assert parse_sdp(session.encode()) == session


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("", "begins with v=0"),
        ("v=1\no=- 1 1 IN IP4 a\ns=-\n", "begins with v=0"),
        ("o=- 1 1 IN IP4 a\ns=-\n", "begins with v=0"),
        ("v=0\no=- 1 1 IN IP4\ns=-\n", "its six parts"),
        ("v=0\no=- x 1 IN IP4 a\ns=-\n", "'x', not a number"),
        ("v=0\no=- 1 1 IN IP4 a\ns=-\nnonsense\n", "not a line of a session description"),
        ("v=0\no=- 1 1 IN IP4 a\ns=-\nm=audio 5\n", "a kind, a port, a protocol and a format"),
        ("v=0\no=- 1 1 IN IP4 a\ns=-\nm=audio 65536 RTP/AVP 0\n", "more than 65535"),
    ],
)
def test_a_broken_description_deserves_a_400(broken: str, says: str) -> None:
    with pytest.raises(ParseError, match=says) as caught:
        parse_sdp(broken.encode())
    assert caught.value.status == 400


def test_an_offer_and_its_answer_as_rfc_3264_has_them() -> None:
    offered = parse_sdp(offer(HERE, 4000, [PCMU, PCMA, TELEPHONE_EVENT]).encode())
    answered = answer(offered, THERE, 5000, [Codec(99, "telephone-event"), PCMA])
    assert answered.encode().decode().split("\r\n") == [
        "v=0",
        "o=- 2 0 IN IP4 192.0.2.2",
        "s=-",
        "c=IN IP4 192.0.2.2",
        "t=0 0",
        "m=audio 5000 RTP/AVP 8 101",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=sendrecv",
        "",
    ]


def test_an_answer_has_a_stream_for_each_of_the_offer_and_takes_one() -> None:
    audio = offer(HERE, 4000, [PCMU]).media[0]
    offered = parse_sdp(PHONE.encode() + b"".join(line.encode() + b"\r\n" for line in audio._text))
    answered = answer(offered, THERE, 5000, [PCMU])
    assert [(stream.kind, stream.port) for stream in answered.media] == [("audio", 5000), ("video", 0), ("audio", 0)]
    assert Line("t", "2873397496 2873404696") in answered.lines


@pytest.mark.parametrize("codecs", [[], [PCMA], [TELEPHONE_EVENT]])
def test_an_answer_without_speech_in_common_takes_nothing(codecs: list[Codec]) -> None:
    assert answer(offer(HERE, 4000, [PCMU, TELEPHONE_EVENT]), THERE, 5000, codecs).audio is None


@pytest.mark.parametrize(
    ("offered", "wish", "answered"),
    [
        (SENDRECV, SENDRECV, SENDRECV),
        (SENDRECV, SENDONLY, SENDONLY),
        (SENDRECV, RECVONLY, RECVONLY),
        (SENDRECV, INACTIVE, INACTIVE),
        (SENDONLY, SENDRECV, RECVONLY),
        (SENDONLY, SENDONLY, INACTIVE),
        (SENDONLY, RECVONLY, RECVONLY),
        (SENDONLY, INACTIVE, INACTIVE),
        (RECVONLY, SENDRECV, SENDONLY),
        (RECVONLY, SENDONLY, SENDONLY),
        (RECVONLY, RECVONLY, INACTIVE),
        (RECVONLY, INACTIVE, INACTIVE),
        (INACTIVE, SENDRECV, INACTIVE),
        (INACTIVE, SENDONLY, INACTIVE),
        (INACTIVE, RECVONLY, INACTIVE),
        (INACTIVE, INACTIVE, INACTIVE),
    ],
)
def test_directions_are_answered_as_rfc_3264_section_6_1_has_it(
    offered: Direction, wish: Direction, answered: Direction
) -> None:
    got = answer(offer(HERE, 4000, [PCMU], offered), THERE, 5000, [PCMU], wish)
    assert got.direction(got.media[0]) is answered


def test_hold_and_resume_are_new_versions_of_one_session() -> None:
    session = offer(HERE, 4000, [PCMU])
    held = session.directed(SENDONLY)
    resumed = held.directed(SENDRECV)
    assert [each.on_hold(each.media[0]) for each in (session, held, resumed)] == [False, True, False]
    assert [each.origin.version for each in (session, held, resumed)] == [0, 1, 2]
    assert resumed.media == session.media
    old_way = parse_sdp(session.encode().replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 0.0.0.0"))
    assert old_way.on_hold(old_way.media[0])


def test_a_direction_of_the_session_gives_way_to_hold() -> None:
    session = parse_sdp(PHONE.encode()).directed(INACTIVE)
    assert {session.direction(stream) for stream in session.media} == {INACTIVE}


def test_a_line_end_within_a_line_is_never_written() -> None:
    with pytest.raises(EncodeError):
        offer(HERE, 4000, [PCMU], name="x\r\na=evil").encode()


def test_ipv6_is_named_as_such() -> None:
    session = offer(Origin("2001:db8::1", 1), 4000, [PCMU])
    assert str(session.origin) == "- 1 0 IN IP6 2001:db8::1"
    assert session.address(session.media[0]) == "2001:db8::1"
