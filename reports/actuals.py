"""What a rehearsal took against what its drill expects, and what that says about the times in the drill.

A duration is compared with the durations of the simulated runs; its quantile is the share of runs that were faster,
ties counted half. Times are as exact as they were written: `10:32` may be up to a minute later, and a duration between
two such times up to a minute longer or shorter. The first line, which ends are counted from, is one of them. A step is
slow only if it is so whatever the seconds were.

New times are proposed by this rule, for steps that were begun and finished in at least one sheet. With n sheets, g is
the geometric mean of what was measured, m the median of the runs. Where g, by how exactly times were written, may lie
between m (p10 / m)^(1/√n) and m (p90 / m)^(1/√n), as about 80 % of such means would, the drill stays as it is.
Otherwise all times of the step's distribution are multiplied by (g / m)^(n / (n + 1)): the drill counts as much as one
rehearsal, so that one moves the median half way on a logarithmic scale, and two move it by two thirds. The shape stays,
as a few values say nothing of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, inf, isinf, log, sqrt

from reports.filled_sheet import Filled, Stamp
from reports.sheet import durations, ends, events_of
from reports.statistics import mean, quantile
from reports.summary import RunSummary
from scenarios.distributions import Distribution
from scenarios.model import Drill
from scenarios.problems import path_text
from scenarios.units import MAX_DURATION

EARLY, MEDIAN, LATE = 0.1, 0.5, 0.9


class Pace(StrEnum):
    """How something that was measured lies to what was expected."""

    SLOW = "slow"
    """Beyond the p90."""
    FAST = "fast"
    """Below the p10."""
    AS_EXPECTED = "as expected"


@dataclass(frozen=True, slots=True)
class Prediction:
    """Seconds over the runs; infinity where too few came so far."""

    values: tuple[float, ...]

    @property
    def p10(self) -> float:
        """What one run in ten stayed within."""
        return quantile(self.values, EARLY)

    @property
    def p50(self) -> float:
        """The median."""
        return quantile(self.values, MEDIAN)

    @property
    def p90(self) -> float:
        """What nine runs in ten stayed within."""
        return quantile(self.values, LATE)

    def share_below(self, value: float) -> float:
        """Return the share of runs below a value, those that have it counted half."""
        below = sum(each < value for each in self.values)
        return (below + sum(each == value for each in self.values) / 2) / len(self.values)


@dataclass(frozen=True, slots=True)
class Measured:
    """Something that was measured, and where it lies in what was expected."""

    value: float
    """Seconds."""
    low: float
    high: float
    """What it may have been, by how exactly it was written."""
    prediction: Prediction

    @property
    def quantile(self) -> float:
        """Return the share of runs that it was slower than."""
        return self.prediction.share_below(self.value)

    @property
    def pace(self) -> Pace:
        """Whether it was out of the ordinary, whatever the seconds were."""
        if self.low > self.prediction.p90:
            return Pace.SLOW
        return Pace.FAST if self.high < self.prediction.p10 else Pace.AS_EXPECTED


@dataclass(frozen=True, slots=True)
class StepActual:
    """One step of one sheet; None where a time was not written down, or no run came so far."""

    step: str
    took: Measured | None
    ended: Measured | None
    """Since the first line of the sheet."""


@dataclass(frozen=True, slots=True)
class SheetActual:
    """One sheet."""

    filled: Filled
    steps: tuple[StepActual, ...]
    """In file order of the drill, all of them."""
    total: Measured | None
    """From the first line to the last end that was written down, against the same steps of the runs."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """New times for a step; a proposal, no more."""

    step: str
    index: int
    """In the runbook."""
    measured: tuple[float, ...]
    """Seconds, one for each sheet that has them."""
    median: float
    """Of the runs."""
    factor: float
    old: Distribution
    new: Distribution

    @property
    def path(self) -> str:
        """The field, as `--set` takes it."""
        odd = any(char in self.step for char in "[]") or self.step.isdigit()
        return f"runbook[{self.index}].takes" if odd else f"{path_text(['runbook'])}[{self.step}].takes"


@dataclass(frozen=True, slots=True)
class Actuals:
    """Sheets against a drill."""

    drill: Drill
    runs: int
    asked: int
    sheets: tuple[SheetActual, ...]
    proposals: tuple[Proposal, ...]
    timeless: tuple[str, ...]
    """Steps that took time and are said to take none, which nothing can be multiplied with."""


def compare(drill: Drill, summaries: Sequence[RunSummary], sheets: Sequence[Filled]) -> Actuals:
    """Compare sheets with the runs of a drill, of which there is at least one."""
    zero = events_of(drill)[1][0].at
    went = {step.step: [summary.steps[step.step] for summary in summaries] for step in drill.runbook}
    lengths = {name: Prediction(tuple(times)) for name, runs in went.items() if (times := durations(runs))}
    moments = {name: tuple(end - zero for end in ends(runs)) for name, runs in went.items()}
    compared = tuple(_sheet(drill, filled, lengths, moments) for filled in sheets)
    proposals, timeless = _proposals(drill, compared)
    return Actuals(drill, len(summaries), drill.run.replications, compared, proposals, timeless)


def _sheet(
    drill: Drill, filled: Filled, lengths: Mapping[str, Prediction], moments: Mapping[str, tuple[float, ...]]
) -> SheetActual:
    steps = []
    for step in drill.runbook:
        actual = filled.steps.get(step.step)
        took = ended = None
        if actual is not None and actual.began is not None and actual.ended is not None and step.step in lengths:
            took = _between(actual.began, actual.ended, lengths[step.step])
        if actual is not None and actual.ended is not None and filled.anchored:
            ended = _moment(actual.ended, filled, moments[step.step])
        steps.append(StepActual(step.step, took, ended))
    return SheetActual(filled, tuple(steps), _total(filled, moments))


def _between(began: Stamp, ended: Stamp, prediction: Prediction) -> Measured:
    """Return how long something took; both ends may be later than written."""
    value = max(ended.at - began.at, 0.0)
    return Measured(value, max(value - began.within, 0.0), value + ended.within, prediction)


def _moment(stamp: Stamp, filled: Filled, values: tuple[float, ...]) -> Measured:
    """Return how long after the first line something was; what the first line was later makes it less."""
    earlier = stamp.within if filled.first_within is None else filled.first_within
    return Measured(stamp.at, stamp.at - earlier, stamp.at + stamp.within, Prediction(values))


def _total(filled: Filled, moments: Mapping[str, tuple[float, ...]]) -> Measured | None:
    known = {step: actual.ended for step, actual in filled.steps.items() if actual.ended is not None}
    if not known or not filled.anchored:
        return None
    last = max(known.values(), key=lambda stamp: stamp.at)
    return _moment(last, filled, tuple(max(run) for run in zip(*(moments[step] for step in known), strict=True)))


# Proposals


def _proposals(drill: Drill, sheets: Sequence[SheetActual]) -> tuple[tuple[Proposal, ...], tuple[str, ...]]:
    proposals: list[Proposal] = []
    timeless: list[str] = []
    for index, step in enumerate(drill.runbook):
        measured = [took for sheet in sheets if (took := sheet.steps[index].took) is not None]
        if not measured:
            continue
        median = measured[0].prediction.p50
        if isinf(median) or not _says_something(measured):
            continue
        if median == 0 or not any(step.takes.times):
            timeless.append(step.step)
            continue
        factor = _factor([max(each.value, each.high / 2) for each in measured], median)
        new = _rounded(step.takes.scaled(factor))
        values = tuple(each.value for each in measured)
        proposals.append(Proposal(step.step, index, values, median, factor, step.takes, new))
    return tuple(proposals), tuple(timeless)


def _says_something(measured: Sequence[Measured]) -> bool:
    """Tell whether the mean of what was measured is out of the ordinary, whatever the seconds were."""
    prediction = measured[0].prediction
    low, median, high = prediction.p10, prediction.p50, prediction.p90
    shortest, longest = _geometric([each.low for each in measured]), _geometric([each.high for each in measured])
    if median == 0:
        return shortest > 0
    narrower = 1 / sqrt(len(measured))
    least = median * (low / median) ** narrower
    most = inf if isinf(high) else median * (high / median) ** narrower
    return longest < least * (1 - _LAST_BIT) or shortest > most * (1 + _LAST_BIT)


def _geometric(values: Sequence[float]) -> float:
    return exp(mean([log(value) for value in values])) if all(values) else 0.0


_LAST_BIT = 1e-9
"""Share by which logarithms may be off."""


def _factor(values: Sequence[float], median: float) -> float:
    """Return what times are multiplied by, after so many rehearsals."""
    weight = len(values) / (len(values) + 1)
    return exp(weight * mean([log(value / median) for value in values]))


def _rounded(distribution: Distribution) -> Distribution:
    """Return a distribution with times as people write them, where that leaves it one."""
    times = tuple(min(_round(time), MAX_DURATION) for time in distribution.times)
    if any(not new and old for new, old in zip(times, distribution.times, strict=True)):
        return distribution
    if len(set(times)) < len(set(distribution.times)):
        return distribution
    return Distribution(distribution.shape, (*times, *distribution.parameters[len(times) :]))


def _round(seconds: float) -> float:
    return round(seconds, 0 if seconds >= 60 else 1 if seconds >= 10 else 2 if seconds >= 1 else 3)
