"""A call at its carrier against a table drawn by hand."""

import pytest

from sbc.decisions.connection import TABLE, Effect, Event, State
from tests.grids import Pair, assert_every_mutation_is_noticed, disagreements, drawn

# States across, events down; a dot is a pair that cannot happen. What has rung goes nowhere else (S9), what is up
# cannot be refused any more, and a wait for an answer ends only while there was none.
GRID = """
                TRYING   RINGING  UP    OVER
    RUNG        RINGING  RINGING  .     .
    ANSWERED    UP       UP       .     .
    UNANSWERED  TRYING   .        .     .
    ADVANCED    TRYING   .        .     .
    REFUSED     OVER     OVER     .     .
    HUNG_UP     OVER     OVER     OVER  .
    ENDED       OVER     OVER     OVER  .
    LINE_LOST   TRYING   OVER     OVER  .
"""
DOES = {
    "TRYING RUNG": "STOP_TIMER TELL",
    "TRYING ANSWERED": "STOP_TIMER TELL",
    "TRYING UNANSWERED": "COUNT_AS_408",
    "TRYING ADVANCED": "LEAVE GO_ON",
    "TRYING REFUSED": "LEAVE TELL",
    "TRYING HUNG_UP": "LEAVE TELL",
    "TRYING ENDED": "LEAVE TELL",
    "TRYING LINE_LOST": "COUNT_AS_503",
    "RINGING ANSWERED": "TELL",
    "RINGING REFUSED": "LEAVE TELL",
    "RINGING HUNG_UP": "LEAVE TELL",
    "RINGING ENDED": "LEAVE TELL",
    "RINGING LINE_LOST": "LEAVE TELL",
    "UP HUNG_UP": "LEAVE TELL",
    "UP ENDED": "LEAVE TELL",
    "UP LINE_LOST": "LEAVE TELL",
}


def wrong() -> list[Pair]:
    return disagreements(TABLE, drawn(GRID, State, Event, DOES, Effect), State, Event)


def test_every_state_and_event_does_what_is_drawn_and_undrawn_pairs_are_refused() -> None:
    assert wrong() == []


def test_deleting_redirecting_or_thinning_any_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_every_mutation_is_noticed(TABLE, wrong, State, monkeypatch)


def test_whatever_ends_a_call_frees_its_ports_and_whatever_keeps_it_does_not() -> None:
    over = {row: effects for row, (state, effects) in TABLE.items() if state is State.OVER}
    assert all(effects[0] is Effect.LEAVE for effects in over.values())
    kept = [row for row, (_, effects) in TABLE.items() if Effect.LEAVE in effects and row not in over]
    assert kept == [(State.TRYING, Event.ADVANCED)]
