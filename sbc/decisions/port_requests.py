"""Requests for other limits on concurrent ports: each a case with a state, and one at a time for the tenant.

The machine has no clock: an engine draws how long verification and review take, says which day it is, and whether
reviewers approve.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum

from sbc.decisions.table import ImpossibleEventError, follow
from scenarios import portplan
from scenarios.model import PortManagement, Ports
from scenarios.portplan import Refusal


class State(Enum):
    """Where a request stands."""

    NEW = "a case is open: the requester's authority and the limits asked for are verified"
    IN_REVIEW = "people decide on it"
    GRANTED = "the limits hold"
    REJECTED = "nothing has changed"


class Event(Enum):
    """What happens to a request."""

    UNFIT = "verified: it can never be granted"
    WITHIN = "verified: no increase, or one below what the day has left"
    ABOVE = "verified: an increase that is not below what the day has left"
    APPROVED = "people have approved it"
    DECLINED = "people have declined it"


class Effect(Enum):
    """What follows from it."""

    CHANGE = "all limits asked for hold from now on, and the increase counts for the day"
    REVIEW = "start the time that the review takes"


TABLE: dict[tuple[State, Event], tuple[State, tuple[Effect, ...]]] = {
    (State.NEW, Event.UNFIT): (State.REJECTED, ()),
    (State.NEW, Event.WITHIN): (State.GRANTED, (Effect.CHANGE,)),
    (State.NEW, Event.ABOVE): (State.IN_REVIEW, (Effect.REVIEW,)),
    (State.IN_REVIEW, Event.APPROVED): (State.GRANTED, (Effect.CHANGE,)),
    (State.IN_REVIEW, Event.DECLINED): (State.REJECTED, ()),
}
"""Every transition (P5-P7). Only what is no increase, or a small one, is granted without a review."""

PENDING = (State.NEW, State.IN_REVIEW)
"""States in which no other request may be filed (P12)."""


def step(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what follows; raises ImpossibleEventError for what is not in the table."""
    return follow(TABLE, state, event)


@dataclass(slots=True)
class Case:
    """One request."""

    number: int
    """Of the cases of a run, from 1 on (P14)."""
    by: str
    """Who has filed it."""
    asked: Ports
    state: State = State.NEW
    refusal: Refusal | None = None
    """Why it was rejected."""


class Desk:
    """Where the requests of the tenant are dealt with."""

    def __init__(self, plan: PortManagement, limits: Ports) -> None:
        self._plan = plan
        self.limits = limits
        """Those that hold now."""
        self.cases: list[Case] = []
        self._grown: Counter[Hashable] = Counter()
        """By how much the concurrent ports have been raised, by day."""

    def is_free(self) -> bool:
        """Whether a request can be filed: none is pending (P12)."""
        return not any(case.state in PENDING for case in self.cases)

    def file(self, by: str, asked: Ports) -> Case:
        """Open a case for a request; raises ImpossibleEventError while another is pending."""
        if not self.is_free():
            raise ImpossibleEventError("a request is filed while another is pending")
        case = Case(len(self.cases) + 1, by, asked)
        self.cases.append(case)
        return case

    def verified(self, case: Case, day: Hashable) -> tuple[Effect, ...]:
        """Verify a new request, on a day; return what follows."""
        case.refusal = portplan.refusal(self._plan, self.limits, case.asked, case.by)
        if case.refusal is not None:
            return self._advance(case, Event.UNFIT, day)
        more = portplan.increase(self.limits, case.asked)
        quick = portplan.is_quick(self._plan, self._grown[day], more)
        return self._advance(case, Event.WITHIN if quick else Event.ABOVE, day)

    def reviewed(self, case: Case, day: Hashable, draw: float) -> tuple[Effect, ...]:
        """Decide on a request in review, on a day; return what follows. ``draw`` is uniform from 0 to 1."""
        declined = draw < self._plan.rejected
        case.refusal = Refusal.DECLINED if declined else None
        return self._advance(case, Event.DECLINED if declined else Event.APPROVED, day)

    def _advance(self, case: Case, event: Event, day: Hashable) -> tuple[Effect, ...]:
        case.state, effects = step(case.state, event)
        if Effect.CHANGE in effects:
            self._grown[day] += portplan.increase(self.limits, case.asked)
            self.limits = portplan.changed(self.limits, case.asked)
        return effects
