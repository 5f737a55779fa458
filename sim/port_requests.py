"""Requests for ports while a drill is played: when they are decided, and what the journal has of them."""

from collections.abc import Callable, Hashable
from functools import partial

import simpy

from sbc.decisions.port_requests import Case, Desk, Effect, State
from scenarios.calendar import DAY
from scenarios.evidence import EventKind
from scenarios.model import Drill, Ports, RequestPorts
from sim.draws import Draws
from sim.log import Log
from sim.timer import later


class PortRequests:
    """Carries out what the desk decides."""

    def __init__(
        self, env: simpy.Environment, drill: Drill, change: Callable[[Ports], None], draws: Draws, log: Log
    ) -> None:
        """``change`` lets other contract-wide limits hold from now on."""
        self._env = env
        self._clock = drill.run.clock
        self._change = change
        self._log = log
        self._cases: dict[str, Case] = {}
        """By the step that has filed it."""
        plan = drill.port_management
        self._desk = None if plan is None else Desk(plan, drill.ports)
        if plan is not None:
            names = [step.step for step in drill.runbook if isinstance(step.does, RequestPorts)]
            self._verifying = {name: draws.values(f"step:{name}:verified", plan.verified_after) for name in names}
            self._reviewing = {name: draws.values(f"step:{name}:reviewed", plan.reviewed_after) for name in names}
            self._luck = {name: draws.uniforms(f"step:{name}:approved") for name in names}

    @property
    def desk(self) -> Desk:
        """Where requests are dealt with; raises ValueError in a drill without port management."""
        if self._desk is None:
            raise ValueError("the drill says nothing of port_management")
        return self._desk

    def can_file(self) -> bool:
        """Whether no request is pending (P12)."""
        return self.desk.is_free()

    def file(self, step: str, by: str, asked: Ports) -> None:
        """File the request of a step, at this moment."""
        case = self._cases[step] = self.desk.file(by, asked)
        wanted = asked.model_dump(exclude_none=True)
        self._log.entry(EventKind.PORTS_REQUESTED, step, case=case.number, by=by, **wanted)
        later(self._env, next(self._verifying[step]), partial(self._verified, step, case))

    def granted(self, step: str) -> bool:
        """Whether the request of a step has been granted."""
        return step in self._cases and self._cases[step].state is State.GRANTED

    def _verified(self, step: str, case: Case) -> None:
        effects = self.desk.verified(case, self._day())
        if Effect.REVIEW in effects:
            self._log.entry(EventKind.PORTS_IN_REVIEW, step, case=case.number)
            later(self._env, next(self._reviewing[step]), partial(self._reviewed, step, case))
        else:
            self._decided(step, case)

    def _reviewed(self, step: str, case: Case) -> None:
        self.desk.reviewed(case, self._day(), next(self._luck[step]))
        self._decided(step, case)

    def _decided(self, step: str, case: Case) -> None:
        if case.state is State.GRANTED:
            self._change(self.desk.limits)
            held = self.desk.limits.model_dump(exclude_none=True)
            self._log.entry(EventKind.PORTS_GRANTED, step, case=case.number, **held)
        else:
            self._log.entry(EventKind.PORTS_REJECTED, step, case=case.number, reason=str(case.refusal))

    def _day(self) -> Hashable:
        """Return the day that it is."""
        return self._env.now // DAY if self._clock is None else self._clock.at(self._env.now).date()
