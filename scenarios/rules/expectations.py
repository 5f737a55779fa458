"""Expectations that judge nothing: they cannot fail, can never hold, or ask for what does not happen in the run."""

from collections.abc import Callable, Iterator
from math import inf
from typing import NamedTuple

from scenarios.expectations import Expectation, Query
from scenarios.metrics import Unit
from scenarios.model import Drill, SwitchNodes
from scenarios.problems import Severity
from scenarios.rules.plan import caps, course, faults_in_run, phone_sites
from scenarios.rules.rule import Check, Path, Remark, Rule
from scenarios.units import format_duration, format_share


def _span(drill: Drill, query: Query) -> tuple[float, float]:
    """Return the smallest and largest value a query can have, in its unit; infinity where time has no bound or ends."""
    match query.definition.unit:
        case Unit.SHARE:
            return 0.0, 1.0
        case Unit.PORTS:
            return 0.0, _most_calls(drill, _selected(query, "limit"))
        case Unit.SECONDS if query.definition.windows:
            # Times of single calls, which begin in the window and are over with the run. Times from a fault on have
            # no windows, and are infinite for what does not come about any more, so that any upper bound can fail.
            return 0.0, drill.run.lasts - (query.after or 0.0)
        case Unit.SECONDS | Unit.CALLS | Unit.RATE:
            return 0.0, inf


def _most_calls(drill: Drill, limit: str) -> float:
    """Return the most calls that can ever be on a limit: its cap, or less where trunks or the contract let in less."""
    trunks = [trunk for name, trunk in drill.trunks.items() if limit in (name, trunk.via)]
    callers = {stream.from_ for stream in drill.traffic if stream.from_ is not None}
    return min(
        _cap(drill, limit),
        sum(trunk.channels for trunk in trunks or drill.trunks.values()),
        inf if drill.ports.tenant is None else drill.ports.tenant,
        inf if limit != "outbound" else sum(drill.agents[group].count for group in callers),
    )


def _cap(drill: Drill, limit: str) -> int:
    return next(cap for path, cap in caps(drill).items() if path[1] == limit)


def _selected(query: Query, name: str) -> str:
    return dict(query.selectors)[name]


# Bounds


def _vacuous(drill: Drill) -> Iterator[Remark]:
    for path, expectation, ends in _with_ends(drill):
        if all(map(expectation.holds, ends)):
            yield Remark(path, f"cannot fail: {_reason(drill, expectation, '<')}", "a bound that can be missed")


def _impossible(drill: Drill) -> Iterator[Remark]:
    for path, expectation, ends in _with_ends(drill):
        between = expectation.op == "==" and ends[0] <= expectation.bound <= ends[1]
        if not between and not any(map(expectation.holds, ends)):
            yield Remark(path, f"can never hold: {_reason(drill, expectation, '>')}", "a bound that can be met")


def _with_ends(drill: Drill) -> Iterator[tuple[Path, Expectation, tuple[float, float]]]:
    """Yield expectations with both ends of what they are held against, which say all that any operator can tell."""
    for index, expectation in enumerate(drill.expect):
        query = expectation.query
        if not _window_is_empty(drill, query):
            unit = _cap(drill, _selected(query, "limit")) if expectation.of_limit else 1
            low, high = _span(drill, query)
            yield ("expect", index), expectation, (low / unit, high / unit)


def _reason(drill: Drill, expectation: Expectation, upper: str) -> str:
    """Say which end decides; it is the upper one for operators that begin with ``upper``, and beyond it for ``==``."""
    query = expectation.query
    low, high = _span(drill, query)
    if not (expectation.op.startswith(upper) or (expectation.op == "==" and expectation.bound > low)):
        return f"{query} is never below 0"
    match query.definition.unit:
        case Unit.SHARE:
            return f"{query} is never above {format_share(high)}"
        case Unit.PORTS:
            cap = _cap(drill, _selected(query, "limit"))
            why = "its own cap" if high == cap else f"for no more can come through to its cap of {cap}"
            return f"{query} is never above {high:.0f}, {why}"
        case Unit.SECONDS | Unit.CALLS | Unit.RATE:
            run = format_duration(drill.run.lasts)
            return f"{query} is never above {format_duration(high)} in a run of {run}"


def _empty_windows(drill: Drill) -> Iterator[Remark]:
    for index, expectation in enumerate(drill.expect):
        query, lasts = expectation.query, format_duration(drill.run.lasts)
        if _window_is_empty(drill, query):
            yield Remark(
                ("expect", index), f"nothing is left of the run, {lasts}, in {query}", f"after= less than {lasts}"
            )


def _window_is_empty(drill: Drill, query: Query) -> bool:
    return (query.after or 0.0) >= drill.run.lasts


# What has to happen


class _Need(NamedTuple):
    """What some metrics cannot do without."""

    metrics: tuple[str, ...]
    met: Callable[[Drill, Query], bool]
    lacking: str
    remedy: str


def _switched(drill: Drill) -> bool:
    return any(isinstance(step.does, SwitchNodes) for step in course(drill).values())


def _loses_active(drill: Drill, query: Query) -> bool:
    pair = _selected(query, "pair")
    return any(
        fault.site == drill.sbc_pairs[pair].site or (fault.pair == pair and fault.fails in ("all", "active"))
        for fault in faults_in_run(drill)
    )


_NEEDS = (
    _Need(
        (
            "recovery_time",
            "takeover_time",
            "time_to_detect",
            "softphones_back",
            "registration_p95",
            "runbook_time",
        ),
        lambda drill, _: bool(faults_in_run(drill)),
        "no fault happens in the run",
        "a fault, or another metric",
    ),
    _Need(
        ("dropped", "dropped_ratio"),
        lambda drill, _: bool(faults_in_run(drill)) or _switched(drill),
        "no fault happens in the run, and no step switches the nodes of a pair",
        "a fault, or another metric",
    ),
    _Need(
        ("closed",),
        lambda drill, _: drill.keeps_hours,
        "no number or queue has hours ('open')",
        "a calendar for a number or queue, or another metric",
    ),
    _Need(
        ("recovery_time",),
        lambda drill, _: min(fault.at for fault in drill.faults) > 0,
        "the first fault is at the start of the run, and there is no time before it to compare with",
        "a later fault",
    ),
    _Need(
        ("recovery_time",),
        lambda drill, _: any(stream.from_ is None for stream in drill.traffic),
        "no traffic comes in, and outbound calls do not count",
        "inbound traffic, or another metric",
    ),
    _Need(
        ("takeover_time", "time_to_detect"),
        _loses_active,
        "no fault takes the active node of this pair",
        "a fault on the pair",
    ),
    _Need(
        ("register_peak",),
        lambda drill, query: any(_selected(query, "site") in sites for sites in phone_sites(drill).values()),
        "no phone ever registers at this site",
        "a site of softphones",
    ),
    _Need(
        ("registration_p95",),
        lambda drill, _: bool(drill.agents),
        "there are no agents, and so no phones",
        "agents with softphones",
    ),
    _Need(("runbook_time",), lambda drill, _: bool(drill.runbook), "there is no runbook", "a runbook"),
    _Need(
        ("abandoned", "abandoned_ratio"),
        lambda drill, _: any(stream.patience is not None for stream in drill.traffic),
        "callers without 'patience' wait for ever, and so nobody hangs up while waiting",
        "traffic with patience, or another metric",
    ),
    _Need(
        ("service_level", "asa"),
        lambda drill, _: any(entry.queue is not None for entry in drill.numbers.values()),
        "no number leads to a queue",
        "a number with a queue, or another metric",
    ),
)


def _nothing_to_measure(drill: Drill) -> Iterator[Remark]:
    for index, expectation in enumerate(drill.expect):
        query = expectation.query
        unmet = (need for need in _NEEDS if query.metric in need.metrics and not need.met(drill, query))
        if (need := next(unmet, None)) is not None:
            yield Remark(("expect", index), f"{query} has nothing to measure: {need.lacking}", need.remedy)


EXPECTATIONS: dict[Rule, Check] = {
    Rule(
        "vacuous-expectation",
        Severity.ERROR,
        "An expectation that cannot fail says nothing when it holds, like a peak held against its own cap.",
    ): _vacuous,
    Rule(
        "impossible-expectation",
        Severity.ERROR,
        "An expectation that can never hold says nothing when it fails.",
    ): _impossible,
    Rule(
        "empty-window",
        Severity.ERROR,
        "A window that begins when the run is over holds no calls.",
    ): _empty_windows,
    Rule(
        "nothing-to-measure",
        Severity.ERROR,
        "A metric has no value in a run in which nothing happens that it could measure.",
    ): _nothing_to_measure,
}
"""Rules about what must come out."""
