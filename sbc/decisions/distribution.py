"""Automatic call distribution: callers wait in queues, agents wait for callers, the longest waiting meet (W10, W11).

Agents answer callers at the site their phone is registered at, and only there. Outbound work comes after inbound
calls.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

Call = TypeVar("Call")


class Agent:
    """One agent: a group, a site, and whether a call may come."""

    __slots__ = ("group", "number", "site")

    def __init__(self, number: int, group: str, site: str) -> None:
        self.number = number
        self.group = group
        self.site = site


class Distributor(Generic[Call]):
    """Who waits for whom. Calls are opaque; an agent in use is unknown here until freed."""

    def __init__(self, queues: Mapping[str, Sequence[str]], groups: Sequence[str], sites: Sequence[str]) -> None:
        """``queues`` maps each queue to the groups that answer it, in order of preference."""
        self._groups_of = queues
        self._queues_of = {group: [queue for queue, of in queues.items() if group in of] for group in groups}
        self._waiting: dict[tuple[str, str], OrderedDict[Call, float]] = {
            (queue, site): OrderedDict() for queue in queues for site in sites
        }
        self._work: dict[str, OrderedDict[Call, float]] = {group: OrderedDict() for group in groups}
        self._idle: dict[tuple[str, str], OrderedDict[Agent, float]] = {
            (group, site): OrderedDict() for group in groups for site in sites
        }

    def offer(self, now: float, queue: str, site: str, call: Call) -> Agent | None:
        """Bring a caller to a queue at a site: the agent idle longest takes the call, or it waits."""
        for group in self._groups_of[queue]:
            idle = self._idle[group, site]
            if idle:
                return idle.popitem(last=False)[0]
        self._waiting[queue, site][call] = now
        return None

    def request(self, now: float, group: str, call: Call) -> Agent | None:
        """Ask for an agent of a group, at whatever site, to place a call; without one idle the work waits."""
        idle = [agents for (of, _), agents in self._idle.items() if of == group and agents]
        if idle:
            longest = min(idle, key=lambda agents: next(iter(agents.values())))
            return longest.popitem(last=False)[0]
        self._work[group][call] = now
        return None

    def free(self, now: float, agent: Agent) -> Call | None:
        """Let an agent take the caller who has waited longest, else outbound work, else wait idle."""
        lines = [self._waiting[queue, agent.site] for queue in self._queues_of[agent.group]]
        waiting = [line for line in lines if line]
        if waiting:
            return min(waiting, key=lambda line: next(iter(line.values()))).popitem(last=False)[0]
        if self._work[agent.group]:
            return self._work[agent.group].popitem(last=False)[0]
        self._idle[agent.group, agent.site][agent] = now
        return None

    def leave(self, queue: str, site: str, call: Call) -> None:
        """A waiting caller is gone."""
        del self._waiting[queue, site][call]

    def withdraw(self, group: str, call: Call) -> None:
        """Outbound work is no longer wanted."""
        del self._work[group][call]

    def remove(self, agent: Agent) -> bool:
        """An idle agent's phone is gone; false when the agent was not idle."""
        return self._idle[agent.group, agent.site].pop(agent, None) is not None

    def waiting(self, queue: str) -> int:
        """Callers in a queue, over all sites."""
        return sum(len(line) for (of, _), line in self._waiting.items() if of == queue)

    def idle(self, group: str) -> int:
        """Agents of a group who wait for a caller, over all sites."""
        return sum(len(agents) for (of, _), agents in self._idle.items() if of == group)
