"""How a number stands to its targets after some runs: shown to meet them, shown to miss one, or neither.

As in a verdict, but for two things. The runs of a number are looked at several times, and a decision is taken at the
first look that allows it; so each look is held to so much of the doubt as there are looks (Bonferroni). And what is
known of the callers of each run is taken out of the mean first (`corrected`), which needs far fewer runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log, nan, sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from reports.rare import rare
from reports.statistics import Interval, mean, mean_interval, share_interval
from reports.summary import Value
from scenarios.expectations import Expectation
from scenarios.metrics import Combine, Unit
from scenarios.model import Verdict

_LEAST_FREE = 6
"""Degrees of freedom that have to be left when controls are taken out."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What runs say of one target."""

    verdict: Verdict
    value: Value
    """The mean, or of what is judged run by run the share of runs in which the target held."""
    interval: Interval | None
    gap: float
    """How far it is from the target: above 0 on the wrong side, below on the right one."""
    nothing: int = 0
    """Runs in which there was nothing to measure."""


class Corrected(NamedTuple):
    """A mean without what controls explain of it."""

    value: float
    error: float
    """Standard error."""
    free: int
    """Degrees of freedom."""


def confidence_of_a_look(confidence: float, looks: int) -> float:
    """Return how sure one of several looks has to be, so that all of them together are as sure as asked."""
    return 1 - (1 - confidence) / looks


def sight(
    target: Expectation,
    values: Sequence[Value],
    controls: Sequence[Sequence[float]],
    confidence: float,
    cap: int | None = None,
) -> Sight:
    """Return how a target stands after some runs; ``cap`` is the limit that a share of a limit is of.

    ``controls``: for each run, what is known of its callers; of mean 0 over all runs.
    """
    if target.of_limit:
        values = [None if cap is None or value is None else value / cap for value in values]
    measured = [value for value in values if value is not None]
    nothing = len(values) - len(measured)
    if nothing or len(measured) < 2:
        return Sight(Verdict.INCONCLUSIVE, mean(measured) if measured else None, None, nan, nothing)
    if target.query.definition.combine is Combine.RUNS:
        return _by_runs(target, measured, confidence)
    return _by_mean(target, measured, controls, confidence)


def _by_runs(target: Expectation, values: Sequence[float], confidence: float) -> Sight:
    held = sum(map(target.holds, values))
    low, high = interval = share_interval(held, len(values), confidence)
    asked = target.runs_share
    verdict = Verdict.PASSED if low >= asked else Verdict.FAILED if high < asked else Verdict.INCONCLUSIVE
    return Sight(verdict, held / len(values), interval, asked - held / len(values))


def _by_mean(
    target: Expectation, values: Sequence[float], controls: Sequence[Sequence[float]], confidence: float
) -> Sight:
    shares = target.query.definition.unit is Unit.SHARE
    seldom = rare(values, confidence=confidence) if shares else None
    found = None if seldom is not None else corrected(values, controls)
    if found is None:
        value, interval = mean(values), mean_interval(values, confidence)
    else:
        reach = float(stdtrit(found.free, (1 + confidence) / 2)) * found.error
        value, interval = found.value, (found.value - reach, found.value + reach)
    low, high = interval or (-inf, inf)
    if shares:
        value, low, high = min(max(value, 0.0), 1.0), max(low, 0.0), min(high, 1.0)
    if seldom is not None:
        low, high = seldom.widened((low, high))
    sides = target.holds(low), target.holds(high)
    if all(sides):
        verdict = Verdict.PASSED
    elif any(sides) or low < target.bound < high:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.FAILED
    return Sight(verdict, value, (low, high), _gap(target, value))


def corrected(values: Sequence[float], controls: Sequence[Sequence[float]]) -> Corrected | None:
    """Return the mean of values at controls of 0, by least squares; None where controls are no help.

    That is where they are the same in every run, or too few runs are there for them.
    """
    known = np.asarray(controls, float).reshape(len(values), -1)
    known = known[:, np.ptp(known, axis=0) > 0] if known.size else known
    if not known.shape[1]:
        return None
    design = np.column_stack([np.ones(len(values)), known])
    free = len(values) - design.shape[1]
    if free < _LEAST_FREE or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    # A column of its own scale each, so that nothing is lost where one is tiny.
    scale = np.abs(design).max(axis=0)
    inverse = np.linalg.pinv((design / scale).T @ (design / scale))
    weights = inverse @ (design / scale).T @ np.asarray(values)
    residuals = np.asarray(values) - (design / scale) @ weights
    variance = float(residuals @ residuals) / free * float(inverse[0, 0])
    return Corrected(float(weights[0]), sqrt(max(variance, 0.0)), free)


def _gap(target: Expectation, value: float) -> float:
    """Return the logarithm of how many times the target a mean is; of its complement where more is better."""
    sign = 1.0 if target.op in ("<", "<=") else -1.0 if target.op in (">", ">=") else nan
    bound = target.bound
    if target.query.definition.unit is Unit.SHARE and sign < 0:
        value, bound, sign = 1 - value, 1 - bound, 1.0
    if value <= 0 or bound <= 0:
        return nan if bound <= 0 else sign * -inf
    return sign * log(value / bound)
