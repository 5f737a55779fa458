"""How long recovery took over the replications, for those who compare it with a target."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from reports.judge import Judged
from reports.queries import resolve
from reports.statistics import quantile
from reports.wording import duration_text, part_of_runs, runs_text
from scenarios.expectations import Query
from scenarios.text import Text

Json = dict[str, Any]

MOST_RECOVERIES = 12
"""Recovery times that get a chart."""
MOST_POINTS = 240
"""Points of a line, however many replications there are; its ends are always among them."""


@dataclass(frozen=True, slots=True)
class Bound:
    """An expectation of a recovery time."""

    text: Text
    seconds: float
    held_in: int
    """Runs."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery time over all replications, in seconds."""

    query: Query
    values: tuple[float, ...]
    """Of the runs that recovered, the shortest first."""
    never: int
    """Runs that did not."""
    nothing: int
    """Runs in which there was nothing to measure, which are left out of the others."""
    bounds: tuple[Bound, ...]

    @property
    def name(self) -> str:
        """Whose recovery it is: that of a number, a site."""
        return ", ".join(value for _, value in self.query.selectors) or Text("all who call")

    @property
    def runs(self) -> int:
        """Runs in which it was measured."""
        return len(self.values) + self.never

    @property
    def drawn(self) -> bool:
        """Whether there is a distribution to be drawn: more than one value."""
        return len(set(self.values)) > 1

    @property
    def half(self) -> float:
        """The time that half of the runs stay within, the median as it is judged; infinite for never."""
        return median(self._all)

    @property
    def most(self) -> float:
        """The time that nine of ten runs stay within; infinite for never."""
        return quantile(self._all, 0.9)

    @property
    def _all(self) -> list[float]:
        return [*self.values, *[math.inf] * self.never]

    @property
    def told(self) -> Text:
        """What to say where nothing can be drawn."""
        if not self.runs:
            return Text("There was nothing to measure.")
        if not self.values:
            if self.runs == 1:
                return Text("The single run did not recover.")
            return Text("None of {runs} recovered.", runs=runs_text(self.runs))
        took = duration_text(self.values[0])
        if self.runs == 1:
            return Text("One run is no distribution: it took {time}.", time=took)
        if not self.never:
            return Text("It took {time} in each of {runs}.", time=took, runs=runs_text(self.runs))
        recovered = part_of_runs(len(self.values), self.runs)
        return Text("It took {time} in {recovered}, and the others did not recover.", time=took, recovered=recovered)


def recoveries(judged: Judged) -> list[Recovery]:
    """Return the recovery times that something is expected of, and those of numbers."""
    bounds: dict[Query, list[Bound]] = {}
    for judgement in judged.judgements:
        expectation = judgement.expectation
        query = resolve(expectation.query)
        if query.metric == "recovery_time":
            values = [value for run in judged.summaries if (value := run.values[query]) is not None]
            held = sum(map(expectation.holds, values))
            bounds.setdefault(query, []).append(Bound(judgement.bound, expectation.bound, held))
    asked = (*bounds, *(query for query in judged.summaries[0].values if _of_number(query)))
    return [_recovery(judged, query, bounds.get(query, ())) for query in dict.fromkeys(asked)]


def _of_number(query: Query) -> bool:
    return query.metric == "recovery_time" and [name for name, _ in query.selectors] == ["number"]


def _recovery(judged: Judged, query: Query, bounds: Sequence[Bound]) -> Recovery:
    values = [value for run in judged.summaries if (value := run.values[query]) is not None]
    finite = sorted(value for value in values if not math.isinf(value))
    return Recovery(query, tuple(finite), len(values) - len(finite), len(judged.summaries) - len(values), tuple(bounds))


def recovery_charts(found: Sequence[Recovery]) -> Iterator[Json]:
    """Yield the data of a chart for each recovery time that is drawn: the share of runs back by each minute."""
    for recovery in drawn(found):
        count = len(recovery.values)
        picked = np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(np.int64)).tolist()
        yield {
            "name": recovery.name,
            "minutes": [round(recovery.values[index] / 60, 3) for index in picked],
            "shares": [round((index + 1) / recovery.runs, 5) for index in picked],
            "runs": recovery.runs,
            "never": recovery.never,
            "bounds": [{"text": bound.text, "at": round(bound.seconds / 60, 3)} for bound in recovery.bounds],
            "p50": _minutes(recovery.half),
            "p90": _minutes(recovery.most),
        }


def drawn(found: Sequence[Recovery]) -> list[Recovery]:
    """Return the recovery times that are drawn."""
    return [recovery for recovery in found if recovery.drawn][:MOST_RECOVERIES]


def _minutes(seconds: float) -> float | None:
    return None if math.isinf(seconds) else round(seconds / 60, 3)


def recovery_alternative(recovery: Recovery) -> Text:
    """Say by when half and most runs had recovered."""
    return Text(
        "{name}: half of {runs} within {half}, nine of ten within {most}; {never} never. The table below has the "
        "numbers.",
        name=recovery.name,
        runs=runs_text(recovery.runs),
        half=duration_text(recovery.half),
        most=duration_text(recovery.most),
        never=runs_text(recovery.never),
    )
