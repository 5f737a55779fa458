"""The verdict: every expectation held against its runs, and whether the runs are evidence at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from reports.checked import Checked
from reports.combine import Combined, Quantile, combine, combined
from reports.exit_codes import ExitCode
from reports.precision import Precision
from reports.queries import limits, resolve
from reports.rare import Rare
from reports.statistics import MOST_RUNS, Interval, runs_for_quantile, share_interval
from reports.summary import RunSummary, Value
from reports.wording import NOTHING, interval_text, number_of, value_text
from scenarios.expectations import Expectation, Query
from scenarios.metrics import Combine, Unit
from scenarios.model import Drill, Verdict
from scenarios.units import format_duration, format_share


@dataclass(frozen=True, slots=True)
class Held:
    """In how many runs an expectation held."""

    runs: int
    of: int
    interval: Interval | None
    """Wilson's interval for the share of all runs; None for a single run."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one expectation."""

    expectation: Expectation
    verdict: Verdict
    reason: str
    """One clause: why."""
    value: Value
    """In the unit of the expectation's bound."""
    interval: Interval | None
    """Of a metric that is judged by the interval of its mean."""
    held: Held | None
    """Of a metric that is judged run by run."""
    quantiles: tuple[Quantile, ...]
    """The same, where there are several runs."""

    @property
    def shown(self) -> str:
        """The value, in words."""
        return self._words(self.value)

    @property
    def query_text(self) -> str:
        """What was measured, and what it is a part of."""
        return f"{self.expectation.query}{' of the limit' if self.expectation.of_limit else ''}"

    @property
    def quantile_texts(self) -> tuple[str, ...]:
        """What p5, the median and p95 of the runs are, each with its interval, or the fewest runs that have one."""
        return tuple(map(self._quantile_text, self.quantiles))

    def _quantile_text(self, found: Quantile) -> str:
        value = self._words(found.value)
        if found.interval is None:
            return f"{value} (no interval: {number_of(runs_for_quantile(found.share), 'run')} at least)"
        low, high = map(self._words, found.interval)
        return value if low == value == high else f"{value} ({low} to {high})"

    @property
    def bound(self) -> str:
        """The bound with its operator, and the share of runs in which it must hold if it is judged run by run."""
        share = f" in {format_share(self.expectation.runs_share)} of runs" if self.held and self.held.interval else ""
        return f"{self.expectation.op} {self._words(self.expectation.bound)}{share}"

    @property
    def confidence(self) -> str:
        """The interval that it was judged by, in words."""
        if self.held is not None and self.held.interval is not None:
            shares = interval_text(self.held.interval, Unit.SHARE)
            return f"{self.held.runs} of {number_of(self.held.of, 'run')}: {shares}"
        if self.interval is None:
            return "no interval"
        return interval_text(self.interval, self.expectation.query.definition.unit)

    def _words(self, value: Value) -> str:
        return value_text(value, self.expectation.query.definition.unit, of_limit=self.expectation.of_limit)


@dataclass(frozen=True)
class Judged:
    """A whole run: what was asked, what came out, and what that means."""

    drill: Drill
    engine: str
    seed: int
    summaries: tuple[RunSummary, ...]
    """One for each replication, in order."""
    interrupted: bool
    """The run was stopped before its last replication."""
    judgements: tuple[Judgement, ...]
    """In the order of ``drill.expect``."""
    plan: Checked
    """What the plan checks say."""
    spoilt: tuple[str, ...] = ()
    """Why the run is no evidence whatever was measured, one clause each."""
    precision: Precision | None = None
    """What has become of the precision asked for, if any was."""

    @cached_property
    def missing_evidence(self) -> dict[str, int]:
        """Faults that took no effect, and in how many runs."""
        missing = {
            fault.name: sum(fault.name not in summary.effects for summary in self.summaries)
            for fault in self.drill.faults
        }
        return {fault: runs for fault, runs in missing.items() if runs}

    @property
    def no_evidence(self) -> tuple[str, ...]:
        """Why the run is no evidence, one clause each; empty if it is."""
        runs = len(self.summaries)
        most = "at most " if self.precision is not None else ""
        stopped = f"stopped after {runs} of {most}{number_of(self.drill.run.replications, 'run')}"
        saturated = [each.lateness.worst for each in self.summaries if each.lateness and each.lateness.saturated]
        late = (
            f"the generator was saturated in {_of(len(saturated), runs)}: up to {max(saturated, default=0):.3g} s late"
        )
        early = min((each.stopped for each in self.summaries if each.stopped is not None), default=None)
        cut_short = "stopped in its warm-up"
        if early is not None and early >= 0:
            cut_short = (
                f"stopped {format_duration(round(early, 1))} into a run of {format_duration(self.drill.run.lasts)}"
            )
        return (
            *self.spoilt,
            *([stopped] if self.interrupted and early is None else ()),
            *([] if early is None else [cut_short]),
            *([late] if saturated else ()),
            *(
                f"the fault {fault} took no effect in {_of(missing, runs)}: nothing met what it had broken"
                for fault, missing in self.missing_evidence.items()
            ),
        )

    @property
    def verdict(self) -> Verdict:
        """What the run says about the plan."""
        if self.no_evidence or not self.summaries:
            return Verdict.INCONCLUSIVE
        found = {judgement.verdict for judgement in self.judgements}
        return next(verdict for verdict in _WORST_FIRST if verdict in found)

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the drill is meant to have; an interrupted run never is."""
        return self.verdict is self.drill.expected_verdict and not self.interrupted

    @property
    def exit_code(self) -> ExitCode:
        """What the command line returns."""
        if self.as_expected:
            return ExitCode.PASSED
        return ExitCode.INCONCLUSIVE if self.verdict is Verdict.INCONCLUSIVE else ExitCode.FAILED

    @cached_property
    def metrics(self) -> dict[Query, Combined]:
        """Every query that the runs were asked, combined."""
        queries = self.summaries[0].values if self.summaries else ()
        return {query: combined(query, self.summaries) for query in queries}


_WORST_FIRST = (Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED)


def judge(
    drill: Drill,
    summaries: Iterable[RunSummary],
    *,
    engine: str,
    seed: int,
    interrupted: bool = False,
    plan: Checked | None = None,
    spoilt: tuple[str, ...] = (),
    precision: Precision | None = None,
) -> Judged:
    """Judge a run; ``summaries`` are in order of replication and answer :func:`~reports.queries.default_queries`.

    ``plan`` and ``precision`` are handed on to the reports: whether an interval is as narrow as somebody wants it is
    another question than whether it lies on the right side of a bound.
    """
    kept = tuple(summaries)
    caps = limits(drill)
    judgements = tuple(_judge_one(expectation, kept, caps) for expectation in drill.expect)
    return Judged(drill, engine, seed, kept, interrupted, judgements, plan or Checked(drill.name), spoilt, precision)


def _judge_one(expectation: Expectation, summaries: Sequence[RunSummary], caps: dict[str, int]) -> Judgement:
    metric, query = expectation.query.definition, resolve(expectation.query)
    found = combined(query, summaries)
    values = [summary.values[query] for summary in summaries]
    if expectation.of_limit:
        cap = caps.get(dict(query.selectors)["limit"])
        values = [None if cap is None or value is None else value / cap for value in values]
        found = combine(metric, values)
    measured = [value for value in values if value is not None]
    if found.nothing or not values:
        reason = f"{NOTHING} in {_of(found.nothing, found.runs)}" if values else "no run was finished"
        verdict, held = Verdict.INCONCLUSIVE, None
    elif metric.combine is Combine.RUNS:
        verdict, reason, held = _by_runs(expectation, measured)
    else:
        verdict, reason, held = *_by_interval(expectation, found, measured[0]), None
    return Judgement(expectation, verdict, reason, found.value, found.interval, held, found.quantiles)


def _by_interval(expectation: Expectation, found: Combined, first: float) -> tuple[Verdict, str]:
    """The whole interval of the mean must lie on the right side of the bound; a single run counts as it is."""
    low, high = found.interval or (first, first)
    sides = expectation.holds(low), expectation.holds(high)
    if all(sides):
        verdict = Verdict.PASSED
    elif any(sides) or low < expectation.bound < high:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.FAILED
    if found.interval is None:
        return verdict, _SINGLE
    shown = interval_text(found.interval, expectation.query.definition.unit)
    reason = f"the 95% interval, {shown}, {_WHERE[verdict]} the bound"
    if found.rare is not None and found.rare.edge in (low, high):
        reason += f": {_too_rare(found.rare, expectation)}"
    return verdict, reason


def _too_rare(rare: Rare, expectation: Expectation) -> str:
    """Say how near to an end so many runs can see, and how many could see as near as the bound."""
    unit = expectation.query.definition.unit
    end, edge = value_text(rare.end, unit), value_text(rare.edge, unit)
    seen = f"only {rare.away}" if rare.away else "none"
    nearer = "below" if rare.end == 0 else "above"
    clause = f"{seen} of {number_of(rare.runs, 'run')} is away from {end}, so nothing {nearer} {edge} can be resolved"
    if rare.away > 1:
        clause = clause.replace(" is away", " are away")
    needed = rare.needed(expectation.bound)
    if needed is None or needed <= rare.runs or needed > MOST_RUNS:
        return clause
    return f"{clause}; with {number_of(needed, 'such run')} it could"


def _by_runs(expectation: Expectation, values: Sequence[float]) -> tuple[Verdict, str, Held]:
    """It must hold in a share of all runs, of which those made are a sample."""
    good, runs = sum(map(expectation.holds, values)), len(values)
    if runs == 1:
        return Verdict.PASSED if good else Verdict.FAILED, _SINGLE, Held(good, runs, None)
    low, high = interval = share_interval(good, runs)
    asked = expectation.runs_share
    verdict = Verdict.PASSED if low >= asked else Verdict.FAILED if high < asked else Verdict.INCONCLUSIVE
    shares = f"{interval_text(interval, Unit.SHARE)} of all runs"
    reason = f"held in {_of(good, runs)}; the 95% interval, {shares}, {_WHERE[verdict]} {format_share(asked)}"
    return verdict, reason, Held(good, runs, interval)


_WHERE = {
    Verdict.PASSED: "is on the right side of",
    Verdict.FAILED: "is on the wrong side of",
    Verdict.INCONCLUSIVE: "straddles",
}
_SINGLE = "a single run, no interval"


def _of(part: int, runs: int) -> str:
    return "the single run" if part == runs == 1 else f"{part} of {number_of(runs, 'run')}"
