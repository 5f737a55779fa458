"""The workload in other people's simulation libraries, as far as they can say it; both are optional (`.[bench]`)."""

from collections.abc import Generator
from importlib import import_module
from typing import Any

from benchmarks.workload import HOLDING, SILENCE, Caller, Load, Tally
from sbc.decisions.timers import invite_offsets

OFFSETS = invite_offsets()


def salabim(load: Load) -> Tally:
    """Play the load with a component for each caller and a `Resource` for the ports of a node.

    Yield mode, monitors off. A death releases the ports of all claimers and wakes them up.
    """
    sim: Any = import_module("salabim")
    sim.yieldless(False)
    env = sim.Environment(trace=False, time_unit="seconds")
    nodes = [sim.Resource(f"node-{i}", capacity=load.workload.ports, monitor=False) for i in (1, 2)]
    serving: Any = nodes[0]
    attempts = blocked = lost = 0

    class Call(sim.Component):  # type: ignore[misc]  # the library is untyped
        def setup(self, who: Caller) -> None:
            self.who = who
            self.cut = False

        def process(self) -> Generator[Any, Any, None]:
            nonlocal attempts, blocked, lost
            who = self.who
            for attempt in range(who.tries):
                if attempt:
                    yield self.hold(who.pauses[attempt - 1])
                attempts += 1
                dialled, copies = env.now(), 0
                while serving is None:
                    copies += 1
                    yield self.hold(till=dialled + OFFSETS[copies])
                if serving.available_quantity() < 1:
                    blocked += 1
                    continue
                yield self.request(serving)
                yield self.hold(who.talk)
                if not self.cut:
                    self.release()
                    return
                self.cut = False
                lost += 1
                yield self.hold(SILENCE)

    class Arrivals(sim.Component):  # type: ignore[misc]
        def process(self) -> Generator[Any, Any, None]:
            for who in load.callers():
                yield self.hold(till=who.at)
                Call(who=who)

    class Failover(sim.Component):  # type: ignore[misc]
        def process(self) -> Generator[Any, Any, None]:
            nonlocal serving
            yield self.hold(till=load.death)
            dead, serving = serving, None
            for call in list(dead.claimers()):
                call.release()
                call.cut = True
                call.activate()
            yield self.hold(till=load.takeover)
            serving = nodes[1]

    Arrivals()
    if load.workload.fails:
        Failover()
    env.run(till=load.workload.lasts)
    return Tally(attempts, blocked, lost)


def ciw(load: Load) -> Tally:
    """Play the loss part with one node of as many servers as ports and no room to wait, with draws of Ciw's own.

    Ciw can take servers away by a schedule and send their customers elsewhere. But one who comes from another node to a
    full one waits there instead of being refused, and one who is refused on arrival leaves for good: neither failover
    nor redials of this workload can be declared.
    """
    library: Any = import_module("ciw")
    work = load.workload
    network = library.create_network(
        arrival_distributions=[library.dists.Exponential(work.rate)],
        service_distributions=[library.dists.Exponential(1 / HOLDING)],
        number_of_servers=[work.ports],
        queue_capacities=[0],
    )
    library.seed(load.seed)
    simulation = library.Simulation(network)
    simulation.simulate_until_max_time(work.lasts)
    source = simulation.nodes[0]
    return Tally(source.number_of_individuals, source.number_of_individuals - source.number_accepted_individuals, 0)
