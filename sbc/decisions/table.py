"""State machines are tables from (state, event) to what follows; this is how they are read."""

from collections.abc import Mapping
from enum import Enum
from typing import NoReturn, TypeVar

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)
F = TypeVar("F", bound=Enum)
Next = TypeVar("Next")
Does = TypeVar("Does")


class ImpossibleEventError(ValueError):
    """An event that cannot happen in this state, such as the loss of a serving node when none serves."""


def follow(table: Mapping[tuple[S, E], Next], state: S, event: E) -> Next:
    """Return what the table has for an event in a state; raises :class:`ImpossibleEventError` where it has nothing."""
    try:
        return table[state, event]
    except KeyError:
        raise ImpossibleEventError(f"{event.value!r} while {state.value!r}") from None


class Table(dict[tuple[S, E], Next]):
    """A table that is read by itself, ``table[state, event]``, at the price of a look-up; refuses as `follow` does."""

    def __missing__(self, row: tuple[S, E]) -> NoReturn:
        state, event = row
        raise ImpossibleEventError(f"{event.value!r} while {state.value!r}")


def bound(
    table: Mapping[tuple[S, E], tuple[S, tuple[F, ...]]], carried_out: Mapping[F, Does]
) -> Table[S, E, tuple[S, tuple[Does, ...]]]:
    """Return a table with each effect replaced by what carries it out; raises KeyError for an effect nothing does."""
    return Table(
        {row: (state, tuple(carried_out[effect] for effect in effects)) for row, (state, effects) in table.items()}
    )
