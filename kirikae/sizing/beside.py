"""What stands beside an answer: the closed form's and why it differs, other days, and cost against blocking."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kirikae.sizing.candidates import Candidates
from kirikae.sizing.measuring import Meter, Series, verdict_of
from reports.sizing import Cause, Day, Formula, Seen
from reports.standing import Sight
from scenarios.alterations import ordinary, scaled
from scenarios.closed_form import ClosedForm, closed_form
from scenarios.model import Verdict
from scenarios.quantity import Quantity
from sim.combining import Point
from sim.sizing import Found, Search, Settled

_RUNS = 4
"""Looks that what stands beside an answer is worth: its runs are doubled so often less one."""
_DAYS: tuple[tuple[str, float, float], ...] = (
    ("10% fewer calls", 0.9, 1.0),
    ("10% more calls", 1.1, 1.0),
    ("calls 20% longer", 1.0, 1.2),
)
"""Other days: how many times the calls, and how many times as long."""
_AROUND = (0.85, 0.9, 0.95, 1.05, 1.1)
"""Times the answer's numbers of which cost and blocking are told beside those that the search has looked at."""
_SECONDS = {"/s": 1.0, "/m": 60.0, "/h": 3_600.0, "/d": 86_400.0}


@dataclass(frozen=True, slots=True)
class Extra:
    """What needs runs of its own."""

    causes: tuple[Cause, ...] = ()
    days: tuple[Day, ...] = ()
    frontier: tuple[Seen, ...] = ()
    """Combinations that nothing cheaper is as good as."""


NOTHING = Extra()


def in_unit(sought: Quantity, answer: float) -> float:
    """Return a formula's answer in the unit of a number: calls per second as those per minute, hour or day."""
    return answer * _SECONDS.get(sought.unit, 1.0)


@dataclass(frozen=True, slots=True)
class Beside:
    """Makes it."""

    meter: Meter
    candidates: Candidates
    ends: Sequence[int]
    sign: int
    forms: Sequence[ClosedForm | None]

    def of(self, point: Point, highest: Point | None, settled: Mapping[Point, Settled]) -> Extra:
        """Return what it comes to at an answer; ``highest`` is the most of several numbers, None for one.

        Raises :class:`~kirikae.sizing.measuring.StoppedError`.
        """
        drill = self.candidates.series(point).drill
        runs = min(max(len(self.candidates.series(point).runs), self.ends[0]), self.ends[: _RUNS + 1][-1])
        causes = tuple(Cause(words, self.meter.sights(Series(each), runs)) for words, each in ordinary(drill).items())
        frontier = () if highest is None else self._frontier(point, highest, settled)
        return Extra(causes, tuple(self._days(point)), frontier)

    def _sights(self, series: Series) -> tuple[Sight, ...]:
        """Return how the targets stand in a version, after as many runs as it takes or is worth."""
        found: tuple[Sight, ...] = ()
        for runs in self.ends[:_RUNS]:
            found = self.meter.sights(series, runs)
            if verdict_of(found) is not Verdict.INCONCLUSIVE:
                break
        return found

    def _days(self, point: Point) -> Iterator[Day]:
        rates = any(each.place[-1] == "arrivals" for each in self.candidates.quantities)
        for words, volume, talk in _DAYS:
            if rates and volume != 1.0:
                continue
            versions: dict[Point, Series] = {}

            def version(
                at: Point, volume: float = volume, talk: float = talk, known: dict[Point, Series] = versions
            ) -> Series:
                if at not in known:
                    known[at] = Series(scaled(self.candidates.series(at).drill, volume=volume, talk=talk))
                return known[at]

            sights = self._sights(version(point))
            needed = ""
            if len(point) == 1:
                sought = self.candidates.quantities[0]
                ends = sorted((self.sign * sought.low, self.sign * sought.high))
                search = Search(
                    lambda place, runs, version=version: self.meter.look(version((self.sign * place,)), runs),  # type: ignore[misc]  # bound early
                    self.ends[: _RUNS + 1],
                    ends[0],
                    ends[1],
                )
                needed = self._needed(search.find(self.sign * point[0] + self._shift(point, volume, talk)))
            yield Day(words, sights, verdict_of(sights), needed)

    def _shift(self, point: Point, volume: float, talk: float) -> int:
        """Return by how much a formula's answer moves on another day."""
        form, sought = self.forms[0], self.candidates.quantities[0]
        if form is None:
            return 0
        drill = scaled(self.candidates.series(point).drill, volume=volume, talk=talk)
        other = closed_form(drill, sought.place, self.meter.targets)
        if other is None:
            return 0
        return self.sign * (sought.rung(in_unit(sought, other.answer)) - sought.rung(in_unit(sought, form.answer)))

    def _needed(self, found: Found) -> str:
        sought = self.candidates.quantities[0]
        if found.answer is None:
            return "cannot be met"
        texts = [sought.text(self.sign * place) for place in (*found.undecided[:1], found.answer)]
        ruled_out = not self.candidates.allowed((self.sign * found.answer,))
        return " to ".join(texts) + (", ruled out" if ruled_out else "")

    def formulas(self, point: Point | None) -> tuple[Formula, ...]:
        """Return what formulas say of each number that one is about, and how an answer differs."""
        return tuple(self._formulas(point))

    def _formulas(self, point: Point | None) -> Iterator[Formula]:
        for index, (sought, form) in enumerate(zip(self.candidates.quantities, self.forms, strict=True)):
            if form is None:
                continue
            number = in_unit(sought, form.answer)
            text = f"{number:.4g}{sought.unit}"
            difference = ""
            if point is not None:
                more = sought.number(point[index]) - number
                close = abs(more) < float(sought.step)
                difference = "the same" if close else f"the answer is {abs(more):.3g} {'more' if more > 0 else 'less'}"
            yield Formula(sought.path, form.formula, text, form.load, form.goal, difference)

    def _frontier(self, point: Point, highest: Point, settled: Mapping[Point, Settled]) -> tuple[Seen, ...]:
        """Return the combinations that nothing cheaper is as good as, of those looked at and some around the answer."""
        lows = [each.low for each in self.candidates.quantities]
        near = {
            tuple(
                min(max(round(number * factor), low), high)
                for number, low, high in zip(point, lows, highest, strict=True)
            )
            for factor in _AROUND
        }
        seen = []
        for each in sorted(filter(self.candidates.allowed, {*settled, *near})):
            runs = settled[each].runs if each in settled else self.ends[min(1, len(self.ends) - 1)]
            sights = self.meter.sights(self.candidates.series(each), runs)
            cost = self.candidates.rank(each)
            seen.append(Seen(self.candidates.texts(each), cost, runs, verdict_of(sights), sights))
        return tuple(_undominated(seen))


def _undominated(seen: Sequence[Seen]) -> Iterator[Seen]:
    """Yield what is better by the first target than all that is cheaper, the cheapest first."""
    best = float("inf")
    for each in sorted(seen, key=lambda one: (one.cost or 0.0, one.sights[0].gap)):
        if each.sights[0].gap < best:
            best = each.sights[0].gap
            yield each
