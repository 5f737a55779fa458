"""Which number leads where, as callers meet it: free dial, forwarding, announcements and test calls, in each engine."""

import pytest

from scenarios.evidence import CallRecord, EventKind, Gauge, Outcome
from scenarios.model import Drill
from sim.draws import Draws
from tests.drills import ENGINES, FREE_DIAL, MOBILE, OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

IP_PHONE = "050-3123-4567"
DONE, FAILED, BLOCKED = Outcome.COMPLETED, Outcome.FAILED, Outcome.BLOCKED

engines = pytest.mark.parametrize("engine", ENGINES)


def plan(**changes: object) -> Drill:
    """Return two sites in service, each with a trunk and a number whose far side answers at once."""
    return drill(
        **{
            "run": {"for": "100s", "warm": False},
            "sites": {"tokyo": {}, "osaka": {}},
            "sbc_pairs": {site: {"site": site, "ports": 50} for site in ("tokyo", "osaka")},
            "trunks": {f"ntt-{site}": {"via": site, "channels": 50} for site in ("tokyo", "osaka")},
            "numbers": {TOKYO: {"trunk": "ntt-tokyo"}, OSAKA: {"trunk": "ntt-osaka"}},
            **changes,
        }
    )


def at(second: int, does: dict[str, object], step: str = "act", takes: str = "0s") -> dict[str, object]:
    return {"step": step, "by": "somebody", "starts": {"at": f"{second}s"}, "takes": takes, "does": does}


def in_order(recorder: ListRecorder) -> list[CallRecord]:
    return sorted(recorder.records, key=lambda call: call.attempt)


def told(recorder: ListRecorder) -> list[tuple[Outcome, int, str]]:
    return [(call.outcome, call.sip, call.trunk) for call in in_order(recorder)]


# Behind a free dial number.


@engines
@pytest.mark.parametrize(
    ("service", "outcome"),
    [
        ("free-dial", (FAILED, 403, "")),
        ("free-dial-intelligent", (DONE, 200, "ntt-osaka")),
        ("other", (DONE, 200, "ntt-osaka")),
    ],
)
def test_z17_calls_fail_once_a_plain_free_dial_number_is_pointed_at_050(
    engine: str, service: str, outcome: tuple[Outcome, int, str]
) -> None:
    scene = plan(
        numbers={
            FREE_DIAL: {"to": TOKYO, "service": service},
            TOKYO: {"trunk": "ntt-tokyo"},
            IP_PHONE: {"trunk": "ntt-osaka"},
        },
        traffic=[{"to": FREE_DIAL, "arrivals": "1/s", "talk": "5s"}],
        runbook=[at(20, {"route": FREE_DIAL, "to": IP_PHONE}), at(40, {"route": FREE_DIAL, "to": TOKYO}, "back")],
    )
    recorder = played(scene, callers(Caller(10, 5), Caller(30, 5), Caller(50, 5)), engine=engine)
    fine = (DONE, 200, "ntt-tokyo")
    assert told(recorder) == [fine, outcome, fine]
    if outcome[0] is FAILED:
        assert in_order(recorder)[1].reason == "050 behind a plain free dial number"


@engines
def test_z17_a_test_call_there_never_comes_through(engine: str) -> None:
    scene = plan(
        numbers={FREE_DIAL: {"to": IP_PHONE}, IP_PHONE: {"trunk": "ntt-osaka"}},
        runbook=[at(20, {"verify": FREE_DIAL}, takes="10s")],
        traffic=[{"to": IP_PHONE, "arrivals": "1/s", "talk": "5s"}],
    )
    recorder = played(scene, callers(Caller(30, 5)), engine=engine)
    assert [round(entry.at) for entry in recorder.of(EventKind.STEP_REPEATED)] == [30, 40, 50, 60, 70, 80, 90]
    assert told(recorder) == [(DONE, 200, "ntt-osaka")], "050 itself works"


# Carrier forwarding.


def forwarding(channels: int, **changes: object) -> Drill:
    """Return a plan whose line is lost at 20 s and forwarded at 40 s."""
    return plan(
        numbers={TOKYO: {"trunk": "ntt-tokyo", "voice_warp": {"channels": channels}}, OSAKA: {"trunk": "ntt-osaka"}},
        faults=[{"name": "lost", "at": "20s", "site": "tokyo"}],
        runbook=[at(40, {"forward": TOKYO, "to": OSAKA})],
        **changes,
    )


@engines
def test_z39_the_carrier_forwards_though_the_site_is_lost(engine: str) -> None:
    recorder = played(forwarding(9), callers(Caller(10, 5), Caller(30, 5), Caller(50, 5)), engine=engine)
    assert told(recorder) == [(DONE, 200, "ntt-tokyo"), (FAILED, 408, "ntt-tokyo"), (DONE, 200, "ntt-osaka")]
    assert in_order(recorder)[2].number == TOKYO
    assert in_order(recorder)[2].destination == OSAKA


@engines
def test_j3_no_more_calls_at_the_same_time_than_channels_are_contracted(engine: str) -> None:
    #                                    two channels: 45–65, 50–60; refused at 55; free again at 61
    load = callers(Caller(45, 20), Caller(50, 10), Caller(55, 5), Caller(61, 5), Caller(62, 5))
    recorder = played(forwarding(2), load, engine=engine)
    assert [call.outcome for call in in_order(recorder)] == [DONE, DONE, BLOCKED, DONE, BLOCKED]
    assert {(call.reason, call.sip) for call in recorder.records if call.outcome is BLOCKED} == {
        (f"{TOKYO} voice warp", 486)
    }
    assert max(recorder.levels(Gauge.PORTS, f"{TOKYO} voice warp").values()) == 2


@engines
def test_j3_the_channels_count_forwarded_calls_alone(engine: str) -> None:
    scene = forwarding(1, traffic=[{"to": to, "arrivals": "1/s", "talk": "5s"} for to in (TOKYO, OSAKA)])
    recorder = played(
        scene, callers(Caller(5, 12), Caller(6, 12), Caller(50, 20)), callers(Caller(51, 5), Caller(52, 5)),
        engine=engine,
    )  # fmt: skip
    assert [call.outcome for call in in_order(recorder)] == [DONE] * 5


@engines
def test_calls_out_that_show_a_forwarded_number_are_not_forwarded(engine: str) -> None:
    scene = plan(
        numbers={TOKYO: {"trunk": "ntt-tokyo", "voice_warp": {"channels": 1}}, OSAKA: {"trunk": "ntt-osaka", "tap": 1}},
        default_caller=TOKYO,
        agents={"desk": {"count": 2, "softphone": {"sites": ["tokyo"]}}},
        traffic=[{"from": "desk", "to": MOBILE, "arrivals": "1/s", "talk": "5s", "shows": "default"}],
        runbook=[at(20, {"forward": TOKYO, "to": OSAKA})],
    )
    recorder = played(scene, callers(Caller(10, 5), Caller(30, 5), Caller(31, 5)), engine=engine)
    assert told(recorder) == [(DONE, 200, "ntt-tokyo")] * 3


# An announcement.


def announcing(*shares: str) -> Drill:
    """Return a plan whose line is lost at 20 s, and whose new number is announced at 40 s, again at 60 s …"""
    return plan(
        faults=[{"name": "lost", "at": "20s", "trunk": "ntt-tokyo"}],
        runbook=[
            at(40 + 20 * n, {"announce": TOKYO, "to": OSAKA, "reaches": share}, f"tell {n}")
            for n, share in enumerate(shares)
        ],
    )


@engines
@pytest.mark.parametrize(("share", "dialled"), [("100%", OSAKA), ("0%", TOKYO)])
def test_z20_whoever_hears_of_the_new_number_dials_it_and_the_others_fail(
    engine: str, share: str, dialled: str
) -> None:
    load = callers(Caller(10, 5), Caller(30, 5, again=(5, 15)), Caller(60, 5))
    recorder = played(announcing(share), load, engine=engine)
    after = DONE if dialled == OSAKA else FAILED
    assert [(round(call.start), call.number, call.outcome) for call in sorted(recorder.records)] == [
        (10, TOKYO, DONE), (30, TOKYO, FAILED), (35, TOKYO, FAILED), (50, dialled, after), (60, dialled, after),
    ]  # fmt: skip


def test_z20_it_is_the_same_callers_in_each_engine_and_each_of_them_for_good() -> None:
    many = [Caller(41 + n / 10, 1, again=(2.0,)) for n in range(400)]
    records = {engine: played(announcing("40%"), callers(*many), engine=engine).records for engine in ENGINES}
    heard = {
        engine: sorted(round(call.start, 1) for call in found if call.number == OSAKA)
        for engine, found in records.items()
    }
    assert heard["calls"] == heard["packets"]
    draws = Draws(1, 0).uniforms(f"in>{TOKYO}#0:hears")
    assert heard["calls"] == [round(caller.at, 1) for caller in many if next(draws) < 0.4]
    assert len(heard["calls"]) == pytest.approx(160, abs=40), "four standard deviations"
    for found in records.values():
        assert {call.number for call in found if call.tries == 2} == {TOKYO}, (
            "who has not heard does not the second time"
        )


@engines
def test_z20_a_later_announcement_reaches_those_whom_the_first_did_not(engine: str) -> None:
    many = [Caller(float(n), 0.5) for n in range(41, 100)]
    recorder = played(announcing("40%", "70%"), callers(*many), engine=engine)
    draws = Draws(1, 0).uniforms(f"in>{TOKYO}#0:hears")
    expected = [OSAKA if next(draws) < (0.4 if caller.at < 60 else 0.7) else TOKYO for caller in many]
    assert [call.number for call in in_order(recorder)] == expected


# Test calls out.


def tried_out(*runbook: dict[str, object], own: str | None = None, default: str = TOKYO) -> Drill:
    """Return a plan whose agents' phones move to Osaka at 10 s, and are tested every 10 s from 30 s on."""
    return plan(
        default_caller=default,
        agents={
            "desk": {
                "count": 2,
                "softphone": {"sites": ["tokyo", "osaka"]},
                **({} if own is None else {"caller_number": own}),
            }
        },
        runbook=[
            at(10, {"softphones": "desk", "site": "osaka"}, "move"),
            at(20, {"verify_out": "desk", "to": MOBILE}, "test", takes="10s"),
            *runbook,
        ],
    )


def repeated(scene: Drill, engine: str) -> tuple[int, int | None]:
    """Return how many tests fail, and when one has succeeded."""
    recorder = played(scene, callers(), engine=engine)
    done = [round(entry.at) for entry in recorder.of(EventKind.STEP_FINISHED) if entry.subject == "test"]
    assert not recorder.records, "a test call is none of the callers' calls"
    return len(recorder.of(EventKind.STEP_REPEATED)), done[0] if done else None


@engines
def test_z40_a_test_fails_until_the_default_number_is_changed(engine: str) -> None:
    assert repeated(tried_out(), engine) == (7, None)
    changed = tried_out({**at(45, {"default_caller": OSAKA}, "change"), "by": "another"})
    assert repeated(changed, engine) == (2, 50)
    assert repeated(tried_out(default=OSAKA), engine) == (0, 30)


@engines
def test_z40_and_until_the_terminals_own_number_is(engine: str) -> None:
    assert repeated(tried_out(own=TOKYO, default=OSAKA), engine) == (7, None)
    changed = {**at(45, {"caller_numbers": "desk", "to": OSAKA}, "change"), "by": "another"}
    assert repeated(tried_out(changed, own=TOKYO, default=OSAKA), engine) == (2, 50)


@engines
def test_z40_without_a_default_number_or_a_phone_no_test_succeeds(engine: str) -> None:
    scene = tried_out()
    assert repeated(scene.model_copy(update={"default_caller": None}), engine) == (7, None)
    gone = scene.model_copy(
        update={"sites": {**scene.sites, "osaka": scene.sites["osaka"].model_copy(update={"role": "secondary"})}}
    )
    assert repeated(gone.model_copy(update={"default_caller": OSAKA}), engine) == (7, None)


@engines
def test_z40_nor_by_a_trunk_that_is_lost(engine: str) -> None:
    scene = tried_out(default=OSAKA)
    lost = plan(faults=[{"name": "cut", "at": "15s", "for": "40s", "trunk": "ntt-osaka"}]).faults
    assert repeated(scene.model_copy(update={"faults": lost}), engine) == (3, 60)


@engines
def test_z40_a_test_that_is_answered_is_hung_up(engine: str) -> None:
    recorder = played(tried_out(default=OSAKA), callers(), engine=engine)
    ports = [sample for sample in recorder.samples if sample.gauge is Gauge.PORTS and sample.at > 40.0]
    assert {sample.name for sample in ports} >= {"ntt-osaka"}
    assert [sample for sample in ports if sample.value] == []
