"""Split brain in the `calls` engine: the link between the nodes is cut, and both come to serve."""

from math import inf
from typing import Any

import pytest

from scenarios.evidence import EventKind, Outcome
from scenarios.model import Drill
from scenarios.rules import check
from tests.drills import Caller, callers, drill, played

SURE = 3 + 156 / 256
"""The latest that a standby of priority 100 is sure that adverts of 1 s have stopped."""


def cut(at: float = 100, lasts: float = inf) -> dict[str, object]:
    return {
        "name": "cut",
        "at": f"{at}s",
        "pair": "edge",
        "fails": "link",
        **({"for": f"{lasts}s"} if lasts < inf else {}),
    }


def plan(*faults: dict[str, object], keeps: str = "confirmed", **pair: Any) -> Drill:
    pairs = {"edge": {"site": "tokyo", "ports": 50, "keeps": keeps, **pair}}
    return drill(run={"for": "10m", "warm": False}, sbc_pairs=pairs, faults=list(faults))


def test_new_calls_go_to_the_former_standby_without_delay_and_calls_up_stay_where_they_are() -> None:
    recorder = played(plan(cut()), callers(Caller(90, talk=60), Caller(101), Caller(104)))
    assert {each.start: (each.node, each.setup, each.outcome) for each in recorder.records} == {
        90: ("edge/1", 0, Outcome.COMPLETED), 101: ("edge/1", 0, Outcome.COMPLETED),
        104: ("edge/2", 0, Outcome.COMPLETED),
    }  # fmt: skip
    (effect,) = recorder.of(EventKind.EFFECT)
    assert 100 + SURE - 1 <= effect.at <= 100 + SURE


def test_a_link_that_is_back_before_the_standby_is_sure_changes_nothing() -> None:
    recorder = played(plan(cut(lasts=2)), callers(Caller(110)))
    assert [each.node for each in recorder.records] == ["edge/1"]
    assert not recorder.of(EventKind.DETECTED, EventKind.EFFECT)


@pytest.mark.parametrize(
    ("keeps", "outcome", "end"), [("confirmed", Outcome.COMPLETED, 240), ("none", Outcome.DROPPED, 200)]
)
def test_the_first_node_stays_after_the_repair_and_the_pair_keeps_what_it_says(
    keeps: str, outcome: Outcome, end: float
) -> None:
    recorder = played(
        plan(cut(lasts=100), keeps=keeps), callers(Caller(90, talk=150), Caller(140, talk=100), Caller(201))
    )
    found = {each.start: (each.node, each.outcome, each.end) for each in recorder.records}
    assert found[90] == ("edge/1", Outcome.COMPLETED, 240)
    assert found[140] == ("edge/1" if keeps == "confirmed" else "edge/2", outcome, end)
    assert found[201][0] == "edge/1"


def test_after_a_split_in_which_the_first_node_stood_by_it_stays_as_well() -> None:
    swapped = plan({"name": "die", "at": "20s", "for": "10s", "pair": "edge", "fails": "active"}, cut(lasts=50))
    recorder = played(swapped, callers(Caller(90, talk=80), Caller(110, talk=5), Caller(160)))
    assert {each.start: (each.node, each.outcome) for each in recorder.records} == {
        90: ("edge/1", Outcome.COMPLETED), 110: ("edge/1", Outcome.COMPLETED), 160: ("edge/1", Outcome.COMPLETED),
    }  # fmt: skip


@pytest.mark.parametrize(("part", "lost", "left"), [("active", "edge/2", "edge/1"), ("standby", "edge/1", "edge/2")])
def test_of_two_that_serve_the_other_goes_on_alone(part: str, lost: str, left: str) -> None:
    """Active is the one that new calls go to: the second node, since the split."""
    both = plan(cut(), {"name": "die", "at": "150s", "pair": "edge", "fails": part}, keeps="none")
    recorder = played(both, callers(Caller(90, talk=100), Caller(140, talk=100), Caller(151)))
    found = {each.node: each.outcome for each in recorder.records if each.start < 150}
    assert found == {lost: Outcome.DROPPED, left: Outcome.COMPLETED}
    assert {each.start: (each.node, each.setup) for each in recorder.records}[151] == (left, 0)


def test_a_node_that_hangs_behind_a_cut_link_is_unheard_and_so_noticed() -> None:
    both = plan(cut(), {"name": "hang", "at": "101s", "pair": "edge", "fails": "active", "how": "hung"})
    recorder = played(both, callers(Caller(110)))
    assert [(each.node, each.setup) for each in recorder.records] == [("edge/2", 0)]
    (taken,) = recorder.of(EventKind.TAKEOVER)
    assert taken.at <= 100 + SURE, "the adverts have been missing since the link was cut"


def test_a_lost_standby_leaves_nobody_to_split_with() -> None:
    both = plan(cut(lasts=50), {"name": "die", "at": "101s", "pair": "edge", "fails": "standby"})
    recorder = played(both, callers(Caller(110), Caller(160)))
    assert [(each.node, each.setup) for each in recorder.records] == [("edge/1", 0), ("edge/1", 0)]


@pytest.mark.parametrize(
    "fault",
    [{"pair": "edge", "fails": "link"}, {"site": "tokyo", "fails": "link"}],
    ids=["probed from outside", "no pair"],
)
def test_only_nodes_that_send_each_other_adverts_have_a_link(fault: dict[str, object]) -> None:
    wrong = plan({"name": "cut", "at": "100s", **fault}, detect={"by": "options"})
    assert [(each.id, each.path) for each in check(wrong)] == [("not-applicable", ("faults", 0, "fails"))]
