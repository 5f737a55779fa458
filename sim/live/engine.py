"""The `live` engine: one replication of a drill with real SIP on real sockets, in real time."""

import asyncio
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, cast

import simpy

from sbc.endpoints.centre_reports import HangUp as HangUpThere
from sbc.endpoints.subscriber import EndAll
from sbc.endpoints.wire import Address
from sbc.live.child import Child
from sbc.live.clock import Clock
from sbc.live.gear import Gear, GearError
from sbc.live.running import run
from sbc.live.sockets import Sockets
from scenarios.evidence import PULSE_EVERY, Direction, EventKind, Pulse, Recorder, WireRecorder
from scenarios.load import CallerBlock
from scenarios.model import Drill
from sim.live.aim import Aim, RealTopology
from sim.live.echo import Echo
from sim.live.lateness import LIMIT, Lateness
from sim.live.network import LOOPBACK, LiveNetwork
from sim.live.paced import PacedEnvironment
from sim.live.pairs import MACHINE, LiveError, LivePairs
from sim.live.real import MixedPairs, RealPairs
from sim.log import Log
from sim.packets.engine import Replication
from sim.packets.host import Host
from sim.packets.network import Network
from sim.packets.pairs import Parts
from sim.packets.stage import SbcPairs, Stage
from sim.packets.topology import Topology
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


class RunTime:
    """The time of a run, which stands still until all is put together: ten thousand phones take a while."""

    def __init__(self, starts: float) -> None:
        """``starts``: the first moment, seconds."""
        self.starts = starts
        self._clock: Clock | None = None

    def begin(self) -> None:
        """Let it go."""
        self._clock = Clock()

    def now(self) -> float:
        """Return the seconds since the start of the run, negative before it."""
        return self.starts if self._clock is None else self.starts + self._clock.now()


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
        drill: Drill,
        aim: Aim | None,
    ) -> None:
        """``now``: the time of the run; ``machines``: processes that are up, for the nodes of all emulated pairs."""
        self.env: PacedEnvironment = PacedEnvironment(now, starts)
        self.sockets = Sockets()
        self._clock = clock
        self._machines = machines
        self._wire = wire
        self._drill = drill
        self._aim = aim
        self._ceiling = None if aim is None else aim.ceiling(drill)
        self._network: LiveNetwork
        self.live_pairs: LivePairs | None = None
        """Those that are emulated; none before the run is put together."""
        self.real_pairs: RealPairs | None = None
        self.places = True
        """Whether calls are placed at all; no more when the run is over."""
        self.asked = 0
        """Calls whose time has come."""
        self.placed = 0

    def network(self, log: Log) -> Network:
        """Return a network of sockets, none open."""
        self._network = LiveNetwork(self.env, log, self.sockets, wire=self._wire)
        return self._network

    def listen(self, staged: Replication) -> None:
        """Let the pairs ask for their calls, and hear of them, in a run that is put together."""
        if self.live_pairs is not None:
            self.live_pairs.ask_around = staged.carrier.tell
        if self.real_pairs is not None:
            self.real_pairs.ask_around = staged.carrier.tell
            staged.hearing.through = self.real_pairs.through

    async def close(self) -> None:
        """End all processes, and close all sockets."""
        if self.live_pairs is not None:
            self.live_pairs.close()
        await self.sockets.close()

    def topology(self, network: Network, drill: Drill) -> Topology:
        """Lay the network out, with real pairs where they are."""
        if self._aim is None:
            return super().topology(network, drill)
        return RealTopology(self._network, drill, self.addresses, self._aim)

    def place(self, act: Callable[[], None]) -> None:
        """Carry out what places a call as soon as the ceiling of new calls lets it."""
        if not self.places:
            return
        self.asked += 1
        now = self.env.now
        wait = 0.0
        if self._ceiling is not None:
            wait = self._ceiling.earliest(now) - now
            self._ceiling.place(now + wait)
        if wait > 0:
            later(self.env, wait, partial(self._act, act))
        else:
            self._act(act)

    def _act(self, act: Callable[[], None]) -> None:
        if self.places:
            self.placed += 1
            act()

    def pairs(self, network: Network, parts: Parts) -> SbcPairs:
        """Return pairs whose nodes are processes, or real."""
        self.live_pairs = LivePairs(self.env, self._clock.origin, self._machines, self._network, parts)
        if self._aim is None:
            return self.live_pairs
        self.real_pairs = RealPairs(self.env, self._network, self._drill, self._aim.gear, parts)
        return MixedPairs(self.live_pairs, self.real_pairs)

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


def play(
    drill: Drill,
    load: list[Iterator[CallerBlock]],
    seed: int,
    replication: int,
    recorder: Recorder,
    *,
    wire: WireRecorder | None = None,
    strict: bool = True,
    aim: Aim | None = None,
    pulse: Callable[[Pulse], None] | None = None,
) -> None:
    """Play one replication from its warm-up to the end of the run, and hand all evidence to ``recorder``.

    As :func:`sim.packets.engine.play`; receivers always parse. ``aim`` is needed for a drill with real pairs. ``pulse``
    hears how the engine keeps up, while it does and on its loop: whoever takes long there makes it late. Raises
    LiveError where it cannot go on, BindError where an address cannot be had, GearError where a fault cannot be brought
    about on a real pair.
    """
    del strict
    if drill.targets and aim is None:
        raise LiveError("the drill has real pairs, and nobody has allowed anything")
    run(_play(drill, load, seed, replication, recorder, wire, aim if drill.targets else None, pulse))


async def _play(
    drill: Drill,
    load: list[Iterator[CallerBlock]],
    seed: int,
    replication: int,
    recorder: Recorder,
    wire: WireRecorder | None,
    aim: Aim | None,
    pulse: Callable[[Pulse], None] | None,
) -> None:
    machines = [Child(MACHINE) for name in drill.sbc_pairs if name not in drill.targets for _ in range(2)]
    stage: LiveStage | None = None
    try:
        await _all_up(machines)
        run_time = RunTime(-warm_up(drill) - LEAD)
        stage = LiveStage(Clock(), run_time.now, run_time.starts, machines, wire, drill, aim)
        staged = Replication(drill, seed, replication, recorder, stage)
        stage.listen(staged)
        _let_the_other_end_hang_up(stage.env, staged)
        lateness = Lateness()
        stage.env.late = lateness.late
        stage.listen_to_itself(lateness)
        if pulse is not None:
            stage.env.process(_beat(stage, staged.log, lateness, pulse))
        staged.begin(load)
        run_time.begin()
        failed: GearError | None = None
        try:
            with _sigterm_as_ctrl_c() if aim is None else _asked_to_stop(aim.gear):
                await stage.env.play(drill.run.lasts)
        except asyncio.CancelledError:
            cast("asyncio.Task[None]", asyncio.current_task()).uncancel()
            staged.log.entry(EventKind.STOPPED, drill.name)
        except GearError as error:
            failed = error
        except BaseException as error:  # noqa: BLE001 - it is raised again
            stage.unheard()  # what it could not write may be why
            try:
                await _end_calls(stage, staged)
            finally:
                raise error
        lateness.tell(staged.log)
        staged.close()
        await _end_calls(stage, staged)
        if failed is not None:
            raise failed
    finally:
        if aim is not None:
            aim.gear.abandon()
        for machine in machines:
            machine.kill()
        if stage is not None:
            await stage.close()


def _beat(
    stage: LiveStage, log: Log, lateness: Lateness, pulse: Callable[[Pulse], None]
) -> Generator[simpy.Event, Any, None]:
    """Tell now and then how the engine keeps up, and hand over the calls that have ended."""
    while True:
        yield stage.env.timeout(PULSE_EVERY)
        log.flush()
        pulse(Pulse(stage.env.now, stage.asked, stage.placed, lateness.quantile(0.99), lateness.worst, LIMIT))


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


async def _end_calls(stage: LiveStage, staged: Replication) -> None:
    """Let nobody call any more, and all hang up; wait for a while until nobody is in a call: each hears a BYE."""
    staged.log.mute()
    stage.places = False
    staged.carrier.tell(EndAll())

    env = stage.env

    def look() -> None:
        if not staged.in_progress() and not staged.inside():
            env.finish()
        else:
            later(env, LOOKS_EVERY, look)

    later(env, LOOKS_EVERY, look)
    await env.play(env.now + ENDS_WITHIN)


@contextmanager
def _asked_to_stop(gear: Gear) -> Iterator[None]:
    """Let the first signal cancel the task that is running; what follows is the gear's."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None  # noqa: S101 - called in a task

    def ask() -> None:
        loop.call_soon_threadsafe(task.cancel)

    gear.interrupts.ask = ask
    try:
        yield
    finally:
        gear.interrupts.ask = None


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
