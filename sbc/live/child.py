"""A process of ours, and the channel to it: started, stopped, continued, killed, and never left behind."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from sbc.live.channel import Channel
from sbc.live.search_path import environment

_PR_SET_PDEATHSIG: Final = 1


class Child:
    """A Python module that runs as a process of its own; its only argument is the number of its end of the channel."""

    def __init__(self, module: str) -> None:
        self.hear: Callable[[object], None] = lambda said: None
        """Gets what it tells."""
        self.ended: Callable[[], None] = lambda: None
        """Called once if it ends by itself."""
        ours, theirs = socket.socketpair()
        with theirs:
            # Modules of this program only. Ctrl-C is for who started us, who says what ends and in which order.
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", module, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                process_group=0,
                env=environment(),
            )
        self._channel = Channel(ours, lambda said: self.hear(said), lambda: self.ended())

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def tell(self, said: object) -> None:
        """Tell it something; while it is stopped that waits."""
        self._channel.tell(said)

    def stop(self) -> None:
        """Let it do nothing any more, SIGSTOP; its sockets stay open."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on, SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, SIGKILL, stopped or not; returns when it is gone."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


def begin(hear: Callable[[object], None]) -> Channel:
    """Return a child's end of the channel; the process ends when its parent does, or hangs up."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return Channel(socket.socket(fileno=int(sys.argv[1])), hear, lambda: os._exit(0))
