"""Expectations that judge nothing, and waivers; what cannot fail is held against trying out all values there are."""

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions.timers import TRANSACTION_TIMEOUT
from scenarios.expectations import parse_expectation
from scenarios.metrics import METRICS, Unit
from scenarios.model import Drill
from scenarios.problems import Severity
from scenarios.rules import RULES, check, judge
from scenarios.rules.expectations import SETUP_ENDS
from tests.made_plans import (
    ACTIVATE,
    FREE_DIAL,
    INBOUND,
    LOST,
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
from tests.port_plans import request, requesting

SELECTORS = {
    "softphones_least": "{site=tokyo}",
    "softphones_back": "{agents=sales}",
    "ports_peak": "{limit=tenant}",
    "register_peak": "{site=tokyo}",
}
HOURS: dict[str, Any] = {
    "run": {"for": "1h", "warm": True, "start": "2026-11-24 10:00"},
    "calendars": {"office": {"hours": {"mon-fri": "09:00-18:00"}}},
    "numbers": {FREE_DIAL: {"to": TOKYO, "open": "office"}},
}
"""A number that is not always open."""
REQUESTS = requesting(ACTIVATE, SWITCH, REROUTE, request("less", 10, tenant=49), ports={"tenant": 50, "outbound": 10})
"""A step that requests ports."""
ZERO = {
    Unit.SHARE: "0%",
    Unit.SECONDS: "0s",
    Unit.CALLS: "0",
    Unit.PHONES: "0",
    Unit.CHANGES: "0",
    Unit.PORTS: "0",
    Unit.RATE: "0/s",
}
SYNC: dict[str, Any] = {"sync": {"from": "tokyo", "to": "osaka", "data": {"settings": {"every": 0}}}}
OF_REPLICAS = ("rpo", "data_lost", "unprotected")
"""Metrics that need a site which gets replicas."""


def expecting(*expect: str, **changes: Any) -> Drill:
    """Return a plan with a tenant limit of 50 and outbound limit of 10 that expects this, in a run of an hour."""
    return plan(expect=list(expect), **{"ports": {"tenant": 50, "outbound": 10}, **changes})


@pytest.mark.parametrize("metric", METRICS)
def test_no_metric_is_ever_below_nothing(metric: str) -> None:
    query, zero = metric + SELECTORS.get(metric, ""), ZERO[METRICS[metric].unit]
    needs = {"closed": HOURS, "time_to_grant": REQUESTS, **dict.fromkeys(OF_REPLICAS, SYNC)}.get(metric, {})
    always = only(expecting(f"{query} >= {zero}", **needs))
    assert (always.id, always.severity) == ("vacuous-expectation", Severity.ERROR)
    assert "never below 0" in always.message
    never = only(expecting(f"{query} < {zero}", **needs))
    assert (never.id, never.severity) == ("impossible-expectation", Severity.ERROR)
    assert ids(expecting(f"{query} > {zero}", f"{query} <= {zero}", f"{query} == {zero}", **needs)) == []


@pytest.mark.parametrize(
    "text",
    [
        "ports_peak{limit=tenant} <= 100%",
        "ports_peak{limit=tenant} <= 50",
        "ports_peak{limit=tenant} < 51",
        "ports_peak{limit=ntt-tokyo} <= 100",
        "ports_peak{limit=outbound} <= 10",
        "asr <= 100%",
        "asa <= 1h",
        "asa{after=45m} <= 15m",
        "setup_delay_p95 < 61m",
        "setup_delay_p99 <= 40s",
        "setup_delay_max <= 32s",
        "softphones_least{site=tokyo} <= 20",
        "softphones_least{site=osaka} == 0",
        "softphones_least{site=osaka, after=30m} <= 20",
    ],
)
def test_what_is_held_against_the_most_there_can_be_cannot_fail(text: str) -> None:
    finding = only(expecting("asr > 50%", text))
    assert (finding.id, finding.path) == ("vacuous-expectation", ("expect", 1))
    assert "cannot fail" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "ports_peak{limit=tenant} < 100%",
        "ports_peak{limit=tenant} <= 49",
        "ports_peak{limit=tenant} >= 50",
        "ports_peak{limit=tenant} == 50",
        "asr < 100%",
        "asr >= 100%",
        "asa <= 59m",
        "asa{after=45m} <= 14m",
        "attempts < 1000000",
        "attempts{after=59m} > 5",
        "setup_delay_max <= 31s",
        "setup_delay_p95 < 32s",
        "softphones_least{site=tokyo} >= 20",
        "softphones_least{site=osaka, after=30m} >= 20",
    ],
)
def test_what_can_come_out_either_way_is_left_alone(text: str) -> None:
    assert ids(expecting(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "ports_peak{limit=tenant} > 100%",
        "ports_peak{limit=tenant} > 50",
        "ports_peak{limit=tenant} >= 51",
        "ports_peak{limit=tenant} == 51",
        "caller_loss > 100%",
        "asa > 1h",
        "asa{after=45m} >= 16m",
        "attempts == -1",
        "setup_delay_p50 > 32s",
        "softphones_least{site=tokyo} > 20",
        "softphones_least{site=osaka} >= 1",
    ],
)
def test_what_lies_beyond_all_there_can_be_never_holds(text: str) -> None:
    finding = only(expecting(text))
    assert finding.id == "impossible-expectation"
    assert "can never hold" in finding.message


@pytest.mark.parametrize("text", ["recovery_time <= 3h", "takeover_time{pair=tokyo-edge} <= 366d", "runbook_time < 2h"])
def test_a_time_from_a_fault_on_can_exceed_any_bound_because_it_may_never_come_about(text: str) -> None:
    assert ids(expecting(text)) == []


def test_a_peak_is_bounded_by_what_else_stands_in_the_way_of_calls() -> None:
    finding = only(expecting("ports_peak{limit=tokyo-edge} <= 50"))
    assert finding.message.endswith("is never above 50, for no more can come through to its cap of 100")
    assert ids(expecting("ports_peak{limit=tokyo-edge} <= 49")) == []
    narrow = {"trunks": {"ntt-tokyo": {"via": "tokyo-edge", "channels": 30}}}
    assert ids(expecting("ports_peak{limit=tokyo-edge} <= 30", **narrow)) == ["vacuous-expectation"]
    assert ids(expecting("ports_peak{limit=osaka-edge} <= 30", **narrow)) == []
    assert ids(expecting("ports_peak{limit=tenant} <= 60%", **narrow)) == []
    few = {"agents": {"sales": {"count": 9, "softphone": {"sites": ["tokyo", "osaka"]}}}}
    assert ids(expecting("ports_peak{limit=outbound} <= 9", **few)) == ["vacuous-expectation"]
    assert ids(expecting("ports_peak{limit=outbound} <= 8", **few)) == []


def test_a_peak_is_told_to_be_held_against_its_own_cap() -> None:
    tapped = {"numbers": {FREE_DIAL: {"to": TOKYO, "tap": 20}}}
    finding = only(expecting(f"ports_peak{{limit={FREE_DIAL}}} <= 100%", **tapped))
    assert "never above 20, its own cap" in finding.message


# Set-up: 32 s of silence at a trunk (Timer B), or its advance_after where there is another trunk or node to try.


@pytest.mark.parametrize(
    ("ways", "nodes", "seconds"),
    [
        (["ntt-tokyo"], {}, 32),
        (["ntt-tokyo", "ntt-osaka"], {}, 10 + 32),
        (["ntt-tokyo"], {"mode": "active-active", "detect": {"by": "nobody"}}, 10 + 10),
        (["ntt-tokyo"], {"mode": "active-active", "detect": {"by": "nobody"}, "failover": False}, 10),
        (["ntt-osaka", "ntt-tokyo"], {"mode": "active-active", "detect": {"by": "nobody"}}, 10 + 10 + 10),
    ],
)
def test_a_set_up_is_over_when_all_trunks_and_nodes_have_been_silent(
    ways: list[str], nodes: dict[str, Any], seconds: int
) -> None:
    changes: dict[str, Any] = {
        "numbers": {TOKYO: {"trunk": ways, "queue": "sales"}, OSAKA: None, FREE_DIAL: {"to": TOKYO}},
        "sbc_pairs": {"tokyo-edge": {"site": "tokyo", "ports": 100, **nodes}},
        "runbook": [ACTIVATE],
    }
    vacuous = [finding.message for finding in check(expecting(f"setup_delay_p99 <= {seconds}s", **changes))]
    assert any(f"never above {seconds}s: by then every set-up is over" in message for message in vacuous)
    assert "vacuous-expectation" not in ids(expecting(f"setup_delay_p99 <= {seconds - 1}s", **changes))


def test_the_end_of_a_set_up_is_that_of_the_invite_transaction() -> None:
    assert SETUP_ENDS == TRANSACTION_TIMEOUT


# Limits that refuse none of the calls that are asked about

CALLBACK = {"sales": {"agents": ["sales"], "callback": {"after": "1m", "accepts": "50%"}}}


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        ("blocked_ratio{direction=in, limit=outbound}", {}),
        ("blocked{limit=outbound}", {"traffic": [INBOUND]}),
        ("blocked_ratio{limit=tokyo-edge cps}", {}),
        ("blocked_ratio{limit=queue full}", {}),
        ("blocked_ratio{limit=wait too long}", {"queues": {"sales": {"agents": ["sales"], "max_waiting": 9}}}),
        ("blocked{limit=tokyo-edge}", {"ports": {"tenant": 99}}),
        ("blocked{limit=ntt-tokyo}", {"ports": {"tenant": 99}}),
    ],
)
def test_the_share_that_a_limit_refuses_of_calls_that_never_meet_it_is_always_0(
    query: str, changes: dict[str, Any]
) -> None:
    bound, more = ("1%", "0%") if "ratio" in query else ("1", "0")
    always = only(expecting(f"{query} < {bound}", **changes))
    assert (always.id, always.message) == (
        "vacuous-expectation",
        f"cannot fail: {query} is always 0, for the limit refuses none of these calls",
    )
    assert only(expecting(f"{query} > {more}", **changes)).id == "impossible-expectation"


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        ("blocked_ratio{limit=outbound, direction=out}", {}),
        ("blocked_ratio{limit=outbound}", {}),
        ("blocked_ratio{limit=outbound, direction=in}", {"queues": CALLBACK}),
        ("blocked_ratio{limit=tenant, direction=in}", {}),
        (
            "blocked_ratio{limit=tokyo-edge cps}",
            {"sbc_pairs": {"tokyo-edge": {"site": "tokyo", "ports": 100, "cps": 5}}},
        ),
        ("blocked_ratio{limit=queue full}", {"queues": {"sales": {"agents": ["sales"], "max_waiting": 9}}}),
        ("blocked_ratio{limit=tokyo-edge}", {"ports": {"tenant": 200}}),
    ],
)
def test_a_limit_that_may_refuse_such_calls_is_left_alone(query: str, changes: dict[str, Any]) -> None:
    assert "vacuous-expectation" not in ids(expecting(f"{query} < 1%", **changes))


def test_limits_without_ports_have_no_peak() -> None:
    paced = {"sbc_pairs": {"tokyo-edge": {"site": "tokyo", "ports": 100, "cps": 5}}}
    assert "dangling-reference" in ids(expecting("ports_peak{limit=tokyo-edge cps} < 5", **paced))
    assert "dangling-reference" in ids(expecting("ports_peak{limit=queue full} < 5"))
    assert "dangling-reference" in ids(expecting("blocked{limit=nowhere cps} < 5"))


_MOST = {"asr": 1.0, "ports_peak{limit=tenant}": 50.0, "attempts": inf, "asa": 3600.0, "recovery_time": inf}


@given(
    st.sampled_from(sorted(_MOST)),
    st.sampled_from(["<", "<=", ">", ">=", "=="]),
    st.integers(min_value=0, max_value=60),
)
def test_findings_agree_with_trying_out_every_value(metric: str, operator: str, whole: int) -> None:
    most = _MOST[metric]
    match METRICS[metric.partition("{")[0]].unit:
        case Unit.SHARE:
            bound, values = f"{min(whole, 50) * 2}%", [index / 100 for index in range(101)]
        case Unit.SECONDS:
            bound, values = f"{whole * 2}m", [float(value) for value in range(0, 7201, 60) if value <= most]
        case _:
            bound, values = str(whole), [float(value) for value in range(100) if value <= most]
    values += [inf] if most == inf else []
    text = f"{metric} {operator} {bound}"
    holds = [parse_expectation(text).holds(value) for value in values]
    expected = ["vacuous-expectation"] if all(holds) else [] if any(holds) else ["impossible-expectation"]
    assert ids(expecting(text)) == expected


# Windows and needs


def test_a_window_must_begin_before_the_run_is_over() -> None:
    finding = only(expecting("blocked_ratio{after=1h} < 1%"))
    assert (finding.id, finding.path) == ("empty-window", ("expect", 0))
    assert ids(expecting("blocked_ratio{after=59m59s} < 1%")) == []
    assert ids(expecting("asa{after=2h} <= 1m")) == ["empty-window"]


FAULT_METRICS = [
    "recovery_time",
    "takeover_time{pair=tokyo-edge}",
    "time_to_detect{pair=tokyo-edge}",
    "softphones_back{agents=sales}",
    "registration_p95{agents=sales}",
    "runbook_time",
]


@pytest.mark.parametrize("text", [*(f"{metric} <= 10m" for metric in FAULT_METRICS), "dropped <= 5"])
def test_what_is_counted_from_a_fault_needs_one_in_the_run(text: str) -> None:
    sales = {"count": 20, "softphone": {"sites": ["tokyo"]}, "caller_number": OSAKA}
    quiet = {"faults": [], "runbook": [], "agents": {"sales": sales}}
    finding = only(expecting(text, **quiet))
    assert (finding.id, finding.path) == ("nothing-to-measure", ("expect", 0))
    assert "no fault happens" in finding.message
    late = expecting(text, faults=[{**LOST, "at": "2h"}])
    assert "nothing-to-measure" in ids(late)
    assert ids(expecting(text)) == []


@pytest.mark.parametrize(
    ("fault", "measured"),
    [
        ({"pair": "tokyo-edge", "fails": "active"}, True),
        ({"pair": "tokyo-edge"}, True),
        ({"site": "tokyo"}, True),
        ({"pair": "tokyo-edge", "fails": "standby"}, False),
        ({"pair": "osaka-edge", "fails": "active"}, False),
        ({"site": "osaka"}, False),
        ({"trunk": "ntt-tokyo"}, False),
    ],
)
def test_only_a_pair_that_loses_its_active_node_is_taken_over(fault: dict[str, str], measured: bool) -> None:
    drill = expecting("takeover_time{pair=tokyo-edge} <= 5s", faults=[{"name": "tokyo-lost", "at": "10m", **fault}])
    assert ids(drill) == [] if measured else ["nothing-to-measure"]


@pytest.mark.parametrize(
    ("selector", "measured"),
    [
        ("", True),
        ("{pair=tokyo-edge}", True),
        ("{site=tokyo}", True),
        (f"{{number={FREE_DIAL}}}", True),
        (f"{{number={OSAKA}}}", False),
        ("{pair=osaka-edge}", False),
        ("{site=osaka}", False),
        (f"{{number={FREE_DIAL}, site=osaka}}", False),
    ],
)
@pytest.mark.parametrize("metric", ["takeover_time", "time_to_detect"])
def test_pairs_are_meant_by_name_by_site_and_by_the_way_of_a_number(metric: str, selector: str, measured: bool) -> None:
    node = {"name": "tokyo-lost", "at": "10m", "pair": "tokyo-edge", "fails": "active"}
    drill = expecting(f"{metric}{selector} <= 5s", faults=[node])
    assert ids(drill) == [] if measured else ["nothing-to-measure"]


def test_a_number_means_the_pairs_it_comes_by_before_and_after_the_runbook() -> None:
    """The free dial number is moved from Tokyo to Osaka."""
    node = {"name": "tokyo-lost", "at": "10m", "pair": "osaka-edge", "fails": "active"}
    assert ids(expecting(f"takeover_time{{number={FREE_DIAL}}} <= 5s", faults=[node])) == []
    unmoved = [ACTIVATE, SWITCH]
    assert "nothing-to-measure" in ids(
        expecting(f"takeover_time{{number={FREE_DIAL}}} <= 5s", faults=[node], runbook=unmoved)
    )


@pytest.mark.parametrize(
    ("where", "measured"), [("site=osaka", True), ("pair=tokyo-edge", True), ("site=kyoto", False)]
)
@pytest.mark.parametrize("metric", ["recovery_time", "outage_minutes"])
def test_service_is_measured_where_callers_come_by(metric: str, where: str, measured: bool) -> None:
    drill = expecting(f"{metric}{{{where}}} <= 5m", sites={"kyoto": {}})
    assert ids(drill) == [] if measured else ["nothing-to-measure"]


@pytest.mark.parametrize(
    ("query", "changes", "measured"),
    [
        ("attempts{direction=out}", {}, True),
        ("attempts{direction=out}", {"traffic": [INBOUND]}, False),
        ("attempts{direction=in}", {}, True),
        ("asr{direction=in}", {"traffic": [OUTBOUND]}, False),
        ("asr{direction=in, queue=sales}", {}, True),
        ("asr{direction=out, queue=sales}", {}, False),
    ],
)
def test_calls_are_measured_that_go_that_way(query: str, changes: dict[str, Any], measured: bool) -> None:
    bound = "50%" if query.startswith("asr") else "50"
    assert ("nothing-to-measure" not in ids(expecting(f"{query} > {bound}", **changes))) == measured


# What is dropped

NODE = {"name": "tokyo-lost", "at": "10m", "pair": "tokyo-edge", "fails": "active"}
TRUNK = {"name": "tokyo-lost", "at": "10m", "trunk": "ntt-tokyo"}


@pytest.mark.parametrize(
    ("cause", "fault", "measured"),
    [
        ("tokyo-edge", NODE, True),
        ("tokyo-edge/2", NODE, True),
        ("tokyo-edge lost", NODE, True),
        ("tokyo-edge/1 resigned", NODE, True),
        ("tokyo-edge", LOST, True),
        ("osaka-edge", NODE, False),
        ("ntt-tokyo", TRUNK, True),
        ("ntt-tokyo lost", TRUNK, True),
        ("ntt-osaka", TRUNK, False),
        ("tokyo-edge", TRUNK, False),
    ],
)
def test_calls_are_dropped_by_what_a_fault_takes(cause: str, fault: dict[str, Any], measured: bool) -> None:
    drill = expecting(f"dropped{{cause={cause}}} <= 5", faults=[fault])
    assert ids(drill) == [] if measured else ["nothing-to-measure"]


def test_a_cause_is_a_part_of_the_plan() -> None:
    finding = only(expecting("dropped{cause=tokio-edge lost} <= 5"))
    assert finding.id == "dangling-reference"
    assert "no pair, node, trunk or office is called 'tokio-edge'; did you mean 'tokyo-edge'?" in finding.message


@pytest.mark.parametrize(
    ("after", "faults", "warned"),
    [
        ("10m", [NODE], True),
        ("15m", [NODE], True),
        ("9m", [NODE], False),
        ("15m", [{**NODE, "for": "10m"}], False),
        ("30m", [{**NODE, "for": "10m"}], True),
        ("15m", [NODE, {**TRUNK, "name": "too", "at": "20m"}], False),
        ("10m", [NODE, {**TRUNK, "name": "too", "at": "20m"}], True),
    ],
)
@pytest.mark.parametrize("metric", ["dropped", "dropped_ratio"])
def test_a_window_that_begins_at_a_fault_leaves_out_the_calls_up_at_it(
    metric: str, after: str, faults: list[dict[str, Any]], warned: bool
) -> None:
    bound = "5%" if metric == "dropped_ratio" else "5"
    found = [each for each in check(expecting(f"{metric}{{after={after}}} < {bound}", faults=faults)) if each.path]
    assert [(each.id, each.severity) for each in found] == (
        [("window-after-the-calls", Severity.WARNING)] if warned else []
    )


def test_a_switch_of_nodes_may_come_at_any_time_in_the_window() -> None:
    switch = step("switch", after="activate", does={"switch": "tokyo-edge"})
    drill = expecting("dropped{after=15m} <= 5", faults=[NODE], runbook=[ACTIVATE, SWITCH, switch])
    assert "window-after-the-calls" not in ids(drill)


def test_a_registrar_has_a_peak_only_where_phones_register() -> None:
    assert ids(expecting("register_peak{site=osaka} <= 5/s")) == []
    assert ids(expecting("register_peak{site=kyoto} <= 5/s", sites={"kyoto": {}})) == ["nothing-to-measure"]


def test_registrations_need_phones() -> None:
    numbers = {TOKYO: {"trunk": "ntt-tokyo"}, OSAKA: {"trunk": "ntt-osaka"}}
    nobody = {"agents": {"sales": None}, "numbers": numbers, "traffic": [INBOUND], "runbook": [ACTIVATE]}
    assert "nothing-to-measure" in ids(expecting("registration_p95 <= 5m", **nobody))


def test_recovery_needs_a_time_before_the_fault_and_callers() -> None:
    assert ids(expecting("recovery_time <= 10m", faults=[{**LOST, "at": "0"}])) == ["nothing-to-measure"]
    assert ids(expecting("recovery_time <= 10m", faults=[{**LOST, "at": "1s"}])) == []
    assert "nothing-to-measure" in ids(expecting("recovery_time <= 10m", traffic=[OUTBOUND]))


def test_the_time_of_a_runbook_needs_a_runbook() -> None:
    without = {
        "runbook": [],
        "sites": {"osaka": {}},
        "numbers": {OSAKA: {"trunk": "ntt-osaka"}},
        "default_caller": OSAKA,
    }
    assert "nothing-to-measure" in ids(expecting("runbook_time <= 10m", **without))
    assert "nothing-to-measure" not in ids(expecting("recovery_time <= 10m", **without))


@pytest.mark.parametrize("text", ["abandoned == 0", "abandoned_ratio < 5%"])
def test_abandonment_needs_callers_who_lose_patience(text: str) -> None:
    patient = {**INBOUND, "patience": None}
    assert only(expecting(text, traffic=[patient])).id == "nothing-to-measure"
    assert ids(expecting(text)) == []


def test_answer_speed_needs_a_queue() -> None:
    far_side = {TOKYO: {"trunk": "ntt-tokyo"}, OSAKA: {"trunk": "ntt-osaka"}}
    drill = expecting("asa <= 20s", numbers=far_side)
    assert [rule for rule in ids(drill) if rule != "orphan-part"] == ["nothing-to-measure"]


# Waivers

REASON = "the overload is what this drill is about"


def waiving(*rules: str, **changes: Any) -> Drill:
    return expecting("asr <= 100%", waivers=[{"finding": rule, "reason": REASON} for rule in rules], **changes)


def test_an_error_stands_unless_it_is_waived_with_a_reason() -> None:
    standing = judge(waiving(), check(waiving()))
    assert [finding.id for finding in standing.errors] == ["vacuous-expectation"]
    drill = waiving("vacuous-expectation")
    judged = judge(drill, check(drill))
    assert (judged.errors, judged.remarks) == ((), ())
    assert [(waived.finding.id, waived.reason) for waived in judged.waived] == [("vacuous-expectation", REASON)]


def test_a_waiver_covers_its_own_rule_only() -> None:
    drill = waiving("impossible-expectation")
    judged = judge(drill, check(drill))
    assert [finding.id for finding in judged.errors] == ["vacuous-expectation"]
    assert [(finding.id, finding.severity) for finding in judged.remarks] == [("idle-waiver", Severity.WARNING)]
    assert judged.remarks[0].path == ("waivers", 0, "finding")
    assert judged.waived == ()


def test_a_waiver_of_no_rule_asks_what_was_meant() -> None:
    drill = waiving("vacuos-expectation")
    (idle,) = judge(drill, check(drill)).remarks
    assert "did you mean 'vacuous-expectation'?" in idle.message


def test_a_warning_can_be_waived_and_does_not_keep_a_drill_from_running() -> None:
    spare = {"numbers": {OTHER: {"trunk": "ntt-tokyo"}}}
    drill = waiving("vacuous-expectation", **spare)
    judged = judge(drill, check(drill))
    assert judged.errors == ()
    assert [finding.id for finding in judged.remarks] == ["orphan-number"]
    both = waiving("vacuous-expectation", "orphan-number", **spare)
    assert judge(both, check(both)).remarks == ()


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("routing-loop", {"numbers": {OTHER: {"to": OTHER}}}),
        ("step-cycle", {"runbook": [ACTIVATE, step("a", after="b"), step("b", after="a")]}),
        ("dangling-reference", {"numbers": {OTHER: {"trunk": "nowhere"}}}),
    ],
)
def test_what_makes_a_plan_impossible_to_follow_cannot_be_waived(rule: str, broken: dict[str, Any]) -> None:
    drill = waiving(rule, **broken)
    judged = judge(drill, check(drill))
    assert rule in [finding.id for finding in judged.errors]
    assert [finding.id for finding in judged.remarks if finding.path[0] == "waivers"] == ["refused-waiver"]
    assert judged.waived == ()


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("dangling-reference", {"default_caller": OTHER}),
        ("duplicate-name", {"faults": [LOST, LOST]}),
        ("exactly-one", {"numbers": {OTHER: {}}}),
        ("not-applicable", {"traffic": [{**INBOUND, "shows": TOKYO}]}),
        (
            "profile-without-start",
            {"traffic": [{**INBOUND, "arrivals": {"profile": {"09:00": "1/m", "10:00": "2/m"}}}]},
        ),
        ("idle-waiver", {"waivers": [{"finding": "tight-baseline", "reason": REASON}]}),
        ("refused-waiver", {"waivers": [{"finding": "routing-loop", "reason": REASON}]}),
    ],
)
def test_every_finding_is_of_a_rule_in_the_table(rule: str, broken: dict[str, Any]) -> None:
    drill = plan(**broken)
    judged = judge(drill, check(drill))
    (finding,) = (*judged.errors, *judged.remarks)
    (entry,) = (entry for entry in RULES if entry.id == rule)
    assert (finding.id, finding.severity) == (entry.id, entry.severity)
    assert not entry.waivable


@pytest.mark.parametrize(
    ("selectors", "measured"),
    [
        ("step=re-point", True),
        ("since=activate", True),
        ("step=re-point, since=activate", True),
        ("step=aside, since=re-point", True),
        ("since=re-point", True),
        ("step=activate, since=re-point", False),
        ("step=re-point, since=re-point", False),
    ],
)
def test_time_between_steps_is_measured_only_where_the_one_may_end_after_the_other(
    selectors: str, measured: bool
) -> None:
    """Steps go activate, switch, re-point; another stands beside them."""
    book = [ACTIVATE, SWITCH, REROUTE, step("aside")]
    drill = expecting(f"runbook_time{{{selectors}}} <= 30m", runbook=book)
    assert ids(drill) == [] if measured else ["nothing-to-measure"]


def test_nothing_of_a_runbook_is_left_after_its_last_step() -> None:
    assert ids(expecting("runbook_time{since=re-point} <= 30m")) == ["nothing-to-measure"]
