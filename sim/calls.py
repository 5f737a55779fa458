"""Calls: the way of every attempt from first dial to its end, one light event for each caller.

An attempt is set up through the world's routes and limits, waits in a queue, is answered, ends, and may be tried again.
An attempt that meets a silent SBC is sent again at the offsets of RFC 3261 and takes its ports on arrival.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import partial
from itertools import chain
from math import inf
from typing import Any

import simpy

from sbc.decisions.admission import acquire, move, release
from sbc.decisions.distribution import Agent, Distributor
from sbc.decisions.routing import NoRoute, Route
from sbc.decisions.timers import TRANSACTION_TIMEOUT, invite_offsets
from scenarios.evidence import CallRecord, Direction, Outcome
from scenarios.load import CallerBlock
from scenarios.model import Queue, Traffic
from sim.log import Log
from sim.timer import Timer, later
from sim.world import NodeState, World

OFFSETS = invite_offsets()


class State(Enum):
    """Where a caller stands."""

    SETUP = "nothing has answered the INVITE yet"
    WANTS_AGENT = "outbound work that waits for an agent"
    WAITING = "in a queue"
    TALKING = "answered"
    PAUSED = "will dial again"
    DONE = "gone"


class Call(Timer):
    """One caller, attempt after attempt."""

    __slots__ = (
        "again", "agent", "answered", "attempt", "delivered", "dialled", "direction", "first", "group", "last",
        "limits", "node", "number", "patience", "queue", "route", "sent", "site", "start", "state", "stream", "talk",
        "tries", "willing",
    )  # fmt: skip

    def __init__(
        self,
        env: simpy.Environment,
        callbacks: list[Callable[[Any], None]],
        stream: Traffic,
        draws: tuple[Any, ...],
    ) -> None:
        super().__init__(env, callbacks)
        self.stream = stream
        self.direction = Direction.INBOUND if stream.from_ is None else Direction.OUTBOUND
        self.group = stream.from_ or ""
        self.talk, self.patience, self.willing, self.again = draws
        self.tries = 0
        self.first = -1
        self.reset(-1, 0.0)

    def reset(self, attempt: int, now: float) -> None:
        """Begin an attempt."""
        self.attempt = attempt
        self.tries += 1
        self.start = now
        self.sent = 0
        self.last = False
        self.dialled = now
        self.number = "" if self.group else self.stream.to
        self.queue = ""
        self.site = ""
        self.state = State.SETUP
        self.route: Route | None = None
        self.node: NodeState | None = None
        self.limits: tuple[Any, ...] = ()
        self.agent: Agent | None = None
        self.delivered: float | None = None
        self.answered: float | None = None


class Calls:
    """The lifecycle of all calls of a run."""

    def __init__(
        self, env: simpy.Environment, world: World, queues: Mapping[str, Queue], queue: Distributor[Call], log: Log
    ) -> None:
        self._env = env
        self._world = world
        self._queue = queue
        self._answers = {name for name, each in queues.items() if each.answers}
        self._log = log
        self._attempts = 0
        self._on_due: list[Callable[[Any], None]] = [self._due]
        self._unsettled: dict[Call, None] = {}
        """Attempts that hold no port yet: in set-up, or waiting for an agent to place them."""
        self.release_agent: Callable[[Agent], None] = lambda agent: None
        """What becomes of an agent after a call; the people's part sets it."""

    # Arrivals

    def play(self, stream: Traffic, blocks: Iterator[CallerBlock]) -> None:
        """Let the callers of a stream arrive."""
        callers = chain.from_iterable(
            zip(block.at, block.talk, block.patience, block.tries, block.again, strict=True) for block in blocks
        )
        source = Timer(self._env, [])
        pending: tuple[Any, ...] | None = None

        def arrive(event: Timer) -> None:
            nonlocal pending
            source.stale(on_arrival)
            if pending is not None:
                self._dial(Call(self._env, self._on_due, stream, pending))
            if (caller := next(callers, None)) is not None:
                pending = caller[1:]
                source.at(max(caller[0], self._env.now))

        on_arrival: list[Callable[[Any], None]] = [arrive]
        arrive(source)

    def _dial(self, call: Call) -> None:
        call.reset(self._attempts, self._env.now)
        self._attempts += 1
        if call.first < 0:
            call.first, call.tries = call.attempt, 1
        if call.direction is Direction.INBOUND:
            self._set_up(call)
        else:
            agent = self._queue.request(self._env.now, call.group, call)
            if agent is None:
                call.state = State.WANTS_AGENT
                self._unsettled[call] = None
                self._wait_until(call, call.start + call.patience)
            else:
                self.serve(call, agent)

    # Set-up

    def _set_up(self, call: Call) -> None:
        route = self._world.routing.route(call.number)
        if isinstance(route, NoRoute):
            self._end(call, Outcome.FAILED, route.reason, route.sip)
        else:
            call.route = route
            call.queue = route.queue or ""
            call.site = self._world.trunks[route.trunk].pair.site.name
            self._send(call, route)

    def _send(self, call: Call, route: Route) -> None:
        """Send the INVITE, for the first time or again."""
        trunk = self._world.trunks[route.trunk]
        pair = trunk.pair
        node = pair.serving
        if trunk.down_by:
            self._log.effect(trunk.down_by, "call")
            self._end(call, Outcome.FAILED, "trunk lost", 503)
        elif node is None:
            self._log.effect(pair.broken_by, "call")
            self._wait_for_answer(call)
        elif not pair.site.in_service:
            self._end(call, Outcome.FAILED, "site not in service", 503)
        else:
            limits = self._world.limits(call.direction, route, node)
            refusing = acquire(limits)
            if refusing is not None:
                self._end(call, Outcome.BLOCKED, refusing.name, refusing.sip)
            else:
                call.limits = limits
                self._deliver(call, node, route.queue)

    def _wait_for_answer(self, call: Call) -> None:
        """Wait for the next offset, Timer B or the end of the caller's patience, whichever comes first."""
        call.state = State.SETUP
        self._unsettled[call] = None
        call.sent += 1
        after = OFFSETS[call.sent] if call.sent < len(OFFSETS) else TRANSACTION_TIMEOUT
        patience = call.start + call.patience - call.dialled
        call.last = after == TRANSACTION_TIMEOUT or patience <= after
        call.at(call.dialled + min(after, patience))

    def _deliver(self, call: Call, node: NodeState, queue: str | None) -> None:
        self._unsettled.pop(call, None)
        now = self._env.now
        call.node = node
        node.calls[call] = None
        call.delivered = now
        if queue is None or call.agent is not None:
            self._answer(call)
            return
        agent = self._queue.offer(now, queue, call.site, call)
        if agent is not None:
            call.agent = agent
            self._answer(call)
        else:
            call.state = State.WAITING
            self._wait_until(call, call.start + call.patience)

    def _wait_until(self, call: Call, when: float) -> None:
        call.due = inf
        if when < inf:
            call.at(max(when, self._env.now))

    def _answer(self, call: Call) -> None:
        call.answered = self._env.now
        call.state = State.TALKING
        call.at(call.answered + call.talk)

    def serve(self, call: Call, agent: Agent) -> None:
        """An agent takes a call: answers the caller, or dials for outbound work."""
        call.agent = agent
        if call.direction is Direction.INBOUND:
            self._answer(call)
            return
        self._unsettled.pop(call, None)
        call.dialled = self._env.now
        shown = self._shown(call.stream, agent.group)
        call.number = shown or ""
        route = self._world.routing.route(shown) if shown is not None else None
        if not isinstance(route, Route) or self._world.trunks[route.trunk].pair.site.name != agent.site:
            self._end(call, Outcome.FAILED, "caller number not usable", 403)  # Z15, Z32
        else:
            call.route = route
            call.site = self._world.trunks[route.trunk].pair.site.name
            self._send(call, route)

    def _shown(self, stream: Traffic, group: str) -> str | None:
        match stream.shows:
            case "default" | None:
                return self._world.default_caller
            case "terminal":
                return self._world.caller_numbers[group]
            case number:
                return number

    # What time brings

    def _due(self, call: Call) -> None:
        if call.stale(self._on_due):
            return
        match call.state:
            case State.TALKING:
                self._end(call, Outcome.COMPLETED, "", 200)
            case State.WAITING:
                self._queue.leave(call.queue, call.site, call)
                self._end(call, Outcome.ABANDONED, "gave up waiting", 200 if self.confirmed(call) else 487)
            case State.SETUP if call.route is not None:
                if call.last:
                    gave_up = call.start + call.patience < call.dialled + TRANSACTION_TIMEOUT
                    self._end(call, Outcome.FAILED, "nothing answers", 487 if gave_up else 408)
                else:
                    self._send(call, call.route)
            case State.WANTS_AGENT:
                self._queue.withdraw(call.group, call)
                self._end(call, Outcome.ABANDONED, "no agent free", 0)
            case State.PAUSED:
                self._dial(call)
            case _:
                pass

    def confirmed(self, call: Call) -> bool:
        """Whether the INVITE of a delivered call has had its 200 OK: somebody, or the queue, has answered (W9)."""
        return call.answered is not None or call.queue in self._answers

    def drop(self, node: NodeState, reason: str, spare: Callable[[Call], bool] = lambda call: False) -> int:
        """Cut the calls of a node but those that ``spare`` names, return how many; no agent takes one that is to go."""
        doomed = [call for call in node.calls if not spare(call)]
        for call in sorted(doomed, key=lambda call: call.state is State.TALKING):
            if call.state is State.WAITING:
                self._queue.leave(call.queue, call.site, call)
            self._end(call, Outcome.DROPPED, reason, 200 if self.confirmed(call) else 408)
        return len(doomed)

    def hang_up(self, of: Callable[[Agent], bool], reason: str) -> int:
        """Cut the calls of some agents, those still in set-up included, and return how many."""
        nodes = [node for pair in self._world.pairs.values() for node in pair.nodes]
        cut = sum(
            self.drop(node, reason, spare=lambda call: call.agent is None or not of(call.agent)) for node in nodes
        )
        dialling = [call for call in self._unsettled if call.agent is not None and of(call.agent)]
        for call in dialling:
            self._end(call, Outcome.FAILED, reason, 408)
        return cut + len(dialling)

    def carry_over(self, old: NodeState, new: NodeState) -> None:
        """The calls a pair has kept go on through the node that took over, and hold its ports."""
        move(len(old.calls), old.limit, new.limit)
        for call in old.calls:
            call.node = new
            call.limits = tuple(new.limit if limit is old.limit else limit for limit in call.limits)
        new.calls |= old.calls
        old.calls.clear()

    # Ends

    def _end(self, call: Call, outcome: Outcome, reason: str, sip: int) -> None:
        self._unsettled.pop(call, None)
        if call.node is not None:
            release(call.limits)
            del call.node.calls[call]
        again = outcome is not Outcome.COMPLETED and call.tries < call.willing
        self._record(call, outcome, reason, sip, final=not again)
        agent = call.agent
        if again:
            call.state = State.PAUSED
            call.at(self._env.now + call.again[call.tries - 1])
        else:
            call.state = State.DONE
            call.due = inf
        if agent is None:
            return
        if outcome in (Outcome.FAILED, Outcome.BLOCKED):
            # The next piece of outbound work may fail as well, and the next: not one inside the other.
            later(self._env, 0.0, partial(self.release_agent, agent))
        else:
            self.release_agent(agent)

    def close(self) -> None:
        """Record what is still up at the end of the run."""
        nodes = (node for pair in self._world.pairs.values() for node in pair.nodes)
        for call in chain(self._unsettled, *(node.calls for node in nodes)):
            self._record(call, Outcome.IN_PROGRESS, "", 0, final=False)
        self._log.flush()

    def _record(self, call: Call, outcome: Outcome, reason: str, sip: int, *, final: bool) -> None:
        now = self._env.now
        route, delivered, answered = call.route, call.delivered, call.answered
        waited_until = now if answered is None else answered
        inbound = call.direction is Direction.INBOUND
        self._log.call(
            CallRecord(  # by position: by name takes twice as long, once a call
                call.attempt,
                call.first,
                call.tries,
                call.direction,
                call.number,
                (call.number if route is None else route.number) if inbound else call.stream.to,
                call.dialled,
                None if delivered is None else delivered - call.dialled,
                None if delivered is None else waited_until - delivered,
                None if answered is None else now - answered,
                now,
                outcome,
                reason,
                sip,
                "" if route is None else route.trunk,
                "" if call.node is None else call.node.name,
                call.site,
                call.queue,
                "" if call.agent is None else call.agent.group,
                final,
            )
        )
