"""Expectations that judge nothing: they cannot fail, can never hold, or ask for what does not happen in the run."""

from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import NamedTuple

from scenarios.evidence import Direction
from scenarios.expectations import Expectation, Query
from scenarios.metrics import METRICS, Unit
from scenarios.model import Activate, Drill, Fault, Number, RequestPorts, ResumeSync, SwitchNodes
from scenarios.problems import Severity
from scenarios.rules.plan import caps, course, faults_in_run, highest_caps, lowest_caps, pairs_meant, phone_sites
from scenarios.rules.references import CPS, QUEUE_LIMITS, lost_part
from scenarios.rules.rule import Check, Path, Remark, Rule
from scenarios.text import Text
from scenarios.units import format_duration, format_share


def _span(drill: Drill, query: Query) -> tuple[float, float]:
    """Return the smallest and largest value a query can have, in its unit; infinity where time has no bound or ends."""
    if _never_refuses(drill, query):
        return 0.0, 0.0
    match query.definition.unit:
        case Unit.SHARE:
            return 0.0, 1.0
        case Unit.PORTS:
            return 0.0, _most_calls(drill, _selected(query, "limit"))
        case Unit.PHONES:
            return 0.0, _most_phones(drill, query)
        case Unit.SECONDS if query.definition.windows:
            # Times of single calls, which begin in the window and are over with the run. Times from a fault on have
            # no windows, and are infinite for what does not come about any more, so that any upper bound can fail.
            left = drill.run.lasts - (query.after or 0.0)
            return 0.0, min(left, _longest_setup(drill)) if query.metric.startswith("setup_delay") else left
        case Unit.SECONDS if query.metric == "unprotected":
            return 0.0, drill.run.lasts
        case Unit.SECONDS | Unit.CALLS | Unit.CHANGES | Unit.RATE:
            return 0.0, inf


def _most_calls(drill: Drill, limit: str) -> float:
    """Return the most calls that can ever be on a limit: its cap, or less where trunks or the contract let in less."""
    trunks = [trunk for name, trunk in drill.trunks.items() if limit in (name, trunk.via)]
    callers = {stream.from_ for stream in drill.traffic if stream.from_ is not None}
    return min(
        _cap(highest_caps(drill), limit),
        sum(trunk.channels for trunk in trunks or drill.trunks.values()),
        highest_caps(drill).get(("ports", "tenant"), inf),
        inf if limit != "outbound" else sum(drill.agents[group].count for group in callers),
    )


def _most_phones(drill: Drill, query: Query) -> float:
    """Return the most phones that can be at a site in a window; at the start, only those that belong there."""
    site, at_start = _selected(query, "site"), not query.after
    sites = phone_sites(drill)
    return sum(
        group.count
        for name, group in drill.agents.items()
        if site in sites[name]
        and (not at_start or group.softphone.switch == "automatic" or site == group.softphone.sites[0])
    )


SETUP_ENDS = 32.0
"""Seconds after which an INVITE that nothing answers is given up (Timer B, S1)."""


def _longest_setup(drill: Drill) -> float:
    """Return seconds within which every set-up is over, by whatever trunks and nodes a call tries in turn (S9)."""
    return max((_setup_on_way(drill, number) for number in drill.numbers.values()), default=SETUP_ENDS)


def _setup_on_way(drill: Drill, number: Number) -> float:
    tries: list[float] = []
    for index, trunk in enumerate(map(drill.trunks.__getitem__, number.trunks), 1):
        pair = drill.sbc_pairs[trunk.via]
        shared = pair.mode == "active-active"
        silence = min(trunk.advance_after, SETUP_ENDS) if shared or index < len(number.trunks) else SETUP_ENDS
        tries += [silence] * (2 if shared and pair.failover else 1)
    return sum(tries)


def _never_refuses(drill: Drill, query: Query) -> bool:
    """Whether the calls that a limit is to have refused never meet it."""
    selected = dict(query.selectors)
    limit = selected.get("limit")
    if limit is None or query.metric == "ports_peak":
        return False
    if limit in QUEUE_LIMITS:
        queues = drill.queue_table().values()
        gates = (queue.max_waiting if limit == QUEUE_LIMITS[0] else queue.longest_wait for queue in queues)
        return selected.get("direction") == Direction.OUTBOUND or not any(gate is not None for gate in gates)
    if limit.endswith(CPS):
        return drill.sbc_pairs[limit.removesuffix(CPS)].cps is None
    if limit == "outbound" and not any(queue.callback for queue in drill.queue_table().values()):
        # Who is called back takes an outbound port, and is an inbound caller all the same.
        return selected.get("direction") == Direction.INBOUND or all(stream.from_ is None for stream in drill.traffic)
    return _most_calls(drill, limit) < _cap(lowest_caps(drill), limit)


def _cap(of_plan: Mapping[Path, int], limit: str) -> int:
    return next(cap for path, cap in of_plan.items() if path[1] == limit)


def _selected(query: Query, name: str) -> str:
    return dict(query.selectors)[name]


# Bounds


def _vacuous(drill: Drill) -> Iterator[Remark]:
    for path, expectation, ends in _with_ends(drill):
        if all(map(expectation.holds, ends)):
            message = Text("cannot fail: {reason}", reason=_reason(drill, expectation, "<"))
            yield Remark(path, message, Text("a bound that can be missed"))


def _impossible(drill: Drill) -> Iterator[Remark]:
    for path, expectation, ends in _with_ends(drill):
        between = expectation.op == "==" and ends[0] <= expectation.bound <= ends[1]
        if not between and not any(map(expectation.holds, ends)):
            message = Text("can never hold: {reason}", reason=_reason(drill, expectation, ">"))
            yield Remark(path, message, Text("a bound that can be met"))


def _with_ends(drill: Drill) -> Iterator[tuple[Path, Expectation, tuple[float, float]]]:
    """Yield expectations with both ends of what they are held against, which say all that any operator can tell."""
    for index, expectation in enumerate(drill.expect):
        query = expectation.query
        if not _window_is_empty(drill, query):
            unit = _cap(caps(drill), _selected(query, "limit")) if expectation.of_limit else 1
            low, high = _span(drill, query)
            yield ("expect", index), expectation, (low / unit, high / unit)


def _reason(drill: Drill, expectation: Expectation, upper: str) -> Text:
    """Say which end decides; it is the upper one for operators that begin with ``upper``, and beyond it for ``==``."""
    query = expectation.query
    low, high = _span(drill, query)
    if _never_refuses(drill, query):
        return Text("{query} is always 0, for the limit refuses none of these calls", query=query)
    if not (expectation.op.startswith(upper) or (expectation.op == "==" and expectation.bound > low)):
        return Text("{query} is never below 0", query=query)
    match query.definition.unit:
        case Unit.SHARE:
            return Text("{query} is never above {most}", query=query, most=format_share(high))
        case Unit.PORTS:
            cap = _cap(highest_caps(drill), _selected(query, "limit"))
            if high == cap:
                return Text("{query} is never above {most:.0f}, its own cap", query=query, most=high)
            return Text(
                "{query} is never above {most:.0f}, for no more can come through to its cap of {cap}",
                query=query,
                most=high,
                cap=cap,
            )
        case Unit.PHONES:
            return Text("{query} is never above {most:.0f}, all phones that can be there", query=query, most=high)
        case Unit.SECONDS if query.metric.startswith("setup_delay") and high == _longest_setup(drill):
            return Text(
                "{query} is never above {most}: by then every set-up is over (S1, S9)",
                query=query,
                most=format_duration(high),
            )
        case Unit.SECONDS | Unit.CALLS | Unit.CHANGES | Unit.RATE:
            return Text(
                "{query} is never above {most} in a run of {lasts}",
                query=query,
                most=format_duration(high),
                lasts=format_duration(drill.run.lasts),
            )


def _empty_windows(drill: Drill) -> Iterator[Remark]:
    for index, expectation in enumerate(drill.expect):
        query, lasts = expectation.query, format_duration(drill.run.lasts)
        if _window_is_empty(drill, query):
            message = Text("nothing is left of the run, {lasts}, in {query}", lasts=lasts, query=query)
            yield Remark(("expect", index), message, Text("after= less than {lasts}", lasts=lasts))


def _window_is_empty(drill: Drill, query: Query) -> bool:
    return (query.after or 0.0) >= drill.run.lasts


def _calls_before_the_window(drill: Drill) -> Iterator[Remark]:
    """Windows go by the start of a call, and a fault cuts off those that began before it."""
    faults = faults_in_run(drill)
    cuts = [moment for fault in faults for moment in (fault.at, fault.at + (fault.lasts or 0.0))]
    for index, expectation in enumerate(drill.expect):
        query, after = expectation.query, expectation.query.after
        if query.metric not in ("dropped", "dropped_ratio") or after is None or _window_is_empty(drill, query):
            continue
        on_time = next((fault for fault in faults if fault.at == after), None)
        if on_time is not None or (not _switched(drill) and faults and max(cuts) <= after):
            fault = on_time or max(faults, key=lambda each: each.at)
            message = Text(
                "{query} counts calls that began from {after} on, and the calls up at the fault {fault!r}, at {time}, "
                "began before",
                query=query,
                after=format_duration(after),
                fault=fault.name,
                time=format_duration(fault.at),
            )
            yield Remark(("expect", index), message, Text("an earlier after=…, or none"))


# What has to happen


class _Need(NamedTuple):
    """What some metrics cannot do without."""

    metrics: tuple[str, ...]
    met: Callable[[Drill, Query], bool]
    lacking: Text
    remedy: Text


def _switched(drill: Drill) -> bool:
    return any(isinstance(step.does, SwitchNodes) for step in course(drill).values())


def _loses_active(drill: Drill, query: Query) -> bool:
    return any(
        fault.site == drill.sbc_pairs[pair].site or (fault.pair == pair and fault.fails in ("all", "active"))
        for fault in faults_in_run(drill)
        for pair in pairs_meant(drill, dict(query.selectors))
    )


def _comes_by(drill: Drill, query: Query) -> bool:
    """Whether callers can come by the pairs of a site, or the pair, that a query asks about."""
    pairs = set(pairs_meant(drill, dict(query.selectors)))
    return any(pairs.intersection(pairs_meant(drill, {"number": to})) for to in _dialled(drill))


def _dialled(drill: Drill) -> list[str]:
    return [stream.to for stream in drill.traffic if stream.from_ is None]


def _cuts(drill: Drill, query: Query) -> bool:
    """Whether something takes the part that a query about dropped calls names, if it names one."""
    cause = dict(query.selectors).get("cause")
    if cause is None:
        return True
    part = lost_part(cause)
    pair = part.partition("/")[0]
    switched = any(isinstance(step.does, SwitchNodes) and step.does.switch == pair for step in course(drill).values())
    if switched or any(_takes(drill, fault, pair) for fault in faults_in_run(drill)):
        return True
    return any(_takes(drill, fault, part) for fault in faults_in_run(drill))


def _takes(drill: Drill, fault: Fault, part: str) -> bool:
    if part in drill.sbc_pairs and (fault.pair == part or fault.site == drill.sbc_pairs[part].site):
        return True
    return part in (fault.trunk, fault.office) or (
        part in drill.trunks and fault.site is not None and drill.trunks[part].site == fault.site
    )


def _some_go_that_way(drill: Drill, query: Query) -> bool:
    """Whether there are calls of the direction that a query asks about, and in its queue, where only callers wait."""
    match dict(query.selectors):
        case {"direction": Direction.OUTBOUND, "queue": _}:
            return False
        case {"direction": direction}:
            return any((stream.from_ is None) == (direction == Direction.INBOUND) for stream in drill.traffic)
        case _:
            return True


def _ends_later(drill: Drill, query: Query) -> bool:
    """Whether a step that a query asks about may end after the one it counts from."""
    selected = dict(query.selectors)
    steps = {step.step: step for step in drill.runbook}
    if "since" not in selected:
        return True
    done, to_do = set[str](), [str(selected["since"])]
    while to_do:
        name = to_do.pop()
        if name not in done:
            done.add(name)
            to_do += steps[name].predecessors
    return not done.issuperset([str(selected["step"])] if "step" in selected else steps)


def _enters_service(drill: Drill, _: Query) -> bool:
    """Whether a step takes the site that gets replicas into service."""
    steps = (step.does for step in course(drill).values())
    return drill.sync is not None and any(isinstance(s, Activate) and s.activate == drill.sync.to for s in steps)


def _resumes(drill: Drill) -> bool:
    return any(isinstance(step.does, ResumeSync) for step in course(drill).values())


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
        lambda drill, query: bool(faults_in_run(drill)) or "since" in dict(query.selectors),
        Text("no fault happens in the run"),
        Text("a fault, or another metric"),
    ),
    _Need(
        ("dropped", "dropped_ratio"),
        lambda drill, _: bool(faults_in_run(drill)) or _switched(drill),
        Text("no fault happens in the run, and no step switches the nodes of a pair"),
        Text("a fault, or another metric"),
    ),
    _Need(
        ("closed",),
        lambda drill, _: drill.keeps_hours,
        Text("no number or queue has hours ('open')"),
        Text("a calendar for a number or queue, or another metric"),
    ),
    _Need(
        ("recovery_time",),
        lambda drill, _: min(fault.at for fault in drill.faults) > 0,
        Text("the first fault is at the start of the run, and there is no time before it to compare with"),
        Text("a later fault"),
    ),
    _Need(
        ("recovery_time",),
        lambda drill, _: any(stream.from_ is None for stream in drill.traffic),
        Text("no traffic comes in, and outbound calls do not count"),
        Text("inbound traffic, or another metric"),
    ),
    _Need(
        ("takeover_time", "time_to_detect"),
        _loses_active,
        Text("no fault takes the active node of such a pair"),
        Text("a fault on the pair"),
    ),
    _Need(
        ("recovery_time", "outage_minutes"),
        _comes_by,
        Text("no traffic comes in that way"),
        Text("a number, site or pair that callers come by"),
    ),
    _Need(
        ("dropped", "dropped_ratio"),
        _cuts,
        Text("no fault takes that part, and no step switches its nodes"),
        Text("the part that a fault takes"),
    ),
    _Need(
        ("register_peak", "softphones_least"),
        lambda drill, query: any(_selected(query, "site") in sites for sites in phone_sites(drill).values()),
        Text("no phone ever registers at this site"),
        Text("a site of softphones"),
    ),
    _Need(
        ("registration_p95",),
        lambda drill, _: bool(drill.agents),
        Text("there are no agents, and so no phones"),
        Text("agents with softphones"),
    ),
    _Need(
        tuple(name for name, metric in METRICS.items() if "direction" in metric.selectors),
        _some_go_that_way,
        Text("no call goes that way"),
        Text("the other direction"),
    ),
    _Need(
        ("time_to_grant",),
        lambda drill, query: any(
            isinstance(step.does, RequestPorts) and dict(query.selectors).get("step", step.step) == step.step
            for step in drill.runbook
        ),
        Text("no such step requests ports"),
        Text("a step that does {{request_ports: …}}"),
    ),
    _Need(("runbook_time",), lambda drill, _: bool(drill.runbook), Text("there is no runbook"), Text("a runbook")),
    _Need(
        ("runbook_time",),
        _ends_later,
        Text("what it waits for is done when the step of 'since' is, and so the time is 0"),
        Text("a step that does not have to come before that of 'since'"),
    ),
    _Need(
        ("abandoned", "abandoned_ratio"),
        lambda drill, _: any(stream.patience is not None for stream in drill.traffic),
        Text("callers without 'patience' wait for ever, and so nobody hangs up while waiting"),
        Text("traffic with patience, or another metric"),
    ),
    _Need(
        ("rpo", "data_lost", "unprotected"),
        lambda drill, _: drill.sync is not None,
        Text("nothing is replicated ('sync')"),
        Text("sync, or another metric"),
    ),
    _Need(
        ("rpo",),
        _enters_service,
        Text("no step activates the site that gets replicas"),
        Text("a step that activates it, or another metric"),
    ),
    _Need(
        ("data_lost",),
        lambda drill, query: _enters_service(drill, query) or _resumes(drill),
        Text("no step activates the site that gets replicas, or resumes the replication"),
        Text("such a step, or another metric"),
    ),
    _Need(
        ("service_level", "asa"),
        lambda drill, _: any(entry.queue is not None for entry in drill.numbers.values()),
        Text("no number leads to a queue"),
        Text("a number with a queue, or another metric"),
    ),
)


def _nothing_to_measure(drill: Drill) -> Iterator[Remark]:
    for index, expectation in enumerate(drill.expect):
        query = expectation.query
        unmet = (need for need in _NEEDS if query.metric in need.metrics and not need.met(drill, query))
        if (need := next(unmet, None)) is not None:
            message = Text("{query} has nothing to measure: {reason}", query=query, reason=need.lacking)
            yield Remark(("expect", index), message, need.remedy)


EXPECTATIONS: dict[Rule, Check] = {
    Rule(
        "vacuous-expectation",
        Severity.ERROR,
        "An expectation that cannot fail says nothing when it holds, like a peak held against its own cap.",
        cites=("S1", "S9"),
    ): _vacuous,
    Rule(
        "impossible-expectation",
        Severity.ERROR,
        "An expectation that can never hold says nothing when it fails.",
        cites=("S1", "S9"),
    ): _impossible,
    Rule(
        "empty-window",
        Severity.ERROR,
        "A window that begins when the run is over holds no calls.",
    ): _empty_windows,
    Rule(
        "window-after-the-calls",
        Severity.WARNING,
        "Windows go by the start of a call, so that the calls up at a fault lie before a window that begins with it.",
    ): _calls_before_the_window,
    Rule(
        "nothing-to-measure",
        Severity.ERROR,
        "A metric has no value in a run in which nothing happens that it could measure.",
    ): _nothing_to_measure,
}
"""Rules about what must come out."""
