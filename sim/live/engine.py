"""The `live` engine: one replication of a drill with real SIP on real sockets, in real time."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, cast

from sbc.endpoints.centre_reports import HangUp as HangUpThere
from sbc.endpoints.subscriber import EndAll
from sbc.endpoints.wire import Address
from sbc.live.child import Child
from sbc.live.clock import Clock
from sbc.live.running import run
from sbc.live.sockets import Sockets
from scenarios.evidence import Direction, EventKind, Recorder, WireRecorder
from scenarios.load import CallerBlock
from scenarios.model import Drill
from sim.live.echo import Echo
from sim.live.lateness import Lateness
from sim.live.network import LOOPBACK, LiveNetwork
from sim.live.paced import PacedEnvironment
from sim.live.pairs import MACHINE, LiveError, LivePairs
from sim.log import Log
from sim.packets.engine import Replication
from sim.packets.host import Host
from sim.packets.network import Network
from sim.packets.pairs import Parts
from sim.packets.stage import SbcPairs, Stage
from sim.timer import later
from sim.traffic import warm_up

STARTS_WITHIN: Final = 60.0
"""Seconds that the processes of all nodes may take to start."""
ENDS_WITHIN: Final = 2.0
"""Seconds that calls may take to end after the run."""
LOOKS_EVERY: Final = 0.05
"""Seconds after which it is looked again whether they have."""
ECHO: Final = Address("127.252.0.1", 5_091)
"""Where the generator talks to itself."""
LEFT_ALONE: Final = 10.0
"""Seconds after which people hang up who have not heard that the other end has: as long as people stand a silence."""
LEAD: Final = 0.5
"""Seconds before the first caller in which the nodes take their addresses."""


class LiveStage(Stage):
    """Sockets on loopback, and the clock on the wall."""

    addresses = LOOPBACK

    def __init__(
        self,
        clock: Clock,
        now: Callable[[], float],
        starts: float,
        machines: list[Child],
        wire: WireRecorder | None,
    ) -> None:
        """``now``: the time of the run; ``machines``: processes that are up, for the nodes of all pairs."""
        self.env: PacedEnvironment = PacedEnvironment(now, starts)
        self.sockets = Sockets()
        self._clock = clock
        self._machines = machines
        self._wire = wire
        self._network: LiveNetwork
        self.live_pairs: LivePairs
        self._ends: Callable[[], None] = lambda: None
        """Ends the processes of the pairs, once there are any."""

    def network(self, log: Log) -> Network:
        """Return a network of sockets, none open."""
        self._network = LiveNetwork(self.env, log, self.sockets, wire=self._wire)
        return self._network

    def pairs(self, network: Network, parts: Parts) -> SbcPairs:
        """Return pairs whose nodes are processes."""
        self.live_pairs = LivePairs(self.env, self._clock.origin, self._machines, self._network, parts)
        self._ends = self.live_pairs.close
        return self.live_pairs

    def listen_to_itself(self, lateness: Lateness) -> None:
        """Measure how long what arrives has to wait."""

        def hear(late: object) -> None:
            assert isinstance(late, float)  # noqa: S101 - it reports nothing else
            lateness.late(late)

        host = Host(self.env, self._network, "echo", hear)
        self._network.place(ECHO.host, "echo")
        self._network.hold(host, ECHO)
        host.start(Echo(self.env.now, ECHO))

    def unheard(self) -> None:
        """Let nobody hear any more what goes over the network."""
        self._network.unheard()

    async def close(self) -> None:
        """End the processes of all pairs, and close all sockets."""
        self._ends()
        await self.sockets.close()


def play(
    drill: Drill,
    load: list[Iterator[CallerBlock]],
    seed: int,
    replication: int,
    recorder: Recorder,
    *,
    wire: WireRecorder | None = None,
    strict: bool = True,
) -> None:
    """Play one replication from its warm-up to the end of the run, and hand all evidence to ``recorder``.

    As :func:`sim.packets.engine.play`; receivers always parse. Raises LiveError where it cannot go on, BindError where
    an address cannot be had.
    """
    del strict
    run(_play(drill, load, seed, replication, recorder, wire))


async def _play(
    drill: Drill,
    load: list[Iterator[CallerBlock]],
    seed: int,
    replication: int,
    recorder: Recorder,
    wire: WireRecorder | None,
) -> None:
    machines = [Child(MACHINE) for _ in range(2 * len(drill.sbc_pairs))]
    stage: LiveStage | None = None
    try:
        await _all_up(machines)
        clock, starts = Clock(), -warm_up(drill) - LEAD
        stage = LiveStage(clock, lambda: starts + clock.now(), starts, machines, wire)
        staged = Replication(drill, seed, replication, recorder, stage)
        stage.live_pairs.ask_around = staged.carrier.tell
        _let_the_other_end_hang_up(stage.env, staged)
        lateness = Lateness()
        stage.env.late = lateness.late
        stage.listen_to_itself(lateness)
        staged.begin(load)
        try:
            with _sigterm_as_ctrl_c():
                await stage.env.play(drill.run.lasts)
        except asyncio.CancelledError:
            cast("asyncio.Task[None]", asyncio.current_task()).uncancel()
            staged.log.entry(EventKind.STOPPED, drill.name)
        except BaseException as error:  # noqa: BLE001 - it is raised again
            stage.unheard()  # what it could not write may be why
            try:
                await _end_calls(stage.env, staged)
            finally:
                raise error
        lateness.tell(staged.log)
        staged.close()
        await _end_calls(stage.env, staged)
    finally:
        for machine in machines:
            machine.kill()
        if stage is not None:
            await stage.close()


async def _all_up(machines: list[Child]) -> None:
    """Wait until all processes have started; raises LiveError if one does not."""
    loop = asyncio.get_running_loop()
    up = [loop.create_future() for _ in machines]
    for machine, each in zip(machines, up, strict=True):
        machine.hear = each.set_result
        machine.ended = partial(each.set_exception, LiveError("a process of an SBC node has ended by itself"))
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            await asyncio.gather(*up)
    except TimeoutError:
        raise LiveError(f"the processes of the SBC nodes have not started within {STARTS_WITHIN:g} s") from None


def _let_the_other_end_hang_up(env: PacedEnvironment, staged: Replication) -> None:
    """Whoever is left in a call hangs up as well after a while: a BYE that meets a dead pair comes nowhere."""
    far = staged.callers.hang_up_far

    def both(key: str, direction: Direction) -> None:
        leg = staged.callers.leg(key)
        far(key, direction)
        later(env, LEFT_ALONE, lambda: staged.centre.tell(HangUpThere(leg)))

    staged.callers.hang_up_far = both


async def _end_calls(env: PacedEnvironment, staged: Replication) -> None:
    """Let all people hang up, and wait for a while until nobody is left in a call: each hears a BYE.

    Nobody calls any more, and nothing of this is written down but what goes over the network.
    """
    staged.log.mute()
    staged.callers.dial = staged.callers.place = lambda call, number: None
    staged.carrier.tell(EndAll())

    def look() -> None:
        if not staged.in_progress() and not staged.inside():
            env.finish()
        else:
            later(env, LOOKS_EVERY, look)

    look()
    await env.play(env.now + ENDS_WITHIN)


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM cancel the task that is running, as Ctrl-C does on a loop of asyncio."""
    task, before = asyncio.current_task(), signal.getsignal(signal.SIGTERM)
    assert task is not None  # noqa: S101 - called in a task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)
