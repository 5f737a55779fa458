"""Captures read back: what was written comes out, and what is torn or somebody else's is said to be."""

import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.pcap import PcapFile, mac, moment_zero
from reports.pcap_reader import CaptureError, Packet, sip_packets
from reports.sip_text import call_id_of, cseq_of, icid_of, length_of, start_of, text_of, to_of
from reports.wire import WireError, WireFile, read_wiring
from scenarios.calendar import Clock, Moment
from scenarios.evidence import Fate, WireRecord
from tests.ladders import invite, message, register
from tests.packet_calls import recorded

MAGIC = b"\xd4\xc3\xb2\xa1"


def capture(path: Path, *records: WireRecord, clock: Clock | None = None) -> Path:
    with path.open("wb") as file:
        pcap = PcapFile(file, clock)
        for record in records:
            pcap.wire(record)
    return path


def read(path: Path, clock: Clock | None = None) -> list[Packet]:
    return list(sip_packets(path, moment_zero(clock)))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_what_engines_write_is_read_as_it_was_sent(tmp_path: Path, transport: str) -> None:
    records = recorded(transport=transport, lost=[1, 3])
    packets = read(capture(tmp_path / "a.pcap", *records))
    assert len(packets) == len(records) >= 36
    for packet, record in zip(packets, records, strict=True):
        assert packet.at == pytest.approx(record.at, abs=1e-6)
        assert (packet.data, packet.protocol) == (record.data, transport)
        assert (packet.sender, packet.receiver) == (mac(record.sender), mac(record.receiver))
        assert packet.source == f"{record.source}:{record.source_port}"
        assert packet.target == f"{record.target}:{record.target_port}"
        assert packet.lost is (record.fate is not Fate.SENT)


def test_the_time_is_that_of_the_run_whatever_its_clock_shows(tmp_path: Path) -> None:
    clock = Clock.of(Moment(9.5 * 3600), "Asia/Tokyo")
    path = capture(tmp_path / "a.pcap", invite(-20.25), invite(3.5), clock=clock)
    assert [packet.at for packet in read(path, clock)] == pytest.approx([-20.25, 3.5])


def test_messages_of_several_segments_and_several_messages_of_one_are_told_apart(tmp_path: Path) -> None:
    long = invite(0.0, transport="tcp", body="x" * 5000)
    two = long._replace(data=long.data + register(0.0).data)
    back = long._replace(source=long.target, target=long.source)
    half, rest = (two._replace(data=part) for part in (two.data[:1000], two.data[1000:]))
    ping = long._replace(data=b"\r\n\r\n")
    packets = read(capture(tmp_path / "a.pcap", ping, half, back, rest, ping, long))
    assert [packet.data for packet in packets] == [back.data, long.data, register(0.0).data, long.data]


def test_what_is_no_sip_is_passed_over(tmp_path: Path) -> None:
    usual = invite(0.0)
    advert, chatter = usual._replace(transport="vrrp"), usual._replace(data=b'{"call": "INVITE sip:x SIP/2.0"}')
    assert [each.data for each in read(capture(tmp_path / "a.pcap", advert, chatter, usual))] == [usual.data]


@pytest.mark.parametrize(
    ("begins", "said"),
    [
        (b"", "an empty file"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "a capture in pcapng"),
        (b"\xa1\xb2\xc3\xd4" + bytes(40), "another order"),
        (b"\x4d\x3c\xb2\xa1" + bytes(40), "nanoseconds"),
        (b"\x1f\x8b" + bytes(40), "compressed"),
        (MAGIC + struct.pack("<HHiIII", 2, 4, 0, 0, 65535, 1), "another capture"),
        (MAGIC + struct.pack("<HHiIII", 2, 4, 0, 0, 262144, 113), "another capture"),
        (MAGIC, "another capture"),
        (b"attempt,caller", "no capture"),
    ],
)
def test_a_file_of_somebody_else_is_said_to_be_what_it_is(tmp_path: Path, begins: bytes, said: str) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(begins)
    with pytest.raises(CaptureError, match=f"a.pcap: this is .*{said}"):
        read(path)


@given(st.data())
def test_wherever_a_capture_is_torn_what_came_before_is_read_and_then_it_is_said(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = capture(tmp_path_factory.mktemp("torn") / "a.pcap", invite(0.0), invite(0.5), invite(1.5))
    whole = path.read_bytes()
    each = (len(whole) - 24) // 3
    left = data.draw(st.integers(24, len(whole)))
    path.write_bytes(whole[:left])
    complete, torn = divmod(left - 24, each)
    found: list[Packet] = []
    if torn:
        with pytest.raises(CaptureError, match=f"at byte {24 + complete * each:,}: the file ends within a frame"):
            found.extend(sip_packets(path, moment_zero(None)))
    else:
        found.extend(sip_packets(path, moment_zero(None)))
    assert len(found) == complete or torn


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (24 + 8, b"\x10\0\0\0", "a frame of"),  # the length that is there
        (24 + 8, b"\xff\xff\xff\x7f\xff\xff\xff\x7f", "a frame of 2147483647 bytes"),
        (24 + 16 + 12, b"\x86\xdd", "no IPv4"),  # IPv6
        (24 + 16 + 16, b"\0\1", "no IPv4"),  # another length in the header of IP
        (24 + 16 + 23, b"\1", "IP protocol 1 "),  # ICMP
    ],
)
def test_frames_that_are_none_of_ours_are_refused(tmp_path: Path, at: int, value: bytes, said: str) -> None:
    path = capture(tmp_path / "a.pcap", invite(0.0))
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + value + whole[at + len(value) :])
    with pytest.raises(CaptureError, match=said):
        read(path)


def test_a_long_capture_is_not_held_in_memory(tmp_path: Path) -> None:
    path = capture(tmp_path / "a.pcap", *(invite(n / 1000, body="x" * 1000, transport="tcp") for n in range(5000)))
    assert path.stat().st_size > 5_000_000
    tracemalloc.start()
    assert sum(1 for _ in sip_packets(path, moment_zero(None))) == 5000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000


# What is read of a message


def test_compact_and_strange_spellings_are_read_too() -> None:
    """RFC 3261 §7.3.3 has compact names, §7.3.1 any case and white space before the colon."""
    data = b"BYE sip:x SIP/2.0\r\ni : a@b \r\nt:<sip:who@where>;tag=1\r\nCSEQ:  12  BYE\r\nl: 4\r\n\r\nbody"
    assert (call_id_of(data), cseq_of(data), to_of(data)) == (b"a@b", (12, "BYE"), "sip:who@where")
    assert length_of(data + b"next") == len(data)
    assert length_of(data[:20]) is None
    assert icid_of(b'INVITE sip:x SIP/2.0\r\nP-Charging-Vector: orig-ioi=a;icid-value="17.2"\r\n\r\n') == "17.2"
    assert icid_of(b"INVITE sip:x SIP/2.0\r\n\r\nP-Charging-Vector: icid-value=17\r\n") is None, "that is its body"
    assert start_of(b"SIP/2.0 200 \r\n\r\n") == ("", 200, "")
    assert start_of(b"GET / HTTP/1.1\r\n\r\n") is None


@pytest.mark.parametrize("to", [b"To: <>", b"t:<>;tag=1", b"To: ;"])
def test_a_to_that_names_nobody_has_no_uri(to: bytes) -> None:
    assert to_of(b"REGISTER sip:x SIP/2.0\r\n%b\r\n\r\n" % to) == ""


def test_nothing_in_a_message_is_obeyed_by_a_terminal() -> None:
    text = text_of(b"BYE sip:\x1b[2J SIP/2.0\r\nSubject: \x9b1m\xff\t\xe6\x9d\xb1\r\n\r\na\r\n")
    assert text == "BYE sip:�[2J SIP/2.0\nSubject: �1m�\t東\n\na"


# wire.jsonl


def test_who_is_who_and_who_is_silent_is_read_as_it_was_written(tmp_path: Path) -> None:
    clock = Clock.of(Moment(9 * 3600), "Asia/Tokyo")
    path = tmp_path / "wire.jsonl"
    with path.open("w", encoding="utf-8") as file:
        wire = WireFile(file, clock)
        for at, heard in ((0.0, True), (1.0, False), (2.0, False), (3.0, True)):
            wire.wire(invite(at, heard=heard))
        wire.wire(message(4.0, "edge/1", "", "INVITE sip:x SIP/2.0", call="17.2", call_id="x@y"))
    found = read_wiring(path)
    assert found.clock == clock
    assert set(found.machines.values()) == {"carrier", "edge/1"}
    assert [found.hears(mac("edge/1"), at) for at in (0.0, 0.999, 1.0, 2.5, 3.0)] == [True, True, False, False, True]
    assert (found.hears(mac("carrier"), 1.5), found.hears(bytes(6), 0.0)) == (True, False)
    assert found.attempts == {b"x@y": "17.2"}
    assert len(path.read_text(encoding="utf-8").splitlines()) == 6, "and nothing twice"


@pytest.mark.parametrize(
    "line",
    ["", "[]", "7", '{"version": 2, "clock": null}', '{"version": 1}', '{"version": 1, "clock": {"start": "x"}}',
     '{"version": 1, "clock": null}\n{"machine": "a"}', '{"version": 1, "clock": null}\n{"machine": "a", "mac": "zz"}'],
)  # fmt: skip
def test_a_line_that_is_none_of_ours_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "wire.jsonl"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(WireError, match=f"line {max(len(line.splitlines()), 1)} is none"):
        read_wiring(path)
