"""NER, SER, SEER, ISA, the share of calls dropped, and outages: counted by hand over a few calls (S6)."""

from itertools import chain

import pytest

from reports.fold import Fold
from scenarios.evidence import CallRecord, Direction, Outcome
from scenarios.expectations import parse_expectation
from tests.made_evidence import FREE_DIAL, OSAKA, call, drill


def measured(text: str, *calls: CallRecord) -> float | None:
    query = parse_expectation(f"{text} >= {'0%' if 'outage' not in text else '0'}").query
    taker = Fold(drill(), [query])
    taker.calls(calls)
    return taker.summary().values[query]


TALKING = {"setup": 0.1, "wait": 5.0, "talk": 20.0}
DAY = [
    *(call(at) for at in range(10)),  # ten answered: 200
    call(20, Outcome.ABANDONED, sip=200, setup=0.1, wait=9.0),  # hung up on an announcement
    call(21, Outcome.ABANDONED, sip=487, setup=0.1, wait=9.0),  # hung up on ringing
    call(22, Outcome.FAILED, sip=487, reason="nothing answers"),  # hung up on silence
    call(23, Outcome.BLOCKED, sip=486, reason="tenant"),
    call(24, Outcome.BLOCKED, sip=503, reason="ntt-tokyo"),
    call(25, Outcome.FAILED, sip=408, reason="nothing answers"),
    call(26, Outcome.FAILED, sip=404, reason="number not in service"),
    call(27, Outcome.DROPPED, sip=200, reason="tokyo-edge/1 lost", **TALKING),
    call(28, Outcome.DROPPED, sip=408, reason="tokyo-edge/1 lost", setup=0.1, wait=5.0),
    call(2390, Outcome.IN_PROGRESS, sip=0, **{**TALKING, "talk": 4.9}),  # had its 200
    call(2391, Outcome.IN_PROGRESS, sip=0, setup=0.1, wait=8.9),  # nobody knows yet
    call(30, Outcome.ABANDONED, sip=0, direction=Direction.OUTBOUND, reason="no agent free"),  # never dialled
]
"""22 attempts, of which 20 have a final response."""


@pytest.mark.parametrize(
    ("metric", "effective"),
    # 200: ten, the announcement, the cut-off talk, the talk in progress.
    [("ser", 13), ("seer", 13 + 1), ("ner", 13 + 1 + 1), ("isa", 3)],
)
def test_effectiveness_is_counted_by_final_response(metric: str, effective: int) -> None:
    assert measured(metric, *DAY) == pytest.approx(effective / 20)


@pytest.mark.parametrize("sip", [480, 486, 600, 603])
def test_what_the_called_party_decides_is_effective_but_not_established(sip: int) -> None:
    calls = [call(1), call(2, Outcome.FAILED, sip=sip, reason="declined")]
    assert [measured(metric, *calls) for metric in ("ser", "seer", "ner", "isa")] == [0.5, 1, 1, 0]


@pytest.mark.parametrize("sip", [408, 500, 503, 504])
def test_what_the_network_fails_at_is_ineffective(sip: int) -> None:
    calls = [call(1), call(2, Outcome.FAILED, sip=sip, reason="network")]
    assert [measured(metric, *calls) for metric in ("ser", "seer", "ner", "isa")] == [0.5, 0.5, 0.5, 0.5]


def test_effectiveness_keeps_to_the_selection_and_the_window() -> None:
    calls = [call(1), call(700, Outcome.FAILED, sip=503), call(800), call(900, Outcome.FAILED, number=OSAKA, sip=503)]
    assert measured("isa{after=10m}", *calls) == pytest.approx(2 / 3)
    assert measured(f"isa{{number={FREE_DIAL}}}", *calls) == pytest.approx(1 / 3)


def test_without_a_final_response_there_is_nothing_to_measure() -> None:
    assert measured("ner", call(2391, Outcome.IN_PROGRESS, sip=0, setup=0.1, wait=8.9)) is None


def test_the_share_dropped_is_of_delivered_calls_with_those_up_at_the_start() -> None:
    lost = call(-50, Outcome.DROPPED, sip=200, reason="tokyo lost", **TALKING)
    up = call(-40)
    refused = call(5, Outcome.BLOCKED, reason="tenant", sip=486)
    assert measured("dropped_ratio", lost, up, call(1), refused, call(2)) == 0.25


# Outages


def failing(*starts: float) -> list[CallRecord]:
    return [call(start, Outcome.FAILED, sip=408, reason="nothing answers") for start in starts]


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [
        ([call(10)], 0),
        (failing(0, 59.9), 60),  # one minute
        (failing(59.9, 60), 120),  # two
        ([*failing(0, 30), call(59.9)], 0),  # somebody got through in that minute
        ([*failing(61), call(10), call(130)], 60),
        ([*failing(61, 181)], 120),  # no attempt in the minute between: nothing is known of it
        ([call(20, Outcome.DROPPED, reason="lost", **TALKING)], 0),  # answered, whatever became of it
        ([call(20, Outcome.ABANDONED, setup=0.1, wait=9.0)], 60),
        ([call(-5, Outcome.FAILED), call(200)], 0),  # before the run
        ([call(100), call(2395, Outcome.IN_PROGRESS, setup=0.1, wait=4.9)], 0),  # waits still
        ([call(100), call(200, Outcome.FAILED, direction=Direction.OUTBOUND)], 0),
    ],
)
def test_an_outage_is_a_minute_with_attempts_and_no_answer(calls: list[CallRecord], seconds: float) -> None:
    assert measured("outage_minutes", *calls) == seconds


def test_an_outage_is_of_the_number_asked_for() -> None:
    calls = list(chain(failing(10), [call(20, number=OSAKA, destination=OSAKA)]))
    assert measured("outage_minutes", *calls) == 0
    assert measured(f"outage_minutes{{number={FREE_DIAL}}}", *calls) == 60
    assert measured("outage_minutes", call(10, direction=Direction.OUTBOUND)) is None


def test_the_last_part_of_a_minute_does_not_count() -> None:
    query = parse_expectation("outage_minutes >= 0").query
    taker = Fold(drill(run={"for": "90s", "warm": False}, faults=False), [query])
    taker.calls(failing(10, 70))
    assert taker.summary().values[query] == 60
