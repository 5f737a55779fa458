"""Links and connections of the simulated network, against times computed by hand and the RFCs of TCP."""

from functools import partial
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.endpoints.endpoint import Transmit
from sbc.endpoints.wire import Address, Path
from sim.packets.host import Host
from tests.packets_shell import Box, Net, Scripted

A, B = Address("192.0.2.1"), Address("198.51.100.1")
TCP, UDP = Path(A, B, "tcp"), Path(A, B)
RTO = (0, 1, 3, 7, 15, 31, 63)
"""When a segment is sent: at first and after timeouts of 1, 2, 4 … s (RFC 6298 §2.1, §5.5)."""


class Two(Net):
    """Two hosts that send each other bytes; a link of 0.1 s between them."""

    def __init__(self) -> None:
        super().__init__()
        self.between = self.link("a", "b", 0.1)
        self.boxes = [Box(), Box()]
        self.a = self.host("a", A, "a", self.boxes[0])
        self.b = self.host("b", B, "b", self.boxes[1])

    def say(self, when: float, *words: bytes, path: Path = TCP, host: Host | None = None) -> None:
        for word in words:
            self.at(when, partial((host or self.a).tell, Transmit(path, word)))

    @property
    def got(self) -> list[tuple[float, bytes]]:
        """What has come to b."""
        return [(round(at, 6), data) for at, data in self.boxes[1].got]

    @property
    def broken(self) -> list[float]:
        """When a heard that its connection is none."""
        assert all(path == TCP for _, path in self.boxes[0].broken)
        return [round(at, 6) for at, _ in self.boxes[0].broken]

    def degrade(self, *late: float) -> None:
        self.between.degraded.degraded_by["fault"] = Scripted(*late)


# Datagrams


def test_a_cut_in_one_direction_lets_the_other_pass() -> None:
    net = Two()
    net.between.cut_towards["b"] = {"fault": None}
    net.say(1, b"there", path=UDP)
    net.say(1, b"back", path=UDP.back(), host=net.b)
    net.say(2, b"there")
    net.run(until=2.5)
    assert net.got == []
    assert net.boxes[0].got == [(1.1, b"back")]
    del net.between.cut_towards["b"]
    net.run(until=10)
    assert net.got == [(3.3, b"there")], "the SYN was sent again after 1 s"


def test_a_link_that_doubles_delivers_both_copies_each_as_late_as_it_is() -> None:
    net = Two()
    net.between.doubles = iter([True, False]).__next__
    net.degrade(0.5, 0.2)
    net.say(1, b"twice", path=UDP)
    net.say(2, b"once", path=UDP)
    net.run(until=5)
    assert net.got == [(1.3, b"twice"), (1.6, b"twice"), (2.1, b"once")]


def test_datagrams_that_are_unequally_late_overtake_each_other_and_segments_do_not() -> None:
    for path, order in ((UDP, [b"2", b"1"]), (TCP, [b"1", b"2"])):
        net = Two()
        net.say(0, b"0", path=path)
        net.at(0.9, partial(net.degrade, 0.5))
        net.say(1, b"1", b"2", path=path)
        net.run(until=5)
        assert [data for _, data in net.got] == [b"0", *order]


def test_a_datagram_to_a_process_that_has_ended_is_silence() -> None:
    net = Two()
    net.b.kill()
    net.say(1, b"hello", path=UDP)
    net.run(until=200)
    assert net.boxes[0].broken == []


# Connections


def test_a_connection_takes_a_round_trip_once() -> None:
    net = Two()
    net.say(1, b"1")
    net.say(2, b"2")
    net.say(3, b"back", path=TCP.back(), host=net.b)
    net.run(until=9)
    assert net.got == [(1.3, b"1"), (2.1, b"2")]
    assert net.boxes[0].got == [(3.1, b"back")]


def test_a_lost_segment_is_sent_again_after_its_timeouts_and_those_behind_it_wait() -> None:
    net = Two()
    net.say(0, b"0")
    net.at(0.9, partial(net.degrade, inf, 0.0, inf))
    net.say(1, b"1", b"2")  # the first is lost, the second is not, and the copy of the first is lost
    net.run(until=9)
    assert net.got == [(0.3, b"0"), (4.1, b"1"), (4.1, b"2")]


@pytest.mark.parametrize("heals", [0.5, 2, 6, 14, 30, 62])
def test_what_is_sent_into_a_cut_arrives_with_the_first_copy_after_it(heals: float) -> None:
    net = Two()
    net.say(0, b"0")
    net.at(99.9, lambda: net.between.cut_by.setdefault("fault"))
    net.say(100, b"1")
    net.at(100 + heals, lambda: net.between.cut_by.pop("fault"))
    net.run(until=300)
    first = next(at for at in RTO if at >= heals)
    assert net.got[1:] == [(100.1 + first, b"1")]
    assert net.broken == []


def test_what_nobody_acknowledges_for_127_s_breaks_the_connection() -> None:
    """RFC 1122 §4.2.3.5: 100 s at least."""
    net = Two()
    net.say(0, b"0")
    net.at(99, lambda: net.between.cut_by.setdefault("fault"))
    net.say(100, b"1")
    net.run(until=400)
    assert net.broken == [227]


def test_when_a_process_ends_its_machine_tells_the_other_side() -> None:
    net = Two()
    net.say(0, b"0")
    net.at(10, net.b.kill)
    net.run(until=20)
    assert net.broken == [10.1]


def test_when_a_machine_is_gone_nobody_is_told_before_it_is_back_and_knows_nothing() -> None:
    net = Two()
    net.say(0, b"0")
    net.at(10, partial(net.b.kill, silent=True))
    net.say(20, b"1")
    net.at(25, partial(net.b.start, Box()))
    net.run(until=26)
    assert net.broken == []
    net.run(until=40)
    assert net.broken == [27.2], "the copy of 7 s, and a reset"


def test_a_process_that_is_not_there_refuses_and_a_machine_that_is_not_there_does_not() -> None:
    for silent, told in ((False, 1.2), (True, 128.0)):
        net = Two()
        net.b.kill(silent=silent)
        net.say(1, b"1")
        net.run(until=300)
        assert net.broken == [told]


def test_a_new_process_is_reached_by_a_new_connection() -> None:
    net = Two()
    net.say(0, b"0")
    net.at(10, net.b.kill)
    net.at(11, partial(net.b.start, net.boxes[1]))
    net.say(12, b"1")
    net.run(until=20)
    assert net.got == [(0.3, b"0"), (12.3, b"1")]
    assert net.broken == [10.1]


def test_a_hung_process_keeps_its_connections_and_finds_what_has_come() -> None:
    net = Two()
    net.say(0, b"0")
    net.at(5, lambda: net.b.hung_by.setdefault("fault"))
    net.say(6, b"1")

    def go_on() -> None:
        net.b.hung_by.clear()
        net.b.go_on()

    net.at(9, go_on)
    net.run(until=20)
    assert net.got == [(0.3, b"0"), (9, b"1")]
    assert net.broken == []


def test_a_connection_stands_that_was_made_before() -> None:
    net = Two()
    net.network.stands(TCP)
    net.say(1, b"1")
    net.at(2, net.b.kill)
    net.run(until=5)
    assert (net.got, net.broken) == ([(1.1, b"1")], [2.1])


def test_a_new_holder_of_an_address_resets_what_the_former_one_had() -> None:
    net = Two()
    net.say(0, b"0")
    other = net.host("other", Address("198.51.100.2"), "b", Box())
    net.at(5, partial(net.network.hold, other, B))
    net.say(6, b"1")
    net.say(7, b"2")
    net.run(until=20)
    assert net.broken == [6.2]
    assert isinstance(other.endpoint, Box)
    assert [(round(at, 6), data) for at, data in other.endpoint.got] == [(7.3, b"2")]


@given(st.lists(st.sampled_from([0.0, 0.0, 0.3, 2.5, inf]), max_size=30), st.integers(1, 8))
def test_whatever_the_link_does_all_arrives_once_and_in_order_or_the_connection_breaks(
    late: list[float], messages: int
) -> None:
    net = Two()
    net.degrade(*late)
    words = [b"%d" % i for i in range(messages)]
    for i, word in enumerate(words):
        net.say(i / 2, word)
    net.run(until=1000)
    left = iter(words)
    assert all(word in left for _, word in net.got), "in order, and none twice"
    assert len(net.got) == messages or net.broken
    assert not net.broken or late.count(inf) >= 7
