"""The search for the smallest number that meets a target, where a look costs runs and may come out undecided.

Pure: values are places on a ladder, whole numbers of which higher ones are meant to be easier (more ports; for the most
arrivals, fewer of them), and a probe says how a value stands after so many runs. It must give the same answer whenever
it is asked the same, which common random numbers see to, and never take back a decision that it has made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, isfinite
from typing import NamedTuple

FIRST = 12
"""Runs after which a value is looked at first."""
MOST = 1_536
"""Runs that one value is worth, unless somebody asks for others."""
_STRIDE = 16
"""The share of a value, one over this, that the search goes on by after a value that was decided at its first look."""
_CHECKED = (1.1, 1.5)
"""How far above the answer, and below, it is looked whether the target is met on one side only."""


class Standing(StrEnum):
    """How a value stands to the target."""

    MEETS = "meets"
    FAILS = "fails"
    OPEN = "open"
    """The runs made cannot tell."""


class Look(NamedTuple):
    """What runs say about a value."""

    standing: Standing
    gap: float
    """How far the estimate is from the target, on any scale that is the same for all values: above 0 on the wrong
    side, below on the right one; NaN or infinite where that cannot be said."""


class Settled(NamedTuple):
    """A value that has been decided, or was given up."""

    look: Look
    runs: int
    """Those that it took."""


Probe = Callable[[int, int], Look]
"""How a place stands after so many runs, the first of those that every place gets."""
Alike = Callable[[int, int], bool]
"""Whether two places that have been looked at came out the same in every run."""


def batch_ends(most: int = MOST, first: int = FIRST) -> tuple[int, ...]:
    """Return the numbers of runs after which a value is looked at: each twice the one before, ``most`` the last."""
    ends = [min(first, most)]
    while ends[-1] < most:
        ends.append(min(2 * ends[-1], most))
    return tuple(ends)


def allowed_range(allowed: Callable[[int], bool], low: int, high: int, tries: Sequence[int]) -> tuple[int, int] | None:
    """Return the lowest and the highest of the places that are allowed, which lie side by side; None where none is.

    ``tries`` are looked at first, and then places over the whole range, each about twice the one before.
    """
    spread = [low + (1 << power) for power in range((high - low).bit_length())]
    places = [place for place in (*tries, low, high, *spread) if low <= place <= high]
    inside = next((place for place in places if allowed(place)), None)
    if inside is None:
        return None
    return _edge(allowed, low, inside), _edge(allowed, high, inside)


def _edge(allowed: Callable[[int], bool], end: int, inside: int) -> int:
    """Return the place closest to an end that is allowed, as one is that lies further inside."""
    if allowed(end):
        return end
    while abs(end - inside) > 1:
        middle = (end + inside) // 2
        end, inside = (end, middle) if allowed(middle) else (middle, inside)
    return inside


@dataclass(frozen=True, slots=True)
class Found:
    """Where the target begins to be met."""

    answer: int | None
    """The lowest place that was shown to meet it; None where none is."""
    fails: int | None
    """The highest place below the answer that was shown to miss it; None where none is. Those between can be either."""
    settled: Mapping[int, Settled]
    """All that were looked at."""
    irregular: tuple[int, ...]
    """Places that miss the target above one that meets it, or meet it below one that misses it."""
    flat: bool
    """Whether the whole way up to the highest place looked at changes nothing at all."""

    @property
    def undecided(self) -> tuple[int, ...]:
        """The places below the answer of which it cannot be told whether they meet the target as well."""
        if self.answer is None:
            return ()
        tried = [place for place, settled in self.settled.items() if place < self.answer]
        if not any(self.settled[place].look.standing is Standing.OPEN for place in tried):
            return ()
        lowest = min(place for place in tried if self.settled[place].look.standing is Standing.OPEN)
        return tuple(range(lowest if self.fails is None else self.fails + 1, self.answer))


@dataclass
class Search:
    """The search on one ladder; what it knows can be asked for at any time."""

    probe: Probe
    ends: Sequence[int]
    low: int
    high: int
    alike: Alike = lambda one, other: False
    settled: dict[int, Settled] = field(default_factory=dict)

    def settle(self, place: int) -> Settled:
        """Look at a place after ever more runs until it is decided, or they are used up."""
        if place not in self.settled:
            for runs in self.ends:
                look = self.probe(place, runs)
                if look.standing is not Standing.OPEN:
                    break
            self.settled[place] = Settled(look, runs)
        return self.settled[place]

    def meets(self, place: int) -> bool:
        """Whether a place is shown to meet the target."""
        return self.settle(place).look.standing is Standing.MEETS

    def known(self, standing: Standing) -> list[int]:
        """Return the places that came out so, in order."""
        return sorted(place for place, settled in self.settled.items() if settled.look.standing is standing)

    @property
    def bracket(self) -> tuple[int | None, int | None]:
        """The highest place that is known to miss the target, and the lowest that is known to meet it."""
        missed, met = self.known(Standing.FAILS), self.known(Standing.MEETS)
        return max(missed, default=None), min(met, default=None)

    def find(self, start: int) -> Found:
        """Return where the target begins to be met, beginning at a place.

        As long as it is met on one side only, the answer does not depend on ``start``, only the number of runs does.
        """
        start = min(max(start, self.low), self.high)
        flat = False
        met: int | None = start
        if self.meets(start):
            missed = self._down(start, self.meets)
        else:
            missed, met, flat = self._up(start)
        if met is None:
            if not flat:
                self.settle(self.low)
            return self._found(None, flat)
        met = self._between(missed, met, self.meets)
        self._find_failing(met)
        self._check(met)
        return self._found(met, flat)

    def _down(self, place: int, holds: Callable[[int], bool]) -> int:
        """Return a place below at which something does not hold any more; one below the lowest if there is none."""
        step = self._stride(place)
        while place > self.low:
            place = max(self.low, place - step)
            if not holds(place):
                return place
            step *= 2
        return self.low - 1

    def _up(self, place: int) -> tuple[int, int | None, bool]:
        """Return a place that is not shown to meet the target, and the next one looked at above it, which does.

        None is for no such place; the flag says that the way up has come to change nothing.
        """
        start, step = place, self._stride(place)
        while place < self.high:
            above = min(self.high, place + step)
            if self.meets(above):
                return place, above, False
            if self.alike(place, above):
                return above, None, self.alike(start, above)
            place, step = above, 2 * step
        return place, None, self.high == self.low

    def _stride(self, place: int) -> int:
        return max(1, abs(place) // _STRIDE) if self.settled[place].runs == self.ends[0] else 1

    def _between(self, without: int, holding: int, holds: Callable[[int], bool]) -> int:
        """Return the lowest place at which something holds, between one without it and one with it.

        The next place is where the line through the gaps at both ends comes to nothing, or, where that has not halved
        the bracket, its middle.
        """
        halved = True
        while holding - without > 1:
            width = holding - without
            place = self._crossing(without, holding) if halved else (without + holding) // 2
            if holds(place):
                holding = place
            else:
                without = place
            halved = 2 * (holding - without) <= width
        return holding

    def _crossing(self, low: int, high: int) -> int:
        gaps = [self.settled[place].look.gap for place in (low, high) if place in self.settled]
        if len(gaps) < 2 or not all(map(isfinite, gaps)) or not gaps[0] > 0 >= gaps[1]:
            return (low + high) // 2
        share = gaps[0] / (gaps[0] - gaps[1])
        return min(max(low + ceil(share * (high - low)), low + 1), high - 1)

    def _find_failing(self, met: int) -> None:
        """See to it that the highest place that misses the target is known, where those in between cannot be told."""
        if met == self.low or self.settle(met - 1).look.standing is not Standing.OPEN:
            return

        def undecided(place: int) -> bool:
            return self.settle(place).look.standing is not Standing.FAILS

        below = [place for place in self.known(Standing.FAILS) if place < met]
        missed = below[-1] if below else self._down(met - 1, undecided)
        lowest = min(place for place in self.settled if missed < place < met)
        self._between(missed, lowest, undecided)

    def _check(self, met: int) -> None:
        """Look once some way above the answer and below it; what is not decided then is no sign of anything."""
        for factor in _CHECKED:
            far = max(round(abs(met) * (factor - 1)), 1)
            for place in (met + far, met - far):
                if self.low <= place <= self.high and place not in self.settled:
                    look = self.probe(place, self.ends[0])
                    if look.standing is not Standing.OPEN:
                        self.settled[place] = Settled(look, self.ends[0])

    def _found(self, met: int | None, flat: bool) -> Found:
        missed = [place for place in self.known(Standing.FAILS) if met is None or place < met]
        fails = missed[-1] if missed else None
        odd = [place for place in self.known(Standing.FAILS) if met is not None and place > met]
        odd += [place for place in self.known(Standing.MEETS) if fails is not None and place < fails]
        return Found(met, fails, dict(self.settled), tuple(sorted(odd)), flat)
