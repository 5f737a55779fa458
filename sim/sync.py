"""Replication between sites while a run goes on: the day's changes, what people do, and what the journal tells."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from math import inf

import simpy

from sbc.decisions.sync import Class, Replication, Rhythm, State
from scenarios.distributions import Distribution, Shape
from scenarios.evidence import EventKind
from scenarios.model import Change, Data, Drill, Fault
from scenarios.replication import replicated
from sim.draws import Draws
from sim.log import Log
from sim.timeline import Repair, all_of
from sim.timer import later
from sim.world import World


class Sync:
    """What one site of a drill has of another's data; of a drill without `sync`, nothing that anybody could ask."""

    def __init__(self, env: simpy.Environment, drill: Drill, world: World, draws: Draws, log: Log) -> None:
        self._env = env
        self._world = world
        self._log = log
        self._changes = {change.name: change for change in drill.changes}
        self._allowing: dict[str | None, list[str]] = {}
        """By office, the changes that allow it."""
        self._exported: set[tuple[str, str]] = set()
        self._machine: Replication | None = None
        if drill.sync is None:
            return
        classes = {name: _class(name, data, draws) for name, data in replicated(drill).items()}
        self._machine = Replication(drill.sync.from_, drill.sync.to, classes, env.now)
        for change in drill.changes:
            if change.allows is not None:
                self._allowing.setdefault(change.allows, []).append(change.name)
            if change.at is not None:
                later(env, change.at - env.now, partial(self._happens, change, change.name))
            elif change.arrivals is not None:
                pauses = draws.values(f"change:{change.name}", Distribution(Shape.EXPONENTIAL, (1 / change.arrivals,)))
                self._next(change, pauses, count(1), -env.now)

    # What others ask.

    def admits(self, site: str, office: str | None) -> bool:
        """Whether phones of an office may register at a site, as far as its addresses are restricted (Z7)."""
        allowing = self._allowing.get(office)
        if allowing is None or self._machine is None or site not in (self._machine.source, self._machine.target):
            return True
        now = self._env.now
        return any(self._machine.has(now, change, site) for change in allowing)

    def can_resume(self) -> bool:
        """Whether there is anything to replicate from."""
        return self._machine is not None and self._machine.reads

    # What happens.

    def seen_by(self, breaks: Callable[[Fault], Repair]) -> Callable[[Fault], Repair]:
        """Return what lets faults happen, so that the loss of the site that data come from is noticed here."""

        def broken(fault: Fault) -> Repair:
            repair = breaks(fault)
            self._look()
            return all_of([repair, self._look])

        return broken

    def _look(self) -> None:
        machine = self._machine
        if machine is not None:
            machine.source_is(self._env.now, up=not self._world.sites[machine.source].down_by)

    def _next(self, change: Change, pauses: Iterator[float], numbers: Iterator[int], wait: float) -> None:
        def happens() -> None:
            self._happens(change, f"{change.name} {next(numbers)}")
            self._next(change, pauses, numbers, 0.0)

        later(self._env, wait + next(pauses), happens)

    def _happens(self, change: Change, name: str) -> None:
        assert self._machine is not None  # noqa: S101 - changes are made where data are replicated
        self._make(name, change.data, change.made_at or self._machine.source)

    def enter(self, change: str, site: str) -> None:
        """Somebody makes a change as a step of the runbook."""
        self._make(change, self._changes[change].data, site)

    def _make(self, name: str, data: str, site: str) -> None:
        machine, now = self._machine, self._env.now
        if machine is None or self._world.sites[site].down_by:
            return  # nobody can change anything there
        self._log.entry(EventKind.CHANGED, name, data=data, site=site)
        is_there = machine.has(now, name, machine.target)
        if machine.changed(now, name, data, site):
            self._log.entry(EventKind.SYNC_STOPPED, machine.target, by="change")
        if site == machine.source and not is_there:
            due = machine.expected(now, data)
            if due <= now:
                self._arrives(name, now, due)
            elif due < inf:
                later(self._env, due - now, partial(self._arrives, name, now, due))

    def _arrives(self, change: str, made: float, due: float) -> None:
        """See whether a change is there at the moment at which it should be."""
        machine = self._machine
        # A timer may fire a little before the moment that it was set to.
        if machine is not None and machine.has(max(self._env.now, due), change, machine.target):
            self._log.entry(EventKind.REPLICATED, change, site=machine.target, after=due - made)

    def activated(self, site: str) -> None:
        """A site has been taken into service."""
        machine = self._machine
        if machine is None or site != machine.target:
            return
        stopped, taken = machine.activated(self._env.now)
        if stopped:
            self._log.entry(EventKind.SYNC_STOPPED, site, by="activation")
        for data, age, lost in taken:
            self._log.entry(EventKind.COPY, data, site=site, age=age, lost=lost)

    def look_at(self, site: str) -> None:
        """Somebody looks whether a site still gets replicas."""
        if self._machine is not None:
            syncing = self._machine.state is State.SYNCING
            self._log.entry(EventKind.SYNC_SEEN, site, state="syncing" if syncing else "stopped")

    def export(self, data: str, site: str) -> None:
        """Somebody saves what a site has for itself."""
        self._exported.add((data, site))
        self._log.entry(EventKind.EXPORTED, data, site=site)

    def delete(self, data: str, site: str) -> None:
        """Somebody deletes it."""
        self._log.entry(EventKind.DELETED, data, site=site, exported=(data, site) in self._exported)

    def resume(self, site: str) -> None:
        """Replication goes on, after a resync."""
        if self._machine is not None:
            overwritten = self._machine.resumed(self._env.now)
            self._log.entry(EventKind.SYNC_RESUMED, site)
            for data, _, lost in overwritten:
                self._log.entry(EventKind.OVERWRITTEN, data, site=site, lost=lost)


def _class(name: str, data: Data, draws: Draws) -> Class:
    if data.excluded:
        return Class(None)

    def rhythm(every: float, first: float | None, what: str) -> Rhythm:
        if first is None:
            first = every * next(draws.uniforms(f"sync:{name}:{what}")) if every else 0.0
        return Rhythm(every, first)

    loads = None if data.loaded_every is None else rhythm(data.loaded_every, data.loaded_first, "loads")
    return Class(rhythm(data.every or 0.0, data.first, "replications"), loads)
