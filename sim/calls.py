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

from sbc.decisions import advance
from sbc.decisions.admission import move, release
from sbc.decisions.distribution import Agent, Distributor
from sbc.decisions.routing import NoRoute, Route
from sbc.decisions.timers import TRANSACTION_TIMEOUT, invite_offsets
from scenarios.evidence import CallRecord, Direction, Outcome
from scenarios.load import CallerBlock
from scenarios.model import Queue, Traffic
from sim.log import Log
from sim.timer import Timer, later
from sim.world import NodeState, PairState, World, admit

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
        "again", "agent", "answered", "attempt", "branch", "delivered", "dialled", "direction", "failed_over", "first",
        "group", "invited", "last", "limits", "node", "number", "patience", "queue", "route", "sent", "silent", "site",
        "start", "state", "stream", "talk", "tries", "willing",
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
        self.silent = False
        self.branch: NodeState | None = None
        self.failed_over = False
        self.dialled = self.invited = now
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
        self.unanswered: Callable[[PairState, NodeState], None] = lambda pair, node: None
        """Who hears that a node has left a call unanswered; the active-active pairs set it."""

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
            call.queue = route.queue or ""
            self._try(call, route)

    def _try(self, call: Call, route: Route) -> None:
        """Begin with a trunk."""
        call.route = route
        call.site = self._site(route)
        pair = self._world.trunks[route.trunk].pair
        call.failed_over = False
        self._invite(call, route, pair.pick() if pair.shared else None)

    def _invite(self, call: Call, route: Route, branch: NodeState | None) -> None:
        """Send a new INVITE, in an active-active pair to one of its nodes."""
        call.branch = branch
        call.sent = 0
        call.invited = self._env.now
        self._send(call, route)

    def _site(self, route: Route) -> str:
        return self._world.trunks[route.trunk].pair.site.name

    def _send(self, call: Call, route: Route) -> None:
        """Send the INVITE, for the first time or again."""
        trunk = self._world.trunks[route.trunk]
        pair = trunk.pair
        node = pair.serving if call.branch is None else call.branch if call.branch.up else None
        if trunk.broken_by:
            self._log.effect(trunk.broken_by, "call")
            self._refuse(call, Outcome.FAILED, "trunk lost" if trunk.down_by else "trunk answers 503", 503)
        elif pair.shared and call.branch is None:
            self._refuse(call, Outcome.FAILED, "no node in use", 503)
        elif node is None:
            self._log.effect(pair.broken_by if call.branch is None else call.branch.failed_by, "call")
            self._wait_for_answer(call, route)
        elif pair.drained:
            self._refuse(call, Outcome.FAILED, "drained", 503)
        elif not pair.site.in_service:
            self._refuse(call, Outcome.FAILED, "site not in service", 503)
        else:
            limits = self._world.limits(call.direction, route, node)
            refusing = admit(limits, node, self._env.now)
            if refusing is not None:
                self._refuse(call, Outcome.BLOCKED, refusing.name, refusing.sip)
            else:
                call.limits = limits
                self._deliver(call, node, route.queue)

    def _refuse(self, call: Call, outcome: Outcome, reason: str, sip: int) -> None:
        """A trunk has answered, or given no answer: go on to the other node or trunk, or let the caller hear it."""
        node = self._other_node(call, sip)
        if node is not None and call.route is not None:
            call.failed_over = True
            self._invite(call, call.route, node)
            return
        others = self._others(call)
        match advance.after(sip, len(others)):
            case advance.Verdict.NEXT:
                call.silent |= sip == advance.NO_ANSWER
                self._try(call, others[0])
            case advance.Verdict.FINAL:
                self._end(call, outcome, reason, advance.final(sip, silent=call.silent))

    def _other_node(self, call: Call, sip: int) -> NodeState | None:
        """Return the node of an active-active pair that a call can still go on to after an answer."""
        if call.branch is None or call.route is None or call.failed_over or sip not in advance.ADVANCES:
            return None
        return self._world.trunks[call.route.trunk].pair.other(call.branch)

    def _others(self, call: Call) -> list[Route]:
        """Return the routes by trunks not tried yet; a phone reaches those of its own site only (Z15)."""
        if call.route is None or call.route.otherwise is None:
            return []
        agent = call.agent
        return [way for way in call.route.otherwise.ways if agent is None or self._site(way) == agent.site]

    def _wait_for_answer(self, call: Call, route: Route) -> None:
        """Wait for the next offset, the trunk's time-out or the end of the caller's patience, whichever comes first."""
        call.state = State.SETUP
        self._unsettled[call] = None
        call.sent += 1
        timeout = self._timeout(call, route)
        after = min(OFFSETS[call.sent] if call.sent < len(OFFSETS) else TRANSACTION_TIMEOUT, timeout)
        patience = call.start + call.patience - call.invited
        call.last = after == timeout or patience <= after
        call.at(call.invited + min(after, patience))

    def _timeout(self, call: Call, route: Route) -> float:
        """Seconds after which silence is given up: Timer B, or sooner where there is another trunk or node."""
        trunk = self._world.trunks[route.trunk]
        return min(trunk.advance_after if trunk.pair.shared or self._others(call) else inf, TRANSACTION_TIMEOUT)

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
        ways = route.ways if isinstance(route, Route) else ()
        here = next((way for way in ways if self._site(way) == agent.site), None)
        if here is None:
            self._end(call, Outcome.FAILED, "caller number not usable", 403)  # Z15, Z32
        else:
            self._try(call, here)

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
                    gave_up = call.start + call.patience < call.invited + self._timeout(call, call.route)
                    if call.branch is not None and not gave_up:
                        self.unanswered(self._world.trunks[call.route.trunk].pair, call.branch)
                    self._refuse(call, Outcome.FAILED, "nothing answers", 487 if gave_up else advance.NO_ANSWER)
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
