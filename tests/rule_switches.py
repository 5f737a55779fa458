"""How rows of the catalogue that are behaviour are switched off, one by one, and where that is seen."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple


class Switch(NamedTuple):
    """One behaviour, as it is switched off."""

    drill: str
    """A bundled drill."""
    sees: str
    """The metric of it that comes out otherwise, as ``asr{direction=out}``; or ``verdict``."""
    changes: tuple[str, ...] = ()
    """Changes of the drill, as for ``--set``, that give a parameter the value of a world without the rule."""
    patch: Callable[[], AbstractContextManager[object]] | None = None
    """What puts something else in place of the one decision."""
