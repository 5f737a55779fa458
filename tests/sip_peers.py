"""Other people's SIP programs beside a :class:`~tests.sip_shell.Shell`: started, led, and asked what they saw."""

import csv
import json
import socket
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.lab import peer
from tests.sip_shell import HOST, LONGEST, Program, Shell, free_port

SCENARIOS = Path(__file__).parent / "sipp"


class Verdict(NamedTuple):
    """What a SIPp that has ended thinks of its calls."""

    status: int
    """0 if all were good."""
    successful: int
    failed: int
    complaints: str


def good(calls: int) -> Verdict:
    """Return the verdict on calls that were all good."""
    return Verdict(0, calls, 0, "")


class Sipp:
    """A SIPp, and what it says of its calls."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program = program
        self._folder = folder

    def verdict(self) -> Verdict:
        """Return what it thinks of its calls, once it has ended."""
        assert self.program.status is not None
        counts = self.statistics()
        path = self._folder / "errors.log"
        complaints = path.read_text("utf-8", "replace") if path.exists() else ""
        return Verdict(self.program.status, counts["SuccessfulCall(C)"], counts["FailedCall(C)"], complaints)

    def statistics(self) -> dict[str, int]:
        """Return the numbers that it had at its end, by their columns."""
        with (self._folder / "stat.csv").open(newline="") as file:
            *_, last = csv.DictReader(file, delimiter=";")
        return {name: int(value) for name, value in last.items() if name and value and value.isdecimal()}

    def messages(self) -> str:
        """Return every message that it sent and received, and those that it lost on purpose."""
        return (self._folder / "messages.log").read_text("utf-8", "replace")

    def has_ended(self) -> bool:
        """Say whether it has ended."""
        return self.program.has_ended()


@contextmanager
def sipp(shell: Shell[Any], folder: Path, scenario: str, *options: str | int, calls: int = 1) -> Iterator[Sipp]:
    """Start a SIPp that calls the shell, with a scenario that it has itself (``uac``) or ours (``uac_holds.xml``)."""
    named = ["-sf", SCENARIOS / scenario] if scenario.endswith(".xml") else ["-sn", scenario]
    files = ["-trace_stat", "-stf", "stat.csv", "-trace_err", "-error_file", "errors.log"]
    files += ["-trace_msg", "-message_file", "messages.log"]
    bounds = ["-m", calls, "-timeout", f"{LONGEST:.0f}s", "-timeout_error", "-nostdin"]
    command = [peer("sipp"), f"{HOST}:{shell.port}", *named, "-i", HOST, *files, *bounds, *options]
    with shell.program([str(word) for word in command], folder) as program:
        yield Sipp(program, folder)


@contextmanager
def sipp_server(
    shell: Shell[Any], folder: Path, port: int, scenario: str, *options: str | int, calls: int = 1
) -> Iterator[Sipp]:
    """Start a SIPp that waits for calls on a port, and yield it once it listens."""
    with sipp(shell, folder, scenario, "-p", port, *options, calls=calls) as started:
        shell.await_listener(port, started.program)
        yield started


@contextmanager
def sipsak(shell: Shell[Any], folder: Path, *options: str | int) -> Iterator[Program]:
    """Start sipsak, as chatty as it can be."""
    with shell.program([peer("sipsak"), "-vvv", *map(str, options)], folder) as program:
        yield program


class Baresip:
    """A baresip, led by its control connection."""

    def __init__(self, shell: Shell[Any], program: Program, control: socket.socket, port: int) -> None:
        self.program = program
        self.port = port
        self.events: list[dict[str, Any]] = []
        """What it has told of registrations and calls."""
        self._shell = shell
        self._control = control
        self._unread = b""
        shell.watch(control, self._read)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """Return its events of one kind, such as ``REGISTER_OK`` or ``CALL_ESTABLISHED``."""
        return [event for event in self.events if event.get("type") == kind]

    def ask(self, command: str, params: str = "") -> None:
        """Let it do something, as a person would type it: ``dial``, ``hangup``, ``quit``."""
        text = json.dumps({"command": command, "params": params})
        self._control.sendall(f"{len(text)}:{text},".encode())

    def _read(self) -> None:
        """Take what has come as netstrings of JSON."""
        data = self._control.recv(65536)
        if not data:
            self._shell.unwatch(self._control)
        self._unread += data
        while (colon := self._unread.find(b":")) > 0:
            end = colon + 1 + int(self._unread[:colon])
            if len(self._unread) <= end:
                break
            self.events.append(json.loads(self._unread[colon + 1 : end]))
            self._unread = self._unread[end + 1 :]


def configure_baresip(folder: Path, host: str, port: int, control: int, account: str, *settings: str) -> list[str]:
    """Write the files of a baresip that needs no sound card, and return the command that starts it."""
    speech = folder / "speech.wav"
    with wave.open(str(speech), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * int(LONGEST)))
    config = [
        f"sip_listen {host}:{port}",
        f"net_interface {host}",
        f"ctrl_tcp_listen {host}:{control}",
        f"audio_source aufile,{speech}",
        "audio_player aubridge,none",
        "audio_alert aubridge,none",
        "module_path /usr/lib/baresip/modules",
        "module g711.so",
        "module aufile.so",
        "module aubridge.so",
        "module_tmp account.so",
        "module_app menu.so",
        "module_app ctrl_tcp.so",
        *settings,
    ]
    (folder / "config").write_text("\n".join(config) + "\n", "utf-8")
    (folder / "accounts").write_text(account + "\n", "utf-8")
    (folder / "contacts").write_text("", "utf-8")
    return [peer("baresip"), "-4", "-f", str(folder)]


@contextmanager
def baresip(shell: Shell[Any], folder: Path, account: str, *settings: str) -> Iterator[Baresip]:
    """Start a baresip with one account, and yield it once it can be led."""
    port, control = free_port(), free_port()
    with shell.program(configure_baresip(folder, HOST, port, control, account, *settings), folder) as program:
        shell.await_listener(control, program)
        with socket.create_connection((HOST, control), timeout=LONGEST) as connection:
            led = Baresip(shell, program, connection, port)
            try:
                yield led
            finally:
                shell.unwatch(connection)
