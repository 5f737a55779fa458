"""Hours, shifts and actors off duty in the `calls` engine, computed by hand."""

from collections.abc import Mapping
from typing import Any

import pytest

from scenarios.evidence import EventKind, Gauge, Outcome
from scenarios.model import Drill
from tests.drills import MOBILE, TOKYO, Caller, ListRecorder, callers, drill, played

START = "2026-11-24 09:00"
"""A Tuesday."""


def calendars(**hours: str) -> dict[str, Any]:
    """Return calendars of one window each, on every day."""
    return {name: {"hours": {"mon-sun": window}} for name, window in hours.items()}


def plan(start: str = START, warm: bool = False, **changes: Any) -> Drill:
    return drill(run={"for": "10m", "warm": warm, "start": start}, **changes)


def staffed(queue: dict[str, object] | None = None, count: int = 1, **changes: Any) -> Drill:
    """Return a queue in front of agents, open for the first two minutes."""
    sections: dict[str, Any] = {
        "calendars": calendars(office="09:00-09:02"),
        "numbers": {TOKYO: {"trunk": "ntt", "queue": "line"}},
        "queues": {"line": {"agents": ["staff"], "open": "office", **(queue or {})}},
        "agents": {"staff": {"count": count, "softphone": {"sites": ["tokyo"]}}},
    }
    return plan(**{**sections, **changes})


def fates(recorder: ListRecorder) -> dict[float, tuple[object, ...]]:
    """Return by start: outcome, final response, wait, end."""
    return {each.start: (each.outcome, each.sip, each.wait, each.end) for each in recorder.records}


def said(recorder: ListRecorder, *kinds: EventKind) -> list[tuple[float, str]]:
    return [(entry.at, entry.subject) for entry in recorder.of(*kinds)]


# Numbers and queues


def test_a_number_is_answered_from_its_first_minute_to_before_its_last_and_nobody_tries_again() -> None:
    hours = plan(
        calendars=calendars(office="09:01-09:03"),
        numbers={TOKYO: {"trunk": "ntt", "open": "office"}},
        ports={"tenant": 1},
    )
    redials = [Caller(at, talk=5, again=[1, 1]) for at in (10, 59, 60, 70, 179, 180, 300)]
    recorder = played(hours, callers(*redials))
    closed = {at: (Outcome.CLOSED, 480, None, at) for at in (10, 59, 180, 300)}
    assert fates(recorder) == closed | {at: (Outcome.COMPLETED, 200, 0, at + 5) for at in (60, 70, 179)}
    assert {each.reason for each in recorder.records if each.outcome is Outcome.CLOSED} == {"closed"}
    assert all(each.final for each in recorder.records)
    ports = recorder.levels(Gauge.PORTS, "tenant")
    assert (ports[20], ports[70]) == (0, 1), "an announcement holds no port"
    assert said(recorder, EventKind.OPENED) == [(60, TOKYO)]
    assert said(recorder, EventKind.CLOSED) == [(180, TOKYO)]


def test_the_hours_are_those_of_the_time_zone() -> None:
    def first_call(**run: object) -> Outcome:
        numbers = {TOKYO: {"trunk": "ntt", "open": "office"}}
        hours = drill(
            run={"for": "10m", "warm": False, **run}, calendars=calendars(office="09:00-18:00"), numbers=numbers
        )
        return played(hours, callers(Caller(10))).records[0].outcome

    assert first_call(start="2026-11-24 12:00") is Outcome.COMPLETED
    assert first_call(start="2026-11-24 08:00", timezone="Europe/Berlin") is Outcome.CLOSED


def test_by_night_a_trunk_that_is_lost_is_lost_and_not_closed() -> None:
    hours = plan(
        calendars=calendars(office="10:00-18:00"),
        numbers={TOKYO: {"trunk": "ntt", "open": "office"}},
        faults=[{"name": "cut", "at": "1m", "trunk": "ntt"}],
    )
    recorder = played(hours, callers(Caller(10), Caller(70)))
    assert fates(recorder) == {10: (Outcome.CLOSED, 480, None, 10), 70: (Outcome.FAILED, 503, None, 70)}
    assert said(recorder, EventKind.EFFECT) == [(70, "cut")]


def test_a_closed_number_is_closed_by_each_of_its_trunks() -> None:
    hours = plan(
        calendars=calendars(office="10:00-18:00"),
        trunks={"ntt": {"via": "edge", "channels": 9}, "spare": {"via": "edge", "channels": 9}},
        numbers={TOKYO: {"trunk": ["ntt", "spare"], "open": "office"}},
    )
    (record,) = played(hours, callers(Caller(10))).records
    assert (record.outcome, record.sip, record.trunk) == (Outcome.CLOSED, 480, "spare")


def test_the_hours_of_a_number_are_not_those_of_the_calls_that_show_it() -> None:
    hours = plan(
        calendars=calendars(office="10:00-18:00"),
        numbers={TOKYO: {"trunk": "ntt", "open": "office"}},
        default_caller=TOKYO,
        agents={"staff": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
        traffic=[{"from": "staff", "to": MOBILE, "arrivals": "1/m", "talk": "1m"}],
    )
    assert fates(played(hours, callers(Caller(10)))) == {10: (Outcome.COMPLETED, 200, 0, 20)}


WAITING = [Caller(10, talk=200), Caller(100, talk=5), Caller(130)]


def test_those_who_wait_when_a_queue_closes_are_served() -> None:
    assert fates(played(staffed(), callers(*WAITING))) == {
        10: (Outcome.COMPLETED, 200, 0, 210),
        100: (Outcome.COMPLETED, 200, 110, 215),
        130: (Outcome.CLOSED, 480, None, 130),
    }


@pytest.mark.parametrize(("answers", "sip"), [(True, 200), (False, 480)])
def test_or_they_are_cleared_where_the_queue_says_so(answers: bool, sip: int) -> None:
    cleared = staffed({"at_closing": "clear", "answers": answers})
    recorder = played(cleared, callers(Caller(10, talk=200), Caller(100, again=[1])))
    assert fates(recorder) == {10: (Outcome.COMPLETED, 200, 0, 210), 100: (Outcome.CLOSED, sip, 20, 120)}
    assert recorder.levels(Gauge.PORTS, "ntt")[140] == 1, "the cleared call holds no port any more"
    assert recorder.levels(Gauge.WAITING, "line")[130] == 0


def test_those_who_were_promised_a_call_are_not_called_back_from_a_cleared_queue() -> None:
    cleared = staffed({"at_closing": "clear", "callback": {"after": "30s", "accepts": "100%"}})
    recorder = played(cleared, callers(Caller(10, talk=200), Caller(50)))
    assert fates(recorder)[50][0] is Outcome.CLOSED
    assert fates(recorder)[50][3] == 120


def test_an_ivr_answers_by_night_too_and_then_says_that_it_is_closed() -> None:
    menu = staffed({"ivr": {"takes": "30s"}})
    recorder = played(menu, callers(Caller(10), Caller(95), Caller(300)))
    assert fates(recorder) == {
        10: (Outcome.COMPLETED, 200, 0, 50),
        95: (Outcome.CLOSED, 200, 0, 125),
        300: (Outcome.CLOSED, 200, 0, 330),
    }
    assert {each.queue for each in recorder.records if each.outcome is Outcome.CLOSED} == {""}
    assert recorder.levels(Gauge.PORTS, "ntt")[320] == 1, "the menu holds a port"


# Shifts

SHIFTS = calendars(early="08:00-09:02", late="09:02-22:00", night="23:00-07:00")


def on_shifts(early: int = 1, late: int = 1, night: int = 0, **changes: Any) -> Drill:
    heads = {name: count for name, count in (("early", early), ("late", late), ("night", night)) if count}
    softphone = {"sites": ["tokyo"]}
    agents = {"staff": {"count": early + late + night, "shifts": heads, "softphone": softphone}}
    return staffed({"open": None}, calendars=SHIFTS, **{"agents": agents, **changes})


def test_an_agent_finishes_the_call_after_the_end_of_the_shift_and_leaves_then() -> None:
    recorder = played(
        on_shifts(), callers(Caller(10, talk=200), Caller(20, talk=50), Caller(125, talk=30), Caller(180))
    )
    assert fates(recorder) == {
        10: (Outcome.COMPLETED, 200, 0, 210),
        20: (Outcome.COMPLETED, 200, 100, 170),  # until the late shift comes at 120
        125: (Outcome.COMPLETED, 200, 45, 200),
        180: (Outcome.COMPLETED, 200, 20, 210),  # the early agent is free at 210 too, and gone
    }
    assert [(entry.at, entry.detail["on_duty"]) for entry in recorder.of(EventKind.SHIFT)] == [(120, 0), (120, 1)]
    on_duty = recorder.levels(Gauge.ON_DUTY, "staff")
    assert (on_duty[0], on_duty[110], on_duty[130]) == (1, 1, 1)
    busy = recorder.levels(Gauge.AGENTS_BUSY, "staff")
    assert (busy[110], busy[130], busy[220]) == (1, 2, 0)
    assert recorder.of(EventKind.REGISTERED, EventKind.UNREGISTERED) == [], "phones stay registered"


def test_an_idle_agent_leaves_at_the_end_of_the_shift() -> None:
    recorder = played(on_shifts(late=0, night=1), callers(Caller(115, talk=5), Caller(121, patience=30)))
    assert fates(recorder) == {115: (Outcome.COMPLETED, 200, 0, 120), 121: (Outcome.ABANDONED, 200, 30, 151)}


def test_a_run_that_begins_warm_has_the_people_on_duty_at_its_start() -> None:
    """At 09:02 sharp the late shift of two is on duty, and so before the start as well."""
    late = on_shifts(early=3, late=2, warm=True, start="2026-11-24 09:02")
    recorder = played(late, callers(Caller(-15, talk=20), Caller(-14, talk=20), Caller(-13, talk=7)))
    assert {each.start: each.wait for each in recorder.records} == {-15: 0, -14: 0, -13: 18}


def test_those_who_are_off_duty_switch_their_phones_when_they_come_and_nobody_waits_for_them() -> None:
    switch = {
        "step": "switch",
        "by": "agents",
        "starts": {"at": "30s"},
        "takes": "10s",
        "does": {"softphones": "staff", "site": "osaka"},
    }
    staff = {"count": 2, "shifts": {"early": 1, "late": 1}, "softphone": {"sites": ["tokyo", "osaka"]}}
    recorder = played(on_shifts(agents={"staff": staff}, sites={"tokyo": {}, "osaka": {}}, runbook=[switch]), callers())
    assert said(recorder, EventKind.STEP_FINISHED) == [(40, "switch")]
    moved = [(entry.at, entry.detail["agent"]) for entry in recorder.of(EventKind.REGISTERED)]
    assert moved == [(40, 0), (130, 1)]


def test_a_step_of_agents_who_are_all_off_duty_keeps_nobody_waiting() -> None:
    switch = {
        "step": "switch",
        "by": "agents",
        "starts": {"at": "30s"},
        "takes": "10s",
        "does": {"softphones": "staff", "site": "osaka"},
    }
    staff = {"count": 1, "shifts": {"late": 1}, "softphone": {"sites": ["tokyo", "osaka"]}}
    recorder = played(on_shifts(agents={"staff": staff}, sites={"tokyo": {}, "osaka": {}}, runbook=[switch]), callers())
    assert said(recorder, EventKind.STEP_FINISHED) == [(30, "switch")]
    assert [entry.at for entry in recorder.of(EventKind.REGISTERED)] == [130]


def test_a_test_call_needs_somebody_on_duty_but_by_night_the_announcement_will_do() -> None:
    def finished(**changes: Any) -> list[tuple[float, str]]:
        call = {"step": "test", "by": "operator", "starts": {"at": "10s"}, "takes": "30s", "does": {"verify": TOKYO}}
        return said(played(on_shifts(early=0, runbook=[call], **changes), callers()), EventKind.STEP_FINISHED)

    # Nobody is on duty at 40, 70 and 100, and somebody from 120 on.
    assert finished() == [(130, "test")]
    numbers = {TOKYO: {"trunk": "ntt", "queue": "line", "open": "night"}}
    assert finished(numbers=numbers) == [(40, "test")]


# Actors


def rehearsed(actors: Mapping[str, object], *steps: dict[str, object], **changes: Any) -> ListRecorder:
    """Play a runbook of which nothing depends on calls."""
    office = calendars(office="09:04-18:00", early="08:00-09:02")
    return played(plan(calendars=office, actors=actors, runbook=list(steps), **changes), callers())


def begun(recorder: ListRecorder) -> list[tuple[float, str, object]]:
    return [(entry.at, entry.subject, entry.detail["by"]) for entry in recorder.of(EventKind.STEP_STARTED)]


def task(step: str, at: str | None = "60s", by: str = "admin", after: str | None = None) -> dict[str, object]:
    sets_off: dict[str, object] = {"after": after} if after else {"starts": {"at": at}}
    return {"step": step, "by": by, "takes": "20s", **sets_off}


def test_a_step_waits_until_its_actor_comes_on_duty() -> None:
    recorder = rehearsed({"admin": {"hours": "office"}}, task("button"))
    assert begun(recorder) == [(240, "button", "admin")]
    assert said(recorder, EventKind.ACTOR_SOUGHT) == [(60, "button")]
    assert [entry.detail for entry in recorder.of(EventKind.ACTOR_REACHED)] == [{"by": "admin", "waited": 180}]


def test_an_actor_on_duty_is_there_at_once_and_stays_after_hours_while_there_is_something_to_do() -> None:
    recorder = rehearsed(
        {"admin": {"hours": "early"}},
        task("button", at="110s"),  # done at 130, ten seconds after the end of the hours
        task("re-point", after="button"),
        task("later", at="200s"),
    )
    assert begun(recorder) == [(110, "button", "admin"), (130, "re-point", "admin")]
    assert said(recorder, EventKind.ACTOR_SOUGHT) == [(200, "later")], "by then the actor has gone home"
    assert recorder.of(EventKind.ACTOR_REACHED) == []


@pytest.mark.parametrize(
    ("reachable", "when"),
    [("100%", 60), ("0%", 240), ("50s", 110), ("9m", 240)],
)
def test_off_duty_somebody_is_reached_by_chance_or_after_a_time_but_never_later_than_on_duty(
    reachable: str, when: float
) -> None:
    recorder = rehearsed({"admin": {"hours": "office", "reachable": reachable}}, task("button"))
    assert begun(recorder) == [(when, "button", "admin")]


@pytest.mark.parametrize(
    ("reachable", "when"),
    [(None, [60]), ("100%", [60]), ("0%", []), ("50s", [110])],
)
def test_without_hours_it_is_the_same_at_any_time(reachable: str | None, when: list[float]) -> None:
    actor = {} if reachable is None else {"reachable": reachable}
    assert [at for at, *_ in begun(rehearsed({"admin": actor}, task("button")))] == when


def test_a_deputy_is_called_later_and_acts_if_reached_first() -> None:
    actors = {
        "admin": {"hours": "office", "deputy": "representative", "deputy_after": "30s"},
        "representative": {"reachable": "40s"},
    }
    recorder = rehearsed(actors, task("button"), task("re-point", after="button"))
    # Called at 90, reached at 130; the administrator, on duty from 240 on, finds it done.
    assert begun(recorder) == [(130, "button", "representative"), (150, "re-point", "representative")]
    slow = {**actors, "representative": {"reachable": "5m"}}
    assert begun(rehearsed(slow, task("button"))) == [(240, "button", "admin")]


def test_a_deputy_has_a_deputy() -> None:
    actors = {
        "admin": {"reachable": "0%", "deputy": "second", "deputy_after": "10s"},
        "second": {"reachable": "0%", "deputy": "third", "deputy_after": "15s"},
        "third": {},
    }
    assert begun(rehearsed(actors, task("button"))) == [(85, "button", "third")]


def test_a_call_for_a_step_that_is_taken_already_reaches_nobody_for_a_later_one() -> None:
    """Reached at 160 for the first step, the actor takes the second too, and is gone at 200 when both are done."""
    steps = [task("first", at="60s"), task("second", at="150s"), task("third", at="210s")]
    recorder = rehearsed({"admin": {"reachable": "100s"}}, *steps)
    assert begun(recorder) == [(160, "first", "admin"), (180, "second", "admin"), (310, "third", "admin")]


def test_a_share_of_calls_reaches_somebody() -> None:
    """Of 400 independent calls with a chance of 30 %, 5 standard deviations are 46."""
    steps = [task(f"step {number}", by=f"actor {number}".replace(" ", "-")) for number in range(400)]
    actors = {str(step["by"]): {"reachable": "30%"} for step in steps}
    assert abs(len(begun(rehearsed(actors, *steps))) - 120) < 46
