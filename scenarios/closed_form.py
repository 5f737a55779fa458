"""What Erlang's formulas make of a number that is sought in a drill: a start for the search, and something to compare.

The load is nominal, callers per time at the busiest moment times mean talk and menu, before any fault or after the
runbook, whichever is more. What a formula does not know is left out on purpose: `kirikae size` tells what it comes to.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf

from scenarios.expectations import Expectation
from scenarios.model import Drill, Traffic
from scenarios.rules.load import Work, limits_on, work_before
from scenarios.rules.plan import behind_afterwards, caps, land, moments, rates
from scenarios.rules.rule import Path
from scenarios.theory.erlang import MOST_LOAD, erlang_b
from scenarios.theory.erlang_a import LEAST_IMPATIENCE
from scenarios.theory.extended_b import ports_with_retries
from scenarios.theory.solve import (
    CannotBeMetError,
    abandons,
    answers,
    answers_after,
    blocks,
    fewest,
    impatient_answers,
    most_load,
)

_BLOCKING = ("blocked_ratio", "caller_loss")
_RETRY_BELOW = 0.99
"""Share of callers who try again above which extended Erlang B is no help."""


_NOTHING = 1e-9
"""Share of calls below which a limit does not count as refusing any."""


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """A formula's answer."""

    formula: str
    answer: float
    """In the unit of the number: ports, agents, or calls per second."""
    load: float
    """Erlang that it was worked out for."""
    goal: str
    """The target that it stands for, as it was written."""
    streams: tuple[int, ...]
    """Those that make the load, by their place in the drill."""
    nodes: int = 1
    """How many of such limits share the load."""


def closed_form(drill: Drill, place: Path, targets: Sequence[Expectation]) -> ClosedForm | None:
    """Return what a formula says of a number, for the strictest of the targets that any is about; or None."""
    forms = [form for target in targets for form in _forms(drill, place, target)]
    most = place[-1] != "arrivals"
    return (max if most else min)(forms, key=lambda form: form.answer, default=None)


def _forms(drill: Drill, place: Path, target: Expectation) -> Iterator[ClosedForm]:
    try:
        match place:
            case ("agents", str(group), "count"):
                yield from _agents(drill, group, target)
            case ("traffic", int(index), "arrivals"):
                yield from _arrivals(drill, index, target)
            case _ if place in caps(drill):
                yield from _ports(drill, place, target)
    except CannotBeMetError:
        return


# Ports, channels, limits of the contract


def _ports(drill: Drill, place: Path, target: Expectation) -> Iterator[ClosedForm]:
    share = _blocking(target)
    works = offered(drill, place)
    load = _load(drill, works)
    if share is None or not 0 < load <= MOST_LOAD:
        return
    retry = _retry(works)
    nodes = sharing(drill, place)
    streams = tuple(index for index, stream in enumerate(drill.traffic) if any(work.stream is stream for work in works))
    if retry:
        answer = ceil(ports_with_retries(load, share, retry) / nodes)
        yield ClosedForm("extended Erlang B", answer, load, target.text, streams, nodes)
    else:
        yield ClosedForm("Erlang B", ceil(fewest(blocks(share), load) / nodes), load, target.text, streams, nodes)


def _blocking(target: Expectation) -> float | None:
    """Return the share that may be blocked, where a target is about that."""
    if target.query.metric in _BLOCKING and target.op in ("<", "<=") and 0 < target.bound < 1:
        return target.bound
    if target.query.metric == "asr" and target.op in (">", ">=") and 0 < target.bound < 1:
        return 1 - target.bound
    return None


def offered(drill: Drill, place: Path) -> list[Work]:
    """Return the streams that meet a limit: before any fault, or when the runbook is done, whichever load is more."""
    before = list(work_before(drill))
    moved = behind_afterwards(drill)
    after = []
    for work in before:
        landing = land(drill, moved, work.stream.to) if work.stream.from_ is None else None
        after.append(work if landing is None else work._replace(limits=tuple(limits_on(landing, outbound=False))))
    sides = ([work for work in side if place in work.limits] for side in (before, after))
    return max(sides, key=lambda side: _load(drill, side))


def _load(drill: Drill, works: Sequence[Work]) -> float:
    at = moments(drill, drill.run.lasts)
    by_stream = [[rate * work.holding for rate in rates(drill, work.stream, at)] for work in works]
    return max((sum(now) for now in zip(*by_stream, strict=True)), default=0.0)


def _retry(works: Sequence[Work]) -> float:
    """Return the share of those refused who try again, on the mean of all streams."""
    calls = sum(work.stream.arrivals.peak for work in works)
    again = sum(work.stream.arrivals.peak * work.stream.retry.share for work in works if work.stream.retry is not None)
    return min(again / calls, _RETRY_BELOW) if calls else 0.0


def sharing(drill: Drill, place: Path) -> int:
    """Return how many limits of that number share the load: nodes of a pair that both serve, while none is lost."""
    if place[0] != "sbc_pairs" or drill.sbc_pairs[str(place[1])].mode != "active-active":
        return 1
    pair = drill.sbc_pairs[str(place[1])]
    lost = any(fault.pair == place[1] or fault.site == pair.site for fault in drill.faults)
    return 1 if lost else 2


# Arrivals


def _arrivals(drill: Drill, index: int, target: Expectation) -> Iterator[ClosedForm]:
    share = _blocking(target)
    stream = drill.traffic[index]
    if share is None:
        return
    best = inf
    for place, cap in caps(drill).items():
        works = offered(drill, place)
        own = [work for work in works if work.stream is stream]
        if not own:
            continue
        nodes = sharing(drill, place)
        others = _load(drill, [work for work in works if work.stream is not stream])
        most = most_load(blocks(share), cap * nodes) - others
        best = min(best, most / own[0].holding)
    if 0 < best < inf:
        yield ClosedForm("Erlang B", best, best * stream.talk.mean, target.text, (index,))


# Agents


def _agents(drill: Drill, group: str, target: Expectation) -> Iterator[ClosedForm]:
    goal = None
    works = [work for work in work_before(drill) if group in work.team]
    if not works or any(work.team != {group} for work in works):
        return
    wrap_up = drill.agents[group].wrap_up
    after = wrap_up.mean if wrap_up is not None else 0.0
    load = _load_of_agents(drill, works, after)
    calls = sum(work.stream.arrivals.peak * work.share for work in works)
    if not 0 < load <= MOST_LOAD:
        return
    holding = load / calls
    patience = _patience([work.stream for work in works])
    goal = _goal(drill, group, target, holding, patience)
    if goal is not None:
        name = "Erlang C" if patience is None else "Erlang A"
        streams = tuple(i for i, each in enumerate(drill.traffic) if any(work.stream is each for work in works))
        yield ClosedForm(name, fewest(goal, load), load, target.text, streams)


def _load_of_agents(drill: Drill, works: Sequence[Work], wrap_up: float) -> float:
    at = moments(drill, drill.run.lasts)
    by_stream = [
        [rate * work.share * (work.stream.talk.mean + wrap_up) for rate in rates(drill, work.stream, at)]
        for work in works
    ]
    return max((sum(now) for now in zip(*by_stream, strict=True)), default=0.0)


def _patience(streams: Sequence[Traffic]) -> float | None:
    """Return the mean patience in seconds where all callers have some."""
    inbound = [stream for stream in streams if stream.from_ is None]
    known = [stream.patience.mean for stream in inbound if stream.patience is not None]
    return sum(known) / len(known) if known and len(known) == len(inbound) else None


def _goal(
    drill: Drill, group: str, target: Expectation, holding: float, patience: float | None
) -> Callable[[float, int], bool] | None:
    metric, bound = target.query.metric, target.bound
    impatience = None if patience is None else max(holding / max(patience, 1e-9), LEAST_IMPATIENCE)
    rising = target.op in (">", ">=")
    if metric == "service_level" and rising and 0 < bound < 1:
        serving = [queue for queue in drill.queue_table().values() if group in queue.agents]
        within = max(queue.answer_within for queue in serving)
        if impatience is None:
            return answers(bound, within, holding)
        return impatient_answers(bound, within / holding, impatience)
    if metric == "asa" and not rising and bound > 0 and impatience is None:
        return answers_after(bound, holding)
    if metric == "abandoned_ratio" and not rising and 0 < bound < 1 and impatience is not None:
        return abandons(bound, impatience)
    return None


def tightest(drill: Drill, most: int = 2) -> list[tuple[tuple[int, ...], int]]:
    """Return the limits that would refuse most as loss systems of their own: streams by place, and ports."""
    found: dict[tuple[tuple[int, ...], int], float] = {}
    for place, cap in caps(drill).items():
        works = offered(drill, place)
        load, ports = _load(drill, works), cap * sharing(drill, place)
        streams = tuple(i for i, each in enumerate(drill.traffic) if any(work.stream is each for work in works))
        if 0 < load <= MOST_LOAD and (lost := erlang_b(load, ports)) > _NOTHING:
            found[streams, ports] = lost
    return sorted(found, key=lambda system: (-found[system], system))[:most]
