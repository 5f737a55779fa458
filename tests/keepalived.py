"""A real keepalived pair in network namespaces of its own, and the wire between them in the hands of the test.

The two nodes are joined by no bridge: a third namespace holds the far ends of their cables, and whoever reads there
carries each frame over, or does not. So every advert is seen, timed, and may be lost on purpose.
"""

import ctypes
import os
import select
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import IPv4Address
from math import inf
from pathlib import Path
from typing import Final, NamedTuple

from tests.lab import peer

ADDRESSES: Final = (IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2"))
GROUP: Final = IPv4Address("224.0.0.18")
LONGEST: Final = 20.0
"""Seconds that any wait may take."""

_CLONE_NEWNET: Final = 0x40000000
_ETH_P_ALL: Final = 3
_IPV4, _ARP = 0x0800, 0x0806
_VRRP: Final = 112


class Instance(NamedTuple):
    """One virtual router, on both nodes."""

    router: int
    version: int
    advert: float
    """Seconds."""
    priorities: tuple[int, int]
    track: int | None = None
    """Seconds between two checks of what stands for a SIP process, :meth:`Node.process`."""

    @property
    def address(self) -> IPv4Address:
        """The address that its master holds."""
        return IPv4Address(f"192.0.2.{self.router}")


class Seen(NamedTuple):
    """An advert, or a gratuitous ARP, as it came to the wire."""

    at: float
    node: int
    router: int
    priority: int | None
    """Of an advert; None for a gratuitous ARP."""
    data: bytes
    """The advert behind the IP header."""
    carried: bool
    """Whether the other node got it."""


class Wire:
    """The far ends of the two cables. All waiting is done here, and frames are carried while it lasts."""

    def __init__(self, ends: tuple[socket.socket, socket.socket], log: Callable[[], str]) -> None:
        self.seen: list[Seen] = []
        self.loses: Callable[[Seen], bool] = lambda seen: False
        """Says which adverts are lost."""
        self._ends = ends
        self._log = log

    def run(self, until: Callable[[], object], *, for_: float = LONGEST) -> None:
        """Carry frames until a condition holds; raises TimeoutError, with the nodes' logs, if it does not."""
        limit = time.monotonic() + for_
        while not until():
            if time.monotonic() >= limit:
                raise TimeoutError(f"{for_} s have passed; the nodes say:\n{self._log()}")
            self.turn(limit)

    def carry(self, until: float) -> None:
        """Carry frames until a moment."""
        while time.monotonic() < until:
            self.turn(until)

    def turn(self, until: float) -> None:
        """Carry what has come, or wait for the next frame, but not beyond a moment."""
        readable, _, _ = select.select(self._ends, [], [], max(0.0, until - time.monotonic()))
        for end in readable:
            node = self._ends.index(end)
            frame, (_, _, kind, *_) = end.recvfrom(65535)
            if kind == socket.PACKET_OUTGOING:
                continue
            seen = _read(time.monotonic(), node, frame)
            if seen is not None:
                seen = seen._replace(carried=seen.priority is None or not self.loses(seen))
                self.seen.append(seen)
            if seen is None or seen.carried:
                with suppress(OSError):  # the other's interface is down
                    self._ends[1 - node].send(frame)

    def inject(self, node: int, source: IPv4Address, target: IPv4Address, data: bytes) -> None:
        """Send a node an advert of ours, by multicast."""
        head = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0xC0, 20 + len(data), 0, 0, 255, _VRRP, 0, source.packed, target.packed
        )
        total = sum(struct.unpack("!10H", head))
        total = (total & 0xFFFF) + (total >> 16)
        head = head[:10] + (~total & 0xFFFF).to_bytes(2, "big") + head[12:]
        mac = bytes.fromhex("01005e000012") + bytes.fromhex("020000000033")
        self._ends[node].send(mac + _IPV4.to_bytes(2, "big") + head + data)

    def announced(self, node: int, instance: Instance, after: float = 0.0) -> float:
        """Return when a node first sent a gratuitous ARP for a virtual router after a moment; ``inf`` for never."""
        return next(
            (
                seen.at
                for seen in self.seen
                if (seen.node, seen.router, seen.priority) == (node, instance.router, None) and seen.at > after
            ),
            inf,
        )

    def adverts(self, node: int, instance: Instance, after: float = 0.0) -> list[Seen]:
        """Return the adverts that a node has sent for a virtual router after a moment."""
        return [
            seen
            for seen in self.seen
            if (seen.node, seen.router) == (node, instance.router) and seen.priority is not None and seen.at > after
        ]


def _read(at: float, node: int, frame: bytes) -> Seen | None:
    """Return what a frame says about virtual routers, if it does."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == _IPV4 and frame[23] == _VRRP:
        data = frame[14 + 4 * (frame[14] & 0xF) : 14 + int.from_bytes(frame[16:18], "big")]
        return Seen(at, node, data[1], data[2], data, True)
    if kind == _ARP and frame[28:32] == frame[38:42]:
        return Seen(at, node, frame[31], None, b"", True)
    return None


def refusal() -> str | None:
    """Return why no namespace can be made here; None where one can."""
    if os.geteuid() != 0:
        return "needs root: it makes network namespaces"
    try:
        with namespace(f"kkh{os.getpid()}"):
            return None
    except subprocess.CalledProcessError as error:
        return f"needs the right to make network namespaces: {error.stderr.decode().strip()}"


@contextmanager
def pair(folder: Path, instances: Sequence[Instance]) -> Iterator[tuple[Wire, "Node", "Node"]]:
    """Start a keepalived pair; it is gone without trace when the context ends."""
    name = f"kkh{os.getpid()}"
    logs: list[Path] = []
    with ExitStack() as stack:
        spaces = [stack.enter_context(namespace(f"{name}{end}")) for end in "abw"]
        for node, space in enumerate(spaces[:2]):
            ip("link", "add", "ha", "netns", space, "type", "veth", "peer", "name", f"end{node}", "netns", spaces[2])
            ip("-n", spaces[2], "link", "set", f"end{node}", "up")
            ip("-n", space, "link", "set", "lo", "up")
            ip("-n", space, "address", "add", f"{ADDRESSES[node]}/24", "dev", "ha")
            ip("-n", space, "link", "set", "ha", "up")
        first, second = (stack.enter_context(_end(spaces[2], f"end{node}")) for node in (0, 1))
        nodes = []
        for node, space in enumerate(spaces[:2]):
            home = folder / f"node{node}"
            home.mkdir()
            process = home / "process"
            process.touch()
            (home / "keepalived.conf").write_text(_configuration(node, instances, process))
            logs.append(home / "log")
            nodes.append(Node(space, stack.enter_context(_keepalived(space, home)), process))
        yield Wire((first, second), lambda: "\n".join(log.read_text() for log in logs)), nodes[0], nodes[1]


class Node:
    """One node: its namespace and its daemon."""

    def __init__(self, space: str, daemon: "subprocess.Popen[bytes]", process: Path) -> None:
        self._space = space
        self._daemon = daemon
        self._process = process

    def process(self, *, works: bool) -> None:
        """Let its checks succeed or fail from now on."""
        if works:
            self._process.touch()
        else:
            self._process.unlink()

    def stop(self) -> None:
        """Ask its daemon to end."""
        self._daemon.terminate()

    @contextmanager
    def interface_down(self) -> Iterator[float]:
        """Take its interface down, and up again when the context ends; yields when it was done."""
        before = time.monotonic()
        ip("-n", self._space, "link", "set", "ha", "down")
        try:
            yield (before + time.monotonic()) / 2
        finally:
            ip("-n", self._space, "link", "set", "ha", "up")


@contextmanager
def namespace(name: str) -> Iterator[str]:
    """Make a network namespace, and remove it."""
    ip("netns", "add", name)
    try:
        yield name
    finally:
        ip("netns", "delete", name)


@contextmanager
def _end(space: str, interface: str) -> Iterator[socket.socket]:
    """Open a cable's end for reading and writing whole frames; the thread is back in its own namespace afterwards."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{space}") as there:
        _enter(libc, there.fileno())
        try:
            end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
            end.bind((interface, _ETH_P_ALL))
        finally:
            _enter(libc, home.fileno())
    with end:
        yield end


def _enter(libc: ctypes.CDLL, descriptor: int) -> None:
    if libc.setns(descriptor, _CLONE_NEWNET):  # os.setns comes with Python 3.12
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def _keepalived(space: str, home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [
        peer("ip"), "netns", "exec", space, peer("keepalived"), "--dont-fork", "--log-console", "--vrrp",
        "--use-file", str(home / "keepalived.conf"), "--pid", str(home / "pid"), "--vrrp_pid", str(home / "vrrp_pid"),
    ]  # fmt: skip
    with open(home / "log", "wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as daemon:
        try:
            yield daemon
        finally:
            daemon.terminate()
            try:
                daemon.wait(LONGEST)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _configuration(node: int, instances: Sequence[Instance], process: Path) -> str:
    parts = ["global_defs {\n script_user root\n }"]
    for each in instances:
        tracked = ""
        if each.track is not None:
            check = f'script "{shutil.which("test")} -e {process}"\n interval {each.track}\n fall 1\n rise 1'
            parts.append(f"vrrp_script check{each.router} {{\n {check}\n }}")
            tracked = f"track_script {{\n check{each.router}\n }}"
        parts.append(
            f"""vrrp_instance router{each.router} {{
                state BACKUP
                interface ha
                version {each.version}
                virtual_router_id {each.router}
                priority {each.priorities[node]}
                advert_int {each.advert:g}
                virtual_ipaddress {{
                    {each.address}/24
                }}
                {tracked}
            }}"""
        )
    return "\n".join(parts)


def ip(*arguments: str) -> None:
    """Run ip(8); raises CalledProcessError."""
    subprocess.run([peer("ip"), *arguments], check=True, capture_output=True)
