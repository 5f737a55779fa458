"""Names and fields of replication, of the day's changes, of consoles, and of functions that sites lack."""

from collections.abc import Iterator

from scenarios.model import Data, Drill, Enter, LookAtSync, ResumeSync
from scenarios.problems import Finding, Severity, did_you_mean
from scenarios.replication import FUNCTIONS, data_of, replicated
from scenarios.rules.rule import Path
from scenarios.systems import System
from scenarios.text import Text


def references(drill: Drill) -> Iterator[tuple[Path, str, str | None]]:
    """Yield where a name is used, what it has to be the name of, and the name."""
    if drill.sync is not None:
        yield ("sync", "from"), "sites", drill.sync.from_
        yield ("sync", "to"), "sites", drill.sync.to
    for index, change in enumerate(drill.changes):
        if drill.sync is not None:
            yield ("changes", index, "data"), "data", change.data
        yield ("changes", index, "made_at"), "sites", change.made_at
        yield ("changes", index, "allows"), "offices", change.allows
    for name, console in drill.consoles.items():
        yield ("consoles", name, "site"), "sites", console.site
        for position, place in enumerate(console.places):
            inner = (position,) if isinstance(console.needs, list) else ()
            yield ("consoles", name, "needs", *inner), "places", place


def combinations(drill: Drill) -> Iterator[Finding]:
    """Yield what single fields cannot show: too few, too many, or fields that mean nothing together."""
    yield from _of_sync(drill)
    yield from _of_changes(drill)
    for index, step in enumerate(drill.runbook):
        if isinstance(step.does, Enter | LookAtSync | ResumeSync):
            yield from _of_step(drill, ("runbook", index, "does"), step.does)
    known = FUNCTIONS.union(*(site.lacks or () for site in drill.sites.values()))
    for index, stream in enumerate(drill.traffic):
        path: Path = ("traffic", index, "needs")
        for position, function in enumerate(stream.needs):
            if function not in known:
                message = Text(
                    "no site is said to lack {function!r}{hint}, so that these calls need nothing (Z27)",
                    function=function,
                    hint=did_you_mean(function, known),
                )
                yield _error("dangling-reference", (*path, position), message, ", ".join(sorted(known)))
        if stream.needs and stream.emergency:
            message = Text("emergency calls need nothing but a line (J5)")
            yield _error("not-applicable", path, message, Text("no 'needs'"))


def _of_sync(drill: Drill) -> Iterator[Finding]:
    if drill.sync is None:
        return
    if drill.sync.from_ == drill.sync.to:
        message = Text("a site has no replica of itself")
        yield _error("not-applicable", ("sync", "to"), message, Text("another site"))
    known, classes = data_of(System.of(drill)), replicated(drill)
    for name, stated in drill.sync.data.items():
        path: Path = ("sync", "data", name)
        if name not in known and "every" not in stated.model_fields_set and not stated.excluded:
            message = Text("this does not say how often it is replicated")
            yield _error("exactly-one", path, message, Text("'every', with 0 for real time, or excluded: true"))
        yield from _of_data(path, stated.model_fields_set, classes[name])


def _of_data(path: Path, stated: set[str], data: Data) -> Iterator[Finding]:
    """Yield fields of a class that say nothing, ``data`` being what holds with all that its system says of it."""
    if data.excluded:
        for field in ("every", "first", "loaded_every", "loaded_first"):
            if field in stated:
                message = Text("what is excluded is never replicated, and so {field!r} says nothing", field=field)
                yield _error("not-applicable", (*path, field), message, Text("excluded: false with it"))
        return
    if "loaded_first" in stated and data.loaded_every is None:
        message = Text("what is replicated counts here at once, and is not loaded at times of its own")
        yield _error("not-applicable", (*path, "loaded_first"), message, Text("'loaded_every' with it"))
    if "first" in stated and not data.every:
        message = Text("what is replicated in real time has no first time")
        yield _error("not-applicable", (*path, "first"), message, Text("'every' above 0"))


def _of_changes(drill: Drill) -> Iterator[Finding]:
    for index, change in enumerate(drill.changes):
        path: Path = ("changes", index)
        if drill.sync is None:
            message = Text("without replication it makes no difference where this is changed")
            yield _error("not-applicable", path, message, Text("'sync', or no changes"))
        elif change.made_at is not None and change.made_at not in (drill.sync.from_, drill.sync.to):
            yield _elsewhere((*path, "made_at"), change.made_at, drill)
        if change.at is not None and change.arrivals is not None:
            message = Text("a change is made at a moment or again and again, not both")
            yield _error("exactly-one", (*path, "arrivals"), message, Text("'at' or 'arrivals'"))
        if change.arrivals is not None and change.allows is not None:
            message = Text("an office is allowed once")
            yield _error("not-applicable", (*path, "arrivals"), message, Text("'at', or a step that enters it"))
        if change.made_at is not None and change.at is None and change.arrivals is None:
            message = Text("this change is made by steps, which say where")
            yield _error("not-applicable", (*path, "made_at"), message, Text("'at' or 'arrivals' with it"))


def _of_step(drill: Drill, path: Path, does: Enter | LookAtSync | ResumeSync) -> Iterator[Finding]:
    match does:
        case Enter(enter=name, site=site):
            change = next((each for each in drill.changes if each.name == name), None)
            if change is not None and change.arrivals is not None:
                message = Text("{name!r} stands for many changes, and a step makes one", name=name)
                yield _error("not-applicable", (*path, "enter"), message, Text("a change without 'arrivals'"))
            if drill.sync is not None and site not in (drill.sync.from_, drill.sync.to):
                yield _elsewhere((*path, "site"), site, drill)
        case LookAtSync(look_at_sync=site):
            yield from _of_target((*path, "look_at_sync"), site, drill)
        case ResumeSync(resume_sync=site):
            yield from _of_target((*path, "resume_sync"), site, drill)


def _of_target(path: Path, site: str, drill: Drill) -> Iterator[Finding]:
    if drill.sync is None or drill.sync.to != site:
        message = Text("{site} gets no replicas", site=site)
        remedy = Text("'sync'") if drill.sync is None else drill.sync.to
        yield _error("not-applicable", path, message, remedy)


def _elsewhere(path: Path, site: str, drill: Drill) -> Finding:
    message = Text("{site} neither sends nor gets replicas", site=site)
    remedy = "" if drill.sync is None else Text("{source} or {target}", source=drill.sync.from_, target=drill.sync.to)
    return _error("not-applicable", path, message, remedy)


def _error(rule: str, path: Path, message: str, remedy: str) -> Finding:
    return Finding(rule, Severity.ERROR, path, message, remedy)
