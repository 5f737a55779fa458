"""The laws measured on real pairs, held against many runs of the `calls` engine: outage, delay, loss."""

from bisect import bisect_left
from math import sqrt

import pytest
from scipy import stats

from scenarios.evidence import EventKind, JournalEntry, Outcome
from scenarios.model import Drill
from tests.drills import TOKYO, Caller, ListRecorder, callers, drill, played

GRID = (0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)
"""When an unanswered INVITE is sent over UDP, seconds after the first copy (S1)."""
DIES = 20.0
RATE = 20.0


def plan(detect: dict[str, object], keeps: str = "confirmed", talk: str = "1s", lasts: str = "40s") -> Drill:
    return drill(
        run={"for": lasts, "warm": False},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 1000, "detect": detect, "keeps": keeps}},
        traffic=[{"to": TOKYO, "arrivals": f"{RATE:g}/s", "talk": talk}],
        faults=[{"name": "node", "at": f"{DIES:g}s", "pair": "edge", "fails": "active"}],
    )


def takeover(recorder: ListRecorder) -> JournalEntry:
    (entry,) = recorder.of(EventKind.TAKEOVER)
    return entry


def outages(detect: dict[str, object], runs: int = 250) -> list[float]:
    quiet = plan(detect, lasts="60s")
    found = [takeover(played(quiet, callers(Caller(1)), seed=5, replication=k)) for k in range(runs)]
    assert all(entry.at - DIES == pytest.approx(entry.detail["outage"]) for entry in found)
    return [float(entry.detail["outage"]) for entry in found]


@pytest.mark.parametrize(
    ("detect", "least", "width"),
    [
        # (3 - phase) adverts + skew of 156/256 adverts, phase uniform from 0 to 1
        ({"by": "vrrp", "advert": "1s"}, 2 + 156 / 256, 1.0),
        ({"by": "vrrp", "advert": "100ms"}, 0.2 + 0.1 * 156 / 256, 0.1),
        ({"by": "vrrp", "advert": "1s", "priority": 254}, 2 + 2 / 256, 1.0),
        # uniform(0, interval) + the probe's own time-out
        ({"by": "options", "every": "10s", "timeout": "2s"}, 2.0, 10.0),
        ({"by": "options", "every": "1s", "timeout": "500ms"}, 0.5, 1.0),
    ],
    ids=["VRRP v2", "VRRP v3", "higher priority", "OPTIONS", "fast OPTIONS"],
)
def test_the_outage_is_uniform_over_one_interval(detect: dict[str, object], least: float, width: float) -> None:
    found = outages(detect)
    assert stats.kstest(found, stats.uniform(least, width).cdf).pvalue > 1e-4
    assert least <= min(found) < least + width / 20
    assert least + width * 19 / 20 < max(found) <= least + width


@pytest.mark.parametrize(
    "detect", [{"by": "vrrp"}, {"by": "options", "every": "3s", "timeout": "1s"}], ids=["VRRP", "OPTIONS"]
)
@pytest.mark.parametrize("keeps", ["confirmed", "all"])
def test_calls_that_meet_the_outage_are_delayed_to_the_next_copy_and_none_is_lost(
    detect: dict[str, object], keeps: str
) -> None:
    delayed = 0
    expected = 0.0
    for replication in range(5):
        recorder = played(plan(detect, keeps), replication=replication)
        back = takeover(recorder).at
        expected += RATE * (back - DIES)
        for call in recorder.records:
            assert call.outcome in (Outcome.COMPLETED, Outcome.IN_PROGRESS)
            assert call.setup is not None
            copies = [call.start + offset for offset in GRID]
            due = GRID[bisect_left(copies, back)] if DIES <= call.start < back else 0.0
            assert call.setup == pytest.approx(due, abs=1e-9)
            delayed += due > 0
    assert abs(delayed - expected) < 4 * sqrt(expected), "rate × outage of them are delayed"


def test_an_outage_of_vrrp_shows_a_set_up_delay_of_three_and_a_half_seconds() -> None:
    recorders = [played(plan({"by": "vrrp"}), replication=k) for k in range(6)]
    shorter = [each for each in recorders if takeover(each).at - DIES <= 3.5]
    assert shorter
    for recorder in shorter:
        assert max(call.setup or 0 for call in recorder.records) == pytest.approx(3.5)


def test_calls_up_are_lost_when_the_pair_keeps_none_and_only_those() -> None:
    lost = 0
    for replication in range(5):
        recorder = played(plan({"by": "vrrp"}, "none", talk="4s"), replication=replication)
        for call in recorder.records:
            delivered = call.start + (call.setup or 0)
            up = delivered < DIES < delivered + 4
            assert (call.outcome is Outcome.DROPPED) == up
            if up:
                assert call.end == DIES
                lost += 1
    assert abs(lost - 5 * RATE * 4) < 4 * sqrt(5 * RATE * 4), "Little: rate × talk are up"


def test_ports_are_taken_on_arrival_so_that_a_takeover_meets_bursts_at_the_offsets() -> None:
    """All who dialled from 100.1 to 100.6 s knock again 3.5 s later; a pair with too few ports refuses the rest."""
    tight = drill(
        sbc_pairs={
            "edge": {"site": "tokyo", "ports": 10, "detect": {"by": "options", "every": "10ms", "timeout": "3.2s"}},
        },
        faults=[{"name": "node", "at": "100s", "pair": "edge", "fails": "active"}],
    )
    recorder = played(tight, callers(*(Caller(100.1 + i / 100, talk=60) for i in range(50))))
    outcomes = [call.outcome for call in sorted(recorder.records)]
    assert outcomes == [Outcome.COMPLETED] * 10 + [Outcome.BLOCKED] * 40
    assert all(
        call.end == pytest.approx(call.start + 3.5) for call in recorder.records if call.outcome is Outcome.BLOCKED
    )


@pytest.mark.parametrize("patience", [0.25, 2.0, 31.0, 40.0])
def test_a_pair_that_never_returns_costs_each_caller_patience_or_timer_b(patience: float) -> None:
    dead = drill(faults=[{"name": "pair", "at": "100s", "pair": "edge"}])
    (call,) = played(dead, callers(Caller(150, patience=patience))).records
    assert call.end - call.start == min(patience, 32)
    assert call.sip == (408 if patience > 32 else 487)
