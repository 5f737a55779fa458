"""Expectations that judge nothing, and waivers; what cannot fail is held against trying out all values there are."""

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.expectations import parse_expectation
from scenarios.metrics import METRICS, Unit
from scenarios.model import Drill
from scenarios.problems import Severity
from scenarios.rules import RULES, check, judge
from tests.made_plans import ACTIVATE, FREE_DIAL, INBOUND, LOST, OSAKA, OTHER, OUTBOUND, TOKYO, ids, only, plan, step

SELECTORS = {
    "takeover_time": "{pair=tokyo-edge}",
    "time_to_detect": "{pair=tokyo-edge}",
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
ZERO = {Unit.SHARE: "0%", Unit.SECONDS: "0s", Unit.CALLS: "0", Unit.PORTS: "0", Unit.RATE: "0/s"}


def expecting(*expect: str, **changes: Any) -> Drill:
    """Return a plan with a tenant limit of 50 and outbound limit of 10 that expects this, in a run of an hour."""
    return plan(expect=list(expect), **{"ports": {"tenant": 50, "outbound": 10}, **changes})


@pytest.mark.parametrize("metric", METRICS)
def test_no_metric_is_ever_below_nothing(metric: str) -> None:
    query, zero = metric + SELECTORS.get(metric, ""), ZERO[METRICS[metric].unit]
    hours = HOURS if metric == "closed" else {}
    always = only(expecting(f"{query} >= {zero}", **hours))
    assert (always.id, always.severity) == ("vacuous-expectation", Severity.ERROR)
    assert "never below 0" in always.message
    never = only(expecting(f"{query} < {zero}", **hours))
    assert (never.id, never.severity) == ("impossible-expectation", Severity.ERROR)
    assert ids(expecting(f"{query} > {zero}", f"{query} <= {zero}", f"{query} == {zero}", **hours)) == []


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
