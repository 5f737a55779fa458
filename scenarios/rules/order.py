"""Which steps of a runbook are over when others begin, and which way they lead: to the other site, or back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from scenarios.model import (
    Activate,
    CallerNumbers,
    DefaultCaller,
    Drill,
    Duty,
    Forward,
    Reroute,
    ResumeSync,
    Step,
    SwitchSoftphones,
    Verify,
    VerifyOut,
)
from scenarios.rules.names import AGENTS
from scenarios.rules.plan import beginnings, behind, course, land


def destination(drill: Drill, step: Step) -> str | None:
    """Return the site that phones, callers or caller numbers move to by a step; None for any other step."""
    match step.does:
        case SwitchSoftphones(site=site):
            return site
        case Reroute(to=number) | Forward(to=number) | CallerNumbers(to=number) | DefaultCaller(default_caller=number):
            landing = land(drill, behind(drill), number)
            return None if landing is None else landing.site
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Order:
    """The steps that begin in a run, and how they follow each other."""

    drill: Drill
    steps: Mapping[int, Step]
    """By their index in the runbook, in the order of :func:`~scenarios.rules.plan.course`."""
    before: Mapping[str, frozenset[str]]
    """The steps that are surely over when one begins: those it waits for, and those that its actor does first."""

    @classmethod
    def of(cls, drill: Drill) -> Self:
        """Follow the runbook of a drill."""
        steps, earliest = course(drill), beginnings(drill)
        before: dict[str, frozenset[str]] = {}
        for index, step in steps.items():
            # What is over when it is set off; a step of the same actor that was set off by then comes first.
            over = frozenset(name for each in step.predecessors for name in (each, *before[each]))
            first = [
                each.step
                for each in drill.runbook[:index]
                if _one_after_another(each, step) and _set_off(drill, each, over, earliest[step.step])
            ]
            before[step.step] = over.union(first, *(before[each] for each in first))
        return cls(drill, steps, before)

    def is_after(self, step: Step, other: Step) -> bool:
        """Whether a step surely begins when another one is over."""
        return other.step in self.before[step.step]

    def all_before(self, step: Step) -> list[Step]:
        """Return a step and those that are surely over when it begins."""
        return [each for each in self.steps.values() if each is step or self.is_after(step, each)]

    def there(self) -> dict[int, Step]:
        """Return the steps that move something to a secondary site."""
        return self._moving_to("secondary")

    def back(self) -> dict[int, Step]:
        """Return the steps that move something to a primary site, in a plan that moves something to a secondary one."""
        return self._moving_to("primary") if self.there() else {}

    def tests(self, *, back: bool) -> dict[int, Step]:
        """Return the test calls on the way there, or those that come after any step of the way back."""
        returning = self.back().values()
        return {
            index: step
            for index, step in self.steps.items()
            if isinstance(step.does, Verify | VerifyOut)
            and any(self.is_after(step, each) for each in returning) is back
        }

    def with_duty(self, duty: Duty) -> dict[int, Step]:
        """Return the steps that have a duty, by their word or by what they do."""
        return {
            index: step
            for index, step in self.steps.items()
            if duty in step.duties or (duty is Duty.RESYNC_REQUEST and isinstance(step.does, ResumeSync))
        }

    def activations(self, site: str) -> list[Step]:
        """Return the steps that take a site into service."""
        return [each for each in self.steps.values() if isinstance(each.does, Activate) and each.does.activate == site]

    def waits_for_service(self, step: Step, site: str) -> bool:
        """Whether a step, or one before it, waits until a site is in service."""
        return any(each.when is not None and each.when.in_service == site for each in self.all_before(step))

    def _moving_to(self, role: str) -> dict[int, Step]:
        moving = {index: destination(self.drill, step) for index, step in self.steps.items()}
        return {
            index: self.steps[index]
            for index, site in moving.items()
            if site is not None and self.drill.sites[site].role == role
        }


def _one_after_another(step: Step, other: Step) -> bool:
    """Whether two steps are one actor's, who takes the first of the file first if that waits for nothing else."""
    delayed = step.starts is not None and step.starts.delay is not None
    return step.by == other.by != AGENTS and not step.conditional and not delayed


def _set_off(drill: Drill, step: Step, over: frozenset[str], begins: float) -> bool:
    """Whether a step has been set off when others are over, and not before a moment."""
    if step.starts is None:
        return bool(step.predecessors) and over.issuperset(step.predecessors)
    fault = None if step.starts.after is None else drill.fault_named(step.starts.after)
    at = step.starts.at if fault is None else fault.at
    return at is not None and at <= begins
