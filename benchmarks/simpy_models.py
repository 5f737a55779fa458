"""The workload in SimPy, twice: as a tutorial would write it, and with a light event for each call."""

from collections.abc import Callable, Generator
from typing import Any

import simpy

from benchmarks.workload import SILENCE, Caller, Load, Tally
from sbc.decisions.timers import invite_offsets

OFFSETS = invite_offsets()
Steps = Generator[simpy.Event, Any, None]


def textbook(load: Load) -> Tally:
    """Play the load with a process for each caller, a `Resource` for a node's ports, and interrupts for its death."""
    env = simpy.Environment()
    nodes = [simpy.Resource(env, load.workload.ports) for _ in range(2)]
    serving: simpy.Resource | None = nodes[0]
    up: dict[simpy.Process, None] = {}
    attempts = blocked = lost = 0

    def caller(who: Caller) -> Steps:
        nonlocal attempts, blocked, lost
        me = env.active_process
        assert me is not None  # noqa: S101 - for the type checker: this is a process
        for attempt in range(who.tries):
            if attempt:
                yield env.timeout(who.pauses[attempt - 1])
            attempts += 1
            dialled, copies = env.now, 0
            while serving is None:
                copies += 1
                yield env.timeout(dialled + OFFSETS[copies] - env.now)
            if serving.count >= serving.capacity:
                blocked += 1
                continue
            with serving.request() as port:
                yield port
                up[me] = None
                try:
                    yield env.timeout(who.talk)
                except simpy.Interrupt:
                    lost += 1
                else:
                    return
                finally:
                    del up[me]
            yield env.timeout(SILENCE)

    def arrivals() -> Steps:
        for who in load.callers():
            yield env.timeout(who.at - env.now)
            env.process(caller(who))

    def failover() -> Steps:
        nonlocal serving
        yield env.timeout(load.death)
        serving = None
        for call in list(up):
            call.interrupt()
        yield env.timeout(load.takeover - load.death)
        serving = nodes[1]

    env.process(arrivals())
    if load.workload.fails:
        env.process(failover())
    env.run(until=load.workload.lasts)
    return Tally(attempts, blocked, lost)


class Call(simpy.Event):
    """One attempt: an event that is scheduled for its dialling, and again for its end."""

    _ok = True
    _value = None

    def __init__(self, env: simpy.Environment, due: list[Callable[[Any], None]], who: Caller, tries: int) -> None:
        self.env = env
        self.callbacks = due
        self.who = who
        self.tries = tries
        """Attempts made before this one."""
        self.copies = 0
        self.talks = False


def slim(load: Load) -> Tally:
    """Play the load with one slim event for each attempt, a shared list of callbacks, and integers for ports."""
    env = simpy.Environment()
    schedule = env.schedule
    ports = load.workload.ports
    serving = True
    up: dict[Call, None] = {}
    attempts = blocked = lost = 0

    def again(call: Call, after: float) -> None:
        who, tries = call.who, call.tries + 1
        if tries < who.tries:
            schedule(Call(env, on_due, who, tries), delay=after + who.pauses[tries - 1])

    def dial(call: Call) -> None:
        nonlocal attempts, blocked
        if not call.copies:
            attempts += 1
        if not serving:
            call.copies += 1
            schedule(call, delay=OFFSETS[call.copies] - OFFSETS[call.copies - 1])
        elif len(up) < ports:
            call.talks = True
            up[call] = None
            schedule(call, delay=call.who.talk)
        else:
            blocked += 1
            again(call, 0.0)

    def due(call: Call) -> None:
        call.callbacks = on_due
        if call.talks:
            up.pop(call, None)  # a lost call is no longer there
        else:
            dial(call)

    on_due: list[Callable[[Any], None]] = [due]
    callers = load.callers()
    following = next(callers, None)

    def arrive(event: simpy.Event) -> None:
        nonlocal following
        who, following = following, next(callers, None)
        event.callbacks = on_arrival
        if following is not None:
            schedule(event, delay=following.at - env.now)
        if who is not None:
            dial(Call(env, on_due, who, 0))

    on_arrival: list[Callable[[Any], None]] = [arrive]
    if following is not None:
        source = Call(env, on_arrival, following, 0)
        schedule(source, delay=following.at)

    def failover() -> Steps:
        nonlocal serving, lost
        yield env.timeout(load.death)
        serving = False
        lost = len(up)
        for call in up:
            again(call, SILENCE)
        up.clear()
        yield env.timeout(load.takeover - load.death)
        serving = True

    if load.workload.fails:
        env.process(failover())
    env.run(until=load.workload.lasts)
    return Tally(attempts, blocked, lost)
