"""A sweep: one drill at many points, what came out at each, and what is shown of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from reports.combine import QUANTILES, Combined, combine
from reports.judge import Judged, Judgement, judge
from reports.queries import resolve
from reports.statistics import Interval
from reports.summary import RunSummary, Timeline
from reports.sweep_journal import Stored
from reports.wording import interval_text, number_of, value_text
from scenarios.expectations import Expectation, Query
from scenarios.metrics import Combine
from scenarios.model import Drill, Verdict
from scenarios.ranges import Amount, in_one_unit
from scenarios.text import Text


@dataclass(frozen=True, slots=True)
class Column:
    """One metric of the results, and what is expected of it."""

    query: Query
    expectations: tuple[Expectation, ...] = ()

    @property
    def bounds(self) -> tuple[str, ...]:
        """What is expected, in words: `< 1%`."""
        return tuple(
            f"{each.op} {value_text(each.bound, self.query.definition.unit, of_limit=each.of_limit)}"
            for each in self.expectations
        )

    @property
    def by_runs(self) -> bool:
        """Whether it is judged run by run, so that a median stands for its value."""
        return self.query.definition.combine is Combine.RUNS


def columns(queries: Iterable[Query], expectations: Iterable[Expectation]) -> tuple[Column, ...]:
    """Return a column for each query, those that something is expected of last."""
    expected: dict[Query, list[Expectation]] = {resolve(query): [] for query in queries}
    for expectation in expectations:
        expected.setdefault(resolve(expectation.query), []).append(expectation)
    return tuple(Column(query, tuple(each)) for query, each in expected.items())


_MEDIAN = QUANTILES.index(0.5)


@dataclass(frozen=True, slots=True)
class Cell:
    """What came out at a point for one column."""

    column: Column
    combined: Combined
    judgements: tuple[Judgement, ...]

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the mean, or of the median; None where there are too few runs for one."""
        return self.combined.quantiles[_MEDIAN].interval if self.combined.quantiles else self.combined.interval

    @property
    def verdict(self) -> Verdict | None:
        """The worst of its judgements; None where nothing is expected."""
        found = {judgement.verdict for judgement in self.judgements}
        order = (Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED)
        return next((verdict for verdict in order if verdict in found), None)

    @property
    def shown(self) -> str:
        """The value, in words."""
        return value_text(self.combined.value, self.column.query.definition.unit)

    @property
    def interval_shown(self) -> str:
        """The interval, in words; empty for a single run."""
        if self.interval is None:
            return ""
        return interval_text(self.interval, self.column.query.definition.unit)


@dataclass(frozen=True)
class Point:
    """One point that is finished."""

    key: str
    values: tuple[str, ...]
    """By axis, as they were written."""
    judged: Judged

    def cell(self, column: Column) -> Cell:
        """Return what came out for a column."""
        combined = self.judged.metrics.get(column.query) or combine(column.query.definition, ())
        judgements = tuple(each for each in self.judged.judgements if each.expectation in column.expectations)
        return Cell(column, combined, judgements)


@dataclass(frozen=True)
class Sweep:
    """All of it; points in the order of the design."""

    drill: Drill
    """Without the values that are varied."""
    engine: str
    seed: int
    replications: int
    """Of each point."""
    paths: tuple[str, ...]
    """What is varied."""
    hypercube: bool
    """Whether the points are a Latin hypercube; else they are all combinations."""
    columns: tuple[Column, ...]
    points: tuple[Point, ...]
    """Those that are finished."""
    asked: int
    """How many there are to be."""

    @property
    def interrupted(self) -> bool:
        """Whether points are missing."""
        return len(self.points) < self.asked

    @cached_property
    def amounts(self) -> tuple[tuple[Amount, ...] | None, ...]:
        """The values of each axis as numbers of one unit, point by point; None for an axis whose values are none."""
        return tuple(
            None if found is None else tuple(found)
            for found in (in_one_unit([point.values[axis] for point in self.points]) for axis in range(len(self.paths)))
        )

    @property
    def sentences(self) -> Iterator[str]:
        """What was done, in words."""
        by = " and ".join(", ".join(self.paths).rsplit(", ", 1))
        how = "a Latin hypercube" if self.hypercube and len(self.paths) > 1 else ""
        what = f"{number_of(self.asked, 'point')} of {by}{how and f', {how}'}"
        yield (
            f"{what}; {number_of(self.replications, 'run')} each on the {self.engine} engine, "
            f"with the same callers (seed {self.seed})."
        )
        if self.interrupted:
            yield f"Finished so far: {len(self.points)} of {number_of(self.asked, 'point')}."

    @property
    def doubts(self) -> Iterator[str]:
        """Why points are no evidence, a clause each."""
        reasons: dict[Text, list[str]] = {}
        for point in self.points:
            for clause in point.judged.no_evidence:
                reasons.setdefault(clause, []).append(self.name(point))
        for clause, names in reasons.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield f"No evidence at {names[0]}{more}: {clause}."

    def name(self, point: Point) -> str:
        """Return the values of a point as the command line has them."""
        return ", ".join(f"{path}={value}" for path, value in zip(self.paths, point.values, strict=True))


def finished(
    key: str, values: Sequence[str], drill: Drill, stored: Stored, queries: Sequence[Query], engine: str, seed: int
) -> Point:
    """Return a point of what was stored of its runs, which must have values of all ``queries``."""
    places = {query: index for index, query in enumerate(stored.queries)}
    summaries = [
        RunSummary(
            values={query: run.values[places[str(query)]] for query in queries},
            parts_of={query: of for query in queries if (of := run.parts_of[places[str(query)]]) is not None},
            timeline=Timeline(0.0, {}, {}, {}),
            steps={},
            effects=run.effects,
            stopped=None,
            lateness=None,
            losses={},
            peaks={},
            responsible={},
            callers=0,
            callers_lost=0,
            records=0,
        )
        for _, run in sorted(stored.runs.items())
    ]
    return Point(key, tuple(values), judge(drill, summaries, engine=engine, seed=seed))
