"""The load before the fault, against every limit and the agents (G7, J7).

It is nominal: callers per time at the busiest moment of the run, times mean talk and IVR. Surges, retries and time
spent waiting come on top, so what is too much here is too much in any run.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from scenarios.model import Drill, Ivr, Traffic
from scenarios.problems import Severity
from scenarios.rules.baseline import in_service, landing_before, team_before
from scenarios.rules.plan import Landing, heads, highest_caps, moments, rates
from scenarios.rules.rule import Check, Path, Remark, Rule, listed
from scenarios.text import Text
from scenarios.theory.erlang import MOST_LOAD, erlang_b, ports_for
from scenarios.units import format_duration, format_share

BLOCKING = 0.01
"""Share of attempts that limits may refuse before anything has failed."""
OCCUPANCY = 0.9
"""Share of agents who may be at work before anything has failed."""


class Work(NamedTuple):
    """A stream of calls that get through before the fault, and what they take up."""

    stream: Traffic
    limits: tuple[Path, ...]
    """Where in the plan the limits on their way stand."""
    team: frozenset[str]
    """Groups that take or place them; none where the far side answers at once."""
    ivr: Ivr | None
    """What inbound calls go through first."""

    @property
    def share(self) -> float:
        """The share of calls that come to an agent."""
        return 1.0 - self.ivr.contained if self.ivr is not None else 1.0

    @property
    def holding(self) -> float:
        """Mean time that a call holds its ports, in seconds."""
        menu = self.ivr.takes.mean if self.ivr is not None else 0.0
        return menu + self.share * self.stream.talk.mean


class _Shortage(NamedTuple):
    """Something that is too small for its load."""

    hopeless: bool
    """Whether the load is as large as the whole of it, or larger."""
    remark: Remark


def work_before(drill: Drill) -> Iterator[Work]:
    """Yield the streams that get through before anything has failed or any step is taken."""
    for stream in drill.traffic:
        landing = landing_before(drill, stream)
        if landing is None or not in_service(drill, landing.site):
            continue
        if stream.from_ is not None:
            team, ivr = frozenset({stream.from_}), None
        elif landing.queue is not None:
            team, ivr = team_before(drill, landing.queue, landing.site), drill.queue_table()[landing.queue].ivr
        else:
            team, ivr = frozenset(), None
        yield Work(stream, tuple(limits_on(landing, outbound=stream.from_ is not None)), team, ivr)


def limits_on(landing: Landing, *, outbound: bool) -> Iterator[Path]:
    """Yield where in the plan the limits stand that calls meet on their way to where they land."""
    yield "ports", "tenant"
    if outbound:
        yield "ports", "outbound"
    yield from (("numbers", number, "tap") for number in landing.way)
    if not landing.overflow:
        yield "trunks", landing.trunk, "channels"
        yield "sbc_pairs", landing.pair, "ports"


def _loads(drill: Drill, work: list[tuple[Traffic, float]], at: list[float]) -> list[float]:
    """Return the erlang that streams offer at moments of the run, each call holding for the seconds given."""
    offered = [[rate * holding for rate in rates(drill, stream, at)] for stream, holding in work]
    return [round(sum(at_once), 9) for at_once in zip(*offered, strict=True)]


# Limits


def _limit(path: Path, cap: int) -> tuple[Text, str]:
    """Return a limit in words, and the rule it comes under, by the section of the file it stands in."""
    section, name, *_ = path
    match section:
        case "ports":
            return Text("the contract's {name} limit is {cap}", name=name, cap=cap), "J7"
        case "numbers":
            return Text("the tap of {name} is {cap}", name=name, cap=cap), "J7"
        case "trunks":
            return Text("trunk {name} has {cap} channels", name=name, cap=cap), "G7"
        case _:
            return Text("a node of {name} has {cap} ports", name=name, cap=cap), "W2"


def _short_limits(drill: Drill) -> Iterator[_Shortage]:
    on: defaultdict[Path, list[Work]] = defaultdict(list)
    for work in work_before(drill):
        for path in work.limits:
            on[path].append(work)
    for path, cap in highest_caps(drill).items():
        works = on[path]
        if not works or never_full(drill, cap, [work.stream for work in works]):
            continue
        load = max(_loads(drill, [(work.stream, work.holding) for work in works], moments(drill, drill.run.lasts)))
        needed = ports_for(load, BLOCKING) if load <= MOST_LOAD else math.ceil(load)
        if cap < needed:
            limit, rule = _limit(path, cap)
            message = Text(
                "{load:.6g} erlang are offered before any fault, but {limit}: "
                "Erlang B refuses {share} of calls ({rule})",
                load=load,
                limit=limit,
                share=format_share(erlang_b(load, cap)),
                rule=rule,
            )
            remedy = Text("at least {needed} for {share}", needed=needed, share=format_share(BLOCKING))
            yield _Shortage(load >= cap, Remark(path, message, remedy))


def never_full(drill: Drill, cap: int, streams: list[Traffic]) -> bool:
    """Whether all calls on a limit are placed by agents, of whom there are no more than it has room for."""
    groups = {stream.from_ for stream in streams}
    return None not in groups and sum(drill.agents[group].count for group in groups if group) <= cap


# Agents


def _short_teams(drill: Drill) -> Iterator[_Shortage]:
    staffed = [work for work in work_before(drill) if work.team]
    at = moments(drill, drill.run.lasts)
    for team in _teams(work.team for work in staffed):
        counts = [sum(on_duty) for on_duty in zip(*(heads(drill, group, at) for group in team), strict=True)]
        loads = _loads(drill, [(work.stream, _handling(drill, work)) for work in staffed if work.team <= team], at)
        # The worst moment of the run; nobody on duty while nobody calls is no shortage.
        now = max(range(len(at)), key=lambda i: loads[i] / counts[i] if counts[i] else math.inf if loads[i] else 0.0)
        load, count, groups = loads[now], counts[now], sorted(team)
        if load and not count:
            message = Text(
                "{load:.6g} erlang are offered from {time} on, when nobody of {groups} is on duty: "
                "callers wait until a shift begins",
                load=load,
                time=format_duration(at[now]),
                groups=listed(groups),
            )
            remedy = Text("a shift that covers it, or hours ('open') of the number or queue that end before")
            yield _Shortage(True, Remark(("agents", groups[0], "shifts"), message, remedy))
        elif load >= OCCUPANCY * count and load:
            message = Text(
                "{load:.6g} erlang of talk and wrap-up are offered before any fault to the {count} agents of "
                "{groups}: {share} of their time",
                load=load,
                count=count,
                groups=listed(groups),
                share=format_share(load / count),
            )
            # The share of time must come out below OCCUPANCY, and so one agent more where it divides evenly.
            remedy = Text("at least {needed} agents, or less load", needed=math.floor(load / OCCUPANCY) + 1)
            yield _Shortage(load >= count, Remark(("agents", groups[0], "count"), message, remedy))


def _handling(drill: Drill, work: Work) -> float:
    """Return the mean agent time of a call with its wrap-up, in seconds, over the agents who may get it."""
    groups = [drill.agents[group] for group in work.team]
    wrap_up = sum(group.count * (group.wrap_up.mean if group.wrap_up else 0.0) for group in groups)
    return work.share * (work.stream.talk.mean + wrap_up / sum(group.count for group in groups))


def _teams(of_work: Iterator[frozenset[str]]) -> list[frozenset[str]]:
    """Return the sets of groups that have to carry some work by themselves: of one stream, and of all that overlap."""
    alone = dict.fromkeys(of_work)
    joined: list[frozenset[str]] = []
    for team in alone:
        overlapping = [other for other in joined if other & team]
        joined = [other for other in joined if not other & team] + [team.union(*overlapping)]
    return list(dict.fromkeys((*alone, *joined)))


def _overloaded(drill: Drill) -> Iterator[Remark]:
    return (shortage.remark for shortage in _shortages(drill) if shortage.hopeless)


def _tight(drill: Drill) -> Iterator[Remark]:
    return (shortage.remark for shortage in _shortages(drill) if not shortage.hopeless)


def _shortages(drill: Drill) -> Iterator[_Shortage]:
    yield from _short_limits(drill)
    yield from _short_teams(drill)


LOAD: dict[Rule, Check] = {
    Rule(
        "overloaded-baseline",
        Severity.ERROR,
        "Where more is offered than fits before the fault, the fault cannot be told from an ordinary day.",
        cites=("G7", "W2", "J7"),
    ): _overloaded,
    Rule(
        "tight-baseline",
        Severity.WARNING,
        "Where limits refuse more than 1 % of calls, or agents work 90 % of their time, before the fault, "
        "there is nothing in reserve for it.",
        cites=("G7", "W2", "J7"),
    ): _tight,
}
"""Rules about load."""
