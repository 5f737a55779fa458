"""What `live:` makes of a drill: fewer callers, a shorter timeline, and everything of SIP as it stands.

The result is a drill like any other, so that an engine need not know about it.
"""

from dataclasses import replace

from scenarios.distributions import Arrivals, Distribution
from scenarios.expectations import Expectation, Query
from scenarios.model import (
    Actor,
    AgentGroup,
    Change,
    Data,
    Drift,
    Drill,
    Export,
    Fault,
    Queue,
    Start,
    Step,
    Surge,
    SwitchSoftphones,
    Sync,
    Traffic,
)
from scenarios.replication import replicated
from scenarios.tolerances import Compared


def shortened(drill: Drill) -> Drill:
    """Return the drill that a live run plays, with nothing left to scale.

    Scaled by `traffic`: arrivals, and of few `sources` how often each calls. Scaled by `timeline`, as if the day went
    faster: when faults happen and how long they last, restarts apart, whose length is that of a boot; surges; planned
    steps; when data are replicated and changed; how long people take and how soon they are reached; how long callers
    talk, wait and pause, and how soon the next one comes, so that as many calls are up at the same time, and as many
    are placed in all; menus and wrap-up; the windows of what is expected. Bounds on times are not: most times are
    partly people's and partly SIP's. Nor is how soon people hang up on silence, which begins with a fault of SIP, nor
    anything that goes by the time of day.
    """
    scale = drill.live.timeline
    whole = drill.run.lasts * scale
    lasts = whole if drill.live.lasts is None else min(drill.live.lasts, whole)
    return drill.model_copy(
        update={
            "run": drill.run.model_copy(update={"lasts": lasts}),
            "traffic": [_stream(stream, drill.live.traffic, scale) for stream in drill.traffic],
            "agents": {name: _group(group, scale) for name, group in drill.agents.items()},
            "queues": {name: _queue(queue, scale) for name, queue in drill.queues.items()},
            "faults": [_fault(fault, scale) for fault in drill.faults],
            "actors": {name: _actor(actor, scale) for name, actor in drill.actors.items()},
            "sync": _sync(drill, scale),
            "changes": [_change(change, scale) for change in drill.changes],
            "runbook": [_step(step, scale) for step in drill.runbook],
            "expect": drill.live.expect or [_expectation(expectation, scale) for expectation in drill.expect],
            "drift": _drift(drill.drift, scale),
            "live": type(drill.live)(),
        }
    )


def _stream(stream: Traffic, share: float, scale: float) -> Traffic:
    arrivals = Arrivals(tuple((at, rate * share / scale) for at, rate in stream.arrivals.steps))
    retry = stream.retry
    if retry is not None:
        retry = retry.model_copy(update={"after": longer(retry.after, scale)})
    times = {"talk": longer(stream.talk, scale), "patience": longer(stream.patience, scale)}
    more = {"arrivals": arrivals, "retry": retry, "surge": _surge(stream.surge, scale)}
    return stream.model_copy(update={**times, **more})


def _group(group: AgentGroup, scale: float) -> AgentGroup:
    return group.model_copy(update={"wrap_up": longer(group.wrap_up, scale)})


def _queue(queue: Queue, scale: float) -> Queue:
    ivr = queue.ivr
    return (
        queue
        if ivr is None
        else queue.model_copy(update={"ivr": ivr.model_copy(update={"takes": longer(ivr.takes, scale)})})
    )


def _surge(surge: Surge | None, scale: float) -> Surge | None:
    return None if surge is None else surge.model_copy(update={"lasts": surge.lasts * scale})


def _fault(fault: Fault, scale: float) -> Fault:
    boots = fault.how == "restarted"
    lasts = fault.lasts if fault.lasts is None or boots else fault.lasts * scale
    return fault.model_copy(update={"at": fault.at * scale, "lasts": lasts})


def _sync(drill: Drill, scale: float) -> Sync | None:
    if drill.sync is None:
        return None
    return drill.sync.model_copy(
        update={"data": {name: _data(data, scale) for name, data in replicated(drill).items()}}
    )


def _data(data: Data, scale: float) -> Data:
    times = {field: getattr(data, field) for field in ("every", "first", "loaded_every", "loaded_first")}
    return data.model_copy(update={field: time * scale for field, time in times.items() if time is not None})


def _change(change: Change, scale: float) -> Change:
    at = None if change.at is None else change.at * scale
    rate = None if change.arrivals is None else change.arrivals / scale
    return change.model_copy(update={"at": at, "arrivals": rate})


def _actor(actor: Actor, scale: float) -> Actor:
    reached = actor.reachable
    update = {
        "reachable": longer(reached, scale) if isinstance(reached, Distribution) else reached,
        "deputy_after": longer(actor.deputy_after, scale),
    }
    return actor.model_copy(update=update)


def _step(step: Step, scale: float) -> Step:
    does = step.does
    if isinstance(does, SwitchSoftphones):
        does = does.model_copy(update={"login": longer(does.login, scale)})
    elif isinstance(does, Export) and does.each is not None:
        does = does.model_copy(update={"each": does.each * scale})
    update = {"starts": _start(step.starts, scale), "takes": longer(step.takes, scale), "does": does}
    return step.model_copy(update=update)


def _start(start: Start | None, scale: float) -> Start | None:
    if start is None:
        return None
    at = None if start.at is None else start.at * scale
    return start.model_copy(update={"at": at, "delay": longer(start.delay, scale)})


def longer(taken: Distribution | None, scale: float) -> Distribution | None:
    """Return a time that is so many times as long, whatever it is drawn from; None stays None."""
    return None if taken is None else taken.scaled(scale)


def _expectation(expectation: Expectation, scale: float) -> Expectation:
    return replace(expectation, query=_query(expectation.query, scale))


def _query(query: Query, scale: float) -> Query:
    after = None if query.after is None else query.after * scale
    before = None if query.before is None else query.before * scale
    return replace(query, after=after, before=before)


def _drift(drift: Drift, scale: float) -> Drift:
    lasts = None if drift.lasts is None else drift.lasts * scale
    allow = {Compared(_query(each.query, scale), each.text): allowed for each, allowed in drift.allow.items()}
    return drift.model_copy(update={"lasts": lasts, "allow": allow})
