"""The runbook: a graph of steps, each a small state machine, and actors who do one thing at a time.

The machine says what begins and what takes effect; an engine draws how long it takes and tells when it is over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from sbc.decisions.table import follow
from scenarios.model import Step


class State(Enum):
    """Where a step stands."""

    PENDING = "waits for a fault or other steps"
    DELAYED = "people have not decided yet"
    WAITING = "waits until its conditions hold"
    QUEUED = "waits for its actor"
    RUNNING = "somebody is at it"
    DONE = "finished"


class Event(Enum):
    """What happens to a step."""

    RELEASED = "all it waits for has happened"
    DELAY_OVER = "people have decided to act"
    MET = "its conditions hold, or it has none"
    ACTOR_FREE = "its actor begins"
    FAILED = "a try did not succeed"
    SUCCEEDED = "a try succeeded"


TABLE: dict[tuple[State, Event], State] = {
    (State.PENDING, Event.RELEASED): State.DELAYED,
    (State.DELAYED, Event.DELAY_OVER): State.WAITING,
    (State.WAITING, Event.MET): State.QUEUED,
    (State.QUEUED, Event.ACTOR_FREE): State.RUNNING,
    (State.RUNNING, Event.FAILED): State.RUNNING,
    (State.RUNNING, Event.SUCCEEDED): State.DONE,
}
"""Every transition of a step."""

EACH_FOR_THEMSELVES = "agents"
"""The actor that is many people: its steps never wait for each other."""


PLAN = "plan"
"""What has released a step that begins at a time of its own."""


@dataclass(frozen=True, slots=True)
class Released:
    """All that a step waits for has happened; the engine draws its delay."""

    step: str
    by: str
    """The fault, or the step that was the last to finish."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A try begins; the engine draws how long it takes and whether it succeeds."""

    step: str
    tries: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A step is done; the engine makes what it does take effect before anything that follows."""

    step: str


Effect = Released | Begin | Finished


class Runbook:
    """All steps of a drill and where they stand."""

    def __init__(self, steps: Sequence[Step]) -> None:
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

    def fault(self, name: str) -> list[Effect]:
        """People notice a fault."""
        return self._happened("fault", name)

    def planned(self, step: str) -> list[Effect]:
        """The time has come for which a step was planned."""
        return [Released(step, PLAN) for _ in self._happened(PLAN, step)]

    def delay_over(self, step: str) -> list[Effect]:
        """People have decided to act on a released step; one with conditions begins by :meth:`conditions_met`."""
        self._move(step, Event.DELAY_OVER)
        if self._steps[step].when is not None:
            return []
        self._move(step, Event.MET)
        return self._assign()

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
        self._busy.discard(self._steps[step].by)
        return [Finished(step), *self._happened("step", step), *self._assign()]

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
                    self._busy.add(step.by)
                self._move(name, Event.ACTOR_FREE)
                begun.append(self._begin(name))
        return begun

    def _free(self, step: str) -> bool:
        return self._steps[step].by not in self._busy

    def _begin(self, step: str) -> Begin:
        self._tries[step] += 1
        return Begin(step, self._tries[step])


def _set_off_by(step: Step) -> Iterator[tuple[str, str]]:
    if step.starts is not None and step.starts.after is not None:
        yield "fault", step.starts.after
    if step.starts is not None and step.starts.at is not None:
        yield PLAN, step.step
