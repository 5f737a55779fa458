"""tshark reads our captures: whole calls, nothing malformed, every checksum right."""

import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from kirikae.runner import record
from reports.pcap import PcapFile
from scenarios.evidence import WireRecord
from scenarios.loader import load_text
from scenarios.model import VrrpDetection
from tests.ha_pairs import OWN, SERVICE, HaPair
from tests.lab import peer
from tests.packet_calls import Unheard, recorded
from tests.test_replay import PLAN

CHECKED = [word for name in ("ip", "udp", "tcp") for word in ("-o", f"{name}.check_checksum:TRUE")]
CALL = ["INVITE", "180", "200", "ACK", "BYE", "200"]


def capture(path: Path, records: Iterable[WireRecord]) -> Path:
    with path.open("wb") as file:
        pcap = PcapFile(file, None)
        for record in records:
            pcap.wire(record)
    return path


def tshark(path: Path, *words: str) -> list[str]:
    command = [peer("tshark"), "-n", "-2", "-r", str(path), *CHECKED, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def fields(path: Path, *names: str, only: str) -> list[list[str]]:
    """Return some fields of the frames that a display filter lets through."""
    words = [word for name in names for word in ("-e", name)]
    return [line.split("\t") for line in tshark(path, "-Y", only, "-T", "fields", *words)]


def by_call(path: Path) -> dict[str, list[str]]:
    """Return the methods and status codes of each Call-ID."""
    found = defaultdict(list)
    for call, method, status in fields(path, "sip.Call-ID", "sip.Method", "sip.Status-Code", only="sip"):
        found[call].append(method or status)
    return dict(found)


def complaints(path: Path) -> list[str]:
    """Return what tshark finds wrong with frames, but for what was lost on purpose."""
    wrong = "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0"
    unread = "!(sip || vrrp || data)"  # data is what the nodes of a pair tell each other
    return tshark(path, "-Y", f"{wrong} || {unread} || (_ws.expert.severity >= 0x600000 && !(ip.ttl == 0))")


@pytest.mark.lab(needs=["tshark"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_every_call_is_complete(tmp_path: Path, transport: str) -> None:
    path = capture(tmp_path / "packets.pcap", recorded(transport=transport))
    assert complaints(path) == []
    calls = by_call(path)
    assert list(calls.values()) == [CALL] * 6, "three calls of two legs"
    good = f"ip.checksum.status == 1 && {transport}.checksum.status == 1"
    assert len(tshark(path, "-Y", good)) == 3 * 12, "and none was passed over"


@pytest.mark.lab(needs=["tshark"])
def test_a_message_of_several_segments_is_put_together(tmp_path: Path) -> None:
    records = recorded(transport="tcp", many=1)
    invite = records[0].data.replace(b"\r\nContent-Length", b"\r\nSubject: " + b"x" * 4000 + b"\r\nContent-Length")
    path = capture(tmp_path / "packets.pcap", [records[0]._replace(data=invite), *records[1:]])
    assert complaints(path) == tshark(path, "-Y", "tcp.reassembled_in"), "the segments before the last are no message"
    assert list(by_call(path).values()) == [CALL] * 2
    assert fields(path, "sip.Subject", only="sip.Subject") == [["x" * 4000]]


@pytest.mark.lab(needs=["tshark"])
def test_what_was_lost_is_there_and_what_is_sent_again_is_known_as_such(tmp_path: Path) -> None:
    path = capture(tmp_path / "packets.pcap", recorded(many=1, lost=[1, 3]))
    assert complaints(path) == []
    lost = fields(path, "sip.Method", "sip.Status-Code", only="ip.ttl == 0")
    assert lost == [["INVITE", ""], ["", "180"]]
    resent = fields(path, "sip.Method", "sip.resend-original", only="sip.resend == 1")
    assert resent == [["INVITE", "1"]]


@pytest.mark.lab(needs=["tshark"])
def test_statistics_of_tshark_count_what_was_sent(tmp_path: Path) -> None:
    path = capture(tmp_path / "packets.pcap", recorded())
    told = " ".join(" ".join(tshark(path, "-q", "-z", "sip,stat")).split())
    assert "Number of SIP messages: 36 Number of resent SIP messages: 0" in told
    for count in ("SIP 200 OK : 12 Packets", "INVITE : 6 Packets", "ACK : 6 Packets", "BYE : 6 Packets"):
        assert count in told


@pytest.mark.lab(needs=["tshark"])
def test_adverts_are_read_and_the_one_of_the_second_node_says_when_it_took_over(tmp_path: Path) -> None:
    pair = HaPair(VrrpDetection.model_validate({"by": "vrrp", "advert": "1s"}))
    pair.run(10.0)
    pair.die(0)
    pair.run(20.0)
    path = capture(tmp_path / "packets.pcap", pair.datagrams)
    assert complaints(path) == []
    adverts = fields(path, "frame.time_relative", "ip.src", "vrrp.prio", "vrrp.ip_addr", only="vrrp")
    first = float(pair.datagrams[0].at)
    assert len(adverts) == len(pair.datagrams)
    for (after, source, priority, address), sent in zip(adverts, pair.datagrams, strict=True):
        assert float(after) == pytest.approx(sent.at - first, abs=2e-6)
        assert (source, int(priority), address) == (sent.source, sent.data[2], SERVICE.host)
    assert {source for _, source, _, _ in adverts} == {own.host for own in OWN}


@pytest.mark.lab(needs=["tshark"])
def test_a_drill_whose_node_dies_has_nothing_but_complete_calls(tmp_path: Path) -> None:
    """Each leg of a call that was over in time: INVITE, 200, ACK, BYE, 200, whatever was sent again meanwhile."""
    path, drill = tmp_path / "packets.pcap", load_text(PLAN, "plan").drill
    with path.open("wb") as file:
        record(drill, 1, 0, Unheard(), "packets", wire=PcapFile(file, None))
    assert complaints(path) == []
    seen: defaultdict[str, dict[str, float]] = defaultdict(dict)
    names = ("frame.time_epoch", "sip.Call-ID", "sip.CSeq.method", "sip.Method", "sip.Status-Code")
    for at, call, of, method, status in fields(path, *names, only="sip"):
        seen[call].setdefault(method or f"{status} {of}", float(at))
    end = max(at for messages in seen.values() for at in messages.values())
    whole = [messages for messages in seen.values() if messages["INVITE"] < end - 130]
    assert len(whole) > 50
    for messages in whole:
        assert list(messages) == ["INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"]
