"""Planned work on a pair: drained, switched over, resumed; and the new calls a node takes in a second."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions.admission import Pace
from scenarios.evidence import EventKind, Outcome
from scenarios.model import Drill
from scenarios.rules import check
from tests.drills import TOKYO, Caller, callers, drill, played

SKEW = 156 / 256
"""Of adverts of 1 s and a standby of priority 100."""


def step(name: str, at: float, **does: str) -> dict[str, object]:
    return {"step": name, "by": "operator", "starts": {"at": f"{at}s"}, "takes": "0s", "does": does}


def plan(*steps: dict[str, object], **changes: Any) -> Drill:
    """Return a number with two trunks by two pairs, and the steps given."""
    return drill(
        **{
            "sbc_pairs": {"edge": {"site": "tokyo", "ports": 50}, "far": {"site": "tokyo", "ports": 50}},
            "trunks": {"ntt": {"via": "edge", "channels": 50}, "kddi": {"via": "far", "channels": 50}},
            "numbers": {TOKYO: {"trunk": ["ntt", "kddi"]}},
            "runbook": list(steps),
            **changes,
        }
    )


def test_a_drained_pair_sends_new_calls_on_and_keeps_those_up_until_it_is_resumed() -> None:
    drained = plan(step("drain", 100, drain="edge"), step("resume", 200, resume="edge"))
    recorder = played(drained, callers(Caller(90, talk=60), Caller(101), Caller(199), Caller(201)))
    assert {each.start: (each.trunk, each.setup, each.outcome) for each in recorder.records} == {
        90: ("ntt", 0, Outcome.COMPLETED), 101: ("kddi", 0, Outcome.COMPLETED),
        199: ("kddi", 0, Outcome.COMPLETED), 201: ("ntt", 0, Outcome.COMPLETED),
    }  # fmt: skip
    assert [(entry.at, entry.kind) for entry in recorder.of(EventKind.DRAINED, EventKind.RESUMED)] == [
        (100, EventKind.DRAINED), (200, EventKind.RESUMED),
    ]  # fmt: skip


def test_a_test_call_does_not_get_through_a_drained_pair() -> None:
    """It is repeated every 30 s from 120 s on, and answered when the pair has been resumed, at 200 s."""
    test = {**step("test", 120, verify=TOKYO), "takes": "30s", "by": "tester"}
    steps = (step("drain", 100, drain="edge"), step("resume", 200, resume="edge"), test)
    recorder = played(plan(*steps, numbers={TOKYO: {"trunk": "ntt"}}), callers(Caller(1)))
    assert [entry.at for entry in recorder.of(EventKind.STEP_REPEATED)] == [150, 180]
    assert {entry.subject: entry.at for entry in recorder.of(EventKind.STEP_FINISHED)}["test"] == 210


def test_a_drained_pair_without_an_alternative_refuses_with_503() -> None:
    alone = plan(step("drain", 100, drain="edge"), numbers={TOKYO: {"trunk": "ntt"}})
    (record,) = played(alone, callers(Caller(101))).records
    assert (record.outcome, record.reason, record.sip) == (Outcome.FAILED, "drained", 503)


@pytest.mark.parametrize(("keeps", "outcome"), [("confirmed", Outcome.COMPLETED), ("none", Outcome.DROPPED)])
def test_a_switch_of_roles_is_silent_for_a_skew_time_and_carries_calls_over(keeps: str, outcome: Outcome) -> None:
    pairs = {"edge": {"site": "tokyo", "ports": 50, "keeps": keeps}, "far": {"site": "tokyo", "ports": 50}}
    recorder = played(
        plan(step("switch", 100, switch="edge"), sbc_pairs=pairs),
        callers(Caller(90, talk=60), Caller(100.2), Caller(100.6), Caller(101)),
    )
    # copies at 100.2, 100.7 and at 100.6, 101.1; the other node serves from 100.609 on
    assert {each.start: (each.outcome, each.setup) for each in recorder.records} == {
        90: (outcome, 0),
        100.2: (Outcome.COMPLETED, pytest.approx(0.5)),
        100.6: (Outcome.COMPLETED, pytest.approx(0.5)),
        101: (Outcome.COMPLETED, 0),
    }
    (taken,) = recorder.of(EventKind.TAKEOVER)
    assert (taken.detail["node"], taken.at) == ("edge/2", 100 + SKEW)
    assert not recorder.of(EventKind.NODE_LOST, EventKind.DETECTED), "nothing has failed"


def test_a_pair_watched_by_probes_is_switched_at_once() -> None:
    probed = plan(
        step("switch", 100, switch="edge"),
        sbc_pairs={
            "edge": {"site": "tokyo", "ports": 50, "detect": {"by": "options"}},
            "far": {"site": "tokyo", "ports": 50},
        },
    )
    recorder = played(probed, callers(Caller(90, talk=60), Caller(101)))
    assert {each.start: (each.node, each.setup) for each in recorder.records} == {90: ("edge/2", 0), 101: ("edge/2", 0)}


def test_roles_are_switched_there_and_back() -> None:
    both = plan(step("there", 100, switch="edge"), step("back", 200, switch="edge"))
    recorder = played(both, callers(Caller(150), Caller(250)))
    assert [each.node for each in recorder.records] == ["edge/2", "edge/1"]


def test_roles_are_not_switched_to_a_node_that_is_down() -> None:
    down = plan(
        step("switch", 100, switch="edge"),
        faults=[{"name": "standby", "at": "50s", "for": "100s", "pair": "edge", "fails": "standby"}],
    )
    recorder = played(down, callers(Caller(120), Caller(160)))
    assert {each.start: each.node for each in recorder.records} == {120: "edge/1", 160: "edge/2"}
    assert len(recorder.of(EventKind.STEP_REPEATED)) in (50, 51)
    (finished,) = recorder.of(EventKind.STEP_FINISHED)
    assert 150 <= finished.at <= 151


def test_the_other_node_dying_while_it_waits_leaves_the_pair_to_the_one_that_resigned() -> None:
    dies = plan(
        step("switch", 100, switch="edge"),
        faults=[{"name": "standby", "at": "100.3s", "pair": "edge", "fails": "standby"}],
    )
    recorder = played(dies, callers(Caller(110)))
    (taken,) = recorder.of(EventKind.TAKEOVER)
    assert taken.detail["node"] == "edge/1"
    assert taken.at == pytest.approx(100.3 + 3 + SKEW)


def test_planned_steps_wait_for_their_time_and_their_actor() -> None:
    busy = plan(
        {**step("first", 100, drain="edge"), "takes": "50s"},
        {**step("second", 120, resume="edge"), "takes": "10s"},
    )
    recorder = played(busy, callers(Caller(1)))
    assert [(entry.subject, entry.at) for entry in recorder.of(EventKind.STEP_FINISHED)] == [
        ("first", 150), ("second", 160),
    ]  # fmt: skip
    assert {entry.detail["released_by"] for entry in recorder.of(EventKind.STEP_READY)} == {"plan"}


def test_a_first_step_is_set_off_by_a_fault_or_at_a_time_and_not_after_the_run() -> None:
    def findings(**starts: str) -> list[tuple[str, tuple[str | int, ...]]]:
        wrong = plan(
            {**step("x", 1, drain="edge"), "starts": starts}, faults=[{"name": "f", "at": "10s", "pair": "edge"}]
        )
        return [(each.id, each.path) for each in check(wrong)]

    assert findings(at="1m") == []
    assert findings(at="1m", after="f") == [("exactly-one", ("runbook", 0, "starts"))]
    assert findings(delay="1m") == [("exactly-one", ("runbook", 0, "starts"))]
    assert findings(at="2h") == [("unreachable-step", ("runbook", 0, "starts", "at"))]


def test_what_is_drained_resumed_or_switched_must_be_a_pair() -> None:
    for action in ("drain", "resume", "switch"):
        (finding,) = check(plan(step("x", 1, **{action: "edgy"})))
        assert (finding.id, finding.path) == ("dangling-reference", ("runbook", 0, "does", action))


def test_the_nodes_of_an_active_active_pair_have_no_roles_to_switch() -> None:
    shared = {"site": "tokyo", "mode": "active-active", "ports": 50, "detect": {"by": "nobody"}}
    wrong = plan(step("x", 1, switch="edge"), sbc_pairs={"edge": shared, "far": {"site": "tokyo", "ports": 50}})
    assert [(each.id, each.path) for each in check(wrong)] == [("not-applicable", ("runbook", 0, "does", "switch"))]


# New calls a second


def test_a_node_refuses_calls_above_its_pace_and_carriers_go_on() -> None:
    paced = plan(
        sbc_pairs={"edge": {"site": "tokyo", "ports": 50, "cps": 2}, "far": {"site": "tokyo", "ports": 50, "cps": 1}}
    )
    found = sorted(played(paced, callers(*(Caller(at) for at in (1, 1.2, 1.4, 1.6, 2, 2.1)))).records)
    assert [(each.trunk, each.outcome, each.reason) for each in found] == [
        ("ntt", Outcome.COMPLETED, ""), ("ntt", Outcome.COMPLETED, ""), ("kddi", Outcome.COMPLETED, ""),
        ("kddi", Outcome.BLOCKED, "far cps"), ("ntt", Outcome.COMPLETED, ""), ("kddi", Outcome.BLOCKED, "far cps"),
    ]  # fmt: skip
    assert {each.sip for each in found if each.outcome is Outcome.BLOCKED} == {503}


def test_a_call_that_finds_no_port_does_not_count_for_the_pace() -> None:
    """Two in a second: the second call finds the one port taken, and the third is the second that is taken."""
    tight = drill(sbc_pairs={"edge": {"site": "tokyo", "ports": 1, "cps": 2}})
    recorder = played(tight, callers(Caller(10, talk=0.3), Caller(10.1), Caller(10.5, talk=0.1), Caller(10.7)))
    assert [(each.start, each.reason) for each in sorted(recorder.records)] == [
        (10, ""), (10.1, "edge"), (10.5, ""), (10.7, "edge cps"),
    ]  # fmt: skip


def test_a_takeover_meets_the_pace_of_the_other_node_in_bursts() -> None:
    """Ten calls dialled in one outage knock again within a second."""
    burst = drill(
        sbc_pairs={
            "edge": {
                "site": "tokyo",
                "ports": 50,
                "cps": 4,
                "detect": {"by": "options", "every": "10ms", "timeout": "3s"},
            }
        },
        faults=[{"name": "node", "at": "100s", "pair": "edge", "fails": "active"}],
    )
    found = played(burst, callers(*(Caller(100.1 + n / 20, talk=60) for n in range(10)))).records
    assert sorted(each.outcome for each in found) == [Outcome.BLOCKED] * 6 + [Outcome.COMPLETED] * 4
    assert {each.reason for each in found} == {"edge cps", ""}


@given(gaps=st.lists(st.floats(0, 0.7), max_size=60), cap=st.integers(1, 5))
def test_no_second_holds_more_calls_than_the_pace_and_none_is_refused_in_vain(gaps: list[float], cap: int) -> None:
    pace, now = Pace("edge cps", cap), 0.0
    taken: list[float] = []
    for gap in gaps:
        now += gap
        recent = sum(now - each < 1.0 for each in taken)
        assert pace.full(now) == (recent >= cap)
        if not pace.full(now):
            pace.take(now)
            taken.append(now)
