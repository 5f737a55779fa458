"""When steps can begin at the earliest, what comes before them, and when a site is lost."""

from math import inf

from scenarios.model import Drill, Step
from scenarios.rules.plan import course, faults_in_run


def before(drill: Drill, step: Step) -> list[Step]:
    """Return the steps that must be finished before a step is begun, in their order."""
    steps = {each.step: each for each in drill.runbook}
    needed, to_do = set[str](), list(step.predecessors)
    while to_do:
        name = to_do.pop()
        if name not in needed:
            needed.add(name)
            to_do += steps[name].predecessors
    return [each for each in course(drill).values() if each.step in needed]


def earliest(drill: Drill) -> dict[str, float]:
    """Return the second before which a step of the course cannot begin, if nothing before it takes any time.

    A step that waits for a repair cannot begin before that (`when: {repaired: …}`).
    """
    found: dict[str, float] = {}
    for step in course(drill).values():
        begins = max((found[name] for name in step.predecessors), default=0.0)
        if step.starts is not None:
            fault = None if step.starts.after is None else drill.fault_named(step.starts.after)
            begins = max(begins, fault.at if fault is not None else step.starts.at or 0.0)
        if step.when is not None and step.when.repaired is not None:
            repaired = drill.fault_named(step.when.repaired)
            if repaired is not None:
                begins = max(begins, repaired.at + (repaired.lasts or inf))
        found[step.step] = begins
    return found


def losses(drill: Drill, place: str) -> list[tuple[float, float]]:
    """Return from when to when a site or an office is lost, seconds; infinity for the end of what is not repaired."""
    return [
        (fault.at, fault.at + (inf if fault.lasts is None else fault.lasts))
        for fault in faults_in_run(drill)
        if fault.how != "degraded" and place in (fault.site, fault.office)
    ]


def is_lost(drill: Drill, place: str, at: float) -> bool:
    """Whether a site or an office is lost at a moment."""
    return any(begin <= at < end for begin, end in losses(drill, place))


def lost_from(drill: Drill, place: str) -> float:
    """Return when a site or an office is first lost; infinity for never."""
    return min((begin for begin, _ in losses(drill, place)), default=inf)
