"""`kirikae run --engine packets` as a user meets it; a stand-in plays `calls` and puts a few real calls on the wire."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from typer.testing import CliRunner

from kirikae import runner
from kirikae.cli import app
from kirikae.runner import Play
from reports.files import ReportError
from reports.folder import CALLS, JOURNAL, PACKETS, WIRE, WireTee, capture_file, detail_files
from reports.snapshot import Snapshot
from scenarios.loader import load_text
from sim.traffic import load
from tests import packet_calls
from tests.captures import frames
from tests.packet_calls import Unheard, Wire, recorded

PLAN = """
kirikae: 1
name: a small plan
run: {for: 5m, warm: true, replications: 3}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 60}}
trunks: {ntt: {via: edge, channels: 60}}
numbers: {03-1234-5678: {trunk: ntt}}
traffic: [{to: 03-1234-5678, arrivals: 0.2/s, talk: 1m}]
faults: [{name: node-dies, at: 1m, pair: edge, fails: active}]
expect: [failed_ratio < 10%]
"""
USUAL = {"result.json", "replications.json", "junit.xml", "report.html", CALLS, JOURNAL}


class Done(NamedTuple):
    """What a command has left behind."""

    code: int
    out: str
    err: str
    files: set[str]
    """In the folder of the results."""


Replay = Callable[..., Done]


@pytest.fixture
def replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """Run the small plan with the stand-in; results go to the folder `out`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(runner.ENGINES, "packets", packet_calls.engine)
    Path("plan.kirikae.yaml").write_text(PLAN, encoding="utf-8")

    def run(*words: str) -> Done:
        command = ["run", "plan.kirikae.yaml", "--workers", "1", *words]
        done = CliRunner(env={"COLUMNS": "200"}).invoke(app, command)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Done(done.exit_code, done.stdout, done.stderr, names(tmp_path / "out"))

    return run


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


PACKETS_RUN = ("--engine", "packets", "--out", "out")


def twice(tmp_path: Path, module: str, replications: str) -> list[dict[str, bytes]]:
    """Run the small plan in processes of their own, whose hashes of text differ; return the files of each."""
    (tmp_path / "plan.kirikae.yaml").write_text(PLAN, encoding="utf-8")
    words = (*PACKETS_RUN, "--workers", "1", "--replications", replications, "--detail", "0")
    root = str(Path(__file__).parent.parent)
    found = []
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-m", module, "run", "plan.kirikae.yaml", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": seed},
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, 3), done.stderr
        assert f"Replication 0 in full: out/{CALLS}, out/{JOURNAL}, out/{PACKETS}, out/{WIRE}".encode() in done.stdout
        out = tmp_path / "out"
        assert names(out) == USUAL | {PACKETS, WIRE}
        found.append({name: (out / name).read_bytes() for name in (PACKETS, WIRE, JOURNAL, CALLS, "result.json")})
    return found


@pytest.mark.parametrize("replications", ["1", "3"])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, replications: str) -> None:
    one, other = twice(tmp_path, "tests.packet_calls", replications)
    assert one == other
    assert [frame.data for frame in frames(one[PACKETS])] == [each.data for each in recorded(lost=[1])]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_of_a_whole_drill(tmp_path: Path) -> None:
    one, other = twice(tmp_path, "kirikae", "2")
    assert one == other
    assert sum(1 for _ in frames(one[PACKETS])) > 1000


@pytest.mark.slow
def test_a_drill_read_from_bytes_is_the_same_drill(tmp_path: Path) -> None:
    drill = load_text(PLAN, "plan").drill
    found = []
    for strict in (False, True):
        out = tmp_path / str(strict)
        with detail_files(out) as recorder, capture_file(out) as wire:
            runner.record(drill, 1, 0, recorder, "packets", wire=wire, strict=strict)
        found.append([(out / name).read_bytes() for name in (PACKETS, WIRE, JOURNAL, CALLS)])
    assert found[0] == found[1]


def test_the_engine_is_named_wherever_the_run_is(replay: Replay) -> None:
    assert "packets engine" in replay(*PACKETS_RUN).out
    assert json.loads(Path("out/result.json").read_bytes())["engine"] == "packets"
    assert "--engine packets" in Path("out/report.html").read_text("utf-8")
    assert 'name="engine" value="packets"' in Path("out/junit.xml").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (PACKETS_RUN, USUAL | {PACKETS, WIRE}),
        ((*PACKETS_RUN, "--no-pcap"), USUAL),
        (("--out", "out"), USUAL),
        ((*PACKETS_RUN, "--no-calls"), USUAL - {CALLS, JOURNAL}),
    ],
)
def test_no_capture_is_left_of_an_earlier_run(replay: Replay, words: tuple[str, ...], left: set[str]) -> None:
    assert PACKETS in replay(*PACKETS_RUN).files
    done = replay(*words)
    assert done.files == left
    assert (PACKETS in done.out) == (PACKETS in left)


def test_a_moment_is_shown_and_nothing_is_written(replay: Replay) -> None:
    done = replay("--engine", "packets", "--seed", "4", "--detail", "2", "--at", "25.505s")
    assert done.code == 0
    assert "Replication 2, seed 4, packets engine" in done.out
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    now = lines.index("25.505 <<< this moment", lines.index("time (s) from to message"))
    assert lines[now - 1].startswith("25.505 edge/1 -> ")
    assert "25.504 alice -> edge/1 BYE sip:198.51.100.1:5060 SIP/2.0" in lines[:now]
    assert lines[now + 1] == "25.506 bob -> edge/1 SIP/2.0 200 OK (BYE)"
    assert names(Path()) == {"plan.kirikae.yaml"}


def test_a_moment_is_that_of_the_replication_that_was_written_in_full(replay: Replay) -> None:
    replay(*PACKETS_RUN, "--detail", "1")
    lines = [json.loads(line) for line in Path("out", JOURNAL).read_text("utf-8").splitlines()]
    [taken] = [line for line in lines if line["kind"] == "takeover"]
    told = replay("--engine", "packets", "--detail", "1", "--at", "2m").out
    words = [" ".join(line.split()) for line in told.splitlines()]
    assert any(line.startswith(f"edge edge/2 {taken['at']:.3f} s") for line in words)
    assert any(line.startswith("node-dies 60.000 s, for 1m") for line in words)


def test_a_moment_with_a_folder_leaves_the_files_of_its_replication(replay: Replay) -> None:
    done = replay(*PACKETS_RUN, "--detail", "2", "--at", "2m")
    assert done.files == {CALLS, JOURNAL, PACKETS, WIRE}
    assert "Replication 2 in full" in done.out
    alone = {name: Path("out", name).read_bytes() for name in (CALLS, JOURNAL, PACKETS, WIRE)}
    replay(*PACKETS_RUN, "--detail", "2")
    assert alone == {name: Path("out", name).read_bytes() for name in alone}


def test_calls_has_moments_too_but_no_messages(replay: Replay) -> None:
    told = replay("--at", "61s").out
    assert "node lost" in told
    assert "SIP/2.0" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--engine", "packet"], "--engine packet: there is no such engine"),
        (["--engine", "packet"], "did you mean 'packets'"),
        (["--at", "612.3s"], "--at 612.3s: the run is over by then (allowed: 0s to 5m)"),
        (["--at", "61"], "--at 61: 61 has no unit; write 61s"),
        (["--at=-5s"], "--at -5s: a duration cannot be negative (allowed: a moment of the run, 0s to 5m)"),
        (["--at", "soon"], "--at soon: 'soon' is not a duration"),
        (["--at", "1m", "--json", "-"], "--at shows a moment and judges nothing: there is no result for --json"),
        (["--at", "1m", "--detail", "3"], "--detail 3: there is no such replication (allowed 0 to 2)"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(replay: Replay, words: list[str], told: str) -> None:
    done = replay(*words)
    assert done.code == 2
    assert told in done.err
    assert names(Path()) == {"plan.kirikae.yaml"}


@pytest.mark.parametrize("at", ["0s", "5m"])
def test_both_ends_of_the_run_are_moments_of_it(replay: Replay, at: str) -> None:
    done = replay("--engine", "packets", "--at", at)
    assert done.code == 0
    assert "calls up" in done.out


def test_strict_wire_reaches_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def spy(*words: object, **options: object) -> None:
        asked.append(options)

    monkeypatch.setitem(runner.ENGINES, "packets", spy)
    drill, wire = load_text(PLAN, "plan").drill, Wire()
    runner.record(drill, 1, 0, Unheard(), "packets", wire=wire, strict=True)
    runner.run_all(drill, seed=1, replications=1, engine="packets", strict=True, wire=wire)
    runner.run_all(drill, seed=1, replications=1, engine="packets")
    assert asked == [{"wire": wire, "strict": True}] * 2 + [{"wire": None, "strict": False}]


@pytest.mark.parametrize("more", [["-n", "1"], ["-n", "2"], ["--at", "1m"]])
def test_strict_wire_is_asked_of_every_replication(
    replay: Replay, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    asked: list[bool] = []

    def spy(*words: Any, wire: Any, strict: bool) -> None:
        asked.append(strict)
        packet_calls.engine(*words, wire=wire, strict=strict)

    monkeypatch.setitem(runner.ENGINES, "packets", cast(Play, spy))
    for flag in ([], ["--strict-wire"]):
        asked.clear()
        replay(*PACKETS_RUN, *flag, *more)
        assert asked
        assert set(asked) == {bool(flag)}


def test_a_moment_leaves_no_capture_of_another_run(replay: Replay) -> None:
    assert PACKETS in replay(*PACKETS_RUN).files
    assert replay(*PACKETS_RUN, "--no-pcap", "--at", "1m").files == USUAL


# What goes wrong.


def into(monkeypatch: pytest.MonkeyPatch, full: str) -> None:
    """Put one file on a disk that is full."""
    with_name, unlink = Path.with_name, Path.unlink

    def elsewhere(path: Path, name: str) -> Path:
        return Path("/dev/full") if full in name else with_name(path, name)

    def harmless(path: Path, missing_ok: bool = False) -> None:
        if path != Path("/dev/full"):
            unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "with_name", elsewhere)
    monkeypatch.setattr(Path, "unlink", harmless)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("full", [CALLS, JOURNAL, PACKETS, WIRE])
def test_of_several_files_the_one_that_finds_no_room_is_named_and_none_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    drill = load_text(PLAN, "plan").drill

    def write() -> None:
        with detail_files(tmp_path) as recorder, capture_file(tmp_path) as wire:
            for _ in range(50):
                packet_calls.engine(drill, load(drill, 1, 0), 1, 0, recorder, wire=wire)

    with monkeypatch.context() as patch:
        into(patch, full)
        with pytest.raises(ReportError, match=f"{full}: No space left"):
            write()
    assert names(tmp_path) == set()


def test_a_run_that_breaks_off_leaves_no_capture(tmp_path: Path) -> None:
    def break_off() -> None:
        with capture_file(tmp_path) as wire:
            packet_calls.play(wire)
            assert len(names(tmp_path)) == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert names(tmp_path) == set()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_capture_without_room_is_told_and_the_results_are_there(
    replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    into(monkeypatch, PACKETS)
    done = replay(*PACKETS_RUN)
    assert (done.code, done.err.strip()) == (2, f"out/{PACKETS}: No space left on device")
    assert done.files == USUAL - {CALLS, JOURNAL}


@pytest.mark.parametrize(
    ("more", "code", "left"),
    [
        (["-n", "3"], 130, USUAL - {CALLS, JOURNAL}),
        (["-n", "1"], 3, USUAL - {CALLS, JOURNAL}),
        (["--at", "1m"], 130, set()),
    ],
)
def test_ctrl_c_leaves_whole_files_alone(
    replay: Replay, monkeypatch: pytest.MonkeyPatch, more: list[str], code: int, left: set[str]
) -> None:
    """It comes while one replication is written in full."""

    def stopped(*words: Any, wire: Any, strict: bool) -> None:
        packet_calls.engine(*words, wire=wire, strict=strict)
        if wire is not None:
            raise KeyboardInterrupt

    monkeypatch.setitem(runner.ENGINES, "packets", cast(Play, stopped))
    done = replay(*PACKETS_RUN, *more)
    assert (done.code, done.files) == (code, left)


def test_several_takers_hear_the_same() -> None:
    one, other = Wire(), Wire()
    packet_calls.play(WireTee(one, other))
    assert one.records == other.records == recorded()


def test_a_moment_keeps_little_of_a_long_run() -> None:
    """Digests are kept for 32 s, calls and entries as counts or a few."""
    drill = load_text(PLAN, "plan").drill
    snapshot = Snapshot(drill, 290.0)
    packet_calls.play(snapshot, many=50)
    assert len(snapshot._digests) <= 32 / packet_calls.EVERY * 2 * 12
    assert len(snapshot._seen) <= len(snapshot._digests)
