"""What is left of one replication when its evidence has been folded: small, frozen, picklable."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from scenarios.evidence import Direction, Gauge, Outcome
from scenarios.expectations import Query
from scenarios.parties import Owner

Value = float | None
"""A metric's value in one replication: ``math.inf`` for never, None where there was nothing to measure."""

LOST = (Outcome.BLOCKED, Outcome.FAILED, Outcome.ABANDONED, Outcome.DROPPED)
"""The ways in which an attempt can end without success."""


class Loss(NamedTuple):
    """What attempts without success have in common."""

    direction: Direction
    number: str
    outcome: Outcome
    reason: str


class Wait(StrEnum):
    """What a plan can wait for while callers get through to nobody."""

    GEAR = "gear"
    """The gear of a pair has yet to notice that a node is gone, or to make a switch."""
    BEGIN = "begin"
    """A step is ready, and nobody has begun it: deciding, being reached, being busy."""
    WORK = "work"
    """A step is being taken."""
    REPAIR = "repair"
    """A fault is not repaired, and no step that could be taken meanwhile is under way."""
    GRANT = "grant"
    """A step waits until a request for ports is granted."""
    NOTHING = "nothing"
    """Nothing that the plan knows of."""


class Cause(NamedTuple):
    """Whom and what a plan waits for."""

    owner: Owner
    wait: Wait
    subject: str
    """The pair, step or fault."""


class Effect(NamedTuple):
    """The first time that something met what a fault had broken."""

    at: float
    """Seconds since the start of the run."""
    met: str
    """What met it, as the journal says."""


@dataclass(frozen=True, slots=True)
class StepRun:
    """How one runbook step went; times in seconds since the start of the run, None for what never happened."""

    ready: float | None = None
    started: float | None = None
    finished: float | None = None
    repeats: int = 0
    """Tries without success; in a step of many agents, those of all of them."""
    released_by: str = ""
    """The fault or step whose happening made it ready."""
    waited: float = 0.0
    """Seconds in which its conditions did not hold and had kept it from being begun, up to when they last came to."""
    waits_since: float | None = None
    """Since when they have kept it from that again."""
    waits: tuple[tuple[float, float], ...] = ()
    """From when until when they have kept it from that, those times left out that last still."""
    sought: float | None = None
    """When the search for somebody to take it began; None where its actor was there."""
    reached: float | None = None
    """When the search ended."""
    reached_by: str = ""
    """Who was reached."""

    def cost(self, end: float) -> float | None:
        """Return seconds from ready to finished: deciding, waiting for conditions and the actor, and the work.

        None if it was never ready. Those of a step that was not finished last until the ``end`` of the run, and would
        have lasted longer.
        """
        if self.ready is None:
            return None
        return (end if self.finished is None else self.finished) - self.ready

    @property
    def hesitation(self) -> float | None:
        """Seconds from ready to started other than for its conditions: deciding, and waiting for the actor."""
        if self.ready is None or self.started is None:
            return None
        return self.started - self.ready - self.waited

    def waiting(self, end: float) -> float | None:
        """Return seconds of the cost in which its conditions kept people from it, up to the ``end`` of the run."""
        if self.ready is None:
            return None
        return self.waited + (0.0 if self.waits_since is None else end - self.waits_since)

    @property
    def open(self) -> bool:
        """Whether it was ready, and not finished when the run ended."""
        return self.ready is not None and self.finished is None

    def under_way(self, now: float) -> bool:
        """Whether it was ready at a moment, and not finished."""
        return self.ready is not None and self.ready <= now and (self.finished is None or now < self.finished)

    def held(self, now: float) -> bool:
        """Whether its conditions kept people from it at a moment."""
        lasting = self.waits_since is not None and self.waits_since <= now
        return lasting or any(since <= now < until for since, until in self.waits)


class Extremes(NamedTuple):
    """A level in bins: of all its samples the lowest and the highest, so that none that stands out is lost."""

    lowest: "array[int]"
    highest: "array[int]"


class Answered(NamedTuple):
    """The calls of a queue by the bin in which they began."""

    served: "array[int]"
    """Those that were delivered to it and whose fate is known."""
    in_time: "array[int]"
    """Those of them that were answered within its `answer_within`."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The run in bins of equal width: attempts by outcome, and levels."""

    width: float
    """Seconds."""
    outcomes: Mapping[Outcome, "array[int]"]
    """Attempts that began in the bin."""
    gauges: Mapping[tuple[Gauge, str], Extremes]
    """By what is measured and where: the lowest and the highest sample of each bin."""
    service: Mapping[str, Answered]
    """By queue."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late the generator of a live run was, seconds."""

    p99: float
    worst: float
    limit: float

    @property
    def saturated(self) -> bool:
        """Whether it was later than it may be, so that what the run has measured is not the system's alone."""
        return self.worst > self.limit


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One replication."""

    values: Mapping[Query, Value]
    parts_of: Mapping[Query, float]
    """How many attempts, calls or callers each share is of."""
    timeline: Timeline
    steps: Mapping[str, StepRun]
    effects: Mapping[str, Effect]
    """By fault; a fault without an entry never took effect."""
    stopped: float | None
    """When somebody stopped a live run, seconds; None for one that has gone to its end."""
    lateness: Lateness | None
    """Of the generator; None in virtual time."""
    losses: Mapping[Loss, int]
    """Attempts without success, and calls cut off that were up at the start."""
    peaks: Mapping[str, int]
    """Most calls at the same time against each limit."""
    responsible: Mapping[Query, Mapping[Cause, float]]
    """By query for a time without service: its seconds by what the plan waited for."""
    callers: int
    """Callers whose last attempt has ended."""
    callers_lost: int
    """Those of them whose last attempt had no success."""
    records: int
    """Call records folded."""
    until: float | None = None
    """Up to when it has been played, seconds, where it still goes on; its timeline ends there, and calls that were up
    then are in no number."""
    granted: tuple[str, ...] = ()
    """Steps whose request for ports was granted."""
