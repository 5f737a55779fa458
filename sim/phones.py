"""Agents: who is in a call, who waits for one, and who cannot take any for want of a line."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Generic, NamedTuple, Protocol, TypeVar

import simpy

from sbc.decisions.distribution import Agent, Distributor
from scenarios.evidence import EventKind
from scenarios.model import Drill
from sim.draws import Draws
from sim.hours import Hours
from sim.lines import Lines
from sim.log import Log
from sim.timer import later

Call = TypeVar("Call")
Joined = TypeVar("Joined", contravariant=True)


class Switch(NamedTuple):
    """What an agent is told to do with the phone."""

    site: str
    sign_in: float
    """Seconds that signing in there takes."""
    done: Callable[[], None]
    """Who is told when it is done."""


def _nothing() -> None:
    """Nothing has to be done."""


class Desk(Protocol[Joined]):
    """Where calls and agents meet."""

    release_agent: Callable[[Agent], None]
    """What becomes of an agent after a call."""

    def serve(self, call: Joined, agent: Agent) -> None:
        """An agent takes a call: answers the caller, or dials."""


class Phones(Generic[Call]):
    """All agents of a drill. An agent is idle (known to the distributor), in a call, or resting without a line."""

    def __init__(
        self,
        env: simpy.Environment,
        drill: Drill,
        agents: Sequence[Agent],
        lines: Lines,
        queue: Distributor[Call],
        calls: Desk[Call],
        hours: Hours,
        draws: Draws,
        log: Log,
    ) -> None:
        self._env = env
        self._log = log
        self._groups = drill.agents
        self._queue = queue
        self._calls = calls
        self._of_group = {name: [agent for agent in agents if agent.group == name] for name in drill.agents}
        self._resting: dict[Agent, None] = {}
        self._resting_of: Counter[str] = Counter()
        for agent in agents:
            self._rest(agent)
        self._off: dict[Agent, None] = {}
        """Agents who are not on duty; their phones stay registered."""
        self._on_arrival: dict[Agent, Callable[[], None]] = {}
        """What agents do when they come on duty."""
        for name in drill.agents:
            self._set_shifts(name, hours)
        self._leaving: dict[Agent, list[Switch]] = {}
        """Agents who switch their phone as soon as their call is over, and what they were told, in order."""
        self._wrap_up = {
            name: draws.values(f"agents:{name}:wrap-up", group.wrap_up)
            for name, group in drill.agents.items()
            if group.wrap_up is not None
        }
        calls.release_agent = self._call_over
        self.registrations = lines
        lines.line_up = self._line_up
        lines.line_down = self._line_down
        lines.begin()

    def of_group(self, group: str) -> list[Agent]:
        """The agents of a group."""
        return self._of_group[group]

    def busy(self, group: str) -> int:
        """Agents of a group in a call or at the work after one."""
        return self._groups[group].count - self._queue.idle(group) - self._resting_of[group]

    def answering(self, groups: Sequence[str], site: str) -> bool:
        """Whether any agent of these groups is on duty with a phone registered at a site."""
        people = (agent for group in groups for agent in self._of_group[group])
        return any(
            agent.site == site and agent not in self._off and self.registrations.has_line(agent) for agent in people
        )

    def with_line(self, group: str) -> Agent | None:
        """Return the first agent of a group, on duty or not, whose phone has a line."""
        return next((agent for agent in self._of_group[group] if self.registrations.has_line(agent)), None)

    def take_test_call(self, queue: str, site: str) -> None:
        """The agent who is next takes a test call, which is over at once, and comes after those who are idle."""
        agent = self._queue.take(queue, site)
        if agent is not None:
            self._call_over(agent)

    # Shifts

    def _set_shifts(self, group: str, hours: Hours) -> None:
        people = iter(self._of_group[group])
        for calendar, heads in self._groups[group].shifts.items():
            crew = list(islice(people, heads))
            if calendar in hours.closed:
                self._off |= dict.fromkeys(crew)
            hours.listen(calendar, partial(self._change_shift, group, crew))

    def on_duty(self, group: str) -> int:
        """Agents of a group who are on duty; those who finish a call after their shift are not."""
        return sum(agent not in self._off for agent in self._of_group[group])

    def when_on_duty(self, agent: Agent, begin: Callable[[], None]) -> bool:
        """Let an agent begin something when coming on duty, in place of what was to begin then; false if on duty."""
        if agent in self._off:
            self._on_arrival[agent] = begin
        return agent in self._off

    def _change_shift(self, group: str, crew: Sequence[Agent], begins: bool) -> None:
        """A shift begins or ends; an agent in a call or at the work after it leaves when that is done."""
        if begins:
            for agent in crew:
                del self._off[agent]
                self._on_arrival.pop(agent, _nothing)()
                if agent in self._resting and self.registrations.has_line(agent):
                    self._ready(agent)
        else:
            self._off |= dict.fromkeys(crew)
            for agent in crew:
                if self._queue.remove(agent):
                    self._rest(agent)
        self._log.entry(EventKind.SHIFT, group, on_duty=self.on_duty(group))

    # Lines

    def _line_up(self, agent: Agent) -> None:
        if agent in self._resting and agent not in self._off:
            self._ready(agent)

    def _line_down(self, agent: Agent) -> None:
        if self._queue.remove(agent):
            self._rest(agent)

    def switch(self, agent: Agent, switch: Switch) -> None:
        """The agent sets the phone to a site, after the call in progress if there is one."""
        if self._queue.remove(agent):
            self._rest(agent)
        if agent in self._resting:
            self._move(agent, [switch])
        else:
            self._leaving.setdefault(agent, []).append(switch)

    def _move(self, agent: Agent, switches: list[Switch]) -> None:
        def done() -> None:
            for switch in switches:
                switch.done()

        last = switches[-1]
        self.registrations.switch(agent, last.site, last.sign_in, done)

    # Calls

    def _call_over(self, agent: Agent) -> None:
        wrap_up = self._wrap_up.get(agent.group)
        if wrap_up is None:
            self._over(agent)
        else:
            later(self._env, next(wrap_up), partial(self._over, agent))

    def _over(self, agent: Agent) -> None:
        self._rest(agent)
        switches = self._leaving.pop(agent, None)
        if switches is not None:
            self._move(agent, switches)
        elif agent not in self._off and self.registrations.has_line(agent):
            self._ready(agent)

    def _rest(self, agent: Agent) -> None:
        self._resting[agent] = None
        self._resting_of[agent.group] += 1

    def _ready(self, agent: Agent) -> None:
        del self._resting[agent]
        self._resting_of[agent.group] -= 1
        call = self._queue.free(self._env.now, agent)
        if call is not None:
            self._calls.serve(call, agent)
