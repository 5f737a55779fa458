"""Agents and their softphones: where each phone is registered, and so who may take a call."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import simpy

from sbc.decisions.distribution import Agent, Distributor
from scenarios.evidence import EventKind
from scenarios.model import Drill
from sim.call import Call
from sim.calls import Calls
from sim.draws import Draws
from sim.log import Log
from sim.timer import later
from sim.world import World

Switch = tuple[str, Callable[[], None]]
"""A site that a phone is set to, and who is told when it is."""


class Phones:
    """All agents of a drill. An agent is idle (known to the distributor), in a call, or resting without a line."""

    def __init__(
        self,
        env: simpy.Environment,
        drill: Drill,
        world: World,
        queue: Distributor[Call],
        calls: Calls,
        draws: Draws,
        log: Log,
    ) -> None:
        self._env = env
        self._groups = drill.agents
        self._world = world
        self._queue = queue
        self._calls = calls
        self._log = log
        people = [name for name, group in drill.agents.items() for _ in range(group.count)]
        self._agents = [
            Agent(number, name, drill.agents[name].softphone.sites[0]) for number, name in enumerate(people)
        ]
        self._registered: dict[Agent, None] = {}
        self._resting: dict[Agent, None] = dict.fromkeys(self._agents)
        self._leaving: dict[Agent, list[Switch]] = {}
        """Agents who switch their phone as soon as their call is over, and what they were told, in order."""
        self._count: Counter[str] = Counter()
        """Registered phones by group and by site; a group and a site may share a name, so sites have a prefix."""
        self._wrap_up = {
            name: draws.values(f"agents:{name}:wrap-up", group.wrap_up)
            for name, group in drill.agents.items()
            if group.wrap_up is not None
        }
        self._refresh = draws.uniforms("softphones:refresh")
        calls.release_agent = self._call_over
        for agent in self._agents:
            if world.sites[agent.site].works:
                self._line_up(agent)

    def of_group(self, group: str) -> list[Agent]:
        """The agents of a group."""
        return [agent for agent in self._agents if agent.group == group]

    def registered_at(self, site: str) -> int:
        """Phones registered at a site."""
        return self._count[f"site:{site}"]

    def registered_of(self, group: str) -> int:
        """Phones of a group that are registered."""
        return self._count[f"group:{group}"]

    def busy(self, group: str) -> int:
        """Agents of a group in a call or at the work after one."""
        resting = sum(agent.group == group for agent in self._resting)
        return self._groups[group].count - self._queue.idle(group) - resting

    def answering(self, groups: Sequence[str], site: str) -> bool:
        """Whether any agent of these groups has a phone registered at a site."""
        return any(agent.group in groups and agent.site == site for agent in self._registered)

    # Lines

    def _line_up(self, agent: Agent) -> None:
        self._registered[agent] = None
        self._count[f"site:{agent.site}"] += 1
        self._count[f"group:{agent.group}"] += 1
        if agent in self._resting:
            self._ready(agent)

    def _line_down(self, agent: Agent) -> None:
        del self._registered[agent]
        self._count[f"site:{agent.site}"] -= 1
        self._count[f"group:{agent.group}"] -= 1
        if self._queue.remove(agent):
            self._resting[agent] = None

    def _register(self, agent: Agent, site: str) -> None:
        """A phone asks the registrar of a site; a late attempt for a site it has left since is void."""
        if agent.site == site and agent not in self._registered and self._world.sites[site].works:
            self._line_up(agent)
            self._log.entry(
                EventKind.REGISTERED,
                agent.group,
                site=site,
                agent=agent.number,
                registered=self.registered_of(agent.group),
            )

    def site_lost(self, site: str, fault: str) -> None:
        """The registrar of a site is gone; each phone meets that at its next refresh."""
        lost = [agent for agent in self._registered if agent.site == site]
        for agent in lost:
            self._line_down(agent)
        for group in dict.fromkeys(agent.group for agent in lost):
            self._log.entry(EventKind.UNREGISTERED, group, site=site, registered=self.registered_of(group))
        if lost:
            first = min(self._until_refresh(agent) for agent in lost)
            down_by = self._world.sites[site].down_by
            later(self._env, first, lambda: self._log.effect(down_by.keys() & {fault}, "registration"))

    def site_works(self, site: str) -> None:
        """A registrar answers again, or for the first time; phones set to it register at their next refresh."""
        for agent in self._agents:
            if agent.site == site and agent not in self._registered:
                later(self._env, self._until_refresh(agent), partial(self._register, agent, site))

    def _until_refresh(self, agent: Agent) -> float:
        return next(self._refresh) * self._groups[agent.group].softphone.expires / 2

    def switch(self, agent: Agent, site: str, done: Callable[[], None]) -> None:
        """The agent sets the phone to a site, after the call in progress if there is one; ``done`` hears when."""
        if agent in self._resting or self._queue.remove(agent):
            self._resting[agent] = None
            self._move(agent, [(site, done)])
        else:
            self._leaving.setdefault(agent, []).append((site, done))

    def _move(self, agent: Agent, switches: list[Switch]) -> None:
        if agent in self._registered:
            self._line_down(agent)
        agent.site = switches[-1][0]
        self._register(agent, agent.site)
        for _, done in switches:
            done()

    # Calls

    def _call_over(self, agent: Agent) -> None:
        wrap_up = self._wrap_up.get(agent.group)
        if wrap_up is None:
            self._over(agent)
        else:
            later(self._env, next(wrap_up), partial(self._over, agent))

    def _over(self, agent: Agent) -> None:
        self._resting[agent] = None
        switches = self._leaving.pop(agent, None)
        if switches is not None:
            self._move(agent, switches)
        elif agent in self._registered:
            self._ready(agent)

    def _ready(self, agent: Agent) -> None:
        del self._resting[agent]
        call = self._queue.free(self._env.now, agent)
        if call is not None:
            self._calls.serve(call, agent)
