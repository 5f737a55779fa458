"""Requests for ports in a run: limits that change when a request is granted, and not before, in two engines alike."""

from math import inf
from typing import Any

import pytest

from reports.chronicle import Chronicle
from scenarios.evidence import CallRecord, EventKind, Outcome
from scenarios.model import Drill
from tests.drills import MOBILE, TOKYO, Caller, ListRecorder, callers, drill, played

BOTH = pytest.mark.parametrize("engine", ["calls", "packets"])
PORT_KINDS = (
    EventKind.PORTS_REQUESTED, EventKind.PORTS_IN_REVIEW, EventKind.PORTS_GRANTED, EventKind.PORTS_REJECTED,
)  # fmt: skip


def step(name: str, at: float, **more: Any) -> dict[str, object]:
    """Return a step of 10 s by the coordinator, planned for a second of the run."""
    asked = {key: more.pop(key) for key in ("tenant", "outbound", "agentless") if key in more}
    does = {"request_ports": asked}
    return {"step": name, "by": "coordinator", "starts": {"at": f"{at}s"}, "takes": "10s", "does": does, **more}


def plan(*steps: dict[str, object], **changes: Any) -> Drill:
    """Return a tenant of two ports; requests are verified after 20 s, and reviewed for 100 s."""
    management = {
        "enabled": True,
        "permissions": {"coordinator": "create"},
        "personal_connection": True,
        "outbound_rule": "each",
        "daily_limit": 3,
        "verified_after": "20s",
        "reviewed_after": "100s",
        **changes.pop("port_management", {}),
    }
    return drill(
        **{
            "system": "cxone-ports",
            "run": {"for": "10m", "warm": False},
            "ports": {"tenant": 2},
            "port_management": management,
            "runbook": list(steps),
            **changes,
        }
    )


def told(recorder: ListRecorder) -> list[tuple[float, EventKind, str]]:
    return [(entry.at, entry.kind, entry.subject) for entry in recorder.of(*PORT_KINDS)]


def answers(recorder: ListRecorder) -> dict[float, int]:
    """Return what each call has heard by the second it was dialled in, 486 for busy."""
    return {round(record.start, 3): record.sip for record in recorder.records}


@BOTH
def test_a_small_increase_counts_from_the_second_in_which_it_is_verified(engine: str) -> None:
    """Filed at 60 s, granted at 80 s: the third call finds a port only from then on (P5, P15)."""
    held = [Caller(10, talk=400), Caller(11, talk=400)]
    later = [Caller(80.1, talk=400), Caller(90, talk=400), Caller(95)]
    recorder = played(
        plan(step("more", 50, tenant=4)),
        callers(*held, Caller(59, talk=5), Caller(79.9, talk=5), *later),
        engine=engine,
    )
    assert answers(recorder) == {10: 200, 11: 200, 59: 486, 79.9: 486, 80.1: 200, 90: 200, 95: 486}
    assert told(recorder) == [(60, EventKind.PORTS_REQUESTED, "more"), (80, EventKind.PORTS_GRANTED, "more")]
    filed, granted = recorder.of(*PORT_KINDS)
    assert dict(filed.detail) == {"case": 1, "by": "coordinator", "tenant": 4}
    assert dict(granted.detail) == {"case": 1, "tenant": 4}


@BOTH
def test_calls_above_a_lowered_limit_go_on_and_no_other_is_let_in_until_there_is_room(engine: str) -> None:
    """Three calls are up when the limit falls to 1, at 80 s; they end at 100, 120 and 140 s."""
    recorder = played(
        plan(step("fewer", 50, tenant=1), ports={"tenant": 3}),
        callers(
            Caller(10, talk=90), Caller(10.5, talk=109.5), Caller(11, talk=129),
            Caller(90, talk=5), Caller(110, talk=5), Caller(130, talk=5), Caller(141, talk=5), Caller(142, talk=5),
        ),
        engine=engine,
    )  # fmt: skip
    assert answers(recorder) == {10: 200, 10.5: 200, 11: 200, 90: 486, 110: 486, 130: 486, 141: 200, 142: 486}
    assert {record.outcome for record in recorder.records} == {Outcome.COMPLETED, Outcome.BLOCKED}
    assert told(recorder)[1] == (80, EventKind.PORTS_GRANTED, "fewer")


@BOTH
def test_a_large_increase_is_reviewed_and_blocks_every_other_until_it_is_decided(engine: str) -> None:
    """Verified at 80 s, decided at 180 s. The other is tried every 10 s from 100 s on, and filed at 180 or 190 s."""
    recorder = played(
        plan(step("much", 50, tenant=9), {**step("little", 90, tenant=10), "takes": "9s"}),
        callers(*(Caller(100 + n, talk=60) for n in range(3)), Caller(170), Caller(181)),
        engine=engine,
    )
    assert answers(recorder) == {100: 200, 101: 200, 102: 486, 170: 200, 181: 200}
    assert told(recorder)[:3] == [
        (60, EventKind.PORTS_REQUESTED, "much"), (80, EventKind.PORTS_IN_REVIEW, "much"),
        (180, EventKind.PORTS_GRANTED, "much"),
    ]  # fmt: skip
    # tries end at 99, 108, … 180, when nothing is pending any more or not yet, and 189 s
    tries = [entry.at for entry in recorder.of(EventKind.STEP_REPEATED)]
    assert tries[:9] == [99 + 9 * n for n in range(9)]
    filed = told(recorder)[3]
    assert filed in [(180, EventKind.PORTS_REQUESTED, "little"), (189, EventKind.PORTS_REQUESTED, "little")]
    # the first took the day's limit of 3, and so one more is reviewed as well
    assert [kind for _, kind, _ in told(recorder)[4:]] == [EventKind.PORTS_IN_REVIEW, EventKind.PORTS_GRANTED]


@BOTH
@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"tenant": 10_000}, "too many concurrent ports"),
        ({"outbound": 3}, "more outbound and agentless ports than concurrent ones"),
        ({"tenant": 4, "outbound": 5}, "more outbound and agentless ports than concurrent ones"),
        ({"tenant": 3, "by": "supervisor"}, "the requester has no authority"),
    ],
)
def test_what_is_rejected_changes_nothing(engine: str, asked: dict[str, Any], reason: str) -> None:
    recorder = played(
        plan(step("more", 50, **asked), ports={"tenant": 2, "outbound": 1}),
        callers(Caller(100), Caller(101), Caller(102)),
        engine=engine,
    )
    assert answers(recorder) == {100: 200, 101: 200, 102: 486}
    rejected = recorder.of(*PORT_KINDS)[-1]
    assert (rejected.at, rejected.kind, rejected.detail["reason"]) == (80, EventKind.PORTS_REJECTED, reason)


@BOTH
def test_outbound_ports_count_for_calls_that_agents_place(engine: str) -> None:
    """One outbound port until 80 s, two from then on."""
    out = {"from": "sales", "to": MOBILE, "arrivals": "1/m", "talk": "10s", "shows": "default"}
    asking = plan(
        step("more", 50, outbound=2),
        ports={"tenant": 9, "outbound": 1},
        default_caller=TOKYO,
        agents={"sales": {"count": 3, "softphone": {"sites": ["tokyo"]}}},
        traffic=[out],
    )
    found = played(asking, callers(Caller(60, talk=60), Caller(70), Caller(90, talk=5), Caller(91)), engine=engine)
    by_start: dict[int, CallRecord] = {round(record.start): record for record in found.records}
    assert {at: record.reason for at, record in by_start.items()} == {60: "", 70: "outbound", 90: "", 91: "outbound"}


@BOTH
def test_a_step_waits_until_a_request_is_granted(engine: str) -> None:
    back = step("back", 55, tenant=2, when={"granted": "more"}, by="other")
    permissions = {"permissions": {"coordinator": "create", "other": "create"}}
    recorder = played(
        plan(step("more", 50, tenant=4), back, port_management=permissions), callers(Caller(1)), engine=engine
    )
    (waiting,) = recorder.of(EventKind.STEP_WAITING)
    assert (waiting.at, waiting.detail["unmet"]) == (55, "granted: more")
    (met,) = recorder.of(EventKind.CONDITIONS_MET)
    assert 80 <= met.at <= 81
    assert told(recorder)[-1][1:] == (EventKind.PORTS_GRANTED, "back")


def test_the_day_of_an_increase_is_that_of_the_clock() -> None:
    """2 of 3 before midnight, at 80 s, and 2 after it, at 180 s: each is quick. A minute later both are of one day."""
    steps = (step("today", 50, tenant=4), step("tomorrow", 150, tenant=6))
    for start, kind in (("2026-11-26 23:58", EventKind.PORTS_GRANTED), ("2026-11-26 23:55", EventKind.PORTS_IN_REVIEW)):
        run = {"for": "5m", "warm": False, "start": start}
        recorder = played(plan(*steps, run=run), callers(Caller(1)))
        assert told(recorder)[1] == (80, EventKind.PORTS_GRANTED, "today")
        assert told(recorder)[3] == (180, kind, "tomorrow")


def test_a_reviewed_request_may_be_rejected() -> None:
    """With 40 % rejected, about as many of 200 runs; a binomial within five standard deviations."""
    asking = plan(step("much", 50, tenant=9), port_management={"rejected": "40%"}, run={"for": "4m", "warm": False})
    kinds = [played(asking, callers(Caller(1)), replication=n).of(*PORT_KINDS)[-1].kind for n in range(200)]
    assert set(kinds) == {EventKind.PORTS_GRANTED, EventKind.PORTS_REJECTED}
    assert abs(kinds.count(EventKind.PORTS_REJECTED) - 80) < 5 * (200 * 0.4 * 0.6) ** 0.5


def test_the_time_to_a_grant_begins_when_somebody_sets_about_the_request() -> None:
    """From 50 s to 80 s; the other is tried from 90 s on, filed when the first is decided and reviewed like it."""
    asking = plan(
        step("small", 50, tenant=4),
        step("much", 90, tenant=30),
        step("little", 100, tenant=3, by="other"),
        step("refused", 100, tenant=10_000, when={"granted": "little"}),
        step("not begun", 100, tenant=2, when={"granted": "refused"}),
        port_management={"permissions": {"coordinator": "create", "other": "create"}},
    )
    told_of = Chronicle(asking)
    for entry in played(asking, callers(Caller(1))).entries:
        told_of.entry(entry)
    assert told_of.time_to_grant("small") == 30
    assert told_of.time_to_grant("much") == 10 + 20 + 100
    assert told_of.time_to_grant("little") == pytest.approx(220 + 20 - 100, abs=10)
    assert told_of.time_to_grant("refused") == told_of.time_to_grant("not begun") == told_of.time_to_grant() == inf
    assert Chronicle(drill()).time_to_grant() is None
