"""People in the `calls` engine: agents, their phones and the steps of a runbook, computed by hand."""

from math import sqrt

import pytest

from scenarios.evidence import EventKind, Gauge, Outcome
from scenarios.model import Drill
from tests.drills import FREE_DIAL, MOBILE, OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

BOTH = ["tokyo", "osaka"]


def fates(recorder: ListRecorder) -> dict[float, tuple[Outcome, float | None, float]]:
    """Return by start how each call ended, how long it waited, and when."""
    return {each.start: (each.outcome, each.wait, each.end) for each in recorder.records}


def steps(recorder: ListRecorder, kind: EventKind) -> list[tuple[float, str]]:
    return [(entry.at, entry.subject) for entry in recorder.of(kind)]


def staff(count: int, **more: object) -> dict[str, object]:
    return {"staff": {"count": count, "softphone": {"sites": BOTH}, **more}}


def two_sites(*runbook: dict[str, object], **changes: object) -> Drill:
    """Return two sites in service, a queue, two agents in Tokyo, and at 10 s a fault that only starts steps."""
    return drill(
        **{
            "run": {"for": "10m", "warm": False},
            "sites": {"tokyo": {}, "osaka": {}},
            "sbc_pairs": {site: {"site": site, "ports": 50} for site in BOTH},
            "trunks": {
                **{f"ntt-{site}": {"via": site, "channels": 50} for site in BOTH},
                "spare": {"via": "tokyo", "channels": 1},
            },
            "numbers": {
                FREE_DIAL: {"to": TOKYO},
                TOKYO: {"trunk": "ntt-tokyo", "queue": "staff"},
                OSAKA: {"trunk": "ntt-osaka", "queue": "staff"},
            },
            "agents": staff(2),
            "traffic": [{"to": number, "arrivals": "1/m", "talk": "1m"} for number in (TOKYO, OSAKA)],
            "faults": [{"name": "alarm", "at": "10s", "trunk": "spare"}],
            "runbook": list(runbook),
            **changes,
        }
    )


def alarmed(step: str, takes: object, *, by: str = "operator", delay: str = "0s", **more: object) -> dict[str, object]:
    """Return a step that the fault at 10 s sets off, after a delay."""
    return {"step": step, "by": by, "starts": {"after": "alarm", "delay": delay}, "takes": takes, **more}


def switch(site: str = "osaka", takes: object = "10s", step: str = "switch", delay: str = "0s") -> dict[str, object]:
    return alarmed(step, takes, by="agents", delay=delay, does={"softphones": "staff", "site": site})


# Agents and calls


def test_an_agent_answers_the_callers_of_the_site_the_phone_is_at_and_no_others() -> None:
    outcome = fates(played(two_sites(), callers(Caller(20)), callers(Caller(5, patience=60))))
    assert outcome == {20: (Outcome.COMPLETED, 0, 30), 5: (Outcome.ABANDONED, 60, 65)}


def test_wrap_up_keeps_an_agent_from_the_next_call() -> None:
    plan = two_sites(agents=staff(1, wrap_up="15s"))
    recorder = played(plan, callers(Caller(20, talk=20), Caller(25, talk=5)), callers())
    assert fates(recorder) == {20: (Outcome.COMPLETED, 0, 40), 25: (Outcome.COMPLETED, 30, 60)}
    busy = recorder.levels(Gauge.AGENTS_BUSY, "staff")
    assert [busy[at] for at in (10, 30, 50, 70, 80)] == [0, 1, 1, 1, 0]


def test_groups_answer_a_shared_queue_in_the_order_it_names_them() -> None:
    plan = two_sites(
        queues={"line": {"agents": ["experts", "staff"]}},
        numbers={TOKYO: {"trunk": "ntt-tokyo", "queue": "line"}},
        agents={name: {"count": 1, "softphone": {"sites": BOTH}} for name in ("staff", "experts")},
        traffic=[{"to": TOKYO, "arrivals": "1/m", "talk": "1m"}],
    )
    recorder = played(plan, callers(Caller(20), Caller(21), Caller(22)))
    assert {each.start: (each.agents, each.wait) for each in recorder.records} == {
        20: ("experts", 0), 21: ("staff", 0), 22: ("experts", 8),
    }  # fmt: skip


# Softphones by hand


def test_agents_switch_by_hand_those_in_a_call_after_it() -> None:
    """One agent talks until 50: the other moves at 20, this one at 50, and the step is over with the last."""
    recorder = played(
        two_sites(switch()),
        callers(Caller(5, talk=45), Caller(30, patience=100)),
        callers(Caller(25), Caller(26, talk=30), Caller(45)),
    )
    assert fates(recorder) == {
        5: (Outcome.COMPLETED, 0, 50),
        30: (Outcome.ABANDONED, 100, 130),
        25: (Outcome.COMPLETED, 0, 35),
        26: (Outcome.COMPLETED, 9, 65),
        45: (Outcome.COMPLETED, 5, 60),
    }
    moved = [
        (entry.at, entry.detail["agent"], entry.detail["registered"]) for entry in recorder.of(EventKind.REGISTERED)
    ]
    assert moved == [(20, 1, 2), (50, 0, 2)]
    assert steps(recorder, EventKind.STEP_FINISHED) == [(50, "switch")]
    for site, counts in (("tokyo", [2, 1, 0]), ("osaka", [0, 1, 2])):
        phones = recorder.levels(Gauge.SOFTPHONES, site)
        assert [phones[at] for at in (10, 30, 60)] == counts


def test_an_agent_at_work_after_a_call_switches_when_that_is_done() -> None:
    plan = two_sites(switch(), agents=staff(1, wrap_up="15s"))
    recorder = played(plan, callers(Caller(5, talk=10)), callers())
    assert steps(recorder, EventKind.STEP_FINISHED) == [(30, "switch")]


def test_every_agent_takes_a_time_of_their_own_to_switch() -> None:
    plan = two_sites(switch(takes={"uniform": ["10s", "110s"]}), agents=staff(200))
    recorder = played(plan, callers(), callers())
    times = [entry.at - 10 for entry in recorder.of(EventKind.REGISTERED)]
    assert len(times) == 200
    assert abs(sum(times) / 200 - 60) < 4 * 100 / sqrt(12 * 200)
    assert 10 <= min(times) < 15
    assert 105 < max(times) <= 110
    assert steps(recorder, EventKind.STEP_FINISHED) == [(10 + max(times), "switch")]


def test_a_phone_switched_to_a_site_not_yet_in_service_registers_after_its_activation() -> None:
    press = alarmed("button", "0s", delay="90s", does={"activate": "osaka"})
    plan = two_sites(
        switch(),
        press,
        sites={"tokyo": {}, "osaka": {"role": "secondary"}},
        agents={"staff": {"count": 2, "softphone": {"sites": BOTH, "expires": "40s"}}},
    )
    recorder = played(plan, callers(Caller(25, patience=30)), callers(Caller(130)))
    assert fates(recorder) == {25: (Outcome.ABANDONED, 30, 55), 130: (Outcome.COMPLETED, 0, 140)}
    assert steps(recorder, EventKind.STEP_FINISHED) == [(20, "switch"), (100, "button")]
    assert all(100 <= entry.at <= 120 for entry in recorder.of(EventKind.REGISTERED))
    assert len(recorder.of(EventKind.REGISTERED)) == 2


def test_phones_switched_there_and_back_again_answer_where_they_are() -> None:
    plan = two_sites(switch(), switch("tokyo", step="back", delay="50s"))
    recorder = played(
        plan, callers(Caller(15, talk=2), Caller(40), Caller(80)), callers(Caller(30), Caller(75, patience=9))
    )
    assert fates(recorder) == {
        15: (Outcome.COMPLETED, 0, 17),
        30: (Outcome.COMPLETED, 0, 40),
        40: (Outcome.COMPLETED, 30, 80),
        75: (Outcome.ABANDONED, 9, 84),
        80: (Outcome.COMPLETED, 0, 90),
    }


def test_two_switches_that_an_agent_in_a_call_is_told_of_are_both_over_after_it() -> None:
    plan = two_sites(switch(), switch("tokyo", step="back", delay="20s"), agents=staff(1))
    recorder = played(plan, callers(Caller(5, talk=95), Caller(150)), callers())
    assert sorted(steps(recorder, EventKind.STEP_FINISHED)) == [(100, "back"), (100, "switch")]
    assert fates(recorder)[150] == (Outcome.COMPLETED, 0, 160)


# Steps


def test_a_step_that_fails_is_repeated_and_its_tries_are_geometric() -> None:
    slow = alarmed("try", "5s", fails="60%")
    repeats = []
    for replication in range(120):
        recorder = played(two_sites(slow), callers(), callers(), replication=replication)
        ((done, _),) = steps(recorder, EventKind.STEP_FINISHED)
        count = len(recorder.of(EventKind.STEP_REPEATED))
        assert done == 10 + 5 * (count + 1)
        assert len(recorder.of(EventKind.STEP_STARTED)) == 1
        repeats.append(count)
    # mean f / (1 - f), variance f / (1 - f)²
    assert abs(sum(repeats) / 120 - 1.5) < 4 * sqrt(0.6) / 0.4 / sqrt(120)


def test_one_actor_does_one_step_after_another_and_the_delay_runs_beside() -> None:
    book = (alarmed("a", "30s", delay="5s"), alarmed("b", "30s", delay="10s"), alarmed("c", "30s", delay="10s", by="x"))
    recorder = played(two_sites(*book), callers(), callers())
    assert steps(recorder, EventKind.STEP_READY) == [(10, "a"), (10, "b"), (10, "c")]
    assert sorted(steps(recorder, EventKind.STEP_STARTED)) == [(15, "a"), (20, "c"), (45, "b")]
    assert sorted(steps(recorder, EventKind.STEP_FINISHED)) == [(45, "a"), (50, "c"), (75, "b")]


def test_a_test_call_is_repeated_until_it_would_be_answered() -> None:
    """Osaka has a route from the start, but nobody to answer before the phones are switched at 60."""
    test = alarmed("test", "15s", does={"verify": OSAKA})
    recorder = played(two_sites(switch(takes="50s"), test), callers(), callers())
    assert steps(recorder, EventKind.STEP_REPEATED) == [(25, "test"), (40, "test"), (55, "test")]
    assert steps(recorder, EventKind.STEP_FINISHED) == [(60, "switch"), (70, "test")]


@pytest.mark.parametrize(
    ("broken", "tries"),
    [
        ({"name": "cut", "at": "5s", "trunk": "ntt-tokyo", "for": "30s"}, 2),
        ({"name": "dead", "at": "5s", "pair": "tokyo", "for": "30s"}, 2),
        ({"name": "whole", "at": "5s", "site": "osaka"}, 1),
    ],
    ids=["trunk", "pair", "another site"],
)
def test_a_test_call_fails_while_the_way_to_its_number_is_broken(broken: dict[str, object], tries: int) -> None:
    test = alarmed("test", "20s", does={"verify": FREE_DIAL})
    alarm = {"name": "alarm", "at": "10s", "trunk": "spare"}
    recorder = played(two_sites(test, faults=[broken, alarm]), callers(), callers())
    assert steps(recorder, EventKind.STEP_FINISHED) == [(10 + 20 * tries, "test")]


def test_a_test_call_of_no_length_is_not_repeated_without_end_in_one_moment() -> None:
    test = alarmed("test", "0s", does={"verify": OSAKA})
    recorder = played(two_sites(switch(takes="50s"), test), callers(), callers())
    ((done, _),) = [each for each in steps(recorder, EventKind.STEP_FINISHED) if each[1] == "test"]
    assert 60 <= done <= 62


def test_a_number_re_pointed_leads_new_calls_elsewhere_and_leaves_those_in_progress() -> None:
    move = alarmed("re-point", "20s", does={"route": FREE_DIAL, "to": OSAKA})
    plan = two_sites(move, switch(takes="5s"), traffic=[{"to": FREE_DIAL, "arrivals": "1/m", "talk": "1m"}])
    recorder = played(plan, callers(Caller(5, talk=100), Caller(31)))
    ways = {each.start: (each.destination, each.trunk, each.site, each.end) for each in recorder.records}
    assert ways == {5: (TOKYO, "ntt-tokyo", "tokyo", 105), 31: (OSAKA, "ntt-osaka", "osaka", 41)}


def test_terminals_show_their_new_number_once_it_is_changed() -> None:
    change = alarmed("change", "20s", does={"caller_numbers": "staff", "to": TOKYO})
    plan = two_sites(
        change,
        agents=staff(1, caller_number=OSAKA),
        traffic=[{"from": "staff", "to": MOBILE, "arrivals": "1/m", "talk": "1m", "shows": "terminal"}],
    )
    recorder = played(plan, callers(Caller(29), Caller(31)))
    assert {each.start: (each.number, each.outcome, each.reason, each.sip) for each in recorder.records} == {
        29: (OSAKA, Outcome.FAILED, "caller number not usable", 403),
        31: (TOKYO, Outcome.COMPLETED, "", 200),
    }


# Outbound work


def outbound(**changes: object) -> Drill:
    return two_sites(
        **{
            "agents": staff(1),
            "default_caller": TOKYO,
            "traffic": [
                {"to": TOKYO, "arrivals": "1/m", "talk": "1m", "silence_hangup": "1s"},
                {"from": "staff", "to": MOBILE, "arrivals": "1/m", "talk": "1m"},
            ],
            **changes,
        }
    )


def test_outbound_work_waits_for_an_agent_and_after_inbound_calls() -> None:
    recorder = played(outbound(), callers(Caller(10, talk=20), Caller(20, talk=15)), callers(Caller(15, talk=5)))
    assert fates(recorder) == {
        10: (Outcome.COMPLETED, 0, 30),
        20: (Outcome.COMPLETED, 10, 45),
        45: (Outcome.COMPLETED, 0, 50),  # wanted from 15 on
    }


def test_a_failed_outbound_call_sets_its_agent_free_for_the_next() -> None:
    recorder = played(outbound(default_caller=None), callers(Caller(20)), callers(Caller(10), Caller(11)))
    assert {each.start: each.outcome for each in recorder.records} == {
        10: Outcome.FAILED, 11: Outcome.FAILED, 20: Outcome.COMPLETED,
    }  # fmt: skip


def test_much_work_that_fails_at_once_ends_in_the_same_moment() -> None:
    work = [Caller(11 + i / 1000, patience=500) for i in range(2000)]
    recorder = played(outbound(default_caller=None), callers(Caller(10, talk=20)), callers(*work))
    assert {each.end for each in recorder.records} == {30}


def test_an_agent_who_dials_a_silent_pair_is_held_until_it_answers_or_timer_b() -> None:
    silent = outbound(
        sbc_pairs={
            "tokyo": {"site": "tokyo", "ports": 9, "detect": {"by": "options", "every": "10ms", "timeout": "3s"}},
            "osaka": {"site": "osaka", "ports": 9},
        },
        faults=[{"name": "node", "at": "100s", "pair": "tokyo", "fails": "active"}],
    )
    recorder = played(silent, callers(Caller(102.5, talk=20)), callers(Caller(101, talk=20)))
    times = {each.start: (each.setup, each.wait, each.end) for each in recorder.records}
    # sent at 101, .5, 102.5, 104.5; the caller of 102.5 reaches the queue at 103 + and waits for that agent
    assert times == {101: (3.5, 0, 124.5), 102.5: (1.5, 20.5, 144.5)}


def test_work_that_waited_for_an_agent_is_sent_and_sent_again_from_when_it_was_dialled() -> None:
    """The agent is free at 101, during the silence of 100 to 103: the INVITE goes out at 101, .5, 102.5, 104.5."""
    silent = outbound(
        sbc_pairs={
            "tokyo": {"site": "tokyo", "ports": 9, "detect": {"by": "options", "every": "10ms", "timeout": "3s"}},
            "osaka": {"site": "osaka", "ports": 9},
        },
        faults=[{"name": "node", "at": "100s", "pair": "tokyo", "fails": "active"}],
    )
    recorder = played(silent, callers(Caller(10, talk=91)), callers(Caller(40, talk=20)))
    (call,) = (each for each in recorder.records if each.direction == "out")
    assert (call.start, call.setup, call.talk, call.end) == (101, 3.5, 20, 124.5)
    assert [entry.at for entry in recorder.entries] == sorted(entry.at for entry in recorder.entries)


def test_work_that_waited_for_an_agent_longer_than_patience_allows_for_dialling_ends_in_time() -> None:
    dead = outbound(faults=[{"name": "pair", "at": "100s", "pair": "tokyo"}])
    recorder = played(dead, callers(Caller(10, talk=91)), callers(Caller(40, patience=65)))
    (call,) = (each for each in recorder.records if each.direction == "out")
    assert (call.outcome, call.start, call.end) == (Outcome.FAILED, 101, 105)
