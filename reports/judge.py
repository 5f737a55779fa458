"""The verdict: every expectation held against its runs, and whether the runs are evidence at all."""

from collections.abc import Iterable, Iterator, Sequence
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
from reports.wording import interval_text, part_of_runs, replications_text, runs_text, span_text, spoken, value_text
from scenarios.expectations import Expectation, Query
from scenarios.metrics import Combine, Unit
from scenarios.model import Drill, Verdict
from scenarios.text import Text
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
    reason: Text
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
    def query_text(self) -> Text:
        """What was measured, and what it is a part of."""
        query = str(self.expectation.query)
        return Text("{query} of the limit", query=query) if self.expectation.of_limit else Text("{query}", query=query)

    @property
    def quantile_texts(self) -> tuple[str, ...]:
        """What p5, the median and p95 of the runs are, each with its interval, or the fewest runs that have one."""
        return tuple(map(self._quantile_text, self.quantiles))

    def _quantile_text(self, found: Quantile) -> str:
        value = self._words(found.value)
        if found.interval is None:
            runs = runs_text(runs_for_quantile(found.share))
            return Text("{value} (no interval: {runs} at least)", value=value, runs=runs)
        low, high = map(self._words, found.interval)
        if low == value == high:
            return value
        return Text("{value} ({interval})", value=value, interval=span_text(low, high))

    @property
    def bound(self) -> Text:
        """The bound with its operator, and the share of runs in which it must hold if it is judged run by run."""
        bound = self._words(self.expectation.bound)
        if self.held is None or self.held.interval is None:
            return Text("{operator} {bound}", operator=self.expectation.op, bound=bound)
        share = format_share(self.expectation.runs_share)
        return Text("{operator} {bound} in {share} of runs", operator=self.expectation.op, bound=bound, share=share)

    @property
    def confidence(self) -> Text:
        """The interval that it was judged by, in words."""
        if self.held is not None and self.held.interval is not None:
            shares = interval_text(self.held.interval, Unit.SHARE)
            return Text("{held}: {interval}", held=part_of_runs(self.held.runs, self.held.of), interval=shares)
        if self.interval is None:
            return Text("no interval")
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
    """The run was stopped before its last replication, or is unfinished."""
    judgements: tuple[Judgement, ...]
    """In the order of ``drill.expect``."""
    plan: Checked
    """What the plan checks say."""
    spoilt: tuple[Text, ...] = ()
    """Why the run is no evidence whatever was measured, one clause each."""
    precision: Precision | None = None
    """What has become of the precision asked for, if any was."""
    unfinished: bool = False
    """Nobody has written the end of the run: it goes on, or was killed."""

    @property
    def finished(self) -> int:
        """How many replications have come to their end."""
        return sum(summary.until is None for summary in self.summaries)

    @property
    def until(self) -> float | None:
        """Up to when an only replication has been played that still goes on, seconds; None where there is none."""
        return next((summary.until for summary in self.summaries if summary.until is not None), None)

    @cached_property
    def missing_evidence(self) -> dict[str, int]:
        """Faults that took no effect, and in how many runs."""
        missing = {
            fault.name: sum(fault.name not in each.effects for each in self.summaries if each.until is None)
            for fault in self.drill.faults
        }
        return {fault: runs for fault, runs in missing.items() if runs}

    @property
    def no_evidence(self) -> tuple[Text, ...]:
        """Why the run is no evidence, one clause each; empty if it is."""
        early = min((each.stopped for each in self.summaries if each.stopped is not None), default=None)
        saturated = [each.lateness.worst for each in self.summaries if each.lateness and each.lateness.saturated]
        return (
            *self.spoilt,
            *self._cut(early),
            *([self._late(saturated)] if saturated else ()),
            *(
                Text(
                    "the fault {fault} took no effect in {runs}: nothing met what it had broken",
                    fault=fault,
                    runs=_of(missing, len(self.summaries)),
                )
                for fault, missing in self.missing_evidence.items()
            ),
        )

    def _cut(self, early: float | None) -> Iterator[Text]:
        """Say where a run ended before its end; ``early``: how far a live run had come that was stopped, seconds."""
        if self.unfinished:
            yield self.how_far()
        elif self.interrupted and early is None:
            yield self._stopped()
        if early is not None:
            yield self._cut_short(early)

    def _stopped(self) -> Text:
        done, asked = len(self.summaries), runs_text(self.drill.run.replications)
        if self.precision is not None:
            return Text("stopped after {done} of at most {runs}", done=done, runs=asked)
        return Text("stopped after {done} of {runs}", done=done, runs=asked)

    def _cut_short(self, early: float) -> Text:
        if early < 0:
            return Text("stopped in its warm-up")
        lasts = spoken(format_duration(self.drill.run.lasts))
        return Text(
            "stopped {moment} into a run of {lasts}", moment=spoken(format_duration(round(early, 1))), lasts=lasts
        )

    def how_far(self) -> Text:
        """Say how far a run has come that has not come to its end."""
        asked, until = self.drill.run.replications, self.until
        runs = replications_text(asked)
        if until is None:
            done = f"{self.finished:,}"
            if self.precision is not None:
                return Text("{done} of at most {runs}; the run was not finished", done=done, runs=runs)
            return Text("{done} of {runs}; the run was not finished", done=done, runs=runs)
        moment, lasts = spoken(format_duration(round(until, 1))), spoken(format_duration(self.drill.run.lasts))
        if asked == 1:
            return Text("{moment} of {lasts}; the run was not finished", moment=moment, lasts=lasts)
        return Text(
            "{moment} of {lasts} of the first of {runs}; the run was not finished",
            moment=moment,
            lasts=lasts,
            runs=runs,
        )

    def _late(self, saturated: Sequence[float]) -> Text:
        return Text(
            "the generator was saturated in {runs}: up to {seconds} s late",
            runs=_of(len(saturated), len(self.summaries)),
            seconds=f"{max(saturated):.3g}",
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
    spoilt: tuple[Text, ...] = (),
    precision: Precision | None = None,
    unfinished: bool = False,
) -> Judged:
    """Judge a run; ``summaries`` are in order of replication and answer :func:`~reports.queries.default_queries`.

    ``plan`` and ``precision`` are handed on to the reports: whether an interval is as narrow as somebody wants it is
    another question than whether it lies on the right side of a bound. A run that is ``unfinished`` may have one
    replication, an only one, that still goes on.
    """
    kept = tuple(summaries)
    caps = limits(drill)
    judgements = tuple(_judge_one(expectation, kept, caps) for expectation in drill.expect)
    return Judged(
        drill,
        engine,
        seed,
        kept,
        interrupted or unfinished,
        judgements,
        plan or Checked(drill.name),
        spoilt,
        precision,
        unfinished,
    )


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
        reason = Text("no run was finished")
        if values:
            reason = Text("nothing to measure in {runs}", runs=_of(found.nothing, found.runs))
        verdict, held = Verdict.INCONCLUSIVE, None
    elif metric.combine is Combine.RUNS:
        verdict, reason, held = _by_runs(expectation, measured)
    else:
        verdict, reason, held = *_by_interval(expectation, found, measured[0]), None
    if any(summary.until is not None for summary in summaries):
        verdict, reason = Verdict.INCONCLUSIVE, Text("the replication was not finished")
    return Judgement(expectation, verdict, reason, found.value, found.interval, held, found.quantiles)


def _by_interval(expectation: Expectation, found: Combined, first: float) -> tuple[Verdict, Text]:
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
    match verdict:
        case Verdict.PASSED:
            reason = Text("the 95% interval, {interval}, is on the right side of the bound", interval=shown)
        case Verdict.FAILED:
            reason = Text("the 95% interval, {interval}, is on the wrong side of the bound", interval=shown)
        case Verdict.INCONCLUSIVE:
            reason = Text("the 95% interval, {interval}, straddles the bound", interval=shown)
    if found.rare is not None and found.rare.edge in (low, high):
        reason = Text("{reason}: {more}", reason=reason, more=_too_rare(found.rare, expectation))
    return verdict, reason


def _too_rare(rare: Rare, expectation: Expectation) -> Text:
    """Say how near to an end so many runs can see, and how many could see as near as the bound."""
    unit = expectation.query.definition.unit
    end, edge = value_text(rare.end, unit), value_text(rare.edge, unit)
    runs = runs_text(rare.runs)
    if not rare.away:
        away = Text("none of {runs} is away from {end}", runs=runs, end=end)
    elif rare.away == 1:
        away = Text("only 1 of {runs} is away from {end}", runs=runs, end=end)
    else:
        away = Text("only {count} of {runs} are away from {end}", count=rare.away, runs=runs, end=end)
    clause = Text("{away}, so nothing above {edge} can be resolved", away=away, edge=edge)
    if rare.end == 0:
        clause = Text("{away}, so nothing below {edge} can be resolved", away=away, edge=edge)
    needed = rare.needed(expectation.bound)
    if needed is None or needed <= rare.runs or needed > MOST_RUNS:
        return clause
    if needed == 1:
        return Text("{clause}; with 1 such run it could", clause=clause)
    return Text("{clause}; with {count} such runs it could", clause=clause, count=f"{needed:,}")


def _by_runs(expectation: Expectation, values: Sequence[float]) -> tuple[Verdict, Text, Held]:
    """It must hold in a share of all runs, of which those made are a sample."""
    good, runs = sum(map(expectation.holds, values)), len(values)
    if runs == 1:
        return Verdict.PASSED if good else Verdict.FAILED, _SINGLE, Held(good, runs, None)
    low, high = interval = share_interval(good, runs)
    asked = expectation.runs_share
    verdict = Verdict.PASSED if low >= asked else Verdict.FAILED if high < asked else Verdict.INCONCLUSIVE
    told = {
        "held": _of(good, runs),
        "interval": interval_text(interval, Unit.SHARE),
        "asked": format_share(asked),
    }
    return verdict, _held_text(verdict, told), Held(good, runs, interval)


def _held_text(verdict: Verdict, told: dict[str, str]) -> Text:
    match verdict:
        case Verdict.PASSED:
            return Text(
                "held in {held}; the 95% interval, {interval} of all runs, is on the right side of {asked}", **told
            )
        case Verdict.FAILED:
            return Text(
                "held in {held}; the 95% interval, {interval} of all runs, is on the wrong side of {asked}", **told
            )
        case Verdict.INCONCLUSIVE:
            return Text("held in {held}; the 95% interval, {interval} of all runs, straddles {asked}", **told)


_SINGLE = Text("a single run, no interval")


def _of(part: int, runs: int) -> Text:
    return Text("the single run") if part == runs == 1 else part_of_runs(part, runs)
