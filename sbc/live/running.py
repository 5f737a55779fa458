"""How a process of a live run runs: one event loop, and no garbage collector."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sbc.quiet import collector_off

try:
    import uvloop
except ImportError:  # the extra `fast` brings it
    _uvloop: Callable[[], asyncio.AbstractEventLoop] | None = None
else:
    _uvloop = uvloop.new_event_loop

_T = TypeVar("_T")


def run(main: Coroutine[Any, Any, _T], *, fast: bool = False) -> _T:
    """Run a coroutine to its end, and return what it returns.

    ``fast`` asks for uvloop, where it is installed. It is not the default: on it nobody hears that a datagram was
    refused (see :mod:`sbc.live.udp`), so that what a run finds out would depend on what happens to be installed.
    """
    with collector_off(), asyncio.Runner(loop_factory=_uvloop if fast else None) as runner:
        return runner.run(main)
