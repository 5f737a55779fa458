"""Rules about what callers dial when a site is lost, what calls out show, and who tests either."""

from collections.abc import Iterator

from scenarios.model import CallerNumbers, DefaultCaller, Drill, Reroute, Verify, VerifyOut
from scenarios.numberplan import is_service_number
from scenarios.problems import Severity
from scenarios.rules.packs.numbers_plan import fails_over, final_sites, leaving_sites, published
from scenarios.rules.plan import course
from scenarios.rules.rule import Check, Remark, Rule, listed
from scenarios.text import Text


def _lost_numbers(drill: Drill) -> Iterator[Remark]:
    for index, number, forwarded, announced in published(drill):
        if not forwarded and not announced and drill.numbers[number].voice_warp is None:
            message = Text(
                "callers of {number} are lost with its site: nothing stands in front of it, the carrier does not "
                "forward it, and nobody tells callers of another number (Z20, Z23)",
                number=number,
            )
            remedy = Text("0120, 0800 or 0570 in front; or voice_warp and a step that forwards; or one that announces")
            yield Remark(("traffic", index, "to"), message, remedy)


def _forgotten_forwarding(drill: Drill) -> Iterator[Remark]:
    for _, number, forwarded, _ in published(drill):
        if not forwarded and drill.numbers[number].voice_warp is not None:
            message = Text("Voice Warp is contracted for {number}, and no step starts it (Z23, Z39)", number=number)
            remedy = Text("a step that does {{forward: {number}, to: …}}", number=number)
            yield Remark(("numbers", number, "voice_warp"), message, remedy)


def _changing_numbers(drill: Drill) -> Iterator[Remark]:
    for index, number, forwarded, announced in published(drill):
        if announced and not forwarded:
            message = Text(
                "the number that callers know changes: those whom the announcement does not reach still dial {number} "
                "(Z18, Z20)",
                number=number,
            )
            yield Remark(("traffic", index, "to"), message, Text("0120, 0800 or 0570 in front of it"))


def _lines_re_pointed(drill: Drill) -> Iterator[Remark]:
    for index, step in enumerate(drill.runbook):
        if isinstance(step.does, Reroute) and not is_service_number(step.does.route):
            message = Text(
                "only 0120, 0800 and 0570 are re-pointed at the carrier's console; {number} is a line (Z38, Z23)",
                number=step.does.route,
            )
            remedy = Text("voice_warp, and a step that does {{forward: {number}, to: …}}", number=step.does.route)
            yield Remark(("runbook", index, "does", "route"), message, remedy)


def _default_left_behind(drill: Drill) -> Iterator[Remark]:
    changes = [step.does.default_caller for step in course(drill).values() if isinstance(step.does, DefaultCaller)]
    default = changes[-1] if changes else drill.default_caller
    if default is None:
        return
    stranded = [group for group, site in final_sites(drill).items() if site not in leaving_sites(drill, default)]
    if stranded:
        message = Text(
            "the default caller number stays {number}, which works at {sites} only: calls of {groups} that show it "
            "fail when their phones have moved (Z32)",
            number=default,
            sites=listed(sorted(leaving_sites(drill, default))),
            groups=listed(stranded),
        )
        yield Remark(("default_caller",), message, Text("a step that does {{default_caller: …}}"))


def _terminals_left_behind(drill: Drill) -> Iterator[Remark]:
    own = {name: group.caller_number for name, group in drill.agents.items()}
    for step in course(drill).values():
        if isinstance(step.does, CallerNumbers):
            own[step.does.caller_numbers] = step.does.to
    for group, site in final_sites(drill).items():
        number = own[group]
        if number is not None and site not in leaving_sites(drill, number):
            message = Text(
                "terminals of {group} keep their own caller number {number}, which does not work at {site} (Z37)",
                group=group,
                number=number,
                site=site,
            )
            remedy = Text("a step that does {{caller_numbers: {group}, to: …}}", group=group)
            yield Remark(("agents", group, "caller_number"), message, remedy)


def _missing_tests(drill: Drill) -> Iterator[Remark]:
    if not fails_over(drill):
        return
    does = [step.does for step in course(drill).values()]
    missing = []
    if any(stream.from_ is None for stream in drill.traffic) and not any(isinstance(each, Verify) for each in does):
        missing.append(Text("a call in from outside"))
    calls_out = any(stream.from_ is not None and not stream.emergency for stream in drill.traffic)
    if calls_out and not any(isinstance(each, VerifyOut) for each in does):
        missing.append(Text("a call out, with the number that it shows"))
    for what in missing:
        message = Text("nobody tests {what} after the switch (Z40)", what=what)
        yield Remark(("runbook",), message, Text("steps that do {{verify: …}} and {{verify_out: …}}"))


CALLERS: dict[Rule, Check] = {
    Rule(
        "published-number-lost",
        Severity.ERROR,
        "A published line ends with its site unless something leads its callers on.",
        cites=("Z20", "Z23"),
        system="biztel",
    ): _lost_numbers,
    Rule(
        "forgotten-forwarding",
        Severity.WARNING,
        "A forwarding service that nobody starts forwards nothing.",
        cites=("Z23", "Z39"),
        system="biztel",
    ): _forgotten_forwarding,
    Rule(
        "changing-number",
        Severity.WARNING,
        "A free dial number in front spares callers a new one, which never reaches all of them.",
        cites=("Z18", "Z20"),
        system="biztel",
    ): _changing_numbers,
    Rule(
        "line-re-pointed",
        Severity.ERROR,
        "A line has no number behind it that somebody could change on the day.",
        cites=("Z23", "Z38"),
        system="biztel",
    ): _lines_re_pointed,
    Rule(
        "default-caller-left-behind",
        Severity.WARNING,
        "Outbound calls fail when phones move and the number that they show stays.",
        cites=("Z32",),
        system="biztel",
    ): _default_left_behind,
    Rule(
        "terminal-number-left-behind",
        Severity.WARNING,
        "Terminals with a caller number of their own need a step of their own.",
        cites=("Z37",),
        system="biztel",
    ): _terminals_left_behind,
    Rule(
        "missing-tests",
        Severity.WARNING,
        "What nobody tests after the switch, customers find out.",
        cites=("Z40",),
        system="biztel",
    ): _missing_tests,
}
"""Rules about callers and called."""
