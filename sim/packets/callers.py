"""Callers whose calls are SIP: they dial at the carrier or on an agent's phone, and hear what becomes of it.

The table is that of :mod:`sbc.decisions.call`, as in the `calls` engine. What it asks of routes, queues and timers the
endpoints do by themselves here; a report that finds its call over was overtaken on the way, and counts for nothing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from math import inf

import simpy

from sbc.decisions.call import TABLE, Effect, Event, State
from sbc.decisions.distribution import Agent, Distributor
from sbc.decisions.session import held
from sbc.decisions.trunk import RESTRICTED
from sbc.endpoints.charging import branched, unbranched
from scenarios.evidence import Direction, Outcome
from scenarios.model import Queue
from sim.call import Call
from sim.lifecycle import Act, Lifecycle
from sim.log import Log
from sim.timer import later
from sim.world import NodeState, PairState, Way, World

_BY_THE_NETWORK = (
    Effect.SEND, Effect.MEET, Effect.COUNT_AS_408, Effect.GO_ON, Effect.CHOOSE, Effect.TREAT, Effect.LEAVE_QUEUE,
    Effect.CALL_BACK, Effect.FREE_AGENT,
)  # fmt: skip
"""Effects that endpoints and phones see to."""


def _nothing(call: Call, now: float) -> None:
    """Nobody has to do anything."""


Denial = tuple[Outcome, str, int]
"""The outcome of a call that is refused, the reason, and the response or what stands for it."""


class Callers(Lifecycle):
    """All callers of a run, and the evidence of their calls."""

    def __init__(
        self,
        env: simpy.Environment,
        world: World,
        queues: Mapping[str, Queue],
        work: Distributor[str],
        log: Log,
        lasts: float,
    ) -> None:
        """``work`` knows who is free to dial; its callers are keys of calls."""
        self._world = world
        self._work = work
        self._answers = {name for name, each in queues.items() if each.answers or each.ivr is not None}
        self._open: dict[str, Call] = {}
        """The attempts under way by their keys, those of people who hold on in silence included."""
        self._up: dict[Call, None] = {}
        """Those whose caller has heard the 200 OK."""
        self._taken: dict[Call, None] = {}
        """Those that somebody at the other end has answered."""
        self._branches: dict[Call, int] = {}
        """Which INVITE of an inbound call counts, where it is not the first."""
        self._denials: dict[Call, Denial] = {}
        """What somebody on the way has said of a call that is about to be refused or ended."""
        self.dial: Callable[[Call, str], None]
        """Who dials a number for a caller; the engine sets these."""
        self.place: Callable[[Call, str], None]
        """Who dials on an agent's phone."""
        self.hang_up_far: Callable[[str, Direction], None]
        """Who hangs up at the carrier: whoever called in, or whoever was called."""
        self.hang_up_near: Callable[[str, Agent | None], None]
        """Who hangs up in the contact centre, on an agent's phone or without one."""
        acts: dict[Effect, Act] = dict.fromkeys(_BY_THE_NETWORK, _nothing)
        super().__init__(
            env,
            log,
            lasts,
            {
                **acts,
                Effect.DIAL: self._dial,
                Effect.SEEK_AGENT: self._seek_agent,
                Effect.PLACE: self._place,
                Effect.LISTEN: self._listen,
                Effect.QUEUE: self._queue,
                Effect.PROMISE: self._promise,
                Effect.TALK: self._talk,
                Effect.WITHDRAW: self._withdraw,
                Effect.CLEAR: self._clear,
                Effect.CANCEL: self._give_up,
                Effect.HOLD_ON: self._hold_on,
            },
        )

    # What callers do.

    def _dial(self, call: Call, now: float) -> None:
        stream = call.stream
        number = stream.to if stream.hears is None else self._world.dialled(stream.to, call.hears)
        self._begin(call, number, now)
        way = self._world.way(number, Direction.INBOUND)
        if isinstance(way, Way):
            call.way, call.queue = way, way.route.queue or ""
        self._out(call, now)
        self.dial(call, number)

    def _seek_agent(self, call: Call, now: float) -> None:
        self._begin(call, "", now)
        key = attempt_of(call)
        self._open[key] = call
        agent = self._work.request(now, call.stream.group, key, urgent=call.stream.emergency)
        if agent is None:
            call.wait(call.gives_up, Event.PATIENCE_OVER, now)
        else:
            self.serve(call, agent)

    def serve(self, call: Call, agent: Agent) -> None:
        """An agent takes outbound work."""
        call.agent = agent
        self.tell(call, Event.AGENT_FREE, self._env.now)

    def _place(self, call: Call, now: float) -> None:
        call.dialled = now
        self._out(call, now)
        self.place(call, call.stream.to)

    def _out(self, call: Call, now: float) -> None:
        call.reason = ""
        self._open[attempt_of(call)] = call
        call.wait(call.gives_up, Event.PATIENCE_OVER, now)

    def _listen(self, call: Call, now: float) -> None:
        call.queue = ""
        call.answered = now
        call.wait(inf, Event.PATIENCE_OVER, now)

    def _queue(self, call: Call, now: float) -> None:
        call.wait(call.gives_up, Event.PATIENCE_OVER, now)

    def _promise(self, call: Call, now: float) -> None:
        call.promised = now
        call.wait(inf, Event.PATIENCE_OVER, now)

    def _talk(self, call: Call, now: float) -> None:
        call.answered = now
        call.wait(now + call.talk, Event.TALK_OVER, now)

    def _withdraw(self, call: Call, now: float) -> None:
        self._work.withdraw(call.stream.group, attempt_of(call))
        self._settled(call)

    def _clear(self, call: Call, now: float) -> None:
        far, near = self._far(call), self.key(call)
        if call.state is not State.PROMISED:  # else there is more to come of it
            self._settled(call)
        if call.stream.group and call.agent is not None:
            self.hang_up_near(near, call.agent)
        else:
            self.hang_up_far(*far)

    def _give_up(self, call: Call, now: float) -> None:
        self._cancel(call, now)
        self._clear(call, now)

    def _hold_on(self, call: Call, now: float) -> None:
        """The people at both ends hear nothing: each hangs up in time, or the session timer ends the call (J7, S5)."""
        pair, node = call.lost
        node.calls.pop(call, None)
        call.node = None if call.delivered is None else node
        up = now - call.delivered if call.delivered is not None and self.confirmed(call) else None
        far, near = (held(next(call.stream.silence), pair.plan, up) for _ in range(2))
        key, agent = attempt_of(call), call.agent
        later(self._env, max(far, near), partial(self._silence_over, key, call))
        later(self._env, far, partial(self.hang_up_far, *self._far(call)))
        later(self._env, near, partial(self.hang_up_near, self.key(call), agent))
        call.held_on = near if call.stream.group else far
        call.wait(now + call.held_on, Event.HUNG_UP, now)

    def confirmed(self, call: Call) -> bool:
        """Whether the INVITE of a delivered call has had its 200 OK: somebody, or the queue, has answered (W9)."""
        return call.answered is not None or call.queue in self._answers

    # What callers hear.

    def call(self, key: str) -> Call | None:
        """Return the call under way that legs of a key belong to; None for those of an INVITE that is given up."""
        attempt, branch = unbranched(key)
        call = self._open.get(attempt)
        return None if call is None or branch != self._branches.get(call, 1) else call

    def key(self, call: Call) -> str:
        """Return the key of the legs that a call has now."""
        return branched(attempt_of(call), self._branches.get(call, 1))

    def _far(self, call: Call) -> tuple[str, Direction]:
        """Return by which key the carrier knows a call's leg, and which way that was set up: to call back, it goes out.

        The carrier has sent an inbound call on its way, by whichever trunk; what comes out has the key of the legs.
        """
        out = call.stream.group or call.promised is not None
        return (self.key(call), Direction.OUTBOUND) if out else (attempt_of(call), Direction.INBOUND)

    def leg(self, attempt: str) -> str:
        """Return the key of the legs that an attempt has now, given the key by which the carrier knows it."""
        call = self._open.get(attempt)
        return attempt if call is None else self.key(call)

    def advanced(self, attempt: str) -> None:
        """The carrier has given an INVITE up, and sends another."""
        call = self._open.get(attempt)
        if call is not None:
            self._branches[call] = self._branches.get(call, 1) + 1
            self._denials.pop(call, None)
            self._forget_node(call)
            call.node = None

    def carried(self, key: str, node: NodeState) -> None:
        """A node has admitted a call, on its way in or out, or goes on with what the other node of its pair has left.

        A copy of an INVITE that its sender has given up may come through when the call is up by another way.
        """
        call = self.call(key)
        if call is not None and (call.delivered is None or call.node is None or _pair(call.node) == _pair(node)):
            if call.node is not None:
                call.node.calls.pop(call, None)
            call.node = node
            node.calls[call] = None

    def left(self, key: str, node: NodeState) -> None:
        """A node carries a call no more."""
        call = self.call(key)
        if call is not None:
            node.calls.pop(call, None)

    def rings(self, key: str, now: float) -> None:
        """Whoever called hears that the call is delivered."""
        call = self.call(key)
        if call is not None and call.delivered is None:
            call.delivered = now

    def greeted(self, key: str, now: float) -> None:
        """An IVR has taken a call."""
        self._happens(key, Event.GREETED, now)

    def queued(self, key: str, queue: str, now: float) -> None:
        """A call has come to a queue."""
        call = self.call(key)
        if call is not None:
            call.queue = queue
        self._happens(key, Event.DELIVERED, now)

    def after_menu(self, key: str, now: float) -> None:
        """The IVR has led a call to its queue: the time in it was no waiting."""
        call = self.call(key)
        if call is not None and call.state is State.IVR and call.way is not None:
            call.ivr = now - (call.answered or now)
            call.gives_up += call.ivr
            call.answered = None
            self.queued(key, call.way.route.queue or "", now)

    def connected(self, key: str, agent: Agent | None, now: float) -> None:
        """Somebody at the other end has answered; the people talk once both sides know."""
        call = self.call(key)
        if call is not None:
            if agent is not None:
                call.agent = agent
            self._taken[call] = None
            self._talks(call, now)

    def heard_answer(self, key: str, now: float) -> None:
        """Whoever called hears the 200 OK."""
        self.rings(key, now)
        call = self.call(key)
        if call is not None:
            self._up[call] = None
            self._talks(call, now)

    def _talks(self, call: Call, now: float) -> None:
        if call not in self._up or call not in self._taken:
            return
        event = Event.ANSWERED if call.state is State.SETUP else Event.AGENT_FREE
        if (call.state, event) in TABLE:
            self.tell(call, event, now)

    def contained(self, key: str, now: float) -> None:
        """The IVR was all the caller needed."""
        self._happens(key, Event.CONTAINED, now)

    def promised(self, key: str, now: float) -> None:
        """The caller will be called back, and hangs up."""
        call = self.call(key)
        if call is not None:
            self._up.pop(call, None)
            self._forget_node(call)
            call.node = None
        self._happens(key, Event.CALLBACK_TAKEN, now)

    def called_back(self, key: str, agent: Agent, now: float) -> None:
        """An agent dials somebody who was promised it."""
        call = self.call(key)
        if call is not None and call.promised is not None:
            call.agent = agent
            self._happens(key, Event.AGENT_FREE, now)

    def not_called_back(self, key: str, now: float) -> None:
        """A promise comes to nothing, which is all that is heard of it."""
        call = self.call(key)
        if call is not None and call.promised is not None:
            self._end(call, now)

    def overflowed(self, key: str, team: str, now: float) -> None:
        """An external team has answered."""
        call = self.call(key)
        if call is not None:
            call.team = team
        self._happens(key, Event.OVERFLOWED, now)

    def shows(self, key: str, number: str) -> None:
        """An outbound call shows a number."""
        call = self.call(key)
        if call is not None:
            call.number = number

    def turned_away(self, key: str, reason: str, sip: int) -> None:
        """A queue takes no more callers; without an IVR before it the call was never delivered."""
        call = self.call(key)
        if call is not None:
            if not call.ivr:
                call.delivered = None
            self._denials[call] = Outcome.BLOCKED, reason, sip

    def denied(self, key: str, outcome: Outcome, reason: str, sip: int) -> None:
        """Somebody on the way refuses a call; whoever called hears the status only.

        Of a caller who cannot be called back the centre says no more than that, which counts unless a limit or the
        carrier's restriction has refused the leg.
        """
        call = self.call(key)
        if call is None:
            return
        earlier = self._denials.get(call)
        if call.promised is None or earlier is None or not (earlier[0] is Outcome.BLOCKED or earlier[1] == RESTRICTED):
            self._denials[call] = outcome, reason, sip

    def refused(self, key: str, reason: str, sip: int, now: float, *, limit: bool = False) -> None:
        """A call in set-up is refused for good; without a reason it was refused on the way, by who has said why."""
        call = self.call(key)
        if call is None:
            return
        if reason and not limit:
            self._denials[call] = Outcome.FAILED, reason, sip
        elif reason:
            self._denials[call] = Outcome.BLOCKED, reason, sip
        else:
            outcome, why, _ = self._denials.get(call, (Outcome.FAILED, "refused", sip))
            self._denials[call] = outcome, why, sip
        self._end(call, now)

    def over(self, key: str, now: float) -> None:
        """A call that was up has been ended by the other side."""
        call = self.call(key)
        if call is not None:
            self._end(call, now)

    def _end(self, call: Call, now: float) -> None:
        denial = self._denials.pop(call, None)
        call.refusal = denial or (Outcome.FAILED, "ended by the other side", 480)
        if call.state is State.SILENT:
            call.wait(now, Event.HUNG_UP, now)
            return
        event = Event.CLEARED
        if call.state is State.SETUP:
            event = Event.REFUSED
        elif denial is not None and call.state in (State.QUEUED, State.IVR):
            closed = denial[0] is Outcome.CLOSED or call.state is State.IVR
            event = Event.CLOSED if closed else Event.TURNED_AWAY
        elif call.state is State.PROMISED:
            if denial is None:
                return  # the call that came in is over, as it should be
            event = Event.CLOSED
        elif not call.reason:
            call.reason = "ended by the other side"
        if (call.state, event) in TABLE:
            self._settled(call)
            self.tell(call, event, now)

    def _happens(self, key: str, event: Event, now: float) -> None:
        call = self.call(key)
        if call is not None and (call.state, event) in TABLE:
            self.tell(call, event, now)

    # What faults do.

    def lose(self, call: Call, pair: PairState, node: NodeState, reason: str) -> None:
        """The node that carries a call is gone with all it knew, and nobody tells the ends."""
        if (call.state, Event.NODE_LOST) in TABLE:
            call.reason = reason
            call.lost = pair, node
            self.tell(call, Event.NODE_LOST, self._env.now)

    def cut_off(self, of: Callable[[Agent], bool], reason: str) -> int:
        """Some agents and those whom they talk with hear each other no more, and nobody tells; return how many."""
        lost = 0
        for call in list(self._open.values()):
            if call.state is State.TALKING and call.agent is not None and of(call.agent) and call.way is not None:
                pair = call.way.pair
                self.lose(call, pair, call.node or pair.nodes[pair.last], reason)
                lost += 1
        return lost

    def cut(self, key: str, reason: str) -> None:
        """A call is about to be cleared at all ends, for this reason."""
        call = self.call(key)
        if call is not None:
            call.reason = reason

    # Ends.

    def _silence_over(self, key: str, call: Call) -> None:
        if self._open.get(key) is call:
            del self._open[key]

    def _settled(self, call: Call) -> None:
        self._open.pop(attempt_of(call), None)
        self._branches.pop(call, None)
        self._up.pop(call, None)
        self._taken.pop(call, None)
        self._denials.pop(call, None)
        self._forget_node(call)

    def _forget_node(self, call: Call) -> None:
        if call.node is not None:
            call.node.calls.pop(call, None)

    def close(self) -> None:
        """Record what is still up at the end of the run."""
        now = self._env.now
        for call in self._open.values():
            if call.state is not State.SILENT:
                self._log.call(call.record(now, Outcome.IN_PROGRESS, "", 0, final=False))
        self._log.flush()


def _pair(node: NodeState) -> str:
    return node.name.rpartition("/")[0] or node.name


def attempt_of(call: Call) -> str:
    """Return the key of an attempt, by which the carrier knows it, and its first legs."""
    return str(call.attempt)
