"""tshark reads the same capture: the same messages in the same order, and the same are sent again."""

from collections import defaultdict
from pathlib import Path

import pytest

from reports.dialogs import Dialog
from reports.ladder import ladder
from reports.pcap import moment_zero
from reports.pcap_reader import Packet, sip_packets
from reports.sip_text import call_id_of
from reports.wire import read_wiring
from scenarios.loader import load_text
from sim.traffic import load
from tests.ladders import played
from tests.test_lab_tshark import fields

PLAN = """
kirikae: 1
name: a queue, phones, and a pair that is lost for a while
run: {for: 4m, warm: true, replications: 1}
sites: {tokyo: {register_rate: 3/s}}
sbc_pairs: {edge: {site: tokyo, ports: 60, detect: {by: vrrp, advert: 1s}}}
trunks: {ntt: {via: edge, channels: 60}}
numbers: {03-1234-5678: {trunk: ntt, queue: sales}}
agents: {sales: {count: 12, softphone: {sites: [tokyo], expires: 1m}}}
traffic:
  - {to: 03-1234-5678, arrivals: 0.2/s, talk: 20s, patience: 15s, retry: {share: 100%, after: 5s, times: 2}}
  - {from: sales, to: 090-1234-5678, arrivals: 2/m, talk: 20s}
faults:
  - {name: node-dies, at: 1m, pair: edge, fails: active, for: 1m}
  - {name: registrar-lost, at: 100s, registrar: tokyo, fails: all, for: 40s}
  - {name: line, at: 3m, trunk: ntt, how: degraded, loss: 20%}
expect: [failed_ratio < 50%]
"""


@pytest.mark.lab(needs=["tshark"])
def test_every_call_id_has_the_messages_and_the_copies_that_tshark_sees(tmp_path: Path) -> None:
    drill = load_text(PLAN, "plan").drill
    played(tmp_path, drill, *load(drill, 1, 0))
    path = tmp_path / "packets.pcap"
    ours: defaultdict[str, list[Packet]] = defaultdict(list)
    for packet in sip_packets(path, moment_zero(None)):
        ours[(call_id_of(packet.data) or b"").decode()].append(packet)
    theirs: defaultdict[str, list[tuple[float, str, str, str, bool]]] = defaultdict(list)
    names = ("sip.Call-ID", "frame.time_epoch", "ip.src", "ip.dst", "sip.Method", "sip.Status-Code", "sip.resend")
    for call_id, at, source, target, method, status, resent in fields(path, *names, only="sip"):
        seconds = float(at) - moment_zero(None) / 1e6
        theirs[call_id].append((seconds, source, target, method or status, resent in ("1", "True")))
    assert ours.keys() == theirs.keys()
    wiring = read_wiring(tmp_path / "wire.jsonl")
    again = set()
    for call_id, packets in ours.items():
        shown = ladder(Dialog(packets), wiring).messages
        assert len(shown) == len(theirs[call_id])
        for message, (seconds, source, target, what, copied) in zip(shown, theirs[call_id], strict=True):
            assert message.at == pytest.approx(seconds, abs=2e-6)
            ends = (message.packet.source.split(":")[0], message.packet.target.split(":")[0])
            assert (*ends, str(message.status or message.method)) == (source, target, what)
            if what != "ACK":  # tshark takes no ACK for a copy
                assert (message.copy > 1) is copied, (call_id, message.number, what)
            if copied:
                again.add(message.method)
    assert {"INVITE", "BYE", "REGISTER"} <= again, "there is something to see"
