"""Softphone registration against a table drawn by hand, waits against RFC 5626 and S12, and what a registrar takes."""

from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions import registration
from sbc.decisions.registration import CLIENTS, Effect, Event, Registrar, State, retry_after, step
from sbc.decisions.table import ImpossibleEventError
from scenarios.model import Softphone
from tests.tables import IMPOSSIBLE, Drawing

OFF, WAITING, REGISTERING, REGISTERED = State.OFF, State.WAITING, State.REGISTERING, State.REGISTERED
AGAIN = (WAITING, (Effect.RETRY_LATER,))
SEND = (REGISTERING, (Effect.SEND,))
LEAVE = (OFF, (Effect.DOWN,))

# Only a phone that is off can be set to a site, only a REGISTER under way can be answered or fail, only a phone that
# waits for something can have its time come.
DRAWN: dict[State, dict[Event, tuple[State, tuple[Effect, ...]] | None]] = {
    OFF: {
        Event.SET: (WAITING, (Effect.START,)),
        Event.SIGNED_OUT: IMPOSSIBLE,
        Event.DUE: IMPOSSIBLE,
        Event.ACCEPTED: IMPOSSIBLE,
        Event.ADVANCE: IMPOSSIBLE,
        Event.FAILED: IMPOSSIBLE,
        Event.DISCONNECTED: IMPOSSIBLE,
    },
    WAITING: {
        Event.SET: IMPOSSIBLE,
        Event.SIGNED_OUT: LEAVE,
        Event.DUE: SEND,
        Event.ACCEPTED: IMPOSSIBLE,
        Event.ADVANCE: IMPOSSIBLE,
        Event.FAILED: IMPOSSIBLE,
        Event.DISCONNECTED: IMPOSSIBLE,
    },
    REGISTERING: {
        Event.SET: IMPOSSIBLE,
        Event.SIGNED_OUT: LEAVE,
        Event.DUE: IMPOSSIBLE,
        Event.ACCEPTED: (REGISTERED, (Effect.UP, Effect.REFRESH_LATER)),
        Event.ADVANCE: (REGISTERING, (Effect.DOWN, Effect.NEXT_SITE, Effect.SEND)),
        Event.FAILED: AGAIN,
        Event.DISCONNECTED: AGAIN,
    },
    REGISTERED: {
        Event.SET: IMPOSSIBLE,
        Event.SIGNED_OUT: LEAVE,
        Event.DUE: SEND,
        Event.ACCEPTED: IMPOSSIBLE,
        Event.ADVANCE: IMPOSSIBLE,
        Event.FAILED: IMPOSSIBLE,
        Event.DISCONNECTED: AGAIN,
    },
}


DRAWING = Drawing(State, Event, Effect, registration.TABLE, step, DRAWN)


def test_the_drawing_has_a_cell_for_every_state_and_event() -> None:
    assert DRAWING.is_complete()


def test_every_state_meets_every_event_as_drawn() -> None:
    assert DRAWING.disagreements() == []


@pytest.mark.parametrize("row", list(registration.TABLE), ids=lambda row: f"{row[0].name}-{row[1].name}")
def test_losing_or_redirecting_any_row_is_noticed(row: tuple[State, Event]) -> None:
    assert DRAWING.unnoticed(row) == []


def test_an_event_that_cannot_happen_is_refused_by_name() -> None:
    with pytest.raises(ImpossibleEventError, match="answers 200"):
        step(OFF, Event.ACCEPTED)


@given(events=st.lists(st.sampled_from(Event), max_size=40))
def test_a_phone_is_registered_once_for_each_register_it_sent_and_always_has_something_to_wait_for(
    events: list[Event],
) -> None:
    state, under_way, timer = State.OFF, 0, False
    for event in events:
        try:
            state, effects = step(state, event)
        except ImpossibleEventError:
            continue
        if event in (Event.ACCEPTED, Event.ADVANCE, Event.FAILED, Event.DISCONNECTED, Event.SIGNED_OUT):
            under_way = 0
        if event is Event.DUE:
            assert timer
        assert (Effect.UP in effects) == (event is Event.ACCEPTED)
        under_way += effects.count(Effect.SEND)
        timer = bool({Effect.START, Effect.REFRESH_LATER, Effect.RETRY_LATER} & set(effects))
        assert under_way == (state is REGISTERING)
        assert timer == (state in (WAITING, REGISTERED))


# Waits

# RFC 5626, appendix B, in seconds: failures in a row, all flows failed, another flow is up.
SAMPLE_DELAYS = {
    1: ((30, 60), (90, 180)),
    2: ((60, 120), (180, 360)),
    3: ((120, 240), (360, 720)),
    4: ((240, 480), (720, 1440)),
    5: ((480, 960), (900, 1800)),
    6: ((900, 1800), (900, 1800)),
    60: ((900, 1800), (900, 1800)),
    2000: ((900, 1800), (900, 1800)),
}


def ends(name: str, failures: int, *, line: bool = False, expires: float = 300.0) -> tuple[float, float]:
    low, high = (retry_after(CLIENTS[name], failures, draw, expires=expires, line=line) for draw in (0.0, 1.0))
    return low, high


@pytest.mark.parametrize("failures", SAMPLE_DELAYS)
def test_waits_are_those_that_rfc_5626_tabulates(failures: int) -> None:
    alone, beside = SAMPLE_DELAYS[failures]
    assert ends("rfc5626", failures) == alone
    assert ends("rfc5626", failures, line=True) == beside
    middle = retry_after(CLIENTS["rfc5626"], failures, 0.5, expires=300.0)
    assert middle == sum(alone) / 2


@pytest.mark.parametrize(
    ("name", "failures", "waits"),
    [
        ("pjsua", 1, (0, 0)),
        ("pjsua", 2, (290, 310)),
        ("pjsua", 9, (290, 310)),
        ("audiocodes", 1, (32, 32)),
        ("audiocodes", 5, (32, 32)),
        ("snom", 1, (300, 300)),
        ("asterisk", 3, (60, 60)),
        ("linphone", 1, (300, 300)),
        ("plain", 1, (150, 150)),
    ],
)
def test_clients_wait_as_measured_and_documented(name: str, failures: int, waits: tuple[float, float]) -> None:
    assert ends(name, failures) == pytest.approx(waits)


@given(failures=st.integers(1, 12), draw=st.floats(0, 1, exclude_max=True))
def test_jssip_waits_within_a_second_of_its_whole_seconds(failures: int, draw: float) -> None:
    """Its own law draws from 1, 2, … 2^n seconds, and then keeps to 2 … 30."""
    whole = min(max(floor(draw * 2**failures) + 1, 2), 30)
    assert abs(retry_after(CLIENTS["jssip"], failures, draw, expires=600.0) - whole) <= 1


@pytest.mark.parametrize(("name", "after"), [("plain", 118.0), ("linphone", 268.0)])
def test_what_goes_by_the_expiry_counts_from_when_the_last_register_was_sent(name: str, after: float) -> None:
    assert retry_after(CLIENTS[name], 1, 0.3, expires=300.0, since_sent=32.0) == after
    assert retry_after(CLIENTS[name], 1, 0.3, expires=20.0, since_sent=32.0) == 0


@pytest.mark.parametrize("name", CLIENTS)
@given(draws=st.lists(st.floats(0, 1), min_size=40, max_size=40))
def test_however_it_is_drawn_no_client_tries_more_often_than_every_other_second(name: str, draws: list[float]) -> None:
    now, sent = 0.0, 1
    for failures, draw in enumerate(draws, 1):
        now += retry_after(CLIENTS[name], failures, draw, expires=300.0)
        sent += 1
        assert sent <= 2 + now / 2


def test_the_language_knows_the_clients_that_there_are() -> None:
    for name in CLIENTS:
        assert Softphone.model_validate({"sites": ["tokyo"], "client": name}).client == name
    assert set(Softphone.model_json_schema()["properties"]["client"]["enum"]) == set(CLIENTS)


# Registrars


def test_a_registrar_takes_its_rate_in_any_one_second_and_refuses_what_is_above() -> None:
    registrar = Registrar(3.0)
    asked = [0.0, 0.1, 0.2, 0.3, 0.9, 1.0, 1.05, 1.125, 1.25]
    assert [registrar.arrives(now) for now in asked] == [True, True, True, False, False, True, False, True, True]


def test_a_registrar_slower_than_one_a_second_takes_one_and_then_rests() -> None:
    registrar = Registrar(0.25)
    assert [registrar.arrives(now) for now in (0.0, 1.0, 3.9, 4.0, 7.9, 8.0)] == [True, False, False, True, False, True]


def test_the_peak_counts_what_arrives_in_one_second_refused_or_not() -> None:
    registrar = Registrar(1.0)
    for now in (0.0, 0.4, 0.8, 1.2, 1.3, 5.0):
        registrar.arrives(now)
    assert registrar.sample(5.5) == 4, "0.4, 0.8, 1.2 and 1.3"
    assert registrar.sample(5.9) == 1, "that of 5.0 is still within the second"
    assert registrar.sample(9.0) == 1, "since it was last asked"
    assert registrar.sample(9.5) == 0


@given(
    rate=st.integers(1, 6),
    gaps=st.lists(st.integers(0, 800).map(lambda thousandths: thousandths / 1000), max_size=60),
)
def test_no_second_holds_more_than_the_rate_and_none_is_refused_without_need(rate: int, gaps: list[float]) -> None:
    registrar, now, taken = Registrar(float(rate)), 0.0, list[float]()
    for gap in gaps:
        now += gap
        room = sum(at > now - 1 for at in taken) < rate
        assert registrar.arrives(now) == room
        if room:
            taken.append(now)


@given(
    name=st.sampled_from(sorted(CLIENTS)), failures=st.integers(1, 9), draw=st.floats(0, 1), asked=st.floats(0, 3600)
)
def test_what_a_registrar_asks_for_passes_before_the_own_wait_of_a_client(
    name: str, failures: int, draw: float, asked: float
) -> None:
    own = retry_after(CLIENTS[name], failures, draw, expires=300.0)
    assert retry_after(CLIENTS[name], failures, draw, expires=300.0, asked=asked) == asked + own
