"""The branches of a proxied request against tables written out from RFC 3261 §16, RFC 4320 and the rules S2 and S9."""

from typing import Any

import pytest

from sbc.decisions.timers import TRANSACTION_TIMEOUT
from sbc.sip import forking
from sbc.sip.forking import Branches, Effect, Event, State
from tests.grids import Pair, assert_every_mutation_is_noticed, disagreements, drawn

# States across, events down; a dot is a pair that cannot happen.
GRIDS = {
    "INVITE": """
               CALLING     PROCEEDING  RINGING   STOPPING  STOPPED   PASSED    LEFT      ANSWERED  OVER
    TRYING     PROCEEDING  PROCEEDING  RINGING   STOPPED   STOPPED   LEFT      LEFT      .         .
    PROGRESS   RINGING     RINGING     RINGING   STOPPED   STOPPED   LEFT      LEFT      .         .
    SUCCESS    ANSWERED    ANSWERED    ANSWERED  ANSWERED  ANSWERED  ANSWERED  ANSWERED  ANSWERED  .
    FAILURE    OVER        OVER        OVER      OVER      OVER      OVER      OVER      .         .
    DECLINED   OVER        OVER        OVER      OVER      OVER      OVER      OVER      .         .
    TIMED_OUT  OVER        .           .         OVER      .         OVER      .         .         .
    BROKEN     OVER        OVER        OVER      OVER      OVER      OVER      OVER      .         .
    TOO_SLOW   PASSED      LEFT        .         .         .         .         .         .         .
    TIMER_C    .           LEFT        STOPPED   .         .         .         .         .         .
    NO_FINAL   .           .           .         .         OVER      .         OVER      .         .
    STOP       STOPPING    STOPPED     STOPPED   STOPPING  STOPPED   PASSED    LEFT      ANSWERED  OVER
    """,
    "OTHER": """
               CALLING  OVER
    TRYING     CALLING  .
    PROGRESS   CALLING  .
    SUCCESS    OVER     .
    FAILURE    OVER     .
    DECLINED   OVER     .
    TIMED_OUT  OVER     .
    BROKEN     OVER     .
    TOO_SLOW   OVER     .
    TIMER_C    .        .
    NO_FINAL   .        .
    STOP       .        .
    """,
}

# What is done, in order; a drawn pair that is not here does nothing.
DOES = {
    "INVITE": {
        "CALLING PROGRESS": "FORWARD RESTART_C",
        "CALLING SUCCESS": "FORWARD",
        "CALLING FAILURE": "SETTLE",
        "CALLING DECLINED": "SETTLE",
        "CALLING TIMED_OUT": "SETTLE",
        "CALLING BROKEN": "SETTLE",
        "CALLING TOO_SLOW": "SETTLE",
        "PROCEEDING PROGRESS": "FORWARD RESTART_C",
        "PROCEEDING SUCCESS": "FORWARD",
        "PROCEEDING FAILURE": "SETTLE",
        "PROCEEDING DECLINED": "SETTLE",
        "PROCEEDING BROKEN": "SETTLE",
        "PROCEEDING TOO_SLOW": "CANCEL SETTLE",
        "PROCEEDING TIMER_C": "CANCEL SETTLE",
        "PROCEEDING STOP": "CANCEL",
        "RINGING PROGRESS": "FORWARD RESTART_C",
        "RINGING SUCCESS": "FORWARD",
        "RINGING FAILURE": "SETTLE",
        "RINGING DECLINED": "SETTLE",
        "RINGING BROKEN": "SETTLE",
        "RINGING TIMER_C": "CANCEL",
        "RINGING STOP": "CANCEL",
        "STOPPING TRYING": "CANCEL",
        "STOPPING PROGRESS": "CANCEL",
        "STOPPING SUCCESS": "FORWARD",
        "STOPPING FAILURE": "SETTLE",
        "STOPPING DECLINED": "SETTLE",
        "STOPPING TIMED_OUT": "SETTLE",
        "STOPPING BROKEN": "SETTLE",
        "STOPPED SUCCESS": "FORWARD",
        "STOPPED FAILURE": "SETTLE",
        "STOPPED DECLINED": "SETTLE",
        "STOPPED BROKEN": "SETTLE",
        "STOPPED NO_FINAL": "ABANDON SETTLE",
        "PASSED TRYING": "CANCEL",
        "PASSED PROGRESS": "CANCEL",
        "PASSED SUCCESS": "FORWARD",
        "PASSED DECLINED": "SETTLE",
        "LEFT SUCCESS": "FORWARD",
        "LEFT DECLINED": "SETTLE",
        "LEFT NO_FINAL": "ABANDON",
        "ANSWERED SUCCESS": "FORWARD",
    },
    "OTHER": {
        "CALLING SUCCESS": "FORWARD",
        "CALLING FAILURE": "SETTLE",
        "CALLING DECLINED": "SETTLE",
        "CALLING TIMED_OUT": "SETTLE",
        "CALLING BROKEN": "SETTLE",
        "CALLING TOO_SLOW": "ABANDON SETTLE",
    },
}

NAMES = list(GRIDS)


def table(name: str) -> dict[Pair, Any]:
    rows: Branches = getattr(forking, name)
    assert isinstance(rows, dict)
    return rows


def wrong(name: str) -> list[Pair]:
    oracle = drawn(GRIDS[name], State, Event, DOES[name], Effect)
    return disagreements(table(name), oracle, State, Event)


@pytest.mark.parametrize("name", NAMES)
def test_every_state_and_event_does_what_is_drawn_and_undrawn_pairs_are_refused(name: str) -> None:
    assert wrong(name) == []


@pytest.mark.parametrize("name", NAMES)
def test_deleting_redirecting_or_thinning_any_row_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_every_mutation_is_noticed(table(name), lambda: wrong(name), State, monkeypatch)


@pytest.mark.parametrize("name", NAMES)
def test_every_state_is_reached_and_each_branch_settles_once_unless_a_6xx_comes_late(name: str) -> None:
    rows = table(name)
    reached = {State.CALLING}
    while more := {target for (state, _), (target, _) in rows.items() if state in reached} - reached:
        reached |= more
    assert reached == {state for state, _ in rows} | {State.OVER}
    for (state, event), (target, effects) in rows.items():
        settles = state in forking.PENDING and target not in forking.PENDING and event is not Event.SUCCESS
        assert (Effect.SETTLE in effects) == (settles or event is Event.DECLINED)


def test_timer_c_is_longer_than_three_minutes_and_a_cancel_has_the_time_of_a_transaction() -> None:
    assert forking.TIMER_C > 180
    assert forking.LINGER == TRANSACTION_TIMEOUT == 32
