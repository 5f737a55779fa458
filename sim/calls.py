"""Calls: the way of every attempt from first dial to its end, one light event for each caller.

An attempt is set up through the world's routes and limits, waits in a queue, is answered, ends, and may be tried again.
An attempt that meets a silent SBC is sent again at the offsets of RFC 3261 and takes its ports on arrival.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from math import inf
from typing import Any

import simpy

from sbc.decisions import advance
from sbc.decisions.admission import move, release
from sbc.decisions.distribution import Agent, Distributor
from sbc.decisions.routing import NoRoute, Route
from sbc.decisions.session import held
from sbc.decisions.timers import TRANSACTION_TIMEOUT, invite_offsets
from scenarios.evidence import Direction, Outcome
from scenarios.load import CallerBlock
from scenarios.model import Queue
from sim.call import Call, State, Stream
from sim.contact import ContactCentre
from sim.draws import Draws
from sim.log import Log
from sim.timer import Timer, later
from sim.world import NodeState, PairState, World, admit

OFFSETS = invite_offsets()

_CONTENT = (Outcome.COMPLETED, Outcome.CLOSED)
"""Outcomes after which nobody tries again."""


class Calls:
    """The lifecycle of all calls of a run."""

    def __init__(
        self,
        env: simpy.Environment,
        world: World,
        queues: Mapping[str, Queue],
        queue: Distributor[Call],
        draws: Draws,
        log: Log,
        lasts: float,
    ) -> None:
        self._env = env
        self._world = world
        self._queue = queue
        self._contact = ContactCentre(env, world, queues, queue, draws, log, self)
        self._log = log
        self._lasts = lasts
        self._attempts = 0
        self._on_due: list[Callable[[Any], None]] = [self._due]
        self.unsettled: dict[Call, None] = {}
        """Attempts that hold no port: in set-up, waiting for an agent to place them, or to be called back."""
        self.release_agent: Callable[[Agent], None] = lambda agent: None
        """What becomes of an agent after a call; the people's part sets it."""
        self.unanswered: Callable[[PairState, NodeState], None] = lambda pair, node: None
        """Who hears that a node has left a call unanswered; the active-active pairs set it."""

    # Arrivals

    def play(self, stream: Stream, blocks: Iterator[CallerBlock]) -> None:
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
            call.first = call.attempt
        if call.direction is Direction.INBOUND:
            self._set_up(call)
        else:
            agent = self._queue.request(self._env.now, call.group, call)
            if agent is None:
                call.state = State.WANTS_AGENT
                self.unsettled[call] = None
                self.wait_until(call, call.start + call.patience)
            else:
                self.serve(call, agent)

    # Set-up

    def _set_up(self, call: Call) -> None:
        route = self._world.routing.route(call.number)
        if isinstance(route, NoRoute):
            self.end(call, Outcome.FAILED, route.reason, route.sip)
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
        elif route.calendars and call.direction is Direction.INBOUND and self._world.is_closed(route):
            self._refuse(call, Outcome.CLOSED, "closed", 480)
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
                self.end(call, outcome, reason, advance.final(sip, silent=call.silent))

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
        self.unsettled[call] = None
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
        self.unsettled.pop(call, None)
        now = self._env.now
        call.node = node
        node.calls[call] = None
        call.delivered = now
        if queue is None or call.agent is not None:
            self.answer(call)
            return
        self._contact.deliver(call, queue)

    def wait_until(self, call: Call, when: float) -> None:
        """Let a call wait until a moment, or for ever."""
        call.due = inf
        if when < inf:
            call.at(max(when, self._env.now))

    def answer(self, call: Call) -> None:
        """Somebody is on the line: the talk begins."""
        call.answered = self._env.now
        call.state = State.TALKING
        call.at(call.answered + call.talk)

    def serve(self, call: Call, agent: Agent) -> None:
        """An agent takes a call: answers the caller, or dials for outbound work."""
        call.agent = agent
        if call.state is State.PROMISED:
            self.unsettled.pop(call, None)
            self._contact.call_back(call)
            return
        if call.direction is Direction.INBOUND:
            self.answer(call)
            return
        self.unsettled.pop(call, None)
        call.dialled = self._env.now
        shown = self._shown(call.stream, agent.group)
        call.number = shown or ""
        route = self._world.routing.route(shown) if shown is not None else None
        ways = route.ways if isinstance(route, Route) else ()
        here = next((way for way in ways if self._site(way) == agent.site), None)
        if here is None:
            self.end(call, Outcome.FAILED, "caller number not usable", 403)  # Z15, Z32
        else:
            self._try(call, here)

    def _shown(self, stream: Stream, group: str) -> str | None:
        match stream.plan.shows:
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
                self.end(call, Outcome.COMPLETED, "", 200)
            case State.WAITING | State.PROMISED:
                self._contact.waited(call)
            case State.IVR if call.route is not None and call.route.queue is not None:
                self._contact.leave_ivr(call, call.route.queue)
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
                self.end(call, Outcome.ABANDONED, "no agent free", 0)
            case State.PAUSED:
                self._dial(call)
            case _:
                pass

    def confirmed(self, call: Call) -> bool:
        """Whether the INVITE of a delivered call has had its 200 OK: somebody, or the queue, has answered (W9)."""
        return call.answered is not None or self._contact.answers(call.queue)

    def drop(self, node: NodeState, reason: str, spare: Callable[[Call], bool] = lambda call: False) -> int:
        """Clear the calls of a node but those that ``spare`` names, at all ends at once; return how many."""
        doomed = self._doomed(node, spare)
        for call in doomed:
            self.end(call, Outcome.DROPPED, reason, 200 if self.confirmed(call) else 408)
        return len(doomed)

    def lose(self, pair: PairState, node: NodeState, reason: str, spare: Callable[[Call], bool]) -> None:
        """Lose the calls of a dead node but those that ``spare`` names: nobody clears them.

        The node's ports are free; the carrier's channel and the agent stay held until a person hangs up in the silence
        or the session timer ends the call (J7, S5).
        """
        for call in self._doomed(node, spare):
            now = self._env.now
            carriers = tuple(limit for limit in call.limits if limit is not node.limit)
            up = now - call.delivered if call.delivered is not None and self.confirmed(call) else None
            far, near = (held(next(call.stream.silence), pair.plan, up) for _ in range(2))
            later(self._env, far, partial(release, carriers))
            if call.agent is not None:
                later(self._env, near, partial(self.release_agent, call.agent))
            release([limit for limit in call.limits if limit is node.limit])
            call.leave_nodes()
            redials = near if call.direction is Direction.OUTBOUND else far
            self._finish(call, Outcome.DROPPED, reason, 200 if self.confirmed(call) else 408, after=redials)

    def _doomed(self, node: NodeState, spare: Callable[[Call], bool]) -> list[Call]:
        """The calls of a node that are to go, those first that wait, out of their queue: no agent takes one of them."""
        doomed = sorted((call for call in node.calls if not spare(call)), key=lambda call: call.state is State.TALKING)
        for call in doomed:
            if call.state is State.WAITING:
                self._queue.leave(call.queue, call.site, call)
        return doomed

    def hang_up(self, of: Callable[[Agent], bool], reason: str) -> int:
        """Cut the calls of some agents, those still in set-up included, and return how many."""
        nodes = [node for pair in self._world.pairs.values() for node in pair.nodes]
        cut = sum(
            self.drop(node, reason, spare=lambda call: call.agent is None or not of(call.agent)) for node in nodes
        )
        dialling = [call for call in self.unsettled if call.agent is not None and of(call.agent)]
        for call in dialling:
            self.end(call, Outcome.FAILED, reason, 408)
        return cut + len(dialling)

    def carry_over(self, old: NodeState, new: NodeState) -> None:
        """The calls a pair has kept go on through the node that took over, and hold its ports."""
        for call in old.calls:
            move(call.limits.count(old.limit), old.limit, new.limit)
            call.limits = tuple(new.limit if limit is old.limit else limit for limit in call.limits)
            if call.node is old:
                call.node = new
            if call.leg is not None and call.leg[0] is old:
                call.leg = (new, call.leg[1])
        new.calls |= old.calls
        old.calls.clear()

    # Ends

    def end(self, call: Call, outcome: Outcome, reason: str, sip: int) -> None:
        """End an attempt and give back all that it holds."""
        if call.node is not None:
            release(call.limits)
            call.leave_nodes()
        agent = call.agent
        self._finish(call, outcome, reason, sip)
        if agent is None:
            return
        if outcome in (Outcome.FAILED, Outcome.BLOCKED):
            # The next piece of outbound work may fail as well, and the next: not one inside the other.
            later(self._env, 0.0, partial(self.release_agent, agent))
        else:
            self.release_agent(agent)

    def _finish(self, call: Call, outcome: Outcome, reason: str, sip: int, after: float = 0.0) -> None:
        """Record an attempt; one who tries again begins the pause ``after`` seconds."""
        self.unsettled.pop(call, None)
        again = inf
        if outcome not in _CONTENT and call.tries < call.willing:
            again = self._env.now + after + call.again[call.tries - 1]
        self._log.call(call.record(self._env.now, outcome, reason, sip, final=again >= self._lasts))
        if again < inf:
            call.state = State.PAUSED
            call.at(again)
        else:
            call.state = State.DONE
            call.due = inf

    def clear(self, queue: str) -> None:
        """Tell all who wait in a queue that it is closed."""
        self._contact.clear(queue)

    def close(self) -> None:
        """Record what is still up at the end of the run."""
        nodes = (node for pair in self._world.pairs.values() for node in pair.nodes)
        for call in dict.fromkeys(chain(self.unsettled, *(node.calls for node in nodes))):
            self._log.call(call.record(self._env.now, Outcome.IN_PROGRESS, "", 0, final=False))
        self._log.flush()
