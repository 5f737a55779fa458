"""Rules about numbers in Japan, and what may stand behind which."""

import unicodedata
from collections.abc import Iterator

from scenarios.model import Announce, CallerNumbers, DefaultCaller, Drill, Forward, Reroute, Verify, VerifyOut
from scenarios.numberplan import NumberInfo, NumberKind, is_ip_phone, is_service_number, parse_number
from scenarios.problems import Severity
from scenarios.rules.packs.numbers_plan import (
    activated,
    before_and_with,
    fails_over,
    final_sites,
    leads_back,
    leaving_sites,
    on_dr,
    pairings,
    plain_050,
    pointings,
    published,
    sites_of,
)
from scenarios.rules.plan import course
from scenarios.rules.rule import Check, Declaration, Declarations, Remark, Rule, listed
from scenarios.text import Text

NTT_COMMUNICATIONS = frozenset(
    {"nttcommunications", "nttcom", "nttcommunicationscorporation", "nttコミュニケーションズ", "nttコム",
     "nttdocomobusiness", "nttドコモビジネス"}
)  # fmt: skip
"""Names of the carrier whose numbers work on DR (Z16), the later one included, without spaces and in lower case."""

_NO_LINE = (NumberKind.SHORT_CODE, NumberKind.CARRIER_PREFIXED)
_NEVER_FORWARDED = (
    NumberKind.FREE_DIAL,
    NumberKind.EMERGENCY,
    NumberKind.SHORT_CODE,
    NumberKind.FOREIGN,
    NumberKind.CARRIER_PREFIXED,
)
"""Kinds that J3 names, other carriers' prefixes among them; of others it says nothing."""


# All plans


def _no_line(drill: Drill) -> Iterator[Remark]:
    for number in drill.numbers:
        if parse_number(number).kind in _NO_LINE:
            message = Text("{number} is a carrier's own service, no number that calls come in by (J1)", number=number)
            yield Remark(("numbers", number), message, Text("a number that the carrier has given to the plan's owner"))


def _plain_free_dial(drill: Drill) -> Iterator[Remark]:
    for path, number, to in pairings(drill):
        if plain_050(drill, number, to):
            message = Text(
                "calls to {number} fail (403) with {to} behind it: a 050 number may stand there only with "
                "Free Dial Intelligent Service (Z17)",
                number=number,
                to=to,
            )
            remedy = Text("a 06 number, or service: free-dial-intelligent if that is contracted")
            yield Remark(path, message, remedy)


def _forwards(drill: Drill) -> Iterator[tuple[int, Forward]]:
    for index, step in enumerate(drill.runbook):
        if isinstance(step.does, Forward):
            yield index, step.does


def _without_contract(drill: Drill) -> Iterator[Remark]:
    for index, does in _forwards(drill):
        if drill.numbers[does.forward].voice_warp is None:
            message = Text(
                "{number} cannot be forwarded: Voice Warp is not contracted for it, and sign-up takes days (J3, Z23)",
                number=does.forward,
            )
            remedy = Text("numbers: {{{number}: {{voice_warp: {{channels: …}}}}}}", number=does.forward)
            yield Remark(("runbook", index, "does", "forward"), message, remedy)


def _targets(drill: Drill, *, named: bool) -> Iterator[tuple[int, NumberInfo]]:
    for index, does in _forwards(drill):
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


# Which number works where


def _wrong_site(drill: Drill) -> Iterator[Remark]:
    for index, step, field, number in pointings(drill):
        steps, sites = before_and_with(drill, step), sites_of(drill, number)
        there = activated(steps)
        if isinstance(step.does, Forward) or not sites or not there or sites & there or leads_back(steps, sites):
            continue
        message = Text(
            "{number} is a number of {site}, and works there only; the site activated is {there} (Z15)",
            number=number,
            site=listed(sorted(sites)),
            there=listed(sorted(there)),
        )
        yield Remark(
            ("runbook", index, "does", field), message, Text("a number of {there}", there=listed(sorted(there)))
        )


def _two_sites(drill: Drill) -> Iterator[Remark]:
    for number in drill.numbers:
        sites = sites_of(drill, number)
        if len(sites) > 1 and not is_service_number(number):
            message = Text(
                "{number} has trunks at {sites}, and works at one site only, though both consoles list it (Z15)",
                number=number,
                sites=listed(sorted(sites)),
            )
            yield Remark(("numbers", number, "trunk"), message, Text("a number of its own for each site"))


def _not_on_dr(drill: Drill) -> Iterator[Remark]:
    for number in drill.numbers:
        info = parse_number(number)
        usable = info.digits.startswith("06") and info.kind is NumberKind.FIXED
        if on_dr(drill, number) and not (usable or is_ip_phone(number) or is_service_number(number)):
            message = Text(
                "{number} cannot be used on DR, which has 06 and 050 numbers of its own, and 0120, 0800 and 0570 (Z16)",
                number=number,
            )
            yield Remark(("numbers", number), message, Text("a 06 or 050 number of the DR site"))
    for number, entry in drill.numbers.items():
        if entry.service == "other" and any(on_dr(drill, to) for _, front, to in pairings(drill) if front == number):
            message = Text("{number} works on DR only if it is NTT Communications' (Z16)", number=number)
            yield Remark(("numbers", number, "service"), message, Text("a number of NTT Communications"))


def _dr_trunks(drill: Drill) -> list[str]:
    """Return the trunks that numbers of secondary sites arrive by there."""
    return [
        name
        for name, trunk in drill.trunks.items()
        if drill.sites[drill.sbc_pairs[trunk.via].site].role == "secondary"
        and any(name in entry.trunks for entry in drill.numbers.values())
    ]


def _other_carriers(drill: Drill) -> Iterator[Remark]:
    for name in _dr_trunks(drill):
        carrier = drill.trunks[name].carrier
        if carrier is not None and not _is_ntt(carrier):
            message = Text("numbers on DR are NTT Communications', and not {carrier}'s (Z16)", carrier=carrier)
            yield Remark(("trunks", name, "carrier"), message, Text("a line of NTT Communications"))


def _unstated_carriers(drill: Drill) -> Iterator[Remark]:
    for name in _dr_trunks(drill):
        if drill.trunks[name].carrier is None:
            message = Text("only numbers of NTT Communications work on DR, and {name} has no carrier (Z16)", name=name)
            yield Remark(("trunks", name), message, Text("carrier: NTT Communications, if it is"))


def _is_ntt(carrier: str) -> bool:
    written = unicodedata.normalize("NFKC", carrier).casefold()
    return "".join(char for char in written if char.isalnum() or char == "ー") in NTT_COMMUNICATIONS


# What callers dial


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


def _not_06(drill: Drill) -> Iterator[Remark]:
    for path, number, to in pairings(drill):
        if on_dr(drill, to) and is_ip_phone(to) and not plain_050(drill, number, to):
            message = Text("a 06 number is advised behind {number}, rather than {to} (Z19)", number=number, to=to)
            yield Remark(path, message, Text("a 06 number of the DR site"))


def _unbound(drill: Drill) -> Iterator[Remark]:
    """Yield numbers behind others that nobody at the contact centre answers, though somebody does in front of them."""
    if not drill.agents:
        return
    unbound: dict[str, str] = {}
    for _, number, to in pairings(drill):
        unbound.setdefault(to, number)
    for step in course(drill).values():
        match step.does:
            case Forward(forward=number, to=to) | Announce(announce=number, to=to):
                unbound.setdefault(to, number)
            case _:
                pass
    for number, front in unbound.items():
        entry = drill.numbers[number]
        if entry.trunks and entry.queue is None:
            message = Text(
                "{number}, to which {front} leads, is bound to no queue: as dial-in it has to be bound in the console, "
                "in Tokyo's, for edits of DR stop the sync (Z21, Z28, Z47)",
                number=number,
                front=front,
            )
            yield Remark(("numbers", number), message, Text("'queue'"))


def _other_queue(drill: Drill) -> Iterator[Remark]:
    for index, step in course(drill).items():
        match step.does:
            case Forward(forward=old, to=new) | Announce(announce=old, to=new):
                was, is_ = drill.numbers[old].queue, drill.numbers[new].queue
                if was is not None and is_ is not None and was != is_:
                    message = Text(
                        "calls to {old} are received by {was}, those to {new} by {is_}: the receiving group needs the "
                        "DR number as dial-in (Z28)",
                        old=old,
                        new=new,
                        was=was,
                        is_=is_,
                    )
                    yield Remark(("runbook", index, "does", "to"), message, Text("queue: {was}", was=was))
            case _:
                pass


def _forwarded_elsewhere(drill: Drill) -> Iterator[Remark]:
    if not fails_over(drill):
        return
    for index, does in _forwards(drill):
        sites = sites_of(drill, does.to)
        if sites and not on_dr(drill, does.to):
            message = Text(
                "calls are forwarded to {number} of {site}, which is no number that works on DR (Z51)",
                number=does.to,
                site=listed(sorted(sites)),
            )
            yield Remark(("runbook", index, "does", "to"), message, Text("a 06 or 050 number of the DR site"))


# What calls show


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


def _declared(drill: Drill) -> Iterator[Declaration]:
    for number, entry in drill.numbers.items():
        if is_service_number(number) and entry.service == "free-dial-intelligent":
            text = Text("Free Dial Intelligent Service is contracted for {number}", number=number)
            yield Declaration(("numbers", number, "service"), ("Z17",), text)
        if entry.voice_warp is not None:
            text = Text("Voice Warp is contracted for {number}", number=number)
            yield Declaration(("numbers", number, "voice_warp"), ("J3", "Z23"), text)
        if is_service_number(number) and entry.service != "other" and fails_over(drill):
            text = Text("{number} is NTT Communications'", number=number)
            yield Declaration(("numbers", number), ("Z16",), text)


DECLARED: tuple[Declarations, ...] = (_declared,)


def _biztel(id_: str, severity: Severity, why: str, *cites: str) -> Rule:
    return Rule(id_, severity, why, cites=cites, system="biztel")


NUMBERS: dict[Rule, Check] = {
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
    _biztel(
        "wrong-site-number",
        Severity.ERROR,
        "A number works at the site that it belongs to, and a step that points elsewhere leaves callers cut off.",
        "Z15",
    ): _wrong_site,
    _biztel(
        "number-at-two-sites",
        Severity.ERROR,
        "Both consoles list all numbers, but each of them works at one site.",
        "Z15",
    ): _two_sites,
    _biztel(
        "not-usable-on-dr",
        Severity.ERROR,
        "The DR site has numbers of its own, and takes no others besides 0120, 0800 and 0570.",
        "Z16",
    ): _not_on_dr,
    _biztel(
        "other-carrier-on-dr",
        Severity.ERROR,
        "The DR site takes numbers of one carrier only.",
        "Z16",
    ): _other_carriers,
    _biztel(
        "unstated-carrier-on-dr",
        Severity.WARNING,
        "The DR site takes numbers of one carrier only, and the plan should say whose its numbers are.",
        "Z16",
    ): _unstated_carriers,
    _biztel(
        "published-number-lost",
        Severity.ERROR,
        "A published line ends with its site unless something leads its callers on.",
        "Z20",
        "Z23",
    ): _lost_numbers,
    _biztel(
        "forgotten-forwarding",
        Severity.WARNING,
        "A forwarding service that nobody starts forwards nothing.",
        "Z23",
        "Z39",
    ): _forgotten_forwarding,
    _biztel(
        "changing-number",
        Severity.WARNING,
        "A free dial number in front spares callers a new one, which never reaches all of them.",
        "Z18",
        "Z20",
    ): _changing_numbers,
    _biztel(
        "line-re-pointed",
        Severity.ERROR,
        "A line has no number behind it that somebody could change on the day.",
        "Z23",
        "Z38",
    ): _lines_re_pointed,
    _biztel(
        "not-06-behind",
        Severity.NOTE,
        "The vendor advises a 06 number behind 0120, 0800 and 0570.",
        "Z19",
    ): _not_06,
    _biztel(
        "unbound-dial-in",
        Severity.ERROR,
        "Calls to a number that is bound to nobody are answered by nobody.",
        "Z21",
        "Z28",
        "Z47",
    ): _unbound,
    _biztel(
        "other-queue",
        Severity.WARNING,
        "Callers who are led to a new number should come to the group that received them before.",
        "Z28",
    ): _other_queue,
    _biztel(
        "forwarded-elsewhere",
        Severity.ERROR,
        "Forwarding to a number that does not work on DR leads callers from one dead end to another.",
        "Z51",
    ): _forwarded_elsewhere,
    _biztel(
        "default-caller-left-behind",
        Severity.WARNING,
        "Outbound calls fail when phones move and the number that they show stays.",
        "Z32",
    ): _default_left_behind,
    _biztel(
        "terminal-number-left-behind",
        Severity.WARNING,
        "Terminals with a caller number of their own need a step of their own.",
        "Z37",
    ): _terminals_left_behind,
    _biztel(
        "missing-tests",
        Severity.WARNING,
        "What nobody tests after the switch, customers find out.",
        "Z40",
    ): _missing_tests,
}
