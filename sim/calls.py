"""Calls: feeds the machine of each call with what happens to it, and carries out what the machine says.

Which event leads where is in :mod:`sbc.decisions.call`; here are the routes and limits, the queue, the people and the
clock that it does not know. One light event stands for each caller. An attempt that meets a silent SBC is sent again at
the offsets of RFC 3261 and takes its ports on arrival.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from math import inf
from typing import Any

import simpy

from sbc.decisions import advance
from sbc.decisions.admission import acquire, admit, move, release
from sbc.decisions.call import TABLE, Effect, Event, State, answer_within, redials_at, setup_deadline
from sbc.decisions.distribution import Agent, Distributor
from sbc.decisions.link import comes_first, expecting
from sbc.decisions.routing import NoRoute
from sbc.decisions.session import held
from sbc.decisions.table import bound, follow
from scenarios.evidence import Direction, Outcome
from scenarios.load import CallerBlock
from scenarios.model import Queue
from sim.call import Call, Stream
from sim.contact import ContactCentre
from sim.draws import Draws
from sim.log import Log
from sim.timer import later
from sim.world import NodeState, PairState, Way, World

NOT_USABLE = NoRoute("caller number not usable", 403)
"""A call that shows no number, or one of another site."""
# Every call needs these, and up to Python 3.11 to read a member off its enumeration takes ten times as long as a name.
_ANSWERED, _TALK_OVER, _INBOUND, _COMPLETED = Event.ANSWERED, Event.TALK_OVER, Direction.INBOUND, Outcome.COMPLETED
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
        self._contact = ContactCentre(world, queues, queue, draws, log, self)
        self._log = log
        self._lasts = lasts
        self._attempts = 0
        self._on_due: list[Callable[[Any], None]] = [self._due]
        self._table = bound(
            TABLE,
            {
                Effect.DIAL: self._dial,
                Effect.SEEK_AGENT: self._seek_agent,
                Effect.PLACE: self._place,
                Effect.SEND: self._send,
                Effect.MEET: self._reached,
                Effect.COUNT_AS_408: self._count_as_408,
                Effect.GO_ON: self._go_on,
                Effect.TALK: self._talk,
                Effect.WITHDRAW: self._withdraw,
                Effect.CLEAR: self._clear,
                Effect.HOLD_ON: self._hold_on,
                Effect.COMPLETE: self._complete,
                Effect.ABANDON: self._abandon,
                Effect.CANCEL: self._cancel,
                Effect.REFUSE: self._refuse,
                Effect.CUT: self._cut,
                Effect.FREE_AGENT: self._free_agent,
                Effect.PAUSE: self._pause,
                **self._contact.effects,
            },
        )
        self.unsettled: dict[Call, None] = {}
        """Attempts that hold no port: in set-up, waiting for an agent to place them, or to be called back."""
        self.release_agent: Callable[[Agent], None] = lambda agent: None
        """What becomes of an agent after a call; the people's part sets it."""
        self.unanswered: Callable[[PairState, NodeState], None] = lambda pair, node: None
        """Who hears that a node has left a call unanswered; the active-active pairs set it."""

    def tell(self, call: Call, event: Event, now: float) -> None:
        """Let something happen to a call."""
        call.state, effects = follow(self._table, call.state, event)
        for carry_out in effects:
            carry_out(call, now)

    def _due(self, call: Call) -> None:
        call.callbacks = self._on_due
        now = self._env.now
        if now >= call.due:
            call.due = inf
            self.tell(call, call.brings, now)

    def play(self, stream: Stream, blocks: Iterator[CallerBlock]) -> None:
        """Let the callers of a stream arrive."""
        callers: Iterator[tuple[Any, ...]] = chain.from_iterable(
            zip(block.at, block.talk, block.patience, block.tries, block.again, strict=True) for block in blocks
        )
        if stream.plan.sources is not None:
            stream.source_free = partial(self._source_free, stream, callers)
            callers = islice(callers, stream.plan.sources)

        def expect_next(now: float) -> None:
            if (caller := next(callers, None)) is not None:
                Call(self._env, arrives, stream, caller).wait(caller[0], stream.begins, now)

        def arrive(call: Call) -> None:
            now = self._env.now
            call.callbacks = self._on_due
            self.tell(call, stream.begins, now)
            expect_next(now)

        arrives: list[Callable[[Any], None]] = [arrive]
        expect_next(self._env.now)

    def _source_free(self, stream: Stream, callers: Iterator[tuple[Any, ...]], at: float) -> None:
        """One of few sources has done with a call, and will place another after a pause."""
        if (caller := next(callers, None)) is not None:
            Call(self._env, self._on_due, stream, caller).wait(at + caller[0], stream.begins, self._env.now)

    # Set-up

    def _begin(self, call: Call, number: str, now: float) -> None:
        call.begin(self._attempts, number, now)
        self._attempts += 1

    def _dial(self, call: Call, now: float) -> None:
        stream = call.stream
        self._begin(call, stream.to, now)
        way = self._world.way(stream.to, _INBOUND)
        if isinstance(way, NoRoute):
            self.refuse(call, Outcome.FAILED, way.reason, way.sip, now)
        else:
            call.queue = way.route.queue or ""
            self._try(call, way, now)

    def _seek_agent(self, call: Call, now: float) -> None:
        self._begin(call, "", now)
        agent = self._queue.request(now, call.stream.group, call, urgent=call.stream.emergency)
        if agent is None:
            self.unsettled[call] = None
            call.wait(call.gives_up, Event.PATIENCE_OVER, now)
        else:
            self.serve(call, agent)

    def serve(self, call: Call, agent: Agent) -> None:
        """An agent takes a call: answers the caller, or dials."""
        call.agent = agent
        self.tell(call, Event.AGENT_FREE, self._env.now)

    def _place(self, call: Call, now: float) -> None:
        self.unsettled.pop(call, None)
        call.dialled = now
        way = self._way_out(call, call.agent)
        if isinstance(way, NoRoute):
            self.refuse(call, Outcome.FAILED, way.reason, way.sip, now)
        else:
            self._try(call, way, now)

    def _way_out(self, call: Call, agent: Agent | None) -> Way | NoRoute:
        """Return how an agent's call leaves, which the number it shows decides (Z15, Z32), in an emergency the site."""
        assert agent is not None  # noqa: S101
        if call.stream.emergency:
            way = self._world.emergency[agent.site]
            call.number = way.route.number if isinstance(way, Way) else ""
            return way
        shown = self._shown(call)
        call.number = shown or ""
        found = self._world.way(shown, Direction.OUTBOUND) if shown is not None else None
        ways = (found, *found.others) if isinstance(found, Way) else ()
        return next((each for each in ways if each.site == agent.site), NOT_USABLE)

    def _shown(self, call: Call) -> str | None:
        match call.stream.plan.shows:
            case "default" | None:
                return self._world.default_caller
            case "terminal":
                return self._world.caller_numbers[call.stream.group]
            case number:
                return number

    def _try(self, call: Call, way: Way, now: float) -> None:
        """Begin with a trunk."""
        call.way = way
        call.branch = None
        call.failed_over = False
        if (way.trunk.restricted_by or self._world.rests) and not call.stream.emergency:
            refusal = self._world.turns_away(call.stream.direction, way.route.trunk, call.lots, now, self._log)
            if refusal is not None:
                self._response(call, Outcome.FAILED, refusal.reason, refusal.sip, now)
                return
        self._invite(call, way.pair.pick() if way.pair.shared else None, now)

    def _invite(self, call: Call, branch: NodeState | None, now: float) -> None:
        """Send a new INVITE, in an active-active pair to one of its nodes."""
        call.branch = branch
        call.sent = 0
        call.answers = ()
        call.invited = now
        self._send(call, now)

    def _send(self, call: Call, now: float) -> None:
        """Send the INVITE, for the first time or again; on a degraded trunk its answer may be late or lost."""
        way = call.way
        assert way is not None  # noqa: S101
        call.sent += 1
        link = way.trunk.link
        if link.degraded_by and not way.trunk.down_by:
            there_and_back = [link.crossing(self._log, "call") for _ in range(2)]
            call.answers = expecting(call.answers, now, there_and_back)
            if not comes_first(call.answers, now):
                self._wait_for_answer(call, way, now)
                return
            call.answers = call.answers[1:]
        self._meet(call, now)

    def _reached(self, call: Call, now: float) -> None:
        call.answers = call.answers[1:]
        self._meet(call, now)

    def _meet(self, call: Call, now: float) -> None:
        """Meet what there is at the other end of the trunk."""
        way, branch = call.way, call.branch
        assert way is not None  # noqa: S101
        trunk, pair = way.trunk, way.pair
        node = pair.serving if branch is None else branch if branch.up else None
        if trunk.down_by or trunk.refuses_by:
            self._log.effect(trunk.broken_by, "call")
            self._rest(call, way, None if trunk.down_by else trunk.retry_after, now)
            self._response(call, Outcome.FAILED, "trunk lost" if trunk.down_by else "trunk answers 503", 503, now)
        elif pair.shared and branch is None:
            self._response(call, Outcome.FAILED, "no node in use", 503, now)
        elif node is None:
            self._log.effect(pair.broken_by if branch is None else branch.failed_by, "call")
            self._wait_for_answer(call, way, now)
        elif pair.drained:
            if call.stream.direction is Direction.INBOUND:  # an agent's phone hears it for itself alone
                self._rest(call, way, pair.retry_after, now)
            self._response(call, Outcome.FAILED, "drained", 503, now)
        elif not pair.site.in_service:
            self._response(call, Outcome.FAILED, "site not in service", 503, now)
        elif way.route.calendars and call.stream.direction is _INBOUND and self._world.is_closed(way.route):
            self._response(call, Outcome.CLOSED, "closed", 480, now)
        else:
            limits = way.limits[node]
            refusing = acquire(limits) if node.pace is None else admit(limits, node.pace, now)
            if refusing is None:
                call.limits = limits
                self._deliver(call, node, way.route.queue, now)
            else:
                self._response(call, Outcome.BLOCKED, refusing.name, refusing.sip, now)

    def _rest(self, call: Call, way: Way, retry_after: float | None, now: float) -> None:
        """A trunk has answered 503: leave it alone for as long as it asks for."""
        target = call.stream.direction, way.route.trunk
        self._world.rests.answered(now, target, advance.UNAVAILABLE, retry_after)

    def _response(self, call: Call, outcome: Outcome, reason: str, sip: int, now: float) -> None:
        """A trunk has refused, or given no answer: go on to the other node or trunk, or let the caller hear it."""
        others = self._others(call)
        if self._other_node(call, sip) is not None or advance.after(sip, len(others)) is advance.Verdict.NEXT:
            call.refusal = outcome, reason, sip
            self.tell(call, Event.ADVANCED, now)
        else:
            self.refuse(call, outcome, reason, advance.final(sip, silent=call.silent), now)

    def _go_on(self, call: Call, now: float) -> None:
        _, _, sip = call.refusal
        node = self._other_node(call, sip)
        if node is not None:
            call.failed_over = True
            self._invite(call, node, now)
        else:
            call.silent |= sip == advance.NO_ANSWER
            way = self._others(call)[0]
            if call.stream.emergency:
                call.number = way.route.number
            self._try(call, way, now)

    def _other_node(self, call: Call, sip: int) -> NodeState | None:
        """Return the node of an active-active pair that a call can still go on to after an answer."""
        if call.branch is None or call.failed_over or sip not in advance.ADVANCES:
            return None
        return call.way.pair.other(call.branch) if call.way is not None else None

    def _others(self, call: Call) -> list[Way]:
        """Return the ways by trunks not tried yet; a phone reaches those of its own site only (Z15)."""
        agent = call.agent
        ways = call.way.others if call.way is not None else ()
        return [way for way in ways if agent is None or way.site == agent.site]

    def _wait_for_answer(self, call: Call, way: Way, now: float) -> None:
        self.unsettled[call] = None
        within = answer_within(way.trunk.advance_after, may_go_on=way.pair.shared or bool(self._others(call)))
        until, brings = setup_deadline(call.invited, call.sent, within, call.gives_up, call.answers)
        call.wait(until, brings, now)

    def _count_as_408(self, call: Call, now: float) -> None:
        if call.branch is not None and call.way is not None:
            self.unanswered(call.way.pair, call.branch)
        self._response(call, Outcome.FAILED, "nothing answers", advance.NO_ANSWER, now)

    def _deliver(self, call: Call, node: NodeState, queue: str | None, now: float) -> None:
        """The call has all its ports."""
        if self.unsettled:
            self.unsettled.pop(call, None)
        call.node = node
        node.calls[call] = None
        call.delivered = now
        self.tell(call, _ANSWERED if queue is None or call.agent is not None else self._contact.takes(queue), now)

    def _talk(self, call: Call, now: float) -> None:
        call.answered = now
        call.wait(now + call.talk, _TALK_OVER, now)

    # What faults and steps do

    def confirmed(self, call: Call) -> bool:
        """Whether the INVITE of a delivered call has had its 200 OK: somebody, or the queue, has answered (W9)."""
        return call.answered is not None or self._contact.answers(call.queue)

    def drop(self, node: NodeState, reason: str, spare: Callable[[Call], bool] = lambda call: False) -> int:
        """Clear the calls of a node but those that ``spare`` names, at all ends at once; return how many."""
        now = self._env.now
        doomed = _doomed(node, spare)
        for call in doomed:
            call.reason = reason
            self.tell(call, Event.CLEARED, now)
        return len(doomed)

    def lose(self, pair: PairState, node: NodeState, reason: str, spare: Callable[[Call], bool]) -> None:
        """Lose the calls of a dead node but those that ``spare`` names: nobody clears them."""
        now = self._env.now
        for call in _doomed(node, spare):
            call.reason = reason
            call.lost = pair, node
            self.tell(call, Event.NODE_LOST, now)

    def _hold_on(self, call: Call, now: float) -> None:
        """Nobody clears a call whose node is dead.

        The node's ports are free; the carrier's channel and the agent stay held until a person hangs up in the silence
        or the session timer ends the call (J7, S5).
        """
        pair, node = call.lost
        carriers = tuple(limit for limit in call.limits if limit is not node.limit)
        up = now - call.delivered if call.delivered is not None and self.confirmed(call) else None
        far, near = (held(next(call.stream.silence), pair.plan, up) for _ in range(2))
        later(self._env, far, partial(release, carriers))
        if call.agent is not None:
            later(self._env, near, partial(self.release_agent, call.agent))
        release([limit for limit in call.limits if limit is node.limit])
        call.leave_nodes()
        call.held_on = near if call.stream.group else far
        call.wait(now + call.held_on, Event.HUNG_UP, now)

    def hang_up(self, of: Callable[[Agent], bool], reason: str) -> int:
        """Cut the calls of some agents, those still in set-up included, and return how many."""
        nodes = [node for pair in self._world.pairs.values() for node in pair.nodes]
        cut = sum(
            self.drop(node, reason, spare=lambda call: call.agent is None or not of(call.agent)) for node in nodes
        )
        dialling = [call for call in self.unsettled if call.agent is not None and of(call.agent)]
        for call in dialling:
            self.refuse(call, Outcome.FAILED, reason, 408, self._env.now)
        return cut + len(dialling)

    def hold(self, node: NodeState) -> None:
        """A node serves no more: callers in a queue whom it keeps wait in silence until :meth:`resume`."""
        self._contact.hold(node, self._env.now)

    def resume(self, node: NodeState) -> None:
        """A node serves: callers whom it keeps can be answered."""
        self._contact.resume(node, self._env.now)

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

    def refuse(self, call: Call, outcome: Outcome, reason: str, sip: int, now: float) -> None:
        """Refuse a call in set-up for good."""
        call.refusal = outcome, reason, sip
        self.tell(call, Event.REFUSED, now)

    def _clear(self, call: Call, now: float) -> None:
        release(call.limits)
        call.leave_nodes()

    def _complete(self, call: Call, now: float) -> None:
        self._record(call, _COMPLETED, "", 200, now)

    def _abandon(self, call: Call, now: float) -> None:
        if call.stream.group:
            self._record(call, Outcome.ABANDONED, "no agent free", 0, now)
        else:
            self._record(call, Outcome.ABANDONED, "gave up waiting", 200 if self.confirmed(call) else 487, now)

    def _cancel(self, call: Call, now: float) -> None:
        self._record(call, Outcome.FAILED, "nothing answers", 487, now)

    def _refuse(self, call: Call, now: float) -> None:
        self._record(call, *call.refusal, now)

    def _cut(self, call: Call, now: float) -> None:
        self._record(call, Outcome.DROPPED, call.reason, 200 if self.confirmed(call) else 408, now)

    def _record(self, call: Call, outcome: Outcome, reason: str, sip: int, now: float) -> None:
        if self.unsettled:
            self.unsettled.pop(call, None)
        call.redials = inf
        if outcome not in _CONTENT:
            call.redials = redials_at(now + call.held_on, call.tries, call.willing, call.again)
        if call.redials == inf and call.stream.source_free is not None:
            call.stream.source_free(now + call.held_on)
        if now >= 0:  # what ends in the warm-up is not part of the run
            self._log.call(call.record(now, outcome, reason, sip, final=call.redials >= self._lasts))

    def _free_agent(self, call: Call, now: float) -> None:
        agent = call.agent
        if agent is None:
            return
        if call.answered is None:
            # The next piece of outbound work may fail as well, and the next: not one inside the other.
            later(self._env, 0.0, partial(self.release_agent, agent))
        else:
            self.release_agent(agent)

    def _withdraw(self, call: Call, now: float) -> None:
        self._queue.withdraw(call.stream.group, call)

    def _pause(self, call: Call, now: float) -> None:
        call.wait(call.redials, call.stream.begins, now)
        if call.redials == inf:
            self.tell(call, Event.GIVEN_UP, now)

    def clear(self, queue: str) -> None:
        """Tell all who wait in a queue that it is closed."""
        self._contact.clear(queue, self._env.now)

    def close(self) -> None:
        """Record what is still up at the end of the run."""
        now = self._env.now
        nodes = (node for pair in self._world.pairs.values() for node in pair.nodes)
        for call in dict.fromkeys(chain(self.unsettled, *(node.calls for node in nodes))):
            self._log.call(call.record(now, Outcome.IN_PROGRESS, "", 0, final=False))
        self._log.flush()


def _doomed(node: NodeState, spare: Callable[[Call], bool]) -> list[Call]:
    """The calls of a node that are to go, those first that wait: no agent, freed by the others, takes one of them."""
    return sorted((call for call in node.calls if not spare(call)), key=lambda call: call.state is State.TALKING)
