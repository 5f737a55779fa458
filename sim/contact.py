"""The contact centre's side of a call: IVR, queue, and what waiting brings (W9-W16)."""

from collections.abc import Iterator, Mapping
from math import inf
from typing import TYPE_CHECKING

import simpy

from sbc.decisions.admission import BUSY, Limit, acquire, release
from sbc.decisions.distribution import Distributor, Treatment, refusal, treatments
from sbc.decisions.routing import Route
from scenarios.evidence import Direction, Outcome
from scenarios.model import Ivr, Overflow, Queue
from sim.call import Call, State
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
        env: simpy.Environment,
        world: World,
        queues: Mapping[str, Queue],
        distributor: Distributor[Call],
        draws: Draws,
        log: Log,
        calls: "Calls",
    ) -> None:
        self._env = env
        self._world = world
        self._queues = queues
        self._distributor = distributor
        self._log = log
        self._calls = calls
        self._answers = {name for name, each in queues.items() if each.answers or each.ivr is not None}
        self._menus = {name: _Menu(name, each.ivr, draws) for name, each in queues.items() if each.ivr is not None}
        self._gated = {name for name, each in queues.items() if each.max_waiting or each.longest_wait}
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

    def deliver(self, call: Call, queue: str) -> None:
        """Take a call that holds all its ports."""
        menu = self._menus.get(queue)
        if menu is None:
            self._enter(call, queue)
        else:
            call.state = State.IVR
            call.answered = self._env.now
            call.queue = ""
            call.at(self._env.now + next(menu.takes))

    def leave_ivr(self, call: Call, queue: str) -> None:
        """The IVR is over: for some the call is as well."""
        menu = self._menus[queue]
        if next(menu.luck) < menu.contained:
            self._calls.end(call, Outcome.COMPLETED, "", 200)
        else:
            call.ivr = self._env.now - (call.answered or 0.0)
            call.answered = None
            call.queue = queue
            self._enter(call, queue)

    def _enter(self, call: Call, queue: str) -> None:
        now, agent = self._env.now, None
        if call.node is not None and call.node.silent:
            self._distributor.wait(now, queue, call)
        else:
            agent = self._distributor.offer(now, queue, call.site, call)
        if agent is not None:
            self._calls.serve(call, agent)
        elif queue in self._gated and (reason := self._refusal(queue)) is not None:
            self._distributor.leave(queue, call.site, call)
            if not call.ivr:
                call.delivered = None
            self._calls.end(call, Outcome.BLOCKED, reason, 200 if call.ivr else BUSY)
        else:
            call.state = State.WAITING
            call.queued = now
            call.stage = 0
            self._wait(call)

    def _refusal(self, queue: str) -> str | None:
        """Why a caller who is last in a queue cannot stay."""
        others = self._distributor.waiting(queue) - 1
        return refusal(self._queues[queue], others, self._distributor.longest_wait(self._env.now, queue))

    # Waiting

    def _wait(self, call: Call) -> None:
        """Wait for what the queue does next or the end of patience, whichever comes first; in silence, for the end."""
        plan = () if self._distributor.holds(call) else self._treatments.get(call.queue, ())
        moment = call.queued + plan[call.stage][0] if call.stage < len(plan) else inf
        patience = call.start + call.patience + call.ivr if call.state is State.WAITING else inf
        call.last = patience <= moment
        self._calls.wait_until(call, min(moment, patience))

    def hold(self, node: NodeState) -> None:
        """Nobody can answer the callers whom a node that serves no more has kept."""
        node.silent = True
        for call in node.calls:
            if call.state is State.WAITING:
                self._distributor.hold(call.queue, call.site, call)
                self._wait(call)

    def resume(self, node: NodeState) -> None:
        """A node serves, with the callers who were kept for it; those who have waited longest come first."""
        node.silent = False
        held = [call for call in node.calls if self._distributor.holds(call)]
        for call in sorted(held, key=lambda call: call.queued):
            agent = self._distributor.resume(call.queue, call.site, call)
            if agent is not None:
                self._calls.serve(call, agent)
            else:
                self._wait(call)

    def waited(self, call: Call) -> None:
        """A moment has come that a waiting call was to wait for."""
        if call.last:
            self._distributor.leave(call.queue, call.site, call)
            sip = 200 if self._calls.confirmed(call) else 487
            self._calls.end(call, Outcome.ABANDONED, "gave up waiting", sip)
            return
        _, treatment = self._treatments[call.queue][call.stage]
        call.stage += 1
        queue, waits = self._queues[call.queue], call.state is State.WAITING
        match treatment:
            case Treatment.WIDEN:
                agent = self._distributor.widen(call.queue, call.site, call)
                if agent is not None:
                    self._calls.serve(call, agent)
                    return
            case Treatment.CALLBACK if waits and queue.callback is not None:
                if next(self._accepts[call.queue]) < queue.callback.accepts:
                    self._promise(call)
            case Treatment.OVERFLOW if waits and queue.overflow is not None:
                if self._overflow(call, queue.overflow):
                    return
            case _:
                pass
        self._wait(call)

    def _promise(self, call: Call) -> None:
        """The caller hangs up and keeps the place in the queue."""
        assert call.node is not None  # noqa: S101
        release(call.limits)
        del call.node.calls[call]
        call.node, call.limits = None, ()
        call.promised = self._env.now
        call.state = State.PROMISED
        self._calls.unsettled[call] = None

    def call_back(self, call: Call) -> None:
        """The agent whose turn it is dials the caller, who is there and answers."""
        assert call.route is not None  # noqa: S101
        trunk = self._world.trunks[call.route.trunk]
        node = trunk.pair.serving
        if trunk.down_by or node is None:
            self._log.effect(trunk.down_by or trunk.pair.broken_by, "call")
            self._calls.end(call, Outcome.FAILED, "callback failed", 503)
            return
        limits = self._world.limits(Direction.OUTBOUND, call.route, node)
        refusing = acquire(limits)
        if refusing is not None:
            self._calls.end(call, Outcome.BLOCKED, refusing.name, refusing.sip)
            return
        call.limits, call.node = limits, node
        node.calls[call] = None
        self._calls.answer(call)

    def _overflow(self, call: Call, overflow: Overflow) -> bool:
        """Pass a call on to the external team, or say that there is no way or no room."""
        trunk = self._world.trunks[overflow.trunk]
        node = trunk.pair.serving
        if trunk.down_by or node is None or not trunk.pair.site.in_service:
            return False
        leg = Route(overflow.to, overflow.trunk, trunk.pair.name, None, ())
        limits = (self._teams[call.queue], *self._world.limits(Direction.OUTBOUND, leg, node))
        if acquire(limits) is not None:
            return False
        self._distributor.leave(call.queue, call.site, call)
        call.limits += limits
        call.leg = (node, overflow.trunk)
        call.team = overflow.to
        node.calls[call] = None
        self._calls.answer(call)
        return True
