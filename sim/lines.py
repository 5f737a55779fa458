"""Agents' lines: what agents, people, conditions and faults see of phones and registrars, whatever engine plays them.

A phone has a *line*, and so can be offered calls, while a registrar keeps its registration and its office is reachable.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import simpy

from sbc.decisions.distribution import Agent
from scenarios.evidence import EventKind
from scenarios.model import Drill
from sim.links import Link
from sim.log import Log


class Lines(Protocol):
    """All phones of a drill and the registrars of its sites."""

    line_up: Callable[[Agent], None]
    """What a line that is there means to its agent; the agents' part sets it."""
    line_down: Callable[[Agent], None]
    """What a line that is gone means to its agent; the agents' part sets it."""

    def begin(self) -> None:
        """Let the run begin on an ordinary day: phones at a site that works are registered, refreshes out of step."""

    # What others ask

    def at_site(self, site: str) -> int:
        """Phones with a line at a site."""

    def registered(self, group: str, site: str) -> int:
        """Phones of a group with a line at a site."""

    def has_line(self, agent: Agent) -> bool:
        """Whether an agent's phone has a line."""

    def at_office(self, office: str, agent: Agent) -> bool:
        """Whether an agent works at an office."""

    def line_to(self, office: str) -> Link:
        """Return the line of an office, that faults degrade."""

    def high_registers(self) -> dict[str, int]:
        """Most REGISTERs that arrived at each site within one second since this was last asked."""

    # What happens

    def switch(self, agent: Agent, site: str, sign_in: float, done: Callable[[], None]) -> None:
        """Set a phone to a site, which takes ``sign_in`` seconds without a line; ``done`` hears when."""

    def registrar_lost(self, site: str) -> None:
        """The registrations of a site are gone."""

    def registrar_back(self, site: str) -> None:
        """A registrar answers again, or its site has come into service."""

    def office_lost(self, office: str, fault: str) -> None:
        """No packet leaves or reaches an office any more."""

    def office_back(self, office: str, fault: str) -> None:
        """A fault of an office is repaired."""

    def identity_lost(self, fault: str) -> None:
        """Nobody can sign in any more."""

    def identity_back(self, fault: str) -> None:
        """People can sign in again; a phone that was refused meets that when it tries again."""


def everybody(drill: Drill) -> list[Agent]:
    """Return all agents of a drill, each set to the first site of the phones of the group."""
    people = [name for name, group in drill.agents.items() for _ in range(group.count)]
    return [Agent(number, name, drill.agents[name].softphone.sites[0]) for number, name in enumerate(people)]


def everyone(site: str, office: str | None) -> bool:
    """Admit phones of all offices to all sites."""
    del site, office
    return True


class Roll:
    """Who has a line, and what the journal tells of it."""

    def __init__(self, env: simpy.Environment, log: Log) -> None:
        self._env = env
        self._log = log
        self._with_line: dict[Agent, None] = {}
        self._lost_at: dict[Agent, float] = {}
        """When those without a line lost it, if they had one."""
        self._lines: Counter[tuple[str, str]] = Counter()
        """Phones with a line by group and site."""
        self._lines_of: Counter[str] = Counter()
        self._lines_at: Counter[str] = Counter()
        self.line_up: Callable[[Agent], None] = lambda agent: None
        """What a line that is there means to its agent; the agents' part sets it."""
        self.line_down: Callable[[Agent], None] = lambda agent: None
        """What a line that is gone means to its agent; the agents' part sets it."""

    def at_site(self, site: str) -> int:
        """Phones with a line at a site."""
        return self._lines_at[site]

    def registered(self, group: str, site: str) -> int:
        """Phones of a group with a line at a site."""
        return self._lines[group, site]

    def has_line(self, agent: Agent) -> bool:
        """Whether an agent's phone has a line."""
        return agent in self._with_line

    def _set_line(self, agent: Agent, *, up: bool) -> None:
        """Let an agent have a line, or none, at the site that the phone is set to."""
        if up:
            self._with_line[agent] = None
        else:
            del self._with_line[agent]
        group, site, change = agent.group, agent.site, 1 if up else -1
        self._lines[group, site] += change
        self._lines_of[group] += change
        self._lines_at[site] += change
        (self.line_up if up else self.line_down)(agent)

    def _gain_line(self, agent: Agent) -> None:
        """Let an agent have a line from now on, if there is none yet."""
        if agent in self._with_line:
            return
        self._set_line(agent, up=True)
        lost_at = self._lost_at.pop(agent, None)
        since_loss = {} if lost_at is None else {"without": self._env.now - lost_at}
        self._log.entry(
            EventKind.REGISTERED,
            agent.group,
            site=agent.site,
            agent=agent.number,
            registered=self._lines_of[agent.group],
            **since_loss,
        )

    def _cut_off(self, agents: Sequence[Agent]) -> None:
        """Agents, all at one site, have no line any more."""
        for agent in agents:
            self._set_line(agent, up=False)
            self._lost_at[agent] = self._env.now
        for group, lost in Counter(agent.group for agent in agents).items():
            self._log_loss(group, agents[0].site, lost)

    def _log_loss(self, group: str, site: str, lost: int) -> None:
        registered = self._lines_of[group]
        self._log.entry(EventKind.UNREGISTERED, group, site=site, registered=registered, lost=lost)
