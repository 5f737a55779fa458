"""The day of the plan: faults that happen in the run, steps that can begin, and sites that are there when needed."""

from collections.abc import Iterable, Iterator, Mapping
from math import inf

from scenarios.distributions import Distribution, Shape
from scenarios.model import (
    Activate,
    Announce,
    CallerNumbers,
    Deactivate,
    DefaultCaller,
    Detector,
    Drill,
    Fault,
    Forward,
    Reroute,
    Step,
    SwitchSoftphones,
    VrrpDetection,
    When,
)
from scenarios.problems import Severity
from scenarios.rules.plan import beginnings, behind_afterwards, circle, course, land, pairs_in_use, phone_sites, rings
from scenarios.rules.rule import Check, Remark, Rule, listed
from scenarios.text import Text
from scenarios.units import format_duration


def _faults_outside(drill: Drill) -> Iterator[Remark]:
    lasts = drill.run.lasts
    for index, fault in enumerate(drill.faults):
        if fault.at >= lasts:
            message = Text(
                "the fault happens at {time}, but the run is over at {end}",
                time=format_duration(fault.at),
                end=format_duration(lasts),
            )
            remedy = Text("a time before {end}, or a longer run", end=format_duration(lasts))
            yield Remark(("faults", index, "at"), message, remedy)


def _repairs_outside(drill: Drill) -> Iterator[Remark]:
    lasts = drill.run.lasts
    for index, fault in enumerate(drill.faults):
        if fault.lasts is not None and fault.at < lasts <= fault.at + fault.lasts:
            message = Text(
                "the repair at {time} comes when the run is over, at {end}",
                time=format_duration(fault.at + fault.lasts),
                end=format_duration(lasts),
            )
            remedy = Text("a longer run, if the repair is part of the drill")
            yield Remark(("faults", index, "for"), message, remedy)


def _faults_of_nothing(drill: Drill) -> Iterator[Remark]:
    in_use = {pair.site for pair in drill.sbc_pairs.values()}
    in_use |= {trunk.site for trunk in drill.trunks.values() if trunk.site is not None}
    registering = {site for sites in phone_sites(drill).values() for site in sites}
    in_use |= registering
    carrying = pairs_in_use(drill)
    for index, fault in enumerate(drill.faults):
        if fault.site is not None and fault.site not in in_use:
            message = Text(
                "nothing stands at {site}: no pair, no trunk, no phone, so its loss changes nothing", site=fault.site
            )
            yield Remark(("faults", index, "site"), message, _one_of(in_use))
        elif fault.pair is not None and fault.pair not in carrying:
            message = Text(
                "no call ever goes through {pair}, so its loss changes nothing, whatever a probe may see",
                pair=fault.pair,
            )
            yield Remark(("faults", index, "pair"), message, _one_of(carrying))
        elif fault.registrar is not None and fault.registrar not in registering:
            message = Text(
                "no phone ever registers at {site}, so the loss of its registrar changes nothing", site=fault.registrar
            )
            yield Remark(("faults", index, "registrar"), message, _one_of(registering))
        elif fault.identity and not any(group.softphone.login for group in drill.agents.values()):
            message = Text("no phone needs a sign-in to register, so an outage of identity changes nothing (W34)")
            yield Remark(("faults", index, "identity"), message, Text("softphone: {{login: true}}"))
        elif fault.pair is not None and fault.delay is not None and fault.loss is None:
            latest, needed = _latest(fault.delay), _missed_after(drill.sbc_pairs[fault.pair].detect)
            if latest <= needed:
                message = Text(
                    "adverts are at most {late} late, but a standby waits {longer} longer than for the next: "
                    "the delay changes nothing (S11)",
                    late=format_duration(latest),
                    longer=format_duration(needed),
                )
                remedy = Text("more than {longer}, or 'loss'", longer=format_duration(needed))
                yield Remark(("faults", index, "delay"), message, remedy)


def _one_of(names: Iterable[str]) -> Text:
    return Text("one of {names}", names=listed(sorted(names)))


def _latest(delay: Distribution) -> float:
    """Return the longest delay that a distribution has, in seconds."""
    bounded = (Shape.CONSTANT, Shape.UNIFORM, Shape.TRIANGULAR, Shape.EMPIRICAL)
    return max(delay.parameters) if delay.shape in bounded else inf


def _missed_after(detect: Detector) -> float:
    """Return how late an advert may be before the standby takes over, in seconds: two more and the skew."""
    return (2 + (256 - detect.priority) / 256) * detect.advert if isinstance(detect, VrrpDetection) else inf


# Steps


def _step_cycles(drill: Drill) -> Iterator[Remark]:
    begun = {step.step for step in course(drill).values()}
    place = {step.step: index for index, step in enumerate(drill.runbook)}
    waits_for = {
        step.step: next(name for name in step.predecessors if name not in begun)
        for step in drill.runbook
        if step.step not in begun and step.predecessors
    }
    for members in rings(waits_for):
        message = Text("these steps wait for each other and never begin: {circle}", circle=circle(members))
        remedy = Text("one of them set off by a fault or another step")
        yield Remark(("runbook", place[members[0]], "after"), message, remedy)


def _steps_never_set_off(drill: Drill) -> Iterator[Remark]:
    faults = {fault.name: fault for fault in drill.faults}
    for index, step in enumerate(drill.runbook):
        if step.starts is None and step.after is None:
            message = Text("nothing sets this step off")
            yield Remark(("runbook", index), message, Text("'starts' (a fault) or 'after' (a step)"))
        elif step.starts is not None and step.starts.after is not None:
            if faults[step.starts.after].at >= drill.run.lasts:
                message = Text(
                    "this step waits for {fault}, which happens at {time}, when the run of {lasts} is over",
                    fault=step.starts.after,
                    time=format_duration(faults[step.starts.after].at),
                    lasts=format_duration(drill.run.lasts),
                )
                yield Remark(("runbook", index, "starts", "after"), message, Text("a fault within the run"))
        elif step.starts is not None and step.starts.at is not None and step.starts.at >= drill.run.lasts:
            message = Text(
                "this step is planned for {time}, when the run of {lasts} is over",
                time=format_duration(step.starts.at),
                lasts=format_duration(drill.run.lasts),
            )
            yield Remark(("runbook", index, "starts", "at"), message, Text("a time within the run"))


# Conditions


def _impossible_conditions(drill: Drill) -> Iterator[Remark]:
    begun, earliest = course(drill), beginnings(drill)
    for index, step in enumerate(drill.runbook):
        if step.when is None:
            continue
        others = _not_after(step, begun.values())
        for field, reason, remedy in (
            *_never_repaired(drill, step.when.repaired),
            *_never_in_service(drill, step.when.in_service, others),
            *_lost_for_good(drill, step.when.in_service, earliest.get(step.step, -inf)),
            *_never_registered(drill, step.when, others),
        ):
            yield Remark(("runbook", index, "when", field), reason, remedy)


_Reason = tuple[str, Text, Text]
"""The field of a condition that can never hold, why, and what would be right."""


def _never_repaired(drill: Drill, name: str | None) -> Iterator[_Reason]:
    fault = None if name is None else drill.fault_named(name)
    if fault is not None and not _is_repaired(drill, fault):
        reason = Text(
            "{fault} is not repaired within the run of {lasts} (Z41)",
            fault=fault.name,
            lasts=format_duration(drill.run.lasts),
        )
        yield "repaired", reason, Text("a fault that is repaired: 'for' in {fault}", fault=fault.name)


def _never_in_service(drill: Drill, name: str | None, others: list[Step]) -> Iterator[_Reason]:
    if name is None or drill.sites[name].role == "primary":
        return
    if not any(isinstance(step.does, Activate) and step.does.activate == name for step in others):
        reason = Text("{site} is a secondary site that no step before this one can have activated (Z14)", site=name)
        yield "in_service", reason, Text("a step before it that does {{activate: {site}}}", site=name)


def _lost_for_good(drill: Drill, name: str | None, since: float) -> Iterator[_Reason]:
    for fault in drill.faults:
        if fault.site is not None and fault.site == name and fault.at <= since and not _is_repaired(drill, fault):
            reason = Text(
                "{site} is lost by {fault} before this step, and not repaired within the run",
                site=name,
                fault=fault.name,
            )
            yield "in_service", reason, Text("a fault that is repaired: 'for' in {fault}", fault=fault.name)


def _is_repaired(drill: Drill, fault: Fault) -> bool:
    return fault.lasts is not None and fault.at + fault.lasts < drill.run.lasts


def _never_registered(drill: Drill, when: When, others: list[Step]) -> Iterator[_Reason]:
    if when.registered is None or when.site is None:
        return
    phone = drill.agents[when.registered].softphone
    reached = set(phone.sites if phone.switch == "automatic" else phone.sites[:1])
    reached |= {
        step.does.site
        for step in others
        if isinstance(step.does, SwitchSoftphones) and step.does.softphones == when.registered and not phone.stays
    }
    if when.site not in reached:
        reason = Text(
            "no step before this one can have switched phones of {group} to {site} (Z34)",
            group=when.registered,
            site=when.site,
        )
        remedy = Text(
            "a step before it that does {{softphones: {group}, site: {site}}}", group=when.registered, site=when.site
        )
        yield "site", reason, remedy


def _not_after(step: Step, begun: Iterable[Step]) -> list[Step]:
    """Return the steps of a course that do not have to wait for this one, itself left out."""
    waiting = {step.step}
    others = []
    for each in begun:  # each stands after those it waits for
        if waiting.intersection((each.step, *each.predecessors)):
            waiting.add(each.step)
        else:
            others.append(each)
    return others


# Sites


def _needless_deactivations(drill: Drill) -> Iterator[Remark]:
    activated = {step.does.activate for step in drill.runbook if isinstance(step.does, Activate)}
    for index, step in enumerate(drill.runbook):
        if isinstance(step.does, Deactivate):
            site = step.does.deactivate
            if drill.sites[site].role == "secondary" and site not in activated:
                message = Text(
                    "{site} is a secondary site that no step activates: it refuses calls in any case (Z14)", site=site
                )
                remedy = Text("a site in service, or no such step")
                yield Remark(("runbook", index, "does", "deactivate"), message, remedy)


def _needless_activations(drill: Drill) -> Iterator[Remark]:
    for index, step in enumerate(drill.runbook):
        if isinstance(step.does, Activate) and drill.sites[step.does.activate].role == "primary":
            message = Text(
                "{site} is a primary site, in service from the start: the step only takes time (Z30)",
                site=step.does.activate,
            )
            remedy = Text("a secondary site, or no such step")
            yield Remark(("runbook", index, "does", "activate"), message, remedy)


def _never_activated(drill: Drill) -> Iterator[Remark]:
    activated = {step.does.activate for step in drill.runbook if isinstance(step.does, Activate)}
    dead = {name for name, site in drill.sites.items() if site.role == "secondary"} - activated
    leads_to = behind_afterwards(drill)
    for index, step in enumerate(drill.runbook):
        field, site = _moves_to(drill, leads_to, step)
        if site in dead:
            message = Text(
                "this moves to {site}, a secondary site that no step activates: it refuses every call (Z14)", site=site
            )
            remedy = Text("a step that does {{activate: {site}}}", site=site)
            yield Remark(("runbook", index, "does", field), message, remedy)


def _moves_to(drill: Drill, leads_to: Mapping[str, str], step: Step) -> tuple[str, str | None]:
    """Return the site that phones, callers or caller numbers move to by a step, and the field that says so."""
    match step.does:
        case SwitchSoftphones(site=site):
            return "site", site
        case Reroute(to=number) | Forward(to=number) | Announce(to=number) | CallerNumbers(to=number):
            field = "to"
        case DefaultCaller(default_caller=number):
            field = "default_caller"
        case _:
            return "", None
    landing = land(drill, leads_to, number)
    return field, landing.site if landing else None


def _softphones_elsewhere(drill: Drill) -> Iterator[Remark]:
    for index, step in enumerate(drill.runbook):
        if isinstance(step.does, SwitchSoftphones):
            sites = drill.agents[step.does.softphones].softphone.sites
            if step.does.site not in sites:
                message = Text(
                    "phones of {group} are not set up for {site} (Z34)",
                    group=step.does.softphones,
                    site=step.does.site,
                )
                remedy = Text(
                    "{sites}, or {site} among the sites of their softphones", sites=listed(sites), site=step.does.site
                )
                yield Remark(("runbook", index, "does", "site"), message, remedy)


TIMELINE: dict[Rule, Check] = {
    Rule(
        "fault-outside-run",
        Severity.ERROR,
        "A fault after the end of the run never happens, and the run shows nothing about it.",
    ): _faults_outside,
    Rule(
        "repair-outside-run",
        Severity.NOTE,
        "A repair after the end of the run has no effect on what the run shows.",
    ): _repairs_outside,
    Rule(
        "pointless-fault",
        Severity.WARNING,
        "The loss of what nothing depends on tests nothing.",
        cites=("W34", "S11"),
    ): _faults_of_nothing,
    Rule(
        "step-cycle",
        Severity.ERROR,
        "Steps that wait for each other never begin.",
        waivable=False,
    ): _step_cycles,
    Rule(
        "unreachable-step",
        Severity.ERROR,
        "A step that nothing in the run sets off is a step that nobody takes.",
    ): _steps_never_set_off,
    Rule(
        "needless-activation",
        Severity.WARNING,
        "Only a secondary site has to be brought into service.",
        cites=("Z30",),
    ): _needless_activations,
    Rule(
        "impossible-condition",
        Severity.ERROR,
        "A step that waits for what never comes is a step that nobody takes.",
        cites=("Z14", "Z34", "Z41"),
    ): _impossible_conditions,
    Rule(
        "needless-deactivation",
        Severity.WARNING,
        "Only a site that takes calls can be taken out of service.",
        cites=("Z14",),
    ): _needless_deactivations,
    Rule(
        "never-activated",
        Severity.ERROR,
        "A secondary site refuses all calls until it is activated, so nothing may move there before.",
        cites=("Z14",),
    ): _never_activated,
    Rule(
        "softphones-elsewhere",
        Severity.ERROR,
        "A phone registers only at the sites it has been set up for.",
        cites=("Z34",),
    ): _softphones_elsewhere,
}
"""Rules about faults, steps and sites."""
