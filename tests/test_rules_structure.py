from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions.routing import NoRoute, RoutingTable
from scenarios.model import Drill
from scenarios.problems import Severity
from scenarios.rules import RULES, check
from tests.made_plans import (
    ACTIVATE,
    FREE_DIAL,
    INBOUND,
    LOST,
    MOBILE,
    OSAKA,
    OTHER,
    OUTBOUND,
    REROUTE,
    SWITCH,
    TOKYO,
    ids,
    only,
    plan,
    step,
)

BACK = step("back", {"route": OSAKA, "to": FREE_DIAL}, after="re-point")


def test_a_sound_plan_has_no_findings() -> None:
    assert check(plan()) == []


def test_every_rule_has_an_id_of_its_own_and_says_why_in_one_sentence() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.why.endswith(".")
        assert ". " not in rule.why


def test_a_name_that_leads_nowhere_is_all_that_is_reported() -> None:
    drill = plan(numbers={OTHER: {"trunk": "ntt-kyoto"}})
    assert ids(drill) == ["dangling-reference"]
    assert "orphan-number" in ids(plan(numbers={OTHER: {"trunk": "ntt-tokyo"}}))


# Circles


def test_numbers_that_lead_to_each_other_are_a_loop_closed_by_the_last_in_the_file() -> None:
    finding = only(plan(numbers={OTHER: {"to": "03-4444-4444"}, "03-4444-4444": {"to": OTHER}}))
    assert (finding.id, finding.path) == ("routing-loop", ("numbers", "03-4444-4444", "to"))
    assert "03-4444-4444 → 03-3333-3333 → 03-4444-4444" in finding.message
    sound = plan(numbers={OTHER: {"to": "03-4444-4444"}, "03-4444-4444": {"trunk": "ntt-tokyo"}})
    assert "routing-loop" not in ids(sound)


def test_a_number_that_leads_to_itself_is_a_loop() -> None:
    finding = only(plan(numbers={OTHER: {"to": OTHER}}))
    assert (finding.id, finding.path) == ("routing-loop", ("numbers", OTHER, "to"))


def test_the_step_that_closes_a_circle_is_named() -> None:
    finding = only(plan(runbook=[ACTIVATE, SWITCH, REROUTE, BACK]))
    assert (finding.id, finding.path) == ("routing-loop", ("runbook", 3, "does", "to"))
    assert f"{OSAKA} → {FREE_DIAL} → {OSAKA}" in finding.message


def test_steps_act_in_the_order_of_their_graph_and_not_of_the_file() -> None:
    assert only(plan(runbook=[ACTIVATE, SWITCH, BACK, REROUTE])).path == ("runbook", 2, "does", "to")
    first = {**BACK, "after": "switch"}
    then = {**REROUTE, "after": "back"}
    assert only(plan(runbook=[ACTIVATE, SWITCH, then, first])).path == ("runbook", 2, "does", "to")


def test_a_step_that_never_begins_closes_no_circle() -> None:
    stuck = {**BACK, "after": "back"}
    assert ids(plan(runbook=[ACTIVATE, SWITCH, REROUTE, stuck])) == ["step-cycle"]


NUMBERS = [f"03-1234-{index:04}" for index in range(6)]
to_somewhere = st.lists(st.sampled_from([*NUMBERS, None]), min_size=len(NUMBERS), max_size=len(NUMBERS))
moves = st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)), max_size=4)


def _looping(table: RoutingTable) -> bool:
    routes = [table.route(number) for number in NUMBERS]
    return any(isinstance(route, NoRoute) and route.sip == 482 for route in routes)


@given(to_somewhere, moves)
def test_the_first_loop_reported_is_the_first_that_routing_meets(
    behind: list[str | None], repointed: list[tuple[str, str]]
) -> None:
    entries: dict[str, Any] = {
        number: {"trunk": "ntt-tokyo"} if to is None else {"to": to} for number, to in zip(NUMBERS, behind, strict=True)
    }
    steps = [step(f"{index}", {"route": number, "to": to}) for index, (number, to) in enumerate(repointed)]
    drill = plan(numbers=entries, runbook=[ACTIVATE, SWITCH, REROUTE, *steps])
    table = RoutingTable(drill.numbers, drill.trunks)
    met: tuple[object, ...] | None = ("numbers",) if _looping(table) else None
    for index, (number, to) in enumerate(repointed):
        table.repoint(number, to)
        if met is None and _looping(table):
            met = ("runbook", index + 3)
    loops = [finding.path for finding in check(drill) if finding.id == "routing-loop"]
    assert (loops[0][: len(met)] if loops and met else None) == met
    assert bool(loops) == (met is not None)


# Parts without use


def test_numbers_that_nothing_names_are_reported_together() -> None:
    spare = {f"03-9999-000{index}": {"trunk": "ntt-tokyo"} for index in range(7)}
    finding = only(plan(numbers=spare))
    assert (finding.id, finding.severity) == ("orphan-number", Severity.WARNING)
    assert finding.path == ("numbers", "03-9999-0000")
    assert "03-9999-0004 and 2 more" in finding.message


@pytest.mark.parametrize(
    "use",
    [
        {"default_caller": OTHER},
        {"numbers": {OTHER: {"trunk": "ntt-tokyo"}, FREE_DIAL: {"to": OTHER}}},
        {"traffic": [INBOUND, {**INBOUND, "to": OTHER}]},
        {
            "traffic": [
                INBOUND,
                {"from": "sales", "to": "090-1234-5678", "arrivals": "1/m", "talk": "1m", "shows": OTHER},
            ]
        },
        {"runbook": [ACTIVATE, SWITCH, REROUTE, step("again", {"route": FREE_DIAL, "to": OTHER}, after="re-point")]},
        {"runbook": [ACTIVATE, SWITCH, REROUTE, step("test", {"verify": OTHER})]},
        {"runbook": [ACTIVATE, SWITCH, REROUTE, step("caller", {"default_caller": OTHER})]},
        {"runbook": [ACTIVATE, SWITCH, REROUTE, step("caller", {"caller_numbers": "sales", "to": OTHER})]},
    ],
)
def test_a_number_in_any_use_is_no_orphan(use: dict[str, Any]) -> None:
    with_other = {**use, "numbers": {OTHER: {"trunk": "ntt-tokyo"}, **use.get("numbers", {})}}
    assert "orphan-number" not in ids(plan(**with_other))


@pytest.mark.parametrize(
    ("spare", "path"),
    [
        ({"trunks": {"kddi": {"via": "tokyo-edge", "channels": 5}}}, ("trunks", "kddi")),
        ({"sbc_pairs": {"spare": {"site": "tokyo", "ports": 5}}}, ("sbc_pairs", "spare")),
        ({"queues": {"vip": {"agents": ["sales"]}}}, ("queues", "vip")),
        ({"offices": {"honsha": {}}}, ("offices", "honsha")),
        ({"agents": {"night": {"count": 5, "softphone": {"sites": ["tokyo"]}}}}, ("agents", "night")),
    ],
)
def test_a_part_that_nothing_leads_to_is_reported(spare: dict[str, Any], path: tuple[str, str]) -> None:
    finding = only(plan(**spare))
    assert (finding.id, finding.severity, finding.path) == ("orphan-part", Severity.WARNING, path)


def test_a_group_that_only_places_calls_is_in_use() -> None:
    night = {"night": {"count": 5, "softphone": {"sites": ["tokyo"]}}}
    calls = {"from": "night", "to": "090-1234-5678", "arrivals": "1/m", "talk": "1m"}
    assert ids(plan(agents=night, traffic=[INBOUND, calls])) == []


def test_a_queue_at_a_site_no_phone_ever_comes_to_is_reported() -> None:
    finding = only(plan(runbook=[ACTIVATE, {**REROUTE, "after": "activate"}]))
    assert (finding.id, finding.path) == ("unstaffed-queue", ("numbers", OSAKA, "queue"))
    assert "only ever at tokyo" in finding.message


def test_a_queue_no_call_comes_to_needs_nobody() -> None:
    spare = plan(numbers={OTHER: {"trunk": "ntt-osaka", "queue": "sales"}}, runbook=[ACTIVATE])
    assert "unstaffed-queue" not in ids(spare)
    tried = plan(
        numbers={OTHER: {"trunk": "ntt-osaka", "queue": "sales"}}, runbook=[ACTIVATE, step("test", {"verify": OTHER})]
    )
    assert "unstaffed-queue" in ids(tried)


# Faults, steps, sites


def _faults(**changes: object) -> Drill:
    return plan(faults=[{**LOST, **changes}])


def test_a_fault_at_the_end_of_the_run_never_happens() -> None:
    late = plan(faults=[LOST, {**LOST, "name": "again", "at": "1h"}])
    assert (only(late).id, only(late).path) == ("fault-outside-run", ("faults", 1, "at"))
    assert ids(plan(faults=[LOST, {**LOST, "name": "again", "at": "59m59s"}])) == []


def test_a_repair_after_the_run_is_worth_a_note() -> None:
    finding = only(_faults(**{"for": "50m"}))
    assert (finding.id, finding.severity) == ("repair-outside-run", Severity.NOTE)
    assert ids(_faults(**{"for": "49m59s"})) == []


def test_the_loss_of_a_site_where_nothing_stands_is_reported() -> None:
    kyoto = {"name": "kyoto-lost", "at": "20m", "site": "kyoto"}
    drill = plan(sites={"kyoto": {}}, faults=[LOST, kyoto])
    assert (only(drill).id, only(drill).path) == ("pointless-fault", ("faults", 1, "site"))
    trunk = {"ntt-tokyo": {"via": "tokyo-edge", "channels": 100, "site": "kyoto"}}
    assert ids(plan(sites={"kyoto": {}}, faults=[LOST, kyoto], trunks=trunk)) == []


def test_the_loss_of_a_registrar_at_which_no_phone_registers_is_reported() -> None:
    spare = {"name": "spare", "at": "20m", "registrar": "kyoto"}
    drill = plan(sites={"kyoto": {}}, faults=[LOST, spare])
    assert (only(drill).id, only(drill).path) == ("pointless-fault", ("faults", 1, "registrar"))
    phones = {"sites": ["tokyo", "osaka", "kyoto"], "switch": "automatic"}
    agents = {"sales": {"count": 20, "softphone": phones}}
    assert ids(plan(sites={"kyoto": {}}, faults=[LOST, spare], agents=agents)) == []


@pytest.mark.parametrize(
    ("uses", "changes"),
    [
        (False, {}),
        (True, {"traffic": [INBOUND, {"to": OTHER, "arrivals": "1/m", "talk": "1m"}]}),
        (True, {"default_caller": OTHER, "traffic": [INBOUND, OUTBOUND]}),
        (True, {"queues": {"sales": {"agents": ["sales"], "overflow": {
            "after": "1m", "to": MOBILE, "trunk": "spare", "team": 3}}}}),
        (True, {"runbook": [ACTIVATE, step("re-point", {"route": FREE_DIAL, "to": OTHER}, after="activate")]}),
        (False, {"runbook": [ACTIVATE, SWITCH, step("verify", {"verify": OTHER}, after="switch")]}),
    ],
)  # fmt: skip
def test_the_loss_of_a_pair_that_no_call_goes_through_tests_nothing(uses: bool, changes: dict[str, Any]) -> None:
    spare = {
        "sbc_pairs": {"spare-edge": {"site": "tokyo", "ports": 100}},
        "trunks": {"spare": {"via": "spare-edge", "channels": 100}},
        "numbers": {OTHER: {"trunk": "spare", "queue": "sales"}},
        "faults": [LOST, {"name": "idle", "at": "20m", "pair": "spare-edge"}],
    }
    pointless = [each for each in check(plan(**{**spare, **changes})) if each.id == "pointless-fault"]
    assert [each.path for each in pointless] == ([] if uses else [("faults", 1, "pair")])


def test_an_outage_of_identity_that_meets_no_sign_in_is_reported() -> None:
    outage = {"name": "identity-out", "at": "20m", "identity": True}
    assert (only(plan(faults=[LOST, outage])).id) == "pointless-fault"
    signing_in = {"sales": {"count": 20, "softphone": {"sites": ["tokyo", "osaka"], "login": True}}}
    assert ids(plan(faults=[LOST, outage], agents=signing_in)) == []


def test_steps_that_wait_for_each_other_are_reported_once_and_those_behind_them_not() -> None:
    ring = [step("a", after="c"), step("b", after=["activate", "a"]), step("c", after="b"), step("d", after="a")]
    finding = only(plan(runbook=[ACTIVATE, SWITCH, REROUTE, *ring]))
    assert (finding.id, finding.path) == ("step-cycle", ("runbook", 5, "after"))
    assert "c → b → a → c" in finding.message
    assert ids(plan(runbook=[ACTIVATE, SWITCH, REROUTE, step("a", after="activate"), *ring[1:]])) == []


def test_a_step_that_nothing_sets_off_is_reported_and_those_behind_it_not() -> None:
    idle = {"step": "idle", "by": "administrator", "takes": "1m"}
    finding = only(plan(runbook=[ACTIVATE, SWITCH, REROUTE, idle, step("then", after="idle")]))
    assert (finding.id, finding.path) == ("unreachable-step", ("runbook", 3))


def test_a_step_that_waits_for_a_fault_after_the_run_is_reported() -> None:
    late = {**LOST, "name": "late", "at": "2h"}
    steps = [ACTIVATE, SWITCH, REROUTE, step("again", starts={"after": "late"})]
    findings = {finding.id: finding for finding in check(plan(faults=[LOST, late], runbook=steps))}
    assert set(findings) == {"fault-outside-run", "unreachable-step"}
    assert findings["unreachable-step"].path == ("runbook", 3, "starts", "after")
    assert "happens at 2h, when the run of 1h is over" in findings["unreachable-step"].message


def test_activating_a_primary_site_is_needless() -> None:
    finding = only(plan(runbook=[ACTIVATE, SWITCH, REROUTE, step("button", {"activate": "tokyo"})]))
    assert (finding.id, finding.severity) == ("needless-activation", Severity.WARNING)
    assert finding.path == ("runbook", 3, "does", "activate")


def test_all_that_moves_to_a_site_nobody_activates_is_reported() -> None:
    does = [
        {"softphones": "sales", "site": "osaka"},
        {"route": FREE_DIAL, "to": OSAKA},
        {"default_caller": OSAKA},
        {"caller_numbers": "sales", "to": OSAKA},
        {"default_caller": TOKYO},
    ]
    steps = [step(f"{index}", action) for index, action in enumerate(does)]
    findings = check(plan(runbook=steps))
    assert {finding.id for finding in findings} == {"never-activated"}
    fields = ["site", "to", "default_caller", "to"]
    assert [finding.path for finding in findings] == [("runbook", i, "does", field) for i, field in enumerate(fields)]
    assert ids(plan(runbook=[*steps, ACTIVATE])) == []


def test_a_route_is_judged_by_where_it_leads_when_the_runbook_is_done() -> None:
    onwards = step("on", {"route": OTHER, "to": OSAKA}, after="re-point")
    over = {**REROUTE, "does": {"route": FREE_DIAL, "to": OTHER}, "after": None, "starts": {"after": "tokyo-lost"}}
    findings = check(plan(numbers={OTHER: {"to": TOKYO}}, runbook=[over, onwards]))
    assert [(finding.id, finding.path[1]) for finding in findings if finding.id == "never-activated"] == [
        ("never-activated", 0),
        ("never-activated", 1),
    ]


def test_phones_cannot_be_switched_to_a_site_they_are_not_set_up_for() -> None:
    finding = only(plan(agents={"sales": {"count": 20, "softphone": {"sites": ["tokyo"]}}}))
    assert (finding.id, finding.path) == ("softphones-elsewhere", ("runbook", 1, "does", "site"))
    assert "not set up for osaka" in finding.message


@pytest.mark.parametrize(
    ("stream", "what"),
    [
        ({"surge": {"at": "tokyo-lost", "factor": 2, "for": "5m"}}, "a surge"),
        ({"arrivals": {"profile": {"00:00": "30/h", "09:30": "60/h"}}}, "a profile"),
    ],
)
def test_few_sources_call_at_one_rate(stream: dict[str, object], what: str) -> None:
    few = {**INBOUND, "arrivals": "30/h", "sources": 40}
    begun = {"for": "1h", "warm": True, "start": "09:00"}
    assert "changing-sources" not in ids(plan(traffic=[few], run=begun))
    findings = [each for each in check(plan(traffic=[{**few, **stream}], run=begun)) if each.id == "changing-sources"]
    assert [each.path for each in findings] == [("traffic", 0, "sources")]
    assert f"have {what}, and call at one rate" in findings[0].message
