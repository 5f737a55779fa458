"""Carriers that restrict calls, and 503 with Retry-After, in the `calls` engine."""

from collections import Counter
from typing import Any

import pytest
from scipy import stats

from scenarios.evidence import Direction, EventKind, Outcome
from scenarios.model import Drill
from tests.drills import OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

FAILED, COMPLETED = Outcome.FAILED, Outcome.COMPLETED


def limit(at: float = 100, **more: Any) -> dict[str, object]:
    target = {} if "carrier" in more else {"trunk": "ntt"}
    return {"name": "limit", "at": f"{at}s", "for": "100s", **target, **more}


def plan(*faults: dict[str, object], **changes: object) -> Drill:
    return drill(**{"run": {"for": "10m", "warm": False}, "faults": list(faults), **changes})


def two(*faults: dict[str, object], **changes: object) -> Drill:
    """Return a number with two trunks of one carrier and a third of another."""
    trunks = {
        name: {"via": "edge", "channels": 999, "carrier": carrier}
        for name, carrier in (("ntt", "NTT Com"), ("too", "NTT Com"), ("kddi", "KDDI"))
    }
    return plan(*faults, **{"trunks": trunks, "numbers": {TOKYO: {"trunk": ["ntt", "too", "kddi"]}}, **changes})


def trunks(recorder: ListRecorder) -> dict[float, tuple[str, int]]:
    return {each.start: (each.trunk, each.sip) for each in recorder.records}


def test_a_carrier_refuses_its_share_of_new_calls_while_it_restricts_them() -> None:
    calls = [Caller(0.5 * each + 0.25, talk=1) for each in range(1200)]
    recorder = played(plan(limit(at=100, **{"for": "400s"}, refuses="70%")), callers(*calls))
    refused = [each for each in recorder.records if each.outcome is FAILED]
    assert {(each.sip, each.reason, each.end - each.start) for each in refused} == {
        (503, "restricted by the carrier", 0)
    }
    assert all(100 < each.start < 500 for each in refused)
    assert stats.binomtest(len(refused), 800, 0.7).pvalue > 1e-4
    (effect,) = recorder.of(EventKind.EFFECT)
    assert (effect.at, effect.detail["met"]) == (refused[0].start, "call")


def test_calls_up_go_on() -> None:
    assert played(plan(limit(refuses="100%")), callers(Caller(90, talk=50))).records[0].outcome is COMPLETED


@pytest.mark.parametrize(("answer", "trunk", "sip"), [(503, "kddi", 200), (480, "kddi", 200), (486, "ntt", 486)])
def test_a_call_refused_goes_on_to_another_carrier_as_after_any_other_answer(answer: int, trunk: str, sip: int) -> None:
    restricted = two(limit(carrier="NTT Com", refuses="100%", answer=answer))
    recorder = played(restricted, callers(Caller(90), Caller(101), Caller(201)))
    assert trunks(recorder) == {90: ("ntt", 200), 101: (trunk, sip), 201: ("ntt", 200)}


def test_a_carrier_decides_on_a_call_once_for_all_of_its_trunks() -> None:
    restricted = two(limit(carrier="NTT Com", refuses="50%"))
    recorder = played(restricted, callers(*(Caller(100.1 + each / 10, talk=1) for each in range(900))))
    used = Counter(trunk for trunk, _ in trunks(recorder).values())
    assert used["too"] == 0
    assert stats.binomtest(used["kddi"], 900, 0.5).pvalue > 1e-4


def test_faults_on_two_trunks_of_a_carrier_are_drawn_apart() -> None:
    apart = two(limit(refuses="50%"), {**limit(trunk="too", refuses="50%"), "name": "second"})
    recorder = played(apart, callers(*(Caller(100.1 + each / 10, talk=1) for each in range(900))))
    used = Counter(trunk for trunk, _ in trunks(recorder).values())
    assert stats.chisquare([used["ntt"], used["too"], used["kddi"]], [450, 225, 225]).pvalue > 1e-4


def test_another_fault_does_not_shift_the_draws_of_this_one() -> None:
    calls = [Caller(100.5 + each, talk=1) for each in range(90)]
    alone = played(two(limit(refuses="40%")), callers(*calls))
    beside = {**limit(trunk="kddi", refuses="40%"), "name": "beside"}
    together = played(two(limit(refuses="40%"), beside), callers(*calls))
    assert [trunk == "ntt" for trunk, _ in trunks(alone).values()] == [
        trunk == "ntt" for trunk, _ in trunks(together).values()
    ]


def outbound(number: str, *faults: dict[str, object]) -> Drill:
    return plan(
        *faults,
        default_caller=TOKYO,
        agents={"desk": {"count": 9, "softphone": {"sites": ["tokyo"]}}},
        traffic=[{"from": "desk", "to": number, "arrivals": "1/m", "talk": "1m"}],
    )


@pytest.mark.parametrize("number", ["110", "118", "119"])
@pytest.mark.parametrize("asks", [{}, {"retry_after": "10m"}], ids=["plain", "Retry-After"])
def test_emergency_calls_are_let_through(number: str, asks: dict[str, Any]) -> None:
    recorder = played(outbound(number, limit(refuses="100%", **asks)), callers(Caller(110), Caller(120)))
    assert {each.outcome for each in recorder.records} == {COMPLETED}
    assert not recorder.of(EventKind.EFFECT)


def test_other_calls_out_are_restricted() -> None:
    recorder = played(outbound("090-1234-5678", limit(refuses="100%")), callers(Caller(110)))
    assert (recorder.records[0].outcome, recorder.records[0].sip) == (FAILED, 503)


# Retry-After


def test_a_trunk_that_asks_for_it_is_left_alone_until_then_even_by_calls_it_would_take() -> None:
    """Restricted from 100 to 200, Retry-After 2 min: refused once at 110, then nobody asks before 230."""
    asking = two(limit(refuses="100%", retry_after="2m"), numbers={TOKYO: {"trunk": ["ntt", "kddi"]}})
    recorder = played(asking, callers(*(Caller(at) for at in (90, 110, 190, 210, 229.5, 230, 240))))
    assert [trunk for trunk, _ in trunks(recorder).values()] == ["ntt", "kddi", "kddi", "kddi", "kddi", "ntt", "ntt"]


def test_without_retry_after_a_503_speaks_for_the_call_at_hand_only() -> None:
    recorder = played(two(limit(refuses="100%")), callers(Caller(190), Caller(201)))
    assert trunks(recorder) == {190: ("too", 200), 201: ("ntt", 200)}


def test_retry_after_makes_all_of_a_small_restriction_where_there_is_no_other_trunk() -> None:
    asking = plan(limit(refuses="20%", retry_after="30s"))
    recorder = played(asking, callers(*(Caller(100.5 + each, talk=0.5) for each in range(90))))
    records = sorted(recorder.records, key=lambda each: each.start)
    refused = [each.start for each in records if each.reason == "restricted by the carrier"]
    for first in refused:
        later = [each for each in records if first < each.start < first + 30]
        assert {(each.sip, each.reason) for each in later} <= {(503, "trunk left alone (Retry-After)")}
    assert len(refused) in (2, 3), "each silences 30 s of 90"


def test_a_trunk_that_answers_503_may_ask_as_well() -> None:
    asking = two(limit(fails="503", retry_after="3m"))
    assert trunks(played(asking, callers(Caller(110), Caller(220), Caller(291)))) == {
        110: ("too", 200), 220: ("too", 200), 291: ("ntt", 200),
    }  # fmt: skip


def test_a_lost_trunk_asks_for_nothing() -> None:
    lost = two({"name": "cut", "at": "100s", "for": "100s", "trunk": "ntt"}, limit(fails="503", retry_after="3m"))
    assert trunks(played(lost, callers(Caller(110), Caller(201)))) == {110: ("too", 200), 201: ("ntt", 200)}


def drain(retry_after: str | None, *streams: object) -> Drill:
    asks = {} if retry_after is None else {"retry_after": retry_after}
    base = {"by": "operator", "takes": 0}
    return plan(
        sbc_pairs={name: {"site": "tokyo", "ports": 9} for name in ("edge", "far")},
        trunks={"ntt": {"via": "edge", "channels": 9}, "kddi": {"via": "far", "channels": 9}},
        numbers={TOKYO: {"trunk": ["ntt", "kddi"]}},
        runbook=[
            {"step": "drain", "starts": {"at": "100s"}, "does": {"drain": "edge", **asks}, **base},
            {"step": "resume", "starts": {"at": "200s"}, "does": {"resume": "edge"}, **base},
        ],
    )


@pytest.mark.parametrize(("retry_after", "after"), [(None, "ntt"), ("80s", "ntt"), ("2m", "kddi")])
def test_a_drained_pair_is_left_alone_as_long_as_it_asked_for_though_it_is_resumed(
    retry_after: str | None, after: str
) -> None:
    recorder = played(drain(retry_after), callers(Caller(90), Caller(110), Caller(210), Caller(231)))
    assert [trunk for trunk, _ in trunks(recorder).values()] == ["ntt", "kddi", after, "ntt"]


def both_ways(*faults: dict[str, object], **changes: object) -> Drill:
    """Return calls in and out by one trunk."""
    return plan(
        *faults,
        default_caller=TOKYO,
        agents={"desk": {"count": 9, "softphone": {"sites": ["tokyo"]}}},
        traffic=[
            {"to": TOKYO, "arrivals": "1/m", "talk": "1m"},
            {"from": "desk", "to": "090-1234-5678", "arrivals": "1/m", "talk": "1m"},
        ],
        **changes,
    )


@pytest.mark.parametrize(("heard_by", "calls_in", "calls_out"), [("carrier", 503, 200), ("SBC", 200, 503)])
def test_what_a_carrier_has_heard_about_calls_in_the_sbc_has_not_about_calls_out(
    heard_by: str, calls_in: int, calls_out: int
) -> None:
    """One of them meets a 503 with Retry-After at 110; both try at 220, after the fault."""
    asking = both_ways(limit(fails="503", retry_after="5m"))
    early = callers(Caller(110), Caller(220))
    late = callers(Caller(221))
    recorder = played(asking, *((early, late) if heard_by == "carrier" else (late, early)))
    found = {each.direction: each.sip for each in recorder.records if each.start > 200}
    assert found == {Direction.INBOUND: calls_in, Direction.OUTBOUND: calls_out}


def test_what_the_contact_centre_has_heard_from_a_drained_pair_counts_for_all_its_agents() -> None:
    base = {"by": "operator", "takes": 0}
    runbook = [
        {"step": "drain", "starts": {"at": "100s"}, "does": {"drain": "edge", "retry_after": "5m"}, **base},
        {"step": "resume", "starts": {"at": "200s"}, "does": {"resume": "edge"}, **base},
    ]
    recorder = played(both_ways(runbook=runbook), callers(), callers(Caller(110), Caller(210), Caller(411)))
    assert {each.start: each.sip for each in recorder.records} == {110: 503, 210: 503, 411: 200}


def test_a_test_call_is_refused_as_a_caller_is() -> None:
    verified = plan(
        limit(refuses="100%"),
        runbook=[
            {"step": "test", "by": "operator", "takes": "40s", "starts": {"at": "90s"}, "does": {"verify": TOKYO}}
        ],
    )
    recorder = played(verified, callers())
    assert [entry.at for entry in recorder.of(EventKind.STEP_REPEATED)] == [130, 170]
    assert [entry.at for entry in recorder.of(EventKind.STEP_FINISHED)] == [210]


def busy(trunk: str, fault: dict[str, object], **queue: object) -> Drill:
    """Return a queue with one agent, and calls to it that arrive by a trunk."""
    return plan(
        fault,
        trunks={"ntt": {"via": "edge", "channels": 9}, "kddi": {"via": "edge", "channels": 9}},
        numbers={OSAKA: {"trunk": trunk, "queue": "help"}},
        traffic=[{"to": OSAKA, "arrivals": "1/m", "talk": "1m"}],
        agents={"desk": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
        queues={"help": {"agents": ["desk"], **queue}},
    )


def test_a_leg_to_an_external_team_is_a_new_call() -> None:
    """At 110 nobody is free; overflow after 10 s needs the restricted trunk, and the caller stays in the queue."""
    overflow = {"after": "10s", "to": "090-1234-5678", "trunk": "ntt", "team": 5}
    plan = busy("kddi", limit(refuses="100%"), overflow=overflow)
    recorder = played(plan, callers(Caller(80, talk=150), Caller(110, talk=5), Caller(205, talk=5)))
    assert {each.start: (each.agents, each.wait) for each in recorder.records} == {
        80: ("desk", 0), 110: ("desk", 120), 205: ("090-1234-5678", 10),
    }  # fmt: skip


@pytest.mark.parametrize("how", [{"refuses": "100%"}, {"fails": "503"}], ids=["restricted", "503"])
@pytest.mark.parametrize(("free", "outcome"), [(150, FAILED), (210, COMPLETED)])
def test_a_callback_is_a_new_call(how: dict[str, Any], free: float, outcome: Outcome) -> None:
    """Promised at 100 and dialled when the agent is free, who until then talks to the caller before."""
    promising = busy("ntt", limit(at=105, **how), callback={"after": "10s", "accepts": "100%"})
    recorder = played(promising, callers(Caller(80, talk=free - 80), Caller(90, talk=5)))
    assert {each.start: each.outcome for each in recorder.records} == {80: COMPLETED, 90: outcome}
