"""Two runs side by side: what differs, by how much, how sure that is, and whether the second is worse.

Intervals of a comparison hold together: with so many metrics, one in forty would lie on the bad side by chance alone,
and a comparison that ends with an exit code would be wrong every few nights. So each has the confidence that makes it
95 % for all of them (Bonferroni).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import isinf

from reports.compare_changes import ORDER, Change, Outcome, Values, change_of, decides, measured_at_all, separate
from reports.compare_runs import Became, Measured, Notice, Run
from reports.compare_tolerances import Tolerances
from reports.exit_codes import ExitCode
from reports.statistics import CONFIDENCE
from reports.sweep_changes import differences
from scenarios.expectations import Query
from scenarios.model import Verdict


class Kind(StrEnum):
    """How the runs of both sides belong together."""

    PAIRED = "paired"
    """The same seed: each replication has its twin with the same callers."""
    INDEPENDENT = "independent"
    """Other seeds, other callers."""
    SEPARATE = "separate"
    """Of one side only values over all runs are known, and their own intervals."""
    NIGHTS = "nights"
    """Each night of a live drill counts as one run."""


@dataclass(frozen=True, slots=True)
class ExpectationChange:
    """One expectation of both drills; None where one of them does not have it."""

    text: str
    first: Became | None
    second: Became | None

    @property
    def lost(self) -> bool:
        """Whether it held, and holds no more."""
        return self._went_to(Verdict.FAILED)

    @property
    def doubtful(self) -> bool:
        """Whether it held, and nobody can tell any more."""
        return self._went_to(Verdict.INCONCLUSIVE)

    @property
    def changed(self) -> bool:
        """Whether both have it, with other verdicts."""
        return self.first is not None and self.second is not None and self.first.verdict is not self.second.verdict

    def _went_to(self, verdict: Verdict) -> bool:
        before = self.first is not None and self.first.verdict is Verdict.PASSED
        return before and self.second is not None and self.second.verdict is verdict


@dataclass(frozen=True, slots=True)
class Nights:
    """How many nights a live comparison has, and how many it takes."""

    baseline: int
    baseline_needed: int
    recent: int
    recent_needed: int
    error: float
    """The chance, of all metrics together, that a night calls what has not changed worse."""

    @property
    def enough(self) -> bool:
        """Whether anything can be told."""
        return self.baseline >= self.baseline_needed and self.recent >= self.recent_needed


@dataclass(frozen=True)
class Comparison:
    """Two runs, and all that is between them."""

    first: Run
    second: Run
    names: tuple[str, str]
    """What both are called: A and B."""
    kind: Kind
    confidence: float
    """Of each interval; what makes it 95 % for all of them where all values are known."""
    runs: tuple[int, int]
    """That are compared; of pairs, as many."""
    changes: tuple[Change, ...]
    nights: Nights | None = None
    together: int = 1
    """Intervals that the confidence is shared out among."""

    @cached_property
    def ordered(self) -> tuple[Change, ...]:
        """All metrics, what changed first, the worst of it first."""
        return tuple(sorted(self.changes, key=_rank))

    def those(self, outcome: Outcome) -> tuple[Change, ...]:
        """Return the metrics with one outcome, in order."""
        return tuple(change for change in self.ordered if change.outcome is outcome)

    @cached_property
    def expectations(self) -> tuple[ExpectationChange, ...]:
        """Those of either drill, the second's first."""
        first, second = self.first.expectations, self.second.expectations
        texts = dict.fromkeys((*second, *first))
        return tuple(ExpectationChange(text, first.get(text), second.get(text)) for text in texts)

    @property
    def lost(self) -> tuple[ExpectationChange, ...]:
        """Expectations that held and hold no more. One night of a live drill says nothing of it."""
        if self.kind is Kind.NIGHTS:
            return ()
        return tuple(each for each in self.expectations if each.lost)

    @property
    def worse(self) -> bool:
        """Whether the second run is worse than is allowed."""
        decided = any(change.decides and change.outcome is Outcome.WORSE for change in self.changes)
        return bool(self.lost) or decided

    @property
    def no_evidence(self) -> tuple[str, ...]:
        """Why nothing can be said, a clause each; empty where it can."""
        return tuple(
            f"{name}: {clause}"
            for name, run in zip(self.names, (self.first, self.second), strict=True)
            for clause in run.no_evidence
        )

    @property
    def open(self) -> tuple[str, ...]:
        """What cannot be told, a clause each."""
        if self.kind is Kind.NIGHTS:
            return self.no_evidence
        few = [change.text for change in self.changes if change.decides and change.outcome is Outcome.UNCLEAR]
        doubtful = [each.text for each in self.expectations if each.doubtful]
        return (
            *self.no_evidence,
            *(f"{text} held, and it cannot be told any more whether it does" for text in doubtful),
            *([f"too few runs to tell of {_some(few)}"] if few else []),
            *([] if self.changes else [self._nothing]),
        )

    @property
    def _nothing(self) -> str:
        """Why no metric is compared."""
        return "the runs have no metric in common" if all(self.runs) else "there are no replications to compare"

    @property
    def exit_code(self) -> ExitCode:
        """What the command line returns. That something is worse shows even in runs that are no evidence."""
        if self.worse:
            return ExitCode.FAILED
        return ExitCode.INCONCLUSIVE if self.open else ExitCode.PASSED

    @property
    def new_metrics(self) -> tuple[str, ...]:
        """Those that only the second run has."""
        return tuple(text for text in self.second.metrics if text not in self.first.metrics)

    @property
    def gone_metrics(self) -> tuple[str, ...]:
        """Those that only the first run has."""
        return tuple(text for text in self.first.metrics if text not in self.second.metrics)

    @property
    def new_steps(self) -> tuple[str, ...]:
        """Those that only the second runbook has."""
        return tuple(step for step in self.second.steps if step not in self.first.steps)

    @property
    def gone_steps(self) -> tuple[str, ...]:
        """Those that only the first runbook has."""
        return tuple(step for step in self.first.steps if step not in self.second.steps)

    @property
    def new_findings(self) -> tuple[Notice, ...]:
        """What the plan checks say of the second plan alone."""
        return _beyond(self.second.findings, self.first.findings)

    @property
    def gone_findings(self) -> tuple[Notice, ...]:
        """What the plan checks said of the first plan alone."""
        return _beyond(self.first.findings, self.second.findings)

    @cached_property
    def plan(self) -> tuple[str, ...] | None:
        """What runs depend on that differs, a clause each; None where nobody knows the plan of one side."""
        if not self.first.drill or not self.second.drill:
            return None
        return tuple(differences((), self.first.drill, self.second.drill))


def _rank(change: Change) -> tuple[int, bool, float]:
    best_first = change.outcome is Outcome.BETTER
    return ORDER.index(change.outcome), not change.expected, change.badness if best_first else -change.badness


def _beyond(found: Sequence[Notice], others: Sequence[Notice]) -> tuple[Notice, ...]:
    known = {(each.id, each.path) for each in others}
    return tuple(each for each in found if (each.id, each.path) not in known)


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(texts[:3]) + more


def compare(first: Run, second: Run, tolerances: Tolerances, names: tuple[str, str] = ("A", "B")) -> Comparison:
    """Compare two runs: replication by replication where the seed is the same, else as independent samples."""
    common = [text for text in first.metrics if text in second.metrics]
    expected, paired = _is_expected(first, second), first.seed == second.seed
    if first.numbers is None or second.numbers is None:
        runs, kind = (first.done, second.done), Kind.SEPARATE
        changes = tuple(
            separate(
                first.metrics[text], second.metrics[text], tolerances, expected=expected(first.metrics[text].query)
            )
            for text in common
        )
        return Comparison(first, second, names, kind, CONFIDENCE, runs, changes)
    kept = _kept(first.numbers, second.numbers, paired=paired)
    kind = Kind.PAIRED if paired else Kind.INDEPENDENT
    sides = [
        tuple([_chosen(run.metrics[text], places) for run, places in zip((first, second), kept, strict=True)])
        for text in common
    ]
    queries = [first.metrics[text].query for text in common]
    measured = [
        (query, x, y) for query, (x, y) in zip(queries, sides, strict=True) if measured_at_all(x) or measured_at_all(y)
    ]
    parts = sum(
        1 + any(value is not None and isinf(value) for value in (*x, *y))
        for query, x, y in measured
        if decides(query, tolerances)
    )
    together = max(parts, 1)
    confidence = 1 - (1 - CONFIDENCE) / together
    changes = tuple(
        change_of(query, x, y, confidence, tolerances, paired=paired, expected=expected(query))
        for query, x, y in measured
    )
    compared = (len(kept[0]), len(kept[1]))
    return Comparison(first, second, names, kind, confidence, compared, changes, together=together)


def _kept(first: Sequence[int], second: Sequence[int], *, paired: bool) -> tuple[list[int], list[int]]:
    """Return the places of the replications that are compared, of each side."""
    if not paired:
        return list(range(len(first))), list(range(len(second)))
    there, here = ({number: place for place, number in enumerate(numbers)} for numbers in (first, second))
    common = sorted(there.keys() & here.keys())
    return [there[number] for number in common], [here[number] for number in common]


def _chosen(measured: Measured, places: Sequence[int]) -> Values:
    assert measured.values is not None  # noqa: S101 - the run has values of its replications
    return [measured.values[place] for place in places]


def _is_expected(first: Run, second: Run) -> Callable[[Query], bool]:
    return lambda query: query in first.expected or query in second.expected
