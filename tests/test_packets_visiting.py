"""A visit to the contact centre against a table written out by hand."""

import pytest

from sbc.endpoints.visiting import TABLE, Effect, Event, State
from tests.grids import Pair, assert_every_mutation_is_noticed, disagreements, drawn

# States across, events down; a dot is a pair that cannot happen.
GRID = """
                     ARRIVED  MENU     WAITING   RINGING  PROMISED  REACHING  DIALLING  TALKING  OVER
    REFUSED          OVER     .        .         .        .         .         .         .        .
    AT_ONCE          TALKING  .        .         .        .         .         .         .        .
    GREETED          MENU     .        .         .        .         .         .         .        .
    DELIVERED        WAITING  WAITING  .         .        .         .         .         .        .
    MENU_OVER        .        MENU     .         .        .         .         .         .        .
    CONTAINED        .        OVER     .         .        .         .         .         .        .
    TURNED_AWAY      .        .        OVER      .        .         .         .         .        .
    CLOSED           .        OVER     OVER      .        OVER      .         .         .        .
    TREATMENT_DUE    .        .        WAITING   .        PROMISED  .         .         .        .
    CALLBACK_TAKEN   .        .        PROMISED  .        .         .         .         .        .
    TEAM_ANSWERED    .        .        TALKING   .        .         .         .         .        .
    TEAM_FAILED      .        .        WAITING   .        .         .         .         .        .
    AGENT_FOUND      .        .        RINGING   .        REACHING  .         .         .        .
    AGENT_ANSWERED   .        .        .         TALKING  .         DIALLING  .         .        .
    AGENT_FAILED     .        .        .         WAITING  .         PROMISED  .         .        .
    CALLER_ANSWERED  .        .        .         .        .         .         TALKING   .        .
    CALLER_FAILED    .        .        .         .        .         .         OVER      .        .
    CALLER_GONE      .        OVER     OVER      OVER     .         .         .         OVER     .
    OTHER_GONE       .        .        .         .        .         .         OVER      OVER     .
"""
DOES = {
    "ARRIVED REFUSED": "END_CALLER CLEAR TELL_WHY",
    "ARRIVED AT_ONCE": "ANSWER TELL_CONNECTED",
    "ARRIVED GREETED": "ANSWER PLAY",
    "ARRIVED DELIVERED": "JOIN",
    "MENU DELIVERED": "JOIN",
    "MENU MENU_OVER": "CHOOSE",
    "MENU CONTAINED": "END_CALLER CLEAR TELL_OVER",
    "MENU CLOSED": "END_CALLER CLEAR TELL_WHY",
    "MENU CALLER_GONE": "CLEAR TELL_LEFT",
    "WAITING TURNED_AWAY": "LEAVE_QUEUE END_CALLER CLEAR TELL_WHY",
    "WAITING CLOSED": "LEAVE_QUEUE DROP_TEAM END_CALLER CLEAR TELL_WHY",
    "WAITING TREATMENT_DUE": "TREAT",
    "WAITING CALLBACK_TAKEN": "DROP_TEAM END_CALLER CLEAR TELL_PROMISED WAIT_ON",
    "WAITING TEAM_ANSWERED": "LEAVE_QUEUE CONNECT TELL_OVERFLOWED",
    "WAITING TEAM_FAILED": "DROP_TEAM",
    "WAITING AGENT_FOUND": "DROP_TEAM RING",
    "WAITING CALLER_GONE": "LEAVE_QUEUE DROP_TEAM CLEAR TELL_LEFT",
    "RINGING AGENT_ANSWERED": "CONNECT TELL_CONNECTED",
    "RINGING AGENT_FAILED": "PUT_BACK",
    "RINGING CALLER_GONE": "END_OTHER CLEAR TELL_LEFT",
    "PROMISED CLOSED": "LEAVE_QUEUE TELL_WHY",
    "PROMISED TREATMENT_DUE": "TREAT",
    "PROMISED AGENT_FOUND": "RING",
    "REACHING AGENT_ANSWERED": "CALL_BACK",
    "REACHING AGENT_FAILED": "PUT_BACK",
    "DIALLING CALLER_ANSWERED": "TELL_CONNECTED",
    "DIALLING CALLER_FAILED": "END_OTHER CLEAR TELL_WHY",
    "DIALLING OTHER_GONE": "END_OTHER CLEAR TELL_OVER",
    "TALKING CALLER_GONE": "END_OTHER CLEAR TELL_OVER",
    "TALKING OTHER_GONE": "END_CALLER END_OTHER CLEAR TELL_OVER",
}


def wrong() -> list[Pair]:
    return disagreements(TABLE, drawn(GRID, State, Event, DOES, Effect), State, Event)


def test_every_state_and_event_does_what_is_drawn_and_undrawn_pairs_are_refused() -> None:
    assert wrong() == []


def test_deleting_redirecting_or_thinning_any_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(TABLE, dict)
    assert_every_mutation_is_noticed(TABLE, wrong, State, monkeypatch)


def test_whatever_ends_a_visit_gives_its_ports_back_or_has_none() -> None:
    for (state, event), (target, effects) in TABLE.items():
        if target is State.OVER:
            assert (Effect.CLEAR in effects) is not (state is State.PROMISED), (state, event)


def test_who_leaves_the_queue_without_an_agent_leaves_it_with_the_distributor() -> None:
    # An agent is found by the distributor, which takes the call out itself; a promise stays in.
    for (state, event), (target, effects) in TABLE.items():
        waits = (State.WAITING, State.PROMISED)
        leaves = state in waits and target not in waits and event is not Event.AGENT_FOUND
        assert (Effect.LEAVE_QUEUE in effects) is leaves, (state, event)
