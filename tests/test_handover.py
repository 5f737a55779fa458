"""What one node of a pair tells the other, held against a grid drawn by hand."""

import pytest

from sbc.decisions.handover import TABLE, Effect, Event, State
from tests.grids import assert_every_mutation_is_noticed, disagreements, drawn

# A stream has a beginning, which is repeated until it is acknowledged: before that nothing else can be heard. Whoever
# serves begins again when the other has missed something or comes back; whoever has stepped down lets it be in the end.
GRID = """
            CLOSED   OPENING  OPEN     LEAVING  CLOSING
SERVES      OPENING  .        .        OPENING  OPENING
STEPS_DOWN  CLOSED   LEAVING  CLOSING  .        .
SUPERSEDED  CLOSED   CLOSED   CLOSED   .        .
BEGUN       .        OPEN     .        CLOSING  .
ALL_HEARD   .        .        OPEN     .        CLOSED
ASKED       CLOSED   OPENING  OPENING  LEAVING  LEAVING
SILENT      .        OPENING  OPENING  CLOSED   CLOSED
"""
DOES = {
    "CLOSED SERVES": "BEGIN",
    "CLOSED ASKED": "SAY_IDLE",
    "OPENING STEPS_DOWN": "BEGIN",
    "OPENING SUPERSEDED": "FORGET",
    "OPENING BEGUN": "TELL_ALL",
    "OPENING ASKED": "BEGIN",
    "OPEN STEPS_DOWN": "TELL_END",
    "OPEN SUPERSEDED": "FORGET",
    "OPEN ASKED": "BEGIN",
    "OPEN SILENT": "BEGIN",
    "LEAVING SERVES": "BEGIN",
    "LEAVING BEGUN": "TELL_ALL TELL_END",
    "LEAVING ASKED": "BEGIN",
    "LEAVING SILENT": "FORGET",
    "CLOSING SERVES": "BEGIN",
    "CLOSING ALL_HEARD": "FORGET",
    "CLOSING ASKED": "BEGIN",
    "CLOSING SILENT": "FORGET",
}


ORACLE = drawn(GRID, State, Event, DOES, Effect)


def test_the_table_does_what_is_drawn() -> None:
    assert disagreements(TABLE, ORACLE, State, Event) == []


def test_every_row_that_is_broken_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    table = dict(TABLE)
    assert_every_mutation_is_noticed(table, lambda: disagreements(table, ORACLE, State, Event), State, monkeypatch)


@pytest.mark.parametrize("state", State)
def test_whoever_says_nothing_any_more_has_nothing_left_to_send(state: State) -> None:
    for (before, event), (after, effects) in TABLE.items():
        if before is state and after is State.CLOSED and before is not State.CLOSED:
            assert effects == (Effect.FORGET,), event
