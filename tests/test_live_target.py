"""The user's own pair as the system under test, from the command line: a stand-in on loopback, in real time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.exit_codes import ExitCode
from reports.ladders import RunFolder
from tests.loopback_sbc import LoopbackSbc

NUMBER = "03-1234-5678"
EXACT = 0.2
"""Seconds that an outage may be told wrong by on a busy machine."""


@pytest.fixture
def sbc(tmp_path: Path) -> Iterator[LoopbackSbc]:
    with LoopbackSbc(tmp_path / "silent").running() as running:
        yield running


def silence(folder: Path, **changes: object) -> dict[str, Any]:
    """Return a fault that lets the pair be silent from 1.5 s on for a second."""
    command = {"run": ["touch", str(folder / "silent")], "undo": ["rm", "-f", str(folder / "silent")], "timeout": "5s"}
    fault = {"name": "silence", "at": "1.5s", "for": "1s", "pair": "edge", "fails": "active"}
    return {**fault, "command": {**command, **changes}}


def plan(sbc: LoopbackSbc, folder: Path, key: object = "number", **changes: object) -> Path:
    """Write a drill that is aimed at the pair."""
    target = {
        "outside": {"send_to": f"udp:{sbc.outside}", "listen_on": f"udp:{sbc.carrier}"},
        "inside": {"send_to": f"udp:{sbc.inside}", "listen_on": f"udp:{sbc.centre}"},
        "key": key,
        "nodes": [f"udp:{node}" for node in sbc.nodes],
    }
    drill = {
        "kirikae": 1,
        "name": "a pair of the user's own",
        "run": {"for": "4s", "warm": False},
        "sites": {"tokyo": {}},
        "sbc_pairs": {"edge": {"site": "tokyo", "ports": 100}},
        "trunks": {"ntt": {"via": "edge", "channels": 100}},
        "numbers": {NUMBER: {"trunk": "ntt"}},
        "traffic": [{"to": NUMBER, "arrivals": "10/s", "talk": "1s"}],
        "faults": [silence(folder)],
        "targets": {"edge": target},
        "expect": ["failed == 0", "dropped == 0", "answered >= 5", "takeover_time{pair=edge} <= 2s"],
        **changes,
    }
    path = folder / "plan.kirikae.yaml"
    path.write_text(json.dumps(drill))
    return path


def command(path: Path, *words: str) -> list[str]:
    out = str(path.parent / "out")
    return [sys.executable, "-m", "kirikae", "run", str(path), "--engine", "live", "--out", out, *words]


def run(path: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    state = {**os.environ, "XDG_STATE_HOME": str(path.parent / "state")}
    return subprocess.run(command(path, *words), capture_output=True, text=True, timeout=60, env=state, check=False)


def journal(path: Path, kind: str) -> list[dict[str, Any]]:
    lines = (path.parent / "out" / "journal.jsonl").read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if entry["kind"] == kind]


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("key", ["number", {"header": "X-Correlation-ID"}])
def test_calls_pass_through_a_pair_that_is_not_ours_and_its_outage_is_seen(
    sbc: LoopbackSbc, tmp_path: Path, key: object
) -> None:
    path = plan(sbc, tmp_path, key)
    done = run(path, "--allow-exec")
    assert done.returncode == ExitCode.PASSED, done.stdout + done.stderr
    assert done.stderr.startswith("This sends real SIP to real systems.")
    [over] = journal(path, "takeover")
    assert over["detail"]["outage"] == pytest.approx(1.0, abs=EXACT)
    assert not (tmp_path / "silent").exists()
    numbers = {
        line for data in sbc.seen if data.startswith(b"INVITE") for line in data.split(b"\r\n") if b"From" in line
    }
    assert len({line.split(b"@")[0] for line in numbers}) > 5  # each call has a number of its own
    peaks = json.loads((tmp_path / "out" / "result.json").read_text())
    assert "ports_peak{trunk=edge}" not in str(peaks)
    ladder = RunFolder(tmp_path / "out").call("0")
    assert [column.name for column in ladder.columns] == ["carrier", "edge", "contact centre"]
    assert len(ladder.call_ids) == 2, "a leg on each side of the pair, which are known to be one call"
    assert {each.method for each in ladder.messages} >= {"INVITE", "ACK", "BYE"}


@pytest.mark.slow
@pytest.mark.alone
def test_new_calls_wait_for_the_ceiling(sbc: LoopbackSbc, tmp_path: Path) -> None:
    path = plan(
        sbc, tmp_path, faults=[], traffic=[{"to": NUMBER, "arrivals": "5/s", "talk": "10s"}], expect=["failed == 0"]
    )
    done = run(path, "--max-rate", "5/s")
    assert done.returncode in (ExitCode.PASSED, ExitCode.INCONCLUSIVE), done.stdout + done.stderr
    calls = (tmp_path / "out" / "calls.csv").read_text().splitlines()[1:]
    starts = sorted(float(line.split(",")[6]) for line in calls)
    assert all(later - first >= 0.999 for first, later in zip(starts, starts[5:], strict=False)), starts


@pytest.mark.slow
@pytest.mark.alone
def test_ctrl_c_ends_the_calls_undoes_what_was_done_and_writes_the_results(sbc: LoopbackSbc, tmp_path: Path) -> None:
    fault = {
        **silence(tmp_path, run=["touch", str(tmp_path / "struck")], undo=["rm", str(tmp_path / "struck")]),
        "at": "1s",
    }
    del fault["for"]
    path = plan(sbc, tmp_path, faults=[fault], run={"for": "1h", "warm": False}, live={"for": "50s"})
    state = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    with subprocess.Popen(
        command(path, "--allow-exec"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=state
    ) as process:
        limit = time.monotonic() + 30
        while not ((tmp_path / "struck").exists() and sbc.methods().count("ACK") > 5):
            assert time.monotonic() < limit
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INCONCLUSIVE, told
    assert "Undoing silence" in told
    assert not (tmp_path / "struck").exists()
    assert sbc.methods().count("BYE") >= sbc.methods().count("ACK")
    assert (tmp_path / "out" / "result.json").exists()


@pytest.mark.slow
@pytest.mark.alone
def test_a_command_that_fails_makes_the_run_no_evidence(sbc: LoopbackSbc, tmp_path: Path) -> None:
    path = plan(sbc, tmp_path, faults=[silence(tmp_path, run="false")])
    done = run(path, "--allow-exec")
    assert done.returncode == ExitCode.INCONCLUSIVE
    assert "silence: its command" in done.stderr
    assert "Nothing was judged." in done.stderr
    assert sbc.methods().count("BYE") >= sbc.methods().count("ACK")


@pytest.mark.slow
@pytest.mark.alone
def test_what_cannot_be_undone_is_told_and_no_verdict_hides_it(sbc: LoopbackSbc, tmp_path: Path) -> None:
    path = plan(sbc, tmp_path, faults=[silence(tmp_path, verify="false", timeout="1s")])
    done = run(path, "--allow-exec")
    assert done.returncode == ExitCode.INCONCLUSIVE, done.stdout + done.stderr
    assert "THE GEAR IS NOT AS IT WAS." in done.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))
    assert (result["verdict"], result["no_evidence"]) == ("inconclusive", ["the gear is not as it was"])


def test_nothing_is_sent_unless_it_is_allowed(sbc: LoopbackSbc, tmp_path: Path) -> None:
    done = run(plan(sbc, tmp_path))
    assert done.returncode == ExitCode.INVALID
    assert "say --allow-exec if it may" in done.stderr
    assert sbc.seen == []


def test_a_fault_without_a_command_cannot_be_played(sbc: LoopbackSbc, tmp_path: Path) -> None:
    fault = silence(tmp_path)
    del fault["command"]
    done = run(plan(sbc, tmp_path, faults=[fault]), "--allow-exec")
    assert done.returncode == ExitCode.INVALID
    assert "a live run cannot bring 'silence' about" in done.stderr


def test_real_pairs_are_for_runs_in_real_time(sbc: LoopbackSbc, tmp_path: Path) -> None:
    done = run(plan(sbc, tmp_path), "--engine", "packets", "--target", f"edge=udp:{sbc.outside}")
    assert done.returncode == ExitCode.INVALID
    assert "--target: this is for runs in real time" in done.stderr
    assert sbc.seen == []


def test_a_node_that_is_not_well_is_left_alone(sbc: LoopbackSbc, tmp_path: Path) -> None:
    target = json.loads(plan(sbc, tmp_path).read_text())["targets"]["edge"]
    target["nodes"][1] = "udp:127.0.0.1:9"
    done = run(plan(sbc, tmp_path, targets={"edge": target}), "--allow-exec")
    assert done.returncode == ExitCode.INVALID
    assert "edge: udp:127.0.0.1:9 is not well: nothing is heard there" in done.stderr
    assert sbc.seen == []
