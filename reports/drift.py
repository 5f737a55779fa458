"""How far apart engines are that played the same drill with the same callers: paired differences, metric by metric."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TypeGuard

from reports.exit_codes import ExitCode
from reports.queries import default_queries, resolve
from reports.statistics import Interval, deviation, mean, mean_interval, runs_needed
from reports.summary import RunSummary, Value
from reports.wording import number_of
from scenarios.expectations import Query
from scenarios.metrics import Combine, Unit
from scenarios.model import Drill
from scenarios.rules.plan import faults_in_run
from scenarios.tolerances import Compared, Measure, Tolerance, allowance


class Agreement(StrEnum):
    """What the 95 % interval of a mean difference says, held against what is allowed."""

    AGREES = "agrees"
    """The whole interval lies within what is allowed."""
    DIFFERS = "differs"
    """The whole interval lies beyond it, on one side."""
    UNCLEAR = "cannot tell"
    """It straddles: too few replications. So does a single replication, which has no interval."""


_WORST_FIRST = (Agreement.DIFFERS, Agreement.UNCLEAR, Agreement.AGREES)

OF_VALUES = Tolerance(0.05, Measure.PERCENT)
"""Allowed for counts, shares and means unless the drill says otherwise, and for times that are told from counts."""
OF_TIMES = Tolerance(0.1, Measure.SECONDS)
"""Allowed for other times."""
OF_PORTS = Tolerance(0.5, Measure.NUMBER)
"""Allowed for peaks of ports: a limit that is one too low shows as a peak that is one lower, however high it is."""
_FROM_COUNTS = ("recovery_time", "outage_minutes")
"""Times that are told from how many calls were answered, in steps of up to a minute."""
OF_RUNS = 0.05
"""Share of runs by which engines may differ in whether something happens, or can be measured, at all."""


def usual_tolerance(query: Query) -> Tolerance:
    """Return what is allowed where the drill says nothing."""
    metric = query.definition
    if metric.unit is Unit.PORTS:
        return OF_PORTS
    is_time = metric.unit is Unit.SECONDS and metric.combine is Combine.RUNS
    return OF_TIMES if is_time and metric.name not in _FROM_COUNTS else OF_VALUES


def tolerance(drill: Drill, query: Query) -> Tolerance:
    """Return what a drill allows for a query: its narrowest entry that covers it, or what is usual."""
    covering = [compared for compared in drill.drift.allow if compared.covers(query)]
    if not covering:
        return usual_tolerance(query)
    return drill.drift.allow[max(covering, key=lambda compared: compared.narrow)]


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more the second engine has than the first: paired differences and the interval of their mean."""

    runs: int
    mean: float
    interval: Interval | None
    """None for a single run."""
    allowed: float
    """Either way, in the same unit."""
    needed: int | None
    """Runs in which one could probably tell, judged by how much these vary; None where one can, or never could."""

    @property
    def agreement(self) -> Agreement:
        """The outcome."""
        if self.interval is None:
            return Agreement.UNCLEAR
        low, high = self.interval
        if -self.allowed <= low and high <= self.allowed:
            return Agreement.AGREES
        return Agreement.DIFFERS if high < -self.allowed or low > self.allowed else Agreement.UNCLEAR

    @property
    def significant(self) -> bool:
        """Whether it is more than chance, however small: the interval leaves out 0."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


def difference(values: Sequence[float], allowed: float) -> Difference:
    """Judge paired differences, the second engine's value less the first's; raises ZeroDivisionError without any."""
    interval = mean_interval(values)
    found = Difference(len(values), mean(values), interval, allowed, None)
    if interval is None or found.agreement is not Agreement.UNCLEAR:
        return found
    needed = runs_needed(deviation(values), abs(abs(found.mean) - allowed))
    return Difference(found.runs, found.mean, interval, allowed, needed)


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of each engine in which a metric has no number."""

    first: int
    second: int
    difference: Difference | None
    """Of their shares of all runs; None where neither has any."""


@dataclass(frozen=True, slots=True)
class MetricDrift:
    """One query in two engines."""

    query: Query
    expected: bool
    """Whether the drill expects something of it."""
    tolerance: Tolerance
    first: Value
    """The mean over the runs in which both engines have a value; None where there is no such run."""
    second: Value
    value: Difference | None
    """Of those runs."""
    never: Runs
    """In which what is timed never happened."""
    nothing: Runs
    """With nothing to measure."""

    @property
    def parts(self) -> tuple[Difference, ...]:
        """All that is held against something."""
        every = (self.value, self.never.difference, self.nothing.difference)
        return tuple(part for part in every if part is not None)

    @property
    def agreement(self) -> Agreement:
        """The worst of its parts."""
        found = {part.agreement for part in self.parts}
        return next(each for each in _WORST_FIRST if each in found)

    @property
    def significant(self) -> bool:
        """Whether any part is more than chance."""
        return any(part.significant for part in self.parts)

    @property
    def identical(self) -> bool:
        """Whether both engines have the same value in every run."""
        return all(part.interval == (0.0, 0.0) for part in self.parts)

    @property
    def needed(self) -> int | None:
        """Runs in which one could probably tell; None where one can, or never could."""
        unclear = [part.needed for part in self.parts if part.agreement is Agreement.UNCLEAR]
        known = [runs for runs in unclear if runs is not None]
        return max(known) if known and len(known) == len(unclear) else None


def metric_drift(
    query: Query, pairs: Sequence[tuple[Value, Value]], allowed: Tolerance, *, expected: bool
) -> MetricDrift:
    """Compare the values of a query in all runs, the first engine's with the second's."""
    both = [(x, y) for x, y in pairs if _measured(x) and _measured(y)]
    first, second, value = None, None, None
    if both:
        first, second = mean([x for x, _ in both]), mean([y for _, y in both])
        value = difference([y - x for x, y in both], allowance(allowed, query.definition.unit, first))
    never, nothing = _runs(pairs, _never), _runs(pairs, _nothing)
    return MetricDrift(query, expected, allowed, first, second, value, never, nothing)


def _runs(pairs: Sequence[tuple[Value, Value]], without: Callable[[Value], bool]) -> Runs:
    seen = [(without(x), without(y)) for x, y in pairs]
    first, second = sum(x for x, _ in seen), sum(y for _, y in seen)
    return Runs(first, second, difference([y - x for x, y in seen], OF_RUNS) if first or second else None)


def _measured(value: Value) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _never(value: Value) -> bool:
    return value is not None and math.isinf(value)


def _nothing(value: Value) -> bool:
    return value is None


@dataclass(frozen=True, slots=True)
class Side:
    """An engine, the plan it plays, and what came out."""

    name: str
    """As the command line calls it."""
    engine: str
    changes: tuple[str, ...]
    """Each `path=value` that is set for this one alone."""
    drill: Drill
    summaries: tuple[RunSummary, ...]
    """One for each replication, in order."""

    @property
    def no_evidence(self) -> Iterator[str]:
        """Why its runs are no evidence, one clause each."""
        for fault in faults_in_run(self.drill):
            missing = sum(fault.name not in summary.effects for summary in self.summaries)
            if missing:
                runs = number_of(len(self.summaries), "run")
                yield f"in {self.name}, the fault {fault.name} took no effect in {missing} of {runs}"
        saturated = sum(summary.lateness is not None and summary.lateness.saturated for summary in self.summaries)
        if saturated:
            runs = number_of(len(self.summaries), "run")
            yield f"in {self.name}, the generator was saturated in {saturated} of {runs}"


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two engines side by side."""

    first: Side
    second: Side
    metrics: tuple[MetricDrift, ...]
    """All with something to measure."""
    silent: tuple[Query, ...]
    """Asked of both, with nothing to measure in any run of either."""

    def those(self, agreement: Agreement) -> list[MetricDrift]:
        """Return the metrics with one outcome."""
        return [metric for metric in self.metrics if metric.agreement is agreement]

    @property
    def agreement(self) -> Agreement:
        """The worst of all metrics; without any, one cannot tell."""
        found = {metric.agreement for metric in self.metrics} or {Agreement.UNCLEAR}
        return next(each for each in _WORST_FIRST if each in found)


@dataclass(frozen=True)
class Drift:
    """A drill in several engines, each held against the first."""

    drill: Drill
    """As the first engine played it, cut to what was played."""
    lasts: float
    """Seconds of the whole run."""
    seed: int
    asked: int
    """Replications."""
    interrupted: bool
    sides: tuple[Side, ...]

    @cached_property
    def pairings(self) -> tuple[Pairing, ...]:
        """The first engine with each of the others."""
        return tuple(_pairing(self.drill, self.sides[0], other) for other in self.sides[1:])

    @property
    def no_evidence(self) -> tuple[str, ...]:
        """Why the runs are no evidence, one clause each; empty if they are."""
        done = len(self.sides[0].summaries)
        stopped = [f"stopped after {done} of {number_of(self.asked, 'run')}"] if self.interrupted else []
        return (*stopped, *(clause for side in self.sides for clause in side.no_evidence))

    @property
    def agreement(self) -> Agreement:
        """The worst of all pairings. A difference is one even where the runs are no evidence; agreement is not."""
        found = {pairing.agreement for pairing in self.pairings}
        if self.no_evidence:
            found.add(Agreement.UNCLEAR)
        return next(each for each in _WORST_FIRST if each in found)

    @property
    def exit_code(self) -> ExitCode:
        """What the command line returns."""
        return _EXIT_CODES[self.agreement]

    @cached_property
    def idle(self) -> tuple[Compared, ...]:
        """Tolerances of the drill that cover nothing that is compared."""
        asked = [query for side in self.sides for query in side.summaries[0].values] if self.sides[0].summaries else []
        return tuple(each for each in self.drill.drift.allow if not any(map(each.covers, asked)))


_EXIT_CODES = {
    Agreement.AGREES: ExitCode.PASSED,
    Agreement.DIFFERS: ExitCode.FAILED,
    Agreement.UNCLEAR: ExitCode.INCONCLUSIVE,
}


def common_queries(plans: Sequence[tuple[Drill, str]]) -> tuple[Query, ...]:
    """Return what can be asked of all plans, each given with its engine: what the first one is asked on every run."""
    (drill, _), *_ = plans
    asked = [frozenset(default_queries(plan)) for plan, _ in plans]
    return tuple(
        query
        for query in default_queries(drill)
        if all(query in each for each in asked) and all(engine in query.definition.engines for _, engine in plans)
    )


def _pairing(drill: Drill, first: Side, second: Side) -> Pairing:
    expected = {resolve(expectation.query) for expectation in drill.expect}
    metrics, silent = list[MetricDrift](), list[Query]()
    for query in first.summaries[0].values if first.summaries else ():
        pairs = [(x.values[query], y.values[query]) for x, y in zip(first.summaries, second.summaries, strict=True)]
        if all(x is None and y is None for x, y in pairs):
            silent.append(query)
        else:
            metrics.append(metric_drift(query, pairs, tolerance(drill, query), expected=query in expected))
    return Pairing(first, second, tuple(metrics), tuple(silent))
