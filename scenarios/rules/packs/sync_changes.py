"""Changes at two sites of which one gets replicas: made in vain, lost, or not there yet."""

from collections.abc import Iterator
from math import ceil, inf

from scenarios.model import (
    Activate,
    Change,
    Data,
    Deactivate,
    Delete,
    Drill,
    Enter,
    Export,
    ResumeSync,
    Step,
    SwitchSoftphones,
)
from scenarios.replication import lacking, replicated
from scenarios.rules.packs.sync_course import before, earliest, is_lost, lost_from
from scenarios.rules.plan import course
from scenarios.rules.rule import Path, Remark
from scenarios.text import Text
from scenarios.units import format_duration

_BULK_DOWNLOAD = "bulk-download"
_OF_CALLS = "recordings"
"""The class of data that grows with every call."""


def _first_activation(drill: Drill) -> float:
    """Return the second before which the site that gets replicas cannot be activated; infinity for never."""
    starts = earliest(drill)
    return min((starts[step.step] for step in course(drill).values() if _activates(drill, step)), default=inf)


def _activates(drill: Drill, step: Step) -> bool:
    return drill.sync is not None and isinstance(step.does, Activate) and step.does.activate == drill.sync.to


def _made_there(drill: Drill) -> Iterator[tuple[Path, str, Step | None]]:
    """Yield where a change is made at the site that gets replicas: its path, its name, and the step that does."""
    if drill.sync is None:
        return
    for index, change in enumerate(drill.changes):
        if change.made_at == drill.sync.to and (change.at or 0.0) < drill.run.lasts:
            yield ("changes", index, "made_at"), change.name, None
    for index, step in course(drill).items():
        if isinstance(step.does, Enter) and step.does.site == drill.sync.to:
            yield ("runbook", index, "does", "site"), step.does.enter, step


def edited_in_peace(drill: Drill) -> Iterator[Remark]:
    """Changes at the site that gets replicas before it is activated, while the other is well."""
    if drill.sync is None:
        return
    starts, activated = earliest(drill), _first_activation(drill)
    moments = {change.name: 0.0 if change.at is None else change.at for change in drill.changes}
    for path, name, step in _made_there(drill):
        if step is None:
            at = moments[name]
            in_peace = at < activated
        else:
            at = starts[step.step]
            in_peace = not any(_activates(drill, each) for each in before(drill, step))
        if in_peace and not is_lost(drill, drill.sync.from_, at):
            message = Text(
                "{change!r} is made at {target} while {source} is well: that stops the replication, nobody is told, "
                "and only the vendor can resume it (Z44)",
                change=name,
                target=drill.sync.to,
                source=drill.sync.from_,
            )
            yield Remark(path, message, Text("the change at {source}, from where it comes", source=drill.sync.from_))


def lost_at_resync(drill: Drill) -> Iterator[Remark]:
    """Changes made at the site that gets replicas and not entered at the other before it is resumed."""
    resumes = [step for step in course(drill).values() if isinstance(step.does, ResumeSync)]
    if drill.sync is None or not resumes:
        return
    own = {name for name, data in replicated(drill).items() if data.excluded}
    changes = {change.name: change for change in drill.changes}
    saved = {
        each.does.enter
        for each in before(drill, resumes[0])
        if isinstance(each.does, Enter) and each.does.site == drill.sync.from_
    }
    for path, name, _ in _made_there(drill):
        if name not in saved and changes[name].data not in own:
            message = Text(
                "{change!r} is made at {target} and never comes to {source}: the resync in {step!r} overwrites it "
                "(Z42)",
                change=name,
                target=drill.sync.to,
                source=drill.sync.from_,
                step=resumes[0].step,
            )
            remedy = Text(
                "a step before it that does {{enter: {change}, site: {source}}}", change=name, source=drill.sync.from_
            )
            yield Remark(path, message, remedy)


def never_resumed(drill: Drill) -> Iterator[Remark]:
    """Plans that go back to the first site and leave the replication as it is."""
    steps = course(drill)
    if drill.sync is None or any(isinstance(step.does, ResumeSync) for step in steps.values()):
        return
    if not any(_activates(drill, step) for step in steps.values()):
        return
    for index, step in steps.items():
        match step.does:
            case Deactivate(deactivate=site) if site == drill.sync.to:
                pass
            case SwitchSoftphones(site=site) if site == drill.sync.from_:
                pass
            case _:
                continue
        message = Text(
            "the plan goes back to {source}, and no step resumes the replication, which has stood still since "
            "{target} was activated (Z48)",
            source=drill.sync.from_,
            target=drill.sync.to,
        )
        remedy = Text("a step that does {{resume_sync: {target}}}", target=drill.sync.to)
        yield Remark(("runbook", index, "does"), message, remedy)
        return


def not_there_yet(drill: Drill) -> Iterator[Remark]:
    """Changes that may not be at the other site when it is needed."""
    if drill.sync is None:
        return
    classes = replicated(drill)
    needed = min(_first_activation(drill), lost_from(drill, drill.sync.from_))
    for index, change in enumerate(drill.changes):
        data = classes[change.data]
        if change.at is None or change.at >= needed or data.excluded or change.made_at not in (None, drill.sync.from_):
            continue
        there = _there(change, data)
        if there > needed and needed < inf:
            # What is lost is an office's phones, if it is its address; anything else is one change of many.
            rule = "Z8" if data.loaded_every is not None else "Z7" if change.allows is not None else "Z6"
            message = Text(
                "{change!r} of {at} need not be at {target} before {there}, and {target} may be needed from {needed} "
                "on: until then it does without ({rule})",
                change=change.name,
                at=format_duration(change.at),
                target=drill.sync.to,
                there=format_duration(there),
                needed=format_duration(needed),
                rule=rule,
            )
            yield Remark(("changes", index, "at"), message, Text("an earlier change, or a drill about that"))


def _there(change: Change, data: Data) -> float:
    """Return the second by which a change counts at the other site, at the latest where its rhythm is not stated."""
    there = _next(change.at or 0.0, data.every or 0.0, data.first)
    return there if data.loaded_every is None else _next(there, data.loaded_every, data.loaded_first)


def _next(at: float, every: float, first: float | None) -> float:
    if first is None or every == 0:
        return at + every
    return first + ceil((at - first) / every) * every


def never_made(drill: Drill) -> Iterator[Remark]:
    """Changes that no step makes, or that are made when the run is over."""
    entered = {step.does.enter for step in course(drill).values() if isinstance(step.does, Enter)}
    for index, change in enumerate(drill.changes):
        if change.at is not None and change.at >= drill.run.lasts:
            lasts = format_duration(drill.run.lasts)
            message = Text("{change!r} is made when the run of {lasts} is over", change=change.name, lasts=lasts)
            yield Remark(("changes", index, "at"), message, Text("a time before {lasts}", lasts=lasts))
        elif change.at is None and change.arrivals is None and change.name not in entered:
            message = Text("no step makes {change!r}, and it has no time of its own", change=change.name)
            remedy = Text("'at', 'arrivals', or a step that does {{enter: {change}, site: …}}", change=change.name)
            yield Remark(("changes", index), message, remedy)


def deleted_unsaved(drill: Drill) -> Iterator[Remark]:
    """Deletions before which nothing was saved."""
    for index, step in course(drill).items():
        if not isinstance(step.does, Delete):
            continue
        data, site = step.does.delete, step.does.site
        saved = (each.does for each in before(drill, step) if isinstance(each.does, Export))
        if not any((each.export, each.site) == (data, site) for each in saved):
            message = Text(
                "this deletes {data} of {site} for good, and no step before it has saved them (Z43)",
                data=data,
                site=site,
            )
            remedy = Text("a step before it that does {{export: {data}, site: {site}}}", data=data, site=site)
            yield Remark(("runbook", index, "does", "delete"), message, remedy)


def saved_at_once(drill: Drill) -> Iterator[Remark]:
    """Recordings that are saved in one go where that is not possible."""
    for index, step in course(drill).items():
        does = step.does
        if not isinstance(does, Export) or does.each or does.export != _OF_CALLS:
            continue
        if _BULK_DOWNLOAD in lacking(drill, does.site):
            message = Text(
                "{site} has no {function}: recordings are saved one by one, and here they take no time for each (Z49)",
                site=does.site,
                function=_BULK_DOWNLOAD,
            )
            yield Remark(("runbook", index, "does", "export"), message, Text("'each', the time for one recording"))
