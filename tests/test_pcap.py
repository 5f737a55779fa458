"""Captures, read back by a reader that was written from the standards."""

from collections import defaultdict
from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.pcap import LARGEST, SEGMENT, PcapFile, mac
from scenarios.calendar import Clock, Moment
from scenarios.evidence import Fate, WireRecord
from tests.captures import Frame, frames, sum_of_words
from tests.packet_calls import ALICE, BOB, EDGE, recorded


def record(at: float = 0.0, data: bytes = b"data", transport: str = "udp", **changes: object) -> WireRecord:
    usual = WireRecord(at, "192.0.2.1", 5060, "198.51.100.1", 5061, transport, data, Fate.SENT, "alice", "edge/1")
    return usual._replace(**changes)  # type: ignore[arg-type] # as the caller means them


def captured(*records: WireRecord, clock: Clock | None = None) -> list[Frame]:
    file = BytesIO()
    pcap = PcapFile(file, clock)
    for each in records:
        pcap.wire(each)
    return list(frames(file.getvalue()))


def test_the_reader_of_these_tests_adds_up_as_the_example_of_rfc_1071_does() -> None:
    assert sum_of_words(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2


@given(st.binary(max_size=2000), st.sampled_from(["udp", "tcp"]), st.integers(0, 65535), st.ip_addresses(v=4))
def test_whatever_is_sent_its_checksums_are_right(data: bytes, transport: str, port: int, target: object) -> None:
    for frame in captured(record(0.0, data, transport, source_port=port, target=str(target))):
        assert frame.good_header
        assert frame.good_payload
        assert (frame.source, frame.target, frame.ports) == ("192.0.2.1", str(target), (port, 5061))


def test_a_checksum_that_would_be_zero_is_written_as_all_ones() -> None:
    """RFC 768: zero says that there is none. A word that has what is missing from the sum makes the checksum zero."""
    [frame] = captured(record(data=b"\0\0"))
    [frame] = captured(record(data=frame.payload[6:8]))
    assert frame.payload[6:8] == b"\xff\xff"
    assert frame.good_payload


def test_udp_carries_what_was_sent_from_machine_to_machine() -> None:
    [frame] = captured(record(data=b"OPTIONS sip:x SIP/2.0\r\n\r\n"))
    assert (frame.protocol, frame.ttl, frame.data) == (17, 64, b"OPTIONS sip:x SIP/2.0\r\n\r\n")
    assert (frame.from_mac, frame.to_mac) == (mac("alice"), mac("edge/1"))
    assert frame.from_mac[0] & 0b11 == 0b10, "locally administered, and of one machine (IEEE 802)"


def test_a_service_address_moves_from_one_machine_to_the_other() -> None:
    before, after = captured(record(0.0, receiver="edge/1"), record(5.0, receiver="edge/2"))
    assert before.target == after.target
    assert before.to_mac != after.to_mac
    [nobody] = captured(record(receiver=""))
    assert nobody.to_mac == bytes(6)


def test_adverts_are_no_udp_and_come_from_next_door() -> None:
    [frame] = captured(record(data=b"!\x01d\x00", transport="vrrp"))
    assert (frame.protocol, frame.ttl, frame.payload) == (112, 255, b"!\x01d\x00")  # RFC 5798 §5.1


@pytest.mark.parametrize("transport", ["udp", "tcp", "vrrp"])
@pytest.mark.parametrize("fate", [fate for fate in Fate if fate is not Fate.SENT])
def test_what_does_not_arrive_is_there_and_has_no_time_to_live(fate: Fate, transport: str) -> None:
    [frame] = captured(record(transport=transport, fate=fate))
    assert frame.ttl == 0
    assert frame.good_header


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=4000)), max_size=8))
def test_a_stream_can_be_put_together_again(messages: list[tuple[bool, bytes]]) -> None:
    there = record(transport="tcp")
    back = there._replace(source=there.target, source_port=5061, target=there.source, target_port=5060)
    sent: defaultdict[str, bytes] = defaultdict(bytes)
    records = []
    for forth, data in messages:
        way = there if forth else back
        records.append(way._replace(data=data))
        sent[way.source] += data
    found: defaultdict[str, bytes] = defaultdict(bytes)
    for frame in captured(*records):
        sequence, acknowledged = frame.numbers
        assert 0 < len(frame.data) <= SEGMENT
        assert sequence == len(found[frame.source]) + 1, "no gap, and nothing twice"
        assert acknowledged == len(found[frame.target]) + 1
        found[frame.source] += frame.data
    assert [found[host] for host in sent] == [*sent.values()]


def test_connections_have_numbers_of_their_own() -> None:
    one, other, again = captured(
        record(transport="tcp"), record(transport="tcp", source_port=40000), record(transport="tcp")
    )
    assert [one.numbers, other.numbers, again.numbers] == [(1, 1), (1, 1), (5, 1)]


def test_numbers_of_a_stream_begin_anew_after_4_gib() -> None:
    file = BytesIO()
    pcap = PcapFile(file, None)
    here, there = ("192.0.2.1", 5060), ("198.51.100.1", 5061)
    pcap._sent[here, there] = 2**32 - 2
    pcap.wire(record(transport="tcp"))
    pcap.wire(record(transport="tcp"))
    assert [frame.numbers[0] for frame in frames(file.getvalue())] == [2**32 - 1, 3]


def test_time_goes_on_from_the_start_of_the_run_and_back_before_it() -> None:
    stamps = [frame[:2] for frame in captured(*map(record, [-3600.25, -0.0000004, 0.0, 0.0000006, 612.3]))]
    start = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
    assert stamps == [(start - 3601, 750_000), (start, 0), (start, 0), (start, 1), (start + 612, 300_000)]


def test_time_is_that_of_the_wall_where_the_run_has_a_clock() -> None:
    clock = Clock.of(Moment(9 * 3600.0, date(2026, 11, 24)), "Asia/Tokyo")
    [frame] = captured(record(60.5), clock=clock)
    assert (frame.seconds, frame.micros) == (datetime(2026, 11, 24, 0, 1, tzinfo=UTC).timestamp(), 500_000)
    [frame] = captured(record(60.0), clock=Clock.of(Moment(9 * 3600.0), "Asia/Tokyo"))
    assert datetime.fromtimestamp(frame.seconds, UTC).strftime("%H:%M:%S") == "09:01:00"


@pytest.mark.parametrize("year", [1970, 2106, 2199])
def test_a_year_that_the_format_does_not_know_is_2000(year: int) -> None:
    [frame] = captured(record(-3600.0), clock=Clock.of(Moment(0.0, date(year, 1, 1)), "Asia/Tokyo"))
    assert datetime.fromtimestamp(frame.seconds, UTC) == datetime(1999, 12, 31, 23, tzinfo=UTC)


def test_a_datagram_can_be_as_large_as_udp_allows_and_no_larger() -> None:
    [frame] = captured(record(data=bytes(LARGEST)))
    assert len(frame.data) == LARGEST == 65507
    with pytest.raises(ValueError, match="65508 bytes"):
        captured(record(data=bytes(LARGEST + 1)))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_calls_of_real_endpoints_are_captured_in_order(transport: str) -> None:
    records = recorded(transport=transport)
    found = captured(*records)
    assert [frame.data for frame in found] == [each.data for each in records]
    assert len(found) == 3 * 12
    assert found == sorted(found, key=lambda frame: frame[:2])
    assert {frame.source for frame in found} == {ALICE.host, EDGE.host, BOB.host}


def test_read_anew_from_their_bytes_the_messages_are_the_same() -> None:
    assert recorded(strict=True, lost=[2]) == recorded(lost=[2])
