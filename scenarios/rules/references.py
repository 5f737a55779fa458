"""References and names: every name a drill uses leads to exactly one thing (G13), and fields fit together."""

from collections.abc import Iterator, Mapping
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
    Fault,
    Forward,
    LookAtSync,
    RequestPorts,
    Reroute,
    Resume,
    ResumeSync,
    SbcPair,
    Step,
    SwitchNodes,
    SwitchSoftphones,
    Traffic,
    Verify,
    VerifyOut,
    When,
)
from scenarios.numberplan import is_emergency
from scenarios.problems import Finding, Severity, did_you_mean, fold
from scenarios.replication import replicated
from scenarios.rules import sync_references
from scenarios.rules.biztel_fields import biztel_fields
from scenarios.rules.hours import without_start
from scenarios.rules.number_fields import number_fields
from scenarios.rules.port_fields import port_fields
from scenarios.rules.rule import both, listed
from scenarios.rules.targets import target_fields
from scenarios.text import Text
from scenarios.tolerances import MEASURES, Measure

Path = tuple[str | int, ...]
Names = tuple[str, ...] | None
"""Declared names; None where the section is missing or no section, so that nobody can know them."""

AGENTS = "agents"
"""The actor of a step whom every agent plays for themselves."""
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
_TARGETS = {
    "site": "sites",
    "pair": "pairs",
    "trunk": "trunks",
    "carrier": "carriers",
    "registrar": "sites",
    "office": "offices",
}
"""What the targets of a fault name."""
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
    return [*_leading_nowhere(drill, declared), *_twice(drill), *_combinations(drill, declared)]


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
            yield _error("dangling-reference", path, message, listed(names, _SHOWN) if names else remedy)


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
            if field in _TARGETS:
                yield _Reference(("faults", index, field), _TARGETS[field], name)
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
                yield _error("duplicate-name", path, message, Text("each {kind} by a name of its own", kind=kind))
            seen.add(name)
    for section, names in (("trunks", drill.trunks), ("sbc_pairs", drill.sbc_pairs)):
        for name in names:
            if name in CONTRACT_LIMITS:
                message = Text("{name!r} is the name of a contract-wide limit (ports: {{{name}: …}})", name=name)
                yield _error("duplicate-name", (section, name), message, Text("another name"))
    for name in drill.trunks:
        if name in drill.sbc_pairs:
            message = Text(
                "a trunk and an SBC pair are both called {name!r}; ports_peak{{limit={name}}} could mean either",
                name=name,
            )
            yield _error("duplicate-name", ("trunks", name), message, Text("a name that no other limit has"))
    queries = [compared.query for compared in drill.drift.allow]
    for index, compared in enumerate(drill.drift.allow):
        if compared.query in queries[:index]:
            message = Text("{query} stands above already, written differently", query=compared.query)
            yield _error("duplicate-name", ("drift", "allow", compared.text), message, Text("each metric once"))


def _combinations(drill: Drill, declared: Declared) -> Iterator[Finding]:
    """Yield what single fields cannot show: too few, too many, or fields that mean nothing together."""
    for name, site in drill.sites.items():
        if site.retry_after is not None and site.register_rate is None:
            message = Text("a registrar that takes every REGISTER answers no 503 that could say Retry-After")
            yield _error("not-applicable", ("sites", name, "retry_after"), message, Text("'register_rate'"))
    for name, pair in drill.sbc_pairs.items():
        yield from _of_pair(("sbc_pairs", name), pair)
    for number, entry in drill.numbers.items():
        path = ("numbers", number)
        if is_emergency(number):
            message = Text("{number} is an emergency number, and no call to it comes in (J5)", number=number)
            yield _error("not-applicable", path, message, Text("a number that the plan answers"))
        if entry.to is not None and entry.trunk is not None:
            yield _error(
                "exactly-one", (*path, "to"), Text("a number has either 'to' or 'trunk', not both"), Text("one of them")
            )
        elif entry.to is None and entry.trunk is None:
            yield _error(
                "exactly-one", path, Text("the number leads nowhere"), Text("'to' (a number behind it) or 'trunk'")
            )
        elif entry.to is not None and entry.queue is not None:
            message = Text("calls go on to {number}, whose queue they wait in", number=entry.to)
            yield _error("not-applicable", (*path, "queue"), message, Text("'queue' at {number}", number=entry.to))
        for index, trunk in enumerate(entry.trunks):
            if trunk in entry.trunks[:index]:
                message = Text("trunk {trunk!r} has been tried already when its turn comes again", trunk=trunk)
                yield _error("duplicate-name", (*path, "trunk", index), message, Text("each trunk once"))
    for index, stream in enumerate(drill.traffic):
        if stream.from_ is None and stream.emergency:
            message = Text("{number} is an emergency number, and no call to it comes in (J5)", number=stream.to)
            yield _error(
                "not-applicable", ("traffic", index, "to"), message, Text("'from' a group of agents who call it")
            )
        elif stream.emergency and stream.shows is not None:
            message = Text("an emergency call shows the number of the fixed line it leaves by (J5)")
            yield _error("not-applicable", ("traffic", index, "shows"), message, Text("no 'shows'"))
        if stream.from_ is None and stream.shows is not None:
            message = Text("only outbound traffic ('from' a group of agents) shows a caller number")
            yield _error("not-applicable", ("traffic", index, "shows"), message, Text("'from', or no 'shows'"))
        if not stream.arrivals.constant and drill.run.start is None:
            message = Text("arrivals follow the time of day, but the run does not say when it begins")
            yield _error(
                "profile-without-start", ("traffic", index, "arrivals"), message, Text("run: {{start: 09:00}}")
            )
    yield from without_start(drill)
    yield from number_fields(drill)
    yield from target_fields(drill)
    yield from biztel_fields(drill)
    yield from port_fields(drill)
    for compared, tolerance in drill.drift.allow.items():
        metric = compared.query.definition
        if not tolerance.fits(metric.unit):
            message = Text("{metric} is measured in {unit}", metric=metric.name, unit=Text(metric.unit))
            allowed = Text(
                "{measure}, or {percentage}",
                measure=Text(MEASURES[metric.unit].value),
                percentage=Text(Measure.PERCENT.value),
            )
            yield _error("not-applicable", ("drift", "allow", compared.text), message, allowed)
    if AGENTS in drill.actors:
        message = Text("every agent takes steps for themselves; their hours are the 'shifts' of their group")
        yield _error("not-applicable", ("actors", AGENTS), message, Text("agents: {{…: {{shifts: …}}}}"))
    for name, actor in drill.actors.items():
        if actor.deputy_after is not None and actor.deputy is None:
            message = Text("this says when the deputy is called, but there is none")
            yield _error("not-applicable", ("actors", name, "deputy_after"), message, Text("'deputy' with it"))
    for index, fault in enumerate(drill.faults):
        yield from _of_fault(("faults", index), fault, drill.sbc_pairs)
    for index, step in enumerate(drill.runbook):
        yield from _of_step_fields(("runbook", index), step, declared.groups != ())
        if isinstance(step.does, SwitchNodes) and _shared(drill.sbc_pairs, step.does.switch):
            message = Text("the nodes of an active-active pair have no roles to change")
            yield _error("not-applicable", ("runbook", index, "does", "switch"), message, Text("mode: active-standby"))
    yield from sync_references.combinations(drill)


def _of_pair(path: Path, pair: SbcPair) -> Iterator[Finding]:
    shared = pair.mode == "active-active"
    if shared and pair.detect.by == "vrrp":
        message = Text("both nodes of an active-active pair serve: no standby listens for adverts")
        yield _error("not-applicable", (*path, "detect"), message, Text("detect: {{by: options}}, failure or nobody"))
    elif not shared and pair.detect.by in ("failure", "nobody"):
        message = Text(
            "detection by {detector} tells whoever sends calls to two nodes; a standby has to see for itself",
            detector=pair.detect.by,
        )
        yield _error(
            "not-applicable", (*path, "detect", "by"), message, Text("vrrp or options, or mode: active-active")
        )
    if shared and pair.keeps != "none" and "keeps" in pair.model_fields_set:
        message = Text("an active-active pair has no takeover that calls could survive")
        yield _error("not-applicable", (*path, "keeps"), message, Text("keeps: none, or no 'keeps'"))
    if not shared and pair.passes == "proxy" and pair.keeps != "confirmed":
        message = Text("a proxy keeps what is answered, as dialogs need none of its state, and loses what is in set-up")
        yield _error("not-applicable", (*path, "keeps"), message, Text("keeps: confirmed, or passes: b2bua"))
    if not shared and "failover" in pair.model_fields_set:
        message = Text("calls to one address have no other node to go to before it takes over")
        yield _error("not-applicable", (*path, "failover"), message, Text("mode: active-active, or no 'failover'"))


def _of_fault(path: Path, fault: Fault, pairs: Mapping[str, SbcPair]) -> Iterator[Finding]:
    targets = fault.targets
    if len(targets) != 1:
        message = (
            Text("the fault names {fields}", fields=both(targets)) if targets else Text("the fault breaks nothing")
        )
        remedy = Text("exactly one of {fields}", fields=", ".join(map(repr, (*_TARGETS, "identity"))))
        yield _error("exactly-one", path, message, remedy)
    elif fault.fails == "standby" and _shared(pairs, fault.pair):
        yield _error(
            "not-applicable", (*path, "fails"), Text("in an active-active pair none stands by"), Text("fails: active")
        )
    elif fault.how in ("hung", "restarted") and (fault.pair is None or fault.fails == "link"):
        message = Text("only the nodes of a pair hang or are restarted")
        yield _error("not-applicable", (*path, "how"), message, Text("'pair', or how: killed"))
    elif fault.how == "restarted" and fault.lasts is None:
        yield _error(
            "exactly-one", path, Text("a restart takes the time that the process needs to boot"), Text("'for'")
        )
    elif fault.fails == "link":
        if fault.pair is None or (fault.pair in pairs and pairs[fault.pair].detect.by != "vrrp"):
            message = Text("only the nodes of a pair that send each other adverts have a link to lose")
            yield _error("not-applicable", (*path, "fails"), message, Text("a pair with detect: {{by: vrrp}}"))
    elif fault.fails == "503":
        if fault.trunk is None and fault.carrier is None:
            message = Text("only a trunk answers 503")
            yield _error("not-applicable", (*path, "fails"), message, Text("'trunk' or 'carrier', or fails: all"))
    elif fault.fails != "all" and fault.pair is None:
        message = Text("only a pair has nodes of which the {node} one can fail", node=fault.fails)
        yield _error("not-applicable", (*path, "fails"), message, Text("'pair', or fails: all"))
    yield from _of_degradation(path, fault)
    yield from _of_refusals(path, fault)


def _of_degradation(path: Path, fault: Fault) -> Iterator[Finding]:
    if fault.how != "degraded":
        for field in ("delay", "loss"):
            if getattr(fault, field) is not None:
                message = Text(
                    "'{field}' says how a degraded link treats datagrams; here it is cut, or is no link", field=field
                )
                yield _error("not-applicable", (*path, field), message, Text("how: degraded"))
        return
    on_trunk = fault.trunk is not None or fault.carrier is not None
    if fault.fails != ("all" if fault.pair is None else "link") or not (on_trunk or fault.pair or fault.office):
        message = Text(
            "only links are degraded: that of a trunk or of all of a carrier, of an office, or of a pair's adverts"
        )
        remedy = Text("'trunk', 'carrier', 'office', or a 'pair' with fails: link; or how: killed")
        yield _error("not-applicable", (*path, "how"), message, remedy)
    if fault.loss is None and (fault.delay is None or not any(fault.delay.parameters)):
        yield _error(
            "exactly-one", path, Text("a degraded link makes datagrams late or loses them"), Text("'delay' or 'loss'")
        )


def _of_refusals(path: Path, fault: Fault) -> Iterator[Finding]:
    if fault.refuses is None:
        if "answer" in fault.model_fields_set:
            message = Text("'answer' is what a carrier says that refuses a share of calls")
            yield _error("not-applicable", (*path, "answer"), message, Text("'refuses', or fails: 503"))
    elif fault.trunk is None and fault.carrier is None:
        message = Text("only carriers restrict calls, on one trunk or on all of theirs")
        yield _error("not-applicable", (*path, "refuses"), message, Text("'trunk' or 'carrier'"))
    elif fault.fails != "all" or fault.how != "killed":
        message = Text("a trunk whose carrier refuses a share of calls works otherwise")
        yield _error(
            "exactly-one", (*path, "refuses"), message, Text("'refuses', or 'fails' and 'how', in a fault each")
        )
    if fault.retry_after is not None and not (fault.fails == "503" or (fault.refuses and fault.answer == 503)):
        message = Text("only 503 is obeyed when it says Retry-After (S2)")
        yield _error("not-applicable", (*path, "retry_after"), message, Text("'refuses' with 503, or fails: 503"))


def _shared(pairs: Mapping[str, SbcPair], name: str | None) -> bool:
    return name in pairs and pairs[name].mode == "active-active" if name is not None else False


def _of_step_fields(path: Path, step: Step, staffed: bool) -> Iterator[Finding]:
    if step.starts is not None and step.after is not None:
        message = Text("a step begins after a fault ('starts') or after steps ('after'), not both")
        yield _error("exactly-one", (*path, "after"), message, Text("one of them"))
    if step.starts is not None and (step.starts.after is None) == (step.starts.at is None):
        message = Text("a first step is set off by a fault ('after') or planned for a time ('at')")
        yield _error("exactly-one", (*path, "starts"), message, Text("one of them"))
    if step.when is not None:
        yield from _of_condition_fields((*path, "when"), step.when)
    if step.by != AGENTS and fold(step.by) in (AGENTS, "agent"):
        message = Text("{name!r} is one person; every agent for themselves is {agents!r}", name=step.by, agents=AGENTS)
        yield _error("dangling-reference", (*path, "by"), message, Text("by: {agents}", agents=AGENTS))
    if step.by == AGENTS and not staffed:
        yield _error(
            "dangling-reference", (*path, "by"), Text("the drill declares no agents (G13)"), Text("agents: {{…}}")
        )


def _of_condition_fields(path: Path, when: When) -> Iterator[Finding]:
    if when.registered is None:
        for field in ("site", "share"):
            if field in when.model_fields_set:
                message = Text("this says where and how many phones are 'registered', which is not asked")
                yield _error("not-applicable", (*path, field), message, Text("'registered' with it"))
        if all(each is None for each in (when.repaired, when.in_service, when.idle, when.granted)):
            yield _error("exactly-one", path, Text("the step waits for nothing"), _CONDITIONS)
    elif when.site is None:
        message = Text(
            "phones of {group} are registered somewhere: the condition does not say where", group=when.registered
        )
        yield _error("exactly-one", (*path, "registered"), message, Text("'site' with it"))


_CONDITIONS = Text("'repaired', 'in_service', 'idle', 'granted', 'registered', or several of them")


def _error(rule: str, path: Path, message: Text, remedy: Text) -> Finding:
    return Finding(rule, Severity.ERROR, path, message, remedy)
