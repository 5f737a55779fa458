"""The people around a plan: when a place is open, who is on duty, and how the others are reached."""

from typing import Literal

from scenarios.fields import Distributed, Holidays, Name, Reachable, WeeklyHours
from scenarios.model.part import Part
from scenarios.parties import Party

Permission = Literal["system-administrator", "terminals-edit", "customer-control"]
"""A role or permission that some steps need."""


class Calendar(Part):
    """Hours that numbers, queues, shifts and actors keep to; they need a `run.start` with a date."""

    hours: WeeklyHours
    """Windows by the day they begin on: `mon-fri: 09:00-18:00`, also past midnight (`22:00-06:00`), or several in a
    list that do not overlap. Days without any are closed; `holiday` is what holidays have instead of their
    weekday's."""
    holidays: Holidays | None = None
    """Holidays: `japan` for the national ones, dates, or a list of both."""


class Actor(Part):
    """Somebody who takes steps of the runbook and is not always there; whoever has been reached once stays."""

    hours: Name | None = None
    """The calendar of hours on duty, in which they are reached at once."""
    reachable: Reachable | None = None
    """How they are reached otherwise, or at any time without `hours`: the share of calls that reach them, at once, or
    the time until one does. Without it not before their hours begin, or, without `hours`, at once."""
    deputy: Name | None = None
    """The actor who is called in their place when they are not reached (N8), and acts if reached before them."""
    deputy_after: Distributed | None = None
    """Time after which the deputy is called; without it at once."""
    works_for: Party | None = None
    """Whose people they are: the `customer`'s, the `vendor`'s or the `carrier`'s. Without it the customer's, but for
    actors who are called `vendor` or `carrier`."""
    may: list[Permission] | None = None
    """Roles and permissions that they hold, as the plan states them: `system-administrator`, to change the default
    caller number (Z33); `terminals-edit`, or higher, to change those of terminals (Z37); `customer-control`, a login to
    the carrier's console, to re-point numbers (Z38). Without it nobody knows; an empty list is for nobody's."""
