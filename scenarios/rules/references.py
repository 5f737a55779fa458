"""References and names: every name a drill uses leads to exactly one thing (G13)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from scenarios.expectations import Query
from scenarios.model import (
    Action,
    Activate,
    Announce,
    CallerNumbers,
    Deactivate,
    DefaultCaller,
    Delete,
    Drain,
    Drill,
    Enter,
    Export,
    Forward,
    LookAtSync,
    RequestPorts,
    Reroute,
    Resume,
    ResumeSync,
    Step,
    SwitchNodes,
    SwitchSoftphones,
    Traffic,
    Verify,
    VerifyOut,
    When,
)
from scenarios.problems import Finding, did_you_mean
from scenarios.replication import replicated
from scenarios.rules import sync_references
from scenarios.rules.combinations import combinations
from scenarios.rules.names import AGENTS, TARGETS, name_error
from scenarios.rules.rule import listed
from scenarios.text import Text

Path = tuple[str | int, ...]
Names = tuple[str, ...] | None
"""Declared names; None where the section is missing or no section, so that nobody can know them."""

CONTRACT_LIMITS = ("tenant", "outbound")
"""Limits that are no trunk's, pair's or number's."""
_HINTS = 100
"""Findings that come with did-you-mean; each takes a look at all names."""
_SHOWN = 12
"""Names that a message lists."""


@dataclass(frozen=True, slots=True)
class Declared:
    """The names a file declares, those of parts included that are otherwise wrong."""

    sites: Names
    pairs: Names
    trunks: Names
    carriers: Names
    numbers: Names
    queues: Names
    offices: Names
    groups: Names
    faults: Names
    steps: Names
    limits: Names
    calendars: Names
    actors: Names
    data: Names
    changes: Names
    consoles: Names
    dialled: Names
    """Numbers that calls are about: those of the plan, and those that anybody dials."""

    @property
    def causes(self) -> Names:
        """What can be lost with the calls on it; each node of a pair counts."""
        if self.pairs is None or self.trunks is None or self.offices is None:
            return None
        return (*self.pairs, *(f"{pair}/{node}" for pair in self.pairs for node in (1, 2)), *self.trunks, *self.offices)

    @property
    def places(self) -> Names:
        """What people and consoles are at."""
        return None if self.sites is None or self.offices is None else (*self.sites, *self.offices)

    @classmethod
    def by(cls, drill: Drill) -> "Declared":
        """Return what a valid drill declares."""
        contract = [name for name in CONTRACT_LIMITS if getattr(drill.ports, name) is not None]
        taps = [number for number, entry in drill.numbers.items() if entry.tap is not None]
        return cls(
            sites=tuple(drill.sites),
            pairs=tuple(drill.sbc_pairs),
            trunks=tuple(drill.trunks),
            carriers=tuple(dict.fromkeys(each.carrier for each in drill.trunks.values() if each.carrier is not None)),
            numbers=tuple(drill.numbers),
            queues=tuple(drill.queue_table()),
            offices=tuple(drill.offices),
            groups=tuple(drill.agents),
            faults=tuple(fault.name for fault in drill.faults),
            steps=tuple(step.step for step in drill.runbook),
            limits=(*contract, *drill.trunks, *drill.sbc_pairs, *taps, *drill.forwarding_limits()),
            dialled=(*drill.numbers, *(stream.to for stream in drill.traffic)),
            calendars=tuple(drill.calendars),
            actors=tuple(drill.actors),
            data=tuple(replicated(drill)),
            changes=tuple(change.name for change in drill.changes),
            consoles=tuple(drill.consoles),
        )


class _Reference(NamedTuple):
    """A name used at a path, and what it has to be the name of."""

    path: Path
    kind: str
    name: str | None


_SINGULAR = {
    "sites": Text("site"),
    "pairs": Text("SBC pair"),
    "trunks": Text("trunk"),
    "carriers": Text("carrier"),
    "numbers": Text("number"),
    "queues": Text("queue"),
    "offices": Text("office"),
    "groups": Text("group of agents"),
    "faults": Text("fault"),
    "steps": Text("step"),
    "limits": Text("limit"),
    "causes": Text("pair, node, trunk or office"),
    "dialled": Text("number"),
    "calendars": Text("calendar"),
    "actors": Text("actor"),
    "data": Text("class of data"),
    "changes": Text("change"),
    "consoles": Text("console"),
    "places": Text("site or office"),
}
_SELECTORS = {
    "number": "dialled",
    "trunk": "trunks",
    "site": "sites",
    "queue": "queues",
    "limit": "limits",
    "pair": "pairs",
    "agents": "groups",
    "step": "steps",
    "since": "steps",
    "data": "data",
}
"""What the selectors of an expectation name."""
QUEUE_LIMITS = ("queue full", "wait too long")
"""What a queue that takes no further caller gives as the limit (W14)."""
CPS = " cps"
"""Follows the name of a pair in that of the limit of its new calls per second."""


def dangling(drill: Drill, declared: Declared) -> list[Finding]:
    """Return what is wrong with the names of a drill, in the order of its parts; all findings are errors."""
    return [*_leading_nowhere(drill, declared), *_twice(drill), *combinations(drill, staffed=declared.groups != ())]


def _leading_nowhere(drill: Drill, declared: Declared) -> Iterator[Finding]:
    declares: dict[str, Names] = {kind: getattr(declared, kind) for kind in _SINGULAR}
    known = {kind: frozenset(names) for kind, names in declares.items() if names is not None}
    hints = 0
    for path, kind, name in _references(drill):
        names = declares[kind]
        if name is not None and names is not None and name not in known[kind]:
            hints += 1
            hint = did_you_mean(name, names) if hints <= _HINTS else ""
            message = Text("no {kind} is called {name!r}{hint} (G13)", kind=_SINGULAR[kind], name=name, hint=hint)
            remedy = Text("a {kind} that the drill declares; there is none yet", kind=_SINGULAR[kind])
            yield name_error("dangling-reference", path, message, listed(names, _SHOWN) if names else remedy)


def _references(drill: Drill) -> Iterator[_Reference]:
    for name, pair in drill.sbc_pairs.items():
        yield _Reference(("sbc_pairs", name, "site"), "sites", pair.site)
    for name, trunk in drill.trunks.items():
        yield _Reference(("trunks", name, "via"), "pairs", trunk.via)
        yield _Reference(("trunks", name, "site"), "sites", trunk.site)
    for name, number in drill.numbers.items():
        yield _Reference(("numbers", name, "to"), "numbers", number.to)
        for index, tried in enumerate(number.trunks):
            inner = (index,) if isinstance(number.trunk, list) else ()
            yield _Reference(("numbers", name, "trunk", *inner), "trunks", tried)
        yield _Reference(("numbers", name, "queue"), "queues", number.queue)
        yield _Reference(("numbers", name, "open"), "calendars", number.open)
    yield _Reference(("default_caller",), "numbers", drill.default_caller)
    for name, queue in drill.queues.items():
        yield _Reference(("queues", name, "open"), "calendars", queue.open)
        for index, group in enumerate(queue.agents):
            yield _Reference(("queues", name, "agents", index), "groups", group)
        for position, stage in enumerate(queue.widen):
            for index, group in enumerate(stage.agents):
                yield _Reference(("queues", name, "widen", position, "agents", index), "groups", group)
        if queue.overflow is not None:
            yield _Reference(("queues", name, "overflow", "trunk"), "trunks", queue.overflow.trunk)
    for name, agents in drill.agents.items():
        yield _Reference(("agents", name, "caller_number"), "numbers", agents.caller_number)
        yield _Reference(("agents", name, "office"), "offices", agents.office)
        for calendar in agents.shifts:
            yield _Reference(("agents", name, "shifts", calendar), "calendars", calendar)
        for index, site in enumerate(agents.softphone.sites):
            yield _Reference(("agents", name, "softphone", "sites", index), "sites", site)
    for index, stream in enumerate(drill.traffic):
        yield from _of_traffic(("traffic", index), stream)
    for index, fault in enumerate(drill.faults):
        for field, name in fault.targets.items():
            if field in TARGETS:
                yield _Reference(("faults", index, field), TARGETS[field], name)
    for name, actor in drill.actors.items():
        yield _Reference(("actors", name, "hours"), "calendars", actor.hours)
        yield _Reference(("actors", name, "deputy"), "actors", actor.deputy)
    for index, step in enumerate(drill.runbook):
        yield from _of_step(("runbook", index), step)
        if drill.actors and step.by != AGENTS:
            yield _Reference(("runbook", index, "by"), "actors", step.by)
    for index, expectation in enumerate(drill.expect):
        yield from _of_query(("expect", index), expectation.query)
    for index, expectation in enumerate(drill.live.expect):
        yield from _of_query(("live", "expect", index), expectation.query)
    yield from (_Reference(*used) for used in sync_references.references(drill))
    for name in drill.targets:
        yield _Reference(("targets", name), "pairs", name)
    for compared in drill.drift.allow:
        yield from _of_query(("drift", "allow", compared.text), compared.query)


def _of_traffic(path: Path, stream: Traffic) -> Iterator[_Reference]:
    if stream.from_ is None and not stream.emergency:
        yield _Reference((*path, "to"), "numbers", stream.to)
    yield _Reference((*path, "from"), "groups", stream.from_)
    if stream.shows not in ("default", "terminal"):
        yield _Reference((*path, "shows"), "numbers", stream.shows)
    if stream.surge is not None:
        yield _Reference((*path, "surge", "at"), "faults", stream.surge.at)


def _of_step(path: Path, step: Step) -> Iterator[_Reference]:
    if step.starts is not None:
        yield _Reference((*path, "starts", "after"), "faults", step.starts.after)
    for position, name in enumerate(step.predecessors):
        inner = (position,) if isinstance(step.after, list) else ()
        yield _Reference((*path, "after", *inner), "steps", name)
    for position, name in enumerate(step.consoles):
        inner = (position,) if isinstance(step.uses, list) else ()
        yield _Reference((*path, "uses", *inner), "consoles", name)
    if step.when is not None:
        yield from _of_condition((*path, "when"), step.when)
    if step.does is not None:
        for field, kind, name in _of_action(step.does):
            yield _Reference((*path, "does", field), kind, name)


def _of_action(action: Action) -> tuple[tuple[str, str, str], ...]:
    """Return field, kind and name of each reference of an action."""
    match action:
        case Activate(activate=site):
            return (("activate", "sites", site),)
        case Deactivate(deactivate=site):
            return (("deactivate", "sites", site),)
        case DefaultCaller(default_caller=number):
            return (("default_caller", "numbers", number),)
        case SwitchSoftphones(softphones=group, site=site):
            return (("softphones", "groups", group), ("site", "sites", site))
        case CallerNumbers(caller_numbers=group, to=number):
            return (("caller_numbers", "groups", group), ("to", "numbers", number))
        case Reroute(route=number, to=target):
            return (("route", "numbers", number), ("to", "numbers", target))
        case Forward(forward=number, to=target):
            return (("forward", "numbers", number), ("to", "numbers", target))
        case Announce(announce=number, to=target):
            return (("announce", "numbers", number), ("to", "numbers", target))
        case Verify(verify=number):
            return (("verify", "numbers", number),)
        case VerifyOut(verify_out=group):
            return (("verify_out", "groups", group),)
        case Drain(drain=pair):
            return (("drain", "pairs", pair),)
        case Resume(resume=pair):
            return (("resume", "pairs", pair),)
        case SwitchNodes(switch=pair):
            return (("switch", "pairs", pair),)
        case RequestPorts():
            return ()
        case Enter(enter=change, site=site):
            return (("enter", "changes", change), ("site", "sites", site))
        case LookAtSync(look_at_sync=site):
            return (("look_at_sync", "sites", site),)
        case ResumeSync(resume_sync=site):
            return (("resume_sync", "sites", site),)
        case Export(export=data, site=site):
            return (("export", "data", data), ("site", "sites", site))
        case Delete(delete=data, site=site):
            return (("delete", "data", data), ("site", "sites", site))


def _of_condition(path: Path, when: When) -> Iterator[_Reference]:
    yield _Reference((*path, "repaired"), "faults", when.repaired)
    yield _Reference((*path, "in_service"), "sites", when.in_service)
    yield _Reference((*path, "idle"), "pairs", when.idle)
    yield _Reference((*path, "granted"), "steps", when.granted)
    yield _Reference((*path, "registered"), "groups", when.registered)
    yield _Reference((*path, "site"), "sites", when.site)


def _of_query(path: Path, query: Query) -> Iterator[_Reference]:
    refusals = query.metric != "ports_peak"  # of what has no ports
    for selector, name in query.selectors:
        match selector:
            case "limit" if refusals and name in QUEUE_LIMITS:
                pass
            case "limit" if refusals and name.endswith(CPS):
                yield _Reference(path, "pairs", name.removesuffix(CPS))
            case "cause":
                yield _Reference(path, "causes", lost_part(name))
            case _ if selector in _SELECTORS:
                yield _Reference(path, _SELECTORS[selector], name)


def lost_part(cause: str) -> str:
    """Return the part that a cause of dropped calls is about: ``edge`` of ``edge resigned``."""
    return cause.removesuffix(" lost").removesuffix(" resigned")


def _twice(drill: Drill) -> Iterator[Finding]:
    faults = [(("faults", index, "name"), fault.name) for index, fault in enumerate(drill.faults)]
    steps = [(("runbook", index, "step"), step.step) for index, step in enumerate(drill.runbook)]
    changes = [(("changes", index, "name"), change.name) for index, change in enumerate(drill.changes)]
    sections = (("faults", faults), ("steps", steps), ("changes", changes))
    for kind, named in ((_SINGULAR[section], each) for section, each in sections):
        seen: set[str] = set()
        for path, name in named:
            if name in seen:
                message = Text("another {kind} above is called {name!r} too (G13)", kind=kind, name=name)
                yield name_error("duplicate-name", path, message, Text("each {kind} by a name of its own", kind=kind))
            seen.add(name)
    for section, names in (("trunks", drill.trunks), ("sbc_pairs", drill.sbc_pairs)):
        for name in names:
            if name in CONTRACT_LIMITS:
                message = Text("{name!r} is the name of a contract-wide limit (ports: {{{name}: …}})", name=name)
                yield name_error("duplicate-name", (section, name), message, Text("another name"))
    for name in drill.trunks:
        if name in drill.sbc_pairs:
            message = Text(
                "a trunk and an SBC pair are both called {name!r}; ports_peak{{limit={name}}} could mean either",
                name=name,
            )
            yield name_error("duplicate-name", ("trunks", name), message, Text("a name that no other limit has"))
    queries = [compared.query for compared in drill.drift.allow]
    for index, compared in enumerate(drill.drift.allow):
        if compared.query in queries[:index]:
            message = Text("{query} stands above already, written differently", query=compared.query)
            yield name_error("duplicate-name", ("drift", "allow", compared.text), message, Text("each metric once"))
