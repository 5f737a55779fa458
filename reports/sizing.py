"""What `kirikae size` has found: the number, what it rests on, what a formula says, and what other days would need."""

from dataclasses import dataclass, field
from enum import StrEnum

from reports.exit_codes import ExitCode
from reports.standing import Sight
from scenarios.expectations import Expectation
from scenarios.model import Drill, Verdict


class Outcome(StrEnum):
    """How the search came out."""

    FOUND = "found"
    """The answer was shown to meet the targets, and every value before it to miss one, or to be ruled out."""
    EITHER = "cannot tell"
    """The answer was shown to meet them; of some before it the runs cannot tell."""
    NONE = "cannot be met"
    STOPPED = "stopped"
    """Somebody has stopped it."""
    NO_EVIDENCE = "no evidence"
    """A fault of the drill took no effect."""


_CODES = {
    Outcome.FOUND: ExitCode.PASSED,
    Outcome.EITHER: ExitCode.INCONCLUSIVE,
    Outcome.NONE: ExitCode.FAILED,
    Outcome.STOPPED: ExitCode.INCONCLUSIVE,
    Outcome.NO_EVIDENCE: ExitCode.INCONCLUSIVE,
}


@dataclass(frozen=True, slots=True)
class Sought:
    """A number that was sought."""

    path: str
    low: str
    high: str
    now: str | None
    """What the drill has; None for nothing."""
    price: float | None
    """Of one unit of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A value, or one of each number, that was looked at."""

    values: tuple[str, ...]
    """One for each number."""
    cost: float | None
    runs: int
    verdict: Verdict
    sights: tuple[Sight, ...]
    """One for each target."""


@dataclass(frozen=True, slots=True)
class Formula:
    """What a closed form says of one number."""

    path: str
    formula: str
    answer: str
    erlang: float
    target: str
    difference: str
    """How the answer differs, in words; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What would be measured at the answer without one thing that closed forms do not know."""

    words: str
    sights: tuple[Sight, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """Another day than that of the drill."""

    words: str
    sights: tuple[Sight, ...]
    """At the answer."""
    verdict: Verdict
    needed: str
    """The number that would be needed; empty where it was not sought."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Why calls were lost."""

    outcome: str
    reason: str
    share: float
    """Of all attempts without success, and calls cut off."""
    cap: int | None
    """Of the limit of that name, if it is one."""
    peak: int | None
    """The most calls that were on it."""


@dataclass(frozen=True)
class Sizing:
    """All of it."""

    drill: Drill
    seed: int
    confidence: float
    most: int
    """Runs that one value was worth."""
    maximise: bool
    targets: tuple[Expectation, ...]
    sought: tuple[Sought, ...]
    outcome: Outcome
    answer: Seen | None
    before: Seen | None = None
    """The nearest value before the answer that was shown to miss a target; None where none is, or for several."""
    undecided: tuple[Seen, ...] = ()
    """Those before the answer of which the runs cannot tell."""
    looked: tuple[Seen, ...] = ()
    """All that were looked at, in order."""
    runs: int = 0
    """Runs of the search, without those for what stands beside the answer."""
    all_runs: int = 0
    formulas: tuple[Formula, ...] = ()
    causes: tuple[Cause, ...] = ()
    days: tuple[Day, ...] = ()
    binding: tuple[Binding, ...] = ()
    frontier: tuple[Seen, ...] = ()
    rules: tuple[str, ...] = ()
    """What plan checks rule out."""
    remarks: tuple[str, ...] = field(default=())
    floor: float | None = None
    """What the answer costs at least, where the search for the cheapest was given up."""

    @property
    def exit_code(self) -> ExitCode:
        """What the command line returns."""
        return _CODES[self.outcome]
