"""Rules about port limits and requests to change them."""

from collections.abc import Iterator
from itertools import pairwise

from scenarios import portplan
from scenarios.model import Drill, PortManagement, Ports, RequestPorts, Step
from scenarios.portplan import MOST_CONCURRENT
from scenarios.problems import Severity
from scenarios.rules.packs.port_load import not_in_time
from scenarios.rules.packs.port_timeline import Asked, requests
from scenarios.rules.plan import course, highest_caps
from scenarios.rules.rule import Check, Declaration, Declarations, Path, Remark, Rule, listed
from scenarios.text import Text
from scenarios.units import format_duration


def _asking(drill: Drill) -> Iterator[tuple[int, Step, RequestPorts]]:
    for index, step in enumerate(drill.runbook):
        if isinstance(step.does, RequestPorts):
            yield index, step, step.does


def _plan(drill: Drill) -> PortManagement | None:
    """Return how ports are managed, in a plan that requests any."""
    return drill.port_management if any(_asking(drill)) else None


# What the vendor has to have enabled


def _disabled(drill: Drill) -> Iterator[Remark]:
    plan = _plan(drill)
    if plan is not None and plan.enabled == "no":
        message = Text("requests are filed, but self-service is not enabled for this tenant (P1)")
        yield Remark(("port_management", "enabled"), message, _REPRESENTATIVE)


def _perhaps_disabled(drill: Drill) -> Iterator[Remark]:
    plan = _plan(drill)
    if plan is not None and plan.enabled == "unknown":
        message = Text("requests are filed, and nobody has said whether self-service is enabled for this tenant (P1)")
        yield Remark(("port_management", "enabled"), message, _REPRESENTATIVE)


_REPRESENTATIVE = Text("have the representative enable it, then enabled: yes")


def _not_permitted(drill: Drill) -> Iterator[Remark]:
    plan = drill.port_management
    for index, step, _ in _asking(drill):
        for name in _who(drill, step.by) if plan is not None else ():
            if plan is not None and not portplan.may_request(plan, name):
                message = Text(
                    "{name} may come to file this request without the permission to create any: the case is opened, "
                    "the authority checked and the request rejected (P2, P7)",
                    name=name,
                )
                remedy = Text(
                    "permissions: {{{name}: create}}, once the representative has set it, or another actor", name=name
                )
                yield Remark(("runbook", index, "by"), message, remedy)


def _who(drill: Drill, name: str) -> list[str]:
    """Return an actor and the deputies who may act instead, in turn."""
    line: dict[str, None] = {}
    here: str | None = name
    while here is not None and here not in line:
        line[here] = None
        here = drill.actors[here].deputy if here in drill.actors else None
    return list(line)


def _needs_personal_connection(drill: Drill) -> Iterator[Path]:
    for index, _, does in _asking(drill):
        for name in ("outbound", "agentless"):
            if getattr(does.request_ports, name) is not None:
                yield "runbook", index, "does", "request_ports", name


def _no_personal_connection(drill: Drill) -> Iterator[Remark]:
    if drill.port_management is not None and drill.port_management.personal_connection == "no":
        for path in _needs_personal_connection(drill):
            message = Text("{name} ports can be changed only with Personal Connection (P4)", name=path[-1])
            yield Remark(path, message, Text("concurrent ports only, or personal_connection: yes"))


def _perhaps_no_personal_connection(drill: Drill) -> Iterator[Remark]:
    if drill.port_management is not None and drill.port_management.personal_connection == "unknown":
        for path in _needs_personal_connection(drill):
            message = Text(
                "{name} ports can be changed only with Personal Connection, and nobody has said whether the tenant has "
                "it (P4)",
                name=path[-1],
            )
            yield Remark(path, message, Text("personal_connection: yes, once that is known"))


# Limits that are granted to nobody


def _too_many(drill: Drill) -> Iterator[Remark]:
    stated: list[tuple[Path, int | None]] = [(("ports", "tenant"), drill.ports.tenant)]
    stated += [
        (("runbook", index, "does", "request_ports", "tenant"), does.request_ports.tenant)
        for index, _, does in _asking(drill)
    ]
    for path, ports in stated:
        if ports is not None and ports > MOST_CONCURRENT:
            message = Text("{ports} concurrent ports are more than a tenant may have (P8)", ports=ports)
            yield Remark(path, message, Text("at most {most}", most=MOST_CONCURRENT))


def _excess(drill: Drill) -> Iterator[tuple[Path, str, bool]]:
    """Yield where limits would come to stand that no rule, or only the weaker, allows: the path, the limits, which."""
    plan = drill.port_management
    if plan is not None and plan.personal_connection == "no":
        return
    rule = None if plan is None else plan.outbound_rule
    limits: list[tuple[Path, Ports]] = [(("ports",), drill.ports)]
    limits += [(asked.path, portplan.changed(asked.before, asked.limits)) for asked in requests(drill)]
    for path, held in limits:
        if portplan.exceeds(held, rule):
            ports = ", ".join(f"{name} {count}" for name, count in held.model_dump(exclude_none=True).items())
            yield path, ports, rule is not None or portplan.exceeds(held, "each")


def _above_concurrent(drill: Drill) -> Iterator[Remark]:
    for path, ports, surely in _excess(drill):
        if surely:
            message = Text(
                "the limits come to be {ports}: outbound and agentless ports must not exceed the concurrent ones, "
                "after a decrease either (P9)",
                ports=ports,
            )
            yield Remark(path, message, Text("fewer outbound and agentless ports, in the same request"))


def _perhaps_above_concurrent(drill: Drill) -> Iterator[Remark]:
    for path, ports, surely in _excess(drill):
        if not surely:
            message = Text(
                "the limits come to be {ports}: outbound and agentless ports together exceed the concurrent ones, and "
                "the plan does not say whether it is their sum that must not (P9)",
                ports=ports,
            )
            yield Remark(path, message, Text("port_management: {{outbound_rule: each}}, once that is known"))


# When requests are filed


def _no_daily_limit(drill: Drill) -> Iterator[Remark]:
    plan = drill.port_management
    raising = [asked for asked in requests(drill) if asked.more and asked.refusal is None]
    if plan is not None and plan.daily_limit is None and raising:
        message = Text("nobody has said how far ports may be raised in a day without a review (P5, P6)")
        remedy = Text("daily_limit, as network operations have it; until then every increase is reviewed")
        yield Remark(("port_management",), message, remedy)


def _in_the_event(drill: Drill) -> Iterator[Remark]:
    by_fault = _set_off_by_faults(drill)
    for asked in requests(drill):
        if not asked.quick and asked.step.step in by_fault:
            message = Text(
                "this increase of {more} ports has to be reviewed, and is filed only after {fault}: on average it is "
                "decided {wait} later, and nothing else can be requested meanwhile (P6, P12)",
                more=asked.more,
                fault=by_fault[asked.step.step],
                wait=format_duration(round(asked.decided - asked.filed)),
            )
            yield Remark(asked.path, message, Text("a request before the event, or increases below daily_limit"))


def _set_off_by_faults(drill: Drill) -> dict[str, str]:
    """Return the steps that some fault sets off, directly or by other steps, each with the fault."""
    found: dict[str, str] = {}
    for step in course(drill).values():
        causes = [found[name] for name in step.predecessors if name in found]
        causes += [step.starts.after] if step.starts is not None and step.starts.after is not None else []
        if causes:
            found[step.step] = causes[0]
    return found


def _overlapping(drill: Drill) -> Iterator[Remark]:
    for first, second in pairwise(requests(drill)):
        if second.wanted < first.decided:
            message = Text(
                "{first} is on average pending until {decided}, and this request, ready at {wanted}, cannot be filed "
                "before (P12)",
                first=f"'{first.step.step}'",
                decided=format_duration(round(first.decided)),
                wanted=format_duration(round(second.wanted)),
            )
            remedy = Text("one request for both, or when: {{granted: {first}}}", first=first.step.step)
            yield Remark(second.path, message, remedy)


def _not_restored(drill: Drill) -> Iterator[Remark]:
    raised: dict[str, Asked] = {}
    for each in (asked for asked in requests(drill) if asked.refusal is None):
        for name, count in each.limits.model_dump(exclude_none=True).items():
            at_first = getattr(drill.ports, name)
            if count > at_first:
                raised.setdefault(name, each)
            else:
                raised.pop(name, None)
    for name, each in raised.items():
        message = Text(
            "the {name} ports stay at {count}: an increase does not expire, and no later request takes it back (P17)",
            name=name,
            count=getattr(each.limits, name),
        )
        remedy = Text("a later step that requests {{{name}: {first}}}", name=name, first=getattr(drill.ports, name))
        yield Remark((*each.path, name), message, remedy)


def _dialled(drill: Drill) -> Iterator[Remark]:
    placing = {stream.from_ for stream in drill.traffic if stream.from_ is not None}
    dialling = {name: group for name, group in drill.agents.items() if group.dials is not None and name in placing}
    needed = sum((group.dials or 0) * group.count for group in dialling.values())
    for path in (("ports", "tenant"), ("ports", "outbound")):
        cap = highest_caps(drill).get(path)
        if cap is not None and needed > cap:
            message = Text(
                "dialling for {groups} takes {needed} ports, one for each try, but the {limit} limit is {cap} (P16)",
                groups=listed(dialling),
                needed=needed,
                limit=path[1],
                cap=cap,
            )
            yield Remark(path, message, Text("at least {needed}, or fewer 'dials'", needed=needed))


def _late(drill: Drill) -> Iterator[Remark]:
    return not_in_time(drill, requests(drill))


# What is taken at its word


def _declared(drill: Drill) -> Iterator[Declaration]:
    plan = _plan(drill)
    if plan is None:
        return
    if plan.enabled == "yes":
        yield Declaration(("port_management", "enabled"), ("P1",), Text("self-service is enabled for this tenant"))
    for name in dict.fromkeys(name for _, step, _ in _asking(drill) for name in _who(drill, step.by)):
        if portplan.may_request(plan, name):
            text = Text("{name} has the permission to create requests", name=name)
            yield Declaration(("port_management", "permissions", name), ("P2", "P7"), text)
    if plan.personal_connection == "yes" and any(_needs_personal_connection(drill)):
        yield Declaration(("port_management", "personal_connection"), ("P4",), Text("there is Personal Connection"))
    if plan.daily_limit is not None:
        text = Text("up to {limit} ports a day are granted without a review", limit=plan.daily_limit)
        yield Declaration(("port_management", "daily_limit"), ("P5", "P6"), text)
    if plan.outbound_rule == "each":
        text = Text("outbound and agentless ports are each held against the concurrent ones, not their sum")
        yield Declaration(("port_management", "outbound_rule"), ("P9",), text)


def _rule(id_: str, severity: Severity, why: str, *cites: str) -> Rule:
    return Rule(id_, severity, why, cites=cites, system="cxone-ports")


PORT_MANAGEMENT: dict[Rule, Check] = {
    _rule(
        "port-management-off",
        Severity.ERROR,
        "Where the representative has not enabled self-service, nobody can request ports.",
        "P1",
    ): _disabled,
    _rule(
        "port-management-unknown",
        Severity.WARNING,
        "Whether the representative has enabled self-service is a question for an ordinary day.",
        "P1",
    ): _perhaps_disabled,
    _rule(
        "request-without-permission",
        Severity.ERROR,
        "A request by somebody without authority is rejected, and takes time until then.",
        "P2",
        "P7",
    ): _not_permitted,
    _rule(
        "no-personal-connection",
        Severity.ERROR,
        "Outbound and agentless ports can be changed only where there is Personal Connection.",
        "P4",
    ): _no_personal_connection,
    _rule(
        "personal-connection-unknown",
        Severity.WARNING,
        "Whether outbound and agentless ports can be changed depends on Personal Connection.",
        "P4",
    ): _perhaps_no_personal_connection,
    _rule(
        "too-many-ports",
        Severity.ERROR,
        "No tenant has more concurrent ports than the service allows.",
        "P8",
    ): _too_many,
    _rule(
        "outbound-above-concurrent",
        Severity.ERROR,
        "Outbound and agentless ports must not exceed the concurrent ones, before or after any request.",
        "P9",
    ): _above_concurrent,
    _rule(
        "outbound-rule-unknown",
        Severity.WARNING,
        "Whether outbound and agentless ports are held against the concurrent ones each or together is not stated.",
        "P9",
    ): _perhaps_above_concurrent,
    _rule(
        "daily-limit-unknown",
        Severity.WARNING,
        "How far ports may be raised in a day decides between minutes and a review.",
        "P5",
        "P6",
    ): _no_daily_limit,
    _rule(
        "ports-not-in-time",
        Severity.ERROR,
        "Ports that are granted after the calls have come, or given back before they have gone, leave callers busy.",
        "P5",
        "P6",
        "P15",
    ): _late,
    _rule(
        "ports-in-the-event",
        Severity.WARNING,
        "A request that has to be reviewed is decided when the event may be over, and blocks every other.",
        "P6",
        "P12",
    ): _in_the_event,
    _rule(
        "overlapping-requests",
        Severity.WARNING,
        "While a request is pending no other can be filed for the same tenant.",
        "P12",
    ): _overlapping,
    _rule(
        "ports-not-restored",
        Severity.WARNING,
        "An increase that was meant for a time is paid for until somebody takes it back.",
        "P17",
    ): _not_restored,
    _rule(
        "dialled-ports",
        Severity.ERROR,
        "Each try of a dialler needs a port, whether or not anybody answers.",
        "P16",
    ): _dialled,
}
"""By rule, its check."""

DECLARED: tuple[Declarations, ...] = (_declared,)
"""What finds the facts that a plan only states."""
