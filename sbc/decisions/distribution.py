"""Automatic call distribution: callers wait in queues, agents wait for callers, the longest waiting meet (W10, W11).

Agents answer callers at the site their phone is registered at, and only there. Outbound work comes after inbound
calls, but urgent work before them.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import chain
from typing import Any, Generic, TypeVar

from scenarios.model import AgentGroup, Queue

Call = TypeVar("Call")
Tiers = tuple[tuple[str, ...], ...]
"""Groups in order of preference; those of a tier count alike."""


class Treatment(Enum):
    """What happens to a caller who has waited for some time."""

    WIDEN = "more groups are asked"
    CALLBACK = "a callback is offered"
    OVERFLOW = "an external team is tried"


def treatments(queue: Queue) -> tuple[tuple[float, Treatment], ...]:
    """Return what a queue does as the wait grows: seconds in the queue and what happens, in order."""
    found = [(stage.after, Treatment.WIDEN) for stage in queue.widen]
    if queue.callback is not None:
        found.append((queue.callback.after, Treatment.CALLBACK))
    if queue.overflow is not None:
        found.append((queue.overflow.after, Treatment.OVERFLOW))
    return tuple(sorted(found, key=lambda item: item[0]))


def answers(queue: Queue) -> bool:
    """Whether callers have had their 200 OK while they wait: an announcement, music or an IVR has answered (W9)."""
    return queue.answers or queue.ivr is not None


def refusal(queue: Queue, waiting: int, longest: float) -> str | None:
    """Return why a queue takes no further caller (W14), or None; ``longest`` is the longest wait in it, in seconds."""
    if queue.max_waiting is not None and waiting >= queue.max_waiting:
        return "queue full"
    if queue.longest_wait is not None and longest >= queue.longest_wait:
        return "wait too long"
    return None


def search(queue: Queue, groups: Mapping[str, AgentGroup]) -> tuple[Tiers, ...]:
    """Return whom a queue asks for a caller: at first, and what each widening adds (W11, W12)."""
    widened = sorted(queue.widen, key=lambda stage: stage.after)
    return tuple(_tiers(queue, names, groups) for names in (queue.agents, *(stage.agents for stage in widened)))


def _tiers(queue: Queue, names: Sequence[str], groups: Mapping[str, AgentGroup]) -> Tiers:
    able = [name for name in names if all(groups[name].skills.get(s, 0) >= level for s, level in queue.skills.items())]
    match queue.select:
        case "in-order":
            return tuple((name,) for name in able)
        case "longest":
            return (tuple(able),)
        case "best":
            scores = {name: sum(groups[name].skills[skill] for skill in queue.skills) for name in able}
            best_first = sorted(set(scores.values()), reverse=True)
            return tuple(tuple(name for name in able if scores[name] == score) for score in best_first)


class Agent:
    """One agent: a group, a site, and whether a call may come."""

    __slots__ = ("group", "number", "site")

    def __init__(self, number: int, group: str, site: str) -> None:
        self.number = number
        self.group = group
        self.site = site


class Distributor(Generic[Call]):
    """Who waits for whom. Calls are opaque; an agent in use is unknown here until freed."""

    def __init__(self, queues: Mapping[str, Sequence[Tiers]], groups: Sequence[str], sites: Sequence[str]) -> None:
        """``queues`` maps each queue to its :func:`search`."""
        self._stages = queues
        self._first = {queue: stages[0] for queue, stages in queues.items()}
        self._lines_of: dict[str, list[tuple[str, int]]] = {group: [] for group in groups}
        """The queues of each group, and the stage of the search at which it joins in."""
        for queue, stages in queues.items():
            joins: dict[str, int] = {}
            for stage, tiers in enumerate(stages):
                for group in (group for tier in tiers for group in tier):
                    joins.setdefault(group, stage)
            for group, stage in joins.items():
                self._lines_of[group].append((queue, stage))
        self._waiting: dict[tuple[str, str], OrderedDict[Call, float]] = {
            (queue, site): OrderedDict() for queue in queues for site in sites
        }
        self._held: dict[Call, tuple[str, float]] = {}
        """Callers who wait where nobody can answer them for the time being: their queue, and since when."""
        self._widened: dict[Call, int] = {}
        """The stage of callers whose search has been widened."""
        self._work: dict[str, OrderedDict[Call, float]] = {group: OrderedDict() for group in groups}
        self._urgent: dict[str, OrderedDict[Call, float]] = {group: OrderedDict() for group in groups}
        self._idle: dict[tuple[str, str], OrderedDict[Agent, float]] = {
            (group, site): OrderedDict() for group in groups for site in sites
        }

    def offer(self, now: float, queue: str, site: str, call: Call) -> Agent | None:
        """Bring a caller to a queue at a site: the agent who is next takes the call, or it waits."""
        agent = self.take(queue, site)
        if agent is None:
            self._waiting[queue, site][call] = now
        return agent

    def take(self, queue: str, site: str) -> Agent | None:
        """Return the agent who is next for a queue at a site, in use from now on; None with nobody idle."""
        return self._find(self._first[queue], site)

    def widen(self, queue: str, site: str, call: Call) -> Agent | None:
        """Ask the groups of the next stage for a waiting caller, who leaves the queue when an agent is free."""
        stage = self._widened[call] = self._widened.get(call, 0) + 1
        agent = self._find(self._stages[queue][stage], site)
        if agent is not None:
            self.leave(queue, site, call)
        return agent

    def wait(self, now: float, queue: str, call: Call) -> None:
        """Bring a caller to a queue whom nobody can answer before :meth:`resume`."""
        self._held[call] = (queue, now)

    def hold(self, queue: str, site: str, call: Call) -> None:
        """A waiting caller cannot be answered for the time being, but keeps the place."""
        self._held[call] = (queue, self._waiting[queue, site].pop(call))

    def resume(self, queue: str, site: str, call: Call) -> Agent | None:
        """A held caller can be answered again: by the agent who is next, who takes the call, or after those before."""
        _, since = self._held.pop(call)
        found = (self._find(tiers, site) for tiers in self._stages[queue][: self._widened.get(call, 0) + 1])
        agent = next(filter(None, found), None)
        if agent is None:
            line = self._waiting[queue, site]
            later = [other for other, began in line.items() if began > since]
            line[call] = since
            for other in later:
                line.move_to_end(other)
        else:
            self._widened.pop(call, None)
        return agent

    def put_back(self, queue: str, site: str, call: Call, since: float, widened: int) -> Agent | None:
        """Take a caller again whose agent could not be reached: the next agent takes the call, or it has its old place.

        ``since`` is when the caller came to the queue, ``widened`` how many stages its search has gone through.
        """
        self.wait(since, queue, call)
        if widened:
            self._widened[call] = widened
        return self.resume(queue, site, call)

    def holds(self, call: Call) -> bool:
        """Whether a caller is held."""
        return call in self._held

    def _find(self, tiers: Tiers, site: str) -> Agent | None:
        for tier in tiers:
            idle = [agents for group in tier if (agents := self._idle[group, site])]
            if idle:
                longest = idle[0] if len(idle) == 1 else min(idle, key=_since)
                return longest.popitem(last=False)[0]
        return None

    def request(self, now: float, group: str, call: Call, *, urgent: bool = False) -> Agent | None:
        """Ask for an agent of a group, at whatever site, to place a call; without one idle the work waits."""
        idle = [agents for (of, _), agents in self._idle.items() if of == group and agents]
        if idle:
            return min(idle, key=_since).popitem(last=False)[0]
        (self._urgent if urgent else self._work)[group][call] = now
        return None

    def free(self, now: float, agent: Agent) -> Call | None:
        """Let an agent take urgent work, else the caller who has waited longest, else outbound work, else wait idle."""
        if self._urgent[agent.group]:
            return self._urgent[agent.group].popitem(last=False)[0]
        waiting = [
            line
            for queue, stage in self._lines_of[agent.group]
            if (line := self._waiting[queue, agent.site]) and (not stage or self._stage_of_head(line) >= stage)
        ]
        if waiting:
            call = min(waiting, key=_since).popitem(last=False)[0]
            self._widened.pop(call, None)
            return call
        if self._work[agent.group]:
            return self._work[agent.group].popitem(last=False)[0]
        self._idle[agent.group, agent.site][agent] = now
        return None

    def _stage_of_head(self, line: OrderedDict[Call, float]) -> int:
        """The stage of the first in a line, whose search is widened before that of anybody behind."""
        return self._widened.get(next(iter(line)), 0)

    def leave(self, queue: str, site: str, call: Call) -> None:
        """A waiting caller is gone."""
        if self._held.pop(call, None) is None:
            del self._waiting[queue, site][call]
        self._widened.pop(call, None)

    def withdraw(self, group: str, call: Call) -> None:
        """Outbound work is no longer wanted."""
        del (self._urgent if call in self._urgent[group] else self._work)[group][call]

    def remove(self, agent: Agent) -> bool:
        """An idle agent's phone is gone; false when the agent was not idle."""
        return self._idle[agent.group, agent.site].pop(agent, None) is not None

    def waiting(self, queue: str) -> int:
        """Callers in a queue, over all sites."""
        held = sum(of == queue for of, _ in self._held.values())
        return held + sum(len(line) for (of, _), line in self._waiting.items() if of == queue)

    def waiting_calls(self, queue: str) -> list[Call]:
        """Return the callers in a queue over all sites, those of a site in order, then those who are held."""
        lines = [line for (of, _), line in self._waiting.items() if of == queue]
        return [*chain.from_iterable(lines), *(call for call, (of, _) in self._held.items() if of == queue)]

    def longest_wait(self, now: float, queue: str) -> float:
        """Seconds that the caller longest in a queue has waited, over all sites; 0 when it is empty."""
        since = [_since(line) for (of, _), line in self._waiting.items() if of == queue and line]
        since += [began for of, began in self._held.values() if of == queue]
        return now - min(since) if since else 0.0

    def idle(self, group: str) -> int:
        """Agents of a group who wait for a caller, over all sites."""
        return sum(len(agents) for (of, _), agents in self._idle.items() if of == group)


def _since(line: OrderedDict[Any, float]) -> float:
    return next(iter(line.values()))
