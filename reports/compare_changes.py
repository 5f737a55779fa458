"""What is between two runs in one metric: how far they are apart, what is allowed, and what that comes to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isinf

from reports import compare_intervals as intervals
from reports.compare_intervals import Apart, Sample
from reports.compare_runs import Measured
from reports.compare_tolerances import Tolerances, worth
from reports.statistics import CONFIDENCE, mean
from reports.summary import Value
from scenarios.expectations import Query
from scenarios.metrics import Better, Combine

Values = Sequence[Value]


class Outcome(StrEnum):
    """What the interval of a difference says."""

    WORSE = "worse"
    """All of it lies beyond what is allowed, on the bad side."""
    BETTER = "better"
    """The same on the good side."""
    UNCLEAR = "cannot tell"
    """There is a difference, and too few runs for an interval, or nothing to take it from on one side."""
    CHANGED = "changed"
    """More than chance, and not surely more than is allowed; or no way is better."""
    SAME = "no difference"
    """None that is more than chance."""


ORDER = tuple(Outcome)
"""What is told first."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Runs of both sides in which a metric has no number."""

    first: int
    second: int
    of: tuple[int, int]
    apart: Apart | None = None
    """How far their shares are apart; None where neither has any, or nobody asks."""


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of both runs."""

    query: Query
    expected: bool
    """Whether one of the drills expects something of it."""
    decides: bool
    """Whether it can make the second run worse."""
    first: Value
    second: Value
    apart: Apart | None
    """None where no run of one side has a number, or no pair two."""
    allowed: float
    """In the metric's unit, either way."""
    never: Counts
    nothing: Counts
    identical: bool
    """Whether all runs have the same values on both sides."""

    @property
    def text(self) -> str:
        """The metric as it is written."""
        return str(self.query)

    @property
    def outcome(self) -> Outcome:
        """The first in order of what its value says, and in how many runs it never happens."""
        return min(self._outcomes(), key=ORDER.index, default=Outcome.SAME)

    def _outcomes(self) -> Iterator[Outcome]:
        if self.identical:
            return
        if self.apart is not None:
            yield _outcome(self.apart, self.allowed, self.query.definition.better, decides=self.decides)
        elif (self.first is None) is not (self.second is None):  # a side that measures nothing is not like the other
            yield Outcome.UNCLEAR
        if self.never.apart is not None:
            # that it may never happen at all is allowed of nothing
            yield _outcome(self.never.apart, 0.0, Better.LESS, decides=self.decides)

    @property
    def badness(self) -> float:
        """How bad the difference is, in multiples of what is allowed; below 0 where it is for the better."""
        sign = -1 if self.query.definition.better is Better.MORE else 1
        found = (
            [] if self.apart is None else [sign * self.apart.value / worth(self.query.definition.unit, self.allowed)]
        )
        if self.never.apart is not None:
            found.append(self.never.apart.value * inf if self.never.apart.value else 0.0)
        return max(found, key=abs, default=0.0)


def _outcome(apart: Apart, allowed: float, better: Better, *, decides: bool) -> Outcome:
    if apart.interval is None:
        return Outcome.UNCLEAR if apart.value else Outcome.SAME
    low, high = apart.interval
    if low <= 0 <= high:
        return Outcome.SAME
    if better is Better.NEITHER:
        beyond = low > allowed or high < -allowed
        return Outcome.WORSE if decides and beyond else Outcome.CHANGED
    if better is Better.MORE:
        low, high = -high, -low
    if low > allowed:
        return Outcome.WORSE
    return Outcome.BETTER if high < -allowed else Outcome.CHANGED


def measured_at_all(values: Values) -> bool:
    """Whether any run has a value, if only that it never happens."""
    return any(value is not None for value in values)


def decides(query: Query, tolerances: Tolerances) -> bool:
    """Whether a metric can make a run worse: one way of it is better, or somebody says what is allowed of it."""
    return query.definition.better is not Better.NEITHER or tolerances.names(query)


def change_of(
    query: Query,
    first: Values,
    second: Values,
    confidence: float,
    tolerances: Tolerances,
    *,
    paired: bool,
    expected: bool,
) -> Change:
    """Compare the values of a metric, of which ``paired`` ones belong together one by one."""
    by_runs = query.definition.combine is Combine.RUNS
    pairs = list(zip(first, second, strict=True)) if paired else []
    if paired:
        both = [(x, y) for x, y in pairs if x is not None and y is not None]
        one, other = [x for x, _ in both], [y for _, y in both]
    else:
        one, other = ([value for value in values if value is not None] for values in (first, second))
    centre = intervals.middle if by_runs else mean
    # without any pair there is still what each side comes to by itself
    own = (one, other) if one else ([value for value in values if value is not None] for values in (first, second))
    value, value_second = (centre(values) if values else None for values in own)
    apart = None
    if one and other:
        method = {
            (True, True): intervals.paired_medians,
            (True, False): intervals.paired_means,
            (False, True): intervals.medians,
            (False, False): intervals.means,
        }[paired, by_runs]
        apart = method(one, other, confidence)
    return Change(
        query,
        expected,
        decides(query, tolerances),
        value,
        value_second,
        apart,
        tolerances.allowed(query, value),
        _never(one, other, confidence, paired=paired),
        Counts(first.count(None), second.count(None), (len(first), len(second))),
        paired and all(x == y for x, y in pairs),
    )


def _never(first: Sequence[float], second: Sequence[float], confidence: float, *, paired: bool) -> Counts:
    seen = [[isinf(value) for value in values] for values in (first, second)]
    hits, of = tuple(map(sum, seen)), (len(first), len(second))
    if not any(hits) or not all(of):
        return Counts(hits[0], hits[1], of)
    if not paired:
        return Counts(hits[0], hits[1], of, intervals.shares((hits[0], of[0]), (hits[1], of[1]), confidence))
    pairs = list(zip(*seen, strict=True))
    apart = None if seen[0] == seen[1] else intervals.paired_shares(pairs, confidence)
    return Counts(hits[0], hits[1], of, apart)


def separate(first: Measured, second: Measured, tolerances: Tolerances, *, expected: bool) -> Change:
    """Compare values over all runs, each with its own interval."""
    query, (one, other) = first.query, (first.told, second.told)
    apart = None
    if one.value is not None and other.value is not None:
        apart = intervals.together(Sample(one.value, one.interval), Sample(other.value, other.interval))
    of = (one.runs - one.nothing, other.runs - other.nothing)
    never = None
    if (one.never or other.never) and all(of):
        never = intervals.shares((one.never, of[0]), (other.never, of[1]), CONFIDENCE)
    return Change(
        query,
        expected,
        decides(query, tolerances),
        one.value,
        other.value,
        apart,
        tolerances.allowed(query, one.value),
        Counts(one.never, other.never, of, never),
        Counts(one.nothing, other.nothing, (one.runs, other.runs)),
        identical=False,
    )
