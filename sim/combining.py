"""The search for the cheapest combination of several numbers that meets a target.

Pure, as `sim.sizing`. It rests on one thing: what misses the target misses it with less of anything as well. So every
combination that was shown to miss it rules out all below it, and what is left is the union of cones above *corners*.
With prices above nothing the cheapest combination that may still do is always one of the corners: if it meets the
target it is the answer, and if not it rules out more. To rule out much at once, the middle between a corner and a
combination that is known to do is looked at first, and then the middle of the lower half …
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sim.sizing import Look, Settled, Standing

Point = tuple[int, ...]
"""How many of each."""
Probe = Callable[[Point, int], Look]
"""How a combination stands after so many runs, the first of those that every combination gets."""

MOST_POINTS = 400
"""Combinations that are looked at, at most."""


@dataclass(frozen=True, slots=True)
class Cheapest:
    """What was found."""

    answer: Point | None
    """The cheapest combination that was shown to meet the target; None where not even the largest is."""
    settled: Mapping[Point, Settled]
    """All that were looked at."""
    undecided: tuple[Point, ...]
    """Cheaper ones of which it cannot be told whether they meet it as well."""
    floor: float | None
    """What the answer costs at least; less than it does cost only when the search was given up at its most points."""


def below(one: Point, other: Point) -> bool:
    """Whether one combination has no more of anything than another."""
    return all(few <= many for few, many in zip(one, other, strict=True))


@dataclass
class Combining:
    """The search among all combinations between two; what it knows can be asked for at any time."""

    probe: Probe
    ends: Sequence[int]
    lowest: Point
    highest: Point
    cost: Callable[[Point], float]
    """Grows with every number."""
    allowed: Callable[[Point], bool] = lambda point: True
    """Whether a combination may be proposed at all."""
    most: int = MOST_POINTS
    settled: dict[Point, Settled] = field(default_factory=dict)
    best: Point | None = None
    _corners: list[Point] = field(default_factory=list)

    def find(self, start: Point) -> Cheapest:
        """Return the cheapest combination that meets the target; ``start`` is where to look for one that does first."""
        self.best = self._one_that_meets(self._inside(start))
        self._corners = [tuple(map(self._least_of, range(len(start))))]
        while self.best is not None and (corner := self._cheapest_corner()) is not None:
            if len(self.settled) >= self.most:
                return self._found(self.cost(corner))
            self._try(corner)
        return self._found(None if self.best is None else self.cost(self.best))

    def _inside(self, point: Point) -> Point:
        ends = zip(point, self.lowest, self.highest, strict=True)
        return tuple(min(max(number, low), high) for number, low, high in ends)

    def _one_that_meets(self, point: Point) -> Point | None:
        """Return a combination that meets the target and is allowed, upwards from one; None where none is found."""
        share = 1 / 16
        while not (self._standing(point) is Standing.MEETS and self.allowed(point)):
            if point == self.highest:
                return None
            point = self._inside(tuple(number + max(1, round(number * share)) for number in point))
            share *= 2
        return point

    def _least_of(self, axis: int) -> int:
        """Return the lowest number of one thing that is not shown to miss the target with the most of all others."""
        if self.best is None:
            return self.lowest[axis]
        missed, other = self.lowest[axis] - 1, self.best[axis]
        while other - missed > 1:
            middle = (missed + other) // 2
            point = (*self.highest[:axis], middle, *self.highest[axis + 1 :])
            if self._standing(point) is Standing.FAILS:
                missed = middle
            else:
                other = middle
        return other

    def _cheapest_corner(self) -> Point | None:
        """Return the corner that costs least, if it costs less than what is known to do."""
        assert self.best is not None  # noqa: S101 - asked for only when something does
        limit = self._rank(self.best)
        self._corners = [corner for corner in self._corners if self._rank(corner) < limit]
        return min(self._corners, key=self._rank, default=None)

    def _rank(self, point: Point) -> tuple[float, Point]:
        """Return what points are sorted by; of those that cost the same, one comes before the others."""
        return self.cost(point), point

    def _try(self, corner: Point) -> None:
        """Rule a corner out, or find it or something above it to be the best so far."""
        assert self.best is not None  # noqa: S101 - as above
        above = tuple(map(max, corner, self.best))
        while True:
            middle = tuple((low + high) // 2 for low, high in zip(corner, above, strict=True))
            standing = self._standing(middle)
            if standing is Standing.FAILS:
                self._rule_out(middle)
                return
            if standing is Standing.MEETS and self.allowed(middle) and self._rank(middle) < self._rank(self.best):
                self.best = middle
            if middle == corner:
                self._rule_out_alone(corner)
                return
            above = middle

    def _rule_out(self, failing: Point) -> None:
        """Replace each corner that is at most something that fails by those around it."""
        kept = [corner for corner in self._corners if not below(corner, failing)]
        raised = [
            (*corner[:axis], failing[axis] + 1, *corner[axis + 1 :])
            for corner in self._corners
            if below(corner, failing)
            for axis in range(len(corner))
            if failing[axis] < self.highest[axis]
        ]
        self._corners = _least([*kept, *raised])

    def _rule_out_alone(self, corner: Point) -> None:
        """Go on around a corner that has been dealt with, and says nothing about what is below or above it."""
        self._corners.remove(corner)
        raised = [
            (*corner[:axis], corner[axis] + 1, *corner[axis + 1 :])
            for axis in range(len(corner))
            if corner[axis] < self.highest[axis]
        ]
        self._corners = _least([*self._corners, *raised])

    def _standing(self, point: Point) -> Standing:
        """Return how a combination stands: by what is known of those above and below, or after ever more runs."""
        if point not in self.settled:
            if any(below(point, failing) for failing in self._known(Standing.FAILS)):
                return Standing.FAILS
            if any(below(meeting, point) for meeting in self._known(Standing.MEETS)):
                return Standing.MEETS
            for runs in self.ends:
                look = self.probe(point, runs)
                if look.standing is not Standing.OPEN:
                    break
            self.settled[point] = Settled(look, runs)
        return self.settled[point].look.standing

    def _known(self, standing: Standing) -> list[Point]:
        return [point for point, settled in self.settled.items() if settled.look.standing is standing]

    def _found(self, floor: float | None) -> Cheapest:
        undecided = [
            point
            for point in self._known(Standing.OPEN)
            if self.best is not None
            and self.allowed(point)
            and self.cost(point) < self.cost(self.best)
            and not any(below(point, failing) for failing in self._known(Standing.FAILS))
        ]
        return Cheapest(self.best, dict(self.settled), tuple(sorted(undecided, key=self.cost)), floor)


def _least(points: Sequence[Point]) -> list[Point]:
    """Return the points that have no other below them; each once."""
    unique = list(dict.fromkeys(points))
    return [point for point in unique if not any(other != point and below(other, point) for other in unique)]
