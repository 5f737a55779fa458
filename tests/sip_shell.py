"""A minimal shell that puts a sans-IO SIP core on sockets of 127.0.0.1, for lab tests with other people's programs.

One thread and one selector, bounded in time: it waits on sockets and programs until the core's deadline, never longer.
What it adds to the core is what RFC 3261 §18 leaves to the transport, with RFC 3581: `received` and `rport` in the Via
of requests that come, and responses sent to where that Via says.
"""

import os
import selectors
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any, Generic, NamedTuple, Self, TypeAlias, TypeVar

from sbc.sip.call import Way
from sbc.sip.errors import ParseError
from sbc.sip.fields import Via
from sbc.sip.framing import KeepAlive, StreamFramer, datagram
from sbc.sip.grammar import Params
from sbc.sip.headers import Headers
from sbc.sip.message import Request, Response
from sbc.sip.testkit import Party
from sbc.sip.transaction import Flow, Send
from sbc.sip.uri import SipUri, Uri

HOST = "127.0.0.1"
LONGEST = 30.0
"""Seconds that any wait may take."""

READS = ("0A", "07")
"""How /proc/net writes the states of a TCP socket that listens and of a UDP socket that is bound."""

P = TypeVar("P", bound=Party)
Message: TypeAlias = Request | Response


class Udp(NamedTuple):
    """Datagrams to and from one address; like every flow, opaque to the core."""

    host: str
    port: int

    @property
    def reliable(self) -> bool:
        return False


class Tcp:
    """One connection, equal only to itself."""

    reliable = True

    def __init__(self, sock: socket.socket, *, opened_here: bool) -> None:
        sock.settimeout(LONGEST)  # for a peer that does not read; reading happens when there is something to read
        self.sock = sock
        self.framer = StreamFramer(opened_here=opened_here)


class Wire(NamedTuple):
    """A message as it went over a socket."""

    at: float
    sent: bool
    flow: Flow
    message: Message

    @property
    def what(self) -> str:
        """Method, or status and method: ``INVITE``, ``200 INVITE``."""
        if isinstance(self.message, Request):
            return self.message.method
        return f"{self.message.status} {self.message.cseq.method}"


class Program:
    """A program that runs beside the shell; what it prints is read as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.printed = ""
        self.status: int | None = None
        """Its exit status once it has ended."""

    def has_ended(self) -> bool:
        """Say whether it has ended."""
        return self.status is not None


class Shell(Generic[P]):
    """A core on one UDP and one TCP socket of the same port, what it told its user, and all that went over the wire.

    `make` is called with the shell and returns the core; `react` is the user, called with the shell and each event of
    the core. Time is seconds since the shell was made.
    """

    def __init__(
        self,
        make: Callable[["Shell[P]"], P],
        react: Callable[["Shell[P]", Any], None] = lambda shell, event: None,
    ) -> None:
        self.react = react
        self.events: list[Any] = []
        self.wire: list[Wire] = []
        self.unreadable: list[ParseError] = []
        self._start = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._connections: set[Tcp] = set()
        self._udp, self._listener = _bind_both()
        self.port: int = self._udp.getsockname()[1]
        self.watch(self._udp, self._receive_datagrams)
        self.watch(self._listener, self._accept)
        self.core = make(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in list(self._connections):
            self._close(connection)
        self._udp.close()
        self._listener.close()
        self._selector.close()

    @property
    def now(self) -> float:
        return time.monotonic() - self._start

    # Flows.

    def to(self, port: int, *, reliable: bool = False) -> Flow:
        """Return a flow to a port of this machine; raises OSError where no connection comes about."""
        if not reliable:
            return Udp(HOST, port)
        return self._connect(socket.create_connection((HOST, port), timeout=LONGEST), opened_here=True)

    def way(self, uri: Uri, flow: Flow | None) -> Way:
        """Return the way to a next hop on this machine, by the connection that there is; what a user agent asks for."""
        if flow is None or not flow.reliable:
            assert isinstance(uri, SipUri)
            flow = self.to(uri.port or 5060, reliable=uri.transport == "tcp")
        return Way(flow, self.via(flow))

    def via(self, flow: Flow) -> Via:
        """Return this side's address on a flow, without a branch."""
        return Via("TCP" if flow.reliable else "UDP", HOST, self.port, Params([("rport", None)]))

    # What happened.

    def sent(self, what: str) -> list[Message]:
        """Return the messages sent of one kind, such as ``BYE`` or ``200 INVITE``."""
        return [each.message for each in self.wire if each.sent and each.what == what]

    def received(self, what: str) -> list[Message]:
        """Return the messages received of one kind."""
        return [each.message for each in self.wire if not each.sent and each.what == what]

    def kinds(self, *, sent: bool) -> list[str]:
        """Return what was sent, or received, in order, without the copies that a busy machine may cause."""
        messages = {each.message: each.what for each in self.wire if each.sent is sent}
        return list(messages.values())

    def has_seen(self, what: str) -> bool:
        """Say whether a message of one kind has gone over the wire."""
        return any(each.what == what for each in self.wire)

    def told(self, kind: type) -> list[Any]:
        """Return the core's events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def ladder(self) -> str:
        """Return the call flow, a message a line."""
        return "\n".join(f"{each.at:8.3f} {'->' if each.sent else '<-'} {each.what}" for each in self.wire)

    # Running.

    def run(self, until: Callable[[], object], *, look_every: float = inf) -> None:
        """Let everything happen until a condition holds; raises TimeoutError, with the call flow, if it does not.

        `look_every` so many seconds is for conditions that no socket, program or timer tells of.
        """
        limit = self.now + LONGEST
        while True:
            self._work()
            if until():
                return
            if self.now >= limit:
                raise TimeoutError(f"{LONGEST} s have passed; what went over the wire:\n{self.ladder()}")
            self._turn(min(self.core.deadline(), limit, self.now + look_every))

    def await_listener(self, port: int, program: Program) -> None:
        """Let everything happen until a program has bound a port; raises ChildProcessError if it ends instead."""

        def is_there() -> bool:
            if program.status is not None:
                raise ChildProcessError(f"it ended with status {program.status}:\n{program.printed}")
            return _is_bound(port)

        self.run(is_there, look_every=0.02)

    def watch(self, source: Any, read: Callable[[], object]) -> None:
        """Call `read` whenever there is something to read from a socket, pipe or file descriptor."""
        self._selector.register(source, selectors.EVENT_READ, read)

    def unwatch(self, source: Any) -> None:
        """Watch it no longer; harmless if it is not watched."""
        if source in self._selector.get_map():
            self._selector.unregister(source)

    @contextmanager
    def program(self, command: Sequence[str | Path], cwd: Path) -> Iterator[Program]:
        """Start a program; it ends when the context does, and its end is noticed at once."""
        with subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            assert process.stdout is not None
            out, end = process.stdout.fileno(), os.pidfd_open(process.pid)
            program = Program(process)

            def read() -> bool:
                data = os.read(out, 65536)
                program.printed += data.decode("utf-8", "replace")
                if not data:
                    self.unwatch(out)
                return bool(data)

            def reap() -> None:
                while read():
                    pass
                program.status = process.wait()
                self.unwatch(end)

            self.watch(out, read)
            self.watch(end, reap)
            try:
                yield program
            finally:
                self.unwatch(out)
                self.unwatch(end)
                os.close(end)
                process.kill()

    def _turn(self, until: float) -> None:
        """Wait for something to read, or for a time."""
        for key, _ in self._selector.select(max(0.0, until - self.now)):
            key.data()
        deadline = self.core.deadline()
        if deadline <= self.now:
            self.core.fire(max(self.now, deadline))

    def _work(self) -> None:
        """Carry out what the core puts out, until it puts out nothing."""
        while outputs := self.core.take():
            for output in outputs:
                if isinstance(output, Send):
                    self._send(output.flow, output.message)
                else:
                    self.events.append(output)
                    self.react(self, output)

    # Out.

    def _send(self, flow: Flow, message: Message) -> None:
        self.wire.append(Wire(self.now, True, flow, message))
        if isinstance(flow, Tcp):
            self._write(flow, message.framed().encode())
        elif isinstance(message, Response):
            self._udp.sendto(message.encode(), _way_back(message.via))
        elif isinstance(flow, Udp):
            self._udp.sendto(message.encode(), flow)

    def _write(self, flow: Tcp, data: bytes) -> None:
        try:
            flow.sock.sendall(data)
        except OSError:
            self._break(flow)

    def _break(self, flow: Tcp) -> None:
        self._close(flow)
        self.core.transport_error(self.now, flow)

    def _close(self, flow: Tcp) -> None:
        self._connections.discard(flow)
        self.unwatch(flow.sock)
        flow.sock.close()

    # In.

    def _receive_datagrams(self) -> None:
        data, source = self._udp.recvfrom(65535)
        try:
            frame = datagram(data)
        except ParseError as error:
            self.unreadable.append(error)
        else:
            if isinstance(frame, Request | Response):
                self._receive(Udp(*source), frame, source)

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        self._connect(sock, opened_here=False)

    def _connect(self, sock: socket.socket, *, opened_here: bool) -> Tcp:
        flow = Tcp(sock, opened_here=opened_here)
        source = sock.getpeername()
        self._connections.add(flow)
        self.watch(sock, lambda: self._read(flow, source))
        return flow

    def _read(self, flow: Tcp, source: tuple[str, int]) -> None:
        try:
            data = flow.sock.recv(65535)
        except OSError:
            data = b""
        if not data:
            self._break(flow)
        for frame in flow.framer.feed(data):
            if isinstance(frame, ParseError):
                self.unreadable.append(frame)
                self._break(flow)
            elif frame is KeepAlive.PING:
                self._write(flow, KeepAlive.PONG.value)
            elif isinstance(frame, Request | Response):
                self._receive(flow, frame, source)

    def _receive(self, flow: Flow, message: Message, source: tuple[str, int]) -> None:
        self.wire.append(Wire(self.now, False, flow, message))
        if isinstance(message, Request):
            via = _as_received(message.via, *source)
            message = message.with_headers(_topmost_via(message.headers, via))
        self.core.receive(self.now, flow, message)


def _as_received(via: Via, host: str, port: int) -> Via:
    """Return a Via with the address that the request came from (RFC 3261 §18.2.1, RFC 3581 §4)."""
    params = via.params
    if via.asks_rport:
        params = params.put("rport", str(port)).put("received", host)
    elif via.host != host:
        params = params.put("received", host)
    return via._replace(params=params)


def _topmost_via(headers: Headers, via: Via) -> Headers:
    """Return the header fields with another topmost Via."""
    _, *below = headers.all("Via")
    return headers.without("Via").prepend("Via", ", ".join([str(via), *below]))


def _way_back(via: Via) -> tuple[str, int]:
    """Return where a response goes over UDP (RFC 3261 §18.2.2, RFC 3581 §4)."""
    return via.received or via.host, via.rport or via.port or 5060


def _bind_both() -> tuple[socket.socket, socket.socket]:
    """Return a UDP and a listening TCP socket of the same port."""
    while True:
        listener = socket.create_server((HOST, 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(listener.getsockname())
        except OSError:
            udp.close()
            listener.close()
        else:
            return udp, listener


def _is_bound(port: int) -> bool:
    """Say whether somebody reads a port; the kernel is asked, as trying to bind it would be in that somebody's way."""
    tables = (Path("/proc/net", name).read_text("ascii") for name in ("tcp", "udp"))
    rows = (line.split() for table in tables for line in table.splitlines())
    return any(local.endswith(f":{port:04X}") and state in READS for _, local, _, state, *_ in rows)


def free_port() -> int:
    """Return a port that is free for UDP and TCP."""
    udp, listener = _bind_both()
    with udp, listener:
        return int(udp.getsockname()[1])
