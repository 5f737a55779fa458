"""Waivers: which findings an author accepts with a written reason, and which waivers are themselves at fault."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scenarios.model import Drill
from scenarios.problems import Finding, Severity, did_you_mean
from scenarios.rules.declared import declarations
from scenarios.rules.names import NAMES
from scenarios.rules.rule import Declaration, Remark, Rule
from scenarios.text import Text

IDLE = Rule(
    "idle-waiver",
    Severity.WARNING,
    "A waiver that matches no finding hides the next one that comes up.",
    waivable=False,
)
REFUSED = Rule(
    "refused-waiver",
    Severity.WARNING,
    "Where a plan cannot be followed at all, no reason makes its run mean something.",
    waivable=False,
)
WAIVERS = (IDLE, REFUSED)
"""Rules about waivers; :func:`scenarios.rules.judge` reports them."""


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding the author accepts, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the findings of a plan come to."""

    errors: tuple[Finding, ...]
    """Those that keep the drill from running."""
    remarks: tuple[Finding, ...]
    """Warnings and notes, those about waivers last."""
    waived: tuple[Waived, ...]
    """Findings accepted, to be shown with their reasons."""
    declared: tuple[Declaration, ...]
    """What rules take at the plan's word."""


def weigh(drill: Drill, findings: Sequence[Finding], rules: Sequence[Rule]) -> Judgement:
    """Set the findings of a drill against its waivers; a waiver covers every finding of its id."""
    names = {rule.id for rule in NAMES}
    waivable = {rule.id for rule in rules if rule.waivable}
    reasons = {waiver.finding: waiver.reason for waiver in drill.waivers if waiver.finding in waivable}
    standing = [finding for finding in findings if finding.id not in reasons]
    waived = tuple(Waived(finding, reasons[finding.id]) for finding in findings if finding.id in reasons)
    errors = tuple(finding for finding in standing if finding.severity is Severity.ERROR)
    remarks = tuple(finding for finding in standing if finding.severity is not Severity.ERROR)
    declared = () if any(finding.id in names for finding in findings) else declarations(drill, rules)
    return Judgement(errors, (*remarks, *_on_waivers(drill, findings, rules)), waived, declared)


def _on_waivers(drill: Drill, findings: Sequence[Finding], rules: Sequence[Rule]) -> Iterator[Finding]:
    known = {rule.id: rule for rule in rules}
    found = {finding.id for finding in findings}
    for index, waiver in enumerate(drill.waivers):
        path, rule = ("waivers", index, "finding"), known.get(waiver.finding)
        if rule is None:
            hint = did_you_mean(waiver.finding, known)
            message = Text("there is no rule {rule!r}{hint}", rule=waiver.finding, hint=hint)
            yield IDLE.finding(Remark(path, message, Text("the id of a finding, as printed")))
        elif not rule.waivable:
            message = Text("{rule} cannot be waived", rule=rule.id)
            yield REFUSED.finding(Remark(path, message, Text("a plan without it: {why}", why=Text(rule.why))))
        elif rule.id not in found:
            message = Text("the plan has no finding {rule}", rule=rule.id)
            yield IDLE.finding(Remark(path, message, Text("no such waiver")))
