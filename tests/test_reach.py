"""When somebody who is called is there, cell by cell: who the actor is, and where the call falls in the hours."""

from math import inf

import pytest

from sbc.decisions.reach import reached_at, stand_ins
from scenarios.calendar import ALWAYS, Openings
from scenarios.model import Actor

OFFICE = Openings(((100.0, 200.0),))
"""Hours on duty, in seconds of the run, of actors who keep any."""

ON_DUTY, BEFORE, AFTER = 150.0, 40.0, 300.0
SHARE, TIME = "30%", "{a time}"

DRAWN: dict[tuple[bool, str | None], dict[float, tuple[float, float]]] = {
    # has hours, how reachable: called when: reached with a small draw, and with a large one
    (True, None): {ON_DUTY: (150.0, 150.0), BEFORE: (100.0, 100.0), AFTER: (inf, inf)},
    (True, SHARE): {ON_DUTY: (150.0, 150.0), BEFORE: (40.0, 100.0), AFTER: (300.0, inf)},
    (True, TIME): {ON_DUTY: (150.0, 150.0), BEFORE: (50.0, 100.0), AFTER: (310.0, 390.0)},
    (False, None): {ON_DUTY: (150.0, 150.0), BEFORE: (40.0, 40.0), AFTER: (300.0, 300.0)},
    (False, SHARE): {ON_DUTY: (150.0, inf), BEFORE: (40.0, inf), AFTER: (300.0, inf)},
    (False, TIME): {ON_DUTY: (160.0, 240.0), BEFORE: (50.0, 130.0), AFTER: (310.0, 390.0)},
}
DRAWS = {None: (0.0, 0.0), SHARE: (0.29, 0.3), TIME: (10.0, 90.0)}
"""A small draw and a large one: of a chance, or seconds."""


@pytest.mark.parametrize(("kind", "row"), DRAWN.items(), ids=str)
def test_an_actor_is_there_when_drawn(kind: tuple[bool, str | None], row: dict[float, tuple[float, float]]) -> None:
    has_hours, reachable = kind
    actor = Actor.model_validate(
        {
            **({"hours": "office"} if has_hours else {}),
            **({"reachable": {"uniform": ["0s", "90s"]} if reachable is TIME else reachable} if reachable else {}),
        }
    )
    hours = OFFICE if has_hours else ALWAYS
    reached = {called: tuple(reached_at(actor, hours, called, draw) for draw in DRAWS[reachable]) for called in row}
    assert reached == row


def test_deputies_are_called_one_after_the_other_and_nobody_twice() -> None:
    actors = {
        name: Actor.model_validate({"deputy": deputy} if deputy else {})
        for name, deputy in {"a": "b", "b": "c", "c": None, "x": "y", "y": "x"}.items()
    }
    assert stand_ins(actors, "a") == ("a", "b", "c")
    assert stand_ins(actors, "c") == ("c",)
    assert stand_ins(actors, "y") == ("y", "x")
