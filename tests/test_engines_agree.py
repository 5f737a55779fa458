"""Drills of ten calls or so whose every outcome is computed by hand, played by each engine.

Times are compared to a tenth of a second: `calls` knows no propagation, `packets` has a millisecond for every link.
"""

import pytest

from scenarios.evidence import CallRecord, EventKind, JournalEntry, Outcome
from scenarios.model import Drill
from tests.drills import ENGINES, TOKYO, Caller, ListRecorder, callers, drill, played

CLOSE = 0.1
OFFSETS = (0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)  # RFC 3261 §17.1.1.2: T1 doubled from copy to copy, up to 64·T1

engines = pytest.mark.parametrize("engine", ENGINES)


def in_order(recorder: ListRecorder) -> list[CallRecord]:
    return sorted(recorder.records, key=lambda call: call.attempt)


def _at(entry: JournalEntry) -> float:
    return entry.at


def outcomes(recorder: ListRecorder) -> list[Outcome]:
    return [call.outcome for call in in_order(recorder)]


@engines
@pytest.mark.parametrize(
    ("detect", "earliest", "latest"),
    [
        ({"by": "vrrp", "advert": "1s"}, 2.6, 3.7),  # three adverts since the last one, and 156/256 s
        ({"by": "options", "every": "5s", "timeout": "2s"}, 2.0, 7.0),  # the next probe and its time-out
    ],
)
def test_calls_that_meet_a_silent_pair_are_delivered_with_the_first_copy_after_the_takeover(
    engine: str, detect: dict[str, str], earliest: float, latest: float
) -> None:
    dials = (5.0, 9.0, 10.2, 10.6, 11.0, 11.4, 11.9, 12.3, 20.0, 25.0)
    plan = drill(
        run={"for": "60s", "warm": False},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 99, "detect": detect}},
        faults=[{"name": "lost", "at": "10s", "pair": "edge", "fails": "active"}],
    )
    recorder = played(plan, callers(*(Caller(at, talk=4.0) for at in dials)), engine=engine)
    (takeover,) = recorder.of(EventKind.TAKEOVER)
    assert 10 + earliest <= takeover.at <= 10 + latest
    for at, call in zip(dials, in_order(recorder), strict=True):
        silent = at > 10.0
        expected = next(offset for offset in OFFSETS if not silent or at + offset >= takeover.at)
        assert call.outcome is Outcome.COMPLETED
        assert call.setup == pytest.approx(expected, abs=CLOSE)
        assert call.talk == pytest.approx(4.0, abs=CLOSE)


@engines
def test_two_ports_carry_two_calls_and_the_third_is_refused(engine: str) -> None:
    #                      1: 0-20, 2: 5-15, 3 refused, 4: 16-36, 5 refused, 6: 21-31, 7 refused, 8: 32-52 …
    load = callers(
        Caller(0, 20), Caller(5, 10), Caller(10, 5), Caller(16, 20), Caller(18, 1), Caller(21, 10), Caller(25, 1),
        Caller(32, 20), Caller(37, 3), Caller(39, 1),
    )  # fmt: skip
    plan = drill(
        run={"for": "60s", "warm": False},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 2}},
        trunks={"ntt": {"via": "edge", "channels": 9}},
    )
    recorder = played(plan, load, engine=engine)
    done, full = Outcome.COMPLETED, Outcome.BLOCKED
    assert outcomes(recorder) == [done, done, full, done, full, done, full, done, done, full]
    assert {(call.reason, call.sip) for call in recorder.records if call.outcome is full} == {("edge", 503)}


@engines
def test_a_full_contract_answers_busy_and_the_refused_dial_again_as_often_as_they_are_willing(engine: str) -> None:
    load = callers(Caller(0, 30), Caller(10, 5, again=(5.0, 20.0)), Caller(12, 5), Caller(31, 10))
    recorder = played(drill(run={"for": "60s", "warm": False}, ports={"tenant": 1}), load, engine=engine)
    told = [(round(call.start), call.outcome, call.sip, call.tries) for call in in_order(recorder)]
    done, full = Outcome.COMPLETED, Outcome.BLOCKED
    assert told == [
        (0, done, 200, 1), (10, full, 486, 1), (12, full, 486, 1), (15, full, 486, 2), (31, done, 200, 1),
        (35, full, 486, 3),
    ]  # fmt: skip


@engines
def test_two_agents_serve_ten_callers_in_order_and_who_has_no_patience_goes(engine: str) -> None:
    plan = drill(
        run={"for": "5m", "warm": False},
        numbers={TOKYO: {"trunk": "ntt", "queue": "desk"}},
        queues={"desk": {"agents": ["staff"]}},
        agents={"staff": {"count": 2, "softphone": {"sites": ["tokyo"]}}},
    )
    load = callers(
        Caller(10, 30), Caller(11, 40), Caller(20, 10), Caller(21, 10, patience=15), Caller(22, 20), Caller(23, 5),
        Caller(50, 10), Caller(100, 10), Caller(101, 10), Caller(102, 10),
    )  # fmt: skip
    recorder = played(plan, load, engine=engine)
    # The third waits from 20 to 40, the fourth goes at 36, the fifth follows the third at 50, the sixth follows the
    # second at 51, the seventh the sixth at 56; the last waits from 102 to 110.
    waits = [0, 0, 20, 15, 28, 28, 6, 0, 0, 8]
    assert [call.wait for call in in_order(recorder)] == [pytest.approx(wait, abs=CLOSE) for wait in waits]
    gone = [call.outcome is Outcome.ABANDONED for call in in_order(recorder)]
    assert gone == [False, False, False, True, False, False, False, False, False, False]


@engines
def test_a_silent_trunk_costs_its_common_timer_and_a_refusing_one_nothing(engine: str) -> None:
    plan = drill(
        run={"for": "2m", "warm": False},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 9}, "other": {"site": "tokyo", "ports": 9}},
        trunks={"ntt": {"via": "edge", "channels": 9, "advance_after": "4s"}, "kddi": {"via": "other", "channels": 9}},
        numbers={TOKYO: {"trunk": ["ntt", "kddi"]}},
        faults=[
            {"name": "silent", "at": "20s", "pair": "edge", "fails": "all", "for": "30s"},
            {"name": "busy", "at": "70s", "trunk": "ntt", "fails": "503", "for": "20s"},
        ],
    )
    dials = (5.0, 10.0, 25.0, 30.0, 35.0, 60.0, 65.0, 75.0, 80.0, 100.0)
    recorder = played(plan, callers(*(Caller(at, talk=3.0) for at in dials)), engine=engine)
    trunks = ["ntt", "ntt", "kddi", "kddi", "kddi", "ntt", "ntt", "kddi", "kddi", "ntt"]
    setups = [0, 0, 4, 4, 4, 0, 0, 0, 0, 0]
    assert [call.trunk for call in in_order(recorder)] == trunks
    assert [call.setup for call in in_order(recorder)] == [pytest.approx(setup, abs=CLOSE) for setup in setups]


@engines
def test_calls_on_a_node_that_dies_are_lost_or_kept_as_the_pair_says(engine: str) -> None:
    for keeps, lost in (("none", 3), ("confirmed", 0)):
        plan = drill(
            run={"for": "60s", "warm": False},
            sbc_pairs={"edge": {"site": "tokyo", "ports": 9, "keeps": keeps}},
            faults=[{"name": "lost", "at": "10s", "pair": "edge", "fails": "active"}],
            traffic=[{"to": TOKYO, "arrivals": "1/s", "talk": "10s", "silence_hangup": "5s"}],
        )
        load = callers(*(Caller(at, talk) for at, talk in ((1, 5), (2, 20), (3, 30), (4, 25), (20, 5), (30, 5))))
        recorder = played(plan, load, engine=engine)
        cut = [call for call in recorder.records if call.outcome is Outcome.DROPPED]
        assert len(cut) == lost
        assert all(call.end == pytest.approx(10.0, abs=CLOSE) for call in cut)
        assert {call.reason for call in cut} <= {"edge/1 lost"}
        assert len(recorder.records) == 6


# Not by hand, but the same in each.


def registered(plan: Drill, engine: str) -> dict[object, float]:
    """Return who got a line, and when last."""
    return {entry.detail["agent"]: entry.at for entry in played(plan, engine=engine).of(EventKind.REGISTERED)}


def test_every_phone_comes_back_when_it_does_in_the_other_engine() -> None:
    """Each has waits of its own, however the phones are mixed up on the way."""
    plan = drill(
        run={"for": "30m", "warm": False},
        sites={"tokyo": {"register_rate": "3/s"}},
        agents={"staff": {"count": 60, "softphone": {"sites": ["tokyo"], "client": "pjsua", "spread": "30s"}}},
        faults=[{"name": "gone", "at": "5m", "registrar": "tokyo", "for": "4m"}],
        traffic=[{"to": TOKYO, "arrivals": "1/m", "talk": "10s"}],
    )
    calls, packets = (registered(plan, engine) for engine in ENGINES)
    assert len(calls) == 60
    assert packets == pytest.approx(calls, abs=CLOSE)


def test_agents_who_slip_and_fail_do_so_in_both_engines() -> None:
    to_osaka = {
        "step": "move",
        "by": "agents",
        "starts": {"at": "1m"},
        "takes": {"exponential": "30s"},
        "fails": "30%",
        "does": {"softphones": "staff", "site": "osaka", "login": {"exponential": "5s"}, "slips": "30%"},
    }
    plan = drill(
        run={"for": "30m", "warm": False},
        sites={"tokyo": {}, "osaka": {}},
        agents={"staff": {"count": 30, "softphone": {"sites": ["tokyo", "osaka"]}}},
        runbook=[to_osaka],
        traffic=[{"to": TOKYO, "arrivals": "1/m", "talk": "10s"}],
    )
    repeats = [played(plan, engine=engine).of(EventKind.STEP_REPEATED) for engine in ENGINES]
    calls, packets = ([(entry.detail["agent"], entry.at) for entry in sorted(each, key=_at)] for each in repeats)
    assert len(calls) > 15
    assert [who for who, _ in packets] == [who for who, _ in calls]
    assert [at for _, at in packets] == pytest.approx([at for _, at in calls], abs=CLOSE)


@engines
@pytest.mark.parametrize(("tested", "first", "second"), [(False, "a", "b"), (True, "b", "a")])
def test_a_test_call_is_taken_by_whoever_has_been_idle_longest(
    engine: str, tested: bool, first: str, second: str
) -> None:
    test = {"step": "try it", "by": "operator", "starts": {"at": "30s"}, "takes": "10s", "does": {"verify": TOKYO}}
    one = {"count": 1, "softphone": {"sites": ["tokyo"]}}
    plan = drill(
        run={"for": "2m", "warm": False},
        numbers={TOKYO: {"trunk": "ntt", "queue": "desk"}},
        queues={"desk": {"agents": ["a", "b"], "select": "longest"}},
        agents={"a": one, "b": one},
        runbook=[test] if tested else [],
    )
    # The first two calls bring both into an order: a is free at 15, b at 20.
    load = callers(Caller(5, 10), Caller(10, 10), Caller(60, 10), Caller(90, 10))
    recorder = played(plan, load, engine=engine)
    assert [call.agents for call in in_order(recorder)] == ["a", "b", first, second]
