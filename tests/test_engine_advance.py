"""Trunk advance in the `calls` engine: which trunk carries a call, after how long, and what is heard when none does."""

from math import inf
from typing import Any

import pytest

from scenarios.evidence import CallRecord, EventKind, Outcome
from scenarios.model import Drill
from scenarios.rules import check
from tests.drills import MOBILE, TOKYO, Caller, ListRecorder, callers, drill, played


def plan(*faults: dict[str, object], **changes: Any) -> Drill:
    """Return a number with two trunks, each by a pair of its own, and the faults given."""
    return drill(
        **{
            "sites": {"tokyo": {}, "osaka": {}},
            "sbc_pairs": {"edge": {"site": "tokyo", "ports": 50}, "far": {"site": "osaka", "ports": 50}},
            "trunks": {"ntt": {"via": "edge", "channels": 9}, "kddi": {"via": "far", "channels": 9}},
            "numbers": {TOKYO: {"trunk": ["ntt", "kddi"]}},
            "faults": [{"at": "100s", **fault} for fault in faults],
            **changes,
        }
    )


def one(recorder: ListRecorder) -> CallRecord:
    (record,) = recorder.records
    return record


NTT_503: dict[str, object] = {"name": "full", "trunk": "ntt", "fails": "503"}
KDDI_503: dict[str, object] = {"name": "full-too", "trunk": "kddi", "fails": "503"}
NTT_CUT: dict[str, object] = {"name": "cut", "trunk": "ntt"}
EDGE_DEAD: dict[str, object] = {"name": "dead", "pair": "edge"}
FAR_DEAD: dict[str, object] = {"name": "dead-too", "pair": "far"}


@pytest.mark.parametrize(
    ("faults", "trunk", "setup"),
    [
        ([], "ntt", 0.0),
        ([NTT_503], "kddi", 0.0),
        ([NTT_CUT], "kddi", 0.0),
        ([EDGE_DEAD], "kddi", 10.0),
        ([KDDI_503, FAR_DEAD], "ntt", 0.0),
    ],
    ids=["nothing", "503", "line cut", "silence", "others"],
)
def test_a_call_goes_by_the_first_trunk_that_takes_it(
    faults: list[dict[str, object]], trunk: str, setup: float
) -> None:
    record = one(played(plan(*faults), callers(Caller(110))))
    assert (record.outcome, record.trunk, record.setup) == (Outcome.COMPLETED, trunk, setup)
    assert record.site == {"ntt": "tokyo", "kddi": "osaka"}[trunk]
    assert record.node == {"ntt": "edge/1", "kddi": "far/1"}[trunk]


@pytest.mark.parametrize(
    ("faults", "sip", "reason", "took"),
    [
        ([NTT_503, KDDI_503], 503, "trunk answers 503", 0.0),
        ([EDGE_DEAD, KDDI_503], 408, "trunk answers 503", 10.0),
        ([NTT_503, FAR_DEAD], 408, "nothing answers", 32.0),  # the last is waited for until Timer B
        ([EDGE_DEAD, FAR_DEAD], 408, "nothing answers", 42.0),
        ([NTT_CUT, {"name": "cut-too", "trunk": "kddi"}], 503, "trunk lost", 0.0),
    ],
    ids=["503 503", "silence 503", "503 silence", "silence silence", "cut cut"],
)
def test_a_list_without_a_trunk_that_works_is_exhausted(
    faults: list[dict[str, object]], sip: int, reason: str, took: float
) -> None:
    record = one(played(plan(*faults), callers(Caller(110))))
    assert (record.outcome, record.sip, record.reason, record.trunk) == (Outcome.FAILED, sip, reason, "kddi")
    assert record.end - record.start == took


@pytest.mark.parametrize(("advance_after", "setup"), [("2s", 2.0), ("500ms", 0.5), ("40s", 32.0)])
def test_a_silent_trunk_costs_its_common_timer_and_at_most_timer_b(advance_after: str, setup: float) -> None:
    timed = plan(
        EDGE_DEAD,
        trunks={
            "ntt": {"via": "edge", "channels": 9, "advance_after": advance_after},
            "kddi": {"via": "far", "channels": 9, "advance_after": "1s"},
        },
    )
    assert one(played(timed, callers(Caller(110)))).setup == setup


def test_every_dead_trunk_of_a_list_costs_its_time() -> None:
    three = plan(
        EDGE_DEAD,
        trunks={
            "ntt": {"via": "edge", "channels": 9, "advance_after": "3s"},
            "softbank": {"via": "edge", "channels": 9, "advance_after": "4s"},
            "kddi": {"via": "far", "channels": 9},
        },
        numbers={TOKYO: {"trunk": ["ntt", "softbank", "kddi"]}},
    )
    record = one(played(three, callers(Caller(110))))
    assert (record.trunk, record.setup) == ("kddi", 7.0)


def test_a_pair_that_takes_over_within_the_common_timer_keeps_its_trunk() -> None:
    """A takeover takes 2.6 to 3.6 s: copies at 0.5, 1.5 and 3.5 or 7.5 s find the new node before the 10 s are over."""
    record = one(played(plan({"name": "node", "pair": "edge", "fails": "active"}), callers(Caller(100.125))))
    assert (record.trunk, record.node) == ("ntt", "edge/2")
    assert record.setup in (3.5, 7.5)


def test_the_second_trunk_is_sent_its_own_invite_from_its_own_first_copy_on() -> None:
    """Far is silent for 2.6 to 3.6 s from 110 on; the call comes 0.125 s later: copies after 0, 0.5, 1.5, 3.5 s."""
    both = plan(EDGE_DEAD, {"name": "node", "pair": "far", "fails": "active", "at": "110s"})
    record = one(played(both, callers(Caller(100.125))))
    assert record.trunk == "kddi"
    assert record.setup in (10 + 3.5, 10 + 7.5)


def test_a_caller_who_loses_patience_on_a_dead_trunk_never_comes_to_the_next() -> None:
    record = one(played(plan(EDGE_DEAD), callers(Caller(110, patience=4))))
    assert (record.outcome, record.sip, record.trunk, record.end) == (Outcome.FAILED, 487, "ntt", 114)


def test_a_full_trunk_and_a_full_node_overflow_and_a_full_contract_does_not() -> None:
    full = plan(trunks={"ntt": {"via": "edge", "channels": 1}, "kddi": {"via": "far", "channels": 1}})
    found = sorted(played(full, callers(Caller(1), Caller(2), Caller(3))).records)
    assert [(each.trunk, each.outcome, each.reason) for each in found] == [
        ("ntt", Outcome.COMPLETED, ""), ("kddi", Outcome.COMPLETED, ""), ("kddi", Outcome.BLOCKED, "kddi"),
    ]  # fmt: skip
    node = plan(sbc_pairs={"edge": {"site": "tokyo", "ports": 1}, "far": {"site": "osaka", "ports": 9}})
    assert [each.trunk for each in sorted(played(node, callers(Caller(1), Caller(2))).records)] == ["ntt", "kddi"]
    contract = plan(ports={"tenant": 1})
    busy = sorted(played(contract, callers(Caller(1), Caller(2))).records)[1]
    assert (busy.trunk, busy.sip, busy.reason) == ("ntt", 486, "tenant")


def test_calls_up_on_a_trunk_that_begins_to_answer_503_go_on_and_new_ones_return_after_its_repair() -> None:
    recorder = played(plan({**NTT_503, "for": "50s"}), callers(*(Caller(at, talk=30) for at in (90, 110, 149, 151))))
    assert {each.start: (each.trunk, each.outcome) for each in recorder.records} == {
        90: ("ntt", Outcome.COMPLETED), 110: ("kddi", Outcome.COMPLETED),
        149: ("kddi", Outcome.COMPLETED), 151: ("ntt", Outcome.COMPLETED),
    }  # fmt: skip
    (effect,) = recorder.of(EventKind.EFFECT)
    assert (effect.subject, effect.at) == ("full", 110)


def outbound(**changes: Any) -> Drill:
    return plan(
        NTT_503,
        agents={"sales": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
        default_caller=TOKYO,
        traffic=[{"from": "sales", "to": MOBILE, "arrivals": "1/m", "talk": "10s"}],
        **changes,
    )


def test_outbound_calls_go_by_the_next_trunk_of_the_number_shown() -> None:
    two = {"ntt": {"via": "edge", "channels": 9}, "kddi": {"via": "edge", "channels": 9}}
    record = one(played(outbound(trunks=two, sbc_pairs={"edge": {"site": "tokyo", "ports": 9}}), callers(Caller(110))))
    assert (record.trunk, record.outcome) == ("kddi", Outcome.COMPLETED)


def test_outbound_calls_do_not_go_by_a_trunk_of_another_site() -> None:
    record = one(played(outbound(), callers(Caller(110))))
    assert (record.trunk, record.outcome, record.sip) == ("ntt", Outcome.FAILED, 503)


def test_a_queue_is_entered_at_the_site_of_the_trunk_that_carries_the_call() -> None:
    queued = plan(
        NTT_503,
        numbers={TOKYO: {"trunk": ["ntt", "kddi"], "queue": "staff"}},
        queues={"staff": {"agents": ["east", "west"]}},
        agents={
            "east": {"count": 1, "softphone": {"sites": ["tokyo"]}},
            "west": {"count": 1, "softphone": {"sites": ["osaka"]}},
        },
    )
    found = sorted(played(queued, callers(Caller(90), Caller(110, patience=inf))).records)
    assert [(each.site, each.outcome) for each in found] == [
        ("tokyo", Outcome.COMPLETED), ("osaka", Outcome.COMPLETED),
    ]  # fmt: skip


def findings(planned: Drill) -> list[tuple[str, tuple[str | int, ...]]]:
    return [(finding.id, finding.path) for finding in check(planned)]


def test_every_trunk_of_a_list_must_exist_once_and_counts_as_used() -> None:
    assert findings(plan()) == []
    assert findings(plan(numbers={TOKYO: {"trunk": ["ntt", "kdd"]}})) == [
        ("dangling-reference", ("numbers", TOKYO, "trunk", 1))
    ]
    assert findings(plan(numbers={TOKYO: {"trunk": ["ntt", "kddi", "ntt"]}})) == [
        ("duplicate-name", ("numbers", TOKYO, "trunk", 2))
    ]


def test_only_a_trunk_answers_503() -> None:
    assert findings(plan({"name": "wrong", "pair": "edge", "fails": 503})) == [
        ("not-applicable", ("faults", 0, "fails"))
    ]


def test_callers_must_not_come_to_a_site_without_agents_by_the_second_trunk() -> None:
    alone = plan(
        numbers={TOKYO: {"trunk": ["ntt", "kddi"], "queue": "east"}},
        agents={"east": {"count": 20, "softphone": {"sites": ["tokyo"]}}},
    )
    assert findings(alone) == [("unstaffed-queue", ("numbers", TOKYO, "queue"))]


def test_a_first_trunk_that_overflows_may_be_small() -> None:
    small = {"ntt": {"via": "edge", "channels": 1}, "kddi": {"via": "far", "channels": 50}}
    assert findings(plan(trunks=small)) == []
