"""Shares that are 0 % in all runs, or in nearly all: what so many runs can say of the mean of all runs. 100 % likewise.

Runs that are all alike have no spread, and Student's interval no width: it would take for certain that there are no
others. What is certain is only how rare others are. Of 100 runs without a blocked call, up to 3.6 % of all runs may
have some (95 %, two-sided); how much that is on the mean depends on how many are blocked in such a run, and nobody has
seen one. Calls within a run are no help, as many as they are: one full trunk refuses them all.

So a run that is away from the end, but was not seen, is taken to be away by :data:`AT_WORST`, by as much as the worst
that was seen, or by one attempt where there are few in a run, whichever is the most. With what was seen the bound is
Stringer's (1963; Bickel 1992): the most that the share of runs can be which are away by so much, added up. The
interval reaches at least there. From :data:`FEW` runs on, those that were seen say by themselves how far away they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.statistics import CONFIDENCE, Interval, most_share, runs_without

FEW = 10
"""Runs away from the end below which they are too few to tell of all that are: np of at least 10, as usual."""
AT_WORST = 0.1
"""Share of its attempts by which a run is taken to be away from the end, if none was seen that is away by more."""


@dataclass(frozen=True, slots=True)
class Rare:
    """How near to an end so many runs can see."""

    end: float
    """The share that all runs have, or nearly all: 0 or 1."""
    runs: int
    away: int
    """Runs with another share."""
    worst: float
    """By how much of 1 a run is taken to be away that was not seen."""
    reach: float
    """How far from the end the mean may be, at least as far as can be told."""

    @property
    def edge(self) -> float:
        """Where the interval of the mean reaches to."""
        return abs(self.end - self.reach)

    def widened(self, interval: Interval) -> Interval:
        """Return an interval of the mean that reaches at least to the edge."""
        low, high = interval
        return (low, max(high, self.edge)) if self.end == 0 else (min(low, self.edge), high)

    def needed(self, bound: float) -> int | None:
        """Return how many runs, all at the end, could tell the mean from ``bound``; None if no number could.

        Nor is any number told where some runs are away from the end: among more runs there will be more of them.
        """
        away = abs(bound - self.end)
        if self.away or away == 0:
            return None
        return runs_without(min(away / self.worst, 1 - 1e-9))


def rare(values: Sequence[float], attempts: float | None = None, confidence: float = CONFIDENCE) -> Rare | None:
    """Return how near to 0 or 1 so many runs can see, where fewer than ten of them, and than half, are away from it.

    ``values``: shares from 0 to 1, of independent runs; ``attempts``: how many of a run they are of, on the mean. None
    where the runs speak for themselves, and for fewer than two.
    """
    runs = len(values)
    for end in (0.0, 1.0):
        away = sorted((abs(value - end) for value in values if value != end), reverse=True)
        if runs >= 2 and len(away) < FEW and 2 * len(away) < runs:
            worst = min(max(AT_WORST, 1 / attempts if attempts else 0.0, *away[:1]), 1.0)
            return Rare(end, runs, len(away), worst, stringer_bound(away, runs, worst, confidence))
    return None


def stringer_bound(away: Sequence[float], runs: int, worst: float, confidence: float = CONFIDENCE) -> float:
    """Return the most that the mean of values from 0 to ``worst`` can be, of which all ``runs`` but ``away`` are 0.

    ``away`` is in descending order. The steps from one value to the next lower one, each for as many of all runs as
    can be at least so high.
    """
    steps = zip((worst, *away), (*away, 0.0), strict=True)
    return sum(most_share(seen, runs, confidence) * (above - below) for seen, (above, below) in enumerate(steps))
