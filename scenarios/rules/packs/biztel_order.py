"""The order of a BIZTEL switch, and of the way back; by what surely is over when a step begins, not by the file."""

from collections.abc import Iterable, Iterator
from functools import partial
from math import inf

from scenarios.model import CallerNumbers, DefaultCaller, Drill, Duty, Fault, Forward, Reroute, Step, SwitchSoftphones
from scenarios.problems import Severity
from scenarios.rules.order import Order, destination
from scenarios.rules.packs.biztel_contract import duties
from scenarios.rules.plan import beginnings
from scenarios.rules.rule import Check, Declaration, Remark, Rule, listed
from scenarios.text import Text

_rule = partial(Rule, system="biztel")

EXAMPLE: dict[type, int] = {DefaultCaller: 1, SwitchSoftphones: 2, CallerNumbers: 3, Reroute: 4, Forward: 4}
"""What is moved, with its place in the vendor's example (Z29): after the DR button, before the tests."""


def _names(steps: Iterable[Step]) -> str:
    return listed(repr(step.step) for step in steps)


# The way there


def _before_button(drill: Drill) -> Iterator[Remark]:
    order = Order.of(drill)
    for index, step in order.there().items():
        site = destination(drill, step)
        if site is None or order.waits_for_service(step, site):
            continue
        activations = order.activations(site)
        if activations and not any(order.is_after(step, each) for each in activations):
            message = Text(
                "this may come before {activation}, and until then {site} refuses everything (Z29)",
                activation=_names(activations),
                site=site,
            )
            yield Remark(("runbook", index), message, Text("after: {step}", step=activations[0].step))


def _untested(drill: Drill) -> Iterator[Remark]:
    order = Order.of(drill)
    tests = order.tests(back=False)
    if not tests:
        return
    moves = order.there()
    sites = dict.fromkeys(destination(drill, step) for step in moves.values())
    changes = [*(step for site in sites if site is not None for step in order.activations(site)), *moves.values()]
    late = [step for step in changes if not any(order.is_after(test, step) for test in tests.values())]
    if late:
        message = Text("tests come last, but none surely comes after {steps} (Z29)", steps=_names(late))
        yield Remark(("runbook", max(tests)), message, Text("'after' all that is to be tested"))


def _other_order(drill: Drill) -> Iterator[Remark]:
    order = Order.of(drill)
    moves = order.there()
    for index, step in moves.items():
        early = [
            each
            for each in moves.values()
            if order.is_after(step, each) and EXAMPLE[type(each.does)] > EXAMPLE[type(step.does)]
        ]
        if early:
            message = Text("the vendor's example has this before {steps}, not after (Z29)", steps=_names(early))
            yield Remark(("runbook", index), message, Text("the order of the example, or a waiver that says why not"))


# The way back


def _phones(steps: dict[int, Step]) -> dict[int, Step]:
    return {index: step for index, step in steps.items() if isinstance(step.does, SwitchSoftphones)}


def _back_too_early(drill: Drill) -> Iterator[Remark]:
    order, earliest = Order.of(drill), beginnings(drill)
    for index, step in _phones(order.back()).items():
        for fault in drill.faults:
            site = destination(drill, step)
            if site is None or site not in (fault.site, fault.registrar):
                continue
            begins = earliest[step.step]
            over = inf if fault.lasts is None else fault.at + fault.lasts
            if fault.at <= begins < over and not _waits_for_repair(order, step, fault, site):
                message = Text(
                    "softphones go back to {site} although {fault} need not be repaired by then (Z35)",
                    site=site,
                    fault=fault.name,
                )
                remedy = Text("when: {{repaired: {fault}}}, here or in a step before", fault=fault.name)
                yield Remark(("runbook", index), message, remedy)


def _waits_for_repair(order: Order, step: Step, fault: Fault, site: str) -> bool:
    repaired = any(each.when is not None and each.when.repaired == fault.name for each in order.all_before(step))
    return repaired or (fault.site is not None and order.waits_for_service(step, site))


def _failback_order(drill: Drill) -> Iterator[Remark]:
    order = Order.of(drill)
    back = order.back()
    phones = _phones(back)
    notices = order.with_duty(Duty.VENDOR_NOTICE).values()
    for index, step in phones.items():
        if notices and not any(order.is_after(step, notice) for notice in notices):
            message = Text("softphones may go back before the vendor's notice, {steps} (Z41)", steps=_names(notices))
            yield Remark(("runbook", index), message, Text("after: {step}", step=next(iter(notices)).step))
    for duty, needed in (
        (Duty.REPORT_TO_VENDOR, phones),
        (Duty.RESYNC_REQUEST, {**back, **order.tests(back=True)}),
    ):
        for index, step in order.with_duty(duty).items() if phones else ():
            late = [each for each in needed.values() if each is not step and not order.is_after(step, each)]
            if late:
                message = Text(
                    "{steps} may still be under way when this is done: softphones, numbers and tests come first (Z41)",
                    steps=_names(late),
                )
                yield Remark(("runbook", index), message, Text("'after' all of these"))


_OF_FAILBACK = {
    Duty.VENDOR_NOTICE: Text("nothing on the way back waits for the vendor's notice that the primary site works (Z41)"),
    Duty.REPORT_TO_VENDOR: Text("nobody reports to the vendor that the softphones are back (Z41)"),
    Duty.RESYNC_REQUEST: Text(
        "nobody asks the vendor to resume the sync, so that nothing is replicated any more (Z41)"
    ),
}


def _failback_gaps(drill: Drill) -> Iterator[Remark]:
    order = Order.of(drill)
    phones = _phones(order.back())
    for duty, message in _OF_FAILBACK.items() if phones else ():
        if not order.with_duty(duty):
            remedy = Text("a step with 'duty: {duty}'", duty=str(duty))
            yield Remark(("runbook", next(iter(phones))), message, remedy)


def declared(drill: Drill) -> Iterator[Declaration]:
    """Yield the duties that the order of the way back is held to."""
    if _phones(Order.of(drill).back()):
        yield from duties(drill, dict.fromkeys(_OF_FAILBACK, ("Z41",)))


ORDER: dict[Rule, Check] = {
    _rule(
        "dr-button-first",
        Severity.ERROR,
        "The DR site refuses whatever comes before it is activated.",
        cites=("Z29",),
    ): _before_button,
    _rule(
        "tests-last",
        Severity.ERROR,
        "A test before the last change says nothing about what that change did.",
        cites=("Z29",),
    ): _untested,
    _rule(
        "other-order",
        Severity.WARNING,
        "The vendor's order is an example, and whoever leaves it should know why.",
        cites=("Z29",),
    ): _other_order,
    _rule(
        "back-too-early",
        Severity.ERROR,
        "A softphone that goes back to a lost site is without a line.",
        cites=("Z35",),
    ): _back_too_early,
    _rule(
        "failback-order",
        Severity.ERROR,
        "The resync overwrites the DR site: what is still needed there, or not yet proved at the primary, comes first.",
        cites=("Z41",),
    ): _failback_order,
    _rule(
        "failback-gaps",
        Severity.WARNING,
        "The way back is a conversation with the vendor, and nobody resumes the sync unasked.",
        cites=("Z41",),
    ): _failback_gaps,
}
"""Rules about the order of steps."""
