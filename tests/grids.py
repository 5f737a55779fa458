"""State tables held against a grid drawn by hand, in which every pair of state and event has its cell."""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from itertools import product
from typing import Any, TypeAlias

import pytest

from sbc.decisions.table import ImpossibleEventError, follow

Pair: TypeAlias = tuple[Any, Any]
Table: TypeAlias = Mapping[Pair, Any]


Kinds: TypeAlias = type[Enum] | tuple[type[Enum], ...]
"""One enumeration or several, whose members are found by name."""


def _members(kinds: Kinds) -> dict[str, Enum]:
    several = kinds if isinstance(kinds, tuple) else (kinds,)
    return {name: member for kind in several for name, member in kind.__members__.items()}


def drawn(grid: str, states: type[Enum], events: Kinds, does: Mapping[str, str], deeds: Kinds) -> dict[Pair, Any]:
    """Read a grid: states across, events down, in each cell the state that follows, a dot where there is none.

    `does` says what is done, in order, by state and event; a drawn pair that is not in it does nothing.
    """
    event_of, deed_of = _members(events), _members(deeds)
    head, *lines = [line.split() for line in grid.strip().splitlines()]
    rows: dict[Pair, Any] = {}
    for event, *cells in lines:
        for state, target in zip(head, cells, strict=True):
            if target != ".":
                effects = tuple(deed_of[each] for each in does.get(f"{state} {event}", "").split())
                rows[states[state], event_of[event]] = (states[target], effects)
    assert sum(bool(effects) for _, effects in rows.values()) == len(does), "every entry names a drawn pair"
    return rows


def disagreements(table: Table, oracle: Table, states: type[Enum], events: Iterable[Enum]) -> list[Pair]:
    """Return the pairs, of all states and events, in which a table does not do what is drawn."""
    wrong = []
    for pair in product(states, events):
        try:
            done = follow(table, *pair)
        except ImpossibleEventError:
            done = None
        if done != oracle.get(pair):
            wrong.append(pair)
    return wrong


def assert_every_mutation_is_noticed(
    table: dict[Pair, Any], disagree: Callable[[], list[Pair]], states: type[Enum], patch: pytest.MonkeyPatch
) -> None:
    """Delete every row, lead it to every other state, and leave out each thing that it does."""
    for pair, after in list(table.items()):
        changed: list[Any]
        if isinstance(after, tuple):
            target, effects = after
            changed = [(other, effects) for other in states if other is not target]
            changed += [(target, effects[:i] + effects[i + 1 :]) for i in range(len(effects))]
        else:
            changed = [other for other in states if other is not after]
        with patch.context() as inner:
            for row in changed:
                inner.setitem(table, pair, row)
                assert disagree() == [pair]
            inner.delitem(table, pair)
            assert disagree() == [pair]
