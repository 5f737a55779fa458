"""Drills of ten calls or so whose every outcome is computed by hand, played by each engine.

Times are compared to a tenth of a second: `calls` knows no propagation, `packets` has a millisecond for every link.
"""

from collections import Counter

import pytest

from reports.fold import Fold
from scenarios.evidence import CallRecord, EventKind, Gauge, JournalEntry, Outcome
from scenarios.expectations import Query
from scenarios.model import Drill
from tests.drills import ENGINES, MOBILE, TOKYO, Caller, ListRecorder, callers, drill, played
from tests.made_evidence import folded

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


def unavailable(what: str, wait: str | None) -> dict[str, object]:
    """Return a trunk or a pair that answers 503 from 100 to 200, with a Retry-After if it has one."""
    asks = {} if wait is None else {"retry_after": wait}
    if what == "trunk":
        return {"faults": [{"name": "busy", "at": "100s", "for": "100s", "trunk": "ntt", "fails": "503", **asks}]}
    does: list[dict[str, object]] = [{"drain": "edge", **asks}, {"resume": "edge"}]
    steps = [
        {"step": f"{at}", "by": "operator", "takes": 0, "starts": {"at": f"{at}s"}, "does": each}
        for at, each in zip((100, 200), does, strict=True)
    ]
    return {"runbook": steps}


@engines
@pytest.mark.parametrize("passes", ["b2bua", "proxy"])
@pytest.mark.parametrize("what", ["trunk", "pair"])
@pytest.mark.parametrize(("wait", "after"), [(None, "ntt"), ("80s", "ntt"), ("2m", "kddi")])
def test_a_call_out_goes_on_to_another_trunk_and_the_first_is_left_alone_as_long_as_it_asked_for(
    engine: str, what: str, passes: str, wait: str | None, after: str
) -> None:
    plan = drill(
        run={"for": "5m", "warm": False},
        default_caller=TOKYO,
        sbc_pairs={name: {"site": "tokyo", "ports": 9, "passes": passes} for name in ("edge", "far")},
        trunks={"ntt": {"via": "edge", "channels": 9}, "kddi": {"via": "far", "channels": 9}},
        numbers={TOKYO: {"trunk": ["ntt", "kddi"]}},
        agents={"desk": {"count": 9, "softphone": {"sites": ["tokyo"]}}},
        traffic=[{"from": "desk", "to": MOBILE, "arrivals": "1/m", "talk": "10s"}],
        **unavailable(what, wait),
    )
    # The one at 110 hears the 503; what it says of 2 min is over at 230.
    recorder = played(plan, callers(Caller(90), Caller(110), Caller(210), Caller(231)), engine=engine)
    assert [call.trunk for call in in_order(recorder)] == ["ntt", "kddi", after, "ntt"]
    assert set(outcomes(recorder)) == {Outcome.COMPLETED}


def called_back(passes: str = "b2bua", *faults: dict[str, object], **changes: object) -> Drill:
    """Return one agent, and who waits for ten seconds is promised a call; ntt can take nobody from 15 to 25."""
    return drill(**{
        "run": {"for": "3m", "warm": False},
        "sbc_pairs": {name: {"site": "tokyo", "ports": 9, "passes": passes} for name in ("edge", "far")},
        "trunks": {"ntt": {"via": "edge", "channels": 9}, "kddi": {"via": "far", "channels": 1}},
        "numbers": {TOKYO: {"trunk": ["ntt", "kddi"], "queue": "desk"}},
        "queues": {"desk": {"agents": ["staff"], "callback": {"after": "10s", "accepts": "100%"}}},
        "agents": {"staff": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
        "faults": [{"name": "away", "at": "15s", "for": "10s", "trunk": "ntt", "fails": "503"}, *faults],
        **changes,
    })  # fmt: skip


def then(trunk: str, **how: object) -> dict[str, object]:
    return {"name": "then", "at": "50s", "for": "30s", "trunk": trunk, **how}


@engines
@pytest.mark.parametrize("passes", ["b2bua", "proxy"])
@pytest.mark.parametrize(
    ("fault", "outcome", "sip", "reason"),
    [
        (then("ntt", fails="503"), Outcome.COMPLETED, 200, ""),
        (then("kddi", fails="503"), Outcome.FAILED, 503, "callback failed"),
        (then("kddi", refuses="100%", answer=603), Outcome.FAILED, 603, "restricted by the carrier"),
    ],
)
def test_a_caller_is_called_back_by_the_trunk_that_the_call_came_by(
    engine: str, passes: str, fault: dict[str, object], outcome: Outcome, sip: int, reason: str
) -> None:
    # The second comes by kddi, is promised a call at 30 and called at 60, when the first, who came by ntt, is done;
    # the third has the agent after that.
    load = callers(Caller(10, talk=50), Caller(20, talk=7), Caller(70, talk=5))
    recorder = played(called_back(passes, fault), load, engine=engine)
    assert [call.trunk for call in in_order(recorder)] == ["ntt", "kddi", "kddi" if fault["trunk"] == "ntt" else "ntt"]
    second = in_order(recorder)[1]
    assert (second.outcome, second.sip, second.reason) == (outcome, sip, reason)
    assert second.callback == pytest.approx(30.0, abs=CLOSE)
    assert outcomes(recorder)[::2] == [Outcome.COMPLETED, Outcome.COMPLETED]


@engines
def test_a_promise_is_not_kept_where_its_trunk_is_full(engine: str) -> None:
    # kddi has one channel: the second, who came by it, is called back at 60, when the third has it.
    load = callers(Caller(10, talk=50), Caller(20, talk=7), Caller(55, talk=30))
    recorder = played(called_back("b2bua", then("ntt", fails="503")), load, engine=engine)
    told = [(call.trunk, call.outcome, call.reason, call.sip) for call in in_order(recorder)]
    full = ("kddi", Outcome.BLOCKED, "kddi", 503)
    assert told == [("ntt", Outcome.COMPLETED, "", 200), full, ("kddi", Outcome.COMPLETED, "", 200)]


@engines
def test_nobody_is_called_back_from_a_queue_that_has_been_cleared(engine: str) -> None:
    desk = {
        "agents": ["staff"], "callback": {"after": "10s", "accepts": "100%"}, "open": "office", "at_closing": "clear"
    }  # fmt: skip
    plan = called_back(
        run={"for": "3m", "warm": False, "start": "2026-11-24 09:00"},
        calendars={"office": {"hours": {"mon-sun": "09:00-09:01"}}},
        queues={"desk": desk},
    )
    recorder = played(plan, callers(Caller(10, talk=80), Caller(30)), engine=engine)
    told = [(call.outcome, call.reason, call.sip) for call in in_order(recorder)]
    assert told == [(Outcome.COMPLETED, "", 200), (Outcome.CLOSED, "closed", 200)]
    assert in_order(recorder)[1].end == pytest.approx(60.0, abs=CLOSE)


LIMITS: dict[str, tuple[str, dict[str, object], int, str]] = {
    "tap": ("numbers", {TOKYO: {"trunk": "ntt", "tap": 1}}, 486, TOKYO),
    "trunk": ("trunks", {"ntt": {"via": "edge", "channels": 1}}, 503, "ntt"),
    "cps": ("sbc_pairs", {"edge": {"site": "tokyo", "ports": 9, "cps": 1}}, 503, "edge cps"),
    "ports": ("sbc_pairs", {"edge": {"site": "tokyo", "ports": 1}}, 503, "edge"),
    "cps and ports": ("sbc_pairs", {"edge": {"site": "tokyo", "ports": 1, "cps": 1}}, 503, "edge cps"),
    "tenant": ("ports", {"tenant": 1}, 486, "tenant"),
}
"""Sections of a drill with room for one call, and what the second hears of whom."""


@pytest.mark.parametrize(
    ("full", "by_calls", "by_packets"),
    [
        (["tap", "trunk"], "tap", "tap"),
        (["trunk", "ports"], "trunk", "trunk"),
        (["tap", "trunk", "ports"], "tap", "tap"),
        (["cps and ports"], "cps", "cps"),
        # What is first on the way is asked first: the carrier, then the node, then the contact centre.
        (["tenant", "tap"], "tenant", "tap"),
        (["tenant", "trunk"], "tenant", "trunk"),
        (["tenant", "ports"], "tenant", "ports"),
        (["cps", "tap"], "cps", "tap"),
        (["cps", "trunk"], "cps", "trunk"),
    ],
)
def test_of_several_limits_that_are_full_the_widest_refuses_or_the_first_on_the_way(
    full: list[str], by_calls: str, by_packets: str
) -> None:
    plan = drill(run={"for": "1m", "warm": False}, **{LIMITS[name][0]: LIMITS[name][1] for name in full})
    for engine, says in (("calls", by_calls), ("packets", by_packets)):
        second = in_order(played(plan, callers(Caller(10, talk=20), Caller(10.5)), engine=engine))[1]
        assert (second.outcome, second.sip, second.reason) == (Outcome.BLOCKED, *LIMITS[says][2:])


@engines
@pytest.mark.parametrize(
    ("fault", "reason", "waiting"), [({"site": "tokyo"}, "edge/1 lost", False), ({"office": "hq"}, "hq lost", True)]
)
def test_what_is_up_at_a_lost_site_or_office_is_cut_off_then_and_agents_are_free_once_people_hang_up(
    engine: str, fault: dict[str, object], reason: str, waiting: bool
) -> None:
    plan = drill(
        run={"for": "5m", "warm": False},
        ports={"tenant": 9},
        offices={"hq": {}},
        numbers={TOKYO: {"trunk": "ntt", "queue": "desk"}},
        queues={"desk": {"agents": ["staff"]}},
        agents={"staff": {"count": 2, "office": "hq", "softphone": {"sites": ["tokyo"]}}},
        traffic=[{"to": TOKYO, "arrivals": "1/s", "talk": "10s", "silence_hangup": "15s"}],
        faults=[{"name": "quake", "at": "30s", "for": "60s", **fault}],
    )
    load = callers(
        Caller(10, 60), Caller(12, 5), Caller(20, 70),  # two talk, one has done so
        Caller(25, 50, patience=30), Caller(28, 20, patience=30),  # two wait
        Caller(200, 10), Caller(201, 12),
    )  # fmt: skip
    recorder = played(plan, load, engine=engine)
    done, cut, gone = Outcome.COMPLETED, Outcome.DROPPED, Outcome.ABANDONED
    left = [gone, gone] if waiting else [cut, cut]
    assert outcomes(recorder) == [cut, done, cut, *left, done, done]
    ended = [call.end for call in in_order(recorder)]
    assert ended == [
        pytest.approx(end, abs=CLOSE) for end in (30, 17, 30, *([55, 58] if waiting else [30, 30]), 210, 213)
    ]
    assert {call.reason for call in recorder.records if call.outcome is cut} == {reason}
    assert [call.wait for call in in_order(recorder)[-2:]] == [pytest.approx(0.0, abs=CLOSE)] * 2
    for limit in ("tenant", "ntt", "edge"):  # all had hung up by 60
        assert recorder.levels(Gauge.PORTS, limit)[80.0] == 0


@engines
def test_a_node_that_goes_on_clears_the_calls_of_a_trunk_that_was_lost_while_it_hung(engine: str) -> None:
    plan = drill(
        run={"for": "2m", "warm": False},
        trunks={name: {"via": "edge", "channels": 9} for name in ("ntt", "kddi")},
        numbers={TOKYO: {"trunk": ["ntt", "kddi"], "queue": "desk"}},
        queues={"desk": {"agents": ["staff"]}},
        agents={"staff": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
        faults=[
            {"name": "hung", "at": "20s", "for": "10s", "pair": "edge", "fails": "active", "how": "hung"},
            {"name": "cut", "at": "25s", "trunk": "ntt"},
        ],
    )
    recorder = played(plan, callers(Caller(10, talk=200), Caller(40, talk=5)), engine=engine)
    told = [(call.trunk, call.outcome, call.reason) for call in in_order(recorder)]
    assert told == [("ntt", Outcome.DROPPED, "ntt lost"), ("kddi", Outcome.COMPLETED, "")]
    assert [call.end for call in in_order(recorder)] == [pytest.approx(end, abs=CLOSE) for end in (25, 45)]


@engines
@pytest.mark.parametrize(
    ("hours", "trouble", "done"),
    [("10:00-11:00", "50s", 60.0), ("10:00-11:00", None, 30.0), ("09:00-11:00", None, None)],
)
def test_a_closed_number_is_verified_if_it_is_the_contact_centre_that_says_so(
    engine: str, hours: str, trouble: str | None, done: float | None
) -> None:
    """Nobody is there to answer: open, the number cannot be verified."""
    plan = drill(
        run={"for": "3m", "warm": False, "start": "2026-11-24 09:00"},
        calendars={"office": {"hours": {"mon-sun": hours}}, "never": {"hours": {"mon-sun": "22:00-23:00"}}},
        numbers={TOKYO: {"trunk": "ntt", "queue": "desk", "open": "office"}},
        queues={"desk": {"agents": ["staff"]}},
        agents={"staff": {"count": 1, "shifts": {"never": 1}, "softphone": {"sites": ["tokyo"]}}},
        runbook=[{"step": "test", "by": "operator", "takes": "30s", "starts": {"at": "0s"}, "does": {"verify": TOKYO}}],
        faults=[] if trouble is None else [{"name": "cut", "at": "0s", "for": trouble, "trunk": "ntt", "fails": "503"}],
    )
    recorder = played(plan, callers(), engine=engine)
    finished = [entry.at for entry in recorder.of(EventKind.STEP_FINISHED)]
    assert finished == ([] if done is None else [pytest.approx(done, abs=CLOSE)])


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


@engines
@pytest.mark.parametrize(("login", "back"), [("0s", 30), ("20s", 120)])
def test_a_small_group_that_was_back_is_so_on_its_way_to_the_other_site_unless_that_takes_time(
    engine: str, login: str, back: float
) -> None:
    """Of three phones none may be missing. They are reachable again at 40, and switched at 110; the fault is at 10."""
    move = {"softphones": "staff", "site": "osaka", "login": login}
    plan = drill(
        run={"for": "3m", "warm": False},
        sites={"tokyo": {"role": "primary"}, "osaka": {}},
        offices={"hq": {}},
        agents={"staff": {"count": 3, "office": "hq", "softphone": {"sites": ["tokyo", "osaka"], "expires": "1h"}}},
        faults=[{"name": "cut", "at": "10s", "office": "hq", "for": "30s"}],
        runbook=[{"step": "move", "by": "agents", "starts": {"at": "100s"}, "takes": "10s", "does": move}],
    )
    recorder = played(plan, callers(), engine=engine)
    asked = Query("softphones_back", (("agents", "staff"),))
    assert folded(Fold(plan, [asked]), recorder.entries).values[asked] == pytest.approx(back, abs=CLOSE)


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
def test_who_slips_is_without_a_phone_until_the_last_switch_though_the_new_site_would_have_taken_it(
    engine: str,
) -> None:
    """Tokyo is lost at 10. Each try takes 10 s from 100 on, and whoever slips at its end needs another."""
    move = {"softphones": "staff", "site": "osaka", "slips": "40%"}
    plan = drill(
        run={"for": "10m", "warm": False},
        sites={"tokyo": {"role": "primary"}, "osaka": {}},
        agents={"staff": {"count": 20, "softphone": {"sites": ["tokyo", "osaka"], "expires": "1h"}}},
        faults=[{"name": "lost", "at": "10s", "site": "tokyo"}],
        runbook=[{"step": "move", "by": "agents", "starts": {"at": "100s"}, "takes": "10s", "does": move}],
    )
    recorder = played(plan, callers(), engine=engine)
    slips = Counter(entry.detail["agent"] for entry in recorder.of(EventKind.STEP_REPEATED))
    back = {entry.detail["agent"]: entry.detail.get("without") for entry in recorder.of(EventKind.REGISTERED)}
    assert len(slips) > 3
    assert len(recorder.of(EventKind.REGISTERED)) == 20
    assert back == pytest.approx({agent: 100 + 10 * (slips[agent] + 1) - 10 for agent in range(20)}, abs=CLOSE)


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
