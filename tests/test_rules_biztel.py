"""Lint of plans for BIZTEL: contract, people and order; each rule broken in two ways, and a plan that is fine."""

from collections.abc import Mapping

import pytest

from kirikae import drills
from scenarios.loader import load
from scenarios.model import Drill
from scenarios.problems import Finding, Severity
from scenarios.rules import RULES, check
from scenarios.rules.packs.biztel import BIZTEL, DECLARED
from tests.made_plans import FREE_DIAL, INBOUND, LOST, OSAKA, OUTBOUND, TOKYO, plan, step

FACTS: dict[str, object] = {
    "dr_contract": "yes",
    "accepts_lower_service": "yes",
    "asked": {"speech_recognition": "no", "vpn": "no", "external_links": "no"},
    "dr_version": "3.9",
}
TAKES = {"lognormal": {"mean": "2m", "cv": 0.7}}
ADMINISTRATOR: dict[str, object] = {"may": ["system-administrator", "terminals-edit", "customer-control"]}
SALES: dict[str, object] = {"count": 20, "softphone": {"sites": ["tokyo", "osaka"]}, "caller_number": TOKYO}

AWAY: dict[str, object] = {"softphones": "sales", "site": "osaka", "slips": "1%"}
BUTTON = step("button", {"activate": "osaka"})
CALLER = step("caller", {"default_caller": OSAKA}, after="button")
PHONES = step("phones", AWAY, after="caller", by="agents", takes=TAKES)
TERMINALS = step("terminals", {"caller_numbers": "sales", "to": OSAKA}, after="phones")
NUMBER = step("number", {"route": FREE_DIAL, "to": OSAKA}, after="terminals")
TEST = step("test", {"verify": FREE_DIAL}, after="number")
THERE = [BUTTON, CALLER, PHONES, TERMINALS, NUMBER, TEST]

REPAIRED: dict[str, object] = {**LOST, "for": "20m"}
NOTICE = step("notice", after="test", by="vendor", when={"repaired": "tokyo-lost"}, duty="vendor-notice")
HOME: dict[str, object] = {"softphones": "sales", "site": "tokyo"}
PHONES_BACK = step("phones back", HOME, after="notice", by="agents", takes=TAKES)
NUMBER_BACK = step("number back", {"route": FREE_DIAL, "to": TOKYO}, after="phones back")
TEST_BACK = step("test back", {"verify": FREE_DIAL}, after="number back")
RESYNC = step("resync", after="test back", duty=["report-to-vendor", "resync-request"])
BACK = [NOTICE, PHONES_BACK, NUMBER_BACK, TEST_BACK, RESYNC]


def made(**changes: object) -> Drill:
    """Return a plan for BIZTEL that keeps every rule, changed."""
    return plan(
        **{
            "system": "biztel-3.9",
            "biztel": FACTS,
            "agents": {"sales": SALES},
            "actors": {"administrator": ADMINISTRATOR, "vendor": {}},
            "faults": [REPAIRED],
            "runbook": [*THERE, *BACK],
            **changes,
        }
    )


def facts(**changes: object) -> Drill:
    return made(biztel={name: fact for name, fact in {**FACTS, **changes}.items() if fact is not None})


def book(*changed: Mapping[str, object], **sections: object) -> Drill:
    """Return the plan with steps in place of those of the same name."""
    new = {each["step"]: each for each in changed}
    steps = [new.pop(each["step"], each) for each in [*THERE, *BACK]]
    return made(runbook=[*steps, *new.values()], **sections)


def phone(**fields: object) -> dict[str, object]:
    return {"sales": {**SALES, "softphone": {"sites": ["tokyo", "osaka"], **fields}}}


def of(rule: str, drill: Drill) -> list[Finding]:
    return [finding for finding in check(drill) if finding.id == rule]


def test_the_plan_that_is_fine_has_no_findings() -> None:
    fine = (made(), made(runbook=THERE, actors={"administrator": ADMINISTRATOR}, faults=[LOST]))
    ours = {rule.id for rule in BIZTEL}
    assert [finding for each in fine for finding in check(each) if finding.id in ours] == []


@pytest.mark.parametrize("name", ["tokyo-osaka-dr", "failback-under-load"])
def test_a_bundled_drill_for_biztel_has_no_findings(name: str) -> None:
    assert check(load(drills.find(name)).drill) == []


EIGHT: dict[str, object] = {"system": "biztel-3.8.2"}
OLD: dict[str, object] = {"system": "biztel-3.6.9"}
BY_VENDOR = {**BUTTON, "by": "vendor"}
SECOND: dict[str, object] = {"sites": {"tokyo": {}, "osaka": {}}}
SPLIT = {"sites": ["osaka", "tokyo"]}
WORKS = {"may": ["terminals-edit"]}

BROKEN: dict[str, list[tuple[Drill, tuple[str | int, ...], str]]] = {
    "no-dr-contract": [
        (facts(dr_contract="no"), ("biztel", "dr_contract"), "not contracted"),
        (facts(dr_contract=False, dr_version="3.9.1"), ("biztel", "dr_contract"), "not contracted"),
    ],
    "unconfirmed-dr-contract": [
        (facts(dr_contract="unknown"), ("biztel", "dr_contract"), "nobody has confirmed"),
        (made(biztel=None), ("biztel", "dr_contract"), "nobody has confirmed"),
    ],
    "too-old-for-dr": [
        (book(BY_VENDOR, **OLD), ("system",), "this is 3.6.9"),
        (book(BY_VENDOR, system="BIZTEL-v2"), ("system",), "this is 2"),
    ],
    "outbound-option": [
        (facts(options=["outbound"]), ("biztel", "options", 0), "'outbound' cannot have DR"),
        (facts(options=["number-notification", "outbound"]), ("biztel", "options", 1), "'outbound' cannot have DR"),
    ],
    "lower-service-refused": [
        (facts(accepts_lower_service="no"), ("biztel", "accepts_lower_service"), "does not"),
        (facts(accepts_lower_service=False, dr_contract="unknown"), ("biztel", "accepts_lower_service"), "does not"),
    ],
    "lower-service-unknown": [
        (facts(accepts_lower_service=None), ("biztel", "accepts_lower_service"), "nobody has said"),
        (made(biztel=None), ("biztel", "accepts_lower_service"), "nobody has said"),
    ],
    "lost-with-dr-site": [
        (
            made(faults=[REPAIRED, {"name": "line", "at": "15m", "trunk": "ntt-osaka", "for": "1m"}]),
            ("faults", 1, "trunk"),
            "line also takes network, lines or carrier of osaka",
        ),
        (
            made(
                trunks={name: {"via": f"{name[4:]}-edge", "channels": 99, "carrier": "NTT"} for name in
                        ("ntt-tokyo", "ntt-osaka")},
                faults=[REPAIRED, {"name": "carrier", "at": "9m", "carrier": "NTT"}],
            ),
            ("faults", 1, "carrier"),
            "carrier also takes",
        ),
        (made(faults=[REPAIRED, {"name": "quake", "at": "10m", "site": "osaka"}]), ("faults", 1, "site"), "quake"),
    ],
    "dr-in-normal-times": [
        (
            made(traffic=[{**INBOUND, "to": OSAKA}, OUTBOUND]),
            ("numbers", OSAKA, "trunk"),
            f"{OSAKA} lead to the DR site in normal times",
        ),
        (made(agents={"sales": {**SALES, "softphone": SPLIT}}), ("agents", "sales", "softphone", "sites"), "start at"),
    ],
    "sites-share-work": [
        (
            made(numbers={TOKYO: {"trunk": ["ntt-tokyo", "ntt-osaka"], "queue": "sales"}}),
            ("numbers", TOKYO, "trunk", 1),
            "overflow to the DR site",
        ),
        (made(**SECOND), ("sites", "osaka", "role"), "tokyo, osaka are all in service"),
    ],
    "number-notification": [
        (made(default_caller=FREE_DIAL), ("default_caller",), f"show {FREE_DIAL} only with"),
        (
            book({**TERMINALS, "does": {"caller_numbers": "sales", "to": FREE_DIAL}}),
            ("runbook", 3, "does", "to"),
            f"show {FREE_DIAL} only with",
        ),
        (made(traffic=[INBOUND, {**OUTBOUND, "shows": FREE_DIAL}]), ("traffic", 1, "shows"), "only with"),
        (made(agents={"sales": {**SALES, "caller_number": FREE_DIAL}}), ("agents", "sales", "caller_number"), "only"),
        (
            book({**CALLER, "does": {"default_caller": FREE_DIAL}}),
            ("runbook", 1, "does", "default_caller"),
            "only with",
        ),
    ],
    "opencti-server": [
        (facts(opencti=True), ("biztel", "opencti"), "no step of the switch changes its server URL"),
        (
            book({**NUMBER_BACK, "duty": "opencti-server"}, biztel={**FACTS, "opencti": True}),
            ("biztel", "opencti"),
            "no step",
        ),
        (
            book(step("cti", duty="opencti-server", starts={"at": "2h"}), biztel={**FACTS, "opencti": True}),
            ("biztel", "opencti"),
            "no step",
        ),
    ],
    "not-asked": [
        (made(biztel=None), ("biztel", "asked"), "speech-recognition, vpn, external-links"),
        (
            facts(asked={"vpn": "yes", "speech_recognition": "no"}),
            ("biztel", "asked"),
            "nobody has asked: external-links (Z26)",
        ),
    ],
    "version-skew": [
        (facts(dr_version="3.8.2"), ("biztel", "dr_version"), "the DR site has 3.8.2 and the primary one 3.9:"),
        (made(system="biztel-3.9.1", biztel={**FACTS, "dr_version": "3.9.0"}), ("biztel", "dr_version"), "3.9.1:"),
    ],
    "dr-version-unstated": [
        (facts(dr_version=None), ("biztel", "dr_version"), "does not say"),
        (made(biztel=None), ("biztel", "dr_version"), "does not say"),
    ],
    "no-dr-button": [
        (made(**EIGHT), ("runbook", 0, "by"), "administrator cannot activate the DR site"),
        (book({**BUTTON, "by": "vendor"}, **EIGHT, actors={"administrator": ADMINISTRATOR,
              "vendor": {"works_for": "customer"}}), ("runbook", 0, "by"), "vendor cannot activate"),
    ],
    "vendor-presses-button": [
        (book(BY_VENDOR), ("runbook", 0, "by"), "this waits for vendor"),
        (
            made(actors={"administrator": {**ADMINISTRATOR, "works_for": "vendor"}, "vendor": {}}),
            ("runbook", 0, "by"),
            "this waits for administrator",
        ),
    ],
    "no-system-administrator": [
        (made(actors={"administrator": WORKS, "vendor": {}}), ("runbook", 1, "by"), "administrator is no system"),
        (
            made(actors={"administrator": {**ADMINISTRATOR, "deputy": "night"}, "night": WORKS, "vendor": {}}),
            ("runbook", 1, "by"),
            "night is no system administrator",
        ),
    ],
    "unstated-role": [
        (made(actors=None), ("runbook", 1, "by"), "nothing says that administrator has it"),
        (
            made(actors={"administrator": {**ADMINISTRATOR, "deputy": "night"}, "night": {}, "vendor": {}}),
            ("runbook", 1, "by"),
            "nothing says that night has it",
        ),
    ],
    "automatic-softphones": [
        (made(agents=phone(switch="automatic")), ("agents", "sales", "softphone", "switch"), "by themselves"),
        (
            made(agents={"second": {"count": 2, "softphone": {"sites": ["tokyo", "osaka"], "switch": "automatic"}}},
                 queues={"sales": {"agents": ["sales", "second"]}}),
            ("agents", "second", "softphone", "switch"),
            "softphones of second switch by themselves",
        ),
    ],
    "all-agents-alike": [
        (book({**PHONES, "takes": "3m"}), ("runbook", 2, "takes"), "all of sales take the same time"),
        (book({**PHONES_BACK, "takes": 0}), ("runbook", 7, "takes"), "the same time"),
    ],
    "nobody-slips": [
        (book({**PHONES, "does": {"softphones": "sales", "site": "osaka"}}), ("runbook", 2, "does", "slips"), "ever"),
        (
            made(runbook=[BUTTON, CALLER, {**PHONES, "does": {**AWAY, "slips": "0%"}}, TERMINALS]),
            ("runbook", 2, "does", "slips"),
            "ever",
        ),
    ],
    "unprepared-hard-phones": [
        (made(agents=phone(phone="hard")), ("runbook", 2, "does", "softphones"), "stay where they are"),
        (made(agents=phone(phone="hard", prepared="no")), ("runbook", 2, "does", "softphones"), "for osaka beforehand"),
    ],
    "sign-in-forgotten": [
        (facts(two_step_login=True), ("runbook", 2, "does", "login"), "sales verify anew at osaka"),
        (
            book(
                {**PHONES, "does": {"softphones": "sales", "site": "osaka", "slips": "1%", "login": 0}},
                biztel={**FACTS, "two_step_login": True},
            ),
            ("runbook", 2, "does", "login"),
            "verify anew",
        ),
    ],
    "dr-button-first": [
        (book({**BUTTON, "starts": None, "after": "caller"}, step("caller", {"default_caller": OSAKA})),
         ("runbook", 1), "before 'button'"),
        (book(step("number", {"route": FREE_DIAL, "to": OSAKA}, by="carrier"), actors=None),
         ("runbook", 4), "'button'"),
    ],
    "tests-last": [
        (book({**TEST, "after": "button"}), ("runbook", 5),
         "none surely comes after 'phones', 'terminals', 'number' (Z29)"),
        (book({**TEST, "after": "phones", "by": "vendor"}, {**NOTICE, "after": "number"}), ("runbook", 5),
         "none surely comes after 'terminals', 'number' (Z29)"),
    ],
    "other-order": [
        (
            book({**PHONES, "after": "button"}, {**CALLER, "after": "phones"}, {**TERMINALS, "after": "caller"}),
            ("runbook", 1),
            "before 'phones', not after (Z29)",
        ),
        (
            book({**NUMBER, "after": "button"}, {**CALLER, "after": "number"}, {**TEST, "after": "terminals"}),
            ("runbook", 1),
            "before 'number', not after",
        ),
        (
            book(
                step("forward", {"forward": TOKYO, "to": OSAKA}, after="button"),
                {**CALLER, "after": "forward"},
                {**TEST, "after": ["number", "forward"]},
                numbers={TOKYO: {"trunk": "ntt-tokyo", "queue": "sales", "voice_warp": {"channels": 50}}},
            ),
            ("runbook", 1),
            "before 'forward', not after",
        ),
    ],
    "back-too-early": [
        (book({**NOTICE, "when": None}), ("runbook", 7), "go back to tokyo although tokyo-lost need not be repaired"),
        (
            made(faults=[{"name": "tokyo-lost", "at": "10m", "registrar": "tokyo", "for": "20m"}],
                 runbook=[*THERE, {**NOTICE, "when": {"in_service": "tokyo"}}, *BACK[1:]]),
            ("runbook", 7),
            "although tokyo-lost",
        ),
    ],
    "failback-order": [
        (book({**PHONES_BACK, "after": "test", "when": {"repaired": "tokyo-lost"}}),
         ("runbook", 7), "before the vendor"),
        (book({**RESYNC, "after": "phones back", "by": "vendor"}), ("runbook", 10), "'number back', 'test back'"),
        (
            book(step("report", after="notice", duty="report-to-vendor", by="vendor"),
                 {**RESYNC, "duty": "resync-request"}),
            ("runbook", 11),
            "'phones back' may still be under way",
        ),
    ],
    "failback-gaps": [
        (book({**NOTICE, "duty": None}), ("runbook", 7), "nothing on the way back waits for the vendor's notice"),
        (book({**RESYNC, "duty": "report-to-vendor"}), ("runbook", 7), "nobody asks the vendor to resume"),
        (book({**RESYNC, "duty": "resync-request"}), ("runbook", 7), "nobody reports"),
    ],
}  # fmt: skip
"""For every rule, plans that break it, where, and what the finding says."""


@pytest.mark.parametrize(
    ("rule", "drill", "path", "says"),
    [(rule, *case) for rule, cases in BROKEN.items() for case in cases],
    ids=[f"{rule}-{index}" for rule, cases in BROKEN.items() for index in range(len(cases))],
)
def test_a_plan_that_breaks_a_rule(rule: str, drill: Drill, path: tuple[str | int, ...], says: str) -> None:
    found = [finding for finding in of(rule, drill) if finding.path == path]
    assert found, [(finding.id, finding.path, finding.message) for finding in check(drill)]
    assert says in found[0].message
    (row,) = next(each for each in RULES if each.id == rule).cites
    assert f"({row})" in found[0].message
    assert found[0].remedy


def test_every_rule_of_this_pack_is_broken_in_two_ways_and_counts_for_biztel_only() -> None:
    ours = {rule.id for rule in RULES if rule.id in BROKEN}
    assert ours == set(BROKEN)
    assert all(len(cases) >= 2 for cases in BROKEN.values())
    assert all(rule.system == "biztel" for rule in RULES if rule.id in ours)
    errors = {rule.id for rule in RULES if rule.id in ours and rule.severity is Severity.ERROR}
    assert errors == {
        "no-dr-contract", "too-old-for-dr", "outbound-option", "lower-service-refused", "dr-in-normal-times",
        "no-dr-button", "vendor-presses-button", "no-system-administrator", "automatic-softphones",
        "unprepared-hard-phones", "dr-button-first", "tests-last", "back-too-early", "failback-order",
    }  # fmt: skip
    bare = made(system=None, biztel=None, actors=None)
    assert not ours & {finding.id for finding in check(bare)}


SIGNED = {**PHONES, "does": {**AWAY, "login": "1m"}}
READY = step("phones", AWAY, by="agents", takes=TAKES, when={"in_service": "osaka"})
FINE = {
    "the vendor activates before 3.9": book(BY_VENDOR, **EIGHT, biztel={**FACTS, "dr_version": "3.8"}),
    "3.6.10 is new enough": book(BY_VENDOR, system="biztel-3.6.10", biztel={**FACTS, "dr_version": "3.6.10"}),
    "the option lets calls show it": made(
        default_caller=FREE_DIAL, biztel={**FACTS, "options": ["number-notification"]}
    ),
    "OpenCTI is told": book({**CALLER, "duty": "opencti-server"}, biztel={**FACTS, "opencti": True}),
    "hard phones were prepared": made(agents=phone(phone="hard", prepared="yes")),
    "there is time to sign in": book(SIGNED, biztel={**FACTS, "two_step_login": True}),
    "phones wait until Osaka is in service": book(READY, {**TERMINALS, "after": ["caller", "phones"]}),
    "what is done beside each other is no deviation": book(
        {**NUMBER, "after": "button", "by": "carrier"}, {**TEST, "after": ["number", "terminals"]}, actors=None
    ),
    "the DR site fails after it was used": made(
        faults=[{**LOST, "for": "5m"}, {"name": "before", "at": "1m", "site": "osaka", "for": "2m"}]
    ),
    "an actor may work for the vendor": book(
        {**BUTTON, "by": "ntt"}, **EIGHT, biztel={**FACTS, "dr_version": "3.8"},
        actors={"administrator": ADMINISTRATOR, "vendor": {}, "ntt": {"works_for": "vendor"}},
    ),
    "the system alone says nothing of the version there": made(system="biztel"),
}  # fmt: skip


@pytest.mark.parametrize("why", FINE)
def test_a_plan_that_keeps_the_rules(why: str) -> None:
    found = [finding for finding in check(FINE[why]) if finding.id in BROKEN and finding.id != "unstated-role"]
    assert found == []


def test_a_plan_without_a_dr_site_needs_no_contract_about_one() -> None:
    alone = made(
        biztel=None,
        sites={"osaka": None},
        sbc_pairs={"osaka-edge": None},
        trunks={"ntt-osaka": None},
        numbers={OSAKA: None},
        agents={"sales": {"count": 20, "softphone": {"sites": ["tokyo"]}}},
        runbook=[],
        actors=None,
    )
    assert not {finding.id for finding in check(alone)} & set(BROKEN)


def test_only_what_is_stated_is_counted_as_declared() -> None:
    def rows(drill: Drill) -> list[str]:
        return [row for look in DECLARED for each in look(drill) for row in each.cites if row.startswith("Z")]

    assert sorted(set(rows(made()))) == ["Z1", "Z13", "Z26", "Z33", "Z41", "Z45"]
    assert rows(made(biztel=None, runbook=[BUTTON], actors=None)) == []
    hard = phone(phone="hard", prepared="yes")
    told = book({**CALLER, "duty": "opencti-server"}, agents=hard, biztel={**FACTS, "opencti": True,
                "options": ["number-notification"]})  # fmt: skip
    assert {"Z22", "Z24", "Z25"} <= set(rows(told))


def test_the_section_is_for_biztel_only_and_soft_phones_are_not_prepared() -> None:
    for system in (None, "cxone-ports"):
        (finding,) = check(made(system=system))
        assert (finding.id, finding.severity, finding.path) == ("not-applicable", Severity.ERROR, ("biztel",))
    (finding,) = check(made(agents=phone(prepared="yes")))
    assert finding.path == ("agents", "sales", "softphone", "prepared")
