"""The redundant pair against a table drawn by hand, and detection times against those measured on real pairs."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions import pair
from sbc.decisions.pair import Effect, Event, State, detection_delay, loss, repair, resignation_delay, step
from sbc.decisions.table import ImpossibleEventError
from scenarios.model import OptionsDetection, VrrpDetection
from tests.tables import IMPOSSIBLE, Drawing

# Two nodes, one service address. Rows are (nodes up, who holds the address, whether it answers); only the holder can be
# lost or hang as active, only one that is up without holding can be lost as standby, only one that waits can detect,
# only a dead one can come back, only the holder that hung can recover; to resign or to be preempted takes two that are
# well. A cut link or a lost advert matters between two that are well: the other waits to be sure of what is not so.
REDUNDANT, ALONE, SILENT, ELECTING, DOWN = State.REDUNDANT, State.ALONE, State.SILENT, State.ELECTING, State.DOWN
HUNG, STUCK, APART, SPLIT = State.HUNG, State.STUCK, State.APART, State.SPLIT
DRAWN: dict[State, dict[Event, tuple[State, tuple[Effect, ...]] | None]] = {
    REDUNDANT: {
        Event.ACTIVE_LOST: (SILENT, (Effect.NODE_GONE, Effect.WATCH)),
        Event.STANDBY_LOST: (ALONE, ()),
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: IMPOSSIBLE,
        Event.NODE_BACK: IMPOSSIBLE,
        Event.ACTIVE_HUNG: (HUNG, (Effect.NODE_GONE, Effect.WATCH)),
        Event.RECOVERED: IMPOSSIBLE,
        Event.RESTARTED: IMPOSSIBLE,
        Event.RESIGNED: (ELECTING, (Effect.STEP_DOWN, Effect.WATCH_RESIGNED)),
        Event.PREEMPTED: (REDUNDANT, (Effect.STEP_DOWN, Effect.TAKE_OVER)),
        Event.LINK_CUT: (APART, (Effect.WATCH,)),
        Event.LINK_BACK: IMPOSSIBLE,
        Event.ADVERT_MISSED: (APART, (Effect.WATCH_ON,)),
        Event.ADVERT_HEARD: IMPOSSIBLE,
    },
    ALONE: {
        Event.ACTIVE_LOST: (DOWN, (Effect.NODE_GONE, Effect.CALLS_GONE)),
        Event.STANDBY_LOST: IMPOSSIBLE,
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: IMPOSSIBLE,
        Event.NODE_BACK: (REDUNDANT, ()),
        Event.ACTIVE_HUNG: (STUCK, (Effect.NODE_GONE,)),
        Event.RECOVERED: IMPOSSIBLE,
        Event.RESTARTED: IMPOSSIBLE,
        Event.RESIGNED: IMPOSSIBLE,
        Event.PREEMPTED: IMPOSSIBLE,
        Event.LINK_CUT: IMPOSSIBLE,
        Event.LINK_BACK: IMPOSSIBLE,
        Event.ADVERT_MISSED: IMPOSSIBLE,
        Event.ADVERT_HEARD: IMPOSSIBLE,
    },
    SILENT: {
        Event.ACTIVE_LOST: IMPOSSIBLE,
        Event.STANDBY_LOST: (DOWN, (Effect.CALLS_GONE,)),
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: (ALONE, (Effect.TAKE_OVER,)),
        Event.NODE_BACK: (ELECTING, ()),
        Event.ACTIVE_HUNG: IMPOSSIBLE,
        Event.RECOVERED: IMPOSSIBLE,
        Event.RESTARTED: IMPOSSIBLE,
        Event.RESIGNED: IMPOSSIBLE,
        Event.PREEMPTED: IMPOSSIBLE,
        Event.LINK_CUT: IMPOSSIBLE,
        Event.LINK_BACK: IMPOSSIBLE,
        Event.ADVERT_MISSED: IMPOSSIBLE,
        Event.ADVERT_HEARD: IMPOSSIBLE,
    },
    ELECTING: {
        Event.ACTIVE_LOST: IMPOSSIBLE,
        Event.STANDBY_LOST: (SILENT, (Effect.CALLS_GONE, Effect.WATCH_ANEW)),
        Event.RETURNED_LOST: (SILENT, ()),
        Event.DETECTED: (REDUNDANT, (Effect.TAKE_OVER,)),
        Event.NODE_BACK: IMPOSSIBLE,
        Event.ACTIVE_HUNG: IMPOSSIBLE,
        Event.RECOVERED: IMPOSSIBLE,
        Event.RESTARTED: IMPOSSIBLE,
        Event.RESIGNED: IMPOSSIBLE,
        Event.PREEMPTED: IMPOSSIBLE,
        Event.LINK_CUT: IMPOSSIBLE,
        Event.LINK_BACK: IMPOSSIBLE,
        Event.ADVERT_MISSED: IMPOSSIBLE,
        Event.ADVERT_HEARD: IMPOSSIBLE,
    },
    DOWN: {
        Event.ACTIVE_LOST: IMPOSSIBLE,
        Event.STANDBY_LOST: IMPOSSIBLE,
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: IMPOSSIBLE,
        Event.NODE_BACK: (SILENT, (Effect.WATCH_ANEW,)),
        Event.ACTIVE_HUNG: IMPOSSIBLE,
        Event.RECOVERED: IMPOSSIBLE,
        Event.RESTARTED: IMPOSSIBLE,
        Event.RESIGNED: IMPOSSIBLE,
        Event.PREEMPTED: IMPOSSIBLE,
        Event.LINK_CUT: IMPOSSIBLE,
        Event.LINK_BACK: IMPOSSIBLE,
        Event.ADVERT_MISSED: IMPOSSIBLE,
        Event.ADVERT_HEARD: IMPOSSIBLE,
    },
    HUNG: {
        Event.ACTIVE_LOST: (SILENT, (Effect.WATCH,)),
        Event.STANDBY_LOST: (STUCK, (Effect.STOP_WATCH,)),
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: (ALONE, (Effect.TAKE_OVER,)),
        Event.NODE_BACK: IMPOSSIBLE,
        Event.ACTIVE_HUNG: IMPOSSIBLE,
        Event.RECOVERED: (REDUNDANT, (Effect.STOP_WATCH, Effect.SERVE_ON)),
        Event.RESTARTED: (REDUNDANT, (Effect.STOP_WATCH, Effect.CALLS_GONE, Effect.SERVE_ON)),
        Event.RESIGNED: IMPOSSIBLE,
        Event.PREEMPTED: IMPOSSIBLE,
        Event.LINK_CUT: IMPOSSIBLE,
        Event.LINK_BACK: IMPOSSIBLE,
        Event.ADVERT_MISSED: IMPOSSIBLE,
        Event.ADVERT_HEARD: IMPOSSIBLE,
    },
    STUCK: {
        Event.ACTIVE_LOST: (DOWN, (Effect.CALLS_GONE,)),
        Event.STANDBY_LOST: IMPOSSIBLE,
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: IMPOSSIBLE,
        Event.NODE_BACK: (HUNG, (Effect.WATCH_ANEW,)),
        Event.ACTIVE_HUNG: IMPOSSIBLE,
        Event.RECOVERED: (ALONE, (Effect.SERVE_ON,)),
        Event.RESTARTED: (ALONE, (Effect.CALLS_GONE, Effect.SERVE_ON)),
        Event.RESIGNED: IMPOSSIBLE,
        Event.PREEMPTED: IMPOSSIBLE,
        Event.LINK_CUT: IMPOSSIBLE,
        Event.LINK_BACK: IMPOSSIBLE,
        Event.ADVERT_MISSED: IMPOSSIBLE,
        Event.ADVERT_HEARD: IMPOSSIBLE,
    },
    APART: {
        Event.ACTIVE_LOST: (SILENT, (Effect.NODE_GONE,)),
        Event.STANDBY_LOST: (ALONE, (Effect.STOP_WATCH,)),
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: (SPLIT, (Effect.SERVE_TOO,)),
        Event.NODE_BACK: IMPOSSIBLE,
        Event.ACTIVE_HUNG: IMPOSSIBLE,
        Event.RECOVERED: IMPOSSIBLE,
        Event.RESTARTED: IMPOSSIBLE,
        Event.RESIGNED: IMPOSSIBLE,
        Event.PREEMPTED: IMPOSSIBLE,
        Event.LINK_CUT: IMPOSSIBLE,
        Event.LINK_BACK: (REDUNDANT, (Effect.STOP_WATCH,)),
        Event.ADVERT_MISSED: IMPOSSIBLE,
        Event.ADVERT_HEARD: (REDUNDANT, (Effect.STOP_WATCH,)),
    },
    SPLIT: {
        Event.ACTIVE_LOST: (ALONE, (Effect.NODE_GONE, Effect.TAKE_OVER)),
        Event.STANDBY_LOST: (ALONE, (Effect.OTHER_GONE,)),
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: IMPOSSIBLE,
        Event.NODE_BACK: IMPOSSIBLE,
        Event.ACTIVE_HUNG: IMPOSSIBLE,
        Event.RECOVERED: IMPOSSIBLE,
        Event.RESTARTED: IMPOSSIBLE,
        Event.RESIGNED: IMPOSSIBLE,
        Event.PREEMPTED: IMPOSSIBLE,
        Event.LINK_CUT: IMPOSSIBLE,
        Event.LINK_BACK: (REDUNDANT, (Effect.MERGE,)),
        Event.ADVERT_MISSED: IMPOSSIBLE,
        Event.ADVERT_HEARD: (REDUNDANT, (Effect.MERGE,)),
    },
}
NODES_UP = {REDUNDANT: 2, ALONE: 1, SILENT: 1, ELECTING: 2, DOWN: 0, HUNG: 2, STUCK: 1, APART: 2, SPLIT: 2}
"""Hung ones included."""
HOLDER = {
    REDUNDANT: "well", ALONE: "well", SILENT: "", ELECTING: "", DOWN: "", HUNG: "hung", STUCK: "hung", APART: "well",
    SPLIT: "well",
}  # fmt: skip


DRAWING = Drawing(State, Event, Effect, pair.TABLE, step, DRAWN)


def test_the_drawing_has_a_cell_for_every_state_and_event() -> None:
    assert DRAWING.is_complete()


def test_every_state_meets_every_event_as_drawn() -> None:
    assert DRAWING.disagreements() == []


@pytest.mark.parametrize("row", list(pair.TABLE), ids=lambda row: f"{row[0].name}-{row[1].name}")
def test_losing_or_redirecting_any_row_is_noticed(row: tuple[State, Event]) -> None:
    assert DRAWING.unnoticed(row) == []


def test_an_event_that_cannot_happen_is_refused_by_name() -> None:
    with pytest.raises(ImpossibleEventError, match="up again"):
        step(REDUNDANT, Event.NODE_BACK)


@given(events=st.lists(st.sampled_from(Event), max_size=60))
def test_the_drawing_counts_nodes_and_watches_them_whenever_one_waits(events: list[Event]) -> None:
    """The hand-drawn table is itself held against a count of nodes, from any history the machine allows."""
    state, up, holder, watched, link = REDUNDANT, 2, "well", False, "whole"
    for event in events:
        waiting = up - bool(holder)
        possible = {
            Event.ACTIVE_LOST: holder != "",
            Event.STANDBY_LOST: waiting > 0,
            Event.RETURNED_LOST: waiting == 2,
            Event.DETECTED: waiting > 0 and (holder != "well" or link == "cut"),
            Event.NODE_BACK: up < 2,
            Event.ACTIVE_HUNG: holder == "well" and link == "whole",
            Event.RECOVERED: holder == "hung",
            Event.RESTARTED: holder == "hung",
            Event.RESIGNED: waiting > 0 and holder == "well" and link == "whole",
            Event.PREEMPTED: waiting > 0 and holder == "well" and link == "whole",
            Event.LINK_CUT: waiting > 0 and holder == "well" and link == "whole",
            Event.LINK_BACK: link != "whole",
            Event.ADVERT_MISSED: waiting > 0 and holder == "well" and link == "whole",
            Event.ADVERT_HEARD: link != "whole",
        }[event]
        if not possible:
            with pytest.raises(ImpossibleEventError):
                step(state, event)
            continue
        served = holder == "well"
        was_hung, was_split = holder == "hung", link == "split"
        state, effects = step(state, event)
        heir_lost = event is Event.STANDBY_LOST and waiting == 2
        match event:
            case Event.ACTIVE_LOST:
                up, holder, link = up - 1, "well" if was_split else "", "whole"
            case Event.STANDBY_LOST | Event.RETURNED_LOST:
                up, link = up - 1, "whole"
            case Event.NODE_BACK:
                up += 1
            case Event.ACTIVE_HUNG:
                holder = "hung"
            case Event.RECOVERED | Event.RESTARTED:
                holder = "well"
            case Event.RESIGNED:
                holder = ""
            case Event.LINK_CUT | Event.ADVERT_MISSED:
                link = "cut"
            case Event.LINK_BACK | Event.ADVERT_HEARD:
                link = "whole"
            case Event.DETECTED if link == "cut":
                link = "split"
            case Event.DETECTED:
                up, holder = up - was_hung, "well"  # the other gives a hung node up as dead
            case Event.PREEMPTED:
                pass
        begun = {Effect.WATCH, Effect.WATCH_ON, Effect.WATCH_ANEW, Effect.WATCH_RESIGNED} & set(effects)
        ended = {Effect.STOP_WATCH, Effect.CALLS_GONE, Effect.TAKE_OVER, Effect.SERVE_TOO} & set(effects)
        watched = bool(begun) or (watched and not ended)
        assert (NODES_UP[state], HOLDER[state]) == (up, holder)
        assert pair.serves(state) == (holder == "well")
        assert pair.holds(state) == (holder != "")
        assert watched == (up - bool(holder) > 0 and (holder != "well" or link == "cut"))
        assert (Effect.CALLS_GONE in effects) == (up == 0 or heir_lost or event is Event.RESTARTED)
        taken = (event is Event.DETECTED and link != "split") or event is Event.PREEMPTED
        assert (Effect.TAKE_OVER in effects) == (taken or (event is Event.ACTIVE_LOST and was_split))
        assert (Effect.SERVE_TOO in effects) == (event is Event.DETECTED and link == "split")
        assert (Effect.MERGE in effects) == (event in (Event.LINK_BACK, Event.ADVERT_HEARD) and was_split)
        assert (Effect.OTHER_GONE in effects) == (event is Event.STANDBY_LOST and was_split)
        assert (Effect.NODE_GONE in effects) == (event in (Event.ACTIVE_LOST, Event.ACTIVE_HUNG) and served)
        assert (Effect.SERVE_ON in effects) == (event in (Event.RECOVERED, Event.RESTARTED))
        assert (Effect.STEP_DOWN in effects) == (event in (Event.RESIGNED, Event.PREEMPTED))


# Measured: takeover = (3 - phase) adverts + skew; skew = (256 - 100) / 256 adverts, for the default priority of 100.


@pytest.mark.parametrize(
    ("advert", "phase", "seconds"),
    [(1.0, 0.0, 3.609375), (1.0, 0.5, 3.109375), (1.0, 1.0, 2.609375), (0.1, 0.0, 0.3609375), (0.1, 1.0, 0.2609375)],
)
def test_vrrp_waits_for_three_adverts_and_the_skew_after_the_last_one(
    advert: float, phase: float, seconds: float
) -> None:
    assert detection_delay(VrrpDetection(by="vrrp", advert=f"{advert}s"), phase) == pytest.approx(seconds)


@pytest.mark.parametrize(("advert", "fastest", "slowest"), [("1s", 2.95, 3.40), ("100ms", 0.27, 0.35)])
def test_times_measured_on_keepalived_lie_within_those_the_law_allows(
    advert: str, fastest: float, slowest: float
) -> None:
    detect = VrrpDetection(by="vrrp", advert=advert)
    assert detection_delay(detect, 1.0) <= fastest <= slowest <= detection_delay(detect, 0.0)
    spread = detection_delay(detect, 0.0) - detection_delay(detect, 1.0)
    assert slowest - fastest <= spread, "one advert is all that the phase can make"


@pytest.mark.parametrize(("priority", "skew"), [(1, 255 / 256), (100, 156 / 256), (254, 2 / 256)])
def test_a_standby_of_higher_priority_is_sure_sooner(priority: int, skew: float) -> None:
    detect = VrrpDetection(by="vrrp", advert="2s", priority=priority)
    assert detection_delay(detect, 0.0) == pytest.approx(2 * (3 + skew))


@given(phase=st.floats(0, 1))
def test_a_probe_fails_at_the_next_interval_by_its_own_timeout(phase: float) -> None:
    detect = OptionsDetection(by="options", every="10s", timeout="2s")
    assert detection_delay(detect, phase) == pytest.approx(10 * (1 - phase) + 2)


def test_probes_of_one_second_find_a_dead_server_as_late_as_measured() -> None:
    """Last new call hit after 2.0 to 2.7 s with a time-out of 2 s, 0.5 to 1.2 s with 0.5 s; probes every second."""
    for timeout, first, last in (("2s", 2.0, 2.7), ("500ms", 0.5, 1.2)):
        detect = OptionsDetection(by="options", every="1s", timeout=timeout)
        assert detection_delay(detect, 1.0) <= first <= last <= detection_delay(detect, 0.0)


# Measured: the SIP process killed, checked every 1 s, fall 1: 1.5 s with adverts of 1 s, 0.95 s with those of 0.1 s;
# not checked: never. The node resigns with priority 0 (RFC 5798 §6.4.3) and the standby waits its skew.


@pytest.mark.parametrize(
    ("advert", "phase", "seconds"),
    [("1s", 0.0, 1.609375), ("1s", 1.0, 0.609375), ("100ms", 0.0, 1.0609375), ("100ms", 0.5, 0.5609375)],
)
def test_a_checked_process_resigns_at_the_next_check_and_the_standby_waits_its_skew(
    advert: str, phase: float, seconds: float
) -> None:
    detect = VrrpDetection(by="vrrp", advert=advert, track="1s")
    assert detection_delay(detect, phase, hung=True) == pytest.approx(seconds)


@pytest.mark.parametrize(("advert", "measured"), [("1s", 1.5), ("100ms", 0.95)])
def test_times_measured_with_a_checked_process_lie_within_those_the_law_allows(advert: str, measured: float) -> None:
    detect = VrrpDetection(by="vrrp", advert=advert, track="1s")
    assert detection_delay(detect, 1.0, hung=True) <= measured <= detection_delay(detect, 0.0, hung=True)


def test_a_hung_node_that_nobody_checks_is_never_noticed_and_a_probe_takes_it_for_dead() -> None:
    assert detection_delay(VrrpDetection(by="vrrp"), 0.5, hung=True) == inf
    probed = OptionsDetection(by="options", every="10s", timeout="2s")
    assert detection_delay(probed, 0.25, hung=True) == detection_delay(probed, 0.25) == 9.5


def test_checks_of_the_process_do_not_hasten_the_detection_of_a_dead_node() -> None:
    assert detection_delay(VrrpDetection(by="vrrp", track="100ms"), 0.0) == detection_delay(
        VrrpDetection(by="vrrp"), 0.0
    )


def test_after_a_resignation_the_standby_waits_its_skew_or_is_moved_at_once() -> None:
    assert resignation_delay(VrrpDetection(by="vrrp", advert="2s", priority=128)) == 1.0
    assert resignation_delay(OptionsDetection(by="options")) == 0.0


# What a fault and its repair mean, by the part the node plays

LOSSES: dict[State, tuple[Event | None, Event | None, Event | None]] = {
    # the one that serves, or served last: dies, hangs; the other: dies or hangs. None: it is not up.
    REDUNDANT: (Event.ACTIVE_LOST, Event.ACTIVE_HUNG, Event.STANDBY_LOST),
    ALONE: (Event.ACTIVE_LOST, Event.ACTIVE_HUNG, None),
    SILENT: (None, None, Event.STANDBY_LOST),
    ELECTING: (Event.RETURNED_LOST, Event.RETURNED_LOST, Event.STANDBY_LOST),
    DOWN: (None, None, None),
    HUNG: (Event.ACTIVE_LOST, None, Event.STANDBY_LOST),
    STUCK: (Event.ACTIVE_LOST, None, None),
    APART: (Event.ACTIVE_LOST, Event.ACTIVE_LOST, Event.STANDBY_LOST),
    SPLIT: (Event.ACTIVE_LOST, Event.ACTIVE_LOST, Event.STANDBY_LOST),
}


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_a_loss_means_what_the_part_of_the_node_makes_it(state: State) -> None:
    dies, hangs, other = LOSSES[state]
    assert dies in (None, loss(state, last=True, heir=False, hung=False))
    assert hangs in (None, loss(state, last=True, heir=False, hung=True))
    assert other is None or {loss(state, last=False, heir=True, hung=hung) for hung in (False, True)} == {other}
    for event in filter(None, LOSSES[state]):
        step(state, event)


def test_after_the_loss_of_both_the_node_that_waits_may_be_the_one_that_served_last() -> None:
    assert loss(ELECTING, last=True, heir=True, hung=False) is Event.STANDBY_LOST
    assert loss(ELECTING, last=False, heir=False, hung=False) is Event.RETURNED_LOST


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_only_the_node_that_holds_the_address_recovers_in_place(state: State) -> None:
    assert repair(state, last=True, emptied=False) is (Event.RECOVERED if HOLDER[state] else Event.NODE_BACK)
    assert repair(state, last=True, emptied=True) is (Event.RESTARTED if HOLDER[state] else Event.NODE_BACK)
    for emptied in (False, True):
        assert repair(state, last=False, emptied=emptied) is Event.NODE_BACK
