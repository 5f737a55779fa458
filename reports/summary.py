"""What is left of one replication when its evidence has been folded: small, frozen, picklable."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from scenarios.evidence import Direction, Gauge, Outcome
from scenarios.expectations import Query

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


@dataclass(frozen=True, slots=True)
class Timeline:
    """The run in bins of equal width: attempts by outcome, and levels."""

    width: float
    """Seconds."""
    outcomes: Mapping[Outcome, "array[int]"]
    """Attempts that began in the bin."""
    gauges: Mapping[tuple[Gauge, str], "array[int]"]
    """For ports and REGISTERs the most in the bin, for other levels the last."""


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
    callers: int
    """Callers whose last attempt has ended."""
    callers_lost: int
    """Those of them whose last attempt had no success."""
    records: int
    """Call records folded."""
