"""Streams and datagrams: where a message ends, whatever way it arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.sip.errors import ParseError
from sbc.sip.framing import Frame, KeepAlive, StreamFramer, datagram
from sbc.sip.limits import Limits
from sbc.sip.message import Request

HEAD = b"MESSAGE sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/TCP c.example;branch=z9hG4bK1\r\n"


def message(body: bytes = b"", length: bytes = b"Content-Length: %d") -> bytes:
    return HEAD + length.replace(b"%d", b"%d" % len(body)) + b"\r\n\r\n" + body


def seen(frames: list[Frame]) -> list[object]:
    """Frames so that they can be compared: an error is what it says and the status it asks for."""
    return [(str(f), f.status) if isinstance(f, ParseError) else f for f in frames]


def bodies(frames: list[Frame]) -> list[bytes]:
    return [frame.body for frame in frames if isinstance(frame, Request)]


@pytest.mark.parametrize(
    "length",
    [
        b"Content-Length: %d",
        b"content-length:%d",
        b"CONTENT-LENGTH \t : \t %d \t ",
        b"l: %d",
        b"L:%d",
        b"Content-Length:\r\n %d",
        b"l\t:\r\n\t \r\n %d\r\n ",
        b"Content-Length: 000%d",
    ],
)
def test_every_legal_spelling_of_the_length_frames_a_stream(length: bytes) -> None:
    frames = StreamFramer().feed(message(b"one\r\n\r\n", length) + message(b"", length) + message(b"two", length))
    assert bodies(frames) == [b"one\r\n\r\n", b"", b"two"]


@pytest.mark.parametrize(
    ("length", "says", "status"),
    [
        (b"X: 1", "must have one", 400),
        (b"Content-Length: 3\r\nl: 3", "more than once", 400),
        (b"Content-Length: 3, 3", "not a number", 400),
        (b"Content-Length: -3", "not a number", 400),
        (b"Content-Length: +3", "not a number", 400),
        (b"Content-Length: 3\x00", "not a number", 400),
        (b"Content-Length: 0x3", "not a number", 400),
        (b"Content-Length:", "not a number", 400),
        (b"Content-Length: 65536", "more than 65535", 513),
        (b"Content-Length: 99999999999999999999999", "more than 4294967295", 400),
        (b"Content-Length 3", "not a header field", 400),
        (b"Content-Length: 3\r\nX:1\nContent-Length: 0", "lone CR or LF", None),
        (b"Content-Length: 3\r\nX:1\rContent-Length: 0", "lone CR or LF", None),
    ],
)
def test_an_end_in_doubt_kills_the_stream(length: bytes, says: str, status: int | None) -> None:
    framer = StreamFramer()
    good, error = framer.feed(message(b"ok") + message(b"abc", length) + message(b"lost"))
    assert bodies([good]) == [b"ok"]
    assert isinstance(error, ParseError)
    assert says in error.reason
    assert error.status == status
    assert framer.dead is error
    assert framer.feed(message(b"lost too")) == []


@given(st.data())
def test_the_same_messages_come_however_the_stream_is_cut(data: st.DataObject) -> None:
    piece = st.one_of(
        st.binary(max_size=30).map(message),
        st.sampled_from([b"\r\n", b"\r\n\r\n", message(b"x\r\n\r\n", b"l:\r\n %d")]),
    )
    broken = st.sampled_from([b"", b"\r", b"\r\rx", b"\n", b"garbage\r\n\r\n", message(b"a", b"l: x"), HEAD])
    stream = b"".join(data.draw(st.lists(piece, max_size=6))) + data.draw(broken)
    opened_here = data.draw(st.booleans())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    whole, pieces = StreamFramer(opened_here=opened_here), StreamFramer(opened_here=opened_here)
    single = StreamFramer(opened_here=opened_here)
    expected = seen(whole.feed(stream))
    got = [f for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) for f in pieces.feed(stream[a:b])]
    assert seen(got) == expected
    assert seen([frame for octet in stream for frame in single.feed(bytes([octet]))]) == expected


def test_who_accepted_a_connection_gets_pings_and_who_opened_it_gets_pongs() -> None:
    stream = b"\r\n\r\n" + message() + b"\r\n" + message() + b"\r\n\r\n\r\n\r\n\r\n" + message()
    request = datagram(message())
    accepted = StreamFramer().feed(stream)
    assert accepted == [KeepAlive.PING, request, request, KeepAlive.PING, KeepAlive.PING, request]
    opened = StreamFramer(opened_here=True).feed(stream)
    assert opened == [KeepAlive.PONG] * 2 + [request, KeepAlive.PONG, request] + [KeepAlive.PONG] * 5 + [request]


@pytest.mark.parametrize("chunk", [1, 7, 4096])
@pytest.mark.parametrize("filler", [b"x", b"X: y\r\n", b"\r\n z", b"INVITE "])
def test_a_head_without_end_is_given_up_at_its_limit(filler: bytes, chunk: int) -> None:
    limits = Limits(head=500)
    framer = StreamFramer(limits)
    stream = b"INVITE sip:a@b SIP/2.0\r\nX:" + filler * 700
    held = 0
    for at in range(0, len(stream), chunk):
        framer.feed(stream[at : at + chunk])
        held = max(held, len(framer._buffer))
        if framer.dead:
            break
    assert framer.dead is not None
    assert (framer.dead.status, framer.dead.reason) == (None, "the header fields take more than 500 bytes")
    assert held <= limits.head + 3
    assert len(framer._buffer) == 0


def test_a_head_of_exactly_the_limit_is_taken() -> None:
    data = message()
    size = len(data) - 4
    assert len(StreamFramer(Limits(head=size)).feed(data)) == 1
    framer = StreamFramer(Limits(head=size - 1))
    framer.feed(data)
    assert framer.dead is not None
    assert isinstance(datagram(data, Limits(head=size)), Request)
    with pytest.raises(ParseError, match=f"more than {size - 1} bytes"):
        datagram(data, Limits(head=size - 1))


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(fields=2), "3 header fields, more than 2"),
        (Limits(line=41), "a line has 42 characters, more than 41"),
        (Limits(body=4), "a body of 5 bytes is more than 4"),
    ],
)
def test_what_is_too_much_deserves_a_513(limits: Limits, says: str) -> None:
    data = HEAD + b"X: y\r\nContent-Length: 5\r\n\r\n12345"
    assert isinstance(datagram(data), Request)
    with pytest.raises(ParseError, match=says) as caught:
        datagram(data, limits)
    assert caught.value.status == 513
    assert isinstance(caught.value.message, Request)
    assert caught.value.message.via.branch == "z9hG4bK1"


def test_what_is_just_within_the_limits_is_taken() -> None:
    data = HEAD + b"X: y\r\nContent-Length: 5\r\n\r\n12345"
    assert isinstance(datagram(data, Limits(head=len(data) - 9, line=42, fields=3, body=5)), Request)


def test_a_datagram_one_byte_short_is_refused() -> None:
    with pytest.raises(ParseError, match="promises 6 bytes of body, but 5 came"):
        datagram(HEAD + b"Content-Length: 6\r\n\r\n12345")


def test_a_body_without_a_length_is_limited_too() -> None:
    with pytest.raises(ParseError, match="the body has 5 bytes, more than 4") as caught:
        datagram(HEAD + b"\r\n12345", Limits(body=4))
    assert caught.value.status == 513


def test_datagrams_are_messages_or_keep_alives() -> None:
    assert datagram(b"\r\n\r\n") is KeepAlive.PING
    assert datagram(b"\r\n") is KeepAlive.PONG
    request = datagram(b"\r\n\r\n" + message(b"abc") + b"beyond")
    assert isinstance(request, Request)
    assert request.body == b"abc"
    for nothing in (b"", b"\x00", b"\r\n\r\n\r\n", b"hello", b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0\r\n\r\n"):
        with pytest.raises(ParseError) as caught:
            datagram(nothing)
        assert caught.value.status is None


def test_a_response_is_never_answered_whatever_is_wrong_with_it() -> None:
    data = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\nContent-Length: 10\r\n\r\n"
    with pytest.raises(ParseError, match="promises 10") as caught:
        datagram(data)
    assert caught.value.status is None
    with pytest.raises(ParseError, match="promises 10") as caught:
        datagram(data.replace(b"SIP/2.0 200 OK", b"ACK sip:a@b SIP/2.0"))
    assert caught.value.status is None
