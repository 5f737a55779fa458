"""A plan, followed with a finger: where calls to a number go, which steps happen, where phones come to stand."""

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from operator import itemgetter

from scenarios.model import (
    Action,
    Announce,
    CallerNumbers,
    DefaultCaller,
    Drill,
    Fault,
    Forward,
    RequestPorts,
    Reroute,
    Start,
    Step,
    SwitchSoftphones,
    Traffic,
)
from scenarios.rules.rule import Path


@dataclass(frozen=True, slots=True)
class Landing:
    """Where calls to a number arrive."""

    way: tuple[str, ...]
    """The numbers on the way, the dialled one first."""
    trunk: str
    """The first of those that are tried."""
    pair: str
    site: str
    queue: str | None
    overflow: bool
    """Whether calls that find the trunk full go on by another."""


def behind(drill: Drill) -> dict[str, str]:
    """Return the number behind each number that has one, before any step."""
    return {number: entry.to for number, entry in drill.numbers.items() if entry.to is not None}


def land(drill: Drill, leads_to: Mapping[str, str], number: str) -> Landing | None:
    """Follow a number to its trunk; None where its calls go round in a circle."""
    way = _way(leads_to, number)
    entry = drill.numbers[way[-1]] if way else None
    if entry is None or not entry.trunks:
        return None
    first, *others = entry.trunks
    pair = drill.trunks[first].via
    return Landing(way, first, pair, drill.sbc_pairs[pair].site, entry.queue, overflow=bool(others))


def _way(leads_to: Mapping[str, str], number: str) -> tuple[str, ...]:
    """Return a number and those behind it; nothing where they go round in a circle."""
    way = {number: None}
    here = number
    while here in leads_to:
        here = leads_to[here]
        if here in way:
            return ()
        way[here] = None
    return tuple(way)


def pairs_meant(drill: Drill, selectors: Mapping[str, str]) -> list[str]:
    """Return the pairs that are named, at a site, or on a number's way: by all of its trunks, before and after the
    runbook."""
    by_number = (
        {drill.trunks[trunk].via for trunk in _trunks(drill, selectors["number"])} if "number" in selectors else None
    )
    return [
        name
        for name, pair in drill.sbc_pairs.items()
        if selectors.get("pair", name) == name
        and selectors.get("site", pair.site) == pair.site
        and (by_number is None or name in by_number)
    ]


def _trunks(drill: Drill, number: str) -> set[str]:
    ways = (_way(leads_to, number) for leads_to in (behind(drill), behind_afterwards(drill)))
    return {trunk for way in ways if way for trunk in drill.numbers[way[-1]].trunks}


def redirected(does: Action | None) -> tuple[str, str] | None:
    """Return the number whose calls a step sends elsewhere, and where to; None for any other step."""
    match does:
        case Reroute(route=number, to=to) | Forward(forward=number, to=to):
            return number, to
        case _:
            return None


def reached(drill: Drill, numbers: Iterable[str]) -> set[str]:
    """Return numbers and all that calls to them can be led on to, at the start or after any step."""
    onwards = {number: {to} for number, to in behind(drill).items()}
    for step in drill.runbook:
        if (moved := redirected(step.does)) is not None:
            onwards.setdefault(moved[0], set()).add(moved[1])
        elif isinstance(step.does, Announce):
            onwards.setdefault(step.does.announce, set()).add(step.does.to)
    todo, found = set(numbers), set[str]()
    while todo:
        number = todo.pop()
        found.add(number)
        todo |= onwards.get(number, set()) - found
    return found


def pairs_in_use(drill: Drill) -> set[str]:
    """Return the pairs that calls of the plan can go through at some time: callers', agents', those that overflow."""
    dialled = {stream.to for stream in drill.traffic if stream.from_ is None}
    shown: set[str | None] = set()
    if len(dialled) < len(drill.traffic):
        shown |= {drill.default_caller}
        shown |= {stream.shows for stream in drill.traffic} | {group.caller_number for group in drill.agents.values()}
        shown |= {step.does.to for step in drill.runbook if isinstance(step.does, CallerNumbers)}
        shown |= {step.does.default_caller for step in drill.runbook if isinstance(step.does, DefaultCaller)}
    numbers = reached(drill, dialled | {number for number in shown if number in drill.numbers})
    trunks = {trunk for number in numbers for trunk in drill.numbers[number].trunks}
    trunks |= {queue.overflow.trunk for queue in drill.queues.values() if queue.overflow is not None}
    return {drill.trunks[trunk].via for trunk in trunks}


def emergency_landing(drill: Drill, site: str) -> Landing | None:
    """Return by which of its fixed lines emergency calls leave a site; None where it has none (J5)."""
    lines = drill.fixed_lines(site)
    if not lines:
        return None
    trunk, number = next(iter(lines.items()))
    return Landing((number,), trunk, drill.trunks[trunk].via, site, None, overflow=len(lines) > 1)


def ring(leads_to: Mapping[str, str], start: str) -> tuple[str, ...]:
    """Return the names on the way from ``start`` back to it, or nothing when the way does not come back."""
    way = {start: None}
    here = leads_to.get(start)
    while here is not None and here not in way:
        way[here] = None
        here = leads_to.get(here)
    return tuple(way) if here == start else ()


def rings(leads_to: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield every circle once, from its member that the mapping names last."""
    place = {name: index for index, name in enumerate(leads_to)}
    done: set[str] = set()
    for name in leads_to:
        way: dict[str, None] = {}
        here: str | None = name
        while here is not None and here not in done and here not in way:
            way[here] = None
            here = leads_to.get(here)
        if here is not None and here in way:
            yield ring(leads_to, max(ring(leads_to, here), key=place.__getitem__))
        done.update(way)


def circle(members: tuple[str, ...]) -> str:
    """Return a circle as people draw it, its first member at both ends."""
    return " → ".join((*members, members[0]))


# Limits and time


def caps(drill: Drill) -> dict[Path, int]:
    """Return all limits of a plan, as calls at the same time, by where they stand; a pair's is that of one node."""
    stated: dict[Path, int | None] = {
        ("ports", "tenant"): drill.ports.tenant,
        ("ports", "outbound"): drill.ports.outbound,
        **{("numbers", name, "tap"): entry.tap for name, entry in drill.numbers.items()},
        **{("trunks", name, "channels"): trunk.channels for name, trunk in drill.trunks.items()},
        **{("sbc_pairs", name, "ports"): pair.ports for name, pair in drill.sbc_pairs.items()},
    }
    return {path: cap for path, cap in stated.items() if cap is not None}


def contract_caps(drill: Drill) -> dict[Path, tuple[int, ...]]:
    """Return all values that each contract-wide limit has at some time: the first, and those that steps ask for."""
    asked = [drill.ports, *(step.does.request_ports for step in drill.runbook if isinstance(step.does, RequestPorts))]
    return {
        ("ports", name): tuple(cap for cap in (getattr(ports, name) for ports in asked) if cap is not None)
        for name in ("tenant", "outbound")
        if getattr(drill.ports, name) is not None
    }


def highest_caps(drill: Drill) -> dict[Path, int]:
    """Return all limits as :func:`caps` does, each at its highest."""
    return {**caps(drill), **{path: max(values) for path, values in contract_caps(drill).items()}}


def lowest_caps(drill: Drill) -> dict[Path, int]:
    """Return all limits as :func:`caps` does, each at its lowest."""
    return {**caps(drill), **{path: min(values) for path, values in contract_caps(drill).items()}}


def faults_in_run(drill: Drill) -> list[Fault]:
    """Return the faults that happen before the run is over."""
    return [fault for fault in drill.faults if fault.at < drill.run.lasts]


def moments(drill: Drill, end: float) -> list[float]:
    """Return the seconds of the run before ``end`` from which on other rates of arrival or other hours hold."""
    clock = drill.run.clock
    found: set[float] = set()
    if clock is not None:
        profiles = [stream.arrivals for stream in drill.traffic if not stream.arrivals.constant]
        found |= {at for each in profiles for at, _ in clock.profile(each.steps, 0.0, end)}
        found |= {at for name in drill.calendars for at in drill.openings(name).changes(0.0, end)}
    return [0.0, *sorted(at for at in found if 0 < at < end)]


def rates(drill: Drill, stream: Traffic, at: Sequence[float]) -> list[float]:
    """Return how many calls of a stream are placed per second, surges apart, at moments of the run.

    Outside the hours of a number on the way or of the queue there are none: callers hear that it is closed. Few
    sources place as many as if each were answered at once, for who is in a call places none (Engset).
    """
    landing = land(drill, behind(drill), stream.to) if stream.from_ is None else None
    kept = [drill.numbers[number].open for number in landing.way] if landing is not None else []
    if landing is not None and landing.queue in drill.queues:
        kept.append(drill.queues[landing.queue].open)
    hours = [drill.openings(calendar) for calendar in kept if calendar is not None]
    clock = drill.run.clock
    peak = stream.arrivals.peak
    profile = [(-inf, peak if stream.sources is None else peak / (1.0 + peak * stream.talk.mean / stream.sources))]
    if not stream.arrivals.constant and clock is not None:
        profile = clock.profile(stream.arrivals.steps, 0.0, drill.run.lasts)
    return [
        profile[bisect_right(profile, now, key=itemgetter(0)) - 1][1] * all(each.is_open(now) for each in hours)
        for now in at
    ]


def heads(drill: Drill, group: str, at: Sequence[float]) -> list[int]:
    """Return how many agents of a group are on duty at moments of the run."""
    plan = drill.agents[group]
    if not plan.shifts:
        return [plan.count] * len(at)
    shifts = [(drill.openings(calendar), count) for calendar, count in plan.shifts.items()]
    return [sum(count for hours, count in shifts if hours.is_open(now)) for now in at]


# People


def course(drill: Drill) -> dict[int, Step]:
    """Return the steps that begin in the run, by index, each after those it waits for, else in file order."""
    happening = {fault.name for fault in faults_in_run(drill)}
    followers: defaultdict[str, list[int]] = defaultdict(list)
    waits: list[int] = []
    for index, step in enumerate(drill.runbook):
        waits_for = set(step.predecessors)
        waits.append(len(waits_for))
        for name in waits_for:
            followers[name].append(index)
    ready = [
        i for i, step in enumerate(drill.runbook) if step.starts is not None and _comes(drill, step.starts, happening)
    ]
    begun: dict[int, Step] = {}
    while ready:
        index = heapq.heappop(ready)
        begun[index] = drill.runbook[index]
        for follower in followers[begun[index].step]:
            waits[follower] -= 1
            if not waits[follower]:
                heapq.heappush(ready, follower)
    return begun


def beginnings(drill: Drill) -> dict[str, float]:
    """Return the second before which a step of the course cannot begin, if everything before it takes no time."""
    earliest: dict[str, float] = {}
    for step in course(drill).values():
        earliest[step.step] = _earliest(drill, step, earliest)
    return earliest


def _earliest(drill: Drill, step: Step, earliest: dict[str, float]) -> float:
    if step.starts is None:
        return max((earliest[name] for name in step.predecessors), default=0.0)
    fault = drill.fault_named(step.starts.after) if step.starts.after is not None else None
    return fault.at if fault is not None else step.starts.at or 0.0


def _comes(drill: Drill, start: Start, happening: set[str]) -> bool:
    return start.after in happening or (start.at is not None and start.at < drill.run.lasts)


def behind_afterwards(drill: Drill) -> dict[str, str]:
    """Return the number behind each number that has one, when the runbook is done."""
    moved = (redirected(step.does) for step in course(drill).values())
    return {**behind(drill), **dict(each for each in moved if each is not None)}


def phone_sites(drill: Drill) -> dict[str, set[str]]:
    """Return the sites that phones of each group are set to at some time: the first, those of steps, or all of them
    where phones switch by themselves."""
    sites = {
        name: set(group.softphone.sites if group.softphone.switch == "automatic" else group.softphone.sites[:1])
        for name, group in drill.agents.items()
    }
    for step in drill.runbook:
        if isinstance(step.does, SwitchSoftphones) and not drill.agents[step.does.softphones].softphone.stays:
            sites[step.does.softphones].add(step.does.site)
    return sites
