"""The search for somebody to take a step: whom a call reaches, and when, with the draws that decide it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat

from sbc.decisions.reach import reached_at
from scenarios.calendar import ALWAYS, Openings
from scenarios.distributions import Distribution
from scenarios.model import Actor, Drill
from sim.draws import Draws


class Search:
    """Calls the actor of a step and the deputies, one after the other."""

    def __init__(
        self, drill: Drill, stand_ins: Mapping[str, Sequence[str]], openings: Mapping[str, Openings], draws: Draws
    ) -> None:
        self._actors = drill.actors
        self._on_duty = {
            name: ALWAYS if actor.hours is None else openings[actor.hours] for name, actor in drill.actors.items()
        }
        self._called = {step.step: tuple(stand_ins[step.by]) for step in drill.runbook if step.by in stand_ins}
        self._reached = {
            (step, name): _reached(drill.actors[name], f"step:{step}:reaches:{name}", draws)
            for step, names in self._called.items()
            for name in names
        }
        self._next = {
            (step, name): draws.values(f"step:{step}:calls-after:{name}", after)
            for step, names in self._called.items()
            for name in names
            if (after := drill.actors[name].deputy_after) is not None
        }

    def first(self, step: str, now: float) -> tuple[str, float]:
        """Return who is the first to be there for a step, and when; of several, whoever is called first."""
        found: dict[str, float] = {}
        called = now
        for name in self._called[step]:
            found[name] = reached_at(self._actors[name], self._on_duty[name], called, next(self._reached[step, name]))
            called += next(self._next[step, name]) if (step, name) in self._next else 0.0
        first = min(found, key=found.__getitem__)
        return first, found[first]


def _reached(actor: Actor, name: str, draws: Draws) -> Iterator[float]:
    if isinstance(actor.reachable, Distribution):
        return draws.values(name, actor.reachable)
    return draws.uniforms(name) if actor.reachable is not None else repeat(0.0)
