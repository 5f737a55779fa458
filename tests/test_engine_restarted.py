"""Nodes whose SIP process is restarted in the `calls` engine: gone while it boots, and back without its calls."""

from typing import Any

import pytest
from scipy import stats

from scenarios.evidence import EventKind, Outcome
from scenarios.model import Drill
from tests.drills import Caller, ListRecorder, callers, drill, played

SURE: dict[str, object] = {"by": "options", "every": "10ms", "timeout": "3s"}
"""A detection that takes 3.00 to 3.01 s, whatever is drawn."""
SKEW = 156 / 256


def plan(*faults: dict[str, object], **pair: Any) -> Drill:
    pairs = {"edge": {"site": "tokyo", "ports": 50, "detect": SURE, "keeps": "all", **pair}}
    return drill(run={"for": "10m", "warm": False}, sbc_pairs=pairs, faults=list(faults))


def restart(boots: float, at: float = 100, fails: str = "active", name: str = "boot") -> dict[str, object]:
    return {"name": name, "at": f"{at}s", "for": f"{boots}s", "pair": "edge", "fails": fails, "how": "restarted"}


def ends(recorder: ListRecorder) -> dict[float, tuple[Outcome, float, str]]:
    return {each.start: (each.outcome, each.end, each.node) for each in recorder.records}


def test_a_restart_shorter_than_the_detection_loses_the_calls_although_no_takeover_took_place() -> None:
    recorder = played(plan(restart(2)), callers(Caller(90, talk=50), Caller(101, talk=5)))
    assert ends(recorder) == {
        90: (Outcome.DROPPED, 102, "edge/1"),
        101: (Outcome.COMPLETED, 107.5, "edge/1"),  # copies after 0.5 and, when it has booted, 1.5 s
    }
    assert not recorder.of(EventKind.DETECTED)
    (again,) = recorder.of(EventKind.TAKEOVER)
    assert (again.at, again.detail["node"], again.detail["kept"]) == (102, "edge/1", 0)


def test_a_restart_longer_than_the_detection_is_taken_over_with_the_calls_that_the_pair_keeps() -> None:
    recorder = played(plan(restart(30)), callers(Caller(90, talk=50), Caller(101, talk=5), Caller(140, talk=5)))
    assert ends(recorder) == {
        90: (Outcome.COMPLETED, 140, "edge/2"),
        101: (Outcome.COMPLETED, 109.5, "edge/2"),
        140: (Outcome.COMPLETED, 145, "edge/2"),
    }


def test_a_pair_that_keeps_none_loses_them_at_once_however_long_the_boot() -> None:
    for boots in (2, 30):
        recorder = played(plan(restart(boots), keeps="none"), callers(Caller(90, talk=50)))
        assert ends(recorder)[90][:2] == (Outcome.DROPPED, 100)


def test_a_restart_is_noticed_when_a_check_of_the_process_falls_into_the_boot_with_its_skew() -> None:
    """Checks every 10 s at any phase: noticed when phase × 10 s + skew is less than the boot of 4 s."""
    booting = plan(restart(4), detect={"by": "vrrp", "track": "10s"})
    runs = [played(booting, callers(Caller(90, talk=50)), replication=each) for each in range(400)]
    noticed = [bool(each.of(EventKind.DETECTED)) for each in runs]
    assert stats.binomtest(sum(noticed), len(noticed), (4 - SKEW) / 10).pvalue > 1e-4
    for recorder, taken in zip(runs, noticed, strict=True):
        assert ends(recorder)[90][0] is (Outcome.COMPLETED if taken else Outcome.DROPPED)


def test_a_node_that_is_only_hung_has_its_calls_still() -> None:
    hung = {**restart(2), "how": "hung"}
    assert ends(played(plan(hung), callers(Caller(90, talk=50))))[90] == (Outcome.COMPLETED, 140, "edge/1")


def test_a_restart_long_ago_is_no_matter_to_a_node_that_hangs() -> None:
    hung = {**restart(2, at=200, name="hang"), "how": "hung"}
    assert ends(played(plan(restart(2), hung), callers(Caller(190, talk=50))))[190][0] is Outcome.COMPLETED


@pytest.mark.parametrize("first", ["boot", "hang"])
def test_a_node_restarted_while_it_hangs_comes_back_empty_when_the_last_of_both_is_over(first: str) -> None:
    hang: dict[str, object] = {**restart(20, at=100 + (first == "boot"), name="hang"), "how": "hung"}
    both = plan(restart(10, at=100 + (first == "hang")), hang, detect={"by": "vrrp"})
    recorder = played(both, callers(Caller(90, talk=100)))
    assert ends(recorder)[90][:2] == (Outcome.DROPPED, 121 if first == "boot" else 120)


def test_a_restart_of_the_standby_is_noticed_by_nobody() -> None:
    recorder = played(plan(restart(20, fails="standby")), callers(Caller(90, talk=50)))
    assert ends(recorder)[90][0] is Outcome.COMPLETED
    assert not recorder.of(EventKind.EFFECT)


def test_a_pair_restarted_as_a_whole_has_lost_all_calls_and_serves_at_once_after_the_boot() -> None:
    recorder = played(plan(restart(20, fails="all")), callers(Caller(90, talk=50), Caller(118)))
    assert ends(recorder)[90][:2] == (Outcome.DROPPED, 120)
    assert {each.start: each.setup for each in recorder.records}[118] == 3.5
    assert not recorder.of(EventKind.DETECTED)


def test_a_node_of_two_that_serve_is_cut_off_from_its_calls_and_takes_its_share_again() -> None:
    both = plan(restart(5), mode="active-active", detect={"by": "nobody"}, keeps="none")
    recorder = played(both, callers(*(Caller(at, talk=50) for at in (90, 91, 110, 111))))
    assert {each.start: (each.outcome, each.node) for each in recorder.records} == {
        90: (Outcome.DROPPED, "edge/1"),
        91: (Outcome.COMPLETED, "edge/2"),
        110: (Outcome.COMPLETED, "edge/1"),
        111: (Outcome.COMPLETED, "edge/2"),
    }
