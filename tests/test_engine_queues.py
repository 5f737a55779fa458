"""Call distribution in the `calls` engine: widening, skills, admission, callback and overflow, by hand (W11-W16)."""

import pytest

from scenarios.evidence import Gauge, Outcome
from scenarios.model import Drill
from scenarios.rules import check
from tests.drills import MOBILE, TOKYO, Caller, ListRecorder, callers, drill, played

COMPLETED, BLOCKED, ABANDONED, DROPPED = Outcome.COMPLETED, Outcome.BLOCKED, Outcome.ABANDONED, Outcome.DROPPED
EXTERNAL = "03-9999-9999"


def group(count: int = 1, **more: object) -> dict[str, object]:
    return {"count": count, "softphone": {"sites": ["tokyo"]}, **more}


def plan(groups: dict[str, object] | None = None, changes: dict[str, object] | None = None, **queue: object) -> Drill:
    return drill(
        **{
            "run": {"for": "10m", "warm": False},
            "numbers": {TOKYO: {"trunk": "ntt", "queue": "line"}},
            "queues": {"line": {"agents": ["staff"], **queue}},
            "agents": {"staff": group(), **(groups or {})},
            **(changes or {}),
        }
    )


def outcomes(recorder: ListRecorder) -> dict[float, tuple[object, ...]]:
    """Return by start: outcome, wait, end, who answered."""
    return {each.start: (each.outcome, each.wait, each.end, each.agents) for each in recorder.records}


# Search


def test_another_group_joins_in_when_a_caller_has_waited_and_not_before() -> None:
    wide = plan({"backup": group()}, widen=[{"after": "30s", "agents": ["backup"]}])
    recorder = played(wide, callers(Caller(10, talk=100), Caller(20, talk=50), Caller(40, talk=10)))
    assert outcomes(recorder) == {
        10: (COMPLETED, 0, 110, "staff"),
        20: (COMPLETED, 30, 100, "backup"),
        # widened at 70, while the backup is busy until 100, who then takes the caller
        40: (COMPLETED, 60, 110, "backup"),
    }


def test_an_agent_of_the_backup_does_not_take_a_caller_who_has_not_waited_enough() -> None:
    wide = plan(
        {"backup": group(), "last": group()},
        widen=[{"after": "60s", "agents": ["last"]}, {"after": "30s", "agents": ["backup"]}],
    )
    talks = [Caller(10, talk=300), Caller(20, talk=25), Caller(21, talk=100), Caller(55, talk=9), Caller(60, talk=9)]
    recorder = played(wide, callers(*talks))
    # 20 and 21 are widened at 50 and 51: the backup takes the first until 75 and then the second; 21 is not reached by
    # the last group before 81. 55 is widened at 85 and 115, 60 at 90 and 120.
    assert outcomes(recorder) == {
        10: (COMPLETED, 0, 310, "staff"),
        20: (COMPLETED, 30, 75, "backup"),
        21: (COMPLETED, 54, 175, "backup"),
        55: (COMPLETED, 60, 124, "last"),
        60: (COMPLETED, 64, 133, "last"),
    }


@pytest.mark.parametrize(
    ("select", "order"),
    # Free from 0 on, then: novice from 11, expert from 12, staff from 13 on.
    [
        ("in-order", ["staff", "novice", "expert"]),
        ("longest", ["novice", "expert", "staff"]),
        ("best", ["expert", "novice", "staff"]),
    ],
)
def test_the_selection_decides_who_is_next(select: str, order: list[str]) -> None:
    skilled = plan(
        {
            "staff": group(skills={"english": 3}),
            "novice": group(skills={"english": 3}),
            "expert": group(skills={"english": 9}),
            "mute": group(),
        },
        agents=["staff", "novice", "expert", "mute"],
        skills={"english": 2},
        select=select,
    )
    # The first three bring the agents into the order of becoming free; who talks how long depends on who is first.
    first = {"in-order": [13, 11, 12], "longest": [13, 11, 12], "best": [12, 13, 11]}[select]
    warm = [Caller(at / 10, talk=until - at / 10) for at, until in enumerate(first)]
    recorder = played(skilled, callers(*warm, *(Caller(20 + i, talk=100) for i in range(4))))
    answered = {each.start: each.agents for each in recorder.records if each.start >= 20}
    assert [answered[20 + i] for i in range(3)] == order
    assert outcomes(recorder)[23][1] == 97, "the group without the skill is not asked"


def test_a_group_without_the_skill_is_a_finding() -> None:
    mute = plan({"mute": group(skills={"english": 1})}, agents=["mute", "staff"], skills={"english": 2})
    found = [(finding.id, str(finding.path)) for finding in check(mute)]
    assert [name for name, _ in found if name == "unskilled-group"] == ["unskilled-group"] * 2


# Admission


def test_a_full_queue_is_busy() -> None:
    recorder = played(
        plan(max_waiting=2), callers(Caller(10, talk=100), Caller(20), Caller(30), Caller(40), Caller(111))
    )
    assert {each.start: (each.outcome, each.reason, each.sip, each.setup) for each in recorder.records} == {
        10: (COMPLETED, "", 200, 0),
        20: (COMPLETED, "", 200, 0),
        30: (COMPLETED, "", 200, 0),
        40: (BLOCKED, "queue full", 486, None),
        111: (COMPLETED, "", 200, 0),
    }
    assert recorder.levels(Gauge.PORTS, "ntt")[50] == 3, "a refused caller holds no port"


def test_a_queue_in_which_somebody_has_waited_too_long_is_busy() -> None:
    recorder = played(plan(longest_wait="30s"), callers(Caller(10, talk=100), Caller(20), Caller(49), Caller(50)))
    assert {each.start: each.reason for each in recorder.records if each.outcome is BLOCKED} == {50: "wait too long"}


# Callback


def test_a_callback_keeps_the_place_and_frees_the_port() -> None:
    recorder = played(
        plan(callback={"after": "20s", "accepts": "100%"}),
        callers(Caller(10, talk=100), Caller(20, talk=50, patience=25), Caller(35, talk=5, patience=200)),
    )
    first, second, third = sorted(recorder.records, key=lambda each: each.start)
    assert (first.callback, first.end) == (0, 110)
    # hangs up at 40, is called back at 110 before the one who came later
    assert (second.outcome, second.wait, second.callback, second.end) == (COMPLETED, 90, 70, 160)
    assert (third.wait, third.callback, third.end) == (125, 105, 165)
    # Most in use since the sample before: three until 40, two until 55, one from then on.
    used = recorder.levels(Gauge.PORTS, "ntt")
    assert [used[at] for at in (40, 50, 60, 70, 120)] == [3, 2, 2, 1, 1]


def test_those_who_decline_a_callback_wait_on() -> None:
    recorder = played(
        plan(callback={"after": "20s", "accepts": "0%"}), callers(Caller(10, talk=100), Caller(20, patience=25))
    )
    assert outcomes(recorder)[20] == (ABANDONED, 25, 45, "")


def test_a_callback_needs_an_outbound_port() -> None:
    streams = [
        {"to": TOKYO, "arrivals": "1/m", "talk": "1m"},
        {"from": "staff", "to": MOBILE, "arrivals": "1/m", "talk": "1m"},
    ]
    tight = plan(
        {"staff": group(2)},
        {"ports": {"outbound": 1}, "default_caller": TOKYO, "traffic": streams},
        callback={"after": "20s", "accepts": "100%"},
    )
    recorder = played(tight, callers(Caller(10, talk=50), Caller(20, talk=50)), callers(Caller(5, talk=300)))
    assert {each.start: (each.outcome, each.reason) for each in recorder.records if each.direction == "in"} == {
        10: (COMPLETED, ""),
        20: (BLOCKED, "outbound"),
    }


def test_a_callback_not_yet_made_is_in_progress_at_the_end() -> None:
    recorder = played(
        plan(callback={"after": "20s", "accepts": "100%"}), callers(Caller(10, talk=2000), Caller(20, talk=50))
    )
    (waits,) = (each for each in recorder.records if each.start == 20)
    assert (waits.outcome, waits.wait, waits.callback) == (Outcome.IN_PROGRESS, 580, 560)


# Overflow


def overflowing(team: int = 1, **changes: object) -> Drill:
    sections = {
        "sbc_pairs": {
            "edge": {"site": "tokyo", "ports": 50, "keeps": "none"},
            "exit": {"site": "tokyo", "ports": 50},
        },
        "trunks": {"ntt": {"via": "edge", "channels": 50}, "out": {"via": "exit", "channels": 50}},
        "ports": {"tenant": 50, "outbound": 50},
        **changes,
    }
    return plan(None, sections, overflow={"after": "30s", "to": EXTERNAL, "trunk": "out", "team": team})


def levels(recorder: ListRecorder, at: float) -> list[int]:
    return [recorder.levels(Gauge.PORTS, limit)[at] for limit in ("tenant", "outbound", "ntt", "out", "edge", "exit")]


def test_the_overflow_holds_a_second_leg_until_the_end() -> None:
    recorder = played(overflowing(), callers(Caller(10, talk=200), Caller(15, talk=60), Caller(16, talk=5)))
    assert outcomes(recorder) == {
        10: (COMPLETED, 0, 210, "staff"),
        15: (COMPLETED, 30, 105, EXTERNAL),
        # the team of one is busy at 46, and tried once
        16: (COMPLETED, 194, 215, "staff"),
    }
    assert levels(recorder, 40) == [3, 0, 3, 0, 3, 0]
    assert levels(recorder, 60) == [4, 1, 3, 1, 3, 1]
    assert levels(recorder, 120) == [2, 0, 2, 0, 2, 0]


@pytest.mark.parametrize("ports", [{"tenant": 2}, {"outbound": 1, "tenant": 50}])
def test_without_a_port_for_the_second_leg_the_caller_stays_in_the_queue(ports: dict[str, int]) -> None:
    recorder = played(
        overflowing(team=5, ports=ports),
        callers(Caller(10, talk=200), Caller(15, talk=60), *([] if ports["tenant"] == 2 else [Caller(16, talk=5)])),
    )
    last = outcomes(recorder)[15 if ports["tenant"] == 2 else 16]
    assert (last[0], last[1], last[3]) == (COMPLETED, 195 if ports["tenant"] == 2 else 194, "staff")


@pytest.mark.parametrize("pair", ["edge", "exit"])
def test_the_loss_of_either_leg_ends_the_call(pair: str) -> None:
    fault = {"name": "lost", "at": "61s", "pair": pair}
    recorder = played(overflowing(faults=[fault]), callers(Caller(10, talk=200), Caller(15, talk=600)))
    lost = outcomes(recorder)
    assert lost[15] == (DROPPED, 30, 61, EXTERNAL)
    assert lost[10][0] is (DROPPED if pair == "edge" else COMPLETED)
    # By the session timer at the latest everything has been hung up; here people do so within minutes.
    assert levels(recorder, 600) == [0] * 6


def test_the_loss_of_the_trunk_of_the_second_leg_ends_the_call() -> None:
    fault = {"name": "lost", "at": "61s", "trunk": "out"}
    recorder = played(overflowing(faults=[fault]), callers(Caller(10, talk=200), Caller(15, talk=600)))
    assert outcomes(recorder)[15] == (DROPPED, 30, 61, EXTERNAL)
    assert levels(recorder, 80) == [1, 0, 1, 0, 1, 0]


def test_a_kept_second_leg_moves_to_the_node_that_took_over() -> None:
    fault = {"name": "node", "at": "61s", "pair": "exit", "fails": "active"}
    recorder = played(overflowing(faults=[fault]), callers(Caller(10, talk=200), Caller(15, talk=100)))
    assert outcomes(recorder)[15] == (COMPLETED, 30, 145, EXTERNAL)
    assert levels(recorder, 160) == [1, 0, 1, 0, 1, 0]
