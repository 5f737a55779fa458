"""Hours and the people who keep them: shifts with as many people as phones, calls that somebody is there for."""

from collections.abc import Iterator

from scenarios.model import Drill
from scenarios.problems import Finding, Severity
from scenarios.rules.plan import beginnings, circle, course
from scenarios.rules.rule import Check, Remark, Rule, listed
from scenarios.text import Text
from scenarios.units import format_duration


def without_start(drill: Drill) -> Iterator[Finding]:
    """Yield an error where there are calendars, but the run does not say on which day it begins."""
    if drill.calendars and (drill.run.start is None or drill.run.start.day is None):
        message = Text("calendars need to know the day and time at which the run begins")
        remedy = Text("a date and time, as in run: {{start: 2026-11-24 09:00}}")
        yield Finding("hours-without-start", Severity.ERROR, ("run", "start"), message, remedy)


def _head_counts(drill: Drill) -> Iterator[Remark]:
    for name, group in drill.agents.items():
        heads = sum(group.shifts.values())
        if group.shifts and heads != group.count:
            message = Text(
                "the shifts of {group} have {heads} people, but the group has {count}, each with a phone",
                group=name,
                heads=heads,
                count=group.count,
            )
            remedy = Text("shifts of {count} people together", count=group.count)
            yield Remark(("agents", name, "shifts"), message, remedy)


def _never_open(drill: Drill) -> Iterator[Remark]:
    for section, parts in (("numbers", drill.numbers), ("queues", drill.queues)):
        for name, part in parts.items():
            if part.open is not None and not drill.openings(part.open).spans:
                message = Text("{name} is closed all the time of the run: its callers hear nothing else", name=name)
                remedy = Text("a run within its hours, if anybody is to be answered")
                yield Remark((section, name, "open"), message, remedy)


# Actors


def _deputies_in_a_circle(drill: Drill) -> Iterator[Remark]:
    for name in drill.actors:
        way, here = [name], drill.actors[name].deputy
        while here is not None and here not in way:
            way.append(here)
            here = drill.actors[here].deputy
        if here == name and name == min(way):
            message = Text("these stand in for each other in a circle: {circle}", circle=circle(tuple(way)))
            yield Remark(("actors", name, "deputy"), message, Text("a deputy whose deputies end"))


def _out_of_reach(drill: Drill) -> Iterator[Remark]:
    earliest = beginnings(drill)
    for index, step in course(drill).items():
        called, here = [], drill.actors.get(step.by)
        names = [step.by]
        while here is not None and here not in called:
            called.append(here)
            names.append(here.deputy or "")
            here = drill.actors.get(names[-1])
        if called and not any(_reachable(drill, name, earliest[step.step]) for name in names if name):
            message = Text(
                "nobody can ever be reached for this step, which begins at {time} at the earliest: "
                "{actors} off duty until the end of the run (N8)",
                time=format_duration(earliest[step.step]),
                actors=listed(name for name in names if name),
            )
            remedy = Text("hours within the run, 'reachable', or a deputy")
            yield Remark(("runbook", index, "by"), message, remedy)


def _reachable(drill: Drill, name: str, since: float) -> bool:
    """Whether an actor can be reached at some moment from ``since`` to the end of the run."""
    actor = drill.actors[name]
    if actor.reachable is not None and actor.reachable != 0.0:
        return True
    if actor.hours is None:
        return actor.reachable is None
    return drill.openings(actor.hours).next_open(since) < drill.run.lasts


HOURS: dict[Rule, Check] = {
    Rule(
        "shift-head-count",
        Severity.ERROR,
        "Every agent has one shift and one phone; people whom no phone is left for answer nobody.",
        waivable=False,
    ): _head_counts,
    Rule(
        "never-open",
        Severity.WARNING,
        "A number or queue that is closed throughout the run shows nothing about the plan.",
    ): _never_open,
    Rule(
        "deputy-cycle",
        Severity.ERROR,
        "Where deputies stand in for each other, nobody is left to call.",
        waivable=False,
    ): _deputies_in_a_circle,
    Rule(
        "unreachable-actor",
        Severity.ERROR,
        "A step whose actor and deputies are off duty until the end of the run is a step that nobody takes.",
        cites=("N8",),
    ): _out_of_reach,
}
"""Rules about calendars, shifts and actors."""
