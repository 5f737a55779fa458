"""Fields of a drill that do not fit together, whatever each of them says alone."""

from collections.abc import Iterator, Mapping

from scenarios.model import (
    Drill,
    Fault,
    SbcPair,
    Step,
    SwitchNodes,
    When,
)
from scenarios.numberplan import is_emergency
from scenarios.problems import Finding, fold
from scenarios.rules import sync_references
from scenarios.rules.biztel_fields import biztel_fields
from scenarios.rules.hours import without_start
from scenarios.rules.names import AGENTS, TARGETS, name_error
from scenarios.rules.number_fields import number_fields
from scenarios.rules.port_fields import port_fields
from scenarios.rules.rule import both
from scenarios.rules.targets import target_fields
from scenarios.text import Text
from scenarios.tolerances import MEASURES, Measure

Path = tuple[str | int, ...]


def combinations(drill: Drill, *, staffed: bool) -> Iterator[Finding]:
    """Yield what single fields cannot show: too few, too many, or fields that mean nothing together.

    ``staffed``: whether there are agents, or nobody can know.
    """
    for name, site in drill.sites.items():
        if site.retry_after is not None and site.register_rate is None:
            message = Text("a registrar that takes every REGISTER answers no 503 that could say Retry-After")
            yield name_error("not-applicable", ("sites", name, "retry_after"), message, Text("'register_rate'"))
    for name, pair in drill.sbc_pairs.items():
        yield from _of_pair(("sbc_pairs", name), pair)
    for number, entry in drill.numbers.items():
        path = ("numbers", number)
        if is_emergency(number):
            message = Text("{number} is an emergency number, and no call to it comes in (J5)", number=number)
            yield name_error("not-applicable", path, message, Text("a number that the plan answers"))
        if entry.to is not None and entry.trunk is not None:
            yield name_error(
                "exactly-one", (*path, "to"), Text("a number has either 'to' or 'trunk', not both"), Text("one of them")
            )
        elif entry.to is None and entry.trunk is None:
            yield name_error(
                "exactly-one", path, Text("the number leads nowhere"), Text("'to' (a number behind it) or 'trunk'")
            )
        elif entry.to is not None and entry.queue is not None:
            message = Text("calls go on to {number}, whose queue they wait in", number=entry.to)
            yield name_error("not-applicable", (*path, "queue"), message, Text("'queue' at {number}", number=entry.to))
        for index, trunk in enumerate(entry.trunks):
            if trunk in entry.trunks[:index]:
                message = Text("trunk {trunk!r} has been tried already when its turn comes again", trunk=trunk)
                yield name_error("duplicate-name", (*path, "trunk", index), message, Text("each trunk once"))
    for index, stream in enumerate(drill.traffic):
        if stream.from_ is None and stream.emergency:
            message = Text("{number} is an emergency number, and no call to it comes in (J5)", number=stream.to)
            yield name_error(
                "not-applicable", ("traffic", index, "to"), message, Text("'from' a group of agents who call it")
            )
        elif stream.emergency and stream.shows is not None:
            message = Text("an emergency call shows the number of the fixed line it leaves by (J5)")
            yield name_error("not-applicable", ("traffic", index, "shows"), message, Text("no 'shows'"))
        if stream.from_ is None and stream.shows is not None:
            message = Text("only outbound traffic ('from' a group of agents) shows a caller number")
            yield name_error("not-applicable", ("traffic", index, "shows"), message, Text("'from', or no 'shows'"))
        if not stream.arrivals.constant and drill.run.start is None:
            message = Text("arrivals follow the time of day, but the run does not say when it begins")
            yield name_error(
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
            yield name_error("not-applicable", ("drift", "allow", compared.text), message, allowed)
    if AGENTS in drill.actors:
        message = Text("every agent takes steps for themselves; their hours are the 'shifts' of their group")
        yield name_error("not-applicable", ("actors", AGENTS), message, Text("agents: {{…: {{shifts: …}}}}"))
    for name, actor in drill.actors.items():
        if actor.deputy_after is not None and actor.deputy is None:
            message = Text("this says when the deputy is called, but there is none")
            yield name_error("not-applicable", ("actors", name, "deputy_after"), message, Text("'deputy' with it"))
    for index, fault in enumerate(drill.faults):
        yield from _of_fault(("faults", index), fault, drill.sbc_pairs)
    for index, step in enumerate(drill.runbook):
        yield from _of_step_fields(("runbook", index), step, staffed)
        if isinstance(step.does, SwitchNodes) and _shared(drill.sbc_pairs, step.does.switch):
            message = Text("the nodes of an active-active pair have no roles to change")
            yield name_error(
                "not-applicable", ("runbook", index, "does", "switch"), message, Text("mode: active-standby")
            )
    yield from sync_references.combinations(drill)


def _of_pair(path: Path, pair: SbcPair) -> Iterator[Finding]:
    shared = pair.mode == "active-active"
    if shared and pair.detect.by == "vrrp":
        message = Text("both nodes of an active-active pair serve: no standby listens for adverts")
        yield name_error(
            "not-applicable", (*path, "detect"), message, Text("detect: {{by: options}}, failure or nobody")
        )
    elif not shared and pair.detect.by in ("failure", "nobody"):
        message = Text(
            "detection by {detector} tells whoever sends calls to two nodes; a standby has to see for itself",
            detector=pair.detect.by,
        )
        yield name_error(
            "not-applicable", (*path, "detect", "by"), message, Text("vrrp or options, or mode: active-active")
        )
    if shared and pair.keeps != "none" and "keeps" in pair.model_fields_set:
        message = Text("an active-active pair has no takeover that calls could survive")
        yield name_error("not-applicable", (*path, "keeps"), message, Text("keeps: none, or no 'keeps'"))
    if not shared and pair.passes == "proxy" and pair.keeps != "confirmed":
        message = Text("a proxy keeps what is answered, as dialogs need none of its state, and loses what is in set-up")
        yield name_error("not-applicable", (*path, "keeps"), message, Text("keeps: confirmed, or passes: b2bua"))
    if not shared and "failover" in pair.model_fields_set:
        message = Text("calls to one address have no other node to go to before it takes over")
        yield name_error("not-applicable", (*path, "failover"), message, Text("mode: active-active, or no 'failover'"))


def _of_fault(path: Path, fault: Fault, pairs: Mapping[str, SbcPair]) -> Iterator[Finding]:
    targets = fault.targets
    if len(targets) != 1:
        message = (
            Text("the fault names {fields}", fields=both(targets)) if targets else Text("the fault breaks nothing")
        )
        remedy = Text("exactly one of {fields}", fields=", ".join(map(repr, (*TARGETS, "identity"))))
        yield name_error("exactly-one", path, message, remedy)
    elif fault.fails == "standby" and _shared(pairs, fault.pair):
        yield name_error(
            "not-applicable", (*path, "fails"), Text("in an active-active pair none stands by"), Text("fails: active")
        )
    elif fault.how in ("hung", "restarted") and (fault.pair is None or fault.fails == "link"):
        message = Text("only the nodes of a pair hang or are restarted")
        yield name_error("not-applicable", (*path, "how"), message, Text("'pair', or how: killed"))
    elif fault.how == "restarted" and fault.lasts is None:
        yield name_error(
            "exactly-one", path, Text("a restart takes the time that the process needs to boot"), Text("'for'")
        )
    elif fault.fails == "link":
        if fault.pair is None or (fault.pair in pairs and pairs[fault.pair].detect.by != "vrrp"):
            message = Text("only the nodes of a pair that send each other adverts have a link to lose")
            yield name_error("not-applicable", (*path, "fails"), message, Text("a pair with detect: {{by: vrrp}}"))
    elif fault.fails == "503":
        if fault.trunk is None and fault.carrier is None:
            message = Text("only a trunk answers 503")
            yield name_error("not-applicable", (*path, "fails"), message, Text("'trunk' or 'carrier', or fails: all"))
    elif fault.fails != "all" and fault.pair is None:
        message = Text("only a pair has nodes of which the {node} one can fail", node=fault.fails)
        yield name_error("not-applicable", (*path, "fails"), message, Text("'pair', or fails: all"))
    yield from _of_degradation(path, fault)
    yield from _of_refusals(path, fault)


def _of_degradation(path: Path, fault: Fault) -> Iterator[Finding]:
    if fault.how != "degraded":
        for field in ("delay", "loss"):
            if getattr(fault, field) is not None:
                message = Text(
                    "'{field}' says how a degraded link treats datagrams; here it is cut, or is no link", field=field
                )
                yield name_error("not-applicable", (*path, field), message, Text("how: degraded"))
        return
    on_trunk = fault.trunk is not None or fault.carrier is not None
    if fault.fails != ("all" if fault.pair is None else "link") or not (on_trunk or fault.pair or fault.office):
        message = Text(
            "only links are degraded: that of a trunk or of all of a carrier, of an office, or of a pair's adverts"
        )
        remedy = Text("'trunk', 'carrier', 'office', or a 'pair' with fails: link; or how: killed")
        yield name_error("not-applicable", (*path, "how"), message, remedy)
    if fault.loss is None and (fault.delay is None or not any(fault.delay.parameters)):
        yield name_error(
            "exactly-one", path, Text("a degraded link makes datagrams late or loses them"), Text("'delay' or 'loss'")
        )


def _of_refusals(path: Path, fault: Fault) -> Iterator[Finding]:
    if fault.refuses is None:
        if "answer" in fault.model_fields_set:
            message = Text("'answer' is what a carrier says that refuses a share of calls")
            yield name_error("not-applicable", (*path, "answer"), message, Text("'refuses', or fails: 503"))
    elif fault.trunk is None and fault.carrier is None:
        message = Text("only carriers restrict calls, on one trunk or on all of theirs")
        yield name_error("not-applicable", (*path, "refuses"), message, Text("'trunk' or 'carrier'"))
    elif fault.fails != "all" or fault.how != "killed":
        message = Text("a trunk whose carrier refuses a share of calls works otherwise")
        yield name_error(
            "exactly-one", (*path, "refuses"), message, Text("'refuses', or 'fails' and 'how', in a fault each")
        )
    if fault.retry_after is not None and not (fault.fails == "503" or (fault.refuses and fault.answer == 503)):
        message = Text("only 503 is obeyed when it says Retry-After (S2)")
        yield name_error("not-applicable", (*path, "retry_after"), message, Text("'refuses' with 503, or fails: 503"))


def _shared(pairs: Mapping[str, SbcPair], name: str | None) -> bool:
    return name in pairs and pairs[name].mode == "active-active" if name is not None else False


def _of_step_fields(path: Path, step: Step, staffed: bool) -> Iterator[Finding]:
    if step.starts is not None and step.after is not None:
        message = Text("a step begins after a fault ('starts') or after steps ('after'), not both")
        yield name_error("exactly-one", (*path, "after"), message, Text("one of them"))
    if step.starts is not None and (step.starts.after is None) == (step.starts.at is None):
        message = Text("a first step is set off by a fault ('after') or planned for a time ('at')")
        yield name_error("exactly-one", (*path, "starts"), message, Text("one of them"))
    if step.when is not None:
        yield from _of_condition_fields((*path, "when"), step.when)
    if step.by != AGENTS and fold(step.by) in (AGENTS, "agent"):
        message = Text("{name!r} is one person; every agent for themselves is {agents!r}", name=step.by, agents=AGENTS)
        yield name_error("dangling-reference", (*path, "by"), message, Text("by: {agents}", agents=AGENTS))
    if step.by == AGENTS and not staffed:
        yield name_error(
            "dangling-reference", (*path, "by"), Text("the drill declares no agents (G13)"), Text("agents: {{…}}")
        )


def _of_condition_fields(path: Path, when: When) -> Iterator[Finding]:
    if when.registered is None:
        for field in ("site", "share"):
            if field in when.model_fields_set:
                message = Text("this says where and how many phones are 'registered', which is not asked")
                yield name_error("not-applicable", (*path, field), message, Text("'registered' with it"))
        if all(each is None for each in (when.repaired, when.in_service, when.idle, when.granted)):
            yield name_error("exactly-one", path, Text("the step waits for nothing"), _CONDITIONS)
    elif when.site is None:
        message = Text(
            "phones of {group} are registered somewhere: the condition does not say where", group=when.registered
        )
        yield name_error("exactly-one", (*path, "registered"), message, Text("'site' with it"))


_CONDITIONS = Text("'repaired', 'in_service', 'idle', 'granted', 'registered', or several of them")
