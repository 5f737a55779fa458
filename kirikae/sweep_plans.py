"""The plans of a sweep: the drill at every point, all of them checked before anything runs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from rich.console import Console

from reports.checked import checked
from reports.lint_terminal import line_of
from reports.sweep_changes import effective, values_text
from reports.wording import number_of
from scenarios.loader import load
from scenarios.model import Drill
from scenarios.problems import DrillError, Severity
from scenarios.text import language_of, translator
from sim.designs import Point

_KEY_DIGITS = 16
"""Of the hash that is a point's key: among a million points, none are taken for each other."""
_SHOWN = 3
"""Points that are named of those which have something in common."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The drill at one point that can be run."""

    values: Point
    set: Mapping[str, str]
    """Its values by path."""
    drill: Drill
    key: str
    """The same for all drills that give the same runs, however they came about."""


@dataclass(frozen=True, slots=True)
class Plans:
    """All points: those that can be run, and what is to be said of them."""

    plans: tuple[Plan, ...]
    points: int
    """How many were looked at."""
    wrong: Mapping[str, Sequence[str]]
    """What keeps points from being run, and at which."""
    remarks: Mapping[str, Sequence[str]]
    """Warnings of the plan checks, and at which points."""

    @property
    def refused(self) -> int:
        """How many points cannot be run."""
        return len({point for points in self.wrong.values() for point in points})


def planned(
    path: Path,
    name: str,
    common: Sequence[str],
    paths: Sequence[str],
    points: Iterable[Point],
    done: Callable[[int], None],
) -> Plans:
    """Read the drill at every point and hold it to the rules; ``common`` are changes for all of them.

    A point that is the same drill as one before it is left out. ``done`` hears how many points have been looked at.
    """
    say = translator(language_of())
    plans: dict[str, Plan] = {}
    wrong: dict[str, list[str]] = {}
    remarks: dict[str, list[str]] = {}
    count = 0
    for count, values in enumerate(points, 1):
        assigned = dict(zip(paths, values, strict=True))
        where = values_text(assigned)
        try:
            loaded = load(path, [*common, *(f"{field}={value}" for field, value in assigned.items())])
        except DrillError as error:
            for problem in error.problems:
                wrong.setdefault(str(problem), []).append(where)
        else:
            plan = checked(loaded, name)
            for found in plan.found:
                if found.severity is not Severity.NOTE:
                    kept = wrong if found.severity is Severity.ERROR else remarks
                    kept.setdefault(line_of(plan, found, found.severity, say), []).append(where)
            text = json.dumps(effective(loaded.tree), ensure_ascii=False)
            key = sha256(text.encode()).hexdigest()[:_KEY_DIGITS]
            plans.setdefault(key, Plan(values, assigned, loaded.drill, key))
        done(count)
    return Plans(tuple(plans.values()), count, wrong, remarks)


def print_found(console: Console, plans: Plans, found: Mapping[str, Sequence[str]]) -> None:
    """Print findings, each once, and at which points it was found."""
    for line, where in found.items():
        # What a --vary sets is read like a --set.
        told = line.replace("--set ", "--vary ", 1) if any(f"--set {each}" in line for each in _single(where)) else line
        console.print(f"{told}{_places(plans, told, where)}", soft_wrap=True)


def _single(where: Iterable[str]) -> set[str]:
    return {assignment for point in where for assignment in point.split(", ")}


def _places(plans: Plans, line: str, where: Sequence[str]) -> str:
    if len(where) == plans.points:
        return "" if plans.points > 1 else f" (at {where[0]})"
    if "--vary " in line:
        return ""  # it names the value
    more = f" and {len(where) - _SHOWN} more" if len(where) > _SHOWN else ""
    return f" (at {'; '.join(where[:_SHOWN])}{more}; {number_of(len(where), 'point')} of {plans.points})"
