"""Runs of many versions of one drill, with the same callers in each: made as they are needed, and kept."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kirikae.runner import Task
from reports.queries import limits, resolve
from reports.sizing import Binding
from reports.standing import Sight, confidence_of_a_look, sight
from reports.summary import Value
from scenarios.closed_form import tightest
from scenarios.expectations import Expectation
from scenarios.metrics import Combine
from scenarios.model import Drill, Verdict
from sim.controls import LossSystem, controls
from sim.crew import Crew
from sim.sizing import Look, Standing

_STANDING = {Verdict.PASSED: Standing.MEETS, Verdict.FAILED: Standing.FAILS, Verdict.INCONCLUSIVE: Standing.OPEN}


class StoppedError(Exception):
    """Somebody has stopped the work."""


class Ran(NamedTuple):
    """What is kept of one run."""

    values: tuple[Value, ...]
    """One for each target."""
    controls: tuple[tuple[float, ...], ...]
    """What is known of its callers, in the window of each target."""
    losses: Counter[tuple[str, str]]
    """Attempts without success, and calls cut off, by outcome and reason."""
    peaks: dict[str, int]
    without_effect: tuple[str, ...]
    """Faults that nothing met."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a worker needs to run one version of a drill; picklable."""

    task: Task
    targets: tuple[Expectation, ...]
    systems: tuple[LossSystem, ...]
    """The limits that refuse most, whose formulas are known."""

    def run(self, replication: int) -> Ran:
        """Play one replication and keep what the search needs."""
        drill, seed = self.task.drill, self.task.seed
        summary = self.task.run(replication)
        windows = {
            (target.query.after or 0.0, target.query.before)
            for target in self.targets
            if target.query.definition.combine is Combine.INTERVAL
        }
        known = {window: controls(drill, seed, replication, self.systems, *window) for window in windows}
        losses: Counter[tuple[str, str]] = Counter()
        for loss, count in summary.losses.items():
            losses[loss.outcome.value, loss.reason] += count
        return Ran(
            tuple(summary.values[resolve(target.query)] for target in self.targets),
            tuple(known.get((target.query.after or 0.0, target.query.before), ()) for target in self.targets),
            losses,
            dict(summary.peaks),
            tuple(fault.name for fault in drill.faults if fault.name not in summary.effects),
        )


@dataclass
class Series:
    """The runs of one version of a drill."""

    drill: Drill
    runs: list[Ran] = field(default_factory=list)


@dataclass
class Meter:
    """Makes runs, and says how targets stand after so many."""

    crew: Crew
    seed: int
    engine: str
    targets: tuple[Expectation, ...]
    confidence: float
    """Of a decision about one version."""
    looks: int
    """How often the runs of one version are looked at, at most."""
    tell: Callable[[int], None] = lambda runs: None
    """Hears how many runs have been made."""
    made: int = 0
    wanted: int = 0
    """How many there will be when the next look can be taken."""

    def sights(self, series: Series, runs: int) -> tuple[Sight, ...]:
        """Return how the targets stand after the first so many runs; raises :class:`StoppedError`."""
        self._make(series, runs)
        first, caps = series.runs[:runs], limits(series.drill)
        confidence = confidence_of_a_look(self.confidence, self.looks)
        return tuple(
            sight(
                target,
                [ran.values[index] for ran in first],
                [ran.controls[index] for ran in first],
                confidence,
                caps.get(dict(resolve(target.query).selectors).get("limit", "")),
            )
            for index, target in enumerate(self.targets)
        )

    def look(self, series: Series, runs: int) -> Look:
        """Return how all targets together stand after so many runs."""
        found = self.sights(series, runs)
        return Look(_STANDING[verdict_of(found)], max((each.gap for each in found), default=0.0))

    def _make(self, series: Series, runs: int) -> None:
        have = len(series.runs)
        if have >= runs:
            return
        queries = tuple(dict.fromkeys(resolve(target.query) for target in self.targets))
        systems = tuple(LossSystem(*system) for system in tightest(series.drill))
        probe = Probe(Task(series.drill, self.seed, queries, self.engine), self.targets, systems)
        self.wanted = self.made + runs - have
        done = self.crew.compute(probe.run, range(have, runs), lambda count: self.tell(self.made + count))
        for index in range(have, runs):
            if index not in done.results:
                break
            series.runs.append(done.results[index])
            self.made += 1
        if done.interrupted:
            raise StoppedError


def verdict_of(sights: Sequence[Sight]) -> Verdict:
    """Return how all targets together stand."""
    found = {each.verdict for each in sights}
    return next(
        (verdict for verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE) if verdict in found),
        Verdict.PASSED,
    )


def alike(one: Series, other: Series) -> bool:
    """Whether the targets have come out the same in every run that both have made."""
    return all(mine.values == theirs.values for mine, theirs in zip(one.runs, other.runs, strict=False))


def binding(series: Series) -> tuple[Binding, ...]:
    """Return why calls were lost, what took the most first."""
    losses: Counter[tuple[str, str]] = Counter()
    peaks: Counter[str] = Counter()
    for ran in series.runs:
        losses += ran.losses
        for name, peak in ran.peaks.items():
            peaks[name] = max(peaks[name], peak)
    caps, total = limits(series.drill), sum(losses.values())
    return tuple(
        Binding(outcome, reason, count / total, caps.get(reason), peaks.get(reason))
        for (outcome, reason), count in losses.most_common()
    )


def without_effect(series: Series) -> tuple[str, ...]:
    """Return the faults that took no effect in any run."""
    if not series.runs:
        return ()
    missing = set(series.runs[0].without_effect)
    for ran in series.runs[1:]:
        missing &= set(ran.without_effect)
    return tuple(sorted(missing))
