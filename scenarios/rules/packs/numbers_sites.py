"""Rules about which number works at which site, and what may be led to it."""

import unicodedata
from collections.abc import Iterator

from scenarios.model import Announce, Drill, Forward
from scenarios.numberplan import NumberKind, is_ip_phone, is_service_number, parse_number
from scenarios.problems import Severity
from scenarios.rules.packs.numbers_plan import (
    activated,
    before_and_with,
    fails_over,
    forwards,
    leads_back,
    on_dr,
    pairings,
    pointings,
    refused,
    sites_of,
)
from scenarios.rules.plan import course
from scenarios.rules.rule import Check, Remark, Rule, listed
from scenarios.text import Text

NTT_COMMUNICATIONS = frozenset(
    {"nttcommunications", "nttcom", "nttcommunicationscorporation", "nttコミュニケーションズ", "nttコム",
     "nttdocomobusiness", "nttドコモビジネス"}
)  # fmt: skip
"""Names of the carrier whose numbers work on DR (Z16), the later one included, without spaces and in lower case."""


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


def _not_06(drill: Drill) -> Iterator[Remark]:
    for path, number, to in pairings(drill):
        if on_dr(drill, to) and is_ip_phone(to) and not refused(drill, number, to):
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
    for index, does in forwards(drill):
        sites = sites_of(drill, does.to)
        if sites and not on_dr(drill, does.to):
            message = Text(
                "calls are forwarded to {number} of {site}, which is no number that works on DR (Z51)",
                number=does.to,
                site=listed(sorted(sites)),
            )
            yield Remark(("runbook", index, "does", "to"), message, Text("a 06 or 050 number of the DR site"))


SITES: dict[Rule, Check] = {
    Rule(
        "wrong-site-number",
        Severity.ERROR,
        "A number works at the site that it belongs to, and a step that points elsewhere leaves callers cut off.",
        cites=("Z15",),
        system="biztel",
    ): _wrong_site,
    Rule(
        "number-at-two-sites",
        Severity.ERROR,
        "Both consoles list all numbers, but each of them works at one site.",
        cites=("Z15",),
        system="biztel",
    ): _two_sites,
    Rule(
        "not-usable-on-dr",
        Severity.ERROR,
        "The DR site has numbers of its own, and takes no others besides 0120, 0800 and 0570.",
        cites=("Z16",),
        system="biztel",
    ): _not_on_dr,
    Rule(
        "other-carrier-on-dr",
        Severity.ERROR,
        "The DR site takes numbers of one carrier only.",
        cites=("Z16",),
        system="biztel",
    ): _other_carriers,
    Rule(
        "unstated-carrier-on-dr",
        Severity.WARNING,
        "The DR site takes numbers of one carrier only, and the plan should say whose its numbers are.",
        cites=("Z16",),
        system="biztel",
    ): _unstated_carriers,
    Rule(
        "not-06-behind",
        Severity.NOTE,
        "The vendor advises a 06 number behind 0120, 0800 and 0570.",
        cites=("Z19",),
        system="biztel",
    ): _not_06,
    Rule(
        "unbound-dial-in",
        Severity.ERROR,
        "Calls to a number that is bound to nobody are answered by nobody.",
        cites=("Z21", "Z28", "Z47"),
        system="biztel",
    ): _unbound,
    Rule(
        "other-queue",
        Severity.WARNING,
        "Callers who are led to a new number should come to the group that received them before.",
        cites=("Z28",),
        system="biztel",
    ): _other_queue,
    Rule(
        "forwarded-elsewhere",
        Severity.ERROR,
        "Forwarding to a number that does not work on DR leads callers from one dead end to another.",
        cites=("Z51",),
        system="biztel",
    ): _forwarded_elsewhere,
}
"""Rules about numbers and sites."""
