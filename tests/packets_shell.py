"""Hosts on a simulated network, and a drill's phones and registrars alone, for tests of the packet engine."""

from collections.abc import Callable
from functools import partial
from math import inf

import simpy

from sbc.decisions.distribution import Agent
from sbc.endpoints.endpoint import Broken, Endpoint
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.quiet import collector_off
from scenarios.evidence import Gauge, Sample, WireRecord
from scenarios.model import Drill, Fault
from sim.draws import Draws
from sim.hours import Hours
from sim.lines import everybody
from sim.links import Degradation
from sim.log import Log
from sim.packets.host import Host
from sim.packets.network import Link, Network
from sim.packets.registrations import Registrations
from sim.timer import later
from sim.world import World
from tests.drills import ListRecorder

EVERY = 10.0
"""Seconds between two samples."""


class Wire:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.records: list[WireRecord] = []

    def wire(self, record: WireRecord) -> None:
        self.records.append(record)

    def times(self, method: str, source: str | None = None) -> list[float]:
        """When requests of a method were sent, by anybody or one IP address."""
        return [
            record.at
            for record in self.records
            if record.data.startswith(method.encode()) and source in (None, record.source)
        ]


class Heard:
    """The endpoint's user: keeps what it is told, and when."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self.reports: list[tuple[float, object]] = []

    def __call__(self, report: object) -> None:
        self.reports.append((self._env.now, report))


class Box:
    """An endpoint that keeps what comes, and sends what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[float, bytes]] = []
        self.broken: list[tuple[float, Path]] = []
        self._out: list[object] = []

    def receive(self, now: float, datagram: Datagram) -> None:
        self.got.append((now, datagram.data))

    def event(self, now: float, event: object) -> None:
        if isinstance(event, Broken):
            self.broken.append((now, event.path))
        else:
            self._out.append(event)

    def fire(self, now: float) -> None:
        raise AssertionError(f"nothing is due at {now}")

    def deadline(self) -> float:
        return inf

    def take(self) -> list[object]:
        out, self._out = self._out, []
        return out


class Scripted(Degradation):
    """Makes datagrams late by what is given for each, ``inf`` for those that are lost; later ones are not late."""

    def __init__(self, *late: float) -> None:
        self.left = list(late)

    def crossing(self) -> float:
        return self.left.pop(0) if self.left else 0.0


class Net:
    """A network, its clock and its hosts."""

    def __init__(self, *, strict: bool = True, wired: bool = True) -> None:
        """``wired``: whether what is sent is kept; ``strict``: whether all is read from bytes."""
        self.env = simpy.Environment()
        self.recorder = ListRecorder()
        self.log = Log(self.env, self.recorder)
        self.wire = Wire()
        self.network = Network(self.env, self.log, wire=self.wire if wired else None, strict=strict)
        self.heard: dict[str, Heard] = {}

    def host(self, name: str, address: Address, segment: str, endpoint: Endpoint | None = None) -> Host:
        """Put a host into a segment, and start its endpoint if there is one."""
        self.network.place(address.host, segment)
        heard = self.heard[name] = Heard(self.env)
        host = Host(self.env, self.network, name, heard)
        self.network.hold(host, address)
        if endpoint is not None:
            host.start(endpoint)
        return host

    def link(self, one: str, other: str, delay: float = 0.001) -> Link:
        link = Link(delay)
        self.network.connect(one, other, link)
        return link

    def at(self, when: float, action: Callable[[], object]) -> None:
        later(self.env, when - self.env.now, partial(_do, action))

    def run(self, until: float) -> None:
        self.env.run(until=until)


class PhonesOnly(Net):
    """The phones and registrars of a drill in the packet engine; its faults happen, nobody calls."""

    def __init__(self, drill: Drill, *, strict: bool = False, wired: bool = True) -> None:
        super().__init__(strict=strict, wired=wired)
        self.drill = drill
        self.world = World(drill, Hours(self.env, drill).closed)
        self.agents: list[Agent] = everybody(drill)
        self._draws = draws = Draws(1, 0)
        self.lines = Registrations(self.env, self.network, drill, self.world, self.agents, draws, self.log)
        self.lines.begin()
        for fault in drill.faults:
            self.at(fault.at, partial(self._break, fault))
            if fault.lasts is not None:
                self.at(fault.at + fault.lasts, partial(self._repair, fault))
        self._sample()

    def play(self) -> ListRecorder:
        with collector_off():
            self.env.run(until=self.drill.run.lasts)
        return self.recorder

    def _sample(self) -> None:
        for site, high in self.lines.high_registers().items():
            self.recorder.sample(Sample(self.env.now, Gauge.REGISTERS, site, high))
            self.recorder.sample(Sample(self.env.now, Gauge.SOFTPHONES, site, self.lines.at_site(site)))
        later(self.env, EVERY, self._sample)

    def _break(self, fault: Fault) -> None:
        if fault.how == "degraded":
            assert fault.office is not None
            self.lines.line_to(fault.office).degraded_by[fault.name] = Degradation(fault, self._draws)
        elif fault.identity:
            self.lines.identity_lost(fault.name)
        elif fault.office is not None:
            self.lines.office_lost(fault.office, fault.name)
        elif fault.registrar is not None:
            self.world.sites[fault.registrar].registrar_down_by[fault.name] = None
            self.lines.registrar_lost(fault.registrar)
        elif fault.site is not None:
            self.world.sites[fault.site].down_by[fault.name] = None
            self.lines.registrar_lost(fault.site)

    def _repair(self, fault: Fault) -> None:
        if fault.how == "degraded":
            assert fault.office is not None
            del self.lines.line_to(fault.office).degraded_by[fault.name]
        elif fault.identity:
            self.lines.identity_back(fault.name)
        elif fault.office is not None:
            self.lines.office_back(fault.office, fault.name)
        elif fault.registrar is not None:
            del self.world.sites[fault.registrar].registrar_down_by[fault.name]
            self.lines.registrar_back(fault.registrar)
        elif fault.site is not None:
            del self.world.sites[fault.site].down_by[fault.name]
            self.lines.registrar_back(fault.site)


def _do(action: Callable[[], object]) -> None:
    action()
