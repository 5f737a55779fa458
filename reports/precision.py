"""How many runs are enough: intervals are looked at after fixed numbers of runs, until all asked for are narrow enough.

To look after every run and stop at the first narrow interval would stop, too often, where the spread happens to be
too small: such intervals cover the mean in 80 to 90 % of cases where 95 % are promised. So the first look is late and
looks are few (Chow & Robbins 1965; Law & Kelton 2000, ch. 9.4.1; Singham & Schruben 2012). The numbers are fixed
beforehand, and so the result does not depend on how many workers there are.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.combine import Combined, combined
from reports.queries import resolve
from reports.statistics import MOST_RUNS
from reports.summary import RunSummary
from scenarios.precision import Goal
from scenarios.tolerances import allowance

FIRST = 100
"""Runs before the first look; enough to show in how many of all runs something holds, besides."""
GROWTH = 1.5
"""Each look comes after so many times as many runs as the one before."""
MOST = 10_000
"""Runs after which it is given up, unless somebody says otherwise."""


def looks(most: int = MOST) -> Iterator[int]:
    """Iterate over the numbers of runs after which intervals are looked at, the last of which is ``most``."""
    runs = FIRST
    while runs < most:
        yield runs
        runs = math.ceil(runs * GROWTH)
    yield most


@dataclass(frozen=True, slots=True)
class Reached:
    """What has become of one goal."""

    goal: Goal
    reach: float | None
    """How far the interval reaches from the value, in the metric's unit; infinite where it may be that it never
    happens, None without an interval."""
    asked: float
    """How far it may, in the same unit."""
    enough: bool
    """Whether it is narrow enough, of enough runs."""
    needed: int | None
    """Runs that would probably do; None where these do, or nobody can tell."""


@dataclass(frozen=True, slots=True)
class Precision:
    """What has become of the precision asked for."""

    runs: int
    most: int
    goals: tuple[Reached, ...]

    @property
    def reached(self) -> bool:
        """Whether all intervals are narrow enough."""
        return all(goal.enough for goal in self.goals)

    @property
    def needed(self) -> int | None:
        """Runs that would probably do for all; None where these do, or nobody can tell."""
        open_ = [goal.needed for goal in self.goals if not goal.enough]
        known = [runs for runs in open_ if runs is not None]
        return max(known) if known and len(known) == len(open_) else None


def precision(goals: Sequence[Goal], summaries: Sequence[RunSummary], most: int) -> Precision:
    """Look at the intervals of so many runs."""
    found = tuple(reached(goal, combined(resolve(goal.query), summaries)) for goal in goals)
    return Precision(len(summaries), most, found)


def reached(goal: Goal, found: Combined) -> Reached:
    """Hold one interval to its goal: that of the mean, or of the median where a metric is judged run by run."""
    measured = found.runs - found.nothing
    reach = found.quantiles[1].reach if found.quantiles else _reach(found)
    asked = _asked(goal, 0.0 if found.value is None else found.value)
    if reach is None:
        return Reached(goal, None, asked, False, None)
    enough = math.isfinite(reach) and reach <= asked and measured >= FIRST
    return Reached(goal, reach, asked, enough, None if enough else _needed(reach, asked, found))


def _asked(goal: Goal, value: float) -> float:
    return allowance(goal.reach, goal.query.definition.unit, value if math.isfinite(value) else 0.0)


def _reach(found: Combined) -> float | None:
    """Return how far the interval of a mean reaches from it: the longer way, where an end is cut off or widened."""
    if found.value is None or found.interval is None:
        return None
    low, high = found.interval
    return max(found.value - low, high - found.value)


def _needed(reach: float, asked: float, found: Combined) -> int | None:
    """Return how many runs would do: widths go by the root of their number, or by it where nothing is seen."""
    if not math.isfinite(reach) or (found.rare is not None and found.rare.away):
        return None
    times = reach / asked if found.rare is not None else (reach / asked) ** 2
    runs = max(math.ceil(found.runs * times), FIRST)
    return runs if runs <= MOST_RUNS else None
