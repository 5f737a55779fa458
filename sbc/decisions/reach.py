"""When an actor who is called can take a step: on duty at once, else when reached, else when the hours begin (N8)."""

from collections.abc import Mapping
from math import inf

from scenarios.calendar import Openings
from scenarios.model import Actor


def stand_ins(actors: Mapping[str, Actor], name: str) -> tuple[str, ...]:
    """Return who may act for an actor in the order in which they are called: the actor, the deputy, theirs …"""
    called: dict[str, None] = {}
    here: str | None = name
    while here is not None and here not in called:
        called[here] = None
        here = actors[here].deputy
    return tuple(called)


def reached_at(actor: Actor, on_duty: Openings, called: float, draw: float) -> float:
    """Return when an actor is there who is called at a moment, in seconds; infinity for never.

    ``on_duty`` are the actor's hours. ``draw`` is from 0 to 1 where ``reachable`` is a share, and where it is a
    distribution, seconds drawn from it.
    """
    if actor.reachable is None:
        return on_duty.next_open(called)
    begins = on_duty.next_open(called) if actor.hours is not None else inf
    if isinstance(actor.reachable, float):
        return called if draw < actor.reachable else begins
    return min(called + draw, begins)
