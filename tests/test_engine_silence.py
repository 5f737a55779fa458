"""Callers kept in a queue while nobody serves their pair: no agent can answer them before a node does, by hand."""

import pytest

from scenarios.evidence import EventKind, Outcome
from scenarios.model import Drill
from tests.drills import OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

COMPLETED, ABANDONED, DROPPED = Outcome.COMPLETED, Outcome.ABANDONED, Outcome.DROPPED
SURE: dict[str, object] = {"by": "options", "every": "1ms", "timeout": "8s"}
"""A detection that takes 8 s to the millisecond, whatever is drawn: a node that dies at 100 is taken over at 108."""
DIES: dict[str, object] = {"name": "node", "at": "100s", "pair": "edge", "fails": "active"}


def plan(
    *faults: dict[str, object],
    keeps: str = "all",
    groups: tuple[str, ...] = ("staff",),
    detect: dict[str, object] = SURE,
    runbook: list[object] | None = None,
    **queue: object,
) -> Drill:
    return drill(
        run={"for": "10m", "warm": False},
        sbc_pairs={
            "edge": {"site": "tokyo", "ports": 50, "detect": detect, "keeps": keeps},
            "other": {"site": "tokyo", "ports": 50},
        },
        trunks={"ntt": {"via": "edge", "channels": 50}, "kddi": {"via": "other", "channels": 50}},
        numbers={TOKYO: {"trunk": "ntt", "queue": "line"}, OSAKA: {"trunk": "kddi", "queue": "line"}},
        queues={"line": {"agents": ["staff"], **queue}},
        agents={name: {"count": 1, "softphone": {"sites": ["tokyo"], "expires": "20h"}} for name in groups},
        traffic=[{"to": number, "arrivals": "1/m", "talk": "1m"} for number in (TOKYO, OSAKA)],
        faults=list(faults) if faults or runbook else [DIES],
        runbook=runbook or [],
    )


def answers(recorder: ListRecorder) -> dict[float, tuple[Outcome, float | None]]:
    """Return by start the outcome, and when somebody answered, to the hundredth."""
    return {
        each.start: (each.outcome, None if each.talk is None else round(each.end - each.talk, 2))
        for each in recorder.records
    }


def test_a_kept_caller_is_answered_by_the_node_that_takes_over_and_not_before() -> None:
    """The agent is free at 101: the talk ends in the silence."""
    recorder = played(plan(), callers(Caller(90, talk=11), Caller(95)), callers())
    assert [round(entry.at, 2) for entry in recorder.of(EventKind.TAKEOVER)] == [108]
    assert answers(recorder) == {90: (COMPLETED, 90), 95: (COMPLETED, 108)}


def test_the_agent_takes_callers_of_another_pair_meanwhile_and_the_kept_one_keeps_the_place() -> None:
    recorder = played(
        plan(), callers(Caller(90, talk=11), Caller(95)), callers(Caller(102, talk=20), Caller(103), Caller(104))
    )
    assert answers(recorder) == {
        90: (COMPLETED, 90), 102: (COMPLETED, 102), 95: (COMPLETED, 122), 103: (COMPLETED, 132), 104: (COMPLETED, 142),
    }  # fmt: skip


def test_patience_ends_in_silence_as_well() -> None:
    recorder = played(plan(), callers(Caller(90, talk=11), Caller(95, patience=9)), callers())
    assert answers(recorder)[95] == (ABANDONED, None)
    assert [each.end for each in recorder.records if each.start == 95] == [104]


def test_callers_whom_the_pair_does_not_keep_are_lost_at_once() -> None:
    recorder = played(plan(keeps="confirmed", answers=False), callers(Caller(90, talk=11), Caller(95)), callers())
    assert answers(recorder) == {90: (COMPLETED, 90), 95: (DROPPED, None)}


def test_those_who_wait_for_the_second_node_that_dies_as_well_are_lost_with_it() -> None:
    both = plan(DIES, {"name": "too", "at": "104s", "pair": "edge", "fails": "standby"})
    recorder = played(both, callers(Caller(90, talk=11), Caller(95)), callers())
    assert [(each.start, each.outcome, each.end) for each in sorted(recorder.records)] == [
        (90, COMPLETED, 101), (95, DROPPED, 104),
    ]  # fmt: skip


def test_nobody_answers_on_a_node_that_hangs_until_it_recovers() -> None:
    hang = {**DIES, "how": "hung", "for": "3s"}
    recorder = played(plan(hang), callers(Caller(90, talk=11), Caller(95)), callers())
    assert answers(recorder)[95] == (COMPLETED, 103)
    assert not recorder.of(EventKind.DETECTED)


def test_who_leaves_the_ivr_in_the_silence_waits_for_the_takeover_though_an_agent_is_idle() -> None:
    recorder = played(plan(keeps="confirmed", ivr={"takes": "12s"}), callers(Caller(90, talk=20)), callers())
    (call,) = recorder.records
    assert call.ivr == 12
    assert call.wait == pytest.approx(6, abs=2e-3)


@pytest.mark.parametrize(
    ("after", "answered"),
    [(3, 98), (10, 108), (20, 115)],
    ids=["before the fault", "in the silence", "after the takeover"],
)
def test_a_search_widens_by_the_time_waited_whatever_happened_meanwhile(after: int, answered: float) -> None:
    wide = plan(groups=("staff", "backup"), widen=[{"after": f"{after}s", "agents": ["backup"]}])
    recorder = played(wide, callers(Caller(90, talk=60), Caller(95)), callers())
    assert answers(recorder)[95] == (COMPLETED, answered)


def test_a_callback_is_offered_to_those_who_can_hear_it() -> None:
    """Due at 105, and at 110 another one to the next in line; the agent is free at 150."""
    back = plan(callback={"after": "10s", "accepts": "100%"})
    recorder = played(back, callers(Caller(90, talk=60), Caller(95), Caller(99)), callers())
    first, second = (next(each for each in recorder.records if each.start == start) for start in (95, 99))
    assert [first.wait, second.wait] == pytest.approx([55, 61])
    assert first.callback == pytest.approx(150 - 108, abs=2e-3)
    assert second.callback == pytest.approx(160 - 109)


def test_between_a_resignation_and_the_takeover_nobody_answers_either() -> None:
    """VRRP, adverts of 10 s: the other node waits its skew of 156/256 of them, 6.09 s."""
    step = {"step": "switch", "by": "op", "starts": {"at": "100s"}, "takes": "0s", "does": {"switch": "edge"}}
    switched = plan(detect={"by": "vrrp", "advert": "10s"}, runbook=[step])
    recorder = played(switched, callers(Caller(90, talk=11), Caller(95)), callers())
    assert answers(recorder)[95] == (COMPLETED, 106.09)
