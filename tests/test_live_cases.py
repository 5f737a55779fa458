"""What may go wrong around a live run: it says so, has the right exit code, and leaves nothing running."""

import errno
import json
import os
import resource
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from reports.exit_codes import ExitCode
from sbc.endpoints.wire import Address
from sbc.endpoints.wire import Path as Way
from sbc.live.sockets import Sockets
from sbc.sip.errors import ParseError
from sbc.sip.message import Request, Response, parse
from scenarios.evidence import WireRecord
from scenarios.model import Drill
from sim.live import engine
from sim.live.pairs import LiveError
from sim.traffic import load
from tests.drills import ListRecorder
from tests.live_program import DRILL, LINE, SERVICE, Live, descendants, is_gone, live, pass_by, state, until

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def all_gone(*processes: int) -> bool:
    return all(map(is_gone, processes))


def calls_and_their_ends(run: Live) -> tuple[set[str], set[str]]:
    """Return which dialogs were made, and which of them were ended by a BYE that was answered, by Call-ID."""
    made, ended = set(), set()
    for message in run.messages():
        if isinstance(message, Response) and message.status == 200:
            if message.cseq.method == "INVITE":
                made.add(message.call_id)
            elif message.cseq.method == "BYE":
                ended.add(message.call_id)
    return made, ended


# Stopped by its user, from outside, or for good.


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_ends_its_calls_and_writes_its_results(tmp_path: Path, number: signal.Signals) -> None:
    with live(tmp_path, run={"for": "60s", "warm": False}) as run:
        processes = run.under_way()
        if number == signal.SIGINT:
            os.killpg(run.process.pid, number)  # as a terminal does it
        else:
            run.process.send_signal(number)
        assert run.ended() == ExitCode.INCONCLUSIVE
        assert all_gone(*processes)
    assert "into a run of 1m" in run.said
    assert run.result["verdict"] == "inconclusive"
    assert (tmp_path / "results/calls.csv").read_text().count("\n") > 1
    assert (tmp_path / "results/report.html").exists()
    made, ended = calls_and_their_ends(run)
    assert made == ended != set()


def test_a_run_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    with live(tmp_path, run={"for": "60s", "warm": False}) as run:
        processes = run.under_way()
        frozen = next(pid for pid, command in processes.items() if "sip_process" in command)
        os.kill(frozen, signal.SIGSTOP)
        until(lambda: state(frozen) == "T")
        run.process.kill()
        run.ended()
        until(lambda: all_gone(*processes))


def test_a_node_that_ends_by_itself_ends_the_run(tmp_path: Path) -> None:
    with live(tmp_path, run={"for": "60s", "warm": False}) as run:
        processes = run.under_way()
        machine = next(pid for pid, command in processes.items() if "machine" in command)
        os.kill(machine, signal.SIGKILL)
        assert run.ended() == ExitCode.INCONCLUSIVE
        assert all_gone(*processes)
    assert "has ended by itself" in run.said
    assert "Nothing was judged." in run.said


# Whose fault it is.


def test_a_generator_that_was_stopped_for_300_ms_is_no_evidence(tmp_path: Path) -> None:
    with live(tmp_path) as run:
        run.under_way()
        run.process.send_signal(signal.SIGSTOP)
        until(lambda: state(run.process.pid) == "T")
        pass_by(0.3)
        run.process.send_signal(signal.SIGCONT)
        assert run.ended() == ExitCode.INCONCLUSIVE
    assert run.result["verdict"] == "inconclusive"
    assert "the generator was saturated" in " ".join(run.said.split())
    journal = map(json.loads, (tmp_path / "results/journal.jsonl").read_text("utf-8").splitlines())
    [lateness] = [entry for entry in journal if entry["kind"] == "lateness"]
    assert lateness["detail"]["worst"] >= 0.3 - 0.02, "an event is due every 20 ms, a probe if nothing else"


def test_a_target_that_is_slow_has_failed_and_not_the_generator(tmp_path: Path) -> None:
    for _ in range(3):  # a machine that has much to do may stop the generator as well: then it is no evidence
        with live(tmp_path, expect=["setup_delay_p99 <= 500ms"]) as run:
            processes = run.under_way()
            sip = [pid for pid, command in processes.items() if "sip_process" in command]
            for pid in sip:
                os.kill(pid, signal.SIGSTOP)
            pass_by(1.2)
            for pid in sip:
                os.kill(pid, signal.SIGCONT)
            code = run.ended()
        if "saturated" not in run.said:
            break
    else:
        pytest.skip("this machine has too much else to do")
    assert code == ExitCode.FAILED
    assert run.result["verdict"] == "failed"


# Addresses.


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (socket.SOCK_DGRAM, LINE),
        (socket.SOCK_DGRAM, SERVICE),
        (socket.SOCK_STREAM, SERVICE),  # which a process of a node finds out
    ],
)
def test_an_address_that_another_program_has_is_named_with_what_to_do(
    tmp_path: Path, kind: socket.SocketKind, address: Address
) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(address)
        if kind == socket.SOCK_STREAM:
            other.listen()
        with live(tmp_path) as run:
            assert run.ended() == ExitCode.INCONCLUSIVE
    said = " ".join(run.said.split())
    name = "udp" if kind == socket.SOCK_DGRAM else "tcp"
    assert f"cannot hold {name} {address}: another program has it" in said
    assert "perhaps another live run" in said
    assert "unshare" in said
    assert said.endswith("Nothing was judged.")
    assert run.result["unfinished"], "what stands in the folder does not pass for a run"
    assert run.result["verdict"] == "inconclusive"


def test_a_second_run_is_told_what_to_do_and_does_the_first_no_harm(tmp_path: Path) -> None:
    with live(tmp_path / "first", run={"for": "25s", "warm": False}) as first:
        first.under_way(20_000)
        with live(tmp_path / "second") as second:
            assert second.ended() == ExitCode.INCONCLUSIVE
        assert "perhaps another live run" in second.said
        first.process.send_signal(signal.SIGTERM)
        first.ended()
    counts = Counter(call["outcome"] for call in first.calls())
    assert set(counts) <= {"completed", "in progress"}, counts


# Files.


def test_a_disk_that_is_full_is_named_with_the_file_and_every_call_ends(tmp_path: Path) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    with live(tmp_path, limits=full, run={"for": "60s", "warm": False}) as run:
        processes = run.under_way()
        assert run.ended() == ExitCode.INVALID
        assert all_gone(*processes)
    assert run.said.strip().endswith("results/packets.pcap: File too large")
    assert not list((tmp_path / "results").glob("*.p*"))


class DiskFull:
    """A wire recorder that has room for a while."""

    def __init__(self) -> None:
        self.room = 300

    def wire(self, record: WireRecord) -> None:
        self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_whatever_ends_a_run_its_calls_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Request | Response] = []
    send = Sockets.send

    def noted(self: Sockets, path: Way, data: bytes) -> None:
        with suppress(ParseError):  # the echo by which the generator measures itself
            sent.append(parse(data))
        send(self, path, data)

    monkeypatch.setattr(Sockets, "send", noted)
    drill = Drill.model_validate({**DRILL, "run": {"for": "60s", "warm": False}})
    with pytest.raises(OSError, match="No space left"):
        engine.play(drill, load(drill, 1, 0), 1, 0, ListRecorder(), wire=DiskFull())
    made = {each.call_id for each in sent if isinstance(each, Request) and each.method == "ACK"}
    hung_up = {each.call_id for each in sent if isinstance(each, Request) and each.method == "BYE"}
    assert made == hung_up != set()


def test_a_machine_that_does_not_start_is_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    drill = Drill.model_validate(DRILL)
    monkeypatch.setattr(engine, "MACHINE", "keyword")  # a module that ends at once
    with pytest.raises(LiveError, match="has ended by itself"):
        engine.play(drill, load(drill, 1, 0), 1, 0, ListRecorder())
    monkeypatch.undo()
    monkeypatch.setattr(engine, "STARTS_WITHIN", 0.0)
    with pytest.raises(LiveError, match="have not started within 0 s"):
        engine.play(drill, load(drill, 1, 0), 1, 0, ListRecorder())
    assert descendants(os.getpid()) == {}


# What others send.

TAIL = b"Via: SIP/2.0/UDP 127.9.9.9;branch=z9hG4bK1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"
GARBAGE = [
    b"",
    b"\0",
    b"\r\n\r\n",
    bytes(range(256)),
    b"\x31\x01\x64\x01\x00\x64\x00\x00" + bytes(4),
    b"SIP/2.0 200 OK\r\n\r\n",
    b"SIP/2.0 99999 OK\r\n" + TAIL,
    b"SIP/2.0 200 OK\r\n" + TAIL,
    b"INVITE sip:0312345678@127.1.1.2 SIP/2.0\r\n" + TAIL,
    b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP \r\nVia: SIP/2.0/UDP [::1]:99999\r\n\r\n",
    b"ARP nobody",
    b"ARP 127.1.1.2:x",
    b"x" * 60_000,
]
STRANGER = "127.9.9.9"


def test_garbage_from_strangers_harms_nobody(tmp_path: Path) -> None:
    pairs = {"edge": {"site": "tokyo", "ports": 1000, "detect": {"by": "vrrp", "advert": "100ms"}}}
    lost = {"name": "lost", "at": "3s", "pair": "edge", "fails": "active"}
    with live(tmp_path, sbc_pairs=pairs, faults=[lost]) as run:
        run.under_way()
        for _ in range(3):
            for address in run.listens():
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    stranger.bind((STRANGER, 0))
                    for data in GARBAGE:
                        stranger.sendto(data, address)
            pass_by(1.0)
        code = run.ended()
    assert "Traceback" not in run.said, run.said
    assert code in (ExitCode.PASSED, ExitCode.INCONCLUSIVE), run.said
    assert run.result["verdict"] == "passed" or "saturated" in run.said


@contextmanager
def thief(address: Address, answers: list[bytes]) -> Iterator[None]:
    """Take what is sent to a service address, and answer all of it, with nothing or with garbage."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.settimeout(0.1)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    _, source = sock.recvfrom(65536)
                    for answer in answers:
                        sock.sendto(answer, source)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("answers", [[], GARBAGE], ids=["nothing", "garbage"])
def test_a_peer_that_answers_nothing_or_garbage_has_failed(tmp_path: Path, answers: list[bytes]) -> None:
    for _ in range(3):  # as above
        with live(tmp_path) as run:
            processes = run.under_way(20_000)
            with thief(SERVICE, answers):
                code = run.ended()
            assert all_gone(*processes)
        if "saturated" not in run.said:
            break
    else:
        pytest.skip("this machine has too much else to do")
    assert code == ExitCode.FAILED, run.said
    assert run.result["verdict"] == "failed"
