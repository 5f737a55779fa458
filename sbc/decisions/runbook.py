"""The runbook: a graph of steps, each a small state machine, and actors who do one thing at a time.

The machine says who is sought, what begins and what takes effect; an engine draws how long it takes and tells when
somebody is reached (:mod:`sbc.decisions.reach`) and when a try is over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from sbc.decisions.table import follow
from scenarios.model import Step


class State(Enum):
    """Where a step stands."""

    PENDING = "waits for a fault or other steps"
    DELAYED = "people have not decided yet"
    SOUGHT = "its actor is called and has not been reached"
    WAITING = "waits until its conditions hold"
    QUEUED = "waits for its actor, who is there"
    RUNNING = "somebody is at it"
    DONE = "finished"


class Event(Enum):
    """What happens to a step."""

    RELEASED = "all it waits for has happened"
    DELAY_OVER = "people have decided to act"
    REACHED = "its actor, or a deputy, is there"
    MET = "its conditions hold, or it has none"
    ACTOR_FREE = "its actor begins"
    FAILED = "a try did not succeed"
    SUCCEEDED = "a try succeeded"


TABLE: dict[tuple[State, Event], State] = {
    (State.PENDING, Event.RELEASED): State.DELAYED,
    (State.DELAYED, Event.DELAY_OVER): State.SOUGHT,
    (State.SOUGHT, Event.REACHED): State.WAITING,
    (State.WAITING, Event.MET): State.QUEUED,
    (State.QUEUED, Event.ACTOR_FREE): State.RUNNING,
    (State.RUNNING, Event.FAILED): State.RUNNING,
    (State.RUNNING, Event.SUCCEEDED): State.DONE,
}
"""Every transition of a step."""

EACH_FOR_THEMSELVES = "agents"
"""The actor that is many people: its steps never wait for each other."""


_AT_REST = (State.PENDING, State.DONE)
"""States of a step that keeps nobody."""

PLAN = "plan"
"""What has released a step that begins at a time of its own."""


@dataclass(frozen=True, slots=True)
class Released:
    """All that a step waits for has happened; the engine draws its delay."""

    step: str
    by: str
    """The fault, or the step that was the last to finish."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Neither the actor of a step nor a deputy is there: the engine says when one of them has been reached."""

    step: str


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody who was sought is there now, and will take the step."""

    step: str
    by: str


@dataclass(frozen=True, slots=True)
class Begin:
    """A try begins; the engine draws how long it takes and whether it succeeds."""

    step: str
    tries: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A step is done; the engine makes what it does take effect before anything that follows."""

    step: str


Effect = Released | Sought | Found | Begin | Finished


class Runbook:
    """All steps of a drill and where they stand."""

    def __init__(self, steps: Sequence[Step], stand_ins: Mapping[str, Sequence[str]] = MappingProxyType({})) -> None:
        """``stand_ins``: actors who have to be reached, each with those who may act for them, themselves first."""
        self._stand_ins = stand_ins
        self._there: set[str] = set()
        """Actors who have been reached; they stay while any step is under way."""
        self._taken_by: dict[str, str] = {}
        self._steps = {step.step: step for step in steps}
        self._state = dict.fromkeys(self._steps, State.PENDING)
        self._waits_for = {
            step.step: {*(("step", name) for name in step.predecessors), *_set_off_by(step)} for step in steps
        }
        self._tries = dict.fromkeys(self._steps, 0)
        self._busy: set[str] = set()

    def state(self, step: str) -> State:
        """Where a step stands."""
        return self._state[step]

    def actor(self, step: str) -> str:
        """Who takes a step: its actor or a deputy, once one of them is there."""
        return self._taken_by[step]

    def fault(self, name: str) -> list[Effect]:
        """People notice a fault."""
        return self._happened("fault", name)

    def planned(self, step: str) -> list[Effect]:
        """The time has come for which a step was planned."""
        return [Released(step, PLAN) for _ in self._happened(PLAN, step)]

    def delay_over(self, step: str) -> list[Effect]:
        """People have decided to act on a released step; one with conditions begins by :meth:`conditions_met`."""
        self._move(step, Event.DELAY_OVER)
        by = self._steps[step].by
        there = by if by not in self._stand_ins else next((n for n in self._stand_ins[by] if n in self._there), None)
        if there is None:
            return [Sought(step)]
        self._take(step, there)
        return self._assign()

    def reached(self, actor: str) -> list[Effect]:
        """An actor who was called is there, for every step that they may take."""
        sought = [
            name
            for name, step in self._steps.items()
            if self._state[name] is State.SOUGHT and actor in self._stand_ins.get(step.by, ())
        ]
        if not sought:
            return []  # somebody else was there first
        self._there.add(actor)
        for name in sought:
            self._take(name, actor)
        return [*(Found(name, actor) for name in sought), *self._assign()]

    def waiting(self) -> list[str]:
        """Return the steps that begin when their conditions hold, in file order."""
        return [name for name, state in self._state.items() if state is State.WAITING]

    def conditions_met(self, step: str) -> list[Effect]:
        """All conditions of a waiting step hold at this moment: it begins, or goes on waiting if its actor is busy.

        Raises :class:`ImpossibleEventError` for a step that does not wait.
        """
        follow(TABLE, self._state[step], Event.MET)
        if not self._free(step):
            return []  # what holds now need not hold when the actor is free
        self._move(step, Event.MET)
        return self._assign()

    def tried(self, step: str, succeeded: bool) -> list[Effect]:
        """A try is over; an unsuccessful one is repeated at once by the same actor."""
        self._move(step, Event.SUCCEEDED if succeeded else Event.FAILED)
        if not succeeded:
            return [self._begin(step)]
        self._busy.discard(self._taken_by[step])
        released = self._happened("step", step)
        if all(state in _AT_REST for state in self._state.values()):
            self._there.clear()
        return [Finished(step), *released, *self._assign()]

    def _take(self, step: str, actor: str) -> None:
        self._taken_by[step] = actor
        self._move(step, Event.REACHED)
        if not self._steps[step].conditional:
            self._move(step, Event.MET)

    def _move(self, step: str, event: Event) -> None:
        self._state[step] = follow(TABLE, self._state[step], event)

    def _happened(self, kind: str, name: str) -> list[Effect]:
        """Release the steps for which this was the last they waited for."""
        released: list[Effect] = []
        for step, waits_for in self._waits_for.items():
            if (kind, name) in waits_for:
                waits_for.remove((kind, name))
                if not waits_for:
                    self._move(step, Event.RELEASED)
                    released.append(Released(step, name))
        return released

    def _assign(self) -> list[Effect]:
        """Let every free actor begin the first step, in file order, that waits for them."""
        begun: list[Effect] = []
        for name, step in self._steps.items():
            if self._state[name] is State.QUEUED and self._free(name):
                if step.by != EACH_FOR_THEMSELVES:
                    self._busy.add(self._taken_by[name])
                self._move(name, Event.ACTOR_FREE)
                begun.append(self._begin(name))
        return begun

    def _free(self, step: str) -> bool:
        return self._taken_by[step] not in self._busy

    def _begin(self, step: str) -> Begin:
        self._tries[step] += 1
        return Begin(step, self._tries[step])


def _set_off_by(step: Step) -> Iterator[tuple[str, str]]:
    if step.starts is not None and step.starts.after is not None:
        yield "fault", step.starts.after
    if step.starts is not None and step.starts.at is not None:
        yield PLAN, step.step
