"""Simulated time that keeps step with a clock, so that timers, people and faults share one agenda with real sockets."""

import asyncio
from collections.abc import Callable
from math import inf

import simpy

STEPS_AT_ONCE = 20
"""Events carried out before sockets get their turn again; a loop takes one datagram from each socket in its turn."""


class PacedEnvironment(simpy.Environment):
    """Carries out each event when a clock says that it is due, on the loop that is running.

    What comes from sockets and processes comes in by :meth:`outside`. An event that is late happens at the time it was
    due for, so that a schedule does not drift; how late the loop was is what :attr:`late` hears.
    """

    def __init__(self, clock: Callable[[], float], starts: float) -> None:
        """``clock``: seconds since the start of the run, negative before it; ``starts``: the first moment played."""
        super().__init__(initial_time=starts)
        self._clock = clock
        self._armed: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[None] | None = None
        self._until = inf
        self.late: Callable[[float], None] = lambda seconds: None
        """Hears before each event how much later than due it is carried out, seconds."""

    def outside(self, happens: Callable[[], None]) -> None:
        """Let something happen that comes from outside, now: after all that was due before.

        What it raises, :meth:`play` raises.
        """
        try:
            clock = min(self._clock(), self._until)
            while (due := self.peek()) <= clock:
                self.late(self._clock() - due)
                self.step()
            self._now = max(self._now, clock)
            happens()
        except BaseException as error:  # noqa: BLE001 - play() raises it, Ctrl-C included
            self.fail(error)
        else:
            self._arm()

    async def play(self, until: float) -> None:
        """Carry out events until a moment; raises what an event, or whatever came from outside, raises."""
        self._over, self._until = asyncio.get_running_loop().create_future(), until
        self._turn()
        try:
            await self._over
        finally:
            if self._armed is not None:
                self._armed.cancel()
                self._armed = None

    def finish(self) -> None:
        """End :meth:`play` now."""
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def fail(self, error: BaseException) -> None:
        """End :meth:`play` with an error."""
        if self._over is not None and not self._over.done():
            self._over.set_exception(error)

    def _turn(self) -> None:
        self._armed = None
        try:
            for _ in range(STEPS_AT_ONCE):
                clock, due = self._clock(), self.peek()
                if due > clock or due > self._until:
                    break
                self.late(clock - due)
                self.step()
        except BaseException as error:  # noqa: BLE001 - play() raises it, Ctrl-C included
            self.fail(error)
            return
        self._arm()

    def _arm(self) -> None:
        over = self._over
        if over is None or over.done():
            return
        due = min(self.peek(), self._until)
        wait = due - self._clock()
        if wait <= 0 and due == self._until < self.peek():
            self._now = self._until
            over.set_result(None)
            return
        loop = over.get_loop()
        when = loop.time() + max(wait, 0.0)
        if self._armed is not None:
            if self._armed.when() <= when:
                return
            self._armed.cancel()
        self._armed = loop.call_at(when, self._turn)
