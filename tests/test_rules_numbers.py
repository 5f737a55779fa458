"""Rules about numbers: each broken twice or more, in small plans and in bundled drills, and kept once."""

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from kirikae import drills
from scenarios.loader import load
from scenarios.model import Drill, Forward
from scenarios.numberplan import NumberKind, parse_number
from scenarios.problems import Finding
from scenarios.rules import check
from scenarios.rules.packs.numbers import DECLARED, NUMBERS
from tests.made_plans import ACTIVATE, FREE_DIAL, INBOUND, MOBILE, OSAKA, OTHER, OUTBOUND, REROUTE, SWITCH, TOKYO, plan
from tests.made_plans import step as made

NTT = "NTT Communications"
DR_050 = "050-3123-4567"
DR_OTHER_06 = "06-9999-9999"

CHANGE = made("change", {"default_caller": OSAKA}, after="activate")
TEST_IN = made("test in", {"verify": FREE_DIAL}, after="re-point")
TEST_OUT = made("test out", {"verify_out": "sales"}, after="test in")
RUNBOOK = [ACTIVATE, CHANGE, SWITCH, REROUTE, TEST_IN, TEST_OUT]

LINE_BEHIND_NOTHING: dict[str, object] = {"traffic": [{**INBOUND, "to": TOKYO}], "numbers": {FREE_DIAL: None}}
"""Callers dial the line itself."""
WARP = {TOKYO: {"trunk": "ntt-tokyo", "queue": "sales", "voice_warp": {"channels": 5}}}
TO_OSAKA = made("forward", {"forward": TOKYO, "to": OSAKA}, after="switch")
TELL = made("tell", {"announce": TOKYO, "to": OSAKA, "reaches": "40%"}, after="switch")
TEST_LINE = made("test", {"verify": TOKYO}, after="switch")


def biztel(**changes: object) -> Drill:
    """Return the small plan as one for BIZTEL: carriers are named, caller numbers are changed, all is tested."""
    trunks = {
        "ntt-tokyo": {"via": "tokyo-edge", "channels": 100, "carrier": NTT},
        "ntt-osaka": {"via": "osaka-edge", "channels": 100, "carrier": NTT},
    }
    more = changes.pop("trunks", {})
    assert isinstance(more, Mapping)
    return plan(**{"system": "biztel-3.9", "trunks": {**trunks, **more}, "runbook": RUNBOOK, **changes})


def found(drill: Drill) -> list[Finding]:
    """Return the findings of the rules that this is about."""
    mine = {rule.id for rule in NUMBERS}
    return [finding for finding in check(drill) if finding.id in mine]


def ids(drill: Drill) -> list[str]:
    return [finding.id for finding in found(drill)]


def bundled(name: str, *changes: str) -> Drill:
    return load(drills.find(name), changes).drill


def line(*runbook: object, **changes: object) -> Drill:
    """Return the plan of a customer whose callers dial the line itself."""
    numbers = {FREE_DIAL: None, **dict(changes.pop("numbers", {}))}  # type: ignore[call-overload]  # given as a mapping
    return biztel(
        **{**LINE_BEHIND_NOTHING, "numbers": numbers, "runbook": [ACTIVATE, CHANGE, SWITCH, *runbook]} | changes
    )


def test_a_sound_plan_has_no_findings() -> None:
    assert ids(biztel()) == []


def test_a_plan_for_no_system_is_held_to_what_the_carrier_does_and_to_nothing_else() -> None:
    reroute = made("re-point", {"route": FREE_DIAL, "to": DR_050}, after="switch")
    numbers = {DR_050: {"trunk": "ntt-osaka", "queue": "sales"}}
    assert ids(plan(numbers=numbers, runbook=[ACTIVATE, SWITCH, reroute])) == ["plain-free-dial"]
    assert ids(plan(runbook=[ACTIVATE, SWITCH])) == []


# All plans.


@pytest.mark.parametrize("number", ["117", "104", "0077-78-1234"])
def test_j1_a_carriers_own_service_is_no_number_of_a_plan(number: str) -> None:
    (finding,) = found(plan(numbers={number: {"trunk": "ntt-tokyo"}}, traffic=[INBOUND, {**INBOUND, "to": number}]))
    assert finding.id == "no-line"
    assert finding.path == ("numbers", parse_number(number).text)


@pytest.mark.parametrize("front", [FREE_DIAL, "0800-123-4567", "0570-012-345"])
def test_z17_a_050_number_behind_a_plain_free_dial_number(front: str) -> None:
    behind = biztel(
        numbers={front: {"to": DR_050}, DR_050: {"trunk": "ntt-tokyo", "queue": "sales"}},
        traffic=[{**INBOUND, "to": front}, INBOUND, OUTBOUND],
    )
    assert [(each.id, each.path) for each in found(behind)] == [("plain-free-dial", ("numbers", front, "to"))]


def test_z17_a_step_that_points_there() -> None:
    drill = bundled("tokyo-osaka-dr", "numbers.050-3123-4567={trunk: ntt-osaka, queue: sales}",
                    "runbook[re-point 0120-123-456].does.to=050-3123-4567")  # fmt: skip
    assert [(each.id, each.path) for each in found(drill)] == [("plain-free-dial", ("runbook", 4, "does", "to"))]


@pytest.mark.parametrize("service", ["free-dial-intelligent", "other"])
def test_z17_not_with_another_service_which_the_plan_only_declares(service: str) -> None:
    drill = bundled("free-dial-to-050", f"numbers.{FREE_DIAL}.service={service}")
    assert "plain-free-dial" not in ids(drill)
    declared = {declaration.cites for look in DECLARED for declaration in look(drill)}
    assert (("Z17",) in declared) is (service == "free-dial-intelligent")


def test_j3_z23_forwarding_without_a_contract() -> None:
    assert ids(line(TO_OSAKA, made("test", {"verify": TOKYO}, after="forward"), TEST_OUT_LINE)) == [
        "forwarding-without-contract"
    ]
    drill = bundled("published-03-forwarded", "numbers.03-1234-5678={trunk: ntt-tokyo, queue: sales}")
    assert ids(drill) == ["forwarding-without-contract"]


TEST_OUT_LINE = made("test out", {"verify_out": "sales", "to": MOBILE}, after="switch")

FORBIDDEN = (FREE_DIAL, "0800-123-4567", "117", "+1 212-555-1234", "0077-78-1234")
UNNAMED = ("0570-012-345", "0990-512-345", "020-1234-5678")


@pytest.mark.parametrize("target", [*FORBIDDEN, *UNNAMED])
def test_j3_what_voice_warp_cannot_forward_to(target: str) -> None:
    drill = line(
        made("forward", {"forward": TOKYO, "to": target}, after="switch"), TEST_LINE, TEST_OUT_LINE,
        numbers={**WARP, target: {"to": OSAKA}},
    )  # fmt: skip
    expected = "forwarding-target" if target in FORBIDDEN else "unknown-forwarding-target"
    assert expected in ids(drill)
    assert not parse_number(target).voice_warp_target


@pytest.mark.parametrize("target", [OSAKA, DR_050])
def test_j3_what_it_can_forward_to(target: str) -> None:
    numbers = {**WARP, target: {"trunk": "ntt-osaka", "queue": "sales"}}
    drill = line(
        made("forward", {"forward": TOKYO, "to": target}, after="switch"), TEST_LINE, TEST_OUT_LINE, numbers=numbers
    )
    assert ids(drill) == []


@pytest.mark.parametrize("prefix", ["001", "0033", "0081", "0086", "0070", "0077", "0088"])
def test_j3_a_target_behind_a_carriers_prefix_is_refused_when_the_plan_is_read(prefix: str) -> None:
    with pytest.raises(ValidationError, match=f"cannot forward to a number behind {prefix}"):
        Forward.model_validate({"forward": TOKYO, "to": f"{prefix}-{OSAKA}"})
    assert Forward.model_validate({"forward": TOKYO, "to": f"184-{OSAKA}"}).to == OSAKA


def test_j3_every_kind_of_number_is_sorted() -> None:
    sorted_ = {parse_number(target).kind for target in (*FORBIDDEN, *UNNAMED, OSAKA, DR_050, MOBILE, "110")}
    left = set(NumberKind) - sorted_
    assert left == {NumberKind.INVALID, NumberKind.MESSAGE_DIAL, NumberKind.MASS_CALL, NumberKind.PAGER}


# Which number works where.


@pytest.mark.parametrize(
    ("change", "index", "field"),
    [
        (made("re-point", {"route": FREE_DIAL, "to": OTHER}, after="switch"), 3, "to"),
        (made("change", {"default_caller": OTHER}, after="activate"), 1, "default_caller"),
        (made("own", {"caller_numbers": "sales", "to": OTHER}, after="switch"), 6, "to"),
    ],
)
def test_z15_a_step_that_points_to_a_number_of_the_site_that_is_lost(
    change: dict[str, object], index: int, field: str
) -> None:
    runbook = [change if each["step"] == change["step"] else each for each in RUNBOOK]
    runbook += [change] if change not in runbook else []
    drill = biztel(numbers={OTHER: {"trunk": "ntt-tokyo", "queue": "sales"}}, runbook=runbook)
    assert ("wrong-site-number", ("runbook", index, "does", field)) in [(each.id, each.path) for each in found(drill)]


def test_z15_the_way_back_points_there_rightly() -> None:
    assert ids(bundled("failback-under-load")) == []
    early = bundled("failback-under-load", "runbook[number to Osaka].does.to=03-1234-5678")
    assert [(each.id, each.path[1]) for each in found(early)] == [("wrong-site-number", 3)]


@pytest.mark.parametrize("number", [OSAKA, DR_050])
def test_z15_a_number_with_trunks_at_two_sites(number: str) -> None:
    drill = biztel(
        numbers={number: {"trunk": ["ntt-osaka", "ntt-tokyo"], "queue": "sales"}},
        traffic=[INBOUND, OUTBOUND, {**INBOUND, "to": number}],
    )
    assert "number-at-two-sites" in ids(drill)


@pytest.mark.parametrize("number", [OTHER, MOBILE, "0467-22-1234", "060-1234-5678"])
def test_z16_numbers_that_dr_does_not_take(number: str) -> None:
    drill = biztel(
        numbers={number: {"trunk": "ntt-osaka", "queue": "sales"}},
        runbook=[*RUNBOOK, made("own", {"caller_numbers": "sales", "to": number}, after="switch")],
    )
    assert [(each.id, each.path) for each in found(drill)] == [("not-usable-on-dr", ("numbers", number))]


def test_z16_a_free_dial_number_of_another_carrier() -> None:
    drill = bundled("tokyo-osaka-dr", "numbers.0120-123-456.service=other")
    assert [(each.id, each.path[-1]) for each in found(drill)] == [("not-usable-on-dr", "service")]


@pytest.mark.parametrize("carrier", ["KDDI", "SoftBank", "NTT East"])
def test_z16_lines_of_other_carriers(carrier: str) -> None:
    other = {"ntt-osaka": {"via": "osaka-edge", "channels": 100, "carrier": carrier}}
    assert ids(biztel(trunks=other)) == ["other-carrier-on-dr"]


@pytest.mark.parametrize("carrier", ["NTT Communications", "ntt com", "NTTコミュニケーションズ", "NTT ドコモビジネス"])
def test_z16_however_people_write_it(carrier: str) -> None:
    assert ids(biztel(trunks={"ntt-osaka": {"via": "osaka-edge", "channels": 100, "carrier": carrier}})) == []


def test_z16_a_line_whose_carrier_is_not_stated() -> None:
    silent = {"ntt-osaka": {"via": "osaka-edge", "channels": 100}}
    assert [(each.id, each.path) for each in found(biztel(trunks=silent))] == [
        ("unstated-carrier-on-dr", ("trunks", "ntt-osaka"))
    ]
    drill = bundled("free-dial-to-06", "trunks.ntt-osaka={via: osaka-edge, channels: 60}")
    assert ids(drill) == ["unstated-carrier-on-dr"]


# What callers dial.


def test_z20_z23_a_published_line_that_nothing_leads_on() -> None:
    assert ids(line(TEST_LINE, TEST_OUT_LINE)) == ["published-number-lost"]
    drill = bundled("tokyo-osaka-dr", "traffic[0].to=03-1234-5678")
    assert [(each.id, each.path) for each in found(drill)] == [("published-number-lost", ("traffic", 0, "to"))]


def test_z39_a_forwarding_service_that_nobody_starts() -> None:
    assert ids(line(TEST_LINE, TEST_OUT_LINE, numbers=WARP)) == ["forgotten-forwarding"]
    drill = bundled("tokyo-osaka-dr", "traffic[0].to=03-1234-5678", "numbers.03-1234-5678.voice_warp={channels: 9}")
    assert ids(drill) == ["forgotten-forwarding"]


def test_z18_z20_a_number_that_changes() -> None:
    assert ids(line(TELL, TEST_LINE, TEST_OUT_LINE)) == ["changing-number"]
    published = {DR_050: {"trunk": "ntt-tokyo", "queue": "sales"}}
    tell = made("tell", {"announce": DR_050, "to": OSAKA, "reaches": "90%"}, after="switch")
    drill = line(tell, TEST_LINE, TEST_OUT_LINE, numbers=published, traffic=[{**INBOUND, "to": DR_050}, OUTBOUND])
    assert ids(drill) == ["changing-number"]


def test_z18_not_where_the_carrier_forwards_it_or_a_free_dial_number_stands_in_front() -> None:
    assert ids(line(TELL, TO_OSAKA, TEST_LINE, TEST_OUT_LINE, numbers=WARP)) == []
    assert ids(bundled("published-03-behind-0120")) == []
    assert ids(bundled("published-03-forwarded")) == []


def test_z38_only_service_numbers_are_re_pointed() -> None:
    moved = made("move the line", {"route": TOKYO, "to": OSAKA}, after="switch")
    assert ids(line(moved, TEST_LINE, TEST_OUT_LINE)) == ["line-re-pointed"]
    drill = bundled("tokyo-osaka-dr", "runbook[re-point 0120-123-456].does.route=03-1234-5678")
    assert ids(drill) == ["line-re-pointed"]


def test_z19_06_is_advised_behind_free_dial() -> None:
    intelligent = bundled("free-dial-to-050", f"numbers.{FREE_DIAL}.service=free-dial-intelligent")
    assert [(each.id, each.path) for each in found(intelligent)] == [("not-06-behind", ("runbook", 2, "does", "to"))]
    reroute = made("re-point", {"route": FREE_DIAL, "to": DR_050}, after="switch")
    drill = biztel(
        numbers={FREE_DIAL: {"to": TOKYO, "service": "free-dial-intelligent"},
                 DR_050: {"trunk": "ntt-osaka", "queue": "sales"}},
        runbook=[ACTIVATE, CHANGE, SWITCH, reroute, TEST_IN, TEST_OUT],
    )  # fmt: skip
    assert ids(drill) == ["not-06-behind"]


def test_z21_z28_a_number_behind_others_that_nobody_answers() -> None:
    drill = biztel(numbers={OSAKA: {"trunk": "ntt-osaka"}})
    assert [(each.id, each.path) for each in found(drill)] == [("unbound-dial-in", ("numbers", OSAKA))]
    forwarded = line(TO_OSAKA, TEST_LINE, TEST_OUT_LINE, numbers={**WARP, OSAKA: {"trunk": "ntt-osaka"}})
    assert ids(forwarded) == ["unbound-dial-in"]


def test_z28_another_group_receives_the_new_number() -> None:
    queues = {"sales": {"agents": ["sales"]}, "desk": {"agents": ["sales"]}}
    numbers = {OSAKA: {"trunk": "ntt-osaka", "queue": "desk"}}
    tell = line(TELL, TEST_LINE, TEST_OUT_LINE, numbers=numbers, queues=queues)
    assert sorted(ids(tell)) == ["changing-number", "other-queue"]
    forward = line(TO_OSAKA, TEST_LINE, TEST_OUT_LINE, numbers={**WARP, **numbers}, queues=queues)
    assert ids(forward) == ["other-queue"]


@pytest.mark.parametrize("number", [OTHER, "050-3999-9999"])
def test_z51_forwarding_to_a_number_that_does_not_work_on_dr(number: str) -> None:
    forward = made("forward", {"forward": TOKYO, "to": number}, after="switch")
    numbers = {**WARP, number: {"trunk": "ntt-tokyo", "queue": "sales"}}
    assert ids(line(forward, TEST_LINE, TEST_OUT_LINE, numbers=numbers)) == ["forwarded-elsewhere"]


# What calls show.


def test_z32_the_default_caller_number_that_nobody_changes() -> None:
    assert ids(biztel(runbook=[each for each in RUNBOOK if each is not CHANGE])) == ["default-caller-left-behind"]
    assert ids(bundled("default-caller-forgotten")) == ["default-caller-left-behind"]
    assert ids(bundled("default-caller-changed")) == []


def test_z32_not_where_the_number_stays_usable() -> None:
    usable = [each for each in RUNBOOK if each is not CHANGE]
    service = biztel(default_caller=FREE_DIAL, runbook=usable)
    assert ids(service) == [], "0120 leads to Osaka in the end"


def test_z37_terminals_with_a_number_of_their_own() -> None:
    own = {"count": 20, "softphone": {"sites": ["tokyo", "osaka"]}, "caller_number": TOKYO}
    drill = biztel(agents={"sales": own})
    assert [(each.id, each.path) for each in found(drill)] == [
        ("terminal-number-left-behind", ("agents", "sales", "caller_number"))
    ]
    elsewhere = bundled("tokyo-osaka-dr", "runbook[change the caller number of the terminals].does={verify_out: sales}")
    assert ids(elsewhere) == ["terminal-number-left-behind"]
    changed = [*RUNBOOK, made("own", {"caller_numbers": "sales", "to": OSAKA}, after="switch")]
    assert ids(biztel(agents={"sales": own}, runbook=changed)) == []


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [
        (["test out"], ["a call out"]),
        (["test in", "test out"], ["a call in", "a call out"]),
    ],
)
def test_z40_tests_that_nobody_makes(left_out: list[str], missing: list[str]) -> None:
    drill = biztel(runbook=[each for each in RUNBOOK if each["step"] not in left_out])
    messages = [each.message for each in found(drill)]
    assert [what for what in missing for message in messages if what in message] == missing
    assert len(messages) == len(missing)


def test_z40_in_a_bundled_drill() -> None:
    drill = bundled("default-caller-changed", "runbook[test a call out].does={verify: 0120-123-456}")
    assert [(each.id, each.path) for each in found(drill)] == [("missing-tests", ("runbook",))]


# Fields that mean nothing where they stand.

TOLD = {"to": OSAKA, "reaches": "1%"}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"numbers": {TOKYO: {"trunk": "ntt-tokyo", "service": "other"}}}, ("numbers", TOKYO, "service")),
        ({"numbers": {FREE_DIAL: {"to": TOKYO, "voice_warp": {"channels": 1}}}}, ("numbers", FREE_DIAL, "voice_warp")),
        ({"runbook": [*RUNBOOK, made("x", {"forward": TOKYO, "to": TOKYO})]}, ("runbook", 6, "does", "to")),
        ({"runbook": [*RUNBOOK, made("x", {**TOLD, "announce": OSAKA})]}, ("runbook", 6, "does", "to")),
        ({"traffic": [INBOUND]}, ("runbook", 5, "does")),
        ({"runbook": [*RUNBOOK, made("x", {"verify_out": "sales", "to": "119"})]}, ("runbook", 6, "does", "to")),
    ],
)  # fmt: skip
def test_fields_that_mean_nothing(changes: dict[str, object], path: tuple[object, ...]) -> None:
    findings = check(biztel(**changes))
    assert [(each.id, each.path) for each in findings] == [("not-applicable", path)]
