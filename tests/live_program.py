"""`kirikae run --engine live` as a program of its own: watched, signalled, and asked what it left behind."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sbc.endpoints.wire import Address
from sbc.sip.errors import ParseError
from sbc.sip.message import Request, Response, parse
from tests.captures import frames

WITHIN = 30.0
"""Seconds after which what has not happened never will; those of a machine that has much to do."""
SERVICE, LINE = Address("127.1.1.2"), Address("127.251.1.1")
"""Of a drill of one site, pair and trunk: the pair's address, and the carrier's end of the line."""

DRILL: dict[str, Any] = {
    "kirikae": 1,
    "name": "a pair under a little load",
    "run": {"for": "6s", "warm": False},
    "sites": {"tokyo": {}},
    "sbc_pairs": {"edge": {"site": "tokyo", "ports": 1000, "detect": {"by": "vrrp", "advert": "1s"}}},
    "trunks": {"ntt": {"via": "edge", "channels": 1000}},
    "numbers": {"03-1234-5678": {"trunk": "ntt"}},
    "traffic": [{"to": "03-1234-5678", "arrivals": "20/s", "talk": "1s", "patience": "2s"}],
    "expect": ["asr > 90%"],
}


def until(condition: Callable[[], object], within: float = WITHIN) -> None:
    """Wait until something holds; TimeoutError if it does not."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.002)  # between two looks at what another process has done, which nothing tells


def pass_by(seconds: float) -> None:
    """Let a time pass that another process is to be stopped for, or to have for something."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() >= end)


def _proc(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def state(pid: int) -> str:
    """Return the state of a process as proc(5) has it: ``T`` for stopped, empty if there is none."""
    return _proc(pid, "stat").rpartition(")")[2].strip()[:1]


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; one whose parent has not asked for it yet has, too."""
    return state(pid) in ("", "Z")


def descendants(pid: int) -> dict[int, str]:
    """Return the processes that a process has started, and those that they have: their ids and command lines."""
    found: dict[int, str] = {}
    for child in map(int, _proc(pid, f"task/{pid}/children").split()):
        found[child] = _proc(child, "cmdline").replace("\0", " ")
        found |= descendants(child)
    return found


class Live:
    """A run."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.process = process
        self.said = ""
        """What it said on its standard output and on its standard error, once it has ended."""

    def under_way(self, written: int = 30_000) -> dict[int, str]:
        """Wait until calls are made: that much of the capture is written. Return its processes."""
        results = self.folder / "results"

        def so_far() -> int:
            return sum(part.stat().st_size for part in results.glob(".packets.pcap.*.part"))

        until(lambda: self.process.poll() is not None or so_far() >= written)
        processes = descendants(self.process.pid)
        assert self.process.poll() is None, (self.ended(), self.said)
        assert sorted(each.split()[2] for each in processes.values()) == [
            "sbc.live.machine",
            "sbc.live.machine",
            "sbc.live.sip_process",
            "sbc.live.sip_process",
        ]
        return processes

    def ended(self) -> int:
        """Wait for its end, and return its exit code."""
        self.said, _ = self.process.communicate(timeout=WITHIN)
        return self.process.returncode

    @property
    def result(self) -> dict[str, Any]:
        """What it has found out."""
        found = json.loads((self.folder / "results/result.json").read_text("utf-8"))
        assert isinstance(found, dict)
        return found

    def calls(self) -> list[dict[str, str]]:
        """Return its records of calls."""
        with (self.folder / "results/calls.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def listens(self) -> set[Address]:
        """Return the UDP addresses that its processes have."""
        mine = {
            os.readlink(entry)
            for pid in (self.process.pid, *descendants(self.process.pid))
            for entry in Path(f"/proc/{pid}/fd").iterdir()
            if entry.is_symlink()
        }
        found = set()
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
            words = line.split()
            if f"socket:[{words[9]}]" in mine:
                host, port = words[1].split(":")
                found.add(Address(".".join(str(each) for each in reversed(bytes.fromhex(host))), int(port, 16)))
        return found

    def messages(self) -> list[Request | Response]:
        """Return the messages in its capture; what is none is left out."""
        capture = (self.folder / "results/packets.pcap").read_bytes()
        found = []
        for frame in frames(capture):
            try:
                found.append(parse(frame.data))
            except ParseError:
                continue
        return found


@contextmanager
def live(folder: Path, *options: str, limits: Callable[[], None] | None = None, **changes: object) -> Iterator[Live]:
    """Start a run of :data:`DRILL` with whole sections replaced; whatever happens, it and its processes end.

    ``limits`` is called in its process before it begins.
    """
    folder.mkdir(exist_ok=True)
    drill = folder / "drill.yaml"
    drill.write_text(json.dumps({**DRILL, **changes}), "utf-8")
    command = [sys.executable, "-m", "kirikae", "run", str(drill), "--engine", "live", *options]
    with subprocess.Popen(
        [*command, "--out", str(folder / "results")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=limits,
    ) as process:
        try:
            yield Live(folder, process)
        finally:
            left = descendants(process.pid)
            process.kill()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
