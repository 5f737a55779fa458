"""The four transaction machines against tables written out from the figures of RFC 3261 and RFC 6026, and RFC 4320."""

from typing import Any

import pytest

from sbc.decisions.timers import Timer
from sbc.sip import machines
from sbc.sip.machines import Effect, Event, Machine, State
from tests.grids import Pair, assert_every_mutation_is_noticed, disagreements, drawn

# States across, events down; a dot is a pair that cannot happen. Single letters are timers that fire.
GRIDS = {
    "INVITE_CLIENT": """
                     START    CALLING     PROCEEDING  COMPLETED   ACCEPTED    TERMINATED
    REQUEST          CALLING  .           .           .           .           .
    A                .        CALLING     .           .           .           .
    B                .        TERMINATED  .           .           .           .
    D                .        .           .           TERMINATED  .           .
    M                .        .           .           .           TERMINATED  .
    PROVISIONAL      .        PROCEEDING  PROCEEDING  COMPLETED   ACCEPTED    .
    SUCCESS          .        ACCEPTED    ACCEPTED    COMPLETED   ACCEPTED    .
    FAILURE          .        COMPLETED   COMPLETED   COMPLETED   ACCEPTED    .
    TRANSPORT_ERROR  .        TERMINATED  TERMINATED  TERMINATED  ACCEPTED    .
    ABANDONED        .        TERMINATED  TERMINATED  COMPLETED   ACCEPTED    .
    """,
    "NON_INVITE_CLIENT": """
                     START    TRYING      PROCEEDING  COMPLETED   TERMINATED
    REQUEST          TRYING   .           .           .           .
    E                .        TRYING      PROCEEDING  .           .
    E_SLOW           .        .           PROCEEDING  .           .
    F                .        TERMINATED  TERMINATED  .           .
    K                .        .           .           TERMINATED  .
    PROVISIONAL      .        PROCEEDING  PROCEEDING  COMPLETED   .
    FINAL            .        COMPLETED   COMPLETED   COMPLETED   .
    TRANSPORT_ERROR  .        TERMINATED  TERMINATED  COMPLETED   .
    ABANDONED        .        TERMINATED  TERMINATED  COMPLETED   .
    """,
    "INVITE_SERVER": """
                     START    TRYING      PROCEEDING  COMPLETED   CONFIRMED   ACCEPTED    TERMINATED
    REQUEST          TRYING   TRYING      PROCEEDING  COMPLETED   CONFIRMED   ACCEPTED    .
    ACK              .        TRYING      PROCEEDING  CONFIRMED   CONFIRMED   ACCEPTED    .
    TRYING           .        PROCEEDING  .           .           .           .           .
    G                .        .           .           COMPLETED   .           .           .
    H                .        .           .           TERMINATED  .           .           .
    I                .        .           .           .           TERMINATED  .           .
    L                .        .           .           .           .           TERMINATED  .
    PROVISIONAL      .        PROCEEDING  PROCEEDING  COMPLETED   CONFIRMED   ACCEPTED    .
    SUCCESS          .        ACCEPTED    ACCEPTED    COMPLETED   CONFIRMED   ACCEPTED    .
    FAILURE          .        COMPLETED   COMPLETED   COMPLETED   CONFIRMED   ACCEPTED    .
    TRANSPORT_ERROR  .        TRYING      PROCEEDING  COMPLETED   CONFIRMED   ACCEPTED    .
    """,
    "NON_INVITE_SERVER": """
                     START    TRYING      PROCEEDING  COMPLETED   TERMINATED
    REQUEST          TRYING   TRYING      PROCEEDING  COMPLETED   .
    LATE_TRYING      .        PROCEEDING  .           .           .
    TOO_LATE         .        .           TERMINATED  .           .
    J                .        .           .           TERMINATED  .
    FINAL            .        COMPLETED   COMPLETED   COMPLETED   .
    TRANSPORT_ERROR  .        TRYING      TERMINATED  TERMINATED  .
    """,
}

# What is done, in order; a drawn pair that is not here does nothing.
DOES = {
    "INVITE_CLIENT": {
        "START REQUEST": "SEND_REQUEST A B",
        "CALLING A": "SEND_REQUEST A",
        "CALLING B": "TIMED_OUT",
        "CALLING TRANSPORT_ERROR": "FAILED",
        "CALLING PROVISIONAL": "RESPONSE_TO_USER",
        "CALLING SUCCESS": "RESPONSE_TO_USER M",
        "CALLING FAILURE": "SEND_ACK RESPONSE_TO_USER D",
        "PROCEEDING PROVISIONAL": "RESPONSE_TO_USER",
        "PROCEEDING SUCCESS": "RESPONSE_TO_USER M",
        "PROCEEDING FAILURE": "SEND_ACK RESPONSE_TO_USER D",
        "PROCEEDING TRANSPORT_ERROR": "FAILED",
        "COMPLETED FAILURE": "SEND_ACK",
        "COMPLETED SUCCESS": "STRAY",
        "COMPLETED TRANSPORT_ERROR": "FAILED",
        "ACCEPTED SUCCESS": "RESPONSE_TO_USER",
        "ACCEPTED FAILURE": "STRAY",
    },
    "NON_INVITE_CLIENT": {
        "START REQUEST": "SEND_REQUEST E F",
        "TRYING E": "SEND_REQUEST E",
        "TRYING F": "TIMED_OUT",
        "TRYING TRANSPORT_ERROR": "FAILED",
        "TRYING PROVISIONAL": "RESPONSE_TO_USER",
        "TRYING FINAL": "RESPONSE_TO_USER K",
        "PROCEEDING E": "SEND_REQUEST E_SLOW",
        "PROCEEDING E_SLOW": "SEND_REQUEST E_SLOW",
        "PROCEEDING F": "TIMED_OUT",
        "PROCEEDING TRANSPORT_ERROR": "FAILED",
        "PROCEEDING PROVISIONAL": "RESPONSE_TO_USER",
        "PROCEEDING FINAL": "RESPONSE_TO_USER K",
    },
    "INVITE_SERVER": {
        "START REQUEST": "REQUEST_TO_USER TRYING",
        "TRYING TRYING": "SEND_TRYING",
        "TRYING ACK": "STRAY",
        "TRYING PROVISIONAL": "SEND_RESPONSE",
        "TRYING SUCCESS": "SEND_RESPONSE L",
        "TRYING FAILURE": "SEND_RESPONSE G H",
        "TRYING TRANSPORT_ERROR": "FAILED",
        "PROCEEDING REQUEST": "RESEND",
        "PROCEEDING ACK": "STRAY",
        "PROCEEDING PROVISIONAL": "SEND_RESPONSE",
        "PROCEEDING SUCCESS": "SEND_RESPONSE L",
        "PROCEEDING FAILURE": "SEND_RESPONSE G H",
        "PROCEEDING TRANSPORT_ERROR": "FAILED",
        "COMPLETED REQUEST": "RESEND",
        "COMPLETED G": "RESEND G",
        "COMPLETED H": "TIMED_OUT",
        "COMPLETED ACK": "I",
        "COMPLETED TRANSPORT_ERROR": "FAILED",
        "ACCEPTED ACK": "ACK_TO_USER",
        "ACCEPTED SUCCESS": "SEND_RESPONSE",
        "ACCEPTED TRANSPORT_ERROR": "FAILED",
    },
    "NON_INVITE_SERVER": {
        "START REQUEST": "REQUEST_TO_USER LATE_TRYING",
        "TRYING LATE_TRYING": "SEND_TRYING TOO_LATE",
        "TRYING FINAL": "SEND_RESPONSE J",
        "PROCEEDING TOO_LATE": "TIMED_OUT",
        "PROCEEDING REQUEST": "RESEND",
        "PROCEEDING FINAL": "SEND_RESPONSE J",
        "PROCEEDING TRANSPORT_ERROR": "FAILED",
        "COMPLETED REQUEST": "RESEND",
        "COMPLETED TRANSPORT_ERROR": "FAILED",
    },
}

NAMES = list(GRIDS)
EVENTS: tuple[Event | Timer, ...] = (*Event, *Timer)


def machine(name: str) -> dict[Pair, Any]:
    table: Machine = getattr(machines, name)
    assert isinstance(table, dict)
    return table


def wrong(name: str) -> list[Pair]:
    """The pairs, of all states and all events and timers, in which the machine does not do what is drawn."""
    oracle = drawn(GRIDS[name], State, (Event, Timer), DOES[name], (Effect, Timer))
    return disagreements(machine(name), oracle, State, EVENTS)


@pytest.mark.parametrize("name", NAMES)
def test_every_state_and_event_does_what_is_drawn_and_undrawn_pairs_are_refused(name: str) -> None:
    assert wrong(name) == []


@pytest.mark.parametrize("name", NAMES)
def test_deleting_redirecting_or_thinning_any_row_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_every_mutation_is_noticed(machine(name), lambda: wrong(name), State, monkeypatch)


@pytest.mark.parametrize("name", NAMES)
def test_every_state_is_reached_and_every_one_but_the_last_is_left(name: str) -> None:
    table = machine(name)
    states = {state for state, _ in table}
    reached = {State.START}
    while more := {target for (state, _), (target, _) in table.items() if state in reached} - reached:
        reached |= more
    assert reached == states | {State.TERMINATED}
    for state in states:
        assert any(target is not state for (source, _), (target, _) in table.items() if source is state)


@pytest.mark.parametrize("name", NAMES)
def test_a_timer_fires_only_in_states_that_can_have_started_it(name: str) -> None:
    table = machine(name)
    started = {timer for _, effects in table.values() for timer in effects if isinstance(timer, Timer)}
    assert started == {event for _, event in table if isinstance(event, Timer)}
    for target, effects in table.values():
        for timer in effects:
            if isinstance(timer, Timer):
                assert (target, timer) in table, "or it would run in a state that does not know it"


@pytest.mark.parametrize("name", NAMES)
def test_what_a_peer_may_send_and_a_broken_flow_have_a_row_in_every_state_under_way(name: str) -> None:
    table = machine(name)
    from_peer = {
        "INVITE_CLIENT": {Event.PROVISIONAL, Event.SUCCESS, Event.FAILURE},
        "NON_INVITE_CLIENT": {Event.PROVISIONAL, Event.FINAL},
        "INVITE_SERVER": {Event.REQUEST, Event.ACK},
        "NON_INVITE_SERVER": {Event.REQUEST},
    }[name] | {Event.TRANSPORT_ERROR}
    for state in {state for state, _ in table} - {State.START}:
        assert {event for source, event in table if source is state} >= from_peer
