"""Processes of a live run: they hear and tell, stopped or not, and none is left behind."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from sbc.live.child import Child
from sbc.live.running import run
from tests.live import until

pytestmark = pytest.mark.slow

ECHO = """
import asyncio, os, signal, subprocess, sys
from sbc.live.child import Child, begin

def hang():
    channel.tell("hangs")
    while True:
        signal.pause()

async def main():
    def of_child(said):
        if said == "hangs":
            hang()
        elif said != "up":
            channel.tell(said)

    def hear(said):
        global child, channel
        if said == "who are you?":
            channel.tell((os.getpid(), os.getpgrp()))
        elif said == "have a child":
            child = Child("echoing")
            child.hear = of_child
            child.tell("who are you?")
        elif said == "stop your child":
            child.stop()
            os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
            channel.tell("stopped")
        elif said == "hang":
            hang()
        elif said == "hang with your child":
            child.tell("hang")
        elif said == "end":
            os._exit(0)
        else:
            channel.tell(said)
    global channel
    channel = begin(hear)
    channel.tell("up")
    await asyncio.get_running_loop().create_future()

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.fixture
def echoing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that repeats what it is told, on the path of processes that are started."""
    (tmp_path / "echoing.py").write_text(ECHO)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return "echoing"


class Started:
    """A child, and what it has told."""

    def __init__(self, module: str) -> None:
        self.heard: list[object] = []
        self.ends = 0
        self.child = Child(module)
        self.child.hear, self.child.ended = self.heard.append, self._ended

    def _ended(self) -> None:
        self.ends += 1

    async def answers(self, question: object) -> object:
        """Return the next that it tells, after a question."""
        await until(lambda: "up" in self.heard)
        before = len(self.heard)
        self.child.tell(question)
        await until(lambda: len(self.heard) > before)
        return self.heard[before]


def state(pid: int) -> str:
    """Return the state of a process as proc(5) has it: ``T`` for stopped, empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; one whose parent has not asked yet has, too."""
    return state(pid) in ("", "Z")


def test_a_child_is_told_and_tells_in_a_group_of_its_own(echoing: str) -> None:
    async def scene() -> None:
        it = Started(echoing)
        try:
            pid = it.child.pid
            assert await it.answers("who are you?") == (pid, pid) != (os.getpid(), os.getpgrp())
        finally:
            it.child.kill()
        assert state(pid) == ""
        assert it.ends == 0, "it did not end by itself"

    run(scene())


def test_a_child_that_ends_by_itself_is_told_of(echoing: str) -> None:
    async def scene() -> None:
        it = Started(echoing)
        it.child.tell("end")
        await until(lambda: it.ends)
        it.child.kill()
        assert it.ends == 1

    run(scene())


def test_a_stopped_child_keeps_nobody_waiting_and_hears_all_when_it_goes_on(echoing: str) -> None:
    said = [(k, bytes(5_000)) for k in range(1_000)]

    async def scene() -> None:
        it = Started(echoing)
        try:
            await it.answers("hello")
            it.heard.clear()
            it.child.stop()
            await until(lambda: state(it.child.pid) == "T")
            for each in said:
                it.child.tell(each)
            it.child.go_on()
            await until(lambda: len(it.heard) == len(said))
            assert it.heard == said
        finally:
            it.child.kill()

    run(scene())


def test_a_stopped_child_is_ended_with_its_own(echoing: str) -> None:
    async def scene() -> None:
        it = Started(echoing)
        try:
            who = await it.answers("have a child")
            assert isinstance(who, tuple)
            grandchild, _ = who
            await it.answers("stop your child")
            assert state(grandchild) == "T"
            it.child.stop()
            await until(lambda: state(it.child.pid) == "T")
        finally:
            it.child.kill()
        assert state(it.child.pid) == ""
        await until(lambda: is_gone(grandchild))

    run(scene())


def test_a_child_finds_our_packages_where_the_folder_has_some_of_the_same_names(
    echoing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "repository"
    (folder / "sbc").mkdir(parents=True)
    (folder / "sbc/__init__.py").write_text("raise AssertionError('the sbc of the repository')\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)

    async def scene() -> None:
        it = Started(echoing)
        try:
            assert await it.answers("hello") == "hello"
        finally:
            it.child.kill()

    run(scene())


PARENT = """
import asyncio, sys
from sbc.live.child import Child

async def main():
    child = Child("echoing")
    told = []
    def hear(said):
        told.append(said)
        if said == "up":
            child.tell("have a child")
        elif isinstance(said, tuple):
            child.tell(sys.argv[1])
        elif said in ("stopped", "hangs"):
            if said == "stopped":
                child.stop()
            print(child.pid, told[-2][0], flush=True)
    child.hear = hear
    await asyncio.get_running_loop().create_future()

asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["stop your child", "hang with your child"])
def test_who_is_killed_leaves_no_process_behind_that_is_stopped_or_hears_nothing(echoing: str, how: str) -> None:
    async def scene() -> None:
        out = asyncio.subprocess.PIPE
        parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, how, stdout=out)
        try:
            assert parent.stdout is not None
            child, grandchild = map(int, (await parent.stdout.readline()).split())
            if how.startswith("stop"):
                await until(lambda: state(child) == "T" == state(grandchild))
            assert not is_gone(child)
            assert not is_gone(grandchild)
        finally:
            os.kill(parent.pid, signal.SIGKILL)
            await parent.wait()
        await until(lambda: is_gone(child) and is_gone(grandchild))

    run(scene())
