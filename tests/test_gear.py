"""Commands on real gear: bounded, undone in any case, in reverse and once; and one run at a time."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sbc.live import processes
from sbc.live.gear import (
    CommandFailedError,
    Gear,
    GearError,
    Health,
    NotReadyError,
    NotUndoneError,
    Waiting,
    deeds_of,
    real_gear,
)
from sbc.live.locks import LockError, Locks, state_folder
from sbc.live.processes import execute
from scenarios.addresses import Address, parse_address
from scenarios.commands import parse_command
from scenarios.model import Drill
from tests.gear import NODES, log, logged, plan

# Commands


def test_a_command_that_succeeds_is_done() -> None:
    assert execute(parse_command("true"), 10).done


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["sh", "-c", "echo why; exit 3"], "failed with exit code 3\nwhy"),
        (["sh", "-c", "kill -9 $$"], "was ended by SIGKILL"),
        (["sh", "-c", "kill -40 $$"], "was ended by signal 40"),
        (["no-such-program"], "could not be started: No such file or directory"),
        (["sh", "-c", "read x || exit 4"], "failed with exit code 4"),
    ],
    ids=["exit code", "signal", "real-time signal", "not there", "nobody answers"],
)
def test_a_command_that_fails_says_why(line: list[str], told: str) -> None:
    ran = execute(parse_command(line), 10)
    assert (ran.done, ran.told) == (False, told)


def ends(pid: int, within: float) -> bool:
    """Whether a process has ended, or does so in a time, in seconds; who collects it is not our business."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], within)[0])
    finally:
        os.close(handle)


@pytest.mark.slow
@pytest.mark.parametrize("trap", ["", "trap '' TERM;"], ids=["obeys", "ignores SIGTERM"])
def test_a_command_whose_time_is_over_is_ended_with_its_children(
    tmp_path: Path, trap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_GRACE", 0.2)
    line = ["sh", "-c", f"{trap} sleep 60 & echo $! > {tmp_path}/pid; wait"]
    ran = execute(parse_command(line), 2.0)
    assert (ran.done, ran.told) == (False, "was not over after 2s, and was ended")
    assert ends(int((tmp_path / "pid").read_text()), 30)


def test_what_a_command_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    assert execute(parse_command(["sh", "-c", f"sleep 30 & echo $! > {tmp_path}/pid"]), 10).done
    left = int((tmp_path / "pid").read_text())
    assert not ends(left, 0)
    os.kill(left, signal.SIGKILL)


def test_a_secret_reaches_the_command_and_nothing_that_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SBC_KEY", "s3cret-s3cret")
    line = parse_command(
        ["sh", "-c", f"echo $1 > {tmp_path}/got; echo bad key: $1 >&2; exit 1", "x", "k=${env:SBC_KEY}"]
    )
    ran = execute(line, 10)
    assert (tmp_path / "got").read_text() == "k=s3cret-s3cret\n"
    assert ran.told == "failed with exit code 1\nbad key: k=***"
    for program in ("/${env:SBC_KEY}", "/no\\${env:SBC_KEY}"):
        assert "s3cret" not in execute(parse_command([program]), 10).told


def test_of_much_that_is_said_the_end_is_told_without_half_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SBC_KEY", "s3cret!")
    code = (
        "import sys; print(sys.argv[1] * 20_000); [print(n, sys.argv[1]) for n in range(int(sys.argv[2]))]; sys.exit(1)"
    )
    line = [sys.executable, "-c", code, "${env:SBC_KEY}"]
    few = execute(parse_command([*line, 2]), 30)
    assert few.told.splitlines() == ["failed with exit code 1", "0 ***", "1 ***"]
    many = execute(parse_command([*line, 50]), 30)
    assert many.told.splitlines() == ["failed with exit code 1", *(f"{n} ***" for n in range(40, 50))]


def test_a_secret_that_is_gone_when_it_is_needed_is_named() -> None:
    assert "NOBODY_SET_THIS" in execute(parse_command("x ${env:NOBODY_SET_THIS}"), 10).told


def test_without_room_for_what_it_says_a_command_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    assert execute(parse_command("true"), 10).done
    assert execute(parse_command("false"), 10).told == "failed with exit code 1"


# A run


def begin(run: AbstractContextManager[object]) -> None:
    """Begin a run that must not begin."""
    with run:
        raise AssertionError


def struck(run: AbstractContextManager[Gear], *faults: str, then: Callable[[], object] = lambda: None) -> None:
    """Bring faults about in a run, and do something else in it."""
    with run as gear:
        for fault in faults:
            gear.strike(fault)
        then()


class VirtualTime:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.at = 0.0
        self.waiting = Waiting(now=lambda: self.at, pause=self.pause)

    def pause(self, seconds: float) -> None:
        self.at += seconds


def well(node: Address) -> None:
    """Answer for a node that is well."""


def on(
    folder: Path, drill: Drill, said: list[str] | None = None, healthy: Health = well, holder: str = "me"
) -> AbstractContextManager[Gear]:
    """Return a run on real gear, with a clock that only waiting moves."""
    say: Callable[[str], None] = (said if said is not None else []).append
    return real_gear(
        drill, healthy=healthy, folder=folder / "locks", holder=holder, say=say, waiting=VirtualTime().waiting
    )


def test_what_was_done_is_undone_in_reverse_and_once(tmp_path: Path) -> None:
    with on(tmp_path, plan(tmp_path, a={}, b={}, c={}, d={})) as gear:
        for fault in "abc":
            gear.strike(fault)
        gear.mend("b")
        gear.mend("b")
        gear.mend("d")
        assert log(tmp_path) == ["run a", "run b", "run c", "undo b"]
    assert log(tmp_path) == ["run a", "run b", "run c", "undo b", "undo c", "undo a"]


def test_a_command_that_failed_half_way_is_undone_as_well(tmp_path: Path) -> None:
    half = {"run": logged(tmp_path, "half", "exit 7")}
    with on(tmp_path, plan(tmp_path, a=half)) as gear, pytest.raises(CommandFailedError, match="exit code 7"):
        gear.strike("a")
    assert log(tmp_path) == ["half", "undo a"]


def test_a_command_that_takes_too_long_is_undone_as_well(tmp_path: Path) -> None:
    slow = {"run": logged(tmp_path, "slow", "exec sleep 60"), "timeout": "300ms"}
    with on(tmp_path, plan(tmp_path, a=slow)) as gear, pytest.raises(CommandFailedError, match="not over after 300ms"):
        gear.strike("a")
    assert log(tmp_path) == ["slow", "undo a"]


def test_whatever_ends_a_run_it_is_undone_and_the_error_is_kept(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        struck(on(tmp_path, plan(tmp_path, a={})), "a", then=lambda: 1 // 0)
    assert log(tmp_path) == ["run a", "undo a"]


def test_what_cannot_be_undone_does_not_keep_the_rest_and_is_told_with_the_command(tmp_path: Path) -> None:
    bad = {"undo": logged(tmp_path, "bad", "echo no route; exit 1")}
    with pytest.raises(NotUndoneError) as raised:
        struck(on(tmp_path, plan(tmp_path, a={}, b=bad, c={})), *"abc")
    assert log(tmp_path)[3:] == ["undo c", "bad", "undo a"]
    text = str(raised.value)
    assert "THE GEAR IS NOT AS IT WAS" in text
    assert "b: to undo it failed with exit code 1\nno route\nRun by hand:  sh -c" in text
    assert "undo a" not in text


def test_an_undo_is_verified_until_its_time_is_over(tmp_path: Path) -> None:
    third = {"verify": logged(tmp_path, "look", f"test $(grep -c look {tmp_path}/log) -ge 3")}
    with on(tmp_path, plan(tmp_path, a=third)) as gear:
        gear.strike("a")
    assert log(tmp_path) == ["run a", "undo a", "look", "look", "look"]
    never = {"verify": "false", "timeout": "3s"}
    with (
        pytest.raises(NotUndoneError, match="seemed to work, but false failed"),
        on(tmp_path, plan(tmp_path, a=never)) as gear,
    ):
        gear.strike("a")


def test_nothing_is_done_while_a_node_is_not_well(tmp_path: Path) -> None:
    asked = []

    def one_is_down(node: Address) -> str | None:
        asked.append(str(node))
        return "no answer to OPTIONS" if node.host == "127.0.0.3" else None

    with pytest.raises(NotReadyError, match=r"tokyo-edge: udp:127.0.0.3:5070 is not well: no answer to OPTIONS"):
        begin(on(tmp_path, plan(tmp_path, a={}), healthy=one_is_down))
    assert asked == NODES
    assert log(tmp_path) == []


def test_nothing_is_done_while_a_secret_is_missing(tmp_path: Path) -> None:
    secret = {"undo": "x ${env:NOBODY_SET_THIS}"}
    with pytest.raises(NotReadyError, match="NOBODY_SET_THIS"):
        begin(on(tmp_path, plan(tmp_path, a=secret)))
    assert log(tmp_path) == []


def test_nodes_are_asked_again_after_the_undo_and_have_time_to_come_back(tmp_path: Path) -> None:
    answers: Iterator[str | None] = iter([None, None, "booting", "booting", None, None])
    with on(tmp_path, plan(tmp_path, a={}), healthy=lambda node: next(answers)) as gear:
        gear.strike("a")
    assert list(answers) == []


def test_a_node_that_does_not_come_back_is_told(tmp_path: Path) -> None:
    def gone_when_struck(node: Address) -> str | None:
        if log(tmp_path):
            raise OSError(113, "No route to host")
        return None

    with (
        pytest.raises(NotUndoneError, match=r"127.0.0.2:5070 is not well 30s after all was undone: cannot be asked"),
        on(tmp_path, plan(tmp_path, a={}), healthy=gone_when_struck) as gear,
    ):
        gear.strike("a")


def test_nodes_that_nothing_was_done_to_are_not_asked_again(tmp_path: Path) -> None:
    answers: Iterator[str | None] = iter([None, None])
    with on(tmp_path, plan(tmp_path, a={}), healthy=lambda node: next(answers)) as gear:
        assert "a" in gear
        assert "b" not in gear
    assert log(tmp_path) == []


def test_a_terminal_that_is_gone_keeps_nothing_from_being_undone(tmp_path: Path) -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError

    with real_gear(plan(tmp_path, a={}), healthy=well, folder=tmp_path / "locks", holder="me", say=gone) as gear:
        gear.strike("a")
    assert log(tmp_path) == ["run a", "undo a"]


def test_a_pair_that_is_emulated_is_never_touched(tmp_path: Path) -> None:
    drill = plan(tmp_path, a={}).model_copy(update={"targets": {}})
    assert deeds_of(drill) == {}
    with on(tmp_path, drill) as gear:
        assert "a" not in gear


def test_after_the_end_nothing_more_is_done(tmp_path: Path) -> None:
    with on(tmp_path, plan(tmp_path, a={})) as gear:
        pass
    with pytest.raises(CommandFailedError, match="the run is over"):
        gear.strike("a")
    assert log(tmp_path) == []


def test_all_that_goes_wrong_with_gear_is_of_one_kind() -> None:
    assert {NotReadyError, CommandFailedError, NotUndoneError} == set(GearError.__subclasses__())


# Locks


def test_a_second_run_on_the_same_address_is_told_who_has_it(tmp_path: Path) -> None:
    with on(tmp_path, plan(tmp_path, a={}), holder="hana, drill 1"):
        with pytest.raises(LockError, match=r"hana, drill 1 is using 127\.0\.0\.1-5070"):
            begin(on(tmp_path, plan(tmp_path, b={})))
        with Locks(tmp_path / "locks", [parse_address("udp:127.0.0.9")], "other gear"):
            pass
    with on(tmp_path, plan(tmp_path, b={})):
        pass


def test_runs_that_share_one_address_exclude_each_other_and_none_keeps_half(tmp_path: Path) -> None:
    one, two, three = (parse_address(f"udp:127.0.0.{last}") for last in (1, 2, 3))
    with Locks(tmp_path, [two, three], "first"):
        with pytest.raises(LockError, match="first"):
            begin(Locks(tmp_path, [one, two], "second"))
        with Locks(tmp_path, [one], "third"):
            pass


def test_udp_and_tcp_of_one_host_and_port_are_the_same_gear(tmp_path: Path) -> None:
    with Locks(tmp_path, [parse_address("udp:127.0.0.1")], "first"), pytest.raises(LockError):
        begin(Locks(tmp_path, [parse_address("tcp:127.0.0.1")], "second"))


def test_a_folder_that_cannot_be_written_is_a_reason_not_to_begin(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("no folder")
    with pytest.raises(LockError, match="without a lock nothing is sent"):
        begin(on(tmp_path, plan(tmp_path, a={})))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"owed": 5}', "\x00\xff"])
def test_a_lock_with_a_note_that_is_none_is_taken(tmp_path: Path, text: str) -> None:
    (tmp_path / "127.0.0.1-5060.lock").write_text(text)
    with Locks(tmp_path, [parse_address("udp:127.0.0.1")], "me") as locks:
        assert locks.owed == ()


def test_the_locks_of_a_user_stand_in_the_state_folder() -> None:
    assert state_folder({"XDG_STATE_HOME": "/x"}) == Path("/x/kirikae/targets")
    assert (
        state_folder({}) == state_folder({"XDG_STATE_HOME": "relative"}) == Path.home() / ".local/state/kirikae/targets"
    )


# Ended from outside


@contextmanager
def running(folder: Path, where: str) -> Iterator[subprocess.Popen[str]]:
    """Start a run in a process of its own, and give it away when it is where it waits."""
    for name in ("here", "go"):
        os.mkfifo(folder / name)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.gear", str(folder), where],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            (folder / "here").read_text()
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("where", ["command", "run"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_a_run_and_everything_is_undone(tmp_path: Path, where: str, number: signal.Signals) -> None:
    with running(tmp_path, where) as process:
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert log(tmp_path) == ["run first", "run second", "undo second", "undo first"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_no_signal_stops_an_undo(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path, "undo") as process:
        assert process.stdout is not None
        for _ in range(2):
            process.send_signal(number)
            while "cannot be stopped" not in process.stdout.readline():
                assert process.poll() is None
        (tmp_path / "go").write_text("go\n")
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert log(tmp_path) == ["run first", "run second", "undo second", "undo first"]


@pytest.mark.slow
def test_a_run_that_was_killed_blocks_nobody_and_what_it_left_is_told_until_a_run_has_begun(tmp_path: Path) -> None:
    with running(tmp_path, "run") as process:
        with pytest.raises(LockError, match=f"process {process.pid} is using"):
            begin(on(tmp_path, plan(tmp_path, a={})))
        process.kill()
        process.communicate(timeout=30)
    assert log(tmp_path) == ["run first", "run second"]
    for _ in range(2):
        said: list[str] = []
        with pytest.raises(NotReadyError):
            begin(on(tmp_path, plan(tmp_path, a={}), said, healthy=lambda node: "down"))
        assert [line.rpartition("undone: ")[2].partition(":")[0] for line in said] == ["second", "first"]
        assert all("sh -c" in line for line in said)
    said = []
    with on(tmp_path, plan(tmp_path, a={}), said):
        assert len(said) == 2
    said = []
    with on(tmp_path, plan(tmp_path, a={}), said):
        assert said == []


@pytest.mark.parametrize("stop", [Gear.abandon, Gear.close], ids=["asked", "over"])
def test_a_command_that_is_being_started_when_the_run_is_stopped_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: Callable[[Gear], object]
) -> None:
    start: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen
    slow = {"run": ["sleep", "60"], "timeout": "50s"}
    with on(tmp_path, plan(tmp_path, a=slow, b={})) as gear:
        stopping = threading.Thread(target=stop, args=(gear,))

        def stopped_meanwhile(*words: Any, **options: Any) -> subprocess.Popen[bytes]:
            monkeypatch.undo()
            process = start(*words, **options)
            stopping.start()
            while not (gear._abandoned or gear._closed):
                os.sched_yield()
            return process

        monkeypatch.setattr(subprocess, "Popen", stopped_meanwhile)
        with pytest.raises(CommandFailedError, match="a: its command was ended by SIGTERM"):
            gear.strike("a")
        stopping.join(30)
        with pytest.raises(CommandFailedError, match="b: the run is over"):
            gear.strike("b")
    assert log(tmp_path) == ["undo a"]


@pytest.mark.slow
def test_an_engine_that_can_stop_in_good_order_is_asked_to_and_its_command_is_ended(tmp_path: Path) -> None:
    with running(tmp_path, "loop") as process:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    assert "in good order: second: its command was ended by SIGTERM" in said
    assert process.returncode == 0
    assert log(tmp_path) == ["run first", "run second", "undo second", "undo first"]
