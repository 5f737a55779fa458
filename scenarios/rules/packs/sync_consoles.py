"""Consoles: which of them a step needs, and whether people can get at it; and how a site is activated."""

from collections.abc import Iterator

from scenarios.model import Activate, Drill, LookAtSync, Step
from scenarios.rules.packs.sync_course import before, earliest, losses
from scenarios.rules.plan import course
from scenarios.rules.rule import Declaration, Remark
from scenarios.text import Text
from scenarios.units import format_duration


def _activations(drill: Drill) -> Iterator[tuple[int, Step, str]]:
    """Yield the steps that bring a secondary site into service, and that site."""
    for index, step in course(drill).items():
        if isinstance(step.does, Activate) and drill.sites[step.does.activate].role == "secondary":
            yield index, step, step.does.activate


def not_looked_at(drill: Drill) -> Iterator[Remark]:
    """Activations before which nobody looks whether replication runs."""
    for index, step, site in _activations(drill):
        looked = (each.does for each in before(drill, step) if isinstance(each.does, LookAtSync))
        if drill.sync is not None and drill.sync.to == site and not any(each.look_at_sync == site for each in looked):
            message = Text(
                "nobody looks whether {site} still gets replicas before it is activated (Z12)",
                site=site,
            )
            remedy = Text("a step before it that does {{look_at_sync: {site}}}", site=site)
            yield Remark(("runbook", index, "does", "activate"), message, remedy)


def not_named(drill: Drill) -> Iterator[Remark]:
    """Activations that do not say at which console."""
    for index, step, site in _activations(drill):
        own = [name for name in step.consoles if drill.consoles[name].site == site]
        if not own:
            message = Text("this does not name the console of {site}, which is not the primary's (Z4)", site=site)
            remedy = Text("uses: a console with site: {site} and its address", site=site)
            yield Remark(("runbook", index), message, remedy)
        elif all(drill.consoles[name].address is None for name in own):
            message = Text("nobody can tell from the plan where the console of {site} is (Z4)", site=site)
            yield Remark(("consoles", own[0]), message, Text("'address'"))


def at_once(drill: Drill) -> Iterator[Remark]:
    """Activations that take no time."""
    for index, step, site in _activations(drill):
        if step.takes.mean == 0:
            message = Text("activating {site} takes no time here, and may take several minutes (Z31)", site=site)
            yield Remark(("runbook", index, "takes"), message, Text("minutes, such as {{uniform: [1m, 5m]}}"))


def out_of_reach(drill: Drill) -> Iterator[Remark]:
    """Steps taken at consoles that need what is lost by then."""
    starts = earliest(drill)
    for index, step in course(drill).items():
        for console in step.consoles:
            for place in drill.consoles[console].places:
                end = next((end for at, end in losses(drill, place) if at <= starts[step.step] < end), None)
                if end is None:
                    continue
                message = (
                    Text(
                        "{console} needs {place}, which is lost by then until {end}: the step waits as long (Z38)",
                        console=console,
                        place=place,
                        end=format_duration(end),
                    )
                    if end < drill.run.lasts
                    else Text(
                        "{console} needs {place}, which is lost by then: nobody can take this step (Z38)",
                        console=console,
                        place=place,
                    )
                )
                remedy = Text("a console that is reached without {place}, its login too", place=place)
                yield Remark(("runbook", index, "uses"), message, remedy)


def declared(drill: Drill) -> Iterator[Declaration]:
    """Yield the consoles that are said to be reached from anywhere, and used."""
    used = {console for step in drill.runbook for console in step.consoles}
    for name, console in drill.consoles.items():
        if name in used and not console.places:
            text = Text("{console} and its login are reached from outside all sites", console=name)
            yield Declaration(("consoles", name, "needs"), ("Z38",), text)
