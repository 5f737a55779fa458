"""Nodes that hang but hold the address, resign or claim it back, in the `calls` engine."""

from math import inf
from typing import Any

import pytest
from scipy import stats

from scenarios.evidence import EventKind, Outcome
from scenarios.model import Drill
from scenarios.rules import check
from tests.drills import Caller, ListRecorder, callers, drill, played

SURE: dict[str, object] = {"by": "options", "every": "10ms", "timeout": "3s"}
"""A detection that takes 3.00 to 3.01 s, whatever is drawn."""
SKEW = 156 / 256
"""Of adverts of 1 s and a standby of priority 100."""


def plan(*faults: dict[str, object], detect: dict[str, object] = SURE, keeps: str = "confirmed") -> Drill:
    pairs = {"edge": {"site": "tokyo", "ports": 50, "detect": detect, "keeps": keeps}}
    return drill(run={"for": "10m", "warm": False}, sbc_pairs=pairs, faults=list(faults))


def hang(name: str = "hang", at: float = 100, lasts: float = inf, **more: Any) -> dict[str, object]:
    ends = {} if lasts == inf else {"for": f"{lasts}s"}
    return {"name": name, "at": f"{at}s", "pair": "edge", "fails": "active", "how": "hung", **ends, **more}


def setups(recorder: ListRecorder) -> dict[float, float | None]:
    return {each.start: each.setup for each in recorder.records}


def test_a_hung_node_goes_on_with_its_adverts_and_is_never_noticed() -> None:
    recorder = played(plan(hang(), detect={"by": "vrrp"}), callers(*(Caller(at) for at in (90, 101, 300, 500))))
    assert setups(recorder) == {90: 0, 101: None, 300: None, 500: None}
    assert not recorder.of(EventKind.DETECTED, EventKind.TAKEOVER)


def test_probes_notice_a_hung_node_as_they_do_a_dead_one() -> None:
    recorder = played(plan(hang()), callers(Caller(101), Caller(110)))
    assert setups(recorder) == {101: 3.5, 110: 0}
    (taken,) = recorder.of(EventKind.TAKEOVER)
    assert taken.detail["node"] == "edge/2"
    assert taken.at == pytest.approx(103, abs=0.011)


@pytest.mark.parametrize("advert", [1.0, 0.1])
def test_checks_of_the_process_notice_within_their_interval_and_a_skew(advert: float) -> None:
    checked = plan(hang(), detect={"by": "vrrp", "advert": f"{advert}s", "track": "1s"})
    outages = []
    for replication in range(200):
        recorder = played(checked, callers(Caller(1)), replication=replication)
        (taken,) = recorder.of(EventKind.TAKEOVER)
        outages.append(taken.at - 100)
        (effect,) = recorder.of(EventKind.EFFECT)
        assert effect.detail["met"] == "check"
    assert stats.kstest(outages, stats.uniform(SKEW * advert, 1.0).cdf).pvalue > 1e-4


@pytest.mark.parametrize(
    ("keeps", "end", "outcome"), [("confirmed", 140, Outcome.COMPLETED), ("none", 100, Outcome.DROPPED)]
)
def test_calls_on_a_node_that_hangs_unnoticed_stay_up_in_silence_if_the_pair_keeps_them(
    keeps: str, end: float, outcome: Outcome
) -> None:
    (call,) = played(plan(hang(), detect={"by": "vrrp"}, keeps=keeps), callers(Caller(90, talk=50))).records
    assert (call.end, call.outcome, call.node) == (end, outcome, "edge/1")


def test_a_hung_node_that_recovers_unnoticed_serves_on() -> None:
    recorder = played(
        plan(hang(lasts=50), detect={"by": "vrrp"}), callers(Caller(90, talk=100), Caller(147), Caller(160))
    )
    assert setups(recorder) == {90: 0, 147: 3.5, 160: 0}
    assert {each.node for each in recorder.records} == {"edge/1"}
    (again,) = recorder.of(EventKind.TAKEOVER)
    assert (again.at, again.detail["outage"], again.detail["kept"]) == (150, 50, 1)


def test_a_node_that_recovers_before_the_probe_has_failed_is_left_to_serve() -> None:
    recorder = played(plan(hang(lasts=2)), callers(Caller(101), Caller(110)))
    assert setups(recorder) == {101: 1.5, 110: 0}
    assert not recorder.of(EventKind.DETECTED)


def test_a_hung_node_that_dies_is_noticed_from_its_death_on() -> None:
    both = plan(hang(), {"name": "die", "at": "200s", "pair": "edge", "fails": "active"}, detect={"by": "vrrp"})
    recorder = played(both, callers(Caller(101), Caller(210)))
    assert setups(recorder) == {101: None, 210: 0}
    (taken,) = recorder.of(EventKind.TAKEOVER)
    assert 202.6 < taken.at <= 203.61
    assert taken.detail["outage"] == pytest.approx(taken.at - 100)


def test_a_node_that_is_made_to_hang_twice_still_holds_the_address() -> None:
    recorder = played(plan(hang(), hang("again", 200), detect={"by": "vrrp"}), callers(Caller(250)))
    assert setups(recorder) == {250: None}
    assert not recorder.of(EventKind.DETECTED, EventKind.TAKEOVER)


def test_a_node_given_up_as_hung_stands_by_once_it_is_repaired() -> None:
    twice = plan(hang(lasts=50), hang("again", 200))
    recorder = played(twice, callers(Caller(150), Caller(201), Caller(210)))
    assert setups(recorder) == {150: 0, 201: 3.5, 210: 0}
    assert [entry.detail["node"] for entry in recorder.of(EventKind.TAKEOVER)] == ["edge/2", "edge/1"]


def test_a_pair_of_which_both_nodes_hang_serves_again_when_the_active_one_recovers() -> None:
    recorder = played(plan(hang(lasts=50, fails="all")), callers(Caller(101), Caller(149), Caller(160)))
    assert setups(recorder) == {101: None, 149: 1.5, 160: 0}
    assert {each.node for each in recorder.records if each.node} == {"edge/1"}


def test_a_hung_standby_is_no_help() -> None:
    both = plan(hang("standby", 100, fails="standby"), {"name": "die", "at": "200s", "pair": "edge", "fails": "active"})
    recorder = played(both, callers(Caller(150), Caller(210)))
    assert setups(recorder) == {150: 0, 210: None}


def test_a_hung_node_is_repaired_only_when_it_is_not_dead_as_well() -> None:
    both = plan(
        hang("standby", 100, 100, fails="standby"),
        {"name": "die", "at": "150s", "for": "100s", "pair": "edge", "fails": "standby"},
        {"name": "active", "at": "220s", "pair": "edge", "fails": "active"},
    )
    # 225: the standby is dead until 250 and then waits 3.01 s: copies after 0.5 … 15.5 and 31.5 s
    assert setups(played(both, callers(Caller(225)))) == {225: 31.5}


@pytest.mark.parametrize(("preempt", "last"), [(True, "edge/1"), (False, "edge/2")])
def test_the_first_node_claims_the_address_back_if_it_may(preempt: bool, last: str) -> None:
    back = plan(
        {"name": "die", "at": "100s", "for": "50s", "pair": "edge", "fails": "active"},
        detect={"by": "vrrp", "preempt": preempt},
    )
    recorder = played(back, callers(Caller(120, talk=100), Caller(153, talk=0.5), Caller(160)))
    assert setups(recorder) == {120: 0, 153: 0, 160: 0}, "the address is never silent meanwhile"
    assert {each.start: each.node for each in recorder.records} == {120: last, 153: "edge/2", 160: last}
    if preempt:
        assert recorder.of(EventKind.TAKEOVER)[-1].at == pytest.approx(150 + 3 + SKEW)


def test_a_pair_that_keeps_no_calls_loses_them_to_preemption() -> None:
    back = plan(
        {"name": "die", "at": "100s", "for": "50s", "pair": "edge", "fails": "active"},
        detect={"by": "vrrp", "preempt": True},
        keeps="none",
    )
    (call,) = played(back, callers(Caller(120, talk=100))).records
    assert (call.outcome, call.reason) == (Outcome.DROPPED, "edge/2 resigned")
    assert call.end == pytest.approx(153 + SKEW)


def test_a_first_node_that_dies_again_claims_nothing() -> None:
    again = plan(
        {"name": "die", "at": "100s", "for": "50s", "pair": "edge", "fails": "active"},
        {"name": "again", "at": "152s", "for": "1s", "pair": "edge", "fails": "standby"},
        detect={"by": "vrrp", "preempt": True},
    )
    assert played(again, callers(Caller(1))).of(EventKind.TAKEOVER)[-1].at == pytest.approx(153 + 3 + SKEW)


def test_only_the_nodes_of_a_pair_hang() -> None:
    site = drill(faults=[{"name": "x", "at": "10s", "site": "tokyo", "how": "hung"}])
    assert [(each.id, each.path) for each in check(site)] == [("not-applicable", ("faults", 0, "how"))]
