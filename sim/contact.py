"""The contact centre's side of a call: IVR, queue, and what waiting brings (W9-W16)."""

from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import TYPE_CHECKING

from sbc.decisions.admission import BUSY, Limit, acquire
from sbc.decisions.call import Effect, Event, State, waiting_deadline
from sbc.decisions.distribution import Distributor, Treatment, answers, refusal, treatments
from sbc.decisions.routing import Route
from sbc.decisions.trunk import Refusal
from scenarios.evidence import Direction, Outcome
from scenarios.model import Ivr, Overflow, Queue
from sim.call import Call
from sim.draws import Draws
from sim.log import Log
from sim.world import NodeState, World

if TYPE_CHECKING:
    from sim.calls import Calls


class _Menu:
    """An IVR and its draws."""

    def __init__(self, name: str, plan: Ivr, draws: Draws) -> None:
        self.takes: Iterator[float] = draws.values(f"queue:{name}:ivr", plan.takes)
        self.luck = draws.uniforms(f"queue:{name}:contained")
        self.contained = plan.contained


class ContactCentre:
    """Leads delivered calls through IVR and queue to an agent, an external team, or out again."""

    def __init__(
        self,
        world: World,
        queues: Mapping[str, Queue],
        distributor: Distributor[Call],
        draws: Draws,
        log: Log,
        calls: "Calls",
    ) -> None:
        self._world = world
        self._queues = queues
        self._distributor = distributor
        self._log = log
        self._calls = calls
        self.effects: dict[Effect, Callable[[Call, float], None]] = {
            Effect.LISTEN: self._listen,
            Effect.CHOOSE: self._choose,
            Effect.QUEUE: self._join,
            Effect.TREAT: self._treat,
            Effect.PROMISE: self._promise,
            Effect.CALL_BACK: self._call_back,
            Effect.LEAVE_QUEUE: self._leave,
        }
        """What the machine of a call asks of the contact centre."""
        self._answers = {name for name, each in queues.items() if answers(each)}
        self._menus = {name: _Menu(name, each.ivr, draws) for name, each in queues.items() if each.ivr is not None}
        self._gated = {name for name, each in queues.items() if each.max_waiting or each.longest_wait}
        self._hours = {name: each.open for name, each in queues.items() if each.open is not None}
        self._treatments = {name: plan for name, each in queues.items() if (plan := treatments(each))}
        self._accepts = {
            name: draws.uniforms(f"queue:{name}:callback") for name, each in queues.items() if each.callback is not None
        }
        self._teams = {
            name: Limit(each.overflow.to, each.overflow.team, BUSY)
            for name, each in queues.items()
            if each.overflow is not None
        }

    def answers(self, queue: str) -> bool:
        """Whether calls in a queue have had their 200 OK."""
        return queue in self._answers

    def takes(self, queue: str) -> Event:
        """Return what a call meets that is delivered to a queue."""
        return Event.GREETED if queue in self._menus else Event.DELIVERED

    def _listen(self, call: Call, now: float) -> None:
        menu = self._menus[call.queue]
        call.queue = ""
        call.answered = now
        call.wait(now + next(menu.takes), Event.IVR_OVER, now)

    def _choose(self, call: Call, now: float) -> None:
        """The IVR is over: for some the call is as well."""
        assert call.way is not None  # noqa: S101
        queue = call.way.route.queue
        assert queue is not None  # noqa: S101
        menu = self._menus[queue]
        if next(menu.luck) < menu.contained:
            self._calls.tell(call, Event.CONTAINED, now)
            return
        call.ivr = now - (call.answered or 0.0)
        call.gives_up += call.ivr
        call.answered = None
        if self._hours.get(queue) in self._world.closed:
            call.refusal = Outcome.CLOSED, "closed", 200
            self._calls.tell(call, Event.CLOSED, now)
            return
        call.queue = queue
        self._calls.tell(call, Event.DELIVERED, now)

    def _join(self, call: Call, now: float) -> None:
        queue, agent = call.queue, None
        if call.node is not None and call.node.silent:
            self._distributor.wait(now, queue, call)
        else:
            agent = self._distributor.offer(now, queue, _site(call), call)
        if agent is not None:
            self._calls.serve(call, agent)
        elif queue in self._gated and (reason := self._refusal(queue, now)) is not None:
            if not call.ivr:
                call.delivered = None
            call.refusal = Outcome.BLOCKED, reason, 200 if call.ivr else BUSY
            self._calls.tell(call, Event.TURNED_AWAY, now)
        else:
            call.queued = now
            call.stage = 0
            self._wait(call, now)

    def _refusal(self, queue: str, now: float) -> str | None:
        """Why a caller who is last in a queue cannot stay."""
        others = self._distributor.waiting(queue) - 1
        return refusal(self._queues[queue], others, self._distributor.longest_wait(now, queue))

    def _leave(self, call: Call, now: float) -> None:
        self._distributor.leave(call.queue, _site(call), call)

    def clear(self, queue: str, now: float) -> None:
        """Tell all who wait in a queue, or to be called back from it, that it is closed."""
        for call in self._distributor.waiting_calls(queue):
            call.refusal = Outcome.CLOSED, "closed", 200 if self._calls.confirmed(call) else 480
            self._calls.tell(call, Event.CLOSED, now)

    def _wait(self, call: Call, now: float) -> None:
        """Wait for what the queue does next or the end of patience: in silence for that only, if promised for ever."""
        plan = () if self._distributor.holds(call) else self._treatments.get(call.queue, ())
        treated = call.queued + plan[call.stage][0] if call.stage < len(plan) else inf
        gives_up = call.gives_up if call.state is State.QUEUED else inf
        until, brings = waiting_deadline(treated, gives_up)
        call.wait(until, brings, now)

    def hold(self, node: NodeState, now: float) -> None:
        """Nobody can answer the callers whom a node that serves no more has kept."""
        node.silent = True
        for call in node.calls:
            if call.state is State.QUEUED:
                self._distributor.hold(call.queue, _site(call), call)
                self._wait(call, now)

    def resume(self, node: NodeState, now: float) -> None:
        """A node serves, with the callers who were kept for it; those who have waited longest come first."""
        node.silent = False
        held = [call for call in node.calls if self._distributor.holds(call)]
        for call in sorted(held, key=lambda call: call.queued):
            agent = self._distributor.resume(call.queue, _site(call), call)
            if agent is not None:
                self._calls.serve(call, agent)
            else:
                self._wait(call, now)

    def _treat(self, call: Call, now: float) -> None:
        _, treatment = self._treatments[call.queue][call.stage]
        call.stage += 1
        queue, waits = self._queues[call.queue], call.state is State.QUEUED
        match treatment:
            case Treatment.WIDEN:
                agent = self._distributor.widen(call.queue, _site(call), call)
                if agent is not None:
                    self._calls.serve(call, agent)
                    return
            case Treatment.CALLBACK if waits and queue.callback is not None:
                if next(self._accepts[call.queue]) < queue.callback.accepts:
                    self._calls.tell(call, Event.CALLBACK_TAKEN, now)
                    return
            case Treatment.OVERFLOW if waits and queue.overflow is not None:
                if self._overflow(call, queue.overflow, now):
                    self._calls.tell(call, Event.OVERFLOWED, now)
                    return
            case _:
                pass
        self._wait(call, now)

    def _promise(self, call: Call, now: float) -> None:
        """The caller has hung up and keeps the place in the queue."""
        call.node, call.limits = None, ()
        call.promised = now
        self._calls.unsettled[call] = None
        self._wait(call, now)

    def _call_back(self, call: Call, now: float) -> None:
        """The agent whose turn it is dials the caller, who is there and answers."""
        assert call.way is not None  # noqa: S101
        self._calls.unsettled.pop(call, None)
        trunk, pair = call.way.trunk, call.way.pair
        node = pair.serving
        if trunk.broken_by or node is None or not pair.site.in_service:
            self._log.effect(trunk.broken_by or pair.broken_by, "call")
            self._calls.refuse(call, Outcome.FAILED, "callback failed", 503, now)
            return
        turned_away = self._turned_away(call.way.route.trunk, now)
        if turned_away is not None:
            self._calls.refuse(call, Outcome.FAILED, turned_away.reason, turned_away.sip, now)
            return
        limits = self._world.limits(Direction.OUTBOUND, call.way.route, node)
        refusing = acquire(limits)
        if refusing is not None:
            self._calls.refuse(call, Outcome.BLOCKED, refusing.name, refusing.sip, now)
            return
        call.limits, call.node = limits, node
        node.calls[call] = None
        self._calls.tell(call, Event.ANSWERED, now)

    def _turned_away(self, trunk: str, now: float) -> Refusal | None:
        """Why a carrier does not take a new leg."""
        return self._world.turns_away(Direction.OUTBOUND, trunk, {}, now, self._log)

    def _overflow(self, call: Call, overflow: Overflow, now: float) -> bool:
        """Pass a call on to the external team, or say that there is no way or no room."""
        trunk = self._world.trunks[overflow.trunk]
        node = trunk.pair.serving
        if trunk.broken_by or node is None or not trunk.pair.site.in_service or self._turned_away(overflow.trunk, now):
            return False
        leg = Route(overflow.to, overflow.trunk, trunk.pair.name, None, ())
        limits = (self._teams[call.queue], *self._world.limits(Direction.OUTBOUND, leg, node))
        if acquire(limits) is not None:
            return False
        call.limits += limits
        call.leg = (node, overflow.trunk)
        call.team = overflow.to
        node.calls[call] = None
        return True


def _site(call: Call) -> str:
    return call.way.site if call.way is not None else ""
