"""What processes of one run tell each other: framing, an end that does not read, an end that is gone."""

import asyncio
import pickle
import socket
import struct
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.live.channel import Channel
from sbc.live.running import run
from tests.live import until

said_things = st.lists(
    st.one_of(st.text(max_size=50), st.binary(max_size=300), st.integers(), st.tuples(st.none(), st.booleans())),
    max_size=12,
)


def framed(said: object) -> bytes:
    """An object as it goes over the sockets: its length in four bytes, most significant first, and its pickle."""
    data = pickle.dumps(said)
    return struct.pack(">I", len(data)) + data


class Ear:
    """What is heard at one end."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


@contextmanager
def end(ear: Ear) -> Iterator[tuple[Channel, socket.socket]]:
    """Yield a channel, and the bare socket at its other end."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.setblocking(False)
        channel = Channel(ours, ear.heard.append, ear.close)
        try:
            yield channel, theirs
        finally:
            channel.close()


async def rounds(number: int = 3) -> None:
    """Let the loop come round: what is there to be read is read."""
    for _ in range(number):
        await asyncio.sleep(0)


@given(said_things, st.data())
def test_whatever_pieces_it_arrives_in_what_was_told_is_heard_whole_and_in_order(
    said: list[object], data: st.DataObject
) -> None:
    frames = list(map(framed, said))
    stream, ends = b"".join(frames), list(accumulate(map(len, frames)))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=20)))

    async def scene() -> None:
        ear = Ear()
        with end(ear) as (_, theirs):
            for begin, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
                if begin < stop:
                    theirs.send(stream[begin:stop])
                    await rounds()
                    assert len(ear.heard) == bisect_right(ends, stop)
            assert ear.heard == said

    run(scene())


@given(said_things)
def test_what_is_told_goes_out_framed(said: list[object]) -> None:
    async def scene() -> None:
        with end(Ear()) as (channel, theirs):
            for each in said:
                channel.tell(each)
            expected, got = b"".join(map(framed, said)), b""
            while len(got) < len(expected):
                got += theirs.recv(1 << 16)
            assert got == expected

    run(scene())


def test_an_end_that_does_not_read_keeps_nobody_waiting_and_loses_nothing() -> None:
    said = [bytes([k % 256]) * 5_000 for k in range(1_000)]  # more than any buffer of a socket

    async def scene() -> None:
        ear = Ear()
        with end(Ear()) as (channel, theirs):
            for each in said:
                channel.tell(each)
            other = Channel(theirs, ear.heard.append, ear.close)
            await until(lambda: len(ear.heard) == len(said))
            assert ear.heard == said
            channel.tell("and on")
            await until(lambda: ear.heard[-1] == "and on")
            other.close()

    run(scene())


@pytest.mark.parametrize("busy", [False, True])
def test_an_end_that_is_gone_is_told_of_once_and_what_is_told_after_it_is_lost(busy: bool) -> None:
    async def scene() -> None:
        ear = Ear()
        with end(ear) as (channel, theirs):
            theirs.send(framed("last words") + framed("unfinished")[:-1])
            if busy:
                channel.tell(bytes(10_000_000))
            theirs.close()
            await until(lambda: ear.closed)
            channel.tell("hello?")
            await asyncio.sleep(0)
            assert ear.closed == 1
            # What waits to be sent is lost with it, and the end is noticed by whichever comes first.
            assert ear.heard == ["last words"] or busy

    run(scene())


def test_who_hangs_up_hears_nothing_more_and_is_not_told_that_it_has() -> None:
    async def scene() -> None:
        mine, other = Ear(), Ear()
        with end(mine) as (channel, theirs):
            far = Channel(theirs, other.heard.append, other.close)
            channel.tell("before")
            far.tell("too late")
            channel.close()
            channel.tell("after")
            await until(lambda: other.closed)
            assert (mine.heard, mine.closed) == ([], 0)
            assert (other.heard, other.closed) == (["before"], 1)

    run(scene())


def test_who_hangs_up_while_it_hears_hears_nothing_of_what_had_arrived_with_it() -> None:
    async def scene() -> None:
        heard: list[object] = []

        def hear(said: object) -> None:
            heard.append(said)
            channel.close()

        ours, theirs = socket.socketpair()
        with theirs:
            channel = Channel(ours, hear, lambda: None)
            theirs.send(framed("goodbye") + framed("too late"))
            await until(lambda: heard)
            await rounds()
            assert heard == ["goodbye"]

    run(scene())
