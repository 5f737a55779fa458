"""The redundant pair against a table drawn by hand, and detection times against those measured on real pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions import pair
from sbc.decisions.pair import Effect, Event, State, detection_delay, step
from scenarios.model import OptionsDetection, VrrpDetection

IMPOSSIBLE = None

# Two nodes, one service address. Rows are (nodes up, somebody serves); only one that serves can be lost as active, only
# one that is up without serving as standby, only one that waits can detect, only a dead one can come back.
REDUNDANT, ALONE, SILENT, ELECTING, DOWN = State.REDUNDANT, State.ALONE, State.SILENT, State.ELECTING, State.DOWN
DRAWN: dict[State, dict[Event, tuple[State, tuple[Effect, ...]] | None]] = {
    REDUNDANT: {
        Event.ACTIVE_LOST: (SILENT, (Effect.NODE_GONE, Effect.WATCH)),
        Event.STANDBY_LOST: (ALONE, ()),
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: IMPOSSIBLE,
        Event.NODE_BACK: IMPOSSIBLE,
    },
    ALONE: {
        Event.ACTIVE_LOST: (DOWN, (Effect.NODE_GONE, Effect.CALLS_GONE)),
        Event.STANDBY_LOST: IMPOSSIBLE,
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: IMPOSSIBLE,
        Event.NODE_BACK: (REDUNDANT, ()),
    },
    SILENT: {
        Event.ACTIVE_LOST: IMPOSSIBLE,
        Event.STANDBY_LOST: (DOWN, (Effect.CALLS_GONE,)),
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: (ALONE, (Effect.TAKE_OVER,)),
        Event.NODE_BACK: (ELECTING, ()),
    },
    ELECTING: {
        Event.ACTIVE_LOST: IMPOSSIBLE,
        Event.STANDBY_LOST: (SILENT, (Effect.CALLS_GONE, Effect.WATCH_ANEW)),
        Event.RETURNED_LOST: (SILENT, ()),
        Event.DETECTED: (REDUNDANT, (Effect.TAKE_OVER,)),
        Event.NODE_BACK: IMPOSSIBLE,
    },
    DOWN: {
        Event.ACTIVE_LOST: IMPOSSIBLE,
        Event.STANDBY_LOST: IMPOSSIBLE,
        Event.RETURNED_LOST: IMPOSSIBLE,
        Event.DETECTED: IMPOSSIBLE,
        Event.NODE_BACK: (SILENT, (Effect.WATCH_ANEW,)),
    },
}
NODES_UP = {REDUNDANT: 2, ALONE: 1, SILENT: 1, ELECTING: 2, DOWN: 0}
SERVING = {REDUNDANT: True, ALONE: True, SILENT: False, ELECTING: False, DOWN: False}


def disagreements() -> list[tuple[State, Event]]:
    """Return the cells in which the machine does not do what is drawn above."""
    wrong = []
    for state, row in DRAWN.items():
        for event, drawn in row.items():
            try:
                done = step(state, event)
            except pair.ImpossibleEventError:
                done = None
            if done != drawn:
                wrong.append((state, event))
    return wrong


def test_the_drawing_has_a_cell_for_every_state_and_event() -> None:
    assert {(state, event) for state, row in DRAWN.items() for event in row} == {(s, e) for s in State for e in Event}


def test_every_state_meets_every_event_as_drawn() -> None:
    assert disagreements() == []


@pytest.mark.parametrize("row", list(pair.TABLE), ids=lambda row: f"{row[0].name}-{row[1].name}")
def test_losing_or_redirecting_any_row_is_noticed(row: tuple[State, Event], monkeypatch: pytest.MonkeyPatch) -> None:
    target, effects = pair.TABLE[row]
    broken = [(elsewhere, effects) for elsewhere in State if elsewhere is not target]
    broken += [(target, effects[:i] + effects[i + 1 :]) for i in range(len(effects))]
    broken += [(target, (*effects, effect)) for effect in Effect if effect not in effects]
    for other in broken:
        monkeypatch.setitem(pair.TABLE, row, other)
        assert disagreements() == [row]
    monkeypatch.delitem(pair.TABLE, row)
    assert disagreements() == [row]


def test_an_event_that_cannot_happen_is_refused_by_name() -> None:
    with pytest.raises(pair.ImpossibleEventError, match="up again"):
        step(REDUNDANT, Event.NODE_BACK)


@given(events=st.lists(st.sampled_from(Event), max_size=40))
def test_the_drawing_counts_nodes_and_watches_them_whenever_one_waits(events: list[Event]) -> None:
    """The hand-drawn table is itself held against a count of nodes, from any history the machine allows."""
    state, up, serving, watched = REDUNDANT, 2, True, False
    for event in events:
        waiting = up - serving
        possible = {
            Event.ACTIVE_LOST: serving,
            Event.STANDBY_LOST: waiting > 0,
            Event.RETURNED_LOST: waiting == 2,
            Event.DETECTED: waiting > 0 and not serving,
            Event.NODE_BACK: up < 2,
        }[event]
        if not possible:
            with pytest.raises(pair.ImpossibleEventError):
                step(state, event)
            continue
        state, effects = step(state, event)
        heir_lost = event is Event.STANDBY_LOST and waiting == 2
        up += {Event.DETECTED: 0, Event.NODE_BACK: 1}.get(event, -1)
        serving = event is Event.DETECTED or (serving and event is not Event.ACTIVE_LOST)
        begun = {Effect.WATCH, Effect.WATCH_ANEW} & set(effects)
        watched = bool(begun) or (watched and up > 0 and not serving)
        assert (NODES_UP[state], SERVING[state]) == (up, serving)
        assert pair.serves(state) == serving
        assert watched == (up > 0 and not serving)
        assert (Effect.CALLS_GONE in effects) == (up == 0 or heir_lost)
        assert (Effect.TAKE_OVER in effects) == (event is Event.DETECTED)
        assert (Effect.NODE_GONE in effects) == (event is Event.ACTIVE_LOST)


# MEASURED.md: takeover = (3 - phase) adverts + skew; skew = (256 - 100) / 256 adverts, for the default priority of 100.


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
