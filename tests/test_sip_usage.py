"""Calls and their changes against grids written from RFC 3261 §9, §13 to §15, RFC 4028 §10 and RFC 5057."""

import pytest

from sbc.sip.usage import CALL, CHANGE, Deed, Effect, Event, Move, State, Turn
from tests.grids import Pair, Table, assert_every_mutation_is_noticed, disagreements, drawn

OURS = """
                 NEW      CALLING     PROCEEDING  QUITTING   CANCELLED  OWING
    INVITE       CALLING  .           .           .          .          .
    ARRIVES      ARRIVED  .           .           .          .          .
    PROVISIONAL  .        PROCEEDING  PROCEEDING  CANCELLED  CANCELLED  .
    SUCCESS      .        UP          UP          ENDING     ENDING     .
    OFFER        .        OWING       OWING       ENDING     ENDING     .
    COPY         .        .           .           .          .          OWING
    BRANCH       .        .           .           .          .          OWING
    AGAIN        .        CALLING     CALLING     OVER       OVER       .
    FAILURE      .        OVER        OVER        OVER       OVER       .
    TIMED_OUT    .        OVER        OVER        OVER       OVER       .
    BROKEN       .        OVER        OVER        OVER       OVER       .
    NO_FINAL     .        .           .           .          OVER       .
    ANSWER       .        .           .           .          .          UP
    HANG_UP      .        QUITTING    CANCELLED   QUITTING   CANCELLED  ENDING
    BYE          .        QUITTING    CANCELLED   QUITTING   CANCELLED  OVER
    GONE         .        .           CANCELLED   .          CANCELLED  ENDING
    EXPIRED      .        .           .           .          .          ENDING
"""
THEIRS = """
                 ARRIVED   ANSWERED  LEAVING  UP      ENDING  OVER
    COPY         .         .         .        UP      ENDING  OVER
    BRANCH       .         .         .        UP      ENDING  OVER
    BROKEN       OVER      .         .        .       .       .
    ANSWER       ANSWERED  .         .        .       .       .
    REFUSE       OVER      .         .        .       .       .
    HANG_UP      OVER      LEAVING   LEAVING  ENDING  ENDING  OVER
    CANCEL       OVER      ANSWERED  LEAVING  UP      ENDING  OVER
    ACK          .         UP        ENDING   UP      ENDING  .
    RESEND       .         ANSWERED  LEAVING  .       .       .
    NO_ACK       .         ENDING    ENDING   .       .       .
    BYE          OVER      OVER      OVER     OVER    ENDING  .
    BYE_DONE     .         .         .        .       OVER    .
    GONE         OVER      LEAVING   LEAVING  ENDING  ENDING  OVER
    EXPIRED      .         LEAVING   .        ENDING  .       .
"""
OURS_DO = {
    "NEW INVITE": "SEND_INVITE",
    "NEW ARRIVES": "TELL_ARRIVED",
    "CALLING PROVISIONAL": "TELL_PROGRESS",
    "PROCEEDING PROVISIONAL": "TELL_PROGRESS",
    "QUITTING PROVISIONAL": "SEND_CANCEL",
    "CALLING SUCCESS": "SEND_ACK TELL_UP",
    "PROCEEDING SUCCESS": "SEND_ACK TELL_UP",
    "QUITTING SUCCESS": "SEND_ACK SEND_BYE TELL_ENDED",
    "CANCELLED SUCCESS": "SEND_ACK SEND_BYE TELL_ENDED",
    "CALLING OFFER": "TELL_OFFER",
    "PROCEEDING OFFER": "TELL_OFFER",
    "QUITTING OFFER": "SEND_ACK SEND_BYE TELL_ENDED",
    "CANCELLED OFFER": "SEND_ACK SEND_BYE TELL_ENDED",
    "OWING BRANCH": "END_BRANCH",
    "CALLING AGAIN": "SEND_INVITE",
    "PROCEEDING AGAIN": "SEND_INVITE",
    **{f"{state} AGAIN": "TELL_ENDED" for state in ("QUITTING", "CANCELLED")},
    **{
        f"{state} {event}": "TELL_ENDED"
        for state in ("CALLING", "PROCEEDING", "QUITTING", "CANCELLED")
        for event in ("FAILURE", "TIMED_OUT", "BROKEN")
    },
    "CANCELLED NO_FINAL": "ABANDON TELL_ENDED",
    "OWING ANSWER": "SEND_ACK TELL_UP",
    "PROCEEDING HANG_UP": "SEND_CANCEL",
    "PROCEEDING BYE": "SEND_CANCEL",
    "PROCEEDING GONE": "SEND_CANCEL",
    "OWING HANG_UP": "SEND_ACK SEND_BYE TELL_ENDED",
    "OWING BYE": "SEND_ACK TELL_ENDED",
    "OWING GONE": "SEND_ACK SEND_BYE TELL_ENDED",
    "OWING EXPIRED": "SEND_ACK SEND_BYE TELL_ENDED",
}
THEIRS_DO = {
    **{f"{state} COPY": "SEND_ACK" for state in ("UP", "ENDING", "OVER")},
    **{f"{state} BRANCH": "END_BRANCH" for state in ("UP", "ENDING", "OVER")},
    "ARRIVED ANSWER": "SEND_2XX",
    "ARRIVED REFUSE": "SEND_REFUSAL TELL_ENDED",
    "ARRIVED HANG_UP": "SEND_REFUSAL TELL_ENDED",
    **{f"ARRIVED {event}": "SEND_487 TELL_ENDED" for event in ("CANCEL", "BYE", "GONE", "BROKEN")},
    "UP HANG_UP": "SEND_BYE TELL_ENDED",
    "ANSWERED ACK": "TELL_UP",
    "LEAVING ACK": "SEND_BYE TELL_ENDED",
    "ANSWERED RESEND": "RESEND_2XX",
    "LEAVING RESEND": "RESEND_2XX",
    "ANSWERED NO_ACK": "SEND_BYE TELL_ENDED",
    "LEAVING NO_ACK": "SEND_BYE TELL_ENDED",
    **{f"{state} BYE": "TELL_ENDED" for state in ("ANSWERED", "LEAVING", "UP")},
    "UP GONE": "SEND_BYE TELL_ENDED",
    "UP EXPIRED": "SEND_BYE TELL_ENDED",
}
CHANGES = """
             STILL   ASKING  OWING   ASKED    GRANTED
    ASK      ASKING  .       .       .        .
    SUCCESS  .       STILL   .       .        .
    OFFER    .       OWING   .       .        .
    AGAIN    .       ASKING  .       .        .
    FAILURE  .       STILL   .       .        .
    GLARE    .       STILL   .       .        .
    DUE      ASKING  .       .       ASKED    GRANTED
    INVITE   ASKED   ASKING  OWING   ASKED    GRANTED
    ANSWER   .       .       STILL   GRANTED  .
    REFUSE   .       .       .       STILL    .
    CANCEL   .       .       .       STILL    GRANTED
    ACK      .       .       .       .        STILL
    RESEND   .       .       .       .        GRANTED
    NO_ACK   .       .       .       .        STILL
    LEFT     STILL   STILL   STILL   STILL    STILL
"""
CHANGES_DO = {
    "STILL ASK": "SEND_INVITE",
    "ASKING SUCCESS": "SEND_ACK TELL_CHANGED",
    "ASKING OFFER": "TELL_OFFER",
    "ASKING AGAIN": "SEND_INVITE",
    "ASKING FAILURE": "DROP TELL_UNCHANGED",
    "ASKING GLARE": "DROP WAIT",
    "STILL DUE": "SEND_INVITE",
    "ASKED DUE": "WAIT",
    "GRANTED DUE": "WAIT",
    "STILL INVITE": "TELL_ASKED",
    "ASKING INVITE": "SEND_491",
    "OWING INVITE": "SEND_491",
    "ASKED INVITE": "SEND_500",
    "GRANTED INVITE": "SEND_491",
    "OWING ANSWER": "SEND_ACK TELL_CHANGED",
    "ASKED ANSWER": "SEND_2XX",
    "ASKED REFUSE": "SEND_REFUSAL DROP",
    "ASKED CANCEL": "SEND_487 DROP TELL_UNCHANGED",
    "GRANTED ACK": "TELL_CHANGED",
    "GRANTED RESEND": "RESEND_2XX",
    "GRANTED NO_ACK": "DROP HANG_UP",
    "ASKING LEFT": "ABANDON DROP",
    "OWING LEFT": "SEND_ACK DROP",
    "ASKED LEFT": "SEND_487 DROP",
    "GRANTED LEFT": "DROP",
}


def calls_drawn() -> Table:
    return {
        **drawn(OURS, State, Event, OURS_DO, Effect),
        **drawn(THEIRS, State, Event, THEIRS_DO, Effect),
    }


def wrong_calls() -> list[Pair]:
    return disagreements(CALL, calls_drawn(), State, Event)


def wrong_changes() -> list[Pair]:
    return disagreements(CHANGE, drawn(CHANGES, Turn, Move, CHANGES_DO, Deed), Turn, Move)


def test_every_state_and_event_of_a_call_does_what_is_drawn_and_undrawn_pairs_are_refused() -> None:
    assert wrong_calls() == []


def test_every_turn_and_move_of_a_change_does_what_is_drawn_and_undrawn_pairs_are_refused() -> None:
    assert wrong_changes() == []


def test_deleting_redirecting_or_thinning_any_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(CALL, dict)
    assert isinstance(CHANGE, dict)
    oracle = calls_drawn()
    assert_every_mutation_is_noticed(CALL, lambda: disagreements(CALL, oracle, State, Event), State, monkeypatch)
    assert_every_mutation_is_noticed(CHANGE, wrong_changes, Turn, monkeypatch)


def test_on_every_way_from_the_beginning_to_the_end_its_end_is_told_once() -> None:
    told = {State.NEW: {0}}
    agenda = [(State.NEW, 0)]
    while agenda:
        state, before = agenda.pop()
        for (source, _), (target, effects) in CALL.items():
            after = before + effects.count(Effect.TELL_ENDED)
            if source is state and after not in told.setdefault(target, set()):
                assert after <= 1
                told[target].add(after)
                agenda.append((target, after))
    assert told[State.OVER] == told[State.ENDING] == {1}
    assert all(times == {0} for state, times in told.items() if state not in (State.OVER, State.ENDING))
    assert set(told) == set(State)


def test_no_bye_is_sent_before_the_ack_by_who_was_called_unless_none_comes() -> None:
    for (state, event), (_, effects) in CALL.items():
        if state in (State.ARRIVED, State.ANSWERED, State.LEAVING) and Effect.SEND_BYE in effects:
            assert event in (Event.ACK, Event.NO_ACK)


def test_cancel_is_sent_only_after_a_provisional_response() -> None:
    for (state, event), (_, effects) in CALL.items():
        if Effect.SEND_CANCEL in effects:
            assert state is State.PROCEEDING or event is Event.PROVISIONAL


@pytest.mark.parametrize("event", [Event.HANG_UP, Event.GONE])
def test_hanging_up_and_losing_the_other_side_are_drawn_wherever_they_can_come(event: Event) -> None:
    without = {state for state in State if (state, event) not in CALL}
    assert without == ({State.NEW} if event is Event.HANG_UP else {State.NEW, State.CALLING, State.QUITTING})


def test_leaving_a_call_stills_every_change() -> None:
    assert {CHANGE[turn, Move.LEFT][0] for turn in Turn} == {Turn.STILL}
