"""What the catalogue of rules is made of: facts about the systems, and where this project holds a plan to them."""

from enum import StrEnum
from typing import NamedTuple


class Held(StrEnum):
    """How a fact is held, besides by plan checks, which say themselves what they cite."""

    PARAMETER = "parameter"
    """A field of the language, whose default is the fact."""
    BEHAVIOUR = "behaviour"
    """What the engines do: without it a metric of a bundled drill comes out otherwise, which a test shows."""
    METRIC = "metric"
    """A figure that is reported."""
    NOT = "not held"
    """Nowhere, for the reason given."""


class Place(NamedTuple):
    """Where a fact is held."""

    held: Held
    where: str
    """A parameter: its field, as ``Sync.every``. A metric: its name. A behaviour: one sentence on what happens. Not
    held: why."""
    drill: str = ""
    """A behaviour: the bundled drill that comes out otherwise without it."""
    metric: str = ""
    """A behaviour: the metric, with its selectors, by which it does; or ``verdict``."""


class Row(NamedTuple):
    """One fact about a system."""

    id: str
    fact: str


def parameter(where: str) -> Place:
    """Return a field of the language as a place."""
    return Place(Held.PARAMETER, where)


def behaviour(where: str, *, drill: str, metric: str) -> Place:
    """Return what the engines do as a place."""
    return Place(Held.BEHAVIOUR, where, drill, metric)


def metric(where: str) -> Place:
    """Return a metric as a place."""
    return Place(Held.METRIC, where)


def not_held(why: str) -> Place:
    """Return the reason for which a fact has no place."""
    return Place(Held.NOT, why)


Places = dict[str, tuple[Place, ...]]
"""Places by the id of the row."""
