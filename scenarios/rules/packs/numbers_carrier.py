"""Rules about what carriers do with numbers in Japan, whatever the system: kinds, services, forwarding."""

from collections.abc import Iterator

from scenarios.model import Drill
from scenarios.numberplan import NumberInfo, NumberKind, parse_number
from scenarios.problems import Severity
from scenarios.rules.packs.numbers_plan import forwards, pairings, refused
from scenarios.rules.rule import Check, Remark, Rule
from scenarios.text import Text

_NO_LINE = (NumberKind.SHORT_CODE, NumberKind.CARRIER_PREFIXED)
_NEVER_FORWARDED = (
    NumberKind.FREE_DIAL,
    NumberKind.EMERGENCY,
    NumberKind.SHORT_CODE,
    NumberKind.FOREIGN,
    NumberKind.CARRIER_PREFIXED,
)
"""Kinds that J3 names, other carriers' prefixes among them; of others it says nothing."""


def _no_line(drill: Drill) -> Iterator[Remark]:
    for number in drill.numbers:
        if parse_number(number).kind in _NO_LINE:
            message = Text("{number} is a carrier's own service, no number that calls come in by (J1)", number=number)
            yield Remark(("numbers", number), message, Text("a number that the carrier has given to the plan's owner"))


def _plain_free_dial(drill: Drill) -> Iterator[Remark]:
    for path, number, to in pairings(drill):
        if refused(drill, number, to):
            message = Text(
                "calls to {number} fail (403) with {to} behind it: a 050 number may stand there only with "
                "Free Dial Intelligent Service (Z17)",
                number=number,
                to=to,
            )
            remedy = Text("a 06 number, or service: free-dial-intelligent if that is contracted")
            yield Remark(path, message, remedy)


def _without_contract(drill: Drill) -> Iterator[Remark]:
    for index, does in forwards(drill):
        if drill.numbers[does.forward].voice_warp is None:
            message = Text(
                "{number} cannot be forwarded: Voice Warp is not contracted for it, and sign-up takes days (J3, Z23)",
                number=does.forward,
            )
            remedy = Text("numbers: {{{number}: {{voice_warp: {{channels: …}}}}}}", number=does.forward)
            yield Remark(("runbook", index, "does", "forward"), message, remedy)


def _targets(drill: Drill, *, named: bool) -> Iterator[tuple[int, NumberInfo]]:
    for index, does in forwards(drill):
        info = parse_number(does.to)
        if not info.voice_warp_target and (info.kind in _NEVER_FORWARDED) is named:
            yield index, info


def _forbidden_targets(drill: Drill) -> Iterator[Remark]:
    for index, info in _targets(drill, named=True):
        message = Text("Voice Warp {reason}, and {number} is one (J3)", reason=_obstacle(info), number=info.text)
        yield Remark(("runbook", index, "does", "to"), message, Text("a 0AB-J or 050 number"))


def _obstacle(info: NumberInfo) -> Text:
    return {
        NumberKind.FREE_DIAL: Text("cannot forward to Free Dial"),
        NumberKind.FOREIGN: Text("cannot forward to an international number"),
        NumberKind.CARRIER_PREFIXED: Text("cannot forward to a number behind a carrier's prefix"),
    }.get(info.kind, Text("cannot forward to a three-digit number"))


def _unnamed_targets(drill: Drill) -> Iterator[Remark]:
    for index, info in _targets(drill, named=False):
        message = Text(
            "whether Voice Warp can forward to {number} is not stated: ask the carrier (J3)", number=info.text
        )
        yield Remark(("runbook", index, "does", "to"), message, Text("a 0AB-J or 050 number"))


CARRIER: dict[Rule, Check] = {
    Rule(
        "no-line",
        Severity.ERROR,
        "Three-digit and 00XY numbers are services of a carrier, and nobody else's to be called at.",
        cites=("J1",),
    ): _no_line,
    Rule(
        "plain-free-dial",
        Severity.ERROR,
        "Free Dial without the Intelligent Service leads to no 050 number, so that calls fail from then on.",
        cites=("Z17",),
    ): _plain_free_dial,
    Rule(
        "forwarding-without-contract",
        Severity.ERROR,
        "Voice Warp has to be signed up for days before, and is no tool of the day itself.",
        waivable=False,
        cites=("J3", "Z23"),
    ): _without_contract,
    Rule(
        "forwarding-target",
        Severity.ERROR,
        "Voice Warp refuses some kinds of numbers as targets, and calls then go nowhere.",
        cites=("J3",),
    ): _forbidden_targets,
    Rule(
        "unknown-forwarding-target",
        Severity.WARNING,
        "Of some kinds of numbers nothing says that Voice Warp can forward to them.",
        cites=("J3",),
    ): _unnamed_targets,
}
"""Rules about numbers of all plans."""
