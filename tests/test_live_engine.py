"""Drills on real sockets: nodes are processes, faults are signals, and outcomes are computed by hand.

Times are compared to a fifth of a second: other programs of the machine have their turn, too.
"""

import pytest

from scenarios.evidence import CallRecord, EventKind, Outcome
from tests.drills import Caller, ListRecorder, callers, drill, played

CLOSE = 0.2
OFFSETS = (0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)  # RFC 3261 §17.1.1.2: T1 doubled from copy to copy, up to 64·T1

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def in_order(recorder: ListRecorder) -> list[CallRecord]:
    return sorted(recorder.records, key=lambda call: call.attempt)


def outage(recorder: ListRecorder) -> tuple[float, float]:
    """Return when the pair fell silent, and when it answered again."""
    (lost,), (took_over,) = recorder.of(EventKind.NODE_LOST), recorder.of(EventKind.TAKEOVER)
    assert took_over.at - lost.at == pytest.approx(float(took_over.detail["outage"]))
    return lost.at, took_over.at


@pytest.mark.parametrize(
    ("detect", "earliest", "latest"),
    [
        ({"by": "vrrp", "advert": "1s"}, 2.6, 3.7),  # three adverts since the last one, and 156/256 s
        ({"by": "vrrp", "advert": "100ms"}, 0.26, 0.37),
        ({"by": "options", "every": "1s", "timeout": "500ms"}, 0.5, 1.5),  # the next probe and its time-out
    ],
)
def test_calls_to_a_killed_node_come_through_with_the_first_copy_after_the_takeover(
    detect: dict[str, str], earliest: float, latest: float
) -> None:
    dials = (1.0, 1.5, 2.1, 2.2, 2.3, 2.7, 3.5, 4.0, 7.0)
    plan = drill(
        run={"for": "12s", "warm": False},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 99, "detect": detect}},
        faults=[{"name": "lost", "at": "2s", "pair": "edge", "fails": "active"}],
    )
    recorder = played(plan, callers(*(Caller(at, talk=2.0) for at in dials)), engine="live")
    silent, again = outage(recorder)
    assert silent == pytest.approx(2.0, abs=CLOSE)
    assert 2 + earliest - 0.05 <= again <= 2 + latest + CLOSE
    for at, call in zip(dials, in_order(recorder), strict=True):
        assert call.outcome is Outcome.COMPLETED, call
        copies = [offset for offset in OFFSETS if not silent < at + offset < again]
        assert call.setup == pytest.approx(copies[0], abs=CLOSE) or min(abs(at + o - again) for o in OFFSETS) < CLOSE
        assert call.talk == pytest.approx(2.0, abs=CLOSE)


@pytest.mark.parametrize(("keeps", "dropped"), [("confirmed", 0), ("none", 3)])
def test_calls_that_were_up_are_lost_with_their_node_or_kept_as_the_pair_says(keeps: str, dropped: int) -> None:
    plan = drill(
        run={"for": "12s", "warm": False},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 9, "keeps": keeps, "detect": {"by": "vrrp", "advert": "100ms"}}},
        faults=[{"name": "lost", "at": "2s", "pair": "edge", "fails": "active"}],
    )
    load = callers(*(Caller(at, talk) for at, talk in ((0.2, 1.0), (0.5, 7.0), (1.0, 8.0), (1.5, 7.5), (5.0, 1.0))))
    recorder = played(plan, load, engine="live")
    assert [call.outcome for call in in_order(recorder)].count(Outcome.DROPPED) == dropped
    assert len(recorder.records) == 5


def test_a_hung_process_is_found_out_by_a_check_of_it_and_by_nothing_else() -> None:
    def hung(track: dict[str, str]) -> ListRecorder:
        plan = drill(
            run={"for": "7s", "warm": False},
            sbc_pairs={"edge": {"site": "tokyo", "ports": 9, "detect": {"by": "vrrp", "advert": "100ms", **track}}},
            faults=[{"name": "hung", "at": "2s", "pair": "edge", "fails": "active", "how": "hung", "for": "3s"}],
        )
        return played(plan, callers(Caller(1, 1), Caller(6, 0.5)), engine="live")

    silent, again = outage(hung({"track": "500ms"}))
    assert again - silent <= 0.5 + 0.1 + 0.1 + CLOSE  # the next check, its time-out, and the skew after a resignation
    silent, again = outage(hung({}))
    assert again == pytest.approx(5.0, abs=CLOSE)  # until it goes on by itself


def test_a_planned_switch_costs_the_skew_of_the_other_node() -> None:
    plan = drill(
        run={"for": "8s", "warm": False},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 9, "detect": {"by": "vrrp", "advert": "1s"}}},
        runbook=[{"step": "move", "by": "operator", "starts": {"at": "2s"}, "takes": "0s", "does": {"switch": "edge"}}],
    )
    recorder = played(plan, callers(Caller(1, 5), Caller(2.3, 2), Caller(4, 1)), engine="live")
    _, again = outage(recorder)
    assert again == pytest.approx(2 + 156 / 256, abs=CLOSE)
    assert [call.outcome for call in recorder.records] == [Outcome.COMPLETED] * 3
    assert in_order(recorder)[1].setup == pytest.approx(0.5, abs=CLOSE)
