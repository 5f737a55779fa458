"""A stand-in for a real SBC pair on loopback: text in, text out, with nothing of ours in it but the sockets' addresses.

It routes without state (RFC 3261 §16.11), gives each side a Call-ID of its own as back-to-back SBCs do, and is silent
while a file says so.
"""

import re
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

from tests.live import here

_SENT_BY = re.compile(rb"SIP/2\.0/UDP ([0-9.]+):([0-9]+)")
_BRANCH = re.compile(rb"branch=([^;,\r\n]+)")
_MARK = b"-other-side"


class LoopbackSbc:
    """The pair: `outside` and `inside` are its service addresses, `carrier` and `centre` where it sends calls."""

    def __init__(self, silent: Path) -> None:
        """It answers at its service addresses unless the file ``silent`` is there."""
        self.outside, self.inside, self.carrier, self.centre = here(), here(), here(), here()
        self.nodes = (here(), here())
        self.passed: list[bytes] = []
        """First lines of what it has sent on."""
        self.seen: list[bytes] = []
        """What has come to its service addresses, whole."""
        self._silent = silent
        self._open = True

    @contextmanager
    def running(self) -> Iterator["LoopbackSbc"]:
        """Serve until the context ends."""
        with ExitStack() as stack:
            addresses = (self.outside, self.inside, *self.nodes)
            sockets = []
            for address in addresses:
                sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                sock.bind(address)
                sockets.append(sock)
            thread = threading.Thread(target=self._serve, args=(sockets,))
            thread.start()
            try:
                yield self
            finally:
                self._open = False
                thread.join()

    def methods(self) -> list[str]:
        """Return the methods of the requests that it has sent on."""
        return [line.split()[0].decode() for line in self.passed if not line.startswith(b"SIP/2.0")]

    def _serve(self, sockets: list[socket.socket]) -> None:
        outside, inside = sockets[:2]
        while self._open:
            for sock in select.select(sockets, [], [], 0.05)[0]:
                data, source = sock.recvfrom(65_535)
                service = sock in (outside, inside)
                if service and self._silent.exists():
                    continue
                if service:
                    self.seen.append(data)
                first = data.partition(b"\r\n")[0]
                if first.startswith(b"OPTIONS") and b";tag=" not in _field(data, b"To"):
                    sock.sendto(_ok(data), source)
                elif service:
                    self.passed.append(first)
                    self._pass(data, inside if sock is outside else outside, to_centre=sock is outside)

    def _pass(self, data: bytes, by: socket.socket, *, to_centre: bool) -> None:
        call = _field(data, b"Call-ID")
        other = call + _MARK if to_centre else call.removesuffix(_MARK)
        if data.startswith(b"SIP/2.0"):
            head = data.replace(b"Call-ID: " + call, b"Call-ID: " + other, 1)
            vias = [line for line in head.split(b"\r\n") if line.startswith(b"Via:")]
            head = head.replace(vias[0] + b"\r\n", b"", 1)
            sent_by = _SENT_BY.search(vias[1])
            assert sent_by is not None
            by.sendto(head, (sent_by[1].decode(), int(sent_by[2])))
            return
        branch = _BRANCH.search(_field(data, b"Via"))
        assert branch is not None
        own = by.getsockname()
        lines = [line for line in data.split(b"\r\n") if not line.startswith(b"Route:")]
        via = f"Via: SIP/2.0/UDP {own[0]}:{own[1]};branch=z9hG4bK{sha256(branch[1]).hexdigest()[:16]}"
        sides = (self.inside, self.outside) if to_centre else (self.outside, self.inside)
        routes = [f"Record-Route: <sip:{side.host}:{side.port};lr>".encode() for side in sides]
        lines[1:1] = [via.encode(), *routes]
        data = b"\r\n".join(lines).replace(b"Call-ID: " + call, b"Call-ID: " + other, 1)
        by.sendto(data, self.centre if to_centre else self.carrier)


def _field(data: bytes, name: bytes) -> bytes:
    found = re.search(rb"^" + name + rb": *([^\r\n]*)", data, re.MULTILINE)
    assert found is not None, data
    return found[1]


def _ok(data: bytes) -> bytes:
    kept = [line for line in data.split(b"\r\n") if line.startswith((b"Via:", b"From:", b"To:", b"Call-ID:", b"CSeq:"))]
    kept = [line + b";tag=1" if line.startswith(b"To:") else line for line in kept]
    return b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0", b"", b""])
