"""A state machine's table held against one drawn by hand, cell by cell, and each of its rows broken in every way."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from itertools import product
from typing import Generic, NamedTuple, TypeVar

from sbc.decisions.table import ImpossibleEventError

State = TypeVar("State", bound=Enum)
Event = TypeVar("Event", bound=Enum)
Effect = TypeVar("Effect", bound=Enum)

IMPOSSIBLE = None
"""What is drawn where an event cannot happen."""


class Drawing(NamedTuple, Generic[State, Event, Effect]):
    """A machine, and what a person expects of it in every state and event."""

    states: type[State]
    events: type[Event]
    effects: type[Effect]
    table: dict[tuple[State, Event], tuple[State, tuple[Effect, ...]]]
    step: Callable[[State, Event], tuple[State, tuple[Effect, ...]]]
    drawn: Mapping[State, Mapping[Event, tuple[State, tuple[Effect, ...]] | None]]

    def is_complete(self) -> bool:
        """Whether the drawing has a cell for every state and event."""
        cells = {(state, event) for state, row in self.drawn.items() for event in row}
        return cells == set(product(self.states, self.events))

    def disagreements(self) -> list[tuple[State, Event]]:
        """Return the cells in which the machine does not do what is drawn."""
        return [
            (state, event)
            for state, row in self.drawn.items()
            for event, drawn in row.items()
            if self._done(state, event) != drawn
        ]

    def _done(self, state: State, event: Event) -> tuple[State, tuple[Effect, ...]] | None:
        try:
            return self.step(state, event)
        except ImpossibleEventError:
            return IMPOSSIBLE

    def unnoticed(self, row: tuple[State, Event]) -> list[object]:
        """Return in which ways a row can be broken without a disagreement in its cell, and there alone.

        It is led to every other state, it loses each of its effects, it gains each it has not, and it is deleted.
        """
        return [way for way, disagreements in self._breaking(row) if disagreements != [row]]

    def _breaking(self, row: tuple[State, Event]) -> Iterator[tuple[object, list[tuple[State, Event]]]]:
        target, effects = self.table[row]
        broken: list[tuple[State, tuple[Effect, ...]] | None] = [
            *((elsewhere, effects) for elsewhere in self.states if elsewhere is not target),
            *((target, effects[:i] + effects[i + 1 :]) for i in range(len(effects))),
            *((target, (*effects, effect)) for effect in self.effects if effect not in effects),
            None,
        ]
        for way in broken:
            with self._with(row, way):
                yield way, self.disagreements()

    @contextmanager
    def _with(self, row: tuple[State, Event], other: tuple[State, tuple[Effect, ...]] | None) -> Iterator[None]:
        kept = self.table.pop(row)
        if other is not None:
            self.table[row] = other
        try:
            yield
        finally:
            self.table[row] = kept
