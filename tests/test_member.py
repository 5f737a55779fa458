"""A node of an active-active pair against a table drawn by hand."""

import pytest

from sbc.decisions import member
from sbc.decisions.member import Effect, Event, State, step
from sbc.decisions.table import ImpossibleEventError
from tests.tables import IMPOSSIBLE, Drawing

IN_USE, UNSEEN, AVOIDED = State.IN_USE, State.UNSEEN, State.AVOIDED

# A node works or not, and gets calls or not. Only one that works can be lost, only one that does not can come back, and
# only one that does not and yet gets calls can be noticed.
DRAWN: dict[State, dict[Event, tuple[State, tuple[Effect, ...]] | None]] = {
    IN_USE: {
        Event.LOST: (UNSEEN, (Effect.NODE_GONE, Effect.WATCH)),
        Event.NOTICED: IMPOSSIBLE,
        Event.BACK: IMPOSSIBLE,
    },
    UNSEEN: {
        Event.LOST: IMPOSSIBLE,
        Event.NOTICED: (AVOIDED, (Effect.STOP_WATCH, Effect.OTHER_SERVES)),
        Event.BACK: (IN_USE, (Effect.STOP_WATCH, Effect.SERVE_ON)),
    },
    AVOIDED: {
        Event.LOST: IMPOSSIBLE,
        Event.NOTICED: IMPOSSIBLE,
        Event.BACK: (IN_USE, ()),
    },
}


DRAWING = Drawing(State, Event, Effect, member.TABLE, step, DRAWN)


def test_the_drawing_has_a_cell_for_every_state_and_event() -> None:
    assert DRAWING.is_complete()


def test_every_state_meets_every_event_as_drawn() -> None:
    assert DRAWING.disagreements() == []


@pytest.mark.parametrize("row", list(member.TABLE), ids=lambda row: f"{row[0].name}-{row[1].name}")
def test_losing_or_redirecting_any_row_is_noticed(row: tuple[State, Event]) -> None:
    assert DRAWING.unnoticed(row) == []


def test_an_event_that_cannot_happen_is_refused_by_name() -> None:
    with pytest.raises(ImpossibleEventError, match="works again"):
        step(IN_USE, Event.BACK)


@pytest.mark.parametrize(
    ("state", "answers", "then"),
    [
        (IN_USE, True, IN_USE),
        (IN_USE, False, AVOIDED),
        (UNSEEN, True, UNSEEN),  # late, from before it was lost
        (UNSEEN, False, AVOIDED),
        (AVOIDED, True, IN_USE),
        (AVOIDED, False, AVOIDED),
    ],
)
def test_who_only_hears_answers_or_none_uses_or_avoids_a_node(state: State, answers: bool, then: State) -> None:
    assert member.heard(state, answers=answers) is then


@pytest.mark.parametrize(
    ("uses", "turn", "picked", "turn_then"),
    [
        ([IN_USE, IN_USE], 0, 0, 1),
        ([IN_USE, UNSEEN], 1, 1, 0),  # nobody has noticed
        ([AVOIDED, IN_USE], 0, 1, 0),  # whose turn it is stays
        ([IN_USE, AVOIDED], 1, 0, 1),
        ([AVOIDED, AVOIDED], 1, None, 1),
    ],
)
def test_calls_go_in_turn_to_the_nodes_in_use(uses: list[State], turn: int, picked: int | None, turn_then: int) -> None:
    assert member.pick(uses, turn) == (picked, turn_then)


def test_the_other_node_takes_over_a_call_if_it_is_in_use() -> None:
    assert [member.other([IN_USE, UNSEEN], index) for index in (0, 1)] == [1, 0]
    assert [member.other([AVOIDED, IN_USE], index) for index in (0, 1)] == [1, None]
