"""The `calls` engine: one replication of a drill in virtual time, on SimPy's stock environment."""

from collections.abc import Generator, Iterator
from typing import Any

import simpy

from sbc.decisions.distribution import Distributor, search
from sbc.quiet import collector_off
from scenarios.evidence import SAMPLE_EVERY, Gauge, Recorder, Sample
from scenarios.load import CallerBlock
from scenarios.model import Drill
from sim.call import Call, Stream
from sim.calls import Calls
from sim.deeds import Steps
from sim.draws import Draws
from sim.faults import Faults
from sim.hours import Hours, keep_hours
from sim.lines import everybody
from sim.log import Log
from sim.pairs import Pairs
from sim.people import People
from sim.phones import Phones
from sim.registrations import Registrations
from sim.sync import Sync
from sim.timeline import play_faults
from sim.traffic import stream_names, warm_up
from sim.world import World


def play(drill: Drill, load: list[Iterator[CallerBlock]], seed: int, replication: int, recorder: Recorder) -> None:
    """Play one replication from its warm-up to the end of the run, and hand all evidence to ``recorder``.

    ``load`` has the callers of each traffic stream, as :func:`sim.traffic.load` gives them. The same arguments always
    give the same evidence.
    """
    env = simpy.Environment(initial_time=-warm_up(drill))
    draws = Draws(seed, replication)
    log = Log(env, recorder)
    hours = Hours(env, drill)
    world = World(drill, hours.closed)
    queues = drill.queue_table()
    searches = {name: search(queue, drill.agents) for name, queue in queues.items()}
    distributor: Distributor[Call] = Distributor(searches, list(drill.agents), list(drill.sites))
    calls = Calls(env, world, queues, distributor, draws, log, drill.run.lasts)
    agents = everybody(drill)
    sync = Sync(env, drill, world, draws, log)
    lines = Registrations(env, drill, world, agents, draws, log, sync.admits)
    phones = Phones(env, drill, agents, lines, distributor, calls, hours, draws, log)
    pairs = Pairs(env, world, calls, draws, log)
    steps = Steps(world, phones, pairs, queues, log)
    people = People(env, drill, steps, sync, phones, world.repaired, hours, draws, log)
    keep_hours(drill, hours, calls.clear, log)
    faults = Faults(drill, world, calls, phones, pairs, draws, log)
    play_faults(env, drill, log, sync.seen_by(faults.breaks), people.notice, world.repaired)
    for name, stream, blocks in zip(stream_names(drill), drill.traffic, load, strict=True):
        calls.play(Stream.of(stream, name, drill, draws), blocks)

    def gauges() -> Iterator[tuple[Gauge, str, int]]:
        yield from ((Gauge.PORTS, name, high) for name, high in world.high_ports().items())
        yield from ((Gauge.SOFTPHONES, site, phones.registrations.at_site(site)) for site in drill.sites)
        yield from ((Gauge.REGISTERS, site, high) for site, high in phones.registrations.high_registers().items())
        yield from ((Gauge.AGENTS_BUSY, group, phones.busy(group)) for group in drill.agents)
        yield from ((Gauge.ON_DUTY, name, phones.on_duty(name)) for name, group in drill.agents.items() if group.shifts)
        yield from ((Gauge.WAITING, queue, distributor.waiting(queue)) for queue in queues)

    def sample() -> None:
        log.flush()  # who follows the run sees what had ended by then
        for gauge, name, value in gauges():
            recorder.sample(Sample(env.now, gauge, name, value))

    def watch() -> Generator[simpy.Event, Any, None]:
        yield env.timeout(-env.now)
        world.high_ports()
        phones.registrations.high_registers()
        while True:
            sample()
            yield env.timeout(SAMPLE_EVERY)

    env.process(watch())
    with collector_off():
        env.run(until=drill.run.lasts)
    sample()
    calls.close()
