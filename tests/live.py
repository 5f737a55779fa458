"""Real sockets in tests: addresses of this process alone, waiting with a bound, and a loop in virtual time."""

import asyncio
import functools
import inspect
import itertools
import os
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from sbc.endpoints.wire import SIP_PORT, Address, Datagram
from sbc.live.running import run
from sbc.live.sockets import Sockets

WITHIN = 5.0
"""Seconds after which what has not happened never will; nothing is to take so long."""

OPTIONS = b"\r\n".join(
    [
        b"OPTIONS sip:anybody@127.0.0.1 SIP/2.0",
        b"Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1",
        b"From: <sip:somebody@127.0.0.1>;tag=1",
        b"To: <sip:anybody@127.0.0.1>",
        b"Call-ID: 1",
        b"CSeq: 1 OPTIONS",
        b"Max-Forwards: 70",
        b"Content-Length: 0",
        b"",
        b"",
    ]
)

_hosts = itertools.count(1)


def here(port: int = SIP_PORT) -> Address:
    """Return an address of 127.0.0.0/8 that no other test of this process has, and no process that runs beside it."""
    number = os.getpid() % 0xFFFF
    return Address(f"127.{1 + number % 250}.{number // 250 % 250}.{next(_hosts)}", port)


async def until(condition: Callable[[], object], within: float = WITHIN) -> None:
    """Wait until something holds; TimeoutError if it does not."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.001)


@asynccontextmanager
async def sockets(**options: Any) -> AsyncIterator[Sockets]:
    """Yield the sockets of a process, and close them; a task that fails fails the test."""
    failed: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, told: failed.append(told))
    opened = Sockets(**options)
    try:
        yield opened
    finally:
        await opened.close()
    assert failed == [], failed


def on_each_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on asyncio's own loop and, if it is here, on uvloop, as a live run does."""
    takes = inspect.signature(test)
    fast = inspect.Parameter("fast", inspect.Parameter.KEYWORD_ONLY)

    @functools.wraps(test)
    def on_one(*, fast: bool, **arguments: Any) -> None:
        if fast:
            pytest.importorskip("uvloop")
        run(test(**arguments), fast=fast)

    vars(on_one)["__signature__"] = takes.replace(parameters=[*takes.parameters.values(), fast])
    mark = pytest.mark.parametrize("fast", [False, True], ids=["asyncio", "uvloop"])
    return cast("Callable[..., None]", mark(on_one))


class Ear:
    """A receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.datagrams: list[Datagram] = []
        self.events: list[object] = []

    def receive(self, datagram: Datagram) -> None:
        self.datagrams.append(datagram)

    def tell(self, event: object) -> None:
        self.events.append(event)

    @property
    def data(self) -> list[bytes]:
        return [datagram.data for datagram in self.datagrams]


class _Skipping(selectors.SelectSelector):
    """Waits for nothing, and says how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "nothing will ever happen"
        self.passed += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time goes from timer to timer; sockets are of no use on it."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.passed

    def pass_by(self, seconds: float) -> None:
        """Let time pass as if something kept the loop busy."""
        self._skipping.passed += seconds


def virtually(main: Any) -> None:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main)
