"""Two servers behind one that sends them calls in turn, one is killed: the laws measured at 50 calls/s."""

from math import inf
from typing import Any

import pytest
from scipy import stats

from scenarios.evidence import CallRecord, EventKind, Outcome
from scenarios.model import Drill
from scenarios.rules import check
from tests.drills import TOKYO, Caller, ListRecorder, callers, drill, played

RATE = 50
DIES = 10.0
STEADY = [Caller(n / RATE, talk=0.1) for n in range(20 * RATE)]
"""Calls as even as a load generator sends them."""


def probes(every: str, timeout: str) -> dict[str, object]:
    return {"by": "options", "every": every, "timeout": timeout}


def plan(detect: dict[str, object], branch: str = "2s", **changes: Any) -> Drill:
    pair: dict[str, object] = {"site": "tokyo", "mode": "active-active", "ports": 500, "detect": detect}
    fault = {"name": "killed", "at": f"{DIES}s", "pair": "edge", "fails": "active"}
    fields = {name: changes.pop(name) for name in ("failover", "ports") if name in changes}
    sections: dict[str, object] = {
        "sbc_pairs": {"edge": {**pair, **fields}},
        "trunks": {"ntt": {"via": "edge", "channels": 500, "advance_after": branch}},
        "faults": [fault],
    }
    return drill(**{**sections, **changes})


def hit(recorder: ListRecorder) -> list[CallRecord]:
    """Return the new calls that met the dead server."""
    return [each for each in recorder.records if each.start >= DIES and (each.setup is None or each.setup > 0)]


def delays(calls: list[CallRecord]) -> set[float]:
    return {round(each.setup, 6) for each in calls if each.setup is not None}


def noticed(recorder: ListRecorder) -> float:
    (entry,) = recorder.of(EventKind.DETECTED)
    return entry.at - DIES


def test_calls_go_to_the_nodes_in_turn() -> None:
    idle = plan({"by": "nobody"}, faults=[])
    recorder = played(idle, callers(*STEADY[:10]))
    assert [each.node for each in sorted(recorder.records)] == ["edge/1", "edge/2"] * 5


# Measured: new calls hit and the last one hit, by branch timer, probe and failover; the probe's time-out is the
# branch timer's.


@pytest.mark.parametrize("failover", [True, False])
@pytest.mark.parametrize(
    ("branch", "fewest", "most", "first", "last"), [(2.0, 51, 68, 2.0, 2.7), (0.5, 13, 30, 0.5, 1.2)]
)
def test_a_probed_server_is_hit_by_every_second_call_until_the_probe_has_failed(
    failover: bool, branch: float, fewest: int, most: int, first: float, last: float
) -> None:
    planned = plan(probes("1s", f"{branch}s"), f"{branch}s", failover=failover)
    counts, found = [], []
    for replication in range(60):
        recorder = played(planned, callers(*STEADY), replication=replication)
        calls, seen = hit(recorder), noticed(recorder)
        assert abs(len(calls) - RATE / 2 * seen) <= 1
        assert 0 <= DIES + seen - max(each.start for each in calls) <= 2 / RATE
        if failover:
            assert {each.outcome for each in calls} == {Outcome.COMPLETED}
            assert delays(calls) == {branch}
        else:
            assert {(each.outcome, each.sip) for each in calls} == {(Outcome.FAILED, 408)}
            assert {round(each.end - each.start, 6) for each in calls} == {branch}
        counts.append(len(calls))
        found.append(seen)
    assert stats.kstest(found, stats.uniform(branch, 1.0).cdf).pvalue > 1e-4
    assert min(counts) <= fewest + 1
    assert most - 1 <= max(counts) <= RATE / 2 * (branch + 1) + 1
    assert min(found) < first + 0.2
    assert max(found) > last - 0.05


def test_a_server_marked_by_its_first_failure_is_hit_for_one_branch_timer() -> None:
    """Measured: 12 delayed by 0.5 s, the last at + 0.5 s."""
    recorder = played(plan({"by": "failure"}, "500ms"), callers(*STEADY))
    calls = hit(recorder)
    assert len(calls) in (12, 13)
    assert delays(calls) == {0.5}
    assert 0.5 <= noticed(recorder) <= 0.5 + 2 / RATE


def test_without_probes_or_marking_every_second_call_is_delayed_for_ever() -> None:
    recorder = played(plan({"by": "nobody"}, "500ms"), callers(*STEADY))
    calls = hit(recorder)
    assert len(calls) == 10 * RATE / 2
    assert delays(calls) == {0.5}
    assert not recorder.of(EventKind.DETECTED, EventKind.TAKEOVER)


def test_calls_up_on_the_killed_server_are_lost_and_those_on_the_other_are_not() -> None:
    recorder = played(plan(probes("1s", "2s")), callers(*(Caller(n, talk=30) for n in range(8))))
    assert [(each.node, each.outcome, each.end) for each in sorted(recorder.records)] == [
        ("edge/1", Outcome.DROPPED, DIES) if n % 2 == 0 else ("edge/2", Outcome.COMPLETED, n + 30) for n in range(8)
    ]


def test_a_server_that_is_back_before_anybody_noticed_answers_the_next_copy() -> None:
    blip = plan({"by": "nobody"}, "10s")
    faults = [{"name": "killed", "at": f"{DIES}s", "for": "3s", "pair": "edge", "fails": "active"}]
    recorder = played(
        blip.model_copy(update={"faults": drill(faults=faults).faults}), callers(Caller(10.5), Caller(10.6))
    )
    assert {each.start: (each.node, each.setup) for each in recorder.records} == {
        10.5: ("edge/1", 3.5), 10.6: ("edge/2", 0),
    }  # fmt: skip


def test_a_repaired_server_takes_its_share_again() -> None:
    faults = [{"name": "killed", "at": f"{DIES}s", "for": "10s", "pair": "edge", "fails": "active"}]
    back = plan(probes("10ms", "1s"), faults=faults)
    nodes = [each.node for each in sorted(played(back, callers(*(Caller(n) for n in (15, 16, 21, 22)))).records)]
    assert nodes == ["edge/2", "edge/2", "edge/1", "edge/2"]


def test_with_both_servers_dead_calls_are_lost_and_refused_at_once_when_that_is_known() -> None:
    faults = [{"name": "killed", "at": f"{DIES}s", "pair": "edge"}]
    dead = plan(probes("10ms", "3s"), "2s", faults=faults)
    found = sorted(played(dead, callers(Caller(10.5), Caller(20))).records)
    assert [(each.sip, each.reason, each.end - each.start) for each in found] == [
        (408, "nothing answers", 4.0), (503, "no node in use", 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize(("failover", "blocked"), [(True, 0), (False, 1)])
def test_a_full_node_sends_its_calls_to_the_other(failover: bool, blocked: int) -> None:
    """The third call is the first node's, which is busy with the first call; the second call has ended by then."""
    full = plan({"by": "nobody"}, faults=[], ports=1, failover=failover)
    found = sorted(played(full, callers(Caller(1, 50), Caller(2, 1), Caller(5))).records)
    assert sum(each.outcome is Outcome.BLOCKED for each in found) == blocked
    assert found[2].node == ("edge/2" if failover else "")


def test_a_call_tries_both_nodes_and_then_the_next_trunk() -> None:
    two = plan(
        {"by": "nobody"},
        sbc_pairs={
            "edge": {"site": "tokyo", "mode": "active-active", "ports": 5, "detect": {"by": "nobody"}},
            "far": {"site": "tokyo", "ports": 5},
        },
        trunks={
            "ntt": {"via": "edge", "channels": 5, "advance_after": "2s"},
            "kddi": {"via": "far", "channels": 5},
        },
        numbers={TOKYO: {"trunk": ["ntt", "kddi"]}},
        faults=[{"name": "killed", "at": f"{DIES}s", "pair": "edge"}],
    )
    (record,) = played(two, callers(Caller(20))).records
    assert (record.trunk, record.setup) == ("kddi", 4.0)


def test_a_caller_without_patience_for_the_branch_timer_hangs_up() -> None:
    recorder = played(plan({"by": "failure"}, "5s"), callers(Caller(11, patience=1), Caller(12, patience=inf)))
    assert [(each.sip, each.node) for each in sorted(recorder.records)] == [(487, ""), (200, "edge/2")]
    assert not recorder.of(EventKind.DETECTED), "a caller who hangs up is no failure of the server"


@pytest.mark.parametrize(
    ("pair", "path"),
    [
        ({"mode": "active-active"}, ("detect",)),
        ({"mode": "active-active", "detect": {"by": "nobody"}, "keeps": "all"}, ("keeps",)),
        ({"detect": {"by": "failure"}}, ("detect", "by")),
        ({"detect": {"by": "nobody"}}, ("detect", "by")),
        ({"failover": False}, ("failover",)),
        ({"passes": "proxy", "keeps": "all"}, ("keeps",)),
        ({"passes": "proxy", "keeps": "none"}, ("keeps",)),
    ],
    ids=str,
)
def test_fields_of_the_other_mode_are_refused(pair: dict[str, object], path: tuple[str, ...]) -> None:
    wrong = drill(sbc_pairs={"edge": {"site": "tokyo", "ports": 50, **pair}})
    assert [(each.id, each.path) for each in check(wrong)] == [("not-applicable", ("sbc_pairs", "edge", *path))]


@pytest.mark.parametrize(
    "pair",
    [
        {"passes": "proxy"},
        {"passes": "proxy", "keeps": "confirmed"},
        {"passes": "b2bua", "keeps": "all"},
        {"passes": "proxy", "keeps": "none", "mode": "active-active", "detect": {"by": "nobody"}},
    ],
    ids=str,
)
def test_a_proxy_keeps_what_is_answered(pair: dict[str, object]) -> None:
    sound = drill(sbc_pairs={"edge": {"site": "tokyo", "ports": 50, **pair}})
    assert check(sound) == check(drill(sbc_pairs={"edge": {"site": "tokyo", "ports": 50}}))


def test_in_an_active_active_pair_no_node_stands_by() -> None:
    wrong = plan({"by": "nobody"}, faults=[{"name": "x", "at": "1s", "pair": "edge", "fails": "standby"}])
    assert [(each.id, each.path) for each in check(wrong)] == [("not-applicable", ("faults", 0, "fails"))]


def test_a_pair_that_fails_over_is_sound() -> None:
    assert check(plan(probes("1s", "2s"), numbers={TOKYO: {"trunk": "ntt"}})) == []


def test_a_probe_that_was_under_way_when_the_server_came_back_marks_nothing() -> None:
    faults = [{"name": "killed", "at": f"{DIES}s", "for": "1s", "pair": "edge", "fails": "active"}]
    recorder = played(plan(probes("10ms", "3s"), faults=faults), callers(Caller(20), Caller(21)))
    assert sorted(each.node for each in recorder.records) == ["edge/1", "edge/2"]
    assert not recorder.of(EventKind.DETECTED)
