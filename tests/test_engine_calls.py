"""Limits, callers and determinism in the `calls` engine, each in a drill of a few calls."""

import pytest

from scenarios.evidence import CallRecord, EventKind, Gauge, Outcome
from scenarios.model import Drill
from tests.drills import FREE_DIAL, MOBILE, TOKYO, Caller, ListRecorder, callers, drill, played

COMPLETED, BLOCKED, FAILED, ABANDONED = Outcome.COMPLETED, Outcome.BLOCKED, Outcome.FAILED, Outcome.ABANDONED


def by_start(recorder: ListRecorder) -> dict[float, CallRecord]:
    return {record.start: record for record in recorder.records}


# Limits


def full_house(**changes: object) -> Drill:
    """Return a plan with one port of every limit, so that a test can widen all but one."""
    return drill(
        **{
            "sbc_pairs": {"edge": {"site": "tokyo", "ports": 9}},
            "trunks": {"ntt": {"via": "edge", "channels": 9}},
            "numbers": {FREE_DIAL: {"to": TOKYO, "tap": 9}, TOKYO: {"trunk": "ntt", "tap": 9}},
            "ports": {"tenant": 9, "outbound": 9},
            "agents": {"staff": {"count": 5, "softphone": {"sites": ["tokyo"]}}},
            "default_caller": TOKYO,
            "traffic": [
                {"to": FREE_DIAL, "arrivals": "1/m", "talk": "1m"},
                {"from": "staff", "to": MOBILE, "arrivals": "1/m", "talk": "1m"},
            ],
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("changes", "inbound", "outbound"),
    [
        ({"ports": {"tenant": 1}}, ("tenant", 486), ("tenant", 486)),
        ({"ports": {"outbound": 1}}, ("", 200), ("outbound", 503)),
        ({"numbers": {FREE_DIAL: {"to": TOKYO, "tap": 1}, TOKYO: {"trunk": "ntt"}}}, (FREE_DIAL, 486), ("", 200)),
        ({"numbers": {FREE_DIAL: {"to": TOKYO}, TOKYO: {"trunk": "ntt", "tap": 1}}}, (TOKYO, 486), (TOKYO, 486)),
        ({"trunks": {"ntt": {"via": "edge", "channels": 1}}}, ("ntt", 503), ("ntt", 503)),
        ({"sbc_pairs": {"edge": {"site": "tokyo", "ports": 1}}}, ("edge", 503), ("edge", 503)),
    ],
    ids=["tenant", "outbound", "tap of the number dialled", "tap of the number behind", "trunk", "node"],
)
def test_a_second_call_is_refused_by_the_one_limit_that_is_full(
    changes: dict[str, object], inbound: tuple[str, int], outbound: tuple[str, int]
) -> None:
    two = (Caller(1), Caller(2))
    for streams, refusal in (((callers(*two), callers()), inbound), ((callers(), callers(*two)), outbound)):
        second = by_start(played(full_house(**changes), *streams))[2]
        assert (second.reason, second.sip) == refusal


def test_inbound_and_outbound_calls_share_the_ports_of_the_contract() -> None:
    recorder = played(full_house(ports={"tenant": 1}), callers(Caller(1), Caller(20)), callers(Caller(2), Caller(19)))
    assert {start: call.outcome for start, call in by_start(recorder).items()} == {
        1: COMPLETED,
        2: BLOCKED,
        19: COMPLETED,
        20: BLOCKED,
    }


def test_a_call_is_let_in_as_soon_as_another_has_ended() -> None:
    recorder = played(drill(ports={"tenant": 1}), callers(Caller(10, talk=20), Caller(29.5), Caller(30.5)))
    assert [by_start(recorder)[start].outcome for start in (10, 29.5, 30.5)] == [COMPLETED, BLOCKED, COMPLETED]


# Callers


def test_patience_covers_set_up_and_queue_together() -> None:
    plan = drill(
        sbc_pairs={
            "edge": {"site": "tokyo", "ports": 9, "detect": {"by": "options", "every": "10ms", "timeout": "3s"}}
        },
        numbers={TOKYO: {"trunk": "ntt", "queue": "staff"}},
        agents={"staff": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
        faults=[{"name": "node-dies", "at": "100s", "pair": "edge", "fails": "active"}],
    )
    call = by_start(played(plan, callers(Caller(50, talk=100), Caller(100.25, patience=8))))[100.25]
    assert (call.setup, call.wait, call.end, call.outcome) == (3.5, 4.5, 108.25, ABANDONED)


def test_a_caller_tries_as_often_as_ready_to_and_waits_each_pause() -> None:
    plan = drill(numbers={TOKYO: {}}, traffic=[{"to": TOKYO, "arrivals": "1/m", "talk": "1m"}])
    outcome = played(plan, callers(Caller(10, again=[5, 7, 11])))
    assert [(each.start, each.tries, each.final, each.caller) for each in outcome.records] == [
        (10, 1, False, 0), (15, 2, False, 0), (22, 3, False, 0), (33, 4, True, 0),
    ]  # fmt: skip
    assert {(each.outcome, each.reason, each.sip) for each in outcome.records} == {
        (FAILED, "number not in service", 404)
    }


def test_a_caller_who_got_through_does_not_call_again() -> None:
    assert len(played(drill(), callers(Caller(10, again=[5, 5]))).records) == 1


def test_timer_b_ends_an_attempt_of_a_patient_caller_and_patience_one_of_a_hasty_one() -> None:
    plan = drill(faults=[{"name": "lost", "at": "100s", "site": "tokyo"}])
    recorder = played(plan, callers(Caller(110), Caller(120, patience=32), Caller(130, patience=31.75)))
    assert {call.start: (call.end, call.sip) for call in recorder.records} == {
        110: (142, 408),
        120: (152, 408),
        130: (161.75, 487),
    }


@pytest.mark.parametrize("start", [0.13, 0.71, 1.3])
def test_no_caller_waits_longer_than_patience_whatever_the_decimals(start: float) -> None:
    """Times that are no binary fractions: the moment patience ends must not be missed by a rounding."""
    plan = drill(
        sbc_pairs={
            "edge": {"site": "tokyo", "ports": 500, "detect": {"by": "options", "every": "7ms", "timeout": "3.3s"}}
        },
        numbers={TOKYO: {"trunk": "ntt", "queue": "staff"}},
        agents={"staff": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
        faults=[{"name": "node-dies", "at": "100ms", "pair": "edge", "fails": "active"}],
    )
    many = [Caller(start + i * 0.007, talk=1000, patience=23.1 + i * 0.0713) for i in range(200)]
    left = by_start(played(plan, callers(Caller(0.05, talk=1000), *many)))
    assert [left[caller.at].outcome for caller in many] == [ABANDONED] * len(many)
    for caller in many:
        assert left[caller.at].end == pytest.approx(caller.at + caller.patience)


def test_calls_up_at_the_start_of_a_warm_run_have_a_negative_start_and_those_over_before_are_left_out() -> None:
    plan = drill(run={"for": "100s", "warm": True}, traffic=[{"to": TOKYO, "arrivals": "1/s", "talk": "50s"}])
    recorder = played(
        plan, callers(Caller(-90, talk=89), Caller(-60, talk=70), Caller(-5, talk=7), Caller(99.5, talk=1))
    )
    assert [(each.start, each.end) for each in recorder.records] == [(-5, 2), (-60, 10), (99.5, 100)]
    assert recorder.levels(Gauge.PORTS, "edge")[0.0] == 2
    assert min(each.at for each in recorder.samples) == 0


# Determinism


def busy_day(**changes: object) -> Drill:
    """Return a plan in which every kind of draw is made."""
    return full_house(
        run={"for": "15m", "warm": True},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 30}},
        trunks={"ntt": {"via": "edge", "channels": 40}},
        numbers={TOKYO: {"trunk": "ntt", "queue": "staff"}},
        ports={"tenant": 25},
        agents={
            "staff": {"count": 12, "softphone": {"sites": ["tokyo"]}, "wrap_up": {"exponential": "10s"}},
        },
        traffic=[
            {
                "to": TOKYO,
                "arrivals": "12/m",
                "talk": {"lognormal": {"mean": "1m", "cv": 1.2}},
                "patience": {"exponential": "30s"},
                "retry": {"share": "70%", "after": {"exponential": "20s"}},
                "surge": {"at": "lost", "factor": 2, "for": "3m"},
            },
            {"from": "staff", "to": MOBILE, "arrivals": "2/m", "talk": {"exponential": "40s"}, "patience": "1m"},
        ],
        faults=[
            {"name": "node", "at": "3m", "pair": "edge", "fails": "active", "for": "1m"},
            {"name": "lost", "at": "6m", "site": "tokyo", "for": "2m"},
        ],
        runbook=[
            {
                "step": "look",
                "by": "operator",
                "starts": {"after": "lost", "delay": {"exponential": "30s"}},
                "takes": {"triangular": ["10s", "20s", "60s"]},
                "fails": "30%",
            }
        ],
        **changes,
    )


def evidence(recorder: ListRecorder) -> tuple[object, ...]:
    return recorder.records, recorder.entries, recorder.samples


def test_the_same_arguments_give_the_same_evidence_to_the_last_bit() -> None:
    assert evidence(played(busy_day(), seed=3, replication=2)) == evidence(played(busy_day(), seed=3, replication=2))


def test_another_seed_or_replication_gives_other_calls_takeovers_and_steps() -> None:
    def fates(recorder: ListRecorder) -> tuple[object, ...]:
        (taken, *_), (done, *_) = recorder.of(EventKind.TAKEOVER), recorder.of(EventKind.STEP_FINISHED)
        return [each.start for each in recorder.records], taken.detail["outage"], done.at

    first, seeded, replicated = (fates(played(busy_day(), seed=s, replication=k)) for s, k in ((3, 2), (4, 2), (3, 3)))
    for one, other in ((first, seeded), (first, replicated), (seeded, replicated)):
        assert all(mine != theirs for mine, theirs in zip(one, other, strict=True))
