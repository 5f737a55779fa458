"""What a BIZTEL contract has to have, and what the DR site must be like, before anybody can switch to it."""

from collections.abc import Iterable, Iterator
from functools import partial
from math import inf

from scenarios.model import DUTIES, Biztel, CallerNumbers, DefaultCaller, Drill, Duty, Fault, Site
from scenarios.numberplan import NumberKind, parse_number
from scenarios.problems import Severity
from scenarios.rules.baseline import home
from scenarios.rules.order import Order
from scenarios.rules.plan import beginnings, behind, land, reached
from scenarios.rules.rule import Check, Declaration, Path, Remark, Rule, listed
from scenarios.systems import System, version_text
from scenarios.text import Text

_rule = partial(Rule, system="biztel")


def stated(drill: Drill) -> Biztel:
    """Return what a plan states about contract and sites; without a word, the defaults."""
    return drill.biztel or Biztel()


def _for_dr(check: Check) -> Check:
    """Return a check of plans that have a DR site; what else is done with BIZTEL needs no such contract."""

    def look(drill: Drill) -> Iterable[Remark]:
        return check(drill) if any(site.role == "secondary" for site in drill.sites.values()) else ()

    return look


# Contract


def _no_contract(drill: Drill) -> Iterator[Remark]:
    if stated(drill).dr_contract == "no":
        message = Text("the DR option is not contracted, and without it nothing can be switched to the DR site (Z1)")
        yield Remark(("biztel", "dr_contract"), message, Text("a contract with the DR option"))


def _unconfirmed_contract(drill: Drill) -> Iterator[Remark]:
    if stated(drill).dr_contract == "unknown":
        message = Text("nobody has confirmed that the DR option is contracted (Z1)")
        yield Remark(("biztel", "dr_contract"), message, Text("'yes' or 'no', from the contract"))


def _too_old(drill: Drill) -> Iterator[Remark]:
    system = System.of(drill)
    if system is not None and system.version is not None:
        message = Text("there is no DR service before version 3.6.10, and this is {version} (Z2)",
                       version=version_text(system.version))  # fmt: skip
        yield Remark(("system",), message, Text("version 3.6.10 or later"))


def _outbound_option(drill: Drill) -> Iterator[Remark]:
    for index, option in enumerate(stated(drill).options):
        if option == "outbound":
            message = Text("a contract with the option 'outbound' cannot have DR (Z3)")
            yield Remark(("biztel", "options", index), message, Text("a contract without it, or a plan without DR"))


# What is asked and accepted beforehand


def _lower_service_refused(drill: Drill) -> Iterator[Remark]:
    if stated(drill).accepts_lower_service == "no":
        message = Text("DR is offered to those who accept another service level there, and this plan does not (Z13)")
        yield Remark(("biztel", "accepts_lower_service"), message, Text("'yes', or a plan without DR"))


def _lower_service_unknown(drill: Drill) -> Iterator[Remark]:
    if stated(drill).accepts_lower_service == "unknown":
        message = Text("nobody has said that another service level on DR is accepted (Z13)")
        yield Remark(("biztel", "accepts_lower_service"), message, Text("'yes', from whoever answers for the service"))


def _not_asked(drill: Drill) -> Iterator[Remark]:
    unknown = [name for name, answer in _asked(drill) if answer == "unknown"]
    if unknown:
        message = Text(
            "whether these work on DR varies by contract, and nobody has asked: {names} (Z26)", names=listed(unknown)
        )
        yield Remark(("biztel", "asked"), message, Text("the vendor's answer to each; 'no' also where it is not used"))


def _asked(drill: Drill) -> list[tuple[str, str]]:
    asked = stated(drill).asked
    return [
        ("speech-recognition", asked.speech_recognition),
        ("vpn", asked.vpn),
        ("external-links", asked.external_links),
    ]


def _version_skew(drill: Drill) -> Iterator[Remark]:
    system, there = System.of(drill), stated(drill).dr_version
    if there is None or system is None or system.version is None:
        return
    version = tuple(map(int, there.split(".")))
    said = min(len(version), len(system.version))
    if version[:said] != system.version[:said]:
        message = Text(
            "the DR site has {there} and the primary one {here}: DR is not upgraded by itself (Z45)",
            there=there,
            here=version_text(system.version),
        )
        yield Remark(("biztel", "dr_version"), message, Text("an upgrade of the DR site, asked of the vendor"))


def _version_unstated(drill: Drill) -> Iterator[Remark]:
    if stated(drill).dr_version is None:
        message = Text("the plan does not say which version the DR site has, which is not upgraded by itself (Z45)")
        yield Remark(("biztel", "dr_version"), message, Text("the version, from the DR site's console or the vendor"))


def _opencti(drill: Drill) -> Iterator[Remark]:
    if not stated(drill).opencti:
        return
    order = Order.of(drill)
    there, back = order.there(), order.back().values()
    on_the_way = [
        step
        for step in order.with_duty(Duty.OPENCTI_SERVER).values()
        if not any(order.is_after(step, each) for each in back)
    ]
    if there and not on_the_way:
        message = Text("OpenCTI is used, and no step of the switch changes its server URL (Z24)")
        yield Remark(("biztel", "opencti"), message, Text("a step with 'duty: opencti-server'"))


# Numbers shown


def _shown(drill: Drill) -> Iterator[tuple[Path, str | None]]:
    """Yield the numbers that outbound calls can show, and where the plan says so."""
    yield ("default_caller",), drill.default_caller
    for name, group in drill.agents.items():
        yield ("agents", name, "caller_number"), group.caller_number
    for index, stream in enumerate(drill.traffic):
        if stream.shows not in ("default", "terminal"):
            yield ("traffic", index, "shows"), stream.shows
    for index, step in enumerate(drill.runbook):
        match step.does:
            case DefaultCaller(default_caller=number):
                yield ("runbook", index, "does", "default_caller"), number
            case CallerNumbers(to=number):
                yield ("runbook", index, "does", "to"), number


_FREE_DIAL = (NumberKind.FREE_DIAL, NumberKind.NAVI_DIAL)


def _free_dial_shown(drill: Drill) -> Iterator[Remark]:
    if "number-notification" in stated(drill).options:
        return
    for path, number in _shown(drill):
        if number is not None and parse_number(number).kind in _FREE_DIAL:
            message = Text(
                "outbound calls show {number} only with the option 'number-notification', which the contract has not "
                "got (Z22)",
                number=number,
            )
            yield Remark(path, message, Text("biztel: {{options: [number-notification]}}, or a number behind it"))


# The DR site


def _lost_with_dr(drill: Drill) -> Iterator[Remark]:
    earliest = beginnings(drill)
    order = Order.of(drill)
    for site in (name for name, each in drill.sites.items() if each.role == "secondary"):
        activated = [earliest[step.step] for step in order.activations(site)]
        if not activated:
            continue
        for index, fault in enumerate(drill.faults):
            over = inf if fault.lasts is None else fault.at + fault.lasts
            field = _takes_part_of(drill, fault, site)
            if field is not None and fault.at < drill.run.lasts and over > min(activated):
                message = Text(
                    "{fault} also takes network, lines or carrier of {site}, and DR is offered on condition that they "
                    "are healthy (Z13)",
                    fault=fault.name,
                    site=site,
                )
                yield Remark(("faults", index, field), message, Text("a plan for the case that DR cannot be used"))


def _takes_part_of(drill: Drill, fault: Fault, site: str) -> str | None:
    """Return the field by which a fault breaks something of a site for good or for a time; None if it does not."""
    stands_at = {name: drill.sbc_pairs[trunk.via].site for name, trunk in drill.trunks.items()}
    broken = {
        "site": fault.site == site,
        "registrar": fault.registrar == site,
        "pair": fault.pair is not None and fault.fails == "all" and drill.sbc_pairs[fault.pair].site == site,
        "trunk": fault.trunk is not None and site in (stands_at[fault.trunk], drill.trunks[fault.trunk].site),
        "carrier": any(
            trunk.carrier == fault.carrier and site in (stands_at[name], trunk.site)
            for name, trunk in drill.trunks.items()
            if fault.carrier is not None
        ),
    }
    return next((field for field, is_so in broken.items() if is_so), None)


def _used_in_normal_times(drill: Drill) -> Iterator[Remark]:
    for name in drill.agents:
        site = home(drill, name)
        if drill.sites[site].role == "secondary":
            message = Text(
                "softphones of {name} start at {site}: in normal times nobody works on the DR site (Z14)",
                name=name,
                site=site,
            )
            yield Remark(("agents", name, "softphone", "sites"), message, Text("the primary site first"))
    for number, roles in _roles(drill).items():
        if roles[0] == "secondary":
            message = Text(
                "calls to {number} lead to the DR site in normal times, when it takes none (Z14)", number=number
            )
            yield Remark(("numbers", number, "trunk"), message, Text("a trunk of the primary site"))


def _roles(drill: Drill) -> dict[str, list[str]]:
    """Return the roles of the sites that a number's trunks enter, for numbers callers come to before any step."""
    ways = (land(drill, behind(drill), stream.to) for stream in drill.traffic if stream.from_ is None)
    return {
        way.way[-1]: [_site_of(drill, trunk).role for trunk in drill.numbers[way.way[-1]].trunks]
        for way in ways
        if way is not None
    }


def _site_of(drill: Drill, trunk: str) -> Site:
    return drill.sites[drill.sbc_pairs[drill.trunks[trunk].via].site]


def _share_work(drill: Drill) -> Iterator[Remark]:
    for number, roles in _roles(drill).items():
        if roles[0] == "primary" and "secondary" in roles:
            message = Text(
                "calls to {number} overflow to the DR site, which takes none in normal times (Z14)", number=number
            )
            path = ("numbers", number, "trunk", roles.index("secondary"))
            yield Remark(path, message, Text("trunks of the primary site"))
    numbers = reached(drill, {stream.to for stream in drill.traffic if stream.from_ is None})
    trunks = {trunk for number in numbers for trunk in drill.numbers[number].trunks}
    used = {drill.sbc_pairs[drill.trunks[trunk].via].site for trunk in trunks} | {
        home(drill, name) for name in drill.agents
    }
    primary = [name for name, site in drill.sites.items() if site.role == "primary" and name in used]
    if len(primary) > 1:
        message = Text(
            "{sites} are all in service from the start, but of the sites of BIZTEL one is, and the other is activated "
            "(Z14)",
            sites=listed(primary),
        )
        yield Remark(("sites", primary[1], "role"), message, Text("role: secondary, or one site"))


def declared(drill: Drill) -> Iterator[Declaration]:
    """Yield what the section about BIZTEL states and rules are content with."""
    facts = stated(drill)
    if facts.dr_contract == "yes":
        yield Declaration(("biztel", "dr_contract"), ("Z1",), Text("the DR option is contracted"))
    if facts.accepts_lower_service == "yes":
        yield Declaration(
            ("biztel", "accepts_lower_service"), ("Z13",), Text("another service level on DR is accepted")
        )
    for name, answer in _asked(drill):
        if answer != "unknown":
            text = Text("the vendor was asked about {name} on DR: {answer}", name=name, answer=Text(answer))
            yield Declaration(("biztel", "asked", name), ("Z26",), text)
    if facts.dr_version is not None:
        text = Text("the DR site has version {version}", version=facts.dr_version)
        yield Declaration(("biztel", "dr_version"), ("Z45",), text)
    if "number-notification" in facts.options:
        index = facts.options.index("number-notification")
        text = Text("outbound calls may show a 0120, 0800 or 0570 number")
        yield Declaration(("biztel", "options", index), ("Z22",), text)
    yield from duties(drill, {Duty.OPENCTI_SERVER: ("Z24",)} if facts.opencti else {})


def duties(drill: Drill, wanted: dict[Duty, tuple[str, ...]]) -> Iterable[Declaration]:
    """Yield the steps that begin in the run and have one of these duties, each with the rows that want it."""
    for index, step in Order.of(drill).steps.items():
        for duty in step.duties:
            if duty in wanted:
                text = Text("{step}: {duty}", step=step.step, duty=DUTIES[duty])
                yield Declaration(("runbook", index, "duty"), wanted[duty], text)


CONTRACT: dict[Rule, Check] = {
    _rule(
        "no-dr-contract",
        Severity.ERROR,
        "Without the DR option in the contract there is nothing to switch to.",
        cites=("Z1",),
    ): _for_dr(_no_contract),
    _rule(
        "unconfirmed-dr-contract",
        Severity.WARNING,
        "Whether DR is contracted is found out before the disaster, or in it.",
        cites=("Z1",),
    ): _for_dr(_unconfirmed_contract),
    _rule(
        "too-old-for-dr",
        Severity.ERROR,
        "The DR service came with version 3.6.10.",
        cites=("Z2",),
        before=(3, 6, 10),
    ): _for_dr(_too_old),
    _rule(
        "outbound-option",
        Severity.ERROR,
        "The contract option for outbound work and DR exclude each other.",
        cites=("Z3",),
    ): _for_dr(_outbound_option),
    _rule(
        "lower-service-refused",
        Severity.ERROR,
        "The vendor offers DR on the condition that its service level may differ.",
        cites=("Z13",),
    ): _for_dr(_lower_service_refused),
    _rule(
        "lower-service-unknown",
        Severity.NOTE,
        "Whoever has not accepted another service level beforehand will discuss it in the disaster.",
        cites=("Z13",),
    ): _for_dr(_lower_service_unknown),
    _rule(
        "lost-with-dr-site",
        Severity.WARNING,
        "DR helps only while network, lines and carrier of the DR site are healthy.",
        cites=("Z13",),
    ): _lost_with_dr,
    _rule(
        "dr-in-normal-times",
        Severity.ERROR,
        "The DR site refuses everything until it is activated, rehearsals excepted.",
        cites=("Z14",),
    ): _used_in_normal_times,
    _rule(
        "sites-share-work",
        Severity.WARNING,
        "BIZTEL has one site in service: a plan with two rehearses another system.",
        cites=("Z14",),
    ): _share_work,
    _rule(
        "number-notification",
        Severity.WARNING,
        "Outbound calls show a 0120, 0800 or 0570 number only where the contract says so.",
        cites=("Z22",),
    ): _free_dial_shown,
    _rule(
        "opencti-server",
        Severity.WARNING,
        "OpenCTI goes on asking the lost site until somebody gives it the other server's URL.",
        cites=("Z24",),
    ): _opencti,
    _rule(
        "not-asked",
        Severity.WARNING,
        "What works on DR varies by contract, and only the vendor knows.",
        cites=("Z26",),
    ): _for_dr(_not_asked),
    _rule(
        "version-skew",
        Severity.WARNING,
        "A DR site of another version has other screens, functions and steps than the plan.",
        cites=("Z45",),
    ): _for_dr(_version_skew),
    _rule(
        "dr-version-unstated",
        Severity.NOTE,
        "The DR site stays at its version until the vendor is asked to upgrade it.",
        cites=("Z45",),
    ): _for_dr(_version_unstated),
}
"""Rules about the contract, and about what the DR site is and is not for."""
