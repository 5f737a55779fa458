"""The load over the run against limits as requests change them: raised before the calls come, until they are gone."""

from collections.abc import Iterator, Sequence

from scenarios.model import Drill, Traffic
from scenarios.rules.load import BLOCKING, Work, never_full, work_before
from scenarios.rules.packs.port_timeline import Asked
from scenarios.rules.plan import moments, rates
from scenarios.rules.rule import Remark
from scenarios.text import Text
from scenarios.theory.erlang import MOST_LOAD, ports_for
from scenarios.units import format_duration


def not_in_time(drill: Drill, requests: Sequence[Asked]) -> Iterator[Remark]:
    """Yield the requests that come too late for some load, or that lower a limit too early; each limit once.

    What is short with the limits at their highest is so whatever is requested, and other rules tell.
    """
    every = list(work_before(drill))
    for name in ("tenant", "outbound"):
        works = [work for work in every if ("ports", name) in work.limits]
        first = getattr(drill.ports, name)
        moves = [asked for asked in requests if getattr(asked.limits, name) is not None]
        if first is None or not works or not moves:
            continue
        if never_full(drill, min(first, *(getattr(asked.limits, name) for asked in moves)), [w.stream for w in works]):
            continue
        yield from _first_shortage(drill, name, works, moves)


def _first_shortage(drill: Drill, name: str, works: list[Work], moves: list[Asked]) -> Iterator[Remark]:
    highest = max(getattr(drill.ports, name), *(getattr(asked.limits, name) for asked in moves))
    for at in _moments(drill, moves):
        load = sum(_load(drill, work, at) for work in works)
        needed = ports_for(load, BLOCKING) if 0 < load <= MOST_LOAD else 0
        cap = _cap(drill, name, moves, at)
        if cap < needed <= highest:
            yield _remark(name, load, needed, cap, at, moves)
            return


def _moments(drill: Drill, moves: list[Asked]) -> list[float]:
    """Return the seconds of the run at which the load or a limit changes."""
    lasts = drill.run.lasts
    surges = [(drill.fault_named(each.surge.at), each.surge.lasts) for each in drill.traffic if each.surge is not None]
    ends = {moment for fault, long in surges if fault is not None for moment in (fault.at, fault.at + long)}
    found = {*moments(drill, lasts), *(asked.decided for asked in moves), *ends}
    return sorted(at for at in found if at < lasts)


def _load(drill: Drill, work: Work, at: float) -> float:
    return rates(drill, work.stream, [at])[0] * _surging(drill, work.stream, at) * work.holding


def _surging(drill: Drill, stream: Traffic, at: float) -> float:
    """Return by how much a surge multiplies the calls of a stream at a moment."""
    fault = None if stream.surge is None else drill.fault_named(stream.surge.at)
    if stream.surge is None or fault is None or not fault.at <= at < fault.at + stream.surge.lasts:
        return 1.0
    return stream.surge.factor


def _cap(drill: Drill, name: str, moves: list[Asked], at: float) -> int:
    """Return a limit at a moment."""
    cap: int = getattr(drill.ports, name)
    for asked in moves:
        if asked.decided <= at:
            cap = getattr(asked.after, name)
    return cap


def _remark(name: str, load: float, needed: int, cap: int, at: float, moves: list[Asked]) -> Remark:
    """Return what is wrong at a moment: the next request that would do comes later, or one has come too early."""
    late = next((asked for asked in moves if asked.decided > at and getattr(asked.limits, name) >= needed), None)
    refused = next((asked for asked in moves if asked.refusal is not None and asked.decided <= at), None)
    values = {
        "load": f"{load:.3g}",
        "at": format_duration(round(at)),
        "cap": cap,
        "name": name,
        "needed": needed,
    }
    if late is not None:
        message = Text(
            "from {at} on {load} erlang are offered, which need {needed} {name} ports, but there are {cap}: this "
            "request is {done} by {decided} on average, and callers hear busy until then (P5, P6, P15)",
            done=Text("verified") if late.quick else Text("reviewed"),
            decided=format_duration(round(late.decided)),
            **values,
        )
        return Remark(late.path, message, Text("an earlier request, or increases below daily_limit"))
    culprit = refused or next((asked for asked in reversed(moves) if asked.decided <= at), moves[0])
    message = Text(
        "from {at} on {load} erlang are offered, which need {needed} {name} ports, but there are {cap} when this "
        "request has been decided: callers hear busy (P5, P6, P15)",
        **values,
    )
    return Remark(culprit.path, message, Text("as many ports as are needed, for as long as they are"))
