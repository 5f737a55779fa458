"""The IVR in the `calls` engine: every call is answered, holds its ports, and may end there (W9, W38)."""

import pytest

from scenarios.evidence import Gauge, Outcome
from scenarios.model import Drill
from scenarios.rules import check
from tests.drills import TOKYO, Caller, callers, drill, played


def plan(ivr: dict[str, object], agents: int = 1, queue: dict[str, object] | None = None, **changes: object) -> Drill:
    return drill(
        **{
            "numbers": {TOKYO: {"trunk": "ntt", "queue": "line"}},
            "queues": {"line": {"agents": ["staff"], "ivr": ivr, **(queue or {})}},
            "agents": {"staff": {"count": agents, "softphone": {"sites": ["tokyo"]}}},
            **changes,
        }
    )


def test_a_call_goes_through_the_ivr_and_then_waits_for_an_agent() -> None:
    recorder = played(plan({"takes": "12s"}), callers(Caller(20, talk=30), Caller(25, talk=5)))
    assert [(each.start, each.setup, each.ivr, each.wait, each.talk, each.end) for each in recorder.records] == [
        (20, 0, 12, 0, 30, 62),
        (25, 0, 12, 25, 5, 67),
    ]
    assert {(each.queue, each.agents, each.outcome) for each in recorder.records} == {
        ("line", "staff", Outcome.COMPLETED)
    }


def test_a_contained_call_is_answered_without_queue_and_agent() -> None:
    recorder = played(plan({"takes": "12s", "contained": "100%"}), callers(Caller(20, talk=30)))
    (call,) = recorder.records
    assert (call.answered, call.talk, call.ivr, call.end, call.outcome) == (True, 12, 0, 32, Outcome.COMPLETED)
    assert (call.queue, call.agents, call.sip, call.final) == ("", "", 200, True)


def test_the_share_that_is_contained_is_as_stated() -> None:
    many = [Caller(at / 10, talk=0.1) for at in range(2000)]
    recorder = played(plan({"takes": "1s", "contained": "30%"}, agents=50), callers(*many))
    contained = sum(each.agents == "" for each in recorder.records)
    assert abs(contained - 600) < 4 * (2000 * 0.3 * 0.7) ** 0.5


def test_ports_are_held_in_the_ivr() -> None:
    tight = plan({"takes": "12s", "contained": "100%"}, ports={"tenant": 1})
    recorder = played(tight, callers(Caller(20), Caller(31.5), Caller(32.5)))
    assert {each.start: each.outcome for each in recorder.records} == {
        20: Outcome.COMPLETED,
        31.5: Outcome.BLOCKED,
        32.5: Outcome.COMPLETED,
    }


def test_patience_does_not_run_in_the_ivr() -> None:
    recorder = played(plan({"takes": "12s"}), callers(Caller(20, talk=100), Caller(25, patience=8)))
    gone = {each.start: each for each in recorder.records}[25]
    assert (gone.outcome, gone.wait, gone.end, gone.sip) == (Outcome.ABANDONED, 8, 45, 200)


@pytest.mark.parametrize(("at", "queue", "talk"), [(95, "", 6), (85, "line", None)])
def test_calls_of_a_dead_node_are_lost_in_the_ivr_and_behind_it(at: float, queue: str, talk: float | None) -> None:
    nothing_kept = {"edge": {"site": "tokyo", "ports": 9, "keeps": "none"}}
    dies = {"name": "node", "at": "101s", "pair": "edge", "fails": "active"}
    lost = plan({"takes": "12s"}, sbc_pairs=nothing_kept, faults=[dies])
    recorder = played(lost, callers(Caller(50, talk=500), Caller(at)))
    call = {each.start: each for each in recorder.records}[at]
    assert (call.outcome, call.end, call.sip, call.queue, call.talk) == (Outcome.DROPPED, 101, 200, queue, talk)


def test_a_call_that_was_in_the_ivr_is_confirmed_even_where_callers_then_hear_ringing() -> None:
    dies = {"name": "node", "at": "101s", "pair": "edge", "fails": "active"}
    ringing = plan({"takes": "12s"}, queue={"answers": False}, faults=[dies])
    recorder = played(ringing, callers(Caller(50, talk=100), Caller(85, talk=5), Caller(95, talk=5)))
    assert [(each.start, each.outcome) for each in recorder.records] == [
        (50, Outcome.COMPLETED),
        (85, Outcome.COMPLETED),
        (95, Outcome.COMPLETED),
    ]


def test_calls_still_in_the_ivr_at_the_end_are_in_progress() -> None:
    recorder = played(plan({"takes": "12s"}), callers(Caller(290)))
    (call,) = recorder.records
    assert (call.outcome, call.end, call.talk) == (Outcome.IN_PROGRESS, 300, 10)
    assert recorder.levels(Gauge.WAITING, "line")[300] == 0


def test_the_load_check_counts_the_ivr_against_ports_and_what_it_contains_for_the_agents() -> None:
    """6 a minute: 2 erlang in the IVR; half go on to talk 60 s: 3 erlang, for ports 5 in all."""
    busy = [{"to": TOKYO, "arrivals": "6/m", "talk": "1m"}]
    tight = plan({"takes": "20s", "contained": "50%"}, agents=3, ports={"tenant": 5}, traffic=busy)
    assert [finding.message.partition(" are offered")[0] for finding in check(tight)] == [
        "5 erlang",
        "3 erlang of talk and wrap-up",
    ]
