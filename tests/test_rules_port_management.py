"""Plan checks about requests for ports: each broken in two ways, and a plan that breaks none."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kirikae import drills
from scenarios.loader import load, load_text
from scenarios.model import Drill, PortManagement
from scenarios.problems import Finding, Severity
from scenarios.rules import check
from scenarios.rules.packs.port_management import DECLARED, PORT_MANAGEMENT
from scenarios.rules.packs.port_timeline import requests
from tests.made_plans import LOST, MOBILE, TOKYO
from tests.port_plans import BACK, CAMPAIGN, UP, UP_AGAIN, campaign, request, requesting

QUICK: dict[str, Any] = {"daily_limit": 100}
"""Raised as a whole, without a review."""
TO_60 = request("up", 10, tenant=60)
SOUND = (TO_60, BACK)
QUIET: dict[str, Any] = {"traffic": [{**CAMPAIGN, "arrivals": "2/m"}]}
"""No campaign."""
BOTH: dict[str, Any] = {"permissions": {"coordinator": "create", "boss": "create"}}
DEPUTY: dict[str, Any] = {"actors": {"coordinator": {"reachable": "50%", "deputy": "boss"}, "boss": {}}}
SECOND = ("runbook", 1, "does", "request_ports")


def of(drill: Drill, *rules: str) -> list[tuple[str, tuple[str | int, ...]]]:
    """Return the findings of some rules, or of all: id and path."""
    return [(each.id, each.path) for each in check(drill) if not rules or each.id in rules]


def test_a_plan_that_asks_in_time_and_gives_back_has_no_findings() -> None:
    assert check(campaign(*SOUND, **QUICK)) == []


@pytest.mark.parametrize("name", ["tenant", "outbound", "agentless"])
def test_a_plan_with_requests_of_every_port_type_has_no_findings(name: str) -> None:
    limits: dict[str, Any] = {"tenant": 20, "outbound": 10, "agentless": 5}
    changed = request("other", 70, "coordinator", **{name: limits[name] + 1})
    restored = request("other back", 120, "coordinator", **{name: limits[name]})
    steps = (TO_60, changed, restored, BACK) if name != "tenant" else SOUND
    assert check(campaign(*steps, **QUICK)) == []


AT = ("runbook", 0, "does", "request_ports")
MANAGED = "port_management"

BROKEN: list[tuple[str, Drill, tuple[str | int, ...]]] = [
    ("port-management-off", campaign(*SOUND, **QUICK, enabled="no"), (MANAGED, "enabled")),
    ("port-management-off", campaign(BACK, enabled=False), (MANAGED, "enabled")),
    ("port-management-unknown", campaign(*SOUND, **QUICK, enabled="unknown"), (MANAGED, "enabled")),
    ("port-management-unknown", campaign(*SOUND, **QUICK, enabled=None), (MANAGED, "enabled")),
    (
        "request-without-permission",
        campaign(*SOUND, **QUICK, permissions={"coordinator": "view"}),
        ("runbook", 0, "by"),
    ),
    ("request-without-permission", campaign({**TO_60, "by": "boss"}, BACK, **QUICK), ("runbook", 0, "by")),
    (
        "request-without-permission",  # the deputy has none
        campaign(*SOUND, **QUICK, changes=DEPUTY),
        ("runbook", 0, "by"),
    ),
    (
        "no-personal-connection",
        campaign(request("out", 10, outbound=15), personal_connection="no"),
        (*AT, "outbound"),
    ),
    (
        "no-personal-connection",
        campaign(request("out", 10, agentless=4), personal_connection="no"),
        (*AT, "agentless"),
    ),
    (
        "personal-connection-unknown",
        campaign(request("out", 10, outbound=15), personal_connection=None),
        (*AT, "outbound"),
    ),
    (
        "personal-connection-unknown",
        campaign(request("out", 10, agentless=4), personal_connection="unknown"),
        (*AT, "agentless"),
    ),
    ("too-many-ports", campaign(request("up", 10, tenant=10_000)), (*AT, "tenant")),
    ("too-many-ports", campaign(changes={"ports": {"tenant": 10_000}}, permissions={}), ("ports", "tenant")),
    ("outbound-above-concurrent", campaign(request("out", 10, outbound=21)), AT),
    ("outbound-above-concurrent", campaign(request("fewer", 10, tenant=9)), AT),  # after a decrease
    (
        "outbound-above-concurrent",
        campaign(changes={"ports": {"tenant": 20, "outbound": 21}}, permissions={}),
        ("ports",),
    ),
    ("outbound-above-concurrent", campaign(request("out", 10, agentless=11), outbound_rule="sum"), AT),
    ("outbound-rule-unknown", campaign(request("out", 10, agentless=11), outbound_rule=None), AT),
    ("outbound-rule-unknown", campaign(request("fewer", 10, tenant=14), outbound_rule=None), AT),
    ("daily-limit-unknown", campaign(*SOUND, daily_limit=None), (MANAGED,)),
    ("daily-limit-unknown", campaign(UP, BACK, daily_limit=None), (MANAGED,)),
    ("ports-not-in-time", campaign(*SOUND), AT),  # reviewed for eight hours
    ("ports-not-in-time", campaign(request("up", 112, tenant=60), **QUICK), AT),  # verified at 11:07
    (
        "ports-not-in-time",  # given back at 11:15
        campaign(TO_60, request("back", 120, tenant=20), **QUICK),
        SECOND,
    ),
    (
        "ports-not-in-time",  # never granted
        campaign({**TO_60, "by": "boss"}, **QUICK, permissions={"boss": "view"}),
        AT,
    ),
    (
        "ports-in-the-event",
        campaign({**TO_60, "starts": {"after": "lost"}}, changes={"faults": [{**LOST, "name": "lost"}]}),
        AT,
    ),
    (
        "ports-in-the-event",  # by way of another step
        campaign(
            {"step": "look", "by": "boss", "starts": {"after": "lost"}, "takes": "1m"},
            request("up", 0, tenant=60, after="look"),
            changes={"faults": [{**LOST, "name": "lost"}]},
        ),
        SECOND,
    ),
    ("overlapping-requests", campaign(TO_60, request("more", 60, outbound=15)), SECOND),
    (
        "overlapping-requests",
        campaign(TO_60, request("more", 12, by="boss", outbound=15), **QUICK, **BOTH),
        SECOND,
    ),
    ("ports-not-restored", campaign(TO_60, **QUICK), (*AT, "tenant")),
    (
        "ports-not-restored",  # not all of it
        campaign(TO_60, request("back", 155, tenant=21), **QUICK),
        ("runbook", 0, "does", "request_ports", "tenant"),
    ),
    ("ports-not-restored", campaign(request("out", 10, agentless=6)), (*AT, "agentless")),
    (
        "dialled-ports",
        campaign(
            changes={
                "agents": {"sales": {"count": 5, "dials": 3, "softphone": {"sites": ["tokyo"]}}},
                "traffic": [{"from": "sales", "to": MOBILE, "arrivals": "1/m", "talk": "1m", "shows": TOKYO}],
                "ports": {"tenant": 20, "outbound": 14},
            },
            permissions={},
        ),
        ("ports", "outbound"),
    ),
    (
        "dialled-ports",
        campaign(
            request("up", 10, tenant=29), request("back", 155, tenant=20),
            changes={
                "agents": {"sales": {"count": 15, "dials": 2, "softphone": {"sites": ["tokyo"]}}},
                "traffic": [{"from": "sales", "to": MOBILE, "arrivals": "1/m", "talk": "1m", "shows": TOKYO}],
                "ports": {"tenant": 20},
            },
        ),
        ("ports", "tenant"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "drill", "path"), BROKEN, ids=[f"{n}-{each[0]}" for n, each in enumerate(BROKEN)])
def test_a_rule_sees_a_plan_that_breaks_it(rule: str, drill: Drill, path: tuple[str | int, ...]) -> None:
    assert (rule, path) in of(drill, rule)
    assert all(each.message and each.remedy for each in check(drill))


def test_every_rule_is_broken_in_two_ways_and_says_which_rows_it_holds_plans_to() -> None:
    broken = [rule for rule, _, _ in BROKEN]
    assert {rule.id for rule in PORT_MANAGEMENT} == set(broken)
    assert all(broken.count(rule.id) >= 2 for rule in PORT_MANAGEMENT)
    said = [(id_, finding.message) for id_, drill, _ in BROKEN for finding in check(drill) if finding.id == id_]
    for rule in PORT_MANAGEMENT:
        assert all(row in message for id_, message in said if id_ == rule.id for row in rule.cites), rule.id


def test_fifteen_ports_are_enough_for_five_agents_with_three_tries_each() -> None:
    """The example of P16."""
    changes = {
        "agents": {"sales": {"count": 5, "dials": 3, "softphone": {"sites": ["tokyo"]}}},
        "traffic": [{"from": "sales", "to": MOBILE, "arrivals": "1/m", "talk": "1m", "shows": TOKYO}],
        "ports": {"tenant": 15, "outbound": 15},
    }
    assert of(campaign(changes=changes), "dialled-ports") == []


def test_nobody_is_told_of_port_requests_in_a_plan_for_another_system() -> None:
    """Which may not have any; and of plans without requests only what is wrong with their ports is told."""
    other = campaign(*SOUND, **QUICK, enabled="no", changes={"system": "biztel-3.9"})
    assert of(other) == [("not-applicable", (MANAGED,))]
    assert check(campaign(enabled="no", personal_connection="no", permissions={}, changes=QUIET)) == []


def test_the_load_is_held_against_the_highest_limit_that_is_ever_asked_for() -> None:
    assert of(campaign(request("up", 10, tenant=30), BACK, **QUICK))[0] == ("overloaded-baseline", ("ports", "tenant"))
    assert of(campaign(request("up", 10, tenant=40), BACK, **QUICK))[0] == ("tight-baseline", ("ports", "tenant"))


def test_ports_that_no_request_asks_for_are_another_rule_s_to_tell() -> None:
    assert of(campaign(request("up", 10, tenant=30), BACK, **QUICK), "ports-not-in-time") == []


@pytest.mark.parametrize(("at", "found"), [(10, []), (90, [("ports-not-in-time", AT)])])
def test_callers_of_a_surge_need_their_ports_when_it_begins(at: int, found: list[Any]) -> None:
    """6 erlang, and 36 from 100 min on: verified at 25 min, or at 105."""
    surge = {**CAMPAIGN, "arrivals": "2/m", "surge": {"at": "lost", "factor": 6, "for": "30m"}}
    changes = {"traffic": [surge], "faults": [{**LOST, "name": "lost", "at": "100m"}]}
    drill = campaign(request("up", at, tenant=60), BACK, **QUICK, changes=changes)
    assert of(drill, "ports-not-in-time") == found


def test_a_fault_may_set_off_a_request_that_is_verified_in_minutes() -> None:
    quick = {**TO_60, "starts": {"after": "lost"}}
    changes = {"faults": [{**LOST, "name": "lost"}]}
    assert of(campaign(quick, BACK, **QUICK, changes=changes), "ports-in-the-event") == []


def test_what_is_rejected_need_not_be_given_back() -> None:
    assert of(campaign({**TO_60, "by": "boss"}, **QUICK, permissions={"boss": "view"}), "ports-not-restored") == []


def test_a_limit_above_the_channels_of_all_trunks_refuses_calls_while_it_is_lower() -> None:
    expected = {"expect": ["blocked_ratio{limit=tenant} < 1%"]}
    wide = campaign(request("up", 10, tenant=150), BACK, daily_limit=200, changes=expected)
    assert check(wide) == []


def test_days_of_port_management_cannot_be_scaled() -> None:
    assert of(campaign(*SOUND, **QUICK, changes={**QUIET, "live": {"timeline": "50%"}})) == [
        ("not-applicable", ("live", "timeline"))
    ]


# Mutants of the bundled drills


def mutant(name: str, *changes: str) -> set[str]:
    drill = load(drills.find(f"campaign-ports-{name}"), changes).drill
    return {finding.id for finding in check(drill)}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("port_management.enabled=no", "port-management-off"),
        ("port_management.enabled=unknown", "port-management-unknown"),
        ("port_management.permissions.coordinator=view", "request-without-permission"),
        ("runbook[first part].does.request_ports.tenant=10000", "too-many-ports"),
        ("port_management.daily_limit=22", "ports-not-in-time"),
        ("runbook[second part].starts.at=100m", "ports-not-in-time"),
        ("runbook[give them back].starts.at=90m", "ports-not-in-time"),
        ("runbook[give them back].does.request_ports.tenant=50", "ports-not-restored"),
        ("ports.outbound=30", "outbound-above-concurrent"),
    ],
)
def test_the_timely_drill_is_told_what_a_change_breaks(change: str, rule: str) -> None:
    assert mutant("timely") == set()
    assert rule in mutant("timely", change)


# The estimate


def test_requests_are_decided_when_their_times_say_on_average() -> None:
    """Steps of 5 min, verified after 10 and reviewed after 480 min more; minutes of the run."""
    later = request("later", 20, tenant=50)
    every = requests(campaign(UP, later, request("last", 30, tenant=20)))
    assert [(each.wanted / 60, each.filed / 60, each.decided / 60, each.quick) for each in every] == [
        (15, 15, 25, True),
        (25, 25, 25 + 490, False),  # 22 of 24 are used up on that day
        (35, 515, 525, True),  # cannot be filed before
    ]


def test_what_waits_for_a_grant_begins_then_and_what_waits_for_none_never() -> None:
    chain = campaign(UP, UP_AGAIN, {**BACK, "when": {"granted": "up again"}})
    up, again = requests(chain)[:2]
    assert (up.decided / 60, again.filed / 60, again.quick) == (25, 65, False)
    assert again.decided / 60 == 65 + 10 + 480
    refused = campaign({**UP, "by": "boss"}, UP_AGAIN)
    (only,) = requests(refused)
    assert only.step.step == "up"


# How requests fit the rest


def test_requests_that_fit_no_plan_are_errors_at_once() -> None:
    def found(**changes: Any) -> list[tuple[str, tuple[str | int, ...]]]:
        return of(campaign(TO_60, BACK, **QUICK, changes=changes))

    assert found(port_management=None) == [("exactly-one", AT), ("exactly-one", ("runbook", 1, *AT[2:]))]
    assert found(system=None) == [("not-applicable", (MANAGED,))]
    assert found(ports={"tenant": None}) == [
        ("not-applicable", (*AT, "tenant")), ("not-applicable", ("runbook", 1, *AT[2:], "tenant")),
    ]  # fmt: skip
    assert of(campaign(request("none", 10))) == [("exactly-one", AT)]
    assert of(campaign(TO_60, permissions={"coordinator": "create", "nobody": "view"})) == [
        ("dangling-reference", (MANAGED, "permissions", "nobody"))
    ]
    waiting = {"step": "wait", "by": "boss", "takes": "1m", "starts": {"at": "1m"}}
    assert of(campaign(TO_60, {**waiting, "when": {"granted": "wait"}})) == [
        ("not-applicable", ("runbook", 1, "when", "granted"))
    ]
    assert of(campaign(TO_60, {**waiting, "when": {"granted": "upp"}}))[0] == (
        "dangling-reference", ("runbook", 1, "when", "granted"),
    )  # fmt: skip
    assert found(expect=["ports_peak{limit=tenant} < 80%"]) == [("not-applicable", ("expect", 0))]
    assert found(expect=["ports_peak{limit=tenant} < 55"]) == []
    assert [id_ for id_, _ in found(expect=["ports_peak{limit=tenant} <= 60"])] == ["vacuous-expectation"]
    assert [id_ for id_, _ in found(expect=["time_to_grant{step=up} <= 1h"])] == []
    nothing = campaign(permissions={}, changes={**QUIET, "expect": ["time_to_grant <= 1h"]})
    assert of(nothing) == [("nothing-to-measure", ("expect", 0))]


# What is taken at its word


def declared(drill: Drill) -> set[tuple[str | int, ...]]:
    return {each.path for look in DECLARED for each in look(drill)}


def test_what_only_the_plan_says_is_told() -> None:
    every = request("all", 10, tenant=30, outbound=12)
    assert declared(campaign(every)) == {
        (MANAGED, "enabled"), (MANAGED, "permissions", "coordinator"), (MANAGED, "personal_connection"),
        (MANAGED, "daily_limit"), (MANAGED, "outbound_rule"),
    }  # fmt: skip
    assert declared(
        campaign(every, enabled="unknown", personal_connection="no", daily_limit=None, outbound_rule="sum")
    ) == {(MANAGED, "permissions", "coordinator")}
    assert declared(campaign()) == set()


# Any limits


@settings(max_examples=30)
@given(
    asked=st.lists(st.tuples(st.integers(1, 12_000), st.integers(1, 12_000)), max_size=5),
    rule=st.sampled_from(["each", "sum"]),
)
def test_a_plan_without_errors_about_limits_never_asks_for_what_is_refused(
    asked: list[tuple[int, int]], rule: str
) -> None:
    """Each is asked for when the one before has been decided, and is approved: what is refused is seen beforehand."""
    steps = [request(f"r{n}", 1 + 700 * n, tenant=tenant, outbound=out) for n, (tenant, out) in enumerate(asked)]
    drill = campaign(
        *steps, outbound_rule=rule, changes={"run": {"for": "70h", "warm": True, "start": "2026-11-26 09:00"}}
    )
    seen = {path[1] for _, path in of(drill, "too-many-ports", "outbound-above-concurrent")}
    limits, refused = (20, 10, 5), set[int]()
    for n, (tenant, out) in enumerate(asked):
        dialling = max(out, limits[2]) if rule == "each" else out + limits[2]
        if tenant > 9_999 or dialling > tenant:
            refused.add(n)
    assert seen == refused


def test_findings_are_told_at_the_line_they_are_about() -> None:
    finding: Finding = next(each for each in check(campaign(*SOUND)) if each.id == "ports-not-in-time")
    assert finding.severity is Severity.ERROR
    assert finding.message == (
        "from 2h on 36 erlang are offered, which need 48 tenant ports, but there are 20: this request is reviewed by "
        "8h25m on average, and callers hear busy until then (P5, P6, P15)"
    )


def test_a_plan_of_port_management_needs_to_say_how_long_things_take() -> None:
    with pytest.raises(ValueError, match="verified_after"):
        PortManagement.model_validate({"enabled": True})
    assert requesting(ports={})["system"] == "cxone-ports"


def test_the_page_about_port_requests_names_every_rule_and_shows_a_sound_plan() -> None:
    page = (Path(__file__).parent.parent / "docs" / "systems" / "cxone-ports.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml[^\n]*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert check(load_text(text, "ports").drill) == []
    (table,) = re.findall(r"^## Plan checks\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`([a-z-]+)`", table)) - {"dials"} == {rule.id for rule in PORT_MANAGEMENT}
    for rule in PORT_MANAGEMENT:
        (line,) = [line for line in table.splitlines() if f"`{rule.id}`" in line]
        assert all(re.search(rf"\b{row}\b", line) for row in rule.cites), rule.id
