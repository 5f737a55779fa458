"""What rules about numbers ask of a plan: which site a number belongs to, what steps do with it, how callers come."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from scenarios.model import (
    Activate,
    Announce,
    CallerNumbers,
    Deactivate,
    DefaultCaller,
    Drill,
    Forward,
    Reroute,
    Step,
    SwitchSoftphones,
)
from scenarios.numberplan import is_service_number, may_stand_behind
from scenarios.rules.plan import behind, course, land, redirected


class Pointing(NamedTuple):
    """A step of the course that lets calls or phones use a number."""

    at: int
    step: Step
    field: str
    """Of its action: that names the number."""
    number: str


def pointings(drill: Drill) -> Iterator[Pointing]:
    """Yield them in the order of the course."""
    for index, step in course(drill).items():
        match step.does:
            case Reroute(to=to) | Forward(to=to) | Announce(to=to) | CallerNumbers(to=to):
                yield Pointing(index, step, "to", to)
            case DefaultCaller(default_caller=number):
                yield Pointing(index, step, "default_caller", number)
            case _:
                pass


def before_and_with(drill: Drill, step: Step) -> list[Step]:
    """Return a step and all that must be finished before it."""
    by_name = {each.step: each for each in drill.runbook}
    found: dict[str, Step] = {}
    todo = [step.step]
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = by_name[name]
            todo += by_name[name].predecessors
    return list(found.values())


def activated(steps: list[Step]) -> set[str]:
    """Return the sites that steps bring into service."""
    return {step.does.activate for step in steps if isinstance(step.does, Activate)}


def fails_over(drill: Drill) -> bool:
    """Whether a step of the course brings a secondary site into service."""
    return any(drill.sites[site].role == "secondary" for site in activated(list(course(drill).values())))


def leads_back(steps: list[Step], sites: set[str]) -> bool:
    """Whether steps are about the way back to some sites: they wait for a repair, or take another out of service."""
    return any(
        isinstance(step.does, Deactivate)
        or (step.when is not None and (step.when.repaired is not None or step.when.in_service in sites))
        for step in steps
    )


def sites_of(drill: Drill, number: str) -> set[str]:
    """Return the sites that the trunks of a number enter at; none for a number that only leads on (Z15)."""
    return {drill.sbc_pairs[drill.trunks[trunk].via].site for trunk in drill.numbers[number].trunks}


def on_dr(drill: Drill, number: str) -> bool:
    """Whether a number belongs to a secondary site."""
    return any(drill.sites[site].role == "secondary" for site in sites_of(drill, number))


def pairings(drill: Drill) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield each 0120, 0800 or 0570 with each number behind it, at the start or after a step, and where it says so."""
    for number, to in behind(drill).items():
        if is_service_number(number):
            yield ("numbers", number, "to"), number, to
    for index, step in course(drill).items():
        if isinstance(step.does, Reroute) and is_service_number(step.does.route):
            yield ("runbook", index, "does", "to"), step.does.route, step.does.to


def forwards(drill: Drill) -> Iterator[tuple[int, Forward]]:
    """Yield the steps that start the carrier's forwarding, by index."""
    for index, step in enumerate(drill.runbook):
        if isinstance(step.does, Forward):
            yield index, step.does


class Published(NamedTuple):
    """A number of a site that may be lost, dialled without 0120, 0800 or 0570 in front."""

    at: int
    """Of the traffic that dials it."""
    number: str
    forwarded: bool
    """Whether a step sends its calls elsewhere."""
    announced: bool
    """Whether a step tells callers of another."""


def published(drill: Drill) -> Iterator[Published]:
    """Yield them, of plans that go over to a secondary site."""
    if not fails_over(drill):
        return
    steps = course(drill).values()
    forwarded = {moved[0] for step in steps if (moved := redirected(step.does)) is not None}
    announced = {step.does.announce for step in steps if isinstance(step.does, Announce)}
    for index, stream in enumerate(drill.traffic):
        number = stream.to
        if stream.from_ is not None or is_service_number(number):
            continue
        landing = land(drill, behind(drill), number)
        if landing is not None and drill.sites[landing.site].role == "primary":
            yield Published(index, number, number in forwarded, number in announced)


def final_sites(drill: Drill) -> dict[str, str]:
    """Return where the phones of each group stand when all steps are done, of groups that a step moves."""
    moves = (step.does for step in course(drill).values() if isinstance(step.does, SwitchSoftphones))
    return {move.softphones: move.site for move in moves}


def leaving_sites(drill: Drill, number: str) -> set[str]:
    """Return the sites that calls showing a number can leave from when all steps are done (Z15)."""
    moved = (step.does for step in course(drill).values())
    leads_to: Mapping[str, str] = {
        **behind(drill),
        **{does.route: does.to for does in moved if isinstance(does, Reroute)},
    }
    landing = land(drill, leads_to, number)
    return set() if landing is None else sites_of(drill, landing.way[-1])


def refused(drill: Drill, number: str, to: str) -> bool:
    """Whether calls to a 0120, 0800 or 0570 fail with a number behind it (Z17)."""
    return not may_stand_behind(number, drill.numbers[number].service, to)
