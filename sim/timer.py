"""The slim event: SimPy's stock environment carries it, with one callback list shared by all.

A process for each call costs ten times as much as an event for each call. A timer may be scheduled again while an
earlier entry is still queued; :attr:`Timer.due` tells which entry counts.
"""

from collections.abc import Callable
from math import inf
from typing import Any

import simpy


class Timer(simpy.Event):
    """An event that is scheduled as often as needed; entries before ``due`` are stale and ignored."""

    __slots__ = ("callbacks", "due", "env")

    _ok = True
    _value = None

    def __init__(self, env: simpy.Environment, callbacks: list[Callable[[Any], None]]) -> None:
        self.env = env
        self.callbacks = callbacks
        self.due = inf

    def at(self, when: float) -> None:
        """Fire at ``when``; the environment adds a delay to its time, and so ``due`` is rounded as the sum will be."""
        now = self.env.now
        delay = when - now
        self.due = now + delay
        self.env.schedule(self, delay=delay)

    def stale(self, callbacks: list[Callable[[Any], None]]) -> bool:
        """Make ready for the next entry, and say whether the one that fired counts no more."""
        self.callbacks = callbacks
        return self.env.now < self.due


def later(env: simpy.Environment, delay: float, action: Callable[[], None]) -> None:
    """Carry out ``action`` after ``delay`` seconds."""
    timer = Timer(env, [lambda _: action()])
    timer.at(env.now + delay)
