"""Calls: feeds the machine of each call with what happens to it, and carries out what the machine says.

Which event leads where is in :mod:`sbc.decisions.call`; here are the routes and limits, the queue, the people and the
clock that it does not know. One light event stands for each caller. An attempt that meets a silent SBC is sent again at
the offsets of RFC 3261 and takes its ports on arrival; copies that would meet the same silence are left out.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain

import simpy

from sbc.decisions import advance
from sbc.decisions.admission import acquire, admit, move, release
from sbc.decisions.call import COPIES, Effect, Event, State, answer_within, copies_sent, setup_deadline
from sbc.decisions.distribution import Agent, Distributor
from sbc.decisions.functions import refused
from sbc.decisions.link import comes_first, expecting
from sbc.decisions.routing import NoRoute
from sbc.decisions.session import held
from sbc.decisions.trunk import NO_NODE, NOTHING_ANSWERS
from sbc.decisions.ways_out import NOT_USABLE, from_site, shown
from scenarios.evidence import Direction, Outcome
from scenarios.model import Queue
from sim.call import Call
from sim.contact import ContactCentre
from sim.draws import Draws
from sim.lifecycle import Lifecycle
from sim.log import Log
from sim.timer import later
from sim.world import NodeState, PairState, Way, World

# Every call needs these, and up to Python 3.11 to read a member off its enumeration takes ten times as long as a name.
_ANSWERED, _TALK_OVER, _INBOUND = Event.ANSWERED, Event.TALK_OVER, Direction.INBOUND
_COPY_DUE = (Event.RESEND, Event.REACHED)


class Calls(Lifecycle):
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
        self._world = world
        self._queue = queue
        self._contact = ContactCentre(world, queues, queue, draws, log, self)
        super().__init__(
            env,
            log,
            lasts,
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
                Effect.FREE_AGENT: self._free_agent,
                **self._contact.effects,
            },
        )
        self.release_agent: Callable[[Agent], None] = lambda agent: None
        """What becomes of an agent after a call; the people's part sets it."""
        self.unanswered: Callable[[PairState, NodeState], None] = lambda pair, node: None
        """Who hears that a node has left a call unanswered; the active-active pairs set it."""

    # Set-up

    def _dial(self, call: Call, now: float) -> None:
        stream = call.stream
        number = stream.to if stream.hears is None else self._world.dialled(stream.to, call.hears)
        self._begin(call, number, now)
        way = self._world.way(number, _INBOUND)
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
        if call.stream.plan.needs and isinstance(way, Way):
            way = refused(way.site, call.stream.plan.needs, self._world.lacks[way.site]) or way
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
        terminal = self._world.caller_numbers[call.stream.group]
        number = shown(call.stream.plan.shows, self._world.default_caller, terminal)
        call.number = number or ""
        found = self._world.way(number, Direction.OUTBOUND) if number is not None else None
        ways = (found, *found.others) if isinstance(found, Way) else ()
        return next(iter(from_site(ways, agent.site)), NOT_USABLE)

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
            refusal = trunk.refusal
            self._log.effect(refusal.by, "call")
            self._rest(call, way, refusal.retry_after, now)
            self._response(call, Outcome.FAILED, refusal.reason, refusal.sip, now)
        elif pair.shared and branch is None:
            self._response(call, Outcome.FAILED, NO_NODE.reason, NO_NODE.sip, now)
        elif node is None:
            self._log.effect(pair.broken_by if branch is None else branch.failed_by, "call")
            self._wait_for_answer(call, way, now)
        elif pair.drained:
            self._rest(call, way, pair.retry_after, now)
            self._response(call, Outcome.FAILED, "drained", 503, now)
        elif not pair.site.in_service:
            self._response(call, Outcome.FAILED, "site not in service", 503, now)
        elif way.route.calendars and call.stream.direction is _INBOUND and self._world.is_closed(way.route):
            self._response(call, Outcome.CLOSED, "closed", 480, now)
        elif call.stream.plan.needs and (
            lacking := refused(way.site, call.stream.plan.needs, self._world.lacks[way.site])
        ):
            self._response(call, Outcome.FAILED, lacking.reason, lacking.sip, now)
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
        node_left = self._other_node(call) is not None
        if advance.after(sip, len(self._others(call)), node_left=node_left) is advance.Verdict.FINAL:
            self.refuse(call, outcome, reason, advance.final(sip, silent=call.silent), now)
        else:
            call.refusal = outcome, reason, sip
            self.tell(call, Event.ADVANCED, now)

    def _go_on(self, call: Call, now: float) -> None:
        node = self._other_node(call)
        if node is not None:
            call.failed_over = True
            self._invite(call, node, now)
        else:
            _, _, sip = call.refusal
            call.silent |= sip == advance.NO_ANSWER
            way = self._others(call)[0]
            if call.stream.emergency:
                call.number = way.route.number
            self._try(call, way, now)

    def _other_node(self, call: Call) -> NodeState | None:
        """Return the node of an active-active pair that a call can still go on to."""
        if call.branch is None or call.failed_over:
            return None
        return call.way.pair.other(call.branch) if call.way is not None else None

    def _others(self, call: Call) -> tuple[Way, ...]:
        """Return the ways by trunks not tried yet; a phone reaches those of its own site only (Z15)."""
        ways = call.way.others if call.way is not None else ()
        return ways if call.agent is None else from_site(ways, call.agent.site)

    def _wait_for_answer(self, call: Call, way: Way, now: float) -> None:
        """Nothing comes of a copy before something changes, and :meth:`look_again` says so: wait for the end of it all.

        On a degraded trunk each copy has its own luck.
        """
        self.unsettled[call] = None
        sent = call.sent if way.trunk.link.degraded_by else COPIES
        call.wait(*self._deadline(call, way, sent), now)

    def _deadline(self, call: Call, way: Way, sent: int) -> tuple[float, Event]:
        within = answer_within(way.trunk.advance_after, may_go_on=way.pair.shared or bool(self._others(call)))
        return setup_deadline(call.invited, sent, within, call.gives_up, call.answers)

    def look_again(self) -> None:
        """A trunk or pair is no longer what it was: the INVITEs it has left unanswered are sent again when next due."""
        now = self._env.now
        for call in self.unsettled:
            if call.state is State.SETUP and call.way is not None and call.brings not in _COPY_DUE:
                call.sent = copies_sent(call.invited, now)
                call.wait(*self._deadline(call, call.way, call.sent), now)

    def _count_as_408(self, call: Call, now: float) -> None:
        if call.branch is not None and call.way is not None:
            self.unanswered(call.way.pair, call.branch)
        self._response(call, Outcome.FAILED, NOTHING_ANSWERS.reason, NOTHING_ANSWERS.sip, now)

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

    def _clear(self, call: Call, now: float) -> None:
        release(call.limits)
        call.leave_nodes()

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
