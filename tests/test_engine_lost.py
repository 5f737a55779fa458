"""Lost calls: a dead node's ports are free at once, the line and the agent when somebody hangs up (J7, S5)."""

import pytest

from sbc.decisions.session import expires_in
from scenarios.evidence import Gauge, Outcome
from scenarios.model import Drill
from tests.drills import MOBILE, TOKYO, Caller, ListRecorder, callers, drill, played

SURE = {"by": "options", "every": "10ms", "timeout": "3s"}
"""A detection that takes 3.00 to 3.01 s, whatever is drawn."""


def plan(silence: object = "25s", *, fault: object = None, **changes: object) -> Drill:
    """Return one pair that keeps nothing and loses its active node at 101 s."""
    dies = fault or {"name": "node", "at": "101s", "pair": "edge", "fails": "active"}
    return drill(
        **{
            "run": {"for": "10m", "warm": False},
            "sbc_pairs": {"edge": {"site": "tokyo", "ports": 50, "detect": SURE, "keeps": "none"}},
            "ports": {"tenant": 40},
            "traffic": [{"to": TOKYO, "arrivals": "1/s", "talk": "10s", "silence_hangup": silence}],
            "faults": [dies],
            **changes,
        }
    )


def ports(recorder: ListRecorder, limit: str) -> dict[float, int]:
    """Return the ports in use around the loss."""
    return {at: used for at, used in recorder.levels(Gauge.PORTS, limit).items() if 100 <= at <= 140}


@pytest.mark.parametrize(
    ("interval", "up", "left"),
    # Refreshed at 900, 1800 …; BYE 32 s before the interval is over, or a third of it (RFC 4028 §7.2, §10).
    [(1800, 0, 1768), (1800, 899, 869), (1800, 900, 1768), (1800, 1000, 1668), (90, 0, 60), (90, 99, 51), (96, 10, 54)],
)
def test_the_session_timer_runs_from_the_last_refresh_that_got_through(interval: float, up: float, left: float) -> None:
    assert expires_in(interval, up) == left


def test_the_line_stays_held_until_the_caller_hangs_up_and_the_port_of_the_node_does_not() -> None:
    recorder = played(plan(), callers(Caller(50, talk=500)))
    (record,) = recorder.records
    assert (record.outcome, record.end, record.talk) == (Outcome.DROPPED, 101, 51)
    held_until_126 = {100: 1, 110: 1, 120: 1, 130: 1, 140: 0}
    assert ports(recorder, "ntt") == ports(recorder, "tenant") == held_until_126
    assert ports(recorder, "edge") == {100: 1, 110: 1, 120: 0, 130: 0, 140: 0}


def test_a_full_trunk_refuses_until_somebody_hangs_up() -> None:
    tight = plan(trunks={"ntt": {"via": "edge", "channels": 1}})
    recorder = played(tight, callers(Caller(50, talk=500), Caller(120), Caller(125.5), Caller(126.5)))
    assert {each.start: (each.outcome, each.reason) for each in recorder.records} == {
        50: (Outcome.DROPPED, "edge/1 lost"),
        120: (Outcome.BLOCKED, "ntt"),
        125.5: (Outcome.BLOCKED, "ntt"),
        126.5: (Outcome.COMPLETED, ""),
    }


STAFFED: dict[str, object] = {
    "numbers": {TOKYO: {"trunk": "ntt", "queue": "staff"}},
    "agents": {"staff": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
}


def test_the_agent_of_a_lost_call_takes_the_next_when_the_silence_is_over() -> None:
    recorder = played(plan(**STAFFED), callers(Caller(50, talk=500), Caller(110)))
    after = {each.start: each for each in recorder.records}[110]
    assert (after.setup, after.wait, after.outcome) == (0, 16, Outcome.COMPLETED)


def test_a_caller_dials_again_after_hanging_up() -> None:
    recorder = played(plan(), callers(Caller(50, talk=500, again=[7])))
    assert [(each.tries, each.start) for each in recorder.records] == [(1, 50), (2, 101 + 25 + 7)]


def test_a_caller_in_a_queue_of_a_dead_node_holds_the_line_in_silence_too() -> None:
    recorder = played(plan(**STAFFED), callers(Caller(50, talk=500), Caller(90)))
    waiting = {each.start: each for each in recorder.records}[90]
    assert (waiting.outcome, waiting.wait, waiting.talk) == (Outcome.DROPPED, 11, None)
    assert ports(recorder, "ntt") == {100: 2, 110: 2, 120: 2, 130: 2, 140: 0}


def test_the_session_timer_ends_what_nobody_hangs_up() -> None:
    """90 s: refreshed 45 s after the answer at 50, lost at 101, so that the far end gives up at 95 + 60 = 155 s."""
    pair = {"site": "tokyo", "ports": 50, "detect": SURE, "keeps": "none", "session_timer": "90s"}
    patient = plan(silence="1h", sbc_pairs={"edge": pair}, trunks={"ntt": {"via": "edge", "channels": 1}})
    recorder = played(patient, callers(Caller(50, talk=500), Caller(154.5), Caller(155.5)))
    assert [each.outcome for each in recorder.records] == [Outcome.DROPPED, Outcome.BLOCKED, Outcome.COMPLETED]


def test_a_lost_trunk_takes_its_channels_with_it() -> None:
    """The SBC is alive and clears both ends."""
    recorder = played(
        plan(**STAFFED, fault={"name": "line", "at": "101s", "trunk": "ntt", "for": "5s"}),
        callers(Caller(50, talk=500, again=[7]), Caller(107)),
    )
    assert ports(recorder, "ntt") == {100: 1, 110: 2, 120: 2, 130: 1, 140: 1}
    assert [(each.start, each.wait) for each in recorder.records] == [(50, 0), (107, 0), (108, 9)]


def test_the_people_at_both_ends_hang_up_each_in_their_own_time() -> None:
    many = [Caller(50, talk=500)] * 20
    staff = {"staff": {"count": 20, "softphone": {"sites": ["tokyo"]}}}
    recorder = played(plan({"uniform": ["10s", "60s"]}, **{**STAFFED, "agents": staff}), callers(*many))
    # Agents busy now, and channels in use at most since the sample before: between those of now and of 10 s ago.
    lines, busy = recorder.levels(Gauge.PORTS, "ntt"), recorder.levels(Gauge.AGENTS_BUSY, "staff")
    outside = [at for at in busy if at >= 10 and not lines.get(at + 10, 0) <= busy[at] <= lines[at]]
    assert outside
    assert (lines[180], busy[170]) == (0, 0)


def test_outbound_work_is_wanted_again_after_the_agent_has_hung_up() -> None:
    outbound = {"from": "staff", "to": MOBILE, "arrivals": "1/m", "talk": "1m", "silence_hangup": "25s"}
    recorder = played(
        plan(**STAFFED, default_caller=TOKYO, traffic=[outbound]), callers(Caller(50, talk=500, again=[7]))
    )
    assert [(each.tries, each.start, each.outcome) for each in recorder.records] == [
        (1, 50, Outcome.DROPPED),
        (2, 133, Outcome.IN_PROGRESS),
    ]
